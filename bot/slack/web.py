"""Calls of Slack's Web API: rate limits are waited out, faults retried, and nothing is posted twice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, NamedTuple

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry import RateLimitErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import BackoffRetryIntervalCalculator
from slack_sdk.http_retry.handler import RetryHandler
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.models.metadata import Metadata
from slack_sdk.webhook import WebhookClient

from bot.slack.watch import SLACK_ERRORS

if TYPE_CHECKING:
    from bot.slack.blocks import Message

    Content = Mapping[str, Any]
    Effect = Callable[[], Content | None]

UNREACHABLE, RATE_LIMITED = "unreachable", "ratelimited"
TEMPORARY = (UNREACHABLE, RATE_LIMITED)
"""Codes of SlackErrors after which a later attempt may succeed."""
_EVENT_TYPE = "clippings_answer"  # of the metadata of an answer's messages
_PAUSES_SECONDS = (0.5, 2.0, 5.0)  # before a call is repeated after a fault
_MAX_RATE_LIMITS = 20  # that one call waits out
_MAX_RATE_LIMIT_SECONDS = 30  # a longer one is an error: reading threads may be allowed once a minute
_PAGE_MESSAGES = 200
_TIMEOUT_SECONDS = 15
_BLOCKS_REFUSED = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments"}
_FAULTS = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_POSTING = {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
_EXPECTED = {"not_installed", "thread_not_found", "message_not_found", "message_not_in_streaming_state"}
_log = logging.getLogger(__name__)
SDK_LOG = logging.getLogger("clippings.sdk")
SDK_LOG.setLevel(logging.CRITICAL)  # the SDK's warnings quote messages


class SlackError(Exception):
    """Slack refused a call, or could not be reached. ``code`` is Slack's error, or "unreachable"."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.code = code
        if code not in _EXPECTED:
            SLACK_ERRORS.labels(method, code).inc()


class Posted(NamedTuple):
    """A message of the bot in a thread: part ``part`` of ``parts`` of the answer ``key``; "" for a stream."""

    ts: str
    key: str
    part: int
    parts: int


def make_client(token: str | None, api_url: str) -> WebClient:
    """Make a client that waits out rate limits. It does not retry faults: `Slack` knows which calls can be repeated."""
    waiting = _ShortRateLimitHandler(_MAX_RATE_LIMITS)
    return WebClient(token, api_url, timeout=_TIMEOUT_SECONDS, retry_handlers=[waiting], logger=SDK_LOG)


