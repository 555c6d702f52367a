"""Generations of the index, and which of them is in use.

The data folder holds one folder per generation, and the file `current` with the name of the one in use. An index is
changed in place, article by article. If FINGERPRINT changed, a new generation is built beside the old one and `current`
is switched at the end, so that a reader never sees half an index.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from index.catalogue import SCHEMA_VERSION, Catalogue
from index.chunk import CHUNKER_VERSION
from index.embed import MODEL_NAME
from index.models import ClippingsError, IndexDamaged, IndexLocked
from index.store import VectorStore

FINGERPRINT = f"{MODEL_NAME}/chunker-{CHUNKER_VERSION}/schema-{SCHEMA_VERSION}"
"""What an index is built with; one with another fingerprint is not read but rebuilt."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A catalogue and its vectors, open."""

    folder: Path
    catalogue: Catalogue
    store: VectorStore

    @classmethod
    def open(cls, folder: Path) -> Generation:
        """Open a generation for reading. Raises IndexDamaged if a part of it is missing or damaged."""
        return cls._open(folder, open_catalogue(folder), make=False)

    @classmethod
    def make(cls, folder: Path) -> Generation:
        """Open a generation for writing; creates what is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        generation = cls._open(folder, Catalogue(catalogue_file(folder)), make=True)
        if generation.fingerprint is None:
            generation.catalogue.set("fingerprint", FINGERPRINT)
        return generation

    @classmethod
    def _open(cls, folder: Path, catalogue: Catalogue, *, make: bool) -> Generation:
        try:
            return cls(folder, catalogue, VectorStore(folder / "vectors", make=make))
        except BaseException:
            catalogue.close()
            raise

    @property
    def fingerprint(self) -> str | None:
        """What this generation was built with."""
        return self.catalogue.get("fingerprint")

    def close(self) -> None:
        """Close the files."""
        self.catalogue.close()
        self.store.close()


def catalogue_file(folder: Path) -> Path:
    """The path of the catalogue of a generation."""
    return folder / "catalogue.sqlite"


def open_catalogue(folder: Path) -> Catalogue:
    """Open the catalogue of a generation for reading. Raises IndexDamaged if there is none."""
    file = catalogue_file(folder)
    if not file.exists():
        raise IndexDamaged(f"The catalogue {file} is missing. Index your articles again: `clippings index FOLDER`.")
    return Catalogue(file)


def current(data: Path) -> Path | None:
    """The folder of the generation in use; None if nothing has been indexed, or `current` is damaged."""
    try:
        name = (data / "current").read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClippingsError(f"The data folder {data} cannot be read: {error.strerror or error}.") from error
    return data / name if re.fullmatch(r"generation-\d{1,9}", name) else None


def make_current(data: Path, folder: Path) -> None:
    """Switch every reader to this generation in one step, and remove the others."""
    pointer = data / "current.new"
    pointer.write_text(folder.name + "\n", encoding="ascii")
    pointer.replace(data / "current")
    _remove_all_but(data, folder)


def open_for_writing(data: Path) -> tuple[Generation, Generation | None]:
    """The generation to write to, and the old one if the index has to be rebuilt from it."""
    folder = current(data)
    if folder is None or not catalogue_file(folder).exists():
        _remove_all_but(data, None)
        generation = Generation.make(_following(data, folder))
        make_current(data, generation.folder)
        return generation, None
    in_use = Generation.make(folder)
    if in_use.fingerprint == FINGERPRINT:
        _remove_all_but(data, folder)
        return in_use, None
    beside = _following(data, folder)
    new = Generation.make(beside)
    if new.fingerprint != FINGERPRINT:  # left by a third version whose rebuild was stopped
        new.close()
        shutil.rmtree(beside)
        new = Generation.make(beside)
    return new, in_use


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Be the only writer. Raises IndexLocked at once if there is another."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = FileLock(data / "lock", timeout=0).acquire()
    except Timeout:
        message = f"Another process is indexing into {data}. Wait for it to end, or choose another folder with --data."
        raise IndexLocked(message) from None
    except OSError as error:
        raise ClippingsError(f"The data folder {data} cannot be written to: {error.strerror or error}.") from error
    with lock:
        yield


def _following(data: Path, folder: Path | None) -> Path:
    """A folder with a new name: readers tell generations apart by name."""
    return data / f"generation-{int(folder.name.rpartition('-')[2]) + 1 if folder else 1}"


def _remove_all_but(data: Path, kept: Path | None) -> None:
    for stray in data.glob("generation-*"):
        if stray != kept:
            shutil.rmtree(stray, ignore_errors=True)
