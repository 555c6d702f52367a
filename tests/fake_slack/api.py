"""The HTTP side of the Web API: arguments, tokens, faults; with it OAuth and the response urls."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from tests.fake_slack import permissions
from tests.fake_slack.workspace import APP, BOT_ID, BOT_USER, TEAM, Call, Json, Refused

if TYPE_CHECKING:
    from tests.fake_slack.server import FakeSlack

# These come as JSON text in a form (docs.slack.dev, "Using the Web API").
_STRUCTURED = {"blocks", "metadata", "view", "prompts", "chunks", "attachments", "loading_messages"}

READING_SECONDS, READING_MESSAGES = 60.0, 15


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call. Status 0: the connection is cut."""

    error: str | None = None
    status: int = 200
    retry_after: int | None = None
    after_effect: bool = False
    delay: float = 0.0

    def response(self) -> web.Response | None:
        """What the caller gets; None when it is only slow."""
        if self.error:
            return web.json_response({"ok": False, "error": self.error})
        if self.status == 429:
            headers = {"Retry-After": str(self.retry_after or 1)}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        return web.Response(status=self.status, text="fault") if self.status != 200 else None


class Api:
    """The routes /api/…, /response/… and /oauth/v2/authorize."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.calls: list[Call] = []
        self.active = 0
        self.faults: dict[str, list[Fault]] = {}
        self.headers: dict[str, str] = {}  # of each answer, beside those of the server
        self.is_outside_marketplace = False
        self._last_reading = -READING_SECONDS
        self.teams = {slack.bot_token: TEAM}
        self.revoked: set[str] = set()
        self.codes: dict[str, str] = {}
        self.methods = slack.methods.table()

    def add_routes(self, application: web.Application) -> None:
        """Say what is where."""
        application.router.add_post("/api/{method}", self.call)
        application.router.add_get("/api/{method}", self.call)
        application.router.add_post("/response/{token}", self.respond)
        application.router.add_get("/oauth/v2/authorize", self.authorize)

    async def call(self, request: web.Request) -> web.Response:
        """One call of the Web API."""
        method, given = request.match_info["method"], await _arguments(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or given.pop("token", "")
        given.pop("token", None)
        return await self._faulty(request, method, given, lambda: self._answer(method, token, given))

    async def respond(self, request: web.Request) -> web.Response:
        """One use of a response url. A bad payload is 400 with the error's name, as of webhooks (docs.slack.dev)."""
        given, token = await _arguments(request), request.match_info["token"]

        def answer() -> web.Response:
            try:
                return web.Response(text=self.slack.methods.respond(token, given))
            except Refused as refused:
                gone = refused.code in ("expired_url", "used_url")
                return web.Response(status=404 if gone else 400, text=refused.code)

        return await self._faulty(request, "response_url", given, answer)

    async def _faulty(self, request: web.Request, method: str, given: Json, answer: Any) -> web.Response:
        self.active += 1
        try:
            self.calls.append(Call(method, given, time.monotonic()))
            fault = self.faults[method].pop(0) if self.faults.get(method) else self._reading_limit(method, given)
            await asyncio.sleep(fault.delay)
            failed = fault.response()
            if failed and fault.status == 0 and request.transport:
                request.transport.abort()  # what is answered below is not heard
            if failed and not fault.after_effect:
                return failed
            with self.slack.workspace.lock:
                response: web.Response = answer()
            return failed or response
        finally:
            self.active -= 1

    def _reading_limit(self, method: str, given: Json) -> Fault:
        """Of an app that is sold outside the marketplace: one call a minute, 15 messages (docs.slack.dev, 2025-05)."""
        if not self.is_outside_marketplace or method not in ("conversations.replies", "conversations.history"):
            return Fault()
        given["limit"] = min(int(given.get("limit") or READING_MESSAGES), READING_MESSAGES)
        waited, now = time.monotonic() - self._last_reading, time.monotonic()
        if waited < READING_SECONDS:
            return Fault(status=429, retry_after=max(1, round(READING_SECONDS - waited)))
        self._last_reading = now
        return Fault()

    def _answer(self, method: str, token: str, given: Json) -> web.Response:
        try:
            return web.json_response({"ok": True} | self._result(method, token, given), headers=self.headers)
        except Refused as refused:
            told = {"response_metadata": {"messages": [f"[ERROR] {refused.detail}"]}} if refused.detail else {}
            return web.json_response({"ok": False, "error": refused.code} | told)

    def _result(self, method: str, token: str, given: Json) -> Json:
        if method == "oauth.v2.access":
            return self._access(token, given)
        if method == "apps.connections.open":
            return self._open(token)
        do = self.methods.get(method)
        if do is None and method not in ("auth.test", "api.test", "auth.revoke"):
            raise Refused("unknown_method")
        if not token:
            raise Refused("not_authed")
        if token == self.slack.app_token:
            raise Refused("not_allowed_token_type")
        if token not in self.teams:
            raise Refused("account_inactive" if token in self.revoked else "invalid_auth")
        if method == "auth.revoke":
            self.revoked.add(token)
            del self.teams[token]
            return {"revoked": True}
        if do is None:
            return self._who(self.teams[token])
        self._check_scope(method, given)
        return do(given | {"team": self.teams[token]})

    def _check_scope(self, method: str, given: Json) -> None:
        channel = self.slack.workspace.channels.get(given.get("channel") or "")
        needed, allowed = permissions.scope(method, channel.kind if channel else "channel"), self.slack.workspace.scopes
        if needed and allowed is not None and needed not in allowed:
            raise Refused("missing_scope", f"needed: {needed}")

    def _who(self, team: str) -> Json:
        who = {"user": "clippings", "user_id": BOT_USER, "bot_id": BOT_ID, "team": team, "team_id": team}
        return who | {"url": f"{self.slack.url}/", "is_enterprise_install": False}

    def _open(self, token: str) -> Json:
        """apps.connections.open: where to connect to, once; with the app's own token."""
        if token != self.slack.app_token:
            raise Refused("not_allowed_token_type" if token in self.teams else "invalid_auth")
        ticket = self.slack.delivery.new_ticket()
        if ticket is None:
            raise Refused("too_many_websockets")
        return {"url": f"{self.slack.url.replace('http', 'ws', 1)}/link?ticket={ticket}&app_id={APP}"}

    # OAuth

    def new_code(self, team: str) -> str:
        """The code that somebody of that team brings to the app after having said yes."""
        code = secrets.token_hex(8)
        self.codes[code] = team
        return code

    def revoke(self, team: str) -> None:
        """Make the tokens of a team useless."""
        self.revoked |= {token for token, owner in self.teams.items() if owner == team}
        self.teams = {token: owner for token, owner in self.teams.items() if owner != team}

    async def authorize(self, request: web.Request) -> web.Response:
        """Slack's page, where everybody says yes; `team` chooses the workspace."""
        query = request.query
        if query.get("client_id") != self.slack.client_id:
            return web.Response(status=400, text="invalid_client_id")
        # "If you omit it, the first redirect URL of the app's settings is used" (Installing with OAuth, docs.slack.dev)
        back = query.get("redirect_uri") or f"{self.slack.app_url}/slack/oauth_redirect"
        answer = {"code": self.new_code(query.get("team", TEAM)), "state": query.get("state", "")}
        return web.Response(status=302, headers={"Location": f"{back}?{urlencode(answer)}"})

    def _access(self, basic: str, given: Json) -> Json:
        """oauth.v2.access: a code becomes a token, once. The client's id and secret come as Basic or in the form."""
        if basic.startswith("Basic "):
            client_id, _, client_secret = b64decode(basic.removeprefix("Basic ")).decode().partition(":")
        else:
            client_id, client_secret = given.get("client_id", ""), given.get("client_secret", "")
        if client_id != self.slack.client_id:
            raise Refused("invalid_client_id")
        if client_secret != self.slack.client_secret:
            raise Refused("bad_client_secret")
        team = self.codes.pop(given.get("code", ""), None)
        if team is None:
            raise Refused("invalid_code")
        token = f"xoxb-fake-{team}-{secrets.token_hex(4)}"
        self.teams[token] = team
        return {
            "access_token": token,
            "token_type": "bot",
            "scope": ",".join(sorted(self.slack.workspace.scopes or {"chat:write"})),
            "bot_user_id": BOT_USER,
            "app_id": APP,
            "team": {"id": team, "name": team},
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": "U1"},
        }


async def _arguments(request: web.Request) -> Json:
    """The arguments, be they JSON, a form or in the address."""
    if request.content_type == "application/json":
        given: Json = json.loads(await request.text() or "{}")  # the SDK sends no body for no arguments
        return given
    form = {**request.query, **{key: value for key, value in (await request.post()).items() if isinstance(value, str)}}
    return {key: _structure(value) if key in _STRUCTURED else value for key, value in form.items()}


def _structure(value: str) -> Any:
    """JSON text as what it says; what is no JSON stays, and is refused where it is used."""
    try:
        return json.loads(value)
    except ValueError:
        return value
