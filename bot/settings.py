"""The settings, read once at start from the environment and from `.env` in the working directory.

This imports pydantic, so the command line imports it only when a command runs.
"""

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
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
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from index.models import ClippingsError

PREFIX = "CLIPPINGS_"
# Variables that Slack, OpenAI, Anthropic and hosting platforms document under these names: no prefix.
UNPREFIXED = (
    "slack_bot_token slack_app_token slack_signing_secret slack_client_id slack_client_secret database_url "
    "openai_api_key anthropic_api_key"
).split()
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
_Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_split)]
_Secret = SecretStr | None
_Url = Annotated[str, AfterValidator(lambda url: str(AnyHttpUrl(url)).rstrip("/") + "/")]


class Settings(BaseModel):
    """All settings. A description completes "expected …" in the error message about a wrong value."""

    model_config = ConfigDict(
        alias_generator=_variable,
        frozen=True,
        extra="forbid",
        populate_by_name=True,
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
    llm_timeout: float = Field(default=60.0, gt=0, le=3600, description="a number of seconds above 0 and up to 3600")
    llm_context: int | None = Field(default=None, ge=1000, description="a whole number of tokens, 1000 or more")
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
    database_url: _Secret = Field(default=None, description="a database URL in SQLAlchemy's form")
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


class _Environment(Settings, BaseSettings):
    # Empty values are ignored, so that `.env.example` can be copied as it is; so are variables of other programs.
    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")


def variables() -> dict[str, str]:
    """Map each setting to its environment variable: ``{"data": "CLIPPINGS_DATA", …}``."""
    return {name: _variable(name) for name in Settings.model_fields}


def load_settings(*, data: Path | None = None, env_file: Path = Path(".env")) -> Settings:
    """Read the settings. ``data`` overrides CLIPPINGS_DATA.

    Raises ClippingsError that names all wrong settings, where they are set and what was expected. It never shows a
    value, which may be a key pasted into the wrong line.
    """
    _read(env_file)
    given: dict[str, Any] = {} if data is None else {"data": data}
    sources: dict[str, Any] = {"_env_file": env_file, "_env_file_encoding": "utf-8-sig"}
    try:
        read = _Environment(**sources, **given)
    except ValidationError as error:
        wrong = [_describe_error(str(problem["loc"][0]), env_file, set(given)) for problem in error.errors()]
        raise ClippingsError("\n".join(dict.fromkeys(wrong))) from None
    return Settings.model_validate(read.model_dump())


def likely_typos(env_file: Path = Path(".env")) -> Iterator[str]:
    """Yield a warning for each variable with our prefix that is no setting.

    No error, because Kubernetes sets CLIPPINGS_PORT for a service named "clippings".
    """
    known = list(variables().values())
    for key in sorted({key.upper() for key in (*os.environ, *_read(env_file))}):
        if key.startswith(PREFIX) and key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(known)}."
            yield f"{key} is set ({_where(key, env_file)}), but there is no such setting; {hint}"


def _read(env_file: Path) -> dict[str, str | None]:
    try:
        return dotenv_values(env_file, encoding="utf-8-sig") if env_file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise ClippingsError(
            f"The settings in {env_file} cannot be read: {reason}. Correct or remove the file."
        ) from None


def _describe_error(place: str, env_file: Path, given: set[str]) -> str:
    name, variable = next(pair for pair in variables().items() if place in pair)
    origin = f"--{name}" if name in given else f"{variable} ({_where(variable, env_file)})"
    return f"{origin} is wrong: expected {Settings.model_fields[name].description}."


def _where(variable: str, env_file: Path) -> str:
    in_environment = any(key.upper() == variable for key in os.environ)
    return "in the environment" if in_environment else f"in {env_file}"
