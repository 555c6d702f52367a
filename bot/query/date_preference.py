"""The publication days that a question prefers, and passages too far from them to answer it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.query.dates import Period, shift, years
from index.models import Passage
from index.search import DatePreference

# An article of last week still answers a question about this one; news of a day is also reported in the days after it.
_REPORTED_BEFORE_DAYS = 14
_REPORTED_AFTER_DAYS = 2


@dataclass(frozen=True, slots=True)
class Tuning:
    """Chosen on the development half of RealTime QA with `make quality`, 2026-11 (docs/quality.md, "What is new").

    - ``period_half_life_days``: outside the days that a question names.
    - ``recent_boost``, ``recent_half_life_days``: for news of the question's own day if it names none, in standard
      deviations of the search's score. Seen from years later they change nothing.
    """

    period_half_life_days: int = 3
    recent_boost: float = 0.75
    recent_half_life_days: int = 7


TUNED = Tuning()


def date_preference(question: str, period: Period | None, as_of: date) -> DatePreference | None:
    """Prefer the days that a question names, else recent news; None if it names only another year."""
    if period:
        half_life = TUNED.period_half_life_days if period.about == "published" else 0
        until, is_latest = shift(period.until, _REPORTED_AFTER_DAYS), period.kind == "latest"
        return DatePreference(period.since, until, newest_first=is_latest, half_life_days=half_life)
    if years(question) - {as_of.year}:
        return None
    return DatePreference(as_of, as_of, boost=TUNED.recent_boost, half_life_days=TUNED.recent_half_life_days)


def outside_days(published: date, period: Period) -> bool:
    """Whether an article was published before the days of a period, or later than these days' news is reported."""
    return not period.since <= published <= shift(period.until, _REPORTED_AFTER_DAYS)


def outside_period(passage: Passage, period: Period | None) -> str | None:
    """Say why a passage is too old or too new for a question about the news of certain days; None if it is not."""
    published = passage.source.published
    if period is None or period.kind != "relative" or period.about != "published" or published is None:
        return None
    if shift(period.since, -_REPORTED_BEFORE_DAYS) <= published <= shift(period.until, _REPORTED_AFTER_DAYS):
        return None
    return f"The nearest article is of {published:%-d %B %Y}, and the question asks about “{period.matched}”."
