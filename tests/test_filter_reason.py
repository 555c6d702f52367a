"""Why no article passes a filter, in words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bot.query.filter_reason import no_such_outlet, undated_notice, why_none_passes
from index.models import Filters

OUTLETS = ["The Courier", "Le Courrier", "Meridian Post", ""]
DAY, LATER = date(2024, 1, 2), date(2024, 1, 5)


def test_an_unknown_outlet_is_said_with_the_nearest_names() -> None:
    """Accents and case do not count; without a near name there is no hint."""
    assert no_such_outlet("meridian pos", OUTLETS).endswith("named meridian pos. Did you mean Meridian Post?")
    assert no_such_outlet("Courrier", OUTLETS).endswith("Did you mean Le Courrier or The Courier?")
    assert no_such_outlet("Zog", OUTLETS) == "No article is from an outlet named Zog."
    assert no_such_outlet("Zog", []) == "No article is from an outlet named Zog."


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        (Filters("Zog", DAY), "No article is from an outlet named Zog."),
        (Filters("the courier", DAY, LATER), "No article of the courier is dated from 2024-01-02 to 2024-01-05."),
        (Filters(since=DAY), "No article is dated 2024-01-02 or later."),
        (Filters(until=DAY), "No article is dated 2024-01-02 or earlier."),
        (Filters("The Courier", as_of=DAY), "No article of The Courier had been published by 2024-01-02, the day"),
    ],
)
def test_the_filter_that_nothing_passes_is_named(filters: Filters, reason: str) -> None:
    """The outlet first, if it is unknown; else the days."""
    assert why_none_passes(filters, OUTLETS).startswith(reason)


def test_articles_without_a_date_are_counted() -> None:
    """One is one."""
    assert undated_notice(1) == "The dates leave out 1 article without a date."
    assert undated_notice(3) == "The dates leave out 3 articles without a date."


@pytest.mark.parametrize(
    ("field", "value"),
    [("since", "soon"), ("until", "2024-01-02"), ("as_of", datetime(2024, 1, 2, tzinfo=UTC)), ("outlet", ["Echo"])],
)
def test_a_filter_of_the_wrong_type_is_an_error(field: str, value: Any) -> None:
    """With the name of the field; a day with a time is no day."""
    with pytest.raises(TypeError, match=rf"^Filters\.{field} is .* it takes a"):
        Filters(**{field: value})
