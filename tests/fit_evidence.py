"""Fit the weights of bot/extract/answerability.json: `python -m tests.fit_evidence SET… [--write]`.

Each SET is a folder of articles.jsonl and queries.jsonl; our own, tests/questions.jsonl over articles/, is always
among them. The questions of each are asked, and some of the other sets, which its articles do not answer. Where a set
has an answer for each question, each is asked once more without the articles that hold it. The balanced accuracy on
each set comes from weights that were fitted without it. Every set weighs the same, and in it the answerable as much as
the others.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping
from dataclasses import astuple, fields, replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.evaluation.metrics import contains
from bot.extract.answerability import Features
from bot.extract.ranking import Retrieval, rank_sentences
from bot.extract.reader import Reader
from bot.models import Turn
from bot.runtime import make_engine
from bot.settings import Settings
from index.embed import Embedder
from index.ingest import ingest
from index.models import Passage
from index.weights import locate

OFF_TOPIC = 75  # questions from other sets
OFF_TOPIC_WEIGHT = 0.15
PENALTY = 0.01  # L2, on standardised signs
PROJECT = Path(__file__).parents[1]
FILE = PROJECT / "bot" / "extract" / "answerability.json"
OWN = "own"
Floats = NDArray[np.float64]


class Examples(NamedTuple):
    """Features (questions x signs), whether each is answerable, and whether it is from another set."""

    signs: Floats
    answerable: NDArray[np.bool_]
    foreign: NDArray[np.bool_]


class Weights(NamedTuple):
    """A logistic regression on the signs as they are."""

    weights: Floats
    intercept: float


def examples(name: str, articles: Path, queries: list[dict[str, Any]], others: list[str]) -> Examples:
    """Index a set and read the signs of its questions, and of some of others."""
    data = Path(gettempdir()) / "clippings-fit" / name
    ingest(data, [articles], progress=lambda _done, _total: None)
    engine, rows = make_engine(Settings(data=data)), list[tuple[Retrieval, bool, bool]]()
    for query in queries:
        turns = [Turn(turn["role"], turn["text"]) for turn in query.get("history", [])]
        as_of = date.fromisoformat(query["asked"]) if query.get("asked") else None
        retrieval = engine.retrieve(query["question"], turns=turns, as_of=as_of)
        rows.append((retrieval, bool(query["answerable"]), False))
    if all(query["answerable"] for query in queries):
        rows += [
            (without_answer(found, query), False, False) for (found, _, _), query in zip(rows, queries, strict=True)
        ]
    rng = random.Random(name)  # noqa: S311  # a sample, no secret
    rows += [(engine.retrieve(text), False, True) for text in rng.sample(others, OFF_TOPIC)]
    engine.close()
    signs, answerable, foreign = zip(
        *((astuple(Features.of(found)), *row) for found, *row in rows if found.ranked), strict=True
    )
    return Examples(np.array(signs), np.array(answerable), np.array(foreign))


def without_answer(retrieval: Retrieval, query: dict[str, Any]) -> Retrieval:
    """What would have been found without the articles that hold the answer, and any other text that has its words."""
    embedder, reader = models()

    def tells(passage: Passage) -> bool:
        return passage.source.id in query["relevant"] or any(contains(passage.text, each) for each in query["answers"])

    kept = [one for one in retrieval.passages if not any(tells(told) for told in (one, *one.near_duplicates))]
    ranked = rank_sentences(retrieval.query, kept, embedder.passages, reader.read)
    return replace(retrieval, passages=tuple(kept), ranked=ranked)


@cache
def models() -> tuple[Embedder, Reader]:
    """The embedding model and the reader, loaded once."""
    return Embedder(locate()), Reader(locate())


def fit(sets: list[Examples]) -> Weights:
    """Newton's method on the weighted, penalised likelihood."""
    signs = np.vstack([each.signs for each in sets])
    answerable = np.concatenate([each.answerable for each in sets]).astype(float)
    share = np.concatenate([_shares(each) for each in sets]) / len(sets)
    mean, deviation = signs.mean(0), signs.std(0) + 1e-9
    inputs = np.hstack([(signs - mean) / deviation, np.ones((len(signs), 1))])
    penalty = np.diag([PENALTY] * signs.shape[1] + [0.0])
    beta = np.zeros(inputs.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-inputs @ beta))
        gradient = inputs.T @ (share * (likely - answerable)) + penalty @ beta
        hessian = (inputs * (share * likely * (1 - likely))[:, None]).T @ inputs + penalty
        beta -= np.linalg.solve(hessian, gradient)
    weights = beta[:-1] / deviation
    return Weights(weights, float(beta[-1] - weights @ mean))


def score(weights: Weights, of: Examples) -> dict[str, float]:
    """The shares that are right: answered, refused, refused off-topic, and the mean of the first two."""
    says = of.signs @ weights.weights + weights.intercept >= 0
    groups = {
        "answered": says[of.answerable],
        "refused": ~says[~of.answerable & ~of.foreign],
        "off_topic": ~says[of.foreign],
    }
    scores = {name: round(float(right.mean()), 3) for name, right in groups.items() if right.size}
    if "refused" in scores:
        scores["balanced"] = round((scores["answered"] + scores["refused"]) / 2, 3)
    return scores


def _shares(of: Examples) -> Floats:
    share = np.zeros(len(of.signs))
    near = ~of.answerable & ~of.foreign
    off = OFF_TOPIC_WEIGHT if near.any() else 0.5
    for group, weight in ((of.answerable, 0.5), (near, 0.5 - off), (of.foreign, off)):
        if group.any():
            share[group] = weight / group.sum()
    return share


def _without(sets: Mapping[str, Examples], left_out: str) -> list[Examples]:
    return [each for name, each in sets.items() if name != left_out]


def _read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Fit, print how well the weights carry over, and write them where that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}")
    arguments = parser.parse_args()
    places = {OWN: (PROJECT / "articles", PROJECT / "tests" / "questions.jsonl")}
    places |= {folder.name: (folder / "articles.jsonl", folder / "queries.jsonl") for folder in arguments.sets}
    queries = {name: _read(file) for name, (_, file) in places.items()}
    sets = {}
    for name, (articles, _) in places.items():
        foreign = [query for other, asked in queries.items() if other != name for query in asked]
        others = [query["question"] for query in foreign if not query.get("history")]
        sets[name] = examples(name, articles, queries[name], others)
    held_out = {name: score(fit(_without(sets, name)), each) for name, each in sets.items()}
    weights = fit(list(sets.values()))
    names = [sign.name for sign in fields(Features)]
    fitted = {
        "made_by": "python -m tests.fit_evidence, a logistic regression; see there",
        "sets": {name: len(each.signs) for name, each in sets.items()},
        "without_the_set_itself": held_out,
        "threshold": 0.5,
        "intercept": round(weights.intercept, 4),
        "weights": {name: round(float(weight), 4) for name, weight in zip(names, weights.weights, strict=True)},
    }
    text = json.dumps(fitted, indent=2) + "\n"
    print(text)
    if arguments.write:
        FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
