"""Replies over real HTTP from a scripted server: deadlines, endings and faults."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import pytest

from bot.generate.llm import make_llm, stream_answer
from bot.generate.stream import LLMError
from index.models import Passage, Source
from tests.fakes.openai_server import OpenAIServer, Reply

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

KEY = "sk-very-secret"
PASSAGE = Passage("c1", Source("a1", "Ferry lost"), "The ferry sank.", 0, 15, 1.0)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """Start a scripted server."""
    with OpenAIServer() as running:
        yield running


def model(server: OpenAIServer, *, timeout: float = 5.0) -> LLM:
    """Make the server's model as a user's setting makes it."""
    return make_llm(f"openai-like:{server.url}#fake", api_key=KEY, timeout=timeout, context_window=None)


def stream(llm: LLM) -> Iterator[str]:
    """Stream an answer."""
    return stream_answer(llm, "What sank?", [PASSAGE], as_of=date(2024, 1, 5))


def test_deltas_arrive_as_they_are_sent(server: OpenAIServer) -> None:
    """The first delta arrives long before the last is sent."""
    server.script(Reply.of("The ferry ", "sank ", "[1].", pause=0.4))
    deltas = stream(model(server))
    assert next(deltas) == "The ferry "
    first = time.monotonic()
    assert list(deltas) == ["sank ", "[1]."]
    assert time.monotonic() - first > 0.3  # two pauses of the server, less the time that the first delta took


FAULTS = {
    "401": (Reply(status=401), "refused the key"),
    "403": (Reply(status=403), "refused the key"),
    "404": (Reply(status=404), "is not known there"),
    "400": (Reply(status=400), "refused the request"),
    "429": (Reply(status=429), "asked too often"),
    "500": (Reply(status=500), "fault on its own side"),
    "503": (Reply(status=503), "fault on its own side"),
    "cut rudely": (Reply.of("The ferry", cut="rudely"), "broke off in the middle"),
    "cut politely": (Reply.of("The ferry", cut="politely"), "broke off in the middle"),
    "empty": (Reply.of(), "empty reply"),
    "nothing": (Reply(raw=b""), "empty reply"),
    "a page": (Reply(raw=b"<html><body>Welcome to the proxy</body></html>"), "empty reply"),
    "broken JSON": (Reply(raw=b'data: {"choices": [{"del\n\n'), "cannot be read"),
    "other JSON": (Reply(raw=b'data: {"weather": "fine"}\n\n'), "cannot be read"),
    "a number": (Reply(raw=b"data: 42\n\n"), "cannot be read"),
    "not UTF-8": (Reply(raw=b"data: \xff\xfe\x00\n\n"), "cannot be read"),
    "error within": (Reply(raw=b'data: {"error": {"message": "out of memory"}}\n\n'), "reported a fault"),
    "hang": (Reply.of("The ferry", pause=30), "did not finish within 0.4 seconds"),
    "slow drip": (Reply.of("The ferry", pause=0.05, drip=True), "did not finish within 0.4 seconds"),
    "slow pieces": (Reply.of(*["again "] * 50, pause=0.05), "did not finish within 0.4 seconds"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_becomes_one_plain_line(server: OpenAIServer, name: str) -> None:
    """A fault raises at once, in one line, without key, address or the words of an exception, and is not retried."""
    reply, reason = FAULTS[name]
    server.script(reply)
    llm = model(server, timeout=0.4 if "0.4" in reason else 5)
    begun = time.monotonic()
    with pytest.raises(LLMError) as raised:
        list(stream(llm))
    message = str(raised.value)
    assert reason in message
    assert message.startswith("The language model fake ")
    assert "\n" not in message
    assert not any(secret in message for secret in (KEY, "127.0.0.1", "Error", "Traceback", "memory"))
    assert raised.value.__cause__ is None
    assert time.monotonic() - begun < 2
    assert len(server.requests) == 1


@pytest.mark.parametrize("form", ["openai-like:http://u:pass@127.0.0.1:{}/v1#m", "ollama:http://127.0.0.1:{}#m"])
def test_refused_connection_raises_at_once(form: str) -> None:
    """A server that does not run costs no wait."""
    with closing(socket.socket()) as closed:
        closed.bind(("127.0.0.1", 0))
        llm = make_llm(form.format(closed.getsockname()[1]), api_key=None, timeout=5, context_window=None)
        begun = time.monotonic()
        with pytest.raises(LLMError, match=r"^The language model m cannot be reached: is it running\?*"):
            list(stream(llm))
    assert time.monotonic() - begun < 2


def test_reply_that_reached_the_limit_on_length_ends_in_an_ellipsis(server: OpenAIServer) -> None:
    """The verifier drops the unfinished sentence by it."""
    server.script(Reply.of("The ferry sank. The cap", finish="length"))
    assert "".join(stream(model(server))) == "The ferry sank. The cap …"


def test_endless_reply_is_stopped(server: OpenAIServer) -> None:
    """A reply is read up to MAX_REPLY_CHARACTERS."""
    server.script(Reply.of(*["word " * 2_000] * 40))
    assert 40_000 <= len("".join(stream(model(server)))) <= 50_000


def test_abandoned_reply_blocks_no_other(server: OpenAIServer) -> None:
    """A reader may stop (Ctrl-C) and ask again."""
    server.script(Reply.of(*["word "] * 100, pause=0.02), Reply.of("Fine."))
    llm = model(server)
    deltas = stream(llm)
    next(deltas)
    deltas.close()  # type: ignore[attr-defined]  # a generator, though it says Iterator
    assert "".join(stream(llm)) == "Fine."
