"""Who may ask, and how often."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.slack.database import Database
    from bot.slack.web import Slack

PERIOD = 300  # seconds that questions are counted in
_REMEMBERED = 600  # seconds
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where."""

    team: str
    enterprise: str
    user: str
    channel: str


class Access:
    """The rules. Safe to share between threads."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._lock = threading.Lock()
        self._outsiders: dict[tuple[str, str], tuple[float, bool]] = {}

    def is_admin(self, user: str) -> bool:
        """Whether a person may reindex."""
        return user in self._settings.slack_admins

    def refusal(self, asker: Asker, slack: Slack) -> str | None:
        """Why somebody may not ask here, to be told to them alone; None where they may. Raises SlackError."""
        settings = self._settings
        if settings.slack_users and asker.user not in settings.slack_users | settings.slack_admins:
            return "You are not among the people whom I may answer here. Whoever runs me can add you."
        if settings.slack_channels and not _is_direct(asker.channel) and asker.channel not in settings.slack_channels:
            return "I may not answer in this channel. Ask me in a direct message, or in a channel that I am set up for."
        named = asker.user in settings.slack_users
        if not named and not settings.slack_guests and self._is_outsider(asker, slack):
            return "I answer the members of this workspace only, not its guests or people of other organisations."
        return None

    def limit(self, asker: Asker, asked: float) -> str | None:
        """What to say where too much had been asked in five minutes when a question came, itself counted; else None."""
        settings = self._settings
        by_user, in_channel = self._database.waiting_since(asker.user, asker.channel, asked - PERIOD, asked)
        if by_user > settings.slack_per_person:
            most = settings.slack_per_person
            return f"More than {most} questions in five minutes are too many for me. Please try again in a few."
        if in_channel > settings.slack_per_channel:
            return (
                f"More than {settings.slack_per_channel} questions were asked in this channel in five minutes. "
                "Please try again in a few."
            )
        return None

    def _is_outsider(self, asker: Asker, slack: Slack) -> bool:
        """Whether somebody is a guest, or of another organisation, as Slack says; remembered for ten minutes."""
        key, now = (asker.team, asker.user), time.monotonic()
        with self._lock:
            at, outsider = self._outsiders.get(key, (-float(_REMEMBERED), False))
        if now - at < _REMEMBERED:
            return outsider
        outsider = is_outsider(slack.call("users.info", user=asker.user)["user"], asker.team, asker.enterprise)
        with self._lock:
            if len(self._outsiders) >= _MOST_REMEMBERED:
                self._outsiders.clear()
            self._outsiders[key] = (now, outsider)
        return outsider


def is_outsider(user: Mapping[str, Any], team: str, enterprise: str) -> bool:
    """Whether a user, as `users.info` describes one, is no full member of a workspace or its organisation."""
    if user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger"):
        return True
    theirs = (user.get("enterprise_user") or {}).get("enterprise_id") or ""
    return user.get("team_id", team) != team and not (enterprise and theirs == enterprise)


def _is_direct(channel: str) -> bool:
    return channel.startswith("D")
