"""The expected answer type of a question, and whether a sentence holds a thing of that type."""

from __future__ import annotations

import re
from typing import Literal

from bot.query.numbers import find_counts, has_money
from index.text import MONTH, fold, names

AnswerType = Literal["money", "number", "date", "person", "place", "reason", "any"]

# The first that matches decides.
_QUESTION_PATTERNS: dict[AnswerType, re.Pattern[str]] = {
    "money": re.compile(
        r"\bhow (?:much|expensive)\b.*\b(?:cost|pay|paid|price|spen[dt]|worth|earn|raise|money|charge|owe|sold)"
        r"|\bwhat (?:do|does|did|will|would)\b.*\bcost\b|\b(?:price|cost|salary|fee|budget) of\b"
    ),
    "number": re.compile(
        r"\bhow (?:many|much|old|long|far|tall|high|big|large|fast|often|deep|heavy)\b|\bwhat (?:percent|share"
        r"|number|proportion|amount|price|age|population)|\b(?:number of|(?:death )?toll|population|percentage)\b"
    ),
    "date": re.compile(r"\bwhen\b|\b(?:what|which) (?:year|day|date|month|century|decade|time)\b"),
    "reason": re.compile(r"\bwhy\b|\bhow come\b|\bwhat (?:caused|led to|made)\b|\b(?:reason|cause|purpose)s?\b"),
    "person": re.compile(r"\bwho(?:se|m)?\b|\b(?:what|which) (?:person|man|woman|\w+(?:er|or|ist|ian))\b"),
    "place": re.compile(
        r"\bwhere\b|\b(?:what|which) (?:country|city|town|state|place|river|region|province|continent|island|county"
        r"|street|village|location)\b"
    ),
}
_DATE = re.compile(
    rf"\b(?:1[0-9]|20)\d\ds?\b|\b{MONTH}\b\.?\s\d{{1,2}}\b|\b\d{{1,2}}\s{MONTH}\b\.?|\b(?=\w{{4}}){MONTH}\b"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|\b(?:yesterday|today|tomorrow|tonight|last (?:week|month|year|night))\b"
    r"|\b(?:\d{1,2}(?:st|nd|rd|th)[- ]|(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh"
    r"|twelfth|\w+teenth|twentieth) )century\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|since|due to|owing to|as a result|so that|in order to|caused|causes|led to|after|reason|to avoid|"
    r"to prevent|blamed|amid|over|why|therefore|thus|thanks to|so as to|intended to|aimed at|means)\b"
)
_MONEY = re.compile(
    r"[$€£¥₹]\s?\d|\b\d[\d.,]*\s(?:(?:hundred|thousand|million|billion|trillion)\s)?"
    r"(?:dollars?|euros?|pounds?|pence|cents?|yen|yuan|rupees|roubles|francs|riyals|dirhams)\b"
)


def expected_answer_type(question: str) -> AnswerType:
    """Classify a question by its words: ``"How many were hurt?" -> "number"``."""
    folded = fold(question)
    return next((name for name, pattern in _QUESTION_PATTERNS.items() if pattern.search(folded)), "any")


def has_answer_type(answer_type: AnswerType, sentence: str, question_words: frozenset[str] = frozenset()) -> bool:
    """Whether a sentence holds a thing of this type that is not among the question's (folded) words."""
    if answer_type == "number":
        return any(value not in question_words for value, _ in find_counts(sentence))
    if answer_type == "money":
        return bool(_MONEY.search(fold(sentence))) or has_money(sentence)
    if answer_type == "date":
        return any(not question_words.issuperset(date.split()) for date in _DATE.findall(fold(sentence)))
    if answer_type == "reason":
        return bool(_REASON.search(fold(sentence)))
    if answer_type in {"person", "place"}:
        return any(name not in question_words for name in names(sentence))
    return True
