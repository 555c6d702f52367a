"""Kill an indexer, Chroma and PostgreSQL at random moments: ``python -m tests.kill_servers 25``.

Each round writes all articles anew, indexes them in another process while a reader asks, and kills the indexer, the
Chroma server or the PostgreSQL with SIGKILL. Every passage that the reader is given must be text of the old or the new
version of its article, and what cannot be given is said within ten seconds. Then the server is started again, indexing
is repeated to its end, and nothing may be missing or left over.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from index.embedding.embed import Embedder, Vectors
from index.embedding.weights import locate
from index.models import ClippingsError
from index.search import Searcher
from index.storage.servers import Servers
from index.text import stems
from tests.chroma import Chroma
from tests.corpus import run, write
from tests.forked import fork
from tests.kept_models import models_kept
from tests.kill_indexing import body, number
from tests.postgres import Postgres

VICTIMS = ("indexer", "chroma", "postgres")
ARTICLES = 80  # more than are written together
MAX_SECONDS = 10.0
_QUESTION = "What did the council repair?"


@dataclass(slots=True)
class Ruin:
    """An index on servers that are killed again and again."""

    folder: Path
    weights: Path
    articles: int
    postgres: Postgres
    chroma: Chroma
    chance: random.Random
    question: Vectors
    seconds: float = 0.0
    version: int = 0
    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def servers(self) -> Servers:
        """The index."""
        return Servers(self.postgres.url(), self.chroma.url)

    def write(self) -> None:
        """Write all articles in a new version."""
        self.version += 1
        for i in range(self.articles):
            write(self.folder / "articles", f"a{i}", body(i, self.version))

    def index(self) -> None:
        """Index to the end; a server that was killed needs a moment to come back."""
        until = time.monotonic() + 60
        while True:
            started = time.perf_counter()
            try:
                with closing(self.servers) as servers:
                    assert not run(servers, [self.folder / "articles"], self.weights).failed
            except ClippingsError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
            else:
                self.seconds = time.perf_counter() - started
                return

    def round(self, victim: str) -> None:
        """Write, index and ask, kill, start again, complete, look."""
        self.write()
        over, wrong = threading.Event(), list[str]()
        reader = threading.Thread(target=self.read, args=(over, wrong))
        reader.start()
        try:
            outcome = self.kill(victim)
            self.index()
        finally:
            over.set()
            reader.join()
        assert not wrong, wrong
        self.outcomes[f"{victim}: {outcome}"] += 1
        self.check_whole()

    def kill(self, victim: str) -> str:
        """Index in another process, kill at a random moment, and return what became of the indexer."""
        receiver, sender = multiprocessing.Pipe(duplex=False)
        arguments = (sender, self.postgres.url(), self.chroma.url, self.folder / "articles", self.weights)
        process = fork(child, *arguments, weights=os.environ.get("CLIPPINGS_MODEL_DIR", ""))
        sender.close()
        with receiver:
            assert receiver.recv() == "ready"
            time.sleep(self.chance.uniform(0, 1.1 * self.seconds))
            if victim == "indexer":
                process.kill()
            else:
                server = self.chroma if victim == "chroma" else self.postgres
                server.kill()
                time.sleep(self.chance.uniform(0, 0.5))
                server.start()
            process.join()
            try:
                return str(receiver.recv())
            except EOFError:
                return "killed"

    def read(self, over: threading.Event, wrong: list[str]) -> None:
        """Ask until it is over; note whatever is no text of an article, late, or no sentence for a user."""
        searcher = Searcher(self.servers)
        with closing(searcher):
            while not over.is_set() and not wrong:
                started = time.monotonic()
                with suppress(ClippingsError):
                    self.ask(searcher, wrong)
                if (seconds := time.monotonic() - started) > MAX_SECONDS:
                    wrong.append(f"a question took {seconds:.1f} s")

    def ask(self, searcher: Searcher, wrong: list[str]) -> None:
        """Ask once."""
        try:
            passages = searcher.search(self.question, stems(_QUESTION))
            self.asked += 1
            for passage in passages:
                which = number(passage.source.path or "")
                versions = [body(which, version) for version in (self.version, self.version - 1)]
                if not any(text[passage.start : passage.end] == passage.text for text in versions):
                    wrong.append(f"{passage.source.path}: {passage.text}")
        except ClippingsError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it is not for a user
            wrong.append(repr(error))

    def check_whole(self) -> None:
        """Every article is the new one; there are as many vectors as chunks, of the same names; all are found."""
        with closing(self.servers) as servers:
            name = servers.current()
            assert name
            with closing(servers.open(name)) as generation:
                catalogue = generation.catalogue
                catalogue.check()
                assert catalogue.counts()[0] == self.articles
                for identity, path in catalogue.paths():
                    article = catalogue.article(identity)
                    assert article
                    assert article.body == body(number(path), self.version)
                assert sorted(generation.store.ids()) == sorted(catalogue.all_chunk_ids())
                assert not catalogue.get("dirty")
                generation.store.self_search()


def child(parent: Connection, database: str, chroma: str, articles: Path, weights: Path) -> None:
    """Index in a process of its own, and send how it ended."""
    parent.send("ready")
    try:
        run(Servers(database, chroma), [articles], weights)
        parent.send("had ended")
    except ClippingsError:
        parent.send("ended with a message")


def torment(folder: Path, weights: Path, kills: int, articles: int = ARTICLES) -> Ruin:
    """Kill each of them so many times; raises AssertionError at the first damage."""
    chance = random.Random(1)  # noqa: S311  # not for a secret
    for name in ("postgres", "chroma"):
        (folder / name).mkdir()
    with Postgres(folder / "postgres") as postgres, Chroma(folder / "chroma") as chroma:
        question = Embedder(weights).question(_QUESTION)
        ruin = Ruin(folder, weights, articles, postgres, chroma, chance, question)
        ruin.write()
        ruin.index()
        for i in range(kills * len(VICTIMS)):
            ruin.round(VICTIMS[i % len(VICTIMS)])
        return ruin


if __name__ == "__main__":
    with models_kept(), tempfile.TemporaryDirectory() as scratch:  # else the clock would count their reading, too
        Path(scratch).chmod(0o755)  # the user of PostgreSQL goes through
        done = torment(Path(scratch), locate(), int(sys.argv[1]))
        for outcome, times in sorted(done.outcomes.items()):
            print(f"{times:4} {outcome}")
    print(f"{sys.argv[1]} kills of each, {done.asked} searches beside them, nothing lost, no wrong passage")
