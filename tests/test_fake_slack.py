"""The fake Slack keeps to the protocol that the real SDK expects, and refuses what Slack refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode.request import SocketModeRequest
from waitress.server import TcpWSGIServer, create_server

from tests.fake_slack import FakeSlack, Seen
from tests.fake_slack.listener import listening

Json = dict[str, Any]
HELLO = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}
GO = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "on"}
WHY = {
    "type": "modal",
    "callback_id": "why",
    "title": {"type": "plain_text", "text": "Why?"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "reason"},
        }
    ],
}


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """A fake Slack, in which what is not acknowledged comes again soon."""
    with FakeSlack() as slack:
        slack.redeliver_after = 0.5
        yield slack


@pytest.fixture
def client(slack: FakeSlack) -> WebClient:
    """The bot's own client."""
    return WebClient(slack.bot_token, base_url=slack.api_url)


def events(heard: list[SocketModeRequest]) -> list[Json]:
    """The events among what was heard."""
    return [request.payload["event"] for request in heard if request.type == "events_api"]


def greet(app: App) -> None:
    """Make a bot that answers a mention by a stream, and a command by a button that opens a modal."""

    @app.event("app_mention")
    def answer(event: Json, client: WebClient, say_stream: Any) -> None:
        client.assistant_threads_setStatus(channel_id=event["channel"], thread_ts=event["ts"], status="is looking")
        stream = say_stream(thread_ts=event["ts"], buffer_size=1)
        stream.append(markdown_text="It sank ")
        stream.append(markdown_text="[[1](https://a.example/1)].")
        stream.stop(blocks=[HELLO])

    @app.event("message")
    def ignore() -> None:
        pass

    @app.command("/clippings")
    def command(ack: Any, command: Json, respond: Any) -> None:
        ack(f"Looking for {command['text']}")
        respond(text="Found", blocks=[{"type": "actions", "elements": [GO]}])

    @app.action("go")
    def ask_why(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=WHY)

    @app.view("why")
    def thank(ack: Any, view: Json) -> None:
        given = view["state"]["values"]["reason"]["reason"]["value"]
        ack() if len(given) > 3 else ack(response_action="errors", errors={"reason": "Say more."})


def button(slack: FakeSlack) -> Seen | None:
    """The message with the button that Uma sees."""
    return next((seen for seen in slack.channel("C1") if seen.buttons), None)


def converse(slack: FakeSlack) -> None:
    """Talk to the bot above, and see that it all arrives."""
    ts = slack.say("U1", "C1", "<@UBOT> did it sink?")
    slack.wait(lambda: len(slack.thread("C1", ts)) == 2 and not slack.thread("C1", ts)[1].streaming)
    answer = slack.thread("C1", ts)[1]
    assert (answer.name, answer.text, answer.links) == ("Clippings", "It sank [1].\nhello", ["https://a.example/1"])
    assert slack.status("C1", ts) == ""
    slack.command("U1", "C1", "/clippings", "the ship")
    slack.wait(lambda: button(slack))
    slack.wait(lambda: "Looking for the ship" in [seen.text for seen in slack.channel("C1")])
    assert not [seen for seen in slack.channel("C1", user="U2") if seen.ephemeral_to]
    found = button(slack)
    assert found is not None
    slack.click("U1", found.ts, "Go")
    slack.wait(lambda: slack.modal("U1"))
    slack.submit("U1", {"reason": {"reason": "no"}})
    slack.wait(lambda: slack.workspace.modal_errors.get("U1") == {"reason": "Say more."})
    slack.submit("U1", {"reason": {"reason": "because"}})
    slack.wait(lambda: slack.modal("U1") is None)
    slack.settle()
    assert all(ack.seconds is not None for ack in slack.acks)


def test_a_bolt_app_converses_over_socket_mode(slack: FakeSlack, client: WebClient) -> None:
    """Mention, stream, command, response url, button, modal: as the SDK expects them."""
    app = App(client=client)
    greet(app)
    handler = SocketModeHandler(app, slack.app_token, ping_interval=1)
    handler.connect()  # type: ignore[no-untyped-call]  # Bolt gives it no type
    slack.wait(slack.connected)
    converse(slack)
    handler.client.auto_reconnect_enabled = False
    slack.drop_sockets()
    handler.close()  # type: ignore[no-untyped-call]  # Bolt gives it no type


