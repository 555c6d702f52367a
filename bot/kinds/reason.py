"""Why: the best sentence if it has a cause, or with the sentences behind it that explain it; else a refusal.

A sentence that only tells what is asked about is no reason: of tests/newsroom.jsonl and the fresh questions of
2026-11-27 eleven why-questions without an answer are refused for this, and eight that have one.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.extract.answerability import predict
from bot.extract.events import is_same_event
from bot.extract.ranking import Candidate
from bot.extract.tuning import TUNED
from bot.kinds.scope import Found, Line, Scope, compose
from bot.kinds.unsaid import is_unsaid
from bot.query.followup import content_words
from bot.query.kind import Request
from bot.query.numbers import counted_stems
from bot.query.wording import is_past_form, word_key
from index.text import sentences, word_spans, words

_CAUSE = re.compile(
    r"\b(?:because|due|owing|result|caus\w+|blam\w+|reasons?|thanks|prompted|attributed|in order|so|since|after|forced"
    r"|led to|until|means|meant|to (?:avoid|prevent|save|protect|make|allow|let|help)|for \w+ing|therefore|when"
    r"|for fear|amid|over|advice|for lack|out of|aim\w*|intend\w*|fail\w*|broke\w*|abandon\w*|why|down to"
    r"|turned out)\b",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\b(?:because|due to|owing to|results? of|caus(?:ed|es)|blam\w+|reason|thanks to|prompted|attributed|triggered"
    r"|sparked|led to|started|set off|made|let|weakened|softened|fault\w*|failure|failed|broke|burst|snapped|overheated"
    r"|asleep)\b",
    re.IGNORECASE,
)
# Who looks into causes, and says what they were.
_FINDING = re.compile(
    r"\b(?:inquir\w+|inquest|investigat\w+|commission|experts?|engineers?|inspectors?|examin\w+|coroner"
    r"|report)\b[^.;]{0,60}?\b(?:said|says|found|finds|concluded|established|believe\w*|told)\b",
    re.IGNORECASE,
)
_OF_CAUSE = re.compile(r"\b(?:cause|why|reason|motive|too early to say)\b", re.IGNORECASE)
_NO_REASON = "No article that comes near gives a reason for it."
_MIN_CAUSE_LOGIT = -2.5  # of the reader, for a sentence with a strong word of cause, or a finding
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
_SURE_LOGIT = 2.0  # of the reader, for a sentence that gives the reason in no words of cause


def answer_reason(request: Request, scope: Scope) -> Found | None:
    """Quote the best sentence with what explains it, or refuse; None if it has a cause, and is quoted as ever."""
    retrieval = scope.retrieve_in_period(request.text)
    if not predict(retrieval).answerable:
        return None
    wanted, best = {word_key(word) for word in content_words(request.text)}, retrieval.ranked[0]
    is_consequence = _tells_harm(best.text) and not _tells_harm(request.text) and not _states_cause(best, wanted)
    if is_consequence or (is_unsaid(best.text) and _OF_CAUSE.search(best.text)):
        return _other_cause(request, scope, best, wanted)
    if not _WHY.match(request.text):
        return None
    if best.logit > TUNED.min_logit and not _is_subordinate(best, wanted):
        if _has_cause(best.text, wanted):
            return None
        if cause := _with_explanation(best):
            return compose([Line.of(cause, retrieval)])
    return None if best.logit >= _SURE_LOGIT else Found(refusal=_NO_REASON, is_final=False)


def _other_cause(request: Request, scope: Scope, best: Candidate, wanted: set[str]) -> Found:
    """Quote another sentence that states the cause, or that it is not known; else refuse."""
    retrievals = (scope.retrieve_in_period(text) for text in (request.text, f"{request.text} Inquiry: the cause of it"))
    unsaid: Found | None = None
    for retrieval in retrievals:
        near = [one for one in retrieval.ranked if is_same_event(best, one, request.text)]
        for one in near:
            is_open = is_unsaid(one.text) and _OF_CAUSE.search(one.text)
            if one.logit >= _MIN_CAUSE_LOGIT and not is_open and _states_cause(one, wanted):
                return compose([Line.of(one, retrieval)])
        open_ = (one for one in near if is_unsaid(one.text) and _OF_CAUSE.search(one.text))
        unsaid = unsaid or next((compose([Line.of(one, retrieval)]) for one in open_), None)
    return unsaid or Found(refusal=_NO_REASON, is_final=False)


def _states_cause(candidate: Candidate, wanted: set[str]) -> bool:
    """Whether a sentence states a cause in strong words, or what an inquiry has found."""
    strong = (match.group().lower() for match in _STRONG.finditer(candidate.text))
    return any(word_key(word) not in wanted for word in strong) or bool(_FINDING.search(candidate.text))


def _tells_harm(text: str) -> bool:
    """Whether a text tells of deaths or injuries: what came of it, and not why."""
    return any(counted_stems(f"how many {word}") & {"die", "hurt"} for word in words(text))


def _has_cause(text: str, wanted: set[str]) -> bool:
    """Whether a text has a word of cause that the question does not have itself: "why did it fail?"."""
    return any(word_key(match.group().lower()) not in wanted for match in _CAUSE.finditer(text))


def _with_explanation(best: Candidate) -> Candidate | None:
    """A sentence up to the one behind it that explains it."""
    for count in range(1, _MAX_SENTENCES_BEHIND + 1):
        longer = _with_next(best, count)
        if longer and _EXPLAINS.search(longer.text, len(best.text)):
            return longer
    return None


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
