"""The story of indexing: paths -> raw records -> articles -> chunks -> vectors and words, on disk."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import chain, islice
from pathlib import Path

from index.cleaning.clean import CLEANER_VERSION, DEFAULT_OUTLET, article_id, host_of
from index.cleaning.cleaner import Cleaner
from index.cleaning.folder_names import completed
from index.cleaning.published import DEFAULT_PUBLISHED
from index.embedding.embed import Embedder
from index.embedding.weights import locate
from index.formats.editions import DRAFT
from index.load import POINTS_OUTSIDE, STANDARD_INPUT, Reader, as_read, count, load, printable
from index.models import Article, Chunk, ClippingsError, Failure, IndexDamaged, RawRecord, Source, UnreadableError
from index.reading.chunk import chunk
from index.reading.outlets import NOTE, Outlets
from index.removal import remove_articles
from index.storage.catalogue import REMOVED, WITHDRAWN, Catalogue, Edition
from index.storage.home import Home, at
from index.storage.shard import Shard
from index.storage.writer import BATCH_ARTICLES, Digested, Writer

_NOTES = ("roots", "indexed_at", "defaults", "sources", "marks", NOTE)  # that a rebuilt catalogue takes over


@dataclass(frozen=True, slots=True)
class Choices:
    """What a run of indexing may be asked beside its paths.

    ``restore``: also read again what `clippings remove` removed. ``outlet``, ``published``: of the articles that name
    none; they are kept for the folders of this run. ``standard_input``: a file with what stood there. ``addresses``: of
    pages, feeds and sitemaps; they are remembered if they ``are_sources``. ``web_hosts``: names of hosts that may lie
    inside the network. ``shard``: index only this share of the articles.
    """

    restore: bool = False
    outlet: str = ""
    published: date | None = None
    standard_input: Path | None = None
    addresses: tuple[str, ...] = ()
    are_sources: bool = False
    web_hosts: frozenset[str] = frozenset()
    shard: Shard | None = None

    @property
    def defaults(self) -> dict[str, str]:
        """The fields that articles get which do not have them."""
        stated = {DEFAULT_OUTLET: self.outlet, DEFAULT_PUBLISHED: str(self.published or "")}
        return {name: value for name, value in stated.items() if value}


@dataclass(frozen=True, slots=True)
class Report:
    """What a run of indexing did.

    ``gone``: articles still indexed, though the file or record no longer exists. ``unreached``: articles of an earlier
    run whose file or folder could not be read in this one; they stay. ``skipped``: files in folders that are of no kind
    that is read, by their ending. ``withdrawn``: stories that their sender has withdrawn, and that are not indexed any
    more. ``embargoed``: stories that must not be used yet. ``superseded``: older versions of stories. ``kept_out``:
    articles that `clippings remove` removed. ``drafts``: posts that are not published. ``other_shards``: articles that
    belong to other shards.
    """

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
    unreached: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    withdrawn: int = 0
    embargoed: int = 0
    superseded: int = 0
    kept_out: int = 0
    drafts: int = 0
    other_shards: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to read, and nothing to remove."""
        left_out = (
            self.withdrawn, self.embargoed, self.superseded, self.kept_out, self.drafts, self.other_shards,
        )  # fmt: skip
        counts = (self.added, self.changed, self.unchanged, self.removed, self.gone, len(self.failed), self.unreached)
        return not any((*counts, *left_out))


