"""The catalogue in one SQLite file, for one machine.

BM25 is SQLite's FTS5: updated in place, in the same transaction as the article, without memory.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from index.models import ClippingsError, Filters, IndexDamaged
from index.storage.catalogue import FILTER, NO_FILTERS, Catalogue, Edition
from index.storage.data_folder import temporary_copy

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS articles (
    id TEXT PRIMARY KEY, path TEXT NOT NULL, digest TEXT NOT NULL, headline TEXT NOT NULL, body TEXT NOT NULL,
    outlet TEXT, byline TEXT, published TEXT, published_from TEXT, published_certain INTEGER NOT NULL,
    url TEXT, language TEXT, boilerplate TEXT NOT NULL,
    checksum TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS articles_by_path ON articles (path);
CREATE INDEX IF NOT EXISTS articles_by_filter ON articles (published, outlet, id);
CREATE TABLE IF NOT EXISTS chunks (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, article TEXT NOT NULL REFERENCES articles (id),
    start INTEGER NOT NULL, stop INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS chunks_by_article ON chunks (article);
CREATE TABLE IF NOT EXISTS people (
    article TEXT NOT NULL REFERENCES articles (id), key TEXT NOT NULL, surname TEXT NOT NULL,
    name_start INTEGER NOT NULL, name_stop INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
    office TEXT NOT NULL, rank INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS people_by_article ON people (article);
CREATE INDEX IF NOT EXISTS people_by_surname ON people (surname);
CREATE INDEX IF NOT EXISTS people_by_office ON people (office) WHERE office != '';
CREATE TABLE IF NOT EXISTS quotations (
    article TEXT NOT NULL REFERENCES articles (id), key TEXT NOT NULL, surname TEXT NOT NULL,
    name_start INTEGER NOT NULL, name_stop INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS quotations_by_article ON quotations (article);
CREATE INDEX IF NOT EXISTS quotations_by_surname ON quotations (surname);
CREATE TABLE IF NOT EXISTS editions (
    article TEXT PRIMARY KEY, revision TEXT NOT NULL, state TEXT NOT NULL
) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS lexical USING fts5 (headline, body, tokenize = "ascii tokenchars '.'");
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab (lexical, 'row');
"""
_MAX_EMPTYING_MILLISECONDS = 1_000
# Operational errors of SQLite that damage causes; the others come from what is around the file.
_DAMAGE = re.compile(
    "no such (fts5 table|table|column)|has no column|malformed|vtable constructor failed|decode to UTF-8"
)


