"""Odd and forged requests over HTTP: a plain refusal, no 500, and no traceback in the log."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fake_slack import FakeSlack, events
from tests.fake_slack.workspace import Message
from tests.fakes.hostile import TEXTS
from tests.slack_process import BotInside

pytestmark = pytest.mark.process(seconds=20)
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
HUGE = "9" * 400
EXAMPLES = 150 if os.environ.get("CI") else 40
QUIET = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ODD: Any = st.recursive(
    st.sampled_from(
        [None, "", "x", [], {}, 0, -1, True, float("inf"), float("nan"), HUGE, int(HUGE), "\0", "\ud800", "é"]
    )
    | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "ts", "value"]), inner, max_size=2)
    ),
    max_leaves=3,
)


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotInside]:
    """The service over HTTP, without articles."""
    with FakeSlack() as slack, BotInside(slack, tmp_path_factory.mktemp("forged") / "data", mode="http") as started:
        slack.delivery.subscriptions = set()  # what it posts is not sent back: no connection is left open at the end
        yield started


@pytest.fixture(scope="module")
def real(bot: BotInside) -> dict[str, dict[str, Any]]:
    """A payload of every kind, as Slack writes it; always the same."""
    return payloads(bot.slack)


@pytest.fixture(autouse=True)
def no_traceback(bot: BotInside, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is logged as an error of the program, though it goes on after the request."""
    yield
    bot.slack.settle()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def ask(bot: BotInside, body: bytes, headers: dict[str, str], path: str = "/slack/events", query: str = "") -> int:
    """Status of a request, which is handed to the pages as a WSGI server does."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST" if body else "GET", "PATH_INFO": path, "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }  # fmt: skip
    started: list[str] = []

    def start(status: str, _headers: object, _error: object = None) -> Callable[[bytes], object]:
        started.append(status)
        return lambda _: None

    bot._service.pages(environ, start)
    return int(started[0].split()[0])


def signed(bot: BotInside, body: bytes, kind: str = JSON) -> int:
    """Status of a request with Slack's signature."""
    return ask(bot, body, {"Content-Type": kind, **bot.slack.sign(body)})


def payloads(slack: FakeSlack) -> dict[str, dict[str, Any]]:
    """A payload of every kind, as Slack writes it."""
    workspace, user = slack.workspace, slack.workspace.users["U1"]
    channel, url = workspace.channels["C1"], slack.url + "/response/none"
    with workspace.lock:
        message = Message("C1", workspace.new_ts(), "U1", "<@UBOT> hello")
        view = events.view(
            workspace, {"type": "modal", "blocks": [], "callback_id": "why", "private_metadata": "k"}, "modal"
        )
        view["state"] = {"values": {"reason": {"reason": {"type": "plain_text_input", "value": "old"}}}}

        def click(action: str, value: str) -> dict[str, Any]:
            pressed = {"type": "button", "action_id": action, "value": value, "block_id": "b", "action_ts": "1.000001"}
            return events.clicked(workspace, user, pressed, message, url)

        told = {
            "message": events.message(workspace, message) | {"channel": "C1"},
            "mention": events.mention(workspace, message),
            "home": events.home_opened(workspace, "U1", "DU1", "home"),
            "pane": events.thread_started(workspace, "U1", "DU1", "1.000001"),
            "removed": {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}},
        }
        return {
            **{name: events.callback(workspace, channel, event) for name, event in told.items()},
            "shortcut": events.shortcut(workspace, user, message, "ask_about", url),
            "feedback": click("feedback", "unhelpful k"),
            "retry": click("retry", "k"),
            "share": click("share", "k"),
            "passage": click("passage-1", json.dumps({"id": "a", "start": 0, "end": 9, "mark": "0"})),
            "example": click("ask-1", "hello"),
            "modal": events.submitted(workspace, user, view),
            "command": events.command(workspace, user, channel, ("/clippings", "hello"), url),
        }


def body_of(name: str, payload: Any) -> tuple[bytes, str]:  # JSON
    """The body that Slack sends, and its type."""
    if name in ("message", "mention", "home", "pane", "removed"):
        return json.dumps(payload).encode(), JSON
    form = payload if name == "command" and isinstance(payload, dict) else {"payload": json.dumps(payload)}
    return urlencode(form, errors="surrogatepass").encode(), FORM


