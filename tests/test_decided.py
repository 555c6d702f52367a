"""Turns of the news that decide a yes/no question, and what looks like them and decides nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.kinds.decided import (
    answered_question,
    judge_end,
    judge_first,
    judge_kept,
    judge_none,
    judge_nothing,
    judge_office,
    judge_plan,
    judge_resignation,
    judge_vote,
)
from bot.kinds.statement import Sentence, Statement

VOTE = "Council votes on the sea wall. "


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("Did Ann Lee vote for the sea wall?", "Those against were Bob Ray and Ann Lee.", "No"),
        ("Did Ann Lee vote against the sea wall?", "Those against were Bob Ray and Ann Lee.", "Yes"),
        ("Did Ann Lee back the sea wall?", "In favour were Bob Ray, Ann Lee and Carla Diaz.", "Yes"),
        ("Did Ann Lee vote for the sea wall?", "Ann Lee and Bob Ray voted against.", "No"),
        ("Did George Pell vote for the sea wall?", "Maud Pell voted for it. George Pell voted against it.", "No"),
        ("Did Maud Pell vote for the sea wall?", "Maud Pell voted for it. George Pell voted against it.", "Yes"),
        ("Did George Pell vote for the sea wall?", "George Pell, to whom she is not related, voted against it.", "No"),
        ("Did Ann Lee vote for the sea wall?", "Those against were Bob Ray and Ann Ray.", ""),
        ("Did Ann Lee vote for the sea wall?", "Ann Lee said that Bob Ray voted against it.", ""),
        ("Did Ann Lee vote for the tunnel?", "Those against were Bob Ray and Ann Lee.", ""),
        ("Did Ann Lee vote for the sea wall?", "Ann Lee might have voted for it.", ""),
    ],
)
def test_a_vote_is_read_from_the_sides(question: str, sentence: str, expected: str) -> None:
    """A whole name on a side of a vote on the same thing; nobody is put on a side by another's vote."""
    assert judge_vote(Statement.of(question), sentence, VOTE + sentence) == expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Lars Eklund, who took over as transport minister last month, agreed.", "No"),
        ("The new transport minister, Lars Eklund, agreed.", "No"),
        ("Ann Lee resigned within the hour.", "No"),
        ("Ann Lee, who had led the ministry since 2016, resigned within the hour.", "No"),
        ("The new transport minister, Ann Lee, agreed.", ""),
        ("Ann Lee could have resigned.", ""),
        ("Ann Lee met Bob Ray, who resigned.", ""),
        ("The new health minister, Lars Eklund, agreed.", ""),
        ("The transport minister, Ann Lee, agreed.", ""),
    ],
)
def test_an_office_passes_to_another(sentence: str, expected: str) -> None:
    """Only to a named successor in the same office, or by the holder's leaving."""
    assert judge_office(Statement.of("Is Ann Lee still transport minister?"), sentence) == expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("They accepted the offer, ending a strike of 26 days.", "Yes"),
        ("The strike was called off on Friday.", "Yes"),
        ("The strike is over.", "Yes"),
        ("The strike will be over within a week.", ""),
        ("The city expects that the strike was over.", ""),
        ("The trial ended on Friday.", ""),
        ("The strike has not ended.", ""),
    ],
)
def test_a_thing_is_over_where_its_end_is_told(sentence: str, expected: str) -> None:
    """An end that is only expected, or that of another thing, decides nothing."""
    assert judge_end(Statement.of("Is the strike over?"), sentence) == expected


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        ("Will I get my money back? No. The charge pays for the whole system.", "No"),
        ("Will I get my money back? Yes, by June.", "Yes"),
        ("Will I get my money back? The city has not decided.", None),
        ("Where can I leave my rubbish? No bags may be left outside.", None),
        ("I want my money back. No.", None),
    ],
)
def test_an_article_that_asks_the_question_itself_answers_it(passage: str, expected: str | None) -> None:
    """Only where the answer begins with Yes or No."""
    answer = answered_question(Statement.of("Will households get their money back?"), passage)
    assert (answer and answer[1]) == expected


