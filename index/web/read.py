"""Addresses -> raw records: a page, a feed and the pages it names, a sitemap and the pages it names.

A feed that holds whole articles is read alone; of one with teasers or short articles the pages are fetched, and of a
page that cannot be read the article of the feed is taken. What has not changed since the last time is not fetched.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import PurePosixPath
from tempfile import NamedTemporaryFile
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from index.cleaning.walls import FETCHED
from index.formats.document import HEAD_BYTES
from index.formats.editions import revision_of, when
from index.formats.fragment import fragment_text
from index.formats.markup import local_name, parse_xml, text_of
from index.formats.registry import File, kind_of
from index.formats.urls import canonical, url_key
from index.formats.xml import FEEDS, SITEMAPS, root_name
from index.load import Reader, printable
from index.models import Failure, RawRecord, UnreadableError
from index.text import sentences
from index.web.fetch import MAX_BYTES, Client, GoneError, LaterError, Reply

MAX_PAGES = 200  # of a feed or a sitemap, in one run: at a page a second it takes three minutes
MIN_WHOLE_CHARACTERS = 800  # of an entry that is taken for the whole article
DEFAULT_SOURCE_SECONDS, MAX_SOURCE_SECONDS = 900.0, 86_400.0  # between two looks at a source
_MIN_SENTENCES = 2  # of an entry that is taken for a page that cannot be read
_CUT_OFF = re.compile(r"(?:…|\.\.\.|(?i:read more|continue reading|weiterlesen|lire la suite))[\s\]).:»>→]{0,9}\Z")
_TTL = re.compile(rb"<ttl>\s{0,9}(\d{1,6})\s{0,9}</ttl>")
_MAX_SITEMAPS = 20
_LINK = re.compile(r"<link\b[^<>]{0,1000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"([a-z]{2,20})\s{0,9}=\s{0,9}(?:\"([^\"<>]{0,1000})\"|'([^'<>]{0,1000})'|([^\s\"'<>]{1,1000}))", re.IGNORECASE
)
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_ENDINGS = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "application/pdf": ".pdf",
    "application/json": ".json", "application/feed+json": ".json", "text/markdown": ".md", "text/csv": ".csv",
}  # fmt: skip


class Marks(NamedTuple):
    """What a site said of the version that was read last; ``due``: the ISO time at which it is to be asked again."""

    etag: str = ""
    modified: str = ""
    due: str = ""


class _Page(NamedTuple):
    """A page that a feed or a sitemap names."""

    url: str
    revision: str = ""
    teaser: RawRecord | None = None

    @property
    def instead(self) -> RawRecord | None:
        """What the feed holds of a page that cannot be read, if it is a text and no teaser."""
        if self.teaser is None or not self.teaser.is_whole:
            return None
        text = _text(self.teaser)
        return self.teaser if len(sentences(text)) >= _MIN_SENTENCES and not _CUT_OFF.search(text) else None


@dataclass(slots=True)
class WebReader:
    """Reads addresses. ``is_current``: whether the record of a key is indexed, in this revision or a later one."""

    client: Client
    reader: Reader
    is_current: Callable[[str, str], bool]
    marks: dict[str, Marks] = field(default_factory=dict)  # by address, for the next time
    _seen: set[str] = field(default_factory=set)

    def read(self, url: str, *, is_source: bool = False) -> Iterator[RawRecord | Failure]:
        """The articles at an address. The home page of a site, or any page if it is a source, stands for its feed."""
        source, pace = url, DEFAULT_SOURCE_SECONDS
        try:
            reply = self.client.get(url, *self._marks(url))
            pace = max(pace, reply.max_age)
            if reply.body is None:
                return
            feed = feed_link(reply) if is_source or urlsplit(url).path in {"", "/"} else ""
            if feed:
                self.marks.pop(url, None)
                reply = self.client.get(url := feed, *self._marks(feed))
                pace = max(DEFAULT_SOURCE_SECONDS, reply.max_age)
            if reply.body is None:
                return
            if ttl := _TTL.search(reply.body[:HEAD_BYTES]):
                pace = max(pace, 60.0 * int(ttl[1]))
            is_whole = True
            for item in self._content(reply):
                is_whole &= isinstance(item, RawRecord) and not item.embargo
                yield item
            # What was left out is to be read the next time, though the site has nothing new.
            self.marks[url] = Marks(reply.etag, reply.modified) if is_whole else Marks()
        except GoneError as error:
            yield from self._gone(url, url_key(url), error)
        except UnreadableError as error:
            pace = error.seconds if isinstance(error, LaterError) else pace
            yield _failure(url, str(error))
        finally:
            due = datetime.now(UTC) + timedelta(seconds=min(pace, MAX_SOURCE_SECONDS))
            self.marks[source] = self.marks.get(source, Marks())._replace(due=due.isoformat(timespec="seconds"))

    def _marks(self, url: str) -> tuple[str, str]:
        return self.marks.get(url, Marks())[:2]

    def _content(self, reply: Reply) -> Iterator[RawRecord | Failure]:
        body = reply.body or b""
        root = root_name(body[:HEAD_BYTES])
        if root in SITEMAPS:
            yield from self._pages(reply.url, self._in_sitemap(reply.url, body))
        elif root in FEEDS or body.lstrip().startswith((b"[", b"{")):
            yield from self._feed(reply)
        else:
            now = revision_of("", datetime.now(UTC))  # later than what a feed said of it
            for item in self._document(reply):
                yield item if isinstance(item, Failure) or item.revision else replace(item, revision=now)

    def _feed(self, reply: Reply) -> Iterator[RawRecord | Failure]:
        pages = list[_Page]()
        for item in self._document(reply):
            if isinstance(item, Failure) or item.withdrawn:
                yield item
                continue
            stated = str(item.fields.get("url") or "")
            link = _joined(reply.url, stated) if stated else ""
            entry = replace(item, path=link, fields={**item.fields, "url": link}) if link else item
            if entry.key in self._seen:
                continue  # in two feeds, or twice in one
            self._seen.add(entry.key)
            if len(_text(entry)) >= MIN_WHOLE_CHARACTERS or link in {"", reply.url}:
                yield entry
            elif not self.is_current(entry.key, entry.revision):
                pages.append(_Page(link, entry.revision, entry))
        yield from self._pages(reply.url, pages)

    def _pages(self, source: str, pages: list[_Page]) -> Iterator[RawRecord | Failure]:
        """Fetch pages, the first MAX_PAGES that are new or changed."""
        wanted = [page for page in pages if page.teaser or not self.is_current(url_key(page.url), page.revision)]
        for page in wanted[:MAX_PAGES]:
            try:
                for item in self._document(self.client.get(page.url)):
                    if isinstance(item, Failure):
                        yield page.instead or item
                    elif page.teaser:  # the feed knows the key, the day and the headline
                        known = {name: value for name, value in page.teaser.fields.items() if value}
                        fields = {**item.fields, **known}
                        known_by = replace(item, key=page.teaser.key, revision=page.revision, fields=fields)
                        yield replace(known_by, instead=page.instead)
                    else:
                        yield replace(item, revision=page.revision)
            except GoneError as error:
                yield from self._gone(page.url, page.teaser.key if page.teaser else url_key(page.url), error)
            except UnreadableError as error:
                is_for_now = isinstance(error, LaterError)
                yield (None if is_for_now else page.instead) or _failure(page.url, str(error))
        if len(wanted) > MAX_PAGES:
            left = len(wanted) - MAX_PAGES
            yield _failure(source, f"{MAX_PAGES} pages were read, and {left} are left for the next run: read it again")

    def _document(self, reply: Reply) -> Iterator[RawRecord | Failure]:
        """The records of what was fetched, whatever kind it is, known by its address."""
        name = PurePosixPath(urlsplit(reply.url).path).name or "page"
        ending = _ENDINGS.get(reply.content_type, "")
        body = reply.body or b""
        if kind_of(name, body[:HEAD_BYTES]) is None or ending == ".html":
            name += ending
        if kind_of(name, body[:HEAD_BYTES]) is None:
            raise UnreadableError(f"not a kind that is read: {reply.content_type or name}")
        with NamedTemporaryFile(prefix="clippings-") as file:
            file.write(body)
            file.flush()
            for item in self.reader.read(File(file.name, reply.url, name)):
                if isinstance(item, Failure):
                    yield item
                elif item.kind == "html" or not item.key:
                    fields = {"url": canonical(reply.url), **item.fields, FETCHED: True}
                    yield replace(item, key=item.key or url_key(reply.url), path=reply.url, fields=fields)
                else:  # an API's address may hold a key
                    yield replace(item, path=printable(str(item.fields.get("url") or reply.url.partition("?")[0])))

    def _gone(self, url: str, key: str, error: Exception) -> Iterator[RawRecord | Failure]:
        """A page that was taken down is withdrawn, if it is indexed."""
        if self.is_current(key, ""):
            now = revision_of("", datetime.now(UTC))
            yield RawRecord(url, key, "withdrawn", "text", {"url": url}, revision=now, withdrawn=True)
        else:
            yield _failure(url, str(error))

    def _in_sitemap(self, url: str, body: bytes) -> list[_Page]:
        """The pages of a sitemap and of those that it names, newest first."""
        waiting, pages, seen = [(url, body)], list[_Page](), {url}
        while waiting:
            _, content = waiting.pop(0)
            root = parse_xml(content)
            for entry in root.iterchildren():
                found = text_of(entry.find("{*}loc"))
                if not found:
                    continue
                day = text_of(entry.find("{*}lastmod")) or text_of(entry.find(".//{*}publication_date"))
                if local_name(entry) == "url":
                    pages.append(_Page(found, revision_of("", when(day))))
                elif found not in seen and len(seen) <= _MAX_SITEMAPS:
                    seen.add(found)
                    waiting.append((found, _unpacked(self.client.get(found).body or b"")))
        return sorted(pages, key=lambda page: page.revision, reverse=True)


def read_once(url: str, web_hosts: frozenset[str]) -> Iterator[RawRecord | Failure]:
    """The articles at an address, whether they are indexed or not."""
    with closing(Reader(Counter(), for_web=True)) as reader:
        yield from WebReader(Client(web_hosts), reader, lambda *_: False).read(url)


def feed_link(reply: Reply) -> str:
    """The feed that a page names in its head; "" for none, or for what is no page."""
    body = reply.body or b""
    if "html" not in reply.content_type:
        return ""
    for link in _LINK.findall(body[:500_000].decode("utf-8", "replace")):
        held = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(link)}
        is_feed = held.get("type", "").lower() in _FEED_TYPES and "alternate" in held.get("rel", "").lower()
        if is_feed and held.get("href") and "comment" not in held.get("title", "").lower():
            return _joined(reply.url, str(held["href"]))
    return ""


def _text(record: RawRecord) -> str:
    return fragment_text(record.text)[0] if record.kind == "fragment" else record.text


def _joined(base: str, link: str) -> str:
    """A link of a page, as a whole address."""
    try:
        return printable(urljoin(base, link.strip()))
    except ValueError:  # no host at all: "http://[x"
        return base


def _unpacked(body: bytes) -> bytes:
    """A sitemap that may be compressed. Raises UnreadableError if it is too large."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        with gzip.open(BytesIO(body)) as opened:
            content = opened.read(MAX_BYTES + 1)
    except (OSError, EOFError) as error:
        raise UnreadableError("the compressed sitemap is damaged") from error
    if len(content) > MAX_BYTES:
        raise UnreadableError("the sitemap is too large")
    return content


def _failure(url: str, reason: str) -> Failure:
    return Failure(printable(url), printable(reason))