@dataclass(frozen=True, slots=True)
class Slack:
    """A workspace, as its bot. Safe to share between threads. All methods raise SlackError.

    ``guard`` is called before each call; its errors pass through.
    """

    client: WebClient
    bot_user: str
    guard: Callable[[], None] = lambda: None

    def call(self, method: str, **arguments: Any) -> Content:  # noqa: ANN401  # JSON, as the method takes it
        """Call a method that may be repeated."""
        return self._call(method, arguments, lambda: None)

    def post(self, channel: str, thread: str, message: Message, posted: Posted) -> str:
        """Post a part of an answer once, and return its timestamp."""

        def effect() -> Content | None:
            own = self.own_messages(channel, thread)
            return next(({"ts": ts} for ts, key, part, _ in own if (key, part) == (posted.key, posted.part)), None)

        arguments = {"channel": channel, "thread_ts": thread, **_content(message), **_POSTING, **_metadata(posted)}
        return str(self._call_with_blocks("chat.postMessage", arguments, effect)["ts"])

    def post_direct(self, user: str, message: Message) -> tuple[str, str]:
        """Post to a person, and return channel and timestamp. May post twice after a fault."""
        arguments = {"channel": user, **_content(message), **_POSTING}
        posted = self._call_with_blocks("chat.postMessage", arguments)
        return str(posted["channel"]), str(posted["ts"])

    def post_ephemeral(self, channel: str, user: str, thread: str, message: Message) -> None:
        """Post what only one person sees; in the channel if ``thread`` is ""."""
        arguments = {"channel": channel, "user": user, **_content(message)}
        self._call_with_blocks("chat.postEphemeral", arguments | ({"thread_ts": thread} if thread else {}))

    def update(self, channel: str, ts: str, message: Message, posted: Posted) -> None:
        """Replace a message by a part of an answer."""
        arguments = {"channel": channel, "ts": ts, **_content(message), **_metadata(posted)}
        try:
            self._call_with_blocks("chat.update", arguments)
        except SlackError as error:
            if error.code != "streaming_state_conflict":
                raise
            self.stop_stream(channel, ts)  # an earlier stop had failed
            self._call_with_blocks("chat.update", arguments)

    def delete(self, channel: str, ts: str) -> None:
        """Delete a message of the bot, unless it is gone or cannot be deleted."""
        self._call_unless("chat.delete", ("message_not_found", "cant_delete_message"), channel=channel, ts=ts)

    def start_stream(self, channel: str, thread: str, text: str, to: tuple[str, str], earlier: Sequence[str]) -> str:
        """Begin a message that grows, and return its timestamp.

        ``to`` is team and user; ``earlier`` are the timestamps of the streams begun before in this thread.
        """

        def effect() -> Content | None:
            streams = (own.ts for own in self.own_messages(channel, thread) if not own.key)
            return next(({"ts": ts} for ts in streams if ts not in (thread, *earlier)), None)

        arguments = {"channel": channel, "thread_ts": thread, "markdown_text": text}
        arguments |= dict(zip(("recipient_team_id", "recipient_user_id"), to, strict=True))
        return str(self._call("chat.startStream", arguments, effect)["ts"])

    def stop_stream(self, channel: str, ts: str) -> None:
        """End a stream that Slack has not ended itself."""
        ended = ("message_not_in_streaming_state", "message_not_found")
        self._call_unless("chat.stopStream", ended, channel=channel, ts=ts)

    def replies(self, channel: str, thread: str) -> list[Content]:
        """The messages of a thread, oldest first, with its root; empty if there is no such thread.

        If Slack lets the bot read only the first page, that.
        """
        messages: list[Content] = []
        arguments: dict[str, Any] = {"channel": channel, "ts": thread, "limit": _PAGE_MESSAGES}
        arguments |= {"include_all_metadata": True}
        while True:
            codes = ("thread_not_found", *([RATE_LIMITED] if messages else []))
            page = self._call_unless("conversations.replies", codes, **arguments) or {}
            messages += page.get("messages") or ()
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return messages
            arguments["cursor"] = cursor

    def own_messages(self, channel: str, thread: str) -> Iterator[Posted]:
        """The bot's messages in a thread."""
        for message in self.replies(channel, thread):
            if message.get("user") == self.bot_user:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                key, part, parts = payload.get("key", ""), payload.get("part", 0), payload.get("parts", 0)
                yield Posted(str(message["ts"]), str(key), int(part), int(parts))

    def _call_unless(self, method: str, codes: Sequence[str], **arguments: Any) -> Content | None:  # noqa: ANN401  # JSON
        """Call a method; None if Slack refuses with one of the codes."""
        try:
            return self.call(method, **arguments)
        except SlackError as error:
            if error.code not in codes:
                raise
            return None

    def _call_with_blocks(self, method: str, arguments: Content, effect: Effect = lambda: None) -> Content:
        """Call a method; again without blocks if Slack refuses them."""
        try:
            return self._call(method, arguments, effect)
        except SlackError as error:
            if error.code not in _BLOCKS_REFUSED:
                raise
            _log.warning("%s: Slack refused the blocks (%s); sent as text", method, error.code)
            return self._call(method, {**arguments, "blocks": []}, effect)

    def _call(self, method: str, arguments: Content, effect: Effect) -> Content:
        """Call a method. After a fault, return what ``effect`` finds of it in Slack, or call again if it finds None."""
        for pause in (*_PAUSES_SECONDS, None):
            self.guard()
            try:
                data = self.client.api_call(method, **_encoded(arguments)).data
            except (SlackClientError, OSError, HTTPException, ValueError) as error:
                if code := _refusal_code(error):
                    raise SlackError(method, code) from None
                if pause is None:
                    break
                time.sleep(pause)
                if (result := effect()) is not None:
                    return result
            else:
                return data if isinstance(data, dict) else {}
        raise SlackError(method, UNREACHABLE)