class SQLiteCatalogue(Catalogue):
    """The articles and chunks of one generation, in a file.

    ``make``: create the tables that are missing. ``read_only``: nothing can be written beside the file. The log of a
    killed writer is read all the same.
    """

    _HOLDING = "SELECT c.article FROM lexical l JOIN chunks c ON c.number = l.rowid WHERE lexical MATCH :word{}"
    _COUNT_HOLDING = "SELECT doc FROM vocabulary WHERE term = ?"

    def __init__(self, file: Path, *, make: bool = True, read_only: bool = False) -> None:
        self._file, self.read_only, self._writes = file, read_only, make and not read_only
        self._copy: TemporaryDirectory[str] | None = None
        self._lock = threading.RLock()
        with self._errors_explained():
            if not read_only:
                place = file.absolute().as_uri()
            elif not (log := Path(f"{file}-wal")).exists() or not log.stat().st_size:
                place = f"{file.absolute().as_uri()}?immutable=1"
            elif Path(f"{file}-shm").exists():
                place = f"{file.absolute().as_uri()}?mode=ro"
            else:  # no process has it open: the log is of one that ended, and SQLite needs to write to read it
                self._copy = temporary_copy(file, log)
                place = Path(self._copy.name, file.name).as_uri()
            self._db = sqlite3.connect(place, check_same_thread=False, isolation_level=None, timeout=30, uri=True)
            try:
                self._db.execute("PRAGMA cache_size = -32000")  # kB: with the usual 2 MB a search reads pages twice
                if not read_only:
                    self._db.execute("PRAGMA journal_mode = WAL")
                    self._db.execute("PRAGMA synchronous = FULL")  # what a run has reported outlives a power cut
                if make and not read_only:
                    self._db.executescript(_SCHEMA)
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the file. A writer empties the log, so that the file has a checksum while others read."""
        if self._writes:
            with suppress(sqlite3.Error):  # a reader is at it for longer
                self._db.execute(f"PRAGMA busy_timeout = {_MAX_EMPTYING_MILLISECONDS}")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()
        if self._copy:
            self._copy.cleanup()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all that is written inside happen at once, or not at all."""
        with self._lock:
            self._rows("BEGIN IMMEDIATE")
            try:
                yield
                self._rows("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have rolled it back already
                    self._rows("ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read all that is read inside as it is now, whatever others write meanwhile."""
        with self._lock:
            self._rows("BEGIN")
            try:
                yield
            finally:
                self._rows("ROLLBACK")

    def version(self) -> int:
        """A number that changes when another process has written."""
        if self.read_only:
            return self._file.stat().st_mtime_ns
        return int(self._rows("PRAGMA data_version")[0][0])

    def editions(self) -> dict[str, Edition]:
        """The latest versions by article; none in an index of an earlier version."""
        return super().editions() if self._rows("SELECT 1 FROM sqlite_master WHERE name = 'editions'") else {}

    def check(self) -> None:
        """Read all pages, tables and articles. Raises IndexDamaged at the first that is not as it was stored."""
        if (result := self._rows("PRAGMA quick_check(1)")[0][0]) != "ok":
            raise self._damaged(result)
        for identity, _ in self.paths():
            self.article(identity)
        self.chunks([])
        self.idf(["word"])
        self.get("fingerprint")
        self.search(["word"], 1)

    def search(self, words: Sequence[str], count: int, filters: Filters = NO_FILTERS) -> list[tuple[str, float]]:
        """BM25 over stemmed words: ids of chunks with at least one of them, and positive scores, best first."""
        if not words:
            return []
        parameters = {"words": " OR ".join(map(self._word, dict.fromkeys(words))), "count": count}
        if filters == NO_FILTERS:  # cut off inside FTS5, which is quicker
            best = "SELECT rowid, rank FROM lexical WHERE lexical MATCH :words ORDER BY rank LIMIT :count"
            query = f"SELECT c.id, -l.rank FROM ({best}) l JOIN chunks c ON c.number = l.rowid ORDER BY l.rank"
            return self._rows(query, parameters)
        query = (
            "SELECT c.id, -l.rank FROM lexical l JOIN chunks c ON c.number = l.rowid "
            f"JOIN articles a ON a.id = c.article WHERE lexical MATCH :words AND {FILTER} ORDER BY l.rank LIMIT :count"
        )
        return self._rows(query, parameters | self._parameters(filters))

    @staticmethod
    def _word(word: str) -> str:
        """Quote a word for FTS5, whatever is in it."""
        return '"' + word.replace('"', '""').replace("\0", "") + '"'

    def _put_words(self, number: int, headline: Sequence[str], body: Sequence[str]) -> None:
        row = (number, " ".join(headline), " ".join(body))
        self._execute("INSERT INTO lexical (rowid, headline, body) VALUES (?, ?, ?)", row)

    def _remove_words(self, article_id: str) -> None:
        chunks = "(SELECT number FROM chunks WHERE article = ?)"
        self._execute(f"DELETE FROM lexical WHERE rowid IN {chunks}", (article_id,))

    def _rows(self, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        with self._lock, self._errors_explained():
            return self._db.execute(query, parameters).fetchall()

    def _execute(self, query: str, *rows: Sequence[object]) -> None:
        with self._lock, self._errors_explained():
            self._db.executemany(query, rows)

    def _place(self) -> str:
        return f"in {self._file}"

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """Turn an error of SQLite into a message with the cause and the way out."""
        try:
            yield
        except sqlite3.OperationalError as error:  # mostly what is around the file: permissions, room, another's lock
            if _DAMAGE.search(str(error)):
                raise self._damaged(error) from error
            message = (
                f"The catalogue {self._file} cannot be used ({error}). See that its folder can be written to, "
                "and that the disk has room."
            )
            raise ClippingsError(message) from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, reason: object) -> IndexDamaged:
        return IndexDamaged(f"The catalogue {self._file} is damaged ({reason}). Rebuild it: `clippings index FOLDER`.")
