"""Fit the weights of bot/generate/support.json: `python -m tests.fit_support ARTICLES.json [--measure SET…] [--write]`.

The examples are the half of tests/statements.jsonl for tuning, and statements made by rule (tests/near_misses.py, and
here) from the articles of a JSON list of objects with an "article", such as dataminr-ai/BUMP's data/task1_dataset.json
(MIT). Every count of `bot.generate.edit` that speaks against a statement has a weight of at most 0. A SET is a file of
QAGS (Wang et al., 2020), whose statements hold by the majority of three readers: measured, and never fitted.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.generate.support import Premise, edits
from index.chunk import chunk
from index.clean import clean
from index.load import load
from index.models import Failure, Passage, Source
from index.text import sentences
from tests.near_misses import HONEST, statements

PROJECT = Path(__file__).parents[1]
FILE = PROJECT / "bot" / "generate" / "support.json"
STATEMENTS = PROJECT / "tests" / "statements.jsonl"
SHARES = {"tuning": 1.0, "edited": 0.5, "fused": 0.5}  # of the sets in the loss; within a set, of true and false a half
PENALTY, STEPS = 0.005, 3_000
CERTAIN = {
    "exact_put_in": -20.0,
    "bound": -20.0,
    "unasked": -20.0,
    "foreign": -20.0,
}  # set by hand: nothing outweighs them
FOR = frozenset(("turned",))  # what speaks for a statement
MAX_ARTICLES, MAX_SENTENCES = 400, 3
MIN_WORDS, MAX_WORDS = 8, 35  # of a sentence that statements are made from
INVENTED_SHARE = 0.3
Floats = NDArray[np.float64]


class Example(NamedTuple):
    """A statement's counts, whether it is true, its kind, the set, and what it was made from."""

    counts: dict[str, float]
    supported: bool
    kind: str
    set: str
    group: str


@cache
def passages() -> tuple[Passage, ...]:
    """Cut articles/ into the passages that the index would hold."""
    made = []
    for file in sorted((PROJECT / "articles").iterdir()):
        for record in load([file]):
            if isinstance(record, Failure):
                raise TypeError(record)
            article = clean(record)
            made += [
                Passage(
                    article.source.id,
                    article.source,
                    article.body[piece.start : piece.end],
                    piece.start,
                    piece.end,
                    1.0,
                )
                for piece in chunk(article)
            ]
    return tuple(made)


def own() -> Iterator[Example]:
    """Read our own pairs, each with the passage of articles/ that holds its sentence."""
    premises = [Premise(passage, "") for passage in passages()]
    for line in STATEMENTS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        premise = next(premise for premise in premises if row["sentence"] in premise.passage.text)
        yield Example(edits(row["statement"], [premise]), row["supported"], row["kind"], row["half"], row["sentence"])


def made(articles: Sequence[str], rng: random.Random) -> Iterator[Example]:
    """Make statements by rule: one edit, two sentences joined, halves of two sentences fused, a detail invented."""
    for article in articles:
        texts = [article[start:end] for start, end in sentences(article)]
        whole = [
            text
            for text in texts
            if MIN_WORDS <= len(text.split()) <= MAX_WORDS and text.endswith(".") and '"' not in text
        ]
        if len(whole) < 2:  # a sentence and another
            continue
        premise = Premise(Passage("p", Source("s", ""), article, 0, len(article), 1.0), "")
        for text in rng.sample(whole, min(MAX_SENTENCES, len(whole))):
            others = [other for other in whole if other != text]
            rows = [(made.text, made.supported, made.kind, "edited") for made in statements(text, others, rng)]
            rows += [(*row, "fused") for row in _fused(text, others, rng, rng.choice(articles))]
            after = texts.index(text) + 1
            if after < len(texts) and texts[after] in whole:
                rows.append(
                    (f"{text[:-1]}{rng.choice((', and ', ', while ', ' and '))}{texts[after]}", True, "joined", "fused")
                )
            for statement, supported, kind, name in rows:
                yield Example(edits(statement, [premise]), supported, kind, name, article)


