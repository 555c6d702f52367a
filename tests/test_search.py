"""Questions and filters to passages, over a real index."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.embedding.embed import Embedder, Vectors
from index.models import Chunk, ClippingsError, Filters, IndexDamaged, IndexMissing, Passage
from index.search import DatePreference, Searcher, fuse
from index.storage.generation import Generation, make_current
from index.storage.home import Home
from index.storage.integrity import record_checksums
from index.storage.servers import Servers
from index.text import stems
from tests.corpus import article, run, write

pytestmark = pytest.mark.process

FERRY = (
    "A ferry ran aground off Carrow on Tuesday night with 48 people on board. Nobody was hurt, the coastguard said. "
    "Two lifeboats brought the passengers ashore within an hour. Divers will look at the hull on Thursday."
)
ANOTHER_PROCESS = """
import pathlib, sys, index.ingest
data, articles, weights = map(pathlib.Path, sys.argv[1:])
index.ingest.ingest(data, [articles], model_dir=weights, prune=True, progress=lambda done, total: None)
"""
MANY, BIG = 2_500, 2_300


class Asker:
    """A searcher that takes questions as they are asked."""

    def __init__(self, place: Path | Home, embedder: Embedder) -> None:
        self.place, self.searcher = place, Searcher(place)
        self._embedder = embedder

    def ask(
        self, question: str, filters: Filters | None = None, preference: DatePreference | None = None
    ) -> list[Passage]:
        """The passages for a question."""
        vector = self._embedder.question(question)
        return self.searcher.search(vector, stems(question), filters=filters or Filters(), preference=preference)

    def close(self) -> None:
        """Let go of the files."""
        self.searcher.close()


@pytest.fixture(scope="module")
def embedder(weights: Path) -> Embedder:
    """One model for all questions."""
    return Embedder(weights)


@pytest.fixture(scope="module", params=["folder", "servers"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path | Home:
    """Where the index of the module is."""
    if request.param == "folder":
        return tmp_path_factory.mktemp("search") / "data"
    url = request.getfixturevalue("postgres").create("search")
    return Servers(url, request.getfixturevalue("chroma").url)


@pytest.fixture(scope="module")
def asker(
    tmp_path_factory: pytest.TempPathFactory, weights: Path, embedder: Embedder, place: Path | Home
) -> Iterator[Asker]:
    """Some articles, indexed: the ferry's story by two outlets, the mill's in two years, and one without a date."""
    folder = tmp_path_factory.mktemp("search")
    texts = folder / "articles"
    write(texts, "ferry", FERRY, headline="Ferry runs aground off Carrow", outlet="Courier", published=date(2024, 3, 6))
    short = FERRY.replace("Nobody was hurt, the coastguard said. ", "The coastguard counted three with bruises. ")
    write(texts, "again", short, headline="Ferry aground off Carrow", outlet="Gazette", published=date(2024, 3, 7))
    for year in (2021, 2024):
        mill = f"The mill festival of {year} drew a crowd to Hartmoor. A miller ground flour by hand."
        outlet = "Gazette" if year == 2021 else "Courier"
        write(texts, f"mill-{year}", mill, headline="Mill festival", outlet=outlet, published=date(year, 5, 1))
    write(texts, "bees", "Keep bees away from the wind, and feed them sugar in autumn.", headline="Keeping bees")
    write(
        texts, "frost", "Frost spoiled the orchards of Birchley in April.", outlet="Courier", published=date(2023, 4, 9)
    )
    run(place, [texts], weights)
    asker = Asker(place, embedder)
    yield asker
    asker.close()


def names(passages: Sequence[Passage]) -> list[str]:
    """Which articles they are of, by the names of their files."""
    return [Path(passage.source.path or "").stem for passage in passages]


def put_in_use(data: Path, generation: Generation) -> None:
    """Close a generation as a run does in the end: without a record, a reader tries it in a process for a second."""
    generation.close()
    record_checksums(generation.folder)
    make_current(data, generation.folder)


def new_on(day: date) -> DatePreference:
    """What the engine prefers where a question speaks of no days."""
    return DatePreference(day, day, boost=0.75, half_life_days=7)


def test_a_question_finds_its_article_by_words_and_by_meaning(asker: Asker) -> None:
    """Words of the article lead to it, and so do others that mean the same."""
    assert names(asker.ask("Which orchards did the frost spoil?"))[0] == "frost"
    found = asker.ask("advice for honey producers")
    assert names(found)[0] == "bees"
    assert found[0].lexical == 0


def test_a_passage_is_its_span(asker: Asker) -> None:
    """The text of a passage stands in the body of its article to the letter; scores fall."""
    found = asker.ask("ferry mill bees frost")
    for passage in found:
        body = asker.searcher.catalogue.article(passage.source.id)
        assert body
        assert body.body[passage.start : passage.end] == passage.text
        assert passage.cosine is not None
        assert -1 <= passage.cosine <= 1
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_a_retold_story_has_one_place(asker: Asker) -> None:
    """The better of two articles that tell one story is a passage; the other stands beside it with its own text."""
    found = asker.ask("How many passengers of the ferry had bruises?")
    assert names(found).count("again") == 1
    assert "ferry" not in names(found)
    (near_duplicates,) = found[0].near_duplicates
    assert names([near_duplicates]) == ["ferry"]
    assert near_duplicates.text in FERRY
    assert [source.outlet for source in found[0].also_in] == ["Courier"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(outlet="gazette"), {"again", "mill-2021"}),
        (Filters(outlet="Nobody's"), set()),
        (Filters(since=date(2023, 4, 9), until=date(2024, 3, 6)), {"frost", "ferry"}),
        (Filters(until=date(2021, 4, 30)), set()),
        (Filters(as_of=date(2021, 5, 1)), {"mill-2021", "bees"}),
        (Filters(outlet="Courier", since=date(2024, 3, 7)), {"mill-2024"}),
    ],
)
def test_filters_leave_nothing_else(asker: Asker, filters: Filters, expected: set[str]) -> None:
    """Only what passes is found. Without a date an article passes no since or until, but has always existed."""
    assert set(names(asker.ask("the mill, the ferry, bees and frost", filters))) == expected


def test_a_steer_prefers_and_leaves_nothing_out(asker: Asker) -> None:
    """Days that the question speaks of come first; what was published on others, or on none, is still there."""
    question = "What happened at the mill festival?"
    everything = set(names(asker.ask(question)))
    for year in (2021, 2024):
        found = asker.ask(question, preference=DatePreference(date(year, 1, 1), date(year, 12, 31)))
        assert names(found)[0] == f"mill-{year}"
        assert set(names(found)) == everything


@pytest.mark.parametrize(
    ("since", "until", "half_life_days", "expected"),
    [
        (date(2021, 4, 30), date(2021, 5, 1), 3, 1.0),
        (date(2021, 5, 3), date(2021, 5, 9), 2, 0.5),
        (date(2021, 4, 1), date(2021, 4, 29), 1, 0.25),
        (date(2021, 5, 2), date(2021, 5, 9), 0, 0.0),
    ],
    ids=["within", "two days before", "two days after", "no half-life"],
)
def test_nearby_days_gain_less_the_further_off_they_are(
    asker: Asker, since: date, until: date, half_life_days: int, expected: float
) -> None:
    """Outside the days of a preference its worth is halved for each half-life; without one nothing outside gains."""
    plain = {passage.chunk_id: passage.score for passage in asker.ask("mill festival")}
    found = asker.ask("mill festival", preference=DatePreference(since, until, half_life_days=half_life_days))
    gained = {name: passage.score - plain[passage.chunk_id] for name, passage in zip(names(found), found, strict=True)}
    assert gained["mill-2021"] == pytest.approx(expected)


def test_newest_first_prefers_the_later(asker: Asker) -> None:
    """Of two that answer alike the later one is first, whatever the days of the preference."""
    found = asker.ask(
        "mill festival", preference=DatePreference(date(2021, 1, 1), date(2021, 12, 31), newest_first=True)
    )
    mills = [name for name in names(found) if name.startswith("mill")]
    assert mills == ["mill-2024", "mill-2021"]
    assert "bees" in names(found)


def test_what_is_new_is_preferred_where_the_question_speaks_of_no_days(asker: Asker) -> None:
    """Of two that answer alike the one of these weeks is first; years later neither gains, without a date nothing."""
    plain = {passage.chunk_id: passage.score for passage in asker.ask("mill festival")}
    found = asker.ask("mill festival", preference=new_on(date(2024, 5, 2)))
    gained = {name: passage.score - plain[passage.chunk_id] for name, passage in zip(names(found), found, strict=True)}
    assert names(found)[0] == "mill-2024"
    assert gained["mill-2024"] > gained["again"] > 0
    assert gained["mill-2021"] == pytest.approx(0, abs=1e-9)
    assert gained["bees"] == 0
    late = asker.ask("mill festival", preference=new_on(date(2030, 1, 1)))
    assert {passage.chunk_id: passage.score for passage in late} == pytest.approx(plain, abs=1e-9)


def test_an_old_article_that_answers_is_before_a_new_one_nearby(
    tmp_path: Path, embedder: Embedder, weights: Path
) -> None:
    """What is new gains little: an event of years ago is found under the news of today of the same place."""
    texts, today = tmp_path / "articles", date(2024, 5, 2)
    write(texts, "old", "Fire destroyed the Carrow lighthouse. A lamp had fallen over.", published=date(2009, 1, 5))
    news = [
        "The Carrow lighthouse opens to visitors on Sunday, its keeper said.",
        "Painters begin their work at the Carrow lighthouse this week.",
        "The fire brigade of Carrow asks for volunteers.",
        "A ferry from Carrow was delayed by fog.",
        "Birchley wants a lighthouse museum like that of Carrow.",
    ]
    for number, text in enumerate(news):
        write(texts, f"new-{number}", text, headline="News from Carrow", published=today)
    run(tmp_path / "data", [texts], weights)
    asker = Asker(tmp_path / "data", embedder)
    for question in ("What destroyed the Carrow lighthouse?", "Carrow lighthouse fire", "Why did the lighthouse burn?"):
        assert names(asker.ask(question, preference=new_on(today)))[0] == "old"
    asker.close()


def test_the_order_is_always_the_same(asker: Asker, embedder: Embedder) -> None:
    """The same question gives the same passages in the same order, also to one who has just opened the index."""
    other = Asker(asker.place, embedder)
    for question in ("mill", "zebra", "", "What did people do?"):
        assert asker.ask(question) == asker.ask(question) == other.ask(question)
    other.close()


def test_an_empty_index_finds_nothing(tmp_path: Path, embedder: Embedder) -> None:
    """An index of no articles is no error."""
    generation = Generation.make(tmp_path / "generation-1")
    put_in_use(tmp_path, generation)
    asker = Asker(tmp_path, embedder)
    assert asker.ask("anything") == []
    assert asker.ask("anything", Filters(outlet="Courier")) == []
    assert asker.ask("anything", preference=DatePreference(date(2024, 1, 1), date(2024, 1, 2), newest_first=True)) == []
    asker.close()


def test_no_index_is_said(tmp_path: Path, embedder: Embedder) -> None:
    """Where nothing was indexed one sentence says how to; and nothing is made by asking."""
    asker = Asker(tmp_path / "data", embedder)
    with pytest.raises(IndexMissing, match=f"Nothing has been indexed in {tmp_path}/data. .*clippings index FOLDER"):
        asker.ask("anything")
    asker.close()
    assert list(tmp_path.iterdir()) == []


def test_an_index_of_another_model_is_never_read(tmp_path: Path, embedder: Embedder) -> None:
    """Vectors of two models cannot be compared: each question is told so, not only the first."""
    generation = Generation.make(tmp_path / "generation-1")
    generation.catalogue.set("fingerprint", "an older model/chunker-0")
    put_in_use(tmp_path, generation)
    asker = Asker(tmp_path, embedder)
    for _ in range(2):
        with pytest.raises(
            IndexMissing, match=r"^The index was built by another version. Run `clippings index` to rebuild it.$"
        ):
            asker.ask("anything")
    asker.close()


def test_missing_vectors_are_said(tmp_path: Path, embedder: Embedder, weights: Path) -> None:
    """An index without its vectors is damaged; it does not pass for one that has nothing to say."""
    write(tmp_path / "articles", "mill", "The mill of Greyford lost a sail.")
    run(tmp_path / "data", [tmp_path / "articles"], weights)
    shutil.rmtree(tmp_path / "data" / "generation-1" / "vectors")
    other = Asker(tmp_path / "data", embedder)
    with pytest.raises(IndexDamaged, match=r"vectors/chroma\.sqlite3 is not as it was written"):
        other.ask("mill")
    other.close()


@pytest.mark.process
def test_a_reader_sees_what_another_process_wrote(tmp_path: Path, embedder: Embedder, weights: Path) -> None:
    """New articles are found, changed ones as they are now, and deleted ones never again, without opening anew."""
    texts = tmp_path / "articles"
    write(texts, "kept", "The lighthouse keeper of Dunwick retired.")
    write(texts, "changed", "A windmill in Greyford lost a sail.")
    deleted = write(texts, "deleted", "An aquarium in Easterby got an octopus.")
    run(tmp_path / "data", [texts], weights)
    asker = Asker(tmp_path / "data", embedder)
    neighbour = Asker(tmp_path / "data", embedder)  # in this process too: none keeps the other from looking again
    for one in (asker, neighbour):
        assert names(one.ask("octopus"))[0] == "deleted"
    deleted.unlink()
    write(texts, "changed", "The quarry of Greyford was flooded.")
    write(texts, "new", "A theatre in Fernhollow burned down.")
    arguments = [str(tmp_path / "data"), str(texts), str(weights)]
    subprocess.run([sys.executable, "-c", ANOTHER_PROCESS, *arguments], check=True, timeout=60)
    for question, first in (("theatre fire", "new"), ("flooded quarry", "changed"), ("lighthouse", "kept")):
        found = asker.ask(question)
        assert names(found)[0] == first
        assert set(names(found)) == {"kept", "changed", "new"}
    assert not any("windmill" in passage.text for passage in asker.ask("windmill sail octopus"))
    assert neighbour.ask("theatre fire") == asker.ask("theatre fire")
    asker.close()
    neighbour.close()


def test_every_search_during_a_write_is_whole(tmp_path: Path, embedder: Embedder, weights: Path) -> None:
    """While all articles change at once, a reader finds each of them, as it was or as it is."""
    texts = tmp_path / "articles"
    for i in range(8):
        write(texts, f"a{i}", f"Version 0 of story {i} about the bridge.")
    run(tmp_path / "data", [texts], weights)
    asker = Asker(tmp_path / "data", embedder)
    vector, words = embedder.question("the bridge"), stems("bridge")
    seen: set[object] = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            try:
                found = asker.searcher.search(vector, words)
            except ClippingsError as error:
                seen.add(str(error))
                return
            told = {one.source.id for passage in found for one in (passage, *passage.near_duplicates)}
            seen.add((len(told), all("story" in passage.text for passage in found)))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for version in range(1, 4):
        for i in range(8):
            write(texts, f"a{i}", f"Version {version} of story {i} about the bridge.")
        run(tmp_path / "data", [texts], weights)
    over.set()
    for thread in threads:
        thread.join()
    asker.close()
    assert seen == {(8, True)}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Searcher, Vectors]]:
    """More chunks than are compared one by one, with vectors drawn by lot."""
    data = tmp_path_factory.mktemp("many")
    drawn = np.random.default_rng(1).normal(size=(MANY, 384))
    vectors = np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)
    generation = Generation.make(data / "generation-1")
    with generation.catalogue.transaction():
        for i in range(MANY):
            outlet, day = "Big" if i < BIG else "Small", date(2020, 1, 1) + timedelta(days=i)
            one = article(f"a{i}", f"Number{i} of many.", headline=f"Headline{i}", outlet=outlet, published=day)
            generation.catalogue.put(one, "", [_chunk(i)])
    generation.store.upsert([str(i) for i in range(MANY)], vectors)
    put_in_use(data, generation)
    searcher = Searcher(data)
    yield searcher, vectors
    searcher.close()


@pytest.mark.parametrize(
    ("filters", "low", "high"),
    [
        (Filters(), 0, MANY),
        (Filters(outlet="Big"), 0, BIG),
        (Filters(outlet="Small"), BIG, MANY),
        (Filters(since=date(2020, 1, 1) + timedelta(days=400)), 400, MANY),
        (Filters(until=date(2020, 1, 1) + timedelta(days=9)), 0, 10),
    ],
    ids=["none", "an outlet with most", "an outlet with few", "a long period", "a short period"],
)
def test_filters_find_the_nearest_that_pass(
    many: tuple[Searcher, Vectors], filters: Filters, low: int, high: int
) -> None:
    """Whether many or few pass, what is found is the nearest of those that do."""
    searcher, vectors = many
    question = vectors[MANY - 1] + vectors[0]
    question /= np.linalg.norm(question)
    cosines = vectors @ question
    found = searcher.search(question, [], filters=filters)
    expected = sorted(range(low, high), key=lambda i: -cosines[i])[:10]
    nearest = [int(passage.chunk_id) for passage in found[:10]]
    assert set(nearest[:2]) == set(expected[:2])  # the question lies between two: with [none] they tie
    assert len(set(nearest) & set(expected)) >= 8  # the search among many is approximate
    assert all(low <= int(passage.chunk_id) < high for passage in found)
    assert found[0].cosine == pytest.approx(cosines[expected[0]], abs=1e-4)


def test_a_word_finds_what_no_vector_would(many: tuple[Searcher, Vectors]) -> None:
    """A passage that only its words lead to is found, with its cosine."""
    searcher, vectors = many
    farthest = int(np.argmin(vectors @ vectors[0]))
    found = searcher.search(vectors[0], [str(farthest)])
    ours = next(passage for passage in found if passage.chunk_id == str(farthest))
    assert ours.lexical > 0
    assert ours.cosine == pytest.approx(float(vectors[farthest] @ vectors[0]), abs=1e-4)


def test_without_a_word_in_common_words_earn_nothing() -> None:
    """Where no word is found the order is that of the cosines; who has none is behind who has one."""
    assert fuse({}, {}) == {}
    cosines = {"a": 0.7, "b": 0.6, "c": 0.5}
    silent = fuse(cosines, {})
    assert sorted(silent, key=lambda name: -silent[name]) == ["a", "b", "c"]
    spoken = fuse(cosines, {"c": 5.0})
    assert spoken["a"] < silent["a"]
    assert spoken["c"] > silent["c"]


@given(st.dictionaries(st.text(max_size=3), st.tuples(st.floats(-1, 1), st.floats(0, 50)), min_size=2, max_size=20))
def test_better_in_both_is_better(scores: dict[str, tuple[float, float]]) -> None:
    """Who is at least as near and has at least the words is not behind; scores are numbers, ties and all."""
    lexical = {name: words for name, (_, words) in scores.items() if words}
    fused = fuse({name: cosine for name, (cosine, _) in scores.items()}, lexical)
    assert set(fused) == set(scores)
    assert np.isfinite(list(fused.values())).all()
    for one, (cosine, words) in scores.items():
        for other, (their_cosine, their_words) in scores.items():
            if cosine >= their_cosine and words >= their_words:
                assert fused[one] >= fused[other] - 1e-6


def _chunk(number: int) -> Chunk:
    body = f"Number{number} of many."
    return Chunk(str(number), f"a{number}", 0, len(body), body)
