"""The arguments of `clippings`, and how errors end it.

It imports little, so that `--help` is quick. Each command imports what it needs.
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
from bot.runtime import Parts, is_address
from index.models import ClippingsError

if TYPE_CHECKING:
    from bot.settings import Settings
    from index.storage.shard import Shard

    Run = Callable[[argparse.Namespace, Settings, Parts], int]

_EXIT_CODES = (
    "(exit codes: 0 done or answered; 1 an error, or no article was read; 2 a wrong call; 3 the articles do not say; "
    "4 done, but files were left out or could not be read)"
)
INTERRUPTED, BROKEN_PIPE = 130, 141  # as a shell reports SIGINT and SIGPIPE


def main(argv: Sequence[str] | None = None, *, parts: Parts | None = None) -> int:
    """Run a command and return its exit code: 0 done or answered, 3 refused, 4 done in part, 1 error, 2 usage."""
    arguments = _parse(argv)
    try:
        _prepare_streams()
        code = _run(arguments, parts or Parts())
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_stdout()
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001  # the last resort: users get a sentence and no traceback
        print(render.error_message(error, debug=arguments.debug), file=sys.stderr)
        _discard_stdout()
        return commands.FAILED
    return code


def _run(arguments: argparse.Namespace, parts: Parts) -> int:
    from bot.settings import ALL_BUT_DATA, ONLY_SLACK, load_settings, notices

    is_doctor = arguments.command == "doctor"
    spared = ALL_BUT_DATA if is_doctor else frozenset() if arguments.command == "slack" else ONLY_SLACK
    arguments.faults = list[str]()
    for notice in notices() if not is_doctor else ():  # which has them among what it finds
        print(one_line(notice), file=sys.stderr)
    run: Run = arguments.run
    try:
        settings = load_settings(data=arguments.data, spared=spared, faults=arguments.faults)
    except ClippingsError as error:
        if not is_doctor:
            raise
        return commands.print_checks(arguments, [("settings", False, str(error))])
    for fault in arguments.faults if not is_doctor else ():
        print(f"{fault} It was passed over: `clippings {arguments.command}` does not use it.", file=sys.stderr)
    return run(arguments, settings, parts)


def _prepare_streams() -> None:
    """Replace closed streams, and characters that the locale cannot encode, so that neither ends the command."""
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  # open until the program ends
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _discard_stdout() -> None:
    """Drop what cannot be written, so that the interpreter does not fail on it at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    arguments, unknown = make_parser().parse_known_args(argv)
    parser: argparse.ArgumentParser = arguments.parser  # of the command, whose usage an error shows
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if arguments.command == "index":
        _check_index(parser, arguments)
    if arguments.command == "sources":
        _check_sources(parser, arguments)
    if arguments.command == "remove" and not (arguments.words or arguments.older_than):
        parser.error("name what to remove: an id, a file, a folder, an outlet, or --older-than DATE")
    if arguments.command == "eval" and _overwrites_input(arguments):
        parser.error(f"--report would overwrite {arguments.report}, an input of this command: name another file")
    if arguments.command == "ask":
        try:
            make_filters(arguments.outlet, arguments.since, arguments.until)
        except ValueError as error:
            parser.error(str(error))
    return arguments


