"""The real bot against a fake Slack, by Socket Mode and by signed HTTP: what a person who asks gets to see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.answer import NOTHING_ELSE
from bot.models import REFUSAL
from bot.slack.database import Database, Feedback
from tests.fake_slack import FakeSlack, Seen
from tests.fake_slack.seen import draw_blocks
from tests.slack_process import MODES, BotInside, BotProcess, answered, copied, replies

pytestmark = pytest.mark.process(seconds=40)
KERMAN = "How many people were killed in the Kerman attack?"
MILL = "How many jobs will the Aldermoor paper mill cut?"
BRIDGE = "How many vehicles does Marrow Bridge carry a day?"
MOROCCO = "How many people died in the earthquake in Morocco?"
MILL_URL = "https://northgatecourier.example/business/2024/02/27/northgate-mill"


@pytest.fixture(scope="module", params=MODES)
def bot(request: pytest.FixtureRequest, indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotInside]:
    """The bot, which answers without a language model. U1 is an admin, U2 is not."""
    data = copied(indexed, tmp_path_factory.mktemp("bot") / request.param)
    with FakeSlack() as slack, BotInside(slack, data, mode=request.param, CLIPPINGS_SLACK_ADMINS="U1") as started:
        slack.add_user("U2", name="Ann")
        slack.add_user("UOTHERBOT", name="Robot", bot=True)
        yield started


@pytest.fixture
def slack(bot: BotInside) -> FakeSlack:
    """The workspace that the bot is in."""
    return bot.slack


def ask(slack: FakeSlack, text: str, channel: str = "C1", thread: str | None = None) -> Seen:
    """Ask as U1, with a mention in a channel, and return the one answer."""
    mention = "" if channel.startswith("D") else "<@UBOT> "
    ts = slack.say("U1", channel, mention + text, thread)
    return answered(slack, channel, thread or ts, after=ts)[0]


def ephemeral_messages(slack: FakeSlack, user: str = "U1", channel: str = "C1", count: int = 1) -> list[Seen]:
    """Wait until so many messages for one person alone are in a channel."""

    def private() -> list[Seen]:
        return [seen for seen in slack.channel(channel, user) if seen.ephemeral_to == user]

    slack.wait(lambda: len(private()) >= count, 60)
    slack.settle()
    assert len(private()) == count, slack.transcript()
    return private()


# Where and how people ask


@pytest.mark.parametrize("mention_first", [True, False])
def test_mention_is_answered_once_in_its_thread(slack: FakeSlack, mention_first: bool) -> None:  # noqa: FBT001  # pytest's
    """Whichever of its two events comes first; and with the sources, their links, and nothing beside the thread."""
    before = len(slack.channel("C1"))
    ts = slack.say("U1", "C1", f"<@UBOT> {MILL}", mention_first=mention_first)
    answer = answered(slack, "C1", ts)[0]
    assert "140 of its 560 jobs" in answer.text
    assert "[1]" in answer.text
    assert "Northgate Courier · 27 February 2024" in answer.text
    assert answer.links
    assert all(link.startswith("https://northgatecourier.example/") for link in answer.links)
    assert answer.buttons[-3:] == ["Helpful", "Not helpful", "Try again"]
    assert len(slack.channel("C1")) == before + 1
    slack.wait(lambda: slack.status("C1", ts) == "")


def test_redelivered_mention_is_not_answered_again(slack: FakeSlack) -> None:
    """Slack sends again what it believes was not heard."""
    ts = slack.say("U1", "C1", "<@UBOT> hello")
    answered(slack, "C1", ts)
    slack.redeliver(ts)
    answered(slack, "C1", ts)


def test_direct_message_is_answered_in_its_thread(slack: FakeSlack) -> None:
    """It needs no mention, and its question becomes the title of the thread."""
    direct = slack.dm("U1")
    ts = slack.say("U1", direct, MILL)
    assert "140 of its 560 jobs" in answered(slack, direct, ts)[0].text
    assert slack.title(direct, ts) == MILL
    slack.wait(lambda: slack.status(direct, ts) == "")


def test_agent_pane_suggests_questions_that_are_answered(slack: FakeSlack) -> None:
    """They are drawn from what is indexed."""
    slack.open_messages_tab("U1")
    direct = slack.dm("U1")
    slack.wait(lambda: slack.prompts(direct))
    prompts = slack.prompts(direct)
    assert 1 <= len(prompts) <= 4
    answer = ask(slack, prompts[0]["message"], direct)
    assert not answer.text.startswith(REFUSAL)
    assert "[1]" in answer.text


def test_assistant_pane_has_prompts_a_title_and_a_passing_status(slack: FakeSlack) -> None:
    """The status is there while it searches, and gone when the answer stands there."""
    root = slack.open_assistant("U2")
    direct = slack.dm("U2")
    slack.wait(lambda: slack.prompts(direct, root))
    slack.fault("chat.postMessage", delay=0.6)
    ts = slack.say("U2", direct, MILL, root)
    slack.wait(lambda: slack.status(direct, root))
    assert "searching" in slack.status(direct, root)
    assert "140 of its 560 jobs" in answered(slack, direct, root, after=ts)[0].text
    slack.wait(lambda: slack.status(direct, root) == "")
    assert slack.title(direct, root) == MILL


def test_command_answers_the_asker_alone_until_it_is_shared(slack: FakeSlack) -> None:
    """The button shows the channel the same answer, and who asked what."""
    slack.add_channel("CCOMMAND", ("U1", "U2", "UBOT"))
    slack.command("U1", "CCOMMAND", "/clippings", MILL)
    private = ephemeral_messages(slack, channel="CCOMMAND")[0]
    assert "140 of its 560 jobs" in private.text
    assert slack.channel("CCOMMAND", "U2") == []
    slack.click("U1", private.ts, "Share with the channel")
    slack.wait(lambda: slack.channel("CCOMMAND", "U2"))
    shared = slack.channel("CCOMMAND", "U2")[0]
    assert f"@U1 asked: {MILL}" in shared.text
    assert "140 of its 560 jobs" in shared.text
    assert shared.links == private.links


def test_shortcut_answers_about_a_message_to_who_chose_it(slack: FakeSlack) -> None:
    """“Ask about this message”, on what somebody else said."""
    slack.add_channel("CSHORTCUT", ("U1", "U2", "UBOT"))
    ts = slack.say("U1", "CSHORTCUT", MILL)
    slack.shortcut("U2", "CSHORTCUT", ts)
    assert "140 of its 560 jobs" in ephemeral_messages(slack, "U2", "CSHORTCUT")[0].text
    assert replies(slack, "CSHORTCUT", ts) == []


@pytest.mark.parametrize("mode", MODES)
def test_follow_up_needs_no_mention_and_survives_a_restart(mode: str, indexed: Path, tmp_path: Path) -> None:
    """What was said before is read from the thread itself."""
    data = copied(indexed, tmp_path / "data")
    with FakeSlack() as slack, BotProcess(slack, data, mode=mode) as process:
        slack.add_user("U2", name="Ann")
        root = slack.say("U1", "C1", f"<@UBOT> {KERMAN}")
        answered(slack, "C1", root)
        first = slack.say("U1", "C1", "and who claimed it?", root)
        assert "Kerman" in answered(slack, "C1", root, after=first)[0].text
        process.restart()
        second = slack.say("U2", "C1", "and where was it?", root)
        assert "Kerman" in answered(slack, "C1", root, after=second)[0].text


def test_silence_where_nobody_asked_the_bot(slack: FakeSlack) -> None:
    """A remark in a channel, a thread that it is not in, and words to another person in a thread that it is in."""
    asked = slack.say("U1", "C1", "<@UBOT> hello")
    answered(slack, "C1", asked)
    slack.say("U1", "C1", "<@U2> is that so?", asked)
    remark = slack.say("U1", "C1", KERMAN)
    slack.say("U2", "C1", MILL, remark)
    answered(slack, "C1", asked)
    assert replies(slack, "C1", remark) == []


def test_silence_while_people_talk_to_each_other(slack: FakeSlack) -> None:
    """In a thread that it is in, thanks, statements, names and groups are for others; a plain question is for it."""
    root = slack.say("U1", "C1", "<@UBOT> hello")
    answered(slack, "C1", root)
    for text in (
        "thanks",
        "ok, that settles it",
        "<!here> who has the file?",
        "Ann, is it in?",
        "I would lead with the mill.",
        "can you check the photo?",
    ):
        slack.say("U2", "C1", text, root)
    answered(slack, "C1", root)
    asked = slack.say("U2", "C1", MILL, root)
    assert "140 of its 560 jobs" in answered(slack, "C1", root, after=asked)[0].text


def test_forwarded_or_quoted_statement_is_judged(slack: FakeSlack) -> None:
    """“Is this true?” is about the message that is forwarded, or the line that is quoted, above the question."""
    statement = "The Aldermoor paper mill will cut 140 of its 560 jobs"
    shared = slack.say("U1", "C1", "<@UBOT> is this true?", forwarded=f"{statement}.")
    quoted = slack.say("U1", "C1", f"&gt; {statement}\n is that right? <@UBOT>")
    for ts in (shared, quoted):
        assert "140 of its 560 jobs" in answered(slack, "C1", ts)[0].text


def test_mention_below_a_question_asks_it(slack: FakeSlack) -> None:
    """Also where the question is another's message, and the mention has no words of its own."""
    same = slack.say("U1", "C1", f"{MILL}\n<@UBOT>")
    assert "140 of its 560 jobs" in answered(slack, "C1", same)[0].text
    root = slack.say("U2", "C1", MILL)
    mention = slack.say("U1", "C1", "<@UBOT>", root)
    assert "140 of its 560 jobs" in answered(slack, "C1", root, after=mention)[0].text


