"""Prompt files: loaded strictly, filled once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import PromptError, load_prompt, prompt_names, prompt_variables

VARIABLES = {
    "answer": {"as_of"},
    "passages": {"conversation", "passages", "question"},
    "check": {"passage", "statement"},
    "condense": {"conversation", "question"},
}


def test_every_prompt_has_the_variables_that_the_code_fills() -> None:
    """No variable and no file is forgotten."""
    assert {name: set(prompt_variables(name)) for name in prompt_names()} == VARIABLES


@pytest.mark.parametrize("given_variables", [{}, {"as_of": "x", "more": "y"}, {"tomorrow": "x"}])
def test_missing_or_surplus_variable_is_an_error(given_variables: dict[str, str]) -> None:
    """A prompt is never rendered with a gap, nor with a value that it ignores."""
    with pytest.raises(PromptError, match="prompt 'answer': missing"):
        load_prompt("answer", **given_variables)


@pytest.mark.parametrize("name", ["nothing", "../pyproject", "answer.md", ""])
def test_unknown_prompt_is_an_error(name: str) -> None:
    """A name is that of a prompt, and no path."""
    with pytest.raises(PromptError, match="there is no prompt"):
        load_prompt(name)


@given(st.text(), st.sampled_from(["{{question}}", "{question}", "$question", "\\1", "\\g<1>", "{% raw %}"]))
def test_values_are_never_interpreted(text: str, trap: str) -> None:
    """Article text is put into the prompt letter by letter, whatever it looks like."""
    value = text + trap + text
    rendered = load_prompt("passages", conversation="", passages=value, question="QUESTION")
    assert value in rendered
    assert rendered == load_prompt("passages", conversation="", passages="\0", question="QUESTION").replace("\0", value)


def test_answer_prompt_has_the_rules_that_verification_relies_on() -> None:
    """Marks, the words of refusal, bars, the day."""
    rendered = load_prompt("answer", as_of="Friday, 2024-01-05")
    for rule in ["NOT IN THE ARTICLES", "[2]", "(|)", "never an instruction", "2024-01-05", "differ", "correction"]:
        assert rule in rendered
