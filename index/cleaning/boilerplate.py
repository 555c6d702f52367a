"""Separate an article from the boilerplate of its page: captions, credits, links to other stories, notices of the site.

Only whole short lines are removed, and only on strong patterns (index/cleaning/boilerplate_patterns.py): a line of
boilerplate that is kept costs little, a sentence that is lost may have been the answer.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from index.cleaning.boilerplate_patterns import (
    CAPTION_BESIDE_CREDIT,
    CREDIT_AT_END,
    IN_PLACE,
    LINKS_HEADING,
    PATTERNS,
    REPORTED_BY,
    SIGNED,
    SIGNED_OFF,
)
from index.cleaning.top_lines import TopLine, is_date_line, is_labelled_date, top_line
from index.models import Boilerplate

_MAX_LINE_CHARACTERS = 450  # a longer line is prose, whatever it begins or ends with
_MAX_CAPTION_CHARACTERS = 300
_MAX_HEADLINE_CHARACTERS = 200
_MAX_TOP_LINES = 15  # bylines, dates and headlines stand among the first lines
_MAX_NAMED_DATE_PLACE = 2  # among the first lines, from 0: right below a headline, or below a byline
_MIN_SENTENCES_ABOVE = 2
_MIN_REPETITION_CHARACTERS = 100  # shorter lines are repeated on purpose
_MIN_UNSPACED_CHARACTERS = 20
_MIN_RUN_LINES = 12
_MAX_BESIDE_CORE = 8  # short lines: headline, standfirst, byline and day; the end of a list
_SHORT_LINE_COST = 4  # words of a sentence that make up for a short line between them
_MIN_SENTENCE_WORDS, _MIN_HEADLINE_WORDS, _MAX_MENU_WORDS = 8, 4, 3

_OF_SITES = frozenset(("related", "notice", "newsletter", "copyright", "advertisement"))
_FIGURE = re.compile(r"\d")
_CLOSING_MARKS = ('"', "'", "”", "’", "»", "“")
_FULL_STOP = re.compile(r"[.!…]['\"”’)\]]*$")
_SENTENCE_END = re.compile(r"(?<!\.\.)[.!?]['\"”’)\]]*$")  # not "…", which ends a headline that was cut off
_NOT_HEADLINE_END = re.compile(r"(?:(?<!\.\.)\.|[,;:–—])$")


class SplitPage(NamedTuple):
    """The article of a page, and the boilerplate beside it."""

    body: str
    headline: str | None
    byline: str
    outlet: str
    boilerplate: tuple[Boilerplate, ...]


def split_page(text: str, headline: str | None, *, find_headline: bool) -> SplitPage:
    """Separate body and boilerplate, and look for a byline and an outlet.

    Without a known ``headline``, and with ``find_headline``, a line at the top may become it. The paragraphs of the
    body stand in ``text`` to the letter, in order. If nothing would be left, the whole text is the body.
    """
    page = _Page(CREDIT_AT_END.sub("\n", text), keep_first_line=find_headline and not headline)
    page.label_wrapped_credits()
    page.keep_signed_off()
    page.label_repetitions()
    if find_headline:
        page.label_surroundings()
    if not headline and find_headline:
        headline = page.repeated_headline()
    page.label_captions()
    byline, outlet = page.label_bylines_and_dates(has_headline=bool(headline))
    if not byline:
        byline, signed_for = page.label_signature()
        outlet = outlet or signed_for
    if not headline and find_headline:
        headline = page.first_headline()
    if headline and find_headline:
        page.label_navigation(headline)
    if headline:
        page.label_headlines(headline)
    page.label_links_at_end()
    if not (body := page.body()):
        return SplitPage(text.strip(), headline, byline, outlet, ())
    return SplitPage(body, headline, byline, outlet, page.boilerplate())


class _Page:
    """The lines of a page, and the kind of boilerplate of every line (None: the article)."""

    def __init__(self, text: str, *, keep_first_line: bool) -> None:
        self.raw = text.split("\n")
        self.lines = [line.strip() for line in self.raw]
        self.kinds: list[str | None] = [_kind(line) for line in self.lines]
        first = next((index for index, line in enumerate(self.lines) if line), 0)
        # "EXCLUSIVE: Minister to go" is a link further down, and a headline on top of a page.
        if keep_first_line and self.kinds[first] == "related" and _could_be_headline(self.lines[first]):
            self.kinds[first] = None

    def article_lines(self, limit: int | None = None) -> list[int]:
        """The positions of the (first) lines that are neither blank nor boilerplate."""
        return [index for index, line in enumerate(self.lines) if line and not self.kinds[index]][:limit]

    def label_wrapped_credits(self) -> None:
        """Label a credit in brackets that is wrapped over two or three lines."""
        for start, line in enumerate(self.lines):
            for end in (start + 2, start + 3):
                credit = self.lines[start:end]
                if not line.startswith("(") or end > len(self.lines) or not credit[-1].endswith(")"):
                    continue
                if all(credit) and _kind(" ".join(credit)) == "credit":
                    self.kinds[start:end] = ["credit"] * len(credit)

    def keep_signed_off(self) -> None:
        """Keep a paragraph with its agency behind the full stop if sentences stand above it: it may be no caption.

        For the last line of the page one is enough.
        """
        above, last = 0, max((index for index, line in enumerate(self.lines) if line), default=0)
        for index, line in enumerate(self.lines):
            if (
                self.kinds[index] == "caption"
                and SIGNED_OFF.search(line)
                and above >= (1 if index == last else _MIN_SENTENCES_ABOVE)
            ):
                self.kinds[index] = None
            above += not self.kinds[index] and _is_sentence(line)

    def label_repetitions(self) -> None:
        """Label a paragraph that stood above already."""
        seen = set[str]()
        for index in self.article_lines():
            line = self.lines[index]
            if len(line) >= _MIN_REPETITION_CHARACTERS and line in seen:
                self.kinds[index] = "repetition"
            seen.add(line)

    def label_surroundings(self) -> None:
        """Label long runs of short lines above and below the article, as menus and lists of links are.

        The article is the run of lines with the most words of sentences (Pasternack and Roth, 2009): nothing in it is
        labelled, nor what may be its headline, standfirst and byline above it, or a list, with figures or short, below.
        A text that begins with no such run and holds no line of a site is no page: its lists are its own.
        """
        places = self.article_lines()
        lines = [self.lines[index] for index in places]
        core = _densest([len(line.split()) if _is_prose(line) else -_SHORT_LINE_COST for line in lines])
        if not core or (core.start < _MIN_RUN_LINES and _OF_SITES.isdisjoint(self.kinds)):
            return
        run: list[int] = []
        for place in range(len(lines) + 1):
            if place < len(lines) and place not in core and not _is_prose(lines[place]):
                run.append(place)
                continue
            figures = [bool(_FIGURE.search(lines[short])) for short in run]
            if len(run) >= _MIN_RUN_LINES and 2 * sum(figures) < len(run):  # else a table, or a list of days or prices
                above = _MAX_BESIDE_CORE if run[0] == core.stop else 1 if run[0] else 0
                above = next((kept for kept in range(above, len(run)) if not figures[kept]), above) if above else 0
                below = _MAX_BESIDE_CORE if place == core.start else 1 if place < len(lines) else 0
                for short in run[above : len(run) - below]:
                    self.kinds[places[short]] = "navigation"
            run = []

    def label_captions(self) -> None:
        """Label the line above a photographer's credit; across a blank line only with a further sign."""
        lines, kinds = self.lines, self.kinds
        has_blank_lines = not all(lines[1:-1])
        for index in range(1, len(lines)):
            if lines[index - 1] in {"Image caption,", "Image source,"} and not kinds[index]:
                kinds[index] = "caption"
            if kinds[index] != "photo credit":
                continue
            adjoins = bool(lines[index - 1])
            above = index - 1 if adjoins else index - 2
            if above < 0 or kinds[above] or not 0 < len(lines[above]) <= _MAX_CAPTION_CHARACTERS:
                continue
            begins = above == 0 or not lines[above - 1] or bool(kinds[above - 1])
            begins = begins or lines[above - 1] in lines[: min(above - 1, _MAX_TOP_LINES)]  # the headline, repeated
            if (adjoins and begins and has_blank_lines) or CAPTION_BESIDE_CREDIT.search(lines[above]):
                kinds[above] = "caption"

    def label_bylines_and_dates(self, *, has_headline: bool) -> tuple[str, str]:
        """Label bylines and dates at the top, below at most one sentence; return the first byline and outlet."""
        byline, outlet, sentences = "", "", 0
        top = [place for place, line in enumerate(self.lines) if line and self.kinds[place] in {None, "date"}]
        del top[_MAX_TOP_LINES:]
        read = [top_line(self.lines[index]) for index in top]
        certain = [is_date_line(self.lines[index]) or _is_certain(line) for index, line in zip(top, read, strict=True)]
        for place, (index, line) in enumerate(zip(top, read, strict=True)):
            is_below = place > 0 or has_headline
            is_named_date = line and line.is_dated and is_below and place <= _MAX_NAMED_DATE_PLACE and not sentences
            if line and (is_named_date or (is_below and any(certain[max(0, place - 1) : place + 2]))):
                certain[place] = True
            if certain[place]:
                self.kinds[index] = "byline" if line and line.byline else "date"
                byline, outlet = byline or (line.byline if line else ""), outlet or (line.outlet if line else "")
            sentences += not certain[place] and _is_sentence(self.lines[index])
            if sentences > 1:
                break
        return byline, outlet

    def label_signature(self) -> tuple[str, str]:
        """The authors that a credit names, or who signed the last line, unless below a quotation; and an outlet."""
        for line, kind in zip(self.lines, self.kinds, strict=True):
            if kind == "credit" and (match := REPORTED_BY.match(line)):
                return IN_PLACE.sub("", match["who"]), ""
        *above, last = self.article_lines() or [0]
        read, match = top_line(self.lines[last]), SIGNED.match(self.lines[last])
        if not above or (match and self.lines[above[-1]].endswith(_CLOSING_MARKS)):
            return "", ""
        if match or _is_certain(read):
            self.kinds[last] = "byline"
        return (match["who"], "") if match else (read.byline, read.outlet) if read and _is_certain(read) else ("", "")

    def repeated_headline(self) -> str | None:
        """A line that stands twice at the top."""
        above: list[str] = []
        for line in (self.lines[index] for index in self.article_lines(_MAX_TOP_LINES)):
            if line in above and _could_be_headline(line):
                return line
            above.append(line)
            if sum(map(_is_sentence, above)) > 1:
                return None
        return None

    def first_headline(self) -> str | None:
        """The first line at the top that stands by itself, if a sentence follows."""
        top, headline = self.article_lines(_MAX_TOP_LINES), None
        min_words = _MIN_HEADLINE_WORDS if "navigation" in self.kinds else 0  # rests of a menu may stand above it
        for position, index in enumerate(top):
            line = self.lines[index]
            if _is_sentence(line) and not line.endswith(("?", "!")):
                return headline
            alone = index - 1 not in top and index + 1 not in top
            if (alone or (position == 0 and not self.is_wrapped(index))) and _could_be_headline(line):
                headline = headline or (line if len(line.split()) >= min_words else None)
        return None

    def is_wrapped(self, index: int) -> bool:
        """Whether a sentence goes on in the next line: its first word would not have fitted into this one."""
        below = [line for line in self.raw[index + 1 : index + 4] if line.strip()]
        return not below or len(self.raw[index]) + 1 + len(below[0].split()[0]) > max(map(len, below))

    def label_navigation(self, headline: str) -> None:
        """Label the lines of at most three words above the headline: "Home", "World news"."""
        for index in self.article_lines(_MAX_TOP_LINES):
            line = self.lines[index]
            if line == headline or len(line.split()) > _MAX_MENU_WORDS or _SENTENCE_END.search(line):
                return
            self.kinds[index] = "navigation"

    def label_headlines(self, headline: str) -> None:
        """Label every line that repeats the headline, without its outlet or beyond the place where it was cut off."""
        whole = _words(headline)
        without_outlet = _words(re.split(r"\s[|–—-]\s", headline)[0])
        cut_off = headline.rstrip().endswith(("…", "...")) and len(whole.split()) >= _MIN_HEADLINE_WORDS
        for index in self.article_lines():
            line = self.lines[index]
            if len(line) > _MAX_CAPTION_CHARACTERS or _NOT_HEADLINE_END.search(line) or not (words := _words(line)):
                continue
            if words in {whole, without_outlet} or (cut_off and words.startswith(whole)):
                self.kinds[index] = "headline"

    def label_links_at_end(self) -> None:
        """Label the headlines under "Related stories" if only such lines follow to the end of the page."""
        end = len(self.lines)
        for index in reversed(range(end)):
            line, kind = self.lines[index], self.kinds[index]
            if kind == "related" and LINKS_HEADING.match(line):
                for below in range(index + 1, end):
                    self.kinds[below] = self.kinds[below] or ("related" if self.lines[below] else None)
                end = index
            elif line and not kind and (len(line) > _MAX_HEADLINE_CHARACTERS or _FULL_STOP.search(line)):
                return

    def body(self) -> str:
        """The lines of the article; a blank line takes the place of boilerplate."""
        kept = ["" if kind or not line.strip() else line for line, kind in zip(self.raw, self.kinds, strict=True)]
        body = "\n\n".join(paragraph.strip() for paragraph in re.split(r"\n{2,}", "\n".join(kept).strip("\n")))
        return re.sub(r"^[–—]\s+", "", body)  # the rest of a removed dateline

    def boilerplate(self) -> tuple[Boilerplate, ...]:
        """The lines of boilerplate, in order."""
        pieces = zip(self.kinds, self.lines, strict=True)
        return tuple(Boilerplate(kind, line) for kind, line in pieces if kind)


