"""Training windows of the reader: questions with passages, lists of candidate sentences, and statements.

A file has an object a line: (title, context, question, answer, start, near), where ``answer`` is null if the context
has none and ``near`` an offset in the sentence that seems to have one; (question, candidates: text, label);
(premise, statement, supported); or a story (a, b, questions, statements), as tests/stories/README.md has it.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from math import log
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from bot.extract.reader import MAX_HEADLINE_TOKENS, MAX_QUESTION_TOKENS
from index.text import sentences, stems

MAX_WINDOW_TOKENS = 320
MAX_STATEMENT_TOKENS, MAX_PREMISE_TOKENS = 64, 220
SIZES = (60, 110, 160, 220, MAX_WINDOW_TOKENS - 48)  # tokens of the sentences in a window
POOL = 2_048  # windows that are sorted by length
WITH_HEADLINE = 0.7
ANOTHER_PASSAGE, ANOTHER_PASSAGE_OF_ONE_SENTENCE = 0.18, 0.3  # of the answerable questions are asked of another one
ANSWER_TAKEN_AWAY = 0.12  # and so many of their own, without the sentence that answers
LONGER, LONGER_OF_ONE_SENTENCE = 0.3, 0.6  # get sentences of another passage before or behind
RARE = 0.012  # of the passages hold a word that tells passages apart
MAX_NEAREST, MAX_OTHERS = 14, 4  # passages: the nearest, and of those without the answer
OTHER_ARTICLE_WEIGHT = 2  # among them, that of the other article of a story
LIKEST = 2  # sentences of an article that does not answer a yes-no question: neither says yes or no


class Passage(NamedTuple):
    """The tokens of a headline and of each sentence, and the text in small letters."""

    headline: list[int]
    sentences: list[list[int]]
    text: str


class Question(NamedTuple):
    """A question of a passage: which sentence answers (None: none does) and between which of its tokens.

    ``near``: the sentence that seems to answer. ``others``: other passages that do not answer, but share rare words.
    """

    tokens: list[int]
    passage: Passage
    sentence: int | None
    first: int
    last: int
    near: int
    others: list[Passage]


class Pair(NamedTuple):
    """Two texts as tokens, and whether the second answers the first, a question, or supports it, a statement."""

    first: list[int]
    second: list[int]
    label: bool


class Window(NamedTuple):
    """What the model reads: tokens, of which the first are the question; the answer's first and last token, 0: none.

    ``label`` is that of a pair, and None for a question of a passage.
    """

    tokens: list[int]
    question: int
    first: int
    last: int
    label: bool | None = None


class Marks(NamedTuple):
    """The tokens that begin, end and part what is read."""

    start: int
    stop: int
    between: int


class Examples(NamedTuple):
    """What the files hold. Of stories: the questions, and the statements and yes-no questions as pairs."""

    questions: list[Question]
    candidates: list[Pair]
    statements: list[Pair]
    story_questions: list[Question]
    story_statements: list[Pair]


def read(files: Sequence[Path], tokenizer: Tokenizer) -> Examples:
    """Read the files, tokenised."""
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]

    def pairs(texts: list[tuple[str, str, bool]]) -> list[Pair]:
        first, second = _encode(tokenizer, [text for text, _, _ in texts]), [text for _, text, _ in texts]
        return [
            Pair(one.ids[:MAX_STATEMENT_TOKENS], other.ids[:MAX_PREMISE_TOKENS], label)
            for one, other, (_, _, label) in zip(first, _encode(tokenizer, second), texts, strict=True)
        ]

    stories = [row for row in rows if "questions" in row]
    return Examples(
        _questions([row for row in rows if "context" in row], tokenizer),
        pairs([(row["question"], c["text"], c["label"]) for row in rows for c in row.get("candidates", ())]),
        pairs([(row["statement"], row["premise"], row["supported"]) for row in rows if "premise" in row]),
        _story_questions(stories, tokenizer),
        pairs([pair for story in stories for pair in _story_pairs(story)]),
    )


def _encode(tokenizer: Tokenizer, texts: list[str]) -> list[Any]:
    return list(tokenizer.encode_batch(texts, add_special_tokens=False)) if texts else []


def _questions(rows: list[dict[str, Any]], tokenizer: Tokenizer) -> list[Question]:
    passages: dict[tuple[str, str], tuple[Passage, list[Any], list[Any]]] = {}
    for row in rows:
        if (key := (row["title"], row["context"])) not in passages:
            spans = sentences(row["context"])
            encoded = _encode(tokenizer, [row["context"][span.start : span.end] for span in spans])
            (headline,) = _encode(tokenizer, [row["title"]])
            tokens = [part.ids for part in encoded]
            passage = Passage(headline.ids[:MAX_HEADLINE_TOKENS], tokens, row["context"].lower())
            passages[key] = passage, spans, [part.offsets for part in encoded]
    others = _Others([passage for passage, _, _ in passages.values()])
    questions = []
    for row, tokens in zip(rows, _encode(tokenizer, [row["question"] for row in rows]), strict=True):
        passage, spans, offsets = passages[row["title"], row["context"]]
        answer = row["answer"] or ""
        start = row["start"] if answer else row.get("near")
        at = next((at for at, span in enumerate(spans) if start is not None and span.start <= start < span.end), None)
        inside = []
        if answer and at is not None and start is not None:
            begin = start - spans[at].start
            places = enumerate(offsets[at])
            inside = [place for place, (left, right) in places if left < begin + len(answer) and right > begin]
        if not spans or bool(answer) != bool(inside):
            continue
        near = at if at is not None else _likest(tokens.ids, passage)
        question = tokens.ids[:MAX_QUESTION_TOKENS]
        first, last = (inside[0], inside[-1]) if inside else (0, 0)
        story = [passages[key][0] for key in row.get("story", ())]
        unlike = [other for other in others.of(question, passage, answer.lower()) if other not in story]
        unlike += [passages[key][0] for key in row.get("others", ())]
        questions.append(Question(question, passage, at if answer else None, first, last, near, unlike))
    return questions


def _story_questions(stories: list[dict[str, Any]], tokenizer: Tokenizer) -> list[Question]:
    """Each question, of both articles of its story. Half of those without an answer, of another story's, too."""
    rows = []
    for story in stories:
        keys = {key: (story[key]["headline"], story[key]["body"]) for key in "ab"}
        for asked in story["questions"]:
            for key, other in ("ab", "ba"):
                title, context = keys[key]
                row = {"title": title, "context": context, "question": asked["question"], "answer": None}
                if answer := asked[key]:
                    start = context.index(answer["sentence"]) + answer["sentence"].index(answer["span"])
                    row |= {"answer": answer["span"], "start": start}
                others = [] if asked[other] or not answer else OTHER_ARTICLE_WEIGHT * [keys[other]]
                rows.append(row | {"story": list(keys.values()), "others": others})
    questions = _questions(rows, tokenizer)
    half = [question for question in questions if question.sentence is None and question.others][::2]
    for question in half:
        nearest = question.others[0]
        near = _likest(question.tokens, nearest)
        questions.append(question._replace(passage=nearest, near=near, others=[]))
    return questions


