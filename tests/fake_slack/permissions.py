"""What a manifest allows: which scope a method needs, and which subscription an event (docs.slack.dev, each page)."""

from __future__ import annotations

from tests.fake_slack.workspace import Json

_SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "chat.startStream": "chat:write",
    "chat.appendStream": "chat:write",
    "chat.stopStream": "chat:write",
    "users.info": "users:read",
    "assistant.threads.setStatus": "assistant:write",
    "assistant.threads.setTitle": "assistant:write",
    "assistant.threads.setSuggestedPrompts": "assistant:write",
}
# By kind of channel: "channels:history" and so on.
_BY_KIND = {"conversations.replies": "history", "conversations.history": "history", "conversations.info": "read"}
_KINDS = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}


def scope(method: str, kind: str) -> str | None:
    """The scope that a method needs in that kind of channel: ``("users.info", "im") -> "users:read"``."""
    if method in _BY_KIND:
        return f"{_KINDS[kind]}:{_BY_KIND[method]}"
    return _SCOPES.get(method)


def subscription(event: Json) -> str:
    """What an app subscribes to for an event: "message.channels", "app_mention"."""
    if event["type"] == "message":
        return "message." + _KINDS[event["channel_type"]]
    return str(event["type"])
