"""`clippings doctor`: what is wrong is said with the way out, and no secret is shown."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.cli.parser import main
from bot.runtime import Parts
from bot.settings import Settings
from bot.slack.database import Database, Question
from bot.slack.serve import scopes
from index.status import Status
from tests.fake_slack import FakeSlack
from tests.fakes.openai_server import OpenAIServer

pytestmark = pytest.mark.process(seconds=15)
Doctor = Callable[..., tuple[int, dict[str, list[tuple[bool, str]]], str]]
NAMES = ["settings", "versions", "disk", "weights", "index", "database", "slack", "language model"]


class LookedOnce(Parts):
    """The real parts. The state of an index is looked up once, for it is tried in a process, which takes a second."""

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[Path, Status] = {}

    def status(self, settings: Settings) -> Status:
        """What is found for a data folder."""
        if settings.data not in self._found:
            self._found[settings.data] = super().status(settings)
        return self._found[settings.data]


@pytest.fixture(scope="module")
def parts() -> Parts:
    """What the commands of this module are made of."""
    return LookedOnce()


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """A workspace whose Slack names the scopes of a token."""
    with FakeSlack() as started:
        started.api.headers = {"X-OAuth-Scopes": ",".join(scopes())}
        yield started


@pytest.fixture
def doctor(
    slack: FakeSlack, parts: Parts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Doctor:
    """Exit code, what was found by name, and all that was printed; for a data folder and settings."""

    def run(data: Path, **settings: str) -> tuple[int, dict[str, list[tuple[bool, str]]], str]:
        environment = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "CLIPPINGS_SLACK_API_URL": slack.api_url,
            **settings,
        }
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            for name in os.environ:
                if name.startswith(("SLACK_", "DATABASE_")):
                    patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            code = main(["--data", str(data), "doctor", "--json"], parts=parts)
            printed = capsys.readouterr()
            assert main(["--data", str(data), "doctor"], parts=parts) == code
            shown = capsys.readouterr()
        value = json.loads(printed.out)
        assert value["ok"] is (code == 0)
        found: dict[str, list[tuple[bool, str]]] = {}
        for check in value["checks"]:
            found.setdefault(check["name"], []).append((check["ok"], check["text"]))
            assert f"{check['name']}: " in shown.out
        return code, found, printed.out + printed.err + shown.out + shown.err

    return run


def test_all_is_well(doctor: Doctor, slack: FakeSlack, indexed: Path, weights: Path) -> None:
    """Exit code 0, a line for everything, and neither token in any."""
    with OpenAIServer() as llm:
        model = f"openai-like:{llm.url}#fake"
        code, found, printed = doctor(indexed, CLIPPINGS_LLM=model, CLIPPINGS_MODEL_DIR=str(weights))
    assert code == 0, found
    assert list(found) == NAMES
    assert "searched" in found["index"][0][1]
    texts = [text for _, text in found["slack"]]
    assert texts[0].startswith("reached as clippings")
    assert texts[0].endswith("with every scope")
    assert texts[1:] == ["its clock and this one agree", "it opens a socket with SLACK_APP_TOKEN"]
    assert slack.bot_token not in printed
    assert slack.app_token not in printed


WRONG = {
    "token": ({"SLACK_BOT_TOKEN": "xoxb-hunter2"}, "slack", "Slack refuses SLACK_BOT_TOKEN (invalid_auth)"),
    "app token": ({"SLACK_APP_TOKEN": "xapp-hunter2"}, "slack", "opens no socket with SLACK_APP_TOKEN (invalid_auth)"),
    "a person's token": (
        {"SLACK_BOT_TOKEN": "xoxp-hunter2"},
        "slack",
        "begins with xoxp- as a person's token",
    ),
    "no token": ({"SLACK_BOT_TOKEN": "hunter2"}, "slack", "for it does not begin with xoxb-: a bot token (xoxb-…) is"),
    "a bot token": (
        {"SLACK_APP_TOKEN": "xoxb-hunter2"},
        "slack",
        "begins with xoxb- as a bot token does: an app",
    ),
    "neither way": ({"SLACK_APP_TOKEN": ""}, "slack", "set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET"),
    "OAuth": ({"SLACK_BOT_TOKEN": "", "SLACK_CLIENT_ID": "1.2"}, "slack", "set SLACK_CLIENT_SECRET and CLIPPINGS_"),
    "Slack away": ({"CLIPPINGS_SLACK_API_URL": "http://127.0.0.1:9/"}, "slack", "Slack cannot be reached at http"),
    "model away": (
        {"CLIPPINGS_LLM": "openai-like:http://u:hunter2@127.0.0.1:9/#m"},
        "language model",
        "cannot be reached",
    ),
    "no database": ({"DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:9/x"}, "database", "cannot be used"),
    "no weights": ({"CLIPPINGS_MODEL_DIR": "/tmp"}, "weights", "does not hold the embedding weights"),
    "no number": (
        {"CLIPPINGS_SLACK_PORT": "hunter2"},
        "settings",
        "CLIPPINGS_SLACK_PORT (in the environment) is wrong",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_the_way_out(doctor: Doctor, indexed: Path, name: str) -> None:
    """Exit code 1, and no secret: not that of a setting, nor what an error quotes of it."""
    settings, where, expected = WRONG[name]
    code, found, printed = doctor(indexed, **settings)
    wrong = [text for ok, text in found[where] if not ok]
    assert code == 1
    assert any(expected in text for text in wrong), found
    assert [ok for other, checks in found.items() for ok, _ in checks if other not in (where, "database")].count(
        False
    ) == 0
    assert "hunter2" not in printed


def test_what_is_unusual_is_no_fault(doctor: Doctor, indexed: Path) -> None:
    """A setting that is unknown, which Kubernetes may have made, is noted."""
    _, found, printed = doctor(indexed, CLIPPINGS_FOO="1")
    assert found["settings"][0][0] is True
    assert "note  settings: CLIPPINGS_FOO is set" in printed


def test_a_wrong_setting_hides_nothing_else(doctor: Doctor, indexed: Path) -> None:
    """All else is looked at, and what is unusual about settings is said as ever; but a data folder is not guessed."""
    code, found, _ = doctor(indexed, CLIPPINGS_METRICS_PORT="abc", CLIPPINGS_LLM="gpt", CLIPPINGS_FOO="1")
    assert code == 1
    assert list(found) == NAMES
    wrong = [text for ok, text in found["settings"] if not ok]
    assert [text.split(" ")[0] for text in wrong] == ["CLIPPINGS_LLM", "CLIPPINGS_METRICS_PORT"]
    assert any("CLIPPINGS_FOO" in text for ok, text in found["settings"] if ok)
    assert "searched" in found["index"][0][1]
    code, found, _ = doctor(Path(__file__))
    assert (code, list(found)) == (1, ["settings"])


def test_scopes_and_clock_are_compared_with_slacks(doctor: Doctor, slack: FakeSlack, indexed: Path) -> None:
    """A token from before a scope was asked for, and a clock that Slack would take for a forger's."""
    slack.api.headers = {"X-OAuth-Scopes": "chat:write", "Date": "Mon, 01 Jan 2024 00:00:00 GMT"}
    code, found, _ = doctor(indexed)
    lacking, clock, _ = found["slack"]
    assert code == 1
    assert "the token lacks app_mentions:read" in lacking[1]
    assert "users:read" in lacking[1]
    assert "seconds off Slack's" in clock[1]


def test_damaged_index_and_questions_that_wait(doctor: Doctor, indexed: Path, tmp_path: Path) -> None:
    """Vectors that are gone, and a question that no bot has answered for days."""
    data = tmp_path / "data"
    shutil.copytree(indexed, data)
    for vectors in data.glob("**/vectors"):
        shutil.rmtree(vectors)
    database = Database.in_folder(data)
    database.receive(Question("k", "T1", "", "U1", "C1", "1.1", "1.1", "secret words", True, "", 1_000.0))
    database.close()
    code, found, printed = doctor(data)
    assert code == 1
    assert "run `clippings index`" in found["index"][0][1]
    assert "1 questions wait since 1970" in found["database"][0][1]
    assert "secret words" not in printed


def test_nothing_set_up_yet(doctor: Doctor, tmp_path: Path) -> None:
    """Before the first article the index is what is missing, and Slack is no fault."""
    code, found, _ = doctor(tmp_path / "none", SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="")
    assert code == 1
    assert [name for name, checks in found.items() if not all(ok for ok, _ in checks)] == ["index"]
