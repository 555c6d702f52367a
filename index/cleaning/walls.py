"""Pages that hold something else than an article: paywalls, cookie walls, logins, tests for robots."""

from __future__ import annotations

import html
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
_CONSENT = re.compile(
    r"\b(?:we|nous|wir|wij|noi) (?:and|et|und|en|e) (?:i )?(?:our|nos|unsere|onze|nostri) (?:\d{1,5} )?part\w{1,8}"
    r"|(?:store|access) information on (?:a|your) device|legitimate interest|personali[sz]ed (?:ads|advertising)"
    r"|we value your privacy|we (?:will )?use cookies|click\w{0,3} [\"“]?(?:accept|agree|reject)|accept all|reject all"
    r"|(?:change|withdraw|manage) (?:your|privacy|cookie) (?:choices?|consent|settings|preferences)|your consent"
    r"|mit werbung und (?:cookies|tracking)|ihre (?:zustimmung|einwilligung)|\bpur-abo|werbetracking"
    r"|cookies akzeptieren|wir verwenden cookies|votre consentement|continuer sans accepter|tout accepter"
    r"|nuestros (?:\d{1,5} )?socios|su consentimiento|aceptar todo|il tuo consenso|accetta tutto|uw toestemming",
    re.IGNORECASE,
)
_TEST = re.compile(
    r"verify(?:ing)? (?:that )?you(?:'re|’re| are) (?:a )?human|(?:are you|you are not|you're not|i'm not) a robot"
    r"|security of your connection|javascript and cookies|just a moment|checking (?:your browser|if the site conn)"
    r"|unusual (?:traffic|activity) from your|click the box below|complet(?:e|ing) the (?:action|captcha|challenge)"
    r"|complet(?:e|ing) (?:the|a) security check|(?:reference|request|ray|incident) id\b|pardon our interruption"
    r"|attention required|you have been blocked|dass sie ein mensch sind|kein roboter|vous êtes (?:un )?humain"
    r"|no (?:soy|eres) un robot|non sono un robot",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"(?:please |(?:user|member|subscriber) )?(?:log|sign)[ -]?in(?: (?:to|or|with)\b.{0,60})?|anmelden|anmeldung"
    r"|einloggen|(?:se )?connecter|connexion|identifiez-vous|iniciar sesión|accedi|inloggen",
    re.IGNORECASE,
)
_TITLE = re.compile(r"<(title|h1)\b[^<>]{0,500}>([^<]{0,300})", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s[|–—·»:-]\s|[|:]")
_PASSWORD = re.compile(r"<input\b[^<>]{0,500}\btype\s?=\s?[\"']?password", re.IGNORECASE)
_OF_ARTICLE = re.compile(
    r"<article\b|<time\b|article:published_time|datePublished|articleBody|Article[\"']"
    r"|og:type[\"'][^<>]{0,40}article|name=[\"']author",
    re.IGNORECASE,
)
"""What the page of an article has."""
_QUOTED = re.compile(r"[\"“„«][^\"“”„«»\n]{0,300}[\"”“»]")
_REPORTED = re.compile(
    r"\b(?:said|says|told|reported|according to|sagte|teilte|laut|zufolge|selon|déclaré|dijo|según|secondo|volgens)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"\n|(?<=[.!?])\s")
_MIN_SIGNS = 2
_COOKIE_WALL = "it is behind a cookie wall: the page shows a question about cookies, and no article"
_ROBOT_WALL = "the site tests whether its reader is a person, and shows no article"
_LOGIN_WALL = "it is behind a login: the page asks for a password, and shows no article"
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
        return _COOKIE_WALL
    if len(text) <= _MAX_NOTICE_CHARACTERS and _ROBOT_TEST.search(text):
        return _ROBOT_WALL
    return ""


def notice(page: str, text: str) -> str:
    """Why a page that speaks to its reader of cookies, a login or robots is no article; "" if it may be one.

    The page is short, has nothing that the page of an article has, and reports nothing. It gives two signs at least,
    and half of it are sentences with signs: an article about cookies may quote a wall.
    """
    page = page[:_MAX_PAGE_CHARACTERS]
    if len(text) > _MAX_TEASER_CHARACTERS or _OF_ARTICLE.search(page):
        return ""
    spoken = _QUOTED.sub(" ", text)
    if _REPORTED.search(spoken):
        return ""
    if len(text) <= _MAX_NOTICE_CHARACTERS and _is_login(page):
        return _LOGIN_WALL
    for pattern, why in ((_TEST, _ROBOT_WALL), (_CONSENT, _COOKIE_WALL)):
        signs = {sign[0].lower() for sign in pattern.finditer(f"{_title(page)}\n{spoken}")}
        said = sum(len(sentence) for sentence in _SENTENCE_END.split(spoken) if pattern.search(sentence))
        if len(signs) >= _MIN_SIGNS and said >= len(spoken) / 2:
            return why
    return ""


def _title(page: str) -> str:
    """The title of a page, else its first heading."""
    found = {match[1].lower(): html.unescape(match[2]).strip() for match in reversed([*_TITLE.finditer(page)])}
    return found.get("title") or found.get("h1", "")


def _is_login(page: str) -> bool:
    """Whether a page that asks for a password is called that: "Log in | Norvik Post"."""
    parts = [part.strip() for part in _SEPARATOR.split(_title(page))]
    return bool(_PASSWORD.search(page)) and any(map(_LOGIN.fullmatch, parts))


def wall_without_text(page: str) -> str:
    """The same, for a page in which no text was found."""
    visible = re.sub(r"<[^<>]{0,2000}>", " ", page[:_MAX_PAGE_CHARACTERS])
    for pattern, why in (
        (_ROBOT_TEST, _ROBOT_WALL),
        (_COOKIES, _COOKIE_WALL),
        (_PAYWALL, "it is behind a paywall: only its beginning could be read"),
    ):
        if pattern.search(visible):
            return why
    return _LOGIN_WALL if _is_login(page[:_MAX_PAGE_CHARACTERS]) else ""
