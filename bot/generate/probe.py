"""What a language model can do of what answers need: it is asked about one passage, which is made up."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from bot.generate.llm import stream_answer
from bot.generate.marks import MARKS
from bot.generate.verify import VerifiedDraft, verify
from index.models import ClippingsError, Passage, Source

if TYPE_CHECKING:
    from bot.generate.llm import LLM

_DAY = date(2024, 5, 7)
_TEXT = "The repair of the Ennis pier will cost 5 million euros, the port said on Monday. Work starts in June."
_PASSAGE = Passage("probe", Source("probe", "Pier repair", published=_DAY), _TEXT, 0, len(_TEXT), 1.0)


def abilities(llm: LLM) -> dict[str, bool]:
    """Map what a model should do to whether it does: ``{"answer from a passage": True}``."""
    try:
        reply, draft = _ask(llm, "What will the repair of the Ennis pier cost?")
        _, refusal = _ask(llm, "Who designed the Ennis pier?")
    except ClippingsError:
        return {"answer a question in time": False}
    return {
        "answer from a passage": "5 million" in draft.text,
        "cite the passage": MARKS.search(reply) is not None,
        "say that a passage does not answer": refusal.refused,
    }


def _ask(llm: LLM, question: str) -> tuple[str, VerifiedDraft]:
    reply = "".join(stream_answer(llm, question, [_PASSAGE], as_of=_DAY))
    return reply, verify(reply, question, [_PASSAGE], lambda _statement, _premise: 1.0)  # numbers are certain
