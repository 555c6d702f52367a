"""How a record is read: its article, and every paragraph of its page, kept or left out, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from index.cleaning import cleaner
from index.cleaning.clean import clean, content
from index.formats.document import HEAD_BYTES
from index.formats.fragment import page_paragraphs
from index.formats.registry import kind_of
from index.models import Article, Failure, RawRecord, UnreadableError
from index.worker import Worker

MAX_PARAGRAPHS = 5_000  # of a page
_MIN_PART_CHARACTERS = 30  # of what may stand inside a longer paragraph of the body: "Home" stands in many
_NOT_FOUND = "not taken for a part of the article"


class Paragraph(NamedTuple):
    """A paragraph of a page; ``left_out``: why it is not in the body, "" if it is."""

    text: str
    left_out: str


@dataclass(frozen=True, slots=True)
class Explained:
    """An article, the kind of file and the place in it that it was read from, and the paragraphs of its page."""

    article: Article
    kind: str = ""
    place: str = ""
    paragraphs: tuple[Paragraph, ...] = ()


def explained(records: Iterable[RawRecord | Failure]) -> Iterator[Explained | Failure]:
    """Explain records, each within the limits of a process."""
    with closing(Worker(explain, cleaner.MAX_ARTICLE_SECONDS)) as worker:
        for record in records:
            if isinstance(record, Failure):
                yield record
                continue
            try:
                is_short = len(record.text) <= cleaner.MAX_CHARACTERS_HERE
                yield from explain(record) if is_short else worker.results(record)
            except UnreadableError as error:
                yield from explain(record.instead) if record.instead else [record.failure(str(error))]


def explain(record: RawRecord) -> Iterator[Explained]:
    """Clean a record, and say of each paragraph why it was left out. Raises UnreadableError."""
    article = clean(record)
    text = "\n\n".join(page_paragraphs(record.text)) if record.kind == "html" else content(record)[0]
    paragraphs = tuple(islice(_paragraphs(text, article), MAX_PARAGRAPHS))
    yield Explained(article, _kind(record), record.place, paragraphs)


def _paragraphs(text: str, article: Article) -> Iterator[Paragraph]:
    body = {_words(line) for line in article.body.split("\n")}
    whole, headline = _words(article.body), _words(article.source.headline)
    beside = [(kind, _words(piece)) for kind, piece in article.boilerplate]
    kinds = {piece: kind for kind, piece in reversed(beside)}
    for line in filter(None, map(_words, text.split("\n"))):
        is_part = len(line) >= _MIN_PART_CHARACTERS
        if line in body or (is_part and line in whole):
            yield Paragraph(line, "")
        elif line == headline:
            yield Paragraph(line, "headline")
        else:
            around = next((kind for kind, piece in beside if line in piece), _NOT_FOUND) if is_part else _NOT_FOUND
            yield Paragraph(line, kinds.get(line, around))


def _words(text: str) -> str:
    return " ".join(text.split())


def _kind(record: RawRecord) -> str:
    """The kind of the file, or of the member of an archive; else how the record was cleaned."""
    try:
        with Path(record.path).open("rb") as opened:
            head = opened.read(HEAD_BYTES)
    except (OSError, ValueError):
        head = b""
    kind = kind_of(record.path, head)
    return kind.name if kind else record.kind
