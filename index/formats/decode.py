"""Bytes -> text: detect the encoding, and refuse what is not text."""

from __future__ import annotations

import codecs
import re

from index.models import UnreadableError

_SAMPLE_BYTES = 65_536  # enough to tell text from binary, and encodings from each other
_SIGNATURES = (b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"\x1f\x8b", b"\x7fELF", b"{\\rtf")
_NO_CONTROLS = bytes(set(range(256)) - (set(range(32)) - set(b"\t\n\v\f\r\x1b")) - {127})
_MAX_STRAY_NULS, _MAX_STRAY_CONTROLS = 1, 2
_MIN_PER_CONTROL = 50  # bytes of text for a control character; an apostrophe that was badly converted has some 150
_BADLY_CONVERTED = bytes(range(0x11, 0x20))  # what is left of quotation marks and dashes
_MIN_NON_ASCII_SHARE = 0.4
_DECLARED = re.compile(rb"""charset\s*=\s*["']?([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode by byte order mark, as UTF-8, as declared, or by the best guess. Never fails."""
    if wide := wide_encoding(data):
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decode_as_declared(data, declared) or _decode_by_guess(data)


def declared_encoding(data: bytes) -> str | None:
    """The encoding that a page declares, by Python's name for it."""
    declared = _DECLARED.search(data[:2048])
    try:
        name = codecs.lookup(declared[1].decode()).name if declared else None
    except LookupError:
        return None
    return "cp1252" if name == "iso8859-1" else name  # as browsers do: only cp1252 has the curly quotes


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32, by the byte order mark or, for mostly Latin letters, by every other byte being zero."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    odd, even = data[1:_SAMPLE_BYTES:2], data[:_SAMPLE_BYTES:2]
    for name, zeros, letters in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros.count(0) > 0.8 * len(zeros) and letters.count(0) < 0.1 * len(letters):
            return name
    return None


def refuse_binary(data: bytes) -> None:
    """Raise UnreadableError for a known binary signature, or too many control characters."""
    head = data[:_SAMPLE_BYTES]
    controls = head.translate(None, delete=_NO_CONTROLS)
    never_typed = len(controls.translate(None, delete=_BADLY_CONVERTED))
    too_many = never_typed > _MAX_STRAY_CONTROLS or len(controls) > _MAX_STRAY_CONTROLS + len(head) // _MIN_PER_CONTROL
    held = "NUL characters" if controls.count(0) > _MAX_STRAY_NULS else "control characters" if too_many else ""
    if head.startswith(_SIGNATURES) or (held and not wide_encoding(head)):
        reason = f": it holds {held}" if held else ""
        raise UnreadableError(f"binary, not text, whatever its name says{reason}")


def storable(text: str) -> str:
    """Replace the surrogates in a text by U+FFFD: no database, file or model takes them."""
    return _SURROGATE.sub("\ufffd", text)


def replace_surrogates(value: object) -> object:
    """Replace the surrogates in a value of JSON or YAML by U+FFFD."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [replace_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {replace_surrogates(name): replace_surrogates(item) for name, item in value.items()}
    return value


def _decode_as_declared(data: bytes, declared: str | None) -> str:
    try:
        if not declared or codecs.lookup(declared).name == "utf-8":  # which it is not
            return ""
        return storable(data.decode(declared, "replace"))
    except (LookupError, ValueError):  # "base64" and the like are no encodings of text
        return ""


def _decode_by_guess(data: bytes) -> str:
    """Decode bytes that are not quite UTF-8.

    charset_normalizer is right if most letters are not ASCII (Cyrillic, Greek, Chinese…) and wrong on a handful of
    accents, which nearly always are in Windows' Western encoding.
    """
    damaged = data.decode("utf-8-sig", "replace")
    errors = damaged.count("\ufffd")
    if errors < sum(not character.isascii() for character in damaged) - errors:
        return damaged  # UTF-8 with a damaged place
    encoding = "cp1252"
    if len(data.translate(None, delete=bytes(range(128)))) > _MIN_NON_ASCII_SHARE * len(data):
        from charset_normalizer import from_bytes

        best = from_bytes(data[:_SAMPLE_BYTES]).best()
        encoding = best.encoding if best else encoding
    return data.decode(encoding, "replace")
