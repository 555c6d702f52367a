"""Whom a question names: the introductions and quotations of a person, a body or a group in the catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from bot.kinds.scope import Line, Scope
from index.models import Article, Source, Span
from index.reading.people import Introduction, is_noun, name_words, office_of, same_name
from index.reading.quotations import Quotation
from index.text import STOP_WORDS, fold, stem, stems

_MAX_HOLDERS = 30  # of an office, the newest, whose articles are read
_MIN_MISSPELT_CHARACTERS = 4  # in a shorter word a slip makes another name: Lee, Lea
_DETERMINERS = frozenset("the a an his her its their our some any many most several local".split())
_PREPOSITIONS = frozenset("of at for in from to on near".split())
_SPACE = re.compile(r"\s+")

Introduced = tuple[Source, Introduction]
Spoken = tuple[Source, Quotation]


@dataclass(frozen=True, slots=True)
class Named:
    """What the articles hold of a name, newest article first."""

    introductions: tuple[Introduced, ...]
    quotations: tuple[Spoken, ...]


def look_up(name: str, scope: Scope) -> Named:
    """Find who is meant by a name: in any case, by surname, with or without title, with one slip of spelling.

    A first name alone is looked for last.
    """
    words = name_words(" ".join(without_determiner(name.split())))
    titles = max((number + 1 for number, word in enumerate(words[:-1]) if is_noun(word)), default=0)
    words = words[titles:]  # "mayor hartley", "NASA boss Bill Nelson"
    if not words:
        return Named((), ())

    def with_slip(key: str) -> bool:
        return _same_but_for_a_slip(words, key.split())

    def first(key: str) -> bool:
        return key.split(maxsplit=1)[0] == words[0] and len(words) == 1

    return (
        _find(scope, [words[-1]], lambda key: same_name(words, key))
        or _find(scope, [words[-1], *scope.catalogue.surnames(words[-1])], with_slip)
        or _find(scope, scope.catalogue.named(words[0]), first)
        or Named((), ())
    )


def look_up_group(name: str, scope: Scope) -> tuple[Spoken, ...]:
    """Find what a group says: "the union" also as "the drivers' union", "residents" also as "a resident"."""
    held = [word for word in name_words(name.lower()) if word not in _DETERMINERS]
    cut = next((number for number, word in enumerate(held) if word in _PREPOSITIONS and number), len(held))
    held = [word for word in held[cut + 1 :] + held[:cut] if word not in STOP_WORDS]  # "mayor of York": the noun last
    words = [stem(word) for word in held]
    if not words:
        return ()
    noun = held[-1]
    singular = f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")
    forms = dict.fromkeys([noun, singular, f"{noun}s", f"{noun[:-1]}ies" if noun.endswith("y") else noun])
    spoken = [
        (source, quotation)
        for form in forms
        for source, quotation in scope.catalogue.quotations(surname=form, filters=scope.filters)
        if set(words) <= {*stems(quotation.key), *stems(source.headline), stem(form), words[-1]}
    ]
    return tuple(spoken + _of_holders(f"{name} {singular}" if not office_of(name) else name, words, scope))


def _of_holders(name: str, words: Sequence[str], scope: Scope) -> list[Spoken]:
    """What those say whom an article introduces as "the union" or "the mayor"."""
    spoken: list[Spoken] = []
    rows = scope.catalogue.people(office=office_of(name), filters=scope.filters)
    for source, person in rows[:_MAX_HOLDERS]:
        around = stems(f"{source.headline} {text_of(scope.article(source), person.span)}")
        if set(words[:-1]) <= {*around, *stems(person.office)}:
            quoted = scope.catalogue.quotations(article=source.id, filters=scope.filters)
            spoken += [row for row in quoted if row[1].key == person.key]
    return spoken


def without_determiner(words: Sequence[str]) -> Sequence[str]:
    """Words without "the" and the like in front."""
    return words[1:] if len(words) > 1 and words[0].lower() in _DETERMINERS else words


def distinct(lines: Iterable[Line]) -> list[Line]:
    """Keep the first of the lines that quote the same words; the sources of the others become its ``also_in``."""
    kept: dict[str, Line] = {}
    for line in lines:
        quote = fold(_SPACE.sub(" ", line.quote))
        known = kept.get(quote)
        if known is None:
            kept[quote] = line
        elif line.source.id not in {known.source.id, *(source.id for source in known.also_in)}:
            kept[quote] = replace(known, also_in=(*known.also_in, line.source))
    return list(kept.values())


def text_of(article: Article, span: Span) -> str:
    """A span of an article on one line."""
    return " ".join(article.body[slice(*span)].split())


def _find(scope: Scope, surnames: Iterable[str], fits: Callable[[str], bool]) -> Named | None:
    introductions: list[Introduced] = []
    quotations: list[Spoken] = []
    for surname in dict.fromkeys(surnames):
        people = scope.catalogue.people(surname=surname, filters=scope.filters)
        introductions += [(source, person) for source, person in people if fits(person.key)]
        spoken = scope.catalogue.quotations(surname=surname, filters=scope.filters)
        quotations += [(source, quotation) for source, quotation in spoken if fits(quotation.key)]
    return Named(tuple(introductions), tuple(quotations)) if introductions or quotations else None


def _same_but_for_a_slip(words: Sequence[str], known: Sequence[str]) -> bool:
    """Whether a name is another but for one slip in one word; the other words are the same."""
    if len(words) == 1:
        return _is_slip(words[0], known[-1])
    if len(words) != len(known):
        return False
    differing = [(word, other) for word, other in zip(words, known, strict=True) if word != other]
    return len(differing) == 1 and _is_slip(*differing[0])


def _is_slip(word: str, other: str) -> bool:
    """Whether a letter more, less, other or exchanged makes one word of the other (Damerau, 1964)."""
    if min(len(word), len(other)) < _MIN_MISSPELT_CHARACTERS or abs(len(word) - len(other)) > 1 or word == other:
        return False
    start = next((n for n, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    rest, others = word[start:], other[start:]
    is_exchanged = rest[:2] == others[:2][::-1] and rest[2:] == others[2:]
    return rest[1:] == others or rest == others[1:] or rest[1:] == others[1:] or is_exchanged
