"""The embedding model: bge-small-en-v1.5, int8, run by ONNX Runtime.

Source: BAAI, "C-Pack: Packed Resources For General Chinese Embeddings" (MIT weights). CLS pooling, L2 norm and the
prefix for questions only are as its model card says.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.models import WeightsError

Vectors = NDArray[np.float32]

MODEL_NAME = "bge-small-en-v1.5-int8"
DIMENSIONS = 384
_MAX_TOKENS = 512
_BATCH = 2
_QUESTION_PREFIX = "Represent this sentence for searching relevant passages: "


class Embedder:
    """Texts to unit vectors. Safe to share between threads.

    ``seconds`` is what the passages took, for the report of an indexing run.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / "model_quantized.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # onnxruntime and tokenizers raise bare Exceptions of their own
            reason = type(error).__name__
            message = f"The embedding weights in {folder} cannot be read ({reason}). Delete that folder and try again."
            raise WeightsError(message) from error
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()
        self.seconds = 0.0

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages: one unit vector a text, as a len(texts) x 384 array.

        Length-sorted batches of 2: larger ones pad more and fall out of the processor's caches (benchmarked).
        """
        started = time.perf_counter()
        encoded = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i].ids))
        vectors = np.empty((len(encoded), DIMENSIONS), dtype=np.float32)
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            hidden = self._run([encoded[i].ids for i in batch])
            vectors[batch] = hidden[:, 0]
        self.seconds += time.perf_counter() - started
        return _unit(vectors)

    def question(self, text: str) -> Vectors:
        """Embed a question: one unit vector of 384."""
        ids = self._tokenizer.encode(_QUESTION_PREFIX + text).ids
        return _unit(self._run([ids])[0, 0])

    def _run(self, ids: list[list[int]]) -> Vectors:
        width = max(map(len, ids))
        tokens = np.zeros((len(ids), width), dtype=np.int64)
        mask = np.zeros_like(tokens)
        for row, values in enumerate(ids):
            tokens[row, : len(values)] = values
            mask[row, : len(values)] = 1
        inputs = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
        hidden: Vectors = self._session.run(None, inputs)[0]
        return hidden


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
