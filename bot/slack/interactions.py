"""What buttons, modals, the App Home and the assistant pane do and show."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from slack_sdk.models import blocks as kit
from slack_sdk.models.views import View

from bot import serialize
from bot.plain_text import one_line, safe
from bot.slack import blocks
from bot.slack.access import Asker
from bot.slack.blocks import button, facts_block, headline, how_to_ask, index_facts, origin, quote_digest
from bot.slack.database import Question
from bot.slack.events import Interaction, Malformed, question_of_example, reading
from bot.slack.respond import Backend, user_message
from bot.slack.rich_text import linked, literal, plain, section, shortened, size, split, text_block
from bot.slack.web import Slack, SlackError, respond_to
from index.models import ClippingsError, Source, Span
from index.text import marked_paragraphs

if TYPE_CHECKING:
    from index.status import Status

_MAX_EXAMPLES = 4
_GONE = "That answer is more than a week old and has been deleted. Please ask again."
_NOT_YOURS = "Only the person who asked this question can do that. Please ask it yourself."
_SHARED = "This answer has been shared already."
_log = logging.getLogger(__name__)
_MAX_MODAL_TITLE_CHARACTERS = 24
_MAX_BUTTON_CHARACTERS = 75
_MAX_REASON_CHARACTERS = 2_000
_MAX_MODAL_TEXT_SIZE = 2_400  # of a part of a quote or note, in `size`
_MAX_MODAL_SECTION_SIZE = 4_000
_MAX_PASSAGE_CHARACTERS = 3_000  # paragraphs are cut around their quotes to this
_MIN_CONTEXT_CHARACTERS = 600  # before and after a long quote, over all paragraphs


class Interactions:
    """A method for each button, modal and page. Safe to share between threads."""

    def __init__(
        self, backend: Backend, receive: Callable[[Question], None], submit: Callable[[Question], None]
    ) -> None:
        """``receive`` takes a new question, ``submit`` one that is stored."""
        self._backend, self._database = backend, backend.database
        self._receive, self._submit = receive, submit

    def feedback(self, click: Interaction) -> None:
        """Store an opinion of an answer, and ask why if it was not helpful."""
        opinion, _, key = click.value.partition(" ")
        if not self._database.give_feedback(key, click.user, helpful=opinion == "helpful"):
            self._open(click, note_view("Feedback", _GONE))
        elif opinion != "helpful":
            self._open(click, reason_view(key))

    def reason(self, modal: Interaction) -> None:
        """Store why an answer was not helpful."""
        self._database.give_feedback(modal.value, modal.user, helpful=False, reason=modal.text)

    def retry(self, click: Interaction) -> None:
        """Answer a question of the same person again, unless it is being answered. It counts as another question."""
        question = self._database.question(click.value)
        if problem := _problem(question, click):
            self._open(click, note_view("Try again", problem))
        elif question := self._database.reopen(click.value, click.response_url):
            self._submit(question)

    def share(self, click: Interaction) -> None:
        """Show an ephemeral answer to the channel, once."""
        key, stored = click.value, self._database.answer(click.value)
        problem = _problem(self._database.question(key) if stored else None, click)
        if problem or stored is None or not self._database.share(key):
            self._open(click, note_view("Share", problem or _SHARED))
            return
        answer = serialize.read_answer(stored)
        try:
            for message in blocks.answer_messages(answer, key, asked_by=click.user):
                respond_to(click.response_url, message, public=True)
        except SlackError:
            self._database.unshare(key)
            raise
        *_, last = blocks.answer_messages(answer, key)
        respond_to(click.response_url, last, replace=True)  # removes the button

    def passage(self, click: Interaction) -> None:
        """Open the quotes of an article inside their paragraphs."""
        with reading():
            value = json.loads(click.value)
            article_id, mark, places = str(value["id"]), value["mark"], [(value["start"], value["end"])]
            spans = [Span(int(start), int(end)) for start, end in [*places, *value.get("more", ())]]
            article_id.encode()
        try:
            article = self._backend.engine.article(article_id)
        except ClippingsError:
            article = None
        if article is None or quote_digest("".join(article.body[start:end] for start, end in spans)) != mark:
            self._open(click, article_gone_view())
            return
        self._open(click, passage_view(article.source, marked_paragraphs(article.body, spans)))

    def example(self, click: Interaction) -> None:
        """Post an example question of the App Home to the direct conversation, and answer it."""
        posted = self._slack(click).post_direct(click.user, blocks.plain_message(click.value))
        self._receive(question_of_example(click, *posted))

    def home(self, page: Interaction) -> None:
        """Publish the App Home of a person; for who may not ask, only the reason."""
        user, slack = page.user, self._slack(page)
        if refusal := self._backend.access.refusal(_asker(page), slack):
            view = refused_home_view(refusal)
        else:
            status = problem = None
            try:
                status = self._backend.parts.status(self._backend.settings)
            except ClippingsError as error:
                problem = user_message(error)
            view = home_view(status, problem, self._examples(), admin=user in self._backend.settings.slack_admins)
        slack.call("views.publish", user_id=user, view=view.to_dict())

    def prompts(self, page: Interaction) -> None:
        """Suggest questions in a pane that was opened."""
        slack, place = self._slack(page), {"channel_id": page.channel}
        if page.thread:
            place["thread_ts"] = page.thread
        if self._backend.access.refusal(_asker(page), slack):
            return  # without showing headlines; the reason comes when they ask
        prompts = [{"title": example, "message": example} for example in self._examples()]
        if prompts:
            title = "Ask about what is indexed"
            slack.call("assistant.threads.setSuggestedPrompts", **place, prompts=prompts, title=title)

    def run(self, action: Callable[[Interaction], object], interaction: Interaction, *, check: bool) -> None:
        """Run an action, after a ``check`` of who clicked; show refusals and errors in a modal."""
        try:
            refusal = check and self._backend.access.refusal(_asker(interaction), self._slack(interaction))
            if refusal:
                self._open(interaction, note_view("Not allowed", refusal))
            else:
                action(interaction)
        except Exception as error:  # noqa: BLE001  # the person gets a message, whatever goes wrong
            log = _log.warning if isinstance(error, (SlackError, ClippingsError, Malformed)) else _log.exception
            log("an interaction failed: %s (%s)", action.__name__, error)
            if interaction.trigger_id:
                try:
                    self._open(interaction, note_view("Sorry", user_message(error)))
                except SlackError:
                    _log.warning("the error could not be shown")

    def _examples(self) -> list[str]:
        try:
            return blocks.examples(self._backend.engine.sources(), _MAX_EXAMPLES)
        except ClippingsError:
            return []

    def _open(self, interaction: Interaction, view: View) -> None:
        self._slack(interaction).call("views.open", trigger_id=interaction.trigger_id, view=view.to_dict())

    def _slack(self, interaction: Interaction) -> Slack:
        return self._backend.workspaces.find(interaction.team, interaction.enterprise)


def _asker(interaction: Interaction) -> Asker:
    return Asker(interaction.team, interaction.enterprise, interaction.user, interaction.channel)


def _problem(question: Question | None, click: Interaction) -> str | None:
    """Why the buttons of an answer are not for whoever clicked; None if they are."""
    if question is None:
        return _GONE
    return None if question.user == click.user else _NOT_YOURS


def home_view(status: Status | None, problem: str | None, examples: Sequence[str], *, admin: bool) -> View:
    """The App Home: what is indexed, or the problem; how to ask; example questions as buttons."""
    blocks: list[kit.Block] = [kit.HeaderBlock(text=plain("What I know"))]
    if status is not None:
        blocks.append(facts_block(index_facts(status)))
    if problem:
        blocks.append(text_block(literal(problem)))
    blocks += [kit.HeaderBlock(text=plain("How to ask")), *how_to_ask(literal("me"), admin=admin)]
    buttons = []
    for number, question in enumerate(map(one_line, examples), 1):
        text, label = (shortened(text, _MAX_BUTTON_CHARACTERS) for text in (question, f"Ask: {question}"))
        buttons.append(button(text, f"ask-{number}", question, label))
    if buttons:
        blocks += [kit.HeaderBlock(text=plain("Try one of these")), kit.ActionsBlock(block_id="ask", elements=buttons)]
    return View(type="home", blocks=blocks)


def refused_home_view(reason: str) -> View:
    """The App Home of who may not ask."""
    return View(type="home", blocks=[text_block(literal(reason))])


def passage_view(source: Source, passages: Sequence[Sequence[tuple[str, bool]]]) -> View:
    """Quotes in bold inside their paragraphs, as `marked_paragraphs` gives them; long text around a quote is cut."""
    quoted = sum(len(text) for runs in passages for text, is_quoted in runs if is_quoted)
    room = max(_MIN_CONTEXT_CHARACTERS, (_MAX_PASSAGE_CHARACTERS - quoted) // 2) // max(1, len(passages))
    title = section(linked(headline(source), source.url), literal(origin(source)))
    parts = (part for runs in passages for part in _passage_parts(runs, room))
    return _modal("Passage", title, *map(section, parts), callback_id="passage")


def _passage_parts(runs: Sequence[tuple[str, bool]], room: int) -> list[list[kit.RichTextElement]]:
    """A paragraph as sections that are not too long."""
    parts: list[list[kit.RichTextElement]] = [[]]
    used = 0
    for position, (text, is_quoted) in enumerate(runs):
        if is_quoted:
            shown = safe(text) or "…"
        else:
            shown = _cut(safe(text), room, begins=position > 0, ends=position < len(runs) - 1)
        for piece in split(shown, _MAX_MODAL_TEXT_SIZE):
            if used and used + size(piece) > _MAX_MODAL_SECTION_SIZE:
                parts.append([])
                used = 0
            parts[-1] += literal(piece, bold=is_quoted)
            used += size(piece)
    return parts


def _cut(text: str, room: int, *, begins: bool, ends: bool) -> str:
    """Cut a text beside quotes at words: it keeps its beginning if that follows a quote, its end if a quote follows."""
    if len(text) <= room * (begins + ends):
        return text
    start = (text[:room].rpartition(" ")[0] or text[:room]) if begins else ""
    end = (text[-room:].partition(" ")[2] or text[-room:]) if ends else ""
    return f"{start}…{end}"


def article_gone_view() -> View:
    """Say that the article was changed or removed after the answer."""
    return note_view("Passage", "This article was changed or removed after that answer. Ask again for a new answer.")


def note_view(title: str, text: str) -> View:
    """Show a text in a modal."""
    return _modal(title, *(section(literal(part)) for part in split(safe(text).strip() or "…", _MAX_MODAL_TEXT_SIZE)))


def reason_view(key: str) -> View:
    """Ask why the answer with this key was not helpful."""
    element = kit.PlainTextInputElement(action_id="reason", multiline=True, max_length=_MAX_REASON_CHARACTERS)
    label = plain("What was wrong with it, or missing?")
    reason = kit.InputBlock(block_id="reason", label=label, element=element, optional=True)
    return View(
        type="modal", callback_id="why", private_metadata=key, title=plain("Not helpful"),
        submit=plain("Send"), close=plain("Cancel"), blocks=[reason],
    )  # fmt: skip


def _modal(title: str, *sections: kit.RichTextSectionElement, callback_id: str | None = None) -> View:
    blocks = [kit.RichTextBlock(elements=[text]) for text in sections]
    heading = plain(shortened(title, _MAX_MODAL_TITLE_CHARACTERS))
    return View(type="modal", callback_id=callback_id, title=heading, close=plain("Close"), blocks=blocks)
