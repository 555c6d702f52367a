"""Answerability: P(the passages answer the query), by logistic regression over eight features.

No single score decides: the article next to the right one reaches a cosine of .7, and so does a question with one wrong
name. The weights are in answerability.json, which `python -m tests.fit_answerability` writes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from bot.extract.ranking import Query, Read, Retrieval, judge_by
from bot.extract.reader import Text
from bot.extract.tuning import TUNED
from bot.models import Citation
from bot.query.followup import asks, content_words
from index.embedding.embed import Embedder
from index.models import Passage, Span
from index.text import MONTH, figures, is_demonym, name_spans, stem, stems

_FULL_SIZE_LOG10 = 2.5  # of the number of chunks (300), from which on more make no difference
_MAX_PASSAGES = 8  # in which a word of the question may stand
_CALENDAR = re.compile(rf"{MONTH}|(?:mon|tues|wednes|thurs|fri|satur|sun)day", re.IGNORECASE)  # dates, not names
_MIN_MISSPELT_CHARACTERS = 5  # in a shorter name a slip makes another name: Iran, Iraq
# Things that bear their kind in their names: where no passage has the word, none names such a thing.
_BEARS_KIND = re.compile(
    r"\b(?:which|what)\s(?:\w+\s){0,2}?(?P<kind>hospital|prison|church|mosque|cathedral|hotel|court)\b",
    re.IGNORECASE,
)
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
    """The features, each between 0 and 1, but for the logits.

    - ``cosine``: of the passage nearest to the query.
    - ``coverage``: of the query's words in the passage of the best sentence, with its headline.
    - ``missing_name``, ``missing_number``: share of the query's names and numbers that this passage lacks.
    - ``asks_fact``: 1 if a number, date, person or place is asked for, which the reader knows best.
    - ``fact_logit``, ``other_logit``: a tenth of the reader's logit for its surest sentence, within the bounds of
      TUNED, if a fact is asked for or not; else 0.
    - ``index_size``: 0 for one chunk, 1 for 300 or more, by the logarithm: the best of many is nearer by chance.
    """

    cosine: float
    coverage: float
    missing_name: float
    missing_number: float
    asks_fact: float
    fact_logit: float
    other_logit: float
    index_size: float

    @classmethod
    def of(cls, retrieval: Retrieval) -> Features:
        """Compute the features of a retrieval with at least one sentence."""
        query, best = retrieval.query, retrieval.ranked[0]
        held = _stems(best.passage)
        query_names = {stem(name) for name, _ in _names(query.text)} & query.idf.keys()
        query_numbers = set(figures(query.text))
        numbers = set(figures(f"{best.passage.source.headline} {best.passage.text}"))
        surest = max(candidate.logit for candidate in retrieval.ranked)
        logit = min(TUNED.max_logit, max(TUNED.min_logit, surest)) / 10
        asks_fact = query.answer_type not in {"any", "reason"}
        return cls(
            cosine=_bounded(max(passage.cosine or 0.0 for passage in retrieval.passages[:_MAX_PASSAGES])),
            coverage=query.coverage(held),
            missing_name=_share(query_names - held, query_names),
            missing_number=_share(query_numbers - numbers, query_numbers),
            asks_fact=float(asks_fact),
            fact_logit=logit if asks_fact else 0.0,
            other_logit=0.0 if asks_fact else logit,
            index_size=min(1.0, math.log10(max(1, retrieval.num_chunks)) / _FULL_SIZE_LOG10),
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """P(the passages answer the query).

    ``answerable``: enough to quote. ``hopeless``: too little even for a language model, which reads better than this.
    """

    probability: float
    answerable: bool
    hopeless: bool


class _Model(NamedTuple):
    weights: tuple[float, ...]
    intercept: float
    threshold: float


@cache
def _model() -> _Model:
    fitted = json.loads(files("bot.extract").joinpath("answerability.json").read_text(encoding="utf-8"))
    weights = tuple(float(fitted["weights"][feature.name]) for feature in fields(Features))
    return _Model(weights, float(fitted["intercept"]), float(fitted["threshold"]))


def predict(retrieval: Retrieval) -> Prediction:
    """Predict answerability: by the features, and never if half of the query's names are in no passage.

    Nor if a sum of money is asked for and the best sentence has none, or "which hospital" and no passage has the word.
    """
    if not retrieval.ranked:
        return Prediction(0.0, answerable=False, hopeless=True)
    model = _model()
    features = astuple(Features.of(retrieval))
    logit = model.intercept + math.fsum(weight * value for weight, value in zip(model.weights, features, strict=True))
    probability, unknown = _sigmoid(logit), unknown_names(retrieval)
    is_strange = bool(unknown) and len(unknown) >= TUNED.unknown_share * len(_names(_shortened(retrieval.query.text)))
    is_strange |= retrieval.query.answer_type == "money" and not retrieval.ranked[0].has_answer_type
    kind = _BEARS_KIND.search(retrieval.query.text)
    is_strange |= kind is not None and stem(kind["kind"].lower()) not in _stems(*retrieval.passages[:_MAX_PASSAGES])
    is_hopeless = probability < TUNED.hopeless_share * model.threshold
    return Prediction(probability, probability >= model.threshold and not is_strange, is_hopeless)


def is_only_topic(
    follow_up: str, retrieval: Retrieval, embedder: Embedder, read: Read, *, was_shown: bool = False
) -> bool:
    """Whether only the topic that a follow-up was completed with is found, and nothing of its own words.

    ``was_shown``: the conversation has shown the best sentence; then the reader must think that it answers those words,
    or its passage have them all. An ellipsis ("and the second?") has too few words to tell.
    """
    content = frozenset(stems(" ".join(content_words(follow_up))))
    surest = max(candidate.logit for candidate in retrieval.ranked)
    is_sure = asks(follow_up) and surest >= TUNED.own_words_logit
    if content and not is_sure and content.isdisjoint(retrieval.ranked[0].context_stems):
        return True  # "banana" after a question that the passage answers
    own = frozenset(stems(follow_up))
    idf = {word: weight for word, weight in retrieval.query.idf.items() if word in own}
    query = Query(follow_up, idf, embedder.question(follow_up))
    judged = judge_by(query, retrieval, embedder.passages, read)
    is_whole = content <= retrieval.ranked[0].context_stems or not asks(follow_up)
    if was_shown and judged.ranked[0].logit < 0 and not is_whole:
        return True
    return predict(judged).probability < TUNED.min_follow_up_probability


def is_beside_question(quotes: Sequence[Citation], retrieval: Retrieval, read: Read) -> bool:
    """Whether quotes hardly answer a query, by the reader, while another sentence of its passages does."""
    texts = [Text(quote.source.headline, (quote.quote,)) for quote in quotes]
    logits = [reading.logit for readings in read(retrieval.query.text, texts) for reading in readings]
    best = max((candidate.logit for candidate in retrieval.ranked), default=-math.inf)
    return bool(logits) and max(logits) < TUNED.beside_logit and best - max(logits) > TUNED.beside_lead


def unknown_names(retrieval: Retrieval) -> list[str]:
    """List the query's names, as written, that no passage holds, not even in another spelling."""
    held, query = _stems(*retrieval.passages[:_MAX_PASSAGES]), _shortened(retrieval.query.text)
    return [query[span.start : span.end] for name, span in _names(query) if not _is_held(name, held)]


