"""Which articles a word of a user means: an id, a file, a folder, an address, an outlet or a headline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from index.formats.urls import canonical
from index.load import as_read
from index.models import ClippingsError, Source
from index.text import fold

MAX_LISTED = 10
MIN_ID_CHARACTERS = 8  # of the beginning of an id that names what is to be removed


def meant(
    word: str, sources: Sequence[Source], outlets: Mapping[str, str] | None = None, *, min_id_characters: int = 1
) -> list[Source]:
    """The articles of the first of these ways that fits; [] if none does.

    An id; a file, a folder or an archive; an address; the end of a file's path; an outlet (``outlets``: names by folded
    aliases); the end of an archive's path; the beginning of an id, of ``min_id_characters``; a headline. Raises
    ClippingsError if the word may mean several files or articles.
    """
    if not word:
        return []
    spelled, real, text = str(as_read(Path(word))), os.path.realpath(word), fold(word)
    end, url = f"{os.sep}{os.path.normpath(word)}", canonical(word)
    is_there = os.path.exists(word)  # noqa: PTH110  # Path.exists raises if the word is too long for a name
    ways: tuple[Callable[[Source, str], str | bool | None], ...] = (  # what a source, with its path, is meant by
        lambda source, _: source.id == word and word,
        lambda _, path: (word == path or _holds(spelled, path)) and spelled,
        lambda _, path: bool(path) and is_there and _holds(real, os.path.realpath(path)) and real,
        lambda source, _: bool(source.url) and canonical(source.url or "") == url and url,
        lambda _, path: path.endswith(end) and path,
        lambda source, _: source.outlet == (outlets or {}).get(text) and source.outlet,
        lambda _, path: bool(Path(word).suffix) and f"{end}/" in path and path.partition(f"{end}/")[0] + end,
        lambda source, _: len(word) >= min_id_characters and source.id.startswith(word) and source.id,
        lambda source, _: fold(source.headline) == text and source.id,
    )
    for way in ways:
        articles = [(thing, source) for source in sources if (thing := way(source, source.path or ""))]
        if len(things := dict.fromkeys(str(thing) for thing, _ in articles)) > 1:
            raise several(word, things)
        if articles:
            return [source for _, source in articles]
    return []


def _holds(place: str, path: str) -> bool:
    """Whether a file or folder is a path, or holds it."""
    return path == place or path.startswith(f"{place.rstrip(os.sep)}{os.sep}")


def several(word: str, things: Iterable[str]) -> ClippingsError:
    """The error of a word that may mean several things, with the names of the first."""
    names = list(things)
    return ClippingsError(f"{word} may mean {len(names)} articles. Choose from: {listed(names)}")


def listed(names: Sequence[str]) -> str:
    """The first of many names."""
    return ", ".join(names[:MAX_LISTED]) + (" …" if len(names) > MAX_LISTED else "")
