"""The catalogue in a schema of a PostgreSQL, for several processes and machines.

BM25 is computed in SQL over a table of postings, with the formula and the numbers of SQLite's FTS5 (Robertson and
Zaragoza, 2009), so that both rank alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from index.models import Filters, IndexDamaged
from index.storage.catalogue import FILTER, NO_FILTERS, REBUILD, Catalogue, checksum
from index.storage.postgres import Postgres

_SCHEMA = """
CREATE TABLE meta (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE articles (
    id text COLLATE "C" PRIMARY KEY, path text NOT NULL, digest text NOT NULL, headline text COLLATE "C" NOT NULL,
    body text NOT NULL, outlet text, byline text, published text COLLATE "C", published_from text,
    published_certain integer NOT NULL, url text, language text, boilerplate text NOT NULL, checksum text NOT NULL
);
CREATE INDEX articles_by_filter ON articles (published, outlet, id);
CREATE TABLE chunks (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE,
    article text COLLATE "C" NOT NULL REFERENCES articles (id), start integer NOT NULL, stop integer NOT NULL
);
CREATE INDEX chunks_by_article ON chunks (article);
CREATE TABLE people (
    article text COLLATE "C" NOT NULL, key text NOT NULL, surname text NOT NULL, name_start integer NOT NULL,
    name_stop integer NOT NULL, start integer NOT NULL, stop integer NOT NULL, office text NOT NULL,
    rank integer NOT NULL
);
CREATE INDEX people_by_article ON people (article);
CREATE INDEX people_by_surname ON people (surname);
CREATE INDEX people_by_office ON people (office) WHERE office != '';
CREATE TABLE quotations (
    article text COLLATE "C" NOT NULL, key text NOT NULL, surname text NOT NULL, name_start integer NOT NULL,
    name_stop integer NOT NULL, start integer NOT NULL, stop integer NOT NULL
);
CREATE INDEX quotations_by_article ON quotations (article);
CREATE INDEX quotations_by_surname ON quotations (surname);
CREATE TABLE editions (article text PRIMARY KEY, revision text NOT NULL, state text NOT NULL);
-- How often a chunk holds a word, and how many words it has. All columns are in the index, which a search reads alone.
CREATE TABLE postings (
    word text COLLATE "C" NOT NULL, chunk integer NOT NULL, count smallint NOT NULL, length smallint NOT NULL,
    PRIMARY KEY (word, chunk) INCLUDE (count, length)
);
CREATE INDEX postings_by_chunk ON postings (chunk);
-- One row: changes with every transaction; the numbers of all chunks and of all words in them.
CREATE TABLE state (version bigint NOT NULL, chunks bigint NOT NULL, words bigint NOT NULL);
INSERT INTO state VALUES (0, 0, 0);
-- Two functions of SQLite's, so that both databases read the same SQL.
CREATE FUNCTION instr(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT strpos($1, $2) > 0';
CREATE FUNCTION json_each(text) RETURNS TABLE (value text) LANGUAGE sql IMMUTABLE
    AS 'SELECT jsonb_array_elements_text($1::jsonb)';
"""
# As FTS5: k1 = 1.2, b = 0.75, and the least idf for a word that more than half of the chunks hold.
_SEARCH = """
{} weights AS MATERIALIZED (
    SELECT w.word, greatest(ln(((SELECT chunks FROM state) - held + 0.5)::float8 / (held + 0.5)), 1e-6) AS idf
    FROM unnest(:words::text[]) w (word), LATERAL (SELECT count(*) AS held FROM postings WHERE word = w.word) counted
), best AS (
    SELECT p.chunk, sum(w.idf * (p.count * 2.2::float8 / (p.count + 1.2::float8 * (
        0.25::float8 + 0.75::float8 * p.length / (SELECT words::float8 / chunks FROM state)
    )))) AS score
    FROM weights w JOIN postings p ON p.word = w.word WHERE true {}
    GROUP BY p.chunk ORDER BY score DESC, p.chunk LIMIT :most
)
SELECT c.id, b.score FROM best b JOIN chunks c ON c.number = b.chunk {} ORDER BY b.score DESC, b.chunk LIMIT :count
"""
_PASSES = f"JOIN articles a ON a.id = c.article WHERE {FILTER}"
_PASSING = f"WITH passing AS MATERIALIZED (SELECT c.number FROM chunks c {_PASSES}), "
_MAX_FILTERED_CHUNKS = 5_000  # the best, of which those that pass are taken; 2 % of them are enough
_PAGE_ARTICLES = 500
_MAX_SMALLINT = 2**15 - 1


class PostgresCatalogue(Catalogue):
    """The articles and chunks of one generation, in the schema of a connection.

    ``make``: create its tables. ``keeps_open``: the connection is closed by its owner. ``written`` counts chunks.
    """

    _HOLDING = "SELECT c.article FROM postings p JOIN chunks c ON c.number = p.chunk WHERE p.word = :word{}"
    _COUNT_HOLDING = "SELECT count(*) FROM postings WHERE word = ?"

    def __init__(self, database: Postgres, *, make: bool = False, keeps_open: bool = False) -> None:
        self._database, self._keeps_open, self.written = database, keeps_open, 0
        self._added_chunks = self._added_words = 0  # in the transaction
        self._postings: list[tuple[str, int, int, int]] = []  # of the transaction, still to be written
        if make:
            with database.transaction():
                database.rows(_SCHEMA)

    def close(self) -> None:
        """End the connection."""
        if not self._keeps_open:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all that is written inside happen at once, or not at all. Writers wait for each other."""
        self._added_chunks = self._added_words = 0
        self._postings = []
        with self._database.transaction():
            self._rows("SELECT version FROM state FOR UPDATE")
            yield
            self._write_postings()
            changed = "UPDATE state SET version = version + 1, chunks = chunks + ?, words = words + ?"
            self._execute(changed, (self._added_chunks, self._added_words))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read all that is read inside as it is now, whatever others write meanwhile."""
        with self._database.transaction():
            self._rows("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    def version(self) -> int:
        """A number that changes when another process has written."""
        return int(self._rows("SELECT version FROM state")[0][0])

    def counts(self) -> tuple[int, int]:
        """The numbers of articles and chunks."""
        articles, chunks = self._rows("SELECT (SELECT count(*) FROM articles), chunks FROM state")[0]
        return articles, chunks

    def check(self) -> None:
        """Read all articles and words. Raises IndexDamaged at the first that is not as it was stored."""
        query, last = "SELECT * FROM articles WHERE id > ? ORDER BY id LIMIT ?", ""
        while rows := self._rows(query, (last, _PAGE_ARTICLES)):
            for *row, stored in rows:
                if stored != checksum(row):
                    raise IndexDamaged(f"The article {row[0]!r} {self._place()} is damaged. {REBUILD}")
            last = rows[-1][0]
        if self._rows("SELECT count(*), count(DISTINCT id) FROM chunks")[0] != (self.counts()[1],) * 2:
            raise IndexDamaged(f"The words {self._place()} are damaged. {REBUILD}")

    def search(self, words: Sequence[str], count: int, filters: Filters = NO_FILTERS) -> list[tuple[str, float]]:
        """BM25 over stemmed words: ids of chunks with at least one of them, and positive scores, best first."""
        if not words:
            return []
        parameters = {"words": list(dict.fromkeys(words)), "count": count, "most": count}
        if filters == NO_FILTERS:
            return self._rows(_SEARCH.format("WITH", "", ""), parameters)
        parameters |= {**self._parameters(filters), "most": _MAX_FILTERED_CHUNKS}
        rows = self._rows(_SEARCH.format("WITH", "", _PASSES), parameters)
        if len(rows) < count:  # few pass: they are looked up first
            rows = self._rows(_SEARCH.format(_PASSING, "AND p.chunk IN (SELECT number FROM passing)", ""), parameters)
        return rows

    def _put_words(self, number: int, headline: Sequence[str], body: Sequence[str]) -> None:
        """Add words, and the parts of those with an apostrophe, which FTS5 takes for words."""
        stems = [*headline, *body]
        parts = Counter(part for stem in stems for part in stem.split("'") if part)
        whole = Counter(stem for stem in stems if "'" in stem)
        length = min(parts.total(), _MAX_SMALLINT)
        words = {word: min(count, _MAX_SMALLINT) for word, count in (parts | whole).items()}
        self._postings += [(word, number, count, length) for word, count in words.items()]
        self._added_chunks += 1
        self.written += 1
        self._added_words += length

    def _write_postings(self) -> None:
        """Write what was put, in the order of the index: all at once takes a tenth of the time."""
        if self._postings:
            self._database.copy("postings", sorted(self._postings))
            self._postings = []

    def remove(self, article_id: str) -> None:
        """Remove an article and its chunks, if it is indexed."""
        if self.known(article_id):
            self._write_postings()
            super().remove(article_id)

    def _remove_words(self, article_id: str) -> None:
        held = "FROM postings p JOIN chunks c ON c.number = p.chunk WHERE c.article = :article"
        lengths = f"SELECT max(p.length) AS length {held} GROUP BY p.chunk"
        count = "SELECT count(*) FROM chunks WHERE article = :article"
        query = f"SELECT ({count}), coalesce(sum(length), 0) FROM ({lengths}) l"
        chunks, words = self._rows(query, {"article": article_id})[0]
        if chunks:
            self._added_chunks -= chunks
            self._added_words -= words
            numbers = "SELECT number FROM chunks WHERE article = ?"
            self._execute(f"DELETE FROM postings WHERE chunk IN ({numbers})", (article_id,))

    def _rows(self, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        return self._database.rows(query, parameters)

    def _execute(self, query: str, *rows: Sequence[object]) -> None:
        if rows:
            self._database.execute(query, *rows)

    def _place(self) -> str:
        return f"in the database {self._database.server}"
