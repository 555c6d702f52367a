"""The reader: which of some sentences answers a question, and with which words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.extract.reader import Reader, Text
from index.embedding.embed import merged
from index.models import WeightsError

pytestmark = pytest.mark.usefixtures("models_run")

BRIDGE = (
    "The bridge over the Aller was built in 1931 by the engineer Karl Voss.",
    "It reopened on Thursday after two years of repairs.",
    "The repairs cost 14 million euros, the council said.",
    "Drivers had complained of long detours.",
)
ARTICLE = Text("Bridge reopens", BRIDGE)
TEXT = st.text(max_size=300)


@pytest.fixture(scope="module")
def reader(weights: Path) -> Reader:
    """The reader with its real weights."""
    return Reader(weights)


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
    (readings,) = reader.read(question, [ARTICLE])
    logits = [reading.logit for reading in readings]
    assert logits.index(max(logits)) == best
    assert words in BRIDGE[best][slice(*readings[best].answer)]


def test_one_turned_word_is_noticed(reader: Reader) -> None:
    """A question about something that the article does not say scores below the one that it answers."""
    said, turned = (
        max(reading.logit for reading in reader.read(f"How much did the {deed} cost?", [ARTICLE])[0])
        for deed in ("repairs of the bridge", "painting of the tunnel")
    )
    assert turned < said


def test_readings_do_not_depend_on_what_else_is_read(reader: Reader) -> None:
    """A passage is read the same alone, and among others in any order."""
    question, texts = "Who built the bridge?", [ARTICLE, Text("", BRIDGE[:2]), Text("Detours", BRIDGE[3:])]
    together = reader.read(question, texts[::-1])[::-1]
    for text, readings in zip(texts, together, strict=True):
        assert reader.read(question, [text]) == [readings]


def test_nothing_to_read_is_nothing_read(reader: Reader) -> None:
    """No texts give no readings, and a text without sentences none."""
    assert reader.read("Who?", []) == []
    assert reader.read("Who?", [Text("Bridge reopens", ())]) == [[]]


@settings(deadline=None, max_examples=25)
@given(question=TEXT, headline=TEXT, sentences=st.lists(st.text(max_size=1000), max_size=4).map(tuple))
def test_an_answer_lies_in_its_sentence(
    reader: Reader, question: str, headline: str, sentences: tuple[str, ...]
) -> None:
    """Whatever the texts, however long: a score for each sentence, and a span within it."""
    (readings,) = reader.read(question, [Text(headline, sentences)])
    for sentence, reading in zip(sentences, readings, strict=True):
        assert -1000 < reading.logit < 1000
        assert 0 <= reading.answer.start <= reading.answer.end <= len(sentence)


def test_low_rank_updates_are_merged_into_the_matrices_of_the_file(tmp_path: Path) -> None:
    """A matrix and its scales are read at their offsets; with its update it is quantised again, a scale a column."""
    rng = np.random.default_rng(1)
    quantised, scale = rng.integers(-64, 65, (6, 4)).astype(np.int8), rng.random(4, np.float32) / 64
    up, down = rng.normal(size=(4, 2)).astype(np.float16), rng.normal(size=(2, 6)).astype(np.float16)
    file = tmp_path / "model.onnx"
    file.write_bytes(b"onnx" + quantised.tobytes() + b"odd" + scale.tobytes())
    update = {"up": up, "down": down, "offset": np.array([4, 31])}
    bias = np.ones(4, np.float16)
    weights = merged(file, {f"onnx::MatMul_7.{part}": array for part, array in update.items()} | {"bias": bias})
    assert set(weights) == {"bias", "onnx::MatMul_7_quantized", "onnx::MatMul_7_scale"}
    assert weights["bias"].dtype == np.float32
    new, new_scale = weights["onnx::MatMul_7_quantized"], weights["onnx::MatMul_7_scale"]
    assert new.dtype == np.int8
    assert new_scale.dtype == np.float32
    assert np.abs(new).max() == 64
    wanted = quantised * scale + (up.astype(np.float32) @ down).T
    assert (np.abs(new * new_scale - wanted) <= new_scale * 0.501).all()


def test_a_missing_model_is_reported(tmp_path: Path) -> None:
    """A file that cannot be read raises the error that says what to do."""
    with pytest.raises(WeightsError, match="cannot be read"):
        merged(tmp_path / "none.onnx", {})
