"""The reader: which of some sentences answers a question, and with which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.extract.reader import Context, Reader

BRIDGE = (
    "The bridge over the Aller was built in 1931 by the engineer Karl Voss.",
    "It reopened on Thursday after two years of repairs.",
    "The repairs cost 14 million euros, the council said.",
    "Drivers had complained of long detours.",
)
TEXT = st.text(max_size=300)


@pytest.fixture(scope="module")
def reader(weights: Path) -> Reader:
    """The reader with its real weights."""
    return Reader(weights)


def contexts() -> list[Context]:
    """The sentences of one article, each between its neighbours."""
    texts = ("", *BRIDGE, "")
    return [Context("Bridge reopens", *three) for three in zip(texts, texts[1:], texts[2:], strict=False)]


@pytest.mark.parametrize(
    ("question", "best", "words"),
    [
        ("Who built the bridge over the Aller?", 0, "Karl Voss"),
        ("When did the bridge reopen?", 1, "Thursday"),
        ("How much did the repairs of the bridge cost?", 2, "14 million euros"),
    ],
)
def test_the_sentence_that_answers_is_read_as_such(reader: Reader, question: str, best: int, words: str) -> None:
    """Of the sentences of an article the one that answers scores best, and the words that answer are marked in it."""
    readings = reader.read(question, contexts())
    logits = [reading.logit for reading in readings]
    assert logits.index(max(logits)) == best
    assert words in BRIDGE[best][slice(*readings[best].answer)]


def test_one_turned_word_is_noticed(reader: Reader) -> None:
    """A question about something that the article does not say scores below the one that it answers."""
    said = max(reading.logit for reading in reader.read("How much did the repairs of the bridge cost?", contexts()))
    turned = max(reading.logit for reading in reader.read("How much did the painting of the tunnel cost?", contexts()))
    assert turned < said


def test_readings_do_not_depend_on_what_else_is_read(reader: Reader) -> None:
    """A sentence is read the same alone, and among others in any order."""
    question, all_of_them = "Who built the bridge?", contexts()
    together = reader.read(question, all_of_them[::-1])[::-1]
    for context, reading in zip(all_of_them, together, strict=True):
        assert reader.read(question, [context]) == [reading]


def test_nothing_to_read_is_nothing_read(reader: Reader) -> None:
    """No contexts give no readings."""
    assert reader.read("Who?", []) == []


@settings(deadline=None, max_examples=25)
@given(question=TEXT, headline=TEXT, before=TEXT, sentence=st.text(max_size=2000), after=TEXT)
def test_an_answer_lies_in_its_sentence(
    reader: Reader, question: str, headline: str, before: str, sentence: str, after: str
) -> None:
    """Whatever the texts, however long: a score, and a span within the sentence."""
    (reading,) = reader.read(question, [Context(headline, before, sentence, after)])
    assert -1000 < reading.logit < 1000
    assert 0 <= reading.answer.start <= reading.answer.end <= len(sentence)
