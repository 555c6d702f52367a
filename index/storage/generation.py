"""Generations of the index, and which of them is in use.

The data folder holds one folder per generation, and the file `current` with the name of the one in use. An index is
changed in place, article by article. If FINGERPRINT changed, a new generation is built beside the old one and `current`
is switched at the end, so that a reader never sees half an index.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from index.embedding.embed import MODEL_NAME
from index.models import ClippingsError, IndexDamaged, IndexLocked
from index.reading.chunk import CHUNKER_VERSION
from index.storage.catalogue import SCHEMA_VERSION, Catalogue
from index.storage.catalogue_sqlite import SQLiteCatalogue
from index.storage.data_folder import can_write, generations, make_private, number, prepare, sync, unused
from index.storage.integrity import (
    catalogue_file,
    check,
    count_vectors,
    damaged_file,
    forget,
    is_recorded,
    vectors_folder,
)
from index.storage.store import FolderVectors, VectorStore
from index.text import WORDS_VERSION

FINGERPRINT = f"{MODEL_NAME}/chunker-{CHUNKER_VERSION}/schema-{SCHEMA_VERSION}/words-{WORDS_VERSION}"
"""What an index is built with; one with another fingerprint is not read but rebuilt."""
IMPORTING = "an import that did not end"
"""The fingerprint of a generation until all of an archive is in it; nobody reads it, and nothing is taken over."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A generation that is open, wherever it is: its catalogue and its vectors."""

    name: str
    catalogue: Catalogue
    store: VectorStore

    @property
    def fingerprint(self) -> str | None:
        """What this generation was built with."""
        return self.catalogue.get("fingerprint")

    def reopen_vectors(self) -> None:
        """Load the vectors that another process wrote. Raises IndexDamaged."""
        self.store.reopen()

    def close(self) -> None:
        """Let go of both."""
        self.catalogue.close()
        self.store.close()


@dataclass(frozen=True, slots=True)
class Generation(Opened):
    """A generation in a folder."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> Generation:
        """Open a generation for reading. Raises IndexDamaged if a part of it is missing or damaged."""
        check(folder)
        catalogue = open_catalogue(folder)
        if not is_recorded(folder) and count_vectors(folder) is None:
            catalogue.close()
            raise IndexDamaged(
                f"The vectors in {vectors_folder(folder)} are missing or damaged. Rebuild them: `clippings index`."
            )
        return cls._open(folder, catalogue, make=False)

    @classmethod
    def make(cls, folder: Path) -> Generation:
        """Open a generation for writing; creates what is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        forget(folder)
        generation = cls._open(folder, SQLiteCatalogue(catalogue_file(folder)), make=True)
        if generation.fingerprint is None:
            generation.catalogue.set("fingerprint", FINGERPRINT)
        return generation

    @classmethod
    def _open(cls, folder: Path, catalogue: Catalogue, *, make: bool) -> Generation:
        try:
            return cls(folder.name, catalogue, FolderVectors(vectors_folder(folder), make=make), folder)
        except BaseException:
            catalogue.close()
            raise

    def reopen_vectors(self) -> None:
        """Load the vectors that another process wrote. Raises IndexDamaged."""
        check(self.folder)
        self.store.reopen()


@dataclass(frozen=True, slots=True)
class Replaced:
    """A generation that has to be rebuilt, and why. ``catalogue`` is None if it cannot be read."""

    name: str
    reason: str
    catalogue: Catalogue | None
    is_damaged: bool = False

    def close(self) -> None:
        """Close the files."""
        if self.catalogue:
            self.catalogue.close()


def open_catalogue(folder: Path) -> Catalogue:
    """Open the catalogue of a generation for reading. Raises IndexDamaged if there is none."""
    file = catalogue_file(folder)
    if not file.is_file():
        raise IndexDamaged(f"The catalogue {file} is missing. Index your articles again: `clippings index FOLDER`.")
    return SQLiteCatalogue(file, make=False, read_only=not can_write(folder))


def current(data: Path) -> Path | None:
    """The folder of the generation in use; None if nothing has been indexed.

    If `current` is damaged, or names a generation that is not there, a whole one is looked for.
    """
    try:
        named = _named(data)
        return named if named and catalogue_file(named).exists() else _whole(data) or named
    except OSError as error:
        raise ClippingsError(f"The data folder {data} cannot be read: {error.strerror or error}.") from error


