"""Footnote marks, exponents and indices."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.cleaning.footnotes import plain_scripts, without_markdown_marks, without_marks


@pytest.mark.parametrize(
    ("page", "plain"),
    [
        ("14<sup>2</sup> euros", "14 euros"),
        ("in 2011<sup>3</sup>, although", "in 2011, although"),
        ("the mayor<sup>12</sup> said<sup>[1]</sup>", "the mayor said"),
        ("a word<sup>*</sup> and<sup>a</sup>", "a word and"),
        ('10<sup class="reference"><a href="#n"><span>[</span>6<span>]</span></a></sup>', "10"),
        ("km<SUP><a href='#n'>2</a></SUP >", "km"),
        ("it’s<sup>1</sup> late", "it’s late"),
        ("£3m<sup>2</sup> and £1.5m<sup>2</sup>", "£3m and £1.5m"),
        ("30 km<sup>2</sup>, 30km<sup>2</sup>, 5&nbsp;m<sup>3</sup>", "30 km², 30km², 5&nbsp;m³"),
        ("<b>30 km</b><sup>2</sup>", "<b>30 km</b>²"),
        ("10<sup>6</sup> and 10<sup>−3</sup> and 3 × 10<sup>12</sup>", "10⁶ and 10⁻³ and 3 × 10¹²"),
        ("110<sup>6</sup>, 1,10<sup>6</sup>", "110, 1,10"),
        ("x<sup>2</sup>, E = mc<sup>2</sup>", "x², E = mc²"),
        ("the 1<sup>st</sup>, le 2<sup>e</sup>, Brand<sup>TM</sup>", "the 1st, le 2e, BrandTM"),
        ("CO<sub>2</sub>, H<sub>2</sub>O, Na<sup>+</sup>, Ca<sup>2+</sup>", "CO₂, H₂O, Na⁺, Ca²⁺"),
        ("x<sub>max</sub>", "xmax"),
        ("<support>2</support> <sup>unclosed", "<support>2</support> <sup>unclosed"),
        (f"<sup>{'long ' * 30}</sup>", f"<sup>{'long ' * 30}</sup>"),
    ],
)
def test_elements_become_what_a_reader_takes_them_for(page: str, plain: str) -> None:
    """A note goes; an exponent after a unit, a variable or ten is raised, an index lowered, an ordinal stays."""
    assert plain_scripts(page) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("the mayor² said.¹ Then", "the mayor said. Then"),
        ("“No,”³ he said", "“No,” he said"),
        ("30 km², 30km², 5 m³, x², Al³⁺, CO₂", "30 km², 30km², 5 m³, x², Al³⁺, CO₂"),
        ("14² euros, 10⁶", "14² euros, 10⁶"),
    ],
)
def test_raised_digits_after_a_word_go(text: str, plain: str) -> None:
    """After a unit, a variable or a number they may be meant."""
    assert without_marks(text) == plain


def test_markdown_marks_go_and_notes_stay() -> None:
    """The label before a note goes too; a link and an exponent are none."""
    text = "It is 14[^1] euros[^long-name], [a](b) 2^3.\n\n[^1]: Before tax."
    assert without_markdown_marks(text) == "It is 14 euros, [a](b) 2^3.\n\nBefore tax."


@given(st.text(st.sampled_from("<sup>/sub a=2km²[^1]:&;")))
def test_any_page_can_be_read(page: str) -> None:
    """Nothing is added but raised and lowered digits, and nothing raises."""
    assert set(plain_scripts(page)) <= {*page, *"⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉₊₋&"} | set("<>\"'")
    assert len(without_marks(page)) <= len(page)


@pytest.mark.parametrize("piece", ["<sup>", "<sup>1", "<sup><a>", "<sup><a><a>", "<sup x", "m²", "<sup>1</sup>", "[^"])
def test_a_hostile_page_takes_no_longer_than_its_length(piece: str) -> None:
    """A megabyte of any beginning takes a moment."""
    page = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    without_marks(without_markdown_marks(plain_scripts(page)))
    assert time.perf_counter() - started < 10
