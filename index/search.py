"""Query and filters -> passages, best first: dense and lexical scores fused, near-duplicates collapsed."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedding.embed import Vectors
from index.models import Article, Filters, IndexDamaged, IndexMissing, Passage
from index.near_duplicates import group_near_duplicates
from index.reading.chunk import header
from index.storage.catalogue import Catalogue
from index.storage.generation import FINGERPRINT, Opened
from index.storage.home import Home, at

_MAX_ATTEMPTS = 5  # to search between two writes
_MAX_FETCHED_CHUNKS = 5_000
_NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class SearchParameters:
    """Set 2026-11-21; the figures of docs/quality.md are measured with them.

    Equal weights were compared with reciprocal rank fusion by `make quality` on SQuAD, MTRAG-UN, CLAP NQ, RealTime QA
    and RAMDocs ("Fusion" there); the other numbers bound the time of a search (`make bench`).
    """

    candidates: int = 100  # from either retriever, dense and lexical
    passages: int = 40  # of the fused ranking
    lexical_weight: float = 0.5  # of BM25 in the fused score; the rest is the cosine
    max_embedded: int = 16  # of the first by words, that an indexer has not embedded yet: half a second
    max_exact_chunks: int = 2_000  # that pass a filter and are all compared, without Chroma's search


TUNED = SearchParameters()


@dataclass(frozen=True, slots=True)
class DatePreference:
    """Score boost by publication date; never filters.

    ``boost`` is added within ``since`` to ``until``, in standard deviations of the fused scores. Outside it halves
    every ``half_life_days``, or is 0 if that is 0. ``newest_first`` boosts by rank of date instead.
    """

    since: date
    until: date
    newest_first: bool = False
    boost: float = 1.0
    half_life_days: int = 0


class Searcher:
    """Searches an index. Safe to share between threads; notices what another process has written."""

    def __init__(self, place: Path | Home) -> None:
        self._home = at(place)
        self._lock = threading.Lock()
        self._generation: Opened | None = None
        self._retired: list[Opened] = []
        self._version = -1

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for generation in (*self._retired, self._generation):
                if generation:
                    generation.close()
            self._retired, self._generation = [], None
            self._home.close()

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue in use."""
        return self._fresh().catalogue

    def search(
        self,
        vector: Vectors,
        words: Sequence[str],
        *,
        filters: Filters = _NO_FILTERS,
        preference: DatePreference | None = None,
        embed: Callable[[Sequence[str]], Vectors] | None = None,
    ) -> list[Passage]:
        """Rank passages for the vector (384) and the stemmed words of a query, best first, without near-duplicates.

        ``embed``: computes the vectors of the first passages by words that have none yet, while an indexer runs.
        Raises IndexMissing if nothing was indexed, IndexDamaged if the index cannot be read.
        """
        passages: list[Passage] = []
        for attempt in range(_MAX_ATTEMPTS):
            generation = self._fresh()
            before = self._state(generation)
            try:
                passages = _search(generation, vector, words, filters, preference, embed)
            except IndexDamaged:  # raised by a search during a write, too (chroma 1.5.9); real damage fails to reopen
                if attempt == _MAX_ATTEMPTS - 1:
                    raise
                generation.reopen_vectors()
                continue
            if self._state(generation) == before:
                break
        return passages

    def _state(self, generation: Opened) -> tuple[str | None, int]:
        """Changes with every write: words read before a write and vectors read after it do not belong together."""
        return self._home.current(), generation.catalogue.version()

    def _fresh(self) -> Opened:
        """The generation in use; its vectors are read again if another process has written."""
        with self._lock:
            name = self._home.current()
            if name is None:
                raise self._home.missing()
            if self._generation is None or self._generation.name != name or self._outdated(self._generation):
                if self._generation:
                    self._retired.append(self._generation)  # another thread may be reading it
                self._generation = None
                generation = self._home.open(name)
                if generation.fingerprint != FINGERPRINT:
                    generation.close()
                    message = "The index was built by another version. Run `clippings index` to rebuild it."
                    raise IndexMissing(message)
                self._generation, self._version = generation, generation.catalogue.version()
            elif (version := self._generation.catalogue.version()) != self._version:
                self._generation.reopen_vectors()
                self._version = version
            return self._generation

    def _outdated(self, generation: Opened) -> bool:
        """Whether a generation that was opened without writing was changed since: it is opened anew."""
        return generation.catalogue.read_only and generation.catalogue.version() != self._version


