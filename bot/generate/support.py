"""Does a passage support a claim? By its words alone: a check and no proof, blind to swapped names and to synonyms.

The cited passages, with headline, outlet and date, must hold

- the figures, right before the mark of the passage, with sign, unit, and "more than" or "nearly" if the claim has it;
- the names, or their demonyms or acronyms, unless the question names them and any passage holds them;
- 54 % of the content words, in three sentences in a row; none that only planted instructions have (`index.injection`);
- the web addresses; and no contradiction: a word that one side only affirms and the other denies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from typing import NamedTuple

from bot.query.numbers import unit_of
from index.injection import blank_out, instruction_spans, is_instruction, unrelated_paragraphs
from index.models import Passage, Span
from index.text import (
    CALENDAR_NAMES,
    STOP_WORDS,
    figure_spans,
    fold,
    is_demonym,
    names,
    sentences,
    stem,
    stems,
    word_spans,
    words,
)


@dataclass(frozen=True, slots=True)
class SupportThresholds:
    """When words count as support.

    ``min_covered_share`` and ``window_sentences`` were chosen on AttributionBench (2026-11-21; macro-F1 .69 and .80 on
    its two halves; that script is not kept). The others were set by hand, on no data.
    """

    min_covered_share: float  # of a sentence's content words, in the best window of the cited passages
    window_sentences: int  # in a row
    min_premise_share: float  # of the words that the best cited passage covers; one that covers fewer is not cited
    figure_weight: float  # of a shared figure in the choice of the sentence that is quoted; a shared word weighs 1


TUNED = SupportThresholds(min_covered_share=0.54, window_sentences=3, min_premise_share=0.5, figure_weight=2)

# Words of reporting, which a claim about a passage may add to it.
_REPORTING = frozenset(map(stem, "according article add passage report say said source state write told tell".split()))
_CALENDAR = {stem(name[:3]): stem(name) for name in CALENDAR_NAMES} | {
    stem(short): stem(name)
    for short, name in {"sept": "september", "tues": "tuesday", "thur": "thursday", "thurs": "thursday"}.items()
}
_HONORIFICS = frozenset("mr mrs ms miss dr sir lord lady".split())
# Capitalised words that begin a sentence and are no names.
_OPENERS = frozenset(
    """according additionally although another anyone articles authorities because besides both despite earlier
    everyone experts finally first four however instead investigators it's last later local many meanwhile nearly new
    nobody none officials one others people police previously reports researchers residents scientists second several
    since someone sources still that's there's therefore though three thus today two unlike whereas while witnesses
    yes yesterday yet""".split()
)
_NEGATIONS = frozenset("not no never none nobody neither nor without cannot".split())
_NOT_NEGATED = frozenset("only just merely".split())
_LOWER_BOUND = re.compile(r"\b(?:more than|over|at least|above|exceed\w*|upwards? of)\W*\Z", re.IGNORECASE)
_UPPER_BOUND = re.compile(r"\b(?:less than|fewer than|nearly|almost|under|below|up to|at most)\W*\Z", re.IGNORECASE)
_MAX_BOUND_CHARACTERS = 20
_MAX_ACRONYM_WORDS = 6
_ADDRESS = re.compile(r"\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b")


class Polarity(NamedTuple):
    """The content words that a text affirms and denies, stemmed."""

    affirmed: set[str]  # no negation stands right before them
    denied: set[tuple[str, str]]  # the word right after a negation, and the one after it in the sentence ("": none)
    near_negation: set[str]  # the three words after a negation


class _Figure(NamedTuple):
    """A number with its sign, ">" or "<" for "more than" or "nearly", and its unit, if any."""

    value: str
    bound: str
    unit: str


class Premise:
    """A passage as claims are checked against it: without planted instructions (:mod:`index.injection`).

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
        self._spans = sentences(text)
        self._sentences = [frozenset(stems(text[start:end])) for start, end in self._spans]
        day = f"{source.published:%A %d %B %Y} {source.published:%b} {source.published.day}" if source.published else ""
        heading = f"{headline}. {source.outlet or ''}. {source.byline or ''}. {day}"
        self._heading = frozenset(stems(heading)) | _REPORTING
        self.text = f"{text}\n\n{heading}"

    def covered_words(self, claim: str) -> frozenset[str]:
        """Return the content words of a claim that the best window of sentences or the article's heading holds."""
        wanted, size = content_words(claim), TUNED.window_sentences
        starts = range(max(1, len(self._sentences) - size + 1))
        windows = [frozenset().union(*self._sentences[start : start + size]) for start in starts]
        return wanted & (self._heading | max(windows, key=lambda window: len(wanted & window)))

    def best_sentence(self, claim: str) -> Span | None:
        """Return the sentence that shares most with a claim; words weigh more if few sentences have them."""
        wanted, wanted_figures = frozenset(stems(claim)), dict(figure_spans(claim)).keys()

        def weight(position: int) -> float:
            shared = wanted & self._sentences[position]
            rarity = sum(1 / sum(word in sentence for sentence in self._sentences) for word in shared)
            start, end = self._spans[position]
            shared_figures = wanted_figures & dict(figure_spans(self.passage.text[start:end])).keys()
            return len(shared) + rarity + TUNED.figure_weight * len(shared_figures)

        best = max(range(len(self._spans)), key=weight, default=None)
        return None if best is None else self._spans[best]

    @cached_property
    def figures(self) -> frozenset[_Figure]:
        """Figures, each without and with its bound: ("100", "", "km") and ("100", "<", "km") for "nearly 100 km"."""
        bounded = _bounded_figures(self.text)
        return frozenset(bounded) | {figure._replace(bound="") for figure in bounded}

    @cached_property
    def units(self) -> frozenset[str]:
        """The units of its figures."""
        return frozenset(figure.unit for figure in self.figures)

    @cached_property
    def keys(self) -> frozenset[str]:
        """All words, as names are compared."""
        return frozenset(map(_key, words(self.text)))

    @cached_property
    def initials(self) -> frozenset[str]:
        """Acronyms that its names could have: "nhs" for National Health Service."""
        return frozenset(_initials(self.text))

    @cached_property
    def acronyms(self) -> frozenset[str]:
        """Words in capitals, folded."""
        raw = ((word, self.text[span.start : span.end].replace(".", "")) for word, span in word_spans(self.text))
        return frozenset(word for word, bare in raw if len(bare) > 1 and bare.isalpha() and bare.isupper())

    @cached_property
    def polarity(self) -> Polarity:
        """What it affirms and denies."""
        return _polarity(self.text)


