"""The fake Slack takes what the SDK's models build, and refuses what is too long, unknown or doubled."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.models import blocks as kit
from slack_sdk.models.views import View

from tests.fake_slack import limits
from tests.fake_slack.workspace import Refused

Json = dict[str, Any]
Parts = kit.RichTextElementParts


def plain(text: str) -> Json:
    """A plain text object."""
    return {"type": "plain_text", "text": text}


def section(text: str = "a", **more: Any) -> Json:
    """A section."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str = "go", **more: Any) -> Json:
    """A button."""
    return {"type": "button", "action_id": action_id, "text": plain("Go"), **more}


def actions(*elements: Json) -> Json:
    """A row of buttons."""
    return {"type": "actions", "elements": list(elements)}


def rich(*parts: Json) -> Json:
    """Rich text of one section."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(parts)}]}


def context(*elements: Json) -> Json:
    """A context block."""
    return {"type": "context", "elements": list(elements)}


def modal(**more: Any) -> Json:
    """A modal."""
    return {"type": "modal", "title": plain("T"), "blocks": [section()], **more}


INPUT = {"type": "input", "label": plain("Why?"), "element": {"type": "plain_text_input", "action_id": "a"}}


@pytest.mark.parametrize(
    "block",
    [
        kit.SectionBlock(text="*a*", accessory=kit.ButtonElement(text="Go", action_id="go", url="https://a.example")),
        kit.SectionBlock(fields=["a", "b"]),
        kit.DividerBlock(block_id="line"),
        kit.HeaderBlock(text="a" * 150),
        kit.ContextBlock(elements=[kit.PlainTextObject(text="a", emoji=False), kit.MarkdownTextObject(text="b")]),
        kit.ActionsBlock(elements=[kit.ButtonElement(text="a", action_id=str(i), value="v") for i in range(25)]),
        kit.ContextActionsBlock(
            elements=[
                kit.FeedbackButtonsElement(
                    action_id="feedback",
                    positive_button=kit.FeedbackButtonObject(text="Good", value="yes", accessibility_label="Good"),
                    negative_button=kit.FeedbackButtonObject(text="Bad", value="no"),
                ),
                kit.IconButtonElement(icon="trash", text="Delete", action_id="delete"),
            ]
        ),
        kit.InputBlock(label="Why?", element=kit.PlainTextInputElement(action_id="a", multiline=True, max_length=3000)),
        kit.MarkdownBlock(text="a" * 12_000),
        kit.RichTextBlock(
            elements=[
                kit.RichTextSectionElement(
                    elements=[
                        Parts.Text(text="a", style=Parts.TextStyle(bold=True)),
                        Parts.Link(url="https://a.example", text="A"),
                        Parts.Emoji(name="wave"),
                        Parts.User(user_id="U1"),
                    ]
                ),
                kit.RichTextListElement(
                    style="ordered",
                    offset=1,
                    elements=[kit.RichTextSectionElement(elements=[Parts.Text(text="b")])],
                ),
                kit.RichTextQuoteElement(elements=[Parts.Text(text="c")]),
                kit.RichTextPreformattedElement(elements=[Parts.Text(text="d")]),
            ]
        ),
    ],
    ids=lambda block: str(block.type),
)
def test_what_the_sdk_builds_is_taken(block: kit.Block) -> None:
    """Every block that the fake knows, as its model class gives it."""
    limits.blocks([block.to_dict()])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("[]", "invalid_blocks_format"),
        (["a"], "invalid_blocks_format"),
        ([{"type": "tune"}], "invalid_blocks"),
        ([{"type": "section"}], "invalid_blocks"),
        ([section(colour="red")], "invalid_blocks"),
        ([section("")], "invalid_blocks"),
        ([section("a" * 3001)], "invalid_blocks"),
        ([section("\ud800")], "invalid_blocks"),
        ([section(block_id="a" * 256)], "invalid_blocks"),
        ([section(block_id="a"), section(block_id="a")], "invalid_blocks"),
        ([section()] * 51, "invalid_blocks"),
        ([section("a" * 2601)] * 5, "msg_blocks_too_long"),
        ([{"type": "header", "text": plain("a" * 151)}], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "a"}}], "invalid_blocks"),
        ([actions()], "invalid_blocks"),
        ([actions(*[button(str(i)) for i in range(26)])], "invalid_blocks"),
        ([actions(button(), button())], "invalid_blocks"),
        ([actions(button("a" * 256))], "invalid_blocks"),
        ([actions(button(text=plain("a" * 76)))], "invalid_blocks"),
        ([actions(button(value="a" * 2001))], "invalid_blocks"),
        ([actions(button(style="red"))], "invalid_blocks"),
        ([context(*[plain("a")] * 11)], "invalid_blocks"),
        ([{"type": "context_actions", "elements": [button()]}], "invalid_blocks"),
        ([{"type": "markdown", "text": "a" * 6001}] * 2, "msg_blocks_too_long"),
        ([rich({"type": "text", "text": ""})], "invalid_blocks"),
        ([rich({"type": "text", "text": "a", "style": {"big": True}})], "invalid_blocks"),
        ([rich({"type": "link", "url": ""})], "invalid_blocks"),
        ([rich({"type": "song", "text": "a"})], "invalid_blocks"),
        ([{"type": "rich_text", "elements": [{"type": "text", "text": "a"}]}], "invalid_blocks"),
    ],
)
def test_a_message_is_refused(given: Any, code: str) -> None:
    """By the error that Slack gives for it."""
    with pytest.raises(Refused) as refused:
        limits.blocks(given)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "given",
    [
        None,
        {"type": "home", "blocks": []},
        modal(title=plain("a" * 25)),
        modal(close=plain("a" * 25)),
        modal(blocks=[INPUT]),
        modal(blocks=[section()] * 101),
        modal(blocks=[{"type": "markdown", "text": "a"}]),
        modal(private_metadata="a" * 3001),
        modal(callback_id="a" * 256),
        modal(blocks=[section(block_id="a"), section(block_id="a")]),
        modal(size="large"),
    ],
)
def test_a_modal_is_refused(given: Any) -> None:
    """Whatever is wrong with it, as invalid_arguments."""
    with pytest.raises(Refused, match="invalid_arguments"):
        limits.view(given, "modal")


def test_views_of_the_sdk_are_taken() -> None:
    """A modal that asks, and a Home of a hundred blocks."""
    asking = View(type="modal", title="Why?", submit="Send", close="Cancel", callback_id="why", blocks=[INPUT])
    limits.view(asking.to_dict(), "modal")
    limits.view(View(type="home", blocks=[section()] * 100).to_dict(), "home")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("a", "invalid_metadata_format"),
        ({"event_type": "a"}, "invalid_metadata_format"),
        ({"event_type": "a", "event_payload": "b"}, "invalid_metadata_schema"),
        ({"event_type": "a", "event_payload": {"b": "c" * 16_000}}, "metadata_too_large"),
    ],
)
def test_metadata_is_refused(given: Any, code: str) -> None:
    """When its form is wrong, or it is too long."""
    with pytest.raises(Refused, match=code):
        limits.metadata(given)
