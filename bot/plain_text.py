"""Untrusted text made fit to show: on a terminal, in Slack, on a page."""

from __future__ import annotations

import re
import unicodedata

from index.models import Source

MAX_OUTLETS_SHOWN = 10

# Terminal sequences go as a whole (a title set by OSC, a colour by CSI), so that no "[31m" is left of them. What of
# one is left is made harmless below, by its control characters.
_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b\x9c\n]{0,500}(?:\x07|\x1b\\|\x9c)|(?:\x1b\[|\x9b)[0-?]{0,50}[ -/]{0,5}[@-~]|\x1b[ -/]{0,5}[0-~]"
)
_JOINERS = "\u200c\u200d"  # they shape Persian, Indic scripts and emoji, and hide nothing


def safe(text: str) -> str:
    r"""Text that a terminal can only show: ``"\x1b[31mred\x07 \u202etxt" -> "red txt"``. Line ends stay.

    Control and invisible formatting characters go, bidi overrides among them; a lone surrogate, as in the name of
    a file that is no UTF-8, becomes a replacement character.
    """
    if text.isascii() and text.isprintable():
        return text
    text = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", _ESCAPES.sub("", text)).expandtabs(4)
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    if character == "\n" or character in _JOINERS:
        return character
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    return "" if category in ("Cc", "Cf") else character


def one_line(text: str) -> str:
    """Safe text with its white space collapsed, for what must not break a line: a headline, a displayed quote."""
    return " ".join(safe(text).split())


def title(source: Source) -> str:
    """A source in one line: ``Bridge reopens · The Courier · 2024-01-03``."""
    return " · ".join(title_parts(source))


def title_parts(source: Source) -> list[str]:
    """Return headline, outlet and day."""
    outlet = [one_line(source.outlet)] if source.outlet else []
    return [one_line(source.headline) or "(no headline)", *outlet, day_of(source)]


def day_of(source: Source) -> str:
    """Return the publication date, marked if it is uncertain: ``2024-01-03 (uncertain)``."""
    if source.published is None:
        return "no date"
    return f"{source.published.isoformat()}{'' if source.published_certain else ' (uncertain)'}"
