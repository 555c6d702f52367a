"""The language model that `CLIPPINGS_LLM` names, and the requests to it. The only file of the room with llama-index.

    ``CLIPPINGS_LLM``                          wants
    openai:MODEL                               OPENAI_API_KEY
    anthropic:MODEL                            ANTHROPIC_API_KEY, and ``pip install 'clippings[anthropic]'``
    ollama:MODEL or ollama:URL#MODEL           Ollama, on this machine or another
    openai-like:URL#MODEL                      any server that speaks OpenAI's protocol

llama-index is imported when a model is made. No request is tried twice: the bot quotes instead, at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.generate.http import CONNECTIONS, Connections, guard
from bot.generate.prompting import MAX_ANSWER_TOKENS, answer_prompt
from bot.generate.stream import MAX_REPLY_CHARACTERS, stream_reply
from bot.models import Turn
from index.models import ClippingsError, Passage

if TYPE_CHECKING:
    from llama_index.core.llms import LLM as LLM  # noqa: PLC0414  # for the types of those who may not import llama-index
    from pydantic import SecretStr

DEFAULT_TIMEOUT_SECONDS = 60.0  # for a model that was not made here
DEFAULT_WINDOW_TOKENS = 8_192  # if neither the setting nor the model's table says
DEFAULT_SERVICE_WINDOW_TOKENS = 32_000  # of OpenAI's and Anthropic's models that are too new for llama-index's tables
_PROVIDERS = ("openai", "anthropic", "ollama", "openai-like")
_DEFAULT_URLS = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "ollama": "http://localhost:11434",
}


def make_llm(spec: str, *, api_key: str | SecretStr | None, timeout: float, context_window: int | None) -> LLM:
    """Make the model of a ``CLIPPINGS_LLM``. ``timeout`` is for a whole answer, in seconds; the window is in tokens.

    Raises ClippingsError if the name is wrong, a key is missing or an extra is not installed.
    """
    provider, url, model = _parse(spec)
    key = _usable_key(provider, api_key if api_key is None or isinstance(api_key, str) else api_key.get_secret_value())
    window = context_window or _default_window(provider, model)
    options = {"temperature": 0.0, "timeout": timeout, "max_retries": 0}
    made: Any  # the integrations ship no types
    if provider == "ollama":
        from llama_index.llms.ollama import Ollama

        # The window is sent to the server too, which would cut the prompt at its own.
        made = Ollama(model=model, base_url=url, context_window=window, request_timeout=timeout, temperature=0.0)
        http = made.client._client  # noqa: SLF001  # the integration hands no options to its HTTP client
    elif provider == "anthropic":
        try:
            from llama_index.llms.anthropic import Anthropic
        except ImportError:
            raise ClippingsError(
                "CLIPPINGS_LLM names an anthropic model, but its client is not installed: "
                "pip install 'clippings[anthropic]'"
            ) from None
        made = Anthropic(model=model, api_key=key, max_tokens=MAX_ANSWER_TOKENS, **options)
        http = made._client._client  # noqa: SLF001  # as above
    else:
        from llama_index.llms.openai_like import OpenAILike

        made = OpenAILike(model=model, api_base=url, api_key=key, is_chat_model=True, context_window=window, **options)
        http = made._get_client()._client  # noqa: SLF001  # as above
    guard(http)
    llm: LLM = made
    return llm


def stream_answer(
    llm: LLM, question: str, passages: Sequence[Passage], *, as_of: date, turns: Sequence[Turn] = ()
) -> Iterator[str]:
    """Yield the deltas of the model's answer from the passages, unverified. Raises LLMError.

    If not everything fits into the model's window, the conversation is left out, then passages, the last first.
    """
    system, user = answer_prompt(question, passages, as_of, turns, _window(llm))
    yield from _stream(llm, user, timeout_seconds(llm), system=system)


def complete(llm: LLM, prompt: str, seconds: float, max_characters: int = MAX_REPLY_CHARACTERS) -> str:
    """Return the model's reply to a prompt, unverified; its last delta may exceed `max_characters`. Raises LLMError."""
    return "".join(_stream(llm, prompt, seconds, max_characters))


def check(llm: LLM) -> str:
    """Have the model reply with a word; return "answers". Raises LLMError."""
    complete(llm, "Reply with the word OK and nothing else.", timeout_seconds(llm))
    return "answers"


def timeout_seconds(llm: LLM) -> float:
    """Return the time-out for a whole answer that `make_llm` was given."""
    seconds = getattr(llm, "timeout", None) or getattr(llm, "request_timeout", None)
    return float(seconds or DEFAULT_TIMEOUT_SECONDS)


def _stream(
    llm: LLM, user: str, seconds: float, max_characters: int = MAX_REPLY_CHARACTERS, system: str = ""
) -> Iterator[str]:
    from llama_index.core.llms import ChatMessage, ChatResponse, MessageRole

    roles = ((MessageRole.SYSTEM, system), (MessageRole.USER, user))
    messages = [ChatMessage(role=role, content=text) for role, text in roles if text]
    name = f"The language model {getattr(llm, 'model', '')}".strip()
    connections = Connections()

    def open_stream() -> Iterator[ChatResponse]:
        CONNECTIONS.set(connections)  # in the context of the thread that reads
        return llm.stream_chat(messages)

    return stream_reply(open_stream, name, seconds, max_characters, close=connections.close)


def _window(llm: LLM) -> int:
    with suppress(ValueError):  # a model that is too new for the integration's table
        return llm.metadata.context_window
    return DEFAULT_SERVICE_WINDOW_TOKENS


def _default_window(provider: str, model: str) -> int:
    if provider != "openai":
        return DEFAULT_WINDOW_TOKENS
    from llama_index.llms.openai.utils import openai_modelname_to_contextsize

    with suppress(ValueError):
        return int(openai_modelname_to_contextsize(model))
    return DEFAULT_SERVICE_WINDOW_TOKENS


def _parse(spec: str) -> tuple[str, str, str]:
    """Return provider, URL and model of a setting: ``"ollama:qwen3" -> ollama, http://localhost:11434, qwen3``."""
    provider, _, rest = spec.strip().partition(":")
    url, sharp, model = rest.partition("#")
    if provider in _DEFAULT_URLS and not (sharp and provider == "ollama"):
        url, model = _DEFAULT_URLS[provider], rest
    if provider in _PROVIDERS and model and _is_url(url):
        return provider, url, model
    raise ClippingsError(
        "CLIPPINGS_LLM is wrong: expected openai:MODEL, anthropic:MODEL, ollama:MODEL, ollama:URL#MODEL or "
        "openai-like:URL#MODEL, where URL is like http://localhost:8000/v1. Leave it empty to have answers quoted."
    )


def _is_url(url: str) -> bool:
    with suppress(ValueError):
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    return False


def _usable_key(provider: str, key: str | None) -> str:
    """Return a key that can be sent; "none" if the provider needs none. Raises ClippingsError."""
    variable = {"anthropic": "ANTHROPIC_API_KEY"}.get(provider, "OPENAI_API_KEY")
    key = (key or "").strip()
    if not key and provider in ("openai", "anthropic"):
        raise ClippingsError(f"{variable} is not set, and {provider} models want it: set it, or choose another model.")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ClippingsError(f"{variable} holds a character that no key has: copy the key again.")
    return key or "none"
