"""The articles that a question is about, as stories: an article with its near-duplicates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.extract.decontextualize import is_statement
from bot.kinds.scope import Scope, lead
from bot.query.dates import Period, find_period
from bot.query.followup import content_words
from bot.query.kind import Request
from index.injection import instruction_spans
from index.models import Article, Filters, Source, Span
from index.near_duplicates import group_near_duplicates
from index.text import names, sentences, stem, stems

_MAX_READ_ARTICLES = 40  # of those that hold the words; a body takes some 0.1 ms to read and check
_MAX_EDITIONS = 3  # articles that are read for a story that is wanted
_MAX_LEAD_SENTENCES = 3
_MAX_SENTENCES_TO_LEAD, _MIN_LEAD_WORDS = 6, 9
_MIN_LEAD_COVERAGE = 0.6  # of the subject's words, by idf, in headline and lead of an article about it
# Of an article's best passage to the subject, for an article that says it in other words: the first has at least the
# one, the others are not much further. "the Kerman explosion" .72, "the museum theft" .75 .73 .70 .69; of no article:
# "the Port Ellery murder" .69, "the Fernhollow strike" .68 (articles/, 2026-11-27).
_MIN_COSINE, _MAX_COSINE_GAP = 0.72, 0.06
_MIN_SENTENCE_WORDS, _MAX_SENTENCE_WORDS = 5, 60
_MIN_DERIVED_LETTERS = 4  # that words of one family share: closur, close
_DERIVED_ENDINGS = frozenset("e ed er or ing ion at ation al ment ur ure y anc enc th ist ish".split()) | {""}
_OF_ARTICLES = re.compile(
    r"(?:(?:the|an?|this|that|all|any|your)\s+)?(?:\w+\s+)?(?:articles?|stor(?:y|ies)|pieces?|reports?|news|coverage)\s+"
    r"(?:about|on|of|in|regarding)\s+",
    re.IGNORECASE,
)
_EDGE = re.compile(
    r"^(?:(?:about|on|of|in|with|for|from|to|and|so far)\s+)+|(?:\s+(?:about|on|of|in|and|so far))+$", re.IGNORECASE
)
# Words that a story need not hold to be the one asked about, stemmed.
_BLAND = frozenset(
    map(
        stem,
        """affair article case coverage debate development event far headline incident issue latest matter news newest
        piece question recent report row saga situation story stories subject thing topic update""".split(),
    )
)


@dataclass(frozen=True, slots=True)
class Story:
    """An article and the sources of its near-duplicates. ``is_about``: the subject is in its headline or lead."""

    article: Article
    also_in: tuple[Source, ...] = ()
    is_about: bool = True

    @property
    def day(self) -> date:
        """The publication date; the first day of the calendar if it is unknown."""
        return self.article.source.published or date.min


@dataclass(frozen=True, slots=True)
class Matter:
    """What a question asks about: the subject as written, its stems, and the period of publication, if it names one."""

    subject: str
    words: tuple[str, ...]
    period: Period | None

    def within(self, filters: Filters) -> Filters:
        """Limit filters to the period."""
        if self.period is None:
            return filters
        since, until = self.period.since, self.period.until
        return replace(filters, since=max(since, filters.since or since), until=min(until, filters.until or until))


def parse_matter(request: Request, as_of: date) -> Matter:
    """Part the subject of a question from its period: "the flood in March" -> the flood; in March."""
    period = find_period(request.text, as_of)
    if period and period.kind == "latest":
        period = None
    subject = request.subject
    tokens = period.matched.split() if period else []
    for start in range(len(tokens)):  # the subject of "what happened in March?" is "March"
        subject = re.sub(rf"\b{re.escape(' '.join(tokens[start:]))}\b(?:['’]s)?", " ", subject)
    subject = _EDGE.sub("", _OF_ARTICLES.sub("", " ".join(subject.split()), count=1)).strip(' ,;:?.“”"')
    words = tuple(dict.fromkeys(stem(word.replace("'", "")) for word in content_words(subject)))
    return Matter(subject, () if _BLAND.issuperset(words) else words, period)


def stories_about(matter: Matter, scope: Scope, filters: Filters) -> list[Story]:
    """Find the stories about a subject, newest first; those that only mention it if there are no others.

    An article is about it if it holds all its words, most of them in headline or lead, or if it is as near to it in
    meaning and holds its names.
    """
    telling = tuple(word for word in matter.words if word not in _BLAND)
    idf = scope.catalogue.idf(telling)
    mentioning = (scope.catalogue.mentioning(words, filters) for words in (matter.words, telling))
    held = next((sources for sources in mentioning if sources), [])
    held.sort(key=lambda source: -_coverage(idf, stems(source.headline)))  # stable: the newest first
    articles = {source.id: scope.article(source) for source in held[:_MAX_READ_ARTICLES]}
    about = {name for name, article in articles.items() if _coverage(idf, _top(article)) >= _MIN_LEAD_COVERAGE}
    named = {stem(name) for name in names(f"about {matter.subject}")}
    if len(telling) == 1 and not named:  # "the strike": no clock that strikes
        about = {name for name in about if telling[0] in stems(articles[name].source.headline)} or about
    if not named.issuperset(telling):
        synonymous = {article.id: article for article in _synonymous(matter, telling, named, scope, filters)}
        articles, about = articles | synonymous, about | set(synonymous)
    near = {name for name, article in articles.items() if any(set(telling) <= stems for stems in _windows(article))}
    chosen = [articles[name] for name in about or near]
    chosen.sort(key=lambda article: article.id)
    chosen.sort(key=lambda article: article.source.published or date.min, reverse=True)
    return group_stories(chosen, about)


def newest_stories(scope: Scope, filters: Filters, count: int) -> list[Story]:
    """The newest stories up to the day of the question. An article without a date is not known to be new."""
    filters = replace(filters, until=min(filters.until or scope.as_of, scope.as_of))
    sources = scope.catalogue.mentioning([], filters, limit=_MAX_EDITIONS * count)
    return group_stories([scope.article(source) for source in sources])[:count]


def group_stories(articles: Sequence[Article], about: frozenset[str] | set[str] = frozenset()) -> list[Story]:
    """Group articles with their near-duplicates, in the order given."""
    by_id = {article.id: article for article in articles}
    groups: dict[str, list[Source]] = {}
    for name, leader in group_near_duplicates(by_id).items():
        groups.setdefault(leader, []).append(by_id[name].source)
    return [
        Story(by_id[leader], tuple(group[1:]), not about.isdisjoint(source.id for source in group))
        for leader, group in groups.items()
    ]


def first_on(story: Story, words: Sequence[str]) -> Span:
    """The sentence with the news: the lead; if that does not name the subject, the first with most of it.

    The lead is the first sentence, or if that has no word of the headline the first with two of them: before it may be a
    caption or a scene. A lead of a few words comes with the next sentence.
    """
    article = story.article
    spans = quotable(article) or [lead(article)]
    headline = frozenset(stems(article.source.headline))
    held = {span: frozenset(stems(article.body[slice(*span)])) for span in spans}
    first = spans[0]
    if held[first].isdisjoint(headline):
        first = next((span for span in spans[:_MAX_SENTENCES_TO_LEAD] if len(held[span] & headline) > 1), first)
    if words and held[first].union(headline).isdisjoint(words):
        return max(spans, key=lambda span: (len(held[span].intersection(words)), -span.start))
    return _with_next(article.body, first, spans)


def _with_next(body: str, first: Span, spans: Sequence[Span]) -> Span:
    """A short sentence with the one after it in its paragraph."""
    after = next((span for span in spans if span.start >= first.end), None)
    is_short = len(body[slice(*first)].split()) < _MIN_LEAD_WORDS
    if after is None or not is_short or "\n" in body[first.end : after.start] or body[first.end : after.start].strip():
        return first
    return Span(first.start, after.end)


def quotable(article: Article) -> list[Span]:
    """The sentences that may be quoted: statements of some length, no instruction, list or half of a speech.

    The sentence after a question is left out too: "All 640, since June." says nothing by itself.
    """
    body, instructions = article.body, frozenset(instruction_spans(article.body))
    spans = sentences(body)
    before = [Span(0, 0), *spans]
    return [
        span
        for span, previous in zip(spans, before, strict=False)
        if span not in instructions
        and is_statement(text := body[slice(*span)])
        and not body[slice(*previous)].endswith("?")
        and text.count("“") == text.count("”")
        and text.count('"') % 2 == 0
        and _MIN_SENTENCE_WORDS <= len(text.split()) <= _MAX_SENTENCE_WORDS
    ]


def _synonymous(
    matter: Matter, telling: Sequence[str], named: set[str], scope: Scope, filters: Filters
) -> list[Article]:
    """The articles that say the subject in other words: near in meaning, or with words derived from its words."""
    nearest: dict[str, tuple[Source, float]] = {}
    for passage in scope.retrieve(matter.subject).passages:
        for each in (passage, *passage.near_duplicates):
            known = nearest.get(each.source.id, (each.source, 0.0))[1]
            nearest[each.source.id] = each.source, max(known, each.cosine or 0.0)
    best = max((cosine for _, cosine in nearest.values()), default=0.0)
    least = best - _MAX_COSINE_GAP if best >= _MIN_COSINE else 1.0
    articles = []
    for source, cosine in nearest.values():
        if _passes(source, filters):
            article = scope.article(source)
            top = frozenset(_top(article))
            is_derived = all(any(_is_derived(word, other) for other in top) for word in telling)
            if named <= top.union(stems(article.body)) and (is_derived or cosine >= least):
                articles.append(article)
    return articles


def _passes(source: Source, filters: Filters) -> bool:
    if filters.since is None and filters.until is None:
        return True
    day = source.published
    return day is not None and (filters.since or day) <= day <= (filters.until or day)


def _is_derived(word: str, other: str) -> bool:
    """Whether two stems are of one family: closur, close; not strike, strip."""
    shared = next((n for n, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    return word == other or (shared >= _MIN_DERIVED_LETTERS and {word[shared:], other[shared:]} <= _DERIVED_ENDINGS)


def _coverage(idf: Mapping[str, float], words: Sequence[str]) -> float:
    total = sum(idf.values())
    return sum(weight for word, weight in idf.items() if word in words) / total if total else 0.0


def _top(article: Article) -> list[str]:
    """The stems of headline and lead."""
    spans = sentences(article.body[:2_000])[:_MAX_LEAD_SENTENCES]
    return stems(" ".join([article.source.headline, *(article.body[slice(*span)] for span in spans)]))


def _windows(article: Article) -> list[frozenset[str]]:
    """The stems of every two sentences that stand together."""
    held = [frozenset(stems(article.body[slice(*span)])) for span in sentences(article.body)]
    return [first | second for first, second in zip(held, [*held[1:], frozenset[str]()], strict=True)]
