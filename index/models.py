"""What passes between the steps: frozen data, and the tree of errors.

ClippingsError            anything that a user is told in a sentence
├── IndexMissing          nothing has been indexed in this data folder
├── IndexLocked           another process is writing to this data folder
├── IndexDamaged          what is on disk cannot be read; indexing again repairs it
├── WeightsError          the embedding weights are absent, broken or could not be fetched
└── UnreadableError       one article could not be read; the report names it and goes on
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple


class ClippingsError(Exception):
    """Names the thing, the cause and the way out, in words made for the user."""


class IndexMissing(ClippingsError):
    """Nothing has been indexed in this data folder."""


class IndexLocked(ClippingsError):
    """Another process is writing to this data folder."""


class IndexDamaged(ClippingsError):
    """What is on disk cannot be read; indexing again repairs it."""


class WeightsError(ClippingsError):
    """The embedding weights are absent, broken or could not be fetched."""


class UnreadableError(ClippingsError):
    """One article could not be read."""


class Span(NamedTuple):
    """Character offsets into a text, end excluded, as in ``text[start:end]``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One article as it was found, not yet understood.

    ``key`` tells it from all others of its file ("" where the file is one article), ``text`` is decoded
    but otherwise untouched, ``kind`` chooses how it is cleaned ("text", "markdown", "html", "record") and
    ``fields`` is what the container says of it (the keys of a JSON record, headline and date of a page…).
    """

    path: str
    key: str
    text: str
    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be read, with the reason in one line."""

    path: str
    reason: str


class Boilerplate(NamedTuple):
    """A piece of the page that is not the article: what it was taken for ("caption", "credit", …) and its text."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """Who said it, where and when: an article without its text.

    ``published_from`` names where the date was read ("metadata", "front matter", "url", "dateline", "text");
    ``published_certain`` is False where it was inferred.
    """

    id: str
    headline: str
    outlet: str | None = None
    byline: str | None = None
    published: date | None = None
    published_from: str | None = None
    published_certain: bool = True
    url: str | None = None
    path: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """A source and what it says. ``body`` is what quotes are quoted from; ``boilerplate`` is kept apart from it."""

    source: Source
    body: str
    boilerplate: tuple[Boilerplate, ...] = ()

    @property
    def id(self) -> str:
        """The id of the source."""
        return self.source.id


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences: ``article.body[start:end]``, and the text that is embedded for it."""

    id: str
    article_id: str
    start: int
    end: int
    embedded: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as an answer to a question.

    ``text`` is ``body[start:end]`` of the article. ``score`` orders passages of one search and means nothing
    beyond it; ``cosine`` is the embedding model's (None: not among its nearest); ``lexical`` is BM25's, 0 for
    no word in common. ``near_duplicates`` are the same story elsewhere: the best passage of each article that tells it.
    """

    chunk_id: str
    source: Source
    text: str
    start: int
    end: int
    score: float
    cosine: float | None = None
    lexical: float = 0.0
    near_duplicates: tuple[Passage, ...] = ()

    @property
    def also_in(self) -> tuple[Source, ...]:
        """The further sources of the same story."""
        return tuple(passage.source for passage in self.near_duplicates)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is limited to. Dates are inclusive; an article without a date passes neither since nor until.

    ``as_of`` is the day of the question: articles published later are left out.
    """

    outlet: str | None = None
    since: date | None = None
    until: date | None = None
    as_of: date | None = None
