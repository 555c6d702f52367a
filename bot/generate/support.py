"""Does a passage support a claim? By its words alone, so it is a check and not a proof: see `bot.generate.verify`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise

from index.injection import blank_out, instruction_spans, is_instruction, unrelated_paragraphs
from index.models import Passage, Span
from index.text import (
    STOP_WORDS,
    figure_spans,
    figures,
    fold,
    is_demonym,
    names,
    sentences,
    stem,
    stems,
    word_spans,
    words,
)

COVERAGE = 0.54
"""The share of a statement's content words that three sentences of a passage must hold (chosen on AttributionBench)."""

# Words of telling, which a statement about a passage may add to it.
_TELLING = frozenset(map(stem, "according article add passage report say said source state write told tell".split()))
_SHORT = "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun".split()
_LONG = (
    "january february march april june july august september september october november december "
    "monday tuesday tuesday wednesday thursday thursday thursday friday saturday sunday"
).split()
_CALENDAR = {stem(short): stem(full) for short, full in zip(_SHORT, _LONG, strict=True)}
_HONORIFICS = frozenset("mr mrs ms miss dr sir lord lady".split())
# Capitalised words that begin a sentence and are no names.
_OPENERS = frozenset(
    """according additionally although another anyone articles authorities because besides both despite earlier
    everyone experts finally first four however instead investigators it's last later local many meanwhile nearly new
    nobody none officials one others people police previously reports researchers residents scientists second several
    since someone sources still that's there's therefore though three thus today two unlike whereas while witnesses
    yes yesterday yet""".split()
)
_NEGATION = frozenset("not no never none nobody neither nor without cannot".split())
_NOT_NEGATED = frozenset("only just merely".split())
_UP = re.compile(r"\b(?:more than|over|at least|above|exceed\w*|upwards? of)\W*\Z", re.IGNORECASE)
_DOWN = re.compile(r"\b(?:less than|fewer than|nearly|almost|under|below|up to|at most)\W*\Z", re.IGNORECASE)
_QUALIFIER_LENGTH = 20
_ACRONYM_LENGTH = 6
_ADDRESS = re.compile(r"\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b")


class Premise:
    """A passage, read for checking statements against it, without what is planted in it (:mod:`index.injection`).

    ``orders`` are the stemmed words of the sentences that give orders.
    """

    def __init__(self, passage: Passage, question: str) -> None:
        self.passage = passage
        source = passage.source
        headline = "" if is_instruction(source.headline) else source.headline
        orders = instruction_spans(passage.text)
        self.orders = frozenset(stems(" ".join(passage.text[start:end] for start, end in orders)))
        text = blank_out(passage.text, orders)
        text = blank_out(text, unrelated_paragraphs(text, f"{question} {headline}"))
        self.spans = sentences(text)
        self._sentences = [frozenset(stems(text[start:end])) for start, end in self.spans]
        day = f"{source.published:%A %d %B %Y} {source.published:%b} {source.published.day}" if source.published else ""
        about = f"{headline}. {source.outlet or ''}. {source.byline or ''}. {day}"
        self.everything = f"{text}\n\n{about}"
        self._about = frozenset(stems(about)) | _TELLING

    def coverage(self, statement: str) -> frozenset[str]:
        """The content words of a statement that the best three sentences in a row, or the article's heading, hold."""
        wanted = content(statement)
        windows = [frozenset().union(*self._sentences[i : i + 3]) for i in range(max(1, len(self.spans) - 2))]
        return wanted & (self._about | max(windows, key=lambda window: len(wanted & window), default=frozenset()))

    def best_sentence(self, statement: str) -> Span | None:
        """The sentence of the passage that says most of a statement: figures count most, words found rarely more."""
        wanted = frozenset(stems(statement))
        counted = frozenset(figures(statement))

        def weight(position: int) -> float:
            shared = wanted & self._sentences[position]
            rare = sum(1 / sum(word in sentence for sentence in self._sentences) for word in shared)
            start, end = self.spans[position]
            return len(shared) + rare + 2 * len(counted & frozenset(figures(self.passage.text[start:end])))

        best = max(range(len(self.spans)), key=weight, default=None)
        return None if best is None else self.spans[best]

    @cached_property
    def figures(self) -> frozenset[tuple[str, str]]:
        """The figures of the passage, each as it is and with the word that bounds it: ("100", "<") for "nearly 100"."""
        found = _bounded_figures(self.everything)
        return frozenset(found) | {(value, "") for value, _ in found}

    @cached_property
    def keys(self) -> frozenset[str]:
        """The words of the passage, its headline and outlet, as names are compared."""
        return frozenset(map(_key, words(self.everything)))

    @cached_property
    def initials(self) -> frozenset[str]:
        """What the names of the passage shorten to: "nhs" where it says National Health Service."""
        return frozenset(_initials(self.everything))

    @cached_property
    def polarity(self) -> _Polarity:
        """What the passage affirms and denies."""
        return _Polarity(self.everything)

    @cached_property
    def acronyms(self) -> frozenset[str]:
        """What the passage writes in capitals, folded."""
        spans = word_spans(self.everything)
        return frozenset(word for word, span in spans if _is_acronym(self.everything[span.start : span.end]))


