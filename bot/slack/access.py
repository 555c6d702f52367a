"""Who may ask, and how often."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.slack.database import Database, Question
    from bot.slack.web import Slack

_PERIOD_SECONDS = 300  # in which questions are counted
_MAX_CACHE_SECONDS = 600  # that Slack's word on a person is kept
_MAX_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class Asker:
    """A person in a channel of a workspace, by ids."""

    team: str
    enterprise: str
    user: str
    channel: str

    @classmethod
    def of(cls, question: Question) -> Asker:
        """Who asked a question."""
        return cls(question.team, question.enterprise, question.user, question.channel)


class Access:
    """The rules of the settings. Safe to share between threads."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._outsiders: dict[tuple[str, str], tuple[float, bool]] = {}

    def refusal(self, asker: Asker, slack: Slack) -> str | None:
        """Why somebody may not ask here; None if they may. Raises SlackError."""
        settings, channel = self._settings, asker.channel
        if settings.slack_users and asker.user not in settings.slack_users | settings.slack_admins:
            return "You are not on the list of people I may answer. Ask whoever runs me to add you."
        if settings.slack_channels and not channel.startswith("D") and channel not in settings.slack_channels:
            return "I may not answer in this channel. Ask me in a direct message, or in a channel I am set up for."
        listed = asker.user in settings.slack_users
        if not listed and not settings.slack_guests and self._is_outsider(asker, slack):
            return "I may answer only members of this workspace. Guests and other organisations are not allowed."
        return None

    def limit(self, asker: Asker, received: float) -> str | None:
        """Why a question is one too many in the five minutes up to it; None if it is not."""
        settings = self._settings
        start = received - _PERIOD_SECONDS
        by_user, in_channel = self._database.count_received(asker.user, asker.channel, start, received)
        if by_user > settings.slack_per_person:
            limit = f"You can ask me {settings.slack_per_person} questions in five minutes."
        elif in_channel > settings.slack_per_channel:
            limit = f"This channel can ask me {settings.slack_per_channel} questions in five minutes."
        else:
            return None
        return f"{limit} Please try again in a few minutes."

    def _is_outsider(self, asker: Asker, slack: Slack) -> bool:
        """Ask Slack whether somebody is a guest or of another organisation; cached for ten minutes."""
        key, now = (asker.team, asker.user), time.monotonic()
        checked, outsider = self._outsiders.get(key, (now - _MAX_CACHE_SECONDS, False))
        if now - checked < _MAX_CACHE_SECONDS:
            return outsider
        outsider = is_outsider(slack.call("users.info", user=asker.user)["user"], asker.team, asker.enterprise)
        if len(self._outsiders) >= _MAX_CACHED:
            self._outsiders.clear()
        self._outsiders[key] = (now, outsider)
        return outsider


def is_outsider(user: Mapping[str, Any], team: str, enterprise: str) -> bool:
    """Whether a user of `users.info` is not a full member of the workspace or its organisation."""
    if user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger"):
        return True
    user_enterprise = (user.get("enterprise_user") or {}).get("enterprise_id") or ""
    return user.get("team_id", team) != team and not (enterprise and user_enterprise == enterprise)
