"""Comparisons: the best sentence of each side, same quantity beside same quantity; and how a thing has changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bot.extract.answerability import predict
from bot.extract.ranking import Candidate, Retrieval
from bot.kinds.scope import Found, Line, Scope, compose
from bot.kinds.sides import STATE_WORDS, split_sides, things_to_choose_from
from bot.query.followup import content_words
from bot.query.kind import Request
from bot.query.numbers import Quantity, find_counts, find_quantity, unit_of
from bot.query.wording import COMPARATIVE, word_key
from index.text import words

_MIN_SHARED = 0.7  # of the words that the sides have in common, in a sentence of a side
_MIN_COVERAGE = 0.6  # of the question, in a sentence that tells how a thing has changed
_CHANGE = re.compile(r"how (?:has|have|did|does|do)\b.*\b(?:changed?|grown?|risen|rise|fallen|fall)\b", re.IGNORECASE)
_NO_EARLIER = "No article that comes near sets it beside an earlier one."
_STATES = frozenset(map(word_key, STATE_WORDS))
# How a sentence tells two states of a thing.
_FROM_TO = re.compile(
    r"\b(?:up|down|rises?|rose|risen|falls?|fell|fallen|cut|raised|increase[ds]?|grew|grown|dropped|lowered) from\b"
    r"|\bfrom [^.;]*?\d[^.;]* to [^.;]*?\d|\b(?:instead of|compared (?:with|to)|against) [^.;]*?\d"
)
# What sets one number beside another of its unit.
_BESIDE = re.compile(
    r"\b(?:than|after|instead of|against|compared (?:with|to)|while|whereas|but|and had|from|as (?:many|much) .* as)\b",
    re.IGNORECASE,
)
_MIN_SHARE = 0.5  # of the words in common, in a sentence that tells two states
_VAGUE_UNITS = frozenset(["", "second", "minute", "hour", "day", "week", "month", "year"])
_EARLIER = re.compile(
    r"\b(?:last (?:year|month|week|season|time)|(?:year|month|week|season) (?:before|earlier))\b", re.IGNORECASE
)
_MAX_SCORE_GAP = 1.5  # below the best sentence
_COMPARING = frozenset(
    map(
        word_key,
        [
            *"change compare contrast differ difference different grow rise fall".split(),
            *COMPARATIVE.strip("(?:)").split("|"),
        ],
    )
)

_Pool = tuple[list[Candidate], Retrieval]  # the sentences of a side, best first, and where they are from


def answer_comparison(request: Request, scope: Scope) -> Found | None:
    """Quote each side, or refuse and name the side that no article has; None if the question cannot be split."""
    sides = split_sides(request.text)
    retrieval = scope.retrieve_in_period(request.text)
    if _CHANGE.match(request.text):
        return _change([word_key(word) for word in content_words(request.subject or request.text)], retrieval)
    if not sides or not retrieval.ranked:
        return _unsplit(request, retrieval)
    keys = [_keys(side) for side in sides]
    shared = set.intersection(*keys)
    own = [keys[at] - set[str]().union(*keys[:at], *keys[at + 1 :]) for at in range(len(keys))]
    if not all(own):
        return None
    if both := _both(retrieval, set.union(*own), shared):
        return compose([Line.of(both, retrieval)])
    if set.union(*own) <= _STATES:
        return _change(_ordered(sides[0], shared), retrieval) or _unsplit(request, retrieval)
    things = things_to_choose_from(request.text)
    pools = [
        _pool(side, side_keys, shared, retrieval, scope) or _of_thing(side, side_keys, scope, is_choice=bool(things))
        for side, side_keys in zip(sides, own, strict=True)
    ]
    return _beside(things or sides, pools, is_known=_knows(retrieval, shared.union(*own)))


def _unsplit(request: Request, retrieval: Retrieval) -> Found | None:
    """Refuse a question for an earlier value, unless the best sentence sets two side by side; None for the rest."""
    best = retrieval.ranked[0].text if retrieval.ranked else ""
    is_missing = _EARLIER.search(request.text) and not _sets_beside(best)
    return Found(refusal=_NO_EARLIER, is_final=False) if is_missing else None


def _beside(names: Sequence[str], pools: Sequence[_Pool], *, is_known: bool) -> Found | None:
    """Quote the best sentence of each side under its name, or say which have none.

    None if their words are known, but in sentences that this cannot set side by side.
    """
    missing = [name for name, (candidates, _) in zip(names, pools, strict=True) if not candidates]
    if missing:
        refusal = f"No article that comes near says it of {_joined(missing)}."
        return None if is_known else Found(refusal=refusal, is_final=False)
    unit = _common_unit([candidates for candidates, _ in pools])
    lines = []
    for name, (candidates, origin) in zip(names, pools, strict=True):
        best = next((candidate for candidate in candidates if unit in _units(candidate)), candidates[0])
        lines.append(Line.of(best, origin, f"{name[:1].upper()}{name[1:]}:"))
    if len(lines) > 1 and len({line.citation for line in lines}) == 1:
        return compose([replace(lines[0], words="")])
    return compose(lines)


def _knows(retrieval: Retrieval, keys: set[str]) -> bool:
    """Whether the passages that were found have all of these words."""
    texts = (f"{passage.source.headline} {passage.text}" for passage in retrieval.passages)
    return keys <= {word_key(word) for text in texts for word in words(text)}


def _both(retrieval: Retrieval, own: set[str], shared: set[str]) -> Candidate | None:
    """The first sentence that sets numbers of both sides side by side, or tells from what to what a number changed."""
    for candidate in retrieval.ranked:
        held = {word_key(word) for word in words(candidate.text)}
        has_shared = len(shared & held) >= _MIN_SHARED * len(shared)
        if len(find_counts(candidate.text)) > 1 and has_shared and own <= held:
            return candidate
        is_near = candidate.score >= retrieval.ranked[0].score - _MAX_SCORE_GAP
        if own <= _STATES and is_near and _sets_beside(candidate.text) and _is_of(candidate, shared):
            return candidate
    return None


def _sets_beside(text: str) -> bool:
    """Whether a sentence tells two states of a thing: "up from", "after a profit of £5m", two sums of a unit."""
    units = [unit for _, span in find_counts(text) if (unit := unit_of(text, span)) not in _VAGUE_UNITS]
    return bool(_FROM_TO.search(text)) or (_BESIDE.search(text) is not None and len(units) > len(set(units)))


def _is_of(candidate: Candidate, shared: set[str]) -> bool:
    """Whether a sentence with its headline has half of the words of what is compared."""
    source = candidate.passage.source
    held = {word_key(word) for word in words(f"{source.headline} {candidate.before} {candidate.text}")}
    return len(shared & held) >= _MIN_SHARE * len(shared)


def _keys(text: str) -> set[str]:
    return {word_key(word) for word in content_words(text)} - _COMPARING


def _holds(candidate: Candidate, own: set[str], shared: set[str]) -> bool:
    """Whether a sentence, or its outlet, holds a side's own words, and with the headline most of the common ones."""
    source = candidate.passage.source
    held = {word_key(word) for word in words(f"{candidate.before} {candidate.text}")}
    headline, outlet = ({word_key(word) for word in words(text or "")} for text in (source.headline, source.outlet))
    has_shared = len(shared & (held | headline)) >= _MIN_SHARED * len(shared)
    return own <= held | outlet and has_shared and not held.isdisjoint(own | shared)


