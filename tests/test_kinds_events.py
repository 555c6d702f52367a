"""What a developing story needs: the latest figure, events kept apart, accusations, weekdays, follow-ups that vary.

Each test asks for a kind in several words, over fourteen articles, with the real index and models.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from bot.answer import Engine
from bot.models import Answer, Turn
from bot.runtime import make_engine
from bot.settings import Settings
from tests.corpus import run, write

ASKED = date(2025, 6, 25)  # a Wednesday
ARTICLES = {
    "marigold-1": (
        "Three dead after ferry capsizes off Lindow",
        date(2025, 5, 6),
        """Three people died when the ferry Marigold capsized off Lindow on Monday evening, the coastguard said.

The ship was carrying 212 passengers and a crew of 14 from Lindow to the island of Brae. She turned over \
within six minutes, two miles from the harbour.

Many passengers were still missing on Tuesday morning. “We are looking for people in the water,” said Clara \
Voss, the coastguard's commander.""",
    ),
    "marigold-2": (
        "Ferry toll rises to six",
        date(2025, 5, 7),
        """Six people are now known to have died in the capsizing of the ferry Marigold, the police in Lindow said on \
Wednesday.

Divers found three more bodies inside the hull. Eleven people are still missing.

The prime minister, Anna Thorell, is to visit Lindow on Friday.""",
    ),
    "marigold-3": (
        "Nine dead in Marigold disaster, as search ends",
        date(2025, 5, 10),
        """The search for survivors of the Marigold disaster ended on Friday night. The number of dead stands at nine, \
the police said.

The wreck is to be raised in June. A commission led by the engineer Per Sundin will look into the cause.

“The doors were open,” said Sundin on Thursday. “We do not know why.”""",
    ),
    "marigold-4": (
        "Marigold sailed with open doors, commission says",
        date(2025, 6, 20),
        """The ferry Marigold sailed with her bow doors open, a commission led by Per Sundin found on Thursday.

Nobody on the bridge could see the doors. The owner, Brae Lines, had refused to fit a warning lamp, which \
would have cost £4,000.

The company denied that it had refused. Its chief executive, Oskar Lind, said that no captain had asked for a \
lamp.""",
    ),
    "marigold-5": (
        "Families of the Marigold's dead demand a trial",
        date(2025, 6, 24),
        """The families of those who died on the ferry Marigold called on Tuesday for the owner to be tried.

“Nine people are dead because of a lamp,” said Ruth Amsel, whose brother drowned.

A vigil was held at Lindow church.""",
    ),
    "kestrel": (
        "Two killed as ferry hits pier at Burrow",
        date(2025, 5, 2),
        """Two people were killed and 14 hurt when the ferry Kestrel hit the pier at Burrow on Thursday.

The captain said that the engines had failed. The pier will be closed for a month.""",
    ),
    "strike-harwick": (
        "Bus drivers in Harwick walk out",
        date(2025, 3, 4),
        """Bus drivers in Harwick began a strike on Monday for 6 per cent more pay. Some 340 drivers took part, the \
union said.

The company offers 3 per cent. Talks are to resume on Friday.""",
    ),
    "strike-pelham": (
        "Dockers in Pelham down tools",
        date(2025, 3, 10),
        """Dockers in Pelham began a strike on Sunday for 9 per cent more pay. About 800 dockers took part, their \
union said.

The port offers 4 per cent. No talks have been arranged.""",
    ),
    "theft-1": (
        "Gold cup stolen from Pelham town hall",
        date(2025, 4, 2),
        """The gold cup of the Pelham regatta was stolen from the town hall on Tuesday night, the police said.

The thieves broke a window at the back. The cup, made in 1788, is worth £90,000.""",
    ),
    "theft-2": (
        "Caretaker charged over Pelham cup",
        date(2025, 4, 9),
        """Police charged the caretaker of Pelham town hall, Martin Brell, on Tuesday with stealing the regatta's gold \
cup.

Brell denied stealing the cup. “I was asleep at home,” he told the court. His lawyer, Dana Holt, said that the \
police had no evidence.

The trial is to begin in September.""",
    ),
    "halden-1": (
        "Halden bridge passes inspection",
        date(2025, 2, 14),
        """The inspection of the Halden bridge took place on 12 February. It was led by the engineer Ingrid Moe and \
cost £58,000.

The bridge was found to be safe, because its cables had been replaced in 2019. A second inspection, led by Tor \
Hagen, will follow in October.

“It is a sound bridge,” said Moe on Thursday.""",
    ),
    "mayor-thu": (
        "Mayor of Lindow rules out new tax",
        date(2025, 6, 20),
        """The mayor of Lindow, Greta Palm, ruled out a new tax on Thursday. “There will be no tax on visitors while I \
am mayor,” she said. “Not this year, and not next year. The town can pay for its own beaches.”

The council had asked for £2 a night.""",
    ),
    "mayor-old": (
        "Mayor of Lindow opens new pool",
        date(2025, 5, 16),
        """The mayor of Lindow, Greta Palm, opened the town's new pool on Saturday. “It is warm enough for me,” she \
said on Thursday.

The pool cost £3.2 million.""",
    ),
    "quake": (
        "Earthquake in Sarmo kills 127",
        date(2025, 1, 20),
        """An earthquake in the province of Sarmo killed 127 people on Saturday, the government said. More than 2,000 \
were hurt.

The quake had a magnitude of 6.1 and struck at 4 a.m. Some 5,400 houses were destroyed.""",
    ),
}