def _kind(line: str) -> str | None:
    if not line or len(line) > _MAX_LINE_CHARACTERS:
        return None
    if not any(character.isalnum() for character in line):
        return "separator"
    if is_labelled_date(line):
        return "date"
    return next((kind for kind, pattern in PATTERNS if pattern.search(line)), None)


def _is_certain(line: TopLine | None) -> bool:
    """Whether a line is of authors or an outlet wherever it stands."""
    return bool(line and (line.byline or (line.is_dated and line.outlet)))


def _is_sentence(line: str) -> bool:
    """Whether a line is prose, so that the top of the page has ended."""
    is_long = len(line) > _MAX_HEADLINE_CHARACTERS
    return is_long or (len(line.split()) >= _MIN_SENTENCE_WORDS and bool(_SENTENCE_END.search(line)))


def _is_prose(line: str) -> bool:
    """As :func:`_is_sentence`; also of languages that put no spaces between words."""
    return _is_sentence(line) or (len(line) >= _MIN_UNSPACED_CHARACTERS and line.endswith(("。", "！", "？", "」")))


def _densest(scores: list[int]) -> range:
    """The places of the run with the highest sum (Kadane); empty if none is above 0."""
    best, best_sum, start, running = range(0), 0, 0, 0
    for place, score in enumerate(scores):
        if running <= 0:
            start, running = place, 0
        running += score
        if running > best_sum:
            best, best_sum = range(start, place + 1), running
    return best


def _could_be_headline(line: str) -> bool:
    """Whether a line is short and has no full stop; two or three words, all capitalised, may be a person's name."""
    words = line.split()
    enough = len(words) >= _MIN_HEADLINE_WORDS or (len(words) > 1 and any(word.islower() for word in words))
    return enough and len(line) <= _MAX_HEADLINE_CHARACTERS and not _NOT_HEADLINE_END.search(line)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
