"""The data folder: what in it Clippings made, who may read it, and whether it can be written to.

Clippings writes only to a folder that it made or that was empty, and removes nothing in it but its own generations.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from index.models import ClippingsError

MARK = ".clippings"
_NOTE = "Clippings made this folder, and may change or remove what it made in it.\n"
_GENERATION = re.compile(r"generation-(\d{1,9})")
_PART = re.compile(r"catalogue\.sqlite(-wal|-shm|-journal)?|vectors|checksums\.json|checksums\.new")  # of a generation
_OWN = re.compile(r"lock|slack\.lock|slack\.db(-wal|-shm)?|history|eval|indexing\.json|ocr|damaged-\d+")
_ON_EMPTY_DISKS = {"lost+found", ".DS_Store", ".gitignore", ".gitkeep"}
_PROBE_BYTES = 65_536  # SQLite needs 32 kB for the index of its log


def prepare(data: Path) -> None:
    """Make the data folder, marked and private. Raises ClippingsError if it holds something else, or OSError."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (data / MARK).is_file():
        if not _is_ours(data):
            raise ClippingsError(
                f"The folder {data} holds files that Clippings did not make, so it is not used for the index. "
                "Name an empty or a new folder with --data or CLIPPINGS_DATA."
            )
        (data / MARK).write_text(_NOTE, encoding="ascii")
    make_private(data)


def make_private(data: Path) -> None:
    """Let only the owner read the index, one made by an earlier version too. Skips what belongs to another user."""
    paths = [data, *(data / name for name in (MARK, "current", "lock"))]
    for generation in generations(data):
        paths += [Path(folder, name) for folder, *names in os.walk(generation) for name in ("", *names[0], *names[1])]
    for path in paths:
        with suppress(OSError):
            mode = path.lstat().st_mode
            if mode & 0o077 and not stat.S_ISLNK(mode):
                path.chmod(0o700 if stat.S_ISDIR(mode) else 0o600)


def generations(data: Path) -> list[Path]:
    """The generations in a data folder, oldest first; not a folder of the user's with such a name."""
    with suppress(OSError):
        return sorted(filter(_is_generation, data.iterdir()), key=number)
    return []


def number(generation: Path) -> int:
    """The number in the name of a generation; 0 for another name."""
    match = _GENERATION.fullmatch(generation.name)
    return int(match[1]) if match else 0


def unused(data: Path, named: Path | None) -> Path:
    """A folder for a new generation, with a number above all others: readers tell generations apart by name."""
    return data / f"generation-{1 + max(map(number, (*data.glob('generation-*'), *filter(None, [named]))), default=0)}"


def can_write(folder: Path) -> bool:
    """Whether the folder may be written to and its disk has room, found out by writing."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE_BYTES))
    except OSError:
        return False
    return True


def temporary_copy(*paths: Path) -> tempfile.TemporaryDirectory[str]:
    """Copy files, and what is in folders, to a temporary folder or into memory. Raises ClippingsError without room."""
    for place in (tempfile.gettempdir(), "/dev/shm"):  # noqa: S108  # a private folder is made in it
        with suppress(OSError):
            copy = tempfile.TemporaryDirectory(prefix="clippings-", dir=place, ignore_cleanup_errors=True)
            try:
                for path in paths:
                    if path.is_dir():
                        shutil.copytree(path, copy.name, dirs_exist_ok=True)
                    else:
                        shutil.copy(path, copy.name)
            except OSError:
                copy.cleanup()
                raise
            return copy
    raise ClippingsError(
        f"{paths[0]} cannot be written to, and there is no room to copy it to {tempfile.gettempdir()}. "
        "Free some space, or set TMPDIR to a folder that has room."
    )


def sync(path: Path) -> None:
    """Wait until a file or the names in a folder are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _is_generation(folder: Path) -> bool:
    try:
        is_folder = number(folder) > 0 and folder.is_dir() and not folder.is_symlink()
        return is_folder and all(_PART.fullmatch(part.name) for part in folder.iterdir())
    except OSError:
        return False


def _is_ours(data: Path) -> bool:
    """Whether a folder without the mark is empty, or was made by a version that set none."""
    names = {path.name for path in data.iterdir()} - _ON_EMPTY_DISKS
    if any((generation / "catalogue.sqlite").exists() for generation in generations(data)):
        return True
    return all(_OWN.fullmatch(name) or _is_old_pointer(data / name) or _is_generation(data / name) for name in names)


def _is_old_pointer(file: Path) -> bool:
    return file.name == "current" and bool(_GENERATION.fullmatch(file.read_text("ascii", "replace").strip()))