@contextmanager
def serving(slack: FakeSlack, client: WebClient) -> Iterator[App]:
    """The same bot behind HTTP, in a real WSGI server."""
    app = App(client=client, signing_secret=slack.signing_secret)
    greet(app)
    server = create_server(SlackRequestHandler(app), host="127.0.0.1", port=0, threads=8)

    def run() -> None:
        with suppress(OSError):  # a connection that is closed while the loop waits for it
            server.run()

    threading.Thread(target=run, daemon=True).start()
    assert isinstance(server, TcpWSGIServer)  # one address, one server
    slack.app_url = f"http://127.0.0.1:{server.getsockname()[1]}"
    yield app
    server.task_dispatcher.shutdown()  # first what may write to a connection, then the connections
    server.close()


def test_a_bolt_app_converses_over_signed_http(slack: FakeSlack, client: WebClient) -> None:
    """The same, and the challenge; a signature that is wrong or six minutes old is known as such."""
    with serving(slack, client):
        assert slack.verify_url()
        converse(slack)
        slack.delivery.signing_secret = "another"
        ts = slack.say("U1", "C1", "<@UBOT> and now?")
        slack.wait(lambda: slack.acks[-1].seconds is None)
        assert len(slack.thread("C1", ts)) == 1


def test_over_http_a_failed_event_comes_again_with_its_number(slack: FakeSlack, client: WebClient) -> None:
    """Three times more, with the same event id."""
    tries: list[tuple[str, str | None, str | None]] = []
    with serving(slack, client) as app:

        @app.middleware
        def fail(req: Any, resp: Any) -> Any:
            headers = {name: req.headers.get(f"x-slack-retry-{name}", [None])[0] for name in ("num", "reason")}
            tries.append((req.body["event_id"], headers["num"], headers["reason"]))
            resp.status = 500
            return resp

        slack.say("U1", "C1", "hello", event_ids=["Ev-one"])
        slack.settle()
    assert tries == [("Ev-one", n, n and "http_error") for n in (None, "1", "2", "3")]
    assert [ack.seconds for ack in slack.acks] == [None] * 4


def test_a_mention_comes_as_twins_in_either_order(slack: FakeSlack) -> None:
    """With two event ids, one ts, and the ids that the test chose."""
    with listening(slack) as heard:
        ts = slack.say("U1", "C1", "<@UBOT> hello", event_ids=["Ev-a", "Ev-b"])
        slack.wait(lambda: len(heard) == 2)
        slack.say("U1", "C1", "<@UBOT> again", mention_first=False)
        slack.wait(lambda: len(heard) == 4)
        slack.say("U1", slack.dm("U1"), "<@UBOT> hello")
        slack.settle()
    assert sorted(request.payload["event_id"] for request in heard[:2]) == ["Ev-a", "Ev-b"]
    assert {event["ts"] for event in events(heard)[:2]} == {ts}
    assert sorted(event["type"] for event in events(heard)[2:4]) == ["app_mention", "message"]
    assert [(event["type"], event["channel_type"]) for event in events(heard)[4:]] == [("message", "im")]


def test_what_is_not_acknowledged_comes_again_three_times(slack: FakeSlack) -> None:
    """With the same event id, a new envelope, and the number of the try."""
    slack.redeliver_after = 0.05
    with listening(slack, acknowledge=False) as heard:
        slack.say("U1", "C1", "hello")
        slack.settle()
    assert len({request.payload["event_id"] for request in heard}) == 1
    assert len({request.envelope_id for request in heard}) == 4
    assert sorted((request.retry_attempt, request.retry_reason) for request in heard) == [
        (0, ""),
        (1, "timeout"),
        (2, "timeout"),
        (3, "timeout"),
    ]
    assert [ack.seconds for ack in slack.acks] == [None] * 4


