"""The labelled questions of `clippings eval`: their fields, and the file that they are read from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictBool, ValidationError

from bot.models import Kind, Turn
from index.models import ClippingsError, Source

ARTICLES, QUERIES = "articles.jsonl", "queries.jsonl"
KINDS = frozenset[str](get_args(Kind))
_MISSPELT_RATIO = 0.8  # of difflib: "answer" and "answers" are .92 alike, "kind" and "asked" .44
_OF_FEEDBACK = "helpful"  # `clippings feedback --json` adds many fields of its own, also an "answer"


class KnownQuestion(BaseModel):
    """A question with its labels; a label that is missing is None or empty.

    ``relevant`` are ids or file names of articles, ``answers`` and ``wrong`` strings to look for in the answer (any of
    ``answers``, or all with ``every_answer``, or all in this order with ``ordered``), ``support`` sentences that hold
    the answer. ``count`` is a number to state, ``verdict`` the first word, ``speaker`` whose words are quoted. Of
    ``"Ann Lee|the mayor"`` either is right. ``as_of`` is read from "asked". ``kind`` is one of KINDS, or any word.
    """

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    id: str
    question: str
    answerable: StrictBool | None = None
    relevant: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    wrong: tuple[str, ...] | None = None
    every_answer: StrictBool = False
    ordered: StrictBool = False
    count: Annotated[FiniteFloat, Field(strict=True)] | None = None
    verdict: Literal["yes", "no"] | None = None
    speaker: str | None = None
    support: tuple[str, ...] = ()
    as_of: Annotated[date, Field(strict=True)] | None = Field(default=None, alias="asked")
    history: tuple[Turn, ...] = ()
    kind: str | None = None
    group: str | None = None

    @property
    def has_answer(self) -> bool:
        """Whether the articles hold the answer; assumed unless they are labelled not to."""
        return self.answerable is not False

    @property
    def is_chitchat(self) -> bool:
        """Whether the question asks nothing of the articles."""
        return self.kind == "chitchat"

    @property
    def is_strict(self) -> bool:
        """Whether an answer is right only if every label of the question holds (bot/evaluation/judge.py)."""
        labels = (self.count, self.verdict, self.speaker)
        return self.kind in KINDS or self.ordered or any(label is not None for label in labels)

    @property
    def is_judged(self) -> bool:
        """Whether the labels suffice to call an answer right or wrong."""
        labels = (self.relevant, self.answers, self.support, self.verdict, self.speaker, self.is_chitchat)
        return self.answerable is not None or self.count is not None or any(labels)


def read_questions(place: Path) -> list[KnownQuestion]:
    """Read the questions of a folder or a file. Raises ClippingsError with the file, the line and what is wrong."""
    file = place if place.is_file() else place / QUERIES
    if not file.is_file():
        raise ClippingsError(
            f"{file} is no file. A set of questions is a folder with {QUERIES}, and mostly {ARTICLES}."
        )
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise ClippingsError(f"{file} cannot be read: {reason}.") from None
    questions = [_read_question(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not questions:
        raise ClippingsError(f"{file} holds no questions. Write one a line: " + '{"id": "1", "question": "…"}.')
    return questions


def _read_question(file: Path, number: int, line: str) -> KnownQuestion:
    try:
        question = KnownQuestion.model_validate_json(line)
    except ValidationError as error:
        reason = re.sub(r"at line 1 column (\d+)", r"at character \1", first_error(error))
        raise ClippingsError(f"{file}, line {number}: {reason}.") from None
    fields = json.loads(line)
    known = {field.alias or name for name, field in KnownQuestion.model_fields.items()}
    for field in () if _OF_FEEDBACK in fields else fields.keys() - known:
        if near := get_close_matches(field.lower(), known, n=1, cutoff=_MISSPELT_RATIO):
            raise ClippingsError(f'{file}, line {number}: there is no field "{field}". Did you mean "{near[0]}"?')
    if question.kind not in KINDS and (near := get_close_matches(question.kind or "", KINDS, 1, _MISSPELT_RATIO)):
        raise ClippingsError(f'{file}, line {number}: no kind is "{question.kind}". Did you mean "{near[0]}"?')
    return question


def first_error(error: ValidationError) -> str:
    """Describe the first error with its place: ``history.0.role: Input should be …``."""
    first = error.errors()[0]
    return ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))


def complete(questions: Iterable[KnownQuestion], sources: Sequence[Source]) -> list[KnownQuestion]:
    """Replace file names by the ids of their articles, and set the day of strict questions that name none.

    That day is the day after the last article: "what's new?" has no answer years later.
    """
    ids = {source.id for source in sources}
    files: dict[str, list[str]] = {}
    for source in sources:
        files.setdefault(Path(source.path or "").name, []).append(source.id)
    last = max((source.published for source in sources if source.published), default=None)
    day_after = date.fromordinal(last.toordinal() + 1) if last else None
    completed = []
    for question in questions:
        relevant = [key for name in question.relevant for key in ([name] if name in ids else files.get(name, [name]))]
        as_of = question.as_of or (day_after if question.is_strict else None)
        completed.append(question.model_copy(update={"relevant": tuple(relevant), "as_of": as_of}))
    return completed
