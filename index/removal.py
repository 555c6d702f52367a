"""Remove articles from an index, and keep them out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

from index.catalogue import REMOVED, Edition
from index.generation import Opened
from index.home import Home, at
from index.load import as_read
from index.models import ClippingsError, Source
from index.text import fold


def remove(place: Path | Home, words: Sequence[str], older_than: date | None = None) -> list[Source]:
    """Remove the articles that words name, and those published before a day; a later run leaves them out.

    A word is an id, a file or folder, an outlet, or the beginning of an id. Raises ClippingsError, and removes nothing,
    if a word names no article, or may be the beginning of several ids.
    """
    home = at(place)
    with home.locked():
        if home.current() is None:
            raise home.missing()
        generation, old = home.open_for_writing()
        with closing(generation):
            if old:
                old.close()
                raise ClippingsError(f"{old.reason}. Rebuild the index first: `clippings index`.")
            sources, outlets = generation.catalogue.sources(), generation.catalogue.outlet_names()
            chosen = {source.id: source for word in words for source in _meant(word, sources, outlets)}
            if older_than:
                chosen |= {
                    source.id: source for source in sources if source.published and source.published < older_than
                }
            remove_articles(generation, list(chosen), keep_out=True)
        home.finish(generation)
    return list(chosen.values())


def remove_articles(generation: Opened, identities: Sequence[str], *, keep_out: bool = False) -> None:
    """Remove articles and their vectors. Killed in between, the next run of indexing completes it."""
    catalogue = generation.catalogue
    surplus = [name for identity in identities for name in catalogue.chunk_ids(identity)]
    catalogue.set("dirty", "yes")
    with catalogue.transaction():
        for identity in identities:
            catalogue.remove(identity)
            if keep_out:
                catalogue.set_edition(identity, Edition(catalogue.edition(identity).revision, REMOVED))
    generation.store.delete(surplus)
    catalogue.set("dirty", "")


def _meant(word: str, sources: Sequence[Source], outlets: Mapping[str, str]) -> list[Source]:
    path = as_read(Path(word)) if word else Path()
    ways = (
        [source for source in sources if source.id == word],
        [source for source in sources if source.path and word and Path(source.path).is_relative_to(path)],
        [source for source in sources if word in (source.path, source.url)],
        [source for source in sources if source.outlet and source.outlet == outlets.get(fold(word))],
    )
    if meant := next(filter(None, ways), []):
        return meant
    meant = [source for source in sources if word and source.id.startswith(word)]
    if len(meant) > 1:
        shown = ", ".join(source.id for source in meant[:10])
        raise ClippingsError(f"{word} may mean {len(meant)} articles. Choose from: {shown}. None was removed.")
    if not meant:
        raise ClippingsError(f"No article has the id, file, folder, address or outlet {word!r}. None was removed.")
    return meant
