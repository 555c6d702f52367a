"""A connection to PostgreSQL: limits of time, errors without secrets, and a new connection for one that was lost."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from index.models import ClippingsError, IndexDamaged

if TYPE_CHECKING:
    import psycopg

MAX_CONNECT_SECONDS = 3
MAX_REPLY_SECONDS = 5.0  # of a reader: who asks hears within ten seconds of a server that hangs
MAX_WRITE_SECONDS = 600.0  # an index of 1,000,000 chunks is removed in one statement
_MAX_RESTART_SECONDS = 1.0  # to learn that a connection is gone; a server that hangs takes longer
_MAX_FAILURE_SECONDS = 1.0
_MAX_REASON_CHARACTERS = 200
_SCHEME = re.compile(r"\Apostgres(?:ql)?(?:\+\w+)?://")
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)|\?|%")
# No compilation of queries that take 5 ms, and no processes beside them. A dead machine's connection, and with it its
# lease, ends after 30 s.
_SESSION = {
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "work_mem": "64MB",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    "client_min_messages": "warning",
}


def is_postgres(url: str) -> bool:
    """Whether a URL, in SQLAlchemy's form too, is that of a PostgreSQL."""
    return bool(_SCHEME.match(url))


def check_user(url: str, reserved: str = "@/ ") -> None:
    """Raise ClippingsError if user or password of a URL hold a character that a reader of URLs takes for its end.

    What follows it would be taken for the host, and shown in messages.
    """
    base, _, query = url.partition("://")[2].partition("?")
    user, _, _ = (base if "@" in base or not query else f"{base}?{query}").rpartition("@")
    if held := [character for character in reserved if character in user]:
        forms = ", ".join(f"{character!r} as {quote(character, safe='')}" for character in held)
        raise ClippingsError(
            f"The user or the password in DATABASE_URL holds a character that has to be written otherwise: {forms}."
        )


def reason_of(error: Exception) -> str:
    """The cause of an error of psycopg in a line; the kind alone where the text may quote what was stored."""
    import psycopg

    if isinstance(error, psycopg.Error) and error.sqlstate and not isinstance(error, psycopg.OperationalError):
        return type(error).__name__
    return " ".join(str(error).split())[:_MAX_REASON_CHARACTERS] or type(error).__name__


def unusable(place: str, reason: str) -> str:
    """Say that a database cannot be used, and the way out."""
    return (
        f"The database {place} of DATABASE_URL cannot be used ({reason}). See that it runs and can be reached from "
        "here, then try again."
    )


