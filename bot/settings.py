"""The settings: read once, at the entrance, from the environment and from `.env` in the working directory.

Importing this costs the import of pydantic; the command line does so only when a command runs.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import platformdirs
from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from index.models import ClippingsError

PREFIX = "CLIPPINGS_"
_LLM = re.compile(r"|(openai|anthropic):\S+|ollama:[^\s#]+|(ollama|openai-like):(?P<url>https?://[^\s#]+)#\S+")


def _default_data() -> Path:
    return platformdirs.user_data_path("clippings", appauthor=False)


def _may_be_folder(path: Path) -> Path:
    path = path.expanduser()
    return path if not os.path.lexists(path) else _is_folder(path)


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


def _is_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError
    return url.rstrip("/") + "/"


def _split(names: object) -> object:
    return frozenset(re.findall(r"[^\s,]+", names)) if isinstance(names, str) else names


_Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_split)]


class Settings(BaseModel):
    """What can be set. Each description ends the sentence "expected …" that a wrong value gets."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, str_strip_whitespace=True, hide_input_in_errors=True
    )

    data: Annotated[Path, AfterValidator(_may_be_folder)] = Field(
        default_factory=_default_data, description="a folder, there already or to be made"
    )
    llm: Annotated[str, AfterValidator(_names_model)] = Field(
        default="",
        description="nothing (answers are quoted), openai:MODEL, anthropic:MODEL, ollama:MODEL, "
        "ollama:URL#MODEL or openai-like:URL#MODEL",
    )
    llm_timeout: float = Field(default=60.0, gt=0, le=3600, description="a number of seconds above 0 and up to 3600")
    llm_context: int | None = Field(
        default=None, ge=1000, description="a whole number of tokens, 1000 or more, or nothing for the model's own"
    )
    model_dir: Annotated[Path, AfterValidator(_is_folder)] | None = Field(
        default=None, description="an existing folder with the embedding weights, or nothing for the cache"
    )
    slack_bot_token: SecretStr | None = Field(
        default=None, validation_alias="SLACK_BOT_TOKEN", description="a bot token (xoxb-…)"
    )
    slack_app_token: SecretStr | None = Field(
        default=None, validation_alias="SLACK_APP_TOKEN", description="an app-level token (xapp-…)"
    )
    slack_signing_secret: SecretStr | None = Field(
        default=None, validation_alias="SLACK_SIGNING_SECRET", description="the app's signing secret"
    )
    slack_client_id: str = Field(default="", validation_alias="SLACK_CLIENT_ID", description="the app's client id")
    slack_client_secret: SecretStr | None = Field(
        default=None, validation_alias="SLACK_CLIENT_SECRET", description="the app's client secret"
    )
    slack_token_key: SecretStr | None = Field(
        default=None, description="the key that stored tokens are encrypted with: 32 bytes in URL-safe base64"
    )
    slack_api_url: Annotated[str, AfterValidator(_is_url)] = Field(
        default="https://slack.com/api/", description="the http(s) address of Slack's Web API"
    )
    slack_channels: _Names = Field(default=frozenset(), description="ids of channels, with commas between them")
    slack_users: _Names = Field(default=frozenset(), description="ids of people, with commas between them")
    slack_admins: _Names = Field(default=frozenset(), description="ids of people, with commas between them")
    slack_guests: bool = Field(default=False, description="true or false")
    slack_per_person: int = Field(default=20, ge=1, description="a number of questions in five minutes, 1 or more")
    slack_per_channel: int = Field(default=100, ge=1, description="a number of questions in five minutes, 1 or more")
    slack_host: str = Field(default="127.0.0.1", description="the address that the pages are served on")
    slack_port: int = Field(default=3000, ge=0, le=65535, description="a port, 0 for a free one")
    slack_log_text: bool = Field(default=False, description="true or false")
    database_url: SecretStr | None = Field(
        default=None, validation_alias="DATABASE_URL", description="a database's URL as SQLAlchemy reads it"
    )
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY", description="an API key")
    anthropic_api_key: SecretStr | None = Field(
        default=None, validation_alias="ANTHROPIC_API_KEY", description="an API key"
    )

    @property
    def llm_name(self) -> str:
        """The language model as it may be shown: of a URL, which can hold a password, the host is left."""
        place, sharp, model = self.llm.partition("#")
        return f"{model} at {urlsplit(place.partition(':')[2]).hostname}" if sharp else self.llm

    @property
    def llm_api_key(self) -> SecretStr | None:
        """The key that goes with the provider of `llm`; None for Ollama, which wants none."""
        provider = self.llm.partition(":")[0]
        keys = {"openai": self.openai_api_key, "openai-like": self.openai_api_key, "anthropic": self.anthropic_api_key}
        return keys.get(provider)


class _Environment(Settings, BaseSettings):
    # An empty value is an unset one, so that `.env.example` may be copied as it is. Keys of other programs are no
    # concern of ours.
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")


def variables() -> dict[str, str]:
    """Each field and the variable that sets it: ``{"data": "CLIPPINGS_DATA", …}``."""
    return {
        name: str(field.validation_alias or f"{PREFIX}{name}").upper() for name, field in Settings.model_fields.items()
    }


def load_settings(*, data: Path | None = None, env_file: Path = Path(".env")) -> Settings:
    """Read the settings; ``data`` overrides what is set.

    Raises ClippingsError that names each wrong setting, where it was set and what was expected, never its value:
    a key pasted into the wrong line must not reach the screen.
    """
    _read(env_file)
    given: dict[str, Any] = {} if data is None else {"data": data}
    sources: dict[str, Any] = {"_env_file": env_file, "_env_file_encoding": "utf-8-sig"}
    try:
        read = _Environment(**sources, **given)
    except ValidationError as error:
        wrong = [_complaint(str(problem["loc"][0]), env_file, set(given)) for problem in error.errors()]
        raise ClippingsError("\n".join(dict.fromkeys(wrong))) from None
    return Settings.model_validate(read.model_dump())


def likely_typos(env_file: Path = Path(".env")) -> Iterator[str]:
    """A sentence for each variable that looks like ours and is not.

    A warning and no error: Kubernetes sets CLIPPINGS_PORT for a service of that name.
    """
    known = list(variables().values())
    for key in sorted({key.upper() for key in (*os.environ, *_read(env_file))}):
        if key.startswith(PREFIX) and key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
            yield f"{key} is set ({_where(key, env_file)}), but there is no such setting; {hint}"


def _read(env_file: Path) -> dict[str, str | None]:
    try:
        return dotenv_values(env_file, encoding="utf-8-sig") if env_file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise ClippingsError(f"The settings in {env_file} cannot be read: {reason}. Mend or remove the file.") from None


def _complaint(place: str, env_file: Path, given: set[str]) -> str:
    field = next(name for name, variable in variables().items() if place in (name, variable))
    expected = Settings.model_fields[field].description
    if field in given:
        return f"--{field} is wrong: expected {expected}."
    variable = variables()[field]
    return f"{variable} ({_where(variable, env_file)}) is wrong: expected {expected}."


def _where(variable: str, env_file: Path) -> str:
    in_environment = any(key.upper() == variable for key in os.environ)
    return "in the environment" if in_environment else f"in {env_file}"
