"""Files to an index, and what a second run does."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.render import plain, status_lines
from index.embedding.embed import MODEL_NAME, Embedder
from index.ingest import Report, ingest
from index.models import Article, Boilerplate, ClippingsError, Filters, IndexLocked, IndexMissing
from index.search import DatePreference, Searcher
from index.status import status
from index.storage.generation import FINGERPRINT, Generation, current, locked
from index.storage.home import Home, at
from index.text import stems
from tests.corpus import BOTH_HOMES, prose, run, write
from tests.kill_indexing import torment

Run = Callable[..., Report]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder of three articles: one of three chunks, two of one."""
    folder = tmp_path / "articles"
    write(folder, "long", prose(30), headline="Council repairs", outlet="Courier", published=date(2024, 1, 5))
    write(folder, "bees", "Keep bees away from the wind. Feed them in autumn.")
    write(folder, "frost", "Frost spoiled the orchards of Birchley.")
    return folder


@pytest.fixture
def index(home: Home, weights: Path) -> Run:
    """Index into a data folder, or into servers."""

    def call(*paths: Path, prune: bool = False, force: bool = False) -> Report:
        return run(home, paths, weights, prune=prune, force=force)

    return call


def counted(report: Report) -> tuple[int, ...]:
    """Added, changed, unchanged, removed, gone and embedded."""
    return (
        report.added, report.changed, report.unchanged, report.removed, report.gone, report.chunks_embedded,
    )  # fmt: skip


def indexed(place: Path | Home) -> dict[str, Article]:
    """What is in the index, by the names of the files; its vectors are checked to be those of its chunks."""
    home = at(place)
    name = home.current()
    assert name
    with closing(home.open(name)) as generation:
        catalogue = generation.catalogue
        assert sorted(generation.store.ids()) == sorted(catalogue.all_chunk_ids())
        assert not catalogue.get("dirty")
        found = {Path(path).stem: catalogue.article(identity) for identity, path in catalogue.paths()}
    return {name: article for name, article in found.items() if article}


@BOTH_HOMES
def test_a_first_run_adds_and_a_second_embeds_nothing(index: Run, texts: Path, home: Home) -> None:
    """What is there already is left alone, though its file was touched."""
    first = index(texts)
    assert counted(first) == (3, 0, 0, 0, 0, 5)
    assert first.failed == ()
    assert first.rebuilt is None
    assert 0 < first.embed_seconds <= first.seconds
    assert set(indexed(home)) == {"long", "bees", "frost"}
    (texts / "long.md").touch()
    os.utime(texts / "bees.md", (1, 1))
    assert counted(index(texts)) == (0, 0, 3, 0, 0, 0)


@BOTH_HOMES
def test_a_changed_sentence_embeds_one_chunk(index: Run, texts: Path, home: Home) -> None:
    """Of a changed article only the chunk that differs is embedded, and of the others nothing."""
    index(texts)
    file = texts / "long.md"
    file.write_text(file.read_text().replace("cost 115 pounds", "cost 999 pounds"))
    assert counted(index(texts)) == (0, 1, 2, 0, 0, 1)
    assert "cost 999 pounds" in indexed(home)["long"].body


def test_a_changed_date_is_a_change(index: Run, texts: Path, tmp_path: Path) -> None:
    """What is said of an article belongs to it: its chunks carry the day."""
    index(texts)
    write(texts, "bees", "Keep bees away from the wind. Feed them in autumn.", published=date(2020, 2, 3))
    assert counted(index(texts)) == (0, 1, 2, 0, 0, 1)
    assert indexed(tmp_path / "data")["bees"].source.published == date(2020, 2, 3)


@BOTH_HOMES
def test_what_is_gone_is_kept_until_it_is_pruned(index: Run, texts: Path, home: Home) -> None:
    """A deleted file is reported; its article goes when that is asked for, and so do its vectors."""
    index(texts)
    (texts / "bees.md").unlink()
    assert counted(index(texts)) == (0, 0, 2, 0, 1, 0)
    assert "bees" in indexed(home)
    assert counted(index(texts, prune=True)) == (0, 0, 2, 1, 0, 0)
    assert set(indexed(home)) == {"long", "frost"}
    assert counted(index(texts, prune=True)) == (0, 0, 2, 0, 0, 0)


