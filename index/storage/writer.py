"""Writes articles to an open index: words and chunks to the catalogue, vectors to the store.

A new article is found by its words with the commit of the catalogue's transaction, by its meaning when its vectors are
there: they are computed beside, in order. An article that changes has its new vectors first, and its old ones until the
commit. The note `dirty` in the catalogue stays until vectors and chunks agree; after a killed run the next one computes
the vectors that are missing, and removes those that no chunk refers to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from index.embedding.embed import Embedder, Vectors
from index.models import Article, Chunk
from index.reading.chunk import chunk
from index.storage.catalogue import Edition
from index.storage.generation import Opened
from index.storage.shard import Shard

BATCH_ARTICLES = 16  # memory stays flat, the bar moves, and the embedder can sort by length
_MAX_WAITING_BATCHES = 500  # some 100 MB

Digested = tuple[Article, list[Chunk], str]
"""An article, its chunks, and the digest of its raw record."""


@dataclass(slots=True)
class Writer:
    """Writes to a generation. Close it before the generation.

    ``editions``: what the next transaction notes, by article. ``vectors``: by chunk, those that need not be computed.
    """

    generation: Opened
    embedder: Embedder
    shard: Shard | None = None
    removed: int = 0
    chunks_embedded: int = 0
    editions: dict[str, Edition] = field(default_factory=dict)
    vectors: Mapping[str, Vectors] = field(default_factory=dict)
    _waiting: deque[tuple[Future[None], int]] = field(default_factory=deque)  # with the numbers of their articles
    _beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "embedding"))

    def close(self) -> None:
        """Leave what waits to be embedded to the next run."""
        self._beside.shutdown(cancel_futures=True)

    @property
    def waiting(self) -> int:
        """The number of articles that are found by their words alone."""
        return sum(count for job, count in self._waiting if not job.done())

    def repair(self) -> None:
        """Make vectors and catalogue agree after a run that did not end. No other shard may be at work."""
        catalogue, store = self.generation.catalogue, self.generation.store
        if not catalogue.get("dirty") and store.count() == catalogue.counts()[1]:
            return
        catalogue.set("dirty", "yes")
        stored, wanted = set(store.ids()), set(catalogue.all_chunk_ids())
        store.delete(sorted(stored - wanted))
        missing = wanted - stored
        owners = sorted({owner for name in missing if (owner := catalogue.article_of(name))})
        for start in range(0, len(owners), BATCH_ARTICLES):
            articles = filter(None, map(catalogue.article, owners[start : start + BATCH_ARTICLES]))
            self._embed_beside([piece for article in articles for piece in chunk(article) if piece.id in missing])
        if self.shard or not self._waiting:
            self.embed_all()
            catalogue.set("dirty", "")

    def write(self, articles: Sequence[Digested]) -> None:
        """Store articles in place of what the index holds of them, and remove those that were withdrawn."""
        if not articles and not self.editions:
            return
        catalogue = self.generation.catalogue
        out_of_use = [identity for identity, edition in self.editions.items() if edition.state]
        owners = [*(article.id for article, _, _ in articles), *out_of_use]
        before = {identity: catalogue.chunk_ids(identity) for identity in owners}
        held = {name for names in before.values() for name in names}
        after = {piece.id: piece for _, chunks, _ in articles for piece in chunks}
        added = [piece for name, piece in after.items() if name not in held]
        catalogue.set("dirty", "yes")
        self._embed([piece for piece in added if before[piece.article_id]], self.vectors)
        with catalogue.transaction():
            for article, chunks, digest in articles:
                catalogue.put(article, digest, chunks)
            for identity in out_of_use:
                self.removed += catalogue.known(identity) is not None
                catalogue.remove(identity)
            for identity, edition in self.editions.items():
                catalogue.set_edition(identity, edition)
        self.generation.store.delete(sorted(held - after.keys()))
        self.editions.clear()
        self._embed_beside([piece for piece in added if not before[piece.article_id]])

    def embed_all(self, progress: Callable[[], None] = lambda: None) -> None:
        """Wait until all that was written has its vectors. Calls ``progress`` now and then.

        With other shards at work the note stays: the last of them looks at all.
        """
        while self._waiting:
            self._waiting.popleft()[0].result()
            progress()
        if not self.shard:
            self.generation.catalogue.set("dirty", "")

    def _embed_beside(self, chunks: Sequence[Chunk]) -> None:
        while self._waiting and (self._waiting[0][0].done() or len(self._waiting) > _MAX_WAITING_BATCHES):
            self._waiting.popleft()[0].result()  # raises what went wrong
        if chunks:
            job = self._beside.submit(self._embed_stored, chunks, self.vectors)
            self._waiting.append((job, len({piece.article_id for piece in chunks})))

    def _embed_stored(self, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors]) -> None:
        catalogue, names = self.generation.catalogue, [piece.id for piece in chunks]
        self._embed(chunks, vectors)
        self.generation.store.delete(sorted(set(names) - catalogue.days(names).keys()))  # their article has changed
        catalogue.set("dirty", "yes")  # a write, by which readers in a folder notice

    def _embed(self, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors]) -> None:
        if known := {piece.id: vectors[piece.id] for piece in chunks if piece.id in vectors}:
            self.generation.store.upsert(list(known), np.array(list(known.values())))
        if new := [piece for piece in chunks if piece.id not in known]:
            computed = self.embedder.passages([piece.embedded for piece in new])
            self.generation.store.upsert([piece.id for piece in new], computed)
            self.chunks_embedded += len(new)
