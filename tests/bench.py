"""Speed and memory, each figure beside the reference that it is measured against in the same run: `make bench`.

A machine is never twice as fast, and a shared one still less. So read the last column, a ratio, and not the
milliseconds. The articles are made up here, the same ones each time; no model is asked but the embedding model.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from functools import partial
from itertools import accumulate, pairwise, product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bot.runtime import make_engine
from bot.settings import Settings
from index.cleaning.clean import clean
from index.embedding.embed import DIMENSIONS, Embedder, Vectors
from index.embedding.weights import locate
from index.ingest import ingest
from index.load import load
from index.models import Article, Chunk, Filters, RawRecord, Source
from index.reading.chunk import chunk
from index.search import Searcher
from index.storage.catalogue import Catalogue
from index.storage.catalogue_sqlite import SQLiteCatalogue
from index.storage.generation import Generation, current, make_current
from index.storage.integrity import catalogue_file
from index.text import sentences, stems
from tests.corpus import write

TODAY = date(2025, 1, 1)
QUESTIONS = 40
SYLLABLES = "ba ren tor li mo sta ner vi cal do mas per ta lin gor we".split()
_ARTICLES = Path(__file__).parents[1] / "articles"
_INDEXING = """
import resource, sys
from pathlib import Path
from index.ingest import ingest
ingest(Path(sys.argv[1]), [Path(sys.argv[2])], progress=lambda done, total: None)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


class News:
    """Made-up news: the words of `articles/` and rarer ones made of syllables, as often as Zipf's law has it."""

    def __init__(self, seed: int = 0) -> None:
        text = " ".join(file.read_text(encoding="utf-8") for file in sorted(_ARTICLES.glob("*.txt")))
        common = [word for word, _ in Counter(re.findall(r"[a-z]+", text.lower())).most_common()]
        self._words = common + ["".join(parts) for parts in product(SYLLABLES, repeat=3)]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(self._words))))
        self._random = random.Random(seed)  # noqa: S311  # the same news each time, and no secret

    def sentence(self) -> str:
        """Some 17 words."""
        count = self._random.randint(10, 24)
        return " ".join(self._random.choices(self._words, cum_weights=self._weights, k=count)).capitalize() + "."

    def paragraphs(self, count: int, length: int) -> list[str]:
        """Paragraphs of so many sentences."""
        return [" ".join(self.sentence() for _ in range(length)) for _ in range(count)]

    def day(self) -> date:
        """A day of one and a half years."""
        return date(2023, 1, 1) + timedelta(days=self._random.randrange(550))

    def files(self, folder: Path, count: int, paragraphs: int, length: int) -> Path:
        """A folder of articles."""
        for number in range(count):
            body = "\n\n".join(self.paragraphs(paragraphs, length))
            write(folder, f"article-{number}", body, headline=self.sentence()[:60], published=self.day())
        return folder

    def articles(self, count: int, first: int = 0, length: int = 12) -> Iterator[tuple[Article, list[Chunk]]]:
        """Articles of six chunks of so many sentences, numbered from ``first``."""
        for number in range(first, first + count):
            source = Source(f"a{number}", self.sentence()[:60], "The Courier", published=self.day(), path=f"/{number}")
            pieces = self.paragraphs(6, length)
            starts = list(accumulate((len(piece) + 2 for piece in pieces), initial=0))
            chunks = [
                Chunk(f"{source.id}-{start}", source.id, start, end - 2, piece)
                for (start, end), piece in zip(pairwise(starts), pieces, strict=True)
            ]
            yield Article(source, "\n\n".join(pieces)), chunks


def row(figure: str, value: float, unit: str, reference: float, against: str, goal: str = "") -> None:
    """Print one figure beside its reference, and what one is of the other."""
    ratio = value / reference if reference else float("nan")
    print(f"{figure:<44} {value:>9.1f} {unit:<4} {reference:>9.1f} {against:<42} {ratio:>7.2f}  {goal}", flush=True)


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def milliseconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    return seconds(work) * 1_000


def quiet(_done: int, _total: int) -> None:
    """Show no progress."""


def memory(news: News, scratch: Path) -> None:
    """The peak of a process that indexes, and of one that indexes four times as much."""
    peaks = []
    for count in (200, 800):
        folder = news.files(scratch / f"short-{count}", count, 1, 2)
        command = [sys.executable, "-c", _INDEXING, str(scratch / f"memory-{count}"), str(folder)]
        peaks.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    row("memory of indexing 800 articles", peaks[1], "MB", peaks[0], "indexing 200", "near 1")


