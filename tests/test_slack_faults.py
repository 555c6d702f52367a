"""Never silent, never twice: faults of Slack, of the language model, of the index and of the bot, on the wire."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from index.storage.generation import locked
from tests.corpus import prose, write
from tests.fake_slack import FakeSlack, Seen
from tests.fakes.openai_server import OpenAIServer, Reply
from tests.forked import Forked
from tests.slack_process import ARTICLES, MODES, Bot, BotInside, BotProcess, answered, copied, make_index, replies

pytestmark = pytest.mark.process(seconds=90)
COUNCIL = "What did the council decide to repair before winter?"
INSIDE = pytest.mark.parametrize("bot", ["inside"], indirect=True)
"""For what is the same by Socket Mode and by HTTP, and does not end the process: the service in this one."""
MILL = "How many jobs will the Aldermoor paper mill cut?"
MILL_FILE = ARTICLES / "northgate-courier.jsonl"
INTERNAL = re.compile(
    r"Traceback|Exception|Error\b|\.py\b|/tmp|/root|sqlite|chroma|onnx|clippings_|\bNone\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def llm() -> Iterator[OpenAIServer]:
    """A scripted language model."""
    with OpenAIServer() as server:
        yield server


@pytest.fixture(scope="module")
def indexed(indexed: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the project's articles and a long one, from which much can be written."""
    folder = tmp_path_factory.mktemp("articles")
    outlet = "The Courier of Carrow, Dunwick, Easterby, Fernhollow, Greyford and Hartmoor"
    write(folder, "council", prose(40), headline="What the council repairs", outlet=outlet)
    return make_index(copied(indexed, tmp_path_factory.mktemp("indexed") / "data"), weights, folder)


@pytest.fixture(scope="module", params=MODES)
def bot(
    request: pytest.FixtureRequest, indexed: Path, llm: OpenAIServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bot]:
    """The bot, which answers with the language model."""
    data = copied(indexed, tmp_path_factory.mktemp("bot") / request.param)
    model = {"CLIPPINGS_LLM": f"openai-like:{llm.url}#fake", "CLIPPINGS_LLM_TIMEOUT": "60"}
    inside = request.param == "inside"
    with FakeSlack() as slack:
        bot = BotInside(slack, data, **model) if inside else BotProcess(slack, data, mode=request.param, **model)
        with bot as started:
            yield started


@pytest.fixture
def slack(bot: Bot, llm: OpenAIServer) -> Iterator[FakeSlack]:
    """The workspace that the bot is in. What a test scripted and nobody asked for is gone after it."""
    yield bot.slack
    bot.slack.api.faults.clear()
    llm.replies.clear()
    assert [seen.text for seen in everything(bot.slack) if INTERNAL.search(seen.text)] == []


@pytest.fixture(scope="module")
def sentences(bot: Bot, llm: OpenAIServer) -> list[str]:
    """What a language model can write so that the passages support it: sentences, each with the passage it cites."""
    slack = bot.slack
    llm.script(Reply.of("In Carrow the council decided to repair the old library before winter [1]."))
    answered(slack, "C1", slack.say("U1", "C1", f"<@UBOT> {COUNCIL}"))
    found = []
    for number, lines in re.findall(
        r"^\[(\d+)\]\n((?:\|.*\n)+)", llm.requests[-1].messages[-1]["content"], re.MULTILINE
    ):
        text = " ".join(line for line in re.findall(r"^\| (.*)$", lines, re.MULTILINE) if line.startswith("In "))
        found += [f"{sentence.rstrip('.')} [{number}]. " for sentence in re.split(r"(?<=\.) ", text) if sentence]
    assert len(found) > 20
    return found


def everything(slack: FakeSlack) -> list[Seen]:
    """All that the bot has said in the workspace."""
    channels = list(slack.workspace.channels)
    roots = {(channel, message.ts) for channel in channels for message in slack.channel(channel)}
    return [seen for channel, root in roots for seen in slack.thread(channel, root) if seen.user == slack.bot_user]


