"""The opening of a question, which asks nothing: "Hello, I'd like to know how many came" -> "how many came"."""

from __future__ import annotations

import re

_ADDRESSEE = r"(?: (?:there|all|everyone|everybody|team|bot|clippings|folks|friends|again|so much|very much|a lot))?"
_GREETING = (
    rf"(?:hi|hiya|hello|hey|greetings|morning|good (?:morning|afternoon|evening|day)|thanks|thank you|many thanks"
    rf"|excuse me|sorry|ok|okay|well|right|please|dear (?:all|team|clippings|bot)){_ADDRESSEE}"
)
_QUESTION = (
    r"(?:who|whom|whose|what|when|where|which|why|how|whether|if|is|are|was|were|do|does|did|has|have|had"
    r"|can|could|will|would|should|may)\b"
)
_REQUEST = (
    r"(?:i(?:['’]d| would) (?:really |also )?(?:like|love|want|need) to (?:know|ask|hear|learn|understand|find out)"
    r"|i (?:want|wanted|need|wish) to (?:know|ask|hear|learn|understand|find out)"
    r"|i(?:['’]m| am| was) (?:just )?wondering|i wonder"
    r"|(?:can|could|would|will) (?:you|u|someone|anyone)(?: please| kindly)? (?:tell me|explain|say)"
    r"|(?:do|does) (?:you|anyone|anybody) know|(?:please |kindly )?(?:tell me|let me know)|may i ask|can i ask"
    r"|(?:i have )?(?:a |one )?(?:quick )?question|my question is|any idea|help me understand)"
)
_APART = r"\s*[,.;:!–—-]+\s+"
_COMMAND = r"(?:tell|give|show|list|summari[sz]e|explain|compare|describe)\b"
_OPENINGS = [
    # A greeting goes if a mark parts it from the rest, or a question or a request follows: not in "Hello Kitty".
    re.compile(rf"{_GREETING}(?:{_APART}|\s*\n\s*|\s+(?={_QUESTION}|{_REQUEST}\b))", re.IGNORECASE),
    # A request goes if a question follows: not in "tell me about Boeing".
    re.compile(rf"{_REQUEST}(?:{_APART}|\s+(?:please\s+)?)(?={_QUESTION})", re.IGNORECASE),
    re.compile(
        rf"(?:(?:can|could|would|will) (?:you|u)(?: please| kindly)?|please|kindly)\s+(?={_COMMAND})", re.IGNORECASE
    ),
]
_MAX_OPENINGS = 4  # "Hi! Thanks. Please, could you tell me …"


def without_opening(question: str) -> str:
    """Cut greetings and requests before a question; any other question is returned to the letter."""
    rest = question
    for _ in range(_MAX_OPENINGS):
        matches = (opening.match(rest.lstrip()) for opening in _OPENINGS)
        match = next(filter(None, matches), None)
        if match is None or not match.string[match.end() :].strip(" ?!.,"):
            break
        rest = match.string[match.end() :]
    return rest
