"""The running bot: `Service` connects it to Slack, `serve` and `wsgi_app` run that in a process."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import threading
import time
from functools import partial
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from filelock import FileLock, Timeout
from pydantic import SecretStr
from slack_bolt import BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.slack import watch
from bot.slack.app import Bot, bad_request
from bot.slack.database import Database
from bot.slack.events import Malformed, reading
from bot.slack.pages import MAX_REQUEST_BYTES, Health, Pages
from bot.slack.web import SDK_LOG, make_client
from bot.slack.workspaces import (
    PAGES,
    InstallationFlow,
    InstalledWorkspaces,
    OneWorkspace,
    Workspaces,
    installation_store,
    state_store,
)
from index.models import ClippingsError
from index.storage.data_folder import prepare

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

    from bot.runtime import Parts
    from bot.settings import Settings

MAX_STOP_SECONDS = 30.0  # that answers under way have to finish when the process ends
_PING_SECONDS = 1.0  # the SDK's default of ten notices a lost socket only after a minute
_TOKEN_ERRORS = (
    "invalid_auth", "not_authed", "not_allowed_token_type", "account_inactive", "token_revoked", "no_permission",
)  # fmt: skip
_TOKENS = {  # with their prefixes; the second is that of a token that Slack rotates
    "SLACK_BOT_TOKEN": ("a bot token", ("xoxb-", "xoxe.xoxb-")),
    "SLACK_APP_TOKEN": ("an app-level token", ("xapp-",)),
}
_OTHER_TOKENS = {"xoxb-": "a bot token", "xapp-": "an app-level token", "xoxp-": "a person's token"}
_HTTP_THREADS = 16
_log = logging.getLogger(__name__)


def serve(settings: Settings, parts: Parts, *, http: bool) -> int:
    """Run until SIGTERM or Ctrl-C. Raises ClippingsError if a setting is missing or wrong."""
    watch.start_logging(settings.log)
    service = Service(settings, parts, http=http)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    address = service.start()
    way = "HTTP" if http else "Socket Mode"
    print(f"Clippings is in Slack ({way}). Its state: {address}/readyz. Press Ctrl-C to stop.", flush=True)
    ended.wait()
    _end_process(service)
    return 0


def wsgi_app() -> Pages:
    """The bot over HTTP for a WSGI server with one process and several threads; stops when the main thread ends.

    ``gunicorn --workers 1 --threads 16 'bot.slack.serve:wsgi_app()'``. Raises ClippingsError like `serve`.
    """
    from bot.runtime import Parts
    from bot.settings import load_settings, notices

    settings = load_settings()
    watch.start_logging(settings.log)
    for notice in notices():
        _log.warning("%s", notice)
    service, main = Service(settings, Parts(), http=True), threading.main_thread()
    service.begin()

    def end() -> None:  # `atexit` would come too late: it waits for the threads that answer
        main.join()
        _end_process(service)

    threading.Thread(target=end, name="end").start()
    return service.pages


def _end_process(service: Service) -> None:
    _log.info("ending: finishing the answers under way")
    timer = threading.Timer(MAX_STOP_SECONDS + 5, os._exit, [0])  # in case anything else hangs
    timer.daemon = True
    timer.start()
    if not service.stop(MAX_STOP_SECONDS):
        _log.warning("left unfinished; the next process answers it")
        os._exit(0)  # threads that wait for a language model or Slack would keep the process alive


class Service:
    """The bot, its connection to Slack and its pages. Changes nothing in the process but its own threads.

    >>> service = Service(settings, parts, http=False)
    >>> address = service.start()
    >>> service.stop()
    """

    def __init__(self, settings: Settings, parts: Parts, *, http: bool) -> None:
        """Read the settings and open the database. Raises ClippingsError."""
        self._settings, self._parts = settings, parts
        self._metrics: WSGIServer | None = None
        app_token = signing_secret = None
        if http:
            secret = settings.slack_signing_secret
            signing_secret = _required(secret, "SLACK_SIGNING_SECRET", "to verify Slack's requests")
        else:
            app_token = _required(settings.slack_app_token, "SLACK_APP_TOKEN", "for Socket Mode (xapp-…)")
        with contextlib.ExitStack() as opened:  # closed again if a later setting is wrong
            url, lock = settings.database_url, _lock(settings)
            if lock:
                opened.callback(lock.release)
            database = Database(url.get_secret_value()) if url else Database.in_folder(settings.data)
            opened.callback(database.close)
            flow, workspaces = _workspaces(settings, database)
            engine = parts.engine(settings)
            opened.callback(engine.close)
            self._opened = opened.pop_all()
        self._engine = engine
        self.bot = Bot(settings, parts, engine, database, workspaces)
        self._socket: SocketModeHandler | None = None
        if app_token:
            client = make_client(None, settings.slack_api_url)
            self._socket = _SocketHandler(
                self.bot.app, app_token, logger=SDK_LOG, web_client=client, ping_interval=_PING_SECONDS
            )
        self.health = Health(settings, parts, engine, self._socket.client.is_connected if self._socket else None)
        self.health.database_problem = lambda: self.bot.workers.problem
        self.pages = Pages(self.health, self.bot.app, signing_secret, flow)
        self._server: Any = None

    def start(self) -> str:
        """Serve the pages, answer questions, and return the address of the pages. Raises ClippingsError."""
        try:
            self._serve_pages()
            self.begin()
        except BaseException:
            self.stop(0.0)
            raise
        return f"http://{self._settings.slack_host}:{self._server.effective_port}"

    def begin(self) -> None:
        """Answer what an earlier process left, and what comes. Raises ClippingsError."""
        threading.Thread(target=self._engine.warm, name="warm", daemon=True).start()
        port = self._settings.metrics_port
        if port is not None:
            watch.WAITING.set_function(lambda: float(self.bot.workers.waiting))
            figures = partial(self._parts.index_figures, self._settings)
            self._metrics = watch.serve_metrics(self._settings.slack_host, port, figures)
            _log.info("metrics on port %d", self._metrics.server_port)
        unanswered = self.bot.resume()
        if self._socket:
            _connect(self._socket)
        _log.info("started mode=%s unanswered=%d", "socket" if self._socket else "http", unanswered)

    def stop(self, max_seconds: float = MAX_STOP_SECONDS) -> bool:
        """Finish the answers under way; False if that takes too long.

        Later questions are stored for the next process.
        """
        self.health.ending = True
        self.bot.refuse()
        if self._socket:
            self._socket.close()  # type: ignore[no-untyped-call]  # Bolt gives it no type
        finished = self.bot.stop(max_seconds)
        if self._server:
            self._server.task_dispatcher.shutdown()  # first what may write to a connection, then the connections
            self._server.close()
        if self._metrics:
            self._metrics.shutdown()
            self._metrics.server_close()
        self._opened.close()
        return finished

    def _serve_pages(self) -> None:
        from waitress.server import create_server

        host, port = self._settings.slack_host, self._settings.slack_port
        try:
            self._server = create_server(
                self.pages, host=host, port=port, threads=_HTTP_THREADS, max_request_body_size=MAX_REQUEST_BYTES
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "there is no such address"
            variables = "CLIPPINGS_SLACK_HOST and CLIPPINGS_SLACK_PORT"
            message = f"The pages cannot be served on {host}:{port}: {reason}. Set {variables} to others."
            raise ClippingsError(message) from None

        def run() -> None:
            with contextlib.suppress(OSError):  # a connection that `stop` closes while the loop waits for it
                self._server.run()

        threading.Thread(target=run, name="pages", daemon=True).start()


class _SocketHandler(SocketModeHandler):
    """Acknowledges what cannot be read, too: Slack would send it again, and it would be no more readable."""

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]  # as Bolt's
        """Take a payload."""
        try:
            with reading():
                response = run_bolt_app(self.app, req)
        except Malformed as error:
            response = bad_request(error)
        if HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning("a payload was acknowledged, and nothing was done (%d)", response.status)
            response = BoltResponse(status=200)
        send_response(client, req, response, time.time())


def _connect(socket: SocketModeHandler) -> None:
    try:
        socket.connect()  # type: ignore[no-untyped-call]  # Bolt gives it no type
    except (SlackClientError, OSError) as error:
        code = error.response.get("error") if isinstance(error, SlackApiError) else None
        message = "Slack does not open a socket. Try again in a few minutes."
        if code in _TOKEN_ERRORS:
            message = f"Slack refuses SLACK_APP_TOKEN ({code}). Copy it again from the app's page."
        raise ClippingsError(message) from None


def _required(secret: SecretStr | None, name: str, purpose: str) -> str:
    if secret is None:
        raise ClippingsError(f"{name} is not set; it is needed {purpose}. docs/slack.md says where to find it.")
    value = secret.get_secret_value()
    if fault := fault_of(name, value):
        raise ClippingsError(fault)
    return value


def fault_of(name: str, value: str) -> str:
    """What is wrong with a secret by its look alone, without a part of it that is secret; "" for nothing."""
    if not (value.isascii() and value.isprintable() and " " not in value):
        return f"{name} holds a character that no such secret has. Copy it again."
    kind, prefixes = _TOKENS.get(name, ("", ("",)))
    if value.startswith(prefixes):
        return ""
    other = next((f"{prefix} as {word} does" for prefix, word in _OTHER_TOKENS.items() if value.startswith(prefix)), "")
    look = f"it begins with {other}" if other else f"it does not begin with {prefixes[0]}"
    return f"Slack refuses {name}, for {look}: {kind} ({prefixes[0]}…) is needed. The README says where to find it."


def _lock(settings: Settings) -> FileLock | None:
    """Keep a second process from an SQLite file; other databases are shared."""
    prepare(settings.data)
    if settings.database_url and not settings.database_url.get_secret_value().startswith("sqlite"):
        return None
    lock = FileLock(settings.data / "slack.lock", blocking=False, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise ClippingsError(
            f"Another `clippings slack` runs on {settings.data}. Stop it first. Several can share PostgreSQL: "
            "set DATABASE_URL."
        ) from None
    return lock


def _workspaces(settings: Settings, database: Database) -> tuple[OAuthFlow | None, Workspaces]:
    """One workspace by its bot token; or with a client id and no token, those that install the app by OAuth."""
    if settings.slack_bot_token or not settings.slack_client_id:
        token = _required(settings.slack_bot_token, "SLACK_BOT_TOKEN", "to answer (xoxb-…)")
        return None, OneWorkspace(token, settings.slack_api_url, settings.slack_workspaces)
    secret = _required(settings.slack_client_secret, "SLACK_CLIENT_SECRET", "to be installed by OAuth")
    key = SecretStr(_required(settings.slack_token_key, "CLIPPINGS_SLACK_TOKEN_KEY", "to encrypt workspaces' tokens"))
    store = installation_store(database.engine, settings.slack_client_id, key, settings.slack_workspaces)
    flow = InstallationFlow(
        client=make_client(None, settings.slack_api_url),
        settings=OAuthSettings(
            client_id=settings.slack_client_id, client_secret=secret, scopes=scopes(),
            installation_store=store, state_store=state_store(database.engine), callback_options=PAGES,
            authorization_url=urljoin(settings.slack_api_url, "../oauth/v2/authorize"),
        ),
    )  # fmt: skip
    return flow, InstalledWorkspaces(store, settings.slack_api_url)


def scopes() -> list[str]:
    """The scopes that the manifest asks for."""
    manifest = json.loads(files("bot.slack").joinpath("manifest.json").read_text("utf-8"))
    return list(manifest["oauth_config"]["scopes"]["bot"])
