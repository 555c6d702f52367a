"""The day an article was published, and where that was read.

In this order: what the container or the page says, the address, the dateline, the text. No date is better than a
wrong one: what cannot be read for certain is left, or marked as inferred.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from index.models import Boilerplate

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?|JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?"
    r"|SEPT?(?:EMBER)?|OCT(?:OBER)?|NOV(?:EMBER)?|DEC(?:EMBER)?)\b\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DAY_AND_MONTH = rf"(?:{_MONTH}\s{_DAY}\b(?!:)|\b{_DAY}\s{_MONTH})"
DAY_AND_MONTH = rf"(?:\b{_MONTH}\s{_DAY}\b|\b{_DAY}\s{_MONTH})"
"""The sign of a day without its year: "Jan. 25", "25 January"."""
_YEAR = r"(?:1[789]|20)\d\d"
DATE = (
    rf"(?:\b{_MONTH}\s{_DAY}(?:st|nd|rd|th)?,?\s{_YEAR}\b|\b{_DAY}(?:st|nd|rd|th)?\s{_MONTH},?\s{_YEAR}\b"
    rf"|\b{_YEAR}-\d\d-\d\d\b)"
)
"""The sign of a whole written date: "Jan. 25, 2024", "25 January 2024", "2024-01-25"."""

_DATE = re.compile(DATE)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_IN_URL = re.compile(
    r"[/_-]((?:19|20)\d\d)([/_-])(0?[1-9]|1[0-2]|[a-z]{3})\2(0?[1-9]|[12]\d|3[01])(?=[/_.?-]|$)"
    r"|[/_-]((?:19|20)\d\d)()(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=[/_.?-]|$)"
)
_DATELINE = re.compile(
    rf"\s*[A-Z][\w .,'’/-]{{1,60}}?,?\s\(?(?:(?P<full>{DATE})|(?P<short>{_DAY_AND_MONTH}))\)?"
    r"\s?(?:\([A-Z][\w ./-]{1,30}\)|[A-Z][\w ./]{1,20})?\s?(?:[—–]|--|-)"
)
_OF_THE_WEEK = re.compile(
    rf"\bon (?P<weekday>Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day(?:,\s|\s?\()(?P<short>{_DAY_AND_MONTH})(?!,?\s\d{{4}})"
)
_HAPPENED = re.compile(r"\b(?:said|says|told|was|were|[a-z]+ed)\b")
_TO_COME = re.compile(r"\b(?:will|would|due|scheduled|expected|set to|until|since)\b")
_UPDATED = re.compile(r"(?:last )?(?:updated|modified)\b", re.IGNORECASE)
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})\b")
_FIELDS = (
    "published", "date", "published_at", "publishedat", "publication_date", "pubdate", "date_published",
    "datepublished", "published_date", "publish_date", "created", "created_at", "timestamp",
)  # fmt: skip
_EARLIEST = date(1700, 1, 1)
_NEAR = timedelta(days=60)  # a day without a year is read beside a whole date no further away
_LONGEST_FIELD = 60
_LEAD = 800  # characters: what happened on the day of publication is told first
_LONGEST_TEXT = 20_000


class Published(NamedTuple):
    """A day (None: unknown), where it was read, and False where it was inferred."""

    date: date | None = None
    source: str | None = None
    certain: bool = True


def published(
    fields: Mapping[str, object],
    url: str | None = None,
    text: str = "",
    boilerplate: Iterable[Boilerplate] = (),
    *,
    fields_are: str = "metadata",
    today: date | None = None,
) -> Published:
    """When an article was published; ``boilerplate`` are the captions and date lines that stood beside it.

    A body that says "on Thursday (Jan 25)" under a photo of "Jan 5, 2024" -> 2024-01-25, "text", not certain.
    """
    latest = (today or datetime.now(UTC).date()) + timedelta(days=1)  # the day begins earlier elsewhere
    text, boilerplate = text[:_LONGEST_TEXT], list(boilerplate)
    asides = [aside.text for aside in boilerplate]
    lines = [aside.text for aside in boilerplate if aside.kind == "date"]
    return (
        _first(fields_are, _from_fields(fields), latest)
        or _first("url", _from_url(url or ""), latest)
        or _from_dateline(text, [], latest)
        or _from_lines(lines, latest)
        or _from_dateline(text, [*asides, text], latest)
        or _from_weekday(text, [*asides, text], latest)
        or Published()
    )


def _first(source: str, found: Iterable[date], latest: date) -> Published | None:
    return next((Published(day, source) for day in found if _EARLIEST <= day <= latest), None)


def _from_fields(fields: Mapping[str, object]) -> Iterator[date]:
    known = {str(name).lower().replace("-", "_"): value for name, value in fields.items()}
    for name in _FIELDS:
        value = known.get(name)
        if isinstance(value, datetime):
            yield value.date()
        elif isinstance(value, date):
            yield value
        elif isinstance(value, str) and (day := _read(value.strip())):
            yield day


def _read(value: str) -> date | None:
    """A day as metadata write it, or None: ``"2024-01-25T23:10:00-05:00"``, ``"Thu, 25 Jan 2024 10:00 GMT"``."""
    if not re.search(r"\d{4}", value) or len(value) > _LONGEST_FIELD:
        return None
    value = re.sub(r"^(\d{4})/(\d\d)/(\d\d)\b", r"\1-\2-\3", value)
    for reader in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return reader(value).date()
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    if match := _DATE.search(value):
        return _whole(match.group())
    if match := _NUMERIC.match(value):
        return _numeric(match)
    return _read_odd(value)


def _numeric(match: re.Match[str]) -> date | None:
    """``25/01/2024``, ``25.1.2024``; None for ``01/02/2024``, which two continents read differently."""
    day, month, year = int(match[1]), int(match[3]), int(match[4])
    european, american = _day(year, month, day), _day(year, day, month)
    if match[2] == ".":
        return european
    return None if european and american and european != american else european or american


def _read_odd(value: str) -> date | None:
    """What remains goes to dateparser, which is slow: "25 janvier 2024"."""
    if not re.search(r"[^\W\d_]{3}", value):
        return None
    from dateparser.date import DateDataParser

    try:
        parser = DateDataParser(settings={"REQUIRE_PARTS": ["day", "month", "year"], "PARSERS": ["absolute-time"]})
        found = parser.get_date_data(value).date_obj
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return found.date() if found and str(found.year) in value else None


def _from_url(url: str) -> Iterator[date]:
    for match in _IN_URL.finditer(url.lower()[:2_000]):
        year, _, month, day = (group for group in match.groups() if group is not None)
        number = int(month) if month.isdigit() else _month(month)
        if found := _day(int(year), number, int(day)):
            yield found


def _from_dateline(text: str, others: list[str], latest: date) -> Published | None:
    """``FRANKFURT, Jan 25 (Reuters) -``: for certain with its year, else by a whole date of the other texts."""
    match = _DATELINE.match(text)
    if not match:
        return None
    if match["full"]:
        return _first("dateline", filter(None, [_whole(match["full"])]), latest)
    day = _beside(match["short"], None, others, latest)
    return Published(day, "dateline", certain=False) if day else None


def _from_lines(lines: list[str], latest: date) -> Published | None:
    """Lines of the page that are nothing but a date; that of an update only where there is no other, and inferred."""
    for updated in (False, True):
        written = [_DATE.search(line) for line in lines if bool(_UPDATED.match(line)) is updated]
        found = _first("text", filter(None, (_whole(match.group()) for match in written if match)), latest)
        if found:
            return found._replace(certain=not updated)
    return None


def _from_weekday(text: str, others: list[str], latest: date) -> Published | None:
    """The last day that the lead says something happened on; days to come are announced in the same words."""
    lead = text[:_LEAD]
    days = [
        _beside(match["short"], _WEEKDAYS.index(match["weekday"][:3].lower()), others, latest)
        for match in _OF_THE_WEEK.finditer(lead)
        if _HAPPENED.search(sentence := re.split(r"[.!?]\s", lead[: match.start()])[-1][-150:])
        and not _TO_COME.search(sentence)
    ]
    known = [day for day in days if day]
    return Published(max(known), "text", certain=False) if known else None


def _beside(short: str, weekday: int | None, texts: list[str], latest: date) -> date | None:
    """The day of a date without its year: the year of a whole date not far from it, agreeing with the weekday."""
    for text in texts:
        for match in _DATE.finditer(text):
            near = _whole(match.group())
            for year in (near.year, near.year + 1, near.year - 1) if near else ():
                day = _whole(f"{short}, {year}")
                if day and near and abs(day - near) <= _NEAR and day <= latest and weekday in (None, day.weekday()):
                    return day
    return None


def _whole(written: str) -> date | None:
    """The day of a written date: ``"Jan. 25, 2024"``, ``"25 January 2024"``, ``"2024-01-25"``; None for Feb 30."""
    numbers = [int(number) for number in re.findall(r"\d+", written)]
    if word := re.search(r"[A-Za-z]{3}", written):
        day, year = numbers
        return _day(year, _month(word.group()), day)
    return _day(*numbers)


def _month(word: str) -> int:
    return _MONTHS.index(word.lower()[:3]) + 1 if word.lower()[:3] in _MONTHS else 0


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
