"""Small articles for the tests of the index, made up here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from bot.extract.ranking import Query, Retrieval
from bot.kinds.scope import Scope
from index.ingest import Report, ingest
from index.models import Article, Filters, Source
from index.reading.chunk import chunk
from index.storage.catalogue import Catalogue
from index.storage.catalogue_sqlite import SQLiteCatalogue
from index.storage.home import Home
from tests.supports import supports

BOTH_HOMES = pytest.mark.parametrize(
    "home", ["folder", pytest.param("servers", marks=pytest.mark.process)], indirect=True
)
"""Runs a test with an index in a folder, and with one on servers."""

PLACES = "Aldermoor Birchley Carrow Dunwick Easterby Fernhollow Greyford Hartmoor".split()
THINGS = "bridge library orchard lighthouse windmill aquarium quarry theatre".split()


def article(
    name: str, body: str, *, headline: str = "", outlet: str | None = None, published: date | None = None
) -> Article:
    """An article as the cleaning makes one."""
    source = Source(name, headline or f"About {name}", outlet, published=published, path=f"/articles/{name}.md")
    return Article(source, body)


def write(
    folder: Path,
    name: str,
    body: str,
    *,
    headline: str = "",
    outlet: str | None = None,
    published: date | None = None,
) -> Path:
    """Write an article as a file with front matter."""
    fields = [f"title: {headline or f'About {name}'}"]
    fields += [f"outlet: {outlet}"] if outlet else []
    fields += [f"date: {published}"] if published else []
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.md"
    file.write_text("---\n" + "\n".join(fields) + f"\n---\n{body}\n", encoding="utf-8")
    return file


def prose(sentences: int, *, start: int = 0) -> str:
    """English sentences of 20 words each, of which no two are the same."""
    return " ".join(
        f"In {PLACES[i % 8]} the council decided on day {i} to repair the old {THINGS[i // 8 % 8]} "
        f"before winter, which will cost {100 + i} pounds."
        for i in range(start, start + sentences)
    )


def run(
    place: Path | Home, paths: Sequence[Path], weights: Path, *, prune: bool = False, force: bool = False
) -> Report:
    """Index, without a progress bar."""
    return ingest(place, paths, model_dir=weights, prune=prune, force=force, progress=lambda _done, _total: None)


def catalogue(folder: Path, articles: Sequence[Article]) -> Catalogue:
    """A catalogue that holds these articles, without embeddings."""
    made = SQLiteCatalogue(folder / "catalogue.sqlite")
    with made.transaction():
        for each in articles:
            made.put(each, each.id, chunk(each))
    return made


def nothing_retrieved(query: str) -> Retrieval:
    """What a search finds that finds nothing."""
    return Retrieval(Query(query, {}, np.zeros((1, 384), np.float32)), (), (), 0)


def no_retrieval(query: str) -> Retrieval:
    """Fail: nothing is to be searched for."""
    raise AssertionError(f"searched for {query}")


def scope(
    catalogue: Catalogue,
    as_of: date,
    filters: Filters = Filters(),  # noqa: B008  # frozen
    retrieve: Callable[[str], Retrieval] = nothing_retrieved,
) -> Scope:
    """What a way of answering may read, on a day."""
    return Scope(catalogue, replace(filters, as_of=as_of), retrieve, lambda _, texts: [0.5] * len(texts), supports)
