"""Answers to known questions, measured, for what shows and compares them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.evaluation.metrics import Cited, KnownQuestion, Outcome, measure
from bot.models import Answer, Refusal
from tests.fakes.examples import ANSWER

KNOWN = KnownQuestion(id="1", question="how many walked?", answerable=True, relevant=("a1",), answers=("40",))
SILENT = "The articles that come nearest do not answer it."


def outcome(known: KnownQuestion = KNOWN, answer: Answer = ANSWER, **changed: Any) -> Outcome:
    """An answer to a question, measured; ``changed`` are fields of the question."""
    known = known.model_copy(update=changed)
    cited = tuple(Cited(one.number, one.source.id, one.quote, valid=True) for one in answer.citations)
    return Outcome(known, answer, cited, measure(known, answer, cited), 12.5)


def refused(known: KnownQuestion = KNOWN, reason: str = SILENT, **changed: Any) -> Outcome:
    """A question that was refused."""
    return outcome(known, replace(ANSWER, citations=(), refusal=Refusal(reason)), **changed)


def said(text: str, known: KnownQuestion = KNOWN, **changed: Any) -> Outcome:
    """A question that was answered so."""
    return outcome(known, replace(ANSWER, text=text), **changed)
