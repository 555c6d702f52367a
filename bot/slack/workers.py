"""The threads that answer: questions in parallel, but those of one conversation in order, whichever process has them.

Whatever no process answers is taken up within seconds: what came while its conversation was held elsewhere, what is
due to be tried again, and what a process that died has left.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bot.slack.connection import DatabaseError
from bot.slack.database import Database, Question
from bot.slack.leases import LeaseLost, Leases

_MAX_KEPT = 1_000  # questions that the database did not take
_MAX_FAILURES = 20  # to store one of them
LOOK_SECONDS = 2.0  # between two looks at the database, each of which also renews the leases
_MAX_LOOK_SECONDS = 10.0  # while the database is away
_AFTER_ERROR_SECONDS = 5.0  # until the next attempt
_ANSWER_THREADS = 64  # most wait for a language model or for Slack
_log = logging.getLogger(__name__)

Attempt = Callable[[Question, Callable[[], None]], float | None]


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
