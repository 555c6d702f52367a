"""What Slack sends, read: payloads as questions and interactions; what a message asks, and whether it asks the bot.

Quoted and forwarded text is untrusted, as every message is: it becomes part of a question, and only so much of it.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.query.chitchat import reply
from bot.query.followup import asks_for_more, content_words, needs_completion, question_again
from bot.query.opening import without_opening
from bot.slack.connection import storable
from bot.slack.database import Question
from bot.slack.rich_text import text_of
from index.text import sentences

_SUBTYPES_OF_PEOPLE = (None, "file_share", "thread_broadcast")
_SLACKBOT = "USLACKBOT"
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_ID = re.compile(r"[A-Za-z0-9_]{0,40}")
_TRIGGER = re.compile(r"[A-Za-z0-9_.-]{0,100}")
_TS = re.compile(r"([0-9]{1,20}\.[0-9]{1,19})?")
_MAX_QUESTION_CHARACTERS = 4_000
_MESSAGE_FORMS = {"user": _ID, "channel": _ID, "ts": _TS}
Payload = Mapping[str, Any]
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""The errors of reading a payload with missing keys, other types or huge numbers."""

# What a message asks
_MAX_CONTEXT_CHARACTERS = 300  # of what a message quotes or forwards
_MAX_PARTS = 50  # Slack's limit of the blocks of a message
_NO_BRACKETS = str.maketrans("()", "  ")
_SPECIAL = re.compile(r"<([^<>]*)>")
_QUOTED_LINE = re.compile(r"^[ \t]*(?:&gt;)+[ \t]?(.*)$", re.MULTILINE)
_MESSAGE_ADDRESS = re.compile(r"https://[\w.-]+\.slack\.com/archives/")
# "Is this true?", "right?", "can you check this?": what is quoted is to be judged.
_JUDGE = re.compile(
    r"\A\W*(?:(?:so|and|hmm+|wait),? )?"
    r"(?:(?:is|was) (?:this|that|it)(?: really| actually| still)? |(?:can|could) you )?"
    r"(?:true|right|correct|so|accurate|legit|real|really|fact[- ]?check|check|verify|confirm)"
    r"(?: (?:this|that|it))?\W*",
    re.IGNORECASE,
)
_GROUP_OR_PERSON = re.compile(r"<@|<!(?!date\b)")
_NO_NAME = (
    r"(?:and|but|so|ok|okay|well|also|anyway|now|wait|hmm+|sorry|please|hi|hello|hey|right|yes|no|thanks|great|clippings"
    r"|bot|actually|then|true|today|yesterday|question|in|on|at|by|after|before|since|if|according)\b"
)
# "Tom, is it open?", "Thanks Ann, who has it?", "Is it open, Tom?"
_BY_NAME = re.compile(
    r"(?:(?i:hi|hey|hello|thanks|thank you|ok|okay|yes|no|sorry|right|great),? )?"
    rf"(?!(?i:{_NO_NAME}))[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)?,\s"
    r"|.*,\s(?!(?i:please|clippings)\b)[A-Z][\w'’-]+\s?[?!.]*$"
)
_TO_PEOPLE = re.compile(
    r"\b(?:do|did|are|were|will|would|should|shall|can|could|have|must) (?:you|u|we|ya|(?:some|any)(?:one|body))\b"
    r"(?! (?:have|got|know)\b)|\b(?:should|shall|may|must) i\b",
    re.IGNORECASE,
)
_MARKED = re.compile(r"\?(?:\W|$)")
_QUESTION_WORD = re.compile(r"(?:and |but |so )?(?:who|whom|whose|what|when|where|which|why|how)\b", re.IGNORECASE)
# Without a mark: "who won", "is it open"; not "What a mess", "How nice", "When it opened, we left.", "Will do".
_UNMARKED = re.compile(
    r"(?:and |but |so )?"
    r"(?:(?:who|whom|whose|what|when|where|which|why)\b(?! an?\b)"
    r"|how (?:many|much|old|long|far|often|did|does|do|is|are|was|were|has|have|can|will)\b"
    r"|(?:is|are|was|were|did|does|has|have|will) (?:the|it|they|he|she|there|that|any)\b)[^.!,]*$"
    r"|(?:list|compare|summari[sz]e|timeline of|show me|tell me (?:about(?! it\W*$)|who|what|when|where|why|how)) ",
    re.IGNORECASE,
)


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
    notices, and messages in a thread that neither mention it nor plainly ask (`asks_the_bot`). Raises Malformed.
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


