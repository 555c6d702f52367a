"""Front matter of a Markdown file: the fields between two lines of ``---`` at its top."""

from __future__ import annotations

import re

from index.formats.decode import replace_surrogates
from index.models import UnreadableError

_BLOCK = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_MAX_CHARACTERS = 20_000  # YAML is slow to parse, and no front matter is longer
_KEY_AND_VALUE = re.compile(r"([A-Za-z][\w -]*):(?:\s+(.*))?")


def front_matter(text: str) -> tuple[dict[str, object], str]:
    """The fields, with names in lower case, and the text below; no fields if ``---`` is only a rule above prose.

    Raises UnreadableError if the block is neither YAML nor plain lines of ``name: value``.
    """
    import yaml

    block = _BLOCK.match(text[:_MAX_CHARACTERS])
    if not block:
        return {}, text
    try:
        fields = yaml.safe_load(block[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        # Mostly a headline with a colon in it, or an impossible date: no reason to lose the article.
        fields = _parse_lines(block[1])
    if not isinstance(fields, dict | None):
        return {}, text
    flat = {str(name).lower(): value for name, value in (fields or {}).items() if not _is_nested(value)}
    return {name: replace_surrogates(value) for name, value in flat.items()}, text[block.end() :]


def _is_nested(value: object) -> bool:
    """Whether a value holds further collections: with YAML's aliases a small one can be endless when written out."""
    values = value if isinstance(value, list) else [value]
    return any(isinstance(item, dict | list | set | tuple) for item in values)


def _parse_lines(block: str) -> dict[str, object]:
    fields: dict[str, object] = {}
    for line in (line.strip() for line in block.splitlines()):
        if not line or line.startswith("#"):
            continue
        pair = _KEY_AND_VALUE.fullmatch(line)
        if not pair:
            raise UnreadableError(f"its front matter is not valid YAML, near: {line[:80]}")
        fields[pair[1].strip()] = (pair[2] or "").strip().strip("\"'")
    return fields
