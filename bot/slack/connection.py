"""Connections to the database: SQLite in a file, or another database by its URL; errors without secrets."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from bot.slack.watch import DATABASE_ERRORS
from index.models import ClippingsError
from index.storage.postgres import check_user, is_postgres, reason_of, unusable

# Whoever asks hears within ten seconds of a database that is away. To notice it takes the wait for a reply and for a
# new connection; or for one of our connections, which those that wait for a reply give back, and then for a new one.
MAX_CONNECT_SECONDS = 2
MAX_REPLY_SECONDS = 4.0
MAX_POOL_SECONDS = 7.0
_POOL = {"pool_size": 5, "max_overflow": 15, "pool_timeout": MAX_POOL_SECONDS}  # PostgreSQL takes 100 connections
_POSTGRES_FORM = "Write postgresql://USER:PASSWORD@HOST/NAME, with :PORT behind HOST if it is not 5432."
_FORMS = "Write postgresql://USER:PASSWORD@HOST/NAME, or sqlite:////FOLDER/FILE.db for one bot on this machine."
_MAKING_TABLES = 0x636C6970  # the number of an advisory lock, which nobody else takes: "clip"


class DatabaseError(ClippingsError):
    """The database cannot be reached or used. The message holds no secret."""


class NothingStoredError(ClippingsError):
    """The Slack bot has not run with this database."""


def make_engine(url: str | sql.URL, *, make: bool = True) -> sql.Engine:
    """Connect to a database. A missing SQLite file is made, or with ``make=False`` an error.

    Raises ClippingsError for a wrong URL, a missing driver and a file that cannot be opened.
    """
    try:
        if isinstance(url, str) and is_postgres(url):
            check_user(url, "@")
        parsed = sql.make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:  # the first as some hosts write it in the environment
            parsed = parsed.set(drivername="postgresql+psycopg")
        pool: dict[str, Any] = {} if parsed.get_backend_name() == "sqlite" else _POOL
        engine = sql.create_engine(parsed, pool_pre_ping=True, hide_parameters=True, **pool)
    except ImportError as error:
        package = error.name or "of its driver"
        hint = ' Run: pip install "clippings[postgres]"' if package == "psycopg" else f" {_FORMS}"
        raise ClippingsError(
            f"DATABASE_URL needs the Python package {package}, which is not installed.{hint}"
        ) from None
    except (ArgumentError, ValueError):
        form = _POSTGRES_FORM if str(url).startswith("postgres") else _FORMS
        raise ClippingsError(f"DATABASE_URL is not the URL of a database. {form}") from None
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database.startswith((":", "file:")):
            raise ClippingsError("DATABASE_URL names no file to keep. Write sqlite:////folder/file.db.")
        file = Path(parsed.database)
        if make:
            _restrict(file)
            sql.event.listen(engine, "connect", _set_up_sqlite)
        elif not file.exists():
            raise NothingStoredError(nothing_in(parsed))
    elif engine.dialect.driver == "psycopg":
        sql.event.listen(engine, "do_connect", _connect_psycopg)
    return engine


def make_tables(engine: sql.Engine, metadata: sql.MetaData) -> None:
    """Make missing tables."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":  # so that only one of two starting processes makes them
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        lock(connection)
        metadata.create_all(connection)


def lock(connection: sql.Connection) -> None:
    """Let one process of several change tables or installations, until its transaction ends. SQLite has one anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_MAKING_TABLES)))


def rows(engine: sql.Engine, query: sql.Executable) -> Sequence[sql.RowMapping]:
    """Fetch all rows at once: an open transaction would keep SQLite from truncating its log."""
    with readable_errors(engine), engine.connect() as connection:
        return connection.execute(query).mappings().all()


@contextmanager
def transaction(engine: sql.Engine) -> Iterator[sql.Connection]:
    """Write all or nothing. Begin with a write: SQLite waits for other writers then, but may fail after a read."""
    with readable_errors(engine), engine.begin() as connection:
        yield connection


def upsert(connection: sql.Connection, update: sql.Update, insert: sql.Insert) -> None:
    """Change a row, or make it; at once with another process, too."""
    if connection.execute(update).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert)
    except IntegrityError:
        connection.execute(update)


@contextmanager
def readable_errors(engine: sql.Engine) -> Iterator[None]:
    """Turn database errors into DatabaseErrors without passwords, and without what is stored."""
    try:
        yield
    except SQLAlchemyError as error:
        DATABASE_ERRORS.inc()
        cause = error.orig if isinstance(error, DBAPIError) else None
        if isinstance(cause, Exception) and engine.dialect.driver == "psycopg":
            url, default = engine.url, engine.url.query.get("host", "localhost")
            raise DatabaseError(
                unusable(f"{url.host or default}:{url.port or 5432}/{url.database or ''}", reason_of(cause))
            ) from None
        reason = str(cause) if cause and engine.dialect.name == "sqlite" else type(cause or error).__name__
        raise DatabaseError(f"{_name(engine.url)} cannot be used: {reason}.") from None


def nothing_in(url: sql.URL) -> str:
    """Say that a database is missing or empty."""
    is_there = url.get_backend_name() != "sqlite" or Path(url.database or "").exists()
    what = f"{_name(url)} is empty" if is_there else f"There is no {url.database} yet"
    return f"{what}: the Slack bot has not run with it. Start it with `clippings slack`."


def storable(text: str) -> str:
    """Replace lone surrogates, which Slack's JSON can hold, and drop NUL: databases take neither."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _name(url: sql.URL) -> str:
    return f"The database {url.database}" if url.get_backend_name() == "sqlite" else "The database of DATABASE_URL"


def _restrict(file: Path) -> None:
    """Let only the owner read the questions. SQLite makes the files beside it with the same mode."""
    try:
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
        for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
            if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077:
                path.chmod(0o600)
    except OSError as error:
        raise ClippingsError(f"The database {file} cannot be opened: {error.strerror}.") from None


def _set_up_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:  # noqa: ANN401  # any driver's connection
    """Let readers read during a write, and writers wait for each other.

    What is written survives the end of the process; a power cut may lose the last moment.
    """
    try:
        for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise


def _connect_psycopg(_: sql.Dialect, __: ConnectionPoolEntry, arguments: Any, options: Any) -> Any:  # noqa: ANN401  # DB-API
    """Connect to PostgreSQL with limits of time, which a URL may change (`?connect_timeout=10`)."""
    from index.storage.postgres import limited_connection

    limits = {"connect_timeout": MAX_CONNECT_SECONDS, "options": f"-c statement_timeout={MAX_REPLY_SECONDS:.0f}s"}
    return limited_connection(MAX_REPLY_SECONDS).connect(*arguments, **limits | options)
