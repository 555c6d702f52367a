"""Near-duplicates: articles that report one story; pages that share only their site's boilerplate are kept apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from index.models import Article
from index.published import DAY_AND_MONTH
from index.text import STOP_WORDS, stem, stems, words

_SHINGLE = 3  # words
_CONTAINED = 2 / 3  # share of the shorter article's shingles that the longer one holds
_LEAD = 60  # shingles: where the news stands
_OPENED = 0.25  # share of one article's lead that the other holds
_DAYS = 7
_LOOKS = 24
_SEEN = 0.1  # share of the looks: some 2 % of them find something in an article that has nothing to do with it
_HEADLINE = 0.5  # share of a headline's words that the other's text must hold
_DAY_AND_MONTH = re.compile(DAY_AND_MONTH, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an article is compared by."""

    shingles: frozenset[int]
    lead: frozenset[int]
    headline: frozenset[str]
    editions: frozenset[tuple[str, str]]
    words: frozenset[str]
    published: date | None


def fingerprint(article: Article) -> Fingerprint:
    """The hashed 3-word shingles of body and lead, the stemmed words of headline and body, the days in the headline."""
    return _fingerprint(article.source.headline, article.body, article.source.published)


@lru_cache(maxsize=300)  # some 0.4 MB each, where articles are long
def _fingerprint(headline: str, body: str, published: date | None) -> Fingerprint:
    told = words(body)
    content = frozenset(stem(word.replace("'", "")) for word in set(told) - STOP_WORDS)  # as stems(), each word once
    shingles = list(map(hash, zip(*(told[start:] for start in range(_SHINGLE)), strict=False)))
    return Fingerprint(
        frozenset(shingles), frozenset(shingles[:_LEAD]), frozenset(stems(headline)), _editions(headline), content,
        published,
    )  # fmt: skip


def _editions(headline: str) -> frozenset[tuple[str, str]]:
    """The days that a headline names, written one way: "5 things to know for Sept. 9" -> 9 sep."""
    days = _DAY_AND_MONTH.findall(headline)
    return frozenset((re.sub(r"\D", "", day), re.sub(r"[\W\d]", "", day)[:3].lower()) for day in days)


def same_story(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two articles tell one story in largely the same words.

    Containment, not Jaccard: a shortened rewrite keeps two thirds of its own shingles and a third of all. A follow-up
    repeats much of the older report, but not at its top. Pages of one site can be identical but for the title, so
    each headline must also be spoken of in the other's text; and a series has a day in the title of each edition.
    """
    if not (_within_days(one.published, other.published) and _speaks_of(one, other) and _speaks_of(other, one)):
        return False
    if one.editions and other.editions and not one.editions & other.editions:
        return False
    shorter = min(len(one.shingles), len(other.shingles))
    contained = shorter > 0 and len(one.shingles & other.shingles) >= _CONTAINED * shorter
    return contained and (_opens_with(one, other) or _opens_with(other, one))


def _within_days(one: date | None, other: date | None) -> bool:
    return one is None or other is None or abs((one - other).days) <= _DAYS


def _speaks_of(text: Fingerprint, headed: Fingerprint) -> bool:
    return len(headed.headline & text.words) >= _HEADLINE * len(headed.headline)


def _opens_with(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether the lead of one article stands in the other, if only in part."""
    return len(one.lead & other.shingles) >= _OPENED * len(one.lead)


def stories(articles: Mapping[str, Article]) -> dict[str, str]:
    """Group articles, in order of preference: each id -> the id of the first article that tells its story."""
    leaders: dict[str, Article] = {}
    found = {}
    for name, article in articles.items():
        found[name] = next((leader for leader, theirs in leaders.items() if _told_again(article, theirs)), name)
        if found[name] == name:
            leaders[name] = article
    return found


def _told_again(one: Article, other: Article) -> bool:
    """As same_story, without reading the articles where the days or a quick look part them, as with most pairs."""
    if not _within_days(one.source.published, other.source.published) or not _look_alike(one.body, other.body):
        return False
    return same_story(fingerprint(one), fingerprint(other))


def _look_alike(one: str, other: str) -> bool:
    """Whether a tenth of some 24 samples of the shorter text, three words each, stand in the longer to the letter."""
    (samples, _), (_, runs) = map(_runs, sorted((one, other), key=len))
    return len(samples) < _LOOKS or sum(sample in runs for sample in samples) >= _SEEN * len(samples)


@lru_cache(maxsize=300)
def _runs(text: str) -> tuple[list[int], frozenset[int]]:
    """Samples of a text's runs of three words, hashed, and all of them: ten times as quick as a fingerprint."""
    told = text.split()
    runs = list(map(hash, zip(told, told[1:], told[2:], strict=False)))
    return runs[:: max(1, len(runs) // _LOOKS)], frozenset(runs)
