"""Search hostile texts with every regular expression of the product: ``python -m tests.hostile_patterns``.

The texts of a pattern are made of what its own branches match, whole and in halves, again and again to 2,000
characters: as long as a question or a passage may be, and longer than a line that is looked at for boilerplate. A
pattern that backtracks exponentially never ends on some of them; the others take milliseconds.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import signal
import sys
import time
from collections.abc import Iterator
from re import _parser  # type: ignore[attr-defined]  # undocumented, and nothing documented parses a pattern
from typing import Any

import bot
import index
import prompts

CHARACTERS = 2_000
MAX_SECONDS = 2.0  # of the processor
MAX_MOTIFS = 200  # a pattern
MAX_VARIANTS = 12
_SAMPLES = {"DIGIT": "1", "WORD": "a", "SPACE": " "}


def patterns() -> dict[re.Pattern[str], str]:
    """The patterns in the modules of the product, and the name of each."""
    found: dict[re.Pattern[str], str] = {}

    def add(value: object, name: str) -> None:
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
            found.setdefault(value, name)
        elif isinstance(value, list | tuple | dict):
            for item in value.values() if isinstance(value, dict) else value:
                add(item, name)

    for package in (bot, index, prompts):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                for name, value in vars(importlib.import_module(module.name)).items():
                    add(value, f"{module.name}.{name}")
    return found


def matches(tree: Any, depth: int = 0) -> list[str]:  # the parser has no public type
    """A few texts that a part of a pattern matches, roughly."""
    texts = [""]
    for operation, value in tree:
        name = str(operation)
        parts = [""]
        if name == "LITERAL":
            parts = [chr(value)]
        elif name in {"ANY", "NOT_LITERAL"}:
            parts = ["x"]
        elif name == "IN":
            parts = [_of_class(*value[0])]
        elif name.endswith("_REPEAT"):
            least, _, inner = value
            parts = ([""] if least == 0 else []) + [text * max(least, 1) for text in matches(inner, depth + 1)[:2]]
        elif name == "SUBPATTERN":
            parts = matches(value[3], depth + 1)
        elif name == "ATOMIC_GROUP":
            parts = matches(value, depth + 1)
        elif name == "BRANCH":
            parts = [matches(branch, depth + 1)[0] for branch in value[1]][:MAX_VARIANTS]
        texts = [text + part for text in texts for part in parts[:MAX_VARIANTS]][: 2 * MAX_VARIANTS]
    return texts


def _of_class(operation: object, value: Any) -> str:  # as above
    name = str(operation)
    if name in {"LITERAL", "RANGE"}:
        return chr(value if name == "LITERAL" else value[0])
    return _SAMPLES.get(str(value).rpartition("_")[2], "-") if name == "CATEGORY" and "NOT" not in str(value) else "x"


def parts(tree: Any) -> Iterator[Any]:  # as above
    """A pattern, and each of its branches and repeated parts."""
    yield tree
    for operation, value in tree:
        name = str(operation)
        inner = value[1] if name == "BRANCH" else [value[3]] if name == "SUBPATTERN" else []
        for part in [value[2]] if name.endswith("_REPEAT") else inner:
            yield from parts(part)


def motifs(pattern: str) -> list[str]:
    """What the texts of a pattern are made of."""
    found = {" ", "\t", "\n", "a", "1", "a b ", "1,", "(", "[", ". "}
    for part in parts(_parser.parse(pattern)):
        for text in matches(part):
            half = text[: len(text) // 2]
            found |= {text, f"{text} ", f" {text}", text[:-1], half, f"{half} ", f"{text}x"}
    ordered = sorted(motif for motif in found if motif)
    return ordered[:: len(ordered) // MAX_MOTIFS + 1]


def seconds(pattern: re.Pattern[str], motif: str) -> float:
    """The processor's seconds that a search takes, at most MAX_SECONDS."""
    text = (motif * CHARACTERS)[:CHARACTERS] + "\n!"
    signal.setitimer(signal.ITIMER_VIRTUAL, MAX_SECONDS)
    started = time.process_time()
    try:
        pattern.search(text)
        pattern.match(text)
    except TimeoutError:
        return MAX_SECONDS
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - started


def main() -> int:
    """Print the slowest texts; the exit code is 1 if one took too long."""

    def ring(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGVTALRM, ring)
    count, slowest, wrong = 0, 0.0, 0
    found = patterns()
    for pattern, name in found.items():
        for motif in motifs(pattern.pattern):
            count += 1
            taken = seconds(pattern, motif)
            slowest = max(slowest, taken)
            if taken >= MAX_SECONDS:
                wrong += 1
                print(f"{name}: {motif!r} again and again takes longer than {MAX_SECONDS:g} s", flush=True)
                break
    print(f"{len(found)} patterns, {count} texts, {wrong} wrong; at most {slowest:.2f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
