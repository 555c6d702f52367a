"""A step of the reader's training: it learns, and what it saves is what the product runs. Needs torch."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the reader's training needs torch and onnx, which nothing else does")
pytest.importorskip("onnx", reason="the reader's training needs torch and onnx, which nothing else does")

from tests import fit_reader  # noqa: E402  # after the skip
from tests.reading import Window  # noqa: E402  # after the skip

WINDOWS = [
    Window([101, 2040, 2328, 2009, 102, 5529, 2328, 2009, 102], 5, 5, 5),
    Window([101, 2040, 2328, 2009, 102, 2009, 2003, 2214, 102], 5, 0, 0),
]
STATEMENTS = [
    Window(window.tokens, 5, 0, 0, supported) for window, supported in zip(WINDOWS, (True, False), strict=True)
]


def test_a_few_steps_lower_the_loss_and_are_saved(weights: Path, tmp_path: Path) -> None:
    """All weights learn, for both heads; what is loaded has the loss of what was saved, and can go on learning."""
    torch.manual_seed(1)
    model = fit_reader.Model(weights / "model_quantized.onnx", rank=2)
    training = fit_reader.Training(model, rate=2e-3)
    first, *_, last = [[training.step(batch, 100) for batch in (WINDOWS, STATEMENTS)] for _ in range(12)]
    assert all(after < before for after, before in zip(last, first, strict=True))
    assert all(value.abs().max() > 0 for value in model.up.values())
    model.save(tmp_path / "reader.npz")
    training.save(tmp_path / "reader.state")
    model.quantised.clear()
    wanted = [fit_reader.loss(model, batch).item() for batch in (WINDOWS, STATEMENTS)]
    again = fit_reader.Model(weights / "model_quantized.onnx", rank=2)
    again.load(tmp_path / "reader.npz")
    assert [fit_reader.loss(again, batch).item() for batch in (WINDOWS, STATEMENTS)] == pytest.approx(wanted, abs=0.05)
    resumed = fit_reader.Training(fit_reader.Model(weights / "model_quantized.onnx", rank=2), rate=2e-3)
    resumed.load(tmp_path / "reader.state")
    assert resumed.steps == training.steps == 24
    assert resumed.step(WINDOWS, 100) == pytest.approx(wanted[0], abs=0.01)
