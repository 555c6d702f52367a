"""How the database is reached, and what is said when it is not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from index.models import ClippingsError


@contextmanager
def in_words(engine: sql.Engine) -> Iterator[None]:
    """Whatever goes wrong inside is told in a ClippingsError that holds no secret."""
    try:
        yield
    except SQLAlchemyError as error:  # of another database than SQLite its text may hold the password
        cause = error.orig if isinstance(error, DBAPIError) else None
        reason = str(cause) if cause and engine.dialect.name == "sqlite" else type(cause or error).__name__
        raise ClippingsError(f"{_name(engine.url)} cannot be used: {reason}.") from None


def make_tables(engine: sql.Engine, metadata: sql.MetaData) -> None:
    """Make the tables that are missing."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":  # else two processes that start at once would both make them
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        metadata.create_all(connection)


def make_engine(url: str | sql.URL, *, make: bool = True) -> sql.Engine:
    """What connects to a database. A file of SQLite is made where there is none; with ``make=False`` it must be there.

    Raises ClippingsError for a wrong URL, a driver that is not installed and a file that cannot be had.
    """
    engine = _engine(url)
    if file := _sqlite_file(engine.url):
        if make:
            _guard(file)
            sql.event.listen(engine, "connect", _ready_sqlite)
        elif not file.exists():
            raise ClippingsError(nothing_in(engine.url))
    return engine


def _engine(url: str | sql.URL) -> sql.Engine:
    try:
        parsed = sql.make_url(url)
        if parsed.drivername == "postgres":  # so it is written in the environment that some hosts set
            parsed = parsed.set(drivername="postgresql")
        return sql.create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    except ImportError as error:
        needed = error.name or "that its driver is in"
        raise ClippingsError(f"DATABASE_URL needs the Python package {needed}, which is not installed.") from None
    except (ArgumentError, ValueError):
        message = "DATABASE_URL is no database's URL. Write it as SQLAlchemy reads it"
        raise ClippingsError(f"{message}, such as sqlite:////var/lib/clippings/slack.db.") from None


def _sqlite_file(url: sql.URL) -> Path | None:
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database.startswith((":", "file:")):
        raise ClippingsError("DATABASE_URL names no file that would be kept. Write sqlite:////folder/file.db.")
    return Path(url.database)


def nothing_in(url: sql.URL) -> str:
    """That a database is missing, or empty."""
    return f"{_name(url)} holds nothing yet: the bot has not run with it."


def _name(url: sql.URL) -> str:
    return f"The database {url.database}" if url.get_backend_name() == "sqlite" else "The database of DATABASE_URL"


def _guard(file: Path) -> None:
    """Let only its owner read what people asked. SQLite makes the files beside it with the same rights."""
    try:
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
        for one in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
            if one.is_file() and stat.S_IMODE(one.stat().st_mode) & 0o077:
                one.chmod(0o600)
    except OSError as error:
        raise ClippingsError(f"The database {file} cannot be opened: {error.strerror}.") from None


def storable(text: str) -> str:
    """Without half a surrogate pair, which Slack's JSON can hold, and NUL: databases take neither."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _ready_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:  # noqa: ANN401  # any driver's connection
    """Let readers read while one writes, and writers wait for each other.

    What was written outlives the process, but perhaps not the last moment before a power cut.
    """
    try:
        for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