@pytest.mark.parametrize(
    ("question", "previous", "sentence", "expected"),
    [
        ("Did the union accept the offer?", "The city made an offer.", "The union turned it down.", "No"),
        ("Did the union reject the offer?", "The city made an offer.", "The union turned it down.", "Yes"),
        ("Did the union accept the offer of 6 percent?", "The offer was 6 percent.", "The union rejected it.", "No"),
        ("Did the union accept the offer of 8 percent?", "The offer was 6 percent.", "The union rejected it.", None),
        ("Did the mayor accept the offer?", "The city made an offer.", "The union turned it down.", None),
        ("Are the traders going to court?", "", "The traders have dropped their plan to go to court.", "No"),
        ("Did the fire begin on the deck?", "", "The fire that killed nine began in the hold, not on the deck.", "No"),
        ("Did the fire begin in the hold?", "", "The fire that killed nine began in the hold, not on the deck.", "Yes"),
        ("Will the mill cut jobs?", "", "Ann Lee said that the mill would cut jobs.", ""),
        ("Will the mill cut jobs?", "", "The mill would cut jobs in a crisis.", ""),
        ("Is Ann Lee a councillor?", "", "Ann Lee stepped down in May; she remains a councillor.", "Yes"),
        ("Is Ann Lee a councillor?", "", "Ann Lee met Bob Ray; he remains a councillor.", ""),
        ("Is Ann Lee open on Sundays?", "", "The branch has been closed since its roof leaked.", None),
    ],
)
def test_words_before_and_behind_decide(question: str, previous: str, sentence: str, expected: str | None) -> None:
    """What "it" stands for, a dropped plan, a subject with a relative clause; what "would" happen has no verdict."""
    judgement = Sentence(sentence, "", f"{previous} {sentence}", "", previous).judge(Statement.of(question))
    assert (judgement and judgement.verdict) == expected


@given(st.text(max_size=60), st.text(max_size=200))
def test_any_text_is_judged(question: str, text: str) -> None:
    """No text breaks a rule, and every verdict is Yes, No or none."""
    statement = Statement.of(question)
    verdicts = [judge_vote(statement, text, text)]
    verdicts += [judge_office(statement, text), judge_end(statement, text)]
    assert set(verdicts) <= {"Yes", "No", ""}
    answer = answered_question(statement, text)
    assert answer is None or answer[1] in {"Yes", "No"}


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("Did the bus strike end?", "The bus strike in Tarrow ended on Tuesday.", "Yes"),
        ("Has the strike ended?", "They accepted the offer, ending a strike of 26 days.", "Yes"),
        ("Is the strike still going on?", "The strike was called off on Friday.", "No"),
        ("Did the bus strike end?", "The rail strike ended on Tuesday.", ""),
        ("Did the bus strike end?", "Talks on the bus strike ended in the night.", ""),
        ("Did the bus strike end?", "The bus strike will have ended by Tuesday.", ""),
    ],
)
def test_an_end_is_of_the_same_thing(question: str, sentence: str, expected: str) -> None:
    """In other words too; not of another thing, nor in the future."""
    assert judge_end(Statement.of(question), sentence) == expected


