"""Connections to the database: SQLite in a file, or another database by its URL; errors without secrets."""

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


def make_engine(url: str | sql.URL, *, make: bool = True) -> sql.Engine:
    """Connect to a database. A missing SQLite file is made, or with ``make=False`` an error.

    Raises ClippingsError for a wrong URL, a missing driver and a file that cannot be opened.
    """
    try:
        parsed = sql.make_url(url)
        if parsed.drivername == "postgres":  # as some hosts write it in the environment
            parsed = parsed.set(drivername="postgresql")
        engine = sql.create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    except ImportError as error:
        package = error.name or "of its driver"
        raise ClippingsError(f"DATABASE_URL needs the Python package {package}, which is not installed.") from None
    except (ArgumentError, ValueError):
        message = "DATABASE_URL is not the URL of a database. Write it as SQLAlchemy reads it"
        raise ClippingsError(f"{message}, such as sqlite:////var/lib/clippings/slack.db.") from None
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database.startswith((":", "file:")):
            raise ClippingsError("DATABASE_URL names no file to keep. Write sqlite:////folder/file.db.")
        file = Path(parsed.database)
        if make:
            _restrict(file)
            sql.event.listen(engine, "connect", _set_up_sqlite)
        elif not file.exists():
            raise ClippingsError(nothing_in(parsed))
    return engine


def make_tables(engine: sql.Engine, metadata: sql.MetaData) -> None:
    """Make missing tables."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":  # so that only one of two starting processes makes them
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        metadata.create_all(connection)


@contextmanager
def readable_errors(engine: sql.Engine) -> Iterator[None]:
    """Turn database errors into ClippingsErrors without secrets: only SQLite's texts are free of passwords."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else None
        reason = str(cause) if cause and engine.dialect.name == "sqlite" else type(cause or error).__name__
        raise ClippingsError(f"{_name(engine.url)} cannot be used: {reason}.") from None


def nothing_in(url: sql.URL) -> str:
    """Say that a database is missing or empty."""
    return f"{_name(url)} is empty: the Slack bot has not run with it. Start it with `clippings slack`."


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
