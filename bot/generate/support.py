"""Does a passage support a statement? By certain rules, and by what was edited on the way from one to the other.

Certain: a number or date that no cited passage has, another bound ("up to"), a web address, a word of planted
instructions (`index.injection`). All else is counted (`bot.generate.edit`) and weighed by a logistic regression, whose
weights `python -m tests.fit_support` writes into support.json. It reads no meaning: a good rewording in quite other
words is dropped, and a falsehood in the passage's own words may pass (docs/trust.md has how often).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from importlib.resources import files
from typing import NamedTuple

from bot.generate.edit import Token, count_edits, lexicon, tokens
from index.injection import blank_out, instruction_spans, is_instruction, unrelated_paragraphs
from index.models import Passage, Span
from index.text import fold, is_demonym, sentences, stems, word_spans

_NEAR_SHARE = 0.8  # of the log-odds of a copied sentence, below which a statement is near the line
_NEIGHBOURS = (-2, -1, 1)  # sentences around those that a statement rests on: "He" is in them
_MIN_SECOND_WORDS, _MIN_SECOND_WEIGHT, _MIN_SECOND_SHARE = 2, 3, 0.3  # that a second sentence must add
_LOOSE = ("content", "name")  # what may come from a neighbouring sentence; a number may not
MIN_HELD_SHARE = 0.4  # of a statement's words, in the sentences that it rests on
_MAX_FRAGMENT_WORDS = 4  # "100", "Ada Brunt": no statement without the question
_MIN_QUESTION_SHARE = 0.5  # of the question's words, in the sentences that a fragment stands in
_MAX_ACRONYM_WORDS = 6
_ADDRESS = re.compile(r"\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b")
_PREDICATE = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|do|does|did|will|would|can|could|may|might|must|says?|\w{3,}ed)\b|n't\b",
    re.IGNORECASE,
)


class Judgement(NamedTuple):
    """The log-odds that a statement is supported, and what speaks most against it, in words for a user."""

    logit: float
    reason: str
    is_near_the_line: bool = False

    @property
    def supported(self) -> bool:
        """Whether it is more likely than not."""
        return self.logit > 0


class _Sentence(NamedTuple):
    words: list[Token]
    covers: frozenset[str]  # the keys of its words, of their synonyms and of their hypernyms

    @classmethod
    def of(cls, text: str) -> _Sentence:
        words, known = tokens(text), lexicon()
        keys = {token.key for token in words}
        related = (table.get(key, frozenset()) for key in keys for table in (known.synonyms, known.hypernyms))
        return cls(words, frozenset(keys).union(*related))


class Asked(NamedTuple):
    """The words of a question, and the keys of those that some passage has: a statement may name them anywhere."""

    words: list[Token]
    granted: frozenset[str]

    @classmethod
    def of(cls, question: str, premises: Sequence[Premise]) -> Asked:
        """Read a question."""
        words, pool = tokens(question), [sentence for premise in premises for sentence in premise.sentences]
        return cls(words, frozenset(token.key for token in words if _covers(token, pool)))


NOT_ASKED = Asked([], frozenset())


class Premise:
    """A passage as statements are checked against it: without planted instructions (:mod:`index.injection`).

    ``planted`` holds the stemmed words of the sentences that instruct the reader.
    """

    def __init__(self, passage: Passage, question: str) -> None:
        self.passage = passage
        source = passage.source
        headline = "" if is_instruction(source.headline) else source.headline
        instructions = instruction_spans(passage.text)
        self.planted = frozenset(stems(" ".join(passage.text[start:end] for start, end in instructions)))
        text = blank_out(passage.text, instructions)
        text = blank_out(text, unrelated_paragraphs(text, f"{question} {headline}"))
        self.spans = sentences(text)
        self._texts = [text[start:end] for start, end in self.spans]
        day = f"{source.published:%A %d %B %Y}" if source.published else ""
        self._heading = f"{headline}. {source.outlet or ''}. {day}"
        self.text = f"{text}\n\n{self._heading}"

    @cached_property
    def sentences(self) -> list[_Sentence]:
        """Its sentences; the heading is none of them."""
        return list(map(_Sentence.of, self._texts))

    @cached_property
    def heading(self) -> _Sentence:
        """Headline, outlet and day."""
        return _Sentence.of(self._heading)

    @cached_property
    def initials(self) -> dict[str, tuple[str, ...]]:
        """The acronyms that its names could have: ``{"nhs": (national, health, service)}``."""
        return _initials(self.text)

    def weight(self, words: Sequence[Token]) -> int:
        """How much of a statement its best sentences hold."""
        return _weight(words, _held(words, [self.sentences[place] for place in _choose(words, self.sentences)]))

    def proof(self, words: Sequence[Token]) -> list[Span]:
        """The spans of the one or two sentences that share most with a statement."""
        return [self.spans[place] for place in _choose(words, self.sentences)]


class _Model(NamedTuple):
    intercept: float
    weights: dict[str, float]
    reasons: dict[str, str]


@cache
def _model() -> _Model:
    fitted = json.loads(files("bot.generate").joinpath("support.json").read_text(encoding="utf-8"))
    weights = {name: float(count["weight"]) for name, count in fitted["counts"].items()}
    return _Model(float(fitted["intercept"]), weights, {name: count["why"] for name, count in fitted["counts"].items()})


def judge(claim: str, premises: Sequence[Premise], asked: Asked, planted: frozenset[str]) -> Judgement:
    """Judge whether premises support a claim."""
    if not planted.isdisjoint(stems(claim)):
        return Judgement(-math.inf, "it repeats what an article tells its reader to say")
    texts = [fold(premise.text) for premise in premises]
    if any(not any(address in text for text in texts) for address in _ADDRESS.findall(fold(claim))):
        return Judgement(-math.inf, "it has an address that the passage does not have")
    counts = edits(claim, premises, asked)
    model = _model()
    parts = {name: model.weights[name] * count for name, count in counts.items()}
    worst = min(parts, key=parts.__getitem__, default="put_in")
    logit = model.intercept + math.fsum(parts.values())
    return Judgement(logit, model.reasons[worst], logit < _NEAR_SHARE * model.intercept)


def edits(claim: str, premises: Sequence[Premise], asked: Asked = NOT_ASKED) -> dict[str, float]:
    """Count what was edited on the way from the premises to a claim: see `bot.generate.edit.count_edits`."""
    new = _without_acronyms(tokens(claim), premises, claim)
    pool = [sentence for premise in premises for sentence in premise.sentences]
    chosen = _choose(new, pool)
    near = [pool[place + step] for place in chosen for step in _NEIGHBOURS if 0 <= place + step < len(pool)]
    headings = [premise.heading for premise in premises]
    old = [token for place in chosen for token in pool[place].words]
    counts = count_edits(
        new,
        old,
        len(pool[chosen[0]].words) if len(chosen) > 1 else 0,
        lambda token: (
            token.key in asked.granted or _covers(token, headings) or (token.kind in _LOOSE and _covers(token, near))
        ),
        lambda token: _covers(token, pool),
    )
    matter = [token for token in new if token.kind != "function"]
    if len(_held(matter, [pool[place] for place in chosen])) < MIN_HELD_SHARE * len(matter):
        counts["foreign"] = 1.0
    if _is_fragment(claim, new):
        wanted = [token for token in asked.words if token.kind != "function"]
        held = _held(wanted, [*(pool[place] for place in chosen), *headings])
        if len(held) < _MIN_QUESTION_SHARE * len(wanted):
            counts["unasked"] = 1.0
    return counts


def _choose(words: Sequence[Token], pool: Sequence[_Sentence]) -> list[int]:
    """Choose the sentence that shares most with a statement, and a second if that adds much; in their order."""
    if not pool:
        return []
    held = [_held(words, [sentence]) for sentence in pool]
    best = max(range(len(pool)), key=lambda place: (_weight(words, held[place]), -len(pool[place].words)))
    added = [places - held[best] for places in held]
    second = max(range(len(pool)), key=lambda place: _weight(words, added[place]))
    weight = _weight(words, added[second])
    is_much = weight >= max(_MIN_SECOND_WEIGHT, _MIN_SECOND_SHARE * _weight(words, range(len(words))))
    if is_much and sum(words[i].kind == "content" for i in added[second]) >= _MIN_SECOND_WORDS:
        return sorted((best, second))
    return [best]


def _held(words: Sequence[Token], pool: Sequence[_Sentence]) -> set[int]:
    return {i for i, token in enumerate(words) if token.kind != "function" and _covers(token, pool)}


def _covers(token: Token, pool: Iterable[_Sentence]) -> bool:
    return any(
        token.key in sentence.covers
        or (token.kind == "name" and any(is_demonym(token.key, other.key) for other in sentence.words))
        for sentence in pool
    )


def _weight(words: Sequence[Token], places: Iterable[int]) -> int:
    """Weigh words: names, numbers and dates count twice."""
    return sum({"function": 0, "content": 1}.get(words[i].kind, 2) for i in places)


def _is_fragment(claim: str, words: Sequence[Token]) -> bool:
    size = sum(token.kind != "function" for token in words)
    return size <= 1 or (
        size <= _MAX_FRAGMENT_WORDS
        and not _PREDICATE.search(claim)
        and not any(token.word in lexicon().bases for token in words)
    )


def _without_acronyms(words: list[Token], premises: Sequence[Premise], claim: str) -> list[Token]:
    """Leave out names that the premises have as acronyms, or spell out."""
    known = {token.word for premise in premises for sentence in premise.sentences for token in sentence.words}
    short = {word for premise in premises for word in premise.initials}
    spelled = {word for acronym, run in _initials(claim).items() if acronym in known for word in run}
    is_known = {i for i, token in enumerate(words) if token.kind == "name" and token.word in short | spelled}
    return [
        token._replace(kind="function") if i in is_known and token.word not in known else token
        for i, token in enumerate(words)
    ]


def _initials(text: str) -> dict[str, tuple[str, ...]]:
    """Map every acronym that capitalised words in a row could have to them."""
    runs: list[list[str]] = [[]]
    for word, span in word_spans(text):
        if text[span.start].isupper():
            runs[-1].append(word)
        elif word not in ("of", "for", "the", "and", "de"):
            runs.append([])
    initials: dict[str, tuple[str, ...]] = {}
    for run in runs:
        for start in range(len(run)):
            for end in range(start + 2, min(len(run), start + _MAX_ACRONYM_WORDS) + 1):
                short = "".join(word[0] for word in run[start:end])
                initials["usa" if short == "us" else short] = tuple(run[start:end])
    return initials
