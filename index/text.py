"""Words, sentences, numbers and names: the one place that decides what counts as each.

The lexical index, the quoting, the check of a written draft and the search for near_duplicates stories all read text
through these functions, so that a word that matches in one matches in all.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import nupunkt
import Stemmer

from index.models import Span

# The closed-class words of English, and the verbs that questions are built with.
STOP_WORDS = frozenset(
    """a about above after again against all also am an and any are aren't as at be because been before being below
    between both but by can can't cannot could couldn't d did didn't do does doesn't doing don't down during each
    else few for from further had hadn't has hasn't have haven't having he her here hers herself him himself his how
    i if in into is isn't it its itself just ll many me might more most much must my myself no nor not of off on
    once only or other ought our ours ourselves out over own re s same shall she should shouldn't so some such t
    than that the their theirs them themselves then there these they this those through to too under until up upon
    us ve very was wasn't we were weren't what when where which while who whom whose why will with won't would
    wouldn't yet you your yours yourself yourselves""".split()
)

MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)
"""The English months and their abbreviations, as a fragment of a regular expression; put ``\\b`` behind it."""

_WORD = re.compile(r"(?:[A-Za-z]\.){2,}(?:[A-Za-z]\b)?|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")  # a hard space on the line is how web pages write an empty one
_AMERICA = {"us": "usa", "usa": "usa"}
_UNITS = dict(
    zip(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split(),
        range(20),
        strict=True,
    )
)
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_SCALES = {
    "dozen": 12, "hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "m": 10**6, "bn": 10**9, "k": 1_000,
}  # fmt: skip
# (?a: keeps letters that only fold to these away: a dotless i is in no table.
_FIGURE = re.compile(
    r"(?P<digits>\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"|\b(?a:(?P<tens>{'|'.join(_TENS)}))\b(?:[- ](?a:(?P<rest>{'|'.join(_UNITS)}))\b)?"
    rf"|\b(?a:(?P<unit>{'|'.join(_UNITS)})|(?P<scale>hundred|thousand|million|billion|trillion|dozen))\b",
    re.IGNORECASE,
)
# "$5m" is millions, "100 m" is a distance.
_AFTER = re.compile(r"[\s-]?(?a:(dozen|hundred|thousand|million|billion|trillion|bn))\b|(?a:(m|k))\b", re.IGNORECASE)
_DEMONYM = re.compile(r"n|an|ian|i|ish|ese|s")
_MIN_DEMONYM_PREFIX = 4  # letters: iran, iranian
_stemmer = Stemmer.Stemmer("english")


def fold(text: str) -> str:
    """Lower case, without accents and with plain apostrophes: ``"Café’s" -> "cafe's"``."""
    if text.isascii():
        return text.lower()
    bare = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(c for c in bare if not unicodedata.combining(c)).lower()


def words(text: str) -> list[str]:
    """Every word of a text, folded: ``"The U.S. paid $1,200 to Iran's envoy" -> the usa paid 1200 to iran envoy``."""
    return [word for word, _ in word_spans(text)]


def word_spans(text: str) -> list[tuple[str, Span]]:
    """Every word of a text, folded, with where it stands."""
    found = []
    for match in _WORD.finditer(text):
        raw = match.group()
        if raw[0].isdigit():
            word = raw.replace(",", "")
        elif "." in raw:
            word = raw.replace(".", "").lower()
            word = _AMERICA.get(word, word)
        elif raw == "US":
            word = "usa"
        else:
            word = fold(raw)
            word = word.removesuffix("'s")
        found.append((word, Span(*match.span())))
    return found


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The Snowball English stem of a folded word."""
    stemmed: str = _stemmer.stemWord(word)
    return stemmed


def stems(text: str) -> list[str]:
    """The content of a text: its words, stemmed, without stop words, in order."""
    return [stem(word.replace("'", "")) for word in words(text) if word not in STOP_WORDS]


def paragraphs(text: str) -> list[Span]:
    """The paragraphs of a text, as blank lines part them, without white space at either end."""
    found, start = [], 0
    for gap in _PARAGRAPH.finditer(text):
        found.append(_trim(text, start, gap.start()))
        start = gap.end()
    found.append(_trim(text, start, len(text)))
    return [span for span in found if span.start < span.end]


def surrounding(text: str, start: int, end: int) -> Span:
    """The span of the paragraphs that ``text[start:end]`` touches."""
    touched = [span for span in paragraphs(text) if span.start < end and start < span.end]
    return Span(touched[0].start, touched[-1].end) if touched else Span(start, end)


def sentences(text: str) -> list[Span]:
    """The sentences of a text (trained Punkt), never across a blank line, without white space at either end."""
    found = []
    for paragraph in paragraphs(text):
        for start, end in nupunkt.sent_spans(text[paragraph.start : paragraph.end]):
            span = _trim(text, paragraph.start + start, paragraph.start + end)
            if span.start < span.end:
                found.append(span)
    return found


def figures(text: str) -> list[str]:
    """The numbers of a text, in order, written one way.

    ``"nearly 100 … 1,200 … $1.25 million … forty-two" -> ["100", "1200", "1250000", "42"]``. "one" is no figure:
    it is a pronoun as often as a number.
    """
    return [value for value, _ in figure_spans(text)]


def figure_spans(text: str) -> list[tuple[str, Span]]:
    """As :func:`figures`, with where each stands."""
    found: list[tuple[str, Span]] = []
    for match in _FIGURE.finditer(text):
        if match["digits"]:
            value = float(match["digits"].replace(",", ""))
        elif match["tens"]:
            value = _TENS[match["tens"].lower()] + _UNITS.get((match["rest"] or "").lower(), 0)
        elif match["unit"]:
            value = _UNITS[match["unit"].lower()]
        else:
            if match["scale"] and found and found[-1][1].end >= match.end():
                continue  # "1.25 million": the scale was read with its number
            value = _SCALES[match["scale"].lower()]
        end = match.end()
        if not match["scale"] and (after := _AFTER.match(text, end)):
            value, end = value * _SCALES[(after[1] or after[2]).lower()], after.end()
        if match["unit"] and match["unit"].lower() == "one" and end == match.end():
            continue
        found.append((f"{value:.6f}".rstrip("0").rstrip("."), Span(match.start(), end)))
    return found


def names(text: str) -> list[str]:
    """The words of a text that are written as names, folded: capitals inside a sentence, and acronyms.

    A sentence's first word counts where it is an acronym or another capital follows it.
    """
    return [name for name, _ in name_spans(text)]


def name_spans(text: str) -> list[tuple[str, Span]]:
    """As :func:`names`, with where each stands."""
    found = []
    for sentence in sentences(text):
        inside = text[sentence.start : sentence.end]
        spans = word_spans(inside)
        for position, (word, span) in enumerate(spans):
            raw = inside[span.start : span.end]
            if not raw[0].isupper() or word in STOP_WORDS:
                continue
            acronym = len(raw) > 1 and raw.replace(".", "").isupper()
            followed = position + 1 < len(spans) and inside[spans[position + 1][1].start].isupper()
            if position or acronym or followed:
                found.append((word, Span(sentence.start + span.start, sentence.start + span.end)))
    return found


def is_demonym(one: str, other: str) -> bool:
    """Whether one is the other's demonym: iran, iranian. Niger and Nigeria are two countries."""
    short, long = sorted((one, other), key=len)
    is_start = len(short) >= _MIN_DEMONYM_PREFIX and long.startswith(short) and short != "niger"
    return is_start and _DEMONYM.fullmatch(long[len(short) :]) is not None


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)
