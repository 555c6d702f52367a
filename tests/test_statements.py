"""The check of statements: pairs over articles/, and what is certainly wrong, and what the reader says."""

from __future__ import annotations

import html
import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.generate.support import MIN_LOGIT, NEAR_LOGIT, Premise, SupportReader, judge
from bot.generate.tokens import MAX_TOKENS, tokens
from index.models import Passage, Source
from tests.measure_support import own, shown
from tests.supports import supports

PROJECT = Path(__file__).parents[1]
MIN_TRUE_SHOWN, MAX_FALSE_SHOWN = 0.8, 0.12


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


def test_true_statements_are_shown_and_false_ones_are_not() -> None:
    """At least as many of every sixth pair as were measured; `python -m tests.measure_support` judges all (25 s)."""
    table = shown(list(own(supports, every=6)))
    assert table["true"]["all"] >= MIN_TRUE_SHOWN
    assert table["false"]["all"] <= MAX_FALSE_SHOWN


SENTENCE = (
    "The council, which met on 3 May, may close up to three of the 12 schools in Tarn because too few pupils came, "
    "Mayor Ann Hill told Bob Roe on Monday."
)
HONEST = (
    "The council may close up to three schools.",
    "Up to 3 of 12 schools in Tarn may be closed by the council.",
    "The council may close up to three schools in Tarn, Mayor Ann Hill said.",
)
FALSE = {
    "The council may close up to four of the 12 schools.": "number or a date",
    "The council may close at least three of the 12 schools.": "bound",
    "The council, which met on 12 July, may close up to three schools.": "number or a date",
    "The council may close up to three schools, Mayor Eve Hill told Bob Roe.": "name",
    "Monday": "no sentence",
    "Bread got dearer.": "words",
    "The council closed up to three of the 12 schools.": "plan",
    "The council may not close up to three of the 12 schools.": "denies",
    "The council may close up to three of the 12 schools in Tarn because Ann Hill resigned.": "does not say",
    "The council will close up to three of all the schools in Tarn.": "all",
    "Bob Roe told Mayor Ann Hill on Monday.": "plan",
}


@pytest.mark.parametrize("statement", HONEST)
def test_honest_statement_is_supported(statement: str) -> None:
    """Shortened, turned from active to passive, a number in figures."""
    assert judge(statement, [premise(SENTENCE)], "", frozenset(), supports).supported


@pytest.mark.parametrize("statement", FALSE)
def test_false_statement_is_not_supported_and_says_why(statement: str) -> None:
    """A certain fault, or what the words of a statement that the reader does not accept point to."""
    judgement = judge(statement, [premise(SENTENCE)], "What opens?", frozenset(), supports)
    assert not judgement.supported
    assert FALSE[statement] in judgement.reason


def test_certain_fault_is_not_read() -> None:
    """Nothing that the reader thinks outweighs it."""

    def unread(_statement: str, _premise: str) -> float:
        raise AssertionError

    for statement in ("The council may close four schools.", "Eve Hill told Bob Roe.", "See www.evil.example."):
        assert judge(statement, [premise(SENTENCE)], "", frozenset(), unread).logit == -math.inf


def test_near_the_line() -> None:
    """A statement that is shown only just is one about which a language model may be asked again."""
    logits = (MIN_LOGIT - 0.1, MIN_LOGIT + 0.1, MIN_LOGIT + NEAR_LOGIT + 0.1)
    judged = [
        judge("The council may close.", [premise(SENTENCE)], "", frozenset(), lambda *_, at=at: at) for at in logits
    ]
    assert [judgement.is_near_the_line for judgement in judged] == [False, True, False]
    assert [judgement.supported for judgement in judged] == [False, True, True]


def test_the_reader_sees_headline_sentence_and_what_stands_before() -> None:
    """The "he" of a sentence is in the one before it; a sentence that adds much is read too."""
    text = "Ann Hill opened the new library. Bob Roe came too. He sang. Nobody listened. "
    text += "The hall in Tarn was cold on Monday."
    held = Premise(Passage("p", Source("s", "A concert"), text, 0, len(text), 1.0), "")
    read: list[str] = []

    def note(_statement: str, seen: str) -> float:
        read.append(seen)
        return 1.0

    judge("He sang.", [held], "", frozenset(), note)
    judge("Ann Hill opened the new library, and the hall in Tarn was cold.", [held], "", frozenset(), note)
    assert read == [
        "a concert. bob roe came too. he sang.",
        "a concert. ann hill opened the new library. nobody listened. the hall in tarn was cold on monday.",
    ]


def test_many_threads_read_at_once(weights: Path) -> None:
    """Each gets the logit that a thread alone gets."""
    reader = SupportReader(weights)
    pairs = [(statement, SENTENCE) for statement in (*HONEST, *FALSE)]
    alone = [reader.logit(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda pair: reader.logit(*pair), pairs)) == alone


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
    assert judge(statement, [premise(passage)], "", frozenset(), supports).supported


@pytest.mark.parametrize(("passage", "statement"), UNEQUAL)
def test_other_unit_sign_bound_or_ordinal_is_another_number(passage: str, statement: str) -> None:
    """They belong to the number."""
    judgement = judge(statement, [premise(passage)], "", frozenset(), supports)
    assert not judgement.supported
    assert judgement.reason


TEXTS = st.lists(
    st.sampled_from(
        "The mayor Ann Hill will not close all 3 schools, by Monday because $5m half in ten of up NHS".split()
    ),
    max_size=30,
).map(" ".join) | st.text(max_size=60)


@given(TEXTS)
def test_text_has_no_certain_fault_beside_itself(text: str) -> None:
    """What is repeated to the letter has no number, bound or name of its own."""
    judgement = judge(text, [premise(text)], text, frozenset(), lambda *_: 1.0)
    assert judgement.supported or judgement.reason == "its words are not in the passage"


@given(TEXTS, TEXTS)
def test_any_statement_can_be_judged(statement: str, text: str) -> None:
    """Whatever it is, and a reason is given."""
    assert judge(statement, [premise(text)], "", frozenset(), lambda *_: -9.0).reason


def test_long_text_is_cut() -> None:
    """A statement is compared with each sentence."""
    assert len(tokens("ferry sank " * 2_000)) == MAX_TOKENS


def premise(text: str) -> Premise:
    """A passage that holds the text."""
    return Premise(Passage("p", Source("s", ""), text, 0, len(text), 1.0), "")
