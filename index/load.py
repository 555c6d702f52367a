"""Files and folders -> raw records, one at a time: what is on disk, decoded and not yet understood.

To read a further kind of file, write a function ``Path -> Iterator[Item]`` and name it in ``_READERS``.
Whatever cannot be read becomes a :class:`Failure` and the rest is still read; nothing here raises.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import NamedTuple

from index.decode import declared_encoding, decode, refuse_binary, wide_encoding, without_surrogates
from index.front_matter import front_matter
from index.models import Failure, RawRecord, UnreadableError

ARTICLE_LIMIT = 5_000_000  # bytes of one article, or characters of one line: a long novel has 3 million
JSON_LIMIT = 50_000_000  # bytes of a .json file, which has to be parsed whole; .jsonl may have any size

_STRINGS = ("title", "text", "published", "url", "outlet")


class Item(NamedTuple):
    """What one place of a file ("line 3"; "" for the whole) holds: a record, or the reason why it is none."""

    place: str
    found: RawRecord | str


def load(paths: Sequence[Path]) -> Iterator[RawRecord | Failure]:
    """Every article under some files and folders, in the order given, each file once.

    ``RawRecord.path`` is absolute and can always be written as UTF-8; ``Failure.path`` is also made printable.
    """
    seen: dict[str, str] = {}
    for path in _files(paths):
        if isinstance(path, Failure):
            yield path
            continue
        try:
            for place, found in _READERS[path.suffix.lower()](path):
                reason = found if isinstance(found, str) else _repeated(found.key, f"{path} {place}".strip(), seen)
                if reason or isinstance(found, str):
                    yield _failure(path, f"{place}: {reason}" if place else reason)
                else:
                    yield found
        except (OSError, UnreadableError) as error:
            yield _failure(path, _reason(error))


def count(paths: Sequence[Path]) -> int:
    """About how many records :func:`load` will give, without reading them: lines are counted, not parsed."""
    return sum(_estimate(path) for path in _files(paths) if isinstance(path, Path))


def printable(name: str) -> str:
    r"""A name with nothing in it that moves the cursor or turns the line: a new line becomes ``\n``, two characters."""
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


def _repeated(key: str, place: str, seen: dict[str, str]) -> str:
    """Why a record is not read a second time; "" for a first time, which is remembered."""
    if not key or (first := seen.setdefault(key, place)) == place:
        return ""
    first = first.removeprefix(f"{Path(place).parent}{os.sep}")  # only the name, where both lie in one folder
    return f"duplicate id '{_shortened(key)}': first seen in {first}"


# --- Finding files ---------------------------------------------------------------------------------------------


def _files(paths: Iterable[Path]) -> Iterator[Path | Failure]:
    """The files to read under some paths, depth first and sorted, and what cannot be reached."""
    seen: set[tuple[int, int]] = set()
    for named in paths:
        try:
            # ".." goes away so that one file has one path; links are otherwise kept as they were named.
            path = named.resolve() if ".." in named.parts else named.absolute()
            yield from _under(path, seen)
        except (OSError, ValueError, RuntimeError) as error:  # a NUL in the path; a loop that resolve() met
            yield _failure(named, "not a path" if isinstance(error, ValueError) else _reason(error))


def _under(root: Path, seen: set[tuple[int, int]]) -> Iterator[Path | Failure]:
    """As :func:`_files`, for one path. ``seen`` has the identity of every file and folder that was visited."""
    waiting: list[tuple[Path, tuple[tuple[int, int], ...]]] = [(root, ())]
    while waiting:
        path, inside_of = waiting.pop()
        try:
            status = path.stat()
            identity = (status.st_dev, status.st_ino)
            if identity in inside_of:
                yield _failure(path, "a loop of links: it leads back to a folder that it lies in")
            elif identity not in seen and (stat.S_ISDIR(status.st_mode) or _is_read(path, status, named=path == root)):
                seen.add(identity)
                if stat.S_ISDIR(status.st_mode):
                    inner = sorted((one for one in path.iterdir() if not one.name.startswith(".")), reverse=True)
                    folders = (*inside_of, identity)
                    waiting.extend((one, folders) for one in inner)
                else:
                    yield path
        except (OSError, UnreadableError) as error:
            missing = isinstance(error, FileNotFoundError)
            absent = "a link to something that does not exist" if path.is_symlink() else "does not exist"
            yield _failure(path, absent if missing else _reason(error))


def _is_read(path: Path, status: os.stat_result, *, named: bool) -> bool:
    """Whether a file is of a kind that is read; an error where the user asked for it by name, or would expect it."""
    known = path.suffix.lower() in _READERS
    if not stat.S_ISREG(status.st_mode) and (known or named):
        raise UnreadableError("not a file but a pipe, a socket or a device")
    if not known and named:
        *others, last = _READERS
        read = f"{', '.join(others)} and {last} are"
        raise UnreadableError(f"not a kind that is read: {path.suffix or path.name}; {read}")
    return known


def _estimate(path: Path) -> int:
    mark = {".jsonl": b"\n", ".json": b'"text"'}.get(path.suffix.lower())
    if mark is None:
        return 1
    try:
        with path.open("rb") as opened:
            return max(1, sum(block.count(mark) for block in iter(lambda: opened.read(1 << 20), b"")))
    except OSError:
        return 1


# --- Files of one article --------------------------------------------------------------------------------------


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
    return RawRecord(_encodable(path), key, text, kind, fields)


def _encodable(path: Path) -> str:
    r"""A path that a database takes: bytes of a name that are not UTF-8 are written as ``\xe9``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _content(path: Path, limit: int = ARTICLE_LIMIT, what: str = "an article") -> bytes:
    with path.open("rb") as opened:
        data = opened.read(limit + 1)
        size = os.fstat(opened.fileno()).st_size
    if len(data) > limit:
        raise UnreadableError(_too_large(max(size, len(data)), limit, what))
    if not data:
        raise UnreadableError("the file is empty")
    refuse_binary(data)
    return data