def indexing(news: News, scratch: Path, count: int, embedder: Embedder) -> None:
    """Indexing beside its embedding, the same embedding alone (half before it, half after), and indexing again."""
    folder, data = news.files(scratch / "articles", count, 3, 6), scratch / "indexed"
    ingest(data, [news.files(scratch / "first", 1, 1, 1)], progress=quiet)  # the imports, which it is not to pay for
    found = [clean(item) for item in load([folder]) if isinstance(item, RawRecord)]
    windows = [found[start : start + 64] for start in range(0, count, 64)]  # as many as are indexed together
    texts = [[piece.embedded for article in window for piece in chunk(article)] for window in windows]
    alone = seconds(lambda: [embedder.passages(part) for part in texts[::2]])
    report = ingest(data, [folder], progress=quiet)
    alone += seconds(lambda: [embedder.passages(part) for part in texts[1::2]])
    row(f"indexing {count} articles", report.seconds, "s", report.embed_seconds, "of it in the model", "up to 1.05")
    row("articles a second", count / report.seconds, "", count / alone, "the model alone, the same chunks", "near 1")
    again = ingest(data, [folder], progress=quiet)
    row("indexing again, nothing changed", again.seconds, "s", report.seconds, "the first time", "near 0")


def _catalogue(data: Path) -> Catalogue:
    folder = current(data)
    if folder is None:
        message = f"nothing was indexed in {data}"
        raise AssertionError(message)
    return SQLiteCatalogue(catalogue_file(folder))


def starting(scratch: Path) -> None:
    """What a user waits for the command line, beside Python and beside the largest import."""

    def run(*command: str) -> float:
        return statistics.median(
            seconds(lambda: subprocess.run([sys.executable, *command], capture_output=True, check=False))
            for _ in range(5)
        )

    nothing, chroma = run("-c", "pass") * 1_000, run("-c", "import chromadb") * 1_000
    row("clippings --help", run("-m", "bot", "--help") * 1_000, "ms", nothing, "python -c pass", "under 300 ms")
    ask = ["-m", "bot", "--data", str(scratch / "indexed"), "ask", "Who repaired the bridge?"]
    row("clippings ask, cold", run(*ask) * 1_000, "ms", chroma, "import chromadb", "under 3,000 ms")


