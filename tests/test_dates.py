"""The days a question asks about, at the granularity it asks for."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.query.dates import find_period, years

TODAY = date(2024, 1, 31)  # a Wednesday

MONTHS = "January February March April May June July August September October November December".split()
PIECES = st.lists(
    st.sampled_from(
        "on in the last past this since before after from to and between next of by until March may Jan. 29 31st 2018 "
        "1990s Monday Friday week weekend month years ago days 3 few a couple yesterday today latest 0000-00-00 "
        "9999-12-31 999999 , ? (".split(),
    ),
    max_size=12,
).map(" ".join)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What happened today?", "2024-01-31", "2024-01-31"),
        ("What happened yesterday?", "2024-01-30", "2024-01-30"),
        ("What was said the day before yesterday?", "2024-01-29", "2024-01-29"),
        ("Who was arrested last night?", "2024-01-30", "2024-01-30"),
        ("news of this week", "2024-01-29", "2024-01-31"),
        ("news last week", "2024-01-22", "2024-01-28"),
        ("Who died in the past 3 days?", "2024-01-28", "2024-01-31"),
        ("What changed in the last two weeks?", "2024-01-17", "2024-01-31"),
        ("Who struck in the past 24 hours?", "2024-01-30", "2024-01-31"),
        ("What happened over the weekend?", "2024-01-27", "2024-01-28"),
        ("Who struck two days ago?", "2024-01-29", "2024-01-29"),
        ("Who resigned this month?", "2024-01-01", "2024-01-31"),
        ("Who resigned last month?", "2023-12-01", "2023-12-31"),
        ("Who resigned this year?", "2024-01-01", "2024-01-31"),
        ("What has happened since Monday?", "2024-01-29", "2024-01-31"),
        ("Who met last Thursday?", "2024-01-25", "2024-01-25"),
        ("Who met on Wednesday?", "2024-01-31", "2024-01-31"),
        ("Who met last Wednesday?", "2024-01-24", "2024-01-24"),
        ("What happened Thursday?", "2024-01-25", "2024-01-25"),
    ],
)
def test_relative_days_are_days_of_publication(question: str, since: str, until: str) -> None:
    """Days counted from the asking are days of the news, seen from the question's day."""
    found = find_period(question, TODAY)
    assert found is not None
    assert (found.kind, found.about) == ("relative", "published")
    assert (found.since.isoformat(), found.until.isoformat()) == (since, until)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What happened from 5 to 9 January?", "2024-01-05", "2024-01-09"),
        ("Who met between the 5th and 9th of March 2023?", "2023-03-05", "2023-03-09"),
        ("Who died in March?", "2023-03-01", "2023-03-31"),
        ("Who died in January?", "2024-01-01", "2024-01-31"),
        ("Who died last January?", "2023-01-01", "2023-01-31"),
        ("Who died in March 2023?", "2023-03-01", "2023-03-31"),
        ("who died in march 2023?", "2023-03-01", "2023-03-31"),
        ("Who was killed on Jan 3?", "2024-01-03", "2024-01-03"),
        ("Who was killed on Feb. 3rd?", "2023-02-03", "2023-02-03"),
        ("Who was killed on 3 January 2024?", "2024-01-03", "2024-01-03"),
        ("Who was killed on the 3rd of January?", "2024-01-03", "2024-01-03"),
        ("January 3, 2024: who was killed?", "2024-01-03", "2024-01-03"),
        ("2024-01-03 attack", "2024-01-03", "2024-01-03"),
        ("What was born on Feb 29?", "2020-02-29", "2020-02-29"),
        ("Who left in 2018?", "2018-01-01", "2018-12-31"),
        ("Who left in early 2018?", "2018-01-01", "2018-12-31"),
        ("Who left since 2018?", "2018-01-01", "2024-01-31"),
        ("Who left after 2018?", "2019-01-01", "2024-01-31"),
        ("Who left before 2018?", "0001-01-01", "2017-12-31"),
        ("Who ruled in the 1990s?", "1990-01-01", "1999-12-31"),
        ("Who ruled from 2015 to 2018?", "2015-01-01", "2018-12-31"),
        ("Who ruled between March and May 2023?", "2023-03-01", "2023-05-31"),
    ],
)
def test_absolute_dates_are_when_the_thing_happened(question: str, since: str, until: str) -> None:
    """A date of the calendar is the thing's own, as wide as it was said, the most recent where the year is open."""
    found = find_period(question, TODAY)
    assert found is not None
    assert (found.kind, found.about) == ("explicit", "happened")
    assert (found.since.isoformat(), found.until.isoformat()) == (since, until)


