"""Two outlets' web pages of one story: the boilerplate goes, the story is one, and the right sentence is quoted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from bot.answer import Engine
from bot.extract.quote import compose
from bot.extract.ranking import Retrieval
from bot.models import REFUSAL
from bot.runtime import make_engine
from bot.settings import Settings
from index.ingest import ingest
from index.models import Article
from index.near_duplicates import holds

ASKED = date(2024, 1, 31)


@pytest.fixture(scope="session")
def engine(seeds: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine over the two articles."""
    folder = tmp_path_factory.mktemp("seeds")
    report = ingest(folder, [seeds], model_dir=weights, progress=lambda _done, _total: None)
    assert (report.added, report.failed) == (2, ())
    with closing(make_engine(Settings(data=folder, model_dir=weights))) as made:
        yield made


@pytest.fixture(scope="session")
def find(engine: Engine) -> Callable[[str], Retrieval]:
    """What is found for a question, whether it is enough or not; once for all tests."""
    return cache(lambda question: engine.retrieve(question, as_of=ASKED))


def articles(engine: Engine) -> list[Article]:
    """Both articles, the longer one first."""
    found = [engine.article(source.id) for source in engine.sources()]
    return sorted((article for article in found if article), key=lambda article: -len(article.body))


def test_page_furniture_is_no_text(engine: Engine) -> None:
    """Captions, credits, links to other articles and browser notices are kept apart from the bodies."""
    for article in articles(engine):
        for piece in (
            "over 100",
            "REUTERS",
            "PHOTO",
            "Editing by",
            "Similar Articles",
            "ALSO READ",
            "browsers",
            "Banner",
        ):
            assert piece not in article.body
        kept = " ".join(piece.text for piece in article.boilerplate)
        assert "over 100" in kept or "PHOTO" in kept


def test_day_is_read_off_the_text_where_it_stands(engine: Engine) -> None:
    """The day of the warning's report, and not that of the attack or the photograph."""
    assert articles(engine)[0].source.published == date(2024, 1, 25)


RIGHT = {
    "How many people were killed?": "nearly 100",
    "How many people were killed in the Kerman attack?": "nearly 100",
    "How many people died in the Kerman attack?": "nearly 100",
    "Kerman attack death toll": "nearly 100",
    "How many people lost their lives in the Kerman explosions?": "nearly 100",
    "Who claimed the attack?": "Islamic State",
    "Which group said it carried out the attack?": "Islamic State",
    "When did the explosions happen?": "Jan. 3",
    "Where did the explosions take place?": "Kerman",
    "Whose memorial was bombed?": "Soleimani",
    "Who perished commemorating the dead general?": "memorial",
    "Who was Qassem Soleimani?": "commander",
    "Which newspaper first reported the warning?": "Wall Street Journal",
    "Who broke the story about the alert?": "Wall Street Journal",
    "Who is Jon Alterman?": "director",
    "When did Trump abandon the Iran nuclear deal?": "2018",
    "Who abandoned the nuclear deal?": "Trump",
    "What year was the nuclear accord signed?": "2015",
    "Which president wants to revive the accord?": "Biden",
    "Why have attempts to restore the atomic agreement not worked?": "have failed",
    "Why does the US give such warnings to other governments?": "innocent lives",
    "What is the duty to warn policy?": "lethal threats",
    "What did Aaron David Miller say?": "Miller",
    "What think tank does Miller work for?": "Wilson Centre",
    "Is the relationship between Iran and the US expected to change?": "can't transform",
    "How many people did Hamas kill in southern Israel?": "1,200",
    "Who attacked southern Israel?": "Hamas",
    "What was hit by missiles on Saturday?": "air base",
    "How many bombs went off?": "two suicide",
    "Did America tip off Tehran before the massacre?": "privately warned",
    "What did the US tell Iran before the attack?": "terrorist threat",
    "Did the US warn Iran?": "privately warned",
}


