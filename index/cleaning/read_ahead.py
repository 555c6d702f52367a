"""An iterator run in a thread, so that the next items are made while the last are used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Full, Queue
from typing import Generic, TypeVar

_WAIT_SECONDS = 0.2  # after which a thread that waits for room looks whether it is to end

T = TypeVar("T")


def ahead(items: Iterator[T], count: int) -> Iterator[T]:
    """Run an iterator in a thread, at most ``count`` items ahead. Raises what it raises; closed, it ends the thread."""
    thread = _Thread(items, count)
    thread.start()
    try:
        while not isinstance(item := thread.queue.get(), _End):
            yield item
        if item.error:
            raise item.error
    finally:
        thread.is_over.set()


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


class _Thread(threading.Thread, Generic[T]):
    def __init__(self, items: Iterator[T], count: int) -> None:
        super().__init__(name="clippings-reader", daemon=True)
        self.queue, self.is_over = Queue[T | _End](count), threading.Event()
        self._items = items

    def run(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as raised:  # noqa: BLE001  # raised again on the other side
            error = raised
        self._items = iter(())  # ends a generator, and the processes that it holds
        self._put(_End(error))

    def _put(self, item: T | _End) -> bool:
        while not self.is_over.is_set():
            try:
                self.queue.put(item, timeout=_WAIT_SECONDS)
            except Full:
                continue
            return True
        return False
