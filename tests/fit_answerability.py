"""Fit the weights of bot/extract/answerability.json: `python -m tests.fit_answerability SET… [--write]`.

SET is a folder with articles.jsonl and queries.jsonl; our own set, tests/questions.jsonl over articles/, is added.
Each question is also asked of one article alone, the one with the answer or else the nearest: in a small collection no
other text is nearer than a near miss. A set's negatives are its unanswerable questions and a sample of other sets'
questions (off-topic). If all of its questions are answerable, they are also asked without the articles that hold the
answer. Held-out balanced accuracy is by weights fitted without the set. Every set weighs the same, and within a set
positives as much as negatives.
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

from bot.evaluation.judge import contains
from bot.extract.answerability import Features
from bot.extract.ranking import Retrieval, rank_sentences
from bot.extract.reader import Reader
from bot.models import Turn
from bot.runtime import make_engine
from bot.settings import Settings
from index.embedding.weights import locate
from index.ingest import ingest
from index.models import Filters, Passage

OFF_TOPIC = 75  # questions from other sets
OFF_TOPIC_WEIGHT = 0.15
PENALTY = 0.01  # L2, on standardised features
PROJECT = Path(__file__).parents[1]
FILE = PROJECT / "bot" / "extract" / "answerability.json"
OWN = "own"
# Chosen between 0, which refuses half of the questions of tests/test_seeds.py, over two articles, and what a free fit
# on large indexes gives (-4 to -7), by which no near miss in a small one is refused (SQuAD, one paragraph: 0 of 140).
INDEX_SIZE_WEIGHT = -1.0
ALONE = ", one article"  # after the name of a set
_INDEX_SIZE = [feature.name for feature in fields(Features)].index("index_size")
Floats = NDArray[np.float64]
_Row = tuple[Retrieval, bool, bool]  # answerable; of another set


class Examples(NamedTuple):
    """Features (questions x features), whether a question is answerable, and whether it is of another set."""

    features: Floats
    answerable: NDArray[np.bool_]
    off_topic: NDArray[np.bool_]


class Weights(NamedTuple):
    """A logistic regression on features that are not standardised."""

    weights: Floats
    intercept: float


def examples(name: str, articles: Path, queries: list[dict[str, Any]], others: list[str]) -> tuple[Examples, Examples]:
    """Compute the features of a set's questions, with a sample of the others; and those of one article each."""
    data = Path(gettempdir()) / "clippings-fit" / name
    ingest(data, [articles], progress=lambda _done, _total: None)
    engine, rows, alone = make_engine(Settings(data=data)), list[_Row](), list[_Row]()
    makes_negatives = all(query["answerable"] for query in queries)
    for query in queries:
        turns = [Turn(turn["role"], turn["text"]) for turn in query.get("history", [])]
        as_of = date.fromisoformat(query["asked"]) if query.get("asked") else None
        whole = engine.retrieve(query["question"], turns=turns, as_of=as_of)
        asked = [(whole, bool(query["answerable"]))]
        asked += [(without_answer(whole, query), False)] if makes_negatives else []
        for retrieval, answerable in asked:
            rows.append((retrieval, answerable, False))
            if article := _article(retrieval, query, answerable=answerable):
                filters = Filters(article=article)
                one = engine.retrieve(query["question"], turns=turns, as_of=as_of, filters=filters)
                alone.append((one, answerable, False))
    rng = random.Random(name)  # noqa: S311  # a sample, no secret
    rows += [(engine.retrieve(text), False, True) for text in rng.sample(others, OFF_TOPIC)]
    engine.close()
    return _examples(rows), _examples(alone)


def _article(retrieval: Retrieval, query: dict[str, Any], *, answerable: bool) -> str | None:
    """The id of the nearest article, of those with the answer if there is one; None if none was found."""
    passages = [candidate.passage for candidate in retrieval.ranked]
    ids = [
        passage.source.id
        for passage in passages
        if not answerable
        or passage.source.id in query.get("relevant", ())
        or any(contains(passage.text, answer) for answer in query.get("answers", ()))
    ]
    return ids[0] if ids else None


def _examples(rows: list[_Row]) -> Examples:
    features, answerable, off_topic = zip(
        *((astuple(Features.of(retrieval)), *row) for retrieval, *row in rows if retrieval.ranked), strict=True
    )
    return Examples(np.array(features), np.array(answerable), np.array(off_topic))


