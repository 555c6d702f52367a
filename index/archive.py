"""An installation as one file: a zip of JSON lines, and a manifest with their numbers and SHA-256.

clippings-2026-11-27.zip
├── articles.jsonl    an article, the digest of its file and, on request, its vectors by chunk (base64, float32)
├── editions.jsonl    the latest version of a story that was read, and why it is not indexed
├── feedback.jsonl    people's opinions of answers (bot/cli/transfer.py)
└── manifest.json

Nothing is unpacked to the disk: members are read line by line.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from index.models import ClippingsError

FORMAT = 1
"""Of an archive; one of a later format is not read."""

ARTICLES, EDITIONS, FEEDBACK, _MANIFEST = "articles.jsonl", "editions.jsonl", "feedback.jsonl", "manifest.json"
_MEMBERS = {ARTICLES, EDITIONS, FEEDBACK}
MAX_LINE_BYTES = 50_000_000  # an article may have 5 MB of text; with escapes and vectors that is some 40 MB
MAX_MANIFEST_BYTES = 1_000_000
MAX_RATIO = 100  # of unpacked to packed bytes: articles have 3 to 20, a bomb 1,000
_MAX_SMALL_BYTES = 20_000_000  # that a small archive may unpack to, whatever its ratio


class Writing:
    """An archive that is being written."""

    def __init__(self, opened: ZipFile) -> None:
        self._zip, self.members = opened, dict[str, dict[str, Any]]()

    def lines(self, name: str, lines: Iterable[bytes]) -> int:
        """Write a member of lines of JSON, and return their number."""
        count, digest = 0, hashlib.sha256()
        with self._zip.open(name, "w", force_zip64=True) as member:
            for line in lines:
                member.write(line + b"\n")
                digest.update(line + b"\n")
                count += 1
        self.members[name] = {"lines": count, "sha256": digest.hexdigest()}
        return count

    def manifest(self, values: dict[str, object]) -> None:
        """Write what the archive is, last."""
        self._zip.writestr(_MANIFEST, json.dumps({"format": FORMAT, **values, "members": self.members}, indent=2))


@contextmanager
def writing(file: Path) -> Iterator[Writing]:
    """Make an archive that is there when it is whole, for its owner alone. Raises ClippingsError if the file exists."""
    if os.path.lexists(file):
        raise ClippingsError(f"{file} exists. Name another file, or remove it.")
    part: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=file.name, suffix=".part", delete=False) as stream:
            part = Path(stream.name)
            with ZipFile(stream, "w", ZIP_DEFLATED) as opened:
                yield Writing(opened)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    except OSError as error:
        raise ClippingsError(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


class Archive:
    """An archive to read, which may be damaged or hostile. Raises ClippingsError, which says what is wrong with it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._errors_explained():
            self._zip = ZipFile(file)
        try:
            with self._errors_explained():
                self.manifest = self._read_manifest()
                self._check_members()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def count(self, name: str) -> int:
        """The number of lines of a member; 0 if there is none."""
        return int(self.manifest["members"][name]["lines"]) if name in self.manifest["members"] else 0

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a member; none if there is no such member."""
        if name not in self.manifest["members"]:
            return
        with self._errors_explained(), self._zip.open(name) as member:
            yield from self._lines(member, name)

    def verify(self) -> None:
        """Read everything, and compare it with the manifest."""
        for name, stated in self.manifest["members"].items():
            count, digest = 0, hashlib.sha256()
            for line in self.lines(name):
                digest.update(line)
                count += 1
            if (count, digest.hexdigest()) != (stated["lines"], stated["sha256"]):
                raise self.damaged(f"{name} is not as its manifest says")

    def damaged(self, reason: str) -> ClippingsError:
        """An error that says what is wrong."""
        return ClippingsError(f"{self._file} cannot be imported: {reason}. Nothing was changed.")

    def _lines(self, member: IO[bytes], name: str) -> Iterator[bytes]:
        while line := member.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise self.damaged(f"a line of {name} is longer than {MAX_LINE_BYTES:,} bytes")
            yield line

    def _read_manifest(self) -> dict[str, Any]:
        with self._zip.open(_MANIFEST) as member:
            text = member.read(MAX_MANIFEST_BYTES + 1)
        manifest = json.loads(text) if len(text) <= MAX_MANIFEST_BYTES else None
        if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
            raise self.damaged("its manifest is none")
        if manifest["format"] > FORMAT:
            by = str(manifest.get("clippings", ""))[:20]
            raise self.damaged(f"a newer version of Clippings ({by}) has made it; install it here, too")
        members = manifest.get("members")
        if not isinstance(members, dict) or not all(
            isinstance(member, dict) and isinstance(member.get("lines"), int) for member in members.values()
        ):
            raise self.damaged("its manifest names no members")
        return manifest

    def _check_members(self) -> None:
        held = self._zip.infolist()
        names = sorted(member.filename for member in held)
        if not set(names) <= {*_MEMBERS, _MANIFEST}:
            raise self.damaged("it holds files that no export has")
        if names != sorted({*self.manifest["members"], _MANIFEST}):
            raise self.damaged("its members are not those of its manifest")
        unpacked, packed = sum(member.file_size for member in held), self._file.stat().st_size
        if unpacked > max(_MAX_SMALL_BYTES, MAX_RATIO * packed):
            raise self.damaged(f"it would unpack to {unpacked:,} bytes, {unpacked // packed:,} times its size")

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        try:
            yield
        except KeyError as error:
            raise self.damaged("it is no export of Clippings") from error
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise self.damaged("it is damaged, or no export of Clippings") from error
        except OSError as error:
            raise ClippingsError(f"{self._file} cannot be read: {error.strerror or error}.") from error
