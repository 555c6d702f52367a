"""The engine from question to answer: the real index of the project's articles, the real weights, a scripted model."""

from __future__ import annotations

import json
import socket
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from bot.answer import ANOTHER, NOTHING_ELSE, Engine
from bot.cli.parser import main
from bot.generate.llm import make_llm
from bot.generate.support import SupportReader
from bot.kinds import several
from bot.models import ON_STEP, REFUSAL, Answer, Citation, Refusal, Turn, numbered
from bot.runtime import make_engine, once
from bot.settings import Settings
from index.ingest import ingest
from index.models import Filters, IndexMissing, Source
from tests.corpus import run, write
from tests.fakes.openai_server import OpenAIServer, Reply

ASKED = date(2024, 6, 10)
KERMAN = "How many people were killed in the Kerman attack?"
MILL = "How many jobs will the Aldermoor paper mill cut?"
BRIDGE = "Why was Marrow Bridge closed?"
BREAD = "How do I bake sourdough bread?"
KEY = "sk-very-secret"


@pytest.fixture(scope="session")
def engine(indexed: Path, weights: Path) -> Iterator[Engine]:
    """An engine without a language model."""
    with closing(make_engine(Settings(data=indexed, model_dir=weights))) as made:
        yield made


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


def with_model(engine: Engine, url: str, timeout: float = 5.0, *, has_second_look: bool = False) -> Engine:
    """An engine with a language model, which shares index and weights with another: reading them takes long."""
    llm = partial(make_llm, f"openai-like:{url}#fake", api_key=KEY, timeout=timeout, context_window=None)
    return Engine(engine._searcher, engine._models, once(llm), has_second_look=has_second_look)


def held(engine: Engine, answer: Answer) -> bool:
    """Whether there are citations, numbered by article, each of them in the text and to the letter in its article."""
    assert answer.citations == numbered(answer.citations)
    for citation in answer.citations:
        article = engine.article(citation.source.id)
        assert article is not None
        assert citation.quote == article.body[citation.start : citation.end]
        assert f"[{citation.number}]" in answer.text
    return bool(answer.citations)


def test_without_a_model_the_answer_is_quoted(engine: Engine) -> None:
    """It stands on its citations, and tells what it was chosen from and how long each step took."""
    answer = engine.ask(MILL, as_of=ASKED)
    assert answer.answered
    assert (answer.answerer, answer.refusal, answer.notice) == ("quote", None, None)
    assert held(engine, answer)
    assert "140 of its 560 jobs" in answer.citations[0].quote
    assert answer.citations[0].source.id == "northgate-mill-2024-02-27"
    assert answer.passages[0].source.id == "northgate-mill-2024-02-27"
    assert set(answer.timings_ms) == {"condense", "find", "embed", "search", "rank_sentences"}


def test_two_outlets_that_differ_are_both_quoted(engine: Engine) -> None:
    """The story that two outlets tell with two figures: a reader is told, and gets both."""
    answer = engine.ask(KERMAN, as_of=ASKED)
    assert held(engine, answer)
    assert answer.text.startswith("The articles differ: ")
    assert len({citation.source.id for citation in answer.citations}) == len(answer.citations) == 2
    assert {"nearly 100 people", "more than 100 people"} == {
        words for words in ("nearly 100 people", "more than 100 people") if words in answer.text.lower()
    }


def test_statement_instead_of_a_question_is_answered_too(engine: Engine) -> None:
    """As it is typed into a search box."""
    answer = engine.ask("Aldermoor paper mill job cuts", as_of=ASKED)
    assert held(engine, answer)
    assert "140 of its 560 jobs" in answer.text


def test_undated_article_is_no_news_of_a_day(tmp_path: Path, weights: Path) -> None:
    """If the best sentence is of other days than the question's, an article without a date does not stand in for it."""
    fire = "A fire destroyed the old mill in Carrow on Sunday night. Nobody was hurt, the fire service said."
    write(tmp_path / "in", "fire", fire, headline="Mill burns down", published=date(2024, 5, 20))
    write(tmp_path / "in", "museum", "The museum in Carrow shows clocks from three centuries.", headline="Clocks")
    run(tmp_path / "data", [tmp_path / "in"], weights)
    with closing(make_engine(Settings(data=tmp_path / "data", model_dir=weights))) as made:
        answer = made.ask("What was destroyed in Carrow on Sunday?", as_of=date(2024, 6, 30))
    assert answer.refusal
    assert "20 May 2024" in answer.refusal.reason


