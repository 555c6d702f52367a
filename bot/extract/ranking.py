"""Rank the sentences of the passages by how well they answer a query.

A sentence is scored by its coverage of the query's words (by idf, with its headline), whether it holds a thing of the
expected answer type, and the score of its passage. The reader then reads the passages of the first few, and tells a
sentence that answers from one that only has the words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from bot.extract.decontextualize import is_fragment
from bot.extract.reader import Reading, Text
from bot.extract.tuning import TUNED
from bot.query.answer_type import AnswerType, expected_answer_type, has_answer_type
from bot.query.followup import topic_first
from bot.query.numbers import Quantity, counted_stems, find_quantity, risen_quantity
from index.embedding.embed import Vectors
from index.models import Passage, Span
from index.reading.injection import is_instruction
from index.text import CALENDAR_NAMES, figures, names, sentences, stem, stems, words

_MAX_PASSAGES = 6
_MAX_READ_PASSAGES = 4
_MAX_RANKED = 16  # a sentence that ranks lower is never quoted
_MAX_JUDGED = 3  # passages and sentences that are judged by a follow-up's own words


Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A ranked sentence, ``body[start:end]`` of its article.

    ``story_id`` is the article that stands for its near-duplicates, ``before`` the sentence before it in the passage,
    ``coverage`` the share of the query's words (by idf) in the sentence, ``context_stems`` are the stems of passage and
    headline, ``specifics`` the names and numbers of the sentence, ``quantity`` is its number for what the query counts.
    ``reading`` is None if it was not read.
    """

    passage: Passage
    story_id: str
    start: int
    end: int
    text: str
    before: str
    context_stems: frozenset[str]
    stems: frozenset[str]
    specifics: frozenset[str]
    has_answer_type: bool
    quantity: Quantity | None
    coverage: float
    score: float
    reading: Reading | None = None

    @property
    def place(self) -> Place:
        """Where it stands: the chunk's id and the offset in the article."""
        return self.passage.chunk_id, self.start

    @property
    def answer_text(self) -> str:
        """The words that answer, according to the reader."""
        return self.text[slice(*self.reading.answer)] if self.reading else ""

    @property
    def answer_stems(self) -> frozenset[str]:
        """The stems of the words that answer."""
        return frozenset(stems(self.answer_text))

    @property
    def logit(self) -> float:
        """The reader's log-odds that the sentence answers; -inf if it was not read."""
        return self.reading.logit if self.reading else -math.inf


@dataclass(frozen=True, slots=True)
class Query:
    """A standalone question with its vector and the idf of its stems, analysed without any passage."""

    text: str
    idf: Mapping[str, float]
    vector: Vectors
    answer_type: AnswerType = field(init=False)
    words: frozenset[str] = field(init=False)
    counted: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Analyse the text."""
        object.__setattr__(self, "answer_type", expected_answer_type(self.text))
        object.__setattr__(self, "words", frozenset(words(self.text)))
        object.__setattr__(self, "counted", counted_stems(self.text))

    @property
    def is_counting(self) -> bool:
        """Whether a number or a sum of money is asked for."""
        return self.answer_type in {"number", "money"}

    def coverage(self, held: frozenset[str]) -> float:
        """The share of the query's words, by idf, in a set of stems; 0 to 1."""
        total = sum(self.idf.values())
        return sum(weight for word, weight in self.idf.items() if word in held) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The passages found for a query and the sentences of the best of them, both best first.

    ``num_chunks`` is the number of chunks that were searched.
    """

    query: Query
    passages: tuple[Passage, ...]
    ranked: tuple[Candidate, ...]
    num_chunks: int


Embed = Callable[[Sequence[str]], Vectors]
Read = Callable[[str, Sequence[Text]], Sequence[Sequence[Reading]]]


def rank_sentences(query: Query, passages: Sequence[Passage], read: Read) -> tuple[Candidate, ...]:
    """Rank the sentences of the best passages and of their near-duplicates, best first."""
    candidates = _by_score(
        [
            candidate
            for first in passages[:_MAX_PASSAGES]
            for passage in (first, *first.near_duplicates)
            for candidate in candidates_of(query, passage, first.source.id)
        ]
    )
    # Instructions to a language model, questions and lines that are no sentence are quoted if there is nothing else.
    candidates = [candidate for candidate in candidates if _is_evidence(candidate.text)] or candidates
    candidates = _by_names(query, candidates) if query.is_counting else candidates
    readings = _readings(query, _select_to_read(candidates), read)
    ranked = [replace(candidate, reading=readings.get(candidate.place)) for candidate in candidates]
    ranked = [replace(candidate, score=candidate.score + _logit_score(candidate.logit)) for candidate in ranked]
    return tuple(_by_score(ranked)[:_MAX_RANKED])


def _by_names(query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Set back the figures of passages that lack names of the query which others have: they are of another event.

    Where no figure is asked for this makes near misses of what is refused.
    """
    wanted = {stem(name) for name in names(query.text) if name not in CALENDAR_NAMES}
    missing = [len(wanted - candidate.context_stems) for candidate in candidates]
    if not wanted or not missing or min(missing) == max(missing):
        return list(candidates)
    least = min(missing)
    return _by_score(
        [
            replace(candidate, score=candidate.score - TUNED.missing_name_weight * (count - least) / len(wanted))
            for candidate, count in zip(candidates, missing, strict=True)
        ]
    )


