"""A process that works within limits of time and memory: libraries have neither, and no thread can be stopped.

It lives on for the next piece of work, and is started again after it had to be stopped. The libraries that read
untrusted files crash there, and nowhere else.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from index.models import UnreadableError

MAX_MEMORY_BYTES = (
    4_000_000_000  # of addresses, most of which are never touched; a PDF of 300 pages takes 1.1 GB of them
)

Given = TypeVar("Given")
Result = TypeVar("Result")
_clock_seconds = 0.0
_END = "end of the results"


class Worker(Generic[Given, Result]):
    """Run a function of a module in a process, and get its results one by one. Not safe between threads.

    ``seconds``: the most that may pass until the first result, and between two of them. Close it to end its process.
    """

    def __init__(self, work: Callable[[Given], Iterable[Result]], seconds: float) -> None:
        self._work, self._seconds = work, seconds
        self.process: BaseProcess | None = None
        self._connection: Connection | None = None

    def results(self, given: Given) -> Iterator[Result]:
        """The results of the work. Raises what the work raises, and UnreadableError if a limit ended it."""
        if not (self.process and self._connection):
            self._start()
        assert self.process  # noqa: S101  # for mypy: just started
        assert self._connection  # noqa: S101  # the same
        is_done = False
        try:
            self._connection.send(given)
            while not is_done:
                result = self._connection.recv()
                is_done = result == _END or isinstance(result, BaseException)
                if isinstance(result, BaseException):
                    raise result
                if not is_done:
                    yield result
        except (EOFError, OSError) as error:  # the process has ended: its clock rang, or a library crashed
            if is_done:
                raise  # an error of the work itself
            self.process.join()
            ended = self.process.exitcode
            if ended == -signal.SIGALRM:
                raise UnreadableError(f"took longer than {self._seconds:g} seconds to read; left out.") from None
            raise UnreadableError(f"the process that read it ended (exit code {ended}); left out.") from error
        finally:
            if not is_done:
                self.close()

    def close(self) -> None:
        """End the process."""
        if self.process and self._connection:
            self.process.kill()
            self.process.join()
            self._connection.close()
        self.process = self._connection = None

    def _start(self) -> None:
        context = get_context("spawn")  # a fork would copy the threads' locks and the open index
        self._connection, theirs = context.Pipe()
        arguments = (theirs, self._work, self._seconds)
        self.process = context.Process(target=_serve, args=arguments, name="clippings-worker", daemon=True)
        self.process.start()
        theirs.close()


def restart_clock() -> None:
    """Give work that goes on in steps its whole time again; outside of a worker nothing happens."""
    if _clock_seconds:
        signal.setitimer(signal.ITIMER_REAL, _clock_seconds)


def _serve(connection: Connection, work: Callable[[Any], Iterable[Any]], seconds: float) -> None:
    """Do what comes through the connection until it closes; the system ends the process when the time is over."""
    global _clock_seconds  # noqa: PLW0603  # there is one clock in a process, and this sets it up
    _clock_seconds = seconds
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the other process, which ends this one
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # libraries print what they find in untrusted files
        os.dup2(nowhere, stream)
    with suppress(ValueError, OSError):  # a lower limit is set already, or the system has none
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    while True:
        try:
            given = connection.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            for result in work(given):
                signal.setitimer(signal.ITIMER_REAL, 0)  # the other side may be slow to take it
                connection.send(result)
                signal.setitimer(signal.ITIMER_REAL, seconds)
            end: object = _END
        except MemoryError:
            end = UnreadableError(f"needs more than {MAX_MEMORY_BYTES / 1e9:g} GB of memory to read; left out.")
        except Exception as error:  # noqa: BLE001  # raised again on the other side
            end = error
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send(end)
