"""The Bolt app: each payload of Slack is stored or handed on, and acknowledged; nobody waits for an answer here.

message, mention, command, shortcut -> events.py -> Database.receive -> Workers -> Responder.respond
button, modal, App Home, pane       -> Clicks
"""

from __future__ import annotations

import functools
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult

from bot.slack.access import Access
from bot.slack.clicks import Clicks
from bot.slack.database import Database, Question
from bot.slack.events import enterprise_of, question_of_command, question_of_message, question_of_shortcut, team_of
from bot.slack.respond import Responder
from bot.slack.web import SlackError
from bot.slack.workers import Workers
from bot.slack.workspaces import Workspaces

if TYPE_CHECKING:
    from bot.models import AnswerEngine
    from bot.runtime import Parts
    from bot.settings import Settings

    Body = Mapping[str, Any]

_CLICKING = 8  # threads for buttons, so that none waits behind a question
_EVERY = 3600.0  # seconds between two cleanings of the database
_log = logging.getLogger(__name__)


class Bot:
    """The whole bot, without the way that Slack's payloads come in by."""

    def __init__(
        self, settings: Settings, parts: Parts, engine: AnswerEngine, database: Database, workspaces: Workspaces
    ) -> None:
        access = Access(settings, database)
        self.database = database
        self._workspaces = workspaces
        self.workers = Workers(Responder(settings, parts, engine, database, workspaces, access).respond)
        self._clicks = Clicks(settings, parts, engine, database, workspaces, access)
        self._clicking = ThreadPoolExecutor(_CLICKING, thread_name_prefix="click")
        self._cleaned = 0.0
        self._refusing = False
        self._taking = threading.Lock()
        self.app = _make_app(settings, workspaces)
        self._listen()

    def resume(self) -> int:
        """Answer what an earlier process left unanswered; returns how many questions that is."""
        unfinished = self.database.unfinished()
        for question in unfinished:
            self.workers.submit(question)
        return len(unfinished)

    def refuse(self) -> None:
        """Begin nothing that comes from now on, but store it."""
        self._refusing = True

    def stop(self, patience: float) -> bool:
        """Finish what is being answered; False where it took longer than so many seconds."""
        done = self.workers.stop(patience)
        self._clicking.shutdown(wait=done, cancel_futures=True)
        return done

    def _take(self, question: Question | None) -> None:
        """Store a question, and answer it unless it is a copy."""
        if question:
            with self._taking:  # so that they are stored in the order of their times, which the limits count by
                question = replace(question, received=time.time())
                new = self.database.receive(question)
            if new and not self._refusing:
                self.workers.submit(question)
        if time.monotonic() - self._cleaned > _EVERY or not self._cleaned:
            self._cleaned = time.monotonic()
            self._clicking.submit(self.database.clean)

    def _click(self, act: Callable[[Body], object], body: Body) -> None:
        self._clicking.submit(self._clicks.guarded, act, body)

    def _listen(self) -> None:
        app, clicks = self.app, self._clicks

        def message(body: dict[str, Any], context: Mapping[str, Any]) -> None:
            self._take(question_of_message(body, context.get("bot_user_id") or ""))

        def command(ack: Ack, body: dict[str, Any]) -> None:
            self._take(question_of_command(body))
            ack()

        def shortcut(ack: Ack, body: dict[str, Any], context: Mapping[str, Any]) -> None:
            self._take(question_of_shortcut(body, context.get("bot_user_id") or ""))
            ack()

        def opened(body: dict[str, Any]) -> None:
            self._click(clicks.home if body["event"].get("tab") == "home" else clicks.prompts, body)

        def pane(body: dict[str, Any]) -> None:
            self._click(clicks.prompts, body)

        def removed(body: dict[str, Any]) -> None:
            self._workspaces.forget(team_of(body), enterprise_of(body))

        def revoked(body: dict[str, Any]) -> None:
            if (body["event"].get("tokens") or {}).get("bot"):
                removed(body)

        app.event("app_mention")(message)
        app.event("message")(message)
        app.event("app_home_opened")(opened)
        app.event("assistant_thread_started")(pane)
        app.event("app_uninstalled")(removed)
        app.event("tokens_revoked")(revoked)
        app.event(re.compile(".+"))(_nothing)
        app.command("/clippings")(command)
        app.message_shortcut("ask_about")(shortcut)
        app.view("why")(self._clicked(clicks.why))
        for action, act in {
            "feedback": clicks.feedback, "share": clicks.share, re.compile(r"passage-\d+"): clicks.passage,
            "retry": self._again, re.compile(r"ask-\d+"): self._example,
        }.items():  # fmt: skip
            app.action(action)(self._clicked(act))  # type: ignore[arg-type]  # a string or a pattern, as it takes them

    def _clicked(self, act: Callable[[Body], object]) -> Callable[[Ack, dict[str, Any]], None]:
        @functools.wraps(act)
        def allowed(body: Body) -> None:
            if self._clicks.allowed(body):
                act(body)

        def clicked(ack: Ack, body: dict[str, Any]) -> None:
            ack()
            self._click(allowed, body)

        return clicked

    def _again(self, body: Body) -> None:
        if question := self._clicks.again(body):
            self.workers.submit(question)

    def _example(self, body: Body) -> None:
        self._take(self._clicks.example(body))


def _nothing() -> None:
    """Acknowledge what is of no interest, or Slack would send it again."""


def _make_app(settings: Settings, workspaces: Workspaces) -> App:
    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        try:
            slack = workspaces.of(team_id or "", enterprise_id or "")
        except SlackError:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_user_id=slack.bot_user, bot_token=slack.client.token
        )

    logger = logging.getLogger("clippings.bolt")
    logger.setLevel(logging.ERROR)  # its warnings hold whole payloads
    secret = settings.slack_signing_secret
    return App(
        name="clippings",
        logger=logger,
        signing_secret=secret.get_secret_value() if secret else "",
        authorize=authorize,  # type: ignore[arg-type]  # None is what says that a workspace is not known
        process_before_response=True,  # what is acknowledged has been stored
    )
