"""Yes/no questions: a verdict only where a sentence is certain, and always its proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.extract.decontextualize import decontextualize
from bot.kinds.statement import Sentence, Statement
from index.text import sentences


def judge(question: str, body: str) -> str | None:
    """The surest judgement of a body's sentences: "Yes", "No", with "~" as somebody's account; "quote"; None."""
    statement, outcomes = Statement.of(question), []
    for span in sentences(body):
        before = body[decontextualize(body, span, statement.text).start : span.start]
        judgement = Sentence(body[slice(*span)], before, body).judge(statement)
        if judgement:
            outcomes.append((judgement.verdict or "quote") + "~" * judgement.is_account)
    return min(outcomes, key=lambda outcome: outcome == "quote", default=None)


@pytest.mark.parametrize(
    ("body", "question", "expected"),
    [
        ("The council approved the plan on Monday.", "Did the council approve the plan?", "Yes"),
        ("The council rejected the plan on Monday.", "Did the council approve the plan?", "No"),
        ("The council approved the plan on Monday.", "Did the council reject the plan?", "No"),
        ("The council did not approve the plan.", "Did the council approve the plan?", "No"),
        ("The council has not yet approved the plan.", "Has the council approved the plan?", "No"),
        ("The council will approve the plan, Voss said.", "Did the council approve the plan?", "quote"),
        ("The council is expected to approve the plan.", "Did the council approve the plan?", "quote"),
        ("A petition asks the council to approve the plan.", "Did the council approve the plan?", "quote"),
        ("The plan was approved by the council.", "Did the council approve the plan?", "Yes"),
        ("The council approved the plan.", "Was the plan approved?", "Yes"),
        ("The council approved the plan.", "Was the plan approved by the council?", "Yes"),
        ("Northfield beat Marrow 2-1.", "Did Marrow beat Northfield?", "quote"),
        ("Northfield beat Marrow 2-1.", "Did Northfield beat Marrow?", "Yes"),
        (
            "Northfield have hired Ines Cordero as head coach, the club's chairman, Leo Brandt, said on Tuesday.",
            "Is Leo Brandt the club's chairman?",
            "Yes~",
        ),
        (
            "Northfield have hired Ines Cordero as head coach, the club's chairman, Leo Brandt, said on Tuesday.",
            "Is Ines Cordero the club's chairman?",
            "quote",
        ),
        ("Marrow Bridge, built in 1874, was closed last year.", "Was Marrow Bridge built in 1874?", "Yes"),
        ("Marrow Bridge, built in 1874, was closed last year.", "Was Marrow Bridge built in 1880?", "No"),
        ("Rescuers pulled 12 survivors from the water.", "Did rescuers pull 15 survivors from the water?", "No"),
        ("Rescuers pulled 12 survivors from the water.", "Did rescuers pull 12 survivors from the water?", "Yes"),
        ("Keller denied taking bribes.", "Did Keller take bribes?", "No~"),
        ("Keller denied that he had taken bribes.", "Did Keller take bribes?", "No~"),
        ("Prosecutors accused Keller of taking bribes.", "Did Keller take bribes?", "quote"),
        ("Nobody was seriously hurt.", "Was anybody badly injured?", "No"),
        ("Sunday buses will run from May.", "Will Sunday buses run from May?", "Yes"),
        ("Sunday buses may run from May.", "Will Sunday buses run from May?", "quote"),
        ("The ferry Marigold sank off Norland.", "Did the Marigold sink?", "Yes"),
        ("If the ferry sank, nobody would know.", "Did the ferry sink?", "quote"),
        ("The bridge reopened on Thursday.", "Is it true that the bridge reopened on Thursday?", "Yes"),
        ("The bridge did not reopen on Thursday.", "Is it true that the bridge reopened on Thursday?", "No"),
        ("The toll is £5.", "Is the toll £5?", "Yes"),
        ("The toll is £5.", "Is the toll £8?", "No"),
        ("The mill will cut 140 of its 560 jobs.", "Will the mill cut 560 jobs?", "quote"),
        ("There is no curfew in Thornley.", "Is there a curfew in Thornley?", "No"),
        ("A curfew in Thornley was lifted.", "Is there a curfew in Thornley?", "quote"),
        ("Gail Thorne said that she would recommend it.", "Will Gail Thorne recommend the deal?", None),
        (
            "The strike is over. Gail Thorne leads the union. She signed the deal on Friday.",
            "Did Gail Thorne sign the deal?",
            "Yes",
        ),
        ("Voss told Kerr that he signed the deal.", "Did Kerr sign the deal?", "quote"),
        ("All but two councillors backed the plan.", "Did all councillors back the plan?", "quote"),
        ("The mayor, who approved the plan, left.", "Did the mayor approve the plan?", "Yes"),
        ("The company has failed to pay its workers.", "Has the company paid its workers?", "No~"),
        ("The library is open on Sundays.", "Is the library open on Sundays?", "Yes"),
        ("The library was open on Sundays until 2010.", "Is the library open on Sundays?", "quote"),
        ("The bridge carries buses but not lorries.", "Does the bridge carry lorries?", "No"),
        ("The bridge carries buses but not lorries.", "Does the bridge carry buses?", "Yes"),
        ("The council voted to approve the plan.", "Did the council approve the plan?", "quote"),
        ("Police arrested Ann Lee, not Bob Ray, on Friday.", "Did police arrest Bob Ray?", "No"),
        ("Police arrested Ann Lee, not Bob Ray, on Friday.", "Did police arrest Ann Lee?", "Yes"),
        ("Lee won the seat after Ray had lost it.", "Did Ray win the seat?", "quote"),
        ("Iran attacked a base in Iraq.", "Did Iraq attack a base in Iran?", "quote"),
        ("The fire killed no one.", "Did the fire kill anyone?", "No"),
        ("Nearly 40 people died.", "Did 40 people die?", "quote"),
        ("The union's leaders approved the deal.", "Did the union approve the deal?", "quote"),
        ("The council approved the plan's budget.", "Did the council approve the plan?", "quote"),
        ("The council approved the plan in a vote of 9 to 4.", "Did the council approve the plan?", "Yes"),
        ("The council approved the plan, which would cost £5m.", "Did the council approve the plan?", "Yes"),
        ("Two people were killed in the fire.", "Was anyone killed in the fire?", "Yes"),
        ("Two people were killed in the fire, and no firefighter was hurt.", "Was anyone killed in the fire?", "Yes"),
        ("Brightfold owns the Garforth paper mill.", "Does Brightfold own the Garforth mill?", "Yes"),
        (
            "Garforth paper mill's owner Brightfold said it would cut jobs.",
            "Does Brightfold own the Garforth mill?",
            None,
        ),
        ("The number of visitors rose to 1,200.", "Did the number of visitors fall?", "No"),
        ("Sales rose, but profits fell.", "Did profits rise?", "quote"),
        ("Sales rose, but profits fell.", "Did sales fall?", "quote"),
        ("The council has approved a plan to ban cars.", "Has the council banned cars?", "quote"),
        ("Ann Lee resigned as mayor in May.", "Did Ann Lee resign as mayor?", "Yes"),
        ("Mayor Ann Lee has not resigned.", "Did Ann Lee resign as mayor?", "quote"),
        ("The mayor resigned after Ann Lee won the vote.", "Did Ann Lee resign?", "quote"),
        ("The strike was called off on Friday.", "Was the strike called off?", "Yes"),
        ("Work on the pier starts in June.", "Does work on the pier start in June?", "Yes"),
        ("Work on the pier starts in June.", "Does work on the pier start in July?", "quote"),
        ("Trump won Iowa and Biden won Ohio.", "Did Biden win Iowa?", "quote"),
        ("Trump won Iowa and Biden won Ohio.", "Did Trump win Ohio?", "quote"),
        ("Kerr, who beat Voss in the final, was born in Norland.", "Was Voss born in Norland?", "quote"),
        ("The minister has been sacked.", "Has the minister been sacked?", "Yes"),
        ("The minister has been sacked.", "Was the minister sacked?", "Yes"),
        ("The deal, worth £5m, was signed by Voss.", "Did Voss sign the deal?", "Yes"),
        ("The deal was signed by Kerr for Voss.", "Did Voss sign the deal?", "quote"),
        ("Schools will close on Friday.", "Will schools be closed on Friday?", "Yes"),
        ("Schools will not close on Friday.", "Will schools be closed on Friday?", "No"),
        ("Schools were closed on Friday.", "Will schools be closed on Friday?", "quote"),
        ("No charges were brought against Voss.", "Were charges brought against Voss?", "No"),
        ("Neither driver was hurt.", "Was either driver hurt?", "No"),
        ("The museum, built in 1901 and rebuilt in 1950, burned.", "Was the museum built in 1950?", "quote"),
        (
            "Councillors Ann Lee, Bob Ray and Carla Diaz voted against the plan.",
            "Did Ann Lee vote against the plan?",
            "Yes",
        ),
        (
            "Councillors Ann Lee, Bob Ray and Carla Diaz voted against the plan.",
            "Did Carla Diaz vote against the plan?",
            "Yes",
        ),
        (
            "A fourth councillor, Deepak Nair, also voted against the fares.",
            "Did Deepak Nair vote against the fares?",
            "Yes",
        ),
        ("A single ticket will cost £3, up from £2.40, from 1 May.", "Will a single ticket cost £5?", "No"),
        ("The mill will cut 140 of its 560 jobs by June.", "Is it true that the mill will cut 140 jobs?", "Yes"),
        ("The bridge has reopened to cyclists only.", "Has the bridge reopened?", "quote"),
        ("Lee lost to Ray, who was elected mayor.", "Was Lee elected mayor?", "quote"),
        ("The driver's passenger was arrested.", "Was the driver arrested?", "quote"),
        ("The strike will end on Monday. It was called on Friday.", "Will the strike end on Friday?", "quote"),
        ("The strike, announced on Friday, will end on Monday.", "Will the strike end on Friday?", "quote"),
        ("The strike will end on Friday.", "Will the strike end on Friday?", "Yes"),
        ("A fire broke out in Marrow. Thornley sent help.", "Did a fire break out in Thornley?", None),
        ("12 people were hurt and two died in the fire.", "Did 12 people die in the fire?", "quote"),
        ("Lee denied the claims.", "Did Lee deny the claims?", "Yes"),
        ("Two people were killed in the ferry fire.", "Was anyone killed? (the ferry fire)", None),
        ("Two people were killed on the road.", "Was anyone killed? (the ferry fire)", None),
        ("Two people were killed.", "Was anyone killed?", "quote"),
        ("The minister, Jo Kerr, said that Voss resigned.", "Did Kerr resign?", "quote"),
        ("Kerr's rival Voss resigned.", "Did Kerr resign?", "quote"),
        ("Voss sued Kerr for fraud.", "Did Kerr sue Voss?", "quote"),
        ("The firm that Voss founded went bankrupt.", "Did Voss go bankrupt?", "quote"),
        ("Voss has been charged with fraud.", "Was Voss convicted of fraud?", None),
        ("Voss was acquitted of fraud.", "Was Voss convicted of fraud?", "No"),
        ("The council turned down the plan.", "Did the council turn down the plan?", "Yes"),
        ("Rates rose for the third month.", "Did rates fall for the third month?", "No"),
        ("More than 100 people died.", "Did more than 100 people die?", "Yes"),
        ("More than 100 people died.", "Did more than 200 people die?", None),
        ("The ferry had no sprinklers.", "Did the ferry have sprinklers?", "quote"),
        ("None of the crew was hurt.", "Was the crew hurt?", "No"),
        ("Ann Lee is the mayor's sister.", "Is Ann Lee the mayor?", "quote"),
        ("Ann Lee, the mayor of Thornley, resigned.", "Is Ann Lee the mayor of Thornley?", "Yes"),
        ("Ann Lee, sister of the mayor of Thornley, resigned.", "Is Ann Lee the mayor of Thornley?", "quote"),
        (
            "Graham Stroud, who had led the company since 2016, resigned within the hour.",
            "Has Graham Stroud resigned?",
            "Yes",
        ),
        ("Voss, who succeeded Lee, resigned.", "Did Lee resign?", "quote"),
        (
            "Voss denied that he had stolen the painting that was found in a boathouse.",
            "Has the painting been found?",
            "quote",
        ),
        ("George Pell voted against the wall.", "Did George Pell vote for the wall?", "No"),
        ("George Pell voted for the wall.", "Did George Pell vote for the wall?", "Yes"),
        ("The museum, built in 1901, burned.", "Did the museum burn?", "Yes"),
        ("Lee, a friend of Voss, resigned.", "Did Voss resign?", "quote"),
        ("The first night bus leaves on 3 May.", "Does the first night bus leave on 4 May?", "No"),
    ],
)
def test_a_sentence_is_judged(body: str, question: str, expected: str | None) -> None:
    """Roles, tense, conditions, plans, doubts, numbers and negations are kept apart; what is unsure has no verdict."""
    assert judge(question, body) == expected


@pytest.mark.parametrize(
    ("body", "question", "expected"),
    [
        (
            "The plan for a sea wall is old. Councillors approved it.",
            "Did councillors approve the sea wall plan?",
            "Yes",
        ),
        ("Lindow is rich. There will be no dividend.", "Will Lindow pay a dividend?", None),
        ("Lindow will pay its workers. There will be no dividend.", "Will Lindow pay a dividend?", "No"),
        ("Ann Lee spoke of guilt. It rained.", "Was Ann Lee found guilty?", None),
    ],
)
def test_of_what_the_reader_is_sure_the_passage_may_hold_the_rest(
    body: str, question: str, expected: str | None
) -> None:
    """A word that is not in the sentence and in its passage need not be said again; one that is nowhere has to be."""
    last = sentences(body)[-1]
    sentence = Sentence(body[slice(*last)], "", body, is_sure=True)
    judgement = sentence.judge(Statement.of(question))
    assert (judgement and (judgement.verdict or "quote")) == expected


WORDS = st.lists(
    st.sampled_from("Did Is Was Will the council Voss plan approve approved not no 12 £3 by , . and to who is".split())
    | st.text(max_size=3)
).map(" ".join)


@given(WORDS, WORDS)
def test_any_text_is_judged(question: str, body: str) -> None:
    """Without an error, and a statement without content words has no verdict."""
    outcome = judge(question, body)
    assert outcome is None or Statement.of(question).words or outcome == "quote"
