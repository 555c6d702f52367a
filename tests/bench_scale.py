"""How an index grows, in a folder and on servers: `make bench-scale`, or ``python -m tests.bench_scale 1000 10000``.

The articles are made up (words as often as Zipf's law has it), and their vectors are random: the model's time is left
out, and no figure is one of quality. One index grows from size to size. Each step runs in a process of its own, whose
memory is measured. A search is timed by the clock, the best of five; what takes longer is processor time, of the
process and what it starts, without the servers. Both, for the machine may be shared. Prints a table, and with
``--plot FILE`` draws it, with slopes: 1 is linear.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime
from itertools import accumulate, islice, product
from pathlib import Path
from typing import Any

import numpy as np

from index.embedding.embed import DIMENSIONS, Vectors
from index.models import Article, Chunk, Filters
from index.search import Searcher
from index.storage.catalogue import Catalogue
from index.storage.home import Folder, Home
from index.storage.servers import Servers
from index.storage.writer import BATCH_ARTICLES, Writer
from index.text import STOP_WORDS, stems
from tests.bench import SYLLABLES, News
from tests.chroma import Chroma
from tests.postgres import Postgres

SIZES = (1_000, 10_000, 100_000)  # chunks
CHUNKS_AN_ARTICLE, SENTENCES_A_CHUNK = 6, 8
QUESTIONS = 100
UPDATES = 5
FILTERS = {
    "no filter": Filters(),
    "half pass": Filters(since=date(2023, 10, 3)),
    "5 % pass": Filters(since=date(2023, 6, 1), until=date(2023, 6, 27)),
}
GOALS = {"search p95, no filter (ms)": 100, "memory of a reader (MB)": 1_000, "update (ms)": 1_000, "start (ms)": 5_000}
_COLOURS = {"folder": "#1f77b4", "servers": "#d62728"}


class Random:
    """In place of the embedding model: a vector that a hash of the text seeds."""

    def __init__(self) -> None:
        self._common = np.random.default_rng(0).normal(size=DIMENSIONS)  # all are rather alike, as real ones are

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Return an array of len(texts) x 384."""
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) for text in texts]
        vectors = np.array([self._common + np.random.default_rng(seed).normal(size=DIMENSIONS) for seed in seeds])
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


