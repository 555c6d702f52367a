"""Whether two sentences tell of the same event, and the newest figure that the articles give of it.

A toll develops over days, and the article that a question comes nearest to need not be the newest one. Two accidents
are no development of each other: what they give are two figures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from bot.extract.ranking import Candidate, Retrieval, candidates_of
from bot.query.numbers import conflict, counted_stems, counts, find_counts, is_forecast
from index.models import Filters, Passage
from index.storage.catalogue import Catalogue
from index.text import CALENDAR_NAMES, STOP_WORDS, names, sentences, stem, words

_MAX_NAMELESS_DAYS = 7  # between an event and an article that names nothing of it
_MAX_LATER_ARTICLES = 10  # the newest that name the event
# Who says it is no part of the event: "…, said Ruth Amsel, whose brother drowned".
_ATTRIBUTION = re.compile(r",? (?:said|says|told|added|according to)\b[^.;]*", re.IGNORECASE)
_PART = re.compile(r"(?:another|a further|an additional|at least another)\s+\Z", re.IGNORECASE)
_OF_MORE = re.compile(r"\s+(?:\w+ )?(?:more|others?|further|of (?:the|them|those|its|his|her|their))\b", re.IGNORECASE)
_REVISED = re.compile(r"\b(?:revis\w+|correct\w+|not|fewer|lower\w*|down)\b", re.IGNORECASE)
_STANDS = re.compile(r"\b(?:to|at|is|was|of)\s(?:at least |now )?\Z", re.IGNORECASE)
_ANYBODY = frozenset(map(stem, "people person persons men women lives bodies victims dead deaths casualties".split()))
_MAX_PART_CHARACTERS = 30


def event_names(candidate: Candidate) -> frozenset[str]:
    """The stems of the names beside a sentence's words and in its headline; of its passage's beginning if it has none.

    ``"Three died when the Marigold capsized off Lindow, said Ann Lee." -> {"marigold", "lindow"}``
    """
    passage = candidate.passage
    first = next((passage.text[slice(*span)] for span in sentences(passage.text)), "")
    headline = set(names(passage.source.headline)) & set(names(passage.text))  # which Knows No Small Letters
    near = {*names(_ATTRIBUTION.sub("", candidate.text)), *headline} - CALENDAR_NAMES
    return frozenset(stem(name.removesuffix("'s")) for name in near or set(names(first)) - CALENDAR_NAMES)


def is_same_event(first: Candidate, second: Candidate, question: str = "") -> bool:
    """Whether two sentences share a name, and not each has names that are nowhere in the other's passage.

    A name of the question that both passages hold is enough.
    """
    wanted = {stem(name) for name in names(question) if name not in CALENDAR_NAMES}
    if wanted & first.context_stems & second.context_stems:
        return True
    near, other = event_names(first), event_names(second)
    if first.passage.source.id == second.passage.source.id:
        return True
    if not (near and other):  # "The toll has risen to six", soon after
        days = [one.passage.source.published for one in (first, second) if one.passage.source.published]
        return len(days) < 2 or abs((days[1] - days[0]).days) <= _MAX_NAMELESS_DAYS  # noqa: PLR2004  # two days
    is_apart = not near <= second.context_stems and not other <= first.context_stems
    return not is_apart and not (near.isdisjoint(second.context_stems) and other.isdisjoint(first.context_stems))


def with_latest_figure(
    retrieval: Retrieval, catalogue: Catalogue, filters: Filters, best: Candidate | None = None
) -> Retrieval:
    """Add the figure of the newest article on the event, if it is another one than that of the best sentence."""
    best = best or retrieval.ranked[0]
    day, named = best.passage.source.published, event_names(best)
    if not (best.quantity and named and day and best.passage.source.published_certain):
        return retrieval
    rarest = max(catalogue.idf(sorted(named)).items(), key=lambda item: item[1])[0]
    since = max(day + timedelta(days=1), filters.since or day)
    known = {candidate.passage.source.id for candidate in retrieval.ranked if candidate.quantity}
    for source in catalogue.mentioning([rarest], replace(filters, since=since), limit=_MAX_LATER_ARTICLES):
        rows = () if source.id in known else catalogue.chunks(catalogue.chunk_ids(source.id)).values()
        for row in sorted(rows, key=lambda row: row.start):
            passage = Passage(row.id, row.source, row.text, row.start, row.end, 0.0)
            for candidate in candidates_of(retrieval.query, passage, source.id):
                if is_newer(best, candidate):
                    return replace(retrieval, ranked=(*retrieval.ranked, candidate))
    return retrieval


def is_newer(best: Candidate, later: Candidate) -> bool:
    """Whether a sentence of a later article certainly gives another figure of the same whole: no part, no forecast."""
    sources = best.passage.source, later.passage.source
    days = [source.published for source in sources if source.published and source.published_certain]
    if len(days) < len(sources) or days[1] <= days[0]:
        return False
    if not (best.quantity and later.quantity and conflict(best.quantity, later.quantity)):
        return False
    counted = best.quantity.counted - _ANYBODY
    if (
        not counted
        or not counted <= later.quantity.counted
        or is_forecast(later.text)
        or not is_same_event(best, later)
    ):
        return False
    is_toll = not counted.isdisjoint({"die", "hurt"})
    if is_toll and float(later.quantity.value) < float(best.quantity.value) and not _REVISED.search(later.text):
        return False  # of a part of them
    spans = [span for value, span in find_counts(later.text) if value == later.quantity.value]
    return any(_is_whole(later.text, *span, later) for span in spans)


def is_toll(candidate: Candidate, fates: frozenset[str]) -> bool:
    """Whether a sentence counts all who died, or were hurt, in an event: "Five drowned", "The toll rose to six"."""
    quantity = candidate.quantity
    if not quantity or not fates & quantity.counted or is_forecast(candidate.text):
        return False
    spans = [span for value, span in find_counts(candidate.text) if value == quantity.value]
    behind = [next(iter(words(candidate.text[span.end :])), "") for span in spans]
    is_count = not spans or any(
        counts(candidate.text, span, "people")
        or counted_stems(f"how many {word}") & fates
        or _STANDS.search(candidate.text, max(0, span.start - _MAX_PART_CHARACTERS), span.start)
        for span, word in zip(spans, behind, strict=True)
    )
    return is_count and not any(_is_of_more(candidate.text, *span) for span in spans)


def latest_toll(tolls: Sequence[Candidate]) -> Candidate:
    """The toll of the newest article, or of an earlier one if it is higher and the newer one revises nothing."""
    latest = max(tolls, key=lambda one: one.passage.source.published or date.min)
    highest = max(tolls, key=_value)
    return latest if _REVISED.search(latest.text) or _value(latest) == _value(highest) else highest


def _value(candidate: Candidate) -> float:
    return float(candidate.quantity.value) if candidate.quantity else 0.0


def _is_of_more(text: str, start: int, end: int) -> bool:
    """Whether a number counts others than those before: "another three", "three more"."""
    return bool(_PART.search(text, max(0, start - _MAX_PART_CHARACTERS), start) or _OF_MORE.match(text, end))


def _is_whole(text: str, start: int, end: int, candidate: Candidate) -> bool:
    """Whether a number counts all: nothing like "three more", and no other noun behind it ("two firefighters")."""
    if _is_of_more(text, start, end):
        return False
    behind = text[end : end + _MAX_PART_CHARACTERS]
    noun = next(iter(words(behind)), "") if behind[:1] == " " else ""
    counted = candidate.quantity.counted if candidate.quantity else frozenset()
    return not noun or noun in STOP_WORDS or stem(noun) in _ANYBODY | counted
