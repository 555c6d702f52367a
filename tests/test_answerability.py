"""Whether the passages say: the features, the prediction and the reason that a user is given."""

from __future__ import annotations

import json
import math
from dataclasses import astuple, fields, replace
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.extract.answerability import Features, predict, unknown_names, why_unanswerable
from bot.extract.ranking import Query, Read, Retrieval, rank_sentences
from bot.extract.tuning import TUNED
from index.models import Passage, Source
from index.text import stems
from tests.test_quote import sure_of, undecided

BODY = "Two blasts killed nearly 100 people in Kerman, Iran, on Jan. 3. Bismarck was never there, says Jon Alterman."
PLACES = "It was felt in German towns, in France, in Spain and in the U.S. as well."


def find(question: str, *bodies: str, cosine: float = 0.9, read: Read = undecided) -> Retrieval:
    """What is found for a question in these passages, all of which are as near to it; its words are as rare."""
    query = Query(question, dict.fromkeys(stems(question), 1.0), np.ones(1, dtype=np.float32))
    passages = tuple(
        Passage(f"c{number}", Source(f"a{number}", "Blasts", "The Courier"), body, 0, len(body), 1.0, cosine)
        for number, body in enumerate(bodies or (BODY,))
    )
    return Retrieval(query, passages, rank_sentences(query, passages, read), 10)


def test_fitted_file_weighs_each_feature_and_nothing_else() -> None:
    """A feature that is added or renamed has to be fitted anew, and the numbers are numbers."""
    fitted = json.loads(files("bot.extract").joinpath("answerability.json").read_text(encoding="utf-8"))
    assert set(fitted["weights"]) == {feature.name for feature in fields(Features)}
    assert all(math.isfinite(weight) for weight in (*fitted["weights"].values(), fitted["intercept"]))
    assert 0 < fitted["threshold"] < 1
    assert any(fitted["weights"].values())
    assert {"script", "date", "questions", "held_out"} <= set(fitted["provenance"])


def test_features_are_computed_from_question_and_passage() -> None:
    """Each is the share that its name says."""
    asked = find("Were 250 people killed by Raisi in Kerman?", BODY, "Something else. Snow fell.", cosine=0.75)
    features = Features.of(asked)
    assert features.cosine == 0.75
    assert features.coverage == 3 / 5  # people, kill, Kerman
    assert features.missing_name == 1 / 2
    assert features.missing_number == 1
    assert features.index_size == 0.4
    assert (features.asks_fact, features.fact_logit, features.other_logit) == (0, 0, 0)  # undecided
    sure = Features.of(find("How many were killed in Kerman?", read=sure_of("nearly 100")))
    assert sure.asks_fact == 1
    assert 0 < sure.fact_logit <= TUNED.max_logit / 10
    assert sure.other_logit == 0


PIECES = ["Kerman ", "Raisi ", "How many ", "killed ", "100 ", "250 ", "people ", ". ", "\n\n", "US ", "when ", "2018 "]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join)


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=4), st.floats(-1.001, 1.001))
def test_features_and_prediction_stay_within_bounds(question: str, bodies: list[str], cosine: float) -> None:
    """Of whatever was found, features and probability are bounded, and there is a reason."""
    found = find(question, *bodies, cosine=cosine)
    prediction = predict(found)
    assert 0 <= prediction.probability <= 1
    assert not (prediction.hopeless and prediction.answerable)
    assert why_unanswerable(found).endswith(".")
    if found.ranked:
        assert all(-1 <= feature <= 1 for feature in astuple(Features.of(found)))
    else:
        assert prediction.hopeless


def test_passage_that_says_it_is_enough() -> None:
    """All words held, and near in meaning."""
    prediction = predict(find("How many people were killed in Kerman?", cosine=0.85))
    assert prediction.answerable
    assert not prediction.hopeless


