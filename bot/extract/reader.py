"""A reader: whether a sentence answers a question, and with which of its words.

It is the embedding model once more, that reads question and sentence together, with other biases and layer norms
(60,672 of its 33 million numbers) and a head of two outputs a token, which say where an answer begins and where it
ends. So there is no second model to get: what is shipped is reader.npz. Source: Ben Zaken et al., "BitFit"; Devlin et
al., "BERT", for the head, and for "no answer" as an answer that is the first token. How it was trained and on what:
docs/reader.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.embed import open_model, run_model
from index.models import Span

if TYPE_CHECKING:
    from tokenizers import Encoding

MOST_QUESTION = 40  # tokens, as it was trained
MOST_HEADLINE = 16
MOST_CONTEXT = 110
_LONGEST_ANSWER = 15
_NOTHING = -30.0  # the score of a sentence that was cut off
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Context:
    """A sentence as it is read: with the headline of its article and the sentences before and after it, or ""."""

    headline: str
    before: str
    sentence: str
    after: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How sure the reader is that a sentence answers, above 0 more than not, and the span of the answer in it."""

    score: float
    answer: Span


@dataclass(frozen=True, slots=True)
class _Input:
    tokens: list[int]
    question: int  # how many of the tokens are the question
    first: int  # token of the sentence
    offsets: list[tuple[int, int]]  # of the sentence's tokens


class Reader:
    """Reads sentences for a question. Safe to share between threads. Raises WeightsError."""

    def __init__(self, folder: Path) -> None:
        with np.load(str(files("bot.extract").joinpath("reader.npz"))) as stored:
            weights = {name: stored[name].astype(np.float32) for name in stored.files}
        self._head, self._bias = weights.pop("head.weight").T, weights.pop("head.bias")
        self._weights = weights  # the session does not copy them
        self._session, self._tokenizer = open_model(folder, weights)
        self._start, self._stop, self._between = (self._token(text) for text in ("[CLS]", "[SEP]", "."))

    def read(self, question: str, contexts: Sequence[Context]) -> list[Reading]:
        """A reading for each context, in their order.

        One at a time: the int8 model scales its numbers by all that it is given at once, and so would the scores move.
        """
        asked = self._encode([question])[0].ids[:MOST_QUESTION]
        return [self._read(self._input(asked, context)) for context in contexts]

    def _read(self, given: _Input) -> Reading:
        hidden = run_model(self._session, [given.tokens], [given.question])[0]
        return _reading(hidden @ self._head + self._bias, given)

    def _input(self, asked: list[int], context: Context) -> _Input:
        texts = (context.headline, context.before, context.sentence, context.after)
        headline, before, sentence, after = self._encode(texts)
        tokens = [self._start, *asked, self._stop]
        question = len(tokens)
        if headline.ids:
            tokens += [*headline.ids[:MOST_HEADLINE], self._between]
        room = question + MOST_CONTEXT - len(tokens) - len(sentence.ids)
        if len(before.ids) <= room:
            tokens += before.ids
        first = len(tokens)
        tokens = [*tokens, *sentence.ids, *after.ids][: question + MOST_CONTEXT]
        tokens.append(self._stop)
        return _Input(tokens, question, first, sentence.offsets[: len(tokens) - 1 - first])

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        return self._tokenizer.encode_batch(list(texts), add_special_tokens=False)

    def _token(self, text: str) -> int:
        return self._tokenizer.token_to_id(text) or 0  # which it has; the type allows for others


def _reading(logits: Floats, given: _Input) -> Reading:
    """The best span of at most 15 tokens that begins and ends in the sentence, against that of the first token."""
    count = len(given.offsets)
    if not count:
        return Reading(_NOTHING, Span(0, 0))
    starts, ends = logits[given.first : given.first + count].T
    spans = starts[:, None] + ends[None, :]
    allowed = np.triu(np.ones((count, count), dtype=bool)) & np.tril(
        np.ones((count, count), dtype=bool), _LONGEST_ANSWER - 1
    )
    begin, end = divmod(int(np.where(allowed, spans, -np.inf).argmax()), count)
    score = float(spans[begin, end] - logits[0].sum())
    return Reading(score, Span(given.offsets[begin][0], given.offsets[end][1]))
