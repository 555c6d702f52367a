"""Clippings as a retriever, a query engine and an embedding model of llama-index, and the page that explains them."""

from __future__ import annotations

import asyncio
import pickle
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_index.core import Settings as GlobalSettings
from llama_index.core.agent.workflow import FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.base.response.schema import Response
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]  # re-exported, but not marked so
from llama_index.core.llms.mock import MockFunctionCallingLLM, MockLLM
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode
from llama_index.core.tools import QueryEngineTool
from llama_index.llms.openai_like import OpenAILike

import bot
from bot.answer import Engine
from bot.generate.llm import make_llm
from bot.integrations.llama_index import ClippingsEmbedding, ClippingsQueryEngine, ClippingsRetriever
from bot.models import REFUSAL, by_number
from bot.runtime import make_engine, once
from bot.settings import Settings
from index.embedding.embed import Embedder
from index.models import Filters, IndexMissing
from tests.fakes.openai_server import OpenAIServer, Reply

ROOT = Path(__file__).parents[1]
AS_OF = date(2024, 6, 10)
KERMAN = "How many people were killed in the Kerman attack?"
BRIDGE = "Why was Marrow Bridge closed?"
MOROCCO = "How many people died in the earthquake in Morocco?"
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "llama-index.md").read_text(encoding="utf-8"), re.DOTALL)
DOCUMENTED_URL = "http://localhost:8000/v1"

# Of llama-index's own: it looks at all members of an agent, deprecated ones too, and asks a step whether it runs.
agents_warn = pytest.mark.filterwarnings(
    "ignore::pydantic.warnings.PydanticDeprecationWarning", "ignore:is_running called from within:DeprecationWarning"
)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """A scripted language model."""
    with OpenAIServer() as found:
        yield found


@pytest.fixture
def llm(server: OpenAIServer) -> OpenAILike:
    """The scripted language model, as a user of llama-index makes it."""
    return OpenAILike(model="any", api_base=server.url, api_key="none", is_chat_model=True, context_window=8192)


@pytest.fixture
def writer(engine: Engine, server: OpenAIServer) -> Engine:
    """An engine that writes with the scripted language model."""
    spec = f"openai-like:{server.url}#fake"
    llm = once(lambda: make_llm(spec, api_key=None, timeout=5.0, context_window=None))
    return Engine(engine._searcher, engine._models, llm)


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no test find an OpenAI key, or leave something in llama-index's global settings."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    yield
    assert GlobalSettings._llm is None
    assert GlobalSettings._embed_model is None


def text_node(hit: NodeWithScore) -> TextNode:
    """The node of a hit, which is one of text."""
    assert isinstance(hit.node, TextNode)
    return hit.node


def ask(news: ClippingsQueryEngine, question: str) -> Response:
    """What a query engine answers: a whole response, never a stream."""
    response = news.query(question)
    assert isinstance(response, Response)
    return response


def check_node(engine: Engine, node: TextNode) -> None:
    """Assert that a node is a piece of its article, to the letter, and that its metadata tells the truth."""
    article = engine.article(node.metadata["article_id"])
    assert article is not None
    start, end = node.metadata["start"], node.metadata["end"]
    spans = node.metadata.get("spans", [[start, end]])
    assert spans[0] == [start, end]
    assert node.text == " … ".join(article.body[first:last] for first, last in spans)
    assert (node.start_char_idx, node.end_char_idx, node.ref_doc_id) == (start, end, article.id)
    source = article.source
    published = source.published.isoformat() if source.published else None
    known = {"headline": source.headline, "outlet": source.outlet, "published": published, "url": source.url}
    places = {"article_id": article.id, "start": start, "end": end}
    places |= {"spans": node.metadata["spans"]} if "spans" in node.metadata else {}
    assert node.metadata == {name: value for name, value in known.items() if value is not None} | places


