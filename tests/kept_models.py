"""The models for tests: read once a process, and on one processor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.extract import reader
from index import embed
from index.telemetry import disable_telemetry

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer


@contextmanager
def models_kept() -> Iterator[None]:
    """Read the weights once, and let the models use one processor: the other workers take the others.

    With threads of their own in each worker a question costs 1.7 times the processor time.
    """
    open_model = embed.open_model
    kept: dict[tuple[Path, bool], tuple[InferenceSession, Tokenizer, Mapping[str, embed.Vectors]]] = {}

    def open_once(
        folder: Path, weights: Mapping[str, embed.Vectors] | None = None
    ) -> tuple[InferenceSession, Tokenizer]:
        disable_telemetry()  # before the library is imported
        import onnxruntime

        make_options = onnxruntime.SessionOptions

        def options() -> Any:
            made = make_options()
            made.intra_op_num_threads = 1
            return made

        key = folder, bool(weights)
        if key not in kept:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(onnxruntime, "SessionOptions", options)
                opened = open_model(folder, weights)
                kept[key] = (*opened, weights or {})  # a session reads its weights where they lie
        return kept[key][:2]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embed, "open_model", open_once)
        patch.setattr(reader, "open_model", open_once)
        yield
