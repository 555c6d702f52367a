"""The articles, their chunks and the lexical index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.models import Article, Boilerplate, Chunk, ClippingsError, Filters, IndexDamaged, Source
from index.storage.catalogue import Catalogue
from index.storage.catalogue_postgres import PostgresCatalogue
from index.storage.catalogue_sqlite import SQLiteCatalogue
from index.storage.postgres import Postgres
from index.text import stems
from tests.corpus import article

BRIDGE = article("bridge", "The bridge reopened. Forty people walked.", outlet="Courier", published=date(2024, 1, 5))
MILL = article("mill", "The old mill burned down.", outlet="Gazette", published=date(2024, 2, 1))
NOTE = article("note", "The bridge and the mill are old.")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalogue]:
    """An empty catalogue in either database, open."""
    if request.param == "sqlite":
        reader: Catalogue = SQLiteCatalogue(tmp_path / "catalogue.sqlite")
    else:
        reader = PostgresCatalogue(Postgres(request.getfixturevalue("postgres_url")), make=True)
    yield reader
    reader.close()


@pytest.fixture
def catalogue(request: pytest.FixtureRequest, reader: Catalogue, tmp_path: Path) -> Iterator[Catalogue]:
    """Three articles, one of them without outlet and date."""
    if isinstance(reader, SQLiteCatalogue):
        catalogue: Catalogue = SQLiteCatalogue(tmp_path / "catalogue.sqlite")
    else:
        catalogue = PostgresCatalogue(Postgres(request.getfixturevalue("postgres_url"), writer=True))
    put(catalogue, BRIDGE, MILL, NOTE)
    yield catalogue
    catalogue.close()


def put(catalogue: Catalogue, *articles: Article) -> None:
    """Put articles in, each as one chunk."""
    with catalogue.transaction():
        for one in articles:
            catalogue.put(one, f"digest of {one.id}", [Chunk(f"{one.id}-1", one.id, 0, len(one.body), one.body)])


def hits(catalogue: Catalogue, question: str, filters: Filters | None = None) -> list[str]:
    """The ids of the articles that are found, without their chunk's number."""
    return [name.removesuffix("-1") for name, _ in catalogue.search(stems(question), 10, filters or Filters())]


def test_an_article_comes_back_as_it_was(catalogue: Catalogue) -> None:
    """Every field of an article is kept, its boilerplate too."""
    source = Source(
        "x", 'He said "no"', "Courier", "A. Author", date(2024, 1, 5), "dateline", False,
        "https://example.org/?a=1", "/a'b/ü.txt", "en",
    )  # fmt: skip
    whole = Article(
        source, "One.\n\nTwo 🙂 'quoted'.", (Boilerplate("caption", "A man, ﬁnally"), Boilerplate("credit", ""))
    )
    put(catalogue, whole)
    assert catalogue.article("x") == whole
    assert catalogue.article("nobody") is None
    assert catalogue.known("x") == ("digest of x", "/a'b/ü.txt")
    assert catalogue.known("nobody") is None


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), st.data())
def test_a_chunk_is_the_text_of_its_span(body: str, data: st.DataObject) -> None:
    """Offsets count characters as Python does, in every script."""
    start = data.draw(st.integers(0, len(body) - 1))
    end = data.draw(st.integers(start + 1, len(body)))
    with TemporaryDirectory() as folder, closing(SQLiteCatalogue(Path(folder, "catalogue.sqlite"))) as catalogue:
        with catalogue.transaction():
            catalogue.put(Article(Source("a", "b"), body), "", [Chunk("c", "a", start, end, "")])
        assert catalogue.chunks(["c"])["c"].text == body[start:end]


def test_a_transaction_is_all_or_nothing(catalogue: Catalogue) -> None:
    """What was written before an error inside is as if it had never been, the lexical index included."""
    changed = article("bridge", "Nothing about crossing water.")

    def fail() -> None:
        with catalogue.transaction():
            catalogue.put(changed, "new", [Chunk("new", "bridge", 0, 5, "")])
            catalogue.remove("mill")
            catalogue.set("key", "value")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert catalogue.article("bridge") == BRIDGE
    assert catalogue.counts() == (3, 3)
    assert catalogue.get("key") is None
    assert hits(catalogue, "mill") == ["mill", "note"]
    put(catalogue, changed)  # and the next one works
    assert catalogue.article("bridge") == changed


def test_a_reader_sees_a_transaction_whole(catalogue: Catalogue, reader: Catalogue) -> None:
    """Another connection sees nothing of it before its end, all of it after, and is told by the version."""
    version = reader.version()
    with catalogue.transaction():
        catalogue.remove("mill")
        assert reader.counts() == (3, 3)
        assert reader.version() == version
    assert reader.counts() == (2, 2)
    assert reader.version() != version


