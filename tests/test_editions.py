"""What becomes of a story over time: versions, corrections, embargoes, kills, and what a user removes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.parser import main
from index.storage.home import at
from tests import documents
from tests.corpus import write
from tests.fakes.parts import REPORT, FakeParts

Run = Callable[..., tuple[int, str, str]]
QUESTION = "How did the council of Arden vote?"


@pytest.fixture
def run(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command: its exit code, and what it printed on both streams."""
    monkeypatch.setenv("CLIPPINGS_MODEL_DIR", str(weights))
    monkeypatch.setenv("CLIPPINGS_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        return code, *capsys.readouterr()

    return call


def send(folder: Path, name: str, **edition: object) -> None:
    """Put a version of the story into a folder, as an agency does: each in a file of its own."""
    folder.mkdir(exist_ok=True)
    votes, make = str(edition.pop("votes", "12 to 7")), documents.newsml
    text = documents.PARAGRAPHS.replace("12 to 7", votes)
    (folder / name).write_text(make(body=text, **edition))  # type: ignore[arg-type]  # its keywords


@pytest.mark.process
def test_a_correction_replaces_and_is_said(run: Run, tmp_path: Path) -> None:
    """Whatever the order of the files; the older version stays out, in later runs too, and the note is shown."""
    wire = tmp_path / "wire"
    send(wire, "b.xml", version=1)
    assert run("index", "wire")[1].startswith("1 added")
    send(wire, "a.xml", version=2, votes="15 to 4", note="Corrects the vote.")
    for counts in ("0 added, 1 changed, 0 unchanged", "0 added, 0 changed, 1 unchanged"):
        code, out, _ = run("index", "wire")
        assert (code, out.startswith(counts)) == (0, True)
        assert "Older versions of stories, left out: 1." in out
    answer = json.loads(run("ask", QUESTION, "--json")[1])
    assert "15 to 4" in answer["text"]
    assert answer["notice"] == f"{documents.TITLE} — correction: Corrects the vote."
    assert "correction: Corrects the vote." in run("show", "urn:newsml:arden:weir")[1]


@pytest.mark.process
def test_a_version_whose_file_is_gone_is_gone(run: Run, tmp_path: Path) -> None:
    """Though an older one is still there, which stays out; a version in another folder is not missed."""
    wire, later = tmp_path / "wire", tmp_path / "later"
    send(wire, "a.xml", version=1)
    send(later, "b.xml", version=2, votes="15 to 4")
    run("index", "wire", "later")
    assert "gone" not in run("index", "wire")[1]
    (later / "b.xml").unlink()
    assert "Articles whose files are gone: 1." in run("index")[1]
    assert run("index", "--prune")[1].startswith("0 added, 0 changed, 0 unchanged, 1 removed")
    assert run("index", "--prune")[1].startswith("0 added, 0 changed, 0 unchanged, 0 removed")
    assert run("ask", QUESTION)[0] == 3
    send(wire, "a.xml", version=3)
    assert run("index")[1].startswith("1 added")


@pytest.mark.process
@pytest.mark.parametrize("status", ["canceled", "withheld"])
def test_a_killed_story_leaves_the_index(run: Run, tmp_path: Path, status: str) -> None:
    """And stays out, though its file is still there; a later version brings it back."""
    wire = tmp_path / "wire"
    send(wire, "a.xml", version=1)
    run("index", "wire")
    send(wire, "b.xml", version=2, status=status)
    assert run("index", "wire")[1].startswith("0 added, 0 changed, 0 unchanged, 1 removed")
    for _ in range(2):
        code, out, _ = run("index", "wire")
        assert (code, out.startswith("0 added, 0 changed, 0 unchanged, 0 removed")) == (0, True)
        assert "Stories that their sender has withdrawn, and that are not indexed: 1." in out
    assert run("ask", QUESTION)[0] == 3
    send(wire, "c.xml", version=3, votes="15 to 4")
    assert run("index", "wire")[1].startswith("1 added")
    assert "15 to 4" in run("ask", QUESTION)[1]


@pytest.mark.process
def test_a_kill_in_the_same_run_counts(run: Run, tmp_path: Path) -> None:
    """In whatever order the two are read."""
    for first, second in (("a.xml", "b.xml"), ("d.xml", "c.xml")):
        wire = tmp_path / first[0]
        send(wire, first, version=1)
        send(wire, second, version=2, status="canceled")
        assert run("index", "--data", str(tmp_path / f"data-{first}"), str(wire))[1].startswith("0 added")


@pytest.mark.process
def test_a_draft_is_counted_and_left_out_until_it_is_published(run: Run, tmp_path: Path) -> None:
    """One that was published before leaves the index."""
    post = {"link": "https://arden.example/weir", "content": {"rendered": documents.PARAGRAPHS}}
    steps = (("draft", "02", "0 added"), ("publish", "02", "1 added"), ("private", "03", "0 added"))
    for status, day, counts in (*steps, ("publish", "04", "1 added")):
        stated = {**post, "status": status, "modified_gmt": f"2024-05-{day}T10:00:00"}
        (tmp_path / "posts.json").write_text(json.dumps([stated]))
        code, out, _ = run("index", "posts.json")
        assert (code, out[:7]) == (0, counts)
        assert ("Posts that are not published, left out: 1." in out) is (status != "publish")
        assert run("ask", QUESTION)[0] == (0 if status == "publish" else 3)


@pytest.mark.process
def test_a_story_under_embargo_waits(run: Run, tmp_path: Path) -> None:
    """It is read by the first run after its time."""
    wire = tmp_path / "wire"
    send(wire, "a.xml", embargo=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    code, out, _ = run("index", "wire")
    assert (code, "Stories under embargo, to be read by a later run: 1." in out) == (0, True)
    assert run("ask", QUESTION)[0] == 3
    send(wire, "a.xml", embargo=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    assert run("index", "wire")[1].startswith("1 added")


def test_a_corrected_record_replaces_the_old_one(run: Run, tmp_path: Path) -> None:
    """Known by its address, in the same file or in a log that only grows."""
    log, url = tmp_path / "log.jsonl", "https://arden.example/weir"
    old, new = (
        {"url": url, "content": documents.STORY[0].replace("12 to 7", votes), "updatedAt": f"2024-05-0{day}T10:00:00Z"}
        for votes, day in (("12 to 7", 3), ("15 to 4", 4))
    )
    log.write_text(json.dumps(old))
    assert run("index", "log.jsonl")[1].startswith("1 added")
    log.write_text(f"{json.dumps(old)}\n{json.dumps(new)}")
    assert run("index", "log.jsonl")[1].startswith("0 added, 1 changed")
    assert run("index", "log.jsonl")[1].startswith("0 added, 0 changed, 1 unchanged")
    assert "15 to 4" in run("ask", QUESTION)[1]


@pytest.mark.process
def test_what_is_removed_stays_out_until_it_is_restored(run: Run, tmp_path: Path) -> None:
    """By id, file, folder, outlet or age; a word that means nothing removes nothing."""
    news = tmp_path / "news"
    for name, outlet, year in (
        ("weir", "Post", 2020),
        ("pier", "Echo", 2024),
        ("bees", "Echo", 2024),
        ("frost", "Sun", 2024),
    ):
        when = datetime(year, 1, 1, tzinfo=UTC).date()
        write(news, name, f"The {name} of Arden was in the news on Monday.", outlet=outlet, published=when)
    run("index", "news")
    code, _, err = run("remove", "Echo", "Nobody")
    reason = "No article has the id, file, folder, address, outlet or headline 'Nobody'. None was removed.\n"
    assert (code, err) == (1, reason)
    assert "2 removed." in run("remove", "echo")[1]
    assert "1 removed." in run("remove", "--older-than", "2021-01-01")[1]
    assert json.loads(run("remove", "news/frost.md", "--json")[1])["removed"][0]["outlet"] == "Sun"
    code, out, _ = run("index", "news")
    assert (code, out.startswith("0 added, 0 changed, 0 unchanged")) == (0, True)
    assert "Articles that `clippings remove` removed, left out: 4." in out
    assert run("index", "--restore")[1].startswith("4 added")
    assert run("index")[1].startswith("0 added, 0 changed, 4 unchanged")


@pytest.mark.process
def test_a_file_is_removed_by_its_name_as_it_is_shown(run: Run, tmp_path: Path) -> None:
    """Also by a whole headline. A name of two files removes none, and lists both; no folder goes by its bare name.

    Nor does an article go by a few letters of its id.
    """
    for folder, name in (("north", "weir"), ("south", "weir"), ("south", "bees"), ("south", "storm")):
        write(tmp_path / "news" / folder, name, f"The {name} of the {folder} was in the news on Monday.")
    run("index", "news")
    weirs = ", ".join(str(tmp_path / "news" / folder / "weir.md") for folder in ("north", "south"))
    for command in ("show", "remove"):
        code, _, err = run(command, "weir.md")
        assert (code, err) == (1, f"weir.md may mean 2 articles. Choose from: {weirs}\n")
        assert run(command, "ir.md")[0] == run(command, "south/")[0] == 1
        assert run(command, "bees.md", "--json")[0] == 0
    storm = json.loads(run("show", "storm.md", "--json")[1])["id"]
    code, _, err = run("remove", storm[:7])
    hint = f"To remove by the beginning of an id, give 8 characters of it: {storm}. None was removed.\n"
    assert (code, err.partition("'. ")[2]) == (1, hint)
    assert "1 removed." in run("remove", storm[:8])[1]
    assert "1 removed." in run("remove", "north/weir.md")[1]
    assert "1 removed." in run("remove", "news/south")[1]


@pytest.mark.process
def test_an_index_is_as_fresh_as_what_was_read(run: Run, tmp_path: Path) -> None:
    """Not as a run that only failed; a run that finds nothing new has read all the same."""
    write(tmp_path / "news", "weir", "The weir of Arden was in the news on Monday.")
    run("index", "news")
    home, long_ago = at(tmp_path / "data"), "2020-01-01T00:00:00+00:00"
    with closing(home.open_catalogue(home.current() or "")) as catalogue:
        catalogue.set("indexed_at", long_ago)
    for arguments in (("index", "nowhere"), ("sources", "add", "http://127.0.0.1:9/feed")):
        assert run(*arguments)[0] == 1
        assert json.loads(run("status", "--json")[1])["indexed_at"] == long_ago
    assert run("index", "nowhere", "news")[1].startswith("0 added, 0 changed, 1 unchanged")
    assert json.loads(run("status", "--json")[1])["indexed_at"] > long_ago


@pytest.mark.process
def test_a_file_is_explained_as_an_index_of_its_folder_reads_it(run: Run, tmp_path: Path) -> None:
    """Folders above it give outlet and day; what an index was given for its folder counts."""
    folder = tmp_path / "news" / "Norvik Star" / "2024" / "01" / "25"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("\n\n".join(documents.STORY))

    def read_as() -> tuple[object, ...]:
        (article,) = json.loads(run("index", "--explain", str(folder / "a.txt"), "--json")[1])["articles"]
        return article["outlet"], article["published"], article["published_certain"]

    assert read_as() == ("Norvik Star", "2024-01-25", False)
    run("index", "news/Norvik Star", "--outlet", "Echo")
    assert read_as() == ("Echo", "2024-01-25", False)


def test_standard_input_is_read(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As what it is; what a folder does not say may be said for it. It is not missed by later runs."""
    record = json.dumps({"title": "Weir", "body": documents.STORY[0]})
    table = f'\ufeffTitle;Full Text\nWeir gone;"{documents.STORY[0]}"\n'
    contents = (
        (documents.TEXT, documents.TITLE),
        (record, "Weir"),
        (documents.page(), documents.TITLE),
        (table, "Weir gone"),
    )
    for content, headline in contents:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
        code, out, _ = run("index", "-", "--outlet", "The Grove", "--published", "2024-05-03")
        assert (code, out[:7]) == (0, "1 added")
        assert headline in run("ask", QUESTION)[1]
    assert "The Grove" in run("ask", QUESTION)[1]
    write(tmp_path / "news", "bees", "Keep bees away from the wind.")
    assert run("index", "news", "--prune")[1].startswith("1 added, 0 changed, 0 unchanged, 0 removed")


def test_a_name_that_is_not_utf_8_is_a_path(run: Run, tmp_path: Path) -> None:
    """As the system gives it, and no text."""
    name = os.fsdecode(b"caf\xe9.txt")
    (tmp_path / name).write_text("The weir is gone.")
    assert run("index", name)[1].startswith("1 added")


@pytest.mark.process
def test_defaults_of_a_folder_are_kept_for_later_runs(run: Run, tmp_path: Path) -> None:
    """They fill what an article does not say, and nothing else."""
    write(tmp_path / "news", "bees", "Keep bees away from the wind.")
    write(tmp_path / "news", "weir", "The weir is gone.", outlet="Post")
    run("index", "news", "--outlet", "The Grove", "--published", "2024-05-03")
    assert run("index")[1].startswith("0 added, 0 changed, 2 unchanged")
    status = json.loads(run("status", "--json")[1])
    assert (status["outlets"], status["first_published"]) == ({"Post": 1, "The Grove": 1}, "2024-05-03")


@pytest.mark.parametrize(
    ("skipped", "code"), [({".xlsx": 1}, 4), ({".png": 2, ".css": 1}, 0), ({".png": 1, "": 1}, 4), ({}, 0)]
)
def test_the_exit_code_tells_of_files_that_were_left_out(skipped: dict[str, int], code: int) -> None:
    """But not of pictures and the like, which lie beside articles everywhere."""
    parts = FakeParts()
    parts.report = replace(REPORT, skipped=skipped)
    assert main(["index", "articles"], parts=parts) == code


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """A shell starts what runs in its background with Ctrl-C ignored, and programs started from there inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.process(seconds=10)
@pytest.mark.usefixtures("_interruptible")
def test_a_folder_is_watched(tmp_path: Path, weights: Path) -> None:
    """What is put into it is read, also before the system watches it, and into one that holds the index itself."""
    write(tmp_path / "news", "bees", "Keep bees away from the wind.")
    command = [sys.executable, "-m", "bot", "--data", str(tmp_path / "news" / "data"), "index", str(tmp_path / "news")]
    surroundings = os.environ | {"CLIPPINGS_MODEL_DIR": str(weights), "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        [*command, "--watch"], cwd=tmp_path, env=surroundings, stdout=-1, stderr=-1, text=True
    ) as watcher:
        assert watcher.stdout
        assert watcher.stderr
        try:
            assert watcher.stdout.readline().startswith("1 added")
            assert watcher.stderr.readline() == "Watching; Ctrl-C ends it.\n"
            write(tmp_path / "news", "weir", "The weir is gone.")
            lines = iter(watcher.stdout.readline, "")
            assert next(line for line in lines if "added" in line).startswith("1 added, 0 changed, 1 unchanged")
        finally:
            watcher.send_signal(signal.SIGINT)
    assert watcher.returncode == 130
