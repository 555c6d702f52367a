"""Messages of the bot: an answer with its sources, an error, help, what is indexed.

An answer that does not fit into one message becomes several; the last one has the buttons for the whole answer.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from slack_sdk.models import blocks as kit

from bot.models import REFUSAL, Answer, Citation, by_number, in_marks
from bot.plain_text import MAX_OUTLETS_SHOWN, one_line, safe
from bot.query.dates import find_period
from bot.slack.rich_text import (
    escaped,
    linked,
    literal,
    plain,
    section,
    shortened,
    size,
    split,
    text_block,
    text_of,
    unescaped,
)
from index.models import Source

if TYPE_CHECKING:
    from bot.slack.review import Gaps
    from index.status import Status

_MAX_MESSAGE_BYTES = 3_900  # of a message's text in UTF-8; chat.update takes 4,000
MAX_TEXT_SIZE = 3_000  # of a paragraph of the answer, in `size`
_MAX_QUOTE_SIZE = 1_000  # of a quoted sentence, in `size`
# Characters of a message's blocks in JSON, without the buttons for the whole answer. Slack takes about 13,000, and
# seems to count more than the texts. Also keeps a message under Slack's 50 blocks: no block is shorter than 190.
_MAX_JSON_CHARACTERS = 8_000
_MAX_BUTTONS_PER_ROW = 5
_MAX_BUTTON_VALUE_CHARACTERS = 2_000
_MAX_PASSAGE_QUOTES = 20  # that a button shows in their article
_MAX_HEADLINE_CHARACTERS, _MAX_OUTLET_CHARACTERS = 200, 80
_T = TypeVar("_T")
_MAX_SHOWN_QUESTION_CHARACTERS = 300
_MAX_TOPICS, _MAX_PER_TOPIC, _MAX_GAP_CHARACTERS = 10, 3, 120  # of what could not be answered
_MAX_STATUS_OUTLET_CHARACTERS = 40
_MAX_EXAMPLE_CHARACTERS = 70  # a button's text takes 75
_ANSWER_ID = "answer-"  # block ids of an answer's own words begin with this
_EVIDENCE = (
    "Each statement is quoted from the indexed articles or checked against them, and numbered with its source. "
    "Where the articles do not say, I say so."
)
_WAYS = (
    " in a channel, with your question. I answer in its thread.",  # after "Mention @Clippings"
    "Send me a direct message.",
    "Follow up in the thread: you need no mention there, and I know the messages before.",
    "/clippings and a question: only you see the answer, until you share it.",
    "“Ask about this message”, in the menu of any message.",
    "Send me “status” for what is indexed, and “help” for this list.",
)
_ADMIN_WAY = "You are an admin: send me “reindex” to have the articles read again, “gaps” for what I could not answer."


class Message(NamedTuple):
    """Blocks, and their escaped text for notifications and screen readers."""

    text: str
    blocks: tuple[kit.Block, ...]


class Part(NamedTuple):
    """A block that belongs to one message with its escaped text and its button."""

    text: str
    block: kit.Block
    button: kit.ButtonElement | None = None


def make_part(block: kit.Block, button: kit.ButtonElement | None = None) -> Part:
    """Make a part whose text is what its block shows."""
    return Part(escaped(text_of(block.to_dict())), block, button)


def text_part(text: str, block_id: str, bold: Collection[str] = (), short: str = "") -> Part:
    """Text with its beginning in bold, if that is ``short``, and some numbers, such as ``[1]``."""
    lead = short if text.startswith(short) else ""
    runs = [literal(run, bold=run in bold) for run in re.split(r"(\[\d+\])", text.removeprefix(lead))]
    return make_part(text_block(literal(lead, bold=True), *runs, block_id=block_id))


def citation_parts(cited: Sequence[Citation]) -> Iterator[Part]:
    """Number, headline, outlet, date and quotes of an article; after quotes the other outlets with the same story."""
    source, button = cited[0].source, _passage_button(cited)
    number = literal(f"[{cited[0].number}] ", bold=True)
    title = [section(number, linked(headline(source), source.url), literal(origin(source)))]
    for also_in, alike in groupby(cited, key=lambda citation: citation.also_in):
        for citation in alike:
            for text in split(in_marks(one_line(citation.quote)), _MAX_QUOTE_SIZE):
                quote = kit.RichTextQuoteElement(elements=literal(text))
                yield make_part(kit.RichTextBlock(elements=[*title, quote]), button)
                title, button = [], None
        for sources in _pack(also_in, lambda some: sum(map(_also_size, some)) <= MAX_TEXT_SIZE):
            runs: list[Sequence[kit.RichTextElement]] = []
            for other in sources:
                runs += [literal(", " if runs else "Also in: "), linked(_outlet(other), other.url)]
            yield make_part(text_block(*runs))


def headline_part(source: Source) -> Part:
    """An article as a bullet."""
    item = section(linked(headline(source), source.url), literal(origin(source)))
    return make_part(kit.RichTextBlock(elements=[kit.RichTextListElement(style="bullet", elements=[item])]))


def note_parts(text: str) -> Iterator[Part]:
    """A line about the answer, in small grey type."""
    for line in split(one_line(text), _MAX_QUOTE_SIZE):
        yield make_part(kit.ContextBlock(elements=[plain(line)]))


def button(text: str, action_id: str, value: str, label: str | None = None) -> kit.ButtonElement:
    """A button; screen readers say ``label`` instead of its text."""
    return kit.ButtonElement(text=plain(text), action_id=action_id, value=value, accessibility_label=label)


def quote_digest(quotes: str) -> str:
    """Eight hex digits that tell whether an article still says the same."""
    return hashlib.sha256(quotes.encode("utf-8", "replace")).hexdigest()[:8]


def headline(source: Source) -> str:
    """The headline in one line, or "(no headline)"."""
    return shortened(source.headline, _MAX_HEADLINE_CHARACTERS) or "(no headline)"


def origin(source: Source) -> str:
    """Outlet and day, to follow a headline: `` · The Courier · 3 January 2024``."""
    outlet, published = shortened(source.outlet or "", _MAX_OUTLET_CHARACTERS), source.published
    date_text = long_date(published) + ("" if source.published_certain else " (uncertain)") if published else "no date"
    return "".join(f" · {text}" for text in (outlet, date_text) if text)


def long_date(day: date) -> str:
    """A day in words: ``3 January 2024``."""
    return f"{day.day} {day:%B} {day.year}"


def make_messages(parts: Sequence[Part]) -> list[Message]:
    """Lay out parts as few messages, in order."""
    return [_assemble(group) for group in _pack(parts, _fit)]


def make_message(*blocks: kit.Block) -> Message:
    """Make a message of blocks that fit; their text is cut if it does not."""
    text = "\n".join(text_of(block.to_dict()) for block in blocks)
    return Message(escaped(split(text, _MAX_MESSAGE_BYTES)[0]), blocks)


def _pack(items: Sequence[_T], fit: Callable[[Sequence[_T]], bool]) -> list[list[_T]]:
    """Group items in order, each group as large as fits; a single item always fits."""
    groups: list[list[_T]] = []
    for item in items:
        if groups and fit([*groups[-1], item]):
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def _fit(parts: Sequence[Part]) -> bool:
    """Whether one message can hold the parts."""
    message = _assemble(parts)
    json_size = sum(len(json.dumps(block.to_dict(), ensure_ascii=False)) for block in message.blocks)
    return len(message.text.encode()) <= _MAX_MESSAGE_BYTES and json_size <= _MAX_JSON_CHARACTERS


def _assemble(parts: Sequence[Part]) -> Message:
    """Make a message: text and sources, rows of passage buttons, notes."""
    blocks, buttons = [part.block for part in parts], [part.button for part in parts if part.button]
    rows = [buttons[start : start + _MAX_BUTTONS_PER_ROW] for start in range(0, len(buttons), _MAX_BUTTONS_PER_ROW)]
    text_blocks = [block for block in blocks if not isinstance(block, kit.ContextBlock)]
    button_rows = [kit.ActionsBlock(block_id=f"passages-{number}", elements=row) for number, row in enumerate(rows)]
    notes = [block for block in blocks if isinstance(block, kit.ContextBlock)]
    return Message("\n\n".join(part.text for part in parts), (*text_blocks, *button_rows, *notes))


def _outlet(source: Source) -> str:
    return shortened(source.outlet or "", _MAX_OUTLET_CHARACTERS) or headline(source)


def _also_size(source: Source) -> int:
    """Share of the "Also in" line, with the url and some 100 characters of JSON."""
    return size(_outlet(source)) + len(source.url or "") + 100


def _passage_button(cited: Sequence[Citation]) -> kit.ButtonElement | None:
    """The button that shows the quotes in their article; None if the article's id is too long for a button."""
    cited = cited[:_MAX_PASSAGE_QUOTES]
    first, number = cited[0], cited[0].number
    place: dict[str, object] = {"id": first.source.id, "start": first.start, "end": first.end}
    if len(cited) > 1:
        place["more"] = [(citation.start, citation.end) for citation in cited[1:]]
    value = json.dumps(place | {"mark": quote_digest("".join(citation.quote for citation in cited))})
    if len(value) > _MAX_BUTTON_VALUE_CHARACTERS:
        return None
    return button(f"Show passage {number}", f"passage-{number}", value, f"Show passage {number} in its paragraph")