def _pool(side: str, own: set[str], shared: set[str], retrieval: Retrieval, scope: Scope) -> _Pool | None:
    """The sentences of a side, best first, and the retrieval that they are from: its own if the first has none."""
    if candidates := [candidate for candidate in retrieval.ranked if _holds(candidate, own, shared)]:
        return candidates, retrieval
    alone = scope.retrieve_in_period(side)
    candidates = [candidate for candidate in alone.ranked if _holds(candidate, own, shared)]
    return (candidates, alone) if candidates else None


def _of_thing(side: str, own: set[str], scope: Scope, *, is_choice: bool) -> _Pool:
    """What is known of a thing that may be chosen, in other words: "harder to get into" by who was admitted."""
    alone = scope.retrieve_in_period(side)
    sure = alone.ranked if is_choice and predict(alone).answerable else ()
    return [candidate for candidate in sure if _holds(candidate, own, set())], alone


def _units(candidate: Candidate) -> set[str]:
    return {unit_of(candidate.text, span) for _, span in find_counts(candidate.text)}


def _common_unit(pools: Sequence[Sequence[Candidate]]) -> str | None:
    """The unit of the first side's best quantity that every side has; None if there is none."""
    units = [unit for candidate in pools[0] for unit in sorted(_units(candidate), reverse=True)]
    return next((unit for unit in units if all(any(unit in _units(one) for one in pool) for pool in pools)), None)


def _joined(sides: Sequence[str]) -> str:
    return " or ".join(f"“{side}”" for side in sides)


def _ordered(side: str, keys: set[str]) -> list[str]:
    return [key for key in map(word_key, content_words(side)) if key in keys]


def _tells_change(candidate: Candidate, wanted: Sequence[str]) -> bool:
    """Whether a sentence with all words of a thing tells its change: "Attendance fell from 9,800 to 8,100"."""
    held = {word_key(word) for word in words(f"{candidate.passage.source.headline} {candidate.text}")}
    own = {word_key(word) for word in words(candidate.text)}
    is_of_it = bool(wanted) and held.issuperset(wanted) and wanted[-1] in own
    return is_of_it and _FROM_TO.search(candidate.text) is not None and len(find_counts(candidate.text)) > 1


def _change(keys: Sequence[str], retrieval: Retrieval) -> Found | None:
    """The oldest and the newest value of a thing, each with its day; None if there are not two."""
    wanted = [key for key in keys if key not in _COMPARING]
    best = retrieval.ranked[0] if retrieval.ranked else None
    if best and _tells_change(best, wanted):
        return compose([Line.of(best, retrieval)])
    if not predict(retrieval).answerable:
        return None
    dated: dict[date, tuple[Candidate, Quantity]] = {}
    for candidate in retrieval.ranked if wanted else ():
        source = candidate.passage.source
        held = {word_key(word) for word in words(f"{source.headline} {candidate.text}")}
        quantity = find_quantity(candidate.text, frozenset(wanted[-1:]))
        is_about = len(held.intersection(wanted)) >= _MIN_COVERAGE * len(wanted)
        if is_about and quantity and source.published and source.published_certain:
            dated.setdefault(source.published, (candidate, quantity))
    days = sorted(dated)
    if len(days) <= 1 or dated[days[0]][1].unit != dated[days[-1]][1].unit:
        return None
    return compose([Line.of(dated[day][0], retrieval, f"{day:%-d %B %Y}:") for day in (days[0], days[-1])])
