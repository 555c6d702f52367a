"""A step of the reader's training: it learns, and what it saves is what the product runs. Needs torch."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the reader's training needs torch and onnx, which nothing else does")
pytest.importorskip("onnx", reason="the reader's training needs torch and onnx, which nothing else does")

from bot.extract.reader import TEMPERATURE, Reader, Text  # noqa: E402  # after the skip
from tests import fit_reader  # noqa: E402  # after the skip
from tests.reading import Window  # noqa: E402  # after the skip

TEXTS = [101, 2040, 2328, 2009, 102, 5529, 2328, 2009, 102], [101, 2040, 2328, 2009, 102, 2009, 2003, 2214, 102]
BATCHES = {
    "questions": [Window(TEXTS[0], 5, 5, 5), Window(TEXTS[1], 5, 0, 0)],
    "candidates": [Window(tokens, 5, 0, 0, label) for tokens, label in zip(TEXTS, (True, False), strict=True)],
    "story_statements": [Window(tokens, 5, 0, 0, label) for tokens, label in zip(TEXTS, (True, False), strict=True)],
}


def test_a_few_steps_lower_the_loss_and_are_saved(weights: Path, tmp_path: Path) -> None:
    """All weights learn, for both heads; what is loaded has the loss of what was saved, and the product reads it."""
    torch.manual_seed(1)
    model = fit_reader.Model(weights / "model_quantized.onnx", rank=2).eval()
    training = fit_reader.Training(model, rate=2e-3)
    first, *_, last = [[training.step(*batch, 0.1) for batch in BATCHES.items()] for _ in range(4)]
    assert all(after < before for after, before in zip(last, first, strict=True))
    assert all(value.abs().max() > 0 for value in model.up.values())
    model.save(tmp_path / "reader.npz", dict(model.named_parameters()))
    with torch.no_grad():
        wanted = [fit_reader.loss(model, *batch).item() for batch in BATCHES.items()]
        again = fit_reader.Model(weights / "model_quantized.onnx", rank=2).eval()
        again.load(tmp_path / "reader.npz")
        assert [fit_reader.loss(again, *batch).item() for batch in BATCHES.items()] == pytest.approx(wanted, abs=0.05)


def test_training_begins_with_an_average_of_weights(weights: Path, tmp_path: Path) -> None:
    """Each file counts by its share."""
    model = fit_reader.Model(weights / "model_quantized.onnx")
    files = [tmp_path / name for name in ("one.npz", "other.npz")]
    for file, value in zip(files, (1.0, 3.0), strict=True):
        model.save(file, {name: torch.full_like(weight, value) for name, weight in model.named_parameters()})
    model.load(*files, shares=(0.25, 0.75))
    assert all(weight.allclose(torch.tensor(2.5), atol=1e-3) for weight in model.parameters())


def test_the_product_reads_what_the_training_computes(weights: Path) -> None:
    """The logits of the shipped weights are those of the int8 model, up to its rounding."""
    question, sentence = "Who sold it?", "Ann sold it."
    model = fit_reader.Model(weights / "model_quantized.onnx").eval()
    model.load(fit_reader.SHIPPED)
    reader = Reader(weights)
    tokens = [101, *reader._model.encode([question])[0].ids, 102]
    text = reader._model.encode([sentence])[0].ids
    with torch.no_grad():
        logits, _ = model(*(part[None] for part in (
            torch.tensor([*tokens, *text, 102]), torch.ones(len(tokens) + len(text) + 1, dtype=torch.long),
            torch.tensor([0] * len(tokens) + [1] * (len(text) + 1)))))  # fmt: skip
    inside = logits[0, len(tokens) : len(tokens) + len(text)]
    spans = inside[:, :1] + inside[:, 1] + torch.triu(torch.zeros(len(text), len(text))).masked_fill(
        torch.ones(len(text), len(text)).tril(-1).bool(), -1e4)  # fmt: skip
    ((reading,),) = reader.read(question, [Text("", (sentence,))])
    assert reading.logit * TEMPERATURE == pytest.approx(float(spans.max() - logits[0, 0].sum()), abs=1.0)
