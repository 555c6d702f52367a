"""The command line in processes that start at once: each is forked from a process that has imported everything.

process = Forked(["--data", "data", "slack"], env={...}, cwd=folder, log=folder / "log")
process.send_signal(signal.SIGKILL)
assert process.wait(60) == -signal.SIGKILL

`python -m bot` takes 1.8 s of processor time for its imports and models, a fork 0.1 s. A forked process is alone in its
process, with an environment, a folder and streams of its own: it can crash, be killed, and hold locks. Its models use
one processor, as those in the tests' own process do. How the interpreter starts and ends is not tested this way: tests
of that start `python -m bot`.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from bot.cli.parser import main
from index.embedding.telemetry import disable_telemetry
from index.embedding.weights import locate
from tests.kept_models import models_kept

_ROOT = Path(__file__).parents[1]
_MARK = "CLIPPINGS_TESTS_FORK_FROM"  # in the environment of the process that is forked, the folder of the weights
# What the commands and the Slack bot import when they first need it.
_IMPORTS = (
    "bot.answer bot.cli.commands bot.extract.reader bot.generate.llm bot.settings bot.slack.serve chromadb.api.rust "
    "chromadb.telemetry.product.posthog h11 httpcore index.ingest index.search llama_index.llms.openai_like "
    "onnxruntime openai.resources tokenizers waitress.server"
).split()
_kept = models_kept()  # of the process that is forked: they must not be closed


class Forked:
    """One ``clippings ARGUMENTS`` or more in a process, with what the tests use of `subprocess.Popen`.

    Standard output is added to ``log``, and so are errors unless ``errors`` names another file. ``limits`` are set in
    the process before it begins: ``{"bot.slack.serve.MAX_STOP_SECONDS": 0.3}``.
    """

    def __init__(
        self,
        *commands: Sequence[str],
        env: dict[str, str],
        cwd: Path,
        log: Path,
        errors: Path | None = None,
        limits: Mapping[str, float] | None = None,
    ) -> None:
        arguments = (commands, env, cwd, log, errors or log, limits or {})
        self._process = fork(_run, *arguments, weights=env.get("CLIPPINGS_MODEL_DIR", ""))

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal if the process has not ended."""
        if self.poll() is None and self._process.pid:
            os.kill(self._process.pid, number)

    def wait(self, timeout: float) -> int:
        """Wait until the process ends; returns its exit code, negative for a signal. Raises TimeoutExpired."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("clippings", timeout)
        return code

    def poll(self) -> int | None:
        """Its exit code; None while the process runs."""
        return self._process.exitcode


def fork(function: Callable[..., object], *arguments: object, weights: str) -> ForkServerProcess:
    """Start a process that calls a function; ``weights``: their folder, "" for the default."""
    process = _server(weights).Process(target=function, args=arguments)
    process.start()
    return process


@cache
def _server(weights: str) -> ForkServerContext:
    """Start the process that is forked: once, for the tests use the same weights."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    changed = {_MARK: weights or "default", "PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    atexit.register(forkserver._forkserver._stop)  # type: ignore[attr-defined]  # else its time is counted nowhere
    return context


def _preload(weights: str) -> None:
    """Import and read what every start needs, without a thread: a fork has none of the threads of its parent."""
    disable_telemetry()
    for name in _IMPORTS:
        importlib.import_module(name)
    folder = locate(None if weights == "default" else Path(weights), fetchers={})
    _kept.__enter__()
    from bot.extract.reader import Reader
    from index.embedding.embed import Embedder

    Embedder(folder)
    Reader(folder)
    tasks = Path("/proc/self/task")
    if tasks.is_dir() and len(list(tasks.iterdir())) > 1:
        sys.exit("tests/forked.py: a thread runs in the process that is to be forked")
    gc.freeze()


def _run(  # what tells one process from another
    commands: Sequence[Sequence[str]],
    env: dict[str, str],
    cwd: Path,
    log: Path,
    errors: Path,
    limits: Mapping[str, float],
) -> None:
    for limit, value in limits.items():
        module, _, name = limit.rpartition(".")
        setattr(importlib.import_module(module), name, value)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for number, file in ((1, log), (2, errors)):
        with file.open("ab") as stream:
            os.dup2(stream.fileno(), number)
    sys.exit(max([main(arguments) for arguments in commands]))


if weights_folder := os.environ.pop(_MARK, ""):
    _preload(weights_folder)
