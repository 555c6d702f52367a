"""A conversation in the terminal: questions and follow-ups, and commands that begin with a slash.

Run as ``clippings chat`` or ``python -m bot.repl``. Lines come from a prompt with editing and history, or from a
pipe one by one; in a pipe nothing but the answers is written.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bot.cli import render
from bot.cli.filters import known_outlet, make_filters, read_day
from bot.models import Answer, AnswerEngine, Turn
from bot.plain_text import one_line, safe, title
from index.models import Filters, Source

if TYPE_CHECKING:
    from bot.settings import Settings

TURNS_KEPT = 20
LISTED = 20
HELP = """\
Ask a question, then follow-ups ("and who claimed it?").
  /sources          the sources of the last answer, with their quotes
  /show 2           the quote of source 2 inside its paragraph
  /articles         what is indexed, newest first
  /filter outlet=NAME from=2024-01-01 to=2024-01-31
                    search only these; any of the three; /filter shows them, /filter off forgets them
  /new              begin a new conversation; the filter stays
  /help             this
  /quit             leave (Ctrl-D does too; Ctrl-C stops an answer)"""


class Repl:
    """One conversation: what was said, the last answer, the filters."""

    def __init__(self, engine: AnswerEngine, out: TextIO, *, live: bool, debug: bool = False) -> None:
        """``live``: write an answer while it is made, and let Ctrl-C stop it."""
        self.engine = engine
        self.out = out
        self.live = live
        self.debug = debug
        self.turns: list[Turn] = []
        self.last: Answer | None = None
        self.filters = Filters()
        self.commands: dict[str, Callable[[str], None]] = {
            "/sources": self._sources,
            "/show": self._show,
            "/articles": self._articles,
            "/filter": self._filter,
            "/new": self._new,
            "/help": lambda _: self._say(HELP),
        }

    def run(self, read: Callable[[], str]) -> None:
        """Take lines from ``read`` until it raises EOFError or one says /quit."""
        while True:
            try:
                said = read().strip()
            except EOFError:
                return
            except KeyboardInterrupt:
                if not self.live:
                    raise
                continue  # an unfinished line is dropped, as a shell does it
            if said in ("/quit", "/exit"):
                return
            if said:
                self._take(said)

    def _take(self, said: str) -> None:
        try:
            if said.startswith("/"):
                self._command(said)
            else:
                self._ask(said)
        except KeyboardInterrupt:
            if not self.live:
                raise
            self._say("\n(stopped)")
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever one question meets, the conversation goes on
            print(render.trouble(error, debug=self.debug), file=sys.stderr)

    def _command(self, said: str) -> None:
        name, _, rest = said.partition(" ")
        if name in self.commands:
            self.commands[name](rest.strip())
        else:
            self._say(f"There is no command {name}; /help names those there are.")

    def _ask(self, question: str) -> None:
        answer = self._answer(question)
        self.last = answer
        if answer.answerer != "reply":  # small talk is nothing that a follow-up could refer to
            said = [Turn("user", question), Turn("assistant", answer.text)]
            self.turns = [*self.turns, *said][-TURNS_KEPT:]

    def _answer(self, question: str) -> Answer:
        if not self.live:
            answer = self.engine.ask(question, turns=self.turns, filters=self.filters)
            self._display(render.answer_lines(answer, quotes=False))
            return answer
        written, stream = "", self.engine.stream(question, turns=self.turns, filters=self.filters)
        for text in stream:
            written += text
            self.out.write(safe(text))
            self.out.flush()
        self._finish(written, stream.answer)
        return stream.answer

    def _finish(self, written: str, answer: Answer) -> None:
        """Show what the pieces did not: the sources, or all of it where the pieces were not the answer."""
        lines = render.answer_lines(answer, quotes=False)
        if written:
            self.out.write("\n")
        if written and written == answer.text and not answer.refusal:
            lines = lines[1:]
        elif written:
            self._say("(The above was not borne out. The answer:)")
        self._display(lines)

    def _sources(self, _: str) -> None:
        if self.last and self.last.citations:
            self._display(render.source_lines(self.last.citations)[1:])
        elif self.last and self.last.refusal:
            self._display(render.answer_lines(self.last))
        else:
            self._say("There is no answer with sources yet.")

    def _show(self, number: str) -> None:
        citations = {str(citation.number): citation for citation in (self.last.citations if self.last else ())}
        citation = citations.get(number.strip("[]"))
        if citation is None:
            there = f"there are {', '.join(citations)}" if citations else "there is no answer with sources yet"
            self._say(f"/show takes the number of a source; {there}.")
            return
        article = self.engine.article(citation.source.id)
        if article is None or article.body[citation.start : citation.end] != citation.quote:
            self._say("The article has changed or gone since that answer; ask again.")
            return
        from index.text import surrounding

        start, end = surrounding(article.body, citation.start, citation.end)
        self._display(render.passage_lines(citation, article.body, start, end))

    def _articles(self, _: str) -> None:
        sources = self.engine.sources()
        self._display([render.line(title(source)) for source in sources[:LISTED]])
        if len(sources) > LISTED:
            self._say(f"… and {len(sources) - LISTED} older")

    def _filter(self, said: str) -> None:
        if said == "off":
            self.filters = Filters()
        elif said:
            try:
                self.filters = self._read_filters(said)
            except ValueError as error:
                self._say(str(error))
                return
        self._say(_describe(self.filters))

    def _read_filters(self, said: str) -> Filters:
        before, *parts = re.split(r"(?:^|\s)(outlet|from|to)=", said)
        given = dict(zip(parts[::2], (part.strip().strip("\"'") for part in parts[1::2]), strict=True))
        if before or not given:
            raise ValueError("/filter takes outlet=NAME, from=DATE and to=DATE, or off.")
        days = {key: read_day(given[key]) for key in ("from", "to") if given.get(key)}
        outlet = given.get("outlet")
        if outlet:
            outlet, unknown = known_outlet(outlet, self.engine.sources())
            if unknown:
                raise ValueError(unknown)
        return make_filters(outlet, days.get("from"), days.get("to"))

    def _new(self, _: str) -> None:
        self.turns, self.last = [], None
        self._say("A new conversation.")

    def _say(self, text: str) -> None:
        print(safe(text), file=self.out)

    def _display(self, lines: list[render.Line]) -> None:
        render.show([*lines, render.line()], self.out)


def chat(engine: AnswerEngine, settings: Settings, *, debug: bool = False) -> int:
    """Talk until the input ends."""
    live = sys.stdin.isatty() and sys.stdout.isatty()
    sources = engine.sources()  # raises at once where nothing is indexed
    repl = Repl(engine, sys.stdout, live=live, debug=debug)
    if live:
        print(greeting(sources, settings.llm_name))
    repl.run(_prompt(settings.data / "history") if live else _piped)
    return 0


def greeting(sources: Sequence[Source], llm_name: str) -> str:
    """What is indexed and who answers, in a line or two."""
    days = sorted(source.published for source in sources if source.published)
    span = f", {days[0]} to {days[-1]}" if days else ""
    count = f"{len(sources)} article{'' if len(sources) == 1 else 's'}"
    who = f"written by {one_line(llm_name)} and checked" if llm_name else "quoted; no language model is set"
    return f"Clippings: {count}{span}. Answers are {who}.\nAsk, or /help; Ctrl-D leaves."


def _describe(filters: Filters) -> str:
    given = {"outlet": filters.outlet, "from": filters.since, "to": filters.until}
    told = " ".join(f"{key}={value}" for key, value in given.items() if value)
    return f"Searching only {told}" if told else "Searching all articles."


def _piped() -> str:
    said = sys.stdin.readline()
    if not said:
        raise EOFError
    return said


def _prompt(history: Path) -> Callable[[], str]:
    """A line editor whose history is kept in a file that only its user can read, or in memory where it cannot be."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory

    kept: History = InMemoryHistory()
    try:
        history.parent.mkdir(parents=True, exist_ok=True)
        history.touch(mode=0o600)
        kept = FileHistory(str(history))
    except OSError:
        print(f"(The history cannot be kept in {one_line(str(history))}.)", file=sys.stderr)
    session: PromptSession[str] = PromptSession(history=kept)
    return lambda: session.prompt("> ")