def without_answer(retrieval: Retrieval, query: dict[str, Any]) -> Retrieval:
    """Remove the articles that hold the answer, and any passage with its words, and rank the sentences anew."""

    def answers(passage: Passage) -> bool:
        relevant = passage.source.id in query["relevant"]
        return relevant or any(contains(passage.text, answer) for answer in query["answers"])

    kept = [first for first in retrieval.passages if not any(map(answers, (first, *first.near_duplicates)))]
    ranked = rank_sentences(retrieval.query, kept, reader().read)
    return replace(retrieval, passages=tuple(kept), ranked=ranked)


@cache
def reader() -> Reader:
    """The reader, loaded once."""
    return Reader(locate())


def fit(sets: list[Examples]) -> Weights:
    """Maximise the weighted, penalised likelihood by Newton's method."""
    features = np.vstack([examples.features for examples in sets])
    answerable = np.concatenate([examples.answerable for examples in sets]).astype(float)
    share = np.concatenate([_shares(examples) for examples in sets]) / len(sets)
    features = np.delete(features, _INDEX_SIZE, axis=1)
    mean, deviation = features.mean(0), features.std(0) + 1e-9
    inputs = np.hstack([(features - mean) / deviation, np.ones((len(features), 1))])
    penalty = np.diag([PENALTY] * features.shape[1] + [0.0])
    beta = np.zeros(inputs.shape[1])
    for _ in range(100):
        probability = 1 / (1 + np.exp(-inputs @ beta))
        gradient = inputs.T @ (share * (probability - answerable)) + penalty @ beta
        hessian = (inputs * (share * probability * (1 - probability))[:, None]).T @ inputs + penalty
        step = np.linalg.solve(hessian, gradient)
        beta -= step / max(1.0, float(np.abs(step).max()))  # damped: far from the end a whole step may overshoot
    weights = beta[:-1] / deviation
    # It does not move what is fitted, which is right for a full index.
    weights, intercept = np.insert(weights, _INDEX_SIZE, INDEX_SIZE_WEIGHT), float(beta[-1] - weights @ mean)
    return Weights(weights, intercept - INDEX_SIZE_WEIGHT)


def score(weights: Weights, examples: Examples) -> dict[str, float]:
    """Compute the accuracy on positives, near and off-topic negatives, and the mean of the first two."""
    answered = examples.features @ weights.weights + weights.intercept >= 0
    groups = {
        "answered": answered[examples.answerable],
        "refused": ~answered[~examples.answerable & ~examples.off_topic],
        "off_topic": ~answered[examples.off_topic],
    }
    scores = {name: round(float(right.mean()), 3) for name, right in groups.items() if right.size}
    if "refused" in scores:
        scores["balanced"] = round((scores["answered"] + scores["refused"]) / 2, 3)
    return scores


def _shares(examples: Examples) -> Floats:
    share = np.zeros(len(examples.features))
    near = ~examples.answerable & ~examples.off_topic
    off = OFF_TOPIC_WEIGHT if near.any() else 0.5
    for group, weight in ((examples.answerable, 0.5), (near, 0.5 - off), (examples.off_topic, off)):
        if group.any():
            share[group] = weight / group.sum()
    return share


def _without(sets: Mapping[str, Examples], left_out: str) -> list[Examples]:
    return [examples for name, examples in sets.items() if name.removesuffix(ALONE) != left_out.removesuffix(ALONE)]


def _read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Fit, print the weights with their held-out accuracy, and write them with `--write`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}")
    arguments = parser.parse_args()
    places = {OWN: (PROJECT / "articles", PROJECT / "tests" / "questions.jsonl")}
    places |= {folder.name: (folder / "articles.jsonl", folder / "queries.jsonl") for folder in arguments.sets}
    queries = {name: _read(file) for name, (_, file) in places.items()}
    sets = {}
    for name, (articles, _) in places.items():
        foreign = [query for other in queries if other != name for query in queries[other]]
        others = [query["question"] for query in foreign if not query.get("history")]
        sets[name], sets[name + ALONE] = examples(name, articles, queries[name], others)
    held_out = {name: score(fit(_without(sets, name)), sets[name]) for name in sets}
    weights = fit(list(sets.values()))
    names = [feature.name for feature in fields(Features)]
    fitted = {
        "provenance": {
            "script": "python -m tests.fit_answerability",
            "date": f"{date.today()}",  # noqa: DTZ011  # the user's day
            "method": f"logistic regression, L2 {PENALTY} on standardised features; each set weighs the same",
            "questions": {name: len(sets[name].features) for name in sets},
            "held_out": held_out,
        },
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
