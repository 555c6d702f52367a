"""What could not be answered: `clippings gaps`, and "gaps" from an admin in Slack."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.parser import main
from bot.slack import blocks
from bot.slack.database import Database, Question
from bot.slack.review import Gaps, Refused, Topic, find_gaps, topics
from tests.fake_slack import FakeSlack
from tests.slack_process import BotInside, answered, copied

WALL, WHO, RAIN = "How high is the sea wall?", "Who paid for the sea wall?", "How much rain fell in Carrow?"


def asked(question: str, *, is_private: bool = False) -> Refused:
    """A refused question."""
    return Refused(question, "No passage says it.", is_private)


def test_questions_are_grouped_by_the_words_that_they_share() -> None:
    """The largest topic first, under its words in order; last what shares nothing. How one asks is no topic."""
    questions = [RAIN, WALL, "Compare the mayors of Dunwick", WHO, "Who built the wall at sea?", "Compare two ferries"]
    found = topics([asked(question) for question in questions])
    assert [(topic.label, [one.question for one in topic.questions]) for topic in found] == [
        ("sea wall", [WALL, WHO, "Who built the wall at sea?"]),
        ("", [RAIN, "Compare the mayors of Dunwick", "Compare two ferries"]),
    ]
    assert topics([]) == []
    assert [topic.label for topic in topics([asked("???"), asked("")])] == [""]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Three refusals, an answer and a greeting; one refusal was asked in private, one two days ago."""
    opened, now = Database.in_folder(tmp_path / "data"), time.time()
    rows = [
        ("1", WALL, "C1", True, "quote", now - 2 * 24 * 3600),
        ("2", WHO, "C1", True, "quote", now),
        ("3", RAIN, "D1", True, "quote", now),
        ("4", "Who won?", "C1", False, "quote", now),
        ("5", "hello", "C1", False, "reply", now),
    ]
    for key, text, channel, refused, answerer, at in rows:
        opened.receive(Question(key, "T1", "", "U1", channel, "1.1", "1.1", text, True, "", at))
        refusal = {"reason": "No passage says it.", "nearest": []} if refused else None
        answer = {"question": text, "standalone_question": text, "answerer": answerer, "refusal": refusal}
        opened.keep_answer(key, answer, "quoted")
        with opened.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE answers SET at = ? WHERE key = ?", (at, key))
    yield opened
    opened.close()


def test_gaps_are_counted_over_some_days(database: Database) -> None:
    """Refusals of all that was asked, without greetings."""
    assert [(gaps.refused, gaps.questions) for gaps in (find_gaps(database), find_gaps(database, 1))] == [
        (3, 4),
        (2, 3),
    ]
    assert [one.is_private for topic in find_gaps(database).topics for one in topic.questions] == [False, False, True]


@pytest.mark.usefixtures("database")
def test_command_prints_topics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a list and as JSON, without who asked."""
    folder = str(tmp_path / "data")
    assert main(["--data", folder, "gaps"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("3 of 4 questions of the last 7 days were not answered.")
    assert f"sea wall (2)\n  {WALL}\n  {WHO}\n" in shown
    assert main(["--data", folder, "gaps", "--json", "--days", "1"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["refused"], value["questions"], value["days"]) == (2, 3, 1)
    assert value["topics"] == [
        {"topic": "", "questions": [{"question": text, "reason": "No passage says it."} for text in (WHO, RAIN)]}
    ]
    assert "U1" not in shown + json.dumps(value)


def test_message_keeps_what_was_asked_in_private() -> None:
    """It counts, but its words and the topic that only it has are not shown; text is no markup."""
    groups = (
        Topic("sea wall", (asked(WALL), asked("<!channel> *wall*"), asked("My wall?", is_private=True))),
        Topic("divorce", (asked("Her divorce?", is_private=True), asked("His divorce?", is_private=True))),
    )
    text = blocks.gaps_message(Gaps(7, 9, 5, groups)).text
    assert "5 of 9 questions in the last 7 days" in text
    assert "1 asked in private" in text
    assert "2 asked in private" in text
    assert "<!channel>" not in text
    assert not [words for words in ("divorce", "My wall") if words in text]


@pytest.mark.process
def test_admin_asks_for_gaps_in_slack(indexed: Path, tmp_path: Path) -> None:
    """Directly; in a channel it is not shown, and to others nowhere."""
    data = copied(indexed, tmp_path / "data")
    with FakeSlack() as slack, BotInside(slack, data, mode="socket", CLIPPINGS_SLACK_ADMINS="U1"):
        slack.add_user("U2", name="Ann")
        unknown = slack.say("U2", "C1", "<@UBOT> Who won the Eurovision song contest in 1974?")
        answered(slack, "C1", unknown)
        for user, channel, mention, expected in (
            ("U1", slack.dm("U1"), "", "Eurovision"),
            ("U1", "C1", "<@UBOT> ", "Ask me that directly"),
            ("U2", slack.dm("U2"), "", "Only the admins"),
        ):
            root = slack.say(user, channel, f"{mention}gaps")
            assert expected in answered(slack, channel, root)[0].text