def ask(slack: FakeSlack, text: str, user: str = "U1") -> str:
    """Mention the bot in a channel."""
    return slack.say(user, "C1", f"<@UBOT> {text}")


def assert_whole(answer: Sequence[Seen], sentences: Sequence[str]) -> None:
    """All sentences are there once and in order, and below them their source, once, with the quote of each."""
    text = "\n".join(seen.text for seen in answer)
    bodies = [sentence.partition(" [")[0] for sentence in sentences]
    assert [text.count(f"{body} [") for body in bodies] == [1] * len(bodies)
    places = [text.index(f"{body} [") for body in bodies]
    assert places == sorted(places)
    sources = [int(number) for number in re.findall(r"^\[(\d+)\] What the council repairs", text, re.MULTILINE)]
    assert sources == [1]
    assert all(f"“{body}.”" in text for body in bodies)
    buttons = [label for seen in answer for label in seen.buttons]
    assert [label for label in buttons if label.startswith("Show passage")] == ["Show passage 1"]
    assert buttons[-3:] == ["Helpful", "Not helpful", "Try again"]


def assert_quiet(slack: FakeSlack, root: str) -> None:
    """Nothing is said to be under way any more."""
    slack.wait(lambda: slack.status("C1", root) == "")
    assert not any(seen.streaming for seen in slack.thread("C1", root))


# A streamed answer


@INSIDE
def test_answer_is_seen_growing(slack: FakeSlack, llm: OpenAIServer, sentences: list[str]) -> None:
    """Each state is the beginning of the next; in the end it stands there with its sources."""
    llm.script(Reply.of(*sentences[:6], pause=0.35))
    root = ask(slack, COUNCIL)
    states: list[str] = []

    def done() -> bool:
        said = replies(slack, "C1", root)
        if said and said[0].streaming and said[0].text not in states:
            states.append(said[0].text)
        return bool(said and said[0].raw.get("metadata"))

    slack.wait(done, 60)
    assert len(states) > 1
    assert all(later.startswith(earlier) for earlier, later in pairwise(states))
    assert_whole(answered(slack, "C1", root), sentences[:6])
    assert_quiet(slack, root)


@INSIDE
def test_long_answer_with_many_quotes_is_divided_and_nothing_is_lost(
    slack: FakeSlack, llm: OpenAIServer, sentences: list[str]
) -> None:
    """Streamed in one message, it ends in several."""
    llm.script(Reply.of(*sentences[:17], pause=0.01))
    root = ask(slack, COUNCIL)
    slack.wait(lambda: len(replies(slack, "C1", root)) > 1, 60)
    slack.settle()
    said = replies(slack, "C1", root)
    assert_whole(said, sentences[:17])
    assert_quiet(slack, root)


STREAM_FAULTS: dict[str, list[dict[str, object]]] = {
    "full": [{"method": "chat.appendStream", "error": "msg_too_long"}],
    "429": [{"method": "chat.appendStream", "status": 429, "retry_after": 1}],
    "500": [{"method": "chat.appendStream", "status": 500}],
    "500 after its effect": [{"method": "chat.appendStream", "status": 500, "after_effect": True}],
    "cut": [{"method": "chat.appendStream", "status": 0}],
    "append refused": [{"method": "chat.appendStream", "error": "restricted_action"}],
    "begun, and a fault": [{"method": "chat.startStream", "status": 500, "after_effect": True}],
    "begun, and cut": [{"method": "chat.startStream", "status": 0, "after_effect": True}],
    "refused": [{"method": "chat.startStream", "error": "channel_type_not_supported"}],
    "stop refused": [{"method": "chat.stopStream", "error": "restricted_action"}],
    "stop cut": [{"method": "chat.stopStream", "status": 0, "after_effect": True}],
    "whole refused": [{"method": "chat.update", "error": "msg_too_long"}],
    "whole, and a fault": [{"method": "chat.update", "status": 500, "after_effect": True}],
    "whole, its blocks refused": [{"method": "chat.update", "error": "invalid_blocks"}],
}


