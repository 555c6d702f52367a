"""Make untrusted text safe to show: in a terminal, in Slack, on a page."""

import math
import re

from index.models import Source

MAX_OUTLETS_SHOWN = 10

# A terminal sequence (a title set by OSC, a colour by CSI) is removed whole, so that no "[31m" stays. `strip_invisible`
# removes the control characters of an incomplete sequence.
_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b\x9c\n]{0,500}(?:\x07|\x1b\\|\x9c)|(?:\x1b\[|\x9b)[0-?]{0,50}[ -/]{0,5}[@-~]|\x1b[ -/]{0,5}[0-~]"
)


def safe(text: str) -> str:
    r"""Remove control and invisible formatting characters, keep line ends: ``"\x1b[31mred\x07" -> "red"``.

    A lone surrogate (in a file name that is not UTF-8) becomes a replacement character.
    """
    if text.isascii() and text.isprintable():
        return text
    from index.formats.decode import replace_surrogates  # heavy, and seldom needed: `--help` is to be quick
    from index.text import strip_invisible

    return strip_invisible(str(replace_surrogates(_ESCAPES.sub("", text)))).expandtabs(4)


def one_line(text: str) -> str:
    """Make text safe and collapse its white space, for a headline or a displayed quote."""
    return " ".join(safe(text).split())


def counted(number: int, noun: str) -> str:
    """Format a count: ``1 chunk``, ``2 chunks``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """Format a number of bytes: ``12 kB``, ``2.3 MB``."""
    kilobytes = math.ceil(number / 1_000)
    return f"{kilobytes} kB" if kilobytes < 1_000 else f"{number / 1e6:.1f} MB"  # noqa: PLR2004  # what k and M mean


def title(source: Source) -> str:
    """Format a source on one line: ``Bridge reopens · The Courier · 2024-01-03``."""
    return " · ".join(title_parts(source))


def title_parts(source: Source) -> list[str]:
    """Return headline, outlet and day."""
    outlet = [one_line(source.outlet)] if source.outlet else []
    return [one_line(source.headline) or "(no headline)", *outlet, day_of(source)]


def day_of(source: Source) -> str:
    """Format the publication date: ``2024-01-03 (uncertain)``, ``no date``."""
    if source.published is None:
        return "no date"
    return f"{source.published.isoformat()}{'' if source.published_certain else ' (uncertain)'}"
