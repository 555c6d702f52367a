"""Facts for which the nearest sentence is not enough: what is left open or withdrawn, numbers, dates, deeds."""

from __future__ import annotations

from bot.kinds.counted import answer_amount, answer_count, answer_revised
from bot.kinds.deed import answer_deed
from bot.kinds.scope import Found, Scope
from bot.kinds.unsaid import answer_corrected, answer_unsaid
from bot.query.kind import Request

_WAYS = (answer_unsaid, answer_corrected, answer_revised, answer_amount, answer_count, answer_deed)


def answer_fact(request: Request, scope: Scope) -> Found | None:
    """Answer by the first of the ways that has an answer; None leaves it to the best quotes."""
    return next((found for way in _WAYS if (found := way(request, scope))), None)
