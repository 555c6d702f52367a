"""Holders of offices in German articles: "Bürgermeisterin Ute Kessler" answers "Who is the mayor?"."""

from __future__ import annotations

import re

from bot.kinds.scope import Found, Line, Scope, compose
from index.text import fold, sentences, stem, stems

_MAX_ARTICLES = 10  # the newest that hold a word for the office
# By the noun of the office, as `index.reading.people.office_of` gives it. Each also with "in" behind it, for a woman.
_OFFICES = {
    "mayor": "Bürgermeister Oberbürgermeister", "chief": "Polizeichef Polizeipräsident Feuerwehrchef",
    "headteacher": "Schulleiter Rektor", "head": "Schulleiter Rektor", "principal": "Schulleiter Rektor",
    "chancellor": "Kanzler Bundeskanzler", "president": "Präsident Bundespräsident",
    "director": "Direktor Leiter Geschäftsführer", "executive": "Vorstandschef Geschäftsführer",
    "coach": "Trainer", "manager": "Trainer", "spokesperson": "Sprecher", "minister": "Minister",
    "premier": "Ministerpräsident", "governor": "Landrat Ministerpräsident", "judge": "Richter",
    "conductor": "Dirigent", "secretary": "Sekretär", "treasurer": "Schatzmeister", "bishop": "Bischof",
}  # fmt: skip
_KINDS = {"police": "polizei", "fire": "feuerwehr"}  # of a chief
_NAME = r"(?:Dr\. )?[A-ZÄÖÜ][\w-]+(?: (?:von |zu )?[A-ZÄÖÜ][\w-]+){1,2}"


def german_holder(office: str, body: set[str], scope: Scope) -> Found | None:
    """Quote the newest German sentence that names the holder of an office, in an article that has the body's words.

    ``office``: English, "police chief", or German, "Bürgermeisterin".
    """
    kinds = [german for english, german in _KINDS.items() if english in office.split()]
    words = _OFFICES.get(office.rpartition(" ")[2], "").split() or [
        word for listed in _OFFICES.values() for word in listed.split() if fold(office).removesuffix("in") == fold(word)
    ]
    words = [word for word in words if not kinds or fold(word).startswith(tuple(kinds))]
    rest = body - set(stems(" ".join(_KINDS))) - set(stems(office))
    for word in dict.fromkeys(form for noun in words for form in (f"{noun}in", noun)):
        named = re.compile(rf"\b{word} (?P<name>{_NAME})|{_NAME}, (?:die|der)?\s?{word}\b")
        for source in scope.catalogue.mentioning([stem(fold(word))], scope.filters, limit=_MAX_ARTICLES):
            article = scope.article(source)
            held = set(stems(f"{source.headline} {source.outlet or ''} {article.body}"))
            spans = sentences(article.body) if rest <= held else []
            if span := next((span for span in spans if named.search(article.body, *span)), None):
                return compose([Line.at(article, span)])
    return None
