"""The commands of `clippings`: each takes its arguments and settings, prints, and returns the exit code.

The docstring of a command is its help text.
"""

from __future__ import annotations

import difflib
import shutil
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from bot import serialize
from bot.cli import render
from bot.cli.filters import known_outlet, make_filters
from bot.plain_text import counted, one_line, title
from bot.runtime import Parts, is_address, progress_bar, shown_steps
from index.models import ClippingsError, Failure, Filters

if TYPE_CHECKING:
    from bot.models import AnswerEngine
    from bot.settings import Settings
    from index.ingest import Report

OK, FAILED, USAGE, REFUSED, LEFT_OUT = 0, 1, 2, 3, 4  # LEFT_OUT: done, but not every file was read
NO_ARTICLES = frozenset(
    ".png .jpg .jpeg .gif .webp .svg .ico .bmp .tif .tiff .avif .mp3 .m4a .wav .ogg .mp4 .mov .webm .avi .css .js .map "
    ".woff .woff2 .ttf .otf".split()
)
"""The endings of what lies beside articles, by which the exit code is not LEFT_OUT."""
MAX_SKIPPED_KINDS = 8
MAX_EXPLAINED = 20  # records of a file
_LEFT_OUT = {
    "withdrawn": "Stories that their sender has withdrawn, and that are not indexed: {}.",
    "embargoed": "Stories under embargo, to be read by a later run: {}.",
    "drafts": "Posts that are not published, left out: {}.",
    "superseded": "Older versions of stories, left out: {}.",
    "kept_out": "Articles that `clippings remove` removed, left out: {}. `clippings index --restore` reads them again.",
}
"""What is printed of the counts of a report, if they are not 0."""
_ABLE = {"can": True, "cannot": False}
_OTHER_ENDINGS = frozenset(".tar .tgz .tbz2 .txz .gz .bz2 .xz .zst .7z .rar .json .jsonl .csv .db .sqlite".split())
"""Of what an export is not."""


