"""The command line, driven by its arguments: what is printed where, and the exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.cli.parser import COMMANDS, main
from bot.models import ON_STEP, Refusal
from index.models import ClippingsError, Filters, IndexMissing, Source
from tests.fakes.engine import Streamed
from tests.fakes.examples import ANSWER, ARTICLE, REFUSED, Terminal
from tests.fakes.parts import STATUS, FakeParts

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key in list(os.environ):
        if key.upper().startswith("CLIPPINGS_"):
            monkeypatch.delenv(key)
    monkeypatch.chdir(tmp_path)


Output = pytest.CaptureFixture[str]


def test_ask_prints_the_answer_and_its_sources(capsys: Output) -> None:
    """Words need no quotes; an answered question ends with 0."""
    parts = FakeParts(ANSWER)
    assert main(["ask", "how", "many", "walked?"], parts=parts) == 0
    assert parts.fake.asked[0].question == "how many walked?"
    assert parts.fake.asked[0].as_of is None
    out, err = capsys.readouterr()
    assert out.startswith("Some 40 people  walked over it\nfirst. [1]\n\n[1] Bridge reopens · The Courier")
    assert "“Some 40 people walked over it first.”" in out
    assert err == ""
    assert parts.fake.closed


def test_ask_prints_the_answer_while_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal. Its sources follow; what is being done stands on standard error before."""
    out, err = Terminal(), Terminal()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("CLIPPINGS_LLM", "openai:small")
    seen: list[str] = []

    class Pieces(list[str]):
        def __iter__(self) -> Iterator[str]:
            ON_STEP.get()("write")
            for piece in ("Some 40 people  walked", " over it\nfirst. [1]"):
                seen.append(out.getvalue())
                yield piece

    parts = FakeParts()
    parts.fake.queue.append(Streamed(Pieces(), ANSWER))
    assert main(["ask", "how many walked?"], parts=parts) == 0
    assert seen == ["", "Some 40 people  walked"]
    assert out.getvalue().startswith("Some 40 people  walked over it\nfirst. [1]\n\n")
    assert "Bridge reopens" in out.getvalue()
    assert out.getvalue().count("first. [1]") == 1
    assert "openai:small is writing, and each sentence is checked" in err.getvalue()


def test_ask_prints_json_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a terminal."""
    out, err = Terminal(), Terminal()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    parts = FakeParts()
    parts.fake.queue.append(Streamed(["Some 40 "], ANSWER))
    assert main(["ask", "x", "--json"], parts=parts) == 0
    assert json.loads(out.getvalue())["answered"]
    assert err.getvalue() == ""


def test_a_refusal_ends_with_3(capsys: Output) -> None:
    """A refusal and an error have different exit codes, with --json too."""
    assert main(["ask", "who is Zog?"], parts=FakeParts(REFUSED)) == 3
    assert capsys.readouterr().out.startswith("The articles do not say.\n")
    assert main(["ask", "who is Zog?", "--json"], parts=FakeParts(REFUSED)) == 3
    assert json.loads(capsys.readouterr().out)["answered"] is False


def test_small_talk_ends_with_0(capsys: Output) -> None:
    """A reply to chitchat is no refusal."""
    reply = replace(ANSWER, text="Hello.", answerer="reply", citations=(), passages=())
    assert main(["ask", "hello"], parts=FakeParts(reply)) == 0
    assert capsys.readouterr().out == "Hello.\n"


def test_a_question_is_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` stands for standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("what fell?\n"))
    parts = FakeParts(ANSWER)
    assert main(["ask", "-"], parts=parts) == 0
    assert parts.fake.asked[0].question == "what fell?"


def test_filters_and_the_day_reach_the_engine(capsys: Output) -> None:
    """An outlet is found whatever its case; dates are inclusive days."""
    parts = FakeParts(ANSWER)
    dates = ["--from", "2024-01-01", "--to", "2024-01-31", "--asked", "2024-02-01"]
    assert main(["ask", "x", "--outlet", "the courier", *dates], parts=parts) == 0
    assert parts.fake.asked[0].filters == Filters("The Courier", date(2024, 1, 1), date(2024, 1, 31))
    assert parts.fake.asked[0].as_of == date(2024, 2, 1)
    assert capsys.readouterr().err == ""


def test_a_filter_that_nothing_passes_is_the_only_reason(capsys: Output) -> None:
    """Where no article was searched, none is said not to say; the exit code is that of a refusal."""
    refused = replace(REFUSED, refusal=Refusal("No article is from an outlet named The Currier."), passages=())
    parts = FakeParts(refused, refused)
    assert main(["ask", "x", "--outlet", "The Currier"], parts=parts) == 3
    assert capsys.readouterr() == ("No article is from an outlet named The Currier.\n", "")
    assert parts.fake.asked[0].filters == Filters("The Currier")


@pytest.mark.parametrize("words", [[""], [" ", "\t"], ["-"], ["?"], ["👍", "…"]])
def test_an_empty_question_is_a_wrong_call(words: list[str], capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed or from standard input, and nothing is asked."""
    monkeypatch.setattr("sys.stdin", io.StringIO(" \n"))
    parts = FakeParts()
    assert main(["ask", *words], parts=parts) == 2
    assert (parts.fake.asked, parts.settings) == ([], None)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("The question is empty. Ask in words: clippings ask")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["ask"], "required: WORD"),
        (["ask", "x", "--from", "Jan 3"], "'Jan 3' is not a date; write it as 2024-01-31"),
        (["ask", "x", "--from", "2024-02-01", "--to", "2024-01-01"], "the first date is after the last"),
        (["index", "--explain", "a.txt", "b.txt"], "it takes no PATH and no --prune"),
        (["index", "--html", "a.html"], "--html belongs to --explain"),
        (["index", "--force"], "--force belongs to --prune"),
        (["--data", "", "status"], 'argument --data: it is empty; name a folder, or "." for this one'),
        (["status", "--data", " "], 'argument --data: it is empty; name a folder, or "." for this one'),
        (["ask", "x", "--js"], "unrecognized arguments: --js"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], message: str, capsys: Output) -> None:
    """A usage error is a message on standard error."""
    with pytest.raises(SystemExit) as ended:
        main(arguments, parts=FakeParts())
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith(f"usage: clippings {'ask ' * (arguments[:1] == ['ask'] and arguments[-1] != '--js')}")


