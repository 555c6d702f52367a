"""Lists, comparisons, totals and reasons: what is set side by side, added up, and left unsaid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.extract.ranking import Retrieval
from bot.extract.reader import Reading
from bot.kinds.scope import Found, Scope
from bot.kinds.sides import split_sides
from bot.kinds.ways import WAYS
from bot.query.kind import classify
from index.models import Article, Filters, Passage, Span
from tests.supports import supports
from tests.test_quote import find, passage, published

if TYPE_CHECKING:
    from index.storage.catalogue import Catalogue

MILL = passage(
    "mill",
    "The Garforth mill will cut 140 of its 560 jobs by June. The company blamed the price of energy. "
    "The mill in Ennis will cut 60 jobs by June. The depot employs 60 drivers in Thornley and 45 in Marrow.",
)
VOTE = passage("vote", "Councillors Ann Lee and Bob Ray voted against the fares. Mayor Tom Vance voted for the fares.")
LATER = published(
    passage(
        "later", "A third councillor, Deepak Nair, also voted against the fares. A ticket costs £3, up from £2.40."
    ),
    date(2024, 3, 1),
)


@dataclass
class Known:
    """A catalogue of whole articles, in which nobody is introduced or quoted."""

    articles: dict[str, Article]

    def article(self, name: str) -> Article | None:
        """An article by its id."""
        return self.articles.get(name)

    def people(self, **_: object) -> list[object]:
        """Nobody."""
        return []

    quotations = people


def ask(question: str, *passages: Passage) -> Found | None:
    """What the way of the question's kind finds in the passages, for which any sentence is as near."""
    scope = Scope(
        cast("Catalogue", Known({one.source.id: Article(one.source, one.text) for one in passages})),
        Filters(as_of=date(2024, 6, 1)),
        lambda query: near(query, *passages),
        lambda _, texts: [0.5] * len(texts),
        supports,
    )
    request = classify(question)
    return WAYS[request.kind](request, scope)


def near(query: str, *passages: Passage) -> Retrieval:
    """What is found where all sentences mean the same."""
    return find(query, *passages)


def text(question: str, *passages: Passage) -> str:
    """The text that is found; there must be one."""
    found = ask(question, *passages)
    assert found is not None
    return found.text or found.refusal


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("Compare the old and the new fare", ("the old fare", "the new fare")),
        ("Compare the Courier's and the Gazette's figures", ("the Courier's figures", "the Gazette's figures")),
        ("Compare jobs lost in Garforth and Ennis", ("jobs lost in Garforth", "jobs lost in Ennis")),
        ("fares before and after the rise", ("fares before the rise", "fares after the rise")),
        ("How do the night buses compare with the day buses?", ("the night buses", "the day buses")),
        ("What is the difference between Iran and the US?", ("Iran", "the US")),
        ("compare the city's first and second offer", ("the city's first offer", "the city's second offer")),
        ("Compare the fares", ()),
    ],
)
def test_sides_of_a_question(question: str, sides: tuple[str, ...]) -> None:
    """They are split at "and", and the shorter side is completed by the longer one."""
    assert split_sides(question) == sides


@given(
    st.lists(
        st.sampled_from("compare and the old new fare , before after with 's Ennis or which is older".split())
    ).map(" ".join)
)
def test_any_question_is_split(question: str) -> None:
    """Into at most four sides, or none."""
    assert len(split_sides(question)) <= 4


def test_each_side_is_quoted_beside_its_name() -> None:
    """The sentence of each side, with the number of its article."""
    found = ask("Compare the jobs cut in Garforth and Ennis", MILL)
    assert found
    first, second = found.text.split("\n")
    assert first.startswith("- The jobs cut in Garforth: “The Garforth mill will cut 140")
    assert second.startswith("- The jobs cut in Ennis: “The mill in Ennis will cut 60")
    assert [citation.number for citation in found.citations] == [1, 1]
    assert first.endswith("” [1]")
    assert second.endswith("” [1]")


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("Which is older, the mill or the bridge?", ("the mill is older", "the bridge is older")),
        ("Ann Lee or Bob Ray: who won more votes?", ("Ann Lee won more votes", "Bob Ray won more votes")),
        ("did New York or Ennis lose more jobs", ("New York lose more jobs", "Ennis lose more jobs")),
        ("Which is older, A, B, C, D or E?", ()),
    ],
)
def test_a_choice_has_the_things_as_its_sides(question: str, sides: tuple[str, ...]) -> None:
    """Each with what is asked of it."""
    assert classify(question).kind == "compare"
    assert split_sides(question) == sides


def test_a_choice_claims_nothing_in_our_words() -> None:
    """Each quote stands under the name of its thing alone: which is more is for the reader to see."""
    first, second = text("Which cut more jobs, Garforth or Ennis?", MILL).split("\n")
    assert first.startswith("- Garforth: “The Garforth mill will cut 140")
    assert second.startswith("- Ennis: “The mill in Ennis will cut 60")


