"""The things that a question sets side by side: "the old and the new fare" -> old fare, new fare."""

from __future__ import annotations

import re

from bot.query.followup import content_words
from index.text import STOP_WORDS, word_spans

_AND = re.compile(
    r",? (?:compared? (?:with|to)|differ(?:ent)? from|and|with|to|versus|vs\.?|against|or)(?: that(?: of)?)? ",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"(?:(?:please )?(?:compare|contrast)|.*?\bdifferences? between|.*?\b(?:differ|different) from"
    r"|what is|how (?:does|do|did|has|have)|how|is|are|was|were)\s+",
    re.IGNORECASE,
)
_BEFORE_AND_AFTER = re.compile(r"\b(before) and (after)\b\s*(?P<event>.*)", re.IGNORECASE)
_COMPARES_IN = re.compile(
    r"how (?:do|does|did) (?P<first>.+?) compare(?P<matter> in .+?)? (?:with|to|and) (?P<second>.+)", re.IGNORECASE
)
_THING = r"(?:(?:the|an?|its|his|her) )?(?:(?-i:[A-Z])[\w'’.-]*(?: (?-i:[A-Z])[\w'’.-]*)*|[\w'’-]+)"
# A choice between things: "which is older, the mill or the bridge?", "Texas or Alabama: which has more?".
_CHOICES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:which|who|what|where) (?P<matter>[^,:]+)[,:] (?P<things>.+? or .+)",
        r"\A(?P<things>(?=[^,:?]*? or )[^,:?]++)[,:?]+ (?:which|who|what|where) (?P<matter>.+)",
        rf"(?:do|does|did|is|are|was|were|has|have|had|will) (?P<things>.+? or {_THING}) (?P<matter>.+)",
    )
)
_TAIL = re.compile(r"\s(?:of|for)\s.*")
_WITH = re.compile(r"\b(?:with|to|versus|vs\.?|against|from) (?!that\b)", re.IGNORECASE)
_QUESTION_WORD = re.compile(r"\b(?:what|which|who|whom|whose|why|when|where|how)\b", re.IGNORECASE)
_THE_THE = re.compile(r"\bthe the ")
_MAX_SIDES = 4
STATE_WORDS = frozenset(
    """old new former current previous present first second last next before after original final actual real earlier
    later forecast outcome estimate estimated result planned expected predicted now then article correction""".split()
)
"""Words that tell two states of a thing apart, in time."""
_STATE_NOUNS = frozenset("forecast outcome estimate result article correction".split())


def split_sides(text: str) -> tuple[str, ...]:
    """Split a question's subject at "and", and complete the shorter sides; () if there is nothing to split.

    ``"the old and the new fare" -> "the old fare", "the new fare"``;
    ``"jobs lost in Garforth and Ennis" -> "jobs lost in Garforth", "jobs lost in Ennis"``
    """
    if match := _COMPARES_IN.search(text.rstrip(" ?!.")):
        matter = match["matter"] or ""
        return f"{match['first']}{matter}", f"{match['second']}{matter}"
    if match := _choice(text):
        return tuple(f"{thing} {match['matter']}" for thing in _things(match))
    opening = _OPENING.match(text)
    bare = text[opening.end() if opening else 0 :].strip(" ?!.,")
    if match := _BEFORE_AND_AFTER.search(bare):
        topic, event = bare[: match.start()].strip(), match["event"].strip()
        return (f"{topic} before {event}".strip(), f"{topic} after {event}".strip()) if event else ()
    parts = [part.strip(" ,") for part in _AND.split(bare)]
    parts = [piece.strip() for part in parts for piece in part.split(", ") if piece.strip()]
    if not 1 < len(parts) <= _MAX_SIDES or not all(map(content_words, parts)) or _QUESTION_WORD.search(bare):
        return ()
    return _completed(parts, has_whole_sides=bool(_WITH.search(bare)))


def things_to_choose_from(text: str) -> tuple[str, ...]:
    """The things of a choice, in the order of `split_sides`; () if the question asks for none."""
    match = _choice(text)
    return _things(match) if match else ()


def _choice(text: str) -> re.Match[str] | None:
    matches = (choice.fullmatch(text.rstrip(" ?!.")) for choice in _CHOICES)
    return next((match for match in matches if match and len(_things(match)) <= _MAX_SIDES), None)


def _things(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(re.split(r",? or |, ", match["things"]))


def _completed(parts: list[str], *, has_whole_sides: bool) -> tuple[str, ...]:
    """Give every side what only the first or the last one has."""
    first, last = parts[0], parts[-1]
    heads = content_words(first)
    behind = _TAIL.search(last)
    if behind and not any(map(_TAIL.search, parts[:-1])):  # "the estimate and the real cost of the repair"
        noun = f" {_after_first_content_word(last)}"  # "the planned and the actual cost of the stadium"
        states = (content_words(part) for part in parts[:-1])
        is_state = (STATE_WORDS.issuperset(state) and not _STATE_NOUNS.issuperset(state) for state in states)
        tails = (noun if is_bare else behind.group() for is_bare in is_state)
        return (*(f"{part}{tail}" for part, tail in zip(parts, tails, strict=False)), last)
    is_whole = all(len(content_words(part)) > 1 and STATE_WORDS.isdisjoint(content_words(part)) for part in parts)
    if has_whole_sides and is_whole:
        return tuple(parts)  # "the sea wall with Pell's plan"
    if (
        len(heads) > 1 and heads[-1] in STATE_WORDS and len(content_words(last)) > 1
    ):  # "the city's first and second offer"
        head, tail = _before_last_content_words(first, 1), _after_first_content_word(last)
        return tuple(f"{head if part != first else ''} {part} {tail if part != last else ''}".strip() for part in parts)
    if len(content_words(first)) < len(content_words(last)):
        tail = _after_first_content_word(last)
        return (*(f"{part} {tail}" for part in parts[:-1]), last)
    if len(content_words(first)) > len(content_words(last)):
        head = _before_last_content_words(first, len(content_words(last)))
        return (first, *(_THE_THE.sub("the ", f"{head} {part}") for part in parts[1:]))
    return tuple(parts)


def _content_spans(text: str) -> list[tuple[int, int]]:
    return [span for word, span in word_spans(text) if word not in STOP_WORDS]


def _after_first_content_word(text: str) -> str:
    return text[_content_spans(text)[0][1] :].strip()


def _before_last_content_words(text: str, count: int) -> str:
    return text[: _content_spans(text)[-count][0]].strip()
