"""Deeds: when something was done, and who did it.

The day on which a pool closed is not the day on which it opened. Whoever is charged with a deed, suspected of it or
denies it is no doer, and is not told as such.
"""

from __future__ import annotations

import re

from bot.extract.answerability import predict
from bot.extract.events import is_same_event
from bot.kinds.scope import Found, Line, Scope, compose
from bot.query.kind import Request
from bot.query.wording import is_past_form, word_key
from index.text import words

_WHO_DID = re.compile(r"(?:and |but |so )?who (?:has |had |really |actually )?(?P<verb>[a-z]+)\b", re.IGNORECASE)
_DENIES = re.compile(
    r"\b(?:den(?:y|ies|ied|ying)|(?:plead(?:s|ed)?|pleading) not guilty|protest\w* \w+ innocence)\b", re.IGNORECASE
)
_ACCUSES = re.compile(
    r"\b(?:charg(?:ed|es|ing) \S|accus\w+|suspect\w*|suspicion|alleg\w+|arrest\w*|indict\w*"
    r"|(?:on|stands?|stood|faces?) trial)",
    re.IGNORECASE,
)
_PROVES = re.compile(
    r"\b(?:convict(?:ed|ion)|found guilty|(?:plead(?:s|ed)?|pleading) guilty|admit(?:s|ted)|confess\w+"
    r"|sentenced|jailed)\b",
    re.IGNORECASE,
)
_MAX_LINES = 3
_MIN_LOGIT = 0.0  # of the reader, for another sentence than the best
_WHEN = re.compile(
    r"(?:and |but |so )?(?:when|(?:on|in|since) (?:what|which) (?:day|date|month|year)|what (?:day|date))\b",
    re.IGNORECASE,
)
# A deed of a question, what is done in the same sense, and what is the contrary.
_DEEDS = {
    deed: (frozenset(map(word_key, same.split())), frozenset(map(word_key, contrary.split())))
    for deeds, same, contrary in (
        ("open", "open opening reopen begin launch inaugurate start", "close closure shut end stop"),
        ("reopen", "open opening reopen begin resume return restart back", "close closure shut end stop"),
        ("close", "close closure shut end stop closing", "open opening reopen begin resume return"),
        ("begin launch", "begin open launch resume outset", "end close stop finish abandon"),
        ("end finish stop", "end finish stop close over until abandon settle", "begin open launch resume"),
        ("appoint hire elect", "appoint name hire elect become sign take", "resign sack leave quit dismiss retire"),
        ("resign leave quit retire", "resign leave quit retire step down depart", "appoint hire elect join become"),
        ("sack dismiss", "sack dismiss fire oust", "appoint hire elect join"),
        ("arrive", "arrive reach come land", "leave depart sail"),
        ("leave depart", "leave depart sail resign quit", "arrive reach land"),
        ("arrest jail", "arrest detain jail custody", "release free clear acquit"),
        ("release", "release free publish", "arrest detain jail"),
        ("buy", "buy acquire purchase", "sell"),
        ("sell", "sell sale", "buy acquire"),
        ("die", "die death kill", "bear birth"),
        ("born", "born birth", "die death kill"),
    )
    for deed in map(word_key, deeds.split())
}  # fmt: skip


def answer_deed(request: Request, scope: Scope) -> Found | None:
    """Date a deed, not its contrary; tell an accusation and a denial as such, or who was convicted; else None."""
    if _WHEN.match(request.text):
        return _when(request, scope)
    asked = _WHO_DID.match(request.text)
    if not asked or not is_past_form(asked["verb"].lower()) or _is_claim(asked["verb"]):
        return None
    retrieval = scope.retrieve_in_period(request.text)
    if not predict(retrieval).answerable:
        return None
    deed, best = word_key(asked["verb"].lower()), retrieval.ranked[0]
    if not _is_claim(best.text, deed):
        return None
    of_deed = [one for one in retrieval.ranked if deed in map(word_key, words(one.text)) and is_same_event(best, one)]
    if proven := [one for one in of_deed if _PROVES.search(one.text)]:
        return compose([Line.of(proven[0], retrieval)])
    claims = sorted(
        (one for one in dict.fromkeys([best, *of_deed]) if _is_claim(one.text, deed)),
        key=lambda one: bool(_DENIES.search(one.text)),
    )
    lines = list({line.quote: line for line in (Line.of(one, retrieval) for one in claims)}.values())
    what = "a denial" if _DENIES.search(claims[0].text) else "an accusation"
    return compose(lines[:_MAX_LINES], f"No article that comes near says who did it, but there is {what}:")


def _when(request: Request, scope: Scope) -> Found | None:
    """Quote the best sentence that tells more than the contrary of the deed, or refuse; None if the best one does."""
    deeds = [_DEEDS[key] for key in map(word_key, words(request.text)) if key in _DEEDS]
    retrieval = scope.retrieve_in_period(request.text)
    if len(deeds) != 1 or not predict(retrieval).answerable:
        return None
    ((same, contrary),) = deeds
    keys = {one: set(map(word_key, words(f"{one.passage.source.headline} {one.text}"))) for one in retrieval.ranked}
    if keys[retrieval.ranked[0]].isdisjoint(contrary) or keys[retrieval.ranked[0]] & same:
        return None
    other = next((one for one in keys if keys[one] & same and one.has_answer_type and one.logit >= _MIN_LOGIT), None)
    if other:
        return compose([Line.of(other, retrieval)])
    return Found(refusal="No article that comes near says when that was.", is_final=False)


def _is_claim(text: str, deed: str = "") -> bool:
    """Whether a text tells an accusation or a denial, and no deed before it: "Ray killed two and was charged"."""
    claim = _DENIES.search(text) or _ACCUSES.search(text)
    return bool(claim and deed not in map(word_key, words(text[: claim.start()])) and not _PROVES.search(text))
