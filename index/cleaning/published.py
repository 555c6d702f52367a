"""The publication date of an article, and where it was read.

Tried in this order: metadata or front matter, URL, dateline, date lines of the page, body. No date is better than a
wrong one: an ambiguous date is dropped, an inferred one is marked. The clock has no say: a date ahead of today is kept
as data, and a search decides what to make of it (index/storage/catalogue.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from index.formats.editions import when
from index.models import Boilerplate
from index.text import MONTH

_MONTH = rf"(?:{MONTH}|{MONTH.upper()})\b\.?"  # not "may", which is a verb
_MONTHS = {
    start: number
    for number, starts in enumerate(
        "jan ene gen,feb fév fev,mar mär maa,apr avr abr,may mai mei maj mag,jun juin giu,jul juil lug,aug aoû ago,"
        "sep set,oct okt ott out,nov,dec dez déc dic".split(","), 1
    )
    for start in starts.split()
}  # fmt: skip
"""How months begin in English, German, French, Spanish, Italian, Portuguese, Dutch and the languages of Scandinavia."""
_MONTH_STARTS = "|".join(f"[{start[0]}{start[0].upper()}]{start[1:]}" for start in _MONTHS)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:1[789]|20)\d\d"
_DAY_AND_MONTH = rf"(?:{_MONTH}\s{_DAY}\b(?!:)|\b{_DAY}\s{_MONTH})"
DAY_AND_MONTH = rf"(?:\b{_MONTH}\s{_DAY}\b|\b{_DAY}\s{_MONTH})"
"""A date without its year, as a fragment of a regular expression: "Jan. 25", "25 January"."""
DATE = (
    rf"(?:\b{_MONTH}\s{_DAY}(?:st|nd|rd|th)?,?\s{_YEAR}\b|\b{_DAY}(?:st|nd|rd|th)?\s{_MONTH},?\s{_YEAR}\b"
    rf"|(?<!\d){_YEAR}(?:-\d\d?-\d\d?\b|[/.]\s?\d\d?[/.]\s?\d\d?\b|[年년]\s?\d\d?[月월]\s?\d\d?[日일])"
    rf"|\b{_DAY}\.\s?(?:0?[1-9]|1[0-2])\.\s?{_YEAR}\b)"
)
"""A whole date, as a fragment of a regular expression: "Jan. 25, 2024", "25 January 2024", "2024-01-25", "2024/1/25",
"25.1.2024", "2024年1月25日"."""
DATE_IN_LINE = (
    rf"(?:{DATE}|\b\d{{1,2}}[/-]\d{{1,2}}[/-]\d{{4}}\b|\b{_MONTH}\s{_YEAR}\b"
    rf"|\b{_DAY}\.?\s(?:de\s)?(?:{_MONTH_STARTS})[a-zéûç]{{0,7}}\.?\s(?:del?\s)?{_YEAR}\b)"
)
"""As DATE, and what is too weak in prose: "25/01/2024", "January 2024", "25. Januar 2024", "25 de enero de 2024"."""

_DATE, _DATE_IN_LINE = re.compile(DATE), re.compile(DATE_IN_LINE)
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_IN_URL = re.compile(
    r"[/_-]((?:19|20)\d\d)([/_-])(0?[1-9]|1[0-2]|[a-z]{3})\2(0?[1-9]|[12]\d|3[01])(?=[/_.?-]|$)"
    r"|[/_-]((?:19|20)\d\d)()(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=[/_.?-]|$)"
)
_DATELINE = re.compile(
    rf"\s*[A-Z][\w .,'’/-]{{1,60}}?,?\s\(?(?:(?P<full>{DATE})|(?P<short>{_DAY_AND_MONTH}))\)?"
    r"\s?(?:\((?P<credit>[A-Z][\w ./-]{1,30})\)|[A-Z][\w ./]{1,20})?\s?(?:[—–]|--|-)"
)
_ON_WEEKDAY = re.compile(
    rf"\bon (?P<weekday>Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day(?:,\s|\s?\()(?P<short>{_DAY_AND_MONTH})(?!,?\s\d{{4}})"
)
_PAST = re.compile(r"\b(?:said|says|told|was|were|[a-z]+ed)\b")
_FUTURE = re.compile(r"\b(?:will|would|due|scheduled|expected|set to|until|since)\b")
_UPDATED = re.compile(r"\b(?:updated|modified|aktualisiert|mis à jour|actualizado|aggiornato)\b", re.IGNORECASE)
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})\b")
_FIELDS = (
    "published", "date", "published_at", "publishedat", "publication_date", "pubdate", "date_published",
    "datepublished", "published_date", "publish_date", "created", "created_at", "timestamp",
)  # fmt: skip
DEFAULT_PUBLISHED = "default published"
"""The field with the day of articles that name none."""
GUESSED = "guessed date"
"""The field with a date that stands somewhere on the page."""
_INFERRED_FIELDS = (GUESSED, "retrieved")  # when a crawler found it
_EARLIEST, _LATEST = date(1700, 1, 1), date(2099, 12, 31)  # beyond stand mistakes and placeholders (9999-12-31)
_MAX_TO_WHOLE_DATE = timedelta(days=60)  # a date without a year takes that of a whole date no further away
_MAX_FIELD_CHARACTERS = 60
_MIN_EPOCH_DIGITS = 9  # seconds since 1970; eight digits are 20240125
_MAX_URL_CHARACTERS = 2_000
_MAX_LEAD_CHARACTERS = 800  # further down stands what happened before the day of publication
_MAX_SENTENCE_CHARACTERS = 150
_MAX_TEXT_CHARACTERS = 20_000


class PublicationDate(NamedTuple):
    """A date (None: unknown), where it was read, and False if it was inferred."""

    date: date | None = None
    source: str | None = None
    certain: bool = True


def publication_date(
    fields: Mapping[str, object],
    url: str | None = None,
    text: str = "",
    boilerplate: Iterable[Boilerplate] = (),
    *,
    fields_are: str = "metadata",
) -> PublicationDate:
    """Find when an article was published; ``boilerplate`` holds the captions and date lines that stood beside it.

    A body that says "on Thursday (Jan 25)" under a photo of "Jan 5, 2024" -> 2024-01-25, "text", not certain.
    """
    text, boilerplate = text[:_MAX_TEXT_CHARACTERS], list(boilerplate)
    texts = [*(piece.text for piece in boilerplate), text]
    date_lines = [piece.text for piece in boilerplate if piece.kind in {"date", "byline"}]
    return (
        _first(fields_are, _from_fields(fields))
        or _first("url", _from_url(url or ""))
        or _from_dateline(text, [])
        or _from_date_lines(date_lines)
        or _from_dateline(text, texts)
        or _from_weekday(text, texts)
        or _first("metadata", _from_fields(fields, [DEFAULT_PUBLISHED]))
        or _inferred(fields)
        or PublicationDate()
    )


def _first(source: str, days: Iterable[date | None]) -> PublicationDate | None:
    return next((PublicationDate(day, source) for day in days if day and _EARLIEST <= day <= _LATEST), None)


def _inferred(fields: Mapping[str, object]) -> PublicationDate | None:
    first = _first("metadata", _from_fields(fields, _INFERRED_FIELDS))
    return first._replace(certain=False) if first else None


def _from_fields(fields: Mapping[str, object], names: Iterable[str] = _FIELDS) -> Iterator[date | None]:
    normalized = {str(name).lower().replace("-", "_"): value for name, value in fields.items()}
    for name in names:
        value = normalized.get(name)
        if isinstance(value, datetime):
            yield value.date()
        elif isinstance(value, date):
            yield value
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            written = str(value).strip()
            is_epoch = written.partition(".")[0].isdigit() and len(written) >= _MIN_EPOCH_DIGITS
            moment = when(value) if is_epoch else None  # in UTC, a day off where it was published in some hours
            yield moment.date() if moment else _parse_field(written) if isinstance(value, str) else None


def _parse_field(value: str) -> date | None:
    """Parse a date of metadata: ``"2024-01-25T23:10:00-05:00"``, ``"Thu, 25 Jan 2024 10:00 GMT"``."""
    if not re.search(r"\d{4}", value) or len(value) > _MAX_FIELD_CHARACTERS:
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return parse(value).date()
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    if match := _DATE.search(value):
        return _parse_date(match.group())
    if match := _NUMERIC.match(value):
        return _parse_numeric(match)
    return _parse_any_language(value)


def _parse_numeric(match: re.Match[str]) -> date | None:
    """``25/01/2024``, ``25.1.2024``; None for ``01/02/2024``, which two continents read differently."""
    day, month, year = int(match[1]), int(match[3]), int(match[4])
    european, american = _date(year, month, day), _date(year, day, month)
    if match[2] == ".":
        return european
    return None if european and american and european != american else european or american


def _parse_any_language(value: str) -> date | None:
    """Let dateparser try, which is slow: ``"25 janvier 2024"``."""
    if not re.search(r"[^\W\d_]{3}", value):
        return None
    from dateparser.date import DateDataParser

    try:
        parser = DateDataParser(settings={"REQUIRE_PARTS": ["day", "month", "year"], "PARSERS": ["absolute-time"]})
        parsed = parser.get_date_data(value).date_obj
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return parsed.date() if parsed and str(parsed.year) in value else None


def _from_url(url: str) -> Iterator[date | None]:
    for match in _IN_URL.finditer(url.lower()[:_MAX_URL_CHARACTERS]):
        year, _, month, day = (group for group in match.groups() if group is not None)
        yield _date(int(year), int(month) if month.isdigit() else _month(month), int(day))


def date_in_path(path: str) -> date | None:
    """The first possible date in a path or address: "/2024/01/25/", "/2024-01-25-harbour"."""
    return next(filter(None, _from_url(path)), None)


def _from_dateline(text: str, texts: list[str]) -> PublicationDate | None:
    """``FRANKFURT, Jan 25 (Reuters) -``: certain with a year, else inferred from a whole date in ``texts``."""
    match = _DATELINE.match(text)
    if not match:
        return None
    if match["full"]:
        return _first("dateline", [_parse_date(match["full"])])
    day = _with_year(match["short"], None, texts)
    return PublicationDate(day, "dateline", certain=False) if day else None


def dateline_credit(text: str) -> str:
    """Whose report a text is, by a dateline with a day: ``"FRANKFURT, Jan 25 (Reuters) - …" -> "Reuters"``; or ""."""
    match = _DATELINE.match(text)
    return (match and match["credit"]) or ""


def _from_date_lines(lines: list[str]) -> PublicationDate | None:
    """The first date that is not of an update; else the first of an update, which is marked as inferred."""
    dates: dict[bool, list[date | None]] = {False: [], True: []}
    for line in lines:
        position = 0
        for match in _DATE_IN_LINE.finditer(line):
            is_update = bool(_UPDATED.search(line, position, match.start()))
            position = match.end()
            numeric = _NUMERIC.fullmatch(match.group())
            dates[is_update].append(_parse_numeric(numeric) if numeric else _parse_date(match.group()))
    first = _first("text", dates[False])
    updated = _first("text", dates[True])
    return first or (updated and updated._replace(certain=False))


def _from_weekday(text: str, texts: list[str]) -> PublicationDate | None:
    """The last weekday with a date on which, by the lead, something happened; announcements do not count."""
    lead = text[:_MAX_LEAD_CHARACTERS]
    days = [
        _with_year(match["short"], _WEEKDAYS.index(match["weekday"][:3].lower()), texts)
        for match in _ON_WEEKDAY.finditer(lead)
        if _PAST.search(sentence := re.split(r"[.!?]\s", lead[: match.start()])[-1][-_MAX_SENTENCE_CHARACTERS:])
        and not _FUTURE.search(sentence)
    ]
    known = [day for day in days if day]
    return PublicationDate(max(known), "text", certain=False) if known else None


def _with_year(short: str, weekday: int | None, texts: list[str]) -> date | None:
    """Complete a date by the year of the first whole date in ``texts`` that is near it and agrees with the weekday."""
    for near in (_parse_date(match.group()) for text in texts for match in _DATE.finditer(text)):
        for year in (near.year, near.year + 1, near.year - 1) if near else ():
            day = _parse_date(f"{short}, {year}")
            is_near = day and near and abs(day - near) <= _MAX_TO_WHOLE_DATE
            if day and is_near and weekday in (None, day.weekday()):
                return day
    return None


def _parse_date(written: str) -> date | None:
    """Parse what DATE matches: ``"Jan. 25, 2024"``, ``"2024/1/25"``, ``"25.1.2024"``; None for Feb 30."""
    numbers = [int(number) for number in re.findall(r"\d+", written)]
    if word := re.search(r"[^\W\d_]{3,}", written.replace(" de ", " ")):
        return _date(numbers[1], _month(word.group()), numbers[0]) if len(numbers) > 1 else None
    return _date(*numbers) if len(str(numbers[0])) > len(str(numbers[2])) else _date(*reversed(numbers))


def _month(word: str) -> int:
    return _MONTHS.get(word.lower()[:4]) or _MONTHS.get(word.lower()[:3], 0)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
