"""Signed HTTP: what is Slack's is taken, whatever its kind, and nothing else. And the logs hold nothing private."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.fake_slack import FakeSlack
from tests.fake_slack.seen import draw_blocks
from tests.slack_process import BotProcess, answered, copied

pytestmark = pytest.mark.process(seconds=10)
MILL = "How many jobs will the Aldermoor paper mill cut?"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def bot(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotProcess]:
    """The bot over HTTP, with what the OAuth of Bolt would take from the environment."""
    data = copied(indexed, tmp_path_factory.mktemp("http") / "data")
    confusing = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "x", "SLACK_SCOPES": "admin"}
    with FakeSlack() as slack, BotProcess(slack, data, mode="http", **confusing) as started:
        yield started


@pytest.fixture
def slack(bot: BotProcess) -> FakeSlack:
    """Its workspace."""
    return bot.slack


def request(
    bot: BotProcess, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Status and body of an answer to a request that is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", bot._port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def signed(slack: FakeSlack, body: bytes, kind: str = "application/json", age: int = 0) -> dict[str, str]:
    """The headers that Slack sends."""
    return {"Content-Type": kind, **slack.delivery.sign(body, int(time.time()) - age)}


def event(slack: FakeSlack, ts: str) -> bytes:
    """The event of a message, as Slack writes it."""
    return json.dumps(slack._told[ts][0]).encode()


def test_every_kind_of_payload_is_taken(slack: FakeSlack) -> None:
    """An event, a click, a modal that is sent, a shortcut, a Home that is opened; each by signed HTTP."""
    ts = slack.say("U1", "C1", f"<@UBOT> {MILL}")
    answer = answered(slack, "C1", ts)[0]
    slack.click("U1", answer.ts, "Not helpful")
    slack.wait(lambda: slack.modal("U1"))
    slack.submit("U1", {"reason": {"reason": "the number is old"}})
    slack.wait(lambda: slack.modal("U1") is None)
    slack.click("U1", answer.ts, "Show passage 1")
    slack.wait(lambda: slack.modal("U1"))
    slack.open_home("U1")
    slack.wait(lambda: slack.home("U1"))
    slack.shortcut("U1", "C1", ts)
    slack.wait(lambda: any("140 of its 560 jobs" in seen.text for seen in slack.channel("C1") if seen.ephemeral_to))


@pytest.mark.parametrize(
    "text", ["who makes payload adapters?", "payload=1&a=b", "payload", "{a: 1}", "", "ü + %41 & é"]
)
def test_slash_command_may_hold_any_text(slack: FakeSlack, text: str) -> None:
    """Also the word by which Bolt knows a click: each command gets an answer to the asker alone."""
    before = len([seen for seen in slack.channel("C1") if seen.ephemeral_to])
    slack.command("U1", "C1", "/clippings", text)
    slack.wait(lambda: len([seen for seen in slack.channel("C1") if seen.ephemeral_to]) > before)
    assert slack.channel("C1")[-1].name == "Clippings"


def test_url_verification_is_answered(bot: BotProcess, slack: FakeSlack) -> None:
    """With the challenge, which is how Slack tries an address."""
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode()
    status, text = request(bot, "POST", "/slack/events", body, signed(slack, body))
    assert (status, json.loads(text)) == (200, {"challenge": "abc"})


def test_what_is_not_slacks_is_refused(bot: BotProcess, slack: FakeSlack) -> None:
    """Without a signature, with another's, for another body, or one of six minutes ago: 401, and nothing is done."""
    ts = slack.say("U1", "C1", "<@UBOT> hello", deliver=False)
    body = event(slack, ts)
    good, kind = signed(slack, body), {"Content-Type": "application/json"}
    forged = [
        kind,
        {**kind, "X-Slack-Request-Timestamp": good["X-Slack-Request-Timestamp"]},
        {**good, "X-Slack-Signature": "v0=" + "0" * 64},
        {**good, "X-Slack-Signature": "é"},
        {**good, "X-Slack-Request-Timestamp": "soon"},
        signed(slack, body, age=360),
        signed(slack, body, age=-360),
        signed(slack, body + b" "),
    ]
    assert [request(bot, "POST", "/slack/events", body, headers)[0] for headers in forged] == [401] * len(forged)
    for junk in (b"\xff\xfe", b"{", b"[]", b"[" * 100_000, b"payload=1"):
        assert request(bot, "POST", "/slack/events", junk, kind)[0] == 401
    slack.settle()
    assert len(slack.thread("C1", ts)) == 1
    slack.redeliver(ts)
    answered(slack, "C1", ts)


def test_other_paths_methods_and_sizes_are_refused(bot: BotProcess, slack: FakeSlack) -> None:
    """Only /slack/events is served, by POST and up to a megabyte; no installation where there is a bot token."""
    body = b"{}"
    large = {**signed(slack, body), "Content-Length": "1100000"}
    assert request(bot, "POST", "/slack/events", b"", large)[0] == 413
    assert request(bot, "POST", "/slack/other", body, signed(slack, body))[0] == 404
    paths = ("/", "/slack/events", "/slack/install", "/slack/oauth_redirect?code=1&state=2", "/../etc/passwd")
    assert [request(bot, "GET", path)[0] for path in paths] == [404] * len(paths)


def test_payload_of_an_unknown_kind_does_no_harm(bot: BotProcess, slack: FakeSlack) -> None:
    """Slack may send tomorrow what nobody knows today."""
    body = urlencode({"payload": json.dumps({"type": "unheard_of", "team": {"id": "T1"}})}).encode()
    assert request(bot, "POST", "/slack/events", body, signed(slack, body, FORM))[0] in (200, 404)
    assert request(bot, "GET", "/livez")[0] == 200


def test_log_holds_no_text_and_no_token(bot: BotProcess, slack: FakeSlack) -> None:
    """A line for each answer, with key, counts and times; after faults, too, no word of a message or headline."""
    slack.fault("chat.postMessage", error="invalid_blocks")
    slack.fault("users.info", status=500)
    slack.fault("views.open", error="expired_trigger_id")
    slack.fault("assistant.threads.setStatus", error="Zanzibar", times=2)
    ts = slack.say("U1", "C1", f"<@UBOT> {MILL} And in Zanzibar?")
    answer = answered(slack, "C1", ts)[0]
    slack.say("U1", slack.dm("U1"), "Zanzibar")
    slack.settle()
    other = answered(slack, "C1", slack.say("U1", "C1", f"<@UBOT> {MILL}"))[0]
    slack.click("U1", other.ts, "Show passage 1")
    slack.wait(lambda: any(call.method == "views.open" for call in slack.calls))
    slack.settle()
    log = bot.logged()
    assert f"key=T1/C1/{ts}" in log
    assert " ms=" in log
    assert "citations=" in log
    headlines = [" ".join(draw_blocks(seen.raw["blocks"]).text) for seen in (answer, other) if seen.raw.get("blocks")]
    secrets = (slack.bot_token, slack.app_token, slack.signing_secret)
    for private in (
        "Zanzibar",
        "paper mill",
        "Aldermoor",
        "560 jobs",
        "payload",
        "number is old",
        *secrets,
        *headlines,
    ):
        assert private not in log, private
    assert "response/" not in log
