"""What stands on top of a Markdown file between two lines of ``---``: the article's headline, outlet and date."""

from __future__ import annotations

import re

from index.decode import without_surrogates
from index.models import UnreadableError

_BLOCK = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_LIMIT = 20_000  # characters: YAML is slow to parse, and no front matter is longer
_KEY_AND_VALUE = re.compile(r"([A-Za-z][\w -]*):(?:\s+(.*))?")


def front_matter(text: str) -> tuple[dict[str, object], str]:
    """The fields, their names in lower case, and the text below; no fields where ``---`` is only a rule above prose.

    Raises UnreadableError where it is neither YAML nor plain lines of ``name: value``.
    """
    import yaml

    block = _BLOCK.match(text[:_LIMIT])
    if not block:
        return {}, text
    try:
        fields = yaml.safe_load(block[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        # Mostly a headline with a colon in it, or a date that is none: no reason to lose the article.
        fields = _plain_lines(block[1])
    if not isinstance(fields, dict | None):
        return {}, text
    plain = {str(name).lower(): value for name, value in (fields or {}).items() if _is_plain(value)}
    return {name: without_surrogates(value) for name, value in plain.items()}, text[block.end() :]


def _is_plain(value: object) -> bool:
    """Whether a value is no nest: by its aliases a small one can be endless when it is written out."""
    values = value if isinstance(value, list) else [value]
    return not any(isinstance(one, dict | list | set | tuple) for one in values)


def _plain_lines(block: str) -> dict[str, object]:
    fields: dict[str, object] = {}
    for line in (line.strip() for line in block.splitlines()):
        if not line or line.startswith("#"):
            continue
        pair = _KEY_AND_VALUE.fullmatch(line)
        if not pair:
            raise UnreadableError(f"its front matter is not valid YAML, near: {line[:80]}")
        fields[pair[1].strip()] = (pair[2] or "").strip().strip("\"'")
    return fields
