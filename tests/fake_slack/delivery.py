"""How an app is told: by Socket Mode or signed HTTP, again when it does not acknowledge in time, and with a record."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, WSMsgType, web

from tests.fake_slack.permissions import subscription
from tests.fake_slack.workspace import APP, Ack, Json

Kind = Literal["events_api", "slash_commands", "interactive"]
OnReply = Callable[[Json | None], None]

# "Slack retries 3 times" (Events API, docs.slack.dev): events only. Nobody repeats a person's click or command; the
# person is told that it failed.
RETRIES = 3
_MOST_SOCKETS = 10  # Socket Mode, docs.slack.dev: "up to 10 concurrent connections"


class GaveUp(Exception):
    """What a person reads when a command or a click reached nobody."""


@dataclass(eq=False)
class Socket:
    """An open connection. One that was asked to go gets no more envelopes."""

    ws: web.WebSocketResponse
    request: web.Request
    retiring: bool = False
    closed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False)
class _Waiting:
    """One thing that the app is to be told, until it has acknowledged it."""

    kind: Kind
    payload: Json
    id: str
    first_attempt: int = 0
    reply: asyncio.Future[Json | None] = field(default_factory=asyncio.Future)


class Delivery:
    """Sends; used from the server's loop, but for ``send``, which any thread may call."""

    def __init__(self, signing_secret: str) -> None:
        self.signing_secret = signing_secret
        self.app_url: str | None = None
        self.redeliver_after = 3.0
        self.subscriptions: set[str] | None = None  # None: to everything
        self.loop: asyncio.AbstractEventLoop | None = None
        self.acks: list[Ack] = []
        self.sockets: list[Socket] = []
        self.pending = 0
        self._counting = threading.Lock()
        self._opened = asyncio.Event()
        self._tickets: set[str] = set()
        self._envelopes: dict[str, _Waiting] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = 0
        self._session: ClientSession | None = None

    def send(
        self,
        kind: Kind,
        payload: Json,
        on_reply: OnReply | None = None,
        on_failure: OnReply | None = None,
        *,
        first_attempt: int = 0,
    ) -> None:
        """Tell the app, and hand on what it acknowledges with."""
        if self.loop is None:
            raise RuntimeError("the fake Slack is not running")
        wanted = self.subscriptions
        if kind == "events_api" and wanted is not None and subscription(payload["event"]) not in wanted:
            return
        self._count(1)
        self.loop.call_soon_threadsafe(self._start, kind, payload, on_reply, on_failure, first_attempt)

    def _start(
        self, kind: Kind, payload: Json, on_reply: OnReply | None, on_failure: OnReply | None, first_attempt: int
    ) -> None:
        waiting = _Waiting(kind, payload, payload.get("event_id") or secrets.token_hex(8), first_attempt)
        task = asyncio.ensure_future(self._deliver(waiting, on_reply, on_failure))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, waiting: _Waiting, on_reply: OnReply | None, on_failure: OnReply | None) -> None:
        tries = self._post if self.app_url else self._put
        try:
            reply = await tries(waiting)
            if on_reply:
                on_reply(reply)
        except GaveUp as reason:
            if on_failure:
                on_failure({"error": str(reason)})
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._counting:
            self.pending += change

    # Socket Mode

    def new_ticket(self) -> str | None:
        """What lets one socket in, once; nothing if too many are open."""
        if len(self.sockets) >= _MOST_SOCKETS:
            return None
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        return ticket

    async def serve_socket(self, request: web.Request) -> web.StreamResponse:
        """GET /link: one connection for as long as it lasts."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401, text="this ticket is unknown or was used")
        self._tickets.discard(ticket)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        socket = Socket(ws, request)
        info = {"app_id": APP}
        debug = {"host": "fake", "approximate_connection_time": 18060}
        hello = {"type": "hello", "connection_info": info, "num_connections": len(self.sockets) + 1}
        try:
            await ws.send_json(hello | {"debug_info": debug})
            self.sockets.append(socket)
            self._opened.set()
            async for frame in ws:
                if frame.type == WSMsgType.TEXT:
                    self._acknowledged(json.loads(frame.data))
        except ConnectionError:
            pass  # it went as it came
        finally:
            self._forget(socket)
        return ws

    def _forget(self, socket: Socket) -> None:
        socket.closed.set()
        if socket in self.sockets:
            self.sockets.remove(socket)

    def _acknowledged(self, frame: Json) -> None:
        """An acknowledgement counts whatever socket it comes by: an SDK that has just changed sockets uses the new."""
        waiting = self._envelopes.pop(str(frame.get("envelope_id")), None)
        if waiting and not waiting.reply.done():
            waiting.reply.set_result(frame.get("payload"))

    def drop(self) -> None:
        """Cut every connection, in the loop."""
        for socket in list(self.sockets):
            self._forget(socket)
            if socket.request.transport:
                socket.request.transport.abort()

    async def disconnect(self) -> None:
        """Ask every socket to go; it gets no more envelopes, and the app opens another."""
        for socket in list(self.sockets):
            socket.retiring = True
            with contextlib.suppress(ConnectionError):
                await socket.ws.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})

    def _next_socket(self) -> Socket | None:
        """Each envelope goes to one of the open sockets, in turn."""
        usable = [socket for socket in self.sockets if not socket.retiring]
        self._turn += 1
        return usable[self._turn % len(usable)] if usable else None

    async def _socket(self, waiting: _Waiting) -> Socket:
        """A socket to send on. An event waits for one: Slack's own retries come after 0, 1 and 5 minutes."""
        while (socket := self._next_socket()) is None:
            if waiting.kind != "events_api":
                raise GaveUp("dispatch_failed")
            self._opened.clear()
            await self._opened.wait()
        return socket

    async def _put(self, waiting: _Waiting) -> Json | None:
        """Send it on a socket until it is acknowledged. Only what was not answered in time counts as a try."""
        attempt, timeouts = waiting.first_attempt, 0
        while not waiting.reply.done():
            socket = await self._socket(waiting)
            sent, envelope_id = time.monotonic(), secrets.token_hex(8)
            self._envelopes[envelope_id] = waiting
            envelope: Json = {"type": waiting.kind, "envelope_id": envelope_id, "payload": waiting.payload}
            if waiting.kind == "events_api":
                envelope |= {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
            with contextlib.suppress(ConnectionError):
                await socket.ws.send_json(envelope | {"accepts_response_payload": waiting.kind != "events_api"})
            await self._answer(waiting, socket)
            if waiting.reply.done():
                self.acks.append(Ack(waiting.kind, waiting.id, time.monotonic() - sent))
                break
            self.acks.append(Ack(waiting.kind, waiting.id, None))
            attempt += 1
            timeouts += not socket.closed.is_set()
            if timeouts > RETRIES or waiting.kind != "events_api":
                raise GaveUp("operation_timeout")
        return waiting.reply.result()

    async def _answer(self, waiting: _Waiting, socket: Socket) -> None:
        """Wait until it is acknowledged, or the time is up, or the socket has gone."""
        gone = asyncio.ensure_future(socket.closed.wait())
        either: list[asyncio.Future[Any]] = [waiting.reply, gone]
        await asyncio.wait(either, timeout=self.redeliver_after, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()

    # Signed HTTP

    def sign(self, body: bytes, timestamp: int | None = None) -> dict[str, str]:
        """The headers by which an app knows Slack: "Verifying requests from Slack", docs.slack.dev."""
        at = str(int(time.time()) if timestamp is None else timestamp)
        digest = hmac.new(self.signing_secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}"}

    async def _post(self, waiting: _Waiting) -> Json | None:
        """Post it until the app says 200. A refused connection waits, as a missing socket does."""
        body, kind = _body(waiting.kind, waiting.payload)
        attempt, counted, reason = waiting.first_attempt, 0, "http_timeout"
        while True:
            retry = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else {}
            sent = time.monotonic()
            status, text, no_retry = await self.post(body, {"Content-Type": kind, **retry})
            if 200 <= status < 300:
                self.acks.append(Ack(waiting.kind, waiting.id, time.monotonic() - sent))
                return _reply(text)
            self.acks.append(Ack(waiting.kind, waiting.id, None))
            reason = {0: "http_timeout", -1: "connection_failed"}.get(status, "http_error")
            attempt, counted = attempt + 1, counted + (status != -1)
            if counted > RETRIES or waiting.kind != "events_api" or no_retry:
                raise GaveUp("operation_timeout" if status == 0 else "dispatch_failed")
            if status:
                await asyncio.sleep(min(self.redeliver_after, 0.2))

    async def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bool]:
        """Status, body, and whether the app wants no retry; 0 for no answer in time, -1 for no connection."""
        self._session = self._session or ClientSession()
        url = f"{self.app_url}/slack/events"
        try:
            async with self._session.post(
                url,
                data=body,
                headers={**headers, **self.sign(body)},
                timeout=ClientTimeout(total=self.redeliver_after),
            ) as response:
                return response.status, await response.text(), response.headers.get("X-Slack-No-Retry") == "1"
        except TimeoutError:
            return 0, "", False
        except ClientError:
            return -1, "", False

    async def close(self) -> None:
        """End everything."""
        for task in list(self._tasks):
            task.cancel()
        for socket in list(self.sockets):
            socket.closed.set()
            await socket.ws.close()
        if self._session:
            await self._session.close()


def _body(kind: Kind, payload: Json) -> tuple[bytes, str]:
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    form = {"payload": json.dumps(payload)} if kind == "interactive" else payload
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def _reply(text: str) -> Json | None:
    """What the app answered with: JSON, or text that is a message."""
    if not text:
        return None
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = text
    return found if isinstance(found, dict) else {"text": text}
