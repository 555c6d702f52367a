"""Text that Slack can only show, whatever an article, a headline or a language model put into it.

Blocks get rich_text elements, which Slack does not parse. A message's ``text`` and a stream are parsed (as Slack's
"mrkdwn" and as Markdown), and there is no official way to write an asterisk in the first: what would be markup is
taken apart by an invisible word joiner.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from urllib.parse import urlsplit

from slack_sdk.models.blocks import PlainTextObject, RichTextElement, RichTextElementParts, RichTextSectionElement

from bot.plain_text import one_line, safe
from index.text import paragraphs, sentences

JOINER = "\u2060"
LONGEST_URL = 3000

_FORMATTING = re.compile(r"[*_~`＊＿～｀]")
_QUOTATION = re.compile(r"^(?=[>＞])", re.MULTILINE)
# What begins an emoji, an address, a mention of a person or of a channel, or the end of a host's name.
_SIGN = re.compile(r"[:@#](?=\S)|\.(?=[^\W\d])")
_ANY_SIGN = re.compile(r"[<:@#.](?!\s)")
_INLINE = re.compile(r"[*_~`\\]")
_LINKED = re.compile(r"\](?=[(\[:]|\Z)|[!\[](?=[\[^]|\Z)")  # what makes links, images and footnotes of Markdown
_BLOCK = re.compile(r"^(?=[#>|=+\d-])", re.MULTILINE)  # what begins a heading, list, quotation or table
_INDENTING = re.compile(r" {2,}|(?<=\n) +")
_COST = {"&": 5, "<": 4, ">": 7, "＞": 6, ":": 4, "@": 4, "#": 4, ".": 4, **dict.fromkeys("*_~`", 7)}
_COST |= dict.fromkeys("＊＿～｀", 9)


def literal(text: str, *, bold: bool = False) -> list[RichTextElement]:
    """Text as elements of rich_text, letter for letter; none where nothing can be shown of it."""
    text = safe(text)
    style = RichTextElementParts.TextStyle(bold=True) if bold else None
    return [RichTextElementParts.Text(text=text, style=style)] if text else []


def linked(text: str, url: str | None) -> list[RichTextElement]:
    """Text as a link to an article, or without one where its url is no plain http(s) address."""
    text = one_line(text)
    if url and text and is_address(url):
        return [RichTextElementParts.Link(url=url, text=text)]
    return literal(text)


def is_address(url: str) -> bool:
    """Whether a url is http(s) with a host, and holds nothing that misleads or breaks out: no user, space, control."""
    if len(url) > LONGEST_URL or safe(url) != url or re.search(r'[\s<>|"\\`]', url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:  # "http://[x"
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def section(*elements: Sequence[RichTextElement]) -> RichTextSectionElement:
    """A line, or a run of paragraphs, of rich text."""
    return RichTextSectionElement(elements=[each for some in elements for each in some])


def plain(text: str) -> PlainTextObject:
    """Text for a label or a faint line; emoji codes stay letters."""
    return PlainTextObject(text=one_line(text), emoji=False)


def shortened(text: str, most: int) -> str:
    """One line of at most so many characters, cut at a word: ``("a bridge reopens", 12) -> "a bridge…"``."""
    text = one_line(text)
    if len(text) <= most:
        return text
    cut = text[:most]
    return (cut[: cut.rfind(" ")] if " " in cut[most // 2 :] else cut[:-1]).rstrip(" ,;:–—-") + "…"


def escaped(text: str) -> str:
    """Text for a message's ``text``: ``"<!here> *R&D* a@b.c"`` is shown like this, and pings, links, formats nothing.

    ``& < >`` become entities. Slack has no other escape, so that word joiners part what would be read as markup.
    """
    text = _FORMATTING.sub(rf"{JOINER}\g<0>{JOINER}", safe(text))
    text = _QUOTATION.sub(JOINER, _SIGN.sub(rf"\g<0>{JOINER}", text))
    return html.escape(text, quote=False)


def unescaped(text: str) -> str:
    """What ``escaped`` text says."""
    return html.unescape(text.replace(JOINER, ""))


def streamed(text: str) -> str:
    r"""Text for the ``markdown_text`` of a stream: ``"*1* <b> [2]." -> "\*1\* &lt;b&gt; [2]."``.

    It may be any piece of an answer: nothing that stands before or after it makes markup of it. Prose with the numbers
    of its sources goes out as it is; markup gets word joiners, and backslashes only where those do not do.
    """
    text = _ANY_SIGN.sub(rf"\g<0>{JOINER}", safe(text))
    text = _INDENTING.sub(lambda spaces: "\u00a0" * len(spaces.group()), text)  # four spaces would begin code
    text = _LINKED.sub(rf"\g<0>{JOINER}", _INLINE.sub(r"\\\g<0>", text))
    return html.escape(_BLOCK.sub(JOINER, text), quote=False)


def size(text: str) -> int:
    """The most UTF-8 bytes that a text can have once it is ``escaped``.

    Bytes, because Slack was seen to count those where it says characters. It adds up: the size of a text is that
    of its parts.
    """
    return sum(map(_cost, text))


def split(text: str, most: int) -> list[str]:
    """Parts of at most ``most`` in ``size``, which joined are the text to the letter.

    Cut before a paragraph where there is one, else before a sentence, else before a word, else anywhere.
    """
    if size(text) <= most:
        return [text] if text else []
    words = [gap.end() for gap in re.finditer(r"\s+", text)]
    levels = ([span.start for span in paragraphs(text)], [span.start for span in sentences(text)], words)
    reach, parts, start = [0, *accumulate(map(_cost, text))], [], 0
    while reach[-1] - reach[start] > most:
        furthest = max(bisect_right(reach, reach[start] + most) - 1, start + 1)
        cuts = (_last(cuts, furthest) for cuts in levels)
        end = next((cut for cut in cuts if cut > start), furthest)
        parts.append(text[start:end])
        start = end
    return [*parts, text[start:]]


def _last(cuts: Sequence[int], furthest: int) -> int:
    """The last of the cuts that is within reach."""
    position = bisect_right(cuts, furthest)
    return cuts[position - 1] if position else 0


def _cost(character: str) -> int:
    return _COST.get(character) or len(character.encode("utf-8", "surrogatepass"))
