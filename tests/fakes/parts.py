"""The parts that the commands are made of, as a test wants them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from bot.models import Answer
from bot.runtime import OnProgress, Parts
from bot.settings import Settings
from index.explain import Explained
from index.ingest import Choices, Report
from index.models import Article, ClippingsError, Failure
from index.status import Status
from tests.fakes.engine import FakeEngine
from tests.fakes.examples import ARTICLE

REPORT = Report(
    added=3, changed=1, unchanged=2, removed=0, gone=0, failed=(), chunks_embedded=9, seconds=2.0, embed_seconds=1.95
)
STATUS = Status(
    articles=2,
    chunks=5,
    outlets={"The Courier": 2},
    first_published=date(2024, 1, 3),
    last_published=date(2024, 2, 1),
    model="a-model",
    indexed_at=datetime(2024, 3, 1, 12, 30, tzinfo=UTC),
    size_bytes=2_340_000,
    healthy=True,
    problem=None,
)


class FakeParts(Parts):
    """Parts that hold what a test put there, and note how they were called."""

    def __init__(self, *queue: Answer | BaseException, articles: Sequence[Article] = (ARTICLE,)) -> None:
        """Queue answers of the engine."""
        self.fake = FakeEngine(list(queue), articles)
        self.report: Report | BaseException = REPORT
        self.found: Status = STATUS
        self.explained: list[Explained | Failure] = []
        self.check: str | ClippingsError = "it answers"
        self.abilities = {"cite the passage": True, "say that a passage does not answer": False}
        self.indexed: list[tuple[list[Path], bool]] = []
        self.settings: Settings | None = None
        self.forced = False
        self.choices: Choices | None = None

    def engine(self, settings: Settings) -> FakeEngine:
        """The fake engine."""
        self.settings = settings
        return self.fake

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
        """Report what the test wants, after two steps of progress."""
        self.choices = choices
        self.settings, self.forced = settings, force
        self.indexed.append((list(paths), prune))
        progress(1, 2)
        progress(2, 2)
        if isinstance(self.report, BaseException):
            raise self.report
        return self.report

    def explain(self, settings: Settings, name: str) -> Iterator[Explained | Failure]:
        """Give what the test wants."""
        self.settings = settings
        assert name
        return iter(self.explained)

    def status(self, settings: Settings) -> Status:
        """Give what the test wants."""
        self.settings = settings
        return self.found

    def check_llm(self, settings: Settings) -> str:
        """Answer, or fail."""
        assert settings.llm
        if isinstance(self.check, ClippingsError):
            raise self.check
        return self.check

    def llm_abilities(self, settings: Settings) -> dict[str, bool]:
        """Give what the test wants."""
        assert settings.llm
        return self.abilities
