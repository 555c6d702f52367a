"""The settings, read once at start from the environment and from `.env` in the working directory.

This imports pydantic, so the command line imports it only when a command runs.
"""

import difflib
import ipaddress
import os
import re
import stat
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from index.models import ClippingsError

PREFIX = "CLIPPINGS_"
# Variables that Slack, OpenAI, Anthropic and hosting platforms document under these names: no prefix.
UNPREFIXED = (
    "slack_bot_token slack_app_token slack_signing_secret slack_client_id slack_client_secret database_url "
    "chroma_url chroma_token openai_api_key anthropic_api_key"
).split()
TRUST = "CLIPPINGS_TRUST_ENV_FILE"  # only in the environment: a file cannot vouch for itself
_YES = {"1", "true", "yes"}
_SLACK_SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_CLIENT_SECRET", "CLIPPINGS_SLACK_TOKEN_KEY")
_LLM_SECRETS = {
    "openai-like": ("OPENAI_API_KEY",),
    "ollama": ("OLLAMA_API_KEY",),  # which Ollama's client reads by itself
}
_PLACES = ("data", "model_dir", "slack_api_url", "chroma_url", "slack_host")
_SENDS_OUT = (
    "CLIPPINGS_LLM",
    "CLIPPINGS_SLACK_API_URL",
    "SLACK_BOT_TOKEN",
    "SLACK_CLIENT_ID",
    "DATABASE_URL",
    "CHROMA_URL",
)
_ADDRESSES = ("CLIPPINGS_LLM", "CLIPPINGS_SLACK_API_URL", "CHROMA_URL")
_LLM = re.compile(r"|(openai|anthropic):\S+|ollama:[^\s#]+|(ollama|openai-like):(?P<url>https?://[^\s#]+)#\S+")


def _variable(name: str) -> str:
    return name.upper() if name in UNPREFIXED else f"{PREFIX}{name.upper()}"


def _is_folder_or_absent(path: Path) -> Path:
    if not os.fspath(path).strip():
        raise ValueError
    os.path.abspath(path.expanduser()).encode()  # noqa: PTH100  # Chroma takes UTF-8 only; UnicodeError is a ValueError
    return _is_folder(path) if os.path.lexists(path.expanduser()) else path.expanduser()


def _is_folder(path: Path) -> Path:
    path = path.expanduser()
    if not os.path.isdir(path):  # noqa: PTH112  # Path.is_dir raises where a parent may not be searched
        raise ValueError
    return path


def _names_model(spec: str) -> str:
    form = _LLM.fullmatch(spec)
    if not form or (form["url"] and not urlsplit(form["url"]).hostname):  # urlsplit raises ValueError itself
        raise ValueError
    return spec


def _split(names: object) -> object:
    return frozenset(re.findall(r"[^\s,]+", names)) if isinstance(names, str) else names


_Folder = Annotated[Path, AfterValidator(_is_folder)]
_NewFolder = Annotated[Path, AfterValidator(_is_folder_or_absent)]
_Names = Annotated[frozenset[str], BeforeValidator(_split)]
_Secret = SecretStr | None
_Url = Annotated[str, AfterValidator(lambda url: str(AnyHttpUrl(url)).rstrip("/") + "/")]


