"""One question -> one answer, one refusal or one plain error: the way of all that is asked in Slack."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bot import serialize
from bot.models import QuestionTooLong
from bot.slack import blocks
from bot.slack.access import Access, Asker
from bot.slack.blocks import Message
from bot.slack.database import Database, Question
from bot.slack.preview import Preview
from bot.slack.threads import Conversation, conversation
from bot.slack.web import Posted, Slack, SlackError, respond_to
from bot.slack.workspaces import Workspaces
from index.models import ClippingsError, IndexDamaged, IndexLocked, IndexMissing

if TYPE_CHECKING:
    from bot.models import AnswerEngine
    from bot.runtime import Parts
    from bot.settings import Settings

_SEARCHING = "is searching the articles…"
_BROKEN = "Something went wrong on my side, and it has been noted. Please try again."
_AGAIN_AFTER = (5.0, 20.0, 60.0, 300.0)  # seconds, where Slack cannot be reached
_MOST_ATTEMPTS = 8
_PASSING = ("unreachable", "ratelimited")  # what Slack may take later
_RESPONSE_URL_USES = 4  # of the five that Slack allows, since "Reindexing…" took one
_RESPONSE_URL_LIVES = 1_700  # seconds; Slack's word is 30 minutes
_TITLE = 80
_PROGRESS_PAUSE = 3.0  # seconds
_log = logging.getLogger(__name__)


class Responder:
    """Answers questions. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        parts: Parts,
        engine: AnswerEngine,
        database: Database,
        workspaces: Workspaces,
        access: Access,
    ) -> None:
        self._settings, self._parts, self._engine = settings, parts, engine
        self._database, self._workspaces, self._access = database, workspaces, access
        self._commands: dict[str, Callable[[Slack, Question, list[str]], str]] = {
            "help": self._help, "status": self._status, "reindex": self._reindex,
        }  # fmt: skip

    def respond(self, question: Question) -> float | None:
        """Answer a question, and note that it is done; or return the seconds after which to try again."""
        started = time.monotonic()
        attempt = self._database.begin(question.key)
        try:
            slack = self._workspaces.of(question.team, question.enterprise)
            kind = self._respond(slack, question, attempt)
        except SlackError as error:
            if error.code in _PASSING and attempt < _MOST_ATTEMPTS and not _is_stale(question):
                _log.warning("left for later key=%s attempt=%d (%s)", question.key, attempt, error)
                return _AGAIN_AFTER[min(attempt, len(_AGAIN_AFTER)) - 1]
            _log.error("cannot be answered key=%s attempt=%d (%s)", question.key, attempt, error)
            kind = "lost"
        self._database.done(question.key)
        spent = (time.monotonic() - started) * 1000
        told = f" text={question.text!r}" if self._settings.slack_log_text else ""
        if kind:
            _log.info("%s key=%s user=%s attempt=%d ms=%.0f%s", kind, question.key, question.user, attempt, spent, told)
        return None

    def _respond(self, slack: Slack, question: Question, attempt: int) -> str:
        """Find out what is wanted and do it; returns what was done in a few words for the log."""
        before = self._before(slack, question)
        if not question.addressed and not before.takes_part:
            self._database.forget(question.key)
            return ""
        held = self._database.posted(question.key)
        try:
            asker = _asker(question)
            if refusal := self._access.refusal(asker, slack) or self._access.limit(asker, question.received):
                self._whisper(slack, question, blocks.plain_message(refusal))
                return "turned away"
            if attempt > 1 and not question.private:
                if (found := self._found(slack, question)) is None:
                    return "answered before"
                held = found
            if attempt > _MOST_ATTEMPTS:
                raise RuntimeError("too many attempts")  # noqa: TRY301  # each of them ended the process, perhaps
            command = self._commands.get(question.text.lower().strip(" /.!?"))
            return command(slack, question, held) if command else self._answer(slack, question, before, held)
        except Exception as error:  # noqa: BLE001  # whatever goes wrong, who asks is told
            return self._fail(slack, question, error, held)

    def _before(self, slack: Slack, question: Question) -> Conversation:
        """What was said in the thread before; nothing where Slack does not let it be read."""
        if question.private or question.thread == question.ts:
            return Conversation((), takes_part=False)
        try:
            replies = slack.replies(question.channel, question.thread)
        except SlackError as error:
            if error.code in _PASSING or not question.addressed:
                raise
            _log.warning("the thread could not be read key=%s (%s)", question.key, error)
            return Conversation((), takes_part=False)
        return conversation(replies, question.ts, slack.bot_user)

    def _fail(self, slack: Slack, question: Question, error: Exception, held: list[str]) -> str:
        """Tell who asks in a sentence; but a fault of Slack that passes is for a later attempt."""
        if isinstance(error, SlackError) and error.code in _PASSING:
            self._show_status(slack, question, "")
            raise error
        if not isinstance(error, ClippingsError):
            _log.error("an error of our own key=%s", question.key, exc_info=error)
        told = blocks.error_message(sentence(error), question.key)
        self._deliver(slack, question, [told], held, whole=False)
        self._show_status(slack, question, "")
        return f"error ({type(error).__name__})"

    def _answer(self, slack: Slack, question: Question, before: Conversation, held: list[str]) -> str:
        self._show_status(slack, question, _SEARCHING)
        preview = Preview(slack, question, lambda ts: self._hold(question, held, ts))
        shown_live = not question.private and not held
        stream = self._engine.stream(question.text, turns=before.turns)
        try:
            for text in stream:
                if shown_live:
                    preview.add(text)
            answer = stream.answer
        finally:
            preview.stop()
        self._database.keep_answer(question.key, serialize.answer(answer), self._settings.llm_name or "quoted")
        left_out = before.left_out
        note = f"This thread is long: its first {left_out} messages were left out of account." if left_out else None
        messages = blocks.answer_messages(answer, question.key, shareable=question.private, note=note)
        replaces = bool(held)
        self._deliver(slack, question, messages, held)
        if replaces:
            self._show_status(slack, question, "")  # Slack takes it away by itself only when something new is posted
        if not before.turns:
            self._set_title(slack, question)
        kind = "refusal" if answer.refusal else "reply" if answer.answerer == "reply" else "answer"
        return f"{kind} citations={len(answer.citations)} passages={len(answer.passages)}"

    def _deliver(  # what, where, and in place of what
        self, slack: Slack, question: Question, messages: Sequence[Message], held: list[str], *, whole: bool = True
    ) -> None:
        """Put messages where the answer belongs: in place of what the answer holds there already, then after it.

        What is not ``whole``, such as progress, or an error, does not count as the answer after a restart.
        """
        if question.private:
            self._deliver_privately(slack, question, messages)
            return
        for number, message in enumerate(messages):
            part = Posted("", question.key, number, len(messages) + (not whole))
            if number < len(held):
                try:
                    slack.update(question.channel, held[number], message, part)
                except SlackError as error:
                    if error.code in _PASSING:
                        raise
                    slack.delete(question.channel, held[number])
                    held[number] = slack.post(question.channel, question.thread, message, part)
            else:
                self._hold(question, held, slack.post(question.channel, question.thread, message, part))
        for ts in held[len(messages) :]:
            slack.delete(question.channel, ts)
        self._database.set_posted(question.key, held[: len(messages)])

    def _deliver_privately(self, slack: Slack, question: Question, messages: Sequence[Message]) -> None:
        """Put messages where only the asker sees them: what is too many for a response URL goes to them directly."""
        again = bool(self._database.posted(question.key))
        for number, message in enumerate(messages):
            if number < _RESPONSE_URL_USES:
                respond_to(question.response_url, message, replace=again and not number)
            else:
                slack.say(question.user, message)
        self._database.set_posted(question.key, ["private"])

    def _hold(self, question: Question, held: list[str], ts: str) -> None:
        if ts not in held:
            held.append(ts)
        self._database.set_posted(question.key, held)

    def _found(self, slack: Slack, question: Question) -> list[str] | None:
        """The messages that the thread holds of the answer, or of its beginning; None where all of it is there.

        An earlier attempt may have ended at any point. A message without a key is the beginning of an answer: in a
        thread only one is made at a time.
        """
        since = float(question.ts)
        ours = [one for one in slack.ours(question.channel, question.thread) if float(one.ts) > since]
        mine = [one for one in ours if one.key == question.key]
        if mine and {one.part for one in mine} == set(range(mine[0].parts)):
            return None
        begun = [one for one in ours if not one.key]
        for one in begun:
            slack.stop_stream(question.channel, one.ts)
        return [one.ts for one in (*mine, *begun)]

    def _whisper(self, slack: Slack, question: Question, message: Message) -> None:
        """Tell somebody something that concerns nobody else."""
        if question.private or question.channel.startswith("D"):
            self._deliver(slack, question, [message], self._database.posted(question.key))
        else:
            thread = question.thread if question.thread != question.ts else ""
            slack.whisper(question.channel, question.user, thread, message)

    def _help(self, slack: Slack, question: Question, held: list[str]) -> str:
        told = blocks.help_message(bot_user=slack.bot_user or None, admin=self._access.is_admin(question.user))
        self._deliver(slack, question, [told], held)
        return "help"

    def _status(self, slack: Slack, question: Question, held: list[str]) -> str:
        told = blocks.status_message(self._parts.status(self._settings), self._settings.llm_name)
        self._deliver(slack, question, [told], held)
        return "status"

    def _reindex(self, slack: Slack, question: Question, held: list[str]) -> str:
        """Bring the index up to date, with the progress in the message that in the end says what was done."""
        if not self._access.is_admin(question.user):
            told = "Only the admins of this bot can reindex. Whoever runs it names them in CLIPPINGS_SLACK_ADMINS."
            self._deliver(slack, question, [blocks.plain_message(told)], held)
            return "turned away"
        self._deliver(slack, question, [blocks.plain_message("Reindexing…")], held, whole=False)
        last = time.monotonic()

        def progress(done: int, of: int) -> None:
            nonlocal last
            if question.private or time.monotonic() - last < _PROGRESS_PAUSE:
                return  # a response URL takes few messages
            last = time.monotonic()
            try:
                told = blocks.plain_message(f"Reindexing: {done} of {of} articles.")
                self._deliver(slack, question, [told], held, whole=False)
            except SlackError as error:  # no reason to stop
                _log.warning("progress could not be shown (%s)", error)

        report = self._parts.ingest(self._settings, [], prune=False, progress=progress)
        counts = (
            f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, {report.removed} removed"
        )
        failed = f" {len(report.failed)} could not be read; `clippings index` names them." if report.failed else ""
        told = f"Reindexed in {report.seconds:.0f} seconds: {counts}.{failed}"
        self._deliver(slack, question, [blocks.plain_message(told)], held)
        return "reindex"

    def _show_status(self, slack: Slack, question: Question, status: str) -> None:
        """Say what is being done, or "" for nothing any more; Slack takes it away when an answer is posted."""
        if not question.private:
            self._at_best(slack, "assistant.threads.setStatus", question, status=status)

    def _set_title(self, slack: Slack, question: Question) -> None:
        if question.channel.startswith("D") and not question.private:
            self._at_best(slack, "assistant.threads.setTitle", question, title=question.text[:_TITLE] or "Clippings")

    def _at_best(self, slack: Slack, method: str, question: Question, **arguments: str) -> None:
        try:
            slack.call(method, channel_id=question.channel, thread_ts=question.thread, **arguments)
        except SlackError as error:
            _log.debug("%s key=%s", error, question.key)


def sentence(error: Exception) -> str:
    """What a person in Slack is told of an error: no path, no name of ours, and what to do."""
    if isinstance(error, IndexMissing):
        return "No articles have been indexed yet, so I have nothing to answer from. Whoever runs me can index some."
    if isinstance(error, IndexLocked):
        return "The articles are being indexed already. Try again when that is done."
    if isinstance(error, IndexDamaged):
        return "The index of the articles cannot be read at the moment. Whoever runs me has been told why."
    if isinstance(error, QuestionTooLong):
        return str(error)
    if isinstance(error, ClippingsError):
        return "I cannot search the articles at the moment; the cause has been noted for whoever runs me."
    return _BROKEN


def _asker(question: Question) -> Asker:
    return Asker(question.team, question.enterprise, question.user, question.channel)


def _is_stale(question: Question) -> bool:
    return question.private and time.time() - question.received > _RESPONSE_URL_LIVES
