"""How an answer to a known question is measured, and how many such measurements become one figure.

No language model judges anything. Each measurement of a question is a part of a whole: ``(1, 1)`` a hit, ``(2, 3)``
two of its three citations. A figure is the sum of the parts over the sum of the wholes, with a 95 % bootstrap
interval over the questions. A figure that no question has what it takes for is left out.
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

from bot.models import Answer, Turn, in_marks
from index.models import Passage
from index.text import sentences, words

RESAMPLES = 1_000
_SEED = 20_240_103
_CUTS = (1, 4, 10)
_SUPPORTS = 0.5  # share of a sentence's words that a quote must have to stand for it

_MARK = re.compile(r"\s*\[(\d+)\]")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "‘’“”")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")

Floats = NDArray[np.float64]
Measured = dict[tuple[str, str], tuple[float, float]]
"""(group, figure) -> (part, whole), of one question."""


class KnownQuestion(BaseModel):
    """A question and what is known of its answer; None and nothing where it is not known."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    id: str
    question: str
    answerable: StrictBool | None = None
    relevant: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    wrong: tuple[str, ...] | None = None
    every_answer: StrictBool = False
    support: tuple[str, ...] = ()
    asked: Annotated[date, Field(strict=True)] | None = None
    history: tuple[Turn, ...] = ()

    @property
    def has_answer(self) -> bool:
        """Whether the articles hold the answer; so it is unless it is said that they do not."""
        return self.answerable is not False


class Figure(TypedDict):
    """A value, of how many it is made, and its 95 % interval; no interval where it was measured once."""

    value: float
    n: int
    low: float | None
    high: float | None


class Cited(NamedTuple):
    """A citation's number, its article's id and its quote; ``valid``: the article holds the quote to the letter."""

    number: int
    article: str
    quote: str
    valid: bool


class Fate(StrEnum):
    """What became of a question: where its answer was lost, or that it was not."""

    RIGHT = "right"
    NOT_RETRIEVED = "not retrieved"
    NOT_QUOTED = "retrieved but not quoted"
    REFUSED_WRONGLY = "refused wrongly"
    ANSWERED_WRONGLY = "answered wrongly"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, what was answered, and how good that is."""

    known: KnownQuestion
    answer: Answer
    cited: tuple[Cited, ...]
    measured: Measured
    milliseconds: float

    @property
    def rank(self) -> int | None:
        """The place of the first relevant article, from 1."""
        found = enumerate(ranking(self.answer.passages), 1)
        return next((place for place, article in found if article in self.known.relevant), None)

    @property
    def fate(self) -> Fate:
        """The first step at which the answer was lost; not judged where nothing is known of it."""
        known, answered = self.known, self.answer.answered
        if not known.has_answer:
            return Fate.ANSWERED_WRONGLY if answered else Fate.RIGHT
        if known.answerable is None and not (known.relevant or known.answers or known.support):
            return Fate.NOT_JUDGED
        if any(contains(said_text(self.answer), one) for one in known.wrong or ()):
            return Fate.ANSWERED_WRONGLY
        part = {name: value for (_, name), (value, _) in self.measured.items()}
        if answered and part.get("found", part.get("supported", part.get("relevant", not known.relevant))):
            return Fate.RIGHT
        if not part.get("hit@10", 1):
            return Fate.NOT_RETRIEVED
        return Fate.NOT_QUOTED if answered else Fate.REFUSED_WRONGLY


def measure(known: KnownQuestion, answer: Answer, cited: Sequence[Cited]) -> Measured:
    """All that can be measured of the answer to one question."""
    found: Measured = {("citations", name): part for name, part in _citations(known, answer, cited).items()}
    if known.has_answer:
        found |= {("retrieval", name): (value, 1.0) for name, value in _retrieval(known, answer).items()}
        found |= {("answers", name): (float(held), 1.0) for name, held in _answers(known, answer, cited).items()}
    if known.answerable is not None:
        name = "refused_answerable" if known.answerable else "refused_unanswerable"
        found["refusal", name] = (float(not answer.answered), 1.0)
    return found


def _retrieval(known: KnownQuestion, answer: Answer) -> dict[str, float]:
    if not known.relevant:
        return {}
    relevant = set(known.relevant)
    hits = [article in relevant for article in ranking(answer.passages)[:10]]
    first = hits.index(True) + 1 if True in hits else math.inf
    gain = sum(1 / math.log2(rank + 1) for rank, hit in enumerate(hits, 1) if hit)
    most = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(relevant)) + 1))
    at = {f"hit@{cut}": float(first <= cut) for cut in _CUTS}
    return {**at, "mrr@10": 1 / first, "ndcg@10": gain / most, "all@10": float(sum(hits) == len(relevant))}


def _answers(known: KnownQuestion, answer: Answer, cited: Sequence[Cited]) -> dict[str, bool]:
    measured: dict[str, bool] = {}
    said = said_text(answer)
    if right := [one for one in known.answers if normalised(one)]:  # "the" cannot be looked for
        held = [contains(said, one) for one in right]
        found = all(held) if known.every_answer else any(held)
        measured["found"] = found
        if known.wrong is not None:
            measured["strict"] = found and not any(contains(said, one) for one in known.wrong)
    if known.support:
        quotes = [citation.quote for citation in cited] if answer.answered else []
        measured["supported"] = any(supports(quote, sentence) for quote in quotes for sentence in known.support)
    return measured


def _citations(known: KnownQuestion, answer: Answer, cited: Sequence[Cited]) -> dict[str, tuple[float, float]]:
    measured: dict[str, tuple[float, float]] = {}
    if answer.answered and (
        carries := carry_citations(answer.text, {one.number: in_marks(one.quote) for one in cited})
    ):
        measured["covered"] = (sum(carries), len(carries))
    if cited:
        measured["valid"] = (sum(citation.valid for citation in cited), len(cited))
    if cited and known.has_answer and known.relevant:
        articles = {citation.article for citation in cited}
        measured["relevant"] = (len(articles & set(known.relevant)), len(articles))
    return measured


def ranking(passages: Iterable[Passage]) -> list[str]:
    """The articles' ids by their best passages; those that retell a passage's story follow right after it."""
    told = (one.source.id for passage in passages for one in (passage, *passage.near_duplicates))
    return list(dict.fromkeys(told))


def said_text(answer: Answer) -> str:
    """What was answered, without the marks of its citations; "" where it was refused."""
    return _MARK.sub(" ", answer.text) if answer.answered else ""


def length(text: str) -> int:
    """The words of a text as a reader counts them: ``"one - year plan ." -> 3``."""
    return sum(any(character.isalnum() for character in word) for word in text.split())


def normalised(text: str) -> str:
    """As SQuAD compares answers, typographic quotes as plain ones: ``"The U.S.  “Army”" -> "us army"``."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def contains(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase, both normalised, on word boundaries; never where nothing is left of it."""
    wanted = re.escape(normalised(phrase))
    return bool(wanted) and re.search(rf"(?<!\w){wanted}(?!\w)", normalised(text)) is not None


