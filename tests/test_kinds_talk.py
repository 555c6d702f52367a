"""Conversations, timelines, lists, comparisons and Yes or No, as a newcomer asks them over a few articles of their own.

Each test asks for a kind in several words, over four running stories, with the real index and models.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from bot.answer import Engine
from bot.generate.support import SupportReader
from bot.models import Answer, Turn
from bot.runtime import make_engine
from bot.settings import Settings
from tests.corpus import run, write

ASKED = date(2025, 6, 25)
ARTICLES = {
    "bus-1": (
        "Bus drivers in Tarrow to strike over pay",
        "Harbour Times",
        "Lena Vickers",
        date(2025, 3, 3),
        """Bus drivers in Tarrow will strike from 12 March, the Road Workers' Union said on Monday. About 380 \
drivers voted for the strike and 41 against it.

Northway, the company that runs the buses, offered 3 per cent in January. The union wants 7 per cent.

"We drive this city to work and cannot pay our own rent," said Dana Krol, the union's general secretary.

Piet Lam, Northway's chief executive, called the demand "a number from another planet". The company says that \
fares would have to rise by 30 pence.""",
    ),
    "bus-2": (
        "Tarrow at a standstill as bus strike begins",
        "Valley Post",
        "Omar Field",
        date(2025, 3, 12),
        """No bus left the depots in Tarrow on Wednesday as 380 drivers walked out. The strike closed all 34 \
routes.

Schools on Hill Street opened an hour late. The hospital hired taxis for its nurses.

Mayor Ines Halloran asked both sides to return to the table. Shopkeepers said that the town was empty. "I sold \
two loaves all morning," said the baker Rolf Anders.

Northway said that it would not raise its offer.""",
    ),
    "bus-3": (
        "Talks in Tarrow bus strike collapse",
        "Harbour Times",
        "Lena Vickers",
        date(2025, 3, 21),
        """Talks between Northway and the Road Workers' Union collapsed on Thursday night after six hours. The \
company had raised its offer to 4 per cent on Tuesday.

Dana Krol said that the offer was "an insult with a ribbon on it". Lam accused the union of holding the city to \
ransom.

The strike has cost Northway £1.2 million so far, the company said.""",
    ),
    "bus-4": (
        "Bus strike in Tarrow ends after three weeks",
        "Valley Post",
        "Omar Field",
        date(2025, 4, 2),
        """The bus strike in Tarrow ended on Tuesday when drivers accepted a pay rise of 5.5 per cent. It had \
lasted 20 days. Of the drivers, 291 voted for the deal and 77 against it.

Buses will run again on Thursday. Day tickets will rise from £4.20 to £4.60 in May.

"Nobody won, but everybody can go home," said Krol. Northway did not comment.""",
    ),
    "bus-5": (
        "Northway chief executive leaves after strike",
        "Morning Ledger",
        "",
        date(2025, 5, 19),
        """Piet Lam has stepped down as chief executive of Northway, the company said on Monday. He had led it \
for nine years.

Sara Bright, the finance director, takes over on 1 June. She said that she would meet the union in her first \
week.""",
    ),
    "dam-1": (
        "Dam bursts above Corvale, villages flooded",
        "Valley Post",
        "Omar Field",
        date(2025, 2, 8),
        """The Hollin dam above Corvale burst on Friday night and flooded three villages. At least four people \
died, the police said.

Water reached the roofs of Stane, Upper Mere and Quill. Some 2,300 people were brought to safety by helicopter \
and boat.

"It came like a train," said Marta Ohlin, a farmer in Stane. The cause is not known.""",
    ),
    "dam-2": (
        "Eleven dead in Corvale dam disaster",
        "Harbour Times",
        "Jon Pryce",
        date(2025, 2, 11),
        """Eleven people are now known to have died when the Hollin dam burst, the police said on Monday. Nine \
people are missing.

The dam's operator, Corvale Water, said that the wall was inspected in October. The energy minister, Gunnar \
Eide, promised an inquiry.

The road between Quill and Corvale was reopened on Sunday.""",
    ),
    "dam-3": (
        "Engineers warned of cracks in Hollin dam",
        "Morning Ledger",
        "Petra Vann",
        date(2025, 2, 20),
        """Engineers warned Corvale Water in November of cracks in the Hollin dam, documents seen by the Morning \
Ledger show. The repair would have cost £6 million. The company postponed it until summer.

Corvale Water denied that it had ignored the warning. A spokesman, Ulf Dahl, said that the cracks had been \
judged harmless.

The dam burst on 7 February, killing 17 people. The last of the missing was found on Tuesday.""",
    ),
    "dam-4": (
        "Minister resigns over dam disaster",
        "Harbour Times",
        "Jon Pryce",
        date(2025, 3, 5),
        """The energy minister, Gunnar Eide, resigned on Tuesday because his ministry had known of the cracks in \
the Hollin dam. He had been in office for two years.

Lise Moen, until now deputy minister, succeeds him. She announced that all 64 dams in the country would be \
inspected by June.

The judge Karin Falk will lead the inquiry. It is to report in the autumn.""",
    ),
    "acc-1": (
        "Worker dies in explosion at Bremmel works",
        "Harbour Times",
        "Lena Vickers",
        date(2025, 1, 15),
        """A worker died on Tuesday in an explosion at the Bremmel chemical works in Dorsey. Two others were \
badly burned. The explosion happened at 6.40 in the morning in hall 3.

In 2019 a tank leaked 4,000 litres of acid into the river Ash. In August 2022 a fire destroyed a warehouse of \
the works; nobody was hurt.

The dead man was Emil Sorg, 44, a father of two.""",
    ),
    "acc-2": (
        "Chlorine leak at Bremmel: 23 treated",
        "Valley Post",
        "Nadia Rusk",
        date(2025, 4, 24),
        """Twenty-three people were treated in hospital after chlorine leaked at the Bremmel chemical works in \
Dorsey on Wednesday. The leak was stopped after 50 minutes.

It was the second accident this year. A worker died in an explosion in January.

The works manager, Hugo Bell, blamed a faulty valve. The union called for the plant to be closed.""",
    ),
    "acc-4": (
        "Council votes to keep Bremmel works open",
        "Harbour Times",
        "Lena Vickers",
        date(2025, 6, 12),
        """The council of Dorsey voted on Wednesday by 9 to 6 to keep the Bremmel chemical works open. The works \
must replace all valves by October.

Joan Ferris, Mick Tully, Abe Stone, Una Price, Carl Wex and Bea Ling voted for closing it.

Hugo Bell said that the repairs would cost £3.5 million. He did not say who would pay.""",
    ),
    "sta-1": (
        "Veldon plans new stadium for £40 million",
        "Valley Post",
        "Nadia Rusk",
        date(2024, 5, 14),
        """Veldon is to have a new football stadium for £40 million, the city said on Monday. It is to seat \
18,000 and open in August 2025.

The architect, Ida Marchetti, promised "the warmest roof in the league". The club, Veldon Athletic, plays in a \
ground of 1931 that seats 11,500.

The opposition in the council doubts the figures. Half of the money will come from the city, a quarter from the \
club and a quarter from a bank.""",
    ),
    "sta-2": (
        "Veldon stadium delayed until 2026",
        "Morning Ledger",
        "Petra Vann",
        date(2025, 2, 27),
        """The new stadium in Veldon will open in March 2026, seven months late. Its cost has risen to £52 \
million, the city said on Wednesday.

The builder, Hald & Sons, blamed the price of steel. Work was stopped for nine weeks in the autumn after a crane \
fell on the east stand. Nobody was hurt.""",
    ),
    "sta-3": (
        "Veldon stadium costs £61 million instead of £40 million",
        "Harbour Times",
        "Jon Pryce",
        date(2025, 6, 3),
        """The stadium in Veldon will cost £61 million instead of the planned £40 million, the auditor Owen \
Slate said on Monday.

Average attendance fell from 9,800 in 2023 to 8,100 this season. The club has sold 6,200 season tickets.

Marchetti said that she had warned the city in 2024 that the roof was too cheap. The city denies this.""",
    ),
    "may-2": (
        "Mayor of Tarrow resigns",
        "Harbour Times",
        "Lena Vickers",
        date(2025, 5, 22),
        """Ines Halloran resigned as mayor of Tarrow on Wednesday. She had been mayor since 2018. She said that \
she was leaving so that the city could breathe.

Her deputy, Tobias Renn, is acting mayor until a new one is elected on 6 July.

Prosecutors are investigating Halloran. She denies taking bribes.""",
    ),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Engine]:
    """Answer from the articles above."""
    folder, data = tmp_path_factory.mktemp("talk"), tmp_path_factory.mktemp("talk-data")
    for name, (headline, outlet, byline, day, body) in ARTICLES.items():
        file = write(folder, name, body, headline=headline, outlet=outlet, published=day)
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("\ndate:", f"\nbyline: {byline}\ndate:", 1), encoding="utf-8")
    assert run(data, [folder], weights).added == len(ARTICLES)
    with closing(make_engine(Settings(data=data, model_dir=weights))) as made:
        yield made


