"""Tests of bot.slack.workspaces: the tokens of many workspaces, encrypted at rest."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from slack_sdk.oauth import InstallationStore
from slack_sdk.oauth.installation_store import Installation

from bot.slack.database import Database
from bot.slack.workspaces import NotAdmitted, installation_store, state_store
from index.models import ClippingsError

ONE, TWO = (base64.urlsafe_b64encode(letter * 32).decode() for letter in (b"1", b"2"))
SECRETS: dict[str, Any] = {
    "bot_token": "xoxb-secret-bot",
    "bot_refresh_token": "xoxe-secret-bot",
    "user_token": "xoxp-secret-user",
    "user_refresh_token": "xoxe-secret-user",
    "incoming_webhook_url": "https://hooks.example/secret",
}
T1: dict[str, Any] = {"enterprise_id": None, "team_id": "T1"}
T2: dict[str, Any] = {"enterprise_id": None, "team_id": "T2"}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty one, in SQLite and in PostgreSQL."""
    opened = Database(database_url)
    yield opened
    opened.close()


def store_of(
    database: Database, key: str = ONE, allowed: frozenset[str] = frozenset({"T1", "T2"})
) -> InstallationStore:
    """What the bot opens at its start."""
    return installation_store(database.engine, "1.2", SecretStr(key), allowed)


def installation(team: str = "T1", user: str = "U1", **changed: str) -> Installation:
    """What a workspace gives."""
    return Installation(app_id="A1", team_id=team, user_id=user, bot_scopes="chat:write", **{**SECRETS, **changed})


def test_what_is_saved_is_found(database: Database) -> None:
    """An installation and its bot come back with all their tokens; another workspace has none."""
    store = store_of(database)
    store.save(installation())
    found, bot = store.find_installation(**T1), store.find_bot(**T1)
    assert found is not None
    assert bot is not None
    assert {name: getattr(found, name) for name in SECRETS} == SECRETS
    assert (bot.bot_token, bot.bot_refresh_token) == (SECRETS["bot_token"], SECRETS["bot_refresh_token"])
    assert (store.find_installation(**T2), store.find_bot(**T2)) == (None, None)


def test_saving_again_replaces_the_tokens(database: Database) -> None:
    """As when Slack rotates them: the same installation, and a later one."""
    store = store_of(database)
    first = installation()
    store.save(first)
    first.bot_token = "xoxb-secret-rotated"
    store.save(first)
    found = store.find_bot(**T1)
    assert found is not None
    assert found.bot_token == "xoxb-secret-rotated"
    store.save(installation(bot_token="xoxb-secret-later"))
    later = store.find_installation(**T1, user_id="U1")
    assert later is not None
    assert later.bot_token == "xoxb-secret-later"


def test_a_token_may_be_missing(database: Database) -> None:
    """What a workspace did not give is nothing, encrypted or not."""
    store = store_of(database)
    store.save(Installation(app_id="A1", team_id="T1", user_id="U1", bot_token="xoxb-secret-bot"))
    found = store.find_installation(**T1)
    assert found is not None
    assert (found.bot_token, found.user_token, found.incoming_webhook_url) == ("xoxb-secret-bot", None, None)


def test_no_token_is_in_the_files(tmp_path: Path) -> None:
    """Not in the database, not in the files beside it, though the rest of the installation is."""
    database = Database.in_folder(tmp_path)
    store_of(database).save(installation(bot_token="xoxb-secret-" + "x" * 500))
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"secret" not in held
    assert b"chat:write" in held
    assert b"gAAAA" in held  # as each of Fernet's begins
    database.close()


def test_a_key_can_be_changed(database: Database) -> None:
    """With a new key before the old one, what was stored is read and what is saved needs the new one only."""
    store_of(database, ONE).save(installation("T1"))
    both = store_of(database, f"{TWO}, {ONE}")
    found = both.find_bot(**T1)
    assert found is not None
    assert found.bot_token == SECRETS["bot_token"]
    both.delete_all(**T1)
    both.save(installation("T2"))
    new = store_of(database, TWO).find_bot(**T2)
    assert new is not None
    assert new.bot_token == SECRETS["bot_token"]


def test_another_key_is_told_at_once(database: Database) -> None:
    """Opening with a key that the tokens were not encrypted with names the setting and how to make one, no secret."""
    store = store_of(database, ONE)
    store.save(installation())
    with pytest.raises(ClippingsError) as raised:
        store_of(database, TWO)
    assert "another key than CLIPPINGS_SLACK_TOKEN_KEY" in str(raised.value)
    assert "Fernet.generate_key()" in str(raised.value)
    assert not [one for one in (ONE, TWO, *SECRETS.values()) if one in str(raised.value)]


def test_a_token_that_was_tampered_with_is_told(database: Database) -> None:
    """Where a stored token is not as it was written, finding it is an error in words."""
    store = store_of(database)
    store.save(installation())
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slack_bots SET bot_token = 'xoxb-put-in-by-hand'")
    with pytest.raises(ClippingsError, match="CLIPPINGS_SLACK_TOKEN_KEY"):
        store.find_bot(**T1)


