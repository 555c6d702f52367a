"""Many workspaces: what each gave when it installed the app, with its tokens encrypted, and the sign-ins under way."""

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

from bot.slack.connect import in_words, make_tables
from index.models import ClippingsError

SIGN_IN = 600  # seconds between the button "Add to Slack" and the return from Slack
_SECRETS = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token", "incoming_webhook_url")
_MAKE_ONE = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


def installation_store(engine: sql.Engine, client_id: str, key: SecretStr) -> InstallationStore:
    """Where Bolt keeps the installations. ``key`` is one Fernet key, or several with commas: the first encrypts.

    Raises ClippingsError for a key that is none, and for one that what is stored was not encrypted with.
    """
    cipher = _cipher(key)
    store = SQLAlchemyInstallationStore(client_id, engine)
    for table in (store.bots, store.installations):
        for column in table.c:
            if column.name in _SECRETS:
                column.type = _Encrypted(cipher)
    with in_words(engine):
        make_tables(engine, store.metadata)
        with engine.connect() as connection:  # better now than when the first question comes
            connection.execute(sql.select(store.bots.c.bot_token).limit(1)).all()
    return store


def state_store(engine: sql.Engine) -> OAuthStateStore:
    """Where Bolt keeps which sign-ins it began."""
    store = _States(SIGN_IN, engine)
    with in_words(engine):
        make_tables(engine, store.metadata)
    return store


def _cipher(key: SecretStr) -> MultiFernet:
    try:
        return MultiFernet([Fernet(one.strip()) for one in key.get_secret_value().split(",")])
    except ValueError:
        raise ClippingsError(f"CLIPPINGS_SLACK_TOKEN_KEY is no key. Make one: {_MAKE_ONE}") from None


class _Encrypted(sql.types.TypeDecorator[str]):
    """Text that the database sees only encrypted; that is longer than it was."""

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
                "The stored Slack tokens were encrypted with another key than CLIPPINGS_SLACK_TOKEN_KEY. Set that one, "
                "after a comma behind a new one if it is to be changed; or install the app again with a new database. "
                f"A key is made by: {_MAKE_ONE}"
            ) from None


class _States(SQLAlchemyOAuthStateStore):
    """Forgets what was begun and never finished: anybody may press "Add to Slack" as often as they like."""

    def issue(self, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401  # as in the class that it is
        now = normalize_datetime_for_db(datetime.fromtimestamp(time.time(), UTC))
        with self.engine.begin() as connection:
            connection.execute(self.oauth_states.delete().where(self.oauth_states.c.expire_at < now))
        return super().issue(*args, **kwargs)
