"""`clippings export`, `import` and `backup`: nothing is lost on the way, and nothing hostile comes in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot import serialize
from bot.cli.parser import main
from bot.settings import load_settings, portable, variables
from bot.slack.database import Database
from index import archive as archives
from index.archive import ARTICLES, EDITIONS, FEEDBACK, FORMAT, Archive, writing
from index.models import ClippingsError, IndexDamaged, IndexMissing
from index.removal import remove
from index.search import Searcher
from index.storage.catalogue_sqlite import SQLiteCatalogue
from index.storage.data_folder import generations
from index.storage.home import Folder, Home
from index.storage.servers import Servers
from index.transfer import export_index, import_index
from tests.corpus import BOTH_HOMES, run, write
from tests.fakes.examples import ANSWER

Output = pytest.CaptureFixture[str]
LIE = "The mill of Greyford was sold to a circus."
SECRET = "xoxb-not-for-archives"
# Imports into two folders, each in a process that ends as if it were killed when the articles are in.
DIE = """
import os, pathlib, sys, index.archive, index.storage.home, index.transfer
archive, weights, *folders = map(pathlib.Path, sys.argv[1:])
for folder in folders:
    if not (child := os.fork()):
        index.transfer.import_index(
            index.storage.home.Folder(folder), index.archive.Archive(archive), model_dir=weights, replace=True,
            follow=True, progress=lambda done, total: os._exit(9),
        )
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
"""


@pytest.fixture(autouse=True)
def _clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key in list(os.environ):
        if key in variables().values() and key != "CLIPPINGS_MODEL_DIR":
            monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)


def quiet(_done: int, _total: int) -> None:
    """Show no progress."""


@pytest.fixture(scope="module")
def small(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two articles and a removed one, indexed from a folder that is remembered."""
    folder = tmp_path_factory.mktemp("small")
    write(folder / "texts", "mill", "The mill of Greyford lost a sail.", outlet="The Courier")
    write(folder / "texts", "octopus", "An aquarium in Easterby got an octopus. “It swims,” said Ann Lee.")
    write(folder / "texts", "gone", "A theatre in Fernhollow burned down.")
    run(folder / "data", [folder / "texts"], weights)
    remove(folder / "data", [str(folder / "texts" / "gone.md")])
    return folder / "data"


