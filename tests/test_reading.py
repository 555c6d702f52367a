"""What a reader is trained on: the answer is marked where it stands, not where it was taken away; pairs of texts."""

from __future__ import annotations

import json
import random
from itertools import islice
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tests.reading import MAX_WINDOW_TOKENS, Examples, Marks, batches, read, window

BRIDGE = "The bridge opened in 1931. Its engineer was Karl Voss. It cost 2 million crowns. Trams crossed it."
MILL = "The mill at Steinfeld opened in 1804. Its engineer is not known. Corn was ground there for a century."
MARKS = Marks(101, 102, 1012)
BATCH_TOKENS = 512


@pytest.fixture
def rng() -> random.Random:
    """Chance, always the same."""
    return random.Random(3)  # noqa: S311  # no secret


@pytest.fixture(scope="module")
def tokenizer(weights: Path) -> Tokenizer:
    """The embedding model's, as it is shipped."""
    shipped = Tokenizer.from_file(str(weights / "tokenizer.json"))
    shipped.no_padding()
    return shipped


@pytest.fixture
def examples(tmp_path: Path, tokenizer: Tokenizer) -> Examples:
    """Two passages with four questions, of which two have no answer; three candidate sentences and two statements."""

    def question(text: str, answer: str, context: str = BRIDGE) -> dict[str, object]:
        start = context.index(answer) if answer else None
        return {"title": "A", "context": context, "question": text, "answer": answer or None, "start": start}

    statement = "The bridge cost {} million crowns."
    rows = [
        question("Who was the engineer?", "Karl Voss"),
        question("When did the bridge open?", "1931"),
        question("Who painted the bridge?", ""),
        question("Who owned the mill?", "", MILL),
        {"question": "Who ground corn?", "candidates": [{"text": part, "label": part == "Mills did."} for part in
                                                        ("Mills did.", "Corn is dear.", "Who?")]},
        *({"premise": BRIDGE, "statement": statement.format(cost), "supported": cost == 2} for cost in (2, 3)),
    ]  # fmt: skip
    file = tmp_path / "examples.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return read([file], tokenizer)


def test_an_answer_is_marked_where_it_stands_and_nothing_else_is(
    examples: Examples, tokenizer: Tokenizer, rng: random.Random
) -> None:
    """The marked tokens are the answer's words; a window without an answer does not hold them."""
    answers, seen = ["karl voss", "1931", "", ""], set[tuple[str, bool]]()
    for answer, question in zip(answers, examples.questions, strict=True):
        for _ in range(60):
            made = window(question, rng, MARKS)
            marked = tokenizer.decode(made.tokens[made.first : made.last + 1]) if made.first else ""
            assert marked in ("", answer)
            if answer and not marked:
                assert answer not in tokenizer.decode(made.tokens[made.question :])
            assert len(made.tokens) <= MAX_WINDOW_TOKENS
            seen.add((answer, bool(marked)))
    assert seen == {("karl voss", True), ("karl voss", False), ("1931", True), ("1931", False), ("", False)}


def test_a_question_is_asked_of_another_passage_that_shares_its_rare_words(
    examples: Examples, tokenizer: Tokenizer, rng: random.Random
) -> None:
    """Now and then another passage takes the place of its own, without an answer, or stands beside it."""
    (mill,) = (question.passage for question in examples.questions if question.passage.text == MILL.lower())
    engineer = examples.questions[0]._replace(others=[mill])
    seen = set()
    for _ in range(200):
        made = window(engineer, rng, MARKS)
        text = tokenizer.decode(made.tokens[made.question :])
        seen.add(("steinfeld" in text, "voss" in text))
        marked = tokenizer.decode(made.tokens[made.first : made.last + 1]) if made.first else ""
        assert marked == ("karl voss" if "voss" in text else "")
    assert {(True, False), (True, True), (False, True)} <= seen


def test_batches_hold_windows_of_like_lengths(examples: Examples, rng: random.Random) -> None:
    """The shortest come first, so that little of a batch is padding, and no batch has more tokens than asked for."""
    for _, batch in islice(batches(examples, (1, 1, 1), rng, MARKS, BATCH_TOKENS), 12):
        lengths = [len(made.tokens) for made in batch]
        assert lengths == sorted(lengths)
        assert len(lengths) == 1 or len(lengths) * lengths[-1] <= BATCH_TOKENS


def test_a_pair_has_its_label_and_no_span(examples: Examples, tokenizer: Tokenizer, rng: random.Random) -> None:
    """A statement takes the question's place, its premise the passage's; a candidate sentence stands alone."""
    drawn = islice(batches(examples, (0, 1, 1), rng, MARKS, BATCH_TOKENS), 40)
    pairs = {
        (
            name,
            tokenizer.decode(made.tokens[1 : made.question - 1]),
            tokenizer.decode(made.tokens[made.question : -1]),
            made.label,
            made.first,
        )
        for name, batch in drawn
        for made in batch
    }
    assert pairs == {
        ("candidates", "who ground corn?", "mills did.", True, 0),
        ("candidates", "who ground corn?", "corn is dear.", False, 0),
        ("candidates", "who ground corn?", "who?", False, 0),
        ("statements", "the bridge cost 2 million crowns.", BRIDGE.lower(), True, 0),
        ("statements", "the bridge cost 3 million crowns.", BRIDGE.lower(), False, 0),
    }