def judge_by(query: Query, retrieval: Retrieval, embed: Embed, read: Read) -> Retrieval:
    """The best passages and sentences of a retrieval, in their order, with the features of another query.

    For a follow-up: what was found with its topic, judged by its own words.
    """
    passages, ranked = retrieval.passages[:_MAX_JUDGED], retrieval.ranked[:_MAX_JUDGED]
    cosines = embed([passage.text for passage in passages]) @ query.vector
    readings = _readings(query, list(dict.fromkeys(candidate.passage for candidate in ranked)), read)
    judged = [
        replace(candidate, reading=readings[candidate.place], coverage=query.coverage(candidate.stems))
        for candidate in ranked
    ]
    near = [replace(passage, cosine=float(cosine)) for passage, cosine in zip(passages, cosines, strict=True)]
    return replace(retrieval, query=query, passages=tuple(near), ranked=tuple(judged))


def rank_passages(passages: Sequence[Passage], ranked: Sequence[Candidate]) -> tuple[Passage, ...]:
    """Raise the scores of a story if the reader is very certain of a sentence of it, and sort by them."""
    boosts: dict[str, float] = {}
    for candidate in ranked:
        boost = TUNED.passage_logit_weight * (candidate.logit - TUNED.very_certain_logit)
        boosts[candidate.story_id] = max(boost, boosts.get(candidate.story_id, 0.0))
    raised = [_raised(passage, boosts.get(passage.source.id, 0.0)) for passage in passages]
    return tuple(sorted(raised, key=lambda passage: -passage.score))


def _raised(passage: Passage, boost: float) -> Passage:
    near_duplicates = tuple(_raised(retold, boost) for retold in passage.near_duplicates)
    return replace(passage, score=passage.score + boost, near_duplicates=near_duplicates)


class _Parsed(NamedTuple):
    """A sentence of a passage: its span there, its stems, and its names and numbers."""

    span: Span
    stems: frozenset[str]
    specifics: frozenset[str]


@lru_cache(maxsize=2_000)  # chunks: some megabytes
def _parsed(passage: str) -> tuple[_Parsed, ...]:
    texts = [(span, passage[slice(*span)]) for span in sentences(passage)]
    return tuple(
        _Parsed(span, frozenset(stems(text)), frozenset([*names(text), *figures(text)])) for span, text in texts
    )


def candidates_of(query: Query, passage: Passage, story_id: str) -> list[Candidate]:
    """The sentences of a passage, in their order, scored and not read."""
    headline, parsed = frozenset(stems(passage.source.headline)), _parsed(passage.text)
    context_stems = headline.union(*(sentence.stems for sentence in parsed))
    candidates, text = [], ""
    for (start, end), held, specifics in parsed:
        before, text = text, passage.text[start:end]
        if not held:
            continue
        is_of_type = has_answer_type(query.answer_type, text, query.words)
        is_money = query.answer_type == "money"
        quantity = find_quantity(text, query.counted, is_money=is_money) if query.is_counting else None
        if query.is_counting and quantity is None:
            quantity = risen_quantity(text, f"{passage.source.headline} {before} {text}", query.counted)
        score = query.coverage(held | headline) + TUNED.passage_weight * passage.score
        score += TUNED.answer_type_weight * is_of_type
        score += TUNED.quantity_weight * len(quantity.counted) / len(query.counted) if quantity else 0.0
        candidate = Candidate(
            passage, story_id, passage.start + start, passage.start + end, text, before, context_stems, held,
            specifics, is_of_type, quantity, query.coverage(held), score,
        )  # fmt: skip
        candidates.append(candidate)
    return candidates


@lru_cache(maxsize=20_000)  # sentences
def _is_evidence(text: str) -> bool:
    return not (text.endswith("?") or is_fragment(text) or is_instruction(text))


def _select_to_read(ranked: Sequence[Candidate]) -> list[Passage]:
    """The passages of the best sentences, without other tellings of a story that is among them."""
    stories, selected = set[str](), dict[str, Passage]()
    for candidate in ranked:
        passage = candidate.passage
        if len(selected) < _MAX_READ_PASSAGES and (
            passage.source.id == candidate.story_id or candidate.story_id not in stories
        ):
            selected.setdefault(passage.chunk_id, passage)
            stories.add(candidate.story_id)
    return list(selected.values())


def _readings(query: Query, passages: Sequence[Passage], read: Read) -> dict[Place, Reading]:
    """Read passages, and return the readings of their sentences."""
    spans = [[sentence.span for sentence in _parsed(passage.text)] for passage in passages]
    texts = [
        Text(passage.source.headline, tuple(passage.text[start:end] for start, end in places))
        for passage, places in zip(passages, spans, strict=True)
    ]
    return {
        (passage.chunk_id, passage.start + span.start): reading
        for passage, places, readings in zip(passages, spans, read(topic_first(query.text), texts), strict=True)
        for span, reading in zip(places, readings, strict=True)
    }


def _logit_score(logit: float) -> float:
    return TUNED.logit_weight * max(logit, TUNED.min_logit)


def _by_score(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: -candidate.score)
