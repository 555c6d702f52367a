"""Bytes -> text: the encoding is found where it can be, and what is no text at all is refused."""

from __future__ import annotations

import codecs
import re

from index.models import UnreadableError

_ENOUGH = 65_536  # bytes that are looked at to tell text from other things
_SIGNATURES = (b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"\x1f\x8b", b"\x7fELF", b"{\\rtf")
_NO_CONTROLS = bytes(set(range(256)) - (set(range(32)) - set(b"\t\n\v\f\r\x1b")) - {127})
_DECLARED = re.compile(rb"""charset\s*=\s*["']?([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(data: bytes, declared: str | None = None) -> str:
    """The text of some bytes: by its byte order mark, as UTF-8, as declared, or by the best guess. Never fails."""
    wide = wide_encoding(data)
    if wide:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _as_declared(data, declared) or _guessed(data)


def declared_encoding(data: bytes) -> str | None:
    """The encoding that a page says it has, by the name that Python knows it by."""
    found = _DECLARED.search(data[:2048])
    try:
        name = codecs.lookup(found[1].decode()).name if found else None
    except LookupError:
        return None
    return "cp1252" if name == "iso8859-1" else name  # what browsers do: the curly quotes are only in the former


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32, by the mark on top or, for mostly Latin letters, by every other byte being zero."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    odd, even = data[1:_ENOUGH:2], data[:_ENOUGH:2]
    for name, zeros, letters in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros.count(0) > 0.8 * len(zeros) and letters.count(0) < 0.1 * len(letters):
            return name
    return None


def refuse_binary(data: bytes) -> None:
    """Raise UnreadableError for what is not text: a known signature, or one control character in twenty."""
    head = data[:_ENOUGH]
    controls = len(head.translate(None, delete=_NO_CONTROLS))
    too_many = controls > 2 and controls * 20 > len(head)  # noqa: PLR2004  # a stray one or two are no sign, however short
    if head.startswith(_SIGNATURES) or (too_many and not wide_encoding(head)):
        raise UnreadableError("binary, not text, whatever its name says")


def without_surrogates(value: object) -> object:
    """A value of JSON or YAML with each half of a surrogate pair replaced: no database or file would take one."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [without_surrogates(one) for one in value]
    if isinstance(value, dict):
        return {without_surrogates(name): without_surrogates(one) for name, one in value.items()}
    return value


def _as_declared(data: bytes, declared: str | None) -> str:
    try:
        return str(without_surrogates(data.decode(declared, "replace"))) if declared else ""
    except (LookupError, ValueError):  # "base64" and the like are no encodings of text
        return ""


def _guessed(data: bytes) -> str:
    """The text of bytes that are not quite UTF-8.

    charset_normalizer is right where most letters are not ASCII (Cyrillic, Greek, Chinese…) and wrong on a
    handful of accents, where Windows' Western encoding nearly always is what was meant.
    """
    broken = data.decode("utf-8-sig", "replace")
    marks = broken.count("\ufffd")
    if marks < sum(not character.isascii() for character in broken) - marks:
        return broken  # UTF-8 with a damaged place
    encoding = "cp1252"
    if len(data.translate(None, delete=bytes(range(128)))) > 0.4 * len(data):
        from charset_normalizer import from_bytes

        best = from_bytes(data[:_ENOUGH]).best()
        encoding = best.encoding if best else encoding
    return data.decode(encoding, "replace")