@pytest.mark.parametrize("key", ["", "short", f"{ONE},", f"{ONE},hunter2", "é" * 44, ONE[:-4]])
def test_what_is_no_key_is_told(database: Database, key: str) -> None:
    """The setting is named, with a command that makes one, and not its value."""
    with pytest.raises(ClippingsError, match="CLIPPINGS_SLACK_TOKEN_KEY is not a key") as raised:
        store_of(database, key)
    assert "hunter2" not in str(raised.value)


def test_a_workspace_that_leaves_is_forgotten(database: Database) -> None:
    """A bot, one person's installation or all of a workspace; other workspaces stay."""
    store = store_of(database)
    for team, user in (("T1", "U1"), ("T1", "U2"), ("T2", "U1")):
        store.save(installation(team, user))
    store.delete_installation(**T1, user_id="U1")
    assert store.find_installation(**T1, user_id="U1") is None
    assert store.find_installation(**T1, user_id="U2") is not None
    store.delete_bot(**T1)
    assert store.find_bot(**T1) is None
    store.delete_all(**T1)
    assert store.find_installation(**T1) is None
    assert store.find_bot(**T2) is not None
    store.delete_all(**T2)
    assert (store.find_installation(**T2), store.find_bot(**T2)) == (None, None)


def test_a_sign_in_counts_once(database: Database) -> None:
    """A state is taken back once; one that was never given, or is over, is not."""
    store = state_store(database.engine)
    state = store.issue()
    assert (store.consume("made up"), store.consume(state), store.consume(state)) == (False, True, False)
    over = store.issue()
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slack_oauth_states SET expire_at = '2020-01-01 00:00:00.000000'")
    assert not store.consume(over)


def test_sign_ins_that_are_over_are_removed(database: Database) -> None:
    """However often one is begun, what nobody finished does not pile up."""
    store = state_store(database.engine)
    for _ in range(3):
        store.issue()
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slack_oauth_states SET expire_at = '2020-01-01 00:00:00.000000'")
    state = store.issue()
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT state FROM slack_oauth_states").scalars().all() == [state]


def organisation(enterprise: str) -> Installation:
    """What a whole organisation gives."""
    given: dict[str, Any] = {"app_id": "A1", "user_id": "U1", "bot_token": "xoxb-secret-whole"}
    return Installation(enterprise_id=enterprise, team_id=None, is_enterprise_install=True, **given)


@pytest.mark.parametrize(
    ("allowed", "taken", "refused"),
    [
        ({"T1"}, installation("T1"), installation("T2")),
        ({"E1"}, organisation("E1"), organisation("E2")),
        ({"E1"}, installation("T1", enterprise_id="E1"), installation("T1", enterprise_id="E2")),
        (set(), installation("T2"), installation("T1")),
        (set(), organisation("E1"), installation("T1", enterprise_id="E2")),
        (set(), installation("T1", enterprise_id="E1"), organisation("E1")),
    ],
)
def test_a_workspace_that_is_not_named_is_not_stored(
    allowed: set[str], taken: Installation, refused: Installation, database: Database
) -> None:
    """Where none is named, the first one is the only one, also after the next start and after it has left."""
    for _ in range(2):
        store = store_of(database, allowed=frozenset(allowed))
        store.save(taken)
        with pytest.raises(NotAdmitted, match=f"adds {refused.team_id or refused.enterprise_id} to CLIPPINGS_SLACK_"):
            store.save(refused)
        for given in (taken, refused):
            place = {"enterprise_id": given.enterprise_id, "team_id": given.team_id}
            bot = store.find_bot(**place, is_enterprise_install=given.is_enterprise_install)
            assert (bot is not None) == (given is taken)
        store.delete_all(enterprise_id=taken.enterprise_id, team_id=taken.team_id)


def test_a_stored_workspace_that_is_no_longer_named_is_not_found(database: Database) -> None:
    """Whoever runs the bot takes it off the list: its questions are not answered, and its tokens stay."""
    store_of(database).save(installation("T2"))
    assert store_of(database, allowed=frozenset({"T1"})).find_bot(**T2) is None
    assert store_of(database).find_bot(**T2) is not None


def test_workspaces_of_earlier_versions_stay(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Several had installed the bot when nothing was noted: they are answered, a warning names them, others may not."""
    store = store_of(database)
    for team in ("T1", "T2"):
        store.save(installation(team))
    with database.engine.begin() as connection:
        connection.exec_driver_sql("drop table slack_workspaces")
    later = store_of(database, allowed=frozenset())
    assert later.find_bot(**T1)
    assert later.find_bot(**T2)
    assert "several workspaces use this bot: T1, T2." in caplog.text
    with pytest.raises(NotAdmitted):
        later.save(installation("T3"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.process
def test_processes_that_share_a_database_serve_the_same_workspaces(database: Database) -> None:
    """What one process has installed the other finds at once; of two that come first at once, one is taken."""
    stores = [store_of(database, allowed=frozenset()) for _ in range(2)]

    def save(store: InstallationStore, team: str) -> bool:
        try:
            store.save(installation(team))
        except NotAdmitted:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        saved = list(pool.map(save, stores, ("T1", "T2")))
    assert sorted(saved) == [False, True]
    place = T1 if saved[0] else T2
    assert all(store.find_bot(**place) for store in stores)
