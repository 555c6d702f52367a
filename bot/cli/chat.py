"""The chat in the terminal: questions, follow-ups, and commands that begin with a slash.

Start it with ``clippings chat`` or ``python -m bot.repl``. In a terminal, lines are edited and kept in a history. From
a pipe, each line is a question, and only answers are printed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bot.cli import render
from bot.cli.filters import known_outlet, make_filters, read_day
from bot.models import Answer, AnswerEngine, Turn, by_number
from bot.plain_text import counted, one_line, safe, title
from index.models import ClippingsError, Filters, Source
from index.storage.data_folder import prepare

if TYPE_CHECKING:
    from bot.settings import Settings

MAX_TURNS = 20
MAX_LISTED = 20  # articles
HELP = """\
Ask a question, then follow-ups ("and who claimed it?").
  /sources          the sources of the last answer, with their quotes
  /show 2           the quotes of source 2 inside their paragraphs
  /articles         the indexed articles, newest first
  /filter outlet=NAME author=NAME from=2024-01-01 to=2024-01-31
                    search only these articles; /filter shows the filter, /filter off removes it
  /new              start a new conversation; the filter stays
  /help             this text
  /quit             leave (also Ctrl-D; Ctrl-C stops an answer)"""


@dataclass
class Chat:
    """A conversation. ``live``: print an answer while it is made, and let Ctrl-C stop it."""

    engine: AnswerEngine
    out: TextIO
    live: bool
    debug: bool = False
    turns: list[Turn] = field(default_factory=list)
    last: Answer | None = None
    filters: Filters = field(default_factory=Filters)

    @property
    def commands(self) -> dict[str, Callable[[str], None]]:
        """The commands, by name, but /quit."""
        return {
            "/sources": self._sources,
            "/show": self._show,
            "/articles": self._articles,
            "/filter": self._filter,
            "/new": self._new,
            "/help": lambda _: self._print(HELP),
        }

    def run(self, read: Callable[[], str]) -> None:
        """Take lines from ``read`` until it raises EOFError or a line is /quit."""
        while True:
            try:
                line = read().strip()
            except EOFError:
                return
            except KeyboardInterrupt:
                if not self.live:
                    raise
                continue  # drops an unfinished line, as a shell does
            if line in ("/quit", "/exit"):
                return
            if line:
                self._handle(line)

    def _handle(self, line: str) -> None:
        name, _, argument = line.partition(" ")
        try:
            if not line.startswith("/"):
                self._ask(line)
            elif name in self.commands:
                self.commands[name](argument.strip())
            else:
                self._print(f"There is no command {name}. /help lists the commands.")
        except KeyboardInterrupt:
            if not self.live:
                raise
            self._print("\n(stopped)")
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  # an error ends the answer and not the conversation
            print(render.error_message(error, debug=self.debug), file=sys.stderr)

    def _ask(self, question: str) -> None:
        stream = self.engine.stream(question, turns=self.turns, filters=self.filters)
        written = render.write_live(stream, self.out) if self.live else ""
        answer = self.last = stream.answer
        self._show_lines(render.answer_lines(answer, quotes=False, written=written))
        if answer.answerer != "reply":  # no follow-up refers to chitchat
            exchange = [Turn("user", question), Turn("assistant", answer.text)]
            self.turns = [*self.turns, *exchange][-MAX_TURNS:]

    def _sources(self, _: str) -> None:
        if self.last and self.last.citations:
            self._show_lines(render.source_lines(self.last.citations)[1:])
        elif self.last and self.last.refusal:
            self._show_lines(render.answer_lines(self.last))
        else:
            self._print("There is no answer with sources yet.")

    def _show(self, number: str) -> None:
        known = {str(number): cited for number, cited in by_number(self.last.citations if self.last else ()).items()}
        cited = known.get(number.strip("[]"))
        if cited is None:
            hint = f"Choose from: {', '.join(known)}." if known else "There is no answer with sources yet."
            self._print(f"/show needs the number of a source. {hint}")
            return
        article = self.engine.article(cited[0].source.id)
        if article is None or any(article.body[quoted.start : quoted.end] != quoted.quote for quoted in cited):
            self._print("The article was changed or removed after that answer. Ask again.")
            return
        self._show_lines(render.passage_lines(cited, article.body))

    def _articles(self, _: str) -> None:
        sources = self.engine.sources()
        self._show_lines([render.line(title(source)) for source in sources[:MAX_LISTED]])
        if len(sources) > MAX_LISTED:
            self._print(f"… and {len(sources) - MAX_LISTED} older")

    def _filter(self, argument: str) -> None:
        if argument:
            try:
                self.filters = Filters() if argument == "off" else self._read_filters(argument)
            except ValueError as error:
                self._print(f"{error} The filter stays as it was.")
        values = {
            "outlet": self.filters.outlet,
            "author": self.filters.author,
            "from": self.filters.since,
            "to": self.filters.until,
        }
        shown = " ".join(f"{key}={value}" for key, value in values.items() if value)
        self._print(f"Searching only {shown}" if shown else "Searching all articles.")

    def _read_filters(self, argument: str) -> Filters:
        before, *parts = re.split(r"(?:^|\s)(outlet|author|from|to)=", argument)
        values = dict(zip(parts[::2], (part.strip().strip("\"'") for part in parts[1::2]), strict=True))
        if before or not values:
            raise ValueError("/filter takes outlet=NAME, author=NAME, from=DATE and to=DATE, or off.")
        days = {key: read_day(values[key]) for key in ("from", "to") if values.get(key)}
        outlet = values.get("outlet")
        if outlet:
            outlet, unknown = known_outlet(outlet, self.engine.outlet_names())
            if unknown:
                raise ValueError(unknown)
        filters = make_filters(outlet, days.get("from"), days.get("to"))
        return replace(filters, author=values.get("author") or None)

    def _new(self, _: str) -> None:
        self.turns, self.last = [], None
        self._print("A new conversation.")

    def _print(self, text: str) -> None:
        print(safe(text), file=self.out)

    def _show_lines(self, lines: list[render.Line]) -> None:
        render.show([*lines, render.line()], self.out)


def run_chat(engine: AnswerEngine, settings: Settings, *, debug: bool = False) -> int:
    """Chat on standard input and output until the input ends."""
    live = sys.stdin.isatty() and sys.stdout.isatty()
    sources = engine.sources()  # raises IndexMissing before the first question
    if live:
        print(greeting(sources, settings.llm_name))
    read = _prompt(settings.data / "history") if live else input if sys.stdin.isatty() else _echoed
    Chat(engine, sys.stdout, live=live, debug=debug).run(read)
    return 0


def _echoed() -> str:
    """Read a line that no terminal shows, and print it, so that the output reads as a conversation."""
    line = input()
    if line.strip():
        print(safe(f"> {line.strip()}"))
    return line


def greeting(sources: Sequence[Source], llm_name: str) -> str:
    """Describe the indexed articles and how answers are made, in two lines."""
    days = sorted(source.published for source in sources if source.published)
    period = f", {days[0]} to {days[-1]}" if days else ""
    count = counted(len(sources), "article")
    method = f"written by {one_line(llm_name)} and checked" if llm_name else "quoted; no language model is set"
    return f"Clippings: {count}{period}. Answers are {method}.\nAsk, or /help; Ctrl-D leaves."


def _prompt(path: Path) -> Callable[[], str]:
    """Make a line editor with its history in a file that only its user can read; if that fails, in memory."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory

    history: History = InMemoryHistory()
    try:
        prepare(path.parent)
        path.touch(mode=0o600)
        history = FileHistory(str(path))
    except (OSError, ClippingsError):
        print(f"(The history cannot be kept in {one_line(str(path))}.)", file=sys.stderr)
    session: PromptSession[str] = PromptSession(history=history)
    return lambda: session.prompt("> ")
