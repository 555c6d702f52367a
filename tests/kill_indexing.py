"""Kill indexing at random moments and look at what is left: ``python -m tests.kill_indexing 50``.

Each round writes all articles anew, indexes them in another process, kills that with SIGKILL, and checks that every
article is wholly the old or the new one; then indexes to the end and checks that nothing is missing or left over.
Every other kill comes by the clock, and may fall into Chroma or the model; the others fall between two steps of our
own writing, which is over too soon for the clock to hit.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from index.embedding.embed import Embedder
from index.embedding.weights import locate
from index.models import IndexMissing
from index.reading.chunk import chunk
from index.search import Searcher
from index.storage.generation import Generation, current
from index.text import stems
from tests.corpus import PLACES, run, write
from tests.forked import fork
from tests.kept_models import models_kept

ARTICLES = 80  # more than are written together
OURS = (
    "index/storage/catalogue.py",
    "index/storage/catalogue_sqlite.py",
    "index/storage/store.py",
    "index/storage/generation.py",
)
WAYS = ("change", "first time", "rebuild", "change")


@dataclass(slots=True)
class Ruin:
    """An index that is killed again and again."""

    folder: Path
    weights: Path
    articles: int
    chance: random.Random
    embedder: Embedder
    seconds: float = 0.0
    steps: int = 0
    version: int = 0
    killed: dict[str, int] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def write(self) -> None:
        """Write all articles in a new version, the last of them new."""
        self.version += 1
        for i in range(self.articles):
            write(self.folder / "articles", f"a{i}", body(i, self.version))

    def index(self) -> None:
        """Index to the end."""
        started = time.perf_counter()
        report = run(self.data, [self.folder / "articles"], self.weights)
        assert not report.failed
        self.seconds = time.perf_counter() - started

    def round(self, way: str, how: str) -> None:
        """Write, kill, look, complete, look again."""
        self.write()
        if way == "first time":
            shutil.rmtree(self.data)
        if way == "rebuild" and (folder := current(self.data)):
            with closing(Generation.make(folder)) as generation:  # which writes
                generation.catalogue.set("fingerprint", "an older model/chunker-0")
        killed = self.kill(self.chance.randint(1, self.steps) if how == "at a step" else 0)
        outcome = f"{way}, {how}" if killed else f"{way}, {how}: had ended"
        self.killed[outcome] = self.killed.get(outcome, 0) + 1
        if way != "rebuild":  # until it is rebuilt, an index of another model is read by nobody
            self.check_read(whole=way == "change")
        self.index()
        self.check_whole()

    def kill(self, step: int) -> bool:
        """Index in another process, kill it at a step or, for 0, by the clock, and say whether it was still at it."""
        receiver, sender = multiprocessing.Pipe(duplex=False)
        arguments = (sender, self.data, self.folder / "articles", self.weights, step)
        process = fork(child, *arguments, weights=os.environ.get("CLIPPINGS_MODEL_DIR", ""))
        sender.close()
        with receiver:
            assert receiver.recv() == "ready"
            if not step:
                time.sleep(self.chance.uniform(0, 1.2 * self.seconds))
                process.kill()
            process.join()
            try:
                return not receiver.recv()
            except EOFError:
                return True

    def check_read(self, *, whole: bool) -> None:
        """Every article is wholly one of the two versions, none is missing where it was there, and they are found."""
        try:
            with closing(Searcher(self.data)) as searcher:
                catalogue = searcher.catalogue
                assert catalogue.counts()[0] == self.articles or not whole
                for identity, path in catalogue.paths():
                    article = catalogue.article(identity)
                    assert article
                    versions = [body(number(path), self.version), body(number(path), self.version - 1)]
                    assert article.body in versions, (identity, article.body[:200])
                    assert catalogue.chunk_ids(identity) == [piece.id for piece in chunk(article)]
                question = self.embedder.question("What did the council repair?")
                found = searcher.search(question, stems("council repair"), embed=self.embedder.passages)
                assert bool(found) == bool(catalogue.counts()[0])
                for passage in found:
                    article = catalogue.article(passage.source.id)
                    assert article
                    assert article.body[passage.start : passage.end] == passage.text
        except IndexMissing:
            assert current(self.data) is None

    def check_whole(self) -> None:
        """Every article is the new one; there are as many vectors as chunks, of the same names."""
        folder = current(self.data)
        assert folder
        with closing(Generation.open(folder)) as generation:
            assert generation.catalogue.counts()[0] == self.articles
            for identity, path in generation.catalogue.paths():
                article = generation.catalogue.article(identity)
                assert article
                assert article.body == body(number(path), self.version)
            assert sorted(generation.store.ids()) == sorted(generation.catalogue.all_chunk_ids())
            assert not generation.catalogue.get("dirty")
        assert [one.name for one in self.data.glob("generation-*")] == [folder.name]
        self.check_read(whole=True)


def child(parent: Connection, data: Path, articles: Path, weights: Path, step: int) -> None:
    """Index in a process of its own, which is killed at a step."""
    parent.send("ready")
    parent.send(steps_of(lambda: run(data, [articles], weights), last=step))


def steps_of(index: Callable[[], object], *, last: int = 0) -> int:
    """How many steps of our own indexing takes, from the first that is written, in all threads; killed at the last."""
    steps = 0

    def step(frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal steps
        if (steps or frame.f_code.co_name in {"put", "upsert"}) and frame.f_code.co_filename.endswith(OURS):
            steps += 1
            if steps == last:
                os.kill(os.getpid(), signal.SIGKILL)

    for threads in (sys, threading):
        threads.setprofile(step)
    try:
        index()
    finally:
        for threads in (sys, threading):
            threads.setprofile(None)
    return steps


def body(which: int, version: int) -> str:
    """An article in one of its versions, which all of its sentences show."""
    said = f"{PLACES[which % 8]} repaired bridge {which} in year {version}."
    return f"The council of {said} {said} " + "Nobody minded. " * (which % 3) + f"It was year {version}."


def number(path: str) -> int:
    """Which article a file holds."""
    return int(Path(path).stem[1:])


def torment(folder: Path, weights: Path, kills: int, articles: int = ARTICLES) -> dict[str, int]:
    """Kill so many times; raises AssertionError at the first damage, and returns when the kills came."""
    chance = random.Random(1)  # noqa: S311  # not for a secret
    ruin = Ruin(folder, weights, articles, chance, Embedder(weights))
    ruin.write()
    ruin.steps = steps_of(ruin.index)
    for i in range(kills):
        ruin.round(WAYS[i % len(WAYS)], ("at a step", "by the clock")[i // len(WAYS) % 2])
    return ruin.killed


if __name__ == "__main__":
    with models_kept(), tempfile.TemporaryDirectory() as scratch:  # else the clock would count their reading, too
        for when, times in torment(Path(scratch), locate(), int(sys.argv[1])).items():
            print(f"{times:4} {when}")
    print(f"{sys.argv[1]} kills, nothing lost")
