"""A TCP proxy that a test can make slow, or let cut connections: what a bad network does to a server."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Self

_DRIP_SECONDS = 0.25
_CHUNK_BYTES = 65_536


class Proxy:
    """Passes connections on to a port of this machine. ``drips``: of replies that many bytes come in a second.

    ``cuts_after``: once, a reply is cut off with a reset after so many bytes, all connections counted together.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self.drips, self.cuts_after = 0, -1
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End; open connections are dropped with their threads."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                for pass_on, ends in ((self._ask, (client, server)), (self._reply, (server, client))):
                    threading.Thread(target=pass_on, args=ends, daemon=True).start()

    def _ask(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _reply(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                while self.drips and data:
                    count = int(self.drips * _DRIP_SECONDS)
                    target.sendall(data[:count])
                    data = data[count:]
                    time.sleep(_DRIP_SECONDS)
                if 0 <= self.cuts_after < len(data):
                    target.sendall(data[: self.cuts_after])
                    self.cuts_after = -1
                    target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                if self.cuts_after >= 0:
                    self.cuts_after -= len(data)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