@pytest.fixture(scope="module")
def good(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of it, with vectors."""
    return exported(Folder(small), tmp_path_factory.mktemp("good") / "good.zip", vectors=True)


def exported(home: Home, file: Path, *, vectors: bool = False) -> Path:
    """An archive of an index."""
    with writing(file) as archive:
        archive.manifest(export_index(home, archive, vectors=vectors, progress=quiet))
    return file


def imported(home: Home, file: Path, weights: Path, *, replace: bool = False, follow: bool = False) -> Any:
    """Import an archive."""
    with Archive(file) as archive:
        archive.verify()
        return import_index(home, archive, model_dir=weights, replace=replace, follow=follow, progress=quiet)


def contents(home: Home) -> dict[str, Any]:
    """All that an index holds, in an order of its own."""
    name = home.current()
    assert name
    with closing(home.open(name)) as opened:
        catalogue = opened.catalogue
        catalogue.check()
        names = [identity for identity, _ in catalogue.paths()]
        return {
            "fingerprint": opened.fingerprint,
            "articles": [(catalogue.article(name), catalogue.known(name), catalogue.chunk_ids(name)) for name in names],
            "quotations": [catalogue.quotations(article=name) for name in names],
            "editions": catalogue.editions(),
            "dirty": catalogue.get("dirty") or "",
            "vectors": {
                name: vector.tobytes() for name, vector in opened.store.vectors(list(opened.store.ids())).items()
            },
        }


@BOTH_HOMES
def test_an_index_moves_there_and_back(home: Home, small: Path, weights: Path, tmp_path: Path) -> None:
    """Into an empty place and back into a folder: articles, digests, versions, quotations and vectors are the same."""
    there = imported(home, exported(Folder(small), tmp_path / "there.zip", vectors=True), weights)
    assert (there.articles, there.replaced, there.chunks_embedded) == (2, 0, 0)
    assert contents(home) == contents(Folder(small))
    back = Folder(tmp_path / "back")
    assert imported(back, exported(home, tmp_path / "back.zip", vectors=True), weights).chunks_embedded == 0
    assert contents(back) == contents(Folder(small))


def test_what_goes_without_vectors_is_embedded(small: Path, weights: Path, tmp_path: Path) -> None:
    """All else is the same. An embedding depends a little on the texts that are embedded with it."""
    home = Folder(tmp_path / "data")
    assert imported(home, exported(Folder(small), tmp_path / "without.zip"), weights).chunks_embedded == 2
    first, second = contents(home), contents(Folder(small))
    assert list(first.pop("vectors")) == list(second.pop("vectors"))
    assert first == second


@BOTH_HOMES
def test_what_is_there_is_replaced_only_if_asked(home: Home, good: Path, weights: Path, tmp_path: Path) -> None:
    """And then at once: a reader sees the old articles or the new ones, and another import follows as well."""
    write(tmp_path / "texts", "own", "A lighthouse keeper retired.")
    run(home, [tmp_path / "texts"], weights)
    before = contents(home)
    with pytest.raises(ClippingsError, match=r" holds 1 article, so nothing was imported.*--replace"):
        imported(home, good, weights)
    assert contents(home) == before
    with closing(Searcher(home)) as searcher:
        assert searcher.catalogue.counts()[0] == 1
        assert imported(home, good, weights, replace=True).replaced == 1
        assert searcher.catalogue.counts()[0] == 2
        assert imported(home, good, weights, replace=True).replaced == 2


@BOTH_HOMES
def test_an_export_is_of_one_moment(home: Home, weights: Path, tmp_path: Path) -> None:
    """While it is written, an indexer changes and removes articles; the archive has them as they were before."""
    for name in ("a", "b", "c"):
        write(tmp_path / "texts", name, f"The mill {name} lost a sail.")
    run(home, [tmp_path / "texts"], weights)
    before = contents(home)

    def change(done: int, _total: int) -> None:
        if done == 1:
            (tmp_path / "texts" / "c.md").unlink()
            write(tmp_path / "texts", "b", "The mill b has a new sail.")
            with closing(Servers(*_arguments(home)) if isinstance(home, Servers) else home) as other:
                assert run(other, [tmp_path / "texts"], weights, prune=True).changed == 1

    with writing(tmp_path / "moment.zip") as archive:
        archive.manifest(export_index(home, archive, vectors=True, progress=change))
    assert contents(home) != before
    again = Folder(tmp_path / "again")
    assert imported(again, tmp_path / "moment.zip", weights).chunks_embedded == 2  # whose vectors were gone
    after = contents(again)
    assert after.pop("vectors").keys() == before.pop("vectors").keys()
    assert after == before


def _arguments(home: Servers) -> tuple[str, str]:
    return home._database_url, home._chroma[0]


@pytest.mark.process
def test_a_killed_import_has_changed_nothing(small: Path, good: Path, weights: Path, tmp_path: Path) -> None:
    """In an empty folder there is still nothing, in another one the old articles; the next import works."""
    empty, full = Folder(tmp_path / "empty"), Folder(shutil.copytree(small, tmp_path / "full"))
    before = contents(full)
    command = [sys.executable, "-c", DIE, *map(str, (good, weights, empty.data, full.data))]
    subprocess.run(command, check=True, timeout=60)
    assert [len(generations(home.data)) for home in (empty, full)] == [1, 2]
    assert empty.current() is None
    with pytest.raises(IndexMissing):
        exported(empty, tmp_path / "nothing.zip")
    assert contents(full) == before
    assert run(full, [], weights).unchanged == 2
    assert len(generations(full.data)) == 1
    assert imported(empty, good, weights).articles == 2
    assert contents(empty) == before


def test_what_is_read_again_is_taken_over_only_if_asked(small: Path, good: Path, weights: Path, tmp_path: Path) -> None:
    """An archive of a stranger's cannot make `clippings index` read files of this machine."""
    for follow in (False, True):
        home = Folder(tmp_path / str(follow))
        done = imported(home, good, weights, follow=follow)
        assert done.paths == (str(small.parent / "texts"),)
        with closing(home.open_catalogue(str(home.current()))) as catalogue:
            assert json.loads(catalogue.get("roots") or "[]") == (list(done.paths) if follow else [])
            assert (catalogue.get("indexed_at") or "") > "2026"
    assert run(Folder(tmp_path / "True"), [], weights).unchanged == 2


def test_a_damaged_index_is_replaced_if_asked(small: Path, good: Path, weights: Path, tmp_path: Path) -> None:
    """That is what a backup is for."""
    home = Folder(shutil.copytree(small, tmp_path / "damaged"))
    file = home.data / str(home.current()) / "catalogue.sqlite"
    file.write_bytes(b"x" * file.stat().st_size)
    with pytest.raises(IndexDamaged):
        imported(home, good, weights)
    assert imported(home, good, weights, replace=True).replaced == 0
    assert contents(home) == contents(Folder(small))


def lie(good: Path, **source: str) -> bytes:
    """An article of an archive with an invented text, and other fields of its source."""

    def forge(entry: Any) -> None:
        entry["article"]["body"] = LIE
        entry["article"]["source"].update(source)

    return line(good, forge, "mill")


def body(home: Home, name: str) -> str:
    """The text that an index holds of an article."""
    with closing(home.open_catalogue(str(home.current()))) as catalogue:
        articles = [catalogue.article(each) for each, _ in catalogue.paths() if each.startswith(name)]
        return "".join(article.body for article in articles if article)


@BOTH_HOMES
def test_the_text_of_a_file_wins_over_an_archives(home: Home, good: Path, weights: Path, tmp_path: Path) -> None:
    """Whatever digest and version an archive states; what was true is unchanged, not embedded, and read once."""
    with zipfile.ZipFile(good) as source:
        true, versions = source.read(ARTICLES).splitlines(keepends=True), source.read(EDITIONS)
    articles = lie(good) + b"".join(each for each in true if b"The mill" not in each)
    versions += json.dumps([json.loads(lie(good))["article"]["source"]["id"], "9999-01-01", ""]).encode() + b"\n"
    file = forged(good, tmp_path / "forged.zip", {ARTICLES: articles, EDITIONS: versions})
    imported(home, file, weights, follow=True)
    again = Folder(tmp_path / "again")
    imported(again, exported(home, tmp_path / "again.zip"), weights, follow=True)
    for place in (home, again):
        assert body(place, "mill") == LIE
        done = run(place, [], weights)
        assert (done.changed, done.unchanged, done.chunks_embedded, done.superseded) == (1, 1, 1, 0)
        assert body(place, "mill") == "The mill of Greyford lost a sail."
        assert run(place, [], weights).unchanged == 2
        with closing(place.open_catalogue(str(place.current()))) as catalogue:
            assert not catalogue.imported()


def test_a_file_is_the_article_that_it_is(good: Path, weights: Path, tmp_path: Path) -> None:
    """An archive's article of another id under its name is removed without --prune; one of no file here stays."""
    articles = lie(good, id="lie") + lie(good, id="other", path=str(tmp_path / "gone.md"))
    home, file = Folder(tmp_path / "data"), forged(good, tmp_path / "forged.zip", {ARTICLES: articles})
    imported(home, file, weights, follow=True)
    done = run(home, [], weights)
    assert (done.added, done.removed, done.gone) == (2, 1, 0)
    with closing(home.open_catalogue(str(home.current()))) as catalogue:
        assert {name.partition("-")[0] for name, _ in catalogue.paths()} == {"mill", "octopus", "other"}


def test_a_rebuilt_index_still_reads_what_was_imported(good: Path, weights: Path, tmp_path: Path) -> None:
    """The note that an article comes from an archive is taken over; an article of another file's name is replaced."""
    home, article = Folder(tmp_path / "data"), lie(good, path=str(tmp_path))
    imported(home, forged(good, tmp_path / "forged.zip", {ARTICLES: article}), weights, follow=True)
    with closing(SQLiteCatalogue(home.data / str(home.current()) / "catalogue.sqlite")) as catalogue:
        catalogue.set("fingerprint", "of another version")
    done = run(home, [], weights)
    assert (bool(done.rebuilt), done.added, done.changed, done.failed) == (True, 1, 1, ())
    assert body(home, "mill") == "The mill of Greyford lost a sail."


# Hostile archives


def forged(good: Path, file: Path, members: dict[str, bytes | None], /, **manifest: object) -> Path:
    """A copy of an archive with other members and other values in its manifest, which vouches for them."""
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        texts = {name: source.read(name) for name in source.namelist()}
        stated = json.loads(texts.pop("manifest.json"))
        for name, text in {**texts, **members}.items():
            if text is None:
                stated["members"].pop(name, None)
                continue
            target.writestr(name, text)
            stated["members"][name] = {"lines": text.count(b"\n"), "sha256": sha256(text).hexdigest()}
        target.writestr("manifest.json", json.dumps(stated | manifest))
    return file


def line(good: Path, change: Callable[[Any], object], name: str = "") -> bytes:
    """The first article of an archive whose id begins with a name, changed."""
    with zipfile.ZipFile(good) as source:
        entries = map(json.loads, source.read(ARTICLES).splitlines())
    entry = next(entry for entry in entries if entry["article"]["source"]["id"].startswith(name))
    change(entry)
    return json.dumps(entry).encode() + b"\n"


FORGERIES: dict[str, tuple[Callable[[Path], dict[str, bytes | None]], dict[str, object], str]] = {
    "a path": (lambda _: {"../evil.txt": b"x\n"}, {}, "it holds files that no export has"),
    "another member": (lambda _: {"notes.txt": b"x\n"}, {}, "it holds files that no export has"),
    "a missing member": (lambda _: {EDITIONS: None}, {"members": {EDITIONS: {"lines": 0}}}, "members are not those"),
    "a bomb": (lambda _: {ARTICLES: bytes(30_000_000)}, {}, r"it would unpack to 30,\d{3},\d{3} bytes"),
    "a newer format": (lambda _: {}, {"format": FORMAT + 1}, "a newer version of Clippings .* install it here"),
    "no format": (lambda _: {}, {"format": "x"}, "its manifest is none"),
    "no members": (lambda _: {}, {"members": []}, "its manifest names no members"),
    "no article": (lambda _: {ARTICLES: b"[]\n"}, {}, "a line of articles.jsonl is no article"),
    "no JSON": (lambda _: {ARTICLES: b"{" * 5_000 + b"\n"}, {}, "a line of articles.jsonl is no article"),
    "no id": (lambda good: {ARTICLES: line(good, lambda e: e["article"]["source"].update(id=""))}, {}, "no article"),
    "no date": (
        lambda good: {ARTICLES: line(good, lambda e: e["article"]["source"].update(published="x"))}, {}, "no article",
    ),
    "a NUL": (lambda good: {ARTICLES: line(good, lambda e: e["article"].update(body="a\0b"))}, {}, "no article"),
    "half a character": (
        lambda good: {ARTICLES: line(good, lambda e: e["article"].update(body="a\ud800b"))}, {}, "no article",
    ),
    "no edition": (lambda _: {EDITIONS: b'["a", "b"]\n'}, {}, "a line of editions.jsonl is no version of a story"),
    "another state": (lambda _: {EDITIONS: b'["a", "b", "c"]\n'}, {}, "is no version of a story"),
    "no notes": (lambda _: {}, {"notes": {"roots": "/etc"}}, "its manifest has notes that cannot be read"),
    "no time": (lambda _: {}, {"indexed_at": "today"}, "its manifest has notes that cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_hostile_archive_is_refused(forgery: str, good: Path, weights: Path, tmp_path: Path) -> None:
    """With the reason, and nothing is written outside or left in the index."""
    members, manifest, message = FORGERIES[forgery]
    file = forged(good, tmp_path / "forged.zip", members(good), **manifest)
    home = Folder(tmp_path / "data")
    with pytest.raises(ClippingsError, match=rf"forged\.zip cannot be imported: .*{message}.* Nothing was changed"):
        imported(home, file, weights)
    assert home.current() is None
    assert not list(tmp_path.parent.glob("evil*"))


def test_lines_have_a_greatest_length(
    good: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that memory stays flat, whatever an archive holds."""
    monkeypatch.setattr(archives, "MAX_LINE_BYTES", 100)
    with pytest.raises(ClippingsError, match=r"a line of articles\.jsonl is longer than 100 bytes"):
        imported(Folder(tmp_path / "data"), good, weights)


@given(st.integers(0, 10**9), st.integers(0, 255), st.booleans())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_is_refused_or_whole(good: Path, tmp_path: Path, at: int, byte: int, cut: bool) -> None:  # noqa: FBT001
    """Whichever byte is another, or wherever it ends: what is read is what was written."""
    content = bytearray(good.read_bytes())
    content[at % len(content)] = byte
    file = tmp_path / "damaged.zip"
    file.write_bytes(content[: at % len(content)] if cut else content)
    try:
        with Archive(file) as damaged, Archive(good) as whole:
            damaged.verify()
            for name in (ARTICLES, EDITIONS):
                assert list(damaged.lines(name)) == list(whole.lines(name))
    except ClippingsError:
        pass


@pytest.mark.parametrize("vectors", ["", "AAAA", "?", "AAAA" * 512])
def test_vectors_that_are_none_are_computed(vectors: str, good: Path, weights: Path, tmp_path: Path) -> None:
    """A vector of the wrong length, or that is no unit vector, is not taken over."""

    def spoil(entry: Any) -> None:
        entry["vectors"] = dict.fromkeys(entry["vectors"], vectors)

    file = forged(good, tmp_path / "forged.zip", {ARTICLES: line(good, spoil)})
    home = Folder(tmp_path / "data")
    assert imported(home, file, weights).chunks_embedded == 1


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x05\x06" + bytes(18)])
def test_no_archive_at_all(content: bytes, tmp_path: Path) -> None:
    """Another file, or a zip of something else, is said to be none."""
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ClippingsError, match=r"x\.zip cannot be imported: it is .*no export of Clippings"):
        Archive(tmp_path / "x.zip")
    with pytest.raises(ClippingsError, match=r"absent\.zip cannot be read: No such file"):
        Archive(tmp_path / "absent.zip")


# The command line


@pytest.fixture
def data(small: Path, tmp_path: Path) -> Path:
    """The folder `data`, with an answer that two people had an opinion of."""
    shutil.copytree(small, tmp_path / "data")
    with closing(Database.in_folder(tmp_path / "data")) as database:
        database.keep_answer("T1/C1/1.0", serialize.answer(ANSWER), "quoted")
        database.give_feedback("T1/C1/1.0", "U1", helpful=True)
        database.give_feedback("T1/C1/1.0", "U2", helpful=False, reason="too short")
    return tmp_path / "data"


def printed(capsys: Output, *arguments: str) -> Any:
    """The JSON that a command prints, without a complaint."""
    assert main([*arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_articles_feedback_and_settings_go_along(
    data: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No secret does. Feedback is added once, however often an archive is imported."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", SECRET)
    monkeypatch.setenv("CLIPPINGS_LLM", f"openai-like:https://user:{SECRET}@llm.example/v1#small")
    monkeypatch.setenv("CLIPPINGS_SLACK_ADMINS", "U2,U1")
    written = printed(capsys, "--data", "data", "export", "all.zip")
    size = (tmp_path / "all.zip").stat().st_size
    assert written == {"file": "all.zip", "bytes": size, "articles": 2, "feedback": 2, "vectors": False}
    assert (tmp_path / "all.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile("all.zip") as archive:
        assert SECRET.encode() not in b"".join(map(archive.read, archive.namelist()))
    monkeypatch.delenv("CLIPPINGS_SLACK_ADMINS")
    read = printed(capsys, "--data", "other", "import", "all.zip")
    assert (read["articles"], read["replaced"], read["chunks_embedded"], read["feedback"]) == (2, 0, 2, 2)
    assert read["settings"] == {"CLIPPINGS_SLACK_ADMINS": "U1,U2"}
    assert read["followed"] is False
    for folder in ("data", "other"):
        assert main(["--data", folder, "feedback", "--json"]) == 0
    first, second = capsys.readouterr().out.splitlines()[:2], capsys.readouterr()
    assert len(first) == 2
    assert second.err == ""
    assert printed(capsys, "--data", "other", "import", "all.zip", "--replace")["feedback"] == 0
    with closing(Database.in_folder(data)) as ours, closing(Database.in_folder(Path("other"))) as theirs:
        assert list(ours.feedback()) == list(theirs.feedback())


def test_backups_are_named_by_the_time(data: Path, capsys: Output, tmp_path: Path) -> None:
    """In a folder; a file that exists is never written over. What is to be done is said in words."""
    (tmp_path / "backups").mkdir()
    written = printed(capsys, "--data", str(data), "backup", "backups", "--vectors")
    [file] = (tmp_path / "backups").iterdir()
    assert written["file"] == f"backups/{file.name}"
    assert main(["--data", str(data), "export", str(file)]) == 1
    assert capsys.readouterr().err == f"{file} exists. Name another file, or remove it.\n"
    assert main(["--data", "other", "import", str(file)]) == 0
    assert capsys.readouterr().out.startswith(
        "2 articles, 0 chunks embedded; 2 opinions added.\nNot taken over, but with --follow, to be read again by "
    )
    assert main(["--data", "other", "import", str(file)]) == 1
    assert "--replace" in capsys.readouterr().err
    assert main(["--data", "none", "export", "backups/none.zip"]) == 1
    assert "Nothing has been indexed in none" in capsys.readouterr().err
    assert len(list((tmp_path / "backups").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["backup", "nowhere/"], "There is no folder nowhere. Make it, or name a file that ends in .zip.\n"),
        (["export", "all.TAR"], "The archive is a zip, and no .TAR. Name a file that ends in .zip.\n"),
    ],
)
def test_a_place_that_misleads_is_refused(
    data: Path, capsys: Output, tmp_path: Path, arguments: list[str], why: str
) -> None:
    """A folder that is not there is no name of a file, and no archive is named as what it is not."""
    before = sorted(tmp_path.iterdir())
    assert main(["--data", str(data), *arguments]) == 1
    assert capsys.readouterr().err == why
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("opinion", [b"{}", b"[]", b'{"key": "k"}', b"\xff"])
def test_hostile_feedback_is_refused(opinion: bytes, good: Path, capsys: Output, tmp_path: Path) -> None:
    """Before any article is imported."""
    forged(good, tmp_path / "forged.zip", {FEEDBACK: opinion + b"\n"})
    assert main(["--data", "data", "import", "forged.zip"]) == 1
    assert "a line of feedback.jsonl is no opinion" in capsys.readouterr().err
    assert Folder(tmp_path / "data").current() is None


def test_a_setting_goes_along_unless_it_is_a_secret_or_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is set: neither tokens, nor addresses and folders, but whom the bot answers."""
    values = {"CLIPPINGS_SLACK_GUESTS": "true", "CLIPPINGS_SLACK_PER_PERSON": "7", "CLIPPINGS_LLM": "openai:small"}
    places = {"DATABASE_URL": "postgresql://u:p@h/n", "CHROMA_URL": "http://u:p@h:1", "CLIPPINGS_DATA": "x"}
    for name, value in {**values, **places, "OPENAI_API_KEY": SECRET}.items():
        monkeypatch.setenv(name, value)
    assert portable(load_settings()) == {**values, "CLIPPINGS_SLACK_GUESTS": "True"}
