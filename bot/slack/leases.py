"""Which process answers in which conversation, where several share a database.

A lease is renewed while it is held, and lapses if its process dies: then another process takes the conversation over.
Only the clock of the database counts, or where there is one process, its own.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterable

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from bot.slack.connection import make_tables, readable_errors, rows, transaction

LEASE_SECONDS = 30.0
MARGIN_SECONDS = 17.0  # before its end nothing more is posted: a call of Slack takes up to 15
_MAX_CONVERSATION_CHARACTERS = 300
_MAX_HOST_CHARACTERS = 20  # of the 40 that a holder has
_metadata = sql.MetaData()
_leases = sql.Table(
    "leases",
    _metadata,
    sql.Column("conversation", sql.String(_MAX_CONVERSATION_CHARACTERS), primary_key=True),
    sql.Column("holder", sql.String(40), nullable=False),  # "": nobody before its end, but for what is asked meanwhile
    sql.Column("until", sql.Double, nullable=False, index=True),
)


class LeaseLost(Exception):
    """Another process answers in this conversation by now, or may soon."""


class Leases:
    """The leases of a process. Safe to share between threads. Raises DatabaseError."""

    def __init__(self, engine: sql.Engine) -> None:
        self._engine = engine
        self._holder = f"{socket.gethostname()[:_MAX_HOST_CHARACTERS]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._held: dict[str, float] = {}  # until when, by the monotonic clock
        self._lock = threading.Lock()
        self._has_clock = engine.dialect.name == "postgresql"
        with readable_errors(engine):
            make_tables(engine, _metadata)

    def take(self, conversation: str) -> bool:
        """Hold a conversation; False if another process does. What is only to wait, may be taken before its time."""
        started = time.monotonic()
        values = {"holder": self._holder, "until": self._time() + LEASE_SECONDS}
        free = sql.or_(sql.not_(self._is_held()), _leases.c.holder.in_(("", self._holder)))
        with transaction(self._engine) as connection:
            query = _leases.update().where(_leases.c.conversation == conversation, free).values(values)
            if not connection.execute(query).rowcount:
                try:
                    connection.execute(_leases.insert().values(conversation=conversation, **values))
                except IntegrityError:
                    return False
        self._hold([conversation], started)
        return True

    def leave(self, conversation: str, after_seconds: float | None = None) -> None:
        """Let others have a conversation: at once, or what waits in it after some seconds."""
        with self._lock:
            self._held.pop(conversation, None)
        own = (_leases.c.conversation == conversation, _leases.c.holder == self._holder)
        with transaction(self._engine) as connection:
            if after_seconds is None:
                connection.execute(_leases.delete().where(*own))
            else:
                until = self._time() + after_seconds
                connection.execute(_leases.update().where(*own).values(holder="", until=until))

    def renew(self) -> None:
        """Hold what is held for longer. What another process has taken meanwhile is lost."""
        started = time.monotonic()
        with self._lock:
            held = list(self._held)
        if held:
            own = (_leases.c.conversation.in_(held), _leases.c.holder == self._holder)
            with transaction(self._engine) as connection:
                query = _leases.update().where(*own).values(until=self._time() + LEASE_SECONDS)
                kept = set(connection.execute(query.returning(_leases.c.conversation)).scalars())
            self._hold(kept, started)
            with self._lock:
                for lost in set(held) - kept:
                    self._held.pop(lost, None)

    def check(self, conversation: str) -> None:
        """Raise LeaseLost unless a conversation is held for as long as a call of Slack may take."""
        with self._lock:
            until = self._held.get(conversation, 0.0)
        if time.monotonic() > until - MARGIN_SECONDS:
            raise LeaseLost(conversation)

    def taken(self) -> set[str]:
        """The conversations that a process holds, or in which nothing is to be done before some time."""
        waits = sql.and_(_leases.c.holder == "", _leases.c.until >= self._time())
        query = sql.select(_leases.c.conversation).where(sql.or_(waits, self._is_held()))
        return {row["conversation"] for row in rows(self._engine, query)}

    def clear(self) -> None:
        """Forget the leases of an earlier process, where there is only one at a time."""
        with transaction(self._engine) as connection:
            connection.execute(_leases.delete())

    def clean(self) -> None:
        """Delete what has lapsed."""
        with transaction(self._engine) as connection:
            connection.execute(_leases.delete().where(_leases.c.until < self._time() - LEASE_SECONDS))

    def _hold(self, conversations: Iterable[str], started: float) -> None:
        with self._lock:
            self._held.update(dict.fromkeys(conversations, started + LEASE_SECONDS))

    def _is_held(self) -> sql.ColumnElement[bool]:
        """Whether a lease runs. One that ends later than any can was made before the clock was set back."""
        return _leases.c.until.between(self._time(), self._time() + 2 * LEASE_SECONDS)

    def _time(self) -> sql.ColumnElement[float]:
        if self._has_clock:
            return sql.cast(sql.extract("epoch", sql.func.clock_timestamp()), sql.Double)
        return sql.literal(time.time())
