"""Metrics of the answers to a labelled set of questions. No language model judges anything.

Each metric of one question is a ratio ``(part, whole)``: ``(1, 1)`` for a hit, ``(2, 3)`` for two valid citations of
three. The metric of a set is their micro-average, the sum of parts over the sum of wholes, with a 95 % bootstrap
interval over the questions (Efron, 1979). A metric that no question has labels for is left out.
"""

from __future__ import annotations

import math
import re
import string
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from bot.models import REFUSAL, Answer, Turn, in_marks
from index.models import Passage
from index.text import sentences, words

RESAMPLES = 1_000
RANKS = 10  # articles of a ranking that count
_SEED = 20_240_103
_CUTOFFS = (1, 4, RANKS)
_MIN_SUPPORT = 0.5  # share of a supporting sentence's words that a quote must hold

_MARK = re.compile(r"\s*\[(\d+)\]")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "‘’“”")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")

Floats = NDArray[np.float64]
Ratio = tuple[float, float]
Ratios = dict[tuple[str, str], Ratio]
"""(group, metric) -> (part, whole), of one question."""


class KnownQuestion(BaseModel):
    """A question with its labels; a label that is missing is None or empty.

    ``relevant`` are ids of articles, ``answers`` and ``wrong`` strings to look for in the answer (any of ``answers``,
    or all with ``every_answer``), ``support`` sentences that hold the answer. ``as_of`` is read from "asked".
    """

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    id: str
    question: str
    answerable: StrictBool | None = None
    relevant: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    wrong: tuple[str, ...] | None = None
    every_answer: StrictBool = False
    support: tuple[str, ...] = ()
    as_of: Annotated[date, Field(strict=True)] | None = Field(default=None, alias="asked")
    history: tuple[Turn, ...] = ()

    @property
    def has_answer(self) -> bool:
        """Whether the articles hold the answer; assumed unless they are labelled not to."""
        return self.answerable is not False


class Metric(TypedDict):
    """A value over ``n`` cases with its 95 % interval; without one if it was measured once."""

    value: float
    n: int
    low: float | None
    high: float | None


Metrics = dict[str, dict[str, Metric]]
"""group -> name -> metric"""


class CheckedCitation(NamedTuple):
    """A citation's number, article id and quote; ``valid`` if the article holds the quote to the letter."""

    number: int
    article: str
    quote: str
    valid: bool