def talk(engine: Engine, *questions: str) -> Answer:
    """Ask questions one after the other, and return the last answer."""
    turns: list[Turn] = []
    for question in questions:
        answer = engine.ask(question, turns=turns, as_of=ASKED)
        turns += [Turn("user", question), Turn("assistant", answer.text)]
    return answer


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("Timeline of the bus strike in Tarrow", ["Background, January 2025", "3 March 2025", "12 March 2025"]),
        ("Timeline of the Hollin dam disaster", ["7 February 2025", "10 February 2025", "5 March 2025"]),
        ("Timeline of the Corvale dam tragedy", ["7 February 2025", "10 February 2025"]),
    ],
)
def test_a_timeline_covers_the_articles(engine: Engine, question: str, days: list[str]) -> None:
    """What was weeks before the first story is its background; articles need not call an event a disaster."""
    lines = talk(engine, question).text.splitlines()
    dated = [line.removeprefix("- ").split(": “")[0] for line in lines]
    assert [day for day in dict.fromkeys(dated) if day in days] == days


@pytest.mark.parametrize(
    ("questions", "standalone", "quoted"),
    [
        (["Why did the drivers strike?", "and when?"], "When did the drivers strike?", ""),
        (["What did the union demand?", "and why?"], "Why did the union demand?", ""),
        (["Who leads the Road Workers' Union?", "and Northway?"], "Who leads Northway?", "Piet Lam"),
        (["What does the union want?", "what about the company?"], "What does Northway want?", ""),
        (["Who is the union's leader?", "and the company's?"], "Who is the company's leader?", "Piet Lam"),
        (["Who voted for closing Bremmel?", "and in Tarrow?"], "Who voted for closing Bremmel in Tarrow?", ""),
        (["What was in the news on 2 April?", "and today?"], "What was in the news today?", ""),
        (["How long did the strike last?", "and what did it cost?"], "and what did it cost? (strike last)", "£1.2"),
        (["Who voted for the deal?", "and who voted against it?"], "and who voted against the deal?", ""),
        (["How much will the stadium cost?", "and the new roof?"], "How much will the new roof cost?", ""),
    ],
)
def test_a_follow_up_takes_the_place_of_its_like(
    engine: Engine, questions: list[str], standalone: str, quoted: str
) -> None:
    """A question word, a place, a time, a body or its owner stands in the place of what it varies."""
    answer = talk(engine, *questions)
    assert answer.standalone_question == standalone
    assert quoted in answer.text


