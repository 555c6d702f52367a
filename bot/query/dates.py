"""Parse the days that a question asks about: "yesterday", "in March", "since Monday", "on 3 January 2024", "latest".

Hand-written, because granularity matters: "in 2018" is a whole year, where parsers of dates fill in a day. A date that
only names a thing ("the 2015 nuclear deal", "the January 6 attack") is content and no period.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Literal

from index.text import MONTH, figures, fold

_MONTHS = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())
_WEEKDAYS = tuple("mon tue wed thu fri sat sun".split())
_SATURDAY = _WEEKDAYS.index("sat")
_DAYS_BACK = {"today": 0, "tonight": 0, "yesterday": 1, "overnight": 1}  # else: the day before yesterday
_LATEST_DAYS = 30
_FEW = 5
_MAX_CHARACTERS = 1000  # of a question that are read

_MONTH = rf"(?:{MONTH}\b\.?)"
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
_YEAR = r"(?:1[5-9]\d\d|2[01]\d\d)(?![\d%])(?![.,:/-]\d)"
_COUNTED = r"(?!\s+(?:people|men|women|children|homes|houses|years|days|hours|words|euros|dollars|miles|met|feet|km))"
_DAY = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?(?![\w%])(?![.,:/-]\d)"
_NUMBER = (
    r"(?:\d{1,6}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve"
    r"|a few|few|several|a couple of|couple of)"
)
_LEAD = (
    r"(?:on|in|during|throughout|of|for|around|late|early|mid|this|last|past|previous|next|since|from|after|before|until"
    r"|till|by|between|to|and)(?:\s+(?:early|late|mid|the|last|this|past|previous|next|about|around)){0,3}"
)
_EXPRESSION = re.compile(
    rf"""
    (?:\b(?P<lead>{_LEAD})[\s-]+)?
    (?:
        (?<![\w/-])(?P<iso>\d{{4}}-\d\d-\d\d)(?![\w/-])
      | \b(?P<day_first>{_DAY})(?:\s+of)?\s+(?P<month_after>{_MONTH})(?:,?\s+(?P<year_third>{_YEAR}))?(?!\w)
      | \b(?P<month_first>{_MONTH})\s+(?P<day_second>{_DAY})(?:,?\s+(?P<year_last>{_YEAR}))?
      | \b(?P<nth>first|second|third|fourth|last)\s+week\s+(?:of|in)\s+(?P<nth_month>{_MONTH})
          (?:,?\s+(?P<nth_year>{_YEAR}))?(?![\w/])
      | \b(?P<month>{_MONTH})(?:,?\s+(?:of\s+)?(?P<month_year>{_YEAR}))?(?![\w/])
      | (?<![\w$€£.,/-])(?P<decade>(?:1[5-9]|20)\d0)['\u2019]?s\b
      | (?<![\w$€£.,/-])(?P<year>{_YEAR}){_COUNTED}(?!\w)
      | \b(?P<weekday>{_WEEKDAY})\b
      | \b(?P<near>the\s+day\s+before\s+yesterday|yesterday|today|tonight|overnight)\b
      | \b(?<!\bthe\s)(?P<this>this|last)\s+
          (?P<part>morning|afternoon|evening|night|weekend|week|month|year)\b(?!\s+of\b|\s+tonight\b)
      | \b(?P<weekend>(?:over|at)\s+the\s+weekend)\b
      | \b(?:past|previous|last)\s+(?P<span>{_NUMBER}\s+)?
          (?P<span_unit>hour|day|week|month|year)s?\b(?!\s+of\b|\s+tonight\b)
      | \b(?P<ago>{_NUMBER})\s+(?P<ago_unit>day|week|month|year)s?\s+ago\b
      | \b(?P<recent>recent)\s+(?P<recent_unit>days|weeks|months)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_FROM_DAY = re.compile(rf"\b(?:from|between)\s+(?:the\s+)?(?P<day>{_DAY})\s+\Z", re.IGNORECASE)  # "from 5 to 9 August"
_ANY_YEAR = re.compile(rf"(?<![\w$€£.,/-]){_YEAR}(?=\W|s\b|$)", re.ASCII)
_LATEST = re.compile(r"(?<!at the )\b(?:latest|newest|most recent(?:ly)?|breaking news|recent news)\b", re.IGNORECASE)
_PART_OF = re.compile(r"\b(?:week|weekend|days?|end|beginning|start|middle|month)\s+$", re.IGNORECASE)
# "on Sunday opening": what is done on Sundays
_DAY_OF_ACTIVITY = re.compile(
    r"\s(?!morning|evening|during|following|regarding|concerning|according|having|being)[a-z]+ing\b"
)
_FUNCTION_WORD = re.compile(
    r"\W*(?:$|[^\w\s]|(?:a|an|and|are|as|at|by|did|do|does|for|from|has|have|how|in|is|it|of|on|or|since|that|the|they"
    r"|to|until|was|were|what|when|where|which|who|why|with)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a question asks about, both inclusive, never after the day of the question.

    ``about`` "published": news of these days ("this week", "yesterday"), published then or a little later. "happened":
    the date of the thing itself ("in 2018"), which an article of any later day may mention. ``kind`` "latest" asks for
    the newest there is: ``since`` is only a month back. ``matched`` is the text that was parsed.
    """

    since: date
    until: date
    kind: Literal["explicit", "relative", "latest"]
    about: Literal["published", "happened"]
    matched: str

    @property
    def weekday(self) -> str:
        """The weekday that is the day of the question, folded: ``"thursday"`` of "on Thursday"; else ""."""
        weekday = re.search(_WEEKDAY, self.matched, re.IGNORECASE) if self.since == self.until else None
        return fold(weekday.group()) if weekday else ""

    @property
    def names_event(self) -> bool:
        """Whether these are the days of the thing itself, which articles of the days after report too."""
        return self.about == "happened" or bool(self.weekday)


_Days = tuple[date, date]


def find_period(question: str, as_of: date) -> Period | None:
    """Parse the period of a question, seen from the day it is asked; None if it names none.

    On Wednesday 2024-01-31:
    "What happened last week?" -> 2024-01-22 to 2024-01-28, relative, published
    "Who died in March?" -> 2023-03-01 to 2023-03-31, explicit, happened
    "Who may march in the 2015 parade?" -> None
    """
    question = question[:_MAX_CHARACTERS]
    matches = list(_EXPRESSION.finditer(question))
    for match, following in zip_longest(matches, matches[1:]):
        if period := _range(question, match, following, as_of) or _single(question, match, as_of):
            return period
    if latest := _LATEST.search(question):
        return Period(shift(as_of, -_LATEST_DAYS), as_of, "latest", "published", latest.group())
    return None


def years(question: str) -> set[int]:
    """List the years of a question, also within names: "the 2015 nuclear deal", "a 1990s sitcom"."""
    return {int(year) for year in _ANY_YEAR.findall(question[:_MAX_CHARACTERS])}


def _range(question: str, first: re.Match[str], second: re.Match[str] | None, as_of: date) -> Period | None:
    """Parse two dates as one period: "between March and May 2023", "from 2015 to 2018"."""
    if second is None or _lead(first) not in ("from", "between") or _lead(second) not in ("to", "and", "until", "till"):
        return None
    if question[first.end() : second.start()].strip():
        return None
    later = _days(second, as_of, "")
    earlier = _days(first, min(later[1], as_of), "") if later else None
    if later is None or earlier is None:
        return None
    return _period(earlier[0], later[1], as_of, first, question[first.start() : second.end()])


def _single(question: str, match: re.Match[str], as_of: date) -> Period | None:
    lead = _lead(match)
    if (
        lead.partition(" ")[0] in ("to", "and")
        and match["day_first"]
        and (first := _FROM_DAY.search(question, 0, match.start()))
    ):
        last = _days(match, as_of, "")
        earliest = last and _day(last[0].year, last[0].month, int(re.sub(r"\D", "", first["day"])))
        matched = question[first.start() : match.end()]
        return _period(earliest[0], last[0], as_of, match, matched) if earliest and last else None
    word = lead.partition(" ")[0]
    if "next" in lead or (word == "from" and match["year"]):  # "a card from 1952"
        return None
    days = _days(match, as_of, lead) if _is_date(question, match, lead) else None
    if days is None:
        return None
    since, until = days
    if word == "since":
        until = as_of
    elif word == "after":
        since, until = shift(until, 1), as_of
    elif word in ("before", "until", "till", "by"):
        if (since if word == "before" else until) > as_of:
            return None  # "by 2030" asks for what is to come
        since, until = date.min, shift(since, -1) if word == "before" else until
    return _period(since, until, as_of, match, match.group())


def _period(since: date, until: date, as_of: date, match: re.Match[str], matched: str) -> Period | None:
    until = min(until, as_of)
    if since > until:
        return None  # it lies in the future: no article can report it yet
    relative = bool(match["weekday"]) or _is_counted(match)
    is_years = match["ago_unit"] == "year" or (match["part"] == "year" and fold(match["this"]) == "last")
    about: Literal["published", "happened"] = "published" if relative and not is_years else "happened"
    return Period(since, until, "relative" if relative else "explicit", about, matched.strip())


def _lead(match: re.Match[str]) -> str:
    return " ".join(fold(match["lead"] or "").split())


def _is_counted(match: re.Match[str]) -> bool:
    """Whether an expression is counted from the day of the question: "last week", "two days ago"."""
    return any(match[name] for name in ("near", "part", "weekend", "span_unit", "ago", "recent"))


def _is_date(question: str, match: re.Match[str], lead: str) -> bool:
    """Whether an expression is a date of the question, and not part of the name of a thing, a person or a title."""
    before, after = question[: match.start()], question[match.end() :]
    own = question[match.end("lead") if match["lead"] else match.start() :].lstrip(" \t\n-")
    if _is_counted(match):
        # "USA Today", "who sang Yesterday?": a capital inside a sentence makes a title
        return not own[:1].isupper() or not before.strip() or question.isupper()
    if match["nth"]:
        return True
    if lead.endswith("the") or re.search(r"\bthe\s+$", before, re.IGNORECASE):
        # "the January 6 attack", "the 2015 nuclear deal"; but "in the 1990s", "the 3rd of January"
        return bool(match["decade"] or (_FUNCTION_WORD.match(after) and not match["year"]))
    if match["iso"] or match["month_year"] or match["year_third"] or match["year_last"]:
        return True
    if lead:
        return _is_led(match, lead, before, own, after)
    # "What happened Thursday?" has no preposition; "Who owns Sheffield Wednesday?" is a name
    plain = re.search(r"(?:^|\s[a-z]+\s+|^[a-z]+\s+)$", before) and not after.strip(" ?.!")
    return bool(plain and (match["weekday"] or match["day_first"] or match["month_first"]))


def _is_led(match: re.Match[str], lead: str, before: str, own: str, after: str) -> bool:
    """Whether the word before an expression makes it a date: "on Monday", "the week of May 3"; not "and 2018"."""
    if lead in ("and", "to") or (match["weekday"] and (lead == "in" or _DAY_OF_ACTIVITY.match(after))):
        return False
    if lead.startswith("of"):
        return bool(match["day_first"] or match["month_first"] or (match["month"] and _PART_OF.search(before)))
    if match["month"] and fold(match["month"]) in ("may", "may.", "march", "march.", "mar"):
        # not "since May resigned", "to march", "by may 3 groups"
        return lead in ("in", "during", "last", "this", "early", "late", "mid", "in early", "in late") or (
            own[0].isupper() and bool(_FUNCTION_WORD.match(after))
        )
    return True


def _days(match: re.Match[str], as_of: date, lead: str) -> _Days | None:
    """Return the days that an expression names, before "since", "after" and the like apply."""
    if match["iso"]:
        return _day(*(int(part) for part in match["iso"].split("-")))
    if day := match["day_first"] or match["day_second"]:
        # without a year the most recent such day: Feb 29 may lie years back
        month, year = _month(match["month_after"] or match["month_first"]), match["year_third"] or match["year_last"]
        years = [int(year)] if year else range(as_of.year, as_of.year - 9, -1)
        candidates = (_day(candidate, month, int(re.sub(r"\D", "", day))) for candidate in years)
        return next((days for days in candidates if days and (year or days[0] <= as_of)), None)
    if match["nth"]:
        month = _month(match["nth_month"])
        year = int(match["nth_year"] or as_of.year - (month > as_of.month))
        return _week_of(*_whole_month(year, month), fold(match["nth"])) if year > 0 else None
    if match["month"]:
        # without a year the most recent such month that has begun, "last March": that has ended
        month, ended = _month(match["month"]), any(word in lead for word in ("last", "past", "previous"))
        year = int(match["month_year"] or as_of.year - (month > as_of.month or (ended and month == as_of.month)))
        return _whole_month(year, month) if year > 0 and not (lead == "this" and year != as_of.year) else None
    if year := match["decade"] or match["year"]:
        return date(int(year), 1, 1), date(int(year) + (9 if match["decade"] else 0), 12, 31)
    return _relative(match, as_of, lead)


def _relative(match: re.Match[str], as_of: date, lead: str) -> _Days:
    """Return the days of an expression that is relative to the day of the question."""
    if match["weekday"]:
        back = (as_of.weekday() - _WEEKDAYS.index(fold(match["weekday"])[:3])) % 7
        return _calendar("day", as_of, back or (7 if "last" in lead else 0))
    if near := fold(match["near"] or ""):
        since = shift(as_of, -_DAYS_BACK.get(near, 2))
        return since, as_of if near == "overnight" else since
    if match["weekend"]:
        return _calendar("weekend", as_of, 0)
    if match["part"]:
        return _calendar(fold(match["part"]), as_of, 1 if fold(match["this"]) == "last" else 0)
    if match["ago"]:
        return _calendar(fold(match["ago_unit"]), as_of, _count(match["ago"]))
    unit = fold(match["span_unit"] or match["recent_unit"]).rstrip("s")
    count = _FEW if match["recent"] else _count(match["span"] or "one")
    length = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30.5, "year": 365.25}[unit] * count
    return shift(as_of, -max(1, round(length))), as_of


def _calendar(unit: str, as_of: date, back: int) -> _Days:
    """Return the day, week (from Monday), month or year so many back: ("week", 2024-01-31, 1) -> Jan 22 to 28."""
    if unit == "week":
        monday = shift(as_of, -as_of.weekday() - 7 * back)
        return monday, shift(monday, 6)
    if unit == "weekend":
        # The weekend just gone or under way; "last weekend", on a weekend, is the weekend before.
        earlier = 7 if back and as_of.weekday() >= _SATURDAY else 0
        saturday = shift(as_of, -((as_of.weekday() - _SATURDAY) % 7) - earlier)
        return saturday, shift(saturday, 1)
    if unit in ("month", "year"):
        months = as_of.year * 12 + as_of.month - 1 - back * (12 if unit == "year" else 1)
        year = max(1, months // 12)
        return (date(year, 1, 1), date(year, 12, 31)) if unit == "year" else _whole_month(year, months % 12 + 1)
    return (shift(as_of, -back),) * 2


def _month(name: str) -> int:
    return _MONTHS.index(fold(name)[:3]) + 1


def _whole_month(year: int, month: int) -> _Days:
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def _week_of(first: date, last: date, nth: str) -> _Days:
    """The seven days of a month that are its first, second, third or fourth week, or its last."""
    if nth == "last":
        return shift(last, -6), last
    start = shift(first, 7 * ("first", "second", "third", "fourth").index(nth))
    return start, shift(start, 6)


def _day(year: int, month: int, day: int) -> _Days | None:
    try:
        return (date(year, month, day),) * 2
    except ValueError:
        return None


def shift(day: date, days: int) -> date:
    """Move a day, within the calendar's limits."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _count(text: str) -> int:
    """Parse a count: "three " -> 3, "a couple of" -> 2, "a few" -> 5, "a" -> 1."""
    if "couple" in fold(text):
        return 2
    if "few" in fold(text) or "several" in fold(text):
        return _FEW
    numbers = figures(text)
    return int(numbers[0]) if numbers else 1
