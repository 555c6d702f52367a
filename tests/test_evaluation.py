"""Tests of bot.evaluation.run: `clippings eval` from a folder to its figures."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.cli.parser import main
from bot.evaluation.questions import ARTICLES, QUERIES
from bot.models import Answer, Turn
from index.models import Failure
from tests.fakes.examples import ANSWER, ARTICLE, CITATION, REFUSED, SOURCE
from tests.fakes.parts import REPORT, FakeParts

Output = pytest.CaptureFixture[str]

KNOWN = {
    "id": "1", "question": "how many walked?", "answerable": True, "relevant": ["a1"], "answers": ["40", "forty"],
    "wrong": ["50"], "support": ["Some 40 people walked over it first."], "asked": "2024-01-05", "kind": "unknown",
    "history": [{"role": "user", "text": "which bridge?"}, {"role": "assistant", "text": "The old one."}],
}  # fmt: skip
UNKNOWN = {"id": "2", "question": "who is Zog?", "answerable": False, "relevant": []}
OURS = {
    "tram": "The new tram line to Eastfield opened on Monday. It cost 12 million to build.",
    "owl": "A snowy owl was seen at the harbour again. Birdwatchers came by the dozen.",
    "bread": "Bakers raised the price of a loaf to three crowns. Flour had become scarce.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of two questions."""
    return write(tmp_path / "My Set", [KNOWN, UNKNOWN])


