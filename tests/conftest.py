"""What all tests share: where data and weights lie, no network, and chance without chance."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from index.models import WeightsError
from index.weights import locate

hypothesis.settings.register_profile("clippings", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("clippings")

_SHARED = Path(__file__).parents[2] / "shared" / "data"


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
