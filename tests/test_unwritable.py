"""Asking, showing and status where nothing can be written: real mounts, in a mount namespace of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.corpus import run, write

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
    if subprocess.run(
        [*NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    ).returncode:
        pytest.skip("this machine lets nobody mount in a namespace")
    before = _contents(indexed)
    done = _in_namespace(f'{mount}\nexec "$2" -c "$3" "$1" ferry', indexed, sys.executable, COMMANDS)
    codes = [line for line in done.stdout.splitlines() if line.startswith(("ask ", "show ", "status ", "index "))]
    assert codes == ["ask 0", "show 0", "status 0", "index 1"], done
    assert "“The ferry was late on Monday.” [1]" in done.stdout
    assert "health:         good" in done.stdout
    assert "cannot be" in done.stderr.splitlines()[-1]
    assert "Unexpected" not in done.stderr
    assert _contents(indexed) == before


def _in_namespace(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command: Sequence[str | Path] = [*NAMESPACE, "sh", "-c", script, "sh", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
