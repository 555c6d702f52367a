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

from index.embedding.telemetry import disable_telemetry
from index.models import WeightsError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

Vectors = NDArray[np.float32]

MODEL_NAME = "bge-small-en-v1.5-int8"
DIMENSIONS = 384
_MAX_TOKENS = 512
_BATCH_TEXTS = 2  # larger batches pad more and fall out of the processor's caches (benchmarked)
_HEADS = ("head.", "support.")  # how the names of outputs begin that the embedding model does not have
_MATRIX = "onnx::MatMul"  # how the names of low-rank updates begin, and of the matrices that they update
_MAX_QUANTUM = 64  # as in the file: with 127, processors without VNNI overflow
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


class PairModel:
    """The embedding model with weights of our own, which reads two texts together. Safe to share between threads.

    ``heads``: the outputs that were learnt, by name. Sources: Ben Zaken et al., "BitFit" (biases and layer norms); Hu
    et al., "LoRA" (low-rank updates); Devlin et al., "BERT", for the form of a pair. Training: docs/reader.md.
    """

    def __init__(self, folder: Path, file: Path) -> None:
        """Merge the weights in ``file`` (npz) into the model in ``folder``. Raises WeightsError."""
        with np.load(file) as stored:
            learnt = dict(stored)
        self.heads = {name: learnt.pop(name).astype(np.float32) for name in list(learnt) if name.startswith(_HEADS)}
        self._weights = merged(folder / "model_quantized.onnx", learnt)  # the session does not copy them
        self._session, self._tokenizer = open_model(folder, self._weights)
        self._cls, self._sep, self.full_stop = (self._token(text) for text in ("[CLS]", "[SEP]", "."))

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Cut texts into tokens."""
        return self._tokenizer.encode_batch(list(texts), add_special_tokens=False)

    def read(self, first: Sequence[int], second: Sequence[int]) -> tuple[Vectors, Vectors]:
        """Read the tokens of two texts; returns the last layer of [CLS], 384, and of the second text's, tokens x 384.

        Pairs are not batched: the int8 model scales its numbers by the whole batch, so outputs would depend on it.
        """
        begin = [self._cls, *first, self._sep]
        hidden = run_model(self._session, [[*begin, *second, self._sep]], [len(begin)])[0]
        return hidden[0], hidden[len(begin) : -1]

    def _token(self, text: str) -> int:
        return self._tokenizer.token_to_id(text) or 0  # it has all three; the type allows for None


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
        raise _unreadable(folder, error) from error
    tokenizer.enable_truncation(_MAX_TOKENS)
    tokenizer.no_padding()
    return session, tokenizer


def merged(file: Path, learnt: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the initializers that replace the model's: what was learnt, its low-rank updates as int8 matrices.

    A matrix W (int8, a scale a column) becomes W + (up down)^T, quantised again. Its bytes lie at a known offset in
    the file, which index.embedding.weights verified by its hash. Raises WeightsError.
    """
    try:
        stored = np.memmap(file, mode="r")
    except (OSError, ValueError) as error:
        raise _unreadable(file.parent, error) from error
    weights = {name: value.astype(np.float32) for name, value in learnt.items() if not name.startswith(_MATRIX)}
    for name in sorted({name.rpartition(".")[0] for name in learnt if name.startswith(_MATRIX)}):
        up, down = (learnt[f"{name}.{part}"].astype(np.float32) for part in ("up", "down"))
        matrix = down.T @ up.T
        start, scale_start = learnt[f"{name}.offset"]
        scale = stored[scale_start : scale_start + 4 * len(up)].view("<f4")
        matrix += stored[start : start + matrix.size].view(np.int8).reshape(matrix.shape) * scale
        scale = np.maximum(matrix.max(axis=0), -matrix.min(axis=0)) / _MAX_QUANTUM
        weights[f"{name}_quantized"] = np.rint(np.divide(matrix, scale, out=matrix), out=matrix).astype(np.int8)
        weights[f"{name}_scale"] = scale
    return weights


def _unreadable(folder: Path, error: Exception) -> WeightsError:
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
