"""Tests of bot.slack.workers: exactly one of several processes answers a question.

The processes are stood in for by objects of their own on one database. Those with real processes: test_slack_replicas.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import pytest
import sqlalchemy as sql

from bot.slack import workers as workers_module
from bot.slack.connection import DatabaseError
from bot.slack.database import Database, Question
from bot.slack.workers import LeaseLost, Leases, Workers

QUESTION = Question("T1/C1/1.1", "T1", "", "U1", "C1", "1.1", "1.1", "how many walked?", True, "", 1_000.0)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty one, in SQLite and in PostgreSQL."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of a second, and looks in a tenth of it."""
    monkeypatch.setattr(workers_module, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(workers_module, "MARGIN_SECONDS", 0.5)
    monkeypatch.setattr(workers_module, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(workers_module, "_AFTER_ERROR_SECONDS", 0.2)


def wait(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_one_of_many_holds_a_conversation(database: Database) -> None:
    """Until it leaves it; another conversation is free meanwhile."""
    processes = [Leases(database.engine) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda leases: leases.take("a"), processes))
    assert sum(taken) == 1
    holder, other = processes[taken.index(True)], processes[taken.index(False)]
    assert (other.take("b"), other.taken()) == (True, {"a", "b"})
    holder.check("a")
    with pytest.raises(LeaseLost):
        other.check("a")
    other.leave("a")  # which is not its own
    assert not other.take("a")
    holder.leave("a")
    assert other.take("a")
    with pytest.raises(LeaseLost):
        holder.check("a")


@pytest.mark.usefixtures("_short")
def test_lease_lapses_unless_it_is_renewed(database: Database) -> None:
    """One that renews keeps it; one that does not may not post before another can have it, and learns that it lost."""
    alive, dead, heir = (Leases(database.engine) for _ in range(3))
    assert alive.take("a")
    assert dead.take("b")
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        alive.renew()
        time.sleep(0.05)
    alive.check("a")
    with pytest.raises(LeaseLost):
        dead.check("b")
    assert (heir.take("a"), heir.take("b")) == (False, True)
    dead.renew()
    with pytest.raises(LeaseLost):
        dead.check("b")
    heir.check("b")


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_stops_nobody_for_long(database: Database, hours: int) -> None:
    """Ahead or back, the lease of a process that died is free; who had it first and lives learns that it lost."""
    first, second = Leases(database.engine), Leases(database.engine)
    assert first.take("a")
    assert first.take("b")
    with database.engine.begin() as connection:  # as if the clock of the database had jumped the other way
        jump = sql.text("UPDATE leases SET until = until + :seconds WHERE conversation = 'a'")
        connection.execute(jump, {"seconds": hours * 3_600})
    assert second.taken() == {"b"}
    assert second.take("a")
    first.renew()
    with pytest.raises(LeaseLost):
        first.check("a")
    first.check("b")
    second.check("a")
    assert second.taken() == {"a", "b"}


def test_what_is_to_wait_is_left_alone_but_for_new_questions(database: Database) -> None:
    """A conversation in which something is tried again later is no one's, and is not looked at until then."""
    first, second = Leases(database.engine), Leases(database.engine)
    assert first.take("a")
    first.leave("a", after_seconds=60.0)
    assert second.taken() == {"a"}
    assert second.take("a")
    second.leave("a", after_seconds=-1.0)
    assert second.taken() == set()
    second.clean()
    first.clear()
    assert first.take("a")


class Process:
    """The workers of a process, which note what they answer in a list that all share."""

    def __init__(self, database: Database, answered: list[tuple[str, str]], name: str, seconds: float = 0.0) -> None:
        self._database, self._answered, self._name, self._seconds = database, answered, name, seconds
        self.apologies: list[str] = []
        self.started = threading.Event()
        self.pauses: list[float | None] = []
        self.workers = Workers(
            self._attempt, lambda question: self.apologies.append(question.key), database, Leases(database.engine)
        )

    def _attempt(self, question: Question, check: Callable[[], None]) -> float | None:
        if not self._database.begin(question.key):
            return None
        self.started.set()
        time.sleep(self._seconds)
        if self.pauses:
            return self.pauses.pop(0)
        check()
        self._answered.append((question.key, self._name))
        self._database.finish(question.key)
        return None


@pytest.mark.usefixtures("_short")
def test_each_question_is_answered_once_in_the_order_of_its_conversation(database: Database) -> None:
    """40 questions in 4 conversations, each handed to all of three processes."""
    answered: list[tuple[str, str]] = []
    with ExitStack() as stack:
        processes = [Process(database, answered, str(number), 0.002) for number in range(3)]
        for process in processes:
            stack.callback(process.workers.stop, 10.0)
            process.workers.start()
        for number in range(40):
            ts = f"{number // 4 + 1}.{number}"
            question = replace(QUESTION, key=f"T1/C1/{ts}", ts=ts, thread=f"0.{number % 4}", received=float(number))
            assert database.receive(question)
            for process in processes:
                process.workers.submit(question)
        wait(lambda: len(answered) == 40)
        time.sleep(0.3)
    keys = [key for key, _ in answered]
    assert len(set(keys)) == len(keys) == 40
    for number in range(4):
        own = [key for key in keys if int(key.rpartition(".")[2]) % 4 == number]
        assert own == sorted(own, key=lambda key: float(key.rpartition(".")[2]))
    assert database.unanswered() == []


@pytest.mark.usefixtures("_short")
def test_what_is_asked_after_a_question_whose_lease_lapsed_waits_for_it(database: Database) -> None:
    """A lease may be renewed right after a question was left for want of time: the next one must not go before it."""
    answered: list[str] = []
    lapses = ["once"]

    def attempt(question: Question, _check: Callable[[], None]) -> None:
        if not database.begin(question.key):
            return
        if lapses:
            lapses.pop()
            raise LeaseLost(question.key)
        answered.append(question.key)
        database.finish(question.key)

    second = replace(QUESTION, key="T1/C1/2.2", ts="2.2", thread=QUESTION.ts, received=2_000.0)
    first = replace(QUESTION, thread=QUESTION.ts)
    for question in (first, second):
        database.receive(question)
    workers = Workers(attempt, lambda _question: None, database, Leases(database.engine))
    workers.start()
    wait(lambda: len(answered) == 2)
    assert workers.stop(10.0)
    assert answered == [first.key, second.key]


@pytest.mark.usefixtures("_short")
def test_what_a_dead_process_leaves_another_answers(database: Database) -> None:
    """It holds the conversation until its lease lapses; if it wakes up then, it may not answer any more."""
    answered: list[tuple[str, str]] = []
    asleep, awake = Process(database, answered, "asleep", 2.5), Process(database, answered, "awake")
    database.receive(QUESTION)
    asleep.workers.submit(QUESTION)  # its leases are not renewed, for it was not started
    assert asleep.started.wait(5)
    begun = time.monotonic()
    assert awake.workers.start() == 0
    wait(lambda: answered)
    assert time.monotonic() - begun < 2.0
    assert asleep.workers.stop(10.0)
    assert awake.workers.stop(10.0)
    assert answered == [(QUESTION.key, "awake")]


@pytest.mark.usefixtures("_short")
def test_question_is_tried_again_when_it_is_due(database: Database) -> None:
    """By whichever process comes first; what is asked in its conversation meanwhile is answered."""
    answered: list[tuple[str, str]] = []
    process = Process(database, answered, "a")
    process.pauses = [1.0]
    later = replace(QUESTION, key="T1/C1/2.2", ts="2.2", received=2_000.0)
    process.workers.start()
    database.receive(QUESTION)
    process.workers.submit(QUESTION)
    wait(lambda: not process.pauses)
    time.sleep(0.3)
    assert answered == []
    database.receive(later)
    process.workers.submit(later)
    wait(lambda: len(answered) == 2)
    assert process.workers.stop(10.0)
    assert sorted(key for key, _ in answered) == [QUESTION.key, later.key]


@pytest.mark.usefixtures("_short")
def test_database_that_fails_is_apologized_for_and_the_question_comes_again(database: Database) -> None:
    """Nothing is lost, and the workers go on."""
    answered: list[tuple[str, str]] = []
    process = Process(database, answered, "a")
    faults = [DatabaseError("down"), RuntimeError("a defect")]
    attempt = process.workers._attempt

    def fail(question: Question, check: Callable[[], None]) -> float | None:
        if faults:
            raise faults.pop(0)
        return attempt(question, check)

    process.workers._attempt = fail
    process.workers.start()
    database.receive(QUESTION)
    process.workers.submit(QUESTION)
    wait(lambda: answered)
    assert process.workers.stop(10.0)
    assert process.apologies == [QUESTION.key]
    assert answered == [(QUESTION.key, "a")]
