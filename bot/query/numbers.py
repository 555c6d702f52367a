"""Quantities: the number that a sentence gives for what a question counts, and whether two of them conflict."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Literal

from index.models import Span
from index.text import MONTH, STOP_WORDS, figure_spans, names, stem, word_spans, words

_MAX_GAP_CHARACTERS = 40  # between a number and the words that say what it counts
_MAX_BOUND_CHARACTERS = 60  # of the words before a number that bound it, or name its month
_MAX_DAY = 31
_YEAR = re.compile(r"(?:1[0-9]|20)\d\d")  # as it is written: "1,200" is no year
_MONTH_BEFORE = re.compile(rf"\b{MONTH}\b\.?\s*$")
_MONTH_AFTER = re.compile(rf"(?:st|nd|rd|th)?(?:\s+of)?\s*\b{MONTH}\b")
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
    **dict.fromkeys("kill dead death die fatal toll victim lives perish drown bodi murder".split(), "die"),
    **dict.fromkeys("injur wound hurt casualti".split(), "hurt"),
    **dict.fromkeys("miss unaccount".split(), "miss"),
    **dict.fromkeys("arrest detain custodi".split(), "arrest"),
    **dict.fromkeys("surviv survivor rescu aliv save".split(), "surviv"),
    **dict.fromkeys("board aboard carri passeng".split(), "board"),
}
FATES = frozenset(_SAME_COUNT.values())
"""What befell people, as counted stems: a number of the dead is none of the injured."""
_HARM = frozenset(["die", "hurt"])
_DISTINCT = _HARM | {"miss"}  # those who are on board or rescued may be any of these
_ORDINALS = "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
# "A seventh man has died" is a count of seven.
_ORDINAL_DEATH = re.compile(
    rf"\ba (?P<ordinal>{'|'.join(_ORDINALS)}) (?:\w+ ){{1,3}}(?:died|was killed|drowned)\b"
    rf"|\b(?P<body>{'|'.join(_ORDINALS)}) (?:body|victim|death)\b",
    re.IGNORECASE,
)
_ONE_DEATH = re.compile(
    r"\b(?:an?|one) (?:[\w-]+ ){1,4}(?:was killed|died|has died|drowned|was found dead|lost (?:his|her) life)\b",
    re.IGNORECASE,
)
_RISEN = re.compile(
    r"\b(?:number|figure|count|total|tally|toll|it)\b[^.;]{0,70}?\b(?:risen|rose|rises|climbed|gone up|went up"
    r"|increased|grown|grew|stands|stood|is now|fallen|fell|down|up)\s(?:to|at)?\s?(?:at least )?\Z",
    re.IGNORECASE,
)
_MAX_RISEN_CHARACTERS = 120
# Words for the same things, counted.
_SAME_THINGS = tuple(
    frozenset(map(stem, words.split()))
    for words in (
        "jobs posts positions roles workers employees staff redundancies",
        "fans supporters spectators", "pupils students schoolchildren children", "children kids youngsters",
        "houses homes properties buildings dwellings households", "cars vehicles automobiles",
        "planes aircraft jets airliners", "flights services", "ships vessels boats",
        "votes ballots lawmakers mps senators members",
        "games matches", "soldiers troops", "shops stores outlets branches", "companies firms businesses",
        "passengers travellers people", "hospitals clinics", "copies books", "cases infections",
        "rooms bedrooms", "seats constituencies", "goals times", "earthquakes quakes",
        "attacks strikes", "sites places locations",
    )
)  # fmt: skip
_PEOPLE = frozenset(
    map(stem, "people persons person men women victims lives souls individuals citizens bodies dead".split())
)
_NOUN_STOPS = frozenset(
    "are were was is have has had do does did will would can could may might should of there".split()
)
_NO_PLURALS = frozenset("its his this has was is does as us yes across always perhaps plus versus thus less".split())
_PLURALS = frozenset("people men women children staff police troops crew fish sheep aircraft mps lives feet".split())
_PERSON_PLURAL = re.compile(r"\w{3,}(?:ers|ors|ists|ians|ees|men|women|ents|ants|eers|arians|people|folk)\Z")
_MAX_NOUN_WORDS = 4
_AGE = re.compile(r"(?:, |aged? )\d\d,", re.IGNORECASE)
_SCORE_AFTER = re.compile(r"[-–]\d")
Bound = Literal["below", "above", ""]
# What measures a number: the unit, and how it is written behind the number or, of money, before it.
_UNITS = {
    "euro": "€ euros? eur", "dollar": "\\$ dollars? usd", "pound": "£ pounds? gbp", "yen": "¥ yen", "yuan": "yuan",
    "rupee": "₹ rupees?", "rouble": "r(?:o)?ubles?", "franc": "francs? chf", "krona": "kron(?:a|e|or|er) crowns?",
    "peso": "pesos?", "lira": "liras?", "zloty": "zlotys?", "dirham": "dirhams?", "riyal": "r[iy]yals? rials?",
    "penny": "pence pennies", "cent": "cents?",
    "percent": "% per\\scent percent", "point": "percentage\\spoints?", "degree": "°[cf]? degrees?",
    "km": "km kilomet(?:re|er)s?", "mile": "miles?", "metre": "m met(?:re|er)s?", "cm": "cm centimet(?:re|er)s?",
    "mm": "mm millimet(?:re|er)s?", "foot": "foot feet ft", "inch": "inch(?:es)?", "tonne": "tonnes? tons?",
    "kg": "kg kilos? kilogram(?:me)?s?", "litre": "lit(?:re|er)s?", "hectare": "hectares?", "acre": "acres?",
    "mph": "mph", "km/h": "km/h kph",
    "second": "seconds?", "minute": "minutes?", "hour": "hours?", "day": "days?", "week": "weeks?",
    "month": "months?", "year": "years?",
}  # fmt: skip
_CURRENCIES = frozenset(list(_UNITS)[:16])
_UNIT_PATTERNS = [
    (unit, re.compile("|".join(rf"{name}(?!\w)" for name in names.split()), re.IGNORECASE))
    for unit, names in _UNITS.items()
]
_UNIT_AFTER = re.compile(
    r"[\s-]{0,2}(?:(?:US|American|Canadian|Australian|Swiss|British)\s)?(?P<unit>[$€£¥₹%°]\s?[cf]?(?!\w)|[a-z/]+(?:\s(?:cent|points?)\b)?)",
    re.IGNORECASE,
)
_CURRENCY_BEFORE = re.compile(r"(?P<unit>[$€£¥₹]|\b(?:EUR|USD|GBP|CHF))\s?[−–-]?\Z")
_MAX_CURRENCY_CHARACTERS = 5
_RATE_AFTER = re.compile(
    r"(?:\s[^\W\d]+){0,2}\s(?:per|an?)\s(?:square|cubic|head|capita|person|hour|day|week|month|year|km|kilomet|mile)",
    re.IGNORECASE,
)
_FORECAST = re.compile(
    r"\b(?:will|would|'ll|shall|could|may|might|should|expect\w*|forecasts?|forecasted|predict\w*|project(?:ed|ion|ions)"
    r"|plan(?:s|ned|ning)?|propos\w*|hop(?:es?|ed|ing)|aim\w*|targets?|due to|set to|likely|is to|are to|was to|were to"
    r"|budget(?:ed)?|going to|intend\w*|promis\w*|pledg\w*|next (?:year|month|week|season))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a sentence, with its sign.

    ``bound``: the true number is said to lie "below" or "above" it. ``counted``: the counted stems that stand near.
    ``unit``: what measures it ("euro", "percent", "km", …), or "" of a plain count; with "/" if it is a rate.
    """

    value: str
    bound: Bound
    counted: frozenset[str]
    unit: str = ""


