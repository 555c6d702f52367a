"""The running process: Socket Mode or HTTP, the pages that say how it is, and an orderly end."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from filelock import FileLock, Timeout
from pydantic import SecretStr
from slack_bolt import BoltRequest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.wsgi.http_request import WsgiHttpRequest
from slack_bolt.adapter.wsgi.http_response import WsgiHttpResponse
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.signature import SignatureVerifier

from bot.slack.app import Bot
from bot.slack.database import Database
from bot.slack.health import Health
from bot.slack.http import facts_page, install_page, payload, plain_page, send
from bot.slack.web import make_client
from bot.slack.workspaces import InstalledWorkspaces, OneWorkspace, Workspaces
from index.models import ClippingsError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from bot.runtime import Parts
    from bot.settings import Settings

    Wsgi = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

PATIENCE = 30.0  # seconds that what is being answered has when the process ends
_PING = 1.0  # seconds; the SDK takes a socket for lost after five of them, with its own ten after a minute
_REFUSALS = (
    "invalid_auth",
    "not_authed",
    "not_allowed_token_type",
    "account_inactive",
    "token_revoked",
    "no_permission",
)
_HTTP_THREADS = 16
_LARGEST = 1_000_000  # bytes of a request; Slack's are smaller
_log = logging.getLogger(__name__)


def serve(settings: Settings, parts: Parts, *, http: bool) -> int:
    """Run until SIGTERM or Ctrl-C. Raises ClippingsError where a setting is missing or wrong."""
    _start_logging()
    service = Service(settings, parts, http=http)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    service.start()
    over.wait()
    _end(service)
    return 0


def wsgi_app() -> Wsgi:
    """The bot over HTTP, for a WSGI server with one process and some threads; it ends with the main thread.

    ``gunicorn --workers 1 --threads 16 'bot.slack.serve:wsgi_app()'``. Raises ClippingsError as `serve` does.
    """
    from bot.runtime import Parts
    from bot.settings import load_settings

    _start_logging()
    service = Service(load_settings(), Parts(), http=True)
    service.begin()
    threading.Thread(target=_end_after, args=(threading.main_thread(), service), name="end").start()
    return service.wsgi


def _end_after(main: threading.Thread, service: Service) -> None:
    """Not by `atexit`: what is registered there is called when all threads have ended, and those that answer wait."""
    main.join()
    _end(service)


def _end(service: Service) -> None:
    late = threading.Timer(PATIENCE + 5, os._exit, [0])  # should something else than an answer not come to its end
    late.daemon = True
    late.start()
    if not service.stop():
        _log.warning("left unfinished; the next process answers it")
        os._exit(0)  # threads that wait for a language model or for Slack would hold the process for as long


class Service:
    """The bot, the way that Slack's payloads reach it, and its pages. `wsgi` is all of it for a WSGI server."""

    def __init__(self, settings: Settings, parts: Parts, *, http: bool) -> None:
        self._settings, self._http = settings, http
        app_token = None if http else _needed(settings.slack_app_token, "SLACK_APP_TOKEN", "for Socket Mode (xapp-…)")
        self._verifier: SignatureVerifier | None = None
        if http:
            known_by = _needed(settings.slack_signing_secret, "SLACK_SIGNING_SECRET", "to know Slack's requests by")
            self._verifier = SignatureVerifier(known_by)
        with contextlib.ExitStack() as opened:  # what was opened before a setting is found to be wrong is closed again
            self._lock = _lock(settings)
            opened.callback(self._lock.release)
            database = _open_database(settings)
            opened.callback(database.close)
            self._flow, workspaces = _workspaces(settings, database)
            opened.pop_all()
        self._engine = parts.engine(settings)
        self.bot = Bot(settings, parts, self._engine, database, workspaces)
        self._socket: SocketModeHandler | None = None
        if app_token:
            client = make_client(None, settings.slack_api_url)
            quiet = logging.getLogger("clippings.sdk")
            self._socket = SocketModeHandler(
                self.bot.app, app_token, logger=quiet, web_client=client, ping_interval=_PING
            )
        connected = self._socket.client.is_connected if self._socket else None
        self.health = Health(settings, parts, self._engine, connected)
        self._server: Any = None

    def start(self) -> None:
        """Serve the pages, and take questions."""
        self._serve_pages()
        self.begin()
        place = f"http://{self._settings.slack_host}:{self._server.effective_port}"
        way = "HTTP" if self._http else "Socket Mode"
        print(f"Clippings is in Slack ({way}); how it is: {place}/readyz. Ctrl-C ends it.", flush=True)

    def begin(self) -> None:
        """Take questions: what an earlier process left, and what comes."""
        threading.Thread(target=self._engine.warm, name="warm", daemon=True).start()
        left = self.bot.resume()
        if self._socket:
            _connect(self._socket)
        _log.info("started mode=%s unanswered=%d", "http" if self._http else "socket", left)

    def stop(self) -> bool:
        """Begin nothing more, finish what is being answered; False where that took more than PATIENCE.

        What comes meanwhile is stored, for the next process.
        """
        self.health.ending = True
        self.bot.refuse()
        _log.info("ending: finishing %d conversations", self.bot.workers.busy())
        if self._socket:
            self._socket.close()  # type: ignore[no-untyped-call]  # Bolt gives it no type
        done = self.bot.stop(PATIENCE)
        if self._server:
            self._server.close()
        self._engine.close()
        self.bot.database.close()
        self._lock.release()
        return done

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """/livez, /readyz; over HTTP also /slack/events, and /slack/install with its way back."""
        path = environ.get("PATH_INFO", "")
        if path == "/livez":
            return facts_page(start_response, {"process": "ok"}, good=True)
        if path == "/readyz":
            ready, facts = self.health.facts()
            return facts_page(start_response, facts, good=ready)
        if self._flow and path in (self._flow.install_path, self._flow.redirect_uri_path):
            return install_page(self._flow, environ, start_response)
        if self._verifier and path == "/slack/events" and environ["REQUEST_METHOD"] == "POST":
            return self._take(self._verifier, environ, start_response)
        return plain_page(start_response, "404 Not Found")

    def _take(
        self, verifier: SignatureVerifier, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """A payload of Slack. It is read here, and not before it is known to be Slack's.

        Bolt would read what anybody sends, and takes a command with the word "payload" in it for no command.
        """
        request = WsgiHttpRequest(environ)
        try:
            if int(environ.get("CONTENT_LENGTH") or 0) > _LARGEST:
                return plain_page(start_response, "413 Content Too Large")
            body = request.get_body()
            known = verifier.is_valid_request(body, {name: str(each) for name, each in request.get_headers().items()})
        except (TypeError, ValueError):  # a number or a text that is none
            known = False
        if not known:
            return plain_page(start_response, "401 Unauthorized")
        done = self.bot.app.dispatch(BoltRequest(body=payload(body), mode="socket_mode"))
        return send(start_response, WsgiHttpResponse(status=done.status, headers=done.headers, body=done.body))

    def _serve_pages(self) -> None:
        from waitress.server import create_server

        place = self._settings.slack_host, self._settings.slack_port
        try:
            self._server = create_server(
                self.wsgi, host=place[0], port=place[1], threads=_HTTP_THREADS, max_request_body_size=_LARGEST
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "there is no such address"
            variables = "CLIPPINGS_SLACK_HOST and CLIPPINGS_SLACK_PORT"
            message = f"The pages cannot be served on {place[0]}:{place[1]}: {reason}. Set {variables} to others."
            raise ClippingsError(message) from None
        threading.Thread(target=self._server.run, name="pages", daemon=True).start()


def _connect(socket: SocketModeHandler) -> None:
    try:
        socket.connect()  # type: ignore[no-untyped-call]  # Bolt gives it no type
    except (SlackClientError, OSError) as error:
        code = error.response.get("error") if isinstance(error, SlackApiError) else None
        if code in _REFUSALS:
            message = f"Slack does not take SLACK_APP_TOKEN ({code}). Copy it anew from the app's page."
        else:
            message = "Slack is reached, but gives no socket. Try again in a few minutes."
        raise ClippingsError(message) from None


def _needed(secret: SecretStr | None, name: str, purpose: str) -> str:
    if secret is None:
        raise ClippingsError(f"{name} is not set; it is needed {purpose}. The README says where to find it.")
    value = secret.get_secret_value()
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise ClippingsError(f"{name} holds a character that is in none. Copy it anew.")
    return value


def _lock(settings: Settings) -> FileLock:
    """Keep a second process from answering the same questions from the same database."""
    settings.data.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.data / "slack.lock", blocking=False, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise ClippingsError(f"Another `clippings slack` runs on {settings.data}. End it first.") from None
    return lock


def _open_database(settings: Settings) -> Database:
    url = settings.database_url
    return Database(url.get_secret_value()) if url else Database.in_folder(settings.data)


def _workspaces(settings: Settings, database: Database) -> tuple[OAuthFlow | None, Workspaces]:
    """One workspace by its bot token, or, with a client id instead, those that install the app by OAuth."""
    if settings.slack_bot_token or not settings.slack_client_id:
        token = _needed(settings.slack_bot_token, "SLACK_BOT_TOKEN", "to answer (xoxb-…)")
        return None, OneWorkspace(token, settings.slack_api_url)
    from bot.slack.installations import installation_store, state_store

    secret = _needed(settings.slack_client_secret, "SLACK_CLIENT_SECRET", "to be installed by OAuth")
    key = SecretStr(_needed(settings.slack_token_key, "CLIPPINGS_SLACK_TOKEN_KEY", "to encrypt workspaces' tokens"))
    store = installation_store(database.engine, settings.slack_client_id, key)
    flow = OAuthFlow(
        client=make_client(None, settings.slack_api_url),
        settings=OAuthSettings(
            client_id=settings.slack_client_id,
            client_secret=secret,
            scopes=scopes(),
            installation_store=store,
            state_store=state_store(database.engine),
            authorization_url=urljoin(settings.slack_api_url, "../oauth/v2/authorize"),
        ),
    )
    return flow, InstalledWorkspaces(store, settings.slack_api_url)


def scopes() -> list[str]:
    """What the app asks a workspace for, as its manifest says."""
    manifest = json.loads(files("bot.slack").joinpath("manifest.json").read_text("utf-8"))
    return list(manifest["oauth_config"]["scopes"]["bot"])


def _start_logging() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("bot.slack")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