def _named(data: Path) -> Path | None:
    """The folder that `current` names."""
    try:
        name = (data / "current").read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    return data / name if number(Path(name)) and "/" not in name else None


def _whole(data: Path) -> Path | None:
    """The latest generation that a run has completed; else the one with most articles; None if all are empty.

    A catalogue that cannot be read may be the one, and counts as complete: whoever opens it is told.
    """
    best, best_rank = None, (False, 0)
    for folder in generations(data):
        if not catalogue_file(folder).exists():
            continue
        try:
            with closing(open_catalogue(folder)) as catalogue:
                if catalogue.get("fingerprint") == IMPORTING:
                    continue
                is_complete, articles = bool(catalogue.get("indexed_at")), catalogue.counts()[0]
        except ClippingsError:
            is_complete, articles = True, 0
        rank = (is_complete, number(folder) if is_complete else articles)
        if rank > best_rank:
            best, best_rank = folder, rank
    return best


def make_current(data: Path, folder: Path) -> None:
    """Switch every reader to this generation in one step; then, with the switch on the disk, remove the others."""
    try:
        sync(folder)  # SQLite has synced what is in the catalogue
        pointer = data / "current.new"
        pointer.write_text(folder.name + "\n", encoding="ascii")
        sync(pointer)
        pointer.replace(data / "current")
        sync(data)
    except OSError as error:
        raise _unwritable(data, error) from error
    for other in generations(data):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def set_aside(folder: Path) -> Path:
    """Rename a generation whose catalogue is damaged: what is in it may be all that is left of an article."""
    kept = next(path for i in itertools.count(1) if not (path := folder.with_name(f"damaged-{i}")).exists())
    return folder.rename(kept)


def open_for_writing(data: Path) -> tuple[Generation, Replaced | None]:
    """The generation to write to, and the old one if the index has to be rebuilt from it."""
    folder = current(data)
    if folder is None or not catalogue_file(folder).exists():
        generation = Generation.make(unused(data, folder))
        make_current(data, generation.folder)
        return generation, None
    replaced = _to_be_replaced(folder)
    if not replaced:
        generation = Generation.make(folder)
        make_current(data, folder)
        return generation, None
    later = [other for other in generations(data) if number(other) > number(folder)]
    beside = later[0] if later else unused(data, folder)
    rest = _to_be_replaced(beside) if beside.exists() else None
    if rest:  # a rebuild that was stopped, by a third version or with damage
        rest.close()
        shutil.rmtree(beside)
    return Generation.make(beside), replaced


def open_beside(data: Path) -> Generation:
    """A new generation beside the one in use, and what killed imports left is gone."""
    folder = current(data)
    for other in generations(data):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return Generation.make(unused(data, folder))


def _to_be_replaced(folder: Path) -> Replaced | None:
    """Look for what keeps a generation from being changed in place."""
    catalogue = None
    try:
        catalogue = open_catalogue(folder)
        fingerprint = catalogue.get("fingerprint")
        if fingerprint not in {None, FINGERPRINT}:
            reason = f"the index was built by another version ({fingerprint}, now {FINGERPRINT})"
            return Replaced(folder.name, reason, catalogue)
        file = damaged_file(folder)
        if not is_recorded(folder, catalogue_file(folder)):  # else it is as it was written: this reads every article
            catalogue.check()
    except IndexDamaged:
        return Replaced(folder.name, f"{catalogue_file(folder)} was damaged", catalogue, is_damaged=True)
    if file or (not is_recorded(folder) and count_vectors(folder) is None):
        reason = f"{file or vectors_folder(folder)} was missing or damaged"
        return Replaced(folder.name, reason, catalogue, is_damaged=file == catalogue_file(folder))
    catalogue.close()
    return None


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Be the only writer. Raises IndexLocked at once if there is another, ClippingsError for another's folder."""
    try:
        prepare(data)
        lock = FileLock(data / "lock", timeout=0).acquire()
    except Timeout:
        message = f"Another process is indexing into {data}. Wait for it to end, or choose another folder with --data."
        raise IndexLocked(message) from None
    except OSError as error:
        raise _unwritable(data, error) from error
    with lock:
        try:
            yield
        finally:
            make_private(data)


def _unwritable(data: Path, error: OSError) -> ClippingsError:
    return ClippingsError(f"The data folder {data} cannot be written to: {error.strerror or error}.")
