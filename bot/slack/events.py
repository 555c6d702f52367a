"""What Slack sends -> a question, or nothing: most of what is said in a channel is not for the bot."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Mapping
from typing import Any

from bot.slack.database import Question

_SPOKEN = (None, "file_share", "thread_broadcast")  # subtypes under which a person says something
_SPECIAL = re.compile(r"<([^<>]*)>")
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_SLACKBOT = "USLACKBOT"
_LONGEST = 4_000  # characters of a question; no question is longer

Payload = Mapping[str, Any]


def question_of_message(body: Payload, bot_user: str) -> Question | None:
    """The question in an event of the kind `message` or `app_mention`; None where the bot is not meant for certain.

    In a channel the two come for one and the same mention. Not for the bot are the messages of bots, its own among
    them, edits, deletions, joins and other notices, and what names another person and not the bot.
    """
    event: Payload = body["event"]
    user, channel, ts = (str(event.get(name) or "") for name in ("user", "channel", "ts"))
    if event.get("subtype") not in _SPOKEN or event.get("bot_id") or event.get("hidden") or event.get("edited"):
        return None
    if not user or user in (bot_user, _SLACKBOT) or not channel or not ts:
        return None
    text, thread = str(event.get("text") or ""), str(event.get("thread_ts") or "")
    mentioned = set(_MENTION.findall(text))
    addressed = bot_user in mentioned or event.get("channel_type") == "im" or channel.startswith("D")
    if not addressed and (mentioned or thread in ("", ts)):
        return None
    team = team_of(body)
    return Question(
        key=f"{team}/{channel}/{ts}", team=team, enterprise=enterprise_of(body), user=user, channel=channel, ts=ts,
        thread=thread or ts, text=plain_text(text, bot_user)[:_LONGEST], addressed=addressed, response_url="",
        received=time.time(),
    )  # fmt: skip


def question_of_command(body: Payload) -> Question:
    """The question after `/clippings`, to be answered to the asker alone."""
    return _private(body, str(body["user_id"]), str(body["channel_id"]), plain_text(str(body.get("text") or ""), ""))


def question_of_shortcut(body: Payload, bot_user: str) -> Question:
    """The message that the shortcut "Ask about this message" was chosen on, as a question of who chose it."""
    text = plain_text(str(body["message"].get("text") or ""), bot_user)
    return _private(body, str(body["user"]["id"]), str(body["channel"]["id"]), text)


def question_of_example(body: Payload, text: str, channel: str, ts: str) -> Question:
    """A question chosen in the App Home, which stands as a message of its own in the direct conversation."""
    team, user = team_of(body), str(body["user"]["id"])
    return Question(
        key=f"{team}/{channel}/{ts}", team=team, enterprise=enterprise_of(body), user=user, channel=channel, ts=ts,
        thread=ts, text=text, addressed=True, response_url="", received=time.time(),
    )  # fmt: skip


def _private(body: Payload, user: str, channel: str, text: str) -> Question:
    team = team_of(body)
    return Question(
        key=f"{team}/{user}/{body['trigger_id']}"[:200], team=team, enterprise=enterprise_of(body), user=user,
        channel=channel, ts="", thread="", text=text[:_LONGEST], addressed=True,
        response_url=str(body["response_url"]), received=time.time(),
    )  # fmt: skip


def plain_text(text: str, bot_user: str) -> str:
    """A message as its reader sees it, without the mentions: ``"<@UBOT> is <http://a.b|it> &lt;1" -> "is it <1"``."""

    def shown(match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        if target.startswith("@"):
            return label if label and target[1:] != bot_user else " "
        if target.startswith("#"):
            return f"#{label}" if label else " "
        if target.startswith("!"):
            return label or " "
        return label or target.removeprefix("mailto:")

    return " ".join(html.unescape(_SPECIAL.sub(shown, text)).split())


def team_of(body: Payload) -> str:
    """The workspace whose bot is meant: the one that installed it, which need not be that of who asks."""
    for authorization in body.get("authorizations") or ():
        if authorization.get("team_id"):
            return str(authorization["team_id"])
    team = body.get("team")
    return str(body.get("team_id") or (team.get("id") if isinstance(team, Mapping) else team) or "")


def enterprise_of(body: Payload) -> str:
    """The organisation of the workspaces, "" where there is none."""
    enterprise = body.get("enterprise")
    return str(body.get("enterprise_id") or (enterprise.get("id") if isinstance(enterprise, Mapping) else "") or "")
