"""The chat, driven by its lines: what is printed, and the calls of the engine."""

from __future__ import annotations

import io
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.cli.chat import HELP, MAX_TURNS, Chat, _prompt, greeting, run_chat
from bot.cli.parser import main
from bot.models import Kind, Turn
from bot.settings import Settings
from index.models import ClippingsError, Filters, IndexMissing, Source
from tests.fakes.engine import FakeEngine, Streamed
from tests.fakes.examples import ANSWER, ARTICLE, QUOTE, REFUSED
from tests.fakes.parts import FakeParts

SOURCES_LINE = "\n[1] Bridge reopens · The Courier · 2024-01-03 (and 1 more)\n\n"
REPLY = replace(ANSWER, text="Hello.", answerer="reply", citations=())


def typed(*lines: str | type[BaseException]) -> Callable[[], str]:
    """Make a reader of these lines, then of the end of input. An exception is raised in its turn."""
    left = list(lines)

    def read() -> str:
        line = left.pop(0) if left else EOFError
        if isinstance(line, str):
            return line
        raise line

    return read


def talk(engine: FakeEngine, *lines: str | type[BaseException], live: bool = False) -> str:
    """Chat, and return what was printed."""
    out = io.StringIO()
    Chat(engine, out, live=live).run(typed(*lines))
    return out.getvalue()


def test_an_answer_is_followed_by_its_sources() -> None:
    """In a pipe an answer is printed whole, with a line for each source."""
    assert talk(FakeEngine([ANSWER]), "how many walked?") == f"{ANSWER.text}\n{SOURCES_LINE}"


@pytest.mark.parametrize(
    ("kind", "named"),
    [("timeline", " (timeline)"), ("collection", " (from the catalogue)"), ("fact", ""), ("yes_no", "")],
)
def test_a_kind_that_is_not_obvious_is_named(kind: Kind, named: str) -> None:
    """Behind the answer, for what is no plain answer to a plain question; a refusal has no kind."""
    assert talk(FakeEngine([replace(ANSWER, kind=kind)]), "x") == f"{ANSWER.text}{named}\n{SOURCES_LINE}"
    assert "(timeline)" not in talk(FakeEngine([replace(REFUSED, kind=kind)]), "x")


def test_a_follow_up_is_asked_with_the_turns() -> None:
    """The engine gets the turns so far. Chitchat is no turn, and an empty line is no question."""
    engine = FakeEngine([ANSWER, REPLY, REFUSED])
    talk(engine, "how many walked?", "", "thanks", "and why?")
    turns = (Turn("user", "how many walked?"), Turn("assistant", ANSWER.text))
    assert [call.turns for call in engine.asked] == [(), turns, turns]


def test_turns_are_bounded() -> None:
    """A long conversation keeps its last turns only."""
    engine = FakeEngine([ANSWER] * 30)
    talk(engine, *[f"question {number}" for number in range(30)])
    assert len(engine.asked[-1].turns) == MAX_TURNS
    assert engine.asked[-1].turns[-2].text == "question 28"


def test_new_forgets_the_turns_and_keeps_the_filter() -> None:
    """/new starts again, with the same filter."""
    engine = FakeEngine([ANSWER, ANSWER], [ARTICLE])
    shown = talk(engine, "one", "/filter from=2024-01-01", "/new", "/sources", "two")
    assert "A new conversation.\nThere is no answer with sources yet.\n" in shown
    assert engine.asked[1].turns == ()
    assert engine.asked[1].filters == Filters(since=date(2024, 1, 1))


def test_text_is_printed_as_it_comes() -> None:
    """A streamed answer is written once, and its sources follow."""
    engine = FakeEngine([Streamed(["Some 40 people  walked", " over it\nfirst. [1]"], ANSWER)])
    assert talk(engine, "x", live=True) == f"{ANSWER.text}\n{SOURCES_LINE}"


def test_text_that_is_not_the_answer_is_replaced() -> None:
    """If the model failed half way, the final answer is printed whole."""
    engine = FakeEngine([Streamed(["Some 50 \x1b[31mpeo"], ANSWER)])
    shown = talk(engine, "x", live=True)
    assert shown == f"Some 50 peo\n(The text above could not be verified. The answer:)\n{ANSWER.text}\n{SOURCES_LINE}"


