"""Tests of bot.slack.threads: a thread is read in Slack only for what the bot has not seen, within Slack's limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_slack import FakeSlack
from tests.slack_process import BotInside, BotProcess, answered, copied, replies

pytestmark = pytest.mark.process(seconds=40)
MILL = "<@UBOT> How many jobs will the Aldermoor paper mill cut?"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """A workspace in which the bot may read threads once a minute."""
    with FakeSlack() as started:
        started.api.is_outside_marketplace = True
        started.add_user("U2", name="Ann")
        yield started


@pytest.fixture
def bot(slack: FakeSlack, indexed: Path, tmp_path: Path) -> Iterator[BotInside]:
    """The bot in it."""
    with BotInside(slack, copied(indexed, tmp_path / "data"), mode="socket") as started:
        yield started


def reads(slack: FakeSlack) -> int:
    """How often the bot has asked Slack for a thread."""
    return len([call for call in slack.calls if call.method == "conversations.replies"])


@pytest.mark.usefixtures("bot")
def test_thread_that_the_bot_saw_whole_is_not_read(slack: FakeSlack) -> None:
    """Follow-ups with and without a mention are completed by what was asked and answered before."""
    root = slack.say("U1", "C1", MILL)
    first = answered(slack, "C1", root)[0]
    assert "560" in first.text
    follow_ups = ["and when?", "<@UBOT> tell me more"]
    for number, follow_up in enumerate(follow_ups, 2):
        slack.say("U1", "C1", follow_up, root)
        answered(slack, "C1", root, count=number)
    texts = [seen.text for seen in replies(slack, "C1", root)]
    assert all("Aldermoor" in text or "mill" in text for text in texts), texts
    assert reads(slack) == 0
    private = slack.say("U1", slack.dm("U1"), "How many jobs will the Aldermoor paper mill cut?")
    answered(slack, slack.dm("U1"), private)
    slack.say("U1", slack.dm("U1"), "and when?", private)
    answered(slack, slack.dm("U1"), private, count=2)
    assert reads(slack) == 0


@pytest.mark.usefixtures("bot")
def test_what_people_said_is_read_once(slack: FakeSlack) -> None:
    """Before the bot was asked, and again only when they have said more; what it may not read it does without."""
    root = slack.say("U2", "C1", "Did you see what happens to the paper mill in Aldermoor?")
    slack.say("U1", "C1", "<@UBOT> how many jobs will it cut?", root)
    assert "140 of its 560 jobs" in answered(slack, "C1", root)[0].text
    assert reads(slack) == 1
    slack.say("U1", "C1", "<@UBOT> and when?", root)
    second = answered(slack, "C1", root, count=2)[1]
    assert reads(slack) == 1
    assert "did not let me read" not in second.text
    slack.say("U2", "C1", "That is sad", root)
    slack.settle()
    slack.say("U1", "C1", "<@UBOT> tell me more", root)
    third = answered(slack, "C1", root, count=3)[2]
    assert "Slack did not let me read this thread just now" in third.text
    assert "mill" in third.text
    assert reads(slack) == 2  # not waited for a minute
    slack.api._last_reading = 0.0
    slack.say("U1", "C1", "<@UBOT> anything else?", root)
    fourth = answered(slack, "C1", root, count=4)[3]
    assert "did not let me read" not in fourth.text
    assert reads(slack) == 3


@pytest.mark.usefixtures("bot")
def test_threads_of_people_are_left_to_them(slack: FakeSlack) -> None:
    """A plain question in a thread that the bot may not read, and was not asked in, is none for it."""
    slack.api._last_reading = 1e9
    root = slack.say("U1", "C1", "The paper mill again")
    slack.say("U2", "C1", "How many jobs will the Aldermoor paper mill cut?", root)
    slack.settle(0.5)
    assert replies(slack, "C1", root) == []


def test_another_process_knows_what_was_said(slack: FakeSlack, indexed: Path, tmp_path: Path) -> None:
    """What the bot saw is in its database: after a restart a follow-up needs no call either."""
    with BotProcess(slack, copied(indexed, tmp_path / "data")) as bot:
        root = slack.say("U1", "C1", MILL)
        answered(slack, "C1", root)
        bot.finish(root)
        bot.restart()
        slack.say("U1", "C1", "and when?", root)
        text = answered(slack, "C1", root, count=2)[1].text
    assert reads(slack) == 0
    assert "mill" in text.lower()
