"""Training statements made by rule: each near-miss says something else than its sentence, each honest one the same."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.near_misses import HONEST, NEAR_MISSES, statement_of, statements, turned_question

OTHERS = ["The mill belonged to Anna Berg of Steinfeld.", "The council met on Monday evening in the hall."]


@pytest.fixture
def rng() -> random.Random:
    """Chance, always the same."""
    return random.Random(3)  # noqa: S311  # no secret


@pytest.mark.parametrize(
    ("kind", "sentence", "results"),
    [
        (
            "swapped names",
            "In 1931 Karl Voss sold the bridge to Otto Lind.",
            {"In 1931 Otto Lind sold the bridge to Karl Voss."},
        ),
        ("swapped names", "Some say that Karl Voss and Otto Lind built it.", {None}),
        (
            "other day",
            "It opened on Monday.",
            {f"It opened on {day}day." for day in "Tues Wednes Thurs Fri Satur Sun".split()},
        ),
        ("negation", "It was not open.", {"It was open."}),
        ("opposite", "The price of bread increased.", {"The price of bread decreased."}),
        ("hedge dropped", "It cost up to 30 crowns.", {"It cost 30 crowns."}),
        ("hedge dropped", "It may have been a mill.", {"It was a mill."}),
        ("plan as fact", "The road will be closed.", {"The road was closed."}),
        ("quantifier", "Some drivers complained.", {"All drivers complained."}),
        (
            "other speaker",
            "Karl Voss said that the bridge would hold.",
            {"Anna Berg of Steinfeld said that the bridge would hold."},
        ),
    ],
)
def test_a_near_miss_has_one_edit(kind: str, sentence: str, results: set[str | None], rng: random.Random) -> None:
    """The edit of a kind is made, or nothing where it would change nothing."""
    assert {NEAR_MISSES[kind](sentence, OTHERS, rng) for _ in range(60)} <= results


@pytest.mark.parametrize(
    ("kind", "sentence", "results"),
    [
        ("aside dropped", "Voss, the engineer of the bridge, was proud.", {"Voss was proud."}),
        ("opening dropped", "In May, the bridge opened.", {"The bridge opened.", "The bridge opened in May."}),
        ("number reworded", "It took 12 years.", {"It took twelve years."}),
        ("number reworded", "It cost 1,500,000 crowns.", {"It cost 1.5 million crowns."}),
        (
            "according to",
            "Karl Voss said that it would hold for years.",
            {"According to Karl Voss, it would hold for years."},
        ),
        ("reworded", "The film was long.", {"The movie was long."}),
    ],
)
def test_an_honest_edit_keeps_what_is_said(kind: str, sentence: str, results: set[str], rng: random.Random) -> None:
    """The edit of a kind is made."""
    assert {HONEST[kind](sentence, OTHERS, rng) for _ in range(60)} <= results


def test_a_sentence_gives_a_near_miss_and_an_honest_statement(rng: random.Random) -> None:
    """Both differ from the sentence, and say which they are."""
    sentence = "In May, Karl Voss, the engineer, said that the bridge had cost about 30 million crowns."
    for _ in range(50):
        made = statements(sentence, OTHERS, rng)
        assert sorted(statement.supported for statement in made) == [False, True]
        assert all(statement.text != sentence for statement in made)


@pytest.mark.parametrize(
    ("question", "answer", "statement"),
    [
        ("Who built the bridge?", "Karl Voss", "Karl Voss built the bridge."),
        ("How many people crossed it?", "300", "300 people crossed it."),
        ("Who is the mayor?", "Anna Berg", None),
        ("When did it open?", "1931", None),
    ],
)
def test_a_question_about_a_subject_becomes_a_statement(question: str, answer: str, statement: str | None) -> None:
    """The answer takes the place of the question's words."""
    assert statement_of(question, answer) == statement


def test_a_turned_question_is_another(rng: random.Random) -> None:
    """A name, a number, a day or an opposite is exchanged, or a "not" put in."""
    question = "Who sold the first bridge to Otto Lind in 1931?"
    turned = {turned_question(question, OTHERS, rng) for _ in range(60)}
    assert question not in turned
    assert len(turned) > 3


@given(sentence=st.text(max_size=200), others=st.lists(st.text(max_size=60), max_size=3), seed=st.integers(0, 99))
def test_any_text_can_be_edited(sentence: str, others: list[str], seed: int) -> None:
    """No text raises, and nothing is made that is the sentence itself."""
    rng = random.Random(seed)  # noqa: S311  # no secret
    assert all(statement.text != sentence for statement in statements(sentence, others, rng))
    assert turned_question(sentence, others, rng) != sentence
