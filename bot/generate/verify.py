"""A language model's draft, checked sentence by sentence as it streams -> text with citations that hold to the letter.

The rule. Of a draft a reader sees only sentences that the passages support, all others are dropped: a wrong
statement is worse than none.

1. An ``[n]`` that names no passage is removed. ``[1, 2]``, ``[1-3]``, ``[1][2]``, ``[Passage 1]``, ``【1】``, ``^1``
   and a closing ``(1)`` are read as marks too, before the full stop or after it.
2. A sentence is kept if the passages that it cites support it:

   - every figure stands in the passages cited right after it, with "more than" or "nearly" where the sentence says so;
   - every name stands in a cited passage, its headline, outlet or date (or in the question, where any passage has it);
     demonyms and acronyms count as the name; a first word in capitals is a name unless it is known to be none;
   - at least 54 % of its content words, stemmed, stand in the best three sentences in a row of the cited passages;
   - it denies nothing that they only affirm, and affirms nothing that they only deny;
   - none of this counts what is planted in a passage for its reader to obey (`index.injection`), and no word is
     taken from it.
3. A sentence without a mark is tried against each passage alone, and gets the mark of the one that supports it best.
4. "Yes." and the like wait for the sentence after them, and share its fate. Headings, questions, remarks that the
   passages do not say, repetitions and a list of sources at the end are never shown.
5. Each mark that is left gets the sentence of its passage that supports the statement best. Marks of passages that hold
   less than half of what the best one holds go. One number per quoted sentence, in reading order from 1.

The check goes by words. It cannot see that two names have changed places, and it knows no synonyms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.generate.draft import MARK, SentenceReader, Written
from bot.generate.support import (
    COVERAGE,
    Premise,
    addresses_held,
    content,
    contradicts,
    figures_held,
    names_held,
    question_names,
)
from bot.models import Citation
from index.models import Passage
from index.text import fold, stems, words

MAX_TEXT = 2_000
"""Characters of the text of an answer; sentences that go beyond it are dropped."""

NOTHING = "NOT IN THE ARTICLES"
"""What the model is asked to reply where the passages do not say."""

_SAYS_NOTHING = re.compile(
    r"\b(?:passages?|(?:the|these|given|provided|your) (?:\w+ )?(?:articles?|contexts?|texts?|sources|information))\b"
    r".{0,40}\b(?:not|no|none|never|fails?|\w+n['’]t)\b.{0,60}"
    r"\b(?:say|mention\w*|state|specif\w+|contain\w*|provid\w+|includ\w+|information|answer\w*|address\w*|give|given|tell)\b"
    r"|\b(?:cannot|can't|unable to) (?:\w+ )?answer\b|\bnot enough information\b",
    re.IGNORECASE,
)
_LIST_OF_SOURCES = re.compile(r"\W*(?:sources?|references?|citations?|notes?)\W*", re.IGNORECASE)
_BULLET = re.compile(r"(?:[-*•+–]|\d{1,2}[.)])\s+")
_HEADING = re.compile(r"#{1,6}\s|.*:\W*$")
_YES_OR_NO = frozenset("yes no correct indeed sure certainly okay ok true false right well exactly".split())
_CLOSING_MARK = re.compile(r"\s?\((\d{1,2})\)(?=[\s.!?…\"'”’]*$)")
_MARK_WORDS = re.compile(r"\b(?:(?:passage|source|article|citation|ref|document|doc|no)s?|n)\b\.?|[#^]", re.IGNORECASE)
_MARK_NUMBERS = re.compile(r"\d{1,4}(?:\s*(?:,|;|&|-|–|—|and|to)\s*\d{1,4})*")
_TAIL = re.compile(r"(?P<stop>(?<![.!?…])[.!?…]++)(?P<closed>[\"'”’»)]*)$")


@dataclass(frozen=True, slots=True)
class Draft:
    """What is left of a draft: ``text`` cites ``citations`` as ``[n]``, ``dropped`` statements failed the check.

    ``refused``: the model says that the passages do not say. An empty text without it had no sentence that held.
    """

    text: str
    citations: tuple[Citation, ...]
    dropped: int
    refused: bool


@dataclass(slots=True)
class _Statement:
    """A piece of a sentence, the indices of the passages that are cited after it, and what they are to prove."""

    text: str
    cited: list[int]
    claim: str = ""


class Verifier:
    """Takes a draft in deltas and gives back only what was checked.

    What :meth:`feed` has given so far is always the beginning of the text that :meth:`finish` returns.
    """

    def __init__(self, question: str, passages: Sequence[Passage]) -> None:
        self._reader = SentenceReader()
        self._evidence = [Premise(passage, question) for passage in passages]
        said = frozenset(stems(" ".join([question, *(one.everything for one in self._evidence)])))
        self._ordered = frozenset[str]().union(*(one.orders for one in self._evidence)) - said
        self._granted = question_names(question, self._evidence)
        self._text = ""
        self._gap = ""
        self._lead = ""
        self._citations: dict[tuple[str, int, int], Citation] = {}
        self._seen: set[str] = set()
        self._dropped = 0
        self._said_nothing = False
        self._closed = False

    def feed(self, delta: str) -> str:
        """The text that can be shown, now that the model wrote this too: whole, checked sentences or nothing."""
        return self._take(self._reader.feed(delta))

    def finish(self) -> Draft:
        """All of it, with the last sentence."""
        self._take(self._reader.finish())
        refused = self._said_nothing and not self._text
        return Draft(self._text, tuple(self._citations.values()), self._dropped, refused)

    def _take(self, written: Iterable[Written]) -> str:
        before = len(self._text)
        for sentence in written:
            self._gap = max(self._gap, sentence.gap, key=lambda gap: (gap.count("\n"), len(gap)))
            self._take_sentence(sentence.text)
        return self._text[before:]

    def _take_sentence(self, text: str) -> None:
        bullet = "- " if (found := _BULLET.match(text)) else ""
        statements = self._statements(text[found.end() :] if found else text)
        plain = "".join(statement.text for statement in statements).strip()
        if self._closed or self._is_remark(text, plain):
            return
        if not content(plain) or set(words(plain)) <= _YES_OR_NO:
            self._lead = bullet + plain + " " if words(plain) else self._lead
            return
        lead, self._lead = self._lead, ""
        supported = fold(plain) not in self._seen and self._supported(statements, plain)
        if not supported:
            self._dropped += fold(plain) not in self._seen
            return
        self._show(lead or bullet, supported)
        self._seen.add(fold(plain))

    def _is_remark(self, text: str, plain: str) -> bool:
        """Whether a sentence states nothing about the news; takes note of what it says about the passages."""
        nothing = fold(plain).strip(" .!\"'*-()") == NOTHING.lower()
        self._closed = (nothing and not self._text) or _LIST_OF_SOURCES.fullmatch(plain) is not None
        nothing = nothing or _SAYS_NOTHING.search(plain) is not None
        self._said_nothing = self._said_nothing or nothing
        unfinished = plain.endswith(" …")
        return nothing or self._closed or unfinished or plain.endswith("?") or _HEADING.match(text) is not None

    def _statements(self, text: str) -> list[_Statement]:
        """A sentence cut after each group of marks: ``"A [1], B [2][9]." -> ("A", [0]) (", B", [1]) (".", [])``."""
        text = _CLOSING_MARK.sub(lambda m: f" [{m[1]}]" if 1 <= int(m[1]) <= len(self._evidence) else m[0], text)
        found, at = [_Statement("", [])], 0
        for mark in MARK.finditer(text):
            numbers = _mark_numbers(mark["square"] or mark["thick"] or mark["round"] or mark["caret"])
            if numbers is None:
                continue
            self._add_text(found, text[at : mark.start()])
            at = mark.end()
            found[-1].cited += [
                n - 1 for n in numbers if 1 <= n <= len(self._evidence) and n - 1 not in found[-1].cited
            ]
        self._add_text(found, text[at:])
        _set_claims(found)
        return found

    @staticmethod
    def _add_text(found: list[_Statement], text: str) -> None:
        text = text.replace("[", "(").replace("]", ")")  # so that no bracket is left that could look like a mark
        if found[-1].cited and text.strip():
            found.append(_Statement(text, []))
        else:
            found[-1].text += text

    def _supported(self, statements: list[_Statement], plain: str) -> list[_Statement]:
        """The statements with the passages that support them; none where the sentence fails the rule."""
        cited = list(dict.fromkeys(index for statement in statements for index in statement.cited))
        if not cited:
            alone = [
                index for index in range(len(self._evidence)) if self._holds([_Statement("", [index], plain)], plain)
            ]
            best = max(alone, key=lambda index: len(self._evidence[index].coverage(plain)), default=None)
            return [] if best is None else [_Statement(plain, [best], plain)]
        if not self._holds(statements, plain):
            return []
        held = {index: len(self._evidence[index].coverage(plain)) for index in cited}
        for statement in statements:
            statement.cited = [index for index in statement.cited if 2 * held[index] >= max(held.values())]
        return statements

    def _holds(self, statements: list[_Statement], plain: str) -> bool:
        """Point 2 of the rule."""
        evidence = [self._evidence[index] for index in dict.fromkeys(i for one in statements for i in one.cited)]
        covered = frozenset().union(*(one.coverage(plain) for one in evidence))
        return (
            len(covered) >= COVERAGE * len(content(plain))
            and all(figures_held(one.claim, [self._evidence[index] for index in one.cited]) for one in statements)
            and names_held(plain, evidence, self._granted)
            and not content(plain) & self._ordered
            and addresses_held(plain, evidence)
            and not contradicts(plain, evidence)
        )

    def _show(self, lead: str, statements: list[_Statement]) -> None:
        """Adds a sentence to the text, and its citations."""
        citations = dict(self._citations)
        shown = ""
        whole = "".join(one.text for one in statements)
        for one in statements:
            claim = one.claim if len(stems(one.claim)) > 1 else whole
            numbers = dict.fromkeys(self._cite(citations, self._evidence[index], claim) for index in one.cited)
            shown = _with_numbers(shown + one.text, "".join(f"[{number}]" for number in numbers if number))
        shown = (self._gap if self._text else "") + lead + " ".join(shown.split())
        if len(self._text) + len(shown) > MAX_TEXT:
            self._closed = True
            self._dropped += 1
            return
        self._text += shown
        self._citations = citations
        self._gap = ""

    @staticmethod
    def _cite(citations: dict[tuple[str, int, int], Citation], evidence: Premise, claim: str) -> int | None:
        """The number of the sentence of a passage that supports a claim best, the next one if it is not cited yet."""
        passage, span = evidence.passage, evidence.best_sentence(claim)
        if span is None:
            return None
        quote = passage.text[span.start : span.end]
        start, end = passage.start + span.start, passage.start + span.end
        new = Citation(len(citations) + 1, quote, start, end, passage.source, passage.also_in)
        return citations.setdefault((passage.source.id, start, end), new).number


def verify(text: str, question: str, passages: Sequence[Passage]) -> Draft:
    """A whole draft, checked: see the module's docstring."""
    checker = Verifier(question, passages)
    checker.feed(text)
    return checker.finish()


