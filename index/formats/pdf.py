"""PDF, with pypdfium2: the text of its pages, its lines joined to paragraphs again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from index.formats.document import FILE_AUTHOR, MAX_ARTICLE_BYTES, Document, Item, Kind, begins, load_extra, too_large
from index.formats.lines import paragraphs
from index.formats.scan import EXTRA, MAX_SIDE_PIXELS, RECOGNIZED, recognized
from index.models import UnreadableError

MAX_PAGES = 2_000
_EDGE_LINES = 2  # of a page, where its header and footer stand
_MIN_REPEATS = 2  # pages with the same line at their edge: it is no part of the article
_MAX_HEADLINE_AT = 3_000  # characters into the first page
_MIN_HEADLINE_RATIO = 1.25  # of its letters to those of the text
_MIN_HEADLINE_CHARACTERS, _MAX_HEADLINE_CHARACTERS = 12, 200
_SCAN_SCALE = 200 / 72  # of a page to be recognized: 200 dots an inch
_MIN_LETTERS_SHARE = 0.3  # of text; less is what fonts without a table of their letters give
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_DIGITS = re.compile(r"\d+")
_NO_TITLE = re.compile(r"untitled|microsoft word|\.(?:docx?|indd|pdf|qxp|pages)$", re.IGNORECASE)


def _read(document: Document) -> Iterator[Item]:
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(document.content())
        if (count := len(pdf)) > MAX_PAGES:
            raise UnreadableError(f"too large: {count:,} pages, a PDF may have {MAX_PAGES:,}")
        pages, stated = list(_pages(pdf)), pdf.get_metadata_dict()
        headline = _largest(pdf[0].get_textpage()) if pages else ""
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        why = "it is locked with a password: save it without" if locked else "the PDF is damaged, or is none"
        raise UnreadableError(why) from error
    fields: dict[str, object] = {}
    if not _has_text(pages):
        pages, fields = recognized(document, _pictures(pdf)), {RECOGNIZED: True}
    lines = _without_edges(pages)
    text = "\n\n".join(paragraphs(lines))
    if not _has_text([lines]):
        raise UnreadableError("no text: no words were recognized on its pages, which are pictures")
    title = stated.get("Title", "").strip()
    # A day in the header is that of the paper, or that on which a page was printed: it counts if there is no other.
    day = next((line for line in pages[0] if line not in lines and _YEAR.search(line)), "")
    fields |= {
        "retrieved": day,
        "title": headline or ("" if _NO_TITLE.search(title) else title),
        FILE_AUTHOR: stated.get("Author", "").strip(),
    }
    yield Item(document.place, document.record(text, fields=fields))


def _has_text(pages: Sequence[Sequence[str]]) -> bool:
    text = "".join(line for page in pages for line in page)
    return sum(map(str.isalnum, text)) > _MIN_LETTERS_SHARE * len(text)


def _pictures(pdf: Any) -> Iterator[Any]:  # noqa: ANN401  # pypdfium2 has no types
    """A picture of each page, with at most MAX_SIDE_PIXELS a side."""
    load_extra("rapidocr", EXTRA)
    for page in pdf:
        yield page.render(scale=min(_SCAN_SCALE, MAX_SIDE_PIXELS / max(1.0, *page.get_size()))).to_pil()
        page.close()


def _pages(pdf: Any) -> Iterator[list[str]]:  # noqa: ANN401  # pypdfium2 has no types
    """The lines of each page."""
    size = 0
    for page in pdf:
        text = page.get_textpage().get_text_range()
        if (size := size + len(text)) > MAX_ARTICLE_BYTES:
            raise UnreadableError(too_large(size))
        yield [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        page.close()


def _largest(page: Any) -> str:  # noqa: ANN401  # pypdfium2 has no types
    """The text in the largest letters of a page, if they are much larger than the others and few; else ""."""
    from pypdfium2.raw import FPDFText_GetFontSize

    count = min(page.count_chars(), _MAX_HEADLINE_AT)
    text = page.get_text_range(0, count) if count else ""
    sizes = [round(FPDFText_GetFontSize(page, place), 1) for place in range(count)]
    usual, largest = sorted(sizes)[count // 2] if sizes else 0, max(sizes, default=0)
    places = [place for place, size in enumerate(sizes) if size == largest]
    if not places or largest < _MIN_HEADLINE_RATIO * usual or len(text) != count:
        return ""
    headline = " ".join(text[places[0] : places[-1] + 1].split())
    return headline if _MIN_HEADLINE_CHARACTERS <= len(headline) <= _MAX_HEADLINE_CHARACTERS else ""


def _without_edges(pages: Sequence[list[str]]) -> list[str]:
    """The lines of the pages, without page numbers and the lines that stand at the edge of several pages."""
    edges = [{_shape(line) for line in (*page[:_EDGE_LINES], *page[-_EDGE_LINES:])} for page in pages]
    repeated = {
        shape for shape, count in Counter(shape for edge in edges for shape in edge).items() if count >= _MIN_REPEATS
    }
    repeated.add("#")
    kept = [
        line
        for page in pages
        for number, line in enumerate(page)
        if _shape(line) not in repeated or _EDGE_LINES <= number < len(page) - _EDGE_LINES
    ]
    return kept or [line for page in pages for line in page]  # short pages that are alike


def _shape(line: str) -> str:
    return _DIGITS.sub("#", line)


KIND = Kind("PDF", (".pdf",), _read, begins(b"%PDF-"))
