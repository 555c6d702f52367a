"""The articles, their chunks and the lexical index (BM25), in one SQLite file.

This file decides what is indexed: a transaction here is the moment at which an article changes, for every reader
and at once. BM25 is SQLite's FTS5 over words that our own analysis has stemmed: it is updated in place, shares
the transaction and takes no memory.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from index.models import Article, Boilerplate, Chunk, ClippingsError, Filters, IndexDamaged, Source
from index.text import stems

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS articles (
    id TEXT PRIMARY KEY, path TEXT NOT NULL, digest TEXT NOT NULL, headline TEXT NOT NULL, body TEXT NOT NULL,
    outlet TEXT, byline TEXT, published TEXT, published_from TEXT, published_certain INTEGER NOT NULL,
    url TEXT, language TEXT, boilerplate TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS articles_by_path ON articles (path);
CREATE INDEX IF NOT EXISTS articles_by_filter ON articles (published, outlet, id);
CREATE TABLE IF NOT EXISTS chunks (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, article TEXT NOT NULL REFERENCES articles (id),
    start INTEGER NOT NULL, stop INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS chunks_by_article ON chunks (article);
CREATE VIRTUAL TABLE IF NOT EXISTS lexical USING fts5 (headline, body, tokenize = "ascii tokenchars '.'");
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab (lexical, 'row');
"""
_COLUMNS = "id headline outlet byline published published_from published_certain url path language"  # as in Source
_SOURCE = ", ".join(f"a.{column}" for column in _COLUMNS.split())
_FILTER = (
    "(:outlet IS NULL OR lower(a.outlet) = lower(:outlet)) AND (:since IS NULL OR a.published >= :since) "
    "AND (:until IS NULL OR a.published <= :until) "
    "AND (:as_of IS NULL OR a.published IS NULL OR a.published <= :as_of)"
)
_ALL = Filters()
_FEWEST = 1_000  # chunks


class ChunkRow(NamedTuple):
    """A chunk as it is stored, with its article's source and the text of its span."""

    id: str
    source: Source
    start: int
    end: int
    text: str