def test_half_a_character_in_a_question_is_read_as_unknown(engine: Engine) -> None:
    """A lone surrogate, which neither the embedding model nor a database takes, raises nothing."""
    answer = engine.ask(f"{MILL} \ud83d", as_of=ASKED)
    assert answer.question == f"{MILL} \ufffd"
    assert held(engine, answer)
    assert engine.retrieve(f"{MILL} \udce9", as_of=ASKED).passages


def test_refusal_names_the_nearest_and_cites_nothing(engine: Engine) -> None:
    """Up to three articles are places to look, and the reason is for a user."""
    answer = engine.ask("How many people died in the earthquake in Morocco?", as_of=ASKED)
    assert not answer.answered
    assert answer.text == REFUSAL
    assert answer.citations == ()
    assert answer.refusal is not None
    assert answer.refusal.reason == "No article that comes near mentions Morocco."
    nearest = [source.id for source in answer.refusal.nearest]
    assert len(set(nearest)) == len(nearest) == 3


@pytest.mark.parametrize("question", ["hello", "Thanks!", "what can you do?", "", "  \n"])
def test_small_talk_gets_a_reply_and_nothing_is_searched(question: str, tmp_path: Path) -> None:
    """Not even an index is wanted for it, nor a language model."""
    answer = make_engine(Settings(data=tmp_path, llm="openai-like:http://127.0.0.1:9/v1#m")).ask(question)
    assert answer.answerer == "reply"
    assert not answer.answered
    assert answer.refusal is None
    assert answer.text
    assert (answer.citations, answer.passages) == ((), ())


def test_follow_up_is_completed_from_the_turns(engine: Engine) -> None:
    """What cannot be understood alone gets the topic of the turns; what the user asked is kept beside it."""
    turns = [Turn("user", KERMAN), Turn("assistant", "The articles differ.")]
    answer = engine.ask("and who claimed it?", turns=turns, as_of=ASKED)
    assert answer.question == "and who claimed it?"
    assert "Kerman" in answer.standalone_question
    assert held(engine, answer)
    assert {citation.source.headline for citation in answer.citations} <= {
        "US warned Iran ahead of deadly Soleimani memorial attack",
        "Washington passed Tehran a private alert before Kerman bombing, official says",
    }


def test_question_that_stands_alone_is_passed_on_unchanged(engine: Engine) -> None:
    """A new topic is not bent towards the old one."""
    turns = [Turn("user", KERMAN), Turn("assistant", "The articles differ.")]
    question = "Who won the half-marathon in Aldermoor?"
    answer = engine.ask(question, turns=turns, as_of=ASKED)
    assert answer.standalone_question == question
    assert answer.citations[0].source.id == "northgate-halfmarathon-2024-05-06"


@pytest.mark.parametrize(
    "question",
    [
        f"Hello, I'd like to know {MILL[0].lower()}{MILL[1:]}",
        f"Hi! Thanks. {MILL}",
        f"Could you please tell me: {MILL}",
    ],
)
def test_opening_of_a_question_changes_nothing(engine: Engine, plain: Answer, question: str) -> None:
    """The answer is that to the question itself, and the question is kept as it was put."""
    answer = engine.ask(question, as_of=ASKED)
    assert (answer.question, answer.standalone_question.lower()) == (question, MILL.lower())
    assert [citation.quote for citation in answer.citations] == [citation.quote for citation in plain.citations]


def test_accents_may_be_in_either_unicode_form(tmp_path: Path, weights: Path) -> None:
    """In the article, in the question, or in both; the quote is of the body to the letter."""
    text = "Zoë Bürgi will run the Saint-Rémy clinic from April, the board said. She follows Paul Ortiz."
    (tmp_path / "in").mkdir()
    for form in ("NFC", "NFD"):
        (tmp_path / "in" / "clinic.txt").write_text(unicodedata.normalize(form, text), encoding="utf-8")
        ingest(tmp_path / form, [tmp_path / "in"], model_dir=weights, progress=lambda _done, _total: None)
        with closing(make_engine(Settings(data=tmp_path / form, model_dir=weights))) as engine:
            for asked in ("NFC", "NFD"):
                answer = engine.ask(unicodedata.normalize(asked, "Who will run the Saint-Rémy clinic?"))
                assert "Zoë Bürgi" in answer.text
                assert held(engine, answer)


