"""Render answers, articles and reports as lines, and lines as plain or styled text.

The content is untrusted: articles, file names, the output of language models. `plain` and `show` pass all text through
`safe` and interpret no markup in it.
"""

from __future__ import annotations

import errno
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from bot.models import REFUSAL, Answer, Citation, Kind, by_number, in_marks
from bot.plain_text import MAX_OUTLETS_SHOWN, counted, day_of, one_line, safe, size, title, title_parts
from index.models import Article, ClippingsError, Source, Span

if TYPE_CHECKING:
    from bot.cli.transfer import Exported, Imported
    from bot.slack.database import Feedback
    from bot.slack.review import Gaps
    from index.explain import Explained
    from index.status import Status

MAX_FEEDBACK = 10  # answers found unhelpful
MAX_FEEDBACK_CHARACTERS = 300  # of a question or a reason
STYLES = {
    "number": "bold cyan",
    "headline": "bold",
    "short": "bold",
    "link": "blue",
    "faint": "dim",
    "mark": "bold yellow",
}


_KIND_NAMES: Mapping[Kind, str] = {  # of those that are not obvious
    "collection": "from the catalogue", "news": "news", "summary": "summary", "timeline": "timeline",
}  # fmt: skip


class StyledText(NamedTuple):
    """Text and its style: a key of STYLES, or "" for none."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Texts side by side. A text may contain line ends, as the body of an article does."""

    texts: tuple[StyledText, ...] = ()
    indent: int = 0


def line(*texts: str | StyledText, indent: int = 0) -> Line:
    """Make a line; a plain string has no style."""
    return Line(tuple(StyledText(text) if isinstance(text, str) else text for text in texts), indent)


def write_live(texts: Iterable[str], out: TextIO, begin: Callable[[], None] = lambda: None) -> str:
    """Write texts as they come, and return them. ``begin`` is called before."""
    written = ""
    for text in texts:
        begin()
        written += text
        out.write(safe(text))
        out.flush()
    out.write("\n" if written else "")
    return written


def answer_lines(answer: Answer, *, quotes: bool = True, written: str = "") -> list[Line]:
    """Render an answer and its numbered sources, the shortest answer in bold; without its text, if that is ``written``.

    ``quotes=False``, for the chat, gives a source one line, and names a kind that is not obvious. A quote that the text
    holds is not printed again under its source.
    """
    if answer.refusal:
        reason = line(one_line(answer.refusal.reason))
        shown = [line(REFUSAL), reason] if answer.passages else [reason]  # no article passed the filters
        if answer.refusal.nearest:
            shown.append(line("Nearest:"))
        for source in answer.refusal.nearest:
            shown += _source_lines("-", source)
    else:
        short = answer.short or ""
        kind = f" ({_KIND_NAMES[answer.kind]})" if not quotes and answer.kind in _KIND_NAMES else ""
        shown = [line(StyledText(short, "short"), answer.text.removeprefix(short), StyledText(kind, "faint"))]
    if written and (answer.refusal or written != answer.text):
        shown.insert(0, line("(The text above could not be verified. The answer:)"))
    elif written:
        shown.clear()
    if answer.notice:
        shown.append(line(StyledText(f"Note: {one_line(answer.notice)}", "faint")))
    return shown + source_lines(answer.citations, quotes=quotes, text=answer.text)


def source_lines(citations: Sequence[Citation], *, quotes: bool = True, text: str = "") -> list[Line]:
    """Render the numbered sources of an answer, each once, after an empty line; without the quotes that ``text`` holds.

    What is "also in" other articles follows its quotes.
    """
    shown = [line()] if citations else []
    for number, cited in by_number(citations).items():
        mark, source = f"[{number}]", cited[0].source
        if not quotes:
            count = len({other.id for citation in cited for other in citation.also_in})
            more = f" (and {count} more)" if count else ""
            shown.append(line(StyledText(mark, "number"), f" {title(source)}", StyledText(more, "faint")))
            continue
        shown += _source_lines(mark, source)
        for also_in, alike in groupby(cited, key=lambda citation: citation.also_in):
            printed = [in_marks(citation.quote) for citation in alike]
            shown += [line(one_line(quote), indent=4) for quote in printed if quote not in text]
            for other in also_in:
                shown.append(line(StyledText("also in: ", "faint"), title(other), indent=4))
                shown += _link_lines(other, indent=6)
    return shown


def _source_lines(number: str, source: Source) -> list[Line]:
    headline, *rest = title_parts(source)
    return [
        line(
            StyledText(number, "number"), " ", StyledText(headline, "headline"), "".join(f" · {part}" for part in rest)
        ),
        *_link_lines(source, indent=4),
    ]


