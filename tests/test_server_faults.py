"""Servers that are slow, cut replies off, reset connections or have no room: said in time, with nothing lost."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from index.embedding.embed import Embedder
from index.models import ClippingsError, IndexDamaged
from index.search import Searcher
from index.storage.postgres import Postgres as Connection
from index.storage.servers import Servers
from tests.chroma import Chroma
from tests.corpus import run, write
from tests.tcp_proxy import Proxy
from tests.test_servers import arguments, ask, eventually, is_whole, names, paths

pytestmark = pytest.mark.process(seconds=30)

# What PostgreSQL replies to an INSERT on a full disk.
FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER no_room BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION no_room();
"""


@pytest.fixture
def servers(postgres_url: str, chroma: Chroma) -> Iterator[Servers]:
    """An empty index on the servers that all tests share."""
    with closing(Servers(postgres_url, chroma.url)) as servers:
        yield servers


@pytest.fixture(scope="module")
def embedder(weights: Path) -> Embedder:
    """One model for all questions."""
    return Embedder(weights)


@pytest.mark.parametrize(("slow", "rate"), [("postgres", 16), ("chroma", 60)])
def test_a_server_that_is_too_slow_is_named_in_time(
    servers: Servers, tmp_path: Path, embedder: Embedder, weights: Path, slow: str, rate: int
) -> None:
    """A reply that drips in never ends for a limit of the next byte: the whole reply has a limit, too."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    for i in range(20):  # whose ids and distances are 2 kB
        write(tmp_path / "texts", f"a{i}", f"Council {i} met.")
    run(servers, [tmp_path / "texts"], weights)
    with proxied(servers, slow) as (proxy, place), closing(Searcher(place)) as searcher:
        assert names(ask(searcher, embedder, "mill"))[0] == "mill"
        proxy.drips = rate
        started = time.monotonic()
        with pytest.raises(ClippingsError, match=f"127.0.0.1:{proxy.port}") as caught:
            ask(searcher, embedder, "mill")
        assert time.monotonic() - started < 10
        assert not isinstance(caught.value, IndexDamaged)
        proxy.drips = 0
        assert names(eventually(lambda: ask(searcher, embedder, "mill")))[0] == "mill"


@pytest.mark.parametrize("cut", ["postgres", "chroma"])
def test_replies_that_are_cut_off_give_no_wrong_answer(
    servers: Servers, tmp_path: Path, embedder: Embedder, weights: Path, cut: str
) -> None:
    """Wherever a connection is reset, a question gets the same passages or a message that names the server."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    write(tmp_path / "texts", "octopus", "An aquarium in Easterby got an octopus.")
    run(servers, [tmp_path / "texts"], weights)
    with proxied(servers, cut) as (proxy, place), closing(Searcher(place)) as searcher:
        expected, outcomes = ask(searcher, embedder, "mill"), set()
        for after in range(0, 6_000, 500):
            proxy.cuts_after = after
            try:
                assert ask(searcher, embedder, "mill") == expected
                outcomes.add("answered")
            except ClippingsError as error:
                assert f"127.0.0.1:{proxy.port}" in str(error)  # noqa: PT017  # either may be
                outcomes.add("said")
        assert outcomes >= {"answered"}
        proxy.cuts_after = -1
        assert eventually(lambda: ask(searcher, embedder, "mill")) == expected


def test_a_database_without_room_is_said_and_nothing_is_lost(
    servers: Servers, tmp_path: Path, embedder: Embedder, weights: Path
) -> None:
    """What was indexed stays and is found; with room again the same command completes it."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    run(servers, [tmp_path / "texts"], weights)
    write(tmp_path / "texts", "octopus", "An aquarium in Easterby got an octopus.")
    write(tmp_path / "texts", "mill", "The mill of Greyford has a new sail.")
    with closing(Connection(servers._database_url, schema="clippings_1", writer=True)) as database:
        database.rows(FULL)
        with pytest.raises(ClippingsError, match=r"has no room left \(could not extend file .*Make room.*run the same"):
            run(servers, [tmp_path / "texts"], weights)
        with closing(Searcher(servers)) as searcher:
            assert [passage.text for passage in ask(searcher, embedder, "mill")] == [
                "The mill of Greyford lost a sail."
            ]
        database.rows("DROP TRIGGER no_room ON articles")
    assert run(servers, [tmp_path / "texts"], weights).chunks_embedded >= 1
    assert paths(servers) == {"mill", "octopus"}
    assert is_whole(servers)


def test_a_server_that_resets_is_named(servers: Servers, tmp_path: Path, embedder: Embedder, weights: Path) -> None:
    """Something that takes connections and drops them is not taken for a server that knows nothing."""
    write(tmp_path / "texts", "mill", "The mill of Greyford lost a sail.")
    run(servers, [tmp_path / "texts"], weights)
    with resetting() as port:
        for place in (
            Servers(servers._database_url, f"http://127.0.0.1:{port}"),
            Servers(f"postgresql://reader:hidden@127.0.0.1:{port}/x", servers._chroma[0]),
        ):
            with closing(Searcher(place)) as searcher, pytest.raises(ClippingsError, match=str(port)) as caught:
                ask(searcher, embedder, "mill")
            assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(("character", "form"), [("@", "%40"), ("/", "%2F"), (" ", "%20")])
def test_a_password_that_breaks_the_url_is_not_shown(character: str, form: str) -> None:
    """What follows its "@" would be the host, by which messages name the server."""
    with pytest.raises(ClippingsError, match=f"written otherwise: '{character}' as {form}") as caught:
        Connection(f"postgresql://u:a{character}hidden@127.0.0.1:9/x?application_name=a@b")
    assert "hidden" not in str(caught.value)


@contextmanager
def proxied(servers: Servers, which: str) -> Iterator[tuple[Proxy, Servers]]:
    """The same index, with a proxy before one of the servers."""
    database, chroma = arguments(servers)
    url = database if which == "postgres" else chroma
    port = urlsplit(url).port
    assert port
    with Proxy(port) as proxy:
        through = url.replace(f":{port}", f":{proxy.port}")
        yield proxy, Servers(through, chroma) if which == "postgres" else Servers(database, through)


@contextmanager
def resetting() -> Iterator[int]:
    """A port on which each connection is reset."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
