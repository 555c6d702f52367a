"""Our own questions over our own articles, as a set: for whoever has no other at hand."""

from __future__ import annotations

import json
from pathlib import Path

from bot.evaluation.judge import contains
from bot.evaluation.questions import ARTICLES, QUERIES
from index.cleaning.clean import clean
from index.load import load
from index.models import RawRecord

_PROJECT = Path(__file__).parents[2]


def write_own(folder: Path) -> None:
    """Write the set. Relevant to a question are the articles that hold one of its answers: it names none itself."""
    articles = [clean(record) for record in load([_PROJECT / "articles"]) if isinstance(record, RawRecord)]
    lines = (_PROJECT / "tests" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    for question in questions:
        answers = question.get("answers", ())
        question["relevant"] = [
            article.id for article in articles if any(contains(article.body, answer) for answer in answers)
        ]
    rows = [{"id": article.id, "title": article.source.headline, "text": article.body} for article in articles]
    for name, records in ((ARTICLES, rows), (QUERIES, questions)):
        (folder / name).write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
