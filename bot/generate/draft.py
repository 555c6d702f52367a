"""A language model's output -> plain sentences, as it streams. The output is untrusted text.

    deltas -> visible characters -> without tags and thoughts -> rows and JSON as lines -> sentences -> without markup

Each step decides on a bounded piece of text, and waits until it has that piece. So however the text is cut into
deltas, the same sentences come out. Citation marks after a full stop ("He died. [1]") stay with their sentence, unless
the line has its marks in front ("[1] He died. [2] She lives.").

If a thought ends that did not begin, all before it was the thought: the chat templates of some models begin it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from typing import Any, NamedTuple

from bot.generate.marks import MARKS, MAX_MARK_CHARACTERS, STARTS_LIKE_MARKS, UNFINISHED_LINK, with_marks
from index.text import composed, sentences, strip_invisible

MAX_PLAIN_CHARACTERS = 12_000  # of a draft; what follows is the rambling of a model that found no end
MAX_SENTENCE_CHARACTERS = 1_000  # a longer sentence is cut, with an ellipsis that marks it as unfinished

_LOOKAHEAD_CHARACTERS = 48  # that must be known after a full stop, for the sentence splitter
_LOOKBEHIND_CHARACTERS = 120  # that the sentence splitter sees before a full stop
_MAX_THOUGHT_END_CHARACTERS = 100  # of "<|channel|>final <|constrain|>json<|message|>" and the like
_TAG_START = r"<[/!|?a-zA-Z][^<>\n]{0,200}"
_TAG = re.compile(rf"{_TAG_START}>")
_UNFINISHED_TAG = re.compile(rf"(?:<|{_TAG_START}|\[/?[THINK]{{0,5}}|◁[^▷\n]{{0,30}}|<\|channel\|>[^\n]{{0,90}})\Z")
_THOUGHTS = r"(?:\w{1,12}:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|analysis|scratchpad|reflection|antthinking)\b"
_BEGINS_THOUGHT = re.compile(
    rf"(?i)<\|?(?:begin_of_|start_)?{_THOUGHTS}[^<>\n]{{0,100}}>|\[THINK\]|◁{_THOUGHTS}▷|<unused94>"
    r"|<\|channel\|>\s?(?:analysis|commentary)[^\n]{0,60}?<\|message\|>"
)
_ENDS_THOUGHT = re.compile(
    rf"(?i)<(?:/|\|end_of_|\|end_){_THOUGHTS}\s{{0,2}}\|?>|\[/THINK\]|◁/{_THOUGHTS}▷|<unused95>"
    r"|<\|channel\|>\s?final[^\n]{0,60}?<\|message\|>"
)
_BARE_HARMONY = "assistantfinal"  # what is left of the end of a thought if a server drops the tokens around the words
_SPECIAL = re.compile(r"[<\[◁]")
_MARK_TAG = re.compile(r"<(?P<end>/)?(?:(?P<sup>sup)\b[^<>]*|cite|ref|source|citation)>", re.IGNORECASE)
_INLINE_TAG = re.compile(r"</?(?:a|b|i|u|em|strong|span|sub|code|mark)\b", re.IGNORECASE)
_MAX_CLOSERS = 4  # quotes and brackets that may follow a full stop
_FULL_STOP = re.compile(rf"(?<![.!?…])[.!?…]++[\"'”’»)*_]{{0,{_MAX_CLOSERS}}}(?=[\s\[［【〔(（{{\\^$⁰¹²³⁴-⁹⁽①-⑳])")
_LINE_START = re.compile(r"(?:[-*•+>|]\s{1,3}|\d{1,2}[.)]\s{1,3}|[*_]{1,2}){0,4}")
_JSON = re.compile(r"[\[{]\s*(?:[{\"]|\Z)")
_ROW = re.compile(r"\|[^\n]*\|\s*")
_RULE = re.compile(r"[\s|:-]+")
_CITES = re.compile(r"(?i)(?:passage|source|citation|cite|ref(?:erence)?|no|id)(?:_?(?:id|number))?s?\.?|#|№")
_ONLY_NUMBER = re.compile(r"\A\W*(?:[a-z]+\W*)?(\d{1,2})\W*\Z", re.IGNORECASE)
_STATES = re.compile(
    r"(?i)(?:\w{1,20}_)?(?:answer|text|content|response|output|result|summary|statement|sentence|claim)s?"
)

_URL = r"(?:\b[a-z][a-z0-9+.-]{1,15}://|\bwww\.|\b(?:mailto|javascript|data):)"
_MARKUP = [
    (re.compile(r"^\s*(?:```|~~~).*"), ""),  # a code fence; what stands inside is text like any other
    (re.compile(r"^\s*\*\*([^*.\[\n]{1,99})\*\*:?\s*$"), r"# \1"),  # a line in bold is a heading
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),  # an image
    (re.compile(r"\[(?:source|link)\]\([^)]*\)", re.IGNORECASE), ""),
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),  # any other link: its words stay
    (re.compile(_URL + r"(?:[^\s\ue000]*[^\s.,;:!?)\]'\"”’\ue000\ue001])?", re.IGNORECASE), ""),
    (re.compile(r"\[/?(?:INST|SYS)\]"), ""),
    (re.compile(r"^(?:\s*[>|])+\s*"), ""),  # the bar before our passages, echoed
    (re.compile(r"\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)"), ""),
    (re.compile(r"\^\{([^{}]{0,20})\}"), r"\1"),  # what is raised and no mark
    (re.compile(r"<(?![\s\d=])|(?<![\s\d=])>"), ""),  # so that no tag comes together out of two halves
    (
        re.compile(
            r"(?i)^\s*(?:assistant|system|user|human|(?:here(?:['’]s| is) the )?(?:final )?answer|response)\s*:"
        ),
        "",
    ),
    (re.compile(r"\s+"), " "),
]


class DraftSentence(NamedTuple):
    """A sentence or line of a draft; `gap` ("", " ", a line break or two) separates it from the one before."""

    text: str
    gap: str


RESTART = DraftSentence("", "")
"""Says that all before it was a thought."""


class SentenceReader:
    """Read a draft in deltas of any size, and yield each sentence as soon as its end is certain.

    Marks of passages 1 to ``count`` come out as ``[1][2]``; no other square bracket comes out.
    """

    def __init__(self, count: int = 0, raw: str = "") -> None:
        self._count = count
        self._raw = raw
        self._in_thought = False
        self._start()

    def _start(self) -> None:
        self._plain = ""
        self._room = MAX_PLAIN_CHARACTERS
        self._scanned = 0  # the first sentence of the plain text has no end before this
        self._begun = False
        self._columns: list[bool] | None = None  # of the table that is read: whether they cite

    def feed(self, delta: str) -> Iterator[DraftSentence]:
        """Yield the sentences that this delta completes."""
        self._raw += visible(delta)
        return self._read(final=False)

    def finish(self) -> Iterator[DraftSentence]:
        """Yield the remaining sentences."""
        return self._read(final=True)

    def _read(self, *, final: bool) -> Iterator[DraftSentence]:
        plain, restarts = self.take_plain(final=final)
        _, mark, answer = (self._plain[1 - len(_BARE_HARMONY) :] + plain).rpartition(_BARE_HARMONY)
        if restarts or mark:
            plain = answer if mark else plain
            self._start()
            yield RESTART
        plain = plain[: self._room]
        self._room -= len(plain)
        self._plain += plain
        while (end := self._sentence_end(final=final)) is not None:
            raw, self._plain, self._scanned = self._plain[:end], self._plain[end:], 0
            text = raw.strip()
            if len(text) > MAX_SENTENCE_CHARACTERS:
                text = text[:MAX_SENTENCE_CHARACTERS] + " …"
            if text := with_marks(text, self._count, strip_markup):
                lines = raw[: len(raw) - len(raw.lstrip())].count("\n")
                yield DraftSentence(text, ("\n" * min(lines, 2) or " ") if self._begun else "")
                self._begun = True

    def take_plain(self, *, final: bool) -> tuple[str, bool]:
        """Take from the raw text what is certain, without tags, role tokens and thoughts.

        Return it, and whether all that was taken before is a thought.
        """
        plain: list[str] = []
        raw, position, restarts = self._raw, 0, False
        while position < len(raw):
            if self._in_thought:
                if not (end := _ENDS_THOUGHT.search(raw, position)):
                    position = max(position, len(raw) - _MAX_THOUGHT_END_CHARACTERS)
                    break
                position, self._in_thought = end.end(), False
            elif end := _ENDS_THOUGHT.match(raw, position):
                position, restarts, plain = end.end(), True, []
            elif begin := _BEGINS_THOUGHT.match(raw, position):
                position, self._in_thought = begin.end(), True
                plain.append(" ")
            elif not final and _UNFINISHED_TAG.match(raw, position):
                break
            elif tag := _TAG.match(raw, position):
                position = tag.end()
                plain.append(_of_tag(tag.group()))
            else:
                special = _SPECIAL.search(raw, position + 1)
                start, position = position, special.start() if special else len(raw)
                plain.append(raw[start:position])
        self._raw = raw[position:]
        return "".join(plain), restarts

    def _sentence_end(self, *, final: bool) -> int | None:
        """Find the end of the plain text's first sentence; None if it is not certain yet."""
        if (start := self._sentence_start(final=final)) is None:
            return None
        line_end = self._plain.find("\n", start)
        complete = final or line_end >= 0
        line = self._plain[start : line_end if line_end >= 0 else None]
        while stop := _FULL_STOP.search(line, self._scanned):
            end = stop.end()
            begin = _LINE_START.match(line)
            if not (begin and MARKS.match(line, begin.end())):  # a line with marks in front has them behind no sentence
                while marks := MARKS.match(line, end):
                    end = marks.end()
            enough = MAX_MARK_CHARACTERS if STARTS_LIKE_MARKS.match(line, end) else _LOOKAHEAD_CHARACTERS
            if not complete and (len(line) < end + enough or UNFINISHED_LINK.match(line, end - 1)):
                return None
            if _ends_sentence(line, stop.end(), end):
                return start + end
            self._scanned = stop.end()
        if not complete:
            self._scanned = max(self._scanned, len(line[:-_MAX_CLOSERS].rstrip(".!?…")))
        return start + len(line) if complete else None

    def _sentence_start(self, *, final: bool) -> int | None:
        """Find the start of the plain text's first sentence, and turn a row or JSON there into lines of text."""
        while (start := len(self._plain) - len(self._plain.lstrip())) < len(self._plain):
            gap, rest = self._plain[:start], self._plain[start:]
            if self._begun and "\n" not in gap:
                return start
            line, line_break, more = rest.partition("\n")
            if rest[0] in "|{[" and not final and (_JSON.match(rest) or (rest[0] == "|" and not line_break)):
                return None
            if _JSON.match(rest):
                self._plain = gap + _statements(rest)
            elif _ROW.fullmatch(line) and line.count("|") > 1:
                row = self._row(line)
                self._plain = gap + row + line_break + more
                if row:
                    return start
            else:
                self._columns = None
                return start
        return None

    def _row(self, line: str) -> str:
        """Turn a row of a table into an item of a list, its marks at the end; a heading or a rule into nothing."""
        if _RULE.fullmatch(line):
            return ""
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if self._columns is None:
            self._columns = [_CITES.fullmatch(strip_markup(cell)) is not None for cell in cells]
            if not with_marks(line, self._count, strip_markup).count("["):
                return ""
        pairs = [pair for pair in zip_longest(self._columns, cells, fillvalue="") if pair[1]]
        texts, marks = ([cell for cites, cell in pairs if bool(cites) is wanted] for wanted in (False, True))
        return "- " + " – ".join(map(str, texts)) + "".join(f" [{cell}]" for cell in marks)


