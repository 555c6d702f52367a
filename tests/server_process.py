"""A server of the tests' own in a process, that can be killed, stopped and started again."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

_START_SECONDS = 60.0


class ServerProcess(ABC):
    """A server on a port of 127.0.0.1, with a log."""

    def __init__(self, log: Path) -> None:
        self._log, self.port = log, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def _command(self) -> list[str]:
        """The program and its arguments."""

    @property
    @abstractmethod
    def _options(self) -> dict[str, Any]:
        """How it is started."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it is ready."""

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.kill()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, **self._options)
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                name = type(self).__name__
                raise AssertionError(f"{name} did not start:\n{self._log.read_text('utf-8', 'replace')}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it and all its processes at once."""
        self.signal(signal.SIGKILL)
        if self._process:
            self._process.wait(30)
        self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process:
            self._process.send_signal(number)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
