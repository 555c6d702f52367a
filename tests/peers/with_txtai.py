"""txtai: its hybrid index, which adds BM25 and cosine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from txtai.embeddings import Embeddings
from txtai.pipeline import Segmentation

from index.embedding.embed import Embedder, Vectors
from tests.peers.measure import MOST, Find, Material, peer


@peer
def hybrid(material: Material, embedder: Embedder) -> Find:
    """Each article whole, as it cuts nothing by default: of a long one the model reads the beginning."""
    return _hybrid(material, embedder, lambda text: [text])


@peer
def paragraphs(material: Material, embedder: Embedder) -> Find:
    """The articles cut by its Segmentation, where a headline is a paragraph too."""
    return _hybrid(material, embedder, Segmentation(paragraphs=True))


def _hybrid(material: Material, embedder: Embedder, cut: Callable[[str], list[str]]) -> Find:
    asking = False

    def embed(texts: Sequence[str]) -> Vectors:  # it tells passages from questions by a prefix only
        return embedder.question(texts[0])[None] if asking else embedder.passages(texts)

    pieces = [(name, piece) for name, text in material.texts.items() for piece in cut(text)]
    index = Embeddings(method="external", transform=embed, hybrid=True)
    index.index(piece for _, piece in pieces)
    asking = True
    return lambda question: [pieces[number][0] for number, _ in index.search(question, MOST)]
