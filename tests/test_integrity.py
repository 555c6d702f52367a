"""Damage to an index is noticed before it is read, named, and repaired by indexing."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index.models import Chunk, ClippingsError, IndexDamaged
from index.search import Searcher
from index.status import status
from index.storage.generation import Generation, make_current, open_catalogue
from index.storage.integrity import damaged_file, forget, record_checksums
from index.text import stems
from tests.corpus import article, prose, run, write
from tests.corrupt_index import Process, build, case, digit, in_file
from tests.forked import Forked

pytestmark = pytest.mark.process(seconds=30)  # an index without a record of its checksums is tried in another process

CHUNKS = 1_200  # so many that Chroma writes its own files, on which it crashes if they are damaged
VECTORS = np.random.default_rng(1).normal(size=(CHUNKS, 384)).astype(np.float32)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with many vectors, whose checksums are recorded."""
    data = tmp_path_factory.mktemp("integrity")
    folder = data / "generation-1"
    stories = [article(f"a{i}", f"Bench {i} was painted.") for i in range(CHUNKS)]
    with closing(Generation.make(folder)) as generation:
        generation.store.upsert([story.id for story in stories], VECTORS)
        with generation.catalogue.transaction():
            for story in stories:
                generation.catalogue.put(story, "", [Chunk(story.id, story.id, 0, len(story.body), story.body)])
    record_checksums(folder)
    make_current(data, folder)
    return data


@pytest.fixture
def data(whole: Path, tmp_path: Path) -> Path:
    """A copy of it to do damage to."""
    return shutil.copytree(whole, tmp_path / "data")


def search(data: Path) -> int:
    """Search, and return how many passages were found."""
    with closing(Searcher(data)) as searcher:
        return len(searcher.search(VECTORS[7], stems("bench 7")))


def junk(content: bytes) -> bytes:
    """As many random bytes, the same every time."""
    return random.Random(1).randbytes(len(content))  # noqa: S311  # not for a secret


