"""The check of statements: pairs over articles/, and what an edit does to a sentence."""

from __future__ import annotations

import html
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.generate.edit import MAX_TOKENS, align, count_edits, tokens
from bot.generate.support import NOT_ASKED, Premise, edits, judge
from index.models import Passage, Source
from tests.fit_support import Example, fit, own, shown

PROJECT = Path(__file__).parents[1]
MIN_TRUE_SHOWN = {"tuning": 0.82, "held_out": 0.72}  # measured 2026-11-27: .831 and .734; of the check before .88
MAX_FALSE_SHOWN = {"tuning": 0.11, "held_out": 0.16}  # .098 and .148; of the check before .72


@cache
def examples() -> list[Example]:
    """The pairs, judged (2 s)."""
    return list(own())


def test_every_sentence_stands_in_an_article_and_has_an_honest_statement_and_a_false_one() -> None:
    """The cited sentence and the one before it are in articles/ to the letter; a sentence is in one half only."""
    files = [file.read_text(encoding="utf-8") for file in sorted((PROJECT / "articles").iterdir())]
    texts = html.unescape("\n".join(files).replace('\\"', '"'))
    lines = (PROJECT / "tests" / "statements.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({row["statement"] for row in rows}) == len(rows) == 788
    assert [(row["sentence"], row["supported"]) for row in rows[::2]] == [(row["sentence"], True) for row in rows[1::2]]
    assert not any(row["supported"] for row in rows[1::2])
    assert [row["id"] for row in rows if not (row["sentence"] in texts and row["before"] in texts)] == []
    halves = {half: {row["sentence"] for row in rows if row["half"] == half} for half in ("tuning", "held_out")}
    assert halves["tuning"].isdisjoint(halves["held_out"])


@pytest.mark.parametrize("half", MIN_TRUE_SHOWN)
def test_true_statements_are_shown_and_false_ones_are_not(half: str) -> None:
    """At least as many as were measured, less one or two."""
    weights, intercept = fitted()
    table = shown([example for example in examples() if example.set == half], weights, intercept)
    assert table["true"]["all"] >= MIN_TRUE_SHOWN[half]
    assert table["false"]["all"] <= MAX_FALSE_SHOWN[half]


def fitted() -> tuple[dict[str, float], float]:
    """The shipped weights and intercept."""
    model = json.loads((PROJECT / "bot" / "generate" / "support.json").read_text(encoding="utf-8"))
    return {name: count["weight"] for name, count in model["counts"].items()}, model["intercept"]


def test_fit_finds_what_tells_true_from_false() -> None:
    """A count that only false statements have gets a weight below 0, others none; no sign is turned."""
    rows = [
        Example({"cause": float(not true), "denied": float(n % 2), "turned": 0.0}, true, "", "tuning", "")
        for n in range(40)
        for true in (True, False)
    ]
    weights, intercept = fit(rows, ["cause", "denied", "turned"])
    assert weights[0] < -3
    assert abs(weights[1]) < 0.1
    assert intercept > 0
    assert (
        shown(rows, dict(zip(("cause", "denied", "turned"), weights, strict=True)), intercept)["balanced"]["all"] == 1
    )


SENTENCE = (
    "The council, which met on 3 May, may close up to three of the 12 schools in Tarn because too few pupils came, "
    "Mayor Ann Hill told Bob Roe on Monday."
)
COUNTS = {
    "The council may close up to three schools.": set[str](),
    "Up to three of 12 schools in Tarn may be closed by the council.": {"turned"},
    "The council may shut up to 3 schools, Mayor Ann Hill told Bob Roe.": set[str](),
    "The council may close up to four of the 12 schools.": {"exact_put_in"},
    "The council may close at least three of the 12 schools.": {"bound"},
    "The council closed up to three of the 12 schools.": {"made_fact"},
    "The council may not close up to three of the 12 schools.": {"denied"},
    "The council may close up to three of the 12 schools because Ann Hill resigned.": {"cause"},
    "The council may close all the schools in Tarn.": {"all"},
    "Bob Roe told Mayor Ann Hill on Monday.": {"exchanged"},
    "The council, which met on 12 May, may close up to three schools.": {"exact_replaced"},
    "The council may open up to three of the 12 schools.": {"opposite"},
    "The council may close up to three schools, Mayor Eve Hill told Bob Roe.": {"name_put_in"},
}


@pytest.mark.parametrize("statement", COUNTS)
def test_edit_is_counted_for_what_it_does(statement: str) -> None:
    """An honest edit has none of the counts that weigh; a false one has that of its fault."""
    counts = {name for name, count in edits(statement, [premise(SENTENCE)]).items() if count}
    assert COUNTS[statement] <= counts
    weighty = {"exact_put_in", "bound", "made_fact", "denied", "cause", "all", "exchanged", "opposite", "name_put_in"}
    assert COUNTS[statement] or not counts & weighty


EQUAL = [
    ("The prize is $3tn.", "The prize is 3 trillion dollars."),
    ("It cost €2.5mn.", "It cost 2,500,000 euros."),
    ("It holds 1\u2009500\u2009000 litres.", "It holds 1.5 million litres."),
    ("It holds 1\u202f500\u202f000 litres.", "It holds 1500000 litres."),
    ("At least 30 came.", "No fewer than 30 came."),
    ("A fifth of them came.", "20 percent of them came."),
    ("One in five came.", "20% of them came."),
    ("It took half an hour.", "It took 50 percent of an hour."),
    ("It is 4,300 metres deep.", "It is 4.3 kilometres deep."),
    ("The WHO warned them.", "WHO warned them."),
    ("Köhler came to Łódź.", "Kohler came to Lodz."),
]
UNEQUAL = [
    ("The prize is $3tn.", "The prize is €3tn."),
    ("It was -12 degrees.", "It was 12 degrees."),
    ("At least 30 came.", "30 came."),
    ("Up to 30 came.", "30 came."),
    ("30 came.", "More than 30 came."),
    ("He came third.", "He came second."),
    ("The WHO warned them.", "The IT warned them."),
    ("It costs £5 a year.", "It costs £5 a month."),
]


@pytest.mark.parametrize(("passage", "statement"), EQUAL)
def test_number_in_another_form_is_the_same(passage: str, statement: str) -> None:
    """Units, thin spaces, shares, bounds in other words, names in any normal form."""
    assert judge(statement, [premise(passage)], NOT_ASKED, frozenset()).supported


@pytest.mark.parametrize(("passage", "statement"), UNEQUAL)
def test_other_unit_sign_bound_or_ordinal_is_another_number(passage: str, statement: str) -> None:
    """They belong to the number."""
    judgement = judge(statement, [premise(passage)], NOT_ASKED, frozenset())
    assert not judgement.supported
    assert judgement.reason


WORDS = st.lists(
    st.sampled_from("The mayor Ann Hill will not close all 3 schools, by Monday because $5m half in ten of up".split()),
    max_size=30,
).map(" ".join)


@given(WORDS | st.text(max_size=60), WORDS | st.text(max_size=60))
def test_any_two_texts_can_be_aligned(new: str, old: str) -> None:
    """Every pair is of words that stand for each other, each word of the statement once; counts are from 0 to 1."""
    left, right = tokens(new), tokens(old)
    pairs = align(left, right)
    assert all(0 <= i < len(left) and 0 <= j < len(right) for i, j in pairs.items())
    assert all(new[token.span.start : token.span.end] for token in left)
    counts = count_edits(left, right, 0, lambda _: False, lambda _: False)
    assert all(0 <= count <= 1.0001 for count in counts.values())


@given(WORDS)
def test_text_is_its_own_proof(text: str) -> None:
    """What is repeated to the letter has no word put in and no name of its own."""
    counts = edits(text, [premise(text)])
    assert not {"put_in", "name_put_in", "exact_put_in", "bound", "foreign"} & {name for name in counts if counts[name]}


def test_long_text_is_cut() -> None:
    """Aligning takes time by the product of both lengths."""
    assert len(tokens("ferry sank " * 2_000)) == MAX_TOKENS


def premise(text: str) -> Premise:
    """A passage that holds the text."""
    return Premise(Passage("p", Source("s", ""), text, 0, len(text), 1.0), "")
