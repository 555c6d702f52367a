"""Articles cut into chunks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from index.models import Article, Source
from index.reading.chunk import chunk, header
from index.text import sentences
from tests.corpus import article, prose

SENTENCES = st.lists(
    st.sampled_from(
        [
            "Rain fell on the town for two days.",
            "The U.S. government said on Jan. 3 that Gen. Alder had left.",
            '"Nobody asked us," she said.',
            "Why?",
            prose(1),
            "It was a long winter, and " + "the river rose and fell " * 12 + "until spring.",
        ]
    ),
    max_size=60,
)
BODIES = st.text() | st.lists(
    st.sampled_from(["word", "x" * 1_700, "日本" * 900, "U.S.", "end.", "\n\n", "\n", " ", "  ", "Is it?", "\xa0"])
).map("".join)


@given(SENTENCES, st.sampled_from([" ", "\n", "\n\n"]))
def test_chunks_hold_every_sentence_once(parts: list[str], between: str) -> None:
    """Chunks start where a sentence starts, end where one ends, and leave nothing out."""
    body = between.join(parts)
    starts, ends = zip(*sentences(body), strict=True) if parts else ((), ())
    chunks = chunk(article("a", body))
    assert {one.start for one in chunks} <= set(starts)
    assert {one.end for one in chunks} <= set(ends)
    _check_cover(body, [(one.start, one.end) for one in chunks])


@given(BODIES)
def test_any_body_is_covered(body: str) -> None:
    """Text without spaces, of other scripts or on one huge line is cut between words or by length, and none is lost."""
    chunks = chunk(article("a", body))
    _check_cover(body, [(one.start, one.end) for one in chunks])
    assert len({one.id for one in chunks}) == len(chunks)
    assert all(one.embedded.endswith(body[one.start : one.end]) for one in chunks)


def _check_cover(body: str, spans: list[tuple[int, int]]) -> None:
    end = 0
    for start, stop in spans:
        assert end <= start < stop <= len(body)
        assert not body[end:start].strip()
        assert body[start:stop] == body[start:stop].strip()
        end = stop
    assert not body[end:].strip()


@pytest.mark.parametrize(
    "body",
    ["x" * 100_000, "日本語。" * 20_000, "word " * 20_000, "one, " * 20_000, "a\n" * 20_000],
    ids=["no space", "Japanese", "no sentence end", "commas", "short lines"],
)
def test_no_chunk_is_huge(body: str) -> None:
    """What has no sentence end is cut all the same: a chunk stays what a model can read and a reader can check."""
    chunks = chunk(article("a", body))
    assert max(one.end - one.start for one in chunks) <= 3_200
    assert max(len(body[one.start : one.end].split()) for one in chunks) <= 270


def test_chunks_have_about_200_words() -> None:
    """Prose is packed up to 200 words; a short rest joins the chunk before it."""
    body = prose(52)
    lengths = [len(body[one.start : one.end].split()) for one in chunk(article("a", body))]
    assert lengths == [200, 200, 200, 200, 240]
    body = prose(55)
    lengths = [len(body[one.start : one.end].split()) for one in chunk(article("a", body))]
    assert lengths == [200, 200, 200, 200, 200, 100]


def test_the_header_is_embedded_and_no_part_of_the_span() -> None:
    """Headline, outlet and date help to find a chunk, but are nothing that can be quoted from its body."""
    one = article("a", prose(3), headline="Old mill burns", outlet="Courier", published=date(2024, 1, 5))
    (only,) = chunk(one)
    assert only.embedded == "Old mill burns\nCourier, 5 January 2024\n" + one.body
    assert one.body[only.start : only.end] == one.body


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Source("a", "Mill burns", "Courier", published=date(2024, 1, 5)), "Mill burns\nCourier, 5 January 2024\n"),
        (Source("a", "Mill burns", "Courier"), "Mill burns\nCourier\n"),
        (Source("a", "Mill burns", published=date(987, 12, 31)), "Mill burns\n31 December 987\n"),
        (Source("a", "Mill burns"), "Mill burns\n"),
        (Source("a", ""), ""),
    ],
)
def test_the_header_leaves_out_what_is_not_known(source: Source, expected: str) -> None:
    """Nothing stands in for an outlet or a date that is not there."""
    assert header(source) == expected


def test_ids_are_stable() -> None:
    """The same article gives the same ids; another one with the same words, or a new headline, gives others."""
    one = article("a", prose(30))
    ids = {piece.id for piece in chunk(one)}
    assert ids == {piece.id for piece in chunk(one)}
    assert ids.isdisjoint(piece.id for piece in chunk(article("b", one.body, headline="About a")))
    renamed = Article(replace(one.source, headline="Another"), one.body)
    assert ids.isdisjoint(piece.id for piece in chunk(renamed))


def test_equal_chunks_have_their_own_ids() -> None:
    """A body that says the same thing again and again still has as many ids as chunks."""
    chunks = chunk(article("a", " ".join([prose(10)] * 5)))
    assert len({one.id for one in chunks}) == len(chunks) == 5


@given(st.integers(0, 49))
def test_a_changed_sentence_changes_only_its_chunk(position: int) -> None:
    """A sentence that keeps its length changes the id of the chunk that it is in, and of no other."""
    parts = [prose(1, start=i) for i in range(50)]
    before = [one.id for one in chunk(article("a", " ".join(parts)))]
    parts[position] = parts[position].replace("pounds", "crowns")
    after = [one.id for one in chunk(article("a", " ".join(parts)))]
    assert [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new] == [position // 10]


@given(st.integers(10, 49), st.integers(0, 3))
def test_chunks_before_a_change_stay(position: int, more: int) -> None:
    """Sentences that are put in leave the chunks before them as they are."""
    parts = [prose(1, start=i) for i in range(60)]
    before = [one.id for one in chunk(article("a", " ".join(parts)))]
    parts[position : position + 1] = [prose(1, start=100 + i) for i in range(more)]
    after = [one.id for one in chunk(article("a", " ".join(parts)))]
    kept = position // 10
    assert after[:kept] == before[:kept]


def test_english_prose_fits_the_model(weights: Path) -> None:
    """What is embedded of a chunk of news prose is never cut off at the model's 512 tokens."""
    tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
    hard = (
        "Striker Robert Kowalczyk scored twice as FC Hartmoor beat Fernhollow 3-1 on Jan. 5, 2024, for $1.2 million. "
    )
    for body in (prose(52), hard * 60):
        one = article("a", body, headline="H" + "eadline words " * 20, outlet="The Courier", published=date(2024, 1, 5))
        assert max(len(tokenizer.encode(piece.embedded).ids) for piece in chunk(one)) <= 512
