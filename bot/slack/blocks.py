"""What the bot says in Slack, as messages: an answer with its sources, an error, help, what is indexed.

An answer that is longer than a message becomes several, in order; the last one has the buttons for the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ContextActionsBlock,
    FeedbackButtonObject,
    FeedbackButtonsElement,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
    RichTextListElement,
)

from bot.models import REFUSAL, Answer
from bot.plain_text import MAX_OUTLETS_SHOWN, one_line, safe
from bot.query.dates import find_period
from bot.slack.pieces import MOST_TEXT, PART, Piece, button, cited, day, drawn, faint, fit, nearest, packs, told, words
from bot.slack.rich import escaped, literal, plain, section, shortened, split, unescaped
from index.models import Source

if TYPE_CHECKING:
    from index.status import Status

_QUESTION = 300  # characters of a question that are shown before its answer
_OUTLET = 40  # characters
_EXAMPLE = 70  # characters of an example question: a button's text takes 75
_ANSWER_ID = "answer-"
_MENTIONED = " in a channel, with your question. I answer in its thread."
_STANDS_ON = (
    "Each statement is quoted from the indexed articles or checked against them, and numbered with its source. "
    "Where the articles do not say, I say so."
)


class Message(NamedTuple):
    """A message: all of it in words, escaped, for notifications and screen readers; and as it is drawn."""

    text: str
    blocks: tuple[Block, ...]


def answer_messages(
    answer: Answer, key: str, *, asked_by: str | None = None, shareable: bool = False, note: str | None = None
) -> list[Message]:
    """An answer as messages. ``asked_by`` (a user's id) or ``shareable`` put the question before it."""
    pieces = [*_asked(answer.question, asked_by, shareable=shareable), *_said(answer)]
    pieces += [piece for line in (answer.notice, note) if line for piece in faint(line)]
    messages = [Message(told(pack), tuple(drawn(pack))) for pack in packs(pieces, fit)]
    if answer.answerer != "reply":
        last = messages[-1]
        messages[-1] = last._replace(blocks=(*last.blocks, *_closing(key, shareable=shareable, shared=bool(asked_by))))
    return messages


def error_message(sentence: str, key: str) -> Message:
    """An error in a sentence, with a button to try again."""
    said = plain_message(sentence)
    again = ActionsBlock(block_id="again", elements=[button("Try again", "retry", key)])
    return said._replace(blocks=(*said.blocks, again))


def plain_message(text: str) -> Message:
    """Sentences of our own, letter for letter, their paragraphs kept."""
    parts = split(safe(text).strip() or "…", PART)
    shown = parts[0] if len(parts) == 1 else f"{parts[0]}…"
    return Message(escaped(shown), (RichTextBlock(elements=[section(literal(shown))]),))


def status_message(status: Status, llm: str) -> Message:
    """What is indexed, whether it is well, and which language model writes."""
    problem = "something is wrong with the index; indexing the articles again repairs it"
    health = {"Health": "good" if status.healthy else problem}
    facts = known(status) | health | {"Language model": llm or "none; answers are quoted"}
    text = "\n".join(f"{name}: {one_line(value)}" for name, value in facts.items())
    return Message(escaped(split(text, MOST_TEXT)[0]), (facts_block(facts),))


def known(status: Status) -> dict[str, str]:
    """What is indexed, in words: how many articles, from when to when, from where, and as of when."""
    first, last, indexed = status.first_published, status.last_published, status.indexed_at
    dated = f", {day(first)} to {day(last)}" if first and last else ""
    outlets = sorted(status.outlets.items(), key=lambda outlet: (-outlet[1], outlet[0]))
    named = [
        f"{shortened(name, _OUTLET) or 'no outlet named'} ({count:,})" for name, count in outlets[:MAX_OUTLETS_SHOWN]
    ]
    more = f" and {len(outlets) - MAX_OUTLETS_SHOWN} more" if len(outlets) > MAX_OUTLETS_SHOWN else ""
    return {
        "Articles": f"{status.articles:,}{dated}",
        "Outlets": f"{', '.join(named)}{more}" or "none is named",
        "Last indexed": f"{day(indexed)}, {indexed:%H:%M %Z}".strip() if indexed else "never",
    }


def facts_block(facts: Mapping[str, str]) -> Block:
    """Facts, each on a line behind its name."""
    lines = [section(literal(f"{name}: ", bold=True), literal(one_line(value))) for name, value in facts.items()]
    return RichTextBlock(elements=lines)


def help_message(*, bot_user: str | None, admin: bool) -> Message:
    """How to ask, and what the answers stand on."""
    name: list[RichTextElement] = [RichTextElementParts.User(user_id=bot_user)] if bot_user else literal("me")
    lines = "\n".join(f"• {line}" for line in (f"Mention me{_MENTIONED}", *_ways(admin=admin)))
    text = f"Ask me about the indexed articles:\n{lines}\n{_STANDS_ON}"
    asking = RichTextBlock(elements=[section(literal("Ask me about the indexed articles:"))])
    return Message(escaped(text), (asking, *how_to_ask(name, admin=admin)))


def how_to_ask(name: Sequence[RichTextElement], *, admin: bool) -> list[Block]:
    """The ways to ask, in a list, and what the answers stand on. ``name`` is what is mentioned."""
    items = [section(literal("Mention "), name, literal(_MENTIONED))]
    items += [section(literal(way)) for way in _ways(admin=admin)]
    return [
        RichTextBlock(elements=[RichTextListElement(style="bullet", elements=items)]),
        RichTextBlock(elements=[section(literal(_STANDS_ON))]),
    ]


def _ways(*, admin: bool) -> list[str]:
    return [
        "Send me a direct message.",
        "Follow up in the thread: there I need no mention, and I know what was said before.",
        "/clippings and a question: only you see the answer, until you share it.",
        "“Ask about this message”, in the menu of any message.",
        "Send me “status” for what is indexed, and “help” for this.",
        *(["Send me “reindex” to have the articles read again: you are an admin."] if admin else []),
    ]


def examples(sources: Sequence[Source], count: int = 4) -> list[str]:
    """Questions about the newest articles, from different outlets first: ``Tell me about “Bridge reopens”``."""
    room = _EXAMPLE - len("Tell me about “”")
    first: list[str] = []
    more: list[str] = []
    outlets: set[str | None] = set()
    for source in sorted(sources, key=lambda source: source.published or date.min, reverse=True):
        question = f"Tell me about “{shortened(source.headline, room)}”"
        if not one_line(source.headline) or find_period(question, source.published or date.max):
            continue  # a question that names days would be answered from those alone
        (more if source.outlet in outlets else first).append(question)
        outlets.add(source.outlet)
    return list(dict.fromkeys([*first, *more]))[:count]


def spoken(blocks: Sequence[object], text: str) -> str:
    """The answer's own words in a message of ours that was read back from Slack; "" where it is no answer."""
    said = [block for block in blocks if isinstance(block, Mapping) and _is_answer(block)]
    if said:
        return "\n\n".join("".join(_texts(block)).strip() for block in said)
    if blocks:
        return ""
    whole = unescaped(text)  # Slack had refused the blocks
    sources = re.search(r"\n\n\[\d+\] ", whole)
    return whole[: sources.start()] if sources else REFUSAL if whole.startswith(REFUSAL) else ""


def _asked(question: str, asked_by: str | None, *, shareable: bool) -> list[Piece]:
    question = shortened(question, _QUESTION)
    if not (asked_by or shareable):
        return []
    who: list[RichTextElement] = [RichTextElementParts.User(user_id=asked_by)] if asked_by else literal("You")
    block = RichTextBlock(block_id="question", elements=[section(who, literal(f" asked: {question}"))])
    return [Piece(f"{f'<@{asked_by}>' if asked_by else 'You'} asked: {escaped(question)}", block)]


def _said(answer: Answer) -> list[Piece]:
    refusal = answer.refusal
    if refusal is None:
        parts = [part.strip() for part in split(safe(answer.text).strip() or "…", PART)]
        numbers = [f"[{citation.number}]" for citation in answer.citations]
        pieces = [words(part, f"{_ANSWER_ID}{number}", numbers) for number, part in enumerate(parts) if part]
        return pieces + [piece for citation in answer.citations for piece in cited(citation)]
    reasons = [words(part, f"reason-{number}") for number, part in enumerate(split(one_line(refusal.reason), PART))]
    heading = [words("Nearest headlines:", "nearest")] if refusal.nearest else []
    return [words(REFUSAL, f"{_ANSWER_ID}0"), *reasons, *heading, *map(nearest, refusal.nearest)]


def _closing(key: str, *, shareable: bool, shared: bool) -> list[Block]:
    """The buttons that concern the whole answer. One that was shared is not made again: it is its asker's."""
    feedback = FeedbackButtonsElement(
        action_id="feedback",
        positive_button=FeedbackButtonObject(
            text=plain("Helpful"), value=f"helpful {key}", accessibility_label="This answer was helpful"
        ),
        negative_button=FeedbackButtonObject(
            text=plain("Not helpful"), value=f"unhelpful {key}", accessibility_label="This answer was not helpful"
        ),
    )
    rows: list[Block] = [ContextActionsBlock(block_id="feedback", elements=[feedback])]
    buttons = [] if shared else [button("Try again", "retry", key, "Ask this question again")]
    if shareable:
        buttons.append(button("Share with the channel", "share", key))
    return [*rows, ActionsBlock(block_id="again", elements=buttons)] if buttons else rows


def _is_answer(block: Mapping[object, object]) -> bool:
    return str(block.get("block_id") or "").startswith(_ANSWER_ID)


def _texts(element: object) -> Iterator[str]:
    """The texts of rich text, whatever it is made of."""
    if isinstance(element, Mapping):
        if isinstance(element.get("text"), str):
            yield element["text"]
        yield from _texts(element.get("elements"))
    elif isinstance(element, list | tuple):
        for inner in element:
            yield from _texts(inner)
