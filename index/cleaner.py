"""Clean articles and cut them into chunks within a time limit. A short record is read here, a long one in a process."""

from __future__ import annotations

from collections.abc import Iterator

from index.chunk import chunk
from index.clean import clean
from index.models import Article, Chunk, RawRecord
from index.worker import Worker

MAX_ARTICLE_SECONDS = 20.0  # 1 MB of text takes 0.4 s, of HTML 1 s (2026-11-26, two cores); an article may have 5 MB
MAX_CHARACTERS_HERE = 20_000  # at this size no text was found that takes a second; most articles are shorter

Read = tuple[Article, list[Chunk]]


class Cleaner:
    """Clean and cut records, each within a number of seconds. Close it to end its process. Not safe between threads."""

    def __init__(self, seconds: float | None = None) -> None:
        self.worker = Worker(_read, MAX_ARTICLE_SECONDS if seconds is None else seconds)

    def read(self, record: RawRecord) -> Read:
        """Clean and cut a raw record. Raises UnreadableError if it holds no text, or takes too long to read."""
        results = _read(record) if len(record.text) <= MAX_CHARACTERS_HERE else self.worker.results(record)
        (result,) = results
        return result

    def close(self) -> None:
        """End the process."""
        self.worker.close()


def _read(record: RawRecord) -> Iterator[Read]:
    article = clean(record)
    yield article, chunk(article)
