"""Lines as they stand on a page, joined to paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_FULL_SHARE = 0.8  # of the usual width: a shorter line with a full stop ends its paragraph
_SENTENCE_END = re.compile(r"[.!?:…][\"'”’»)\]]*$")


def paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """Join lines to paragraphs, which end with a short line: one that ends a sentence, or that stands alone."""
    widths = sorted(map(len, lines))
    full = _FULL_SHARE * widths[len(widths) * 3 // 4] if widths else 0
    paragraph = ""
    for line in lines:
        if paragraph.endswith(("\ufffe", "\xad", "\x02")) or (
            re.search(r"[a-zß-ÿ]-$", paragraph) and line[0].islower()
        ):  # how pdfium marks the hyphen of a word that goes on
            paragraph = paragraph[:-1] + line
        else:
            paragraph = f"{paragraph} {line}" if paragraph else line
        if len(line) < full and (_SENTENCE_END.search(line) or paragraph == line):
            yield paragraph
            paragraph = ""
    if paragraph:
        yield paragraph
