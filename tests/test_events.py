"""Events that a question names without a date, and the side of them that it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer import Engine
from bot.events import around_event
from bot.settings import Settings
from index.catalogue import Catalogue
from index.models import Article, Chunk, Source
from index.search import Steer
from tests.corpus import run, write

VOTE = date(2024, 5, 2)
ASKED = date(2024, 6, 1)
PROMISE = "What did Brandt promise before the election?"
PIECES = st.lists(
    st.sampled_from(
        "before after since during ahead of the the election Carrow election, court of in 2 ? ' 's".split()
    ),
    max_size=8,
).map(" ".join)


def told(*days: date, headline: str = "Carrow election: Brandt wins", certain: bool = True) -> list[Article]:
    """Articles that begin with an election, of these days."""
    return [
        Article(Source(f"{day} {number} {headline}", headline, published=day, published_certain=certain), "The count.")
        for number, day in enumerate(days)
    ]


def days(*later: int) -> list[date]:
    """Days so many after the vote."""
    return [VOTE + timedelta(days=more) for more in later]


@pytest.fixture
def catalogue() -> Iterator[Catalogue]:
    """Nothing yet."""
    with closing(Catalogue(Path(":memory:"))) as made:
        yield made


def put(catalogue: Catalogue, articles: Sequence[Article]) -> None:
    """Put articles in, each as one chunk."""
    with catalogue.transaction():
        for one in articles:
            catalogue.put(one, "", [Chunk(one.id, one.id, 0, len(one.body), one.body)])


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (PROMISE, Steer(date.min, date(2024, 4, 30))),
        ("Ahead of the election, what did Brandt promise?", Steer(date.min, date(2024, 4, 30))),
        ("What did Brandt do after the Carrow election?", Steer(VOTE, ASKED)),
        ("What has Brandt done since the election in Carrow was held?", Steer(VOTE, ASKED)),
        ("Who was arrested in Carrow during the election?", Steer(date(2024, 4, 29), date(2024, 5, 5))),
    ],
)
def test_the_side_of_an_event_is_that_of_the_day_of_most_articles(
    catalogue: Catalogue, question: str, expected: Steer
) -> None:
    """Before, after and during are seen from the day of most articles; the day before it is on neither side."""
    put(catalogue, told(*days(-40, -1, 0, 0, 0, 1, 5)))
    assert around_event(question, ASKED, catalogue) == expected


@pytest.mark.parametrize(
    "articles",
    [
        [],
        told(*days(0, 0)),
        told(*days(-30, -20, -10, 0, 0, 0)),
        told(*days(-400, -400, -400, 0, 0, 0)),
        told(*days(0, 0, 0), certain=False),
        told(*days(31, 31, 31)),
        told(*days(0, 0, 0), headline="Birchley election: Mrs Poole wins"),
    ],
    ids=["none", "few", "spread", "every year", "uncertain dates", "not yet", "another place"],
)
def test_without_a_clear_day_nothing_is_preferred(catalogue: Catalogue, articles: list[Article]) -> None:
    """Few articles, half of them in other weeks, dates that were guessed or are yet to come, and others' events."""
    put(catalogue, articles)
    assert around_event(PROMISE, ASKED, catalogue) is None


@pytest.mark.parametrize(
    "question",
    [
        "",
        "What did Brandt promise?",
        "What did Brandt say before the?",
        "What did Brandt say after all?",
        "What did Brandt promise before the 2024 election?",
        "Who was named after the election?",
        "What did Brandt say before the court?",
        "What did Brandt say before the election committee, and why?",
    ],
)
def test_what_names_no_event_steers_nothing(catalogue: Catalogue, question: str) -> None:
    """No event, one with a date of its own, a thing's name, and those whom one speaks before."""
    put(catalogue, told(*days(0, 0, 0), headline="Brandt, court, election, election committee, 2024"))
    assert around_event(question, ASKED, catalogue) is None


@given(PIECES, st.dates(), st.dates())
def test_any_question_on_any_day_is_read(question: str, day: date, asked: date) -> None:
    """No question fails, at the ends of the calendar either, and no day after the question's is preferred to others."""
    with closing(Catalogue(Path(":memory:"))) as catalogue:
        put(catalogue, told(day, day, day))
        found = around_event(question, asked, catalogue)
    assert found is None or (day <= asked and found.since <= found.until)


def test_a_question_of_any_length_is_read(catalogue: Catalogue) -> None:
    """Hundreds of names and words make a question that finds no event, and no error."""
    put(catalogue, told(*days(0, 0, 0)))
    names = " ".join(f"Xa{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(400))
    assert around_event(f"What did {names} do before the election?", ASKED, catalogue) is None
    assert around_event(f"What did Brandt do before the {names}?", ASKED, catalogue) is None


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Engine]:
    """A mayor who promised one thing before an election and another after it, and the articles of its day."""
    folder = tmp_path_factory.mktemp("events")
    texts = folder / "articles"
    promises = {-30: "a free ferry", -12: "a free ferry for all", 9: "a covered market", 20: "a market hall"}
    for later, promise in promises.items():
        body = f"Mayor Ada Brandt promised the people of Carrow {promise}."
        write(texts, promise, body, headline=f"Brandt promises {promise}", published=days(later)[0])
    counts = [
        "Turnout was high.",
        "Two streets were counted twice.",
        "The count took all night.",
        "Brandt thanked all.",
    ]
    for number, text in enumerate(counts):
        write(texts, f"vote-{number}", text, headline=f"Carrow election: {text[:-1]}", published=VOTE)
    run(folder / "data", [texts], weights)
    with closing(Engine(Settings(data=folder / "data", model_dir=weights))) as made:
        yield made


@pytest.mark.parametrize(("side", "said"), [("before", "ferry"), ("ahead of", "ferry"), ("after", "market")])
def test_before_and_after_an_election_are_answered_differently(engine: Engine, side: str, said: str) -> None:
    """What was said on the side that is asked for is found and quoted first; the other side is still there."""
    answer = engine.ask(f"What did Mayor Brandt promise the people of Carrow {side} the election?", today=ASKED)
    assert said in answer.citations[0].quote
    assert said in answer.passages[0].text
    assert {"ferry", "market"} <= {word for passage in answer.passages for word in passage.text[:-1].split()}
