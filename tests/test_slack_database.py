"""Tests of bot.slack.database: what must outlive the process, under threads, kills and damage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sql

from bot.slack.database import MAX_AGE_SECONDS, Database, Question
from index.models import ClippingsError

ROOT = Path(__file__).parents[1]
QUESTION = Question("C1/1.1", "T1", "", "U1", "C1", "1.1", "1.1", "how many walked?", True, "", 1_000.0)
ANSWER = {"question": "how many walked?", "text": "40 [1]", "passages": []}
T = TypeVar("T")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty one, in SQLite and in PostgreSQL."""
    opened = Database(database_url)
    yield opened
    opened.close()


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """What so many threads return, which begin together."""
    gate = threading.Barrier(count)

    def wait(number: int) -> T:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(wait, range(count)))


def execute(database: Database, statement: str) -> None:
    """Change what is stored behind its back."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_question_is_stored_whole(database: Database) -> None:
    """What was received is read back equal, and is unfinished until it is done."""
    question = replace(
        QUESTION, text="naïve “quotes” 🦉\nsecond line", enterprise="E1", response_url="https://x.example"
    )
    assert database.receive(question)
    assert database.question(question.key) == question
    assert database.unanswered() == [question]
    database.finish(question.key)
    assert database.unanswered() == []
    assert database.question("C9/9.9") is None


def test_a_question_that_comes_twice_is_stored_once(database: Database) -> None:
    """Of 20 copies that arrive at once, one is new."""
    new = at_once(20, lambda number: database.receive(replace(QUESTION, text=f"copy {number}")))
    assert sorted(new) == [False] * 19 + [True]
    assert len(database.unanswered()) == 1


def test_many_threads_read_and_write(database: Database) -> None:
    """64 threads that each take five questions from start to end lose none and fail nowhere."""

    def answer_some(number: int) -> None:
        for turn in range(5):
            key = f"C{number}/{turn}"
            assert database.receive(replace(QUESTION, key=key, channel=f"C{number}"))
            assert database.begin(key) == 1
            database.set_posted(key, [str(number)])
            database.keep_answer(key, ANSWER, "quoted")
            assert database.give_feedback(key, "U1", helpful=True)
            assert database.posted(key) == [str(number)]
            database.finish(key)

    at_once(64, answer_some)
    assert database.unanswered() == []
    assert len(list(database.feedback())) == 320
    assert database.count_received("U1", "C7", 0) == (320, 5)


def test_attempts_are_counted_once_each(database: Database) -> None:
    """Threads that begin the same question at once are told different numbers; one that is gone is never begun."""
    database.receive(QUESTION)
    assert sorted(at_once(8, lambda _: database.begin(QUESTION.key))) == list(range(1, 9))
    assert database.begin("gone") == 0
    database.finish(QUESTION.key)
    assert database.begin(QUESTION.key) == 0  # another process has answered it


@pytest.mark.process
def test_what_was_received_survives_a_kill(tmp_path: Path) -> None:
    """A process that is killed right after it stored a question leaves it to the next."""
    code = (
        "import sys, time; from pathlib import Path; from bot.slack.database import Database\n"
        "from tests.test_slack_database import QUESTION\n"
        f"assert Database.in_folder(Path({str(tmp_path)!r})).receive(QUESTION)\n"
        "print('stored', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"stored\n"
        process.send_signal(signal.SIGKILL)
    database = Database.in_folder(tmp_path)
    assert database.unanswered() == [QUESTION]
    database.close()


@pytest.mark.process
def test_processes_that_start_at_once_share_a_new_database(database_url: str) -> None:
    """Each finds its tables, whoever made them, and the question is stored once."""
    code = (
        "from bot.slack.database import Database; from bot.slack.workers import Leases\n"
        "from tests.test_slack_database import QUESTION\n"
        f"database = Database({database_url!r}); Leases(database.engine)\n"
        "print(database.receive(QUESTION))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    ended = [process.communicate(timeout=60) for process in started]
    assert sorted(ended) == [(b"False\n", b""), (b"False\n", b""), (b"True\n", b"")]


def test_a_question_that_is_done_can_be_reopened(database: Database) -> None:
    """Only one of several that try does so; what is being answered, or is gone, is left alone."""
    database.receive(QUESTION)
    database.begin(QUESTION.key)
    assert database.reopen(QUESTION.key, "") is None
    database.finish(QUESTION.key)
    reopened = at_once(8, lambda _: database.reopen(QUESTION.key, "https://new.example"))
    (found,) = filter(None, reopened)
    assert found == replace(QUESTION, response_url="https://new.example", attempts=0, received=found.received)
    assert found.received > QUESTION.received  # the new address lives from now on
    assert database.reopen("gone", "") is None


def test_a_forgotten_question_is_gone(database: Database) -> None:
    """What was not meant for the bot leaves nothing."""
    database.receive(QUESTION)
    database.forget(QUESTION.key)
    assert (database.unanswered(), database.posted(QUESTION.key)) == ([], [])


def test_questions_are_counted_from_a_time_on(database: Database) -> None:
    """By person and by channel; older ones do not count."""
    asked = [("U1", "C1", 10.0), ("U1", "C2", 20.0), ("U2", "C1", 20.0), ("U1", "C1", 30.0)]
    for number, (user, channel, received) in enumerate(asked):
        database.receive(replace(QUESTION, key=str(number), user=user, channel=channel, received=received))
    assert database.count_received("U1", "C1", 20.0) == (2, 2)
    assert database.count_received("U3", "C3", 0.0) == (0, 0)


def test_a_question_that_is_asked_again_counts_again(database: Database) -> None:
    """At each of its times; after a week they are gone."""
    database.receive(replace(QUESTION, received=10.0))
    for _ in range(3):
        database.finish(QUESTION.key)
        assert database.reopen(QUESTION.key, "")
    user, channel = QUESTION.user, QUESTION.channel
    assert database.count_received(user, channel, 0.0) == (4, 4)
    assert database.count_received(user, channel, 0.0, 10.0) == (1, 1)
    assert database.count_received(user, channel, 11.0) == (3, 3)
    database.clean()
    assert database.count_received(user, channel, 0.0) == (3, 3)


def test_an_answer_is_shared_once(database: Database) -> None:
    """By one of several that try; a later answer to the question can be shared again, and what failed, too."""
    assert not database.share(QUESTION.key)
    database.keep_answer(QUESTION.key, {"text": "1"}, "")
    assert sum(at_once(8, lambda _: database.share(QUESTION.key))) == 1
    database.keep_answer(QUESTION.key, {"text": "2"}, "")
    assert [database.share(QUESTION.key) for _ in range(2)] == [True, False]
    database.unshare(QUESTION.key)
    assert database.share(QUESTION.key)


def test_a_click_replaces_the_one_before(database: Database) -> None:
    """One person has one opinion of an answer; another person has their own."""
    database.keep_answer(QUESTION.key, ANSWER, "quoted")
    assert database.give_feedback(QUESTION.key, "U1", helpful=True)
    assert database.give_feedback(QUESTION.key, "U2", helpful=True)
    assert database.give_feedback(QUESTION.key, "U1", helpful=False, reason="wrong year")
    found = {one.user: (one.helpful, one.reason) for one in database.feedback()}
    assert found == {"U1": (False, "wrong year"), "U2": (True, "")}
    at_once(20, lambda number: database.give_feedback(QUESTION.key, "U3", helpful=number % 2 == 0))
    assert len(list(database.feedback())) == 3


def test_feedback_holds_the_answer_that_it_is_about(database: Database) -> None:
    """A new answer to the question takes nothing from what was thought of the old one."""
    assert not database.give_feedback(QUESTION.key, "U1", helpful=True)
    for text, model in (("first", "quoted"), ("second", "m" * 300)):
        database.keep_answer(QUESTION.key, {"text": text}, model)
        assert database.answer(QUESTION.key) == {"text": text}
        assert database.give_feedback(QUESTION.key, "U1", helpful=text == "second")
    found = [(one.key, one.version, one.answer["text"], one.helpful, one.model[:2]) for one in database.feedback()]
    assert found == [(QUESTION.key, 1, "first", False, "qu"), (QUESTION.key, 2, "second", True, "mm")]
    assert database.answer("gone") is None


def test_after_a_week_the_rest_is_removed(database: Database) -> None:
    """What was answered goes with its answer; what was not, what is younger and all feedback stay."""
    old, young = time.time() - MAX_AGE_SECONDS - 60, time.time() - MAX_AGE_SECONDS + 600
    for key, received in (("old", old), ("open", old), ("young", young)):
        database.receive(replace(QUESTION, key=key, received=received))
        database.keep_answer(key, ANSWER, "quoted")
        database.give_feedback(key, "U1", helpful=True)
    for key in ("old", "young"):
        database.finish(key)
    execute(database, "UPDATE answers SET at = at - 8 * 24 * 3600 WHERE key = 'old'")
    database.clean()
    assert [key for key in ("old", "open", "young") if database.question(key)] == ["open", "young"]
    assert [key for key in ("old", "open", "young") if database.answer(key)] == ["open", "young"]
    assert len(list(database.feedback())) == 3


def test_text_that_no_database_takes_is_stored_without_it(database: Database) -> None:
    """Half a surrogate pair and NUL, which JSON can hold, lose no question and no reason."""
    assert database.receive(replace(QUESTION, text="a\0b \ud83d c"))
    assert database.unanswered()[0].text == "ab ? c"
    database.keep_answer(QUESTION.key, {"text": "\ud83d"}, "quoted")
    assert database.give_feedback(QUESTION.key, "U1", helpful=False, reason="\ud83d\0!")
    assert [one.reason for one in database.feedback()] == ["?!"]


def test_nothing_that_reads_keeps_a_transaction_open(database: Database) -> None:
    """A reader that stops half way through leaves no connection in use."""
    database.receive(QUESTION)
    database.keep_answer(QUESTION.key, ANSWER, "quoted")
    for user in ("U1", "U2"):
        database.give_feedback(QUESTION.key, user, helpful=True)
    half_read = database.feedback()
    assert next(half_read).user == "U1"
    database.question(QUESTION.key)
    database.unanswered()
    database.answer(QUESTION.key)
    assert isinstance(database.engine.pool, sql.QueuePool)
    assert database.engine.pool.checkedout() == 0
    assert next(half_read).user == "U2"


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """The file and those beside it have mode 600 whatever the umask; a file that was open to others is closed."""
    umask = os.umask(0)
    try:
        database = Database.in_folder(tmp_path)
        database.receive(QUESTION)
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
        assert modes == dict.fromkeys(("slack.db", "slack.db-wal", "slack.db-shm"), 0o600)
        database.close()
        (tmp_path / "slack.db").chmod(0o644)
        Database.in_folder(tmp_path).close()
        assert (tmp_path / "slack.db").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(umask)


def test_a_url_names_a_file(tmp_path: Path) -> None:
    """The same file is found by its URL and, whatever its folder is called, by the folder."""
    folder = tmp_path / "a b#c?d%20é"
    one = Database.in_folder(folder)
    one.receive(QUESTION)
    one.close()
    (folder / "slack.db").rename(tmp_path / "plain.db")
    two = Database(f"sqlite:///{tmp_path}/plain.db")
    assert two.unanswered() == [QUESTION]
    two.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("rubbish-hunter2", "is not the URL of a database"),
        ("nosuch://u:hunter2@h/x", "is not the URL of a database"),
        ("postgresql://u:hunter2@h:port/x", "is not the URL of a database"),
        ("oracle+cx_oracle://u:hunter2@h/x", "needs the Python package cx_Oracle, which is not installed"),
        ("postgresql+pg8000://u:hunter2@h/x", "needs the Python package pg8000, which is not installed"),
        ("nosuch://u:hunter2@h/x", "Write postgresql://USER:PASSWORD@HOST/NAME, or sqlite:////FOLDER/FILE.db"),
        ("mysql://u:hunter2@h/x", "not installed. Write postgresql://USER:PASSWORD@HOST/NAME, or sqlite:////"),
        ("postgresql://u:hunter2@h:port/x", "Write postgresql://USER:PASSWORD@HOST/NAME, with :PORT behind HOST"),
        ("postgresql://u:a@hunter2@127.0.0.1:9/x", "has to be written otherwise: '@' as %40."),
        ("postgresql://u:hunter2@127.0.0.1:9/x", "127.0.0.1:9/x of DATABASE_URL cannot be used (connection failed: "),
        ("postgres://u:hunter2@127.0.0.1:9/x", "port 9 failed: Connection refused"),
        ("postgresql://u:hunter2@127.0.0.1:9/x?sslmode=hunter", 'invalid sslmode value: "hunter"'),
        ("postgresql://u:hunter2@127.0.0.1:9/x?foo=hunter2", 'invalid connection option "foo"'),
        ("sqlite://", "names no file to keep"),
        ("sqlite:///:memory:", "names no file to keep"),
        ("sqlite:///file:x.db?uri=true", "names no file to keep"),
        (
            "sqlite:////nowhere/at/all.db",
            "The database /nowhere/at/all.db cannot be opened: No such file or directory.",
        ),
    ],
)
def test_what_is_wrong_with_a_url_is_said_without_it(url: str, says: str) -> None:
    """The sentence names the setting or the file; neither it nor a traceback shows a password."""
    with pytest.raises(ClippingsError) as raised:
        Database(url)
    assert says in str(raised.value)
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    """Whatever stands where the database should be."""
    (tmp_path / "slack.db").write_bytes(b"no database at all " * 1_000)
    with pytest.raises(ClippingsError, match=r"slack\.db cannot be used: file is not a database\.$"):
        Database.in_folder(tmp_path)
    (tmp_path / "folder" / "slack.db").mkdir(parents=True)
    with pytest.raises(ClippingsError, match="cannot be used: unable to open database file"):
        Database.in_folder(tmp_path / "folder")
    with pytest.raises(ClippingsError, match=r"The folder .*slack\.db/x cannot be made: Not a directory"):
        Database.in_folder(tmp_path / "slack.db" / "x")


def test_damage_that_comes_later_is_a_sentence(tmp_path: Path) -> None:
    """A table that vanishes is told in words, where it is read and where it is written; no question is shown."""
    database = Database.in_folder(tmp_path)
    for table in ("questions", "answers"):
        execute(database, f"DROP TABLE {table}")
    with pytest.raises(ClippingsError, match=r"cannot be used: no such table: answers\.$"):
        database.answer(QUESTION.key)
    with pytest.raises(ClippingsError, match=r"cannot be used: no such table: questions\.$"):
        database.receive(QUESTION)
    database.close()


def test_it_can_be_asked_for_without_being_made(tmp_path: Path) -> None:
    """Where there is no database, or another's, a sentence says so and nothing is changed."""
    with pytest.raises(ClippingsError, match=r"There is no \S+slack\.db yet"):
        Database.in_folder(tmp_path / "data", make=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(ClippingsError, match=r"empty\.db is empty"):
        Database(f"sqlite:///{tmp_path}/empty.db", make=False)
    assert [(file.name, file.stat().st_size) for file in tmp_path.iterdir()] == [("empty.db", 0)]
