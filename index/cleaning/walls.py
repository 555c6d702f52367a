"""Pages that hold something else than an article: paywalls, cookie walls, tests for robots."""

from __future__ import annotations

import re

FETCHED = "fetched"
"""The field of a record that came from a page of the web."""

_MAX_TEASER_CHARACTERS = 1_500  # an article has more, and then the words are part of it, or stand below it
_MAX_NOTICE_CHARACTERS = 600
_MAX_PAGE_CHARACTERS = 2_000_000
_PAYWALL = re.compile(
    r"subscribe(?:rs)? (?:now )?to (?:continue|keep|read)|to (?:continue|keep) reading|(?:for|to) subscribers only"
    r"|already a subscriber|this (?:article|content|story) is (?:reserved )?for (?:our )?(?:subscribers|members)"
    r"|unlock this (?:article|story)|(?:create|register for) (?:a|your) free account|sign in to (?:continue|read)"
    r"|mit (?:einem )?abo weiterlesen|réservé aux abonnés|exclusivo para suscriptores",
    re.IGNORECASE,
)
_COOKIES = re.compile(
    r"accept (?:all )?cookies|(?:we|our partners) (?:use|store) cookies|we value your privacy|cookie consent"
    r"|consent to (?:the use of )?cookies|alle cookies akzeptieren|accepter les cookies",
    re.IGNORECASE,
)
_ROBOT_TEST = re.compile(
    r"verify (?:that )?you are (?:a )?human|are you a robot|enable javascript and cookies|checking your browser"
    r"|just a moment|unusual (?:traffic|activity)",
    re.IGNORECASE,
)
_LISTING = re.compile(r"\s*(?:Index of|Directory listing (?:for|of)) /", re.IGNORECASE)
_NOT_FREE = re.compile(r"\"isAccessibleForFree\"\s*:\s*\"?false", re.IGNORECASE)


def is_listing(title: str) -> bool:
    """Whether the title of a page is that of a folder on a web server: "Index of /news/"."""
    return bool(_LISTING.match(title))


def wall(page: str, text: str) -> str:
    """Why the text that was found on a page is no article; "" if it is."""
    page = page[:_MAX_PAGE_CHARACTERS]
    if len(text) <= _MAX_TEASER_CHARACTERS and (_PAYWALL.search(text) or _NOT_FREE.search(page)):
        return "it is behind a paywall: only its beginning could be read"
    if len(text) <= _MAX_NOTICE_CHARACTERS and _COOKIES.search(text):
        return "it is behind a cookie wall: the page shows a question about cookies, and no article"
    if len(text) <= _MAX_NOTICE_CHARACTERS and _ROBOT_TEST.search(text):
        return "the site tests whether its reader is a person, and shows no article"
    return ""


def wall_without_text(page: str) -> str:
    """The same, for a page in which no text was found."""
    visible = re.sub(r"<[^<>]{0,2000}>", " ", page[:_MAX_PAGE_CHARACTERS])
    for pattern, why in (
        (_ROBOT_TEST, "the site tests whether its reader is a person, and shows no article"),
        (_COOKIES, "it is behind a cookie wall: the page shows a question about cookies, and no article"),
        (_PAYWALL, "it is behind a paywall: only its beginning could be read"),
    ):
        if pattern.search(visible):
            return why
    return ""
