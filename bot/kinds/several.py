"""Several answers in one: the answers to the questions in a question, and what is written with what is quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from bot.extract.quote import Quoted
from bot.models import Answer, Turn, numbered
from bot.query.followup import is_ellipsis, points_back
from index.text import figures

_MARK = re.compile(r"\[(\d+)\]")


def with_other_figure(written: Answer, quoted: Quoted) -> Answer:
    """Add the quotes of articles that give another figure for the same thing, if what is written gives but one."""
    given, others = set(figures(written.text)), [set(figures(citation.quote)) for citation in quoted.citations]
    if not quoted.differ or not any(other and given.isdisjoint(other) for other in others):
        return written
    citations = numbered((*written.citations, *quoted.citations))
    numbers = {citation.source.id: citation.number for citation in citations}
    moved = {citation.number: numbers[citation.source.id] for citation in quoted.citations}
    text = f"{written.text}\n\n{_MARK.sub(partial(_moved, moved), quoted.text)}"
    return replace(written, text=text, citations=tuple(dict.fromkeys(citations)))


def turns_of_part(parts: Sequence[str], number: int, turns: Sequence[Turn]) -> list[Turn]:
    """The turns before a part of a question: none of the other parts unless it needs them."""
    is_open = points_back(parts[number]) or is_ellipsis(parts[number])
    return [*turns, *(Turn("user", part) for part in parts[:number] if is_open)]


def _moved(numbers: Mapping[int, int], mark: re.Match[str]) -> str:
    number = int(mark[1])
    return f"[{numbers.get(number, number)}]"


def joined(whole: Answer, parts: Sequence[Answer]) -> Answer:
    """Join the answers to the questions in a question, each under its own words."""
    texts: list[str] = []
    citations = numbered(citation for part in parts for citation in part.citations)
    numbers = {citation.source.id: citation.number for citation in citations}
    for part in parts:
        moved = {citation.number: numbers[citation.source.id] for citation in part.citations}
        renumbered = _MARK.sub(partial(_moved, moved), part.text)
        reason = f" {part.refusal.reason}" if part.refusal else ""
        texts.append(f"{part.question}\n{renumbered}{reason}")
    passages = tuple(dict.fromkeys(passage for part in parts for passage in part.passages))
    return replace(whole, text="\n\n".join(texts), citations=tuple(dict.fromkeys(citations)), passages=passages)