@pytest.mark.parametrize(
    "questions",
    [
        ["Who is Gunnar Eide?", "what does he earn?"],
        ["Who is Dana Krol?", "how old is she?"],
        ["Who won the chess championship in Tarrow?", "tell me more"],
        ["Who won the chess championship in Tarrow?", "and why?"],
        ["When does the airport open?", "and who built it?"],
    ],
)
def test_a_follow_up_without_an_answer_is_refused(engine: Engine, questions: list[str]) -> None:
    """What the conversation is about is no evidence; nor does a refusal leave anything to tell more of."""
    answer = talk(engine, *questions)
    assert answer.refusal
    assert "about won" not in answer.refusal.reason


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("and who wrote it?", "1 article with a byline: Petra Vann: Veldon stadium delayed until 2026"),
        ("which paper is that from?", "1 outlet, 1 article: Morning Ledger: 1"),
    ],
)
def test_the_origin_of_what_was_shown_is_told(engine: Engine, question: str, text: str) -> None:
    """The author and the outlet of the article quoted first, not of all."""
    assert talk(engine, "When will the stadium open, 2026?", question).text.startswith(text)


@pytest.mark.parametrize(
    ("question", "members"),
    [
        ("List all accidents at the Bremmel works", ["acid", "a fire", "explosion", "chlorine"]),
        ("What accidents have there been at Bremmel?", ["acid", "a fire", "explosion", "chlorine"]),
        ("Which accidents happened at Bremmel before 2025?", ["acid", "a fire"]),
        ("Who has resigned?", ["Gunnar Eide", "Piet Lam", "Ines Halloran"]),
        ("List everyone who resigned", ["Gunnar Eide", "Piet Lam", "Ines Halloran"]),
        ("What offers did Northway make?", ["3 per cent", "4 per cent"]),
        ("Which councillors voted for closing Bremmel?", ["Joan Ferris", "Bea Ling"]),
    ],
)
def test_a_list_has_every_member(engine: Engine, question: str, members: list[str]) -> None:
    """By what happened where the articles have no such word, in the order of days, each with its citation."""
    answer = talk(engine, question)
    places = [answer.text.find(member) for member in members]
    assert -1 not in places
    assert places == sorted(places)
    assert all("[" in line for line in answer.text.splitlines() if line.startswith("- "))


