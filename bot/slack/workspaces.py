"""The workspaces that the bot is installed in: one by its token, or many by OAuth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.slack.web import Slack, SlackError, make_client
from index.models import ClippingsError

if TYPE_CHECKING:
    from slack_sdk.oauth import InstallationStore


class Workspaces(Protocol):
    """Where a question came from -> how to answer there."""

    def of(self, team: str, enterprise: str) -> Slack:
        """The workspace of a team; SlackError where the bot is not installed in it (any more)."""

    def forget(self, team: str, enterprise: str) -> None:
        """The bot was removed from a workspace."""


class OneWorkspace:
    """That of a bot token. Raises ClippingsError where Slack does not take the token."""

    def __init__(self, token: str, api_url: str) -> None:
        client = make_client(token, api_url)
        try:
            found = Slack(client, "").call("auth.test")
        except SlackError as error:
            if error.code == "unreachable":
                message = (
                    f"Slack cannot be reached at {api_url}. See that this machine has a way there, then try again."
                )
            else:
                message = f"Slack does not take SLACK_BOT_TOKEN ({error.code}). Copy it anew from the app's page."
            raise ClippingsError(message) from None
        self.slack = Slack(client, str(found["user_id"]))
        self.team = str(found["team_id"])

    def of(self, team: str, enterprise: str) -> Slack:  # noqa: ARG002  # there is one
        """The one."""
        return self.slack

    def forget(self, team: str, enterprise: str) -> None:
        """Keep the token: it is not ours to remove."""


class InstalledWorkspaces:
    """Those that installed the app."""

    def __init__(self, store: InstallationStore, api_url: str) -> None:
        self._store, self._api_url = store, api_url

    def of(self, team: str, enterprise: str) -> Slack:
        """The workspace of a team, or of the whole organisation that it is part of."""
        for team_id in (team or None, None):
            bot = self._store.find_bot(
                enterprise_id=enterprise or None, team_id=team_id, is_enterprise_install=team_id is None
            )
            if bot and bot.bot_token:
                return Slack(make_client(bot.bot_token, self._api_url), bot.bot_user_id or "")
        raise SlackError("find_bot", "not_installed")

    def forget(self, team: str, enterprise: str) -> None:
        """Delete the tokens of a workspace."""
        self._store.delete_all(enterprise_id=enterprise or None, team_id=team or None)