@INSIDE
@pytest.mark.parametrize("faults", STREAM_FAULTS.values(), ids=STREAM_FAULTS)
def test_fault_in_a_stream_loses_and_doubles_nothing(
    bot: Bot, slack: FakeSlack, llm: OpenAIServer, sentences: list[str], faults: list[dict[str, object]]
) -> None:
    """In the end the whole answer stands there once."""
    for fault in faults:
        slack.fault(**fault)  # type: ignore[arg-type]  # a table of keywords
    llm.script(Reply.of(*sentences[:4], pause=0.3))
    root = ask(slack, COUNCIL)
    bot.finish(root)
    answer = answered(slack, "C1", root)
    if faults[0].get("error") == "invalid_blocks":
        assert_holds_everything(answer[0], sentences[:4])
    else:
        assert_whole(answer, sentences[:4])
    assert_quiet(slack, root)
    assert not any(slack.api.faults.values())


@INSIDE
def test_expired_stream_is_carried_on(slack: FakeSlack, llm: OpenAIServer, sentences: list[str]) -> None:
    """As Slack ends each after some minutes."""
    llm.script(Reply.of(*sentences[:6], pause=0.3))
    root = ask(slack, COUNCIL)
    slack.wait(lambda: any(seen.streaming for seen in replies(slack, "C1", root)), 60)
    slack.expire_streams()
    assert_whole(answered(slack, "C1", root), sentences[:6])
    assert_quiet(slack, root)


def assert_holds_everything(seen: Seen, sentences: Sequence[str]) -> None:
    """A message without blocks has the answer and the sources in its text."""
    assert not seen.raw.get("blocks")
    text = seen.text.replace("\u2060", "")
    assert text.count("[1] What the council repairs · The Courier") == 1
    for sentence in sentences:
        body = sentence.partition(" [")[0]
        assert text.count(f"{body} [1].") == 1
        assert f"“{body}.”" in text


# A posted answer

POST_FAULTS: dict[str, dict[str, object]] = {
    "500": {"status": 500},
    "500 after its effect": {"status": 500, "after_effect": True},
    "internal_error after its effect": {"error": "internal_error", "after_effect": True},
    "cut": {"status": 0},
    "cut after its effect": {"status": 0, "after_effect": True},
    "slow": {"delay": 1.0},
    "429": {"status": 429, "retry_after": 1},
}


@INSIDE
@pytest.mark.parametrize("fault", POST_FAULTS.values(), ids=POST_FAULTS)
def test_fault_of_posting_is_survived_with_one_answer(bot: Bot, slack: FakeSlack, fault: dict[str, object]) -> None:
    """Whether the call that failed had its effect or not."""
    slack.fault("chat.postMessage", **fault)  # type: ignore[arg-type]  # a table of keywords
    root = ask(slack, "hello")
    bot.finish(root)
    assert answered(slack, "C1", root)[0].text.startswith("Hello!")
    assert not any(slack.api.faults.values())
    assert_quiet(slack, root)


@INSIDE
def test_rate_limit_is_waited_out(slack: FakeSlack) -> None:
    """For as long as Slack says."""
    slack.fault("chat.postMessage", status=429, retry_after=2)
    answered(slack, "C1", ask(slack, "hello"))
    first, second = [call.at for call in slack.calls if call.method == "chat.postMessage"][-2:]
    assert second - first >= 2


