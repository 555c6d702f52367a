"""The settings: where they come from, and the message about a wrong value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bot.settings import Settings, load_settings, notices, variables
from index.models import ClippingsError

EXAMPLE = Path(__file__).parents[1] / ".env.example"


@pytest.fixture(autouse=True)
def _clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key in list(os.environ):
        if key.upper().startswith("CLIPPINGS_") or key in variables().values():
            monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)


def test_without_anything_set_the_defaults_hold() -> None:
    """Nothing need be set: answers are quoted and the data is in the user's data folder."""
    settings = load_settings()
    assert (settings.llm, settings.llm_timeout, settings.llm_context, settings.model_dir) == ("", 60.0, None, None)
    assert settings.data.name == "clippings"
    assert settings.openai_api_key is None


def test_the_example_lists_every_setting_and_no_other() -> None:
    """`.env.example` and the settings name the same variables."""
    assert set(dotenv_values(EXAMPLE)) == set(variables().values())


def test_the_example_may_be_copied_as_it_is(tmp_path: Path) -> None:
    """An unedited copy of `.env.example` sets nothing."""
    (tmp_path / ".env").write_text(EXAMPLE.read_text())
    assert load_settings() == load_settings(env_file=tmp_path / "absent")


def test_each_setting_of_the_example_has_a_comment() -> None:
    """Each variable of `.env.example` has a comment above it."""
    lines = EXAMPLE.read_text().splitlines()
    assert all(lines[row - 1].startswith("#") for row, text in enumerate(lines) if "=" in text and text[0] != "#")


def test_env_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the environment goes before the same one of `.env`."""
    (tmp_path / ".env").write_text("\ufeffCLIPPINGS_LLM=ollama:one\nCLIPPINGS_LLM_TIMEOUT=5\nPATHLIKE=foreign\n")
    monkeypatch.setenv("CLIPPINGS_LLM", "ollama:two")
    settings = load_settings()
    assert (settings.llm, settings.llm_timeout) == ("ollama:two", 5.0)


def test_data_given_by_the_caller_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--data` goes before CLIPPINGS_DATA."""
    monkeypatch.setenv("CLIPPINGS_DATA", str(tmp_path / "set"))
    assert load_settings().data == tmp_path / "set"
    assert load_settings(data=tmp_path / "given").data == tmp_path / "given"


