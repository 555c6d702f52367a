"""The state of an index: what it holds, and whether it can be used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from index.load import as_read
from index.models import ClippingsError, IndexDamaged
from index.storage.catalogue import Catalogue
from index.storage.generation import FINGERPRINT
from index.storage.home import Home, at


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an index. ``problem`` names what is wrong and the way out; ``servers``, what each of them holds.

    ``embedded``: the chunks that are found by meaning, the others are found by their words; None if that is unknown.
    """

    articles: int
    chunks: int
    outlets: Mapping[str, int]
    first_published: date | None
    last_published: date | None
    model: str
    indexed_at: datetime | None
    size_bytes: int
    healthy: bool
    problem: str | None = None
    servers: Mapping[str, str] = field(default_factory=dict)
    embedded: int | None = None


def status(place: Path | Home) -> Status:
    """Inspect an index. Raises IndexMissing if there is none."""
    home = at(place)
    name = home.current()
    if name is None:
        raise home.missing()
    with closing(home.open_catalogue(name)) as catalogue:
        articles, chunks = catalogue.counts()
        fingerprint, indexed_at = catalogue.get("fingerprint") or "", catalogue.get("indexed_at")
        first, last = catalogue.period()
        problem, embedded = _problem(home, name, catalogue, fingerprint, chunks)
        return Status(
            articles, chunks, catalogue.outlets(), first, last, fingerprint.partition("/")[0],
            datetime.fromisoformat(indexed_at) if indexed_at else None,
            home.size_bytes(), healthy=problem is None, problem=problem, servers=home.servers,
            embedded=embedded,
        )  # fmt: skip


def roots(place: Path | Home) -> list[Path]:
    """The files and folders that were indexed, which a run without any reads again."""
    return [Path(root) for root in _noted(place, "roots") or ()]


def explained_as(place: Path | Home, file: Path) -> tuple[list[str], dict[str, dict[str, str]]]:
    """The roots and defaults with which an index reads a file: its own; else as if the folders above were indexed."""
    try:
        known, defaults = _noted(place, "roots") or [], _noted(place, "defaults") or {}
    except ClippingsError:  # no file is explained worse for a damaged index
        known, defaults = [], {}
    path, here = as_read(file), Path.cwd()
    above = str(here) if path.is_relative_to(here) else path.anchor
    return [root for root in known if path.is_relative_to(root)] or [above], defaults


def _noted(place: Path | Home, note: str) -> Any:  # noqa: ANN401  # what stood in JSON
    """A note of the index; None if there is none."""
    home = at(place)
    name = home.current()
    if name is None:
        return None
    with closing(home.open_catalogue(name)) as catalogue:
        return json.loads(catalogue.get(note) or "null")


def _problem(
    home: Home, name: str, catalogue: Catalogue, fingerprint: str, chunks: int
) -> tuple[str | None, int | None]:
    """What is wrong, and the number of vectors."""
    if fingerprint != FINGERPRINT:
        return "the index was built by another version; run `clippings index` to rebuild it", None
    if damage := home.damage(name):
        return f"{damage}; run `clippings index` to rebuild it", None
    try:
        catalogue.check()
    except IndexDamaged as error:
        return str(error), None
    try:
        vectors = home.count_vectors(name)
    except IndexDamaged as error:
        return f"{error}; run `clippings index` to rebuild them", None
    if catalogue.get("dirty") or vectors != chunks:
        far = f" ({vectors} of {chunks} chunks are embedded)" if vectors < chunks else ""
        return f"the last indexing is under way or was stopped{far}; run `clippings index` to complete it", vectors
    return None, vectors
