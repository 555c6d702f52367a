"""What one article or one question may cost: time that grows with the text and no faster, and an end to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from itertools import pairwise, product
from pathlib import Path

import pytest

from bot.answer import Engine
from bot.cli.parser import main
from bot.inquiry import MAX_QUESTION_CHARACTERS
from bot.models import QuestionTooLong, Turn
from bot.query.numbers import counted_stems, find_quantity
from bot.runtime import make_engine
from bot.settings import Settings
from bot.slack.respond import user_message
from index.cleaning.clean import clean
from index.cleaning.cleaner import MAX_CHARACTERS_HERE, Cleaner
from index.formats.front_matter import front_matter
from index.load import MAX_FAILURES, load
from index.models import Failure, RawRecord, UnreadableError
from index.reading.chunk import chunk
from index.reading.injection import instruction_spans, unrelated_paragraphs
from index.text import name_spans, sentences
from tests.corpus import article, prose, run, write

ROOT = Path(__file__).parents[1]
LONG = prose(10_000)  # 1.3 MB
MIN_SECONDS = 0.05  # less is noise
HOSTILE = {
    "marks": "!", "questions": "?!", "stops": ".", "spaced stops": ". ", "ellipses": "… ", "quotes": '."',
    "brackets": ".)",
    "links": "[a](b)", "images": "![a](", "open brackets": "[", "tags": "<", "elements": "<a>", "emphasis": "*a ",
    "underscores": "_a", "a word": "a", "capitals": "A ", "names": "Ann Lee ", "initials": "A.", "digits": "1,000,",
    "numbers": "twenty ", "the": "the ", "line breaks": "\n", "hard spaces": "\n\xa0", "accents": "e\u0301",
    "apostrophes": "a'", "dates": "Jan 5, 2024 ", "credits": ". (Reporting by ", "short lines": "More on this story\n",
    "lists": "- a\n", "quoting": "> ", "fences": "```\n", "agencies": "REUTERS/Aaa" + "/ aaa" * 60 + "!\n",
    "adverbs": "then always ", "orders": "This page is: " + "make sure that " * 60, "turns": "human: ",
    "days": "May 5 of ", "bounds": "nearly 10 ",
}  # fmt: skip


def record(text: str, kind: str = "text") -> RawRecord:
    """A raw record of a file."""
    return RawRecord("/articles/a.txt", "", text, kind)


def seconds(work: Callable[[str], object], text: str) -> float:
    """The processor's seconds that some work takes."""
    started = time.process_time()
    work(text)
    return time.process_time() - started


def cleaned_and_cut(kind: str, text: str) -> object:
    """The chunks of an article."""
    return chunk(clean(record(f"A sentence of words.\n\n{text}", kind)))