def answer_messages(
    answer: Answer, key: str, *, asked_by: str | None = None, shareable: bool = False, note: str | None = None
) -> list[Message]:
    """Lay out an answer. The question comes first if the answer is ``shareable``, or shared by ``asked_by`` (an id)."""
    parts = [_question_part(answer.question, asked_by)] if asked_by or shareable else []
    parts += _refusal_parts(answer) if answer.refusal else _answer_parts(answer)
    parts += [part for line in (answer.notice, note) if line for part in note_parts(line)]
    messages = make_messages(parts)
    if answer.answerer != "reply":
        buttons = _answer_buttons(key, shareable=shareable, shared=bool(asked_by))
        messages[-1] = messages[-1]._replace(blocks=(*messages[-1].blocks, *buttons))
    return messages


def error_message(text: str, key: str) -> Message:
    """An error with a button to try again."""
    message = plain_message(text)
    retry = kit.ActionsBlock(block_id="again", elements=[button("Try again", "retry", key)])
    return message._replace(blocks=(*message.blocks, retry))


def plain_message(text: str) -> Message:
    """Text to the letter, in paragraphs, cut to one message."""
    first, *rest = split(safe(text).strip() or "…", MAX_TEXT_SIZE)
    return make_message(text_block(literal(f"{first}…" if rest else first)))


