"""A news site on this machine: pages, feeds and sitemaps as a test wants them, and what was asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Page:
    """What stands at a path."""

    body: str | bytes = ""
    kind: str = "text/html"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    write: Callable[[BaseHTTPRequestHandler], None] | None = None


class NewsSite:
    """A server; ``pages`` may be changed between two requests. ``asked``: the paths of the requests, in order."""

    def __init__(self) -> None:
        """Serve nothing, to everybody."""
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://localhost:{self.port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a request, with 304 if the page has not changed."""
        self.asked.append(request.path)
        page = self.pages.get(request.path.partition("?")[0], Page("none", status=404))
        if page.write:
            page.write(request)
            return
        body = page.body.encode() if isinstance(page.body, str) else page.body
        etag = f'"{hashlib.sha256(body).hexdigest()[:8]}"'
        unchanged = page.status == 200 and request.headers["If-None-Match"] == etag
        request.send_response(304 if unchanged else page.status)
        for name, value in {"Content-Type": page.kind, "ETag": etag, **page.headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(b"" if unchanged else body)


@contextmanager
def news_site() -> Iterator[NewsSite]:
    """Serve a site on a free port of localhost."""
    site = NewsSite()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.answer(self)

        def log_message(self, format: str, *values: object) -> None:  # noqa: A002  # as in the class above
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