def test_text_of_an_answer_that_became_a_refusal_is_replaced() -> None:
    """A refusal is printed whole, whatever was printed before it."""
    shown = talk(FakeEngine([Streamed([REFUSED.text], REFUSED)]), "x", live=True)
    assert shown.startswith("Perhaps.\n(The text above could not be verified. The answer:)\nThe articles do not say.\n")


def test_control_c_stops_an_answer_and_not_the_conversation() -> None:
    """The stopped answer is no turn; the next question is answered."""
    engine = FakeEngine([Streamed(["Some ", KeyboardInterrupt()], ANSWER), ANSWER])
    shown = talk(engine, "one", KeyboardInterrupt, "two", live=True)
    assert shown == f"Some \n(stopped)\n{ANSWER.text}\n{SOURCES_LINE}"
    assert engine.asked[1].turns == ()


def test_control_c_ends_a_piped_conversation() -> None:
    """In a pipe there is nobody to ask the next question."""
    with pytest.raises(KeyboardInterrupt):
        talk(FakeEngine([KeyboardInterrupt()]), "one", "two")


def test_after_an_error_the_chat_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    """Expected or not, an error is a line on standard error."""
    engine = FakeEngine([ClippingsError("No model."), ZeroDivisionError("oh"), ANSWER])
    assert talk(engine, "one", "two", "three") == f"{ANSWER.text}\n{SOURCES_LINE}"
    assert capsys.readouterr().err == (
        "No model.\nUnexpected error: ZeroDivisionError: oh. Add --debug to see the traceback.\n"
    )


def test_sources_shows_the_quotes() -> None:
    """/sources gives the sources of the last answer in full; of a refusal, the places to look."""
    shown = talk(FakeEngine([ANSWER, REFUSED]), "one", "/sources", "two", "/sources")
    assert "“Some 40 people walked over it first.”" in shown
    assert shown.count("Nearest:\n- Bridge reopens") == 2


def test_show_gives_the_quote_inside_its_paragraph() -> None:
    """/show 1 marks the quote and shows no other paragraph."""
    article = replace(ARTICLE, body=ARTICLE.body.replace(QUOTE, f"{QUOTE} Then came the mayor."))
    shown = talk(FakeEngine([ANSWER], [article]), "one", "/show 1").removeprefix(f"{ANSWER.text}\n{SOURCES_LINE}")
    assert shown == (
        "[1] Bridge reopens · The Courier · 2024-01-03\n"
        "    https://courier.example/bridge\n"
        "\n"
        f">>{QUOTE}<< Then came the mayor.\n"
        "\n"
    )


def test_show_gives_all_quotes_of_a_source() -> None:
    """Those of a paragraph are marked in it, the others in theirs, in the order of the article."""
    body = f"It opened. {QUOTE} Then came the mayor.\n\nNobody was hurt.\n\nRain fell later. It was cold."
    spans = [(body.index(text), body.index(text) + len(text)) for text in ("Rain fell later.", QUOTE, "the mayor")]
    cited = tuple(replace(ANSWER.citations[0], quote=body[a:b], start=a, end=b) for a, b in spans)
    engine = FakeEngine([replace(ANSWER, citations=cited)], [replace(ARTICLE, body=body)])
    shown = talk(engine, "one", "/show 1").split("bridge\n")[1]
    assert shown == (f"\nIt opened. >>{QUOTE}<< Then came >>the mayor<<.\n\n>>Rain fell later.<< It was cold.\n\n")


def test_show_of_what_is_not_there_says_so() -> None:
    """A wrong number, no answer yet, and a changed article have a message each."""
    changed = replace(ARTICLE, body="Something else.")
    shown = talk(FakeEngine([ANSWER], [changed]), "/show 1", "one", "/show 7", "/show", "/show [1]")
    assert "/show needs the number of a source. There is no answer with sources yet.\n" in shown
    assert shown.count("/show needs the number of a source. Choose from: 1.\n") == 2
    assert shown.endswith("The article was changed or removed after that answer. Ask again.\n")


def test_articles_lists_the_newest() -> None:
    """/articles stops at twenty and counts the rest."""
    articles = [replace(ARTICLE, source=Source(str(number), f"Story {number}")) for number in range(25)]
    shown = talk(FakeEngine([], articles), "/articles")
    assert shown.startswith("Story 0 · no date\nStory 1 · no date\n")
    assert shown.endswith("Story 19 · no date\n\n… and 5 older\n")


