"""How the bot is, in words for whoever runs it: without a path or a name of ours, for anybody may read the page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from index.models import ClippingsError, IndexMissing

if TYPE_CHECKING:
    from bot.models import AnswerEngine
    from bot.runtime import Parts
    from bot.settings import Settings

GOOD = "ok"
_HOLDS = 60.0  # seconds that a check of the language model holds


class Health:
    """Safe to share between threads. Nothing here waits: who probes a process waits a second, perhaps."""

    def __init__(
        self, settings: Settings, parts: Parts, engine: AnswerEngine, connected: Callable[[], bool] | None
    ) -> None:
        """``connected`` tells whether the socket is; None where there is to be none."""
        self._settings, self._parts, self._engine, self._connected = settings, parts, engine, connected
        self._lock = threading.Lock()
        self._asked, self._model = -_HOLDS, "is being asked"
        self.ending = False

    def facts(self) -> tuple[bool, dict[str, str]]:
        """Whether the bot can answer, and how index, language model, socket and process are: "ok", or what is wrong.

        Without its language model it can: it quotes.
        """
        facts = {"index": self._index_state()}
        if self._connected:
            facts["socket"] = GOOD if self._connected() else "not connected to Slack; it is tried again all the time"
        if self.ending:
            facts["process"] = "ending"
        ready = all(fact == GOOD for fact in facts.values())
        return ready, {**facts, "model": self._model_state()}

    def _index_state(self) -> str:
        try:
            return GOOD if self._engine.sources(1) else "holds no articles: run `clippings index PATH`"
        except IndexMissing:
            return "nothing is indexed yet: run `clippings index PATH`"
        except ClippingsError:
            return "cannot be read: run `clippings status`, which says why"

    def _model_state(self) -> str:
        """What was heard last. It is asked at most once a minute, for each time may cost."""
        if not self._settings.llm:
            return "none is set; answers are quoted"
        with self._lock:
            if time.monotonic() - self._asked >= _HOLDS:
                self._asked = time.monotonic()
                threading.Thread(target=self._ask_model, name="model", daemon=True).start()
            return self._model

    def _ask_model(self) -> None:
        try:
            self._parts.check_llm(self._settings)
            self._model = GOOD
        except ClippingsError:
            self._model = "does not answer; answers are quoted. `clippings status` says why"