@INSIDE
def test_blocks_that_slack_refuses_are_sent_as_text(slack: FakeSlack, llm: OpenAIServer) -> None:
    """The text holds all of it: answer, source, and its quote."""
    llm.script(Reply(status=500))  # so that it is quoted, and posted
    slack.fault("chat.postMessage", error="invalid_blocks")
    text = answered(slack, "C1", ask(slack, MILL))[0].text.replace("\u2060", "")
    assert text.count("140 of its 560 jobs") == 2
    assert "[1] Paper mill in Aldermoor to cut a quarter of its jobs · Northgate Courier · 27 February 2024" in text


@INSIDE
@pytest.mark.parametrize("method", ["users.info", "conversations.replies", "assistant.threads.setStatus"])
def test_fault_of_another_call_does_not_keep_the_answer_away(slack: FakeSlack, method: str) -> None:
    """Those that come before the answer."""
    user = slack.add_user(f"UFAULT{len(slack.calls)}", name="Ann")
    root = ask(slack, "hello", user)
    answered(slack, "C1", root)
    slack.api.calls.clear()
    slack.fault(method, status=500)
    second = ask(slack, "hello", slack.add_user(f"U2FAULT{len(slack.calls)}", name="Bea"))
    third = slack.say(user, "C1", "and when does it open?", root)
    answered(slack, "C1", second)
    answered(slack, "C1", root, after=third)
    assert_quiet(slack, root)


@INSIDE
def test_refused_call_is_told_to_who_asked(slack: FakeSlack) -> None:
    """Where it cannot be known who asks, that is said, with a way to try again."""
    user = slack.add_user("UUNKNOWN", name="Cyd")
    slack.fault("users.info", error="missing_scope")
    root = ask(slack, "hello", user)
    told = answered(slack, "C1", root)[0]
    assert "try again" in told.text
    slack.click(user, told.ts, "Try again")
    slack.wait(lambda: replies(slack, "C1", root)[0].text.startswith("Hello!"))


def test_command_is_answered_when_its_address_fails_at_first(slack: FakeSlack) -> None:
    """Answers to one person alone go another way, with faults of its own."""
    slack.add_channel("CADDRESS", ("U1", "UBOT"))
    faults: list[dict[str, int]] = [{"status": 500}, {"status": 429, "retry_after": 1}, {"status": 0}]
    for fault in faults:
        before = len(slack.channel("CADDRESS"))
        slack.fault("response_url", **fault)  # type: ignore[arg-type]  # a table of keywords
        slack.command("U1", "CADDRESS", "/clippings", "hello")
        slack.wait(lambda: len(slack.channel("CADDRESS")) > before)  # noqa: B023  # waited for at once
    slack.settle()
    assert len(slack.channel("CADDRESS")) == 3


def test_lost_and_changed_connections_lose_nothing(slack: FakeSlack) -> None:
    """Sockets that are cut, and those that Slack asks to come again; over HTTP there are none."""
    roots = []
    for cut in (slack.drop_sockets, slack.disconnect_sockets, slack.drop_sockets):
        roots.append(ask(slack, "hello"))
        cut()
        roots.append(ask(slack, "hello"))
    for root in roots:
        answered(slack, "C1", root)


@INSIDE
def test_slack_out_of_reach_for_some_seconds(slack: FakeSlack) -> None:
    """When all calls fail for longer than one is retried, the question is taken up again later."""
    slack.fault("chat.postMessage", status=503, times=4)
    root = ask(slack, "hello")
    slack.wait(lambda: not any(slack.api.faults.values()), 60)
    assert slack.status("C1", root) == "" or replies(slack, "C1", root) == []
    assert answered(slack, "C1", root, timeout=60)[0].text.startswith("Hello!")
    assert_quiet(slack, root)


# The language model

MODEL_FAULTS = {
    "down": Reply(status=503),
    "refuses": Reply(status=401),
    "garbage": Reply(raw=b"\x00\xff no JSON at all\n\n"),
    "breaks off": Reply.of("The Aldermoor paper", cut="rudely"),
    "supported by nothing": Reply.of("The mill will hire 900 people in Berlin [1]."),
}


