"""The expected answer type of a question, and which sentences hold a thing of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.query.answer_type import AnswerType, expected_answer_type, has_answer_type
from index.text import words

ASKED: dict[AnswerType, list[str]] = {
    "money": [
        "How much did the repair cost?",
        "What does a ticket cost?",
        "the price of a ticket",
        "What did it cost?",
    ],
    "number": ["How many were hurt?", "how old is he", "Kerman death toll", "What percentage voted?", "HOW FAR is it?"],
    "date": ["When does it open?", "what year was that", "On which day did it rain?"],
    "person": ["Who won?", "Whose shoes were they?", "Which minister resigned?"],
    "place": ["Where is the station?", "Which city was flooded?", "In what country did it happen?"],
    "reason": ["Why was it closed?", "What caused the flood?", "the reason for the delay"],
    "any": ["What did she say?", "Kerman attack", "Did it rain?", ""],
}


@pytest.mark.parametrize(("answer_type", "question"), [(name, text) for name, texts in ASKED.items() for text in texts])
def test_answer_type_is_read_off_the_question(answer_type: AnswerType, question: str) -> None:
    """The words that ask say what is asked for; a phrase without them asks for anything."""
    assert expected_answer_type(question) == answer_type


HELD: dict[AnswerType, tuple[list[str], list[str]]] = {
    "money": (
        ["It cost £3.", "He lost 1.4 million pounds.", "They paid $ 5 each."],
        ["It took 40 days.", "It was pricey."],
    ),
    "number": (
        ["Nearly 100 died.", "About 1,200 came.", "Forty-two fell.", "30 marines came."],
        ["Many died.", "It was in 2018.", "It was on Jan. 3.", "It was on 3 January.", "It was on March 21st."],
    ),
    "date": (
        [
            "It was in 2018.",
            "On Jan. 3 it rained.",
            "It was in Sept. 2018 or so.",
            "It rained on 3 January.",
            "It opens on Monday.",
            "It was yesterday.",
        ],
        ["It is old.", "Some 30 marines came.", "About 40 people died."],
    ),
    "person": (["The winner was Folasade Grant."], ["The winner was a teacher."]),
    "place": (["It stands in Stonewick."], ["It stands by the river."]),
    "reason": (["It was shut because of cracks.", "He blamed the rain."], ["It was shut."]),
    "any": (["It was shut.", ""], []),
}


@pytest.mark.parametrize("answer_type", HELD)
def test_sentence_holds_the_type_or_does_not(answer_type: AnswerType) -> None:
    """A year and a day of a month are dates and no numbers; a number of marines is no date."""
    yes, no = HELD[answer_type]
    assert [sentence for sentence in yes if not has_answer_type(answer_type, sentence)] == []
    assert [sentence for sentence in no if has_answer_type(answer_type, sentence)] == []


@pytest.mark.parametrize(
    ("answer_type", "sentence", "question"),
    [
        ("number", "Of the 100 many died.", "How many of the 100 died?"),
        ("date", "The 2018 deal failed.", "When was the 2018 deal made?"),
        ("person", "The rule of Soleimani ended.", "Who killed Soleimani?"),
    ],
)
def test_what_the_question_says_itself_is_no_answer(answer_type: AnswerType, sentence: str, question: str) -> None:
    """A thing of the right type counts only where it is not what was asked with."""
    assert has_answer_type(answer_type, sentence)
    assert not has_answer_type(answer_type, sentence, frozenset(words(question)))


@given(st.sampled_from(list(ASKED)), st.text(), st.text())
def test_any_text_is_read(answer_type: AnswerType, sentence: str, question: str) -> None:
    """Whatever is asked of whatever, there is an answer, and to "any" it is yes."""
    assert expected_answer_type(question) in ASKED
    assert has_answer_type("any", sentence) is True
    assert has_answer_type(answer_type, sentence, frozenset(words(question))) <= has_answer_type(answer_type, sentence)
