"""What is made of a library's answers beside ours: `tests/peers`, without the libraries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.evaluation.questions import read_questions
from index.models import ClippingsError
from tests.peers.__main__ import measure_sets, table
from tests.peers.measure import Indexed, Material, run
from tests.peers.own import write_own


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """A set of two articles and two questions."""
    folder = tmp_path / "bridges"
    folder.mkdir()
    articles = [{"id": 7, "title": "Bridge", "text": "It reopened."}, {"id": "b", "title": "", "text": "It closed."}]
    queries = [{"id": 1, "question": "Who?", "relevant": ["7"]}, {"id": 2, "question": "When?", "relevant": ["b"]}]
    for name, rows in (("articles", articles), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def test_a_library_is_measured_by_article(questions: Path, tmp_path: Path) -> None:
    """Chunks of an article count once, at the place of the first; times are those that the library took."""

    def index(_material: Material) -> Indexed:
        return Indexed(lambda _known: (["7", "7", "b"], 5.0), seconds=3.0, embed_seconds=2.0)

    figures = run(index, questions, tmp_path / "scratch")

    assert figures["retrieval"]["hit@1"]["value"] == 0.5
    assert figures["retrieval"]["mrr@10"]["value"] == 0.75
    assert "| ours | 0.500 | 1.000 | 0.815 | 0.750 | 1.50 × 2.0 s | 5 |" in table("bridges", {"ours": figures})


def test_a_library_gets_every_article_in_its_form(questions: Path, tmp_path: Path) -> None:
    """First one article, to warm up, then all of them: as lines, as texts and as files, with the headline on top."""
    seen: list[Material] = []

    def index(material: Material) -> Indexed:
        seen.append(material)
        return Indexed(lambda _known: ([], 1.0), seconds=1.0, embed_seconds=1.0)

    run(index, questions, tmp_path / "scratch")

    assert [list(material.texts) for material in seen] == [["7"], ["7", "b"]]
    assert seen[1].texts == {"7": "Bridge\n\nIt reopened.", "b": "It closed."}
    assert [file.read_text(encoding="utf-8") for file in sorted(seen[1].files.iterdir())] == [*seen[1].texts.values()]
    assert len(seen[1].jsonl.read_text(encoding="utf-8").splitlines()) == 2


def test_a_library_that_failed_has_its_row() -> None:
    """A row says that it failed, under as many columns as there are."""
    rows = table("bridges", {"theirs": {}}).splitlines()

    assert rows[-1].count("failed") == rows[-2].count("---:")


def test_our_own_questions_are_a_set(tmp_path: Path) -> None:
    """Each that our articles answer names some of them and no other, each that they do not answer names none."""
    write_own(tmp_path)

    articles = {json.loads(line)["id"] for line in (tmp_path / "articles.jsonl").read_text("utf-8").splitlines()}
    questions_read = read_questions(tmp_path)
    assert len(articles) > 10
    assert len(questions_read) > 100
    assert all(
        bool(question.relevant) == question.has_answer and articles.issuperset(question.relevant)
        for question in questions_read
    )


def test_what_is_no_set_is_said_before_anything_is_measured(questions: Path, tmp_path: Path) -> None:
    """The second of two folders has no articles, and not even the first is measured."""
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "queries.jsonl").write_text('{"id": 1, "question": "Who?"}', encoding="utf-8")

    with pytest.raises(ClippingsError, match=r"bare/articles\.jsonl is no file"):
        measure_sets([questions, bare])
