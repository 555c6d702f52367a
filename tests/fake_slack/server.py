"""The fake Slack: a thread that serves, faults on demand, and questions about what a person sees."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Callable
from typing import Self

from aiohttp import web

from tests.fake_slack import events, seen, ui
from tests.fake_slack.api import Api, Fault
from tests.fake_slack.delivery import Delivery
from tests.fake_slack.people import People
from tests.fake_slack.seen import Seen
from tests.fake_slack.workspace import BOT_ID, BOT_USER, TEAM, Ack, Call, Channel, Json, Message, Workspace


class FakeSlack(People):
    """Use it in a ``with``; see README.md."""

    bot_user = BOT_USER
    team = TEAM
    signing_secret = "fake-signing-secret"
    client_id = "1.2"
    client_secret = "fake-client-secret"
    bot_token = "xoxb-fake"
    app_token = "xapp-fake"

    def __init__(self, port: int = 0) -> None:
        """Made, not yet serving; port 0 means a free one."""
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        super().__init__(Workspace(), Delivery(self.signing_secret))
        self.api = Api(self)

    def __enter__(self) -> Self:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the fake Slack did not start")
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        self.delivery.loop = self._loop
        application = web.Application(client_max_size=8 * 1024 * 1024)
        application.router.add_get("/link", self.delivery.serve_socket)
        self.api.add_routes(application)
        ui.add_routes(application, self)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._stop.wait()
        await self.delivery.close()
        await runner.cleanup()

    @property
    def api_url(self) -> str:
        """The base of the Web API, for WebClient(base_url=…)."""
        return self.url + "/api/"

    @property
    def app_url(self) -> str | None:
        """Where events go as signed HTTP; None: to the open sockets."""
        return self.delivery.app_url

    @app_url.setter
    def app_url(self, url: str | None) -> None:
        self.delivery.app_url = url.rstrip("/") if url else None

    @property
    def redeliver_after(self) -> float:
        """Seconds that an app has to acknowledge in."""
        return self.delivery.redeliver_after

    @redeliver_after.setter
    def redeliver_after(self, seconds: float) -> None:
        self.delivery.redeliver_after = seconds

    @property
    def calls(self) -> list[Call]:
        """The calls so far, oldest first."""
        return list(self.api.calls)

    @property
    def acks(self) -> list[Ack]:
        """How the envelopes so far fared, in the order in which that was known."""
        return list(self.delivery.acks)

    # Faults

    def fault(  # noqa: PLR0913  # all that can go wrong with a call
        self,
        method: str,
        *,
        error: str | None = None,
        status: int = 200,
        retry_after: int | None = None,
        times: int = 1,
        after_effect: bool = False,
        delay: float = 0.0,
    ) -> None:
        """Let the next calls of a method fail, or only be slow. Method "response_url" means the response urls.

        ``status`` 0: the connection is cut without an answer.

        ``after_effect``: the call does what it should, and the caller is told of the failure all the same.
        """
        with self.workspace.lock:
            fault = Fault(error, status, retry_after, after_effect, delay)
            self.api.faults.setdefault(method, []).extend([fault] * times)

    def drop_sockets(self) -> None:
        """Cut every socket without a word."""
        self._loop.call_soon_threadsafe(self.delivery.drop)

    def disconnect_sockets(self) -> None:
        """Ask every socket to come again, as Slack does every few hours."""
        asyncio.run_coroutine_threadsafe(self.delivery.disconnect(), self._loop).result(10)

    def connected(self) -> int:
        """How many sockets take envelopes."""
        return len([socket for socket in list(self.delivery.sockets) if not socket.retiring])

    def sign(self, body: bytes, timestamp: int | None = None) -> dict[str, str]:
        """The headers with which Slack signs a body, at this time or another."""
        return self.delivery.sign(body, timestamp)

    def verify_url(self) -> bool:
        """Ask the app for its challenge, as when its address is entered in Slack."""
        challenge = {"type": "url_verification", "token": "verification-token", "challenge": secrets.token_hex(8)}
        posted = self.delivery.post(json.dumps(challenge).encode(), {"Content-Type": "application/json"})
        status, text, _ = asyncio.run_coroutine_threadsafe(posted, self._loop).result(10)
        return status == 200 and challenge["challenge"] in text

    def follow(self, manifest: Json) -> None:
        """Allow the scopes of a manifest and send the events that it subscribes to, and no others."""
        with self.workspace.lock:
            self.workspace.scopes = set(manifest["oauth_config"]["scopes"]["bot"])
            self.delivery.subscriptions = set(manifest["settings"]["event_subscriptions"]["bot_events"])

    def new_code(self, team: str = TEAM) -> str:
        """The code that a person of that workspace brings from Slack's page after having said yes."""
        return self.api.new_code(team)

    def uninstall(self, team: str = TEAM) -> None:
        """Take the app out of a workspace: its tokens are dead, and it is told so."""
        with self.workspace.lock:
            self.api.revoke(team)
            nowhere = Channel("", "", set(), team)
            revoked = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}}
            for event in (revoked, {"type": "app_uninstalled"}):
                self.delivery.send("events_api", events.callback(self.workspace, nowhere, event))

    def expire_streams(self) -> None:
        """End every stream that is open, as Slack does after about 5 minutes."""
        with self.workspace.lock:
            for message in self.workspace.messages:
                message.streaming = False

    # What a person sees

    def _seen(self, messages: list[Message]) -> list[Seen]:
        return [seen.seen(message, self.workspace.users[message.user].name) for message in messages]

    def thread(self, channel: str, ts: str) -> list[Seen]:
        """A thread, root first, the ephemeral messages for anybody in it included."""
        with self.workspace.lock:
            return self._seen(self.workspace.in_thread(channel, ts))

    def channel(self, channel: str, user: str = "U1") -> list[Seen]:
        """The top level of a channel, with the ephemeral messages that this person sees."""
        with self.workspace.lock:
            found = self.workspace.top_level(channel)
            return self._seen([message for message in found if message.ephemeral_to in (None, user)])

    def pings(self) -> list[str]:
        """Everything in the bot's messages that Slack would take for a call to somebody."""
        with self.workspace.lock:
            return [ping for m in self.workspace.messages if m.bot_id == BOT_ID for ping in seen.pings(m)]

    def modal(self, user: str) -> Json | None:
        """The modal that is open for a person."""
        return self.workspace.modals.get(user)

    def home(self, user: str) -> Json | None:
        """What the app published as that person's Home."""
        return self.workspace.homes.get(user)

    def prompts(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        """The suggested prompts there."""
        return self.workspace.prompts.get((channel, thread_ts), [])

    def title(self, channel: str, thread_ts: str) -> str:
        """The title of a thread of the assistant."""
        return self.workspace.titles.get((channel, thread_ts), "")

    def status(self, channel: str, thread_ts: str) -> str:
        """What the bot is said to be doing in a thread, "" for nothing."""
        return self.workspace.status(channel, thread_ts)

    def transcript(self) -> str:
        """Everything as lines: what a failed test shows."""
        with self.workspace.lock:
            lines = []
            for message in self._seen([m for m in self.workspace.messages if not m.deleted]):
                indent = "    " if message.raw.get("thread_ts", message.ts) != message.ts else ""
                marks = f" (only to {message.ephemeral_to})" if message.ephemeral_to else ""
                marks += " (streaming)" if message.streaming else ""
                lines.append(f"{indent}{message.name}: {message.text}{marks} {message.buttons or ''}".rstrip())
            statuses = [f"{where}: {text}" for where, (text, _) in self.workspace.statuses.items() if text]
        calls = [call.method for call in self.calls[-20:]]
        return "\n".join([*lines, f"statuses: {statuses}", f"last calls: {calls}", f"pending: {self.delivery.pending}"])

    # Waiting

    def wait(self, condition: Callable[[], object], timeout: float = 60.0) -> None:
        """Look again and again until it is so; an AssertionError with the transcript when it never is."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"it did not come true within {timeout} s:\n{self.transcript()}")
            time.sleep(0.02)

    def settle(self, quiet: float = 0.3, timeout: float = 60) -> None:
        """Wait until no call came in and nothing waited for an acknowledgement for ``quiet`` seconds."""
        end = time.monotonic() + timeout
        since, before = time.monotonic(), -1
        while time.monotonic() - since < quiet:
            now = len(self.api.calls)
            if now != before or self.delivery.pending or self.api.active:
                since, before = time.monotonic(), now
            if time.monotonic() > end:
                raise AssertionError(f"it did not settle within {timeout} s:\n{self.transcript()}")
            time.sleep(0.02)
