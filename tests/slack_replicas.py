"""Several bots on one database behind a load balancer.

with replicas(slack, indexed, folder, url, 3) as bots:
    bots[0].kill()
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from threading import Lock, Thread

import sqlalchemy as sql

from bot.slack.connection import rows
from bot.slack.database import Database
from tests.fake_slack import FakeSlack
from tests.forked import Forked
from tests.slack_process import BotProcess, copied, replies


class Balancer(ThreadingHTTPServer):
    """Hands each request to the next bot in turn; to another if that cannot be reached."""

    daemon_threads = True
    request_queue_size = 512  # the default of 5 makes a burst wait for TCP to try again, for half a minute

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ports: list[int] = []
        self._turns, self._lock = cycle(range(1_000_000)), Lock()

    def order(self) -> list[int]:
        """The ports to try, in this order."""
        with self._lock:
            turn = next(self._turns)
        return [self.ports[(turn + number) % len(self.ports)] for number in range(len(self.ports))]


class _Handler(BaseHTTPRequestHandler):
    server: Balancer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for port in self.server.order():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("POST", self.path, body, dict(self.headers))
                response = connection.getresponse()
                status, text = response.status, response.read()
                break
            except OSError:
                status, text = 502, b""
            finally:
                connection.close()
        with suppress(ConnectionError):  # Slack waits for three seconds
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def replicas(
    slack: FakeSlack, indexed: Path, folder: Path, *, count: int, **settings: str
) -> Iterator[list[BotProcess]]:
    """So many bots, to which Slack's requests go in turn. ``settings`` has the DATABASE_URL that they share."""
    with ExitStack() as stack:
        balancer = stack.enter_context(Balancer())
        Thread(target=balancer.serve_forever, daemon=True).start()
        stack.callback(balancer.shutdown)
        bots = []
        for number in range(count):
            data = copied(indexed, folder / f"bot-{number}")
            bots.append(stack.enter_context(BotProcess(slack, data, mode="http", **settings)))
            balancer.ports.append(bots[-1]._port)
        slack.app_url = f"http://127.0.0.1:{balancer.server_port}"
        for bot in bots:
            bot.app_url = slack.app_url
        yield bots


def answers(slack: FakeSlack, root: str) -> list[str]:
    """The whole answers in a thread."""
    return [seen.text for seen in replies(slack, "C1", root) if seen.raw.get("metadata") and not seen.streaming]


def holder_of(url: str, root: str, bots: list[BotProcess]) -> BotProcess:
    """The bot that answers in a thread just now."""
    with closing(Database(url)) as database:
        found = rows(database.engine, sql.text("SELECT conversation, holder FROM leases"))
    (holder,) = [row["holder"] for row in found if row["conversation"].endswith(f"/{root}")]
    pids = {str(bot._process._process.pid): bot for bot in bots if isinstance(bot._process, Forked)}
    return pids[holder.split("-")[-2]]