class FailureStage(StrEnum):
    """The first step at which an answer was lost, if any."""

    RIGHT = "right"
    NOT_RETRIEVED = "not retrieved"
    NOT_QUOTED = "retrieved but not quoted"
    REFUSED_WRONGLY = "refused wrongly"
    ANSWERED_WRONGLY = "answered wrongly"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A labelled question, its answer, and the ratios that `measure` made of them."""

    expected: KnownQuestion
    answer: Answer
    citations: tuple[CheckedCitation, ...]
    ratios: Ratios
    milliseconds: float

    @property
    def shown_text(self) -> str:
        """What a reader sees: the answer, or the refusal with its reason."""
        refusal = self.answer.refusal
        return f"{REFUSAL} {refusal.reason}" if refusal else self.answer.text

    @property
    def rank(self) -> int | None:
        """The rank of the first relevant article, from 1."""
        articles = enumerate(ranking(self.answer.passages), 1)
        return next((rank for rank, article in articles if article in self.expected.relevant), None)

    @property
    def failure_stage(self) -> FailureStage:
        """The first step at which the answer was lost."""
        expected, answered = self.expected, self.answer.answered
        if not expected.has_answer:
            return FailureStage.ANSWERED_WRONGLY if answered else FailureStage.RIGHT
        if expected.answerable is None and not (expected.relevant or expected.answers or expected.support):
            return FailureStage.NOT_JUDGED
        if any(contains(answer_text(self.answer), wrong) for wrong in expected.wrong or ()):
            return FailureStage.ANSWERED_WRONGLY
        parts = {name: part for (_, name), (part, _) in self.ratios.items()}
        if answered and parts.get("found", parts.get("supported", parts.get("relevant", not expected.relevant))):
            return FailureStage.RIGHT
        if not parts.get("hit@10", 1):
            return FailureStage.NOT_RETRIEVED
        return FailureStage.NOT_QUOTED if answered else FailureStage.REFUSED_WRONGLY


def measure(expected: KnownQuestion, answer: Answer, citations: Sequence[CheckedCitation]) -> Ratios:
    """Compute every ratio that the labels of a question allow."""
    groups: dict[str, dict[str, Ratio]] = {"citations": _citations(expected, answer, citations)}
    if expected.has_answer:
        groups["retrieval"] = {name: (value, 1) for name, value in _retrieval(expected, answer).items()}
        groups["answers"] = {name: (value, 1) for name, value in _answers(expected, answer, citations).items()}
    if expected.answerable is not None:
        name = "refused_answerable" if expected.answerable else "refused_unanswerable"
        groups["refusal"] = {name: (not answer.answered, 1)}
    return {(group, name): ratio for group, ratios in groups.items() for name, ratio in ratios.items()}


def _retrieval(expected: KnownQuestion, answer: Answer) -> dict[str, float]:
    """Hit rates, reciprocal rank and nDCG (Järvelin and Kekäläinen, 2002) with binary relevance."""
    if not expected.relevant:
        return {}
    relevant = set(expected.relevant)
    hits = [article in relevant for article in ranking(answer.passages)[:RANKS]]
    first = hits.index(True) + 1 if True in hits else math.inf
    gain = sum(1 / math.log2(rank + 1) for rank, hit in enumerate(hits, 1) if hit)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(RANKS, len(relevant)) + 1))
    at = {f"hit@{cutoff}": float(first <= cutoff) for cutoff in _CUTOFFS}
    return {**at, "mrr@10": 1 / first, "ndcg@10": gain / ideal, "all@10": float(sum(hits) == len(relevant))}


def _answers(expected: KnownQuestion, answer: Answer, citations: Sequence[CheckedCitation]) -> dict[str, bool]:
    metrics: dict[str, bool] = {}
    text = answer_text(answer)
    if wanted := [phrase for phrase in expected.answers if normalize_answer(phrase)]:  # "the" cannot be looked for
        matches = [contains(text, phrase) for phrase in wanted]
        metrics["found"] = all(matches) if expected.every_answer else any(matches)
        if expected.wrong is not None:
            metrics["strict"] = metrics["found"] and not any(contains(text, phrase) for phrase in expected.wrong)
    if expected.support:
        quotes = [citation.quote for citation in citations] if answer.answered else []
        metrics["supported"] = any(supports(quote, sentence) for quote in quotes for sentence in expected.support)
    return metrics


def _citations(expected: KnownQuestion, answer: Answer, citations: Sequence[CheckedCitation]) -> dict[str, Ratio]:
    ratios: dict[str, Ratio] = {}
    quotes = {citation.number: in_marks(citation.quote) for citation in citations}
    if answer.answered and (cited := carry_citations(answer.text, quotes)):
        ratios["covered"] = (sum(cited), len(cited))
    if citations:
        ratios["valid"] = (sum(citation.valid for citation in citations), len(citations))
        if expected.has_answer and expected.relevant:
            articles = {citation.article for citation in citations}
            ratios["relevant"] = (len(articles & set(expected.relevant)), len(articles))
    return ratios


def ranking(passages: Iterable[Passage]) -> list[str]:
    """Rank article ids by their best passage; near-duplicates of a passage follow right after it."""
    stories = (story.source.id for passage in passages for story in (passage, *passage.near_duplicates))
    return list(dict.fromkeys(stories))


def answer_text(answer: Answer) -> str:
    """Return the text of an answer without citation marks; "" for a refusal."""
    return _MARK.sub(" ", answer.text) if answer.answered else ""


def word_count(text: str) -> int:
    """Count words as a reader does: ``"one - year plan ." -> 3``."""
    return sum(any(character.isalnum() for character in word) for word in text.split())


def normalize_answer(text: str) -> str:
    """Normalize as SQuAD does (Rajpurkar et al., 2016), and typographic quotes: ``"The U.S.  “Army”" -> "us army"``."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def contains(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase on word boundaries, both normalized; False if nothing is left of the phrase."""
    wanted = re.escape(normalize_answer(phrase))
    return bool(wanted) and re.search(rf"(?<!\w){wanted}(?!\w)", normalize_answer(text)) is not None