@BOTH_HOMES
def test_pruning_a_folder_that_is_gone_removes_its_articles(
    index: Run, texts: Path, tmp_path: Path, home: Home
) -> None:
    """What was read from it is citable no more; later runs do not miss it. A mistyped name is a failure."""
    write(tmp_path / "more", "other", "Another story.")
    index(texts, tmp_path / "more")
    report = index(tmp_path / "articels", prune=True)
    assert (report.removed, [failure.reason for failure in report.failed]) == (0, ["does not exist"])
    texts.rename(tmp_path / "elsewhere")
    assert index().failed
    report = index(prune=True)
    assert (counted(report), report.failed) == ((0, 0, 1, 3, 0, 0), ())
    assert set(indexed(home)) == {"other"}
    assert index().failed == ()


def test_pruning_a_disk_that_is_not_mounted_removes_nothing(index: Run, texts: Path, tmp_path: Path) -> None:
    """If what holds the folder is gone too, its articles stay, unless that is forced."""
    disk = tmp_path / "disk"
    disk.mkdir()
    texts.rename(disk / "articles")
    index(disk / "articles")
    disk.rename(tmp_path / "unmounted")
    report = index(prune=True)
    assert counted(report) == (0, 0, 0, 0, 0, 0)
    assert [failure.reason for failure in report.failed] == ["does not exist"]
    assert set(indexed(tmp_path / "data")) == {"long", "bees", "frost"}
    assert index(prune=True, force=True).removed == 3


def test_a_folder_that_is_gone_is_forgotten_if_that_is_forced(index: Run, texts: Path, tmp_path: Path) -> None:
    """Named or of the last run; later runs do not miss it any more. One that cannot be reached is not gone."""
    write(tmp_path / "more", "other", "Another story.")
    index(texts, tmp_path / "more")
    texts.rename(tmp_path / "elsewhere")
    texts.symlink_to(texts)
    report = index(prune=True, force=True)
    assert (report.removed, report.unreached) == (0, 3)
    texts.unlink()
    report = index(prune=True, force=True)
    assert (counted(report), report.failed) == ((0, 0, 1, 3, 0, 0), ())
    assert set(indexed(tmp_path / "data")) == {"other"}
    assert index().failed == ()


def test_pruning_one_folder_leaves_the_others(index: Run, texts: Path, tmp_path: Path) -> None:
    """Only what was read from the named folder is missed there; a folder whose name goes on is another."""
    write(tmp_path / "articles-2", "other", "Another story.")
    index(texts, tmp_path / "articles-2")
    shutil.rmtree(tmp_path / "articles-2")
    (texts / "bees.md").unlink()
    assert counted(index(texts, prune=True)) == (0, 0, 2, 1, 0, 0)
    assert set(indexed(tmp_path / "data")) == {"long", "frost", "other"}


@BOTH_HOMES
def test_a_file_that_fails_keeps_its_article(index: Run, texts: Path, home: Home) -> None:
    """An article whose file can no longer be read stays as it was, and is not pruned; the rest goes on."""
    index(texts)
    (texts / "bees.md").write_bytes(b"\0\1\2" * 100)
    write(texts, "new", "A new story.")
    report = index(texts, prune=True)
    assert counted(report) == (1, 0, 2, 0, 0, 1)
    assert [Path(failure.path).name for failure in report.failed] == ["bees.md"]
    assert "bees" in indexed(home)


def test_a_folder_that_fails_keeps_its_articles(index: Run, texts: Path, tmp_path: Path) -> None:
    """A folder that cannot be read is not an empty one."""
    inner = write(texts / "inner", "inner", "A story in a folder of its own.").parent
    index(texts)
    shutil.rmtree(inner)
    inner.symlink_to(inner)  # what lies behind it cannot be reached, for root neither
    report = index(texts, prune=True)
    assert [Path(failure.path).name for failure in report.failed] == ["inner"]
    assert counted(report) == (0, 0, 3, 0, 0, 0)
    assert "inner" in indexed(tmp_path / "data")


