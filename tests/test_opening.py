"""The opening of a question is cut off where it asks nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.query.chitchat import reply
from bot.query.opening import without_opening


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("Hello, I'd like to know how many jobs the mill will cut", "how many jobs the mill will cut"),
        ("Hi can you tell me who won?", "who won?"),
        ("Hi there! Who won?", "Who won?"),
        ("Good morning\nWho won?", "Who won?"),
        ("Thanks. And who lost?", "And who lost?"),
        ("Please tell me what happened", "what happened"),
        ("I’m wondering why it closed", "why it closed"),
        ("I was just wondering if it reopened", "if it reopened"),
        ("Quick question: when was it built?", "when was it built?"),
        ("Do you know where it is?", "where it is?"),
        ("Hi! Thanks. Please, could you tell me why?", "why?"),
        ("Could you please tell me about the strike?", "tell me about the strike?"),
        ("Please list all members", "list all members"),
        ("OK, but why?", "but why?"),
    ],
)
def test_an_opening_goes(question: str, rest: str) -> None:
    """Greetings, thanks and requests, one after another."""
    assert without_opening(question) == rest


@pytest.mark.parametrize(
    "question",
    [
        "Who won?", "Hello Kitty is whose?", "Thanks to whom did it work?", "tell me about Boeing", "hi", "Thanks!",
        "Do you know John Smith?", "Would you say so?", "Hi-tech firms: who?", "Right-wing parties", "Well-known men",
        "Is it true?", "  Who won?", "Hi, ?", "I wonder", "Sorry state of the roads",
    ],
)  # fmt: skip
def test_what_may_be_the_question_stays_to_the_letter(question: str) -> None:
    """A greeting inside a name, a request of its own, and a message that is nothing but an opening."""
    assert without_opening(question) == question


@given(
    st.text()
    | st.lists(st.sampled_from(["hi", ", ", "please ", "tell me ", "who", "I'd like to know ", "\n", "! "])).map(
        "".join
    )
)
def test_what_is_left_ends_the_question(question: str) -> None:
    """Only a beginning is cut, and never all; what is chitchat is left to its reply."""
    rest = without_opening(question)
    assert question.endswith(rest)
    assert bool(rest.strip()) is bool(question.strip())
    assert reply(rest) is not None or reply(question) is None
