"""Words, sentences, numbers and names."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.models import Span
from index.text import (
    MONTH,
    composed,
    figure_spans,
    figures,
    fold,
    marked_paragraphs,
    names,
    paragraphs,
    sentences,
    stems,
    strip_invisible,
    word_spans,
    words,
)

ANY = (
    st.text()
    | st.text(st.sampled_from("Aa.1,9 \n\t\xa0'’\"!?-İıſKé\u0301٣²日$U.S.\u2028"))
    | st.binary().map(lambda data: data.decode("latin-1"))
)


@pytest.mark.parametrize(
    "text",
    [
        "The U.S. government warned Iran in private.",
        "It happened on Jan. 3 in Kerman.",
        "A crowd had come for Gen. Soleimani on that day.",
        "Dr. Ito met Mr. Hale at 5 p.m. on Monday.",
        "The shares of Acme Inc. rose by 3.5 percent.",
        "Adm. Ruiz and Det. Lee of Monterey, Calif. Police paid 15 Mio. Euro.",
    ],
)
def test_an_abbreviation_ends_no_sentence(text: str) -> None:
    """A full stop after an abbreviation or inside a number is none that ends a sentence."""
    assert _cut(text) == [text]


def test_sentences_are_parted() -> None:
    """Full stops, question marks and quotes end sentences; abbreviations between them do not."""
    text = 'The U.S. agreed. Did it pay? "It did," he said. "Twice."\n\nNobody knew'
    assert _cut(text) == ["The U.S. agreed.", "Did it pay?", '"It did," he said.', '"Twice."', "Nobody knew"]


@pytest.mark.parametrize("word", ["bail", "month", "found", "per cent", "applause", "Rand"])
def test_a_common_word_ends_a_sentence(word: str) -> None:
    """A word that Punkt takes for an abbreviation ends a sentence before a capital letter, with its closing quote."""
    text = f"The court refused “the {word}.” Ann Lee met Gov. Ray Moss."
    assert _cut(text) == [f"The court refused “the {word}.”", "Ann Lee met Gov. Ray Moss."]


@pytest.mark.parametrize("blank", ["\n\n", "\n \t\n", "\n\xa0\n", "\r\n\r\n", "\n\n\n   "])
def test_a_blank_line_parts_paragraphs(blank: str) -> None:
    """A line that looks empty parts two paragraphs, and so two sentences, whatever white space is on it."""
    text = f"One line without an end{blank}and another"
    assert _cut(text) == ["One line without an end", "and another"]
    assert [text[start:end] for start, end in paragraphs(text)] == ["One line without an end", "and another"]


@given(ANY)
def test_sentences_are_exact_spans(text: str) -> None:
    """Spans come in order, do not overlap, are trimmed and not empty, and hold every character that is seen."""
    spans, end = sentences(text), 0
    for span in spans:
        assert end <= span.start < span.end <= len(text)
        assert not text[end : span.start].strip()
        inside = text[span.start : span.end]
        assert inside == inside.strip()
        assert "\n\n" not in inside
        end = span.end
    assert not text[end:].strip()


@given(st.lists(st.sampled_from(["Rain fell.", "The U.S. won.", "no end", "Why?"]), min_size=1))
def test_no_sentence_crosses_a_blank_line(parts: list[str]) -> None:
    """Each paragraph gives its own sentences."""
    assert _cut("\n\n".join(parts)) == parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The U.S. paid $1,200 to Iran's envoy", "the usa paid 1200 to iran envoy"),
        ("US officials, in the US", "usa officials in the usa"),
        ("tell us", "tell us"),
        ("Zoë’s café", "zoe cafe"),
        ("don't", "don't"),
        ("J.R.R.Tolkien", "jrr tolkien"),
        ("3.5 percent on 1/2", "3.5 percent on 1 2"),
        ("", ""),
    ],
)
def test_words(text: str, expected: str) -> None:
    """Words are folded, so that the ways of writing one are the same."""
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Łódź", "lodz"), ("Ørsted", "orsted"), ("Đorđe", "dorde"), ("STRASSE Straße ẞ", "strasse strasse ss"),
        ("Æsir cœur", "aesir coeur"), ("Þórður", "thordur"), ("Diyarbakır", "diyarbakir"), ("Café’s", "cafe's"),
    ],
)  # fmt: skip
def test_letters_are_folded_as_keyboards_without_them_write_them(text: str, plain: str) -> None:
    """Strokes, ligatures and accents, in either Unicode form."""
    assert fold(text) == fold(unicodedata.normalize("NFD", text)) == plain


def test_a_raised_digit_is_a_digit() -> None:
    """So that "km²" and "CO₂" are found as people type them."""
    assert words("30 km² of CO₂") == words("30 km2 of CO2") == ["30", "km", "2", "of", "co", "2"]
    assert figures("30 km²") == ["30"]


def test_composed_text_is_nfc() -> None:
    """An accent is part of its letter."""
    assert composed("Bu\u0308rgi") == "Bürgi"


def test_stems_are_content() -> None:
    """Stop words go, forms of a word become one."""
    assert stems("How many people were killed in the killings?") == stems("people killed killing")
    assert stems("who was it by?") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nearly 100 of 1,200 got $1.25 million, forty-two got none", ["100", "1200", "1250000", "42"]),
        ("twenty thousand", ["20000"]),
        ("Five Million", ["5000000"]),
        ("a dozen, two dozen", ["12", "24"]),
        ("$5m and 3bn and 20k", ["5000000", "3000000000", "20000"]),
        ("$5mn and €3tn and 2bln", ["5000000", "3000000000000", "2000000000"]),
        ("the 100 m race", ["100"]),
        ("1\u202f500\u2009000 or 1 500 000", ["1500000", "1500000"]),
        ("in 2019 300 000", ["2019", "300", "0"]),
        ("\u221212 or -12 or minus 12, (-12) and -£12", ["-12"] * 5),
        ("12 degrees below zero", ["-12", "0"]),
        ("2-1, 3\u20134, Covid-19, 2024-01-05", ["2", "1", "3", "4", "19", "2024", "1", "5"]),
        ("one of them, no one", []),
        ("one million", ["1000000"]),
        ("2.50 and 2.5", ["2.5", "2.5"]),
        ("someone, tenfold, weight", []),
        ("mıllion, fıve, ſix", []),
    ],
)
def test_figures(text: str, expected: list[str]) -> None:
    """A number is written one way, in digits or in words; what only looks like one is none."""
    assert figures(text) == expected


def test_a_figure_stands_where_it_is_written() -> None:
    """The span of a figure holds its scale."""
    text = "It cost $1.25 million in all."
    ((value, span),) = figure_spans(text)
    assert (value, text[span.start : span.end]) == ("1250000", "1.25 million")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The envoy met Ali Karimi in Kerman.", ["ali", "karimi", "kerman"]),
        ("Rain fell on Monday.", ["monday"]),
        ("NATO met. Iran Air flew.", ["nato", "iran", "air"]),
        ("Nothing here.", []),
        ("Hello Ann, I'd ask. I’ve come. Hi Bo, thanks. Hey Thanks", ["ann", "bo"]),
    ],
)
def test_names(text: str, expected: list[str]) -> None:
    """Capitals inside a sentence make a name; at its start only an acronym, or a second capital, does."""
    assert names(text) == expected


@given(ANY)
def test_any_text_can_be_read(text: str) -> None:
    """Nothing raises, spans lie in the text and in order, and what is folded stays so."""
    for found in (word_spans(text), figure_spans(text)):
        end = 0
        for _, span in found:
            assert end <= span.start < span.end <= len(text)
            end = span.end
    assert all(word and " " not in word for word in stems(text))
    assert set(names(text)) <= set(words(text))
    assert fold(fold(text)) == fold(text)


@given(st.integers(0, 10**9))
def test_a_number_is_read_back(number: int) -> None:
    """With and without commas a number is the same figure."""
    assert figures(f"{number:,} or {number}") == [str(number)] * 2


def _cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@given(st.text(), st.sampled_from(["\t\n\u200c\u200d", "\n", ""]))
def test_no_invisible_character_is_left_but_those_that_are_kept(text: str, keep: str) -> None:
    """Controls, formats and surrogates go, doing it twice changes nothing, and the rest stays in its order."""
    stripped = strip_invisible(text, keep=keep)
    assert strip_invisible(stripped, keep=keep) == stripped
    for character in stripped:
        visible = unicodedata.category(character) not in {"Cc", "Cf", "Cs"}
        assert visible or character in keep or character in "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2"
    letters = [character for character in text if character.isalnum()]
    assert [character for character in stripped if character.isalnum()] == letters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pay\u200bpal \u202eexe\r\n\x00", "paypal exe\n"),
        ("one\rtwo\x85three\u2028four\x0cfive", "one\ntwo\nthree\nfour\nfive"),
        ("tags \U000e0041\U000e0042, soft\u00adhyphen, half \ud800", "tags , softhyphen, half "),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u06dd 👩\u200d🚒", None),
        ("a\tb \ue000", None),
    ],
)
def test_strip_invisible(text: str, expected: str | None) -> None:
    """Zero widths, overrides and tags go; joiners, tabs, private characters and signs that are seen stay."""
    assert strip_invisible(text) == (text if expected is None else expected)
    assert "\ue000" not in strip_invisible(text, categories="C")


@pytest.mark.parametrize("month", ["Jan", "January", "Sept", "Sep", "may", "June", "DECEMBER"])
def test_months(month: str) -> None:
    """Full names and abbreviations match whole; other words do not."""
    assert re.fullmatch(MONTH, month, re.IGNORECASE)
    assert not re.match(rf"{MONTH}\b", f"{month}x", re.IGNORECASE)


@given(st.text(st.sampled_from("aa \n"), max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9))))
def test_marked_paragraphs_hold_every_span_once(text: str, places: list[tuple[int, int]]) -> None:
    """Each paragraph that a span overlaps is there to the letter, in order; what is marked is what spans hold."""
    text = "".join(chr(0x4E00 + at) if letter == "a" else letter for at, letter in enumerate(text))  # all different
    spans = [Span(start, min(len(text), start + length)) for start, length in places if start < len(text)]
    spans = [span for span in spans if text[slice(*span)].strip()]
    shown = marked_paragraphs(text, spans)
    position, marked = 0, set[int]()
    for runs in shown:
        whole = "".join(run for run, _ in runs)
        position = text.index(whole, position)
        for run, is_marked in runs:
            marked |= set(range(position, position + len(run))) if is_marked else set()
            position += len(run)
    assert marked == {at for start, end in spans for at in range(start, end)}
