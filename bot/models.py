"""What passes between a question and its answer: frozen data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from index.models import Passage, Source

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
    also: tuple[Source, ...] = ()


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
