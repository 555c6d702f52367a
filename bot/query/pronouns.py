"""Whom "he" or "she" of a follow-up means: the person that the conversation named last.

Only people whom the index knows count. Without exactly one, the question is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.models import Turn
from bot.query.followup import BODY
from bot.query.limits import shown_sources
from index.models import Source
from index.reading.people import NAMED, NO_NAMES, Introduction
from index.storage.catalogue import Catalogue
from index.text import word_spans, words

_PRONOUN = re.compile(
    r"\b(?P<owner>his|her(?=\s+\w))\b|\b(?:he|she|him|her|hers)\b|(?:(?<=\bwho's )|(?<=\bwho is ))that(?=\W*\Z)",
    re.IGNORECASE,
)
_HE = re.compile(r"\b(?:he|him|his)\b", re.IGNORECASE)
_SHE = re.compile(r"\b(?:she|hers?)\b", re.IGNORECASE)
_COMPANY = re.compile(r"^,? which\b", re.MULTILINE)  # behind its name
_NAME = re.compile(r"\w[\w'’.-]+(?: [\w'’.-]+){0,2} \w[\w'’-]+")  # two to four words: a cast of actors is no person
_NAME_BEHIND = re.compile(r" [A-ZÀ-Þ]\w")
_MAX_WORDS_OF_BODY = 4  # of a question in which "the company" stands
_MAX_TURNS = 4
_MAX_WORDS = 400  # of a turn
_MIN_OTHERS = 2  # of "she" behind the name of one who is not "he"
_MAX_READ, _MAX_BEHIND_CHARACTERS = 4, 250  # introductions of a person, and what stands behind each


def resolve_pronouns(question: str, turns: Sequence[Turn], catalogue: Catalogue) -> str:
    """Put the name for the pronouns of a follow-up: "what did he say?" -> "what did Leo Brandt say?".

    A name that stands in the question itself is what its pronouns mean: it stays as it is. "He" is nobody whom the
    articles call "she", and no company.
    """
    question = _with_body(question, turns, catalogue)
    if not turns or not _PRONOUN.search(question) or _people(question, catalogue):
        return question
    named = [_people(turn.text, catalogue) for turn in _nearest(turns[-_MAX_TURNS:])]

    def name(match: re.Match[str]) -> str:
        chosen, behind = next(((one, people[one]) for people in named for one in people), ("", ""))
        if not chosen or _is_other(match.group(), behind):
            return match.group()
        return f"{chosen}’s" if match["owner"] else chosen

    return _PRONOUN.sub(name, question)


def _with_body(question: str, turns: Sequence[Turn], catalogue: Catalogue) -> str:
    """Put its name for "the company" of a short follow-up, if the articles shown last name a single one."""
    body = BODY.search(question)
    if not turns or not body or len(question.split()) > _MAX_WORDS_OF_BODY:
        return question
    known: dict[str, str] = {}
    for source, person in catalogue.people(office=body["noun"].lower()):
        if person.rank < NAMED and (article := catalogue.article(source.id)):
            known.setdefault(person.key, article.body[slice(*person.name)])
    shown = {
        name for source in shown_sources(turns, catalogue).values() for name in _mentioned(source, known, catalogue)
    }
    return f"{question[: body.start()]}{shown.pop()}{question[body.end() :]}" if len(shown) == 1 else question


def _mentioned(source: Source, known: Mapping[str, str], catalogue: Catalogue) -> list[str]:
    """The names, by their keys, that an article mentions."""
    article = catalogue.article(source.id)
    return [name for key, name in known.items() if article and f" {key} " in f" {' '.join(words(article.body))} "]


def _is_other(pronoun: str, behind: str) -> bool:
    """Whether somebody is not whom a pronoun means, by what stands behind the name in the articles."""
    he, she = len(_HE.findall(behind)), len(_SHE.findall(behind))
    others, own = (he, she) if _SHE.fullmatch(pronoun) else (she, he) if _HE.fullmatch(pronoun) else (0, 0)
    return others >= _MIN_OTHERS and not own


def _nearest(turns: Sequence[Turn]) -> list[Turn]:
    """The turns, latest exchange first, and in each the question before its answer: it says whom that is about."""
    exchanges: list[list[Turn]] = []
    for turn in turns:
        if turn.role == "user" or not exchanges:
            exchanges.append([])
        exchanges[-1].append(turn)
    return [turn for exchange in reversed(exchanges) for turn in exchange]


def _people(text: str, catalogue: Catalogue) -> dict[str, str]:
    """The people of a text whom the index knows, as the articles write them, and what stands behind their names.

    In the order of the text.
    """
    spoken = word_spans(text)[:_MAX_WORDS]
    people: dict[str, tuple[str, str]] = {}
    for position, (word, span) in enumerate(spoken):
        before = spoken[position - 1][0] if position else ""
        known = [
            (source, person)
            for source, person in catalogue.people(surname=word)
            if " " in person.key and (person.rank < NAMED or NO_NAMES.isdisjoint(person.key.split()))
        ]
        whole = [(source, person) for source, person in known if person.key.split()[-2] == before]
        is_forename = _NAME_BEHIND.match(text, span.end) is not None  # "Karim Aziz" is no Judith Karim
        is_alone = text[span.start].isupper() and not is_forename
        alone = known if is_alone and len({person.key for _, person in known}) == 1 else []
        for source, person in (whole or alone)[:1]:
            article = catalogue.article(source.id)
            name = article.body[slice(*person.name)] if article else ""
            if _NAME.fullmatch(name) and person.key not in people:
                same = [row for row in known if row[1].key == person.key]
                people[person.key] = name, "\n".join(_behind(*row, catalogue) for row in same[:_MAX_READ])
    return {name: behind for name, behind in people.values() if not _COMPANY.search(behind)}


def _behind(source: Source, person: Introduction, catalogue: Catalogue) -> str:
    article = catalogue.article(source.id)
    return article.body[person.name.end :][:_MAX_BEHIND_CHARACTERS] if article else ""
