"""What Slack refuses, and by which error: texts, blocks, views and metadata that are too long or not known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from tests.fake_slack.block_kit import AnyBlock, Home, Modal
from tests.fake_slack.workspace import Json, Refused

BLOCKS_TEXT = 13_000  # shared guide: "about 13,000 characters over all blocks"; here what can be read, no addresses
MARKDOWN_TEXT = 12_000  # shared guide: cumulative over the Markdown blocks of a payload
METADATA_BYTES = 16_000  # [guess], after chat.postMessage's metadata_too_large
_BLOCKS: TypeAdapter[Any] = TypeAdapter(Annotated[list[AnyBlock], Field(max_length=50)])
_VIEWS: dict[str, TypeAdapter[Any]] = {"modal": TypeAdapter(Modal), "home": TypeAdapter(Home)}


def text(given: Any, most: int) -> str:
    """A text, as it is."""
    if not isinstance(given, str):
        raise Refused("invalid_arguments", "text must be a string")
    if len(given) > most:
        raise Refused("msg_too_long")
    return given


def blocks(given: Any) -> list[Json]:
    """The blocks of a message, as they are."""
    if not isinstance(given, list) or not all(isinstance(block, dict) for block in given):
        raise Refused("invalid_blocks_format")
    _check(_BLOCKS, given, "invalid_blocks")
    _check_ids(given, "invalid_blocks")
    if sum(map(len, _texts(given))) > BLOCKS_TEXT:
        raise Refused("msg_blocks_too_long")
    if sum(len(block["text"]) for block in given if block["type"] == "markdown") > MARKDOWN_TEXT:
        raise Refused("msg_blocks_too_long")
    return given


def view(given: Any, kind: str) -> Json:
    """A view of that kind, as it is."""
    if not isinstance(given, dict):
        raise Refused("invalid_arguments", "view must be an object")
    _check(_VIEWS[kind], given, "invalid_arguments")
    _check_ids(given["blocks"], "invalid_arguments")
    return given


def metadata(given: Any) -> Json | None:
    """What a message carries unseen; an empty object takes away what it carried."""
    if given == {}:
        return None
    if not isinstance(given, dict) or set(given) != {"event_type", "event_payload"}:
        raise Refused("invalid_metadata_format")
    if not isinstance(given["event_type"], str) or not isinstance(given["event_payload"], dict):
        raise Refused("invalid_metadata_schema")
    if len(json.dumps(given)) > METADATA_BYTES:
        raise Refused("metadata_too_large")
    return given


def _check(adapter: TypeAdapter[Any], given: Any, code: str) -> None:
    try:
        adapter.validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(step) for step in first["loc"])
        raise Refused(code, f"{first['msg']} [json-pointer:/{where}]") from None


def _check_ids(given: list[Json], code: str) -> None:
    """A block_id is unique in a message or view, an action_id in its block (docs.slack.dev, "Block Kit")."""
    _unique([block["block_id"] for block in given if block.get("block_id")], code, "block_id")
    for block in given:
        elements = block.get("elements", []) if block["type"] in ("actions", "context_actions") else []
        _unique([element["action_id"] for element in elements if element.get("action_id")], code, "action_id")


def _unique(ids: list[str], code: str, what: str) -> None:
    if len(set(ids)) < len(ids):
        raise Refused(code, f"{what} already exists")


def _texts(given: Any) -> Iterator[str]:
    """Everything that can be read, wherever it is."""
    if isinstance(given, list):
        for item in given:
            yield from _texts(item)
    elif isinstance(given, dict):
        for key, value in given.items():
            if key == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
