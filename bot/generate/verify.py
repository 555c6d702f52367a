"""A language model's draft, verified sentence by sentence as it streams -> text whose citations hold to the letter.

1. A sentence is shown if the passages that it cites support it (`bot.generate.support`); else it is dropped, because a
   wrong statement is worse than none. Without a mark, it gets that of the passage that supports it best.
2. Marks stand before the full stop, after it, or in front of the sentence (`bot.generate.marks`: their dress).
3. "Yes." and the like are shown or dropped with the sentence after them. Headings, questions, remarks about the
   passages, repetitions, notes and a list of sources at the end are never shown.
4. Each mark quotes the sentence of its passage that supports the claim best. One number per cited article, in reading
   order from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.generate.draft import RESTART, DraftSentence, SentenceReader
from bot.generate.support import TUNED, Premise, content_words, is_supported, question_names
from bot.models import Citation
from index.models import Passage, Source
from index.near_duplicates import other_sources
from index.text import fold, stems, words

MAX_ANSWER_CHARACTERS = 2_000  # sentences beyond are dropped
REFUSAL = "NOT IN THE ARTICLES"  # what the prompt tells the model to reply if the passages do not say

_REFUSAL_IN_OTHER_WORDS = re.compile(
    r"\b(?:passages?|(?:the|these|given|provided|your) (?:\w+ )?(?:articles?|contexts?|texts?|sources|information))\b"
    r".{0,40}\b(?:not|no|none|never|fails?|\w+n['’]t)\b.{0,60}"
    r"\b(?:say|mention\w*|state|specif\w+|contain\w*|provid\w+|includ\w+|information|answer\w*|address\w*|give|given|tell)\b"
    r"|\b(?:cannot|can't|unable to) (?:\w+ )?answer\b|\bnot enough information\b",
    re.IGNORECASE,
)
_SOURCES_HEADING = re.compile(
    r"\W*(?:(?:sources?|references?|citations?|notes?)\W*"
    r"|(?:cited )?(?:sources|references|citations|passages)(?: cited| used)?:.*)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"(?:[-*•+–]|\d{1,2}[.)])\s+")
_HEADING = re.compile(r"#{1,6}\s|.*:\W*$")
_INTERJECTIONS = frozenset("yes no correct indeed sure certainly okay ok true false right well exactly".split())
_MARKS = re.compile(r"\s?((?:\[\d{1,2}\])+)")
_IN_FRONT = re.compile(
    r"((?:\[\d{1,2}\])+)[\s:.→–—-]*(?![\s:.→–—a-zß-ÿ-])(.*)"
)  # "[1] He died.", but not "[1] says so."
_FULL_STOP = re.compile(r"(?P<stop>(?<![.!?…])[.!?…]++)(?P<closers>[\"'”’»)]*)$")


@dataclass(frozen=True, slots=True)
class VerifiedDraft:
    """What is left of a draft: ``text`` cites ``citations`` as ``[n]``, ``dropped`` sentences were not supported.

    ``refused``: the model says that the passages do not say.
    """

    text: str
    citations: tuple[Citation, ...]
    dropped: int
    refused: bool


@dataclass(slots=True)
class _Segment:
    """Part of a sentence, the premises cited right after it, and the claim that they must support."""

    text: str = ""
    cited: list[Premise] = field(default_factory=list)
    claim: str = ""


class Verifier:
    """Verify a draft as it streams. What :meth:`feed` returns is the beginning of the text of :meth:`finish`."""

    def __init__(self, question: str, passages: Sequence[Passage]) -> None:
        self._reader = SentenceReader(len(passages))
        self._premises = [Premise(passage, question) for passage in passages]
        known = frozenset(stems(" ".join([question, *(premise.text for premise in self._premises)])))
        self._planted = frozenset[str]().union(*(premise.planted for premise in self._premises)) - known
        self._source_words = frozenset(stems(" ".join(_described(passage.source) for passage in passages)))
        self._granted = question_names(question, self._premises)
        self._fed = ""
        self._start()

    def _start(self) -> None:
        self._text = ""
        self._gap = ""
        self._lead = ""  # a "Yes." that waits for the next sentence
        self._citations: dict[tuple[str, int, int], Citation] = {}
        self._shown: set[str] = set()
        self._dropped = 0
        self._has_refusal = False
        self._closed = False
        self._unfinished = False
        self._direct: bool | None = None  # begins with a statement that cites its support; None: it has not begun

    def feed(self, delta: str) -> str:
        """Return the text that this delta verifies: whole sentences or nothing.

        A draft that is not `_direct` may be a thought, whose end nobody knows before it comes: nothing is returned.
        """
        self._add(self._reader.feed(delta))
        if not self._direct or not self._text.startswith(self._fed):
            return ""
        new, self._fed = self._text[len(self._fed) :], self._text
        return new

    def finish(self) -> VerifiedDraft:
        """Return the whole verified draft."""
        self._add(self._reader.finish())
        if self._unfinished and not self._direct:  # it may be a thought that did not end
            self._start()
        refused = self._has_refusal and not self._text
        return VerifiedDraft(self._text, tuple(self._citations.values()), self._dropped, refused)

    def _add(self, sentences: Iterable[DraftSentence]) -> None:
        for sentence in sentences:
            if sentence is RESTART:
                self._start()
                continue
            self._gap = max(self._gap, sentence.gap, key=lambda gap: (gap.count("\n"), len(gap)))
            self._add_sentence(sentence.text)

    def _add_sentence(self, text: str) -> None:
        bullet = _BULLET.match(text)
        lead = "- " if bullet else ""
        statement = text[bullet.end() :] if bullet else text
        segments = self._segments(statement)
        plain = "".join(segment.text for segment in segments).strip()
        self._unfinished = self._unfinished or plain.endswith("…")
        if plain.endswith("?"):
            self._direct = self._direct or False  # as thoughts begin: "What does passage 1 say?"
        if self._closed or self._is_remark(text, plain):
            return
        if (bullet or _IN_FRONT.match(statement)) and frozenset(stems(plain)) <= self._source_words:
            return  # a note that names a source, or nothing
        if not content_words(plain) or set(words(plain)) <= _INTERJECTIONS:
            self._lead = lead + plain + " " if words(plain) else self._lead
            return
        lead, self._lead = self._lead or lead, ""
        if fold(plain) in self._shown:
            return
        supported = self._supported(segments, plain)
        if self._direct is None:
            self._direct = bool(supported) and any(segment.cited for segment in segments)
        if supported:
            self._show(lead, supported)
            self._shown.add(fold(plain))
        else:
            self._dropped += 1

    def _is_remark(self, text: str, plain: str) -> bool:
        """Whether a sentence states nothing about the news. Notes a refusal and the beginning of a list of sources."""
        refusal = fold(plain).strip(" .!\"'*-()") == REFUSAL.lower()
        self._closed = (refusal and not self._text) or _SOURCES_HEADING.fullmatch(plain) is not None
        refusal = refusal or _REFUSAL_IN_OTHER_WORDS.search(plain) is not None
        self._has_refusal = self._has_refusal or refusal
        return refusal or self._closed or plain.endswith((" …", "?")) or _HEADING.match(text) is not None

    def _segments(self, text: str) -> list[_Segment]:
        """Cut a sentence after each group of marks: ``"A [1], B [2]." -> ("A", [1]) (", B", [2]) (".", [])``."""
        text = _IN_FRONT.sub(r"\2 \1", text) if _IN_FRONT.match(text) else text
        segments, start = [_Segment()], 0
        for marks in _MARKS.finditer(text):
            _append(segments, text[start : marks.start()])
            start = marks.end()
            segments[-1].cited += [self._premises[int(number) - 1] for number in re.findall(r"\d+", marks[1])]
        _append(segments, text[start:])
        _set_claims(segments)
        return segments

    def _supported(self, segments: list[_Segment], plain: str) -> list[_Segment]:
        """Return the segments, citing only premises that support them; none if the sentence is unsupported."""
        cited = list(dict.fromkeys(premise for segment in segments for premise in segment.cited))
        if not cited:
            candidates = [[_Segment(plain, [premise], plain)] for premise in self._premises]
            supported = [candidate for candidate in candidates if self._is_supported(candidate, plain)]
            return max(supported, key=lambda segments: len(segments[0].cited[0].covered_words(plain)), default=[])
        if not self._is_supported(segments, plain):
            return []
        covered = {premise: len(premise.covered_words(plain)) for premise in cited}
        enough = TUNED.min_premise_share * max(covered.values())
        for segment in segments:
            segment.cited = [premise for premise in segment.cited if covered[premise] >= enough]
        return segments

    def _is_supported(self, segments: list[_Segment], plain: str) -> bool:
        claims = [(segment.claim, segment.cited) for segment in segments]
        return is_supported(plain, claims, self._granted, self._planted)

    def _show(self, lead: str, segments: list[_Segment]) -> None:
        """Add a sentence and its citations to the text, unless it would be too long."""
        citations = dict(self._citations)
        shown = ""
        whole = "".join(segment.text for segment in segments)
        for segment in segments:
            claim = segment.claim if len(stems(segment.claim)) > 1 else whole
            numbers = dict.fromkeys(_cite(citations, premise, claim) for premise in segment.cited)
            shown = _with_marks(shown + segment.text, "".join(f"[{number}]" for number in numbers if number))
        shown = (self._gap if self._text else "") + lead + " ".join(shown.split())
        if len(self._text) + len(shown) > MAX_ANSWER_CHARACTERS:
            self._closed = True
            self._dropped += 1
            return
        self._text += shown
        self._citations = citations
        self._gap = ""


def verify(text: str, question: str, passages: Sequence[Passage]) -> VerifiedDraft:
    """Verify a whole draft: see the module's docstring."""
    verifier = Verifier(question, passages)
    verifier.feed(text)
    return verifier.finish()


