"""A language model's draft, verified sentence by sentence as it streams -> text whose citations hold to the letter.

1. A sentence is shown if the passages that it cites support it (`bot.generate.support`); else it is dropped, because a
   wrong statement is worse than none. Without a mark, or with that of another passage, it gets the mark of the passage
   that supports it best.
2. Marks stand before the full stop, after it, or in front of the sentence (`bot.generate.marks`: their dress).
3. "Yes." and the like are shown or dropped with the sentence after them. Headings, questions, remarks about the
   passages, repetitions, notes and a list of sources at the end are never shown.
4. Each mark quotes the sentence or two of its passage that support the claim best. One number per cited article, in
   reading order from 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from bot.generate.draft import RESTART, DraftSentence, SentenceReader
from bot.generate.support import Judgement, Premise, Supports, judge
from bot.generate.tokens import tokens
from bot.models import Citation
from index.models import Passage, Source
from index.near_duplicates import other_sources
from index.text import fold, stems, words

MIN_PREMISE_SHARE = 0.5  # of what the best cited passage holds; one that holds less is not cited
MAX_OTHER_PREMISES = 2  # that are read for a statement which those that it cites do not support
MAX_ANSWER_CHARACTERS = 2_000  # sentences beyond are dropped
REFUSAL = "NOT IN THE ARTICLES"  # what the prompt tells the model to reply if the passages do not say

_REFUSAL_IN_OTHER_WORDS = re.compile(
    r"\b(?:passages?|(?:the|these|given|provided|your) (?:\w+ )?(?:articles?|contexts?|texts?|sources|information))\b"
    r".{0,40}\b(?:not|no|none|never|fails?|\w+n['’]t)\b.{0,60}"
    r"\b(?:say|mention\w*|state|specif\w+|contain\w*|provid\w+|includ\w+|information|answer\w*|address\w*|give|given|tell)\b"
    r"|\b(?:cannot|can't|unable to) (?:\w+ )?answer\b|\bnot enough information\b"
    r"|\bI (?:do not|don['’]t|cannot|can['’]t|could not|couldn['’]t|am not|was not) (?:know|find|say|tell|sure|able)\b"
    r"|\A(?:there is |i have |i found )?no (?:\w+ )?(?:information|mention|answer|details?|data) (?:is |was )?"
    r"(?:on|about|of|as to|regarding|given|provided|available|found|in|to)\b"
    r"|\bis (?:not|never|nowhere) (?:\w+ )?(?:mentioned|stated|specified|answered|provided|given)"
    r" (?:in|by|here|there|anywhere)\b",
    re.IGNORECASE,
)
_ABOUT_PASSAGES = re.compile(
    r"\A(?:based on|according to|as (?:stated|reported) in|from) (?:the |these |your )?(?:\w+ ){0,2}"
    r"(?:passages?|articles?|contexts?|texts?|sources?|information)(?: (?:above|below|provided|given))?, ",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[A-Z]\w{2,20}(?: \w{2,20})?: (?=[A-Z]\w*(?: \S+){3})")  # "Closure: The bridge was closed."
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
NOTHING = Judgement(float("-inf"), "it cites nothing")
_FULL_STOP = re.compile(r"(?P<stop>(?<![.!?…])[.!?…]++)(?P<closers>[\"'”’»)]*)$")


@dataclass(frozen=True, slots=True)
class VerifiedDraft:
    """What is left of a draft: ``text`` cites ``citations`` as ``[n]``, ``dropped`` sentences were not supported.

    ``refused``: the model says that the passages do not say. ``kept``: the sentences shown. ``reasons``: why others
    were dropped, in words for a user.
    """

    text: str
    citations: tuple[Citation, ...]
    dropped: int
    refused: bool
    kept: int = field(default=0, compare=False)
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class _Segment:
    """Part of a sentence, the premises cited right after it, and the claim that they must support."""

    text: str = ""
    cited: list[Premise] = field(default_factory=list)
    claim: str = ""


class Verifier:
    """Verify a draft as it streams. What :meth:`feed` returns is the beginning of the text of :meth:`finish`."""

    def __init__(
        self,
        question: str,
        passages: Sequence[Passage],
        supports: Supports,
        confirm: Callable[[str, str], bool] | None = None,
    ) -> None:
        """``supports`` reads a statement with a premise, each once.

        ``confirm`` is asked about a supported sentence that is near the line, and a quote; it may only remove it.
        """
        self._confirm, self._supports = confirm, cache(supports)
        self._reader = SentenceReader(len(passages))
        self._premises = [Premise(passage, question) for passage in passages]
        self._question = question
        known = frozenset(stems(" ".join([question, *(premise.text for premise in self._premises)])))
        self._planted = frozenset[str]().union(*(premise.planted for premise in self._premises)) - known
        self._source_words = frozenset(stems(" ".join(_described(passage.source) for passage in passages)))
        self._fed = ""
        self._start()

    def _start(self) -> None:
        self._text = ""
        self._gap = ""
        self._lead = ""  # a "Yes." that waits for the next sentence
        self._citations: dict[tuple[str, int, int], Citation] = {}
        self._shown: set[str] = set()
        self._dropped = 0
        self._reasons: dict[str, None] = {}
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
        kept = len(self._shown) if self._text else 0
        return VerifiedDraft(
            self._text, tuple(self._citations.values()), self._dropped, refused, kept, tuple(self._reasons)
        )

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
        opening = _ABOUT_PASSAGES.match(statement) or _LABEL.match(statement)
        if opening and not _MARKS.match(statement):
            statement = statement[opening.end() :]
            statement = statement[:1].upper() + statement[1:]
        segments = self._segments(statement)
        plain = "".join(segment.text for segment in segments).strip()
        self._unfinished = self._unfinished or plain.endswith("…")
        if plain.endswith("?"):
            self._direct = self._direct or False  # as thoughts begin: "What does passage 1 say?"
        if self._closed or self._is_remark(text, plain):
            return
        if (bullet or _IN_FRONT.match(statement)) and frozenset(stems(plain)) <= self._source_words:
            return  # a note that names a source, or nothing
        if not _has_content(plain) or set(words(plain)) <= _INTERJECTIONS:
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
        judgement = (
            min(self._judge(segment.claim, segment.cited, plain) for segment in segments if segment.cited)
            if cited
            else None
        )
        if not judgement or not judgement.supported:
            if len([segment for segment in segments if segment.cited]) > 1:
                candidates = []  # it says which passage says what
            else:
                words = tokens(plain)
                others = sorted(
                    (premise for premise in self._premises if [premise] != cited),
                    key=lambda other: -other.weight(words),
                )
                candidates = [
                    (self._judge(plain, [premise], plain), premise) for premise in others[:MAX_OTHER_PREMISES]
                ]
            best = next((candidate for candidate in candidates if candidate[0].supported), None)
            if not best:
                self._reasons[(judgement or (candidates[0][0] if candidates else NOTHING)).reason] = None
                return []
            judgement, segments = best[0], [_Segment(plain, [best[1]], plain)]
        cited = list(dict.fromkeys(premise for segment in segments for premise in segment.cited))
        words = tokens(plain)
        weights = {premise: premise.weight(words) for premise in cited}
        for segment in segments:
            enough = MIN_PREMISE_SHARE * max(weights.values())
            segment.cited = [premise for premise in segment.cited if weights[premise] >= enough]
        if self._confirm and judgement.is_near_the_line and not self._confirm(plain, cited[0].passage.text):
            self._reasons["the language model, asked again, does not find it in the passage"] = None
            return []
        return segments

    def _judge(self, claim: str, cited: Sequence[Premise], whole: str) -> Judgement:
        text = claim if sum(token.kind != "function" for token in tokens(claim)) > 1 else whole
        return judge(text, cited, self._question, self._planted, self._supports)

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


def verify(text: str, question: str, passages: Sequence[Passage], supports: Supports) -> VerifiedDraft:
    """Verify a whole draft: see the module's docstring."""
    verifier = Verifier(question, passages, supports)
    verifier.feed(text)
    return verifier.finish()


def _cite(citations: dict[tuple[str, int, int], Citation], premise: Premise, claim: str) -> int | None:
    """Cite the premise's sentences that support a claim best; return the number of its article."""
    passage = premise.passage
    numbers = {cited.source.id: cited.number for cited in citations.values()}
    number = numbers.get(passage.source.id, len(numbers) + 1)
    for span in (spans := premise.proof(tokens(claim))):
        quote = passage.text[span.start : span.end]
        start, end = passage.start + span.start, passage.start + span.end
        also_in = other_sources(quote, passage.source, [passage])
        citation = Citation(number, quote, start, end, passage.source, also_in)
        citations.setdefault((passage.source.id, start, end), citation)
    return number if spans else None


def _has_content(text: str) -> bool:
    return any(token.kind != "function" for token in tokens(text))


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
        first = 0 if not _has_content(texts[0]) else len(marked) - 1
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
    return f"{text[: end.start()].rstrip(' ,;')}{end['closers']} {marks}{end['stop']}"
