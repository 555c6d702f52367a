"""The composition root: choose the real parts, and import each only when it is needed.

The command line, Slack and evaluation are handed a `Parts`; tests hand in their own.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bot.models import ON_STEP, AnswerEngine
from bot.plain_text import one_line
from index.models import ClippingsError, Failure, Source

if TYPE_CHECKING:
    from bot.answer import Engine
    from bot.generate.llm import LLM
    from bot.settings import Settings
    from index.explain import Explained
    from index.ingest import Choices, Report
    from index.status import Status
    from index.storage.home import Home

OnProgress = Callable[[int, int], None]
"""Called with the number of articles done and their total."""

T = TypeVar("T")
MAX_LLM_CHECK_SECONDS = 10.0  # `clippings status` is for a person who waits
MAX_LLM_TRIAL_SECONDS = 30.0  # for each of two questions: two cores read the rules in 10


@dataclass(frozen=True, slots=True)
class Figures:
    """How large an index is, and when it was written."""

    articles: int
    chunks: int
    size_bytes: int
    indexed_at: datetime | None


class Parts:
    """The real parts."""

    def engine(self, settings: Settings) -> AnswerEngine:
        """Make the engine over the index in `settings.data`."""
        return make_engine(settings)

    def ingest(
        self,
        settings: Settings,
        paths: Sequence[Path],
        *,
        prune: bool,
        progress: OnProgress,
        force: bool = False,
        choices: Choices | None = None,
    ) -> Report:
        """Bring the index up to date."""
        from index.ingest import ingest

        options = {"prune": prune, "force": force}
        return ingest(
            home(settings), paths, model_dir=settings.model_dir, **options, choices=choices, progress=progress
        )

    def web_sources(self, settings: Settings) -> dict[str, str]:
        """The addresses that are followed, and when each was read last."""
        from index.web.sources import sources

        with closing(home(settings)) as place:
            return sources(place)

    def due_sources(self, settings: Settings) -> list[str]:
        """The followed addresses that are to be asked again."""
        from index.web.sources import due

        with closing(home(settings)) as place:
            return due(place)

    def forget_sources(self, settings: Settings, addresses: Sequence[str]) -> None:
        """Follow some addresses no longer."""
        from index.web.sources import forget

        with closing(home(settings)) as place:
            forget(place, addresses)

    def followed_paths(self, settings: Settings) -> list[Path]:
        """The files and folders of the runs so far."""
        from index.status import roots

        with closing(home(settings)) as place:
            return roots(place)

    def remove(self, settings: Settings, words: Sequence[str], older_than: date | None) -> list[Source]:
        """Remove articles from the index."""
        from index.removal import remove

        with closing(home(settings)) as place:
            return remove(place, words, older_than)

    def explain(self, settings: Settings, name: str) -> Iterator[Explained | Failure]:
        """Say how the articles of a file or an address are read, without indexing them."""
        from index.cleaning.folder_names import completed
        from index.explain import explained
        from index.load import load
        from index.models import RawRecord
        from index.status import explained_as

        if not is_address(name):
            with closing(home(settings)) as place:
                known = explained_as(place, Path(name))
            records = load([Path(name)])
            return explained(completed(item, *known) if isinstance(item, RawRecord) else item for item in records)
        from index.web.read import read_once

        return explained(read_once(name, settings.web_hosts))

    def status(self, settings: Settings) -> Status:
        """Describe what is indexed."""
        from index.status import status

        with closing(home(settings)) as place:
            return status(place)

    def index_figures(self, settings: Settings) -> Figures:
        """Count what is indexed, within milliseconds. Raises ClippingsError."""
        with closing(home(settings)) as place:
            name = place.current()
            if name is None:
                raise place.missing()
            with closing(place.open_catalogue(name)) as catalogue:
                written = catalogue.get("indexed_at")
                indexed_at = datetime.fromisoformat(written) if written else None
                return Figures(*catalogue.counts(), place.size_bytes(), indexed_at)

    def check_llm(self, settings: Settings) -> str:
        """Ask the language model for a word. Raises ClippingsError if it does not reply."""
        from bot.generate.llm import check

        return check(_make_llm(settings, min(settings.llm_timeout, MAX_LLM_CHECK_SECONDS)))

    def llm_abilities(self, settings: Settings) -> dict[str, bool]:
        """Try out what the language model can do, by name."""
        from bot.generate.probe import abilities

        return abilities(_make_llm(settings, min(settings.llm_timeout, MAX_LLM_TRIAL_SECONDS)))


def is_address(text: str) -> bool:
    """Whether an argument is an address on the web, and no path."""
    return text.lower().startswith(("http://", "https://"))


def home(settings: Settings) -> Home:
    """Where the index is: in the data folder, or on servers if CHROMA_URL names one."""
    if not settings.chroma_url:
        from index.storage.home import Folder

        return Folder(settings.data)
    from index.storage.postgres import is_postgres
    from index.storage.servers import Servers

    database_url = settings.database_url.get_secret_value() if settings.database_url else ""
    if not is_postgres(database_url):
        raise ClippingsError(
            "CHROMA_URL keeps the vectors on a server, so the articles must be on one, too: set DATABASE_URL to a "
            "PostgreSQL (postgresql://USER:PASSWORD@HOST/NAME), or unset CHROMA_URL to keep the index in a folder."
        )
    token = settings.chroma_token.get_secret_value() if settings.chroma_token else ""
    return Servers(database_url, settings.chroma_url, token, scans=settings.data / "ocr")


def make_engine(settings: Settings) -> Engine:
    """Make an engine with the real parts. It reads nothing before the first question."""
    from bot.answer import Engine, Models
    from index.search import Searcher

    def models() -> Models:
        from bot.extract.reader import Reader
        from bot.generate.support import SupportReader
        from index.embedding.embed import Embedder
        from index.embedding.weights import locate

        folder = locate(settings.model_dir)
        return Models(Embedder(folder), Reader(folder), once(lambda: SupportReader(folder)))

    llm = once(lambda: _make_llm(settings, settings.llm_timeout)) if settings.llm else None
    return Engine(Searcher(home(settings)), once(models), llm, has_second_look=settings.llm_check)


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Cache the result of ``make``, which runs once also between threads. An exception is not cached."""
    lock, cached = threading.Lock(), cache(make)

    def get() -> T:
        with lock:
            return cached()

    return get


