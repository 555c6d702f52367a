"""Lists: "which towns", "list all", "who voted against": every member that the articles name, a line for a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.extract.answerability import predict
from bot.extract.decontextualize import is_statement
from bot.extract.ranking import Candidate, Retrieval
from bot.kinds.members import find_members, unknown_role
from bot.kinds.scope import Found, Line, Scope, compose
from bot.kinds.storyline import list_events
from bot.query.followup import content_words
from bot.query.kind import Request
from bot.query.wording import is_past_form, word_key
from index.models import Span
from index.text import CALENDAR_NAMES, figure_spans, name_spans, names, sentences, stems, words

_MAX_LINES = 8
_MIN_LOGIT = 0.0  # of the reader, for a sentence that holds only part of the question's words
_MIN_SHARE, _MIN_SURE_SHARE = 0.75, 0.34  # of the question's words that a line holds; if the reader is sure of it
_MIN_ENUMERATED, _MAX_ENUMERATIONS, _MIN_OWN_SHARE = 3, 3, 0.5
_JOIN = re.compile(r",? and (?:the \w+(?:'s \w+)?, )?|, (?:and )?")
# What a question asks of a vote, and how a sentence says it.
_SIDES = (
    (re.compile(r"\bagainst\b|\boppos"), re.compile(r"\b(?:[Aa]gainst|[Oo]ppos\w+|voted no)\b")),
    (
        re.compile(r"\bvoted? (?:for|in favour)\b|\b(?:backed|supported)\b"),
        re.compile(r"\b(?:[Ii]n favour|voted for|backed|voted yes)\b"),
    ),
)
_BETWEEN = frozenset(map(word_key, "other more only different named".split()))
_MAX_QUOTED = 3  # sentences of the ordinary quote
_SERIES = re.compile(r"\d|\w, [\w’' -]{3,60}? (?:and|or) \w|; ")
_WHO = re.compile(r"(?:and |but |so )?who\b", re.IGNORECASE)
_IN_PLACE = re.compile(r"\b(?:of|in|at|near|from|to) (?:the )?\Z")
_PARTIAL = re.compile(r"\b(?:including|includes?|among (?:them|others)|such as|for example)\b", re.IGNORECASE)
_BESIDES = re.compile(r"\b(?:besides|other than|apart from|aside from)\b", re.IGNORECASE)
_DEED = re.compile(r"(?:which|what) (?:\w+ ){0,2}?\w+s (?P<deed>\w+)\b", re.IGNORECASE)
_SURE_LOGIT = 3.0  # of the reader, who may know the deed by another word; 2.1 for a sentence of another deed
_CLASS = re.compile(
    r"(?:which|what|list|name|enumerate|give me|show me)\s(?:all |every |the |of |other )*(?P<noun>[\w-]+)",
    re.IGNORECASE,
)


def answer_list(request: Request, scope: Scope) -> Found | None:
    """Quote each sentence that names further members; None if only one sentence does, or none surely."""
    retrieval = scope.retrieve_in_period(request.text)
    members = [] if (events := list_events(request, scope)) else find_members(request.text, retrieval, scope)
    if events or members:
        return events or compose(members)
    if reason := _why_none(request.text, retrieval):
        return Found(refusal=f"No article that comes near {reason}.", is_final=False)
    if not predict(retrieval).answerable:
        return None
    enumerations = _enumerations(request.text, retrieval)
    chosen = enumerations or _choose(request.text, retrieval)
    quoted = chosen or retrieval.ranked[:_MAX_QUOTED]
    texts = [candidate.text for candidate in quoted]
    only_counts = bool(texts) and _only_counts(request.text, texts[0]) and not any(map(_is_enumeration, texts))
    if only_counts or not any(_names_something(request.text, text) for text in texts):
        return Found(refusal="No article that comes near names them.", is_final=False)
    if not enumerations and retrieval.ranked[0] not in chosen:
        return None
    lines = [Line.of(one, retrieval, is_alone=one in enumerations) for one in chosen[:_MAX_LINES]]
    return compose(lines, _head(request.text, chosen))


def _names_something(question: str, text: str) -> bool:
    """Whether a sentence can hold members: a name that the question has not, a figure, or things joined by commas."""
    known = set(words(question))
    is_of_who = _WHO.match(question) is not None  # whom a place does not answer
    named = {name for name, span in name_spans(text) if not (is_of_who and _IN_PLACE.search(text, 0, span.start))}
    return not known.issuperset(named - CALENDAR_NAMES) or (not is_of_who and _SERIES.search(text) is not None)


def _only_counts(question: str, text: str) -> bool:
    """Whether a sentence gives the number of those asked for: "a code known to five people"."""
    counted = {(value, _after(question, span)) for value, span in figure_spans(question)}
    held = {(value, _after(text, span)) for value, span in figure_spans(text)}
    return any(noun for _, noun in counted & held)


def _after(text: str, span: Span) -> str:
    """The noun behind a number, or behind the word after it: "four other people"."""
    behind = [word_key(word) for word in words(text[span.end : span.end + 30])[:2]]
    return next((key for key in behind if key not in _BETWEEN), "")


def _why_none(question: str, retrieval: Retrieval) -> str:
    """Why no ordinary quote can be of a member; "" if it can."""
    if _BESIDES.search(question):  # it would be of what is excepted
        return "names any others"
    if role := unknown_role(question, retrieval):
        return f"names any {role}"
    deed = _unknown_deed(question, retrieval)
    return f"says who or what “{deed}”" if deed else ""


def _unknown_deed(question: str, retrieval: Retrieval) -> str:
    """The past tense that asks for a deed which no passage has and no sentence surely tells; "" if there is none."""
    asked = _DEED.match(question)
    if not asked or not asked["deed"].endswith("ed") or any(one.logit >= _SURE_LOGIT for one in retrieval.ranked):
        return ""
    key = word_key(asked["deed"].lower())
    held = {word_key(word) for passage in retrieval.passages for word in words(passage.text)}
    return "" if key in held else asked["deed"]


def _enumerations(question: str, retrieval: Retrieval) -> list[Candidate]:
    """The sentences of the best passages that enumerate names, if they have the question's side or words.

    "In favour were Ann Lee, Bob Ray and Cy Diaz" need not repeat what they voted on: their passage has it.
    """
    wanted = {word_key(word) for word in content_words(question)} - {"list", "name"}
    side = next((pattern for asked, pattern in _SIDES if asked.search(question)), None)
    found: list[Candidate] = []
    for candidate in retrieval.ranked:
        for other in _all_of(candidate) if candidate.passage not in [one.passage for one in found] else ():
            around = {word_key(word) for word in words(f"{candidate.passage.source.headline} {candidate.passage.text}")}
            own = {word_key(word) for word in words(other.text)}
            is_told = bool(side.search(other.text)) if side else len(wanted & own) >= _MIN_OWN_SHARE * len(wanted)
            if is_told and len(wanted & around) >= _MIN_SHARE * len(wanted) and _is_enumeration(other.text):
                found.append(other)
    days = {one.passage.source.published for one in found if one.passage.source.published_certain} - {None}
    if len(days) > 1:  # a later article corrects an earlier one
        newest = max(day for day in days if day)
        found = [one for one in found if one.passage.source.published == newest]
    return found[:_MAX_ENUMERATIONS]


def _all_of(candidate: Candidate) -> Iterator[Candidate]:
    """Yield every sentence of a candidate's passage as a candidate."""
    passage = candidate.passage
    for start, end in sentences(passage.text):
        yield replace(
            candidate, start=passage.start + start, end=passage.start + end, text=passage.text[start:end], reading=None
        )


