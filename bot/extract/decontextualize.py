"""What a sentence leans on, and from where an article must be quoted for it to make sense by itself.

"He was 92." does not say who. A newspaper writes "He [Alterman] was 92", which takes being sure who is meant. The
sentence before it, to the letter, leaves that to its reader and proves it, too.
"""

from __future__ import annotations

import re

from index.injection import instruction_spans
from index.models import Span
from index.text import names, sentences, stems, words

_MOST_BEFORE = 2  # sentences
_LONGEST_BEFORE = 40  # words
_LINK = r"(?i:\W*(?:(?:but|and|so|yet|still|however|also|then|instead|meanwhile|later|in addition|as a result)\b,? )?)"
# "It is not known whether", "this week" and "those who" point at nothing before them.
_POINTER = (
    r"(?!it(?:['’]s| is| was| will be| has been) (?:\w+ ){1,3}(?:that|to|whether|for|who|when|how)\b)"
    r"(?!(?:this|that|these|those) (?:\w+ )?(?:time|day|week|weekend|month|quarter|year|decade|century|morning"
    r"|afternoon|evening|spring|summer|autumn|fall|winter|season|\w+day|who|in|of|with)s?\b)"
    r"(?:he|she|it|they|his|her|its|their|this|that|these|those|such)(?:['’]\w+)?\b"
)
# "The company said", but not "The bridge of Marrow" nor "The first travellers".
_BARE = r"(?!(?:first|last|next|only|most|largest|average|median|world|same|\w+est)\b)[a-z][a-z-]* "
_VERB = (
    r"(?:is|are|was|were|has|have|had|will|would|can|could|may|might|must|should|does|did|also|says?|said|told|came|comes"
    r"|went|took|takes|made|makes|won|lost|left|led|held|paid|sold|began|begins|cost|costs|rose|fell|ran|runs|\w\w+ed)\b"
)
_LEANS = re.compile(
    rf"{_LINK}(?:(?i:{_POINTER})|[Tt]he (?P<thing>(?:{_BARE}){{1,2}}){_VERB})"
    # "In 1990 he was appointed"
    r"|(?:In|On|At|After|Before|During|When|While|As|From|By|Since|Until|For|Following|Upon|Although|Though|If|Later)\b"
    r"[^A-Z“\"]{0,50}\b(?:he|she|they|his|her|their)\b"
)
_THE_THING = re.compile(r"\bthe ([\w-]+(?: [\w-]+)?)", re.IGNORECASE)
# What stands before a sentence and is none of it: "(CNN) ", "(AP) — ", "[citation needed] ".
_FRONT = re.compile(r"(?:\([A-Z][\w .&]{1,20}\)\s*(?:[-–—]+\s*)?|\[[^\[\]]{1,30}\]\s*)+(?=\w)")


def decontextualize(text: str, span: Span, question: str = "") -> Span:
    """The span of a sentence with what it leans on, and without what is none of it.

    That is the sentence before it, or two where that one leans, too: a short statement with a name in it that gives no
    orders. Where there is no such, it stands as it is.
    """
    start = _lead(text, span, question)
    front = _FRONT.match(text, start, span.end)
    return Span(front.end() if front else start, span.end)


def is_anaphoric(sentence: str, question: str = "") -> bool:
    """Whether a sentence begins with a word for what was named before: "He", "This", "The company said".

    Whoever asks "what did the repair cost?" knows which repair; "which company" is what they do not know.
    """
    found = _LEANS.match(sentence.replace("\u00a0", " "))
    known = stems(" ".join(_THE_THING.findall(question)))
    return found is not None and not set(known) & set(stems(found["thing"] or ""))


def is_statement(sentence: str) -> bool:
    """Whether a sentence ends as a statement does: a question, a heading and what is left of a list do not."""
    return sentence.rstrip("\"'”’“)]").endswith((".", "!", "…"))


def _lead(text: str, span: Span, question: str) -> int:
    if not is_anaphoric(text[span.start : span.end], question):
        return span.start
    orders, named = instruction_spans(text), frozenset(names(text))
    earlier = [each for each in sentences(text) if each.end <= span.start]
    for before in reversed(earlier[-_MOST_BEFORE:]):
        told = text[before.start : before.end]
        short = len(text[before.start : span.start].split()) <= _LONGEST_BEFORE
        if not short or before in orders or not is_statement(told):
            break
        if not is_anaphoric(told, question):
            return span.start if named.isdisjoint(words(told)) else before.start
    return span.start