def without_thoughts(reply: str) -> str:
    """Return a whole reply as visible text without tags and thoughts: ``"Hm.</think>Who died?" -> "Who died?"``."""
    return SentenceReader(raw=visible(reply)).take_plain(final=True)[0].rpartition(_BARE_HARMONY)[2]


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
    before = MARKS.sub("", line[max(0, stop - _LOOKBEHIND_CHARACTERS) : stop])
    after = MARKS.sub("", line[end : end + _LOOKAHEAD_CHARACTERS])
    return any(span.end == len(before) for span in sentences(before + " " + after.lstrip()))


def _of_tag(tag: str) -> str:
    """Return what stands for a tag: ``"<sup>" -> "^{"``, ``"<cite>" -> "["``, ``"<b>" -> ""``, ``"<p>" -> " "``."""
    if mark := _MARK_TAG.fullmatch(tag):
        return ("^{", "}")[bool(mark["end"])] if mark["sup"] else "[]"[bool(mark["end"])]
    return "" if _INLINE_TAG.match(tag) else " "


def _statements(text: str) -> str:
    """Turn the JSON at the beginning of a text into its statements: ``'{"answer": "A.", "ids": [1]}' -> "A. [1]"``."""
    with suppress(ValueError, RecursionError):
        value, end = json.JSONDecoder().raw_decode(text)
        return " ".join(_stated("text", value)) + text[end:]
    return ""  # cut off, and no text


def _stated(key: str, value: Any) -> Iterator[str]:  # noqa: ANN401  # JSON
    """Yield statements and marks, in their order. What is quoted under a citation is no statement."""
    cites = _CITES.fullmatch(key)
    if isinstance(value, (dict, list)):
        for name, item in value.items() if isinstance(value, dict) else ((key, item) for item in value):
            if not re.fullmatch(_THOUGHTS, name, re.IGNORECASE) and (not cites or _CITES.fullmatch(name)):
                yield from _stated(name, item)
    elif cites:
        yield from (f"[{number}]" for number in _ONLY_NUMBER.findall(str(value)))
    elif _STATES.fullmatch(key):
        yield str(value)
