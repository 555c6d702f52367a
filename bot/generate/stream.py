"""A reply as it streams: one deadline for all of it, and one plain line for whatever goes wrong. Knows no client."""

from __future__ import annotations

import contextvars
import logging
import queue
import re
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, Protocol

from bot.generate.http import Connections, proxies
from index.models import ClippingsError

log = logging.getLogger(__name__)

_CONTEXT = re.compile(
    r"(?i)\bcontext (?:length|window|size)\b|\b(?:prompt|input|messages?)\b.{0,40}\btoo (?:long|large)\b"
)
_UNFINISHED = frozenset("length max_tokens model_context_window_exceeded content_filter refusal".split())
_WITHHELD = frozenset(("content_filter", "refusal"))
MAX_REPLY_CHARACTERS = 40_000  # chains of thought included
_TOKEN_NAMES = (
    ("prompt_tokens", "input_tokens", "prompt_eval_count"), ("completion_tokens", "output_tokens", "eval_count"),
)  # fmt: skip
_MAX_TOKENS = 10_000_000  # more than any window: what a server says beyond is no count
UNFINISHED = " …"  # at the end of a reply: its last sentence is not whole
_STATUS_FAULTS = {
    300: "redirects to another address, which is not followed: set CLIPPINGS_LLM to that address if you trust it",
    400: "refused the request",
    401: "refused the key: check that it is set and right",
    403: "refused the key: check that it is set and may use this model",
    404: "is not known there: check the name of the model and the address",
    407: "is behind a proxy that wants a password",
    408: "gave up waiting",
    413: "found the question and its passages too long: set CLIPPINGS_LLM_CONTEXT to the tokens that it takes in",
    429: "is asked too often, or its quota is used up: try again later",
    500: "has a fault on its own side: try again later",
}


class LLMError(ClippingsError):
    """The language model gave no usable reply.

    The message is one plain line, which holds no key, no URL and no words of the exception behind it.
    """


class Chunk(Protocol):
    """Part of a reply: its text, and the client's own object or JSON, which says how the reply ended."""

    delta: str | None
    raw: Any


class _Fault(str):
    """A message in place of a delta. No exception: its traceback would keep the connection open."""

    __slots__ = ()


def stream_reply(
    open_stream: Callable[[], Iterable[Chunk]],
    model: str,
    seconds: float,
    max_characters: int,
    connections: Connections,
) -> Generator[str, None, None]:
    """Yield a reply's deltas, all of them within `seconds`. Raises LLMError, whose message begins with `model`.

    A thread reads them, because a server that sends a byte now and then passes every time-out of the client. They are
    closed when the reply is no longer wanted.
    """
    deadline = time.monotonic() + seconds
    deltas: queue.Queue[str | None] = queue.Queue()
    stopped = threading.Event()

    def read() -> None:
        for delta in _read(open_stream, model, seconds, connections):
            if delta:
                deltas.put(delta)
            if stopped.is_set():
                return
        deltas.put(None)

    context = contextvars.copy_context()  # so that what traces the model's call knows the question around it
    threading.Thread(target=context.run, args=(read,), daemon=True, name="clippings-llm").start()
    length = 0
    try:
        while length <= max_characters:
            try:
                delta = deltas.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise LLMError(f"{model} did not finish within {seconds:g} seconds.") from None
            if delta is None:
                return
            if isinstance(delta, _Fault):
                raise LLMError(delta)
            length += len(delta)
            yield delta
    finally:
        stopped.set()
        connections.close()


def _read(
    open_stream: Callable[[], Iterable[Chunk]], model: str, seconds: float, connections: Connections
) -> Iterator[str]:
    """Yield the deltas, an ellipsis if a limit or a filter left the reply unfinished, and a fault if it ended badly."""
    reason, length, fault = None, 0, ""
    try:
        for chunk in open_stream():
            reason = _finish_reason(chunk.raw) or reason
            prompt, reply = map(max, zip(connections.tokens, _tokens(chunk.raw), strict=True))
            connections.tokens = (prompt, reply)
            length += len(chunk.delta or "")
            yield chunk.delta or ""
        if not length:
            withheld = "withheld its reply: a filter of its provider stopped it."
            fault = withheld if reason in _WITHHELD else "sent an empty reply."
        elif reason is None and not connections.ended:
            fault = "broke off in the middle of its reply."
        elif reason in _UNFINISHED:
            yield UNFINISHED
    except Exception as error:  # noqa: BLE001  # any client, any fault
        log.debug("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
        fault = _describe(error, seconds, length)
    if fault:
        yield _Fault(f"{model} {fault}")


def _finish_reason(raw: object) -> str | None:
    """Why the reply ended, if this chunk says so, in the words of OpenAI, Ollama or Anthropic."""
    if raw is None:
        return "stop"  # a model without a wire
    choices = _get(raw, "choices")
    reason = _get(choices[0], "finish_reason") if choices else None
    reason = reason or _get(raw, "done_reason") or _get(_get(raw, "delta"), "stop_reason")
    return str(reason) if reason else "stop" if _get(raw, "done") or _get(raw, "type") == "message_stop" else None


def _tokens(raw: object) -> tuple[int, int]:
    """The tokens of prompt and reply, if this chunk counts them, in the words of OpenAI, Anthropic or Ollama."""
    usage = _get(raw, "usage") or _get(_get(raw, "message"), "usage") or raw
    counts = [[_get(usage, name) for name in names] for names in _TOKEN_NAMES]
    prompt, reply = (max((n for n in found if type(n) is int and 0 < n < _MAX_TOKENS), default=0) for found in counts)
    return prompt, reply


def _get(raw: object, name: str) -> Any:  # noqa: ANN401  # a client's own types, or JSON
    return raw.get(name) if isinstance(raw, dict) else getattr(raw, name, None)


def refusal(error: Exception) -> str:
    """Return a server's words about a request that it refuses, for the program alone; "" if it does not refuse it."""
    return str(error) if getattr(error, "status_code", None) in (400, 422, 500) else ""  # 500: of a failed template


def _describe(error: Exception, seconds: float, length: int) -> str:
    """Describe an error by its HTTP status or the names of its classes, so that no client has to be imported."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status > 0:
        of_context = _STATUS_FAULTS[413] if _CONTEXT.search(refusal(error)) else None
        known = of_context or _STATUS_FAULTS.get(status) or _STATUS_FAULTS[min(max(status // 100, 3), 5) * 100]
        return f"{known} ({status})."
    classes = " ".join(base.__name__ for base in type(error).__mro__)
    if "Timeout" in classes:
        return f"did not finish within {seconds:g} seconds."
    if re.search(r"RemoteProtocolError|ReadError|IncompleteRead|ConnectionReset", classes):
        return f"broke off {'in the middle of its reply' if length else 'before it replied'}."
    if re.search(r"Connect|Network|UnsupportedProtocol", classes):
        proxy = " or ".join(proxies())
        hint = f" And is the proxy of {proxy} right?" if proxy else ""
        return f"cannot be reached: is it running, and is the address right?{hint}"
    if re.search(r"JSON|Unicode|Decod|Validation|TypeError|ValueError|AttributeError|LookupError", classes):
        return "sent a reply that cannot be read."
    return "reported a fault."
