"""What the buttons and modals do."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bot import serialize
from bot.slack import blocks, views
from bot.slack.access import Access, Asker
from bot.slack.database import Database, Question
from bot.slack.events import enterprise_of, question_of_example, team_of
from bot.slack.pieces import mark
from bot.slack.respond import sentence
from bot.slack.web import Slack, SlackError, respond_to
from bot.slack.workspaces import Workspaces
from index.models import ClippingsError
from index.text import surrounding

if TYPE_CHECKING:
    from slack_sdk.models.views import View

    from bot.models import AnswerEngine
    from bot.runtime import Parts
    from bot.settings import Settings

    Body = Mapping[str, Any]

_EXAMPLES = 4
_GONE = "That answer is more than a week old, and what it stood on is no longer kept. Please ask again."
_log = logging.getLogger(__name__)


class Clicks:
    """One method for each button, modal and page. Safe to share between threads."""

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

    def feedback(self, body: Body) -> None:
        """Keep what is thought of an answer; and ask why it was not helpful."""
        verdict, _, key = _value(body).partition(" ")
        kept = self._database.give_feedback(key, body["user"]["id"], helpful=verdict == "helpful")
        if not kept:
            self._open(body, views.note_view("Feedback", _GONE))
        elif verdict != "helpful":
            self._open(body, views.why_view(key))

    def why(self, body: Body) -> None:
        """Keep why an answer was not helpful."""
        view = body["view"]
        reason = view["state"]["values"]["reason"]["reason"].get("value") or ""
        self._database.give_feedback(view["private_metadata"], body["user"]["id"], helpful=False, reason=reason)

    def again(self, body: Body) -> Question | None:
        """The question of an answer or error, to be answered once more."""
        return self._database.again(_value(body), str(body.get("response_url") or ""))

    def share(self, body: Body) -> None:
        """Show the channel an answer that only its asker saw."""
        kept = self._database.answer(_value(body))
        if kept is None:
            self._open(body, views.note_view("Share", _GONE))
            return
        answer, url = serialize.read_answer(kept), body["response_url"]
        for message in blocks.answer_messages(answer, _value(body), asked_by=body["user"]["id"]):
            respond_to(url, message, public=True)
        *_, last = blocks.answer_messages(answer, _value(body))
        respond_to(url, last, replace=True)  # without the button: once is enough

    def passage(self, body: Body) -> None:
        """Open a quote inside its paragraph."""
        self._open(body, self._passage(json.loads(_value(body))))

    def example(self, body: Body) -> Question:
        """Put an example question of the App Home into the direct conversation, and ask it."""
        text, slack = _value(body), self._slack(body)
        message = blocks.plain_message(text)
        posted = slack.say(body["user"]["id"], message)
        return question_of_example(body, text, *posted)

    def home(self, body: Body) -> None:
        """Show the App Home to who opened it."""
        user, slack = body["event"]["user"], self._slack(body)
        refusal = self._access.refusal(_directly(body, user), slack)
        view = views.home_view(None, refusal, [], admin=False) if refusal else self._home(user)
        slack.call("views.publish", user_id=user, view=view.to_dict())

    def prompts(self, body: Body) -> None:
        """Suggest questions in a pane that was opened; the older assistant pane is a thread, the newer is none."""
        event, slack = body["event"], self._slack(body)
        thread = event.get("assistant_thread") or {}
        place = {"channel_id": thread.get("channel_id") or event.get("channel")}
        if thread.get("thread_ts"):
            place["thread_ts"] = thread["thread_ts"]
        if self._access.refusal(_directly(body, thread.get("user_id") or event.get("user")), slack):
            return  # what is indexed is not for them; why, they are told when they ask
        prompts = [{"title": example, "message": example} for example in self._examples()]
        if prompts:
            slack.call(
                "assistant.threads.setSuggestedPrompts", **place, prompts=prompts, title="Ask about what is indexed"
            )

    def allowed(self, body: Body) -> bool:
        """Whether who clicked may; else they are told that they may not."""
        channel = (body.get("channel") or {}).get("id") or "D"
        asker = Asker(team_of(body), enterprise_of(body), body["user"]["id"], channel)
        refusal = self._access.refusal(asker, self._slack(body))
        if refusal:
            self._open(body, views.note_view("Not allowed", refusal))
        return not refusal

    def guarded(self, act: Callable[[Body], object], body: Body) -> None:
        """Do what a click asks for; where it fails, say so to who clicked."""
        try:
            act(body)
        except Exception as error:  # noqa: BLE001  # whatever goes wrong, who clicks is told
            log = _log.warning if isinstance(error, (SlackError, ClippingsError)) else _log.exception
            log("a click failed: %s (%s)", act.__name__, error)
            if "trigger_id" in body:
                try:
                    self._open(body, views.note_view("Sorry", sentence(error)))
                except SlackError:
                    _log.warning("and who clicked could not be told")

    def _home(self, user: str) -> View:
        status, problem = None, None
        try:
            status = self._parts.status(self._settings)
        except ClippingsError as error:
            problem = sentence(error)
        return views.home_view(status, problem, self._examples(), admin=self._access.is_admin(user))

    def _passage(self, value: Mapping[str, Any]) -> View:
        try:
            article = self._engine.article(str(value["id"]))
        except ClippingsError:
            article = None
        if article is None:
            return views.gone_view()
        start, end = int(value["start"]), int(value["end"])
        quote = article.body[start:end]
        if mark(quote) != value["mark"]:
            return views.gone_view()
        first, last = surrounding(article.body, start, end)
        return views.passage_view(article.source, article.body[first:start], quote, article.body[end:last])

    def _examples(self) -> list[str]:
        try:
            return blocks.examples(self._engine.sources(), _EXAMPLES)
        except ClippingsError:
            return []

    def _open(self, body: Body, view: View) -> None:
        self._slack(body).call("views.open", trigger_id=body["trigger_id"], view=view.to_dict())

    def _slack(self, body: Body) -> Slack:
        return self._workspaces.of(team_of(body), enterprise_of(body))


def _directly(body: Body, user: str) -> Asker:
    """Who asks in no channel."""
    return Asker(team_of(body), enterprise_of(body), user, "D")


def _value(body: Body) -> str:
    return str(body["actions"][0].get("value") or "")