def ingest(  # noqa: PLR0913  # most are options of a command, with a default
    place: Path | Home,
    paths: Sequence[Path],
    *,
    model_dir: Path | None = None,
    prune: bool = False,
    force: bool = False,
    choices: Choices | None = None,
    progress: Callable[[int, int], None],
) -> Report:
    """Bring an index up to date with files and folders; without any, with those of the last run.

    ``prune`` removes the articles whose files are gone, also those of a file or folder of ``paths`` that is gone
    itself, but not if what holds the folder is gone too: a disk may not be mounted; nor those behind a link that is
    not followed any more. ``force`` removes these too. What lies behind something that cannot be read stays.
    Calls ``progress`` with the number of articles that are done, and about how many there are. Raises IndexLocked if
    another process is writing, WeightsError, IndexDamaged; what is wrong with a single article is in the report.
    """
    started, rebuilt, choices = time.perf_counter(), "", choices or Choices()
    home = at(place)
    with home.locked(choices.shard):
        embedder = Embedder(locate(model_dir))
        generation, old = home.open_for_writing()
        with (
            closing(generation),
            closing(Cleaner()) as cleaner,
            closing(_Run(generation, embedder, choices.shard, cleaner=cleaner, restore=choices.restore)) as run,
        ):
            if home.is_alone():
                run.repair()
            home.let_others()
            if old:
                rebuilt = old.reason
                with closing(old):
                    run.copy(old.catalogue, progress)
            roots = list(paths)
            if not roots and not choices.standard_input and not choices.addresses:
                roots = [Path(root) for root in json.loads(generation.catalogue.get("roots") or "[]")]
            if not (roots or choices.standard_input or choices.addresses):
                raise ClippingsError(
                    f"{old.reason}, and with it the list of your folders. Name them, as in `clippings index articles`."
                    if old and old.is_damaged
                    else "Nothing to index: name a file or a folder, as in `clippings index articles`."
                )
            if old:
                run.embed_all()
                if old.is_damaged or run.lost:
                    rebuilt += f"; what could be read was kept, and the damaged files are now in {home.set_aside(old)}"
                home.make_current(generation)
            missing = {as_read(root) for root in roots if prune and run.is_gone(root, force=force)}
            run.imported = set(generation.catalogue.imported())
            run.outlets = Outlets(json.loads(generation.catalogue.get(NOTE) or "{}"))
            run.roots = {str(as_read(root)) for root in roots}
            run.note_defaults(roots, choices.defaults)
            present = [root for root in roots if as_read(root) not in missing]
            total, done = count(present), 0
            kept = str(home.scans or "")
            files = filter(run.is_mine, load(present, skipped := Counter[str](), choices.standard_input, kept))
            records = chain(cleaner.ahead(files, run.completed_if_new), run.from_web(choices))
            while batch := list(islice(records, BATCH_ARTICLES)):
                run.write(run.changed_articles(batch))
                run.confirm()
                done += len(batch)
                progress(max(done - run.waiting, 0), total)
            run.embed_all(lambda: progress(done - run.waiting, total))
            run.handle_gone(roots, missing, prune=prune, force=force)
            run.report_lost()
            if choices.shard:
                if home.is_alone():
                    run.repair()
                home.let_others(ended=True)
            run.note_read(roots, missing)
        home.finish(generation)
    counts = Counter(run.outcomes.values())
    return Report(
        counts["added"], counts["changed"], counts["unchanged"], run.removed, run.gone, tuple(run.failed),
        run.chunks_embedded, time.perf_counter() - started, embedder.seconds, rebuilt or None, run.unreached, skipped,
        run.withdrawn, run.embargoed, run.superseded, run.kept_out, run.drafts, run.other_shards,
    )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Run(Writer):
    """The writing side of an index, and the counts of its report."""

    cleaner: Cleaner
    restore: bool = False
    gone: int = 0
    unreached: int = 0
    withdrawn: int = 0
    embargoed: int = 0
    superseded: int = 0
    kept_out: int = 0
    drafts: int = 0
    other_shards: int = 0
    outcomes: dict[str, str] = field(default_factory=dict)  # "added", "changed" or "unchanged", by id
    failed: list[Failure] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    lost: dict[str, str] = field(default_factory=dict)  # paths by id, of articles that could not be copied
    defaults: dict[str, dict[str, str]] = field(default_factory=dict)  # fields by root, for articles without them
    roots: set[str] = field(default_factory=set)
    has_read_web: bool = False  # an address at least, if only to hear that nothing is new
    outlets: Outlets = field(default_factory=lambda: Outlets({}))
    imported: set[str] = field(default_factory=set)  # ids of articles that come from an archive, not yet from a file
    read_alone: set[str] = field(default_factory=set)  # files that are a single article, kept while some are imported
    confirmed: list[str] = field(default_factory=list)  # those of them that the next write has from their files

    def is_mine(self, record: RawRecord | Failure) -> bool:
        """Whether a record belongs to the shard of this run."""
        if not self.shard or self.shard.holds(record.path if isinstance(record, Failure) else article_id(record)):
            return True
        self.other_shards += isinstance(record, RawRecord)
        return False

    def copy(self, old: Catalogue | None, progress: Callable[[int, int], None]) -> None:
        """Index the articles of an old generation again, from its own copy of them, where that is not damaged."""
        if not old:
            return
        try:
            paths, notes = dict(old.paths()), {key: old.get(key) or "" for key in _NOTES}
        except IndexDamaged:
            return
        identities = list(paths)
        for start in range(0, len(identities), BATCH_ARTICLES):
            batch: list[Digested] = []
            for identity in identities[start : start + BATCH_ARTICLES]:
                try:
                    article, known = old.article(identity), old.known(identity)
                except IndexDamaged:
                    self.lost[identity] = paths[identity]
                    continue
                if article and known and self.generation.catalogue.known(identity) != known:
                    batch.append((article, chunk(article), known[0]))
            self.write(batch)
            progress(start + len(batch), len(identities))
        for key, note in notes.items():
            self.generation.catalogue.set(key, note)
        with suppress(IndexDamaged):
            self.generation.catalogue.mark_imported(old.imported())
            for identity, edition in old.editions().items():
                self.generation.catalogue.set_edition(identity, edition)

    def is_gone(self, root: Path, *, force: bool) -> bool:
        """Whether a root is gone, and what was read from it is to be removed."""
        if not _is_missing(root):
            return False
        path = as_read(root)
        known = any(Path(held).is_relative_to(path) for _, held in self.generation.catalogue.paths())
        return force or (known and _exists(path.parent))

    def note_defaults(self, roots: Sequence[Path], defaults: dict[str, str]) -> None:
        """Keep what the articles of these roots are to be given, for this run and for later ones."""
        self.defaults = json.loads(self.generation.catalogue.get("defaults") or "{}")
        if defaults:
            self.defaults |= {str(as_read(root)): defaults for root in roots}
            self.generation.catalogue.set("defaults", json.dumps(self.defaults))
            self.defaults |= dict.fromkeys((STANDARD_INPUT, "http:", "https:"), defaults)  # for this run

    def from_web(self, choices: Choices) -> Iterator[RawRecord | Failure]:
        """What is new at the addresses; sources that could be read are remembered."""
        if not choices.addresses:
            return
        from index.web.fetch import Client
        from index.web.read import Marks, WebReader

        catalogue, addresses = self.generation.catalogue, list(choices.addresses)
        stored = json.loads(catalogue.get("marks") or "{}") if choices.are_sources else {}
        marks = {url: Marks(*mark) for url, mark in stored.items()}
        failed = set[str]()
        with closing(Reader(Counter(), for_web=True)) as reader:
            web = WebReader(Client(choices.web_hosts), reader, self.is_current, marks)
            for item in chain.from_iterable(web.read(url, is_source=choices.are_sources) for url in addresses):
                if isinstance(item, Failure):
                    failed.add(item.path)
                yield item
        self.has_read_web = not failed.issuperset(map(printable, addresses))
        if choices.are_sources:
            known, now = json.loads(catalogue.get("sources") or "{}"), datetime.now(UTC).isoformat(timespec="seconds")
            read = {url: now for url in addresses if printable(url) not in failed or url in known}
            with catalogue.transaction():
                catalogue.set("marks", json.dumps(marks))
                catalogue.set("sources", json.dumps(known | read))

    def is_current(self, identity: str, revision: str) -> bool:
        """Whether an article was read, in this revision or a later one; it counts as unchanged."""
        edition = self.generation.catalogue.edition(identity)
        is_known = self.generation.catalogue.known(identity) is not None or bool(edition.state)
        is_current = is_known and edition.revision >= revision and not self._is_unconfirmed(identity)
        if is_current and not edition.state:
            self.outcomes.setdefault(identity, "unchanged")
        return is_current

    def completed_if_new(self, record: RawRecord) -> RawRecord | None:
        """A record as it will be read, unless it is indexed already. Called by a thread that reads ahead."""
        whole = completed(record, self.roots, self.defaults)
        known = self.generation.catalogue.known(identity := article_id(record))
        return None if known == (_digest(whole), whole.path) and identity not in self.imported else whole

    def confirm(self) -> None:
        """Note which imported articles are now as their files have them."""
        self.generation.catalogue.unmark_imported(self.confirmed)
        self.imported.difference_update(self.confirmed)
        self.confirmed.clear()

    def _is_unconfirmed(self, identity: str) -> bool:
        """Whether an article comes from an archive, and no record of this run has confirmed or replaced it."""
        return identity in self.imported and identity not in self.outcomes

    def note_read(self, roots: Sequence[Path], missing: Collection[Path]) -> None:
        """Note what was read, for the next run, and when, for `clippings status`; nothing that could not be read."""
        catalogue, failed = self.generation.catalogue, {failure.path for failure in self.failed}
        known = [root for root in json.loads(catalogue.get("roots") or "[]") if Path(root) not in missing]
        read = [str(path) for root in roots if _exists(root) and printable(str(path := as_read(root))) not in failed]
        with catalogue.transaction():
            catalogue.set("roots", json.dumps(list(dict.fromkeys([*known, *read]))))
            is_complete = bool(catalogue.get("indexed_at"))  # which the first run says in any case
            if read or self.seen or self.removed or self.has_read_web or not is_complete:
                catalogue.set("indexed_at", datetime.now(UTC).isoformat(timespec="seconds"))

    def report_lost(self) -> None:
        """Report the articles that could not be copied, and whose files are gone or were not read in this run."""
        for identity in self.lost.keys() - self.seen:
            reason = "the stored article was damaged, and its file was not read in this run; index that file again"
            self.failed.append(Failure(self.lost[identity], reason))

    def changed_articles(self, batch: Sequence[RawRecord | Failure]) -> list[Digested]:
        """Clean the records that are new or changed; count the others. Of the versions of a story the latest counts."""
        articles: dict[str, Digested] = {}
        for record in batch:
            if isinstance(record, Failure):
                self.failed.append(record)
                continue
            identity, record = article_id(record), completed(record, self.roots, self.defaults)  # noqa: PLW2901  # the same, completed
            if not self._is_in_use(identity, record):
                if self.editions.get(identity, Edition()).state:
                    articles.pop(identity, None)
            elif article := self._clean_if_changed(identity, record):
                articles[identity] = article
        return self._with_outlets(articles)

    def _with_outlets(self, articles: dict[str, Digested]) -> list[Digested]:
        """Give each outlet one name, also in indexed articles that have another one."""
        catalogue = self.generation.catalogue
        if self.outlets.is_changed:
            for source in catalogue.sources():
                if self._outlet(source) == source.outlet or source.id in articles:
                    continue
                stored, known = catalogue.article(source.id), catalogue.known(source.id)
                if stored and known:
                    articles[source.id] = (stored, chunk(stored), known[0])
            known = json.loads(catalogue.get(NOTE) or "{}")  # another shard may have added to it
            catalogue.set(NOTE, json.dumps(known | self.outlets.aliases))
            self.outlets.is_changed = False
        return [self._with_outlet(*digested) for digested in articles.values()]

    def _outlet(self, source: Source) -> str | None:
        return source.outlet and self.outlets.name(source.outlet, host_of(source.url or "") or "")

    def _with_outlet(self, article: Article, chunks: list[Chunk], digest: str) -> Digested:
        if (name := self._outlet(article.source)) == article.source.outlet:
            return article, chunks, digest
        article = replace(article, source=replace(article.source, outlet=name))
        return article, chunk(article), digest

    def _is_in_use(self, identity: str, record: RawRecord) -> bool:
        """Whether a version of a story is the latest, and may be indexed now; what keeps it out is counted."""
        catalogue = self.generation.catalogue
        edition = self.editions.get(identity) or catalogue.edition(identity)
        if self._is_unconfirmed(identity) and (known := catalogue.known(identity)) and known[1] == record.path:
            edition = Edition()  # what the archive says of the version in this very file
        if self.imported and not record.key:
            self.read_alone.add(record.path)
        is_older = record.revision < edition.revision
        if not is_older:  # else what is indexed was not seen: its file may be gone
            self.seen.add(identity)
        if edition.state == REMOVED and not self.restore:
            self.kept_out += 1
        elif is_older or (edition.state == WITHDRAWN and record.revision == edition.revision and not record.withdrawn):
            self.superseded += 1
        elif record.kind == DRAFT and not (identity in self.outcomes or catalogue.known(identity)):
            self.drafts += 1  # nothing is noted that would keep it out when it is published
        elif record.withdrawn:
            self.drafts += record.kind == DRAFT
            self.withdrawn += record.kind != DRAFT
            self.outcomes.pop(identity, None)
            self.editions[identity] = Edition(record.revision, WITHDRAWN)
        elif record.embargo and record.embargo > datetime.now(UTC):
            self.embargoed += 1
        else:
            return True
        return False

    def _clean_if_changed(self, identity: str, record: RawRecord) -> Digested | None:
        catalogue, digest = self.generation.catalogue, _digest(record)
        known, is_imported = catalogue.known(identity), identity in self.imported
        is_later = record.revision > catalogue.edition(identity).revision or self._is_unconfirmed(identity)
        if known and known[1] != record.path and not is_later and _exists(Path(known[1])):
            self.failed.append(record.failure(f"duplicate id {identity!r}: indexed already from {known[1]}"))
            return None
        if known == (digest, record.path) and not is_imported:
            self.outcomes.setdefault(identity, "unchanged")
            return None
        try:
            article, chunks = self.cleaner.read(record)
        except UnreadableError as error:
            if record.instead:
                return self._clean_if_changed(identity, completed(record.instead, self.roots, self.defaults))
            self.failed.append(record.failure(str(error)))
            return None
        if record.kind == "html" and article.source.outlet:
            self.outlets.note(article.source.outlet, host_of(article.source.url or "") or "")
        if record.revision or any(catalogue.edition(identity)):
            self.editions[identity] = Edition(record.revision)
        if is_imported:
            self.confirmed.append(identity)
        is_same = is_imported and self._is_stored(article)
        if self.outcomes.get(identity) != "added":  # else a later version of what this run has added
            self.outcomes[identity] = "unchanged" if is_same else "changed" if known else "added"
        return article, chunks, digest

    def _is_stored(self, article: Article) -> bool:
        """Whether the index holds an article as it is, but for the name of its outlet."""
        with suppress(IndexDamaged):
            return self.generation.catalogue.article(article.id) == self._with_outlet(article, [], "")[0]
        return False

    def handle_gone(self, roots: Sequence[Path], missing: Collection[Path], *, prune: bool, force: bool) -> None:
        """Count, or with ``prune`` remove, the articles that these roots no longer hold; count the unreached ones.

        The roots ``missing`` hold nothing; others that cannot be found are not read. What an archive says to be in a
        file that is another article is removed in any case.
        """
        catalogue = self.generation.catalogue
        read = [*missing, *(as_read(root) for root in roots if _exists(root))]
        failed = {item.path for item in self.failed if not (force and item.reason.startswith(POINTS_OUTSIDE))}
        mine = [(name, path) for name, path in catalogue.paths() if not self.shard or self.shard.holds(name)]
        unseen = [(name, path) for name, path in mine if name not in self.seen]
        unreached = {
            name
            for name, path in unseen
            if not failed.isdisjoint(map(printable, map(str, (path, *Path(path).parents))))
        }
        self.unreached = len(unreached)
        gone = [
            name
            for name, path in unseen
            if name not in unreached and any(Path(path).is_relative_to(root) for root in read)
        ]
        held = dict(unseen)
        removed = gone if prune else [name for name in gone if name in self.imported and held[name] in self.read_alone]
        self.gone = len(gone) - len(removed)
        if removed:
            remove_articles(self.generation, removed)
            self.removed += len(removed)


def _digest(record: RawRecord) -> str:
    content = json.dumps([record.kind, record.text, dict(record.fields), CLEANER_VERSION], sort_keys=True, default=str)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _is_missing(root: Path) -> bool:
    try:
        root.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass  # it may be there
    return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that this user may not look into
        return False