def test_bots_edits_deletions_and_joins_are_not_answered(slack: FakeSlack) -> None:
    """So two bots cannot start a loop."""
    asked = slack.say("U1", "C1", "<@UBOT> hello")
    answered(slack, "C1", asked)
    robot = slack.say("UOTHERBOT", "C1", "<@UBOT> hello")
    slack.say("UOTHERBOT", "C1", "hello", asked)
    joined = slack.join("U2", "C1")
    slack.edit(asked, "<@UBOT> hello!")
    deleted = slack.say("U1", "C1", "hello")
    slack.delete(deleted)
    answered(slack, "C1", asked)
    assert replies(slack, "C1", robot) == replies(slack, "C1", joined) == replies(slack, "C1", deleted) == []


def test_long_thread_is_read_to_its_last_page_and_says_what_was_left_out(slack: FakeSlack) -> None:
    """More than 200 replies come in pages; the last turns count, and that earlier ones do not is said."""
    root = slack.say("U1", "C1", "<@UBOT> hello")
    answered(slack, "C1", root)
    for number in range(205):
        slack.say("U1", "C1", f"remark {number}", root, deliver=number == 204)
    slack.settle()  # the last remark was heard
    slack.say("U1", "C1", KERMAN, root, deliver=False)
    answer = ask(slack, "and who claimed it?", thread=root)
    assert "Kerman" in answer.text
    assert "This thread is long" in answer.text