@pytest.mark.parametrize("motif", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", ["text", "markdown"])
def test_reading_is_linear(kind: str, motif: str) -> None:
    """Eight times the text takes at most 16 times the time. 200 KB of exclamation marks took 132 s."""
    cleaned_and_cut(kind, LONG[:2_500])
    short, long = ((motif * size)[:size] for size in (2_500, 20_000))
    budget = 16 * max(seconds(partial(cleaned_and_cut, kind), short), MIN_SECONDS)
    assert seconds(partial(cleaned_and_cut, kind), long) <= budget


READERS: dict[str, Callable[[str], object]] = {
    "names": name_spans,
    "fields": lambda text: front_matter(f"---\n{text}\n---\n{text}"),
    "instructions": instruction_spans,
    "counts": lambda text: find_quantity(text, counted_stems("How many people were killed?")),
    "paragraphs": lambda text: unrelated_paragraphs(text, "a"),
}


@pytest.mark.parametrize("motif", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("work", READERS.values(), ids=READERS)
def test_finding_is_linear(work: Callable[[str], object], motif: str) -> None:
    """Eight times the text takes at most 16 times the time; "make sure that" 60 times in a row took for ever."""

    def tried(text: str) -> None:
        with suppress(UnreadableError):
            work(text)

    short, long = ((motif * size)[:size] for size in (2_500, 20_000))
    assert seconds(tried, long) <= 16 * max(seconds(tried, short), MIN_SECONDS)


def test_a_chain_of_paragraphs_is_followed_to_its_end() -> None:
    """Each of 20,000 paragraphs shares a word with the next one only: all belong together, and one more does not."""
    names = ["".join(letters) for letters in product("bcdfghjklm", repeat=5)][:20_001]
    chain = "\n\n".join(f"{first} {second}" for first, second in pairwise(names))
    text = f"{chain}\n\nzzz"
    assert unrelated_paragraphs(text, names[0]) == [(len(chain) + 2, len(text))]


@pytest.mark.parametrize("word", ["!" * 5_000, "a" * 5_000 + "!", "https://example.com/" + "a?b!" * 2_000])
def test_a_long_word_stays_in_its_sentence(word: str) -> None:
    """The splitter sees a part of it; the spans are those of the whole text, and the sentences beside it are parted."""
    text = f"Ann fell. She cried {word} and left. Nobody came."
    first, *between, last = (text[start:end] for start, end in sentences(text))
    assert (first, last) == ("Ann fell.", "Nobody came.")
    assert "".join([first, *between, last]).replace(" ", "") == text.replace(" ", "")


@pytest.mark.process
@pytest.mark.parametrize("kind", ["text", "markdown", "html"])
def test_a_long_article_is_cleaned_in_a_process_as_it_is_here(kind: str) -> None:
    """The process gives the same article, also for the second record that it cleans."""
    text = LONG[: 2 * MAX_CHARACTERS_HERE].replace("pounds.", "pounds.</p><p>" if kind == "html" else "pounds.\n\n")
    with closing(Cleaner()) as cleaner:
        for page in (record(text, kind), record(text[:-5_000], kind)):
            assert cleaner.read(page) == (clean(page), chunk(clean(page)))
        with pytest.raises(UnreadableError, match="no text"):
            cleaner.read(record("!" * 2 * MAX_CHARACTERS_HERE, kind))


def test_a_short_article_starts_no_process() -> None:
    """Most articles are short, and a process takes a second to start."""
    with closing(Cleaner(seconds=1e-6)) as cleaner:
        assert cleaner.read(record("Frost spoiled the orchards."))[0].body == "Frost spoiled the orchards."
        assert cleaner.worker.process is None


@pytest.mark.process
def test_an_article_that_takes_too_long_is_stopped_and_the_next_is_read() -> None:
    """The process is ended in the middle of its work, and another cleans the next article."""
    with closing(Cleaner(seconds=0.001)) as cleaner:
        for _ in range(2):
            with pytest.raises(UnreadableError, match=r"^took longer than 0.001 seconds to read; left out\.$"):
                cleaner.read(record(LONG))


@pytest.mark.process
def test_a_process_that_crashes_costs_its_article_only() -> None:
    """As a library would crash it; the next article is cleaned by a new process."""
    with closing(Cleaner()) as cleaner:
        cleaner.read(record(LONG[:30_000]))
        assert cleaner.worker.process
        assert cleaner.worker.process.pid
        os.kill(cleaner.worker.process.pid, signal.SIGSEGV)
        with pytest.raises(UnreadableError, match=r"^the process that read it ended \(exit code -11\); left out\.$"):
            cleaner.read(record(LONG[:30_000]))
        assert cleaner.read(record(LONG[:30_000]))[0].body


@pytest.mark.process
def test_no_process_outlives_a_killed_run() -> None:
    """The process ends when the one that started it is gone, however it went."""
    program = (
        "from index.cleaning.cleaner import Cleaner; from index.models import RawRecord\n"
        "cleaner = Cleaner(); cleaner.read(RawRecord('/a', '', 'Ann fell. ' * 5000, 'text'))\n"
        "print(cleaner.worker.process.pid, flush=True); input()"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while _is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_running(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.process
def test_indexing_leaves_out_what_takes_too_long_and_keeps_the_rest(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The article is named with the reason; its earlier version stays, also with --prune, and the others are read."""
    folder, data = tmp_path / "articles", tmp_path / "data"
    slow = write(folder, "a-long-one", "The weir at Carrow burst on Monday.")
    write(folder, "bees", "Keep bees away from the wind.")
    assert run(data, [folder], weights).added == 2

    monkeypatch.setattr("index.cleaning.cleaner.MAX_ARTICLE_SECONDS", 0.001)
    write(folder, "a-long-one", LONG)
    write(folder, "frost", "Frost spoiled the orchards.")
    monkeypatch.setenv("CLIPPINGS_MODEL_DIR", str(weights))
    assert main(["index", str(folder), "--prune", "--data", str(data)]) == 4
    out, err = capsys.readouterr()
    assert err == f"{slow}: took longer than 0.001 seconds to read; left out.\n"
    assert out.startswith("1 added, 0 changed, 1 unchanged, 0 removed, 1 failed;")
    assert main(["index", "--explain", str(slow)]) == 1
    assert capsys.readouterr().err == err


@pytest.mark.process
def test_a_record_that_takes_too_long_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file may hold a million others. `index` and `index --explain` name the file and the line."""
    file = tmp_path / "many.jsonl"
    texts = ["The weir at Carrow burst on Monday.", LONG]
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.cleaning.cleaner.MAX_ARTICLE_SECONDS", 0.001)
        assert main(["index", "--data", str(tmp_path / "data"), str(file)]) == 4
        expected = f"{file}: line 2: took longer than 0.001 seconds to read; left out.\n"
        assert capsys.readouterr().err == expected
        assert main(["index", "--explain", str(file)]) == 4
        assert capsys.readouterr().err == expected


def test_a_file_of_nothing_but_failures_is_not_read_to_its_end(tmp_path: Path) -> None:
    """50 MB of JSON hold 25 million numbers, and a list of as many failures took 5 GB."""
    file = tmp_path / "numbers.json"
    file.write_text(f"[{'1,' * 50_000}1]", encoding="utf-8")
    *failures, last = load([file])
    assert len(failures) == MAX_FAILURES == 10_000
    assert last == Failure(str(file), "10,000 of its records cannot be read: what follows was left out")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Engine]:
    """An engine over one article, without a language model."""
    folder = tmp_path_factory.mktemp("limits")
    write(folder / "articles", "weir", "The weir at Carrow burst on Monday. Nobody was hurt.")
    assert run(folder / "data", [folder / "articles"], weights).added == 1
    with closing(make_engine(Settings(data=folder / "data", model_dir=weights))) as made:
        yield made


@pytest.mark.parametrize("motif", ["who ", "1,", "!", "Ann Lee ", "May ", "\n"])
def test_a_question_that_is_too_long_is_refused_before_any_work(engine: Engine, motif: str) -> None:
    """100 KB took two minutes. The error says how long it is and how long it may be; Slack shows the same sentence."""
    question = motif * (100_000 // len(motif))
    for work in (engine.ask, engine.retrieve):
        with pytest.raises(QuestionTooLong) as refused:
            work(question)
        assert str(refused.value) == (
            "The question is too long: 100,000 characters, and 2,000 are read. Ask in a sentence or two."
        )
        assert user_message(refused.value) == str(refused.value)


def test_the_longest_question_is_answered(engine: Engine) -> None:
    """Politeness may be long. Turns of any length are no reason to fail."""
    asked = "When did the weir at Carrow burst?"
    question = ("Please tell me. " * MAX_QUESTION_CHARACTERS)[: MAX_QUESTION_CHARACTERS - len(asked)] + asked
    turns = [Turn("user", "1," * 50_000), Turn("assistant", "Ann Lee " * 20_000)]
    answer = engine.ask(question, turns=turns)
    assert answer.question == question
    assert engine.ask("and who was hurt?", turns=turns).question == "and who was hurt?"


def test_a_long_question_ends_the_command_with_1(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words, without a traceback."""
    run(tmp_path / "data", [write(tmp_path / "news", "bees", "Keep bees away from the wind.")], weights)
    monkeypatch.setenv("CLIPPINGS_DATA", str(tmp_path / "data"))
    assert main(["ask", "who " * 25_000]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "The question is too long: 99,999 characters, and 2,000 are read. Ask in a sentence or two.\n"


def test_an_article_of_long_words_is_cut_into_chunks() -> None:
    """Together they are the article."""
    made = chunk(article("a", "!" * 200_000))
    assert (made[0].start, made[-1].end) == (0, 200_000)
