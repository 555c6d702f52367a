"""Ask a real language model the questions of tests/questions.jsonl: `python -m tests.real_model LLM [--count N]`.

LLM is a value of CLIPPINGS_LLM. For a model that is not shipped and needs no key see the guide on models: a GGUF file
behind a few lines that speak OpenAI's protocol ("openai-like:http://127.0.0.1:8123/v1#qwen"). On two cores a question
takes a minute. Prints what was right, wrong and shown, refused, quoted, and what the check left out.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from bot.evaluation.judge import contains
from bot.models import Answer
from bot.runtime import make_engine
from bot.settings import Settings
from index.ingest import ingest

PROJECT = Path(__file__).parents[1]
ASKED = date(2024, 9, 1)  # after all articles
TIMEOUT_SECONDS, CONTEXT_TOKENS = 600, 6_000


def outcome(query: dict[str, Any], answer: Answer) -> str:
    """Name what became of a question: "written, right", "quoted, wrong or unjudged", "refused, rightly"."""
    if answer.refusal:
        return "refused, rightly" if not query["answerable"] else "refused, wrongly"
    is_right = query["answerable"] and any(contains(answer.text, right) for right in query["answers"])
    return f"{'written' if answer.answerer == 'write' else 'quoted'}, {'right' if is_right else 'wrong or unjudged'}"


def main() -> None:
    """Ask, and print a line a question and the totals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("llm")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--check", action="store_true", help="CLIPPINGS_LLM_CHECK=on")
    arguments = parser.parse_args()
    lines = (PROJECT / "tests" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    queries = [query for query in map(json.loads, lines) if not query.get("history")]
    chosen = random.Random(7).sample(queries, min(arguments.count, len(queries)))  # noqa: S311  # a sample, no secret
    data = Path(tempfile.mkdtemp(prefix="clippings-real-"))
    ingest(data, [PROJECT / "articles"], progress=lambda _done, _total: None)
    settings = Settings(
        data=data, llm=arguments.llm, llm_timeout=TIMEOUT_SECONDS, llm_context=CONTEXT_TOKENS, llm_check=arguments.check
    )
    engine, totals = make_engine(settings), Counter[str]()
    for query in chosen:
        answer = engine.ask(query["question"], as_of=ASKED)
        totals[result := outcome(query, answer)] += 1
        row = {"outcome": result, **query, "text": answer.text, "notice": answer.notice}
        print(json.dumps(row, ensure_ascii=False), flush=True)
    print(json.dumps(totals, indent=1))
    engine.close()


if __name__ == "__main__":
    main()
