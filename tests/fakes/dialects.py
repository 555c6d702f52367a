"""Replies in the words of three protocols, as recorded: OpenAI's, Ollama's and Anthropic's.

The forms are those of the providers' references: OpenAI's chat completions, Ollama's ``docs/api.md`` and
Anthropic's "Streaming messages", with the fields that the clients need and those that real servers add.
"""

from __future__ import annotations

import json
from typing import Any, Literal

Dialect = Literal["openai", "ollama", "anthropic"]
OLLAMA_HEAD = {"model": "fake", "created_at": "2025-08-04T08:52:19.385406455Z"}
OLLAMA_TAIL = {"total_duration": 4883583458, "load_duration": 1334875, "prompt_eval_count": 26, "eval_count": 282}
OPENAI_HEAD = {"id": "fake-1", "created": 1, "model": "fake"}
CONTENT_TYPES: dict[Dialect, str] = {
    "openai": "text/event-stream",
    "ollama": "application/x-ndjson",
    "anthropic": "text/event-stream",
}
_ANTHROPIC_MESSAGE: dict[str, Any] = {
    "id": "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyy",
    "type": "message",
    "role": "assistant",
    "content": [],
    "model": "fake",
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 25, "output_tokens": 1},
}


def dialect_of(path: str) -> Dialect:
    """Tell the protocol by the path of the request."""
    return "ollama" if path.endswith("/api/chat") else "anthropic" if path.endswith("/messages") else "openai"


def begin(dialect: Dialect, *, thinks: bool) -> list[bytes]:
    """Return the events before the first piece."""
    if dialect != "anthropic":
        return []
    block = {"type": "thinking", "thinking": "", "signature": ""} if thinks else {"type": "text", "text": ""}
    return [
        _named({"type": "message_start", "message": _ANTHROPIC_MESSAGE}),
        _named({"type": "content_block_start", "index": 0, "content_block": block}),
        _named({"type": "ping"}),
    ]


def piece(dialect: Dialect, text: str, *, thought: bool = False) -> bytes:
    """Return the event with a piece of the answer, or of the thought, which has a field of its own."""
    if dialect == "ollama":
        message = {"content": "", "thinking": text} if thought else {"content": text}
        return _line({**OLLAMA_HEAD, "message": {"role": "assistant", **message}, "done": False})
    if dialect == "anthropic":
        delta = {"type": "thinking_delta", "thinking": text} if thought else {"type": "text_delta", "text": text}
        return _named({"type": "content_block_delta", "index": 0, "delta": delta})
    return _chunk({"reasoning_content" if thought else "content": text}, None)


def answer_begins(dialect: Dialect) -> list[bytes]:
    """Return the events between the thought and the answer."""
    if dialect != "anthropic":
        return []
    signature = {"type": "signature_delta", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds"}
    return [
        _named({"type": "content_block_delta", "index": 0, "delta": signature}),
        _named({"type": "content_block_stop", "index": 0}),
        _named({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
    ]


def end(dialect: Dialect, reason: str | None) -> list[bytes]:
    """Return the events after the last piece; ``reason`` in OpenAI's words, None if the server gives none."""
    if dialect == "ollama":
        done = {"done": True, "done_reason": reason} if reason else {"done": True}
        return [_line({**OLLAMA_HEAD, "message": {"role": "assistant", "content": ""}, **done, **OLLAMA_TAIL})]
    if dialect == "anthropic":
        stop = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}.get(reason or "stop", reason)
        delta = {"stop_reason": stop, "stop_sequence": None}
        return [
            _named({"type": "content_block_stop", "index": 0}),
            _named({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 15}}),
            _named({"type": "message_stop"}),
        ]
    last = [_chunk({}, reason)] if reason else []
    return [*last, b"data: [DONE]\n\n"]


def whole(dialect: Dialect, text: str, reason: str | None) -> bytes:
    """Return a reply that is not streamed."""
    message = {"role": "assistant", "content": text}
    if dialect == "ollama":
        return json.dumps({**OLLAMA_HEAD, "message": message, "done": True, "done_reason": reason}).encode()
    if dialect == "anthropic":
        content = [{"type": "text", "text": text}]
        return json.dumps({**_ANTHROPIC_MESSAGE, "content": content, "stop_reason": "end_turn"}).encode()
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return json.dumps({**OPENAI_HEAD, "object": "chat.completion", "choices": [choice]}).encode()


def error(dialect: Dialect, status: int, message: str) -> bytes:
    """Return the body of an error."""
    if dialect == "ollama":
        return json.dumps({"error": message}).encode()
    if dialect == "anthropic":
        kind = {400: "invalid_request_error", 401: "authentication_error", 529: "overloaded_error"}
        fault = {"type": kind.get(status, "api_error"), "message": message}
        return json.dumps({"type": "error", "error": fault, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}).encode()
    return json.dumps({"error": {"message": message, "type": "fake", "code": None}}).encode()


def error_within(dialect: Dialect, message: str) -> bytes:
    """Return the event of an error in the middle of a stream."""
    if dialect == "anthropic":
        return b"event: error\ndata: %s\n\n" % error(dialect, 529, message)
    return (
        error(dialect, 500, message) + b"\n" if dialect == "ollama" else b"data: %s\n\n" % error(dialect, 500, message)
    )


def _chunk(delta: dict[str, str], reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return f"data: {json.dumps({**OPENAI_HEAD, 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()


def _named(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"
