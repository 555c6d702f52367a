"""Writes articles to an open index: words and chunks to the catalogue, vectors to the store.

A batch of articles changes in three steps: write the new vectors, commit the catalogue's transaction, delete the
vectors that no chunk refers to. Killed before the commit, a run leaves the old state, after it the new one; the note
`dirty` in the catalogue makes the next run look for stray vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from index.catalogue import Edition
from index.chunk import chunk
from index.embed import Embedder, Vectors
from index.generation import Opened
from index.models import Article, Chunk
from index.shard import Shard

BATCH_ARTICLES = 16  # memory stays flat, the bar moves, and the embedder can sort by length

Digested = tuple[Article, list[Chunk], str]
"""An article, its chunks, and the digest of its raw record."""


@dataclass(slots=True)
class Writer:
    """Writes to a generation.

    ``editions``: what the next transaction notes, by article. ``vectors``: by chunk, those that need not be computed.
    """

    generation: Opened
    embedder: Embedder
    shard: Shard | None = None
    removed: int = 0
    chunks_embedded: int = 0
    editions: dict[str, Edition] = field(default_factory=dict)
    vectors: Mapping[str, Vectors] = field(default_factory=dict)

    def repair(self) -> None:
        """Make vectors and catalogue agree after a run that did not end. No other shard may be at work."""
        catalogue, store = self.generation.catalogue, self.generation.store
        if not catalogue.get("dirty") and store.count() == catalogue.counts()[1]:
            return
        with self._dirty():
            stored, wanted = set(store.ids()), set(catalogue.all_chunk_ids())
            store.delete(sorted(stored - wanted))
            missing = wanted - stored
            for identity in sorted({owner for name in missing if (owner := catalogue.article_of(name))}):
                if article := catalogue.article(identity):
                    self._embed([piece for piece in chunk(article) if piece.id in missing])
        catalogue.set("dirty", "")

    def write(self, articles: Sequence[Digested]) -> None:
        """Embed and store articles, in place of what the index holds of them, and remove those that were withdrawn."""
        if not articles and not self.editions:
            return
        catalogue, store = self.generation.catalogue, self.generation.store
        out_of_use = [identity for identity, edition in self.editions.items() if edition.state]
        owners = [*(article.id for article, _, _ in articles), *out_of_use]
        before = {name for identity in owners for name in catalogue.chunk_ids(identity)}
        after = {piece.id: piece for _, chunks, _ in articles for piece in chunks}
        with self._dirty():
            self._embed([piece for name, piece in after.items() if name not in before])
            with catalogue.transaction():
                for article, chunks, digest in articles:
                    catalogue.put(article, digest, chunks)
                for identity in out_of_use:
                    self.removed += catalogue.known(identity) is not None
                    catalogue.remove(identity)
                for identity, edition in self.editions.items():
                    catalogue.set_edition(identity, edition)
            store.delete(sorted(before - after.keys()))
        self.editions.clear()

    def _embed(self, chunks: Sequence[Chunk]) -> None:
        if known := {piece.id: self.vectors[piece.id] for piece in chunks if piece.id in self.vectors}:
            self.generation.store.upsert(list(known), np.array(list(known.values())))
        if new := [piece for piece in chunks if piece.id not in known]:
            vectors = self.embedder.passages([piece.embedded for piece in new])
            self.generation.store.upsert([piece.id for piece in new], vectors)
            self.chunks_embedded += len(new)

    @contextmanager
    def _dirty(self) -> Iterator[None]:
        """Note that vectors and catalogue may disagree, until the end of the block; after an error the note stays.

        With other shards at work it stays, too: the last of them looks at all.
        """
        self.generation.catalogue.set("dirty", "yes")
        yield
        if not self.shard:
            self.generation.catalogue.set("dirty", "")
