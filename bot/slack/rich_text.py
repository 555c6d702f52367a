"""Untrusted text as text that Slack can only show, whatever an article, a headline or a language model put into it.

Blocks get rich_text elements, which Slack does not parse. It does parse a message's ``text`` ("mrkdwn") and a stream
(Markdown). "mrkdwn" has no escape for an asterisk, so invisible word joiners break up what would be markup.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, chain
from urllib.parse import urlsplit

from slack_sdk.models import blocks as kit

from bot.plain_text import one_line, safe
from index.text import paragraphs, sentences

WORD_JOINER = "\u2060"
MAX_URL_CHARACTERS = 3000  # of a link element

_FORMATTING = re.compile(r"[*_~`＊＿～｀]")
_QUOTATION = re.compile(r"^(?=[>＞])", re.MULTILINE)
# The first character of an emoji code, an address or a mention, and the dots in a host name.
_SIGN = re.compile(r"[:@#](?=\S)|\.(?=[^\W\d])")
_ANY_SIGN = re.compile(r"[<:@#.](?!\s)")
_INLINE = re.compile(r"[*_~`\\]")
_LINK_SYNTAX = re.compile(r"\](?=[(\[:]|\Z)|[!\[](?=[\[^]|\Z)")  # Markdown links, images and footnotes
_BLOCK_SYNTAX = re.compile(r"^(?=[#>|=+\d-])", re.MULTILINE)  # Markdown headings, lists, quotations and tables
_INDENTATION = re.compile(r" {2,}|(?<=\n) +")
_ESCAPED_BYTES = {"&": 5, "<": 4, ">": 7, "＞": 6, ":": 4, "@": 4, "#": 4, ".": 4, **dict.fromkeys("*_~`", 7)}
_ESCAPED_BYTES |= dict.fromkeys("＊＿～｀", 9)


def literal(text: str, *, bold: bool = False) -> list[kit.RichTextElement]:
    """Return text as a rich_text element; an empty list if there is nothing to show."""
    text = safe(text)
    style = kit.RichTextElementParts.TextStyle(bold=True) if bold else None
    return [kit.RichTextElementParts.Text(text=text, style=style)] if text else []


def linked(text: str, url: str | None) -> list[kit.RichTextElement]:
    """Return text as a link, or as plain text if the url is not a web address."""
    text = one_line(text)
    if url and text and is_web_address(url):
        return [kit.RichTextElementParts.Link(url=url, text=text)]
    return literal(text)


def is_web_address(url: str) -> bool:
    """Whether a url is http(s) with a host, without user name, white space, controls or characters that end a link."""
    if len(url) > MAX_URL_CHARACTERS or safe(url) != url or re.search(r'[\s<>|"\\`]', url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:  # "http://[x"
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def section(*runs: Sequence[kit.RichTextElement]) -> kit.RichTextSectionElement:
    """Join runs of elements into a section of rich text."""
    return kit.RichTextSectionElement(elements=list(chain.from_iterable(runs)))


def text_block(*runs: Sequence[kit.RichTextElement], block_id: str | None = None) -> kit.RichTextBlock:
    """Make a block of one section."""
    return kit.RichTextBlock(block_id=block_id, elements=[section(*runs)])


def plain(text: str) -> kit.PlainTextObject:
    """Text for labels and context lines; emoji codes stay letters."""
    return kit.PlainTextObject(text=one_line(text), emoji=False)


def shortened(text: str, max_characters: int) -> str:
    """One line, cut at a word: ``("a bridge reopens", 12) -> "a bridge…"``."""
    text = one_line(text)
    if len(text) <= max_characters:
        return text
    cut = text[:max_characters]
    return (cut[: cut.rfind(" ")] if " " in cut[max_characters // 2 :] else cut[:-1]).rstrip(" ,;:–—-") + "…"


def escaped(text: str) -> str:
    """Text for a message's ``text``: shown to the letter, without pings, links, emoji or formatting.

    ``& < >`` become entities, the only escape that Slack has; word joiners break up the rest.
    """
    text = _FORMATTING.sub(rf"{WORD_JOINER}\g<0>{WORD_JOINER}", safe(text))
    text = _QUOTATION.sub(WORD_JOINER, _SIGN.sub(rf"\g<0>{WORD_JOINER}", text))
    return html.escape(text, quote=False)


def unescaped(text: str) -> str:
    """Undo ``escaped``."""
    return html.unescape(text.replace(WORD_JOINER, ""))


def streamed(text: str) -> str:
    r"""Text for the ``markdown_text`` of a stream: ``"*1* <b> [2]." -> "\*1\* &lt;b&gt; [2]."``.

    Safe for any slice of an answer: text before or after it does not turn it into markup. Markup gets word joiners,
    and backslashes only where joiners do not help; prose with citation numbers is unchanged.
    """
    text = _ANY_SIGN.sub(rf"\g<0>{WORD_JOINER}", safe(text))
    text = _INDENTATION.sub(lambda spaces: "\u00a0" * len(spaces.group()), text)  # four spaces would begin code
    text = _LINK_SYNTAX.sub(rf"\g<0>{WORD_JOINER}", _INLINE.sub(r"\\\g<0>", text))
    return html.escape(_BLOCK_SYNTAX.sub(WORD_JOINER, text), quote=False)


def text_of(block: object) -> str:
    """Text of a rich_text or context block in JSON; sections on separate lines. "" for anything else."""
    if not isinstance(block, Mapping):
        return ""
    if isinstance(text := block.get("text"), str):
        return text
    elements = block.get("elements")
    texts = [text_of(element) for element in elements] if isinstance(elements, list) else []
    if block.get("type") == "rich_text_list":
        return "\n".join(f"• {text}" for text in texts)
    return ("\n" if block.get("type") in ("rich_text", "context") else "").join(texts)


def size(text: str) -> int:
    """Upper bound of the UTF-8 bytes of the ``escaped`` text; additive over slices of it.

    Slack was seen to count bytes where its documentation says characters.
    """
    return sum(map(_escaped_bytes, text))


def split(text: str, max_size: int) -> list[str]:
    """Split text into parts of at most ``max_size`` (see `size`) that join to the same text.

    Cuts before a paragraph if one begins within reach, else before a sentence, else before a word, else anywhere.
    """
    if size(text) <= max_size:
        return [text] if text else []
    words = [gap.end() for gap in re.finditer(r"\s+", text)]
    levels = ([span.start for span in paragraphs(text)], [span.start for span in sentences(text)], words)
    sizes, parts, start = [0, *accumulate(map(_escaped_bytes, text))], [], 0
    while sizes[-1] - sizes[start] > max_size:
        furthest = max(bisect_right(sizes, sizes[start] + max_size) - 1, start + 1)
        cuts = (cuts[position - 1] for cuts in levels if (position := bisect_right(cuts, furthest)))
        end = next((cut for cut in cuts if cut > start), furthest)
        parts.append(text[start:end])
        start = end
    return [*parts, text[start:]]


def _escaped_bytes(character: str) -> int:
    return _ESCAPED_BYTES.get(character) or len(character.encode("utf-8", "surrogatepass"))
