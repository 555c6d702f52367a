"""Articles, their chunks and the lexical index (BM25), in a database: what SQLite and PostgreSQL share.

The catalogue decides what is indexed: an article changes with a transaction here, at once for every reader. The lexical
index holds words that index/text.py has stemmed, and changes in the same transaction.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from index.models import Article, Boilerplate, Chunk, Filters, IndexDamaged, Source, Span
from index.reading.outlets import NOTE as OUTLETS_NOTE
from index.reading.people import Introduction, find_people
from index.reading.quotations import Quotation, find_quotations
from index.text import fold, sentences, stems

SCHEMA_VERSION = 5
"""Part of FINGERPRINT: an index of another version is rebuilt.

2: `furniture` became `boilerplate`. 3: `checksum`. 4: `people`, `quotations`.
5: names of people end before a new sentence; more nouns of persons.
"""

_SOURCE_COLUMNS = ", ".join(f"a.{field.name}" for field in fields(Source))  # every field has its column
_SOURCE_WIDTH = len(fields(Source))
FILTER = (
    "(:outlet IS NULL OR lower(a.outlet) = lower(:outlet)) AND (:article IS NULL OR a.id = :article) "
    "AND (:author IS NULL OR instr(lower(a.byline), lower(:author))) AND (:since IS NULL OR a.published >= :since) "
    "AND (:until IS NULL OR a.published <= :until) "
    "AND (:as_of IS NULL OR a.published IS NULL OR a.published <= :as_of OR a.published > :ahead)"
)
_CHUNKS = (
    f"FROM chunks c JOIN articles a ON a.id = c.article WHERE c.id IN (SELECT value FROM json_each(:ids)) AND {FILTER}"
)
_UNCHECKED_COLUMNS = 13  # of `articles` before schema 3
NO_FILTERS = Filters()
REBUILD = "Rebuild the index: `clippings index`."
_MAX_PEOPLE_ROWS = 400  # the newest; "council" is the last word of thousands of speakers
_MIN_IDF_CHUNKS = 1_000
_ALL_ROWS = 2**63 - 1  # as a limit
_PAGE_CHUNKS = 1_000  # SQLite takes 32,766 parameters
_IMPORTED = "imported "  # before an article's id, the key of a note
_BETWEEN_AUTHORS = re.compile(r",| and |;|&")


class ChunkRow(NamedTuple):
    """A stored chunk: the source of its article, and its span with the text."""

    id: str
    source: Source
    start: int
    end: int
    text: str


class Edition(NamedTuple):
    """The latest version of a story that was read, and why it is not indexed: WITHDRAWN, REMOVED, or "" if it is."""

    revision: str = ""
    state: str = ""


WITHDRAWN, REMOVED = "withdrawn", "removed"  # by its sender, by the user


class Catalogue(ABC):
    """The articles and chunks of one generation. Safe to share between threads.

    Every call raises IndexDamaged if what it reads is damaged. ``read_only``: nothing can be written to it.
    The SQL here is read by both databases; parameters are named ``:name`` or are question marks.
    """

    read_only: bool = False
    _HOLDING: ClassVar[str]  # SQL: the articles with a chunk that holds the word :word{}
    _COUNT_HOLDING: ClassVar[str]  # SQL: the number of chunks that hold a word

    @abstractmethod
    def close(self) -> None:
        """Let go of the database."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Make all that is written inside happen at once, or not at all."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """Read all that is read inside as it is now, whatever others write meanwhile."""

    @abstractmethod
    def version(self) -> int:
        """A number that changes when another process has written."""

    @abstractmethod
    def check(self) -> None:
        """Read all articles and words. Raises IndexDamaged at the first that is not as it was stored."""

    @abstractmethod
    def search(self, words: Sequence[str], count: int, filters: Filters = NO_FILTERS) -> list[tuple[str, float]]:
        """BM25 over stemmed words: ids of chunks with at least one of them, and positive scores, best first."""

    @abstractmethod
    def _put_words(self, number: int, headline: Sequence[str], body: Sequence[str]) -> None:
        """Add the stems of a chunk to the lexical index."""

    @abstractmethod
    def _remove_words(self, article_id: str) -> None:
        """Remove the words of an article, whose chunks are still there."""

    @abstractmethod
    def _rows(self, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """The rows of a query."""

    @abstractmethod
    def _execute(self, query: str, *rows: Sequence[object]) -> None:
        """Execute a statement once for each row of parameters."""

    @abstractmethod
    def _place(self) -> str:
        """Where it is, for a message."""

    @staticmethod
    def _word(word: str) -> str:
        """A word as the SQL of the lexical index takes it."""
        return word

    # --- Writing

    def put(self, article: Article, digest: str, chunks: Sequence[Chunk]) -> None:
        """Add an article, or replace it."""
        self.remove(article.id)
        source = article.source
        row = (
            source.id, source.path or "", digest, source.headline, article.body, source.outlet, source.byline,
            source.published and source.published.isoformat(), source.published_from, int(source.published_certain),
            source.url, source.language, json.dumps(article.boilerplate),
        )  # fmt: skip
        self._execute(f"INSERT INTO articles VALUES ({'?,' * len(row)} ?)", (*row, checksum(row)))
        headline = stems(source.headline)
        for first in range(0, len(chunks), _PAGE_CHUNKS):
            page = chunks[first : first + _PAGE_CHUNKS]
            marks = ", ".join(["(?, ?, ?, ?)"] * len(page))
            values = [value for chunk in page for value in (chunk.id, chunk.article_id, chunk.start, chunk.end)]
            added = f"INSERT INTO chunks (id, article, start, stop) VALUES {marks} RETURNING id, number"
            numbers = dict(self._rows(added, values))
            for chunk in page:
                self._put_words(numbers[chunk.id], headline, stems(article.body[chunk.start : chunk.end]))
        spans = sentences(article.body)
        people = find_people(article.body, spans)
        introductions = [
            (article.id, person.key, _surname(person.key), *person.name, *person.span, person.office, person.rank)
            for person in people.introductions
        ]
        self._execute(f"INSERT INTO people VALUES ({'?,' * 8} ?)", *introductions)
        quotations = [
            (article.id, quotation.key, _surname(quotation.key), *quotation.name, *quotation.span)
            for quotation in find_quotations(article.body, spans, people)
        ]
        self._execute(f"INSERT INTO quotations VALUES ({'?,' * 6} ?)", *quotations)

    def remove(self, article_id: str) -> None:
        """Remove an article and its chunks, if it is indexed."""
        self._remove_words(article_id)
        for table in ("chunks", "people", "quotations"):
            self._execute(f"DELETE FROM {table} WHERE article = ?", (article_id,))
        self._execute("DELETE FROM articles WHERE id = ?", (article_id,))

    def set_edition(self, article_id: str, edition: Edition) -> None:
        """Note the latest version of a story; that of an article without versions is not kept."""
        self._execute("DELETE FROM editions WHERE article = ?", (article_id,))
        if any(edition):
            self._execute("INSERT INTO editions VALUES (?, ?, ?)", (article_id, *edition))

    def set(self, key: str, value: str) -> None:
        """Store a note about the index itself."""
        self._execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )

    def mark_imported(self, article_ids: Iterable[str]) -> None:
        """Note that these articles are as an archive has them: their files were not read here."""
        if keys := [(f"{_IMPORTED}{name}",) for name in article_ids]:
            with self.transaction():
                self._execute("INSERT INTO meta VALUES (?, 'yes') ON CONFLICT (key) DO NOTHING", *keys)

    def unmark_imported(self, article_ids: Iterable[str]) -> None:
        """Note that these articles are as their files have them."""
        if keys := [(f"{_IMPORTED}{name}",) for name in article_ids]:
            with self.transaction():
                self._execute("DELETE FROM meta WHERE key = ?", *keys)

    # --- Reading

    def imported(self) -> frozenset[str]:
        """The articles that are as an archive has them; the digest of one says nothing about its text."""
        rows = self._rows(f"SELECT key FROM meta WHERE substr(key, 1, {len(_IMPORTED)}) = ?", (_IMPORTED,))
        return frozenset(row[0].removeprefix(_IMPORTED) for row in rows)

    def get(self, key: str) -> str | None:
        """A note about the index itself."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def known(self, article_id: str) -> tuple[str, str] | None:
        """The digest and path under which an article was last indexed."""
        rows = self._rows("SELECT digest, path FROM articles WHERE id = ?", (article_id,))
        return (rows[0][0], rows[0][1]) if rows else None

    def edition(self, article_id: str) -> Edition:
        """The latest version of a story that was read."""
        rows = self._rows("SELECT revision, state FROM editions WHERE article = ?", (article_id,))
        return Edition(*rows[0]) if rows else Edition()

    def editions(self) -> dict[str, Edition]:
        """The latest versions by article."""
        return {row[0]: Edition(*row[1:]) for row in self._rows("SELECT article, revision, state FROM editions")}

    def chunk_ids(self, article_id: str) -> list[str]:
        """The ids of the chunks of an article, in order."""
        return [row[0] for row in self._rows("SELECT id FROM chunks WHERE article = ? ORDER BY start", (article_id,))]

    def all_chunk_ids(self) -> list[str]:
        """The ids of all chunks."""
        return [row[0] for row in self._rows("SELECT id FROM chunks ORDER BY number")]

    def article_of(self, chunk_id: str) -> str | None:
        """The id of the article of a chunk."""
        rows = self._rows("SELECT article FROM chunks WHERE id = ?", (chunk_id,))
        return str(rows[0][0]) if rows else None

    def paths(self) -> list[tuple[str, str]]:
        """The id and path of every article."""
        return [(row[0], row[1]) for row in self._rows("SELECT id, path FROM articles ORDER BY id")]

    def article(self, article_id: str) -> Article | None:
        """An article with body and boilerplate. Raises IndexDamaged if it is not as it was stored.

        An index of schema 1 or 2, without checksums, can be read too.
        """
        rows = self._rows(f"SELECT {_SOURCE_COLUMNS}, a.body, a.* FROM articles a WHERE a.id = ?", (article_id,))
        if not rows:
            return None
        row = rows[0]
        stored = row[_SOURCE_WIDTH + 1 :]  # the columns of the table
        if len(stored) > _UNCHECKED_COLUMNS:
            *stored, recorded = stored
            if recorded != checksum(stored):
                raise IndexDamaged(f"The article {article_id!r} {self._place()} is damaged. {REBUILD}")
        boilerplate = tuple(Boilerplate(*piece) for piece in json.loads(stored[-1]))
        return Article(_source(row), row[_SOURCE_WIDTH], boilerplate)

    def sources(self, limit: int | None = None) -> list[Source]:
        """The sources of the indexed articles, newest first, then by headline."""
        order = "ORDER BY a.published IS NULL, a.published DESC, a.headline LIMIT ?"
        return [
            _source(row)
            for row in self._rows(f"SELECT {_SOURCE_COLUMNS} FROM articles a {order}", (limit or _ALL_ROWS,))
        ]

    def mentioning(self, words: Sequence[str], filters: Filters = NO_FILTERS, limit: int | None = None) -> list[Source]:
        """The sources of the articles that hold every one of these stems and pass the filters, newest first.

        Without words: of all articles that pass.
        """
        parts = [f"a.id IN ({self._HOLDING.format(number)})" for number in range(len(words))]
        order = "ORDER BY a.published IS NULL, a.published DESC, a.headline, a.id"
        query = f"SELECT {_SOURCE_COLUMNS} FROM articles a WHERE {' AND '.join([FILTER, *parts])} {order} LIMIT :limit"
        named = {f"word{number}": self._word(word) for number, word in enumerate(words)}
        values = {**self._parameters(filters), **named, "limit": _ALL_ROWS if limit is None else limit}
        return [_source(row) for row in self._rows(query, values)]

    def people(
        self, *, surname: str = "", office: str = "", filters: Filters = NO_FILTERS
    ) -> list[tuple[Source, Introduction]]:
        """The introductions of people with this surname (the last word of a key) or office, newest article first."""
        condition = "t.surname = :surname" if surname else "t.office = :office AND t.office != ''"
        columns = "t.key, t.name_start, t.name_stop, t.start, t.stop, t.office, t.rank"
        rows = self._people("people", columns, condition, filters, surname=surname, office=office)
        return [(_source(row[7:]), Introduction(row[0], Span(*row[1:3]), Span(*row[3:5]), *row[5:7])) for row in rows]

    def quotations(
        self, *, surname: str = "", article: str = "", filters: Filters = NO_FILTERS
    ) -> list[tuple[Source, Quotation]]:
        """The quotations of speakers with this surname, or of an article; newest article first, in its order."""
        condition = "t.surname = :surname" if surname else "t.article = :within"
        columns = "t.key, t.name_start, t.name_stop, t.start, t.stop"
        rows = self._people("quotations", columns, condition, filters, surname=surname, within=article)
        return [(_source(row[5:]), Quotation(row[0], Span(*row[1:3]), Span(*row[3:5]))) for row in rows]

    def _people(self, table: str, columns: str, condition: str, filters: Filters, **named: str) -> list[Any]:
        order = f"ORDER BY a.published IS NULL, a.published DESC, a.headline, a.id, t.start LIMIT {_MAX_PEOPLE_ROWS}"
        query = f"SELECT {columns}, {_SOURCE_COLUMNS} FROM {table} t JOIN articles a ON a.id = t.article"
        return self._rows(f"{query} WHERE {condition} AND {FILTER} {order}", {**self._parameters(filters), **named})

    def surnames(self, word: str) -> list[str]:
        """The surnames that can be a word with one slip: those that share its first or its last half."""
        half = max(len(word) // 2, 1)
        tables = " UNION ".join(f"SELECT surname FROM {table} WHERE {{0}}" for table in ("people", "quotations"))
        condition = (
            "length(surname) BETWEEN :length - 1 AND :length + 1 AND "
            "(substr(surname, 1, :half) = :beginning OR substr(surname, length(surname) - :half + 1) = :ending)"
        )
        values = {"half": half, "length": len(word), "beginning": word[:half], "ending": word[-half:]}
        return sorted(row[0] for row in self._rows(tables.format(condition), values))

    def named(self, first: str) -> list[str]:
        """The surnames of people with this first word in their names."""
        condition = "substr(key, 1, length(:first) + 1) = :first || ' '"
        tables = " UNION ".join(f"SELECT surname FROM {table} WHERE {condition}" for table in ("people", "quotations"))
        return sorted(row[0] for row in self._rows(tables, {"first": first})) if first else []

    def counts(self) -> tuple[int, int]:
        """The numbers of articles and chunks."""
        (articles,), (chunks,) = (self._rows(f"SELECT count(*) FROM {table}")[0] for table in ("articles", "chunks"))
        return articles, chunks

    def chunks(self, ids: Iterable[str], filters: Filters = NO_FILTERS) -> dict[str, ChunkRow]:
        """The chunks of these ids that exist and pass the filters."""
        span = "c.id, c.start, c.stop, substr(a.body, c.start + 1, c.stop - c.start)"
        rows = self._rows(f"SELECT {span}, {_SOURCE_COLUMNS} {_CHUNKS}", self._parameters(filters, ids=ids))
        return {row[0]: ChunkRow(row[0], _source(row[4:]), *row[1:4]) for row in rows}

    def days(self, ids: Iterable[str], filters: Filters = NO_FILTERS) -> dict[str, date | None]:
        """The publication dates of the chunks of these ids that exist and pass the filters; None if dated ahead."""
        rows = self._rows(f"SELECT c.id, a.published {_CHUNKS}", self._parameters(filters, ids=ids))
        ahead, days = _ahead(), {row[0]: _date(row[1]) for row in rows}
        return {name: day if day and day <= ahead else None for name, day in days.items()}

    def passing(self, filters: Filters) -> list[str]:
        """The ids of all chunks that pass the filters."""
        query = f"SELECT id FROM chunks WHERE article IN (SELECT a.id FROM articles a WHERE {FILTER})"
        return [row[0] for row in self._rows(query, self._parameters(filters))]

    def count_passing(self, filters: Filters) -> int:
        """The number of chunks that pass the filters; a wide filter is counted quickly, by what fails it."""
        failing = f"SELECT a.id FROM articles a WHERE ({FILTER}) IS NOT TRUE"
        query = f"SELECT (SELECT count(*) FROM chunks) - (SELECT count(*) FROM chunks WHERE article IN ({failing}))"
        return int(self._rows(query, self._parameters(filters))[0][0])

    def idf(self, words: Iterable[str]) -> dict[str, float]:
        """Inverse document frequency of stemmed words over all chunks: ``ln(1 + (N - n + .5) / (n + .5))``.

        N is at least a thousand: in a small index a single absent word would outweigh all others.
        """
        total = max(self.counts()[1], _MIN_IDF_CHUNKS)
        idf = dict[str, float]()
        for word in dict.fromkeys(words):
            rows = self._rows(self._COUNT_HOLDING, (word,))
            count = rows[0][0] if rows else 0
            idf[word] = math.log(1 + (total - count + 0.5) / (count + 0.5))
        return idf

    def count_undated(self, outlet: str | None = None) -> int:
        """The number of articles, of an outlet or of all, without a publication date."""
        query = f"SELECT count(*) FROM articles a WHERE a.published IS NULL AND {FILTER}"
        return int(self._rows(query, self._parameters(Filters(outlet=outlet)))[0][0])

    def outlets(self) -> dict[str, int]:
        """The number of articles by outlet, most first; "" for an unknown outlet."""
        rows = self._rows("SELECT coalesce(outlet, ''), count(*) FROM articles GROUP BY 1")
        return dict(sorted(map(tuple, rows), key=lambda row: (-row[1], row[0])))

    def outlet_names(self) -> dict[str, str]:
        """The outlets by their folded names and aliases: ``{"mdr": "MDR", "mdr.de": "MDR"}``; a name goes first."""
        aliases = json.loads(self.get(OUTLETS_NOTE) or "{}")
        return {**aliases, **{fold(outlet): outlet for outlet in self.outlets() if outlet}}

    def authors(self) -> list[str]:
        """The names of the bylines, in order."""
        rows = self._rows("SELECT DISTINCT byline FROM articles WHERE byline IS NOT NULL")
        return sorted({name.strip() for row in rows for name in _BETWEEN_AUTHORS.split(row[0]) if name.strip()})

    def period(self) -> tuple[date | None, date | None]:
        """The first and the last publication date."""
        first, last = self._rows("SELECT min(published), max(published) FROM articles")[0]
        return _date(first), _date(last)

    def _parameters(self, filters: Filters, ids: Iterable[str] = ()) -> dict[str, str | None]:
        if filters.outlet:
            filters = replace(filters, outlet=self.outlet_names().get(fold(filters.outlet), filters.outlet))
        values: dict[str, str | None] = {
            name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(filters).items()
        }
        return values | {"ids": json.dumps(list(ids)), "ahead": _ahead().isoformat()}


def checksum(row: Sequence[object]) -> str:
    """The SHA-256 of a row of `articles`."""
    return hashlib.sha256(json.dumps(row).encode()).hexdigest()


def _surname(key: str) -> str:
    return key.rpartition(" ")[2]


def _ahead() -> date:
    """Tomorrow, which has begun somewhere. A later date is wrong, or the clock is: a search takes it for unknown."""
    return datetime.now(UTC).date() + timedelta(days=1)


def _source(row: Sequence[Any]) -> Source:
    source = dict(zip((field.name for field in fields(Source)), row, strict=False))
    published = _date(source["published"])
    certain = bool(source["published_certain"])
    return Source(**source | {"published": published, "published_certain": certain, "path": source["path"] or None})


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        raise IndexDamaged(f"The index is damaged: {text!r} is no date. {REBUILD}") from None
