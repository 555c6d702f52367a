"""Limits that a question sets itself: an outlet, an author, or an article shown before.

"What did the Courier say about the strike?", "only Reuters", "articles by Simon Lewis" and "what does the second one
say?" limit what is read, and these words are not searched for. The answer says so, since a limit may be misread.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.models import Turn
from bot.query.followup import content_words
from index.models import Filters, Source
from index.storage.catalogue import Catalogue
from index.text import fold, stems

_ARTICLE = r"(?:one|articles?|stor(?:y|ies)|pieces?|reports?|coverage|reporting|version|account|source)"
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_SHOWN = re.compile(
    rf"(?:\b(?:in|from|of|about) )?(?:\bthe (?P<ordinal>{'|'.join(_ORDINALS)}) {_ARTICLE}\b"
    r"|\b(?:source|article|number|no\.?|story) ?\[?(?P<number>\d)\b\]?|\[(?P<mark>\d)\]"
    r"|\b(?P<only>this|that) (?:article|story|piece|report)\b)",
    re.IGNORECASE,
)
# "Who wrote it?", "which outlet is that from?": of the article that was quoted first.
_ORIGIN = re.compile(
    r"\A\W*(?:(?:and|but|so) )?(?:(?P<who>who (?:wrote|reported))|(?:which|what) (?:outlet|newspaper|paper|source)"
    r" (?:is|was)) (?:it|that|this)(?: (?:from|in|by))?\W*(?:\([^()]*\))?\W*\Z",
    re.IGNORECASE,
)
_OPENING = re.compile(r"\A(?:\W*\bplease\b)?\s*[,:;]\s*", re.IGNORECASE)  # of "only the Echo please: what …"
_NO_LIMIT = re.compile(r"\s*\b(?:in|from|of) (?:all|any|every) (?:the )?(?:outlets?|papers?|sources?)\b", re.IGNORECASE)
_SHOWN_MARK = re.compile(r"(?P<shown>[^\[\]]*)\[(?P<number>\d{1,2})\]")
_QUOTE = re.compile(r"“([^“”]+)”")
_SUMMARY = "Summarise the article"  # of a question that says no more than which article
_LIST = "Which articles are there?"
_MAX_QUOTE_STEMS = 10
_MIN_ALIAS_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """A question without the words that limit it, the filters with them, and the note for the user, or ""."""

    question: str
    filters: Filters
    note: str = ""


def read_limits(question: str, turns: Sequence[Turn], filters: Filters, catalogue: Catalogue) -> Limits:
    """Read the limits of a question. Filters that are set already stay."""
    if match := _NO_LIMIT.search(question):
        return Limits(_without(question, match), filters)
    limits = Limits(question, filters)
    if (origin := _ORIGIN.match(question)) and (shown := shown_sources(turns, catalogue)):
        source = next(iter(shown.values()))
        note = f"Only “{source.headline}” was read."
        asked = "Who wrote" if origin["who"] else "Which outlets published"
        return Limits(f"{asked} the article?", replace(filters, article=source.id), note)
    if match := _SHOWN.search(question):
        limits = _limit_to_shown(limits, match, shown_sources(turns, catalogue))
    if not limits.filters.article and not filters.outlet:
        limits = _limit_to_outlet(limits, catalogue)
    return limits if filters.author else _limit_to_author(limits, catalogue)


def shown_sources(turns: Sequence[Turn], catalogue: Catalogue) -> dict[int, Source]:
    """The sources of the last answer by number, found by the headline or the quote that stands before each mark."""
    text = next((turn.text for turn in reversed(turns) if turn.role == "assistant"), "")
    shown: dict[int, Source] = {}
    for match in _SHOWN_MARK.finditer(text):
        if source := _source_of(match["shown"], catalogue):
            shown.setdefault(int(match["number"]), source)
    return shown


def _source_of(shown: str, catalogue: Catalogue) -> Source | None:
    """The article whose headline, or whose body, holds what is shown."""
    quotes = _QUOTE.findall(shown)
    words = (quotes[-1] if quotes else shown.rpartition("\n")[2].partition(" — ")[0]).strip(" -")
    key = fold("".join(filter(str.isalnum, words)))
    for source in catalogue.mentioning(list(dict.fromkeys(stems(words)))[:_MAX_QUOTE_STEMS]) if key else ():
        article = catalogue.article(source.id)
        if article and key in fold("".join(filter(str.isalnum, f"{source.headline}\n{article.body}"))):
            return source
    return None


def _limit_to_shown(limits: Limits, match: re.Match[str], shown: dict[int, Source]) -> Limits:
    sources = list(dict.fromkeys(shown.values()))
    if number := match["number"] or match["mark"]:
        source = shown.get(int(number))
    elif match["only"]:
        source = sources[0] if len(sources) == 1 else None
    else:
        place = _ORDINALS[fold(match["ordinal"])]
        source = sources[place] if sources and place < len(sources) else None
    if source is None:
        return limits
    note = f"Only “{source.headline}” was read."
    return _limited(limits, match, replace(limits.filters, article=source.id), note)


def _limit_to_outlet(limits: Limits, catalogue: Catalogue) -> Limits:
    names = _aliases(tuple(outlet for outlet in catalogue.outlets() if outlet), catalogue.outlet_names())
    if not names:
        return limits
    match = _outlet_pattern(tuple(names)).search(limits.question)
    if match is None:
        return limits
    outlet = names[fold(next(filter(None, match.group("name", "of", "plural", "saying"))))]
    if match["topic"]:
        limits = replace(limits, question=f"What happened with {match['topic']}")
        return replace(limits, filters=replace(limits.filters, outlet=outlet), note=_note(outlet))
    return _limited(limits, match, replace(limits.filters, outlet=outlet), _note(outlet))


def _note(outlet: str) -> str:
    return f"Only articles of {outlet} were read."


def _limit_to_author(limits: Limits, catalogue: Catalogue) -> Limits:
    names = {fold(name): name for name in catalogue.authors()}
    if names and (match := _author_pattern(tuple(names.values())).search(limits.question)):
        author = names[fold(match["name"] or match["writer"])]
        return _limited(limits, match, replace(limits.filters, author=author), f"Only articles by {author} were read.")
    return limits


def _limited(limits: Limits, match: re.Match[str], filters: Filters, note: str) -> Limits:
    """Cut the limiting words out. If nothing is left that asks something, sum up the article, or list the author's."""
    question = _without(limits.question, match)
    if not content_words(question):
        question = _SUMMARY if filters.article else _LIST if filters.author else question
    return Limits(question, filters, " ".join(filter(None, (limits.note, note))))