def is_supported(
    sentence: str, claims: Sequence[tuple[str, Sequence[Premise]]], granted: frozenset[str], planted: frozenset[str]
) -> bool:
    """Whether the premises support a sentence, whose ``claims`` are its parts with the premises cited for each.

    ``granted`` names need no support (:func:`question_names`); a sentence with a ``planted`` word has none.
    """
    premises = list(dict.fromkeys(premise for _, cited in claims for premise in cited))
    wanted = content_words(sentence)
    covered = frozenset().union(*(premise.covered_words(sentence) for premise in premises))
    return (
        len(covered) >= TUNED.min_covered_share * len(wanted)
        and all(_has_figures(claim, cited) for claim, cited in claims)
        and _has_names(sentence, premises, granted)
        and not wanted & planted
        and _has_addresses(sentence, premises)
        and not _contradicts(sentence, premises)
    )


def content_words(claim: str) -> frozenset[str]:
    """Return the stemmed content words, without words of reporting and figures (which are checked apart).

    ``"Police said 12 had died" -> {polic, die}``, but ``"12" -> {12}``
    """
    bare = claim
    for _, (start, end) in reversed(figure_spans(claim)):
        bare = bare[:start] + " " + bare[end:]
    return (frozenset(stems(bare)) - _REPORTING) or (frozenset(stems(claim)) - _REPORTING)


def question_names(question: str, premises: Sequence[Premise]) -> frozenset[str]:
    """Return the words of a question that a premise holds: a claim may name these whatever it cites."""
    return frozenset(map(_key, words(question))) & frozenset().union(*(premise.keys for premise in premises))


def _has_figures(claim: str, premises: Sequence[Premise]) -> bool:
    """Whether the premises hold every figure, with its unit, and "more than" or "nearly" if the claim has it."""
    return all(any(_has_figure(figure, premise) for premise in premises) for figure in _bounded_figures(claim))


