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
from index.models import Passage, Span
from index.text import MONTH, STOP_WORDS, fold, name_spans, sentences, word_spans, words

_TOTAL = re.compile(r"\b(?:in total|altogether|combined|together|in all|all told|totals?|overall)\b", re.IGNORECASE)
_TOTAL_WORDS = frozenset(map(word_key, "total altogether combined together overall sum all told grand taken".split()))
_VOTE = re.compile(r"\b(?:vot(?:e|es|ed|ing)|ballots?|cast)\b", re.IGNORECASE)
_VOTING = frozenset(map(word_key, "vote voted votes ballot cast councillors members councillor member".split()))
_TALLY = re.compile(
    r"(?: votes?)?(?: (?:voted )?(?:for|in favour)(?: it)?)?,? (?:to|against|and|with) (?:only )?", re.IGNORECASE
)
_TWO_NOUNS = re.compile(r"(?:how many )?\b([a-z]+) and ([a-z]+)\b", re.IGNORECASE)
_SCORE = re.compile(r"[-–]")
_GOALS = re.compile(r"\bgoals?\b", re.IGNORECASE)
_OF_MANY_MATCHES = re.compile(r"\b(?:season|year|month|career|tournament|league|matches|games)\b", re.IGNORECASE)
_REST = re.compile(r"\b(?:other|remaining|rest of the|further)\s\Z", re.IGNORECASE)
_REPLACED = re.compile(
    r"\b(?:not|instead of|rather than|from)\s(?:the )?\Z", re.IGNORECASE
)  # "six, not seven"; "from six to three"
_BOTH = re.compile(r"\bboth\b", re.IGNORECASE)
_MAX_SMALL = 2  # "the busier of the two lines": no part of a sum
# Of a question for a total: verbs and nouns that its sentence need not hold.
_BLAND = frozenset(
    map(
        word_key,
        """take took taken part go goes gone cast scored score goal goals both rest other according figures figure
        number numbers people there""".split(),
    )
)
_MIN_PAIR_SHARE = 0.75  # of the question's words, in the passage of the sentence with both numbers
_HOW_MANY_OF = re.compile(r"how many ([a-z]+)\b", re.IGNORECASE)
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
    wanted = _wanted(request.text)
    telling = wanted - _VOTING - _BLAND
    if pair := _pair(request.text, telling, retrieval):
        return pair
    is_answerable = bool(retrieval.ranked) and predict(retrieval).answerable
    if stated := [one for one in retrieval.ranked if is_answerable and _states_total(one, wanted)]:
        return compose([Line.of(stated[0], retrieval)])
    if added := _two_sentences(request.text, telling, retrieval) or _rows(request.text, retrieval, scope):
        return added
    if not is_answerable:
        return None
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
    is_counted = find_quantity(retrieval.ranked[0].text, counted) is not None
    if len(values) > 1 or not is_counted:
        return Found(refusal="No article that comes near gives the total.", is_final=False)
    return None


def _wanted(question: str) -> set[str]:
    """The keys of the words that the text around a number must hold; no days."""
    days = {word for word in words(question) if word.isdigit() or re.fullmatch(MONTH, word, re.IGNORECASE)}
    return {word_key(word) for word in content_words(question) if word not in days} - _TOTAL_WORDS


def _is_near(candidate: Candidate, wanted: set[str]) -> bool:
    around = {word_key(word) for word in words(f"{candidate.passage.source.headline} {candidate.passage.text}")}
    return bool(wanted) and len(wanted & around) >= _MIN_PAIR_SHARE * len(wanted)


def _two_sentences(question: str, wanted: set[str], retrieval: Retrieval) -> Found | None:
    """Add the numbers of two sentences of a passage: of two nouns, of "both" things, or of some and "the other"."""
    pair = _TWO_NOUNS.search(question)
    nouns = [fold(noun) for noun in pair.groups()] if pair and pair[2].islower() else []
    counted = counted_stems(_TOTAL.sub("", question))
    for candidate in retrieval.ranked:
        if not _is_near(candidate, wanted):
            continue
        passage = candidate.passage
        parts = [
            (span, text, _current(text)) for span in sentences(passage.text) if (text := passage.text[slice(*span)])
        ]
        chosen: list[tuple[Span, str, list[tuple[str, Span]]]] = []
        for noun in nouns if STOP_WORDS.isdisjoint(nouns) else ():
            of_noun = counted_stems(noun)
            chosen += [part for part in parts if len(part[2]) == 1 and find_quantity(part[1], of_noun)][:1]
        for first, second in pairwise(parts):
            is_beside = "\n\n" not in passage.text[first[0].end : second[0].start]
            numbers = is_beside and (len(first[2]), len(second[2])) == (1, 1)
            is_counted = find_quantity(first[1], counted) is not None
            is_rest = numbers and _REST.search(second[1][: second[2][0][1].start])
            is_both = numbers and _BOTH.search(question)
            if not chosen and is_counted and (is_rest or is_both):
                chosen = [first, second]
        if len(chosen) == len({part[0] for part in chosen}) == 2:  # noqa: PLR2004  # two parts
            return _added(chosen, passage)
    return None


