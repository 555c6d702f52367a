"""A question under way: what was asked, in what conversation, within which limits, and how long each step takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date

from bot.models import ON_STEP, Answer, Kind, QuestionTooLong, Turn
from bot.query.dates import Period, find_period
from index.formats.decode import storable
from index.models import Filters
from index.text import composed

MAX_QUESTION_CHARACTERS = 2_000  # the time of some steps is quadratic in the question: 100 KB took two minutes


@dataclass(slots=True)
class Timings:
    """Milliseconds by step."""

    milliseconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block."""
        ON_STEP.get()(name)
        self.milliseconds.setdefault(name, 0.0)  # in the order in which they begin: some hold others
        started = time.perf_counter()
        try:
            yield
        finally:
            self.milliseconds[name] = round((time.perf_counter() - started) * 1000, 2)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question under way.

    ``shown``: what the conversation has shown and is not to show again, by `bot.kinds.scope.key`. ``quoted``: quotes
    that were shown when it was asked before.
    """

    question: str
    turns: Sequence[Turn]
    filters: Filters
    as_of: date
    shown: str = ""
    quoted: frozenset[str] = frozenset()
    timings: Timings = field(default_factory=Timings)

    @classmethod
    def of(cls, question: str, turns: Sequence[Turn], filters: Filters, as_of: date | None) -> Inquiry:
        """Begin with a question as written, by default asked today. Raises QuestionTooLong."""
        question = composed(storable(question))
        today = date.today()  # noqa: DTZ011  # the user's day
        return cls(question, _capped(question, turns), filters, as_of or today)

    def answer(self, query: str, kind: Kind) -> Answer:
        """A quoted answer, still without text."""
        timings = self.timings.milliseconds
        return Answer(self.question, query, "", "quote", timings_ms=timings, kind=kind, filters=self.filters)

    def reply(self, text: str) -> Answer:
        """A reply to chitchat."""
        return replace(self.answer(self.question, "chitchat"), text=text, answerer="reply")

    @property
    def limits(self) -> Filters:
        """The filters, and no article from after the day of the question."""
        return replace(self.filters, as_of=self.as_of)

    def period(self, query: str) -> Period | None:
        """The days that the question names, or else its standalone query."""
        return find_period(self.question, self.as_of) or find_period(query, self.as_of)


def _capped(question: str, turns: Sequence[Turn]) -> list[Turn]:
    """The turns, none longer than a question may be. Raises QuestionTooLong."""
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise QuestionTooLong(
            f"The question is too long: {len(question):,} characters, and {MAX_QUESTION_CHARACTERS:,} are read. "
            "Ask in a sentence or two."
        )
    return [replace(turn, text=composed(turn.text[:MAX_QUESTION_CHARACTERS])) for turn in turns]
