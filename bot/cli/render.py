"""What is shown in a terminal: an answer or an article as lines, and lines as plain or styled text.

All of it is untrusted: the words of articles, file names, what a language model wrote. Every piece of every line
passes `safe` on its way out, whatever it holds, and no markup in it is interpreted.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from bot.models import REFUSAL, Answer, Citation, in_marks
from bot.plain_text import MAX_OUTLETS_SHOWN, day_of, one_line, safe, title, title_parts
from index.models import Article, ClippingsError, Source

if TYPE_CHECKING:
    from bot.slack.database import Feedback
    from index.status import Status

MAX_FEEDBACK = 10
MAX_FEEDBACK_CHARACTERS = 300  # of a question or a reason
STYLES = {"number": "bold cyan", "headline": "bold", "link": "blue", "faint": "dim", "mark": "bold yellow"}


class Piece(NamedTuple):
    """Some text of a line, and a key of STYLES or nothing."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces side by side. A piece may hold line ends, as an article's body does."""

    pieces: tuple[Piece, ...] = ()
    indent: int = 0


def line(*pieces: str | Piece, indent: int = 0) -> Line:
    """A line of its pieces; a bare string is an unstyled one."""
    return Line(tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces), indent)


def answer_lines(answer: Answer, *, quotes: bool = True) -> list[Line]:
    """An answer and its numbered sources; ``quotes=False`` leaves each source one line, for a conversation."""
    if answer.refusal:
        shown = [line(REFUSAL), line(one_line(answer.refusal.reason))]
        if answer.refusal.nearest:
            shown.append(line("Nearest:"))
        for source in answer.refusal.nearest:
            shown += _source_lines("-", source)
    else:
        shown = [line(answer.text)]
    if answer.notice:
        shown.append(line(Piece(f"Note: {one_line(answer.notice)}", "faint")))
    return shown + source_lines(answer.citations, quotes=quotes)


def source_lines(citations: Sequence[Citation], *, quotes: bool = True) -> list[Line]:
    """The numbered sources of an answer, after an empty line."""
    shown = [line()] if citations else []
    for citation in citations:
        number = f"[{citation.number}]"
        if not quotes:
            also = f" (and {len(citation.also_in)} more)" if citation.also_in else ""
            shown.append(line(Piece(number, "number"), f" {title(citation.source)}", Piece(also, "faint")))
            continue
        shown += _source_lines(number, citation.source)
        shown.append(line(in_marks(one_line(citation.quote)), indent=4))
        for source in citation.also_in:
            shown.append(line(Piece("also in: ", "faint"), title(source), indent=4))
            shown += _where(source, indent=6)
    return shown


def _source_lines(number: str, source: Source) -> list[Line]:
    headline, *rest = title_parts(source)
    return [
        line(Piece(number, "number"), " ", Piece(headline, "headline"), "".join(f" · {part}" for part in rest)),
        *_where(source, indent=4),
    ]


def _where(source: Source, *, indent: int) -> list[Line]:
    place = source.url or source.path
    return [line(Piece(one_line(place), "link"), indent=indent)] if place else []


def article_lines(article: Article) -> list[Line]:
    """A whole article, with what was told apart from it."""
    source = article.source
    read_from = f" (read from: {source.published_from})" if source.published and source.published_from else ""
    facts = {
        "id": source.id,
        "outlet": source.outlet,
        "byline": source.byline,
        "date": f"{day_of(source)}{read_from}",
        "url": source.url,
        "file": source.path,
        "language": source.language,
    }
    shown = [line(Piece(one_line(source.headline) or "(no headline)", "headline"))]
    shown += [line(Piece(f"{name + ':':<10}", "faint"), one_line(value or "-")) for name, value in facts.items()]
    shown += [line(), line(article.body)]
    if article.boilerplate:
        shown += [line(), line(Piece("Not part of the article:", "faint"))]
    return shown + [
        line(Piece(f"{one_line(kind)}: ", "faint"), one_line(text), indent=2) for kind, text in article.boilerplate
    ]


