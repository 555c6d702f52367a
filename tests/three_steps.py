"""The same questions on the three steps of docs/team.md: ``python -m tests.three_steps 100``.

An index in a folder is moved to servers by `export` and `import`, bots over HTTP answer from there in a fake Slack, and
it is moved back into another folder. Counts the answers that are those of the first folder: with the vectors to the
last passage and the fifth digit of its score; without them, for all is embedded in other batches, in what people see.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from bot import serialize
from bot.cli.transfer import export, restore
from bot.runtime import make_engine
from bot.settings import Settings
from bot.slack.database import Database
from index.embedding.weights import locate
from tests.chroma import Chroma
from tests.fake_slack import FakeSlack
from tests.kept_models import models_kept
from tests.postgres import Postgres
from tests.slack_process import make_index
from tests.slack_replicas import answers, replicas

_NEWSROOM = Path(__file__).parent / "newsroom.jsonl"
_BOTS = 2
_MAX_SCORE_DIFFERENCE = 1e-5  # Chroma makes unit vectors of unit vectors

Answers = dict[str, object]


def questions(count: int) -> list[str]:
    """The first different questions of tests/newsroom.jsonl."""
    lines = _NEWSROOM.read_text("utf-8").splitlines()
    return list(dict.fromkeys(json.loads(line)["question"] for line in lines))[:count]


def is_same(first: Any, second: Any) -> bool:
    """Whether two answers are the same but for times, what only bots note, and the last digits of scores."""
    if isinstance(first, dict) and isinstance(second, dict):
        return all(is_same(first[name], second.get(name)) for name in first if name != "timings_ms")
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(is_same, first, second))
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, abs_tol=_MAX_SCORE_DIFFERENCE)
    return bool(first == second)


def shown(answer: Any) -> Any:
    """What people see of an answer."""
    return {name: answer[name] for name in ("text", "short", "notice", "kind", "refusal", "citations")}


def asked(settings: Settings, questions: Sequence[str]) -> Answers:
    """The answers of the command line."""
    with closing(make_engine(settings)) as engine:
        return {question: serialize.answer(engine.ask(question)) for question in questions}


def asked_in_slack(empty: Path, settings: Settings, questions: Sequence[str]) -> Answers:
    """The answers of bots behind a load balancer, as their database has them."""
    assert settings.database_url
    url = settings.database_url.get_secret_value()
    (empty / "nothing").mkdir(parents=True)
    with (
        FakeSlack() as slack,
        replicas(
            slack, empty / "nothing", empty, count=_BOTS, DATABASE_URL=url, CHROMA_URL=settings.chroma_url
        ) as bots,
    ):
        threads = [slack.say("U1", "C1", f"<@UBOT> {question}") for question in questions]
        slack.wait(lambda: all(answers(slack, thread) for thread in threads), 60 + 20 * len(questions))
        slack.settle()
        assert len(questions) < 20 or all(" citations" in bot.logged() for bot in bots)
    with closing(Database(url)) as database:
        stored = [answer for answer, _ in database.answers(0)]
    return {answer["question"]: dict(answer) for answer in stored}


def moved(source: Settings, target: Settings, file: Path, *, vectors: bool) -> None:
    """Move an installation."""
    export(source, file, vectors=vectors, progress=lambda _done, _total: None)
    restore(target, file, replace=False, follow=True, progress=lambda _done, _total: None)


def walk(
    folder: Path, weights: Path, servers: tuple[str, str], questions: Sequence[str], *, vectors: bool
) -> dict[str, int]:
    """Walk the steps; returns how many answers are those of the first folder, by step. See above for ``vectors``."""
    database, chroma = servers
    first = Settings(data=make_index(folder / "first", weights), model_dir=weights)
    shared = Settings.model_validate(
        {"data": folder / "shared", "model_dir": weights, "database_url": database, "chroma_url": chroma}
    )
    last = Settings(data=folder / "last", model_dir=weights)
    expected = asked(first, questions)
    moved(first, shared, folder / "there.zip", vectors=vectors)
    steps = {"servers": asked(shared, questions), "bots": asked_in_slack(folder / "bots", shared, questions)}
    moved(shared, last, folder / "back.zip", vectors=vectors)
    steps["back in a folder"] = asked(last, questions)
    same = (
        partial(map, is_same) if vectors else lambda first, second: map(is_same, map(shown, first), map(shown, second))
    )
    return {step: sum(same(expected.values(), (given[name] for name in expected))) for step, given in steps.items()}


def main() -> int:
    """Walk, and print what was the same."""
    asked = questions(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
    is_same = True
    with models_kept(), tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)  # the user of PostgreSQL goes through
        for name in ("postgres", "chroma"):
            (folder / name).mkdir()
        with Postgres(folder / "postgres") as postgres, Chroma(folder / "chroma") as chroma:
            for vectors in (True, False):
                place = folder / f"vectors-{vectors}"
                url = postgres.create(f"vectors_{vectors}".lower())
                same = walk(place, locate(), (url, chroma.url), asked, vectors=vectors)
                counts = ", ".join(f"{step}: {count}" for step, count in same.items())
                print(
                    f"{'with' if vectors else 'without'} vectors, of {len(asked)} answers the same: {counts}",
                    flush=True,
                )
                is_same &= not vectors or set(same.values()) == {len(asked)}
    return int(not is_same)


if __name__ == "__main__":
    sys.exit(main())