def test_help_and_status_are_told_as_message_and_as_command(slack: FakeSlack) -> None:
    """Help of the ways to ask, status of what is indexed."""
    slack.add_channel("CHELP", ("U2", "UBOT"))
    assert "/clippings" in ask(slack, "help").text
    assert "Articles: 47" in ask(slack, "Status").text
    slack.command("U2", "CHELP", "/clippings", "help")
    assert "/clippings" in ephemeral_messages(slack, "U2", "CHELP")[0].text
    slack.command("U2", "CHELP", "/clippings", "status")
    assert "Articles: 47" in ephemeral_messages(slack, "U2", "CHELP", 2)[1].text


def test_reindex_is_for_admins(slack: FakeSlack) -> None:
    """It says what was done; to anybody else it says that it may not, and does nothing."""
    asked = slack.say("U1", "C1", "<@UBOT> reindex")
    slack.wait(lambda: "Reindexed in" in slack.thread("C1", asked)[-1].text, 60)
    answered(slack, "C1", asked)
    ts = slack.say("U2", slack.dm("U2"), "reindex")
    assert "Only the admins" in answered(slack, slack.dm("U2"), ts)[0].text
    slack.add_channel("CREINDEX", ("U1", "UBOT"))
    slack.command("U1", "CREINDEX", "/clippings", "reindex")
    slack.wait(lambda: "Reindexed in" in str([seen.text for seen in slack.channel("CREINDEX")]), 60)


# What an answer looks like


def test_passage_opens_the_quote_inside_its_paragraph(slack: FakeSlack) -> None:
    """In a modal that names the article."""
    answer = ask(slack, BRIDGE)
    slack.click("U1", answer.ts, "Show passage 1")
    slack.wait(lambda: slack.modal("U1"))
    view = slack.modal("U1")
    assert view is not None
    slack.close("U1")
    text = "\n".join(draw_blocks(view["blocks"]).text)
    quote = answer.text.split("“")[1].split("”")[0]
    assert quote in " ".join(text.split())
    assert "Drivers now face a detour" in text.replace(quote, "")
    assert "Valley Echo · 4 March 2024" in text


