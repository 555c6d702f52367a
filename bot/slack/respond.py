"""The story of a question in Slack: its thread, access, answer, delivery."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from bot import serialize
from bot.models import QuestionTooLong
from bot.slack import blocks, watch
from bot.slack.access import Access, Asker
from bot.slack.connection import DatabaseError
from bot.slack.database import Database, Question
from bot.slack.delivery import Delivery, Preview
from bot.slack.review import find_gaps
from bot.slack.threads import Conversation, Threads
from bot.slack.watch import Watch
from bot.slack.web import TEMPORARY, Slack, SlackError, respond_to
from bot.slack.workers import LeaseLost
from bot.slack.workspaces import Workspaces
from index.models import ClippingsError, IndexDamaged, IndexLocked, IndexMissing

if TYPE_CHECKING:
    from bot.models import Answer, AnswerEngine
    from bot.runtime import Parts
    from bot.settings import Settings

_RETRY_SECONDS = (5.0, 20.0, 60.0, 300.0)  # until the next attempts, while Slack cannot be reached
_MAX_ATTEMPTS = 8
_MAX_RESPONSE_URL_SECONDS = 1_700  # Slack's limit is 30 minutes
_PROGRESS_PAUSE_SECONDS = 3.0
_MAX_APOLOGIES = 1_000  # that are remembered
_ERRORS: dict[type[Exception], str] = {
    IndexMissing: "No articles have been indexed yet, so I cannot answer. Ask whoever runs me to index some.",
    IndexLocked: "The articles are being indexed already. Try again when that is done.",
    IndexDamaged: (
        "The index of the articles cannot be read. Ask whoever runs me to repair it: `clippings status` says how."
    ),
    DatabaseError: "My database does not answer at the moment. Try again in a few minutes.",
    ClippingsError: (
        "I cannot search the articles. Try again, or ask whoever runs me to look: `clippings status` says why."
    ),
}
_DEFECT = "Something went wrong on my side, and my log says what. Please try again."
_DATABASE_DOWN = "My database does not answer at the moment, so I cannot. I will as soon as it is back."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backend:
    """What questions and interactions are answered with."""

    settings: Settings
    parts: Parts
    engine: AnswerEngine
    database: Database
    workspaces: Workspaces
    access: Access
    watch: Watch


class Responder:
    """Answers questions. Safe to share between threads."""

    def __init__(self, backend: Backend) -> None:
        self._backend, self._settings, self._database = backend, backend.settings, backend.database
        self._threads, self._watch = Threads(backend.database), backend.watch
        self._commands: dict[str, Callable[[Question, Delivery], str]] = {
            "help": self._help, "status": self._status, "reindex": self._reindex, "gaps": self._gaps,
        }  # fmt: skip

    def attempt(self, question: Question, guard: Callable[[], None]) -> float | None:
        """Answer a question and mark it as answered; or return the seconds until the next attempt.

        ``guard`` raises LeaseLost if another process may answer it. Raises that, and DatabaseError.
        """
        attempt = self._database.begin(question.key)
        if not attempt:  # another process has answered it
            return None
        with self._watch.question(question.key, question.text, attempt) as note:
            return self._attempt(question, guard, attempt, note)

    def _attempt(
        self, question: Question, guard: Callable[[], None], attempt: int, note: Callable[[Answer], None]
    ) -> float | None:
        started = time.monotonic()
        try:
            slack = self._backend.workspaces.find(question.team, question.enterprise)
            outcome = self.respond(question, replace(slack, guard=guard), attempt, note)
        except SlackError as error:
            expired = question.ephemeral and time.time() - question.received > _MAX_RESPONSE_URL_SECONDS
            if error.code in TEMPORARY and attempt < _MAX_ATTEMPTS and not expired:
                _log.warning("postponed key=%s attempt=%d (%s)", question.key, attempt, error)
                return _RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS)) - 1]
            _log.error("given up key=%s attempt=%d (%s)", question.key, attempt, error)
            outcome = "lost"
        try:
            self._database.finish(question.key)
        except DatabaseError as error:  # the next attempt finds the answer in the thread
            _log.warning("answered, but not noted key=%s (%s)", question.key, error)
            return _RETRY_SECONDS[0]
        ms = (time.monotonic() - started) * 1000
        text = f" text={question.text!r}" if self._settings.slack_log_text else ""
        if outcome:
            watch.ANSWER_SECONDS.observe(max(0.0, time.time() - question.received))
            _log.info("%s key=%s user=%s attempt=%d ms=%.0f%s", outcome, question.key, question.user, attempt, ms, text)
        return None

    def respond(self, question: Question, slack: Slack, attempt: int, note: Callable[[Answer], None]) -> str:
        """Respond to a question once, with an answer, a refusal or an error; return the outcome for the log.

        Raises SlackError if Slack cannot be reached: a later attempt replaces what this one delivered.
        """
        with watch.timed("thread"):
            earlier = self._threads.conversation(question, slack)
        if not question.addressed and not earlier.takes_part:
            self._database.forget(question.key)
            return ""
        delivery = Delivery(slack, question, self._database)
        try:
            access, asker = self._backend.access, Asker.of(question)
            if refusal := access.refusal(asker, slack) or access.limit(asker, question.received):
                delivery.put_refusal(blocks.plain_message(refusal))
                return "turned away"
            if attempt > 1 and not question.ephemeral and delivery.resume():
                return "answered before"
            if attempt > _MAX_ATTEMPTS:
                return self._report(RuntimeError("the earlier attempts ended the process"), question, delivery)
            command = self._commands.get(question.text.lower().strip(" /.!?"))
            return command(question, delivery) if command else self._answer(question, delivery, earlier, attempt, note)
        except (LeaseLost, DatabaseError):
            raise
        except Exception as error:  # noqa: BLE001  # the asker gets a message, whatever goes wrong
            return self._report(error, question, delivery)

    def _answer(
        self,
        question: Question,
        delivery: Delivery,
        earlier: Conversation,
        attempt: int,
        watched: Callable[[Answer], None],
    ) -> str:
        """Answer from the articles: streamed while it is made, then in full."""
        delivery.show_status("is searching the articles…")
        preview = Preview(delivery, question)
        text, turns = question.text, earlier.turns
        if not text and turns and turns[-1].role == "user":  # the mention stands below the question
            text, turns = turns[-1].text, turns[:-1]
        shown = self._shown_before(question, attempt)
        try:
            stream = self._backend.engine.stream(text, turns=turns, shown=shown)
            for text in stream:
                preview.append(text)
            answer = stream.answer
        finally:
            preview.stop()
        watched(answer)
        kept = serialize.answer(answer) | {"shown_before": shown}
        self._database.keep_answer(question.key, kept, self._settings.llm_name or "quoted")
        note = (
            f"This thread is long: I did not read its first {earlier.left_out} messages." if earlier.left_out else None
        )
        if earlier.is_partial:
            note = "Slack did not let me read this thread just now: I know only what I was asked in it, and answered."
        updated = delivery.begun
        with watch.timed("post"):
            delivery.put(*blocks.answer_messages(answer, question.key, shareable=question.ephemeral, note=note))
        if updated:
            delivery.show_status("")
        if not earlier.turns:
            delivery.set_title()
        kind = "refusal" if answer.refusal else "reply" if answer.answerer == "reply" else "answer"
        return f"{kind} citations={len(answer.citations)} passages={len(answer.passages)}"

    def _shown_before(self, question: Question, attempt: int) -> list[str]:
        """The quotes of earlier answers to a question: after "Try again", the first attempt finds the one shown last.

        A later attempt finds the answer that it has to deliver again.
        """
        stored = self._database.answer(question.key) or {}
        last = [citation["quote"] for citation in stored.get("citations", ())] if attempt == 1 else []
        return list(dict.fromkeys([*stored.get("shown_before", ()), *last]))

    def _report(self, error: Exception, question: Question, delivery: Delivery) -> str:
        """Tell the asker about an error, unless a later attempt may succeed."""
        if isinstance(error, SlackError) and error.code in TEMPORARY:
            delivery.show_status("")
            raise error
        if isinstance(error, SlackError):
            _log.warning("Slack refused key=%s (%s)", question.key, error)
        elif not isinstance(error, ClippingsError):
            _log.error("an internal error key=%s", question.key, exc_info=error)
        text = user_message(error)
        if isinstance(error, QuestionTooLong):  # the same question will be no shorter
            delivery.put(blocks.plain_message(text))
        else:
            delivery.put(blocks.error_message(text, question.key), complete=False)
        delivery.show_status("")
        return f"error ({type(error).__name__})"

    def _help(self, question: Question, delivery: Delivery) -> str:
        admin = question.user in self._settings.slack_admins
        delivery.put(blocks.help_message(bot_user=delivery.slack.bot_user, admin=admin))
        return "help"

    def _status(self, _: Question, delivery: Delivery) -> str:
        delivery.put(blocks.status_message(self._backend.parts.status(self._settings), self._settings.llm_name))
        return "status"

    def _gaps(self, question: Question, delivery: Delivery) -> str:
        """Show an admin what could not be answered; what was asked in private, only as a number."""
        if question.user not in self._settings.slack_admins:
            text = "Only the admins of this bot can see what was asked. CLIPPINGS_SLACK_ADMINS lists them."
            delivery.put(blocks.plain_message(text))
            return "turned away"
        if not (question.is_direct or question.ephemeral):
            delivery.put(blocks.plain_message("Ask me that directly: what people ask is not for everybody here."))
            return "turned away"
        delivery.put(blocks.gaps_message(find_gaps(self._database)))
        return "gaps"

    def _reindex(self, question: Question, delivery: Delivery) -> str:
        """Index the articles again; one message shows the progress, then the result."""
        if question.user not in self._settings.slack_admins:
            text = "Only the admins of this bot can reindex. Whoever runs it lists them in CLIPPINGS_SLACK_ADMINS."
            delivery.put(blocks.plain_message(text))
            return "turned away"
        delivery.put(blocks.plain_message("Reindexing…"), complete=False)
        shown = time.monotonic()

        def show_progress(done: int, total: int) -> None:
            nonlocal shown
            if question.ephemeral or time.monotonic() - shown < _PROGRESS_PAUSE_SECONDS:
                return  # a response URL takes few messages
            shown = time.monotonic()
            try:
                delivery.put(blocks.plain_message(f"Reindexing: {done} of {total} articles."), complete=False)
            except (SlackError, LeaseLost, DatabaseError) as error:  # indexing goes on
                _log.warning("progress could not be shown (%s)", error)

        report = self._backend.parts.ingest(self._settings, [], prune=True, progress=show_progress)
        counts = (
            f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, {report.removed} removed"
        )
        failed = f" {len(report.failed)} could not be read; `clippings index` lists them." if report.failed else ""
        delivery.put(blocks.plain_message(f"Reindexed in {report.seconds:.0f} seconds: {counts}.{failed}"))
        return "reindex"


class Apologies:
    """Says to whoever asks that the database does not answer: once for a question. Safe to share between threads."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._keys: deque[str] = deque(maxlen=_MAX_APOLOGIES)

    def apologize(self, question: Question) -> None:
        """Say it to the asker alone; not more than once, though a question may come or be attempted again."""
        if question.key in self._keys or not question.addressed:
            return
        self._keys.append(question.key)
        message = blocks.plain_message(_DATABASE_DOWN)
        try:
            if question.ephemeral:
                respond_to(question.response_url, message)
            else:
                slack = self._workspaces.find(question.team, question.enterprise)
                thread = question.thread if question.thread != question.ts else ""
                slack.post_ephemeral(question.channel, question.user, thread, message)
        except (SlackError, ClippingsError, SQLAlchemyError) as error:
            _log.warning("it could not be said that the database does not answer (%s)", type(error).__name__)


def user_message(error: Exception) -> str:
    """An error in words for Slack, without paths or internal names: what happened, why, what to do."""
    if isinstance(error, QuestionTooLong):
        return str(error)
    return next((text for kind, text in _ERRORS.items() if isinstance(error, kind)), _DEFECT)