class Settings(BaseModel):
    """All settings. A description completes "expected …" in the error message about a wrong value."""

    model_config = ConfigDict(
        alias_generator=_variable,
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        validate_default=True,
        str_strip_whitespace=True,
        hide_input_in_errors=True,
    )

    data: _NewFolder = Field(
        default_factory=lambda: platformdirs.user_data_path("clippings", appauthor=False),
        validate_default=True,
        description="a folder, which is made if it is not there, with a path in UTF-8",
    )
    llm: Annotated[str, AfterValidator(_names_model)] = Field(
        default="",
        description="nothing (answers are quoted), openai:MODEL, anthropic:MODEL, ollama:MODEL, "
        "ollama:URL#MODEL or openai-like:URL#MODEL",
    )
    web_hosts: _Names = Field(
        default=frozenset(), description="names of hosts inside your network that may be read, with commas between them"
    )
    llm_timeout: float = Field(default=60.0, gt=0, le=3600, description="a number of seconds above 0 and up to 3600")
    llm_context: int | None = Field(default=None, ge=1000, description="a whole number of tokens, 1000 or more")
    llm_check: bool = Field(default=False, description="on or off")
    model_dir: _Folder | None = Field(default=None, description="an existing folder with the embedding weights")
    slack_bot_token: _Secret = Field(default=None, description="a bot token (xoxb-…)")
    slack_app_token: _Secret = Field(default=None, description="an app-level token (xapp-…)")
    slack_signing_secret: _Secret = Field(default=None, description="the app's signing secret")
    slack_client_id: str = Field(default="", description="the app's client id")
    slack_client_secret: _Secret = Field(default=None, description="the app's client secret")
    slack_token_key: _Secret = Field(default=None, description="an encryption key: 32 bytes in URL-safe base64")
    slack_api_url: _Url = Field(default="https://slack.com/api/", description="the http(s) address of Slack's Web API")
    slack_workspaces: _Names = Field(
        default=frozenset(), description="ids of workspaces and organisations, separated by commas"
    )
    slack_channels: _Names = Field(default=frozenset(), description="ids of channels, separated by commas")
    slack_users: _Names = Field(default=frozenset(), description="ids of people, separated by commas")
    slack_admins: _Names = Field(default=frozenset(), description="ids of people, separated by commas")
    slack_guests: bool = Field(default=False, description="true or false")
    slack_per_person: int = Field(default=20, ge=1, description="a number of questions in five minutes, 1 or more")
    slack_per_channel: int = Field(default=100, ge=1, description="a number of questions in five minutes, 1 or more")
    slack_host: str = Field(default="127.0.0.1", description="the address that the pages are served on")
    slack_port: int = Field(default=3000, ge=0, le=65535, description="a port, 0 for a free one")
    slack_log_text: bool = Field(default=False, description="true or false")
    metrics_port: int | None = Field(default=None, ge=0, le=65535, description="a port, 0 for a free one")
    log: Literal["text", "json"] = Field(default="text", description="text or json")
    traces: Literal["off", "on", "texts"] = Field(default="off", description="off, on, or texts")
    database_url: _Secret = Field(
        default=None, description="postgresql://USER:PASSWORD@HOST/NAME, or sqlite:////FOLDER/FILE.db"
    )
    chroma_url: Annotated[str, AfterValidator(lambda url: url and str(AnyHttpUrl(url)).rstrip("/"))] = Field(
        default="", description="the http(s) address of a Chroma server"
    )
    chroma_token: _Secret = Field(default=None, description="the token of the Chroma server")
    openai_api_key: _Secret = Field(default=None, description="an API key")
    anthropic_api_key: _Secret = Field(default=None, description="an API key")

    @property
    def llm_name(self) -> str:
        """The name of the language model, safe to show: only the host of its URL, which can hold a password."""
        place, sharp, model = self.llm.partition("#")
        return f"{model} at {urlsplit(place.partition(':')[2]).hostname}" if sharp else self.llm

    @property
    def llm_api_key(self) -> SecretStr | None:
        """The API key of the provider of `llm`; None for Ollama, which needs none."""
        keys = {"openai": self.openai_api_key, "openai-like": self.openai_api_key, "anthropic": self.anthropic_api_key}
        return keys.get(self.llm.partition(":")[0])


ALL_BUT_DATA = frozenset(Settings.model_fields) - {"data"}
ONLY_SLACK = frozenset(
    name for name in ALL_BUT_DATA if name.startswith("slack_") or name in {"metrics_port", "log", "traces"}
)
"""The settings that only the bot in Slack uses."""


def portable(settings: Settings) -> dict[str, str]:
    """The settings that another installation may want, by variable: no defaults, secrets, places or addresses."""
    kept = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        is_place = name in _PLACES or (name == "llm" and "//" in value)  # whose address may hold a password
        if field.annotation != _Secret and not is_place and value != field.default:
            text = ",".join(sorted(value)) if isinstance(value, frozenset) else str(value)
            kept[_variable(name)] = text
    return kept


def variables() -> dict[str, str]:
    """Map each setting to its environment variable: ``{"data": "CLIPPINGS_DATA", …}``."""
    return {name: _variable(name) for name in Settings.model_fields}


def load_settings(
    *,
    data: Path | None = None,
    env_file: Path = Path(".env"),
    spared: Container[str] = (),
    faults: list[str] | None = None,
) -> Settings:
    """Read the settings. ``data`` overrides CLIPPINGS_DATA. A wrong value of one that is ``spared`` goes to ``faults``.

    Raises ClippingsError that names all wrong settings, where they are set and what was expected. It shows no value of
    environment or file, which may be a key pasted into the wrong line. Raises it also if a key of the environment would
    be sent to an address that only the file names.
    """
    in_file, in_environment = _read(env_file), _environment()
    given = {} if data is None else {"CLIPPINGS_DATA": data}
    values = {**in_file, **in_environment, **given}
    values = {name: values[name] for name in variables().values() if name in values}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        names = [_name(str(problem["loc"][0])) for problem in error.errors()]
        wrong = dict.fromkeys(_describe_error(name, env_file, given) for name in names)
        if faults is None or not all(name in spared for name in names):
            raise ClippingsError("\n".join(wrong)) from None
        faults += wrong
        kept = {key: value for key, value in values.items() if _name(key) not in names}
        settings = Settings.model_validate(kept)
    _check_addresses(settings, set(in_file) - set(in_environment), set(in_environment), env_file)
    return settings


