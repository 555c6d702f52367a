"""The engine from question to answer: the real index of the project's articles, the real weights."""

from __future__ import annotations

import json
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
from bot.kinds import several
from bot.models import REFUSAL, Answer, Citation, Refusal, Turn
from bot.runtime import make_engine
from bot.settings import Settings
from index.ingest import ingest
from index.models import Filters, IndexMissing, Source
from tests.answers import ASKED, BREAD, BRIDGE, KERMAN, MILL, held
from tests.corpus import run, write


@pytest.fixture(scope="session")
def plain(engine: Engine) -> Answer:
    """The answer without a language model."""
    return engine.ask(MILL, as_of=ASKED)


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


@pytest.mark.parametrize(
    "follow_up",
    [
        "and when was that?",
        pytest.param(
            "and who claimed it?",
            marks=pytest.mark.xfail(strict=True, reason="the reader does not take “carried out” for a claim"),
        ),
    ],
)
def test_follow_up_is_completed_from_the_turns(engine: Engine, follow_up: str) -> None:
    """What cannot be understood alone gets the topic of the turns; what the user asked is kept beside it."""
    turns = [Turn("user", KERMAN), Turn("assistant", "The articles differ.")]
    answer = engine.ask(follow_up, turns=turns, as_of=ASKED)
    assert answer.question == follow_up
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