def test_a_side_that_no_article_has_is_named() -> None:
    """Nothing is compared with nothing."""
    compared = text("Compare the jobs cut in Garforth and Paris", MILL)
    assert compared == "No article that comes near says it of “the jobs cut in Paris”."


def test_what_a_thing_was_before_stands_in_a_single_sentence() -> None:
    """Where a sentence tells from what to what a number changed, it is enough."""
    assert text("Compare the old and the new ticket costs", LATER) == "“A ticket costs £3, up from £2.40.” [1]"


def test_parts_are_added_up_as_our_sum() -> None:
    """A part of a whole is not the whole, and each part is cited."""
    total = text("How many jobs will the mills in Garforth and Ennis cut together?", MILL)
    assert total.startswith("Together 140 + 60 = 200 (our sum):\n- Garforth: “")
    assert "- Ennis: “The mill in Ennis will cut 60" in total


def test_parts_in_the_same_sentence_are_cited_once() -> None:
    """By a single line that names both."""
    total = text("How many drivers work in Thornley and Marrow together?", MILL)
    assert total.startswith("Together 60 + 45 = 105 (our sum):\nThornley and Marrow: “")
    assert total.endswith("[1]")


def test_no_sum_without_every_part() -> None:
    """The part that no article gives is named, and no number is shown."""
    spared = passage("spared", "No jobs will be cut in Norland.")
    found = ask("How many jobs will the mills in Garforth and Norland cut together?", MILL, spared)
    assert found
    assert found.refusal == "No article that comes near gives a number for Norland: there is no sum."
    assert not found.text


def test_a_stated_total_is_quoted() -> None:
    """Nothing is added up."""
    stated = passage("sum", "The Garforth and Ennis mills will cut 210 jobs in total.")
    total = text("How many jobs will the mills in Garforth and Ennis cut in total?", MILL, stated)
    assert total == "“The Garforth and Ennis mills will cut 210 jobs in total.” [1]"


def test_every_member_is_listed_with_its_sentence() -> None:
    """Of two articles, and nobody of the other side."""
    listed = text("Who voted against the fares?", VOTE, LATER)
    assert "Ann Lee and Bob Ray" in listed
    assert "Deepak Nair" in listed
    assert "Vance" not in listed
    assert listed.count("\n- ") == 1


def test_an_enumeration_of_the_asked_side_is_the_list() -> None:
    """It need not repeat what the vote was on, and a later article replaces an earlier one."""
    first = passage(
        "first",
        "The council approved the wall in a vote. In favour were Ann Lee, Bob Ray and Cy Diaz. "
        "Against were Di Fox, Ed Gale and Flo Hunt.",
    )
    second = passage("second", "On the vote on the wall: against were Di Fox, Ed Gale and Gus Ives, not Flo Hunt.")
    assert text("Who voted against the wall?", first).startswith("“Against were Di Fox, Ed Gale and Flo Hunt.”")
    corrected = text("Who voted against the wall?", first, published(second, date(2024, 2, 1)))
    assert corrected.startswith("“On the vote on the wall: against were Di Fox")


@pytest.mark.parametrize(
    ("body", "question", "head"),
    [
        (
            "The deal was approved by 401 votes to 176.",
            "How many votes were cast on the deal in total?",
            "401 + 176 = 577",
        ),
        ("Two helicopters and six lifeboats came.", "How many helicopters and lifeboats came altogether?", "2 + 6 = 8"),
    ],
)
def test_two_numbers_of_a_sentence_are_added(body: str, question: str, head: str) -> None:
    """The sides of a vote, and two things that the question names."""
    assert text(question, passage("one", body)) == f"Together {head} (our sum): “{body}” [1]"


REPORT = passage(
    "report",
    "Harbour Lines lost money last year. “It is the bottom,” said Ida Sol, the chief executive. Analysts differed. "
    "“They have been there before,” said Cleo Font, an analyst at Stead. Another analyst, Leo Marsh of Castle, kept "
    "his advice on Harbour Lines.\n\nThe inquiry makes three recommendations. Ferries should be inspected; defects "
    "should be reported; and cabins should have hoods.",
)
LEAGUE = passage(
    "league",
    "The Tarn League went on.\n\nFernhollow 4, Aldermoor 1\n\nMarrow 1, Sandholm 2\n\n| Team | Played | Points |\n"
    "| Marrow | 3 | 7 |\n| Sandholm | 3 | 4 |\n\nNext Saturday: Marrow v Sandholm, Aldermoor v Fernhollow.",
)
MATCH = passage(
    "match",
    "Northgate beat the Rovers 3-2 in the cup final. The Rovers led through Tilly Oka, who headed in a corner. Jade "
    "Mercer, the captain, pulled a goal back. Saskia Blom, the goalkeeper, saved a penalty. Ines Dupont, a substitute, "
    "levelled.",
)
PLAN = passage(
    "plan",
    "The council plans a wall. Critics say that the wall is ugly. “Nobody asked us,” said Ann Lowe, a trader. "
    "Councillor Bob Ray, who is a baker, spoke against it. Cy Diaz, an engineer, measured it.",
)


