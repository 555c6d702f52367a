"""The state of an index: what it holds, and whether it can be used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from index.catalogue import Catalogue
from index.generation import FINGERPRINT, current, open_catalogue
from index.integrity import count_vectors, damaged_file, vectors_folder
from index.models import IndexDamaged, IndexMissing


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an index. ``problem`` names what is wrong and the way out."""

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


def status(data: Path) -> Status:
    """Inspect the index of a data folder. Raises IndexMissing if there is none."""
    folder = current(data)
    if folder is None or not folder.is_dir():
        raise IndexMissing(f"Nothing has been indexed in {data}. Index your articles: `clippings index FOLDER`.")
    with closing(open_catalogue(folder)) as catalogue:
        articles, chunks = catalogue.counts()
        fingerprint, indexed_at = catalogue.get("fingerprint") or "", catalogue.get("indexed_at")
        first, last = catalogue.period()
        problem = _problem(folder, catalogue, fingerprint, chunks)
        return Status(
            articles, chunks, catalogue.outlets(), first, last, fingerprint.partition("/")[0],
            datetime.fromisoformat(indexed_at) if indexed_at else None,
            sum(map(_size, data.rglob("*"))),
            healthy=problem is None, problem=problem,
        )  # fmt: skip


def roots(data: Path) -> list[Path]:
    """The files and folders that were indexed, which a run without any reads again."""
    folder = current(data)
    if folder is None:
        return []
    with closing(open_catalogue(folder)) as catalogue:
        return [Path(root) for root in json.loads(catalogue.get("roots") or "[]")]


def _problem(folder: Path, catalogue: Catalogue, fingerprint: str, chunks: int) -> str | None:
    if fingerprint != FINGERPRINT:
        return "the index was built by another version; run `clippings index` to rebuild it"
    if file := damaged_file(folder):
        return f"{file} is damaged; run `clippings index` to rebuild it"
    try:
        catalogue.check()
    except IndexDamaged as error:
        return str(error)
    vectors = count_vectors(folder)
    if vectors is None:
        return f"the vectors in {vectors_folder(folder)} are missing or damaged; run `clippings index` to rebuild them"
    if catalogue.get("dirty") or vectors != chunks:
        return "the last indexing is under way or was stopped; run `clippings index` to complete it"
    return None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:  # a writer has just removed the file
        return 0