def write(folder: Path, questions: Sequence[object], articles: Sequence[object] = ("{}",)) -> Path:
    """Write a set of questions."""
    folder.mkdir(exist_ok=True)
    for name, rows in ((ARTICLES, articles), (QUERIES, questions)):
        folder.joinpath(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def evaluate(folder: Path, parts: FakeParts | None, capsys: Output) -> dict[str, Any]:
    """What `clippings eval FOLDER --json` prints, with the data beside the folder."""
    assert main(["--data", str(folder.parent / "data"), "eval", str(folder), "--json"], parts=parts) == 0
    output: dict[str, Any] = json.loads(capsys.readouterr().out)
    return output


def test_a_set_is_asked_and_measured(folder: Path, capsys: Output) -> None:
    """The figures stand in their groups with their counts, and each question with what became of it."""
    output = evaluate(folder, FakeParts(ANSWER, REFUSED), capsys)
    assert list(output) == ["retrieval", "answers", "citations", "refusal", "right", "time", "questions"]
    assert set(output["retrieval"]) == {"hit@1", "hit@4", "hit@10", "mrr@10", "ndcg@10", "all@10"}
    assert output["answers"]["found"] == {"value": 1, "n": 1, "low": pytest.approx(0.2065, abs=1e-4), "high": 1}
    assert {name: (metric["value"], metric["n"]) for name, metric in output["right"].items()} == {
        "right": (1, 2), "right:unknown": (1, 1),
    }  # fmt: skip
    assert set(output["answers"]) == {"found", "strict", "supported", "words"}
    assert output["answers"]["words"]["value"] == len("Some 40 people  walked over it first.".split())
    assert {name: metric["value"] for name, metric in output["citations"].items()} == {
        "valid": 1, "covered": 1, "relevant": 1,
    }  # fmt: skip
    assert output["refusal"]["balanced"]["value"] == 1
    first, second = output["questions"]
    assert (first["id"], first["answered"], first["rank"], first["found"]) == ("1", True, 1, True)
    assert (first["fate"], second["fate"]) == ("right", "right")
    assert (second["id"], second["answered"], second["refusal"]) == ("2", False, "None of them names Zog.")


def test_the_engine_hears_the_turns_and_the_day(folder: Path, capsys: Output) -> None:
    """A question is asked after its history and from its day; without one from today's."""
    parts = FakeParts(ANSWER, REFUSED)
    evaluate(folder, parts, capsys)
    first, second = parts.fake.asked
    assert first.turns == (Turn("user", "which bridge?"), Turn("assistant", "The old one."))
    assert (first.as_of, second.as_of) == (date(2024, 1, 5), None)
    assert parts.fake.closed


def test_the_index_is_one_of_its_own(folder: Path, capsys: Output) -> None:
    """A set is indexed apart from the user's articles, what is gone from it is removed, and two sets are parted."""
    parts = FakeParts(ANSWER, REFUSED)
    evaluate(folder, parts, capsys)
    assert parts.indexed == [([folder / ARTICLES], True)]
    assert parts.settings is not None
    own = parts.settings.data
    assert own.parent == folder.parent / "data" / "eval"
    assert own.name.startswith("my-set-")
    (folder.parent / "elsewhere").mkdir()
    other = FakeParts(ANSWER)
    evaluate(write(folder.parent / "elsewhere" / "My Set", [KNOWN]), other, capsys)
    assert other.settings is not None
    assert other.settings.data.name != own.name


def test_times_of_indexing_outlive_the_run_that_indexed(folder: Path, capsys: Output) -> None:
    """A run that finds all indexed gives the figures of the one that did it."""
    first = evaluate(folder, FakeParts(ANSWER, REFUSED), capsys)["time"]
    assert (first["index_seconds"]["value"], first["embed_seconds"]["value"]) == (2.0, 1.95)
    assert (first["articles_per_second"]["value"], first["index_seconds"]["n"]) == (2.0, 4)
    again = FakeParts(ANSWER, REFUSED)
    again.report = replace(REPORT, added=0, changed=0, unchanged=4, chunks_embedded=0, seconds=0.1, embed_seconds=0)
    second = evaluate(folder, again, capsys)["time"]
    assert {name: second[name] for name in first if "question" not in name and "rss" not in name} == {
        name: first[name] for name in ("index_seconds", "embed_seconds", "articles_per_second")
    }


def test_times_that_nobody_noted_are_left_out(folder: Path, capsys: Output) -> None:
    """Where the note is gone, the figures of questions and memory are all there is."""
    parts = FakeParts(ANSWER, REFUSED)
    parts.report = replace(REPORT, chunks_embedded=0)
    assert set(evaluate(folder, parts, capsys)["time"]) == {"question_ms_p50", "question_ms_p95", "peak_rss_mb"}


def test_a_quote_that_is_not_in_its_article_is_not_valid(folder: Path, capsys: Output) -> None:
    """The quote must stand where the citation says, in the article it names."""
    wrong = [
        replace(CITATION, start=CITATION.start + 1, end=CITATION.end + 1),
        replace(CITATION, quote="Some 41 people"),
        replace(CITATION, quote="", start=0, end=0),
        replace(CITATION, source=replace(CITATION.source, id="nobody")),
    ]
    answer = replace(ANSWER, citations=(CITATION, *wrong))
    output = evaluate(folder, FakeParts(answer, REFUSED), capsys)
    assert (output["citations"]["valid"]["value"], output["citations"]["valid"]["n"]) == (0.2, 5)
    assert [citation["valid"] for citation in output["questions"][0]["citations"]] == [True, False, False, False, False]


def test_a_set_without_fields_leaves_figures_out(tmp_path: Path, capsys: Output) -> None:
    """With nothing but questions, what is left is what the answers themselves show."""
    output = evaluate(write(tmp_path / "bare", [{"id": 7, "question": "how many?"}]), FakeParts(ANSWER), capsys)
    assert (output["retrieval"], output["refusal"]) == ({}, {})
    assert (set(output["answers"]), set(output["citations"])) == ({"words"}, {"valid", "covered"})
    assert output["questions"][0]["id"] == "7"


def test_the_same_twice(folder: Path, capsys: Output) -> None:
    """But for time nothing differs between two runs."""
    first, second = (evaluate(folder, FakeParts(ANSWER, REFUSED), capsys) for _ in range(2))
    assert {**first, "time": None} == {**second, "time": None}


def test_a_page_is_written(folder: Path, capsys: Output) -> None:
    """--report writes it and leaves what is printed as it is, in either form."""
    file = folder / "page.html"
    for form in ([], ["--json"]):
        command = ["--data", str(folder.parent), "eval", str(folder), *form]
        assert main(command, parts=FakeParts(ANSWER, REFUSED)) == 0
        plain = capsys.readouterr().out
        assert main([*command, "--report", str(file)], parts=FakeParts(ANSWER, REFUSED)) == 0
        assert capsys.readouterr().out.splitlines()[0] == plain.splitlines()[0]
        assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
        file.unlink()


def test_where_the_page_is_is_said(folder: Path, capsys: Output) -> None:
    """On standard error, so that what is printed stays what it is."""
    file = folder / "page.html"
    command = ["--data", str(folder.parent), "eval", str(folder), "--report", str(file), "--json"]
    assert main(command, parts=FakeParts(ANSWER, REFUSED)) == 0
    out, err = capsys.readouterr()
    assert err == f"The report is in {file}.\n"
    json.loads(out)


def test_kinds_have_figures_of_their_own(tmp_path: Path, capsys: Output) -> None:
    """`right` is counted over all, by kind and by group; files are named by their names, the day is after the last."""
    questions = [
        {"id": "1", "kind": "fact", "question": "how many?", "answerable": True, "count": 40, "relevant": ["x.txt"]},
        {"id": "2", "kind": "fact", "question": "and then?", "answerable": True, "count": 41, "group": "followup"},
        {"id": "3", "kind": "who", "question": "who is Zog?", "answerable": False, "group": "followup"},
        {"id": "4", "question": "who came?"},
    ]  # fmt: skip
    parts = FakeParts(
        ANSWER, ANSWER, REFUSED, ANSWER, articles=[replace(ARTICLE, source=replace(SOURCE, path="/in/x.txt"))]
    )
    folder = write(tmp_path / "set", questions)
    output = evaluate(folder, parts, capsys)
    assert {name: (metric["value"], metric["n"]) for name, metric in output["right"].items()} == {
        "right": (pytest.approx(2 / 3), 3), "right:fact": (0.5, 2), "right:who": (1, 1),
        "right:group:followup": (0.5, 2),
    }  # fmt: skip
    assert [question["faults"] for question in output["questions"]] == [[], ["it does not say 41"], [], []]
    assert [question["fate"] for question in output["questions"]][1] == "answered wrongly"
    assert [call.as_of for call in parts.fake.asked] == [date(2024, 1, 4)] * 3 + [None]
    assert output["questions"][0]["relevant"] == ["a1"]
    assert main(["--data", str(tmp_path), "eval", str(folder)], parts=FakeParts(ANSWER, ANSWER, REFUSED, ANSWER)) == 0
    assert ["right:group:followup", "0.500", "2"] in [line.split()[:3] for line in capsys.readouterr().out.splitlines()]


def test_a_file_of_questions_asks_the_index(folder: Path, capsys: Output) -> None:
    """A set need not be a folder; a report does not overwrite it."""
    file = (folder / QUERIES).rename(folder / "ours.jsonl")
    parts = FakeParts(ANSWER, REFUSED)
    assert main(["--data", str(folder.parent), "eval", str(file), "--json"], parts=parts) == 0
    assert (len(parts.fake.asked), parts.indexed) == (2, [])
    with pytest.raises(SystemExit):
        main(["eval", str(file), "--report", str(file)], parts=FakeParts())
    assert "--report would overwrite" in capsys.readouterr().err


def test_an_earlier_run_is_compared(folder: Path, capsys: Output) -> None:
    """--compare reads what --json printed, and says in JSON, in words and in the page what changed."""
    earlier, file = folder / "earlier.json", folder / "page.html"
    earlier.write_text(json.dumps(evaluate(folder, FakeParts(REFUSED, REFUSED), capsys)), encoding="utf-8")
    command = ["--data", str(folder.parent / "data"), "eval", str(folder), "--compare", str(earlier)]
    assert main([*command, "--json", "--report", str(file)], parts=FakeParts(ANSWER, REFUSED)) == 0
    output = json.loads(capsys.readouterr().out)["comparison"]
    assert output["figures"]["answers"]["found"] == {"before": 0, "now": 1, "change": 1}
    assert [(question["id"], question["change"]) for question in output["questions"]] == [("1", "gained")]
    assert "1 gained, 0 lost, 0 other text, 1 same" in file.read_text(encoding="utf-8")
    assert main(command, parts=FakeParts(ANSWER, REFUSED)) == 0
    assert "\nCompared: 1 gained, 0 lost, 0 other text, 1 same" in capsys.readouterr().out


def test_attacks_are_planted_and_counted(folder: Path, capsys: Output) -> None:
    """--attacks asks the question once more for each, after the set, and says how it went in all three places."""
    folder.joinpath(ARTICLES).write_text('{"id": "a1", "text": "One came."}', encoding="utf-8")
    file, page = folder / "attacks.json", folder / "page.html"
    file.write_text('{"Clickbait": ["Wow!"]}', encoding="utf-8")
    command = ["--data", str(folder.parent / "data"), "eval", str(folder), "--attacks", str(file)]
    parts = FakeParts(ANSWER, REFUSED, REFUSED)
    assert main([*command, "--json", "--report", str(page)], parts=parts) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["attacks"]["all"]["lost"] == {"value": 1, "n": 1, "low": pytest.approx(0.2065, abs=1e-4), "high": 1}
    assert output["refusal"]["refused_answerable"]["value"] == 0  # the figures of the set are those without attacks
    assert [call.question for call in parts.fake.asked] == ["how many walked?", "who is Zog?", "how many walked?"]
    assert "The 1 that came through or cost a right answer" in page.read_text(encoding="utf-8")
    assert main(command, parts=FakeParts(ANSWER, REFUSED, REFUSED)) == 0
    assert "\n1 attacks, of 1 kinds\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--compare", "none.json"], "none.json cannot be read: No such file or directory.\n"),
        (["--attacks", "none.json"], "none.json cannot be read: No such file or directory.\n"),
        (
            ["--report", "none/page.html"],
            "The report cannot be written to none/page.html: name a file in a folder that",
        ),
    ],
)
def test_wrong_files_are_said_before_anything_is_asked(
    folder: Path, option: list[str], message: str, capsys: Output
) -> None:
    """No work is done whose result could not be told."""
    parts = FakeParts()
    assert main(["--data", str(folder.parent), "eval", str(folder), *option], parts=parts) == 1
    out, err = capsys.readouterr()
    assert (out, parts.indexed) == ("", [])
    assert err.startswith(message)


