"""What is indexed, and whether all is well."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from index.embedding.embed import MODEL_NAME
from index.models import Chunk, IndexDamaged, IndexMissing
from index.status import status
from index.storage.generation import Generation, current, make_current
from tests.corpus import article


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of two articles, whose vectors are stood in for."""
    data = tmp_path_factory.mktemp("status")
    articles = [article("a", "One story.", outlet="Courier", published=date(2024, 1, 5)), article("b", "Another.")]
    with closing(Generation.make(data / "generation-1")) as generation:
        generation.store.upsert(["a", "b"], np.eye(2, 384, dtype=np.float32))
        with generation.catalogue.transaction():
            for one in articles:
                generation.catalogue.put(one, "", [Chunk(one.id, one.id, 0, len(one.body), one.body)])
        generation.catalogue.set("indexed_at", datetime.now(UTC).isoformat(timespec="seconds"))
    make_current(data, data / "generation-1")
    return data


@pytest.fixture
def data(healthy: Path, tmp_path: Path) -> Path:
    """A copy of it to do damage to."""
    return shutil.copytree(healthy, tmp_path / "data")


@pytest.mark.process
def test_a_healthy_index(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts, outlets, period, model, age and size; what lies in the user's own folder has no say in it."""
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "__init__.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    found = status(data)
    assert (found.articles, found.chunks) == (2, 2)
    assert found.outlets == {"": 1, "Courier": 1}
    assert (found.first_published, found.last_published) == (date(2024, 1, 5), date(2024, 1, 5))
    assert found.model == MODEL_NAME
    assert found.indexed_at
    assert abs(datetime.now(UTC) - found.indexed_at) < timedelta(minutes=10)
    assert 10_000 < found.size_bytes < 10_000_000
    assert found.healthy
    assert found.problem is None


@pytest.mark.process
def test_a_run_that_did_not_end_is_told(data: Path) -> None:
    """An index that a writer is at, or was killed at, is not called healthy, and the way out is named."""
    with closing(Generation.open(data / "generation-1")) as generation:
        generation.catalogue.set("dirty", "yes")
    found = status(data)
    assert not found.healthy
    assert found.problem == "the last indexing is under way or was stopped; run `clippings index` to complete it"


@pytest.mark.process
def test_vectors_that_are_too_few_are_told(data: Path) -> None:
    """As many vectors as chunks is what healthy means."""
    with closing(Generation.open(data / "generation-1")) as generation:
        generation.store.delete(["a"])
    found = status(data)
    assert not found.healthy
    assert "run `clippings index` to complete it" in str(found.problem)


@pytest.mark.process
@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_vectors_that_cannot_be_read_are_told(data: Path, damage: str) -> None:
    """The folder is named, and nothing is made in its place by looking."""
    vectors = data / "generation-1" / "vectors"
    if damage == "missing":
        shutil.rmtree(vectors)
    else:
        (vectors / "chroma.sqlite3").write_bytes(b"\x5a" * 10_000)
    found = status(data)
    assert (found.articles, found.healthy) == (2, False)
    assert found.problem == f"the vectors in {vectors} are missing or damaged; run `clippings index` to rebuild them"
    assert vectors.exists() == (damage == "damaged")


@pytest.mark.process
def test_another_model_is_told(data: Path) -> None:
    """An index of another model or chunking waits to be rebuilt."""
    with closing(Generation.open(data / "generation-1")) as generation:
        generation.catalogue.set("fingerprint", "an older model/chunker-0")
    found = status(data)
    assert found.model == "an older model"
    assert found.problem == "the index was built by another version; run `clippings index` to rebuild it"


def test_no_index_is_said(tmp_path: Path) -> None:
    """Where nothing was indexed one sentence says how to, and nothing is made by looking."""
    with pytest.raises(IndexMissing, match=f"Nothing has been indexed in {tmp_path}/data"):
        status(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_catalogue_is_said(data: Path) -> None:
    """A generation without its catalogue is not an empty index."""
    folder = current(data)
    assert folder
    (folder / "catalogue.sqlite").unlink()
    with pytest.raises(IndexDamaged, match=r"catalogue\.sqlite is missing"):
        status(data)
