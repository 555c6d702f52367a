"""What the articles leave open or take back: "It is not known who will lead the inquiry", "The figure is £240,000".

Where an article says that something is not known, that is the answer, and not the name that stands nearest. What a
correction withdraws is answered with the correction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise

from bot.extract.answerability import predict
from bot.extract.decontextualize import decontextualize
from bot.extract.ranking import Retrieval
from bot.kinds.scope import Found, Line, Scope, compose
from bot.query.followup import content_words
from bot.query.kind import Request
from bot.query.wording import word_key
from index.models import Passage, Source, Span
from index.text import name_spans, sentences, words

_MAX_PASSAGES = 6
_MIN_LATER_LOGIT = 2.0  # of the reader, for a sentence of a later article that answers after all
_VERBS = (
    r"say|said|saying|tell|know|known|clear|decide|decided|name|named|naming|release|released|disclosed?|reveal|revealed"
    r"|announced?|confirm|confirmed|made public|published|set|given?|gave|identif(?:y|ied)|agreed|established"
    r"|determined|chosen|appointed|explain|explained|specif(?:y|ied)|found|settled|fixed"
)
_UNSAID = re.compile(
    rf"(?:\b(?:not|nor|never|neither|(?:declin|refus)\w+ to|yet to)|n['’]t)\b(?! only)[^.,;]{{0,40}}?\b(?:{_VERBS})\b"
    rf"|\bno (?:\w+ ){{1,3}}(?:has|have|had|was|were|is|are) (?:yet )?(?:been )?(?:{_VERBS})\b"
    r"|\b(?:unclear|unknown|unnamed|undecided|uncertain|an open question|remains? to be seen|too early to say"
    r"|(?:gave|given|gives|giving) no|still open)\b",
    re.IGNORECASE,
)
_WH = r"(?:who|whom|whose|what|when|where|why|which|how(?: (?:many|much|long|old|far|big|large|often))?)"
_ASKED = re.compile(rf"(?:and |but |so )?(?P<wh>{_WH})\b", re.IGNORECASE)
_CLAUSE = re.compile(rf"\b(?P<wh>{_WH})\b(?P<clause>[^.;:]*)", re.IGNORECASE)
_POINTS = re.compile(r"\b(?:he|she|it|they|him|her|them|his|its|their|this|that|did|does)\b", re.IGNORECASE)
# The thing that is not said, by what is asked: "She gave no reason", "The names have not been released".
_THINGS = {
    "who": r"\bnames?\b|\bnamed\b|\bnaming\b|\bidentif\w+|\bunnamed\b|\bsuccessor\b",
    "why": r"\breasons?\b|\bcause\b|\bexplain\w*|\bmotive\b|\bwhy\b|\btoo early to say\b",
    "when": r"\bdate\b|\bday\b|\btime(?:table)?\b",
    "how much": r"\b(?:price|cost|sum|amount|figure|terms|salary|fee)s?\b",
    "what": r"\bnames?\b|\breasons?\b|\bcause\b|\bprice\b|\bcost\b|\bmotive\b",
}  # fmt: skip
_OF_THINGS = frozenset(map(word_key, "name names person people reason cause date day price cost motive".split()))
_WITHDRAWS = re.compile(
    r"\b(?:an (?:earlier )?(?:article|report|story|version)|we|our (?:article|report|story))\b[^.;]{0,60}?"
    r"\b(?:said|reported|named|stated|wrote|gave|wrongly|incorrectly|misstated|misidentified|identified|put)\b",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"\bcorrection\b|\bwe apologi[sz]e\b|\bin error\b|\bwe (?:wrongly|incorrectly|reported)\b|\bwas wrong\b"
    r"|\bmisstated\b|\bcorrects?\b",
    re.IGNORECASE,
)
_MIN_WITHDRAWN_SHARE = 0.5  # of the words of a sentence, in what a correction withdraws


def answer_unsaid(request: Request, scope: Scope) -> Found | None:
    """Quote the sentence that says that what is asked is not known, unless a later article answers it."""
    asked = _ASKED.match(request.text)
    if not asked:
        return None
    retrieval = scope.retrieve_in_period(request.text)
    open_ = next(_left_open(request.text, asked["wh"].lower(), retrieval), None)
    if open_ is None:
        return None
    passage, span = open_
    later = (one for one in retrieval.ranked if one.logit >= _MIN_LATER_LOGIT and _is_later(one.passage, passage))
    if any(one.has_answer_type and not _UNSAID.search(one.text) for one in later):
        return None
    return compose([Line.within(passage, decontextualize(passage.text, span, request.text))])


def answer_corrected(request: Request, scope: Scope) -> Found | None:
    """Quote a correction that withdraws what the best sentence says."""
    retrieval = scope.retrieve_in_period(request.text)
    best = next(iter(retrieval.ranked), None)
    found = best and correction(best.text, best.passage.source, retrieval.passages[:_MAX_PASSAGES])
    return found if found and predict(retrieval).answerable else None


def correction(quote: str, source: Source, passages: Iterable[Passage]) -> Found | None:
    """Quote what withdraws a quote of a source, with the sentence behind it, which says what is so."""
    wanted = {word_key(word) for word in content_words(quote)}
    for passage in passages:
        is_earlier = (passage.source.published or date.max) < (source.published or date.min)
        if is_earlier or not _CORRECTION.search(f"{passage.source.headline}. {passage.text}"):
            continue
        for span, behind in pairwise([*sentences(passage.text), Span(0, 0)]):
            text = passage.text[slice(*span)]
            held = {word_key(word) for word in words(text)}
            if _WITHDRAWS.search(text) and len(wanted & held) >= _MIN_WITHDRAWN_SHARE * len(wanted):
                return compose([Line.within(passage, Span(span.start, max(span.end, behind.end)))])
    return None


def is_unsaid(text: str) -> bool:
    """Whether a sentence says that something is not known."""
    return bool(_UNSAID.search(text))


def _left_open(question: str, wh: str, retrieval: Retrieval) -> Iterator[tuple[Passage, Span]]:
    """Yield the sentences of the nearest passages that leave the question open, best passage first."""
    named = {word_key(name) for name, _ in name_spans(question)}
    wanted = [word_key(word) for word in content_words(question)]
    plain = {key for key in wanted if key not in named}
    for passage in retrieval.passages[:_MAX_PASSAGES]:
        if not _UNSAID.search(passage.text):
            continue
        held = set(map(word_key, words(f"{passage.source.headline} {passage.text}")))
        before = ""
        for span in sentences(passage.text) if named <= held else ():
            text = passage.text[slice(*span)]
            unsaid = _UNSAID.search(text)
            if unsaid and (_has_clause(text, wh, plain, held) or _has_thing(f"{before} {text}", text, wh, plain)):
                yield passage, span
            before = text


def _has_clause(text: str, wh: str, plain: set[str], held: set[str]) -> bool:
    """Whether what is not said is the question: "who would lead it", in an article on the inquiry."""
    for clause in _CLAUSE.finditer(text):
        inside = set(map(word_key, words(clause["clause"])))
        if clause["wh"].lower() != wh or not plain & inside:
            continue
        if plain <= inside or (plain <= held and _POINTS.search(clause["clause"])):
            return True
    return False


def _has_thing(around: str, text: str, wh: str, plain: set[str]) -> bool:
    """Whether a name, a reason, a date or a sum is not said, for all that is asked about, here or just before."""
    kind = "who" if wh in {"who", "whom", "whose"} else wh
    thing = kind in _THINGS and re.search(_THINGS[kind], text, re.IGNORECASE)
    telling = plain - _OF_THINGS
    return bool(thing and telling and telling <= set(map(word_key, words(around))))


def _is_later(passage: Passage, other: Passage) -> bool:
    days = [one.source.published if one.source.published_certain else None for one in (passage, other)]
    return passage.source.id != other.source.id and (days[0] or date.min) > (days[1] or date.max)
