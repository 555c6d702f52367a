"""One generation of the index, and which of them is in use.

The data folder holds `current`, which names the generation in use, and one folder a generation. An index is
changed in place, article by article. Where the model or the chunking changed it is built anew beside itself and
`current` is turned at the end, so a reader never sees half an index.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from index.catalogue import Catalogue
from index.chunk import CHUNKER_VERSION
from index.embed import MODEL_NAME
from index.models import ClippingsError, IndexDamaged, IndexLocked
from index.store import VectorStore

FINGERPRINT = f"{MODEL_NAME}/chunker-{CHUNKER_VERSION}"


@dataclass(frozen=True, slots=True)
class Generation:
    """A catalogue with its vectors."""

    folder: Path
    catalogue: Catalogue
    store: VectorStore

    @classmethod
    def open(cls, folder: Path) -> Generation:
        """Open a generation to read from it; raises IndexDamaged where parts of it are missing or damaged."""
        return cls._open(folder, open_catalogue(folder), make=False)

    @classmethod
    def make(cls, folder: Path) -> Generation:
        """Open a generation to write to it, and make what is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        generation = cls._open(folder, Catalogue(catalogue_file(folder)), make=True)
        if generation.catalogue.get("fingerprint") is None:
            generation.catalogue.set("fingerprint", FINGERPRINT)
        return generation

    @classmethod
    def _open(cls, folder: Path, catalogue: Catalogue, *, make: bool) -> Generation:
        try:
            return cls(folder, catalogue, VectorStore(folder / "vectors", make=make))
        except BaseException:
            catalogue.close()
            raise

    def close(self) -> None:
        """Let go of the files."""
        self.catalogue.close()
        self.store.close()


def catalogue_file(folder: Path) -> Path:
    """Where a generation's catalogue is."""
    return folder / "catalogue.sqlite"


def open_catalogue(folder: Path) -> Catalogue:
    """Open a generation's catalogue to read from it; raises IndexDamaged where there is none."""
    file = catalogue_file(folder)
    if not file.exists():
        raise IndexDamaged(f"The catalogue {file} is missing. Index your articles again: `clippings index FOLDER`.")
    return Catalogue(file)


def current(data: Path) -> Path | None:
    """The folder of the generation in use; None where nothing has been indexed, or nobody can tell any more."""
    try:
        name = (data / "current").read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClippingsError(f"The data folder {data} cannot be read: {error.strerror or error}.") from error
    return data / name if re.fullmatch(r"generation-\d{1,9}", name) else None


def make_current(data: Path, folder: Path) -> None:
    """Turn every reader to this generation, in one step, and remove the others."""
    pointer = data / "current.new"
    pointer.write_text(folder.name + "\n", encoding="ascii")
    pointer.replace(data / "current")
    _remove_all_but(data, folder)


def open_for_writing(data: Path) -> tuple[Generation, Generation | None]:
    """The generation to write to, and the one to carry over from where that is another."""
    folder = current(data)
    if folder is None or not catalogue_file(folder).exists():
        _remove_all_but(data, None)
        generation = Generation.make(_following(data, folder))
        make_current(data, generation.folder)
        return generation, None
    now = Generation.make(folder)
    if now.catalogue.get("fingerprint") == FINGERPRINT:
        _remove_all_but(data, folder)
        return now, None
    beside = _following(data, folder)
    new = Generation.make(beside)
    if new.catalogue.get("fingerprint") != FINGERPRINT:  # what yet another version left when it was stopped
        new.close()
        shutil.rmtree(beside)
        new = Generation.make(beside)
    return new, now


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Be the one writer; raises IndexLocked at once where there is another."""
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
    """A folder of another name, for a reader tells generations by their names."""
    return data / f"generation-{int(folder.name.rpartition('-')[2]) + 1 if folder else 1}"


def _remove_all_but(data: Path, kept: Path | None) -> None:
    for stray in data.glob("generation-*"):
        if stray != kept:
            shutil.rmtree(stray, ignore_errors=True)
