"""What a workspace holds: people, channels, messages, modals. Plain objects, and one lock for whoever touches them."""

from __future__ import annotations

import copy
import itertools
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

APP = "A1"
BOT_ID = "BBOT"
BOT_USER = "UBOT"
SLACKBOT = "USLACKBOT"
TEAM = "T1"
STATUS_LAPSES = 120.0  # seconds; shared guide: "a status lapses after about 2 minutes"


class Refused(Exception):
    """What Slack answers instead of doing it: ``{"ok": false, "error": code}``."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Call:
    """One call of the Web API or of a response url (method "response_url"); ``at`` is time.monotonic()."""

    method: str
    arguments: Json
    at: float


@dataclass(frozen=True)
class Ack:
    """How one envelope fared: seconds until it was acknowledged, None if it was not in time."""

    kind: str
    id: str
    seconds: float | None


@dataclass
class User:
    """A person or a bot. A stranger is of another workspace (Slack Connect)."""

    id: str
    name: str
    is_bot: bool = False
    is_restricted: bool = False
    is_stranger: bool = False
    team_id: str = TEAM

    def to_dict(self) -> Json:
        """As in users.info."""
        known = {"id": self.id, "team_id": self.team_id, "name": self.name.lower(), "real_name": self.name}
        flags = {"is_bot": self.is_bot, "is_restricted": self.is_restricted, "is_stranger": self.is_stranger}
        profile = {"real_name": self.name, "display_name": self.name}
        rest = {"deleted": False, "is_ultra_restricted": False, "is_app_user": False, "tz": "Europe/London"}
        return known | flags | rest | {"profile": profile}


@dataclass
class Channel:
    """A channel (C…) or a direct message with the bot (D…); ``kind`` is its channel_type."""

    id: str
    name: str
    members: set[str]
    team_id: str = TEAM
    kind: Literal["channel", "group", "im", "mpim"] = "channel"

    def to_dict(self) -> Json:
        """As in conversations.info."""
        kinds = {"is_channel": self.kind == "channel", "is_group": self.kind == "group", "is_im": self.kind == "im"}
        here = {"is_private": self.kind != "channel", "is_member": BOT_USER in self.members, "is_archived": False}
        return {"id": self.id, "name": self.name, "context_team_id": self.team_id} | kinds | here


@dataclass
class Message:
    """A message. ``streamed`` is the Markdown that came by a stream; ``streaming`` while more may come."""

    channel: str
    ts: str
    user: str
    text: str = ""
    bot_id: str | None = None
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    subtype: str | None = None
    edited: Json | None = None
    deleted: bool = False
    ephemeral_to: str | None = None
    streaming: bool = False
    was_streamed: bool = False
    streamed: str = ""
    stream_lapses: float = 0.0

    @property
    def is_reply(self) -> bool:
        """Whether it stands below another message."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    def to_dict(self, *, metadata: bool = True) -> Json:
        """As in events and in conversations.replies."""
        known: Json = {"type": "message", "user": self.user, "text": self.text or self.streamed, "ts": self.ts}
        if self.bot_id:
            known |= {"bot_id": self.bot_id, "app_id": APP if self.bot_id == BOT_ID else "A" + self.bot_id}
        if self.subtype == "bot_message":  # an old integration: it has a name, and is no user
            del known["user"]
        optional: Json = {
            "blocks": self.blocks,
            "attachments": self.attachments,
            "thread_ts": self.thread_ts,
            "subtype": self.subtype,
            "edited": self.edited,
        }
        optional["metadata"] = self.metadata if metadata else None
        if self.was_streamed:  # so read back by others' recordings of the real Slack
            optional["streaming_state"] = "in_progress" if self.streaming else "completed"
        return copy.deepcopy(known | {key: value for key, value in optional.items() if value})


@dataclass
class Trigger:
    """What lets an app open a modal, once."""

    user: str
    made: float
    used: bool = False


@dataclass
class ResponseUrl:
    """Where an answer to a command or a click goes."""

    channel: str
    user: str
    made: float
    message: Message | None = None
    uses: int = 0


class Workspace:
    """Everything; hold ``lock`` while reading or changing it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: list[Message] = []
        self._by_ts: dict[str, Message] = {}
        self.modals: dict[str, Json] = {}
        self.modal_errors: dict[str, Json] = {}
        self.homes: dict[str, Json] = {}
        self.prompts: dict[tuple[str, str | None], list[Json]] = {}
        self.titles: dict[tuple[str, str], str] = {}
        self.statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self.assistant_threads: set[tuple[str, str]] = set()
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.scopes: set[str] | None = None  # None: all of them
        self._last = 0
        self._numbers = itertools.count(1)
        self._run = secrets.token_hex(4)

    def new_ts(self) -> str:
        """The time now, as Slack writes it, unique and increasing: "1700000000.000100"."""
        self._last = max(self._last + 1, int(time.time() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06}"

    def new_id(self, prefix: str) -> str:
        """An id that was not used before, by an earlier fake either: "Ev5f1c20d900001"."""
        return f"{prefix}{self._run}{next(self._numbers):05}"

    def add(self, message: Message) -> Message:
        """Put a message in its place. Who speaks in a channel is a member of it."""
        self.tidy(message)
        self.messages.append(message)
        self._by_ts[message.ts] = message
        if not message.bot_id:
            self.channels[message.channel].members.add(message.user)
        return message

    def tidy(self, message: Message) -> None:
        """Make the blocks the workspace's own, and name those that have no name."""
        message.blocks = copy.deepcopy(message.blocks)
        name_blocks(message.blocks)

    def find(self, channel: str | None, ts: str | None) -> Message | None:
        """The message there that is not deleted; any channel when it is None."""
        message = self._by_ts.get(ts or "")
        return message if message and channel in (None, message.channel) and not message.deleted else None

    def in_thread(self, channel: str, ts: str) -> list[Message]:
        """Root and replies, oldest first, the ephemeral ones too."""
        return [
            message
            for message in self.messages
            if message.channel == channel and ts in (message.ts, message.thread_ts) and not message.deleted
        ]

    def top_level(self, channel: str) -> list[Message]:
        """What stands in the channel itself, oldest first."""
        return [m for m in self.messages if m.channel == channel and not m.is_reply and not m.deleted]

    def status(self, channel: str, thread_ts: str) -> str:
        """What is shown as being done in that thread, "" for nothing."""
        text, since = self.statuses.get((channel, thread_ts), ("", 0.0))
        return text if time.monotonic() - since < STATUS_LAPSES else ""

    def new_trigger(self, user: str) -> str:
        """A trigger id for that person, good from now on."""
        trigger = self.new_id("trigger.")
        self.triggers[trigger] = Trigger(user, time.monotonic())
        return trigger

    def new_response_url(self, channel: str, user: str, message: Message | None = None) -> str:
        """The token of a new response url."""
        token = secrets.token_hex(8)
        self.response_urls[token] = ResponseUrl(channel, user, time.monotonic(), message)
        return token


def name_blocks(blocks: list[Json]) -> None:
    """Give blocks and buttons the ids that they lack, as Slack does."""
    for block in blocks:
        block.setdefault("block_id", secrets.token_hex(3))
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if re.search("button", str(element.get("type"))):
                element.setdefault("action_id", secrets.token_hex(3))
