"""Where an index is kept: in a folder of this machine, or on servers that several processes and machines share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from index.models import ClippingsError, IndexDamaged, IndexMissing
from index.storage import generation as folders
from index.storage.catalogue import Catalogue
from index.storage.generation import Generation, Opened, Replaced
from index.storage.integrity import count_vectors, damaged_file, record_checksums, vectors_folder
from index.storage.shard import Shard


class Home(ABC):
    """The place of an index, which `str` names for messages. A generation goes by its name."""

    servers: Mapping[str, str] = {}  # what each server holds, and where it is
    scans: Path | None = None  # the folder in which recognized text is kept

    @abstractmethod
    def close(self) -> None:
        """Let go of the connections."""

    @abstractmethod
    def current(self) -> str | None:
        """The name of the generation in use; None if nothing was indexed."""

    @abstractmethod
    def open(self, name: str) -> Opened:
        """Open a generation for reading. Raises IndexDamaged."""

    @abstractmethod
    def open_catalogue(self, name: str) -> Catalogue:
        """Open the catalogue of a generation for reading. Raises IndexDamaged."""

    @abstractmethod
    def locked(self, shard: Shard | None = None) -> AbstractContextManager[None]:
        """Be the only writer, or the only one of a shard. Raises IndexLocked at once if there is another."""

    @abstractmethod
    def open_for_writing(self) -> tuple[Opened, Replaced | None]:
        """The generation to write to, and the old one if the index has to be rebuilt from it. Only while locked."""

    @abstractmethod
    def open_beside(self) -> Opened:
        """Make a new generation beside the one in use, which stays so. Only while locked."""

    @abstractmethod
    def make_current(self, generation: Opened) -> None:
        """Switch every reader to this generation in one step."""

    @abstractmethod
    def set_aside(self, old: Replaced) -> str:
        """Keep a damaged generation, for what is in it may be all that is left of an article; returns where."""

    @abstractmethod
    def finish(self, generation: Opened) -> None:
        """End a complete run of writing, with the generation closed. Only while locked."""

    @abstractmethod
    def is_alone(self) -> bool:
        """Whether no other shard is being indexed; none begins or ends until `let_others`. Only while locked."""

    @abstractmethod
    def let_others(self, *, ended: bool = False) -> None:
        """Let another shard begin or end; ``ended``: this one does."""

    @abstractmethod
    def damage(self, name: str) -> str | None:
        """What of a generation is damaged, without its catalogue; None if nothing is."""

    @abstractmethod
    def count_vectors(self, name: str) -> int:
        """Search for a sample of the vectors, and count all. Raises IndexDamaged."""

    @abstractmethod
    def size_bytes(self) -> int:
        """The room that the index takes."""

    def missing(self) -> IndexMissing:
        """The error if nothing was indexed."""
        return IndexMissing(f"Nothing has been indexed in {self}. Index your articles: `clippings index FOLDER`.")


@dataclass(frozen=True)
class Folder(Home):
    """A data folder, with SQLite and Chroma in this process."""

    data: Path

    def __str__(self) -> str:
        """The path."""
        return str(self.data)

    @property
    def scans(self) -> Path:  # type: ignore[override]  # it follows from the path
        """Beside the generations."""
        return self.data / "ocr"

    def close(self) -> None:
        """Do nothing: there are none."""

    def current(self) -> str | None:
        """The name of the folder of the generation in use."""
        folder = folders.current(self.data)
        return folder.name if folder and folder.is_dir() else None

    def open(self, name: str) -> Generation:
        """Open the generation in a folder."""
        return Generation.open(self.data / name)

    def open_catalogue(self, name: str) -> Catalogue:
        """Open the catalogue in a folder."""
        return folders.open_catalogue(self.data / name)

    @contextmanager
    def locked(self, shard: Shard | None = None) -> Iterator[None]:
        """Hold the lock of the data folder, which has no shards."""
        if shard:
            raise ClippingsError(
                f"--shard {shard} needs servers that several processes can write to: set DATABASE_URL and CHROMA_URL. "
                f"Into the folder {self.data} one process indexes at a time."
            )
        with folders.locked(self.data):
            yield

    def open_for_writing(self) -> tuple[Generation, Replaced | None]:
        """The generation in use, or a new one beside it."""
        return folders.open_for_writing(self.data)

    def open_beside(self) -> Generation:
        """A new folder beside the others."""
        return folders.open_beside(self.data)

    def is_alone(self) -> bool:
        """True: a folder has no shards."""
        return True

    def let_others(self, *, ended: bool = False) -> None:
        """Do nothing: nobody waits."""

    def make_current(self, generation: Opened) -> None:
        """Write its name to the file `current`."""
        folders.make_current(self.data, self.data / generation.name)

    def set_aside(self, old: Replaced) -> str:
        """Rename its folder."""
        return str(folders.set_aside(self.data / old.name))

    def finish(self, generation: Opened) -> None:
        """Record the checksums of its files."""
        record_checksums(self.data / generation.name)

    def damage(self, name: str) -> str | None:
        """The file that is not as it was recorded."""
        file = damaged_file(self.data / name)
        return f"{file} is damaged" if file else None

    def count_vectors(self, name: str) -> int:
        """Search and count in a process of its own."""
        count = count_vectors(self.data / name)
        if count is None:
            raise IndexDamaged(f"the vectors in {vectors_folder(self.data / name)} are missing or damaged")
        return count

    def size_bytes(self) -> int:
        """The size of the files in the data folder."""
        return sum(map(_size, self.data.rglob("*")))


def at(place: Path | Home) -> Home:
    """The home that a path or a home means."""
    return Folder(place) if isinstance(place, Path) else place


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:  # a writer has just removed the file
        return 0
