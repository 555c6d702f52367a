"""Tests of bot.evaluation.judge: each label of a question of a known kind, right and wrong."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.judge import contains_any, faults
from bot.evaluation.metrics import FailureStage, Outcome, measure
from bot.evaluation.questions import KnownQuestion
from bot.models import Answer, Citation, Kind, Refusal
from index.models import Source


def cited(article: str = "a") -> Citation:
    """A citation of an article."""
    return Citation(1, "It sank.", 0, 8, Source(article, article))


def answer(text: str, *citations: Citation) -> Answer:
    """An answer by quotes."""
    return Answer("q", "q", text, "quote", citations=citations)


REFUSED = Answer("q", "q", "The articles do not say.", "quote", Refusal("No."))
REPLY = Answer("q", "q", "Hello! What would you like to ask?", "reply")


def why(given_answer: Answer, **labels: object) -> list[str]:
    """What is wrong with an answer to a question with these labels."""
    known = KnownQuestion.model_validate({"id": "1", "question": "q", "kind": "fact", "answerable": True, **labels})
    return list(faults(known, given_answer))


def test_any_answer_is_enough_or_every_one() -> None:
    """Compared without accents, case and white space; with every_answer a member has alternatives."""
    said = answer("Zoë  Bürgi told Reuters [1].")
    assert why(said, answers=["Zoe Burgi", "Paul Ortiz"]) == []
    assert why(said, answers=["Paul Ortiz", "Ann Lee"]) == ["it lacks Paul Ortiz or Ann Lee"]
    assert why(said, answers=["Zoë Bürgi", "the agency|reuters"], every_answer=True) == []
    assert why(said, answers=["Zoë Bürgi", "AP|AFP", "Lee"], every_answer=True) == ["it lacks AP|AFP", "it lacks Lee"]


def test_an_order_is_an_order() -> None:
    """Every member, one after another; a member that also stands earlier does no harm, nor does one named twice."""
    said = answer("The fire, the vote, and then the fire again [1].")
    assert why(said, answers=["fire", "vote|ballot"], ordered=True) == []
    assert why(said, answers=["vote", "fire"], ordered=True) == []
    assert why(said, answers=["fire", "vote", "fire"], ordered=True) == []
    assert why(said, answers=["vote", "fire", "vote"], ordered=True) == ["its order is not vote, fire, vote"]
    assert why(said, answers=["vote", "flood"], ordered=True) == ["it lacks flood"]


@given(st.permutations(["ant", "bee", "cow", "dog"]), st.permutations(["ant", "bee", "cow", "dog"]))
def test_only_the_same_order_is_right(said: list[str], wanted: list[str]) -> None:
    """Of words that stand once each."""
    assert (not why(answer(" ".join(said)), answers=wanted, ordered=True)) is (said == wanted)


@pytest.mark.parametrize(
    ("count", "text", "states"),
    [
        (3, "3 articles mention it [9].", True), (3, "Three articles mention it.", True), (3, "13 articles.", False),
        (9, "3 articles mention it [9].", False), (1200, "It has 1,200 members.", True), (1, "One article.", True),
        (1, "1 article.", True), (1, "21 articles.", False), (0, "No article mentions it.", True),
        (2024, "On 3 January 2024 it sank.", False), (3, "2024-01-03: it sank.", False), (1.5, "£1.5 in all.", True),
        (1.5, "One of them.", False), (2_500_000, "£2.5 million together.", True),
    ],
)  # fmt: skip
def test_a_count_is_stated_in_digits_or_words(count: float, text: str, states: bool) -> None:  # noqa: FBT001  # the value that is expected
    """Neither the number of a citation nor a date states it."""
    assert why(answer(text), count=count) == ([] if states else [f"it does not say {count:g}"])


def test_a_verdict_is_the_first_word() -> None:
    """Whatever marks stand before it; a yes further down is none."""
    assert why(answer("**No.** “Yes,” he lied. [1]"), verdict="no") == []
    assert why(answer("“Yes, it sank.” [1]"), verdict="yes") == []
    assert why(answer("It is so, yes."), verdict="yes") == ["its first word is not Yes"]
    assert why(answer("Nobody came."), verdict="no") == ["its first word is not No"]


def test_a_wrong_string_is_wrong_beside_a_right_one() -> None:
    """It must not occur in the text."""
    assert why(answer("40 or 50 walked."), answers=["40"], wrong=["50"]) == ["it says 50"]
    assert why(answer("40 walked."), answers=["40"], wrong=["50"]) == []


def test_the_speaker_stands_beside_the_quote() -> None:
    """In the text; alternatives are parted by a bar."""
    assert why(answer("“It sank,” Ann Lee said.", cited()), speaker="Ann Lee|the mayor") == []
    assert why(answer("“It sank.”", cited()), speaker="Ann Lee") == ["the speaker is not Ann Lee"]


def test_a_relevant_article_is_cited() -> None:
    """At least one, if the question names any."""
    assert why(answer("It sank.", cited("b"), cited("a")), relevant=["a", "c"]) == []
    assert why(answer("It sank.", cited("b")), relevant=["a"]) == ["it cites no relevant article"]


def test_a_refusal_is_right_only_without_an_answer() -> None:
    """And without citations; a reply is no answer either."""
    assert why(REFUSED, answerable=False) == []
    assert why(replace(REFUSED, citations=(cited(),)), answerable=False) == ["it cites an article"]
    assert why(answer("It sank."), answerable=False) == ["it is no refusal"]
    assert why(REFUSED) == why(REPLY) == ["it is no answer"]


def test_chitchat_gets_a_word_and_no_citation() -> None:
    """Neither a refusal nor evidence."""
    small_talk = {"kind": "chitchat", "answerable": False}
    assert why(REPLY, **small_talk) == []
    assert why(REFUSED, **small_talk) == ["it is a refusal"]
    assert why(replace(REPLY, citations=(cited(),)), **small_talk) == ["it cites an article"]
    assert why(replace(REPLY, text=" "), **small_talk) == ["it is a refusal"]


@pytest.mark.parametrize(
    ("labels", "given_answer", "stage"),
    [
        ({"verdict": "no", "answers": ["sank"]}, answer("Yes, it sank."), FailureStage.ANSWERED_WRONGLY),
        ({"answerable": True, "answers": ["swam"]}, answer("It sank."), FailureStage.NOT_QUOTED),
        ({"answerable": True, "answers": ["sank"]}, answer("It sank."), FailureStage.RIGHT),
        ({"answerable": True, "answers": ["sank"]}, REFUSED, FailureStage.REFUSED_WRONGLY),
        ({"answerable": True, "relevant": ["a"]}, REFUSED, FailureStage.NOT_RETRIEVED),
        ({"answerable": False}, answer("It sank."), FailureStage.ANSWERED_WRONGLY),
        ({"answerable": False}, REFUSED, FailureStage.RIGHT),
        ({"kind": "chitchat", "answerable": False}, REFUSED, FailureStage.REFUSED_WRONGLY),
        ({"kind": "chitchat", "answerable": False}, answer("It.", cited()), FailureStage.ANSWERED_WRONGLY),
        ({"kind": "chitchat", "answerable": False}, REPLY, FailureStage.RIGHT),
        ({}, answer("It sank."), FailureStage.NOT_JUDGED),
        ({"count": 3}, answer("It sank."), FailureStage.ANSWERED_WRONGLY),
    ],
)  # fmt: skip
def test_an_answer_of_a_kind_is_lost_at_the_first_step_that_failed(
    labels: dict[str, object], given_answer: Answer, stage: FailureStage
) -> None:
    """As for other questions; an answer that holds the answers and fails another label is answered wrongly."""
    known = KnownQuestion.model_validate({"id": "1", "question": "q", "kind": "fact", **labels})
    outcome = Outcome(known, given_answer, (), measure(known, given_answer, ()), 1.0)
    assert outcome.failure_stage is stage


def test_chitchat_is_neither_a_right_nor_a_wrong_refusal() -> None:
    """It would make every bot that says hello look good at refusing."""
    known = KnownQuestion(id="1", question="hi", kind="chitchat", answerable=False)
    assert ("refusal", "refused_unanswerable") not in measure(known, REPLY, ())


def test_the_kind_that_a_question_was_taken_for_is_compared() -> None:
    """Where the answer names one and the question has one of the known kinds."""
    known = KnownQuestion(id="1", question="q", kind="list")
    kinds: tuple[Kind, ...] = ("list", "fact")
    taken = [Answer("q", "q", "It sank.", "quote", kind=kind) for kind in kinds]
    recognised = [measure(known, given_answer, ()).get(("answers", "kind_recognised")) for given_answer in taken]
    assert recognised == [(True, 1), (False, 1)]
    assert ("answers", "kind_recognised") not in measure(known.model_copy(update={"kind": "plain"}), taken[0], ())


@given(st.text(), st.text(st.characters(categories=["L"]), min_size=1))
def test_a_text_holds_what_stands_in_it(before: str, word: str) -> None:
    """Any word that stands alone, in either Unicode form of its accents."""
    assert contains_any(f"{before} {unicodedata.normalize('NFD', word)} .", word) or not contains_any(word, word)