@pytest.mark.parametrize(
    "question",
    ["Who voted to keep the Bremmel works open?", "Name the 64 dams", "Who were the 380 drivers?"],
)
def test_what_is_only_counted_is_not_named(engine: Engine, question: str) -> None:
    """A number of members, or a place, is nobody of a list."""
    assert talk(engine, question).refusal


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("Compare the planned and the actual cost of the stadium", ["£40 million", "£61 million"]),
        ("What is the difference between the planned and the actual cost?", ["£40 million", "£61 million"]),
        ("How has the cost of the stadium changed?", ["£40 million", "£61 million"]),
        ("How did attendance change?", ["9,800", "8,100"]),
        ("Compare ticket prices before and after the strike", ["£4.20", "£4.60"]),
    ],
)
def test_one_sentence_may_have_both_sides(engine: Engine, question: str, values: list[str]) -> None:
    """It says from what to what a thing changed, or what it was instead of."""
    text = talk(engine, question).text
    assert all(value in text for value in values)


@pytest.mark.parametrize(
    ("question", "verdict"),
    [
        ("Did the bus strike end?", "Yes."),
        ("Is the bus strike over?", "Yes."),
        ("Is it true that the strike lasted 20 days?", "Yes."),
        ("Is the bus strike still going on?", "No."),
        ("Is Gunnar Eide still energy minister?", "No."),
        ("Is Gunnar Eide the energy minister?", "No."),
        ("Is Halloran still mayor?", "No."),
        ("Is Piet Lam still chief executive of Northway?", "No."),
        ("Has the mayor of Tarrow resigned?", "Yes."),
        ("Was anyone hurt in the 2022 fire?", "No."),
        ("Was anybody hurt when the crane fell?", "No."),
        ("Did Joan Ferris vote for closing the works?", "Yes."),
        ("Did the council vote to close the Bremmel works?", "No."),
        ("Will the Bremmel works be closed?", "No."),
        ("Did the hospital arrange transport for its staff?", "Yes."),
        ("Were the buses running during the walkout?", "No."),
    ],
)
def test_yes_or_no_comes_first(engine: Engine, question: str, verdict: str) -> None:
    """Where a turn of the news decides it; no vote of six is the council's."""
    assert talk(engine, question).text.startswith(verdict)


def test_a_paraphrase_is_judged_by_the_support_reader_unless_it_has_another_number(engine: Engine) -> None:
    """A number that the sentence has not is left to the rules."""

    def unwanted() -> SupportReader:
        raise AssertionError("read")

    models = engine._models()._replace(support=unwanted)
    ruled = Engine(engine._searcher, lambda: models)
    with pytest.raises(AssertionError, match="read"):
        ruled.ask("Did the hospital arrange transport for its staff?", as_of=ASKED)
    assert ruled.ask("Did the hospital hire 12 taxis for its nurses?", as_of=ASKED).short is None


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("Who is the mayor of Tarrow?", "Tobias Renn, is acting mayor"),
        ("Who is the energy minister?", "Lise Moen"),
        ("Who was chief executive of Northway before Sara Bright?", "Piet Lam, Northway's chief executive"),
        ("Who is Bell?", "The works manager, Hugo Bell"),
        ("Who is Ohlin?", "Marta Ohlin, a farmer"),
    ],
)
def test_who_holds_an_office_now_and_who_did(engine: Engine, question: str, quoted: str) -> None:
    """The latest state; by surname too."""
    assert quoted in talk(engine, question).text
