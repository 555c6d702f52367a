"""`clippings index --explain`: how articles are read, in a terminal or as a page.

`explain.html` is a jinja2 template with autoescape; the page holds no script, and its policy allows none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from bot.cli import render
from index.explain import Explained
from index.models import Failure


def lines(articles: Sequence[Explained]) -> Iterator[render.Line]:
    """Render articles for a terminal, with a rule between them."""
    for number, article in enumerate(articles):
        yield from [render.line(), render.line("-" * 40), render.line()] if number else []
        yield from render.explained_lines(article)


def write_page(
    file: Path, name: str, articles: Sequence[Explained], failures: Sequence[Failure], *, more: bool
) -> None:
    """Write a page of articles and what could not be read. Raises ClippingsError."""
    from bot.evaluation.report import check_writable, environment, write

    check_writable(file)
    template = environment().from_string(files("bot.cli").joinpath("explain.html").read_text("utf-8"))
    style = files("bot.cli").joinpath("explain.css").read_text("utf-8")
    shown = [
        (article, render.metadata(article.article, kind=article.kind, place=article.place)) for article in articles
    ]
    write(file, template.render(name=name, style=style, articles=shown, failures=failures, more=more))
