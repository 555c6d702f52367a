"""The articles that a question is about, as stories: an article with its near-duplicates."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from bot.extract.decontextualize import is_statement
from bot.kinds.scope import Scope, lead
from bot.query.dates import Period, find_period
from bot.query.followup import content_words
from bot.query.kind import Request
from index.models import Article, Filters, Source, Span
from index.near_duplicates import group_near_duplicates
from index.reading.event_dates import EventDate, after_dateline, dated_events
from index.reading.injection import instruction_spans
from index.text import CALENDAR_NAMES, names, sentences, stem, stems, words

_MAX_READ_ARTICLES = 40  # of those that hold the words; a body takes some 0.1 ms to read and check
_FEW = 5  # articles that show whether a word written small is a name
_MAX_EDITIONS = 3  # articles that are read for a story that is wanted
_MAX_LEAD_SENTENCES, _MAX_LEAD_CHARACTERS = 3, 2_000
_MAX_SENTENCES_TO_LEAD, _MIN_LEAD_WORDS = 6, 9
_MAX_NEWS_DAYS = 31  # what lies further back is told for comparison
_MIN_LEAD_COVERAGE = 0.6  # of the subject's words, by idf, in headline and lead of an article about it
# Of an article's best passage to the subject, where its words are not all there: the first article has at least the
# one, the others are not much further. "the museum theft" .75 .73 .70 .69; of no article: "the Port Ellery murder" .69.
# Names bring near ("the Northgate airport strike" .74), so none of its words may be one (articles/, 2026-11-27).
_MIN_COSINE, _MAX_COSINE_GAP = 0.72, 0.08
_MIN_SENTENCE_WORDS, _MAX_SENTENCE_WORDS = 5, 60
_MIN_DERIVED_LETTERS = 4  # that words of one family share: closur, close
_DERIVED_ENDINGS = frozenset("e ed er or ing ion at ation al ment ur ure y anc enc th ist ish".split()) | {""}
_CORRECTION = re.compile(r"\b(?:correction|clarification|corrected|erratum)\b", re.IGNORECASE)
_OF_ARTICLES = re.compile(
    r"(?:(?:the|an?|this|that|all|any|your)\s+)?(?:\w+\s+)?"
    r"(?:articles?|stor(?:y|ies)|pieces?|reports?|news|coverage)\s+"
    r"(?:about|on|of|in|regarding)\s+",
    re.IGNORECASE,
)
_EDGE = re.compile(
    r"^(?:(?:about|on|of|in|with|for|from|to|and|so far|how)\s+)+|(?:\s+(?:about|on|of|in|and|so far|to date|until now"
    r"|please|pls|for (?:me|us)|in (?:short|brief|a nutshell|a few (?:lines|words|sentences))|story|saga|ended"
    r"|from (?:the )?(?:start|beginning) to (?:the )?(?:finish|end))|,? [–-] .*|, \w+ to \w+)+$",
    re.IGNORECASE,
)
# Words that a story need not hold to be the one asked about, stemmed.
_BLAND = frozenset(
    map(
        stem,
        """affair article case coverage debate development event far headline incident interview issue latest life
        matter news newest obituary piece profile question recent report row saga situation story stories subject thing
        topic update""".split(),
    )
)
# What articles on an event need not call it, where its name says which: "the Hollin dam disaster".
_JUDGING = frozenset(
    map(
        stem,
        """battle calamity catastrophe controversy crisis disaster dispute drama emergency fiasco fight quarrel scandal
        struggle tragedy tussle wrangle""".split(),
    )
)
# What articles on an event call it by another word than the question, where its name says which: any of a line will do.
_KINDRED = tuple(
    frozenset(map(stem, line.split()))
    for line in (
        "takeover acquisition acquire merger merge bid buyout buy bought offer purchase",
        "sale sell sold buy bought purchase auction",
        "explosion explode blast",
        "mine miner colliery pit",
        "investigation investigate inquiry probe",
        "theft steal stole stolen heist robbery robbed",
    )
)


@dataclass(frozen=True, slots=True)
class Story:
    """An article and its near-duplicates. ``is_about``: the subject is in its headline or lead."""

    article: Article
    copies: tuple[Article, ...] = ()
    is_about: bool = True

    @property
    def day(self) -> date:
        """The publication date; the first day of the calendar if it is unknown."""
        return self.article.source.published or date.min

    @property
    def sources(self) -> list[Source]:
        """The source of the article, then those of its near-duplicates."""
        return [article.source for article in (self.article, *self.copies)]

    def also_in(self, span: Span) -> tuple[Source, ...]:
        """The near-duplicates that hold the words of a quote."""
        quote = " ".join(words(self.article.body[slice(*span)]))
        return tuple(copy.source for copy in self.copies if quote in " ".join(words(copy.body)))


@dataclass(frozen=True, slots=True)
class Matter:
    """What a question asks about: the subject as written, its stems, and the period of publication, if it names one.

    ``kindred``: stems of which an article has any, for each word beside a name that may be said otherwise.
    """

    subject: str
    words: tuple[str, ...]
    period: Period | None
    kindred: tuple[frozenset[str], ...] = ()

    def within(self, filters: Filters) -> Filters:
        """Limit filters to the period."""
        if self.period is None:
            return filters
        since, until = self.period.since, self.period.until
        return replace(filters, since=max(since, filters.since or since), until=min(until, filters.until or until))


def parse_matter(request: Request, scope: Scope) -> Matter:
    """Part the subject of a question from its period: "the flood in March" -> the flood; in March."""
    period = find_period(request.text, scope.as_of)
    if period and period.kind == "latest":
        period = None
    subject = request.subject
    tokens = period.matched.split() if period else []
    for start in range(len(tokens)):  # the subject of "what happened in March?" is "March"
        subject = re.sub(rf"\b{re.escape(' '.join(tokens[start:]))}\b(?:['’]s)?", " ", subject)
    subject = _EDGE.sub("", _OF_ARTICLES.sub("", " ".join(subject.split()), count=1)).strip(' ,;:?.“”"')
    words = tuple(dict.fromkeys(stem(word.replace("'", "")) for word in content_words(subject)))
    kindred: tuple[frozenset[str], ...] = ()
    named = _names(f"about {subject}").intersection(words)
    families = {word: family for word in words if word not in named and (family := _family(word))}
    rest = tuple(word for word in words if word in named or word not in families.keys() | _JUDGING)
    if named or (len(rest) < len(words) and _are_names(rest, scope)):
        kindred, words = tuple(families.values()), rest
    return Matter(subject, () if _BLAND.issuperset(words) else words, period, kindred)


def _are_names(words: Sequence[str], scope: Scope) -> bool:
    """Whether words that a question writes small are names in all articles that hold them."""
    held = scope.catalogue.mentioning(words, scope.filters, limit=_FEW) if words else []
    return bool(held) and all(set(words) <= _names(scope.article(source).body) for source in held)


def _family(word: str) -> frozenset[str]:
    """All that an event or a place of this kind may be called, as stems."""
    return frozenset().union(*(line for line in _KINDRED if word in line))


def stories_about(matter: Matter, scope: Scope, filters: Filters) -> list[Story]:
    """Find the stories about a subject, newest first; if none leads with it, also those that only mention a name.

    An article is about a subject if it holds all its words, most of them in headline or lead, or if it is as near to it
    in meaning as the nearest.
    """
    telling = tuple(word for word in matter.words if word not in _BLAND)
    idf = scope.catalogue.idf(telling)
    mentioning = (scope.catalogue.mentioning(words, filters) for words in (matter.words, telling))
    held = next((sources for sources in mentioning if sources), [])
    held.sort(key=lambda source: -_coverage(idf, stems(source.headline)))  # stable: the newest first
    read = [scope.article(source) for source in held[:_MAX_READ_ARTICLES]]
    articles = {article.id: article for article in read if _is_of_kind(matter, article)}
    about = _leading(articles.values(), idf, _MAX_LEAD_SENTENCES)
    is_named = set(telling) <= _names(f"about {matter.subject}") or (
        bool(articles) and all(set(telling) <= _names(article.body) for article in list(articles.values())[:_FEW])
    )
    if len(telling) == 1 and not is_named:  # "the strike": no clock that strikes
        about = {name for name in about if telling[0] in stems(articles[name].source.headline)} or about
    if not is_named:
        synonymous = {article.id: article for article in _synonymous(matter, telling, scope, filters)}
        articles, about = articles | synonymous, about | set(synonymous)
    if about and (not is_named or _leading(articles.values(), idf, 1)):
        chosen = [articles[name] for name in about]
    else:
        chosen = [article for article in articles.values() if article.id in about or _is_named_in(telling, article)]
    chosen.sort(key=lambda article: article.id)
    chosen.sort(key=lambda article: article.source.published or date.min, reverse=True)
    return group_stories(chosen, about)


def _is_of_kind(matter: Matter, article: Article) -> bool:
    if not matter.kindred:
        return True
    held = frozenset(stems(f"{article.source.headline} {article.body}"))
    return not any(held.isdisjoint(family) for family in matter.kindred)


def _leading(articles: Iterable[Article], idf: Mapping[str, float], num_sentences: int) -> set[str]:
    """The ids of the articles that have most of the words in their headline and first sentences."""
    tops = [(article, _top(article, num_sentences)) for article in articles]
    return {
        article.id
        for article, top in tops
        if _coverage(idf, top) >= _MIN_LEAD_COVERAGE and (top.issuperset(idf) or _holds_rest(idf, top, article))
    }


def _holds_rest(words: Collection[str], top: frozenset[str], article: Article) -> bool:
    """Whether each word that the lead lacks stands near another of the words further down."""
    windows = [held.intersection(words) for held in _windows(article)]
    return all(any(word in held and len(held) > 1 for held in windows) for word in words if word not in top)


def _is_named_in(words: Sequence[str], article: Article) -> bool:
    """Whether the words are a name in the article, within two sentences that stand together."""
    return set(words) <= _names(article.body) and any(set(words) <= held for held in _windows(article))


def _names(text: str) -> set[str]:
    return {stem(name) for name in names(text) if name not in CALENDAR_NAMES}


def is_correction(source: Source) -> bool:
    """Whether an article corrects an earlier one."""
    return bool(_CORRECTION.search(source.headline))


def newest_stories(scope: Scope, filters: Filters, count: int) -> list[Story]:
    """The newest stories up to the day of the question. An article without a date is not known to be new."""
    filters = replace(filters, until=min(filters.until or scope.as_of, scope.as_of))
    sources = scope.catalogue.mentioning([], filters, limit=_MAX_EDITIONS * count)
    return group_stories([scope.article(source) for source in sources])[:count]


def group_stories(articles: Sequence[Article], about: frozenset[str] | set[str] = frozenset()) -> list[Story]:
    """Group articles with their near-duplicates, in the order given."""
    by_id = {article.id: article for article in articles}
    groups: dict[str, list[Article]] = {}
    for name, leader in group_near_duplicates(by_id).items():
        groups.setdefault(leader, []).append(by_id[name])
    return [
        Story(group[0], tuple(group[1:]), not about.isdisjoint(article.id for article in group))
        for group in groups.values()
    ]


def first_on(story: Story, subject: Sequence[str]) -> Span:
    """The sentence with the news: the lead; if that does not name the subject, the first with most of it.

    The lead is the first sentence, or if that has no word of the headline the first with two of them: before it may be
    a caption or a scene. A lead of a few words comes with the next sentence.
    """
    article = story.article
    spans = quotable(article) or (lead(article),)
    headline = frozenset(stems(article.source.headline))
    held = {span: frozenset(stems(article.body[slice(*span)])) for span in spans}
    first = spans[0]
    if held[first].isdisjoint(headline):
        first = next((span for span in spans[:_MAX_SENTENCES_TO_LEAD] if len(held[span] & headline) > 1), first)
    if subject and held[first].union(headline).isdisjoint(subject):
        best = max(spans, key=lambda span: (len(held[span].intersection(subject)), -span.start))
        if not _is_history(article, best):  # "She began at the works in 1995": no news
            return best
    return _with_next(article.body, first, spans)


def is_news(when: EventDate, published: date) -> bool:
    """Whether days are so near before an article that it reports them as news."""
    return when.first <= published <= when.last + timedelta(_MAX_NEWS_DAYS)


def _is_history(article: Article, span: Span) -> bool:
    """Whether all that a sentence dates is further back than news is."""
    published = article.source.published
    dates = dated_events(article.body[slice(*span)], published) if published else []
    since = (published or date.max) - timedelta(_MAX_NEWS_DAYS)
    return bool(dates) and all(when.last < since for when, _ in dates)


def _with_next(body: str, first: Span, spans: Sequence[Span]) -> Span:
    """A short sentence with the one after it in its paragraph."""
    after = next((span for span in spans if span.start >= first.end), None)
    is_short = len(body[slice(*first)].split()) < _MIN_LEAD_WORDS
    if after is None or not is_short or "\n" in body[first.end : after.start] or body[first.end : after.start].strip():
        return first
    return Span(first.start, after.end)


@lru_cache(maxsize=100)  # articles; a way asks several times for each that it reads
def quotable(article: Article) -> tuple[Span, ...]:
    """The sentences that may be quoted, without a dateline: statements of some length, no instruction or half a speech.

    The sentence after a question is left out too: "All 640, since June." says nothing by itself.
    """
    body, instructions = article.body, frozenset(instruction_spans(article.body))
    spans = sentences(body)
    before = [Span(0, 0), *spans]
    return tuple(
        Span(span.start + after_dateline(text), span.end)
        for span, previous in zip(spans, before, strict=False)
        if span not in instructions
        and is_statement(text := body[slice(*span)])
        and not body[slice(*previous)].endswith("?")
        and text.count("“") == text.count("”")
        and text.count('"') % 2 == 0
        and _MIN_SENTENCE_WORDS <= len(text.split()) <= _MAX_SENTENCE_WORDS
    )


def _synonymous(matter: Matter, telling: Sequence[str], scope: Scope, filters: Filters) -> list[Article]:
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
            top = _top(article, _MAX_LEAD_SENTENCES)
            is_derived = all(any(_is_derived(word, other) for other in top) for word in telling)
            if is_derived or (cosine >= least and _names(article.body).isdisjoint(telling)):
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


def _coverage(idf: Mapping[str, float], words: Collection[str]) -> float:
    total = sum(idf.values())
    return sum(weight for word, weight in idf.items() if word in words) / total if total else 0.0


def _top(article: Article, num_sentences: int) -> frozenset[str]:
    """The stems of the headline and the first sentences."""
    spans = sentences(article.body[:_MAX_LEAD_CHARACTERS])[:num_sentences]
    return frozenset(stems(" ".join([article.source.headline, *(article.body[slice(*span)] for span in spans)])))


def _windows(article: Article) -> list[frozenset[str]]:
    """The stems of every two sentences that stand together."""
    held = [frozenset(stems(article.body[slice(*span)])) for span in sentences(article.body)]
    return [first | second for first, second in zip(held, [*held[1:], frozenset[str]()], strict=True)]
