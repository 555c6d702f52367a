"""One library on one set of questions: its articles indexed, each question asked, figures of both.

Retrieval alone is measured: no library is given a language model. Metrics are those of `clippings eval`.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bot.evaluation.metrics import Metrics, Outcome, measure
from bot.evaluation.questions import ARTICLES, KnownQuestion, read_questions
from bot.evaluation.run import make_metrics
from bot.models import Answer
from index.embedding.embed import Embedder
from index.embedding.weights import locate
from index.models import Passage, Source

MOST = 40  # chunks that each library is asked for, as many as our own search gives: enough for ten articles


class Material(NamedTuple):
    """The articles of a set in each form that a library reads, and a folder for an index on disk."""

    jsonl: Path
    texts: dict[str, str]  # by id: headline, blank line, body
    files: Path  # the same, each in a file that has the article's place in `texts` for a name
    data: Path


Find = Callable[[str], Iterable[str]]
"""A question -> the ids of the articles of its chunks, best first, as often as they come."""
Ask = Callable[[KnownQuestion], tuple[Sequence[str], float]]
"""A known question -> the same, and the milliseconds until they were found."""


class Indexed(NamedTuple):
    """What can be asked, and how long it took to make; ``embed_seconds`` of it were spent in the embedding model."""

    ask: Ask
    seconds: float
    embed_seconds: float


Index = Callable[[Material], Indexed]

PEERS = {
    "llama-index, starter": "with_llama_index:starter",
    "llama-index, citations": "with_llama_index:citations",
    "llama-index, BM25 fusion": "with_llama_index:fusion",
    "haystack, hybrid": "with_haystack:hybrid",
    "txtai, hybrid": "with_txtai:hybrid",
    "txtai, hybrid, paragraphs": "with_txtai:paragraphs",
    "Clippings": "with_clippings:whole",
    "Clippings, question alone": "with_clippings:question_alone",
}


def peer(build: Callable[[Material, Embedder], Find]) -> Index:
    """Time a library's indexing, the loading of the model included as in ours, and its questions."""

    def index(material: Material) -> Indexed:
        started = time.perf_counter()
        embedder = Embedder(locate())
        find = build(material, embedder)
        seconds = time.perf_counter() - started

        def ask(known: KnownQuestion) -> tuple[Sequence[str], float]:
            started = time.perf_counter()
            articles = list(find(known.question))
            return articles, (time.perf_counter() - started) * 1000

        return Indexed(ask, seconds, embedder.seconds)

    return index


def find_peer(name: str) -> Index:
    """What indexes with the library of a name; imports it."""
    module, _, function = PEERS[name].partition(":")
    index: Index = getattr(importlib.import_module(f"tests.peers.{module}"), function)
    return index


def run(index: Index, folder: Path, scratch: Path) -> Metrics:
    """The figures of one library on the set in a folder; needs a process of its own, for the peak of its memory.

    The first article is indexed alone before: that pays for what a library imports and loads once.
    """
    lines = [line for line in (folder / ARTICLES).read_text(encoding="utf-8").split("\n") if line.strip()]
    index(material(lines[:1], scratch / "first"))
    indexed = index(material(lines, scratch / "set"))
    outcomes = [_outcome(known, *indexed.ask(known)) for known in read_questions(folder)]
    spent = {"articles": len(lines), "seconds": indexed.seconds, "embed_seconds": indexed.embed_seconds}
    metrics = make_metrics(outcomes, spent)
    return {group: metrics[group] for group in ("retrieval", "time")}


def material(lines: Sequence[str], folder: Path) -> Material:
    """Write articles out as each library reads them; ``lines`` are JSON objects with id, title and text."""
    articles = [json.loads(line) for line in lines]
    texts = {str(one["id"]): f"{one.get('title') or ''}\n\n{one['text']}".strip() for one in articles}
    made = Material(folder / ARTICLES, texts, folder / "files", folder / "data")
    made.files.mkdir(parents=True)
    made.jsonl.write_text("\n".join(lines), encoding="utf-8")
    for number, text in enumerate(texts.values()):
        (made.files / f"{number}.txt").write_text(text, encoding="utf-8")
    return made


def _outcome(known: KnownQuestion, articles: Sequence[str], milliseconds: float) -> Outcome:
    """What was found, as the bot's own measures want it."""
    passages = tuple(Passage(article, Source(article, ""), "", 0, 0, 0.0) for article in dict.fromkeys(articles))
    answer = Answer(known.question, known.question, "", "quote", passages=passages)
    return Outcome(known, answer, (), measure(known, answer, ()), milliseconds)
