"""The words and numbers of a statement: what matters in it, and what a number says with its unit and its bound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from bot.query.numbers import unit_of
from index.models import Span
from index.text import CALENDAR_NAMES, STOP_WORDS, figure_spans, name_spans, stem, word_spans

MAX_TOKENS = 120  # of a statement, and of a sentence
Kind = Literal["number", "exact", "name", "content", "function"]  # "exact": months, weekdays, ordinals

_ORDINALS = frozenset("first second third fourth fifth sixth seventh eighth ninth tenth".split())
_BY_THE_WAY = frozenset(  # words that state nothing by themselves
    [
        *"nobody none nothing everyone everybody everything someone somebody something anyone anybody anything".split(),
        *"around roughly approximately nearly almost exactly precisely about".split(),
        *"mr mrs ms miss dr sir lord lady dame cllr councillor cdr commander professor".split(),
        *map(stem, "according article add passage report say said source state write note".split()),
    ]
)
_CALENDAR = {name[:3]: stem(name) for name in CALENDAR_NAMES} | {"sept": "septemb", "thurs": "thursday"}
_BOUNDS = {
    ">": r"(?<!no )(?<!not )more than|over|at least|above|no (?:fewer|less) than|upwards? of|not before|exceed\w*",
    "<": r"(?<!no )(?:less|fewer) than|under|below|up to|at most|no more than|within",
    "~": r"about|some|around|roughly|approximately|nearly|almost|an estimated|close to",
    "=": r"exactly|precisely",
}
_BOUND = re.compile(
    "|".join(rf"(?P<b{n}>\b(?:{words})\W*\Z)" for n, words in enumerate(_BOUNDS.values())), re.IGNORECASE
)
_MAX_BOUND_CHARACTERS = 20
_ROUND_BELOW, _ROUND_DIGITS, _DIGITS = 100, 4, 10  # "a third" is 33.33 percent
_BASE_UNITS = {
    "km": ("metre", 1000.0), "cm": ("metre", 0.01), "mm": ("metre", 0.001), "tonne": ("kg", 1000.0),
    "hour": ("minute", 60.0), "week": ("day", 7.0), "penny": ("pound", 0.01), "cent": ("dollar", 0.01),
}  # fmt: skip
_SMALL = "zero one two three four five six seven eight nine ten".split()
_PARTS = {"third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_SHARE = re.compile(
    rf"\bhalf\b(?:\san?\s(?P<scale>hundred|thousand|million|billion|dozen)\b)?|\b(?P<count>an?|{'|'.join(_SMALL)}|\d+)"
    rf"(?:[\s-](?P<part>{'|'.join(_PARTS)})s?"
    rf"|\s(?:\w+\s)?(?:in|out of)\s(?:every\s)?(?P<many>{'|'.join(_SMALL)}|\d+))\b",
    re.IGNORECASE,
)
_NEXT_WORD = re.compile(r"[\s-]{0,2}(?=[^\W\d])")


class Token(NamedTuple):
    """A word or number of a text.

    ``key``: its stem, or the value of a number in base units. ``bound`` of a number: ">", "<", "~", "=" or "".
    ``written``: a number as it stands there, with its bound.
    """

    key: str
    kind: Kind
    span: Span
    unit: str = ""
    bound: str = ""
    written: str = ""


def tokens(text: str) -> list[Token]:
    """Read the words and numbers of a text, at most MAX_TOKENS."""
    read = list(_numbers(text))
    inside = {place for token in read for place in range(token.span.start, token.span.end)}
    units = {place for token in read for place in _unit_words(text, token)}
    named = {span.start for _, span in name_spans(text)}
    for word, span in word_spans(text):
        if span.start not in inside and span.start not in units:
            raw = text[span.start : span.end]
            is_name = span.start in named or (len(raw) > 1 and raw.isupper() and word in STOP_WORDS)  # WHO, IT
            read.append(Token(*_word(word, is_name=is_name, is_capital=raw[0].isupper()), span))
    return sorted(read, key=lambda token: token.span)[:MAX_TOKENS]


def _word(word: str, *, is_name: bool, is_capital: bool) -> tuple[str, Kind]:
    bare = word.replace("'", "")
    key = _CALENDAR.get(bare) or stem(bare)
    if bare in _ORDINALS:
        return f"{bare}.", "exact"
    if key in _CALENDAR.values() and (is_capital or bare not in ("may", "march")):
        return key, "exact"
    if len(word) == 1 or not _BY_THE_WAY.isdisjoint((word, key)) or (word in STOP_WORDS and not is_name):
        return key, "function"
    return key, "name" if is_name else "content"


def _numbers(text: str) -> Iterator[Token]:
    """Yield numbers, with unit and bound, in base units; shares as percent: "a fifth", "one in five"."""
    taken = set[int]()
    for match in _SHARE.finditer(text):
        span, unit, value = Span(*match.span()), "percent", 50.0
        if match["scale"]:
            value, unit = float(figure_spans(match["scale"])[0][0]) / 2, unit_of(text, span)
        elif match["count"]:
            parts = _PARTS[match["part"].lower()] if match["part"] else _small(match["many"])
            value = 100.0 * _small(match["count"]) / max(1, parts)
        taken.update(range(*span))
        yield _number(text, span, value, unit)
    for figure, span in figure_spans(text):
        if span.start not in taken:
            half = 0.5 if text.startswith(" and a half", span.end) else 0.0
            yield _number(text, span, float(figure) + half, unit_of(text, span))


def _number(text: str, span: Span, value: float, unit: str) -> Token:
    unit, factor = _BASE_UNITS.get(unit, (unit, 1.0))
    value *= factor
    bound = _BOUND.search(text[max(0, span.start - _MAX_BOUND_CHARACTERS) : span.start])
    sign = next((sign for n, sign in enumerate(_BOUNDS) if bound and bound[f"b{n}"]), "")
    span = Span(span.start - len(bound[0]), span.end) if bound else span
    return Token(
        f"{value:.{_ROUND_DIGITS if value < _ROUND_BELOW else _DIGITS}g}",
        "number",
        span,
        unit,
        sign,
        text[slice(*span)],
    )


def _small(word: str) -> int:
    word = word.lower()
    return 1 if word in ("a", "an") else _SMALL.index(word) if word in _SMALL else int(word[:3])


def _unit_words(text: str, number: Token) -> Iterator[int]:
    """Yield where the words begin that are the unit of a number: of "metres" in "12 metres", not of "$5 Grant"."""
    start, end = number.span
    place = _NEXT_WORD.match(text, end)
    if place and number.unit and unit_of(text[start : end + 12], Span(0, end - start)):
        yield place.end()
        if text.startswith("per cent", place.end()):
            yield place.end() + len("per ")
