"""An index on servers: the catalogue in PostgreSQL, the vectors in Chroma, for several processes and machines.

The schema `clippings` has a row for each generation; the tables of a generation are in a schema of their own, its
vectors in a collection. A generation that was replaced stays until the next run of indexing, for readers that still
answer from it. The writer's lease is a lock of its connection, which writes the catalogue, too: they end together.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from index.embedding.embed import DIMENSIONS
from index.models import ClippingsError, IndexDamaged, IndexLocked
from index.storage.catalogue_postgres import PostgresCatalogue
from index.storage.generation import FINGERPRINT, Opened, Replaced
from index.storage.home import Home
from index.storage.postgres import Postgres
from index.storage.shard import MAX_SHARDS, Shard
from index.storage.store import ServerVectors

LAYOUT_VERSION = 1
"""Of the schema `clippings`; a database with a later one is not touched."""

_LAYOUT = """
CREATE SCHEMA IF NOT EXISTS clippings;
CREATE TABLE IF NOT EXISTS clippings.layout (version integer NOT NULL);
INSERT INTO clippings.layout SELECT 1 WHERE NOT EXISTS (SELECT FROM clippings.layout);
CREATE TABLE IF NOT EXISTS clippings.generations (
    name text PRIMARY KEY, number integer NOT NULL, current boolean NOT NULL
);
"""
_GENERATIONS = (
    "SELECT version, name, current FROM clippings.layout LEFT JOIN clippings.generations ON true ORDER BY number"
)
_LOCKS = 0x636C6970  # the first number of our advisory locks: "clip"
_WRITING, _PREPARING = 1, 2  # the second number: held by whoever writes (a shard shares it), and while a shard begins
_FIRST_SHARD_LOCK = MAX_SHARDS + 1  # of those numbers: count * _FIRST_SHARD_LOCK + number
_MAX_SEARCHED_SELVES = 100
_MIN_VACUUMED_CHUNKS = 1_000
_VERSIONS = re.compile(r"(?:chunker|schema|words)-(\d+)")


class Servers(Home):
    """An index in the database of a URL and the Chroma of another, which may need a token. Shared between threads."""

    def __init__(
        self, database_url: str, chroma_url: str, chroma_token: str = "", *, scans: Path | None = None
    ) -> None:
        self.scans = scans
        self._database_url, self._chroma = database_url, (chroma_url, chroma_token)
        self._lock = threading.Lock()
        self._reader: Postgres | None = None
        self._writer: Postgres | None = None
        self._shard: Shard | None = None
        self._is_preparing = False

    def __str__(self) -> str:
        """The servers, without passwords."""
        return " and ".join(f"{where} ({what})" for what, where in self.servers.items())

    @property
    def servers(self) -> dict[str, str]:  # type: ignore[override]  # not known before
        """Where each part is, without passwords."""
        chroma = urlsplit(self._chroma[0])
        place = chroma._replace(netloc=chroma.netloc.rpartition("@")[2]).geturl()
        return {"catalogue": f"PostgreSQL at {Postgres.place(self._database_url)}", "vectors": f"Chroma at {place}"}

    def close(self) -> None:
        """End the connection of `current`."""
        with self._lock:
            if self._reader:
                self._reader.close()
            self._reader = None

    # --- Reading

    def current(self) -> str | None:
        """The generation in use. Raises ClippingsError if a newer version of Clippings has changed the database."""
        with self._lock:
            self._reader = self._reader or Postgres(self._database_url)
        return next((name for name, is_current in self._generations(self._reader) if is_current), None)

    def open(self, name: str) -> Opened:
        """Open a generation for reading."""
        catalogue = self.open_catalogue(name)
        try:
            return Opened(name, catalogue, ServerVectors(*self._chroma, name))
        except BaseException:
            catalogue.close()
            raise

    def open_catalogue(self, name: str) -> PostgresCatalogue:
        """Open a catalogue for reading. Raises ClippingsError if a newer version of Clippings has made it."""
        catalogue = PostgresCatalogue(Postgres(self._database_url, schema=_schema(name)))
        try:
            fingerprint = catalogue.get("fingerprint") or ""
        except BaseException:
            catalogue.close()
            raise
        if any(theirs > ours for theirs, ours in zip(_versions(fingerprint), _versions(FINGERPRINT), strict=False)):
            catalogue.close()
            raise ClippingsError(f"A newer version of Clippings has built the index in {self}. Install it here, too.")
        return catalogue

    # --- Writing

    @contextmanager
    def locked(self, shard: Shard | None = None) -> Iterator[None]:
        """Hold a lock in the database, which ends with this process."""
        with closing(Postgres(self._database_url, writer=True)) as writer:
            self._writer, self._shard, self._is_preparing = writer, shard, False
            self._try_lock(_WRITING, "Another process is indexing", shared=bool(shard))
            if shard:
                self._try_lock(_lock_of(shard), f"Another process is indexing --shard {shard}")
            yield
            writer.rows("SELECT pg_advisory_unlock_all()")  # a server notices the end of a connection only later

    def _try_lock(self, number: int, problem: str, *, shared: bool = False) -> None:
        lock = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
        if not self._writing.rows(f"SELECT {lock}(?, ?)", (_LOCKS, number))[0][0]:
            raise IndexLocked(f"{problem} into {self}. Wait for it to end.")

    @property
    def _writing(self) -> Postgres:
        if not self._writer:
            raise RuntimeError("write only while locked")
        return self._writer

    def open_for_writing(self) -> tuple[Opened, Replaced | None]:
        """The generation in use, or a new one beside it. Of several shards one at a time, until `let_others`."""
        is_alone = self.is_alone()
        if self._shard and not is_alone and self._other_shards() != {self._shard.count}:
            raise IndexLocked(f"Other processes index another number of shards into {self}. Wait for them to end.")
        generations = self._laid_out()
        name = next((name for name, is_current in generations if is_current), None)
        if not name:
            generation = self._write(self._make())
            self.make_current(generation)
            return generation, None
        names = [other for other, _ in generations]
        if is_alone:
            for other in names[: names.index(name)]:
                self._drop(other)
        if not (replaced := self._to_be_replaced(name)):
            return self._write(name), None
        if self._shard:
            replaced.close()
            raise ClippingsError(f"{replaced.reason}. Rebuild the index first: `clippings index`, without --shard.")
        beside = names[-1] if names[-1] != name else self._make()
        if rest := self._to_be_replaced(beside):  # a rebuild that was stopped, by a third version or with damage
            rest.close()
            self._drop(beside)
            beside = self._make()
        return self._write(beside), replaced

    def open_beside(self) -> Opened:
        """Make a new schema and a new collection; those that are not in use are gone."""
        for name, is_current in self._laid_out():
            if not is_current:
                self._drop(name)
        return self._write(self._make())

    def _laid_out(self) -> list[tuple[str, bool]]:
        """Make the tables of the database, and return its generations."""
        with self._writing.transaction():
            self._writing.rows(_LAYOUT)
        return self._generations(self._writing)

    def is_alone(self) -> bool:
        """Whether no other shard is being indexed; none begins or ends until `let_others`."""
        if not self._is_preparing:
            self._writing.rows("SELECT pg_advisory_lock(?, ?)", (_LOCKS, _PREPARING))
            self._is_preparing = True
        return not self._other_shards()

    def _other_shards(self) -> set[int]:
        """The numbers of shards that other processes are at."""
        held = (
            "SELECT objid::bigint FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.classid = ? AND l.objid > ? "
            "AND l.granted AND l.pid != pg_backend_pid()"
        )
        return {row[0] // _FIRST_SHARD_LOCK for row in self._writing.rows(held, (_LOCKS, _FIRST_SHARD_LOCK))}

    def let_others(self, *, ended: bool = False) -> None:
        """Let another shard begin or end; ``ended``: this one does."""
        if self._shard and ended:
            self._writing.rows("SELECT pg_advisory_unlock(?, ?)", (_LOCKS, _lock_of(self._shard)))
        self._writing.rows("SELECT pg_advisory_unlock(?, ?)", (_LOCKS, _PREPARING))
        self._is_preparing = False

    def make_current(self, generation: Opened) -> None:
        """Mark its row."""
        self._writing.execute("UPDATE clippings.generations SET current = (name = ?)", (generation.name,))

    def set_aside(self, old: Replaced) -> str:
        """Rename its schema."""
        kept = f"{_schema(old.name)}_damaged"
        self._writing.rows(f"ALTER SCHEMA {_schema(old.name)} RENAME TO {kept}")
        self._writing.execute("DELETE FROM clippings.generations WHERE name = ?", (old.name,))
        return f"the schema {kept} of {self}"

    def finish(self, generation: Opened) -> None:
        """Let searches read the indexes alone, after much has changed."""
        if isinstance(generation.catalogue, PostgresCatalogue) and generation.catalogue.written >= _MIN_VACUUMED_CHUNKS:
            for table in ("articles", "chunks", "people", "quotations", "postings"):
                self._writing.rows(f"VACUUM (ANALYZE, SKIP_LOCKED) {_schema(generation.name)}.{table}")

    def _to_be_replaced(self, name: str) -> Replaced | None:
        catalogue = self.open_catalogue(name)
        fingerprint = catalogue.get("fingerprint")
        if fingerprint != FINGERPRINT:
            reason = f"the index was built by another version ({fingerprint}, now {FINGERPRINT})"
            return Replaced(name, reason, catalogue)
        try:
            catalogue.check()
        except IndexDamaged:
            return Replaced(name, f"the catalogue of {self} was damaged", catalogue, is_damaged=True)
        catalogue.close()
        return None

    def _make(self) -> str:
        """Make the tables of a new generation, and return its name."""
        database = self._writing
        number = database.rows("SELECT coalesce(max(number), 0) + 1 FROM clippings.generations")[0][0]
        name = f"clippings-{number}-{secrets.token_hex(4)}"  # a server of Chroma may serve several databases
        with database.transaction():
            database.rows(f"DROP SCHEMA IF EXISTS {_schema(name)} CASCADE")
            database.rows(f"CREATE SCHEMA {_schema(name)}")
            database.rows(f"SET search_path TO {_schema(name)}")
            PostgresCatalogue(database, make=True).set("fingerprint", FINGERPRINT)
            database.execute("INSERT INTO clippings.generations VALUES (?, ?, false)", (name, number))
        return name

    def _write(self, name: str) -> Opened:
        """Open a generation for writing; vectors that are missing or damaged are embedded again."""
        self._writing.rows(f"SET search_path TO {_schema(name)}")
        catalogue = PostgresCatalogue(self._writing, keeps_open=True)
        vectors = ServerVectors(*self._chroma, name, make=True)
        try:
            vectors.nearest(np.eye(1, DIMENSIONS, dtype=np.float32)[0], 1)
        except IndexDamaged:
            vectors.drop()
            vectors.close()
            vectors = ServerVectors(*self._chroma, name, make=True)
        return Opened(name, catalogue, vectors)

    def _drop(self, name: str) -> None:
        with closing(ServerVectors(*self._chroma, name, make=True)) as vectors:
            vectors.drop()
        self._writing.rows(f"DROP SCHEMA IF EXISTS {_schema(name)} CASCADE")
        self._writing.execute("DELETE FROM clippings.generations WHERE name = ?", (name,))

    # --- State

    def damage(self, name: str) -> str | None:  # noqa: ARG002  # the servers check their own files
        """None: the servers check their own files."""
        return None

    def count_vectors(self, name: str) -> int:
        """Search for a sample of the vectors, and count all."""
        try:
            with closing(ServerVectors(*self._chroma, name)) as vectors:
                vectors.self_search(_MAX_SEARCHED_SELVES)
                return vectors.count()
        except IndexDamaged as error:
            raise IndexDamaged(f"the vectors in {self.servers['vectors']} are missing or damaged") from error

    def size_bytes(self) -> int:
        """The size of the tables; Chroma does not say what its vectors take."""
        name = self.current()
        tables = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c JOIN pg_namespace n"
        query = f"{tables} ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = ?"
        return int(self._reader.rows(query, (_schema(name),))[0][0]) if name and self._reader else 0

    def _generations(self, database: Postgres) -> list[tuple[str, bool]]:
        """The name of each generation, oldest first, and whether it is in use."""
        try:
            rows = database.rows(_GENERATIONS)
        except IndexDamaged:  # no such table: nothing was indexed
            return []
        if rows and rows[0][0] > LAYOUT_VERSION:
            raise ClippingsError(f"A newer version of Clippings has changed {self}. Install it here, too.")
        return [(name, is_current) for _, name, is_current in rows if name]


def _schema(name: str) -> str:
    """The schema of a generation: ``"clippings-3-1f2e3d4c" -> "clippings_3"``."""
    return f"clippings_{int(name.split('-')[1])}"


def _lock_of(shard: Shard) -> int:
    return shard.count * _FIRST_SHARD_LOCK + shard.number


def _versions(fingerprint: str) -> list[int]:
    return [int(number) for number in _VERSIONS.findall(fingerprint)]
