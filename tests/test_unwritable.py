"""Asking, showing and status where nothing can be written: real mounts, in a mount namespace of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from index.storage.generation import Generation, current
from tests.corpus import run, write
from tests.forked import fork

pytestmark = pytest.mark.process(seconds=15)  # an index without a record of its checksums is tried in another process

ROOT = Path(__file__).parents[1]
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"'
FULL = """
mkdir "$1.full" && mount -t tmpfs -o size=2m none "$1.full" && cp -r "$1/." "$1.full"
dd if=/dev/zero of="$1.full/fill" bs=1k 2>/dev/null
mount --bind "$1.full" "$1"
"""
MOUNTS = {"read-only": READ_ONLY, "full": FULL, "killed, with": READ_ONLY, "killed, without": READ_ONLY}
COMMANDS = """
import sys
from bot.cli.parser import main
from tests.kept_models import models_kept
with models_kept():
    for data in sys.argv[1:]:
        for stream in (sys.stdout, sys.stderr):
            print("in", data, file=stream, flush=True)
        for command in (["ask", "When was the ferry late?"], ["show", "ferry"], ["status"], ["index"]):
            print(command[0], main(["--data", data, *command]), flush=True)
"""


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """A data folder with the story of a ferry, indexed by the id "ferry"."""
    folder = tmp_path_factory.mktemp("unwritable")
    write(folder / "articles", "bees", "Keep bees away from the wind. Feed them in autumn.")
    (folder / "articles" / "ferry.jsonl").write_text('{"id": "ferry", "text": "The ferry was late on Monday."}\n')
    assert not run(folder / "data", [folder / "articles"], weights).failed
    return folder / "data"


@pytest.fixture(scope="module")
def printed(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """What the commands print, by the disk that the index is on: one process for all, as it takes 2 s to begin.

    A killed run leaves its changes in a log, which SQLite reads with an index beside it; without (a backup), in a copy.
    """
    _skip_without_mounts()
    root = tmp_path_factory.mktemp("disks")
    disks = {name: Path(shutil.copytree(indexed, root / name.replace(", ", "-"))) for name in MOUNTS}
    for name in ("killed, with", "killed, without"):
        killed = fork(write_and_die, disks[name], weights=os.environ.get("CLIPPINGS_MODEL_DIR", ""))
        killed.join()
        (log,) = disks[name].glob("generation-*/catalogue.sqlite-wal")
        assert log.stat().st_size
        if name == "killed, without":
            log.with_name("catalogue.sqlite-shm").unlink()
    before = {name: _contents(disk) for name, disk in disks.items()}
    mounts = "\n".join(f'set -- "{disk}"\n{MOUNTS[name]}' for name, disk in disks.items())
    done = _in_namespace(
        f'python="$1"\ncode="$2"\n{mounts}\nexec "$python" -c "$code" {_quoted(disks.values())}',
        sys.executable,
        COMMANDS,
    )
    for name, disk in disks.items():
        assert _contents(disk) == before[name]

    def of(disk: Path, stream: str) -> str:
        return stream.partition(f"in {disk}\n")[2].partition("\nin ")[0]

    return {name: (of(disk, done.stdout), of(disk, done.stderr)) for name, disk in disks.items()}


def write_and_die(data: Path) -> None:
    """Leave what a run leaves that is killed while it writes."""
    folder = current(data)
    assert folder
    Generation.make(folder).catalogue._rows("UPDATE articles SET outlet = outlet")
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("disk", MOUNTS)
def test_an_index_on_a_disk_that_takes_nothing_is_read(printed: dict[str, tuple[str, str]], disk: str) -> None:
    """`ask`, `show` and `status` work as ever; `index` says what is the matter, and loses nothing."""
    out, err = printed[disk]
    codes = [line for line in out.splitlines() if line.startswith(("ask ", "show ", "status ", "index "))]
    assert codes == ["ask 0", "show 0", "status 0", "index 1"], (out, err)
    assert "“The ferry was late on Monday.” [1]" in out
    if not disk.startswith("killed"):
        assert "health:         good" in out
    assert "cannot be" in err.splitlines()[-1]
    assert "Unexpected" not in err


def test_a_reader_that_cannot_write_sees_what_is_written_elsewhere(indexed: Path, weights: Path) -> None:
    """The folder is mounted read-only for the reader only; what a writer adds is found by the next question."""
    _skip_without_mounts()
    script = f'{READ_ONLY}\nexec "$2" -m bot --data "$1" chat'
    command: list[str | Path] = [*NAMESPACE, "sh", "-c", script, "sh", indexed, sys.executable]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as chat:
        assert chat.stdin
        assert chat.stdout
        for question, expected in (("When was the ferry late?", "Monday"), ("Who repaired the windmill?", "Birchley")):
            if expected == "Birchley":
                write(indexed.parent / "articles", "mill", "The council of Birchley repaired the windmill.")
                assert run(indexed, [indexed.parent / "articles"], weights).added == 1
            chat.stdin.write(f"{question}\n")
            chat.stdin.flush()
            assert any(expected in line for line in iter(chat.stdout.readline, "")), expected
        chat.stdin.close()


def _skip_without_mounts() -> None:
    trial = subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    if trial.returncode:
        pytest.skip("this machine lets nobody mount in a namespace")


def _in_namespace(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [*NAMESPACE, "sh", "-c", script, "sh", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _quoted(paths: Iterable[Path]) -> str:
    return " ".join(f'"{path}"' for path in paths)
