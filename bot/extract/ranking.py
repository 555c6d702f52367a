"""Rank the sentences of the passages by how well they answer a query.

A sentence is scored by its cosine to the query, its coverage of the query's words (by idf, with its headline), whether
it holds a thing of the expected answer type, and the score of its passage. The reader then reads the first few, and
tells a sentence that answers from one that only has the words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.extract.decontextualize import is_fragment
from bot.extract.reader import Context, Reading
from bot.extract.tuning import TUNED
from bot.query.answer_type import AnswerType, expected_answer_type, has_answer_type
from bot.query.numbers import Quantity, counted_stems, find_quantity
from index.embed import Vectors
from index.injection import is_instruction
from index.models import Passage
from index.text import figures, names, sentences, stems, words

_MAX_PASSAGES = 6
_MAX_EMBEDDED_SENTENCES = 16  # a sentence that ranks lower by the cheaper features is never quoted
_MIN_READ_SENTENCES, _MAX_READ_SENTENCES = 5, 7  # the best, and the best of other articles
_MAX_JUDGED = 3  # passages and sentences that are judged by a follow-up's own words


@dataclass(frozen=True, slots=True)
class Candidate:
    """A ranked sentence, ``body[start:end]`` of its article.

    ``story_id`` is the article that stands for its near-duplicates, ``coverage`` the share of the query's words (by
    idf) in the sentence, ``context_stems`` are the stems of passage and headline, ``specifics`` the names and numbers
    of the sentence, ``quantity`` is its number for what the query counts. ``reading`` is None if it was not read.
    """

    passage: Passage
    story_id: str
    start: int
    end: int
    text: str
    context: Context
    context_stems: frozenset[str]
    stems: frozenset[str]
    specifics: frozenset[str]
    has_answer_type: bool
    quantity: Quantity | None
    coverage: float
    score: float
    cosine: float = 0.0
    reading: Reading | None = None

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
Read = Callable[[str, Sequence[Context]], Sequence[Reading]]


def rank_sentences(query: Query, passages: Sequence[Passage], embed: Embed, read: Read) -> tuple[Candidate, ...]:
    """Rank the sentences of the best passages and of their near-duplicates, best first."""
    candidates = [
        candidate
        for first in passages[:_MAX_PASSAGES]
        for passage in (first, *first.near_duplicates)
        for candidate in _candidates(query, passage, first.source.id)
    ]
    candidates = _by_score(candidates)[:_MAX_EMBEDDED_SENTENCES]
    if not candidates:
        return ()
    # Instructions to a language model, questions and lines that are no sentence are quoted if there is nothing else.
    candidates = [candidate for candidate in candidates if _is_evidence(candidate.text)] or candidates
    cosines = embed([candidate.text for candidate in candidates]) @ query.vector
    candidates = [
        replace(candidate, score=candidate.score + TUNED.cosine_weight * float(cosine), cosine=float(cosine))
        for candidate, cosine in zip(candidates, cosines, strict=True)
    ]
    likely, rest = _select_to_read(_by_score(candidates))
    readings = read(query.text, [candidate.context for candidate in likely])
    ranked = [
        replace(candidate, score=candidate.score + _logit_score(reading.logit), reading=reading)
        for candidate, reading in zip(likely, readings, strict=True)
    ]
    ranked += [replace(candidate, score=candidate.score + _logit_score(-math.inf)) for candidate in rest]
    return tuple(_by_score(ranked))


def judge_by(query: Query, retrieval: Retrieval, embed: Embed, read: Read) -> Retrieval:
    """The best passages and sentences of a retrieval, in their order, with the features of another query.

    For a follow-up: what was found with its topic, judged by its own words.
    """
    passages, ranked = retrieval.passages[:_MAX_JUDGED], retrieval.ranked[:_MAX_JUDGED]
    cosines = embed([*(passage.text for passage in passages), *(candidate.text for candidate in ranked)]) @ query.vector
    readings = read(query.text, [candidate.context for candidate in ranked])
    judged = [
        replace(candidate, cosine=float(cosine), reading=reading, coverage=query.coverage(candidate.stems))
        for candidate, cosine, reading in zip(ranked, cosines[len(passages) :], readings, strict=True)
    ]
    near = [replace(passage, cosine=float(cosine)) for passage, cosine in zip(passages, cosines, strict=False)]
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


def _candidates(query: Query, passage: Passage, story_id: str) -> list[Candidate]:
    headline = frozenset(stems(passage.source.headline))
    context_stems = headline | frozenset(stems(passage.text))
    spans = sentences(passage.text)
    texts = ["", *(passage.text[start:end] for start, end in spans), ""]
    candidates = []
    for (start, end), before, text, after in zip(spans, texts, texts[1:], texts[2:], strict=False):
        held = frozenset(stems(text))
        if not held:
            continue
        is_of_type = has_answer_type(query.answer_type, text, query.words)
        is_money = query.answer_type == "money"
        quantity = find_quantity(text, query.counted, is_money=is_money) if query.is_counting else None
        score = query.coverage(held | headline) + TUNED.passage_weight * passage.score
        score += TUNED.answer_type_weight * is_of_type
        score += TUNED.quantity_weight * len(quantity.counted) / len(query.counted) if quantity else 0.0
        candidate = Candidate(
            passage, story_id, passage.start + start, passage.start + end, text,
            Context(passage.source.headline, before, text, after), context_stems, held,
            frozenset([*names(text), *figures(text)]), is_of_type, quantity, query.coverage(held), score,
        )  # fmt: skip
        candidates.append(candidate)
    return candidates


def _is_evidence(text: str) -> bool:
    return not (text.endswith("?") or is_fragment(text) or is_instruction(text))


def _select_to_read(ranked: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Split candidates into those to read (the first few, then the best of each other story) and the rest."""
    likely, rest = list(ranked[:_MIN_READ_SENTENCES]), list[Candidate]()
    for candidate in ranked[_MIN_READ_SENTENCES:]:
        is_known = any(candidate.story_id == other.story_id for other in likely)
        (rest if is_known or len(likely) == _MAX_READ_SENTENCES else likely).append(candidate)
    return likely, rest


def _logit_score(logit: float) -> float:
    return TUNED.logit_weight * max(logit, TUNED.min_logit)


def _by_score(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: -candidate.score)
