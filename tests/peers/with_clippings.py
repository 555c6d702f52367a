"""Ourselves, through the same engine as every user."""

from __future__ import annotations

from collections.abc import Sequence

from bot.evaluation.metrics import ranking
from bot.evaluation.questions import KnownQuestion
from bot.runtime import make_engine
from bot.settings import Settings
from index.ingest import ingest
from tests.peers.measure import Indexed, Material


def whole(material: Material) -> Indexed:
    """With the turns before a question and the day that it was asked, where the set has them."""
    report = ingest(material.data, [material.jsonl], progress=lambda _done, _total: None)
    engine = make_engine(Settings(data=material.data, llm=""))

    def ask(known: KnownQuestion) -> tuple[Sequence[str], float]:
        answer = engine.ask(known.question, turns=known.history, as_of=known.as_of)
        return ranking(answer.passages), sum(answer.timings_ms.values())

    return Indexed(ask, report.seconds, report.embed_seconds)


def question_alone(material: Material) -> Indexed:
    """With what every other library is given."""
    indexed = whole(material)
    return indexed._replace(ask=lambda known: indexed.ask(known.model_copy(update={"history": (), "as_of": None})))
