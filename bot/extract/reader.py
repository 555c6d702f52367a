"""The reader: P(a sentence answers a question), and with which of its words.

The embedding model once more, with other biases and layer norms (60,672 of its 33 million numbers), low-rank updates of
its matrices where reader.npz has some, and a head of two outputs a token: logits of an answer's first and last token.
It reads a question and a passage together: of each sentence of the passage, whether it answers, beside the others. No
second model has to be downloaded: reader.npz is shipped. Sources: Ben Zaken et al., "BitFit"; Hu et al., "LoRA"; Devlin
et al., "BERT", for the head and the first token as "no answer". Training: docs/reader.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.embed import open_model, run_model, unreadable
from index.models import Span

if TYPE_CHECKING:
    from tokenizers import Encoding

MAX_QUESTION_TOKENS = 40
MAX_HEADLINE_TOKENS = 16
MAX_PASSAGE_TOKENS = 400  # with its headline; of those of articles/ the longest has 380
_MAX_ANSWER_TOKENS = 15
# Divides the logits: after so many windows they are overconfident. Of the highest ones of 704 questions half lay beyond
# -3.4 and 5.0; those of the first version, for which the thresholds were chosen, beyond -2.2 and 1.7.
TEMPERATURE = 2.0
_MAX_QUANTUM = 64  # as in the file: with 127, processors without VNNI overflow
_MATRIX = "onnx::MatMul"  # how the names of low-rank updates begin, and of the matrices that they update
_TRUNCATED_LOGIT = -30.0  # of a sentence that does not fit
Floats = NDArray[np.float32]


class Text(NamedTuple):
    """A passage as it is read: its article's headline, or "", and its sentences."""

    headline: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The log-odds that a sentence answers, and the answer's span in it."""

    logit: float
    answer: Span


class Reader:
    """Reads sentences for a question. Safe to share between threads. Raises WeightsError."""

    def __init__(self, folder: Path) -> None:
        with np.load(str(files("bot.extract").joinpath("reader.npz"))) as stored:
            learnt = {name: stored[name] for name in stored.files if not name.startswith("support.")}
        self._head, self._bias = (learnt.pop(f"head.{part}").astype(np.float32).T for part in ("weight", "bias"))
        self._weights = merged(folder / "model_quantized.onnx", learnt)  # the session does not copy them
        self._session, self._tokenizer = open_model(folder, self._weights)
        self._cls, self._sep, self._full_stop = (self._token(text) for text in ("[CLS]", "[SEP]", "."))

    def read(self, question: str, texts: Sequence[Text]) -> list[list[Reading]]:
        """Return for each text a reading of each of its sentences, in their order.

        Texts are not batched: the int8 model scales its numbers by the whole batch, so logits would depend on it.
        """
        question_tokens = [self._cls, *self._encode([question])[0].ids[:MAX_QUESTION_TOKENS], self._sep]
        return [self._read(question_tokens, text) for text in texts]

    def _read(self, question: list[int], text: Text) -> list[Reading]:
        headline, *sentences = self._encode([text.headline, *text.sentences])
        tokens = question + ([*headline.ids[:MAX_HEADLINE_TOKENS], self._full_stop] if headline.ids else [])
        starts = list(accumulate((len(sentence.ids) for sentence in sentences), initial=len(tokens)))
        tokens += [token for sentence in sentences for token in sentence.ids]
        tokens = tokens[: len(question) + MAX_PASSAGE_TOKENS]
        hidden = run_model(self._session, [[*tokens, self._sep]], [len(question)])[0]
        logits = hidden @ self._head + self._bias
        none = float(logits[0].sum())
        return [
            _reading(logits[start : min(end, len(tokens))], none, sentence.offsets)
            for start, end, sentence in zip(starts, starts[1:], sentences, strict=False)
        ]

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        return self._tokenizer.encode_batch(list(texts), add_special_tokens=False)

    def _token(self, text: str) -> int:
        return self._tokenizer.token_to_id(text) or 0  # it has all three; the type allows for None


def merged(file: Path, learnt: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the initializers that replace the model's: what was learnt, its low-rank updates as int8 matrices.

    A matrix W (int8, a scale a column) becomes W + (up down)^T, quantised again. Its bytes lie at a known offset in
    the file, which index.weights verified by its hash. Raises WeightsError.
    """
    try:
        stored = np.memmap(file, mode="r")
    except (OSError, ValueError) as error:
        raise unreadable(file.parent, error) from error
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


def _reading(logits: Floats, none: float, offsets: Sequence[tuple[int, int]]) -> Reading:
    """Return the best span of at most 15 tokens, and its logit against that of "no answer".

    ``logits``: of begin and end, tokens x 2, without those of a sentence that were cut off.
    """
    count = len(logits)
    if not count:
        return Reading(_TRUNCATED_LOGIT, Span(0, 0))
    spans = logits[:, :1] + logits[:, 1]
    allowed = np.tri(count, dtype=bool).T & np.tri(count, k=_MAX_ANSWER_TOKENS - 1, dtype=bool)
    begin, end = divmod(int(np.where(allowed, spans, -np.inf).argmax()), count)
    return Reading((float(spans[begin, end]) - none) / TEMPERATURE, Span(offsets[begin][0], offsets[end][1]))
