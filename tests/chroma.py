"""A Chroma server of the tests' own (`chroma run`), that can be killed, stopped and started again."""

from __future__ import annotations

import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

from tests.server_process import ServerProcess

_RUN = "import sys; from chromadb.cli.cli import app; sys.argv[0] = 'chroma'; app()"


class Chroma(ServerProcess):
    """A server that keeps its files in a folder, on a port of 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "log")
        self._folder = folder

    @property
    def url(self) -> str:
        """The address, as CHROMA_URL has it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def _command(self) -> list[str]:
        options = ["run", "--path", str(self._folder), "--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-c", _RUN, *options]

    @property
    def _options(self) -> dict[str, Any]:
        return {"cwd": self._folder, "env": {**os.environ, "ANONYMIZED_TELEMETRY": "False"}}

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=5):
                return True
        except OSError:
            return False
