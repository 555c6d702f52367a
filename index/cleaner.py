"""Clean articles and cut them into chunks within a time limit: the libraries have none, and no thread can be stopped.

A short record is read here. A long one goes to a process of its own, which lives on for the next one and is started
again after it had to be stopped.
"""

from __future__ import annotations

import signal
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from index.chunk import chunk
from index.clean import clean
from index.models import Article, Chunk, RawRecord, UnreadableError

MAX_ARTICLE_SECONDS = 20.0  # 1 MB of text takes 0.4 s, of HTML 1 s (2026-11-26, two cores); an article may have 5 MB
MAX_CHARACTERS_HERE = 20_000  # at this size no text was found that takes a second; most articles are shorter

Read = tuple[Article, list[Chunk]]


class Cleaner:
    """Clean and cut records, each within a number of seconds. Close it to end its process. Not safe between threads."""

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = MAX_ARTICLE_SECONDS if seconds is None else seconds
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def read(self, record: RawRecord) -> Read:
        """Clean and cut a raw record. Raises UnreadableError if it holds no text, or takes too long to read."""
        if len(record.text) <= MAX_CHARACTERS_HERE:
            return _read(record)
        result = self._read_elsewhere(record)
        if isinstance(result, BaseException):
            raise result
        return result

    def close(self) -> None:
        """End the process."""
        if self._process and self._connection:
            self._process.kill()
            self._process.join()
            self._connection.close()
        self._process = self._connection = None

    def _read_elsewhere(self, record: RawRecord) -> Read | Exception:
        if not (self._process and self._connection):
            self._process, self._connection = _start(self._seconds)
        try:
            self._connection.send(record)
            result: Read | Exception = self._connection.recv()
        except (EOFError, OSError):  # the process has ended: its clock rang, or a library crashed
            self._process.join()
            ended = self._process.exitcode
            self.close()
            if ended == -signal.SIGALRM:
                return UnreadableError(f"took longer than {self._seconds:g} seconds to read; left out.")
            return UnreadableError(f"the process that read it ended (exit code {ended}); left out.")
        return result


def _read(record: RawRecord) -> Read:
    article = clean(record)
    return article, chunk(article)


def _start(seconds: float) -> tuple[BaseProcess, Connection]:
    context = get_context("spawn")  # a fork would copy the threads' locks and the open index
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, seconds), name="clippings-cleaner", daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _serve(connection: Connection, seconds: float) -> None:
    """Read what comes through the connection until it closes; the system ends the process when the time is over."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the other process, which ends this one
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    while True:
        try:
            record = connection.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, seconds)
        result: Read | Exception
        try:
            result = _read(record)
        except Exception as error:  # noqa: BLE001  # raised again on the other side
            result = error
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send(result)
