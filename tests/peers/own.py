"""Our own questions over our own articles, as a set: for whoever has no other at hand."""

from __future__ import annotations

import json
from pathlib import Path

from bot.evaluation.metrics import contains
from bot.evaluation.run import ARTICLES, QUERIES
from index.clean import clean
from index.load import load
from index.models import RawRecord

_PROJECT = Path(__file__).parents[2]


def write_own(folder: Path) -> None:
    """Write the set. Relevant to a question are the articles that hold one of its answers: it names none itself."""
    articles = [clean(found) for found in load([_PROJECT / "articles"]) if isinstance(found, RawRecord)]
    asked = (_PROJECT / "tests" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in asked]
    for one in questions:
        answers = one.get("answers", ())
        one["relevant"] = [each.id for each in articles if any(contains(each.body, answer) for answer in answers)]
    rows = [{"id": each.id, "title": each.source.headline, "text": each.body} for each in articles]
    for name, lines in ((ARTICLES, rows), (QUERIES, questions)):
        (folder / name).write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