def _make_llm(settings: Settings, timeout: float) -> LLM:
    from bot.generate.llm import make_llm

    return make_llm(settings.llm, api_key=settings.llm_api_key, timeout=timeout, context_window=settings.llm_context)


@contextmanager
def progress_bar(of: str) -> Iterator[OnProgress]:
    """Show count, rate and time left on standard error if it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rate, started = TextColumn("{task.fields[rate]:.1f}/s"), time.monotonic()
    columns = (TextColumn(of), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, rate=0.0)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, rate=done / max(time.monotonic() - started, 0.001))

        yield update


@contextmanager
def shown_steps(writer: str) -> Iterator[Callable[[], None]]:
    """Show what is being done on standard error, if it is a terminal. The function given ends that.

    ``writer`` is the name of the language model; if it is empty nothing is shown.
    """
    if not (writer and sys.stderr.isatty()):
        yield lambda: None
        return
    from rich.console import Console

    writing = f"{one_line(writer)} is writing, and each sentence is checked …"
    words = {"search": "Searching the articles …", "rank_sentences": "Reading the passages …", "write": writing}
    with Console(stderr=True, highlight=False, markup=False).status("Reading the question …") as status:
        token = ON_STEP.set(lambda step: status.update(words.get(step)))
        try:
            yield status.stop
        finally:
            ON_STEP.reset(token)
