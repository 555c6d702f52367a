"""HTTP to a language model's server, which is not trusted: bounded, to one address, and cut off on demand.

Works on `httpx.Client` and its fork httpx2, which Anthropic's client uses, by what both document; imports neither.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

MAX_REPLY_BYTES = 16 * 1024 * 1024  # MAX_REPLY_CHARACTERS fit, in events of one character and 300 bytes each


class Connections:
    """The connections of one reply. `close` ends them from another thread, however long a read has waited."""

    def __init__(self) -> None:
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
    if connections := CONNECTIONS.get(None):

        def trace(event: str, info: Mapping[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                connections.add(info["return_value"].get_extra_info("socket"))

        request.extensions["trace"] = trace


def _bound(response: Any) -> None:  # noqa: ANN401  # as above
    encoding, read = response.headers.get("Content-Encoding", ""), response.iter_raw
    response.iter_raw = lambda chunk_size=None: _bounded(read(chunk_size), encoding)


def _bounded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding.strip().lower() not in ("", "identity"):
        raise ValueError(f"the reply is compressed ({encoding}), which was not asked for")
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > MAX_REPLY_BYTES:
            raise ValueError(f"the reply is longer than {MAX_REPLY_BYTES} bytes")
        yield piece
