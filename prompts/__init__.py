"""The prompts, one file a step: Markdown with ``{{name}}`` where a value goes.

A value is put in once and never read again, so ``{{…}}``, ``{…}`` or ``$…`` inside an article stays what it is.
"""

from __future__ import annotations

import re
from importlib import resources

_PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")


class PromptError(Exception):
    """A prompt that does not exist, or values that do not fit it: a mistake in the code, not the user's."""


def load_prompt(name: str, **variables: str) -> str:
    """The prompt ``prompts/<name>.md`` with its places filled; a missing or a surplus variable is an error."""
    text = _read(name)
    places = set(_PLACE.findall(text))
    if places != set(variables):
        raise PromptError(
            f"prompt {name!r}: missing {sorted(places - set(variables))}, surplus {sorted(set(variables) - places)}"
        )
    return _PLACE.sub(lambda place: variables[place[1]], text)


def prompt_variables(name: str) -> frozenset[str]:
    """The names that a prompt wants values for."""
    return frozenset(_PLACE.findall(_read(name)))


def prompt_names() -> list[str]:
    """Every prompt there is."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(file.removesuffix(".md") for file in files if file.endswith(".md"))


def _read(name: str) -> str:
    if name not in prompt_names():
        raise PromptError(f"there is no prompt {name!r}; there are {', '.join(prompt_names())}")
    return resources.files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8").strip()
