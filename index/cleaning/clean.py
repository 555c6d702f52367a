"""Raw records -> articles: headline, outlet, byline, publication date, URL, language and body; boilerplate apart.

The body is verbatim: its paragraphs stand in the source to the letter, except for invisible characters and footnote
marks, in Unicode's composed form (NFC). The source of HTML and Markdown is the text as a reader sees it.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from index.cleaning.boilerplate import split_page
from index.cleaning.boilerplate_patterns import AGENCY
from index.cleaning.footnotes import plain_scripts, without_markdown_marks, without_marks
from index.cleaning.live import with_times
from index.cleaning.page import page_names, states
from index.cleaning.published import GUESSED, dateline_credit, publication_date
from index.cleaning.split_body import merge_split_body
from index.cleaning.top_lines import names_outlet
from index.cleaning.walls import FETCHED, is_listing, notice, wall, wall_without_text
from index.formats.document import FILE_AUTHOR
from index.formats.fragment import fragment_text
from index.formats.scan import RECOGNIZED
from index.models import Article, Boilerplate, RawRecord, Source, UnreadableError
from index.text import composed, sentences, strip_invisible, unaccented

if TYPE_CHECKING:
    from lxml.html import HtmlElement
    from markdown_it.token import Token
    from trafilatura.settings import Document

CLEANER_VERSION = 10
"""Part of an article's digest: a new version cleans and indexes every article again."""

DEFAULT_OUTLET = "default outlet"
"""The field with the outlet of articles that name none."""

RECOGNIZED_NOTE = "The text was recognized in a picture (OCR): letters and figures may be wrong."
_MAX_HEADLINE_CHARACTERS = 300
_MAX_FIRST_SENTENCE_CHARACTERS = 120
_MAX_NAME_CHARACTERS = 200
_MAX_URL_CHARACTERS = 2_000
_ROW = re.compile(r"\s*\|.*\|\s*$")
_BESIDE = {"figcaption": "caption", "nav": "navigation", "aside": "related", "footer": "notice"}
_MAX_BESIDE, _MAX_BESIDE_CHARACTERS = 20, 300
_MIN_LANGUAGE_CHARACTERS, _MAX_LANGUAGE_CHARACTERS = 200, 1_000


def clean(raw: RawRecord) -> Article:
    """Clean a raw record. Raises UnreadableError if it holds no text."""
    text, fields = content(raw)
    is_page = raw.kind == "html"
    if (is_page and (why := notice(raw.text, text))) or (fields.get(FETCHED) and (why := wall(raw.text, text))):
        raise UnreadableError(why)
    if not any(character.isalnum() for character in text):
        raise UnreadableError("no text: it is empty, or holds nothing but marks and white space")
    page = split_page(text, _line(fields, "title", "headline"), find_headline=raw.kind in {"text", "markdown"})
    url = _url(fields)
    fields_are = "front matter" if raw.kind == "markdown" else "metadata"
    published = publication_date(fields, url, page.body, page.boilerplate, fields_are=fields_are)
    source = Source(
        id=article_id(raw),
        headline=(page.headline or _first_sentence(page.body))[:_MAX_HEADLINE_CHARACTERS],
        outlet=_outlet(fields, url, page.outlet) or _credited(page.body),
        byline=_byline(fields) or page.byline or _line(fields, FILE_AUTHOR, limit=_MAX_NAME_CHARACTERS),
        published=published.date,
        published_from=published.source,
        published_certain=published.certain,
        url=url,
        path=raw.path,
        language=_language(fields, page.body),
    )
    beside = tuple(_beside(raw.text, page.body)) if raw.kind in {"html", "fragment"} else ()
    correction = _line(fields, "correction", limit=_MAX_BESIDE_CHARACTERS)
    notes = [Boilerplate("correction", correction)] if correction else []
    notes += [Boilerplate("note", RECOGNIZED_NOTE)] if fields.get(RECOGNIZED) else []
    return Article(source, page.body, (*page.boilerplate, *notes, *beside))


def article_id(raw: RawRecord) -> str:
    """The key of a record; for a file its name and a hash of its path: ``kerman-attack-3f9a2c``."""
    if raw.key:
        return raw.key
    path = Path(raw.path).absolute()
    slug = re.sub(r"[\W_]+", "-", unaccented(path.stem)).strip("-")[:60] or "article"
    return f"{slug}-{hashlib.sha256(str(path).encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


