"""Who did it: whoever is charged with a deed, suspected of it or denies it is no doer, and is not told as such."""

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


def answer_deed(request: Request, scope: Scope) -> Found | None:
    """Tell an accusation and a denial as such, or who was convicted; None if the best sentence is no such thing."""
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


def _is_claim(text: str, deed: str = "") -> bool:
    """Whether a text tells an accusation or a denial, and no deed before it: "Ray killed two and was charged"."""
    claim = _DENIES.search(text) or _ACCUSES.search(text)
    return bool(claim and deed not in map(word_key, words(text[: claim.start()])) and not _PROVES.search(text))