@pytest.mark.parametrize("name", [b"news-\xe9", b" "])
def test_a_data_folder_that_cannot_be_used_is_named(name: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A blank path, and one that is not UTF-8, which Chroma cannot open: given, set, or of the working folder."""
    message = "is wrong: expected a folder, which is made if it is not there, with a path in UTF-8"
    with pytest.raises(ClippingsError, match=f"^--data '[^']+' {message}"):
        load_settings(data=Path(os.fsdecode(name)))
    if name.strip():
        monkeypatch.setenv("CLIPPINGS_DATA", os.fsdecode(name))
        with pytest.raises(ClippingsError, match=r"^CLIPPINGS_DATA \(in the environment\) " + message):
            load_settings()
        Path(os.fsdecode(name)).mkdir()
        monkeypatch.chdir(os.fsdecode(name))
        monkeypatch.setenv("CLIPPINGS_DATA", "data")
        with pytest.raises(ClippingsError, match=message):
            load_settings()


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("CLIPPINGS_LLM", "gpt-4o", "openai:MODEL"),
        ("CLIPPINGS_LLM", "openai-like:localhost#m", "openai-like:URL#MODEL"),
        ("CLIPPINGS_LLM", "openai:", "openai:MODEL"),
        ("CLIPPINGS_LLM", "openai-like:http://[half#m", "openai:MODEL"),
        ("CLIPPINGS_LLM", "ollama:http://:80#m", "openai:MODEL"),
        ("CLIPPINGS_LLM_TIMEOUT", "soon", "a number of seconds above 0"),
        ("CLIPPINGS_LLM_TIMEOUT", "0", "a number of seconds above 0"),
        ("CLIPPINGS_LLM_TIMEOUT", "nan", "a number of seconds above 0"),
        ("CLIPPINGS_LLM_CONTEXT", "8k", "a whole number of tokens"),
        ("CLIPPINGS_MODEL_DIR", "/no/such/folder", "an existing folder"),
        ("CLIPPINGS_DATA", __file__, "a folder"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    variable: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variable, where it is set and what was expected."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ClippingsError) as raised:
        load_settings()
    assert str(raised.value).startswith(f"{variable} (in the environment) is wrong: expected ")
    assert expected in str(raised.value)


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    """Two wrong values give two lines, and say that they are in the file."""
    (tmp_path / ".env").write_text("CLIPPINGS_LLM=x\nCLIPPINGS_LLM_CONTEXT=x\n")
    with pytest.raises(ClippingsError) as raised:
        load_settings()
    assert [line.split(" is wrong")[0] for line in str(raised.value).splitlines()] == [
        "CLIPPINGS_LLM (in .env)",
        "CLIPPINGS_LLM_CONTEXT (in .env)",
    ]


def test_a_key_pasted_into_the_wrong_line_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API key given as the language model does not reach the message."""
    monkeypatch.setenv("CLIPPINGS_LLM", "sk-very-secret")
    with pytest.raises(ClippingsError) as raised:
        load_settings()
    assert "very-secret" not in str(raised.value)


def test_a_misspelt_variable_is_named_as_a_likely_typo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with our prefix that is no setting gives a warning with the nearest setting."""
    (tmp_path / ".env").write_text("CLIPPINGS_LMM_TIMEOUT=3\n")
    monkeypatch.setenv("CLIPPINGS_PORT", "tcp://10.0.0.1")
    timeout, port = notices()
    assert port.startswith("CLIPPINGS_PORT is set (in the environment), but there is no such setting;")
    assert timeout.endswith("(in .env), but there is no such setting; did you mean CLIPPINGS_LLM_TIMEOUT?")
    assert load_settings().llm_timeout == 60


def test_an_env_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """A binary `.env` gives a message."""
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00C")
    with pytest.raises(ClippingsError, match=r"\.env cannot be read: it is not UTF-8 text"):
        load_settings()


def test_keys_are_read_and_kept_from_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider gets its own key. No representation of the settings shows a key."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-open")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-anthro")
    keys = {}
    for spec in ("openai:a", "anthropic:b", "ollama:c", "openai-like:http://h/v1#d"):
        monkeypatch.setenv("CLIPPINGS_LLM", spec)
        settings = load_settings()
        keys[spec.split(":")[0]] = settings.llm_api_key and settings.llm_api_key.get_secret_value()
        assert "sk-" not in f"{settings!r} {settings}"
    assert keys == {"openai": "sk-open", "anthropic": "sk-anthro", "ollama": None, "openai-like": "sk-open"}


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("", ""),
        ("openai:small", "openai:small"),
        ("ollama:qwen:7b", "ollama:qwen:7b"),
        ("ollama:http://user:word@host#qwen:7b", "qwen:7b at host"),
        ("openai-like:http://user:word@host:8000/v1?key=k#small", "small at host"),
    ],
)
def test_the_model_is_named_without_credentials(spec: str, name: str) -> None:
    """The name of the language model contains no user, password or query of its URL."""
    assert Settings(llm=spec).llm_name == name


# A file in the working folder, which may come from somebody else

ELSEWHERE = "openai-like:http://models.example/v1#m"


@pytest.mark.parametrize(
    ("setting", "secret"),
    [
        (f"CLIPPINGS_LLM={ELSEWHERE}", "OPENAI_API_KEY"),
        ("CLIPPINGS_LLM=ollama:http://models.example#m", "OLLAMA_API_KEY"),
        ("CLIPPINGS_SLACK_API_URL=http://slack.example/api/", "SLACK_BOT_TOKEN"),
        ("CLIPPINGS_SLACK_API_URL=http://slack.example/api/", "SLACK_APP_TOKEN"),
        ("CLIPPINGS_SLACK_API_URL=http://slack.example/api/", "SLACK_CLIENT_SECRET"),
        ("CLIPPINGS_SLACK_API_URL=http://slack.example/api/", "CLIPPINGS_SLACK_TOKEN_KEY"),
    ],
)
def test_secret_of_the_environment_is_not_sent_where_a_file_says(
    setting: str, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names both variables, the file and the way out, and shows no secret; the way out works."""
    (tmp_path / ".env").write_text(f"{setting}\nCLIPPINGS_TRUST_ENV_FILE=1\n")
    monkeypatch.setenv(secret, "sk-mine")
    with pytest.raises(ClippingsError) as raised:
        load_settings()
    assert str(raised.value) == (
        f"{setting.partition('=')[0]} comes from {tmp_path / '.env'}, and {secret} from the environment, so the key is "
        "not sent to that address. Set both in the same place, or allow it: set CLIPPINGS_TRUST_ENV_FILE=1 in the "
        "environment."
    )
    monkeypatch.setenv("CLIPPINGS_TRUST_ENV_FILE", "1")
    load_settings()


@pytest.mark.parametrize(
    ("in_file", "in_environment"),
    [
        (f"CLIPPINGS_LLM={ELSEWHERE}\nOPENAI_API_KEY=sk-its", ""),
        ("OPENAI_API_KEY=sk-its", f"CLIPPINGS_LLM={ELSEWHERE}"),
        ("", f"CLIPPINGS_LLM={ELSEWHERE} OPENAI_API_KEY=sk-mine"),
        ("CLIPPINGS_LLM=openai:gpt-4o", "OPENAI_API_KEY=sk-mine"),
        ("CLIPPINGS_LLM=openai-like:http://localhost:8000/v1#m", "OPENAI_API_KEY=sk-mine"),
        ("CLIPPINGS_LLM=openai-like:http://127.0.0.1:8000/v1#m", "OPENAI_API_KEY=sk-mine"),
        ("CLIPPINGS_LLM=openai-like:http://[::1]:8000/v1#m", "OPENAI_API_KEY=sk-mine"),
        ("CLIPPINGS_LLM=ollama:http://models.example#m", "OPENAI_API_KEY=sk-mine"),
        (f"CLIPPINGS_LLM={ELSEWHERE}", f"CLIPPINGS_LLM={ELSEWHERE} OPENAI_API_KEY=sk-mine"),
        ("CLIPPINGS_SLACK_API_URL=https://slack.com/api", "SLACK_BOT_TOKEN=xoxb-mine"),
    ],
)
def test_key_goes_where_its_own_place_or_its_user_says(
    in_file: str, in_environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Allowed: both in one place, an address of the environment, the provider's own, this machine, no key needed."""
    (tmp_path / ".env").write_text(in_file)
    for pair in in_environment.split():
        monkeypatch.setenv(*pair.split("=", 1))
    load_settings()


def test_file_cannot_copy_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``${NAME}`` in a file stays as it is written: no secret of the environment gets into an address."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sk-mine")
    line = "CLIPPINGS_LLM=openai-like:http://models.example/${AWS_SECRET_ACCESS_KEY}#m\n"
    (tmp_path / ".env").write_text(line + "OPENAI_API_KEY=${AWS_SECRET_ACCESS_KEY}\n")
    settings = load_settings()
    assert "sk-mine" not in settings.llm
    assert settings.openai_api_key
    assert settings.openai_api_key.get_secret_value() == "${AWS_SECRET_ACCESS_KEY}"


def test_file_that_sends_data_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notice has the whole path and all settings that are used from it; none for a file that sends nothing."""
    file = tmp_path / ".env"
    file.write_text(f"CLIPPINGS_LLM={ELSEWHERE}\nDATABASE_URL=\nSLACK_CLIENT_ID=1.2\nCLIPPINGS_LLM_TIMEOUT=5\n")
    monkeypatch.setenv("SLACK_CLIENT_ID", "3.4")
    assert list(notices()) == [f"Settings read from {file}: CLIPPINGS_LLM, CLIPPINGS_LLM_TIMEOUT."]
    file.chmod(0o600)
    file.write_text(f"OPENAI_API_KEY=sk-its\nCLIPPINGS_LLM={ELSEWHERE.replace('http', 'https')}\nPATHLIKE=foreign\n")
    assert list(notices()) == [f"Settings read from {file}: OPENAI_API_KEY, CLIPPINGS_LLM."]
    file.write_text("CLIPPINGS_LLM_TIMEOUT=5\n")
    assert list(notices()) == []


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        (f"CLIPPINGS_LLM={ELSEWHERE} OPENAI_API_KEY=sk-mine", "CLIPPINGS_LLM OPENAI_API_KEY"),
        ("CLIPPINGS_LLM=ollama:http://u:sk-mine@models.example#m", "CLIPPINGS_LLM a password"),
        ("CHROMA_URL=http://10.0.0.7:8000 CHROMA_TOKEN=sk-mine", "CHROMA_URL CHROMA_TOKEN"),
        (
            "CLIPPINGS_SLACK_API_URL=http://slack.example/ SLACK_APP_TOKEN=sk-mine",
            "CLIPPINGS_SLACK_API_URL SLACK_APP_TOKEN",
        ),
        (f"CLIPPINGS_LLM={ELSEWHERE}", ""),
        (f"CLIPPINGS_LLM={ELSEWHERE.replace('http', 'https')} OPENAI_API_KEY=sk-mine", ""),
        ("CLIPPINGS_LLM=openai-like:http://127.0.0.1:8000/v1#m OPENAI_API_KEY=sk-mine", ""),
        ("CLIPPINGS_LLM=openai:small OPENAI_API_KEY=sk-mine SLACK_BOT_TOKEN=sk-mine", ""),
        ("CLIPPINGS_LLM=openai-like:http://[half#m OPENAI_API_KEY=sk-mine", ""),
    ],
)
def test_a_key_that_goes_out_unencrypted_is_warned_of(
    settings: str, warned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To another machine over plain http; the warning has the names of address and key."""
    for pair in settings.split():
        monkeypatch.setenv(*pair.split("=", 1))
    variable, _, key = warned.partition(" ")
    warning = f"{variable} is an http:// address elsewhere, and {key} goes there unencrypted. Use https."
    assert list(notices()) == [warning] * bool(warned)


def test_secret_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    """A readable `.env` with a secret gives a warning with the command that helps; without a secret it does not."""
    file = tmp_path / ".env"
    file.write_text("OPENAI_API_KEY=sk-mine\n")
    for mode, warned in ((0o644, True), (0o640, True), (0o600, False)):
        file.chmod(mode)
        assert [f"{file} holds a secret, and other users can read it. Run: chmod 600 .env"] * warned == list(notices())
    file.write_text("OPENAI_API_KEY=\nCLIPPINGS_LLM_TIMEOUT=5\n")
    file.chmod(0o644)
    assert list(notices()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file to another user")
def test_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a shared folder somebody else may have put it there. The message has the way out."""
    (tmp_path / ".env").write_text("CLIPPINGS_LLM_TIMEOUT=5\n")
    os.chown(tmp_path / ".env", 4242, 4242)
    for read in (load_settings, lambda: list(notices())):
        with pytest.raises(ClippingsError, match=r"\.env belongs to another user, .*CLIPPINGS_TRUST_ENV_FILE=1"):
            read()
    monkeypatch.setenv("CLIPPINGS_TRUST_ENV_FILE", "true")
    assert load_settings().llm_timeout == 5
    assert list(notices()) == []


def test_file_cannot_vouch_for_itself(tmp_path: Path) -> None:
    """CLIPPINGS_TRUST_ENV_FILE in the file does nothing, and that is said."""
    (tmp_path / ".env").write_text("CLIPPINGS_TRUST_ENV_FILE=1\n")
    assert list(notices()) == [
        "CLIPPINGS_TRUST_ENV_FILE is set (in .env), but there is no such setting; set it in the environment."
    ]
