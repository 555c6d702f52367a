"""Feeds (RSS, Atom, RDF) and exports of WordPress, with feedparser."""

from __future__ import annotations

import calendar
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

from index.formats.document import Document, Item
from index.formats.editions import PUBLISHED_POSTS, revision_of, when
from index.formats.markup import parse_xml
from index.formats.urls import url_key
from index.models import UnreadableError

_REFERENCE = re.compile(rb"&#(x?)([0-9a-f]+);", re.IGNORECASE)
# "The post HEADLINE appeared first on SITE.", in whatever language: the last paragraph, with two links.
_FIRST_POSTED = re.compile(
    r"<p>[^<>]{1,60}<a\b[^<>]{0,200}\bhref=[\"']([^\"'<>]{1,1000})[^<>]{0,200}>[^<>]{0,400}</a>[^<>]{1,60}"
    r"<a\b[^<>]{1,1500}>[^<>]{0,200}</a>[^<>]{0,5}</p>\s*\Z"
)
_MAX_CHARACTER, _SURROGATES = 0x10FFFF, range(0xD800, 0xE000)
_MAX_REFERENCE_DIGITS = 8


def feed_items(document: Document, data: bytes) -> Iterator[Item]:
    """The entries of a feed, each a record of what the feed holds of it."""
    import feedparser

    data = _REFERENCE.sub(_character, data)
    feed = feedparser.parse(data, resolve_relative_uris=False, sanitize_html=False)
    deleted = list(_deleted(document, data)) if b"deleted-entry" in data else []
    if not feed.entries and not deleted:
        raise UnreadableError("no articles in this feed")
    yield from deleted
    number = 0
    for number, entry in enumerate(feed.entries, start=1):
        if (
            str(entry.get("wp_post_type", "post")) not in {"post", "page"}
            or str(entry.get("wp_status", "")) not in PUBLISHED_POSTS
        ):
            continue  # attachments, menus and drafts of a WordPress export
        place = f"{document.place}: entry {number}" if document.place else f"entry {number}"
        content = [piece.get("value") or "" for piece in entry.get("content", [])]
        text = max([*content, entry.get("summary") or ""], key=len)
        is_whole = text in content
        url = entry.get("link") or entry.get("id") or ""
        if (posted := _FIRST_POSTED.search(text)) and url_key(unescape(posted[1])) == url_key(url):
            text = text[: posted.start()]
        published, updated = (_moment(dict.get(entry, f"{name}_parsed")) for name in ("published", "updated"))
        fields = {
            "title": entry.get("title", ""), "url": url, "byline": entry.get("author", ""),
            "published": published or updated or "", "language": feed.feed.get("language", ""),
            "outlet": entry.get("source", {}).get("title") or feed.feed.get("title", ""),
            "section": next((tag.term for tag in entry.get("tags", []) if tag.term), ""),
        }  # fmt: skip
        # An Atom feed says by its id that an entry was deleted; the links of RSS are what its pages are known by.
        known_by = (entry.get("id") if feed.version.startswith("atom") else "") or url
        key = url_key(known_by) if known_by else hashlib.sha256(f"{fields['title']}\0{text}".encode()).hexdigest()[:16]
        kind = "fragment"
        if url and not any(map(str.isalnum, text)):
            text, kind = fields["title"], "headline"
        try:
            record = document.record(text, kind, fields, key)
        except UnreadableError as error:
            yield Item(place, str(error))
            continue
        yield Item(place, replace(record, revision=revision_of("", when(updated or published)), is_whole=is_whole))


def _deleted(document: Document, data: bytes) -> Iterator[Item]:
    """The entries that an Atom feed has taken back (RFC 6721)."""
    for entry in parse_xml(data).iter("{*}deleted-entry"):
        record = document.record("withdrawn", key=url_key(entry.get("ref") or ""))
        yield Item(document.place, replace(record, withdrawn=True, revision=revision_of("", when(entry.get("when")))))


def _character(reference: re.Match[bytes]) -> bytes:
    """A reference as it stands; nothing for a number that is no character, at which feedparser gives the feed up."""
    digits = reference[2].lstrip(b"0") or b"0"
    is_number = len(digits) < _MAX_REFERENCE_DIGITS and (reference[1] or digits.isdigit())
    number = int(digits, 16 if reference[1] else 10) if is_number else _MAX_CHARACTER + 1
    return b"" if number > _MAX_CHARACTER or number in _SURROGATES else reference[0]


def _moment(parsed: object) -> str:
    return datetime.fromtimestamp(calendar.timegm(parsed), UTC).isoformat() if isinstance(parsed, tuple) else ""
