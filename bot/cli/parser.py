"""The command `clippings`: its arguments, and what becomes of errors.

Little is imported here, so that `--help` answers at once; each command imports what it needs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bot.cli import commands, render
from bot.cli.filters import make_filters, read_day
from bot.plain_text import one_line
from bot.runtime import Parts

if TYPE_CHECKING:
    from bot.settings import Settings

    Command = Callable[[argparse.Namespace, Settings, Parts], int]

INTERRUPTED, BROKEN_PIPE = 130, 141


def main(argv: Sequence[str] | None = None, *, parts: Parts | None = None) -> int:
    """Run one command and return its exit code: 0 done or answered, 3 refused, 1 error, 2 usage."""
    arguments = _parse(argv)
    try:
        _ready_streams()
        code = _run(arguments, parts or Parts())
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _abandon_stdout()
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001  # the last resort: a user is told a sentence and no traceback
        print(render.trouble(error, debug=arguments.debug), file=sys.stderr)
        _abandon_stdout()
        return commands.FAILED
    return code


def _run(arguments: argparse.Namespace, parts: Parts) -> int:
    from bot.settings import likely_typos, load_settings

    for typo in likely_typos():
        print(one_line(typo), file=sys.stderr)
    settings = load_settings(data=arguments.data)
    run: Command = arguments.run
    return run(arguments, settings, parts)


def _ready_streams() -> None:
    """See to it that neither a closed stream nor a character that the locale does not know ends the command."""
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  # it stays open as long as the program
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _abandon_stdout() -> None:
    """Keep the interpreter from failing once more, at exit, on what could not be written."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser()
    arguments = parser.parse_args(argv)
    if arguments.command == "index" and arguments.explain and (arguments.paths or arguments.prune):
        parser.error("index --explain FILE indexes nothing: it goes with no PATH and without --prune")
    if arguments.command == "eval" and (wrong := _overwritten(arguments)):
        parser.error(wrong)
    if arguments.command == "ask":
        try:
            make_filters(arguments.outlet, arguments.since, arguments.until)
        except ValueError as error:
            parser.error(str(error))
    return arguments


def _overwritten(arguments: argparse.Namespace) -> str | None:
    """What is wrong where the report of `eval` would be written over a file that it reads."""
    folder, report = arguments.folder, arguments.report
    read = [arguments.compare, arguments.attacks, folder / "articles.jsonl", folder / "queries.jsonl"]
    if report is None or os.path.realpath(report) not in [os.path.realpath(one) for one in read if one]:
        return None
    return f"--report would overwrite {report}, which is read: name another file"


def make_parser() -> argparse.ArgumentParser:
    """The arguments of `clippings`."""
    parser = argparse.ArgumentParser(
        prog="clippings",
        description="Ask your news articles, and get an answer with the clippings that prove it.",
        epilog='example: clippings index articles/ && clippings ask "who reopened the bridge?"',
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    _add_common(parser, data=None, debug=False)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (run, add_arguments, purpose, example) in COMMANDS.items():
        command = subparsers.add_parser(
            name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", epilog=example, allow_abbrev=False
        )
        command.set_defaults(run=run)
        add_arguments(command)
        _add_common(command, data=argparse.SUPPRESS, debug=argparse.SUPPRESS)
    return parser


class _Version(argparse.Action):
    """Look the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("clippings")
        except PackageNotFoundError:
            found = "(not installed)"
        print(f"clippings {found}")
        parser.exit()


def _add_common(parser: argparse.ArgumentParser, *, data: str | None, debug: str | bool) -> None:
    """The options that may stand before a command or after it; there, SUPPRESS keeps what was said before."""
    parser.add_argument("--data", type=Path, metavar="DIR", default=data, help="the folder of the index")
    parser.add_argument("--debug", action="store_true", default=debug, help="show the traceback of an error")


def _day(text: str) -> date:
    try:
        return read_day(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="files and folders; none: those of last time"
    )
    parser.add_argument("--prune", action="store_true", help="remove articles that are gone from where they were read")
    parser.add_argument(
        "--explain", type=Path, metavar="FILE", help="show what in FILE is taken for what, and index nothing"
    )
    _json(parser)


def _ask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", nargs="+", metavar="WORD", help="the question; - reads it from standard input")
    parser.add_argument("--from", dest="since", type=_day, metavar="DATE", help="only articles of this day or later")
    parser.add_argument("--to", dest="until", type=_day, metavar="DATE", help="only articles of this day or earlier")
    parser.add_argument("--outlet", metavar="NAME", help="only articles of this outlet")
    parser.add_argument("--asked", type=_day, metavar="DATE", help='the day that "this week" is seen from (today)')
    _json(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of the article, as `ask --json` gives it")
    _json(parser)


def _slack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--http", action="store_true", help="take Slack's requests over HTTP (else: Socket Mode)")


def _eval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="questions with their answers; and articles, else those indexed"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page (HTML) with figures and failures")
    parser.add_argument(
        "--compare", type=Path, metavar="OTHER", help="say what changed since an earlier output of --json"
    )
    parser.add_argument(
        "--attacks",
        type=Path,
        metavar="FILE",
        help='also plant each instruction of FILE ({"kind": ["instruction", …]}) in a relevant article',
    )
    _json(parser)


def _feedback(parser: argparse.ArgumentParser) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON lines, which `eval` takes as questions")
    form.add_argument("--csv", action="store_true", help="print a table for a spreadsheet")


COMMANDS: dict[str, tuple[Command, Callable[[argparse.ArgumentParser], None], str, str]] = {
    "index": (commands.index, _index, "read articles into the index", "example: clippings index articles/ --prune"),
    "ask": (
        commands.ask,
        _ask,
        "answer a question (exit code 3: the articles do not say)",
        'example: clippings ask "how many came?" --outlet "The Courier"',
    ),
    "show": (commands.show, _show, "print an article", "example: clippings show 3f2a9c"),
    "chat": (commands.chat, lambda _: None, "talk with the articles", "example: clippings chat --data ./data"),
    "slack": (commands.slack, _slack, "answer in Slack", "example: clippings slack --data ./data"),
    "status": (commands.status, _json, "say what is indexed and how it is", "example: clippings status --json"),
    "eval": (commands.evaluate, _eval, "measure the answers to known questions", "example: clippings eval questions/"),
    "feedback": (
        commands.feedback,
        _feedback,
        "say what people thought of the answers in Slack",
        "example: clippings feedback --json > questions/queries.jsonl",
    ),
}


if __name__ == "__main__":
    sys.exit(main())