class ManyWords(News):
    """News with 70,000 words. A chunk of some 140 words holds 65 stems; the commonest is in a third of them.

    So it is in the articles of CLAP NQ, SQuAD, RAMDocs and MTRAG: 50 to 58 stems, 19 to 30 % (counted 2026-11-27).
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        stop = [word for word in self._words if word in STOP_WORDS]
        other = [word for word in self._words if word not in STOP_WORDS]
        other += ["".join(parts) for parts in product(SYLLABLES, repeat=4)]
        weights = [1 / (rank + 30) for rank in range(len(other))]
        self._words = stop + other
        # Every other word of a text is a stop word.
        self._weights = list(accumulate([sum(weights) / len(stop)] * len(stop) + weights))


def grow(home: Home, first: int, count: int) -> dict[str, float]:
    """Add articles; returns the milliseconds of each, beyond making them and their vectors up."""
    spent, embedder = 0.0, Random()
    with home.locked():
        generation, old = home.open_for_writing()
        assert not old
        with closing(generation), closing(Writer(generation, embedder)) as writer:  # type: ignore[arg-type]  # as it is used here, the same
            for batch in _batches(first, count):
                pieces = [piece for _, chunks in batch for piece in chunks]
                vectors = embedder.passages([piece.embedded for piece in pieces])
                writer.vectors = dict(zip((piece.id for piece in pieces), vectors, strict=True))
                started = _processor_seconds()
                writer.write([(article, chunks, "digest") for article, chunks in batch])
                writer.embed_all()
                spent += _processor_seconds() - started
            generation.catalogue.set("indexed_at", datetime.now(UTC).isoformat(timespec="seconds"))
        started = _processor_seconds()
        home.finish(generation)
        spent += _processor_seconds() - started
    return {"index (ms an article)": 1_000 * spent / count, "memory of an indexer (MB)": _memory()}


def _batches(first: int, count: int) -> Iterator[list[tuple[Article, list[Chunk]]]]:
    articles = ManyWords(first).articles(count, first, SENTENCES_A_CHUNK)
    while batch := list(islice(articles, BATCH_ARTICLES)):
        yield batch


def search(home: Home) -> dict[str, float]:
    """Ask; returns the time of the process until it has its first passages, and that of searches by filter."""
    figures, embedder = dict[str, float](), Random()
    with closing(Searcher(home)) as searcher:
        texts = ["Is it true that the council will repair the bridge?", *_questions(searcher.catalogue)]
        asked = [(embedder.passages([text])[0], stems(text)) for text in texts]
        searcher.search(*asked.pop(0))
        figures["start (ms)"] = 1_000 * _processor_seconds()
        for name, filters in FILTERS.items():
            times = [_best(lambda: searcher.search(*question, filters=filters)) for question in asked]  # noqa: B023  # called at once
            words = [_best(lambda: searcher.catalogue.search(question[1], 100, filters)) for question in asked]  # noqa: B023  # called at once
            for what, found in {"search": times, "words alone": words}.items():
                figures[f"{what} p50, {name} (ms)"] = statistics.median(found)
                figures[f"{what} p95, {name} (ms)"] = statistics.quantiles(found, n=20)[-1]
    return figures | {"memory of a reader (MB)": _memory()}


def _questions(catalogue: Catalogue) -> Iterator[str]:
    """Questions in the words of the first sentence of articles."""
    names = [name for name, _ in catalogue.paths()]
    for name in names[:: max(len(names) // QUESTIONS, 1)][:QUESTIONS]:
        article = catalogue.article(name)
        assert article
        yield f"Is it true that {article.body.partition('.')[0][:80].lower()}?"


def update(home: Home, writer_home: Home) -> dict[str, float]:
    """Change an article while a reader is open; returns the median time to write it, and of the next search."""
    written, seen = [], []
    with closing(Searcher(home)) as searcher:
        words = ["zyxwv"]
        for number in range(UPDATES):
            article = searcher.catalogue.article(f"a{number}")
            assert article
            text = f"Version zyxwv {number} of it. {article.body[:1_000]}"
            changed = [Chunk(f"new-{time.time_ns()}", article.id, 0, len(text), text)]

            def write() -> None:
                _rewrite(writer_home, Article(article.source, text), changed)  # noqa: B023  # called at once

            written.append(_milliseconds(write))
            vector = Random().passages([text])[0]
            found: list[Any] = []
            seen.append(_milliseconds(lambda: found.extend(searcher.search(vector, words))))  # noqa: B023  # called at once
            assert found[0].source.id == article.id
    return {"update (ms)": statistics.median(written), "search after it (ms)": statistics.median(seen)}


def _rewrite(home: Home, article: Article, chunks: list[Chunk]) -> None:
    with home.locked():
        generation, _ = home.open_for_writing()
        with closing(generation), closing(Writer(generation, Random())) as writer:  # type: ignore[arg-type]  # as above
            writer.write([(article, chunks, str(time.time_ns()))])
            writer.embed_all()
        home.finish(generation)


def _milliseconds(work: Callable[[], object]) -> float:
    """The processor time of something."""
    started = _processor_seconds()
    work()
    return 1_000 * (_processor_seconds() - started)


def _processor_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        work()
        times.append(1_000 * (time.perf_counter() - started))
    return min(times)


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def _place(spec: Sequence[str]) -> Home:
    return Folder(Path(spec[0])) if len(spec) == 1 else Servers(*spec)


def _step(name: str, spec: Sequence[str], *arguments: float) -> dict[str, float]:
    """Run a step in a process of its own."""
    command = [sys.executable, "-m", "tests.bench_scale", "--step", json.dumps([name, spec, *arguments])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _do_step(name: str, spec: Sequence[str], *arguments: Any) -> dict[str, float]:
    with closing(_place(spec)) as home:
        if name == "grow":
            return grow(home, *arguments)
        return search(home) if name == "search" else update(home, _place(spec))


def measured(spec: Sequence[str], sizes: Sequence[int], disk: Callable[[], float]) -> dict[int, dict[str, float]]:
    """The figures of an index that grows, by its chunks."""
    figures, first = dict[int, dict[str, float]](), 0
    for size in sizes:
        count = size // CHUNKS_AN_ARTICLE
        row = _step("grow", spec, first, count - first)
        first = count
        row |= {"disk (MB)": disk()} | _step("search", spec) | _step("update", spec)
        figures[size] = row
        print(f"{size:,} chunks in {spec[0].partition(':')[0]}: {json.dumps(row)}", file=sys.stderr, flush=True)
    return figures


def table(results: Mapping[str, Mapping[int, Mapping[str, float]]]) -> Iterator[str]:
    """Lines of Markdown: a row for each figure, a column for each size in each place, and the slopes."""
    sizes = list(next(iter(results.values())))
    yield "| | " + " | ".join(f"{place}, {size:,}" for place in results for size in sizes) + " | slopes | goal |"
    yield "|---" * (len(results) * len(sizes) + 3) + "|"
    for name in next(iter(results.values()))[sizes[0]]:
        rows = [[by_size[size][name] for size in sizes] for by_size in results.values()]
        slopes = ", ".join(f"{_slope(sizes, row):.2f}" for row in rows)
        cells = [f"{value:,.0f}" if value >= 10 else f"{value:.1f}" for row in rows for value in row]
        yield f"| {name} | {' | '.join(cells)} | {slopes} | {GOALS.get(name, '')} |"


def _slope(sizes: Sequence[int], values: Sequence[float]) -> float:
    """The exponent of growth from the first size to the last."""
    return math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0]) if len(sizes) > 1 else 0.0


def plot(results: Mapping[str, Mapping[int, Mapping[str, float]]]) -> str:
    """An SVG with a small double logarithmic chart for each figure with a goal, and for index time and disk."""
    names = ["index (ms an article)", "disk (MB)", *GOALS]
    width, height, parts = 300, 220, list[str]()
    for number, name in enumerate(names):
        left, top = 20 + number % 3 * (width + 20), 20 + number // 3 * (height + 30)
        values = [value[name] for by_size in results.values() for value in by_size.values()] + [GOALS.get(name, 1)]
        sizes = list(next(iter(results.values())))
        low, high = math.log10(min(values)), math.log10(max(values))

        def at(size: int, value: float) -> str:
            across = (math.log10(size) - math.log10(sizes[0])) / max(math.log10(sizes[-1] / sizes[0]), 1)  # noqa: B023  # called at once
            up = (math.log10(value) - low) / max(high - low, 0.1)  # noqa: B023  # called at once
            return f"{left + 10 + across * (width - 90):.0f},{top + height - 20 - up * (height - 60):.0f}"  # noqa: B023  # called at once

        parts.append(f'<text x="{left}" y="{top + 12}" font-weight="bold">{name}</text>')
        if name in GOALS:
            ends = " ".join(at(size, GOALS[name]) for size in (sizes[0], sizes[-1]))
            parts.append(f'<polyline points="{ends}" fill="none" stroke="#999" stroke-dasharray="4"/>')
        for place, by_size in results.items():
            points = [at(size, value[name]) for size, value in by_size.items()]
            parts.append(
                f'<polyline points="{" ".join(points)}" fill="none" stroke="{_COLOURS[place]}" stroke-width="2"/>'
            )
            for (size, value), point in zip(by_size.items(), points, strict=True):
                x, y = point.split(",")
                label = f"{value[name]:,.0f} at {size:,}" if size == sizes[-1] else f"{value[name]:,.0f}"
                parts.append(f'<text x="{x}" y="{int(y) - 4}" fill="{_COLOURS[place]}" font-size="10">{label}</text>')
    places = ", ".join(f'<tspan fill="{_COLOURS[place]}">{place}</tspan>' for place in results)
    parts.append(f'<text x="20" y="{20 + 2 * (height + 30)}">{places}; dashed: goal at 100,000 chunks</text>')
    extent = f'width="{3 * (width + 20) + 20}" height="{2 * (height + 30) + 30}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {extent} font-family="sans-serif" font-size="12">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), help="numbers of chunks, ascending")
    parser.add_argument("--places", default="folder,servers", help="folder, servers (default: both)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="an SVG to write")
    parser.add_argument("--step", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        json.dump(_do_step(*options.step), sys.stdout)
        return
    results = dict[str, dict[int, dict[str, float]]]()
    for place in options.places.split(","):
        with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
            folder = Path(scratch)
            folder.chmod(0o755)  # the user of PostgreSQL goes through
            if place == "folder":
                data = folder / "data"
                results[place] = measured([str(data)], options.sizes, lambda data=data: _megabytes(data))  # type: ignore[misc]  # a default binds it
                continue
            for server in ("postgres", "chroma"):
                (folder / server).mkdir()
            postgres = stack.enter_context(Postgres(folder / "postgres"))
            chroma = stack.enter_context(Chroma(folder / "chroma"))
            spec = [postgres.url(), chroma.url]
            results[place] = measured(spec, options.sizes, lambda: _megabytes(folder))  # noqa: B023  # called at once
    print("\n".join(table(results)))
    if options.plot:
        options.plot.write_text(plot(results), "utf-8")


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


if __name__ == "__main__":
    main()
