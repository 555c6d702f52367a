"""The answerer with a language model, and the only file that knows llama-index.

    ``CLIPPINGS_LLM``                          wants
    openai:MODEL                               OPENAI_API_KEY
    anthropic:MODEL                            ANTHROPIC_API_KEY, and ``pip install 'clippings[anthropic]'``
    ollama:MODEL or ollama:URL#MODEL           Ollama, here or there
    openai-like:URL#MODEL                      any server that speaks OpenAI's protocol

What can go wrong with a model becomes a WriteError of one plain line, which holds no key, no URL and no words of the
exception. Nothing is tried twice: the bot quotes instead, at once. llama-index is imported when a model is made.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.generate.prompting import ANSWER_TOKENS, PromptTooLongError, prompt
from bot.models import Turn
from index.models import ClippingsError, Passage

if TYPE_CHECKING:
    from llama_index.core.llms import LLM as LLM  # noqa: PLC0414  # for the types of those who may not import llama-index
    from llama_index.core.llms import ChatMessage
    from pydantic import SecretStr

log = logging.getLogger(__name__)

OLLAMA = "http://localhost:11434"
OPENAI = "https://api.openai.com/v1"
WINDOW = 8_192  # tokens, where neither the setting nor the model's table says
WINDOW_OF_A_SERVICE = 32_000  # of models that are too new for the table
TIMEOUT = 60.0  # seconds, for a model that was not made here
MAX_DRAFT = 40_000  # characters, chains of thought included


class WriteError(ClippingsError):
    """The language model gave no answer that can be used; the text says why in one line."""


def make_llm(spec: str, *, api_key: str | SecretStr | None, timeout: float, context_window: int | None) -> LLM:
    """The model that a ``CLIPPINGS_LLM`` names. ``timeout`` is for a whole answer, in seconds.

    Raises ClippingsError where the name is wrong, a key is missing or an extra is not installed.
    """
    provider, _, rest = spec.strip().partition(":")
    url, model = _address(provider, rest)
    key = _key(provider, api_key if api_key is None or isinstance(api_key, str) else api_key.get_secret_value())
    if provider == "ollama":
        from llama_index.llms.ollama import Ollama

        window = context_window or WINDOW  # told to the server too, which would cut the prompt at its own
        made: LLM = Ollama(model=model, base_url=url, context_window=window, request_timeout=timeout, temperature=0.0)
        return made
    if provider == "anthropic":
        return _anthropic(model, key, timeout)
    from llama_index.llms.openai_like import OpenAILike

    llm: LLM = OpenAILike(
        model=model,
        api_base=url,
        api_key=key,
        is_chat_model=True,
        context_window=context_window or _window_of_openai(model, provider),
        timeout=timeout,
        max_retries=0,
        temperature=0.0,
    )
    return llm


def draft(
    llm: LLM, question: str, passages: Sequence[Passage], *, as_of: date, turns: Sequence[Turn] = ()
) -> Iterator[str]:
    """The model's answer from the passages in the pieces in which it comes, unchecked. Raises WriteError.

    Passages that do not fit into the model's window are left out, the last first; the conversation goes before them.
    """
    yield from _stream(llm, _messages(question, passages, as_of, turns, _window(llm)), timeout(llm))


def check(llm: LLM) -> str:
    """AnswerEngine the model for a word: "answers". Raises WriteError where it does not."""
    complete(llm, "Reply with the word OK and nothing else.", timeout(llm))
    return "answers"


def complete(llm: LLM, text: str, seconds: float, longest: int = MAX_DRAFT) -> str:
    """The reply to a text, within so many seconds and about so many characters, unchecked. Raises WriteError."""
    from llama_index.core.llms import ChatMessage, MessageRole

    return "".join(_stream(llm, [ChatMessage(role=MessageRole.USER, content=text)], seconds, longest))


def _messages(
    question: str, passages: Sequence[Passage], as_of: date, turns: Sequence[Turn], window: int
) -> list[ChatMessage]:
    from llama_index.core.llms import ChatMessage, MessageRole

    try:
        system, user = prompt(question, passages, as_of, turns, window)
    except PromptTooLongError as error:
        raise WriteError(str(error)) from None
    return [ChatMessage(role=MessageRole.SYSTEM, content=system), ChatMessage(role=MessageRole.USER, content=user)]


@dataclass(frozen=True, slots=True)
class _End:
    """The stream is over: how it ended ("stop", "length", None for a cut), or the error that ended it."""

    reason: str | None = None
    error: Exception | None = None


def _stream(llm: LLM, messages: Sequence[ChatMessage], seconds: float, longest: int = MAX_DRAFT) -> Iterator[str]:
    """The pieces of a reply, all of them within so many seconds.

    A thread reads them, because a server that sends a byte now and then passes every time-out of the client.
    """
    deadline = time.monotonic() + seconds
    pieces: queue.Queue[str | _End] = queue.Queue()
    stopped = threading.Event()
    threading.Thread(target=_read, args=(llm, messages, pieces, stopped), daemon=True, name="clippings-llm").start()
    length = 0
    try:
        while True:
            try:
                piece = pieces.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise WriteError(f"{_name(llm)} did not finish within {seconds:g} seconds.") from None
            if isinstance(piece, _End):
                yield from _finish(llm, piece, length)
                return
            length += len(piece)
            yield piece
            if length > longest:
                return
    finally:
        stopped.set()


def _finish(llm: LLM, end: _End, length: int) -> Iterator[str]:
    """Raises if the stream ended badly. An answer that met a limit on length gets an ellipsis: it is unfinished."""
    if end.error is not None:
        log.debug("%s\n%s", type(end.error).__name__, "".join(traceback.format_tb(end.error.__traceback__)))
        raise WriteError(_reason(llm, end.error, length))
    if not length:
        raise WriteError(f"{_name(llm)} sent an empty reply.")
    if end.reason is None:
        raise WriteError(f"{_name(llm)} broke off in the middle of its reply.")
    if end.reason in ("length", "max_tokens"):
        yield " …"


def _read(llm: LLM, messages: Sequence[ChatMessage], pieces: queue.Queue[str | _End], stopped: threading.Event) -> None:
    """Runs in a thread: puts the pieces of a reply into the queue, and at last an _End."""
    reason = None
    try:
        for response in llm.stream_chat(messages):
            reason = _ended(response.raw) or reason
            if response.delta:
                pieces.put(response.delta)
            if stopped.is_set():
                return
        pieces.put(_End(reason))
    except Exception as error:  # noqa: BLE001  # any client, any fault: all are told to the reader of the queue
        pieces.put(_End(error=error))


def _ended(raw: object) -> str | None:
    """How the reply ended, where a piece of it says so: in the words of OpenAI, Ollama or Anthropic."""
    if raw is None:
        return "stop"  # a model without a wire
    choices = _get(raw, "choices")
    found = _get(choices[0], "finish_reason") if choices else None
    found = found or _get(raw, "done_reason") or _get(_get(raw, "delta"), "stop_reason")
    return str(found) if found else "stop" if _get(raw, "done") or _get(raw, "type") == "message_stop" else None


def _get(thing: object, name: str) -> Any:  # noqa: ANN401  # a client's own types, or JSON
    return thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)


def _reason(llm: LLM, error: Exception, length: int) -> str:
    """One line for the user. Goes by the names of the exceptions, so that no client has to be imported for it."""
    kinds = " ".join(kind.__name__ for kind in type(error).__mro__)
    status = getattr(error, "status_code", None)
    name = _name(llm)
    if isinstance(status, int) and status > 0:
        return f"{name} {_STATUS.get(status) or _STATUS[500 if status >= 500 else 400]} ({status})."  # noqa: PLR2004  # HTTP
    if "Timeout" in kinds:
        return f"{name} did not finish within {timeout(llm):g} seconds."
    if re.search(r"RemoteProtocolError|ReadError|IncompleteRead|ConnectionReset", kinds):
        return f"{name} broke off {'in the middle of its reply' if length else 'before it replied'}."
    if re.search(r"Connect|Network|UnsupportedProtocol", kinds):
        return f"{name} cannot be reached: is it running, and is the address right?"
    if re.search(r"JSON|Unicode|Decod|Validation|TypeError|ValueError|AttributeError|LookupError", kinds):
        return f"{name} sent a reply that cannot be read."
    return f"{name} reported a fault."


_STATUS = {
    400: "refused the request",
    401: "refused the key: check that it is set and right",
    403: "refused the key: check that it is set and may use this model",
    404: "is not known there: check the name of the model and the address",
    408: "gave up waiting",
    413: "found the question and its passages too long: set CLIPPINGS_LLM_CONTEXT",
    429: "is asked too often, or its quota is used up: try again later",
    500: "has a fault on its own side: try again later",
}


def _name(llm: LLM) -> str:
    return f"The language model {getattr(llm, 'model', '')}".strip()


def timeout(llm: LLM) -> float:
    """Seconds for a whole answer: what make_llm was told."""
    return float(getattr(llm, "timeout", None) or getattr(llm, "request_timeout", None) or TIMEOUT)


def _window(llm: LLM) -> int:
    try:
        return llm.metadata.context_window
    except ValueError:  # a model that is too new for the integration's table
        return WINDOW_OF_A_SERVICE


def _address(provider: str, rest: str) -> tuple[str, str]:
    """The server and the model that a setting names; ClippingsError if it is none of the four forms."""
    url, sharp, model = rest.partition("#") if provider in ("openai-like", "ollama") else ("", "", rest)
    if provider == "ollama" and not sharp:
        url, model = OLLAMA, rest
    if provider == "openai":
        url = OPENAI
    if (
        provider in ("openai", "anthropic", "ollama", "openai-like")
        and model
        and (_is_url(url) or provider == "anthropic")
    ):
        return url, model
    raise ClippingsError(
        "CLIPPINGS_LLM is wrong: expected openai:MODEL, anthropic:MODEL, ollama:MODEL, ollama:URL#MODEL or "
        "openai-like:URL#MODEL, where URL is like http://localhost:8000/v1. Leave it empty to have answers quoted."
    )


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _key(provider: str, key: str | None) -> str:
    """The key, fit to be sent; a stand-in where none is needed."""
    variable = {"anthropic": "ANTHROPIC_API_KEY"}.get(provider, "OPENAI_API_KEY")
    key = (key or "").strip()
    if not key and provider in ("openai", "anthropic"):
        raise ClippingsError(f"{variable} is not set, and {provider} models want it: set it, or choose another model.")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ClippingsError(f"{variable} holds a character that no key has: copy the key again.")
    return key or "none"


def _anthropic(model: str, key: str, timeout: float) -> LLM:
    try:
        from llama_index.llms.anthropic import Anthropic
    except ImportError:
        raise ClippingsError(
            "CLIPPINGS_LLM names an anthropic model, but its client is not installed: "
            "pip install 'clippings[anthropic]'"
        ) from None
    limits = {"timeout": timeout, "max_retries": 0, "max_tokens": ANSWER_TOKENS}
    llm: LLM = Anthropic(model=model, api_key=key, temperature=0.0, **limits)
    return llm


def _window_of_openai(model: str, provider: str) -> int:
    from llama_index.llms.openai.utils import openai_modelname_to_contextsize

    if provider == "openai-like":
        return WINDOW
    try:
        return openai_modelname_to_contextsize(model)
    except ValueError:
        return WINDOW_OF_A_SERVICE
