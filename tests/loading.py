"""Files that a test writes and loads: what comes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from index.load import load
from index.models import Failure, RawRecord

STORY = "The ferry to Saltholm was late again on Monday. Nobody could say why."


def split(paths: Sequence[Path]) -> tuple[list[RawRecord], list[Failure]]:
    """Load files; what could be read, and what could not."""
    found = list(load(paths))
    return [one for one in found if isinstance(one, RawRecord)], [one for one in found if isinstance(one, Failure)]


def only_record(path: Path) -> RawRecord:
    """Load a file that holds one article."""
    records, failures = split([path])
    assert not failures
    assert len(records) == 1
    return records[0]


def only_reason(path: Path) -> str:
    """Load a file that cannot be read, and return why."""
    records, failures = split([path])
    assert not records
    assert len(failures) == 1
    assert "\n" not in failures[0].path + failures[0].reason
    return failures[0].reason


def write(path: Path, content: str | bytes) -> Path:
    """Write a file."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(path: Path, *values: object) -> Path:
    """Write a file of a line for each value, JSON where it is no text."""
    return write(path, "\n".join(one if isinstance(one, str) else json.dumps(one) for one in values))
