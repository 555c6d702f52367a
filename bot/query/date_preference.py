"""Which publication days a question prefers, and which articles are too far from them to answer it."""

from __future__ import annotations

from datetime import date, timedelta

from bot.query.dates import Period, years
from index.models import Passage
from index.search import DatePreference

# An article of last week still answers a question about this one; news of a day is also reported in the days after it.
_REPORTED_BEFORE = timedelta(days=14)
_REPORTED_AFTER = timedelta(days=2)
_PERIOD_HALF_LIFE_DAYS = 3
# Without a period in the question, news of its own weeks is preferred, less strongly. Chosen on the development half of
# RealTime QA, 2026-11 (docs/quality.md, "Dates").
_RECENT_BOOST, _RECENT_HALF_LIFE_DAYS = 0.75, 7


def date_preference(question: str, period: Period | None, as_of: date) -> DatePreference | None:
    """Prefer the days that a question names, else recent news; None if it names another year."""
    if period:
        half_life = _PERIOD_HALF_LIFE_DAYS if period.about == "published" else 0
        latest = period.kind == "latest"
        return DatePreference(
            period.since, period.until + _REPORTED_AFTER, newest_first=latest, half_life_days=half_life
        )
    if years(question) - {as_of.year}:
        return None
    return DatePreference(as_of, as_of, boost=_RECENT_BOOST, half_life_days=_RECENT_HALF_LIFE_DAYS)


def outside_period(passage: Passage, period: Period | None) -> str | None:
    """Say why a passage is too old or too new for a question about the news of certain days; None if it is not."""
    published = passage.source.published
    if period is None or period.kind != "relative" or period.about != "published" or published is None:
        return None
    if period.since - _REPORTED_BEFORE <= published <= period.until + _REPORTED_AFTER:
        return None
    return f"The nearest article is of {published:%-d %B %Y}, and the question asks about “{period.matched}”."
