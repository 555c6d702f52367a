"""PDF, with pypdfium2: the text of its pages, its lines joined to paragraphs again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from index.formats.document import MAX_ARTICLE_BYTES, Document, Item, Kind, begins, too_large
from index.models import UnreadableError

MAX_PAGES = 2_000
_EDGE_LINES = 2  # of a page, where its header and footer stand
_MIN_REPEATS = 3  # pages with the same line at their edge: it is no part of the article
_FULL_SHARE = 0.8  # of the usual width: a shorter line with a full stop ends its paragraph
_SENTENCE_END = re.compile(r"[.!?:…][\"'”’»)\]]*$")
_DIGITS = re.compile(r"\d+")
_NO_TITLE = re.compile(r"untitled|microsoft word|\.(?:docx?|indd|pdf|qxp|pages)$", re.IGNORECASE)


def _read(document: Document) -> Iterator[Item]:
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(document.content())
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        why = "it is locked with a password: save it without" if locked else "the PDF is damaged, or is none"
        raise UnreadableError(why) from error
    if (count := len(pdf)) > MAX_PAGES:
        raise UnreadableError(f"too large: {count:,} pages, a PDF may have {MAX_PAGES:,}")
    pages, size = list[list[str]](), 0
    for number in range(count):
        page = pdf[number]
        text = page.get_textpage().get_text_range()
        if (size := size + len(text)) > MAX_ARTICLE_BYTES:
            raise UnreadableError(too_large(size))
        pages.append([" ".join(line.split()) for line in text.splitlines() if line.strip()])
        page.close()
    text = "\n\n".join(_paragraphs(_without_edges(pages)))
    if not text:
        raise UnreadableError("no text: its pages are pictures. Recognize their text first, for example with ocrmypdf")
    stated = pdf.get_metadata_dict()
    title = stated.get("Title", "").strip()
    fields = {"title": "" if _NO_TITLE.search(title) else title, "byline": stated.get("Author", "").strip()}
    yield Item(document.place, document.record(text, fields=fields))


def _without_edges(pages: Sequence[list[str]]) -> list[str]:
    """The lines of the pages, without page numbers and the lines that stand at the edge of several pages."""
    edges = [{_shape(line) for line in (*page[:_EDGE_LINES], *page[-_EDGE_LINES:])} for page in pages]
    repeated = {
        shape for shape, count in Counter(shape for edge in edges for shape in edge).items() if count >= _MIN_REPEATS
    }
    repeated.add("#")
    return [
        line
        for page in pages
        for number, line in enumerate(page)
        if _shape(line) not in repeated or _EDGE_LINES <= number < len(page) - _EDGE_LINES
    ]


def _shape(line: str) -> str:
    return _DIGITS.sub("#", line)


def _paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """Join lines to paragraphs, which end with a short line: one that ends a sentence, or that stands alone."""
    widths = sorted(map(len, lines))
    full = _FULL_SHARE * widths[len(widths) * 3 // 4] if widths else 0
    paragraph = ""
    for line in lines:
        if paragraph.endswith(("\ufffe", "\xad", "\x02")) or (
            re.search(r"[a-zß-ÿ]-$", paragraph) and line[0].islower()
        ):  # how pdfium marks the hyphen of a word that goes on
            paragraph = paragraph[:-1] + line
        else:
            paragraph = f"{paragraph} {line}" if paragraph else line
        if len(line) < full and (_SENTENCE_END.search(line) or paragraph == line):
            yield paragraph
            paragraph = ""
    if paragraph:
        yield paragraph


KIND = Kind("PDF", (".pdf",), _read, begins(b"%PDF-"))
