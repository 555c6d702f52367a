"""An answer while it is made: shown as it grows, and only for the time until the whole one takes its place."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.slack.rich import streamed
from bot.slack.web import Slack, SlackError

if TYPE_CHECKING:
    from bot.slack.database import Question

_FULL = 9_000  # characters of a streamed message; Slack ends it at 12,000 or before
_PART = _FULL // 5  # characters at a time, since markup in them grows
_PAUSE = 0.7  # seconds between two calls: Slack takes about 100 a minute
_log = logging.getLogger(__name__)


class Preview:
    """Streams to a thread. It never raises: what could not be shown now is shown with the whole answer."""

    def __init__(self, slack: Slack, question: Question, began: Callable[[str], None]) -> None:
        """``began`` is told the timestamp of each message, at once."""
        self._slack, self._question, self._began = slack, question, began
        self._open = ""
        self._size = 0
        self._timestamps: list[str] = []
        self._waiting = ""
        self._last = 0.0
        self._given_up = False

    def add(self, piece: str) -> None:
        """Show a piece of text, together with the next ones where they come too fast."""
        self._waiting += piece
        if self._given_up or time.monotonic() - self._last < _PAUSE:
            return
        try:
            self._send()
        except SlackError as error:
            _log.warning("the answer could not be streamed (%s)", error)
            self._given_up = True
        self._last = time.monotonic()

    def stop(self) -> None:
        """Let the last message grow no more."""
        if not self._open:
            return
        try:
            self._slack.stop_stream(self._question.channel, self._open)
        except SlackError as error:
            _log.warning("a stream could not be stopped (%s)", error)
        self._open = ""

    def _send(self) -> None:
        while self._waiting:
            part, self._waiting = self._waiting[:_PART], self._waiting[_PART:]
            text = streamed(part)
            if self._open and self._size + len(text) > _FULL:
                self.stop()
            if not (self._open and self._append(text)):
                self._start(text)

    def _append(self, text: str) -> bool:
        """Whether the open message took it: Slack ends one by itself, after some minutes or where it is full."""
        try:
            self._slack.call("chat.appendStream", channel=self._question.channel, ts=self._open, markdown_text=text)
        except SlackError as error:
            if error.code not in ("message_not_in_streaming_state", "msg_too_long"):
                raise
            self.stop()
            return False
        self._size += len(text)
        return True

    def _start(self, text: str) -> None:
        asked = self._question
        to = (asked.team, asked.user)
        self._open = self._slack.start_stream(asked.channel, asked.thread, text, to, self._timestamps)
        self._timestamps.append(self._open)
        self._size = len(text)
        self._began(self._open)
