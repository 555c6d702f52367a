"""Totals: what the articles give as a total is quoted; else the parts, and their sum as ours.

A sum needs every part that the question names, each in a sentence with a number of the same unit for what is counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from bot.extract.answerability import predict
from bot.extract.ranking import Candidate, Retrieval
from bot.kinds.scope import Found, Line, Scope, compose
from bot.query.followup import content_words
from bot.query.kind import Request
from bot.query.numbers import Quantity, counted_stems, find_counts, find_quantity, is_forecast, unit_of
from bot.query.wording import word_key
from index.models import Span
from index.text import name_spans, word_spans, words

_TOTAL = re.compile(r"\b(?:in total|altogether|combined|together|in all|all told|totals?|overall)\b", re.IGNORECASE)
_TOTAL_WORDS = frozenset(map(word_key, "total altogether combined together overall sum all told grand taken".split()))
_VOTE = re.compile(r"\b(?:vot(?:e|es|ed|ing)|ballots?|cast)\b", re.IGNORECASE)
_VOTING = frozenset(map(word_key, "vote voted votes ballot cast councillors members councillor member".split()))
_TALLY = re.compile(
    r"(?: votes?)?(?: (?:voted )?(?:for|in favour)(?: it)?)?,? (?:to|against|and|with) (?:only )?", re.IGNORECASE
)
_TWO_NOUNS = re.compile(r"(?:how many )?\b([a-z]+) and ([a-z]+)\b", re.IGNORECASE)
_MIN_PAIR_SHARE = 0.8  # of the question's words, in the passage of the sentence with both numbers
_WHOLE = re.compile(r"\bof (?:its|their|the|his|her|some|about|more than|a total of|\s)*\Z", re.IGNORECASE)
_MAX_PLACE_CHARACTERS = 30  # between a number and the name of its part
_MIN_SHARE = 0.6  # of the question's words, in a sentence that gives the total


class _Part(NamedTuple):
    """A part that the question names, and the number for it."""

    name: str
    candidate: Candidate
    quantity: Quantity
    retrieval: Retrieval


def answer_total(request: Request, scope: Scope) -> Found | None:
    """Quote a stated total, or add up the named parts; None if the articles have a single number of what is counted."""
    retrieval = scope.retrieve_in_period(request.text)
    if pair := _pair(request.text, retrieval):
        return pair
    if not retrieval.ranked or not predict(retrieval).answerable:
        return None
    wanted = {word_key(word) for word in content_words(request.text)} - _TOTAL_WORDS
    if stated := [candidate for candidate in retrieval.ranked if _states_total(candidate, wanted)]:
        return compose([Line.of(stated[0], retrieval)])
    return _named_sum(request.text, retrieval, scope)


def _named_sum(question: str, retrieval: Retrieval, scope: Scope) -> Found | None:
    """The sum of the parts that a question names; None if the articles have at most a single number of the kind."""
    counted = counted_stems(_TOTAL.sub("", question))
    named = _named_parts(question)
    parts = [part for name in named if (part := _part(name, counted, retrieval, scope))]
    if named and len(parts) == len(named):
        return _sum(parts)
    absent = ", ".join(name for name in named if name not in {part.name for part in parts})
    if parts:
        return Found(
            refusal=f"No article that comes near gives a number for {absent}: there is no sum.", is_final=False
        )
    values = {quantity.value for one in retrieval.ranked if (quantity := find_quantity(one.text, counted))}
    return Found(refusal="No article that comes near gives the total.", is_final=False) if len(values) > 1 else None


def _pair(question: str, retrieval: Retrieval) -> Found | None:
    """Add two numbers of a sentence that a question asks for together: the sides of a vote, or two nouns."""
    nouns = _TWO_NOUNS.search(question)
    wanted = {word_key(word) for word in content_words(question)} - _TOTAL_WORDS - _VOTING
    for candidate in retrieval.ranked:
        around = {word_key(word) for word in words(f"{candidate.context.headline} {candidate.passage.text}")}
        if not wanted or len(wanted & around) < _MIN_PAIR_SHARE * len(wanted):
            continue
        numbers = find_counts(candidate.text)
        for (first, before), (second, behind) in pairwise(numbers):
            gap = candidate.text[before.end : behind.start]
            is_tally = bool(_VOTE.search(question)) and bool(_TALLY.fullmatch(gap))
            has_nouns = (
                nouns and _follows(candidate.text, before, nouns[1]) and _follows(candidate.text, behind, nouns[2])
            )
            if is_tally or has_nouns:
                total = float(first) + float(second)
                head = f"Together {float(first):,g} + {float(second):,g} = {total:,g} (our sum):"
                return compose([Line.of(candidate, retrieval)], head)
    return None


def _follows(text: str, number: Span, noun: str) -> bool:
    """Whether a noun stands right behind a number, or behind the next word."""
    after = [word_key(word) for word, _ in word_spans(text[number.end :][:_MAX_PLACE_CHARACTERS])[:2]]
    return word_key(noun.lower()) in after


def _states_total(candidate: Candidate, wanted: set[str]) -> bool:
    held = {word_key(word) for word in words(f"{candidate.passage.source.headline} {candidate.text}")}
    has_number = bool(find_counts(candidate.text)) and bool(_TOTAL.search(candidate.text))
    return has_number and len(wanted & held) >= _MIN_SHARE * len(wanted)


def _named_parts(question: str) -> list[str]:
    """The names that a question joins by "and": ``"… in Garforth and Ennis together?" -> Garforth, Ennis``."""
    runs: list[Span] = []
    for _, span in name_spans(question):
        if runs and not question[runs[-1].end : span.start].strip():
            runs[-1] = Span(runs[-1].start, span.end)
        else:
            runs.append(span)
    joined: list[Span] = []
    for first, second in pairwise(runs):
        if re.fullmatch(r",? (?:and|plus) (?:the |in |at )?|, (?:in |at )?", question[first.end : second.start]):
            joined += [span for span in (first, second) if span not in joined]
    return [question[slice(*span)] for span in joined]


def _part(name: str, counted: frozenset[str], retrieval: Retrieval, scope: Scope) -> _Part | None:
    """Find the number of a part: in a sentence that names it and no other number of the kind beside it."""
    for origin in (retrieval, None):
        found = origin or scope.retrieve_in_period(f"{retrieval.query.text.rstrip('?')} {name}")
        for candidate in found.ranked:
            if quantity := _quantity(candidate, name, counted):
                return _Part(name, candidate, quantity, found)
    return None


def _quantity(candidate: Candidate, name: str, counted: frozenset[str]) -> Quantity | None:
    """The number that a sentence gives for a part; of several the one right before "in" and its name.

    The whole in "140 of its 560 jobs" does not count.
    """
    text = candidate.text
    if name not in text and name not in candidate.context.before:
        return None
    wholes = [span for _, span in find_counts(text) if _WHOLE.search(text, 0, span.start)]
    for start, end in wholes:
        text = text[:start] + "x" * (end - start) + text[end:]
    numbers = find_counts(text)
    if len(numbers) <= 1:
        return find_quantity(text, counted)
    own = [(value, span) for value, span in numbers if _in_place(name).match(text, span.end)]
    return Quantity(own[0][0], "", counted, unit_of(text, own[0][1])) if len(own) == 1 else None


def _in_place(name: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:[^\W\d]|[ -]){{0,{_MAX_PLACE_CHARACTERS}}}?\b(?:in|at|from|for) (?:the )?{re.escape(name)}\b"
    )


def _sum(parts: Sequence[_Part]) -> Found:
    """The parts, each cited, and their sum; without a sum if units or moods differ, or a number is only a bound."""
    places = list(dict.fromkeys((part.candidate.passage.chunk_id, part.candidate.start) for part in parts))
    groups = [
        [part for part in parts if (part.candidate.passage.chunk_id, part.candidate.start) == at] for at in places
    ]
    lines = [
        Line.of(group[0].candidate, group[0].retrieval, f"{' and '.join(part.name for part in group)}:")
        for group in groups
    ]
    found = compose(lines)
    quantities = [part.quantity for part in parts]
    is_alike = len({quantity.unit for quantity in quantities}) == 1 and not any(
        quantity.bound for quantity in quantities
    )
    moods = {is_forecast(part.candidate.text) for part in parts}
    if not is_alike or len(moods) > 1:
        return Found(f"{found.text}\nThe numbers are not of a kind, so there is no sum.", found.citations)
    values = [float(quantity.value) for quantity in quantities]
    shown = [f"{value:,.2f}".rstrip("0").rstrip(".") for value in (*values, sum(values))]
    unit = f" {quantities[0].unit}" if quantities[0].unit else ""
    head = f"Together {' + '.join(shown[:-1])} = {shown[-1]}{unit} (our sum):"
    return Found(f"{head}\n{found.text}", found.citations)