def _link_lines(source: Source, *, indent: int) -> list[Line]:
    place = source.url or source.path
    return [line(StyledText(one_line(place), "link"), indent=indent)] if place else []


def article_lines(article: Article) -> list[Line]:
    """Render an article, its metadata and its boilerplate."""
    shown = [*_metadata_lines(article), line(), line(article.body)]
    if article.boilerplate:
        shown += [line(), line(StyledText("Not part of the article:", "faint"))]
    return shown + [_left_out(kind, text) for kind, text in article.boilerplate]


def explained_lines(explained: Explained) -> list[Line]:
    """Render how an article is read: its metadata, and each paragraph of its page; what is left out with the reason."""
    shown = _metadata_lines(explained.article, kind=explained.kind, place=explained.place)
    for is_kept, run in groupby(explained.paragraphs, key=lambda paragraph: not paragraph.left_out):
        for number, (text, why) in enumerate(run):
            shown += [line()] if is_kept or not number else []
            shown.append(line(one_line(text)) if is_kept else _left_out(why, text))
    return shown


def _left_out(kind: str, text: str) -> Line:
    return line(StyledText(f"{one_line(kind)}: ", "faint"), one_line(text), indent=2)


def metadata(article: Article, **more: str) -> dict[str, str]:
    """What is known of an article, by its name; "-" if it is not."""
    source = article.source
    read_from = f" (read from: {source.published_from})" if source.published and source.published_from else ""
    known = {
        "id": source.id,
        "outlet": source.outlet,
        "byline": source.byline,
        "date": f"{day_of(source)}{read_from}",
        "url": source.url,
        "file": source.path,
        "language": source.language,
        **{name: value for name, value in more.items() if value},
    }
    return {name: one_line(value or "-") for name, value in known.items()}


def _metadata_lines(article: Article, **more: str) -> list[Line]:
    known = metadata(article, **more).items()
    headline = line(StyledText(one_line(article.source.headline) or "(no headline)", "headline"))
    return [headline, *(line(StyledText(f"{name + ':':<10}", "faint"), value) for name, value in known)]


def passage_lines(citations: Sequence[Citation], body: str) -> list[Line]:
    """Render the quotes of an article, marked inside their paragraphs."""
    from index.text import marked_paragraphs  # takes long to import

    shown = _source_lines(f"[{citations[0].number}]", citations[0].source)
    for runs in marked_paragraphs(body, [Span(citation.start, citation.end) for citation in citations]):
        shown += [line(), line(*(StyledText(text, "mark" if is_quoted else "") for text, is_quoted in runs))]
    return shown


def status_lines(status: Status, data: Path, llm: str) -> list[Line]:
    """Render what is indexed, whether it is healthy, and the state of the language model."""
    outlets = sorted(status.outlets.items(), key=lambda outlet: (-outlet[1], outlet[0]))
    named = ", ".join(f"{one_line(name) or 'no outlet named'} ({count})" for name, count in outlets[:MAX_OUTLETS_SHOWN])
    period = f", {status.first_published} to {status.last_published}" if status.first_published else ""
    if status.last_published and status.last_published > datetime.now(UTC).date() + timedelta(days=1):
        period += " (ahead of this computer's clock: see which of them is wrong)"
    more = f" and {len(outlets) - MAX_OUTLETS_SHOWN} more" if len(outlets) > MAX_OUTLETS_SHOWN else ""
    facts = {
        "articles": f"{status.articles} in {counted(status.chunks, 'chunk')}{period}",
        "outlets": f"{named}{more}" or "none is named",
        "index": f"{size(status.size_bytes)} in {one_line(', '.join(status.servers.values()) or str(data))}",
        "indexed": f"{status.indexed_at:%Y-%m-%d %H:%M}" if status.indexed_at else "never",
        "embedded": f"by {one_line(status.model)}" if status.model else "-",
        "health": "good" if status.healthy else one_line(status.problem or "damaged"),
        "language model": one_line(llm),
    }
    return [line(StyledText(f"{name + ':':<16}", "faint"), fact) for name, fact in facts.items()]


def check_lines(checks: Iterable[tuple[str, bool | None, str]]) -> list[Line]:
    """Render what was examined: its name, whether it is in order (None: it is unusual), and a sentence."""
    states = {True: StyledText("ok    ", "faint"), None: StyledText("note  "), False: StyledText("WRONG", "mark")}
    return [line(states[ok], f"{' ' if ok is False else ''}{name}: {one_line(text)}") for name, ok, text in checks]