def test_passage_about_something_else_is_hopeless() -> None:
    """No word held, far in meaning, and nothing that answers: a language model is not asked."""
    prediction = predict(find("how do i bake sourdough bread", cosine=0.35, read=sure_of("sourdough")))
    assert not prediction.answerable
    assert prediction.hopeless
    assert why_unanswerable(find("how do i bake sourdough bread")) == "No article comes near the question."


@pytest.mark.parametrize(
    "name", ["Kabul", "Vladimir Putin", "NATO", "Zürich", "Iraq", "China", "Poland", "the United Kingdom"]
)
def test_name_that_no_passage_holds_refuses(name: str) -> None:
    """However near the passages are in meaning; and the reason names it."""
    found = find(f"How many people were killed in {name}?", cosine=0.95)
    assert not predict(found).answerable
    named = "UK" if "Kingdom" in name else " or ".join(name.split())
    assert why_unanswerable(found) == f"No article that comes near mentions {named}."


def test_name_that_any_passage_or_headline_or_outlet_holds_does_not_refuse() -> None:
    """The question may name what another passage than the best one holds."""
    bodies = ("Nearly 100 people were killed in the blasts.", "It was in Kerman.")
    assert unknown_names(find("How many people were killed in Kerman?", *bodies)) == []
    assert unknown_names(find("What does The Courier say of the Blasts?")) == []
    assert predict(find("How many people were killed in Kerman?", *bodies, cosine=0.9)).answerable


def test_a_thing_that_bears_its_kind_needs_the_word() -> None:
    """Where no passage speaks of a hospital, none is named."""
    bodies = ("The wounded were taken away after the blasts in Kerman.", "The wounded were taken to Bahonar Hospital.")
    question = "Which hospital were the wounded taken to?"
    assert not predict(find(question, bodies[0], cosine=0.95)).answerable
    assert predict(find(question, *bodies, cosine=0.95)).answerable


def test_name_beyond_the_passages_read_refuses() -> None:
    """What is found only far down says nothing of what is quoted."""
    bodies = [f"Nearly 100 people were killed, {number} say." for number in range(12)]
    found = find("How many people were killed in Kerman?", *bodies, "It was in Kerman.", cosine=0.9)
    assert unknown_names(found) == ["Kerman"]


@pytest.mark.parametrize(
    "variant",
    [
        "Bismark",
        "Kermann",
        "Iranian",
        "Iranians",
        "KERMAN",
        "Altermann",
        "Kerman's",
        "Kermán",
        "Germany",
        "the French",
        "America",
        "the United States",
        "Spanish",
    ],
)
def test_spelling_variant_of_a_held_name_does_not_refuse(variant: str) -> None:
    """A slip of the pen, a demonym, an accent and capitals are the same name."""
    found = find(f"How many people were killed by {variant} in the blasts?", BODY, PLACES, cosine=0.9)
    assert unknown_names(found) == []
    assert predict(found).answerable


def test_one_unknown_name_of_three_does_not_refuse_by_itself() -> None:
    """A first name that the articles leave out is no reason."""
    found = find("Did Jon Bernard Alterman speak of Kerman?", cosine=0.95)
    assert unknown_names(found) == ["Bernard"]
    assert predict(found).answerable


def test_reason_names_each_unknown_name_once() -> None:
    """As it is written in the question."""
    assert why_unanswerable(find("Is Raisi older than Putin, and is Raisi ill?")) == (
        "No article that comes near mentions Raisi or Putin."
    )
    assert why_unanswerable(find("How old are the people?")) == "The articles that come nearest do not answer it."


def test_nothing_found_is_hopeless() -> None:
    """Without a sentence there is nothing to weigh."""
    nothing = replace(find("What sank?"), passages=(), ranked=())
    prediction = predict(nothing)
    assert (prediction.probability, prediction.answerable, prediction.hopeless) == (0, False, True)
    assert why_unanswerable(nothing) == "No article comes near the question."
