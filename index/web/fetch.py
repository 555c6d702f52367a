"""Fetch from the web with manners: robots.txt, a pace for each host, Retry-After, and no address inside the network.

Whatever a name resolves to, and wherever a redirect leads, the address is checked before anything connects to it, and
that very address is connected to: the name is not resolved a second time.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

import httpcore

from index.formats.document import too_large
from index.models import UnreadableError

if TYPE_CHECKING:
    from protego import Protego

USER_AGENT = "Clippings/0.1"
MAX_BYTES = 20_000_000  # of a reply: a sitemap has 50,000 addresses in 10 MB
MAX_SECONDS = 60.0  # for a reply, however slowly it comes
MAX_SILENT_SECONDS = 15.0
MAX_REDIRECTS = 5
MAX_WAIT_SECONDS = 120.0  # for a host that asks for a pause; a longer one ends the work with it
MIN_HOST_SECONDS = 1.0  # between two requests to a host that names no pace itself
_TOO_SLOW = f"the site took longer than {MAX_SECONDS:g} seconds"
_MAX_ROBOTS_BYTES = 500_000  # as Google reads of it
_MAX_AGE = re.compile(r"\bmax-age=\"?(\d{1,8})", re.IGNORECASE)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_REDIRECTS = (301, 302, 303, 307, 308)
_COME_BACK = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_REASONS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "it asks for a login (401)",
    HTTPStatus.PAYMENT_REQUIRED: "it is behind a paywall (402)",
    HTTPStatus.FORBIDDEN: "the site refuses programs, or asks for a login (403)",
    HTTPStatus.NOT_FOUND: "there is no such page (404)",
    HTTPStatus.GONE: "the page was taken down (410)",
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: "it may not be shown for legal reasons (451)",
}


class LaterError(UnreadableError):
    """The site asks to come back after a number of seconds."""

    def __init__(self, status: int, seconds: float) -> None:
        super().__init__(f"the site asks to come back later ({status}); try again in {seconds:.0f} seconds")
        self.seconds = seconds


class GoneError(UnreadableError):
    """The site says that the page was taken down for good (410)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of an address: ``url`` is where redirects led, ``body`` is None if nothing has changed.

    ``max_age``: the seconds for which the site says that the reply is fresh; 0 if it does not say.
    """

    url: str
    body: bytes | None
    content_type: str = ""
    etag: str = ""
    modified: str = ""
    max_age: float = 0.0


@dataclass(slots=True)
class Client:
    """Fetches, one address at a time. ``inside``: names of hosts that may lie inside the network."""

    inside: frozenset[str] = frozenset()
    sleep: Callable[[float], None] = time.sleep
    _robots: dict[str, Protego | None] = field(default_factory=dict)
    _next: dict[str, float] = field(default_factory=dict)  # the monotonic time of the next request to a host

    def get(self, url: str, etag: str = "", modified: str = "") -> Reply:
        """Fetch an address; with the marks of an earlier reply only if it has changed since. Raises UnreadableError."""
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {name: value for name, value in conditions.items() if value}
        for _ in range(MAX_REDIRECTS + 1):
            self._obey_robots(url)
            status, received, body = self._patiently(url, headers)
            if status in _REDIRECTS and (target := received.get("location")):
                url = _checked(_joined(url, target))
                continue
            if status == HTTPStatus.NOT_MODIFIED:
                return Reply(url, None, etag=etag, modified=modified, max_age=_max_age(received))
            if status == HTTPStatus.GONE:
                raise GoneError(_REASONS[HTTPStatus.GONE])
            if status != HTTPStatus.OK:
                raise UnreadableError(_REASONS.get(status, f"the site answers with the error {status}"))
            marks = received.get("etag", ""), received.get("last-modified", "")
            body = _unpacked(body, received.get("content-encoding", "").strip().lower())
            content_type = received.get("content-type", "").partition(";")[0].strip().lower()
            return Reply(url, body, content_type, *marks, _max_age(received))
        raise UnreadableError(f"more than {MAX_REDIRECTS} redirects")

    def _patiently(self, url: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        """As :meth:`_request`; a host that asks for a pause gets it once, if it is short."""
        host = urlsplit(url).netloc
        for may_wait in (True, False):
            self._keep_pace(host)
            status, received, body = self._request(url, headers, MAX_BYTES)
            if status not in _COME_BACK:
                break
            pause = _seconds(received.get("retry-after", ""))
            if not may_wait or pause > MAX_WAIT_SECONDS:
                raise LaterError(status, pause)
            self._next[host] = time.monotonic() + pause
        return status, received, body

    def _keep_pace(self, host: str) -> None:
        robots = self._robots.get(host)
        pace = float((robots.crawl_delay(USER_AGENT) if robots else None) or 0)
        if (wait := self._next.get(host, 0) - time.monotonic()) > 0:
            self.sleep(min(wait, MAX_WAIT_SECONDS))
        least = 0 if urlsplit(f"//{host}").hostname in self.inside else MIN_HOST_SECONDS
        self._next[host] = time.monotonic() + min(max(pace, least), MAX_WAIT_SECONDS)

    def _obey_robots(self, url: str) -> None:
        """Raise UnreadableError if the site wants no program to read this page."""
        from protego import Protego

        parts = urlsplit(_checked(url))
        if parts.netloc not in self._robots:
            address = f"{parts.scheme}://{parts.netloc}/robots.txt"
            for _ in range(MAX_REDIRECTS + 1):
                status, received, body = self._request(address, {}, _MAX_ROBOTS_BYTES)
                if status not in _REDIRECTS:
                    break
                address = _checked(_joined(address, received.get("location", "")))
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
                raise UnreadableError(f"its robots.txt cannot be read now ({status}); try again later")
            rules = body.decode("utf-8", "replace") if status == HTTPStatus.OK else ""  # none: all may be read
            self._robots[parts.netloc] = Protego.parse(rules)
        robots = self._robots[parts.netloc]
        if robots and not robots.can_fetch(url, USER_AGENT):
            raise UnreadableError("the site's robots.txt asks programs not to read it")

    def _request(self, url: str, headers: Mapping[str, str], limit: int) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one request. Raises UnreadableError."""
        backend = _Backend(self.inside)
        bell = threading.Timer(MAX_SECONDS, backend.cut)
        bell.daemon = True
        bell.start()
        sent: dict[str | bytes, str | bytes] = {
            "User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close",
        }  # fmt: skip
        sent.update(headers)
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), MAX_SILENT_SECONDS)
        host = urlsplit(url).hostname
        try:
            with (
                httpcore.ConnectionPool(network_backend=backend, ssl_context=_certificates()) as pool,
                pool.stream("GET", url.encode("ascii"), headers=sent, extensions={"timeout": timeouts}) as response,
            ):
                received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                body = _bounded(response.iter_stream(), limit)
            if not backend.is_cut:
                return response.status, received, body
            raise UnreadableError(_TOO_SLOW)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            if backend.is_cut:
                raise UnreadableError(_TOO_SLOW) from error
            raise UnreadableError(f"{host} cannot be reached ({_what(error)})") from error
        except (ValueError, UnicodeError) as error:
            raise UnreadableError("not an address on the web") from error
        finally:
            bell.cancel()
            backend.close()


