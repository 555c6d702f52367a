"""Metrics of the answers to a labelled set of questions. No language model judges anything.

Each metric of one question is a ratio ``(part, whole)``: ``(1, 1)`` for a hit, ``(2, 3)`` for two valid citations of
three. The metric of a set is their micro-average, the sum of parts over the sum of wholes, with a 95 % interval: of a
share that of Wilson (1927), which is wide where questions are few, else the bootstrap over the questions (Efron, 1979).
A metric that no question has labels for is left out.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from bot.evaluation.judge import answer_text, contains, faults, normalize_answer
from bot.evaluation.questions import KINDS, KnownQuestion
from bot.models import REFUSAL, Answer, in_marks
from index.models import Passage
from index.text import sentences, words

RESAMPLES = 1_000
RANKS = 10  # articles of a ranking that count
_SEED = 20_240_103
_CUTOFFS = (1, 4, RANKS)
_Z = 1.959964  # of the normal distribution, at 95 %
_MIN_SUPPORT = 0.5  # share of a supporting sentence's words that a quote must hold

_MARK = re.compile(r"\s*\[(\d+)\]")

Floats = NDArray[np.float64]
Ratio = tuple[float, float]
Ratios = dict[tuple[str, str], Ratio]
"""(group, metric) -> (part, whole), of one question."""


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
    def faults(self) -> list[str]:
        """Why the answer to a strict question is not right."""
        return list(faults(self.expected, self.answer)) if self.expected.is_strict else []

    @property
    def failure_stage(self) -> FailureStage:
        """The first step at which the answer was lost."""
        expected, answered = self.expected, self.answer.answered
        if not expected.is_judged:
            return FailureStage.NOT_JUDGED
        if self._is_right:
            return FailureStage.RIGHT
        if not expected.has_answer and not (expected.is_chitchat and self.answer.refusal):
            return FailureStage.ANSWERED_WRONGLY
        if self._says_wrong or (answered and self._found):
            return FailureStage.ANSWERED_WRONGLY
        if not self._parts.get("hit@10", 1):
            return FailureStage.NOT_RETRIEVED
        return FailureStage.NOT_QUOTED if answered else FailureStage.REFUSED_WRONGLY

    @property
    def _is_right(self) -> bool:
        if self.expected.is_strict:
            return not self.faults
        if not self.expected.has_answer:
            return not self.answer.answered
        return self.answer.answered and self._found and not self._says_wrong

    @property
    def _found(self) -> bool:
        """Whether the answer holds what the labels ask for; true if they ask for nothing."""
        parts, no_label = self._parts, not self.expected.relevant
        return bool(parts.get("found", parts.get("supported", parts.get("relevant", no_label))))

    @property
    def _says_wrong(self) -> bool:
        return any(contains(answer_text(self.answer), wrong) for wrong in self.expected.wrong or ())

    @property
    def _parts(self) -> dict[str, float]:
        return {name: part for (_, name), (part, _) in self.ratios.items()}

    @property
    def right(self) -> Ratios:
        """Whether the answer is right, for all questions, its kind and its group; empty if that is unknown."""
        if (stage := self.failure_stage) is FailureStage.NOT_JUDGED:
            return {}
        kind, group = self.expected.kind, self.expected.group
        names = ["right", *([f"right:{kind}"] if kind else []), *([f"right:group:{group}"] if group else [])]
        return {("right", name): (stage is FailureStage.RIGHT, 1) for name in names}


def measure(expected: KnownQuestion, answer: Answer, citations: Sequence[CheckedCitation]) -> Ratios:
    """Compute every ratio that the labels of a question allow."""
    groups: dict[str, dict[str, Ratio]] = {"citations": _citations(expected, answer, citations)}
    if expected.has_answer:
        groups["retrieval"] = {name: (value, 1) for name, value in _retrieval(expected, answer).items()}
        groups["answers"] = {name: (value, 1) for name, value in _answers(expected, answer, citations).items()}
    if expected.kind in KINDS:
        groups.setdefault("answers", {})["kind_recognised"] = (answer.kind == expected.kind, 1)
    if expected.answerable is not None and not expected.is_chitchat:
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
        alternatives = [phrase.split("|") if expected.every_answer else [phrase] for phrase in wanted]
        matches = [any(contains(text, phrase) for phrase in phrases) for phrases in alternatives]
        metrics["found"] = all(matches) if expected.every_answer else any(matches)
        if expected.wrong is not None:
            metrics["strict"] = metrics["found"] and not any(contains(text, phrase) for phrase in expected.wrong)
    if expected.support:
        quotes = [citation.quote for citation in citations] if answer.answered else []
        metrics["supported"] = any(supports(quote, sentence) for quote in quotes for sentence in expected.support)
    return metrics


def _citations(expected: KnownQuestion, answer: Answer, citations: Sequence[CheckedCitation]) -> dict[str, Ratio]:
    ratios: dict[str, Ratio] = {}
    quotes: dict[int, list[str]] = {}
    for citation in citations:
        quotes.setdefault(citation.number, []).append(in_marks(citation.quote))
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


def word_count(text: str) -> int:
    """Count words as a reader does: ``"one - year plan ." -> 3``."""
    return sum(any(character.isalnum() for character in word) for word in text.split())


def supports(quote: str, sentence: str) -> bool:
    """Whether a quote holds at least half of a sentence's words, repetitions counted."""
    wanted = Counter(words(sentence))
    return bool(wanted) and (wanted & Counter(words(quote))).total() >= _MIN_SUPPORT * wanted.total()