def supports(quote: str, sentence: str) -> bool:
    """Whether a quote has at least half of a sentence's words, each as often as it stands there."""
    wanted = Counter(words(sentence))
    return bool(wanted) and (wanted & Counter(words(quote))).total() >= _SUPPORTS * wanted.total()


def carry_citations(text: str, quotes: Mapping[int, str]) -> list[bool]:
    """Of each sentence of an answer, whether it carries a mark; ``quotes`` are the citations', by number, as printed.

    A mark belongs to the sentence that it stands in or after: ``"It sank. [1] He swam." -> [True, False]``, and
    behind a “quote” to all of it. Marks are taken out first, since they change where sentences end.
    """
    bare, marked, last = "", list[tuple[int, int]](), 0
    for mark in _MARK.finditer(text):
        bare, last = bare + text[last : mark.start()], mark.end()
        if (quote := quotes.get(int(mark[1]))) is not None:
            whole = len(quote) - 1 if bare.endswith(quote) else 1
            marked.append((len(bare) - whole, len(bare) - 1))  # the first and last character that it stands for
    starts = [span.start for span in sentences(bare + text[last:])]
    carrying = {
        position
        for first, final in marked
        for position in range(bisect_right(starts, first) - 1, bisect_right(starts, final))
    }
    return [position in carrying for position in range(len(starts))]


def shares(measured: Iterable[Measured]) -> dict[str, dict[str, Figure]]:
    """The figures, by group and name, of many questions' measurements."""
    gathered: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for one in measured:
        for key, pair in one.items():
            gathered.setdefault(key, []).append(pair)
    figures: dict[str, dict[str, Figure]] = {}
    for (group, name), pairs in gathered.items():
        figures.setdefault(group, {})[name] = share(pairs)
    kinds = ("unanswerable", "answerable")
    refused = [[part for part, _ in gathered.get(("refusal", f"refused_{kind}"), [])] for kind in kinds]
    if all(refused):
        figures["refusal"]["balanced"] = balanced(*refused)
    return figures


def share(pairs: Sequence[tuple[float, float]]) -> Figure:
    """The sum of the parts over the sum of the wholes; ``n`` is the latter."""
    values = np.array(pairs, dtype=np.float64)
    sums = _resampled(values).sum(axis=1)
    return _figure(values[:, 0].sum() / values[:, 1].sum(), int(values[:, 1].sum()), sums[:, 0] / sums[:, 1])


def quantile(values: Sequence[float], at: float) -> Figure:
    """The quantile of some values, such as their median at .5."""
    array = np.array(values, dtype=np.float64)
    return _figure(float(np.quantile(array, at)), len(array), np.quantile(_resampled(array), at, axis=1))


def balanced(unanswerable: Sequence[float], answerable: Sequence[float]) -> Figure:
    """The mean of what was right on either side, of the refusals (1.0 refused) of both."""
    refused, kept = np.array(unanswerable), 1.0 - np.array(answerable)
    resampled = (_resampled(refused).mean(axis=1) + _resampled(kept).mean(axis=1)) / 2
    return _figure(float(refused.mean() + kept.mean()) / 2, len(refused) + len(kept), resampled)


def once(value: float, n: int) -> Figure:
    """A figure that was measured once, over so many things."""
    return {"value": value, "n": n, "low": None, "high": None}


def decimals(name: str) -> int:
    """How many decimals of a figure are worth showing."""
    return 1 if "_ms" in name or name in {"words", "peak_rss_mb"} else 3


def _resampled(values: Floats) -> Floats:
    """RESAMPLES draws of as many values as there are, with replacement, the same each time."""
    drawn = np.random.default_rng(_SEED).integers(0, len(values), (RESAMPLES, len(values)))
    return np.asarray(values[drawn], dtype=np.float64)


def _figure(value: float, n: int, resampled: Floats) -> Figure:
    low, high = np.quantile(resampled, (0.025, 0.975)).tolist()
    return {"value": float(value), "n": n, "low": low, "high": high}
