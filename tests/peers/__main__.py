"""Other libraries on the same articles, questions, embedding and machine: `make bench-peers SETS="FOLDER…"`.

Prints a table a set, or with --json all figures. Each library has a process of its own for each set. Without a set
our own questions are asked of our own articles, which shows that it works; 47 articles decide nothing.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.evaluation.metrics import Metrics
from bot.evaluation.questions import ARTICLES, read_questions
from index.models import ClippingsError
from tests.peers.measure import MOST, PEERS, find_peer, run
from tests.peers.own import write_own

# Always the same, since llama-index embeds the path of a file along with its text.
_SCRATCH = Path(tempfile.gettempdir()) / "clippings-peers"
_QUIET = {
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}
_LIBRARIES = ("llama-index-core", "llama-index-retrievers-bm25", "haystack-ai", "txtai")
_RETRIEVAL = ("hit@1", "hit@4", "ndcg@10", "mrr@10")
_NOTE = f"""\
Retrieval by article, no language model; each library at its defaults with our embedding model, asked for {MOST} chunks.
A question's time is until these are found; ours is until it is answered, since the sentences that are read have a say
in the order. Index: seconds over those in the model, and these seconds; ours is on disk, the others' are in memory.
Only Clippings reads the turns before a question and the day that it was asked: the others get its last turn and no
dates, and so does "question alone"."""


def main() -> int:
    """Measure all libraries on all sets, and print what came out; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.peers", description=__doc__)
    parser.add_argument("sets", nargs="*", type=Path, help="folders with articles.jsonl and queries.jsonl")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)  # what a process of one library is told
    options = parser.parse_args()
    if options.peer:
        print(json.dumps(run(find_peer(options.peer), options.sets[0], _SCRATCH)))
        return 0
    try:
        measured = measure_sets(options.sets) if options.sets else measure_own()
    except ClippingsError as error:
        parser.error(f"{error} docs/quality.md says how to make a set; without one our own questions are asked.")
    if options.json:
        print(json.dumps({"versions": versions(), "sets": measured}, indent=2))
    else:
        releases = ", ".join(" ".join(pair) for pair in versions().items())
        print("\n\n".join([*(table(name, peers) for name, peers in measured.items()), f"{_NOTE}\n{releases}."]))
    return int(not all(metrics for peers in measured.values() for metrics in peers.values()))


def measure_sets(folders: Sequence[Path]) -> dict[str, dict[str, Metrics]]:
    """The figures of each library on each set; ClippingsError, before anything is measured, where one is no set."""
    for folder in folders:
        read_questions(folder)
        if not (folder / ARTICLES).is_file():
            raise ClippingsError(f"{folder / ARTICLES} is no file.")
    return {folder.resolve().name: measure_all(folder) for folder in folders}


def measure_own() -> dict[str, dict[str, Metrics]]:
    """The same on the questions of this project."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "articles of this project"
        folder.mkdir()
        write_own(folder)
        return measure_sets([folder])


def measure_all(folder: Path) -> dict[str, Metrics]:
    """The figures of each library on a set, none of one that failed; what it wrote of why is on standard error."""
    more = any(question.history or question.as_of for question in read_questions(folder))
    names = [name for name in PEERS if more or name != "Clippings, question alone"]
    return {name: _measure(name, folder) for name in names}


def _measure(name: str, folder: Path) -> Metrics:
    print(f"{folder.name}: {name}", file=sys.stderr, flush=True)
    shutil.rmtree(_SCRATCH, ignore_errors=True)
    command = [sys.executable, "-m", "tests.peers", "--peer", name, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=os.environ | _QUIET, check=False)
    shutil.rmtree(_SCRATCH, ignore_errors=True)
    metrics: Metrics = {} if done.returncode else json.loads(done.stdout.splitlines()[-1])
    return metrics


def versions() -> dict[str, str]:
    """Which releases of the libraries were measured."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}


def table(name: str, peers: dict[str, Metrics]) -> str:
    """A Markdown table of a set's figures."""
    heads = ["", *_RETRIEVAL, "index", "question, ms", "peak, MB"]
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)], *(_row(peer, metrics) for peer, metrics in peers.items())]
    return "\n".join([f"**{name}**\n", *(f"| {' | '.join(row)} |" for row in rows)])


def _row(peer: str, metrics: Metrics) -> list[str]:
    if not metrics:
        return [peer, *["failed"] * 7]
    retrieval, spent = metrics["retrieval"], {name: metric["value"] for name, metric in metrics["time"].items()}
    return [
        peer,
        *(f"{retrieval[name]['value']:.3f}" for name in _RETRIEVAL),
        f"{spent['index_seconds'] / spent['embed_seconds']:.2f} × {spent['embed_seconds']:.1f} s",
        f"{spent['question_ms_p50']:.0f}",
        f"{spent['peak_rss_mb']:.0f}",
    ]


if __name__ == "__main__":
    sys.exit(main())
