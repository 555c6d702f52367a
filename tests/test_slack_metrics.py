"""What can be seen of the bot from outside: metrics on a port of their own, a log in JSON, traces; texts in none."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections import Counter
from concurrent import futures
from pathlib import Path
from typing import Any, Self

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from bot.answer import Engine
from bot.models import ON_MODEL_CALL, ON_STEP, REQUEST_ID
from bot.runtime import Parts
from bot.settings import Settings
from bot.slack import watch
from bot.slack.watch import Watch, request_id
from index.models import IndexMissing
from tests.fake_slack import FakeSlack
from tests.fakes.openai_server import OpenAIServer, Reply
from tests.slack_process import BotProcess, answered, copied

MILL = "How many jobs will the Aldermoor paper mill cut?"
UNKNOWN = "Who won the Eurovision song contest in 1974?"
DASHBOARD = Path(__file__).parents[1] / "ops" / "grafana.json"


class Collector:
    """A collector of OpenTelemetry's traces on a free port of 127.0.0.1."""

    def __enter__(self) -> Self:
        """Start."""
        self.spans: list[Any] = []
        handler = grpc.unary_unary_rpc_method_handler(
            self._export, ExportTraceServiceRequest.FromString, ExportTraceServiceResponse.SerializeToString
        )
        service = grpc.method_handlers_generic_handler(
            "opentelemetry.proto.collector.trace.v1.TraceService", {"Export": handler}
        )
        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        self._server.add_generic_rpc_handlers((service,))
        self.url = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._server.stop(None).wait()

    def _export(self, request: Any, _: object) -> Any:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return ExportTraceServiceResponse()

    def named(self, name: str) -> list[dict[str, str]]:
        """The attributes of the spans with a name, as text."""
        return [
            {pair.key: pair.value.string_value or str(pair.value) for pair in span.attributes}
            for span in self.spans
            if span.name == name
        ]


