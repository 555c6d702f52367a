"""Questions to answers, and the doors that show them.

>>> import bot
>>> answer = bot.ask("Why was Marrow Bridge closed?")
>>> answer.text, answer.citations[0].quote

`open_engine` keeps the index open for more than one question. `import bot` loads nothing but this file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from bot.answer import Engine
    from bot.models import Answer, Citation, Turn
    from index.models import ClippingsError, Filters

__all__ = ["Answer", "Citation", "ClippingsError", "Engine", "Filters", "Turn", "ask", "open_engine"]

_MODULES = {
    "Answer": "bot.models",
    "Citation": "bot.models",
    "ClippingsError": "index.models",
    "Engine": "bot.answer",
    "Filters": "index.models",
    "Turn": "bot.models",
}


def open_engine(data: Path | str | None = None) -> Engine:
    """Open the index in a data folder; close the engine when done.

    Settings come from the environment and `.env`, as for the command line; ``data`` overrides CLIPPINGS_DATA.
    Raises ClippingsError if a setting is wrong; what is missing is reported by the first question.
    """
    from pathlib import Path

    from bot.runtime import make_engine
    from bot.settings import load_settings

    return make_engine(load_settings(data=None if data is None else Path(data)))


def ask(
    question: str,
    *,
    data: Path | str | None = None,
    turns: Sequence[Turn] = (),
    filters: Filters | None = None,
    as_of: date | None = None,
) -> Answer:
    """Answer one question: open the engine, ask, close. Raises ClippingsError."""
    from contextlib import closing

    from index.models import Filters

    with closing(open_engine(data)) as engine:
        return engine.ask(question, turns=turns, filters=filters or Filters(), as_of=as_of)


def __dir__() -> list[str]:
    return list(__all__)


if not TYPE_CHECKING:  # which would give every misspelt name a type

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return getattr(import_module(_MODULES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
