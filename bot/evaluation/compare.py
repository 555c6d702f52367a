"""`clippings eval --compare OTHER.json`: an earlier output of `--json` beside this one, question by question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from bot.evaluation.metrics import Fate, Figure, decimals, share
from bot.models import REFUSAL
from bot.plain_text import one_line
from index.models import ClippingsError

_SHOWN = 240  # characters of an answer in the terminal


class Value(BaseModel):
    """A figure, without its interval."""

    value: FiniteFloat


class Row(BaseModel):
    """What a run says of one question. All but the id may be absent, as it is from the output of other versions."""

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
        """Whether it was answered rightly, or refused rightly; None where that is not known."""
        if self.fate is not None:
            return None if self.fate == Fate.NOT_JUDGED else self.fate == Fate.RIGHT
        if self.answerable is False:
            return None if self.answered is None else not self.answered
        return next((one for one in (self.strict, self.found, self.supported) if one is not None), None)

    @property
    def said(self) -> str:
        """What a reader saw."""
        return self.text if self.refusal is None else f"{REFUSAL} {self.refusal}"


class _Attacks(BaseModel):
    all: dict[str, Value] = {}


class Run(BaseModel):
    """An output of `clippings eval --json`."""

    retrieval: dict[str, Value] = {}
    answers: dict[str, Value] = {}
    citations: dict[str, Value] = {}
    refusal: dict[str, Value] = {}
    time: dict[str, Value] = {}
    attacks: _Attacks = Field(default_factory=_Attacks)
    questions: tuple[Row, ...]

    def values(self) -> dict[tuple[str, str], float]:
        """The figures, by group and name."""
        groups = {name: getattr(self, name) for name in ("retrieval", "answers", "citations", "refusal", "time")}
        groups["attacks"] = self.attacks.all
        return {(group, name): figure.value for group, named in groups.items() for name, figure in named.items()}


class Change(StrEnum):
    """What changed in the answer to a question."""

    GAINED = "gained"
    LOST = "lost"
    OTHER = "other text"
    SAME = "same"


class Changed(NamedTuple):
    """A question whose answer is not what it was."""

    change: Change
    before: Row
    now: Row


class Sides(NamedTuple):
    """A figure before and now; None on the side that lacks it."""

    before: float | None
    now: float | None

    @property
    def change(self) -> float | None:
        """By how much it rose."""
        return None if self.before is None or self.now is None else self.now - self.before


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side.

    ``right`` is by how much the share of right answers rose over the questions that both runs judged, with its paired
    interval. ``counts`` has the four changes, and the questions that only one run asked.
    """

    figures: Mapping[tuple[str, str], Sides]
    counts: Mapping[str, int]
    changed: tuple[Changed, ...]
    right: Figure | None

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        figures: dict[str, dict[str, object]] = {}
        for (group, name), sides in self.figures.items():
            figures.setdefault(group, {})[name] = {**sides._asdict(), "change": sides.change}
        changed = [
            {"id": now.id, "question": now.question, "change": change, "before": _side(before), "now": _side(now)}
            for change, before, now in self.changed
        ]
        return {"right": self.right, "counts": dict(self.counts), "figures": figures, "questions": changed}

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        yield f"\nCompared: {self.summary}"
        yield f"\n{'':24}{'before':>9}{'now':>9}{'change':>9}"
        yield from (f"  {name:22}" + "".join(f"{told:>9}" for told in sides) for name, *sides in self.side_by_side())
        for change, before, now in self.changed:
            yield f"\n{change}: {one_line(now.id)} · {one_line(now.question)}"
            yield f"  before: {one_line(before.said)[:_SHOWN]}"
            yield f"  now:    {one_line(now.said)[:_SHOWN]}"

    def side_by_side(self) -> Iterator[tuple[str, str, str, str]]:
        """Each figure: its name, before, now and the change as they are shown; "-" for what is not there."""
        for (group, name), sides in self.figures.items():
            digits = decimals(name)
            before, now = ("-" if side is None else f"{side:.{digits}f}" for side in sides)
            change = "-" if sides.change is None else f"{sides.change:+.{digits}f}"
            yield f"attack: {name}" if group == "attacks" else name, before, now, change

    @property
    def summary(self) -> str:
        """How many questions changed in what way, and by how much the share of right answers rose."""
        counted = f"{', '.join(f'{count} {name}' for name, count in self.counts.items())}."
        right = self.right
        if right is None or right["low"] is None or right["high"] is None:
            return counted
        between = f"95 % interval {right['low']:+.3f} to {right['high']:+.3f}"
        return f"{counted} Right: {right['value']:+.3f} ({between}, of {right['n']} questions judged twice)."


def read_run(file: Path) -> Run:
    """An earlier output; ClippingsError where it is none."""
    try:
        return Run.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ClippingsError(f"{file} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = f"{place}: {first['msg']}" if place else first["msg"]
        raise ClippingsError(f"{file} is no output of `clippings eval --json`: {reason}.") from None


def compare(before: Run, now: Run) -> Comparison:
    """What changed. Questions are matched by their id and their words; figures by group and name."""
    known = {(row.id, row.question): row for row in before.questions}
    # A run that says no more of a question than its id is matched by that.
    found = ((known.get((row.id, row.question)) or known.get((row.id, "")), row) for row in now.questions)
    pairs = [Changed(_change(one, row), one, row) for one, row in found if one]
    alone = {"only before": len(known) - len(pairs), "only now": len(now.questions) - len(pairs)}
    judged = [(one.before.right, one.now.right) for one in pairs]
    gains = [(float(then) - float(was), 1.0) for was, then in judged if was is not None and then is not None]
    values = before.values(), now.values()
    return Comparison(
        {name: Sides(values[0].get(name), values[1].get(name)) for name in dict.fromkeys([*values[1], *values[0]])},
        {change.value: sum(one.change is change for one in pairs) for change in Change} | alone,
        tuple(one for change in Change if change is not Change.SAME for one in pairs if one.change is change),
        share(gains) if gains else None,
    )


def _change(before: Row, now: Row) -> Change:
    if now.right is not None and before.right is not None and now.right != before.right:
        return Change.GAINED if now.right else Change.LOST
    return Change.SAME if before.said == now.said else Change.OTHER


def _side(row: Row) -> dict[str, object]:
    return {"right": row.right, "fate": row.fate, "rank": row.rank, "said": row.said}
