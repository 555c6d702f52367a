"""A thousand questions while everything goes wrong that may: each has one answer in the end."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.fake_slack import FakeSlack
from tests.slack_process import MODES, BotProcess, copied

pytestmark = pytest.mark.process(seconds=35)
EVENTS = 1_000
REAL_EVERY = 100  # one in so many asks the articles, which takes longer
UNDER_WAY = 60  # events that are not acknowledged yet; more would be a burst that no workspace makes
CHEAP = ("hello", "Thanks!", "help", "good morning", "bye", "what can you do?")
PLAIN = "tell me more"  # in a thread of the bot, without a mention: thanks and the like are left to people
QUESTIONS = ("How many jobs will the Aldermoor paper mill cut?", "How many people died in the earthquake in Morocco?")


class Crowd:
    """People who ask in channels, threads and directly. Whatever chance decides comes from one seed."""

    def __init__(self, slack: FakeSlack, seed: int, real_every: int = REAL_EVERY) -> None:
        self.slack, self.real_every = slack, real_every
        self.chance = random.Random(seed)  # noqa: S311  # nothing is kept secret by it
        self.users = [slack.add_user(f"USOAK{number}", name=f"Person {number}") for number in range(20)]
        self.channels = [slack.add_channel(f"CSOAK{number}", (*self.users, "UBOT")) for number in range(10)]
        self.asked: dict[str, tuple[str, str]] = {}
        """Of each question its channel and thread."""

    def ask(self) -> None:
        """Ask something somewhere; at times it is heard more than once."""
        user = self.chance.choice(self.users)
        channel = self.slack.dm(user) if self.chance.random() < 0.2 else self.chance.choice(self.channels)
        text = self.chance.choice(QUESTIONS if len(self.asked) % self.real_every == self.real_every // 10 else CHEAP)
        thread = self._thread(channel)
        if not channel.startswith("D"):
            is_plain = thread and self._is_in(channel, thread) and self.chance.random() < 0.5
            text = PLAIN if is_plain else f"<@UBOT> {text}"
        ts = self.slack.say(user, channel, text, thread, mention_first=self.chance.random() < 0.5)
        self.asked[ts] = channel, thread or ts
        if self.chance.random() < 0.1:
            self.slack.redeliver(self.chance.choice(list(self.asked)))

    def _thread(self, channel: str) -> str | None:
        """A thread to follow up in, or none, to begin one."""
        threads = [thread for where, thread in self.asked.values() if where == channel]
        return self.chance.choice(threads) if threads and self.chance.random() < 0.4 else None

    def _is_in(self, channel: str, thread: str) -> bool:
        """Whether the bot has said something in a thread, so that it needs no mention there."""
        return any(seen.user == self.slack.bot_user for seen in self.slack.thread(channel, thread))

    def answers(self) -> dict[str, list[tuple[int, int]]]:
        """Of each question that has an answer where it was asked, the parts of it that stand there."""
        found: dict[str, list[tuple[int, int]]] = {}
        for message in list(self.slack.workspace.messages):
            if message.user == self.slack.bot_user and not (message.deleted or message.ephemeral_to):
                payload = (message.metadata or {"event_payload": {"key": "none", "part": 0, "parts": 1}})[
                    "event_payload"
                ]
                ts = payload["key"].rpartition("/")[2]
                in_place = self.asked.get(ts) == (message.channel, message.thread_ts)
                found.setdefault(ts if in_place else "astray", []).append((payload["part"], payload["parts"]))
        return found


@pytest.mark.parametrize("mode", MODES)
def test_thousand_questions_get_a_thousand_answers(mode: str, indexed: Path, tmp_path: Path) -> None:
    """With twins, redeliveries, lost sockets, and two restarts of which one is a kill: none twice, none missing."""
    data = copied(indexed, tmp_path / "data")
    with FakeSlack() as slack, BotProcess(slack, data, mode=mode) as bot:
        crowd = Crowd(slack, seed=3)
        for number in range(EVENTS):
            crowd.ask()
            if bot.running:
                slack.wait(lambda: slack.delivery.pending < UNDER_WAY, 60)
            if number % 150 == 75:
                crowd.chance.choice((slack.drop_sockets, slack.disconnect_sockets))()
            if number == EVENTS // 3:
                bot.kill()
            if number == 2 * EVENTS // 3:
                slack.wait(lambda: not slack.delivery.pending, 60)
                bot.terminate()
            if number in (EVENTS // 3 + 20, 2 * EVENTS // 3 + 20):
                bot.start()
        slack.wait(lambda: set(crowd.asked) <= set(crowd.answers()), 120)
        slack.settle()
        answers = crowd.answers()
        assert not any(status for status, _ in slack.workspace.statuses.values())
    assert set(answers) == set(crowd.asked)
    assert len(answers) == EVENTS
    doubled = [parts for parts in answers.values() if sorted(parts) != [(at, len(parts)) for at in range(len(parts))]]
    assert doubled == []
    assert max(Counter(ack.id for ack in slack.acks if ack.seconds is not None).values()) > 1  # some came twice
