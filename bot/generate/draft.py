"""What a language model wrote -> plain sentences, as it streams. Its output is untrusted text.

    deltas -> visible characters -> without tags and thoughts -> sentences -> without links and markup

Each step decides on a bounded piece of text, and waits until it has that piece. So however the text is cut into
deltas, the same sentences come out. Citation marks after a full stop ("He died. [1]") stay with their sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from index.text import sentences

MAX_PLAIN = 12_000
"""Characters of a draft that are read; what follows is the rambling of a model that found no end."""

MARK = re.compile(
    r"\s{0,2}(?:\[(?P<square>[^\[\]\n]{0,20}\d[^\[\]\n]{0,20})\]|【(?P<thick>[^【】\n]{0,20}\d[^【】\n]{0,20})】"
    r"|\((?P<round>(?:passage|source|article)s?\b[^()\n]{0,10}\d[^()\n]{0,10})\)|(?<!\d)\^(?P<caret>\d{1,3}))",
    re.IGNORECASE,
)
"""Something that may be a citation mark: at most 45 characters long."""

MAX_SENTENCE = 1_000
"""Characters of a sentence; a longer one is cut, with an ellipsis that marks it as unfinished."""

_AHEAD = 48  # what must be known after a full stop: longer than any mark
_BEFORE = 120  # what the sentence splitter sees before a full stop
_TAG_LENGTH = 200
_TAG = re.compile(rf"<[/!|?a-zA-Z][^<>\n]{{0,{_TAG_LENGTH}}}>")
_TAG_BEGUN = re.compile(rf"<(?:[/!|?a-zA-Z][^<>\n]{{0,{_TAG_LENGTH}}})?\Z")
_THOUGHT = re.compile(r"<(think|thinking|thought|reasoning|analysis|scratchpad)\b", re.IGNORECASE)
_THOUGHT_END_LENGTH = 20
_INLINE_TAG = re.compile(r"</?(?:a|b|i|u|em|strong|span|sub|sup|code|mark)\b", re.IGNORECASE)
_CLOSERS = 4  # quotes and brackets that may follow a full stop
_STOP = re.compile(rf"(?<![.!?…])[.!?…]++[\"'”’»)*_]{{0,{_CLOSERS}}}(?=[\s\[【(^])")

_URL = r"(?:\b[a-z][a-z0-9+.-]{1,15}://|\bwww\.|\b(?:mailto|javascript|data):)"
_TIDY = [
    (re.compile(r"^\s*(?:```|~~~).*"), ""),  # a code fence; what stands inside is text as any
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),  # an image
    (re.compile(r"\[(\d+)\]\([^)]*\)"), r"[\1]"),  # a mark made a link
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),  # a link: its words stay
    (re.compile(_URL + r"(?:\S*[^\s.,;:!?)\]'\"”’])?", re.IGNORECASE), ""),
    (re.compile(r"\[/?(?:INST|SYS)\]"), ""),
    (re.compile(r"^(?:\s*[>|])+\s*"), ""),  # the bar before our passages, echoed
    (re.compile(r"\*\*|__|`"), ""),
    (re.compile(r"<(?![\s\d=])|(?<![\s\d=])>"), ""),  # so that no tag comes together out of two halves
    (re.compile(r"^\s*(?:assistant|system|user|human|(?:final )?answer|response)\s*:\s*", re.IGNORECASE), ""),
    (re.compile(r"\s+"), " "),
]


class Written(NamedTuple):
    """One sentence (or line) of the draft, and what parts it from the one before: "", " ", a line or a blank line."""

    text: str
    gap: str


class SentenceReader:
    """Takes a draft in deltas of any size and gives back its sentences, each as soon as its end is certain."""

    def __init__(self) -> None:
        self._raw = ""
        self._plain = ""
        self._room = MAX_PLAIN
        self._scanned = 0  # the sentence that is being read has no end before this
        self._thought_end: re.Pattern[str] | None = None
        self._begun = False

    def feed(self, delta: str) -> Iterator[Written]:
        """The sentences that are known to have ended, now that this was written too."""
        self._raw += visible(delta)
        return self._read(final=False)

    def finish(self) -> Iterator[Written]:
        """The rest."""
        return self._read(final=True)

    def _read(self, *, final: bool) -> Iterator[Written]:
        plain = self._untagged(final=final)[: self._room]
        self._room -= len(plain)
        self._plain += plain
        while (end := self._sentence_end(final=final)) is not None:
            piece, self._plain, self._scanned = self._plain[:end], self._plain[end:], 0
            text = piece.strip()
            text = tidy(text if len(text) <= MAX_SENTENCE else text[:MAX_SENTENCE] + " …")
            lines = piece[: len(piece) - len(piece.lstrip())].count("\n")
            if text:
                yield Written(text, ("\n\n" if lines > 1 else "\n" if lines else " ") if self._begun else "")
            self._begun = self._begun or bool(text)

    def _untagged(self, *, final: bool) -> str:
        """Takes from the raw text what can be read of it, without tags, role tokens and chains of thought."""
        plain: list[str] = []
        while self._raw:
            if self._thought_end:
                if not (end := self._thought_end.search(self._raw)):
                    self._raw = self._raw[-_THOUGHT_END_LENGTH:]
                    break
                self._raw, self._thought_end = self._raw[end.end() :], None
                continue
            before, bracket, _ = self._raw.partition("<")
            plain.append(before)
            self._raw = self._raw[len(before) :]
            if tag := _TAG.match(self._raw):
                self._raw = self._raw[tag.end() :]
                plain.append("" if _INLINE_TAG.match(tag.group()) else " ")
                if thought := _THOUGHT.match(tag.group()):
                    self._thought_end = re.compile(rf"</{thought[1]}\s{{0,2}}>", re.IGNORECASE)
            elif not final and _TAG_BEGUN.match(self._raw):
                break
            else:
                plain.append(bracket)
                self._raw = self._raw[1:]
        return "".join(plain)

    def _sentence_end(self, *, final: bool) -> int | None:
        """Where the first sentence of the plain text ends; None as long as that is not certain."""
        start = len(self._plain) - len(self._plain.lstrip())
        if start == len(self._plain):
            return None
        line_end = self._plain.find("\n", start)
        complete = final or line_end >= 0
        line = self._plain[start : line_end if line_end >= 0 else None]
        while stop := _STOP.search(line, self._scanned):
            end = stop.end()
            while mark := MARK.match(line, end):
                end = mark.end()
            if not complete and len(line) < end + _AHEAD:
                return None
            if _ends_sentence(line, stop.end(), end):
                return start + end
            self._scanned = stop.end()
        if not complete:
            self._scanned = max(self._scanned, len(line[:-_CLOSERS].rstrip(".!?…")))
        return start + len(line) if complete else None


def tidy(text: str) -> str:
    """One line as plain text: no links, images, fences, emphasis, role names or half tags, one space between words.

    ``"**Bold** [site](http://x.example/) <b" -> "Bold site b"``
    """
    for pattern, replacement in _TIDY:
        text = pattern.sub(replacement, text)
    return text.strip()


def visible(text: str) -> str:
    """Without control, bidirectional, invisible and private characters; every line separator is a line break."""
    text = re.sub("[\u2028\u2029\x0b\x0c\x85]", "\n", text).replace("\t", " ")
    return "".join(c for c in text if c == "\n" or unicodedata.category(c)[0] != "C")


def _ends_sentence(line: str, stop: int, end: int) -> bool:
    """Whether the splitter ends a sentence at ``line[:stop]``, seeing no marks, such as ``line[stop:end]``."""
    if line[end : end + 1].strip():
        return False
    before = MARK.sub("", line[max(0, stop - _BEFORE) : stop])
    after = MARK.sub("", line[end : end + _AHEAD])
    return any(found == len(before) for _, found in sentences(before + " " + after.lstrip()))
