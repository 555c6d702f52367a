"""The answerer without a language model: what the best sentences say, quoted to the letter.

The best sentence is quoted, with what it leans on, and a second and third where they are nearly as good and say
something else. Where two articles give different figures for what was asked, both are quoted and the answer says that
they differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.extract.decontextualize import decontextualize, is_statement
from bot.extract.ranking import Candidate, Query, Retrieval
from bot.models import Citation, in_marks
from bot.query.answer_type import has_answer_type
from bot.query.numbers import conflict
from index.models import Source, Span
from index.text import names, stem

_NEARLY_AS_GOOD = 0.5
_LONGEST = 80  # words in all, beside what they lean on
_MOST = 3
_MOST_ANSWERS, _LONGEST_ANSWERS = 4, 120  # of different articles, and their words in all
_SURE, _CERTAIN = 0.0, 2.0  # log-odds of the reader: to quote another article's answer, and to say that they differ
_SAME = 0.7  # share of the shorter sentence's words that makes the other a repetition
_SAME_MATTER = 0.6  # of the coverage of the best sentence's passage
_DIFFERING = 1.0  # how far behind the best a sentence with another figure may be


@dataclass(frozen=True, slots=True)
class Quoted:
    """The answer's text with its ``[n]``, and the quotes that they stand for."""

    text: str
    citations: tuple[Citation, ...]


def compose(retrieval: Retrieval) -> Quoted:
    """Quote the best of the sentences found, and what other articles answer in other words."""
    ranked, best = retrieval.ranked, retrieval.ranked[0]
    other = _differing(retrieval.query, ranked)
    chosen = [best, other] if other else [best]
    chosen += _other_answers(retrieval.query, chosen, ranked)
    if len(chosen) == 1:
        chosen = _choose(ranked)
    differ = bool(other) or any(_of_one_kind(retrieval.query, best, sentence) for sentence in chosen[1:])
    sources = [sentence.passage.source for sentence in chosen]
    days = [source.published for source in sources if source.published and source.published_certain]
    dated = differ and len(days) == len(chosen) and len(set(days)) > 1
    if dated:
        chosen.sort(key=lambda sentence: sentence.passage.source.published or date.min, reverse=True)
    quotes = enumerate(_quotes(retrieval.query, chosen), 1)
    citations = tuple(_citation(number, sentence, span, ranked) for number, (sentence, span) in quotes)
    return Quoted(_text(citations, differ=differ, dated=dated), citations)


def _text(citations: Sequence[Citation], *, differ: bool, dated: bool) -> str:
    """The quotes with their numbers; where they differ, with the days of their articles, the latest first."""
    quotes = [f"{in_marks(citation.quote)} [{citation.number}]" for citation in citations]
    if not differ:
        return " ".join(quotes)
    if dated:
        days = [f"{citation.source.published:%-d %B %Y}" for citation in citations]
        days[0] += ", the latest"
        quotes = [f"{day}: {quote}" for quote, day in zip(quotes, days, strict=True)]
    but = "but" if dated else "but:"
    return f"The articles differ: {quotes[0]} — {but} {' '.join(quotes[1:])}"


def _quotes(question: Query, chosen: Sequence[Candidate]) -> list[tuple[Candidate, Span]]:
    """The sentences with the spans of their passages that are quoted; what touches is one quote, by its best."""
    quotes: list[tuple[Candidate, Span]] = []
    for sentence in chosen:
        passage = sentence.passage
        span = Span(sentence.start - passage.start, sentence.end - passage.start)
        quote = sentence, decontextualize(passage.text, span, question.text)
        joined = [*(known for known in quotes if _touch(known, quote)), quote]
        best = min((each for each, _ in joined), key=chosen.index)
        span = Span(min(span.start for _, span in joined), max(span.end for _, span in joined))
        quotes = [*(known for known in quotes if known not in joined), (best, span)]
    return sorted(quotes, key=lambda quote: chosen.index(quote[0]))


def _touch(one: tuple[Candidate, Span], other: tuple[Candidate, Span]) -> bool:
    (sentence, first), (beside, second) = sorted((one, other), key=lambda quote: quote[1].start)
    text = sentence.passage.text
    return sentence.passage.chunk_id == beside.passage.chunk_id and not text[first.end : second.start].strip()