def paths(value: object, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the values of a payload are: ``("event", "user")``."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, below in inner for path in paths(below, (*here, key)))]


def changed(value: Any, path: tuple[Any, ...], new: object) -> Any:  # JSON
    """A copy with another value at a path; without it if ``new`` is ``...``."""
    if not path:
        return {} if new is ... else new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if new is ... and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


KINDS = "message mention home pane removed shortcut feedback retry share passage example modal command".split()


@pytest.mark.parametrize("name", KINDS)
def test_real_payloads_are_taken(bot: BotInside, real: dict[str, dict[str, Any]], name: str) -> None:
    """What is changed below is right before."""
    assert signed(bot, *body_of(name, real[name])) == 200


@QUIET
@given(st.sampled_from(KINDS), st.data())
def test_a_changed_payload_is_taken_or_refused(
    bot: BotInside, real: dict[str, dict[str, Any]], name: str, data: st.DataObject
) -> None:
    """Any value is missing, or is another: 200, 400, or 404 for a kind that nobody listens to."""
    payload: Any = real[name]
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(paths(payload)))
        payload = changed(payload, path, data.draw(ODD | st.just(...)))
        if not isinstance(payload, dict):
            break
    assert signed(bot, *body_of(name, payload)) in (200, 400, 404)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x", JSON),
        (b"[]", JSON),
        (b"{", JSON),
        (b"1e999", JSON),
        (b'{"event": 1e999}', JSON),
        (b'{"a": ' + b"9" * 5000 + b"}", JSON),
        (b'{"a":' * 100_000, JSON),
        (b"payload=x", FORM),
        (b"payload=[]", FORM),
        (b"payload=1e999", FORM),
        (b"payload=%ff", FORM),
        (b"command=%ff&text=%ff", FORM),
        (b"&&&=", FORM),
    ],
)
def test_a_body_that_is_no_payload_is_refused(bot: BotInside, body: bytes, kind: str) -> None:
    """Also with Slack's signature."""
    assert signed(bot, body, kind) in (400, 404)


def test_a_body_that_is_no_text_is_refused(bot: BotInside) -> None:
    """The signature is over text."""
    assert signed(bot, b"payload=\xff", FORM) == 401


@pytest.fixture
def by_socket(tmp_path: Path) -> Iterator[BotInside]:
    """The service by Socket Mode, without articles."""
    with FakeSlack() as slack, BotInside(slack, tmp_path / "data") as started:
        yield started


def test_what_cannot_be_read_is_acknowledged_on_the_socket(by_socket: BotInside) -> None:
    """Once, within Slack's three seconds, and the log says so: what is not acknowledged comes again three times."""
    slack = by_socket.slack
    payloads: list[tuple[Literal["events_api", "interactive", "slash_commands"], dict[str, Any]]] = [
        ("events_api", {"type": "event_callback", "event_id": "Ev1", "team_id": [], "event": {"type": "message"}}),
        ("events_api", {"type": "event_callback", "event_id": "Ev2", "event": []}),
        ("interactive", {"type": "block_actions", "actions": "x"}),
        ("interactive", {"type": "nobody listens"}),
        ("slash_commands", {"command": "/clippings", "user_id": {}}),
    ]
    for kind, payload in payloads:
        before = len(slack.acks)
        slack.delivery.send(kind, payload)
        slack.wait(lambda: len(slack.acks) > before)  # noqa: B023  # waited for at once
        assert [ack.seconds is not None for ack in slack.acks[before:]] == [True], payload
    assert by_socket.logged().count("a payload was acknowledged, and nothing was done (4") >= 4


@pytest.mark.parametrize(
    "timestamp", ["x", "", "[]", "1e999", "nan", "inf", "-1", HUGE, "9" * 5000, "\xff", "١٢٣", "1.5"]
)
def test_an_odd_timestamp_is_refused(bot: BotInside, timestamp: str) -> None:
    """As any wrong signature."""
    headers = {"Content-Type": JSON, "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": "v0=00"}
    assert ask(bot, b"{}", headers) == 401


@pytest.mark.parametrize(
    "value", ["x", "[]", "{}", "1e999", '{"id": "a", "start": 1e999, "end": 1, "mark": ""}', '{"id": "\\ud800"}', HUGE]
)
def test_an_odd_button_gets_a_sentence(bot: BotInside, value: str) -> None:
    """Its value is not what the bot had put there; the person reads that it went wrong."""
    slack = bot.slack
    payload = payloads(slack)["passage"]
    payload["actions"][0]["value"] = value
    assert signed(bot, *body_of("passage", payload)) == 200
    slack.wait(lambda: slack.modal("U1"), 10)
    slack.close("U1")
