"""An index on a real PostgreSQL and a real Chroma server: the same answers, leases, shards, and servers that fail."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot import serialize
from bot.answer import Engine
from bot.cli.render import plain, status_lines
from bot.runtime import home as home_of
from bot.runtime import make_engine
from bot.settings import Settings
from index.archive import Archive, writing
from index.embedding.embed import Embedder
from index.ingest import Choices, Report, ingest
from index.models import ClippingsError, IndexDamaged, IndexLocked, IndexMissing, Passage
from index.removal import remove
from index.search import Searcher
from index.status import status
from index.storage.generation import FINGERPRINT
from index.storage.home import Folder, Home
from index.storage.postgres import Postgres as Connection
from index.storage.servers import LAYOUT_VERSION, Servers
from index.storage.shard import Shard
from index.storage.store import ServerVectors
from index.text import stems
from index.transfer import export_index, import_index
from tests.chroma import Chroma
from tests.corpus import prose, run, write
from tests.kill_servers import torment
from tests.postgres import Postgres
from tests.three_steps import is_same

T = TypeVar("T")
pytestmark = pytest.mark.process(seconds=60)

ROOT = Path(__file__).parents[1]
QUESTIONS = [
    json.loads(line)["question"] for line in (ROOT / "tests" / "newsroom.jsonl").read_text("utf-8").splitlines()
]
HOLD = """
import sys, index.storage.servers
with index.storage.servers.Servers(*sys.argv[1:]).locked():
    print("held", flush=True)
    sys.stdin.read()
"""
INDEX = """
import pathlib, sys, index.ingest, index.storage.servers, index.storage.shard
database, chroma, articles, weights, shard = sys.argv[1:]
choices = index.ingest.Choices(shard=index.storage.shard.Shard.parse(shard) if shard else None)
report = index.ingest.ingest(
    index.storage.servers.Servers(database, chroma), [pathlib.Path(articles)], model_dir=pathlib.Path(weights),
    choices=choices, progress=lambda done, total: None,
)
print(report.added)
"""


@dataclass
class Pair:
    """Two servers that a test may stop, and the index on them."""

    postgres: Postgres
    chroma: Chroma
    database: str = ""

    @property
    def home(self) -> Servers:
        """The index."""
        return Servers(self.database, self.chroma.url)


@pytest.fixture(scope="module")
def own_servers() -> Iterator[Pair]:
    """A PostgreSQL and a Chroma of this module's own."""
    with tempfile.TemporaryDirectory(prefix="clippings-own-") as folder:
        (Path(folder) / "postgres").mkdir()
        (Path(folder) / "chroma").mkdir()
        Path(folder).chmod(0o755)  # the user of PostgreSQL goes through
        with Postgres(Path(folder) / "postgres") as postgres, Chroma(Path(folder) / "chroma") as chroma:
            yield Pair(postgres, chroma)


@pytest.fixture
def pair(own_servers: Pair) -> Pair:
    """The module's own servers, with an empty database."""
    return Pair(own_servers.postgres, own_servers.chroma, own_servers.postgres.create(f"t{uuid.uuid4().hex}"))


@pytest.fixture
def servers(postgres_url: str, chroma: Chroma) -> Iterator[Servers]:
    """An empty index on the servers that all tests share."""
    with closing(Servers(postgres_url, chroma.url)) as servers:
        yield servers


@pytest.fixture(scope="module")
def embedder(weights: Path) -> Embedder:
    """One model for all questions."""
    return Embedder(weights)


def ask(searcher: Searcher, embedder: Embedder, question: str) -> list[Passage]:
    """The passages for a question."""
    return searcher.search(embedder.question(question), stems(question))


def paths(home: Home) -> set[str]:
    """The names of the files that are indexed."""
    name = home.current()
    assert name
    with closing(home.open_catalogue(name)) as catalogue:
        return {Path(path).stem for _, path in catalogue.paths()}