@INSIDE
@pytest.mark.parametrize("reply", MODEL_FAULTS.values(), ids=MODEL_FAULTS)
def test_fault_of_the_language_model_ends_in_a_quoted_answer(slack: FakeSlack, llm: OpenAIServer, reply: Reply) -> None:
    """With a line that says why, in plain words."""
    llm.script(reply)
    root = ask(slack, MILL)
    answer = answered(slack, "C1", root)[0]
    assert "140 of its 560 jobs" in answer.text
    assert "The answer is quoted instead." in answer.text
    assert answer.buttons[0] == "Show passage 1"
    assert_quiet(slack, root)


@INSIDE
def test_model_that_breaks_off_in_a_stream_leaves_one_answer(
    slack: FakeSlack, llm: OpenAIServer, sentences: list[str]
) -> None:
    """What was checked of its words stays, and a line says that it broke off."""
    llm.script(Reply.of(*sentences[:4], pause=0.3, cut="rudely"))
    root = ask(slack, COUNCIL)
    slack.wait(lambda: replies(slack, "C1", root), 60)
    text = answered(slack, "C1", root)[0].text
    assert "130 pounds [1]" in text
    assert "broke off in the middle of its reply. What it had written until then is shown." in text
    assert_quiet(slack, root)


# The end of the process


def test_killed_while_an_answer_is_streamed(
    bot: BotProcess, slack: FakeSlack, llm: OpenAIServer, sentences: list[str]
) -> None:
    """The next process makes one whole answer of it, and then answers what waited behind it and was not begun."""
    llm.script(Reply.of(*sentences, pause=0.3), Reply.of(*sentences[:3]))
    root = ask(slack, COUNCIL)
    slack.wait(lambda: any(seen.streaming for seen in replies(slack, "C1", root)), 60)
    waiting = slack.say("U1", "C1", "<@UBOT> hello", root)
    slack.wait(lambda: not slack.delivery.pending)
    bot.restart()
    answered(slack, "C1", root, count=2)
    first, second = replies(slack, "C1", root)
    assert first.ts < second.ts
    assert_whole([first], sentences[:3])
    assert second.text.startswith("Hello!")
    assert second.raw["metadata"]["event_payload"]["key"].endswith(waiting)
    assert_quiet(slack, root)


@pytest.mark.parametrize(("method", "question"), [("chat.postMessage", "hello"), ("chat.update", COUNCIL)])
def test_killed_when_the_answer_has_just_been_posted(
    bot: BotProcess, slack: FakeSlack, llm: OpenAIServer, sentences: list[str], method: str, question: str
) -> None:
    """It is not answered twice, though the process did not live to note that it was."""
    llm.script(Reply.of(*sentences[:3]), Reply.of(*sentences[:3]))
    slack.fault(method, status=500, after_effect=True)
    root = ask(slack, question)
    slack.wait(lambda: any(seen.raw.get("metadata") for seen in replies(slack, "C1", root)), 60)
    bot.kill()
    slack.api.faults.clear()
    bot.start()
    slack.wait(lambda: re.search(f"answered before key=T1/C1/{root} .*attempt=2", bot.logged()))
    answered(slack, "C1", root)
    assert_quiet(slack, root)
    slack.say("U1", "C1", "tell me more", root)  # without a mention, for the bot takes part here
    answered(slack, "C1", root, count=2)


def test_ended_in_order_while_an_answer_is_streamed(
    bot: BotProcess, slack: FakeSlack, llm: OpenAIServer, sentences: list[str]
) -> None:
    """It finishes that, and leaves what comes meanwhile to the next process."""
    llm.script(Reply.of(*sentences[:4], pause=0.3))
    root = ask(slack, COUNCIL)
    slack.wait(lambda: replies(slack, "C1", root), 60)
    bot.terminate()
    assert_whole(replies(slack, "C1", root), sentences[:4])
    later = ask(slack, "hello")
    bot.start()
    answered(slack, "C1", later)
    assert_whole(answered(slack, "C1", root), sentences[:4])


