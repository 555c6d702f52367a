"""`clippings feedback`: what people thought of the answers, to read, for a spreadsheet, and for `clippings eval`."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from bot.plain_text import safe
from bot.slack.database import Database, Feedback

if TYPE_CHECKING:
    from bot.settings import Settings

SHOWN = 10
_LONGEST = 300  # characters of a question or a reason that are shown
_COLUMNS = ("at", "user", "helpful", "reason", "question", "answered", "answer", "relevant", "model", "id")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def open_feedback(settings: Settings) -> Database:
    """The database that the bot keeps; ClippingsError where there is none, and nothing is made."""
    url = settings.database_url
    if url:
        return Database(url.get_secret_value(), make=False)
    return Database.in_folder(settings.data, make=False)


def write_json(database: Database, out: TextIO) -> None:
    """Write a line of JSON for each feedback, as `clippings eval` reads questions."""
    out.writelines(json.dumps(row, ensure_ascii=True) + "\n" for row in _rows(database))


def write_csv(database: Database, out: TextIO) -> None:
    """Write a row for each feedback."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in _rows(database):
        row["relevant"] = " ".join(row["relevant"])
        writer.writerow([_cell(row[column]) for column in _COLUMNS])


def _rows(database: Database) -> Iterator[dict[str, Any]]:
    unhelpful = {(one.key, one.version) for one in database.feedback() if not one.helpful}
    for one in database.feedback():
        yield _row(one, agreed=(one.key, one.version) not in unhelpful)


def _row(one: Feedback, *, agreed: bool) -> dict[str, Any]:
    """Feedback as a known question. The question that was searched for is the one that stands alone without turns."""
    answer = one.answer
    return {
        "id": f"{one.key}/{one.version}/{one.user}",
        "question": answer["standalone_question"],
        **_known(answer, agreed=agreed),
        "asked": _when(one.asked).date().isoformat(),
        "said": answer["question"],
        "helpful": one.helpful,
        "reason": one.reason,
        "user": one.user,
        "model": one.model,
        "answered": answer["answered"],
        "answer": answer["text"],
        "citations": answer["citations"],
        "passages": list(dict.fromkeys(passage["article"]["id"] for passage in answer["passages"])),
        "at": _when(one.at).isoformat(timespec="seconds"),
    }


def _known(answer: Mapping[str, Any], *, agreed: bool) -> dict[str, object]:
    """What feedback tells of the right answer.

    That one was helpful tells where it was found; that it was not, or that people disagree, tells nothing for certain:
    what was wrong may be the articles, the answer, or only its form. Other words may be as right, so there are no
    "answers".
    """
    cited = answer["citations"] if agreed and answer["answered"] else []
    answerable = None
    if agreed and (answer["answered"] or answer["refusal"]):  # small talk is neither
        answerable = bool(answer["answered"])
    return {
        "answerable": answerable,
        "relevant": list(dict.fromkeys(citation["article"]["id"] for citation in cited)),
        "support": [citation["quote"] for citation in cited],
    }


def _cell(value: object) -> str:
    """A cell that a spreadsheet shows and does not run: ``"=1+1" -> "'=1+1"``."""
    text = "" if value is None else str(value)
    defused = f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text
    return safe(defused)


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds).astimezone()  # the day where the bot is, as it answered by it
