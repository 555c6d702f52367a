"""What passes between a question and its answer: frozen data, and the interface of the engine."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

from index.models import Article, Filters, Passage, Source

REFUSAL = "The articles do not say."
_ALL_IN_MARKS = re.compile(r'["“]?([^"“”„]*)["”]?')  # or begun before, or ended after
_OPENING_MARK = re.compile(r'(?:^|(?<=[\s(\[—–]))"')
_SINGLE = str.maketrans('“”„"', "‘’‚’")


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said in a conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """The proof of a statement: ``quote`` is, to the letter, ``body[start:end]`` of the article of ``source``."""

    number: int
    quote: str
    start: int
    end: int
    source: Source
    also_in: tuple[Source, ...] = ()


def in_marks(quote: str) -> str:
    """A quote as it is printed, on one line, marks inside it single: ``"We won," he said. -> “‘We won,’ he said.”``."""
    text = " ".join(quote.split())
    if all_of_it := _ALL_IN_MARKS.fullmatch(text):
        return f"“{all_of_it[1]}”"
    return f"“{_OPENING_MARK.sub('‘', text).translate(_SINGLE)}”"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the articles do not say, and where one might look; ``nearest`` are not evidence."""

    reason: str
    nearest: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot says, and what it stands on.

    ``text`` cites as ``[n]``, n being the number of a citation. ``answerer`` is "quote", "write" (a language
    model) or "reply" (small talk: no statement about the news). ``notice`` is a line about the answer itself,
    such as that the language model could not be reached.
    """

    question: str
    standalone_question: str
    text: str
    answerer: Literal["quote", "write", "reply"]
    refusal: Refusal | None = None
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    notice: str | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether the articles were found to say."""
        return self.refusal is None and self.answerer != "reply"


class AnswerStream(Iterator[str]):
    """An answer under way: iterate for verified text, then read `answer`, which is authoritative.

    >>> stream = engine.stream("Who reopened the bridge?")
    >>> for text in stream:
    ...     print(text, end="")
    >>> stream.answer.citations
    """

    def __init__(self, pieces: Generator[str, None, Answer]) -> None:
        """``pieces`` yields text and returns the answer."""
        self._pieces = pieces
        self._answer: Answer | None = None

    def __next__(self) -> str:
        """Return the next piece of text. Raises ClippingsError."""
        try:
            return next(self._pieces)
        except StopIteration as end:
            self._answer = self._answer or end.value
            raise

    @property
    def answer(self) -> Answer:
        """The answer; drains what was not iterated. Raises ClippingsError."""
        for _ in self:
            pass
        if self._answer is None:
            raise RuntimeError("the stream failed before its answer")
        return self._answer

    def close(self) -> None:
        """Stop working on the answer."""
        self._pieces.close()


class AnswerEngine(Protocol):
    """What the command line, Slack and evaluation need of an engine: see `bot.answer.Engine`."""

    def ask(
        self, question: str, *, turns: Sequence[Turn] = (), filters: Filters = ..., as_of: date | None = None
    ) -> Answer:
        """Answer a question."""

    def stream(
        self, question: str, *, turns: Sequence[Turn] = (), filters: Filters = ..., as_of: date | None = None
    ) -> AnswerStream:
        """Answer a question piece by piece."""

    def article(self, article_id: str) -> Article | None:
        """Return the article with this id."""

    def sources(self, limit: int | None = None) -> list[Source]:
        """List what is indexed, newest first."""

    def warm(self) -> None:
        """Load what the first question would wait for."""

    def close(self) -> None:
        """Close the index."""
