"""Files and folders -> raw records, lazily: decoded, not yet cleaned.

To read a further kind of file, write a function ``Path -> Iterator[Item]`` and add it to ``_READERS``. What cannot be
read becomes a :class:`Failure`, and the rest is still read; nothing here raises.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import NamedTuple

from index.decode import declared_encoding, decode, refuse_binary, replace_surrogates, wide_encoding
from index.front_matter import front_matter
from index.models import Failure, RawRecord, UnreadableError

MAX_ARTICLE_BYTES = 5_000_000  # or characters of a line: a long novel has 3 million
MAX_FAILURES = 10_000  # of one file, which then is none of articles: 50 MB of JSON can hold 25 million numbers
MAX_JSON_BYTES = 50_000_000  # of a .json file, which is parsed whole; .jsonl may have any size
POINTS_OUTSIDE = "points outside"
"""How the reason of a link begins that is not followed."""

_MAX_SHOWN_CHARACTERS = 80
_MAX_ENDING_CHARACTERS = 12
_BLOCK_BYTES = 1 << 20

_STRINGS = ("title", "text", "published", "url", "outlet")

_FileIdentity = tuple[int, int]  # device and inode


class Item(NamedTuple):
    """A record, or the reason why there is none, and its place in the file ("line 3"; "" for the whole file)."""

    place: str
    content: RawRecord | str


def load(paths: Sequence[Path], skipped: Counter[str] | None = None) -> Iterator[RawRecord | Failure]:
    """Read every article of some files and folders, in order, each file once.

    ``skipped`` counts the files in folders that are of no kind that is read, by their ending.
    ``RawRecord.path`` is absolute and valid UTF-8; ``Failure.path`` is also printable.
    """
    seen: dict[str, str] = {}
    for path in _files(paths, skipped):
        if isinstance(path, Failure):
            yield path
            continue
        try:
            failures = 0
            for place, content in _READERS[path.suffix.lower()](path):
                reason = content if isinstance(content, str) else _duplicate(content.key, f"{path} {place}", seen)
                if not reason and not isinstance(content, str):
                    yield replace(content, place=place)
                    continue
                yield _failure(path, f"{place}: {reason}" if place else reason)
                if (failures := failures + 1) == MAX_FAILURES:
                    yield _failure(path, f"{failures:,} of its records cannot be read: what follows was left out")
                    break
        except (OSError, UnreadableError) as error:
            yield _failure(path, _reason(error))


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


def _failure(path: Path, reason: str) -> Failure:
    return Failure(printable(str(path)), printable(reason))


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "permission denied: this user may not read it"
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "a loop of links"
    if isinstance(error, OSError):
        return (error.strerror or str(error) or "could not be read").lower()
    return str(error)


def _duplicate(key: str, place: str, seen: dict[str, str]) -> str:
    """Why a record is a duplicate; "" if it is not, and then its place is added to ``seen``."""
    if not key or (first := seen.setdefault(key, place)) == place:
        return ""
    first = first.removeprefix(f"{Path(place).parent}{os.sep}").strip()  # only the name, if both are in one folder
    return f"duplicate id '{_shortened(key)}': first seen in {first}"


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
                    skipped[_ending(path)] += 1
            else:
                if path != root and path.is_symlink():
                    _refuse_outside(path, homes)
                seen.add(identity)
                if is_folder:
                    visible = (inner for inner in path.iterdir() if not inner.name.startswith("."))
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
    known = path.suffix.lower() in _READERS
    if not stat.S_ISREG(status.st_mode) and (known or named):
        raise UnreadableError("not a file but a pipe, a socket or a device")
    if not known and named:
        raise UnreadableError(f"not a kind that is read: {path.suffix or path.name}; {KINDS_READ} are")
    return known


def _ending(path: Path) -> str:
    """The ending of a file, by which skipped files are counted; "" for none or a long one."""
    return printable(path.suffix.lower()) if len(path.suffix) <= _MAX_ENDING_CHARACTERS else ""


def _estimate(path: Path) -> int:
    mark = {".jsonl": b"\n", ".json": b'"text"'}.get(path.suffix.lower())
    if mark is None:
        return 1
    try:
        with path.open("rb") as opened:
            return max(1, sum(block.count(mark) for block in iter(lambda: opened.read(_BLOCK_BYTES), b"")))
    except OSError:
        return 1


# --- Files with a single article -------------------------------------------------------------------------------


def _read_text(path: Path) -> Iterator[Item]:
    yield Item("", _record(path, "", decode(_content(path)), "text", {}))


def _read_html(path: Path) -> Iterator[Item]:
    data = _content(path)
    yield Item("", _record(path, "", decode(data, declared_encoding(data)), "html", {}))


def _read_markdown(path: Path) -> Iterator[Item]:
    fields, text = front_matter(decode(_content(path)))
    yield Item("", _record(path, "", text, "markdown", fields))


def _record(path: Path, key: str, text: str, kind: str, fields: dict[str, object]) -> RawRecord:
    if not any(character.isalnum() for character in text):
        raise UnreadableError("no text in it")
    utf8_path = os.fsencode(path).decode("utf-8", "backslashreplace")  # the database takes nothing else
    return RawRecord(utf8_path, key, text, kind, fields)


def _content(path: Path, limit: int = MAX_ARTICLE_BYTES, what: str = "an article") -> bytes:
    with path.open("rb") as opened:
        data = opened.read(limit + 1)
        size = os.fstat(opened.fileno()).st_size
    if len(data) > limit:
        raise UnreadableError(_too_large(max(size, len(data)), limit, what))
    if not data:
        raise UnreadableError("the file is empty")
    refuse_binary(data)
    return data


def _too_large(size: int, limit: int = MAX_ARTICLE_BYTES, what: str = "an article") -> str:
    megabytes = math.ceil(size / 100_000) / 10  # rounded up: never "too large: 5 MB … may have 5 MB"
    return f"too large: {megabytes:g} MB, {what} may have {limit / 1e6:g} MB"


# --- Files with many articles ----------------------------------------------------------------------------------


def _read_json_lines(path: Path) -> Iterator[Item]:
    with path.open("rb") as opened:
        if not (head := opened.peek()):
            raise UnreadableError("the file is empty")
        refuse_binary(head)
        empty = True
        for number, line in enumerate(_lines(opened), start=1):
            if isinstance(line, int):
                yield Item(f"line {number}", _too_large(line))
            elif line.strip():
                yield _item(f"line {number}", _from_line, path, line.strip())
            else:
                continue
            empty = False
        if empty:
            raise UnreadableError("no text in it")


def _lines(opened: BufferedReader) -> Iterator[str | int]:
    """The lines of a file, each decoded by itself; of a line that is too long only the size."""
    wide = wide_encoding(opened.peek())
    # Bytes that are not UTF-8 pass as surrogates, and only their line is decoded again.
    errors = "replace" if wide else "surrogateescape"
    with TextIOWrapper(opened, encoding=wide or "utf-8-sig", errors=errors, newline="\n") as reader:
        while line := reader.readline(MAX_ARTICLE_BYTES + 1):
            if len(line) <= MAX_ARTICLE_BYTES:
                yield line if wide or line.isascii() else decode(line.encode("utf-8", "surrogateescape"))
                continue
            size = len(line)
            while not line.endswith("\n") and (line := reader.readline(MAX_ARTICLE_BYTES)):
                size += len(line)
            yield size


def _read_json(path: Path) -> Iterator[Item]:
    text = decode(_content(path, MAX_JSON_BYTES, "a .json file (unlike .jsonl)"))
    if not text.strip():
        raise UnreadableError("no text in it")
    value = _parse_json(text)
    if isinstance(value, dict) and isinstance(value.get("articles"), list):
        value = value["articles"]
    if not isinstance(value, list):
        yield Item("", _from_json(path, value))
        return
    if not value:
        raise UnreadableError("no articles in it")
    for number, element in enumerate(value, start=1):
        yield _item(f"record {number}", _from_json, path, element)


def _item(place: str, read: Callable[..., RawRecord], path: Path, content: object) -> Item:
    try:
        return Item(place, read(path, content))
    except UnreadableError as error:
        return Item(place, str(error))


def _from_line(path: Path, line: str) -> RawRecord:
    return _from_json(path, _parse_json(line))


def _parse_json(text: str) -> object:
    try:
        # strict=False: a raw tab in a string does no harm; NaN is how some tools write an absent field.
        value = json.loads(text, strict=False, parse_constant=lambda _: None, parse_float=_finite)
        return replace_surrogates(value) if "\\u" in text else value
    except json.JSONDecodeError as error:
        where = f"on line {error.lineno}" if error.lineno > 1 else f"at character {error.pos + 1}"
        raise UnreadableError(f"invalid JSON {where}: {error.msg}") from None
    except ValueError:
        raise UnreadableError("invalid JSON: a number in it is too large") from None
    except RecursionError:
        raise UnreadableError("invalid JSON: nested too deeply") from None


def _finite(digits: str) -> float:
    if math.isinf(number := float(digits)):
        raise ValueError(digits)
    return number


def _from_json(path: Path, value: object) -> RawRecord:
    """A record of the form ``{"id", "title", "text", "published", "url", "outlet", ...}``; only the text is needed."""
    if not isinstance(value, dict):
        raise UnreadableError(f"{_json_type(value)}, not an object with a text")
    for name in _STRINGS:
        if value.get(name) is not None and not isinstance(value[name], str):
            raise UnreadableError(f'its "{name}" is {_json_type(value[name])}, not a string')
    identity, text = value.get("id"), value.get("text")
    if isinstance(identity, (bool, list, dict)):
        raise UnreadableError(f'its "id" is {_json_type(identity)}, not a string or a number')
    if text is None:
        raise UnreadableError(f'no "text" among its keys: {_shortened(", ".join(value))}')
    if len(text) > MAX_ARTICLE_BYTES:
        raise UnreadableError(_too_large(len(text)))
    # Without an id a hash of the content is the key: the line number would change with every line put before it.
    content_hash = hashlib.sha256("\0".join(str(value.get(name)) for name in _STRINGS).encode()).hexdigest()[:16]
    key = "" if identity is None else str(identity).strip()
    fields = {name: item for name, item in value.items() if name not in {"id", "text"}}
    return _record(path, key or content_hash, text, "record", fields)


def _json_type(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list"}
    return "null" if value is None else names.get(type(value), "an object")


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}…"


_READERS: dict[str, Callable[[Path], Iterator[Item]]] = {
    ".txt": _read_text,
    ".md": _read_markdown,
    ".html": _read_html,
    ".htm": _read_html,
    ".json": _read_json,
    ".jsonl": _read_json_lines,
}
KINDS_READ = ", ".join([*_READERS][:-1]) + f" and {[*_READERS][-1]}"
"""The endings of the files that are read: ".txt, .md, … and .jsonl"."""