class _Backend(httpcore.NetworkBackend):
    """Connections to checked addresses only, which can be cut from another thread."""

    def __init__(self, inside: frozenset[str]) -> None:
        self._inside, self._backend = inside, httpcore.SyncBackend()
        self._sockets: list[socket.socket] = []
        self.is_cut = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a name, if all of them may be connected to."""
        address = checked_address(host, port, self._inside)
        stream = self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
        self._sockets.append(stream.get_extra_info("socket").dup())  # TLS detaches it; a shutdown reaches both
        return stream

    def cut(self) -> None:
        """End what is read or written at the moment."""
        self.is_cut = True
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the copies of the sockets."""
        for connection in self._sockets:
            connection.close()


@cache
def _certificates() -> ssl.SSLContext:
    """Trust what the system trusts, and what browsers do: some systems have no certificates where Python looks."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def checked_address(host: str, port: int, inside: frozenset[str] = frozenset()) -> str:
    """The first address of a host. Raises UnreadableError if one of its addresses lies inside the network."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnreadableError(f"there is no host {host}, or no way to it") from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if host.lower() not in inside:
        for address in addresses:
            if not is_public(address):
                raise UnreadableError(
                    f"{host} is inside your network ({address}); to allow it, set CLIPPINGS_WEB_HOSTS={host}"
                )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet: not of this machine, this network, or reserved."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        packed = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if packed is None and ip in _NAT64:
            packed = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if packed is not None:
            return is_public(str(packed))
    return ip.is_global and not ip.is_multicast


def _checked(url: str) -> str:
    """An address that may be fetched, in ASCII. Raises UnreadableError."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = f":{parts.port}" if parts.port else ""
    except (ValueError, UnicodeError) as error:
        raise UnreadableError("not an address on the web") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise UnreadableError("not an address on the web: it must begin with http:// or https://")
    if parts.username or parts.password:
        raise UnreadableError("an address with a password in it is not fetched")
    path, query = (quote(part, safe="/%:@!$&'()*+,;=~?-._") for part in (parts.path or "/", parts.query))
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{port}{path}{f'?{query}' if query else ''}"


def _joined(base: str, target: str) -> str:
    try:
        return urljoin(base, target)
    except ValueError as error:  # "http://[x"
        raise UnreadableError("the site redirects to no address") from error


def _bounded(blocks: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for block in blocks:
        body += block
        if len(body) > limit:
            raise UnreadableError(too_large(len(body), limit, "a page or a feed"))
    return bytes(body)


def _unpacked(body: bytes, encoding: str) -> bytes:
    """A body that was compressed though that was not asked for."""
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise UnreadableError(f"the reply is compressed in a way that was not asked for ({encoding[:20]})")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        unpacked = unpacker.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise UnreadableError("the reply is damaged") from error
    if unpacker.unconsumed_tail:
        raise UnreadableError(too_large(MAX_BYTES + 1, MAX_BYTES, "a page or a feed"))
    return unpacked


def _seconds(retry_after: str) -> float:
    """How long a host asks to wait: in seconds, or until a moment."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    with suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    return MIN_HOST_SECONDS * 10


def _max_age(received: Mapping[str, str]) -> float:
    match = _MAX_AGE.search(received.get("cache-control", ""))
    return float(match[1]) if match else 0.0


def _what(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