def _choose(ranked: Sequence[Candidate]) -> list[Candidate]:
    chosen, length = [ranked[0]], len(ranked[0].text.split())
    for sentence in ranked[1:]:
        more = len(sentence.text.split())
        if len(chosen) == _MOST or ranked[0].score - sentence.score > _NEARLY_AS_GOOD:
            break
        new = is_statement(sentence.text) and not any(_repeats(sentence, other) for other in chosen)
        if new and length + more <= _LONGEST:
            chosen.append(sentence)
            length += more
    return chosen


def _repeats(one: Candidate, other: Candidate) -> bool:
    """Whether a sentence says no more than another: the same words and, in another story, no new name or figure."""
    if one.story != other.story and one.specifics - other.specifics:
        return False
    return len(one.stems & other.stems) >= _SAME * min(len(one.stems), len(other.stems))


def _differing(question: Query, ranked: Sequence[Candidate]) -> Candidate | None:
    """The first figure that another article gives for the same thing, where it is another one.

    What the article counts further down is something else: a toll of another event, told for comparison.
    """
    best = ranked[0]
    if best.figure is None:
        return None
    heard = {best.passage.source.id}
    for sentence in ranked[1:]:
        if best.score - sentence.score > _DIFFERING:
            return None
        if sentence.figure and sentence.passage.source.id not in heard:
            heard.add(sentence.passage.source.id)
            if conflict(best.figure, sentence.figure):
                return sentence if _same_matter(question, best, sentence) else None
    return None


def _other_answers(question: Query, chosen: Sequence[Candidate], ranked: Sequence[Candidate]) -> list[Candidate]:
    """Of each other article that surely answers in words that none before has: the sentence that does so best."""
    answers: dict[str, Candidate] = {}
    for sentence in ranked:
        known = answers.get(sentence.story)
        if sentence.logit >= _SURE and (known is None or sentence.logit > known.logit):
            answers[sentence.story] = sentence
    found = list(chosen) if chosen[0].logit >= _SURE else []
    for sentence in sorted(answers.values(), key=lambda sentence: -sentence.score) if found else ():
        new = not any(
            sentence.story == other.story or sentence.answer & other.answer or _repeats(sentence, other)
            for other in found
        )
        short = sum(len(each.text.split()) for each in (*found, sentence)) <= _LONGEST_ANSWERS
        if new and short and len(found) < _MOST_ANSWERS and _same_matter(question, chosen[0], sentence):
            found.append(sentence)
    return found[len(chosen) :]


def _of_one_kind(question: Query, one: Candidate, other: Candidate) -> bool:
    """Whether two sentences of different articles answer with different things of the kind that is asked for."""
    certain = min(one.logit, other.logit) >= _CERTAIN
    if not certain or question.kind in {"any", "reason"} or one.story == other.story or one.answer & other.answer:
        return False
    texts = [sentence.text[slice(*sentence.reading.answer)] for sentence in (one, other) if sentence.reading]
    return len(texts) == 2 and all(has_answer_type(question.kind, text, question.words) for text in texts)  # noqa: PLR2004  # both


def _same_matter(question: Query, one: Candidate, other: Candidate) -> bool:
    """Whether another passage is of what is asked about too: it has the same of its names, and most of its words."""
    named = {stem(name) for name in names(question.text)} & one.around
    alike = question.coverage(other.around) >= _SAME_MATTER * question.coverage(one.around)
    return alike and named <= other.around


def _citation(number: int, sentence: Candidate, span: Span, ranked: Sequence[Candidate]) -> Citation:
    """Cite a sentence, and beside it the articles that have the same story or the same sentence."""
    mine = sentence.passage.source
    also: dict[str, Source] = {}
    for other in ranked:
        told = (other.passage.source, *other.passage.also_in)
        same_story = any(source.id == mine.id for source in told)
        if same_story or (_repeats(sentence, other) and not _contradicts(sentence, other)):
            also |= {source.id: source for source in (told if same_story else told[:1])}
    also.pop(mine.id, None)
    passage = sentence.passage
    quote, start, end = passage.text[span.start : span.end], passage.start + span.start, passage.start + span.end
    return Citation(number, quote, start, end, mine, tuple(also.values()))


def _contradicts(one: Candidate, other: Candidate) -> bool:
    return bool(one.figure and other.figure and conflict(one.figure, other.figure))
