"""The commands of `clippings`: each takes its arguments and settings, prints, and returns the exit code."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from bot import serialize
from bot.cli import render
from bot.cli.filters import known_outlet, make_filters
from bot.plain_text import one_line, safe
from bot.runtime import Parts, progress_bar
from index.models import Article, ClippingsError, Failure, Filters

if TYPE_CHECKING:
    from bot.models import AnswerEngine
    from bot.settings import Settings
    from index.ingest import Report

OK, FAILED, REFUSED = 0, 1, 3
EXPLAINED = 3  # records of a file that holds many


def index(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Index files and folders, or explain how one is read."""
    if arguments.explain:
        return _explain(arguments, parts)
    with progress_bar("articles") as progress:
        report = parts.ingest(settings, arguments.paths, prune=arguments.prune, progress=progress)
    if arguments.json:
        sys.stdout.write(serialize.dumps(serialize.report(report)))
    else:
        _print_failures(report.failed)
        print(safe(_summary(report)))
    return FAILED if report.failed else OK


def ask(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Answer one question."""
    words = " ".join(arguments.question)
    question = (sys.stdin.read() if words == "-" else words).strip()
    with closing(parts.engine(settings)) as engine:
        answer = engine.ask(question, filters=_filters(arguments, engine), as_of=arguments.asked)
    if arguments.json:
        sys.stdout.write(serialize.dumps(serialize.answer(answer)))
    else:
        render.show(render.answer_lines(answer), sys.stdout)
    return REFUSED if answer.refusal else OK


def show(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Print one article."""
    with closing(parts.engine(settings)) as engine:
        article = engine.article(arguments.id)
        if article is None:
            raise ClippingsError(_no_article(arguments.id, engine))
    if arguments.json:
        sys.stdout.write(serialize.dumps(serialize.article(article)))
    else:
        render.show(render.article_lines(article), sys.stdout)
    return OK


def chat(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Hold a conversation."""
    with closing(parts.engine(settings)) as engine:
        from bot.cli.chat import chat as talk

        return talk(engine, settings, debug=arguments.debug)


def slack(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Answer in Slack until stopped."""
    from bot.slack.serve import serve

    return serve(settings, parts, http=arguments.http)


def status(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Say what is indexed and whether all is well."""
    found = parts.status(settings)
    llm = _llm_state(settings, parts)
    if arguments.json:
        sys.stdout.write(serialize.dumps({**serialize.status(found), "data": str(settings.data), "llm": llm}))
    else:
        said = f"{llm['name']}: {llm['check']}" if llm else "none is set; answers are quoted"
        render.show(render.status_lines(found, settings.data, said), sys.stdout)
    return OK if found.healthy else FAILED


def evaluate(arguments: Namespace, settings: Settings, parts: Parts) -> int:
    """Answer a set of questions and print how well."""
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
    """Say what people thought of the answers in Slack."""
    from bot.slack.feedback import open_feedback, write_csv, write_json

    with closing(open_feedback(settings)) as database:
        if arguments.json:
            write_json(database, sys.stdout)
        elif arguments.csv:
            write_csv(database, sys.stdout)
        else:
            render.show(render.feedback_lines(database.feedback()), sys.stdout)
    return OK


def _explain(arguments: Namespace, parts: Parts) -> int:
    found = list(islice(parts.articles(arguments.explain), EXPLAINED + 1))
    shown, more = found[:EXPLAINED], len(found) > EXPLAINED
    articles = [each for each in shown if isinstance(each, Article)]
    failed = [each for each in shown if isinstance(each, Failure)]
    if arguments.json:
        failures = [serialize.failure(failure) for failure in failed]
        explained = {"articles": [serialize.article(each) for each in articles], "failed": failures, "more": more}
        sys.stdout.write(serialize.dumps(explained))
    else:
        for position, article in enumerate(articles):
            parting = [render.line(), render.line("-" * 40), render.line()] if position else []
            render.show([*parting, *render.article_lines(article)], sys.stdout)
        if more:
            print(f"\n(The first {EXPLAINED} only; the file holds more.)")
        _print_failures(failed)
    return FAILED if failed else OK


def _print_failures(failed: Sequence[Failure]) -> None:
    for failure in failed:
        print(f"{one_line(failure.path)}: {one_line(failure.reason)}", file=sys.stderr)


def _summary(report: Report) -> str:
    counts = {name: getattr(report, name) for name in ("added", "changed", "unchanged", "removed")}
    counted = ", ".join(f"{count} {name}" for name, count in counts.items())
    lines = [
        f"{counted}, {len(report.failed)} failed; {report.chunks_embedded} chunks embedded in {report.seconds:.1f} s."
    ]
    if report.rebuilt:
        lines.append(f"All was embedded anew: {report.rebuilt}.")
    if report.gone:
        lines.append(f"{report.gone} gone from where they were read; `clippings index --prune` removes them.")
    if report.chunks_embedded and report.seconds:
        share = int(100 * report.embed_seconds / report.seconds)
        lines.append(f"{share} % of the time was spent in the embedding model")
    return "\n".join(lines)


def _filters(arguments: Namespace, engine: AnswerEngine) -> Filters:
    outlet = arguments.outlet
    if outlet:
        outlet, unknown = known_outlet(outlet, engine.sources())
        if unknown:
            print(one_line(unknown), file=sys.stderr)
    return make_filters(outlet, arguments.since, arguments.until)


def _no_article(article_id: str, engine: AnswerEngine) -> str:
    import difflib

    near = difflib.get_close_matches(article_id, [source.id for source in engine.sources()], n=3, cutoff=0.4)
    hint = f"Near it: {', '.join(near)}." if near else "`clippings ask --json` gives the ids of what it cites."
    return f"There is no article with the id {article_id}. {hint}"


def _llm_state(settings: Settings, parts: Parts) -> dict[str, object] | None:
    if not settings.llm:
        return None
    try:
        return {"name": settings.llm_name, "answers": True, "check": parts.check_llm(settings)}
    except ClippingsError as error:
        return {"name": settings.llm_name, "answers": False, "check": str(error)}
