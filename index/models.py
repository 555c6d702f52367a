"""The frozen data between the steps of indexing and search, and the tree of errors.

ClippingsError            has a message for the user
├── IndexMissing          nothing has been indexed in this data folder, or by another version
├── IndexLocked           another process is writing to this data folder
├── IndexDamaged          the index cannot be read; indexing again repairs it
├── WeightsError          the embedding weights are absent, broken or could not be downloaded
└── UnreadableError       one article could not be read; the report names it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple


class ClippingsError(Exception):
    """Its message names what happened, why, and what to do, in words for the user."""


class IndexMissing(ClippingsError):
    """Nothing has been indexed in this data folder, or by another version."""


class IndexLocked(ClippingsError):
    """Another process is writing to this data folder."""


class IndexDamaged(ClippingsError):
    """The index cannot be read; indexing again repairs it."""


class WeightsError(ClippingsError):
    """The embedding weights are absent, broken or could not be downloaded."""


class UnreadableError(ClippingsError):
    """One article could not be read."""


class Span(NamedTuple):
    """Character offsets into a text, end excluded, as in ``text[start:end]``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RawRecord:
    """An article before cleaning.

    ``key``: unique in its file ("" if the file is a single article), which holds it at ``place`` ("line 3"). ``text``:
    decoded, otherwise untouched. ``kind``: how to clean it ("text", "markdown", "html", "fragment": the HTML of the
    article alone, "record"; "headline": there is only that, and a link; "draft": it is not published).
    ``fields``: front matter, or the keys of a JSON record.

    ``revision`` orders the versions of a story ("": it has one). ``withdrawn``: its sender says that it must not be
    used. ``embargo``: it must not be used before. ``is_whole``: who sent it says that this is the text, and no teaser.
    ``instead``: what is read if this cannot be.
    """

    path: str
    key: str
    text: str
    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    place: str = field(default="", compare=False)
    revision: str = ""
    withdrawn: bool = False
    embargo: datetime | None = None
    is_whole: bool = field(default=False, compare=False)
    instead: RawRecord | None = field(default=None, compare=False)

    def failure(self, reason: str) -> Failure:
        """The failure to read it, with its place."""
        return Failure(self.path, f"{self.place}: {reason}" if self.place else reason)


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or record that could not be read, with the reason in one line."""

    path: str
    reason: str


class Boilerplate(NamedTuple):
    """A line of the page that is not the article: its kind ("caption", "credit", …) and its text."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """The metadata of an article.

    ``published_from``: where the date was read ("metadata", "front matter", "url", "dateline", "text");
    ``published_certain``: False if it was inferred.
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
    """A source and its text: the ``body``, which is quoted, and the ``boilerplate`` beside it."""

    source: Source
    body: str
    boilerplate: tuple[Boilerplate, ...] = ()

    @property
    def id(self) -> str:
        """The id of the source."""
        return self.source.id


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences, ``article.body[start:end]``, and the text that is embedded for it."""

    id: str
    article_id: str
    start: int
    end: int
    embedded: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as a search result.

    ``text``: ``body[start:end]`` of the article. ``score``: fused, comparable only within a search. ``cosine``: of the
    embeddings (None: unknown). ``lexical``: BM25, 0 without a common word. ``near_duplicates``: the best passage of
    every article that is a near-duplicate of this one.
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
        """The sources of the near-duplicates."""
        return tuple(passage.source for passage in self.near_duplicates)


@dataclass(frozen=True, slots=True)
class Filters:
    """Limits of a search. Dates are inclusive; an article without a date passes neither ``since`` nor ``until``.

    ``author``: a name in the byline. ``article``: an id. ``as_of``: the day of the question; articles published later
    are left out, but for those dated ahead of the clock.
    """

    outlet: str | None = None
    since: date | None = None
    until: date | None = None
    as_of: date | None = None
    author: str | None = None
    article: str | None = None

    def __post_init__(self) -> None:
        """Raise TypeError for a value that no article can match, such as a day as a string."""
        if not isinstance(self.outlet, str | None):
            raise TypeError(f"Filters.outlet is {self.outlet!r}; it takes a string or None")
        for name in ("since", "until", "as_of"):
            day = getattr(self, name)
            if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
                raise TypeError(f"Filters.{name} is {day!r}; it takes a datetime.date or None")
