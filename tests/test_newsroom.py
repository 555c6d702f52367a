"""The question set tests/newsroom.jsonl: its form, its answers, and its shares of kinds and refusals.

The questions were written from `articles/` alone, by a session that had not read the code that answers, as editors and
reporters type. They are for measuring: an answerer must not be tuned on their wording.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
QUESTIONS = [json.loads(line) for line in (ROOT / "tests" / "newsroom.jsonl").read_text("utf-8").splitlines()]
MIN_OF_A_KIND = {
    **dict.fromkeys(["compare", "reason", "several", "summary", "timeline", "total", "yes_no", "news"], 22),
    **dict.fromkeys(["who", "said", "fact", "list", "collection"], 40),
    "chitchat": 20,
}
FLAGS = {"every_answer": bool, "ordered": bool, "count": int, "verdict": str, "speaker": str, "wrong": list}
KEYS = {"id", "kind", "question", "answerable", "answers", "relevant", "history", "group", "asked", *FLAGS}
REPORTED_DIFFERENCE = "The articles differ"  # a wrong string that no article holds: two figures that do not disagree


def _article(path: Path) -> str:
    """The text of a file with its metadata: front matter and JSON values are kept, HTML tags are not."""
    text = path.read_text("utf-8")
    if path.suffix == ".jsonl":
        text = " ".join(value for line in text.splitlines() for value in json.loads(line).values())
    if path.suffix == ".html":
        text = re.sub(r"<[^>]*>", " ", re.sub(r"<(script|style)[^>]*>[^<]*</", " ", text))
    return text


def _fold(text: str) -> str:
    straight = html.unescape(text).translate(str.maketrans("’‘“”\u00a0", "''\"\" "))
    return " ".join(straight.casefold().split())


ARTICLES = {path.name: _fold(_article(path)) for path in (ROOT / "articles").iterdir()}


def test_questions_are_well_formed() -> None:
    """Ids and questions occur once, keys and kinds are those of the contract, and days are days."""
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS)
    asked = Counter((question["question"], json.dumps(question.get("history"))) for question in QUESTIONS)
    assert [text for text, times in asked.items() if times > 1] == []
    for question in QUESTIONS:
        assert question.keys() <= KEYS, question["id"]
        assert question["kind"] in MIN_OF_A_KIND, question["id"]
        assert question["question"].strip() == question["question"] != ""
        assert date(2024, 8, 16) <= date.fromisoformat(question["asked"])
        for key, kind in FLAGS.items():
            assert key not in question or type(question[key]) is kind, question["id"]
        assert question.get("verdict", "yes") in {"yes", "no"}


def test_answerable_questions_have_an_answer_and_the_others_have_none() -> None:
    """An answer is a string, a count or a verdict. A question without an answer names no article."""
    for question in QUESTIONS:
        answers = [question[key] for key in ("answers", "count", "verdict") if key in question]
        assert bool(answers) == question["answerable"], question["id"]
        if not question["answerable"]:
            assert "relevant" not in question, question["id"]
            assert "wrong" not in question, question["id"]
        if question["kind"] == "chitchat":
            assert not question["answerable"]
        if question["kind"] == "yes_no" and question["answerable"]:
            assert "verdict" in question, question["id"]
        if question.get("ordered"):
            assert question["every_answer"], question["id"]


def test_answers_are_in_the_relevant_articles() -> None:
    """Each alternative is in one, and so is the speaker. Facts about the collection may be in none."""
    for question in QUESTIONS:
        if not question["answerable"] or question["kind"] == "collection":
            continue
        relevant = [ARTICLES[name] for name in question["relevant"]]
        split = [
            answer.split("|") if "every_answer" in question else [answer] for answer in question.get("answers", [])
        ]
        for words in [*(alternative for answer in split for alternative in answer), question.get("speaker", "")]:
            assert any(_fold(words) in text for text in relevant), (question["id"], words)


def test_relevant_articles_exist() -> None:
    """Only a question about the whole collection names no article."""
    for question in QUESTIONS:
        assert set(question.get("relevant", [])) <= ARTICLES.keys(), question["id"]
        assert "relevant" in question or not question["answerable"] or question["kind"] == "collection"


def test_wrong_strings_are_what_an_article_says() -> None:
    """A wrong answer is another figure or person of the articles: a string that never occurs would test nothing."""
    for question in QUESTIONS:
        for wrong in question.get("wrong", []):
            assert wrong == REPORTED_DIFFERENCE or any(_fold(wrong) in text for text in ARTICLES.values()), wrong


def test_kinds_refusals_and_follow_ups_have_their_shares() -> None:
    """At least 420 questions, of which a third have no answer and 85 are follow-ups."""
    kinds = Counter(question["kind"] for question in QUESTIONS)
    assert len(QUESTIONS) >= 420
    assert {kind: kinds[kind] for kind, least in MIN_OF_A_KIND.items() if kinds[kind] < least} == {}
    news = [question for question in QUESTIONS if question["kind"] != "chitchat"]
    unanswerable = [question for question in news if not question["answerable"]]
    assert 0.3 <= len(unanswerable) / len(news) <= 0.4
    assert {question["kind"] for question in unanswerable} == kinds.keys() - {"chitchat"}
    assert sum(question.get("group") == "followup" for question in QUESTIONS) >= 85


def test_follow_ups_have_turns() -> None:
    """The turns alternate, the user begins, and the assistant speaks last."""
    for question in QUESTIONS:
        assert ("history" in question) == (question.get("group") == "followup"), question["id"]
        roles = [turn["role"] for turn in question.get("history", [])]
        assert roles == ["user", "assistant"] * (len(roles) // 2), question["id"]
        assert all(turn["text"].strip() for turn in question.get("history", []))
