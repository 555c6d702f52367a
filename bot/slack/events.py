"""What Slack sends, read: payloads as questions, and threads as conversations."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.models import Turn
from bot.slack.asking import asks_the_bot, plain_text, question_of
from bot.slack.blocks import own_words
from bot.slack.connection import storable
from bot.slack.database import Question

_SUBTYPES_OF_PEOPLE = (None, "file_share", "thread_broadcast")
_SLACKBOT = "USLACKBOT"
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_ID = re.compile(r"[A-Za-z0-9_]{0,40}")
_TRIGGER = re.compile(r"[A-Za-z0-9_.-]{0,100}")
_TS = re.compile(r"([0-9]{1,20}\.[0-9]{1,19})?")
_MAX_QUESTION_CHARACTERS = 4_000
_MESSAGE_FORMS = {"user": _ID, "channel": _ID, "ts": _TS}
_MAX_TURNS = 20
_MAX_TURNS_CHARACTERS = 8_000

Payload = Mapping[str, Any]


UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""The errors of reading a payload with missing keys, other types or huge numbers."""


class Malformed(ValueError):
    """A payload is not as Slack writes it. The text names the error, and quotes nothing."""


@contextmanager
def reading() -> Iterator[None]:
    """Turn UNREADABLE errors into Malformed."""
    try:
        yield
    except Malformed:
        raise
    except UNREADABLE as error:
        raise Malformed(type(error).__name__) from None


@dataclass(frozen=True, slots=True)
class Interaction:
    """What a person did with a button, a modal or a page; what does not apply is "".

    ``value`` is the button's, or what the modal was opened with; ``text`` what was typed into the modal; ``thread`` a
    timestamp. ``channel`` begins with "D" where there is none, as in direct conversations.
    """

    team: str
    enterprise: str
    user: str
    channel: str
    trigger_id: str = ""
    response_url: str = ""
    value: str = ""
    text: str = ""
    thread: str = ""


@reading()
def interaction_of_click(body: Payload) -> Interaction:
    """Read a click on a button. Raises Malformed."""
    return _interaction(body, value=_storable(body["actions"][0].get("value")))


@reading()
def interaction_of_modal(body: Payload) -> Interaction:
    """Read what was typed into a modal. Raises Malformed."""
    view = body["view"]
    typed = _text(view["state"]["values"]["reason"]["reason"].get("value"))
    return _interaction(body, value=_storable(view["private_metadata"]), text=typed)


@reading()
def interaction_of_page(body: Payload) -> Interaction:
    """Read that the App Home or a pane was opened; the older assistant pane has a thread. Raises Malformed."""
    event = body["event"]
    thread = event.get("assistant_thread") or {}
    return Interaction(
        team_of(body), enterprise_of(body), _matched(_ID, thread.get("user_id") or event["user"]),
        _matched(_ID, thread.get("channel_id") or event.get("channel")) or "D",
        thread=_matched(_TS, thread.get("thread_ts")),
    )  # fmt: skip


def _interaction(body: Payload, *, value: str, text: str = "") -> Interaction:
    channel = _matched(_ID, (body.get("channel") or {}).get("id")) or "D"
    trigger, url = _matched(_TRIGGER, body.get("trigger_id")), _storable(body.get("response_url"))
    user = _matched(_ID, body["user"]["id"])
    return Interaction(team_of(body), enterprise_of(body), user, channel, trigger, url, value, text)


@reading()
def question_of_message(body: Payload, bot_user: str) -> Question | None:
    """Read a question from a `message` or `app_mention` event; None if it is certainly not for the bot.

    A mention in a channel comes as both events. Not for the bot: messages of bots, edits, deletions, joins and other
    notices, and messages in a thread that neither mention it nor plainly ask (bot/slack/asking.py). Raises Malformed.
    """
    event: Payload = body["event"]
    user, channel, ts = (_matched(form, event.get(name)) for name, form in _MESSAGE_FORMS.items())
    if event.get("subtype") not in _SUBTYPES_OF_PEOPLE or any(map(event.get, ("bot_id", "hidden", "edited"))):
        return None
    if not user or user in (bot_user, _SLACKBOT) or not channel or not ts:
        return None
    text, thread = _text(event.get("text")), _matched(_TS, event.get("thread_ts"))
    is_mentioned = bot_user in _MENTION.findall(text)
    addressed = is_mentioned or event.get("channel_type") == "im" or channel.startswith("D")
    if not addressed and (thread in ("", ts) or not asks_the_bot(event)):
        return None
    return _question(body, user, channel, question_of(event, bot_user), ts=ts, thread=thread, addressed=addressed)


