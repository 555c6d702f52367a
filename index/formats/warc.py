"""Web archives (.warc), with warcio: each page that was fetched is an article, known by its address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from index.formats.decode import declared_encoding, decode
from index.formats.document import MAX_ARTICLE_BYTES, Document, Item, Kind, begins, too_large
from index.formats.editions import revision_of, when
from index.formats.urls import url_key
from index.models import RawRecord, UnreadableError

_FINE = "200"


def _read(document: Document) -> Iterator[Item]:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    try:
        for number, stored in enumerate(ArchiveIterator(document.file), start=1):
            headers = stored.http_headers
            if stored.rec_type != "response" or headers is None or headers.get_statuscode() != _FINE:
                continue
            if "html" not in (headers.get_header("Content-Type") or ""):
                continue
            place = f"{document.place}: page {number}" if document.place else f"page {number}"
            data = stored.content_stream().read(MAX_ARTICLE_BYTES + 1)
            try:
                url, fetched = (stored.rec_headers.get_header(name) or "" for name in ("WARC-Target-URI", "WARC-Date"))
                yield Item(place, _page(document, data, url, fetched))
            except UnreadableError as error:
                yield Item(place, str(error))
    except ArchiveLoadFailed as error:
        raise UnreadableError("the web archive is damaged, or cut off") from error


def _page(document: Document, data: bytes, url: str, fetched: str) -> RawRecord:
    if len(data) > MAX_ARTICLE_BYTES:
        raise UnreadableError(too_large(len(data)))
    fields = {"url": url, "retrieved": fetched}
    record = document.record(decode(data, declared_encoding(data)), "html", fields, url_key(url))
    return replace(record, revision=revision_of("", when(fetched)))


KIND = Kind("web archive", (".warc",), _read, begins(b"WARC/"))
