"""What the news trade says of a story beside its text: its version, an embargo, a correction, a kill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

CORRECTIONS = ("correction", "ednote", "editorsNote", "editors_note", "signal")
"""The fields of a record that may hold a note on a correction, best first."""
PUBLISHED_POSTS = ("", "publish")
"""The statuses of WordPress' posts that are published, not planned, private, in the bin or drafts."""
DRAFT = "draft"
"""The kind of a record that is not published: it counts as withdrawn."""
_WITHDRAWN = ("cancel", "withheld", "kill")
_WITHOUT_END = datetime.max.replace(tzinfo=UTC)
_SECONDS, _MILLISECONDS = range(10**8, 10**11), range(10**11, 10**14)  # since 1970: from 1973 to 5138


def when(value: object) -> datetime | None:
    """Read a moment: ISO 8601, RFC 2822, or seconds or milliseconds since 1970. Without a time zone it is UTC."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = int(value)
        if number in _MILLISECONDS:
            number //= 1000
        return datetime.fromtimestamp(number, UTC) if number in _SECONDS else None
    if isinstance(value, str):
        for parse in (datetime.fromisoformat, parsedate_to_datetime):
            try:
                return when(parse(value.strip()))
            except (ValueError, TypeError, IndexError, OverflowError):
                continue
    return None


def is_withdrawn(status: object) -> bool:
    """Whether a publishing status says that the story must not be used: ``"stat:canceled"``, ``"withheld"``.

    It may also stand inside: ``{"qcode": "stat:canceled"}``.
    """
    held = status.values() if isinstance(status, dict) else [status]
    return any(word in text.lower() for text in held if isinstance(text, str) for word in _WITHDRAWN)


def embargo_until(stated: object, *, is_embargoed: bool) -> datetime | None:
    """When an embargo ends: never, if the story is under one and its end is not stated; None for no embargo."""
    return when(stated) or (_WITHOUT_END if is_embargoed else None)


def revision_of(version: object, updated: datetime | None) -> str:
    """A text by which the versions of a story sort: the version's number, then its time; "" for neither."""
    number = str(version).strip() if isinstance(version, str | int) and not isinstance(version, bool) else ""
    number = number.zfill(10) if number.isdigit() and len(number) <= 10 else ""  # noqa: PLR2004  # digits that sort
    moment = updated.astimezone(UTC).isoformat(timespec="seconds") if updated else ""
    return f"{number or '0' * 10} {moment}".strip() if number or moment else ""


def correction_note(value: Mapping[str, Any]) -> str:
    """The sender's note on a correction, from the fields of a record; "" for none."""
    note = next((value[name] for name in CORRECTIONS if value.get(name)), "")
    return note if isinstance(note, str) else ""
