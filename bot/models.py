"""The data types of question and answer, all frozen, and the interface of the engine."""

import re
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, Protocol

from index.models import Article, ClippingsError, Filters, Passage, Source

Kind = Literal[
    "who", "said", "reason", "fact", "yes_no", "list", "compare", "total", "summary", "timeline", "news", "collection",
    "several", "chitchat",
]  # fmt: skip
"""What a question asks for: see bot/query/kind.py and README."""

REFUSAL = "The articles do not say."
_ALL_IN_MARKS = re.compile(r'["“]?([^"“”„]*)["”]?')  # either mark may be in a neighbouring sentence
_OPENING_MARK = re.compile(r'(?:^|(?<=[\s(\[—–]))"')
_SINGLE = str.maketrans('“”„"', "‘’‚’")


class QuestionTooLong(ClippingsError):
    """The question has more than MAX_QUESTION_CHARACTERS. The message is for whoever asked it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of a conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Proof of a statement. ``quote`` equals ``body[start:end]`` of the article of ``source``, to the letter.

    ``number`` is that of the article in the answer: several quotes of an article have the same.
    """

    number: int
    quote: str
    start: int
    end: int
    source: Source
    also_in: tuple[Source, ...] = ()


def numbered(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    """Number citations by their articles, from 1 in reading order."""
    numbers: dict[str, int] = {}
    return tuple(
        replace(citation, number=numbers.setdefault(citation.source.id, len(numbers) + 1)) for citation in citations
    )


def by_number(citations: Iterable[Citation]) -> dict[int, list[Citation]]:
    """Group the citations of an answer: the number of an article -> its quotes."""
    groups: dict[int, list[Citation]] = {}
    for citation in citations:
        groups.setdefault(citation.number, []).append(citation)
    return groups


def in_marks(quote: str) -> str:
    """Format a quote on one line, with single marks inside: ``"We won," he said. -> “‘We won,’ he said.”``."""
    text = " ".join(quote.split())
    if quotation := _ALL_IN_MARKS.fullmatch(text):
        return f"“{quotation[1]}”"
    return f"“{_OPENING_MARK.sub('‘', text).translate(_SINGLE)}”"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the articles do not say. ``nearest`` are the best matches; they are no evidence."""

    reason: str
    nearest: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its citations.

    ``text`` refers to an article by its number, as in ``[1]``; ``citations`` has an entry for each quote. ``answerer``
    is "quote" (extractive), "write" (generative, by a language model) or "reply" (chitchat, no statement about the
    news). ``kind``: what the question was taken for. ``filters``: what was read, with the limits that the question
    sets itself. ``notice`` is a line about the answer, for example that the language model could not be reached.
    ``short`` is the shortest answer, with which ``text`` begins: words of the first quote to the letter, "Yes", "No",
    or a count; None where there is none that is certain.
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
    kind: Kind = "fact"
    filters: Filters = field(default_factory=Filters)
    short: str | None = None

    @property
    def answered(self) -> bool:
        """Whether the articles answer the question. False for chitchat."""
        return self.refusal is None and self.answerer != "reply"


ON_STEP: ContextVar[Callable[[str], None]] = ContextVar("on_step", default=lambda _: None)
"""Called with the name of each step of an answer (`Answer.timings_ms`) when it begins."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A call of the language model that has ended; tokens that its server does not count are estimated."""

    seconds: float
    prompt_tokens: int
    reply_tokens: int
    is_failed: bool


ON_MODEL_CALL: ContextVar[Callable[[ModelCall], object]] = ContextVar("on_model_call", default=lambda _: None)
"""Called when a call of the language model has ended."""

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""What the log and the language model's server know a question by: ASCII without spaces, and no words of it."""


class AnswerStream(Iterator[str]):
    """An answer in progress: iterate for verified text, then read `answer`, which is authoritative.

    >>> stream = engine.stream("Who reopened the bridge?")
    >>> for text in stream:
    ...     print(text, end="")
    >>> stream.answer.citations
    """

    def __init__(self, texts: Generator[str, None, Answer]) -> None:
        """``texts`` yields text and returns the answer."""
        self._texts = texts
        self._answer: Answer | None = None

    def __next__(self) -> str:
        """Return the next text. Raises ClippingsError."""
        try:
            return next(self._texts)
        except StopIteration as end:
            self._answer = self._answer or end.value
            raise

    @property
    def answer(self) -> Answer:
        """The answer. Drains the rest of the stream. Raises ClippingsError."""
        for _ in self:
            pass
        if self._answer is None:
            raise RuntimeError("the stream failed before its answer")
        return self._answer

    def close(self) -> None:
        """Stop working on the answer."""
        self._texts.close()


class AnswerEngine(Protocol):
    """The engine as the command line, Slack and evaluation use it. See `bot.answer.Engine`."""

    def ask(
        self, question: str, *, turns: Sequence[Turn] = (), filters: Filters = ..., as_of: date | None = None
    ) -> Answer:
        """Answer a question."""

    def stream(
        self,
        question: str,
        *,
        turns: Sequence[Turn] = (),
        filters: Filters = ...,
        as_of: date | None = None,
        shown: Collection[str] = (),
    ) -> AnswerStream:
        """Answer a question as a stream of text; asked again, something else than the quotes ``shown`` before."""

    def article(self, article_id: str) -> Article | None:
        """Return an article; None if there is none with this id."""

    def sources(self, limit: int | None = None) -> list[Source]:
        """List the indexed articles, newest first."""

    def outlet_names(self) -> dict[str, str]:
        """The outlets by their folded names and aliases."""

    def warm(self) -> None:
        """Load index and models before the first question."""

    def close(self) -> None:
        """Close the index."""
