"""What is shown in a terminal: an answer or an article as lines, and lines as plain or styled text.

All of it is untrusted: the words of articles, file names, what a language model wrote. Every piece of every line
passes `safe` on its way out, whatever it holds, and no markup in it is interpreted.
"""

from __future__ import annotations

import re
import traceback
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from bot.models import REFUSAL, Answer, Citation, in_marks
from index.models import Article, ClippingsError, Source

if TYPE_CHECKING:
    from index.status import Status

OUTLETS_NAMED = 10
STYLES = {"number": "bold cyan", "headline": "bold", "link": "blue", "faint": "dim", "mark": "bold yellow"}

# Terminal sequences go as a whole (a title set by OSC, a colour by CSI), so that no "[31m" is left of them. What of
# one is left is made harmless below, by its control characters.
_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b\x9c\n]{0,500}(?:\x07|\x1b\\|\x9c)|(?:\x1b\[|\x9b)[0-?]{0,50}[ -/]{0,5}[@-~]|\x1b[ -/]{0,5}[0-~]"
)
_JOINERS = "\u200c\u200d"  # they shape Persian, Indic scripts and emoji, and hide nothing


class Piece(NamedTuple):
    """Some text of a line, and a key of STYLES or nothing."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces side by side. A piece may hold line ends, as an article's body does."""

    pieces: tuple[Piece, ...] = ()
    indent: int = 0


def safe(text: str) -> str:
    r"""Text that a terminal can only show: ``"\x1b[31mred\x07 \u202etxt" -> "red txt"``. Line ends stay.

    Control and invisible formatting characters go, bidi overrides among them; a lone surrogate, as in the name of
    a file that is no UTF-8, becomes a replacement character.
    """
    if text.isascii() and text.isprintable():
        return text
    text = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", _ESCAPES.sub("", text)).expandtabs(4)
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    if character == "\n" or character in _JOINERS:
        return character
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    return "" if category in ("Cc", "Cf") else character


def one_line(text: str) -> str:
    """Safe text with its white space collapsed, for what must not break a line: a headline, a displayed quote."""
    return " ".join(safe(text).split())


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
            also = f" (and {len(citation.also)} more)" if citation.also else ""
            shown.append(line(Piece(number, "number"), f" {title(citation.source)}", Piece(also, "faint")))
            continue
        shown += _source_lines(number, citation.source)
        shown.append(line(in_marks(one_line(citation.quote)), indent=4))
        for source in citation.also:
            shown.append(line(Piece("also in: ", "faint"), title(source), indent=4))
            shown += _where(source, indent=6)
    return shown


def _source_lines(number: str, source: Source) -> list[Line]:
    headline, *rest = _title_parts(source)
    return [
        line(Piece(number, "number"), " ", Piece(headline, "headline"), "".join(f" · {part}" for part in rest)),
        *_where(source, indent=4),
    ]


def _where(source: Source, *, indent: int) -> list[Line]:
    place = source.url or source.path
    return [line(Piece(one_line(place), "link"), indent=indent)] if place else []


def title(source: Source) -> str:
    """A source in one line: ``Bridge reopens · The Courier · 2024-01-03``."""
    return " · ".join(_title_parts(source))


def _title_parts(source: Source) -> list[str]:
    outlet = [one_line(source.outlet)] if source.outlet else []
    return [one_line(source.headline) or "(no headline)", *outlet, _day(source)]


def _day(source: Source) -> str:
    if source.published is None:
        return "no date"
    return f"{source.published.isoformat()}{'' if source.published_certain else ' (uncertain)'}"


def article_lines(article: Article) -> list[Line]:
    """A whole article, with what was told apart from it."""
    source = article.source
    read_from = f" (read from: {source.published_from})" if source.published and source.published_from else ""
    facts = {
        "id": source.id,
        "outlet": source.outlet,
        "byline": source.byline,
        "date": f"{_day(source)}{read_from}",
        "url": source.url,
        "file": source.path,
        "language": source.language,
    }
    shown = [line(Piece(one_line(source.headline) or "(no headline)", "headline"))]
    shown += [line(Piece(f"{name + ':':<10}", "faint"), one_line(value or "-")) for name, value in facts.items()]
    shown += [line(), line(article.body)]
    if article.furniture:
        shown += [line(), line(Piece("Not part of the article:", "faint"))]
    return shown + [
        line(Piece(f"{one_line(kind)}: ", "faint"), one_line(text), indent=2) for kind, text in article.furniture
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
    named = ", ".join(f"{one_line(name) or 'no outlet named'} ({count})" for name, count in outlets[:OUTLETS_NAMED])
    period = f", {status.first_published} to {status.last_published}" if status.first_published else ""
    more = f" and {len(outlets) - OUTLETS_NAMED} more" if len(outlets) > OUTLETS_NAMED else ""
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
