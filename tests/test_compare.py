"""Tests of bot.evaluation.compare: what changed since an earlier run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.evaluation.compare import Change, Run, compare, read_run
from index.models import ClippingsError


def run(*questions: dict[str, Any], **groups: dict[str, float]) -> Run:
    """A run as it is read."""
    figures = {
        group: {name: {"value": value, "n": 2} for name, value in named.items()} for group, named in groups.items()
    }
    return Run.model_validate({**figures, "questions": questions})


def row(name: str, fate: str | None, text: str = "Forty [1].", **more: Any) -> dict[str, Any]:
    """What a run says of a question."""
    return {"id": name, "question": f"{name}?", "fate": fate, "text": text, "refusal": None, **more}


def test_each_question_is_gained_lost_or_says_something_else() -> None:
    """They come in this order; what is the same is only counted."""
    before = run(row("a", "right"), row("b", "refused wrongly"), row("c", "right"), row("d", "right"), row("e", None))
    now = run(
        row("a", "right"),
        row("c", "right", "40 [1]."),
        row("d", "not retrieved"),
        row("b", "right"),
        row("e", None, "4"),
    )
    comparison = compare(before, now)
    assert [(pair.change, pair.now.id) for pair in comparison.changed] == [
        (Change.GAINED, "b"), (Change.LOST, "d"), (Change.OTHER, "c"), (Change.OTHER, "e"),
    ]  # fmt: skip
    assert comparison.counts == {"gained": 1, "lost": 1, "other text": 2, "same": 1, "only before": 0, "only now": 0}


def test_the_rise_is_paired() -> None:
    """It counts the questions that both runs judged, and its interval is that of their differences."""
    before = run(*(row(str(n), "refused wrongly" if n < 6 else "right") for n in range(20)), row("x", "right"))
    now = run(*(row(str(n), "right") for n in range(20)), row("x", "not judged"))
    right = compare(before, now).right
    assert right is not None
    assert right["value"] == pytest.approx(0.3)
    assert right["n"] == 20
    assert right["low"] is not None
    assert 0 < right["low"] < 0.3
    assert "Right: +0.300 (95 % interval +0." in compare(before, now).summary


def test_another_reason_of_a_refusal_is_another_text() -> None:
    """What is compared is what a reader sees."""
    sides = [
        run({**row("a", "right", "The articles do not say."), "refusal": reason}) for reason in ("No Zog.", "Too far.")
    ]
    (changed,) = compare(*sides).changed
    assert (changed.change, changed.before.shown_text) == (Change.OTHER, "The articles do not say. No Zog.")
    assert not compare(sides[0], sides[0]).changed


def test_questions_of_one_run_only_are_counted() -> None:
    """An id that asks something else is another question; one that asks nothing is matched by its id."""
    before = run(row("a", "right"), row("b", "right"), {"id": "c", "found": False})
    comparison = compare(before, run(row("a", "right", question="other?"), row("b", "right"), row("c", "right")))
    assert (comparison.counts["only before"], comparison.counts["only now"], comparison.counts["gained"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("of", "right"),
    [
        ({"fate": "right", "found": False}, True),
        ({"fate": "answered wrongly"}, False),
        ({"fate": "not judged"}, None),
        ({"answerable": False, "answered": False}, True),
        ({"answerable": False, "answered": True, "found": True}, False),
        ({"answerable": False}, None),
        ({"answerable": True, "found": True, "strict": False}, False),
        ({"supported": True}, True),
        ({}, None),
    ],
)
def test_an_output_of_another_version_is_judged_by_what_it_has(of: dict[str, Any], right: bool | None) -> None:  # noqa: FBT001  # the value that is expected
    """Without a fate, the figures of the question tell whether it went right."""
    assert run({"id": 1, **of}).questions[0].right is right


def test_figures_stand_side_by_side() -> None:
    """With their change; "-" on the side that lacks one."""
    before, now = run(answers={"found": 0.5, "words": 40.04}, time={"index_seconds": 2}), run(answers={"found": 0.625})
    rows = list(compare(before, now).side_by_side())
    assert rows == [
        ("found", "0.500", "0.625", "+0.125"), ("words", "40.0", "-", "-"), ("index_seconds", "2.000", "-", "-"),
    ]  # fmt: skip
    printed = compare(before, now).as_json()["figures"]
    assert printed == {
        "answers": {
            "found": {"before": 0.5, "now": 0.625, "change": 0.125},
            "words": {"before": 40.04, "now": None, "change": None},
        },
        "time": {"index_seconds": {"before": 2, "now": None, "change": None}},
    }


def test_the_figures_of_attacks_are_compared_too() -> None:
    """Those over all kinds; their names say what they are."""
    attacked = Run.model_validate({"questions": [], "attacks": {"all": {"word": {"value": 0.25}}, "kinds": {}}})
    assert list(compare(attacked, attacked).side_by_side()) == [("attack: word", "0.250", "0.250", "+0.000")]


def test_lines_say_before_and_now() -> None:
    """In a terminal each changed question has three lines, none of which an article can break."""
    printed = list(compare(run(row("a", "right")), run(row("a", "not retrieved", "No\n\x1b[31mone [1]."))).lines())
    assert printed[-3:] == ["\nlost: a · a?", "  before: Forty [1].", "  now:    No one [1]."]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Invalid JSON: EOF while parsing"),
        (b"\xff", "Invalid JSON"),
        (b"[]", "Input should be an object"),
        (b"{}", "questions: Field required"),
        (b'{"questions": [{"id": null}]}', "questions.0.id: Input should be a valid string"),
        (b'{"questions": [], "answers": {"found": {"value": NaN}}}', "answers.found.value: Input should be a finite"),
    ],
)
def test_a_file_that_is_no_output_is_said(tmp_path: Path, content: bytes, message: str) -> None:
    """The file is named, and what is wrong with it."""
    file = tmp_path / "other.json"
    file.write_bytes(content)
    with pytest.raises(ClippingsError) as raised:
        read_run(file)
    assert str(raised.value).startswith(f"{file} is no output of `clippings eval --json`: ")
    assert message in str(raised.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """It is an error in words."""
    with pytest.raises(ClippingsError, match="cannot be read: No such file"):
        read_run(tmp_path / "none.json")


def test_an_output_is_read_back(tmp_path: Path) -> None:
    """What is written as JSON is what is read."""
    file = tmp_path / "other.json"
    file.write_text(json.dumps({"questions": [row("a", "right")], "extra": 1}), encoding="utf-8")
    assert read_run(file) == run(row("a", "right"))
