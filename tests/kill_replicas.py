"""Kill bots and their PostgreSQL at random moments under load: ``python -m tests.kill_replicas 25``.

Three bots behind a load balancer are asked all the while. Each round kills a bot or PostgreSQL, or stops one for some
seconds (a bot for longer than its lease), and puts it right again. In the end each question has one answer.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

from bot.slack.workers import LEASE_SECONDS
from index.embedding.weights import locate
from tests.fake_slack import FakeSlack
from tests.fakes.openai_server import OpenAIServer, Reply
from tests.forked import Forked
from tests.postgres import Postgres
from tests.slack_process import BotProcess, make_index
from tests.slack_replicas import replicas
from tests.test_slack_soak import Crowd

FAULTS = ("bot killed", "PostgreSQL killed", "bot killed", "PostgreSQL killed", "bot stopped", "PostgreSQL stopped")
SECONDS_BETWEEN_QUESTIONS = 0.3
MAX_SETTLE_SECONDS = 240.0


def do(fault: str, crowd: Crowd, bots: list[BotProcess], postgres: Postgres) -> None:
    """Let something go wrong, and put it right after a while."""
    chance, bot = crowd.chance, crowd.chance.choice(bots)
    if fault == "bot killed":
        bot.kill()
        time.sleep(chance.uniform(0.2, 3.0))
        bot.start()
    elif fault == "PostgreSQL killed":
        postgres.kill()
        time.sleep(chance.uniform(0.0, 4.0))
        postgres.start()
    elif fault == "PostgreSQL stopped":
        postgres.signal(signal.SIGSTOP)
        time.sleep(chance.uniform(1.0, 12.0))
        postgres.signal(signal.SIGCONT)
    elif isinstance(bot._process, Forked):
        bot._process.send_signal(signal.SIGSTOP)
        time.sleep(LEASE_SECONDS + 5.0)
        bot._process.send_signal(signal.SIGCONT)


def main() -> int:
    """Do the rounds, wait for the answers, and count them."""
    rounds, seed = int(sys.argv[1]) if len(sys.argv) > 1 else 25, 7
    done, ended = Counter[str](), Event()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        indexed = make_index(Path(folder) / "indexed", locate(None, fetchers={}))
        slack, llm = stack.enter_context(FakeSlack()), stack.enter_context(OpenAIServer())
        postgres = stack.enter_context(Postgres(Path(place)))
        model = f"openai-like:{llm.url}#fake"
        settings = {"DATABASE_URL": postgres.url(), "CLIPPINGS_LLM": model}
        bots = stack.enter_context(replicas(slack, indexed, Path(folder), count=3, **settings))
        llm.script(*[Reply.of("The mill will cut ", "140 jobs [1].", pause=0.7)] * 10_000)
        crowd = Crowd(slack, seed, real_every=10)

        def ask() -> None:
            while not ended.wait(SECONDS_BETWEEN_QUESTIONS):
                crowd.ask()

        asking = Thread(target=ask)
        asking.start()
        try:
            for number in range(rounds):
                time.sleep(crowd.chance.uniform(0.5, 3.0))
                fault = FAULTS[number % len(FAULTS)]
                do(fault, crowd, bots, postgres)
                done[fault] += 1
                print(f"{number + 1}: {fault}; asked {len(crowd.asked)}, answered {len(crowd.answers())}", flush=True)
        finally:
            ended.set()
            asking.join()
        lost = settled(crowd)
        answers = crowd.answers()
        twice = [ts for ts, parts in answers.items() if sorted(parts) != [(at, len(parts)) for at in range(len(parts))]]
        tracebacks = sum(bot.logged().count("Traceback") for bot in bots)
    faults = ", ".join(f"{count} x {fault}" for fault, count in done.items())
    print(
        f"{faults}; {len(crowd.asked)} questions: {len(lost)} lost, {len(twice)} answered twice, "
        f"{len(answers.get('astray', ()))} astray, {tracebacks} tracebacks"
    )
    return int(bool(lost or twice or "astray" in answers or tracebacks))


def settled(crowd: Crowd) -> set[str]:
    """Wait for the answers; send again what Slack would send after a minute, and return what has none."""
    until, again = time.monotonic() + MAX_SETTLE_SECONDS, time.monotonic() + 60.0
    while (missing := set(crowd.asked) - set(crowd.answers())) and time.monotonic() < until:
        if time.monotonic() > again:
            again = until
            for ts in missing:
                crowd.slack.redeliver(ts)
        time.sleep(0.5)
    crowd.slack.settle(timeout=60)
    return missing


if __name__ == "__main__":
    sys.exit(main())
