"""What can be seen of the bot while it runs: its log, metrics for Prometheus, traces through OpenTelemetry.

A log line and a span carry the id of the request they belong to. The names of the metrics are a contract:
ops/grafana.json asks for them. Traces need the extra `traces`; they are sent where OTEL_EXPORTER_OTLP_ENDPOINT says,
without texts unless they are wanted.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from bot.models import ON_MODEL_CALL, ON_STEP, REQUEST_ID
from index.models import ClippingsError

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

    from opentelemetry.trace import Tracer

    from bot.models import Answer, ModelCall
    from bot.runtime import Figures
    from bot.settings import Settings

_LINES = "%(asctime)s %(levelname)s %(name)s %(message)s"
_BUCKETS_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_INDEX_SECONDS = 30.0  # that the figures of the index are kept
_STEPS = {"embed": "retrieve", "search": "retrieve", "rank_sentences": "read", "write": "write"}  # of `timings_ms`
_log = logging.getLogger(__name__)
QUESTIONS = Counter("clippings_questions", "Questions, by what they ask for and what came of it.", ["kind", "outcome"])
ANSWER_SECONDS = Histogram("clippings_answer_seconds", "From a question to its whole answer.", buckets=_BUCKETS_SECONDS)
STEP_SECONDS = Histogram("clippings_step_seconds", "Steps of an answer.", ["step"], buckets=_BUCKETS_SECONDS)
SLACK_ERRORS = Counter("clippings_slack_errors", "Calls that Slack refused or that failed.", ["method", "code"])
MODEL_CALLS = Counter("clippings_model_calls", "Calls of the language model.", ["outcome"])
MODEL_SECONDS = Histogram("clippings_model_seconds", "Calls of the language model.", buckets=_BUCKETS_SECONDS)
MODEL_TOKENS = Counter("clippings_model_tokens", "Tokens, where the server counts none estimated.", ["direction"])
DATABASE_ERRORS = Counter("clippings_database_errors", "Failures of the database.")
WAITING = Gauge("clippings_questions_waiting", "Questions without an answer, in the database.")
UNDER_WAY = Gauge("clippings_questions_under_way", "Questions that this process answers.")
ARTICLES = Gauge("clippings_index_articles", "Articles in the index.")
CHUNKS = Gauge("clippings_index_chunks", "Chunks in the index.")
BYTES = Gauge("clippings_index_bytes", "Size of the data folder.")
AGE = Gauge("clippings_index_age_seconds", "Since the index was written last.")
_MAX_TEXT_CHARACTERS = 4_000  # of a question and an answer
_NANOSECONDS = 1_000_000_000  # of a second


class JsonFormatter(logging.Formatter):
    """An object a line: time, level, logger, message, and where there is one, request and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := REQUEST_ID.get():
            fields["request"] = request
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def start_logging(form: str) -> None:
    """Log to standard error in a ``form``, "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(_LINES))
    logger = logging.getLogger("bot.slack")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)


def request_id(key: str) -> str:
    """The id of a question's request: the same in every process and attempt. It tells nothing of channel or person."""
    return blake2b(key.encode(), digest_size=8).hexdigest()


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Time a step of an answer."""
    started = time.perf_counter()
    try:
        yield
    finally:
        STEP_SECONDS.labels(name).observe(time.perf_counter() - started)


def count_answer(answer: Answer) -> None:
    """Count an answer and the steps to it."""
    outcome = "refused" if answer.refusal else "reply" if answer.answerer == "reply" else "answered"
    QUESTIONS.labels(answer.kind, outcome).inc()
    seconds: dict[str, float] = {}
    for name, milliseconds in answer.timings_ms.items():
        if name in _STEPS:
            seconds[_STEPS[name]] = seconds.get(_STEPS[name], 0.0) + milliseconds / 1000
    for name, value in seconds.items():
        STEP_SECONDS.labels(name).observe(value)


def count_call(call: ModelCall) -> None:
    """Count a call of the language model."""
    MODEL_CALLS.labels("error" if call.is_failed else "ok").inc()
    MODEL_SECONDS.observe(call.seconds)
    MODEL_TOKENS.labels("prompt").inc(call.prompt_tokens)
    MODEL_TOKENS.labels("reply").inc(call.reply_tokens)


def serve_metrics(host: str, port: int, figures: Callable[[], Figures]) -> WSGIServer:
    """Serve the metrics on a port of their own: whoever reaches it may read them. Raises ClippingsError."""
    current = _kept(figures)
    for gauge, name in {ARTICLES: "articles", CHUNKS: "chunks", BYTES: "size_bytes", AGE: "age_seconds"}.items():
        gauge.set_function(lambda name=name: current()[name])  # type: ignore[misc]  # mypy infers no default of a lambda
    try:
        server, _ = start_http_server(port, host)
    except OSError as error:
        message = (
            f"The metrics cannot be served on {host}:{port}: {error.strerror}. Set CLIPPINGS_METRICS_PORT to another."
        )
        raise ClippingsError(message) from None
    return server


def _kept(figures: Callable[[], Figures]) -> Callable[[], Mapping[str, float]]:
    """The figures of the index, looked up once for all gauges; NaN where there is none."""
    looked, found = -_INDEX_SECONDS, dict.fromkeys(("articles", "chunks", "size_bytes", "age_seconds"), float("nan"))

    def current() -> Mapping[str, float]:
        nonlocal looked
        if time.monotonic() - looked >= _INDEX_SECONDS:
            looked = time.monotonic()
            try:
                now = figures()
                age = time.time() - now.indexed_at.timestamp() if now.indexed_at else float("nan")
                found.update(articles=now.articles, chunks=now.chunks, size_bytes=now.size_bytes, age_seconds=age)
            except ClippingsError:
                found.update(dict.fromkeys(found, float("nan")))
        return found

    return current


class Watch:
    """Watches questions. Safe to share between threads."""

    def __init__(self, tracer: Tracer | None = None, *, with_texts: bool = False) -> None:
        self._tracer, self._with_texts = tracer, with_texts

    @classmethod
    def of(cls, settings: Settings) -> Watch:
        """Trace if the settings say so. Raises ClippingsError if the extra is missing."""
        if settings.traces == "off":
            return cls()
        try:
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            raise ClippingsError('CLIPPINGS_TRACES needs an extra: pip install "clippings[traces]"') from None
        provider = TracerProvider(resource=Resource.create({"service.name": "clippings"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider.get_tracer("clippings"), with_texts=settings.traces == "texts")

    @contextmanager
    def question(self, key: str, text: str, attempt: int) -> Iterator[Callable[[Answer], None]]:
        """Watch an attempt to answer a question; call what it gives with the answer."""
        with ExitStack() as ended:
            _set(ended, REQUEST_ID, request_id(key))
            spans = _Spans(self._tracer, self._with_texts)
            _set(ended, ON_STEP, spans.step)
            _set(ended, ON_MODEL_CALL, spans.call)
            ended.enter_context(spans.root(text, attempt))
            UNDER_WAY.inc()
            ended.callback(UNDER_WAY.dec)
            yield spans.answered


def _set(ended: ExitStack, variable: Any, value: object) -> None:  # noqa: ANN401  # a ContextVar of any type
    ended.callback(variable.reset, variable.set(value))


class _Spans:
    """The spans of an attempt: the question, its steps one after the other, and calls of the model."""

    def __init__(self, tracer: Tracer | None, with_texts: bool) -> None:  # noqa: FBT001  # a private class
        self._tracer, self._with_texts = tracer, with_texts
        self._root: Any = None
        self._step: Any = None

    @contextmanager
    def root(self, text: str, attempt: int) -> Iterator[None]:
        """The span of the attempt."""
        if not self._tracer:
            yield
            return
        attributes = {"clippings.request": REQUEST_ID.get(), "clippings.attempt": attempt}
        if self._with_texts:
            attributes["clippings.question"] = text[:_MAX_TEXT_CHARACTERS]
        with self._tracer.start_as_current_span("question", attributes=attributes) as self._root:
            try:
                yield
            finally:
                self.step("")

    def step(self, name: str) -> None:
        """Begin a step, which ends the one before; "" begins none."""
        if self._tracer:
            if self._step:
                self._step.end()
            self._step = self._tracer.start_span(name) if name else None

    def call(self, call: ModelCall) -> None:
        """Note a call that has ended."""
        count_call(call)
        outcome = "failed" if call.is_failed else "replied"
        tokens = f"tokens={call.prompt_tokens}+{call.reply_tokens}"
        _log.info("model %s ms=%.0f %s", outcome, call.seconds * 1000, tokens)
        if self._tracer:
            end = time.time_ns()
            attributes = {
                "gen_ai.operation.name": "chat",
                "gen_ai.usage.input_tokens": call.prompt_tokens,
                "gen_ai.usage.output_tokens": call.reply_tokens,
                "clippings.failed": call.is_failed,
            }
            span = self._tracer.start_span(
                "model", attributes=attributes, start_time=end - int(call.seconds * _NANOSECONDS)
            )
            span.end(end)

    def answered(self, answer: Answer) -> None:
        """Note the answer."""
        count_answer(answer)
        if self._root:
            self._root.set_attribute("clippings.kind", answer.kind)
            self._root.set_attribute("clippings.answerer", answer.answerer)
            self._root.set_attribute("clippings.refused", answer.refusal is not None)
            if self._with_texts:
                self._root.set_attribute("clippings.answer", answer.text[:_MAX_TEXT_CHARACTERS])
