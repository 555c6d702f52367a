"""Questions about the collection itself: how many articles, which outlets, who wrote, what is there, since when.

The catalogue answers them exactly, and the answer says what was counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.kinds.scope import Found, Line, Scope, compose, title
from bot.query.followup import content_words
from bot.query.kind import Request
from index.models import Source
from index.text import fold, name_spans, stem, word_spans

_MAX_LISTED = 8
_MAX_NAMED_OUTLETS = 12
# What a question says of the articles and not of their subject, stemmed.
_OF_ARTICLES = frozenset(
    map(
        stem,
        """article story stories report piece item document text clipping outlet newspaper paper publication media
        source news site mention discuss cover coverage report write wrote written publish publication run ran carry
        carried carries list show find everything archive collection index available print deal feature refer speak
        name topic subject period about have got know hold many different total oldest newest latest recent first
        earliest last number author appear turn crop figure file pen name date we our us aftermath""".split(),
    )
)
_COUNT = re.compile(r"\bhow many\b", re.IGNORECASE)
_AUTHOR = re.compile(r"\bwho\b|\bauthors?\b", re.IGNORECASE)
_OUTLET = re.compile(r"\b(?:outlets?|(?:news)?papers?|publications?|media|news sites?|sources?)\b", re.IGNORECASE)
_EDGE = re.compile(r"\b(?P<first>oldest|earliest|first)\b|\b(?:newest|latest|most recent|last)\b", re.IGNORECASE)
_PERIOD = re.compile(r"\b(?:since when|from when|how far back|period|dates?|date range|days)\b", re.IGNORECASE)


def answer_collection(request: Request, scope: Scope) -> Found | None:
    """Answer from the catalogue: counts, outlets, bylines, lists and days of the articles that hold all words asked."""
    subject, words = _subject(request)
    outlet, name = _outlet(request, scope)
    if outlet:  # "How many articles did the Courier publish about the strike?"
        subject, words = _subject(replace(request, subject=re.sub(re.escape(name), " ", fold(request.subject))))
        scope = replace(scope, filters=replace(scope.filters, outlet=outlet))
    sources = scope.catalogue.mentioning(words, scope.filters)
    named = name_spans(request.subject)
    is_whole_name = len(named) > 1 or bool(named and _AUTHOR.match(request.text))
    if not sources and is_whole_name:  # of "fire chief Ann Lee" or "the obituary of Ann Lee"
        subject = f"“{' '.join(request.subject[slice(*span)] for _, span in named)}”"
        words = list(dict.fromkeys(stem(name) for name, _ in named))
        sources = scope.catalogue.mentioning(words, scope.filters)
    of_outlet = f" of {outlet}" if outlet else ""
    about = of_outlet + (f" that mention{'s' * (len(sources) == 1)} {subject}" if words else "")
    if not sources:
        total = len(scope.catalogue.mentioning([], scope.filters))
        none = f"None of the {total} articles{of_outlet} mentions {subject}."
        return Found(refusal=none if words else "There is no article.")
    return _way(request)(sources, about, scope)


def _outlet(request: Request, scope: Scope) -> tuple[str, str]:
    """The outlet whose articles are asked about, as the catalogue has it and folded as asked; "" for none.

    Not an outlet that they are to mention: "How many articles mention the Courier?"
    """
    asked = fold(request.subject)
    for name, outlet in scope.catalogue.outlet_names().items():
        bare = name.removeprefix("the ")
        if re.search(rf"\b(?:did|has|have|by|from|in|of) (?:the )?{re.escape(bare)}(?!\w)", asked):
            return outlet, bare
    return "", ""


def _way(request: Request) -> Callable[[Sequence[Source], str, Scope], Found]:
    if _OUTLET.search(request.text):
        return _by_outlet
    if _AUTHOR.match(request.text):
        return _by_author
    if edge := _EDGE.search(request.text):
        return _first if edge["first"] else _latest
    return _period if _PERIOD.search(request.text) and not _COUNT.search(request.text) else _listed


def _subject(request: Request) -> tuple[str, list[str]]:
    """What the articles are to mention, as written, and its stems: ``"mention the Marrow Bridge" -> marrow, bridg``."""
    content = set(content_words(request.subject))
    kept = [span for word, span in word_spans(request.subject) if word in content and stem(word) not in _OF_ARTICLES]
    written = request.subject[kept[0].start : kept[-1].end] if kept else ""
    return f"“{written}”", list(dict.fromkeys(stem(word) for word, span in word_spans(request.subject) if span in kept))


def _listed(sources: Sequence[Source], about: str, scope: Scope) -> Found:
    more = f", of which the newest {_MAX_LISTED}" if len(sources) > _MAX_LISTED else ""
    return compose(
        _lines(sources[:_MAX_LISTED], scope), f"{_count(sources)}{about}{more}:", is_exact=True, short=_count(sources)
    )


def _by_outlet(sources: Sequence[Source], about: str, scope: Scope) -> Found:
    """Name each outlet with the number of its articles, and cite its newest."""
    counts = Counter(source.outlet or "" for source in sources)
    newest = {source.outlet or "": source for source in reversed(sources)}
    lines = [
        Line.about(scope.article(newest[outlet]), f"{outlet or 'no outlet named'}: {count}")
        for outlet, count in counts.most_common(_MAX_NAMED_OUTLETS)
    ]
    named = len(counts) - ("" in counts)
    short = f"{named} outlet{'s' * (named != 1)}"
    return compose(lines, f"{short}, {_count(sources)}{about}:", is_exact=True, short=short)


def _by_author(sources: Sequence[Source], about: str, scope: Scope) -> Found:
    signed = [source for source in sources if source.byline]
    if not signed:
        return Found(refusal=f"{_count(sources)}{about}, and none names its author.")
    lines = [Line.about(scope.article(source), f"{source.byline}: {title(source)}") for source in signed[:_MAX_LISTED]]
    return compose(lines, f"{_count(signed)}{about} with a byline:", is_exact=True, short=_count(signed))


def _first(sources: Sequence[Source], about: str, scope: Scope) -> Found:
    dated = [source for source in sources if source.published]
    return compose(
        _lines([*dated[-1:], *sources][:1], scope), f"The oldest of {_count(sources)}{about}:", is_exact=True
    )


def _latest(sources: Sequence[Source], about: str, scope: Scope) -> Found:
    return compose(_lines(sources[:1], scope), f"The newest of {_count(sources)}{about}:", is_exact=True)


def _period(sources: Sequence[Source], about: str, scope: Scope) -> Found:
    dated = [source for source in sources if source.published]
    if not dated:
        return Found(refusal=f"{_count(sources)}{about}, and none has a date.")
    ends = _lines(list(dict.fromkeys([dated[-1], dated[0]])), scope)
    return compose(
        ends,
        f"{_count(sources)}{about}, from {dated[-1].published:%-d %B %Y} to {dated[0].published:%-d %B %Y}:",
        is_exact=True,
    )


def _lines(sources: Sequence[Source], scope: Scope) -> list[Line]:
    return [Line.about(scope.article(source), title(source)) for source in sources]


def _count(sources: Sequence[Source]) -> str:
    return f"{len(sources)} article{'s' * (len(sources) != 1)}"
