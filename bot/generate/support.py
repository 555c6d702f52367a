"""Does a passage support a statement? By certain rules, and then by a second reader.

Certain: a name, a number or a date that no cited passage has, another bound ("up to"), a web address, a word of planted
instructions (`index.reading.injection`). What passes is read together with the sentences that it rests on: the
embedding model with other weights of ours (support.npz) gives the log-odds that they support it. docs/reader.md: how it
was trained; docs/trust.md: how often it errs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from bot.generate.tokens import Token, tokens
from index.embedding.embed import PairModel
from index.models import Passage, Span
from index.reading.injection import blank_out, instruction_spans, is_instruction, unrelated_paragraphs
from index.text import fold, is_demonym, sentences, stems

MIN_LOGIT = -1.25  # of a statement that is shown; docs/trust.md: what it costs
NEAR_LOGIT = 4.0  # above the line, below which a statement is near it: a fifth of the true ones, half of the false
_MAX_STATEMENT_TOKENS, _MAX_PREMISE_TOKENS = 64, 220  # as in training
_MIN_SECOND_WORDS, _MIN_SECOND_WEIGHT, _MIN_SECOND_SHARE = 2, 3, 0.3  # that a second sentence must add
_MAX_FRAGMENT_WORDS = 4  # "100", "Ada Brunt": no statement without the question
_MIN_QUESTION_SHARE = 0.5  # of the question's words, in the sentences that a fragment stands in
_VAGUE = ("", "~")  # bounds that may stand for each other: "about 40", "40"
_ADDRESS = re.compile(r"\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b")
_PREDICATE = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|do|does|did|will|would|can|could|may|might|must|says?|\w{3,}ed|won|lost|made"
    r"|said|told|died|began|rose|fell|took|gave|went|came|left|met|held|found|got|saw|cut|hit|sank)\b|n't\b",
    re.IGNORECASE,
)
_SIGNS = {  # words that say what may be wrong; they decide nothing
    "cause": re.compile(
        r"\b(?:because|due to|caus\w+|result\w*|therefore|thus|thanks to|owing to|hence|reasons?|blam\w+)\b",
        re.IGNORECASE,
    ),
    "denial": re.compile(
        r"\b(?:not?|never|none|nobody|nothing|neither|nor|without|cannot|den(?:y|ie[ds])|refus\w+|fail\w*)\b|n['’]t\b",
        re.IGNORECASE,
    ),
    "plan": re.compile(
        r"\b(?:will|would|may|might|could|should|if|unless|likely|expect\w*|plan\w*|hop(?:e[sd]?|ing)|propos\w+|possibl[ey]"
        r"|probably|allege\w+|reportedly|suspect\w*|consider\w*|believ\w+)\b",
        re.IGNORECASE,
    ),
    "all": re.compile(r"\b(?:all|every\w*|always|whole|entire\w*|both|any)\b", re.IGNORECASE),
}
_REASONS = (  # the sign, whether it stands in the statement and in the passage, and what that may mean
    ("cause", (True, False), "it gives a cause that the passage does not give"),
    ("denial", (True, False), "it denies what the passage affirms"),
    ("denial", (False, True), "it affirms what the passage denies"),
    ("all", (True, False), "it says of all what the passage says of some"),
    ("plan", (False, True), "it tells as a fact what the passage tells as a plan, a possibility or a condition"),
)
_ACRONYM = re.compile(r"\b(?:[A-Z]\.){2,6}|\b[A-Z]{2,6}\b")
_OUTLET = (  # "On 5 January, Northern Post reported that …", "… (Northern Post)": the heading proves it
    r"\A\W*(?:(?:while|but|and) )?(?:on [\w ]{{3,30}}, )?(?:the )?{0} (?:report(?:ed|s)|sa(?:id|ys)|wr(?:ote|ites))"
    r"(?: on [\w ]{{3,30}}?)?(?: that)? |\s?\((?:the )?{0},?\s?\)"
)
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds"}
_AMOUNT = re.compile(r"([$€£])\s?(\d+(?:[.,]\d+)*(?:\s?(?:thousand|[mb]illion|trillion|[mb]n?|tn|k)\b)?)")
_PERCENT = re.compile(r"\s?%|\sper cent\b")
Supports = Callable[[str, str], float]
"""The log-odds that a premise supports a statement: (statement, premise)."""


class SupportReader:
    """Reads a statement with a premise. Safe to share between threads. Raises WeightsError."""

    def __init__(self, folder: Path) -> None:
        self._model = PairModel(folder, Path(str(files("bot.generate").joinpath("support.npz"))))

    def logit(self, statement: str, premise: str) -> float:
        """Return the log-odds that a premise supports a statement."""
        first, second = (text.ids for text in self._model.encode([statement, premise]))
        begin, _ = self._model.read(first[:_MAX_STATEMENT_TOKENS], second[:_MAX_PREMISE_TOKENS])
        return float((self._model.heads["support.weight"] @ begin + self._model.heads["support.bias"])[0])


class Judgement(NamedTuple):
    """How much speaks for a statement: its log-odds above the line; and what is wrong, in words for a user."""

    logit: float
    reason: str

    @property
    def supported(self) -> bool:
        """Whether it is shown."""
        return self.logit > 0

    @property
    def is_near_the_line(self) -> bool:
        """Whether it is shown, and only just."""
        return 0 < self.logit < NEAR_LOGIT


class _Sentence(NamedTuple):
    words: list[Token]
    keys: frozenset[str]

    @classmethod
    def of(cls, text: str) -> _Sentence:
        words = tokens(text)
        return cls(words, frozenset(token.key for token in words))


class Premise:
    """A passage as statements are checked against it: without planted instructions (:mod:`index.reading.injection`).

    ``planted`` holds the stemmed words of the sentences that instruct the reader.
    """

    def __init__(self, passage: Passage, question: str) -> None:
        self.passage = passage
        source = passage.source
        self.headline = "" if is_instruction(source.headline) else source.headline
        instructions = instruction_spans(passage.text)
        self.planted = frozenset(stems(" ".join(passage.text[start:end] for start, end in instructions)))
        text = blank_out(passage.text, instructions)
        text = blank_out(text, unrelated_paragraphs(text, f"{question} {self.headline}"))
        self.spans = sentences(text)
        self.texts = [text[start:end] for start, end in self.spans]
        day = f"{source.published:%A %d %B %Y}" if source.published else ""
        self._heading = f"{self.headline}. {source.outlet or ''}. {day}"
        self.text = f"{text}\n\n{self._heading}"

    @cached_property
    def sentences(self) -> list[_Sentence]:
        """Its sentences; the heading is none of them."""
        return list(map(_Sentence.of, self.texts))

    @cached_property
    def heading(self) -> _Sentence:
        """Headline, outlet and day."""
        return _Sentence.of(self._heading)

    def weight(self, words: Sequence[Token]) -> int:
        """How much of a statement its best sentences hold."""
        return _weight(words, _held(words, [self.sentences[place] for place in _choose(words, self.sentences)]))

    def proof(self, words: Sequence[Token]) -> list[Span]:
        """The spans of the one or two sentences that share most with a statement."""
        return [self.spans[place] for place in _choose(words, self.sentences)]


def judge(
    claim: str, premises: Sequence[Premise], question: str, planted: frozenset[str], supports: Supports
) -> Judgement:
    """Judge whether premises support a claim."""
    if not planted.isdisjoint(stems(claim)):
        return Judgement(-math.inf, "it repeats what an article tells its reader to say")
    claim = _as_written(claim, premises)
    words = tokens(claim)
    pool = [(premise, place) for premise in premises for place in range(len(premise.texts))]
    chosen = _choose(words, [premise.sentences[place] for premise, place in pool])
    rests_on = [pool[place][0].sentences[pool[place][1]] for place in chosen]
    if fault := next(_certain_faults(claim, words, premises, rests_on, question), None):
        return Judgement(-math.inf, fault)
    text = _evidence(pool, chosen)
    for token in reversed(words):  # the reader knows few forms of a number
        same = [other for sentence in rests_on for other in sentence.words if other.written and _is_same(token, other)]
        if same and all(other.written != token.written for other in same):
            claim = f"{claim[: token.span.start]}{same[0].written}{claim[token.span.end :]}"
    # A fragment answers the question: in this form the reader has seen answers.
    statement = f"{question.rstrip(' ?')}? {claim}" if _is_fragment(claim, words) else claim
    return Judgement(supports(_plain(statement), _plain(text)) - MIN_LOGIT, _reason(claim, text))


def _certain_faults(
    claim: str, words: Sequence[Token], premises: Sequence[Premise], rests_on: Sequence[_Sentence], question: str
) -> Iterator[str]:
    """Yield what is wrong with a claim for certain; ``rests_on``: the sentences that share most with it."""
    texts = [fold(premise.text) for premise in premises]
    if any(not any(address in text for text in texts) for address in _ADDRESS.findall(fold(claim))):
        yield "it has an address that the passage does not have"
    headings = [premise.heading for premise in premises]
    every = [*headings, *(sentence for premise in premises for sentence in premise.sentences)]
    if not all(_covers(token, every) for token in words if token.kind == "name"):
        yield "it has a name that the passage does not have"
    for token in words:
        if token.kind in ("number", "exact"):
            near, anywhere = (
                [other for sentence in pool for other in sentence.words if _is_same(token, other)]
                for pool in (rests_on, every)
            )
            if not anywhere:
                yield "it has a number or a date that the passage does not have"
            bounds = {other.bound for other in near or anywhere}
            if token.bound not in bounds and (token.bound not in _VAGUE or bounds.isdisjoint(_VAGUE)):
                yield "its number has another bound than the passage gives, such as “up to” or “at least”"
    if not _held(words, rests_on):  # the reader would read any sentence
        yield "its words are not in the passage"
    wanted = [token for token in tokens(question) if token.kind != "function"]
    if _is_fragment(claim, words) and len(_held(wanted, [*rests_on, *headings])) < _MIN_QUESTION_SHARE * len(wanted):
        yield "it is no sentence, and the passage does not say that it answers the question"


def _as_written(claim: str, premises: Sequence[Premise]) -> str:
    """A claim without the name of an outlet that it is ascribed to, its acronyms and full names as in the premises."""
    for outlet in {re.escape(premise.passage.source.outlet) for premise in premises if premise.passage.source.outlet}:
        claim = re.sub(_OUTLET.format(outlet), "", claim, flags=re.IGNORECASE)
    text = " ".join(premise.text for premise in premises)
    known, new = (set(_ACRONYM.findall(part)) for part in (text, claim))
    for acronym in sorted(known ^ new):
        full = re.compile(r"\b" + r"\w{2,}\s(?:(?:of|for|the|and|de)\s)?".join(acronym.replace(".", "")) + r"\w{2,}\b")
        if acronym in known:
            claim = full.sub(acronym, claim)
        elif match := full.search(text):
            claim = re.sub(rf"\b{re.escape(acronym)}(?!\w)", match[0], claim)
    return claim


def _plain(text: str) -> str:
    """Write a text as the reader reads it best: ``"£22m, 5%" -> "22m pounds, 5 percent"``."""
    text = _AMOUNT.sub(lambda match: f"{match[2]} {_CURRENCIES[match[1]]}", text)
    return fold(_PERCENT.sub(" percent", text))


def _evidence(pool: Sequence[tuple[Premise, int]], chosen: Sequence[int]) -> str:
    """The headline, and the chosen sentences, each behind that before it: "He" is in it."""
    places = dict.fromkeys(
        pool[place + step]
        for place in chosen
        for step in (-1, 0)
        if place + step >= 0 and pool[place + step][0] is pool[place][0]
    )
    headline = pool[chosen[0]][0].headline.rstrip(".") if chosen else ""
    return " ".join([*([f"{headline}."] if headline else []), *(premise.texts[place] for premise, place in places)])


def _is_same(token: Token, other: Token) -> bool:
    is_unit = not token.unit or not other.unit or token.unit == other.unit
    return (token.key, token.kind) == (other.key, other.kind) and is_unit


def _reason(claim: str, text: str) -> str:
    """What may be wrong with a claim that the reader does not accept, by its words."""
    has = {name: (bool(words.search(claim)), bool(words.search(text))) for name, words in _SIGNS.items()}
    return next((why for name, pair, why in _REASONS if has[name] == pair), "the passage does not say it so")


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
        token.key in sentence.keys
        or (token.kind == "name" and any(is_demonym(token.key, other) for other in sentence.keys))
        for sentence in pool
    )


def _weight(words: Sequence[Token], places: Iterable[int]) -> int:
    """Weigh words: names, numbers and dates count twice."""
    return sum({"function": 0, "content": 1}.get(words[i].kind, 2) for i in places)


def _is_fragment(claim: str, words: Sequence[Token]) -> bool:
    size = sum(token.kind != "function" for token in words)
    return size <= 1 or (size <= _MAX_FRAGMENT_WORDS and not _PREDICATE.search(claim))
