"""The numbers of a statement and of a sentence: the same, another in the same place, or the same of something else."""

from __future__ import annotations

import re

from bot.query.numbers import is_money, unit_of
from bot.query.wording import word_key
from index.models import Span
from index.text import MONTH, STOP_WORDS, figure_spans, word_spans

_MAX_VALUE_GAP = 4  # words between a verb and its year
_MAX_BOUND_CHARACTERS = 40
_YEAR_DIGITS = 4
_BOUND = re.compile(r"\b(?:than|least|most|over|under|about|nearly|almost|up to|some|around)\b", re.IGNORECASE)
_PART_OF = re.compile(r"\bof (?:its|the|their|his|her|all|some|about|more than)?\s?\Z", re.IGNORECASE)


def has_figures(text: str, statement: str) -> bool:
    """Whether every number of a statement is in a text, with its unit if it has one."""
    held = {(value, unit_of(text, span)) for value, span in figure_spans(text)}
    held |= {(value, "") for value, _ in held}
    return {(value, unit_of(statement, span)) for value, span in figure_spans(statement)} <= held


def has_other_value(text: str, statement: str) -> bool:
    """Whether a text has one other number where a statement has its only one: "built in 1874", "12 survivors"."""
    figures = figure_spans(statement)
    if len(figures) != 1 or has_figures(text, statement) or _BOUND.search(statement):
        return False
    ((asked, span),) = figures
    unit, around = unit_of(statement, span), _neighbours(statement, span)
    alike, nearest = [], []
    for value, place in figure_spans(text):
        after, before = (word and word == other for word, other in zip(_neighbours(text, place), around, strict=True))
        is_year = len(asked) == len(value) == _YEAR_DIGITS and before
        has_unit = unit_of(text, place) == unit and (unit or is_year or after)
        if has_unit or (not unit and before and is_money(text, place)):
            alike.append(place)
            nearest += [place] if after or before else []
    single = next((places for places in (nearest, alike) if len(places) == 1), None)
    return single is not None and not _BOUND.search(text[: single[0].start][-_MAX_BOUND_CHARACTERS:])


def has_figures_in_place(text: str, statement: str) -> bool:
    """Whether a statement's numbers stand by the same words in a text, where there are others of their kind."""
    for value, span in figure_spans(statement):
        same = [place for other, place in figure_spans(text) if other == value]
        is_part = any(_PART_OF.search(text, 0, place.start) for place in same)
        if is_part and not _PART_OF.search(statement, 0, span.start):
            return False
        unit, neighbours = unit_of(statement, span), set(_neighbours(statement, span)) - {""}
        others = [other for other, place in figure_spans(text) if other != value and unit_of(text, place) == unit]
        if same and others and not any(neighbours & set(_neighbours(text, place)) for place in same):
            return False
    return True


def _neighbours(text: str, span: Span) -> tuple[str, str]:
    """The content words right behind and before a number, if they are near; behind it also a month."""
    after = word_spans(text[span.end :][:_MAX_BOUND_CHARACTERS])[:1]
    is_month = re.match(rf"\s{MONTH}\b", text[span.end :])
    before = [word for word, _ in word_spans(text[: span.start][-_MAX_BOUND_CHARACTERS:])][-_MAX_VALUE_GAP:]
    content = [word_key(word) for word in before if word not in STOP_WORDS]
    behind = [word_key(word) for word, _ in after if is_month or word not in STOP_WORDS]
    return "".join(behind), (content or [""])[-1]
