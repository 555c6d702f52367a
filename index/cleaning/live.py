"""Live blogs: the time of each post, which a page states as data (schema.org's LiveBlogPosting)."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from lxml.html import HtmlElement

from index.cleaning.page import objects

_MAX_POSTS = 1_000
_PROBE_CHARACTERS = 40  # by which a line of the page is known as the beginning of a post


class _Post(NamedTuple):
    time: str
    starts: tuple[str, ...]  # of its headline and its text


def with_times(tree: HtmlElement, text: str) -> str:
    """A text with a line for the time above each post: "2024-08-05 21:00"."""
    lines = text.split("\n")
    places: dict[str, int] = {}
    for number, line in enumerate(lines):
        places.setdefault(_start(line), number)
    for post in islice(_posts(tree), _MAX_POSTS):
        place = next((places.pop(key) for key in post.starts if key in places), None)
        if place is not None:
            lines[place] = f"{post.time}\n{lines[place]}"
    return "\n".join(lines)


def _posts(tree: HtmlElement) -> Iterator[_Post]:
    for value in objects(tree):
        updates = value.get("liveBlogUpdate")
        for update in updates if isinstance(updates, list) else []:
            if isinstance(update, dict) and (time := _time(update.get("datePublished"))):
                texts = (update.get("headline"), update.get("articleBody"))
                yield _Post(
                    time, tuple(_start(html.unescape(text)) for text in texts if isinstance(text, str) and text)
                )


def _time(value: Any) -> str:  # noqa: ANN401  # of JSON
    try:
        return datetime.fromisoformat(value).strftime("%Y-%m-%d %H:%M")
    except (TypeError, ValueError):
        return ""


def _start(text: str) -> str:
    return "".join(text.split())[:_PROBE_CHARACTERS]
