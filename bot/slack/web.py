"""Calls of Slack's Web API that end well or say why: rate limits waited out, faults retried, nothing posted twice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, NamedTuple

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry import RateLimitErrorRetryHandler
from slack_sdk.models.metadata import Metadata
from slack_sdk.webhook import WebhookClient

if TYPE_CHECKING:
    from bot.slack.blocks import Message

ANSWER = "clippings_answer"
"""The event type of the metadata that each message of an answer carries."""

_PAUSES = (0.5, 2.0, 5.0)  # seconds before a call is tried again
_WAITS = 20  # times that a rate limit is waited out
_PAGE = 200
_TIMEOUT = 15  # seconds
_NO_BLOCKS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments"}
_log = logging.getLogger(__name__)


class SlackError(Exception):
    """Slack refused a call, or could not be reached; ``code`` is Slack's word for it, or "unreachable"."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.code = code


class Posted(NamedTuple):
    """A message of ours that a thread holds: of which answer it is which part; no key for one that is no part yet."""

    ts: str
    key: str
    part: int
    parts: int


def make_client(token: str | None, api_url: str) -> WebClient:
    """A client that waits where Slack asks to. Faults are retried here, call by call: not all may be made twice."""
    client = WebClient(token=token, base_url=api_url, timeout=_TIMEOUT, retry_handlers=[], logger=_quiet())
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=_WAITS))
    return client


def _quiet() -> logging.Logger:
    """A logger for the SDK, whose warnings hold texts of messages."""
    logger = logging.getLogger("clippings.sdk")
    logger.setLevel(logging.CRITICAL)
    return logger


