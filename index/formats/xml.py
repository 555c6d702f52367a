"""XML, by its first element: feeds, sitemaps and the forms of the news trade."""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.formats.document import HEAD_BYTES, Document, Item, Kind
from index.formats.feed import feed_items
from index.formats.trade import TRADE, trade_items
from index.models import UnreadableError

FEEDS = ("rss", "feed", "RDF")
SITEMAPS = ("urlset", "sitemapindex")
# Linear: a name of bounded length after what may stand before the first element.
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?[^>]{0,500}\?>\s*|<!--(?:(?!-->).){0,2000}-->\s*)*"
    rb"<(?:!DOCTYPE\s{1,9})?(?:\w{1,40}:)?(\w{1,40})[\s>/]",
    re.DOTALL,
)  # a document type has the name of the first element


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
    elif root in TRADE:
        yield from trade_items(document, root, data)
    elif root in SITEMAPS:
        raise UnreadableError("a sitemap, which holds addresses: `clippings index URL` follows it on the web")
    else:
        raise UnreadableError(f"XML of a kind that is not read: <{root or '?'}>; feeds, NewsML and NITF are")


KIND = Kind(
    "XML", (".xml", ".rss", ".atom", ".nitf", ".newsml"), _read,
    lambda head: root_name(head) in {*FEEDS, *SITEMAPS, *TRADE},
)  # fmt: skip
