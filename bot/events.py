"""The days before, during or after an event that a question names without a date: "before the election".

The articles themselves tell when the event was: on the day when most of those that begin with it were published, if
most were published within a week. A war of a year, a cup of every spring or what only two articles tell of has no
such day, and then nothing is preferred: it is better not to know than to look on the wrong side of the wrong day.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date

from bot.dates import shift
from index.catalogue import Catalogue
from index.search import Steer
from index.text import names, stem, stems

_FEWEST = 3  # articles that make a peak
_AROUND = 3  # days of an event on either side
_MOST_LETTERS = 1000  # of a question that are read

# "named after the king" and "said before the court" speak of no time.
_AUDIENCE = r"(?:court|judge|jury|committee|panel|senate|house|congress|parliament|council|camera|public)s?"
_EVENT = re.compile(
    r"(?<!named )\b(?P<side>before|ahead of|during|since|after)\s+the\s+"
    rf"(?!(?:\w+\s+)?{_AUDIENCE}(?:\W*$|[?,]|\s(?:in|on|that|which|what|who)\b))(?P<event>\w[^?!,;:\u2013\u2014()]*)",
    re.IGNORECASE,
)
_END = re.compile(  # of the words that name it
    r"\s(?:and|or|but|that|which|who|whom|when|where|while|was|were|is|are|did|do|does|has|have|had|will|would|could|can"
    r"|to|for|with|by|from|as|because|what|how|why)\b|\.(?:\s|$)|\s-",
    re.IGNORECASE,
)


def around_event(question: str, asked: date, catalogue: Catalogue) -> Steer | None:
    """The days on the side of an event that a question asks for; None where it names none, or none with a clear day.

    Of "What did Macron promise before the election?": the days before most articles that begin with an election and
    with Macron.
    """
    question = question[:_MOST_LETTERS]
    found = _EVENT.search(question)
    words = stems(_END.split(found["event"], maxsplit=1)[0]) if found else []
    if not found or not words or any(word.isdigit() for word in words):
        return None
    others = [word for word in map(stem, names(question)) if word not in words]
    day = _peak(catalogue.days_told(words, others, asked))
    return _side(found["side"].lower(), day, asked) if day else None


def _peak(days: Sequence[date]) -> date | None:
    """The day of most articles in the week of most; None where they are few, or half of all lie outside it."""
    count = Counter(days)
    weeks = [[shift(first, more) for more in range(7)] for first in sorted(count)]
    week = max(weeks, key=lambda week: sum(count[day] for day in week), default=[])
    within = sum(count[day] for day in week)
    if within < _FEWEST or 2 * within <= len(days):
        return None
    return max(week, key=count.__getitem__)


def _side(side: str, day: date, asked: date) -> Steer:
    """Days clearly on one side: most articles tell of an event on its day or on the next."""
    if side == "during":
        return Steer(shift(day, -_AROUND), shift(day, _AROUND))
    if side in ("after", "since"):
        return Steer(day, asked)
    return Steer(date.min, shift(day, -2))
