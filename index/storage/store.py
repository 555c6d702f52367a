"""The vectors, in Chroma: the only file that imports chromadb.

Chroma holds ids and vectors only; the chunks are in the catalogue. So no reader finds the vectors that a killed writer
left without an article, and writing without documents is five times faster.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import re
import sqlite3
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import numpy as np
from filelock import FileLock

from index.embedding.embed import DIMENSIONS
from index.embedding.telemetry import disable_telemetry
from index.models import ClippingsError, IndexDamaged
from index.storage.data_folder import can_write, temporary_copy

if TYPE_CHECKING:
    import httpx
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import GetResult, QueryResult

    from index.embedding.embed import Vectors

T = TypeVar("T")
_COLLECTION = "chunks"
_PAGE_ROWS = 5_000  # get() of over 32,766 rows fails, and a batch may have 5,461 at most
_PAGE_ROWS_SERVER = 300  # what Chroma Cloud takes in one call
_MAX_REPLY_SECONDS = 5.0  # of a reader: who asks hears within ten seconds of a server that hangs
_MAX_WRITE_SECONDS = 60.0
_MAX_FIRST_WRITE_SECONDS = 2.0  # a new collection cannot be searched for up to 0.1 s of its first write (chroma 1.5.9)
_FIRST_WRITE_PAUSE_SECONDS = 0.02
_FIRST_WRITE_ERROR = "Nothing found on disk"
_MAX_FETCHED_VECTORS = 100  # fetching so few is quicker than searching among them
_MAX_SEARCHED_SELVES = 500  # takes a second at most
_MIN_SELF_COSINE = 0.999
_MAX_REASON_CHARACTERS = 200
_MAX_LOCK_SECONDS = 120
_import_lock = threading.Lock()
_path_variants = itertools.cycle(range(100))


class VectorStore(ABC):
    """The vectors of one generation. Safe to share between threads.

    Every call raises IndexDamaged if the vectors are damaged or missing.
    """

    _collection: Collection
    _page_rows = _PAGE_ROWS

    @abstractmethod
    def reopen(self) -> None:
        """Load what another process wrote."""

    @abstractmethod
    def close(self) -> None:
        """Let go of them."""

    @abstractmethod
    def _call(self, function: Callable[[], T], *, writes: bool = False) -> T:
        """Call Chroma, and turn its errors into a message with the cause and the way out."""

    @abstractmethod
    def _damaged(self, reason: str) -> IndexDamaged:
        """An error that says what is wrong with the vectors, and the way out."""

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors (len(ids) x 384), or replace those of the same ids."""
        for page in self._pages(len(ids)):
            self._call(partial(self._upsert, list(ids[page]), vectors[page]), writes=True)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids are ignored."""
        for page in self._pages(len(ids)):
            self._call(partial(self._delete, list(ids[page])), writes=True)

    def nearest(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        """The ids nearest to a unit vector with their cosines, best first."""
        if not count:
            return []
        return list(_cosines(self._call(lambda: self._query(vector, count))).items())

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of the ids that exist."""
        vectors: dict[str, Vectors] = {}
        for page in self._pages(len(ids)):
            rows = self._call(partial(self._get, list(ids[page])))
            embeddings = rows["embeddings"]
            if embeddings is not None and len(embeddings):
                vectors.update(zip(rows["ids"], np.asarray(embeddings, dtype=np.float32), strict=True))
        return vectors

    def cosines(self, vector: Vectors, ids: Sequence[str]) -> dict[str, float]:
        """The cosines of a unit vector with those of the ids that exist."""
        cosines: dict[str, float] = {}
        if len(ids) > _MAX_FETCHED_VECTORS:
            # Fails if a writer has just removed an id, and may miss some: then the vectors themselves are fetched.
            with contextlib.suppress(IndexDamaged):
                cosines = _cosines(self._call(lambda: self._query(vector, len(ids), list(ids))))
        missed = self.vectors([name for name in ids if name not in cosines])
        return cosines | {name: float(other @ vector) for name, other in missed.items()}

    def count(self) -> int:
        """The number of vectors."""
        return self._call(lambda: self._collection.count())  # noqa: PLW0108  # another collection after `reopen`

    def ids(self) -> Iterator[str]:
        """All ids, fetched page by page."""
        for offset in itertools.count(0, self._page_rows):
            page = self._call(partial(self._get_page, offset))
            yield from page
            if len(page) < self._page_rows:
                return

    def self_search(self, sample: int = _MAX_SEARCHED_SELVES) -> None:
        """Search for a sample of the vectors. Raises IndexDamaged if the nearest to one of them is not itself."""
        ids = list(self.ids())
        for vector in self.vectors(ids[:: len(ids) // sample + 1]).values():
            if not any(cosine > _MIN_SELF_COSINE for _, cosine in self.nearest(vector, 1)):
                raise self._damaged("a search does not find them")

    def _upsert(self, ids: list[str], vectors: Vectors) -> None:
        self._collection.upsert(ids=ids, embeddings=vectors)

    def _delete(self, ids: list[str]) -> None:
        self._collection.delete(ids=ids)

    def _get(self, ids: list[str]) -> GetResult:
        return self._collection.get(ids=ids, include=["embeddings"])

    def _get_page(self, offset: int) -> list[str]:
        return self._collection.get(limit=self._page_rows, offset=offset, include=[])["ids"]

    def _query(self, vector: Vectors, count: int, ids: list[str] | None = None) -> QueryResult:
        query = vector[np.newaxis]
        return self._collection.query(query_embeddings=query, ids=ids, n_results=count, include=["distances"])

    def _pages(self, count: int) -> list[slice]:
        return [slice(start, start + self._page_rows) for start in range(0, count, self._page_rows)]


class FolderVectors(VectorStore):
    """The vectors of one generation, in a folder of their own.

    Where nothing can be written, ``make=False`` opens a temporary copy: Chroma writes to what it reads (chroma 1.5.9).
    """

    def __init__(self, folder: Path, *, make: bool = True) -> None:
        if not make and not (folder / "chroma.sqlite3").exists():
            raise IndexDamaged(f"The vectors in {folder} are missing. Rebuild them: `clippings index`.")
        self._copy = None if make or can_write(folder) else temporary_copy(folder)
        self._folder, self._make = Path(self._copy.name) if self._copy else folder, make
        folder = self._folder
        # Within a process Chroma shares clients by path, and does not reopen one while another is in use. So every
        # store spells the path in its own way.
        self._path = os.fspath(folder.absolute()) + next(_path_variants) * "/."
        self._lock = threading.RLock()
        with self._errors_explained():
            folder.mkdir(parents=True, exist_ok=True)
            with self._file_lock():
                self._client, self._collection = _open(self._path, make=make)

    def reopen(self) -> None:
        """Load what another process wrote: an open client searches the vectors that it has loaded (chroma 1.5.9)."""
        with self._errors_explained(), self._file_lock():
            _close(self._client)
            self._client, self._collection = _open(self._path, make=self._make)

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            _close(self._client)
            if self._copy:
                self._copy.cleanup()

    def _file_lock(self) -> FileLock:
        """Exclude other processes: one that loads the files while another writes them crashes (chroma 1.5.9)."""
        return FileLock(self._folder / "lock", timeout=_MAX_LOCK_SECONDS, thread_local=False)

    def _call(self, function: Callable[[], T], *, writes: bool = False) -> T:
        with self._errors_explained(), self._file_lock() if writes else contextlib.nullcontext():
            return function()

    def _damaged(self, reason: str) -> IndexDamaged:
        return IndexDamaged(f"The vectors in {self._folder} are damaged ({reason}). Rebuild them: `clippings index`.")

    @contextlib.contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """Be the only thread in Chroma, and turn its errors into a message with the cause and the way out."""
        try:
            with self._lock:
                yield
        except ClippingsError:
            raise
        except Exception as error:  # chromadb's Rust side raises exceptions of changing types
            reason = re.split(": (?=[A-Z])", str(error))[-1][:_MAX_REASON_CHARACTERS] or type(error).__name__
            message = (
                f"The vectors in {self._folder} cannot be used ({reason}). See that the folder can be written to, "
                "and that the disk has room; then rebuild them: `clippings index`."
            )
            raise IndexDamaged(message) from error


class ServerVectors(VectorStore):
    """The vectors of one generation, in a collection of a Chroma server, which all clients see at once.

    ``url``: ``http(s)://HOST:PORT``, with ``/TENANT/DATABASE`` where the server has several. ``make``: make the
    collection if it is missing, and wait longer. Raises ClippingsError if the server is down or does not reply in time.
    """

    _page_rows = _PAGE_ROWS_SERVER

    def __init__(self, url: str, token: str, name: str, *, make: bool = False) -> None:
        self._url, self._name = urlsplit(url), name
        self._place: dict[str, Any] = dict(
            zip(("tenant", "database"), filter(None, self._url.path.split("/")), strict=False)
        )
        _import_chroma(os.fspath(Path(__file__).parent))
        disable_telemetry()
        from chromadb.api import ServerAPI
        from chromadb.api.collection_configuration import CreateCollectionConfiguration, CreateHNSWConfiguration
        from chromadb.api.models.Collection import Collection
        from chromadb.config import Settings, System

        is_secure = self._url.scheme == "https"
        # Chroma Cloud reads the one header, a proxy before `chroma run` the other.
        headers = {"X-Chroma-Token": token, "Authorization": f"Bearer {token}"} if token else {}
        settings = Settings.model_construct(
            anonymized_telemetry=False, allow_reset=False, chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host=self._url.hostname, chroma_server_http_port=self._url.port or (443 if is_secure else 80),
            chroma_server_ssl_enabled=is_secure, chroma_server_headers=headers,
        )  # fmt: skip
        self._system = System(settings)
        self._api = self._system.instance(ServerAPI)  # type: ignore[type-abstract]  # it makes the one of the settings
        # Chroma sets no limit of time, and has no setting for one (1.5.9).
        self._session: httpx.Client = getattr(self._api, "_session")  # noqa: B009  # private, and not in the interface
        self._session.timeout = max_seconds = _MAX_WRITE_SECONDS if make else _MAX_REPLY_SECONDS
        self._session.event_hooks = {"response": [partial(_limit_reply, max_seconds)]}
        configuration = CreateCollectionConfiguration(hnsw=CreateHNSWConfiguration(space="cosine"))

        def open_collection() -> Collection:
            if make:
                model = self._api.create_collection(
                    name, configuration=configuration, get_or_create=True, **self._place
                )
            else:
                model = self._api.get_collection(name, **self._place)
            return Collection(client=self._api, model=model, embedding_function=None)

        try:
            self._collection = self._call(open_collection)
        except BaseException:
            self.close()
            raise

    def reopen(self) -> None:
        """Do nothing: the server searches what it holds."""

    def close(self) -> None:
        """End the connections."""
        self._session.close()
        self._system.stop()

    def drop(self) -> None:
        """Remove the collection from the server."""
        with contextlib.suppress(IndexDamaged):
            self._call(lambda: self._api.delete_collection(self._name, **self._place))

    def _call(self, function: Callable[[], T], *, writes: bool = False) -> T:  # noqa: ARG002  # no lock is needed
        import httpx
        from chromadb.errors import ChromaError, InternalError, NotFoundError

        end = time.monotonic() + _MAX_FIRST_WRITE_SECONDS
        try:
            while True:
                try:
                    return function()
                except (httpx.RemoteProtocolError, httpx.NetworkError):
                    return function()  # the server was restarted since the last call, each of which may be repeated
                except InternalError as error:
                    if _FIRST_WRITE_ERROR not in str(error) or time.monotonic() > end:
                        raise
                    time.sleep(_FIRST_WRITE_PAUSE_SECONDS)
        except NotFoundError as error:
            raise self._damaged(str(error)) from error
        except (httpx.HTTPError, ChromaError, ValueError) as error:
            reason = (str(error) or type(error).__name__)[:_MAX_REASON_CHARACTERS]
            raise ClippingsError(
                f"The Chroma server {self._server} of CHROMA_URL cannot be used ({reason}). See that it runs and can "
                "be reached from here, then try again."
            ) from error

    def _damaged(self, reason: str) -> IndexDamaged:
        return IndexDamaged(
            f"The vectors on the Chroma server {self._server} are missing or damaged ({reason}). Rebuild them: "
            "`clippings index`."
        )

    @property
    def _server(self) -> str:
        return self._url.netloc.rpartition("@")[2]


def _limit_reply(max_seconds: float, response: httpx.Response) -> None:
    """Let a reply end in time: httpx has a limit for the wait between two parts of it."""
    import httpx

    until, stream = time.monotonic() + max_seconds, response.stream

    class Limited(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for part in cast("Iterable[bytes]", stream):
                yield part
                if time.monotonic() > until:
                    raise httpx.ReadTimeout(f"no whole reply within {max_seconds:.0f} seconds")

        def close(self) -> None:
            cast("httpx.SyncByteStream", stream).close()

    response.stream = Limited()


def stable_files(folder: Path) -> list[Path]:
    """The files that only a writer changes.

    Without `index_metadata.pickle` a segment is still in the log, and Chroma makes its files whenever it is opened.
    """
    segments = [marker.parent for marker in sorted(folder.glob("*/index_metadata.pickle"))]
    return [folder / "chroma.sqlite3", *(file for segment in segments for file in sorted(segment.iterdir()))]


def _cosines(result: QueryResult) -> dict[str, float]:
    distances = (result["distances"] or [[]])[0]
    return {name: 1.0 - distance for name, distance in zip(result["ids"][0], distances, strict=True)}


def _open(path: str, *, make: bool) -> tuple[ClientAPI, Collection]:
    """Open the collection, with ``make`` create it if there is none.

    All settings that matter are given here, and none is read from the environment.
    """
    _import_chroma(path)
    disable_telemetry()
    import chromadb
    from chromadb.config import Settings

    settings = Settings.model_construct(
        anonymized_telemetry=False, allow_reset=False, is_persistent=True, persist_directory=path
    )
    client = chromadb.Client(settings)
    try:
        if make:
            _keep_readers_from_writing(path)
            collection = client.get_or_create_collection(
                _COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        else:
            collection = client.get_collection(_COLLECTION, embedding_function=None)
        if collection.count():  # the first search loads the vectors
            collection.query(query_embeddings=np.eye(1, DIMENSIONS, dtype=np.float32), n_results=1, include=[])
    except BaseException:
        _close(client)
        raise
    return client, collection


def _keep_readers_from_writing(path: str) -> None:
    """Let opening change no byte, so that the file has a checksum: Chroma adds a row that nobody reads (1.5.9)."""
    trigger = (
        "CREATE TRIGGER IF NOT EXISTS clippings_ignores BEFORE INSERT ON acquire_write BEGIN SELECT RAISE(IGNORE); END"
    )
    with (
        contextlib.closing(sqlite3.connect(f"{path}/chroma.sqlite3", timeout=30)) as database,
        contextlib.suppress(sqlite3.OperationalError),  # a Chroma without that table
    ):
        database.execute(trigger)


def _import_chroma(folder: str) -> None:
    """Import chromadb in a folder without `.env`: on import it reads one, and the environment."""
    with _import_lock:
        if "chromadb" in sys.modules:
            return
        try:
            with contextlib.chdir(folder):
                importlib.import_module("chromadb")
        except ValueError as error:
            mentioned = set(re.findall(r"\w+", str(error).lower()))
            names = ", ".join(sorted(name for name in os.environ if "_" in name and name.lower() in mentioned))
            message = f"Chroma cannot read {names or 'its settings'} in the environment. Unset it."
            raise ClippingsError(message) from error


def _close(client: ClientAPI) -> None:
    client.close()  # type: ignore[attr-defined]  # the class has it, its annotated interface has not
