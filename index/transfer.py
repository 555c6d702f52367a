"""Move an index into an archive and out of it, whatever keeps it: a folder or servers.

An import fills a generation beside the one in use, and switches to it at the end: until then nothing has changed.
Whoever makes an archive chooses both the text and the digest of an article, so imported articles are marked: the next
`clippings index` reads their files again, whatever the digest says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from index.archive import ARTICLES, EDITIONS, Archive, Writing
from index.embedding.embed import DIMENSIONS, MODEL_NAME, Embedder, Vectors
from index.embedding.weights import locate
from index.models import Article, ClippingsError, IndexDamaged
from index.reading.chunk import chunk
from index.reading.outlets import NOTE as OUTLETS
from index.storage.catalogue import REMOVED, WITHDRAWN, Catalogue, Edition
from index.storage.generation import FINGERPRINT, IMPORTING, Opened
from index.storage.home import Home
from index.storage.writer import BATCH_ARTICLES, Writer

_FOLLOWED = ("roots", "sources", "marks")  # the notes that say what is read again: files of this machine, addresses
_NOTES: dict[str, TypeAdapter[Any]] = {
    "roots": TypeAdapter(list[str]),
    "defaults": TypeAdapter(dict[str, dict[str, str]]),
    "sources": TypeAdapter(dict[str, str]),
    "marks": TypeAdapter(dict[str, list[str]]),
    OUTLETS: TypeAdapter(dict[str, str]),
}
_MAX_UNIT_ERROR = 1e-3

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Entry:
    article: Article
    digest: str
    vectors: Mapping[str, str] = field(default_factory=dict)  # by chunk, in base64


_ENTRY = TypeAdapter(_Entry)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. ``paths``, ``addresses``: what the archive says is to be read again."""

    articles: int
    replaced: int
    chunks_embedded: int
    paths: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def export_index(home: Home, archive: Writing, *, vectors: bool, progress: OnProgress) -> dict[str, object]:
    """Write the articles of one moment into an archive; returns what its manifest says of them.

    Of an article that is being changed the vectors may be left out. Raises IndexMissing, IndexDamaged.
    """
    name = home.current()
    if name is None:
        raise home.missing()
    opened = home.open(name) if vectors else None
    catalogue = opened.catalogue if opened else home.open_catalogue(name)
    with closing(opened or catalogue), catalogue.snapshot():
        if (fingerprint := catalogue.get("fingerprint")) != FINGERPRINT:
            raise IndexDamaged("The index was built by another version. Run `clippings index` to rebuild it.")
        count = archive.lines(ARTICLES, _entries(catalogue, opened, progress))
        editions = catalogue.editions().items()
        archive.lines(EDITIONS, (json.dumps([name, *edition]).encode() for name, edition in editions))
        notes = {key: json.loads(note) for key in _NOTES if (note := catalogue.get(key))}
        indexed_at = catalogue.get("indexed_at")
    model = MODEL_NAME if vectors else None
    return {"fingerprint": fingerprint, "articles": count, "indexed_at": indexed_at, "vectors": model, "notes": notes}


def _entries(catalogue: Catalogue, opened: Opened | None, progress: OnProgress) -> Iterator[bytes]:
    names = [name for name, _ in catalogue.paths()]
    for done, name in enumerate(names, 1):
        article, known = catalogue.article(name), catalogue.known(name)
        if not article or not known:
            raise IndexDamaged(f"The article {name!r} is gone from the index. Rebuild it: `clippings index`.")
        vectors = dict[str, Vectors]()
        if opened:
            with suppress(IndexDamaged):  # a search may meet a write (chroma 1.5.9)
                vectors = opened.store.vectors(catalogue.chunk_ids(name))
        encoded = {name: base64.b64encode(vector.astype("<f4").tobytes()).decode() for name, vector in vectors.items()}
        yield _ENTRY.dump_json(_Entry(article, known[0], encoded))
        progress(done, len(names))


