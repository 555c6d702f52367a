"""The conversation before a question: what the bot itself saw of it, and from Slack only what it did not see.

Slack lets apps outside its marketplace read a thread once a minute, 15 messages at most. So a thread that began with a
question to the bot is not read at all, unless people have said something else in it; another one is read once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot import serialize
from bot.models import Turn
from bot.slack import blocks
from bot.slack.database import Database, Exchange, Question
from bot.slack.events import Payload, question_of
from bot.slack.web import RATE_LIMITED, TEMPORARY, Slack, SlackError

_MAX_READ = 1_000  # threads that are remembered
_MAX_TURNS = 20
_MAX_TURNS_CHARACTERS = 8_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns before a message; ``takes_part``: the bot is among the speakers; ``left_out`` turns were too many.

    ``is_partial``: Slack did not let the bot read what it had not seen itself.
    """

    turns: tuple[Turn, ...] = ()
    takes_part: bool = False
    left_out: int = 0
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    """What Slack gave of a thread: turns by their timestamps, up to one."""

    turns: tuple[tuple[str, Turn], ...] = ()
    until: str = "0"
    takes_part: bool = False


class Threads:
    """The threads that questions are asked in. Safe to share between threads of the process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read: dict[str, _Read] = {}
        self._lock = threading.Lock()

    def conversation(self, question: Question, slack: Slack) -> Conversation:
        """The turns before a question; only what the bot saw itself if Slack lets it read no more.

        Raises SlackError if Slack cannot be reached, and DatabaseError.
        """
        if question.ephemeral or question.thread == question.ts:
            return Conversation()
        place = f"{question.team}/{question.channel}/{question.thread}"
        own, overheard = self._database.thread(question)
        known = self._read.get(place) or (_Read() if own and own[0].ts == question.thread else None)
        if known and question.text and (order(overheard) <= order(known.until) or not (own or question.addressed)):
            return _joined(known, own)
        try:
            read = _read(slack.replies(question.channel, question.thread), question, slack.bot_user)
        except SlackError as error:
            if error.code in TEMPORARY and error.code != RATE_LIMITED:
                raise
            if not question.addressed and error.code != RATE_LIMITED:
                raise
            _log.warning("the thread could not be read key=%s (%s)", question.key, error)
            return replace(_joined(known or _Read(), own), is_partial=True)
        with self._lock:
            self._read.pop(place, None)
            self._read[place] = read
            if len(self._read) > _MAX_READ:
                del self._read[next(iter(self._read))]
        return _joined(read, own)


def _read(replies: Sequence[Mapping[str, Any]], question: Question, bot_user: str) -> _Read:
    earlier = [message for message in replies if order(str(message["ts"])) < order(question.ts)]
    takes_part = any(message.get("user") == bot_user for message in earlier)
    last = max((str(message["ts"]) for message in replies), key=order, default="0")
    return _Read(tuple(turns_of(earlier, bot_user)), min(last, question.ts, key=order), takes_part)


def _joined(read: _Read, own: Sequence[Exchange]) -> Conversation:
    later = [exchange for exchange in own if order(exchange.ts) > order(read.until)]
    turns = [turn for _, turn in read.turns] + [turn for exchange in later for turn in _turns(exchange)]
    return last_turns(turns, takes_part=read.takes_part or any(exchange.is_posted for exchange in own))


def _turns(exchange: Exchange) -> Iterator[Turn]:
    """A question, and the words of its answer as the thread holds them."""
    yield Turn("user", exchange.text)
    if exchange.answer is not None and exchange.is_posted:
        for message in blocks.answer_messages(serialize.read_answer(exchange.answer), ""):
            yield Turn("assistant", blocks.own_words([block.to_dict() for block in message.blocks], message.text))


def last_turns(turns: Sequence[Turn], *, takes_part: bool) -> Conversation:
    """Keep the last turns with words: at most 20, and 8,000 characters."""
    turns = [turn for turn in turns if turn.text]
    kept: list[Turn] = []
    for turn in reversed(turns[-_MAX_TURNS:]):
        if sum(len(later.text) for later in kept) + len(turn.text) > _MAX_TURNS_CHARACTERS:
            break
        kept.insert(0, turn)
    return Conversation(tuple(kept), takes_part, len(turns) - len(kept))


def turns_of(replies: Sequence[Payload], bot_user: str) -> Iterator[tuple[str, Turn]]:
    """The turns of a thread with their timestamps; empty those of other bots, and the bot's own but for answers."""
    for message in replies:
        text = str(message.get("text") or "")
        if message.get("user") == bot_user:
            turn = Turn("assistant", blocks.own_words(message.get("blocks") or (), text))
        elif message.get("bot_id") or message.get("subtype") == "bot_message":
            turn = Turn("user", "")
        else:
            turn = Turn("user", question_of(message, bot_user))
        yield str(message["ts"]), turn


def order(ts: str) -> tuple[int, int]:
    """Sort key of a timestamp: two counters; as a float, neighbours may be equal."""
    seconds, _, count = ts.partition(".")
    return int(seconds or 0), int(count or 0)
