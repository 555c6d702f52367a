"""What happens to a question, as it is watched: a request id in the log, metrics, and traces through OpenTelemetry.

Traces need the extra `traces`. They are sent where OTEL_EXPORTER_OTLP_ENDPOINT says, without texts unless asked for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from bot.models import ON_MODEL_CALL, ON_STEP, REQUEST_ID
from bot.slack import metrics
from bot.slack.log import request_id
from index.models import ClippingsError

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from bot.models import Answer, ModelCall
    from bot.settings import Settings
    from bot.slack.database import Question

_MAX_TEXT_CHARACTERS = 4_000  # of a question and an answer
_SECOND = 1_000_000_000  # in nanoseconds, as OpenTelemetry counts
_log = logging.getLogger(__name__)


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
    def question(self, question: Question, attempt: int) -> Iterator[Callable[[Answer], None]]:
        """Watch an attempt to answer; call what it gives with the answer."""
        with ExitStack() as ended:
            _set(ended, REQUEST_ID, request_id(question.key))
            spans = _Spans(self._tracer, self._with_texts)
            _set(ended, ON_STEP, spans.step)
            _set(ended, ON_MODEL_CALL, spans.call)
            ended.enter_context(spans.root(question, attempt))
            metrics.UNDER_WAY.inc()
            ended.callback(metrics.UNDER_WAY.dec)
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
    def root(self, question: Question, attempt: int) -> Iterator[None]:
        """The span of the attempt."""
        if not self._tracer:
            yield
            return
        attributes = {"clippings.request": REQUEST_ID.get(), "clippings.attempt": attempt}
        if self._with_texts:
            attributes["clippings.question"] = question.text[:_MAX_TEXT_CHARACTERS]
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
        metrics.count_call(call)
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
            span = self._tracer.start_span("model", attributes=attributes, start_time=end - int(call.seconds * _SECOND))
            span.end(end)

    def answered(self, answer: Answer) -> None:
        """Note the answer."""
        metrics.count_answer(answer)
        if self._root:
            self._root.set_attribute("clippings.kind", answer.kind)
            self._root.set_attribute("clippings.answerer", answer.answerer)
            self._root.set_attribute("clippings.refused", answer.refusal is not None)
            if self._with_texts:
                self._root.set_attribute("clippings.answer", answer.text[:_MAX_TEXT_CHARACTERS])
