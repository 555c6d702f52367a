"""Words, sentences, numbers and names: the only tokenizer of the whole tree.

The lexical index, ranking, verification and near-duplicate detection all tokenize here, so that a word that matches in
one of them matches in all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
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

WORDS_VERSION = 2
"""Part of FINGERPRINT: the lexical index holds the stems of this file. 2: "ł", "ø", "ß" and the like are folded."""

CALENDAR_NAMES = frozenset(
    """january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday""".split()
)
"""Capitals that make no name."""

JOINERS = "\u200c\u200d"  # they shape Persian, Indic scripts and emoji
_VISIBLE_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2"  # signs around Arabic and Syriac numbers
_LINE_SEPARATOR = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
_RAISED = "²³¹⁰⁴-⁹₀-₉"  # digits that Unicode takes for letters: "km²" is read as "km2" is
_WORD = re.compile(
    rf"(?:[A-Za-z]\.){{2,}}(?:[A-Za-z]\b)?|\d+(?:[.,]\d+)*|[^\W\d_{_RAISED}]+(?:['’][^\W\d_{_RAISED}]+)*|[{_RAISED}]+"
)
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")  # a hard space on the line is how web pages write an empty one
# Punkt takes many common words for abbreviations (nupunkt 0.8.0: "bank.", "month.", "found."): these are some.
_MISSED_END = re.compile(r"\b(\w{3,30})[.][”\"’']?(?=\s+[“\"‘']?([^\W\d_])\w)")
_ABBREVIATIONS = frozenset(
    """prof rev revd hon cllr gov gen sen rep capt col sgt supt insp cdr maj mrs inc ltd corp bros dept ave assoc
    univ est approx etc jan feb mar apr jun jul aug sept sep oct nov dec mon tue tues wed thu thurs fri sat
    sun messrs ggf env""".split()
)
_CAPITALISED_ABBREVIATIONS = frozenset(  # in small letters many are words: miss, mass, ore, min
    """Mio Min Srta Sig Abb Cpl Pvt Adm Atty Hwy Blvd Pres Sec Treas Fig Vol Ref Tel Ext Det Const Brig Amb Geo Thos Jos
    Calif Mass Conn Penn Tenn Wash Ala Ariz Ark Colo Fla Ind Kan Mich Minn Miss Mont Neb Nev Okla Ore Tex Wis Wyo Sask
    Que Intl Natl Dist Assn Comm Cong Div""".split()
)
_MIN_LONG_WORD_CHARACTERS = 200  # prose has none, and so much is quick whatever it is
_LONG_WORD = re.compile(r"(?<!\S)(\S{50})(\S{100,})(\S{50})")
_ONES = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {
    "dozen": 12, "hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "m": 10**6, "mn": 10**6, "mln": 10**6, "bn": 10**9, "bln": 10**9, "tn": 10**12, "trn": 10**12, "k": 1_000,
}  # fmt: skip
# (?a: keeps letters that only fold to these away: a dotless i is in no table.
_NUMBER = re.compile(
    r"(?P<digits>\d+(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:(?:[\u00a0\u2009\u202f]\d{3})+|(?:\x20\d{3}){2,})(?:\.\d+)?(?!\d)"
    r"|\d+(?:\.\d+)?)"
    rf"|\b(?a:(?P<tens>{'|'.join(_TENS)}))\b(?:[- ](?a:(?P<rest>{'|'.join(_ONES)}))\b)?"
    rf"|\b(?a:(?P<unit>{'|'.join(_ONES)})|(?P<scale>hundred|thousand|million|billion|trillion|dozen))\b",
    re.IGNORECASE,
)
# "$5m" is millions, "100 m" is a distance.
_SCALE_AFTER = re.compile(
    r"[\s-]?(?a:(dozen|hundred|thousand|million|billion|trillion|mn|mln|bn|bln|tn|trn))\b|(?a:(m|k))\b", re.IGNORECASE
)
_NO_NAMES = frozenset("hello hi hey thanks".split())  # nor "I'd", "I've"
_NOT_DIGITS = re.compile(r"[^\d.]")
# A minus, a hyphen or a dash right before a number, but for "2-1", "Covid-19" and "- 12".
_MINUS_BEFORE = re.compile(r"(?:(?<!\S)|(?<=[(\[“‘\"']))[−–-](?:[A-Z]{0,2}[$€£¥₹])?\Z|\bminus\s\Z", re.IGNORECASE)
_BELOW_ZERO_AFTER = re.compile(
    r"\s?(?:°|degrees?)?\s?(?:C|F|Celsius|Fahrenheit|centigrade)?\s?\bbelow (?:zero|freezing)\b", re.IGNORECASE
)
_MAX_SIGN_CHARACTERS = 8
_DEMONYM_ENDING = re.compile(r"n|an|ian|i|ish|ese|s")
_MIN_DEMONYM_STEM_LETTERS = 4  # iran, iranian
# Letters that Unicode does not take for others with an accent, as keyboards without them write them.
_PLAIN_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
)
_stemmer = Stemmer.Stemmer("english")


def fold(text: str) -> str:
    """Lower case, in plain Latin letters and with plain apostrophes: ``"Café’s" -> "cafe's"``, "Łódź" -> "lodz"."""
    return unaccented(text) if text.isascii() else unaccented(text).translate(_PLAIN_LETTERS)


def unaccented(text: str) -> str:
    """As :func:`fold`, but letters that are no others with an accent stay: "Łódź" -> "łodz"."""
    if text.isascii():
        return text.lower()
    bare = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(c for c in bare if not unicodedata.combining(c)).lower()


def composed(text: str) -> str:
    """Normalize to NFC, the form in which all text is kept and compared: "é" is one character."""
    return unicodedata.normalize("NFC", text)


def strip_invisible(
    text: str, *, keep: str = "\t\n" + JOINERS, categories: str | tuple[str, ...] = ("Cc", "Cf", "Cs")
) -> str:
    r"""Remove characters that nobody sees: ``"pay\u200bpal \u202eexe\r\n\x00" -> "paypal exe\n"``.

    Every line separator becomes ``\n`` first. Then the characters whose Unicode category begins with one of
    ``categories`` go, except those of ``keep``: controls, formats (zero widths, bidi overrides, tags) and surrogates;
    ``"C"`` adds private and unassigned characters.
    """
    text = _LINE_SEPARATOR.sub("\n", text)
    invisible = {character for character in set(text) if unicodedata.category(character).startswith(categories)}
    return text.translate(dict.fromkeys(map(ord, invisible.difference(keep, _VISIBLE_FORMATS))))


def words(text: str) -> list[str]:
    """Tokenize and fold: ``"The U.S. paid $1,200 to Iran's envoy" -> the usa paid 1200 to iran envoy``."""
    return [_folded_word(match.group()) for match in _WORD.finditer(text)]


def word_spans(text: str) -> list[tuple[str, Span]]:
    """Tokenize and fold, with the span of each word."""
    return [(_folded_word(match.group()), Span(*match.span())) for match in _WORD.finditer(text)]


@lru_cache(maxsize=100_000)
def _folded_word(raw: str) -> str:
    if raw[0].isdecimal():
        return raw.replace(",", "")
    if "." in raw:
        acronym = raw.replace(".", "").lower()
        return "usa" if acronym == "us" else acronym
    return "usa" if raw == "US" else fold(raw).removesuffix("'s")


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The Snowball English stem of a folded word."""
    stemmed: str = _stemmer.stemWord(word)
    return stemmed


