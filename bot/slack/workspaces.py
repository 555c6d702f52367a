"""The workspaces of the bot: one by its token, or many by OAuth, with their tokens encrypted in the database."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sql
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr
from slack_sdk.oauth import InstallationStore, OAuthStateStore
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.sqlalchemy_utils import normalize_datetime_for_db
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore

from bot.slack.connection import make_tables, readable_errors
from bot.slack.web import UNREACHABLE, Slack, SlackError, make_client
from index.models import ClippingsError

_MAX_SIGN_IN_SECONDS = 600  # from the button "Add to Slack" to the return from Slack
_SECRET_COLUMNS = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token", "incoming_webhook_url")
_MAKE_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class OneWorkspace:
    """The workspace of a bot token. Raises ClippingsError if Slack refuses the token or cannot be reached."""

    def __init__(self, token: str, api_url: str) -> None:
        client = make_client(token, api_url)
        try:
            identity = Slack(client, "").call("auth.test")
        except SlackError as error:
            message = f"Slack refuses SLACK_BOT_TOKEN ({error.code}). Copy it again from the app's page."
            if error.code == UNREACHABLE:
                message = f"Slack cannot be reached at {api_url}. Check this machine's network, then try again."
            raise ClippingsError(message) from None
        self.slack = Slack(client, str(identity["user_id"]))

    def find(self, team: str, enterprise: str) -> Slack:  # noqa: ARG002  # there is only one
        """Return the workspace."""
        return self.slack

    def forget(self, team: str, enterprise: str) -> None:
        """Do nothing: the token is a setting."""


class InstalledWorkspaces:
    """The workspaces that installed the app."""

    def __init__(self, store: InstallationStore, api_url: str) -> None:
        self._store, self._api_url = store, api_url

    def find(self, team: str, enterprise: str) -> Slack:
        """Return the workspace of a team, or of its whole organisation. Raises SlackError if it is not installed."""
        for team_id in (team or None, None):
            bot = self._store.find_bot(
                enterprise_id=enterprise or None, team_id=team_id, is_enterprise_install=team_id is None
            )
            if bot and bot.bot_token:
                return Slack(make_client(bot.bot_token, self._api_url), bot.bot_user_id or "")
        raise SlackError("find_bot", "not_installed")

    def forget(self, team: str, enterprise: str) -> None:
        """Delete the tokens of a workspace that removed the bot."""
        self._store.delete_all(enterprise_id=enterprise or None, team_id=team or None)


Workspaces = OneWorkspace | InstalledWorkspaces


def installation_store(engine: sql.Engine, client_id: str, key: SecretStr) -> InstallationStore:
    """Make the store of installations for Bolt.

    ``key`` holds Fernet keys with commas between them; the first encrypts. Raises ClippingsError if it is not a key,
    or not the key of what is stored.
    """
    try:
        cipher = MultiFernet([Fernet(text.strip()) for text in key.get_secret_value().split(",")])
    except ValueError:
        raise ClippingsError(f"CLIPPINGS_SLACK_TOKEN_KEY is not a key. Make one: {_MAKE_KEY}") from None
    store = SQLAlchemyInstallationStore(client_id, engine)
    for table in (store.bots, store.installations):
        for column in table.c:
            if column.name in _SECRET_COLUMNS:
                column.type = _Encrypted(cipher)
    with readable_errors(engine):
        make_tables(engine, store.metadata)
        with engine.connect() as connection:  # a wrong key fails here, not at the first question
            connection.execute(sql.select(store.bots.c.bot_token).limit(1)).all()
    return store


def state_store(engine: sql.Engine) -> OAuthStateStore:
    """Make the store of begun sign-ins for Bolt."""
    store = _StateStore(_MAX_SIGN_IN_SECONDS, engine)
    with readable_errors(engine):
        make_tables(engine, store.metadata)
    return store


class _Encrypted(sql.types.TypeDecorator[str]):
    """Text that is encrypted in the database; longer than its column's limit, hence `Text`."""

    impl = sql.Text
    cache_ok = True

    def __init__(self, cipher: MultiFernet) -> None:
        super().__init__()
        self.cipher = cipher

    def process_bind_param(self, value: str | None, dialect: sql.Dialect) -> str | None:  # noqa: ARG002  # its interface
        return None if value is None else self.cipher.encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: sql.Dialect) -> str | None:  # noqa: ARG002  # the same
        try:
            return None if value is None else self.cipher.decrypt(value).decode()
        except InvalidToken:
            raise ClippingsError(
                "The stored Slack tokens were encrypted with another key than CLIPPINGS_SLACK_TOKEN_KEY. Set that key, "
                "after a new one and a comma to change it; or install the app again with a new database. "
                f"Make a key: {_MAKE_KEY}"
            ) from None


class _StateStore(SQLAlchemyOAuthStateStore):
    """Deletes expired sign-ins: anybody may press "Add to Slack" as often as they like."""

    def issue(self, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401  # the signature of its base
        now = normalize_datetime_for_db(datetime.fromtimestamp(time.time(), UTC))
        with self.engine.begin() as connection:
            connection.execute(self.oauth_states.delete().where(self.oauth_states.c.expire_at < now))
        return super().issue(*args, **kwargs)