@pytest.mark.parametrize(
    ("question", "article", "members", "others"),
    [
        ("Which analysts commented on Harbour Lines?", REPORT, ("Cleo Font", "Leo Marsh"), ("Ida Sol",)),
        ("Which recommendations does the inquiry make?", REPORT, ("inspected", "reported", "hoods"), ("Cleo Font",)),
        ("What does the inquiry recommend?", REPORT, ("inspected", "reported", "hoods"), ("Cleo Font",)),
        ("Which results did the Tarn League have?", LEAGUE, ("Fernhollow 4", "Marrow 1"), ("|", " v ")),
        ("Which teams are in the Tarn League?", LEAGUE, ("| Marrow", "| Sandholm"), ("Fernhollow",)),
        ("Who scored in the cup final?", MATCH, ("Tilly Oka", "Jade Mercer", "Ines Dupont"), ("Blom",)),
        ("Who is against the wall?", PLAN, ("Ann Lowe", "Bob Ray"), ("Cy Diaz",)),
    ],
)  # fmt: skip
def test_members_are_read_in_the_whole_article(
    question: str, article: Passage, members: tuple[str, ...], others: tuple[str, ...]
) -> None:
    """By role, as counted items, as rows and scores, by a deed that news tells in many words; and nobody else."""
    listed = text(question, article)
    assert all(member in listed for member in members)
    assert not any(other in listed for other in others)


def test_matches_to_come_are_no_results() -> None:
    """They are left to the ordinary quote."""
    found = ask("Which matches are next in the Tarn League?", LEAGUE)
    assert found is None or "Fernhollow 4" not in found.text


def test_scorers_for_a_side_are_listed() -> None:
    """As those of the match."""
    assert "Ines Dupont" in text("Who scored for Northgate in the cup final?", MATCH)


def test_a_list_without_a_name_is_refused() -> None:
    """A sentence that has no name, figure or series beyond the question names no members."""
    found = ask(
        "Which schools in Westmarsh closed?", passage("water", "Schools in Westmarsh had closed their kitchens.")
    )
    assert found
    assert found.refusal == "No article that comes near names them."


def test_goals_of_another_team_are_not_given() -> None:
    """A match report that mentions a team does not say who scored for it."""
    found = ask("Who scored for Sandholm?", passage("cup", f"{MATCH.text} Sandholm wait in the next round."))
    assert found is None or "Tilly Oka" not in found.text


@pytest.mark.parametrize(
    "question", ["Which analysts commented on Paris?", "Which analysts resigned from Harbour Lines?"]
)
def test_no_members_beside_another_topic_or_deed(question: str) -> None:
    """People of the role in an article that lacks a word of the question, or the deed, are no answer."""
    found = ask(question, REPORT)
    assert found is None or "Leo Marsh" not in found.text


def test_what_is_excepted_is_no_answer() -> None:
    """If no others are named, it is said."""
    found = ask("Which ferries besides the Petrel burnt?", passage("fire", "The ferry Petrel burnt on Monday."))
    assert found
    assert found.refusal == "No article that comes near names any others."


@pytest.mark.parametrize(
    ("question", "article", "head"),
    [
        ("How many goals were scored in the cup final in all?", MATCH, "3 + 2 = 5"),
        ("How many points do Marrow and Sandholm have together?", LEAGUE, "7 + 4 = 11 points"),
        (
            "How many dead and missing altogether on the ferry?",
            passage("toll", "Six people, not seven, are dead after the ferry fire. Missing fell from six to three."),
            "6 + 3 = 9",
        ),
        (
            "How many posts go at the mill in total?",
            passage("posts", "The mill shrinks. About 60 posts will go early. The union will fight the other 80."),
            "60 + 80 = 140",
        ),
    ],
)  # fmt: skip
def test_parts_of_a_score_a_table_or_two_sentences_are_added(question: str, article: Passage, head: str) -> None:
    """The numbers that sentences hold to, not those that they replace."""
    assert text(question, article).startswith(f"Together {head} (our sum):")


def test_a_number_of_something_else_is_no_total() -> None:
    """A question for a total is refused where the nearest sentence counts another thing."""
    found = ask(
        "How many trees fell in Odette altogether?", passage("storm", "Odette passed 70 kilometres further north.")
    )
    assert found is None or found.refusal


