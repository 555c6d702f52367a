"""The Bolt app: every payload is stored or handed to a thread, then acknowledged; Slack never waits for an answer.

message, mention, command, shortcut -> events.py -> Database.receive -> workers.py -> Responder
button, modal, App Home, pane       -> Interactions
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.authorization import AuthorizeResult

from bot.models import REQUEST_ID
from bot.slack import events
from bot.slack.access import Access
from bot.slack.connection import MAX_REPLY_SECONDS, DatabaseError
from bot.slack.database import Database, Question
from bot.slack.events import Interaction, Malformed, Payload
from bot.slack.interactions import Interactions
from bot.slack.respond import Apologies, Backend, Responder
from bot.slack.watch import Watch, request_id
from bot.slack.web import SlackError
from bot.slack.workers import Leases, Workers
from bot.slack.workspaces import Workspaces

if TYPE_CHECKING:
    from bot.models import AnswerEngine
    from bot.runtime import Parts
    from bot.settings import Settings

_INTERACTION_THREADS = 8  # of their own, so that no button waits behind questions
_CLEANING_SECONDS = 3600.0  # between two cleanings of the database
_NOT_SERVED = "I do not answer in this workspace. Ask whoever runs me to install me here."
_log = logging.getLogger(__name__)


class Bot:
    """The bot, independent of how payloads reach it."""

    def __init__(
        self, settings: Settings, parts: Parts, engine: AnswerEngine, database: Database, workspaces: Workspaces
    ) -> None:
        backend = Backend(settings, parts, engine, database, workspaces, Access(settings, database), Watch.of(settings))
        self._apologize = Apologies(workspaces).apologize
        self._leases = Leases(database.engine)
        self.workers = Workers(Responder(backend).attempt, self._apologize, database, self._leases)
        self._database, self._workspaces = database, workspaces
        self._interactions = Interactions(backend, self._receive, self.workers.submit)
        self._threads = ThreadPoolExecutor(_INTERACTION_THREADS, thread_name_prefix="interaction")
        self._cleaned = -_CLEANING_SECONDS
        self._refusing = False
        self._receiving = threading.Lock()
        self.app = _make_app(settings, workspaces)
        self._listen_for_questions()
        self._listen_for_interactions()

    def resume(self) -> int:
        """Answer what an earlier process left unanswered, from now on; return how many questions that are."""
        if not self._database.is_shared:
            self._leases.clear()
        return self.workers.start()

    def refuse(self) -> None:
        """From now on store questions without answering them."""
        self._refusing = True

    def stop(self, max_seconds: float) -> bool:
        """Finish the answers under way; False if that takes too long."""
        finished = self.workers.stop(max_seconds)
        self._threads.shutdown(wait=finished, cancel_futures=True)
        return finished

    def _receive(self, question: Question | None) -> None:
        """Store a question, and answer it unless it is a copy. Raises DatabaseError after an apology."""
        if question:
            try:
                question, is_new = self._store(question)
            except DatabaseError:
                self.workers.keep(question)
                self._threads.submit(self._apologize, question)
                raise
            if is_new:
                token = REQUEST_ID.set(request_id(question.key))
                _log.info("received key=%s", question.key)
                REQUEST_ID.reset(token)
                if not self._refusing:
                    self.workers.submit(question)
        if time.monotonic() - self._cleaned > _CLEANING_SECONDS:
            self._cleaned = time.monotonic()
            self._threads.submit(self._database.clean)
            self._threads.submit(self._leases.clean)

    def _store(self, question: Question) -> tuple[Question, bool]:
        """Store a question with the time; False if it was stored before. A database that is away is not waited for.

        They are stored in the order of their times, which the limits count by.
        """
        if problem := self.workers.problem:
            raise DatabaseError(problem)
        if not self._receiving.acquire(timeout=MAX_REPLY_SECONDS):
            raise DatabaseError("the database is slow")
        try:
            question = replace(question, received=time.time())
            return question, self._database.receive(question)
        except DatabaseError as error:
            self.workers.problem = str(error)  # until it is looked at next
            raise
        finally:
            self._receiving.release()

    def _listen_for_questions(self) -> None:
        app = self.app

        @app.event("app_mention")
        @app.event("message")
        def message(body: dict[str, Any], context: Mapping[str, Any]) -> None:
            bot_user = context.get("bot_user_id") or ""
            question = events.question_of_message(body, bot_user)
            if not question and (place := events.overheard(body, bot_user)):
                self._database.overhear(*place)
            self._receive(question)

        @app.command("/clippings")
        def command(ack: Ack, body: dict[str, Any]) -> None:
            with suppress(DatabaseError):  # Slack would not send it again: it is kept
                self._receive(events.question_of_command(body))
            ack()

        @app.message_shortcut("ask_about")
        def shortcut(ack: Ack, body: dict[str, Any], context: Mapping[str, Any]) -> None:
            with suppress(DatabaseError):
                self._receive(events.question_of_shortcut(body, context.get("bot_user_id") or ""))
            ack()

    def _listen_for_interactions(self) -> None:
        app, interactions = self.app, self._interactions

        @app.event("app_home_opened")
        def opened(body: dict[str, Any]) -> None:
            is_home = body["event"].get("tab") == "home"
            self._run(interactions.home if is_home else interactions.prompts, events.interaction_of_page(body))

        @app.event("assistant_thread_started")
        def started(body: dict[str, Any]) -> None:
            self._run(interactions.prompts, events.interaction_of_page(body))

        @app.event("app_uninstalled")
        @app.event("tokens_revoked")
        def removed(body: dict[str, Any]) -> None:
            with events.reading():
                event, place = body["event"], (events.team_of(body), events.enterprise_of(body))
                is_removed = event["type"] == "app_uninstalled" or (event.get("tokens") or {}).get("bot")
            if is_removed:
                self._workspaces.forget(*place)

        app.event(re.compile(".+"))(lambda: None)  # acknowledges other events, or Slack would send them again
        app.view("why")(self._clicked(interactions.reason, events.interaction_of_modal))
        app.action("feedback")(self._clicked(interactions.feedback))
        app.action("share")(self._clicked(interactions.share))
        app.action(re.compile(r"passage-\d+"))(self._clicked(interactions.passage))
        app.action("retry")(self._clicked(interactions.retry))
        app.action(re.compile(r"ask-\d+"))(self._clicked(interactions.example))

    def _clicked(
        self,
        action: Callable[[Interaction], object],
        read: Callable[[Payload], Interaction] = events.interaction_of_click,
    ) -> Callable[[Ack, dict[str, Any]], None]:
        def clicked(ack: Ack, body: dict[str, Any]) -> None:
            interaction = read(body)
            ack()
            self._run(action, interaction, check=True)

        return clicked

    def _run(self, action: Callable[[Interaction], object], interaction: Interaction, *, check: bool = False) -> None:
        self._threads.submit(self._interactions.run, action, interaction, check=check)


def _make_app(settings: Settings, workspaces: Workspaces) -> App:
    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        try:
            slack = workspaces.find(events.id_of(team_id), events.id_of(enterprise_id))
        except SlackError:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_user_id=slack.bot_user, bot_token=slack.client.token
        )

    logger = logging.getLogger("clippings.bolt")
    logger.setLevel(logging.ERROR)  # its warnings quote payloads
    secret = settings.slack_signing_secret
    app = App(
        name="clippings",
        logger=logger,
        signing_secret=secret.get_secret_value() if secret else "",
        authorize=authorize,  # type: ignore[arg-type]  # None means that the workspace is not known
        process_before_response=True,  # acknowledge only what is stored
        user_facing_authorize_error_message=_NOT_SERVED,
    )

    @app.error
    def refuse(error: Exception) -> BoltResponse | None:
        if isinstance(error, events.UNREADABLE):  # Malformed, or Bolt's own readers fail
            return bad_request(error)
        if isinstance(error, DatabaseError):
            _log.warning("a payload could not be taken (%s)", error)
            return None
        _log.error("a payload could not be taken", exc_info=error)
        return None  # 500: Slack sends an event again

    return app


def bad_request(error: Exception) -> BoltResponse:
    """Refuse a payload that cannot be read."""
    reason = error if isinstance(error, Malformed) else type(error).__name__  # without what the payload holds
    _log.warning("a payload that is not as Slack writes it was refused (%s)", reason)
    return BoltResponse(status=400, body="Bad Request")