@pytest.mark.parametrize("relative", [False, True])
def test_only_what_is_certainly_gone_is_pruned(
    index: Run, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, relative: bool
) -> None:
    """Articles behind what could not be read stay, also if that is forced; one whose file is gone goes."""
    monkeypatch.chdir(tmp_path)
    inner = write(texts / "inner", "inner", "A story in a folder of its own.").parent
    named = Path("articles") if relative else texts
    index(named)
    (texts / "bees.md").unlink()
    shutil.rmtree(inner)
    inner.symlink_to(inner)
    report = index(named, prune=True)
    assert (report.removed, report.gone, report.unreached, len(report.failed)) == (1, 0, 1, 1)
    assert Path(report.failed[0].path) == inner
    report = index(named, prune=True, force=True)
    assert (report.removed, report.gone, report.unreached, len(report.failed)) == (0, 0, 1, 1)
    assert set(indexed(tmp_path / "data")) == {"long", "frost", "inner"}


def test_what_a_link_let_in_can_be_pruned(index: Run, texts: Path, tmp_path: Path) -> None:
    """An article behind a link that is no longer followed is not lost by itself, and goes with --prune --force."""
    payroll = write(tmp_path / "private", "payroll", "The mayor earns 900 pounds a month.")
    (texts / "link.md").symlink_to(payroll)
    index(texts, payroll.parent)
    assert "link" in indexed(tmp_path / "data")
    report = index(texts, prune=True)
    assert (report.removed, report.gone, report.unreached) == (0, 0, 1)
    assert report.failed[0].reason.startswith("points outside the folders that are indexed")
    assert index(texts, prune=True, force=True).removed == 1
    assert set(indexed(tmp_path / "data")) == {"long", "bees", "frost"}


def test_a_torn_pointer_costs_no_article(index: Run, texts: Path, tmp_path: Path) -> None:
    """With `current` empty, articles whose files are gone are still indexed after the next run, and found before it."""
    index(texts)
    (tmp_path / "data" / "current").write_bytes(b"")
    shutil.rmtree(texts)
    assert set(indexed(tmp_path / "data")) == {"long", "bees", "frost"}
    index()  # as `reindex` in Slack does
    assert set(indexed(tmp_path / "data")) == {"long", "bees", "frost"}


@pytest.mark.process
def test_a_date_ahead_of_the_clock_is_kept_and_not_preferred(
    index: Run, texts: Path, tmp_path: Path, weights: Path
) -> None:
    """Either it or the clock is wrong: the index has it, and a search takes it for unknown, not for the latest."""
    today = datetime.now(UTC).date()
    ahead, known = today + timedelta(days=400), today - timedelta(days=30)
    write(texts, "ahead", "The ferry to Saltholm was late in the morning.", published=ahead)
    write(texts, "known", "A ferry to Saltholm was late in the evening, too.", published=known)
    index(texts)
    assert indexed(tmp_path / "data")["ahead"].source.published == ahead
    newest = DatePreference(today, today, newest_first=True, boost=100.0)
    with closing(Searcher(tmp_path / "data")) as searcher:
        vector = Embedder(weights).question("ferry to Saltholm")
        passages = searcher.search(vector, stems("ferry"), filters=Filters(as_of=today), preference=newest)
    names = [Path(passage.source.path or "").stem for passage in passages]
    assert names[0] == "known"
    assert "ahead" in names
    (line, *_) = [line for line in status_text(tmp_path / "data").splitlines() if line.startswith("articles:")]
    assert f"to {ahead} (ahead of this computer's clock: see which of them is wrong)" in line


def status_text(data: Path) -> str:
    """What `clippings status` prints."""
    return plain(status_lines(status(data), data, "none"))


def test_an_id_belongs_to_one_file(index: Run, tmp_path: Path) -> None:
    """A record with an id that another file has is reported, in this run and in a later one; the first stays."""
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    one.write_text(json.dumps({"id": "x", "title": "First", "text": "The first story."}) + "\n")
    other.write_text(json.dumps({"id": "x", "title": "Second", "text": "The second story."}) + "\n")
    for paths in ((one, other), (other,)):
        report = index(*paths)
        (failure,) = report.failed
        assert Path(failure.path) == other
        assert "duplicate id 'x'" in failure.reason
    assert indexed(tmp_path / "data")["one"].source.headline == "First"
    one.unlink()  # then it is free
    assert counted(index(other)) == (0, 1, 0, 0, 0, 1)
    assert indexed(tmp_path / "data")["other"].source.headline == "Second"


