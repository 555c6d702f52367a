"""Ask with a hostile language model's server, and look at what comes of it: ``python -m tests.hostile_model``.

Each case asks a question through the command line while a server on loopback misbehaves. It passes if the answer is
that without a language model, in time and in bounded memory, without a traceback; no thread still reads; no other
address gets a request; and the key is in nothing that is shown. The memory is that of the whole process, with the
server's own buffers.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import sys
import tempfile
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from bot.cli.parser import main as clippings
from index.ingest import ingest
from tests.fakes.openai_server import OpenAIServer, Reply

ARTICLES = Path(__file__).parents[1] / "articles"
QUESTION = "How many people were killed in the Kerman attack?"
KEY = "sk-secret-of-the-user"
TIMEOUT_SECONDS = 5
MAX_MORE_SECONDS = 25.0  # than without a model, also on a busy machine: what is not ended hangs for ever
MAX_MORE_BYTES = 250_000_000  # of which the server has its reply, in some copies
MAX_THREAD_SECONDS = 10.0


def event(text: str) -> bytes:
    """An event of a stream, with a delta."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    data = {"id": "x", "created": 1, "model": "x", "object": "chat.completion.chunk", "choices": [choice]}
    return f"data: {json.dumps(data)}\n\n".encode()


def replies(elsewhere: str) -> dict[str, Reply]:
    """The misdeeds by name; ``elsewhere``: the address of another server."""
    to = (("Location", f"{elsewhere}/chat/completions"),)
    bomb = gzip.compress(b" " * 50_000_000)
    return {
        **{f"redirect {status}": Reply(status=status, headers=to) for status in (301, 302, 303, 307, 308)},
        "gzip bomb": Reply(raw=bomb, headers=(("Content-Encoding", "gzip"),), endless=True),
        "trickles the body": Reply.of("The ferry", pause=0.05, drip=True),
        "trickles the head": Reply(drip_head=True, pause=0.05),
        "hangs": Reply.of("The ferry", pause=60),
        "endless line": Reply(raw=b"x" * 65_536, endless=True),
        "deltas without end": Reply(raw=event("a") * 300, endless=True),
        "80,000 deltas": Reply(raw=event("a") * 80_000),
        "one delta of 10 MB": Reply(raw=event("a" * 10_000_000)),
        "cut rudely": Reply.of("At least 84 ", cut="rudely"),
        "cut politely": Reply.of("At least 84 ", cut="politely"),
        "header of 1 MB": Reply(raw=b"", headers=(("X", "x" * 1_000_000),)),
        "100,000 headers": Reply(raw=b"", headers=(("X", "x"),) * 100_000),
        "a web page": Reply(raw=b"<html><body>Welcome</body></html>", headers=(("Content-Type", "text/html"),)),
        "nonsense": Reply(raw=bytes(range(256)) * 1_000),
        "deep JSON": Reply(raw=b"data: " + b"[" * 1_000_000 + b"\n\n"),
        "empty": Reply(raw=b""),
        **{f"status {status}, with the key": Reply(status=status) for status in (400, 401, 429, 500, 503)},
        "a lie": Reply.of("Nobody was killed, and Clippings is owned by Qzx [1]."),
        "instructions": Reply.of("<script>alert(1)</script> \x1b[31mSee http://evil.example/?q=84 [1]."),
    }


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case; ``wrong`` names what should not have."""

    name: str
    text: str
    notice: str
    seconds: float
    megabytes: float
    wrong: tuple[str, ...]


def ask(name: str, expected: Result | None, elsewhere: OpenAIServer) -> Result:
    """Ask, and compare with what is ``expected``."""
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    out, err, started = io.StringIO(), io.StringIO(), time.monotonic()
    with redirect_stdout(out), redirect_stderr(err):
        code = clippings(["ask", "--json", QUESTION])
    seconds, megabytes = time.monotonic() - started, (_memory("VmHWM") - before) / 1e6
    until = time.monotonic() + MAX_THREAD_SECONDS
    while (left := _reading()) and time.monotonic() < until:
        time.sleep(0.05)
    answer = json.loads(out.getvalue() or "{}")
    text = json.dumps([answer.get("text"), [citation["quote"] for citation in answer.get("citations", ())]])
    wrong = {
        f"exit code {code}": code != 0,
        "another answer": expected and text != expected.text,
        "slow": expected and seconds > expected.seconds + MAX_MORE_SECONDS,
        "memory": megabytes > MAX_MORE_BYTES / 1e6,
        "a thread is left": left,
        "a request elsewhere": elsewhere.requests,
        "the key is shown": KEY in out.getvalue() + err.getvalue(),
        "a traceback": "Traceback" in err.getvalue(),
    }
    notice = " ".join((answer.get("notice") or "").split())
    return Result(name, text, notice, seconds, megabytes, tuple(key for key, bad in wrong.items() if bad))


def _memory(of: str) -> int:
    found = re.search(rf"{of}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return 1024 * int(found[1])


def _reading() -> bool:
    return any(thread.name == "clippings-llm" for thread in threading.enumerate())


def main() -> int:
    """Print a table; the exit code is 1 if a case went wrong."""
    with tempfile.TemporaryDirectory() as scratch, OpenAIServer() as elsewhere:
        data = Path(scratch) / "data"
        assert not ingest(data, [ARTICLES], progress=lambda _done, _total: None).failed
        os.chdir(scratch)  # where no .env lies
        settings = {"DATA": str(data), "LLM": "", "LLM_API_KEY": KEY, "LLM_TIMEOUT": str(TIMEOUT_SECONDS)}
        os.environ |= {f"CLIPPINGS_{name}": value for name, value in settings.items()}
        ask("none, for the first time", None, elsewhere)
        quoted = ask("none", None, elsewhere)
        results = []
        print("| server | seconds | MB more | shown | wrong |\n|---|---|---|---|---|")
        for name, reply in replies(elsewhere.url).items():
            with OpenAIServer() as server:
                server.script(*[reply] * 10)
                os.environ["CLIPPINGS_LLM"] = f"openai-like:{server.url}#fake"
                result = ask(name, quoted, elsewhere)
            row = (name, f"{result.seconds:.1f}", f"{result.megabytes:.0f}", result.notice, ", ".join(result.wrong))
            print("|", " | ".join(row), "|", flush=True)
            results.append(result)
    wrong = sum(bool(result.wrong) for result in results)
    slowest, largest = max(result.seconds for result in results), max(result.megabytes for result in results)
    print(
        f"{len(results)} servers, {wrong} wrong; at most {slowest:.1f} s ({quoted.seconds:.1f} s without a model)",
        end="",
    )
    print(f" and {largest:.0f} MB more")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
