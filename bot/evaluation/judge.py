"""Whether an answer is right, by its words and citations alone: what it lacks, and what it says wrongly."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from bot.evaluation.questions import KnownQuestion
from bot.models import Answer
from index.cleaning.published import DATE
from index.text import figures, fold

_MARK = re.compile(r"\s*\[(\d+)\]")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "‘’“”")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_DATE = re.compile(DATE)
# Beside those that `figures` reads.
_COUNT_WORDS: dict[float, tuple[str, ...]] = {0: ("no", "none", "nothing", "nobody"), 1: ("one", "single")}


def answer_text(answer: Answer) -> str:
    """Return the text of an answer without citation marks; "" for a refusal."""
    return _MARK.sub(" ", answer.text) if answer.answered else ""


def normalize_answer(text: str) -> str:
    """Normalize as SQuAD does (Rajpurkar et al., 2016), and typographic quotes: ``"The U.S.  “Army”" -> "us army"``."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def contains(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase on word boundaries, both normalized; False if nothing is left of the phrase."""
    return _end_of(normalize_answer(phrase), normalize_answer(text), 0) is not None


def contains_any(text: str, alternatives: str) -> bool:
    """Whether a text holds any of some phrases, compared without accents: ``"Reuters|the agency"``."""
    return any(contains(fold(text), fold(phrase)) for phrase in alternatives.split("|"))


def faults(expected: KnownQuestion, answer: Answer) -> Iterator[str]:
    """Say why an answer to a strict question is not right; nothing if it is."""
    if expected.is_chitchat or not expected.has_answer:
        if answer.citations:
            yield "it cites an article"
        if expected.is_chitchat and (answer.refusal or not answer.text.strip()):
            yield "it is a refusal"
        elif not expected.is_chitchat and answer.answered:
            yield "it is no refusal"
        return
    if not answer.answered:
        yield "it is no answer"
        return
    text = answer_text(answer)
    yield from _missing(expected, text)
    yield from (f"it says {wrong}" for wrong in expected.wrong or () if contains_any(text, wrong))
    if expected.count is not None and not _states(text, expected.count):
        yield f"it does not say {expected.count:g}"
    first = re.search(r"\w+", fold(text))
    if expected.verdict and (not first or first.group() != expected.verdict):
        yield f"its first word is not {expected.verdict.capitalize()}"
    if expected.speaker and not contains_any(text, expected.speaker):
        yield f"the speaker is not {expected.speaker}"
    cited = {citation.source.id for citation in answer.citations}
    if expected.relevant and cited.isdisjoint(expected.relevant):
        yield "it cites no relevant article"


def _missing(expected: KnownQuestion, text: str) -> Iterator[str]:
    """Say which answers are not in a text, or not in their order."""
    if not (expected.every_answer or expected.ordered):
        if expected.answers and not any(contains_any(text, phrase) for phrase in expected.answers):
            yield f"it lacks {' or '.join(expected.answers)}"
        return
    missing = [phrase for phrase in expected.answers if not contains_any(text, phrase)]
    yield from (f"it lacks {phrase}" for phrase in missing)
    if expected.ordered and not missing and not _in_order(text, expected.answers):
        yield f"its order is not {', '.join(expected.answers)}"


def _in_order(text: str, members: tuple[str, ...]) -> bool:
    """Whether members stand in a text one after another; the earliest place of a member leaves most to the next."""
    text, position = normalize_answer(fold(text)), 0
    for member in members:
        ends = (_end_of(normalize_answer(fold(phrase)), text, position) for phrase in member.split("|"))
        known = [end for end in ends if end is not None]
        if not known:
            return False
        position = min(known)
    return True


def _end_of(phrase: str, text: str, start: int) -> int | None:
    """Find where the first occurrence of a phrase after ``start`` ends, both normalized."""
    match = re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)").search(text, start) if phrase else None
    return match.end() if match else None


def _states(text: str, count: float) -> bool:
    """Whether a text states a number, as digits or in words; the numbers of a whole date do not count."""
    text = _DATE.sub(" ", text)
    return count in map(float, figures(text)) or any(contains(text, word) for word in _COUNT_WORDS.get(count, ()))
