"""The statements over articles/ that a check of statements is measured with."""

from __future__ import annotations

import html
import json
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def test_every_sentence_stands_in_an_article_and_has_an_honest_statement_and_a_false_one() -> None:
    """The cited sentence and the one before it are in articles/ to the letter."""
    files = [file.read_text(encoding="utf-8") for file in sorted((PROJECT / "articles").iterdir())]
    texts = html.unescape("\n".join(files).replace('\\"', '"'))
    lines = (PROJECT / "tests" / "statements.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({row["statement"] for row in rows}) == len(rows) == 150
    assert [(row["sentence"], row["supported"]) for row in rows[::2]] == [(row["sentence"], True) for row in rows[1::2]]
    assert not any(row["supported"] for row in rows[1::2])
    assert [row["id"] for row in rows if not (row["sentence"] in texts and row["before"] in texts)] == []
