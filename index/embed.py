"""The embedding model: bge-small-en-v1.5, int8, run by ONNX Runtime.

Source: BAAI, "C-Pack: Packed Resources For General Chinese Embeddings" (MIT weights). CLS pooling, L2 norm and the
prefix for queries follow its model card.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
_BATCH_TEXTS = 2  # larger batches pad more and fall out of the processor's caches (benchmarked)
_QUERY_PREFIX = "Represent this sentence for searching relevant passages: "


class Embedder:
    """Embeds texts as unit vectors. Safe to share between threads. ``seconds``: total time spent on passages."""

    def __init__(self, folder: Path) -> None:
        self._session, self._tokenizer = open_model(folder)
        self.seconds = 0.0

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages, in batches of similar length; returns an array of len(texts) x 384."""
        started = time.perf_counter()
        encoded = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i].ids))
        vectors = np.empty((len(encoded), DIMENSIONS), dtype=np.float32)
        for start in range(0, len(order), _BATCH_TEXTS):
            batch = order[start : start + _BATCH_TEXTS]
            hidden = run_model(self._session, [encoded[i].ids for i in batch])
            vectors[batch] = hidden[:, 0]
        self.seconds += time.perf_counter() - started
        return _unit(vectors)

    def question(self, text: str) -> Vectors:
        """Embed a query; returns a vector of 384."""
        ids = self._tokenizer.encode(_QUERY_PREFIX + text).ids
        return _unit(run_model(self._session, [ids])[0, 0])


def open_model(folder: Path, weights: Mapping[str, NDArray[Any]] | None = None) -> tuple[InferenceSession, Tokenizer]:
    """Open the model and its tokenizer. Raises WeightsError.

    ``weights`` replace the model's initializers of the same name. They are not copied: the caller must keep them as
    long as the session.
    """
    disable_telemetry()
    import onnxruntime
    import tokenizers

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Threads that spin on after a call take the processors from the reader's session: a fifth of a question's time.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        initializers = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(array) for name, array in (weights or {}).items()
        }
        for name, value in initializers.items():  # must live until the session is made
            options.add_initializer(name, value)
        session = onnxruntime.InferenceSession(
            str(folder / "model_quantized.onnx"), options, providers=["CPUExecutionProvider"]
        )
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # onnxruntime and tokenizers raise bare Exceptions of their own
        raise unreadable(folder, error) from error
    tokenizer.enable_truncation(_MAX_TOKENS)
    tokenizer.no_padding()
    return session, tokenizer


def unreadable(folder: Path, error: Exception) -> WeightsError:
    """Return the error to raise if the files in a folder cannot be read."""
    reason = type(error).__name__
    return WeightsError(
        f"The embedding weights in {folder} cannot be read ({reason}). Delete that folder and try again."
    )


def run_model(session: InferenceSession, tokens: Sequence[list[int]], questions: Sequence[int] = ()) -> Vectors:
    """Run the model; returns its last layer, texts x tokens of the longest x 384.

    ``questions``: for pairs, how many first tokens of each text are the question's.
    """
    width = max(map(len, tokens))
    ids = np.zeros((len(tokens), width), dtype=np.int64)
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for row, values in enumerate(tokens):
        ids[row, : len(values)] = values
        mask[row, : len(values)] = 1
    for row, length in enumerate(questions):
        types[row, length : len(tokens[row])] = 1
    hidden: Vectors = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": types})[0]
    return hidden


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
