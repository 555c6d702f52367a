"""Damage to the files of a generation, noticed before SQLite or Chroma reads them: Chroma crashes on a damaged file.

The last step of a run of indexing is to record the checksum of every file in `checksums.json`, its first to remove that
record. So a record says what the files must be; without one, a run is under way or was stopped, or the index is older
than this module, and a process of its own tries the vectors.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from index.models import ClippingsError, IndexDamaged
from index.storage.store import stable_files

_MAX_TRIAL_SECONDS = 120
# A search fails also if it meets a write (chroma 1.5.9). It is repeated in its process; if it crashes, in another.
_MAX_TRIALS = 3
# In a process of its own: to close a file that SQLite has open too would drop the locks of this process on it, and a
# writer would then take away the log that its readers read (sqlite.org/howtocorrupt.html, 2.2).
_CHECKSUMS = """
import hashlib, json, sys
def checksum(name):
    try:
        with open(name, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
try:
    print(json.dumps([checksum(name) for name in sys.argv[1:]]))
except OSError as error:
    sys.exit(f"{error.filename} cannot be read: {error.strerror}.")
"""
_TRIAL = f"""
import pathlib, sys, time, index.models, index.storage.store
for trial in range({_MAX_TRIALS}):
    try:
        store = index.storage.store.FolderVectors(pathlib.Path(sys.argv[1]), make=False)
        store.self_search()
        print(store.count())
        break
    except index.models.ClippingsError:
        time.sleep(1)
"""


def catalogue_file(folder: Path) -> Path:
    """The path of the catalogue of a generation."""
    return folder / "catalogue.sqlite"


def vectors_folder(folder: Path) -> Path:
    """The path of the vectors of a generation."""
    return folder / "vectors"


def record_checksums(folder: Path) -> None:
    """Record the checksums of a generation that no process has open for writing."""
    catalogue = catalogue_file(folder)
    log = catalogue.with_name(catalogue.name + "-wal")
    files = stable_files(vectors_folder(folder))
    if not log.exists() or not log.stat().st_size:  # else a reader has kept SQLite from emptying it: it will later
        files.append(catalogue)
    names = [file.relative_to(folder).as_posix() for file in files]
    sums = dict(zip(names, _checksums(files), strict=True))
    new = _record(folder).with_suffix(".new")
    with new.open("w", encoding="ascii") as stream:
        json.dump({"chromadb": version("chromadb"), "sha256": sums}, stream)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(_record(folder))


def forget(folder: Path) -> None:
    """Remove the record, before the first change."""
    _record(folder).unlink(missing_ok=True)


def is_recorded(folder: Path, file: Path | None = None) -> bool:
    """Whether there is a record that this version of Chroma may be held to; also of a file, if one is given."""
    record = _recorded(folder)
    sums = record.get("sha256") if record else None
    return record is not None and (file is None or (isinstance(sums, dict) and file.name in sums))


def damaged_file(folder: Path) -> Path | None:
    """The first file that is not as it was recorded; None also without a record."""
    while (record := _recorded(folder)) is not None:
        sums = record.get("sha256")
        if not isinstance(sums, dict):
            return _record(folder)
        files = [folder / name for name in sums]
        found = zip(files, _checksums(files), sums.values(), strict=True)
        changed = next((file for file, checksum, recorded in found if checksum != recorded), None)
        if changed is None or _recorded(folder) == record:  # otherwise a writer has come between
            return changed
    return None


def check(folder: Path) -> None:
    """Raise IndexDamaged if a file of a generation is not as it was recorded."""
    if file := damaged_file(folder):
        raise IndexDamaged(f"The index is damaged: {file} is not as it was written. Rebuild it: `clippings index`.")


def count_vectors(folder: Path) -> int | None:
    """Search and count the vectors in a process of its own, which damage may crash; None if they cannot be used."""
    # With -P: this package, not a folder `index` of the user's.
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for _ in range(_MAX_TRIALS):
        with contextlib.suppress(subprocess.SubprocessError, ValueError):
            trial = subprocess.run(  # noqa: S603  # our own interpreter and program, the folder as an argument
                [sys.executable, "-P", "-c", _TRIAL, str(vectors_folder(folder))],
                capture_output=True, text=True, timeout=_MAX_TRIAL_SECONDS, check=True, env=environment,
            )  # fmt: skip
            return int(trial.stdout) if trial.stdout else None
    return None


def _record(folder: Path) -> Path:
    return folder / "checksums.json"


def _recorded(folder: Path) -> dict[str, object] | None:
    """The record, {} if it is damaged; None without, or of another version of Chroma, which may convert its files."""
    try:
        record = json.loads(_record(folder).read_bytes())
    except FileNotFoundError:
        return None
    except (IsADirectoryError, ValueError, RecursionError):
        return {}
    except OSError as error:
        raise ClippingsError(f"{_record(folder)} cannot be read: {error.strerror or error}.") from error
    if not isinstance(record, dict):
        return {}
    return record if record.get("chromadb", version("chromadb")) == version("chromadb") else None


def _checksums(files: Sequence[Path]) -> list[str | None]:
    """The SHA-256 of each file; None if there is no such file."""
    hashed = subprocess.run(  # noqa: S603  # our own interpreter and program, the files as arguments
        [sys.executable, "-I", "-S", "-c", _CHECKSUMS, *map(os.fspath, files)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if hashed.returncode:
        raise ClippingsError(hashed.stderr.strip() or f"The index in {files[0].parent} cannot be read.")
    checksums: list[str | None] = json.loads(hashed.stdout)
    return checksums