def status_message(status: Status, llm: str) -> Message:
    """What is indexed, the state of the index, and the language model."""
    problem = "something is wrong with the index; indexing the articles again repairs it"
    health = {"Health": "good" if status.healthy else problem}
    return make_message(
        facts_block(index_facts(status) | health | {"Language model": llm or "none; answers are quoted"})
    )


def gaps_message(gaps: Gaps) -> Message:
    """What could not be answered, by topic, with the questions that were asked in public."""
    count = f"{gaps.refused} of {gaps.questions} questions in the last {gaps.days} days"
    heading = text_block(literal(f"What the articles did not say: {count}."))
    items = []
    for topic in gaps.topics[:_MAX_TOPICS]:
        public = list(dict.fromkeys(asked.question for asked in topic.questions if not asked.is_private))
        shown = [f"“{shortened(one_line(question), _MAX_GAP_CHARACTERS)}”" for question in public[:_MAX_PER_TOPIC]]
        hidden = sum(asked.is_private for asked in topic.questions)
        more = [f"{hidden} asked in private"] if hidden else []
        label = (topic.label if public else "") or "other"
        text = f" ({len(topic.questions)}): {', '.join([*shown, *more])}"
        items.append(section(literal(label, bold=True), literal(text)))
    lists = [kit.RichTextBlock(elements=[kit.RichTextListElement(style="bullet", elements=items)])] if items else []
    return make_message(heading, *lists)


def index_facts(status: Status) -> dict[str, str]:
    """Number of articles with first and last day, the largest outlets, and the time of indexing."""
    first, last, indexed = status.first_published, status.last_published, status.indexed_at
    period = f", {long_date(first)} to {long_date(last)}" if first and last else ""
    outlets = sorted(status.outlets.items(), key=lambda outlet: (-outlet[1], outlet[0]))
    largest = ", ".join(
        f"{shortened(name, _MAX_STATUS_OUTLET_CHARACTERS) or 'no outlet named'} ({count:,})"
        for name, count in outlets[:MAX_OUTLETS_SHOWN]
    )
    more = f" and {len(outlets) - MAX_OUTLETS_SHOWN} more" if len(outlets) > MAX_OUTLETS_SHOWN else ""
    return {
        "Articles": f"{status.articles:,}{period}",
        "Outlets": f"{largest}{more}" or "none is named",
        "Last indexed": f"{long_date(indexed)}, {indexed:%H:%M %Z}".strip() if indexed else "never",
    }


def facts_block(facts: Mapping[str, str]) -> kit.Block:
    """Facts on lines of their own, names in bold."""
    lines = [section(literal(f"{name}: ", bold=True), literal(one_line(value))) for name, value in facts.items()]
    return kit.RichTextBlock(elements=lines)


def help_message(*, bot_user: str, admin: bool) -> Message:
    """How to ask, and what answers are based on; ``bot_user`` is an id, or ""."""
    heading = text_block(literal("Ask me about the indexed articles:"))
    mention: list[kit.RichTextElement] = (
        [kit.RichTextElementParts.User(user_id=bot_user)] if bot_user else literal("me")
    )
    text = make_message(heading, *how_to_ask(literal("me"), admin=admin)).text
    return Message(text, (heading, *how_to_ask(mention, admin=admin)))