def test_filters_limit_what_is_read(engine: Engine) -> None:
    """Outlet and days hold for passages, citations and the nearest of a refusal alike."""
    courier = engine.ask(KERMAN, filters=Filters(outlet="Northgate Courier"), as_of=ASKED)
    assert {passage.source.outlet for passage in courier.passages} == {"Northgate Courier"}
    assert "more than 100 people" in courier.text
    assert "differ" not in courier.text
    may = engine.ask(KERMAN, filters=Filters(since=date(2024, 5, 1), until=date(2024, 5, 31)), as_of=ASKED)
    assert not may.answered
    assert may.refusal is not None
    days = [passage.source.published for passage in may.passages]
    assert days
    assert all(day and date(2024, 5, 1) <= day <= date(2024, 5, 31) for day in days)
    assert {source.id for source in may.refusal.nearest} <= {passage.source.id for passage in may.passages}


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        (Filters("Meridian Pos"), "No article is from an outlet named Meridian Pos."),
        (Filters(since=date(1990, 1, 1), until=date(1990, 2, 1)), "No article is dated from 1990-01-01 to 1990-02-01."),
        (Filters(until=date(1990, 2, 1)), "No article is dated 1990-02-01 or earlier."),
    ],
)
def test_refusal_of_a_filter_says_what_nothing_passes(engine: Engine, filters: Filters, reason: str) -> None:
    """It is no statement about articles, since none was searched."""
    answer = engine.ask(KERMAN, filters=filters, as_of=ASKED)
    assert answer.refusal is not None
    assert answer.refusal.reason.startswith(reason)
    assert (answer.passages, answer.refusal.nearest) == ((), ())


def test_articles_without_a_date_are_counted_where_days_leave_them_out(tmp_path: Path, weights: Path) -> None:
    """In the notice, of the outlet that is searched; a search without days says nothing of them."""
    texts = {"a": ("2024-01-02", "Echo"), "b": (None, "Echo"), "c": (None, "Post")}
    rows = [
        {
            "id": name,
            "title": "Mill",
            "text": f"The {name} mill cut 140 jobs, its owner said.",
            "published": day,
            "outlet": outlet,
        }
        for name, (day, outlet) in texts.items()
    ]
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ingest(tmp_path / "data", [file], model_dir=weights, progress=lambda _done, _total: None)
    with closing(make_engine(Settings(data=tmp_path / "data", model_dir=weights))) as engine:
        ask = partial(engine.ask, "How many jobs did the mill cut?", as_of=ASKED)
        assert ask(filters=Filters(since=date(2024, 1, 1))).notice == "The dates leave out 2 articles without a date."
        narrow = Filters("Echo", until=date(2023, 1, 1))
        assert ask(filters=narrow).notice == "The dates leave out 1 article without a date."
        assert ask(filters=narrow).refusal == Refusal("No article of Echo is dated 2023-01-01 or earlier.")
        assert ask(filters=Filters("Echo")).notice is None


def test_filter_that_nothing_passes_refuses(engine: Engine) -> None:
    """There is nothing near, and so nothing to name."""
    answer = engine.ask(KERMAN, filters=Filters(outlet="No such paper"), as_of=ASKED)
    assert answer.refusal is not None
    assert (answer.refusal.nearest, answer.passages) == ((), ())


def test_article_of_a_later_day_does_not_exist_yet(engine: Engine) -> None:
    """A question of March is not answered from April."""
    asked = date(2024, 3, 10)
    answer = engine.ask("When did cars cross Marrow Bridge again?", as_of=asked)
    later = engine.ask("When did cars cross Marrow Bridge again?", as_of=ASKED)
    assert later.citations[0].source.published == date(2024, 4, 18)
    assert all(passage.source.published is None or passage.source.published <= asked for passage in answer.passages)
    assert any(passage.source.published == date(2024, 3, 4) for passage in answer.passages)


