"""Block Kit as Slack takes it: each kind of block with its keys and lengths; what is not here is refused.

The lengths are those of docs.slack.dev/reference/block-kit, which slack_sdk/models/blocks repeats. [guess] marks what
neither of them says. Characters are counted as Python counts them [guess].
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from tests.fake_slack.rich_text import Id, RichElement, Strict, Url


class _Plain(Strict):
    type: Literal["plain_text"]
    text: Annotated[str, Field(min_length=1, max_length=3000)]
    emoji: bool | None = None


class _Mrkdwn(Strict):
    type: Literal["mrkdwn"]
    text: Annotated[str, Field(min_length=1, max_length=3000)]
    verbatim: bool | None = None


_Text = Annotated[_Plain | _Mrkdwn, Field(discriminator="type")]
_Value = Annotated[str, Field(max_length=2000)]


def _at_most(characters: int) -> AfterValidator:
    def check(text: Any) -> Any:
        if text is not None and len(text.text) > characters:
            raise ValueError(f"must be less than {characters + 1} characters")
        return text

    return AfterValidator(check)


class _Confirm(Strict):
    title: Annotated[_Plain, _at_most(100)]
    text: Annotated[_Text, _at_most(300)]
    confirm: Annotated[_Plain, _at_most(30)]
    deny: Annotated[_Plain, _at_most(30)]
    style: Literal["primary", "danger"] | None = None


class _Button(Strict):
    type: Literal["button"]
    text: Annotated[_Plain, _at_most(75)]
    action_id: Id | None = None
    url: Url | None = None
    value: _Value | None = None
    style: Literal["primary", "danger"] | None = None
    confirm: _Confirm | None = None
    accessibility_label: Annotated[str, Field(max_length=75)] | None = None


class _FeedbackButton(Strict):
    text: Annotated[_Plain, _at_most(75)]
    value: _Value
    accessibility_label: Annotated[str, Field(max_length=75)] | None = None


class _FeedbackButtons(Strict):
    type: Literal["feedback_buttons"]
    action_id: Id | None = None
    positive_button: _FeedbackButton
    negative_button: _FeedbackButton


class _IconButton(Strict):
    type: Literal["icon_button"]
    icon: Literal["trash"]
    text: Annotated[_Plain, _at_most(75)]
    action_id: Id | None = None
    value: _Value | None = None
    confirm: _Confirm | None = None
    accessibility_label: Annotated[str, Field(max_length=75)] | None = None
    visible_to_user_ids: list[str] | None = None


class _Image(Strict):
    type: Literal["image"]
    image_url: Url
    alt_text: Annotated[str, Field(max_length=2000)]


class _Option(Strict):
    text: Annotated[_Text, _at_most(75)]
    value: Annotated[str, Field(max_length=150)]
    description: Annotated[_Text, _at_most(75)] | None = None


class _Choice(Strict):
    type: Literal["static_select", "radio_buttons", "checkboxes"]
    action_id: Id | None = None
    placeholder: Annotated[_Plain, _at_most(150)] | None = None
    options: Annotated[list[_Option], Field(min_length=1, max_length=100)]
    initial_option: _Option | None = None
    initial_options: list[_Option] | None = None
    focus_on_load: bool | None = None


class _TextInput(Strict):
    type: Literal["plain_text_input"]
    action_id: Id | None = None
    placeholder: Annotated[_Plain, _at_most(150)] | None = None
    initial_value: Annotated[str, Field(max_length=3000)] | None = None
    multiline: bool | None = None
    min_length: Annotated[int, Field(ge=0, le=3000)] | None = None
    max_length: Annotated[int, Field(ge=1, le=3000)] | None = None
    focus_on_load: bool | None = None
    dispatch_action_config: dict[str, Any] | None = None


# Blocks.


class _Block(Strict):
    block_id: Id | None = None


class _Section(_Block):
    type: Literal["section"]
    text: _Text | None = None
    fields: Annotated[list[Annotated[_Text, _at_most(2000)]], Field(min_length=1, max_length=10)] | None = None
    accessory: Annotated[_Button | _Image | _Choice, Field(discriminator="type")] | None = None
    expand: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> _Section:
        if self.text is None and self.fields is None:
            raise ValueError("text or fields is required")
        return self


class _Divider(_Block):
    type: Literal["divider"]


class _Header(_Block):
    type: Literal["header"]
    text: Annotated[_Plain, _at_most(150)]


class _Context(_Block):
    type: Literal["context"]
    elements: Annotated[
        list[Annotated[_Plain | _Mrkdwn | _Image, Field(discriminator="type")]], Field(min_length=1, max_length=10)
    ]


class _Actions(_Block):
    type: Literal["actions"]
    elements: Annotated[
        list[Annotated[_Button | _Choice, Field(discriminator="type")]], Field(min_length=1, max_length=25)
    ]


class _ContextActions(_Block):
    type: Literal["context_actions"]
    elements: Annotated[
        list[Annotated[_FeedbackButtons | _IconButton, Field(discriminator="type")]], Field(min_length=1, max_length=5)
    ]


class _ImageBlock(_Block):
    type: Literal["image"]
    image_url: Url
    alt_text: Annotated[str, Field(max_length=2000)]
    title: Annotated[_Plain, _at_most(2000)] | None = None


class _Input(_Block):
    type: Literal["input"]
    label: Annotated[_Plain, _at_most(2000)]
    element: Annotated[_TextInput | _Choice, Field(discriminator="type")]
    hint: Annotated[_Plain, _at_most(2000)] | None = None
    optional: bool | None = None
    dispatch_action: bool | None = None


class _RichText(_Block):
    type: Literal["rich_text"]
    elements: Annotated[list[RichElement], Field(min_length=1)]


class _Markdown(_Block):
    type: Literal["markdown"]
    text: Annotated[str, Field(min_length=1, max_length=12_000)]


_In_views = _Section | _Divider | _Header | _Context | _Actions | _ImageBlock | _Input | _RichText
AnyBlock = Annotated[_In_views | _ContextActions | _Markdown, Field(discriminator="type")]
ViewBlock = Annotated[_In_views, Field(discriminator="type")]  # the other two are for messages alone
_Metadata = Annotated[str, Field(max_length=3000)]


class Home(Strict):
    """The Home tab of one person."""

    type: Literal["home"]
    blocks: Annotated[list[ViewBlock], Field(max_length=100)]
    private_metadata: _Metadata | None = None
    callback_id: Annotated[str, Field(max_length=255)] | None = None
    external_id: Annotated[str, Field(max_length=255)] | None = None


class Modal(Home):
    """A modal. One that asks for something needs a button to send it."""

    type: Literal["modal"]  # type: ignore[assignment]  # a modal is a Home with more to it, but for this word
    title: Annotated[_Plain, _at_most(24)]
    submit: Annotated[_Plain, _at_most(24)] | None = None
    close: Annotated[_Plain, _at_most(24)] | None = None
    clear_on_close: bool | None = None
    notify_on_close: bool | None = None
    submit_disabled: bool | None = None

    @model_validator(mode="after")
    def _can_be_sent(self) -> Modal:
        if self.submit is None and any(block.type == "input" for block in self.blocks):
            raise ValueError("submit is required with an input block")
        return self
