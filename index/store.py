"""The vectors, in Chroma: the only file that imports chromadb.

Chroma holds ids and vectors and nothing else; what an id means is in the catalogue. So what a killed writer
leaves here without its article is not found by any reader, and writing without documents is five times faster.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock

from index.embed import DIMENSIONS
from index.models import ClippingsError, IndexDamaged
from index.telemetry import disable_telemetry

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

    from index.embed import Vectors

_COLLECTION = "chunks"
_PAGE = 5_000  # get() of over 32,766 rows fails, and a batch may have 5,461 at most
_FEW = 100  # of which it is quicker to get the vectors than to search among them
_LONGEST_REASON = 200
_PATIENCE = 120  # seconds
_import_lock = threading.Lock()
_aliases = itertools.cycle(range(100))


class VectorStore:
    """The vectors of one generation of the index, in a folder of their own. Safe to share between threads.

    Raises IndexDamaged where they are damaged, or missing and not to be made; and from then on in any call.
    """

    def __init__(self, folder: Path, *, make: bool = True) -> None:
        if not make and not (folder / "chroma.sqlite3").exists():
            raise IndexDamaged(f"The vectors in {folder} are missing. Make them anew: `clippings index`.")
        self._folder = folder
        # Within a process Chroma shares one client a path, and would reopen none as long as another is in use. So
        # each of ours writes the path in its own way.
        self._path = os.fspath(folder.absolute()) + next(_aliases) * "/."
        self._lock = threading.RLock()
        with self._in_words():
            folder.mkdir(parents=True, exist_ok=True)
            with self._alone():
                self._client, self._collection = _open(self._path)

    def reopen(self) -> None:
        """See what another process wrote: an open client searches the vectors that it loaded (chroma 1.5.9)."""
        with self._in_words(), self._alone():
            _close(self._client)
            self._client, self._collection = _open(self._path)

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            _close(self._client)

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors (len(ids) x 384), or replace those of the same ids."""
        for start in range(0, len(ids), _PAGE):
            page = slice(start, start + _PAGE)
            with self._in_words(), self._alone():
                self._collection.upsert(ids=list(ids[page]), embeddings=vectors[page])

    def delete(self, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids are passed over."""
        for start in range(0, len(ids), _PAGE):
            with self._in_words(), self._alone():
                self._collection.delete(ids=list(ids[start : start + _PAGE]))

    def nearest(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        """The ids nearest to a unit vector with their cosines, best first."""
        if not count:
            return []
        with self._in_words():
            found = self._collection.query(query_embeddings=vector[np.newaxis], n_results=count, include=["distances"])
        distances = (found["distances"] or [[]])[0]
        return [(name, 1.0 - distance) for name, distance in zip(found["ids"][0], distances, strict=True)]

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of those of the ids that are here."""
        found: dict[str, Vectors] = {}
        for start in range(0, len(ids), _PAGE):
            with self._in_words():
                page = self._collection.get(ids=list(ids[start : start + _PAGE]), include=["embeddings"])
            embeddings = page["embeddings"]
            if embeddings is not None and len(embeddings):
                found.update(zip(page["ids"], np.asarray(embeddings, dtype=np.float32), strict=True))
        return found

    def cosines(self, vector: Vectors, ids: Sequence[str]) -> dict[str, float]:
        """The cosines of a unit vector with those of the ids that are here."""
        found: dict[str, float] = {}
        if len(ids) > _FEW:
            # One id that a writer has just removed fails it all. Then, and where the search missed some, they are got.
            with contextlib.suppress(IndexDamaged), self._in_words():
                page = self._collection.query(
                    query_embeddings=vector[np.newaxis], ids=list(ids), n_results=len(ids), include=["distances"]
                )
                distances = (page["distances"] or [[]])[0]
                found = {name: 1.0 - distance for name, distance in zip(page["ids"][0], distances, strict=True)}
        missed = self.vectors([name for name in ids if name not in found])
        return found | {name: float(theirs @ vector) for name, theirs in missed.items()}

    def count(self) -> int:
        """How many vectors there are."""
        with self._in_words():
            return self._collection.count()

    def ids(self) -> Iterator[str]:
        """Every id, a page at a time."""
        for offset in itertools.count(0, _PAGE):
            with self._in_words():
                page = self._collection.get(limit=_PAGE, offset=offset, include=[])["ids"]
            yield from page
            if len(page) < _PAGE:
                return

    def _alone(self) -> FileLock:
        """Keep others from the files: one process that loads them while another writes them crashes (chroma 1.5.9)."""
        return FileLock(self._folder / "lock", timeout=_PATIENCE, thread_local=False)

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        """Be the only thread in Chroma, and turn its errors into a sentence."""
        try:
            with self._lock:
                yield
        except ClippingsError:
            raise
        except Exception as error:  # chromadb's Rust side raises bare and changing exceptions
            reason = re.split(": (?=[A-Z])", str(error))[-1][:_LONGEST_REASON] or type(error).__name__
            message = (
                f"The vectors in {self._folder} cannot be used ({reason}). See that the folder can be written to, "
                "which reading needs too, and that the disk has room; else delete it and make it anew: "
                "`clippings index`."
            )
            raise IndexDamaged(message) from error


def _open(path: str) -> tuple[ClientAPI, Collection]:
    """Open or make the collection, with every setting that matters given here and none looked for anywhere."""
    _import_chroma(path)
    disable_telemetry()
    import chromadb
    from chromadb.config import Settings

    settings = Settings.model_construct(
        anonymized_telemetry=False, allow_reset=False, is_persistent=True, persist_directory=path
    )
    client = chromadb.Client(settings)
    try:
        collection = client.get_or_create_collection(
            _COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        if collection.count():  # the first search loads the vectors: let it be now
            collection.query(query_embeddings=np.eye(1, DIMENSIONS, dtype=np.float32), n_results=1, include=[])
    except BaseException:
        _close(client)
        raise
    return client, collection


def _import_chroma(folder: str) -> None:
    """Import chromadb for the first time, in a folder without `.env`: it reads one, and the environment, even then."""
    with _import_lock:
        if "chromadb" in sys.modules:
            return
        try:
            with contextlib.chdir(folder):
                importlib.import_module("chromadb")
        except ValueError as error:
            said = set(re.findall(r"\w+", str(error).lower()))
            names = ", ".join(sorted(name for name in os.environ if "_" in name and name.lower() in said))
            message = f"Chroma cannot read {names or 'its settings'} in the environment. Unset it."
            raise ClippingsError(message) from error


def _close(client: ClientAPI) -> None:
    client.close()  # type: ignore[attr-defined]  # Client has it, the interface it is typed as has not
