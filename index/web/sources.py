"""The feeds, sitemaps and pages that an index follows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from index.models import ClippingsError, IndexMissing
from index.storage.home import Home, at


def sources(place: Path | Home) -> dict[str, str]:
    """The addresses that are followed, and when each was read last, as an ISO time."""
    home = at(place)
    name = home.current()
    if name is None:
        raise IndexMissing(f"Nothing has been indexed in {home}. Add a source: `clippings sources add URL`.")
    with closing(home.open_catalogue(name)) as catalogue:
        return dict(json.loads(catalogue.get("sources") or "{}"))


def due(place: Path | Home) -> list[str]:
    """The followed addresses that are to be asked again, each at the pace that its site names."""
    home, now = at(place), datetime.now(UTC).isoformat(timespec="seconds")
    name = home.current()
    if name is None:
        return []
    with closing(home.open_catalogue(name)) as catalogue:
        marks = json.loads(catalogue.get("marks") or "{}")
        return [url for url in json.loads(catalogue.get("sources") or "{}") if _due(marks.get(url, ())) <= now]


def _due(mark: Sequence[str]) -> str:
    return mark[2] if len(mark) > 2 else ""  # noqa: PLR2004  # index.web.read.Marks, or what an earlier version kept


def forget(place: Path | Home, addresses: Sequence[str]) -> None:
    """Follow some addresses no longer; their articles stay. Raises ClippingsError if one is not followed."""
    home = at(place)
    with home.locked():
        followed = sources(home)
        if unknown := [address for address in addresses if address not in followed]:
            raise ClippingsError(f"{unknown[0]} is not followed. `clippings sources list` lists what is.")
        generation, old = home.open_for_writing()
        with closing(generation):
            if old:
                old.close()
                raise ClippingsError(f"{old.reason}. Rebuild the index first: `clippings index`.")
            left = {address: read for address, read in followed.items() if address not in addresses}
            generation.catalogue.set("sources", json.dumps(left))
        home.finish(generation)