def _without(question: str, match: re.Match[str]) -> str:
    rest = " ".join(f"{question[: match.start()]} {question[match.end() :]}".split()).replace(" ?", "?")
    return _OPENING.sub("", rest)


def _aliases(outlets: tuple[str, ...], known: Mapping[str, str]) -> dict[str, str]:
    """Outlets by the names that a question may use: whole, without "The", and by a last word that is no other's."""
    last = Counter(outlet.split()[-1] for outlet in outlets)
    aliases = {fold(outlet.split()[-1]): outlet for outlet in outlets if last[outlet.split()[-1]] == 1}
    aliases = {alias: outlet for alias, outlet in aliases.items() if len(alias) >= _MIN_ALIAS_CHARACTERS}
    return aliases | {name.removeprefix("the "): outlet for name, outlet in known.items()}


@lru_cache(maxsize=8)
def _outlet_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    name = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(
        rf"(?:\b(?:only|just)\s+)?\b(?:in|from|according to)\s+(?:the\s+)?(?P<name>{name})\b(?:['’]s)?"
        rf"(?:\s+{_ARTICLE}\b)?"
        rf"|\b(?:only|just)\s+(?:the\s+)?(?P<of>{name})\b"
        rf"|\b(?P<plural>{name})\s+(?=(?:articles|stories|pieces|reports|coverage)\b)"
        rf"|\bwhat\s+(?:did|does|do|has)\s+(?:the\s+)?(?P<saying>{name})\s+(?:say|report|write|reported|said|written)\b"
        rf"(?:\s+(?:about|on|of)\s+(?P<topic>\S.*))?",
        re.IGNORECASE,
    )


@lru_cache(maxsize=8)
def _author_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    name = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(
        r"(?:(?<=articles )|(?<=stories )|(?<=reports )|(?<=pieces )|(?<=written )|(?<=reported )|(?<=thing )"
        rf"|(?<=got )|(?<=have )|^\W*|\bonly )by\s+(?P<name>{name})\b"
        rf"|\b(?:(?:did|has|that|which) )?(?P<writer>{name})\s+"
        r"(?:writes?|wrote|written|report(?:ed)?|filed?|penned|authored|published)\b",
        re.IGNORECASE,
    )