def _cite(citations: dict[tuple[str, int, int], Citation], premise: Premise, claim: str) -> int | None:
    """Cite the premise's sentence that supports a claim best; return the number of its article."""
    passage, span = premise.passage, premise.best_sentence(claim)
    if span is None:
        return None
    quote = passage.text[span.start : span.end]
    start, end = passage.start + span.start, passage.start + span.end
    also_in = other_sources(quote, passage.source, [passage])
    numbers = {cited.source.id: cited.number for cited in citations.values()}
    number = numbers.get(passage.source.id, len(numbers) + 1)
    citations.setdefault((passage.source.id, start, end), Citation(number, quote, start, end, passage.source, also_in))
    return number


def _described(source: Source) -> str:
    day = f"{source.published:%A %d %B %Y %b} {source.published.day}" if source.published else ""
    return f"{source.headline} {source.outlet} {source.byline} {day}"


def _append(segments: list[_Segment], text: str) -> None:
    """Add text to the last segment, or as a new one if that has its marks already and the text is no full stop."""
    if segments[-1].cited and text.strip(" .!?…"):
        segments.append(_Segment(text))
    else:
        segments[-1].text += text


def _set_claims(segments: list[_Segment]) -> None:
    """Set the claim of each group of marks: the text before it, and for the last one also the text after it.

    If marks lead ("According to [1], 5 died, according to [2], 6 did."), the claim is the text after each.
    """
    marked = [segment for segment in segments if segment.cited]
    texts = [segment.text for segment in segments]
    if len(texts) > len(marked) > 0:
        first = 0 if not content_words(texts[0]) else len(marked) - 1
        texts[first : first + 2] = [texts[first] + texts[first + 1]]
    for segment, text in zip(marked, texts, strict=False):
        segment.claim = text


def _with_marks(text: str, marks: str) -> str:
    """Put marks behind a text, before its full stop: ``"He died." "[1]" -> "He died [1]."``."""
    if not marks:
        return text
    end = _FULL_STOP.search(text)
    if not end:
        return f"{text.rstrip()} {marks}"
    if end["closers"] and end["stop"] != ".":
        return f"{text} {marks}."
    return f"{text[: end.start()]}{end['closers']} {marks}{end['stop']}"