def get(url: str) -> tuple[int, str]:
    """Status and body of a page."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Name and values of the labels of each sample -> its value."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.process(seconds=30)
def test_question_is_seen_in_metrics_log_and_traces(indexed: Path, tmp_path: Path) -> None:
    """With one id in the log, in the trace and at the language model's server; its words are in none of them."""
    with FakeSlack() as slack, OpenAIServer() as llm, Collector() as collector:
        settings = {
            "CLIPPINGS_LLM": f"openai-like:{llm.url}#fake",
            "CLIPPINGS_LOG": "json",
            "CLIPPINGS_METRICS_PORT": "0",
            "CLIPPINGS_TRACES": "on",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        data = copied(indexed, tmp_path / "data")
        with BotProcess(slack, data, mode="http", **settings) as bot:
            llm.script(Reply.of("The mill will shed 140 jobs [1]."), Reply(status=500), Reply(status=500))
            asked = slack.say("U1", "C1", f"<@UBOT> {MILL}")
            answered(slack, "C1", asked)
            slack.fault("users.info", error="user_not_visible")
            for text in (UNKNOWN, MILL, "hello"):
                answered(slack, "C1", slack.say("U1", "C1", f"<@UBOT> {text}"))
            slack.wait(lambda: len(collector.named("question")) == 4)
            port = int(re.findall(r"metrics on port (\d+)", bot.logged())[0])
            status, text = get(f"http://127.0.0.1:{port}/metrics")
            assert get(f"http://127.0.0.1:{bot._port}/metrics")[0] == 404
            lines = [json.loads(line) for line in bot.logged().splitlines() if line.startswith("{")]
    found = samples(text)
    key = f"T1/C1/{asked}"
    assert status == 200
    outcomes = Counter[str]()
    for name, value in found.items():
        if name[0] == "clippings_questions_total":
            outcomes[name[2]] += int(value)
    assert outcomes == {"answered": 2, "refused": 1, "reply": 1}
    assert found["clippings_questions_total", "chitchat", "reply"] == 1
    assert found["clippings_answer_seconds_count",] == 4
    steps = {name[1]: value for name, value in found.items() if name[0] == "clippings_step_seconds_count"}
    assert {name for name, value in steps.items() if value} == {"thread", "retrieve", "read", "write", "post"}
    assert found["clippings_model_calls_total", "ok"] == 1
    assert found["clippings_model_calls_total", "error"] >= 1
    assert found["clippings_model_tokens_total", "prompt"] > 100
    assert found["clippings_index_articles",] > 10
    assert found["clippings_index_age_seconds",] > 0
    assert found["clippings_questions_waiting",] <= 1  # as of the last look, two seconds ago at most
    mine = [line for line in lines if line.get("request") == request_id(key)]
    assert [line["message"].split()[0] for line in mine] == ["received", "model", "answer"]
    sent = {name.lower(): value for name, value in llm.requests[0].headers.items()}
    assert sent["x-request-id"] == request_id(key)
    root = next(span for span in collector.named("question") if span["clippings.request"] == request_id(key))
    assert root["clippings.answerer"] == "write"
    assert {"embed", "search", "rank_sentences", "write", "model"} <= {span.name for span in collector.spans}
    seen = json.dumps(lines) + text + "".join(map(str, collector.spans))
    assert not [words for words in ("Aldermoor", "Eurovision", "140 jobs", "paper mill") if words in seen]


def test_traces_have_texts_only_if_asked_for(engine: Engine) -> None:
    """The steps of an answer are spans below that of its question; nothing is left behind when it ends."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for with_texts in (False, True):
        watch = Watch(provider.get_tracer("test"), with_texts=with_texts)
        with watch.question("T1/C1/1.1", MILL, 2) as answered_with:
            answered_with(engine.ask(MILL))
        spans = {span.name: span for span in exporter.get_finished_spans()}
        exporter.clear()
        root = spans["question"]
        assert root.attributes is not None
        assert root.attributes["clippings.attempt"] == 2
        assert {"embed", "search", "rank_sentences"} <= spans.keys()
        assert all(
            span.parent and span.parent.span_id == root.context.span_id
            for name, span in spans.items()
            if name != "question"
        )
        assert ("Aldermoor" in str(dict(root.attributes))) is with_texts
    assert (REQUEST_ID.get(), ON_STEP.get()("x"), ON_MODEL_CALL.get()(None)) == ("", None, None)  # type: ignore[arg-type]  # the defaults do nothing


def test_figures_of_the_index_are_nan_without_one(tmp_path: Path) -> None:
    """A bot that starts before the first article is indexed is seen, too."""
    settings = Settings(data=tmp_path)
    with pytest.raises(IndexMissing):
        Parts().index_figures(settings)
    current = watch._kept(lambda: Parts().index_figures(settings))
    assert [str(value) for value in current().values()] == ["nan"] * 4


def test_dashboard_asks_for_what_there_is() -> None:
    """Each name in a query of ops/grafana.json is a metric of ours, or of every process; each label is one of its."""
    known = {
        sample: set(metric._labelnames)
        for name, metric in vars(watch).items()
        if name.isupper() and hasattr(metric, "_labelnames")
        for sample in _names(metric)
    }
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    used = set()
    for query in queries:
        names = re.findall(r"\b(?:clippings|process)_\w+", query)
        assert names, query
        ours = [name for name in names if name.startswith("clippings")]
        used |= set(ours)
        assert set(ours) <= known.keys(), query
        labels = {label for name in ours for label in known[name]} | {"le", "instance", "job"}
        grouped = [label for found in re.findall(r"by \(([^)]*)\)", query) for label in found.split(", ")]
        matched = re.findall(r"(\w+)=~?\"", query)
        assert set(grouped + matched) <= labels, query
    families = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in used}
    assert {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in known} == families  # nothing is counted in vain
    assert "process_resident_memory_bytes" in {family.name for family in REGISTRY.collect()}


def _names(metric: Any) -> list[str]:
    """The names under which a metric is shown."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}[metric._type]
    return [metric._name + suffix for suffix in suffixes]
