"""“Tell me more” brings what was not said yet, and “in short?” the same answer again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given

from bot.answer import Engine, shown_in
from bot.kinds.news import answer_news
from bot.kinds.said import answer_said
from bot.kinds.scope import Found, key
from bot.kinds.storyline import summarize
from bot.models import Turn
from bot.query.chitchat import reply_without_answer
from bot.query.followup import asks_for_more, condense, question_again
from bot.query.kind import classify
from bot.runtime import make_engine
from bot.settings import Settings
from index.models import Article, Filters
from index.storage.catalogue import Catalogue
from tests.corpus import article, catalogue, scope
from tests.fakes.hostile import LONG_TEXTS

DAY = date(2024, 6, 12)
FIRE = [
    "Fire destroyed the old grain mill at Thornley on Monday night.",
    "The mill had stood empty since the company moved to Carrow in 2019.",
    "Some 60 firefighters fought the flames in the mill until the morning.",
    "‘We saw the roof of the mill fall in,’ said Mara Quist, who lives across the road.",
    "Nobody was hurt, and the police are looking for two boys who were seen near the mill.",
    "The council wants to pull down what is left of the mill before the winter.",
    "He said that nobody had looked after the mill for years.",
]
ARTICLES = [
    article("fire", " ".join(FIRE), headline="Fire destroys Thornley mill", published=date(2024, 6, 11)),
    *(
        article(
            f"n{number}",
            f"A new {thing} opened in Carrow, and some {number}0 people came to see it on the first day.",
            headline=f"New {thing} opens",
            published=date(2024, 5, number),
        )
        for number, thing in enumerate(
            "library bakery harbour school theatre museum bridge market station pool".split(), 1
        )
    ),
]
QUESTION = Turn("user", "What happened with the Thornley mill?")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """A catalogue of a fire and ten openings."""
    with closing(catalogue(tmp_path_factory.mktemp("more"), ARTICLES)) as made:
        yield made


def answer(held: Catalogue, question: str, *shown: str) -> Found:
    """The answer of a summary, of news or of what was said, after answers that showed some texts."""
    way = {"summary": summarize, "news": answer_news, "said": answer_said}[classify(question).kind]
    turns = [Turn("assistant", text) for text in shown]
    found = way(classify(question), replace(scope(held, DAY), shown=shown_in(turns)))
    assert found is not None
    return found


def body(source_id: str) -> Article:
    """An article by its id."""
    return next(article for article in ARTICLES if article.id == source_id)


def test_more_leaves_out_what_was_shown_until_nothing_is_left(held: Catalogue) -> None:
    """Each answer quotes other sentences, to the letter; the last one says that there is nothing more."""
    shown, quotes = [answer(held, QUESTION.text).text], [FIRE[0]]
    quotes += [quote for quote in FIRE[1:] if quote[1:-1] in shown[0]]
    while not (more := answer(held, "Tell me more (Thornley mill)", *shown)).refusal:
        assert more.citations
        assert not {citation.quote for citation in more.citations} & set(quotes)
        assert all(cited.quote == body("fire").body[cited.start : cited.end] for cited in more.citations)
        quotes += [citation.quote for citation in more.citations]
        shown.append(more.text)
    assert more.refusal == "There is nothing more about it in the articles."
    assert not more.citations
    assert all(text in " ".join(quotes) for text in FIRE[:-1])


def test_more_quotes_no_he_without_a_name(held: Catalogue) -> None:
    """Between lines about others "He said" would seem to be one of them."""
    more = answer(held, "Tell me more (Thornley mill)", FIRE[0])
    assert more.citations
    assert "He said" not in more.text


def test_marks_lines_and_case_do_not_hide_what_was_shown(held: Catalogue) -> None:
    """An answer shows a quote in its own marks, and Slack on lines of its own."""
    shown = f"“{FIRE[0].upper()}” [1]\n“{FIRE[2][:20]}\n{FIRE[2][20:]}” [2]"
    quotes = {citation.quote for citation in answer(held, "Tell me more (Thornley mill)", shown).citations}
    assert quotes
    assert not {FIRE[0], FIRE[2]} & quotes


def test_an_article_that_is_named_is_told_without_a_subject(held: Catalogue) -> None:
    """Only what was not shown of it follows, as after “tell me more about the second one”."""
    filters = Filters(article="fire")
    whole = summarize(classify("Summarise the article"), scope(held, DAY, filters))
    assert whole is not None
    assert [citation.quote for citation in whole.citations][-1] in FIRE
    assert FIRE[0] in whole.text
    rest = summarize(classify("Summarise the article"), replace(scope(held, DAY, filters), shown=key(whole.text)))
    assert rest is not None
    assert rest.citations
    assert not {citation.quote for citation in rest.citations} & {citation.quote for citation in whole.citations}


def test_news_go_on_with_the_next_headlines(held: Catalogue) -> None:
    """What is new, eight at a time; then there is nothing more."""
    first = answer(held, "What's new?")
    second = answer(held, "What's new?", first.text)
    assert len(first.citations) == 8
    assert [citation.source.id for citation in second.citations] == ["n3", "n2", "n1"]
    assert second.text.startswith("The next stories:")
    assert answer(held, "What's new?", first.text, second.text).refusal == "There is nothing more in the articles."


def test_said_goes_on_with_other_quotations(held: Catalogue) -> None:
    """A quotation that was shown is not shown again."""
    first = answer(held, "What did Mara Quist say?")
    assert "the roof of the mill" in first.text
    more = answer(held, "What did Mara Quist say?", first.text)
    assert more.refusal == "There is nothing more from Mara Quist in the articles."


MORE = ["tell me more", "Tell me more, please", "go on", "Anything else?", "what else?", "and more?", "more details"]
AGAIN = [
    "in short?",
    "and in Slack terms?",
    "shorter please",
    "tl;dr",
    "say that again",
    "in other words?",
    "for Slack",
]


@pytest.mark.parametrize("question", MORE)
def test_more_is_of_the_last_topic(question: str) -> None:
    """Also after another such question, and never of "What's new?"."""
    assert asks_for_more(question)
    assert condense(question, [QUESTION]) == "Tell me more (Thornley mill)"
    assert condense(question, [QUESTION, Turn("user", "go on"), Turn("user", "in short?")]) == condense(
        question, [QUESTION]
    )
    news = [QUESTION, Turn("user", "What's new?")]
    assert question_again(question, news) == ("What's new?", [QUESTION])


@pytest.mark.parametrize("question", ["tell me more about the ferry fire", "anything else on the ferry fire?"])
def test_more_of_another_topic_is_the_new_topic(question: str) -> None:
    """It is asked for as named, and what goes on after it goes on with it."""
    assert asks_for_more(question)
    assert classify(condense(question, [QUESTION])).subject == "the ferry fire"
    assert condense("go on", [QUESTION, Turn("user", question)]) == "Tell me more (ferry fire)"


@pytest.mark.parametrize("question", AGAIN)
def test_again_is_the_last_question_with_the_turns_before_it(question: str) -> None:
    """Whatever stands between them: thanks, or another wish for the same."""
    turns = [QUESTION, Turn("assistant", "…"), Turn("user", "and who saw it?"), Turn("assistant", "…")]
    asked = "and who saw it?", turns[:2]
    assert question_again(question, turns) == asked
    assert question_again(question, [*turns, Turn("user", "thanks"), Turn("user", "in short?")]) == asked
    assert question_again(question, []) == ("", ())


@pytest.mark.parametrize(
    "question",
    [
        "What happened in short?",
        "tell me more than that the mill burned",
        "anything new?",
        "what else did he say?",
        "In brief: who won?",
        "Go on strike",
        "who said that again?",
        "in one week?",
        "more people",
    ],
)
def test_other_questions_are_neither(question: str) -> None:
    """More and the same are asked for by whole messages."""
    assert not asks_for_more(question)
    assert question_again(question, [QUESTION]) is None


@given(LONG_TEXTS)
def test_any_text_is_read(text: str) -> None:
    """Nothing raises, and every answer shown is part of what was shown."""
    asks_for_more(text)
    question_again(text, [Turn("user", text)])
    assert shown_in([Turn("user", text), Turn("assistant", "Yes: “A b.”")]) == "yesab"


@pytest.mark.parametrize("question", ["in short?", "tell me more"])
def test_without_an_answer_there_is_nothing_to_repeat(question: str, tmp_path: Path) -> None:
    """It gets a word, and not even an index is wanted for it."""
    made = make_engine(Settings(data=tmp_path)).ask(question)
    assert (made.answerer, made.kind, made.citations) == ("reply", "chitchat", ())
    assert made.text.startswith("There is no answer yet")


@pytest.mark.parametrize("greeting", ["hello", "what can you do?"])
def test_there_is_no_more_of_a_greeting(greeting: str, tmp_path: Path) -> None:
    """What the bot says of itself is no answer to go on from: "tell me more" searches nothing."""
    engine = make_engine(Settings(data=tmp_path))
    turns = [Turn("user", greeting), Turn("assistant", engine.ask(greeting).text)]
    made = engine.ask("tell me more", turns=turns)
    assert (made.answerer, made.text) == ("reply", reply_without_answer())


def test_conversation_goes_on_and_repeats(engine: Engine) -> None:
    """Through the whole engine: other quotes for "tell me more", and for "in short?" the same once more."""
    turns: list[Turn] = []
    texts = [_ask(engine, turns, text) for text in ("Why was Marrow Bridge closed?", "tell me more", "in short?")]
    assert len({*texts}) == 2
    assert texts[1] == texts[2]
    assert texts[0].split("[1]")[0].strip() not in texts[1]


def _ask(engine: Engine, turns: list[Turn], question: str) -> str:
    """Ask in a conversation, and return the answer's text."""
    made = engine.ask(question, turns=turns, as_of=date(2024, 6, 10))
    assert made.question == question
    assert made.citations
    turns += [Turn("user", question), Turn("assistant", made.text)]
    return made.text


def test_a_follow_up_is_answered_from_the_article_shown(engine: Engine) -> None:
    """By its own words, where the nearest articles of all do not answer; what that article does not say is refused."""
    turns = [Turn("user", "How much did Brightwater Fibre lose in the first half of the year?")]
    answer = engine.ask(turns[0].text, as_of=DAY.replace(month=9))
    turns.append(Turn("assistant", answer.text))
    closed = engine.ask("what did the shares end the day at?", turns=turns, as_of=DAY.replace(month=9))
    assert "212 pence" in closed.text
    assert closed.citations[0].source == answer.citations[0].source
    other = Filters(
        article=next(source.id for source in engine.sources() if source.id != closed.citations[0].source.id)
    )
    elsewhere = engine.ask(
        "what did the shares end the day at?", turns=turns, as_of=DAY.replace(month=9), filters=other
    )
    assert elsewhere.refusal  # who names an article is answered from no other
    assert engine.ask("who is the finance director?", turns=turns, as_of=DAY.replace(month=9)).refusal
