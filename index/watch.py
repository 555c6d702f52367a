"""Wait until there is something to read: files that changed, or sources on the web that are due."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

SOURCE_SECONDS = 60.0  # between two looks which sources are due: each has its own pace
_SETTLE_MILLISECONDS = 2_000  # a file that is being copied changes many times
_LOOK_MILLISECONDS = 5_000


def rounds(
    paths: Sequence[Path], data: Path, *, clock: Callable[[], float] = time.monotonic, seconds: float = SOURCE_SECONDS
) -> Iterator[bool]:
    """Yield False when files under these paths have changed, and True when the sources are due; for ever.

    What changes in the data folder, which may lie among the files, does not count. The first one comes in any case:
    nobody saw what changed before the system was asked to watch.
    """
    from watchfiles import Change, watch

    def is_news(_: Change, path: str) -> bool:
        return not Path(path).is_relative_to(data)

    due, may_have_missed = clock() + seconds, True
    present = [path for path in paths if path.exists()]
    for changes in watch(
        *present,
        watch_filter=is_news,
        debounce=_SETTLE_MILLISECONDS,
        rust_timeout=_LOOK_MILLISECONDS,
        yield_on_timeout=True,
    ):
        if changes or may_have_missed:
            may_have_missed = False
            yield False
        if clock() >= due:
            due = clock() + seconds
            yield True
