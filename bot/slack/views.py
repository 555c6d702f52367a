"""The App Home and the modals: a passage, the reason for "Not helpful", a note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from slack_sdk.models import blocks as kit
from slack_sdk.models.views import View

from bot.plain_text import one_line, safe
from bot.slack.blocks import facts_block, how_to_ask, index_facts
from bot.slack.message_parts import button, headline, origin
from bot.slack.rich_text import linked, literal, plain, section, shortened, size, split, text_block
from index.models import Source

if TYPE_CHECKING:
    from index.status import Status

_MAX_MODAL_TITLE_CHARACTERS = 24
_MAX_BUTTON_CHARACTERS = 75
_MAX_REASON_CHARACTERS = 2_000
_MAX_MODAL_TEXT_SIZE = 2_400  # of a part of a quote or note, in `size`
_MAX_MODAL_SECTION_SIZE = 4_000
_MAX_PASSAGE_CHARACTERS = 3_000  # paragraphs are cut around their quotes to this
_MIN_CONTEXT_CHARACTERS = 600  # before and after a long quote, over all paragraphs


def home_view(status: Status | None, problem: str | None, examples: Sequence[str], *, admin: bool) -> View:
    """The App Home: what is indexed, or the problem; how to ask; example questions as buttons."""
    blocks: list[kit.Block] = [kit.HeaderBlock(text=plain("What I know"))]
    if status is not None:
        blocks.append(facts_block(index_facts(status)))
    if problem:
        blocks.append(text_block(literal(problem)))
    blocks += [kit.HeaderBlock(text=plain("How to ask")), *how_to_ask(literal("me"), admin=admin)]
    buttons = []
    for number, question in enumerate(map(one_line, examples), 1):
        text, label = (shortened(text, _MAX_BUTTON_CHARACTERS) for text in (question, f"Ask: {question}"))
        buttons.append(button(text, f"ask-{number}", question, label))
    if buttons:
        blocks += [kit.HeaderBlock(text=plain("Try one of these")), kit.ActionsBlock(block_id="ask", elements=buttons)]
    return View(type="home", blocks=blocks)


def refused_home_view(reason: str) -> View:
    """The App Home of who may not ask."""
    return View(type="home", blocks=[text_block(literal(reason))])


def passage_view(source: Source, passages: Sequence[Sequence[tuple[str, bool]]]) -> View:
    """Quotes in bold inside their paragraphs, as `marked_paragraphs` gives them; long text around a quote is cut."""
    quoted = sum(len(text) for runs in passages for text, is_quoted in runs if is_quoted)
    room = max(_MIN_CONTEXT_CHARACTERS, (_MAX_PASSAGE_CHARACTERS - quoted) // 2) // max(1, len(passages))
    title = section(linked(headline(source), source.url), literal(origin(source)))
    parts = (part for runs in passages for part in _passage_parts(runs, room))
    return _modal("Passage", title, *map(section, parts), callback_id="passage")


def _passage_parts(runs: Sequence[tuple[str, bool]], room: int) -> list[list[kit.RichTextElement]]:
    """A paragraph as sections that are not too long."""
    parts: list[list[kit.RichTextElement]] = [[]]
    used = 0
    for position, (text, is_quoted) in enumerate(runs):
        if is_quoted:
            shown = safe(text) or "…"
        else:
            shown = _cut(safe(text), room, begins=position > 0, ends=position < len(runs) - 1)
        for piece in split(shown, _MAX_MODAL_TEXT_SIZE):
            if used and used + size(piece) > _MAX_MODAL_SECTION_SIZE:
                parts.append([])
                used = 0
            parts[-1] += literal(piece, bold=is_quoted)
            used += size(piece)
    return parts


def _cut(text: str, room: int, *, begins: bool, ends: bool) -> str:
    """Cut a text beside quotes at words: it keeps its beginning if that follows a quote, its end if a quote follows."""
    if len(text) <= room * (begins + ends):
        return text
    start = (text[:room].rpartition(" ")[0] or text[:room]) if begins else ""
    end = (text[-room:].partition(" ")[2] or text[-room:]) if ends else ""
    return f"{start}…{end}"


def article_gone_view() -> View:
    """Say that the article was changed or removed after the answer."""
    return note_view("Passage", "This article was changed or removed after that answer. Ask again for a new answer.")


def note_view(title: str, text: str) -> View:
    """Show a text in a modal."""
    return _modal(title, *(section(literal(part)) for part in split(safe(text).strip() or "…", _MAX_MODAL_TEXT_SIZE)))


def reason_view(key: str) -> View:
    """Ask why the answer with this key was not helpful."""
    element = kit.PlainTextInputElement(action_id="reason", multiline=True, max_length=_MAX_REASON_CHARACTERS)
    label = plain("What was wrong with it, or missing?")
    reason = kit.InputBlock(block_id="reason", label=label, element=element, optional=True)
    return View(
        type="modal", callback_id="why", private_metadata=key, title=plain("Not helpful"),
        submit=plain("Send"), close=plain("Cancel"), blocks=[reason],
    )  # fmt: skip


def _modal(title: str, *sections: kit.RichTextSectionElement, callback_id: str | None = None) -> View:
    blocks = [kit.RichTextBlock(elements=[text]) for text in sections]
    heading = plain(shortened(title, _MAX_MODAL_TITLE_CHARACTERS))
    return View(type="modal", callback_id=callback_id, title=heading, close=plain("Close"), blocks=blocks)
