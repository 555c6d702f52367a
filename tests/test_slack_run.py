"""The process `clippings slack`: how it starts, says how it is, and ends."""

from __future__ import annotations

import json
import logging
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.cli.parser import main
from bot.slack.database import Database
from tests.bench_slack import load
from tests.fake_slack import FakeSlack
from tests.fakes.openai_server import OpenAIServer, Reply
from tests.forked import Forked
from tests.slack_process import BotProcess, FreshBotProcess, answered, copied, replies

pytestmark = pytest.mark.process(seconds=100)
ASKED = "<@UBOT> How many jobs will the Aldermoor paper mill cut?"
SECRET = "s3cr3t"
ENDING = (signal.SIGTERM, signal.SIGINT)
WSGI = """
import signal, sys
from waitress.server import create_server
from bot.slack.serve import wsgi_app
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = create_server(wsgi_app(), host="127.0.0.1", port=int(sys.argv[1]))
print("Clippings is in Slack", flush=True)
server.run()
"""

# What is set otherwise than it should be ("": not at all) -> what is said of it.
WRONG = {
    "no bot token": ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is not set"),
    "wrong bot token": ({"SLACK_BOT_TOKEN": f"xoxb-{SECRET}"}, "Slack refuses SLACK_BOT_TOKEN (invalid_auth)"),
    "odd bot token": ({"SLACK_BOT_TOKEN": f"xoxb–{SECRET}"}, "SLACK_BOT_TOKEN holds a character"),
    "no app token": ({"SLACK_APP_TOKEN": ""}, "SLACK_APP_TOKEN is not set"),
    "wrong app token": ({"SLACK_APP_TOKEN": f"xapp-{SECRET}"}, "Slack refuses SLACK_APP_TOKEN (invalid_auth)"),
    "bot token for app token": ({"SLACK_APP_TOKEN": "xoxb-fake"}, "Slack refuses SLACK_APP_TOKEN"),
    "swapped, and no network": (
        {"SLACK_BOT_TOKEN": "xapp-1", "SLACK_APP_TOKEN": "xoxb-1", "CLIPPINGS_SLACK_API_URL": "http://127.0.0.1:9/"},
        "Slack refuses SLACK_APP_TOKEN, for it begins with xoxb- as a bot token does: an app-level token (xapp-…) is",
    ),
    "app token for bot token": (
        {"SLACK_BOT_TOKEN": "xapp-1"},
        "Slack refuses SLACK_BOT_TOKEN, for it begins with xapp- as an app-level token does",
    ),
    "odd app token": ({"SLACK_APP_TOKEN": f"xapp {SECRET}"}, "SLACK_APP_TOKEN holds a character"),
    "no signing secret": ({"SLACK_SIGNING_SECRET": ""}, "SLACK_SIGNING_SECRET is not set"),
    "no address": ({"CLIPPINGS_SLACK_API_URL": SECRET}, "CLIPPINGS_SLACK_API_URL (in the environment) is wrong"),
    "no host": ({"CLIPPINGS_SLACK_HOST": "192.0.2.1"}, "The pages cannot be served on 192.0.2.1"),
    "no number": ({"CLIPPINGS_SLACK_PORT": SECRET}, "CLIPPINGS_SLACK_PORT (in the environment) is wrong"),
    "no database": ({"DATABASE_URL": f"postgresql//:{SECRET}"}, "DATABASE_URL is not the URL of a database"),
    "no driver": ({"DATABASE_URL": f"oracle://u:{SECRET}@h/x"}, "DATABASE_URL needs the Python package"),
    "no folder": ({"DATABASE_URL": "sqlite:////nowhere/x.db"}, "The database /nowhere/x.db cannot be opened"),
    "another workspace": ({"CLIPPINGS_SLACK_WORKSPACES": "T2,E1"}, "SLACK_BOT_TOKEN is of the workspace T1, which"),
    "no client secret": ({"SLACK_BOT_TOKEN": "", "SLACK_CLIENT_ID": "1.2"}, "SLACK_CLIENT_SECRET is not set"),
    "no key": (
        {"SLACK_BOT_TOKEN": "", "SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": SECRET},
        "CLIPPINGS_SLACK_TOKEN_KEY is not set",
    ),
    "wrong key": (
        {
            "SLACK_BOT_TOKEN": "",
            "SLACK_CLIENT_ID": "1.2",
            "SLACK_CLIENT_SECRET": "x",
            "CLIPPINGS_SLACK_TOKEN_KEY": SECRET,
        },
        "CLIPPINGS_SLACK_TOKEN_KEY",
    ),
}