def content(raw: RawRecord) -> tuple[str, Mapping[str, object]]:
    """The text as a reader sees it, and the fields of container and page; the container's go first."""
    text, page_fields = strip_invisible(raw.text), dict[str, object]()
    if raw.kind == "html":
        text, page_fields = _from_html(plain_scripts(text))
    elif raw.kind == "fragment":
        text, title = fragment_text(plain_scripts(text))
        page_fields = {"title": title}
    elif raw.kind == "markdown":
        text, page_fields = _from_markdown(without_markdown_marks(plain_scripts(text)))
    return readable(text), page_fields | {str(name).lower(): value for name, value in raw.fields.items()}


def readable(text: str) -> str:
    """Text without invisible characters and footnote marks, composed; doing it again changes nothing."""
    return composed(without_marks(composed(strip_invisible(text))))


def _from_html(page: str) -> tuple[str, dict[str, object]]:
    import trafilatura

    for name in ("trafilatura", "htmldate"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # each page without text is logged; the report has it
    if "<html" not in page[:10_000].lower():  # the parser refuses a fragment of a page
        page = f"<html><body>{page}</body></html>"
    try:
        tree = trafilatura.load_html(page)
        document = _extract(page if tree is None else tree)
        if tree is not None and document and merge_split_body(tree, document.text or ""):
            document = _extract(tree) or document
    except Exception as error:  # the parser raises anything on a broken page
        why = f"the HTML cannot be read ({type(error).__name__}); save the page again, or as text"
        raise UnreadableError(why) from error
    if document is None or tree is None:
        raise UnreadableError(wall_without_text(page) or "no text: no article is found on this HTML page")
    if is_listing(document.title or ""):
        raise UnreadableError("it is a list of the files in a folder of a web server, and no article")
    paragraphs = "\n\n".join(_paragraphs(with_times(tree, document.text or "")))
    fields = {name: getattr(document, name) for name in ("title", "author", "date", "sitename", "url", "language")}
    persons = "; ".join(name for name in (document.author or "").split("; ") if not names_outlet(name))
    host = (host_of(document.url or "") or "").removeprefix("www.")
    names = page_names(tree, document.title or "", document.sitename or "", host)
    if not document.date or not states(tree, document.date):
        fields[GUESSED] = fields.pop("date") or _guessed_date(page)
    return paragraphs, fields | {
        "title": names.headline, "sitename": names.outlet, "author": persons or document.author,
    }  # fmt: skip


def _paragraphs(text: str) -> Iterator[str]:
    """The lines of an extraction; the rows of a table together, without the marks at their edges."""
    for is_table, run in groupby(filter(str.strip, text.split("\n")), key=lambda line: bool(_ROW.match(line))):
        lines = list(run)
        yield from ["\n".join(row.strip("| \t") for row in lines if re.search(r"\w", row))] if is_table else lines


def _extract(page: str | HtmlElement) -> Document | None:
    import trafilatura

    # "extensive_search" off: it would take any date on the page for the publication date.
    options = {"extensive_search": False, "original_date": True}
    document = trafilatura.bare_extraction(
        page, with_metadata=True, include_comments=False, date_extraction_params=options
    )
    return None if isinstance(document, dict) else document


def _guessed_date(page: str) -> str | None:
    """Any date on a page that may be that of its publication."""
    from htmldate import find_date

    try:
        return find_date(page, extensive_search=True, original_date=True)
    except Exception:  # noqa: BLE001  # the parser raises anything on a broken page
        return None


def _beside(page: str, body: str) -> Iterator[Boilerplate]:
    """The captions, menus and the like of a page, which the extraction of its article has left out, shortened."""
    import trafilatura

    tree = trafilatura.load_html(page)
    for element in islice(tree.iter(*_BESIDE) if tree is not None else (), _MAX_BESIDE):
        pieces = element.xpath(".//text()[not(parent::script or parent::style)]")
        text = " ".join(readable(" ".join(pieces)).split())[:_MAX_BESIDE_CHARACTERS]
        if text and text not in body:
            yield Boilerplate(_BESIDE[element.tag], text)


def _from_markdown(text: str) -> tuple[str, dict[str, object]]:
    """The text without markup, a blank line between paragraphs, and the first heading as title."""
    from markdown_it import MarkdownIt

    fields: dict[str, object] = {}
    tokens = MarkdownIt("commonmark").disable(["code", "html_inline", "html_block"]).parse(text)
    paragraphs: list[str] = []
    for opening, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "fence":
            paragraphs.append(token.content.strip("\n"))
        if token.type == "inline":
            paragraphs.append("".join(map(_inline_text, token.children or ())))
            if opening and opening.tag == "h1":
                fields.setdefault("title", paragraphs[-1])
    return "\n\n".join(paragraphs) or text, fields


def _inline_text(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return "\n"
    return "" if token.type == "image" else token.content


def _line(fields: Mapping[str, object], *names: str, limit: int = _MAX_HEADLINE_CHARACTERS) -> str | None:
    """The first of the named fields that is a text, on one line of at most ``limit`` characters."""
    for text in (_field_text(fields.get(name)) for name in names):
        if line := " ".join(composed(strip_invisible(text[: 4 * limit])).split())[:limit].strip():
            return line
    return None


def _field_text(value: object) -> str:
    """``{"name": "The Times"} -> "The Times"``, ``["Ann Lee", "Bo Ek"] -> "Ann Lee, Bo Ek"``; "" for no text."""
    if isinstance(value, Mapping):
        value = value.get("name")
    if isinstance(value, list):
        return ", ".join(name for name in value if isinstance(name, str))
    return value if isinstance(value, str) else ""


def _first_sentence(body: str) -> str:
    """The first sentence, cut at a word: shown if there is no headline."""
    start = body[:2_000]
    first = next(iter(sentences(start)), None)
    sentence = " ".join((start[first.start : first.end] if first else start).split())
    if len(sentence) <= _MAX_FIRST_SENTENCE_CHARACTERS:
        return sentence
    return sentence[:_MAX_FIRST_SENTENCE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:–—-") + "…"


def _url(fields: Mapping[str, object]) -> str | None:
    value = fields.get("url") or fields.get("link")
    if not isinstance(value, str) or len(value) > _MAX_URL_CHARACTERS:
        return None
    url = strip_invisible(value).strip()
    return url if host_of(url) and not re.search(r"[\s<>\"]", url) else None


def host_of(url: str) -> str | None:
    """The host of an address of the web; None for others."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in {"http", "https"} else None


def _outlet(fields: Mapping[str, object], url: str | None, named: str) -> str | None:
    """The outlet of the fields, the address, the text (``named``), or of all articles of a folder, in this order."""
    stated = _line(fields, "outlet", "source", "sitename", "site_name", "publisher", limit=_MAX_NAME_CHARACTERS)
    default = _line(fields, DEFAULT_OUTLET, limit=_MAX_NAME_CHARACTERS)
    if (default or url) and AGENCY.fullmatch(named):  # a newspaper prints what agencies write
        named = ""
    host = host_of(stated or "") or (not (stated or named or default) and host_of(url or ""))
    return host.removeprefix("www.") if host else stated or named or default


def _credited(body: str) -> str | None:
    """The outlet or agency that the dateline names."""
    name = dateline_credit(body)
    return name if AGENCY.fullmatch(name) or names_outlet(name) else None


def _byline(fields: Mapping[str, object]) -> str | None:
    line = _line(fields, "byline", "author", "authors", limit=_MAX_NAME_CHARACTERS)
    return re.sub(r"^(?i:by)\s+", "", line) if line else None


def _language(fields: Mapping[str, object], body: str) -> str | None:
    """The language code of the fields, else that of the first characters of a long enough body: ``"en"``."""
    stated = _line(fields, "language", "lang", limit=_MAX_NAME_CHARACTERS)
    if stated and (match := re.match(r"([A-Za-z]{2,3})(?:[-_]\w+)*$", stated)):
        return match[1].lower()
    if len(body) < _MIN_LANGUAGE_CHARACTERS:
        return None
    import py3langid

    return str(py3langid.classify(body[:_MAX_LANGUAGE_CHARACTERS])[0])
