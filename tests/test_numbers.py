"""The quantity that a sentence gives for what is counted, and when two quantities conflict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.query.numbers import (
    Quantity,
    conflict,
    counted_noun,
    counted_stems,
    counts,
    find_counts,
    find_quantity,
    is_amount,
    is_forecast,
    risen_quantity,
    unit_of,
)

KILLED = counted_stems("How many people were killed?")


def killed(sentence: str) -> Quantity:
    """The quantity that a sentence gives for the killed; there must be one."""
    quantity = find_quantity(sentence, KILLED)
    assert quantity is not None
    return quantity


@pytest.mark.parametrize(
    ("question", "stems"),
    [
        ("How many people were killed in the Kerman attack?", {"peopl", "die"}),
        ("how many died", {"die"}),
        ("Kerman death toll", {"die"}),
        ("How many lives were lost at sea?", {"die", "lost"}),
        ("How many people live in Fernhollow?", {"peopl", "live"}),
        ("How many were hurt?", {"hurt"}),
        ("How many Americans were wounded?", {"hurt"}),
        ("", set()),
    ],
)
def test_what_is_counted_is_read_off_the_question(question: str, stems: set[str]) -> None:
    """It is what comes before the place and the time; names count nothing, and all words for dying are one."""
    assert counted_stems(question) == stems


@pytest.mark.parametrize(
    ("sentence", "value"),
    [
        ("Blasts on Jan. 3 killed nearly 100 people in 2024.", "100"),
        ("Two bombs went off, killing 40 people.", "40"),
        ("A bomb killed two soldiers and wounded 40 people.", "2"),
        ("On 3 January the toll rose to 84.", "84"),
        ("The rampage of Oct. 7 killed some 1,200.", "1200"),
        ("In March 300 people died.", "300"),
        ("Some 12 Marchers were killed.", "12"),
        ("Thirty marchers were killed.", "30"),
        ("Three may have died.", "3"),
    ],
)
def test_quantity_is_the_number_that_counts_them(sentence: str, value: str) -> None:
    """Not a year, a day of a month or the number of something else in the sentence."""
    assert killed(sentence).value == value


@pytest.mark.parametrize(
    "sentence",
    ["Two bombs went off.", "They were killed in 2018.", "Killed on Jan. 3 were people of all ages.", "Many died.", ""],
)
def test_sentence_without_such_a_number_gives_none(sentence: str) -> None:
    """A number of bombs, a year and a day say nothing of the killed."""
    assert find_quantity(sentence, KILLED) is None


@pytest.mark.parametrize(
    ("words", "bound"),
    [
        ("nearly", "below"), ("almost", "below"), ("fewer than", "below"), ("up to", "below"),
        ("no more than", "below"),
        ("more than", "above"), ("over", "above"), ("At least", "above"), ("no fewer than", "above"),
        ("not less than", "above"), ("some", ""), ("exactly", ""), ("nearly all of the", ""),
    ],
)  # fmt: skip
def test_bound_is_read_off_the_words_before_the_number(words: str, bound: str) -> None:
    """The words "no fewer than" are the opposite of "fewer than"."""
    assert killed(f"{words} 100 people died").bound == bound


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("nearly 100 died", "more than 100 died", True),
        ("100 died", "84 died", True),
        ("100 died", "a hundred died", False),
        ("about 100 died", "100 were killed", False),
        ("nearly 100 died", "almost 100 were killed", False),
        ("nearly 100 died", "100 died", False),
        ("more than 100 died", "100 died", False),
    ],
)
def test_quantities_conflict_by_value_or_by_bound(one: str, other: str, *, expected: bool) -> None:
    """As "nearly 100" and "more than 100" cannot both be right, and the same number in other words can."""
    assert conflict(killed(one), killed(other)) is expected
    assert conflict(killed(other), killed(one)) is expected


def test_quantities_of_different_things_do_not_conflict() -> None:
    """The number of the people and the number of the dead may both be right."""
    assert not conflict(Quantity("100", "", frozenset({"peopl"})), Quantity("84", "", frozenset({"die"})))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("€5 million", "euro"), ("5 million euros", "euro"), ("-£12", "pound"), ("$3tn", "dollar"),
        ("5 million US dollars", "dollar"), ("3.8 per cent", "percent"), ("3.8%", "percent"),
        ("12 percentage points", "point"), ("\u221212 degrees", "degree"), ("12°C", "degree"), ("a 5-km run", "km"),
        ("the 12-year-old", "year"), ("420 bus drivers", ""), ("5m people", ""), ("84", ""),
    ],
)  # fmt: skip
def test_a_number_has_a_unit(text: str, unit: str) -> None:
    """A currency before or behind it, a measure behind it; what only counts has none."""
    ((_, span),) = find_counts(text)
    assert unit_of(text, span) == unit


def test_quantities_of_other_units_do_not_conflict() -> None:
    """£8 and 420 drivers may both be right."""
    drivers = counted_stems("How many drivers?")
    first, second = (find_quantity(text, drivers) for text in ("420 drivers walk out", "drivers pay £8 a day"))
    assert first
    assert second
    assert (first.unit, second.unit) == ("", "pound/")  # a day
    assert not conflict(first, second)
    assert find_quantity("420 drivers walk out", drivers, is_money=True) is None


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It will cost £5.", True),
        ("It was expected to cost £5.", True),
        ("It cost £5.", False),
        ("It has cost £5.", False),
    ],
)
def test_a_forecast_is_known_by_its_verb(sentence: str, *, expected: bool) -> None:
    """Plans, guesses and conditions."""
    assert is_forecast(sentence) is expected


PIECES = st.lists(
    st.sampled_from(
        ["nearly ", "killed ", "100 ", "1,200 ", "Jan. ", "3 ", "May ", "2018 ", "people ", "two ", "\n", "%"]
    )
    | st.text(max_size=4)
).map("".join)


@given(PIECES, PIECES)
def test_any_text_is_read(sentence: str, question: str) -> None:
    """A quantity found stands in the text, and some of what is counted stands beside it."""
    counted = counted_stems(question)
    quantity = find_quantity(sentence, counted)
    if quantity is not None:
        assert quantity.value in [value for value, _ in find_counts(sentence)]
        assert quantity.counted
        assert quantity.counted <= counted
        assert not conflict(quantity, quantity)


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("How many parking spaces are there?", "spaces"),
        ("How many people died?", "people"),
        ("How many electric cars were sold?", "cars"),
        ("How many clients lost money?", "clients"),
        ("How many were hurt?", ""),
        ("How many of them are left?", ""),
        ("How much did it cost?", ""),
    ],
)
def test_what_how_many_counts(question: str, noun: str) -> None:
    """The noun behind it, where there is certainly one."""
    assert counted_noun(question) == noun


@pytest.mark.parametrize(
    ("text", "noun", "is_counted"),
    [
        ("Its 312 pupils left.", "pupils", True),
        ("Its 312 pupils left.", "students", True),
        ("Its 312 pupils left.", "teachers", False),
        ("Four miners died.", "people", True),
        ("They cut 3,000 jobs.", "employees", True),
        ("About 20 new electric buses run.", "buses", True),
        ("Libraries get €9 million.", "libraries", False),
        ("It costs nine crowns.", "crowns", True),
        ("Hale, 58, denies it.", "clients", False),
        ("They won 3-1.", "goals", False),
        ("Nine of them stayed.", "teachers", None),
        ("The crowd was 8,412.", "fans", None),
    ],
)
def test_whether_a_number_counts_a_noun(text: str, noun: str, *, is_counted: bool | None) -> None:
    """Or another thing, or what is open."""
    _, span = find_counts(text)[0]
    assert counts(text, span, noun) is is_counted


def test_how_much_is_no_count() -> None:
    """But a measure, or a number that stands alone."""
    texts = ["He placed 61 bets.", "It weighs 240 kilos.", "It rose to 61."]
    assert [is_amount(text, find_counts(text)[0][1]) for text in texts] == [False, True, True]


@pytest.mark.parametrize(
    ("sentence", "before", "value"),
    [
        ("The figure has risen to nine.", "Six people died.", "9"),
        ("It now stands at 40.", "The death toll is rising.", "40"),
        ("The toll from the long-burning fire in the northern valley has risen to six.", "The toll", "6"),
    ],
)
def test_a_number_that_has_risen_counts_what_stands_before(sentence: str, before: str, value: str) -> None:
    """Where the sentence itself does not say what it counts."""
    quantity = risen_quantity(sentence, before, KILLED)
    assert quantity
    assert quantity.value == value
    assert risen_quantity(sentence, "The rent went up.", KILLED) is None


@pytest.mark.parametrize(
    ("sentence", "value"),
    [
        ("A seventh man has died of his injuries.", "7"),
        ("A climber was killed and four others were injured.", "1"),
        ("Eleven people were killed and 23 injured.", "11"),
    ],
)
def test_deaths_are_told_from_injuries(sentence: str, value: str) -> None:
    """Also where the dead are counted by an ordinal, or there is a single one."""
    assert killed(sentence).value == value