def how_to_ask(bot: Sequence[kit.RichTextElement], *, admin: bool) -> list[kit.Block]:
    """The ways to ask in a list, and what answers are based on; ``bot`` is its mention or name."""
    mention, *ways = (*_WAYS, _ADMIN_WAY) if admin else _WAYS
    items = [section(literal("Mention "), bot, literal(mention)), *(section(literal(way)) for way in ways)]
    return [
        kit.RichTextBlock(elements=[kit.RichTextListElement(style="bullet", elements=items)]),
        text_block(literal(_EVIDENCE)),
    ]


def examples(sources: Sequence[Source], count: int = 4) -> list[str]:
    """Questions about the newest articles, different outlets first: ``Tell me about “Bridge reopens”``."""
    room = _MAX_EXAMPLE_CHARACTERS - len("Tell me about “”")
    first: list[str] = []
    more: list[str] = []
    outlets: set[str | None] = set()
    for source in sorted(sources, key=lambda source: source.published or date.min, reverse=True):
        question = f"Tell me about “{shortened(source.headline, room)}”"
        if not one_line(source.headline) or find_period(question, source.published or date.max):
            continue  # a question with a date would prefer the articles of that date
        (more if source.outlet in outlets else first).append(question)
        outlets.add(source.outlet)
    return list(dict.fromkeys([*first, *more]))[:count]


def own_words(blocks: Sequence[object], text: str) -> str:
    """The answer's own words in a message read back from Slack, without sources; "" if it is not an answer."""
    if blocks:
        ids = ((block, str(block.get("block_id"))) for block in blocks if isinstance(block, Mapping))
        return "\n\n".join(text_of(block).strip() for block, block_id in ids if block_id.startswith(_ANSWER_ID))
    whole = unescaped(text)  # Slack had refused the blocks
    sources = re.search(r"\n\n\[\d+\] ", whole)
    return whole[: sources.start()] if sources else REFUSAL if whole.startswith(REFUSAL) else ""


def _question_part(question: str, asked_by: str | None) -> Part:
    text = f" asked: {shortened(question, _MAX_SHOWN_QUESTION_CHARACTERS)}"
    asker: list[kit.RichTextElement] = [kit.RichTextElementParts.User(user_id=asked_by)] if asked_by else literal("You")
    return Part(
        (f"<@{asked_by}>" if asked_by else "You") + escaped(text), text_block(asker, literal(text), block_id="question")
    )


def _answer_parts(answer: Answer) -> list[Part]:
    numbers = [f"[{citation.number}]" for citation in answer.citations]
    paragraphs = [text.strip() for text in split(safe(answer.text).strip() or "…", MAX_TEXT_SIZE)]
    parts = [
        text_part(text, f"{_ANSWER_ID}{number}", numbers, "" if number else safe(answer.short or ""))
        for number, text in enumerate(paragraphs)
        if text
    ]
    cited = by_number(answer.citations).values()
    return parts + [part for quotes in cited for part in citation_parts(quotes)]


def _refusal_parts(answer: Answer) -> list[Part]:
    if answer.refusal is None:
        return []
    reason = split(one_line(answer.refusal.reason), MAX_TEXT_SIZE)
    parts = [text_part(REFUSAL, f"{_ANSWER_ID}0"), *(text_part(text, f"reason-{n}") for n, text in enumerate(reason))]
    if answer.refusal.nearest:
        parts += [text_part("Nearest headlines:", "nearest"), *map(headline_part, answer.refusal.nearest)]
    return parts


def _answer_buttons(key: str, *, shareable: bool, shared: bool) -> list[kit.Block]:
    """Feedback, try again, share. A shared answer has no "try again": only its asker may replace it."""
    helpful, unhelpful = (
        kit.FeedbackButtonObject(
            text=plain(text), value=f"{value} {key}", accessibility_label=f"This answer was {text.lower()}"
        )
        for text, value in (("Helpful", "helpful"), ("Not helpful", "unhelpful"))
    )
    feedback = kit.FeedbackButtonsElement(action_id="feedback", positive_button=helpful, negative_button=unhelpful)
    buttons = [] if shared else [button("Try again", "retry", key, "Ask this question again")]
    buttons += [button("Share with the channel", "share", key)] if shareable else []
    rows: list[kit.Block] = [kit.ContextActionsBlock(block_id="feedback", elements=[feedback])]
    return [*rows, kit.ActionsBlock(block_id="again", elements=buttons)] if buttons else rows