@pytest.mark.parametrize("place", [["--data", "there", "status"], ["status", "--data", "there"]])
def test_data_may_stand_before_or_after_the_command(place: list[str]) -> None:
    """--data means the same in both places."""
    parts = FakeParts()
    assert main(place, parts=parts) == 0
    assert parts.settings is not None
    assert parts.settings.data == Path("there")


def test_arguments_that_are_not_utf8_are_read_by_the_best_guess(capsys: Output) -> None:
    """A question, an outlet or an id typed in a Latin-1 terminal is text, and never a traceback."""
    parts = FakeParts(ANSWER, REFUSED)
    assert main(["ask", os.fsdecode(b"what of caf\xe9?")], parts=parts) == 0
    assert parts.fake.asked[0].question == "what of caf\u00e9?"
    assert main(["ask", "x", "--outlet", os.fsdecode(b"Caf\xe9")], parts=parts) == 3
    assert main(["show", os.fsdecode(b"caf\xe9")], parts=FakeParts()) == 1
    assert parts.fake.asked[1].filters == Filters("Caf\u00e9")
    assert "There is no article with the id, file, address or headline caf\u00e9." in capsys.readouterr().err


def test_show_prints_an_article(capsys: Output) -> None:
    """As text, and as JSON with the body that the offsets of citations refer to."""
    assert main(["show", "a1"], parts=FakeParts()) == 0
    assert capsys.readouterr().out.startswith("Bridge reopens\nid:       a1\n")
    assert main(["show", "a1", "--json"], parts=FakeParts()) == 0
    article = json.loads(capsys.readouterr().out)
    citation = ANSWER.citations[0]
    assert article["body"][citation.start : citation.end] == citation.quote
    assert article["published_from"] == "url"
    assert set(article) == set(
        "id headline body outlet byline published published_from published_certain url path language furniture".split()
    )


def test_show_of_an_unknown_id_names_near_ones(capsys: Output) -> None:
    """A mistyped id ends with 1 and a message with similar ids."""
    assert main(["show", "a11"], parts=FakeParts()) == 1
    assert (
        capsys.readouterr().err == "There is no article with the id, file, address or headline a11. Similar ids: a1.\n"
    )


