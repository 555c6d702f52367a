"""Near-duplicates: articles that report one story in largely the same words, and articles that hold one sentence.

Pages that share only the boilerplate of their site, follow-ups and editions of a series are kept apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from index.cleaning.published import DAY_AND_MONTH
from index.models import Article, Passage, Source
from index.text import STOP_WORDS, figures, names, sentences, stem, stems, words

_NEGATIONS = frozenset("not no never none nobody neither nor without cannot denied denies deny".split())
_DAY_AND_MONTH = re.compile(DAY_AND_MONTH, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Chosen 2026-11-21 on the labelled pairs of tests/same_story.jsonl by tests/test_same_story.py.

    Precision .81, recall .63 (docs/quality.md). A shingle is a run of three words; the samples only save time.
    """

    containment: float = 2 / 3  # share of the shorter article's shingles that the longer one must hold
    lead_shingles: int = 60  # the lead, where the news stands
    lead_containment: float = 0.25  # share of an article's lead that the other must hold
    headline_overlap: float = 0.5  # share of the words of a headline that the other text must hold
    max_days: int = 7  # between the publication dates
    samples: int = 24  # shingles that are looked up before the signatures are made
    sample_overlap: float = 0.1  # share of the samples that must be in the longer article; some 2 % are by chance
    same_sentence: float = 0.9  # share of a sentence's words that another must hold to be the same; set by hand
    max_sentence_ratio: float = 1.6  # how much longer that one may be; set by hand


TUNED = Thresholds()


@dataclass(frozen=True, slots=True)
class Signature:
    """What articles are compared by. ``editions`` are the days in the headline: "9 sep"."""

    shingles: frozenset[int]
    lead: frozenset[int]
    headline: frozenset[str]
    editions: frozenset[tuple[str, str]]
    words: frozenset[str]
    published: date | None


def signature(article: Article) -> Signature:
    """Hashed shingles of body and lead, stemmed words of headline and body, days in the headline."""
    return _signature(article.source.headline, article.body, article.source.published)


@lru_cache(maxsize=300)  # some 0.4 MB for a long article
def _signature(headline: str, body: str, published: date | None) -> Signature:
    tokens = words(body)
    content = frozenset(stem(word.replace("'", "")) for word in set(tokens) - STOP_WORDS)  # stems(), each word once
    shingles = _shingles(tokens)
    days = _DAY_AND_MONTH.findall(headline)  # "Sept. 9" and "9 September" -> ("9", "sep")
    editions = frozenset((re.sub(r"\D", "", day), re.sub(r"[\W\d]", "", day)[:3].lower()) for day in days)
    lead = frozenset(shingles[: TUNED.lead_shingles])
    return Signature(frozenset(shingles), lead, frozenset(stems(headline)), editions, content, published)


def _shingles(tokens: list[str]) -> list[int]:
    return list(map(hash, zip(tokens, tokens[1:], tokens[2:], strict=False)))


def are_near_duplicates(left: Signature, right: Signature) -> bool:
    """Whether two articles are near-duplicates; the order does not matter.

    Containment instead of Jaccard similarity: a shortened rewrite keeps two thirds of its own shingles and a third of
    all. A follow-up repeats the older report, but not at its top. Pages of one site can be identical but for the title,
    so each text must also hold words of the other's headline; and the editions of a series name different days.
    """
    if not (_within_days(left.published, right.published) and _holds(left, right) and _holds(right, left)):
        return False
    if left.editions and right.editions and not left.editions & right.editions:
        return False
    shorter = min(len(left.shingles), len(right.shingles))
    contained = shorter > 0 and len(left.shingles & right.shingles) >= TUNED.containment * shorter
    return contained and (_holds_lead(left, right) or _holds_lead(right, left))


def _within_days(left: date | None, right: date | None) -> bool:
    return left is None or right is None or abs((left - right).days) <= TUNED.max_days


def _holds(text: Signature, headed: Signature) -> bool:
    return len(headed.headline & text.words) >= TUNED.headline_overlap * len(headed.headline)


def _holds_lead(text: Signature, led: Signature) -> bool:
    return len(led.lead & text.shingles) >= TUNED.lead_containment * len(led.lead)


def group_near_duplicates(articles: Mapping[str, Article]) -> dict[str, str]:
    """Map each id, in the given order, to the id of the first article that it is a near-duplicate of, or to itself."""
    leaders: dict[str, Article] = {}
    groups: dict[str, str] = {}
    for name, article in articles.items():
        groups[name] = next((leader for leader in leaders if _retells(article, leaders[leader])), name)
        if groups[name] == name:
            leaders[name] = article
    return groups


def _retells(left: Article, right: Article) -> bool:
    """As are_near_duplicates, but most pairs are decided by date or samples, without their signatures."""
    if not _within_days(left.source.published, right.source.published) or not _share_samples(left.body, right.body):
        return False
    return are_near_duplicates(signature(left), signature(right))


def _share_samples(left: str, right: str) -> bool:
    (samples, _), (_, shingles) = map(_verbatim_shingles, sorted((left, right), key=len))
    shared = sum(sample in shingles for sample in samples)
    return len(samples) < TUNED.samples or shared >= TUNED.sample_overlap * len(samples)


@lru_cache(maxsize=300)
def _verbatim_shingles(text: str) -> tuple[list[int], frozenset[int]]:
    """Samples of the shingles of a text as it is written, and all of them: ten times as quick as a signature."""
    shingles = _shingles(text.split())
    return shingles[:: max(1, len(shingles) // TUNED.samples)], frozenset(shingles)


def other_sources(quote: str, source: Source, passages: Iterable[Passage]) -> tuple[Source, ...]:
    """List the sources, but for the quote's own, whose passage or near-duplicates of it hold the quote."""
    every = (near for passage in passages for near in (passage, *passage.near_duplicates))
    texts: dict[str, str] = {}
    sources: dict[str, Source] = {}
    for passage in every:
        if passage.source.id != source.id and passage.text not in texts.get(passage.source.id, ""):
            texts[passage.source.id] = f"{texts.get(passage.source.id, '')}\n\n{passage.text}"
            sources[passage.source.id] = passage.source
    return tuple(sources[name] for name, text in texts.items() if holds(text, quote))


def holds(text: str, quote: str) -> bool:
    """Whether a text holds each sentence of a quote, in hardly other words.

    Hardly other: nearly all of its words, all its names and all its numbers in their order, and as many negations.
    """
    wanted = words(quote)
    if _num_shared(wanted, words(text)) < TUNED.same_sentence * len(wanted):  # quicker than what follows
        return False
    candidates = [text[start:end] for start, end in sentences(text)]
    return all(
        any(_is_same_sentence(quote[start:end], candidate) for candidate in candidates)
        for start, end in sentences(quote)
    )


def _is_same_sentence(quote: str, other: str) -> bool:
    wanted, held = words(quote), words(other)
    return (
        len(held) <= TUNED.max_sentence_ratio * len(wanted)
        and _num_shared(wanted, held) >= TUNED.same_sentence * len(wanted)
        and _is_subsequence(figures(quote), figures(other))
        and _is_subsequence(names(quote), held)
        and _negations(wanted) == _negations(held)
    )


def _num_shared(wanted: Sequence[str], held: Sequence[str]) -> int:
    return (Counter(map(stem, wanted)) & Counter(map(stem, held))).total()


def _is_subsequence(part: Sequence[str], whole: Sequence[str]) -> bool:
    rest = iter(whole)
    return all(item in rest for item in part)


def _negations(tokens: Sequence[str]) -> int:
    return sum(word in _NEGATIONS or word.endswith("n't") for word in tokens)
