"""What Slack sends, read: payloads as questions, and threads as conversations."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.models import Turn
from bot.slack.blocks import own_words
from bot.slack.database import MAX_KEY_CHARACTERS, Question

_SUBTYPES_OF_PEOPLE = (None, "file_share", "thread_broadcast")
_SLACKBOT = "USLACKBOT"
_SPECIAL = re.compile(r"<([^<>]*)>")
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_MAX_QUESTION_CHARACTERS = 4_000
_MAX_TURNS = 20
_MAX_TURNS_CHARACTERS = 8_000

Payload = Mapping[str, Any]


def question_of_message(body: Payload, bot_user: str) -> Question | None:
    """Read a question from a `message` or `app_mention` event; None if it is certainly not for the bot.

    A mention in a channel comes as both events. Not for the bot: messages of bots, edits, deletions, joins and other
    notices, and messages that mention another person and not the bot.
    """
    event: Payload = body["event"]
    user, channel, ts = (str(event.get(name) or "") for name in ("user", "channel", "ts"))
    if event.get("subtype") not in _SUBTYPES_OF_PEOPLE or any(map(event.get, ("bot_id", "hidden", "edited"))):
        return None
    if not user or user in (bot_user, _SLACKBOT) or not channel or not ts:
        return None
    text, thread = str(event.get("text") or ""), str(event.get("thread_ts") or "")
    mentioned = set(_MENTION.findall(text))
    addressed = bot_user in mentioned or event.get("channel_type") == "im" or channel.startswith("D")
    if not addressed and (mentioned or thread in ("", ts)):
        return None
    return _question(body, user, channel, plain_text(text, bot_user), ts=ts, thread=thread, addressed=addressed)


def question_of_command(body: Payload) -> Question:
    """Read the question after `/clippings`; only the asker sees the answer."""
    return _question(body, str(body["user_id"]), str(body["channel_id"]), plain_text(str(body.get("text") or ""), ""))


def question_of_shortcut(body: Payload, bot_user: str) -> Question:
    """Read the message that "Ask about this message" was chosen on; only who chose it sees the answer."""
    text = plain_text(str(body["message"].get("text") or ""), bot_user)
    return _question(body, str(body["user"]["id"]), str(body["channel"]["id"]), text)


def question_of_example(body: Payload, text: str, channel: str, ts: str) -> Question:
    """An example question of the App Home, posted as a message to the direct conversation."""
    return _question(body, str(body["user"]["id"]), channel, text, ts=ts)


def _question(  # noqa: PLR0913  # what distinguishes the ways to ask
    body: Payload, user: str, channel: str, text: str, *, ts: str = "", thread: str = "", addressed: bool = True
) -> Question:
    """Make a question; without ``ts`` it is answered through the response URL."""
    team = team_of(body)
    key = f"{team}/{channel}/{ts}" if ts else f"{team}/{user}/{body['trigger_id']}"[:MAX_KEY_CHARACTERS]
    return Question(
        key=key, team=team, enterprise=enterprise_of(body), user=user, channel=channel, ts=ts, thread=thread or ts,
        text=text[:_MAX_QUESTION_CHARACTERS], addressed=addressed,
        response_url="" if ts else str(body["response_url"]), received=time.time(),
    )  # fmt: skip


def plain_text(text: str, bot_user: str) -> str:
    """A message as it is shown, without mentions: ``"<@UBOT> is <http://a.b|it> &lt;1" -> "is it <1"``."""

    def shown(match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        if target.startswith("@"):
            return label if label and target[1:] != bot_user else " "
        if target.startswith("#"):
            return f"#{label}" if label else " "
        if target.startswith("!"):
            return label or " "
        return label or target.removeprefix("mailto:")

    return " ".join(html.unescape(_SPECIAL.sub(shown, text)).split())


def team_of(body: Payload) -> str:
    """The workspace that installed the bot, which may differ from the asker's."""
    for authorization in body.get("authorizations") or ():
        if authorization.get("team_id"):
            return str(authorization["team_id"])
    return _id_of(body, "team")


def enterprise_of(body: Payload) -> str:
    """The organisation of the workspace, or ""."""
    return _id_of(body, "enterprise")


def _id_of(body: Payload, name: str) -> str:
    value = body.get(name)
    return str(body.get(f"{name}_id") or (value.get("id") if isinstance(value, Mapping) else value) or "")


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns before a message; ``takes_part``: the bot is among the speakers; ``left_out`` turns were too many."""

    turns: tuple[Turn, ...] = ()
    takes_part: bool = False
    left_out: int = 0


def conversation(replies: Sequence[Payload], before: str, bot_user: str) -> Conversation:
    """Read the last turns of a thread before a timestamp: at most 20, and 8,000 characters."""
    earlier = [message for message in replies if _order(str(message["ts"])) < _order(before)]
    turns = [turn for message in earlier if (turn := _turn(message, bot_user)).text]
    kept: list[Turn] = []
    for turn in reversed(turns[-_MAX_TURNS:]):
        if sum(len(later.text) for later in kept) + len(turn.text) > _MAX_TURNS_CHARACTERS:
            break
        kept.insert(0, turn)
    takes_part = any(message.get("user") == bot_user for message in earlier)
    return Conversation(tuple(kept), takes_part, len(turns) - len(kept))


def _turn(message: Payload, bot_user: str) -> Turn:
    text = str(message.get("text") or "")
    if message.get("user") == bot_user:
        return Turn("assistant", own_words(message.get("blocks") or (), text))
    if message.get("bot_id") or message.get("subtype") == "bot_message":
        return Turn("user", "")
    return Turn("user", plain_text(text, bot_user))


def _order(ts: str) -> tuple[int, int]:
    """Sort key of a timestamp: two counters; as a float, neighbours may be equal."""
    seconds, _, count = ts.partition(".")
    return int(seconds or 0), int(count or 0)
