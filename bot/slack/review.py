"""What the keepers of the bot read: people's opinions of answers, and what the articles did not say.

`clippings feedback` writes opinions as JSON for `clippings eval`, or as a table; archives hold them too. All read only
what is kept anyway.
"""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from pydantic import TypeAdapter

from bot import serialize
from bot.plain_text import safe
from bot.query.followup import content_words
from bot.slack.database import MAX_ID_CHARACTERS, MAX_KEY_CHARACTERS, MAX_MODEL_CHARACTERS, Database, Feedback
from index.text import stems

if TYPE_CHECKING:
    from bot.settings import Settings

_COLUMNS = ("at", "user", "helpful", "reason", "question", "answered", "answer", "relevant", "model", "id")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MAX_DAYS = 7  # that answers are kept
_DAY_SECONDS = 24 * 3600
_MIN_SHARE = 0.6  # of the questions of a topic that have each of its words
_MAX_LABEL_WORDS = 3
_ASKING = frozenset(stems(
    "compare list timeline summary summarise summarize latest news name tell show give many much year last first next "
    "new time people article say said ask"
))  # fmt: skip


def open_feedback(settings: Settings) -> Database:
    """Open the bot's database. Raises ClippingsError if there is none."""
    url = settings.database_url
    return Database(url.get_secret_value(), make=False) if url else Database.in_folder(settings.data, make=False)


def write_json(database: Database, out: TextIO) -> None:
    """Write a line of JSON for each opinion, as `clippings eval` reads questions."""
    out.writelines(json.dumps(row, ensure_ascii=True) + "\n" for row in _rows(database))


def write_csv(database: Database, out: TextIO) -> None:
    """Write a row for each opinion."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in _rows(database):
        row["relevant"] = " ".join(row["relevant"])
        writer.writerow([_cell(row[column]) for column in _COLUMNS])


def exported(database: Database) -> Iterator[bytes]:
    """A line of JSON for each opinion, as `imported` reads it."""
    yield from map(TypeAdapter(Feedback).dump_json, database.feedback())


def imported(line: bytes) -> Feedback:
    """Read an opinion from elsewhere. Raises ValueError if it is none that could be stored and shown."""
    opinion = TypeAdapter(Feedback).validate_json(line)
    limits = {opinion.key: MAX_KEY_CHARACTERS, opinion.user: MAX_ID_CHARACTERS, opinion.model: MAX_MODEL_CHARACTERS}
    if any(len(text) > limit for text, limit in limits.items()):
        raise ValueError("a field is too long")
    try:
        json.dumps(_row(opinion, agreed=True))
        serialize.read_answer(opinion.answer)
    except (LookupError, TypeError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise ValueError("its answer cannot be read") from error
    return opinion


def _rows(database: Database) -> Iterator[dict[str, Any]]:
    unhelpful = {(opinion.key, opinion.version) for opinion in database.feedback() if not opinion.helpful}
    for opinion in database.feedback():
        yield _row(opinion, agreed=(opinion.key, opinion.version) not in unhelpful)


def _row(opinion: Feedback, *, agreed: bool) -> dict[str, Any]:
    """An opinion as a question with a known answer, where everybody ``agreed`` that the answer was helpful.

    An unhelpful answer says nothing certain: the articles, the answer or only its form may have been wrong. There are
    no "answers", since other words may be as right.
    """
    answer = opinion.answer
    citations = answer["citations"] if agreed and answer["answered"] else []
    known = agreed and (answer["answered"] or answer["refusal"])  # chitchat is neither
    return {
        "id": f"{opinion.key}/{opinion.version}/{opinion.user}",
        "question": answer["standalone_question"],
        "answerable": bool(answer["answered"]) if known else None,
        "relevant": list(dict.fromkeys(citation["article"]["id"] for citation in citations)),
        "support": [citation["quote"] for citation in citations],
        "asked": _local_time(opinion.asked).date().isoformat(),
        "said": answer["question"],
        "helpful": opinion.helpful,
        "reason": opinion.reason,
        "user": opinion.user,
        "model": opinion.model,
        "answered": answer["answered"],
        "answer": answer["text"],
        "citations": answer["citations"],
        "passages": list(dict.fromkeys(passage["article"]["id"] for passage in answer["passages"])),
        "at": _local_time(opinion.at).isoformat(timespec="seconds"),
    }


def _cell(value: object) -> str:
    """A cell that spreadsheets show and do not run: ``"=1+1" -> "'=1+1"``."""
    text = "" if value is None else str(value)
    return safe(f"'{text}" if text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS) else text)


def _local_time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds).astimezone()  # the bot answers by the date of its own time zone


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