class _ShortRateLimitHandler(RateLimitErrorRetryHandler):
    """Waits out rate limits that are not too long."""

    def _can_retry(self, *, response: HttpResponse | None = None, **rest: Any) -> bool:  # noqa: ANN401  # as its base
        if response is None or not super()._can_retry(response=response, **rest):
            return False
        headers = {name.lower(): value for name, value in response.headers.items()}
        seconds = str((headers.get("retry-after") or ["1"])[0])  # the SDK has a list for each name
        return seconds.isdecimal() and int(seconds) <= _MAX_RATE_LIMIT_SECONDS


class _FaultRetryHandler(RetryHandler):
    """Repeats a request after a fault of the connection or of Slack."""

    def _can_retry(self, *, response: HttpResponse | None = None, error: Exception | None = None, **_: object) -> bool:
        if response is not None:
            return response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        return isinstance(error, (OSError, HTTPException))


def respond_to(url: str, message: Message, *, replace: bool = False, public: bool = False) -> None:
    """Answer through a response URL, to the asker alone or to the channel. Raises SlackError."""
    client = WebhookClient(url, timeout=_TIMEOUT_SECONDS, logger=SDK_LOG, retry_handlers=[
        _ShortRateLimitHandler(_MAX_RATE_LIMITS),
        _FaultRetryHandler(len(_PAUSES_SECONDS), BackoffRetryIntervalCalculator(backoff_factor=1.0)),
    ])  # fmt: skip
    content = {"response_type": "in_channel" if public else "ephemeral", "replace_original": replace}
    content |= {"text": message.text, **_POSTING}
    for body in ({**content, "blocks": _content(message)["blocks"]}, content):  # the second if Slack refuses blocks
        try:
            response = client.send_dict(body)
        except (OSError, HTTPException):
            raise SlackError("response_url", UNREACHABLE) from None
        except ValueError:  # it is no URL
            raise SlackError("response_url", "refused") from None
        if response.status_code == HTTPStatus.OK and response.body in ("ok", ""):
            return
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SlackError("response_url", UNREACHABLE)
    raise SlackError("response_url", "refused")


def _refusal_code(error: Exception) -> str | None:
    """Slack's error code; None for a fault, after which the same call may succeed."""
    if not isinstance(error, SlackApiError):
        return None
    status, data = error.response.status_code, error.response.data
    code = data.get("error") if isinstance(data, dict) else None
    fault = status >= HTTPStatus.INTERNAL_SERVER_ERROR or code in _FAULTS
    return str(code) if code and not fault else None


def _encoded(arguments: Content) -> dict[str, Any]:
    """Structured arguments as JSON, flat ones as a form: Slack's reading methods take only that."""
    if any(isinstance(value, (list, dict)) for value in arguments.values()):
        return {"json": dict(arguments)}
    return {"params": {name: int(value) if isinstance(value, bool) else value for name, value in arguments.items()}}


def _content(message: Message) -> dict[str, Any]:
    blocks = [block.to_dict() for block in message.blocks]
    return {"text": message.text, "blocks": blocks, "parse": "none", "link_names": False}


def _metadata(posted: Posted) -> dict[str, Any]:
    payload = {"key": posted.key, "part": posted.part, "parts": posted.parts}
    return {"metadata": Metadata(event_type=_EVENT_TYPE, event_payload=payload).to_dict()}
