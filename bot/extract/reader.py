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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.embedding.embed import PairModel
from index.models import Span

MAX_QUESTION_TOKENS = 40
MAX_HEADLINE_TOKENS = 16
MAX_PASSAGE_TOKENS = 400  # with its headline; of those of articles/ the longest has 380
_MAX_ANSWER_TOKENS = 15
# Divides the logits: after so many windows they are overconfident. Of the highest ones of 704 questions half lay beyond
# -3.4 and 5.0; those of the first version, for which the thresholds were chosen, beyond -2.2 and 1.7.
TEMPERATURE = 2.0
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
        self._model = PairModel(folder, Path(str(files("bot.extract").joinpath("reader.npz"))))
        self._head, self._bias = (self._model.heads[f"head.{part}"].T for part in ("weight", "bias"))

    def read(self, question: str, texts: Sequence[Text]) -> list[list[Reading]]:
        """Return for each text a reading of each of its sentences, in their order."""
        question_tokens = self._model.encode([question])[0].ids[:MAX_QUESTION_TOKENS]
        return [self._read(question_tokens, text) for text in texts]

    def _read(self, question: list[int], text: Text) -> list[Reading]:
        headline, *sentences = self._model.encode([text.headline, *text.sentences])
        tokens = [*headline.ids[:MAX_HEADLINE_TOKENS], self._model.full_stop] if headline.ids else []
        starts = list(accumulate((len(sentence.ids) for sentence in sentences), initial=len(tokens)))
        tokens += [token for sentence in sentences for token in sentence.ids]
        first, hidden = self._model.read(question, tokens[:MAX_PASSAGE_TOKENS])
        logits = hidden @ self._head + self._bias
        none = float((first @ self._head + self._bias).sum())
        return [
            _reading(logits[start:end], none, sentence.offsets)
            for start, end, sentence in zip(starts, starts[1:], sentences, strict=False)
        ]


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
