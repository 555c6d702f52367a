"""Why: the sentence that gives the cause, with the one that it leans on, before one that only has the words."""

from __future__ import annotations

import re

from bot.extract.answerability import predict
from bot.extract.ranking import Candidate
from bot.kinds.scope import Found, Line, Scope, compose
from bot.query.followup import content_words
from bot.query.kind import Request
from bot.query.wording import word_key
from index.text import words

_CAUSE = re.compile(
    r"\b(?:because|due to|owing to|as a result of|caused by|blam(?:ed|es|ing)|reasons?|thanks to|prompted by"
    r"|attributed to|in order to|so that|after (?:it|they|he|she|\w+ed)|since (?:it|they|he|she)|the cause|to blame)\b",
    re.IGNORECASE,
)
_MIN_SHARE = 0.5  # of the question's words, in the sentence with the one before it and the headline
_MAX_SCORE_GAP = 2.0  # below the best sentence


def answer_reason(request: Request, scope: Scope) -> Found | None:
    """Quote the best sentence with a cause; None if the best sentence has one, or none of the others does."""
    retrieval = scope.retrieve_in_period(request.text)
    if not predict(retrieval).answerable or _CAUSE.search(retrieval.ranked[0].text):
        return None
    wanted = {word_key(word) for word in content_words(request.text)}
    for candidate in retrieval.ranked[1:]:
        if candidate.score < retrieval.ranked[0].score - _MAX_SCORE_GAP:
            break
        if _CAUSE.search(candidate.text) and _is_about(candidate, wanted):
            return compose([Line.of(candidate, retrieval)])
    return None


def _is_about(candidate: Candidate, wanted: set[str]) -> bool:
    context = candidate.context
    held = {word_key(word) for word in words(f"{context.headline} {context.before} {candidate.text}")}
    return len(wanted & held) >= _MIN_SHARE * len(wanted)
