"""Follow-ups are completed from the turns before them, and everything else is left to the letter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Turn
from bot.query.followup import asks_for_more, condense, needs_completion, topic_first
from index.text import words

KERMAN = (
    Turn("user", "Who was killed in the Kerman attack?"),
    Turn("assistant", "At least 84 people were killed. [1]"),
)
DEAL = (
    Turn("user", "Who abandoned the nuclear deal with Iran?"),
    Turn("assistant", "Former U.S. President Donald Trump abandoned it in 2018. [1]"),
)
TURNS = st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), st.text(max_size=80)), max_size=6)


@pytest.mark.parametrize(
    "question",
    [
        "and who claimed it?",
        "what about Trump?",
        "when?",
        "Where?",
        "why did he leave?",
        "how many were hurt?",
        "what did he say about it?",
        "Who is responsible for that attack?",
        "How did the government respond to the attack?",
        "Did Israel respond to the attack?",
        "How many people were wounded in the explosions there?",
        "Zahedan?",
        "who else",
    ],
)
def test_a_follow_up_keeps_its_words_and_gains_the_topic(question: str) -> None:
    """A follow-up keeps all that it says and gains the names of the question before it."""
    standalone = condense(question, KERMAN)
    assert question in standalone
    assert "kerman" in words(standalone)


@pytest.mark.parametrize(
    "question",
    [
        "Who won the presidential election in Taiwan?",
        "How did the US Embassy in Jakarta warn its citizens?",
        "What did Joe Biden say about the war in Gaza?",
        "Is it true that Boeing grounded its planes in Alaska?",
        "Who was Qassem Soleimani?",
        "Who is the president of France?",
        "Who created Wikipedia?",
        "Where is Kerman?",
        "Zahedan protest death toll",
        "If I borrow money from a friend, can I treat it as equity?",
        "  Why did Boeing ground its planes in January after the door of one blew out?\n",
        "How many people died in the floods in Libya this year?",
    ],
)
def test_a_question_with_its_own_content_is_left_to_the_letter(question: str) -> None:
    """A question that brings its own names and content is the same after any turns."""
    assert condense(question, KERMAN) == question


BRIDGE = (
    Turn("user", "Why was Marrow Bridge closed?"),
    Turn("assistant", "Inspectors found cracks in two of its arches. [1]"),
    Turn("user", "When did it reopen?"),
    Turn("assistant", "Cars crossed Marrow Bridge again on Thursday. [1]"),
)


@pytest.mark.parametrize(
    "question",
    [
        "What did the central bank decide on interest rates?",
        "who won the cup final?",
        "Thanks! Who won the cup final?",
        "What does a ticket for the night bus cost?",
        "When did the Titanic sink?",
        "Is Bitcoin a good investment?",
        "Why do cats purr at night?",
        "When was Napoleon born?",
        "Why are egg prices rising?",
        "How long will the rail strike last?",
        "What are stock exchanges?",
        "What happened at the Oscars?",
        "When is Easter?",
        "Summarise the strike",
        "Give me a timeline of the strike",
        "What's new about the ferry?",
    ],
)
def test_a_new_topic_is_left_to_the_letter(question: str) -> None:
    """A short question that shares nothing with the turns and points nowhere begins a topic of its own."""
    assert condense(question, BRIDGE) == question


@pytest.mark.parametrize(
    "question",
    [
        "Which arches have cracks?",
        "When did cars cross again?",
        "Who paid for the repair?",
        "How did France react?",
    ],
)
def test_a_short_question_gains_the_topic(question: str) -> None:
    """Too few words for a topic, a certain thing, or a name without a matter tie a question to the turns."""
    assert "Marrow Bridge" in condense(question, BRIDGE)


@pytest.mark.parametrize("question", ["when?", "", " and who claimed it? ", "what about Trump?"])
def test_a_first_question_is_left_to_the_letter(question: str) -> None:
    """Without an earlier question even a follow-up is left as it is."""
    assert condense(question, ()) == question
    assert condense(question, [Turn("assistant", "Ask me about Kerman.")]) == question
    assert condense(question, [Turn("user", "hello!"), Turn("assistant", "Hello!")]) == question


def test_a_question_word_of_the_follow_up_replaces_the_earlier_one() -> None:
    """A "when?" asks for a date, so the "who" of the question before does not come with its topic."""
    assert condense("when?", DEAL) == "when? (abandoned the nuclear deal with Iran)"


def test_the_opening_of_an_earlier_question_is_no_topic() -> None:
    """A greeting and a request before it stay behind."""
    polite = (Turn("user", f"Hello, I'd like to know {DEAL[0].text}"), DEAL[1])
    assert condense("when?", polite) == condense("when?", DEAL)
    assert condense("what about Trump?", polite) == condense("what about Trump?", DEAL)


def test_what_asks_nothing_itself_follows_the_question_that_it_varies() -> None:
    """A "what about Trump?" keeps the earlier question whole, since it still asks who."""
    assert condense("what about Trump?", DEAL) == "Who abandoned the nuclear deal with Iran? what about Trump?"


@pytest.mark.parametrize(
    ("questions", "ellipsis", "whole"),
    [
        (["Who was killed in Kerman?"], "and in Zahedan?", "Who was killed in Zahedan?"),
        (["Who was killed in Kerman?"], "and in 2018?", "Who was killed in Kerman in 2018?"),
        (["Who was killed in Kerman in 2018?"], "and in Zahedan?", "Who was killed in Zahedan in 2018?"),
        (
            ["How much did the old mill cost in June?"],
            "What about the bridge?",
            "How much did the bridge cost in June?",
        ),
        (["When was the mill closed?"], "and the bridge?", "When was the bridge closed?"),
        (["What was Victor Lund's sentence?"], "what about Erik?", "What was Erik's sentence?"),
        (["How many passengers does the N2 carry?"], "and the N1?", "How many passengers does the N1 carry?"),
        (["When was the repair of the mill?"], "and the second one?", "When was the second repair of the mill?"),
        (
            ["When was the repair of the mill?", "Who led it?"],
            "and the last one?",
            "Who led the last repair of the mill?",
        ),
        (["When was the mill built?", "Who built it?"], "and in Kerman?", "Who built it in Kerman? (mill built)"),
    ],
)
def test_an_ellipsis_takes_the_place_of_its_like(questions: list[str], ellipsis: str, whole: str) -> None:
    """A place of a place, a day of a day, a thing of a thing: the question is then one that stands alone."""
    assert condense(ellipsis, [Turn("user", question) for question in questions]) == whole


@given(st.text(max_size=60), TURNS)
def test_any_ellipsis_is_completed(text: str, turns: list[Turn]) -> None:
    """Whatever stands behind "and", and whatever was asked before."""
    assert condense(f"and the {text}?", turns)
    assert condense(f"and in {text}?", turns)


def test_a_chain_of_follow_ups_leads_back_to_its_beginning() -> None:
    """Follow-ups to follow-ups and small talk between them do not lose the first topic."""
    chain = [
        *KERMAN,
        *(Turn("user", text) for text in ("who claimed it?", "when?", "thanks!", "how many claimed responsibility?")),
    ]
    standalone = condense("why did they do it?", chain)
    assert "Kerman" in standalone
    assert "thanks" not in standalone


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("and who claimed it? (killed in Kerman)", "Killed in Kerman. Who claimed it?"),
        ("When? (the WHO (in Geneva) met)", "The WHO (in Geneva) met. When?"),
        ("Who claimed it?", "Who claimed it?"),
        ("Who is the head of the WHO (World Health Organization)?",) * 2,
        ("", ""),
    ],
)
def test_the_reader_gets_the_topic_first(query: str, read: str) -> None:
    """As prose, and any other question to the letter."""
    assert topic_first(query) == read


def test_an_older_topic_stays_behind_a_newer_one() -> None:
    """A question that stood alone ends the topic before it."""
    turns = [*KERMAN, Turn("user", "Who won the presidential election in Taiwan?")]
    standalone = condense("by how many votes?", turns)
    assert "Taiwan" in standalone
    assert "Kerman" not in standalone


def test_a_repeated_question_is_not_its_own_topic() -> None:
    """Asking the same follow-up again completes it from the question before both."""
    again = [*KERMAN, Turn("user", "who claimed it?"), Turn("assistant", "The articles do not say.")]
    assert condense("who claimed it?", again) == condense("who claimed it?", KERMAN)


def test_answers_add_nothing() -> None:
    """Only the user's own words complete a follow-up, whoever the answer names."""
    assert condense("why did he leave?", DEAL) == "why did he leave? (abandoned the nuclear deal with Iran)"
    assert condense("why did he leave?", DEAL[:1]) == condense("why did he leave?", DEAL)


@given(st.text(max_size=200), TURNS)
def test_any_text_is_kept_or_completed(question: str, turns: list[Turn]) -> None:
    """Whatever is typed, the result holds it ("go on" becomes "Tell me more"); without user turns it is it."""
    standalone = condense(question, turns)
    assert question.strip() in standalone or asks_for_more(question)
    if not any(turn.role == "user" for turn in turns) or not needs_completion(question):
        assert standalone == question


def test_long_text_is_neither_completed_nor_carried_whole() -> None:
    """A pasted article stands alone, and as an earlier turn gives a short topic."""
    pasted = "The talks in Vienna went on. " * 200
    assert condense(pasted, KERMAN) == pasted
    assert len(condense("when?", [Turn("user", pasted)])) < len(pasted) / 10


def test_questions_of_a_set_stand_alone_after_another_topic(shared_data: Path) -> None:
    """Of questions that were asked without any conversation, at least nine in ten are left to the letter."""
    lines = (shared_data / "ramdocs" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [str(json.loads(line)["question"]) for line in lines]
    unchanged = sum(condense(question, KERMAN) == question for question in questions)
    assert unchanged >= 0.9 * len(questions)
