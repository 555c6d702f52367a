"""A Chroma server of the tests' own (`chroma run`), that can be killed, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self

from tests.postgres import free_port

_RUN = "import sys; from chromadb.cli.cli import app; sys.argv[0] = 'chroma'; app()"
_START_SECONDS = 60.0


class Chroma:
    """A server that keeps its files in a folder, on a port of 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.kill()

    @property
    def url(self) -> str:
        """The address, as CHROMA_URL has it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = ["run", "--path", str(self._folder), "--host", "127.0.0.1", "--port", str(self.port)]
        surroundings = {**os.environ, "ANONYMIZED_TELEMETRY": "False"}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _RUN, *options], stdout=log, stderr=log, cwd=self._folder, env=surroundings
            )
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"Chroma did not start:\n{(self._folder / 'log').read_text('utf-8', 'replace')}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once."""
        self.signal(signal.SIGKILL)
        if self._process:
            self._process.wait(30)
        self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process:
            self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=5):
                return True
        except OSError:
            return False
