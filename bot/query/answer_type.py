"""The kind of thing that a question asks for, and whether a sentence holds one."""

from __future__ import annotations

import re
from typing import Literal

from bot.query.numbers import find_counts
from index.text import fold, names

AnswerType = Literal["money", "number", "date", "person", "place", "reason", "any"]

_ASKS: tuple[tuple[AnswerType, re.Pattern[str]], ...] = (
    (
        "money",
        re.compile(
            r"\bhow (?:much|expensive)\b.*\b(?:cost|pay|paid|price|spen[dt]|worth|earn|raise|money|charge|owe|sold)"
            r"|\bwhat (?:do|does|did|will|would)\b.*\bcost\b|\b(?:price|cost|salary|fee|budget) of\b"
        ),
    ),
    (
        "number",
        re.compile(
            r"\bhow (?:many|much|old|long|far|tall|high|big|large|fast|often|deep|heavy)\b|\bwhat (?:percent|share"
            r"|number|proportion|amount|price|age|population)"
            r"|\b(?:number of|(?:death )?toll|price of|cost of|population|percentage)\b"
        ),
    ),
    (
        "date",
        re.compile(r"\bwhen\b|\b(?:what|which) (?:year|day|date|month|century|decade|time)\b"),
    ),
    ("reason", re.compile(r"\bwhy\b|\bhow come\b|\bwhat (?:caused|led to|made)\b|\b(?:reason|cause|purpose)s?\b")),
    ("person", re.compile(r"\bwho\b|\bwhose\b|\bwhom\b|\b(?:what|which) (?:person|man|woman|\w+(?:er|or|ist|ian))\b")),
    (
        "place",
        re.compile(
            r"\bwhere\b|\b(?:what|which) (?:country|city|town|state|place|river|region|province|continent|island|"
            r"county|street|village|location)\b"
        ),
    ),
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DATE = re.compile(
    rf"\b(?:1[0-9]|20)\d\ds?\b|\b{_MONTH}\s\d{{1,2}}\b|\b\d{{1,2}}\s{_MONTH}|"
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|"
    r"\b\d{1,2}(?:st|nd|rd|th)[- ]century\b|\b(?:yesterday|today|tomorrow|tonight|last (?:week|month|year|night))\b|"
    r"\b(?:january|february|march|april|june|july|august|september|october|november|december)\b|"
    r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w+teenth|"
    r"twentieth) century\b"
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
    """The kind of thing a question asks for: ``"How many were hurt?" -> "number"``."""
    folded = fold(question)
    return next((kind for kind, pattern in _ASKS if pattern.search(folded)), "any")


def has_answer_type(kind: AnswerType, sentence: str, question_words: frozenset[str] = frozenset()) -> bool:
    """Whether a sentence holds a thing of that kind which is not already in the question (as folded words)."""
    if kind == "number":
        return any(value not in question_words for value, _ in find_counts(sentence))
    if kind == "money":
        return bool(_MONEY.search(fold(sentence)))
    if kind == "date":
        found = (match.group() for match in _DATE.finditer(fold(sentence)))
        return any(not question_words.issuperset(value.split()) for value in found)
    if kind == "reason":
        return bool(_REASON.search(fold(sentence)))
    if kind in {"person", "place"}:
        return any(name not in question_words for name in names(sentence))
    return True