def content(statement: str) -> frozenset[str]:
    """The content words of a statement, stemmed, without words of telling and figures (which are checked apart).

    ``"Police said 12 had died" -> {polic, die}``, but ``"12" -> {12}``
    """
    bare = statement
    for _, (start, end) in reversed(figure_spans(statement)):
        bare = bare[:start] + " " + bare[end:]
    return (frozenset(stems(bare)) - _TELLING) or (frozenset(stems(statement)) - _TELLING)


def figures_held(statement: str, evidence: Sequence[Premise]) -> bool:
    """Whether the passages hold every figure, and "more than" or "nearly" where the statement says it."""
    return all(any(figure in one.figures for one in evidence) for figure in _bounded_figures(statement))


def names_held(statement: str, evidence: Sequence[Premise], granted: frozenset[str]) -> bool:
    """Whether the passages hold every name (``granted`` apart): itself, its demonym, its acronym or what that means."""
    keys = frozenset().union(*(one.keys for one in evidence)) | granted
    initials = frozenset().union(*(one.initials for one in evidence))
    acronyms = frozenset().union(*(one.acronyms for one in evidence))
    spelled = {word for short, parts in _initials(statement).items() if short in acronyms for word in parts}
    return all(
        word in spelled or word in initials or _key(word) in keys or any(is_demonym(_key(word), key) for key in keys)
        for word in _names(statement)
    )


def question_names(question: str, evidence: Iterable[Premise]) -> frozenset[str]:
    """The words of the question that one of the passages holds: a statement may name these without proof."""
    return frozenset(map(_key, words(question))) & frozenset().union(*(one.keys for one in evidence))


def addresses_held(statement: str, evidence: Sequence[Premise]) -> bool:
    """Whether every web address that was written without its "http://" stands in a passage."""
    texts = [fold(one.everything) for one in evidence]
    return all(any(found in text for text in texts) for found in _ADDRESS.findall(fold(statement)))


def contradicts(statement: str, evidence: Sequence[Premise]) -> bool:
    """Whether a word is denied in the statement and nowhere in the passages, or the other way round.

    "He had reported the storm" against "he had not reported the storm". Blind to "failed to" and all without a "not".
    """
    here = _Polarity(statement)
    there = [one.polarity for one in evidence]
    affirmed = frozenset().union(*(one.said for one in there))
    near = frozenset().union(*(one.near for one in there))
    if {word for word, _ in here.denied} & affirmed - near:
        return True
    denied = {(word, after) for one in there for word, after in one.denied if word not in affirmed}
    return any(word in here.said - here.near and after in here.said | {""} for word, after in denied)


class _Polarity:
    """What a text affirms and denies, by its content words.

    ``said``: the words that no "not" stands right before. ``denied``: the word right after a "not", and the one after
    it in the sentence (""). ``near``: the three after a "not".
    """

    def __init__(self, text: str) -> None:
        self.said: set[str] = set()
        self.denied: set[tuple[str, str]] = set()
        self.near: set[str] = set()
        for start, end in sentences(text):
            self._read(words(text[start:end]))

    def _read(self, sentence: list[str]) -> None:
        after: list[str] | None = None  # the content words since the last "not"
        for word, following in pairwise([*sentence, ""]):
            if word in _NEGATION or word.endswith("n't"):
                self._deny(after)
                after = None if following in _NOT_NEGATED else []
            elif word not in STOP_WORDS and word != "one":
                if after != []:
                    self.said.add(stem(word))
                if after is not None:
                    after.append(stem(word))
        self._deny(after)

    def _deny(self, after: list[str] | None) -> None:
        if after:
            self.denied.add((after[0], after[1] if len(after) > 1 else ""))
            self.near.update(after[:3])


def _names(statement: str) -> list[str]:
    """The names of a statement, and its first word where nothing says that it is a plain one."""
    found = [word for word in names(statement) if word not in _HONORIFICS]
    spans = word_spans(statement)
    if spans and statement[spans[0][1].start].isupper():
        first = spans[0][0]
        if first not in STOP_WORDS | _OPENERS | _HONORIFICS and not first.endswith(("ly", "ing")):
            found.append(first)
    return found


def _key(word: str) -> str:
    """A word as names are compared: its stem, months and days in full."""
    stemmed = stem(word)
    return _CALENDAR.get(stemmed, stemmed)


def _is_acronym(raw: str) -> bool:
    bare = raw.replace(".", "")
    return len(bare) > 1 and bare.isalpha() and bare.isupper()


def _initials(text: str) -> dict[str, tuple[str, ...]]:
    """Every acronym that capitalised words in a row could have, with the words: ``{"nhs": (national, health, …)}``."""
    runs: list[list[str]] = [[]]
    for word, span in word_spans(text):
        if text[span.start].isupper():
            runs[-1].append(word)
        elif word not in ("of", "for", "the", "and", "de"):
            runs.append([])
    found: dict[str, tuple[str, ...]] = {}
    for run in runs:
        for start in range(len(run)):
            for end in range(start + 2, min(len(run), start + _ACRONYM_LENGTH) + 1):
                short = "".join(word[0] for word in run[start:end])
                found["usa" if short == "us" else short] = tuple(run[start:end])
    return found


def _bounded_figures(text: str) -> list[tuple[str, str]]:
    """Each figure with ">" after "more than" and its like, "<" after "nearly" and its like, else ""."""
    found = []
    for value, span in figure_spans(text):
        before = text[max(0, span.start - _QUALIFIER_LENGTH) : span.start]
        found.append((value, ">" if _UP.search(before) else "<" if _DOWN.search(before) else ""))
    return found
