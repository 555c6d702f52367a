"""Facts for which the nearest sentence is not enough: numbers of other things, what is left open, what is taken back.

Each kind is asked for over two folders of a few articles, with the real index and models: a mine and a quarry, whose
accidents are two events, and a town.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from bot.answer import Engine
from bot.models import Answer
from bot.runtime import make_engine
from bot.settings import Settings
from tests.corpus import run, write

ASKED = date(2025, 12, 1)
MINE = {
    "mine-1": (
        "Four miners die in Harrowgill collapse",
        date(2025, 3, 3),
        """By Tess Okoro, Upland Post, 3 March 2025 Four miners died when the roof of a gallery fell in at the \
Harrowgill mine on Sunday night, the operator, Brennt Minerals, said.

Rescuers were still searching for three men on Monday. “The cause is not yet known,” said Ilse Kranz, the mine's \
director.

The mine, which employs 640 people, was shut on Tuesday.""",
    ),
    "mine-2": (
        "Last missing man found alive",
        date(2025, 3, 5),
        """The toll from the Harrowgill collapse has risen to six, the regional governor, Pavel Dorn, said on Wednesday.

The last of the missing was found alive after 51 hours underground.

The names of the dead have not been released. Dorn promised an inquiry. He did not say how much it would cost.""",
    ),
    "mine-3": (
        "Another Harrowgill miner dies",
        date(2025, 3, 9),
        """A seventh man has died after the collapse at Harrowgill. St Anne's hospital said on Sunday that he had been \
hurt in the head.""",
    ),
    "mine-4": (
        "Water weakened Harrowgill roof, inquiry finds",
        date(2025, 6, 12),
        """Water from an abandoned shaft had softened the rock above the gallery in which seven men died at Harrowgill \
in March, an inquiry said on Thursday.

The inquiry, which was led by the geologist Nadia Fell, accused Brennt Minerals of ignoring three warnings.

The company denies that it was ever warned.""",
    ),
    "mine-5": (
        "Harrowgill mine back at work",
        date(2025, 7, 22),
        """The Harrowgill mine was opened again on Monday, 21 July, four and a half months after it was shut on 4 March.

The new pumps cost £3.2 million.""",
    ),
    "quarry-1": (
        "Two killed as crane falls at Castrel quarry",
        date(2025, 4, 17),
        """Two workers were killed on Thursday when a crane fell at the Castrel quarry, the police said.

The quarry has been closed. It is not clear when it will open again.""",
    ),
}
TOWN = {
    "school-1": (
        "Elmbridge school shut over roof fears",
        date(2025, 1, 14),
        """Elmbridge primary school was shut on Monday after cracks were found in the roof of its hall.

Its 312 pupils will be taught in the Baptist church. It is not clear who will pay for the repairs.""",
    ),
    "school-2": (
        "Elmbridge head resigns",
        date(2025, 5, 20),
        """Moira Tully, the head teacher of Elmbridge primary school since 2011, resigned on Monday. She gave no reason.

Her deputy, Samir Haddad, has taken over as acting head teacher.""",
    ),
    "meals-1": (
        "Caterer fined over school meals",
        date(2025, 5, 28),
        """Loam Catering was fined £12,000 on Tuesday for serving meat past its date in nine schools of the county.

The magistrates heard that two children had fallen ill.""",
    ),
    "meals-2": (
        "Correction: school meals",
        date(2025, 6, 2),
        """An article on 28 May said that Loam Catering had been fined over school meals. The firm that was fined is \
Lorne Catering. We apologise for the error.""",
    ),
    "pay-1": (
        "Ground crews at Norwick airport to strike",
        date(2025, 6, 16),
        """Ground crews at Norwick airport will strike from Friday. Their union, Skyhands, wants £2.50 more an hour.

About 900 of the airport's 3,400 employees belong to the union.""",
    ),
    "pay-2": (
        "Union lowers demand at Norwick",
        date(2025, 6, 27),
        """Skyhands lowered its demand on Thursday: it now asks for £1.90 more an hour at Norwick airport.

The strike has stopped 212 flights so far.""",
    ),
    "pool": (
        "Marlow pool shut for winter",
        date(2025, 10, 2),
        """The Marlow pool closed on Wednesday, 1 October, to save energy.""",
    ),
    "halle": (
        "Neue Schwimmhalle in Birkenau eröffnet",
        date(2025, 9, 1),
        """Bürgermeisterin Ute Kessler hat am Montag die neue Schwimmhalle in Birkenau eröffnet.

Der Bau kostete 14 Millionen Euro.""",
    ),
}
# Sentences that read like an answer, of another thing, year or person.
GALLERY = {
    "portrait": (
        "Stolen portrait comes home to Halden",
        date(2025, 9, 3),
        """A small portrait by Jan Vermayer that was stolen from the Halden gallery in 2011 has been returned in a bag.

The director, Beatrix Soll, said that the painting, “Girl with a Lemon”, was in good condition apart from a scratch.""",
    ),
    "lido": (
        "Lido to close on Sunday",
        date(2025, 9, 20),
        """The lido in Wexley will close on Sunday. Last summer it had 38,000 visitors.""",
    ),
    "protest": (
        "Protest at the town hall",
        date(2025, 9, 22),
        """About 400 people protested outside the town hall. Police arrested two men for \
throwing paint; no one was hurt.""",
    ),
    "chief": (
        "Wexley Coal names new chief",
        date(2025, 9, 24),
        """Tarrant Coal has appointed Agnes Dorrit as its chief executive from 1 July. She replaces Jonas Kettler.

Ms Dorrit, 52, began as a surveyor at Brennick in 1995 and later ran the company's two open-cast mines.""",
    ),
    "fall": (
        "Toll of Wexley crane collapse reaches nine",
        date(2025, 9, 28),
        """The toll of the crane collapse at the Wexley works rose to nine on Sunday.""",
    ),
    "first": (
        "Five die at Wexley works",
        date(2025, 9, 12),
        """Five people died at the Wexley works when a crane fell on Thursday.

The works employs 610 people. Its last fatal accident was in 1987, when three men died in a fire.""",
    ),
}


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[dict[str, Engine]]:
    """An engine over each of the folders."""
    folder = tmp_path_factory.mktemp("facts")
    with ExitStack() as stack:
        made = {}
        for place, articles in (("mine", MINE), ("town", TOWN), ("gallery", GALLERY)):
            for name, (headline, day, body) in articles.items():
                write(folder / place, name, body, headline=headline, outlet="Upland Post", published=day)
            run(folder / f"{place}-data", [folder / place], weights)
            engine = make_engine(Settings(data=folder / f"{place}-data", model_dir=weights))
            stack.callback(engine.close)
            made[place] = engine
        yield made


