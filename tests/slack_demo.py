"""The real bot in a browser, without Slack: a fake workspace with its page.

python -m tests.slack_demo [--port N] [--screenshots FOLDER] [--picture FILE] [--kinds FOLDER]

``--picture docs/slack.png`` renews the picture of README.md, ``--kinds docs/kinds`` those of docs/kinds.md.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dotenv import dotenv_values

from bot.cli import parser as cli
from tests.fake_slack import FakeSlack
from tests.kinds_shown import QUESTIONS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

PORT = 8700
PATIENCE = 30_000  # milliseconds that a step of the page may take
ROOT = Path(__file__).parents[1]
ARTICLES, DATA = ROOT / "articles", ROOT / ".demo"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
WIDTH, HEIGHT = 1180, 760  # of a window, in pixels
MAX_START_SECONDS = 60.0
MAX_STOP_SECONDS = 35.0  # the bot gives itself 30 to finish its answers
MAX_LOG_LINES = 15
_PAPER = "font: 18px/1.6 Georgia, serif; max-width: 40em; margin: 3em auto; white-space: pre-wrap"


class BotEnded(Exception):
    """The process of the bot ended or did not start. The message has the last lines of its log."""


class Bot:
    """The process of the real bot, in a fake workspace."""

    def __init__(self, slack: FakeSlack, data: Path, environment: Mapping[str, str]) -> None:
        self._slack = slack
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # stop() closes it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bot", "--data", str(data), "slack"],
            cwd=data,  # where no .env of a real workspace lies
            env={**_without_slack(environment), **_workspace(slack), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C ends this process, which then ends that one
        )

    def check(self) -> None:
        """Raise BotEnded if the process has ended."""
        code = self._process.poll()
        if code is not None:
            raise BotEnded(f"The bot ended with code {code}. Its last lines:\n{self._last_lines()}")

    def wait_until_connected(self) -> None:
        """Wait until the bot is connected to the workspace. Raises BotEnded."""
        end = time.monotonic() + MAX_START_SECONDS
        while not self._slack.connected():
            self.check()
            if time.monotonic() > end:
                raise BotEnded(f"The bot did not connect in {MAX_START_SECONDS:.0f} s:\n{self._last_lines()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Terminate the process, and kill it if that takes too long."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(MAX_STOP_SECONDS)
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _last_lines(self) -> str:
        self._log.seek(0)
        return "\n".join(self._log.read().decode(errors="replace").splitlines()[-MAX_LOG_LINES:])


def _without_slack(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out the settings of a real workspace: its tokens, its access lists, its database."""
    return {name: value for name, value in environment.items() if "SLACK" not in name and name != "DATABASE_URL"}


def _workspace(slack: FakeSlack) -> dict[str, str]:
    return {
        "CLIPPINGS_SLACK_API_URL": slack.api_url,
        "CLIPPINGS_SLACK_PORT": "0",
        "CLIPPINGS_SLACK_ADMINS": "U1",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
    }


@contextmanager
def connected_bot(slack: FakeSlack, data: Path, environment: Mapping[str, str] = os.environ) -> Iterator[Bot]:
    """Run the real bot in the fake workspace, over the index in ``data``. Raises BotEnded."""
    bot = Bot(slack, data.resolve(), environment)
    try:
        bot.wait_until_connected()
        yield bot
    finally:
        bot.stop()


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser without a window, which reaches this machine only. Raises FileNotFoundError where there is none."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise FileNotFoundError(f"None of these browsers is installed: {', '.join(BROWSERS)}.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=BROWSER_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, url: str, *, width: int = WIDTH, height: int = HEIGHT) -> Page:
    """Open the workspace in a window. The articles' addresses lead to the files in articles/."""
    page = browser.new_page(viewport={"width": width, "height": height}, locale="en-GB")
    page.set_default_timeout(PATIENCE)
    page.context.route(re.compile(r"^https?://[^/]*\.example/"), _show_article)
    page.goto(url)
    return page


def _show_article(route: Route) -> None:
    articles = [(path, path.read_text("utf-8")) for path in sorted(ARTICLES.iterdir())]
    matches = (article for article in articles if route.request.url in article[1])
    path, text = next(matches, (ARTICLES, "No such article."))
    page = text if path.suffix == ".html" else f'<article style="{_PAPER}">{escape(text)}</article>'
    route.fulfill(body=page, content_type="text/html; charset=utf-8")


def say(page: Page, text: str, *, box: str = "Message") -> None:
    """Type into the composer of the channel ("Message") or of the thread ("Reply"), and send."""
    field = page.get_by_role("textbox", name=box, exact=True)
    field.fill(text)
    field.press("Enter")


def ask(page: Page, question: str) -> Locator:
    """Ask in the channel, open the thread, and return the answer."""
    page.locator("main").wait_for()
    same = page.locator("#messages > .message", has_text=question.removeprefix("@Clippings "))
    earlier = same.count()
    say(page, question)
    same.nth(earlier).get_by_role("link", name="1 reply").click()
    return answer(page, 1)


