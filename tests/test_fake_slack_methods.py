"""The fake Slack's Web API does what Slack's does, and refuses what Slack refuses."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.webhook import WebhookClient

from tests.fake_slack import FakeSlack
from tests.fake_slack.listener import listening
from tests.test_fake_slack import GO, HELLO, WHY, client, events, slack

Json = dict[str, Any]
__all__ = ["client", "slack"]  # the fixtures


def refusal(call: Any, **arguments: Any) -> str:
    """The error that a call is refused with."""
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return str(caught.value.response["error"])


def test_a_stream_keeps_to_its_states(slack: FakeSlack, client: WebClient) -> None:
    """Recipients in channels, 12,000 characters in all, no edit while it is open, no more after its end."""
    root = slack.say("U1", "C1", "a question")
    to: Json = {"recipient_team_id": "T1", "recipient_user_id": "U1"}
    assert refusal(client.chat_startStream, channel="C1", thread_ts=root) == "missing_recipient_team_id"
    assert refusal(client.chat_startStream, channel="C1", thread_ts="1.0", **to) == "invalid_thread_ts"
    ts = client.chat_startStream(channel="C1", thread_ts=root, markdown_text="a" * 6_000, **to)["ts"]
    here = {"channel": "C1", "ts": ts}
    assert slack.thread("C1", root)[1].streaming
    assert refusal(client.chat_update, **here, text="b") == "streaming_state_conflict"
    assert refusal(client.chat_delete, **here) == "cant_delete_message"
    assert refusal(client.chat_appendStream, **here, markdown_text="b" * 6_001) == "msg_too_long"
    assert refusal(client.chat_appendStream, **here, chunks=[{"type": "tune"}]) == "invalid_chunks"
    client.chat_appendStream(**here, markdown_text="b" * 6_000)
    client.chat_stopStream(**here, blocks=[HELLO])
    assert slack.thread("C1", root)[1].text == "a" * 6_000 + "b" * 6_000 + "\nhello"
    assert refusal(client.chat_appendStream, **here, markdown_text="c") == "message_not_in_streaming_state"
    client.chat_update(**here, text="whole", blocks=[])
    assert slack.thread("C1", root)[1].text == "whole"
    late = client.chat_startStream(channel=slack.dm("U1"), thread_ts=slack.say("U1", "DU1", "more"))["ts"]
    slack.expire_streams()
    assert refusal(client.chat_stopStream, channel="DU1", ts=late) == "message_not_in_streaming_state"


def test_an_edit_keeps_what_it_does_not_give(slack: FakeSlack, client: WebClient) -> None:
    """Blocks and metadata stay until they are given, be it empty; text is 4,000 characters at most."""
    known = {"event_type": "answer", "event_payload": {"key": "k"}}
    ts = client.chat_postMessage(channel="C1", text="one", blocks=[HELLO], metadata=known)["ts"]
    client.chat_update(channel="C1", ts=ts, text="two")
    assert slack.channel("C1")[0].text == "hello"
    assert slack.channel("C1")[0].raw["metadata"] == known
    client.chat_update(channel="C1", ts=ts, text="two", blocks=[])
    assert slack.channel("C1")[0].text == "two"
    assert refusal(client.chat_update, channel="C1", ts=ts, text="x" * 4_001) == "msg_too_long"
    theirs = slack.say("U1", "C1", "mine")
    assert refusal(client.chat_update, channel="C1", ts=theirs, text="yours") == "cant_update_message"
    assert refusal(client.chat_update, channel="C1", ts="1.0", text="nobody's") == "message_not_found"


def test_it_refuses_what_slack_refuses(slack: FakeSlack, client: WebClient) -> None:
    """Unknown methods, channels and people, wrong tokens, nothing to say, a reply for a root."""
    slack.add_channel("C2", members=["U1"])
    root = slack.say("U1", "C1", "root")
    reply = slack.say("U1", "C1", "reply", thread_ts=root)
    assert refusal(client.api_call, api_method="chat.sing") == "unknown_method"
    assert refusal(WebClient("xoxb-no", base_url=slack.api_url).auth_test) == "invalid_auth"
    assert refusal(WebClient(base_url=slack.api_url).auth_test) == "not_authed"
    assert refusal(client.apps_connections_open, app_token="xoxb-fake") == "not_allowed_token_type"
    assert refusal(client.api_call, api_method="chat.postMessage", params={"channel": "C1", "text": ""}) == "no_text"
    assert refusal(client.chat_postMessage, channel="C9", text="a") == "channel_not_found"
    assert refusal(client.chat_postMessage, channel="C2", text="a") == "not_in_channel"
    assert refusal(client.chat_postMessage, channel="C1", text="a" * 40_001) == "msg_too_long"
    assert refusal(client.chat_postMessage, channel="C1", text="a", thread_ts=reply) == "cannot_reply_to_message"
    assert refusal(client.chat_postEphemeral, channel="C1", text="a", user="U9") == "user_not_in_channel"
    assert refusal(client.users_info, user="U9") == "user_not_found"
    assert refusal(client.conversations_replies, channel="C1", ts="1.0") == "thread_not_found"
    assert slack.calls[0].method == "chat.sing"


def test_a_thread_is_read_in_pages(slack: FakeSlack, client: WebClient) -> None:
    """Root first, each message once, metadata only when it is asked for, what is ephemeral never."""
    known = {"event_type": "answer", "event_payload": {}}
    root = slack.say("U1", "C1", "0")
    for number in range(1, 5):
        client.chat_postMessage(channel="C1", thread_ts=root, text=str(number), metadata=known)
    client.chat_postEphemeral(channel="C1", thread_ts=root, text="psst", user="U1")
    pages = [page["messages"] for page in client.conversations_replies(channel="C1", ts=root, limit=2)]
    assert [[message["text"] for message in page] for page in pages] == [["0", "1"], ["2", "3"], ["4"]]
    assert "metadata" not in pages[1][0]
    whole = client.conversations_replies(channel="C1", ts=root, include_all_metadata=True)["messages"]
    assert (whole[0]["reply_count"], whole[1]["metadata"]) == (4, known)
    newest = client.conversations_history(channel="C1", limit=1)["messages"]
    assert [message["text"] for message in newest] == ["0"]


def test_a_response_url_is_good_for_five_uses(slack: FakeSlack, client: WebClient) -> None:
    """Ephemeral unless it says otherwise; it can replace and take away the message that was clicked."""
    client.chat_postEphemeral(channel="C1", text="a", blocks=[{"type": "actions", "elements": [GO]}], user="U1")
    with listening(slack) as heard:
        slack.click("U1", slack.channel("C1")[0].ts, "go")
        slack.wait(lambda: heard)
    body = heard[0].payload
    assert "message" not in body
    assert (body["actions"][0]["value"], body["container"]["is_ephemeral"]) == ("on", True)
    url = WebhookClient(body["response_url"])
    assert url.send(text="b", replace_original=True).status_code == 200
    assert [seen.text for seen in slack.channel("C1")] == ["b"]
    url.send(delete_original=True)
    assert slack.channel("C1") == []
    url.send(text="to you")
    url.send(text="to all", response_type="in_channel")
    assert [seen.text for seen in slack.channel("C1", user="U2")] == ["to all"]
    assert url.send(text="x", blocks=[{"type": "tune"}]).body == "invalid_blocks"
    assert (url.send(text="six").status_code, url.send(text="six").body) == (404, "used_url")


def test_a_modal_needs_a_fresh_trigger(slack: FakeSlack, client: WebClient) -> None:
    """Known, unused, and at most three seconds old."""
    with listening(slack):
        trigger = slack.command("U1", "C1", "/clippings", "help")
        late = slack.command("U1", "C1", "/clippings", "help")
        slack.settle()
    slack.workspace.triggers[late].made -= 4
    view = client.views_open(trigger_id=trigger, view=WHY)["view"]
    assert refusal(client.views_open, trigger_id=trigger, view=WHY) == "exchanged_trigger_id"
    assert refusal(client.views_open, trigger_id=late, view=WHY) == "expired_trigger_id"
    assert refusal(client.views_open, trigger_id="any", view=WHY) == "invalid_trigger_id"
    assert refusal(client.views_update, view_id=view["id"], hash="old", view=WHY) == "hash_conflict"
    client.views_update(view_id=view["id"], view=WHY | {"callback_id": "other"})
    modal = slack.modal("U1")
    assert modal is not None
    assert (modal["id"], modal["callback_id"]) == (view["id"], "other")
    slack.close("U1")
    assert slack.modal("U1") is None


def test_the_home_and_the_panes(slack: FakeSlack, client: WebClient) -> None:
    """A button in the Home, prompts of the agent pane and of the older one, a title and a status."""
    client.views_publish(user_id="U1", view={"type": "home", "blocks": [{"type": "actions", "elements": [GO]}]})
    with listening(slack) as heard:
        slack.click("U1", None, "Go")
        thread = slack.open_assistant("U1")
        slack.wait(lambda: len(heard) == 2)
    clicked = next(request.payload for request in heard if request.type == "interactive")
    assert (clicked["container"]["type"], clicked["view"]["type"]) == ("view", "home")
    prompts = [{"title": "a", "message": "b"}]
    channel, said = slack.dm("U1"), slack.say("U1", "DU1", "hello", deliver=False)
    for thread_ts in (None, thread, said):
        client.assistant_threads_setSuggestedPrompts(channel_id=channel, thread_ts=thread_ts, prompts=prompts)
    assert slack.prompts(channel) == slack.prompts(channel, thread) == prompts
    assert slack.prompts(channel, said) == []
    assert refusal(client.assistant_threads_setSuggestedPrompts, channel_id=channel, prompts=prompts * 5)
    client.assistant_threads_setTitle(channel_id=channel, thread_ts=said, title="A title")
    client.assistant_threads_setStatus(channel_id=channel, thread_ts=said, status="is looking")
    assert (slack.title(channel, said), slack.status(channel, said)) == ("A title", "is looking")
    client.chat_postMessage(channel=channel, thread_ts=said, text="done")
    assert slack.status(channel, said) == ""


def test_faults_come_when_they_are_asked_for(slack: FakeSlack, client: WebClient) -> None:
    """An error, a 429 with its Retry-After, a 500 after the effect; then all is well again."""
    slack.fault("chat.postMessage", error="invalid_blocks", times=2)
    for _ in range(2):
        assert refusal(client.chat_postMessage, channel="C1", text="a") == "invalid_blocks"
    slack.fault("chat.postMessage", status=429, retry_after=7)
    with pytest.raises(SlackApiError) as limited:
        client.chat_postMessage(channel="C1", text="a")
    assert (limited.value.response.status_code, limited.value.response.headers["Retry-After"]) == (429, "7")
    slack.fault("chat.postMessage", status=500, after_effect=True, delay=0.1)
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel="C1", text="b")
    assert [seen.text for seen in slack.channel("C1")] == ["b"]
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    slack.fault("chat.postMessage", status=429, retry_after=1)
    client.chat_postMessage(channel="C1", text="c")
    assert slack.channel("C1")[1].text == "c"


def test_oauth_makes_a_token_of_a_code_once(slack: FakeSlack, client: WebClient) -> None:
    """Each workspace has its token, which sees its own channels and dies when the app is taken out."""
    slack.add_channel("C9", team="T9")
    known = {"client_id": slack.client_id, "client_secret": slack.client_secret}
    code = slack.new_code("T9")
    assert refusal(client.oauth_v2_access, client_id="x", client_secret="y", code=code) == "invalid_client_id"
    granted = client.oauth_v2_access(**known, code=code)
    assert refusal(client.oauth_v2_access, **known, code=code) == "invalid_code"
    there = WebClient(granted["access_token"], base_url=slack.api_url)
    assert (granted["team"]["id"], there.auth_test()["team_id"]) == ("T9", "T9")
    there.chat_postMessage(channel="C9", text="hello")
    assert refusal(there.chat_postMessage, channel="C1", text="hello") == "channel_not_found"
    with listening(slack) as heard:
        slack.uninstall("T9")
        slack.wait(lambda: {"tokens_revoked", "app_uninstalled"} <= {event["type"] for event in events(heard)})
    assert refusal(there.auth_test) == "account_inactive"
    assert client.auth_test()["team_id"] == "T1"


def test_a_manifest_is_held_to(slack: FakeSlack, client: WebClient) -> None:
    """A method without its scope is refused, an event without its subscription not sent."""
    bot = {"scopes": {"bot": ["chat:write"]}}
    slack.follow({"oauth_config": bot, "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}}})
    with listening(slack) as heard:
        ts = slack.say("U1", "C1", "<@UBOT> hello")
        client.chat_postMessage(channel="C1", text="hello")
        slack.settle()
    assert [event["type"] for event in events(heard)] == ["app_mention"]
    assert refusal(client.conversations_replies, channel="C1", ts=ts) == "missing_scope"


def test_pings_and_links_are_seen_wherever_slack_would_parse_them(slack: FakeSlack, client: WebClient) -> None:
    """In text, mrkdwn, Markdown and rich text; not where they are escaped or plain."""
    rich = [{"type": "broadcast", "range": "here"}, {"type": "text", "text": "<!channel> http://no.example"}]
    blocks: list[Json] = [
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "<@U1> &lt;!here&gt; <https://a.example|A> http://b.example"},
        },
        {"type": "header", "text": {"type": "plain_text", "text": "<!everyone> http://no.example"}},
        {"type": "markdown", "text": "[C](https://c.example) <#C1>"},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": rich}]},
    ]
    client.chat_postMessage(channel="C1", text="<!channel>", blocks=blocks)
    assert slack.pings() == ["<@U1>", "<#C1>", "broadcast here", "<!channel>"]
    seen = slack.channel("C1")[0]
    assert seen.links == ["https://a.example", "http://b.example", "https://c.example"]
    assert seen.text.splitlines()[0] == "@U1 <!here> A http://b.example"


def test_waiting_in_vain_shows_the_conversation(slack: FakeSlack) -> None:
    """The transcript names who said what."""
    slack.say("U1", "C1", "anybody there?", deliver=False)
    with pytest.raises(AssertionError, match="Uma: anybody there"):
        slack.wait(lambda: False, timeout=0.05)


def test_the_page_sees_and_does_what_a_person_does(slack: FakeSlack, client: WebClient) -> None:
    """Its state, what it says, and what it cannot do."""
    client.chat_postEphemeral(channel="C1", text="psst", user="U1")
    client.chat_postMessage(channel="C1", text="a", blocks=[{"type": "actions", "elements": [GO]}])

    def post(action: str, **body: str | None) -> Json:
        request = Request(f"{slack.url}/ui/{action}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(request) as reply:
            found: Json = json.load(reply)
        return found

    with listening(slack) as heard:
        ts = post("say", user="U1", channel="C1", text="hello")["result"]
        post("click", user="U1", ts=slack.channel("C1")[1].ts, action_id="go")
        post("command", user="U1", channel="C1", text="/clippings who is it")
        slack.wait(lambda: {request.type for request in heard} == {"events_api", "interactive", "slash_commands"})
    assert slack.thread("C1", ts)[0].text == "hello"
    with urlopen(f"{slack.url}/ui/state?user=U1") as mine, urlopen(f"{slack.url}/ui/state?user=U2") as yours:
        assert "psst" in mine.read().decode()
        assert "psst" not in yours.read().decode()
    with pytest.raises(HTTPError, match="400"):
        post("click", user="U1", ts=ts, action_id="go")