def ask(engines: dict[str, Engine], place: str, question: str) -> Answer:
    """Ask on the same day."""
    return engines[place].ask(question, as_of=ASKED)


@pytest.mark.parametrize(
    ("place", "question"),
    [
        ("mine", "How many miners were injured at Harrowgill?"),
        ("mine", "How many people were injured in the collapse?"),
        ("mine", "How many people were on board?"),
        ("mine", "How many people were arrested?"),
        ("mine", "How many pumps were installed?"),
        ("mine", "How many shafts does the mine have?"),
        ("town", "How many teachers does the school have?"),
        ("town", "How many children died?"),
        ("town", "How many schools are there in the county?"),
        ("town", "How many classrooms were damaged?"),
        ("town", "How many passengers were affected?"),
    ],
)
def test_a_number_of_other_things_is_no_answer(engines: dict[str, Engine], place: str, question: str) -> None:
    """Nor one of those whom something else befell, nor of some of the things."""
    answer = ask(engines, place, question)
    assert answer.refusal
    assert not answer.citations


@pytest.mark.parametrize(
    ("place", "question", "quoted"),
    [
        ("mine", "How many people does the mine employ?", "640"),
        ("mine", "How many people work at the mine?", "640"),
        ("mine", "How many warnings did the company ignore?", "three warnings"),
        ("town", "How many pupils does the school have?", "312"),
        ("town", "How many children fell ill?", "two children"),
        ("town", "How many employees does the airport have?", "3,400"),
        ("town", "How many flights were stopped?", "212"),
        ("town", "How much was the caterer fined?", "£12,000"),
    ],
)
def test_a_number_of_these_things_is_the_answer(
    engines: dict[str, Engine], place: str, question: str, quoted: str
) -> None:
    """Whoever is employed works there, and pupils are none but pupils."""
    assert quoted in ask(engines, place, question).text


@pytest.mark.parametrize(
    "question", ["Latest death toll?", "How many people were killed?", "How many died?", "Current death toll?"]
)
def test_two_accidents_are_no_development_of_each_other(engines: dict[str, Engine], question: str) -> None:
    """A question that names neither gets both, each with its newest figure and under its headline."""
    text = ask(engines, "mine", question).text
    assert text.startswith("The latest of each event:")
    assert "seven men died" in text or "seventh man has died" in text
    assert "Two killed as crane falls at Castrel quarry (17 April 2025): “Two workers" in text
    assert "Four miners died" not in text


@pytest.mark.parametrize(
    "question", ["What is the latest death toll at Harrowgill?", "How many people died at Harrowgill?"]
)
def test_a_toll_is_a_sequence(engines: dict[str, Engine], question: str) -> None:
    """The latest figure comes first, also an ordinal or what a number "has risen to"."""
    text = ask(engines, "mine", question).text
    assert "seven" in text[: text.index("[1]")]
    assert "differ" not in text


@pytest.mark.parametrize(
    ("place", "question", "quoted"),
    [
        ("town", "Who will pay for the repairs?", "It is not clear who will pay for the repairs."),
        pytest.param(
            "town",
            "Why did Moira Tully resign?",
            "She gave no reason.",
            marks=pytest.mark.xfail(strict=True, reason="the reader is surer of the sentence that she resigned"),
        ),
        ("mine", "What are the names of the dead?", "The names of the dead have not been released."),
        ("mine", "How much will the inquiry cost?", "He did not say how much it would cost."),
        ("mine", "When will the quarry open again?", "It is not clear when it will open again."),
    ],
)
def test_what_is_not_known_is_the_answer(engines: dict[str, Engine], place: str, question: str, quoted: str) -> None:
    """And no name or sum that stands beside it is put first."""
    answer = ask(engines, place, question)
    assert quoted in answer.text
    assert answer.short is None


