"""Questions about the collection itself, and two questions in one: a real index of four articles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from bot.answer import Engine
from bot.models import Answer, Turn, numbered
from bot.runtime import make_engine
from bot.settings import Settings
from index.models import Filters
from tests.corpus import run, write

AS_OF = date(2024, 6, 30)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Engine]:
    """An engine over four articles of two outlets and none."""
    folder, data = tmp_path_factory.mktemp("articles"), tmp_path_factory.mktemp("index") / "data"
    strike = "Drivers of the Thornley tram will strike for two days from Monday, the union said. The pay offer was low."
    write(folder, "strike", strike, headline="Tram strike", outlet="The Courier", published=date(2024, 6, 3))
    ended = "The strike of the Thornley tram drivers is over after a pay deal of 5 per cent. Trams run again on Friday."
    write(folder, "ended", ended, headline="Strike over", outlet="Morning Post", published=date(2024, 6, 9))
    fire = "A fire destroyed the old mill in Carrow on Sunday night. Nobody was hurt, the fire service said."
    write(folder, "fire", fire, headline="Mill burns down", outlet="The Courier", published=date(2024, 5, 20))
    write(folder, "undated", "The museum in Carrow shows clocks from three centuries.", headline="Clocks on show")
    run(data, [folder], weights)
    with closing(make_engine(Settings(data=data, model_dir=weights))) as made:
        yield made


def ask(engine: Engine, question: str, filters: Filters = Filters()) -> Answer:  # noqa: B008  # frozen
    """Answer on a fixed day; every quote is to the letter."""
    answer = engine.ask(question, filters=filters, as_of=AS_OF)
    for citation in answer.citations:
        article = engine.article(citation.source.id)
        assert article
        assert article.body[citation.start : citation.end] == citation.quote
        assert f"[{citation.number}]" in answer.text
    return answer


@pytest.mark.parametrize(
    ("question", "begins", "cited"),
    [
        ("How many articles mention the strike?", "2 articles that mention “strike”:", ["ended", "strike"]),
        ("how many stories are there", "4 articles:", ["ended", "strike", "fire", "undated"]),
        ("Which outlets reported on the strike?", "2 outlets, 2 articles", ["ended", "strike"]),
        ("What do you have on Carrow?", "2 articles that mention “Carrow”:", ["fire", "undated"]),
        ("In how many articles does Carrow appear?", "2 articles that mention “Carrow”:", ["fire", "undated"]),
        ("In how many pieces does chief Carrow Mill turn up?", "1 article that mentions “Carrow Mill”:", ["fire"]),
        ("What is the number of articles on the strike?", "2 articles that mention “strike”:", ["ended", "strike"]),
        ("what is the date of the newest article", "The newest of 4 articles", ["ended"]),
        ("What is the oldest article?", "The oldest of 4 articles: Mill burns down", ["fire"]),
        ("What is the latest article about the strike?", "The newest of 2 articles", ["ended"]),
        ("How many articles did the Courier publish?", "2 articles of The Courier:", ["strike", "fire"]),
        ("How many stories by Morning Post are on the strike?", "1 article of Morning Post that mention", ["ended"]),
        ("Since when do the articles go back?", "4 articles, from 20 May 2024 to 9 June 2024:", ["fire", "ended"]),
    ],
)
def test_the_catalogue_answers_exactly(engine: Engine, question: str, begins: str, cited: list[str]) -> None:
    """Counts, outlets, lists and days are those of the catalogue; the articles are cited."""
    answer = ask(engine, question)
    assert answer.text.startswith(begins)
    assert sorted(citation.source.headline for citation in answer.citations) == sorted(
        {"ended": "Strike over", "strike": "Tram strike", "fire": "Mill burns down", "undated": "Clocks on show"}[name]
        for name in cited
    )
    assert (answer.kind, answer.answered) == ("collection", True)


def test_nothing_that_mentions_it_is_a_refusal(engine: Engine) -> None:
    """It says how many articles were looked through."""
    answer = ask(engine, "How many articles mention Reykjavik?")
    assert not answer.answered
    assert answer.refusal
    assert answer.refusal.reason == "None of the 4 articles mentions “Reykjavik”."


def test_an_author_that_is_not_named_is_a_refusal(engine: Engine) -> None:
    """An outlet is no author."""
    answer = ask(engine, "Who wrote about the strike?")
    assert answer.refusal
    assert answer.refusal.reason == "2 articles that mention “strike”, and none names its author."


def test_a_count_or_a_verdict_is_the_short_answer(engine: Engine) -> None:
    """The text begins with it; what only has an order has none."""
    shorts = {
        "How many articles mention the strike?": "2 articles",
        "Which outlets reported on the strike?": "2 outlets",
        "Did a fire destroy the old mill in Carrow?": "Yes",
        "What is the oldest article?": None,
    }
    for question, short in shorts.items():
        answer = ask(engine, question)
        assert (answer.short, answer.text.startswith(short or "The oldest")) == (short, True)


def test_filters_limit_what_is_counted(engine: Engine) -> None:
    """Only the articles of the outlet, or of the days, are counted."""
    assert ask(engine, "How many articles mention the strike?", Filters(outlet="the courier")).text.startswith("1 ")
    assert ask(engine, "How many articles are there?", Filters(since=date(2024, 6, 1))).text.startswith("2 articles")


def test_two_questions_are_answered_under_their_own_words(engine: Engine) -> None:
    """Each with its citations; an article has one number; the second may point at the first; a part may be refused."""
    answer = ask(engine, "What was destroyed in Carrow in May? And when do the trams run again?")
    assert answer.kind == "several"
    first, second = answer.text.split("\n\n")
    assert first.startswith("What was destroyed in Carrow in May?\n“A fire destroyed the old mill")
    assert second.startswith("when do the trams run again?\n")
    assert "[1]" in first
    assert "[2]" in second
    assert answer.citations == numbered(answer.citations)
    assert {citation.number for citation in answer.citations} == {1, 2}
    partly = ask(engine, "What was destroyed in Carrow in May? Who won the chess final in Reykjavik?")
    assert partly.answered
    assert "Who won the chess final in Reykjavik?\nThe articles do not say." in partly.text


def test_what_completes_a_follow_up_is_no_second_question(engine: Engine) -> None:
    """The earlier question and the follow-up are one question, not parts that are completed again and again."""
    turns = [Turn("user", "What was destroyed in Carrow in May?"), Turn("assistant", "A mill. [1]")]
    answer = engine.ask("which of them are rebuilt this summer?", turns=turns, as_of=date(2024, 7, 1))
    assert answer.standalone_question == "which of them are rebuilt this summer? (destroyed in Carrow in May)"
    assert answer.kind != "several"


def test_two_questions_without_an_answer_are_one_refusal(engine: Engine) -> None:
    """Nothing is cited."""
    answer = ask(engine, "Who won the chess final in Reykjavik? And who leads the Ostrava orchestra?")
    assert (answer.answered, answer.citations) == (False, ())
