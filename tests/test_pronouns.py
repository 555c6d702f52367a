"""Whom "he" or "she" of a follow-up means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Turn
from bot.query.pronouns import resolve_pronouns
from index.reading.chunk import chunk
from index.storage.catalogue import Catalogue
from index.storage.catalogue_sqlite import SQLiteCatalogue
from tests.corpus import article

COACH = (
    "Northfield have hired Ines Cordero as head coach, the club's chairman, Leo Brandt, said on Tuesday. "
    "The secretary of the players' union, Mara Quist, was less happy."
)
FERRY = (
    "Sound Line, which owns the ferry, has dismissed its captain, Victor Holm. He had been late. He denied it, and his "
    "lawyer said that he would sue."
)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """Two articles that introduce four people and a company."""
    with closing(SQLiteCatalogue(tmp_path_factory.mktemp("pronouns") / "catalogue.sqlite")) as made:
        for name, body in (("a", COACH), ("b", FERRY)):
            made.put(found := article(name, body), "digest", chunk(found))
        yield made


@pytest.mark.parametrize(
    ("asked", "answered", "question", "resolved"),
    [
        ("Who is Leo Brandt?", COACH, "What did he say?", "What did Leo Brandt say?"),
        ("who is mara quist", COACH, "why was she unhappy", "why was Mara Quist unhappy"),
        ("Who is the coach?", "“Ines Cordero is, Leo Brandt said.” [1]", "Who hired her?", "Who hired Ines Cordero?"),
        ("What did Brandt say?", "“…” [1]", "What is his club?", "What is Leo Brandt’s club?"),
        ("Who is Leo Brandt?", COACH, "What did Mara Quist say about him?", "What did Mara Quist say about him?"),
        ("Who won?", "“Nobody won.” [1]", "What did he say?", "What did he say?"),
        ("Who is Leo Brandt?", COACH, "What did they say?", "What did they say?"),
        ("Who is Victor Holm?", FERRY, "What did she say?", "What did she say?"),
        ("Who is Victor Holm?", FERRY, "What did he say?", "What did Victor Holm say?"),
        ("What is Sound Line?", FERRY, "What did he say?", "What did Victor Holm say?"),
        ("Who was late?", "“Victor Holm was.” [1]", "who's that?", "who's Victor Holm?"),
    ],
)  # fmt: skip
def test_the_person_named_last_is_meant(
    catalogue: Catalogue, asked: str, answered: str, question: str, resolved: str
) -> None:
    """First whom the last question names, then whom its answer names first; only people whom the index knows."""
    turns = [Turn("user", asked), Turn("assistant", answered)]
    assert resolve_pronouns(question, turns, catalogue) == resolved


def test_a_first_question_is_left_as_it_is(catalogue: Catalogue) -> None:
    """Nobody was named before."""
    assert resolve_pronouns("What did he say?", [], catalogue) == "What did he say?"


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_conversation_can_be_read(catalogue: Catalogue, question: str, text: str) -> None:
    """Whatever was said before, there is a question."""
    resolve_pronouns(f"{question} he", [Turn("user", text)], catalogue)
