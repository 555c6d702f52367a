"""Who may ask, where, and how often: the rules one by one, and what the real process shows to who may not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from bot.slack.access import Access, Asker, is_outsider
from bot.slack.database import Database, Question
from bot.slack.web import Slack, SlackError, make_client
from tests.fake_slack import FakeSlack
from tests.fake_slack.seen import draw_blocks
from tests.slack_process import BotProcess, answered, copied

pytestmark = pytest.mark.process(seconds=15)
MILL = "How many jobs will the Aldermoor paper mill cut?"
NOT_HERE = "I may not answer in this channel. Ask me in a direct message, or in a channel I am set up for."
NOT_YOU = "I may answer only members of this workspace. Guests and other organisations are not allowed."
NOT_NAMED = "You are not on the list of people I may answer. Ask whoever runs me to add you."


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """A workspace with Uma (U1), Ann (U2), a guest (U5) and somebody of another organisation (U6)."""
    with FakeSlack() as started:
        people(started)
        yield started


def people(slack: FakeSlack) -> None:
    """Let them join."""
    slack.add_user("U2", name="Ann")
    slack.add_user("U5", name="Gus", guest=True)
    slack.add_user("U6", name="Stu", stranger=True)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty one."""
    opened = Database(database_url)
    yield opened
    opened.close()


def asker(user: str = "U1", channel: str = "C1") -> Asker:
    """Somebody in the workspace."""
    return Asker("T1", "", user, channel)


def question(number: int, user: str, channel: str, at: float) -> Question:
    """A question that was asked at a time."""
    key = f"T1/{channel}/{number}"
    return Question(key, "T1", "", user, channel, f"{number}.0", f"{number}.0", "?", True, "", at)


def set_to(**settings: Any) -> Settings:
    """Settings of the bot."""
    return Settings.model_validate({f"slack_{name}": value for name, value in settings.items()})


@pytest.mark.parametrize(
    ("settings", "user", "channel", "expected"),
    [
        ({}, "U1", "C9", None),
        ({}, "U5", "C1", NOT_YOU),
        ({}, "U6", "DU6", NOT_YOU),
        ({"guests": True}, "U5", "C1", None),
        ({"guests": True}, "U6", "C1", None),
        ({"channels": "C1, C2"}, "U1", "C2", None),
        ({"channels": "C1"}, "U1", "C2", NOT_HERE),
        ({"channels": "C1"}, "U1", "DU1", None),
        ({"channels": "C1", "admins": "U1"}, "U1", "C2", NOT_HERE),
        ({"users": "U1"}, "U2", "C1", NOT_NAMED),
        ({"users": "U1"}, "U2", "DU2", NOT_NAMED),
        ({"users": "U1"}, "U1", "C1", None),
        ({"users": "U1", "admins": "U2"}, "U2", "C1", None),
        ({"users": "U5"}, "U5", "C1", None),
        ({"users": "U6"}, "U6", "C1", None),
        ({"users": "U1", "guests": True}, "U5", "C1", NOT_NAMED),
        ({"admins": "U5"}, "U5", "C1", NOT_YOU),
    ],
)
def test_refusal(
    settings: dict[str, Any], user: str, channel: str, expected: str | None, slack: FakeSlack, database: Database
) -> None:
    """Only who is named may ask, where somebody is; guests and strangers only if named or let in; direct anywhere."""
    access = Access(set_to(**settings), database)
    workspace = Slack(make_client(slack.bot_token, slack.api_url), "UBOT")
    assert access.refusal(asker(user, channel), workspace) == expected


def test_slack_is_asked_once_who_somebody_is(slack: FakeSlack, database: Database) -> None:
    """And a person whom Slack does not know is not let in."""
    access, workspace = Access(set_to(), database), Slack(make_client(slack.bot_token, slack.api_url), "UBOT")
    assert [access.refusal(asker(), workspace) for _ in range(3)] == [None] * 3
    assert [call.method for call in slack.calls] == ["users.info"]
    with pytest.raises(SlackError):
        access.refusal(asker("UNKNOWN"), workspace)


@pytest.mark.parametrize(
    ("user", "enterprise", "expected"),
    [
        ({"team_id": "T1"}, "", False),
        ({}, "", False),
        ({"team_id": "T1", "is_ultra_restricted": True}, "", True),
        ({"team_id": "T2"}, "", True),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}, "E1", False),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, "E1", True),
        ({"team_id": "T2", "enterprise_user": None}, "", True),
    ],
)
def test_outsider(user: dict[str, Any], enterprise: str, expected: bool) -> None:  # noqa: FBT001  # pytest's
    """A guest is one, and whoever is neither of the workspace nor of its organisation."""
    assert is_outsider(user, "T1", enterprise) == expected


def test_limits(database: Database) -> None:
    """The last question in the limit passes, the next gets a sentence; neither old ones nor later ones count."""
    access, now = Access(set_to(per_person=2, per_channel=3), database), time.time()
    for number, (user, channel, ago) in enumerate(
        [("U1", "C1", 400), ("U1", "C1", 20), ("U1", "C1", 15), ("U1", "C2", 10), ("U2", "C1", 5), ("U3", "C1", 1)]
    ):
        database.receive(question(number, user, channel, now - ago))
    assert access.limit(asker("U1", "C1"), now - 15) is None
    expected = "You can ask me 2 questions in five minutes. Please try again in a few minutes."
    assert access.limit(asker("U1", "C2"), now - 10) == expected
    assert access.limit(asker("U2", "C1"), now - 5) is None
    assert "This channel can ask me 3 questions" in str(access.limit(asker("U3", "C1"), now - 1))


