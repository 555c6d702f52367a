"""How many: a number that counts what is asked about, and of deaths and injuries the latest of each event.

A number of other things is no answer, however near it stands: of "How many were injured?" not that of the dead.
"""

from __future__ import annotations

import re
from datetime import date

from bot.extract.answerability import predict
from bot.extract.events import event_names, is_newer, is_same_event, is_toll, latest_toll, with_latest_figure
from bot.extract.ranking import Candidate, Retrieval
from bot.kinds.scope import Found, Line, Scope, compose, day
from bot.query.followup import content_words
from bot.query.kind import Request
from bot.query.numbers import FATES, counted_noun, counted_stems, counts, fate_of, find_counts, is_amount, unit_of
from bot.query.wording import is_past_form
from index.models import Span
from index.text import STOP_WORDS, stem, words

_ACCIDENTS = frozenset(map(stem, "accident disaster crash tragedy incident event".split()))
_MAX_EVENTS = 4
_MIN_LOGIT = 0.0  # of the reader, for another sentence than the best
_NUMBER_WORD = re.compile(
    r"\b(?:no|none|nobody|no ?one|one|both|a couple|several|dozens|scores|hundreds|thousands|millions|half|third)\b",
    re.IGNORECASE,
)
_OF_A_WHOLE = re.compile(
    r"\bhow many\b[^?]{0,60}?\b(?:(?:does|do|did)\b[^?]{0,60}?\b(?:have|own|run|operate)\b|(?:are|were) there)\b",
    re.IGNORECASE,
)
_PLACE_BEFORE = re.compile(
    r"\b(?:in|at|from|to|across|among|another|a further)\s+(?:about |some |around )?\Z", re.IGNORECASE
)
_COUNTING = re.compile(r"\bhow many\b|\btoll\b|\bnumber of\b", re.IGNORECASE)
_WORKING = re.compile(r"\b(?:work|works|worked|working|employ\w*)\b", re.IGNORECASE)
_IS_REVISED = re.compile(
    r"\b(?:lower|rais|reduc|increas|revis|halv|doubl|scal|dropp)\w* (?:back |down |up )?(?:(?:its|his|her|their|the) )?"
    r"(?:\w+ )?(?:demand|offer|claim|bid|target|forecast|estimate|plan|price|charge|fare|fee)s?\b"
    r"|\bnow (?:asks?|wants?|demands?|offers?|seeks?|expects?|plans?|puts?)\b|\binstead of\b"
    r"|\bnot\b[^.;]{0,20}\bas planned\b",
    re.IGNORECASE,
)
_BELONGING = frozenset("attend work live belong make sit serve study play".split())
_HOW_MUCH = re.compile(r"(?:and |but |so )?how much (?:has|have|had|do|does|did|will|would|is|was)\b", re.IGNORECASE)
_NO_NUMBER = "No article that comes near gives this number."
_BLAND = frozenset(
    map(
        stem,
        """latest current newest recent new now far toll number figure people person count many total overall altogether
        confirmed""".split(),
    )
)


def answer_count(request: Request, scope: Scope) -> Found | None:
    """Tell several events apart, quote a sentence that counts what is asked, or refuse; None if the best one does."""
    retrieval = scope.retrieve_in_period(request.text)
    noun, fates = counted_noun(request.text), retrieval.query.counted & FATES
    if not retrieval.ranked or not (noun or fates) or not _COUNTING.search(request.text):
        return None
    noun = "workers" if noun == "people" and _WORKING.search(request.text) else noun
    if fates & {"die", "hurt"} and (several := _events(request.text, fates & {"die", "hurt"}, retrieval, scope)):
        return several
    if not predict(retrieval).answerable:
        return None
    counting = [one for one in retrieval.ranked if _counts(one, noun, fates, request.text)]
    if counting and (counting[0] is retrieval.ranked[0] or counting[0].logit >= _MIN_LOGIT):
        return None if counting[0] is retrieval.ranked[0] else compose([Line.of(counting[0], retrieval)])
    return Found(refusal=_NO_NUMBER, is_final=False)


def answer_amount(request: Request, scope: Scope) -> Found | None:
    """Refuse where "how much" would get a count of things: "61 bets"."""
    retrieval = scope.retrieve_in_period(request.text) if _HOW_MUCH.match(request.text) else None
    if retrieval is None or not predict(retrieval).answerable:
        return None
    best = retrieval.ranked[0].text
    numbers = find_counts(best)
    is_count = numbers and not any(is_amount(best, span) for _, span in numbers)
    return Found(refusal=_NO_NUMBER, is_final=False) if is_count else None


