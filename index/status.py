"""The state of an index: what it holds, and whether it can be used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from index.catalogue import Catalogue
from index.generation import FINGERPRINT
from index.home import Home, at
from index.models import IndexDamaged


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
    home = at(place)
    name = home.current()
    if name is None:
        return []
    with closing(home.open_catalogue(name)) as catalogue:
        return [Path(root) for root in json.loads(catalogue.get("roots") or "[]")]


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
