"""The workspaces of the bot: one by its token, or many by OAuth, with their tokens encrypted in the database."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sql
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.error import BoltError
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs
from slack_sdk.oauth import OAuthStateStore
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.sqlalchemy_utils import normalize_datetime_for_db
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore

from bot.slack.connection import lock, make_tables, readable_errors
from bot.slack.web import UNREACHABLE, Slack, SlackError, make_client
from index.models import ClippingsError

_MAX_SIGN_IN_SECONDS = 600  # from the button "Add to Slack" to the return from Slack
_SECRET_COLUMNS = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token", "incoming_webhook_url")
_log = logging.getLogger(__name__)
_MAKE_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class OneWorkspace:
    """The workspace of a bot token."""

    def __init__(self, token: str, api_url: str, allowed: frozenset[str] = frozenset()) -> None:
        """Raise ClippingsError if Slack refuses the token or cannot be reached, or the workspace is not ``allowed``."""
        client = make_client(token, api_url)
        try:
            identity = Slack(client, "").call("auth.test")
        except SlackError as error:
            message = f"Slack refuses SLACK_BOT_TOKEN ({error.code}). Copy it again from the app's page."
            if error.code == UNREACHABLE:
                message = f"Slack cannot be reached at {api_url}. Check this machine's network, then try again."
            raise ClippingsError(message) from None
        if allowed and not allowed & {identity.get("team_id"), identity.get("enterprise_id")}:
            message = f"SLACK_BOT_TOKEN is of the workspace {identity.get('team_id')}"
            raise ClippingsError(
                f"{message}, which CLIPPINGS_SLACK_WORKSPACES does not name. Add it, or change the token."
            )
        self.slack = Slack(client, str(identity["user_id"]))

    def find(self, team: str, enterprise: str) -> Slack:  # noqa: ARG002  # there is only one
        """Return the workspace."""
        return self.slack

    def forget(self, team: str, enterprise: str) -> None:
        """Do nothing: the token is a setting."""


class InstalledWorkspaces:
    """The workspaces that installed the app."""

    def __init__(self, store: SQLAlchemyInstallationStore, api_url: str) -> None:
        self._store, self._api_url = store, api_url

    def find(self, team: str, enterprise: str) -> Slack:
        """Return the workspace of a team, or of its whole organisation. Raises SlackError if it is not installed."""
        for team_id in (team or None, None):
            with readable_errors(self._store.engine):
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


class NotAdmitted(BoltError):
    """A workspace may not install the bot."""


class InstallationFlow(OAuthFlow):
    """The installation in a browser."""

    def store_installation(self, request: BoltRequest, installation: Installation) -> None:
        """Store an installation. Raises NotAdmitted, after the tokens have been revoked."""
        try:
            super().store_installation(request, installation)
        except NotAdmitted:
            for token in filter(None, (installation.bot_token, installation.user_token)):
                try:
                    Slack(make_client(token, self.client.base_url), "").call("auth.revoke")
                except SlackError as error:
                    _log.warning("a token of a refused workspace was dropped, but not revoked (%s)", error)
            raise


def _refuse(args: FailureArgs) -> BoltResponse:
    if isinstance(args.error, NotAdmitted):
        return BoltResponse(status=403, body=str(args.error))
    return args.default.failure(args)


PAGES = CallbackOptions(success=lambda args: args.default.success(args), failure=_refuse)
"""What a browser shows after an installation."""


def installation_store(
    engine: sql.Engine, client_id: str, key: SecretStr, allowed: frozenset[str] = frozenset()
) -> SQLAlchemyInstallationStore:
    """Make the store of installations for Bolt. It takes and finds the workspaces and organisations ``allowed``.

    If that is empty, it takes the first workspace that installs the bot, and then no other. ``key`` holds Fernet keys
    with commas between them; the first encrypts. Raises ClippingsError if it is not a key, or not the key of what is
    stored.
    """
    try:
        cipher = MultiFernet([Fernet(text.strip()) for text in key.get_secret_value().split(",")])
    except ValueError:
        raise ClippingsError(f"CLIPPINGS_SLACK_TOKEN_KEY is not a key. Make one: {_MAKE_KEY}") from None
    store = _InstallationStore(client_id, engine, allowed)
    for table in (store.bots, store.installations):
        for column in table.c:
            if column.name in _SECRET_COLUMNS:
                column.type = _Encrypted(cipher)
    with readable_errors(engine):
        make_tables(engine, store.metadata)
        with engine.connect() as connection:  # a wrong key fails here, not at the first question
            connection.execute(sql.select(store.bots.c.bot_token).limit(1)).all()
        store.open()
    return store


def state_store(engine: sql.Engine) -> OAuthStateStore:
    """Make the store of begun sign-ins for Bolt."""
    store = _StateStore(_MAX_SIGN_IN_SECONDS, engine)
    with readable_errors(engine):
        make_tables(engine, store.metadata)
    return store


class _InstallationStore(SQLAlchemyInstallationStore):
    """Holds tokens only of workspaces that may use the bot, and remembers those that have left."""

    def __init__(self, client_id: str, engine: sql.Engine, allowed: frozenset[str]) -> None:
        super().__init__(client_id, engine)
        self._allowed = allowed
        self._installed: set[str] = set()  # ids, also of those that have left: nobody takes their place
        self._saving = threading.Lock()
        self._table = sql.Table("slack_workspaces", self.metadata, sql.Column("id", sql.String(40), primary_key=True))

    def open(self) -> None:
        """Read who has installed the bot. Another process may have admitted more."""
        columns = self.bots.c.is_enterprise_install, self.bots.c.enterprise_id, self.bots.c.team_id
        with self.engine.begin() as connection:
            lock(connection)
            bots = connection.execute(sql.select(*columns)).all()
            self._read()
            for is_whole, enterprise, team in bots:  # of versions that did not note it
                self._note(connection, enterprise if is_whole else team)
        if len(self._installed) > 1 and not self._allowed:
            names = ", ".join(sorted(self._installed))
            _log.warning("several workspaces use this bot: %s. Name yours in CLIPPINGS_SLACK_WORKSPACES.", names)

    def save(self, installation: Installation) -> None:
        """Store an installation. Raises NotAdmitted."""
        with self._saving, self.engine.begin() as held:
            lock(held)  # so that of two workspaces that come at once only one is the first
            self._read()
            if not self._admits(installation.team_id, installation.enterprise_id) and (
                self._allowed or self._installed
            ):
                place = installation.team_id or installation.enterprise_id
                _log.warning("an installation was refused: CLIPPINGS_SLACK_WORKSPACES does not name %s", place)
                raise NotAdmitted(
                    f"Clippings was not installed: it does not serve the workspace {place}. To allow it, whoever runs "
                    f"Clippings adds {place} to CLIPPINGS_SLACK_WORKSPACES."
                )
            super().save(installation)
            with self.engine.begin() as connection:
                is_whole = installation.is_enterprise_install
                self._note(connection, installation.enterprise_id if is_whole else installation.team_id)

    def find_bot(self, **place: Any) -> Bot | None:  # noqa: ANN401  # the signature of its base
        """Find the bot of a workspace that may use it."""
        team, enterprise = place["team_id"], place["enterprise_id"]
        if not self._allowed and not self._admits(team, enterprise):
            self._read()
        return super().find_bot(**place) if self._admits(team, enterprise) else None

    def _read(self) -> None:
        """Read what any process has noted."""
        with self.engine.connect() as connection:
            self._installed.update(connection.execute(sql.select(self._table.c.id)).scalars())

    def _admits(self, team: str | None, enterprise: str | None) -> bool:
        return bool({team, enterprise} & (self._allowed or self._installed))

    def _note(self, connection: sql.Connection, name: str | None) -> None:
        if name and name not in self._installed:
            connection.execute(self._table.insert(), {"id": name})
            self._installed.add(name)


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
