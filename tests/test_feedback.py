"""Tests of `clippings feedback`: what was thought of the answers, and what that tells `clippings eval`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import serialize
from bot.cli.parser import main
from bot.evaluation.questions import KnownQuestion
from bot.models import Answer
from bot.runtime import make_engine
from bot.settings import Settings
from bot.slack.database import Database
from tests.corpus import run, write
from tests.fakes.examples import ANSWER, QUOTE, REFUSED
from tests.fakes.parts import FakeParts

Output = pytest.CaptureFixture[str]
Give = Callable[..., None]
REPLY = replace(ANSWER, text="Hello.", answerer="reply", citations=(), passages=())


@pytest.fixture(autouse=True)
def _clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def give(tmp_path: Path) -> Give:
    """What puts feedback into the database of the folder `data`."""

    def put(key: str, answer: Answer, user: str = "U1", *, helpful: bool, reason: str = "") -> None:
        database = Database.in_folder(tmp_path / "data")
        if database.answer(key) is None:
            database.keep_answer(key, serialize.answer(answer), "quoted")
        assert database.give_feedback(key, user, helpful=helpful, reason=reason)
        database.close()

    return put


def printed(capsys: Output, *options: str) -> str:
    """What the command prints about the folder `data`, without a complaint."""
    assert main(["--data", "data", "feedback", *options], parts=FakeParts()) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def exported(capsys: Output) -> list[dict[str, Any]]:
    """The lines of JSON; each is a question that `eval` knows how to read."""
    lines = printed(capsys, "--json").splitlines()
    for line in lines:
        KnownQuestion.model_validate_json(line)
    return [json.loads(line) for line in lines]


def known(row: dict[str, Any]) -> tuple[bool | None, list[str], list[str]]:
    """What a line says of the right answer."""
    return row["answerable"], row["relevant"], row["support"]


def test_a_helpful_answer_is_a_question_with_its_evidence(give: Give, capsys: Output) -> None:
    """Its articles are relevant and its quotes support it; no words are demanded; all that was said comes along."""
    give("C1/1.1", replace(ANSWER, question="and then?"), helpful=True)
    (row,) = exported(capsys)
    assert known(row) == (True, ["a1"], [QUOTE])
    assert "answers" not in row
    assert "wrong" not in row
    assert (row["question"], row["said"], row["asked"]) == ("how many walked?", "and then?", f"{date.today()}")  # noqa: DTZ011  # the day here
    assert (row["helpful"], row["user"], row["model"], row["reason"]) == (True, "U1", "quoted", "")
    assert (row["answered"], row["answer"], row["passages"]) == (True, f"{QUOTE} [1]", ["a1"])
    assert row["citations"][0]["quote"] == QUOTE
    assert datetime.fromisoformat(row["at"]).tzinfo is not None
    assert set(row) >= {field.alias or name for name, field in KnownQuestion.model_fields.items()} - {
        "answers",
        "wrong",
        "every_answer",
        "history",
        *"ordered count verdict speaker kind group".split(),
    }


def test_a_helpful_refusal_has_no_answer(give: Give, capsys: Output) -> None:
    """That the articles do not say is then known; of small talk nothing is."""
    give("refused", REFUSED, helpful=True)
    give("hello", REPLY, helpful=True)
    assert [known(row) for row in exported(capsys)] == [(False, [], []), (None, [], [])]


@pytest.mark.parametrize("answer", [ANSWER, REFUSED, REPLY])
def test_of_what_was_not_helpful_nothing_is_known(answer: Answer, give: Give, capsys: Output) -> None:
    """It may be wrong, or right and badly put: nothing is marked as either."""
    give("C1/1.1", answer, helpful=False, reason="wrong year")
    (row,) = exported(capsys)
    assert known(row) == (None, [], [])
    assert (row["helpful"], row["reason"]) == (False, "wrong year")


def test_where_people_disagree_nothing_is_known(give: Give, capsys: Output) -> None:
    """One line each, with ids of their own, and neither decides."""
    give("C1/1.1", ANSWER, "U1", helpful=True)
    give("C1/1.1", ANSWER, "U2", helpful=False)
    give("C1/2.2", ANSWER, "U1", helpful=True)
    rows = exported(capsys)
    assert [known(row)[0] for row in rows] == [None, None, True]
    assert len({row["id"] for row in rows}) == 3


def test_the_export_is_ascii_lines(give: Give, capsys: Output) -> None:
    """Whatever was said, a feedback is one line that no terminal acts upon."""
    give("C1/1.1", ANSWER, helpful=False, reason="a\nb\x1b[2J\u202e\u2028")
    out = printed(capsys, "--json")
    assert (out.isascii(), out.count("\n"), out.rstrip("\n").isprintable()) == (True, 1, True)


def test_the_table_is_read_back_whole(give: Give, capsys: Output) -> None:
    """A row for each, with a headline; line ends and quotes stay inside their cells."""
    give("C1/1.1", ANSWER, helpful=True)
    give("C1/2.2", REFUSED, helpful=False, reason='he said "no",\nand left')
    helpful, unhelpful = csv.DictReader(io.StringIO(printed(capsys, "--csv")))
    assert (helpful["helpful"], helpful["relevant"], helpful["answer"]) == ("True", "a1", f"{QUOTE} [1]")
    assert (unhelpful["helpful"], unhelpful["reason"]) == ("False", 'he said "no",\nand left')
    assert unhelpful["question"] == "how many walked?"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\t=", "＝"])
def test_no_cell_is_a_formula(start: str, give: Give, capsys: Output) -> None:
    """What a spreadsheet would run is shown by it instead, in whichever column it stands."""
    answer = replace(ANSWER, standalone_question=f"{start}question()", text=f"{start}answer()")
    give("C1/1.1", answer, helpful=False, reason=f"{start}reason()")
    (row,) = csv.DictReader(io.StringIO(printed(capsys, "--csv")))
    for column in ("question", "answer", "reason"):
        assert row[column].startswith("'")
        assert row[column].endswith(f"{column}()")


def test_the_table_cannot_act_on_a_terminal(give: Give, capsys: Output) -> None:
    """Control and bidirectional characters are left out of its cells."""
    give("C1/1.1", ANSWER, helpful=False, reason="a\x1b[2Jb\u202ec\x07")
    (row,) = csv.DictReader(io.StringIO(printed(capsys, "--csv")))
    assert row["reason"] == "abc"


def test_the_summary_counts_and_shows_the_latest(give: Give, capsys: Output) -> None:
    """How many were helpful, and the last ten that were not, the latest first, each in a line or two."""
    give("good", ANSWER, helpful=True)
    for number in range(12):
        answer = replace(ANSWER, question=f"question {number}?\n\x1b[2J")
        give(f"bad {number}", answer, helpful=False, reason="too\nlong " * 100 if number == 11 else "")
    today = f"{date.today()}"  # noqa: DTZ011  # the day here
    shown = printed(capsys).splitlines()
    assert shown[:4] == ["1 helpful, 12 not helpful.", "", "Not helpful, the latest first:", f"{today} question 11?"]
    assert shown[4].startswith("    too long too long ")
    assert len(shown[4]) < 320
    assert shown[5:] == [f"{today} question {number}?" for number in range(10, 1, -1)]


def test_without_any_feedback_there_is_none(tmp_path: Path, capsys: Output) -> None:
    """A bot that was told nothing has a summary of nothing, and an export that is empty."""
    Database.in_folder(tmp_path / "data").close()
    assert printed(capsys) == "0 helpful, 0 not helpful.\n"
    assert printed(capsys, "--json") == ""
    assert printed(capsys, "--csv").count("\n") == 1


@pytest.mark.parametrize("url", ["", "sqlite:///elsewhere.db"])
def test_without_a_database_nothing_is_made(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """A sentence says that the bot has not run, and no file appears."""
    monkeypatch.setenv("DATABASE_URL", url)
    assert main(["--data", "data", "feedback"], parts=FakeParts()) == 1
    out, err = capsys.readouterr()
    where = "elsewhere.db" if url else "data/slack.db"
    assert (out, err) == (
        "",
        f"There is no {where} yet: the Slack bot has not run with it. Start it with `clippings slack`.\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_the_database_can_be_elsewhere(give: Give, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """DATABASE_URL comes before the data folder."""
    give("C1/1.1", ANSWER, helpful=True)
    Path("data/slack.db").rename("elsewhere.db")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///elsewhere.db")
    assert printed(capsys) == "1 helpful, 0 not helpful.\n"


def test_json_and_csv_exclude_each_other(capsys: Output) -> None:
    """Asking for both is wrong usage."""
    with pytest.raises(SystemExit) as ended:
        main(["feedback", "--json", "--csv"])
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_the_export_is_evaluated_as_it_is(
    tmp_path: Path, weights: Path, give: Give, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """Articles, questions, clicks, `feedback --json > set/queries.jsonl`, `eval set`: the figures are of them."""
    monkeypatch.setenv("CLIPPINGS_MODEL_DIR", str(weights))
    tram = "The new tram line to Eastfield opened on Monday. It cost 12 million to build."
    write(tmp_path / "articles", "tram", tram, published=date(2024, 1, 3))
    write(tmp_path / "articles", "owl", "A snowy owl was seen at the harbour again. Birdwatchers came by the dozen.")
    data = tmp_path / "data"
    run(data, [tmp_path / "articles"], weights)
    engine = make_engine(Settings(data=data, model_dir=weights))
    questions = ("When did the tram line to Eastfield open?", "Who won the chess final in Dunwick?")
    for number, question in enumerate(questions):
        give(str(number), engine.ask(question), helpful=True)
    engine.close()
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "queries.jsonl").write_text(printed(capsys, "--json"), encoding="ascii")
    assert main(["--data", "data", "eval", "set", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {name: found["retrieval"][name]["value"] for name in ("hit@1", "mrr@10")} == {"hit@1": 1, "mrr@10": 1}
    assert (found["answers"]["supported"]["value"], found["refusal"]["balanced"]["value"]) == (1, 1)