@pytest.fixture
def data(indexed: Path, tmp_path: Path) -> Path:
    """A data folder in which the project's articles are indexed."""
    return copied(indexed, tmp_path / "data")


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """A workspace."""
    with FakeSlack() as started:
        yield started


@pytest.fixture
def llm() -> Iterator[OpenAIServer]:
    """A language model, which answers at once where it was told nothing else."""
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def _as_before() -> Iterator[None]:
    """Put back what a start in this process changes."""
    handlers, logger = [signal.getsignal(number) for number in ENDING], logging.getLogger("bot.slack")
    yield
    for number, handler in zip(ENDING, handlers, strict=True):
        signal.signal(number, handler)
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


def end(bot: BotProcess, number: signal.Signals = signal.SIGTERM) -> int:
    """End the process, and return its exit code."""
    process = bot._process
    assert process
    process.send_signal(number)
    return process.wait(30)


def get(bot: BotProcess, path: str) -> tuple[int, str]:
    """Status and body of a page."""
    found = re.findall(r"(http://[\d.:]+)/readyz", bot.logged())
    address = found[-1] if found else f"http://127.0.0.1:{bot._port}"
    try:
        with urllib.request.urlopen(address + path, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def readiness(bot: BotProcess) -> tuple[int, dict[str, str]]:
    """What /readyz says."""
    status, body = get(bot, "/readyz")
    return status, json.loads(body)


# Start


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize("name", WRONG)
def test_wrong_setting_is_named_in_one_sentence(
    name: str, slack: FakeSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is set wrongly ends the start with exit code 1 and one line that names it, without the value."""
    settings, expected = WRONG[name]
    http = ["--http"] if "SLACK_SIGNING_SECRET" in settings else []
    for variable, value in BotProcess(slack, tmp_path / "data", **settings)._environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    code = main(["--data", str(tmp_path / "data"), "slack", *http])
    out, err = capfd.readouterr()
    assert (code, out) == (1, "")
    assert err.startswith(expected)
    assert err.count("\n") == 1
    assert SECRET not in err


def test_process_that_cannot_start_says_why_and_ends(slack: FakeSlack, data: Path) -> None:
    """A second one on the data of the first, or its port; one that Slack refuses, and one that does not reach Slack."""
    with BotProcess(slack, data, mode="http") as bot:
        wrong = {
            f"Another `clippings slack` runs on {data}. Stop it first. Several can share PostgreSQL: set "
            "DATABASE_URL.": {"CLIPPINGS_DATA": str(data)},
            f"The pages cannot be served on 127.0.0.1:{bot._port}: Address already in use. "
            "Set CLIPPINGS_SLACK_HOST and CLIPPINGS_SLACK_PORT to others.": {"CLIPPINGS_SLACK_PORT": str(bot._port)},
            "Slack refuses SLACK_APP_TOKEN (invalid_auth). Copy it again from the app's page.": {
                "SLACK_APP_TOKEN": f"xapp-{SECRET}"
            },
            "Slack cannot be reached at http://127.0.0.1:9/api/. Check this machine's network, then try again.": {
                "CLIPPINGS_SLACK_API_URL": "http://127.0.0.1:9/api/"
            },
        }
        for number, (sentence, settings) in enumerate(wrong.items()):
            folder = data.with_name(f"wrong-{number}")
            out, err = folder.with_suffix(".out"), folder.with_suffix(".err")
            environment = {"CLIPPINGS_DATA": str(folder)} | BotProcess(slack, folder, **settings)._environment()
            forked = Forked(["slack"], env=environment, cwd=data.parent, log=out, errors=err)
            assert forked.wait(60) == 1
            assert (out.read_text("utf-8"), err.read_text("utf-8")) == ("", sentence + "\n")
        assert get(bot, "/livez") == (200, '{"process": "ok"}')


# How it is


def test_readiness_tells_the_truth(slack: FakeSlack, llm: OpenAIServer, indexed: Path, tmp_path: Path) -> None:
    """It is not ready without an index or a socket; with both it is, and names a language model that is down."""
    data = tmp_path / "data"
    with FreshBotProcess(slack, data, CLIPPINGS_LLM=f"openai-like:{llm.url}#fake") as bot:
        status, facts = readiness(bot)
        assert (status, facts["index"]) == (503, "nothing is indexed yet: run `clippings index PATH`")
        ts = slack.say("U1", "C1", ASKED)
        assert "No articles have been indexed yet" in answered(slack, "C1", ts)[0].text
        shutil.copytree(indexed, data, dirs_exist_ok=True)
        slack.wait(
            lambda: readiness(bot) == (200, {"index": "ok", "socket": "ok", "database": "ok", "model": "ok"}), 60
        )
        slack.fault("apps.connections.open", status=500, times=100)
        slack.drop_sockets()
        slack.wait(lambda: readiness(bot)[0] == 503, 60)
        assert readiness(bot)[1]["socket"].startswith("not connected to Slack")
        assert get(bot, "/livez")[0] == 200
        assert get(bot, "/slack/events")[0] == 404
        assert end(bot, signal.SIGINT) == 0
    assert "Traceback" not in bot.logged()


def test_readiness_names_a_model_that_is_down(slack: FakeSlack, data: Path) -> None:
    """The bot is ready all the same, for it quotes."""
    with BotProcess(slack, data, mode="http", CLIPPINGS_LLM="openai-like:http://127.0.0.1:9/v1#fake") as bot:
        slack.wait(lambda: readiness(bot)[1]["model"] != "is being checked")
        expected = "does not answer; answers are quoted. `clippings status` says why"
        assert readiness(bot) == (200, {"index": "ok", "database": "ok", "model": expected})
        ts = slack.say("U1", "C1", ASKED)
        assert "140 of its 560 jobs" in answered(slack, "C1", ts)[0].text
        assert end(bot) == 0


# End


@pytest.mark.parametrize("mode", ["socket", "http", "wsgi"])
def test_sigterm_finishes_what_is_being_answered(mode: str, slack: FakeSlack, llm: OpenAIServer, data: Path) -> None:
    """It takes nothing new, answers, closes the socket and ends with 0; what came too late the next process answers."""
    llm.script(Reply.of("The mill will shed ", "140 jobs [1].", pause=0.5))
    model, way = f"openai-like:{llm.url}#fake", "socket" if mode == "socket" else "http"
    bot = BotProcess(slack, data, mode=way, CLIPPINGS_LLM=model)
    with serve_wsgi(bot) if mode == "wsgi" else bot:
        first = slack.say("U1", "C1", ASKED)
        slack.wait(lambda: llm.requests, 60)
        assert bot._process
        bot._process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        late = slack.say("U1", "C1", ASKED)
        assert bot._process.wait(30) == 0
        slack.wait(lambda: slack.connected() == 0)
        assert "140 jobs" in replies(slack, "C1", first)[0].text
        assert replies(slack, "C1", late) == []
        slack.wait(lambda: slack.status("C1", first) == "")
    with BotProcess(slack, data, mode=way, CLIPPINGS_LLM=model):
        answered(slack, "C1", late)
        assert len(replies(slack, "C1", first)) == 1


@contextmanager
def serve_wsgi(bot: BotProcess) -> Iterator[None]:
    """Run the app that `wsgi_app` makes, in a server of waitress."""
    bot.slack.app_url = f"http://127.0.0.1:{bot._port}"
    command, environment = [sys.executable, "-c", WSGI, str(bot._port)], bot._environment()
    environment["CLIPPINGS_DATA"] = str(bot.data)
    with bot.log.open("ab") as log:
        bot._process = subprocess.Popen(command, env=environment, cwd=bot.data.parent, stdout=log, stderr=log)
    try:
        bot.slack.wait(lambda: "Clippings is in Slack" in bot.logged(), 60)
        yield
    finally:
        bot.kill()


class Impatient(BotProcess):
    """Gives the answers under way little time to finish when it ends."""

    def _launch(self, arguments: list[str], env: dict[str, str], cwd: Path) -> Forked:
        return Forked(arguments, env=env, cwd=cwd, log=self.log, limits={"bot.slack.serve.MAX_STOP_SECONDS": 0.3})


def test_answer_that_takes_too_long_is_left_to_the_next_process(
    slack: FakeSlack, llm: OpenAIServer, data: Path
) -> None:
    """The process ends when its patience does, and the question stays in the database until it is answered."""
    llm.script(Reply.of("The mill ", "will ", "cut 140 jobs [1].", pause=30.0))
    model = {"CLIPPINGS_LLM": f"openai-like:{llm.url}#fake"}
    with Impatient(slack, data, **model) as impatient:
        ts = slack.say("U1", "C1", ASKED)
        slack.wait(lambda: llm.requests, 60)
        assert end(impatient) == 0
        assert "left unfinished" in impatient.logged()
    database = Database.in_folder(data)
    assert [question.ts for question in database.unanswered()] == [ts]
    database.close()
    with BotProcess(slack, data, **model) as bot:
        answered(slack, "C1", ts)
        assert "unanswered=1" in bot.logged()


# Load


def test_everything_is_acknowledged_in_time_under_load(data: Path) -> None:
    """50 questions at once and clicks meanwhile: none waits for the language model. `make bench` has the figures."""
    found = load(data, questions=50, model=6.0, process=BotProcess)
    assert found.answers == 50
    assert found.clicks > 0
    assert max(found.slowest_event, found.slowest_click) < 6.0
