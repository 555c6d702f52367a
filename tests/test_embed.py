"""The embedding model, for real."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from index.embedding.embed import DIMENSIONS, Embedder
from index.models import WeightsError

pytestmark = pytest.mark.usefixtures("models_run")

TEXTS = [
    "Two bombs killed nearly a hundred mourners at a ceremony.",
    "The library opens on Sundays.",
    "",
    "word " * 2_000,
    "日本語のニュース 🙂 \x00",
]


@pytest.fixture(scope="module")
def embedder(weights: Path) -> Embedder:
    """One for all tests: it keeps nothing between calls but its stopwatch."""
    return Embedder(weights)


def test_vectors_have_length_one(embedder: Embedder) -> None:
    """Any text gets a unit vector, whatever its length or script."""
    vectors = embedder.passages(TEXTS)
    assert vectors.shape == (len(TEXTS), DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(embedder.question("")), 1, atol=1e-5)


def test_nothing_to_embed_is_no_error(embedder: Embedder) -> None:
    """No text gives an array of no rows."""
    assert embedder.passages([]).shape == (0, DIMENSIONS)


def test_vectors_come_in_the_order_of_the_texts(embedder: Embedder) -> None:
    """Batches are sorted by length inside, and that does not show: each text's vector stands in its own place."""
    together = embedder.passages(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert float(embedder.passages([text])[0] @ vector) > 0.99


def test_a_passage_is_nearest_to_its_question(embedder: Embedder) -> None:
    """Meaning is found where no word is shared."""
    passages = embedder.passages(TEXTS[:2])
    assert np.argmax(passages @ embedder.question("How many people died in the explosions?")) == 0
    assert np.argmax(passages @ embedder.question("When can I borrow books at the weekend?")) == 1


def test_a_question_is_not_embedded_as_a_passage(embedder: Embedder) -> None:
    """The prefix of the model's card goes before questions, and before them only."""
    assert float(embedder.question(TEXTS[1]) @ embedder.passages(TEXTS[1:2])[0]) < 0.99


def test_the_stopwatch_runs_for_passages(weights: Path) -> None:
    """What passages took is added up, for the report of an indexing run; questions are not."""
    embedder = Embedder(weights)
    embedder.question("Who?")
    assert embedder.seconds == 0
    embedder.passages(TEXTS[:1])
    first = embedder.seconds
    embedder.passages(TEXTS[:1])
    assert 0 < first < embedder.seconds


def test_threads_share_one_model(embedder: Embedder) -> None:
    """What threads ask at once is answered as if they had asked in turn."""
    expected = [embedder.question(text) for text in TEXTS[:2]]
    same: list[bool] = []

    def ask(which: int) -> None:
        same.extend(np.array_equal(embedder.question(TEXTS[which]), expected[which]) for _ in range(10))

    threads = [threading.Thread(target=ask, args=(i % 2,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 40


def test_broken_weights_are_named(tmp_path: Path) -> None:
    """Files that are no model end in a sentence that names the folder and what to do."""
    (tmp_path / "model_quantized.onnx").write_bytes(b"not a model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match=f"in {tmp_path} cannot be read .* try again"):
        Embedder(tmp_path)