def test_putting_replaces(catalogue: Catalogue) -> None:
    """An article that is put again has only its new chunks and words."""
    put(catalogue, article("mill", "A quiet day."))
    assert catalogue.counts() == (3, 3)
    assert hits(catalogue, "burned") == []
    assert hits(catalogue, "quiet") == ["mill"]


def test_words_of_removed_articles_are_gone(catalogue: Catalogue) -> None:
    """A removed article is found by no word, and counts for none."""
    before = catalogue.idf(["bridg"])["bridg"]
    with catalogue.transaction():
        catalogue.remove("bridge")
        catalogue.remove("nobody")
    assert hits(catalogue, "bridge walked") == ["note"]
    assert catalogue.chunk_ids("bridge") == []
    assert catalogue.article_of("bridge-1") is None
    assert catalogue.idf(["bridg"])["bridg"] != before
    assert len({*catalogue.idf(["walk", "neverseen"]).values()}) == 1


def test_search_finds_words_by_their_stems(catalogue: Catalogue) -> None:
    """Any of the words makes a hit, more and rarer ones a better one; scores are positive, best first."""
    found = catalogue.search(stems("people walking over bridges"), 10)
    assert [name for name, _ in found] == ["bridge-1", "note-1"]
    assert found[0][1] > found[1][1] > 0
    assert catalogue.search(stems("people walking over bridges"), 1) == found[:1]


def test_search_reads_the_headline(catalogue: Catalogue) -> None:
    """A word that stands only in the headline is a hit."""
    put(catalogue, article("fire", "It was out by noon.", headline="Blaze in Aldermoor"))
    assert hits(catalogue, "Aldermoor blaze") == ["fire"]


@pytest.mark.parametrize(
    "words",
    [[], [""], [" "], ['"'], ['brid"g'], ["AND"], ["NOT", "OR"], ["NEAR(bridg mill)"], ["*"], ["bridg*x"], ["-"],
     ["headline:mill"], ["^bridgx"], ["\0"], ["'"], ["日本語"], ["("], ["+"], ["{x}"]],
)  # fmt: skip
def test_search_takes_any_words(catalogue: Catalogue, words: list[str]) -> None:
    """Quotes and operators of the query language are no more than characters, and find nothing here."""
    assert catalogue.search(words, 10) == []
    assert [name for name, _ in catalogue.search([*words, "burn"], 10)] == ["mill-1"]
    assert [name for name, _ in catalogue.search([*words, "burn"], 10, Filters(outlet="Gazette"))] == ["mill-1"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_search_never_fails(words: list[str]) -> None:
    """Whatever the words, search returns; nothing is found where nothing is indexed."""
    with TemporaryDirectory() as folder, closing(SQLiteCatalogue(Path(folder, "catalogue.sqlite"))) as catalogue:
        assert catalogue.search(words, 10) == []


def test_a_thousand_words_can_be_searched(catalogue: Catalogue) -> None:
    """A question as long as an article is no error."""
    assert hits(catalogue, " ".join(f"word{i}" for i in range(1_000)) + " mill") == ["mill", "note"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), {"bridge", "mill", "note"}),
        (Filters(outlet="Courier"), {"bridge"}),
        (Filters(outlet="cOURIER"), {"bridge"}),
        (Filters(outlet="Cour"), set()),
        (Filters(outlet=""), set()),
        (Filters(since=date(2024, 1, 5)), {"bridge", "mill"}),
        (Filters(since=date(2024, 1, 6)), {"mill"}),
        (Filters(until=date(2024, 1, 5)), {"bridge"}),
        (Filters(until=date(2024, 1, 4)), set()),
        (Filters(since=date(2024, 1, 5), until=date(2024, 2, 1)), {"bridge", "mill"}),
        (Filters(as_of=date(2024, 1, 5)), {"bridge", "note"}),
        (Filters(as_of=date(2000, 1, 1)), {"note"}),
        (Filters("Gazette", date(2024, 1, 1), date(2024, 12, 31), date(2024, 2, 1)), {"mill"}),
    ],
)
def test_filters(catalogue: Catalogue, filters: Filters, expected: set[str]) -> None:
    """Days are inclusive. Without a date an article passes neither since nor until, but exists on any day asked."""
    assert set(hits(catalogue, "bridge mill", filters)) == expected
    everything = catalogue.all_chunk_ids()
    assert {name.removesuffix("-1") for name in catalogue.passing(filters)} == expected
    assert {row.source.id for row in catalogue.chunks(everything, filters).values()} == expected


def test_filtered_hits_have_the_scores_of_the_others(catalogue: Catalogue) -> None:
    """A filter leaves hits out and changes no score."""
    scores = dict(catalogue.search(["bridg", "mill"], 10))
    for name, score in catalogue.search(["bridg", "mill"], 10, Filters(outlet="Courier")):
        assert score == pytest.approx(scores[name])