def answer(page: Page, number: int) -> Locator:
    """Wait for an answer in the thread, by its number: a message with buttons for feedback."""
    found = page.locator("#replies > .message", has_text="Not helpful").nth(number - 1)
    found.wait_for()
    return found


def converse(page: Page) -> Iterator[tuple[str, Page]]:
    """Play a conversation. After each step, yield its name and the window to take a picture of."""
    ask(page, "@Clippings How much did the repair of Marrow Bridge cost?")
    yield "1-ask", page
    say(page, "When did it reopen?", box="Reply")
    second = answer(page, 2)
    yield "2-follow-up", page
    with page.expect_popup() as opened:
        second.get_by_role("link").first.click()
    yield "3-source", opened.value
    opened.value.close()
    answer(page, 1).get_by_text("Show passage 1", exact=True).click()
    page.get_by_role("dialog").wait_for()
    yield "4-passage", page
    page.keyboard.press("Escape")
    second.get_by_text("Not helpful").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("I asked for the day, and got the weekday.")
    yield "5-feedback", page
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    page.get_by_role("link", name="Clippings Home").click()
    page.locator("#home").get_by_role("heading").first.wait_for()
    yield "6-home", page


def take_picture(page: Page, path: Path) -> None:
    """Save a PNG of a thread: a question and its answer."""
    ask(page, "@Clippings How much did the repair of Marrow Bridge cost?")
    page.locator("#replies > .message").first.scroll_into_view_if_needed()
    page.mouse.move(0, 0)
    page.screenshot(path=path, animations="disabled")
    print(path)


def take_pictures(page: Page, folder: Path) -> None:
    """Save a PNG of each step of the conversation."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, window in converse(page):
        window.screenshot(path=folder / f"{name}.png", animations="disabled")
        print(folder / f"{name}.png")


def take_pictures_of_kinds(page: Page, folder: Path) -> None:
    """Save a JPEG of the first message of an answer for each kind of question.

    A user may ask so many only once an hour: remove `.demo/slack.db` before the next time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page.locator("main").wait_for()
    for kind, question in QUESTIONS.items():
        say(page, f"@Clippings {question}")
        replies = re.compile(r"\d+ repl(?:y|ies)")
        page.locator("#messages > .message", has_text=question).get_by_role("link", name=replies).click()
        page.locator("#replies > .message").nth(1).wait_for()
        page.locator(".streaming, .busy").first.wait_for(state="detached")
        page.mouse.move(0, 0)
        path = folder / f"{kind.replace(' ', '-')}.jpg"
        page.locator("#replies > .message").nth(1).screenshot(path=path, type="jpeg", quality=60, animations="disabled")
        print(path)


def free_port(first: int) -> int:
    """Return the first free port from ``first`` on. Raises OSError."""
    for port in range(first, first + 100):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise OSError(f"No port from {first} to {first + 99} is free.")


def run(port: int, screenshots: Path | None = None, picture: Path | None = None, kinds: Path | None = None) -> None:
    """Serve the workspace until Ctrl-C, or play a conversation and save pictures of it. Raises BotEnded."""
    if cli.main(["--data", str(DATA), "index", str(ARTICLES)]):
        raise BotEnded("The articles could not be indexed.")
    settings = {**{name: value for name, value in dotenv_values(".env").items() if value}, **os.environ}
    with FakeSlack(port=free_port(port)) as slack:
        slack.dm("U1")
        slack.add_user("U2", name="Ann")
        slack.say("U2", "C1", "Good morning! Does anybody remember when Marrow Bridge reopened?", deliver=False)
        with connected_bot(slack, DATA, settings) as bot:
            if screenshots or picture or kinds:
                with open_browser() as browser:
                    if picture:
                        take_picture(open_page(browser, slack.url, width=1000, height=700), picture)
                    if kinds:
                        take_pictures_of_kinds(open_page(browser, slack.url, width=1300, height=1600), kinds)
                    if screenshots:
                        take_pictures(open_page(browser, slack.url), screenshots)
                return
            print(f"Talk to Clippings at {slack.url} (Ctrl-C ends it)", flush=True)
            while True:
                bot.check()
                time.sleep(0.2)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns 0 if it was ended by hand, 1 after an error."""
    parser = argparse.ArgumentParser(prog="python -m tests.slack_demo", description="Talk to the bot in a browser.")
    parser.add_argument("--port", type=int, default=PORT, help=f"the first port to try ({PORT})")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="play a conversation, save pictures, end")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="ask a question, save a picture, end")
    parser.add_argument("--kinds", type=Path, metavar="FOLDER", help="ask a question of each kind, save pictures, end")
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(arguments.port, arguments.screenshots, arguments.picture, arguments.kinds)
    except KeyboardInterrupt:
        print("\nThe bot has stopped.")
    except (BotEnded, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
