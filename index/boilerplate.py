"""What on a page is not the article: captions, credits, links to other stories, notices of the site.

Only whole lines are taken, short ones, and by strong signs (index/signs.py): a line of boilerplate that is kept costs
little, a sentence that is lost may have been the answer.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from index.models import Boilerplate
from index.signs import (
    BESIDE_DATE,
    BYLINE,
    CAPTION,
    CREDIT_AT_END,
    DATE_LABEL,
    HAS_DATE,
    HEADING_OVER_LINKS,
    SIGNS,
)

_LONGEST = 450  # a longer line is prose, whatever it begins or ends with
_LONGEST_CAPTION = 300
_LONGEST_HEADLINE = 200
_TOP = 15  # bylines, dates and headlines stand among so many lines from the top
_FEWEST_OF_SENTENCE, _FEWEST_OF_HEADLINE, _MOST_OF_MENU = 8, 4, 3  # words

_FULL_STOP = re.compile(r"[.!…]['\"”’)\]]*$")
_STOP = re.compile(r"(?<!\.\.)[.!?]['\"”’)\]]*$")  # not "…": so end headlines that were cut off
_NO_HEADLINE = re.compile(r"(?:(?<!\.\.)\.|[,;:–—])$")


class Parted(NamedTuple):
    """A page, parted: what the article says, and everything else."""

    body: str
    headline: str | None
    byline: str | None
    boilerplate: tuple[Boilerplate, ...]


def part(text: str, headline: str | None, *, find_headline: bool) -> Parted:
    """Part the article of a page from its boilerplate.

    ``headline`` is the known one; where there is none and ``find_headline`` is set, a line at the top may be it.
    The paragraphs of the body stand in ``text`` to the letter, in order. A text that would be taken away whole
    is kept whole.
    """
    lines = CREDIT_AT_END.sub("\n", text).split("\n")
    kinds = [_kind(line.strip()) for line in lines]
    _take_wrapped_credits(lines, kinds)
    if not headline and find_headline:
        _spare_first_line(lines, kinds)
        headline = _repeated(lines, kinds)
    _take_captions(lines, kinds)
    byline = _take_top(lines, kinds)
    if not headline and find_headline:
        headline = _first_line(lines, kinds)
    if headline and find_headline:
        _take_navigation(lines, kinds, headline)
    if headline:
        _take_headlines(lines, kinds, headline)
    _take_links_at_end(lines, kinds)
    body = _body(lines, kinds)
    if not body:
        return Parted(text.strip(), headline, byline, ())
    taken = tuple(Boilerplate(kind, line.strip()) for line, kind in zip(lines, kinds, strict=True) if kind)
    return Parted(body, headline, byline, taken)


def _kind(line: str) -> str | None:
    if not line or len(line) > _LONGEST:
        return None
    if not any(character.isalnum() for character in line):
        return "separator"
    if DATE_LABEL.match(line) and _is_date(line):
        return "date"
    return next((kind for kind, sign in SIGNS if sign.search(line)), None)


def _is_date(line: str) -> bool:
    return len(line) <= _LONGEST_HEADLINE and bool(HAS_DATE.search(line)) and not BESIDE_DATE.sub("", line)


def _is_prose(line: str) -> bool:
    """Whether a line reads as a sentence of the story: where one stands, the top of the page has ended."""
    return len(line) > _LONGEST_HEADLINE or (len(line.split()) >= _FEWEST_OF_SENTENCE and bool(_STOP.search(line)))


def _left(lines: list[str], kinds: list[str | None]) -> list[int]:
    return [index for index, line in enumerate(lines) if line.strip() and not kinds[index]]


def _take_wrapped_credits(lines: list[str], kinds: list[str | None]) -> None:
    """A credit in brackets that is wrapped over two or three lines."""
    for start, line in enumerate(lines):
        for end in (start + 2, start + 3):
            if line.lstrip().startswith("(") and end <= len(lines) and lines[end - 1].rstrip().endswith(")"):
                whole = " ".join(part.strip() for part in lines[start:end])
                if _kind(whole) == "credit" and all(part.strip() for part in lines[start:end]):
                    kinds[start:end] = ["credit"] * (end - start)


def _take_captions(lines: list[str], kinds: list[str | None]) -> None:
    """The line above a photographer's credit; where a blank line parts them, only with a further sign."""
    parted_by_blanks = any(not line.strip() for line in lines[1:-1])
    for index in range(1, len(lines)):
        if lines[index - 1].strip() in {"Image caption,", "Image source,"} and not kinds[index]:
            kinds[index] = "caption"
        if kinds[index] != "photo credit":
            continue
        above = index - 1
        adjoins = bool(lines[above].strip())
        if not adjoins:
            above -= 1
        if above < 0 or kinds[above] or not 0 < len(lines[above].strip()) <= _LONGEST_CAPTION:
            continue
        begins = above == 0 or not lines[above - 1].strip() or bool(kinds[above - 1])
        begins = begins or lines[above - 1] in lines[: min(above - 1, _TOP)]  # the headline, repeated
        if (adjoins and begins and parted_by_blanks) or CAPTION.search(lines[above].strip()):
            kinds[above] = "caption"


