"""What a reader is trained on: the answer is marked where it stands, not where it was taken away; pairs of texts."""

from __future__ import annotations

import json
import random
from itertools import islice
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tests.reading import MAX_WINDOW_TOKENS, Examples, Marks, Question, batches, read, window

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
    for _, batch in islice(batches(examples, (1, 1, 1, 1, 1), rng, MARKS, BATCH_TOKENS), 12):
        lengths = [len(made.tokens) for made in batch]
        assert lengths == sorted(lengths)
        assert len(lengths) == 1 or len(lengths) * lengths[-1] <= BATCH_TOKENS


def test_a_pair_has_its_label_and_no_span(examples: Examples, tokenizer: Tokenizer, rng: random.Random) -> None:
    """A statement takes the question's place, its premise the passage's; a candidate sentence stands alone."""
    drawn = islice(batches(examples, (0, 1, 1, 1, 1), rng, MARKS, BATCH_TOKENS), 40)
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


@pytest.fixture
def story(tmp_path: Path, tokenizer: Tokenizer) -> Examples:
    """Two articles, four questions (of a, of both, of neither, yes or no) and two statements."""

    def answer(sentence: str, span: str) -> dict[str, str]:
        return {"sentence": sentence, "span": span}

    engineer, unknown = "Its engineer was Karl Voss.", "Its engineer is not known."
    row = {
        "a": {"headline": "Bridge", "date": "2025-03-04", "body": BRIDGE},
        "b": {"headline": "Mill.", "date": "2025-03-05", "body": MILL},
        "questions": [
            {"question": "Who was the engineer?", "kind": "who", "a": answer(engineer, "Karl Voss"), "b": None},
            {"question": "When did it open?", "kind": "when", "a": answer("The bridge opened in 1931.", "1931"),
             "b": answer("The mill at Steinfeld opened in 1804.", "1804")},
            {"question": "Who painted it?", "kind": "who", "a": None, "b": None, "near": "the engineer is told"},
            {"question": "is the engineer known", "kind": "yes_no", "a": None, "b": answer(unknown, "is not known"),
             "verdict": "no"},
        ],
        "statements": [
            {"article": "a", "statement": "Voss built it.", "label": "supported", "evidence": engineer},
            {"article": "b", "statement": "Voss built the mill.", "label": "unsaid", "evidence": unknown},
        ],
    }  # fmt: skip
    file = tmp_path / "story.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    return read([file], tokenizer)


def test_a_question_of_a_story_is_asked_of_both_articles(story: Examples, tokenizer: Tokenizer) -> None:
    """With the answer where an article has one; the other article is a trap only if it does not answer."""

    def shown(question: Question) -> tuple[str, str, list[str]]:
        at = question.sentence
        words = [] if at is None else question.passage.sentences[at][question.first : question.last + 1]
        others = [tokenizer.decode(other.headline) for other in question.others]
        return tokenizer.decode(question.tokens), tokenizer.decode(words), others

    assert [shown(question) for question in story.story_questions] == [
        ("who was the engineer?", "karl voss", ["mill.", "mill."]),
        ("who was the engineer?", "", []),
        ("when did it open?", "1931", []),
        ("when did it open?", "1804", []),
        ("who painted it?", "", []),
        ("who painted it?", "", []),
        ("is the engineer known", "", []),
        ("is the engineer known", "is not known", ["bridge", "bridge"]),
    ]


def test_half_of_the_questions_without_an_answer_are_asked_of_another_story(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    """Of the passage that shares most rare words, and never of an article of their own story."""
    rows = []
    for number in range(100):
        articles = {key: {"headline": f"{key}{number}", "body": f"Town {number} has {key}."} for key in "ab"}
        asked = {"question": f"Who runs {number // 2 * 2}?", "kind": "who", "a": None, "b": None}
        rows.append(articles | {"questions": [asked], "statements": []})
    file = tmp_path / "stories.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    questions = read([file], tokenizer).story_questions
    own, elsewhere = questions[:200], questions[200:]
    assert [len(own), len(elsewhere)] == [200, sum(bool(question.others) for question in own) // 2]
    for question in elsewhere:
        asked_of = tokenizer.decode(question.tokens).removeprefix("who runs ").removesuffix("?")
        assert f"town {asked_of} " in question.passage.text


def test_a_story_gives_pairs_with_yes_and_no(story: Examples, tokenizer: Tokenizer) -> None:
    """A statement as it is and as a question; a yes-no question by its verdict, and by neither where it has none."""
    pairs = [
        (tokenizer.decode(pair.first), tokenizer.decode(pair.second), pair.label) for pair in story.story_statements
    ]
    voss = "bridge. the bridge opened in 1931. its engineer was karl voss."
    mill = "mill. the mill at steinfeld opened in 1804. its engineer is not known."
    assert [pair for pair in pairs if "known?" not in pair[0]] == [
        ("voss built it.", voss, True),
        ("is it true that voss built it? yes", voss, True),
        ("is it true that voss built it? no", voss, False),
        ("voss built the mill.", mill, False),
        ("is it true that voss built the mill? yes", mill, False),
        ("is it true that voss built the mill? no", mill, False),
    ]
    asked = [(text, premise, label) for text, premise, label in pairs if "known?" in text]
    assert asked[:2] == [("is the engineer known? yes", voss, False), ("is the engineer known? no", voss, False)]
    assert asked[-2:] == [("is the engineer known? yes", mill, False), ("is the engineer known? no", mill, True)]
    assert len(asked) == 6