def carry_citations(text: str, quotes: Mapping[int, Sequence[str]]) -> list[bool]:
    """Whether each sentence of an answer has a citation mark; ``quotes`` are the printed quotes by number.

    A mark belongs to the sentence that it stands in or after: ``"It sank. [1] He swam." -> [True, False]``. After a
    “quote” it belongs to every sentence of it. Marks are taken out first, since they change where sentences end.
    """
    bare, marked, last = "", list[tuple[int, int]](), 0
    for mark in _MARK.finditer(text):
        bare, last = bare + text[last : mark.start()], mark.end()
        if (cited := quotes.get(int(mark[1]))) is not None:
            offset = max((len(quote) - 1 for quote in cited if bare.endswith(quote)), default=1)
            marked.append((len(bare) - offset, len(bare) - 1))  # the first and last character that it stands for
    starts = [span.start for span in sentences(bare + text[last:])]
    covered = {
        position
        for first, final in marked
        for position in range(bisect_right(starts, first) - 1, bisect_right(starts, final))
    }
    return [position in covered for position in range(len(starts))]


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
    total = int(values[:, 1].sum())
    value = float(values[:, 0].sum() / total)
    is_share = bool(np.isin(values[:, 0] / values[:, 1], (0, 1)).all())
    if is_share and (bool((values[:, 1] == 1).all()) or value in {0, 1}):
        low, high = _wilson(value, total)
        return {"value": value, "n": total, "low": low, "high": high}
    sums = _resample(values).sum(axis=1)
    return _metric(value, total, sums[:, 0] / sums[:, 1])


def mean(values: Sequence[float]) -> Metric:
    """The mean of values that may be below 0, such as paired differences."""
    array = np.array(values, dtype=np.float64)
    return _metric(float(array.mean()), len(array), _resample(array).mean(axis=1))


def quantile(values: Sequence[float], at: float) -> Metric:
    """A quantile of values, such as their median at .5."""
    array = np.array(values, dtype=np.float64)
    return _metric(float(np.quantile(array, at)), len(array), np.quantile(_resample(array), at, axis=1))


def balanced_accuracy(unanswerable: Sequence[float], answerable: Sequence[float]) -> Metric:
    """The mean of both classes' accuracy at refusing; the values are 1.0 for a refusal.

    The interval is that of Newcombe (1998), from the Wilson intervals of the two shares.
    """
    shares = [(sum(unanswerable) / len(unanswerable), len(unanswerable))]
    shares += [(1 - sum(answerable) / len(answerable), len(answerable))]
    value = sum(share for share, _ in shares) / 2
    lows, highs = zip(*(_wilson(share, n) for share, n in shares), strict=True)
    below = math.hypot(*(share - low for (share, _), low in zip(shares, lows, strict=True))) / 2
    above = math.hypot(*(high - share for (share, _), high in zip(shares, highs, strict=True))) / 2
    n = len(unanswerable) + len(answerable)
    return {"value": value, "n": n, "low": max(0.0, value - below), "high": min(1.0, value + above)}


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
    """A metric with the interval of its bootstrap; of a single case there is none."""
    low, high = np.quantile(resampled, (0.025, 0.975)).tolist() if n > 1 else (None, None)
    return {"value": float(value), "n": n, "low": low, "high": high}


def _wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share of ``n`` (Wilson, 1927): 1.0 of 1 -> 0.207 to 1.0."""
    scale = 1 + _Z**2 / n
    middle = (share + _Z**2 / (2 * n)) / scale
    reach = _Z * math.sqrt(share * (1 - share) / n + (_Z / (2 * n)) ** 2) / scale
    return max(0.0, middle - reach) if share else 0.0, min(1.0, middle + reach) if share < 1 else 1.0
