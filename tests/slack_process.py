"""The real bot against a fake Slack, what the tests on the wire begin with: `clippings slack`, or its service in here.

with FakeSlack() as slack, BotProcess(slack, data, mode="http", CLIPPINGS_SLACK_ADMINS="U1") as bot:
    slack.say("U1", "C1", "<@UBOT> hello")
    bot.kill()
    bot.start()

`BotProcess` can be killed and sent signals. `BotInside` is the same service in this process, which starts at once.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

import pytest

from bot.runtime import Parts
from bot.settings import load_settings
from bot.slack.serve import Service
from index.ingest import ingest
from tests.fake_slack import FakeSlack, Seen
from tests.forked import Forked

ARTICLES = Path(__file__).parents[1] / "articles"
MODES = ("socket", "http")
Mode = Literal["socket", "http"]
_READY = 60.0  # seconds that the start may take on a busy machine


def make_index(folder: Path, weights: Path, *more: Path) -> Path:
    """Index the project's articles, and others, into a folder, and return it."""
    assert ingest(folder, [ARTICLES, *more], model_dir=weights, progress=lambda _done, _total: None).failed == ()
    return folder


class Bot:
    """The bot with a data folder of its own. Settings of the environment stay out; those of ``settings`` are added."""

    def __init__(self, slack: FakeSlack, data: Path, *, mode: str = "socket", **settings: str) -> None:
        self.slack, self.data, self.mode = slack, data, mode
        self.log = data.with_name(data.name + ".log")
        self._settings = settings
        self._port = _free_port() if mode == "http" else 0

    def logged(self) -> str:
        """What it has printed and logged."""
        return self.log.read_text("utf-8") if self.log.exists() else ""

    def finish(self, ts: str, timeout: float = 60.0) -> None:
        """Wait until it has noted that the message of a timestamp is answered: no more is done for it after that."""
        self.slack.wait(lambda: re.search(rf"/{ts} user=\S+ attempt=\d+ ms=", self.logged()), timeout)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLIPPINGS_", "SLACK_"))}
        kept.pop("DATABASE_URL", None)
        weights = os.environ.get("CLIPPINGS_MODEL_DIR")
        own = {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "CLIPPINGS_SLACK_API_URL": self.slack.api_url,
            "CLIPPINGS_SLACK_PORT": str(self._port),
            "CLIPPINGS_SLACK_PER_PERSON": "100000",
            "CLIPPINGS_SLACK_PER_CHANNEL": "100000",
            "PYTHONPATH": str(ARTICLES.parent),
            "PYTHONUNBUFFERED": "1",
        }
        return kept | own | ({"CLIPPINGS_MODEL_DIR": weights} if weights else {}) | self._settings


class BotInside(Bot):
    """The bot in this process. It cannot be killed, and its log has nothing of what libraries print."""

    def __enter__(self) -> Self:
        """Start, and wait until it takes questions."""
        self._handler = logging.FileHandler(self.log, encoding="utf-8")
        logger = logging.getLogger("bot.slack")
        logger.addHandler(self._handler)
        logger.setLevel(logging.INFO)
        self.data.mkdir(exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            for name in os.environ:
                patch.delenv(name)
            for name, value in self._environment().items():
                patch.setenv(name, value)
            settings = load_settings(data=self.data, env_file=self.data / "no.env")
        self._service = Service(settings, Parts(), http=self.mode == "http")
        self._service.start()
        if self.mode == "http":
            self.slack.app_url = f"http://127.0.0.1:{self._port}"
        else:
            self.slack.wait(self.slack.connected)
        return self

    def __exit__(self, *_: object) -> None:
        """End in order: everything that was begun is finished."""
        logger = logging.getLogger("bot.slack")
        try:
            assert self._service.stop()
        finally:
            logger.removeHandler(self._handler)
            logger.setLevel(logging.NOTSET)
            self._handler.close()


class BotProcess(Bot):
    """The bot in a process of its own, which is forked: that is quick."""

    def __init__(self, slack: FakeSlack, data: Path, *, mode: str = "socket", **settings: str) -> None:
        super().__init__(slack, data, mode=mode, **settings)
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self.app_url = ""  # where Slack's requests go in place of its own port: to a load balancer

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, whatever it is doing."""
        self.kill()

    def start(self) -> None:
        """Start a process and wait until it takes questions."""
        arguments = ["--data", str(self.data), "slack", *(["--http"] if self.mode == "http" else [])]
        self.data.mkdir(exist_ok=True)
        before = len(self.logged())
        self._process = self._launch(arguments, self._environment(), self.data.parent)  # no .env lies there
        self._wait(lambda: "Clippings is in Slack" in self.logged()[before:])
        if self.mode == "http":
            self.slack.app_url = self.app_url or f"http://127.0.0.1:{self._port}"
        else:
            self._wait(self.slack.connected)

    def _launch(self, arguments: list[str], env: dict[str, str], cwd: Path) -> subprocess.Popen[bytes] | Forked:
        return Forked(arguments, env=env, cwd=cwd, log=self.log)

    def kill(self) -> None:
        """End it at once, with SIGKILL."""
        self._end(signal.SIGKILL)

    def terminate(self) -> None:
        """End it in order, with SIGTERM, and wait until it has ended."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    def _end(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait(60)
        self._process = None

    def _wait(self, condition: Callable[[], object]) -> None:
        until = time.monotonic() + _READY
        while not condition():
            if self._process is None or self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the bot did not start:\n{self.logged()}")
            time.sleep(0.02)


class FreshBotProcess(BotProcess):
    """The bot in a process that is started as a user starts it, for tests of how it starts, ends and uses models."""

    def _launch(self, arguments: list[str], env: dict[str, str], cwd: Path) -> subprocess.Popen[bytes] | Forked:
        with self.log.open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "bot", *arguments], env=env, cwd=cwd, stdout=log, stderr=log)


def copied(data: Path, folder: Path) -> Path:
    """A copy of a data folder, for a process of its own."""
    shutil.copytree(data, folder)
    return folder


def replies(slack: FakeSlack, channel: str, root: str, after: str = "") -> list[Seen]:
    """What the bot says in a thread, after the message of a timestamp where one is given."""
    return [seen for seen in slack.thread(channel, root) if seen.user == slack.bot_user and seen.ts > (after or root)]


def answered(
    slack: FakeSlack, channel: str, root: str, *, after: str = "", count: int = 1, timeout: float = 60.0
) -> list[Seen]:
    """Wait until the bot has answered in a thread with so many whole messages and nothing more comes."""

    def whole() -> bool:
        said = replies(slack, channel, root, after)
        return len(said) >= count and all(seen.raw.get("metadata") and not seen.streaming for seen in said)

    slack.wait(whole, timeout)
    slack.settle(0.15, timeout)
    said = replies(slack, channel, root, after)
    assert len(said) == count, slack.transcript()
    return said


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
