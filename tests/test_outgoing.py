"""Nothing leaves the machine but to the configured model and Slack: all packets of real commands are recorded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.outgoing import CANNOT

pytestmark = pytest.mark.process(seconds=45)

ROOT = Path(__file__).parents[1]
ARTICLE = ROOT / "articles" / "bridge-closed.html"
# Some 4 s after its first model onnxruntime 1.31 asks for mobile.events.data.microsoft.com, unless it is told not to.
OPEN_SECONDS = 10
# By which it recognises a build machine, on which it sends nothing: strings of its native library.
CI_VARIABLES = (
    "CI TF_BUILD GITHUB_ACTIONS GITLAB_CI CIRCLECI BUILDKITE TEAMCITY_VERSION BITBUCKET_BUILD_NUMBER "
    "CODEBUILD_BUILD_ID TRAVIS JENKINS_URL APPVEYOR BUILD_ID BUILD_NUMBER"
).split()

COMMANDS = """
import subprocess, sys, time
from pathlib import Path
from tests.fake_slack import FakeSlack
from tests.slack_process import FreshBotProcess, answered

data, article, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
clippings = [sys.executable, "-m", "bot", "--data", str(data)]
question = "Why was Marrow Bridge closed?"
subprocess.run([*clippings, "index", article], check=True)
subprocess.run([*clippings, "ask", question], check=True)
with subprocess.Popen([*clippings, "chat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as chat:
    chat.stdin.write(question + "\\n")
    chat.stdin.flush()
    assert chat.stdout.readline() == f"> {question}\\n"
    assert "[1]" in chat.stdout.readline()
    with FakeSlack() as slack, FreshBotProcess(slack, data) as bot:
        answered(slack, "C1", slack.say("U1", "C1", f"<@UBOT> {question}"))
        time.sleep(seconds)
        bot.terminate()
    chat.stdin.close()
    assert chat.wait(60) == 0
"""


def packets(log: Path, *command: str, weights: Path | None = None) -> list[str]:
    """Run a command in a network of its own, and return what it tried to send out of the machine.

    Nothing in its environment switches a report off: our code has to do that.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in CI_VARIABLES and not name.endswith("TELEMETRY") and name != "DO_NOT_TRACK"
    }
    home = log.parent  # where a library may keep what it would send
    own = {"PYTHONPATH": str(ROOT), "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    own |= {"CLIPPINGS_MODEL_DIR": str(weights)} if weights else {}
    done = subprocess.run(
        [sys.executable, "-m", "tests.outgoing", str(log), *command],
        cwd=home, env=kept | own, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    if done.returncode == CANNOT:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return log.read_text("utf-8").splitlines()


def test_recorder_sees_what_is_sent(tmp_path: Path) -> None:
    """A datagram and a name that is looked up are in the log: an empty log means that nothing was sent."""
    code = (
        "import socket\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.7', 9))\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto("
        "b'\\0' * 4 + b'\\0\\1' + b'\\0' * 6 + b'\\4news\\7example\\0', ('192.0.2.7', 53))\n"
    )
    assert packets(tmp_path / "log", sys.executable, "-c", code) == ["udp 192.0.2.7:9", "dns news.example"]


def test_commands_send_nothing(tmp_path: Path, weights: Path) -> None:
    """`index`, `ask`, and `chat` and `slack` long enough for a report to be sent: not one packet leaves the machine."""
    command = [sys.executable, "-c", COMMANDS, str(tmp_path / "data"), str(ARTICLE), str(OPEN_SECONDS)]
    assert packets(tmp_path / "log", *command, weights=weights) == []
