"""The embedding model: bge-small-en-v1.5, int8, run by ONNX Runtime.

Source: BAAI, "C-Pack: Packed Resources For General Chinese Embeddings" (MIT weights). CLS pooling, L2 norm and the
prefix for questions only are as its model card says.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.models import WeightsError
from index.telemetry import disable_telemetry

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

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
        self._session, self._tokenizer = open_model(folder)
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
            hidden = run_model(self._session, [encoded[i].ids for i in batch])
            vectors[batch] = hidden[:, 0]
        self.seconds += time.perf_counter() - started
        return _unit(vectors)

    def question(self, text: str) -> Vectors:
        """Embed a question: one unit vector of 384."""
        ids = self._tokenizer.encode(_QUESTION_PREFIX + text).ids
        return _unit(run_model(self._session, [ids])[0, 0])


def open_model(folder: Path, weights: Mapping[str, Vectors] | None = None) -> tuple[InferenceSession, Tokenizer]:
    """The model and its tokenizer; ``weights`` take the place of the model's own of the same name.

    They are read where they lie: who gives them must keep them as long as the session. Raises WeightsError.
    """
    disable_telemetry()
    import onnxruntime
    import tokenizers

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Threads that spin on after a call take the processors from the other session: a fifth of a question's time.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        kept = {name: onnxruntime.OrtValue.ortvalue_from_numpy(values) for name, values in (weights or {}).items()}
        for name, value in kept.items():  # which have to live until the session is made
            options.add_initializer(name, value)
        session = onnxruntime.InferenceSession(
            str(folder / "model_quantized.onnx"), options, providers=["CPUExecutionProvider"]
        )
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # onnxruntime and tokenizers raise bare Exceptions of their own
        reason = type(error).__name__
        message = f"The embedding weights in {folder} cannot be read ({reason}). Delete that folder and try again."
        raise WeightsError(message) from error
    tokenizer.enable_truncation(_MAX_TOKENS)
    tokenizer.no_padding()
    return session, tokenizer


def run_model(session: InferenceSession, tokens: Sequence[list[int]], questions: Sequence[int] = ()) -> Vectors:
    """The last layer, texts x tokens of the longest x 384. ``questions``: how many first tokens are another text."""
    width = max(map(len, tokens))
    ids = np.zeros((len(tokens), width), dtype=np.int64)
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for row, values in enumerate(tokens):
        ids[row, : len(values)] = values
        mask[row, : len(values)] = 1
    for row, first in enumerate(questions):
        types[row, first : len(tokens[row])] = 1
    hidden: Vectors = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": types})[0]
    return hidden


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
