"""The same story told twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from index.cleaning.clean import clean
from index.load import load
from index.models import Article, RawRecord
from index.near_duplicates import are_near_duplicates, group_near_duplicates, holds, signature
from tests.corpus import article, prose

TOLD = (
    "A ferry ran aground off Carrow on Tuesday night with 48 people on board. Nobody was hurt, the coastguard said. "
    "The captain told the harbour office that fog had hidden the light on the northern pier. "
    "Two lifeboats brought the passengers ashore within an hour. Divers will look at the hull on Thursday."
)
SHORTENED = (
    "A ferry ran aground off Carrow on Tuesday night with 48 people on board. Nobody was hurt, according to officials. "
    "Two lifeboats brought the passengers ashore within an hour."
)
FERRY = article("one", TOLD, headline="Ferry runs aground off Carrow", published=date(2024, 3, 6))
RETOLD = article("two", SHORTENED, headline="Passengers safe after ferry runs aground", published=date(2024, 3, 7))


def same(one: Article, other: Article) -> bool:
    """Whether two articles tell one story; it must not matter which is asked first."""
    forth, back = (are_near_duplicates(signature(a), signature(b)) for a, b in ((one, other), (other, one)))
    assert forth == back
    return forth


def dated(one: Article, published: date | None) -> Article:
    """The article on another day."""
    return Article(replace(one.source, published=published), one.body)


def test_the_seeds_are_one_story(seeds: Path) -> None:
    """Two outlets' versions of one agency report, of which only a third is the same, are one story."""
    one, other = (clean(found) for found in load([seeds]) if isinstance(found, RawRecord))
    assert same(one, other)
    assert set(group_near_duplicates({one.id: one, other.id: other}).values()) == {one.id}


def test_a_shortened_rewrite_is_the_same_story() -> None:
    """What counts is how much of the shorter one is in the longer one."""
    assert same(FERRY, RETOLD)
    assert same(FERRY, FERRY)


def test_pages_that_share_only_their_boilerplate_are_not() -> None:
    """One site's pages with the same text under unrelated titles tell nothing twice."""
    boilerplate = "Subscribe to our newsletter to get the best stories of the week. " + TOLD
    one = article("one", boilerplate, headline="Parliament passes the budget")
    other = article("two", boilerplate, headline="Goalkeeper signs until summer")
    assert not same(one, other)


def test_pages_of_boilerplate_are_not_merged_for_their_titles() -> None:
    """Titles that share words do not make a story of pages whose text speaks of neither."""
    one = article("one", TOLD, headline="Quiz of the week: spring edition | The Gazette")
    other = article("two", TOLD, headline="Quiz of the week: early spring | The Gazette")
    assert not same(one, other)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("March 7", "March 10", False), ("Sept. 9", "September 12", False), ("Sept. 9", "September 9", True),
     ("3 - 9 December", "10 - 16 December", False), ("March 7", "Tuesday", True)],
)  # fmt: skip
def test_editions_of_a_series_are_not_the_same(one: str, other: str, expected: bool) -> None:  # noqa: FBT001  # a column of the table above
    """Headlines that each name a day, and not the same one, part what would be one story."""
    head = "The captain, the ferry and the harbour light: {}"
    assert same(article("one", TOLD, headline=head.format(one)), article("two", TOLD, headline=head.format(other))) is (
        expected
    )


def test_a_follow_up_that_repeats_the_older_report_is_not_the_same() -> None:
    """The news stands at the top: what two articles share further down does not make them one report."""
    shared, news, other_news = prose(40), TOLD, " ".join(reversed(TOLD.split()))
    headline = "Council to repair the bridge"
    one, other = (article("one", f"{told} {shared}", headline=headline) for told in (news, other_news))
    assert not same(one, other)
    one, other = (article("one", f"{shared} {told}", headline=headline) for told in (news, other_news))
    assert same(one, other)


def test_stories_of_one_subject_are_not_the_same() -> None:
    """A follow-up in its own words is another story."""
    follow_up = (
        "Divers found a crack of two metres in the hull of the ferry that ran aground off Carrow, its owner said."
    )
    assert not same(FERRY, article("two", follow_up, headline="Ferry off Carrow has cracked hull"))


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2024, 3, 6), True), (date(2024, 3, 13), True), (date(2024, 3, 14), False), (date(2023, 3, 6), False),
     (None, True)],
)  # fmt: skip
def test_dates_far_apart_part_stories(day: date | None, expected: bool) -> None:  # noqa: FBT001  # a column of the table above
    """The same words a week later are of another event; where a date is not known it parts nothing."""
    assert same(FERRY, dated(RETOLD, day)) is expected


@pytest.mark.parametrize("body", ["", "Rain.", "Rain fell.", "日本", "?!"])
def test_texts_too_short_to_compare_are_not_the_same(body: str) -> None:
    """Fewer than three words have nothing to compare by, and raise nothing."""
    one, other = article("one", body, headline="Weather"), article("two", body, headline="Weather")
    assert not same(one, other)
    assert not same(one, FERRY)


def test_the_first_is_the_one_that_the_others_retell() -> None:
    """Stories are grouped in the order given; an article of its own stands for itself."""
    other = article("three", prose(5), headline="Council repairs the bridge")
    assert group_near_duplicates({"two": RETOLD, "three": other, "one": FERRY}) == {
        "two": "two",
        "three": "three",
        "one": "two",
    }
    assert group_near_duplicates({"one": FERRY, "two": RETOLD}) == {"one": "one", "two": "one"}
    assert group_near_duplicates({}) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "It rained. “Some 40 guests”, they said.\n\nNearly 40 guests of the Marrow inn fled to Norland, it said.",
            True,
        ),
        ("In the end nearly 40 guests of the Marrow inn fled to Norland.", True),
        ("Nearly 41 guests of the Marrow inn fled to Norland.", False),
        ("Nearly 40 guests of the Norland inn fled to Marrow.", False),
        ("None of nearly 40 guests of the Marrow inn fled to Norland.", False),
        ("Nearly 40 guests of the Marrow inn are well.", False),
        ("The Marrow inn burnt. Nearly 40 guests fled. Some went to Norland.", False),
        ("", False),
    ],
)
def test_a_text_holds_a_sentence(text: str, *, expected: bool) -> None:
    """In hardly other words: with all its names and numbers in their order, and what is denied is not affirmed."""
    assert holds(text, "Nearly 40 guests of the Marrow inn fled to Norland.") is expected
