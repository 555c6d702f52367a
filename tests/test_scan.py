"""Scanned pages and pictures of clippings: reading order, what is kept, and what is left out."""

from __future__ import annotations

import sys
from collections import Counter
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from index.cleaning.clean import clean
from index.formats import scan
from index.formats.document import Document, Item, Skipped
from index.formats.registry import read
from index.load import load
from index.models import Failure, RawRecord

LINES = (
    "Harbour of Norvik closed",
    "The harbour of Norvik was closed on Monday after a ship lost its chain,",
    "the port authority said. Nobody was hurt.",
)


class FakeOcr:
    """The library, with LINES on every picture that is not black."""

    looks = 0

    def __init__(self, params: object) -> None:
        """Take what the library takes."""
        assert params

    def __call__(self, picture: np.ndarray) -> SimpleNamespace:
        """Count the pictures."""
        FakeOcr.looks += 1
        if not picture.any():
            return SimpleNamespace(boxes=None, txts=None)
        corners = [[[10, top], [500, top], [500, top + 20], [10, top + 20]] for top in (10, 40, 70)]
        return SimpleNamespace(boxes=np.array(corners[::-1], dtype=float), txts=LINES[::-1])


@pytest.fixture(autouse=True)
def ocr(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra, as if it were installed."""
    fake = SimpleNamespace(RapidOCR=FakeOcr, __spec__=SimpleNamespace(name="rapidocr"))
    monkeypatch.setitem(sys.modules, "rapidocr", fake)
    scan._recognizer.cache_clear()
    FakeOcr.looks = 0


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 800), shade: int = 255, pages: int = 1) -> bytes:
    """A picture of one colour."""
    image, data = Image.new("L", size, shade), BytesIO()
    more = {"save_all": True, "append_images": [image] * (pages - 1)} if pages > 1 else {}
    image.save(data, kind, **more)
    return data.getvalue()


def read_all(data: bytes, name: str = "a.png", kept: str = "", depth: int = 0) -> list[Item | Skipped]:
    """What comes of a file."""
    return list(read(Document(f"/news/{name}", BytesIO(data), depth=depth, kept=kept)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_picture_of_a_clipping_is_an_article(kind: str) -> None:
    """Its lines become paragraphs, the first a headline; a note says that letters may be wrong."""
    (item,) = read_all(picture(kind), "scan.dat.png")
    assert isinstance(item, Item)
    assert isinstance(item.content, RawRecord)
    article = clean(item.content)
    assert article.source.headline == LINES[0]
    assert article.body == " ".join(LINES[1:])
    assert (
        "note",
        "The text was recognized in a picture (OCR): letters and figures may be wrong.",
    ) in article.boilerplate


def test_the_pages_of_a_document_are_read_in_order_and_kept(tmp_path: Path) -> None:
    """A second run looks at no page, and one that was interrupted goes on behind the last; a torn note is no matter."""
    pages = picture("PDF", pages=3)
    for looks in (3, 3):
        (item,) = read_all(pages, "a.pdf", str(tmp_path / "ocr"))
        assert isinstance(item, Item)
        assert isinstance(item.content, RawRecord)
        assert LINES[2] in item.content.text
        assert FakeOcr.looks == looks
    (note,) = (tmp_path / "ocr").iterdir()
    note.write_text("[[")
    assert read_all(pages, "a.pdf", str(tmp_path / "ocr")) == [item]
    assert FakeOcr.looks == 6


def test_a_photograph_or_a_logo_is_left_out() -> None:
    """Also in an archive, where the extra is missing: a word on a photograph is no article."""
    assert read_all(picture(shade=0)) == [Skipped(".png")]
    assert read_all(picture(size=(100, 900))) == [Skipped(".png")]
    sys.modules.pop("rapidocr")
    assert read_all(picture(), depth=1) == [Skipped(".png")]


@pytest.mark.parametrize("data", [picture()[:60], b"\x89PNG\r\n\x1a\n" + b"x" * 900, picture("PDF")[:200]])
def test_a_damaged_picture_is_named(data: bytes) -> None:
    """And the rest goes on."""
    (item,) = read_all(data, "a.pdf" if data.startswith(b"%PDF") else "a.png")
    assert "damaged" in str(item)


def test_a_huge_picture_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a document of many pages."""
    monkeypatch.setattr(scan, "MAX_PIXELS", 1000)
    assert "too large: a picture may have" in str(read_all(picture()))
    monkeypatch.setattr(scan, "MAX_PAGES", 2)
    assert read_all(picture("PDF", pages=3), "a.pdf")[0] == Item("", "too large: more than 2 scanned pages")


def test_without_the_extra_only_what_was_named_is_a_failure(tmp_path: Path) -> None:
    """Pictures in folders are counted; a scanned PDF, and a picture that was named, tell the name of the extra."""
    sys.modules.pop("rapidocr")
    (tmp_path / "a.png").write_bytes(picture())
    skipped = Counter[str]()
    assert list(load([tmp_path], skipped)) == []
    assert skipped == {".png": 1}
    for name, data in (("a.png", picture()), ("a.pdf", picture("PDF"))):
        assert read_all(data, name) == [Item("", "to read it, install a library: pip install 'clippings[ocr]'")]
    (failure,) = [item for item in load([tmp_path / "a.png"]) if isinstance(item, Failure)]
    assert "clippings[ocr]" in failure.reason


def boxes(*texts: tuple[float, float, float, str]) -> list[scan.Box]:
    """Boxes of lines with these left and right ends, tops and texts."""
    return [scan.Box(left, right, top, top + 10, text) for left, right, top, text in texts]


def test_columns_are_read_one_after_the_other() -> None:
    """Below a headline over both, above a line below both."""
    page = boxes(
        (0, 100, 0, "headline"),
        *((0, 45, 20.0 + 12 * row, f"left {row}") for row in range(4)),
        *((55, 100, 21.0 + 12 * row, f"right {row}") for row in range(4)),
        (0, 100, 90, "below"),
    )
    texts = [box.text for box in scan.in_reading_order(page)]
    assert texts == ["headline", *(f"{side} {row}" for side in ("left", "right") for row in range(4)), "below"]


NUMBERS = st.floats(0, 1000, allow_nan=False)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=30))
def test_no_line_is_lost_or_doubled(places: list[tuple[float, float, float, float]]) -> None:
    """Wherever the lines stand."""
    page = [
        scan.Box(min(a, b), max(a, b), min(c, d), max(c, d), str(number)) for number, (a, b, c, d) in enumerate(places)
    ]
    assert sorted(scan.in_reading_order(page)) == sorted(page)
