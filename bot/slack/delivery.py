"""How an answer reaches the thread of its question, exactly once: streamed while it is made, then put in place."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from bot.slack.blocks import Message
from bot.slack.database import Database, Question
from bot.slack.rich_text import streamed
from bot.slack.web import TEMPORARY, Posted, Slack, SlackError, respond_to

_MAX_RESPONSE_URL_USES = 4  # Slack allows five, and "Reindexing…" may have taken one
_MAX_THREAD_TITLE_CHARACTERS = 80
_MAX_STREAM_CHARACTERS = 9_000  # of one message; Slack ends a stream at 12,000 or before
_MAX_APPEND_CHARACTERS = _MAX_STREAM_CHARACTERS // 5  # before escaping, which makes markup longer
_PAUSE_SECONDS = 0.7  # between two calls of a stream; Slack takes about 100 a minute
_log = logging.getLogger(__name__)


class Delivery:
    """The messages of an answer to one question.

    The database keeps the timestamps of the messages that hold the answer or its beginning, so that a later attempt
    replaces them instead of posting again.
    """

    def __init__(self, slack: Slack, question: Question, database: Database) -> None:
        self.slack = slack
        self._question, self._database = question, database
        self._timestamps = database.posted(question.key)

    @property
    def begun(self) -> bool:
        """Whether the thread holds a message of the answer."""
        return bool(self._timestamps)

    def resume(self) -> bool:
        """Find what an earlier attempt left in the thread; return whether that is the whole answer.

        That attempt may have ended at any point. A message without a key is a stream of this question: only one
        answer at a time is made in a thread.
        """
        question = self._question
        own = self.slack.own_messages(question.channel, question.thread)
        later = [message for message in own if float(message.ts) > float(question.ts)]
        parts = [message for message in later if message.key == question.key]
        if parts and {message.part for message in parts} == set(range(parts[0].parts)):
            self._set_timestamps(
                [message.ts for message in parts]
            )  # a follow-up asks whether the bot has answered here
            return True
        streams = [message for message in later if not message.key]
        for message in streams:
            self.slack.stop_stream(question.channel, message.ts)
        self._timestamps = [message.ts for message in (*parts, *streams)]
        return False

    def put(self, *messages: Message, complete: bool = True) -> None:
        """Replace what the thread holds of the answer by these messages.

        Progress and errors are not ``complete``: they do not count as the answer after a restart.
        """
        if self._question.ephemeral:
            self._put_ephemeral(messages)
            return
        channel, thread = self._question.channel, self._question.thread
        for number, message in enumerate(messages):
            part = Posted("", self._question.key, number, len(messages) + (not complete))
            if number == len(self._timestamps):
                self.add(self.slack.post(channel, thread, message, part))
                continue
            try:
                self.slack.update(channel, self._timestamps[number], message, part)
            except SlackError as error:
                if error.code in TEMPORARY:
                    raise
                self.slack.delete(channel, self._timestamps[number])
                self._timestamps[number] = self.slack.post(channel, thread, message, part)
        for ts in self._timestamps[len(messages) :]:
            self.slack.delete(channel, ts)
        self._set_timestamps(self._timestamps[: len(messages)])

    def _put_ephemeral(self, messages: Sequence[Message]) -> None:
        """Use the response URL as often as Slack allows; further messages go to the asker directly."""
        for number, message in enumerate(messages):
            self.slack.guard()
            if number < _MAX_RESPONSE_URL_USES:
                respond_to(self._question.response_url, message, replace=self.begun and not number)
            else:
                self.slack.post_direct(self._question.user, message)
        self._set_timestamps(["private"])

    def put_refusal(self, message: Message) -> None:
        """Show the asker alone why the question is not answered; an earlier answer to it stays."""
        question = self._question
        if self.begun and question.ephemeral:
            respond_to(question.response_url, message)
        elif question.ephemeral or (question.is_direct and not self.begun):
            self.put(message)
        else:
            thread = question.thread if self.begun or question.thread != question.ts else ""
            self.slack.post_ephemeral(question.channel, question.user, thread, message)

    def add(self, ts: str) -> None:
        """Note a message that holds the answer, or its beginning."""
        self._set_timestamps(self._timestamps if ts in self._timestamps else [*self._timestamps, ts])

    def _set_timestamps(self, timestamps: list[str]) -> None:
        self._timestamps = timestamps
        self._database.set_posted(self._question.key, timestamps)

    def show_status(self, status: str) -> None:
        """Show what the bot is doing, "" for nothing. Slack removes it when an answer is posted, not when updated."""
        self._call_optional("assistant.threads.setStatus", status=status)

    def set_title(self) -> None:
        """Name a thread of a direct conversation after its question."""
        if self._question.is_direct:
            title = self._question.text[:_MAX_THREAD_TITLE_CHARACTERS] or "Clippings"
            self._call_optional("assistant.threads.setTitle", title=title)

    def _call_optional(self, method: str, **arguments: str) -> None:
        if self._question.ephemeral:
            return
        try:
            self.slack.call(method, channel_id=self._question.channel, thread_ts=self._question.thread, **arguments)
        except SlackError as error:
            _log.debug("%s key=%s", error, self._question.key)


class Preview:
    """Streams an answer to the thread while it is made. Never raises SlackError: the whole answer follows anyway."""

    def __init__(self, delivery: Delivery, question: Question) -> None:
        self._delivery, self._slack, self._question = delivery, delivery.slack, question
        self._timestamps: list[str] = []
        self._ts = ""  # of the message that grows
        self._characters = 0  # in it
        self._unsent = ""
        self._last_call = 0.0
        self._enabled = not question.ephemeral and not delivery.begun

    def append(self, text: str) -> None:
        """Show more text; several calls in quick succession become one call of Slack."""
        self._unsent += text
        if not self._enabled or time.monotonic() - self._last_call < _PAUSE_SECONDS:
            return
        try:
            self._send()
        except SlackError as error:
            _log.warning("the answer could not be streamed (%s)", error)
            self._enabled = False
        self._last_call = time.monotonic()

    def stop(self) -> None:
        """End the message that grows."""
        if not self._ts:
            return
        try:
            self._slack.stop_stream(self._question.channel, self._ts)
        except SlackError as error:
            _log.warning("a stream could not be stopped (%s)", error)
        self._ts = ""

    def _send(self) -> None:
        while self._unsent:
            slice_, self._unsent = self._unsent[:_MAX_APPEND_CHARACTERS], self._unsent[_MAX_APPEND_CHARACTERS:]
            text = streamed(slice_)
            if self._ts and self._characters + len(text) > _MAX_STREAM_CHARACTERS:
                self.stop()
            if not (self._ts and self._append(text)):
                self._start(text)

    def _append(self, text: str) -> bool:
        """Append to the open message; False if Slack has ended it, after some minutes or because it is full."""
        try:
            self._slack.call("chat.appendStream", channel=self._question.channel, ts=self._ts, markdown_text=text)
        except SlackError as error:
            if error.code not in ("message_not_in_streaming_state", "msg_too_long"):
                raise
            self.stop()
            return False
        self._characters += len(text)
        return True

    def _start(self, text: str) -> None:
        question, to = self._question, (self._question.team, self._question.user)
        self._ts = self._slack.start_stream(question.channel, question.thread, text, to, self._timestamps)
        self._timestamps.append(self._ts)
        self._characters = len(text)
        self._delivery.add(self._ts)
