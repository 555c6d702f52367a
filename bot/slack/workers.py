"""Questions answered side by side, but those of one thread one after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bot.slack.database import Question

_THREADS = 64  # most wait for a language model or for Slack
_log = logging.getLogger(__name__)


class Workers:
    """A pool of threads with a queue for each conversation. What is not begun when it stops is left."""

    def __init__(self, work: Callable[[Question], float | None]) -> None:
        """``work`` answers a question, or returns after how many seconds it is to be tried again."""
        self._work = work
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="answer")
        self._queues: dict[str, deque[Question]] = {}
        self._changed = threading.Condition()
        self._stopping = False

    def submit(self, question: Question) -> None:
        """Answer a question when its turn comes."""
        place = f"{question.team}/{question.channel}/{question.thread or question.key}"
        with self._changed:
            if self._stopping:
                return
            if place in self._queues:
                self._queues[place].append(question)
            else:
                self._queues[place] = deque([question])
                self._pool.submit(self._drain, place)

    def busy(self) -> int:
        """How many conversations wait for an answer."""
        with self._changed:
            return len(self._queues)

    def stop(self, patience: float) -> bool:
        """Begin nothing more, and wait for what is under way; False where it took more than so many seconds."""
        until = time.monotonic() + patience
        with self._changed:
            self._stopping = True
            self._pool.shutdown(wait=False, cancel_futures=True)
            while self._under_way and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            return not self._under_way

    _under_way = 0

    def _drain(self, place: str) -> None:
        while question := self._next(place):
            again_after = None
            try:
                again_after = self._work(question)
            except Exception:  # noqa: BLE001  # one question must not keep the others from being answered
                _log.exception("a question could not be answered: %s", question.key)
            finally:
                with self._changed:
                    self._under_way -= 1
                    self._changed.notify_all()
            if again_after is not None:
                timer = threading.Timer(again_after, self.submit, [question])
                timer.daemon = True
                timer.start()

    def _next(self, place: str) -> Question | None:
        with self._changed:
            queue = self._queues[place]
            if self._stopping or not queue:
                del self._queues[place]
                return None
            self._under_way += 1
            return queue.popleft()
