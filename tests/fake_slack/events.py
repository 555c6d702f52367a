"""What Slack tells an app: the bodies of events, commands and interactions, after docs.slack.dev's examples."""

from __future__ import annotations

import copy
import time

from tests.fake_slack.workspace import APP, BOT_ID, BOT_USER, Channel, Json, Message, User, Workspace, name_blocks

VERIFICATION_TOKEN = "verification-token"  # the old way to know Slack; apps check the signature instead


def callback(workspace: Workspace, channel: Channel, event: Json, event_id: str | None = None) -> Json:
    """An event in its wrapper. Its event_id is what stays the same when it is delivered again."""
    authorization = {"team_id": channel.team_id, "user_id": BOT_USER, "is_bot": True, "enterprise_id": None}
    shared = any(workspace.users[member].is_stranger for member in channel.members if member in workspace.users)
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": channel.team_id,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id or workspace.new_id("Ev"),
        "event_time": int(time.time()),
        "authorizations": [{**authorization, "is_enterprise_install": False}],
        "is_ext_shared_channel": shared,
    }


def message(workspace: Workspace, what: Message) -> Json:
    """The message event: message.channels, message.groups or message.im, by its channel_type."""
    channel = workspace.channels[what.channel]
    place = {"channel": channel.id, "channel_type": channel.kind, "event_ts": what.ts}
    return what.to_dict() | place | _around(workspace, what)


def mention(workspace: Workspace, what: Message) -> Json:
    """The app_mention event, the message event's twin. It has no channel_type."""
    event = what.to_dict() | {"type": "app_mention", "channel": what.channel, "event_ts": what.ts}
    return event | _around(workspace, what)


def _around(workspace: Workspace, what: Message) -> Json:
    """Whose thread it is in, and the author's workspace; a stranger's stands in user_team and source_team, too."""
    user = workspace.users[what.user]
    root = workspace.find(what.channel, what.thread_ts) if what.is_reply else None
    around = {"team": user.team_id} | ({"parent_user_id": root.user} if root else {})
    return around | ({"user_team": user.team_id, "source_team": user.team_id} if user.is_stranger else {})


def changed(workspace: Workspace, what: Message, previous: Json) -> Json:
    """The message_changed event; `ts` is that of the change."""
    change = {"subtype": "message_changed", "hidden": True, "message": what.to_dict(), "previous_message": previous}
    return _hidden(workspace, what) | change


def deleted(workspace: Workspace, what: Message) -> Json:
    """The message_deleted event."""
    change = {"subtype": "message_deleted", "hidden": True, "deleted_ts": what.ts, "previous_message": what.to_dict()}
    return _hidden(workspace, what) | change


def _hidden(workspace: Workspace, what: Message) -> Json:
    channel, ts = workspace.channels[what.channel], workspace.new_ts()
    return {"type": "message", "channel": channel.id, "channel_type": channel.kind, "ts": ts, "event_ts": ts}


def home_opened(workspace: Workspace, user: str, channel: str, tab: str) -> Json:
    """The app_home_opened event; with the view that is published, if one is."""
    event = {"type": "app_home_opened", "user": user, "channel": channel, "tab": tab, "event_ts": workspace.new_ts()}
    return event | ({"view": workspace.homes[user]} if tab == "home" and user in workspace.homes else {})


def thread_started(workspace: Workspace, user: str, channel: str, thread_ts: str) -> Json:
    """The assistant_thread_started event of the older assistant pane."""
    thread = {"user_id": user, "context": {}, "channel_id": channel, "thread_ts": thread_ts}
    return {"type": "assistant_thread_started", "assistant_thread": thread, "event_ts": workspace.new_ts()}


def _interaction(workspace: Workspace, kind: str, user: User) -> Json:
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name.lower(), "name": user.name.lower(), "team_id": user.team_id},
        "api_app_id": APP,
        "token": VERIFICATION_TOKEN,
        "trigger_id": workspace.new_trigger(user.id),
        "team": {"id": user.team_id, "domain": user.team_id.lower()},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def clicked(workspace: Workspace, user: User, action: Json, what: Message, url: str) -> Json:
    """block_actions of a message. That of an ephemeral one does not hold the message."""
    channel = workspace.channels[what.channel]
    container: Json = {"type": "message", "message_ts": what.ts, "channel_id": channel.id}
    container |= {"is_ephemeral": what.ephemeral_to is not None}
    body = _interaction(workspace, "block_actions", user) | {
        "container": container | ({"thread_ts": what.thread_ts} if what.thread_ts else {}),
        "channel": {"id": channel.id, "name": _shown_name(channel)},
        "state": {"values": {}},
        "response_url": url,
        "actions": [action],
    }
    return body if what.ephemeral_to else body | {"message": what.to_dict()}


def clicked_in_view(workspace: Workspace, user: User, action: Json, view: Json) -> Json:
    """block_actions of a modal or the Home: no channel, no message, no response url."""
    place = {"container": {"type": "view", "view_id": view["id"]}, "view": view, "actions": [action]}
    return _interaction(workspace, "block_actions", user) | place


def submitted(workspace: Workspace, user: User, view: Json) -> Json:
    """view_submission, its state filled in."""
    return _interaction(workspace, "view_submission", user) | {"view": view, "response_urls": []}


def closed(workspace: Workspace, user: User, view: Json) -> Json:
    """view_closed."""
    body = _interaction(workspace, "view_closed", user) | {"view": view, "is_cleared": False}
    del body["trigger_id"]
    return body


def shortcut(workspace: Workspace, user: User, what: Message, callback_id: str, url: str) -> Json:
    """message_action: a message shortcut."""
    channel = workspace.channels[what.channel]
    return _interaction(workspace, "message_action", user) | {
        "callback_id": callback_id,
        "action_ts": workspace.new_ts(),
        "message_ts": what.ts,
        "message": what.to_dict(),
        "channel": {"id": channel.id, "name": _shown_name(channel)},
        "response_url": url,
    }


def command(workspace: Workspace, user: User, channel: Channel, words: tuple[str, str], url: str) -> Json:
    """A slash command; its fields are all strings, for over HTTP it is a form."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": channel.team_id,
        "team_domain": channel.team_id.lower(),
        "channel_id": channel.id,
        "channel_name": _shown_name(channel),
        "user_id": user.id,
        "user_name": user.name.lower(),
        "command": words[0],
        "text": words[1],
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": url,
        "trigger_id": workspace.new_trigger(user.id),
    }


def _shown_name(channel: Channel) -> str:
    return {"im": "directmessage", "group": "privategroup", "mpim": "mpdm"}.get(channel.kind, channel.name)


def view(workspace: Workspace, given: Json, kind: str) -> Json:
    """A view as Slack keeps it, with what it adds to that of the app."""
    view_id = workspace.new_id("V")
    given = copy.deepcopy(given)
    name_blocks(given["blocks"])
    own: Json = {"id": view_id, "team_id": "T1", "app_id": APP, "bot_id": BOT_ID, "root_view_id": view_id}
    own |= {"hash": workspace.new_id("hash."), "previous_view_id": None, "state": {"values": {}}}
    empty = {"private_metadata": "", "callback_id": "", "external_id": "", "clear_on_close": False}
    empty |= {"notify_on_close": False, "close": None, "submit": None}
    return empty | given | own | {"type": kind}