@pytest.mark.parametrize("question", ["Why did the roof fall in?", "What caused the collapse at Harrowgill?"])
def test_a_cause_is_no_toll_and_not_unknown(engines: dict[str, Engine], question: str) -> None:
    """What an inquiry found later stands before "The cause is not yet known" and the number of the dead."""
    text = ask(engines, "mine", question).text
    assert "had softened the rock" in text
    assert "not yet known" not in text


@pytest.mark.parametrize("question", ["Why did the crane fall?", "What made the crane fall?"])
def test_what_came_of_it_is_no_reason(engines: dict[str, Engine], question: str) -> None:
    """Two dead are no cause of a fall."""
    assert ask(engines, "mine", question).refusal


def test_the_day_of_the_contrary_is_no_answer(engines: dict[str, Engine]) -> None:
    """When a mine opened is not when it was shut."""
    assert "21 July" in ask(engines, "mine", "When did the Harrowgill mine reopen?").text
    assert "Monday" in ask(engines, "town", "When was Elmbridge school shut?").text
    assert ask(engines, "town", "When did the Marlow pool open?").refusal
    assert "1 October" in ask(engines, "town", "When did the Marlow pool close?").text


@pytest.mark.parametrize("question", ["Who was fined over school meals?", "Which firm was fined over school meals?"])
def test_what_a_correction_withdraws_is_not_given(engines: dict[str, Engine], question: str) -> None:
    """The correction is quoted, with what is so."""
    answer = ask(engines, "town", question)
    assert "The firm that was fined is Lorne Catering." in answer.text
    assert answer.short is None


def test_a_demand_that_was_lowered_is_given_as_it_is_now(engines: dict[str, Engine]) -> None:
    """The latest first, then the earlier one with its day."""
    text = ask(engines, "town", "How much more does the union want?").text
    assert 0 < text.index("£1.90") < text.index("£2.50")


def test_who_left_an_office_comes_with_the_successor(engines: dict[str, Engine]) -> None:
    """Whoever resigned is not the head teacher now."""
    assert "Samir Haddad" in ask(engines, "town", "Who is the head teacher of Elmbridge now?").text


@pytest.mark.parametrize(
    "question", ["Latest on Brennt Minerals", "Tell me about Brennt Minerals", "What was Brennt Minerals accused of?"]
)
def test_an_accusation_comes_with_its_denial(engines: dict[str, Engine], question: str) -> None:
    """Also where the denial is the next paragraph."""
    assert "ignoring three warnings. The company denies" in ask(engines, "mine", question).text


def test_a_byline_is_no_part_of_a_quote(engines: dict[str, Engine]) -> None:
    """Where a page has it on the line of the first sentence."""
    for question in ("What happened at Harrowgill?", "Where did the roof fall in?"):
        text = ask(engines, "mine", question).text
        assert "Four miners died" in text
        assert "Tess Okoro" not in text


@pytest.mark.parametrize(
    "question", ["Who is the mayor?", "Who is the mayor of Birkenau?", "Wer ist Bürgermeisterin von Birkenau?"]
)
def test_an_office_is_found_in_german(engines: dict[str, Engine], question: str) -> None:
    """A mayor is a Bürgermeisterin."""
    assert "Bürgermeisterin Ute Kessler" in ask(engines, "town", question).text
    assert ask(engines, "town", "Who is the mayor of Elmbridge?").refusal


@pytest.mark.parametrize(
    ("question", "not_first"),
    [
        ("Who painted Girl with a Lemon?", "Beatrix Soll"),
        ("How many visitors did the gallery have last summer?", "38,000"),
        ("When does Agnes Dorrit start?", "1995"),
    ],
)
def test_what_is_of_another_thing_is_not_set_first(engines: dict[str, Engine], question: str, not_first: str) -> None:
    """Who only speaks in a sentence, a number of another house, a year before what is to come."""
    answer = ask(engines, "gallery", question)
    assert not_first not in (answer.short or "")


def test_a_thing_is_more_than_its_stem(engines: dict[str, Engine]) -> None:
    """Nobody was arrested over the painting because two men threw paint."""
    answer = ask(engines, "gallery", "Has anyone been arrested over the painting?")
    assert not answer.text.startswith("Yes")
    assert "paint;" not in answer.text


@pytest.mark.xfail(strict=True, reason="the reader does not think that the sentence on 1987 answers")
def test_a_year_of_the_question_is_that_of_the_answer(engines: dict[str, Engine]) -> None:
    """A later accident is no update of an earlier one in the same place."""
    answer = ask(engines, "gallery", "How many people died in the 1987 fire?")
    assert "three men died" in answer.text
    assert "latest" not in answer.text
