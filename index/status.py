"""The state of an index: what it holds, and whether it can be used."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from index.generation import FINGERPRINT, current, open_catalogue
from index.models import IndexMissing

_MAX_COUNT_SECONDS = 60
_COUNT = """
import pathlib, sys, index.store
print(index.store.VectorStore(pathlib.Path(sys.argv[1]), make=False).count())
"""


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
        problem = _problem(folder, chunks, fingerprint, dirty=bool(catalogue.get("dirty")))
        return Status(
            articles, chunks, catalogue.outlets(), first, last, fingerprint.partition("/")[0],
            datetime.fromisoformat(indexed_at) if indexed_at else None,
            sum(map(_size, data.rglob("*"))),
            healthy=problem is None, problem=problem,
        )  # fmt: skip


def _problem(folder: Path, chunks: int, fingerprint: str, *, dirty: bool) -> str | None:
    if fingerprint != FINGERPRINT:
        return "the index was built by another version; run `clippings index` to rebuild it"
    vectors = _count_vectors(folder)
    if vectors is None:
        return f"the vectors are missing or damaged; delete {folder / 'vectors'} and run `clippings index`"
    if dirty or vectors != chunks:
        return "the last indexing is under way or was stopped; run `clippings index` to complete it"
    return None


def _count_vectors(folder: Path) -> int | None:
    """Count in a process of its own, which a damaged segment may crash; None if it did."""
    # With -P: this package, not a folder `index` of the user's.
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    try:
        counted = subprocess.run(  # noqa: S603  # our own interpreter and program, the folder as an argument
            [sys.executable, "-P", "-c", _COUNT, str(folder / "vectors")],
            capture_output=True, text=True, timeout=_MAX_COUNT_SECONDS, check=True, env=environment,
        )  # fmt: skip
        return int(counted.stdout)
    except (subprocess.SubprocessError, ValueError):
        return None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:  # a writer has just removed the file
        return 0
