"""Rich text as Slack takes it: what its client makes of what people write. See block_kit.py."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """An unknown key is an error, and so is a number for a string."""

    model_config = ConfigDict(extra="forbid", strict=True)


Id = Annotated[str, Field(min_length=1, max_length=255)]
Url = Annotated[str, Field(min_length=1, max_length=3000)]


class _Style(Strict):
    bold: bool | None = None
    italic: bool | None = None
    strike: bool | None = None
    code: bool | None = None
    underline: bool | None = None
    highlight: bool | None = None
    client_highlight: bool | None = None
    unlink: bool | None = None


class _Part(Strict):
    style: _Style | None = None


class _Words(_Part):
    type: Literal["text"]
    text: Annotated[str, Field(min_length=1)]  # [guess]: an empty piece is refused, as an empty text object is


class _Link(_Part):
    type: Literal["link"]
    url: Url
    text: str | None = None
    unsafe: bool | None = None


class _Emoji(_Part):
    type: Literal["emoji"]
    name: Annotated[str, Field(min_length=1)]
    unicode: str | None = None
    skin_tone: int | None = None


class _User(_Part):
    type: Literal["user"]
    user_id: Id


class _Usergroup(_Part):
    type: Literal["usergroup"]
    usergroup_id: Id


class _ChannelPart(_Part):
    type: Literal["channel"]
    channel_id: Id


class _Broadcast(_Part):
    type: Literal["broadcast"]
    range: Literal["here", "channel", "everyone"]


class _Date(_Part):
    type: Literal["date"]
    timestamp: int
    format: str
    url: Url | None = None
    fallback: str | None = None


_Parts = list[
    Annotated[
        _Words | _Link | _Emoji | _User | _Usergroup | _ChannelPart | _Broadcast | _Date, Field(discriminator="type")
    ]
]


class _RichSection(Strict):
    type: Literal["rich_text_section"]
    elements: _Parts


class _RichQuote(Strict):
    type: Literal["rich_text_quote"]
    elements: _Parts
    border: int | None = None


class _RichPreformatted(Strict):
    type: Literal["rich_text_preformatted"]
    elements: _Parts
    border: int | None = None
    language: str | None = None


class _RichList(Strict):
    type: Literal["rich_text_list"]
    style: Literal["bullet", "ordered"]
    elements: Annotated[list[_RichSection], Field(min_length=1)]
    indent: Annotated[int, Field(ge=0, le=8)] | None = None
    offset: Annotated[int, Field(ge=0)] | None = None
    border: int | None = None


RichElement = Annotated[_RichSection | _RichList | _RichQuote | _RichPreformatted, Field(discriminator="type")]
