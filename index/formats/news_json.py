"""JSON as tools and news APIs give it: a file of records, or a record a line.

The names of a record's fields are those of NewsAPI, the Guardian, the New York Times, Media Cloud, Event Registry,
WordPress, JSON Feed, Elasticsearch, news-please, fundus, ninjs and the like, and our own: ``{"id", "title", "text",
"published", "url", "outlet", …}``.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from io import TextIOWrapper
from itertools import chain
from typing import IO, Any

from index.formats.decode import decode, refuse_binary, replace_surrogates, wide_encoding
from index.formats.document import MAX_ARTICLE_BYTES, Document, Item, Kind, too_large
from index.formats.editions import (
    CORRECTIONS,
    DRAFT,
    PUBLISHED_POSTS,
    correction_note,
    embargo_until,
    is_withdrawn,
    revision_of,
    when,
)
from index.formats.urls import url_key
from index.models import RawRecord, UnreadableError

MAX_JSON_BYTES = 50_000_000  # of a .json file, which is parsed whole; .jsonl may have any size

_MAX_SHOWN_CHARACTERS = 80
_MAX_CONTAINERS = 4  # {"response": {"docs": [...]}}
_STRINGS = ("title", "text", "published", "url", "outlet")
_LISTS = (
    "articles", "results", "items", "docs", "posts", "response", "hits", "stories", "news", "documents", "entries",
    "item", "data",
)  # fmt: skip
# Of the whole article, best first; "." leads into an object, or into the first of a list.
_TEXTS = (
    "text", "maintext", "plaintext", "plain_text", "bodyText", "fields.bodyText", "body_text", "articleBody",
    "story_text", "full_text", "fulltext", "content_html", "content_text", "content.rendered", "content", "body_xhtml",
    "body_html", "body", "fields.body", "bodies.value", "content.value",
)  # fmt: skip
_TEASERS = (
    "abstract", "lead_paragraph", "description", "summary", "excerpt.rendered", "excerpt", "snippet",
    "fields.trailText", "description_text",
)  # fmt: skip
_FIELDS: Mapping[str, Sequence[str]] = {
    "title": ("title", "title.rendered", "headline", "headline.main", "fields.headline", "webTitle", "headlines.value"),
    "url": (
        "url",
        "link",
        "webUrl",
        "web_url",
        "canonical_url",
        "external_url",
        "permalink",
        "guid.rendered",
        "uri",
        "id",
    ),
    "outlet": (
        "outlet",
        "source.title",
        "source.name",
        "source",
        "publication",
        "publisher.name",
        "publisher",
        "media_name",
        "site_name",
        "sitename",
        "fields.publication",
        "source_domain",
        "domain",
        "copyrightholder",
        "infosource.name",
        "infosource",
        "infosources.name",
    ),
    "byline": (
        "byline",
        "byline.original",
        "author.name",
        "author",
        "authors",
        "fields.byline",
        "_embedded.author",
        "by",
        "creator",
    ),
    "published": (
        "published",
        "published_at",
        "publishedAt",
        "published_date",
        "webPublicationDate",
        "pub_date",
        "pubDate",
        "date_published",
        "datePublished",
        "date_publish",
        "publishing_date",
        "publish_date",
        "publishDate",
        "publication_date",
        "dateTimePub",
        "dateTime",
        "firstcreated",
        "date",
        "created_at",
        "versioncreated",
        "timestamp",
    ),
    "retrieved": ("date_download", "seendate", "indexed_date", "crawled_at", "scraped_at"),
    "language": ("language", "lang"),
    "section": ("section", "sectionName", "section_name", "category"),
}
_UPDATED = (
    "updated", "updated_at", "updatedAt", "modified_gmt", "modified", "date_modified", "dateModified", "date_modify",
    "fields.lastModified", "last_modified", "versioncreated",
)  # fmt: skip
_EDITION = ("version", "pubstatus", "embargoed", *CORRECTIONS)  # what the sender says of this version
_CUT_OFF = re.compile(r"\[\+?\d{1,9} chars\]$")  # NewsAPI gives 200 characters, GNews some more
_MAX_CUT_OFF_CHARACTERS = 20
_NOT_SOLD = re.compile(r"ONLY AVAILABLE IN [A-Z ]{1,60} PLANS?")  # what newsdata.io writes in place of a text
_MARKUP = re.compile(
    r"</(?:p|div|a|h[1-6]|li|ul|ol|em|strong|b|i|span|figure|blockquote|table)\s*>|<br\s*/?>|<p>", re.IGNORECASE
)
_SEPARATOR_AT_END = re.compile(r"(?<=\S)\s{1,3}[-–—|]\s{1,3}\Z")
_TAG = re.compile(r"<[^<>]{0,300}>")
_NO_WORD = re.compile(r"[\W_]+")
_KNOWN = frozenset(
    path.partition(".")[0]
    for path in ("id", *_TEXTS, *_TEASERS, *chain.from_iterable(_FIELDS.values()), *_UPDATED, *_EDITION)
)
_TEXT_NAMES = {path.partition(".")[0] for path in (*_TEXTS, *_TEASERS)}
_SPELLINGS = {_NO_WORD.sub("", name.lower()): name for name in sorted(_KNOWN, reverse=True)}


def _read_lines(document: Document) -> Iterator[Item]:
    head = document.head()
    if not head:
        raise UnreadableError("the file is empty")
    refuse_binary(head)
    empty = True
    for number, line in enumerate(_lines(document.file, wide_encoding(head)), start=1):
        place = f"line {number}"
        if isinstance(line, int):
            yield Item(place, too_large(line))
        elif line.strip():
            try:
                yield item_of(document, place, _parse(line.strip()))
            except UnreadableError as error:
                yield Item(place, str(error))
        else:
            continue
        empty = False
    if empty:
        raise UnreadableError("no text in it")


def _lines(opened: IO[bytes], wide: str | None) -> Iterator[str | int]:
    """The lines of a file, each decoded by itself; of a line that is too long only the size."""
    # Bytes that are not UTF-8 pass as surrogates, and only their line is decoded again.
    errors = "replace" if wide else "surrogateescape"
    with TextIOWrapper(opened, encoding=wide or "utf-8-sig", errors=errors, newline="\n") as reader:
        while line := reader.readline(MAX_ARTICLE_BYTES + 1):
            if len(line) <= MAX_ARTICLE_BYTES:
                yield line if wide or line.isascii() else decode(line.encode("utf-8", "surrogateescape"))
                continue
            size = len(line)
            while not line.endswith("\n") and (line := reader.readline(MAX_ARTICLE_BYTES)):
                size += len(line)
            yield size


def _read_json(document: Document) -> Iterator[Item]:
    text = decode(document.text_content(MAX_JSON_BYTES, "a .json file (unlike .jsonl)"))
    if not text.strip():
        raise UnreadableError("no text in it")
    try:
        value = _parse(text)
    except UnreadableError:
        if not _is_lines(text.encode()[:MAX_ARTICLE_BYTES]):
            raise
        yield from _read_lines(document)
        return
    outlet = ""
    if isinstance(value, dict) and "jsonfeed.org" in str(value.get("version")):
        outlet = str(value.get("title") or "")
    records = _contained(value)
    if not isinstance(records, list):
        yield Item(document.place, record_of(document, records, outlet))
        return
    if not records:
        raise UnreadableError("no articles in it")
    for number, record in enumerate(records, start=1):
        yield item_of(document, f"record {number}", record, outlet)


def _contained(value: object) -> object:
    """The list of records inside the objects that an API wraps it in; else the record."""
    for _ in range(_MAX_CONTAINERS):
        if not isinstance(value, dict) or any(isinstance(_at(value, name), str) for name in _TEXTS):
            break
        inner = next((value[name] for name in (*_LISTS, "content") if isinstance(value.get(name), list | dict)), None)
        if inner is None or (isinstance(inner, list) and not all(isinstance(item, dict) for item in inner[:1])):
            break
        value = inner
    return value


_REMOVED = "[Removed]"  # NewsAPI's text of an article that its outlet took back


def item_of(document: Document, place: str, value: object, outlet: str = "") -> Item:
    """A record, or why it is none, at its place in the file."""
    place = f"{document.place}: {place}" if document.place else place
    try:
        return Item(place, record_of(document, value, outlet))
    except UnreadableError as error:
        return Item(place, str(error))


def record_of(document: Document, value: object, outlet: str = "") -> RawRecord:
    """A raw record from a JSON object. Raises UnreadableError if it has no text."""
    if isinstance(value, dict) and isinstance(value.get("_source"), dict):  # of Elasticsearch
        value = {"_id": value.get("_id"), **value["_source"]}
    value = _checked(_with_known_names(value))
    fields = {name: item for name, item in value.items() if name not in {"id", "text"}}
    fields |= {name: text for name, paths in _FIELDS.items() if (text := _field(value, name, paths))}
    if outlet:
        fields.setdefault("outlet", outlet)
    if isinstance(title := fields.get("title"), str) and isinstance(named := fields.get("outlet"), str):
        fields["title"] = _without_outlet(title, named)
    text, fields["correction"] = _text(value), correction_note(value)
    withdrawn = any(map(is_withdrawn, _statuses(value))) or text.strip() == _REMOVED
    kind = "fragment" if "<" in text and _MARKUP.search(text) else "record"
    if _is_draft(value):
        withdrawn, kind = True, DRAFT
    elif withdrawn:
        pass  # a kill need not have a text
    elif not text and fields.get("title") and fields.get("url"):
        text, kind = str(fields["title"]), "headline"
    elif not text:
        raise UnreadableError(_why_no_text(value))
    if kind == "record" and value.get("text") != text:
        text = html.unescape(text)
    fields = {name: item for name, item in fields.items() if item not in ("", None) or name in value}
    record = document.record("withdrawn" if withdrawn else text, kind, fields, _key(value, fields, text))
    known = (path for path in _UPDATED if path.partition(".")[0] in value)
    updated = next((moment for path in known if (moment := when(_at(value, path)))), None)
    return replace(
        record,
        revision=revision_of(value.get("version"), updated),
        withdrawn=withdrawn,
        is_whole=text in (_joined(_at(value, name), "\n\n") for name in _TEXTS),
        embargo=embargo_until(embargoed := value.get("embargoed"), is_embargoed=bool(embargoed)),
    )


def _without_outlet(title: str, outlet: str) -> str:
    """``"Weir to be rebuilt - The Arden Post" -> "Weir to be rebuilt"``, of a record that names that outlet."""
    head = title.removesuffix(outlet)
    return _SEPARATOR_AT_END.sub("", head) if _SEPARATOR_AT_END.search(head) else title


def _with_known_names(value: object) -> object:
    """Rename the keys that only capitals, blanks or hyphens tell from a known one: ``"Published Date"``."""
    if not isinstance(value, dict):
        return value
    names = {name: _SPELLINGS.get(_NO_WORD.sub("", name.lower()), name) for name in value if name not in _KNOWN}
    return {known if (known := names.get(name, name)) not in value else name: held for name, held in value.items()}


def _statuses(value: Mapping[str, Any]) -> list[object]:
    """The publishing status, which ninjs has in the record itself, and others in an object about it."""
    objects = [value, *(held for held in value.values() if isinstance(held, dict))]
    return [held for each in objects for name, held in each.items() if _NO_WORD.sub("", name.lower()) == "pubstatus"]


def _is_draft(value: Mapping[str, Any]) -> bool:
    """Whether WordPress says that a post is not published."""
    held = (value.get(name) for name in ("guid", "title", "content"))
    is_post = any(isinstance(text, dict) and "rendered" in text for text in held)
    return is_post and str(value.get("status") or "") not in PUBLISHED_POSTS


def _checked(value: object) -> dict[str, Any]:
    """A record whose keys hold what they should. Raises UnreadableError."""
    if not isinstance(value, dict):
        raise UnreadableError(f"{_json_type(value)}, not an object with a text")
    for name in _STRINGS:
        allowed = {"published": str | int | float, "title": str | dict, "outlet": str | dict}.get(name, str)
        if value.get(name) is not None and (isinstance(value[name], bool) or not isinstance(value[name], allowed)):
            raise UnreadableError(f'its "{name}" is {_json_type(value[name])}, not a string')
    if isinstance(value.get("id"), (bool, list, dict)):
        raise UnreadableError(f'its "id" is {_json_type(value["id"])}, not a string or a number')
    return value


def _why_no_text(value: Mapping[str, Any]) -> str:
    if any(isinstance(_at(value, name), str) for name in _TEXTS):
        return "no text in it"
    return f'no "text" among its keys: {_shortened(", ".join(value))}'


def _text(value: Mapping[str, Any]) -> str:
    whole = next((text for name in _TEXTS if (text := _joined(_at(value, name), "\n\n")).strip()), "")
    end = whole.rstrip()
    cut_off = _CUT_OFF.search(end, max(0, len(end) - _MAX_CUT_OFF_CHARACTERS))
    if whole and not cut_off:
        return whole
    whole = f"{end[: cut_off.start()].rstrip(' .…')} …" if cut_off else ""
    pieces = [text for name in _TEASERS if (text := _joined(_at(value, name), "\n\n").strip())]
    pieces = list(dict.fromkeys([*pieces, whole] if whole else pieces))
    alone = [piece for piece in pieces if not any(piece != other and piece.rstrip(" …") in other for other in pieces)]
    return "\n\n".join(alone)


def _field(value: Mapping[str, Any], name: str, paths: Sequence[str]) -> str | int | float:
    for path in paths:
        if path.partition(".")[0] not in value:
            continue
        held = _at(value, path)
        if name in {"published", "retrieved"} and isinstance(held, int | float) and not isinstance(held, bool):
            return held
        held = held.isoformat() if isinstance(held, date) else held  # of a table with types
        text = _joined(held, ", ")
        if name == "url" and not text.startswith(("http://", "https://")):
            continue
        if text.strip():
            return html.unescape(_TAG.sub("", text)).strip() if name in {"title", "byline"} else text.strip()
    return ""


def _at(value: object, path: str) -> object:
    """What stands at a path: ``"byline.original"``. Of a list the first item counts."""
    for name in path.split("."):
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = value[0]
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _joined(value: object, between: str) -> str:
    """The text of a value: of a list all its texts, or the names in it; of fundus' body its sections."""
    if isinstance(value, str):
        return "" if _NOT_SOLD.fullmatch(value) else value
    if isinstance(value, list):
        return between.join(text for item in value if (text := _joined(item, between)))
    if isinstance(value, dict):
        parts = [value.get(name) for name in ("name", "summary", "headline", "sections", "paragraphs", "original")]
        return between.join(text for part in parts if (text := _joined(part, between)))
    return ""


