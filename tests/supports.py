"""The reader of statements for tests: read once a process, and what it computed is kept."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from bot.generate.support import SupportReader
from index.embedding.weights import locate


@cache
def _reader() -> SupportReader:
    own = os.environ.get("CLIPPINGS_MODEL_DIR")
    return SupportReader(locate(Path(own).expanduser() if own else None, fetchers={}))


@cache
def supports(statement: str, premise: str) -> float:
    """The log-odds that a premise supports a statement, by the shipped weights."""
    return _reader().logit(statement, premise)