def test_reading_changes_no_file(data: Path) -> None:
    """Searching and inspecting leave every file as it was recorded, so that a checksum can be relied on."""
    assert search(data)
    assert status(data).healthy
    assert damaged_file(data / "generation-1") is None


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "after a killed run"])
@pytest.mark.parametrize("name", ["header.bin", "data_level0.bin", "index_metadata.pickle", "chroma.sqlite3"])
def test_damaged_vectors_are_said(data: Path, name: str, *, recorded: bool) -> None:
    """Chroma never opens in this process what would crash it: the checksums say so, or a trial in another process."""
    folder = data / "generation-1"
    (file,) = (folder / "vectors").rglob(name)
    file.write_bytes(junk(file.read_bytes()))
    if not recorded:
        forget(folder)
    named = str(file) if recorded else "vectors are missing or damaged"
    with pytest.raises(IndexDamaged, match=f"{named}.*: `clippings index`"):
        search(data)
    if recorded:  # without a record `status` tries them in another process, as a search: tests/test_status.py
        state = status(data)
        assert not state.healthy
        assert "run `clippings index` to rebuild" in str(state.problem)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[: len(content) // 2],
        lambda _: b"",
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    ],
    ids=["cut", "empty", "a bit"],
)
@pytest.mark.parametrize("name", ["checksums.json", "catalogue.sqlite", "vectors/chroma.sqlite3"])
def test_every_change_of_a_file_is_said(data: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """One changed bit is enough, wherever it is; the file is named with the way out."""
    file = data / "generation-1" / name
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(IndexDamaged, match=f"{file} is not as it was written.* `clippings index`"):
        search(data)


def test_damage_is_noticed_by_a_reader_that_is_open(data: Path) -> None:
    """A bot that runs for weeks checks again when the index has been written, before it loads the vectors."""
    folder = data / "generation-1"
    with closing(Searcher(data)) as searcher:
        assert searcher.search(VECTORS[7], [])
        with closing(Generation.make(folder)) as generation:
            generation.catalogue.set("mark", "yes")
        record_checksums(folder)
        (file,) = folder.glob("vectors/*/header.bin")
        file.write_bytes(junk(file.read_bytes()))
        with pytest.raises(IndexDamaged, match=r"header\.bin is not as it was written"):
            searcher.search(VECTORS[7], [])


def test_an_article_is_read_as_it_was_stored(data: Path) -> None:
    """No quote comes from a damaged article, also where no file has a checksum; `status` reads all articles."""
    folder = data / "generation-1"
    forget(folder)
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as database, database:
        database.execute("UPDATE articles SET body = 'Bench 9 was painted.' WHERE id = 'a7'")
    with pytest.raises(IndexDamaged, match=r"article 'a7' in .* is damaged\. Rebuild the index: `clippings index`"):
        search(data)
    assert "article 'a7'" in str(status(data).problem)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE lexical",
        "ALTER TABLE meta RENAME TO notes",
        "ALTER TABLE chunks RENAME COLUMN start TO begin",
        "UPDATE articles SET published = 'soon'",
        "UPDATE articles SET headline = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_damaged_schema_is_said(data: Path, statement: str) -> None:
    """A table or column that is missing, or holds what cannot be read, is damage, and nothing is made in its place."""
    folder = data / "generation-1"
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as database, database:
        database.execute(statement)
    record_checksums(folder)  # the file is as it was written
    with pytest.raises(IndexDamaged, match=r"damaged.*: `clippings index"):
        search(data)
    with pytest.raises(IndexDamaged), closing(open_catalogue(folder)) as catalogue:
        catalogue.check()


def test_damaged_vectors_are_made_anew_from_the_catalogue(tmp_path: Path, weights: Path) -> None:
    """Articles whose files are gone stay; the new index takes the place of the old in one step."""
    data, articles = tmp_path / "data", tmp_path / "articles"
    file = write(articles, "long", prose(40))
    chunks = run(data, [articles], weights).chunks_embedded
    file.unlink()
    vectors = data / "generation-1" / "vectors" / "chroma.sqlite3"
    vectors.write_bytes(junk(vectors.read_bytes()))
    report = run(data, [], weights)
    assert (report.chunks_embedded, report.gone, report.failed) == (chunks, 1, ())
    assert report.rebuilt == f"{vectors} was missing or damaged"
    assert [folder.name for folder in data.glob("*-*")] == ["generation-2"]
    assert status(data).healthy


def test_a_damaged_article_is_read_from_its_file_again(tmp_path: Path, weights: Path) -> None:
    """Where the file is gone, that is reported; the others are kept, and so are the damaged files."""
    data, articles = tmp_path / "data", tmp_path / "articles"
    for name in ("bees", "frost", "mill"):
        write(articles, name, f"The {name} cost 140 pounds.")
    run(data, [articles], weights)
    for name in ("frost", "mill"):
        (articles / f"{name}.md").unlink()
    with closing(sqlite3.connect(data / "generation-1" / "catalogue.sqlite")) as database, database:
        database.execute("UPDATE articles SET body = replace(body, '140', '540') WHERE path NOT LIKE '%mill%'")
    report = run(data, [], weights)
    (failure,) = report.failed
    assert failure.path == str(articles / "frost.md")
    assert "its file was not read in this run" in failure.reason
    assert str(report.rebuilt).endswith(f"the damaged files are now in {data / 'damaged-1'}")
    with closing(Searcher(data)) as searcher:
        bodies = {source.headline: searcher.catalogue.article(source.id) for source in searcher.catalogue.sources()}
    assert {name: found and found.body for name, found in bodies.items()} == {
        "About bees": "The bees cost 140 pounds.",
        "About mill": "The mill cost 140 pounds.",
    }


def test_a_catalogue_that_cannot_be_read_has_lost_the_names_of_the_folders(tmp_path: Path, weights: Path) -> None:
    """`index` without a folder says so, and leaves all as it was; with the folder it makes the index anew."""
    data, articles = tmp_path / "data", tmp_path / "articles"
    write(articles, "bees", "Keep bees away from the wind.")
    run(data, [articles], weights)
    catalogue = data / "generation-1" / "catalogue.sqlite"
    catalogue.write_bytes(junk(catalogue.read_bytes()))
    before = catalogue.read_bytes()
    with pytest.raises(ClippingsError) as raised:
        run(data, [], weights)
    assert str(raised.value) == (
        f"{catalogue} was damaged, and with it the list of your folders. Name them, as in `clippings index articles`."
    )
    assert catalogue.read_bytes() == before
    assert run(data, [articles], weights).added == 1


def test_the_commands_on_a_damaged_index(tmp_path: Path) -> None:
    """Each damage is said and not thrown, nothing wrong is quoted, and indexing repairs it (tests/corrupt_index.py)."""
    out, err = tmp_path / "out", tmp_path / "err"

    def run_forked(commands: list[list[str]]) -> Process:
        out.unlink(missing_ok=True)
        err.unlink(missing_ok=True)
        environment = {**os.environ, "CLIPPINGS_LLM": ""}
        code = Forked(*commands, env=environment, cwd=tmp_path, log=out, errors=err).wait(300)
        return Process(code, out.read_text("utf-8"), err.read_text("utf-8"))

    good = build(
        tmp_path, pattern="[kl]*", run=run_forked
    )  # of Kerman, Leverkusen and the library, which the questions are about
    damage = in_file("vectors/chroma.sqlite3", "random", lambda content, _: junk(content))
    for harm in (digit, damage):
        result = case(good, tmp_path / "copy", harm, random.Random(1))  # noqa: S311  # not for a secret
        assert (result.status, result.ask, result.index, result.wrong) == ("exit 1", "said", "exit 0", ())
