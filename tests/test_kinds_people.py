"""Who is X, what did X say, who said it: answered from introductions and quotations, with the real index and models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from bot.answer import Engine
from bot.models import Answer
from bot.runtime import make_engine
from bot.settings import Settings
from tests.corpus import run, write

ASKED = date(2024, 12, 1)
CLUB = """Northfield have hired Ines Cordero as head coach, the club's chairman, Leo Brandt, said on Tuesday. \
“She knows how to win,” Brandt said.

The players' union was less happy. “Nobody asked us,” said its secretary, Mara Quist."""
STRIKE = """More than 420 bus drivers in Thornley will walk out for five days from Monday, the union Unity said.

The union's leader, Dame Gail Thorne, said that 3.8 per cent was an insult. “Our members have families,” she said. \
“We did not want this.”

Other residents said they backed the drivers. Critics warned that fares would rise."""
DEAL = """The strike in Thornley has been called off. Gail Thorne said that she would recommend the deal.

Asked about the timetable, Thorne said that buses would run again from Friday."""
MILL = """The Garforth paper mill will cut 140 jobs by June, its owner Brightfold said.

“This is a painful day,” said Tom Hale, Brightfold's chief operating officer. \
Zoë Bürgi, the town's mayor, promised help."""
CHIEF = """Tom Hale has been appointed chief executive of Brightfold. He succeeds Rita Vane, who retires. \
Mara Quist, a neighbour, wished him well."""

STATION = """The Marrow line is late again. Its manager, Ute Falk, promised more trains."""
LEAVING = """Ute Falk, who had run the Marrow line, resigned on Monday. She is succeeded by Jonas Prey."""


