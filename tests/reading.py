"""Training examples of the reader: questions of SQuAD-like files, and statements, with some sentences to read."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from math import log
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from bot.extract.reader import MAX_CONTEXT_TOKENS, MAX_HEADLINE_TOKENS, MAX_QUESTION_TOKENS
from index.text import sentences

MAX_STATEMENT_TOKENS = 64
BATCH_TOKENS = 1_536  # with padding: every batch takes as long
POOL = 256  # windows that are sorted by length
WITH_HEADLINE = 0.6
ONE_MORE_BEFORE, ONE_MORE_AFTER = 0.38, 0.33  # how likely a window grows by one sentence more
ANOTHER_PASSAGE = 0.17  # of the answerable questions are asked of another passage that shares their rare words,
ANSWER_TAKEN_AWAY = 0.22  # and of the rest, of sentences beside the answer
RARE = 0.01  # of the sentences hold a word that tells passages apart
Marks = tuple[int, int, int]  # the tokens that begin, end and part what is read


class Sentence(NamedTuple):
    """Where a sentence begins in its paragraph, its tokens and their characters in it."""

    start: int
    end: int
    tokens: list[int]
    offsets: list[tuple[int, int]]


class Paragraph(NamedTuple):
    """A paragraph's text, its sentences, and the tokens of its article's headline."""

    text: str
    sentences: list[Sentence]
    headline: list[int]


class Example(NamedTuple):
    """A question (tokens) of a paragraph; its answer's characters, None: it has none."""

    question: list[int]
    paragraph: Paragraph
    answer: tuple[int, int] | None


class Statement(NamedTuple):
    """A statement and a premise, as tokens; whether the premise supports it."""

    statement: list[int]
    premise: list[int]
    supported: bool


class Window(NamedTuple):
    """What the model reads: tokens, of which the first are the question; the answer's first and last token, 0: none.

    ``supported`` is None for a question; a statement takes the question's place and has no answer.
    """

    tokens: list[int]
    question: int
    first: int
    last: int
    supported: bool | None = None


def read(files: list[Path], tokenizer: Tokenizer) -> list[Example]:
    """The questions of SQuAD files, tokenised."""

    def tokens(texts: list[str]) -> list[Any]:
        return list(tokenizer.encode_batch(texts, add_special_tokens=False))

    examples = []
    for article in (article for file in files for article in json.loads(file.read_text(encoding="utf-8"))["data"]):
        headline = tokens([article["title"].replace("_", " ")])[0].ids[:MAX_HEADLINE_TOKENS]
        for source in article["paragraphs"]:
            spans = sentences(source["context"])
            encoded = tokens([source["context"][start:end] for start, end in spans])
            parts = [
                Sentence(*span, tokenised.ids, tokenised.offsets)
                for span, tokenised in zip(spans, encoded, strict=True)
            ]
            paragraph = Paragraph(source["context"], parts, headline)
            questions = tokens([qa["question"] for qa in source["qas"]])
            for qa, question in zip(source["qas"], questions, strict=True):
                first = None if qa.get("is_impossible") else qa["answers"][0]
                answer = (first["answer_start"], first["answer_start"] + len(first["text"])) if first else None
                examples.append(Example(question.ids[:MAX_QUESTION_TOKENS], paragraph, answer))
    return [example for example in examples if example.paragraph.sentences]


def read_statements(files: list[Path], tokenizer: Tokenizer) -> list[Statement]:
    """The statements of files with an object (premise, statement, supported) a line, tokenised."""
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    statements, premises = (
        tokenizer.encode_batch([row[part] for row in rows], add_special_tokens=False) if rows else []
        for part in ("statement", "premise")
    )
    return [
        Statement(statement.ids[:MAX_STATEMENT_TOKENS], premise.ids[:MAX_CONTEXT_TOKENS], bool(row["supported"]))
        for row, statement, premise in zip(rows, statements, premises, strict=True)
    ]


class Others:
    """Sentences of other passages that share a question's rare words, and do not hold its answer."""

    def __init__(self, examples: list[Example], rare: float = RARE) -> None:
        self._rare = rare
        paragraphs = {id(example.paragraph): example.paragraph for example in examples}.values()
        self._all = [(paragraph, at) for paragraph in paragraphs for at in range(len(paragraph.sentences))]
        self._holding = defaultdict(list)
        for number, (paragraph, at) in enumerate(self._all):
            for token in set(paragraph.sentences[at].tokens):
                self._holding[token].append(number)

    def of(self, example: Example, rng: random.Random) -> tuple[Paragraph, int] | None:
        """One of the four that share most, and which sentence of its paragraph it is."""
        shared = defaultdict[int, float](float)
        for token in set(example.question):
            holding = self._holding.get(token, [])
            if len(holding) < self._rare * len(self._all):
                for number in holding:
                    shared[number] += log(len(self._all) / len(holding))
        answer = example.paragraph.text[slice(*example.answer)].lower() if example.answer else ""
        nearest = [self._all[number] for number in sorted(shared, key=shared.__getitem__, reverse=True)[:30]]
        other = [near for near in nearest if near[0] is not example.paragraph and answer not in near[0].text.lower()]
        return rng.choice(other[:4]) if other else None


