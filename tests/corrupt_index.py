"""Damage an index and look at what the commands do: ``python -m tests.corrupt_index 40``.

Each case damages one thing in a copy of a good index, then runs `status`, `ask`, `index`, `ask` in processes. It passes
if nothing crashes or ends in a traceback, no quote differs from the articles, `status` does not call good what `ask`
cannot use, and the answers after `index` are those before the damage. Half of the cases are of a small index, whose
vectors are in Chroma's log, half of one so large that they are in files of its own, on which Chroma crashes.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.storage.generation import current

ROOT = Path(__file__).parents[1]
LARGE = 1_000  # small articles; with fewer vectors Chroma has not written its files
QUESTIONS = (
    "How many people visited the library on its first Sundays?",
    "How many people were killed in the Kerman attack?",
    "Who won the Leverkusen match?",
)
COMMANDS = """
import bot.cli.parser, json, sys
sys.exit(max([bot.cli.parser.main(command) for command in json.loads(sys.argv[1])]))
"""
Damage = Callable[[Path, random.Random], str]


@dataclass(frozen=True, slots=True)
class Process:
    """What a process ended with."""

    code: int
    out: str
    err: str

    @property
    def crashed(self) -> bool:
        """Whether it was killed by a signal, or ended in a traceback."""
        return self.code < 0 or "Traceback" in self.err

    @property
    def outcome(self) -> str:
        """In one or two words."""
        return f"signal {-self.code}" if self.code < 0 else "traceback" if self.crashed else f"exit {self.code}"


Run = Callable[[list[list[str]]], Process]
"""Run commands, each after the other, in one process."""


@dataclass(frozen=True, slots=True)
class Good:
    """An index without damage, its answers, and how commands on it are run."""

    data: Path
    articles: Path
    answers: dict[str, list[str]]
    texts: str
    run: Run


@dataclass(frozen=True, slots=True)
class Result:
    """What happened in a case; ``wrong`` names what should not have."""

    damage: str
    status: str
    ask: str
    index: str
    wrong: tuple[str, ...]


def build(folder: Path, small_articles: int = 0, *, pattern: str = "*", run: Run | None = None) -> Good:
    """Index the articles of this project whose file names match, and so many of one sentence."""
    articles = folder / "articles"
    articles.mkdir(parents=True)
    for file in (ROOT / "articles").glob(pattern):
        shutil.copy(file, articles)
    if small_articles:
        lines = (
            json.dumps({"id": f"n{i}", "title": f"Note {i}", "text": f"Bench {i} was painted."})
            for i in range(small_articles)
        )
        (articles / "many.jsonl").write_text("\n".join(lines), encoding="utf-8")
    data, run = folder / "data", run or _run
    indexed = run([clippings(data, "index", articles)])
    assert indexed.code == 0, indexed.err
    asked = run(ask(data))
    assert asked.code == 0, asked.err
    with closing(sqlite3.connect(generation(data) / "catalogue.sqlite")) as database:
        texts = " ".join(row[0] for row in database.execute("SELECT body FROM articles"))
    assert len(answers(asked)) == len(QUESTIONS)
    return Good(data, articles, answers(asked), _spaced(texts), run)


def case(good: Good, folder: Path, damage: Damage, chance: random.Random) -> Result:
    """Damage a copy of a good index, and run the commands on it."""
    data = shutil.copytree(good.data, folder / "data")
    name = damage(generation(data), chance)
    status, before = good.run([clippings(data, "status")]), good.run(ask(data))
    index, after = good.run([clippings(data, "index", good.articles)]), good.run(ask(data))
    shutil.rmtree(data)
    works = answers(before) == good.answers
    wrong = {
        "a crash": any(process.crashed for process in (status, before, index, after)),
        "a wrong quote": any(_spaced(quote) not in good.texts for found in answers(before).values() for quote in found),
        "other answers without a word": not works and not before.err.strip(),
        "status good, ask not": status.code == 0 and not works,
        "index failed": index.code != 0,
        "not repaired": answers(after) != good.answers,
    }
    said = "as before" if works and not before.crashed else before.outcome if before.crashed else "said"
    return Result(
        name, status.outcome, said, index.outcome, tuple(fault for fault, happened in wrong.items() if happened)
    )


def clippings(data: Path, *arguments: object) -> list[str]:
    """The arguments of a command."""
    return ["--data", str(data), *map(str, arguments)]


def ask(data: Path) -> list[list[str]]:
    """The commands that ask all questions."""
    return [clippings(data, "ask", "--json", question) for question in QUESTIONS]


def _run(commands: list[list[str]]) -> Process:
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PRODUCT", str(ROOT)), "CLIPPINGS_LLM": ""}
    command = [sys.executable, "-c", COMMANDS, json.dumps(commands)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    return Process(done.returncode, done.stdout, done.stderr)


def answers(asked: Process) -> dict[str, list[str]]:
    """The quotes of the answers, by their texts."""
    found = map(json.loads, re.findall(r"^\{.*?^\}", asked.out, flags=re.MULTILINE | re.DOTALL))
    return {answer["text"]: [citation["quote"] for citation in answer["citations"]] for answer in found}


def generation(data: Path) -> Path:
    """The folder of the generation in use."""
    folder = current(data)
    assert folder
    return folder


# --- Damage


def in_file(pattern: str, name: str, change: Callable[[bytes, random.Random], bytes]) -> Damage:
    """Change the content of a file."""

    def damage(folder: Path, chance: random.Random) -> str:
        file = chance.choice(sorted(folder.glob(pattern)))
        file.write_bytes(change(file.read_bytes(), chance))
        return f"{file.name}: {name}"

    return damage


def flipped(content: bytes, chance: random.Random, count: int = 1) -> bytes:
    """Change so many bytes at random places."""
    changed = bytearray(content)
    for _ in range(count if content else 0):
        changed[chance.randrange(len(changed))] ^= chance.randrange(1, 256)
    return bytes(changed)


def missing(pattern: str) -> Damage:
    """Remove a file or a folder."""

    def damage(folder: Path, chance: random.Random) -> str:
        target = chance.choice(sorted(folder.glob(pattern)))
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        return f"{target.name}: missing"

    return damage


def a_folder(pattern: str) -> Damage:
    """Put a folder in the place of a file."""

    def damage(folder: Path, chance: random.Random) -> str:
        target = chance.choice(sorted(folder.glob(pattern)))
        target.unlink()
        target.mkdir()
        return f"{target.name}: a folder"

    return damage


def swapped(one: str, other: str) -> Damage:
    """Swap two files."""

    def damage(folder: Path, _: random.Random) -> str:
        (first,), (second,) = folder.glob(one), folder.glob(other)
        content = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(content)
        return f"{first.name} and {second.name}: swapped"

    return damage


def sql(statement: str) -> Damage:
    """Change the catalogue by SQL."""

    def damage(folder: Path, _: random.Random) -> str:
        with closing(sqlite3.connect(folder / "catalogue.sqlite")) as database:
            database.execute(statement)
            database.commit()
        return f"catalogue.sqlite: {statement}"

    return damage


def digit(folder: Path, _: random.Random) -> str:
    """Change a digit of a sentence that is quoted."""
    file = folder / "catalogue.sqlite"
    content = file.read_bytes()
    assert b"average of 612 people" in content
    file.write_bytes(content.replace(b"average of 612 people", b"average of 912 people"))
    return "catalogue.sqlite: 612 became 912"


def unrecorded(damage: Damage) -> Damage:
    """Damage what a killed run has left: no checksums."""

    def both(folder: Path, chance: random.Random) -> str:
        (folder / "checksums.json").unlink(missing_ok=True)
        return damage(folder, chance) + ", no checksums"

    return both


def _changes(pattern: str) -> list[Damage]:
    return [
        in_file(pattern, "a byte", flipped),
        in_file(pattern, "64 bytes", lambda content, chance: flipped(content, chance, 64)),
        in_file(pattern, "cut", lambda content, chance: content[: chance.randrange(1, len(content))]),
        in_file(pattern, "empty", lambda _content, _chance: b""),
        in_file(pattern, "random", lambda content, chance: chance.randbytes(len(content))),
        missing(pattern),
        a_folder(pattern),
    ]


SMALL_CASES: list[Damage] = [
    digit,
    unrecorded(digit),
    *_changes("catalogue.sqlite"),
    *_changes("vectors/chroma.sqlite3"),
    *_changes("checksums.json"),
    missing("vectors"),
    swapped("catalogue.sqlite", "vectors/chroma.sqlite3"),
    unrecorded(sql("ALTER TABLE articles RENAME COLUMN body TO text")),
    unrecorded(sql("DROP TABLE lexical")),
    unrecorded(sql("ALTER TABLE meta RENAME TO notes")),
    unrecorded(sql("UPDATE articles SET published = 'soon'")),
]
SEGMENT = "vectors/*/*.*"
LARGE_CASES: list[Damage] = [
    in_file("vectors/*/header.bin", "random", lambda content, chance: chance.randbytes(len(content))),
    in_file("vectors/*/data_level0.bin", "64 bytes", lambda content, chance: flipped(content, chance, 64)),
    in_file("vectors/*/link_lists.bin", "random", lambda content, chance: chance.randbytes(len(content))),
    swapped("vectors/*/length.bin", "vectors/*/link_lists.bin"),
    missing("vectors/*/index_metadata.pickle"),
    unrecorded(in_file("vectors/*/header.bin", "random", lambda content, chance: chance.randbytes(len(content)))),
    unrecorded(in_file("vectors/*/link_lists.bin", "random", lambda content, chance: chance.randbytes(len(content)))),
    missing("vectors/*-*"),
    *_changes(SEGMENT),
]


def corrupt(folder: Path, cases: int, seed: int = 1) -> Iterator[Result]:
    """Run so many cases: all of the small index first, then of the large one, again and again."""
    chance = random.Random(seed)  # noqa: S311  # not for a secret
    small, large = build(folder / "small"), None
    for i in range(cases):
        number = i % (len(SMALL_CASES) + len(LARGE_CASES))
        if number < len(SMALL_CASES):
            yield case(small, folder, SMALL_CASES[number], chance)
        else:
            large = large or build(folder / "large", LARGE)
            yield case(large, folder, LARGE_CASES[number - len(SMALL_CASES)], chance)


def _spaced(text: str) -> str:
    return " ".join(text.split())


def main(cases: int) -> int:
    """Print a table; the exit code is 1 if a case went wrong."""
    failed = 0
    print("| damage | status | ask | index | wrong |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for result in corrupt(Path(scratch), cases):
            failed += bool(result.wrong)
            row: list[Any] = [result.damage, result.status, result.ask, result.index, ", ".join(result.wrong)]
            print("|", " | ".join(row), "|", flush=True)
    print(f"{cases} cases, {failed} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else len(SMALL_CASES) + len(LARGE_CASES)))
