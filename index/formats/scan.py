"""Scanned pages and pictures of clippings, with RapidOCR (an extra): their lines of text, in reading order.

What was recognized is kept by a hash of the file, so that a later run costs nothing.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from index.formats.document import Document, Item, Kind, Skipped, begins, load_extra
from index.formats.lines import paragraphs
from index.models import UnreadableError
from index.worker import restart_clock

EXTRA = "ocr"
RECOGNIZED = "recognized"
"""The field of a record whose text was recognized in a picture."""

MAX_PIXELS = 40_000_000  # of a page: A3 at 400 dots an inch has 31 million
MAX_SIDE_PIXELS = 2_600  # a larger page is made smaller: A4 at 225 dots an inch
MAX_PAGES = 100  # of a scanned document, at 3 to 5 seconds of a processor each
MIN_SIDE_PIXELS = 300  # of a picture: less is a logo or a button
_MIN_WORDS = 12  # of a picture: less stands on a photograph
_WORD = re.compile(r"\w{2,}")


class Box(NamedTuple):
    """A line of text, and where it stands on its page."""

    left: float
    right: float
    top: float
    bottom: float
    text: str


def is_installed() -> bool:
    """Whether the extra is there."""
    return find_spec("rapidocr") is not None


def recognized(document: Document, pages: Iterator[Any]) -> list[list[str]]:
    """The lines of each page, of a picture of it. Raises UnreadableError.

    Of a document that was recognized before, the pages are not looked at.
    """
    kept = _Kept(document)
    lines = kept.pages
    for number, page in enumerate(pages):
        if number == MAX_PAGES:
            raise UnreadableError(f"too large: more than {MAX_PAGES} scanned pages")
        if number < len(lines):
            continue
        restart_clock()
        lines.append(_lines(page))
        kept.write()
    return lines


def _lines(page: Any) -> list[str]:  # noqa: ANN401  # a picture of Pillow, which is part of the extra
    import numpy as np

    page.thumbnail((MAX_SIDE_PIXELS, MAX_SIDE_PIXELS))
    found = _recognizer()(np.asarray(page.convert("RGB")))
    corners = () if found.boxes is None else found.boxes
    boxes = [
        Box(float(x.min()), float(x.max()), float(y.min()), float(y.max()), text)
        for (x, y), text in zip((corner.T for corner in corners), found.txts or (), strict=True)
    ]
    return [line for box in in_reading_order(boxes) if (line := " ".join(box.text.split()))]


@functools.cache
def _recognizer() -> Any:  # noqa: ANN401  # of a library without types
    return load_extra("rapidocr", EXTRA).RapidOCR(params={"Global.log_level": "critical"})


def in_reading_order(boxes: Sequence[Box]) -> list[Box]:
    """Order lines as they are read: down a column, then down the next (recursive X-Y cut, Nagy and Seth, 1984)."""
    ordered: list[Box] = []
    waiting = [list(boxes)]
    while waiting:
        group = waiting.pop()
        parts = _columns(group) or _bands(group)
        if len(parts) < 2:  # noqa: PLR2004  # it cannot be cut
            ordered += sorted(group, key=lambda box: (box.top, box.left))
        else:
            waiting += reversed(parts)
    return ordered


def _columns(boxes: Sequence[Box]) -> list[list[Box]]:
    """The groups side by side, between which nothing stands; [] for a single one."""
    return _cut([(box.left, box.right, box) for box in boxes])


def _cut(spans: list[tuple[float, float, Box]]) -> list[list[Box]]:
    groups: list[list[Box]] = []
    reached = 0.0
    for start, end, box in sorted(spans):
        if not groups or start > reached:
            groups.append([])
        groups[-1].append(box)
        reached = max(reached, end)
    return groups if len(groups) > 1 else []


def _bands(boxes: Sequence[Box]) -> list[list[Box]]:
    """Lines above each other, those together that stand in the same columns."""
    bands: list[list[Box]] = []
    for band in _cut([(box.top, box.bottom, box) for box in boxes]):
        if bands and len(bands[-1]) > 1 and _columns([*bands[-1], *band]):
            bands[-1] += band
        else:
            bands.append(band)
    return bands


class _Kept:
    """What was recognized of a document so far, in a file of the data folder."""

    def __init__(self, document: Document) -> None:
        digest = hashlib.sha256(document.content()).hexdigest()
        document.file.seek(0)
        self._file = Path(document.kept, f"{digest}.json") if document.kept else None
        self.pages: list[list[str]] = []
        if self._file:
            with suppress(OSError, ValueError):  # there is none, or it was not written to its end
                self.pages = json.loads(self._file.read_text("utf-8"))

    def write(self) -> None:
        """Keep the pages; without room on the disk they are recognized again."""
        if self._file:
            with suppress(OSError):
                self._file.parent.mkdir(mode=0o700, exist_ok=True)
                new = self._file.with_suffix(".new")
                new.write_text(json.dumps(self.pages), "utf-8")
                new.replace(self._file)


def _read(document: Document) -> Iterator[Item | Skipped]:
    if not is_installed() and document.depth:  # what is attached to a mail may be a photograph
        yield Skipped(Path(document.path).suffix.lower())
        return
    image = load_extra("PIL.Image", EXTRA)
    load_extra("rapidocr", EXTRA)
    try:
        picture = image.open(document.file)
        pages = recognized(document, _frames(picture)) if min(picture.size) >= MIN_SIDE_PIXELS else []
    except UnreadableError:
        raise
    except Exception as error:  # the library raises anything on a broken picture
        raise UnreadableError("not a picture that can be read: it is damaged, cut off, or something else") from error
    lines = [line for page in pages for line in page]
    if len(_WORD.findall(" ".join(lines))) < _MIN_WORDS:
        yield Skipped(Path(document.path).suffix.lower())
        return
    yield Item(document.place, document.record("\n\n".join(paragraphs(lines)), fields={RECOGNIZED: True}))


def _frames(picture: Any) -> Iterator[Any]:  # noqa: ANN401  # of Pillow
    from PIL import ImageOps, ImageSequence

    if picture.width * picture.height > MAX_PIXELS:
        raise UnreadableError(f"too large: a picture may have {MAX_PIXELS / 1e6:g} million pixels")
    for frame in ImageSequence.Iterator(picture):
        yield ImageOps.exif_transpose(frame).convert("RGB")


KIND = Kind(
    "scanned picture", (".png", ".jpg", ".jpeg", ".tif", ".tiff"), _read,
    begins(b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*"),
)  # fmt: skip
