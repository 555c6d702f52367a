"""What the names of folders and files say of an article: ``Courier/2024/01/25/harbour.txt``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path, PurePath

from index.cleaning.clean import DEFAULT_OUTLET
from index.cleaning.published import GUESSED, date_in_path
from index.models import RawRecord

_YEAR = re.compile(r"(?:19|20)\d\d(?:[-_.]?(?:0[1-9]|1[0-2]))?(?:[-_.]?(?:0[1-9]|[12]\d|3[01]))?")
_NO_OUTLET = frozenset(
    "archive archives article articles clippings data export exports feeds files html inbox json news pages papers "
    "press sources stories text texts txt web".split()
)


def folder_fields(path: PurePath) -> dict[str, str]:
    """The fields that a path inside an indexed folder gives an article that does not state them.

    The outlet is the folder above that of a year; a day is a guess.
    """
    fields = dict[str, str]()
    for above, folder in zip(path.parts, path.parts[1:-1], strict=False):
        if _YEAR.fullmatch(folder) and above.casefold() not in _NO_OUTLET and not above.isdigit():
            fields[DEFAULT_OUTLET] = above.replace("_", " ")
            break
    if day := date_in_path(f"/{path.as_posix()}"):
        fields[GUESSED] = day.isoformat()
    return fields


def completed(record: RawRecord, roots: Collection[str], defaults: Mapping[str, Mapping[str, str]]) -> RawRecord:
    """Add to a record what the folders below its root say, and the defaults of the nearest root that has some."""
    places = (record.path, *map(str, Path(record.path).parents))
    root = next((place for place in places if place in roots), None)
    by_folder = folder_fields(PurePath(record.path).relative_to(root)) if root else {}
    stated = next((defaults[place] for place in places if place in defaults), {})
    return replace(record, fields={**by_folder, **record.fields, **stated})