def test_what_is_new_is_preferred_unless_the_question_names_a_year(engine: Engine) -> None:
    """A question of no days looks first at the news of its own; one that names another year is the same on any day."""

    def scores(question: str, asked: date) -> dict[str, float]:
        found = engine.retrieve(question, as_of=asked)
        return {passage.chunk_id: passage.score for passage in found.passages}

    open_day, years_later = date(2024, 8, 20), date(2034, 8, 20)  # after the last article: all are known on both
    assert scores("Who mended the 2015 clock?", open_day) == scores("Who mended the 2015 clock?", years_later)
    assert scores("Who mended the clock?", open_day) != scores("Who mended the clock?", years_later)


def test_this_week_is_seen_from_the_day_of_the_question(engine: Engine) -> None:
    """In the week itself it is answered; months later it is refused, and the date is the reason."""
    question = "Why was Marrow Bridge closed this week?"
    assert "cracks" in engine.ask(question, as_of=date(2024, 3, 6)).text
    late = engine.ask(question, as_of=ASKED)
    assert late.refusal is not None
    assert late.refusal.reason.startswith("The nearest article is of ")
    assert late.refusal.reason.endswith(" 2024, and the question asks about “this week”.")
    assert late.citations == ()


def test_further_quotes_are_of_the_days_asked_for_too(tmp_path: Path, weights: Path) -> None:
    """An article of last year that gives another figure is quoted, but not to a question about this week."""
    for day, price in (("2023-03-04", "nine"), ("2024-04-18", "twelve")):
        text = f"A crossing with the ferry to Sandholm costs {price} crowns, the island's council said."
        write(tmp_path / "articles", day, text, headline="Ferry to Sandholm", published=date.fromisoformat(day))
    ingest(tmp_path / "data", [tmp_path / "articles"], model_dir=weights, progress=lambda _done, _total: None)
    question = "How many crowns does the ferry to Sandholm cost{}?"
    with closing(make_engine(Settings(data=tmp_path / "data", model_dir=weights))) as engine:
        asked = [engine.ask(question.format(week), as_of=date(2024, 4, 20)) for week in ("", " this week")]
    years = [
        [citation.source.published and citation.source.published.year for citation in each.citations] for each in asked
    ]
    assert years == [[2024, 2023], [2024]]


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
    assert "Six people, not seven" in answer.text
    assert held(writer, answer)


def test_reader_of_statements_is_loaded_only_if_a_language_model_writes(engine: Engine) -> None:
    """Who only quotes does not wait for it."""

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


