"""Many workspaces by OAuth: installed in a browser, answered each with its own token, forgotten when they leave."""

from __future__ import annotations

import html
import http.client
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from cryptography.fernet import Fernet

from tests.fake_slack import FakeSlack
from tests.slack_process import BotProcess, answered, copied, replies

pytestmark = pytest.mark.process(seconds=12)
MILL = "<@UBOT> How many jobs will the Aldermoor paper mill cut?"
CHANNELS = {"T1": ("C1", "U1"), "T2": ("C7", "U7")}


@pytest.fixture(scope="module")
def bot(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotProcess]:
    """The bot without a token; a second workspace, T2, has U7 in C7."""
    data = copied(indexed, tmp_path_factory.mktemp("oauth") / "data")
    with FakeSlack() as slack:
        slack.add_user("U7", name="Ida")
        slack.workspace.users["U7"].team_id = "T2"
        slack.add_channel("C7", ("U7", slack.bot_user), team="T2")
        slack.api.teams.clear()
        client = {"SLACK_BOT_TOKEN": "", "SLACK_CLIENT_ID": slack.client_id, "SLACK_CLIENT_SECRET": slack.client_secret}
        key = {"CLIPPINGS_SLACK_TOKEN_KEY": Fernet.generate_key().decode(), "CLIPPINGS_SLACK_WORKSPACES": "T1, T2"}
        with BotProcess(slack, data, mode="http", **client, **key) as started:
            yield started


def get(address: str, cookie: str = "") -> tuple[int, str, str, str]:
    """Status, where it leads, the cookie and the page, as a browser gets them."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers={"Cookie": cookie} if cookie else {})
        response = connection.getresponse()
        headers = response.headers
        found = (headers.get("Set-Cookie") or "").partition(";")[0]
        return response.status, headers.get("Location") or "", found, response.read().decode()
    finally:
        connection.close()


def install(slack: FakeSlack, team: str) -> tuple[str, str]:
    """Go to the page, say yes in Slack, and return the way back and the cookie."""
    assert slack.app_url
    _, _, cookie, page = get(f"{slack.app_url}/slack/install?team={team}")
    link = html.unescape(next(link for link in re.findall(r'href="(.*?)"', page) if "authorize" in link))
    assert link.startswith(f"{slack.url}/oauth/v2/authorize?")
    assert "chat:write" in unquote(link)
    status, back, _, _ = get(link)
    assert status == 302
    return back, cookie


def test_workspaces_install_ask_and_leave(bot: BotProcess) -> None:
    """Each is answered with the token that it gave; a token is not readable in the database; who left is forgotten."""
    slack = bot.slack
    for team, (channel, user) in CHANNELS.items():
        back, cookie = install(slack, team)
        assert get(back, cookie)[0] == 200
        answer = answered(slack, channel, slack.say(user, channel, MILL))[0]
        assert "140 of its 560 jobs" in answer.text
    tokens = list(slack.api.teams)
    assert [slack.api.teams[token] for token in tokens] == ["T1", "T2"]
    stored = (bot.data / "slack.db").read_bytes() + (bot.data / "slack.db-wal").read_bytes()
    assert all(token.encode() not in stored and token not in bot.logged() for token in tokens)
    event = {"type": "app_uninstalled"}
    slack.delivery.send("events_api", {"type": "event_callback", "team_id": "T2", "event_id": "Ev0", "event": event})
    slack.wait(lambda: _installed(bot) == {"T1"})
    ts = slack.say("U7", "C7", MILL)
    other = slack.say("U1", "C1", MILL)
    answered(slack, "C1", other)
    slack.settle()
    assert replies(slack, "C7", ts) == []
    assert "Traceback" not in bot.logged()


def _installed(bot: BotProcess) -> set[str]:
    with closing(sqlite3.connect(bot.data / "slack.db")) as database:
        return {team for (team,) in database.execute("select team_id from slack_bots")}


def test_answer_of_slack_that_was_not_asked_for_is_refused(bot: BotProcess) -> None:
    """Without the cookie, with another state, with a state or a code that was used: no installation, and no details."""
    slack = bot.slack
    before = _installed(bot)
    back, cookie = install(slack, "T2")
    state = back.partition("state=")[2]
    assert get(back)[0] == 400
    assert get(back.replace(state, "0" * len(state)), cookie)[0] in (400, 401)
    assert get(f"{slack.app_url}/slack/oauth_redirect?error=access_denied", cookie)[0] == 200
    wrong = back.replace("code=", "code=x")
    assert get(wrong, cookie)[0] >= 400
    status, _, _, page = get(wrong, cookie)
    assert status >= 400
    assert "Traceback" not in page
    assert _installed(bot) == before


def test_revoked_tokens_of_people_remove_nothing(bot: BotProcess) -> None:
    """Only where the bot's own token is revoked is its workspace forgotten."""
    slack = bot.slack
    back, cookie = install(slack, "T1")
    get(back, cookie)
    body = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1"}
    slack.delivery.send("events_api", body | {"event": {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}})
    slack.settle()
    assert _installed(bot) == {"T1"}
    revoked = {"type": "tokens_revoked", "tokens": {"bot": ["UBOT"]}}
    slack.delivery.send("events_api", body | {"event_id": "Ev2", "event": revoked})
    slack.wait(lambda: _installed(bot) == set())


