"""The engine with a scripted language model: what it writes is checked, and quotes stand in where it fails."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from functools import partial

import pytest

from bot.answer import Engine
from bot.generate.llm import make_llm
from bot.generate.support import SupportReader
from bot.models import ON_STEP, REFUSAL, Answer, Turn
from tests.answers import ASKED, BREAD, KERMAN, KEY, MILL, held, with_model
from tests.fakes.openai_server import OpenAIServer, Reply


@pytest.fixture(scope="session")
def plain(engine: Engine) -> Answer:
    """The answer without a language model."""
    return engine.ask(MILL, as_of=ASKED)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """A scripted language model."""
    with OpenAIServer() as found:
        yield found


@pytest.fixture
def writer(engine: Engine, server: OpenAIServer) -> Engine:
    """An engine with that language model."""
    return with_model(engine, server.url)


def test_model_writes_and_is_checked_and_cited(writer: Engine, server: OpenAIServer) -> None:
    """Each number gets the sentence that supports it, and the key goes to the server and nowhere else."""
    said = [
        "The mill will shed 140 of its 560 jobs",
        " [1]. ",
        "It will stop making newsprint [1]. ",
        "Demand has fallen [",
    ]
    server.script(Reply.of(*said, "1]."))
    stream = writer.stream(MILL, as_of=ASKED)
    pieces = list(stream)
    answer = stream.answer
    assert answer.text == (
        "The mill will shed 140 of its 560 jobs [1]. It will stop making newsprint [1]. Demand has fallen [1]."
    )
    assert len(pieces) > 1
    assert "".join(pieces) == answer.text
    assert (answer.answerer, answer.answered, answer.notice) == ("write", True, None)
    assert held(writer, answer)
    assert "140 of its 560 jobs" in answer.citations[0].quote
    assert "write" in answer.timings_ms
    assert server.requests[0].key == f"Bearer {KEY}"
    assert KEY not in repr(answer)


def test_model_is_given_the_turns_the_day_and_both_tellings(engine: Engine, server: OpenAIServer) -> None:
    """The question that stands alone, what was said before, and all passages near it."""
    writer = with_model(engine, server.url, timeout=40)
    writer.ask("and who claimed it?", turns=[Turn("user", KERMAN), Turn("assistant", "Both say 100.")], as_of=ASKED)
    completed, written = server.requests
    assert "| assistant: Both say 100." in completed.messages[0]["content"]
    rules, asked = (message["content"] for message in written.messages)
    assert "2024-06-10" in rules
    assert "assistant: Both say 100." in asked
    assert "Nearly 100 people died" in asked
    assert "more than 100 people dead" in asked


TALK = [Turn("user", KERMAN), Turn("assistant", "The articles differ.")]


def test_model_completes_a_follow_up(engine: Engine, server: OpenAIServer) -> None:
    """What it makes of the follow-up is what is searched for and what the answer is written to."""
    server.script(Reply.of("Who claimed the ", "Kerman attack?"))
    answer = with_model(engine, server.url, timeout=40).ask("and who claimed it?", turns=TALK, as_of=ASKED)
    assert answer.question == "and who claimed it?"
    assert answer.standalone_question == "Who claimed the Kerman attack?"
    assert "Question: Who claimed the Kerman attack?" in server.requests[1].messages[1]["content"]
    assert server.requests[0].body["temperature"] == 0
    assert answer.notice is None


@pytest.mark.parametrize(("question", "turns"), [(KERMAN, []), ("and who claimed it?", []), (MILL, TALK)])
def test_question_that_needs_no_completion_costs_no_call(
    writer: Engine, server: OpenAIServer, question: str, turns: list[Turn]
) -> None:
    """A first question, and one that stands alone, are searched for to the letter."""
    assert writer.ask(question, turns=turns, as_of=ASKED).standalone_question == question
    assert not any("You complete the last question" in str(request.messages) for request in server.requests)


@pytest.mark.parametrize(
    "reply",
    [
        Reply.of(),
        Reply(status=500),
        Reply.of("Who claimed", cut="rudely"),
        Reply.of("Who", pause=30),
        Reply.of("OK"),
        Reply.of("Who is Robert Fico?"),
    ],
)
def test_follow_up_that_the_model_does_not_complete_is_completed_by_rules(
    engine: Engine, server: OpenAIServer, reply: Reply
) -> None:
    """Whatever it does, the search is as without a model; where it then writes, nothing is said of it."""
    server.script(reply, Reply.of("The Islamic State group said that it had carried out the bombing."))
    follow_up = engine.ask("and who claimed it?", turns=TALK, as_of=ASKED)
    answer = with_model(engine, server.url, timeout=6).ask("and who claimed it?", turns=TALK, as_of=ASKED)
    assert answer.standalone_question == follow_up.standalone_question
    assert [one.source for one in answer.passages] == [one.source for one in follow_up.passages]
    assert answer.answerer == "write"
    assert "completed" not in (answer.notice or "")


@pytest.mark.parametrize(
    ("reply", "timeout", "said"),
    [
        (Reply(status=429), 40, "is asked too often, or its quota is used up: try again later (429)."),
        (Reply.of("How", pause=30), 4, "did not finish within 1 seconds."),
    ],
)
def test_refusal_after_a_follow_up_that_the_model_failed_at_says_so(
    engine: Engine, server: OpenAIServer, reply: Reply, timeout: float, said: str
) -> None:
    """The search may have been for something else; and a slow model was waited for a quarter of its time only."""
    server.script(reply)
    turns = [Turn("user", "What is the best phone to buy?"), Turn("assistant", REFUSAL)]
    answer = with_model(engine, server.url, timeout).ask("does it have a good camera?", turns=turns, as_of=ASKED)
    assert answer.refusal is not None
    assert answer.notice == f"The language model fake {said} The follow-up was completed by rules instead."
    assert len(server.requests) == 1


FAULTS = {
    "401": Reply(status=401),
    "429": Reply(status=429),
    "500": Reply(status=500),
    "timeout": Reply.of("The mill", pause=30),
    "cut": Reply.of("The mill", cut="rudely"),
    "empty": Reply.of(),
    "garbage": Reply(raw=b"\xff\x00 no event at all"),
    "broken JSON": Reply(raw=b'data: {"choices": [{"del\n\n'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_model_that_fails_is_replaced_by_quoting(
    engine: Engine, plain: Answer, server: OpenAIServer, fault: str
) -> None:
    """The answer is that without a model, with one line that says so; the model is not asked twice."""
    server.script(FAULTS[fault])
    writer = with_model(engine, server.url, timeout=0.3 if fault == "timeout" else 5)
    answer = writer.ask(MILL, as_of=ASKED)
    assert (answer.answerer, answer.text, answer.citations) == ("quote", plain.text, plain.citations)
    assert answer.notice is not None
    assert answer.notice.startswith("The language model fake ")
    assert answer.notice.endswith(" The answer is quoted instead.")
    assert "\n" not in answer.notice
    assert KEY not in answer.notice
    assert len(server.requests) == 1


def test_model_that_is_not_there_is_replaced_by_quoting(engine: Engine) -> None:
    """A refused connection is told, and the answer comes at once."""
    with closing(socket.socket()) as closed:
        closed.bind(("127.0.0.1", 0))
        answer = with_model(engine, f"http://127.0.0.1:{closed.getsockname()[1]}/v1").ask(MILL, as_of=ASKED)
    assert answer.answered
    assert answer.answerer == "quote"
    assert answer.notice == (
        "The language model fake cannot be reached: is it running, and is the address right? "
        "The answer is quoted instead."
    )


def test_setting_that_names_no_model_is_told_and_the_answer_quoted(engine: Engine) -> None:
    """A missing key is no reason to leave a reader without an answer."""
    llm = partial(make_llm, "openai:gpt-4o", api_key=None, timeout=5.0, context_window=None)
    answer = Engine(engine._searcher, engine._models, llm).ask(MILL, as_of=ASKED)
    assert answer.answerer == "quote"
    assert answer.notice is not None
    assert answer.notice.startswith("OPENAI_API_KEY is not set")


def test_refusal_after_a_fault_says_so_too(engine: Engine, server: OpenAIServer) -> None:
    """Where there is nothing to quote, the line about the model stays."""
    server.script(Reply(status=500))
    question = "Why was Marrow Bridge closed this week?"
    answer = with_model(engine, server.url).ask(question, as_of=ASKED)
    assert answer.refusal is not None
    assert answer.notice is not None
    assert "fault on its own side" in answer.notice
    assert "quoted" not in answer.notice


def test_steps_are_named_as_they_begin(writer: Engine, server: OpenAIServer) -> None:
    """The command line shows them, so that nobody looks at nothing for a minute."""
    server.script(Reply.of("The mill will shed 140 of its 560 jobs [1]."))
    steps: list[str] = []
    token = ON_STEP.set(steps.append)
    try:
        answer = writer.ask(MILL, as_of=ASKED)
    finally:
        ON_STEP.reset(token)
    assert steps == [*answer.timings_ms]
    assert steps[-1] == "write"


LATE = {
    "time": Reply.of("The mill will shed 140 of its 560 jobs [1]. ", "It will stop making ", "news", pause=0.7),
    "a cut, politely": Reply.of("The mill will shed 140 of its 560 jobs [1]. And", cut="politely"),
    "a cut": Reply.of("The mill will shed 140 of its 560 jobs [1]. ", "It will stop making ", cut="rudely"),
    "an error": Reply.of(
        "The mill will shed 140 of its 560 jobs [1]. ", "It will stop making ", message="out of memory"
    ),
}


@pytest.mark.parametrize("name", LATE)
def test_what_was_checked_is_kept_if_the_model_fails_late(engine: Engine, server: OpenAIServer, name: str) -> None:
    """The unfinished sentence is not shown, and the reader is told why it ends there."""
    server.script(LATE[name])
    stream = with_model(engine, server.url, timeout=1.8).stream(MILL, as_of=ASKED)
    assert "".join(stream) == "The mill will shed 140 of its 560 jobs [1]."
    answer = stream.answer
    assert (answer.text, answer.answerer) == ("The mill will shed 140 of its 560 jobs [1].", "write")
    assert len(answer.citations) == 1
    assert answer.notice is not None
    assert answer.notice.startswith("The language model fake ")
    assert answer.notice.endswith("What it had written until then is shown.")


def test_unfinished_reply_that_may_be_a_thought_is_not_kept(engine: Engine, server: OpenAIServer) -> None:
    """It did not begin with a statement that it cites, so it may be a thought without its beginning."""
    server.script(
        Reply.of("Okay, the user asks. ", "The mill will shed 140 of its 560 jobs [1]. ", "But", cut="rudely")
    )
    answer = with_model(engine, server.url).ask(MILL, as_of=ASKED)
    assert answer.answerer == "quote"
    assert answer.notice == (
        "The language model fake broke off in the middle of its reply. The answer is quoted instead."
    )


def test_model_that_finds_no_answer_refuses(writer: Engine, server: OpenAIServer) -> None:
    """It read the passages; the refusal names the nearest and cites nothing."""
    server.script(Reply.of("NOT IN THE ", "ARTICLES"))
    stream = writer.stream("Who designed the paper mill in Aldermoor?", as_of=ASKED)
    assert list(stream) == []
    answer = stream.answer
    assert (answer.text, answer.answerer, answer.citations) == (REFUSAL, "write", ())
    assert answer.refusal is not None
    assert answer.refusal.reason == "The language model read the nearest passages and found no answer in them."
    assert answer.refusal.nearest[0].id == "northgate-mill-2024-02-27"


@pytest.mark.parametrize("reply", ["NOT IN THE ARTICLES", "I don't know.", "There is no information on that."])
def test_refusal_against_strong_evidence_is_quoted_instead(writer: Engine, server: OpenAIServer, reply: str) -> None:
    """A small model refuses too often. The reader is told that it did."""
    server.script(Reply.of(reply))
    answer = writer.ask(MILL, as_of=ASKED)
    assert answer.answerer == "quote"
    assert "140 of its 560 jobs" in answer.text
    assert answer.notice == ("The language model found no answer in the passages. The answer is quoted instead.")


def test_true_statement_on_another_question_is_no_answer(writer: Engine, server: OpenAIServer) -> None:
    """The passages support it, and another of their sentences answers: that is quoted."""
    server.script(Reply.of("The Islamic State group later said that it had carried out the bombing."))
    answer = writer.ask("How was Qassem Soleimani killed?", as_of=ASKED)
    assert answer.answerer == "quote"
    assert "American drone strike" in answer.text
    notice = "What the language model wrote does not answer the question. The answer is quoted instead."
    assert answer.notice == notice


def test_answer_of_which_too_little_is_left_is_quoted_instead(writer: Engine, server: OpenAIServer) -> None:
    """More was left out than shown: what is shown may be a torso."""
    server.script(Reply.of("The mill will shed 140 of its 560 jobs [1]. It made 9 kings furious [1]. Peru won [1]."))
    answer = writer.ask(MILL, as_of=ASKED)
    assert answer.answerer == "quote"
    assert answer.notice == (
        "Most of what the language model wrote is not supported by the articles. The answer is quoted instead."
    )


@pytest.mark.parametrize(
    ("reply", "is_shown"), [("No.", False), ("**No**, it does not.", False), ("Yes", True), ("?", True)]
)
def test_second_look_removes_what_the_model_does_not_confirm(
    engine: Engine, server: OpenAIServer, reply: str, *, is_shown: bool
) -> None:
    """The model is asked about a statement near the line, and about no other. It may only remove."""
    near = "The mill has another machine, and 22 million pounds are planned for it [1]."
    copied = "The Aldermoor paper mill will stop making newsprint at the end of September [1]."
    server.script(Reply.of(f"{copied} {near}"), Reply.of(reply))
    answer = with_model(engine, server.url, has_second_look=True).ask(MILL, as_of=ASKED)
    assert len(server.requests) == 2
    assert ("22 million" in answer.text) == is_shown
    assert "newsprint" in answer.text


def test_other_figure_of_another_article_is_added(writer: Engine, server: OpenAIServer) -> None:
    """A writer that gives one of two figures does not leave the reader with the wrong one."""
    server.script(Reply.of("Seven people are now known to have died in the fire on the Petrel [3]."))
    stream = writer.stream("How many people died on the ferry Petrel?", as_of=date(2024, 9, 1))
    shown = "".join(stream)
    answer = stream.answer
    assert shown == answer.text
    assert "Seven people are now known" in answer.text
    assert "killed nine people" in answer.text
    assert held(writer, answer)


def test_reader_of_statements_is_loaded_only_if_a_language_model_writes(engine: Engine) -> None:
    """Who only quotes does not wait for it, unless a yes/no question needs it (tests/test_kinds_talk.py)."""

    def unwanted() -> SupportReader:
        raise AssertionError

    models = engine._models()._replace(support=unwanted)
    quoting = Engine(engine._searcher, lambda: models, None)
    quoting.warm()
    assert quoting.ask(MILL, as_of=ASKED).answered


def test_statement_that_no_passage_supports_is_left_out(writer: Engine, server: OpenAIServer) -> None:
    """The reader is told how many there were, and sees none of them on the way either."""
    server.script(Reply.of("The mill will shed 140 of its 560 jobs [1]. ", "The king was furious [1]. "))
    stream = writer.stream(MILL, as_of=ASKED)
    pieces = list(stream)
    answer = stream.answer
    assert answer.text == "The mill will shed 140 of its 560 jobs [1]."
    assert answer.notice == (
        "Left out, because the cited passages do not support it: 1 of the model's statements "
        "(its words are not in the passage)."
    )
    assert not any("king" in piece for piece in pieces)


def test_answer_of_which_nothing_is_supported_is_quoted_instead(writer: Engine, server: OpenAIServer) -> None:
    """An invention is worth less than a quote."""
    server.script(Reply.of("The king will close 97 mines in Peru [1]."))
    stream = writer.stream(MILL, as_of=ASKED)
    assert list(stream) == []
    answer = stream.answer
    assert answer.answerer == "quote"
    assert "140 of its 560 jobs" in answer.text
    assert answer.notice == (
        "Nothing that the language model wrote is supported by the articles. The answer is quoted instead."
    )


def test_hopeless_question_is_not_sent_to_the_model(writer: Engine, server: OpenAIServer) -> None:
    """Nothing comes near it: that is known without spending a token."""
    answer = writer.ask(BREAD, as_of=ASKED)
    assert answer.text == REFUSAL
    assert answer.notice is None
    assert server.requests == []
