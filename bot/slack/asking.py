"""What a message asks, with what it quotes or forwards; and whether a message in a thread asks the bot at all.

Quoted and forwarded text is untrusted, as every message is: it becomes part of a question, and only so much of it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.query.chitchat import reply
from bot.query.followup import asks_for_more, content_words, needs_completion, question_again
from bot.query.opening import without_opening
from bot.slack.rich_text import text_of
from index.text import sentences

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
