"""Generations of the index, and the lock."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from index.generation import FINGERPRINT, Generation, current, locked, make_current, open_for_writing
from index.models import ClippingsError, IndexDamaged, IndexLocked

HOLD = """
import pathlib, sys, index.generation
with index.generation.locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_first_generation_is_made_and_in_use(tmp_path: Path) -> None:
    """Where nothing is indexed the first writer makes a generation, and there is none to carry over."""
    data = tmp_path / "data"
    assert current(data) is None
    generation, old = open_for_writing(data)
    with closing(generation):
        assert old is None
        assert current(data) == generation.folder
        assert generation.catalogue.get("fingerprint") == FINGERPRINT


def test_the_next_writer_gets_the_same(tmp_path: Path) -> None:
    """An index of this model and chunking is changed in place."""
    first, _ = open_for_writing(tmp_path)
    first.close()
    second, old = open_for_writing(tmp_path)
    second.close()
    assert second.folder == first.folder
    assert old is None


def test_another_model_is_built_beside(tmp_path: Path) -> None:
    """The old generation stays in use until the new one takes its place; then it goes."""
    first, _ = open_for_writing(tmp_path)
    first.catalogue.set("fingerprint", "an older model/chunker-0")
    first.close()
    new, old = open_for_writing(tmp_path)
    assert old
    with closing(new), closing(old):
        assert current(tmp_path) == old.folder == first.folder != new.folder
        assert new.catalogue.get("fingerprint") == FINGERPRINT
        make_current(tmp_path, new.folder)
        assert current(tmp_path) == new.folder
        assert not old.folder.exists()


def test_what_a_stopped_rebuild_left_is_gone_on_with(tmp_path: Path) -> None:
    """A rebuild that did not end is taken up again, unless it was of yet another model."""
    first, _ = open_for_writing(tmp_path)
    first.catalogue.set("fingerprint", "an older model/chunker-0")
    first.close()
    for left, kept in ((FINGERPRINT, "yes"), ("a third/chunker-9", None)):
        beside = Generation.make(tmp_path / "generation-2")
        beside.catalogue.set("fingerprint", left)
        beside.catalogue.set("mark", "yes")
        beside.close()
        new, old = open_for_writing(tmp_path)
        assert old
        with closing(new), closing(old):
            assert new.folder == beside.folder
            assert new.catalogue.get("mark") == kept
            assert new.catalogue.get("fingerprint") == FINGERPRINT


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\0", b"../../etc\n", b"/etc\n", b"generation-x\n", b"generation-\n"]
)
def test_a_damaged_pointer_points_nowhere(tmp_path: Path, content: bytes) -> None:
    """What is not the name of a generation leads to no folder; the next writer starts anew."""
    (tmp_path / "current").write_bytes(content)
    assert current(tmp_path) is None
    generation, _ = open_for_writing(tmp_path)
    generation.close()
    assert current(tmp_path) == generation.folder


def test_a_deleted_generation_is_made_anew_under_another_name(tmp_path: Path) -> None:
    """Open readers tell generations by their names, and so leave the deleted one."""
    (tmp_path / "current").write_text("generation-3\n")
    generation, old = open_for_writing(tmp_path)
    generation.close()
    assert old is None
    assert generation.folder.name == "generation-4"


def test_a_reader_makes_nothing(tmp_path: Path) -> None:
    """What is missing is named, and no empty index is left in its place."""
    folder = tmp_path / "generation-1"
    with pytest.raises(IndexDamaged, match=r"catalogue.* is missing\. Index your articles again"):
        Generation.open(folder)
    assert not folder.exists()


@pytest.mark.process
def test_a_second_writer_is_refused_at_once(tmp_path: Path) -> None:
    """While another process writes, one sentence says so; once it has ended, or was killed, the lock is free."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        started = time.perf_counter()
        with pytest.raises(IndexLocked, match=f"Another process is indexing into {tmp_path}"), locked(tmp_path):
            pytest.fail("two writers")
        assert time.perf_counter() - started < 1
        other.kill()
    with locked(tmp_path):
        pass


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file where the data folder should be ends in a sentence."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ClippingsError, match=f"data folder {tmp_path}/file/data cannot be written to"),
        locked(tmp_path / "file" / "data"),
    ):
        pytest.fail("locked a file")