def counted_stems(question: str) -> frozenset[str]:
    """Stem what a question counts, up to where or when it happened; "killed" and "died" are one stem.

    ``"How many people were killed in the Kerman attack?" -> {"peopl", "die"}``; ``"Kerman death toll" -> {"die"}``
    """
    question = question.replace("on board", "aboard")
    how_many = _HOW_MANY.search(question)
    phrase = _PLACE_OR_TIME.split(question[how_many.end() :], maxsplit=1)[0] if how_many else question
    named = {stem(name) for name in names(question)}
    counted = frozenset(
        _count_stem(word) for word in words(phrase) if word not in STOP_WORDS and stem(word) not in named
    )
    return counted if how_many else counted & _HARM or counted


def find_counts(text: str) -> list[tuple[str, Span]]:
    """List the numbers of a text with their spans, except years and days of a month."""
    return [(value, span) for value, span in figure_spans(text) if not _is_date(text, value, span)]


def unit_of(text: str, span: Span) -> str:
    """The unit of the number ``text[start:end]``, or "": ``"€5 million" -> "euro"; "3.8 per cent" -> "percent"``."""
    before = _CURRENCY_BEFORE.search(text, max(0, span.start - _MAX_CURRENCY_CHARACTERS), span.start)
    match = before or _UNIT_AFTER.match(text, span.end)
    written = " ".join(match["unit"].split()) if match else ""
    return next((unit for unit, pattern in _UNIT_PATTERNS if pattern.fullmatch(written)), "")


