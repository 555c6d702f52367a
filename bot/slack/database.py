"""What must outlive the process, in one small database: questions and whether they were answered, answers, feedback.

A question is stored before Slack is told that it arrived, under a key that each copy of it has. So a copy is known
as one, and what a process left unanswered when it ended is found by the next.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from bot.slack.connect import in_words, make_engine, make_tables, nothing_in, storable
from index.models import ClippingsError

KEPT = 7 * 24 * 3600  # seconds
_KEY, _MODEL = 200, 200
_metadata = sql.MetaData()
_questions = sql.Table(
    "questions",
    _metadata,
    sql.Column("key", sql.String(_KEY), primary_key=True),
    sql.Column("team", sql.String(40), nullable=False),
    sql.Column("enterprise", sql.String(40), nullable=False),
    sql.Column("user", sql.String(40), nullable=False, index=True),
    sql.Column("channel", sql.String(40), nullable=False, index=True),
    sql.Column("ts", sql.String(40), nullable=False),
    sql.Column("thread", sql.String(40), nullable=False),
    sql.Column("text", sql.Text, nullable=False),
    sql.Column("addressed", sql.Boolean, nullable=False),
    sql.Column("response_url", sql.Text, nullable=False),
    sql.Column("received", sql.Double, nullable=False, index=True),
    sql.Column("attempts", sql.Integer, nullable=False, default=0),
    sql.Column("done", sql.Boolean, nullable=False, default=False, index=True),
    sql.Column("posted", sql.JSON, nullable=False, default=list),
)
_answers = sql.Table(
    "answers",
    _metadata,
    sql.Column("key", sql.String(_KEY), primary_key=True),
    sql.Column("version", sql.Integer, nullable=False),
    sql.Column("answer", sql.JSON, nullable=False),
    sql.Column("model", sql.String(_MODEL), nullable=False),
    sql.Column("at", sql.Double, nullable=False),
)
_feedback = sql.Table(
    "feedback",
    _metadata,
    sql.Column("key", sql.String(_KEY), primary_key=True),
    sql.Column("version", sql.Integer, primary_key=True),
    sql.Column("user", sql.String(40), primary_key=True),
    sql.Column("helpful", sql.Boolean, nullable=False),
    sql.Column("reason", sql.Text, nullable=False),
    sql.Column("answer", sql.JSON, nullable=False),
    sql.Column("model", sql.String(_MODEL), nullable=False),
    sql.Column("asked", sql.Double, nullable=False),
    sql.Column("at", sql.Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Question:
    """Something that was said to the bot.

    ``thread`` is the timestamp of the thread to answer in, "" where the answer goes to ``response_url``, to the asker
    alone. ``addressed``: said to the bot for certain; else only where it takes part in the thread. ``received`` is in
    seconds since 1970. ``attempts`` counts how often answering was begun.
    """

    key: str
    team: str
    enterprise: str
    user: str
    channel: str
    ts: str
    thread: str
    text: str
    addressed: bool
    response_url: str
    received: float
    attempts: int = 0

    @property
    def private(self) -> bool:
        """Whether only the asker sees the answer."""
        return not self.thread


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person thought of an answer; ``answer`` is what `ask --json` prints of it.

    ``key`` is the question's. ``version`` counts its answers from 1. ``asked`` and ``at``, in seconds since 1970, are
    when it was answered and when this was thought of it.
    """

    key: str
    version: int
    user: str
    helpful: bool
    reason: str
    answer: Mapping[str, Any]
    model: str
    asked: float
    at: float