def _take_top(lines: list[str], kinds: list[str | None]) -> str | None:
    """Bylines and dates at the top, under one line of summary at most; the first byline is returned."""
    byline, sentences = None, 0
    for index in _left(lines, kinds)[:_TOP]:
        line = lines[index].strip()
        if match := BYLINE.match(line):
            kinds[index], byline = "byline", byline or match["who"]
        elif _is_date(line):
            kinds[index] = "date"
        sentences += not kinds[index] and _is_prose(line)
        if sentences > 1:
            break
    return byline


def _spare_first_line(lines: list[str], kinds: list[str | None]) -> None:
    """What would be a link further down, as "EXCLUSIVE: Minister to go", is the headline on top of a page."""
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if kinds[first] == "related" and _could_be_headline(lines[first].strip()):
        kinds[first] = None


def _repeated(lines: list[str], kinds: list[str | None]) -> str | None:
    """A line that stands twice at the top."""
    top: list[str] = []
    for index in _left(lines, kinds)[:_TOP]:
        line = lines[index].strip()
        if line in top and _could_be_headline(line):
            return line
        top.append(line)
        if sum(map(_is_prose, top)) > 1:
            break
    return None


def _first_line(lines: list[str], kinds: list[str | None]) -> str | None:
    """A line at the top that stands by itself and is followed by prose."""
    left = _left(lines, kinds)[:_TOP]
    found = None
    for place, index in enumerate(left):
        line = lines[index].strip()
        if _is_prose(line) and not line.endswith(("?", "!")):
            return found
        alone = (index - 1 not in left and index + 1 not in left) or (place == 0 and not _wraps(lines, index))
        if alone and _could_be_headline(line):
            found = found or line
    return None


def _could_be_headline(line: str) -> bool:
    """Whether a line is short and has no full stop; of two or three words, all capitalised, it may be a name."""
    words = line.split()
    enough = len(words) >= _FEWEST_OF_HEADLINE or (len(words) > 1 and any(word.islower() for word in words))
    return enough and len(line) <= _LONGEST_HEADLINE and not _NO_HEADLINE.search(line)


def _wraps(lines: list[str], index: int) -> bool:
    """Whether a line goes on in the next: where the lines below are longer, its next word would have fitted."""
    below = [line for line in lines[index + 1 : index + 4] if line.strip()]
    first_word = below[0].split()[0] if below else ""
    return not below or len(lines[index]) + 1 + len(first_word) > max(map(len, below))


def _take_headlines(lines: list[str], kinds: list[str | None], headline: str) -> None:
    whole = _bare(headline)
    alone = _bare(re.split(r"\s[|–—-]\s", headline)[0])  # "Headline | Outlet"
    cut = headline.rstrip().endswith(("…", "..."))
    for index in _left(lines, kinds):
        line = lines[index].strip()
        if len(line) > _LONGEST_CAPTION or _NO_HEADLINE.search(line):
            continue
        bare = _bare(line)
        if bare and (
            bare in {whole, alone} or (cut and len(whole.split()) >= _FEWEST_OF_HEADLINE and bare.startswith(whole))
        ):
            kinds[index] = "headline"


def _take_navigation(lines: list[str], kinds: list[str | None], headline: str) -> None:
    """Lines of three words at most above the headline: "Home", "World news"."""
    for index in _left(lines, kinds)[:_TOP]:
        line = lines[index].strip()
        if line == headline or len(line.split()) > _MOST_OF_MENU or _STOP.search(line):
            return
        kinds[index] = "navigation"


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _take_links_at_end(lines: list[str], kinds: list[str | None]) -> None:
    """Headlines under "Related stories", where nothing but such lines follows to the end of the page."""
    end = len(lines)
    for index in reversed(range(len(lines))):
        line = lines[index].strip()
        if kinds[index] == "related" and HEADING_OVER_LINKS.match(line):
            for below in range(index + 1, end):
                if lines[below].strip() and not kinds[below]:
                    kinds[below] = "related"
            end = index
        elif line and not kinds[index] and (len(line) > _LONGEST_HEADLINE or _FULL_STOP.search(line)):
            return


def _body(lines: list[str], kinds: list[str | None]) -> str:
    paragraphs: list[list[str]] = [[]]
    for line, kind in zip(lines, kinds, strict=True):
        if kind or not line.strip():
            paragraphs.append([])
        else:
            paragraphs[-1].append(line)
    body = "\n\n".join("\n".join(paragraph).strip() for paragraph in paragraphs if paragraph)
    return re.sub(r"^[–—]\s+", "", body)  # what a removed dateline left
