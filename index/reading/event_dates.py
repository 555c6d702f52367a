"""The dates of what an article reports, resolved from the day it was published.

"on Thursday" is the Thursday before or after that day, by the tense of its clause; "on 3 May", "last month" and "in
1874" are as wide as written. No date is better than a wrong one: an expression counts only in a main clause, in what is
reported ("said that …"), in a clause of time with a verb ("after two bombs went off on 3 January") or beside a verb of
saying at the end, and only with a verb whose tense is plain. "since Monday", "Monday's vote", "every Friday", "earlier
this week", "next Friday" on a Monday and dates within quotation marks give none.

Precision, 2026-11-27: 49 of 50 sampled on RAMDocs and SQuAD (without a publication date, so of whole dates and years),
60 of 61 on articles/ with those for tests/newsroom.jsonl.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from index.models import Span
from index.text import MONTH, figures

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NEAR = {
    "yesterday": -1, "last night": -1, "today": 0, "tonight": 0, "this morning": 0, "this afternoon": 0,
    "this evening": 0, "tomorrow": 1,
}  # fmt: skip
_MAX_NEAREST_DAYS = 150  # between the article and a day without a year: further away the year is a guess
_WEEK_DAYS, _MONTH_DAYS = 7, 31
_MAX_CHARACTERS = 600  # of a sentence that are read
_YEAR = r"(?:1[5-9]\d\d|20\d\d)(?![\d%])(?!\s?[-–/.,]\d)"
_DAY = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?"
_EXPRESSION = re.compile(
    rf"""
    (?P<lead>\b(?:[Oo]n|[Ii]n|[Ff]rom|[Ll]ast|[Nn]ext|[Tt]his|[Ss]ince|[Uu]ntil|[Tt]ill|[Bb]y|[Bb]efore|[Aa]fter|[Ff]or
        |[Oo]f|[Bb]etween|[Tt]o|[Ee]very|[Ee]ach|[Tt]he|a|and|or|previous|following)\s+(?:(?:early|late|mid)[\s-])?)?
    (?:
        \b(?P<day_first>{_DAY})(?:\s+of)?\s+(?P<month_after>{MONTH})\b\.?(?:,?\s+(?P<year_after>{_YEAR}))?
      | \b(?P<month_first>{MONTH})\b\.?\s+(?P<day_second>{_DAY})\b(?![:%]|\s?[-–]\s?\d)(?:,?\s+(?P<year_last>{_YEAR}))?
      | \b(?P<month>{MONTH})\b\.?(?:,?\s+(?P<month_year>{_YEAR}))?(?!\s+\d)
      | (?<![\w$€£.,/-])(?P<year>{_YEAR})(?!\s+[a-z]+s\b)
      | \b(?P<weekday>Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b
      | \b(?P<near>[Yy]esterday|[Tt]oday|[Tt]onight|[Tt]omorrow|[Ll]ast\ night|[Tt]his\ (?:morning|afternoon|evening))\b
      | \b(?P<count>a|two|three|four|five|six|\d{{1,2}})\s+days?\s+ago\b
      | \b(?P<unit>week|month|year)\b(?!\s+of\b|[-'’])
    )(?!['’]s|\w|-\w)""",
    re.VERBOSE,
)
_FUTURE = re.compile(
    r"\b(?:will|would|shall|may|can|could|(?:is|are|was|were) (?:to|due|expected|scheduled|set|planned)|plans? to"
    r"|hopes? to|expects? to|intends? to|(?<!had )(?:hoped|expected|intended) to|going to)\b|['’]ll\b"
)
_PAST = re.compile(
    r"\b(?:was|were|had|did|said|told|gave|went|came|met|won|lost|left|led|held|paid|sold|began|broke|fell|rose|ran|took"
    r"|struck|hit|shot|cut|put|set|sent|saw|found|made|got|became|built|brought|bought|caught|chose|drew|drove|fought"
    r"|flew|grew|hurt|kept|knew|laid|lay|read|rang|sank|sat|spoke|spent|spread|stood|stole|swept|swore|threw|tore|took"
    r"|wrote|woke|beat|burst|let|blew|heard|quit|shut|[a-z]{2,}(?<!ee)ed)\b"
)
_PRESENT = re.compile(r"\b(?:is|are|has|have|opens|begins|starts|ends|meets|closes)\b")
_TENSES = ("future", "past")  # of a present the day may lie before or ahead
# Ends a main clause: what follows has a verb, and so a date, of its own.
_BOUNDARY = re.compile(
    r"[,;:]\s|\s[—–-]\s|\b(?:that|who|whom|whose|which|where|when|how|whether|why|while|after|before|because|since"
    r"|until|although|though|as (?:he|she|it|they|the)|if|than|but|despite|following"
    r"|(?:had (?:hoped|expected|intended)|agreed|asked|decided|offered|ordered|planned|pledged|promised|refused"
    r"|threatened|voted|vowed|wanted) to)\s"
)
_DATELINE = re.compile(r"(?=[A-Z]{2})[A-Z][\w .,'’/()-]{1,60}?\s(?:[—–]|--?)\s+")
_PARENTHESIS = re.compile(r",\s(?:who|whose|which|an?|the|aged|\d+|[a-z]+ed|built|led|held)\b[^,;:“”\"]{0,100},(?=\s)")
_CLAUSE = re.compile(r"\b(?:after|when|before|because)\s+(?!\w+ing\b)")
_PRONOUN = re.compile(r"\b(?:he|she|it|they|him|her|them|his|this|that|these|those)\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[,;:.]\s|[,;:.]?$|\s[—–-]\s|\s(?:and|but|that|who|which)\s")
_SAID = re.compile(
    r"\b(?:said|announced|reported|admitted|disclosed|confirmed|warned|wrote|ruled|told [a-z ]{1,30}|declared|stated"
    r"|concluded)\b"
)
_SAYING = re.compile(rf"{_SAID.pattern}(?: in a \w+| late| early)?\s*$")
# Reports an event that the rest of the sentence tells: "The mayor said that the bridge had closed on Monday".
_REPORTING = re.compile(
    r"[^,;:]{3,120}\b(?:said|told [a-z ]{1,30}|described|recalled|explained|added|admitted|confirmed|announced"
    r"|reported|showed) (?:that|how) (?P<report>.*)",
    re.DOTALL,
)
_JUST_SAID = re.compile(r"\b(?:said|told \w+|[a-z]{2,}ed)\s*$")  # "police said Thursday"
_INTRODUCED = re.compile(r"(?:\W*(?:Late|Early|Later|Earlier|Back|Then|But|And|So)\W+)?\W*$")
_HIDDEN = re.compile(r"[“\"][^“”\"]*[”\"]?|\([^()]*\)")


@dataclass(frozen=True, slots=True, order=True)
class EventDate:
    """The days ``first`` to ``last``, both inclusive: a day, a week from Monday, a month or a year."""

    first: date
    last: date

    def __str__(self) -> str:
        """``"9 June 2024"``, ``"the week of 3 June 2024"``, ``"June 2024"``, ``"1874"``."""
        length = (self.last - self.first).days
        if length > _MONTH_DAYS:
            return str(self.first.year)
        day = f"{self.first.day} " if length <= _WEEK_DAYS else ""
        return f"{'the week of ' if day and length else ''}{day}{self.first:%B} {self.first.year}"


def after_dateline(sentence: str) -> int:
    """Where a sentence begins behind its dateline: ``"TOKYO, Jan. 26, 2024 — Japan" -> 23``."""
    match = _DATELINE.match(sentence)
    return match.end() if match else 0


def on(day: date) -> EventDate:
    """A single day."""
    return EventDate(day, day)


def dated_events(sentence: str, published: date | None) -> list[tuple[EventDate, Span]]:
    """Find what a sentence dates for certain: the whole sentence at most once, then clauses of time in it, with spans.

    Of Monday 3 June 2024, "Buses will run from 14 June, the city said on Monday." -> 3 June 2024, the sentence.
    ``published`` None: only dates with a year count.
    """
    text = _hide_asides(sentence[:_MAX_CHARACTERS])
    matches = list(_EXPRESSION.finditer(text))
    main = _main(text, matches, published)
    events = [(main[1], Span(0, len(sentence)))] if main else []
    for match in matches:
        if (main is None or match != main[0]) and (clause := _clause_of(text, match)):
            inside = text[clause.start : match.start()]
            if (event := _resolve(match, inside, published)) and all(event != other for other, _ in events):
                events.append((event, clause))
    return events


def _main(text: str, matches: list[re.Match[str]], published: date | None) -> tuple[re.Match[str], EventDate] | None:
    """The date of the main clause; of the saying at the end, if the main clause has none or tells of the future."""
    plain = _PARENTHESIS.sub(_blank_unless_saying, text)
    outside = [match for match in matches if not plain[match.start() : match.end()].isspace()]
    saying = next((pair for match in outside if (pair := _at_saying(plain, match, published))), None)
    for match in outside:
        before = plain[: match.start()]
        if reporting := _REPORTING.fullmatch(before):
            before = reporting["report"]
        if not _INTRODUCED.match(before) and _BOUNDARY.search(before):
            continue
        clause = before if _tense(before) else _rest_of_clause(plain, match)
        if event := _resolve(match, clause, published):
            is_future = published is not None and event.first > published
            return saying if is_future and saying else (match, event)
    return saying or _of_origin(text, matches, published)


def _blank_unless_saying(aside: re.Match[str]) -> str:
    """Blank out an aside: not ", the coastguard said on Tuesday,"."""
    return aside.group() if _SAID.search(aside.group()) else " " * len(aside.group())


def _of_origin(
    text: str, matches: list[re.Match[str]], published: date | None
) -> tuple[re.Match[str], EventDate] | None:
    """The date of an aside whose sentence reports no event: "The bridge, built in 1874, carries …"."""
    for aside in _PARENTHESIS.finditer(text):
        rest = text[aside.end() :]
        is_report = _tense(text[: aside.start()]) or _PAST.search(rest) or _FUTURE.search(rest)
        for match in () if is_report else matches:
            is_inside = aside.start() < match.start() and match.end() <= aside.end()
            if is_inside and (event := _resolve(match, text[aside.start() : match.start()], published)):
                return match, event
    return None


def _tense(clause: str) -> str:
    """``"future"``, ``"past"`` (no verb in it is another), ``"present"``, or ``""`` without a verb that is known."""
    if _FUTURE.search(clause):
        return "future"
    if _PRESENT.search(clause):
        return "present"
    return "past" if _PAST.search(clause) else ""


def _rest_of_clause(text: str, match: re.Match[str]) -> str:
    """What stands behind a date, up to the next clause: "On Monday the council voted"."""
    rest = text[match.end() :].lstrip(" ,")
    end = _BOUNDARY.search(rest)
    return rest[: end.start()] if end else rest


def _at_saying(text: str, match: re.Match[str], published: date | None) -> tuple[re.Match[str], EventDate] | None:
    """The date beside a verb of saying in the last clause: "…, the mayor said on Monday."."""
    before = text[: match.start()]
    if not (said := _SAYING.search(before[-80:])) or _fold(match["lead"]) not in ("on", ""):
        return None
    event = _resolve(match, said.group(), published)
    return (match, event) if event else None


def _clause_of(text: str, match: re.Match[str]) -> Span | None:
    """The clause of time that a date stands in: "two bombs went off in Kerman on Jan. 3"."""
    starts = [begin.end() for begin in _CLAUSE.finditer(text, 0, match.start())]
    if not starts or _BOUNDARY.search(text, starts[-1], match.start()):
        return None
    end = _CLAUSE_END.search(text, match.end())
    stands_alone = end and not _PRONOUN.search(text, starts[-1], end.start())
    return Span(starts[-1], end.start()) if end and stands_alone else None


def _resolve(match: re.Match[str], clause: str, published: date | None) -> EventDate | None:
    """The days of an expression, by the tense of its clause; None if either is uncertain."""
    name = next(name for name in _LEADS if match[name])
    lead = _fold(match["lead"])
    tense = _tense(clause)
    is_plain = tense in _TENSES and lead.partition(" ")[0] in _LEADS[name] and not (lead == "from" and tense == "past")
    if not is_plain or (name == "weekday" and not lead and not _JUST_SAID.search(clause)):
        return None
    year = int(match["year_after"] or match["year_last"] or match["month_year"] or match["year"] or 0)
    if year and lead not in ("last", "next", "this"):
        return _absolute(match, name, year, published, tense)
    if published is None or year:
        return None
    return _RELATIVE[name](match, lead, published, tense)


def _absolute(match: re.Match[str], name: str, year: int, published: date | None, tense: str) -> EventDate | None:
    """A date with its year; one after publication is told in the future."""
    event: EventDate | None = EventDate(date(year, 1, 1), date(year, 12, 31))
    if name == "month":
        event = _whole_month(year, _month_number(match["month"]))
    elif name != "year":
        day = _date(year, *_month_and_day(match))
        event = on(day) if day else None
    return event if event and (published is None or tense == "future" or event.first <= published) else None


def _day(match: re.Match[str], _lead: str, published: date, tense: str) -> EventDate | None:
    """The nearest such day, if it agrees with the tense."""
    years = (published.year - 1, published.year, published.year + 1)
    days = [day for year in years if (day := _date(year, *_month_and_day(match)))]
    nearest = min(days, key=lambda day: abs(day - published), default=None)
    if nearest is None or abs((nearest - published).days) > _MAX_NEAREST_DAYS:
        return None
    return on(nearest) if nearest == published or (nearest > published) == (tense == "future") else None


def _month(match: re.Match[str], lead: str, published: date, tense: str) -> EventDate:
    """The last such month that has begun, or the next one."""
    month, year = _month_number(match["month"]), published.year
    if tense == "future" or lead == "next":
        year += month < published.month or (lead == "next" and month == published.month)
    elif lead != "this":
        year -= month > published.month or (lead == "last" and month == published.month)
    return _whole_month(year, month)


def _weekday(match: re.Match[str], lead: str, published: date, tense: str) -> EventDate | None:
    """A weekday within a week of publication; "last" and "next" only where all who write them mean the same day."""
    step = _WEEKDAYS.index(match["weekday"][:3].lower()) - published.weekday()
    if lead == "last":
        days = step - 7 if step >= 0 else None
    elif lead == "next":
        days = step + 7 if step <= 0 else None
    elif tense == "future":
        days = step % 7 or None
    else:
        days = -(-step % 7) if lead != "this" else None
    return on(published + timedelta(days)) if days is not None else None


def _relative(match: re.Match[str], lead: str, published: date, tense: str) -> EventDate | None:
    """Yesterday, three days ago, last month."""
    if match["near"]:
        near = match["near"].lower()
        return on(published + timedelta(_NEAR[near])) if not (near == "today" and tense == "future") else None
    if match["count"]:
        count = 1 if match["count"] == "a" else int(figures(match["count"])[0])
        return None if tense == "future" else on(published - timedelta(count))
    if (lead == "next") != (tense == "future"):
        return None
    step = 1 if lead == "next" else -1
    if match["unit"] == "week":
        monday = published + timedelta(7 * step - published.weekday())
        return EventDate(monday, monday + timedelta(6))
    if match["unit"] == "year":
        return EventDate(date(published.year + step, 1, 1), date(published.year + step, 12, 31))
    months = published.year * 12 + published.month - 1 + step
    return _whole_month(months // 12, months % 12 + 1)


# The words that may stand before an expression, by its group in _EXPRESSION; "in early March" begins with "in".
_LEADS = {
    "day_first": ("on", "from", ""), "month_first": ("on", "from", ""), "month": ("in", "last", "next", "this"),
    "year": ("in",), "weekday": ("on", "from", "last", "next", "this", ""), "near": ("",), "count": ("",),
    "unit": ("last", "next"),
}  # fmt: skip
_RELATIVE: dict[str, Callable[[re.Match[str], str, date, str], EventDate | None]] = {
    "day_first": _day, "month_first": _day, "month": _month, "weekday": _weekday, "near": _relative,
    "count": _relative, "unit": _relative,
}  # fmt: skip


def _hide_asides(text: str) -> str:
    """Blank out what stands in quotation marks or brackets: a speaker's "yesterday" is another day."""
    return _HIDDEN.sub(lambda match: "“" + "x" * (len(match.group()) - 1), text)


def _whole_month(year: int, month: int) -> EventDate:
    return EventDate(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month_and_day(match: re.Match[str]) -> tuple[int, int]:
    number = re.sub(r"\D", "", match["day_first"] or match["day_second"])
    return _month_number(match["month_after"] or match["month_first"]), int(number)


def _month_number(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _fold(lead: str | None) -> str:
    return " ".join((lead or "").lower().replace("-", " ").split())
