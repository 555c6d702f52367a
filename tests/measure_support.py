"""Measure the check of statements: `python -m tests.measure_support [FILE…] [--out FILE]`.

The pairs of tests/statements.jsonl, each with the passage of articles/ that holds its sentence; and files of QAGS (Wang
et al., 2020), whose statements hold by the majority of three readers. Prints the share that is shown, by kind, what
other lines than `MIN_LOGIT` would show, and the processor time of a statement. Neither was trained on.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bot.generate.support import MIN_LOGIT, Premise, SupportReader, Supports, judge
from index.cleaning.clean import clean
from index.embedding.weights import locate
from index.load import load
from index.models import Failure, Passage, Source
from index.reading.chunk import chunk

PROJECT = Path(__file__).parents[1]
STATEMENTS = PROJECT / "tests" / "statements.jsonl"
_SPLIT_NUMBER = re.compile(r"(?<=\d)([.,]) (?=\d)")  # QAGS writes "235, 000" in its articles
LINES = (-2.0, -1.5, -1.25, -1.0, -0.75, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)  # of the logit


class Example(NamedTuple):
    """A statement, its logit or -inf if a certain rule drops it and why, whether it is true, its kind, and the set."""

    statement: str
    logit: float
    reason: str
    supported: bool
    kind: str
    set: str


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


def own(supports: Supports, every: int = 1) -> Iterator[Example]:
    """Judge every pair of ours, or every ``every``-th."""
    premises = [Premise(passage, "") for passage in passages()]
    for number, line in enumerate(STATEMENTS.read_text(encoding="utf-8").splitlines()):
        if number // 2 % every:
            continue
        row = json.loads(line)
        premise = next(premise for premise in premises if row["sentence"] in premise.passage.text)
        yield _judged(row["statement"], premise, supports, row["supported"], row["kind"], row["half"])


def qags(file: Path, supports: Supports) -> Iterator[Example]:
    """Judge a file of QAGS."""
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        article = _SPLIT_NUMBER.sub(r"\1", row["article"])
        premise = Premise(Passage("p", Source("s", ""), article, 0, len(article), 1.0), "")
        for sentence in row["summary_sentences"]:
            answers = [response["response"] == "yes" for response in sentence["responses"]]
            supported = sum(answers) * 2 > len(answers)
            yield _judged(sentence["sentence"], premise, supports, supported, "statement", file.stem)


def _judged(statement: str, premise: Premise, supports: Supports, supported: bool, *names: str) -> Example:  # noqa: FBT001  # a label
    judgement = judge(statement, [premise], "", frozenset(), supports)
    return Example(statement, judgement.logit + MIN_LOGIT, judgement.reason, supported, *names)


def shown(examples: Sequence[Example], line: float = MIN_LOGIT) -> dict[str, dict[str, float]]:
    """The share of statements that are shown, by kind, and the balanced accuracy."""
    table: dict[str, dict[str, list[bool]]] = {"true": defaultdict(list), "false": defaultdict(list)}
    for example in examples:
        for kind in (example.kind, "all"):
            table["true" if example.supported else "false"][kind].append(example.logit > line)
    shares = {
        side: {kind: round(float(np.mean(values)), 3) for kind, values in sorted(kinds.items())}
        for side, kinds in table.items()
    }
    shares["balanced"] = {"all": round((shares["true"]["all"] + 1 - shares["false"]["all"]) / 2, 3)}
    return shares


def main() -> None:
    """Measure, print the tables, and write the judged statements with `--out`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="*", help="of QAGS")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    supports = SupportReader(locate()).logit
    passages()
    started = time.process_time()
    examples = list(own(supports))
    milliseconds = 1000 * (time.process_time() - started) / len(examples)
    examples += [example for file in arguments.files for example in qags(file, supports)]
    for name in dict.fromkeys(example.set for example in examples):
        rows = [example for example in examples if example.set == name]
        sides = {line: {side: kinds["all"] for side, kinds in shown(rows, line).items()} for line in LINES}
        print(name, len(rows), json.dumps(shown(rows), indent=1), json.dumps(sides))
    print(f"{milliseconds:.0f} ms of processor time a statement")
    if arguments.out:
        arguments.out.write_text(json.dumps([example._asdict() for example in examples], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