class Catalogue:
    """One generation's articles and chunks. Safe to share between threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.RLock()
        with self._in_words():
            self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=30)
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.execute("PRAGMA cache_size = -32000")  # kB: with the usual 2 MB a search reads pages twice
                self._db.executescript(_SCHEMA)
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # What is written

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside happens at once, or not at all."""
        with self._lock:
            self._execute("BEGIN IMMEDIATE")
            try:
                yield
                self._execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have rolled it back already
                    self._execute("ROLLBACK")
                raise

    def put(self, article: Article, digest: str, chunks: Sequence[Chunk]) -> None:
        """Add an article, or replace it."""
        self.remove(article.id)
        source = article.source
        row = (
            source.id, source.path or "", digest, source.headline, article.body, source.outlet, source.byline,
            source.published and source.published.isoformat(), source.published_from, source.published_certain,
            source.url, source.language, json.dumps(article.boilerplate),
        )  # fmt: skip
        self._execute(f"INSERT INTO articles VALUES ({','.join('?' * len(row))})", row)
        headline = " ".join(stems(source.headline))
        for chunk in chunks:
            number = self._execute(
                "INSERT INTO chunks (id, article, start, stop) VALUES (?, ?, ?, ?)",
                (chunk.id, chunk.article_id, chunk.start, chunk.end),
            ).lastrowid
            body = " ".join(stems(article.body[chunk.start : chunk.end]))
            self._execute("INSERT INTO lexical (rowid, headline, body) VALUES (?, ?, ?)", (number, headline, body))

    def remove(self, article_id: str) -> None:
        """Remove an article and its chunks, if it is there."""
        mine = "(SELECT number FROM chunks WHERE article = ?)"
        self._execute(f"DELETE FROM lexical WHERE rowid IN {mine}", (article_id,))
        self._execute("DELETE FROM chunks WHERE article = ?", (article_id,))
        self._execute("DELETE FROM articles WHERE id = ?", (article_id,))

    def set(self, key: str, value: str) -> None:
        """Note something about the index itself."""
        self._execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # What is read

    def get(self, key: str) -> str | None:
        """What was noted about the index itself."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def version(self) -> int:
        """A number that changes when another process has written."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def known(self, article_id: str) -> tuple[str, str] | None:
        """The digest and path under which an article was last indexed."""
        rows = self._rows("SELECT digest, path FROM articles WHERE id = ?", (article_id,))
        return (rows[0][0], rows[0][1]) if rows else None

    def chunk_ids(self, article_id: str) -> list[str]:
        """The ids of an article's chunks, in order."""
        return [row[0] for row in self._rows("SELECT id FROM chunks WHERE article = ? ORDER BY start", (article_id,))]

    def all_chunk_ids(self) -> list[str]:
        """Every chunk's id."""
        return [row[0] for row in self._rows("SELECT id FROM chunks ORDER BY number")]

    def article_of(self, chunk_id: str) -> str | None:
        """The id of the article that a chunk is of."""
        rows = self._rows("SELECT article FROM chunks WHERE id = ?", (chunk_id,))
        return str(rows[0][0]) if rows else None

    def paths(self) -> list[tuple[str, str]]:
        """Every article's id and path."""
        return [(row[0], row[1]) for row in self._rows("SELECT id, path FROM articles ORDER BY id")]

    def article(self, article_id: str) -> Article | None:
        """An article whole."""
        rows = self._rows(f"SELECT {_SOURCE}, a.body, a.boilerplate FROM articles a WHERE a.id = ?", (article_id,))
        if not rows:
            return None
        boilerplate = tuple(Boilerplate(*piece) for piece in json.loads(rows[0][11]))
        return Article(_source(rows[0]), rows[0][10], boilerplate)

    def sources(self, limit: int | None = None) -> list[Source]:
        """What is indexed, newest first, then by headline."""
        order = "ORDER BY a.published IS NULL, a.published DESC, a.headline LIMIT ?"
        return [_source(row) for row in self._rows(f"SELECT {_SOURCE} FROM articles a {order}", (limit or -1,))]

    def counts(self) -> tuple[int, int]:
        """How many articles and chunks there are."""
        (articles,), (chunks,) = (self._rows(f"SELECT count(*) FROM {table}")[0] for table in ("articles", "chunks"))
        return articles, chunks

    def chunks(self, ids: Iterable[str], filters: Filters = _ALL) -> dict[str, ChunkRow]:
        """The chunks of these ids that exist and pass the filters."""
        rows = self._rows(
            f"SELECT {_SOURCE}, c.id, c.start, c.stop, substr(a.body, c.start + 1, c.stop - c.start) "
            "FROM chunks c JOIN articles a ON a.id = c.article "
            f"WHERE c.id IN (SELECT value FROM json_each(:ids)) AND {_FILTER}",
            {"ids": json.dumps(list(ids)), **_parameters(filters)},
        )
        return {row[10]: ChunkRow(row[10], _source(row), row[11], row[12], row[13]) for row in rows}

    def passing(self, filters: Filters) -> list[str]:
        """The ids of all chunks that pass the filters."""
        query = f"SELECT id FROM chunks WHERE article IN (SELECT a.id FROM articles a WHERE {_FILTER})"
        return [row[0] for row in self._rows(query, _parameters(filters))]

    def count_passing(self, filters: Filters) -> int:
        """How many chunks pass the filters: what fails is counted, for it is little where a filter is wide."""
        failing = f"SELECT a.id FROM articles a WHERE ({_FILTER}) IS NOT TRUE"
        query = f"SELECT (SELECT count(*) FROM chunks) - (SELECT count(*) FROM chunks WHERE article IN ({failing}))"
        return int(self._rows(query, _parameters(filters))[0][0])

    def days(self, ids: Iterable[str], filters: Filters = _ALL) -> dict[str, date | None]:
        """When the chunks of these ids that exist and pass the filters were published."""
        rows = self._rows(
            "SELECT c.id, a.published FROM chunks c JOIN articles a ON a.id = c.article "
            f"WHERE c.id IN (SELECT value FROM json_each(:ids)) AND {_FILTER}",
            {"ids": json.dumps(list(ids)), **_parameters(filters)},
        )
        return {row[0]: date.fromisoformat(row[1]) if row[1] else None for row in rows}

    def search(self, words: Sequence[str], count: int, filters: Filters = _ALL) -> list[tuple[str, float]]:
        """BM25 over stemmed words: ids of chunks that hold at least one, with positive scores, best first."""
        if not words:
            return []
        rows = self._rows(
            "SELECT c.id, -bm25(lexical, :headline, 1.0) FROM lexical JOIN chunks c ON c.number = lexical.rowid "
            f"JOIN articles a ON a.id = c.article WHERE lexical MATCH :words AND {_FILTER} ORDER BY rank LIMIT :count"
            if filters != _ALL
            else "SELECT c.id, -l.rank FROM (SELECT rowid, rank FROM lexical WHERE lexical MATCH :words "
            "ORDER BY rank LIMIT :count) l JOIN chunks c ON c.number = l.rowid ORDER BY l.rank",
            {"words": " OR ".join(map(_phrase, dict.fromkeys(words))), "headline": 1.0, "count": count}
            | (_parameters(filters) if filters != _ALL else {}),
        )
        return [(row[0], row[1]) for row in rows]

    def idf(self, words: Iterable[str]) -> dict[str, float]:
        """The inverse document frequency of stemmed words over all chunks: ``ln(1 + (N - n + .5) / (n + .5))``.

        Few chunks are counted as if they stood among a thousand, or one word that they lack would outweigh all others.
        """
        total = max(self.counts()[1], _FEWEST)
        found = dict[str, float]()
        for word in dict.fromkeys(words):
            rows = self._rows("SELECT doc FROM vocabulary WHERE term = ?", (word,))
            have = rows[0][0] if rows else 0
            found[word] = math.log(1 + (total - have + 0.5) / (have + 0.5))
        return found

    def outlets(self) -> dict[str, int]:
        """How many articles each outlet has, the most first; "" where none is known."""
        query = "SELECT coalesce(outlet, ''), count(*) FROM articles GROUP BY 1 ORDER BY 2 DESC, 1"
        return {row[0]: row[1] for row in self._rows(query)}

    def period(self) -> tuple[date | None, date | None]:
        """The first and the last day of publication."""
        first, last = self._rows("SELECT min(published), max(published) FROM articles")[0]
        return first and date.fromisoformat(first), last and date.fromisoformat(last)

    def _rows(self, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        with self._lock, self._in_words():
            return self._db.execute(query, parameters).fetchall()

    def _execute(self, query: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        with self._lock, self._in_words():
            return self._db.execute(query, parameters)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Turn SQLite's errors into sentences."""
        try:
            yield
        except sqlite3.OperationalError as error:  # what is around the file: permissions, room, another's lock
            message = (
                f"The catalogue {self._file} cannot be used ({error}). See that its folder can be written to, "
                "which reading needs too, and that the disk has room."
            )
            raise ClippingsError(message) from error
        except sqlite3.DatabaseError as error:
            message = (
                f"The catalogue {self._file} is damaged ({error}). Delete its folder and index your articles again: "
                "`clippings index FOLDER`."
            )
            raise IndexDamaged(message) from error


def _phrase(word: str) -> str:
    """A word as FTS5 takes it, whatever is in it."""
    return '"' + word.replace('"', '""').replace("\0", "") + '"'


def _parameters(filters: Filters) -> dict[str, str | None]:
    return {
        "outlet": filters.outlet,
        "since": filters.since.isoformat() if filters.since else None,
        "until": filters.until.isoformat() if filters.until else None,
        "as_of": filters.as_of.isoformat() if filters.as_of else None,
    }


def _source(row: Sequence[Any]) -> Source:
    published = date.fromisoformat(row[4]) if row[4] else None
    return Source(row[0], row[1], row[2], row[3], published, row[5], bool(row[6]), row[7], row[8] or None, row[9])
