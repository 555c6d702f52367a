"""What a reader is trained on: the answer is marked where it stands, not where it was taken away; statements."""

from __future__ import annotations

import json
import random
from itertools import islice
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tests.reading import BATCH_TOKENS, Others, batches, read, read_statements, window

BRIDGE = "The bridge opened in 1931. Its engineer was Karl Voss. It cost 2 million crowns. Trams crossed it."
MILL = "The mill at Steinfeld opened in 1804. Its engineer is not known. Corn was ground there for a century."
MARKS = (101, 102, 1012)


@pytest.fixture
def rng() -> random.Random:
    """Chance, always the same."""
    return random.Random(3)  # noqa: S311  # no secret


@pytest.fixture(scope="module")
def tokenizer(weights: Path) -> Tokenizer:
    """The embedding model's, as it is shipped."""
    found = Tokenizer.from_file(str(weights / "tokenizer.json"))
    found.no_padding()
    return found


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    """Two paragraphs in SQuAD's form, with three questions, one of which has no answer."""

    def asked(question: str, answer: str) -> dict[str, object]:
        found = [{"text": answer, "answer_start": BRIDGE.index(answer)}] if answer else []
        return {"question": question, "is_impossible": not answer, "answers": found}

    bridge = [asked("Who was the engineer?", "Karl Voss"), asked("When did the bridge open?", "1931")]
    paragraphs = [
        {"context": BRIDGE, "qas": [*bridge, asked("Who painted the bridge?", "")]},
        {"context": MILL, "qas": [{"question": "Who owned the mill?", "is_impossible": True}]},
    ]
    file = tmp_path / "squad.json"
    file.write_text(json.dumps({"data": [{"title": "Bridge_of_Aller", "paragraphs": paragraphs}]}), encoding="utf-8")
    return file


def test_an_answer_is_marked_where_it_stands_and_nothing_else_is(
    squad: Path, tokenizer: Tokenizer, rng: random.Random
) -> None:
    """The marked tokens are the answer's words; a window without an answer does not hold them."""
    examples = read([squad], tokenizer)
    others, seen = Others(examples), set[tuple[str, bool]]()
    for example in (each for each in examples for _ in range(60)):
        found = window(example, others, rng, MARKS)
        if found is None:
            continue
        answer = example.paragraph.text[slice(*example.answer)].lower() if example.answer else ""
        marked = tokenizer.decode(found.tokens[found.first : found.last + 1]) if found.first else ""
        assert marked in ("", answer)
        if answer and not marked:
            assert answer not in tokenizer.decode(found.tokens[found.question :])
        seen.add((answer, bool(marked)))
    assert seen == {("karl voss", True), ("karl voss", False), ("1931", True), ("1931", False), ("", False)}


def test_a_question_is_asked_of_another_passage_that_shares_its_rare_words(
    squad: Path, tokenizer: Tokenizer, rng: random.Random
) -> None:
    """The other passage comes by the words it shares, and never is the question's own."""
    examples = read([squad], tokenizer)
    engineer, owner = examples[0], examples[-1]
    others = Others(examples, rare=0.3)
    found = others.of(engineer, rng)
    assert found is not None
    assert found[0].text == MILL
    assert others.of(owner._replace(question=[]), rng) is None


def test_batches_hold_windows_of_like_lengths(squad: Path, tokenizer: Tokenizer, rng: random.Random) -> None:
    """The shortest come first, so that little of a batch is padding."""
    for batch in islice(batches(read([squad], tokenizer), [], rng, MARKS), 5):
        lengths = [len(window.tokens) for window in batch]
        assert lengths == sorted(lengths)
        assert len(lengths) * lengths[-1] <= BATCH_TOKENS


def test_a_statement_takes_the_place_of_the_question(
    squad: Path, tokenizer: Tokenizer, rng: random.Random, tmp_path: Path
) -> None:
    """A batch has questions or statements; a statement's window has it before the premise, and whether that holds."""
    file = tmp_path / "statements.jsonl"
    rows = [{"premise": BRIDGE, "statement": "The bridge cost 2 million crowns.", "supported": True}]
    rows += [{"premise": BRIDGE, "statement": "The bridge cost 3 million crowns.", "supported": False}]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    statements = read_statements([file], tokenizer)
    drawn = list(islice(batches(read([squad], tokenizer), statements, rng, MARKS), 40))
    assert all(len({window.supported is None for window in batch}) == 1 for batch in drawn)
    windows = [window for batch in drawn for window in batch if window.supported is not None]
    assert {tokenizer.decode(window.tokens[1 : window.question - 1]): window.supported for window in windows} == {
        "the bridge cost 2 million crowns.": True,
        "the bridge cost 3 million crowns.": False,
    }
    assert all(tokenizer.decode(window.tokens[window.question : -1]) == BRIDGE.lower() for window in windows)