def test_json_holds_the_promised_keys(
    indexed: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `clippings ask --json` prints is what acceptance reads, and its offsets are those of `clippings show`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPPINGS_MODEL_DIR", str(weights))
    monkeypatch.delenv("CLIPPINGS_LLM", raising=False)
    assert main(["--data", str(indexed), "ask", "--json", MILL]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {
        "question", "standalone_question", "answered", "text", "short", "answerer", "kind", "filters", "notice",
        "refusal", "citations", "passages", "timings_ms",
    }  # fmt: skip
    assert (said["question"], said["answered"], said["answerer"], said["refusal"]) == (MILL, True, "quote", None)
    citation, passage = said["citations"][0], said["passages"][0]
    assert set(citation) == {"number", "quote", "start", "end", "article", "also_in"}
    assert {"id", "headline", "outlet", "published", "url", "path"} <= set(citation["article"])
    assert {"score", "text", "start", "end", "article"} <= set(passage)
    assert main(["--data", str(indexed), "show", citation["article"]["id"], "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["body"][citation["start"] : citation["end"]] == citation["quote"]
    assert shown["body"][passage["start"] : passage["end"]] == passage["text"]
    assert main(["--data", str(indexed), "ask", "--json", BREAD]) == 3
    refused = json.loads(capsys.readouterr().out)
    assert (refused["answered"], refused["text"], refused["citations"]) == (False, REFUSAL, [])
    assert set(refused["refusal"]) == {"reason", "nearest"}
    assert {"id", "headline", "outlet", "published", "url", "path"} <= set(refused["refusal"]["nearest"][0])


def test_missing_index_is_told(tmp_path: Path, weights: Path) -> None:
    """With the way out."""
    with pytest.raises(IndexMissing, match="clippings index FOLDER"):
        make_engine(Settings(data=tmp_path, model_dir=weights)).ask(MILL)


@pytest.mark.usefixtures("models_run")
def test_two_threads_may_ask_at_once(indexed: Path, weights: Path, engine: Engine) -> None:
    """The first questions come together, when neither index nor weights are read yet; each gets its own answer."""
    questions = [KERMAN, MILL, BRIDGE, BREAD] * 2
    with closing(make_engine(Settings(data=indexed, model_dir=weights))) as fresh, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda question: fresh.ask(question, as_of=ASKED), questions))
    expected = {question: engine.ask(question, as_of=ASKED) for question in questions}
    assert [answer.text for answer in answers] == [expected[question].text for question in questions]
    assert [answer.citations for answer in answers] == [expected[question].citations for question in questions]


def test_closed_engine_opens_again(indexed: Path, weights: Path) -> None:
    """Closing lets go of the files, and is no end."""
    engine = make_engine(Settings(data=indexed, model_dir=weights))
    engine.close()
    assert engine.sources(limit=1)[0].headline == "Night buses carry far more passengers than expected"
    engine.close()
    assert engine.article("no-such-article") is None
    engine.close()


@pytest.fixture(scope="module")
def mills(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Engine]:
    """An engine over two articles that give one fact in different words."""
    folder = tmp_path_factory.mktemp("mills")
    for name, text in (
        ("first", "The paper mill at Aldermoor was built in 1931 by Ann Voss. It closed last year."),
        ("second", "Ann Voss, an engineer from Carrow, built the Aldermoor paper mill in 1931. Now it is empty."),
    ):
        write(folder / "articles", name, text, headline=f"The {name} story")
    ingest(folder / "data", [folder / "articles"], model_dir=weights, progress=lambda _done, _total: None)
    with closing(make_engine(Settings(data=folder / "data", model_dir=weights))) as made:
        yield made


def test_asked_again_the_answer_is_another_one_until_there_is_none(mills: Engine) -> None:
    """Quotes that were shown are left out; when nothing else answers, the first answer stays, with a notice."""
    question, shown = "When was the paper mill at Aldermoor built?", list[str]()
    first = mills.ask(question)
    assert (first.notice, first.short) == (None, "1931")
    assert first.text.startswith("1931 — “")
    for _ in range(4):
        shown += [citation.quote for citation in first.citations if citation.quote not in shown]
        again = mills.stream(question, shown=shown).answer
        if again.notice == NOTHING_ELSE:
            break
        assert again.notice == ANOTHER
        assert not {citation.quote for citation in again.citations} & set(shown)
        assert "1931" in again.text
        shown += [citation.quote for citation in again.citations]
    assert len(shown) == 2
    assert (again.text, again.citations) == (first.text, first.citations)


def test_asked_again_what_is_known_whole_is_said_to_be_all(mills: Engine) -> None:
    """A count from the catalogue stays as it is."""
    question = "How many articles mention Aldermoor?"
    first = mills.ask(question)
    again = mills.stream(question, shown=[citation.quote for citation in first.citations]).answer
    assert (again.text, again.notice) == (first.text, NOTHING_ELSE)


def test_a_refusal_asked_again_is_a_refusal(mills: Engine) -> None:
    """There was nothing to leave out."""
    again = mills.stream("How old is the mayor of Reykjavik?", shown=["x"]).answer
    assert again.refusal
    assert again.notice is None


def test_several_questions_number_an_article_once() -> None:
    """Over all parts, in reading order; a quote that both parts have is cited once."""
    first, second, third = (
        Citation(number, quote, start, start + len(quote), Source(name, name))
        for number, quote, start, name in ((1, "It sank.", 0, "a"), (2, "It rained.", 0, "b"), (1, "He swam.", 9, "b"))
    )
    whole, part = (Answer(text, text, "", "quote") for text in ("Both?", "What?"))
    parts = [
        replace(part, text="“It sank.” [1] “It rained.” [2]", citations=(first, second)),
        replace(part, text="“He swam.” [1] “It rained.” [1]", citations=(third, replace(second, number=1))),
    ]
    joined = several.joined(whole, parts)
    assert joined.text == "What?\n“It sank.” [1] “It rained.” [2]\n\nWhat?\n“He swam.” [2] “It rained.” [2]"
    assert joined.citations == (first, second, replace(third, number=2))
