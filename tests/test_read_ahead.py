"""What is made ahead in a thread: the same items, in order, with their errors; and what is cleaned there is used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.cleaning.clean import clean
from index.cleaning.cleaner import Cleaner
from index.cleaning.read_ahead import ahead
from index.models import Article, Failure, RawRecord, UnreadableError


@given(st.lists(st.integers()), st.integers(1, 5))
def test_the_items_come_in_order(items: list[int], count: int) -> None:
    """All of them."""
    assert list(ahead(iter(items), count)) == items


def test_an_error_comes_behind_the_items_before_it() -> None:
    """It is raised where the items are used."""

    def items() -> Iterator[int]:
        yield 1
        raise UnreadableError("x")

    running = ahead(items(), 5)
    assert next(running) == 1
    with pytest.raises(UnreadableError, match="x"):
        next(running)


def test_what_is_ahead_is_limited_and_ends_with_its_reader() -> None:
    """A reader that stops early leaves no thread behind, and the iterator is closed."""
    made, closed = list[int](), threading.Event()

    def items() -> Iterator[int]:
        try:
            for number in range(1000):
                made.append(number)
                yield number
        finally:
            closed.set()

    running = ahead(items(), 3)
    assert next(running) == 0
    running.close()  # type: ignore[attr-defined]  # a generator
    assert closed.wait(10)
    assert len(made) <= 6


def test_records_are_cleaned_ahead_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Completed as they will be read; one that changed since is cleaned again, and one without text fails as ever."""
    cleaned = list[str]()

    def noted(record: RawRecord) -> Article:
        cleaned.append(record.path)
        return clean(record)

    monkeypatch.setattr("index.cleaning.cleaner.clean", noted)
    records = [
        RawRecord(f"/x/{name}", "", text, "text") for name, text in (("a", "It rained."), ("b", "…"), ("c", "Sun."))
    ]
    failure = Failure("/x/d", "no")
    with closing(Cleaner()) as cleaner:
        items = list(cleaner.ahead([*records, failure], lambda record: None if record.path == "/x/c" else record))
        assert items == [*records, failure]
        assert cleaned == ["/x/a", "/x/b"]
        assert cleaner.read(records[0])[0].body == "It rained."
        with pytest.raises(UnreadableError, match="no text"):
            cleaner.read(records[1])
        assert cleaned == ["/x/a", "/x/b"]
        assert cleaner.read(records[2])[0].body == "Sun."
        assert cleaner.read(records[0])[0].body == "It rained."
        assert cleaned == ["/x/a", "/x/b", "/x/c", "/x/a"]
