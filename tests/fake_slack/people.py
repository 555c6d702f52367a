"""What people do in the workspace: speak, click, command, fill in; each as Slack tells the app of it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Literal

from tests.fake_slack import events
from tests.fake_slack.delivery import Delivery
from tests.fake_slack.seen import interactive
from tests.fake_slack.streams import Streams
from tests.fake_slack.workspace import (
    BOT_ID,
    BOT_USER,
    SLACKBOT,
    TEAM,
    Channel,
    Json,
    Message,
    Refused,
    User,
    Workspace,
)


class People:
    """Of a workspace whose server runs; usable from any thread."""

    url: str

    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self.workspace = workspace
        self.delivery = delivery
        self.methods = Streams(workspace, delivery)
        self._told: dict[str, list[Json]] = {}
        self.workspace.users[BOT_USER] = User(BOT_USER, "Clippings", is_bot=True)
        self.workspace.users[SLACKBOT] = User(SLACKBOT, "Slackbot", is_bot=True)
        self.add_user("U1", name="Uma")
        self.add_channel("C1", name="news")

    def add_user(self, user: str, *, name: str, guest: bool = False, stranger: bool = False, bot: bool = False) -> str:
        """A person or a bot; a stranger comes from another workspace by Slack Connect."""
        with self.workspace.lock:
            team = "TOTHER" if stranger else TEAM
            self.workspace.users[user] = User(user, name, bot, guest, stranger, team)
        return user

    def add_channel(
        self,
        channel: str,
        members: Sequence[str] = ("U1", BOT_USER),
        *,
        name: str = "",
        kind: Literal["channel", "group", "im", "mpim"] = "channel",
        team: str = TEAM,
    ) -> str:
        """A channel; the bot hears and writes only where it is a member."""
        with self.workspace.lock:
            new = Channel(channel, name or channel.lower(), set(members), team, kind)
            self.workspace.channels[channel] = new
        return channel

    def dm(self, user: str) -> str:
        """The direct message between a person and the bot: "U1" -> "DU1"."""
        with self.workspace.lock:
            channel = "D" + user
            if channel not in self.workspace.channels:
                self.add_channel(channel, (user, BOT_USER), name=user, kind="im")
        return channel

    def say(  # noqa: PLR0913  # all that can be different about a message
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        *,
        subtype: str | None = None,
        event_ids: Sequence[str] = (),
        mention_first: bool = True,
        deliver: bool = True,
        forwarded: str = "",
    ) -> str:
        """Say something, and give its ts. A mention comes twice, as Slack's twins, with two event ids.

        ``forwarded``: the text of a message that is forwarded below it.

        ``event_ids`` are given out in the order of sending. With ``deliver=False`` the app hears nothing of it until
        ``redeliver``.
        """
        with self.workspace.lock:
            bot_id = "B" + user if self.workspace.users[user].is_bot else None
            new = Message(channel, self.workspace.new_ts(), user, text, bot_id, thread_ts=thread_ts, subtype=subtype)
            if forwarded:
                url = "https://fake.slack.com/archives/C9/p1700000000000100"
                new.attachments = [
                    {"id": 1, "is_share": True, "is_msg_unfurl": True, "from_url": url, "text": forwarded}
                ]
            self.workspace.add(new)
            self._told[new.ts] = self._twins(new, list(event_ids), mention_first=mention_first)
            if deliver:
                self._send(self._told[new.ts])
        return new.ts

    def _twins(self, new: Message, event_ids: list[str], *, mention_first: bool) -> list[Json]:
        channel = self.workspace.channels[new.channel]
        if BOT_USER not in channel.members:
            return []
        told = [events.message(self.workspace, new)]
        if f"<@{BOT_USER}>" in new.text and channel.kind != "im":
            told.insert(0 if mention_first else 1, events.mention(self.workspace, new))
        given = event_ids + [None] * len(told)
        return [events.callback(self.workspace, channel, event, given[i]) for i, event in enumerate(told)]

    def _send(self, bodies: Sequence[Json], *, attempt: int = 0) -> None:
        for body in bodies:
            self.delivery.send("events_api", copy.deepcopy(body), first_attempt=attempt)

    def redeliver(self, ts: str) -> None:
        """Send the events of that message once more, with the same event ids."""
        with self.workspace.lock:
            self._send(self._told[ts], attempt=1)

    def edit(self, ts: str, text: str) -> None:
        """Change what a person said."""
        with self.workspace.lock:
            message = self._message(ts)
            previous = message.to_dict()
            message.text = text
            message.edited = {"user": message.user, "ts": self.workspace.new_ts()}
            self.methods.methods.changed(message, previous)

    def delete(self, ts: str) -> None:
        """Take back what was said."""
        with self.workspace.lock:
            message = self._message(ts)
            message.deleted = True
            self._tell(message.channel, events.deleted(self.workspace, message))

    def join(self, user: str, channel: str) -> str:
        """Join a channel, which Slack tells as a message, too."""
        return self.say(user, channel, f"<@{user}> has joined the channel", subtype="channel_join")

    def _message(self, ts: str) -> Message:
        message = self.workspace.find(None, ts)
        if message is None:
            raise AssertionError(f"there is no message {ts}")
        return message

    def _tell(self, channel: str, event: Json) -> None:
        self._send([events.callback(self.workspace, self.workspace.channels[channel], event)])

    # Commands, shortcuts and clicks

    def command(self, user: str, channel: str, command: str, text: str = "") -> str:
        """Use a slash command; gives the trigger id."""
        with self.workspace.lock:
            place, who = self.workspace.channels[channel], self.workspace.users[user]
            token = self.workspace.new_response_url(channel, user)
            body = events.command(self.workspace, who, place, (command, text), self._response_url(token))

            def show(reply: Json | None) -> None:
                """What the app acknowledges with is its first answer."""
                try:
                    if reply and (reply.get("text") or reply.get("blocks")):
                        with self.workspace.lock:
                            self.methods.respond(token, reply)
                except Refused as refused:
                    fail({"error": refused.code})

            def fail(reply: Json | None) -> None:
                self._slackbot(channel, user, f"{command} failed with the error “{(reply or {})['error']}”")

            self.delivery.send("slash_commands", body, show, fail)
            return str(body["trigger_id"])

    def _slackbot(self, channel: str, user: str, text: str) -> None:
        with self.workspace.lock:
            ts = self.workspace.new_ts()
            self.workspace.add(Message(channel, ts, SLACKBOT, text, "B" + SLACKBOT, ephemeral_to=user))

    def _response_url(self, token: str) -> str:
        return f"{self.url}/response/{token}"

    def shortcut(self, user: str, channel: str, ts: str, callback_id: str = "ask_about") -> None:
        """Choose a message shortcut in the menu of a message."""
        with self.workspace.lock:
            message = self._message(ts)
            url = self._response_url(self.workspace.new_response_url(channel, user, None))
            who = self.workspace.users[user]
            self.delivery.send("interactive", events.shortcut(self.workspace, who, message, callback_id, url))

    def click(
        self, user: str, ts: str | None, action: str, value: str | None = None, block_id: str | None = None
    ) -> None:
        """Click a button, found by its action id or by what stands on it; in the modal or the Home when ts is None.

        Of feedback buttons, named by their action id, ``value`` chooses one (the first when it is None).
        """
        with self.workspace.lock:
            where = self._message(ts) if ts else self._view(user)
            blocks = where.blocks if isinstance(where, Message) else where["blocks"]
            for block, element in interactive(blocks):
                pressed = _pressed(element, action, value)
                if pressed and block_id in (None, block["block_id"]):
                    self._press(user, where, pressed | {"block_id": block["block_id"]})
                    return
        raise AssertionError(f"there is no button {action!r} to click")

    def _view(self, user: str) -> Json:
        view = self.workspace.modals.get(user) or self.workspace.homes.get(user)
        if view is None:
            raise AssertionError(f"{user} has neither a modal nor a Home open")
        return view

    def _press(self, user: str, where: Message | Json, action: Json) -> None:
        action["action_ts"] = self.workspace.new_ts()
        who = self.workspace.users[user]
        if isinstance(where, Message):
            url = self._response_url(self.workspace.new_response_url(where.channel, user, where))
            body = events.clicked(self.workspace, who, action, where, url)
        else:
            body = events.clicked_in_view(self.workspace, who, action, where)
        self.delivery.send("interactive", body)

    # Modals, the Home, the panes

    def submit(self, user: str, values: dict[str, dict[str, Any]]) -> None:
        """Send the modal that is open: ``{block_id: {action_id: value}}``."""
        with self.workspace.lock:
            view = self.workspace.modals.get(user)
            if view is None:
                raise AssertionError(f"{user} has no modal open")
            filled = copy.deepcopy(view)
            filled["state"]["values"] = {
                block: {action: {"type": "plain_text_input", "value": value} for action, value in fields.items()}
                for block, fields in values.items()
            }
            body = events.submitted(self.workspace, self.workspace.users[user], filled)

            def fail(_: Json | None) -> None:
                self.workspace.modal_errors[user] = {"": "We had some trouble connecting. Try again?"}

            self.delivery.send("interactive", body, lambda reply: self._after_submit(user, reply), fail)

    def _after_submit(self, user: str, reply: Json | None) -> None:
        """What the acknowledgement does to the modal: response_action, docs.slack.dev ("Modals")."""
        action = (reply or {}).get("response_action")
        with self.workspace.lock:
            self.workspace.modal_errors.pop(user, None)
            if reply and action == "errors":
                self.workspace.modal_errors[user] = reply["errors"]
            elif reply and action in ("update", "push"):
                self.workspace.modals[user] = events.view(self.workspace, reply["view"], "modal")
            else:
                self.workspace.modals.pop(user, None)

    def close(self, user: str) -> None:
        """Close the modal; the app hears of it when it asked to."""
        with self.workspace.lock:
            view = self.workspace.modals.pop(user, None)
            if view and view["notify_on_close"]:
                self.delivery.send("interactive", events.closed(self.workspace, self.workspace.users[user], view))

    def open_home(self, user: str) -> None:
        """Open the app's Home tab."""
        with self.workspace.lock:
            self._tell(self.dm(user), events.home_opened(self.workspace, user, self.dm(user), "home"))

    def open_messages_tab(self, user: str) -> None:
        """Open the agent's pane: the Messages tab of the app."""
        with self.workspace.lock:
            self._tell(self.dm(user), events.home_opened(self.workspace, user, self.dm(user), "messages"))

    def open_assistant(self, user: str) -> str:
        """Open the older assistant pane; gives the ts of its new thread."""
        with self.workspace.lock:
            channel = self.dm(user)
            root = Message(channel, self.workspace.new_ts(), BOT_USER, "New Assistant Thread", BOT_ID)
            root.subtype = "assistant_app_thread"
            self.workspace.add(root)
            self.workspace.assistant_threads.add((channel, root.ts))
            self._tell(channel, events.thread_started(self.workspace, user, channel, root.ts))
            return root.ts


def _pressed(element: Json, action: str, value: str | None) -> Json | None:
    """The action of a button when it is the one that is meant."""
    named = element.get("action_id") == action
    chosen = {"type": element["type"], "action_id": element.get("action_id")}
    if element["type"] != "feedback_buttons":
        label = element.get("text") or {"type": "plain_text", "text": element.get("icon", "")}
        if not named and label["text"] != action:
            return None
        return chosen | {"text": label, "value": element.get("value") if value is None else value}
    for side in (element["positive_button"], element["negative_button"]):
        if (named and value in (None, side["value"])) or (not named and side["text"]["text"] == action):
            return chosen | {"text": side["text"], "value": side["value"]}
    return None
