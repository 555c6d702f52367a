"""`clippings export`, `import` and `backup`: an installation as an archive, without a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.runtime import OnProgress, home
from bot.settings import Settings, portable, variables
from bot.slack.connection import NothingStoredError
from bot.slack.database import Database, Feedback
from bot.slack.review import exported, imported, open_feedback
from index.archive import FEEDBACK, Archive, writing
from index.transfer import export_index, import_index

_MAX_SETTING_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Exported:
    """What an archive holds. ``bytes``: its size."""

    file: str
    bytes: int
    articles: int
    feedback: int
    vectors: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. ``settings``: those of the archive that differ from those here, by variable.

    ``paths``, ``addresses``: what the archive says is to be read again, which is so if it ``followed`` them.
    """

    file: str
    articles: int
    replaced: int
    chunks_embedded: int
    feedback: int
    paths: tuple[str, ...]
    addresses: tuple[str, ...]
    followed: bool
    settings: dict[str, str]


def export(settings: Settings, file: Path, *, vectors: bool, progress: OnProgress) -> Exported:
    """Write an archive, while others read or write the index. Raises ClippingsError."""
    with closing(home(settings)) as place, writing(file) as archive:
        described = export_index(place, archive, vectors=vectors, progress=progress)
        opinions = 0
        if database := _feedback(settings):
            with closing(database):
                opinions = archive.lines(FEEDBACK, exported(database))
        made = {"clippings": _version(), "made": datetime.now(UTC).isoformat(timespec="seconds")}
        archive.manifest(made | described | {"settings": portable(settings)})
    return Exported(str(file), file.stat().st_size, int(str(described["articles"])), opinions, vectors)


def restore(settings: Settings, file: Path, *, replace: bool, follow: bool, progress: OnProgress) -> Imported:
    """Import an archive, after all of it was read once. Raises ClippingsError, and has changed nothing then.

    Feedback is added after the articles; killed in between, the import may be repeated with ``replace``.
    """
    with Archive(file) as archive, closing(home(settings)) as place:
        archive.verify()
        for _ in _opinions(archive):
            """Read all before anything is changed."""
        done = import_index(
            place, archive, model_dir=settings.model_dir, replace=replace, follow=follow, progress=progress
        )
        opinions = 0
        if archive.count(FEEDBACK):
            url = settings.database_url
            database = Database(url.get_secret_value()) if url else Database.in_folder(settings.data)
            with closing(database):
                opinions = database.add_feedback(_opinions(archive))
        differing = _differing(archive, portable(settings))
    counts = (done.articles, done.replaced, done.chunks_embedded, opinions)
    return Imported(str(file), *counts, done.paths, done.addresses, follow, differing)


def _feedback(settings: Settings) -> Database | None:
    """The bot's database; None if it has not run."""
    try:
        return open_feedback(settings)
    except NothingStoredError:
        return None


def _opinions(archive: Archive) -> Iterator[Feedback]:
    for line in archive.lines(FEEDBACK):
        try:
            yield imported(line)
        except ValueError:
            raise archive.damaged(f"a line of {FEEDBACK} is no opinion") from None


def _differing(archive: Archive, here: dict[str, str]) -> dict[str, str]:
    there, known = archive.manifest.get("settings"), set(variables().values())
    if not isinstance(there, dict):
        return {}
    return {
        name: str(value)[:_MAX_SETTING_CHARACTERS]
        for name, value in there.items()
        if name in known and here.get(name) != str(value)
    }


def _version() -> str:
    try:
        return version("clippings")
    except PackageNotFoundError:
        return "from its source"