def _added(parts: Sequence[tuple[Span, str, list[tuple[str, Span]]]], passage: Passage) -> Found | None:
    units = {unit_of(text, numbers[0][1]) for _, text, numbers in parts}
    if len(units) > 1 or len({is_forecast(text) for _, text, _ in parts}) > 1:
        return None
    lines = [Line.within(passage, span) for span, _, _ in parts]
    return compose(lines, _head([float(numbers[0][0]) for _, _, numbers in parts], units.pop()))


def _current(text: str) -> list[tuple[str, Span]]:
    """The numbers that a sentence holds to: not those it replaces, no whole of a part, nothing as small as "two"."""
    return [
        (value, span)
        for value, span in find_counts(text)
        if not _REPLACED.search(text, 0, span.start)
        and not _WHOLE.search(text, 0, span.start)
        and float(value) > _MAX_SMALL
    ]


def _rows(question: str, retrieval: Retrieval, scope: Scope) -> Found | None:
    """Add up a column of a table over the rows of the names in the question."""
    named = _named_parts(question)
    asked = _HOW_MANY_OF.search(question)
    if not named or not asked:
        return None
    for source in dict.fromkeys(passage.source.id for passage in retrieval.passages):
        article = next((scope.article(one.source) for one in retrieval.passages if one.source.id == source), None)
        if article is None or "|" not in article.body:
            continue
        lines = [Span(*match.span()) for match in re.finditer(r"[^\n]+", article.body)]
        cells = [[cell.strip() for cell in article.body[slice(*span)].split("|")] for span in lines]
        column = next((row.index(cell) for row in cells for cell in row if cell.lower() == asked[1].lower()), None)
        rows = [
            next((n for n, row in enumerate(cells) if len(row) > (column or 0) and name in row), None) for name in named
        ]
        if column is None or not all(row is not None and cells[row][column].isdigit() for row in rows):
            continue
        chosen = [row for row in rows if row is not None]
        head = _head([float(cells[row][column]) for row in chosen], asked[1].lower())
        return compose(
            [Line.at(article, lines[row], f"{name}:") for row, name in zip(chosen, named, strict=True)], head
        )
    return None


def _head(values: Sequence[float], unit: str) -> str:
    shown = [f"{value:,.2f}".rstrip("0").rstrip(".") for value in (*values, sum(values))]
    return f"Together {' + '.join(shown[:-1])} = {shown[-1]}{f' {unit}' if unit else ''} (our sum):"


def _pair(question: str, wanted: set[str], retrieval: Retrieval) -> Found | None:
    """Add two numbers of a sentence that a question asks for together: the sides of a vote, or two nouns."""
    nouns = _TWO_NOUNS.search(question)
    is_of_match = bool(_GOALS.search(question)) and not _OF_MANY_MATCHES.search(question)
    for candidate in retrieval.ranked:
        if not _is_near(candidate, wanted):
            continue
        numbers = find_counts(candidate.text)
        for (first, before), (second, behind) in pairwise(numbers):
            gap = candidate.text[before.end : behind.start]
            is_tally = bool(_VOTE.search(question)) and bool(_TALLY.fullmatch(gap))
            has_nouns = nouns and any(
                _follows(candidate.text, before, one) and _follows(candidate.text, behind, other)
                for one, other in (nouns.groups(), nouns.groups()[::-1])
            )
            if is_tally or has_nouns or (is_of_match and _SCORE.fullmatch(gap)):
                return compose([Line.of(candidate, retrieval)], _head([float(first), float(second)], ""))
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
    if name not in text and name not in candidate.before:
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
    head = _head([float(quantity.value) for quantity in quantities], quantities[0].unit)
    return Found(f"{head}\n{found.text}", found.citations)
