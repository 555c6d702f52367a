"""Questions answered in parallel, but those of one thread in order."""

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
    """A pool of threads with a queue for each conversation."""

    def __init__(self, attempt: Callable[[Question], float | None]) -> None:
        """``attempt`` answers a question, or returns the seconds until the next attempt."""
        self._attempt = attempt
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="answer")
        self._queues: dict[str, deque[Question]] = {}
        self._changed = threading.Condition()
        self._under_way = 0
        self._stopping = False

    def submit(self, question: Question) -> None:
        """Answer a question after those before it in its conversation."""
        conversation = f"{question.team}/{question.channel}/{question.thread or question.key}"
        with self._changed:
            if self._stopping:
                return
            if conversation in self._queues:
                self._queues[conversation].append(question)
            else:
                self._queues[conversation] = deque([question])
                self._pool.submit(self._drain, conversation)

    def busy(self) -> int:
        """The number of conversations with questions."""
        with self._changed:
            return len(self._queues)

    def stop(self, max_seconds: float) -> bool:
        """Begin nothing more, and wait for the answers under way; False if that takes too long."""
        end = time.monotonic() + max_seconds
        with self._changed:
            self._stopping = True
            self._pool.shutdown(wait=False, cancel_futures=True)
            return self._changed.wait_for(lambda: not self._under_way, max(0.0, end - time.monotonic()))

    def _drain(self, conversation: str) -> None:
        while question := self._next(conversation):
            retry_seconds = None
            try:
                retry_seconds = self._attempt(question)
            except Exception:  # noqa: BLE001  # one question must not block the others
                _log.exception("a question could not be answered: %s", question.key)
            finally:
                with self._changed:
                    self._under_way -= 1
                    self._changed.notify_all()
            if retry_seconds is not None:
                timer = threading.Timer(retry_seconds, self.submit, [question])
                timer.daemon = True
                timer.start()

    def _next(self, conversation: str) -> Question | None:
        with self._changed:
            queue = self._queues[conversation]
            if self._stopping or not queue:
                del self._queues[conversation]
                return None
            self._under_way += 1
            return queue.popleft()
