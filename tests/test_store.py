"""The vectors, in a real Chroma."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sized
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from index.embedding.embed import Vectors
from index.models import ClippingsError, IndexDamaged
from index.storage.store import FolderVectors

pytestmark = pytest.mark.process  # an index without a record of its checksums is tried in another process

ROOT = Path(__file__).parents[1]
HOSTILE = {
    "ALLOW_RESET": "true",
    "ANONYMIZED_TELEMETRY": "true",
    "IS_PERSISTENT": "false",
    "PERSIST_DIRECTORY": "/nowhere",
    "MIGRATIONS": "none",
    "CHROMA_API_IMPL": "chromadb.api.fastapi.FastAPI",
    "CHROMA_PRODUCT_TELEMETRY_IMPL": "no.such.Class",
    "CHROMA_SERVER_HOST": "203.0.113.1",
}
USE = """
import pathlib, sys, numpy, index.storage.store
store = index.storage.store.FolderVectors(pathlib.Path(sys.argv[1]))
store.upsert(["a"], numpy.eye(1, 384, dtype=numpy.float32))
settings = store._client.get_settings()
print(store.count(), settings.allow_reset, settings.anonymized_telemetry)
"""


def vectors(count: int, seed: int = 1) -> Vectors:
    """Random unit vectors."""
    drawn = np.random.default_rng(seed).normal(size=(count, 384))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


def unit(direction: int) -> Vectors:
    """A unit vector along one axis."""
    return np.asarray(np.eye(384)[direction], dtype=np.float32)


def program(
    code: str, *arguments: object, cwd: Path = ROOT, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own."""
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd, env=surroundings, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FolderVectors]:
    """An empty store."""
    store = FolderVectors(tmp_path / "vectors")
    yield store
    store.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More vectors than Chroma takes in one batch, so many that some lie in its own files."""
    folder = tmp_path_factory.mktemp("large") / "vectors"
    store = FolderVectors(folder)
    store.upsert([f"id {i}" for i in range(5_500)], vectors(5_500))
    store.close()
    return folder


def test_the_nearest_come_first_with_their_cosines(store: FolderVectors) -> None:
    """The space is that of cosines: 1 for the same direction, 0 for a right angle, -1 for the opposite."""
    store.upsert(["same", "angle", "opposite"], np.stack([unit(0), unit(1), -unit(0)]))
    names, cosines = zip(*store.nearest(unit(0), 10), strict=True)
    assert names == ("same", "angle", "opposite")
    assert cosines == pytest.approx((1, 0, -1), abs=1e-6)
    assert [name for name, _ in store.nearest(unit(0), 1)] == ["same"]
    assert store.nearest(unit(0), 0) == []


def test_an_empty_store_finds_nothing(store: FolderVectors) -> None:
    """Nothing in it is no error."""
    assert store.nearest(unit(0), 10) == []
    assert store.cosines(unit(0), ["a"]) == {}
    assert store.vectors([]) == {}
    assert list(store.ids()) == []
    store.upsert([], vectors(0))
    store.delete([])
    assert store.count() == 0


def test_an_id_has_one_vector(store: FolderVectors) -> None:
    """Writing an id again replaces its vector; deleting one that is not there is no error."""
    store.upsert(["a", "b"], np.stack([unit(0), unit(1)]))
    store.upsert(["a"], unit(2)[np.newaxis])
    assert store.nearest(unit(2), 1)[0][0] == "a"
    store.delete(["b", "nobody"])
    assert list(store.ids()) == ["a"]
    assert [name for name, _ in store.nearest(unit(1), 10)] == ["a"]


def test_a_store_larger_than_a_batch(large: Path) -> None:
    """Reading and writing go by pages, and each id comes once."""
    store = FolderVectors(large)
    everything = vectors(5_500)
    names = list(store.ids())
    assert len(names) == len(set(names)) == store.count() == 5_500
    assert len(store.vectors(names)) == 5_500
    assert [name for name, _ in store.nearest(everything[5_400], 1)] == ["id 5400"]
    store.close()


@pytest.mark.parametrize("count", [3, 600])
def test_cosines_with_some(large: Path, count: int) -> None:
    """The cosines with given ids are exact, few or many; an id that is not there is left out."""
    store = FolderVectors(large)
    question, names = unit(7), [f"id {i}" for i in range(0, 5_500, 5_500 // count)][:count]
    expected = dict(zip(names, (vectors(5_500)[[int(name[3:]) for name in names]] @ question).tolist(), strict=True))
    assert store.cosines(question, names) == pytest.approx(expected, abs=1e-5)
    assert store.cosines(question, [*names, "nobody"]) == pytest.approx(expected, abs=1e-5)
    store.close()


def test_reopening_shows_what_others_wrote(tmp_path: Path) -> None:
    """After reopening, new vectors are found and deleted ones are not, though others keep the store open."""
    folder = tmp_path / "vectors"
    ours, other = FolderVectors(folder), FolderVectors(folder)
    ours.upsert(["old", "kept"], np.stack([unit(0), unit(1)]))
    assert len(ours.nearest(unit(0), 10)) == 2
    other.upsert(["new"], unit(0)[np.newaxis])
    other.delete(["old"])
    ours.reopen()
    assert [name for name, _ in ours.nearest(unit(0), 10)] == ["new", "kept"]
    assert set(ours.vectors(["old", "new", "kept"])) == {"new", "kept"}
    ours.close()
    other.close()


def test_threads_may_read_while_the_store_is_reopened(store: FolderVectors) -> None:
    """No read falls into the moment at which the files are closed."""
    store.upsert(["a", "b"], np.stack([unit(0), unit(1)]))
    results: list[object] = []
    over = threading.Event()

    def read(what: Callable[[], Sized]) -> None:
        while not over.is_set():
            try:
                results.append(len(what()))
            except ClippingsError as error:
                results.append(error)

    reads = (
        lambda: store.vectors(["a", "b"]),
        lambda: range(store.count()),
        lambda: list(store.ids()),
        lambda: store.nearest(unit(0), 2),
        lambda: store.cosines(unit(0), ["a", "b"]),
    )
    threads = [threading.Thread(target=read, args=(what,)) for what in reads]
    for thread in threads:
        thread.start()
    for _ in range(50):
        store.reopen()
        time.sleep(0.002)
    over.set()
    for thread in threads:
        thread.join()
    assert set(results) == {2}


@pytest.mark.parametrize(
    "touch",
    [
        lambda store: store.reopen(),
        lambda store: store.upsert(["a"], vectors(1)),
        lambda store: store.delete(["a"]),
        lambda store: FolderVectors(store._folder).close(),
    ],
    ids=["reopen", "upsert", "delete", "open"],
)
def test_nobody_loads_the_files_while_another_writes_them(
    store: FolderVectors, touch: Callable[[FolderVectors], None]
) -> None:
    """Loading and writing wait for each other, also between processes: Chroma crashes where they meet."""
    thread = threading.Thread(target=touch, args=(store,))
    with FileLock(store._folder / "lock", thread_local=False):
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.process
def test_chroma_reads_no_settings_of_its_own(tmp_path: Path) -> None:
    """Neither the environment nor .env reaches it, and no value there that it could not read."""
    lines = [f"{name}={value}" for name, value in (HOSTILE | {"CHROMA_SERVER_HTTP_PORT": "abc"}).items()]
    (tmp_path / ".env").write_text("\n".join(lines))
    done = program(USE, tmp_path / "vectors", cwd=tmp_path, env=HOSTILE)
    assert (done.stdout, done.stderr) == ("1 False False\n", "")
    assert (tmp_path / "vectors" / "chroma.sqlite3").exists()


@pytest.mark.process
def test_a_variable_that_chroma_cannot_read_is_named(tmp_path: Path) -> None:
    """Chroma reads its variables when it is imported; where that fails the user is told which one to unset."""
    done = program(USE, tmp_path / "vectors", cwd=tmp_path, env={"CHROMA_SERVER_HTTP_PORT": "abc"})
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert (
        last == "index.models.ClippingsError: Chroma cannot read CHROMA_SERVER_HTTP_PORT in the environment. Unset it."
    )


def test_a_reader_makes_nothing(tmp_path: Path) -> None:
    """Where the vectors are missing a reader says so, and leaves no empty ones behind."""
    with pytest.raises(IndexDamaged, match="are missing"):
        FolderVectors(tmp_path / "vectors", make=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """A damaged store is told with its folder and the way out; once deleted it can be made again, in one process."""
    folder = tmp_path / "vectors"
    folder.mkdir()
    (folder / "chroma.sqlite3").write_bytes(b"\x5a" * 10_000)
    with pytest.raises(IndexDamaged, match=f"vectors in {folder} cannot be used .* rebuild them: `clippings index`"):
        FolderVectors(folder)
    shutil.rmtree(folder)
    store = FolderVectors(folder)
    store.upsert(["a"], vectors(1))
    assert store.count() == 1
    store.close()


def test_a_damaged_segment_is_named(large: Path, tmp_path: Path) -> None:
    """Damage that shows only when vectors are searched ends in a sentence too, and shows at once."""
    folder = tmp_path / "vectors"
    shutil.copytree(large, folder)
    (segment,) = folder.glob("*/header.bin")
    segment.write_bytes(b"\x5a" * segment.stat().st_size)
    with pytest.raises(IndexDamaged, match=f"vectors in {folder} cannot be used .* rebuild them"):
        FolderVectors(folder)
