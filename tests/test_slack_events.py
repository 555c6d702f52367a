"""What Slack sends -> questions: who is meant, who is not, and what is left of the text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.events import (
    Malformed,
    enterprise_of,
    plain_text,
    question_of_command,
    question_of_message,
    question_of_shortcut,
    team_of,
)
from tests.fakes.hostile import LONG_TEXTS, TEXTS

KNOWN = st.sampled_from(["", "U1", "UBOT", "C1", "D1", "im", "1.5", "bot_message", "file_share"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | KNOWN | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "ts"]), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(
    """type user channel ts text thread_ts subtype bot_id hidden edited channel_type team app_id blocks attachments
    files""".split()
)
EVENTS = st.dictionaries(NAMES, VALUES, max_size=9)


def body(**event: Any) -> dict[str, Any]:
    """An event as Slack wraps it; a message of U1 in C1 that mentions the bot where nothing else is said."""
    given = {"type": "message", "user": "U1", "channel": "C1", "ts": "5.000001", "text": "<@UBOT> why?", **event}
    return {"team_id": "T1", "authorizations": [{"team_id": "T1"}], "event": given}


def test_mention_is_a_question() -> None:
    """Answered in a thread of its own, and known by where and when it was said."""
    found = question_of_message(body(), "UBOT")
    assert found is not None
    assert (found.key, found.text, found.thread, found.addressed) == ("T1/C1/5.000001", "why?", "5.000001", True)
    assert not found.ephemeral


def test_twin_events_of_a_mention_have_one_key() -> None:
    """`app_mention` names no kind of channel, and `message` does."""
    twins = [
        question_of_message(body(type="app_mention"), "UBOT"),
        question_of_message(body(channel_type="group"), "UBOT"),
    ]
    assert len({found.key for found in twins if found}) == 1


@pytest.mark.parametrize(
    ("event", "addressed"),
    [
        ({"text": "why?", "channel": "D1"}, True),
        ({"text": "why?", "channel": "G1", "channel_type": "im"}, True),
        ({"text": "<@U2> why?", "channel": "D1"}, True),
        ({"text": "and <@UBOT|clippings> you?"}, True),
        ({"text": "<@U2> ask <@UBOT>"}, True),
        ({"text": "<@UBOT> see", "subtype": "file_share"}, True),
        ({"text": "<@UBOT> see", "subtype": "thread_broadcast", "thread_ts": "4.0"}, True),
        ({"text": "why?", "thread_ts": "4.0"}, False),
        ({"text": "<#C2|news> &lt;@U2&gt; why?", "thread_ts": "4.0"}, False),
    ],
)
def test_taken(event: dict[str, Any], addressed: bool) -> None:  # noqa: FBT001  # pytest's
    """A direct message, a mention, and what is said in a thread, in which the bot may take part."""
    found = question_of_message(body(**event), "UBOT")
    assert found is not None
    assert found.addressed == addressed


@pytest.mark.parametrize(
    "event",
    [
        {"text": "why?"},
        {"text": "why?", "thread_ts": "5.000001"},
        {"text": "<@U2> why?", "thread_ts": "4.0"},
        {"user": "UBOT"},
        {"user": "USLACKBOT", "channel": "D1"},
        {"user": None},
        {"bot_id": "B1"},
        {"subtype": "bot_message"},
        {"subtype": "message_changed", "hidden": True},
        {"subtype": "channel_join"},
        {"subtype": "assistant_app_thread", "channel": "D1"},
        {"hidden": True},
        {"edited": {"user": "U1", "ts": "6.0"}},
        {"ts": ""},
    ],
)
def test_not_taken(event: dict[str, Any]) -> None:
    """What is said to nobody or to others; bots, the bot itself, edits, deletions, joins and what is hidden."""
    assert question_of_message(body(**event), "UBOT") is None


@given(EVENTS, st.sampled_from(["UBOT", ""]))
def test_no_event_is_too_odd(event: Mapping[str, Any], bot_user: str) -> None:
    """An event is a question, none or malformed; never one of a bot, of the bot, of an edit or a notice."""
    try:
        found = question_of_message(body(**event), bot_user)
    except Malformed:
        return
    if found is None:
        return
    assert not any(event.get(name) for name in ("bot_id", "hidden", "edited"))
    assert event.get("subtype") in (None, "file_share", "thread_broadcast")
    assert found.user not in ("", bot_user, "USLACKBOT")
    assert found.key == f"T1/{found.channel}/{found.ts}"
    assert found.thread
    assert len(found.text) <= 4_000


@given(TEXTS)
def test_shown_text_passes_unchanged(text: str) -> None:
    """What Slack had escaped is what a person had typed, but for white space."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert plain_text(escaped, "UBOT") == " ".join(text.split())


@given(LONG_TEXTS)
def test_any_text_is_read(text: str) -> None:
    """A text that is no message of Slack's becomes one line, too, without the mention of the bot."""
    found = plain_text(f"{text} <@UBOT>", "UBOT")
    assert found == " ".join(found.split())
    assert "<@UBOT>" not in found


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("<@UBOT> who?", "who?"),
        ("<@UBOT|clippings> who is <@U2|ann>?", "who is ann?"),
        ("<#C1|news> <#C2>", "#news"),
        ("<!here> <!subteam^S1|desk> <!date^1^{date}|3 May>", "desk 3 May"),
        ("<https://a.example/x|the page> <https://a.example/y>", "the page https://a.example/y"),
        ("<mailto:a@b.example|a@b.example> <mailto:c@d.example>", "a@b.example c@d.example"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("a\n\nb\tc", "a b c"),
    ],
)
def test_plain_text(said: str, read: str) -> None:
    """The markup of Slack is read as it is shown."""
    assert plain_text(said, "UBOT") == read


def test_command_and_shortcut_are_ephemeral_questions() -> None:
    """Each use is a question of its own, answered to the one who asked."""
    command = {"team_id": "T1", "user_id": "U1", "channel_id": "C1", "text": "<@U2|ann> &amp; I", "trigger_id": "1.2"}
    asked = question_of_command(command | {"response_url": "http://x"})
    assert (asked.key, asked.text, asked.ephemeral, asked.response_url) == ("T1/U1/1.2", "ann & I", True, "http://x")
    place = {"user": {"id": "U1"}, "channel": {"id": "C1"}, "team": {"id": "T1"}, "trigger_id": "1.3"}
    chosen = question_of_shortcut(place | {"response_url": "http://y", "message": {"text": "<@UBOT> fire"}}, "UBOT")
    assert (chosen.key, chosen.text, chosen.user, chosen.ephemeral) == ("T1/U1/1.3", "fire", "U1", True)
    empty = question_of_shortcut(place | {"response_url": "http://y", "message": {}}, "UBOT")
    assert empty.text == ""


@pytest.mark.parametrize(
    ("payload", "team", "enterprise"),
    [
        ({"authorizations": [{"team_id": "T1"}], "team_id": "T2"}, "T1", ""),
        ({"authorizations": [{"team_id": None}], "team_id": "T2", "enterprise_id": "E1"}, "T2", "E1"),
        ({"team": {"id": "T3"}, "enterprise": {"id": "E2"}}, "T3", "E2"),
        ({"team": None, "enterprise": None}, "", ""),
        ({"team": "T4"}, "T4", ""),
    ],
)
def test_workspace(payload: dict[str, Any], team: str, enterprise: str) -> None:
    """Of a shared channel it is that which installed the bot, in all the places where Slack writes it."""
    assert (team_of(payload), enterprise_of(payload)) == (team, enterprise)