# The index


@pytest.fixture(scope="module")
def bare(llm: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotProcess]:
    """The bot with nothing indexed. U1 is an admin."""
    model = {"CLIPPINGS_LLM": f"openai-like:{llm.url}#fake"}
    data = tmp_path_factory.mktemp("bare") / "data"
    with FakeSlack() as slack, BotProcess(slack, data, CLIPPINGS_SLACK_ADMINS="U1", **model) as started:
        yield started


def indexing(bot: BotProcess, path: Path) -> Forked:
    """Index as it is done beside a running bot: in another process."""
    command, folder = ["--data", str(bot.data), "index", str(path)], bot.data.parent
    return Forked(command, env=bot._environment(), cwd=folder, log=folder / "index.log")


def told(bot: BotProcess, question: str) -> tuple[Seen, str]:
    """The one reply to a question, and its thread."""
    slack = bot.slack
    root = ask(slack, question)
    bot.finish(root)
    reply = answered(slack, "C1", root)[0]
    assert not INTERNAL.search(reply.text)
    assert_quiet(slack, root)
    return reply, root


def test_index_missing_made_under_way_and_damaged(bare: BotProcess, tmp_path: Path) -> None:
    """Each time it is told in a sentence; "try again" answers as soon as there is something to answer from."""
    slack, try_again = bare.slack, ["Try again"]
    missing, root = told(bare, MILL)
    assert (missing.text.partition(",")[0], missing.buttons) == ("No articles have been indexed yet", try_again)
    assert "No articles have been indexed yet" in told(bare, "status")[0].text
    (tmp_path / "nothing").mkdir()
    with locked(bare.data):
        assert "being indexed already" in told(bare, "reindex")[0].text
    assert indexing(bare, MILL_FILE).wait(120) == 0
    slack.click("U1", missing.ts, "Try again")
    slack.wait(lambda: "140 of its 560 jobs" in replies(slack, "C1", root)[0].text, 60)
    answered(slack, "C1", root)
    with locked(bare.data):
        assert "140 of its 560 jobs" in told(bare, MILL)[0].text


def test_questions_are_answered_while_the_articles_are_indexed(bare: BotProcess, tmp_path: Path) -> None:
    """From the old index or the new one."""
    write(tmp_path, "council", prose(200), headline="What the council repairs")
    process, questions = indexing(bare, tmp_path), 0
    while process.poll() is None:
        assert "140 of its 560 jobs" in told(bare, MILL)[0].text
        questions += 1
    assert process.poll() == 0
    assert questions > 1


def test_killed_while_the_articles_are_indexed(bare: BotProcess) -> None:
    """The message that showed the progress says in the end what was done, though by another process."""
    slack = bare.slack
    slack.fault("chat.update", status=500)  # so that the end of it cannot be shown at once
    root = ask(slack, "reindex")
    slack.wait(lambda: any(call.method == "chat.update" for call in slack.calls[-1:]), 60)
    assert replies(slack, "C1", root)[0].text == "Reindexing…"
    bare.restart()
    slack.wait(lambda: "Reindexed in" in replies(slack, "C1", root)[0].text, 60)
    answered(slack, "C1", root)


def test_vectors_removed_is_told_and_indexing_again_repairs_it(bare: BotProcess) -> None:
    """An error that is nobody's question ends in a plain sentence, with a way to try again."""
    slack = bare.slack
    bare.kill()
    for vectors in bare.data.glob("**/vectors"):
        shutil.rmtree(vectors)
    bare.start()
    broken, root = told(bare, MILL)
    assert broken.buttons == ["Try again"]
    assert "articles" in broken.text
    assert indexing(bare, MILL_FILE).wait(120) == 0
    slack.click("U1", broken.ts, "Try again")
    slack.wait(lambda: "140 of its 560 jobs" in replies(slack, "C1", root)[0].text, 60)
