"""Lines that say who wrote an article, where it appeared and when: "By Ann Lee, Norvik Post, 9 June 2024".

Such a line is cut at its separators. It is no prose if each piece is a name in capitals, a role, a day, a time or a
label.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from index.cleaning.published import DATE_IN_LINE
from index.reading.outlets import is_host

_MAX_CHARACTERS = 200
_MAX_NAME_WORDS, _MAX_ASIDE_CHARACTERS = 7, 60

_HAS_DATE = re.compile(DATE_IN_LINE)
_DATE_LABEL = re.compile(
    r"(?:(?:first |last )?(?:published|updated|posted|modified)|date|stand|veröffentlicht|aktualisiert|publié"
    r"|mis à jour|publicado|actualizado|pubblicato|aggiornato)\b",
    re.IGNORECASE,
)
_DATE_WORDS = re.compile(
    rf"\0|{DATE_IN_LINE}|\b\d+ (?:min(?:ute)?|hour|day)s? ago\b|\b\d+[ -]min(?:ute)?s?(?: read(?:ing)?(?: time)?)?\b"
    r"|\b\d{1,2} ?(?:(?:[:.h]\d\d(?::\d\d)?)? ?(?:[ap]\.?m\b\.?|uhr\b)|[:.h]\d\d(?::\d\d)?|[時시] ?\d{1,2} ?[分분])"
    rf"|\b(?:{_DATE_LABEL.pattern}|first|last|on|at|um|gmt|utc|[a-z]{{1,3}}[sd]t|et|myt|wib|jst|gst|am|vom|le|el|il|à"
    r"|(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch"
    r"|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo|lunedì|martedì"
    r"|mercoledì|giovedì|venerdì|sabato|domenica)\b|[\W_]+",
    re.IGNORECASE,
)
"""Everything that a line of dates may hold: dates, times, time zones, labels."""
_SECTION = re.compile(r"[\0|·•/;()–—]|(?:^|(?<=\s))-+(?=\s)|\.\s*(?=\0)")
_PIECE = re.compile(r",(?:\s+|$)|\s+(?=(?:by|By|BY|for|in)\s)|\s+(?:on|at|am|le|el|il|vom)$")
_PREFIX = re.compile(
    r"(?:(?P<author>(?i:by|by ?line|authors?)|(?:[Vv]on|[Pp]ar|[Pp]or|[Dd]i|[Dd]oor|[Aa]v)(?= [A-Z]\S+ [A-Z]))"
    r"|(?P<outlet>(?i:from|for|outlet|publication|newspaper|source))|(?P<place>in))\b\s?:?\s*(?<!\w)"
    r"(?!THE |The [a-z])(?:the (?=[A-Z]))?"
)
_SMALL = frozenset(
    "de del della di da do dos du des la le las van von der den dem el al bin of the for and & und et y e en".split()
)
_LABEL = re.compile(
    r"(?:written|words|story|text|report(?:ing)?)$|(?:[\w-]+ ){0,4}(?:correspondent|editor|reporter|writer|columnist"
    r"|contributor|staff|bureau|journalist|critic|redakteur(?:in)?)s?(?: (?:in|for|at|of) [\w ]{1,40})?$"
    r"|(?:page|pg\.?|p\.|seite|section:?|length:?|language:?) [\w ]{1,20}$|\d+ (?:words|wörter|mots)$",
    re.IGNORECASE,
)
_OUTLET = re.compile(
    r"^(?:the|le|la|el|il|die|der|das) (?!hague|netherlands|philippines|bahamas|gambia|vatican|havre|mans|paz"
    r"|paso|plata|salvador|valletta|spezia)"
    r"|\b(?:news|times|post|star|courier|gazette|herald|journal|daily|weekly|tribune|chronicle|guardian|telegraph"
    r"|observer|echo|mail|express|mirror|sun|standard|independent|examiner|advertiser|argus|mercury|press|record"
    r"|register|review|sentinel|bulletin|dispatch|globe|inquirer|ledger|leader|monitor|voice|world|today|magazine|radio"
    r"|tv|television|online|wire|welt|diario|corriere|gazzetta|giornale|jornal|folha|\w*(?:zeitung|anzeiger"
    r"|tage?blatt|bote|kurier|nachrichten|rundschau|presse|merkur|dagblad(?:et)?|posten|bladet|avisen|tidning(?:en)?))"
    r"(?=$| (?:of|de|del|du|van|di|and|&|online|digital|media)\b)|^(?:daily|radio)\b",
    re.IGNORECASE,
)
"""What is in the names of outlets, and of hardly any person or place."""
_AND, _NO_NAME = re.compile(r"\s(?:and|und|et|y|&)\s"), re.compile(r"[:!?\"“”«»…]")
_ACRONYM = re.compile(r"[A-Z]{2,3}")


class TopLine(NamedTuple):
    """What a line says: authors, an outlet ("" for none), and whether it holds a day."""

    byline: str
    outlet: str
    is_dated: bool


def is_date_line(line: str) -> bool:
    """Whether a line holds a date, and nothing but dates, times and labels."""
    return len(line) <= _MAX_CHARACTERS and bool(_HAS_DATE.search(line)) and not _DATE_WORDS.sub("", line)


def is_labelled_date(line: str) -> bool:
    """As :func:`is_date_line`, and it begins with "Published", "Updated" and the like."""
    return bool(_DATE_LABEL.match(line)) and is_date_line(line)


def top_line(line: str) -> TopLine | None:
    """Read a line; None if it may be prose or a headline, or says nothing of the kind.

    >>> top_line("By Ann Lee, Norvik Post, 9 June 2024")
    TopLine(byline='Ann Lee', outlet='Norvik Post', is_dated=True)
    """
    text, dates = _HAS_DATE.subn("\0", line[: _MAX_CHARACTERS + 1])
    names: dict[str, list[str]] = {kind: [] for kind in ("author", "outlet", "place", "label", "name")}
    for section in _SECTION.split(text.removesuffix(".")):
        read = [_read(piece) for piece in map(str.strip, _PIECE.split(section.strip())) if _DATE_WORDS.sub("", piece)]
        if len(text) <= _MAX_CHARACTERS and all(read):
            for kind, name in filter(None, read):
                names[kind].append(name)
        elif not names["author"] or len(section) > _MAX_ASIDE_CHARACTERS:  # else "By Ann Lee | Special to the Post"
            return None
    authors, others, outlet = names["author"], names["name"], next(iter(names["outlet"]), "")
    if authors and (not dates or any(map(_AND.search, others))):
        authors += others
    elif dates and outlet and len(others) == 1 and " " in others[0] and not authors:
        place = text.find(others[0])
        authors = others if place < text.find(outlet) or place > text.find("\0") else []
    if authors or dates or (not others and (outlet or names["label"])):
        return TopLine(", ".join(authors), outlet, bool(dates))
    return None


def _read(piece: str) -> tuple[str, str] | None:
    """The kind of a piece of a line, and the name in it; None if it may be prose."""
    if _LABEL.match(piece):
        return "label", piece
    prefix = _PREFIX.match(piece)
    kind, name = (prefix.lastgroup or "", piece[prefix.end() :]) if prefix else ("", piece)
    if not _is_name(name):
        return None
    return kind or ("outlet" if names_outlet(name) else "name"), name


def _is_name(text: str) -> bool:
    """Whether a text is a few words with capitals: "Ann Lee and Bo van Ek", "Channel 4", "mdr.de"."""
    words = text.split()
    if not 0 < len(words) <= _MAX_NAME_WORDS or len(text) > _MAX_ASIDE_CHARACTERS or not _DATE_WORDS.sub("", text):
        return False
    return any(word[0].isupper() or is_host(word) for word in words) and all(map(_is_in_name, words))


def _is_in_name(word: str) -> bool:
    is_plain = not _NO_NAME.search(word)
    return word in _SMALL or (is_plain and (word[0].isupper() or word[0].isdigit() or is_host(word)))


def names_outlet(name: str) -> bool:
    """Whether a name can hardly be of a person or a place: "Norvik Post", "BBC News", "mdr.de"."""
    return bool(_OUTLET.search(name) or _ACRONYM.fullmatch(name) or is_host(name))
