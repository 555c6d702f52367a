"""The days that a question asks about: "yesterday", "in March", "since Monday", "on 3 January 2024", "latest".

Hand-written, because what matters is how much is asked for: "in 2018" is a whole year, where parsers of dates fill
in a day. A date that only names a thing ("the 2015 nuclear deal", "the January 6 attack") is content and no period.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Literal

from index.text import figures, fold

Kind = Literal["explicit", "relative", "latest"]
About = Literal["published", "happened"]
_Days = tuple[date, date]

_MONTHS = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())
_NEAR = {"today": 0, "tonight": 0, "yesterday": 1, "overnight": 1}
_WEEKDAYS = tuple("mon tue wed thu fri sat sun".split())
_SATURDAY = 5  # as date.weekday() counts
_LATEST_DAYS = 30
_FEW = 5
_MOST_LETTERS = 1000  # of a question that are read

_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|(?:jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\b\.?)"
)
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
_ANY_YEAR = re.compile(rf"(?<![\w$€£.,/-]){_YEAR}(?=\W|s\b|$)", re.ASCII)
_LATEST = re.compile(r"(?<!at the )\b(?:latest|newest|most recent(?:ly)?|breaking news|recent news)\b", re.IGNORECASE)
_PART_OF = re.compile(r"\b(?:week|weekend|days?|end|beginning|start|middle|month)\s+$", re.IGNORECASE)
_FUNCTION_WORD = re.compile(
    r"\W*(?:$|[^\w\s]|(?:a|an|and|are|as|at|by|did|do|does|for|from|has|have|how|in|is|it|of|on|or|since|that|the|they"
    r"|to|until|was|were|what|when|where|which|who|why|with)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Period:
    """Days that a question asks about, both inclusive, never after the day it was asked.

    ``about`` says what the days are days of. "published": news of these days ("this week", "yesterday"), told then
    or a little later. "happened": the thing's own date ("in 2018"), which an article of any later day may tell, so
    that an article's date says little. ``kind`` "latest" asks for the newest there is and for no certain days:
    ``since`` is only a month back. ``matched`` is the text that was read.
    """

    since: date
    until: date
    kind: Kind
    about: About
    matched: str


def find_period(question: str, today: date) -> Period | None:
    """The days a question asks about, seen from the day it is asked; None where it names none.

    On Wednesday 2024-01-31:
    "What happened last week?" -> 2024-01-22 to 2024-01-28, relative, published
    "Who died in March?" -> 2023-03-01 to 2023-03-31, explicit, happened
    "Who may march in the 2015 parade?" -> None
    """
    question = question[:_MOST_LETTERS]
    matches = list(_EXPRESSION.finditer(question))
    for position, match in enumerate(matches):
        follower = matches[position + 1] if position + 1 < len(matches) else None
        found = _range(question, match, follower, today) or _one(question, match, today)
        if found:
            return found
    if latest := _LATEST.search(question):
        return Period(shift(today, -_LATEST_DAYS), today, "latest", "published", latest.group())
    return None


def years(question: str) -> set[int]:
    """The years that a question holds, also where they name a thing: "the 2015 nuclear deal", "a 1990s sitcom"."""
    return {int(year) for year in _ANY_YEAR.findall(question[:_MOST_LETTERS])}


def _range(question: str, first: re.Match[str], second: re.Match[str] | None, today: date) -> Period | None:
    """Two dates as one period: "between March and May 2023", "from 2015 to 2018"."""
    leads = (_lead(first), _lead(second)) if second else ("", "")
    if second is None or leads[0] not in ("from", "between") or leads[1] not in ("to", "and", "until", "till"):
        return None
    if question[first.end() : second.start()].strip():
        return None
    later = _days(second, today, "")
    earlier = _days(first, min(later[1], today), "") if later else None
    if later is None or earlier is None:
        return None
    return _made(earlier[0], later[1], today, first, question[first.start() : second.end()])


def _one(question: str, match: re.Match[str], today: date) -> Period | None:
    lead = _lead(match)
    if "next" in lead or not _is_date(question, match, lead):
        return None
    days = _days(match, today, lead)
    if days is None:
        return None
    since, until = days
    word = lead.split(" ")[0]
    if word == "from" and match["year"]:
        return None  # "a card from 1952"
    if word == "since":
        until = today
    elif word == "after":
        since, until = shift(until, 1), today
    elif word in ("before", "until", "till", "by"):
        if until > today:
            return None  # "by 2030" asks for what is to come
        since, until = date.min, shift(since, -1) if word == "before" else until
    return _made(since, until, today, match, match.group())


def _made(since: date, until: date, today: date, match: re.Match[str], matched: str) -> Period | None:
    until = min(until, today)
    if since > until:
        return None  # it lies in the future: no article can tell of it yet
    relative = any(match[name] for name in ("weekday", "near", "part", "weekend", "span_unit", "ago", "recent"))
    years = match["ago_unit"] == "year" or (match["part"] == "year" and fold(match["this"]) == "last")
    return Period(
        since,
        until,
        "relative" if relative else "explicit",
        "published" if relative and not years else "happened",
        matched.strip(),
    )


def _lead(match: re.Match[str]) -> str:
    return " ".join(fold(match["lead"] or "").split())


def _is_date(question: str, match: re.Match[str], lead: str) -> bool:
    """Whether what looks like a date steers, and does not name a thing, a person or a title."""
    start = match.end("lead") if match["lead"] else match.start()
    before, after = question[: match.start()], question[match.end() :]
    own = question[start:].lstrip(" \t\n-")
    if any(match[name] for name in ("near", "part", "weekend", "span_unit", "ago", "recent")):
        # "USA Today", "who sang Yesterday?": a capital inside a sentence makes a title
        return not own[:1].isupper() or not before.strip() or question.isupper()
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
    if lead in ("and", "to") or (match["weekday"] and lead == "in"):
        return False
    if lead.startswith("of"):
        return bool(match["day_first"] or match["month_first"] or (match["month"] and _PART_OF.search(before)))
    return _is_month(match, own, after, lead)


def _is_month(match: re.Match[str], own: str, after: str, lead: str) -> bool:
    """Whether "may" and "march" are months: not in "since May resigned", "to march", "by may 3 groups"."""
    if match["month"] and fold(match["month"]) in ("may", "march", "mar"):
        return lead in ("in", "during", "last", "this", "early", "late", "mid", "in early", "in late") or (
            own[0].isupper() and bool(_FUNCTION_WORD.match(after))
        )
    return True


def _days(match: re.Match[str], today: date, lead: str) -> _Days | None:
    """The days an expression names, before "since", "after" and the like are applied."""
    if match["iso"]:
        return _day(*(int(part) for part in match["iso"].split("-")))
    if day := match["day_first"] or match["day_second"]:
        month = _MONTHS.index(fold(match["month_after"] or match["month_first"])[:3]) + 1
        return _dated(int(re.sub(r"\D", "", day)), month, match["year_third"] or match["year_last"], today)
    if match["month"]:
        return _month_days(match, today, lead)
    if year := match["decade"] or match["year"]:
        return date(int(year), 1, 1), date(int(year) + (9 if match["decade"] else 0), 12, 31)
    return _relative(match, today, lead)


def _relative(match: re.Match[str], today: date, lead: str) -> _Days:
    """The days an expression names that is counted from today."""
    if match["weekday"]:
        back = (today.weekday() - _WEEKDAYS.index(fold(match["weekday"])[:3])) % 7
        return _back(today, back or (7 if "last" in lead else 0))
    if near := fold(match["near"] or ""):
        since = shift(today, -_NEAR.get(near, 2))
        return since, today if near == "overnight" else since
    if match["weekend"]:
        return _calendar("weekend", today, 0)
    if match["part"]:
        return _calendar(fold(match["part"]), today, 1 if fold(match["this"]) == "last" else 0)
    if match["ago"]:
        return _calendar(fold(match["ago_unit"]), today, _count(match["ago"]))
    unit = fold(match["span_unit"] or match["recent_unit"]).rstrip("s")
    count = _FEW if match["recent"] else _count(match["span"] or "one")
    length = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30.5, "year": 365.25}[unit] * count
    return shift(today, -max(1, round(length))), today


def _calendar(unit: str, today: date, back: int) -> _Days:
    """The day, week (from Monday), month or year that lies so many back: ("week", 2024-01-31, 1) -> Jan 22 to 28."""
    if unit in ("day", "night", "morning", "afternoon", "evening"):
        return _back(today, back)
    if unit == "week":
        monday = shift(today, -today.weekday() - 7 * back)
        return monday, shift(monday, 6)
    if unit == "weekend":
        # The one just gone or under way; "last weekend", asked on a weekend, is the one before.
        saturday = shift(
            today, -((today.weekday() - _SATURDAY) % 7) - (7 if back and today.weekday() >= _SATURDAY else 0)
        )
        return saturday, shift(saturday, 1)
    months = today.year * 12 + today.month - 1 - back * (12 if unit == "year" else 1)
    year, month = max(1, months // 12), months % 12 + 1
    if unit == "year":
        return date(year, 1, 1), date(year, 12, 31)
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def _month_days(match: re.Match[str], today: date, lead: str) -> _Days | None:
    """A month of the year that is given, or the most recent one that has begun ("last March": that has ended)."""
    month = _MONTHS.index(fold(match["month"])[:3]) + 1
    ended = "last" in lead or "past" in lead or "previous" in lead
    year = int(match["month_year"] or today.year - (month > today.month or (ended and month == today.month)))
    if lead == "this" and year != today.year:
        return None
    return (date(year, month, 1), date(year, month, monthrange(year, month)[1])) if year > 0 else None


def _dated(day: int, month: int, year: str | None, today: date) -> _Days | None:
    """A day of the year that is given, or the most recent such day: Feb 29 may lie years back."""
    if year:
        return _day(int(year), month, day)
    candidates = (_day(today.year - back, month, day) for back in range(9))
    return next((days for days in candidates if days and days[0] <= today), None)


def _day(year: int, month: int, day: int) -> _Days | None:
    try:
        return (date(year, month, day),) * 2
    except ValueError:
        return None


def _back(today: date, days: int) -> _Days:
    return (shift(today, -days),) * 2


def shift(day: date, days: int) -> date:
    """A day so many days on, held within the calendar."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _count(text: str) -> int:
    """How many: "three " -> 3, "a couple of" -> 2, "a few" -> 5, "a" -> 1."""
    if "couple" in fold(text):
        return 2
    if "few" in fold(text) or "several" in fold(text):
        return _FEW
    found = figures(text)
    return int(found[0]) if found else 1