class Postgres:
    """A connection to the database of a URL. Safe to share between threads.

    SQL has parameters like ``:name`` and ``?``. Raises ClippingsError, without the password, if the server is down or
    does not reply in time, IndexDamaged if a table is missing. A connection that was lost is made anew, but for that of
    a ``writer``: its locks and its transaction ended with it.
    """

    def __init__(self, url: str, *, schema: str = "", writer: bool = False) -> None:
        self._url, self._schema, self._writer = _SCHEME.sub("postgresql://", url), schema, writer
        self._lock = threading.RLock()
        self._connection: psycopg.Connection[Any] | None = None
        self._failure: Exception | None = None
        self._failed_at = 0.0
        check_user(url)
        with self._lock, self._errors_explained():
            self._connect()

    def close(self) -> None:
        """End the connection, and with it its locks."""
        with self._lock:
            if self._connection:
                self._connection.close()

    @property
    def server(self) -> str:
        """The server and the database, to show to a user."""
        return self.place(self._url)

    @staticmethod
    def place(url: str) -> str:
        """The server and the database of a URL, without user and password."""
        error = psycopg_error()
        from psycopg.conninfo import conninfo_to_dict

        try:
            parts = conninfo_to_dict(_SCHEME.sub("postgresql://", url))
        except error:
            return "DATABASE_URL"
        return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"

    def rows(self, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """The rows of a query."""
        with self._lock, self._errors_explained():
            started = time.monotonic()
            try:
                return self._fetch(query, parameters)
            except psycopg_error():
                is_slow = time.monotonic() - started > _MAX_RESTART_SECONDS
                if self._writer or is_slow or not self._connection or not self._connection.closed:
                    raise
                self._connection = None  # the server was restarted since the last question
                return self._fetch(query, parameters)

    def execute(self, query: str, *rows: Sequence[object]) -> None:
        """Execute a statement once for each row of parameters."""
        with self._lock, self._errors_explained():
            self._open().cursor().executemany(_translated(query), [_storable(row) for row in rows])

    def copy(self, table: str, rows: Iterable[Sequence[object]]) -> None:
        """Add many rows to a table of ours."""
        with self._lock, self._errors_explained(), self._open().cursor().copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all that is written inside happen at once, or not at all."""
        with self._lock, self._errors_explained(), self._open().transaction():
            yield

    def _fetch(self, query: str, parameters: Sequence[object] | Mapping[str, object]) -> list[Any]:
        cursor = self._open().execute(_translated(query), _storable(parameters))
        return cursor.fetchall() if cursor.description else []

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection and (self._writer or not self._connection.closed):
            return self._connection
        if self._failure and time.monotonic() - self._failed_at < _MAX_FAILURE_SECONDS:
            raise self._failure  # who waited behind a question that failed does not wait again
        return self._connect()

    def _connect(self) -> psycopg.Connection[Any]:
        import psycopg

        limit = MAX_WRITE_SECONDS if self._writer else MAX_REPLY_SECONDS
        values = {**_SESSION, "statement_timeout": f"{limit:.0f}s"}
        if self._schema:
            values["search_path"] = self._schema
        options = " ".join(f"-c {name}={value}" for name, value in values.items())
        connection: psycopg.Connection[Any] = limited_connection(limit).connect(
            self._url,
            autocommit=True,
            cursor_factory=psycopg.ClientCursor,
            connect_timeout=MAX_CONNECT_SECONDS,
            options=options,
            keepalives_idle=10,
            application_name="clippings",
        )
        self._connection = connection
        return connection

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        try:
            yield
        except psycopg_error() as error:
            if error is not self._failure and (not self._connection or self._connection.closed):
                self._failure, self._failed_at = error, time.monotonic()
            raise self._explained(error) from None

    def _explained(self, error: Exception) -> ClippingsError:
        import psycopg

        reason = " ".join(str(error).split())[:_MAX_REASON_CHARACTERS] or type(error).__name__
        if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName):
            return IndexDamaged(f"The index in the database {self.server} is damaged ({reason}). {_REBUILD}")
        if isinstance(error, psycopg.ProgrammingError) and not self._connection:
            return ClippingsError("DATABASE_URL is not the URL of a PostgreSQL: postgresql://USER:PASSWORD@HOST/NAME.")
        if isinstance(error, psycopg.errors.DiskFull):
            return ClippingsError(
                f"The database {self.server} has no room left ({reason}). What was stored so far is kept. Make room "
                "there, then run the same command again."
            )
        if self._writer and self._connection:
            return ClippingsError(
                f"The connection to the database {self.server} failed ({reason}). What was indexed so far is kept: "
                "run the same command again."
            )
        return ClippingsError(unusable(self.server, reason))


_REBUILD = "Rebuild it: `clippings index`."


def psycopg_error() -> type[Exception]:
    """The base of the errors of psycopg. Raises ClippingsError if it is not installed."""
    try:
        import psycopg
    except ImportError:
        raise ClippingsError(
            'A PostgreSQL in DATABASE_URL needs another package: pip install "clippings[postgres]"'
        ) from None
    return psycopg.Error


@cache
def limited_connection(max_seconds: float) -> Any:  # noqa: ANN401  # psycopg is an extra
    """A connection that closes itself if the server does not reply: psycopg alone would wait for ever."""
    psycopg_error()
    import psycopg

    class Connection(psycopg.Connection[Any]):
        def wait(self, gen: Generator[Any, Any, Any], *rest: Any, **options: Any) -> Any:  # noqa: ANN401  # as its base
            return super().wait(self._limited(gen), *rest, **options)

        def _limited(self, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
            until, ready = time.monotonic() + max_seconds + 1, None  # the server's own limit comes first
            while True:
                try:
                    state = steps.send(ready)
                except StopIteration as end:
                    return end.value
                ready = yield state
                if time.monotonic() > until:  # also if a part of the reply is there: it may drip in
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"no reply within {max_seconds:.0f} seconds")

    return Connection


@cache
def _translated(query: str) -> str:
    """SQL with the parameters that psycopg reads: ``:name -> %(name)s``, ``? -> %s``, ``% -> %%``."""

    def mark(match: re.Match[str]) -> str:
        if match[1]:
            return f"%({match[1]})s"
        return "%s" if match[0] == "?" else "%%"

    return _PARAMETER.sub(mark, query)


def _storable(parameters: Sequence[object] | Mapping[str, object]) -> Any:  # noqa: ANN401  # the same type
    """Parameters without NUL and lone surrogates, which PostgreSQL does not take; no article holds them."""
    if isinstance(parameters, Mapping):
        return {name: _plain(value) for name, value in parameters.items()}
    return [_plain(value) for value in parameters]


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, str) else value
