"""The Web API's methods for messages and what surrounds them. Each takes the arguments and gives Slack's answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.fake_slack import events, limits
from tests.fake_slack.delivery import Delivery
from tests.fake_slack.workspace import BOT_ID, BOT_USER, Channel, Json, Message, Refused, Workspace

MESSAGE_TEXT = 40_000  # shared guide; chat.postMessage, docs.slack.dev
UPDATE_TEXT = 4_000  # shared guide; chat.update, docs.slack.dev
_PAGE = 1_000  # conversations.replies, docs.slack.dev: the default, and the most
_TRIGGER_LASTS = 3.0  # seconds; views.open, docs.slack.dev

Method = Callable[[Json], Json]


class Methods:
    """Call them with the workspace's lock held; they raise Refused."""

    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self.workspace = workspace
        self.delivery = delivery

    def table(self) -> dict[str, Method]:
        """Name of a method to what does it."""
        return {
            "chat.postMessage": self.post_message,
            "chat.postEphemeral": self.post_ephemeral,
            "chat.update": self.update,
            "chat.delete": self.delete,
            "conversations.replies": self.replies,
            "conversations.history": self.history,
            "conversations.info": lambda given: {"channel": self.channel(given).to_dict()},
            "users.info": self.user_info,
            "views.open": self.open_view,
            "views.publish": self.publish_view,
            "views.update": self.update_view,
            "assistant.threads.setStatus": self.set_status,
            "assistant.threads.setTitle": self.set_title,
            "assistant.threads.setSuggestedPrompts": self.set_prompts,
        }

    # Messages

    def channel(self, given: Json, key: str = "channel") -> Channel:
        """The channel that is named; a person's id stands for the direct message with that person."""
        wanted = given.get(key) or ""
        found = self.workspace.channels.get("D" + wanted if wanted.startswith("U") else wanted)
        if found is None or found.team_id != given.get("team", found.team_id):
            raise Refused("channel_not_found")
        return found

    def _own_channel(self, given: Json) -> Channel:
        channel = self.channel(given)
        if BOT_USER not in channel.members:
            raise Refused("not_in_channel")
        return channel

    def _thread(self, channel: Channel, given: Json) -> str | None:
        """The thread to post in. Its name is the root's ts: "avoid using a reply's ts" (chat.postMessage)."""
        thread_ts = given.get("thread_ts")
        root = self.workspace.find(channel.id, thread_ts) if thread_ts else None
        if root is not None and root.is_reply:
            raise Refused("cannot_reply_to_message")
        return thread_ts or None

    def content(self, given: Json, most: int) -> Json:
        """The checked text, blocks and metadata; those that are not given are missing."""
        content: Json = {}
        if given.get("blocks") is not None:
            content["blocks"] = limits.blocks(given["blocks"])
        if given.get("metadata") is not None:
            content["metadata"] = limits.metadata(given["metadata"])
        if given.get("text") is not None:
            content["text"] = limits.text(given["text"], most)
        return content

    def post(self, channel: Channel, given: Json, *, ephemeral_to: str | None = None) -> Message:
        """A new message of the bot, echoed to it as an event."""
        content = self.content(given, MESSAGE_TEXT)
        if not content.get("text") and not content.get("blocks"):
            raise Refused("no_text")
        thread_ts = self._thread(channel, given)
        new = Message(channel.id, self.workspace.new_ts(), BOT_USER, bot_id=BOT_ID, thread_ts=thread_ts, **content)
        new.ephemeral_to = ephemeral_to
        self.workspace.add(new)
        if ephemeral_to is None:
            self.posted(new)
        return new

    def posted(self, new: Message) -> None:
        """What follows from a message of the bot: the status of its thread goes, and the event comes."""
        if new.thread_ts:
            self.workspace.statuses.pop((new.channel, new.thread_ts), None)
        channel = self.workspace.channels[new.channel]
        body = events.callback(self.workspace, channel, events.message(self.workspace, new))
        self.delivery.send("events_api", body)

    def changed(self, message: Message, previous: Json) -> None:
        """The event of an edit."""
        channel = self.workspace.channels[message.channel]
        event = events.changed(self.workspace, message, previous)
        self.delivery.send("events_api", events.callback(self.workspace, channel, event))

    def post_message(self, given: Json) -> Json:
        """chat.postMessage."""
        channel = self._own_channel(given)
        new = self.post(channel, given)
        return {"channel": channel.id, "ts": new.ts, "message": new.to_dict()}

    def post_ephemeral(self, given: Json) -> Json:
        """chat.postEphemeral."""
        channel = self._own_channel(given)
        if given.get("user") not in channel.members:
            raise Refused("user_not_in_channel")
        return {"message_ts": self.post(channel, given, ephemeral_to=given["user"]).ts}

    def own_message(self, given: Json, refusal: str) -> Message:
        """A message that the bot wrote and everyone sees."""
        found = self.workspace.find(self.channel(given).id, given.get("ts"))
        if found is None or found.ephemeral_to:
            raise Refused("message_not_found")
        if found.bot_id != BOT_ID:
            raise Refused(refusal)
        return found

    def update(self, given: Json) -> Json:
        """chat.update: blocks and metadata that are not given stay as they were (chat.update, docs.slack.dev)."""
        message = self.own_message(given, "cant_update_message")
        if message.streaming:
            # Measured by others on the real Slack (recordings in public code), as cant_delete_message below.
            raise Refused("streaming_state_conflict")
        content = self.content(given, UPDATE_TEXT)
        if not content:
            raise Refused("no_text")
        previous = message.to_dict()
        self.replace(message, content)
        message.edited = {"user": BOT_USER, "ts": self.workspace.new_ts()}
        self.changed(message, previous)
        return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": message.to_dict()}

    def replace(self, message: Message, content: Json) -> None:
        """Put new content in the place of the old, and of what was streamed."""
        for name, value in content.items():
            setattr(message, name, value)
        message.streamed = ""
        self.workspace.tidy(message)

    def delete(self, given: Json) -> Json:
        """chat.delete."""
        message = self.own_message(given, "cant_delete_message")
        if message.streaming:
            raise Refused("cant_delete_message")
        message.deleted = True
        channel = self.workspace.channels[message.channel]
        event = events.deleted(self.workspace, message)
        self.delivery.send("events_api", events.callback(self.workspace, channel, event))
        return {"channel": message.channel, "ts": message.ts}

    # Reading

    def replies(self, given: Json) -> Json:
        """conversations.replies: oldest first, the root among them."""
        channel = self._own_channel(given)
        root = self.workspace.find(channel.id, given.get("ts"))
        if root is None or root.ephemeral_to:
            raise Refused("thread_not_found")
        return self._page([m for m in self.workspace.in_thread(channel.id, root.ts) if not m.ephemeral_to], given)

    def history(self, given: Json) -> Json:
        """conversations.history: newest first, no replies."""
        channel = self._own_channel(given)
        return self._page([m for m in self.workspace.top_level(channel.id) if not m.ephemeral_to][::-1], given)

    def _page(self, messages: list[Message], given: Json) -> Json:
        oldest, latest = float(given.get("oldest") or 0), float(given.get("latest") or "inf")
        # The root comes whatever `oldest` says: so others found, and so Slack's own client needs it.
        first = messages[:1] if given.get("ts") else []
        messages = first + [message for message in messages[len(first) :] if oldest < float(message.ts) < latest]
        cursor, limit = str(given.get("cursor") or "0"), int(given.get("limit") or _PAGE)
        if not cursor.isdigit():
            raise Refused("invalid_cursor")
        if not 1 <= limit <= _PAGE:
            raise Refused("invalid_limit")
        start, end = int(cursor), int(cursor) + limit
        metadata = str(given.get("include_all_metadata", "")).lower() in ("1", "true")
        page = [self._with_replies(message, metadata=metadata) for message in messages[start:end]]
        more = end < len(messages)
        following = {"response_metadata": {"next_cursor": str(end)}} if more else {}
        return {"messages": page, "has_more": more} | following

    def _with_replies(self, message: Message, *, metadata: bool) -> Json:
        """A root says how many replies it has."""
        count = len([m for m in self.workspace.in_thread(message.channel, message.ts) if not m.ephemeral_to]) - 1
        root = {"thread_ts": message.ts, "reply_count": count} if count and not message.is_reply else {}
        return message.to_dict(metadata=metadata) | root

    def user_info(self, given: Json) -> Json:
        """users.info."""
        user = self.workspace.users.get(given.get("user") or "")
        if user is None:
            raise Refused("user_not_found")
        return {"user": user.to_dict()}

    # Views

    def open_view(self, given: Json) -> Json:
        """views.open: needs the trigger id of something that the person has just done."""
        trigger = self.workspace.triggers.get(given.get("trigger_id") or "")
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if time.monotonic() - trigger.made > _TRIGGER_LASTS:
            raise Refused("expired_trigger_id")
        trigger.used = True
        view = events.view(self.workspace, limits.view(given.get("view"), "modal"), "modal")
        self.workspace.modals[trigger.user] = view
        return {"view": view}

    def publish_view(self, given: Json) -> Json:
        """views.publish: the Home tab of one person."""
        user = given.get("user_id") or ""
        if user not in self.workspace.users:
            raise Refused("user_not_found")
        view = events.view(self.workspace, limits.view(given.get("view"), "home"), "home")
        self.workspace.homes[user] = view
        return {"view": view}

    def update_view(self, given: Json) -> Json:
        """views.update, by view_id or external_id; a hash must be that of the view as it is."""
        for user, old in self.workspace.modals.items():
            if given.get("view_id") == old["id"] or (given.get("external_id") or 0) == old["external_id"]:
                if given.get("hash", old["hash"]) != old["hash"]:
                    raise Refused("hash_conflict")
                new = events.view(self.workspace, limits.view(given.get("view"), "modal"), "modal")
                self.workspace.modals[user] = new | {"id": old["id"], "root_view_id": old["id"]}
                return {"view": self.workspace.modals[user]}
        raise Refused("not_found")

    # The agent pane

    def set_status(self, given: Json) -> Json:
        """assistant.threads.setStatus: "" clears."""
        channel, thread_ts = self.channel(given, "channel_id"), given.get("thread_ts")
        if self.workspace.find(channel.id, thread_ts) is None:
            raise Refused("invalid_thread_ts")
        self.workspace.statuses[channel.id, str(thread_ts)] = (str(given.get("status") or ""), time.monotonic())
        return {}

    def set_title(self, given: Json) -> Json:
        """assistant.threads.setTitle."""
        channel, thread_ts = self.channel(given, "channel_id"), given.get("thread_ts")
        if channel.kind != "im" or self.workspace.find(channel.id, thread_ts) is None:
            raise Refused("invalid_thread_ts")
        self.workspace.titles[channel.id, str(thread_ts)] = str(given.get("title"))
        return {}

    def set_prompts(self, given: Json) -> Json:
        """assistant.threads.setSuggestedPrompts, at most 4. In an agent app a thread_ts makes it do nothing [guide]."""
        channel, thread_ts = self.channel(given, "channel_id"), given.get("thread_ts")
        prompts: Any = given.get("prompts")
        if not isinstance(prompts, list) or not 1 <= len(prompts) <= 4:
            raise Refused("invalid_arguments")
        if any(not prompt.get("title") or not prompt.get("message") for prompt in prompts):
            raise Refused("invalid_arguments")
        if thread_ts is None or (channel.id, thread_ts) in self.workspace.assistant_threads:
            self.workspace.prompts[channel.id, thread_ts] = prompts
        return {}
