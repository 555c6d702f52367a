"""What the bot opens in Slack: its Home, and the windows of a passage, of a reason and of a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    HeaderBlock,
    InputBlock,
    PlainTextInputElement,
    RichTextBlock,
    RichTextSectionElement,
)
from slack_sdk.models.views import View

from bot.plain_text import one_line, safe
from bot.slack.blocks import facts_block, how_to_ask, known
from bot.slack.pieces import button, headline, origin
from bot.slack.rich import linked, literal, plain, section, shortened, split
from index.models import Source

if TYPE_CHECKING:
    from index.status import Status

_TITLE = 24  # characters
_BUTTON = 75
_LONGEST_REASON = 2_000
_PART = 2_400  # of a quote, in `size`
_AROUND = 3_000  # characters of a passage: what is around its quote is cut to it
_LEAST_AROUND = 600


def home_view(status: Status | None, problem: str | None, examples: Sequence[str], *, admin: bool) -> View:
    """The Home: what the bot knows, how to ask, and questions to try."""
    blocks: list[Block] = [HeaderBlock(text=plain("What I know"))]
    if status is not None:
        blocks.append(facts_block(known(status)))
    if problem:
        blocks.append(RichTextBlock(elements=[section(literal(problem))]))
    blocks += [HeaderBlock(text=plain("How to ask")), *how_to_ask(literal("me"), admin=admin)]
    if examples:
        asking = [_ask(number, question) for number, question in enumerate(examples, 1)]
        blocks += [HeaderBlock(text=plain("Try one of these")), ActionsBlock(block_id="ask", elements=asking)]
    return View(type="home", blocks=blocks)


def passage_view(source: Source, before: str, quote: str, after: str) -> View:
    """A quote, in bold, inside its paragraph. Where that is long, only what is around the quote is shortened."""
    room = max(_LEAST_AROUND, (_AROUND - len(quote)) // 2)
    parts = split(safe(quote), _PART) or ["…"]
    runs = [literal(part, bold=True) for part in parts]
    runs[0] = literal(_end(safe(before), room)) + runs[0]
    runs[-1] = runs[-1] + literal(_beginning(safe(after), room))
    title = section(linked(headline(source), source.url), literal(origin(source)))
    return _window("Passage", title, *(section(run) for run in runs), callback_id="passage")


def gone_view() -> View:
    """The article is not what it was when the answer was made."""
    return note_view("Passage", "This article has changed or gone since that answer. Ask again to read what it says.")


def note_view(title: str, text: str) -> View:
    """A sentence in a window."""
    return _window(title, *(section(literal(part)) for part in split(safe(text).strip() or "…", _PART)))


def why_view(key: str) -> View:
    """AnswerEngine why the answer of a key was not helpful."""
    reason = PlainTextInputElement(action_id="reason", multiline=True, max_length=_LONGEST_REASON)
    label = plain("What was wrong with it, or missing?")
    asked = InputBlock(block_id="reason", label=label, element=reason, optional=True)
    return View(
        type="modal", callback_id="why", private_metadata=key, title=plain("Not helpful"),
        submit=plain("Send"), close=plain("Cancel"), blocks=[asked],
    )  # fmt: skip


def _window(title: str, *paragraphs: RichTextSectionElement, callback_id: str | None = None) -> View:
    blocks = [RichTextBlock(elements=[paragraph]) for paragraph in paragraphs]
    shown = plain(shortened(title, _TITLE))
    return View(type="modal", callback_id=callback_id, title=shown, close=plain("Close"), blocks=blocks)


def _ask(number: int, question: str) -> ButtonElement:
    question = one_line(question)
    return button(shortened(question, _BUTTON), f"ask-{number}", question, shortened(f"Ask: {question}", _BUTTON))


def _beginning(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return (text[:most].rpartition(" ")[0] or text[:most]) + "…"


def _end(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return "…" + (text[-most:].partition(" ")[2] or text[-most:])