def export_lines(written: Exported) -> list[Line]:
    """Render what was written into an archive."""
    counts = f"{counted(written.articles, 'article')}, {counted(written.feedback, 'opinion')}, {size(written.bytes)}"
    without = "" if written.vectors else " Without vectors: an import embeds the articles anew (--vectors keeps them)."
    return [line(f"{counts}: {one_line(written.file)}.{without}")]


def import_lines(read: Imported) -> list[Line]:
    """Render what was read from an archive, and what is left to do."""
    replaced = f" in place of {read.replaced}" if read.replaced else ""
    counts = f"{counted(read.articles, 'article')}{replaced}, {counted(read.chunks_embedded, 'chunk')} embedded"
    lines = [line(f"{counts}; {counted(read.feedback, 'opinion')} added.")]
    if again := [*read.paths, *read.addresses]:
        hint = (
            "From now on read again by" if read.followed else "Not taken over, but with --follow, to be read again by"
        )
        lines.append(line(f"{hint} `clippings index` and `clippings sources`: {one_line(', '.join(again))}."))
    if read.settings:
        lines.append(line("Settings of the archive that differ from those here:"))
        lines += [line(one_line(f"{name}={value}"), indent=2) for name, value in read.settings.items()]
    return lines


def gap_lines(gaps: Gaps) -> list[Line]:
    """Render what could not be answered: the topics, and below each its questions."""
    lines = [line(f"{gaps.refused} of {gaps.questions} questions of the last {gaps.days} days were not answered.")]
    for topic in gaps.topics:
        lines += [line(), line(StyledText(topic.label or "others", "headline"), f" ({len(topic.questions)})")]
        counts = Counter(one_line(asked.question) for asked in topic.questions)
        lines += [
            line(f"{question}{f' ({count} times)' if count > 1 else ''}", indent=2)
            for question, count in counts.items()
        ]
    return lines


def feedback_lines(feedback: Iterable[Feedback]) -> list[Line]:
    """Render the number of helpful and unhelpful answers, and the latest unhelpful ones."""
    counts = {True: 0, False: 0}
    unhelpful: deque[Feedback] = deque(maxlen=MAX_FEEDBACK)
    for vote in feedback:
        counts[vote.helpful] += 1
        if not vote.helpful:
            unhelpful.appendleft(vote)
    shown = [line(f"{counts[True]} helpful, {counts[False]} not helpful.")]
    if unhelpful:
        shown += [line(), line("Not helpful, the latest first:")]
    for vote in unhelpful:
        question, reason = _shorten(str(vote.answer["question"])), _shorten(vote.reason)
        shown.append(
            line(StyledText(f"{datetime.fromtimestamp(vote.at).astimezone():%Y-%m-%d}", "faint"), f" {question}")
        )
        shown += [line(reason, indent=4)] if reason else []
    return shown


def _shorten(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= MAX_FEEDBACK_CHARACTERS else f"{text[:MAX_FEEDBACK_CHARACTERS]}…"


def plain(lines: Iterable[Line]) -> str:
    """Join lines, each with its line end. ``>>`` and ``<<`` enclose text of the style "mark"."""
    return "".join(f"{' ' * shown.indent}{''.join(map(_plain, shown.texts))}".rstrip() + "\n" for shown in lines)


def _plain(text: StyledText) -> str:
    return f">>{safe(text.text)}<<" if text.style == "mark" else safe(text.text)


def show(lines: Iterable[Line], out: TextIO) -> None:
    """Write lines, in a terminal styled and wrapped to its width. Honours NO_COLOR."""
    if not out.isatty():
        out.write(plain(lines))
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=out, highlight=False)
    for shown in lines:
        text = Text.assemble(*((safe(text), STYLES.get(style, "")) for text, style in shown.texts))
        if any(style == "link" for _, style in shown.texts):  # a link broken over two lines cannot be clicked
            console.print(Text(" " * shown.indent) + text, soft_wrap=True)
        else:
            console.print(Padding(text, (0, 0, 0, shown.indent)) if shown.indent else text)


_EXHAUSTED = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE}


def error_message(error: Exception, *, debug: bool) -> str:
    """Describe an error to a user in a sentence that is safe to print; ``debug`` adds the traceback."""
    if isinstance(error, ClippingsError):
        message = str(error)
    elif isinstance(error, OSError) and error.errno in _EXHAUSTED:
        place = f" {error.filename}" if error.filename else ""
        message = (
            f"A file{place} cannot be used: {error.strerror}. See that the disk has room, and what `ulimit -a` allows."
        )
    else:
        described = one_line(f"{type(error).__name__}: {error}")[:300].rstrip(": ")
        message = f"Unexpected error: {described}. Add --debug to see the traceback."
    return safe(f"{''.join(traceback.format_exception(error))}\n{message}" if debug else message)