@pytest.mark.parametrize("read", ["--compare", "--attacks", ARTICLES, QUERIES])
def test_a_report_overwrites_nothing_that_is_read(folder: Path, read: str, capsys: Output) -> None:
    """It is a wrong call, however the path is written."""
    file = folder / "x.json" if read.startswith("--") else folder / read
    options = [read, str(file)] if read.startswith("--") else []
    with pytest.raises(SystemExit) as ended:
        main(["eval", str(folder), *options, "--report", f"{folder}/../{folder.name}/{file.name}"], parts=FakeParts())
    assert ended.value.code == 2
    assert "--report would overwrite" in capsys.readouterr().err


def test_the_table_is_for_reading(folder: Path, capsys: Output) -> None:
    """Without --json a line a figure is printed: value, count, interval."""
    assert main(["--data", str(folder.parent), "eval", str(folder)], parts=FakeParts(ANSWER, REFUSED)) == 0
    out, err = capsys.readouterr()
    assert out.startswith("2 questions: 1 answered, 1 refused.\n")
    assert ["hit@1", "1.000", "1", "0.207", "to", "1.000"] in [line.split() for line in out.splitlines()]
    assert ["index_seconds", "2.000", "4"] in [line.split() for line in out.splitlines()]
    assert err == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"id": "1", "question": "a"}\n\n{"id": "2"', "line 3: Invalid JSON: EOF while parsing an object at"),
        (b'{"id": "1"}', "line 1: question: Field required"),
        (b'{"id": "1", "question": 1.5, "relevant": "a"}', "line 1: relevant: Input should be a valid array"),
        (b'{"id": "1", "question": "a", "answerable": "no"}', "line 1: answerable: Input should be a valid boolean"),
        (b'{"id": "1", "question": "a", "asked": "soon"}', "line 1: asked: Input should be a valid date"),
        (b'{"id": "1", "question": "a", "history": [{"role": "bot", "text": ""}]}', "line 1: history.0.role: Input"),
        (
            b'{"id": "1", "question": "a", "anwsers": ["b"]}',
            'line 1: there is no field "anwsers". Did you mean "answers"?',
        ),
        (
            b'{"id": "1", "question": "a", "Relevant": []}',
            'line 1: there is no field "Relevant". Did you mean "relevant"?',
        ),
        (
            b'{"id": "1", "question": "a", "kind": "time_line"}',
            'line 1: no kind is "time_line". Did you mean "timeline"?',
        ),
        (b'{"id": "1", "question": "a", "verdict": "maybe"}', "line 1: verdict: Input should be 'yes' or 'no'"),
        (b'{"id": "1", "question": "a", "count": "3"}', "line 1: count: Input should be a valid number"),
        (b"[" * 5_000, "line 1: Invalid JSON: recursion limit"),
        (b"\xff\xfe", "cannot be read: it is not UTF-8 text"),
        (b"\n \n", "holds no questions"),
    ],
)
def test_what_is_wrong_with_the_questions_is_said(folder: Path, content: bytes, message: str, capsys: Output) -> None:
    """The file and the line are named, before anything is indexed."""
    folder.joinpath(QUERIES).write_bytes(content)
    parts = FakeParts()
    assert main(["--data", str(folder.parent), "eval", str(folder)], parts=parts) == 1
    out, err = capsys.readouterr()
    assert err.startswith(str(folder / QUERIES))
    assert message in err
    assert err.count("\n") == 1
    assert (out, parts.indexed) == ("", [])


