"""EPUB: each chapter, or story of a paper, is an article."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from index.formats.decode import decode
from index.formats.document import Document, Item, Kind
from index.formats.fragment import fragment_text
from index.formats.markup import parse_xml, text_of
from index.formats.zips import open_zip, part


def _read(document: Document) -> Iterator[Item]:
    with open_zip(document, what="book (EPUB)") as opened:
        container = parse_xml(part(opened, "META-INF/container.xml"))
        place = next((str(root.get("full-path")) for root in container.iter("{*}rootfile")), "")
        package = parse_xml(part(opened, place))
        stated = {
            name: text_of(package.find(f".//{{*}}{name}")) for name in ("creator", "date", "language", "publisher")
        }
        fields = {
            "byline": stated["creator"], "published": stated["date"],
            "language": stated["language"], "outlet": stated["publisher"],
        }  # fmt: skip
        items = {item.get("id"): item for item in package.iter("{*}item")}
        for reference in package.iter("{*}itemref"):
            item = items.get(reference.get("idref"))
            if item is None or "nav" in (item.get("properties") or "").split():
                continue
            name = posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(item.get("href") or "")))
            page = decode(part(opened, name))
            if fragment_text(page)[0]:  # a cover has none
                place = f"{document.place}/{name}" if document.place else name
                chapter = replace(document, path=f"{document.path}/{name}")
                yield Item(place, chapter.record(page, "fragment", fields))


KIND = Kind("EPUB", (".epub",), _read, lambda head: b"mimetypeapplication/epub+zip" in head[:200])
