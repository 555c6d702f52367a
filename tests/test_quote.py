"""The answerer without a language model: what is quoted is there to the letter, once, and short."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import islice, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.metrics import carry_citations
from bot.extract.quote import Quoted, compose, without
from bot.extract.ranking import Query, Read, Retrieval, rank_passages, rank_sentences
from bot.extract.reader import Reading, Text
from bot.extract.tuning import TUNED
from bot.models import Citation, in_marks, numbered
from index.models import Passage, Source, Span
from index.text import stems


def passage(
    name: str, body: str, *, start: int = 0, near_duplicates: tuple[Passage, ...] = (), score: float = 1.0
) -> Passage:
    """A passage of the body of an article of that name, from an offset on."""
    source = Source(name, f"Headline of {name}", name.title(), published=date(2024, 1, 5))
    return Passage(f"{name}-{start}", source, body[start:], start, len(body), score, 0.8, 2.0, near_duplicates)


def undecided(_question: str, texts: Sequence[Text]) -> list[list[Reading]]:
    """A reader that finds all sentences as good."""
    return [[Reading(0.0, Span(0, 0))] * len(text.sentences) for text in texts]


def find(question: str, *passages: Passage, read: Read = undecided) -> Retrieval:
    """What is found for a question in these passages, all of its words being as rare."""
    query = Query(question, dict.fromkeys(stems(question), 1.0), np.ones(1, dtype=np.float32))
    return Retrieval(query, passages, rank_sentences(query, passages, read), 10)


def answer(question: str, *passages: Passage) -> Quoted:
    """The composed answer."""
    return compose(find(question, *passages))


def quotes(question: str, *passages: Passage) -> list[str]:
    """The texts that are quoted."""
    return [citation.quote for citation in answer(question, *passages).citations]


def also(citation: Citation) -> list[str]:
    """The names of the further sources of a citation."""
    return [source.id for source in citation.also_in]


COURIER = "Blasts shook the town of Kerman. Nearly 100 people were killed in Kerman.\n\nRain fell later on."
POST = "The Kerman attack killed more than 100 people, a doctor said. Snow was seen in the hills."


def test_sentence_that_answers_is_quoted_with_its_place() -> None:
    """The quote is the sentence, and its offsets are into the body even where the passage begins in its middle."""
    start = COURIER.index("Nearly")
    quoted = answer("How many people were killed in Kerman?", passage("courier", COURIER, start=start))
    assert quoted.text == "“Nearly 100 people were killed in Kerman.” [1]"
    citation = quoted.citations[0]
    assert (citation.start, citation.end) == (start, start + len("Nearly 100 people were killed in Kerman."))
    assert citation.source.id == "courier"


def test_expected_answer_type_decides_between_sentences_of_like_words() -> None:
    """Where a date is asked for, the sentence that has one is quoted."""
    body = "The bridge at Marrow was closed for repair. The bridge at Marrow was closed in 2019 for repair."
    assert quotes("When was the bridge at Marrow closed?", passage("echo", body))[0].endswith("2019 for repair.")


def test_two_articles_that_differ_are_both_quoted() -> None:
    """The answer says so, and each side has its own number and source."""
    quoted = answer("How many people were killed in Kerman?", passage("courier", COURIER), passage("post", POST))
    assert quoted.text.startswith("The articles differ: “")
    assert [citation.source.id for citation in quoted.citations] in (["courier", "post"], ["post", "courier"])
    said = " ".join(citation.quote for citation in quoted.citations)
    assert "Nearly 100" in said
    assert "more than 100" in said
    assert [also(citation) for citation in quoted.citations] == [[], []]


def test_two_articles_that_agree_are_not_said_to_differ() -> None:
    """The same figure is quoted once, with the other article as a further source."""
    post = "In Kerman, nearly 100 people were killed, it said."
    quoted = answer("How many people were killed in Kerman?", passage("courier", COURIER), passage("post", post))
    assert "differ" not in quoted.text
    assert len(quoted.citations) == 1
    assert len(also(quoted.citations[0])) == 1


def test_articles_of_two_events_do_not_differ() -> None:
    """Another figure for another place is no contradiction."""
    kabul = "In Kabul 12 people were killed."
    assert (
        "differ"
        not in answer(
            "How many people were killed in Kerman?", passage("courier", COURIER), passage("post", kabul)
        ).text
    )


def test_what_an_article_counts_further_down_does_not_differ() -> None:
    """It agrees on what was asked; the toll that it tells for comparison is of something else."""
    post = "In Kerman nearly 100 people were killed. An attack in the south of another country killed 1,200 in October."
    passages = passage("courier", COURIER), passage("post", post)
    quoted = compose(find("How many people were killed?", *passages, read=sure_of("early 100 people", score=1.0)))
    assert "differ" not in quoted.text
    assert "nearly 100" in quoted.citations[0].quote.lower()


def test_figures_of_one_article_do_not_differ() -> None:
    """A toll that rises within one article is its own story."""
    body = "At noon 40 people were dead in Kerman. By night 84 people were dead in Kerman."
    assert "differ" not in answer("How many people were killed in Kerman?", passage("courier", body)).text


def test_repeated_sentence_is_quoted_once() -> None:
    """Two articles with the same words give one quote with two sources."""
    body = "The ferry Marigold sank off Norland on Tuesday. Nobody could say why."
    quoted = answer("Where did the ferry Marigold sink?", passage("one", body), passage("two", body))
    assert [citation.quote for citation in quoted.citations].count(body[: body.index(" Nobody")]) == 1
    assert also(quoted.citations[0]) == ["two"]


def test_near_duplicate_that_holds_the_quote_is_a_further_source() -> None:
    """A retelling in other words is none, and the article itself is not among `also`."""
    same = passage("wire", "Nearly 100 people were killed in Kerman, it said. It rained.")
    other = passage("echo", "Many were slain there, says a doctor who had come to help.")
    told = passage("courier", COURIER, near_duplicates=(same, other))
    citation = answer("How many people were killed in Kerman?", told).citations[0]
    assert citation.source.id == "courier"
    assert also(citation) == ["wire"]


def test_better_sentence_of_a_retelling_is_the_one_quoted() -> None:
    """Of the sources of one story the more informative sentence is quoted; the other one does not hold it."""
    vague = passage("wire", "There were deaths in Kerman after two blasts.")
    told = replace(vague, near_duplicates=(passage("courier", COURIER),))
    citation = answer("How many people were killed in Kerman?", told).citations[0]
    assert citation.quote == "Nearly 100 people were killed in Kerman."
    assert (citation.source.id, also(citation)) == ("courier", [])


def test_passage_without_words_has_no_sentence() -> None:
    """Marks and closed-class words answer nothing."""
    assert find("What sank?", passage("one", "… !!! —")).ranked == ()
    assert find("What sank?").ranked == ()


@pytest.mark.parametrize(("more", "most"), [(6, 3), (30, 2)])
def test_sentences_are_few_and_short_together(more: int, most: int) -> None:
    """Of many that are as good and say something else, three are quoted at most, and 80 words at most."""
    new = iter("".join(letters) for letters in product("bdfgk", "aeiou", "lmnprt", "aeiou"))
    told = [f"The ferry sank near Norland {' '.join(islice(new, more))}." for _ in range(6)]
    found = find("Which ferry sank near Norland?", passage("one", " Yes. ".join(told)))
    assert len(compose(found).citations) == most


def test_sentences_that_stand_together_are_one_quote() -> None:
    """As the article has them, with one number."""
    body = "The ferry sank near Norland at noon. Forty people swam from the ferry to Norland."
    (citation,) = compose(find("Which ferry sank near Norland?", passage("one", body))).citations
    assert citation.quote == body


def test_headings_and_questions_are_no_answer() -> None:
    """A sentence that asks what is asked comes near it and says nothing; a heading is no second quote."""
    body = (
        "Which ferry sank near Norland?\n\nThe ferry Marigold sank near Norland.\n\nMore about the ferry near Norland"
    )
    assert quotes("Which ferry sank near Norland?", passage("one", body)) == ["The ferry Marigold sank near Norland."]


def test_who_is_meant_stands_in_the_quote() -> None:
    """A sentence that begins with "He" is quoted with the one that names him, and its place is that of both."""
    body = "It rained. Jon Alterman directs a programme in Washington. He was born in Norland in 1961."
    quoted = answer("When was the director born in Norland?", passage("one", body))
    (citation,) = quoted.citations
    assert quoted.text == f"“{body[11:]}” [1]"
    assert (citation.start, citation.end) == (11, len(body))


def test_who_is_meant_is_not_quoted_twice() -> None:
    """Where the sentence that names him is quoted as well, both are one quote."""
    body = "Jon Alterman was born in Norland. He was born there in 1961, in Norland."
    (citation,) = compose(find("When was Alterman born?", passage("one", body))).citations
    assert citation.quote == body


def test_one_sentence_may_be_longer() -> None:
    """A sentence is never cut."""
    body = "The ferry sank near Norland " + " ".join(f"word{number}" for number in range(120)) + "."
    assert quotes("Which ferry sank near Norland?", passage("one", body)) == [body]


WORDS = ["Kerman ", "killed ", "nearly ", "more than ", "100 ", "84 ", "people ", "Dr. ", "U.S. ", "Jan. 3 ", ". ",
         "? ", "\n\n", "“", "” ", "[1] ", "[9]", "\u00a0", "é", "Nobody came. ", "It rained in Kerman. "]  # fmt: skip
BODIES = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=40).map("".join)
QUESTIONS = st.just("How many people were killed in Kerman?") | BODIES


@given(st.lists(BODIES, min_size=1, max_size=5), st.integers(0, 20), st.booleans(), QUESTIONS)
def test_citations_hold_to_the_letter(bodies: list[str], start: int, told: bool, question: str) -> None:  # noqa: FBT001  # drawn
    """Of any articles and any question: each quote is in its article, and the number of that in the text."""
    articles = {f"a{number}": body for number, body in enumerate(bodies)}
    passages = [passage(name, body, start=start) for name, body in articles.items() if body[start:]]
    if told and len(passages) > 1:
        passages = [replace(passages[0], near_duplicates=(passages[-1],)), *passages[1:-1]]
    found = find(question, *passages)
    if not found.ranked:
        return
    quoted = compose(found)
    assert quoted.citations == numbered(quoted.citations)
    for citation in quoted.citations:
        assert citation.quote == articles[citation.source.id][citation.start : citation.end]
        assert citation.quote.strip() == citation.quote != ""
        assert f"{in_marks(citation.quote)} [{citation.number}]" in quoted.text
        assert citation.source.id not in also(citation)
        assert len(set(also(citation))) == len(citation.also_in)
    bare = quoted.text
    for citation in quoted.citations:
        bare = bare.replace(f"{in_marks(citation.quote)} [{citation.number}]", "", 1)
    assert re.fullmatch(r"\s*|The articles differ: \s*— but: \s*", bare)
    assert len({(citation.source.id, citation.start) for citation in quoted.citations}) == len(quoted.citations)
    assert len(quoted.citations) <= 4
    length = sum(len(citation.quote.split()) for citation in quoted.citations)
    assert length <= 120 or len(quoted.citations) == 1 or "The articles differ" in quoted.text


def sure_of(*answers: str, score: float = 3.0) -> Read:
    """A reader that is sure of sentences with one of these words in them, and that others do not answer."""

    def reading(sentence: str) -> Reading:
        starts = [(sentence.find(answer), answer) for answer in answers]
        start, answer = next(((at, answer) for at, answer in starts if at >= 0), (-1, ""))
        return Reading(score, Span(start, start + len(answer))) if answer else Reading(-9.0, Span(0, 1))

    def read(_question: str, texts: Sequence[Text]) -> list[list[Reading]]:
        return [[reading(sentence) for sentence in text.sentences] for text in texts]

    return read


def test_other_answers_of_other_articles_are_quoted_and_said_to_differ() -> None:
    """Where the reader finds other years in other articles, each is quoted with its source, and the text says so."""
    found = find(
        "When was the mill at Aldermoor built?",
        passage("a", "The mill at Aldermoor was built in 1931, records show."),
        passage("b", "The mill at Aldermoor was built in 1928, its owner says."),
        passage("c", "The mill at Aldermoor was built in 1931, it is said."),
        read=sure_of("1931", "1928"),
    )
    quoted = compose(found)
    assert quoted.text.startswith("The articles differ: ")
    assert {citation.source.id for citation in quoted.citations} in ({"a", "b"}, {"b", "c"})


BUILT = "When was the mill at Aldermoor built?"


@pytest.mark.parametrize(
    ("question", "body", "words", "short"),
    [
        (BUILT, "The mill at Aldermoor was built in 1931, records show.", "1931", "1931"),
        (BUILT, "The mill at Aldermoor was built before 1931, records show.", "1931", "before 1931"),
        ("How many jobs will the mill cut?", "The mill will cut nearly 140 jobs.", "140", "nearly 140"),
        ("How much did the mill cost?", "The mill cost £1.4 million.", "1.4", "£1.4 million"),
        ("Who sold the mill?", "Ann Voss sold the mill.", "Ann Voss", "Ann Voss"),
        ("Who sold the mill?", "Ann Voss sold the mill.", "sold", None),  # no person
        ("How many jobs will the mill cut?", "The mill will not cut 140 jobs, but not 140 men.", "140 men", None),
        ("How many jobs did the mill have?", "The mill has 140 jobs, 58 more than before.", "58", None),
        ("How many jobs did the mill have?", "The mill had 58 jobs more than its rival.", "58", None),
        (BUILT, "The mill at Aldermoor was built in\n1931.", "in\n1931", None),  # not to be printed to the letter
        ("Why was the mill built?", "The mill was built because of the war of 1931.", "the war of 1931", None),
        (BUILT, "The mill was built and sold and built again until 1931.", "was built and sold and built again", None),
    ],
)
def test_the_shortest_answer_comes_first(question: str, body: str, words: str, short: str | None) -> None:
    """Words of the quote to the letter, with what bounds a number; none if no fact is asked for or given."""
    quoted = compose(find(question, passage("a", body), read=sure_of(words, score=6.0)))
    assert quoted.short == short
    assert quoted.text.startswith(f"{short} — “" if short else "“")
    assert not short or short in quoted.citations[0].quote


def test_what_is_not_certain_is_no_short_answer() -> None:
    """The reader must be sure, and no other sentence may answer in other words nearly as surely."""
    built, sold = "The mill at Aldermoor was built in 1931.", "The mill at Aldermoor was sold and built over in 1950."
    assert compose(find(BUILT, passage("a", built), read=sure_of("1931", score=TUNED.short_logit - 0.5))).short is None
    both = find(BUILT, passage("a", f"{built} {sold}"), read=sure_of("1931", "1950", score=6.0))
    assert compose(both).short is None


def test_other_answers_are_those_that_answer_too() -> None:
    """Without a quote shown before, sentences are left that are sure and of the type asked for, in any article."""
    found = find(
        BUILT,
        passage("a", "The mill at Aldermoor was built in 1931. It is large, and in 1950 it burnt."),
        passage("b", "The mill at Aldermoor was built in 1928, its owner says. It has a park."),
        passage("c", "The mill at Aldermoor was built in 1931."),
        read=sure_of("1931", "1928"),
    )
    left = without(found, ["Look: the mill. The mill at Aldermoor was\nbuilt in 1931."])
    assert [candidate.passage.source.id for candidate in left.ranked] == ["b"]
    assert without(found, []).ranked


def test_what_the_reader_is_not_sure_of_is_no_other_answer() -> None:
    """An article that only has the words of the question beside a year is not set against the one that answers."""
    found = find(
        "When was the mill at Aldermoor built?",
        passage("a", "The mill at Aldermoor was built in 1931, records show."),
        passage("b", "The mill at Aldermoor burnt in 1928, and the town was built anew."),
        read=sure_of("1931"),
    )
    assert [citation.source.id for citation in compose(found).citations] == ["a"]


def test_the_reader_decides_between_sentences_with_the_same_words() -> None:
    """Of two sentences with the same words that is quoted which the reader is sure of."""
    body = "Voss sold the mill to Kerr. Kerr sold the mill to Voss."
    for answer in ("Kerr sold", "Voss sold"):
        (citation,) = compose(find("Who sold the mill?", passage("a", body), read=sure_of(answer))).citations
        assert citation.quote.startswith(answer)


def test_a_passage_that_surely_answers_comes_before_one_that_is_a_little_nearer() -> None:
    """What the reader is very sure of moves its passage up; what it is not sure of moves none."""
    near = passage("near", "The mill at Aldermoor is old.", score=1.1)
    right = passage("right", "The mill at Aldermoor was built in 1931.", score=1.0)
    question = "When was the mill at Aldermoor built?"
    sure = find(question, near, right, read=sure_of("1931", score=9.0))
    unsure = find(question, near, right)
    assert [one.source.id for one in rank_passages(sure.passages, sure.ranked)] == ["right", "near"]
    assert [one.source.id for one in rank_passages(unsure.passages, unsure.ranked)] == ["near", "right"]
    for ranked in (rank_passages(sure.passages, sure.ranked), rank_passages(unsure.passages, unsure.ranked)):
        assert ranked[0].score >= ranked[1].score  # the score is that by which they are ranked


COST = "How much did the repair of the mill at Aldermoor cost?"


def published(told: Passage, day: date) -> Passage:
    """The same passage in an article of another day."""
    return replace(told, source=replace(told.source, published=day))


@pytest.mark.parametrize(
    "earlier", ["will cost 1.4 million pounds, the county expects.", "cost 1.4 million pounds, the county said."]
)
def test_what_a_later_article_says_anew_is_an_update(earlier: str) -> None:
    """The newest is quoted first, each beside its day, and nothing is said to differ."""
    early = passage("early", f"The repair of the mill at Aldermoor {earlier}")
    late = passage("late", "The repair of the mill at Aldermoor cost 1.1 million pounds in the end.")
    quoted = answer(COST, early, published(late, date(2024, 6, 2)))
    assert [citation.source.id for citation in quoted.citations] == ["late", "early"]
    assert quoted.text.startswith("The latest, 2 June 2024: “")
    assert "[1] — earlier: 5 January 2024: “" in quoted.text
    assert all(carry_citations(quoted.text, {one.number: [in_marks(one.quote)] for one in quoted.citations}))


def test_articles_that_differ_a_day_apart_have_their_days_beside_them() -> None:
    """The later one comes first."""
    early = passage("early", "The repair of the mill at Aldermoor cost 1.4 million pounds.")
    late = passage("late", "The repair of the mill at Aldermoor cost 1.1 million pounds in the end.")
    quoted = answer(COST, early, published(late, date(2024, 1, 6)))
    assert quoted.text.startswith("The articles differ: 6 January 2024: “")
    assert "[1] — but 5 January 2024: “" in quoted.text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The repair of the mill cost 1.4 million pounds.", "The repair of the mill will cost 2 million pounds."),
        ("The repair of the mill cost 1.4 million pounds.", "The repair of the mill cost 3 per cent of the budget."),
        ("The repair of the mill cost 1.4 million pounds.", "The repair of the mill cost 30 jobs."),
    ],
)
def test_a_forecast_and_another_unit_do_not_differ(first: str, second: str) -> None:
    """Of the same day: pounds against jobs, and a plan against an outcome."""
    assert (
        "differ"
        not in answer("How much did the repair of the mill cost?", passage("a", first), passage("b", second)).text
    )


@pytest.mark.parametrize(
    "line",
    [
        "Northfield: Hart; Lopez, Kim, Brandt (Quist 62), Cordero, Ortiz; Cole.",
        "Photo: the ferry Marigold near Norland.",
        "Norland ferry | 12 | 7 | Marigold",
        "Ferry 12 7 3 19",
    ],
)
def test_lines_that_are_no_sentence_are_no_evidence(line: str) -> None:
    """Beside a sentence, a line-up, a caption and a row of a table are not quoted."""
    body = f"{line}\n\nThe ferry sank near Norland."
    assert quotes("Which Norland ferry was Marigold?", passage("one", body)) == ["The ferry sank near Norland."]


@pytest.mark.parametrize(
    ("quote", "printed"),
    [
        ("It sank.", "“It sank.”"),
        ("“It sank.”", "“It sank.”"),
        ('"It sank, and nobody came.', "“It sank, and nobody came.”"),
        ('"It sank," said Voss (the "captain").', "“‘It sank,’ said Voss (the ‘captain’).”"),
        ("“It sank,” he said. “We swam.”", "“‘It sank,’ he said. ‘We swam.’”"),
        ("Das „Freibad“ bleibt.", "“Das ‚Freibad‘ bleibt.”"),
        ("It sank\nat\u00a0noon.\n\nHe swam.", "“It sank at noon. He swam.”"),
    ],
)
def test_marks_inside_a_quote_are_single(quote: str, printed: str) -> None:
    """A quote that is speech is not in marks twice, and is printed on one line; the citation keeps its letters."""
    assert in_marks(quote) == printed
