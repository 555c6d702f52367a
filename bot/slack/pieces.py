"""What an answer is made of in Slack, piece by piece, and how many of the pieces one message holds.

Slack's limits, and what it was seen to count: https://docs.slack.dev/reference/block-kit.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from typing import NamedTuple, TypeVar

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    RichTextBlock,
    RichTextElement,
    RichTextListElement,
    RichTextQuoteElement,
)

from bot.models import Citation, in_marks
from bot.plain_text import one_line
from bot.slack.rich import escaped, linked, literal, plain, section, shortened, size, split
from index.models import Source

MOST_TEXT = 3_900  # UTF-8 bytes of a message's text; chat.update takes 4,000
PART = 3_000  # of an answer's text, in `size`
_QUOTE = 1_000  # of a quoted sentence, in `size`
# Characters of a message's blocks as JSON, without those for the whole answer. Slack takes about 13,000, and it seems
# not the texts alone that it counts. With this there are fewer than 45 blocks, too: none is shorter than 190.
_MOST_JSON = 8_000
_ROW = 5  # buttons
_LONGEST_VALUE = 2_000  # of a button
_HEADLINE, _OUTLET = 200, 80  # characters that are shown
_T = TypeVar("_T")


class Piece(NamedTuple):
    """What is not divided between two messages: its words, escaped, its block, and a button that belongs to it."""

    text: str
    block: Block
    button: ButtonElement | None = None


def words(text: str, block_id: str, numbers: Collection[str] = ()) -> Piece:
    """Text, with the numbers of the sources in bold."""
    runs = [literal(run, bold=run in numbers) for run in re.split(r"(\[\d+\])", text)]
    return Piece(escaped(text), RichTextBlock(block_id=block_id, elements=[section(*runs)]))


def cited(citation: Citation) -> Iterator[Piece]:
    """A source: number, headline, outlet, date and quote; then, on a line, who else told the story."""
    number, source = f"[{citation.number}] ", citation.source
    first, *rest = split(in_marks(one_line(citation.quote)), _QUOTE)
    title = section(literal(number, bold=True), linked(headline(source), source.url), literal(origin(source)))
    block = RichTextBlock(elements=[title, RichTextQuoteElement(elements=literal(first))])
    yield Piece(escaped(f"{number}{headline(source)}{origin(source)}\n{first}"), block, _passage(citation))
    for more in rest:
        yield Piece(escaped(more), RichTextBlock(elements=[RichTextQuoteElement(elements=literal(more))]))
    for sources in packs(citation.also_in, lambda some: sum(map(_weight, some)) <= PART):
        yield _also(sources)


def nearest(source: Source) -> Piece:
    """An article that might be of help, in a list."""
    item = section(linked(headline(source), source.url), literal(origin(source)))
    block = RichTextBlock(elements=[RichTextListElement(style="bullet", elements=[item])])
    return Piece(escaped(f"• {headline(source)}{origin(source)}"), block)


def faint(text: str) -> Iterator[Piece]:
    """A line about the answer itself."""
    for part in split(one_line(text), _QUOTE):
        yield Piece(escaped(part), ContextBlock(elements=[plain(part)]))


def button(text: str, action: str, value: str, label: str | None = None) -> ButtonElement:
    """A button; ``label`` is what a screen reader says in place of its text."""
    return ButtonElement(text=plain(text), action_id=action, value=value, accessibility_label=label)


def mark(quote: str) -> str:
    """What a quote is recognized by when its article may have changed: eight hex digits."""
    return hashlib.sha256(quote.encode("utf-8", "replace")).hexdigest()[:8]


def headline(source: Source) -> str:
    """The headline of an article in one line, or that it has none."""
    return shortened(source.headline, _HEADLINE) or "(no headline)"


def origin(source: Source) -> str:
    """Outlet and day, to stand behind a headline: `` · The Courier · 3 January 2024``."""
    outlet, published = shortened(source.outlet or "", _OUTLET), source.published
    told = day(published) + ("" if source.published_certain else " (uncertain)") if published else "no date"
    return "".join(f" · {part}" for part in (outlet, told) if part)


def day(when: date) -> str:
    """A day in words: ``3 January 2024``."""
    return f"{when.day} {when:%B} {when.year}"


def packs(items: Sequence[_T], fit: Callable[[Sequence[_T]], bool]) -> list[list[_T]]:
    """Items in order, as many together as fit."""
    packed: list[list[_T]] = []
    for item in items:
        if packed and fit([*packed[-1], item]):
            packed[-1].append(item)
        else:
            packed.append([item])
    return packed


def fit(pieces: Sequence[Piece]) -> bool:
    """Whether pieces are no more than one message takes."""
    json_size = sum(len(json.dumps(block.to_dict(), ensure_ascii=False)) for block in drawn(pieces))
    return len(told(pieces).encode()) <= MOST_TEXT and json_size <= _MOST_JSON


def told(pieces: Sequence[Piece]) -> str:
    """The text of a message: all of it in words."""
    return "\n\n".join(piece.text for piece in pieces)


def drawn(pieces: Sequence[Piece]) -> list[Block]:
    """The blocks of a message: what is said, the buttons of its sources in rows, and the faint lines."""
    blocks = [piece.block for piece in pieces]
    buttons = [piece.button for piece in pieces if piece.button]
    rows = [buttons[start : start + _ROW] for start in range(0, len(buttons), _ROW)]
    return [
        *(block for block in blocks if not isinstance(block, ContextBlock)),
        *(ActionsBlock(block_id=f"passages-{number}", elements=row) for number, row in enumerate(rows)),
        *(block for block in blocks if isinstance(block, ContextBlock)),
    ]


def _also(sources: Sequence[Source]) -> Piece:
    runs: list[Sequence[RichTextElement]] = []
    for source in sources:
        runs += [literal(", " if runs else "Also in: "), linked(_teller(source), source.url)]
    text = escaped(f"Also in: {', '.join(map(_teller, sources))}")
    return Piece(text, RichTextBlock(elements=[section(*runs)]))


def _teller(source: Source) -> str:
    return shortened(source.outlet or "", _OUTLET) or headline(source)


def _weight(source: Source) -> int:
    """How much of a line another source takes, its address and the JSON around it included."""
    return size(_teller(source)) + len(source.url or "") + 100


def _passage(citation: Citation) -> ButtonElement | None:
    """The button that opens the passage of a quote. There is none for an article whose id no button can hold."""
    value = json.dumps(
        {"id": citation.source.id, "start": citation.start, "end": citation.end, "mark": mark(citation.quote)}
    )
    number = citation.number
    if len(value) > _LONGEST_VALUE:
        return None
    return button(f"Show passage {number}", f"passage-{number}", value, f"Show passage {number} in its paragraph")