@reading()
def overheard(body: Payload, bot_user: str) -> tuple[str, str, str, str] | None:
    """Workspace, channel, thread and timestamp of what a person says in a thread, not to the bot. Raises Malformed."""
    event: Payload = body["event"]
    user, channel, ts = (_matched(form, event.get(name)) for name, form in _MESSAGE_FORMS.items())
    thread = _matched(_TS, event.get("thread_ts"))
    if event.get("subtype") not in _SUBTYPES_OF_PEOPLE or event.get("bot_id") or user in ("", bot_user):
        return None
    return (team_of(body), channel, thread, ts) if thread and ts and thread != ts else None


def question_of(message: Mapping[str, Any], bot_user: str) -> str:
    """What a message asks, in one line: its own words, completed by what it quotes or forwards if they lean on it.

    "> 140 jobs will go" and "is that right?" -> "Is it true that 140 jobs will go?".
    """
    own, *quoted = _parts(message, bot_user)
    context = " ".join(" ".join(quoted).split())[:_MAX_CONTEXT_CHARACTERS]
    if not own or not context:
        return own or context
    if _JUDGE.fullmatch(own):
        spans = sentences(context)
        statement = context[slice(*spans[0])] if spans else context
        return statement if statement.endswith("?") else f"Is it true that {statement.rstrip(' .!…')}?"
    if needs_completion(own):
        return f"{own} ({' '.join(context.translate(_NO_BRACKETS).split()).strip(' .!?…')})"
    return own


def asks_the_bot(message: Mapping[str, Any]) -> bool:
    """Whether a message in a thread plainly asks, and nobody else: no mention, no name, no thanks, no statement."""
    raw = _QUOTED_LINE.sub("", str(message.get("text") or ""))
    own = _parts(message, "")[0]
    if _GROUP_OR_PERSON.search(raw) or _BY_NAME.match(own) or reply(own):
        return False
    if asks_for_more(own) or question_again(own, ()) is not None:
        return True
    asked = without_opening(own)
    says_enough = content_words(asked) or _QUESTION_WORD.match(asked) or (" " in asked and _JUDGE.fullmatch(asked))
    if _TO_PEOPLE.search(asked) or not says_enough:  # "really?"
        return False
    return bool(_MARKED.search(asked) or _UNMARKED.match(asked))


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


def _parts(message: Mapping[str, Any], bot_user: str) -> list[str]:
    """The own words of a message, then what it quotes and forwards; each in one line."""
    text = str(message.get("text") or "")
    quoted = _QUOTED_LINE.findall(text)
    own = plain_text(_QUOTED_LINE.sub(" ", text), bot_user)
    for block_quote in () if quoted else _block_quotes(message.get("blocks")):
        if block_quote in own:
            own = " ".join(own.replace(block_quote, " ", 1).split())
            quoted.append(block_quote)
    return [own, *(plain_text(each, bot_user) for each in (*quoted, *_forwarded(message.get("attachments"))))]


def _block_quotes(blocks: object) -> Iterator[str]:
    """The quotes of rich text."""
    for block in _mappings(blocks):
        for element in _mappings(block.get("elements")) if block.get("type") == "rich_text" else ():
            if element.get("type") == "rich_text_quote" and (quote := " ".join(text_of(element).split())):
                yield quote


def _forwarded(attachments: object) -> Iterator[str]:
    """The texts of messages that are forwarded or linked; not what Slack shows of a web page."""
    for attachment in _mappings(attachments):
        address = attachment.get("from_url")
        is_message = isinstance(address, str) and _MESSAGE_ADDRESS.match(address)
        if isinstance(text := attachment.get("text"), str) and (attachment.get("is_share") or is_message):
            yield text


def _mappings(values: object) -> list[Mapping[str, Any]]:
    return [value for value in values[:_MAX_PARTS] if isinstance(value, Mapping)] if isinstance(values, list) else []
