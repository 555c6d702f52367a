"""New articles are found by their words at once, by their meaning as they are embedded."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.embedding.embed import Vectors
from index.models import ClippingsError
from index.reading.chunk import chunk
from index.search import Searcher
from index.status import status
from index.storage.home import Home
from index.storage.writer import Writer
from index.text import stems
from tests.corpus import BOTH_HOMES, article, run, write

pytestmark = pytest.mark.process
QUESTION = np.eye(1, 384, dtype=np.float32)[0]


class Slow:
    """An embedding model that waits until it may begin, and gives all texts the same vector."""

    def __init__(self, error: Exception | None = None) -> None:
        self.may_begin, self.error = threading.Event(), error

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Return the vector once for each text."""
        assert self.may_begin.wait(30)
        if self.error:
            raise self.error
        return np.array([QUESTION] * len(texts))


@contextmanager
def writing(home: Home, model: Any) -> Iterator[Writer]:
    """A writer with this model, which ends with what waits left undone."""
    with home.locked():
        generation, _ = home.open_for_writing()
        with closing(generation), closing(Writer(generation, model)) as writer:
            yield writer


def put(writer: Writer, body: str, name: str = "a") -> None:
    """Write an article."""
    new = article(name, body)
    writer.write([(new, chunk(new), body)])


def found(searcher: Searcher, words: str, model: Slow | None = None) -> list[str]:
    """The passages for some words."""
    passages = searcher.search(QUESTION, stems(words), embed=model.passages if model else None)
    return [passage.text for passage in passages]


@BOTH_HOMES
def test_words_come_first(home: Home) -> None:
    """A reader finds an article before its vectors are there, by the same cosine as later; status says how far."""
    model, ready = Slow(), Slow()
    ready.may_begin.set()
    with writing(home, model) as writer:
        put(writer, "An aquarium got an octopus.")
        with closing(Searcher(home)) as searcher:
            assert found(searcher, "octopus", ready) == ["An aquarium got an octopus."]
            assert searcher.search(QUESTION, ["octopus"], embed=ready.passages)[0].cosine == pytest.approx(1)
            assert found(searcher, "octopus") == []
            state = status(home)
            assert (state.chunks, state.embedded, state.healthy, writer.waiting) == (1, 0, False, 1)
            assert "(0 of 1 chunks are embedded)" in str(state.problem)
            model.may_begin.set()
            writer.embed_all()
            assert writer.waiting == 0
            assert found(searcher, "anything else") == ["An aquarium got an octopus."]


@BOTH_HOMES
def test_what_waits_when_a_run_ends_is_embedded_by_the_next(home: Home, weights: Path, tmp_path: Path) -> None:
    """Whatever ended it, an error of the model included."""
    model = Slow(ClippingsError("no more memory"))
    with writing(home, model) as writer:
        put(writer, "An aquarium got an octopus.")
        model.may_begin.set()
        with pytest.raises(ClippingsError, match="no more memory"):
            writer.embed_all()
        put(writer, "A theatre burned down.", "b")
    write(tmp_path / "texts", "mill", "The mill lost a sail.")
    assert run(home, [tmp_path / "texts"], weights).chunks_embedded == 3
    with closing(home.open(str(home.current()))) as generation:
        assert sorted(generation.store.ids()) == sorted(generation.catalogue.all_chunk_ids())
        assert not generation.catalogue.get("dirty")


@pytest.mark.parametrize("begins_first", [True, False])
def test_an_article_that_changes_while_it_waits_leaves_no_vector(home: Home, *, begins_first: bool) -> None:
    """Of the version that is gone, whether it is embedded before the change or after."""
    model = Slow()
    with writing(home, model) as writer:
        put(writer, "The first version.")
        if begins_first:
            model.may_begin.set()
        else:
            threading.Timer(0.2, model.may_begin.set).start()
        put(writer, "The second version.")
        writer.embed_all()
        generation = writer.generation
        assert list(generation.store.ids()) == generation.catalogue.all_chunk_ids()
