"""Whose buttons they are: "Try again" and "Share" are for who asked, count like questions, and share once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.storage.generation import locked
from tests.fake_slack import FakeSlack, Seen
from tests.fake_slack.seen import draw_blocks
from tests.slack_process import BotInside, answered, copied, replies

pytestmark = pytest.mark.process(seconds=15)
MILL = "How many jobs will the Aldermoor paper mill cut?"
NOT_YOURS = "Only the person who asked this question can do that. Please ask it yourself."
LIMIT = "You can ask me 3 questions in five minutes. Please try again in a few minutes."


@pytest.fixture(scope="module")
def bot(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotInside]:
    """The service, whose admin is U1; a person has three questions. Each test has people of its own, but for U1."""
    data = copied(indexed, tmp_path_factory.mktemp("buttons") / "data")
    rules = {"CLIPPINGS_SLACK_ADMINS": "U1", "CLIPPINGS_SLACK_PER_PERSON": "3"}
    with FakeSlack() as slack, BotInside(slack, data, **rules) as started:
        for number in range(2, 9):
            slack.add_user(f"U{number}", name=f"Person {number}")
            slack.workspace.channels["C1"].members.add(f"U{number}")
        yield started


@pytest.fixture
def slack(bot: BotInside) -> FakeSlack:
    """The workspace."""
    return bot.slack


def modal(slack: FakeSlack, user: str) -> list[str]:
    """Wait for a modal, close it, and return its text."""
    slack.wait(lambda: slack.modal(user))
    text = draw_blocks((slack.modal(user) or {})["blocks"]).text
    slack.close(user)
    return text


def ephemeral(slack: FakeSlack, user: str, channel: str = "C1") -> list[Seen]:
    """What a person alone sees in a channel."""
    return [seen for seen in slack.channel(channel, user) if seen.ephemeral_to == user]


def test_only_the_admin_who_asked_can_try_a_reindex_again(bot: BotInside, slack: FakeSlack) -> None:
    """Anybody else gets a sentence, and nothing is indexed."""
    with locked(bot.data):
        ts = slack.say("U1", "C1", "<@UBOT> reindex")
        failed = answered(slack, "C1", ts)[0]
    assert failed.buttons == ["Try again"]
    slack.click("U2", failed.ts, "Try again")
    assert modal(slack, "U2") == [NOT_YOURS]
    slack.settle()
    assert [seen.text for seen in replies(slack, "C1", ts)] == [failed.text]
    slack.click("U1", failed.ts, "Try again")
    slack.wait(lambda: "Reindexed in" in replies(slack, "C1", ts)[0].text)


def test_a_question_that_is_too_long_is_not_tried_again(slack: FakeSlack) -> None:
    """It would be no shorter: the message says how long it may be, and has no button."""
    reply = answered(slack, "C1", slack.say("U8", "C1", f"<@UBOT> {'who ' * 700}?"))[0]
    assert reply.text.startswith("The question is too long: 2,80")
    assert reply.buttons == []


@pytest.mark.parametrize(("user", "place"), [("U3", "channel"), ("U4", "direct"), ("U5", "command")])
def test_trying_again_counts_as_a_question(bot: BotInside, user: str, place: str) -> None:
    """Three questions in five minutes are one and two "Try again"; the third leaves the answer and says why."""
    slack = bot.slack
    channel = slack.dm(user) if place == "direct" else "C1"
    if place == "command":
        slack.command(user, channel, "/clippings", MILL)
        slack.wait(lambda: len(ephemeral(slack, user)) == 1)
        answer = ephemeral(slack, user)[0].ts
    else:
        ts = slack.say(user, channel, f"<@UBOT> {MILL}")
        answer = answered(slack, channel, ts)[0].ts
    for presses in (1, 2, 3):
        slack.wait(lambda: bot.logged().count(f"user={user} attempt=") == presses)  # noqa: B023  # waited for at once
        slack.click(user, answer, "Try again")
    slack.wait(lambda: refused(slack, user), 10)
    slack.settle()
    assert refused(slack, user) == [LIMIT]
    kept = slack.workspace.find(channel, answer)
    assert kept is not None
    assert "140 of its 560 jobs" in str(kept.to_dict()["blocks"])


def refused(slack: FakeSlack, user: str) -> list[str]:
    """The refusals that a person alone sees, in any channel and thread."""
    seen = slack._seen([message for message in slack.workspace.messages if message.ephemeral_to == user])
    return [message.text for message in seen if "Please try again in a few minutes" in message.text]


def test_an_answer_is_shared_once_and_by_its_asker(slack: FakeSlack) -> None:
    """Three presses at once post one message; another person's press posts none."""
    slack.command("U6", "C1", "/clippings", MILL)
    slack.wait(lambda: len(ephemeral(slack, "U6")) == 1)
    private, before = ephemeral(slack, "U6")[0], len(slack.channel("C1", "U8"))
    slack.click("U7", private.ts, "Share with the channel")
    assert modal(slack, "U7") == [NOT_YOURS]
    with slack.workspace.lock:  # before the first press takes the button away
        for _ in range(3):
            slack.click("U6", private.ts, "Share with the channel")
    assert modal(slack, "U6") == ["This answer has been shared already."]
    slack.wait(lambda: len(slack.channel("C1", "U8")) > before)
    slack.settle()
    assert len(slack.channel("C1", "U8")) == before + 1


def test_an_answer_that_could_not_be_shared_can_be_shared_later(slack: FakeSlack) -> None:
    """Slack refuses, the person reads so, and presses again."""
    slack.command("U8", "C1", "/clippings", MILL)
    slack.wait(lambda: len(ephemeral(slack, "U8")) == 1)
    private, before = ephemeral(slack, "U8")[0], len(slack.channel("C1", "U7"))
    slack.fault("response_url", error="no_service", status=404, times=2)
    slack.click("U8", private.ts, "Share with the channel")
    assert "Please try again" in modal(slack, "U8")[0]
    slack.click("U8", private.ts, "Share with the channel")
    slack.wait(lambda: len(slack.channel("C1", "U7")) == before + 1)