def _search(
    generation: Opened,
    vector: Vectors,
    words: Sequence[str],
    filters: Filters,
    preference: DatePreference | None,
    embed: Callable[[Sequence[str]], Vectors] | None,
) -> list[Passage]:
    catalogue = generation.catalogue
    lexical = dict(catalogue.search(words, TUNED.candidates, filters))
    cosines = _dense(generation, vector, filters)
    cosines |= generation.store.cosines(vector, [name for name in lexical if name not in cosines])
    if embed and (new := [name for name in lexical if name not in cosines][: TUNED.max_embedded]):
        rows = catalogue.chunks(new, filters)
        vectors = embed([header(row.source) + row.text for row in rows.values()])
        cosines |= zip(rows, (vectors @ vector).tolist(), strict=True)
    days = catalogue.days(cosines, filters)
    scores = fuse({name: cosines[name] for name in days}, lexical)
    if preference:
        boosts = _date_boosts(days, preference)
        scores = {name: score + boosts[name] for name, score in scores.items()}
    best = sorted(scores, key=lambda name: (-scores[name], name))[: TUNED.passages]
    rows = catalogue.chunks(best, filters)  # may lack some that a writer has just removed
    passages = [
        Passage(name, row.source, row.text, row.start, row.end, scores[name], cosines[name], lexical.get(name, 0.0))
        for name in best
        if (row := rows.get(name))
    ]
    return collapse_near_duplicates(passages, catalogue)


def fuse(cosines: Mapping[str, float], lexical: Mapping[str, float]) -> dict[str, float]:
    """Weighted mean of two scores by id, each standardized over all candidates (distribution-based score fusion).

    A candidate without a lexical score counts as 0 there. Reciprocal rank fusion forgets by how much one passage is
    better, and was worse on most question sets (docs/quality.md).
    """
    if not cosines:
        return {}
    dense = _standardized(np.array(list(cosines.values())))
    sparse = _standardized(np.array([lexical.get(name, 0.0) for name in cosines]))
    fused = (1 - TUNED.lexical_weight) * dense + TUNED.lexical_weight * sparse
    return dict(zip(cosines, fused.tolist(), strict=True))


def collapse_near_duplicates(passages: Sequence[Passage], catalogue: Catalogue) -> list[Passage]:
    """Keep the passages of the best article of a story; the best passage of each near-duplicate goes beside them."""
    articles: dict[str, Article] = {}
    for passage in passages:
        if passage.source.id not in articles and (article := catalogue.article(passage.source.id)):
            articles[passage.source.id] = article
    leaders = group_near_duplicates(articles)
    near_duplicates: dict[str, dict[str, Passage]] = defaultdict(dict)
    for passage in passages:
        name = passage.source.id
        if leaders.get(name, name) != name:
            near_duplicates[leaders[name]].setdefault(name, passage)
    kept = [passage for passage in passages if leaders.get(passage.source.id) == passage.source.id]
    return [replace(passage, near_duplicates=tuple(near_duplicates[passage.source.id].values())) for passage in kept]


def _dense(generation: Opened, vector: Vectors, filters: Filters) -> dict[str, float]:
    """The nearest chunks that pass the filters, with their cosines.

    Chroma's own filters take 345 ms if half of 100,000 vectors pass. So few are compared one by one, and of many the
    nearest are fetched in a number that leaves enough after filtering.
    """
    count = TUNED.candidates
    if filters != _NO_FILTERS:
        passing = _count_passing(generation.catalogue, generation.catalogue.version(), filters)
        if passing <= TUNED.max_exact_chunks:
            return generation.store.cosines(vector, generation.catalogue.passing(filters))
        count = min(_MAX_FETCHED_CHUNKS, 2 * TUNED.candidates * generation.catalogue.counts()[1] // passing)
    return dict(generation.store.nearest(vector, count))


@lru_cache(maxsize=32)  # every question has the filter of its day, and to count takes 100 ms of 100,000 chunks
def _count_passing(catalogue: Catalogue, _version: int, filters: Filters) -> int:
    return catalogue.count_passing(filters)


def _standardized(values: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = float(values.std())
    return np.asarray((values - values.mean()) / (deviation if deviation > 0 else 1.0), dtype=np.float64)


def _date_boosts(days: Mapping[str, date | None], preference: DatePreference) -> dict[str, float]:
    """The boost of each candidate, in standard deviations; 0 without a date."""
    order = sorted({day for day in days.values() if day})
    if preference.newest_first:
        shares = {day: (position + 1) / len(order) for position, day in enumerate(order)}
    else:
        shares = {day: _nearness(day, preference) for day in order}
    return {name: preference.boost * shares[day] if day else 0.0 for name, day in days.items()}


def _nearness(day: date, preference: DatePreference) -> float:
    """1 from ``since`` to ``until``, less outside."""
    distance = max((preference.since - day).days, (day - preference.until).days, 0)
    if not distance:
        return 1.0
    return float(0.5 ** (distance / preference.half_life_days)) if preference.half_life_days else 0.0
