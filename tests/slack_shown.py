"""What tests of Slack's messages share: answers of any content, and how blocks are read and held to the limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from bot.models import Answer, Citation, Refusal
from bot.slack.blocks import Message
from index.models import Source
from index.status import Status
from tests.fake_slack import limits
from tests.fakes.hostile import LONG_TEXTS, TEXTS

KEY = "C1/1700000000.000100"
STATUS = Status(
    1234, 2000, {"The Courier": 1000, "": 200, "Echo": 34}, date(2024, 1, 3), date(2024, 6, 3), "small",
    datetime(2026, 11, 21, 6, 59, tzinfo=UTC), 5, healthy=True,
)  # fmt: skip
URLS = st.sampled_from(
    ["https://a.example/1", "http://b.example/?q=1&r=<", "javascript:alert(1)", "https://c.example/" + "x" * 2000, "x"]
)
SOURCES = st.builds(
    Source,
    id=st.text(max_size=8),
    headline=TEXTS,
    outlet=st.none() | TEXTS,
    published=st.none() | st.dates(),
    published_certain=st.booleans(),
    url=st.none() | URLS,
    path=st.just("/secret/path"),
)
CITATIONS = st.lists(
    st.builds(
        Citation, st.just(0), LONG_TEXTS, st.just(0), st.just(1), SOURCES, st.lists(SOURCES, max_size=3).map(tuple)
    ),
    max_size=6,
).map(lambda found: tuple(replace(citation, number=number) for number, citation in enumerate(found, 1)))
ANSWERS = st.builds(
    Answer,
    question=TEXTS,
    standalone_question=TEXTS,
    text=LONG_TEXTS,
    answerer=st.sampled_from(["quote", "write", "reply"]),
    refusal=st.none() | st.builds(Refusal, TEXTS, st.lists(SOURCES, max_size=3).map(tuple)),
    citations=CITATIONS,
    notice=st.none() | TEXTS,
)


def drawn(shown: Sequence[Block]) -> list[dict[str, Any]]:
    """Blocks as Slack gets them; the SDK raises where one passes a limit that it knows of."""
    return [block.to_dict() for block in shown]


def nodes(found: object) -> Iterator[dict[str, Any]]:
    """Every object inside blocks."""
    if isinstance(found, dict):
        yield found
    for inner in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from nodes(inner)


def of(found: object, kind: str) -> list[dict[str, Any]]:
    """The objects of a type."""
    return [node for node in nodes(found) if node.get("type") == kind]


def read(found: Sequence[dict[str, Any]]) -> str:
    """What a person reads in blocks, buttons left out."""
    shown = [block for block in found if block["type"] not in ("actions", "context_actions")]
    named = {"user": "@user", "rich_text_list": "• "}
    texts = (named.get(node.get("type", ""), node.get("text", "")) for node in nodes(shown))
    return " ".join(" ".join(text for text in texts if isinstance(text, str)).split())


def letters(text: str) -> str:
    """A text without its white space, which is laid out anew."""
    return "".join(text.split())


def check(message: Message) -> list[dict[str, Any]]:
    """Hold a message to Slack's limits and to what we never send."""
    found = limits.blocks(drawn(message.blocks))
    assert message.text.strip()
    assert len(message.text.encode()) <= 3900
    assert 1 <= len(found) <= 45
    assert sum(len(node["text"]) for node in nodes(found) if isinstance(node.get("text"), str)) < 9000
    assert len(json.dumps(found, ensure_ascii=False)) < 12_000
    ids = [block["block_id"] for block in found if "block_id" in block]
    assert len(ids) == len(set(ids))
    for node in nodes(found):
        assert node.get("type") not in ("mrkdwn", "markdown", "broadcast", "channel", "usergroup", "emoji")
        assert node.get("text") != ""
        assert len(node.get("value", "")) <= 2000
        assert node.get("emoji") is not True
    for text in of(found, "text"):
        assert len(text["text"]) <= 3000
    for row in of(found, "actions"):
        actions = [element["action_id"] for element in row["elements"]]
        assert len(actions) == len(set(actions)) <= 5
    assert not re.search(r"<(?!@U9>)|[@#](?!U9)\w|:\w+:|\w://|\w\.[^\W\d]", message.text)
    return found
