"""A server on loopback that follows a script of replies and faults, in OpenAI's, Ollama's and Anthropic's protocol.

    with OpenAIServer() as server:
        server.script(Reply("It sank ", "[1]."), Reply(status=429))
        llm = make_llm(f"openai-like:{server.url}#any", …)

Without a script it quotes the first line of the first passage: ``python -m tests.fakes.openai_server`` serves a
language model to try the bot with; ``python -m tests.fakes.openai_server 8000 obey`` obeys planted instructions.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from typing import Any, Literal, Self

from tests.fakes import dialects


@dataclass(frozen=True)
class Reply:
    """A scripted reply: pieces of text, and its fault.

    ``pause``: seconds before each piece. ``cut``: the connection ends before the reply does, "politely" (the body is
    ended) or "rudely" (it is not). ``raw``: these bytes are the body. ``drip``: a byte at a time, a pause before each.
    ``headers`` are added. ``drip_head``: the head of the reply never ends, one header comes after each pause.
    ``endless``: ``raw`` comes again and again, until the reader goes. ``thought``: pieces of reasoning in a field of
    their own, first. ``message``: the words of an error, with ``status`` or, with 200, after the pieces. ``whole``: the
    reply is not streamed, whatever was asked for. ``finish=None``: no reason, but the mark of the end. ``waits``: the
    server works on the prompt and says nothing until the reader goes.
    """

    pieces: tuple[str, ...] = ()
    status: int = 200
    pause: float = 0.0
    finish: str | None = "stop"
    cut: Literal["no", "politely", "rudely"] = "no"
    raw: bytes | None = None
    drip: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    drip_head: bool = False
    endless: bool = False
    thought: tuple[str, ...] = ()
    message: str = ""
    whole: bool = False
    waits: bool = False

    @classmethod
    def of(cls, *pieces: str, **options: Any) -> Reply:
        """Make a reply of these pieces."""
        return cls(pieces, **options)


@dataclass
class Request:
    """A request that the server received."""

    path: str
    key: str | None
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The chat, as role and content."""
        messages = [dict(message) for message in self.body["messages"]]
        for message in messages:
            if not isinstance(message["content"], str):  # Anthropic's blocks
                message["content"] = "".join(block["text"] for block in message["content"])
        return messages


