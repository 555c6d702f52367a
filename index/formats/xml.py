"""XML: feeds and WordPress exports with feedparser; the news trade's NITF and NewsML-G2 with lxml."""

from __future__ import annotations

import calendar
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from lxml import etree

from index.formats.document import HEAD_BYTES, Document, Item, Kind
from index.formats.editions import is_withdrawn, revision_of, when
from index.formats.markup import local_name, markup_of, parse_xml, text_of
from index.formats.urls import url_key
from index.models import RawRecord, UnreadableError

FEEDS = ("rss", "feed", "RDF")
SITEMAPS = ("urlset", "sitemapindex")
_NEWSML = ("newsItem", "newsMessage", "packageItem", "knowledgeItem", "conceptItem")
# Linear: a name of bounded length after what may stand before the first element.
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?[^>]{0,500}\?>\s*|<!--(?:(?!-->).){0,2000}-->\s*)*"
    rb"<(?:!DOCTYPE\s{1,9})?(?:\w{1,40}:)?(\w{1,40})[\s>/]",
    re.DOTALL,
)  # a document type has the name of the first element
_PUBLISHED_POSTS = ("", "publish")


def root_name(head: bytes) -> str:
    """The name of the first element; "" if it does not begin as XML does."""
    root = _ROOT.match(head)
    return root[1].decode("ascii", "replace") if root else ""


def _read(document: Document) -> Iterator[Item]:
    root = root_name(document.head())
    data = document.content()
    if b"<!ENTITY" in data[:HEAD_BYTES]:
        raise UnreadableError("the XML defines entities of its own, which may be a bomb: it is not read")
    if root in FEEDS:
        yield from feed_items(document, data)
    elif root in SITEMAPS:
        raise UnreadableError(
            "a sitemap: it holds addresses and no articles. `clippings index URL` follows it on the web"
        )
    elif root == "nitf":
        yield _item(document, document.place, parse_xml(data), _from_nitf)
    elif root in _NEWSML:
        items = [element for element in parse_xml(data).iter() if local_name(element) == "newsItem"]
        if not items:
            raise UnreadableError("no news item in it")
        for number, item in enumerate(items, start=1):
            place = f"item {number}" if len(items) > 1 else ""
            yield _item(
                document,
                f"{document.place}: {place}" if document.place and place else place or document.place,
                item,
                _from_newsml,
            )
    else:
        raise UnreadableError(f"XML of a kind that is not read: <{root or '?'}>; feeds, NewsML-G2 and NITF are")


def _item(document: Document, place: str, element: etree._Element, read: object) -> Item:
    assert callable(read)  # noqa: S101
    try:
        return Item(place, read(document, element))
    except UnreadableError as error:
        return Item(place, str(error))


# --- Feeds -----------------------------------------------------------------------------------------------------


def feed_items(document: Document, data: bytes) -> Iterator[Item]:
    """The entries of a feed, each a record of what the feed holds of it."""
    import feedparser

    feed = feedparser.parse(data, resolve_relative_uris=False, sanitize_html=False)
    deleted = list(_deleted(document, data)) if b"deleted-entry" in data else []
    if not feed.entries and not deleted:
        raise UnreadableError("no articles in this feed")
    yield from deleted
    number = 0
    for number, entry in enumerate(feed.entries, start=1):
        if (
            entry.get("wp_post_type", "post") not in {"post", "page"}
            or entry.get("wp_status", "") not in _PUBLISHED_POSTS
        ):
            continue  # attachments, menus and drafts of a WordPress export
        place = f"{document.place}: entry {number}" if document.place else f"entry {number}"
        content = [piece.get("value") or "" for piece in entry.get("content", [])]
        text = max([*content, entry.get("summary") or ""], key=len)
        url = entry.get("link") or entry.get("id") or ""
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
        try:
            record = document.record(text, "fragment", fields, key)
        except UnreadableError as error:
            yield Item(place, str(error))
            continue
        yield Item(place, replace(record, revision=revision_of("", when(updated or published))))


