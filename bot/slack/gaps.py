"""What the articles did not say: refused questions of the last days, by topic. Reads only what is kept anyway."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.query.followup import content_words
from bot.slack.database import Database
from index.text import stems

MAX_DAYS = 7  # that answers are kept
_DAY_SECONDS = 24 * 3600
_MIN_SHARE = 0.6  # of the questions of a topic that have each of its words
_MAX_LABEL_WORDS = 3
_ASKING = frozenset(stems(
    "compare list timeline summary summarise summarize latest news name tell show give many much year last first next "
    "new time people article say said ask"
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refused:
    """A question that was refused, and why. ``is_private``: only the asker saw the answer."""

    question: str
    reason: str
    is_private: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """Questions that share words. ``label`` has those words; "" for questions that share none with others."""

    label: str
    questions: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Gaps:
    """What was asked in some days; ``topics`` with the most questions first."""

    days: int
    questions: int
    refused: int
    topics: tuple[Topic, ...]


def find_gaps(database: Database, days: int = MAX_DAYS) -> Gaps:
    """Group what was refused in the last days. Raises DatabaseError."""
    refused, count = [], 0
    for answer, is_private in database.answers(time.time() - days * _DAY_SECONDS):
        count += answer.get("answerer") != "reply"
        if refusal := answer.get("refusal"):
            question = answer.get("standalone_question") or answer.get("question") or ""
            refused.append(Refused(str(question), str(refusal.get("reason") or ""), is_private))
    return Gaps(days, count, len(refused), tuple(topics(refused)))


def topics(refused: Sequence[Refused]) -> list[Topic]:
    """Group by the word that most of the questions left have, again and again; the rest is the last topic."""
    words = [_words(asked.question) for asked in refused]
    left, grouped = list(range(len(refused))), list[Topic]()
    while left:
        counts = Counter(stem for number in left for stem in words[number])
        stem, count = max(counts.items(), key=lambda item: (item[1], len(item[0]), item[0]), default=("", 0))
        if count <= 1:
            break
        members = [number for number in left if stem in words[number]]
        grouped.append(
            Topic(_label([words[number] for number in members]), tuple(refused[number] for number in members))
        )
        left = [number for number in left if stem not in words[number]]
    rest = [Topic("", tuple(refused[number] for number in left))] if left else []
    return [*grouped, *rest]


def _words(question: str) -> dict[str, str]:
    """The stems of what a question is about, with the words as written."""
    return {stem: word for word in content_words(question) for stem in stems(word) if stem not in _ASKING}


def _label(members: Sequence[dict[str, str]]) -> str:
    """The words that most questions of a topic have, as the first of them writes them."""
    counts = Counter(stem for words in members for stem in words)
    shared = [
        stem for stem, count in counts.most_common(_MAX_LABEL_WORDS) if count >= max(2, _MIN_SHARE * len(members))
    ]
    written: dict[str, str] = {}
    for words in members:
        for stem, word in words.items():
            written.setdefault(stem, word)
    return " ".join(written[stem] for stem in written if stem in shared)
