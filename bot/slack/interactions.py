"""What buttons, modals, the App Home and the assistant pane do."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot import serialize
from bot.slack import blocks, views
from bot.slack.access import Asker
from bot.slack.database import Question
from bot.slack.events import Payload, enterprise_of, question_of_example, team_of
from bot.slack.message_parts import quote_digest
from bot.slack.respond import Backend, user_message
from bot.slack.web import Slack, SlackError, respond_to
from index.models import ClippingsError
from index.text import surrounding

if TYPE_CHECKING:
    from slack_sdk.models.views import View

_MAX_EXAMPLES = 4
_GONE = "That answer is more than a week old and has been deleted. Please ask again."
_log = logging.getLogger(__name__)


class Interactions:
    """A method for each button, modal and page. Safe to share between threads."""

    def __init__(
        self, backend: Backend, receive: Callable[[Question], None], submit: Callable[[Question], None]
    ) -> None:
        """``receive`` takes a new question, ``submit`` one that is stored."""
        self._backend, self._database = backend, backend.database
        self._receive, self._submit = receive, submit

    def feedback(self, body: Payload) -> None:
        """Store an opinion of an answer, and ask why if it was not helpful."""
        opinion, _, key = _value(body).partition(" ")
        if not self._database.give_feedback(key, body["user"]["id"], helpful=opinion == "helpful"):
            self._open(body, views.note_view("Feedback", _GONE))
        elif opinion != "helpful":
            self._open(body, views.reason_view(key))

    def reason(self, body: Payload) -> None:
        """Store why an answer was not helpful."""
        view = body["view"]
        reason = view["state"]["values"]["reason"]["reason"].get("value") or ""
        self._database.give_feedback(view["private_metadata"], body["user"]["id"], helpful=False, reason=reason)

    def retry(self, body: Payload) -> None:
        """Answer a question again, unless it is gone, or being answered."""
        if question := self._database.reopen(_value(body), str(body.get("response_url") or "")):
            self._submit(question)

    def share(self, body: Payload) -> None:
        """Show an ephemeral answer to the channel."""
        stored = self._database.answer(_value(body))
        if stored is None:
            self._open(body, views.note_view("Share", _GONE))
            return
        answer, url = serialize.read_answer(stored), body["response_url"]
        for message in blocks.answer_messages(answer, _value(body), asked_by=body["user"]["id"]):
            respond_to(url, message, public=True)
        *_, last = blocks.answer_messages(answer, _value(body))
        respond_to(url, last, replace=True)  # removes the button, so that it is shared once

    def passage(self, body: Payload) -> None:
        """Open a quote inside its paragraph."""
        value = json.loads(_value(body))
        try:
            article = self._backend.engine.article(str(value["id"]))
        except ClippingsError:
            article = None
        start, end = int(value["start"]), int(value["end"])
        if article is None or quote_digest(article.body[start:end]) != value["mark"]:
            self._open(body, views.article_gone_view())
            return
        text, (first, last) = article.body, surrounding(article.body, start, end)
        self._open(body, views.passage_view(article.source, text[first:start], text[start:end], text[end:last]))

    def example(self, body: Payload) -> None:
        """Post an example question of the App Home to the direct conversation, and answer it."""
        text = _value(body)
        posted = self._slack(body).post_direct(body["user"]["id"], blocks.plain_message(text))
        self._receive(question_of_example(body, text, *posted))

    def home(self, body: Payload) -> None:
        """Publish the App Home of a person."""
        user, slack, access = body["event"]["user"], self._slack(body), self._backend.access
        if problem := access.refusal(_asker(body, user), slack):
            view = views.home_view(None, problem, [], admin=False)
        else:
            status = None
            try:
                status = self._backend.parts.status(self._backend.settings)
            except ClippingsError as error:
                problem = user_message(error)
            view = views.home_view(status, problem, self._examples(), admin=user in self._backend.settings.slack_admins)
        slack.call("views.publish", user_id=user, view=view.to_dict())

    def prompts(self, body: Payload) -> None:
        """Suggest questions in a pane that was opened: the older assistant pane has a thread, the newer has none."""
        event, slack = body["event"], self._slack(body)
        thread = event.get("assistant_thread") or {}
        place = {"channel_id": thread.get("channel_id") or event.get("channel")}
        if thread.get("thread_ts"):
            place["thread_ts"] = thread["thread_ts"]
        if self._backend.access.refusal(_asker(body, thread.get("user_id") or event.get("user")), slack):
            return  # without showing headlines; the reason comes when they ask
        prompts = [{"title": example, "message": example} for example in self._examples()]
        if prompts:
            title = "Ask about what is indexed"
            slack.call("assistant.threads.setSuggestedPrompts", **place, prompts=prompts, title=title)

    def run(self, action: Callable[[Payload], object], body: Payload, *, check: bool) -> None:
        """Run an action, after a ``check`` of who clicked; show refusals and errors in a modal."""
        try:
            channel = (body.get("channel") or {}).get("id") or "D"
            refusal = check and self._backend.access.refusal(
                _asker(body, body["user"]["id"], channel), self._slack(body)
            )
            if refusal:
                self._open(body, views.note_view("Not allowed", refusal))
            else:
                action(body)
        except Exception as error:  # noqa: BLE001  # the person gets a message, whatever goes wrong
            log = _log.warning if isinstance(error, (SlackError, ClippingsError)) else _log.exception
            log("an interaction failed: %s (%s)", action.__name__, error)
            if "trigger_id" in body:
                try:
                    self._open(body, views.note_view("Sorry", user_message(error)))
                except SlackError:
                    _log.warning("the error could not be shown")

    def _examples(self) -> list[str]:
        try:
            return blocks.examples(self._backend.engine.sources(), _MAX_EXAMPLES)
        except ClippingsError:
            return []

    def _open(self, body: Payload, view: View) -> None:
        self._slack(body).call("views.open", trigger_id=body["trigger_id"], view=view.to_dict())

    def _slack(self, body: Payload) -> Slack:
        return self._backend.workspaces.find(team_of(body), enterprise_of(body))


def _asker(body: Payload, user: str, channel: str = "D") -> Asker:
    """Who interacts; in no channel by default."""
    return Asker(team_of(body), enterprise_of(body), user, channel)


def _value(body: Payload) -> str:
    return str(body["actions"][0].get("value") or "")
