"""The sentences of the passages, ranked by how well they answer.

Each sentence of the best passages is scored by what it means (cosine to the question), which of the question's
words it and its headline hold (weighted by their idf), the kind of thing it holds (a number where one is
asked for) and how well its passage was found. The first few are read by the reader, which tells what is said of the
thing in question from what only has its words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.extract.reader import Context, Reading
from bot.query.answer_type import AnswerType, expected_answer_type, has_answer_type
from bot.query.numbers import Quantity, counted_words, find_quantity
from index.embed import Vectors
from index.injection import is_instruction
from index.models import Passage
from index.text import figures, names, sentences, stems, words

PASSAGES = 6
_EMBEDDED = 16  # sentences of which the meaning is compared: what the cheaper signs rank below is never quoted
_MEANING, _FOUND, _HOLDS_KIND = 5.0, 0.2, 0.4  # weights beside a coverage of 0 to 1, chosen on four question sets
_READ, _MOST_READ = 3, 6  # sentences that are read: the best, and those of other articles
_READING = 0.1  # for each unit of the reader's log-odds
_VERY_CERTAIN = 3.0  # log-odds from which on the reader has a say in the order of the passages, too
_CERTAINTY = 0.3  # of a standard deviation of a passage's score, for each unit beyond
_HARDLY = -3.0  # log-odds below which it makes no difference, and what a sentence has that was not read
_COUNTS = 0.4  # what it is worth to give a figure for all that the question counts


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage, and how well it answers.

    ``coverage`` is the share of the question's words in it, ``around`` are the stems of its passage and headline.
    """

    passage: Passage
    start: int
    end: int
    text: str
    score: float
    coverage: float
    around: frozenset[str]
    context: Context
    cosine: float = 0.0
    reading: Reading | None = None
    holds_kind: bool = False
    stems: frozenset[str] = frozenset()
    specifics: frozenset[str] = frozenset()  # its names and figures
    story: str = ""  # the id of the article that stands for its story
    figure: Quantity | None = None

    @property
    def answer(self) -> frozenset[str]:
        """The stems of the words that answer, as far as it was read."""
        return frozenset(stems(self.text[slice(*self.reading.answer)])) if self.reading else frozenset()

    @property
    def logit(self) -> float:
        """How sure the reader is that it answers, as log-odds; one that was not read does not."""
        return self.reading.score if self.reading else -math.inf


@dataclass(frozen=True, slots=True)
class Query:
    """What is known of a question before any passage is read. ``idf`` maps its stemmed words to their weights."""

    text: str
    idf: Mapping[str, float]
    vector: Vectors
    kind: AnswerType = field(init=False)
    words: frozenset[str] = field(init=False)
    counted: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Read the kind of thing that is asked for."""
        object.__setattr__(self, "kind", expected_answer_type(self.text))
        object.__setattr__(self, "words", frozenset(words(self.text)))
        object.__setattr__(self, "counted", counted_words(self.text))

    def coverage(self, held: frozenset[str]) -> float:
        """The share of the question's words, by idf, that a set of stems holds; 0 to 1."""
        total = sum(self.idf.values())
        return sum(weight for word, weight in self.idf.items() if word in held) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What was found for a question: passages, best first, and the sentences of the best of them, best first.

    ``num_chunks`` is the number of those that were searched.
    """

    query: Query
    passages: tuple[Passage, ...]
    ranked: tuple[Candidate, ...]
    num_chunks: int


Embed = Callable[[Sequence[str]], Vectors]
Read = Callable[[str, Sequence[Context]], Sequence[Reading]]


def rank_sentences(question: Query, passages: Sequence[Passage], embed: Embed, read: Read) -> tuple[Candidate, ...]:
    """The sentences of the best passages, and of the same stories elsewhere, that answer best; best first."""
    best = [(told, passage) for passage in passages[:PASSAGES] for told in (passage, *passage.near_duplicates)]
    found = [sentence for told, passage in best for sentence in _sentences(question, told, passage.source.id)]
    found = sorted(found, key=lambda sentence: -sentence.score)[:_EMBEDDED]
    if not found:
        return ()
    # What tells its reader what to write, or asks, is quoted only where there is nothing else.
    found = [each for each in found if not (is_instruction(each.text) or each.text.endswith("?"))] or found
    cosines = embed([sentence.text for sentence in found]) @ question.vector
    near = [_with_meaning(sentence, float(cosine)) for sentence, cosine in zip(found, cosines, strict=True)]
    likely, rest = _to_read(sorted(near, key=lambda sentence: -sentence.score))
    readings = read(question.text, [sentence.context for sentence in likely])
    ranked = [_with_reading(sentence, reading) for sentence, reading in zip(likely, readings, strict=True)]
    ranked += [replace(sentence, score=sentence.score + _READING * _HARDLY) for sentence in rest]
    return tuple(sorted(ranked, key=lambda sentence: -sentence.score))


def _to_read(near: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """The sentences that are worth reading, and the others: the first few, then the best of each other story."""
    likely, rest = list(near[:_READ]), list[Candidate]()
    for sentence in near[_READ:]:
        heard = any(sentence.story == other.story for other in likely)
        (rest if heard or len(likely) == _MOST_READ else likely).append(sentence)
    return likely, rest


def rank_passages(passages: Sequence[Passage], ranked: Sequence[Candidate]) -> tuple[Passage, ...]:
    """Passages, best first, those further up in which the reader is sure of a sentence."""
    certain = {
        sentence.story: _CERTAINTY * (sentence.logit - _VERY_CERTAIN)
        for sentence in sorted(ranked, key=lambda sentence: sentence.logit)
        if sentence.logit > _VERY_CERTAIN
    }
    return tuple(sorted(passages, key=lambda passage: -passage.score - certain.get(passage.source.id, 0.0)))


def _sentences(question: Query, passage: Passage, story: str) -> list[Candidate]:
    headline = frozenset(stems(passage.source.headline))
    around = headline | frozenset(stems(passage.text))
    found = []
    spans = sentences(passage.text)
    texts = ["", *(passage.text[start:end] for start, end in spans), ""]
    for (start, end), before, text, after in zip(spans, texts, texts[1:], texts[2:], strict=False):
        held = frozenset(stems(text))
        if not held:
            continue
        kind = has_answer_type(question.kind, text, question.words)
        figure = find_quantity(text, question.counted) if question.kind in {"number", "money"} else None
        score = question.coverage(held | headline) + _FOUND * passage.score + _HOLDS_KIND * kind
        score += _COUNTS * len(figure.near) / len(question.counted) if figure else 0.0
        specifics = frozenset([*names(text), *figures(text)])
        found.append(
            Candidate(
                passage, passage.start + start, passage.start + end, text, score, question.coverage(held), around,
                Context(passage.source.headline, before, text, after), holds_kind=kind, stems=held, specifics=specifics,
                story=story, figure=figure,
            )
        )  # fmt: skip
    return found


def _with_meaning(sentence: Candidate, cosine: float) -> Candidate:
    return replace(sentence, score=sentence.score + _MEANING * cosine, cosine=cosine)


def _with_reading(sentence: Candidate, reading: Reading) -> Candidate:
    return replace(sentence, score=sentence.score + _READING * max(reading.score, _HARDLY), reading=reading)