def test_retriever_gives_what_the_engine_retrieves(engine: Engine) -> None:
    """The same passages, best first, each followed by the same story elsewhere; ids are those of the chunks."""
    hits = ClippingsRetriever(engine, as_of=AS_OF).retrieve(KERMAN)
    passages = engine.retrieve(KERMAN, as_of=AS_OF).passages
    expected = [found.chunk_id for passage in passages for found in (passage, *passage.near_duplicates)]
    assert [hit.node_id for hit in hits] == expected[:10]
    for hit in hits:
        check_node(engine, text_node(hit))
    assert "killed" in hits[0].text or "dead" in hits[0].text
    assert hits == ClippingsRetriever(engine, as_of=AS_OF).retrieve(KERMAN)


def test_metadata_that_is_unknown_is_left_out_and_places_are_not_for_models(engine: Engine) -> None:
    """A prompt says headline, outlet and date, never "None", an id or an offset."""
    nodes = {hit.node.metadata["article_id"]: hit.node for hit in ClippingsRetriever(engine).retrieve(KERMAN)}
    meridian = next(node for name, node in nodes.items() if "meridian" in name)
    assert "outlet" not in meridian.metadata
    for mode in (MetadataMode.LLM, MetadataMode.EMBED):
        headline, published, _ = meridian.get_content(metadata_mode=mode).split("\n", 2)
        assert headline.startswith("headline: Washington passed Tehran")
        assert published == "published: 2024-01-25"


def test_retriever_limits_and_filters(engine: Engine) -> None:
    """By number, by outlet, and by the day of the question."""
    assert len(ClippingsRetriever(engine, similarity_top_k=2).retrieve(KERMAN)) == 2
    courier = ClippingsRetriever(engine, filters=Filters(outlet="Northgate Courier")).retrieve(BRIDGE)
    assert {hit.node.metadata["outlet"] for hit in courier} == {"Northgate Courier"}
    early = ClippingsRetriever(engine, as_of=date(2024, 1, 25)).retrieve(KERMAN)
    assert max(hit.node.metadata.get("published", "") for hit in early) <= "2024-01-25"


@pytest.mark.parametrize("question", [KERMAN, BRIDGE, MOROCCO])
def test_who_sorts_by_score_gets_the_same_order(engine: Engine, question: str) -> None:
    """Fusion sorts hits anew: ours stay as they are."""
    retriever = ClippingsRetriever(engine, as_of=AS_OF)
    hits = retriever.retrieve(question)
    scores = [hit.score or 0.0 for hit in hits]
    assert scores == sorted(scores, reverse=True)
    fusion = QueryFusionRetriever(
        [retriever],
        llm=MockLLM(),
        mode=FUSION_MODES.RECIPROCAL_RANK,
        similarity_top_k=10,
        num_queries=1,
        use_async=False,
    )
    assert [hit.node_id for hit in fusion.retrieve(question)] == [hit.node_id for hit in hits]


def test_citation_query_engine_over_our_retriever(engine: Engine, server: OpenAIServer, llm: OpenAILike) -> None:
    """Its numbered sources are our passages, in our order, with our metadata."""
    server.script(Reply.of("Nearly 100 people died [1]."))
    retriever = ClippingsRetriever(engine, similarity_top_k=3, as_of=AS_OF)
    response = CitationQueryEngine(retriever, llm=llm, metadata_mode=MetadataMode.LLM).query(KERMAN)
    assert str(response) == "Nearly 100 people died [1]."
    prompt = server.requests[0].messages[-1]["content"]
    for number, (source, hit) in enumerate(zip(response.source_nodes, retriever.retrieve(KERMAN), strict=True), 1):
        assert source.node.metadata == hit.node.metadata
        assert f"Source {number}:\nheadline: {hit.node.metadata['headline']}" in prompt
        assert hit.text in prompt


