"""Asking, showing and status where nothing can be written: real mounts, in a mount namespace of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus import run, write

pytestmark = pytest.mark.process(seconds=15)  # an index without a record of its checksums is tried in another process

ROOT = Path(__file__).parents[1]
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"'
FULL = """
mkdir "$1.full" && mount -t tmpfs -o size=2m none "$1.full" && cp -r "$1/." "$1.full"
dd if=/dev/zero of="$1.full/fill" bs=1k 2>/dev/null
mount --bind "$1.full" "$1"
"""
COMMANDS = """
import sys
from bot.cli.parser import main
data, ferry = sys.argv[1:]
for command in (["ask", "When was the ferry late?"], ["show", ferry], ["status"], ["index"]):
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


@pytest.mark.parametrize("mount", [READ_ONLY, FULL], ids=["read-only", "full"])
def test_an_index_on_a_disk_that_takes_nothing_is_read(indexed: Path, mount: str) -> None:
    """`ask`, `show` and `status` work as ever; `index` says what is the matter, and loses nothing."""
    _skip_without_mounts()
    before = _contents(indexed)
    done = _in_namespace(f'{mount}\nexec "$2" -c "$3" "$1" ferry', indexed, sys.executable, COMMANDS)
    codes = [line for line in done.stdout.splitlines() if line.startswith(("ask ", "show ", "status ", "index "))]
    assert codes == ["ask 0", "show 0", "status 0", "index 1"], done
    assert "“The ferry was late on Monday.” [1]" in done.stdout
    assert "health:         good" in done.stdout
    assert "cannot be" in done.stderr.splitlines()[-1]
    assert "Unexpected" not in done.stderr
    assert _contents(indexed) == before


@pytest.mark.parametrize("left", ["with", "without"])
def test_what_a_killed_run_left_is_read_on_a_disk_that_takes_nothing(indexed: Path, tmp_path: Path, left: str) -> None:
    """Its changes are in a log, which SQLite reads with an index beside it; without (a backup), in a copy."""
    _skip_without_mounts()
    data = Path(shutil.copytree(indexed, tmp_path / "data"))
    program = (
        "import os, pathlib, sys\nfrom index.generation import Generation, current\n"
        "generation = Generation.make(current(pathlib.Path(sys.argv[1])))\n"
        'generation.catalogue._rows("UPDATE articles SET outlet = outlet")\nos.kill(os.getpid(), 9)'
    )
    subprocess.run([sys.executable, "-c", program, str(data)], cwd=ROOT, check=False)
    (generation,) = data.glob("generation-*")
    assert (generation / "catalogue.sqlite-wal").stat().st_size
    if left == "without":
        (generation / "catalogue.sqlite-shm").unlink()
    before = _contents(data)
    done = _in_namespace(f'{READ_ONLY}\nexec "$2" -c "$3" "$1" ferry', data, sys.executable, COMMANDS)
    codes = [line for line in done.stdout.splitlines() if line.startswith(("ask ", "show ", "status ", "index "))]
    assert codes == ["ask 0", "show 0", "status 0", "index 1"], done
    assert "“The ferry was late on Monday.” [1]" in done.stdout
    assert _contents(data) == before


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
