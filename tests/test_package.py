"""What is built can be installed elsewhere and run; and the tests themselves keep to this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed, and that is not shown this checkout."""
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=surroundings, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as for a release but with the tools that are here."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, cwd=ROOT)
    return next(folder.glob("clippings-*.whl"))


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with nothing of this checkout: the wheel, and the dependencies that are installed here."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    run(
        sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet", "--no-index",
        "--no-deps", "--disable-pip-version-check", "--root-user-action=ignore", wheel, cwd=folder,
    )  # fmt: skip
    packages = next((folder / "lib").glob("python3.*")) / "site-packages"
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return folder


@pytest.mark.process
def test_the_wheel_holds_the_three_packages_and_the_licences(wheel: Path) -> None:
    """Every file of the three packages is in it, prompts and data included; no test is, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    files = [
        path for package in ("bot", "index", "prompts") for path in (ROOT / package).rglob("*.*") if path.is_file()
    ]

    assert {name for name in inside if ".dist-info/" not in name} == {
        path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts
    }
    assert any(name.startswith("prompts/") and name.endswith(".md") for name in inside)
    assert {name.split("/")[-1] for name in inside if "/licenses/" in name} == {"LICENSE", "NOTICE"}


@pytest.mark.process
def test_the_installed_command_runs_from_another_folder(elsewhere: Path, tmp_path: Path) -> None:
    """`clippings --help` answers, from an installation that knows nothing of this checkout."""
    assert "usage: clippings" in run(elsewhere / "bin" / "clippings", "--help", cwd=tmp_path)


@pytest.mark.process
def test_the_installed_prompts_are_found_from_another_folder(elsewhere: Path, tmp_path: Path) -> None:
    """The packages come out of the new environment, with the prompts beside their code."""
    show = "import bot, index, prompts, pathlib; print(*sorted(pathlib.Path(prompts.__file__).parent.glob('*.md')))"

    printed = run(elsewhere / "bin" / "python", "-c", show, cwd=tmp_path).split()

    assert [Path(path).name for path in printed] == sorted(path.name for path in (ROOT / "prompts").glob("*.md"))
    assert all(Path(path).is_relative_to(elsewhere) for path in printed)


@pytest.mark.parametrize("address", ["203.0.113.1", "2001:db8::1", "news.example"])
def test_a_test_cannot_reach_the_network(address: str) -> None:
    """A connection to anything but this machine ends the test that tries it."""
    with pytest.raises(AssertionError, match="tests run with the network cut"):
        socket.create_connection((address, 80), timeout=1)


def test_a_test_can_reach_a_server_of_its_own() -> None:
    """A server on this machine is within reach."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address, timeout=5) as client:
            assert client.getpeername() == address
