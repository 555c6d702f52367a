"""Read the filters of a search: days and outlets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from index.models import Filters


def read_day(text: str) -> date:
    """Parse an ISO date: ``"2024-01-03" -> date(2024, 1, 3)``. Raises ValueError with a message for the user."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a date; write it as 2024-01-31.") from None


def make_filters(outlet: str | None, since: date | None, until: date | None) -> Filters:
    """Make filters. Raises ValueError, with a message for the user, if ``since`` is after ``until``."""
    if since and until and since > until:
        raise ValueError(f"There is no day from {since} to {until}: the first date is after the last.")
    return Filters(outlet=outlet or None, since=since, until=until)


def known_outlet(name: str, outlets: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the outlet as the index spells it, and a message if the index has none with this name.

    ``outlets``: by their folded names and aliases. ``"the courier" -> ("The Courier", None)``;
    ``"Couriers" -> ("Couriers", "… Did you mean The Courier?")``.
    """
    from bot.query.filter_reason import no_such_outlet  # heavy, and the parser imports this file
    from index.text import fold

    if fold(name) in outlets:
        return outlets[fold(name)], None
    return name, no_such_outlet(name, outlets.values())
