"""The extractive answer: the best sentences, quoted to the letter.

The best sentence is quoted with the sentence that it depends on, and a second and third if they score nearly as well
and say something else. If two articles give different facts, both are quoted and the answer says that they differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.extract.decontextualize import decontextualize, is_statement
from bot.extract.ranking import Candidate, Query, Retrieval
from bot.extract.tuning import TUNED
from bot.models import Citation, in_marks
from bot.query.answer_type import has_answer_type
from bot.query.numbers import conflict
from index.models import Source, Span
from index.text import names, stem

_MAX_QUOTES, _MAX_WORDS = 3, 80  # of one article's matter; without the sentences that a quote depends on
_MAX_ANSWERS, _MAX_ANSWERS_WORDS = 4, 120  # of different articles


@dataclass(frozen=True, slots=True)
class Quoted:
    """An answer's text with its marks ``[n]``, and the citations that they refer to."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class _Quote:
    """A candidate and the span of its passage that is quoted."""

    candidate: Candidate
    span: Span


def compose(retrieval: Retrieval) -> Quoted:
    """Quote the best candidates, and what other articles answer in other words. There must be a candidate."""
    query, ranked, best = retrieval.query, retrieval.ranked, retrieval.ranked[0]
    conflicting = _conflicting(query, ranked)
    chosen = [best, *conflicting]
    chosen += _other_answers(query, chosen, ranked)
    if len(chosen) == 1:
        chosen = _further(ranked)
    differ = bool(conflicting) or any(_answers_differ(query, best, candidate) for candidate in chosen[1:])
    sources = [candidate.passage.source for candidate in chosen]
    days = {source.published for source in sources}
    dated = differ and len(days) > 1 and all(source.published and source.published_certain for source in sources)
    if dated:
        chosen.sort(key=lambda candidate: candidate.passage.source.published or date.min, reverse=True)
    quotes = enumerate(_quotes(query, chosen), 1)
    citations = tuple(_citation(number, quote, ranked) for number, quote in quotes)
    return Quoted(_text(citations, differ=differ, dated=dated), citations)


def _text(citations: Sequence[Citation], *, differ: bool, dated: bool) -> str:
    """Join the quotes with their marks; if they differ, with the days of their articles, the latest first."""
    quotes = [f"{in_marks(citation.quote)} [{citation.number}]" for citation in citations]
    if not differ:
        return " ".join(quotes)
    if dated:
        days = [f"{citation.source.published:%-d %B %Y}" for citation in citations]
        days[0] += ", the latest"
        quotes = [f"{day}: {quote}" for quote, day in zip(quotes, days, strict=True)]
    but = "but" if dated else "but:"
    return f"The articles differ: {quotes[0]} — {but} {' '.join(quotes[1:])}"


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
    """Find the first candidate of another article whose quantity conflicts with the best one (at most one).

    Only the first quantity of an article counts: what it counts further down is something else, for comparison.
    """
    best = ranked[0]
    known = {best.passage.source.id}
    for candidate in ranked[1:] if best.quantity else ():
        if best.score - candidate.score > TUNED.max_conflict_score_gap:
            break
        if candidate.quantity and candidate.passage.source.id not in known:
            known.add(candidate.passage.source.id)
            if _conflict(best, candidate):
                return [candidate] if _is_same_matter(query, best, candidate) else []
    return []


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


def _answers_differ(query: Query, first: Candidate, second: Candidate) -> bool:
    """Whether two articles certainly answer with different things, both of the expected answer type."""
    if query.answer_type in {"any", "reason"} or _same_answer(first, second):
        return False
    return all(
        candidate.logit >= TUNED.conflict_logit
        and has_answer_type(query.answer_type, candidate.answer_text, query.words)
        for candidate in (first, second)
    )


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


def _citation(number: int, quote: _Quote, ranked: Sequence[Candidate]) -> Citation:
    """Cite a quote, with the other articles that have the same story or the same sentence in `also_in`."""
    passage, span = quote.candidate.passage, quote.span
    also_in: dict[str, Source] = {}
    for other in ranked:
        sources = (other.passage.source, *other.passage.also_in)
        if any(source.id == passage.source.id for source in sources):
            also_in |= {source.id: source for source in sources}
        elif _repeats(quote.candidate, other) and not _conflict(quote.candidate, other):
            also_in[sources[0].id] = sources[0]
    also_in.pop(passage.source.id, None)
    start, end = passage.start + span.start, passage.start + span.end
    return Citation(number, passage.text[slice(*span)], start, end, passage.source, tuple(also_in.values()))
