"""A hostile model server over real HTTP: redirects, compressed bombs, replies without end."""

from __future__ import annotations

import gzip
import threading
import time
import tracemalloc
from collections.abc import Iterator
from datetime import date

import pytest

from bot.generate.http import MAX_REPLY_BYTES
from bot.generate.llm import make_llm, stream_answer
from bot.generate.stream import LLMError
from index.models import Passage, Source
from tests.fakes.openai_server import OpenAIServer, Reply

PASSAGE = Passage("c1", Source("a1", "Ferry lost"), "The ferry sank.", 0, 15, 1.0)
FORMS = {
    "openai-like": "openai-like:{}#fake",
    "ollama": "ollama:{}#fake",
}


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """Start a scripted server."""
    with OpenAIServer() as running:
        yield running


def answer(server: OpenAIServer, form: str = "openai-like", *, timeout: float = 5.0) -> Iterator[str]:
    """Stream an answer of the server's model, made as a user's setting makes it."""
    llm = make_llm(FORMS[form].format(server.url), api_key="sk-secret", timeout=timeout, context_window=None)
    return stream_answer(llm, "What sank?", [PASSAGE], as_of=date(2024, 1, 5))


def reading_threads(max_seconds: float = 2.0) -> list[threading.Thread]:
    """Return the threads that still read replies after a moment."""
    until = time.monotonic() + max_seconds
    while (left := [thread for thread in threading.enumerate() if thread.name == "clippings-llm"]) and (
        time.monotonic() < until
    ):
        time.sleep(0.02)
    return left


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_carries_nothing_to_another_address(server: OpenAIServer, form: str, status: int) -> None:
    """The other server gets no request; the message says what happened and what to set."""
    with OpenAIServer() as other:
        server.script(Reply(status=status, headers=(("Location", f"{other.url}/chat/completions"),)))
        with pytest.raises(LLMError, match=rf"redirects to another address, which is not followed: set .*\({status}\)"):
            list(answer(server, form))
        assert other.requests == []


@pytest.mark.parametrize("form", FORMS)
def test_reply_is_asked_for_uncompressed(server: OpenAIServer, form: str) -> None:
    """A server that keeps to HTTP compresses nothing."""
    server.script(Reply(status=500))
    with pytest.raises(LLMError):
        list(answer(server, form))
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("form", FORMS)
def test_gzip_bomb_is_not_unpacked(server: OpenAIServer, form: str) -> None:
    """A compressed reply, 50 MB a piece, is refused at once, and neither memory nor a thread stays."""
    bomb = gzip.compress(b" " * 50_000_000)
    server.script(Reply(raw=bomb, headers=(("Content-Encoding", "gzip"),), endless=True))
    deltas = answer(server, form)
    tracemalloc.start()
    try:
        with pytest.raises(LLMError, match="cannot be read"):
            list(deltas)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert reading_threads() == []


@pytest.mark.parametrize("form", FORMS)
def test_endless_line_is_read_up_to_a_limit(server: OpenAIServer, form: str) -> None:
    """An event that never ends is no reply, and the server cannot send on."""
    server.script(Reply(raw=b"x" * 65_536, endless=True))
    with pytest.raises(LLMError, match="cannot be read"):
        list(answer(server, form, timeout=60))
    assert reading_threads() == []
    assert server.bytes_sent < 3 * MAX_REPLY_BYTES  # what the buffers of both sides hold comes on top


TRICKLES = {
    "body": Reply.of("The ferry", pause=0.05, drip=True),
    "nothing that ends": Reply(raw=b" ", endless=True, pause=0.05),
    "head": Reply(drip_head=True, pause=0.05),
    "silence": Reply.of("The ferry", pause=60),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", TRICKLES)
def test_trickling_server_keeps_no_thread(server: OpenAIServer, name: str, form: str) -> None:
    """After the time-out the connection is closed and the thread that read from it ends."""
    server.script(TRICKLES[name])
    with pytest.raises(LLMError, match=r"did not finish within 0\.3 seconds"):
        list(answer(server, form, timeout=0.3))
    assert reading_threads() == []


def test_abandoned_reply_is_hung_up(server: OpenAIServer) -> None:
    """Ctrl-C closes the connection, too: the thread does not wait for the server's next word."""
    server.script(Reply.of("The ", *["ferry "] * 10_000, pause=0.05))
    deltas = answer(server, timeout=60)
    next(deltas)
    deltas.close()  # type: ignore[attr-defined]  # a generator, though it says Iterator
    assert reading_threads() == []
