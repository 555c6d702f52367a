"""The extractive answer: the best sentences, quoted to the letter.

The best sentence is quoted with the sentence that it depends on, and a second and third if they score nearly as well
and say something else. If two articles give different facts, both are quoted. The answer says that they differ only
where both tell the same thing of nearly the same day; what a later article says anew is an update.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Literal

from bot.extract.decontextualize import decontextualize, is_statement
from bot.extract.events import is_newer, is_same_event
from bot.extract.ranking import Candidate, Query, Retrieval
from bot.extract.tuning import TUNED
from bot.models import Citation, in_marks, numbered
from bot.query.answer_type import has_answer_type
from bot.query.numbers import conflict, find_counts, is_forecast, unit_of
from index.models import Span
from index.near_duplicates import other_sources
from index.text import MONTH, names, stem, stems

_MAX_QUOTES, _MAX_WORDS = 3, 80  # of one article's matter; without the sentences that a quote depends on
_MAX_ANSWERS, _MAX_ANSWERS_WORDS = 4, 120  # of different articles
_MAX_SHORT_WORDS = 6  # a longer span is a clause
_MAX_SAME_TIME_DAYS = 1  # between articles that differ; what is later is an update
_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
_BOUND = re.compile(
    r"(?:(?:\b(?:about|around|some|roughly|approximately|estimated|nearly|almost|over|under|up to|at least|at most"
    r"|(?:more|less|fewer) than|before|after|until|by|since|early|late|mid)[ -])|(?<!\w)[-−+]|[£$€¥₹])+\Z",
    re.IGNORECASE,
)  # before a number or a date, which says something else without it
_STRAY = re.compile(r"\A(?:(?:by|of|and|or|that|was|were|is|are)\b\s*|[,;:)]\s*)+", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|no|never|n['’]t) \Z", re.IGNORECASE)
_DIFFERENCE = re.compile(r"(?: \w+| ?%| per cent)? (?:more|fewer|less|higher|lower) than\b", re.IGNORECASE)
_SCALE = re.compile(r"[ -]?(?:(?:hundred|thousand|million|billion|trillion|per ?cent|percent)\b|%)", re.IGNORECASE)
_MAX_BOUND_CHARACTERS = 40
# "the museum", not "the price of …", which an article may give without the word.
_THE = re.compile(r"\bthe ([a-z]{4,})\b(?! (?:of|in|for|at|that|when|between|from|on|to|by)\b)")
_WHO_DID = re.compile(r"\bwho (?!add)\w{3,}ed\b", re.IGNORECASE)
_SPEAKS = re.compile(r"[”’\"']?,? (?:[^,.;]{0,60}, )?(?:said|says|told|added|warned|announced|confirmed)\b")
_TO_COME = re.compile(r"(?:and )?when (?:does|do|will|is|are)\b", re.IGNORECASE)
_DAY = re.compile(rf"\b{MONTH}\b|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b")
_Relation = Literal["differ", "update", ""]


@dataclass(frozen=True, slots=True)
class Quoted:
    """An answer's text with its marks ``[n]``, and the citations that they refer to.

    ``short``: the words of the first quote that answer, if they are certain. The text begins with them. ``differ``: the
    quotes give different facts, or a later one.
    """

    text: str
    citations: tuple[Citation, ...]
    short: str | None = None
    differ: bool = False


@dataclass(frozen=True, slots=True)
class _Quote:
    """A candidate and the span of its passage that is quoted."""

    candidate: Candidate
    span: Span


def compose(retrieval: Retrieval) -> Quoted:
    """Quote the best candidates, and what other articles answer in other words. There must be a candidate."""
    query, ranked = retrieval.query, _of_years(retrieval.query, retrieval.ranked)
    best = ranked[0]
    conflicting = _conflicting(query, ranked)
    chosen = [best, *conflicting]
    chosen += _other_answers(query, chosen, ranked)
    if len(chosen) == 1:
        chosen = _further(ranked)
    relation = _relation(query, chosen)
    if relation == "update" or (relation == "differ" and len({_day(candidate) for candidate in chosen}) > 1):
        chosen.sort(key=lambda candidate: _day(candidate) or date.min, reverse=True)
    citations = numbered(_citation(quote, ranked) for quote in _quotes(query, chosen))
    text, short = _text(citations, relation), "" if relation else _short(query, ranked)
    return Quoted(f"{short} — {text}" if short else text, citations, short or None, bool(relation))


def _of_years(query: Query, ranked: Sequence[Candidate]) -> Sequence[Candidate]:
    """Without the sentences of other years, if the question names one and a sentence of that year answers it."""
    years = set(_YEAR.findall(query.text))
    of_years = [
        one for one in ranked if not years.isdisjoint({*_YEAR.findall(one.text), f"{_day(one) or date.min:%Y}"})
    ]
    is_known = any(one.logit >= TUNED.other_answer_logit and years & set(_YEAR.findall(one.text)) for one in of_years)
    return of_years if is_known else ranked


def without(retrieval: Retrieval, quotes: Collection[str]) -> Retrieval:
    """The other answers: sentences that answer by the reader too, and are not in quotes, of whatever article."""
    held = [" ".join(quote.split()) for quote in quotes]
    others = (one for one in retrieval.ranked if one.has_answer_type and one.logit >= TUNED.other_answer_logit)
    ranked = (one for one in others if not any(" ".join(one.text.split()) in quote for quote in held))
    return replace(retrieval, ranked=tuple(ranked))


def _short(query: Query, ranked: Sequence[Candidate]) -> str:
    """The words of the best candidate that answer, if a fact is asked for and the reader is certain; "" if not."""
    best = ranked[0]
    short = _STRAY.sub("", _with_bounds(best.text, best.reading.answer)) if best.reading else ""
    if query.answer_type in {"any", "reason"} or best.logit < TUNED.short_logit or short != " ".join(short.split()):
        return ""
    rivals = (other for other in ranked[1:] if other.logit > best.logit - TUNED.short_lead)
    is_certain = not any(best.answer_stems.isdisjoint(other.answer_stems) for other in rivals)
    is_counted = bool(best.quantity) or not query.is_counting or not query.counted
    is_of_type = has_answer_type(query.answer_type, short, query.words)
    is_certain &= is_counted and is_of_type and not _is_of_another(query, best)
    return short if is_certain and len(short.split()) <= _MAX_SHORT_WORDS else ""


def _is_of_another(query: Query, best: Candidate) -> bool:
    """Whether the words that answer may be about another thing than the question.

    The passage does not have what the question calls "the museum"; who is asked for only speaks in the sentence; what
    is to come would have been years before the article.
    """
    things = {stem(thing) for thing in _THE.findall(query.text)} & query.idf.keys()
    end = best.reading.answer.end if best.reading else 0
    speaks = _WHO_DID.search(query.text) and _SPEAKS.match(best.text, end)
    years, day = _YEAR.findall(best.answer_text), _day(best)
    is_past = bool(_TO_COME.match(query.text) and years and day and int(max(years)) < day.year)
    return bool(things - best.context_stems) or bool(speaks) or is_past


def _text(citations: Sequence[Citation], relation: _Relation) -> str:
    """Join the quotes with their marks; if they differ, with the days of their articles, the latest first."""
    quotes = [f"{in_marks(citation.quote)} [{citation.number}]" for citation in citations]
    if not relation or len(quotes) == 1:
        return " ".join(quotes)
    days = [citation.source.published if citation.source.published_certain else None for citation in citations]
    is_dated = len(set(days)) > 1
    if is_dated:
        quotes = [f"{day:%-d %B %Y}: {quote}" if day else quote for quote, day in zip(quotes, days, strict=True)]
    if relation == "update":
        return f"The latest, {quotes[0]} — earlier: {' '.join(quotes[1:])}"
    return f"The articles differ: {quotes[0]} — {'but' if is_dated else 'but:'} {' '.join(quotes[1:])}"


def _quotes(query: Query, chosen: Sequence[Candidate]) -> list[_Quote]:
    """Find the spans to quote, in the order of the candidates. Adjacent spans are joined, for the better candidate."""
    quotes: list[_Quote] = []
    for candidate in chosen:
        passage = candidate.passage
        span = Span(candidate.start - passage.start, candidate.end - passage.start)
        quote = _Quote(candidate, decontextualize(passage.text, span, query.text))
        joined = [*(known for known in quotes if _touch(known, quote)), quote]
        best = min((known.candidate for known in joined), key=chosen.index)
        span = Span(min(known.span.start for known in joined), max(known.span.end for known in joined))
        quotes = [*(known for known in quotes if known not in joined), _Quote(best, span)]
    return sorted(quotes, key=lambda quote: chosen.index(quote.candidate))


def _touch(first: _Quote, second: _Quote) -> bool:
    first, second = sorted((first, second), key=lambda quote: quote.span.start)
    between = first.candidate.passage.text[first.span.end : second.span.start]
    return first.candidate.passage.chunk_id == second.candidate.passage.chunk_id and not between.strip()


def _further(ranked: Sequence[Candidate]) -> list[Candidate]:
    """Choose the best candidate and those that score nearly as well and repeat none."""
    chosen = [ranked[0]]
    for candidate in ranked[1:]:
        if len(chosen) == _MAX_QUOTES or ranked[0].score - candidate.score > TUNED.max_score_gap:
            break
        is_new = is_statement(candidate.text) and not any(_repeats(candidate, other) for other in chosen)
        if is_new and _num_words(*chosen, candidate) <= _MAX_WORDS:
            chosen.append(candidate)
    return chosen


def _conflicting(query: Query, ranked: Sequence[Candidate]) -> list[Candidate]:
    """Find candidates of other articles whose quantities conflict with the best one.

    Those are of the same event the first and the latest, or else the first. Only the first quantity of an article
    counts: what it counts further down is something else, for comparison.
    """
    best = ranked[0]
    known = {best.passage.source.id}
    rivals = []
    for candidate in ranked[1:] if best.quantity else ():
        is_far = best.score - candidate.score > TUNED.max_conflict_score_gap
        if (
            candidate.quantity
            and candidate.passage.source.id not in known
            and (is_newer(best, candidate) or not is_far)
        ):
            known.add(candidate.passage.source.id)
            if is_newer(best, candidate) or (_conflict(best, candidate) and _is_same_matter(query, best, candidate)):
                rivals.append(candidate)
    if same := [candidate for candidate in rivals if is_same_event(best, candidate, query.text)]:
        latest = max(same, key=lambda candidate: _day(candidate) or date.min)  # of a day the first
        return [same[0], latest] if _conflict(same[0], latest) else [latest]
    return rivals[:1]


def _with_bounds(sentence: str, span: Span) -> str:
    """Words with what bounds and scales them: ``"about 6,800"``, ``"£1.4 million"``.

    "" where they are denied, or are a difference: "58 more than in 2023" is no count of 2023.
    """
    if _DIFFERENCE.match(sentence, span.end):
        return ""
    start = max(0, span.start - _MAX_BOUND_CHARACTERS)
    if bound := _BOUND.search(sentence[start : span.start]):
        start += bound.start()
    else:
        start = span.start
    if _NEGATION.search(sentence, max(0, start - _MAX_BOUND_CHARACTERS), start):
        return ""
    scale = _SCALE.match(sentence, span.end) if sentence[span.start : span.end][-1:].isdigit() else None
    return sentence[start : scale.end() if scale else span.end]


def _other_answers(query: Query, chosen: Sequence[Candidate], ranked: Sequence[Candidate]) -> list[Candidate]:
    """Choose the surest answer of each other story, if it is certain and in other words than those before."""
    if chosen[0].logit < TUNED.other_answer_logit:
        return []
    surest: dict[str, Candidate] = {}
    for candidate in ranked:
        known = surest.get(candidate.story_id)
        if candidate.logit >= TUNED.other_answer_logit and (known is None or candidate.logit > known.logit):
            surest[candidate.story_id] = candidate
    answers = list(chosen)
    for candidate in sorted(surest.values(), key=lambda candidate: -candidate.score):
        is_new = not any(_same_answer(candidate, other) or _repeats(candidate, other) for other in answers)
        fits = len(answers) < _MAX_ANSWERS and _num_words(*answers, candidate) <= _MAX_ANSWERS_WORDS
        if is_new and fits and _is_same_matter(query, chosen[0], candidate):
            answers.append(candidate)
    return answers[len(chosen) :]


def _relation(query: Query, chosen: Sequence[Candidate]) -> _Relation:
    """How the other quotes relate to the best one: all differ, or all are updates of each other, or neither ("").

    An outcome updates the forecasts of earlier articles, and differs from none.
    """
    best, *others = chosen
    is_one_article = any(other.passage.source.id == best.passage.source.id for other in others)
    if (
        not others
        or is_one_article
        or not all(
            is_newer(best, other)
            or (
                _is_same_matter(query, best, other)
                and is_same_event(best, other, query.text)
                and _contradict(query, best, other)
            )
            for other in others
        )
    ):
        return ""
    days = [day for candidate in chosen if (day := _day(candidate))]
    is_dated = len(days) == len(chosen)
    forecasts = [candidate for candidate in chosen if is_forecast(candidate.text)]
    if 0 < len(forecasts) < len(chosen):
        latest = max(chosen, key=lambda candidate: _day(candidate) or date.min)
        return "update" if is_dated and len(set(days)) == len(chosen) and latest not in forecasts else ""
    in_time = sorted(chosen, key=lambda candidate: _day(candidate) or date.min)
    if is_dated and all(is_newer(first, later) for first, later in pairwise(in_time)):
        return "update"
    return "update" if is_dated and (max(days) - min(days)).days > _MAX_SAME_TIME_DAYS else "differ"


def _day(candidate: Candidate) -> date | None:
    source = candidate.passage.source
    return source.published if source.published_certain else None


def _contradict(query: Query, first: Candidate, second: Candidate) -> bool:
    """Whether two articles certainly give different values of the same thing, both of the expected answer type."""
    if _conflict(first, second):
        return True
    if query.answer_type in {"any", "reason"} or _same_answer(first, second):
        return False
    if query.answer_type == "date" and not _are_comparable_dates(first.answer_text, second.answer_text):
        return False
    if query.is_counting and not _are_comparable_numbers(first, second):
        return False
    return all(
        candidate.logit >= TUNED.conflict_logit
        and has_answer_type(query.answer_type, candidate.answer_text, query.words)
        and query.coverage(candidate.stems | frozenset(stems(candidate.passage.source.headline)))
        >= TUNED.conflict_coverage
        for candidate in (first, second)
    )


def _are_comparable_dates(first: str, second: str) -> bool:
    """Whether both texts give a year, or both a day: "1874" and "9 June" may both be right."""
    return bool(_YEAR.search(first) and _YEAR.search(second)) or bool(_DAY.search(first) and _DAY.search(second))


def _are_comparable_numbers(first: Candidate, second: Candidate) -> bool:
    """Whether the answers of both sentences are numbers of the same unit, and none in common."""
    sides = []
    for candidate in (first, second):
        start, end = candidate.reading.answer if candidate.reading else (0, 0)
        spans = [(value, span) for value, span in find_counts(candidate.text) if start <= span.start < end]
        sides.append({(value, unit_of(candidate.text, span)) for value, span in spans})
    units = [{unit for _, unit in side} for side in sides]
    return units[0] == units[1] and len(units[0]) == 1 and not sides[0] & sides[1]


def _same_answer(first: Candidate, second: Candidate) -> bool:
    return first.story_id == second.story_id or bool(first.answer_stems & second.answer_stems)


def _is_same_matter(query: Query, best: Candidate, other: Candidate) -> bool:
    """Whether another passage is about the question too: it has the best passage's names of it, and most words."""
    named = {stem(name) for name in names(query.text)} & best.context_stems
    coverage, least = query.coverage(other.context_stems), query.coverage(best.context_stems) * TUNED.same_matter_share
    return coverage >= least and named <= other.context_stems


def _repeats(candidate: Candidate, other: Candidate) -> bool:
    """Whether a sentence says no more than another: the same words and, in another story, no new name or number."""
    if candidate.story_id != other.story_id and candidate.specifics - other.specifics:
        return False
    shorter = min(len(candidate.stems), len(other.stems))
    return len(candidate.stems & other.stems) >= TUNED.repeated_share * shorter


def _conflict(first: Candidate, second: Candidate) -> bool:
    return bool(first.quantity and second.quantity and conflict(first.quantity, second.quantity))


def _num_words(*candidates: Candidate) -> int:
    return sum(len(candidate.text.split()) for candidate in candidates)


def _citation(quote: _Quote, ranked: Sequence[Candidate]) -> Citation:
    """Cite a quote, with the other articles that hold it in `also_in`."""
    passage, span = quote.candidate.passage, quote.span
    text = passage.text[slice(*span)]
    also_in = other_sources(text, passage.source, dict.fromkeys(candidate.passage for candidate in ranked))
    return Citation(0, text, passage.start + span.start, passage.start + span.end, passage.source, also_in)