def _story_pairs(story: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """The statements, themselves and as questions with "Yes" and "No", and the yes-no questions with both."""
    pairs = list[tuple[str, str, bool]]()
    spans = {key: sentences(story[key]["body"]) for key in "ab"}

    def premise(key: str, place: int) -> str:
        body = story[key]["body"]
        at = next(at for at, span in enumerate(spans[key]) if span.start <= place < span.end)
        before = spans[key][max(0, at - 1)].start
        return f"{story[key]['headline'].rstrip('.')}. {body[before : spans[key][at].end]}"

    def judged(text: str, premise: str, verdict: str | None) -> None:
        pairs.extend((f"{text.rstrip('? .')}? {word}", premise, word.lower() == verdict) for word in ("Yes", "No"))

    for statement in story["statements"]:
        text, key, label = statement["statement"], statement["article"], statement["label"]
        found = premise(key, story[key]["body"].index(statement["evidence"]))
        pairs.append((text, found, label == "supported"))
        judged(f"Is it true that {text}", found, {"supported": "yes", "contradicted": "no"}.get(label))
    for question in story["questions"]:
        if question["kind"] != "yes_no":
            continue
        asked = set(stems(question["question"]))
        for key in "ab":
            body = story[key]["body"]
            if answer := question[key]:
                place = body.index(answer["sentence"]) + answer["sentence"].index(answer["span"])
                judged(question["question"], premise(key, place), question["verdict"])
                continue
            likeness = {span.start: len(asked & set(stems(body[span.start : span.end]))) for span in spans[key]}
            for place in sorted(likeness, key=likeness.__getitem__, reverse=True)[:LIKEST]:
                judged(question["question"], premise(key, place), None)
    return pairs


def _likest(question: list[int], passage: Passage) -> int:
    """The sentence that shares most tokens with the question."""
    likeness = [len(set(question) & set(sentence)) for sentence in passage.sentences]
    return likeness.index(max(likeness))


class _Others:
    """Passages that share a question's rare words, and do not hold its answer."""

    def __init__(self, passages: list[Passage]) -> None:
        self._all, self._holding = passages, defaultdict[int, list[int]](list)
        for number, passage in enumerate(passages):
            for token in {token for sentence in passage.sentences for token in sentence}:
                self._holding[token].append(number)

    def of(self, question: list[int], own: Passage, answer: str) -> list[Passage]:
        shared = defaultdict[int, float](float)
        for token in set(question):
            holding = self._holding.get(token, [])
            if len(holding) < RARE * len(self._all):
                for number in holding:
                    shared[number] += log(len(self._all) / len(holding))
        nearest = sorted(shared, key=shared.__getitem__, reverse=True)[:MAX_NEAREST]
        found = [self._all[number] for number in nearest]
        return [near for near in found if near is not own and not (answer and answer in near.text)][:MAX_OTHERS]


def window(question: Question, rng: random.Random, marks: Marks) -> Window:
    """Some sentences around the answer, or where it is not, now and then beside sentences of another passage."""
    passage, answer, near = question.passage, question.sentence, question.near
    is_one = len(passage.sentences) == 1
    elsewhere = ANOTHER_PASSAGE_OF_ONE_SENTENCE if is_one else ANOTHER_PASSAGE
    if answer is not None and question.others and rng.random() < elsewhere:
        passage, answer = rng.choice(question.others), None
        near = rng.randrange(len(passage.sentences))
    taken_away = answer is not None and len(passage.sentences) > 1 and rng.random() < ANSWER_TAKEN_AWAY
    chosen = _around(near if answer is None else answer, passage.sentences, rng)
    tokens = [marks.start, *question.tokens, marks.stop]
    begin = len(tokens)
    headline = [*passage.headline, marks.between] if passage.headline and rng.random() < WITH_HEADLINE else []
    body, first = list[int](), 0
    for at in chosen:
        if at == answer:
            if taken_away:
                continue
            first = begin + len(headline) + len(body)
        body += passage.sentences[at]
    if question.others and rng.random() < (LONGER_OF_ONE_SENTENCE if is_one else LONGER):
        more = _sentences_of(rng.choice(question.others), MAX_WINDOW_TOKENS - begin - len(headline) - len(body) - 1)
        is_behind = rng.random() < 1 / 2
        body = [*body, *more] if is_behind else [*more, *body]
        first += len(more) if first and not is_behind else 0
    tokens = [*[*tokens, *headline, *body][: MAX_WINDOW_TOKENS - 1], marks.stop]
    span = (first + question.first, first + question.last) if first else (0, 0)
    return Window(tokens, begin, *(span if span[1] < len(tokens) - 1 else (0, 0)))


def _around(centre: int, parts: list[list[int]], rng: random.Random) -> range:
    """A sentence and its neighbours, of about one of the sizes together."""
    budget, before = rng.choice(SIZES), rng.random()
    first, last, size = centre, centre, len(parts[centre])
    while size < budget and (first > 0 or last + 1 < len(parts)):
        goes_back = last + 1 == len(parts) or (first > 0 and rng.random() < before)
        at = first - 1 if goes_back else last + 1
        if size + len(parts[at]) > budget:
            break
        size += len(parts[at])
        first, last = min(first, at), max(last, at)
    return range(first, last + 1)


def _sentences_of(passage: Passage, room: int) -> list[int]:
    tokens = list[int]()
    for sentence in passage.sentences:
        if len(tokens) + len(sentence) > room:
            break
        tokens += sentence
    return tokens


def _pair_window(pair: Pair, _rng: random.Random, marks: Marks) -> Window:
    tokens = [marks.start, *pair.first, marks.stop, *pair.second][: MAX_WINDOW_TOKENS - 1]
    return Window([*tokens, marks.stop], len(pair.first) + 2, 0, 0, pair.label)


def batches(
    examples: Examples, shares: Sequence[float], rng: random.Random, marks: Marks, max_tokens: int
) -> Iterator[tuple[str, list[Window]]]:
    """Batches of windows of like lengths, for ever, with what they hold: a field of `Examples`.

    ``shares``: how often a batch is of each field. ``max_tokens``: of a batch, with padding.
    """
    sources = {
        "questions": _batches(examples.questions, window, rng, marks, max_tokens),
        "candidates": _batches(examples.candidates, _pair_window, rng, marks, max_tokens),
        "statements": _batches(examples.statements, _pair_window, rng, marks, max_tokens),
        "story_questions": _batches(examples.story_questions, window, rng, marks, max_tokens),
        "story_statements": _batches(examples.story_statements, _pair_window, rng, marks, max_tokens),
    }
    weights = [share if items else 0.0 for share, items in zip(shares, examples, strict=True)]
    while True:
        (name,) = rng.choices(list(sources), weights)
        yield name, next(sources[name])


def _batches(
    items: list[Any],
    make: Callable[[Any, random.Random, Marks], Window],
    rng: random.Random,
    marks: Marks,
    max_tokens: int,
) -> Iterator[list[Window]]:
    while True:
        rng.shuffle(items)
        for at in range(0, len(items), POOL):
            some = _of_like_length([make(item, rng, marks) for item in items[at : at + POOL]], max_tokens)
            rng.shuffle(some)
            yield from some


def _of_like_length(windows: list[Window], max_tokens: int) -> list[list[Window]]:
    parted: list[list[Window]] = [[]]
    for made in sorted(windows, key=lambda made: len(made.tokens)):
        if parted[-1] and (len(parted[-1]) + 1) * len(made.tokens) > max_tokens:
            parted.append([])
        parted[-1].append(made)
    return parted
