"""The language model that `CLIPPINGS_LLM` names, and the requests to it. The only file of the room with llama-index.

    ``CLIPPINGS_LLM``                          wants
    openai:MODEL                               OPENAI_API_KEY
    anthropic:MODEL                            ANTHROPIC_API_KEY, and ``pip install 'clippings[anthropic]'``
    ollama:MODEL or ollama:URL#MODEL           Ollama, on this machine or another
    openai-like:URL#MODEL                      any server that speaks OpenAI's protocol

llama-index is imported when a model is made. No request is tried twice, but without what the server refuses in it: a
temperature, a limit on tokens, a system message. Else the bot quotes instead, at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.generate.draft import without_thoughts
from bot.generate.http import CONNECTIONS, Connections, guard, proxies
from bot.generate.prompting import CHARACTERS_PER_TOKEN, answer_prompt, check_prompt, max_reply_tokens
from bot.generate.stream import MAX_REPLY_CHARACTERS, LLMError, refusal, stream_reply
from bot.models import ON_MODEL_CALL, ModelCall, Turn
from index.models import ClippingsError, Passage

if TYPE_CHECKING:
    from llama_index.core.llms import LLM as LLM  # noqa: PLC0414  # for the types of those who may not import llama-index
    from llama_index.core.llms import ChatResponse
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
_ROLE = re.compile(r"\bsystem (?:role|message|prompt)|\broles?\b|\bdeveloper instruction", re.IGNORECASE)
_NO = re.compile(r"\W*no\b", re.IGNORECASE)
_TOKEN_LIMIT = re.compile(r"\bmax_(?:completion_)?tokens\b")


def make_llm(spec: str, *, api_key: str | SecretStr | None, timeout: float, context_window: int | None) -> LLM:
    """Make the model of a ``CLIPPINGS_LLM``. ``timeout`` is for a whole answer, in seconds; the window is in tokens.

    Raises ClippingsError if the name is wrong, a key is missing, an extra is not installed or a proxy cannot be used.
    """
    _check_proxies()
    provider, url, model = _parse(spec)
    key = _usable_key(provider, api_key if api_key is None or isinstance(api_key, str) else api_key.get_secret_value())
    window = context_window or _default_window(provider, model)
    limit = max_reply_tokens(window)
    options: dict[str, Any] = {"temperature": 0.0, "timeout": timeout, "max_retries": 0, "max_tokens": limit}
    made: Any  # the integrations ship no types
    if provider == "ollama":
        from llama_index.llms.ollama import Ollama

        # The window is sent to the server too, which would cut the prompt at its own.
        options = {"temperature": 0.0, "request_timeout": timeout, "additional_kwargs": {"num_predict": limit}}
        made = Ollama(model=model, base_url=url, context_window=window, **options)
        http = made.client._client  # noqa: SLF001  # the integration hands no options to its HTTP client
    elif provider == "anthropic":
        try:
            from llama_index.llms.anthropic import Anthropic
        except ImportError:
            raise ClippingsError(
                "CLIPPINGS_LLM names an anthropic model, but its client is not installed: "
                "pip install 'clippings[anthropic]'"
            ) from None
        made = Anthropic(model=model, api_key=key, **options)
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


def confirms(llm: LLM, statement: str, passage: str) -> bool:
    """Ask the model whether a passage says what a statement says. A model that fails has no objection."""
    try:
        reply = complete(llm, check_prompt(statement, passage), timeout_seconds(llm))
    except LLMError:
        return True
    return not _NO.match(without_thoughts(reply))


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
    name = f"The language model {getattr(llm, 'model', '')}".strip()
    connections = Connections()

    def open_stream() -> Iterator[ChatResponse]:
        CONNECTIONS.set(connections)  # in the context of the thread that reads
        return _chunks(llm, system, user)

    started, length, is_failed = time.monotonic(), 0, True
    try:
        with closing(stream_reply(open_stream, name, seconds, max_characters, connections)) as deltas:
            for delta in deltas:
                length += len(delta)
                yield delta
        is_failed = False
    except GeneratorExit:  # the rest is not wanted
        is_failed = False
        raise
    finally:
        prompt, reply = connections.tokens
        prompt, reply = prompt or len(system + user) // CHARACTERS_PER_TOKEN, reply or length // CHARACTERS_PER_TOKEN
        ON_MODEL_CALL.get()(ModelCall(time.monotonic() - started, prompt, reply, is_failed))


def _chunks(llm: LLM, system: str, user: str) -> Iterator[ChatResponse]:
    """Yield the parts of a reply. What the server refuses is left out, and the request made again."""
    from llama_index.core.llms import ChatMessage, MessageRole

    while True:
        roles = ((MessageRole.SYSTEM, system), (MessageRole.USER, user))
        try:
            yield from llm.stream_chat([ChatMessage(role=role, content=text) for role, text in roles if text])
        except Exception as error:
            reason = refusal(error)
            if system and _ROLE.search(reason):
                system, user = "", f"{system}\n\n{user}"
            elif not _leave_out(llm, reason):
                raise
        else:
            return


def _leave_out(llm: LLM, reason: str) -> bool:
    """Leave out the option that a server refuses, from now on. Return whether there is such an option."""
    options, limit = getattr(llm, "additional_kwargs", None), getattr(llm, "max_tokens", None)
    if options is None or not limit:  # Ollama, which passes over what a model does not know
        return False
    nothing = import_module("anthropic" if "anthropic" in type(llm).__module__ else "openai").NOT_GIVEN
    change = {"temperature": nothing} if "temperature" in reason else {}
    if _TOKEN_LIMIT.search(reason):
        is_renamed = "max_completion_tokens" in reason and "max_completion_tokens" not in options
        change = {"max_tokens": nothing, "max_completion_tokens": limit if is_renamed else nothing}
    if change.items() <= options.items():
        return False
    options.update(change)
    return True


def _window(llm: LLM) -> int:
    with suppress(ValueError):  # a model that is too new for the integration's table
        return llm.metadata.context_window
    return DEFAULT_SERVICE_WINDOW_TOKENS


def _default_window(provider: str, model: str) -> int:
    if provider != "openai":
        return DEFAULT_SERVICE_WINDOW_TOKENS if provider == "anthropic" else DEFAULT_WINDOW_TOKENS
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


def _check_proxies() -> None:
    """Raise ClippingsError if the environment names a proxy that the HTTP client cannot use."""
    for variable, scheme in proxies().items():
        if scheme in ("http", "https") or (scheme in ("socks5", "socks5h") and find_spec("socksio")):
            continue
        raise ClippingsError(
            f"{variable} names a {scheme} proxy, which cannot be used for the language model: pip install socksio for "
            f"socks5, set it to an http:// proxy, or unset {variable}."
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
