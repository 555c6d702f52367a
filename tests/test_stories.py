"""The stories the reader is trained on: labels, sentences and spans fit the articles; what is held out is apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

STORIES = Path(__file__).parent / "stories"
TRAINED, HELD = sorted(STORIES.glob("*.jsonl")), sorted((STORIES / "held").glob("*.jsonl"))
KINDS = set("who what when where why how how_many said list yes_no which happened".split())
SHARED = {  # by chance, about different articles
    "Who brokered the settlement?",
    "death toll?",
    "how many people went for the job?",
    "who first noticed something was wrong?",
}


def _stories(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("file", [*TRAINED, *HELD], ids=lambda file: file.stem)
def test_labels_fit_the_articles(file: Path) -> None:
    """A sentence stands once in its body, a span once in its sentence; eight questions of 21 have no answer."""
    for story in _stories(file):
        assert all(story[key]["headline"] and story[key]["date"] for key in "ab")
        bodies = {key: story[key]["body"] for key in "ab"}
        unanswered = {1: 0, 2: 0}
        for question in story["questions"]:
            assert question["kind"] in KINDS
            answers = {key: question[key] for key in "ab" if question[key]}
            for key, answer in answers.items():
                assert bodies[key].count(answer["sentence"]) == 1, answer
                assert answer["sentence"].count(answer["span"]) == 1, answer
            unanswered[question.get("round", 1)] += not answers
            assert ("near" in question) == (not answers), question
            if answers and question["kind"] == "yes_no":
                assert question["verdict"] in ("yes", "no"), question
        assert (len(story["questions"]), unanswered) == (21, {1: 6, 2: 2})
        for statement in story["statements"]:
            assert bodies[statement["article"]].count(statement["evidence"]) == 1, statement
        labels = sorted(statement["label"] for statement in story["statements"])
        assert labels == ["contradicted"] * 2 + ["supported"] * 4 + ["unsaid"] * 2


def test_nothing_held_out_is_trained_on() -> None:
    """Neither an article nor a statement, nor a question except four that fit many stories."""

    def texts(files: list[Path]) -> tuple[set[str], set[str]]:
        stories = [story for file in files for story in _stories(file)]
        bodies = {story[key][part] for story in stories for key in "ab" for part in ("headline", "body")}
        statements = {statement["statement"] for story in stories for statement in story["statements"]}
        return bodies | statements, {question["question"] for story in stories for question in story["questions"]}

    (trained, trained_questions), (held, held_questions) = texts(TRAINED), texts(HELD)
    assert (len(TRAINED), len(HELD)) == (14, 3)
    assert not trained & held
    assert trained_questions & held_questions == SHARED