def has_money(text: str) -> bool:
    """Whether a text has a sum of money: ``"It cost five pounds." -> True``."""
    return any(is_money(text, span) for _, span in find_counts(text))


def is_money(text: str, span: Span) -> bool:
    """Whether the number ``text[start:end]`` is a sum of money."""
    return unit_of(text, span) in _CURRENCIES


def is_forecast(sentence: str) -> bool:
    """Whether a sentence tells a plan, a guess or a condition: "will cost", "was expected to"."""
    return _FORECAST.search(sentence) is not None


def find_quantity(sentence: str, counted: frozenset[str], *, is_money: bool = False) -> Quantity | None:
    """Find the number with the most counted stems near it, then the nearest; None if none has any.

    ``is_money``: only sums of money.

    ``"Two bombs killed nearly 100 on Jan. 3", {"peopl", "die"} -> Quantity("100", "below", {"die"})``
    """
    places = [(_count_stem(word), place) for word, place in word_spans(sentence)]
    places = [(word, place) for word, place in places if word in counted]
    best, best_rank = None, (0, 0)
    for value, span in find_counts(sentence):
        unit = unit_of(sentence, span)
        if is_money and unit not in _CURRENCIES:
            continue
        if _RATE_AFTER.match(sentence, span.end):
            unit += "/"
        if _has_other_fate(sentence, span, counted):
            continue
        first = bisect_left(places, span.start - _MAX_GAP_CHARACTERS, key=lambda place: place[1].end)
        last = bisect_right(places, span.end + _MAX_GAP_CHARACTERS, key=lambda place: place[1].start)
        gaps = [(word, gap) for word, place in places[first:last] if (gap := _gap(span, place)) >= 0]
        near = frozenset(word for word, _ in gaps)
        if near and (rank := (len(near), -min(gap for _, gap in gaps))) > best_rank:
            best, best_rank = Quantity(value, bound_of(sentence, span.start), near, unit), rank
    if best is None and "die" in counted and (ordinal := _ORDINAL_DEATH.search(sentence)):
        value = str(_ORDINALS.index((ordinal["ordinal"] or ordinal["body"]).lower()) + 2)
        return Quantity(value, "", frozenset(["die"]))
    if best is None and "die" in counted and _ONE_DEATH.search(sentence):
        return Quantity("1", "", frozenset(["die"]))
    return best


def _has_other_fate(text: str, span: Span, counted: frozenset[str]) -> bool:
    """Whether a number counts those whom something else befell: the injured in "nine dead and 23 injured"."""
    return not counted.isdisjoint(_DISTINCT) and fate_of(text, span) not in {"", *counted}


def fate_of(text: str, span: Span) -> str:
    """What befell those whom the number ``text[start:end]`` counts, "die", "hurt" or "miss", or ""."""
    behind = re.split(r"[,.;:()]|\band\b", text[span.end : span.end + _MAX_GAP_CHARACTERS], maxsplit=1)[0]
    before = text[max(0, span.start - _MAX_RISEN_CHARACTERS) : span.start]
    near = words(behind)[:_MAX_NOUN_WORDS] + (words(before) if _RISEN.search(before) else [])
    return next((fate for word in near if (fate := _count_stem(word)) in _DISTINCT), "")


def risen_quantity(sentence: str, before: str, counted: frozenset[str]) -> Quantity | None:
    """The number to which what the text before counts has risen: ``"It has risen to nine.", "Six died."``."""
    fates = counted & FATES
    if not fates or fates.isdisjoint(map(_count_stem, words(before))):
        return None
    for value, span in find_counts(sentence):
        if _RISEN.search(sentence, max(0, span.start - _MAX_RISEN_CHARACTERS), span.start):
            return Quantity(value, bound_of(sentence, span.start), fates, unit_of(sentence, span))
    return None


