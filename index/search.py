"""A question and filters -> passages, best first: dense and lexical scores fused, one place a story."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.catalogue import Catalogue, ChunkRow
from index.embed import Vectors
from index.generation import FINGERPRINT, Generation, current
from index.models import Article, Filters, IndexDamaged, IndexMissing, Passage
from index.near_duplicates import stories

_CANDIDATES = 100  # of each retriever
_PASSAGES = 40
_ATTEMPTS = 5  # to search between two writes
_LEXICAL_WEIGHT = 0.5
_EXACT = 2_000  # up to so many chunks that pass a filter are compared one by one, without Chroma's search
_ALL = Filters()


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
    """The reading side of an index. Safe to share between threads; notices what another process has written."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._lock = threading.Lock()
        self._generation: Generation | None = None
        self._retired: list[Generation] = []
        self._version = -1

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            for generation in (*self._retired, self._generation):
                if generation:
                    generation.close()
            self._retired, self._generation = [], None

    @property
    def catalogue(self) -> Catalogue:
        """The articles as they are now."""
        return self._fresh().catalogue

    def search(
        self,
        vector: Vectors,
        words: Sequence[str],
        *,
        filters: Filters = _ALL,
        preference: DatePreference | None = None,
    ) -> list[Passage]:
        """The passages nearest to a question's vector and stemmed words, best first, the same story only once.

        Raises IndexMissing where nothing was indexed, IndexDamaged where it cannot be read.
        """
        found: list[Passage] = []
        for attempt in range(_ATTEMPTS):
            generation = self._fresh()
            before = self._moment(generation)
            try:
                found = _search(generation, vector, words, filters, preference)
            except IndexDamaged:  # so ends a search that meets a write, too (chroma 1.5.9); real damage fails to reopen
                if attempt == _ATTEMPTS - 1:
                    raise
                generation.store.reopen()
                continue
            if self._moment(generation) == before:
                break
        return found

    def _moment(self, generation: Generation) -> tuple[Path | None, int]:
        """What changes when a writer does: words read before and vectors read after may not belong together."""
        return current(self._data), generation.catalogue.version()

    def _fresh(self) -> Generation:
        """The generation in use, with the vectors read again where another process has written."""
        with self._lock:
            folder = current(self._data)
            if folder is None or not folder.exists():
                message = f"Nothing has been indexed in {self._data}. Index your articles: `clippings index FOLDER`."
                raise IndexMissing(message)
            if self._generation is None or self._generation.folder != folder:
                if self._generation:
                    self._retired.append(self._generation)  # another thread may be reading it
                self._generation = None
                generation = Generation.open(folder)
                if generation.catalogue.get("fingerprint") != FINGERPRINT:
                    generation.close()
                    message = (
                        "The index is of another model or chunking than this version's. Rebuild it: `clippings index`."
                    )
                    raise IndexMissing(message)
                self._generation, self._version = generation, generation.catalogue.version()
            elif (version := self._generation.catalogue.version()) != self._version:
                self._generation.store.reopen()
                self._version = version
            return self._generation


def _search(
    generation: Generation, vector: Vectors, words: Sequence[str], filters: Filters, preference: DatePreference | None
) -> list[Passage]:
    catalogue = generation.catalogue
    lexical = dict(catalogue.search(words, _CANDIDATES, filters))
    cosines = _dense(generation, vector, filters)
    cosines |= generation.store.cosines(vector, [name for name in lexical if name not in cosines])
    days = catalogue.days(cosines, filters)
    scores = fuse({name: cosines[name] for name in days}, lexical)
    if preference:
        preferred = _preferred(days, preference)
        scores = {name: score + preferred[name] for name, score in scores.items()}
    best = sorted(scores, key=lambda name: (-scores[name], name))[:_PASSAGES]
    rows = catalogue.chunks(best, filters)  # fewer than the best, where a writer has just removed some
    passages = [
        _passage(rows[name], scores[name], cosines[name], lexical.get(name, 0.0)) for name in best if name in rows
    ]
    return one_place_a_story(passages, catalogue)


def fuse(cosines: Mapping[str, float], lexical: Mapping[str, float]) -> dict[str, float]:
    """Add the two scores, each in standard deviations from its mean over all candidates.

    On every question set this beats reciprocal rank fusion, which forgets by how much one passage is better
    (docs/quality.md). A passage without a word in common has a lexical score of 0, and so is below the mean.
    """
    if not cosines:
        return {}
    names = list(cosines)
    dense = _standard(np.array([cosines[name] for name in names]))
    words = _standard(np.array([lexical.get(name, 0.0) for name in names]))
    fused = (1 - _LEXICAL_WEIGHT) * dense + _LEXICAL_WEIGHT * words
    return dict(zip(names, fused.tolist(), strict=True))


def one_place_a_story(passages: Sequence[Passage], catalogue: Catalogue) -> list[Passage]:
    """Collapse articles that tell one story to the one of the best passage, with the best of each other beside it."""
    articles: dict[str, Article] = {}
    for passage in passages:
        if passage.source.id not in articles and (article := catalogue.article(passage.source.id)):
            articles[passage.source.id] = article
    leader = stories(articles)
    near_duplicates: dict[str, dict[str, Passage]] = defaultdict(dict)
    for passage in passages:
        name = passage.source.id
        if leader.get(name, name) != name:
            near_duplicates[leader[name]].setdefault(name, passage)
    kept = [passage for passage in passages if leader.get(passage.source.id) == passage.source.id]
    return [replace(passage, near_duplicates=tuple(near_duplicates[passage.source.id].values())) for passage in kept]


def _dense(generation: Generation, vector: Vectors, filters: Filters) -> dict[str, float]:
    """The nearest chunks that pass the filters, with their cosines.

    Chroma's own filters cost 345 ms where a wide range keeps half of 100,000 vectors; so few are compared
    one by one, and for many more is fetched than is wanted.
    """
    count = _CANDIDATES
    if filters != _ALL:
        passing = generation.catalogue.count_passing(filters)
        if passing <= _EXACT:
            return generation.store.cosines(vector, generation.catalogue.passing(filters))
        count = min(5_000, 2 * _CANDIDATES * generation.catalogue.counts()[1] // passing)
    return dict(generation.store.nearest(vector, count))


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = float(values.std())
    return np.asarray((values - values.mean()) / (deviation if deviation > 0 else 1.0), dtype=np.float64)


def _preferred(days: Mapping[str, date | None], preference: DatePreference) -> dict[str, float]:
    """What each candidate gains by its date, in the unit of the fused scores; without a date nothing."""
    if not preference.newest_first:
        return {name: preference.boost * _nearness(day, preference) if day else 0.0 for name, day in days.items()}
    order = sorted({day for day in days.values() if day})
    rank = {day: (position + 1) / len(order) for position, day in enumerate(order)}
    return {name: preference.boost * rank[day] if day else 0.0 for name, day in days.items()}


def _nearness(day: date, preference: DatePreference) -> float:
    """1 within the days of a preference, and less the further off."""
    away = max((preference.since - day).days, (day - preference.until).days, 0)
    if not away:
        return 1.0
    return float(0.5 ** (away / preference.half_life_days)) if preference.half_life_days else 0.0


def _passage(row: ChunkRow, score: float, cosine: float, lexical: float) -> Passage:
    return Passage(row.id, row.source, row.text, row.start, row.end, score, cosine, lexical)