def notices(env_file: Path = Path(".env")) -> Iterator[str]:
    """Yield what a user should know of the settings: likely typos, and how data or a secret may get out.

    A typo is no error, because Kubernetes sets CLIPPINGS_PORT for a service named "clippings".
    """
    known, in_file, in_environment = list(variables().values()), _read(env_file), _environment()
    for key in sorted({**in_file, **in_environment}):
        if key.startswith(PREFIX) and key not in known and not (key == TRUST and key in in_environment):
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(known)}."
            if key == TRUST:
                hint = "set it in the environment."
            yield f"{key} is set ({_where(key, env_file)}), but there is no such setting; {hint}"
    read = [key for key in in_file if key in known and key not in in_environment]
    if not set(_SENDS_OUT).isdisjoint(read):
        yield f"Settings read from {env_file.absolute()}: {', '.join(read)}."
    yield from _unencrypted({**in_file, **in_environment})
    secrets = {_variable(name) for name, field in Settings.model_fields.items() if field.annotation == _Secret}
    if secrets & set(in_file) and os.name == "posix" and env_file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield f"{env_file.absolute()} holds a secret, and other users can read it. Run: chmod 600 {env_file}"


def _environment() -> dict[str, str]:
    """The environment in upper case, without empty values: an unset variable and an empty one are the same."""
    return {key.upper(): value for key, value in os.environ.items() if value}


def _read(env_file: Path) -> dict[str, str]:
    """Read a file like the environment. ``${NAME}`` stays as it is: it would copy any secret of the environment."""
    try:
        if not env_file.is_file():
            return {}
        if os.name == "posix" and env_file.stat().st_uid not in (os.geteuid(), 0) and not _trusted():
            raise ClippingsError(
                f"{env_file.absolute()} belongs to another user, so its settings are not used. Remove the file, work "
                f"in another folder, or allow it: set {TRUST}=1 in the environment."
            )
        values = dotenv_values(env_file, encoding="utf-8-sig", interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise ClippingsError(
            f"The settings in {env_file} cannot be read: {reason}. Correct or remove the file."
        ) from None
    return {key.upper(): value for key, value in values.items() if value}


def _trusted() -> bool:
    return _environment().get(TRUST, "").lower() in _YES


def _check_addresses(settings: Settings, only_in_file: set[str], in_environment: set[str], env_file: Path) -> None:
    """Keep secrets of the environment from an address that a file in the working folder names."""
    places = (settings.llm, settings.slack_api_url, settings.chroma_url)
    for variable, url, secrets in _addresses(*places):
        leaking = [secret for secret in secrets if secret in in_environment]
        if leaking and variable in only_in_file and "//" in url and not _is_loopback(url) and not _trusted():
            raise ClippingsError(
                f"{variable} comes from {env_file.absolute()}, and {leaking[0]} from the environment, so the key is "
                f"not sent to that address. Set both in the same place, or allow it: set {TRUST}=1 in the environment."
            )


def _addresses(llm: str, slack_api_url: str, chroma_url: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Each setting with an address, the address, and the secrets that are sent there."""
    provider, _, place = llm.partition(":")
    own = slack_api_url == Settings.model_fields["slack_api_url"].default
    return (
        ("CLIPPINGS_LLM", place.partition("#")[0], _LLM_SECRETS.get(provider, ())),
        ("CLIPPINGS_SLACK_API_URL", slack_api_url, () if own else _SLACK_SECRETS),
        ("CHROMA_URL", chroma_url, ("CHROMA_TOKEN",)),
    )


def _unencrypted(values: Mapping[str, str]) -> Iterator[str]:
    """Warn of a key or a password that goes to another machine over plain http."""
    for variable, url, secrets in _addresses(*(values.get(name, "").strip() for name in _ADDRESSES)):
        with suppress(ValueError):  # no address, which `load_settings` says
            held = [name for name in secrets if name in values] + ["a password"] * bool(urlsplit(url).password)
            if held and urlsplit(url).scheme == "http" and not _is_loopback(url):
                yield f"{variable} is an http:// address elsewhere, and {held[0]} goes there unencrypted. Use https."


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(variable: str) -> str:
    return next(name for name, alias in variables().items() if variable in (name, alias))


def _describe_error(name: str, env_file: Path, given: Mapping[str, Path]) -> str:
    variable = _variable(name)
    origin = f"--{name} {str(given[variable])!r}" if variable in given else f"{variable} ({_where(variable, env_file)})"
    return f"{origin} is wrong: expected {Settings.model_fields[name].description}."


def _where(variable: str, env_file: Path) -> str:
    return "in the environment" if variable in _environment() else f"in {env_file}"