def index(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Read articles into the index."""
    if arguments.explain:
        return _explain(arguments, settings, parts)
    from index.ingest import Choices

    is_piped = "-" in arguments.paths
    paths = [Path(path) for path in arguments.paths if path != "-" and not is_address(path)]
    with _standard_input(read=is_piped) as piped, progress_bar("articles") as progress:
        choices = Choices(
            restore=arguments.restore,
            outlet=arguments.outlet or "",
            published=arguments.published,
            standard_input=piped,
            addresses=tuple(path for path in arguments.paths if is_address(path)),
            web_hosts=settings.web_hosts,
            shard=arguments.shard,
        )
        report = parts.ingest(
            settings, paths, prune=arguments.prune, force=arguments.force, progress=progress, choices=choices
        )
    code = _print_report(arguments, report)
    return _watch(arguments, settings, parts, paths) if arguments.watch else code


def _watch(arguments: Namespace, settings: Settings, parts: Parts, paths: Sequence[Path]) -> int:
    """Read what changes, and what is due on the web, until Ctrl-C; print what that did, if it did anything."""
    from index.ingest import Choices
    from index.watch import rounds

    paths = paths or parts.followed_paths(settings)
    sys.stdout.flush()  # what was read first, for whoever reads this through a pipe
    print("Watching; Ctrl-C ends it.", file=sys.stderr, flush=True)
    for sources_are_due in rounds(paths, settings.data):
        addresses = tuple(parts.due_sources(settings)) if sources_are_due and not arguments.shard else ()
        if sources_are_due and not addresses:
            continue
        hosts, shard = settings.web_hosts, arguments.shard
        choices = Choices(addresses=addresses, are_sources=True, web_hosts=hosts, shard=shard)
        try:
            named = [] if addresses else paths
            report = parts.ingest(settings, named, prune=arguments.prune, progress=lambda *_: None, choices=choices)
        except ClippingsError as error:  # another process is indexing: the next round reads it
            print(one_line(str(error)), file=sys.stderr, flush=True)
            continue
        if report.failed or report.added or report.changed or report.removed:
            _print_report(arguments, report)
            sys.stdout.flush()
    return OK


def _print_report(arguments: Namespace, report: Report) -> int:
    _print(arguments, serialize.report(report), [render.line(_summary(report, arguments))], report.failed)
    was_read = report.added + report.changed + report.unchanged
    is_empty = report.is_empty and arguments.command != "sources"  # a quiet run of cron is no error
    if is_empty or (report.failed and not was_read):
        return FAILED
    return LEFT_OUT if report.failed or report.skipped.keys() - NO_ARTICLES else OK


def sources(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Follow feeds, sitemaps and pages on the web."""
    from index.ingest import Choices

    if arguments.action in {"list", "remove"}:
        removed = list(dict.fromkeys(arguments.addresses))  # none if it is to list
        if removed:
            parts.forget_sources(settings, removed)
        followed = parts.web_sources(settings)
        lines = [f"Followed no longer: {address} (its articles stay)" for address in removed]
        lines += [f"{address} (last read: {read})" for address, read in followed.items()]
        lines += [] if followed else ["No source is followed."]
        _print(arguments, {"sources": followed, "removed": removed}, map(render.line, lines))
        return OK
    addresses = arguments.addresses or list(parts.web_sources(settings))
    if not addresses:
        raise ClippingsError("No source is followed. Add one: `clippings sources add URL`.")
    with progress_bar("articles") as progress:
        choices = Choices(addresses=tuple(addresses), are_sources=True, web_hosts=settings.web_hosts)
        report = parts.ingest(settings, [], prune=False, progress=progress, choices=choices)
    return _print_report(arguments, report)


def remove(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Remove articles from the index, and keep them out of it."""
    removed = parts.remove(settings, arguments.words, arguments.older_than)
    lines = [render.line(f"{source.id}: {title(source)}") for source in removed]
    count = render.line(f"{len(removed)} removed. `clippings index --restore` reads them again, where they still are.")
    _print(arguments, {"removed": [serialize.source(source) for source in removed]}, [*lines, count])
    return OK


def ask(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Answer a question (exit code 3: the articles do not say)."""
    words = " ".join(arguments.question)
    question = (sys.stdin.read() if words == "-" else words).strip()
    if not any(map(str.isalnum, question)):
        print('The question is empty. Ask in words: clippings ask "who reopened the bridge?"', file=sys.stderr)
        return USAGE
    with closing(parts.engine(settings)) as engine:
        stream = engine.stream(question, filters=_filters(arguments, engine), as_of=arguments.as_of)
        out = sys.stdout  # which shown_steps redirects
        with shown_steps("" if arguments.json else settings.llm_name or "The bot") as stop:
            written = render.write_live(stream, out, stop) if out.isatty() and not arguments.json else ""
            answer = stream.answer
    _print(arguments, serialize.answer(answer), render.answer_lines(answer, written=written))
    return REFUSED if answer.refusal else OK


def show(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Print an article."""
    with closing(parts.engine(settings)) as engine:
        article = engine.article(_article_id(arguments.id, engine))
        if article is None:
            raise ClippingsError(_unknown_article(arguments.id, engine))
    _print(arguments, serialize.article(article), render.article_lines(article))
    return OK


def chat(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Answer questions and follow-ups in a conversation."""
    with closing(parts.engine(settings)) as engine:
        from bot.cli.chat import run_chat

        return run_chat(engine, settings, debug=arguments.debug)


def slack(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Answer in Slack."""
    from bot.slack.serve import serve

    return serve(settings, parts, http=arguments.http)


def status(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Print what is indexed and whether the index is healthy."""
    status = parts.status(settings)
    llm = _llm_state(settings, parts)
    able = [f"it {key} {', '.join(llm[key])}" for key in _ABLE if llm and llm.get(key)]
    llm_line = "; ".join([f"{llm['name']}: {llm['check']}", *able]) if llm else "none is set; answers are quoted"
    described = {**serialize.status(status), "data": str(settings.data), "llm": llm}
    _print(arguments, described, render.status_lines(status, settings.data, llm_line))
    return OK if status.healthy else FAILED


def doctor(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Look for what is wrong with this installation, and say how it is mended (exit code 1: something is)."""
    from bot.cli.doctor import examine

    return print_checks(
        arguments, [(check.name, check.is_ok, check.text) for check in examine(settings, parts, arguments.faults)]
    )


def print_checks(arguments: Namespace, checks: Sequence[tuple[str, bool | None, str]]) -> int:
    """Print what `doctor` found. In JSON what is unusual (None) is "ok", with "note"."""
    is_ok = all(ok is not False for _, ok, _ in checks)
    shown = [{"name": name, "ok": ok is not False, "note": ok is None, "text": text} for name, ok, text in checks]
    _print(arguments, {"ok": is_ok, "checks": shown}, render.check_lines(checks))
    return OK if is_ok else FAILED


def export(arguments: Namespace, settings: Settings, _: Parts) -> int:
    """Write the articles and the feedback into an archive, with which `import` makes the same index elsewhere."""
    return _export(arguments, settings, arguments.file)


def backup(arguments: Namespace, settings: Settings, _: Parts) -> int:
    """Write an archive, as `export` does; into a folder with the time in its name."""
    file, now = arguments.file, datetime.now().astimezone()
    if file.is_dir():
        file /= f"clippings-{now:%Y-%m-%d-%H%M%S}.zip"
    elif file.suffix.lower() != ".zip":  # of a disk that is not mounted, too
        raise ClippingsError(f"There is no folder {file}. Make it, or name a file that ends in .zip.")
    return _export(arguments, settings, file)


def _export(arguments: Namespace, settings: Settings, file: Path) -> int:
    from bot.cli.transfer import export

    if file.suffix.lower() in _OTHER_ENDINGS:
        raise ClippingsError(f"The archive is a zip, and no {file.suffix}. Name a file that ends in .zip.")
    with progress_bar("articles") as progress:
        written = export(settings, file, vectors=arguments.vectors, progress=progress)
    _print(arguments, asdict(written), render.export_lines(written))
    return OK


def import_(arguments: Namespace, settings: Settings, _: Parts) -> int:
    """Make the index that of an archive, and add its feedback; nothing has changed until all of it is read."""
    from bot.cli.transfer import restore

    with progress_bar("articles") as progress:
        read = restore(settings, arguments.file, replace=arguments.replace, follow=arguments.follow, progress=progress)
    _print(arguments, asdict(read), render.import_lines(read))
    return OK


def evaluate(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Measure the answers to a question set."""
    from bot.evaluation.run import Options, run

    options = Options(
        arguments.folder,
        as_json=arguments.json,
        report=arguments.report,
        compare=arguments.compare,
        attacks=arguments.attacks,
    )
    run(options, settings, parts)
    return OK


def feedback(arguments: Namespace, settings: Settings, _: Parts) -> int:
    """Print what people in Slack thought of the answers."""
    from bot.slack.review import open_feedback, write_csv, write_json

    with closing(open_feedback(settings)) as database:
        if arguments.json:
            write_json(database, sys.stdout)
        elif arguments.csv:
            write_csv(database, sys.stdout)
        else:
            render.show(render.feedback_lines(database.feedback()), sys.stdout)
    return OK


def gaps(arguments: Namespace, settings: Settings, _: Parts) -> int:
    """Print what people in Slack asked and the articles did not say, by topic."""
    from bot.slack.review import find_gaps, open_feedback

    with closing(open_feedback(settings)) as database:
        found = find_gaps(database, arguments.days)
    topics = [
        {
            "topic": topic.label,
            "questions": [{"question": asked.question, "reason": asked.reason} for asked in topic.questions],
        }
        for topic in found.topics
    ]
    value = {"days": found.days, "questions": found.questions, "refused": found.refused, "topics": topics}
    _print(arguments, value, render.gap_lines(found))
    return OK


@contextmanager
def _standard_input(*, read: bool) -> Iterator[Path | None]:
    """A temporary file with what stands on standard input."""
    if not read:
        yield None
        return
    with NamedTemporaryFile(prefix="clippings-") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield Path(file.name)


def _print(arguments: Namespace, value: object, lines: Iterable[render.Line], failures: Sequence[Failure] = ()) -> None:
    """Print ``value`` as JSON with --json, else ``lines``, and ``failures`` on standard error."""
    if arguments.json:
        sys.stdout.write(serialize.dumps(value))
        return
    for failure in failures:
        print(f"{one_line(failure.path)}: {one_line(failure.reason)}", file=sys.stderr)
    render.show(lines, sys.stdout)


def _explain(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    from bot.cli import explain
    from index.explain import Explained

    records = list(islice(parts.explain(settings, arguments.explain), MAX_EXPLAINED + 1))
    more = len(records) > MAX_EXPLAINED
    articles = [record for record in records[:MAX_EXPLAINED] if isinstance(record, Explained)]
    failures = [record for record in records[:MAX_EXPLAINED] if isinstance(record, Failure)]
    value = {
        "articles": [serialize.explained(article) for article in articles],
        "failed": [serialize.failure(failure) for failure in failures],
        "more": more,
    }
    lines = list(explain.lines(articles))
    if more:
        lines += [render.line(), render.line(f"(Only the first {MAX_EXPLAINED} records of the file are shown.)")]
    if arguments.html:
        explain.write_page(arguments.html, arguments.explain, articles, failures, more=more)
        lines = [render.line(f"Written to {arguments.html}.")]
    _print(arguments, value, lines, failures)
    return FAILED if not articles else LEFT_OUT if failures else OK


def _summary(report: Report, arguments: Namespace) -> str:
    from index.formats.registry import KINDS_READ

    counts = ", ".join(f"{getattr(report, name)} {name}" for name in ("added", "changed", "unchanged", "removed"))
    embedded = f"{counted(report.chunks_embedded, 'chunk')} embedded in {report.seconds:.1f} s"
    lines = [f"{counts}, {len(report.failed)} failed; {embedded}."]
    if report.rebuilt:
        lines.append(f"The whole index was rebuilt: {report.rebuilt}.")
    if report.unreached:
        lines.append(f"Articles kept though their files could not be read this time: {report.unreached}.")
    if report.gone:
        lines.append(f"Articles whose files are gone: {report.gone}. `clippings index --prune` removes them.")
    lines += [text.format(count) for name, text in _LEFT_OUT.items() if (count := getattr(report, name))]
    if report.skipped:
        kinds = sorted(report.skipped.items(), key=lambda kind: (-kind[1], kind[0]))
        counts = ", ".join(
            f"{count} {ending or 'without a known ending'}" for ending, count in kinds[:MAX_SKIPPED_KINDS]
        )
        more = f" and {len(kinds) - MAX_SKIPPED_KINDS} other kinds" if len(kinds) > MAX_SKIPPED_KINDS else ""
        lines.append(f"Files left out, since they are of no kind that is read: {counts}{more}.")
    if report.is_empty and arguments.command == "sources":
        lines.append("Nothing new.")
    elif report.other_shards and not (report.added + report.changed + report.unchanged + len(report.failed)):
        lines.append(f"No article of this share: the {report.other_shards} that were found belong to other shares.")
    elif report.is_empty:
        lines.append(f"No article was found. What is read: {KINDS_READ}. Name a file or a folder that holds some.")
    if report.chunks_embedded and report.seconds:
        share = int(100 * report.embed_seconds / report.seconds)
        lines.append(f"{share} % of the time was spent in the embedding model")
    return "\n".join(lines)


def _filters(arguments: Namespace, engine: AnswerEngine) -> Filters:
    outlet, names = arguments.outlet, engine.outlet_names()  # raises IndexMissing, also before a greeting is answered
    if outlet:
        outlet, _ = known_outlet(outlet, names)  # of an unknown outlet the answer says so
    return replace(make_filters(outlet, arguments.since, arguments.until), author=arguments.author or None)


def _article_id(word: str, engine: AnswerEngine) -> str:
    """Return the id of the article that a word, or a part of a headline, means. Raises ClippingsError if several."""
    from index.meant import meant, several
    from index.text import fold

    sources = engine.sources()
    matches = meant(word, sources) or [source for source in sources if word and fold(word) in fold(source.headline)]
    if len(matches) > 1:
        raise several(word, (source.id for source in matches))
    return matches[0].id if matches else word


def _unknown_article(article_id: str, engine: AnswerEngine) -> str:
    near = difflib.get_close_matches(article_id, [source.id for source in engine.sources()], n=3, cutoff=0.4)
    hint = f"Similar ids: {', '.join(near)}." if near else "`clippings ask --json` prints the ids of cited articles."
    shown = one_line(article_id) or '""'
    return f"There is no article with the id, file, address or headline {shown}. {hint}"


def _llm_state(settings: Settings, parts: Parts) -> dict[str, Any] | None:
    if not settings.llm:
        return None
    try:
        state = {"name": settings.llm_name, "answers": True, "check": parts.check_llm(settings)}
        tried = parts.llm_abilities(settings)
        able = {key: [name for name, can in tried.items() if can is value] for key, value in _ABLE.items()}
        return state | able
    except ClippingsError as error:
        return {"name": settings.llm_name, "answers": False, "check": str(error)}