def test_what_was_indexed_is_remembered(
    index: Run, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without paths the folders of last time are read, wherever the command is called; mistyped ones are not."""
    monkeypatch.chdir(tmp_path)
    index(Path("articles"), Path("no-such-folder"))
    monkeypatch.chdir("/")
    write(texts, "new", "A new story.")
    report = index()
    assert counted(report) == (1, 0, 3, 0, 0, 1)
    assert report.failed == ()


def test_nothing_to_index_is_said(index: Run) -> None:
    """The very first run needs a path."""
    with pytest.raises(ClippingsError, match="Nothing to index: name a file or a folder"):
        index()


def test_a_link_is_a_folder_like_any_other(index: Run, texts: Path, tmp_path: Path) -> None:
    """What was indexed through a link is the same the next time, when it is remembered, and when it is pruned."""
    link = tmp_path / "link"
    link.symlink_to(texts)
    index(link)
    assert counted(index(link)) == (0, 0, 3, 0, 0, 0)
    assert counted(index()) == (0, 0, 3, 0, 0, 0)
    (texts / "bees.md").unlink()
    assert counted(index(prune=True)) == (0, 0, 2, 1, 0, 0)


def test_progress_is_told(texts: Path, tmp_path: Path, weights: Path) -> None:
    """How many of how many are done, to the last."""
    told: list[tuple[int, int]] = []
    ingest(tmp_path / "data", [texts], model_dir=weights, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)


def test_vectors_that_were_lost_are_made_again(index: Run, texts: Path, tmp_path: Path) -> None:
    """The vectors are a copy: their folder can be deleted, and the next run fills it from the catalogue."""
    index(texts)
    shutil.rmtree(tmp_path / "data" / "generation-1" / "vectors")
    assert counted(index(texts)) == (0, 0, 3, 0, 0, 5)
    assert set(indexed(tmp_path / "data")) == {"long", "bees", "frost"}


@pytest.mark.process
def test_vectors_left_over_are_removed(index: Run, texts: Path, tmp_path: Path) -> None:
    """What a stopped run left among the vectors is found by nobody, and the next run clears it away."""
    index(texts)
    with closing(Generation.make(tmp_path / "data" / "generation-1")) as generation:
        (some, vector), *_ = generation.store.vectors(generation.catalogue.all_chunk_ids()[:1]).items()
        generation.store.upsert(["left over"], vector[None])
        generation.store.delete([some])
        generation.catalogue.set("dirty", "yes")
    with closing(Searcher(tmp_path / "data")) as searcher:
        assert "left over" not in {passage.chunk_id for passage in searcher.search(vector, [])}
    assert counted(index(texts)) == (0, 0, 3, 0, 0, 1)
    assert set(indexed(tmp_path / "data")) == {"long", "bees", "frost"}


@pytest.mark.process
def test_another_model_rebuilds_while_readers_go_on(texts: Path, tmp_path: Path, weights: Path) -> None:
    """The index is made anew beside the old one, which is read until the end; the report says why."""
    data = tmp_path / "data"
    run(data, [texts], weights)
    shutil.rmtree(texts)  # the rebuild works from what is indexed
    embedder, told = Embedder(weights), list[tuple[Path | None, int]]()
    with closing(Searcher(data)) as searcher:

        def found() -> int:
            passages = searcher.search(embedder.question("frost in the orchards"), stems("frost orchards"))
            assert Path(passages[0].source.path or "").stem == "frost"
            return len(passages)

        chunks, before = found(), current(data)
        with closing(Generation.make(data / "generation-1")) as generation:
            generation.catalogue.set("fingerprint", "an older model/chunker-0")

        report = ingest(data, [], model_dir=weights, progress=lambda *_: told.append((current(data), found())))
        assert told[0] == (before, chunks)
        assert current(data) == data / "generation-2"
        assert found() == chunks == 5
    assert report.rebuilt == f"the index was built by another version (an older model/chunker-0, now {FINGERPRINT})"
    assert report.chunks_embedded == 5
    assert set(indexed(data)) == {"long", "bees", "frost"}
    assert [one.name for one in data.glob("generation-*")] == ["generation-2"]


@pytest.mark.process
def test_an_index_of_the_first_schema_is_rebuilt_with_its_boilerplate(
    index: Run, texts: Path, tmp_path: Path, weights: Path
) -> None:
    """Readers say what to do; then the articles come over from the old table, though their files are gone."""
    data = tmp_path / "data"
    write(texts, "ferry", "The ferry was late.\n\nALSO READ: Ten ferries\n\nNobody could say why.")
    index(texts)
    before = indexed(data)
    shutil.rmtree(texts)
    with closing(sqlite3.connect(data / "generation-1" / "catalogue.sqlite")) as old, old:
        old.execute("ALTER TABLE articles DROP COLUMN checksum")
        old.execute("ALTER TABLE articles RENAME COLUMN boilerplate TO furniture")
        old.execute("UPDATE meta SET value = ? WHERE key = 'fingerprint'", [f"{MODEL_NAME}/chunker-1"])
    (data / "generation-1" / "checksums.json").unlink()
    problem = "index was built by another version. Run `clippings index` to rebuild it."
    with closing(Searcher(data)) as searcher, pytest.raises(IndexMissing, match=problem):
        searcher.search(Embedder(weights).question("ferry"), ["ferri"])
    assert str(status(data).problem).endswith("another version; run `clippings index` to rebuild it")
    assert index().rebuilt == f"the index was built by another version ({MODEL_NAME}/chunker-1, now {FINGERPRINT})"
    assert indexed(data) == before
    assert before["ferry"].boilerplate == (Boilerplate("related", "ALSO READ: Ten ferries"),)
    assert status(data).healthy


def test_a_second_writer_is_refused(index: Run, texts: Path, tmp_path: Path) -> None:
    """While another is at it, indexing ends at once and changes nothing."""
    with locked(tmp_path / "data"), pytest.raises(IndexLocked, match="Another process is indexing"):
        index(texts)
    assert current(tmp_path / "data") is None


@pytest.mark.process
def test_a_killed_run_leaves_old_or_new(tmp_path: Path, weights: Path) -> None:
    """Killed at any moment, each article is wholly as it was or as it is; the next run completes the index."""
    assert sum(torment(tmp_path, weights, kills=3, articles=20).values()) == 3


def test_a_file_that_cannot_be_read_is_not_remembered(tmp_path: Path, weights: Path) -> None:
    """Else every later run without a path would fail for a path that was named by mistake."""
    write(tmp_path / "articles", "frost", "Frost spoiled the orchards of Carrow.")
    (tmp_path / "scan.pdf").write_bytes(b"%PDF")
    assert [failure.path for failure in run(tmp_path / "data", [tmp_path / "scan.pdf"], weights).failed]
    run(tmp_path / "data", [tmp_path / "articles"], weights)
    assert run(tmp_path / "data", [], weights).failed == ()


def test_an_outlet_gets_one_name_also_in_what_is_indexed_already(index: Run, tmp_path: Path) -> None:
    """A page that names its site well renames the articles of an earlier run, and a second run changes nothing."""
    folder = tmp_path / "pages"
    folder.mkdir()

    def page(name: str, site: str) -> None:
        head = (
            f'<meta property="og:site_name" content="{site}"><link rel="canonical" href="https://post.example/{name}">'
        )
        text = f"<html><head>{head}</head><body><article><p>{prose(8)}</p></article></body></html>"
        (folder / f"{name}.html").write_text(text, encoding="utf-8")

    page("a", "post.example")
    index(folder)
    assert indexed(tmp_path / "data")["a"].source.outlet == "post.example"
    page("b", "Norvik Post")
    page("c", "NP")
    index(folder)
    assert {article.source.outlet for article in indexed(tmp_path / "data").values()} == {"Norvik Post"}
    assert index(folder).unchanged == 3
