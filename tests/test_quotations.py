"""Quotations of an article: who says what, and who cannot be said to."""

from __future__ import annotations

import time

import pytest

from index.models import Span
from index.reading.people import find_people
from index.reading.quotations import find_quotations
from index.text import sentences


def quotations(text: str) -> list[tuple[str, str]]:
    """The speakers of a text with the first words of what they say."""
    spans = sentences(text)
    found = find_quotations(text, spans, find_people(text, spans))
    return [(quotation.key, text[slice(*quotation.span)]) for quotation in found]


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("“She knows how to win,” Leo Brandt said.", "leo brandt"),
        ('"She knows how to win," Leo Brandt said.', "leo brandt"),
        ("“She knows how to win,” said Leo Brandt.", "leo brandt"),
        ("Leo Brandt said: “She knows how to win.”", "leo brandt"),
        ("Leo Brandt said that she knew how to win.", "leo brandt"),
        ("Leo Brandt has also said that she knew how to win.", "leo brandt"),
        ("“She knows,” said its secretary, Mara Quist.", "mara quist"),
        ("The coach is new, the club's chairman, Leo Brandt, said on Tuesday.", "leo brandt"),
        ("Leo Brandt, the club's chairman, said that she won.", "leo brandt"),
        ("Mary Pond, the mayor of York, said that she won.", "mary pond"),
        ("Jon Alterman, who directs research at CSIS, a Washington institute, said so.", "jon alterman"),
        ("Ann Lee of the Wilson Center warned that it would leak.", "ann lee"),
        ("Northfield chairman Leo Brandt told the Courier that she won.", "leo brandt"),
        ("According to Leo Brandt, she knew how to win.", "leo brandt"),
        ("The bridge is safe, according to the inspector Ray Cole.", "ray cole"),
        ("“The first thing,” Roy said, “is safety.”", "roy"),
        ("Peter Lowe called the decision “a luxury”.", "peter lowe"),
        ("Sir Keir Starmer added: “Soon.”", "keir starmer"),
        ("The Mill Brook left its bed under Chapel Lane, said the chief fire officer, Diane Mbeki.", "diane mbeki"),
        ("The union Unity said that drivers would walk out.", "unity"),
        ("The space agency JAXA said so.", "jaxa"),
        ("Residents said they were angry.", "residents"),
        ("Some residents of Thornley said they were angry.", "residents"),
        ("The union that represents the staff says that four are too few.", "union"),
        ("The figure is right, a spokesman for the council said.", "council"),
        ("Brightfold's spokeswoman said that it would close.", "brightfold"),
        ("In Thornley the council said that it would close.", "council"),
        ("“It failed,” said Dr Ute Maier of the Hall Institute.", "ute maier"),
    ],
)
def test_a_sentence_has_its_speaker(text: str, speaker: str) -> None:
    """Before or behind the quotation, within it, with an apposition, a body, a group, a spokesman."""
    assert quotations(text) == [(speaker, text)]


@pytest.mark.parametrize(
    "text",
    [
        "Leo Brandt did not say when.",
        "Leo Brandt declined to say why.",
        "Leo Brandt was told that it leaked.",
        "A letter about Leo Brandt said nothing.",
        "“Leo Brandt said no.”",
        "If the council said no, it would close.",
        "It was unclear whether Leo Brandt said so.",
        "Florian Wirtz added three more goals.",
        "The council called a meeting.",
        "Boats passed over 15 states.",
        "The baker who had warned them closed.",
        "Mark Lee and Ann Lee came. Lee said it was late.",
        "Leo Brandt met Ines Cordero. “It is fine,” he said.",
        "The letter came. He said it was fine.",
    ],
)
def test_nobody_speaks_where_it_is_not_certain(text: str) -> None:
    """A denial, a passive, an object, a condition, another sense of the verb, a name or pronoun of two people."""
    assert quotations(text) == []


def test_a_pronoun_is_the_last_person() -> None:
    """If there is only one, by number or by gender."""
    text = "Councillor Ann Lee came late. She said it was fine."
    assert quotations(text) == [("ann lee", "She said it was fine.")]
    text = "Dame Ann Lee met Sir Mark Roy. “It is fine,” he said."
    assert quotations(text) == [("mark roy", "“It is fine,” he said.")]
    text = "The union Unity said no. It added that the offer was fair."
    assert [speaker for speaker, _ in quotations(text)] == ["unity", "unity"]


def test_a_quotation_runs_on() -> None:
    """Over sentences within its marks, over sentences in marks, and into the next paragraph if it is left open."""
    text = "Ann Lee came home. “We planned. We bought lamps,” Lee said. “We were wrong.” The lamps were red."
    assert quotations(text) == [("ann lee", "“We planned. We bought lamps,” Lee said. “We were wrong.”")]
    text = "“The first thing is safety,” Ann Lee said. “It is dear.\n\n“The second is money.”\n\n“Not mine.”"
    assert quotations(text) == [
        ("ann lee", "“The first thing is safety,” Ann Lee said. “It is dear.\n\n“The second is money.”")
    ]


def test_two_speakers_of_a_sentence() -> None:
    """Each has it, if a clause of its own names the second."""
    text = "Critics said the plan was a scandal, but Ann Lee said that it was fine."
    assert quotations(text) == [("critics", text), ("ann lee", text)]
    assert [speaker for speaker, _ in quotations("Ann Lee said that Mark Roy told her so.")] == ["ann lee"]
    assert [speaker for speaker, _ in quotations("Ann Lee and Mark Roy said so.")] == ["ann lee", "mark roy"]


@pytest.mark.parametrize(
    "piece",
    ["“", '"', "Ann Lee, ", "said ", "the ", "A. ", "Aa-", "“a” said ", "x" * 99, "Ann Lee won. He said so. ",
     "“Hi,” said Ann Lee. “Yes,” she said.\n\n"],
)  # fmt: skip
def test_the_time_is_linear(piece: str) -> None:
    """Also in text that no newspaper writes: eight times the text takes at most 16 times the time."""

    def seconds(characters: int) -> float:
        text = piece * (characters // len(piece))
        size = max(1_000 // len(piece), 1) * len(piece)
        spans = [Span(start, min(start + size, len(text))) for start in range(0, len(text), size)]
        started = time.process_time()
        find_quotations(text, spans, find_people(text, spans))
        return time.process_time() - started

    short, long = seconds(10_000), seconds(80_000)
    assert long <= 16 * max(short, 0.05)


def test_a_speaker_who_goes_on_costs_no_more_in_a_long_text() -> None:
    """Eight times as many "she said" take at most 16 times the time; each used to look through all names before."""

    def seconds(count: int) -> float:
        text = "“Hi,” said Ann Lee. “Yes,” she said.\n\n" * count
        spans = sentences(text)
        people = find_people(text, spans)
        started = time.process_time()
        assert len(find_quotations(text, spans, people)) == 2 * count
        return time.process_time() - started

    short, long = seconds(500), seconds(4_000)
    assert long <= 16 * max(short, 0.02)
