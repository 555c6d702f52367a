"""What the kinds of files share: an open file, what comes out of it, and a kind.

A kind is a module of this folder with a :class:`Kind`, named in registry.py. Its ``read`` takes a :class:`Document` and
gives items: records, reasons why there is none, and, if it is an archive, further documents.
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

from index.formats.decode import refuse_binary
from index.models import RawRecord, UnreadableError

MAX_ARTICLE_BYTES = 5_000_000  # or characters of a line: a long novel has 3 million
MAX_FILE_BYTES = 100_000_000  # of a file that is read whole: a PDF of photographs has 50 MB
MAX_UNPACKED_BYTES = 2_000_000_000  # of all that is unpacked from a file: ten years of a daily paper as JSON
MAX_DEPTH = 4  # archives in archives: a .zip of .tar.gz of mails with an attachment
FILE_AUTHOR = "file author"
"""The field with whom a program names as the author of a file: an account as often as an author."""
HEAD_BYTES = 65_536  # by which a kind is known: the parts of a .docx follow a picture

_MAX_NAME_CHARACTERS = 400
_MAX_IN_MEMORY_BYTES = 1_000_000
_BLOCK_BYTES = 1 << 20


@dataclass(slots=True)
class Budget:
    """The bytes that may still be unpacked from a file, shared by all that comes out of it."""

    left: int = MAX_UNPACKED_BYTES

    def spend(self, size: int) -> None:
        """Take away what was unpacked. Raises TooMuchUnpackedError if less was left."""
        self.left -= size
        if self.left < 0:
            raise TooMuchUnpackedError


@dataclass(frozen=True, slots=True)
class Document:
    """An open file, or a member of one.

    ``path``: absolute, of a member that of its archive and its name: ``/news/2024.zip/jan/a.txt``. ``place``: the
    member, "" for the file itself. ``file`` can be sought in. ``fields``: what is known of its articles from outside.
    ``kept``: the folder in which recognized text is kept, "" for none.
    """

    path: str
    file: IO[bytes]
    place: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    depth: int = 0
    budget: Budget = field(default_factory=Budget)
    kept: str = ""

    def head(self) -> bytes:
        """Its first bytes; the next read begins with them."""
        self.file.seek(0)
        head = self.file.read(HEAD_BYTES)
        self.file.seek(0)
        return head

    def content(self, limit: int = MAX_FILE_BYTES, what: str = "such a file") -> bytes:
        """All bytes. Raises UnreadableError if there are none, or more than ``limit``."""
        self.file.seek(0)
        data = self.file.read(limit + 1)
        if len(data) > limit:
            raise UnreadableError(too_large(self.file.seek(0, os.SEEK_END), limit, what))
        if not data:
            raise UnreadableError("the file is empty")
        return data

    def text_content(self, limit: int = MAX_ARTICLE_BYTES, what: str = "an article") -> bytes:
        """As :meth:`content`, of a file that must be text."""
        data = self.content(limit, what)
        refuse_binary(data)
        return data

    def member(self, name: str, packed: IO[bytes], **fields: object) -> Document:
        """Unpack a member into a temporary file. Raises UnreadableError if that is too deep, or too much in all."""
        if self.depth == MAX_DEPTH:
            raise UnreadableError(f"archives in archives, more than {MAX_DEPTH} deep")
        # No file is ever made with this name; it is shown, and must not look as if it lay elsewhere.
        parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part.strip("./")]
        name = "".join(letter if letter.isprintable() else "_" for letter in "/".join(parts))[-_MAX_NAME_CHARACTERS:]
        name = name.strip("/") or "member"
        unpacked: IO[bytes] = SpooledTemporaryFile(_MAX_IN_MEMORY_BYTES)  # noqa: SIM115  # closed when it was read
        try:
            for block in iter(partial(packed.read, _BLOCK_BYTES), b""):
                self.budget.spend(len(block))
                unpacked.write(block)
        except BaseException:
            unpacked.close()
            raise
        place = f"{self.place}/{name}" if self.place else name
        known, depth = {**self.fields, **fields}, self.depth + 1
        return Document(f"{self.path}/{name}", unpacked, place, known, depth, self.budget, self.kept)

    def record(
        self, text: str, kind: str = "text", fields: Mapping[str, Any] | None = None, key: str = ""
    ) -> RawRecord:
        """Make a raw record. Raises UnreadableError if it has no text, or too much."""
        if len(text) > MAX_ARTICLE_BYTES:
            raise UnreadableError(too_large(len(text)))
        if not any(character.isalnum() for character in text):
            raise UnreadableError("no text in it")
        path = os.fsencode(self.path).decode("utf-8", "backslashreplace")  # the database takes nothing else
        known = {name: value for name, value in {**self.fields, **(fields or {})}.items() if value not in ("", [])}
        return RawRecord(path, key, text, kind, known)


class TooMuchUnpackedError(UnreadableError):
    """A file unpacks to more than is read of one: all that comes after is left out."""

    def __init__(self) -> None:
        super().__init__(f"unpacks to more than {MAX_UNPACKED_BYTES / 1e9:g} GB: what follows was left out")


HIDDEN = (".", "~$")  # how names begin that are nobody's articles; the second are Word's marks of open documents


class Item(NamedTuple):
    """A record, or the reason why there is none, and its place in the file ("line 3"; "" for the whole file)."""

    place: str
    content: RawRecord | str


class Skipped(NamedTuple):
    """A member of an archive that is of no kind that is read, by its ending."""

    ending: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    ``has_mark``: whether the first bytes are of this kind, whatever the name; if they are not certain (``weak``), the
    name must leave it open. ``in_process``: the library behind it may take too much time or memory.
    """

    name: str
    endings: tuple[str, ...]
    read: Callable[[Document], Iterator[Item | Document | Skipped]]
    has_mark: Callable[[bytes], bool] = lambda _: False
    weak: bool = False
    in_process: bool = True


def begins(*marks: bytes) -> Callable[[bytes], bool]:
    """A test of the first bytes."""
    return lambda head: head.startswith(marks)


def too_large(size: int, limit: int = MAX_ARTICLE_BYTES, what: str = "an article") -> str:
    """The reason for not reading so many bytes or characters."""
    megabytes = math.ceil(size / 100_000) / 10  # rounded up: never "too large: 5 MB … may have 5 MB"
    return f"too large: {megabytes:g} MB, {what} may have {limit / 1e6:g} MB"


def ending_of(name: str) -> str:
    """``"a/B.TXT" -> ".txt"``; "" for none."""
    return Path(name).suffix.lower()


def load_extra(module: str, extra: str) -> Any:  # noqa: ANN401  # a module of a library that may not be there
    """Import a library that is installed with an extra. Raises UnreadableError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise UnreadableError(f"to read it, install a library: pip install 'clippings[{extra}]'") from None