# The real process


@pytest.fixture(scope="module")
def bot(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotProcess]:
    """The bot, which may answer in C1 and directly, members only, five questions each; it logs what is asked."""
    data = copied(indexed, tmp_path_factory.mktemp("access") / "data")
    rules = {"CHANNELS": "C1", "ADMINS": "U1", "PER_PERSON": "5", "LOG_TEXT": "true"}
    named = {f"CLIPPINGS_SLACK_{name}": value for name, value in rules.items()}
    with FakeSlack() as slack, BotProcess(slack, data, **named) as started:
        people(slack)
        slack.add_channel("C2", ("U1", "U2", "U5", "U6", slack.bot_user))
        yield started


def ephemeral(slack: FakeSlack, user: str, channel: str) -> list[str]:
    """What a person alone sees in a channel."""
    return [seen.text for seen in slack.channel(channel, user) if seen.ephemeral_to == user]


def test_who_is_outside_gets_a_private_sentence(bot: BotProcess) -> None:
    """For a mention, a command and a shortcut: seen by the asker alone; in a direct message it is an answer."""
    slack = bot.slack
    ts = slack.say("U1", "C2", f"<@UBOT> {MILL}")
    slack.wait(lambda: ephemeral(slack, "U1", "C2") == [NOT_HERE])
    slack.command("U2", "C2", "/clippings", MILL)
    slack.wait(lambda: ephemeral(slack, "U2", "C2") == [NOT_HERE])
    slack.shortcut("U2", "C2", ts)
    slack.wait(lambda: ephemeral(slack, "U2", "C2") == [NOT_HERE] * 2)
    slack.say("U5", "C1", f"<@UBOT> {MILL}")
    slack.wait(lambda: ephemeral(slack, "U5", "C1") == [NOT_YOU])
    slack.command("U6", "C1", "/clippings", "status")
    slack.wait(lambda: ephemeral(slack, "U6", "C1") == [NOT_YOU])
    direct = slack.dm("U5")
    assert answered(slack, direct, slack.say("U5", direct, MILL))[0].text == NOT_YOU
    slack.settle()
    for channel in ("C1", "C2"):
        assert all(seen.name != "Clippings" or seen.ephemeral_to for seen in slack.channel(channel, "U2"))
        assert slack.status(channel, ts) == ""


def test_clicks_and_pages_of_who_is_outside_show_nothing(bot: BotProcess) -> None:
    """A guest who clicks below an answer gets the sentence; the Home and the pane hold no headline."""
    slack = bot.slack
    answer = answered(slack, "C1", slack.say("U2", "C1", f"<@UBOT> {MILL}"))[0]
    for label in ("Show passage 1", "Not helpful", "Try again"):
        slack.click("U5", answer.ts, label)
        slack.wait(lambda: slack.modal("U5"))
        assert draw_blocks((slack.modal("U5") or {})["blocks"]).text == [NOT_YOU]
        slack.close("U5")
    for user in ("U2", "U5"):
        slack.dm(user)
        slack.open_home(user)
        slack.open_messages_tab(user)
    slack.wait(lambda: slack.home("U5") and slack.home("U2"))
    slack.settle()
    guest, member = (draw_blocks((slack.home(user) or {})["blocks"]) for user in ("U5", "U2"))
    assert any("Tell me about" in button for button in member.buttons)
    assert (guest.text, guest.buttons) == ([NOT_YOU], [])
    assert slack.prompts("DU2")
    assert slack.prompts("DU5") == []


def test_limit_is_told_to_the_asker_alone(bot: BotProcess) -> None:
    """The sixth question of a person in five minutes is answered with a sentence that nobody else sees."""
    slack = bot.slack
    slack.add_user("U8", name="Max")
    asked = [slack.say("U8", "C1", "<@UBOT> hello") for _ in range(6)]
    expected = "You can ask me 5 questions in five minutes. Please try again in a few minutes."
    slack.wait(lambda: expected in ephemeral(slack, "U8", "C1"))
    slack.settle()
    assert sorted(len(slack.thread("C1", ts)) for ts in asked) == [1, 2, 2, 2, 2, 2]
    direct = slack.dm("U8")
    assert answered(slack, direct, slack.say("U8", direct, "hello"))[0].text == expected


def test_only_admins_reindex(bot: BotProcess) -> None:
    """Others are told who may."""
    slack = bot.slack
    slack.command("U2", "C1", "/clippings", "reindex")
    slack.wait(lambda: any("Only the admins" in text for text in ephemeral(slack, "U2", "C1")))
    slack.command("U1", "C1", "/clippings", "reindex")
    slack.wait(lambda: any("Reindexed in" in text for text in ephemeral(slack, "U1", "C1")), 60)


def test_log_holds_the_text_where_it_was_asked_for(bot: BotProcess) -> None:
    """CLIPPINGS_SLACK_LOG_TEXT says so; tokens it never holds."""
    assert f"text='{MILL}'" in bot.logged()
    assert bot.slack.bot_token not in bot.logged()
    assert bot.slack.app_token not in bot.logged()
