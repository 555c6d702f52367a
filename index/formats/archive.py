"""Compressed files and archives: what is in them is read like any other file. Nothing is unpacked by its name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile

from index.formats.document import HIDDEN, Document, Item, Kind, TooMuchUnpackedError, begins
from index.formats.zips import MAX_MEMBERS, open_zip
from index.models import UnreadableError

_TAR_MARK_AT = 257
_DAMAGED = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    BadZipFile,
    tarfile.TarError,
    NotImplementedError,
    ValueError,
)
_TAR_SHORT = {".tgz": ".tar", ".tbz2": ".tar", ".txz": ".tar"}


def _read_compressed(document: Document) -> Iterator[Document]:
    ending = Path(document.path).suffix.lower()
    head = document.head()
    library = bz2 if head.startswith(b"BZh") else lzma if head.startswith(b"\xfd7zXZ") else gzip
    inner = Path(document.path)
    name = inner.stem + _TAR_SHORT.get(ending, "") if ending in GZIP.endings else inner.name
    try:
        with library.open(document.file) as opened:
            member = document.member(name, opened)
    except TooMuchUnpackedError:
        raise
    except _DAMAGED as error:
        raise UnreadableError("the compressed file is damaged, or cut off") from error
    yield member


def _read_zip(document: Document) -> Iterator[Item | Document]:
    with open_zip(document, limit=None) as opened:
        names = set[str]()
        for member in opened.infolist():
            name = member.filename
            if member.is_dir() or _is_hidden(name):
                continue
            if name in names:
                yield Item(_place(document, name), "a second member of this name: left out")
                continue
            names.add(name)
            if member.flag_bits & 1:
                yield Item(_place(document, name), "it is locked with a password")
                continue
            try:
                with opened.open(member) as packed:
                    yield document.member(name, packed)
            except TooMuchUnpackedError:
                raise
            except (*_DAMAGED, RuntimeError) as error:
                yield Item(_place(document, name), f"cannot be unpacked: {error}")


def _read_tar(document: Document) -> Iterator[Item | Document]:
    try:
        with tarfile.open(fileobj=document.file, mode="r:") as opened:
            for number, member in enumerate(opened):
                if number == MAX_MEMBERS:
                    raise UnreadableError(f"more than {MAX_MEMBERS:,} members: what follows was left out")
                packed = opened.extractfile(member) if member.isfile() else None  # links are not followed
                if packed and not _is_hidden(member.name):
                    yield document.member(member.name, packed)
                elif not packed and not member.isdir():
                    yield Item(_place(document, member.name), "a link or a device, which is not read from an archive")
    except _DAMAGED as error:
        raise UnreadableError("the archive is damaged, or cut off") from error


def _is_hidden(name: str) -> bool:
    return any(
        part.startswith((*HIDDEN, "__MACOSX")) and part.strip(".") for part in name.replace("\\", "/").split("/")
    )


def _place(document: Document, name: str) -> str:
    return f"{document.place}/{name}" if document.place else name


GZIP = Kind(
    "compressed files", (".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz"), _read_compressed,
    begins(b"\x1f\x8b", b"BZh", b"\xfd7zXZ"), weak=True,
)  # fmt: skip
ZIP = Kind("zip", (".zip",), _read_zip, begins(b"PK\3\4", b"PK\5\6"), weak=True)
TAR = Kind("tar", (".tar",), _read_tar, lambda head: head[_TAR_MARK_AT : _TAR_MARK_AT + 5] == b"ustar", weak=True)
