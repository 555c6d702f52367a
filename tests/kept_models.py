"""The models for tests: read once a process, on one processor, and what they computed is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from index.embedding import embed
from index.embedding.telemetry import disable_telemetry

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer


_MAX_RESULTS = 500  # of a model, some 100 kB each


class Remembered:
    """A session that runs once for an input: the tests ask the same questions of the same articles many times.

    Results are to the bit those of the session. While ``Remembered.is_off``, it runs each time.
    """

    is_off = False

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._result = lru_cache(_MAX_RESULTS)(self._run)

    def run(self, names: None, inputs: Mapping[str, NDArray[np.int64]]) -> list[embed.Vectors]:
        """Run the model, or return what it returned for the same inputs."""
        if self.is_off:
            return self._session.run(names, dict(inputs))  # type: ignore[no-any-return]  # onnxruntime ships no types
        return [self._result(*((name, array.shape, array.tobytes()) for name, array in inputs.items()))]

    def _run(self, *inputs: tuple[str, tuple[int, ...], bytes]) -> embed.Vectors:
        arrays = {name: np.frombuffer(data, np.int64).reshape(shape) for name, shape, data in inputs}
        result: embed.Vectors = self._session.run(None, arrays)[0]
        result.flags.writeable = False
        return result


@contextmanager
def models_kept(*, results: bool = False) -> Iterator[None]:
    """Read the weights once, and let the models use one processor: the other workers take the others.

    With threads of their own in each worker a question costs 1.7 times the processor time. With ``results`` sessions
    are `Remembered`.
    """
    open_model, merged = embed.open_model, embed.merged
    merges: dict[tuple[Path, bytes], dict[str, NDArray[Any]]] = {}
    kept: dict[tuple[Path, bytes], tuple[InferenceSession, Tokenizer, Mapping[str, embed.Vectors]]] = {}

    def merge_once(file: Path, learnt: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Merge learnt weights into the model's, which takes half a second, once for the same ones."""
        key = file, sha256(b"".join(array.tobytes() for array in learnt.values())).digest()
        if key not in merges:
            merges[key] = merged(file, learnt)
        return merges[key]

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

        key = folder, b"".join(array.tobytes() for array in list((weights or {}).values())[:1])
        if key not in kept:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(onnxruntime, "SessionOptions", options)
                session, tokenizer = open_model(folder, weights)
                # A session reads its weights where they lie.
                kept[key] = Remembered(session) if results else session, tokenizer, weights or {}
        return kept[key][:2]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embed, "merged", merge_once)
        patch.setattr(embed, "open_model", open_once)
        yield
