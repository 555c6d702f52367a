"""What an HTML page says of itself: its headline without the name of the site, and one name of its outlet.

Pages name themselves in several places (Open Graph, JSON-LD, the title), each of which may hold more or less than the
headline, or something else than the outlet: a company, a network, the headline itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

from lxml.html import HtmlElement

from index.cleaning.top_lines import names_outlet
from index.reading.outlets import is_host

_JSON_LD = "application/ld+json"
_MAX_SCRIPTS, _MAX_OBJECTS, _MAX_HEADINGS = 20, 2_000, 20
_MAX_TITLE_CHARACTERS, _MAX_NAME_CHARACTERS = 300, 60
_MIN_HEADLINE_WORDS, _MAX_MENU_WORDS = 4, 2
_MIN_LABEL_CHARACTERS = 3  # of a host: "ft" in ft.com may begin any word

_SEPARATOR = re.compile(r"\s[|–—·»-]+\s|\s?[|｜ㅣ：]\s?")
_NO_OUTLET = re.compile(
    r"\b(?:GmbH|KG|AG|Inc|LLC|Ltd|Limited|plc|Corp|SE|S\.?[AL]|S\.p\.A|A/S|BV|Verlag|Publishing)\b|redaktion$|^@|^https?:|版权所有"
    r"|(?i:^(?:home|start|(?:twitter|x|facebook|instagram|youtube)(?:\.com)?)$|^(?:view all )?(?:posts|articles) by\b)"
)
"""Companies, authors and networks, which are no name of a newspaper."""


class PageNames(NamedTuple):
    """A headline, and the name of an outlet; "" if there is none."""

    headline: str
    outlet: str


def page_names(tree: HtmlElement, title: str, sitename: str, host: str) -> PageNames:
    """Choose headline and outlet of a page, by the title and site name that an extraction found, and its host.

    ``title`` "Harbour closed - Norvik Post" under the heading "Harbour closed" -> "Harbour closed", "Norvik Post".
    """
    data = list(objects(tree))
    stated = [*_contents(tree, "og:site_name"), *_organizations(data), *_contents(tree, "application-name")]
    names = [name for name in map(_line, [*stated, sitename]) if name]
    outlet = _outlet([name for name in names if _key(name) != _key(title)])
    keys = {_key(name) for name in [*names, host]}
    headings = [_line(heading.text_content()) for heading in islice(tree.iter("h1"), _MAX_HEADINGS)]
    headlines = [_line(one["headline"]) for one in data if isinstance(one.get("headline"), str)]
    headings = [text for text in [*headings, *headlines[:1]] if text and _key(text) not in keys]
    labels = {label for label in map(_key, host.split(".")[:-1]) if len(label) >= _MIN_LABEL_CHARACTERS}
    headline = _headline(_line(title), headings, keys, labels)
    beside = _SEPARATOR.split(_line(title))[-1]
    is_outlet = beside not in headline and " " in beside and names_outlet(beside)  # not "News", which is a section
    return PageNames(headline, outlet or (beside if is_outlet else ""))


def _headline(title: str, headings: list[str], keys: set[str], labels: set[str]) -> str:
    """The heading that the title holds beside a separator; else the title without the names of the site."""
    parts = _parts(title)
    for heading in headings:
        key = _key(heading)
        if len(heading.split()) > 1 and any(key == _key(part) for part in parts):
            return heading
    while (pieces := [*_SEPARATOR.finditer(title)]) and _names_site(title[pieces[-1].end() :], keys, labels):
        title = title[: pieces[-1].start()]
    long = list(dict.fromkeys(text for text in headings if len(text.split()) >= _MIN_HEADLINE_WORDS))
    is_menu = len(title.split()) <= _MAX_MENU_WORDS or _key(title) in keys
    return long[0] if is_menu and len(long) == 1 else title


def _parts(title: str) -> Iterator[str]:
    """What stands before and after each separator."""
    for match in islice(_SEPARATOR.finditer(title), _MAX_HEADINGS):
        yield title[: match.start()]
        yield title[match.end() :]


def _names_site(text: str, keys: set[str], labels: set[str]) -> bool:
    key = _key(text)
    names = [name for name in keys | labels if len(name) >= _MIN_LABEL_CHARACTERS]
    return key in keys or any(name in key or (len(key) > _MIN_LABEL_CHARACTERS and key in name) for name in names)


def _outlet(names: list[str]) -> str:
    """The first name that is no address, else the first; none of a company, an author or a network."""
    names = [name for name in names if len(name) <= _MAX_NAME_CHARACTERS and not _NO_OUTLET.search(name)]
    return next((name for name in names if not is_host(name)), names[0] if names else "")


def objects(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    """The objects of the page's JSON-LD, also those inside others."""
    scripts = (script for script in tree.iter("script") if script.get("type") == _JSON_LD)
    waiting: list[Any] = []
    for script in islice(scripts, _MAX_SCRIPTS):
        try:
            waiting.append(json.loads(script.text_content(), strict=False))
        except (ValueError, RecursionError):
            continue
    waiting.reverse()
    for _ in range(_MAX_OBJECTS):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
        inner = value.values() if isinstance(value, dict) else value
        waiting += [part for part in islice(inner, _MAX_OBJECTS) if isinstance(part, dict | list)][::-1]


def _organizations(objects: Iterable[dict[str, Any]]) -> Iterator[str]:
    for value in objects:
        publisher = value.get("publisher")
        if isinstance(publisher, dict) and isinstance(publisher.get("name"), str):
            yield publisher["name"]
        if value.get("@type") in ("WebSite", "NewsMediaOrganization") and isinstance(value.get("name"), str):
            yield value["name"]


def states(tree: HtmlElement, day: str) -> bool:
    """Whether the data of a page (metadata, JSON-LD, times with a date for machines) hold a day: "2024-01-25"."""
    data = (element.get("content") or element.get("datetime") or "" for element in tree.iter("meta", "time"))
    scripts = (script.text_content() for script in tree.iter("script") if script.get("type") == _JSON_LD)
    return any(day in text for text in chain(data, islice(scripts, _MAX_SCRIPTS)))


def _contents(tree: HtmlElement, name: str) -> list[str]:
    return [meta.get("content", "") for meta in tree.iter("meta") if name in (meta.get("property"), meta.get("name"))]


def _line(text: str) -> str:
    return " ".join(text.replace("\xad", "").split())[:_MAX_TITLE_CHARACTERS]


def _key(text: str) -> str:
    return re.sub(r"[\W_]", "", text.lower())
