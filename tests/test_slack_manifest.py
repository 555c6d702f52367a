"""The manifest asks for what the code uses, and for nothing else; and Slack takes it."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from bot.slack import app
from bot.slack.serve import Service, scopes
from tests.fake_slack import FakeSlack
from tests.fakes.engine import Streamed
from tests.fakes.examples import ANSWER, QUOTE, REFUSED
from tests.fakes.parts import FakeParts
from tests.slack_process import answered

PAGE = Path(__file__).parents[1] / "docs" / "slack.md"
HISTORY = {"channels:history", "groups:history", "im:history", "mpim:history"}

# Methods of the Web API -> the scopes that they need (each method's page, docs.slack.dev).
METHODS: dict[str, set[str]] = {
    "auth.test": set(),
    "apps.connections.open": set(),  # an app-level token with connections:write, which no manifest can ask for
    "assistant.threads.setStatus": {"assistant:write"},
    "assistant.threads.setSuggestedPrompts": {"assistant:write"},
    "assistant.threads.setTitle": {"assistant:write"},
    "chat.appendStream": {"chat:write"},
    "chat.delete": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.startStream": {"chat:write"},
    "chat.stopStream": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.replies": HISTORY,
    "response_url": set(),
    "users.info": {"users:read"},
    "views.open": set(),
    "views.publish": set(),
}
# Events -> the scopes without which they do not come (each event's page, docs.slack.dev).
EVENTS: dict[str, set[str]] = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
    "tokens_revoked": set(),
}
OLDER_PANE = "assistant_thread_started"  # of apps with `assistant_view`; who has such an app subscribes to it


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """The manifest as it is pasted."""
    found: dict[str, Any] = json.loads(files("bot.slack").joinpath("manifest.json").read_text("utf-8"))
    return found


def converse(slack: FakeSlack) -> None:
    """Do with the bot whatever can be done with it."""
    slack.add_user("U5", name="Gus", guest=True)
    direct = slack.dm("U1")
    streamed = slack.say("U1", "C1", "<@UBOT> how many walked?")
    answer = answered(slack, "C1", streamed)[0]
    slack.say("U1", "C1", "and who?", streamed)
    slack.settle()
    answered(slack, direct, slack.say("U1", direct, "how many walked?"))
    slack.say("U5", "C1", "<@UBOT> may I?")
    slack.wait(lambda: any(seen.ephemeral_to == "U5" for seen in slack.channel("C1", "U5")))
    slack.click("U1", answer.ts, "Not helpful")
    slack.wait(lambda: slack.modal("U1"))
    slack.submit("U1", {"reason": {"reason": "it is old"}})
    slack.command("U1", "C1", "/clippings", "how many walked?")
    slack.wait(lambda: any(seen.ephemeral_to == "U1" for seen in slack.channel("C1")))
    slack.click("U1", slack.channel("C1")[-1].ts, "Share with the channel")
    slack.shortcut("U1", "C1", streamed)
    slack.click("U1", answer.ts, "Try again")
    slack.settle()
    slack.open_home("U1")
    slack.open_messages_tab("U1")
    slack.wait(lambda: slack.home("U1") and slack.prompts(direct))
    slack.click("U1", None, "ask-1")
    slack.settle()


@pytest.mark.process
def test_scopes_cover_every_call_and_event(manifest: dict[str, Any], tmp_path: Path) -> None:
    """And none is asked for in vain: each is there for a method that is called, for an event, or for the commands."""
    parts = FakeParts(REFUSED, *[ANSWER] * 6)
    parts.fake.queue.insert(0, Streamed(["Some 40 people ", "walked. [1]"], replace(ANSWER, answerer="write")))
    with FakeSlack() as slack:
        tokens = {"slack_bot_token": slack.bot_token, "slack_app_token": slack.app_token}
        place = {"slack_api_url": slack.api_url, "slack_port": 0, "data": tmp_path}
        service = Service(Settings.model_validate(tokens | place), parts, http=False)
        service.start()
        slack.wait(slack.connected)
        converse(slack)
        assert service.stop()
        assert [call.question for call in parts.fake.asked if call.shown == (QUOTE,)] == ["how many walked?"]
        called = {call.method for call in slack.calls}
    assert {"chat.startStream", "chat.update", "chat.postEphemeral", "views.open", "response_url"} <= called
    assert called <= set(METHODS)
    needed = set().union(*(METHODS[method] for method in called), *EVENTS.values(), {"commands"})
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed == set(scopes())


def test_events_are_those_that_are_listened_to(manifest: dict[str, Any]) -> None:
    """Nothing comes that nobody takes, and whatever is waited for comes."""
    subscribed = set(manifest["settings"]["event_subscriptions"]["bot_events"])
    assert subscribed == set(EVENTS)
    listened = set(re.findall(r'app\.event\("(\w+)"\)', inspect.getsource(app)))
    assert {event.partition(".")[0] for event in subscribed} == listened - {OLDER_PANE}


def test_commands_and_shortcuts_are_those_that_are_listened_to(manifest: dict[str, Any]) -> None:
    """By the names that the code knows them by."""
    source, features = inspect.getsource(app), manifest["features"]
    commands = [command["command"] for command in features["slash_commands"]]
    assert commands == re.findall(r'app\.command\("(.+?)"\)', source)
    shortcuts = [(shortcut["type"], shortcut["callback_id"]) for shortcut in features["shortcuts"]]
    assert shortcuts == [("message", name) for name in re.findall(r'app\.message_shortcut\("(.+?)"\)', source)]
    assert features["slash_commands"][0]["should_escape"]  # so that a person is named by id, as in a message


def test_texts_are_as_long_as_slack_takes_them(manifest: dict[str, Any]) -> None:
    """The limits of docs.slack.dev, "App manifest reference"."""
    about, features = manifest["display_information"], manifest["features"]
    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert re.fullmatch("#[0-9a-f]{6}", about["background_color"])
    assert re.fullmatch(r"[\w. -]{1,80}", features["bot_user"]["display_name"])
    assert len(features["agent_view"]["agent_description"]) <= 300
    for command in features["slash_commands"]:
        assert re.fullmatch(r"/[a-z-]{1,31}", command["command"])
        assert len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
    for shortcut in features["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
    assert features["app_home"]["home_tab_enabled"]
    assert not features["app_home"]["messages_tab_read_only_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert manifest["settings"]["socket_mode_enabled"]


def test_the_docs_say_what_each_scope_is_for(manifest: dict[str, Any]) -> None:
    """In the table of docs/slack.md."""
    rows = re.findall(r"^\| (`[^|]+`) \| \S", PAGE.read_text("utf-8"), re.MULTILINE)
    named = [scope for row in rows for scope in re.findall(r"`(\w+:?\w*)`", row)]
    assert sorted(named) == sorted(manifest["oauth_config"]["scopes"]["bot"])
