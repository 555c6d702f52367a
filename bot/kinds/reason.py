"""Why: a sentence with a cause, with the one that it leans on, before one that only has the words.

Of the answers to why-questions over tests/questions.jsonl, tests/newsroom.jsonl and CLAP NQ, 15 of the 16 right ones
had one of these causes, and 7 of the 12 that were quoted for want of an answer had none (2026-11-27).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.extract.answerability import predict
from bot.extract.decontextualize import is_anaphoric
from bot.extract.ranking import Candidate
from bot.kinds.scope import Found, Line, Scope, compose
from bot.query.followup import content_words
from bot.query.kind import Request
from bot.query.wording import is_past_form, word_key
from index.text import names, sentences, word_spans, words

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
# In the sentences behind it: what had happened before, and an account in other words.
_EXPLAINS = re.compile(
    r"\b(?:because|due to|owing|result|caus\w+|blam\w+|reasons?|explain\w*|so that|therefore|believed|until"
    r"|had (?:\w+ )?(?:been|not|never|\w+(?:ed|en|wn|own|ut|et|ft|lt|nt|pt|ne|un))|forced|prompted|led to|in protest"
    r"|advice|for fear)\b",
    re.IGNORECASE,
)
# "… when it dismissed him": what is asked about stands in the cause itself, and explains something else.
_SUBORDINATE = re.compile(r"\b(?:when|after|before|until|since|although|though|while|where)\b[^,;:]*\Z", re.IGNORECASE)
_MAX_SENTENCES_BEHIND = 2
_MIN_SHARE = 0.5  # of the question's words, in the sentence with the one before it and the headline
_SURE_SHARE = 0.75  # of them, in a sentence of another article, or one that only stands near a cause
_SURE_LOGIT = 2.0  # of the reader, for a sentence that gives the reason in no words of cause
_MAX_SCORE_GAP = 2.0  # below the best sentence


def answer_reason(request: Request, scope: Scope) -> Found | None:
    """Quote the best sentence with a cause, or refuse; None if the best of all has one, which is quoted as ever."""
    retrieval = scope.retrieve_in_period(request.text)
    if not predict(retrieval).answerable or _CAUSE.search(retrieval.ranked[0].text):
        return None
    wanted = {word_key(word) for word in content_words(request.text)}
    best = retrieval.ranked[0]
    near = [
        candidate
        for candidate in retrieval.ranked
        if candidate.score >= best.score - _MAX_SCORE_GAP and _is_about(candidate, wanted, best, request.text)
    ]
    cause = _with_cause(near, best, wanted)
    is_why = bool(_WHY.match(request.text))
    if not cause and is_why and _has_weak_cause(best.text, wanted) and not _is_subordinate(best, wanted):
        return None
    if cause := cause or (_with_explanation(near, best, wanted) if is_why else None):
        return compose([Line.of(cause, retrieval)])
    if not is_why or best.logit >= _SURE_LOGIT:
        return None
    return Found(refusal="No article that comes near gives a reason for it.", is_final=False)


def _has_weak_cause(text: str, wanted: set[str]) -> bool:
    """Whether a text has a word of cause that the question does not have itself: "why did it fail?"."""
    return any(word_key(match.group().lower()) not in wanted for match in _WEAK_CAUSE.finditer(text))


def _with_cause(near: Sequence[Candidate], best: Candidate, wanted: set[str]) -> Candidate | None:
    """The first sentence with a certain cause, or the best one with the next sentence if that has it."""
    for candidate in near:
        is_beside = candidate.passage.source.id == best.passage.source.id
        if _CAUSE.search(candidate.text) and (is_beside or _share(candidate, wanted) >= _SURE_SHARE):
            return candidate
    return _with_next(best, 1) if _CAUSE.search(best.context.after) else None


def _with_explanation(near: Sequence[Candidate], best: Candidate, wanted: set[str]) -> Candidate | None:
    """The first sentence that tells what is asked about, up to the sentence behind it that explains it."""
    for candidate in near:
        share = _share(candidate, wanted, is_alone=not is_anaphoric(candidate.text))
        if _is_subordinate(candidate, wanted) or not (candidate is best or _is_close(candidate, share, wanted)):
            continue
        if share == 1 and candidate is not best and _EXPLAINS.search(candidate.text):
            return candidate
        for count in range(1, _MAX_SENTENCES_BEHIND + 1):
            longer = _with_next(candidate, count)
            if longer and _EXPLAINS.search(longer.text, len(candidate.text)):
                return longer
    return None


def _is_about(candidate: Candidate, wanted: set[str], best: Candidate, question: str) -> bool:
    """Whether it has half of the question's words, and the names of the question that the best sentence has."""
    names_there = {name for name in names(question) if name in words(best.text)}
    return _share(candidate, wanted) >= _MIN_SHARE and names_there <= set(_context_words(candidate))


def _share(candidate: Candidate, wanted: set[str], *, is_alone: bool = False) -> float:
    """The share of the question's words in a sentence with the headline and, unless alone, the sentence before."""
    context = candidate.context
    held = words(f"{context.headline} {candidate.text}") if is_alone else _context_words(candidate)
    return len(wanted & set(map(word_key, held))) / max(1, len(wanted))


def _is_close(candidate: Candidate, share: float, wanted: set[str]) -> bool:
    """Whether a sentence that is not the best has most of the question's words, and half without the headline."""
    return share >= _SURE_SHARE and len(wanted & set(map(word_key, words(candidate.text)))) >= _MIN_SHARE * len(wanted)


def _context_words(candidate: Candidate) -> list[str]:
    context = candidate.context
    return words(f"{context.headline} {context.before} {candidate.text}")


def _is_subordinate(candidate: Candidate, wanted: set[str]) -> bool:
    """Whether the last word of the question's that stands here does so in a clause of time or a relative clause."""
    spans = [span for word, span in word_spans(candidate.text) if word_key(word) in wanted and is_past_form(word)]
    return bool(spans) and all(_SUBORDINATE.search(candidate.text[: span.start]) for span in spans)


def _with_next(candidate: Candidate, count: int) -> Candidate | None:
    """The candidate, longer by the next sentences of its paragraph; None if there are not that many."""
    passage = candidate.passage
    ends = [passage.start + span.end for span in sentences(passage.text) if passage.start + span.start >= candidate.end]
    if len(ends) < count:
        return None
    end = ends[count - 1]
    text = passage.text[candidate.start - passage.start : end - passage.start]
    return None if "\n\n" in text else replace(candidate, end=end, text=text)
