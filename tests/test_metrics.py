"""Tests of bot.evaluation.metrics: what is counted as right, and how it becomes a figure."""

from __future__ import annotations

import math
import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.judge import answer_text, contains, normalize_answer
from bot.evaluation.metrics import (
    CheckedCitation,
    FailureStage,
    Metric,
    Outcome,
    Ratios,
    aggregate,
    balanced_accuracy,
    carry_citations,
    mean,
    measure,
    micro_average,
    quantile,
    ranking,
    supports,
    word_count,
)
from bot.evaluation.questions import KnownQuestion
from bot.models import Answer, Refusal
from index.models import Passage, Source

SAID = Answer("q", "q", "“It sank in 1912.” [1]", "quote")
REFUSED = replace(SAID, text="The articles do not say.", refusal=Refusal("why not"))
CITED = (CheckedCitation(1, "a", "It sank in 1912.", valid=True),)


def passage(article: str, *near_duplicates: str) -> Passage:
    """A passage of an article whose story others tell too."""
    return Passage(
        f"{article}-0", Source(article, article), "", 0, 0, 1.0, near_duplicates=tuple(map(passage, near_duplicates))
    )


def known(**fields: object) -> KnownQuestion:
    """A question of which this is known."""
    return KnownQuestion.model_validate({"id": "1", "question": "q", **fields})


def interval(metric: Metric) -> tuple[float, float]:
    """The interval of a figure that has one."""
    assert metric["low"] is not None
    assert metric["high"] is not None
    return metric["low"], metric["high"]


def values(ratios: Ratios, group: str) -> dict[str, float]:
    """The measured shares of a group."""
    return {name: part / whole for (of, name), (part, whole) in ratios.items() if of == group}


def test_text_is_normalised_as_for_squad() -> None:
    """Case, punctuation, articles and white space do not count, and typographic quotes are punctuation."""
    assert normalize_answer("The U.S.  “Army”,\nan army") == "us army army"
    assert normalize_answer("Iran’s 3,559 people!") == normalize_answer("irans 3559 people")


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("In the United States.", "the united states"),
        ("It happened in 1912–1914.", "1912"),
        ("a (b+) c", "b+"),
        ("“Kerman” [1]", "kerman"),
    ],
)
def test_a_phrase_is_found_between_word_boundaries(text: str, phrase: str) -> None:
    """Whatever marks stand around it."""
    assert contains(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [("There were 3,559 people", "559"), ("Catalan is spoken", "cat"), ("anything", "the"), ("?!", "?!"), ("", "x")],
)
def test_a_part_of_a_word_is_no_find(text: str, phrase: str) -> None:
    """Nor of a number, and neither is a phrase of which nothing is left."""
    assert not contains(text, phrase)


@given(st.text(), st.text(string.ascii_letters, min_size=4), st.text())
def test_a_word_is_found_wherever_it_stands_alone(before: str, word: str, after: str) -> None:
    """Whatever stands around a word, parted by a space, it is found."""
    assert contains(f"{before} {word} {after}", word.swapcase())


def test_marks_are_no_part_of_what_was_said() -> None:
    """The number of a citation is not an answer, and of a refusal nothing was said."""
    assert contains(answer_text(SAID), "1912")
    assert not contains(answer_text(SAID), "1")
    assert answer_text(REFUSED) == ""
    assert word_count("one - year plan .") == 3


def test_a_quote_supports_a_sentence_with_half_of_its_words() -> None:
    """Half is enough, each word counts as often as it stands there, and nothing supports no words."""
    assert supports("the cat slept", "The cat sat down.")
    assert not supports("a cat", "The cat sat down.")
    assert not supports("ha", "Ha ha ha ha!")
    assert not supports("anything", "…")


@pytest.mark.parametrize(
    ("text", "carried"),
    [
        ("It sank. [1] He swam.", [True, False]),
        ("It sank [1]. He swam [2].", [True, True]),
        ("It sank.[1][2] He swam.", [True, False]),
        ("“It sank.” [1] “He swam.” [2]", [True, True]),
        ("It sank. He swam. [3]", [False, False]),
        ("[1] It sank.", [False]),
        ("“One. Two.” [9] “One. Two.” [1]", [True, True, False, True]),
        ("", []),
    ],
)
def test_a_mark_belongs_to_the_sentence_before_it(text: str, carried: list[bool]) -> None:
    """Inside the sentence or right after it, a mark that names a citation carries it, and a whole quote."""
    assert carry_citations(text, {1: ["It", "Two."], 2: ["He"], 9: ["Two.”", "“One. Two.”"]}) == carried


@given(st.text(st.sampled_from("Ab. [1]2]\n“”")))
def test_any_text_can_be_asked_for_its_marks(text: str) -> None:
    """Without a citation no sentence carries one; with them, never more sentences than marks."""
    assert not any(carry_citations(text, {}))
    assert sum(carry_citations(text, {number: ["other"] for number in (1, 2, 12, 21)})) <= text.count("[")