@pytest.fixture(scope="module")
def engine(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine over seven articles."""
    folder, data = tmp_path_factory.mktemp("articles"), tmp_path_factory.mktemp("data")
    write(folder, "club", CLUB, headline="Club names coach", outlet="The Courier", published=date(2024, 6, 9))
    write(folder, "strike", STRIKE, headline="Drivers to strike", outlet="The Courier", published=date(2024, 5, 2))
    write(folder, "deal", DEAL, headline="Strike called off", outlet="Gazette", published=date(2024, 5, 9))
    write(folder, "mill", MILL, headline="Mill to shed jobs", outlet="Gazette", published=date(2024, 3, 1))
    write(folder, "chief", CHIEF, headline="New chief", outlet="The Courier", published=date(2024, 9, 1))
    write(folder, "station", STATION, headline="Marrow line late", outlet="Gazette", published=date(2024, 7, 1))
    write(folder, "leaving", LEAVING, headline="Marrow line changes", outlet="Gazette", published=date(2024, 10, 2))
    run(data, [folder], weights)
    with closing(make_engine(Settings(data=data, model_dir=weights))) as made:
        yield made


def ask(engine: Engine, question: str) -> Answer:
    """An answer whose citations are to the letter."""
    answer = engine.ask(question, as_of=ASKED)
    for number, citation in enumerate(answer.citations, 1):
        article = engine.article(citation.source.id)
        assert article is not None
        assert citation.quote == article.body[citation.start : citation.end]
        assert f"[{number}]" in answer.text
    return answer


@pytest.mark.parametrize(
    ("question", "introduction"),
    [
        ("Who is Leo Brandt?", "the club's chairman, Leo Brandt"),
        ("who is brandt", "the club's chairman, Leo Brandt"),
        ("who is leo brandtt?", "the club's chairman, Leo Brandt"),
        ("Tell me who Mara Quist is", "its secretary, Mara Quist"),
        ("Who is Dame Gail Thorne?", "union's leader, Dame Gail Thorne"),
        ("What is Gail Thorne's job?", "union's leader, Dame Gail Thorne"),
        ("Who is zoe burgi?", "Zoë Bürgi, the town's mayor"),
        ("What is Unity?", "the union Unity"),
        ("Who is Rita Vane?", "Rita Vane, who retires"),
        ("Who is the chairman of Northfield?", "the club's chairman, Leo Brandt"),
        ("Who is the head coach of Northfield?", "Ines Cordero as head coach"),
        ("Who is the CEO of Brightfold?", "Tom Hale has been appointed chief executive of Brightfold"),
        ("Who is Garforth's mayor?", "Zoë Bürgi, the town's mayor"),
        ("who leads Brightfold now", "Tom Hale has been appointed chief executive of Brightfold"),
        pytest.param(
            "Who is in charge of the union?",
            "union's leader, Dame Gail Thorne",
            marks=pytest.mark.xfail(strict=True, reason="refused as too far from the passage in words"),
        ),
        ("Who is the manager of the Marrow line?", "She is succeeded by Jonas Prey"),
    ],
)
def test_who_is_answered_by_the_introduction(engine: Engine, question: str, introduction: str) -> None:
    """By name in any case, with a title, by surname, with a slip; by office, body and successor; not as a neighbour."""
    answer = ask(engine, question)
    assert introduction in answer.citations[0].quote


def test_a_change_of_office_is_told_newest_first(engine: Engine) -> None:
    """With the days of the articles."""
    answer = ask(engine, "Who is Tom Hale?")
    assert answer.text.startswith("- 1 September 2024: “Tom Hale has been appointed chief executive")
    assert (
        "- 1 March 2024: “‘This is a painful day,’ said Tom Hale, Brightfold's chief operating officer.” [2]"
        in answer.text
    )


@pytest.mark.parametrize(
    ("question", "speaker", "words"),
    [
        ("What did Mara Quist say?", "Mara Quist (The Courier, 9 June 2024):", "Nobody asked us"),
        ("What did Gail Thorne say about the timetable?", "Gail Thorne (Gazette, 9 May 2024):", "from Friday"),
        ("What did Gail Thorne say about wages?", "Dame Gail", "3.8 per cent"),
        ("What did the union say?", "Unity (The Courier", "walk out"),
        ("What do residents say about the strike?", "Other residents (The Courier", "backed the drivers"),
        ("What do critics say?", "Critics (The Courier", "fares would rise"),
        ("What was the mayor's reaction to the job cuts?", "Zoë Bürgi (Gazette", "promised help"),
        ("the mayor's comment on the job cuts?", "Zoë Bürgi (Gazette", "promised help"),
        ("What did Brightfold announce?", "Brightfold (Gazette", "140 jobs"),
        ("Who said “Nobody asked us”?", "Mara Quist (The Courier", "Nobody asked us"),
        ("Who said that it was a painful day?", "Tom Hale (Gazette", "painful day"),
        ("who warned that fares would rise", "Critics (The Courier", "fares would rise"),
    ],
)
def test_what_is_said_stands_beside_its_speaker(engine: Engine, question: str, speaker: str, words: str) -> None:
    """A person's, a body's, a group's, on a topic, or the speaker of given words."""
    answer = ask(engine, question)
    assert answer.kind == "said"
    assert speaker.removeprefix("Dame ") in answer.text
    assert any(words in citation.quote for citation in answer.citations)


def test_nobody_else_is_quoted(engine: Engine) -> None:
    """What one speaker says is all that is cited for him."""
    answer = ask(engine, "What did Leo Brandt say?")
    assert "asked us" not in answer.text
    assert [citation.quote for citation in answer.citations] == [CLUB.partition("\n")[0]]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("Who is the chief executive of Northfield?", "No article names the chief executive of Northfield."),
        ("Who was mayor before Zoë Bürgi?", "No article names the mayor before Zoë Bürgi."),
        ("Who is the mayor of Ennis?", "No article names the mayor of Ennis."),
        ("Who is Barbara Streisand?", "No article mentions Barbara Streisand."),
        ("What did Mara Quist say about the bus strike?", "No article quotes Mara Quist about the bus strike."),
        ("What did Ines Cordero say?", "The articles name Ines Cordero, but no article quotes Ines Cordero."),
        ("What did Barbara Streisand say about jobs?", "No article quotes Barbara Streisand."),
        ("What do analysts say?", "No article quotes analysts."),
        ("Who said “we love buses”?", "No article holds these words."),
    ],
)
def test_a_refusal_names_its_reason(engine: Engine, question: str, reason: str) -> None:
    """Another office, an unknown name, a topic without a quotation, a person who is not quoted, words nobody said."""
    answer = ask(engine, question)
    assert not answer.answered
    assert answer.citations == ()
    assert answer.refusal is not None
    assert answer.refusal.reason == reason
