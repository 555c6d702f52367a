"""The same story told twice: near-duplicates among articles, without merging pages that share only their furniture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from index.models import Article
from index.text import stems, words

_SHINGLE = 3  # words
_CONTAINED = 0.5  # share of the shorter article's shingles that the longer one holds
_DAYS = 7
_HEADLINE = 0.5  # share of a headline's words that the other's text must hold


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an article is compared by."""

    shingles: frozenset[int]
    headline: frozenset[str]
    words: frozenset[str]
    published: date | None


def fingerprint(article: Article) -> Fingerprint:
    """The hashed 3-word shingles of the body, and the stemmed words of headline and body."""
    return _fingerprint(article.source.headline, article.body, article.source.published)


@lru_cache(maxsize=2_000)
def _fingerprint(headline: str, body: str, published: date | None) -> Fingerprint:
    told = words(body)
    shingles = frozenset(hash(tuple(told[i : i + _SHINGLE])) for i in range(len(told) - _SHINGLE + 1))
    return Fingerprint(shingles, frozenset(stems(headline)), frozenset(stems(body)), published)


def same_story(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two articles tell one story in largely the same words.

    Containment, not Jaccard: a shortened rewrite keeps two thirds of its own shingles and a third of all. Pages of
    one site can be identical but for the title, so each headline must also be spoken of in the other's text.
    """
    shorter = min(len(one.shingles), len(other.shingles))
    if not shorter or len(one.shingles & other.shingles) < _CONTAINED * shorter:
        return False
    if one.published and other.published and abs((one.published - other.published).days) > _DAYS:
        return False
    return _speaks_of(one, other) and _speaks_of(other, one)


def _speaks_of(text: Fingerprint, headed: Fingerprint) -> bool:
    if not headed.headline or not text.headline:
        return True
    told = text.words | text.headline
    return len(headed.headline & told) >= _HEADLINE * len(headed.headline)


def stories(articles: Mapping[str, Article]) -> dict[str, str]:
    """Group articles, in order of preference: each id -> the id of the first article that tells its story."""
    leaders: list[tuple[str, Fingerprint]] = []
    found = {}
    for name, article in articles.items():
        mine = fingerprint(article)
        found[name] = next((leader for leader, theirs in leaders if same_story(mine, theirs)), name)
        if found[name] == name:
            leaders.append((name, mine))
    return found
