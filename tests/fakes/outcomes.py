"""Answers to known questions, measured, for what shows and compares them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.evaluation.metrics import CheckedCitation, Outcome, measure
from bot.evaluation.questions import KnownQuestion
from bot.models import Answer, Refusal
from tests.fakes.examples import ANSWER

KNOWN = KnownQuestion(id="1", question="how many walked?", answerable=True, relevant=("a1",), answers=("40",))
SILENT = "The articles that come nearest do not answer it."


def outcome(expected: KnownQuestion = KNOWN, answer: Answer = ANSWER, **changed: Any) -> Outcome:
    """An answer to a question, measured; ``changed`` are labels of the question."""
    expected = expected.model_copy(update=changed)
    citations = tuple(
        CheckedCitation(citation.number, citation.source.id, citation.quote, valid=True)
        for citation in answer.citations
    )
    return Outcome(expected, answer, citations, measure(expected, answer, citations), 12.5)


def refused(expected: KnownQuestion = KNOWN, reason: str = SILENT, **changed: Any) -> Outcome:
    """A question that was refused."""
    return outcome(expected, replace(ANSWER, citations=(), refusal=Refusal(reason)), **changed)


def said(text: str, expected: KnownQuestion = KNOWN, **changed: Any) -> Outcome:
    """A question that was answered so."""
    return outcome(expected, replace(ANSWER, text=text), **changed)
