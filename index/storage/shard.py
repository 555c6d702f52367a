"""A share of the articles, so that several processes can index side by side."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

MAX_SHARDS = 999


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` shares of all articles, counted from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        """Return it as it is written: ``3/16``."""
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``3/16``. Raises ValueError."""
        match = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text.strip())
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(text)
        return cls(int(match[1]), int(match[2]))

    def holds(self, name: str) -> bool:
        """Whether an id or a path belongs to this share, the same on every machine."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8]) % self.count == self.number - 1
