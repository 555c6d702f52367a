"""Merging, on pairs of real articles that were labelled by reading both.

`same_story.jsonl` names the articles and holds none of their text: "same" is one report told twice, so that merging
loses nothing, "furniture" are pages that share what their site puts around articles, "not" is all else: follow-ups,
digests, other days of one event, and two outlets' own reports of it. Every pair that containment of a half had merged
in all 4,838 articles is among them, so the precision is that of the whole corpus; the recall is that of these pairs.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from index.cleaning.clean import clean
from index.load import load
from index.models import Article, RawRecord
from index.near_duplicates import group_near_duplicates

PAIRS = [json.loads(line) for line in Path(__file__).with_name("same_story.jsonl").read_text("utf-8").splitlines()]
PRECISION, RECALL, MARGIN = 0.81, 0.62, 0.05  # as measured


@pytest.fixture(scope="module")
def articles(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Article]:
    """The articles of the pairs as they are indexed, by id; the seeds by the names of their files."""
    built = Path(os.environ.get("CLIPPINGS_REALTIMEQA", seeds.parent / "realtimeqa")) / "articles.jsonl"
    if not built.is_file():
        pytest.skip(f"RealTime QA is not at {built.parent}: build all of it there, or set CLIPPINGS_REALTIMEQA")
    wanted = {pair[side] for pair in PAIRS for side in ("one", "other")}
    with built.open(encoding="utf-8") as file:
        lines = [line for line in file if json.loads(line)["id"] in wanted]
    few = tmp_path_factory.mktemp("pairs") / "articles.jsonl"
    few.write_text("".join(lines), "utf-8")
    found = [clean(record) for record in load([few, seeds]) if isinstance(record, RawRecord)]
    by_name = {
        article.id if article.id in wanted else Path(article.source.path or "").name: article for article in found
    }
    if missing := wanted - by_name.keys():
        pytest.skip(f"{len(missing)} of the articles are not at {built.parent}: build all 4,838 of them")
    return by_name


def merged(one: Article, other: Article) -> bool:
    """Whether two articles take one place, whichever of them is the better."""
    forth, back = (
        len({*group_near_duplicates({a.id: a, b.id: b}).values()}) == 1 for a, b in pairwise((one, other, one))
    )
    assert forth == back
    return forth


def test_reports_are_merged_and_little_else(articles: dict[str, Article]) -> None:
    """No page is merged for its site's boilerplate; precision and recall are no worse than when they were measured."""
    taken = Counter(pair["label"] for pair in PAIRS if merged(articles[pair["one"]], articles[pair["other"]]))
    labelled = Counter(pair["label"] for pair in PAIRS)
    assert taken["furniture"] == 0
    assert taken["same"] >= (PRECISION - MARGIN) * taken.total(), taken
    assert taken["same"] >= (RECALL - MARGIN) * labelled["same"], taken


def test_pairs_are_of_all_sorts() -> None:
    """At least 100 pairs, none of them twice, with enough of either sort to tell."""
    labelled = Counter(pair["label"] for pair in PAIRS)
    assert labelled.keys() == {"same", "not", "furniture"}
    assert min(labelled.values()) >= 30
    assert len({frozenset((pair["one"], pair["other"])) for pair in PAIRS}) == len(PAIRS) >= 100