@pytest.mark.parametrize("question", [KERMAN, BRIDGE, MOROCCO, "hello", ""])
def test_query_engine_answers_as_the_engine_does(engine: Engine, question: str) -> None:
    """What `[n]` cites is the n-th source node, one an article; a refusal has a reason and no source."""
    response = ask(ClippingsQueryEngine(engine, as_of=AS_OF), question)
    answer = engine.ask(question, as_of=AS_OF)
    assert response.response == answer.text
    cited = by_number(answer.citations)
    assert [node.metadata["spans"] for node in map(text_node, response.source_nodes)] == [
        [[quoted.start, quoted.end] for quoted in quotes] for quotes in cited.values()
    ]
    for number, source in enumerate(response.source_nodes, 1):
        check_node(engine, text_node(source))
        assert f"[{number}]" in answer.text
    refusal = {"refusal": answer.refusal.reason} if answer.refusal else {}
    assert response.metadata == {"answered": answer.answered, **refusal}


def test_query_engine_tells_why_the_articles_do_not_say(engine: Engine) -> None:
    """In its metadata; the text is the usual one."""
    response = ClippingsQueryEngine(engine, as_of=AS_OF).query(MOROCCO)
    assert str(response) == REFUSAL
    assert response.source_nodes == []
    assert response.metadata == {"answered": False, "refusal": "No article that comes near mentions Morocco."}


def test_query_engine_takes_filters_and_the_day(engine: Engine) -> None:
    """As the engine does: what was published later is not read."""
    assert ask(ClippingsQueryEngine(engine, as_of=date(2024, 1, 1)), KERMAN).response == REFUSAL
    nothing = Filters(outlet="Nobody's Gazette")
    assert ask(ClippingsQueryEngine(engine, filters=nothing, as_of=AS_OF), KERMAN).response == REFUSAL


def test_query_engine_writes_with_the_language_model(writer: Engine, server: OpenAIServer) -> None:
    """What the passages do not support is left out, with a notice; where the model fails the answer is quoted."""
    claim = "More than 100 people died in the city of Kerman"
    server.script(Reply.of(f"{claim} [1]. The moon is made of 7 cheeses [1]."), Reply(status=500))
    news = ClippingsQueryEngine(writer, as_of=AS_OF)
    written, quoted = ask(news, KERMAN), ask(news, KERMAN)
    assert written.metadata
    assert quoted.metadata
    assert str(written) == f"{claim} [1]."
    assert "more than 100 people dead" in written.source_nodes[0].text
    assert written.metadata["answered"]
    assert written.metadata["notice"].startswith("Left out")
    assert "“" in str(quoted)
    assert quoted.metadata["notice"].endswith("The answer is quoted instead.")


def test_an_error_is_ours(tmp_path: Path, weights: Path) -> None:
    """A ClippingsError comes through the retriever and the query engine, whose small talk wants no index."""
    with closing(make_engine(Settings(data=tmp_path, model_dir=weights))) as empty:
        for query in (ClippingsRetriever(empty).retrieve, ClippingsQueryEngine(empty).query):
            with pytest.raises(IndexMissing, match="clippings index"):
                query(BRIDGE)
        assert ClippingsQueryEngine(empty).query("hello").metadata == {"answered": False}


def test_async_twins_give_the_same(engine: Engine, weights: Path) -> None:
    """For all three classes, several at once."""
    retriever, news = ClippingsRetriever(engine, as_of=AS_OF), ClippingsQueryEngine(engine, as_of=AS_OF)
    embedding = ClippingsEmbedding(model_dir=weights)

    async def gather() -> tuple[Any, ...]:
        return await asyncio.gather(
            retriever.aretrieve(KERMAN),
            news.aquery(KERMAN),
            embedding.aget_query_embedding(KERMAN),
            embedding.aget_text_embedding(KERMAN),
            embedding.aget_text_embedding_batch([KERMAN, BRIDGE]),
        )

    hits, response, query, text, batch = asyncio.run(gather())
    assert hits == retriever.retrieve(KERMAN)
    assert response == news.query(KERMAN)
    assert query == embedding.get_query_embedding(KERMAN)
    assert text == embedding.get_text_embedding(KERMAN)
    assert batch == embedding.get_text_embedding_batch([KERMAN, BRIDGE])


