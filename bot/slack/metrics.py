"""What is counted and timed, for Prometheus. The names are a contract: ops/grafana.json asks for them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from index.models import ClippingsError

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

    from bot.models import Answer, ModelCall
    from bot.runtime import Figures

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_INDEX_SECONDS = 30.0  # that the figures of the index are kept
_STEPS = {"embed": "retrieve", "search": "retrieve", "rank_sentences": "read", "write": "write"}  # of `timings_ms`
_log = logging.getLogger(__name__)

QUESTIONS = Counter("clippings_questions", "Questions, by what they ask for and what came of it.", ["kind", "outcome"])
ANSWER_SECONDS = Histogram("clippings_answer_seconds", "From a question to its whole answer.", buckets=_SECONDS)
STEP_SECONDS = Histogram("clippings_step_seconds", "Steps of an answer.", ["step"], buckets=_SECONDS)
SLACK_ERRORS = Counter("clippings_slack_errors", "Calls that Slack refused or that failed.", ["method", "code"])
MODEL_CALLS = Counter("clippings_model_calls", "Calls of the language model.", ["outcome"])
MODEL_SECONDS = Histogram("clippings_model_seconds", "Calls of the language model.", buckets=_SECONDS)
MODEL_TOKENS = Counter("clippings_model_tokens", "Tokens, where the server counts none estimated.", ["direction"])
DATABASE_ERRORS = Counter("clippings_database_errors", "Failures of the database.")
WAITING = Gauge("clippings_questions_waiting", "Questions without an answer, in the database.")
UNDER_WAY = Gauge("clippings_questions_under_way", "Questions that this process answers.")
ARTICLES = Gauge("clippings_index_articles", "Articles in the index.")
CHUNKS = Gauge("clippings_index_chunks", "Chunks in the index.")
BYTES = Gauge("clippings_index_bytes", "Size of the data folder.")
AGE = Gauge("clippings_index_age_seconds", "Since the index was written last.")


@contextmanager
def step(name: str) -> Iterator[None]:
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


def serve(host: str, port: int, figures: Callable[[], Figures]) -> WSGIServer:
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