def is_whole(home: Home) -> bool:
    """Whether there are as many vectors as chunks, of the same names."""
    name = home.current()
    assert name
    with closing(home.open(name)) as generation:
        generation.catalogue.check()
        return sorted(generation.store.ids()) == sorted(generation.catalogue.all_chunk_ids())


def test_the_answers_are_those_of_an_index_in_a_folder(
    indexed: Path, servers: Servers, weights: Path, tmp_path: Path
) -> None:
    """Moved onto servers and back into a folder: text, citations, passages and scores are the same."""
    back = Folder(tmp_path / "back")
    for source, target, file in ((Folder(indexed), servers, "there.zip"), (servers, back, "back.zip")):
        with writing(tmp_path / file) as archive:
            archive.manifest(export_index(source, archive, vectors=True, progress=quiet))
        with Archive(tmp_path / file) as read:
            done = import_index(target, read, model_dir=weights, replace=False, follow=True, progress=quiet)
            assert done.chunks_embedded == 0
    today = date(2024, 9, 1)
    with closing(make_engine(Settings(data=indexed, model_dir=weights))) as ours:
        for home, questions in ((servers, QUESTIONS[::60]), (back, QUESTIONS[:1])):
            with closing(Engine(Searcher(home), ours._models)) as theirs:
                for question in questions:
                    first, second = (serialize.answer(engine.ask(question, as_of=today)) for engine in (ours, theirs))
                    assert is_same(first, second), question


def quiet(_done: int, _total: int) -> None:
    """Show no progress."""


def test_a_reader_sees_each_change_at_once(servers: Servers, tmp_path: Path, embedder: Embedder, weights: Path) -> None:
    """What another process indexed is found by the next question, and what it removed never again."""
    write(tmp_path / "texts", "kept", "The lighthouse keeper of Dunwick retired.")
    gone = write(tmp_path / "texts", "gone", "An aquarium in Easterby got an octopus.")
    run(servers, [tmp_path / "texts"], weights)
    with closing(Searcher(Servers(*arguments(servers)))) as searcher:
        assert names(ask(searcher, embedder, "octopus"))[0] == "gone"
        gone.unlink()
        write(tmp_path / "texts", "new", "A theatre in Fernhollow burned down.")
        run(servers, [tmp_path / "texts"], weights, prune=True)
        assert set(names(ask(searcher, embedder, "octopus theatre"))) == {"kept", "new"}
        remove(servers, [str(tmp_path / "texts" / "new.md")])
        assert names(ask(searcher, embedder, "theatre")) == ["kept"]
    assert is_whole(servers)


def test_an_index_of_another_version_is_rebuilt_beside_the_old_one(
    servers: Servers, tmp_path: Path, embedder: Embedder, weights: Path
) -> None:
    """A reader goes on with the old generation until the new one is whole; the run after that removes the old one."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    run(servers, [tmp_path / "texts"], weights)
    old = servers.current()
    set_fingerprint(servers, "an older model/chunker-0/schema-0/words-0")
    with closing(Searcher(servers)) as searcher:
        with pytest.raises(IndexMissing, match="built by another version"):
            ask(searcher, embedder, "mill")
        report = run(servers, [], weights)
        assert report.rebuilt
        assert report.chunks_embedded == 1
        assert names(ask(searcher, embedder, "mill")) == ["mill"]
    assert servers.current() != old
    assert run(servers, [], weights).unchanged == 1
    with closing(Connection(servers._database_url)) as database:
        kept = database.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'clippings_%'")
        assert [schema for (schema,) in kept] == ["clippings_2"]


def test_what_a_newer_version_wrote_is_refused(servers: Servers, tmp_path: Path, weights: Path) -> None:
    """Neither a reader nor a writer touches an index or a database of a later version; both say what to do."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    run(servers, [tmp_path / "texts"], weights)
    newer = re.sub(r"schema-(\d+)", lambda match: f"schema-{int(match[1]) + 1}", FINGERPRINT)
    set_fingerprint(servers, newer)
    for use in (lambda: status(servers), lambda: run(servers, [tmp_path / "texts"], weights)):
        with pytest.raises(
            ClippingsError, match=r"A newer version of Clippings has built the index .* Install it here"
        ):
            use()
    set_fingerprint(servers, FINGERPRINT)
    with closing(Connection(servers._database_url, writer=True)) as database:
        database.execute("UPDATE clippings.layout SET version = ?", (LAYOUT_VERSION + 1,))
    with pytest.raises(ClippingsError, match=r"A newer version of Clippings has changed PostgreSQL at 127\.0\.0\.1"):
        run(servers, [tmp_path / "texts"], weights)


