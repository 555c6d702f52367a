"""Let the disk fail in the middle of indexing, and look at what is left: ``python -m tests.disk_errors 30``.

Each round writes all articles anew and indexes them through the command line while something gives out: the disk is
full after so many bytes, no file may grow beyond so many, or no more than so many files may be open. The command must
end with a message; with the disk still full, every article must be readable, wholly old or new; and with room again
the next run must complete the index. The disk is a file system in memory, in a mount namespace of its own.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from index.embedding.embed import Embedder
from index.embedding.weights import locate
from index.storage.generation import current
from tests.kill_indexing import Ruin

ROOT = Path(__file__).parents[1]
ARTICLES = 80  # more than are written together
INSIDE = "--inside"
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
DISK_BYTES = 256_000_000
MIN_FREE_BYTES, MAX_FREE_BYTES = 0, 800_000
MIN_FILE_BYTES, MAX_FILE_BYTES = 10_000, 1_000_000
MIN_FILES, MAX_FILES = 8, 50
WAYS = ("full disk", "file size", "open files")


def limited_index(ruin: Ruin, way: str) -> tuple[str, str]:
    """Index through the command line, with something that gives out; return the outcome and what was printed."""
    chance, fill = ruin.chance, ruin.folder / "fill"
    limits: dict[int, int] = {}
    if way == "full disk":
        status = os.statvfs(ruin.folder)
        size = status.f_bavail * status.f_frsize - chance.randint(MIN_FREE_BYTES, MAX_FREE_BYTES)
        with fill.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, size)
    elif way == "file size":
        limits[resource.RLIMIT_FSIZE] = chance.randint(MIN_FILE_BYTES, MAX_FILE_BYTES)
    else:
        limits[resource.RLIMIT_NOFILE] = chance.randint(MIN_FILES, MAX_FILES)

    def limit() -> None:
        for name, value in limits.items():
            resource.setrlimit(name, (value, value))

    command = [sys.executable, "-m", "bot", "--data", str(ruin.data), "index", str(ruin.folder / "articles")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CLIPPINGS_MODEL_DIR": str(ruin.weights)}
    done = subprocess.run(  # this process has no other threads that hold locks
        command, cwd=ROOT, env=environment, preexec_fn=limit, capture_output=True, text=True, timeout=300, check=False
    )
    printed = done.stdout + done.stderr
    if done.returncode < 0:
        return f"signal {-done.returncode}", printed
    if "Unexpected" in printed:
        return "unexpected", printed
    if "Traceback" in printed:  # too few open files even to import, which is Python's to say
        started = current(ruin.data) is not None and "bot/cli/parser.py" in printed
        return ("traceback" if started and way != "open files" else "did not start"), printed
    return ("had room" if done.returncode == 0 else "said"), printed


def torment(folder: Path, weights: Path, cases: int, articles: int = ARTICLES) -> Counter[str]:
    """Run so many rounds; raises AssertionError at the first damage, and returns how often what came."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)], check=True)
    ruin = Ruin(folder, weights, articles, random.Random(1), Embedder(weights))  # noqa: S311  # not for a secret
    ruin.write()
    ruin.index()
    outcomes: Counter[str] = Counter()
    for i in range(cases):
        way = WAYS[i % len(WAYS)]
        ruin.write()
        outcome, printed = limited_index(ruin, way)
        outcomes[f"{way}: {outcome}"] += 1
        last = (printed.strip().splitlines() or [""])[-1]
        print(f"{i + 1:4} {way}: {outcome}: {last[:150]}", flush=True)
        assert outcome in {"said", "had room", "did not start"}, f"{way}: {outcome}\n{printed[-2000:]}"
        ruin.check_read(whole=True)
        (folder / "fill").unlink(missing_ok=True)
        ruin.index()
        ruin.check_whole()
    return outcomes


def main(cases: int) -> int:
    """Print what came how often; the exit code is 1 if anything was lost or crashed."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            outcomes = torment(Path(scratch), locate(), cases)
        finally:
            subprocess.run(["umount", "--lazy", scratch], check=False)
    for outcome, times in sorted(outcomes.items()):
        print(f"{times:4} {outcome}")
    said = sum(times for outcome, times in outcomes.items() if outcome.endswith("said"))
    print(f"{cases} rounds, {said} with an error, nothing lost ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    if INSIDE in sys.argv:
        sys.exit(main(int(sys.argv[-1])))
    count = sys.argv[1] if len(sys.argv) > 1 else "30"
    sys.exit(subprocess.call([*NAMESPACE, sys.executable, "-m", "tests.disk_errors", INSIDE, count], cwd=ROOT))