@pytest.mark.parametrize("question", ["What happened last year?", "Who led 3 years ago?"])
def test_years_back_are_when_the_thing_happened(question: str) -> None:
    """What lies years back may be told by an article of today."""
    found = find_period(question, TODAY)
    assert found is not None
    assert (found.kind, found.about) == ("relative", "happened")


@pytest.mark.parametrize("question", ["latest on Kerman", "What is the newest claim?", "the most recent strike"])
def test_latest_asks_for_the_newest(question: str) -> None:
    """The word "latest" is its own kind and ends on the day it is asked."""
    found = find_period(question, TODAY)
    assert found is not None
    assert (found.kind, found.until) == ("latest", TODAY)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Who was killed in Kerman?",
        "Who left the 2015 nuclear deal?",
        "Who won the 2022 World Cup?",
        "Who led the January 6 attack?",
        "How many may march in protest?",
        "who may march to parliament?",
        "When was Theresa May elected?",
        "What has changed since May resigned?",
        "Is the line open 24/7?",
        "What is Generation 2000?",
        "What came second in the last week of the campaign?",
        "What did USA Today report?",
        "Who sang Yesterday?",
        "Who presents Last Week Tonight?",
        "Who owns Sheffield Wednesday?",
        "What do shops earn on Black Friday?",
        "How many lived in 2000 homes?",
        "Who plays next Monday?",
        "What will happen in 2030?",
        "What is planned by 2030?",
        "Who voted on Feb 30?",
        "Is version 2018-13-45 out?",
    ],
)
def test_what_only_looks_like_a_date_is_none(question: str) -> None:
    """Names, verbs, titles, adjectives, days to come and impossible days preference nothing."""
    assert find_period(question, TODAY) is None


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("Who left the 2015 nuclear deal?", {2015}),
        ("Which 1990s sitcom was it, and who won in 2022?", {1990, 2022}),
        ("Who sold 2000% more, 1,952 cards, $2000, or v2.2015?", set()),
        ("Who was killed in Kerman?", set()),
    ],
)
def test_years_are_seen_in_names_too(question: str, named: set[int]) -> None:
    """A year tells of which time a question is, whether it steers or names a thing; a price or a share is none."""
    assert years(question) == named


def test_a_week_of_a_month_is_its_seven_days() -> None:
    """What reads as "the last week of January" is not the week before the asking."""
    found = find_period("Who died in the last week of November?", TODAY)
    assert found is not None
    assert (found.since, found.until) == (date(2023, 11, 24), date(2023, 11, 30))
    first = find_period("What was new in the first week of November?", TODAY)
    assert first is not None
    assert (first.since, first.until) == (date(2023, 11, 1), date(2023, 11, 7))


def test_what_is_done_on_a_weekday_is_no_period() -> None:
    """Sunday opening is a thing; Sunday evening is a time."""
    assert find_period("How many voted on Sunday opening?", TODAY) is None
    assert find_period("Who spoke on Sunday evening?", TODAY) is not None


def test_what_was_read_is_shown() -> None:
    """The matched text is a piece of the question."""
    found = find_period("Who was killed on 3 January 2024 in Kerman?", TODAY)
    assert found is not None
    assert found.matched == "on 3 January 2024"


@given(st.one_of(st.text(max_size=80), PIECES), st.dates())
def test_any_text_on_any_day_gives_days_in_order(question: str, today: date) -> None:
    """Nothing raises, and a period never ends before it begins or after the day it is asked."""
    found = find_period(question, today)
    if found is not None:
        assert found.since <= found.until <= today
        assert found.matched in question


@given(st.dates(min_value=date(1500, 1, 1), max_value=date(2199, 12, 30)))
def test_a_day_written_out_is_that_day(day: date) -> None:
    """A whole date reads as itself, in either order of day and month."""
    month = MONTHS[day.month - 1]
    for text in (f"on {month} {day.day}, {day.year}", f"on {day.day} {month} {day.year}", day.isoformat()):
        found = find_period(f"Who spoke {text}?", date(2199, 12, 31))
        assert found is not None
        assert (found.since, found.until) == (day, day)
