"""llama-index: its starter, its citation engine, and its BM25 fusion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.query_engine.citation_query_engine import DEFAULT_CITATION_CHUNK_OVERLAP as OVERLAP
from llama_index.core.query_engine.citation_query_engine import DEFAULT_CITATION_CHUNK_SIZE as SIZE
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.core.schema import NodeWithScore, QueryBundle, TransformComponent
from llama_index.retrievers.bm25 import BM25Retriever
from pydantic import PrivateAttr

from index.embedding.embed import Embedder
from tests.peers.measure import MOST, Find, Material, peer


class _Embedding(BaseEmbedding):
    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self._embedder = embedder

    def _get_query_embedding(self, query: str) -> list[float]:
        return [float(value) for value in self._embedder.question(query)]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.passages(texts).tolist()
        return vectors


@peer
def starter(material: Material, embedder: Embedder) -> Find:
    """Files -> documents -> VectorStoreIndex, all at their defaults."""
    retriever = _index(material, embedder).as_retriever(similarity_top_k=MOST)
    return lambda question: _ids(material, retriever.retrieve(question))


@peer
def citations(material: Material, embedder: Embedder) -> Find:
    """CitationQueryEngine over an index whose chunks are of the size that it cites.

    Over the starter's larger ones it finds what the starter finds, and cuts it afterwards.
    """
    index = _index(material, embedder, [SentenceSplitter(chunk_size=SIZE, chunk_overlap=OVERLAP)])
    engine = CitationQueryEngine.from_args(index, llm=MockLLM(), similarity_top_k=MOST)
    return lambda question: _ids(material, engine.retrieve(QueryBundle(question)))


@peer
def fusion(material: Material, embedder: Embedder) -> Find:
    """The starter's retriever and BM25 over the same chunks, by reciprocal rank, without questions made up."""
    index = _index(material, embedder)
    fused = QueryFusionRetriever(
        [
            index.as_retriever(similarity_top_k=MOST),
            BM25Retriever.from_defaults(docstore=index.docstore, similarity_top_k=MOST),
        ],
        llm=MockLLM(),
        mode=FUSION_MODES.RECIPROCAL_RANK,
        similarity_top_k=MOST,
        num_queries=1,
    )
    return lambda question: _ids(material, fused.retrieve(question))


def _index(
    material: Material, embedder: Embedder, transformations: list[TransformComponent] | None = None
) -> VectorStoreIndex:
    documents = SimpleDirectoryReader(str(material.files)).load_data()
    return VectorStoreIndex.from_documents(documents, embed_model=_Embedding(embedder), transformations=transformations)


def _ids(material: Material, found: Sequence[NodeWithScore]) -> Iterable[str]:
    ids = list(material.texts)
    return [ids[int(Path(one.node.metadata["file_name"]).stem)] for one in found]
