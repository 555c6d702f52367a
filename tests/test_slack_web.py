"""Calls of the Web API against the fake Slack, with faults: each ends well, once, or says why."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from bot.slack.blocks import Message, answer_messages, plain_message
from bot.slack.web import Posted, Slack, SlackError, make_client, respond_to
from tests.fake_slack import FakeSlack
from tests.fakes.examples import ANSWER

HELLO = plain_message("Hello <!channel> & *all*")


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A workspace."""
    with FakeSlack() as started:
        yield started


@pytest.fixture
def slack(fake: FakeSlack) -> Slack:
    """As the bot sees it."""
    return Slack(make_client(fake.bot_token, fake.api_url), fake.bot_user)


@pytest.fixture
def root(fake: FakeSlack) -> str:
    """A message to answer."""
    return fake.say("U1", "C1", "hello?", deliver=False)


def post(slack: Slack, root: str, message: Message = HELLO, part: int = 0) -> str:
    """Post a part of an answer."""
    return slack.post("C1", root, message, Posted("", "k", part, 2))


def said(fake: FakeSlack, root: str) -> list[str]:
    """What the bot said in the thread, without the invisible characters that keep a text from being laid out."""
    found = [seen.text for seen in fake.thread("C1", root) if seen.user == fake.bot_user]
    return [text.replace("\u2060", "") for text in found]


def test_post_is_found_again(fake: FakeSlack, slack: Slack, root: str) -> None:
    """A message stands in the thread once, pings nobody, and is known by its metadata as part of an answer."""
    ts = post(slack, root)
    assert said(fake, root) == ["Hello <!channel> & *all*"]
    assert fake.pings() == []
    assert list(slack.own_messages("C1", root)) == [Posted(ts, "k", 0, 2)]
    arguments = next(call.arguments for call in fake.calls if call.method == "chat.postMessage")
    assert (arguments["unfurl_links"], arguments["unfurl_media"], arguments["mrkdwn"]) == (False, False, False)


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("fault", [{"status": 503}, {"error": "internal_error"}])
def test_fault_is_tried_again_and_nothing_posted_twice(
    after_effect: bool,  # noqa: FBT001  # pytest's
    fault: dict[str, object],
    fake: FakeSlack,
    slack: Slack,
    root: str,
) -> None:
    """Whether or not the call that failed had its effect, the message stands there once; its neighbour is another."""
    first = post(slack, root, part=0)
    fake.fault("chat.postMessage", after_effect=after_effect, **fault)  # type: ignore[arg-type]  # one of two keywords
    ts = post(slack, root, part=1)
    assert ts != first
    assert len(said(fake, root)) == 2
    assert [message.ts for message in slack.own_messages("C1", root)] == [first, ts]


def test_rate_limit_is_waited_out(fake: FakeSlack, slack: Slack, root: str) -> None:
    """As long as Slack says."""
    fake.fault("chat.postMessage", status=429, retry_after=1, times=2)
    started = time.monotonic()
    post(slack, root)
    assert time.monotonic() - started >= 2
    assert len(said(fake, root)) == 1


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long"])
def test_refused_blocks_are_sent_as_text(error: str, fake: FakeSlack, slack: Slack, root: str) -> None:
    """The same words without the layout, when posted and when updated; nobody is pinged."""
    fake.fault("chat.postMessage", error=error)
    ts = post(slack, root)
    assert said(fake, root) == ["Hello <!channel> & *all*"]
    message = answer_messages(ANSWER, "k")[0]
    fake.fault("chat.update", error=error)
    slack.update("C1", ts, message, Posted("", "k", 0, 1))
    assert "Some 40 people walked over it first." in said(fake, root)[0]
    assert fake.thread("C1", root)[1].raw.get("blocks", []) == []
    assert fake.pings() == []


def test_refusal_is_raised_with_slacks_word(fake: FakeSlack, slack: Slack, root: str) -> None:
    """And is not tried again."""
    with pytest.raises(SlackError) as caught:
        slack.post("C404", root, HELLO, Posted("", "k", 0, 1))
    assert caught.value.code == "channel_not_found"
    assert [call.method for call in fake.calls] == ["chat.postMessage"]


def test_stream_is_begun_once(fake: FakeSlack, slack: Slack, root: str) -> None:
    """Where its beginning had its effect and failed; and to end one that has ended by itself is no error."""
    fake.fault("chat.startStream", status=500, after_effect=True)
    ts = slack.start_stream("C1", root, "It ", ("T1", "U1"), [])
    slack.call("chat.appendStream", channel="C1", ts=ts, markdown_text="sank.")
    assert said(fake, root) == ["It sank."]
    fake.expire_streams()
    slack.stop_stream("C1", ts)
    other = slack.start_stream("C1", root, "More", ("T1", "U1"), [ts])
    assert other != ts
    slack.update("C1", other, HELLO, Posted("", "k", 1, 2))
    assert not fake.thread("C1", root)[2].streaming
    assert said(fake, root)[1] == "Hello <!channel> & *all*"


def test_deletion_of_what_is_gone_is_none(fake: FakeSlack, slack: Slack, root: str) -> None:
    """A message of ours goes, once or twice."""
    ts = post(slack, root)
    slack.delete("C1", ts)
    slack.delete("C1", ts)
    assert said(fake, root) == []


def test_ephemeral_message_is_seen_by_one_person(fake: FakeSlack, slack: Slack) -> None:
    """In the channel, by who it is for."""
    fake.add_user("U2", name="Ann")
    slack.post_ephemeral("C1", "U1", "", HELLO)
    assert [seen.ephemeral_to for seen in fake.channel("C1", "U1")] == ["U1"]
    assert fake.channel("C1", "U2") == []


def test_long_thread_is_read_whole(fake: FakeSlack, slack: Slack, root: str) -> None:
    """All pages, in order, each message once; of a thread that is not there nothing."""
    for number in range(450):
        fake.say("U1", "C1", str(number), root, deliver=False)
    found = slack.replies("C1", root)
    assert [message["text"] for message in found] == ["hello?", *map(str, range(450))]
    assert sum(call.method == "conversations.replies" for call in fake.calls) == 3
    assert slack.replies("C1", "1.000000") == []


# Response URLs


@pytest.fixture
def url(fake: FakeSlack) -> str:
    """Where to answer a command of U1."""
    return fake._response_url(fake.workspace.new_response_url("C1", "U1"))


@pytest.mark.parametrize("public", [False, True])
def test_response_is_private_unless_public(public: bool, fake: FakeSlack, url: str) -> None:  # noqa: FBT001  # pytest's
    """To the asker alone, or to all."""
    respond_to(url, HELLO, public=public)
    assert [seen.ephemeral_to for seen in fake.channel("C1")] == [None if public else "U1"]


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429, "retry_after": 1}, {"status": 400}])
def test_response_survives_a_fault(fault: dict[str, int], fake: FakeSlack, url: str) -> None:
    """Tried again after a 500, and after the time that a 429 names; without blocks where it was refused."""
    fake.fault("response_url", **fault)  # type: ignore[arg-type]  # numbers
    respond_to(url, HELLO)
    assert [seen.text.replace("\u2060", "") for seen in fake.channel("C1")] == ["Hello <!channel> & *all*"]


def test_response_that_is_not_taken_is_an_error(fake: FakeSlack) -> None:
    """Such as one by a URL that has lapsed."""
    with pytest.raises(SlackError):
        respond_to(fake._response_url("lapsed"), HELLO)
