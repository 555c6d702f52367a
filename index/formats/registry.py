"""The kinds of files that are read, how a file's kind is known, and reading one.

To add a kind, write a module with a :class:`~index.formats.document.Kind` and name it in KINDS.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from index.formats import archive, epub, mail, news_json, office, pdf, scan, table, text, warc, xml
from index.formats.document import Document, Item, Kind, Skipped, TooMuchUnpackedError, ending_of
from index.models import UnreadableError

KINDS: tuple[Kind, ...] = (
    text.TEXT, text.MARKDOWN, text.HTML, news_json.JSON, news_json.LINES, pdf.KIND, office.DOCX, office.ODT, office.RTF,
    epub.KIND, mail.EML, mail.MSG, table.CSV, table.PARQUET, xml.KIND, warc.KIND, scan.KIND, archive.ZIP, archive.TAR,
    archive.GZIP,
)  # fmt: skip
_BY_ENDING = {ending: kind for kind in KINDS for ending in kind.endings}
_STRONG = [kind for kind in KINDS if not kind.weak]
_WEAK = [news_json.LINES, news_json.JSON, archive.ZIP, archive.TAR, archive.GZIP, table.CSV]
_OPEN = (
    text.TEXT,
    text.MARKDOWN,
    archive.ZIP,
    archive.TAR,
    archive.GZIP,
    None,
)  # a name that does not say what is inside
_MAX_ENDING_CHARACTERS = 12
KINDS_READ = ", ".join(kind.name for kind in KINDS[:-1]) + f" and {KINDS[-1].name}"
"""The kinds of files that are read: "plain text, Markdown, … and compressed files"."""


class File(NamedTuple):
    """A file to read: where it lies on the disk, under which path it is shown, and its name ("": as shown).

    ``kept``: the folder in which recognized text is kept, "" for none.
    """

    on_disk: str
    path: str
    name: str = ""
    kept: str = ""


def kind_of(name: str, head: bytes) -> Kind | None:
    """The kind of a file: by its first bytes, where they are certain, whatever its name; else by its ending.

    >>> kind_of("story.txt", b"%PDF-1.7 ...").name
    'PDF'
    """
    if mail.OLD_OFFICE(head) and not mail.MSG.has_mark(head):
        return mail.MSG if ending_of(name) in mail.MSG.endings else None  # .doc, .xls, .ppt
    ending = ending_of(name)
    named = _BY_ENDING.get(ending)
    if strong := next((kind for kind in _STRONG if kind.has_mark(head)), None):
        return strong
    is_open = named in _OPEN and (named is not None or not ending)
    weak = next((kind for kind in _WEAK if kind.has_mark(head)), None) if is_open else None
    return weak or named


def ending(name: str) -> str:
    """The ending by which skipped files are counted; "" for none or a long one."""
    return found if len(found := ending_of(name)) <= _MAX_ENDING_CHARACTERS else ""


def read_file(file: File) -> Iterator[Item | Skipped]:
    """Read a file of any kind: the work of the process that can be stopped."""
    with Path(file.on_disk).open("rb") as opened:
        yield from read(Document(file.path, opened, kept=file.kept), file.name)


def read(document: Document, name: str = "") -> Iterator[Item | Skipped]:
    """Read a document, and what is in it. What cannot be read is an item with the reason; nothing is raised."""
    with closing(document.file):
        kind = kind_of(name or document.path, document.head())
        if kind is None:
            yield Skipped(ending(document.path))
            return
        try:
            yield from _read(kind, document)
        except TooMuchUnpackedError as error:
            if document.depth:
                raise
            yield Item("", str(error))
        except UnreadableError as error:
            yield Item(document.place, str(error))
        except RecursionError:
            yield Item(document.place, f"it is nested too deeply to be read as {kind.name}")
        except (OSError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  # a library met what it did not expect: the rest is still read
            yield Item(document.place, f"it cannot be read as {kind.name} ({type(error).__name__})")


def _read(kind: Kind, document: Document) -> Iterator[Item | Skipped]:
    is_empty = True
    for part in kind.read(document):
        is_empty = False
        yield from read(part) if isinstance(part, Document) else [part]
    if is_empty:
        raise UnreadableError("no articles in it")
