"""Figures as claims: the number that a sentence gives for what is asked, and whether two such numbers differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from index.models import Span
from index.text import STOP_WORDS, figure_spans, names, stem, word_spans, words

_NEAR = 40  # characters on either side in which the words stand that say what a figure counts
_YEAR = re.compile(r"(?:1[0-9]|20)\d\d")  # as it is written: "1,200" is no year
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
)
_MONTH_BEFORE = re.compile(rf"\b{_MONTH}\s*$")
_MONTH_AFTER = re.compile(rf"(?:st|nd|rd|th)?(?:\s+of)?\s*\b{_MONTH}")
_LAST_DAY = 31
_BELOW = re.compile(
    r"\b(?:nearly|almost|(?<!\bno )(?<!\bnot )(?:fewer|less) than|not? more than|under|close to|up to|not quite|at most"
    r"|below)\s*$",
    re.IGNORECASE,
)
_ABOVE = re.compile(
    r"\b(?:(?<!\bno )(?<!\bnot )more than|not? (?:fewer|less) than|over|at least|exceeding|above|upwards of"
    r"|in excess of)\s*$",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(r"\bhow (?:many|much)\b", re.IGNORECASE)
_PLACE_OR_TIME = re.compile(r"[?(]|\b(?:in|at|on|by|from|during|after|before|when|since|because|for)\b", re.IGNORECASE)
# Deaths and injuries are what the news counts most, in many words. Stems, but for "lives": people also live somewhere.
_SAME_COUNT = {
    **dict.fromkeys("kill dead death die fatal toll victim lives perish".split(), "die"),
    **dict.fromkeys("injur wound hurt casualti".split(), "hurt"),
}
Side = Literal["below", "above", ""]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, on which side of it the truth is said to lie, and the counted words that stand near it."""

    value: str
    side: Side
    near: frozenset[str]


def counted_words(question: str) -> frozenset[str]:
    """The stems of what a question counts, up to where or when it happened; "killed" and "died" are one.

    ``"How many people were killed in the Kerman attack?" -> {"peopl", "die"}``; ``"Kerman death toll" -> {"die"}``
    """
    asked = _HOW_MANY.search(question)
    phrase = _PLACE_OR_TIME.split(question[asked.end() :], maxsplit=1)[0] if asked else question
    named = {stem(name) for name in names(question)}
    said = frozenset(_alike(word) for word in words(phrase) if word not in STOP_WORDS and stem(word) not in named)
    return said if asked else said & frozenset(_SAME_COUNT.values()) or said


def find_counts(text: str) -> list[tuple[str, Span]]:
    """The figures of a text that count something, with where they stand: no years, no days of a month."""
    return [(value, span) for value, span in figure_spans(text) if not _is_date(text, value, span)]


def find_quantity(sentence: str, about: frozenset[str]) -> Quantity | None:
    """The figure of a sentence that has most of the counted words around it; None where none has any.

    ``"Two bombs killed nearly 100 on Jan. 3", {"peopl", "die"} -> Quantity("100", "below", {"die"})``
    Where two figures have as many, it is the one that has one of them nearest.
    """
    told = [(_alike(word), span) for word, span in word_spans(sentence)]
    found, best = None, (0, 0)
    for value, span in find_counts(sentence):
        gaps = [(word, _gap(span, at)) for word, at in told if word in about and 0 <= _gap(span, at) <= _NEAR]
        near = frozenset(word for word, _ in gaps)
        if near and (rank := (len(near), -min(gap for _, gap in gaps))) > best:
            found, best = Quantity(value, _side(sentence[: span.start]), near), rank
    return found


def conflict(one: Quantity, other: Quantity) -> bool:
    """Whether two figures of the same thing cannot both be right: other values, or "nearly 100" and "over 100"."""
    if not one.near & other.near:
        return False
    return one.value != other.value or {one.side, other.side} == {"below", "above"}


def _is_date(text: str, value: str, span: Span) -> bool:
    if _YEAR.fullmatch(text[span.start : span.end]):
        return True
    around = _MONTH_BEFORE.search(text[: span.start]) or _MONTH_AFTER.match(text, span.end)
    return bool(around) and float(value) <= _LAST_DAY


def _gap(one: Span, other: Span) -> int:
    """The characters between two spans; below 0 where they overlap."""
    return max(one.start - other.end, other.start - one.end)


def _alike(word: str) -> str:
    return _SAME_COUNT.get(word) or _SAME_COUNT.get(stem(word), stem(word))


def _side(before: str) -> Side:
    if _BELOW.search(before):
        return "below"
    return "above" if _ABOVE.search(before) else ""