def test_no_reason_is_given_where_no_sentence_has_one() -> None:
    """A sentence that only has the question's words is no reason."""
    found = ask("Why did the ferry sink near Norland?", passage("one", "The ferry Marigold sank near Norland."))
    assert found
    assert found.refusal == "No article that comes near gives a reason for it."


def test_the_cause_comes_with_what_it_leans_on() -> None:
    """A sentence that gives the cause is quoted before one that only has the words."""
    reason = text("Why will the Garforth mill cut jobs?", MILL)
    assert reason.endswith("by June. The company blamed the price of energy.” [1]")


def test_a_sum_is_set_beside_that_of_last_year() -> None:
    """A sentence that gives both is the comparison; without one there is none."""
    body = "Brightwater lost £14.2 million after a profit of £5.1 million in the same period of last year."
    question = "Compare Brightwater's result with last year's"
    assert text(question, passage("one", body)) == f"“{body}” [1]"


def test_sides_share_what_stands_behind_the_last() -> None:
    """What the last side is of, and in what things are compared, belongs to every side."""
    assert split_sides("Compare the estimate and the real cost of the repair") == (
        "the estimate of the repair",
        "the real cost of the repair",
    )
    assert split_sides("How do barriers compare in cost with the wall?") == ("barriers in cost", "the wall in cost")
    assert split_sides("Compare the sea wall with Ann Lee's plan") == ("the sea wall", "Ann Lee's plan")


@pytest.mark.parametrize(
    ("question", "body", "has_reason"),
    [
        ("Why did the alarm fail?", "The alarm failed on Monday. A detector had been painted over.", True),
        ("Why did the alarm fail?", "The alarm failed on Monday. It was the third of the kind.", False),
        ("Why was Ann Lee dismissed?", "The code was changed when the museum dismissed Ann Lee in May.", False),
    ],
)
def test_a_reason_may_stand_in_the_next_sentence(question: str, body: str, has_reason: bool) -> None:  # noqa: FBT001  # a case
    """What had happened before explains; a clause of time explains something else."""
    found = ask(question, passage("one", body))
    assert found
    assert bool(found.refusal) != has_reason
    assert not has_reason or found.text == f"“{body}” [1]"


def test_a_cause_behind_the_sentence_is_quoted_with_it() -> None:
    """Up to two sentences of its paragraph."""
    reason = text("Why were the swans moved?", passage("swans", "The swans were moved. The lake had been drained."))
    assert reason == "“The swans were moved. The lake had been drained.” [1]"


def test_names_are_known_without_capitals() -> None:
    """From the passages: a vote is read for "did bob ray vote"."""
    assert text("did bob ray vote against the fares", VOTE).startswith("Yes")


def test_a_cause_of_something_else_is_no_reason() -> None:
    """The reader finds that the sentence with a cause does not answer at all."""
    mill = replace(passage("mill", "The Garforth mill will cut jobs by June because energy is dear."), cosine=1.0)

    def unread(query: str) -> Retrieval:
        retrieval = near(query, mill)
        ranked = (replace(one, reading=Reading(-9.0, Span(0, 0))) for one in retrieval.ranked)
        return replace(retrieval, ranked=tuple(ranked))

    scope = Scope(
        cast("Catalogue", Known({})),
        Filters(as_of=date(2024, 6, 1)),
        unread,
        lambda _, texts: [0.5] * len(texts),
        supports,
    )
    found = WAYS["reason"](classify("Why will the Garforth mill cut jobs by June?"), scope)
    assert found
    assert found.refusal == "No article that comes near gives a reason for it."


@pytest.mark.parametrize(("logit", "verdict"), [(2.5, "No"), (1.0, None)])
def test_a_verdict_rests_on_what_answers_best(logit: float, verdict: str | None) -> None:
    """What the support reader says of a sentence counts only if the other reader is nearly as sure of it as of any."""
    called = passage("strike", "A second stoppage has been called by the union for May.")
    other = passage("feast", "The procession of the stoppage week has been cancelled.")
    logits = {called.text: 3.0, other.text: logit}

    def read(query: str) -> Retrieval:
        retrieval = near(query, called, other)
        ranked = (replace(one, reading=Reading(logits[one.text], Span(0, 0))) for one in retrieval.ranked)
        return replace(retrieval, ranked=tuple(ranked))

    def says_no(statement: str, premise: str) -> float:
        return 5.0 if "procession" in premise and statement.endswith("No") else -5.0

    articles = {one.source.id: Article(one.source, one.text) for one in (called, other)}
    scope = Scope(
        cast("Catalogue", Known(articles)),
        Filters(as_of=date(2024, 6, 1)),
        read,
        lambda _, texts: [0.5] * len(texts),
        says_no,
    )
    found = WAYS["yes_no"](classify("Did the second stoppage take place?"), scope)
    assert (found.short if found else None) == verdict