def large_index(news: News, data: Path, chunks: int) -> tuple[list[str], Vectors, float]:
    """An index of chunks whose vectors are random: their ids, the vectors, and the seconds that the catalogue took."""
    generation = Generation.make(data / "generation-1")
    with closing(generation):
        make_current(data, generation.folder)
        made = list(news.articles(chunks // 6))
        started = time.perf_counter()
        with generation.catalogue.transaction():
            for article, pieces in made:
                generation.catalogue.put(article, "", pieces)
        spent = time.perf_counter() - started
        ids = generation.catalogue.all_chunk_ids()
        vectors = np.random.default_rng(0).normal(size=(len(ids), DIMENSIONS)).astype(np.float32)
        vectors += vectors[0]  # so that, as with real ones, all are rather alike
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        generation.store.upsert(ids, vectors)
    return ids, vectors, spent


class Asked(NamedTuple):
    """A question, with what the search is given in place of its own vector, and sentences to be ranked for it."""

    text: str
    words: list[str]
    vector: Vectors
    sentences: list[str]


def questions(catalogue: Catalogue, ids: Sequence[str], vectors: Vectors) -> Iterator[Asked]:
    """Questions in the words of a chunk, each of another article."""
    for number in range(0, len(ids), len(ids) // QUESTIONS):
        text = catalogue.chunks([ids[number]])[ids[number]].text
        told = [text[start:end] for start, end in sentences(text)]
        question = f"Is it true that {told[0][:80].lower()}?"
        yield Asked(question, list(dict.fromkeys(stems(question))), vectors[number], (told * 16)[:16])


def answering(data: Path, ids: Sequence[str], vectors: Vectors, embedder: Embedder) -> None:
    """A question's retrieval and its answer, beside their parts alone; each part in turn for each question."""
    filters = Filters(as_of=TODAY)
    with (
        closing(Searcher(data)) as searcher,
        closing(make_engine(Settings(data=data))) as engine,
        closing(Generation.open(data / "generation-1")) as generation,
    ):
        works: dict[str, Callable[[Asked], object]] = {
            "model": lambda asked: embedder.question(asked.text),
            "first": lambda asked: searcher.search(asked.vector, asked.words, filters=filters),
            "again": lambda asked: searcher.search(asked.vector, asked.words, filters=filters),
            "dense": lambda asked: generation.store.nearest(asked.vector, 100),
            "words": lambda asked: generation.catalogue.search(asked.words, 100),
            "sentences": lambda asked: embedder.passages(asked.sentences),
            "answer": lambda asked: engine.ask(asked.text, as_of=TODAY),
        }
        found = list(questions(searcher.catalogue, ids, vectors))
        engine.ask("Is it warm?", as_of=TODAY)
        times = [[milliseconds(partial(work, asked)) for work in works.values()] for asked in found]
    middle = dict(zip(works, map(statistics.median, zip(*times, strict=True)), strict=True))
    parts = middle["dense"] + middle["words"]
    row("search, articles not read before", middle["first"], "ms", parts, "Chroma alone + FTS5 alone")
    row("search, articles read before", middle["again"], "ms", parts, "Chroma alone + FTS5 alone")
    retrieval = middle["model"] + middle["first"]
    row("retrieval: embedding and search", retrieval, "ms", middle["model"], "embedding the question", "20 ms, 5 x")
    row("answer", middle["answer"], "ms", middle["model"], "embedding the question", "150 ms, 37 x")
    row("answer", middle["answer"], "ms", middle["sentences"], "embedding 16 sentences")


def lexical(data: Path, built: float) -> None:
    """SQLite's FTS5, as used, beside bm25s."""
    if not importlib.util.find_spec("bm25s"):
        print("bm25s is not installed: skipped")
        return
    bm25s = importlib.import_module("bm25s")
    with closing(_catalogue(data)) as catalogue:
        rows = catalogue.chunks(catalogue.all_chunk_ids()).values()
        tokens: list[list[str]] = []
        other = bm25s.BM25()

        def build() -> None:
            tokens[:] = [stems(f"{row.source.headline} {row.text}") for row in rows]
            other.index(tokens, show_progress=False)

        rebuilt = seconds(build)
        row("lexical index: building, articles and all", built, "s", rebuilt, "bm25s")
        article = catalogue.article("a0")
        if article is None:
            raise AssertionError
        stored = catalogue.chunks(catalogue.chunk_ids("a0")).values()
        pieces = [Chunk(piece.id, "a0", piece.start, piece.end, "") for piece in stored]

        def update() -> None:
            with catalogue.transaction():
                catalogue.put(article, "", pieces)

        row("lexical index: one article changed", milliseconds(update), "ms", rebuilt * 1_000, "bm25s, built anew")
        asked = [tokens[number * 7][:8] for number in range(QUESTIONS)]
        ours = [milliseconds(partial(catalogue.search, words, 100)) for words in asked]
        theirs = [milliseconds(partial(other.retrieve, [words], k=100, show_progress=False)) for words in asked]
        row("lexical index: a question", statistics.median(ours), "ms", statistics.median(theirs), "bm25s")
        held = sum(part.nbytes for part in other.scores.values() if isinstance(part, np.ndarray)) / 2**20
        row("lexical index: size, on disk", _on_disk(data), "MB", held, "bm25s, in memory, without its words")


def _on_disk(data: Path) -> float:
    """The megabytes of the tables that FTS5 keeps its index and its copy of the words in."""
    file = catalogue_file(data / "generation-1")
    with closing(sqlite3.connect(file)) as database:
        index = database.execute("SELECT sum(length(block)) FROM lexical_data").fetchone()[0]
        words = database.execute("SELECT sum(length(c0) + length(c1)) FROM lexical_content").fetchone()[0]
    return float(index + words) / 2**20


def main() -> None:
    """Measure all, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=300, help="how many are indexed (default 300)")
    parser.add_argument("--chunks", type=int, default=10_000, help="how many are searched (default 10,000)")
    options = parser.parse_args()
    print(f"{'figure':<44} {'value':>9} {'':<4} {'reference':>9} {'':<42} {'ratio':>7}  goal")
    with tempfile.TemporaryDirectory() as folder:
        news, scratch, embedder = News(), Path(folder), Embedder(locate())
        memory(news, scratch)
        indexing(news, scratch, options.articles, embedder)
        starting(scratch)
        ids, vectors, built = large_index(news, scratch / "large", options.chunks)
        answering(scratch / "large", ids, vectors, embedder)
        lexical(scratch / "large", built)


if __name__ == "__main__":
    main()
