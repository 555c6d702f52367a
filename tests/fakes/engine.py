"""An engine that answers from a queue, and notes what it was asked."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.models import Answer, AnswerStream, Turn
from index.models import Article, Filters, Source
from index.text import fold

ALL = Filters()


@dataclass(frozen=True)
class Asked:
    """One call of the engine."""

    question: str
    turns: tuple[Turn, ...]
    filters: Filters
    as_of: date | None
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Streamed:
    """An answer that comes in pieces; a piece that is an exception is raised where it stands."""

    pieces: Sequence[str | BaseException]
    answer: Answer


@dataclass
class FakeEngine:
    """Gives the queued answers in order; a queued exception is raised."""

    queue: list[Answer | Streamed | BaseException] = field(default_factory=list)
    articles: Sequence[Article] = ()
    asked: list[Asked] = field(default_factory=list)
    closed: bool = False

    def ask(
        self, question: str, *, turns: Sequence[Turn] = (), filters: Filters = ALL, as_of: date | None = None
    ) -> Answer:
        """Take the next answer of the queue, whole."""
        return self.stream(question, turns=turns, filters=filters, as_of=as_of).answer

    def stream(
        self,
        question: str,
        *,
        turns: Sequence[Turn] = (),
        filters: Filters = ALL,
        as_of: date | None = None,
        shown: Collection[str] = (),
    ) -> AnswerStream:
        """Take the next answer of the queue, its pieces first."""
        self.asked.append(Asked(question, tuple(turns), filters, as_of, tuple(shown)))
        return AnswerStream(_pieces(self.queue.pop(0)))

    def article(self, article_id: str) -> Article | None:
        """The article of that id."""
        return next((article for article in self.articles if article.id == article_id), None)

    def sources(self, limit: int | None = None) -> list[Source]:
        """The articles, in the order given."""
        return [article.source for article in self.articles][:limit]

    def outlet_names(self) -> dict[str, str]:
        """The outlets of the articles, by their folded names."""
        return {fold(name): name for article in self.articles if (name := article.source.outlet)}

    def warm(self) -> None:
        """There is nothing to load."""

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


def _pieces(queued: Answer | Streamed | BaseException) -> Generator[str, None, Answer]:
    if isinstance(queued, BaseException):
        raise queued
    if isinstance(queued, Answer):
        return queued
    for piece in queued.pieces:
        if isinstance(piece, BaseException):
            raise piece
        yield piece
    return queued.answer
