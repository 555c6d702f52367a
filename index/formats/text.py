"""Plain text, Markdown and HTML pages: a file is one article."""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.formats.decode import declared_encoding, decode
from index.formats.document import Document, Item, Kind
from index.formats.front_matter import front_matter

_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--[^>]{0,500}-->\s*)*<(?:!doctype html|html|head|body)\b", re.IGNORECASE
)


def _read_text(document: Document) -> Iterator[Item]:
    yield Item(document.place, document.record(decode(document.text_content())))


def _read_markdown(document: Document) -> Iterator[Item]:
    fields, text = front_matter(decode(document.text_content()))
    yield Item(document.place, document.record(text, "markdown", fields))


def _read_page(document: Document) -> Iterator[Item]:
    data = document.text_content()
    yield Item(document.place, document.record(decode(data, declared_encoding(data)), "html"))


def _is_page(head: bytes) -> bool:
    return bool(_PAGE.match(head.removeprefix(b"\xef\xbb\xbf")))


TEXT = Kind("plain text", (".txt", ".text"), _read_text, in_process=False)
MARKDOWN = Kind("Markdown", (".md", ".markdown"), _read_markdown, in_process=False)
HTML = Kind("HTML", (".html", ".htm", ".xhtml"), _read_page, _is_page, in_process=False)
