"""Parts of an answer in Slack, and how many of them fit into a message.

Slack's limits: https://docs.slack.dev/reference/block-kit, and what it was seen to count.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple, TypeVar

from slack_sdk.models import blocks as kit

from bot.models import Citation, in_marks
from bot.plain_text import one_line
from bot.slack.rich_text import escaped, linked, literal, plain, section, shortened, size, split, text_block, text_of
from index.models import Source

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
