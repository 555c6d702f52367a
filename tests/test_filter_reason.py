"""Why no article passes a filter, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.query.filter_reason import no_such_outlet, undated_notice, why_none_passes
from index.models import Filters
from index.reading.chunk import chunk
from index.storage.catalogue import Catalogue
from index.storage.catalogue_sqlite import SQLiteCatalogue
from tests.corpus import article

OUTLETS = ["The Courier", "Le Courrier", "Meridian Post", ""]
DAY, LATER = date(2024, 1, 2), date(2024, 1, 5)


def test_an_unknown_outlet_is_said_with_the_nearest_names() -> None:
    """Accents and case do not count; without a near name those that there are, six at most."""
    assert no_such_outlet("meridian pos", OUTLETS).endswith("named meridian pos. Did you mean Meridian Post?")
    assert no_such_outlet("Courrier", OUTLETS).endswith("Did you mean Le Courrier or The Courier?")
    there = "The articles are from: Le Courrier, Meridian Post, The Courier."
    assert no_such_outlet("Zog", OUTLETS) == f"No article is from an outlet named Zog. {there}"
    many = no_such_outlet("Zog", [f"Post {number}" for number in range(9)])
    assert many.endswith("from: Post 0, Post 1, Post 2, Post 3, Post 4, Post 5 and 3 more.")
    assert no_such_outlet("Zog", []) == "No article is from an outlet named Zog."


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """Three articles dated the same day, and three without a date."""
    with closing(SQLiteCatalogue(tmp_path_factory.mktemp("reason") / "catalogue.sqlite")) as made:
        for number, outlet in enumerate(OUTLETS * 2):
            if number in range(1, 7):
                day = date(2024, 1, 9) if number % 2 else None
                made.put(found := article(f"a{number}", "It rained.", outlet=outlet, published=day), "", chunk(found))
        yield made


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        (
            Filters("Zog", DAY),
            "No article is from an outlet named Zog. The articles are from: Le Courrier, Meridian Post, The Courier.",
        ),
        (Filters("the courier", DAY, LATER), "No article of the courier is dated from 2024-01-02 to 2024-01-05."),
        (Filters(since=date(2024, 2, 1)), "No article is dated 2024-02-01 or later."),
        (Filters(until=DAY), "No article is dated 2024-01-02 or earlier."),
        (Filters(author="Ann Lee"), "No article by Ann Lee is indexed."),
        (Filters(as_of=LATER, since=date(2023, 1, 1)), "No article is dated 2023-01-01 or later."),
    ],
)
def test_the_filter_that_nothing_passes_is_named(catalogue: Catalogue, filters: Filters, reason: str) -> None:
    """The outlet first, if it is unknown; else the days, or the author."""
    assert why_none_passes(filters, catalogue) == reason


def test_a_filter_that_an_article_passes_needs_no_reason(catalogue: Catalogue) -> None:
    """There is nothing to explain."""
    assert why_none_passes(Filters("the courier"), catalogue) is None


def test_a_day_before_every_article_is_named(tmp_path: Path) -> None:
    """The question is asked before anything was published."""
    with closing(SQLiteCatalogue(tmp_path / "catalogue.sqlite")) as later:
        later.put(found := article("a", "It rained.", published=date(2024, 1, 9)), "", chunk(found))
        reason = "No article had been published by 2024-01-02, the day of the question."
        assert why_none_passes(Filters(as_of=DAY), later) == reason


def test_articles_without_a_date_are_counted(catalogue: Catalogue) -> None:
    """Of the outlet, if one is asked for; without a date in the filters there is no notice."""
    assert undated_notice(Filters(since=DAY), catalogue) == "The dates leave out 3 articles without a date."
    assert undated_notice(Filters("the courier", until=DAY), catalogue) == (
        "The dates leave out 1 article without a date."
    )
    assert undated_notice(Filters(), catalogue) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("since", "soon"), ("until", "2024-01-02"), ("as_of", datetime(2024, 1, 2, tzinfo=UTC)), ("outlet", ["Echo"])],
)
def test_a_filter_of_the_wrong_type_is_an_error(field: str, value: Any) -> None:
    """With the name of the field; a day with a time is no day."""
    with pytest.raises(TypeError, match=rf"^Filters\.{field} is .* it takes a"):
        Filters(**{field: value})
