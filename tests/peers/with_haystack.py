"""haystack: the hybrid pipeline of its guide, BM25 and embeddings joined by reciprocal rank."""

from __future__ import annotations

from dataclasses import replace

from haystack import Document, Pipeline, component
from haystack.components.joiners import DocumentJoiner
from haystack.components.joiners.document_joiner import JoinMode
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore

from index.embedding.embed import Embedder
from tests.peers.measure import MOST, Find, Material, peer


@component
class _DocumentEmbedder:
    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        component.set_output_types(self, documents=list[Document])

    def run(self, documents: list[Document]) -> dict[str, list[Document]]:
        vectors = self._embedder.passages([one.content or "" for one in documents]).tolist()
        return {"documents": [replace(one, embedding=vector) for one, vector in zip(documents, vectors, strict=True)]}


@component
class _TextEmbedder:
    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        component.set_output_types(self, embedding=list[float])

    def run(self, text: str) -> dict[str, list[float]]:
        return {"embedding": self._embedder.question(text).tolist()}


@peer
def hybrid(material: Material, embedder: Embedder) -> Find:
    """Chunks of 200 words, which is the splitter's default."""
    store = InMemoryDocumentStore()
    indexing = Pipeline()
    indexing.add_component("split", DocumentSplitter())
    indexing.add_component("embed", _DocumentEmbedder(embedder))
    indexing.add_component("write", DocumentWriter(store))
    indexing.connect("split", "embed")
    indexing.connect("embed", "write")
    documents = [Document(content=text, meta={"article": name}) for name, text in material.texts.items()]
    indexing.run({"split": {"documents": documents}})
    asking = _asking(store, embedder)

    def find(question: str) -> list[str]:
        found = asking.run({"embed": {"text": question}, "words": {"query": question}})
        return [one.meta["article"] for one in found["join"]["documents"]]

    return find


def _asking(store: InMemoryDocumentStore, embedder: Embedder) -> Pipeline:
    asking = Pipeline()
    asking.add_component("embed", _TextEmbedder(embedder))
    asking.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=MOST))
    asking.add_component("words", InMemoryBM25Retriever(store, top_k=MOST))
    asking.add_component("join", DocumentJoiner(JoinMode.RECIPROCAL_RANK_FUSION, top_k=MOST))
    asking.connect("embed.embedding", "dense.query_embedding")
    asking.connect("dense", "join")
    asking.connect("words", "join")
    return asking