@pytest.fixture
def open_bot(bot: BotProcess, tmp_path: Path) -> Iterator[BotProcess]:
    """A process without articles that names no workspace, on the same fake Slack."""
    address = bot.slack.app_url
    settings = {**bot._settings, "CLIPPINGS_SLACK_WORKSPACES": ""}
    with BotProcess(bot.slack, tmp_path / "data", mode="http", **settings) as started:
        yield started
    bot.slack.app_url = address


def test_the_first_workspace_closes_the_door(open_bot: BotProcess) -> None:
    """A stranger's workspace gets a page that names the setting; its token is revoked, and it is not answered."""
    slack = open_bot.slack
    before, revoked = set(slack.api.teams), set(slack.api.revoked)
    back, cookie = install(slack, "T1")
    assert get(back, cookie)[0] == 200
    answered(slack, "C1", slack.say("U1", "C1", "<@UBOT> hello"))
    back, cookie = install(slack, "T2")
    status, _, _, page = get(back, cookie)
    assert (status, "adds T2 to CLIPPINGS_SLACK_WORKSPACES" in page) == (403, True)
    kept = [slack.api.teams[token] for token in set(slack.api.teams) - before]
    assert (kept, [token[:12] for token in slack.api.revoked - revoked]) == (["T1"], ["xoxb-fake-T2"])
    assert _installed(open_bot) == {"T1"}
    ts = slack.say("U7", "C7", "<@UBOT> hello")
    slack.command("U7", "C7", "/clippings", "hello")
    slack.settle()
    assert replies(slack, "C7", ts) == []
    assert [seen.text for seen in slack.channel("C7", "U7") if seen.ephemeral_to] == [
        "I do not answer in this workspace. Ask whoever runs me to install me here."
    ]
    back, cookie = install(slack, "T1")  # again, as after a change of scopes
    assert get(back, cookie)[0] == 200


@pytest.mark.parametrize("method", ["oauth.v2.access", "auth.test"])
def test_a_fault_of_the_network_is_said_in_the_browser(bot: BotProcess, method: str) -> None:
    """Slack hangs up when the person has come back: a page says so, without a traceback; the next try installs."""
    slack, before = bot.slack, _installed(bot)
    slack.fault(method, status=0)
    back, cookie = install(slack, "T2")
    status, _, _, page = get(back, cookie)
    assert status == 503
    assert page.startswith("Clippings was not installed: Slack, or the database of Clippings, could not be reached.")
    assert _installed(bot) == before
    assert "Traceback" not in bot.logged()
    back, cookie = install(slack, "T1")
    assert get(back, cookie)[0] == 200


def test_an_unreachable_slack_keeps_no_stranger(open_bot: BotProcess) -> None:
    """The token of a refused workspace cannot be revoked: the page is the same, and the log says it."""
    slack = open_bot.slack
    assert get(*install(slack, "T1"))[0] == 200
    slack.fault("auth.revoke", error="fatal_error", times=4)
    assert get(*install(slack, "T2"))[0] == 403
    assert "a token of a refused workspace was dropped, but not revoked (auth.revoke: unreachable)" in open_bot.logged()
    assert _installed(open_bot) == {"T1"}


def test_installations_are_limited(open_bot: BotProcess) -> None:
    """Thirty a minute may be started; odd queries and bodies are pages, too."""
    address = f"{open_bot.slack.app_url}/slack/"
    for query in ("code=%ff&state=%00", "state=[]&code=x", "error=%ff", "code=1e999"):
        status, _, _, page = get(f"{address}oauth_redirect?{query}", "slack-app-oauth-state=\xff")
        assert status in (200, 400, 401)
        assert "Traceback" not in page
    statuses = [get(f"{address}install?team={number}")[0] for number in range(31)]
    assert statuses == [200] * 30 + [429]