@pytest.fixture(scope="module")
def engine(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine over the articles."""
    folder, data = tmp_path_factory.mktemp("articles"), tmp_path_factory.mktemp("data")
    for name, (headline, published, body) in ARTICLES.items():
        write(folder, name, body, headline=headline, outlet="Coast Herald", published=published)
    run(data, [folder], weights)
    with closing(make_engine(Settings(data=data, model_dir=weights))) as made:
        yield made


def ask(engine: Engine, *questions: str, as_of: date = ASKED) -> Answer:
    """The answer to the last question of a conversation, with citations to the letter."""
    turns: list[Turn] = []
    for question in questions:
        answer = engine.ask(question, turns=turns, as_of=as_of)
        turns += [Turn("user", question), Turn("assistant", answer.text)]
    for citation in answer.citations:
        article = engine.article(citation.source.id)
        assert article is not None
        assert citation.quote == article.body[citation.start : citation.end]
    return answer


@pytest.mark.parametrize(
    "question",
    [
        "How many died in the ferry disaster?",
        "How many people died when the Marigold capsized?",
        pytest.param(
            "Marigold death toll",
            marks=pytest.mark.xfail(strict=True, reason="an earlier article with the same figure is chosen"),
        ),
    ],
)
def test_the_latest_figure_is_that_of_the_newest_article_on_the_event(engine: Engine, question: str) -> None:
    """The nearest sentence says six, and an article that is further away says nine weeks later."""
    answer = ask(engine, question)
    assert answer.text.startswith("The latest, 24 June 2025: “‘Nine people are dead")
    assert "earlier: 7 May 2025: “Six people" in answer.text


def test_no_figure_is_the_latest_before_it_was_published(engine: Engine) -> None:
    """Asked on 8 May, six is the latest, and what came later is not read."""
    answer = ask(engine, "How many people died when the Marigold capsized?", as_of=date(2025, 5, 8))
    assert "7 May 2025: “Six" in answer.text
    assert "ine people" not in answer.text


@pytest.mark.parametrize(
    ("question", "quoted", "other"),
    [
        ("How many people died on the Kestrel?", "Two people were killed", "Nine"),
        ("How many people were killed at the pier in Burrow?", "Two people were killed", "Nine"),
        ("How many people died in Sarmo?", "killed 127 people", "Nine"),
    ],
)
def test_a_figure_of_another_event_is_not_quoted_beside_it(
    engine: Engine, question: str, quoted: str, other: str
) -> None:
    """An accident elsewhere is no development of this one."""
    answer = ask(engine, question)
    assert quoted in answer.text
    assert other not in answer.text
    assert "latest" not in answer.text


def test_two_strikes_are_no_development_of_each_other(engine: Engine) -> None:
    """Both are quoted where the question names neither, and neither is called the latest, nor do they differ."""
    answer = ask(engine, "How many people took part in the strike?")
    assert "340" in answer.text
    assert "latest" not in answer.text
    assert "differ" not in answer.text


@pytest.mark.parametrize(
    "question", ["Who stole the gold cup?", "who stole the cup of Pelham", "Who took the gold cup?"]
)
def test_an_accusation_is_told_as_one(engine: Engine, question: str) -> None:
    """Whoever is charged is no doer."""
    answer = ask(engine, question)
    assert answer.text.startswith("No article that comes near says who did it, but there is an accusation:")
    assert answer.short is None
    assert "Police charged" in answer.text


def test_a_denial_stands_behind_the_accusation(engine: Engine) -> None:
    """The accused is heard, and not first."""
    text = ask(engine, "Who stole the gold cup?").text
    assert text.index("Police charged") < text.index("Brell denied stealing")


@pytest.mark.parametrize("nonsense", ["asdf qwer", "flurb?", "xyzzy plugh zzz", "lamp", "purple lamp", "banana the of"])
def test_nonsense_repeats_no_answer(engine: Engine, nonsense: str) -> None:
    """It is refused, and if no article has a word of it, as not understood."""
    answer = ask(engine, "How many were hurt in the Sarmo earthquake?", nonsense)
    assert answer.refusal
    is_known = any(word in nonsense for word in ("lamp", "the"))
    assert is_known or "not understood" in answer.refusal.reason


@pytest.mark.parametrize(
    ("questions", "quoted"),
    [
        (["When was the inspection of the Halden bridge?", "Who led it?"], "Ingrid Moe"),
        (["When was the inspection of the Halden bridge?", "Who led it?", "and the second one?"], "Tor Hagen"),
        (["When was the inspection of the Halden bridge?", "and the second one?"], "October"),
        (["When was the inspection of the Halden bridge?", "how much?"], "£58,000"),
        (["How much did the pool cost?", "and the inspection?"], "£58,000"),
        (["How many people were killed in Sarmo?", "and at Burrow?"], "Two people"),
    ],
)
def test_a_follow_up_keeps_its_subject(engine: Engine, questions: list[str], quoted: str) -> None:
    """What it varies stands in the place of its like."""
    assert quoted in ask(engine, *questions).text


@pytest.mark.parametrize(
    ("question", "verdict"),
    [
        ("Did 127 people die in the earthquake?", "Yes"),
        ("Did the earthquake kill 127 people?", "Yes"),
        pytest.param(
            "Were 127 people killed?",
            "Yes",
            marks=pytest.mark.xfail(strict=True, reason="names no event: the reader is surer of another toll"),
        ),
        ("Did 130 people die in Sarmo?", "No"),
        ("Did more than 100 people die in Sarmo?", "Yes"),
        ("Did more than 200 people die in Sarmo?", "No"),
        ("Is it true that 127 people died in Sarmo?", "Yes"),
        ("Is the cup worth £90,000?", "Yes"),
        ("Is the cup worth £80,000?", "No"),
        ("Were 6,000 houses destroyed in the Sarmo earthquake?", "No"),
        ("Did 340 drivers take part in the strike?", "Yes"),
        ("Did nine people die on the Marigold?", "Yes"),
        ("Did six people die on the Marigold?", "No"),
        ("Did two people die on the Kestrel?", "Yes"),
    ],
)
def test_a_stated_figure_is_compared_with_the_given_one(engine: Engine, question: str, verdict: str) -> None:
    """In any words, with the latest figure of the event."""
    answer = ask(engine, question)
    assert answer.kind == "yes_no"
    assert answer.short == verdict
    assert answer.citations


def test_a_number_that_names_a_thing_is_not_compared(engine: Engine) -> None:
    """The magnitude of a quake is no number of houses: no verdict rests on it."""
    answer = ask(engine, "Did the 6.1 earthquake in Sarmo destroy houses?")
    assert answer.short is None
    assert "5,400 houses were destroyed" in answer.text


@pytest.mark.parametrize(
    ("question", "as_of", "quoted", "other"),
    [
        ("What did the mayor say on Thursday?", ASKED, "no tax on visitors", "warm enough"),
        ("What did Greta Palm say on Thursday?", date(2025, 5, 20), "warm enough", "no tax"),
        ("What did Per Sundin say on Thursday?", ASKED, "The doors were open", "no tax"),
        ("What happened on Thursday?", ASKED, "ruled out a new tax", "pool"),
    ],
)
def test_a_weekday_is_the_last_before_the_question(
    engine: Engine, question: str, as_of: date, quoted: str, other: str
) -> None:
    """Articles of that day and the two behind it are looked at; if there are none, those that name the weekday."""
    text = ask(engine, question, as_of=as_of).text
    assert quoted in text
    assert other not in text


def test_a_day_without_a_saying_is_named(engine: Engine) -> None:
    """And what was said on other days is not passed off for it."""
    refusal = ask(engine, "What did the mayor say on Sunday?").refusal
    assert refusal
    assert refusal.reason == "No article quotes the mayor on Sunday, 22 June 2025."


def test_the_days_before_a_weekday_have_no_beginning(engine: Engine) -> None:
    """Every older article is of them: the first day of the calendar is no error."""
    assert ask(engine, "What did the mayor say before Monday?").answered
    assert ask(engine, "Who died before Monday?").text


def test_a_quotation_is_not_cut(engine: Engine) -> None:
    """The sentence that answers is quoted with the rest of what was said in one breath."""
    (citation, *_) = ask(engine, "Will there be a tax on visitors next year?").citations
    assert citation.quote.count("“") == citation.quote.count("”")


@pytest.mark.parametrize(
    "question", ["Who led a commission on the Marigold?", "Who led the second inspection of the bridge?"]
)
def test_the_shortest_answer_begins_with_no_preposition(engine: Engine, question: str) -> None:
    """As in "by Per Sundin", which is how a sentence goes on."""
    assert not ask(engine, question).text.lower().startswith(("by ", "of ", "and "))