@pytest.mark.parametrize(
    ("question", "previous", "text", "expected"),
    [
        ("Was anyone hurt in the 2022 fire?", "", "In August 2022 a fire broke out; nobody was hurt.", "No"),
        ("Was anybody hurt when the crane fell?", "A crane fell.", "Nobody was hurt.", "No"),
        ("Was anyone hurt in the explosion?", "", "In August 2022 a fire broke out; nobody was hurt.", ""),
        ("Was anyone hurt in the 2021 fire?", "", "In August 2022 a fire broke out; nobody was hurt.", ""),
        ("Was anyone killed in the fire?", "A fire broke out.", "Nobody was hurt.", ""),
        ("Was anyone hurt in the fire?", "A fire broke out.", "Nobody but the cook was hurt.", ""),
        ("Was anyone hurt?", "A fire broke out.", "Nobody was hurt.", ""),
        ("Was the mill hurt in the fire?", "A fire broke out.", "Nobody was hurt.", ""),
    ],
)
def test_nobody_is_of_the_same_event(question: str, previous: str, text: str, expected: str) -> None:
    """What happened is in the sentence, or before it if it says no more."""
    sentence = Sentence(text, "", f"{previous} {text}", "The mill", previous)
    assert judge_none(Statement.of(question), sentence) == expected


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("Will Marl's shareholders see a dividend?", "There will be no dividend.", "No"),
        ("Did Marl pay a dividend?", "There will be no dividend.", ""),
        ("Will Marl's shareholders criticise the dividend?", "There will be no dividend.", ""),
        ("Will Orrin's shareholders see a dividend?", "There will be no dividend.", ""),
        ("Will Marl's shareholders see a bonus?", "There will be no dividend.", ""),
    ],
)
def test_there_is_none_to_have(question: str, text: str, expected: str) -> None:
    """Of the one whose passage it is, in the same tense, for who would have it."""
    sentence = Sentence(text, "", f"Marl slips into the red. {text}", "Marl slips into the red")
    assert judge_nothing(Statement.of(question), sentence) == expected


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("Has the mayor of Tarrow resigned?", "Ines Halloran resigned as mayor of Tarrow on Wednesday.", "Yes"),
        ("Did the chief executive quit?", "Piet Lam has stepped down as chief executive.", "Yes"),
        ("Has the mayor of Veldon resigned?", "Ines Halloran resigned as mayor of Tarrow on Wednesday.", ""),
        ("Has the mayor of Tarrow resigned?", "The opposition asked whether she had resigned as mayor of Tarrow.", ""),
    ],
)
def test_who_holds_an_office_has_left_it(question: str, text: str, expected: str) -> None:
    """The same office of the same place."""
    assert judge_resignation(Statement.of(question), text) == expected


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("Will Victor Lund appeal?", "His lawyer said that he maintained his innocence and would appeal.", "Yes"),
        ("Will Victor Lund appeal?", "His lawyer said that he would not appeal.", "No"),
        ("Will Victor Lund appeal?", "His lawyer said that he would appeal if he could.", ""),
        ("Will Victor Lund pay?", "His lawyer said that he would appeal.", ""),
        ("Did Victor Lund appeal?", "His lawyer said that he would appeal.", ""),
    ],
)
def test_a_plan_is_told_by_who_has_it(question: str, text: str, expected: str) -> None:
    """Without a condition, of somebody named before."""
    sentence = Sentence(text, "Lund shook his head. ", f"Victor Lund was convicted. {text}")
    assert judge_plan(Statement.of(question), sentence) == expected


def test_the_first_time() -> None:
    """Told of whom the question names, by a sentence that the reader is sure of."""
    asked = Statement.of("Is this the first time Joni Mitchell sings at the Grammys?")
    told = Sentence("Joni Mitchell will perform at the Grammys for the first time.", "", "", is_sure=True)
    assert judge_first(asked, told) == "Yes"
    assert not judge_first(asked, Sentence(told.text, "", ""))
    assert not judge_first(asked, Sentence("Ann Lee will sing for the first time.", "", "", is_sure=True))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Will the Bremmel works be closed?", "No"),
        ("Did the council vote to close the Bremmel works?", "No"),
        ("Will the Bremmel works stay open?", "Yes"),
        ("Will the Sandholm works be closed?", ""),
        ("Did the council consider closing the Bremmel works?", ""),
    ],
)
def test_what_is_kept_open_is_not_closed(question: str, expected: str) -> None:
    """By a decision on the same thing."""
    sentence = Sentence("The council voted by 9 to 6 to keep the Bremmel works open.", "", "")
    assert judge_kept(Statement.of(question), sentence) == expected