@pytest.mark.parametrize(
    "aquery", [lambda e: ClippingsRetriever(e).aretrieve, lambda e: ClippingsQueryEngine(e).aquery]
)
def test_async_twins_do_not_hold_the_loop(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, aquery: Callable[[Engine], Callable[[str], Any]]
) -> None:
    """The event loop goes on while a question is retrieved for."""
    released, retrieve = threading.Event(), engine.retrieve

    def held(question: str, **rest: Any) -> Any:
        assert released.wait(timeout=10), "the loop was held"
        return retrieve(question, **rest)

    async def gather() -> None:
        pending = asyncio.create_task(aquery(engine)(BRIDGE))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(released.set)
        await pending

    monkeypatch.setattr(engine, "retrieve", held)
    asyncio.run(gather())


def test_embedding_is_the_model_of_the_index(weights: Path) -> None:
    """Questions and texts as the index embeds them, in plain floats; a question is embedded unlike a text."""
    embedding, embedder = ClippingsEmbedding(model_dir=weights), Embedder(weights)
    query, text = embedding.get_query_embedding(BRIDGE), embedding.get_text_embedding(BRIDGE)
    assert query == embedder.question(BRIDGE).tolist()
    assert text == embedder.passages([BRIDGE])[0].tolist()
    assert query != text
    assert len(query) == len(text) == 384
    assert np.linalg.norm(query) == pytest.approx(1)
    texts = [BRIDGE, KERMAN * 30, "", MOROCCO]
    np.testing.assert_allclose(embedding.get_text_embedding_batch(texts), embedder.passages(texts), atol=1e-5)


def test_embedding_can_be_stored_and_sent_to_another_process(weights: Path) -> None:
    """As an ingestion pipeline does: it holds names, and the weights are read where it arrives."""
    embedding = ClippingsEmbedding(model_dir=weights)
    expected = embedding.get_text_embedding(BRIDGE)
    assert pickle.loads(pickle.dumps(embedding)).get_text_embedding(BRIDGE) == expected  # noqa: S301  # our own
    assert ClippingsEmbedding.from_dict(embedding.to_dict()).get_text_embedding(BRIDGE) == expected
    assert embedding.to_payload()["model_name"] == "bge-small-en-v1.5-int8"


def test_query_engine_as_a_tool(engine: Engine) -> None:
    """An agent reads the answer; who called it finds the proof in the raw output."""
    news = ClippingsQueryEngine(engine, as_of=AS_OF)
    tool = QueryEngineTool.from_defaults(news, name="news", description="Answers from news articles.")
    output = tool.call(BRIDGE)
    assert output.content == engine.ask(BRIDGE, as_of=AS_OF).text
    assert "cracks" in output.raw_output.source_nodes[0].text
    assert asyncio.run(tool.acall(input=BRIDGE)).content == output.content


@agents_warn
def test_an_agent_that_reasons_in_text_uses_the_tool(engine: Engine, server: OpenAIServer, llm: OpenAILike) -> None:
    """ReAct, over OpenAI's protocol: the second prompt holds our answer."""
    call = f'Thought: I need the news.\nAction: news\nAction Input: {{"input": "{BRIDGE}"}}'
    end = "Thought: I can answer without using any more tools.\nAnswer: Because of cracks [1]."
    server.script(Reply.of(call), Reply.of(end))
    tool = QueryEngineTool.from_defaults(ClippingsQueryEngine(engine, as_of=AS_OF), name="news", description="News.")

    async def chat() -> Any:
        return await ReActAgent(tools=[tool], llm=llm).run(BRIDGE)

    result = asyncio.run(chat())
    assert str(result) == "Because of cracks [1]."
    answer = engine.ask(BRIDGE, as_of=AS_OF)
    assert answer.text in server.requests[1].messages[-1]["content"]
    assert [source.text for source in result.tool_calls[0].tool_output.raw_output.source_nodes] == [
        citation.quote for citation in answer.citations
    ]