def test_articles_rank_by_their_best_passage() -> None:
    """An article counts once, and those that retell its story come right after it."""
    assert ranking([passage("a"), passage("b", "c", "a"), passage("a"), passage("d")]) == ["a", "b", "c", "d"]


def test_retrieval_is_measured_by_article() -> None:
    """The first hit's rank decides hits and reciprocal rank, all of the ten the gain."""
    answer = replace(SAID, passages=(passage("x"), passage("a", "y"), passage("b"), passage("z")))
    metrics = values(measure(known(relevant=["a", "b"]), answer, ()), "retrieval")
    gain = (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3))
    assert metrics == {"hit@1": 0, "hit@4": 1, "hit@10": 1, "mrr@10": 0.5, "ndcg@10": pytest.approx(gain), "all@10": 1}
    late = replace(SAID, passages=tuple(passage(str(number)) for number in range(11)))
    assert set(values(measure(known(relevant=["10"]), late, ()), "retrieval").values()) == {0}
    perfect = values(measure(known(relevant=["0", 1]), late, ()), "retrieval")
    assert set(perfect.values()) == {1}


@given(st.permutations([str(number) for number in range(12)]), st.sets(st.integers(0, 11), min_size=1))
def test_every_measure_of_retrieval_is_a_share(order: list[str], relevant: set[int]) -> None:
    """Whatever is found, each lies between 0 and 1, and a hit stays one further down."""
    answer = replace(SAID, passages=tuple(map(passage, order)))
    metrics = values(measure(known(relevant=list(map(str, relevant))), answer, ()), "retrieval")
    assert all(0 <= value <= 1 + 1e-9 for value in metrics.values())
    assert metrics["hit@1"] <= metrics["hit@4"] <= metrics["hit@10"]


def test_any_right_answer_is_found_or_every_one() -> None:
    """One is enough unless every answer belongs in; a wrong one beside it is held against `strict` only."""
    answer = replace(SAID, text="It sank in 1912 or 1913. [1]")
    either = known(answers=["1912", "1899"], wrong=["1913"])
    assert values(measure(either, answer, ()), "answers") == {"found": 1, "strict": 0}
    every = known(answers=["1912", "1899"], every_answer=True)
    assert values(measure(every, answer, ()), "answers") == {"found": 0}
    assert values(measure(known(answers=["1912"], wrong=[]), SAID, ()), "answers") == {"found": 1, "strict": 1}


def test_what_is_not_known_is_not_measured() -> None:
    """Without fields there are no figures but of the answer itself; an answer that cannot be looked for is none."""
    assert set(measure(known(), SAID, CITED)) == {("citations", "valid"), ("citations", "covered")}
    assert values(measure(known(answers=["The", "?"]), SAID, ()), "answers") == {}


def test_a_question_without_an_answer_counts_for_refusal_only() -> None:
    """Neither retrieval nor the answer is measured by what the articles do not hold."""
    unanswerable = known(answerable=False, relevant=["a"], answers=["1912"], support=["It sank in 1912."])
    assert set(measure(unanswerable, REFUSED, ())) == {("refusal", "refused_unanswerable")}
    assert values(measure(unanswerable, SAID, ()), "refusal") == {"refused_unanswerable": 0}


def test_a_refusal_finds_and_supports_nothing() -> None:
    """A refusal of an answerable question is not found, whatever its words hold; so is a reply to small talk."""
    labelled = known(answerable=True, answers=["articles"], support=["The articles do not say."])
    for answer in (REFUSED, replace(REFUSED, refusal=None, answerer="reply")):
        ratios = measure(labelled, answer, ())
        assert values(ratios, "answers") == {"found": 0, "supported": 0}
        assert values(ratios, "refusal") == {"refused_answerable": 1}
        assert values(ratios, "citations") == {}


def test_citations_are_measured_one_by_one() -> None:
    """Each citation is valid or not; an article that is cited twice is one cited article."""
    cited = (*CITED, CheckedCitation(2, "a", "x", valid=False), CheckedCitation(3, "b", "y", valid=True))
    labelled = known(relevant=["a"], support=["It sank in 1912, they say."])
    ratios = measure(labelled, SAID, cited)
    pairs = {name: ratios["citations", name] for name in ("valid", "relevant", "covered")}
    assert pairs == {"valid": (2, 3), "relevant": (1, 2), "covered": (1, 1)}
    assert values(ratios, "answers") == {"supported": 1}


def test_a_share_has_its_count_and_interval() -> None:
    """The parts are summed before they are divided, the interval holds the value, and it is the same twice."""
    pairs = [(1.0, 1.0), (0.0, 2.0), (1.0, 1.0)] * 20
    metric = micro_average(pairs)
    assert (metric["value"], metric["n"]) == (0.5, 80)
    low, high = interval(metric)
    assert 0.3 < low < 0.5 < high < 0.7
    assert micro_average(pairs) == metric


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_an_interval_lies_around_a_share(hits: list[bool]) -> None:
    """Between 0 and 1, around the value; where all are alike it reaches as far as so few questions can tell."""
    metric = micro_average([(float(hit), 1.0) for hit in hits])
    low, high = interval(metric)
    assert 0 <= low <= metric["value"] <= high <= 1
    assert high - low > 0.05
    assert metric["value"] not in {0, 1} or high - low == pytest.approx(3.8415 / (len(hits) + 3.8415), abs=1e-4)