def _fused(text: str, others: Sequence[str], rng: random.Random, elsewhere: str) -> Iterator[tuple[str, bool, str]]:
    """Yield a shortened sentence, halves of two sentences as one, and at times words of another article put in."""

    def cut(words: Sequence[str]) -> int:
        return rng.randint(max(2, len(words) // 4), max(3, 3 * len(words) // 4))

    words, others_words, foreign = text.split(), rng.choice(others).split(), elsewhere.split()
    yield HONEST["aside dropped"](text, [], rng) or HONEST["tail dropped"](text, [], rng) or text, True, "shortened"
    yield " ".join([*words[: cut(words)], *others_words[cut(others_words) :]]), False, "fused"
    if rng.random() < INVENTED_SHARE:
        place, start = rng.randrange(2, len(words)), rng.randrange(max(1, len(foreign) - 4))
        inside = [word for word in foreign[start:] if word.islower() and word.isalpha() and len(word) > 4][:1]
        tail = f" {rng.choice(('in', 'with', 'for', 'after'))} {' '.join(foreign[start : start + 4]).strip('.,')}."
        at_end = rng.random() < 0.5
        yield text[:-1] + tail if at_end else " ".join([*words[:place], *inside, *words[place:]]), False, "invented"


def qags(file: Path) -> Iterator[Example]:
    """Read a file of QAGS."""
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        premise = Premise(Passage("p", Source("s", ""), row["article"], 0, len(row["article"]), 1.0), "")
        for sentence in row["summary_sentences"]:
            answers = [response["response"] == "yes" for response in sentence["responses"]]
            supported = sum(answers) * 2 > len(answers)
            yield Example(edits(sentence["sentence"], [premise]), supported, "statement", file.stem, row["article"])


def inputs(examples: Sequence[Example], names: Sequence[str]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the counts (statements x names), and whether each statement is true."""
    counts = [[example.counts.get(name, 0.0) for name in names] for example in examples]
    return np.array(counts), np.array([example.supported for example in examples])


def fit(examples: Sequence[Example], names: Sequence[str]) -> tuple[Floats, float]:
    """Maximise the weighted, penalised likelihood by accelerated projected gradients; return weights and intercept."""
    features, supported = inputs(examples, names)
    sets = np.array([example.set for example in examples])
    share = np.zeros(len(examples))
    for name, weight in SHARES.items():
        for group in (supported, ~supported):
            chosen = (sets == name) & group
            share[chosen] = weight / max(1, chosen.sum())
    share /= share.sum()
    mean, deviation = features.mean(0), features.std(0) + 1e-9
    matrix = np.hstack([(features - mean) / deviation, np.ones((len(examples), 1))])
    penalty = np.array([PENALTY] * len(names) + [0.0])
    low = np.array([0.0 if name in FOR else -np.inf for name in names] + [-np.inf])
    high = np.array([np.inf if name in FOR else 0.0 for name in names] + [np.inf])
    rate = 1 / (0.25 * np.linalg.norm(matrix * np.sqrt(share)[:, None], 2) ** 2 + PENALTY)
    beta = ahead = np.zeros(len(names) + 1)
    momentum = 1.0
    for _ in range(STEPS):
        gradient = matrix.T @ (share * (1 / (1 + np.exp(-matrix @ ahead)) - supported)) + penalty * ahead
        following = np.clip(ahead - rate * gradient, low, high)
        momentum, before = (1 + np.sqrt(1 + 4 * momentum**2)) / 2, momentum
        ahead = following + (before - 1) / momentum * (following - beta)
        beta = following
    weights = beta[:-1] / deviation
    return weights, float(beta[-1] - weights @ mean)


def shown(examples: Sequence[Example], weights: dict[str, float], intercept: float) -> dict[str, dict[str, float]]:
    """The share of statements that are shown, by kind, and the balanced accuracy."""
    table: dict[str, dict[str, list[bool]]] = {"true": defaultdict(list), "false": defaultdict(list)}
    for example in examples:
        logit = intercept + sum(weights[name] * count for name, count in example.counts.items())
        for kind in (example.kind, "all"):
            table["true" if example.supported else "false"][kind].append(logit > 0)
    shares = {
        side: {kind: round(float(np.mean(values)), 3) for kind, values in sorted(kinds.items())}
        for side, kinds in table.items()
    }
    shares["balanced"] = {"all": round((shares["true"]["all"] + 1 - shares["false"]["all"]) / 2, 3)}
    return shares


def main() -> None:
    """Fit, print the table, and write the weights with `--write`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("articles", type=Path)
    parser.add_argument("--measure", nargs="*", type=Path, default=[])
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}")
    arguments = parser.parse_args()
    rng = random.Random(7)  # noqa: S311  # a sample, no secret
    articles = sorted({row["article"] for row in json.loads(arguments.articles.read_text(encoding="utf-8"))})
    examples = [*own(), *made(rng.sample(articles, min(MAX_ARTICLES, len(articles))), rng)]
    fitted = json.loads(FILE.read_text(encoding="utf-8"))
    names = [name for name in fitted["counts"] if name not in CERTAIN]
    training = [
        one for one in examples if one.set in SHARES and not CERTAIN.keys() & {n for n in one.counts if one.counts[n]}
    ]
    values, intercept = fit(training, names)
    weights = CERTAIN | {name: round(float(value), 3) for name, value in zip(names, values, strict=True)}
    sets = {name: [one for one in examples if one.set == name] for name in (*SHARES, "held_out")}
    sets |= {file.stem: list(qags(file)) for file in arguments.measure}
    tables = {name: shown(rows, weights, intercept) for name, rows in sets.items()}
    print(json.dumps(tables, indent=1))
    for name, count in fitted["counts"].items():
        count["weight"] = weights[name]
    fitted["intercept"] = round(intercept, 3)
    fitted["provenance"] = {
        "script": "python -m tests.fit_support",
        "date": f"{date.today()}",  # noqa: DTZ011  # the user's day
        "method": f"logistic regression, L2 {PENALTY} on standardised counts, signs given; each set's share: {SHARES}",
        "statements": {name: len(rows) for name, rows in sets.items()},
        "shown": {name: {side: kinds["all"] for side, kinds in table.items()} for name, table in tables.items()},
    }
    if arguments.write:
        FILE.write_text(json.dumps(fitted, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