def import_index(  # most are options of a command
    home: Home,
    archive: Archive,
    *,
    model_dir: Path | None,
    replace: bool,
    follow: bool,
    progress: OnProgress,
) -> Imported:
    """Make the index that of an archive, all at once. Articles without vectors are embedded.

    ``replace``: also if there are articles in it, which are gone then. ``follow``: also take over which files, folders
    and addresses are read again. Raises ClippingsError, IndexLocked, WeightsError; nothing has changed then.
    """
    with home.locked():
        before = _count(home, is_replaced=replace)
        if before and not replace:
            raise ClippingsError(
                f"{home} holds {before} article{'' if before == 1 else 's'}, so nothing was imported. "
                "`clippings import --replace` puts the archive in their place."
            )
        notes = _notes(archive)
        embedder = Embedder(locate(model_dir))
        generation = home.open_beside()
        with closing(generation):
            catalogue = generation.catalogue
            catalogue.set("fingerprint", IMPORTING)
            with closing(Writer(generation, embedder)) as writer:
                _write(writer, archive, progress)
            for key, note in notes.items():
                if follow or key not in _FOLLOWED:
                    catalogue.set(key, note)
            catalogue.set("fingerprint", FINGERPRINT)
            count = catalogue.counts()[0]
            home.make_current(generation)
        home.finish(generation)
    paths, addresses = (json.loads(notes.get(key) or "[]") for key in ("roots", "sources"))
    return Imported(count, before, writer.chunks_embedded, tuple(map(str, paths)), tuple(map(str, addresses)))


def _count(home: Home, *, is_replaced: bool) -> int:
    """The number of articles; 0 also of a damaged index that is to be replaced."""
    if (name := home.current()) is None:
        return 0
    try:
        with closing(home.open_catalogue(name)) as catalogue:
            return catalogue.counts()[0]
    except IndexDamaged:
        if is_replaced:
            return 0
        raise


def _write(writer: Writer, archive: Archive, progress: OnProgress) -> None:
    done, total = 0, archive.count(ARTICLES)
    lines = archive.lines(ARTICLES)
    while entries := [_entry(line, archive) for line in islice(lines, BATCH_ARTICLES)]:
        writer.vectors = {}
        if archive.manifest.get("vectors") == MODEL_NAME:
            writer.vectors = dict(chain.from_iterable(map(_vectors, entries)))
        writer.generation.catalogue.mark_imported(entry.article.id for entry in entries)
        writer.write([(entry.article, chunk(entry.article), entry.digest) for entry in entries])
        done += len(entries)
        progress(done - writer.waiting, total)
    writer.embed_all(lambda: progress(done - writer.waiting, total))
    with writer.generation.catalogue.transaction():
        for line in archive.lines(EDITIONS):
            writer.generation.catalogue.set_edition(*_edition(line, archive))


def _entry(line: bytes, archive: Archive) -> _Entry:
    try:
        entry = _ENTRY.validate_json(line)
    except ValidationError as error:
        raise archive.damaged(f"a line of {ARTICLES} is no article ({error.errors()[0]['msg']})") from None
    texts = (*astuple(entry.article.source), entry.article.body, entry.digest, *chain(*entry.article.boilerplate))
    if not entry.article.id or any("\0" in text for text in texts if isinstance(text, str)):
        raise archive.damaged(f"a line of {ARTICLES} is no article (it has no id, or NUL characters)")
    return entry


def _edition(line: bytes, archive: Archive) -> tuple[str, Edition]:
    try:
        name, revision, state = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        name = revision = state = None
    if not all(isinstance(text, str) and "\0" not in text for text in (name, revision)) or state not in {
        "", WITHDRAWN, REMOVED
    }:  # fmt: skip
        raise archive.damaged(f"a line of {EDITIONS} is no version of a story")
    return name, Edition(revision, state)


def _vectors(entry: _Entry) -> Iterator[tuple[str, Vectors]]:
    """The vectors that are ones; the chunks of others are embedded."""
    for name, encoded in entry.vectors.items():
        with suppress(ValueError):
            vector = np.frombuffer(base64.b64decode(encoded, validate=True), dtype="<f4")
            if vector.size == DIMENSIONS and abs(float(np.linalg.norm(vector)) - 1) < _MAX_UNIT_ERROR:
                yield name, vector


def _notes(archive: Archive) -> dict[str, str]:
    """The notes of the catalogue, if they are of the form that it has them in."""
    stored, indexed_at = archive.manifest.get("notes"), archive.manifest.get("indexed_at")
    try:
        known = {key: stored[key] for key in _NOTES if key in stored} if isinstance(stored, dict) else {}
        notes = {key: json.dumps(_NOTES[key].validate_python(note, strict=True)) for key, note in known.items()}
        read = datetime.fromisoformat(indexed_at) if indexed_at else datetime.now(UTC)
    except (ValueError, TypeError):
        raise archive.damaged("its manifest has notes that cannot be read") from None
    return notes | {"indexed_at": read.isoformat(timespec="seconds")}
