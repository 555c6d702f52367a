"""Raw records -> articles: headline, outlet, byline, date, address, language and body; boilerplate apart.

The body is verbatim: its paragraphs stand in what was read to the letter, but for characters that nobody sees.
In HTML and Markdown "what was read" is the text as a reader sees it, without tags and marks.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from index.boilerplate import part
from index.models import Article, RawRecord, Source, UnreadableError
from index.published import publication_date
from index.text import fold, sentences, strip_invisible

if TYPE_CHECKING:
    from markdown_it.token import Token

CLEANER_VERSION = 2
"""Part of an article's content hash: a change of the rules cleans, and indexes, everything again."""

_LONGEST_HEADLINE = 300
_LONGEST_STAND_IN = 120
_LONGEST_NAME = 200
_LONGEST_URL = 2_000
_SHORTEST_FOR_LANGUAGE = 200
_SAMPLE_FOR_LANGUAGE = 1_000


def clean(raw: RawRecord) -> Article:
    """Understand a raw record. Raises :class:`UnreadableError` where it holds no text."""
    text, fields = _content(raw)
    if not any(character.isalnum() for character in text):
        raise UnreadableError("no text: it is empty, or holds nothing but marks and white space")
    parted = part(text, _line(fields, "title", "headline"), find_headline=raw.kind in {"text", "markdown"})
    url = _url(fields)
    when = publication_date(
        fields,
        url,
        parted.body,
        parted.boilerplate,
        fields_are="front matter" if raw.kind == "markdown" else "metadata",
    )
    source = Source(
        id=article_id(raw),
        headline=(parted.headline or _stand_in(parted.body))[:_LONGEST_HEADLINE],
        outlet=_outlet(fields, url),
        byline=_byline(fields) or parted.byline,
        published=when.date,
        published_from=when.source,
        published_certain=when.certain,
        url=url,
        path=raw.path,
        language=_language(fields, parted.body),
    )
    return Article(source, parted.body, parted.boilerplate)


def article_id(raw: RawRecord) -> str:
    """A record's own key; for a file its name and a hash of its path: ``kerman-attack-3f9a2c``."""
    if raw.key:
        return raw.key
    path = Path(raw.path).absolute()
    slug = re.sub(r"[\W_]+", "-", fold(path.stem)).strip("-")[:60] or "article"
    return f"{slug}-{hashlib.sha256(str(path).encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


def _content(raw: RawRecord) -> tuple[str, Mapping[str, object]]:
    text, found = strip_invisible(raw.text), dict[str, object]()
    if raw.kind == "html":
        text, found = _from_html(text)
    elif raw.kind == "markdown":
        text, found = _from_markdown(text)
    return strip_invisible(text), {**found, **{str(name).lower(): value for name, value in raw.fields.items()}}


def _from_html(page: str) -> tuple[str, dict[str, object]]:
    import trafilatura

    for name in ("trafilatura", "htmldate"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # it logs each page without text; the report says it once
    if "<html" not in page[:10_000].lower():  # a part of a page, which the parser would refuse
        page = f"<html><body>{page}</body></html>"
    try:
        # "extensive_search" off: it would take any day that the page happens to name for the day of publication.
        options = {"extensive_search": False, "original_date": True}
        found = trafilatura.bare_extraction(
            page, with_metadata=True, include_comments=False, date_extraction_params=options
        )
    except Exception as error:  # whatever a broken page sets off in the parser is this page's fault
        why = f"the HTML cannot be read ({type(error).__name__}); save the page again, or as text"
        raise UnreadableError(why) from error
    if found is None or isinstance(found, dict):
        raise UnreadableError("no text: no article is found on this HTML page")
    paragraphs = "\n\n".join(line for line in (found.text or "").split("\n") if line.strip())
    return paragraphs, {
        "title": found.title, "author": found.author, "date": found.date, "sitename": found.sitename,
        "url": found.url, "language": found.language,
    }  # fmt: skip


def _from_markdown(text: str) -> tuple[str, dict[str, object]]:
    """The text as it reads, paragraphs parted by blank lines, and the first heading."""
    from markdown_it import MarkdownIt

    fields: dict[str, object] = {}
    tokens = MarkdownIt("commonmark").disable(["code", "html_inline", "html_block"]).parse(text)
    paragraphs: list[str] = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "fence":
            paragraphs.append(token.content.strip("\n"))
        if token.type == "inline":
            words = "".join(_inline(token.children or ()))
            if before and before.tag == "h1":
                fields.setdefault("title", words)
            paragraphs.append(words)
    return "\n\n".join(paragraphs) or text, fields


def _inline(tokens: tuple[Token, ...] | list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in {"softbreak", "hardbreak"}:
            yield "\n"
        elif token.type != "image":
            yield token.content


def _line(fields: Mapping[str, object], *names: str, longest: int = _LONGEST_HEADLINE) -> str | None:
    """The first of these fields that is a text, on one line."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, Mapping):  # {"name": "The Times"}
            value = value.get("name")
        if isinstance(value, str) and (line := " ".join(strip_invisible(value[: 4 * longest]).split())[:longest].strip()):
            return line
    return None


def _stand_in(body: str) -> str:
    """The first sentence, cut at a word: what is shown for a headline where there is none."""
    start = body[:2_000]
    first = next(iter(sentences(start)), None)
    sentence = " ".join((start[first.start : first.end] if first else start).split())
    if len(sentence) <= _LONGEST_STAND_IN:
        return sentence
    return sentence[:_LONGEST_STAND_IN].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"


def _url(fields: Mapping[str, object]) -> str | None:
    value = fields.get("url") or fields.get("link")
    if not isinstance(value, str) or len(value) > _LONGEST_URL or re.search(r"[\s<>\"]", strip_invisible(value).strip()):
        return None
    value = strip_invisible(value).strip()
    return value if _host(value) else None


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in {"http", "https"} else None


def _outlet(fields: Mapping[str, object], url: str | None) -> str | None:
    outlet = _line(fields, "outlet", "source", "sitename", "site_name", "publisher", longest=_LONGEST_NAME)
    host = _host(outlet or "") or (None if outlet else _host(url or ""))
    return host.removeprefix("www.") if host else outlet


def _byline(fields: Mapping[str, object]) -> str | None:
    fields = {
        name: ", ".join(one for one in value if isinstance(one, str)) if isinstance(value, list) else value
        for name, value in fields.items()
        if name in {"byline", "author", "authors"}
    }
    line = _line(fields, "byline", "author", "authors", longest=_LONGEST_NAME)
    return re.sub(r"^(?i:by)\s+", "", line) if line else None


def _language(fields: Mapping[str, object], body: str) -> str | None:
    stated = _line(fields, "language", "lang", longest=_LONGEST_NAME)
    if stated and (match := re.match(r"([A-Za-z]{2,3})(?:[-_]\w+)*$", stated)):
        return match[1].lower()
    if len(body) < _SHORTEST_FOR_LANGUAGE:
        return None
    import py3langid

    return str(py3langid.classify(body[:_SAMPLE_FOR_LANGUAGE])[0])
