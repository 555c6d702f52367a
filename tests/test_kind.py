"""Which kind a question is, and what it asks about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.query.kind import classify
from bot.query.wording import spelled_out

KINDS = {
    "what was leo brandt's line about the new pipe": ("said", "leo brandt", "the new pipe"),
    "Mara Quist's quote on the roof?": ("said", "Mara Quist", "the roof"),
    "what did she come out with": ("said", "she", ""),
    "how many of our stories deal with the tunnel?": ("collection", "deal with the tunnel", ""),
    "who among our reporters has written about the mill": ("collection", "about the mill", ""),
    "give me the order of events at Carrow": ("timeline", "Carrow", ""),
    "walk me through the mill fire": ("summary", "the mill fire", ""),
    "lowdown on the mill fire": ("summary", "the mill fire", ""),
    "Who is Leo Brandt?": ("who", "Leo Brandt", ""),
    "who was dame jane": ("who", "dame jane", ""),
    "Who is the chief executive of Northfield?": ("fact", "", ""),
    "Who was killed in Kerman?": ("fact", "", ""),
    "who is leading the inquiry": ("fact", "", ""),
    "What was destroyed in Carrow in May?": ("fact", "", ""),
    "what is northgate": ("who", "northgate", ""),
    "What did Mara Quist say?": ("said", "Mara Quist", ""),
    "what did the union say about the offer": ("said", "the union", "the offer"),
    "What was the minister's reaction to the vote?": ("said", "the minister", "the vote"),
    "Who said “Nobody asked us”?": ("said", "", "“Nobody asked us”"),
    "Why was Marrow Bridge closed?": ("reason", "was Marrow Bridge closed", ""),
    "How many jobs will be cut?": ("fact", "", ""),
    "How many articles mention the bridge?": ("collection", "mention the bridge", ""),
    "Which outlets reported the strike?": ("collection", "reported the strike", ""),
    "Which newspaper first reported the warning?": ("fact", "", ""),
    "What do you have on Gail Thorne?": ("collection", "on Gail Thorne", ""),
    "what's new?": ("news", "", ""),
    "What's the latest on the strike?": ("news", "the strike", ""),
    "What is the latest death toll?": ("fact", "", ""),
    "what's new since Monday about the bridge?": ("news", "the bridge", ""),
    "Has anything happened since Friday?": ("news", "", ""),
    "this week's top stories": ("news", "", ""),
    "What did I miss?": ("news", "", ""),
    "Is there news about the mill?": ("news", "the mill", ""),
    "What happened yesterday in Fernhollow?": ("summary", "Fernhollow", ""),
    "Marrow Bridge timeline": ("timeline", "Marrow Bridge", ""),
    "When did what happen in Ann Lee's life? A timeline, please": ("timeline", "Ann Lee's life", ""),
    "What did the papers report on 15 August?": ("news", "", ""),
    "key dates of the tram project": ("timeline", "the tram project", ""),
    "How did the bridge story unfold?": ("timeline", "the bridge story", ""),
    "Is it true that the bridge is closed?": ("yes_no", "the bridge is closed", ""),
    "Which councillors voted against the plan?": ("list", "councillors voted against the plan", ""),
    "Which team won the cup?": ("fact", "", ""),
    "Which two night bus lines are there?": ("list", "lines are there", ""),
    "Which transport ministers are mentioned?": ("list", "ministers are mentioned", ""),
    "Who scored in the final?": ("list", "in the final", ""),
    "Who scored the first goal?": ("fact", "", ""),
    "what did John Kirby hvae to say about Arouri?": ("said", "John Kirby", "Arouri"),
    "How does the commissioner explain going abroad?": ("said", "the commissioner", "going abroad"),
    "how does Ann Lee say this closure differs": ("said", "Ann Lee", "this closure differs"),
    "What's the newest article you have?": ("collection", "you have", ""),
    "When does the vote start and what channel is it on?": ("several", "", ""),
    "How many games is he out for and why?": ("fact", "", ""),
    "who else is quoted in it?": ("list", "is quoted in it", ""),
    "How many rules are there? list them": ("list", "", ""),
    "who are they? (voted against the wall)": ("list", "voted against the wall", ""),
    "How many goals were there in all?": ("total", "", ""),
    "Altogether how many votes were cast?": ("total", "", ""),
    "Which trains run in all weathers?": ("list", "trains run in all weathers", ""),
    "and as a timeline? (the strike)": ("timeline", "the strike", ""),
    "What happened to The Girls? timeline of that please": ("timeline", "The Girls", ""),
    "Compare the old and the new fare": ("compare", "the old and the new fare", ""),
    "How many jobs were lost in total?": ("total", "", ""),
    "Does it make sense to use them together?": ("yes_no", "it make sense to use them together", ""),
    "tell me some more about Ann Lee": ("summary", "Ann Lee", ""),
    "Tell me about the flood": ("summary", "the flood", ""),
    "What happened with the bridge?": ("summary", "the bridge", ""),
    "timeline of the strike": ("timeline", "the strike", ""),
    "anything else about the flood?": ("summary", "the flood", ""),
    "more on the flood": ("summary", "the flood", ""),
    "tell me more (Thornley tram strike)": ("summary", "Thornley tram strike", ""),
    "what did Ann Lee say about it? (Thornley tram strike)": ("said", "Ann Lee", "Thornley tram strike"),
    "Who called the police to the flat?": ("fact", "", ""),
    "who called it a disgrace": ("said", "", "it a disgrace"),
    "Give me the gist of the ruling on farms versus the mill": ("summary", "the ruling on farms versus the mill", ""),
    "Where do things stand with the tram line?": ("summary", "the tram line", ""),
    "What's the number of stories we ran in May?": ("collection", "we ran in May", ""),
    "In how many of our pieces does Ann Lee turn up?": ("collection", "does Ann Lee turn up", ""),
    "why? (Marrow Bridge closed)": ("reason", "Marrow Bridge closed", ""),
}


@pytest.mark.parametrize("question", KINDS)
def test_kind_and_subject(question: str) -> None:
    """A question's kind, its subject as it is written, and its topic."""
    request = classify(question)
    assert (request.kind, request.subject, request.topic) == KINDS[question]


def test_several_questions_are_parted() -> None:
    """Two questions that each say enough are several; a question with two question words is not."""
    request = classify("How many jobs will the mill cut? And what does the night bus cost?")
    assert request.kind == "several"
    assert request.parts == ("How many jobs will the mill cut?", "what does the night bus cost?")
    assert classify("When and where was the bridge built?").kind == "fact"


@given(st.text(max_size=300))
def test_any_text_has_a_kind(text: str) -> None:
    """Whatever is typed has a kind, and subject, topic and parts are taken from it."""
    request = classify(text)
    plain = " ".join(text.split())
    assert all(part in plain for part in (request.subject, request.topic, *request.parts))


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("what's new", "what is new"),
        ("whats happened, who's gone", "what has happened, who has gone"),
        ("wehre is it", "where is it"),
        ("whose form is the cloud's?", "whose form is the cloud's?"),
    ],
)
def test_contractions_and_exchanged_letters_are_put_right(question: str, whole: str) -> None:
    """A question is recognized though it is abbreviated, or two letters of a common word are exchanged."""
    assert spelled_out(question) == whole