class Database:
    """Safe to share between threads. ClippingsError says what cannot be opened, read or written, without the URL."""

    def __init__(self, url: str | sql.URL, *, make: bool = True) -> None:
        """Open it, and make what is missing; with ``make=False`` it must be there, with what is kept in it."""
        self.engine = make_engine(url, make=make)
        try:
            with in_words(self.engine):
                self._open(make=make)
        except BaseException:
            self.close()
            raise

    @classmethod
    def in_folder(cls, data: Path, *, make: bool = True) -> Database:
        """The default one: a file of SQLite."""
        if make:
            try:
                data.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ClippingsError(f"The folder {data} cannot be made: {error.strerror}.") from None
        return cls(sql.URL.create("sqlite", database=str(data / "slack.db")), make=make)

    def close(self) -> None:
        """Let go of the connections."""
        self.engine.dispose()

    def receive(self, question: Question) -> bool:
        """Store a question; False where it was received before."""
        with self._transaction() as connection:
            try:
                connection.execute(_questions.insert(), {**asdict(question), "text": storable(question.text)})
            except IntegrityError:
                return False
        return True

    def begin(self, key: str) -> int:
        """Note that answering begins, and tell how often it now has."""
        with self._transaction() as connection:
            chosen = _questions.c.key == key
            connection.execute(_questions.update().where(chosen).values(attempts=_questions.c.attempts + 1))
            return int(connection.execute(sql.select(_questions.c.attempts).where(chosen)).scalar_one_or_none() or 0)

    def done(self, key: str) -> None:
        """A question has its answer."""
        self._update(key, done=True)

    def again(self, key: str, response_url: str) -> Question | None:
        """Reopen a question that is done, to be answered once more; None where it is gone, or is being answered."""
        reopened: dict[str, object] = {"done": False, "attempts": 0}
        if response_url:
            reopened |= {"response_url": response_url, "received": time.time()}  # it lives as long as a new one
        chosen = (_questions.c.key == key) & _questions.c.done
        with self._transaction() as connection:
            if not connection.execute(_questions.update().where(chosen).values(**reopened)).rowcount:
                return None
        return self.question(key)

    def question(self, key: str) -> Question | None:
        """A question, None where there is none (any more)."""
        return next(iter(self._questions(_questions.c.key == key)), None)

    def unfinished(self) -> list[Question]:
        """What was received and has no answer yet, oldest first."""
        return self._questions(sql.not_(_questions.c.done))

    def waiting_since(self, user: str, channel: str, since: float, until: float = float("inf")) -> tuple[int, int]:
        """How many questions a person asked, and how many were asked in a channel, from a time on and until another."""
        received = _questions.c.received
        count = sql.select(sql.func.count().label("count")).where(received >= since, received <= until)
        chosen = (_questions.c.user == user, _questions.c.channel == channel)
        by_user, in_channel = (int(self._rows(count.where(one))[0]["count"]) for one in chosen)
        return by_user, in_channel

    def forget(self, key: str) -> None:
        """Remove a question that was none: the bot is not meant."""
        with self._transaction() as connection:
            connection.execute(_questions.delete().where(_questions.c.key == key))

    def posted(self, key: str) -> list[str]:
        """The timestamps of the messages that hold the answer."""
        found = self._rows(sql.select(_questions.c.posted).where(_questions.c.key == key))
        return list(found[0]["posted"]) if found else []

    def set_posted(self, key: str, timestamps: Sequence[str]) -> None:
        """Note the messages that hold the answer, or part of it."""
        self._update(key, posted=list(timestamps))

    def keep_answer(self, key: str, answer: Mapping[str, object], model: str) -> None:
        """Keep the last answer to a question, as `ask --json` prints it."""
        said = {"answer": dict(answer), "model": storable(model)[:_MODEL], "at": time.time()}
        with self._transaction() as connection:
            next_one = {"version": _answers.c.version + 1, **said}
            if not connection.execute(_answers.update().where(_answers.c.key == key).values(next_one)).rowcount:
                connection.execute(_answers.insert(), {"key": key, "version": 1, **said})

    def answer(self, key: str) -> Mapping[str, Any] | None:
        """The last answer to a question, None where it is gone."""
        found = self._rows(sql.select(_answers.c.answer).where(_answers.c.key == key))
        return dict(found[0]["answer"]) if found else None

    def give_feedback(self, key: str, user: str, *, helpful: bool, reason: str = "") -> bool:
        """Keep what a person thinks of the last answer, not what they thought before; False where it is gone."""
        found = self._rows(sql.select(_answers).where(_answers.c.key == key))
        if not found:
            return False
        answer = found[0]
        mine = (_feedback.c.key == key, _feedback.c.version == answer["version"], _feedback.c.user == user)
        said = {"helpful": helpful, "reason": storable(reason), "at": time.time()}
        row = {**answer, **said, "asked": answer["at"], "user": user}
        with self._transaction() as connection:
            if not connection.execute(_feedback.update().where(*mine).values(said)).rowcount:
                connection.execute(_feedback.insert(), row)
        return True

    def feedback(self) -> Iterator[Feedback]:
        """All feedback, oldest first, read one by one: each holds a whole answer with its passages."""
        primary = (_feedback.c.key, _feedback.c.version, _feedback.c.user)
        chosen = [_feedback.c[field.name] for field in fields(Feedback)]
        for mine in self._rows(sql.select(*primary).order_by(_feedback.c.at, *primary)):
            one = (column == mine[column.name] for column in primary)
            yield from (Feedback(**row) for row in self._rows(sql.select(*chosen).where(*one)))

    def clean(self) -> None:
        """Remove what was answered more than a week ago. What has no answer yet stays, and all feedback."""
        before = time.time() - KEPT
        with self._transaction() as connection:
            connection.execute(_questions.delete().where(_questions.c.done, _questions.c.received < before))
            connection.execute(_answers.delete().where(_answers.c.at < before))

    def _open(self, *, make: bool) -> None:
        if make:
            make_tables(self.engine, _metadata)
        elif not sql.inspect(self.engine).has_table(_feedback.name):
            raise ClippingsError(nothing_in(self.engine.url))

    def _questions(self, chosen: sql.ColumnElement[bool]) -> list[Question]:
        columns = [_questions.c[field.name] for field in fields(Question)]
        rows = self._rows(sql.select(*columns).where(chosen).order_by(_questions.c.received))
        return [Question(**row) for row in rows]

    def _update(self, key: str, **values: object) -> None:
        with self._transaction() as connection:
            connection.execute(_questions.update().where(_questions.c.key == key).values(**values))

    def _rows(self, query: sql.Select[Any]) -> Sequence[sql.RowMapping]:
        """What is found, all of it: a transaction that stays open would keep SQLite's files from being cleaned up."""
        with in_words(self.engine), self.engine.connect() as connection:
            return connection.execute(query).mappings().all()

    @contextmanager
    def _transaction(self) -> Iterator[sql.Connection]:
        """All that is written inside happens at once, or not at all.

        It begins with what writes: SQLite then waits for other writers, whereas one that has read first may fail.
        """
        with in_words(self.engine), self.engine.begin() as connection:
            yield connection
