"""What was said before, read from the thread itself: so a restart forgets nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.models import Turn
from bot.slack.blocks import spoken
from bot.slack.events import plain_text

_MOST_TURNS = 20
_MOST_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns before a message, and whether the bot took part. ``left_out``: how many turns were too many."""

    turns: tuple[Turn, ...]
    takes_part: bool
    left_out: int = 0


def conversation(replies: Sequence[Mapping[str, Any]], before: str, bot_user: str) -> Conversation:
    """The conversation of a thread before the message of a timestamp, its last turns where there are too many."""
    earlier = [message for message in replies if _moment(str(message["ts"])) < _moment(before)]
    turns = [turn for message in earlier if (turn := _turn(message, bot_user)).text]
    kept: list[Turn] = []
    for turn in reversed(turns[-_MOST_TURNS:]):
        if sum(len(each.text) for each in kept) + len(turn.text) > _MOST_CHARACTERS:
            break
        kept.insert(0, turn)
    takes_part = any(message.get("user") == bot_user for message in earlier)
    return Conversation(tuple(kept), takes_part, len(turns) - len(kept))


def _turn(message: Mapping[str, Any], bot_user: str) -> Turn:
    if message.get("user") == bot_user:
        said = spoken(message.get("blocks") or (), str(message.get("text") or ""))
        return Turn("assistant", said)
    if message.get("bot_id") or message.get("subtype") == "bot_message":
        return Turn("user", "")
    return Turn("user", plain_text(str(message.get("text") or ""), bot_user))


def _moment(ts: str) -> tuple[int, int]:
    """A timestamp to compare by: its two parts are counted apart, and a float is too coarse for them."""
    seconds, _, count = ts.partition(".")
    return int(seconds or 0), int(count or 0)
