"""HTTP to a language model's server, which is not trusted: bounded, to one address, and cut off on demand.

Works on `httpx.Client` and its fork httpx2, which Anthropic's client uses, by what both document; imports neither.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any
from urllib.request import getproxies_environment

from bot.models import REQUEST_ID

MAX_REPLY_BYTES = 16 * 1024 * 1024  # MAX_REPLY_CHARACTERS fit, in events of one character and 300 bytes each


_END = re.compile(rb"(?:^|\n)data: ?\[DONE\]")
_MAX_END_BYTES = 16


class Connections:
    """The connections of one reply. `close` ends them from another thread, however long a read has waited.

    ``ended``: the mark of the end of a stream was read. ``tokens``: of prompt and reply, as far as the server says.
    """

    def __init__(self) -> None:
        self.ended = False
        self.tokens = (0, 0)
        self._sockets: list[socket.socket] = []
        self._closed = False
        self._lock = threading.Lock()

    def add(self, connection: socket.socket) -> None:
        """Take a connection that has just been made."""
        with self._lock:
            self._sockets.append(connection.dup())  # TLS detaches the original; a shutdown reaches both
        if self._closed:
            self.close()

    def close(self) -> None:
        """Shut the connections down, and those that are still being made."""
        with self._lock:
            self._closed = True
            for connection in self._sockets:
                with suppress(OSError):  # the server may have closed it
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            self._sockets.clear()


CONNECTIONS: ContextVar[Connections] = ContextVar("connections")
"""Those of the reply that this context reads."""


def guard(client: Any) -> None:  # noqa: ANN401  # an httpx.Client or httpx2.Client
    """Follow no redirect, read no compressed and no endless reply, and let `Connections` know every connection.

    307 and 308 would carry the passages to another host. A few compressed bytes can become gigabytes.
    """
    client.follow_redirects = False
    client.headers.update({"Accept-Encoding": "identity", "Connection": "close"})
    client.event_hooks = {"request": [_trace], "response": [_bound]}


def _trace(request: Any) -> None:  # noqa: ANN401  # as above
    if request_id := REQUEST_ID.get():
        request.headers["X-Request-Id"] = request_id
    if connections := CONNECTIONS.get(None):

        def trace(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith("connect_tcp.complete"):  # also of a socks proxy
                connections.add(info["return_value"].get_extra_info("socket"))

        request.extensions["trace"] = trace


def _bound(response: Any) -> None:  # noqa: ANN401  # as above
    encoding, read = response.headers.get("Content-Encoding", ""), response.iter_raw
    is_whole = response.headers.get("Content-Type", "").startswith("application/json")
    as_stream = _as_events if is_whole and response.status_code == HTTPStatus.OK else iter
    response.iter_raw = lambda chunk_size=None: as_stream(_bounded(read(chunk_size), encoding))


def _bounded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding.strip().lower() not in ("", "identity"):
        raise ValueError(f"the reply is compressed ({encoding}), which was not asked for")
    length, tail, connections = 0, b"", CONNECTIONS.get(None)
    for piece in pieces:
        length += len(piece)
        if connections and _END.search(tail + piece):
            connections.ended = True
        tail = (tail + piece)[-_MAX_END_BYTES:]
        if length > MAX_REPLY_BYTES:
            raise ValueError(f"the reply is longer than {MAX_REPLY_BYTES} bytes")
        yield piece


def _as_events(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Turn a whole reply of OpenAI's protocol into a stream: some servers send it whatever is asked for."""
    body = b"".join(pieces)
    with suppress(ValueError, LookupError, TypeError, AttributeError):  # another protocol
        reply = json.loads(body)
        for choice in reply["choices"]:
            choice["delta"] = choice.pop("message")
        body = b"data: " + json.dumps(reply).encode() + b"\n\ndata: [DONE]\n\n"
    yield body


def proxies() -> dict[str, str]:
    """Map the variables of the environment that name a proxy to its kind: ``{"ALL_PROXY": "socks5"}``."""
    urls = {name: url for name, url in getproxies_environment().items() if name in ("all", "http", "https") and url}
    return {
        f"{name.upper()}_PROXY": url.partition("://")[0].lower() if "://" in url else "http"
        for name, url in urls.items()
    }