@agents_warn
def test_an_agent_that_calls_functions_uses_the_tool(engine: Engine) -> None:
    """A function-calling model is handed our answer as the tool's result."""
    results: list[str] = []

    def reply(messages: list[ChatMessage], **_: Any) -> ChatMessage:
        if messages[-1].role != "tool":
            call = ToolCallBlock(tool_call_id="1", tool_name="news", tool_kwargs={"input": BRIDGE})
            return ChatMessage(role="assistant", blocks=[call])
        results.append(str(messages[-1].content))
        return ChatMessage(role="assistant", content="Because of cracks [1].")

    tool = QueryEngineTool.from_defaults(ClippingsQueryEngine(engine, as_of=AS_OF), name="news", description="News.")

    async def chat() -> Any:
        llm = MockFunctionCallingLLM(response_generator=reply, is_chat_model=True)
        return await FunctionAgent(tools=[tool], llm=llm, streaming=False).run(BRIDGE)

    assert str(asyncio.run(chat())) == "Because of cracks [1]."
    assert results == [engine.ask(BRIDGE, as_of=AS_OF).text]


@pytest.fixture
def _set_up(indexed: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in an empty folder, with the index in the environment, and close at the end what the page leaves open."""
    opened, open_engine = ExitStack(), bot.open_engine
    monkeypatch.setattr(bot, "open_engine", lambda: opened.enter_context(closing(open_engine())))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPPINGS_DATA", str(indexed))
    monkeypatch.setenv("CLIPPINGS_MODEL_DIR", str(weights))
    monkeypatch.delenv("CLIPPINGS_LLM", raising=False)
    with opened:
        yield


@agents_warn
@pytest.mark.usefixtures("_set_up")
@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_page_can_be_pasted(example: str, server: OpenAIServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Every example of docs/llama-index.md runs as it stands, by itself; only the model's address is another."""
    if "ReActAgent" in example:
        call = f'Thought: I need the news.\nAction: news\nAction Input: {{"input": "{BRIDGE}"}}'
        server.script(Reply.of(call), Reply.of("Thought: I can answer.\nAnswer: It had cracks."))
    else:
        server.script(Reply.of("It had cracks [1]."))
    handlers = list(get_dispatcher().event_handlers)
    pasted = compile(example.replace(DOCUMENTED_URL, server.url), "llama-index.md", "exec")
    exec(pasted, {"__name__": "pasted"})  # noqa: S102  # our own page
    get_dispatcher().event_handlers = handlers
    shown = capsys.readouterr().out
    expected = {
        "CitationQueryEngine": ["Marrow Bridge", "It had cracks [1]."],
        "ReActAgent": ["It had cracks.", "inspectors found cracks"],
        "ClippingsEmbedding": ["The museum is closed on Mondays."],
        "get_dispatcher": ["QueryStartEvent", "SynthesizeEndEvent", "QueryEndEvent"],
        "response.source_nodes": ["[1] ", "inspectors found cracks", "True", "'start': "],
    }
    lines = next(lines for name, lines in expected.items() if name in example)
    assert [line for line in lines if line not in shown] == []


def test_the_page_has_an_example_of_each() -> None:
    """Of the three classes, an agent and a tracer; the model's address is where the test expects it."""
    assert len(EXAMPLES) == 5
    page = "".join(EXAMPLES)
    assert page.count(DOCUMENTED_URL) == page.count("http://") == 2
    for name in ("ClippingsRetriever", "ClippingsQueryEngine", "ClippingsEmbedding", "QueryEngineTool"):
        assert name in page