def test_a_second_indexer_is_refused_until_the_first_is_killed(servers: Servers, tmp_path: Path, weights: Path) -> None:
    """There is one writer, as in a folder; its lease ends with its process."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    with process(HOLD, *arguments(servers)) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(IndexLocked, match="Another process is indexing into PostgreSQL at"):
            run(servers, [tmp_path / "texts"], weights)
        with pytest.raises(IndexLocked, match="Another process is indexing into"):
            shard_run(servers, tmp_path / "texts", weights, Shard(1, 2))
        holder.kill()
        holder.wait(10)
    assert eventually(lambda: run(servers, [tmp_path / "texts"], weights)).added == 1


def test_shards_index_side_by_side_what_one_run_would(servers: Servers, tmp_path: Path, weights: Path) -> None:
    """Two processes at once leave each article once, and vectors that belong to them."""
    for i in range(12):
        write(tmp_path / "texts", f"a{i}", prose(6, start=6 * i))
    parts = [process(INDEX, *arguments(servers), tmp_path / "texts", weights, f"{number}/2") for number in (1, 2)]
    added = []
    for part in parts:
        with part:
            output, errors = part.communicate(timeout=120)
            assert part.returncode == 0, errors
            added.append(int(output))
    assert sum(added) == 12
    assert max(added) < 12
    assert paths(servers) == {f"a{i}" for i in range(12)}
    assert is_whole(servers)
    assert status(servers).healthy
    assert run(servers, [tmp_path / "texts"], weights).unchanged == 12


def test_shards_agree_on_their_number(servers: Servers, tmp_path: Path, weights: Path) -> None:
    """A share that is being indexed is refused to another process, and so is another number of shares."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    with servers.locked(Shard(1, 2)), closing(Servers(*arguments(servers))) as other:
        with pytest.raises(IndexLocked, match="Another process is indexing --shard 1/2"):
            shard_run(other, tmp_path / "texts", weights, Shard(1, 2))
        with pytest.raises(IndexLocked, match="Other processes index another number of shards"):
            shard_run(other, tmp_path / "texts", weights, Shard(3, 3))
        with pytest.raises(IndexLocked, match="Another process is indexing into"):
            run(other, [tmp_path / "texts"], weights)