def _too_large(size: int, limit: int = ARTICLE_LIMIT, what: str = "an article") -> str:
    megabytes = math.ceil(size / 100_000) / 10  # rounded up: never "too large: 5 MB … may have 5 MB"
    return f"too large: {megabytes:g} MB, {what} may have {limit / 1e6:g} MB"


# --- Files of many articles ------------------------------------------------------------------------------------


def _read_json_lines(path: Path) -> Iterator[Item]:
    with path.open("rb") as opened:
        if not (head := opened.peek()):
            raise UnreadableError("the file is empty")
        refuse_binary(head)
        empty = True
        for number, line in enumerate(_lines(opened), start=1):
            if isinstance(line, int):
                yield Item(f"line {number}", _too_large(line))
            elif line := line.strip():
                yield _item(f"line {number}", partial(_from_line, path, line))
            else:
                continue
            empty = False
        if empty:
            raise UnreadableError("no text in it")


def _lines(opened: BufferedReader) -> Iterator[str | int]:
    """The lines of a file, each decoded by itself; of one that is too long its size only."""
    wide = wide_encoding(opened.peek())
    # Bytes that are not UTF-8 pass as surrogates, and only the line that has them is decoded again.
    errors = "replace" if wide else "surrogateescape"
    with TextIOWrapper(opened, encoding=wide or "utf-8-sig", errors=errors, newline="\n") as reader:
        while line := reader.readline(ARTICLE_LIMIT + 1):
            if len(line) <= ARTICLE_LIMIT:
                yield line if wide or line.isascii() else decode(line.encode("utf-8", "surrogateescape"))
                continue
            size = len(line)
            while not line.endswith("\n") and (line := reader.readline(ARTICLE_LIMIT)):
                size += len(line)
            yield size


def _read_json(path: Path) -> Iterator[Item]:
    text = decode(_content(path, JSON_LIMIT, "a .json file (unlike .jsonl)"))
    if not text.strip():
        raise UnreadableError("no text in it")
    found = _parsed(text)
    if isinstance(found, dict) and isinstance(found.get("articles"), list):
        found = found["articles"]
    if not isinstance(found, list):
        yield Item("", _from_value(path, found))
        return
    if not found:
        raise UnreadableError("no articles in it")
    for number, one in enumerate(found, start=1):
        yield _item(f"record {number}", partial(_from_value, path, one))


def _item(place: str, read: Callable[[], RawRecord]) -> Item:
    try:
        return Item(place, read())
    except UnreadableError as error:
        return Item(place, str(error))


def _from_line(path: Path, line: str) -> RawRecord:
    return _from_value(path, _parsed(line))


def _parsed(text: str) -> object:
    try:
        # strict=False: a raw tab in a string is no harm; NaN is how some tools write that a field is absent.
        found = json.loads(text, strict=False, parse_constant=lambda _: None, parse_float=_finite)
        return without_surrogates(found) if "\\u" in text else found
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


def _from_value(path: Path, value: object) -> RawRecord:
    """A record of the form ``{"id", "title", "text", "published", "url", "outlet", ...}``; only the text is needed."""
    if not isinstance(value, dict):
        raise UnreadableError(f"{_sort(value)}, not an object with a text")
    for name in _STRINGS:
        if value.get(name) is not None and not isinstance(value[name], str):
            raise UnreadableError(f'its "{name}" is {_sort(value[name])}, not a string')
    identity, text = value.get("id"), value.get("text")
    if isinstance(identity, (bool, list, dict)):
        raise UnreadableError(f'its "id" is {_sort(identity)}, not a string or a number')
    if text is None:
        raise UnreadableError(f'no "text" among its keys: {_shortened(", ".join(value))}')
    if len(text) > ARTICLE_LIMIT:
        raise UnreadableError(_too_large(len(text)))
    # Without an id, what it says tells it from the others: its line would change with every line put before it.
    said = hashlib.sha256("\0".join(str(value.get(name)) for name in _STRINGS).encode()).hexdigest()[:16]
    key = "" if identity is None else str(identity).strip()
    return _record(path, key or said, text, "record", {k: v for k, v in value.items() if k not in {"id", "text"}})


def _sort(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list"}
    return "null" if value is None else names.get(type(value), "an object")


def _shortened(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"


_READERS: dict[str, Callable[[Path], Iterator[Item]]] = {
    ".txt": _read_text,
    ".md": _read_markdown,
    ".html": _read_html,
    ".htm": _read_html,
    ".json": _read_json,
    ".jsonl": _read_json_lines,
}