def _has_figure(figure: _Figure, premise: Premise) -> bool:
    """As `_has_figures`; "from four to five euros" has a four without its unit, and a claim may leave a unit out."""
    if figure in premise.figures:
        return True
    if figure.unit:
        return figure._replace(unit="") in premise.figures and figure.unit in premise.units
    return any((figure.value, figure.bound) == known[:2] for known in premise.figures)


def _has_names(sentence: str, premises: Sequence[Premise], granted: frozenset[str]) -> bool:
    """Whether the premises hold every name that is not granted: itself, its demonym, acronym or long form."""
    keys = frozenset().union(*(premise.keys for premise in premises)) | granted
    initials = frozenset().union(*(premise.initials for premise in premises))
    acronyms = frozenset().union(*(premise.acronyms for premise in premises))
    spelled = {word for short, run in _initials(sentence).items() if short in acronyms for word in run}
    return all(
        word in spelled or word in initials or _key(word) in keys or any(is_demonym(_key(word), key) for key in keys)
        for word in _names(sentence)
    )


def _has_addresses(sentence: str, premises: Sequence[Premise]) -> bool:
    """Whether the premises hold every web address that is written without its "http://"."""
    texts = [fold(premise.text) for premise in premises]
    return all(any(address in text for text in texts) for address in _ADDRESS.findall(fold(sentence)))


def _contradicts(sentence: str, premises: Sequence[Premise]) -> bool:
    """Whether the sentence denies a word that the premises only affirm, or affirms one that they only deny.

    "He had reported the storm" against "he had not reported the storm". Blind to "failed to" and all without a "not".
    """
    claimed = _polarity(sentence)
    affirmed = frozenset().union(*(premise.polarity.affirmed for premise in premises))
    near = frozenset().union(*(premise.polarity.near_negation for premise in premises))
    if {word for word, _ in claimed.denied} & affirmed - near:
        return True
    denied = {pair for premise in premises for pair in premise.polarity.denied if pair[0] not in affirmed}
    certain = claimed.affirmed - claimed.near_negation
    return any(word in certain and after in claimed.affirmed | {""} for word, after in denied)


def _polarity(text: str) -> Polarity:
    polarity = Polarity(set(), set(), set())
    for start, end in sentences(text):
        clauses: list[tuple[bool, list[str]]] = [(False, [])]  # negated, content words: a new one at each negation
        for word, following in pairwise([*words(text[start:end]), ""]):
            if word in _NEGATIONS or word.endswith("n't"):
                clauses.append((following not in _NOT_NEGATED, []))
            elif word not in STOP_WORDS and word != "one":
                clauses[-1][1].append(stem(word))
        for negated, clause in clauses:
            polarity.affirmed.update(clause[negated:])  # all but the word right after a negation
            if negated:
                polarity.denied.update(islice(pairwise([*clause, ""]), 1))
                polarity.near_negation.update(clause[:3])
    return polarity


def _names(sentence: str) -> list[str]:
    """Return the names of a sentence, and its first word unless it is known to be a plain one."""
    found = [word for word in names(sentence) if word not in _HONORIFICS]
    spans = word_spans(sentence)
    if spans and sentence[spans[0][1].start].isupper():
        first = spans[0][0]
        if first not in STOP_WORDS | _OPENERS | _HONORIFICS and not first.endswith(("ly", "ing")):
            found.append(first)
    return found


def _key(word: str) -> str:
    """Return a word as names are compared: stemmed, months and days in full."""
    stemmed = stem(word)
    return _CALENDAR.get(stemmed, stemmed)


def _initials(text: str) -> dict[str, tuple[str, ...]]:
    """Map every acronym that capitalised words in a row could have to them: ``{"nhs": (national, health, …)}``."""
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


def _bounded_figures(text: str) -> list[_Figure]:
    """Return each figure with ">" after "more than" and its like, "<" after "nearly" and its like, else ""."""
    bounded = []
    for value, span in figure_spans(text):
        before = text[max(0, span.start - _MAX_BOUND_CHARACTERS) : span.start]
        bound = ">" if _LOWER_BOUND.search(before) else "<" if _UPPER_BOUND.search(before) else ""
        bounded.append(_Figure(value, bound, unit_of(text, span)))
    return bounded
