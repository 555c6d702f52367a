"""What must outlive the process, in one small database: questions and whether they were answered, answers, feedback.

A question is stored before Slack gets its acknowledgement, under a key that is the same in every copy of the event.
So copies are recognized, and the next process finds what this one left unanswered.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from bot.slack.connection import (
    NothingStoredError,
    make_engine,
    make_tables,
    nothing_in,
    readable_errors,
    rows,
    storable,
    transaction,
    upsert,
)
from index.models import ClippingsError

MAX_AGE_SECONDS = 7 * 24 * 3600  # of answered questions and of answers
MAX_KEY_CHARACTERS = 200
MAX_ID_CHARACTERS = 40  # of Slack's ids and timestamps
MAX_MODEL_CHARACTERS = 200
_MAX_ANSWERS_OF_THREAD = 10  # that are read for a follow-up
_metadata = sql.MetaData()
_questions = sql.Table(
    "questions",
    _metadata,
    sql.Column("key", sql.String(MAX_KEY_CHARACTERS), primary_key=True),
    *(sql.Column(name, sql.String(MAX_ID_CHARACTERS), nullable=False) for name in ("team", "enterprise")),
    *(sql.Column(name, sql.String(MAX_ID_CHARACTERS), nullable=False, index=True) for name in ("user", "channel")),
    *(sql.Column(name, sql.String(MAX_ID_CHARACTERS), nullable=False) for name in ("ts", "thread")),
    sql.Column("text", sql.Text, nullable=False),
    sql.Column("addressed", sql.Boolean, nullable=False),
    sql.Column("response_url", sql.Text, nullable=False),
    sql.Column("received", sql.Double, nullable=False, index=True),
    sql.Column("attempts", sql.Integer, nullable=False, default=0),
    sql.Column("done", sql.Boolean, nullable=False, default=False, index=True),
    sql.Column("posted", sql.JSON, nullable=False, default=list),
)
_repeats = sql.Table(  # the times at which questions had been received before they were asked again with "Try again"
    "repeats",
    _metadata,
    sql.Column("id", sql.Integer, primary_key=True),
    *(sql.Column(name, sql.String(MAX_ID_CHARACTERS), nullable=False, index=True) for name in ("user", "channel")),
    sql.Column("received", sql.Double, nullable=False, index=True),
)
_shares = sql.Table(
    "shares",
    _metadata,
    sql.Column("key", sql.String(MAX_KEY_CHARACTERS), primary_key=True),
    sql.Column("version", sql.Integer, primary_key=True),
    sql.Column("at", sql.Double, nullable=False),
)
_overheard = sql.Table(  # that people said something else in a thread of the bot, and when; not what
    "overheard",
    _metadata,
    sql.Column("thread", sql.String(MAX_KEY_CHARACTERS), primary_key=True),
    sql.Column("ts", sql.String(MAX_ID_CHARACTERS), nullable=False),
    sql.Column("at", sql.Double, nullable=False),
)
_answers = sql.Table(
    "answers",
    _metadata,
    sql.Column("key", sql.String(MAX_KEY_CHARACTERS), primary_key=True),
    sql.Column("version", sql.Integer, nullable=False),
    sql.Column("answer", sql.JSON, nullable=False),
    sql.Column("model", sql.String(MAX_MODEL_CHARACTERS), nullable=False),
    sql.Column("at", sql.Double, nullable=False),
)
_feedback = sql.Table(
    "feedback",
    _metadata,
    sql.Column("key", sql.String(MAX_KEY_CHARACTERS), primary_key=True),
    sql.Column("version", sql.Integer, primary_key=True),
    sql.Column("user", sql.String(MAX_ID_CHARACTERS), primary_key=True),
    sql.Column("helpful", sql.Boolean, nullable=False),
    sql.Column("reason", sql.Text, nullable=False),
    sql.Column("answer", sql.JSON, nullable=False),
    sql.Column("model", sql.String(MAX_MODEL_CHARACTERS), nullable=False),
    sql.Column("asked", sql.Double, nullable=False),
    sql.Column("at", sql.Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What the user typed, and where.

    ``thread`` is the timestamp of the thread to answer in; "" if the answer goes to the asker alone, through
    ``response_url``. ``addressed``: certainly meant for the bot; otherwise only if it takes part in the thread.
    ``received`` is in seconds since 1970. ``attempts`` counts the attempts to answer.
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
    def ephemeral(self) -> bool:
        """Whether only the asker sees the answer."""
        return not self.thread

    @property
    def is_direct(self) -> bool:
        """Whether it was asked in a direct conversation."""
        return self.channel.startswith("D")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, in the JSON of `ask --json`; ``is_posted``: the thread holds something of it."""

    ts: str
    text: str
    is_posted: bool
    answer: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's opinion of an answer, with the answer in the JSON of `ask --json`.

    ``key`` is the question's; ``version`` counts its answers from 1. ``asked`` and ``at`` are the times of the answer
    and of the opinion, in seconds since 1970.
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
    """Safe to share between threads. Raises ClippingsErrors without the URL, which may hold a password."""

    def __init__(self, url: str | sql.URL, *, make: bool = True) -> None:
        """Open a database and make missing tables; with ``make=False`` it must exist and hold feedback."""
        self.engine = make_engine(url, make=make)
        with ExitStack() as opened, readable_errors(self.engine):
            opened.callback(self.close)
            if make:
                make_tables(self.engine, _metadata)
            elif not sql.inspect(self.engine).has_table(_feedback.name):
                raise NothingStoredError(nothing_in(self.engine.url))
            opened.pop_all()

    @classmethod
    def in_folder(cls, data: Path, *, make: bool = True) -> Database:
        """Open the default database, an SQLite file in the data folder."""
        if make:
            try:
                data.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ClippingsError(f"The folder {data} cannot be made: {error.strerror}.") from None
        return cls(sql.URL.create("sqlite", database=str(data / "slack.db")), make=make)

    @property
    def is_shared(self) -> bool:
        """Whether several processes may answer from it. SQLite's file is one process's."""
        return self.engine.dialect.name != "sqlite"

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def receive(self, question: Question) -> bool:
        """Store a question; False if it was stored before."""
        with transaction(self.engine) as connection:
            try:
                connection.execute(_questions.insert(), {**asdict(question), "text": storable(question.text)})
            except IntegrityError:
                return False
        return True

    def begin(self, key: str) -> int:
        """Count an attempt to answer, and return its number; 0 if the question is answered, or gone."""
        with transaction(self.engine) as connection:
            open_ = (_questions.c.key == key, sql.not_(_questions.c.done))
            connection.execute(_questions.update().where(*open_).values(attempts=_questions.c.attempts + 1))
            return int(connection.execute(sql.select(_questions.c.attempts).where(*open_)).scalar_one_or_none() or 0)

    def finish(self, key: str) -> None:
        """Mark a question as answered."""
        self._update(_questions.c.key == key, done=True)

    def reopen(self, key: str, response_url: str) -> Question | None:
        """Mark an answered question as received again, and unanswered; None if it is gone, or being answered.

        Both times count for `count_received`.
        """
        values: dict[str, object] = {"done": False, "attempts": 0}
        if response_url:
            values["response_url"] = response_url  # valid from now on
        same, columns = _questions.c.key == key, ("user", "channel", "received")
        with transaction(self.engine) as connection:
            if not connection.execute(_questions.update().where(same, _questions.c.done).values(values)).rowcount:
                return None
            before = sql.select(*(_questions.c[name] for name in columns)).where(same)
            connection.execute(_repeats.insert().from_select(columns, before))
            connection.execute(_questions.update().where(same).values(received=time.time()))
        return self.question(key)

    def question(self, key: str) -> Question | None:
        """Return a question; None if it is gone."""
        return next(iter(self._select_questions(_questions.c.key == key)), None)

    def unanswered(self, like: Question | None = None) -> list[Question]:
        """Return the questions without an answer, oldest first; only those in the conversation of ``like``."""
        condition = sql.not_(_questions.c.done)
        if like:
            names = ("team", "channel", "thread") if like.thread else ("key",)
            condition = sql.and_(condition, *(_questions.c[name] == getattr(like, name) for name in names))
        return self._select_questions(condition)

    def count_received(self, user: str, channel: str, since: float, until: float = float("inf")) -> tuple[int, int]:
        """Count the questions received from a user, and in a channel, between two times; also those asked again."""
        received = sql.union_all(*(
            sql.select(table.c.user, table.c.channel).where(table.c.received.between(since, until))
            for table in (_questions, _repeats)
        )).subquery()  # fmt: skip
        by_user = sql.func.count(sql.case((received.c.user == user, 1))).label("by_user")
        in_channel = sql.func.count(sql.case((received.c.channel == channel, 1))).label("in_channel")
        counts = rows(self.engine, sql.select(by_user, in_channel))[0]
        return int(counts["by_user"]), int(counts["in_channel"])

    def forget(self, key: str) -> None:
        """Delete a message that turned out not to be meant for the bot."""
        with transaction(self.engine) as connection:
            connection.execute(_questions.delete().where(_questions.c.key == key))

    def overhear(self, team: str, channel: str, thread: str, ts: str) -> None:
        """Note that a person said something in a thread, if the bot was asked in it."""
        columns = (_questions.c.team, _questions.c.channel, _questions.c.thread)
        asked = (column == value for column, value in zip(columns, (team, channel, thread), strict=True))
        if not rows(self.engine, sql.select(_questions.c.key).where(*asked).limit(1)):
            return
        key, values = f"{team}/{channel}/{thread}", {"ts": ts, "at": time.time()}
        with transaction(self.engine) as connection:
            newer = _overheard.update().where(_overheard.c.thread == key).values(values)
            upsert(connection, newer, _overheard.insert().values(thread=key, **values))

    def thread(self, question: Question) -> tuple[list[Exchange], str]:
        """What was asked in the thread of a question before it, with the last answers; and when others spoke last."""
        columns = [_questions.c[name] for name in ("key", "ts", "text", "posted")]
        same = (_questions.c[name] == getattr(question, name) for name in ("team", "channel", "thread"))
        asked = [row for row in rows(self.engine, sql.select(*columns).where(*same)) if row["key"] != question.key]
        asked = sorted(
            (row for row in asked if float(row["ts"]) <= float(question.ts)), key=lambda row: float(row["ts"])
        )
        last = _answers.c.key.in_([row["key"] for row in asked[-_MAX_ANSWERS_OF_THREAD:]])
        answers = (
            {row["key"]: row["answer"] for row in rows(self.engine, sql.select(_answers).where(last))} if asked else {}
        )
        place = f"{question.team}/{question.channel}/{question.thread}"
        spoke = rows(self.engine, sql.select(_overheard.c.ts).where(_overheard.c.thread == place))
        exchanges = [Exchange(row["ts"], row["text"], bool(row["posted"]), answers.get(row["key"])) for row in asked]
        return exchanges, spoke[0]["ts"] if spoke else "0"

    def posted(self, key: str) -> list[str]:
        """Return the timestamps of the messages that hold the answer or its beginning."""
        found = rows(self.engine, sql.select(_questions.c.posted).where(_questions.c.key == key))
        return list(found[0]["posted"]) if found else []

    def set_posted(self, key: str, timestamps: Sequence[str]) -> None:
        """Store the timestamps of the messages that hold the answer or its beginning."""
        self._update(_questions.c.key == key, posted=list(timestamps))

    def keep_answer(self, key: str, answer: Mapping[str, object], model: str) -> None:
        """Store the latest answer to a question, in the JSON of `ask --json`."""
        row = {"answer": dict(answer), "model": storable(model)[:MAX_MODEL_CHARACTERS], "at": time.time()}
        with transaction(self.engine) as connection:
            newer = _answers.update().where(_answers.c.key == key).values(version=_answers.c.version + 1, **row)
            upsert(connection, newer, _answers.insert().values(key=key, version=1, **row))

    def answer(self, key: str) -> Mapping[str, Any] | None:
        """Return the latest answer to a question; None if it is gone."""
        found = rows(self.engine, sql.select(_answers.c.answer).where(_answers.c.key == key))
        return dict(found[0]["answer"]) if found else None

    def answers(self, since: float) -> Iterator[tuple[Mapping[str, Any], bool]]:
        """Read the latest answers since a time, row by row, and whether only the asker saw the question."""
        own = _questions.c.key == _answers.c.key
        columns = (_answers.c.key, _questions.c.channel, _questions.c.thread)
        recent = sql.select(*columns).join(_questions, own).where(_answers.c.at >= since).order_by(_answers.c.at)
        for row in rows(self.engine, recent):
            if answer := self.answer(row["key"]):
                yield answer, row["channel"].startswith("D") or not row["thread"]

    def share(self, key: str) -> bool:
        """Note that the latest answer to a question is shared; False if it is already."""
        latest = sql.select(_answers.c.key, _answers.c.version, sql.literal(time.time())).where(_answers.c.key == key)
        with transaction(self.engine) as connection:
            try:
                insert = _shares.insert().from_select(["key", "version", "at"], latest)
                return connection.execute(insert.returning(_shares.c.key)).first() is not None
            except IntegrityError:
                return False

    def unshare(self, key: str) -> None:
        """Let an answer be shared again that could not be posted."""
        with transaction(self.engine) as connection:
            connection.execute(_shares.delete().where(_shares.c.key == key))

    def give_feedback(self, key: str, user: str, *, helpful: bool, reason: str = "") -> bool:
        """Store a person's opinion of the latest answer in place of their earlier one; False if the answer is gone."""
        found = rows(self.engine, sql.select(_answers).where(_answers.c.key == key))
        if not found:
            return False
        answer = found[0]
        opinion = {"helpful": helpful, "reason": storable(reason), "at": time.time()}
        same = (_feedback.c.key == key, _feedback.c.version == answer["version"], _feedback.c.user == user)
        with transaction(self.engine) as connection:
            row = {**answer, **opinion, "asked": answer["at"], "user": user}
            upsert(connection, _feedback.update().where(*same).values(opinion), _feedback.insert().values(row))
        return True

    def feedback(self) -> Iterator[Feedback]:
        """Read all feedback, oldest first, row by row: each holds a whole answer with its passages."""
        primary = (_feedback.c.key, _feedback.c.version, _feedback.c.user)
        columns = [_feedback.c[field.name] for field in fields(Feedback)]
        for ids in rows(self.engine, sql.select(*primary).order_by(_feedback.c.at, *primary)):
            same = (column == ids[column.name] for column in primary)
            yield from (Feedback(**row) for row in rows(self.engine, sql.select(*columns).where(*same)))

    def add_feedback(self, feedback: Iterable[Feedback]) -> int:
        """Store opinions from elsewhere, all or none, unless there is the same or a later one; returns their number."""
        stored = 0
        with transaction(self.engine) as connection:
            for opinion in feedback:
                row = {
                    name: storable(value) if isinstance(value, str) else value
                    for name, value in asdict(opinion).items()
                }
                same = [_feedback.c[column.name] == row[column.name] for column in _feedback.primary_key]
                kept = connection.execute(sql.select(_feedback.c.at).where(*same)).scalar_one_or_none()
                if kept is None or kept < opinion.at:
                    upsert(connection, _feedback.update().where(*same).values(row), _feedback.insert().values(row))
                    stored += 1
        return stored

    def clean(self) -> None:
        """Delete what was answered more than a week ago. Unanswered questions and feedback stay."""
        before = time.time() - MAX_AGE_SECONDS
        with transaction(self.engine) as connection:
            connection.execute(_questions.delete().where(_questions.c.done, _questions.c.received < before))
            connection.execute(_answers.delete().where(_answers.c.at < before))
            connection.execute(_shares.delete().where(_shares.c.at < before))
            connection.execute(_repeats.delete().where(_repeats.c.received < before))
            connection.execute(_overheard.delete().where(_overheard.c.at < before))

    def _select_questions(self, condition: sql.ColumnElement[bool]) -> list[Question]:
        columns = [_questions.c[field.name] for field in fields(Question)]
        return [
            Question(**row)
            for row in rows(self.engine, sql.select(*columns).where(condition).order_by(_questions.c.received))
        ]

    def _update(self, condition: sql.ColumnElement[bool], **values: object) -> int:
        with transaction(self.engine) as connection:
            return connection.execute(_questions.update().where(condition).values(**values)).rowcount