@reading()
def question_of_command(body: Payload) -> Question:
    """Read the question after `/clippings`; only the asker sees the answer. Raises Malformed."""
    return _question(body, body["user_id"], body["channel_id"], plain_text(_text(body.get("text")), ""))


@reading()
def question_of_shortcut(body: Payload, bot_user: str) -> Question:
    """Read the message that "Ask about this message" was chosen on; only who chose it sees the answer.

    Raises Malformed.
    """
    _text(body["message"].get("text"))
    text = question_of(body["message"], bot_user)
    return _question(body, body["user"]["id"], body["channel"]["id"], text)


def question_of_example(click: Interaction, channel: str, ts: str) -> Question:
    """An example question of the App Home, posted as a message to the direct conversation."""
    return _question({"team": click.team, "enterprise": click.enterprise}, click.user, channel, click.value, ts=ts)


def _question(  # noqa: PLR0913  # what distinguishes the ways to ask
    body: Payload, user: str, channel: str, text: str, *, ts: str = "", thread: str = "", addressed: bool = True
) -> Question:
    """Make a question; without ``ts`` it is answered through the response URL."""
    team, user, channel = team_of(body), _required(_ID, user), _required(_ID, channel)
    key = f"{team}/{channel}/{ts}" if ts else f"{team}/{user}/{_required(_TRIGGER, body['trigger_id'])}"
    return Question(
        key=key, team=team, enterprise=enterprise_of(body), user=user, channel=channel, ts=ts, thread=thread or ts,
        text=text[:_MAX_QUESTION_CHARACTERS], addressed=addressed,
        response_url="" if ts else _storable(body["response_url"]), received=time.time(),
    )  # fmt: skip


def id_of(value: object) -> str:
    """An id of Slack's; "" for None. Raises Malformed."""
    return _matched(_ID, value)


def _matched(form: re.Pattern[str], value: object) -> str:
    """An id or a timestamp; "" for None. Raises Malformed."""
    if value is None or (isinstance(value, str) and form.fullmatch(value)):
        return value or ""
    raise Malformed("an id or a timestamp")


def _required(form: re.Pattern[str], value: object) -> str:
    if text := _matched(form, value):
        return text
    raise Malformed("no id")


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise Malformed("a text")


def _storable(value: object) -> str:
    """A text that every database takes. Raises Malformed."""
    if storable(text := _text(value)) == text:
        return text
    raise Malformed("a character")


def team_of(body: Payload) -> str:
    """The workspace that installed the bot, which may differ from the asker's."""
    for authorization in body.get("authorizations") or ():
        if authorization.get("team_id"):
            return _matched(_ID, authorization["team_id"])
    return _id_of(body, "team")


def enterprise_of(body: Payload) -> str:
    """The organisation of the workspace, or ""."""
    return _id_of(body, "enterprise")


def _id_of(body: Payload, name: str) -> str:
    value = body.get(name)
    return _matched(_ID, body.get(f"{name}_id") or (value.get("id") if isinstance(value, Mapping) else value))


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns before a message; ``takes_part``: the bot is among the speakers; ``left_out`` turns were too many.

    ``is_partial``: Slack did not let the bot read what it had not seen itself.
    """

    turns: tuple[Turn, ...] = ()
    takes_part: bool = False
    left_out: int = 0
    is_partial: bool = False


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
            turn = Turn("assistant", own_words(message.get("blocks") or (), text))
        elif message.get("bot_id") or message.get("subtype") == "bot_message":
            turn = Turn("user", "")
        else:
            turn = Turn("user", question_of(message, bot_user))
        yield str(message["ts"]), turn


def order(ts: str) -> tuple[int, int]:
    """Sort key of a timestamp: two counters; as a float, neighbours may be equal."""
    seconds, _, count = ts.partition(".")
    return int(seconds or 0), int(count or 0)


@reading()
def overheard(body: Payload, bot_user: str) -> tuple[str, str, str, str] | None:
    """Workspace, channel, thread and timestamp of what a person says in a thread, not to the bot. Raises Malformed."""
    event: Payload = body["event"]
    user, channel, ts = (_matched(form, event.get(name)) for name, form in _MESSAGE_FORMS.items())
    thread = _matched(_TS, event.get("thread_ts"))
    if event.get("subtype") not in _SUBTYPES_OF_PEOPLE or event.get("bot_id") or user in ("", bot_user):
        return None
    return (team_of(body), channel, thread, ts) if thread and ts and thread != ts else None
