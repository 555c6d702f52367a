"""Messages that come by and by: chat.startStream, appendStream and stopStream, and what response urls take."""

from __future__ import annotations

import time

from tests.fake_slack import limits
from tests.fake_slack.delivery import Delivery
from tests.fake_slack.methods import MESSAGE_TEXT, Method, Methods
from tests.fake_slack.workspace import BOT_ID, BOT_USER, Json, Message, Refused, Workspace

STREAM_LASTS = 300.0  # seconds from its start, whatever is appended: shared guide; others measured 306
STREAM_TEXT = 12_000  # characters over all of a stream: shared guide
_URL_LASTS = 1_800.0  # "Handling user interaction", docs.slack.dev: 5 uses in 30 minutes
_URL_USES = 5
# chat.appendStream and the SDK's slack_sdk/models/messages/chunk.py
_CHUNKS = {
    "markdown_text": {"text"},
    "task_update": {"id", "title", "status", "details", "output", "sources"},
    "plan_update": {"title"},
    "blocks": {"blocks"},
}


class Streams:
    """As Methods: call with the lock held."""

    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self.workspace = workspace
        self.methods = Methods(workspace, delivery)

    def table(self) -> dict[str, Method]:
        """Name of a method to what does it, those of Methods too."""
        own: dict[str, Method] = {
            "chat.startStream": self.start,
            "chat.appendStream": self.append,
            "chat.stopStream": self.stop,
        }
        return self.methods.table() | own

    def start(self, given: Json) -> Json:
        """chat.startStream: a reply, and in a channel to somebody (shared guide)."""
        channel = self.methods.channel(given)
        root = self.workspace.find(channel.id, given.get("thread_ts"))
        if root is None or root.is_reply:
            raise Refused("invalid_thread_ts")
        if channel.kind != "im":
            for name in ("recipient_team_id", "recipient_user_id"):
                if not given.get(name):
                    raise Refused("missing_" + name)
        new = Message(channel.id, self.workspace.new_ts(), BOT_USER, bot_id=BOT_ID, thread_ts=root.ts, streaming=True)
        new.was_streamed, new.stream_lapses = True, time.monotonic() + STREAM_LASTS
        self._take(new, given)
        self.workspace.add(new)
        self.methods.posted(new)
        return {"channel": channel.id, "ts": new.ts}

    def append(self, given: Json) -> Json:
        """chat.appendStream."""
        message = self._open(given)
        if not given.get("markdown_text") and not given.get("chunks"):
            raise Refused("no_text")
        self._take(message, given)
        return {"channel": message.channel, "ts": message.ts}

    def stop(self, given: Json) -> Json:
        """chat.stopStream: the last of the text, and the blocks below it."""
        message = self._open(given)
        content = self.methods.content(given | {"text": None}, MESSAGE_TEXT)
        previous = message.to_dict()
        self._take(message, given)
        streamed = message.streamed
        self.methods.replace(message, content)
        message.streamed, message.streaming = streamed, False
        self.methods.changed(message, previous)
        return {"channel": message.channel, "ts": message.ts, "message": message.to_dict()}

    def _open(self, given: Json) -> Message:
        message = self.methods.own_message(given, "message_not_owned_by_app")
        if message.streaming and time.monotonic() > message.stream_lapses:
            message.streaming = False
        if not message.streaming:
            raise Refused("message_not_in_streaming_state")
        return message

    def _take(self, message: Message, given: Json) -> None:
        """Add the text of one call; all of it or, when it is too much, none."""
        text = message.streamed + str(given.get("markdown_text") or "")
        for chunk in given.get("chunks") or []:
            known = _CHUNKS.get(str(chunk.get("type"))) if isinstance(chunk, dict) else None
            if known is None or not set(chunk) <= known | {"type"}:
                raise Refused("invalid_chunks")
            text += chunk["text"] if chunk["type"] == "markdown_text" else ""
        message.streamed = limits.text(text, STREAM_TEXT)

    def respond(self, token: str, given: Json) -> str:
        """POST to a response url: ephemeral unless it says in_channel. Gives "ok"."""
        url = self.workspace.response_urls.get(token)
        if url is None or time.monotonic() - url.made > _URL_LASTS:
            raise Refused("expired_url")
        url.uses += 1
        if url.uses > _URL_USES:
            raise Refused("used_url")
        original = url.message
        if original and given.get("delete_original"):
            original.deleted = True
        elif original and given.get("replace_original"):
            self._replace_original(original, given)
        else:
            everyone = given.get("response_type") == "in_channel"
            channel = self.workspace.channels[url.channel]
            self.methods.post(channel, given, ephemeral_to=None if everyone else url.user)
        return "ok"

    def _replace_original(self, original: Message, given: Json) -> None:
        content = self.methods.content(given, MESSAGE_TEXT)
        if not content:
            raise Refused("no_text")
        previous = original.to_dict()
        self.methods.replace(original, {"blocks": []} | content)
        if not original.ephemeral_to:
            self.methods.changed(original, previous)