def why_unanswerable(retrieval: Retrieval) -> str:
    """Say for a user why the passages do not answer."""
    if unknown := list(dict.fromkeys(unknown_names(retrieval))):
        return f"No article that comes near mentions {' or '.join(unknown)}."
    if _stems(*retrieval.passages[:_MAX_PASSAGES]).isdisjoint(retrieval.query.idf):
        return "No article comes near the question."
    return "The articles that come nearest do not answer it."


def _stems(*passages: Passage) -> frozenset[str]:
    texts = (f"{passage.source.headline} {passage.source.outlet or ''} {passage.text}" for passage in passages)
    return frozenset(word for text in texts for word in stems(_shortened(text)))


def _names(text: str) -> list[tuple[str, Span]]:
    return [(name, span) for name, span in name_spans(text) if not _CALENDAR.fullmatch(name)]


def _shortened(text: str) -> str:
    return text.replace("United States", "US").replace("United Kingdom", "UK")


def _is_held(name: str, held: frozenset[str]) -> bool:
    """Whether a name is among stems: as it is, as the people of a country, or in another spelling."""
    root = stem(name)
    if root in held or any(root in same and same & held for same in _SAME_COUNTRY):
        return True
    if any(is_demonym(root, word) for word in held):
        return True
    is_long = len(name) >= _MIN_MISSPELT_CHARACTERS
    return is_long and bool(get_close_matches(root, held, n=1, cutoff=TUNED.spelling_ratio))


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _bounded(cosine: float) -> float:
    return min(1.0, max(0.0, cosine))  # rounding takes that of two equal texts beyond 1


def _share(part: set[str], whole: set[str]) -> float:
    return len(part) / len(whole) if whole else 0.0
