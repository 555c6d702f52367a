"""Addresses of articles."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_[ce]id|cmpid|ref_src|CMP|ns_\w+")


def canonical(url: str) -> str:
    """An address without what does not lead to another page: fragment, tracking, the case of its host."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url.strip()
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0])]
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path or "/", urlencode(query), ""))


def url_key(url: str) -> str:
    """The id of an article that is known by its address: ``"ferry-late-again-0123456789ab"``."""
    url = canonical(url)
    words = re.sub(r"\.\w{1,5}$", "", url.partition("?")[0].rstrip("/").rpartition("/")[2])
    slug = re.sub(r"[\W_]+", "-", words).strip("-")[:60].lower() or "article"
    return f"{slug}-{hashlib.sha256(url.partition('://')[2].encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
