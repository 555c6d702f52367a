"""Why no article passes the filters of a search, in words for the user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from index.models import Filters
from index.storage.catalogue import Catalogue
from index.text import fold

_MAX_NEAR_OUTLETS, _MAX_NAMED_OUTLETS = 3, 6
_MIN_LIKENESS = 0.5  # of difflib


def no_such_outlet(name: str, outlets: Iterable[str]) -> str:
    """Say that no article is from an outlet, and which come near, or else are there: "… Did you mean The Courier?"."""
    known = {fold(outlet): outlet for outlet in outlets if outlet}
    near = [known[key] for key in difflib.get_close_matches(fold(name), known, _MAX_NEAR_OUTLETS, _MIN_LIKENESS)]
    *others, last = near or [""]
    names = f"{', '.join(others)} or {last}" if others else last
    hint = f" Did you mean {names}?" if near else ""
    if known and not near:
        there = sorted(set(known.values()))
        more = f" and {len(there) - _MAX_NAMED_OUTLETS} more" if len(there) > _MAX_NAMED_OUTLETS else ""
        hint = f" The articles are from: {', '.join(there[:_MAX_NAMED_OUTLETS])}{more}."
    return f"No article is from an outlet named {name}.{hint}"


def why_none_passes(filters: Filters, catalogue: Catalogue) -> str | None:
    """Say why no article passes, or None: "No article of The Courier is dated from 2024-01-01 to 2024-01-31."."""
    if catalogue.count_passing(filters):
        return None
    outlets = catalogue.outlet_names()
    if filters.outlet and fold(filters.outlet) not in outlets:
        return no_such_outlet(filters.outlet, outlets.values())
    articles = f"No article of {filters.outlet}" if filters.outlet else "No article"
    articles += f" by {filters.author}" if filters.author else ""
    if filters.since and filters.until:
        return f"{articles} is dated from {filters.since} to {filters.until}."
    if filters.since or filters.until:
        return f"{articles} is dated {filters.since or filters.until} or {'later' if filters.since else 'earlier'}."
    if filters.author:
        return f"{articles} is indexed."
    return f"{articles} had been published by {filters.as_of}, the day of the question."


def undated_notice(filters: Filters, catalogue: Catalogue) -> str | None:
    """Say how many articles a search by date leaves out because they have none, or None."""
    undated = catalogue.count_undated(filters.outlet) if filters.since or filters.until else 0
    articles = f"{undated} articles" if undated != 1 else "1 article"
    return f"The dates leave out {articles} without a date." if undated else None