def _check_index(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if arguments.explain and (arguments.paths or arguments.prune):
        parser.error("index --explain FILE only shows how FILE is read; it takes no PATH and no --prune")
    if arguments.force and not arguments.prune:
        parser.error("--force belongs to --prune: it also removes what was read from a folder that may not be mounted")
    if arguments.html and not arguments.explain:
        parser.error("--html belongs to --explain: it writes what that shows as a page")
    if arguments.shard and any(map(_is_no_path, arguments.paths)):
        parser.error("--shard shares out files and folders, not standard input or addresses")


def _is_no_path(argument: str) -> bool:
    return argument == "-" or is_address(argument)


def _check_sources(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if arguments.action in {"add", "remove"} and not arguments.addresses:
        parser.error(f"sources {arguments.action} needs an address: a feed, a sitemap, or a page that names its feed")
    if arguments.action == "list" and arguments.addresses:
        parser.error("sources list takes no address")
    if wrong := [address for address in arguments.addresses if not is_address(address)]:
        parser.error(f"{wrong[0]!r} is no address: it must begin with http:// or https://")


def _overwrites_input(arguments: argparse.Namespace) -> bool:
    folder, report = arguments.folder, arguments.report
    inputs = [folder, arguments.compare, arguments.attacks, folder / "articles.jsonl", folder / "queries.jsonl"]
    return report is not None and os.path.realpath(report) in [os.path.realpath(path) for path in inputs if path]


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="clippings",
        description="Ask your news articles, and get an answer with the clippings that prove it.",
        epilog='example: clippings index articles/ && clippings ask "who reopened the bridge?"',
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    _add_common(parser, data=None, debug=False)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (run, add_arguments, example) in COMMANDS.items():
        epilog = f"example: clippings {example} {_EXIT_CODES}"
        command = subparsers.add_parser(
            name, help=run.__doc__, description=run.__doc__, epilog=epilog, allow_abbrev=False
        )
        command.set_defaults(run=run, parser=command)
        add_arguments(command)
        _add_common(command, data=argparse.SUPPRESS, debug=argparse.SUPPRESS)
    return parser


class _Version(argparse.Action):
    """Print the version. The import of importlib.metadata is left to this option."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"clippings {version('clippings')}")
        except PackageNotFoundError:
            print("clippings (not installed)")
        parser.exit()


def _add_common(parser: argparse.ArgumentParser, *, data: str | None, debug: str | bool) -> None:
    """Add the options that may stand before or after the command; SUPPRESS keeps a value given before it."""
    parser.add_argument("--data", type=_folder, metavar="DIR", default=data, help="the folder of the index")
    parser.add_argument("--debug", action="store_true", default=debug, help="show the traceback of an error")


def _text(word: str) -> str:
    """Read an argument that is not UTF-8 by the best guess, as articles are: mostly it is Latin-1."""
    from index.formats.decode import decode

    return decode(os.fsencode(word))


def _folder(name: str) -> Path:
    if not name.strip():
        raise argparse.ArgumentTypeError('it is empty; name a folder, or "." for this one')
    return Path(name)


def _day(text: str) -> date:
    try:
        return read_day(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _shard(text: str) -> Shard:
    from index.storage.shard import Shard

    try:
        return Shard.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no share: write 3/16 for the third of sixteen") from None


def _index(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files, folders, addresses on the web; - reads standard input (default: the files of the last run)",
    )
    add("--prune", action="store_true", help="also remove articles whose files are gone")
    add(
        "--force",
        action="store_true",
        help="with --prune: also if a folder and what holds it are gone, or a link leads outside the named folders",
    )
    add("--outlet", type=_text, metavar="NAME", help="the outlet of the articles that name none, kept for PATH")
    add("--published", type=_day, metavar="DATE", help="the day of the articles that name none, kept for PATH")
    add("--watch", action="store_true", help="then go on: read what changes, and the sources at their own pace")
    add("--shard", type=_shard, metavar="N/M", help="index only this share, beside other processes (with CHROMA_URL)")
    add("--restore", action="store_true", help="also read again what `clippings remove` removed")
    add("--explain", metavar="FILE", help="show how a file or an address is read, and what is left out; index nothing")
    add("--html", type=Path, metavar="OUT", help="with --explain: write that as a page")
    _json(parser)


def _sources(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "action",
        nargs="?",
        choices=("add", "list", "remove", "refresh"),
        default="list",
        help="add: follow and read a URL; remove: follow it no longer; refresh: read what is new; list (default)",
    )
    add("addresses", nargs="*", type=_text, metavar="URL", help="a feed, a sitemap, or a page that names its feed")
    _json(parser)


def _remove(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("words", nargs="*", type=_text, metavar="WHICH", help="an id, or its beginning; a file or folder; an outlet")
    add("--older-than", type=_day, metavar="DATE", help="all articles published before this day")
    _json(parser)


def _ask(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("question", nargs="+", type=_text, metavar="WORD", help="the question; - reads it from standard input")
    add("--from", dest="since", type=_day, metavar="DATE", help="only articles published on this day or later")
    add("--to", dest="until", type=_day, metavar="DATE", help="only articles published on this day or earlier")
    add("--outlet", type=_text, metavar="NAME", help="only articles of this outlet")
    add("--author", type=_text, metavar="NAME", help="only articles with this name in the byline")
    add("--asked", dest="as_of", type=_day, metavar="DATE", help='the day of the question, for "this week" (today)')
    _json(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "id", type=_text, metavar="WHICH", help="an id or its beginning, a file, an address or a headline"
    )
    _json(parser)


def _slack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--http", action="store_true", help="receive Slack's requests over HTTP, not in Socket Mode")


def _eval(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="a question set, or a file of questions for the indexed articles")
    add("--report", type=Path, metavar="FILE", help="write an HTML page with the figures and the failures")
    add("--compare", type=Path, metavar="OTHER", help="show what changed since OTHER, an earlier output of --json")
    attacks = 'also plant each instruction of FILE ({"kind": ["instruction", …]}) in a relevant article'
    add("--attacks", type=Path, metavar="FILE", help=attacks)
    _json(parser)


def _feedback(parser: argparse.ArgumentParser) -> None:
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print JSON lines, a question set for `eval`")
    formats.add_argument("--csv", action="store_true", help="print a table for a spreadsheet")


def _gaps(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=int, choices=range(1, 8), default=7, metavar="N", help="1 to 7, as long as kept")
    _json(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the archive to write, a zip")
    _archive(parser)


def _backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="PLACE", help="the archive to write, or a folder")
    _archive(parser)


def _archive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vectors", action="store_true", help="with the vectors: larger, and quicker to import")
    _json(parser)


def _import(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="what `export` or `backup` has written")
    add("--replace", action="store_true", help="put it in the place of the articles that are here")
    add("--follow", action="store_true", help="also read again here what was read there: folders, files, addresses")
    _json(parser)


COMMANDS: dict[str, tuple[Run, Callable[[argparse.ArgumentParser], None], str]] = {
    "index": (commands.index, _index, "index articles/ --prune"),
    "sources": (commands.sources, _sources, "sources add https://news.example/feed.xml"),
    "remove": (commands.remove, _remove, 'remove "The Courier" --older-than 2020-01-01'),
    "ask": (commands.ask, _ask, 'ask "how many came?" --outlet "The Courier"'),
    "show": (commands.show, _show, "show 3f2a9c"),
    "chat": (commands.chat, lambda _: None, "chat --data ./data"),
    "slack": (commands.slack, _slack, "slack --data ./data"),
    "status": (commands.status, _json, "status --json"),
    "doctor": (commands.doctor, _json, "doctor"),
    "export": (commands.export, _export, "export clippings.zip"),
    "import": (commands.import_, _import, "import clippings.zip --follow"),
    "backup": (commands.backup, _backup, "backup /srv/backups --vectors"),
    "eval": (commands.evaluate, _eval, "eval questions/"),
    "feedback": (commands.feedback, _feedback, "feedback --json > questions/queries.jsonl"),
    "gaps": (commands.gaps, _gaps, "gaps --days 1"),
}
"""The command, its arguments, and an example."""