def _is_enumeration(text: str) -> bool:
    """Whether three names or more are joined by commas and "and"."""
    longest = count = 0
    end = None
    for _, span in name_spans(text):
        gap = text[end : span.start] if end is not None else "."
        if gap.strip():
            count = count + 1 if _JOIN.fullmatch(gap) else 1
        end, longest = span.end, max(longest, count)
    return longest >= _MIN_ENUMERATED


def _choose(question: str, retrieval: Retrieval) -> list[Candidate]:
    """Choose the sentences that tell members, in the order of their rank; a line names one that none before does."""
    wanted = {word_key(word) for word in content_words(question)} - {"list", "name"}
    verbs = {word_key(word) for word in content_words(question) if is_past_form(word)}
    needs_against = "against" in words(question)
    chosen: list[Candidate] = []
    known = {*names(question), *stems(question)}
    known |= {name for passage in retrieval.passages for name in words(passage.source.outlet or "")}
    for candidate in retrieval.ranked:
        held = {word_key(word) for word in words(f"{candidate.before} {candidate.text}")}
        share = len(wanted & held) / max(1, len(wanted))
        own = {word_key(word) for word in words(candidate.text)}
        is_sure = candidate.logit >= _MIN_LOGIT and share >= _MIN_SURE_SHARE
        is_told = (
            is_statement(candidate.text) and verbs <= held and (is_sure or share >= _MIN_SHARE) and bool(wanted & own)
        )
        new = _members(candidate) - known
        if is_told and new and (not needs_against or "against" in words(candidate.text)) and len(chosen) < _MAX_LINES:
            chosen.append(candidate)
            known |= candidate.stems | set(names(candidate.text))
    return chosen


def _members(candidate: Candidate) -> set[str]:
    """What a sentence may name as members: the reader's words, and its names."""
    return {*names(candidate.text), *(candidate.answer_stems if candidate.logit >= _MIN_LOGIT else ())}


def _head(question: str, chosen: Sequence[Candidate]) -> str:
    """Say that the list is partial, if the articles give a larger number of members or name examples only."""
    noun = _CLASS.match(question)
    text = " ".join(candidate.text for candidate in chosen)
    if noun:
        key = word_key(noun["noun"].lower())
        for value, span in figure_spans(text):
            after = [word_key(word) for word in words(text[span.end : span.end + 30])[:1]]
            if after == [key] and float(value) > _num_named(chosen) > 0:
                return f"The articles name {_num_named(chosen)} of the {text[slice(*span)]}:"
    return "The articles name some:" if _PARTIAL.search(text) else ""


def _num_named(chosen: Sequence[Candidate]) -> int:
    """Count the runs of capitalised words."""
    runs = 0
    for candidate in chosen:
        end = -2
        for _, span in name_spans(candidate.text):
            runs += span.start > end + 1
            end = span.end
    return runs