def stems(text: str) -> list[str]:
    """The content words of a text, stemmed, in order."""
    return [stem(word.replace("'", "")) for word in words(text) if word not in STOP_WORDS]


def paragraphs(text: str) -> list[Span]:
    """Split a text at blank lines, without white space at either end."""
    gaps = [match.span() for match in _PARAGRAPH.finditer(text)]
    starts, ends = [0, *(end for _, end in gaps)], [*(start for start, _ in gaps), len(text)]
    spans = [_trim(text, start, end) for start, end in zip(starts, ends, strict=True)]
    return [span for span in spans if span.start < span.end]


def surrounding(text: str, start: int, end: int) -> Span:
    """The span of the paragraphs that ``text[start:end]`` overlaps."""
    touched = [span for span in paragraphs(text) if span.start < end and start < span.end]
    return Span(touched[0].start, touched[-1].end) if touched else Span(start, end)


def marked_paragraphs(text: str, spans: Iterable[Span]) -> list[list[tuple[str, bool]]]:
    """The paragraphs that spans of a text overlap, each as runs of text and whether a span holds them."""
    shown: list[list[tuple[str, bool]]] = []
    position, last = 0, 0  # in the text: what is shown, and the end of the last paragraph
    for start, end in sorted(spans):
        around = surrounding(text, start, end)
        if not shown or start >= last:
            shown.append([])
            position = around.start
        else:
            shown[-1].pop()  # what follows the span before
        last = max(last, around.end)
        shown[-1] += [(text[position:start], False), (text[max(start, position) : end], True)]
        position = max(position, end)
        shown[-1].append((text[position:last], False))
    return shown


