"""Take footnote marks out of a text, and keep its exponents and indices: "14<sup>2</sup> euros" is not 142 euros.

``"14<sup>2</sup> euros" -> "14 euros"``, ``"30 km<sup>2</sup>" -> "30 km²"``, ``"CO<sub>2</sub>" -> "CO₂"``
"""

from __future__ import annotations

import html
import re

_MAX_BEFORE_CHARACTERS = 200  # of a page, in which the word before an element is looked for
# Linear: at most nine tags stand inside an element, and another <sup> ends it.
_ELEMENT = re.compile(
    r"<(?P<tag>su[pb])\b[^<>]{0,300}>"
    r"(?P<inside>(?:[^<]{0,40}<(?!/?su[pb]\b)[^<>]{0,300}>){0,9}[^<]{0,40})</(?P=tag)\s*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]{0,300}>")
_IS_NOTE = re.compile(r"<a\b|\b(?:foot|end)?note|\breference\b|\bcite|\bfn", re.IGNORECASE)
_NUMBER = re.compile(r"[+−-]?\d{1,3}[+−-]?|[+−-]")  # also the charge of an ion
_UNIT = r"(?<![^\W\d_])(?<!['’])(?:[kcdmnµμ]?m|ft|mi|yd|mc|[b-zB-Z])"  # also a variable: x², E = mc²
_BASE = re.compile(rf"{_UNIT}$|(?<![\d.,])10$")
_MONEY = re.compile(r"[£$€¥]\s?[\d.,]{1,20}m$")
_SUPERSCRIPTS = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_SUBSCRIPTS = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
_MARKDOWN_MARK = re.compile(r"\[\^[^\s\[\]]{1,40}\](?::[ \t]*)?")
_MARK = re.compile(rf"(?:(?P<base>{_UNIT})|(?<=[^\W\d_]{{2}})|(?<=[.,;:!?”’\"')]))[⁰¹²³⁴-⁹]{{1,3}}(?![⁰¹²³⁴-⁹⁺⁻]|\w)")


def plain_scripts(page: str) -> str:
    """Replace the <sup> and <sub> elements of HTML or Markdown by what a reader takes them for."""
    return _ELEMENT.sub(_plain_script, page)


def _plain_script(element: re.Match[str]) -> str:
    inside = html.unescape(_TAG.sub("", element["inside"])).strip()
    if _IS_NOTE.search(element.group()):
        return ""
    start = element.start()
    before = _TAG.sub("", element.string[max(0, start - _MAX_BEFORE_CHARACTERS) : start])
    if element["tag"].lower() == "sub":
        return inside.translate(_SUBSCRIPTS) if _NUMBER.fullmatch(inside) else inside
    if _NUMBER.fullmatch(inside):
        is_exponent = _BASE.search(before) and not _MONEY.search(before)
        return inside.translate(_SUPERSCRIPTS) if is_exponent or not inside.isdigit() else ""
    is_word = inside.isalpha() and (len(inside) > 1 or before[-1:].isdigit())  # "1st", "2e", "™"
    return inside if is_word else ""


def without_markdown_marks(text: str) -> str:
    """Remove the footnote marks of Markdown; the text of a note stays: "40[^1] came" -> "40 came"."""
    return _MARKDOWN_MARK.sub("", text)


def without_marks(text: str) -> str:
    """Remove raised numbers after a word or a full stop: ``"the mayor² said.¹" -> "the mayor said."``, not "km²"."""
    return _MARK.sub(lambda mark: mark.group() if mark["base"] else "", text)