STAYS = "The filter stays as it was.\nSearching all articles.\n"


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("", "Searching all articles.\n"),
        ("outlet=the courier from=2024-01-01", "Searching only outlet=The Courier from=2024-01-01\n"),
        ('outlet="The Courier"', "Searching only outlet=The Courier\n"),
        ("to=2024-01-31", "Searching only to=2024-01-31\n"),
        ("outlet=Couriers", f"No article is from an outlet named Couriers. Did you mean The Courier? {STAYS}"),
        ("from=soon", f"'soon' is not a date; write it as 2024-01-31. {STAYS}"),
        (
            "from=2024-02-01 to=2024-01-01",
            f"There is no day from 2024-02-01 to 2024-01-01: the first date is after the last. {STAYS}",
        ),
        ("yesterday", f"/filter takes outlet=NAME, author=NAME, from=DATE and to=DATE, or off. {STAYS}"),
    ],
)
def test_filter_is_read_and_shown(argument: str, shown: str) -> None:
    """/filter says what is searched from now on, or what was wrong."""
    assert talk(FakeEngine([], [ARTICLE]), f"/filter {argument}") == shown


def test_a_wrong_filter_changes_nothing_and_off_forgets_it() -> None:
    """The filter that was set stays until another takes its place or /filter off."""
    engine = FakeEngine([ANSWER, ANSWER], [ARTICLE])
    shown = talk(engine, "/filter to=2024-01-31", "/filter to=x", "one", "/filter off", "two")
    assert "The filter stays as it was.\nSearching only to=2024-01-31\n" in shown
    assert [call.filters for call in engine.asked] == [Filters(until=date(2024, 1, 31)), Filters()]


def test_an_unknown_command_names_help() -> None:
    """A mistyped command is not asked as a question."""
    assert talk(FakeEngine(), "/shwo 2") == "There is no command /shwo. /help lists the commands.\n"


def test_help_names_every_command() -> None:
    """/help names all there are."""
    assert talk(FakeEngine(), "/help") == f"{HELP}\n"
    assert all(name in HELP for name in (*Chat(FakeEngine(), io.StringIO(), live=False).commands, "/quit"))


def test_quit_leaves() -> None:
    """Nothing after /quit is read."""
    assert talk(FakeEngine(), "/quit", "one") == ""


def test_the_greeting_says_what_is_indexed_and_who_answers() -> None:
    """Counts, dates and how answers are made."""
    later = replace(ARTICLE.source, published=ARTICLE.source.published and ARTICLE.source.published + timedelta(9))
    assert greeting([later, ARTICLE.source, Source("x", "y")], "").startswith(
        "Clippings: 3 articles, 2024-01-03 to 2024-01-12. Answers are quoted; no language model is set.\n"
    )
    assert "1 article. Answers are written by openai:small and checked." in greeting([Source("x", "y")], "openai:small")


def test_chat_reads_a_pipe_line_by_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """From a pipe there is no greeting and no history, and the engine is closed at the end.

    Each line is shown before its answer, safe for a terminal, so that the output reads as a conversation.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("one \x1b[31mmore\n\n/filter\nlast"))
    parts = FakeParts(ANSWER, REPLY)
    assert main(["--data", str(tmp_path / "data"), "chat"], parts=parts) == 0
    expected = f"> one more\n{ANSWER.text}\n{SOURCES_LINE}> /filter\nSearching all articles.\n> last\nHello.\n\n"
    assert capsys.readouterr() == (expected, "")
    assert [call.question for call in parts.fake.asked] == ["one \x1b[31mmore", "last"]
    assert parts.fake.closed
    assert not (tmp_path / "data").exists()


def test_chat_over_no_index_ends_at_once(tmp_path: Path) -> None:
    """Without an index the chat does not start."""

    class Empty(FakeEngine):
        def sources(self, limit: int | None = None) -> list[Source]:  # noqa: ARG002  # the engine's signature
            raise IndexMissing("Nothing is indexed.")

    with pytest.raises(IndexMissing):
        run_chat(Empty(), Settings(data=tmp_path))


def test_history_is_private(tmp_path: Path) -> None:
    """Only the user can read the file of questions."""
    _prompt(tmp_path / "data" / "history")
    assert stat.S_IMODE((tmp_path / "data" / "history").stat().st_mode) == 0o600


def test_a_history_that_cannot_be_kept_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The chat works all the same."""
    (tmp_path / "data").write_text("a file")
    assert callable(_prompt(tmp_path / "data" / "history"))
    assert "The history cannot be kept in" in capsys.readouterr().err
