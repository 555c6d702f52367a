"""Whom "he" or "she" of a follow-up means: the person that the conversation named last.

Only people whom the index knows count. Without exactly one, the question is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.models import Turn
from index.catalogue import Catalogue
from index.people import NAMED, NO_NAMES
from index.text import word_spans

_PRONOUN = re.compile(r"\b(?P<owner>his|her(?=\s+\w))\b|\b(?:he|she|him|her|hers)\b", re.IGNORECASE)
_NAME = re.compile(r"\w[\w'’.-]+(?: [\w'’.-]+){0,2} \w[\w'’-]+")  # two to four words: a cast of actors is no person
_MAX_TURNS = 4
_MAX_WORDS = 400  # of a turn


def resolve_pronouns(question: str, turns: Sequence[Turn], catalogue: Catalogue) -> str:
    """Put the name for the pronouns of a follow-up: "what did he say?" -> "what did Leo Brandt say?".

    A name that stands in the question itself is what its pronouns mean: it stays as it is.
    """
    if not turns or not _PRONOUN.search(question) or _people(question, catalogue):
        return question
    named = (name for turn in _nearest(turns[-_MAX_TURNS:]) for name in _people(turn.text, catalogue)[:1])
    name = next(named, "")
    return _PRONOUN.sub(lambda match: f"{name}’s" if match["owner"] else name, question) if name else question


def _nearest(turns: Sequence[Turn]) -> list[Turn]:
    """The turns, latest exchange first, and in each the question before its answer: it says whom that is about."""
    exchanges: list[list[Turn]] = []
    for turn in turns:
        if turn.role == "user" or not exchanges:
            exchanges.append([])
        exchanges[-1].append(turn)
    return [turn for exchange in reversed(exchanges) for turn in exchange]


def _people(text: str, catalogue: Catalogue) -> list[str]:
    """The people of a text whom the index knows, as the articles write them, in the order of the text."""
    words = word_spans(text)[:_MAX_WORDS]
    people: dict[str, str] = {}
    for position, (word, span) in enumerate(words):
        before = words[position - 1][0] if position else ""
        known = [
            (source, person)
            for source, person in catalogue.people(surname=word)
            if " " in person.key and (person.rank < NAMED or NO_NAMES.isdisjoint(person.key.split()))
        ]
        whole = [(source, person) for source, person in known if person.key.split()[-2] == before]
        alone = known if text[span.start].isupper() and len({person.key for _, person in known}) == 1 else []
        for source, person in (whole or alone)[:1]:
            article = catalogue.article(source.id)
            name = article.body[slice(*person.name)] if article else ""
            if _NAME.fullmatch(name):
                people.setdefault(person.key, name)
    return list(people.values())
