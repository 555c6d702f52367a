"""`clippings eval --compare OTHER.json`: an earlier output of `--json` beside this run, question by question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from bot.evaluation.metrics import FailureStage, Metric, format_value, mean
from bot.evaluation.questions import first_error
from bot.models import REFUSAL
from bot.plain_text import one_line
from index.models import ClippingsError

GROUPS = ("retrieval", "answers", "citations", "refusal", "right", "time")
_MAX_SHOWN_CHARACTERS = 240  # of an answer, in the terminal

_Values = dict[tuple[str, str], float]


class Value(BaseModel):
    """A metric without its interval."""

    value: FiniteFloat


class Row(BaseModel):
    """A question of a run. Another version may have written it: everything but the id may be missing."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    id: str
    question: str = ""
    answerable: bool | None = None
    answered: bool | None = None
    text: str = ""
    refusal: str | None = None
    rank: int | None = None
    fate: str | None = None
    found: bool | None = None
    strict: bool | None = None
    supported: bool | None = None

    @property
    def right(self) -> bool | None:
        """Whether the answer, or the refusal, was right; None if unknown."""
        if self.fate is not None:
            return None if self.fate == FailureStage.NOT_JUDGED else self.fate == FailureStage.RIGHT
        if self.answerable is False:
            return None if self.answered is None else not self.answered
        return next((value for value in (self.strict, self.found, self.supported) if value is not None), None)

    @property
    def shown_text(self) -> str:
        """What a reader sees."""
        return self.text if self.refusal is None else f"{REFUSAL} {self.refusal}"

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {"right": self.right, "fate": self.fate, "rank": self.rank, "said": self.shown_text}


class _Attacks(BaseModel):
    all: dict[str, Value] = {}


class Run(BaseModel):
    """An output of `clippings eval --json`."""

    retrieval: dict[str, Value] = {}
    answers: dict[str, Value] = {}
    citations: dict[str, Value] = {}
    refusal: dict[str, Value] = {}
    right: dict[str, Value] = {}
    time: dict[str, Value] = {}
    attacks: _Attacks = _Attacks()
    questions: tuple[Row, ...]

    def values(self) -> _Values:
        """The metrics by group and name."""
        groups = {**{group: getattr(self, group) for group in GROUPS}, "attacks": self.attacks.all}
        return {(group, name): metric.value for group, named in groups.items() for name, metric in named.items()}


class Change(StrEnum):
    """What changed in the answer to a question."""

    GAINED = "gained"
    LOST = "lost"
    OTHER = "other text"
    SAME = "same"


class Pair(NamedTuple):
    """A question in both runs."""

    change: Change
    before: Row
    now: Row


class Sides(NamedTuple):
    """A metric in both runs; None if a run lacks it."""

    before: float | None
    now: float | None
    change: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side.

    ``counts`` has the four changes and the questions of only one run. ``right`` is the difference in the share of right
    answers over the questions that both runs judged, with its paired interval.
    """

    metrics: Mapping[tuple[str, str], Sides]
    counts: Mapping[str, int]
    changed: tuple[Pair, ...]
    right: Metric | None

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        figures: dict[str, dict[str, object]] = {}
        for (group, name), sides in self.metrics.items():
            figures.setdefault(group, {})[name] = sides._asdict()
        questions = [
            {"id": now.id, "question": now.question, "change": change, "before": before.as_json(), "now": now.as_json()}
            for change, before, now in self.changed
        ]
        return {"right": self.right, "counts": self.counts, "figures": figures, "questions": questions}

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        yield f"\nCompared: {self.summary}"
        yield f"\n{'':24}{'before':>9}{'now':>9}{'change':>9}"
        yield from (f"  {name:22}" + "".join(f"{side:>9}" for side in sides) for name, *sides in self.side_by_side())
        for change, before, now in self.changed:
            yield f"\n{change}: {one_line(now.id)} · {one_line(now.question)}"
            yield f"  before: {one_line(before.shown_text)[:_MAX_SHOWN_CHARACTERS]}"
            yield f"  now:    {one_line(now.shown_text)[:_MAX_SHOWN_CHARACTERS]}"

    def side_by_side(self) -> Iterator[tuple[str, str, str, str]]:
        """Format each metric: name, before, now and change; "-" if missing."""
        for (group, name), sides in self.metrics.items():
            before, now, change = (
                "-" if value is None else format_value(value, name, sign)
                for value, sign in zip(sides, ("", "", "+"), strict=True)
            )
            yield f"attack: {name}" if group == "attacks" else name, before, now, change

    @property
    def summary(self) -> str:
        """The counts of changes, and the difference in right answers."""
        counts = f"{', '.join(f'{count} {name}' for name, count in self.counts.items())}."
        right = self.right
        if right is None or right["low"] is None or right["high"] is None:
            return counts
        interval = f"95 % interval {right['low']:+.3f} to {right['high']:+.3f}"
        return f"{counts} Right: {right['value']:+.3f} ({interval}, of {right['n']} questions judged twice)."


def read_run(file: Path) -> Run:
    """Read an earlier output. Raises ClippingsError."""
    try:
        return Run.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ClippingsError(f"{file} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        raise ClippingsError(f"{file} is no output of `clippings eval --json`: {first_error(error)}.") from None


def compare(before: Run, now: Run) -> Comparison:
    """Compare two runs. Questions are matched by id and text, or by id if ``before`` has no text; metrics by name."""
    rows = {(row.id, row.question): row for row in before.questions}
    matches = [(rows.get((row.id, row.question)) or rows.get((row.id, "")), row) for row in now.questions]
    pairs = [Pair(_change(earlier, row), earlier, row) for earlier, row in matches if earlier]
    judged = [(pair.before.right, pair.now.right) for pair in pairs]
    gains = [float(after - then) for then, after in judged if then is not None and after is not None]
    return Comparison(
        _side_by_side(before.values(), now.values()),
        {change.value: sum(pair.change is change for pair in pairs) for change in Change}
        | {"only before": len(rows) - len(pairs), "only now": len(now.questions) - len(pairs)},
        tuple(pair for change in Change if change is not Change.SAME for pair in pairs if pair.change is change),
        mean(gains) if gains else None,
    )


def _side_by_side(before: _Values, now: _Values) -> dict[tuple[str, str], Sides]:
    changes = {key: now[key] - before[key] for key in now.keys() & before.keys()}
    return {key: Sides(before.get(key), now.get(key), changes.get(key)) for key in now | before}


def _change(before: Row, now: Row) -> Change:
    if now.right is not None and before.right is not None and now.right != before.right:
        return Change.GAINED if now.right else Change.LOST
    return Change.SAME if before.shown_text == now.shown_text else Change.OTHER
