"""Bodies that a page keeps in several containers of one class, of which an extraction finds only some."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

_TAGS = ("div", "section", "td")
_MIN_CHARACTERS = 400  # of the paragraphs of a container: no teaser has so many
_MIN_SHARE_MISSED = 0.25  # of what is held: a box beside the article is shorter
_BESIDE = re.compile(
    r"comment|related|teaser|card|promo|recommend|sidebar|footer|nav|disqus|reply|forum|newsletter|cookie|consent",
    re.IGNORECASE,
)
_BESIDE_TAGS = frozenset(("aside", "footer", "nav", "li", "form"))
_PROBE_CHARACTERS = 40


def merge_split_body(tree: HtmlElement, text: str) -> bool:
    """Move containers of a class into the first one, if ``text`` holds some of them and misses others.

    Returns whether anything was moved.
    """
    containers: dict[tuple[str, str], list[HtmlElement]] = {}
    for element in tree.iter(*_TAGS):
        if (name := element.get("class")) and sum(map(len, _paragraphs(element))) >= _MIN_CHARACTERS:
            containers.setdefault((str(element.tag), name), []).append(element)
    flat, merged = "".join(text.split()), False
    for group in containers.values():
        sizes = {True: 0, False: 0}
        for element in group:
            sizes[_is_held(element, flat)] += sum(map(len, _paragraphs(element)))
        if not sizes[True] or sizes[False] < _MIN_SHARE_MISSED * sizes[True] or any(map(_is_beside, group)):
            continue
        first, *others = group
        for other in others:
            if first not in other.iterancestors() and other not in first.iterancestors():
                first.extend(list(other))
                merged = True
    return merged


def _paragraphs(element: HtmlElement) -> list[str]:
    return [part.text_content() for part in element if part.tag == "p"]


def _is_held(element: HtmlElement, flat: str) -> bool:
    """Whether most paragraphs begin in a text, which has no white space."""
    starts = [start for part in _paragraphs(element) if (start := "".join(part.split())[:_PROBE_CHARACTERS])]
    return 2 * sum(start in flat for start in starts) >= len(starts)


def _is_beside(element: HtmlElement) -> bool:
    """Whether an element is, or stands in, what is no part of an article."""
    around = [element, *(above for above in element.iterancestors() if above.tag not in ("body", "html"))]
    marks = (f"{above.get('class', '')} {above.get('id', '')}" for above in around)
    return any(above.tag in _BESIDE_TAGS for above in around) or any(map(_BESIDE.search, marks))