def test_a_folder_must_hold_questions(folder: Path, capsys: Output) -> None:
    """What is missing is named, and what was expected."""
    folder.joinpath(QUERIES).unlink()
    assert main(["--data", str(folder.parent), "eval", str(folder)], parts=FakeParts()) == 1
    expected = f"{folder / QUERIES} is no file. A set of questions is a folder with {QUERIES}, and mostly {ARTICLES}.\n"
    assert capsys.readouterr().err == expected


def test_without_articles_the_index_is_asked(folder: Path, capsys: Output) -> None:
    """Questions that stand alone are put to what is indexed already; it is said, and nothing is indexed."""
    folder.joinpath(ARTICLES).unlink()
    parts = FakeParts(ANSWER, REFUSED)
    assert main(["--data", str(folder.parent / "data"), "eval", str(folder), "--json"], parts=parts) == 0
    assert (parts.settings and parts.settings.data, parts.indexed) == (folder.parent / "data", [])
    out, err = capsys.readouterr()
    assert err == "There is no articles.jsonl with the questions: the articles that are indexed are asked.\n"
    output = json.loads(out)
    assert output["answers"]["found"]["value"] == 1
    assert set(output["time"]) == {"question_ms_p50", "question_ms_p95", "peak_rss_mb"}


def test_articles_that_failed_or_are_not_there_are_told(folder: Path, capsys: Output) -> None:
    """They are a line each on standard error, and the rest is measured."""
    parts = FakeParts(ANSWER, REFUSED, articles=())
    parts.report = replace(
        REPORT, failed=(Failure("a.jsonl", "line 2: no text"), Failure("a.jsonl", "line 3: no text"))
    )
    assert main(["--data", str(folder.parent), "eval", str(folder)], parts=parts) == 0
    assert capsys.readouterr().err == (
        "2 not indexed; the first: a.jsonl: line 2: no text\n"
        '1 of the "relevant" articles are not there; the first: a1\n'
    )


