"""`clippings doctor`: what may be wrong with an installation, and how it is mended. It shows no secret."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.plain_text import counted, size
from bot.settings import notices
from index.models import ClippingsError

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from bot.runtime import Parts
    from bot.settings import Settings

MIN_FREE_BYTES = 1_000_000_000  # beside an index, for the next one is complete before the last is removed
MAX_CLOCK_SKEW_SECONDS = 60  # Slack's requests count as forged from five minutes
MAX_WAITING_SECONDS = 600  # that a question is unanswered where a bot runs
_SHOWN_PACKAGES = ("chromadb", "onnxruntime", "slack-bolt", "SQLAlchemy")
_INSTALL = "Install what the project pins: pip install -r requirements.txt"


@dataclass(frozen=True, slots=True)
class Check:
    """A thing that was looked at: in order or not, in a sentence or two that say how it is mended.

    ``is_ok``: None for what is no fault, and should be looked at.
    """

    name: str
    is_ok: bool | None
    text: str


def examine(settings: Settings, parts: Parts, faults: Sequence[str] = ()) -> list[Check]:
    """Look at everything; a fault of one thing does not keep the others from being looked at.

    ``faults``: what is wrong with settings, in whose place the defaults were taken.
    """
    checks = [Check("settings", False, f"{fault} The rest is looked at as if it were not set.") for fault in faults]  # noqa: FBT003  # a row
    for name, look in _LOOKS.items():
        try:
            checks += [Check(name, *found) for found in look(settings, parts)]
        except ClippingsError as error:
            checks.append(Check(name, False, str(error)))  # noqa: FBT003  # the fields of a row
        except Exception as error:  # noqa: BLE001  # the last resort: a diagnosis must not end in a traceback
            checks.append(Check(name, False, f"it cannot be examined ({type(error).__name__})"))  # noqa: FBT003  # a row
    return [Check(check.name, check.is_ok, _without_secrets(check.text, settings)) for check in checks]


Found = Iterator[tuple[bool | None, str]]


def _settings(settings: Settings, _: Parts) -> Found:
    """What is unusual about them is no fault; that a value is wrong was found before."""
    unusual = " ".join(notices())
    yield (None, unusual) if unusual else (True, "all are known")
    if settings.data != settings.data.absolute():
        yield True, f"the data folder is relative to where a command runs: {settings.data.absolute()}"


def _versions(_: Settings, __: Parts) -> Found:
    from packaging.requirements import Requirement

    from index.storage.generation import FINGERPRINT

    python = ".".join(map(str, sys.version_info[:3]))
    shown = ", ".join(f"{name} {version(name)}" for name in _SHOWN_PACKAGES)
    try:
        named = [Requirement(line) for line in requires("clippings") or ()]
        own = version("clippings")
    except PackageNotFoundError:
        named, own = [], "not installed, run from its source"
    wrong = []
    for requirement in named:
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            installed = "missing"
        if installed == "missing" or not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} is {installed}, and {requirement.specifier or 'any'} is needed")
    text = f"Python {python}, clippings {own}, {shown}; schema of the index: {FINGERPRINT}"
    yield not wrong, f"{'; '.join(wrong)}. {_INSTALL}" if wrong else text


def _disk(settings: Settings, _: Parts) -> Found:
    folder = next(path for path in (settings.data.absolute(), *settings.data.absolute().parents) if path.exists())
    for path in dict.fromkeys((folder, Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(path).free
        room = f"{free / 1e9:.1f} GB free in {path}"
        yield free >= MIN_FREE_BYTES, room if free >= MIN_FREE_BYTES else f"{room}: make room, or indexing may fail"
    if not os.access(folder, os.W_OK):
        yield True, f"{folder} is read-only for this user: it can be searched, and not be indexed into"


def _weights(settings: Settings, _: Parts) -> Found:
    from index.embedding.weights import FILES, locate

    folder = locate(settings.model_dir, fetchers={}, report=lambda _: None)
    yield True, f"{len(FILES)} files in {folder}, with the right SHA-256"


def _index(settings: Settings, parts: Parts) -> Found:
    status = parts.status(settings)  # which searches in a process of its own
    if status.problem or not status.healthy:
        yield False, status.problem or "it is damaged; run `clippings index` to rebuild it"
    elif not status.articles:
        yield False, "it holds no articles; run `clippings index PATH`"
    else:
        holds = f"{counted(status.articles, 'article')} in {counted(status.chunks, 'chunk')}"
        yield True, f"{holds}, {size(status.size_bytes)}; searched"
    if status.indexed_at and status.indexed_at.timestamp() > time.time() + MAX_CLOCK_SKEW_SECONDS:
        yield False, f"it was written at {status.indexed_at:%Y-%m-%d %H:%M}, after now: see whether this clock is right"


def _database(settings: Settings, _: Parts) -> Found:
    from bot.slack.review import open_feedback

    if not settings.database_url and not (settings.data / "slack.db").exists():
        yield True, "there is none yet; `clippings slack` makes it"
        return
    with closing(open_feedback(settings)) as database:
        waiting, kind = database.unanswered(), database.engine.dialect.name
    now = time.time()
    late = [question for question in waiting if now - question.received > MAX_WAITING_SECONDS]
    if late:
        since = datetime.fromtimestamp(late[0].received).astimezone()
        yield False, f"{len(late)} questions wait since {since:%Y-%m-%d %H:%M}. Run `clippings slack`, and see its log."
    else:
        yield True, f"{kind}; {len(waiting)} questions wait"


def _slack(settings: Settings, _: Parts) -> Found:
    from bot.slack.serve import fault_of
    from bot.slack.web import Slack, SlackError, make_client
    from bot.slack.workspaces import OneWorkspace

    token, app_token = settings.slack_bot_token, settings.slack_app_token
    if not (token or settings.slack_client_id):
        yield True, "it is not set up (docs/slack.md says how)"
        return
    if not (app_token or settings.slack_signing_secret):
        yield False, "set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for `clippings slack --http`"
    tokens = {"SLACK_BOT_TOKEN": token, "SLACK_APP_TOKEN": app_token}
    faults = {name: fault_of(name, value.get_secret_value()) for name, value in tokens.items() if value}
    for fault in filter(None, faults.values()):
        yield False, fault
    if token and not faults["SLACK_BOT_TOKEN"]:
        workspace = OneWorkspace(token.get_secret_value(), settings.slack_api_url, settings.slack_workspaces)
        yield from _token(workspace.slack.client)
    elif not token:
        needed = {
            "SLACK_CLIENT_SECRET": settings.slack_client_secret,
            "CLIPPINGS_SLACK_TOKEN_KEY": settings.slack_token_key,
        }
        missing = [name for name, value in needed.items() if not value]
        yield not missing, f"set {' and '.join(missing)}" if missing else "installed by OAuth; its settings are there"
    if app_token and not faults["SLACK_APP_TOKEN"]:
        try:
            Slack(make_client(app_token.get_secret_value(), settings.slack_api_url), "").call("apps.connections.open")
            yield True, "it opens a socket with SLACK_APP_TOKEN"
        except SlackError as error:
            yield False, f"it opens no socket with SLACK_APP_TOKEN ({error.code}). Copy it again from the app's page"


def _token(client: WebClient) -> Found:
    """The scopes of a token, and Slack's clock."""
    from bot.slack.serve import scopes

    response = client.auth_test()
    headers = {name.lower(): value for name, value in response.headers.items()}
    granted = {scope.strip() for scope in str(headers.get("x-oauth-scopes", "")).split(",")} - {""}
    missing = sorted(set(scopes()) - granted)
    if granted and missing:
        add = "Add them under OAuth & Permissions, install the app again, and copy the token"
        yield False, f"the token lacks {', '.join(missing)}. {add}"
    else:
        with_scopes = ", with every scope" if granted else ""
        yield True, f"reached as {response.get('user')} of {response.get('team')}{with_scopes}"
    if "date" in headers:
        skew = (datetime.now(UTC) - parsedate_to_datetime(str(headers["date"]))).total_seconds()
        if abs(skew) > MAX_CLOCK_SKEW_SECONDS:
            yield False, f"this clock is {skew:+.0f} seconds off Slack's, which refuses more than 300. Set it (NTP)"
        else:
            yield True, "its clock and this one agree"


def _language_model(settings: Settings, parts: Parts) -> Found:
    state = f"{settings.llm_name}: {parts.check_llm(settings)}" if settings.llm else "none is set; answers are quoted"
    yield True, state


_LOOKS: dict[str, Callable[[Settings, Parts], Found]] = {
    "settings": _settings,
    "versions": _versions,
    "disk": _disk,
    "weights": _weights,
    "index": _index,
    "database": _database,
    "slack": _slack,
    "language model": _language_model,
}


def _without_secrets(text: str, settings: Settings) -> str:
    """Whatever an error quotes: no secret of the settings stays in it."""
    secrets = [value.get_secret_value() for _, value in settings if isinstance(value, SecretStr)]
    secrets += [
        urlsplit(url).password or "" for url in (*secrets, settings.llm.partition(":")[2], settings.slack_api_url)
    ]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