def test_feedback_is_one_row_that_a_new_click_replaces(bot: BotInside, slack: FakeSlack) -> None:
    """First helpful; then not, with the reason."""

    def given() -> list[Feedback]:
        with closing(Database.in_folder(bot.data, make=False)) as database:
            return [one for one in database.feedback() if answer.ts > asked and one.key.endswith(asked)]

    asked = slack.say("U1", "C1", f"<@UBOT> {MILL}")
    answer = answered(slack, "C1", asked)[0]
    slack.click("U1", answer.ts, "Helpful")
    slack.wait(lambda: [one.helpful for one in given()] == [True])
    slack.click("U1", answer.ts, "Not helpful")
    slack.wait(lambda: slack.modal("U1"))
    slack.submit("U1", {"reason": {"reason": "It is about 2023."}})
    slack.wait(lambda: [(one.helpful, one.reason) for one in given()] == [(False, "It is about 2023.")])
    assert given()[0].answer["question"] == MILL
    slack.wait(lambda: slack.modal("U1") is None)


def test_try_again_replaces_the_answer_in_its_place(slack: FakeSlack) -> None:
    """No second answer, and no status that stays. The articles have no other answer, and it says so."""
    answer = ask(slack, MILL)
    slack.click("U1", answer.ts, "Try again")
    root = str(answer.raw["thread_ts"])
    slack.wait(lambda: replies(slack, "C1", root)[0].raw.get("edited"), 60)
    again = answered(slack, "C1", root)[0]
    assert (again.ts, again.buttons) == (answer.ts, answer.buttons)
    assert again.text.replace(f"\n{NOTHING_ELSE}", "") == answer.text != again.text
    slack.wait(lambda: slack.status("C1", root) == "")


def test_try_again_replaces_a_private_answer(slack: FakeSlack) -> None:
    """Through the address that the click brings along."""
    slack.add_channel("CAGAIN", ("U1", "UBOT"))
    slack.command("U1", "CAGAIN", "/clippings", MILL)
    private = ephemeral_messages(slack, channel="CAGAIN")[0]
    slack.click("U1", private.ts, "Try again")
    slack.wait(
        lambda: [call for call in slack.calls if call.method == "response_url"][-1].arguments["replace_original"]
    )
    again = ephemeral_messages(slack, channel="CAGAIN")[0].text
    assert again.replace(f"\n{NOTHING_ELSE}", "") == private.text != again


def test_refusal_offers_the_nearest_headlines_and_no_sources(slack: FakeSlack) -> None:
    """It says that the articles do not say, and why."""
    answer = ask(slack, MOROCCO)
    assert answer.text.startswith(f"{REFUSAL}\nNo article that comes near mentions Morocco.")
    assert len([line for line in answer.text.splitlines() if line.startswith("• ")]) == 3
    assert "[1]" not in answer.text
    assert not any(label.startswith("Show passage") for label in answer.buttons)


def test_greeting_gets_a_greeting_without_sources(slack: FakeSlack) -> None:
    """Nor has it buttons."""
    answer = ask(slack, "Good morning!", slack.dm("U1"))
    assert answer.text.startswith("Hello!")
    assert (answer.links, answer.buttons) == ([], [])


def test_home_says_what_is_known_and_an_example_can_be_asked(slack: FakeSlack) -> None:
    """The example stands in the direct conversation, with its answer below it."""
    slack.open_home("U1")
    slack.wait(lambda: slack.home("U1"))
    home = slack.home("U1")
    assert home is not None
    drawn = draw_blocks(home["blocks"])
    assert "Articles: 47" in "\n".join(drawn.text)
    slack.click("U1", None, drawn.buttons[0])
    direct = slack.dm("U1")

    def asked() -> list[Seen]:
        return [seen for seen in slack.channel(direct) if seen.user == "UBOT" and seen.text.startswith("Tell me about")]

    slack.wait(asked)
    assert "[1]" in answered(slack, direct, asked()[0].ts)[0].text


def test_nothing_was_answered_twice(slack: FakeSlack) -> None:
    """In all that was asked above."""
    slack.settle()
    said = [message.metadata["event_payload"] for message in slack.workspace.messages if message.metadata]
    assert len(said) > 10
    assert [part for part in said if said.count(part) > 1] == []


def test_nobody_was_pinged_and_everything_was_acknowledged_in_time(slack: FakeSlack) -> None:
    """In all that was said above but the mention of who asked, in what was shared, and of the bot, in its help."""
    slack.settle()
    assert {ping for ping in slack.pings() if "U1" not in ping and "UBOT" not in ping} == set()
    assert [ack for ack in slack.acks if ack.seconds is None or ack.seconds > slack.redeliver_after] == []
