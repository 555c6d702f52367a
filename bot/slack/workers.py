"""The threads that answer: questions in parallel, but those of one conversation in order, whichever process has them.

Whatever no process answers is taken up within seconds: what came while its conversation was held elsewhere, what is
due to be tried again, and what a process that died has left.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from bot.slack.connection import DatabaseError, make_tables, readable_errors, rows, transaction
from bot.slack.database import Database, Question

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
_MAX_KEPT = 1_000  # questions that the database did not take
_MAX_FAILURES = 20  # to store one of them
LOOK_SECONDS = 2.0  # between two looks at the database, each of which also renews the leases
_MAX_LOOK_SECONDS = 10.0  # while the database is away
_AFTER_ERROR_SECONDS = 5.0  # until the next attempt
_ANSWER_THREADS = 64  # most wait for a language model or for Slack
_log = logging.getLogger(__name__)
Attempt = Callable[[Question, Callable[[], None]], float | None]


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


class Workers:
    """Answers questions that are stored. Safe to share between threads."""

    def __init__(
        self, attempt: Attempt, apologize: Callable[[Question], None], database: Database, leases: Leases
    ) -> None:
        """``attempt`` answers a question, or returns the seconds until the next attempt.

        It calls its second argument before whatever another process must not do as well. ``apologize`` says that the
        database does not answer.
        """
        self._attempt, self._apologize, self._database, self._leases = attempt, apologize, database, leases
        self._pool = ThreadPoolExecutor(_ANSWER_THREADS, thread_name_prefix="answer")
        self._queues: dict[str, deque[Question]] = {}
        self._kept: deque[tuple[Question, int]] = deque(maxlen=_MAX_KEPT)
        self._changed = threading.Condition()
        self._under_way = 0
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep_looking, name="leases", daemon=True)
        self.waiting = 0
        """Questions without an answer, at the last look."""
        self.problem = ""
        """What is the matter with the database; "" if nothing is."""

    def start(self) -> int:
        """Take up what is unanswered, from now on; return how many questions that are now."""
        count = self.look()
        self._keeper.start()
        return count

    def keep(self, question: Question) -> None:
        """Store a question, and answer it, when the database takes it: Slack repeats an event for some minutes only."""
        self._kept.append((question, 0))

    def submit(self, question: Question) -> None:
        """Answer a question after those before it in its conversation."""
        conversation = _conversation_of(question)
        with self._changed:
            if self._stopping.is_set():
                return
            queue = self._queues.get(conversation)
            if queue is None:
                self._queues[conversation] = deque([question])
                self._pool.submit(self._drain, conversation)
            elif question.key not in {waiting.key for waiting in queue}:
                queue.append(question)

    def look(self) -> int:
        """Renew the leases, and take up what no process answers; return how many questions that are."""
        self._leases.renew()
        taken = self._leases.taken()
        self._store_kept()
        unanswered = self._database.unanswered()
        self.waiting = len(unanswered)
        free = [question for question in unanswered if _conversation_of(question) not in taken]
        with self._changed:
            free = [question for question in free if _conversation_of(question) not in self._queues]
        for question in free:
            self.submit(question)
        return len(free)

    def _store_kept(self) -> None:
        """Store what the database did not take; not for ever what it never takes, though it is well otherwise."""
        for _ in range(len(self._kept)):
            question, failures = self._kept.popleft()
            try:
                self._database.receive(question)
            except DatabaseError as error:
                if failures < _MAX_FAILURES:
                    self._kept.append((question, failures + 1))
                else:
                    _log.error("a question could not be stored key=%s (%s)", question.key, error)

    def stop(self, max_seconds: float) -> bool:
        """Begin nothing more, and wait for the answers under way; False if that takes too long."""
        with self._changed:
            self._stopping.set()
            self._pool.shutdown(wait=False, cancel_futures=True)
            finished = self._changed.wait_for(lambda: not self._under_way, max_seconds)
        self._ended.set()
        if self._keeper.is_alive():
            self._keeper.join(_MAX_LOOK_SECONDS)
        return finished

    def _keep_looking(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self.look()
                problem = ""
            except DatabaseError as error:
                problem = str(error)
            except Exception:  # noqa: BLE001  # a defect must not end the renewal of the leases
                _log.exception("the database could not be looked at")
                continue
            if problem != self.problem:
                _log.warning("the database: %s", problem or "is well again")
                self.problem = problem

    def _drain(self, conversation: str) -> None:
        """Answer a conversation's questions; then leave it, unless another question has come meanwhile."""
        with self._changed:
            if self._stopping.is_set():
                return
            self._under_way += 1
        try:
            while True:
                self._answer_queue(conversation)
                with self._changed:
                    if not self._queues[conversation] or self._stopping.is_set():
                        del self._queues[conversation]
                        return
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _answer_queue(self, conversation: str) -> None:
        """Hold a conversation and answer what is in its queue; leave it to the process that holds it, if one does."""
        pauses: list[float] = []
        try:
            if not self._leases.take(conversation):
                self._take_all(conversation)
                return
            self._fill(conversation)
        except DatabaseError:
            for waiting in self._take_all(conversation):
                self._apologize(waiting)
            self._leave(conversation)
            return
        check = partial(self._leases.check, conversation)
        while question := self._next(conversation):
            try:
                seconds = self._attempt(question, check)
            except LeaseLost:
                _log.warning("left to another process key=%s", question.key)
                self._take_all(conversation)  # what was asked after it waits for it
                seconds = _AFTER_ERROR_SECONDS
            except DatabaseError as error:
                _log.warning("postponed key=%s (%s)", question.key, error)
                self._apologize(question)
                seconds = _AFTER_ERROR_SECONDS
            except Exception:  # noqa: BLE001  # one question must not block the others
                _log.exception("a question could not be answered: %s", question.key)
                seconds = _AFTER_ERROR_SECONDS
            pauses += [seconds] if seconds else []
        self._leave(conversation, max(pauses, default=None))

    def _leave(self, conversation: str, after_seconds: float | None = None) -> None:
        try:
            self._leases.leave(conversation, after_seconds)
        except DatabaseError as error:
            _log.warning("a lease is left to lapse (%s)", error)

    def _fill(self, conversation: str) -> None:
        """Add what is unanswered in a conversation, in its order: another process may have received some of it."""
        waiting = self._database.unanswered(self._queues[conversation][0])
        keys = {question.key for question in waiting}
        with self._changed:
            later = [question for question in self._queues[conversation] if question.key not in keys]
            self._queues[conversation] = deque([*waiting, *later])

    def _next(self, conversation: str) -> Question | None:
        with self._changed:
            queue = self._queues[conversation]
            return queue.popleft() if queue and not self._stopping.is_set() else None

    def _take_all(self, conversation: str) -> list[Question]:
        with self._changed:
            questions = list(self._queues[conversation])
            self._queues[conversation].clear()
        return questions


def _conversation_of(question: Question) -> str:
    return f"{question.team}/{question.channel}/{question.thread or question.key}"
