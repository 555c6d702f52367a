"""Zip files that may be bombs, damaged or locked."""

from __future__ import annotations

import zlib
from zipfile import BadZipFile, ZipFile

from index.formats.document import MAX_FILE_BYTES, Document, too_large
from index.models import UnreadableError

MAX_MEMBERS = 100_000


def open_zip(document: Document, limit: int | None = MAX_FILE_BYTES, what: str = "zip file") -> ZipFile:
    """Open a zip file. Raises UnreadableError if it is none, or says that it unpacks to more than ``limit`` bytes.

    ``what``: the kind of file that the error names.
    """
    document.file.seek(0)
    try:
        opened = ZipFile(document.file)
    except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableError(f"not a {what} that can be read: it is damaged, cut off, or something else") from error
    members = opened.infolist()
    if len(members) > MAX_MEMBERS:
        raise UnreadableError(f"too large: {len(members):,} members, an archive may have {MAX_MEMBERS:,}")
    if limit is not None and (size := sum(member.file_size for member in members)) > limit:
        raise UnreadableError(too_large(size, limit, "an unpacked document"))
    return opened


def part(opened: ZipFile, name: str) -> bytes:
    """A member, whole; b"" if there is none. zipfile stops where its stated size ends."""
    try:
        return opened.read(name)
    except KeyError:
        return b""
    except (BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError) as error:  # RuntimeError: a password
        raise UnreadableError(f"its part {name} cannot be unpacked") from error