def window(example: Example, others: Others, rng: random.Random, marks: Marks) -> Window | None:
    """Some sentences around the answer, or where it is not; None where they do not fit."""
    paragraph, answer = example.paragraph, example.answer
    parts = paragraph.sentences
    holds = next((at for at, part in enumerate(parts) if answer and part.start <= answer[0] < part.end), None)
    if answer and holds is None:
        return None
    if answer and rng.random() < ANOTHER_PASSAGE and (other := others.of(example, rng)):
        return _window(example.question, other[0], _around(other[1], other[0], rng), None, rng, marks)
    beside = [at for at in range(len(parts)) if at != holds]
    taken_away = holds is not None and bool(beside) and rng.random() < ANSWER_TAKEN_AWAY
    if holds is None or taken_away:
        likeness = [len(set(example.question) & set(part.tokens)) + rng.random() / 2 for part in parts]
        around = _around(max(beside, key=likeness.__getitem__), paragraph, rng)
        return None if holds in around else _window(example.question, paragraph, around, None, rng, marks)
    return _window(example.question, paragraph, _around(holds, paragraph, rng), answer, rng, marks)


def _around(centre: int, paragraph: Paragraph, rng: random.Random) -> range:
    """A sentence and now and then its neighbours."""
    first, last = centre, centre
    while first > 0 and rng.random() < ONE_MORE_BEFORE:
        first -= 1
    while last + 1 < len(paragraph.sentences) and rng.random() < ONE_MORE_AFTER:
        last += 1
    return range(first, last + 1)


def _window(
    question_tokens: list[int],
    read: Paragraph,
    which: range,
    answer: tuple[int, int] | None,
    rng: random.Random,
    marks: Marks,
) -> Window | None:
    start, stop, between = marks
    tokens = [start, *question_tokens, stop]
    question = len(tokens)
    if read.headline and rng.random() < WITH_HEADLINE:
        tokens += [*read.headline, between]
    inside = []
    for part in (read.sentences[at] for at in which):
        if answer and part.start <= answer[0] < part.end:
            inside = [
                len(tokens) + position
                for position, (left, right) in enumerate(part.offsets)
                if left + part.start < answer[1] and right + part.start > answer[0]
            ]
        tokens += part.tokens
    tokens = [*tokens[: question + MAX_CONTEXT_TOKENS], stop]
    begin, end = (inside[0], inside[-1]) if inside else (0, 0)
    return Window(tokens, question, begin, end) if end < len(tokens) - 1 and bool(answer) == bool(inside) else None


def batches(
    examples: list[Example], statements: list[Statement], rng: random.Random, marks: Marks
) -> Iterator[list[Window]]:
    """Batches of windows of like lengths, for ever; half of them of questions, half of statements."""
    others = Others(examples)
    sources = [
        _batches(examples, lambda example: window(example, others, rng, marks), rng),
        _batches(statements, lambda statement: _statement_window(statement, marks), rng),
    ]
    weights = [bool(examples), bool(statements)]
    while True:
        yield next(rng.choices(sources, weights)[0])


def _batches(items: list[Any], make: Callable[[Any], Window | None], rng: random.Random) -> Iterator[list[Window]]:
    while True:
        rng.shuffle(items)
        for at in range(0, len(items), POOL):
            windows = [made for item in items[at : at + POOL] if (made := make(item))]
            some = _of_like_length(windows)
            rng.shuffle(some)
            yield from some


def _of_like_length(windows: list[Window]) -> list[list[Window]]:
    parted: list[list[Window]] = [[]]
    for made in sorted(windows, key=lambda made: len(made.tokens)):
        if (len(parted[-1]) + 1) * len(made.tokens) > BATCH_TOKENS:
            parted.append([])
        parted[-1].append(made)
    return parted


def _statement_window(item: Statement, marks: Marks) -> Window:
    start, stop, _ = marks
    tokens = [start, *item.statement, stop, *item.premise, stop]
    return Window(tokens, len(item.statement) + 2, 0, 0, item.supported)