def _deleted(document: Document, data: bytes) -> Iterator[Item]:
    """The entries that an Atom feed has taken back (RFC 6721)."""
    for entry in parse_xml(data).iter("{*}deleted-entry"):
        record = document.record("withdrawn", key=url_key(entry.get("ref") or ""))
        yield Item(document.place, replace(record, withdrawn=True, revision=revision_of("", when(entry.get("when")))))


def _moment(parsed: object) -> str:
    return datetime.fromtimestamp(calendar.timegm(parsed), UTC).isoformat() if isinstance(parsed, tuple) else ""


# --- The news trade --------------------------------------------------------------------------------------------


def _from_nitf(document: Document, root: etree._Element) -> RawRecord:
    """News Industry Text Format: https://iptc.org/standards/nitf/."""
    find = root.find
    data = find(".//{*}docdata")
    data = etree.Element("docdata") if data is None else data

    def stated(name: str, attribute: str) -> str:
        element = data.find(f".//{{*}}{name}")
        return (element.get(attribute) or "") if element is not None else ""

    fields = {
        "title": text_of(find(".//{*}hedline/{*}hl1")) or text_of(find(".//{*}head/{*}title")),
        "byline": text_of(find(".//{*}byline")),
        "published": stated("date.issue", "norm") or text_of(find(".//{*}dateline/{*}story.date")),
        "outlet": text_of(find(".//{*}distributor")) or stated("doc.copyright", "holder"),
        "correction": stated("correction", "info") or stated("ed-msg", "info"),
    }
    body = find(".//{*}body.content")
    status = data.get("management-status") or ""
    version = stated("du-key", "version") or stated("doc-id", "version")
    key = stated("doc-id", "id-string") or stated("du-key", "key")
    withdrawn = is_withdrawn(status)
    record = document.record("withdrawn" if withdrawn else markup_of(body), "fragment", fields, key)
    revision, embargo = revision_of(version, when(fields["published"])), when(stated("date.release", "norm"))
    return replace(record, revision=revision, withdrawn=withdrawn, embargo=embargo)


def _from_newsml(document: Document, item: etree._Element) -> RawRecord:
    """NewsML-G2: https://iptc.org/standards/newsml-g2/. The text is NITF or XHTML inside, or plain."""
    find = item.find
    meta, content = find("{*}itemMeta"), find("{*}contentMeta")
    meta = etree.Element("itemMeta") if meta is None else meta
    content = etree.Element("contentMeta") if content is None else content
    status = meta.find("{*}pubStatus")
    status_code = (status.get("qcode") or status.get("uri") or "") if status is not None else ""
    links = [element.get("href") or "" for element in item.iter("{*}link")]
    created = text_of(content.find("{*}contentModified")) or text_of(meta.find("{*}versionCreated"))
    fields = {
        "title": text_of(content.find("{*}headline")),
        "byline": text_of(content.find("{*}by")) or text_of(content.find("{*}creator/{*}name")),
        "published": text_of(content.find("{*}contentCreated")) or text_of(meta.find("{*}firstCreated")) or created,
        "outlet": text_of(meta.find("{*}provider/{*}name")) or text_of(content.find("{*}infoSource/{*}name")),
        "url": next((link for link in links if link.startswith("http")), ""),
        "correction": text_of(meta.find("{*}edNote")),
    }  # fmt: skip
    body = next((element for element in item.iter("{*}body.content", "{*}body", "{*}inlineData")), None)
    withdrawn = is_withdrawn(status_code)
    text = "withdrawn" if withdrawn else markup_of(body)
    record = document.record(text, "fragment", fields, item.get("guid") or "")
    revision, embargo = revision_of(item.get("version"), when(created)), when(text_of(meta.find("{*}embargoed")))
    return replace(record, revision=revision, withdrawn=withdrawn, embargo=embargo)


KIND = Kind(
    "XML",
    (".xml", ".rss", ".atom", ".nitf", ".newsml"),
    _read,
    lambda head: root_name(head) in {*FEEDS, *SITEMAPS, *_NEWSML, "nitf"},
)
