"""The day of publication: where it is read, in which order, and where it is left unknown."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.cleaning.clean import DEFAULT_OUTLET, clean
from index.cleaning.folder_names import folder_fields
from index.cleaning.published import GUESSED, PublicationDate, publication_date
from index.models import Boilerplate, RawRecord

DAY = date(2024, 1, 25)
NOWHERE = PublicationDate(None, None, certain=True)


def read(text: str = "", url: str | None = None, *boilerplate: Boilerplate, **fields: object) -> PublicationDate:
    """Read the day of an article."""
    return publication_date(fields, url, text, boilerplate)


@pytest.mark.parametrize(
    "value",
    [
        "2024-01-25", "2024-01-25T23:10:00-05:00", "2024-01-25T00:10:00+09:00", "2024-01-25 10:00", "2024/01/25",
        "20240125",
        "Thu, 25 Jan 2024 10:00:00 GMT", "January 25, 2024", "Jan. 25th, 2024 at 5 pm", "25 January 2024", "25/01/2024",
        "01/25/2024", "25.1.2024", "25 janvier 2024", " 2024-01-25\n", DAY, "2024/1/25", "2024.01.25", "2024. 1. 25.",
        "2024-1-25", "2024年1月25日", "2024年1月25日 10時34分", "2024년 1월 25일", 1706140800, "1706140800000",
        "25 January 2024 | By Ann Lee", "4.34pm, 25 January 2024", "25 Jan 2024 10:34 MYT",
        "25 Jan 2024, 4 minute read",
        datetime(2024, 1, 25, 23, tzinfo=timezone(timedelta(hours=-5))),
    ],
)  # fmt: skip
def test_a_day_is_read_as_metadata_write_it(value: object) -> None:
    """The day is the one that was written, in its own time zone."""
    assert read(published=value) == PublicationDate(DAY, "metadata")


@pytest.mark.parametrize(
    "value",
    [
        "yesterday", "0000-00-00", "2024-13-45", "Feb 30, 2024", "2024", "2024-01", "January 2024", "01/02/2024",
        "2999-01-01",
        "1200-01-01", "", "x" * 10**6, 20240125, True, None, [], {}, float("nan"), "June 31 in 2024",
    ],
)  # fmt: skip
def test_no_day_is_better_than_a_wrong_one(value: object) -> None:
    """What names no whole day, no day at all, or one that cannot be, is left."""
    assert read(published=value) == NOWHERE


def test_the_clock_has_no_say() -> None:
    """A day that has not come is kept, for the clock may be wrong; one that is beyond any clock is not."""
    ahead = datetime.now().astimezone().date() + timedelta(days=400)
    assert read(date=ahead.isoformat()) == PublicationDate(ahead, "metadata")
    assert read(date="2100-01-01") == NOWHERE


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/2024/01/25/harbour", "https://example.com/2024/jan/25/harbour", "https://example.com/a/harbour-2024-01-25/",
        "https://example.com/2024-01-25-harbour.html", "https://example.com/20240125/harbour",
    ],
)  # fmt: skip
def test_a_day_is_read_in_the_address(url: str) -> None:
    """Year, month and day in a path are a date."""
    assert read("", url) == PublicationDate(DAY, "url")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/2024/01/harbour",
        "https://example.com/world-67885122",
        "https://example.com/2024/13/25/x",
        "https://example.com/99990125/x",
    ],
)
def test_numbers_in_an_address_are_not_always_a_day(url: str) -> None:
    """A month, an article's number and a day that does not exist are no date."""
    assert read("", url) == NOWHERE


def test_a_dateline_with_its_year_is_certain_and_one_without_is_inferred() -> None:
    """The year is taken from a whole date that is not far away."""
    assert read("NORVIK, January 25, 2024 (Agency) \u2014 A ship came in.") == PublicationDate(DAY, "dateline")
    short = "NORVIK, Jan 25 (Agency) - A ship came in."
    assert read(short) == NOWHERE
    dated = read(short, None, Boilerplate("caption", "A tug, Jan 5, 2024."))
    assert dated == PublicationDate(DAY, "dateline", certain=False)
    assert read(short, None, Boilerplate("caption", "A tug, July 5, 2019.")) == NOWHERE


def test_a_line_with_nothing_but_a_date_is_certain_unless_it_is_of_an_update() -> None:
    """A line "Published" goes before "Updated", and the day of an update is only a hint."""
    update, first = Boilerplate("date", "Updated January 26, 2024"), Boilerplate("date", "Published: 25 January 2024")
    assert read("", None, update, first) == PublicationDate(DAY, "text")
    assert read("", None, update) == PublicationDate(date(2024, 1, 26), "text", certain=False)


@pytest.mark.parametrize("written", ["on Thursday (Jan 25)", "on Thursday, Jan. 25", "on Thursday (25 January)"])
def test_a_day_of_the_week_in_the_lead_is_inferred_with_the_year_of_a_photo(written: str) -> None:
    """Weekday, day and month of the text agree with the calendar of the year in a caption."""
    text, photo = f"A ship came in, an official said {written}.", Boilerplate("caption", "A tug, Jan 5, 2024.")
    assert read(text, None, photo) == PublicationDate(DAY, "text", certain=False)
    assert read(text) == NOWHERE


