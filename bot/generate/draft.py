"""A language model's output -> plain sentences, as it streams. The output is untrusted text.

    deltas -> visible characters -> without tags and thoughts -> sentences -> without links and markup

Each step decides on a bounded piece of text, and waits until it has that piece. So however the text is cut into
deltas, the same sentences come out. Citation marks after a full stop ("He died. [1]") stay with their sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from index.text import composed, sentences, strip_invisible

MAX_PLAIN_CHARACTERS = 12_000  # of a draft; what follows is the rambling of a model that found no end
MAX_SENTENCE_CHARACTERS = 1_000  # a longer sentence is cut, with an ellipsis that marks it as unfinished
CITATION_MARK = re.compile(
    r"\s{0,2}(?:\[([^\[\]\n]{0,20}\d[^\[\]\n]{0,20})\]|【([^【】\n]{0,20}\d[^【】\n]{0,20})】"
    r"|\(((?:passage|source|article)s?\b[^()\n]{0,10}\d[^()\n]{0,10})\)|(?<!\d)\^(\d{1,3}))",
    re.IGNORECASE,
)
"""What may be a citation mark, at most 45 characters long; one of the four groups holds its inside."""

_LOOKAHEAD_CHARACTERS = 48  # that must be known after a full stop: more than any mark has
_LOOKBEHIND_CHARACTERS = 120  # that the sentence splitter sees before a full stop
_MAX_THOUGHT_END_CHARACTERS = 20  # of "</scratchpad  >" and the like
_TAG_START = r"<[/!|?a-zA-Z][^<>\n]{0,200}"
_TAG = re.compile(rf"{_TAG_START}>")
_UNFINISHED_TAG = re.compile(rf"(?:<|{_TAG_START})\Z")
_THOUGHT = re.compile(r"<(think|thinking|thought|reasoning|analysis|scratchpad)\b", re.IGNORECASE)
_INLINE_TAG = re.compile(r"</?(?:a|b|i|u|em|strong|span|sub|sup|code|mark)\b", re.IGNORECASE)
_MAX_CLOSERS = 4  # quotes and brackets that may follow a full stop
_FULL_STOP = re.compile(rf"(?<![.!?…])[.!?…]++[\"'”’»)*_]{{0,{_MAX_CLOSERS}}}(?=[\s\[【(^])")

_URL = r"(?:\b[a-z][a-z0-9+.-]{1,15}://|\bwww\.|\b(?:mailto|javascript|data):)"
_MARKUP = [
    (re.compile(r"^\s*(?:```|~~~).*"), ""),  # a code fence; what stands inside is text like any other
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),  # an image
    (re.compile(r"\[(\d+)\]\([^)]*\)"), r"[\1]"),  # a citation mark with a link
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),  # a link: its words stay
    (re.compile(_URL + r"(?:\S*[^\s.,;:!?)\]'\"”’])?", re.IGNORECASE), ""),
    (re.compile(r"\[/?(?:INST|SYS)\]"), ""),
    (re.compile(r"^(?:\s*[>|])+\s*"), ""),  # the bar before our passages, echoed
    (re.compile(r"\*\*|__|`"), ""),
    (re.compile(r"<(?![\s\d=])|(?<![\s\d=])>"), ""),  # so that no tag comes together out of two halves
    (re.compile(r"^\s*(?:assistant|system|user|human|(?:final )?answer|response)\s*:\s*", re.IGNORECASE), ""),
    (re.compile(r"\s+"), " "),
]


class DraftSentence(NamedTuple):
    """A sentence or line of a draft; `gap` ("", " ", a line break or two) separates it from the one before."""

    text: str
    gap: str


class SentenceReader:
    """Read a draft in deltas of any size, and yield each sentence as soon as its end is certain."""

    def __init__(self) -> None:
        self._raw = ""
        self._plain = ""
        self._room = MAX_PLAIN_CHARACTERS
        self._scanned = 0  # the first sentence of the plain text has no end before this
        self._thought_end: re.Pattern[str] | None = None
        self._begun = False

    def feed(self, delta: str) -> Iterator[DraftSentence]:
        """Yield the sentences that this delta completes."""
        self._raw += visible(delta)
        return self._read(final=False)

    def finish(self) -> Iterator[DraftSentence]:
        """Yield the remaining sentences."""
        return self._read(final=True)

    def _read(self, *, final: bool) -> Iterator[DraftSentence]:
        plain = self._take_plain(final=final)[: self._room]
        self._room -= len(plain)
        self._plain += plain
        while (end := self._sentence_end(final=final)) is not None:
            raw, self._plain, self._scanned = self._plain[:end], self._plain[end:], 0
            text = raw.strip()
            if len(text) > MAX_SENTENCE_CHARACTERS:
                text = text[:MAX_SENTENCE_CHARACTERS] + " …"
            if text := strip_markup(text):
                lines = raw[: len(raw) - len(raw.lstrip())].count("\n")
                yield DraftSentence(text, ("\n" * min(lines, 2) or " ") if self._begun else "")
                self._begun = True

    def _take_plain(self, *, final: bool) -> str:
        """Take from the raw text what is certain, without tags, role tokens and chains of thought."""
        plain: list[str] = []
        while self._raw:
            if self._thought_end:
                if not (end := self._thought_end.search(self._raw)):
                    self._raw = self._raw[-_MAX_THOUGHT_END_CHARACTERS:]
                    break
                self._raw, self._thought_end = self._raw[end.end() :], None
                continue
            tag = _TAG.match(self._raw)
            if not tag and not final and _UNFINISHED_TAG.match(self._raw):
                break
            text = tag.group() if tag else self._raw[0] + self._raw[1:].partition("<")[0]
            self._raw = self._raw[len(text) :]
            if tag:
                if thought := _THOUGHT.match(text):
                    self._thought_end = re.compile(rf"</{thought[1]}\s{{0,2}}>", re.IGNORECASE)
                text = "" if _INLINE_TAG.match(text) else " "
            plain.append(text)
        return "".join(plain)

    def _sentence_end(self, *, final: bool) -> int | None:
        """Find the end of the plain text's first sentence; None if it is not certain yet."""
        start = len(self._plain) - len(self._plain.lstrip())
        if start == len(self._plain):
            return None
        line_end = self._plain.find("\n", start)
        complete = final or line_end >= 0
        line = self._plain[start : line_end if line_end >= 0 else None]
        while stop := _FULL_STOP.search(line, self._scanned):
            end = stop.end()
            while mark := CITATION_MARK.match(line, end):
                end = mark.end()
            if not complete and len(line) < end + _LOOKAHEAD_CHARACTERS:
                return None
            if _ends_sentence(line, stop.end(), end):
                return start + end
            self._scanned = stop.end()
        if not complete:
            self._scanned = max(self._scanned, len(line[:-_MAX_CLOSERS].rstrip(".!?…")))
        return start + len(line) if complete else None


def strip_markup(text: str) -> str:
    """Remove links, images, fences, emphasis, role names and half tags from a line; collapse its white space.

    ``"**Bold** [site](http://x.example/) <b" -> "Bold site b"``
    """
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return composed(text.strip())


def visible(text: str) -> str:
    """Remove control, bidirectional, invisible and private characters; every line separator becomes a line break."""
    # A "\r" goes first: "\r\n" may be split over two deltas, and is one line break.
    return strip_invisible(text.replace("\r", "").replace("\t", " "), keep="\n", categories="C")


def _ends_sentence(line: str, stop: int, end: int) -> bool:
    """Whether the splitter, which sees no marks such as ``line[stop:end]``, ends a sentence at ``line[:stop]``."""
    if line[end : end + 1].strip():
        return False
    before = CITATION_MARK.sub("", line[max(0, stop - _LOOKBEHIND_CHARACTERS) : stop])
    after = CITATION_MARK.sub("", line[end : end + _LOOKAHEAD_CHARACTERS])
    return any(span.end == len(before) for span in sentences(before + " " + after.lstrip()))
