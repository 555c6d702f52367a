"""People's opinions of answers, for `clippings feedback` (JSON for `clippings eval`, or a table) and for archives."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from pydantic import TypeAdapter

from bot import serialize
from bot.plain_text import safe
from bot.slack.database import MAX_ID_CHARACTERS, MAX_KEY_CHARACTERS, MAX_MODEL_CHARACTERS, Database, Feedback

if TYPE_CHECKING:
    from bot.settings import Settings

_COLUMNS = ("at", "user", "helpful", "reason", "question", "answered", "answer", "relevant", "model", "id")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


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
