"""Why: a sentence with a cause, with the one that it leans on, before one that only has the words.

Of the answers to why-questions over tests/questions.jsonl, tests/newsroom.jsonl and CLAP NQ, 15 of the 16 right ones
had one of these causes, and 7 of the 12 that were quoted for want of an answer had none (2026-11-27).
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.extract.answerability import predict
from bot.extract.ranking import Candidate
from bot.kinds.scope import Found, Line, Scope, compose
from bot.query.followup import content_words
from bot.query.kind import Request
from bot.query.wording import word_key
from index.text import sentences, words

_CAUSE = re.compile(
    r"\b(?:because|due to|owing to|as a result of|caused by|blam(?:ed|es|ing)|reasons?|thanks to|prompted by"
    r"|attributed to|in order to|so that|after (?:it|they|he|she|\w+ed)|since (?:it|they|he|she)|the cause|to blame)\b",
    re.IGNORECASE,
)
_WEAK_CAUSE = re.compile(
    r"\b(?:because|due|owing|result|caus\w+|blam\w+|reasons?|thanks|prompted|attributed|in order|so|since|after|forced"
    r"|led to|until|means|meant|to (?:avoid|prevent|save|protect|make|allow|let|help)|therefore|when|for fear|amid|over"
    r"|advice|for lack|out of|aim\w*|intend\w*|fail\w*|broke\w*|abandon\w*|why)\b",
    re.IGNORECASE,
)
_WHY = re.compile(r"(?:and |but |so )?(?:why|how come)\b", re.IGNORECASE)
_MIN_SHARE = 0.5  # of the question's words, in the sentence with the one before it and the headline
_MAX_SCORE_GAP = 2.0  # below the best sentence


def answer_reason(request: Request, scope: Scope) -> Found | None:
    """Quote the best sentence with a cause, or refuse; None if the best of all has one, which is quoted as ever."""
    retrieval = scope.retrieve_in_period(request.text)
    if not predict(retrieval).answerable or _CAUSE.search(retrieval.ranked[0].text):
        return None
    wanted = {word_key(word) for word in content_words(request.text)}
    best = retrieval.ranked[0]
    near = [one for one in retrieval.ranked if one.score >= best.score - _MAX_SCORE_GAP and _is_about(one, wanted)]
    for candidate in near:
        if _CAUSE.search(candidate.text):
            return compose([Line.of(candidate, retrieval)])
    if _CAUSE.search(best.context.after) and (longer := _with_next(best)):
        return compose([Line.of(longer, retrieval)])
    if not _WHY.match(request.text) or _WEAK_CAUSE.search(f"{best.text} {best.context.after}"):
        return None
    return Found(refusal="No article that comes near gives a reason for it.", is_final=False)


def _is_about(candidate: Candidate, wanted: set[str]) -> bool:
    context = candidate.context
    held = {word_key(word) for word in words(f"{context.headline} {context.before} {candidate.text}")}
    return len(wanted & held) >= _MIN_SHARE * len(wanted)


def _with_next(candidate: Candidate) -> Candidate | None:
    """The candidate, longer by the next sentence."""
    passage = candidate.passage
    ends = [passage.start + span.end for span in sentences(passage.text) if passage.start + span.start >= candidate.end]
    if not ends:
        return None
    return replace(candidate, end=ends[0], text=passage.text[candidate.start - passage.start : ends[0] - passage.start])
