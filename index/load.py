"""Files and folders -> raw records, lazily: decoded, not yet cleaned.

The kinds of files are in index/formats. Those that a library may read for ever, or with all memory, are read in a
process that can be stopped. What cannot be read becomes a :class:`Failure`, and the rest is still read; nothing here
raises.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from index.formats import scan
from index.formats.decode import refuse_binary
from index.formats.document import HEAD_BYTES, HIDDEN, Item, Skipped
from index.formats.registry import KINDS_READ, File, ending, kind_of, read_file
from index.models import Failure, RawRecord, UnreadableError
from index.worker import Worker

MAX_FAILURES = 10_000  # of one file, which then is none of articles: 50 MB of JSON can hold 25 million numbers
MAX_ITEM_SECONDS = 60.0  # for an article of a file that is read in a process; a PDF of 2,000 pages takes 20 s
STANDARD_INPUT = "standard input"
"""The path of articles from there."""
POINTS_OUTSIDE = "points outside"
"""How the reason of a link begins that is not followed."""

_MAX_SHOWN_CHARACTERS = 80
_BLOCK_BYTES = 1 << 20

_FileIdentity = tuple[int, int]  # device and inode


def load(
    paths: Sequence[Path], skipped: Counter[str] | None = None, standard_input: Path | None = None, kept: str = ""
) -> Iterator[RawRecord | Failure]:
    """Read every article of some files and folders, in order, each file once, then a file with standard input.

    ``skipped`` counts the files in folders that are of no kind that is read, by their ending. ``kept``: the folder in
    which recognized text is kept, "" for none.
    ``RawRecord.path`` is absolute and valid UTF-8; ``Failure.path`` is also printable.
    """
    skipped = Counter() if skipped is None else skipped
    with closing(Reader(skipped)) as reader:
        for path in _files(paths, skipped):
            yield from [path] if isinstance(path, Failure) else reader.read(File(str(path), str(path), kept=kept))
        if standard_input:
            yield from _from_standard_input(reader, standard_input)


def _from_standard_input(reader: Reader, file: Path) -> Iterator[RawRecord | Failure]:
    """Its kind is known by its content; else it is plain text. An article without an id is known by its text."""
    for item in reader.read(File(str(file), STANDARD_INPUT, "input.txt")):
        if isinstance(item, RawRecord) and not item.key:
            digest = hashlib.sha256(item.text.encode("utf-8", "surrogatepass")).hexdigest()
            yield replace(item, key=f"standard-input-{digest[:12]}")
        else:
            yield item


class Reader:
    """Read files, each within limits. Close it to end its process. Not safe between threads.

    ``for_web``: who reads it follows the links of headlines, and knows articles of several feeds by their ids.
    """

    def __init__(self, skipped: Counter[str], *, for_web: bool = False) -> None:
        self._skipped, self._for_web = skipped, for_web
        self._seen: dict[str, tuple[str, str]] = {}
        self._worker = Worker(read_file, MAX_ITEM_SECONDS)

    def close(self) -> None:
        """End the process."""
        self._worker.close()

    def read(self, file: File) -> Iterator[RawRecord | Failure]:
        """The records of a file, and what in it could not be read."""
        failures = 0
        try:
            for item in self._items(file):
                if isinstance(item, Skipped):
                    self._skipped[printable(item.ending)] += 1
                    continue
                place, content = item
                reason = content if isinstance(content, str) else self._refused(content, f"{file.path} {place}")
                if not reason and not isinstance(content, str):
                    yield replace(content, place=place)
                    continue
                yield _failure(file.path, f"{place}: {reason}" if place else reason)
                if (failures := failures + 1) == MAX_FAILURES:
                    yield _failure(file.path, f"{failures:,} of its records cannot be read: what follows was left out")
                    break
        except (OSError, UnreadableError) as error:
            yield _failure(file.path, _reason(error))

    def _items(self, file: File) -> Iterator[Item | Skipped]:
        with Path(file.on_disk).open("rb") as opened:
            kind = kind_of(file.name or file.path, opened.read(HEAD_BYTES))
        return self._worker.results(file) if kind and kind.in_process else read_file(file)

    def _refused(self, record: RawRecord, place: str) -> str:
        """Why a record is not read; "" if it is, and then its place is kept. Versions of a story are no duplicates."""
        if self._for_web or not (record.key or record.kind == "headline"):
            return ""
        if record.kind == "headline":
            return "only a headline and a link: `clippings index URL` reads the page of a link"
        first, revision = self._seen.setdefault(record.key, (place, record.revision))
        if first == place or revision != record.revision:
            return ""
        first = first.removeprefix(f"{Path(place).parent}{os.sep}").strip()  # only the name, if both are in one folder
        return f"duplicate id '{_shortened(record.key)}': first seen in {first}"


def count(paths: Sequence[Path]) -> int:
    """Estimate how many records :func:`load` will give: lines are counted, not parsed."""
    return sum(_estimate(path) for path in _files(paths) if isinstance(path, Path))


def printable(name: str) -> str:
    r"""Escape what moves the cursor or breaks the line: a line feed becomes the two characters ``\n``."""
    return "".join(character if character.isprintable() else _escaped(character) for character in name)


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte of a file name that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


def _failure(path: Path | str, reason: str) -> Failure:
    return Failure(printable(str(path)), printable(reason))


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "permission denied: this user may not read it"
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "a loop of links"
    if isinstance(error, OSError):
        return (error.strerror or str(error) or "could not be read").lower()
    return str(error)


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}…"


# --- Finding files ---------------------------------------------------------------------------------------------


def _files(paths: Sequence[Path], skipped: Counter[str] | None = None) -> Iterator[Path | Failure]:
    """The files to read under some paths, depth first and sorted, and what cannot be reached."""
    skipped = Counter() if skipped is None else skipped
    seen: set[_FileIdentity] = set()
    roots: dict[Path, Path] = {}
    for path in paths:
        try:
            roots[as_read(path)] = Path(os.path.realpath(path))
        except (OSError, ValueError) as error:  # a NUL in the path; a working folder that was deleted
            yield _failure(path, "not a path" if isinstance(error, ValueError) else _reason(error))
    for root in roots:
        yield from _files_under(root, list(roots.values()), seen, skipped)


def as_read(root: Path) -> Path:
    """A root as it is spelled in the paths of its files: absolute, without ".."; else links keep their names."""
    return Path(os.path.realpath(root)) if ".." in root.parts else root.absolute()


def _files_under(
    root: Path, homes: Sequence[Path], seen: set[_FileIdentity], skipped: Counter[str]
) -> Iterator[Path | Failure]:
    """As :func:`_files`, for one path; ``homes``: what links may lead into; ``seen``: what was visited."""
    waiting: list[tuple[Path, tuple[_FileIdentity, ...]]] = [(root, ())]
    while waiting:
        path, parents = waiting.pop()
        try:
            status = path.stat()
            identity = (status.st_dev, status.st_ino)
            is_folder = stat.S_ISDIR(status.st_mode)
            if identity in parents:
                yield _failure(path, "a loop of links: it leads back to a folder that it lies in")
            elif identity in seen:
                continue
            elif not is_folder and not _is_read(path, status, named=path == root):
                if stat.S_ISREG(status.st_mode):
                    skipped[printable(ending(path.name))] += 1
            else:
                if path != root and path.is_symlink():
                    _refuse_outside(path, homes)
                seen.add(identity)
                if is_folder:
                    visible = (inner for inner in path.iterdir() if not inner.name.startswith(HIDDEN))
                    waiting += [(inner, (*parents, identity)) for inner in sorted(visible, reverse=True)]
                else:
                    yield path
        except FileNotFoundError:
            is_link = os.path.islink(path)  # noqa: PTH114  # Path.is_symlink raises where a parent cannot be searched
            yield _failure(path, "a link to something that does not exist" if is_link else "does not exist")
        except (OSError, UnreadableError) as error:
            yield _failure(path, _reason(error))


def _refuse_outside(link: Path, homes: Sequence[Path]) -> None:
    """Raise UnreadableError if a link leads out of the folders that the user named."""
    target = Path(os.path.realpath(link))
    if not any(target.is_relative_to(home) for home in homes):
        raise UnreadableError(f"{POINTS_OUTSIDE} the folders that are indexed, to {target}: name that too to read it")


def _is_read(path: Path, status: os.stat_result, *, named: bool) -> bool:
    """Whether a file is of a kind that is read. Raises UnreadableError if the user named it, or would expect it."""
    if not stat.S_ISREG(status.st_mode):
        if named or kind_of(path.name, b""):
            raise UnreadableError("not a file but a pipe, a socket or a device")
        return False
    known = kind_of(path.name, b"") or kind_of(path.name, _head(path, named=named))
    if known is scan.KIND and not path.parent.name.endswith("_files"):
        _refuse_text(path)
    if known is scan.KIND and not named:  # what lies beside a saved page, or in an album, is no clipping
        return scan.is_installed() and not path.parent.name.endswith("_files")
    if not known and named:
        raise UnreadableError(f"not a kind that is read: {path.suffix or path.name}; {KINDS_READ} are")
    return bool(known)


def _refuse_text(path: Path) -> None:
    """Raise UnreadableError if a file that is named as a picture holds text."""
    head = _head(path, named=False)
    try:
        refuse_binary(head)
    except UnreadableError:
        return
    if head:
        raise UnreadableError("not a picture, but text: name it as what it holds (.txt, .html …) to have it read")


def _head(path: Path, *, named: bool) -> bytes:
    """The first bytes, by which a file is known whose name says nothing. What may not be read is of no kind."""
    try:
        with path.open("rb") as opened:
            return opened.read(HEAD_BYTES)
    except OSError:
        if named:
            raise
        return b""


def _estimate(path: Path) -> int:
    mark = {".jsonl": b"\n", ".json": b'"text"'}.get(path.suffix.lower())
    if mark is None:
        return 1
    try:
        with path.open("rb") as opened:
            return max(1, sum(block.count(mark) for block in iter(lambda: opened.read(_BLOCK_BYTES), b"")))
    except OSError:
        return 1