def answer_revised(request: Request, scope: Scope) -> Found | None:
    """The newest of a demand, an offer or a plan that was lowered or raised, with the earlier one."""
    retrieval = scope.retrieve_in_period(request.text)
    best = next(iter(retrieval.ranked), None)
    if best is None or not retrieval.query.is_counting or not predict(retrieval).answerable:
        return None
    units = {unit_of(best.text, span) for _, span in find_counts(best.text)} - {""}
    for later in retrieval.ranked[1:]:
        days = [one.passage.source.published for one in (best, later) if one.passage.source.published_certain]
        is_later = len(days) == 2 and days[0] and days[1] and days[0] < days[1]  # noqa: PLR2004  # both are certain
        same_unit = any(unit_of(later.text, span) in units for _, span in find_counts(later.text))
        if is_later and same_unit and _IS_REVISED.search(later.text) and is_same_event(best, later, request.text):
            return compose(
                [
                    Line.of(later, retrieval, f"The latest, {day(later.passage.source)}:"),
                    Line.of(best, retrieval, f"Earlier, {day(best.passage.source)}:"),
                ]
            )
    return None


def _counts(candidate: Candidate, noun: str, fates: frozenset[str], question: str) -> bool:
    """Whether a sentence has a number that may count the noun, and what befell it."""
    text = candidate.text
    held = counted_stems(f"how many {text.replace('?', ' ')}") | {stem(word) for word in words(text)}
    in_quantity = candidate.quantity.counted if candidate.quantity else frozenset()
    if not fates <= held | in_quantity | _fates(text):
        return False
    spans = [span for _, span in find_counts(text)]
    if not spans:
        return bool(_NUMBER_WORD.search(text)) or candidate.quantity is not None
    answers = candidate.reading.answer if candidate.reading else Span(0, 0)
    spans = [span for span in spans if answers.start <= span.start < answers.end] or spans
    verdicts = [(counts(text, span, noun) if noun else None, span) for span in spans]
    if _OF_A_WHOLE.search(question):
        verdicts = [(bool(verdict) and not _is_part(text, span, noun), span) for verdict, span in verdicts]
    return any(verdict is not False and (fates or not fate_of(text, span)) for verdict, span in verdicts)


def _fates(text: str) -> frozenset[str]:
    return frozenset(fate for word in words(text) for fate in counted_stems(f"how many {word}")) & FATES


def _is_part(text: str, span: Span, noun: str) -> bool:
    """Whether some of the things did something, or something happened in some of them: not all that there are."""
    if _PLACE_BEFORE.search(text, 0, span.start):
        return True
    following = words(re.split(r"[,.;:()–—]", text[span.end :], maxsplit=1)[0])
    place = next((number for number, word in enumerate(following) if stem(word) == stem(noun)), None)
    behind = following[place + 1 : place + 2] if place is not None else []
    begins = not text[: span.start].strip(" “\"‘'")
    return any(is_past_form(word) or word in {"were", "was", "have", "had"} for word in behind) or (
        begins and bool(behind) and behind[0] not in STOP_WORDS | _BELONGING
    )


def _newest(toll: Candidate, retrieval: Retrieval, scope: Scope) -> Candidate:
    """The toll, or that of a later article that was not found."""
    later = with_latest_figure(retrieval, scope.catalogue, scope.filters, toll).ranked
    return latest_toll([toll, *(one for one in later if is_newer(toll, one))])


def _are_apart(toll: Candidate, other: Candidate) -> bool:
    """Whether two tolls are certainly of two events: neither passage has a name of the other's."""
    near, names = event_names(toll), event_names(other)
    if not (near and names):
        return not is_same_event(toll, other)
    return near.isdisjoint(other.context_stems) and names.isdisjoint(toll.context_stems)


def _events(question: str, fates: frozenset[str], retrieval: Retrieval, scope: Scope) -> Found | None:
    """The latest figure of each event, if the question names none and there are several, or only asks for the toll."""
    topic = {stem(word) for word in content_words(question)} - _BLAND
    topic -= {word for word in topic if counted_stems(f"how many {word}") & FATES or is_past_form(word)}
    topic -= {stem(word) for word in words(question) if counted_stems(f"how many {word}") & FATES}
    tolls = [one for one in retrieval.ranked if is_toll(one, fates)]
    topic -= _ACCIDENTS.difference(*(one.context_stems for one in tolls))
    tolls = [one for one in tolls if topic <= one.context_stems]
    events: list[list[Candidate]] = []
    for toll in sorted(tolls, key=lambda one: not event_names(one)):
        same = [event for event in events if not all(_are_apart(toll, other) for other in event)]
        if not same:
            events.append([toll])
        elif len(same) == 1 or event_names(toll):
            same[0].append(toll)
    is_bare = not topic and bool(events) and all(is_same_event(events[0][0], one) for one in events[0])
    if len(events) < 2 and (not is_bare or predict(retrieval).answerable):  # noqa: PLR2004  # one event
        return None
    latest = [_newest(latest_toll(event), retrieval, scope) for event in events]
    latest.sort(key=lambda one: one.passage.source.published or date.min, reverse=True)
    lines = [
        Line.of(one, retrieval, f"{one.passage.source.headline} ({day(one.passage.source)}):")
        for one in latest[:_MAX_EVENTS]
    ]
    return compose(lines, "The latest of each event:" if len(lines) > 1 else "The latest:")
