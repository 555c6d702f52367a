"""The pages over HTTP: the state of the bot, Slack's signed requests, and the installation by OAuth."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.wsgi.http_request import WsgiHttpRequest
from slack_bolt.adapter.wsgi.http_response import WsgiHttpResponse
from slack_bolt.oauth import OAuthFlow
from slack_sdk.errors import SlackClientError
from slack_sdk.signature import SignatureVerifier
from sqlalchemy.exc import SQLAlchemyError

from bot.slack.app import bad_request
from bot.slack.events import Malformed, reading
from index.models import ClippingsError, IndexMissing

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from bot.models import AnswerEngine
    from bot.runtime import Parts
    from bot.settings import Settings

MAX_REQUEST_BYTES = 1_000_000  # Slack's requests are smaller
_MODEL_CHECK_SECONDS = 60.0  # that a check of the language model is kept: each may cost money
_MAX_SIGN_INS_PER_MINUTE = 30  # begun by anybody; each is a row in the database for ten minutes
_OK = "ok"
_NOT_INSTALLED = (
    "Clippings was not installed: Slack, or the database of Clippings, could not be reached. Go back to where you "
    "started, and try again in a few minutes."
)
_log = logging.getLogger(__name__)


class Health:
    """The state of the bot, without paths or internal names: anybody may read it. Safe to share between threads."""

    def __init__(
        self, settings: Settings, parts: Parts, engine: AnswerEngine, is_connected: Callable[[], bool] | None
    ) -> None:
        """``is_connected`` tells whether the socket is; None without Socket Mode."""
        self._settings, self._parts, self._engine, self._is_connected = settings, parts, engine, is_connected
        self._lock = threading.Lock()
        self._model, self._model_checked = "is being checked", -_MODEL_CHECK_SECONDS
        self.ending = False
        self.database_problem: Callable[[], object] = lambda: None

    def facts(self) -> tuple[bool, dict[str, str]]:
        """Whether the bot can answer, and "ok" or a problem of index, socket, process and model. Does not wait.

        Without its language model the bot can answer: it quotes. Without its database it can say so.
        """
        facts = {"index": self._index_state()}
        if self._is_connected:
            facts["socket"] = _OK if self._is_connected() else "not connected to Slack; trying again"
        if self.ending:
            facts["process"] = "ending"
        is_ready = all(fact == _OK for fact in facts.values())
        database = "does not answer; questions wait until it does" if self.database_problem() else _OK
        return is_ready, {**facts, "database": database, "model": self._model_state()}

    def _index_state(self) -> str:
        try:
            return _OK if self._engine.sources(1) else "holds no articles: run `clippings index PATH`"
        except IndexMissing:
            return "nothing is indexed yet: run `clippings index PATH`"
        except ClippingsError:
            return "cannot be read: `clippings status` says why"

    def _model_state(self) -> str:
        """The result of the last check; starts another one after a minute."""
        if not self._settings.llm:
            return "none is set; answers are quoted"
        with self._lock:
            if time.monotonic() - self._model_checked >= _MODEL_CHECK_SECONDS:
                self._model_checked = time.monotonic()
                threading.Thread(target=self._check_model, name="model", daemon=True).start()
            return self._model

    def _check_model(self) -> None:
        try:
            self._parts.check_llm(self._settings)
            self._model = _OK
        except ClippingsError:
            self._model = "does not answer; answers are quoted. `clippings status` says why"


class Pages:
    """A WSGI application: /livez and /readyz; with a signing secret /slack/events; with OAuth /slack/install."""

    def __init__(self, health: Health, app: App, signing_secret: str | None, flow: OAuthFlow | None) -> None:
        self._health, self._app, self._flow = health, app, flow
        self._verifier = SignatureVerifier(signing_secret) if signing_secret else None
        self._sign_ins: deque[float] = deque([-60.0] * _MAX_SIGN_INS_PER_MINUTE, _MAX_SIGN_INS_PER_MINUTE)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        request = WsgiHttpRequest(environ)
        flow = self._flow
        if request.path == "/livez":
            response = BoltResponse(status=200, body={"process": _OK})
        elif request.path == "/readyz":
            ready, facts = self._health.facts()
            response = BoltResponse(status=200 if ready else 503, body=facts)
        elif flow and request.path in (flow.install_path, flow.redirect_uri_path):
            try:
                response = self._sign_in(flow, request)
            except (SlackClientError, OSError, HTTPException, SQLAlchemyError) as error:
                _log.warning("an installation did not come to its end (%s)", type(error).__name__)
                response = BoltResponse(status=503, body=_NOT_INSTALLED)
        elif self._verifier and request.path == "/slack/events" and request.method == "POST":
            response = self._dispatch(self._verifier, request, environ.get("CONTENT_LENGTH"))
        else:
            response = BoltResponse(status=404, body="Not Found")
        sent = WsgiHttpResponse(status=response.status, headers=response.headers, body=response.body)
        start_response(sent.status, sent.get_headers())
        return sent.get_body()

    def _sign_in(self, flow: OAuthFlow, request: WsgiHttpRequest) -> BoltResponse:
        """Begin or end an installation."""
        query = BoltRequest(body="", query=request.query_string, headers=request.get_headers())
        if request.path != flow.install_path:
            return flow.handle_callback(query)
        now = time.monotonic()
        if now - self._sign_ins[0] < 60:  # noqa: PLR2004  # seconds of a minute
            body = "Too many installations have been started. Try again in a minute."
            return BoltResponse(status=429, body=body, headers={"Retry-After": "60"})
        self._sign_ins.append(now)
        return flow.handle_installation(query)

    def _dispatch(self, verifier: SignatureVerifier, request: WsgiHttpRequest, length: str | None) -> BoltResponse:
        """Verify a request before its body is parsed, then hand it to Bolt.

        Bolt would parse what anybody sends, and mistakes a command for a button if it contains the word "payload".
        """
        try:
            if int(length or 0) > MAX_REQUEST_BYTES:
                return BoltResponse(status=413, body="Content Too Large")
            body = request.get_body()
            headers = {name: str(value) for name, value in request.get_headers().items()}
            verified = verifier.is_valid_request(body, headers)
        except (ArithmeticError, TypeError, ValueError):  # a malformed number or text
            verified = False
        if not verified:
            return BoltResponse(status=401, body="Unauthorized")
        try:
            with reading():
                return self._app.dispatch(BoltRequest(body=_payload(body), mode="socket_mode"))
        except Malformed as error:
            return bad_request(error)


def _payload(body: str) -> dict[str, Any]:
    """Parse an event (JSON), an interaction (JSON in a form) or a command (a form). Raises Malformed."""
    form = dict(parse_qsl(body, keep_blank_values=True))
    if not body.startswith("{") and "payload" not in form:
        return dict(form)
    payload = json.loads(body if body.startswith("{") else form["payload"])
    if not isinstance(payload, dict):
        raise Malformed("no object")
    return payload
