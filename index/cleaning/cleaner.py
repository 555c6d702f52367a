"""Clean articles and cut them into chunks within a time limit. A short record is read here, a long one in a process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from index.cleaning.clean import clean
from index.cleaning.read_ahead import ahead
from index.models import Article, Chunk, Failure, RawRecord, UnreadableError
from index.reading.chunk import chunk
from index.worker import Worker

MAX_ARTICLE_SECONDS = 20.0  # 1 MB of text takes 0.4 s, of HTML 1 s (2026-11-26, two cores); an article may have 5 MB
MAX_CHARACTERS_HERE = 20_000  # at this size no text was found that takes a second; most articles are shorter
_MAX_AHEAD = 64  # records: what a batch of the embedding model waits for
_MAX_READY = 4 * _MAX_AHEAD  # results that nobody has taken: those of records that turned out to be duplicates

Read = tuple[Article, list[Chunk]]
_Ready = tuple[RawRecord, Read | UnreadableError]


class Cleaner:
    """Clean and cut records, each within a number of seconds. Close it to end its process. Not safe between threads."""

    def __init__(self, seconds: float | None = None) -> None:
        self.worker = Worker(_read, MAX_ARTICLE_SECONDS if seconds is None else seconds)
        self._seconds = seconds
        self._ready: dict[tuple[str, str, str], _Ready] = {}

    def read(self, record: RawRecord) -> Read:
        """Clean and cut a raw record. Raises UnreadableError if it holds no text, or takes too long to read."""
        ready, result = self._ready.pop(_place(record), (None, None))
        if ready != record or result is None:
            results = _read(record) if len(record.text) <= MAX_CHARACTERS_HERE else self.worker.results(record)
            (result,) = results
        if isinstance(result, UnreadableError):
            raise result
        return result

    def ahead(
        self, records: Iterable[RawRecord | Failure], completed: Callable[[RawRecord], RawRecord | None]
    ) -> Iterator[RawRecord | Failure]:
        """Give records while a thread reads and cleans the next; :meth:`read` then has the results.

        ``completed``: the record that will be read for a record; None if none will be.
        """
        for record, ready in ahead(self._cleaned(records, completed), _MAX_AHEAD):
            if ready:
                self._ready[_place(ready[0])] = ready
            if len(self._ready) > _MAX_READY:
                del self._ready[next(iter(self._ready))]
            yield record

    def _cleaned(
        self, records: Iterable[RawRecord | Failure], completed: Callable[[RawRecord], RawRecord | None]
    ) -> Iterator[tuple[RawRecord | Failure, _Ready | None]]:
        with closing(Cleaner(self._seconds)) as cleaner:
            for record in records:
                whole = completed(record) if isinstance(record, RawRecord) else None
                if whole is None:
                    yield record, None
                    continue
                try:
                    yield record, (whole, cleaner.read(whole))
                except UnreadableError as error:
                    yield record, (whole, error)

    def close(self) -> None:
        """End the process."""
        self.worker.close()


def _place(record: RawRecord) -> tuple[str, str, str]:
    return record.path, record.place, record.key


def _read(record: RawRecord) -> Iterator[Read]:
    article = clean(record)
    yield article, chunk(article)