def test_without_any_article_nothing_is_asked(folder: Path, capsys: Output) -> None:
    """A set whose articles cannot be read is an error, and no row of refusals."""
    parts = FakeParts()
    parts.report = replace(REPORT, added=0, changed=0, unchanged=0)
    assert main(["--data", str(folder.parent), "eval", str(folder)], parts=parts) == 1
    assert capsys.readouterr().err == f"{folder / ARTICLES} holds no article that can be read.\n"


def test_an_interruption_ends_it(folder: Path, capsys: Output) -> None:
    """Ctrl-C prints nothing, closes the engine and gives the exit code of an interruption."""
    queue: list[Answer | BaseException] = [ANSWER, KeyboardInterrupt()]
    parts = FakeParts(*queue)
    assert main(["--data", str(folder.parent), "eval", str(folder)], parts=parts) == 130
    assert capsys.readouterr() == ("", "")
    assert parts.fake.closed


def test_a_thousand_questions_are_counted_in_a_moment(tmp_path: Path, capsys: Output) -> None:
    """The intervals of a large set cost a second or two."""
    many = write(tmp_path / "many", [{**KNOWN, "id": str(number)} for number in range(1_000)])
    started = time.perf_counter()
    output = evaluate(many, FakeParts(*[ANSWER] * 1_000), capsys)
    assert output["answers"]["found"]["n"] == 1_000
    assert time.perf_counter() - started < 10


def test_the_real_engine_is_measured(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """Three articles, indexed once: each question finds its own, all quotes hold, and a second run says the same."""
    monkeypatch.setenv("CLIPPINGS_MODEL_DIR", str(weights))
    questions = {"tram": "When did the tram line to Eastfield open?", "owl": "Which bird was seen at the harbour?"}
    known = [{"id": name, "question": text, "relevant": [name]} for name, text in questions.items()]
    folder = write(tmp_path / "ours", known, [{"id": name, "title": "", "text": text} for name, text in OURS.items()])
    first, second = (evaluate(folder, None, capsys) for _ in range(2))
    assert (first["retrieval"]["hit@1"]["value"], first["time"]["index_seconds"]["n"]) == (1, 3)
    assert [question["retrieved"][0] for question in first["questions"]] == ["tram", "owl"]
    assert all(cited["valid"] for question in first["questions"] for cited in question["citations"])
    assert first["time"]["index_seconds"] == second["time"]["index_seconds"]
    assert {**first, "time": None} == {**second, "time": None}