def passage_lines(citation: Citation, body: str, start: int, end: int) -> list[Line]:
    """A citation's quote, marked, in ``body[start:end]`` around it."""
    before, after = body[start : citation.start], body[citation.end : end]
    return [
        *_source_lines(f"[{citation.number}]", citation.source),
        line(),
        line(before, Piece(citation.quote, "mark"), after),
    ]


def status_lines(status: Status, data: Path, llm: str) -> list[Line]:
    """What is indexed, how it is, and what was found of the language model."""
    outlets = sorted(status.outlets.items(), key=lambda outlet: (-outlet[1], outlet[0]))
    named = ", ".join(f"{one_line(name) or 'no outlet named'} ({count})" for name, count in outlets[:MAX_OUTLETS_SHOWN])
    period = f", {status.first_published} to {status.last_published}" if status.first_published else ""
    more = f" and {len(outlets) - MAX_OUTLETS_SHOWN} more" if len(outlets) > MAX_OUTLETS_SHOWN else ""
    facts = {
        "articles": f"{status.articles} in {status.chunks} chunks{period}",
        "outlets": f"{named}{more}" or "none is named",
        "index": f"{status.size_bytes / 1e6:.1f} MB in {one_line(str(data))}",
        "indexed": f"{status.indexed_at:%Y-%m-%d %H:%M}" if status.indexed_at else "never",
        "embedded": f"by {one_line(status.model)}" if status.model else "-",
        "health": "good" if status.healthy else one_line(status.problem or "damaged"),
        "language model": one_line(llm),
    }
    return [line(Piece(f"{name + ':':<16}", "faint"), told) for name, told in facts.items()]


def feedback_lines(found: Iterable[Feedback]) -> list[Line]:
    """How many answers were found helpful, and which of late were not."""
    counts = {True: 0, False: 0}
    unhelpful: deque[Feedback] = deque(maxlen=MAX_FEEDBACK)
    for one in found:
        counts[one.helpful] += 1
        if not one.helpful:
            unhelpful.appendleft(one)
    shown = [line(f"{counts[True]} helpful, {counts[False]} not helpful.")]
    if unhelpful:
        shown += [line(), line("Not helpful, the latest first:")]
    for one in unhelpful:
        asked, reason = _shorten(str(one.answer["question"])), _shorten(one.reason)
        shown.append(line(Piece(f"{datetime.fromtimestamp(one.at).astimezone():%Y-%m-%d}", "faint"), f" {asked}"))
        shown += [line(reason, indent=4)] if reason else []
    return shown


def _shorten(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= MAX_FEEDBACK_CHARACTERS else f"{text[:MAX_FEEDBACK_CHARACTERS]}…"


def plain(lines: Iterable[Line]) -> str:
    """Lines as text, each with its line end. What a terminal would mark is put between ``>>`` and ``<<``."""
    return "".join(f"{' ' * shown.indent}{''.join(map(_plain, shown.pieces))}".rstrip() + "\n" for shown in lines)


def _plain(piece: Piece) -> str:
    return f">>{safe(piece.text)}<<" if piece.style == "mark" else safe(piece.text)


def show(lines: Iterable[Line], out: TextIO) -> None:
    """Write lines: styled and wrapped to the width of a terminal, plain anywhere else. NO_COLOR is honoured."""
    if not out.isatty():
        out.write(plain(lines))
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=out, highlight=False)
    for shown in lines:
        text = Text.assemble(*((safe(piece.text), STYLES.get(piece.style, "")) for piece in shown.pieces))
        if any(piece.style == "link" for piece in shown.pieces):  # a link that is broken in two cannot be clicked
            console.print(Text(" " * shown.indent) + text, soft_wrap=True)
        else:
            console.print(Padding(text, (0, 0, 0, shown.indent)) if shown.indent else text)


def trouble(error: Exception, *, debug: bool) -> str:
    """What a user is told of an error, safe to print: a sentence, and the traceback only on request."""
    if isinstance(error, ClippingsError):
        told = str(error)
    else:
        found = one_line(f"{type(error).__name__}: {error}")[:300].rstrip(": ")
        told = f"Something went wrong that should not have: {found}. Add --debug to see where."
    return safe(f"{''.join(traceback.format_exception(error))}\n{told}" if debug else told)
