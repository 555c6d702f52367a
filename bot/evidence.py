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

from bot.quote import PASSAGES, Found
from index.models import Passage
from index.text import figures, name_spans, names, stem, stems

_HOPELESS = 0.4  # of the threshold
_READ = 2 * PASSAGES  # passages in which a word of the question may stand
_UNKNOWN = 0.5  # share of the question's names that must be unknown to refuse for it
_SPELLING = 0.75  # difflib's ratio: "Bismark" is "Bismarck"


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for and against an answer being there. All of them are between 0 and 1.

    None depends on how many articles are indexed, as ranks and standard deviations do.
    """

    cosine: float  # of the passage nearest in meaning
    sentence_cosine: float  # of the sentence to be quoted
    sentence_coverage: float  # of the question's words, by rarity, in that sentence
    passage_coverage: float  # in its passage and headline
    missing_name: float  # share of the question's names that its passage lacks
    missing_figure: float  # share of the question's figures that its passage lacks
    missing_word: float  # the rarest of the question's words that no passage read holds, as a share of the rarest
    holds_kind: float  # 1 where the sentence holds the kind of thing asked for, 0.5 where any will do

    @classmethod
    def of(cls, found: Found) -> Signs:
        """Read the signs off what was found; there must be a sentence."""
        question, best = found.question, found.ranked[0]
        mine, everywhere = _held(best.passage), _held_by_any(found.passages)
        named = {stem(name) for name in names(question.text)} & question.rarity.keys()
        counted = set(figures(question.text))
        said = set(figures(f"{best.passage.source.headline} {best.passage.text}"))
        rarest = max(question.rarity.values(), default=0.0)
        lost = max((weight for word, weight in question.rarity.items() if word not in everywhere), default=0.0)
        return cls(
            cosine=max(passage.cosine or 0.0 for passage in found.passages[:_READ]),
            sentence_cosine=best.cosine,
            sentence_coverage=best.coverage,
            passage_coverage=question.coverage(mine),
            missing_name=_share(named - mine, named),
            missing_figure=_share(counted - said, counted),
            missing_word=lost / rarest if rarest else 1.0,
            holds_kind=0.5 if question.kind == "any" else float(best.holds_kind),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """How likely the passages say, 0 to 1.

    ``enough`` to quote from them; ``hopeless``: not worth asking a language model, which reads better than this.
    """

    probability: float
    enough: bool
    hopeless: bool


@cache
def _fitted() -> tuple[tuple[float, ...], float, float]:
    fitted = json.loads(files("bot").joinpath("evidence.json").read_text(encoding="utf-8"))
    weights = tuple(float(fitted["weights"][sign.name]) for sign in fields(Signs))
    return weights, float(fitted["intercept"]), float(fitted["threshold"])


def judge(found: Found) -> Verdict:
    """Weigh the signs; a name that is asked about and that no passage holds outweighs them all."""
    if not found.ranked:
        return Verdict(0.0, enough=False, hopeless=True)
    weights, intercept, threshold = _fitted()
    total = intercept + math.fsum(
        weight * value for weight, value in zip(weights, astuple(Signs.of(found)), strict=True)
    )
    probability = 1 / (1 + math.exp(-total))
    unknown = unknown_names(found)
    strange = bool(unknown) and len(unknown) >= _UNKNOWN * len(names(found.question.text))
    return Verdict(probability, probability >= threshold and not strange, probability < _HOPELESS * threshold)


def unknown_names(found: Found) -> list[str]:
    """The question's names, as they are written in it, that no passage read holds, not even in another spelling."""
    held = _held_by_any(found.passages)
    return [
        found.question.text[span.start : span.end]
        for name, span in name_spans(found.question.text)
        if stem(name) not in held and not get_close_matches(stem(name), held, n=1, cutoff=_SPELLING)
    ]


def why_not(found: Found) -> str:
    """The plainest reason, for a user, that the passages do not say."""
    if missing := list(dict.fromkeys(unknown_names(found))):
        return f"No article that comes near mentions {' or '.join(missing)}."
    held = _held_by_any(found.passages)
    if not any(word in held for word in found.question.rarity):
        return "No article comes near the question."
    return "The articles that come nearest do not answer it."


def _held_by_any(passages: Sequence[Passage]) -> frozenset[str]:
    return frozenset[str]().union(*(_held(passage) for passage in passages[:_READ]))


def _held(passage: Passage) -> frozenset[str]:
    return frozenset(stems(f"{passage.source.headline} {passage.source.outlet or ''} {passage.text}"))


def _share(part: set[str], whole: set[str]) -> float:
    return len(part) / len(whole) if whole else 0.0