def test_what_a_dropped_socket_did_not_acknowledge_comes_by_the_next(slack: FakeSlack) -> None:
    """An event waits for a socket as long as it must; a redelivery says that it is one."""
    slack.redeliver_after = 30
    with listening(slack, acknowledge=False) as lost:
        ts = slack.say("U1", "C1", "hello")
        slack.wait(lambda: lost)
    slack.wait(lambda: not slack.connected())
    slack.say("U1", "C1", "to nobody")
    with listening(slack) as heard:
        slack.wait(lambda: len(heard) == 2)
        slack.redeliver(ts)
        slack.wait(lambda: len(heard) == 3)
    again = [request for request in heard if request.payload["event"]["ts"] == ts]
    assert [(request.payload["event_id"], request.retry_attempt) for request in again] == [
        (lost[0].payload["event_id"], 1)
    ] * 2


def test_each_envelope_goes_to_one_of_the_sockets(slack: FakeSlack) -> None:
    """With two, each gets its share; asked to go, a client comes back by itself."""
    with listening(slack) as one, listening(slack) as other:
        for number in range(6):
            slack.say("U1", "C1", f"number {number}")
        slack.wait(lambda: len(one) + len(other) == 6)
        assert len(one) == len(other) == 3
        before = list(slack.delivery.sockets)
        slack.disconnect_sockets()
        assert all(socket.retiring for socket in before)
        slack.wait(lambda: slack.connected() == 2)


def test_a_person_is_told_when_a_command_reaches_nobody(slack: FakeSlack) -> None:
    """Commands and clicks are not repeated."""
    slack.command("U1", "C1", "/clippings", "help")
    slack.wait(lambda: slack.channel("C1"))
    assert slack.channel("C1")[0].text == "/clippings failed with the error “dispatch_failed”"
    assert slack.channel("C1")[0].ephemeral_to == "U1"


def test_the_bots_own_messages_come_back_as_events(slack: FakeSlack, client: WebClient) -> None:
    """A post as a message with its bot_id, an edit as message_changed, a deletion as message_deleted."""
    with listening(slack) as heard:
        ts = client.chat_postMessage(channel="C1", text="one")["ts"]
        client.chat_update(channel="C1", ts=ts, text="two")
        client.chat_delete(channel="C1", ts=ts)
        slack.wait(lambda: len(heard) == 3)
    by_kind = {event.get("subtype"): event for event in events(heard)}
    assert by_kind[None]["bot_id"] == "BBOT"
    assert by_kind["message_changed"]["message"]["text"] == "two"
    assert by_kind["message_changed"]["previous_message"]["text"] == "one"
    assert by_kind["message_deleted"]["deleted_ts"] == ts


def test_what_people_do_is_told(slack: FakeSlack) -> None:
    """Edits, deletions, joins, the Home, both panes; and nothing of a channel that the bot is not in."""
    slack.add_user("U2", name="Ann", guest=True)
    slack.add_user("U3", name="Eve", stranger=True)
    slack.add_channel("C2", members=["U2"])
    with listening(slack) as heard:
        ts = slack.say("U1", "C1", "one")
        slack.edit(ts, "two")
        slack.delete(ts)
        slack.join("U2", "C1")
        slack.say("U2", "C2", "<@UBOT> unheard")
        slack.open_home("U1")
        slack.open_messages_tab("U1")
        thread = slack.open_assistant("U1")
        slack.wait(lambda: len(heard) == 7)
        assert not any(request.payload["is_ext_shared_channel"] for request in heard)
        slack.say("U3", "C1", "hello", thread_ts=ts)
        slack.settle()
    kinds = [event.get("subtype") or event.get("tab") or event["type"] for event in events(heard)[:7]]
    assert sorted(kinds) == sorted(
        "message message_changed message_deleted channel_join home messages assistant_thread_started".split()
    )
    assert heard[-1].payload["is_ext_shared_channel"]
    assert (heard[-1].payload["event"]["user_team"], heard[-1].payload["event"]["thread_ts"]) == ("TOTHER", ts)
    assert slack.thread("DU1", thread)[0].raw["subtype"] == "assistant_app_thread"