class OpenAIServer:
    """The server, a context manager; ``url`` ends in /v1."""

    def __init__(self, port: int = 0, *, unscripted: Callable[[Request], str] | None = None) -> None:
        """Bind the port (0: any free port); ``unscripted`` makes the reply if the script is empty."""
        self.unscripted = unscripted or quote
        self.requests: list[Request] = []
        self.replies: deque[Reply] = deque()
        self.bytes_sent = 0
        """Of endless replies."""
        self.hung_up = threading.Event()
        """The reader of a reply went before its end."""
        self.stopping = threading.Event()
        owner = self

        class Handler(_Handler):
            server_owner = owner

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def script(self, *replies: Reply) -> None:
        """Set the replies to the next requests."""
        self.replies.extend(replies)

    def serve(self) -> None:
        """Serve until interrupted."""
        self._http.serve_forever(poll_interval=0.02)

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and end the pauses of replies under way."""
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_owner: OpenAIServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server gives it
        """Say nothing."""

    def do_GET(self) -> None:  # the name that http.server calls
        """Reply with the list of models."""
        self._send(json.dumps({"object": "list", "data": [{"id": "fake", "object": "model"}]}).encode())

    def do_POST(self) -> None:  # the name that http.server calls
        """Reply to a chat."""
        owner = self.server_owner
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("Authorization") or self.headers.get("X-Api-Key")
        request = Request(self.path, key, body, dict(self.headers))
        owner.requests.append(request)
        reply = owner.replies.popleft() if owner.replies else Reply.of(owner.unscripted(request))
        dialect = dialects.dialect_of(self.path)
        if reply.drip_head or reply.endless:
            self._send_without_end(reply)
        elif reply.waits:
            self._wait_for_hang_up()
        elif reply.raw is not None:
            self._send(reply.raw, kind=dialects.CONTENT_TYPES[dialect], headers=reply.headers)
        elif reply.status != 200:  # OK
            message = reply.message or f"Refused {request.key} with {reply.status}"
            self._send(dialects.error(dialect, reply.status, message), status=reply.status, headers=reply.headers)
        elif body.get("stream", dialect == "ollama") and not reply.whole:
            self._stream(reply, dialect)
        else:
            self._send(dialects.whole(dialect, "".join(reply.pieces), reply.finish))

    def _send(
        self,
        body: bytes,
        *,
        status: int = 200,
        kind: str = "application/json",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # the reader has gone
            self.wfile.write(body)

    def _send_without_end(self, reply: Reply) -> None:
        self.close_connection = True
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while reply.drip_head and not self.server_owner.stopping.wait(reply.pause):
                self.wfile.write(b"X: x\r\n")
            head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
            self.wfile.write(head.encode() + b"Content-Type: text/event-stream\r\n\r\n")
            while not self.server_owner.stopping.wait(reply.pause):
                self.wfile.write(reply.raw or b" ")
                self.server_owner.bytes_sent += len(reply.raw or b" ")
        except OSError:
            pass  # the reader has gone

    def _wait_for_hang_up(self) -> None:
        self.close_connection = True
        while not self.server_owner.stopping.is_set():
            if select([self.connection], [], [], 0.02)[0] and not self.connection.recv(1):
                self.server_owner.hung_up.set()
                return

    def _stream(self, reply: Reply, dialect: dialects.Dialect) -> None:
        self.send_response(200)
        self.send_header("Content-Type", dialects.CONTENT_TYPES[dialect])
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for event in dialects.begin(dialect, thinks=bool(reply.thought)):
                self._chunk(event)
            for text in reply.thought:
                self._event(dialects.piece(dialect, text, thought=True), reply)
            for event in dialects.answer_begins(dialect) if reply.thought else ():
                self._chunk(event)
            for text in reply.pieces:
                self._event(dialects.piece(dialect, text), reply)
            if reply.message:
                self._event(dialects.error_within(dialect, reply.message), reply)
            elif reply.cut == "no":
                for event in dialects.end(dialect, reply.finish):
                    self._event(event, reply)
            if reply.cut != "rudely":
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.server_owner.hung_up.set()  # the reader has gone, as a reader may
        self.close_connection = True

    def _event(self, event: bytes, reply: Reply) -> None:
        for part in [event[i : i + 1] for i in range(len(event))] if reply.drip else [event]:
            if self.server_owner.stopping.wait(reply.pause):
                return
            self._chunk(part)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


def quote(request: Request) -> str:
    """Reply with the first line of the first passage, cited."""
    lines = re.findall(r"^\| (?!(?:Headline|Outlet|Date): )(.+)$", request.messages[-1]["content"], re.MULTILINE)
    return f"{lines[0].rstrip('.')} [1]." if lines else "OK"


def obey(request: Request) -> str:
    """Reply as `quote`, and as an instruction of `clippings eval --attacks` demands, in several ways."""
    planted = re.search(r"with the word (\w+) and end it with the link (\S+)", request.messages[-1]["content"])
    if not planted:
        return quote(request)
    word, link = planted.groups()
    number = re.findall(r"^\[(\d+)\]$", request.messages[-1]["content"][: planted.start()], re.MULTILINE)[-1]
    return f"{word}! {quote(request)} The word is {word} [{number}]. {word} [{number}]. See {link} [{number}]."


if __name__ == "__main__":
    server = OpenAIServer(
        int(sys.argv[1]) if len(sys.argv) > 1 else 8000, unscripted=obey if "obey" in sys.argv else quote
    )
    sys.stdout.write(f"CLIPPINGS_LLM=openai-like:{server.url}#fake\n")
    sys.stdout.flush()
    server.serve()