def supports(quote: str, sentence: str) -> bool:
    """Whether a quote holds at least half of a sentence's words, repetitions counted."""
    wanted = Counter(words(sentence))
    return bool(wanted) and (wanted & Counter(words(quote))).total() >= _MIN_SUPPORT * wanted.total()


def carry_citations(text: str, quotes: Mapping[int, str]) -> list[bool]:
    """Whether each sentence of an answer has a citation mark; ``quotes`` are the printed quotes by number.

    A mark belongs to the sentence that it stands in or after: ``"It sank. [1] He swam." -> [True, False]``. After a
    “quote” it belongs to every sentence of it. Marks are taken out first, since they change where sentences end.
    """
    bare, marked, last = "", list[tuple[int, int]](), 0
    for mark in _MARK.finditer(text):
        bare, last = bare + text[last : mark.start()], mark.end()
        if (quote := quotes.get(int(mark[1]))) is not None:
            offset = len(quote) - 1 if bare.endswith(quote) else 1
            marked.append((len(bare) - offset, len(bare) - 1))  # the first and last character that it stands for
    starts = [span.start for span in sentences(bare + text[last:])]
    cited = {
        position
        for first, final in marked
        for position in range(bisect_right(starts, first) - 1, bisect_right(starts, final))
    }
    return [position in cited for position in range(len(starts))]


def aggregate(ratios_of_questions: Iterable[Ratios]) -> Metrics:
    """Average the ratios of many questions, by group and name."""
    gathered: dict[tuple[str, str], list[Ratio]] = {}
    for ratios in ratios_of_questions:
        for key, ratio in ratios.items():
            gathered.setdefault(key, []).append(ratio)
    metrics: Metrics = {}
    for (group, name), column in gathered.items():
        metrics.setdefault(group, {})[name] = micro_average(column)
    kinds = ("unanswerable", "answerable")
    refused = [[part for part, _ in gathered.get(("refusal", f"refused_{kind}"), [])] for kind in kinds]
    if all(refused):
        metrics["refusal"]["balanced"] = balanced_accuracy(*refused)
    return metrics


def micro_average(ratios: Sequence[Ratio]) -> Metric:
    """Divide the sum of parts by the sum of wholes, which is ``n``."""
    values = np.array(ratios, dtype=np.float64)
    sums = _resample(values).sum(axis=1)
    return _metric(values[:, 0].sum() / values[:, 1].sum(), int(values[:, 1].sum()), sums[:, 0] / sums[:, 1])


def quantile(values: Sequence[float], at: float) -> Metric:
    """A quantile of values, such as their median at .5."""
    array = np.array(values, dtype=np.float64)
    return _metric(float(np.quantile(array, at)), len(array), np.quantile(_resample(array), at, axis=1))


def balanced_accuracy(unanswerable: Sequence[float], answerable: Sequence[float]) -> Metric:
    """The mean of both classes' accuracy at refusing; the values are 1.0 for a refusal."""
    refused, kept = np.array(unanswerable), 1.0 - np.array(answerable)
    resampled = (_resample(refused).mean(axis=1) + _resample(kept).mean(axis=1)) / 2
    return _metric(float(refused.mean() + kept.mean()) / 2, len(refused) + len(kept), resampled)


def measured_once(value: float, n: int = 1) -> Metric:
    """A metric without an interval."""
    return {"value": value, "n": n, "low": None, "high": None}


def format_value(value: float, name: str, sign: str = "") -> str:
    """Format a value of a metric with as many decimals as matter."""
    return f"{value:{sign}.{1 if '_ms' in name or name in {'words', 'peak_rss_mb'} else 3}f}"


def format_interval(metric: Metric, name: str) -> str:
    """Format the interval of a metric: ``0.111 to 0.667``; "" without one."""
    low, high = metric["low"], metric["high"]
    return "" if low is None or high is None else f"{format_value(low, name)} to {format_value(high, name)}"


def _resample(values: Floats) -> Floats:
    """Draw RESAMPLES samples with replacement, of the same size and the same in every run."""
    drawn = np.random.default_rng(_SEED).integers(0, len(values), (RESAMPLES, len(values)))
    return np.asarray(values[drawn], dtype=np.float64)


def _metric(value: float, n: int, resampled: Floats) -> Metric:
    low, high = np.quantile(resampled, (0.025, 0.975)).tolist()
    return {"value": float(value), "n": n, "low": low, "high": high}
