"""`clippings eval --report FILE.html`: one page with the metrics of a run and the questions that did not go right.

`report.html` is a jinja2 template with autoescape: articles, questions and language models are untrusted, and every
value that it prints also passes `bot.plain_text.safe`. The page needs no network, and its policy allows no script or
style but its own.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from bot.evaluation import attacks as planting
from bot.evaluation.compare import Comparison
from bot.evaluation.metrics import (
    RANKS,
    FailureStage,
    Metric,
    Metrics,
    Outcome,
    format_interval,
    format_value,
    micro_average,
)
from bot.plain_text import safe, title
from index.models import ClippingsError

_RANK_NAMES = ["first", "second", "third", "fourth", *["fifth to tenth"] * (RANKS - 4), "not among ten"]


Bars = list[tuple[str, str, Metric]]
"""A bar chart of shares: name, ``"2 of 5"``, share."""


def check_writable(file: Path) -> None:
    """Raise ClippingsError if no page can be written to ``file``, before the work for it is done."""
    if file.is_dir() or not file.absolute().parent.is_dir() or not os.access(file.absolute().parent, os.W_OK):
        raise ClippingsError(f"The report cannot be written to {file}: name a file in a folder that is there.")


def write(file: Path, content: str) -> None:
    """Write the page. Raises ClippingsError."""
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ClippingsError(f"The report cannot be written to {file}: {error.strerror}.") from None


def page(
    name: str,
    outcomes: Sequence[Outcome],
    metrics: Metrics,
    comparison: Comparison | None = None,
    attacks: planting.Attacks | None = None,
) -> str:
    """Render the page of a set of questions."""
    return _template().render(
        name=name,
        style=_read("report.css"),
        script=_read("report.js"),
        outcomes=outcomes,
        summary=answered_by(outcomes),
        stages=bars(FailureStage, [outcome.failure_stage for outcome in outcomes]),
        ranks=rank_bars(outcomes),
        metrics=metrics,
        comparison=comparison,
        attacks=attacks,
        attack_meanings=planting.MEANINGS,
    )


@functools.cache
def _template() -> Template:
    return environment().from_string(_read("report.html"))


def environment() -> Environment:
    """Make the jinja2 environment: what a template prints is cleaned and escaped, and a missing value is an error."""
    made = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=_clean, trim_blocks=True, keep_trailing_newline=True
    )
    made.filters |= {"format_interval": format_interval, "format_value": format_value, "how_many": planting.how_many}
    made.filters |= {"sha256": _sha256, "source_line": title}
    return made


def _read(name: str) -> str:
    return files("bot.evaluation").joinpath(name).read_text("utf-8")


def _clean(value: object) -> object:
    """Clean what the template prints, unless it is markup of the template's own: that of a macro, of `| safe`."""
    return value if hasattr(value, "__html__") else safe(str(value))


def _sha256(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def answered_by(outcomes: Sequence[Outcome]) -> str:
    """Count the answers by answerer: ``3 answered by quotes, 1 not answered``."""
    answerers = [outcome.answer.answerer if outcome.answer.answered else "none" for outcome in outcomes]
    names = {"quote": "answered by quotes", "write": "answered by the language model", "none": "not answered"}
    return ", ".join(f"{answerers.count(kind)} {name}" for kind, name in names.items() if kind in answerers)


def rank_bars(outcomes: Sequence[Outcome]) -> Bars:
    """Count the ranks of the first relevant article; no bars if no question has one."""
    labelled = [outcome for outcome in outcomes if outcome.expected.has_answer and outcome.expected.relevant]
    return bars(_RANK_NAMES, [_RANK_NAMES[min(outcome.rank or RANKS + 1, RANKS + 1) - 1] for outcome in labelled])


def bars(names: Iterable[str], values: Sequence[str]) -> Bars:
    """Count how often each name is among the values; names that are not are left out."""
    counts = {name: values.count(name) for name in names}
    shares = {name: micro_average([(value == name, 1) for value in values]) for name in counts if counts[name]}
    return [(name, f"{counts[name]} of {len(values)}", share) for name, share in shares.items()]