def test_a_share_may_hold_no_article(servers: Servers, tmp_path: Path, weights: Path) -> None:
    """It says that there are some, of other shares; that is not an empty folder."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    done = [shard_run(servers, tmp_path / "texts", weights, Shard(number, 2)) for number in (1, 2)]
    assert sorted((report.added, report.other_shards) for report in done) == [(0, 1), (1, 0)]
    assert not any(report.is_empty for report in done)
    (tmp_path / "empty").mkdir()
    assert shard_run(servers, tmp_path / "empty", weights, Shard(1, 2)).is_empty


def test_a_folder_has_no_shards(tmp_path: Path, weights: Path) -> None:
    """Into a folder one process indexes, and a shard says what it needs."""
    with pytest.raises(ClippingsError, match=r"--shard 1/2 needs servers .* set DATABASE_URL and CHROMA_URL"):
        shard_run(Folder(tmp_path / "data"), tmp_path, weights, Shard(1, 2))


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "-1/2", "1/1000", " "])
def test_no_share(text: str) -> None:
    """What is no share of a whole is refused."""
    with pytest.raises(ValueError, match=re.escape(text)):
        Shard.parse(text)


@given(st.text(), st.integers(1, 999))
def test_each_article_is_in_one_share(name: str, count: int) -> None:
    """Shares cover everything, and nothing twice."""
    assert [Shard(number, count).holds(name) for number in range(1, count + 1)].count(True) == 1


def test_lost_vectors_are_said_and_embedded_again(
    pair: Pair, tmp_path: Path, embedder: Embedder, weights: Path
) -> None:
    """A Chroma that has lost its files is no index that knows nothing; `clippings index` mends it."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    with closing(pair.home) as home:
        run(home, [tmp_path / "texts"], weights)
        name = home.current()
        assert name
        with closing(ServerVectors(pair.chroma.url, "", name, make=True)) as vectors:
            vectors.drop()
        with closing(Searcher(pair.home)) as searcher:
            with pytest.raises(IndexDamaged, match=r"missing or damaged .* Rebuild them: `clippings index`"):
                ask(searcher, embedder, "mill")
            problem = status(home).problem
            assert problem
            assert "run `clippings index`" in problem
            assert run(home, [tmp_path / "texts"], weights).chunks_embedded == 1
            assert names(ask(searcher, embedder, "mill")) == ["mill"]


def test_a_server_keeps_its_vectors_over_a_restart(tmp_path: Path) -> None:
    """Past the thousand at which Chroma begins a graph each vector is found after a kill (chroma-core/chroma#7090)."""
    drawn = np.random.default_rng(1).normal(size=(1_200, 384))
    vectors = np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)
    with Chroma(tmp_path) as chroma:
        with closing(ServerVectors(chroma.url, "", "many", make=True)) as store:
            store.upsert([str(i) for i in range(1_200)], vectors)
        chroma.kill()
        chroma.start()
        with closing(ServerVectors(chroma.url, "", "many")) as store:
            assert store.count() == 1_200
            store.self_search()


def test_a_first_write_does_not_stop_a_reader(chroma: Chroma) -> None:
    """A search in the moment in which another process makes the vectors' files waits for them."""
    vectors = np.eye(20, 384, dtype=np.float32)
    for trial in range(10):
        name = f"first-{trial}-{uuid.uuid4().hex}"
        with (
            closing(ServerVectors(chroma.url, "", name, make=True)) as writer,
            closing(ServerVectors(chroma.url, "", name)) as reader,
            ThreadPoolExecutor(1) as pool,
        ):
            written = pool.submit(writer.upsert, [str(i) for i in range(20)], vectors)
            while not written.done():
                reader.nearest(vectors[0], 1)
            assert [name for name, _ in reader.nearest(vectors[0], 1)] == ["0"]
            writer.drop()


def test_nothing_is_lost_to_a_kill(weights: Path) -> None:
    """Indexer, Chroma and PostgreSQL are killed while a reader asks: no wrong passage; a run completes the index."""
    with tempfile.TemporaryDirectory(prefix="clippings-killed-") as folder:
        Path(folder).chmod(0o755)  # the user of PostgreSQL goes through
        assert sum(torment(Path(folder), weights, kills=1, articles=20).outcomes.values()) == 3


