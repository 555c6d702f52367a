"""Limits that a question sets itself: an outlet, an author, an article shown before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Turn
from bot.query.limits import read_limits, shown_sources
from index.models import Article, Filters
from index.reading.chunk import chunk
from index.storage.catalogue import Catalogue
from index.storage.catalogue_sqlite import SQLiteCatalogue
from tests.corpus import article

SHOWN = [
    Turn("user", "Which articles mention the tram?"),
    Turn("assistant", "2 articles:\n- Tram strike — The Courier, 3 June 2024 [1]\n- “Trams run again on Friday.” [2]"),
]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """Three articles of three outlets."""
    strike = article("a", "Tram drivers will strike on Monday.", headline="Tram strike", outlet="The Courier")
    over = article("b", "The strike is over. Trams run again on Friday.", headline="Over", outlet="Morning Post")
    fire = article("c", "The old mill burned down.", headline="Fire", outlet="Valley Echo")
    fire = Article(replace(fire.source, byline="Ann Lee and Jon Marsh"), fire.body)
    with closing(SQLiteCatalogue(tmp_path_factory.mktemp("limits") / "catalogue.sqlite")) as made:
        for each in (strike, over, fire):
            made.put(each, "digest", chunk(each))
        yield made


@pytest.mark.parametrize(
    ("question", "rest", "limits"),
    [
        ("What did the Courier say about the strike?", "What happened with the strike?", {"outlet": "The Courier"}),
        ("When does it end according to the Morning Post?", "When does it end?", {"outlet": "Morning Post"}),
        ("when do the trams run again? only valley echo", "when do the trams run again?", {"outlet": "Valley Echo"}),
        ("Which articles from the Echo mention trams?", "Which articles mention trams?", {"outlet": "Valley Echo"}),
        ("Who is the editor of the Courier?", "Who is the editor of the Courier?", {}),
        ("Who was hit by Ann Lee?", "Who was hit by Ann Lee?", {}),
        ("How many articles did Ann Lee write?", "How many articles?", {"author": "Ann Lee"}),
        ("Which pieces has Ann Lee filed?", "Which pieces?", {"author": "Ann Lee"}),
        ("What has Jon Marsh written for us?", "Which articles are there?", {"author": "Jon Marsh"}),
        ("what have you got by ann lee", "Which articles are there?", {"author": "Ann Lee"}),
        ("list all articles by jon marsh", "list all articles", {"author": "Jon Marsh"}),
        ("What does the second one say about Friday?", "What does say about Friday?", {"article": "b"}),
        ("summarise the first article", "summarise", {"article": "a"}),
        ("who wrote [2]?", "who wrote?", {"article": "b"}),
        ("what about the third one", "what about the third one", {}),
        ("How many Courier articles have you got?", "How many articles have you got?", {"outlet": "The Courier"}),
        ("How many trams run in all outlets?", "How many trams run?", {}),
    ],
)  # fmt: skip
def test_a_limit_is_read_and_not_searched_for(
    catalogue: Catalogue, question: str, rest: str, limits: dict[str, str]
) -> None:
    """Outlets by name or by a last word of their own; authors behind "articles by"; articles by number or place."""
    read = read_limits(question, SHOWN, Filters(), catalogue)
    summary = read.question == "Summarise the article"
    assert read.question == rest or (summary and not rest.removeprefix("summarise"))
    assert read.filters == Filters(**limits)  # type: ignore[arg-type]  # strings for the three text fields
    assert bool(read.note) == bool(limits)


def test_a_filter_that_is_set_stays(catalogue: Catalogue) -> None:
    """The outlet of the question does not replace the one of the user's filter."""
    read = read_limits("What did the Courier say about trams?", [], Filters(outlet="Valley Echo"), catalogue)
    assert read.filters == Filters(outlet="Valley Echo")


def test_sources_are_those_of_the_last_answer(catalogue: Catalogue) -> None:
    """A mark stands for the article of the headline or of the quote before it; a mark of neither for none."""
    turns = [*SHOWN, Turn("user", "thanks")]
    assert {number: source.id for number, source in shown_sources(turns, catalogue).items()} == {1: "a", 2: "b"}
    assert shown_sources([Turn("assistant", "Nobody wrote “such a thing” [1] [2]")], catalogue) == {}


@given(st.text(max_size=200))
def test_any_text_can_be_read(catalogue: Catalogue, text: str) -> None:
    """Whatever is typed, with or without limits, is read without an error."""
    read_limits(text, [Turn("assistant", text)], Filters(), catalogue)
