"""The reader: P(a sentence answers a question), and with which of its words.

The embedding model once more, with other biases and layer norms (60,672 of its 33 million numbers), low-rank updates of
its matrices where reader.npz has some, and a head of two outputs a token: logits of an answer's first and last token.
It reads question and sentence together. No second model has to be downloaded: reader.npz is shipped. Sources: Ben Zaken
et al., "BitFit"; Hu et al., "LoRA"; Devlin et al., "BERT", for the head and the first token as "no answer". Training:
docs/reader.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.embed import open_model, run_model, unreadable
from index.models import Span

if TYPE_CHECKING:
    from tokenizers import Encoding

# As in training.
MAX_QUESTION_TOKENS = 40
MAX_HEADLINE_TOKENS = 16
MAX_CONTEXT_TOKENS = 110
_MAX_ANSWER_TOKENS = 15
_MAX_QUANTUM = 64  # as in the file: with 127, processors without VNNI overflow
_MATRIX = "onnx::MatMul"  # how the names of low-rank updates begin, and of the matrices that they update
_TRUNCATED_LOGIT = -30.0  # of a sentence that does not fit
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Context:
    """A sentence as it is read: with its article's headline and the sentences before and after it, or ""."""

    headline: str
    before: str
    sentence: str
    after: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The log-odds that a sentence answers, and the answer's span in it."""

    logit: float
    answer: Span


@dataclass(frozen=True, slots=True)
class _Input:
    """Token ids; how many are the question, where the sentence begins, and the offsets of its tokens."""

    tokens: list[int]
    num_question: int
    first: int
    offsets: list[tuple[int, int]]


class Reader:
    """Reads sentences for a question. Safe to share between threads. Raises WeightsError."""

    def __init__(self, folder: Path) -> None:
        with np.load(str(files("bot.extract").joinpath("reader.npz"))) as stored:
            learnt = {name: stored[name] for name in stored.files if not name.startswith("support.")}
        self._head, self._bias = (learnt.pop(f"head.{part}").astype(np.float32).T for part in ("weight", "bias"))
        self._weights = merged(folder / "model_quantized.onnx", learnt)  # the session does not copy them
        self._session, self._tokenizer = open_model(folder, self._weights)
        self._cls, self._sep, self._full_stop = (self._token(text) for text in ("[CLS]", "[SEP]", "."))

    def read(self, question: str, contexts: Sequence[Context]) -> list[Reading]:
        """Return a reading for each context, in their order.

        Contexts are not batched: the int8 model scales its numbers by the whole batch, so logits would depend on it.
        """
        question_tokens = self._encode([question])[0].ids[:MAX_QUESTION_TOKENS]
        return [self._read(self._input(question_tokens, context)) for context in contexts]

    def _read(self, model_input: _Input) -> Reading:
        hidden = run_model(self._session, [model_input.tokens], [model_input.num_question])[0]
        return _reading(hidden @ self._head + self._bias, model_input)

    def _input(self, question_tokens: list[int], context: Context) -> _Input:
        texts = (context.headline, context.before, context.sentence, context.after)
        headline, before, sentence, after = self._encode(texts)
        tokens = [self._cls, *question_tokens, self._sep]
        num_question = len(tokens)
        end = num_question + MAX_CONTEXT_TOKENS
        if headline.ids:
            tokens += [*headline.ids[:MAX_HEADLINE_TOKENS], self._full_stop]
        if len(tokens) + len(before.ids) + len(sentence.ids) <= end:
            tokens += before.ids
        first = len(tokens)
        tokens = [*tokens, *sentence.ids, *after.ids][:end]
        return _Input([*tokens, self._sep], num_question, first, sentence.offsets[: len(tokens) - first])

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


def _reading(logits: Floats, model_input: _Input) -> Reading:
    """Return the best span of at most 15 tokens within the sentence, and its logit against that of "no answer"."""
    count = len(model_input.offsets)
    if not count:
        return Reading(_TRUNCATED_LOGIT, Span(0, 0))
    starts, ends = logits[model_input.first : model_input.first + count].T
    spans = starts[:, None] + ends[None, :]
    allowed = np.tri(count, dtype=bool).T & np.tri(count, k=_MAX_ANSWER_TOKENS - 1, dtype=bool)
    begin, end = divmod(int(np.where(allowed, spans, -np.inf).argmax()), count)
    logit = float(spans[begin, end] - logits[0].sum())
    return Reading(logit, Span(model_input.offsets[begin][0], model_input.offsets[end][1]))