@pytest.mark.parametrize("broken", ["postgres", "chroma"])
@pytest.mark.parametrize("how", ["down", "hanging"])
def test_a_server_that_fails_is_named_in_time(
    pair: Pair, tmp_path: Path, embedder: Embedder, weights: Path, broken: str, how: str
) -> None:
    """Down or hanging: who asks hears within ten seconds which server it is; when it is back, so are the answers."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    server = pair.postgres if broken == "postgres" else pair.chroma
    place = f"127.0.0.1:{server.port}"
    with closing(pair.home) as home, closing(Searcher(pair.home)) as searcher, closing(pair.home) as other:
        run(home, [tmp_path / "texts"], weights)
        assert names(ask(searcher, embedder, "mill")) == ["mill"]
        if how == "down":
            server.kill()
        else:
            server.signal(signal.SIGSTOP)
        try:
            uses = (lambda: ask(searcher, embedder, "mill"), lambda: status(other))
            for use in uses[: 2 if how == "down" else 1]:  # one wait is enough
                started = time.monotonic()
                with pytest.raises(ClippingsError, match=place) as caught:
                    use()
                assert time.monotonic() - started < 10
                assert not isinstance(caught.value, IndexDamaged)
        finally:
            if how == "down":
                server.start()
            else:
                server.signal(signal.SIGCONT)
        assert names(eventually(lambda: ask(searcher, embedder, "mill"))) == ["mill"]


def test_status_names_the_servers_without_the_password(pair: Pair, tmp_path: Path, weights: Path) -> None:
    """Whoever reads it sees where the articles and the vectors are, and no secret."""
    url = pair.database.replace("postgres@", "postgres:hidden@").replace("postgresql://", "postgresql+psycopg://")
    settings = Settings(
        data=tmp_path / "data", database_url=secret(url), chroma_url=pair.chroma.url, chroma_token=secret("hidden")
    )
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    with closing(home_of(settings)) as home:
        run(home, [tmp_path / "texts"], weights)
        state = status(home)
    assert state.healthy
    assert state.size_bytes
    shown = serialize.dumps(serialize.status(state)) + plain(status_lines(state, tmp_path, "none"))
    assert f"PostgreSQL at 127.0.0.1:{pair.postgres.port}/" in shown
    assert f"Chroma at http://127.0.0.1:{pair.chroma.port}" in shown
    assert "hidden" not in shown
    assert not (tmp_path / "data").exists()


def test_vectors_on_a_server_need_articles_on_one() -> None:
    """CHROMA_URL without a PostgreSQL is refused with the two ways out; DATABASE_URL alone is Slack's, as ever."""
    for url in ("", "sqlite:////tmp/slack.db"):
        with pytest.raises(ClippingsError, match=r"set DATABASE_URL to a PostgreSQL .* or unset CHROMA_URL"):
            home_of(Settings(database_url=secret(url), chroma_url="http://127.0.0.1:8000"))
    assert isinstance(home_of(Settings(database_url=secret("postgresql://a:b@c/d"))), Folder)


def secret(text: str) -> SecretStr:
    """A value of a setting that is not shown."""
    return SecretStr(text)


def names(passages: Sequence[Passage]) -> list[str]:
    """Which articles they are of, by the names of their files."""
    return [Path(passage.source.path or "").stem for passage in passages]


def arguments(servers: Servers) -> tuple[str, str]:
    """What another `Servers` of the same index is made from."""
    return servers._database_url, servers._chroma[0]


def shard_run(home: Home, texts: Path, weights: Path, shard: Shard) -> Report:
    """Index a share."""
    return ingest(home, [texts], model_dir=weights, choices=Choices(shard=shard), progress=lambda _done, _total: None)


def set_fingerprint(servers: Servers, fingerprint: str) -> None:
    """Let the index be of another version."""
    name = servers.current()
    assert name
    with closing(Connection(servers._database_url, schema=f"clippings_{name.split('-')[1]}", writer=True)) as database:
        database.execute("UPDATE meta SET value = ? WHERE key = 'fingerprint'", (fingerprint,))


def process(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a program in a process of its own."""
    command, pipe = [sys.executable, "-c", code, *map(str, arguments)], subprocess.PIPE
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=surroundings, text=True, stdin=pipe, stdout=pipe, stderr=pipe)


def eventually(act: Callable[[], T], seconds: float = 20.0) -> T:
    """Try until it succeeds: a server that was killed needs a moment to come back."""
    until = time.monotonic() + seconds
    while True:
        try:
            return act()
        except ClippingsError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