class Slack:
    """One workspace as its bot sees it. Safe to share between threads. Every method raises SlackError."""

    def __init__(self, client: WebClient, bot_user: str) -> None:
        self.client = client
        self.bot_user = bot_user

    def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401  # JSON, as each method takes it
        """Call a method that may be called twice without harm."""
        return self._call(method, arguments, lambda: None)

    def post(self, channel: str, thread: str, message: Message, posted: Posted) -> str:
        """Post a part of an answer, once, and return its timestamp; without blocks where Slack refuses those."""
        arguments = {"channel": channel, "thread_ts": thread, **_content(message), "metadata": _metadata(posted)}
        arguments |= {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}

        def there() -> Mapping[str, Any] | None:
            """Look for it in the thread: a call that failed may have had its effect."""
            found = (one for one in self.ours(channel, thread) if (one.key, one.part) == (posted.key, posted.part))
            return next(({"ts": one.ts} for one in found), None)

        return str(self._with_or_without_blocks("chat.postMessage", arguments, there)["ts"])

    def start_stream(self, channel: str, thread: str, text: str, to: tuple[str, str], known: Sequence[str]) -> str:
        """Begin a message that grows and return its timestamp; ``to``: team and user, ``known``: those begun before."""
        arguments = {"channel": channel, "thread_ts": thread, "markdown_text": text}
        arguments |= dict(zip(("recipient_team_id", "recipient_user_id"), to, strict=True))

        def there() -> Mapping[str, Any] | None:
            begun = (one.ts for one in self.ours(channel, thread) if not one.key and one.ts not in (thread, *known))
            return next(({"ts": ts} for ts in begun), None)

        return str(self._call("chat.startStream", arguments, there)["ts"])

    def stop_stream(self, channel: str, ts: str) -> None:
        """End the growth of a message, where it has not ended by itself."""
        try:
            self.call("chat.stopStream", channel=channel, ts=ts)
        except SlackError as error:
            if error.code not in ("message_not_in_streaming_state", "message_not_found"):
                raise

    def update(self, channel: str, ts: str, message: Message, posted: Posted) -> None:
        """Put a part of an answer in the place of a message."""
        arguments = {"channel": channel, "ts": ts, **_content(message), "metadata": _metadata(posted)}
        try:
            self._with_or_without_blocks("chat.update", arguments, lambda: None)
        except SlackError as error:
            if error.code != "streaming_state_conflict":
                raise
            self.stop_stream(channel, ts)  # which had not gone through
            self._with_or_without_blocks("chat.update", arguments, lambda: None)

    def say(self, user: str, message: Message) -> tuple[str, str]:
        """Say something to a person directly; returns channel and timestamp. After a fault it may stand there twice."""
        arguments = {
            "channel": user,
            **_content(message),
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        said = self._with_or_without_blocks("chat.postMessage", arguments, lambda: None)
        return str(said["channel"]), str(said["ts"])

    def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours, or leave it where it is gone already, or cannot be."""
        try:
            self.call("chat.delete", channel=channel, ts=ts)
        except SlackError as error:
            if error.code not in ("message_not_found", "cant_delete_message"):
                raise

    def whisper(self, channel: str, user: str, thread: str, message: Message) -> None:
        """Post what only one person sees."""
        arguments = {"channel": channel, "user": user, **_content(message)}
        if thread:
            arguments["thread_ts"] = thread
        self._with_or_without_blocks("chat.postEphemeral", arguments, lambda: None)

    def replies(self, channel: str, thread: str) -> list[Mapping[str, Any]]:
        """The messages of a thread, oldest first, its root included; none where there is no such thread."""
        found: list[Mapping[str, Any]] = []
        cursor = ""
        while True:
            arguments = {"channel": channel, "ts": thread, "limit": _PAGE, "include_all_metadata": True}
            try:
                page = self.call("conversations.replies", **arguments, **({"cursor": cursor} if cursor else {}))
            except SlackError as error:
                if error.code == "thread_not_found":
                    return found
                raise
            found += page.get("messages") or ()
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found

    def ours(self, channel: str, thread: str) -> Iterator[Posted]:
        """The bot's own messages in a thread."""
        for message in self.replies(channel, thread):
            if message.get("user") == self.bot_user:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                key, part, parts = payload.get("key", ""), payload.get("part", 0), payload.get("parts", 0)
                yield Posted(str(message["ts"]), str(key), int(part), int(parts))

    def _with_or_without_blocks(
        self, method: str, arguments: Mapping[str, Any], there: Callable[[], Mapping[str, Any] | None]
    ) -> Mapping[str, Any]:
        try:
            return self._call(method, arguments, there)
        except SlackError as error:
            if error.code not in _NO_BLOCKS:
                raise
            _log.warning("%s: Slack refused the blocks (%s); sent as text", method, error.code)
            return self._call(method, {**arguments, "blocks": []}, there)

    def _call(
        self, method: str, arguments: Mapping[str, Any], there: Callable[[], Mapping[str, Any] | None]
    ) -> Mapping[str, Any]:
        """Call; after a fault, ask ``there`` whether it had its effect all the same, before it is made again."""
        for pause in (*_PAUSES, None):
            try:
                data = self.client.api_call(method, **_encoded(arguments)).data
            except (SlackClientError, OSError, HTTPException, ValueError) as error:
                code = _code(error)
                if code is not None:
                    raise SlackError(method, code) from None
                if pause is None:
                    raise SlackError(method, "unreachable") from None
                time.sleep(pause)
                if (found := there()) is not None:
                    return found
            else:
                return data if isinstance(data, dict) else {}
        raise AssertionError


def respond_to(url: str, message: Message, *, replace: bool = False, public: bool = False) -> None:
    """Answer through a response URL: to the asker alone, or to the channel. Raises SlackError."""
    client = WebhookClient(url, timeout=_TIMEOUT, logger=_quiet(), retry_handlers=[])
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=_WAITS))
    content = {"response_type": "in_channel" if public else "ephemeral", "replace_original": replace}
    content |= {"text": message.text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    for body in ({**content, "blocks": blocks(message)}, content):
        for pause in (*_PAUSES, None):
            try:
                response = client.send_dict(body)
            except (OSError, HTTPException):
                status = 0
            else:
                status = response.status_code
            if status == 200 and response.body in ("ok", ""):  # noqa: PLR2004  # HTTP's own number
                return
            if status in range(200, 500):
                break  # refused: the blocks, perhaps
            if pause is None:
                raise SlackError("response_url", "unreachable")
            time.sleep(pause)
    raise SlackError("response_url", "refused")


def _code(error: Exception) -> str | None:
    """Slack's word for a refusal; None for a fault, after which the same call may go through."""
    if not isinstance(error, SlackApiError):
        return None
    status, data = error.response.status_code, error.response.data
    code = data.get("error") if isinstance(data, dict) else None
    if status >= 500 or code in ("internal_error", "fatal_error", "service_unavailable", "request_timeout"):  # noqa: PLR2004  # HTTP's own
        return None
    return str(code) if code else None


def _encoded(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON where there is structure; else as a form, the only thing that Slack's reading methods take."""
    if any(isinstance(value, (list, dict)) for value in arguments.values()):
        return {"json": dict(arguments)}
    return {"params": {name: int(value) if isinstance(value, bool) else value for name, value in arguments.items()}}


def _content(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": blocks(message), "parse": "none", "link_names": False}


def blocks(message: Message) -> list[dict[str, Any]]:
    """The blocks of a message as JSON."""
    return [block.to_dict() for block in message.blocks]


def _metadata(posted: Posted) -> dict[str, Any]:
    payload = {"key": posted.key, "part": posted.part, "parts": posted.parts}
    return Metadata(event_type=ANSWER, event_payload=payload).to_dict()
