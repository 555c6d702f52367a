"""Generations of the index, and the lock."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from index.models import ClippingsError, IndexDamaged, IndexLocked
from index.storage.generation import FINGERPRINT, Generation, current, locked, make_current, open_for_writing
from index.storage.integrity import record_checksums
from tests.corpus import article

pytestmark = pytest.mark.process  # an index without a record of its checksums is tried in another process

HOLD = """
import pathlib, sys, index.storage.generation
with index.storage.generation.locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def end(generation: Generation) -> None:
    """Close a generation as a run does in the end. Without a record the next one tries it in a process for a second."""
    generation.close()
    record_checksums(generation.folder)


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
    end(first)
    second, old = open_for_writing(tmp_path)
    second.close()
    assert second.folder == first.folder
    assert old is None


def test_another_model_is_built_beside(tmp_path: Path) -> None:
    """The old generation stays in use until the new one takes its place; then it goes."""
    first, _ = open_for_writing(tmp_path)
    first.catalogue.set("fingerprint", "an older model/chunker-0")
    end(first)
    new, old = open_for_writing(tmp_path)
    assert old
    with closing(new), closing(old):
        assert current(tmp_path) == tmp_path / old.name == first.folder != new.folder
        assert new.catalogue.get("fingerprint") == FINGERPRINT
        make_current(tmp_path, new.folder)
        assert current(tmp_path) == new.folder
        assert not (tmp_path / old.name).exists()


def test_what_a_stopped_rebuild_left_is_gone_on_with(tmp_path: Path) -> None:
    """A rebuild that did not end is taken up again, unless it was of yet another model."""
    first, _ = open_for_writing(tmp_path)
    first.catalogue.set("fingerprint", "an older model/chunker-0")
    end(first)
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


def _filled(data: Path, name: str, article_id: str, *, complete: bool = True) -> Path:
    """Make a generation that holds one article."""
    with closing(Generation.make(data / name)) as generation:
        generation.catalogue.put(article(article_id, "A story."), "", [])
        generation.catalogue.set("indexed_at", "2024-01-05T00:00:00+00:00" if complete else "")
    return data / name


@pytest.mark.parametrize("content", [None, b"", b"gener", b"generation-7\n", b"\0" * 13])
def test_a_whole_generation_is_found_again(tmp_path: Path, content: bytes | None) -> None:
    """A lost, empty or torn `current`, or one that names nothing, leads to the latest complete generation."""
    _filled(tmp_path, "generation-2", "old")
    whole = _filled(tmp_path, "generation-3", "kept")
    _filled(tmp_path, "generation-10", "begun", complete=False)
    if content is not None:  # without a record it is tried in another process, which takes a second: once is enough
        record_checksums(whole)
        (tmp_path / "current").write_bytes(content)
    assert current(tmp_path) == whole
    generation, old = open_for_writing(tmp_path)
    with closing(generation):
        assert old is None
        assert [path for path, _ in generation.catalogue.paths()] == ["kept"]
    assert (tmp_path / "current").read_text() == "generation-3\n"


def test_the_fullest_generation_is_found_if_no_run_was_completed(tmp_path: Path) -> None:
    """A first run that was stopped leaves articles, which count more than the empty beginning of another."""
    begun = _filled(tmp_path, "generation-1", "begun", complete=False)
    Generation.make(tmp_path / "generation-2").close()
    assert current(tmp_path) == begun


def test_nothing_is_removed_while_the_generation_in_use_cannot_be_read(tmp_path: Path) -> None:
    """With `current` torn and the catalogue damaged, the writer builds beside it and leaves all of it there."""
    folder = _filled(tmp_path, "generation-1", "kept")
    (folder / "catalogue.sqlite").write_bytes(b"\x5a" * 10_000)
    (tmp_path / "current").write_bytes(b"")
    generation, replaced = open_for_writing(tmp_path)
    generation.close()
    assert replaced
    assert (replaced.name, replaced.is_damaged) == (folder.name, True)
    assert replaced.reason == f"{folder / 'catalogue.sqlite'} was damaged"
    assert generation.folder != folder
    assert (folder / "catalogue.sqlite").read_bytes() == b"\x5a" * 10_000


def test_only_generations_are_removed(tmp_path: Path) -> None:
    """A folder of the user's stays, whatever its name; a new generation has a number above it."""
    data = tmp_path / "data"
    for name in ("generation-photos", "generation-2", "generation-4"):
        (data / name).mkdir(parents=True)
        (data / name / "beach.jpg").write_bytes(b"jpg")
    _filled(data, "generation-3", "superseded")
    new = _filled(data, "generation-5", "kept")
    record_checksums(new)
    make_current(data, new)
    generation, _ = open_for_writing(data)
    generation.close()
    left = {path.name for path in data.iterdir()} - {"current"}
    assert left == {"generation-photos", "generation-2", "generation-4", "generation-5"}
    assert all((data / name / "beach.jpg").exists() for name in left - {"generation-5"})
    shutil.rmtree(new)
    again, _ = open_for_writing(data)
    again.close()
    assert again.folder.name == "generation-6"


def _contents(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    """Nothing is written to a folder with other files, and its rights stay; a file in it is enough."""
    (tmp_path / "generation-photos").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    tmp_path.chmod(0o755)
    before = _contents(tmp_path)
    message = f"The folder {tmp_path} holds files that Clippings did not make"
    with pytest.raises(ClippingsError, match=message), locked(tmp_path):
        pytest.fail("locked a folder of the user's")
    assert _contents(tmp_path) == before
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize("made", ["nothing", "slack.db", "history", "lost+found", "current", "generation-1"])
def test_a_folder_of_an_earlier_version_is_ours(tmp_path: Path, made: str) -> None:
    """What earlier versions made without a mark is taken over, and marked; so is an empty folder or disk."""
    if made == "current":
        (tmp_path / made).write_text("generation-3\n")
    elif made == "generation-1":
        _filled(tmp_path, made, "kept")
        (tmp_path / "notes.txt").write_text("put beside it by the user")
    elif made == "lost+found":
        (tmp_path / made).mkdir()
    elif made != "nothing":
        (tmp_path / made).touch()
    with locked(tmp_path):
        assert (tmp_path / ".clippings").is_file()
    (tmp_path / "notes.txt").write_text("mine")
    with locked(tmp_path):
        pass


def test_the_index_is_private(tmp_path: Path) -> None:
    """As `slack.db`: nobody but its owner reads the index, also one that an earlier version made for all to read."""
    data = tmp_path / "data"
    mask = os.umask(0o022)
    try:
        folder = _filled(data, "generation-1", "kept")
        record_checksums(folder)
        make_current(data, folder)
        assert stat.S_IMODE(data.stat().st_mode) == 0o755
        with locked(data):
            generation, _ = open_for_writing(data)
            generation.close()
    finally:
        os.umask(mask)
    assert len(_contents(data)) > 5
    for path in (data, *_contents(data)):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