def test_the_year_turns_between_a_photo_and_the_text() -> None:
    """A photo of December belongs to a story of the January that follows."""
    photo = Boilerplate("caption", "A tug, Dec 30, 2023.")
    assert read("A ship came in, he said on Thursday (Jan 4).", None, photo).date == date(2024, 1, 4)


def test_a_day_that_contradicts_the_calendar_or_is_to_come_is_not_taken() -> None:
    """A wrong weekday gives no date, and neither does an announcement."""
    photo = Boilerplate("caption", "A tug, Jan 5, 2024.")
    assert read("A ship came in, he said on Friday (Jan 25).", None, photo) == NOWHERE
    assert read("The harbour will be opened on Thursday (Jan 25), he said.", None, photo) == NOWHERE


def test_history_is_no_day_of_publication() -> None:
    """Dates that an article tells of do not date it."""
    assert (
        read("On June 5, 1967, the war began. It ended on June 10, 1967. The harbour was opened on Monday.") == NOWHERE
    )


def test_the_surer_source_goes_first() -> None:
    """Metadata before the address, the address before the text; front matter is called by its name."""
    url, text = "https://example.com/2024/01/26/x", "NORVIK, January 27, 2024 \u2014 A ship came in."
    assert read(text, url, published="2024-01-25").source == "metadata"
    assert read(text, url, published="soon") == PublicationDate(date(2024, 1, 26), "url")
    assert read(text) == PublicationDate(date(2024, 1, 27), "dateline")
    assert publication_date({"date": DAY}, fields_are="front matter").source == "front matter"


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=200), st.text(max_size=80))
def test_any_text_gives_a_possible_day_or_none(value: str, url: str, text: str, line: str) -> None:
    """Whatever is written there, nothing is raised, and a day lies between the first newspapers and 2099."""
    found = read(text, url, Boilerplate("date", line), published=value)
    assert found.date is None or date(1700, 1, 1) <= found.date <= date(2099, 12, 31)
    assert (found.date is None) == (found.source is None)


@pytest.mark.parametrize(
    "line",
    [
        "2024/1/25", "2024.01.25", "25.1.2024, 10:34 Uhr", "2024年1月25日 10時34分", "2024년 1월 25일",
        "25 January 2024 · 4 minute read", "Thursday, 25 Jan 2024 10:34 AM MYT", "4.34pm, 25 January 2024",
        "Published January 25, 2024 4 min read",
        "25 January 2024 | By Ann Lee", "By Ann Lee | 25 January 2024", "Jan 25, 2024, 5 p.m. EST",
    ],
)  # fmt: skip
def test_a_date_line_may_hold_times_zones_a_byline_and_how_long_it_takes_to_read(line: str) -> None:
    """It is certain, and no part of the body."""
    prose = "The harbour of Norvik was closed on Monday after a ship lost its anchor chain, the port authority said."
    page = clean(RawRecord("/a.txt", "", f"Harbour of Norvik closed\n\n{line}\n\n{prose}", "text"))
    assert (page.source.published, page.source.published_certain, page.body) == (DAY, True, prose)
    assert page.source.byline == ("Ann Lee" if "Ann Lee" in line else None)


def test_a_day_that_only_the_text_of_a_page_has_is_a_guess() -> None:
    """What its data state is certain; 04/03 in the text of a page may be a day of two months."""
    prose = "<p>The harbour of Norvik was closed after a ship lost its anchor chain, the port authority said.</p>" * 4
    page = '<html><head>{}</head><body><article><h1>Harbour</h1><div class="date">{}</div>{}</article></body></html>'
    stated = page.format('<meta property="article:published_time" content="2024-01-25T10:00:00Z">', "", prose)
    source = clean(RawRecord("/a.html", "", stated, "html")).source
    assert (source.published, source.published_certain) == (DAY, True)
    for written in ("seit dem 25. Januar 2024 bei uns", "04/03/2024"):
        source = clean(RawRecord("/a.html", "", page.format("", written, prose), "html")).source
        assert source.published is not None
        assert not source.published_certain


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("The_Courier/2024/harbour.txt", {DEFAULT_OUTLET: "The Courier"}),
        ("Courier/2024/01/25/a.txt", {DEFAULT_OUTLET: "Courier", GUESSED: "2024-01-25"}),
        ("x/Courier/2024-01/a.txt", {DEFAULT_OUTLET: "Courier"}),
        ("2024-01-25-harbour.md", {GUESSED: "2024-01-25"}),
        ("News/2024/a.txt", {}),
        ("2024/12/a.txt", {}),
        ("Courier/a.txt", {}),
        ("Courier/2024", {}),
    ],
)
def test_folders_name_outlet_and_day(path: str, fields: dict[str, str]) -> None:
    """The folder above a year, unless it says what lies in it; a day anywhere."""
    assert folder_fields(PurePath(path)) == fields