def test_unknown_chunks_are_passed_over(catalogue: Catalogue) -> None:
    """Ids that the catalogue does not know, as a killed writer leaves them among the vectors, give nothing."""
    assert set(catalogue.chunks(["bridge-1", "left over", ""])) == {"bridge-1"}
    assert catalogue.chunks([]) == {}


def test_rarity_grows_as_words_get_rarer(catalogue: Catalogue) -> None:
    """A word of no chunk is rarer than one of a single chunk, and that rarer than one of two."""
    idf = catalogue.idf(["zebra", "burn", "bridg"])
    assert idf["zebra"] > idf["burn"] > idf["bridg"] > 0
    assert catalogue.idf([]) == {}


def test_what_is_indexed_can_be_listed(catalogue: Catalogue) -> None:
    """Newest first, those without a date last; outlets with their counts; the first and the last day."""
    assert [source.id for source in catalogue.sources()] == ["mill", "bridge", "note"]
    assert [source.id for source in catalogue.sources(1)] == ["mill"]
    assert catalogue.outlets() == {"": 1, "Courier": 1, "Gazette": 1}
    assert catalogue.period() == (date(2024, 1, 5), date(2024, 2, 1))
    assert catalogue.paths()[0] == ("bridge", "/articles/bridge.md")
    assert catalogue.article_of("mill-1") == "mill"


def test_an_empty_catalogue_is_read_as_one(reader: Catalogue) -> None:
    """Nothing indexed is no error here."""
    assert reader.counts() == (0, 0)
    assert reader.period() == (None, None)
    assert reader.outlets() == {}
    assert reader.passing(Filters()) == []
    assert reader.search(["bridg"], 10) == []


@pytest.mark.parametrize("start", [0, 4_096], ids=["from the first byte", "past the first page"])
def test_a_damaged_file_is_named_with_the_way_out(tmp_path: Path, start: int) -> None:
    """A file that is no database, or no longer one, is told as damaged, with what to do."""
    file = tmp_path / "catalogue.sqlite"
    catalogue = SQLiteCatalogue(file)
    put(catalogue, BRIDGE, MILL)
    catalogue.close()
    content = file.read_bytes()
    file.write_bytes(content[:start] + b"\x5a" * (len(content) - start))

    def read() -> None:
        with closing(SQLiteCatalogue(file)) as damaged:
            damaged.article("bridge")

    with pytest.raises(IndexDamaged, match=r"catalogue\.sqlite is damaged .* Rebuild it: `clippings index FOLDER`"):
        read()


def test_a_folder_that_cannot_be_written_to_is_not_called_damaged(tmp_path: Path) -> None:
    """Where the surroundings are at fault, nobody is told to delete an index."""
    with pytest.raises(ClippingsError, match="See that its folder can be written to") as caught:
        SQLiteCatalogue(tmp_path / "missing" / "catalogue.sqlite")
    assert not isinstance(caught.value, IndexDamaged)


def test_a_writer_is_told_in_words_as_well(tmp_path: Path) -> None:
    """A file that another program has locked ends in a sentence, and the article stays as it was."""
    file = tmp_path / "catalogue.sqlite"
    catalogue = SQLiteCatalogue(file)
    put(catalogue, BRIDGE)
    catalogue._db.execute("PRAGMA busy_timeout = 0")
    with sqlite3.connect(file) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ClippingsError, match="locked"):
            put(catalogue, MILL)
    other.close()
    assert catalogue.counts() == (1, 1)
    catalogue.close()


def test_people_and_quotations_come_and_go_with_their_article(catalogue: Catalogue) -> None:
    """They are found by surname and by office, newest article first, within the filters."""
    body = "The mayor, Ann Lee, came. “It is fine,” Lee said."
    old = article("old", body, published=date(2024, 1, 1))
    new = article("new", body, published=date(2024, 3, 1))
    put(catalogue, old, new)
    rows = catalogue.people(surname="lee")
    assert [(source.id, person.office, body[slice(*person.name)]) for source, person in rows] == [
        ("new", "mayor", "Ann Lee"), ("old", "mayor", "Ann Lee"),
    ]  # fmt: skip
    assert catalogue.people(office="mayor") == rows
    spoken = catalogue.quotations(surname="lee", filters=Filters(until=date(2024, 2, 1)))
    assert [(source.id, body[slice(*quotation.span)]) for source, quotation in spoken] == [
        ("old", "“It is fine,” Lee said.")
    ]
    assert catalogue.quotations(article="old") == spoken
    assert catalogue.surnames("lea") == ["lee"]
    assert catalogue.named("ann") == ["lee"]
    put(catalogue, article("new", "Nobody."))
    with catalogue.transaction():
        catalogue.remove("old")
    assert catalogue.people(surname="lee") == []
    assert catalogue.quotations(surname="lee") == []