def test_show_takes_the_beginning_of_an_id_or_a_path(tmp_path: Path, capsys: Output) -> None:
    """A whole id goes first, then a file, then a beginning; what may mean several names them and shows none."""
    file = tmp_path / "news" / "tram.txt"
    file.parent.mkdir()
    paths = {"tram": None, "tram-1": "/x/a.jsonl", "tram-2": "/x/a.jsonl", "owl-3": str(file)}
    articles = [replace(ARTICLE, source=replace(ARTICLE.source, id=name, path=path)) for name, path in paths.items()]
    for word, shown in {
        "tram": "tram",
        "tram-2": "tram-2",
        "o": "owl-3",
        "news/tram.txt": "owl-3",
        str(file): "owl-3",
    }.items():
        assert main(["show", word, "--json"], parts=FakeParts(articles=articles)) == 0
        assert json.loads(capsys.readouterr().out)["id"] == shown
    for word, names in {
        "tr": "tram, tram-1, tram-2",
        "tram-": "tram-1, tram-2",
        "/x/a.jsonl": "tram-1, tram-2",
        "a.jsonl": "tram-1, tram-2",
    }.items():
        assert main(["show", word], parts=FakeParts(articles=articles)) == 1
        count = names.count(",") + 1
        assert capsys.readouterr() == ("", f"{word} may mean {count} articles. Choose from: {names}\n")
    assert main(["show", ""], parts=FakeParts(articles=articles)) == 1
    assert 'address or headline "". ' in capsys.readouterr().err


def test_show_takes_a_file_name_an_address_or_a_headline(capsys: Output) -> None:
    """Also the end of a path, and a headline in other letters or a part of it."""
    tram = Source("t1", "Tram to Altdorf cut", path="/news/2024/tram.txt", url="https://norvik.example/tram/")
    owl = Source("o1", "Café owl found", path="/news/2024/old-tram.txt")
    articles = [replace(ARTICLE, source=source) for source in (tram, owl)]
    for word, shown in {
        "tram.txt": "t1",
        "./2024/old-tram.txt": "o1",
        "HTTPS://norvik.example/tram/?utm_source=x": "t1",
        "tram to altdorf cut": "t1",
        "cafe owl": "o1",
    }.items():
        assert main(["show", word, "--json"], parts=FakeParts(articles=articles)) == 0
        assert json.loads(capsys.readouterr().out)["id"] == shown
    assert main(["show", "m.txt"], parts=FakeParts(articles=articles)) == 1


@pytest.mark.parametrize("question", ["hi", "what can you do?", "2 + 2", "who reopened the bridge?"])
def test_without_an_index_nothing_is_answered(question: str, tmp_path: Path, capsys: Output) -> None:
    """Not even a greeting: whoever greets would learn of it at the first question."""
    assert main(["ask", question, "--data", str(tmp_path / "data")]) == 1
    assert capsys.readouterr().err.startswith("Nothing has been indexed in ")


def test_a_data_folder_that_is_none_is_named(tmp_path: Path, capsys: Output) -> None:
    """A path given on the command line is no secret."""
    (tmp_path / "file").write_text("x")
    assert main(["--data", "file", "status"], parts=FakeParts()) == 1
    assert capsys.readouterr().err.startswith("--data 'file' is wrong: expected a folder")


def test_status_says_what_is_indexed(capsys: Output) -> None:
    """Counts, dates, size, health and the language model have a line each."""
    assert main(["--data", "d", "status"], parts=FakeParts()) == 0
    assert capsys.readouterr().out == (
        "articles:       2 in 5 chunks, 2024-01-03 to 2024-02-01\n"
        "outlets:        The Courier (2)\n"
        "index:          2.3 MB in d\n"
        "indexed:        2024-03-01 12:30\n"
        "embedded:       by a-model\n"
        "health:         good\n"
        "language model: none is set; answers are quoted\n"
    )


