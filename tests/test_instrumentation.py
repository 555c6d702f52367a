"""llama-index's instrumentation sees the steps of our retriever, query engine and embedding model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]  # re-exported, but not marked so
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.query import QueryEndEvent
from llama_index.core.instrumentation.events.retrieval import RetrievalEndEvent
from llama_index.core.instrumentation.events.synthesis import SynthesizeEndEvent
from llama_index.core.instrumentation.span import BaseSpan
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler

from bot.answer import Engine
from bot.integrations.llama_index import ClippingsEmbedding, ClippingsQueryEngine, ClippingsRetriever
from bot.runtime import make_engine
from bot.settings import Settings
from index.models import IndexMissing

AS_OF = date(2024, 6, 10)
KERMAN = "How many people were killed in the Kerman attack?"
BRIDGE = "Why was Marrow Bridge closed?"


class Events(BaseEventHandler):
    """Keeps every event."""

    seen: list[BaseEvent] = []  # noqa: RUF012  # pydantic copies it for each instance

    def handle(self, event: BaseEvent, **_: Any) -> None:
        """Keep an event."""
        self.seen.append(event)

    def names(self) -> list[str]:
        """The events' names, in order."""
        return [event.class_name() for event in self.seen]


class Spans(BaseSpanHandler[BaseSpan]):
    """Keeps the ids of spans, each with its parent's and how it ended."""

    parents: dict[str, str | None] = {}  # noqa: RUF012  # pydantic copies it for each instance
    ended: dict[str, str] = {}  # noqa: RUF012  # the same

    def new_span(self, id_: str, *_: Any, parent_span_id: str | None = None, **__: Any) -> BaseSpan:
        """Keep a span."""
        self.parents[id_] = parent_span_id
        return BaseSpan(id_=id_)

    def prepare_to_exit_span(self, id_: str, *_: Any, **__: Any) -> None:
        """Keep that it ended well."""
        self.ended[id_] = "well"

    def prepare_to_drop_span(self, id_: str, *_: Any, **__: Any) -> None:
        """Keep that it ended in an error."""
        self.ended[id_] = "in an error"

    def path(self, id_: str | None) -> list[str]:
        """The names of a span and of those around it, the outermost first: ``"Class.method-uuid" -> "method"``."""
        return [*self.path(self.parents[id_]), id_.split("-")[0].split(".")[-1]] if id_ in self.parents else []


@contextmanager
def tracer() -> Iterator[tuple[Events, Spans]]:
    """Record what llama-index's instrumentation reports."""
    root, events, spans = get_dispatcher(), Events(), Spans()
    root.add_event_handler(events)
    root.add_span_handler(spans)
    try:
        yield events, spans
    finally:
        root.event_handlers.remove(events)
        root.span_handlers.remove(spans)


STEPS = [
    *("QueryStartEvent", "RetrievalStartEvent", "RetrievalEndEvent"),
    *("SynthesizeStartEvent", "SynthesizeEndEvent", "QueryEndEvent"),
]


def test_a_tracer_sees_query_retrieve_and_synthesize(engine: Engine) -> None:
    """As events in their order, with what went in and came out, each inside its own span."""
    with tracer() as (events, spans):
        response = ClippingsQueryEngine(engine, as_of=AS_OF).query(KERMAN)
    assert events.names() == STEPS
    retrieved, synthesized, queried = events.seen[2], events.seen[4], events.seen[5]
    assert isinstance(retrieved, RetrievalEndEvent)
    assert isinstance(synthesized, SynthesizeEndEvent)
    assert isinstance(queried, QueryEndEvent)
    assert [hit.node_id for hit in retrieved.nodes[:10]] == [
        hit.node_id for hit in ClippingsRetriever(engine, as_of=AS_OF).retrieve(KERMAN)
    ]
    assert synthesized.response == queried.response == response
    assert [spans.path(event.span_id) for event in events.seen] == [
        ["query"],
        ["query", "_query", "_retrieve"],
        ["query", "_query", "_retrieve"],
        ["query", "_query", "_synthesize"],
        ["query", "_query", "_synthesize"],
        ["query"],
    ]
    assert set(spans.ended) == set(spans.parents)
    assert set(spans.ended.values()) == {"well"}


def test_a_tracer_sees_the_same_of_an_async_query(engine: Engine) -> None:
    """The thread that works on it is inside the same spans."""
    with tracer() as (events, spans):
        asyncio.run(ClippingsQueryEngine(engine, as_of=AS_OF).aquery(KERMAN))
    assert events.names() == STEPS
    assert spans.path(events.seen[1].span_id) == ["aquery", "_aquery", "_query", "_retrieve"]


def test_a_tracer_sees_no_step_that_is_not_taken(engine: Engine, tmp_path: Path, weights: Path) -> None:
    """Small talk is not retrieved for; a step that fails ends in an error and the next one does not start."""
    with tracer() as (events, spans):
        ClippingsQueryEngine(engine).query("hello")
    assert events.names() == ["QueryStartEvent", "QueryEndEvent"]
    empty = ClippingsQueryEngine(make_engine(Settings(data=tmp_path, model_dir=weights)))
    with tracer() as (events, spans), pytest.raises(IndexMissing):
        empty.query(BRIDGE)
    assert [name for name in events.names() if name != "SpanDropEvent"] == ["QueryStartEvent", "RetrievalStartEvent"]
    assert set(spans.ended.values()) == {"in an error"}


def test_a_tracer_sees_retriever_and_embedding(engine: Engine, weights: Path) -> None:
    """As those of any other."""
    with tracer() as (events, _):
        ClippingsRetriever(engine).retrieve(BRIDGE)
        ClippingsEmbedding(model_dir=weights).get_query_embedding(BRIDGE)
    assert events.names() == ["RetrievalStartEvent", "RetrievalEndEvent", "EmbeddingStartEvent", "EmbeddingEndEvent"]
