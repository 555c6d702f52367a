"""Remove articles from an index, and keep them out of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

from index.meant import MIN_ID_CHARACTERS, listed, meant
from index.models import ClippingsError, Source
from index.storage.catalogue import REMOVED, Edition
from index.storage.generation import Opened
from index.storage.home import Home, at


def remove(place: Path | Home, words: Sequence[str], older_than: date | None = None) -> list[Source]:
    """Remove the articles that words name, and those published before a day; a later run leaves them out.

    Words mean what they mean to :func:`meant`, but the beginning of an id must have MIN_ID_CHARACTERS. Raises
    ClippingsError, and removes nothing, if a word names no article, or may mean several.
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
            chosen = dict[str, Source]()
            for word in words:
                if not (articles := meant(word, sources, outlets, min_id_characters=MIN_ID_CHARACTERS)):
                    raise _no_article(word, [source.id for source in sources])
                chosen |= {source.id: source for source in articles}
            if older_than:
                chosen |= {
                    source.id: source for source in sources if source.published and source.published < older_than
                }
            remove_articles(generation, list(chosen), keep_out=True)
        home.finish(generation)
    return list(chosen.values())


def _no_article(word: str, identities: Sequence[str]) -> ClippingsError:
    why = f"No article has the id, file, folder, address, outlet or headline {word!r}."
    if word and (begun := [identity for identity in identities if identity.startswith(word)]):
        why += f" To remove by the beginning of an id, give {MIN_ID_CHARACTERS} characters of it: {listed(begun)}."
    return ClippingsError(f"{why} None was removed.")


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