def sentences(text: str) -> list[Span]:
    """Split a text into sentences (trained Punkt), never across a blank line, without white space at either end.

    A word of three letters or more and a full stop end a sentence before a capital letter, if it is no abbreviation.
    In a word of 200 characters or more only the first and last 50 count, since Punkt's time is quadratic in them.
    """
    has_long_word = max(map(len, text.split()), default=0) >= _MIN_LONG_WORD_CHARACTERS  # quicker than the pattern
    masked = _LONG_WORD.sub(_mask, text) if has_long_word else text
    spans = [
        _trim(text, *span)
        for paragraph in paragraphs(text)
        for start, end in nupunkt.sent_spans(masked[paragraph.start : paragraph.end])
        for span in _parted(text, paragraph.start + start, paragraph.start + end)
    ]
    return [span for span in spans if span.start < span.end]


def _parted(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _MISSED_END.finditer(text, start, end):
        is_abbreviation = match[1].lower() in _ABBREVIATIONS or match[1] in _CAPITALISED_ABBREVIATIONS
        if match[2].isupper() and not is_abbreviation:
            yield Span(start, match.end())
            start = match.end()
    yield Span(start, end)


def _mask(word: re.Match[str]) -> str:
    """Put letters in place of the inside of a long word; its length stays."""
    return f"{word[1]}{'x' * len(word[2])}{word[3]}"


def figures(text: str) -> list[str]:
    """The numbers of a text, normalized: ``"nearly 100 … $1.25mn … −12 … forty" -> ["100", "1250000", "-12", "40"]``.

    The word "one" is left out: it is a pronoun as often as a number.
    """
    return [value for value, _ in figure_spans(text)]


def figure_spans(text: str) -> list[tuple[str, Span]]:
    """The numbers of a text, normalized, with their spans, which hold no sign."""
    numbers: list[tuple[str, Span]] = []
    for match in _NUMBER.finditer(text):
        if match["digits"]:
            value = float(_NOT_DIGITS.sub("", match["digits"]))
        elif match["tens"]:
            value = _TENS[match["tens"].lower()] + _ONES.get((match["rest"] or "").lower(), 0)
        elif match["unit"]:
            value = _ONES[match["unit"].lower()]
        else:
            if numbers and numbers[-1][1].end >= match.end():
                continue  # "1.25 million": the scale was read with its number
            value = _SCALES[match["scale"].lower()]
        end = match.end()
        if not match["scale"] and (after := _SCALE_AFTER.match(text, end)):
            value, end = value * _SCALES[(after[1] or after[2]).lower()], after.end()
        if match["unit"] and match["unit"].lower() == "one" and end == match.end():
            continue
        before = _MINUS_BEFORE.search(text, max(0, match.start() - _MAX_SIGN_CHARACTERS), match.start())
        if value and (before or _BELOW_ZERO_AFTER.match(text, end)):
            value = -value
        numbers.append((f"{value:.6f}".rstrip("0").rstrip("."), Span(match.start(), end)))
    return numbers


def names(text: str) -> list[str]:
    """Capitalised words, folded: ``"Then Ann Lee met the AP." -> ["ann", "lee", "ap"]``.

    The first word of a sentence counts if it is an acronym or the next word has a capital too.
    """
    return [name for name, _ in name_spans(text)]


def name_spans(text: str) -> list[tuple[str, Span]]:
    """As :func:`names`, with the span of each word."""
    named = []
    for sentence in sentences(text):
        inside = text[sentence.start : sentence.end]
        spans = word_spans(inside)
        for position, (word, span) in enumerate(spans):
            raw = inside[span.start : span.end]
            if not raw[0].isupper() or word in STOP_WORDS or word in _NO_NAMES or word.startswith("i'"):
                continue
            acronym = len(raw) > 1 and raw.replace(".", "").isupper()
            followed = position + 1 < len(spans) and inside[spans[position + 1][1].start].isupper()
            if position or acronym or followed:
                named.append((word, Span(sentence.start + span.start, sentence.start + span.end)))
    return named


def is_demonym(word: str, other: str) -> bool:
    """Whether a word is the demonym of the other, or the other way round: iran, iranian (not niger, nigeria)."""
    short, long = sorted((word, other), key=len)
    is_start = len(short) >= _MIN_DEMONYM_STEM_LETTERS and long.startswith(short) and short != "niger"
    return is_start and _DEMONYM_ENDING.fullmatch(long[len(short) :]) is not None


def _trim(text: str, start: int, end: int) -> Span:
    """Shrink a span past the white space at either end."""
    inner = text[start:end].lstrip()
    start = end - len(inner)
    return Span(start, start + len(inner.rstrip()))
