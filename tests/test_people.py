"""People and bodies of an article: who is introduced, as what, and which names are one person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.reading.people import DEED, NAMED, PLACE, ROLE, find_people, name_words, office_of, same_name
from index.reading.quotations import find_quotations
from index.text import sentences

_PIECES = st.sampled_from(
    ["Leo Brandt", "Dame Ann Lee", "Lee", "the chairman", ", ", " said ", "“", "”", '"', ". ", "\n\n", "She added",
     "who", "according to ", "Unity", "the union ", "É", "’s", " of ", "(45)", "ǅ", "x" * 300, "-", "A. B. Roy", "in ",
     "\u00a0"]
)  # fmt: skip


def introduced(text: str) -> set[tuple[str, str, int]]:
    """Who is introduced in a text, as what, how."""
    people = find_people(text, sentences(text))
    return {(person.key, person.office, person.rank) for person in people.introductions if person.rank < NAMED}


@pytest.mark.parametrize(
    ("text", "key", "office"),
    [
        ("Northfield have a new coach, the club's chairman, Leo Brandt, said.", "leo brandt", "chair"),
        ("“Nobody asked us,” said its secretary, Mara Quist.", "mara quist", "secretary"),
        ("Leo Brandt, the chairman of Northfield, resigned.", "leo brandt", "chair"),
        ("Leo Brandt, chairman of Northfield, resigned.", "leo brandt", "chair"),
        ("Tom Hale, Brightfold’s chief executive, was sorry.", "tom hale", "chief executive"),
        ("The mill's CEO, Tom Hale, was sorry.", "tom hale", "chief executive"),
        ("Mark Roy, 45, a nurse, was angry.", "mark roy", "nurse"),
        ("Mark Roy (45), a nurse, was angry.", "mark roy", "nurse"),
        ("Northfield chairman Leo Brandt resigned.", "leo brandt", "chair"),
        ("Mayor Colin Hartley said that a basin must come.", "colin hartley", "mayor"),
        ("Prime Minister Ann Lee resigned.", "ann lee", "prime minister"),
        ("The deputy mayor, Jo Park, resigned.", "jo park", "deputy mayor"),
        ("An inspector named Ray Cole wrote it.", "ray cole", "inspector"),
        ("Aaron David Miller, a former negotiator now at the Wilson Center, said so.", "aaron david miller",
         "former negotiator"),
        ("They have hired Ines Cordero as head coach.", "ines cordero", "head coach"),
        ("Li Wei was appointed chief executive in May.", "li wei", "chief executive"),
        ("Ann Lee is the council’s head of culture.", "ann lee", "head"),
        ("Brightfold, the mill's owner, blamed the price of energy.", "brightfold", "owner"),
        ("The union Unity called off the strike.", "unity", "union"),
        ("On Thursday the space agency JAXA said it is upside down.", "jaxa", "agency"),
        ("Copernicus is the European Union's climate service.", "copernicus", "service"),
        ("The chief fire officer, Diane Mbeki, came.", "diane mbeki", "chief fire officer"),
    ],
)  # fmt: skip
def test_a_role_beside_a_name_introduces(text: str, key: str, office: str) -> None:
    """In an apposition on either side, in front of the name, behind a copula, or as an appointment."""
    assert (key, office, ROLE) in introduced(text)


@pytest.mark.parametrize(
    ("text", "introduction"),
    [
        ("Dame Ann Lee, who led the inspection, disagreed.", ("ann lee", "", DEED)),
        ("Zoë Bürgi will run the clinic from April.", ("zoe burgi", "", DEED)),
        ("Aaron Miller of the Wilson Center was guarded.", ("aaron miller", "", PLACE)),
        ("The Atlas is a Norwegian car.", ("atlas", "", ROLE)),
    ],
)
def test_other_words_introduce_less(text: str, introduction: tuple[str, str, int]) -> None:
    """What a person did or will do, and where a person belongs."""
    assert introduction in introduced(text)


@pytest.mark.parametrize(
    "text",
    [
        "In Thornley, the council voted for the plan.",
        "The grating under Chapel Lane, said the fire officer, was blocked.",
        "The highlight for Jones was a run to the final.",
        "It is on the National Register of Historic Places.",
        "Ann Lee said that the mayor was late.",
        "Fernhollow 4, Aldermoor 1",
    ],
)
def test_what_stands_near_a_name_by_chance_introduces_nobody(text: str) -> None:
    """A place, a subject of another clause, an object."""
    assert introduced(text) == set()


def test_an_office_is_of_the_right_name() -> None:
    """Not of the ship of an engineer, nor of a predecessor."""
    text = (
        "The chief engineer of the ferry Petrel came. Ann Lee, who succeeded Mark Roy as leader of the council, left."
    )
    assert introduced(text) == {("petrel", "ferry", ROLE), ("ann lee", "leader", ROLE)}


def test_a_surname_a_title_and_initials_are_the_same_person() -> None:
    """Within an article, and where two have a surname it stands for neither."""
    text = "Dame Ann Lee came. Lee spoke. A. Lee left. Ann B. Lee slept. Mark Roy and Jo Roy sat. Roy stood."
    people = find_people(text, sentences(text))
    assert [mention.key for mention in people.mentions] == [
        "ann b lee", "ann b lee", "ann b lee", "ann b lee", "mark roy", "jo roy", "",
    ]  # fmt: skip
    assert people.genders == {"ann b lee": "f"}


def test_a_relative_makes_a_titled_surname_doubtful() -> None:
    """Ms Aziz is the sister whose surname was not given."""
    text = "Karim Aziz came home. His sister Noor wept. Ms Aziz sang. Aziz slept."
    keys = [mention.key for mention in find_people(text, sentences(text)).mentions]
    assert keys == ["karim aziz", "noor", "", "karim aziz"]


def test_a_first_name_alone_follows_the_whole_name() -> None:
    """King Richard is not Richard Camville, who comes later."""
    text = "Richard landed. His captain was Richard Camville. Richard slept."
    assert [mention.key for mention in find_people(text, sentences(text)).mentions] == [
        "richard", "richard camville", "richard",
    ]  # fmt: skip
    text = "Ann Lee came. Ann slept."
    assert [mention.key for mention in find_people(text, sentences(text)).mentions] == ["ann lee", "ann lee"]


@pytest.mark.parametrize(
    ("name", "key", "same"),
    [
        ("Dame Ann Lee", "ann lee", True),
        ("Lee", "ann lee", True),
        ("A. Lee", "ann lee", True),
        ("Ann B. Lee", "ann lee", True),
        ("Mark Lee", "ann lee", False),
        ("Ann Leigh", "ann lee", False),
        ("Ann Lee", "lee", False),
    ],
)
def test_a_name_fits_a_key(name: str, key: str, *, same: bool) -> None:
    """A surname, initials and middle names fit; another first name does not, and a surname does not know its first."""
    assert same_name(name_words(name), key) is same


@pytest.mark.parametrize(
    ("phrase", "office"),
    [
        ("the club's chairman", "chair"),
        ("chief executive officer of Brightfold", "chief executive"),
        ("the acting chief operating officer", "acting chief operating officer"),
        ("a man", "man"),
        ("the bridge over the river", ""),
        ("said the chairman", ""),
    ],
)
def test_an_office_is_a_noun_and_what_distinguishes_it(phrase: str, office: str) -> None:
    """Synonyms are one; deputies, former and acting holders are others."""
    assert office_of(phrase) == office


@given(st.lists(_PIECES, max_size=40).map("".join) | st.text(max_size=200))
def test_every_offset_is_within_the_text(text: str) -> None:
    """Names stand where they are said to, in whole sentences, whatever the text."""
    spans = sentences(text)
    people = find_people(text, spans)
    for person in people.introductions:
        assert person.span in spans
        assert name_words(text[slice(*person.name)])[-1] == person.key.split()[-1]
    starts, ends = {span.start for span in spans}, {span.end for span in spans}
    for quotation in find_quotations(text, spans, people):
        assert quotation.key
        assert text[slice(*quotation.name)].strip()
        assert quotation.span.start in starts
        assert quotation.span.end in ends
