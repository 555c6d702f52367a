"""One name an outlet: the pages of a site name it in several ways ("mdr.de", "MDR"), and their first good name counts.

The other names, and the host, are aliases, by which filters find the outlet too.
"""

from __future__ import annotations

import re

from index.text import fold

NOTE = "outlets"
"""The note of the catalogue with the aliases, as JSON."""

_SITES_OF_OTHERS = frozenset(
    "web.archive.org archive.org archive.ph archive.is archive.today webcache.googleusercontent.com".split()
)
_HOST = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[a-z]{2,12}/?", re.IGNORECASE)
_FRONTS = ("www.", "m.", "amp.", "mobile.")


class Outlets:
    """The name of each outlet by its folded aliases. ``is_changed``: since it was made, or this was set to False."""

    def __init__(self, aliases: dict[str, str]) -> None:
        self.aliases, self.is_changed = aliases, True

    def note(self, name: str, host: str) -> None:
        """Note what a page of a host calls its outlet; a name replaces an address as the name of the outlet."""
        site, key = _site(host), fold(name)
        if not site or site in _SITES_OF_OTHERS:
            return
        known = self.aliases.get(site)
        if known is None or (is_host(known) and not is_host(name)):
            # An outlet with this name may be known by another site, or in other letters.
            best = next((other for other in self.aliases.values() if fold(other) == key), name)
            same = [alias for alias, other in self.aliases.items() if other == known]
            self.aliases |= dict.fromkeys([*same, site, key], best)
            self.is_changed = True
        elif key not in self.aliases:
            self.aliases[key] = known
            self.is_changed = True

    def name(self, outlet: str, host: str) -> str:
        """The one name of an outlet, if it is an alias of the site of its article, or an address."""
        named = self.aliases.get(fold(outlet), outlet)
        return named if is_host(outlet) or named == self.aliases.get(_site(host)) else outlet


def is_host(name: str) -> bool:
    """Whether a name is an address: "mdr.de"."""
    return bool(_HOST.fullmatch(name))


def _site(host: str) -> str:
    """``"www.mdr.de" -> "mdr.de"``."""
    return next((host.removeprefix(front) for front in _FRONTS if host.startswith(front)), host).lower()
