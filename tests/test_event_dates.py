"""Dates of what an article reports, resolved from the day it was published."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.reading.event_dates import after_dateline, dated_events

WEDNESDAY = date(2024, 6, 12)
DAYS = st.dates(date(1701, 1, 1), date(2098, 12, 31))
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
PIECES = st.lists(
    st.sampled_from(
        "on in last next from until since The council a that , . ; “ ” ( ) said will met opened was is after before "
        "when Monday Friday's May 3 31 1874 2024 June Feb. 30 yesterday today tomorrow two days ago week month year "
        "999999 — , who led the work ,".split(" ")
    ),
    max_size=40,
).map(" ".join)


def events(sentence: str, published: date | None = WEDNESDAY) -> list[tuple[str, str]]:
    """The dates, as they are written in an answer, with what they date."""
    return [(str(when), sentence[slice(*span)]) for when, span in dated_events(sentence, published)]


def whole(sentence: str, published: date | None = WEDNESDAY) -> str | None:
    """The date of the whole sentence."""
    return next((when for when, quote in events(sentence, published) if quote == sentence), None)


@pytest.mark.parametrize(
    ("sentence", "when"),
    [
        ("The bridge was closed on Monday.", "10 June 2024"),
        ("The council met on Wednesday.", "12 June 2024"),
        ("The council met on Thursday night.", "6 June 2024"),
        ("Police said Sunday that a man had died.", "9 June 2024"),
        ("On Monday the council voted for the plan.", "10 June 2024"),
        ("The mill burned down last Friday.", "7 June 2024"),
        ("Last Friday the mill burned down.", "7 June 2024"),
        ("The mill burned down last Wednesday.", "5 June 2024"),
        ("The mill burned down yesterday.", "11 June 2024"),
        ("The mill burned down last night.", "11 June 2024"),
        ("The mill burned down three days ago.", "9 June 2024"),
        ("Volunteers counted 412 pups last week.", "the week of 3 June 2024"),
        ("The factory closed last month.", "May 2024"),
        ("Last year was the hottest on record.", "2023"),
        ("The library opened on 3 May.", "3 May 2024"),
        ("The library opened on May 3.", "3 May 2024"),
        ("The library opened on 3 May 1998.", "3 May 1998"),
        ("It was founded in March.", "March 2024"),
        ("It was founded in December.", "December 2023"),
        ("It was founded in early March 2020.", "March 2020"),
        ("The clock was made in 1792.", "1792"),
        ("In 1792 a blacksmith made the clock.", "1792"),
        ("The bridge, built in 1874, carries 6,800 vehicles a day.", "1874"),
        ("The landing on Jan. 20 made Japan the fifth country on the Moon.", "20 January 2024"),
        ("Engineer Lucia Ferrante, who led the work in May, said on Monday that it was done.", "10 June 2024"),
        ("Trams will not run before 2027, the director admitted on Tuesday.", "11 June 2024"),
        ("Buses will run from 14 June, the authority said on Monday.", "10 June 2024"),
        ("An inspector described how a dog walker had led the police there on 3 June.", "3 June 2024"),
    ],
)
def test_what_has_happened(sentence: str, when: str) -> None:
    """A past date is the last such day, as wide as it is written; the main clause decides, then who says it."""
    assert str(whole(sentence)) == when


@pytest.mark.parametrize(
    ("sentence", "when"),
    [
        ("The bridge will open on 5 July.", "5 July 2024"),
        ("The trial will begin on Monday.", "17 June 2024"),
        ("The trial will begin next Tuesday.", "18 June 2024"),
        ("The trial will begin next Friday.", None),  # in two days or in nine
        ("The trial will begin on Wednesday.", None),  # today or in a week
        ("Work is to begin in March.", "March 2025"),
        ("The firm said that it still expected to complete the purchase in January.", "January 2025"),
        ("Cyclists may use a footbridge from Friday.", "14 June 2024"),
        ("The line will reach the airport in 2027.", "2027"),
        ("The shop will close tomorrow.", "13 June 2024"),
    ],
)
def test_what_is_to_come(sentence: str, when: str | None) -> None:
    """A future date is the next such day, unless two days could be meant."""
    assert whole(sentence) == when


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "The shop has been shut since Monday.",
        "Buses run every Friday.",
        "Critics of Monday's vote met.",
        "The gallery is open on Friday.",
        "Volunteers struck a ceremony for a general, a man killed in January 2020.",
        "The plot that ended with many dead on 3 January was known.",
        "“We met on Monday,” she said.",
        "Conry was elected to Congress (March 4, 1901 – March 3, 1903).",
        "The plan was that the pool would open on Fridays.",
        "He sold 2,019 tickets and 1874% more.",
        "She was born in a year of floods.",
        "The court sat on 30 February.",
        "The mill burned down last Monday.",  # of this week or the last
        "The report was due on 3 December.",  # half a year back or ahead
        "The firm had hoped to open the shop in January.",
        "The council will vote on plans of May.",
        "A survey had shown Sunday to be the best day.",
        "Mayor Hartley said that a basin, promised in 2019 and never built, must now come first.",
    ],
)
def test_uncertain_dates_are_none(sentence: str) -> None:
    """Periods, things named by a day, habits, other clauses, quotations and doubtful days date nothing."""
    assert events(sentence) == []


def test_a_clause_of_time_is_dated_by_itself() -> None:
    """It is quoted without its sentence, if it is understood alone."""
    sentence = (
        "Officials warned Iran shortly before two bombs went off in Kerman on Jan. 3, an official said on Thursday."
    )
    assert events(sentence, date(2024, 1, 26)) == [
        ("25 January 2024", sentence),
        ("3 January 2024", "two bombs went off in Kerman on Jan. 3"),
    ]
    assert events("He was glad after they had left it in 2018.") == []


def test_without_a_publication_date_only_whole_dates_count() -> None:
    """Nothing is resolved from a day that is not known."""
    assert whole("It opened on 3 May 1998.", None) == "3 May 1998"
    assert all(not events(f"It opened {when}.", None) for when in ("on Monday", "last week", "in March", "on 3 May"))


def test_a_dateline_is_no_part_of_the_report() -> None:
    """What stands before the dash of the first sentence."""
    text = "TOKYO, Jan. 26, 2024 — Japan's lander came down."
    assert text[after_dateline(text) :] == "Japan's lander came down."
    assert text[after_dateline("Ann — who led it — left.") :] == text


@given(
    DAYS,
    st.sampled_from(WEEKDAYS),
    st.sampled_from(["met on {}", "will meet on {}", "met last {}", "will meet next {}"]),
)
def test_a_weekday_is_near_and_on_the_side_of_its_tense(published: date, weekday: str, clause: str) -> None:
    """It is that weekday, at most a week away (13 days for "next"), never before a past or after a future article."""
    for when, _ in dated_events(f"The council {clause.format(weekday)}.", published):
        days = (when.first - published).days
        assert when.first == when.last
        assert WEEKDAYS[when.first.weekday()] == weekday
        assert 0 < days <= 13 if "will" in clause else -7 <= days <= 0


@given(DAYS, st.sampled_from(WEEKDAYS))
def test_every_past_weekday_is_certain(published: date, weekday: str) -> None:
    """A weekday with "on" and a past verb always gives a day of the last week."""
    ((when, _),) = dated_events(f"The bridge was closed on {weekday}.", published)
    assert timedelta(0) <= published - when.first < timedelta(7)


@given(DAYS, DAYS)
def test_whole_dates_are_taken_as_they_are(published: date, day: date) -> None:
    """A date with its year is that day: one to come is no report of the past."""
    written = f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    found = dated_events(f"The bridge was closed on {written}.", published)
    assert [(when.first, when.last) for when, _ in found] == ([(day, day)] if day <= published else [])
    ((when, _),) = dated_events(f"The bridge will be closed on {written}.", published)
    assert (when.first, str(when)) == (day, written)


@given(DAYS, st.sampled_from(MONTHS))
def test_months_and_days_without_a_year(published: date, month: str) -> None:
    """A month is within a year of the article; a day of a month within half a year, on the side of its tense."""
    ((past, _),) = dated_events(f"The bridge was closed in {month}.", published)
    ((future, _),) = dated_events(f"The bridge will open in {month}.", published)
    assert past.first <= published < past.first + timedelta(367)
    assert published <= future.last < published + timedelta(397)
    for when, _ in dated_events(f"The bridge was closed on 15 {month}.", published):
        assert timedelta(0) <= published - when.first <= timedelta(150)


@given(PIECES, DAYS)
def test_any_text_is_read(text: str, published: date) -> None:
    """Whatever stands there, a date is in order and what it dates is in the sentence."""
    for when, span in dated_events(text, published):
        assert when.first <= when.last
        assert 0 <= span.start < span.end <= len(text)
        assert str(when)
