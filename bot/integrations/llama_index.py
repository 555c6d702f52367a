"""Clippings behind llama-index's interfaces: a retriever, a query engine and an embedding model.

llama-index's global `Settings` is neither read nor set. What runs is reported through llama-index's instrumentation:
query, retrieve and synthesize, as events within spans. For use see docs/llama-index.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from functools import cache
from itertools import accumulate
from pathlib import Path

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.response.schema import Response
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]  # re-exported, but not marked so
from llama_index.core.instrumentation.events.retrieval import RetrievalEndEvent, RetrievalStartEvent
from llama_index.core.instrumentation.events.synthesis import SynthesizeEndEvent, SynthesizeStartEvent
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from bot.answer import Engine
from bot.extract.ranking import Retrieval
from bot.models import Answer, Citation, by_number
from bot.query.chitchat import reply
from bot.settings import load_settings
from index.embedding.embed import MODEL_NAME, Embedder
from index.embedding.weights import locate
from index.models import Filters, Source

DEFAULT_TOP_K = 10  # passages, as many as our own prompt holds
_NO_FILTERS = Filters()
_NOT_FOR_MODELS = ["article_id", "start", "end", "spans", "url"]  # metadata that says nothing about the text

dispatcher = get_dispatcher(__name__)


class ClippingsRetriever(BaseRetriever):
    """Passages for a question, best first, as nodes whose ids are those of the chunks.

    A passage is followed by the same story from other articles. ``score`` only orders the nodes of one question.
    ``as_of`` (default: today) is the day of the question.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        similarity_top_k: int = DEFAULT_TOP_K,
        filters: Filters = _NO_FILTERS,
        as_of: date | None = None,
    ) -> None:
        super().__init__()
        self._engine, self._top_k, self._filters, self._as_of = engine, similarity_top_k, filters, as_of

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        retrieval = self._engine.retrieve(query_bundle.query_str, filters=self._filters, as_of=self._as_of)
        return _passage_nodes(retrieval)[: self._top_k]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class ClippingsQueryEngine(BaseQueryEngine):
    """Answers with their proof: ``source_nodes[n - 1]`` is what ``[n]`` in the response cites.

    Several quotes of an article are one node, joined by " … "; ``spans`` in its metadata has the place of each.

    ``metadata`` of the response: ``answered``, and if there is one the reason of the ``refusal`` and the ``notice``.
    """

    def __init__(self, engine: Engine, *, filters: Filters = _NO_FILTERS, as_of: date | None = None) -> None:
        super().__init__(callback_manager=None)
        self._engine, self._filters, self._as_of = engine, filters, as_of

    def _query(self, query_bundle: QueryBundle) -> Response:
        if reply(query_bundle.query_str):  # chitchat, for which nothing is retrieved
            return _response(self._engine.ask(query_bundle.query_str))
        return self._synthesize(query_bundle, self._retrieve(query_bundle))

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}  # the prompts are files of ours

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    @dispatcher.span
    def _retrieve(self, query_bundle: QueryBundle) -> Retrieval:
        dispatcher.event(RetrievalStartEvent(str_or_query_bundle=query_bundle))
        retrieval = self._engine.retrieve(query_bundle.query_str, filters=self._filters, as_of=self._as_of)
        dispatcher.event(RetrievalEndEvent(str_or_query_bundle=query_bundle, nodes=_passage_nodes(retrieval)))
        return retrieval

    @dispatcher.span
    def _synthesize(self, query_bundle: QueryBundle, retrieval: Retrieval) -> Response:
        dispatcher.event(SynthesizeStartEvent(query=query_bundle))
        response = _response(self._engine.answer_from(retrieval, query_bundle.query_str, as_of=self._as_of).answer)
        dispatcher.event(SynthesizeEndEvent(query=query_bundle, response=response))
        return response


class ClippingsEmbedding(BaseEmbedding):
    """The embedding model of the index: unit vectors of 384; questions get the prefix that the model was trained with.

    ``model_dir`` (default: as CLIPPINGS_MODEL_DIR says) is the folder of the weights, read at the first text.
    """

    model_name: str = MODEL_NAME
    model_dir: Path | None = None

    def _get_query_embedding(self, query: str) -> list[float]:
        vector: list[float] = _embedder(self.model_dir).question(query).tolist()
        return vector

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = _embedder(self.model_dir).passages(texts).tolist()
        return vectors

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)


@cache
def _embedder(model_dir: Path | None) -> Embedder:
    return Embedder(locate(model_dir or load_settings().model_dir))


def _response(answer: Answer) -> Response:
    nodes = [_citation_node(cited) for cited in by_number(answer.citations).values()]
    details = {"refusal": answer.refusal and answer.refusal.reason, "notice": answer.notice}
    metadata = {"answered": answer.answered, **{name: value for name, value in details.items() if value}}
    return Response(answer.text, [NodeWithScore(node=node) for node in nodes], metadata)


def _citation_node(cited: Sequence[Citation]) -> TextNode:
    first = cited[0]
    node = _node(f"{first.source.id}:{first.start}-{first.end}", first.quote, first.start, first.source)
    node.set_content(" … ".join(citation.quote for citation in cited))
    node.metadata["spans"] = [[citation.start, citation.end] for citation in cited]
    return node


def _passage_nodes(retrieval: Retrieval) -> list[NodeWithScore]:
    """Passages as nodes, in their order; a passage that the reader moved up scores at least what follows it."""
    passages = [each for passage in retrieval.passages for each in (passage, *passage.near_duplicates)]
    scores = list(accumulate((passage.score for passage in reversed(passages)), max))[::-1]
    return [
        NodeWithScore(node=_node(passage.chunk_id, passage.text, passage.start, passage.source), score=float(score))
        for passage, score in zip(passages, scores, strict=True)
    ]


def _node(identity: str, text: str, start: int, source: Source) -> TextNode:
    """``body[start:end]`` of an article. Metadata that is unknown is left out: prompts would say "None"."""
    end = start + len(text)
    metadata = {
        "headline": source.headline,
        "outlet": source.outlet,
        "published": source.published.isoformat() if source.published else None,
        "url": source.url,
        "article_id": source.id,
        "start": start,
        "end": end,
    }
    return TextNode(
        id_=identity,
        text=text,
        start_char_idx=start,
        end_char_idx=end,
        metadata={name: value for name, value in metadata.items() if value is not None},
        excluded_llm_metadata_keys=_NOT_FOR_MODELS,
        excluded_embed_metadata_keys=_NOT_FOR_MODELS,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=source.id)},
    )
