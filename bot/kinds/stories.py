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
_MIN_LEAD_COVERAGE = 0.6  # of the subject's words, by idf, in headline and lead of an article about it
# For an article that lacks a word of the subject: "the Kerman explosion" .72, "the hottest year" .76; "the Port Ellery
# murder" .69, "the Fernhollow strike" .68 (articles/, 2026-11-27).
_MIN_SYNONYM_COSINE = 0.72
_MIN_SENTENCE_WORDS, _MAX_SENTENCE_WORDS = 5, 60
_MIN_DERIVED_LETTERS = 4  # closure, closed: all but the last letter of the shorter stem
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
    """Find the stories about a subject, newest first; those that only mention it if there are no others."""
    catalogue = scope.catalogue
    telling = tuple(word for word in matter.words if word not in _BLAND)
    idf = catalogue.idf(telling)
    held = next((sources for words in (matter.words, telling) if (sources := catalogue.mentioning(words, filters))), [])
    if held:
        held.sort(key=lambda source: -_coverage(idf, stems(source.headline)))  # stable: the newest first
        articles = [scope.article(source) for source in held[:_MAX_READ_ARTICLES]]
        about = {article.id for article in articles if _coverage(idf, _top(article)) >= _MIN_LEAD_COVERAGE}
        near = {article.id for article in articles if any(set(telling) <= held for held in _windows(article))}
        articles = [article for article in articles if article.id in (about or near)]
    elif filters != scope.filters and catalogue.mentioning(telling, scope.filters):
        return []  # it is known by these words, and not of this period
    else:
        articles = _synonymous(matter, telling, scope, filters)
        about = {article.id for article in articles}
    articles.sort(key=lambda article: -(article.source.published or date.min).toordinal())
    return group_stories(articles, about)


def newest_stories(scope: Scope, filters: Filters, count: int) -> tuple[list[Story], int]:
    """The newest stories up to the day of the question, and how many articles there are.

    Articles without a date, or with one ahead of the day of the question, are left out: they are not known to be new.
    """
    sources = scope.catalogue.mentioning([], filters)
    dated = [source for source in sources if source.published and source.published <= scope.as_of]
    return group_stories([scope.article(source) for source in dated[: _MAX_EDITIONS * count]])[:count], len(dated)


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
    """The sentence that gives the news: the lead, or if it does not mention the subject the first with most of it."""
    article = story.article
    spans = quotable(article) or [lead(article)]
    held = {span: len(set(words).intersection(stems(article.body[slice(*span)]))) for span in spans}
    if held[spans[0]] or not set(words).isdisjoint(stems(article.source.headline)):
        return spans[0]
    return max(spans, key=lambda span: (held[span], -span.start))


def quotable(article: Article) -> list[Span]:
    """The sentences that may stand in a summary: statements of some length; no questions, instructions or lists."""
    instructions = frozenset(instruction_spans(article.body))
    return [
        span
        for span in sentences(article.body)
        if span not in instructions
        and is_statement(text := article.body[slice(*span)])
        and _MIN_SENTENCE_WORDS <= len(text.split()) <= _MAX_SENTENCE_WORDS
    ]


def _synonymous(matter: Matter, telling: Sequence[str], scope: Scope, filters: Filters) -> list[Article]:
    """The articles that say the subject in other words: its names, and a near meaning or derived words."""
    named = {stem(name) for name in names(matter.subject)}
    sources: dict[str, tuple[Source, float]] = {}
    for passage in scope.retrieve(matter.subject).passages:
        for each in (passage, *passage.near_duplicates):
            sources.setdefault(each.source.id, (each.source, each.cosine or 0.0))
    articles = []
    for source, cosine in sources.values():
        if not _passes(source, filters):
            continue
        article = scope.article(source)
        top, body = frozenset(_top(article)), frozenset(stems(article.body))
        is_derived = all(any(_is_derived(word, other) for other in top) for word in telling)
        if named <= body | top and (is_derived or cosine >= _MIN_SYNONYM_COSINE):
            articles.append(article)
    return articles


def _passes(source: Source, filters: Filters) -> bool:
    if filters.since is None and filters.until is None:
        return True
    day = source.published
    return day is not None and (filters.since or day) <= day <= (filters.until or day)


def _is_derived(word: str, other: str) -> bool:
    """Whether two stems are of one family: closur, close."""
    length = max(_MIN_DERIVED_LETTERS, min(len(word), len(other)) - 1)
    return word == other or word[:length] == other[:length]


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
