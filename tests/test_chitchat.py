"""Chitchat gets a fitting reply; whatever may be a question gets none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.query.chitchat import reply


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("hi", "Hello"),
        ("Good morning!", "Hello"),
        ("hello there", "Hello"),
        ("Heyyyy :)", "Hello"),
        ("HELLO CLIPPINGS", "Hello"),
        ("Héllo", "Hello"),
        ("thanks", "You are welcome"),
        ("Thank you so much!!", "You are welcome"),
        ("ok thanks", "You are welcome"),
        ("thanks, bye", "Goodbye"),
        ("good night 🌙", "Goodbye"),
        ("what can you do?", "I answer questions"),
        ("Hi! Who are you?", "I answer questions"),
        ("What\u2019s your name?", "I answer questions"),
        ("help", "I answer questions"),
        ("ok", "All right"),
        ("", "There is no question"),
        (" \n\t", "There is no question"),
        ("?!…", "There is no question"),
        ("___", "There is no question"),
        ("👍🏽 ❤️", "There is no question"),
    ],
)
def test_chitchat_is_answered_in_kind(message: str, expected: str) -> None:
    """Each kind of chitchat gets its reply, whatever its case, stretch or punctuation."""
    answer = reply(message)
    assert answer is not None
    assert answer.startswith(expected)


@pytest.mark.parametrize(
    "question",
    [
        "hi, who was killed in Kerman?",
        "thanks, and who claimed it?",
        "What can you tell me about Boeing?",
        "Help for Gaza",
        "who are you voting for",
        "Who are the Houthis?",
        "What can the UN do?",
        "what about Trump?",
        "when?",
        "why",
        "2024",
        "good news from Iran",
        "Thank You for Smoking",
        "goodbye speech of Obama",
        "and you?? who won",
        "there",
        "北京发生了什么",
        "how does it work?",
        "hi " * 30,
        "¿Qué es?",
    ],
)
def test_what_may_be_a_question_is_not_swallowed(question: str) -> None:
    """One word that is no chitchat makes all of it a question; other languages are not read."""
    assert reply(question) is None


def test_a_reply_cites_nothing() -> None:
    """No reply holds a citation mark."""
    for message in ("hi", "thanks", "help", "bye", "ok", ""):
        assert "[" not in (reply(message) or "[")


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    """Nothing raises, and text with a name in it is never chitchat."""
    assert reply(text) is None or reply(text)
    assert reply(f"{text} Soleimani") is None