# The reader of 2026-11-27 finds no answer in it, as the sentence has none of its words. It is refused, as before.
_WORDLESS = "Did America tip off Tehran before the massacre?"
_KNOWN_FAULT = pytest.mark.xfail(strict=True, reason="the reader does not know that to tip off is to warn")


@pytest.mark.parametrize(
    "question", [pytest.param(question, marks=[_KNOWN_FAULT] * (question == _WORDLESS)) for question in RIGHT]
)
def test_right_sentence_is_quoted(engine: Engine, find: Callable[[str], Retrieval], question: str) -> None:
    """Also where the question has none of its words; it is in the body, and a further source holds it too."""
    quoted = compose(find(question)).citations
    (citation, *_) = [each for each in quoted if RIGHT[question] in each.quote.replace("\u00a0", " ")]
    by_id = {article.id: article for article in articles(engine)}
    assert citation.quote == by_id[citation.source.id].body[citation.start : citation.end]
    assert all(holds(by_id[source.id].body, citation.quote) for source in citation.also_in)


@pytest.mark.parametrize("question", RIGHT)
def test_caption_is_never_the_evidence(find: Callable[[str], Retrieval], question: str) -> None:
    """A photograph's caption gives another figure and other words; nothing that is quoted holds them."""
    quoted = compose(find(question))
    for words in ("over 100", "funeral", "Aftermath", "PHOTO"):
        assert words not in quoted.text
    assert "differ" not in quoted.text  # both bodies give the same figure


@pytest.mark.parametrize("question", RIGHT)
def test_both_pages_are_one_story(find: Callable[[str], Retrieval], question: str) -> None:
    """They take one place, whatever is asked: the one has the other beside it."""
    passages = find(question).passages
    assert len({passage.source.id for passage in passages}) == 1
    assert len(passages[0].near_duplicates) == 1


# Found, but as too far from the question in words refused, or answered by a hair, which the rounding
# of another processor may split otherwise: what the weights of bot/extract/answerability.json cost.
TOO_FAR = {
    "Who perished commemorating the dead general?",
    "Who broke the story about the alert?",
    "What year was the nuclear accord signed?",
    "Did America tip off Tehran before the massacre?",
    "What think tank does Miller work for?",
    "How many bombs went off?",
    "Whose memorial was bombed?",
    "Why have attempts to restore the atomic agreement not worked?",
    "Who attacked southern Israel?",
}
ANSWERED = [question for question in RIGHT if question not in TOO_FAR]


@pytest.mark.parametrize("question", ANSWERED)
def test_what_the_text_answers_is_answered(engine: Engine, question: str) -> None:
    """By its own right sentence, with the day of the question given."""
    answer = engine.ask(question, as_of=ASKED)
    assert answer.answered
    assert RIGHT[question] in answer.text


REFUSED = [
    "How many people were killed in the Moscow theatre attack?",
    "How many people were killed in the Kabul attack?",
    "What did Vladimir Putin say about the warning?",
    "What did Emmanuel Macron say about the attack?",
    "When did China warn Iran?",
    "Did the Taliban claim the attack?",
    "Who is the prime minister of Israel?",
    "How old was Soleimani?",
    "How tall is Jon Alterman?",
    "How many suspects were arrested after the attack?",
    "Which hospital were the wounded taken to?",
    "Who won the World Cup in 2022?",
    "What is the capital of Mongolia?",
    "What is the price of oil?",
    "How do I bake sourdough bread?",
    "What is the best phone to buy?",
]


@pytest.mark.parametrize("question", REFUSED)
def test_what_the_text_does_not_answer_is_refused(engine: Engine, question: str) -> None:
    """Other names, things near it that it leaves out, and other topics."""
    answer = engine.ask(question, as_of=ASKED)
    assert answer.text == REFUSAL
    assert answer.citations == ()
    assert answer.refusal is not None
    assert 1 <= len(answer.refusal.nearest) <= 2