def counted_noun(question: str) -> str:
    """The noun that "how many" counts, "" if uncertain: ``"How many parking spaces are there?" -> "spaces"``."""
    how_many = _HOW_MANY.search(question)
    if not how_many or how_many.group()[-4:].lower() != "many":
        return ""
    leading: list[str] = []
    for word in words(question[how_many.end() :])[:_MAX_NOUN_WORDS]:
        if word in _NOUN_STOPS:
            return leading[-1] if leading and _is_plural(leading[-1]) and word != "of" else ""
        leading.append(word)
    return next(filter(_is_plural, leading), "")


def counts(text: str, span: Span, noun: str) -> bool | None:
    """Whether the number ``text[start:end]`` counts a noun; None if that is open, as with no noun behind it.

    ``"Its 312 pupils", "teachers" -> False; "nine of them", "teachers" -> None``
    """
    behind = re.split(r"[,.;:()“”\"–—]", text[span.end : span.end + _MAX_GAP_CHARACTERS], maxsplit=1)[0]
    following = words(behind)[:_MAX_NOUN_WORDS]
    stop = next((place for place, word in enumerate(following) if word in STOP_WORDS), len(following))
    if any(_same_thing(noun, word) for word in following[:stop]):
        return True
    is_age = _AGE.search(text, max(0, span.start - _MAX_CURRENCY_CHARACTERS), span.end + 1)
    is_other = is_money(text, span) or is_age or _SCORE_AFTER.match(text, span.end)
    return False if is_other or any(map(_is_plural, following[:stop])) else None


def is_amount(text: str, span: Span) -> bool:
    """Whether the number ``text[start:end]`` may answer "how much": a measure, and no count of things ("61 bets")."""
    behind = next(iter(words(re.split(r"[,.;:()]", text[span.end :][:_MAX_GAP_CHARACTERS], maxsplit=1)[0])), "")
    return bool(unit_of(text, span)) or not _is_plural(behind)


def _is_plural(word: str) -> bool:
    return word in _PLURALS or (word.endswith("s") and not word.endswith("ss") and word not in _NO_PLURALS)


def _same_thing(noun: str, other: str) -> bool:
    """Whether another noun is of the things, or people, that a noun counts: workers are people."""
    first, second = stem(noun), stem(other)
    if first == second or any(first in same and second in same for same in _SAME_THINGS):
        return True
    return (first in _PEOPLE and (second in _PEOPLE or bool(_PERSON_PLURAL.match(other)))) or (
        second in _PEOPLE and bool(_PERSON_PLURAL.match(noun))
    )


def conflict(first: Quantity, second: Quantity) -> bool:
    """Whether two quantities of the same thing cannot both be right: other values, or "nearly 100" and "over 100".

    Only of the same unit. A forecast and an outcome do not conflict at one time: see `is_forecast`.
    """
    if not first.counted & second.counted or first.unit != second.unit:
        return False
    return first.value != second.value or {first.bound, second.bound} == {"below", "above"}


def _is_date(text: str, value: str, span: Span) -> bool:
    if _YEAR.fullmatch(text[span.start : span.end]):
        return True
    return float(value) <= _MAX_DAY and bool(
        _before(_MONTH_BEFORE, text, span.start) or _MONTH_AFTER.match(text, span.end)
    )


def _gap(first: Span, second: Span) -> int:
    """Count the characters between two spans; below 0 if they overlap."""
    return max(first.start - second.end, second.start - first.end)


def _count_stem(word: str) -> str:
    return _SAME_COUNT.get(word) or _SAME_COUNT.get(stem(word), stem(word))


def bound_of(text: str, start: int) -> Bound:
    """On which side of the number that begins at ``start`` the true one is said to lie."""
    if _before(_BELOW, text, start):
        return "below"
    return "above" if _before(_ABOVE, text, start) else ""


def _before(pattern: re.Pattern[str], text: str, end: int) -> re.Match[str] | None:
    """Search for what ends in front of a position, and not through the whole text before it."""
    return pattern.search(text, max(0, end - _MAX_BOUND_CHARACTERS), end)
