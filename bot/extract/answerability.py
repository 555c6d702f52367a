"""Whether the passages say: several signs, weighed by a logistic regression.

No single score tells. A cosine of .7 is reached by the article next to the right one, and by a question that puts
one wrong name into a right sentence. The signs are named here, what each weighs is in evidence.json, which says
how it was made (`python -m tests.fit_evidence`), and the reason that a user is given is the sign that spoke
loudest against.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from bot.extract.ranking import Retrieval
from index.models import Passage
from index.text import figures, is_demonym, name_spans, names, stem, stems

_MANY = 2.5  # log10 of the chunks from which on more make no difference
_HOPELESS = 0.4  # of the threshold
_READ = 8  # passages in which a word of the question may stand
_SPREAD = 4.0  # of the reader's log-odds, which are surer of themselves than they should be
_UNKNOWN = 0.5  # share of the question's names that must be unknown to refuse for it
_SPELLING = 0.75  # difflib's ratio: "Bismark" is "Bismarck"
_SHORT = 4  # letters of a name in which a slip makes another name: Iran, Iraq
# Countries whose people is not the same word with an ending.
_SAME_COUNTRY = tuple(
    frozenset(map(stem, country.split()))
    for country in (
        "usa america american americans", "uk britain british briton britons",
        "england english", "france french", "spain spanish", "china chinese", "netherlands dutch", "poland polish",
        "turkey turkish", "denmark danish", "sweden swedish", "finland finnish", "greece greek", "wales welsh",
        "switzerland swiss", "ireland irish", "scotland scottish", "norway norwegian", "philippines filipino",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Features:
    """What speaks for and against an answer being there. All of them are between 0 and about 1."""

    cosine: float  # of the passage nearest in meaning
    sentence_cosine: float  # of the sentence to be quoted
    sentence_coverage: float  # of the question's words, by idf, in that sentence
    passage_coverage: float  # in its passage and headline
    missing_name: float  # share of the question's names that its passage lacks
    missing_figure: float  # share of the question's figures that its passage lacks
    lacks_kind: float  # 1 where the sentence lacks the kind of thing asked for
    lacks_count: float  # 1 where a number is asked for, and none in the sentence stands by what is counted
    asks_fact: float  # 1 where a number, a date, a person or a place is asked for, which the reader knows best
    fact_read: float  # then, how likely the reader holds the sentence that it is surest of for an answer
    other_read: float  # the same where something else is asked for
    size: float  # 0 for one chunk, 1 for 300 and more, by the logarithm: the best of many is nearer by chance

    @classmethod
    def of(cls, retrieval: Retrieval) -> Features:
        """Read the signs off what was found; there must be a sentence."""
        question, best = retrieval.query, retrieval.ranked[0]
        mine = _held(best.passage)
        named = {stem(name) for name in names(question.text)} & question.idf.keys()
        counted = set(figures(question.text))
        said = set(figures(f"{best.passage.source.headline} {best.passage.text}"))
        read = max((_likely(each.reading.score) for each in retrieval.ranked if each.reading), default=0.0)
        fact = question.kind not in {"any", "reason"}
        counting = question.kind in {"number", "money"} and bool(question.counted)
        return cls(
            cosine=_bounded(max(passage.cosine or 0.0 for passage in retrieval.passages[:_READ])),
            sentence_cosine=_bounded(best.cosine),
            sentence_coverage=best.coverage,
            passage_coverage=question.coverage(mine),
            missing_name=_share(named - mine, named),
            missing_figure=_share(counted - said, counted),
            lacks_kind=float(question.kind != "any" and not best.holds_kind),
            lacks_count=float(counting and best.figure is None),
            asks_fact=float(fact),
            fact_read=read if fact else 0.0,
            other_read=0.0 if fact else read,
            size=min(1.0, math.log10(max(1, retrieval.num_chunks)) / _MANY),
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """P(the passages answer the query).

    ``answerable``: enough to quote. ``hopeless``: too little even for a language model, which reads better than this.
    """

    probability: float
    answerable: bool
    hopeless: bool


@cache
def _fitted() -> tuple[tuple[float, ...], float, float]:
    fitted = json.loads(files("bot.extract").joinpath("answerability.json").read_text(encoding="utf-8"))
    weights = tuple(float(fitted["weights"][sign.name]) for sign in fields(Features))
    return weights, float(fitted["intercept"]), float(fitted["threshold"])


def predict(retrieval: Retrieval) -> Prediction:
    """Weigh the signs; a name that is asked about and that no passage holds outweighs them all."""
    if not retrieval.ranked:
        return Prediction(0.0, answerable=False, hopeless=True)
    weights, intercept, threshold = _fitted()
    total = intercept + math.fsum(
        weight * value for weight, value in zip(weights, astuple(Features.of(retrieval)), strict=True)
    )
    probability = 1 / (1 + math.exp(-total))
    unknown = unknown_names(retrieval)
    strange = bool(unknown) and len(unknown) >= _UNKNOWN * len(names(_shortened(retrieval.query.text)))
    return Prediction(probability, probability >= threshold and not strange, probability < _HOPELESS * threshold)


def unknown_names(retrieval: Retrieval) -> list[str]:
    """The question's names, as they are written in it, that no passage read holds, not even in another spelling."""
    held, question = _held_by_any(retrieval.passages), _shortened(retrieval.query.text)
    return [question[span.start : span.end] for name, span in name_spans(question) if not _is_held(name, held)]


def why_unanswerable(retrieval: Retrieval) -> str:
    """The plainest reason, for a user, that the passages do not say."""
    if missing := list(dict.fromkeys(unknown_names(retrieval))):
        return f"No article that comes near mentions {' or '.join(missing)}."
    held = _held_by_any(retrieval.passages)
    if not any(word in held for word in retrieval.query.idf):
        return "No article comes near the question."
    return "The articles that come nearest do not answer it."


def _held_by_any(passages: Sequence[Passage]) -> frozenset[str]:
    return frozenset[str]().union(*(_held(passage) for passage in passages[:_READ]))


def _held(passage: Passage) -> frozenset[str]:
    return frozenset(stems(_shortened(f"{passage.source.headline} {passage.source.outlet or ''} {passage.text}")))


def _shortened(text: str) -> str:
    return text.replace("United States", "US").replace("United Kingdom", "UK")


def _is_held(name: str, held: frozenset[str]) -> bool:
    """Whether a name is among stems, as it is, as the people of a country or in another spelling."""
    root = stem(name)
    if root in held or any(root in same and same & held for same in _SAME_COUNTRY):
        return True
    if any(is_demonym(root, word) for word in held):
        return True
    return len(name) > _SHORT and bool(get_close_matches(root, held, n=1, cutoff=_SPELLING))


def _likely(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds / _SPREAD))


def _bounded(cosine: float) -> float:
    return min(1.0, max(0.0, cosine))  # rounding takes that of two equal texts beyond 1


def _share(part: set[str], whole: set[str]) -> float:
    return len(part) / len(whole) if whole else 0.0