def _mark_numbers(inside: str) -> list[int] | None:
    """The numbers of a mark, ranges spelt out; None where it is none: ``"Passage 1-3" -> [1, 2, 3]``."""
    bare = _MARK_WORDS.sub("", inside.partition("†")[0].partition(":")[0]).strip(" ,;")
    if not _MARK_NUMBERS.fullmatch(bare):
        return None
    numbers: list[int] = []
    for part in re.split(r",|;|&|and", bare):
        ends = [int(number) for number in re.findall(r"\d+", part)]
        numbers += range(ends[0], min(ends[-1], ends[0] + 20) + 1) if ends else []
    return numbers


def _set_claims(statements: list[_Statement]) -> None:
    """Says what each group of marks is to prove: the text before it, and for the last one also the text after it.

    Where marks lead ("According to [1], 5 died, according to [2], 6 did.") it is the text after each.
    """
    marked = [one for one in statements if one.cited]
    texts = [one.text for one in statements]
    if len(texts) > len(marked) > 0:
        first = 0 if not content(texts[0]) else len(marked) - 1
        texts[first : first + 2] = [texts[first] + texts[first + 1]]
    for one, text in zip(marked, texts, strict=False):
        one.claim = text


def _with_numbers(text: str, numbers: str) -> str:
    """Puts numbers behind a text, before its full stop: ``"He died." "[1]" -> "He died [1]."``."""
    if not numbers:
        return text
    tail = _TAIL.search(text)
    if not tail:
        return f"{text.rstrip()} {numbers}"
    body, stop, closed = text[: tail.start()], tail["stop"], tail["closed"]
    if closed and stop != ".":
        return f"{text} {numbers}."
    return f"{body}{closed} {numbers}{stop}"
