"""The story of indexing: paths -> raw records -> articles -> chunks -> vectors and words, on disk.

Each article changes in three steps: its new vectors are written, the catalogue's transaction makes it so, the
vectors that nobody names any more go. Killed before the second step the old state stands, after it the new one;
`dirty` in the catalogue tells the next run to look for vectors left over.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from index.catalogue import Catalogue
from index.chunk import chunk
from index.clean import CLEANER_VERSION, article_id, clean
from index.embed import Embedder
from index.generation import FINGERPRINT, Generation, locked, make_current, open_for_writing
from index.load import count, load, printable
from index.models import Article, Chunk, ClippingsError, Failure, RawRecord, UnreadableError
from index.store import VectorStore
from index.weights import locate

_WINDOW = 64  # articles that are embedded and written together: memory stays flat, and length-sorting has a choice


@dataclass(frozen=True, slots=True)
class Report:
    """What a run of indexing did. ``gone``: indexed, and no longer where it was read from."""

    added: int
    changed: int
    unchanged: int
    removed: int
    gone: int
    failed: tuple[Failure, ...]
    chunks_embedded: int
    seconds: float
    embed_seconds: float
    rebuilt: str | None = None


@dataclass(slots=True)
class _Tally:
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    gone: int = 0
    embedded: int = 0
    failed: list[Failure] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


def ingest(
    data: Path,
    paths: Sequence[Path],
    *,
    model_dir: Path | None = None,
    prune: bool = False,
    progress: Callable[[int, int], None],
) -> Report:
    """Bring the index of a data folder up to date with files and folders; without any, with those of last time.

    ``progress`` is told how many articles of about how many are done. Raises IndexLocked where another process
    is writing, WeightsError, IndexDamaged; what is wrong with one article is in the report.
    """
    started, tally, rebuilt = time.perf_counter(), _Tally(), None
    with locked(data):
        embedder = Embedder(locate(model_dir))
        generation, old = open_for_writing(data)
        with closing(generation):
            _repair(generation, embedder, tally)
            if old:
                rebuilt = f"the model or the chunking changed ({old.catalogue.get('fingerprint')} to {FINGERPRINT})"
                with closing(old):
                    _carry_over(old, generation, embedder, tally, progress)
                make_current(data, generation.folder)
            roots = _roots(generation.catalogue, paths)
            total = count(roots)
            _index(generation, embedder, load(roots), tally, lambda done: progress(done, total))
            _remove_gone(generation, roots, tally, prune=prune)
            _note(generation.catalogue, roots)
    seconds = time.perf_counter() - started
    return Report(
        tally.added, tally.changed, tally.unchanged, tally.removed, tally.gone, tuple(tally.failed),
        tally.embedded, seconds, embedder.seconds, rebuilt,
    )  # fmt: skip


def _roots(catalogue: Catalogue, paths: Sequence[Path]) -> list[Path]:
    """What to read: what was named, or what was read last time."""
    if paths:
        return list(paths)
    known = [Path(root) for root in json.loads(catalogue.get("roots") or "[]")]
    if not known:
        raise ClippingsError("Nothing to index: name a file or a folder, as in `clippings index articles`.")
    return known


def _carry_over(
    old: Generation, new: Generation, embedder: Embedder, tally: _Tally, progress: Callable[[int, int], None]
) -> None:
    """Index again what the old generation holds, from its own copy of the articles."""
    identities = [identity for identity, _ in old.catalogue.paths()]
    for start in range(0, len(identities), _WINDOW):
        window = []
        for identity in identities[start : start + _WINDOW]:
            article, known = old.catalogue.article(identity), old.catalogue.known(identity)
            if article and known and new.catalogue.known(identity) != known:
                window.append((article, known[0]))
        _write(new, embedder, window, tally)
        progress(start + len(window), len(identities))
    for key in ("roots", "indexed_at"):
        new.catalogue.set(key, old.catalogue.get(key) or "")


def _index(
    generation: Generation,
    embedder: Embedder,
    found: Iterator[RawRecord | Failure],
    tally: _Tally,
    progress: Callable[[int], None],
) -> None:
    done = 0
    while batch := list(islice(found, _WINDOW)):
        changed = [entry for item in batch if (entry := _changed(item, generation.catalogue, tally))]
        _write(generation, embedder, changed, tally)
        done += len(batch)
        progress(done)


def _changed(item: RawRecord | Failure, catalogue: Catalogue, tally: _Tally) -> tuple[Article, str] | None:
    """The article and its digest, where it is not indexed as it is."""
    if isinstance(item, Failure):
        tally.failed.append(item)
        return None
    identity, digest = article_id(item), _digest(item)
    known = catalogue.known(identity)
    if known and known[1] != item.path and _exists(Path(known[1])):
        tally.failed.append(Failure(item.path, f"duplicate id {identity!r}: indexed already from {known[1]}"))
        return None
    tally.seen.add(identity)
    if known == (digest, item.path):
        tally.unchanged += 1
        return None
    try:
        article = clean(item)
    except UnreadableError as error:
        tally.failed.append(Failure(item.path, str(error)))
        return None
    if known:
        tally.changed += 1
    else:
        tally.added += 1
    return article, digest


def _digest(record: RawRecord) -> str:
    said = json.dumps([record.kind, record.text, dict(record.fields), CLEANER_VERSION], sort_keys=True, default=str)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _write(generation: Generation, embedder: Embedder, articles: Sequence[tuple[Article, str]], tally: _Tally) -> None:
    """Make the index hold these articles as they are now."""
    if not articles:
        return
    catalogue, store = generation.catalogue, generation.store
    chunks = {article.id: chunk(article) for article, _ in articles}
    before = {name for article, _ in articles for name in catalogue.chunk_ids(article.id)}
    after = {piece.id for pieces in chunks.values() for piece in pieces}
    catalogue.set("dirty", "yes")
    _embed([piece for pieces in chunks.values() for piece in pieces if piece.id not in before], store, embedder, tally)
    with catalogue.transaction():
        for article, digest in articles:
            catalogue.put(article, digest, chunks[article.id])
    store.delete(sorted(before - after))
    catalogue.set("dirty", "")


def _embed(chunks: Sequence[Chunk], store: VectorStore, embedder: Embedder, tally: _Tally) -> None:
    if chunks:
        store.upsert([piece.id for piece in chunks], embedder.passages([piece.embedded for piece in chunks]))
        tally.embedded += len(chunks)


def _repair(generation: Generation, embedder: Embedder, tally: _Tally) -> None:
    """Make the vectors those that the catalogue names, after a run that did not end."""
    catalogue, store = generation.catalogue, generation.store
    if not catalogue.get("dirty") and store.count() == catalogue.counts()[1]:
        return
    catalogue.set("dirty", "yes")
    there, wanted = set(store.ids()), set(catalogue.all_chunk_ids())
    store.delete(sorted(there - wanted))
    missing = wanted - there
    for identity in sorted({owner for name in missing if (owner := catalogue.article_of(name))}):
        article = catalogue.article(identity)
        if article:
            _embed([piece for piece in chunk(article) if piece.id in missing], store, embedder, tally)
    catalogue.set("dirty", "")


def _remove_gone(generation: Generation, roots: Sequence[Path], tally: _Tally, *, prune: bool) -> None:
    """Find what was indexed from these roots and was not read now; remove it where that was asked for."""
    read = [_as_read(root) for root in roots if _exists(root)]
    failed = {failure.path for failure in tally.failed}
    gone = [
        identity
        for identity, path in generation.catalogue.paths()
        if identity not in tally.seen
        and failed.isdisjoint(map(printable, map(str, (path, *Path(path).parents))))
        and any(Path(path).is_relative_to(root) for root in read)
    ]
    tally.gone = len(gone)
    if not prune or not gone:
        return
    surplus = [name for identity in gone for name in generation.catalogue.chunk_ids(identity)]
    generation.catalogue.set("dirty", "yes")
    with generation.catalogue.transaction():
        for identity in gone:
            generation.catalogue.remove(identity)
    generation.store.delete(surplus)
    generation.catalogue.set("dirty", "")
    tally.removed, tally.gone = len(gone), 0


def _note(catalogue: Catalogue, roots: Sequence[Path]) -> None:
    """Note what was read and when, for the next run and for `clippings status`."""
    known = json.loads(catalogue.get("roots") or "[]")
    read = [str(_as_read(root)) for root in roots if _exists(root)]
    with catalogue.transaction():
        catalogue.set("roots", json.dumps(list(dict.fromkeys([*known, *read]))))
        catalogue.set("indexed_at", datetime.now(UTC).isoformat(timespec="seconds"))


def _as_read(root: Path) -> Path:
    """A root as it stands in the paths of what was read from it: a link keeps its name."""
    return root.resolve() if ".." in root.parts else root.absolute()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder on the way that this user may not look into
        return False