def test_status_says_what_the_model_can_do(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it cannot do is no error: such answers are quoted."""
    monkeypatch.setenv("CLIPPINGS_LLM", "ollama:small")
    assert main(["status"], parts=FakeParts()) == 0
    assert capsys.readouterr().out.endswith(
        "language model: ollama:small: it answers; it can cite the passage; "
        "it cannot say that a passage does not answer\n"
    )
    assert main(["status", "--json"], parts=FakeParts()) == 0
    assert json.loads(capsys.readouterr().out)["llm"] == {
        "name": "ollama:small",
        "answers": True,
        "check": "it answers",
        "can": ["cite the passage"],
        "cannot": ["say that a passage does not answer"],
    }


def test_status_says_what_is_wrong(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged index ends with 1. A language model that does not answer is reported, but is no damage."""
    monkeypatch.setenv("CLIPPINGS_LLM", "ollama:small")
    parts = FakeParts()
    parts.check = ClippingsError("nobody listens")
    assert main(["status", "--json"], parts=parts) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["llm"] == {"name": "ollama:small", "answers": False, "check": "nobody listens"}
    assert (status["indexed_at"], status["healthy"]) == ("2024-03-01T12:30:00+00:00", True)
    parts.found = replace(STATUS, healthy=False, problem="a file is missing")
    assert main(["status"], parts=parts) == 1
    assert (
        "health:         a file is missing\nlanguage model: ollama:small: nobody listens\n" in capsys.readouterr().out
    )


@pytest.mark.parametrize("arguments", [["ask", "x"], ["ask", "x", "--json"]])
def test_an_error_is_a_sentence_on_standard_error(arguments: list[str], capsys: Output) -> None:
    """With --json too. Nothing is printed on standard output."""
    assert main(arguments, parts=FakeParts(IndexMissing("Nothing is indexed."))) == 1
    assert capsys.readouterr() == ("", "Nothing is indexed.\n")


def test_no_traceback_without_debug(capsys: Output) -> None:
    """An unexpected exception is one line; --debug, before or after the command, shows the traceback."""
    assert main(["ask", "x"], parts=FakeParts(ZeroDivisionError("oh"))) == 1
    err = capsys.readouterr().err
    assert err == "Unexpected error: ZeroDivisionError: oh. Add --debug to see the traceback.\n"
    for arguments in (["ask", "x", "--debug"], ["--debug", "ask", "x"]):
        assert main(arguments, parts=FakeParts(ZeroDivisionError("oh"))) == 1
        assert "Traceback" in capsys.readouterr().err


def test_control_c_ends_quietly(capsys: Output) -> None:
    """An interrupted command ends with 130 and prints nothing."""
    assert main(["ask", "x"], parts=FakeParts(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == ("", "")


def test_a_closed_standard_output_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the caller has closed standard output, the exit code is still right."""
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["ask", "x"], parts=FakeParts(REFUSED)) == 3
    sys.stdout.close()


def test_a_wrong_setting_is_named_at_start(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong value ends the command. A misspelt variable only gives a warning."""
    monkeypatch.setenv("CLIPPINGS_LMM", "x")
    assert main(["status"], parts=FakeParts()) == 0
    assert "did you mean CLIPPINGS_LLM?" in capsys.readouterr().err
    monkeypatch.setenv("CLIPPINGS_LLM_TIMEOUT", "soon")
    assert main(["status"], parts=FakeParts()) == 1
    assert "CLIPPINGS_LLM_TIMEOUT (in the environment) is wrong" in capsys.readouterr().err


def test_every_command_has_help_with_an_example(capsys: Output) -> None:
    """`--help` of each command shows one to copy."""
    for name in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert f"example: clippings {name}" in capsys.readouterr().out


def test_version_is_one_line(capsys: Output) -> None:
    """`--version` needs no command."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("clippings ")


@pytest.mark.process
@pytest.mark.parametrize("module", ["bot", "bot.repl"])
def test_help_imports_nothing_heavy(module: str) -> None:
    """`--help` loads no library that it does not need, and both modules run as a program."""
    command = [sys.executable, "-X", "importtime", "-m", module, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in imported
    assert done.stdout.startswith("usage: clippings")
    heavy = {"chromadb", "llama_index", "onnxruntime", "pydantic", "pydantic_settings", "rich", "prompt_toolkit"}
    assert imported & (heavy | {"numpy", "nupunkt", "trafilatura", "openai", "tokenizers", "asyncio"}) == set()


@pytest.mark.process
def test_a_closed_pipe_is_no_error() -> None:
    """If the reader of standard output has gone, the command ends without a message."""
    code = (
        "import sys; from bot.cli.parser import main\n"
        "from tests.fakes.examples import ANSWER; from tests.fakes.parts import FakeParts\n"
        "sys.exit(main(['ask', 'x'], parts=FakeParts(ANSWER)))"
    )
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_wrong_setting_of_the_bot_stops_only_the_bot(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """`ask` says that it passes over a port that it does not use; `slack` ends."""
    monkeypatch.setenv("CLIPPINGS_METRICS_PORT", "abc")
    assert main(["ask", "who?"], parts=FakeParts(ANSWER)) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Some 40 people")
    wrong = "CLIPPINGS_METRICS_PORT (in the environment) is wrong: expected a port, 0 for a free one."
    assert err == f"{wrong} It was passed over: `clippings ask` does not use it.\n"
    assert main(["slack"], parts=FakeParts(ANSWER)) == 1
    assert capsys.readouterr().err == f"{wrong}\n"
