"""What a user says to limit a search, read: days and outlets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from index.models import Filters, Source


def read_day(text: str) -> date:
    """``"2024-01-03" -> date(2024, 1, 3)``; ValueError says what was expected."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no date; write it as 2024-01-31.") from None


def make_filters(outlet: str | None, since: date | None, until: date | None) -> Filters:
    """The filters of these; ValueError where nothing could pass."""
    if since and until and since > until:
        raise ValueError(f"from {since} to {until} holds no day: the first is after the last.")
    return Filters(outlet=outlet or None, since=since, until=until)


def known_outlet(name: str, sources: Iterable[Source]) -> tuple[str, str | None]:
    """The outlet as the index spells it, and a sentence where the index has none of that name.

    ``"the courier" -> ("The Courier", None)``; ``"Couriers" -> ("Couriers", "… Did you mean The Courier?")``.
    """
    import difflib

    outlets = {source.outlet.casefold(): source.outlet for source in sources if source.outlet}
    if name.casefold() in outlets:
        return outlets[name.casefold()], None
    near = difflib.get_close_matches(name.casefold(), outlets, n=1, cutoff=0.5)
    hint = f" Did you mean {outlets[near[0]]}?" if near else ""
    return name, f"No article is from an outlet named {name}.{hint}"
