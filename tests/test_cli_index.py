"""`clippings index` and `index --explain`, driven by their arguments: what is printed where, and the exit codes."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.cli.parser import main
from index.explain import Explained, Paragraph
from index.models import Article, Failure, IndexLocked, Source
from tests.fakes.examples import ARTICLE, Terminal
from tests.fakes.parts import REPORT, FakeParts


@pytest.fixture(autouse=True)
def _clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key in list(os.environ):
        if key.upper().startswith("CLIPPINGS_"):
            monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)


Output = pytest.CaptureFixture[str]


def test_index_reports_what_it_did(capsys: Output) -> None:
    """The counts and the share of the embedding model are printed; without a terminal there is no bar."""
    parts = FakeParts()
    assert main(["index", "a", "b", "--prune"], parts=parts) == 0
    assert parts.indexed == [([Path("a"), Path("b")], True)]
    out, err = capsys.readouterr()
    assert out == (
        "3 added, 1 changed, 2 unchanged, 0 removed, 0 failed; 9 chunks embedded in 2.0 s.\n"
        "97 % of the time was spent in the embedding model\n"
    )
    assert err == ""


def test_index_names_failures_and_ends_with_4(capsys: Output) -> None:
    """A failure is a line, whatever its path contains, and the rest is done. Gone files and a rebuild are reported."""
    parts = FakeParts()
    failed = (Failure("a.txt", "it is empty"), Failure("b\n\x1b[2J\u202e.txt", "binary"))
    parts.report = replace(REPORT, failed=failed, gone=2, rebuilt="the chunking changed", unreached=6)
    assert main(["index"], parts=parts) == 4
    out, err = capsys.readouterr()
    assert err == "a.txt: it is empty\nb .txt: binary\n"
    assert "The whole index was rebuilt: the chunking changed.\nArticles kept though their files could not be" in out
    assert "Articles whose files are gone: 2. `clippings index --prune` removes them.\n" in out
    parts.report = replace(REPORT, added=0, changed=0, unchanged=0, removed=2, failed=failed)
    assert main(["index"], parts=parts) == 1


@pytest.mark.parametrize("force", [False, True])
def test_prune_may_be_forced(*, force: bool) -> None:
    """--force goes through."""
    parts = FakeParts()
    assert main(["index", "--prune", *["--force"] * force], parts=parts) == 0
    assert parts.forced is force


def test_index_reports_as_json(capsys: Output) -> None:
    """The failures are in the JSON, and nothing else is printed."""
    parts = FakeParts()
    parts.report = replace(REPORT, failed=(Failure("a.txt", "it is empty"),))
    assert main(["index", "--json"], parts=parts) == 4
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["failed"] == [{"path": "a.txt", "reason": "it is empty"}]
    assert (report["added"], report["chunks_embedded"], report["rebuilt"]) == (3, 9, None)
    assert err == ""


def test_index_draws_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, standard error shows the articles done of the total."""
    for name, value in {"TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["index", "a"], parts=FakeParts()) == 0
    assert "2/2" in terminal.getvalue()


def explained(article: Article = ARTICLE) -> Explained:
    """An article of a page with a caption below its first paragraph."""
    first, *others = [Paragraph(line, "") for line in article.body.split("\n")]
    return Explained(article, "HTML", "line 3", (first, Paragraph("The bridge at dawn", "caption"), *others))


def test_explain_shows_what_was_taken_for_what(capsys: Output) -> None:
    """The first records of a file, each paragraph in its place; nothing is indexed, and a bad one is a failure."""
    parts = FakeParts()
    undated = explained(replace(ARTICLE, source=Source("c3", "No date")))
    parts.explained = [explained(), Failure("x.jsonl", "line 2: no text"), undated, *[explained()] * 30]
    assert main(["index", "--explain", "x.jsonl"], parts=parts) == 4
    out, err = capsys.readouterr()
    assert "date:     2024-01-03 (read from: url)" in out
    assert (
        f"kind:     HTML\nplace:    line 3\n\n{ARTICLE.body.splitlines()[0]}\n\n  caption: The bridge at dawn\n" in out
    )
    assert "date:     no date" in out
    assert "(Only the first 20 records of the file are shown.)" in out
    assert err == "x.jsonl: line 2: no text\n"
    assert parts.indexed == []


def test_explain_as_json(capsys: Output) -> None:
    """The JSON contains the articles as `show` prints them, and the paragraphs."""
    parts = FakeParts()
    parts.explained = [explained()]
    assert main(["index", "--explain", "x.txt", "--json"], parts=parts) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["articles"][0]["furniture"] == [{"kind": "caption", "text": "The bridge\nat dawn"}]
    assert value["articles"][0]["paragraphs"][1] == {"text": "The bridge at dawn", "left_out": "caption"}
    assert (value["failed"], value["more"]) == ([], False)
    for failed in ([], [Failure("x.txt", "no text")]):
        parts.explained = [*failed]
        assert main(["index", "--explain", "x.txt"], parts=parts) == 1


def test_explain_as_a_page(tmp_path: Path, capsys: Output) -> None:
    """It holds no markup of an article, and no script; a folder that is not there is named."""
    parts, page = FakeParts(), tmp_path / "page.html"
    hostile = replace(ARTICLE, source=Source("c3", "<script>alert(1)</script>", outlet='"><img src=x onerror=y>'))
    parts.explained = [explained(hostile), Failure("<b>.txt", "no text")]
    assert main(["index", "--explain", "x.txt", "--html", str(page)], parts=parts) == 4
    written = page.read_text("utf-8")
    assert "<h2>&lt;script&gt;alert(1)&lt;/script&gt;</h2>" in written
    assert "<strong>caption:</strong> <del>The bridge at dawn</del>" in written
    assert not any(mark in written for mark in ("<script", "<img", "<b>"))
    assert capsys.readouterr().out == f"Written to {page}.\n"
    assert main(["index", "--explain", "x.txt", "--html", str(tmp_path / "no" / "p.html")], parts=parts) == 1
    assert capsys.readouterr().err.startswith("The report cannot be written to ")


def test_a_folder_without_articles_ends_with_1(capsys: Output) -> None:
    """What is read is named, and what was left out; a folder whose articles are gone is another matter."""
    parts = FakeParts()
    nothing: dict[str, Any] = dict.fromkeys(("added", "changed", "unchanged", "removed", "chunks_embedded"), 0)
    parts.report = replace(REPORT, **nothing, skipped={".pdf": 2, "": 1, **{f".k{number}": 1 for number in range(9)}})
    assert main(["index", "articles"], parts=parts) == 1
    out = capsys.readouterr().out
    assert "kind that is read: 2 .pdf, 1 without a known ending, 1 .k0, 1 .k1" in out
    assert "1 .k5 and 3 other kinds." in out
    assert "No article was found. What is read: plain text, Markdown, HTML, JSON," in out
    assert main(["index", "articles", "--json"], parts=parts) == 1
    assert json.loads(capsys.readouterr().out)["skipped"][".pdf"] == 2
    for changed in ({"gone": 2}, {"removed": 2}, {"unchanged": 1}):
        parts.report = replace(REPORT, **{**nothing, **changed})
        assert main(["index", "articles"], parts=parts) == 0
        assert "No article was found" not in capsys.readouterr().out


def test_a_share_without_articles_is_no_error(capsys: Output) -> None:
    """A scheduler would take an exit code of 1 for a failed job; a folder without any article is one."""
    parts = FakeParts()
    nothing: dict[str, Any] = dict.fromkeys(("added", "changed", "unchanged", "removed", "chunks_embedded"), 0)
    parts.report = replace(REPORT, **nothing, other_shards=4)
    assert main(["index", "articles", "--shard", "3/16"], parts=parts) == 0
    out = capsys.readouterr().out
    assert "No article of this share: the 4 that were found belong to other shares.\n" in out
    assert "What is read" not in out
    parts.report = replace(REPORT, **nothing)
    assert main(["index", "articles", "--shard", "3/16"], parts=parts) == 1


def test_a_locked_index_is_a_sentence(capsys: Output) -> None:
    """A second writer gets a message."""
    parts = FakeParts()
    parts.report = IndexLocked("Another process is writing.")
    assert main(["index", "a"], parts=parts) == 1
    assert capsys.readouterr() == ("", "Another process is writing.\n")