def test_intervals_are_those_of_the_literature() -> None:
    """Wilson's for a share (81 of 263: Newcombe, 1998), Newcombe's for the balance, none for a single time."""
    assert interval(micro_average([(1, 1)] * 81 + [(0, 1)] * 182)) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert interval(micro_average([(3, 3), (1, 1)])) == pytest.approx((0.5101, 1), abs=1e-4)
    assert interval(balanced_accuracy([1] * 10, [0] * 10)) == pytest.approx((1 - 0.2775 / 2**0.5, 1), abs=1e-3)
    assert mean([-1.0]) == {"value": -1, "n": 1, "low": None, "high": None}


def test_quantiles_and_balance() -> None:
    """A median, and the mean of what was right on either side whatever their sizes."""
    assert quantile([1, 2, 9], 0.5)["value"] == 2
    assert quantile([5], 0.95) == {"value": 5, "n": 1, "low": None, "high": None}
    metric = balanced_accuracy([1, 1, 1, 0], [1, 0])
    assert (metric["value"], metric["n"]) == (0.625, 6)


def test_figures_are_gathered_by_group() -> None:
    """A figure counts the questions that have it; the balance needs both sides."""
    right, left = known(answerable=True, answers=["1912"]), known(answerable=False)
    ratios = [measure(right, SAID, CITED), measure(right, REFUSED, ()), measure(left, REFUSED, ())]
    metrics = aggregate(ratios)
    assert metrics["answers"]["found"]["value"] == 0.5
    assert metrics["citations"]["valid"]["n"] == 1
    assert metrics["refusal"]["balanced"]["value"] == 0.75
    assert "retrieval" not in metrics
    assert "balanced" not in aggregate(ratios[:2])["refusal"]


ELSEWHERE = replace(SAID, passages=(passage("x"),))
HERE = replace(SAID, passages=(passage("x"), passage("a")))


@pytest.mark.parametrize(
    ("of", "answer", "stage"),
    [
        ({"answerable": True, "relevant": ["a"], "answers": ["1912"]}, HERE, FailureStage.RIGHT),
        ({"answerable": True, "relevant": ["a"], "answers": ["1912"]}, ELSEWHERE, FailureStage.RIGHT),
        ({"answerable": True, "relevant": ["a"], "answers": ["1913"]}, ELSEWHERE, FailureStage.NOT_RETRIEVED),
        ({"answerable": True, "relevant": ["a"], "answers": ["1913"]}, HERE, FailureStage.NOT_QUOTED),
        ({"answerable": True, "relevant": ["a"], "support": ["It sank in 1912."]}, HERE, FailureStage.RIGHT),
        ({"answerable": True, "relevant": ["a"], "support": ["They all swam ashore."]}, HERE, FailureStage.NOT_QUOTED),
        ({"answerable": True, "relevant": ["a"]}, HERE, FailureStage.RIGHT),
        ({"answerable": True, "relevant": ["x"]}, HERE, FailureStage.NOT_QUOTED),
        ({"answerable": True}, HERE, FailureStage.RIGHT),
        (
            {"answerable": True, "relevant": ["a"], "answers": ["1912"], "wrong": ["sank"]},
            HERE,
            FailureStage.ANSWERED_WRONGLY,
        ),
        ({"answerable": False}, HERE, FailureStage.ANSWERED_WRONGLY),
        ({"answerable": False}, REFUSED, FailureStage.RIGHT),
        (
            {"answerable": True, "relevant": ["a"]},
            replace(REFUSED, passages=HERE.passages),
            FailureStage.REFUSED_WRONGLY,
        ),
        (
            {"answerable": True, "relevant": ["a"]},
            replace(REFUSED, passages=ELSEWHERE.passages),
            FailureStage.NOT_RETRIEVED,
        ),
        ({"relevant": ["a"]}, replace(REFUSED, passages=HERE.passages), FailureStage.REFUSED_WRONGLY),
        ({}, HERE, FailureStage.NOT_JUDGED),
        ({}, REFUSED, FailureStage.NOT_JUDGED),
    ],
)
def test_an_answer_is_lost_at_the_first_step_that_failed(
    of: dict[str, object], answer: Answer, stage: FailureStage
) -> None:
    """Found, then quoted; a right answer is right wherever it was found, and a wrong string makes any answer wrong."""
    question, cited = known(**of), CITED if answer.answered else ()
    outcome = Outcome(question, answer, cited, measure(question, answer, cited), 1.0)
    assert outcome.failure_stage is stage