def _key(value: Mapping[str, Any], fields: Mapping[str, Any], text: str) -> str:
    """What the record is known by: its id; else its address; else a hash of its content.

    WordPress counts its posts, so that the ids of two sites are alike: there the address counts.
    """
    counted = isinstance(value.get("id"), int) and isinstance(value.get("guid"), dict)
    names = (
        ("_id", "uri", "uuid", "guid", "stories_id") if counted else ("id", "_id", "uri", "uuid", "guid", "stories_id")
    )
    identity = next((value[name] for name in names if isinstance(value.get(name), str | int)), None)
    key = "" if identity is None else str(identity).strip()
    if key and not key.startswith(("http://", "https://")):
        return key
    if url := key or str(fields.get("url", "")):
        return url_key(url)
    # The line number would change with every line put before it.
    return hashlib.sha256("\0".join(str({**value, "text": text}.get(name)) for name in _STRINGS).encode()).hexdigest()[
        :16
    ]


def _parse(text: str) -> object:
    try:
        # strict=False: a raw tab in a string does no harm; NaN is how some tools write an absent field.
        value = json.loads(text, strict=False, parse_constant=lambda _: None, parse_float=_finite)
        return replace_surrogates(value) if "\\u" in text else value
    except json.JSONDecodeError as error:
        where = f"on line {error.lineno}" if error.lineno > 1 else f"at character {error.pos + 1}"
        raise UnreadableError(f"invalid JSON {where}: {error.msg}") from None
    except ValueError:
        raise UnreadableError("invalid JSON: a number in it is too large") from None
    except RecursionError:
        raise UnreadableError("invalid JSON: nested too deeply") from None


