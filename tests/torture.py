"""All that a hostile world does to an index and a question, one harness after the other: ``python -m tests.torture``.

Prints what each harness prints, and their last lines as a table; the exit code is 1 if anything was lost, crashed or
was let out. Some of the figures are in SECURITY.md.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
HARNESSES = {
    "killed while it indexes": ("tests.kill_indexing", "20"),
    "killed servers": ("tests.kill_servers", "25"),
    "errors of the disk": ("tests.disk_errors", "30"),
    "killed bots and their database": ("tests.kill_replicas", "25"),
    "moved to servers and back": ("tests.three_steps", "100"),
    "damaged files": ("tests.corrupt_index",),
    "hostile language models": ("tests.hostile_model",),
    "hostile texts": ("tests.hostile_patterns",),
}


def main() -> int:
    """Run all harnesses."""
    rows = []
    for name, (module, *arguments) in HARNESSES.items():
        print(f"\n## {name}\n", flush=True)
        started, last = time.monotonic(), ""
        command = [sys.executable, "-m", module, *arguments]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running:
            assert running.stdout
            for line in running.stdout:
                print(line, end="", flush=True)
                last = line.strip() or last
        rows.append((name, "good" if running.returncode == 0 else "WRONG", f"{time.monotonic() - started:.0f}", last))
    print("\n| harness | | seconds | figures |\n|---|---|---|---|")
    for row in rows:
        print("|", " | ".join(row), "|")
    return int(any(outcome != "good" for _, outcome, *_ in rows))


if __name__ == "__main__":
    sys.exit(main())
