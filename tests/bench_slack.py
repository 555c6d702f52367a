"""The Slack bot under load: many questions at once against a slow language model, and clicks meanwhile.

`python -m tests.bench_slack` prints how long Slack waited for its acknowledgements.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from index.embedding.weights import locate
from tests.fake_slack import FakeSlack
from tests.fakes.openai_server import OpenAIServer, Reply
from tests.slack_process import BotProcess, FreshBotProcess, answered, make_index, replies

ASKED = "<@UBOT> How many jobs will the Aldermoor paper mill cut?"
_BETWEEN_CLICKS = 0.2  # seconds


@dataclass(frozen=True)
class Load:
    """Seconds, but for the two counts. Slack waits 3 for an acknowledgement."""

    answers: int
    clicks: int
    slowest_event: float
    slowest_click: float
    median_click: float
    first_answer: float
    all_answers: float


def load(data: Path, *, questions: int = 50, model: float = 20.0, process: type[BotProcess] = FreshBotProcess) -> Load:
    """Ask so many questions at once, of a language model that takes so many seconds for each; ``data`` is indexed."""
    with FakeSlack() as slack, OpenAIServer() as llm:
        slack.redeliver_after = 60.0  # what is late is measured, and not only sent again
        with process(slack, data, CLIPPINGS_LLM=f"openai-like:{llm.url}#fake"):
            before = answered(slack, "C1", slack.say("U1", "C1", ASKED))[0]
            since, started = len(slack.acks), time.monotonic()
            llm.script(*[Reply.of("The mill will cut ", "140 jobs [1].", pause=model / 3)] * questions)
            asked = [slack.say("U1", "C1", ASKED) for _ in range(questions)]
            first = 0.0
            while (done := _answered(slack, asked)) < questions and time.monotonic() - started < 10 * model + 60:
                first = first or (time.monotonic() - started if done else 0.0)
                slack.click("U1", before.ts, "Helpful")
                time.sleep(_BETWEEN_CLICKS)
            took = time.monotonic() - started
            slack.settle(timeout=60)
            waited = {kind: sorted(_waited(slack, kind, since)) for kind in ("events_api", "interactive")}
    clicks = waited["interactive"]
    return Load(
        answers=done, clicks=len(clicks), slowest_event=waited["events_api"][-1], slowest_click=clicks[-1],
        median_click=clicks[len(clicks) // 2], first_answer=first or took, all_answers=took,
    )  # fmt: skip


def _answered(slack: FakeSlack, asked: list[str]) -> int:
    """How many of the questions have their whole answer."""
    return sum(any(seen.raw.get("metadata") for seen in replies(slack, "C1", ts)) for ts in asked)


def _waited(slack: FakeSlack, kind: str, since: int) -> list[float]:
    return [
        slack.redeliver_after if ack.seconds is None else ack.seconds for ack in slack.acks[since:] if ack.kind == kind
    ]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        found = load(make_index(Path(folder) / "data", locate(None, fetchers={})))
    told = (
        f"{found.answers} of 50 questions at once to a language model of 20 s: answered in {found.all_answers:.1f} s\n"
    )
    told += f"slowest acknowledgement of an event: {found.slowest_event * 1000:.0f} ms (Slack waits 3,000)\n"
    told += f"{found.clicks} clicks meanwhile: {found.median_click * 1000:.0f} ms, "
    told += f"slowest {found.slowest_click * 1000:.0f} ms\n"
    sys.stdout.write(told)


if __name__ == "__main__":
    main()