def _finite(digits: str) -> float:
    if math.isinf(number := float(digits)):
        raise ValueError(digits)
    return number


def _json_type(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list"}
    return "null" if value is None else names.get(type(value), "an object")


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}…"


def _is_lines(head: bytes) -> bool:
    """Whether the first two lines are an object each."""
    lines = head.lstrip(b"\xef\xbb\xbf \r\n").split(b"\n", 2)
    return len(lines) > 1 and all(line.strip().startswith(b"{") and line.strip().endswith(b"}") for line in lines[:2])


def _is_json(head: bytes) -> bool:
    return bool(re.match(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*\"", head))


def is_header(names: Sequence[str]) -> bool:
    """Whether these are the names of a table's columns: one of the text, and one of what is known of it."""
    known = [_SPELLINGS.get(_NO_WORD.sub("", name.lower()), "") for name in names]
    fields = {path.partition(".")[0] for paths in _FIELDS.values() for path in paths}
    return all(names) and len(set(names)) == len(names) and bool(_TEXT_NAMES & {*known}) and bool(fields & {*known})


LINES = Kind(
    "JSON lines",
    (".jsonl", ".ndjson"),
    _read_lines,
    lambda head: _is_json(head) and _is_lines(head),
    weak=True,
    in_process=False,
)
JSON = Kind("JSON", (".json",), _read_json, _is_json, weak=True, in_process=False)
