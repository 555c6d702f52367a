r"""The citation marks of a language model's draft, in whatever dress -> ``[1][2]``.

A group of marks, in Backus and Naur's form; each form is a line of the table below, and all are read in one pass:

    group   = mark { [","] mark }
    mark    = square | wrapped | round | braced | raised | prose | sentence
    square  = "[" list [name] "]" [link]        [1]  [1, 2]  [citation:1]  [doc1]  【1†L3】  \[1\]  [^1]  [1](url)
    wrapped = "(" [head] square { square } ")"  ([1], [2])  [[1]](url)  (Source: Northern Post [1])
    round   = "(" [head] word list ")"          (Source: 1)  (see passages 1 and 2);  (1) at the end of a sentence
    braced  = ["\" command] "{" list "}"        {1}  \cite{1}
    raised  = "^" list | superscript            ^1  ^{1}  ¹  ①;  <sup>1</sup> is ^{1} by then
    prose   = "passage" number                  According to passage 1, …
    list    = item { ("," | "-" | "and") item },  item = { word } number
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

MAX_MARK_CHARACTERS = 120  # of a mark without its link
_OPEN, _CLOSE = "\ue000", "\ue001"  # "[" and "]" of a mark: private characters, which no draft holds any more
_MAX_RANGE = 20  # numbers of a mark such as [1-99]

_NUMBER = r"\d{1,2}(?!\d)"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b"
_WORD = rf"(?!{_MONTH})[^\W\d_]{{1,12}}"  # "citation", "doc", "S": a word in brackets before a number, in any language
_SIGN = r"[#^@№*†]{0,2}"
_ITEM = rf"(?:{_SIGN}{_WORD}[\s.:_#№-]{{0,2}}){{0,2}}{_SIGN}{_NUMBER}[\^*.↩]{{0,2}}(?!\s?(?!(?:and|to)\b)[^\W\d_])"
_JOIN = r"\s?(?:[,;/&–—-]|and|to)\s?"
_PLACE = r"(?:para|sent|line|page|pp?\b|§)"  # in a passage: "[Passage 1, para 2]"
_LIST = rf"{_ITEM}(?:{_JOIN}(?!{_PLACE}){_ITEM}){{0,5}}"
_NAME = r"\s?[:,†][^\[\](){}【】\n]{1,40}"
_LINK = r"\([^()\n]{0,300}\)"
_CUE = r"(?:(?:see|from|cf\.?|per|via)\s)?"
_HEAD = rf"{_CUE}(?:(?:sources?|passages?|doc(?:ument)?s?|ref(?:erence)?s?)\s?:?\s?)?"
_SQUARE = rf"\\{{0,2}}[\[［【〔]\s?{_LIST}(?:{_NAME})?\s?\\{{0,2}}[\]］】〕](?:{_LINK})?"
_SQUARES = rf"{_SQUARE}(?:{_JOIN}{_SQUARE}|\s?{_SQUARE}){{0,9}}"
_BARE = rf"[(（]\s?{_NUMBER}(?:[,;]\s?{_NUMBER}){{0,9}}\s?[)）]"
_NO_POWER = r"(?<!\d)(?<!\b\w)(?<!\b[kcdmnµ]m)(?<!\b(?:ft|mi|yd|mc))"  # 10^6, x², 30 km²
_FORMS = {
    "wrapped": rf"[\[(（]\s?{_HEAD}(?:(?<=:\s)[^\[\](){{}}\d\n]{{1,40}}\s)?{_SQUARES}\s?[\])）](?:{_LINK})?",
    "square": _SQUARE,
    "round": rf"[(（]\s?{_CUE}(?=passage|source|doc|cit|ref){_LIST}(?:{_NAME})?\s?[)）]",
    "bare": rf"{_BARE}(?=(?:\s?{_BARE}){{0,9}}[\s.!?…\"'”’*_]{{0,9}}\Z)",
    "braced": rf"(?:\\[a-z]{{4,15}})?(?:\{{{{1,2}}|<{{1,2}}){_LIST}(?:\}}{{1,2}}|>{{1,2}})",
    "raised": rf"{_NO_POWER}(?:\$?\^\{{{_LIST}\]?\}}\$?|\^\[{_LIST}\]\^?|\^\d{{1,2}}(?:[,^]\d{{1,2}}){{0,9}}\^?"
    r"|⁽?[⁰¹²³⁴-⁹]{1,3}⁾?)(?![\w⁺⁻])|[①-⑳]",
    "prose": rf"\bpassages?\s{_NUMBER}(?:(?:,|\sand|\sto)\s{_NUMBER}){{0,9}}",
}
_MARK = "|".join(_FORMS.values())
MARKS = re.compile(
    rf"(?P<gap>\s[—–-]{{1,2}}\s|\s{{0,2}})(?P<marks>(?P<sentence>(?:sources?|references?):\s(?=[\[(]))?(?:{_MARK})"
    rf"(?:(?:{_JOIN}|\s?)(?:{_MARK})){{0,9}}(?(sentence)\.?))",
    re.IGNORECASE,
)
"""A group of marks with the white space before it."""
STARTS_LIKE_MARKS = re.compile(
    r"\s{0,2}(?:[,;/&–—-]\s?|and\s)?(?:[\[［【〔(（{<\\^$⁰¹²³⁴-⁹⁽①-⑳]|passage|source|reference)", re.IGNORECASE
)
UNFINISHED_LINK = re.compile(r"\]\([^()\n]{0,300}\Z")
_PART = re.compile(rf"(?P<list>{_LIST})|(?<=[\]］】〕]){_LINK}|{_NAME}", re.IGNORECASE)
_RANGE = re.compile(rf"({_NUMBER})(?:\s?(?:[–—-]|to)\s?({_NUMBER}))?")
_BETWEEN_RAISED = re.compile(r"(?<=[¹²³⁴-⁹])(?=[¹²³⁴-⁹])")
_BRACKETS = str.maketrans({"[": "(", "]": ")", _OPEN: "[", _CLOSE: "]"})


def mark_numbers(marks: str) -> list[int]:
    """Return the numbers of a group of marks, ranges spelt out: ``"[Passage 1-3] (see 5)" -> [1, 2, 3, 5]``."""
    plain = unicodedata.normalize("NFKC", _BETWEEN_RAISED.sub(",", marks))  # "¹²" is 1 and 2
    numbers: list[int] = []
    for part in _PART.finditer(plain):
        for first, last in _RANGE.findall(part["list"] or ""):
            numbers += range(int(first), min(int(last or first), int(first) + _MAX_RANGE) + 1)
    return list(dict.fromkeys(numbers))


def with_marks(text: str, count: int, strip: Callable[[str], str]) -> str:
    """Write the marks of passages 1 to ``count`` as ``[1][2]``, other brackets as parentheses; ``strip`` the markup.

    Brackets that cite no such passage go. A number in words or parentheses that does not stays: it may be a figure.
    """

    def plain(group: re.Match[str]) -> str:
        numbers = [number for number in mark_numbers(group["marks"]) if 1 <= number <= count]
        if not numbers and not re.search(r"[\[［【〔]", group["marks"]):
            return group[0]
        return group["gap"][:1] + "".join(f"{_OPEN}{number}{_CLOSE}" for number in numbers)

    return strip(MARKS.sub(plain, text)).translate(_BRACKETS).replace("](", "] (")  # which would be a link
