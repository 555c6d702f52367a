"""`clippings eval`: ask a labelled set of questions, and print how good the answers are.

    FOLDER/articles.jsonl  ->  an index of its own  \
    FOLDER/queries.jsonl   ->  labelled questions  ->  answers  ->  outcomes  ->  metrics with intervals

A folder without articles, or a file of questions, asks the user's own index.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot import serialize
from bot.evaluation.attacks import attack, read_attacks
from bot.evaluation.compare import GROUPS, Run, compare, read_run
from bot.evaluation.judge import answer_text
from bot.evaluation.metrics import (
    RANKS,
    CheckedCitation,
    Metric,
    Metrics,
    Outcome,
    aggregate,
    format_interval,
    format_value,
    measure,
    measured_once,
    quantile,
    ranking,
    word_count,
)
from bot.evaluation.questions import ARTICLES, KnownQuestion, complete, read_questions
from bot.evaluation.report import check_writable, page, write
from bot.models import AnswerEngine, Citation
from bot.plain_text import one_line, safe
from bot.runtime import Parts, progress_bar
from bot.settings import Settings
from index.models import ClippingsError
from index.text import fold

_INDEXING = "indexing.json"  # beside the index: the times of indexing, for later runs that find it up to date


@dataclass(frozen=True, slots=True)
class Options:
    """What to evaluate, and the files to write (``report``) and read (``compare``, ``attacks``) beside."""

    folder: Path
    as_json: bool = False
    report: Path | None = None
    compare: Path | None = None
    attacks: Path | None = None


def run(options: Options, settings: Settings, parts: Parts) -> None:
    """Evaluate the answers to a set of questions, and print the metrics.

    Raises ClippingsError, before anything is indexed, if a file cannot be read or the report cannot be written.
    """
    questions = read_questions(options.folder)
    instructions = read_attacks(options.attacks) if options.attacks else []
    earlier = read_run(options.compare) if options.compare else None
    if options.report:
        check_writable(options.report)

    settings, indexing = _index(options.folder, settings, parts)
    with closing(parts.engine(settings)) as engine:
        sources = engine.sources()
        questions = complete(questions, sources)
        _warn_of_missing_articles(questions, {source.id for source in sources})
        outcomes = _ask_all(questions, engine)
        articles = [article for source in sources if (article := engine.article(source.id))] if instructions else []

    metrics = make_metrics(outcomes, indexing)
    output: dict[str, object] = {**metrics, "questions": [_question_json(outcome) for outcome in outcomes]}
    attacks = attack(instructions, outcomes, articles, settings, parts, ask) if instructions else None
    if attacks:
        output["attacks"] = attacks.as_json()
    comparison = compare(earlier, Run.model_validate(output)) if earlier else None
    if comparison:
        output["comparison"] = comparison.as_json()

    if options.as_json:
        sys.stdout.write(serialize.dumps(output))
    else:
        more = [line for part in (attacks, comparison) if part for line in part.lines()]
        print(safe("\n".join([*_table(metrics, outcomes), *more])))
    if options.report:
        write(options.report, page(options.folder.resolve().name, outcomes, metrics, comparison, attacks))
        print(one_line(f"The report is in {options.report}."), file=sys.stderr)


def _index(folder: Path, settings: Settings, parts: Parts) -> tuple[Settings, dict[str, float]]:
    """Bring the index of a set up to date; return the settings that read it, and the times of indexing if known."""
    articles = folder / ARTICLES
    if not articles.exists():
        print(f"There is no {ARTICLES} with the questions: the articles that are indexed are asked.", file=sys.stderr)
        return settings, {}
    settings = settings.model_copy(update={"data": _data_folder(settings.data, folder), "chroma_url": ""})
    with progress_bar("articles") as progress:
        report = parts.ingest(settings, [articles], prune=True, progress=progress)
    indexed = report.added + report.changed
    if report.failed:
        first, count = report.failed[0], len(report.failed)
        print(one_line(f"{count} not indexed; the first: {first.path}: {first.reason}"), file=sys.stderr)
    if not indexed + report.unchanged:
        raise ClippingsError(f"{articles} holds no article that can be read.")
    file = settings.data / _INDEXING
    if report.chunks_embedded:
        times = {"articles": indexed, "seconds": report.seconds, "embed_seconds": report.embed_seconds}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(times), encoding="ascii")
    try:
        return settings, json.loads(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return settings, {}


def _data_folder(data: Path, folder: Path) -> Path:
    """Name the index of a set by the set's name and path, so that sets of the same name are kept apart."""
    path = folder.resolve()
    slug = re.sub(r"[\W_]+", "-", fold(path.name)).strip("-")[:40] or "set"
    return data / "eval" / f"{slug}-{hashlib.sha256(str(path).encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _warn_of_missing_articles(questions: Sequence[KnownQuestion], indexed: set[str]) -> None:
    relevant = dict.fromkeys(article for question in questions for article in question.relevant)
    if missing := [article for article in relevant if article not in indexed]:
        message = f'{len(missing)} of the "relevant" articles are not there; the first: {missing[0]}'
        print(one_line(message), file=sys.stderr)


def _ask_all(questions: Sequence[KnownQuestion], engine: AnswerEngine) -> list[Outcome]:
    outcomes = []
    with progress_bar("questions") as progress:
        for number, question in enumerate(questions, 1):
            outcomes.append(ask(question, engine))
            progress(number, len(questions))
    return outcomes


def ask(expected: KnownQuestion, engine: AnswerEngine) -> Outcome:
    """Ask a question and measure the answer."""
    started = time.perf_counter()
    answer = engine.ask(expected.question, turns=expected.history, as_of=expected.as_of)
    milliseconds = (time.perf_counter() - started) * 1000
    citations = tuple(
        CheckedCitation(citation.number, citation.source.id, citation.quote, _is_verbatim(citation, engine))
        for citation in answer.citations
    )
    return Outcome(expected, answer, citations, measure(expected, answer, citations), milliseconds)


def _is_verbatim(citation: Citation, engine: AnswerEngine) -> bool:
    article = engine.article(citation.source.id)
    return bool(article and citation.quote and article.body[citation.start : citation.end] == citation.quote)


def make_metrics(outcomes: Sequence[Outcome], indexing: Mapping[str, float]) -> Metrics:
    """Compute all metrics; ``indexing`` has the number of "articles", "seconds" and "embed_seconds", or nothing."""
    peak_rss_mb = _peak_rss_mb()  # before bootstrapping, which takes memory of its own
    metrics = aggregate(outcome.ratios | outcome.right for outcome in outcomes)
    if lengths := [word_count(answer_text(outcome.answer)) for outcome in outcomes if outcome.answer.answered]:
        metrics.setdefault("answers", {})["words"] = quantile(lengths, 0.5)
    times: dict[str, Metric] = {}
    if indexing:
        articles, seconds = int(indexing["articles"]), indexing["seconds"]
        times["index_seconds"] = measured_once(seconds, articles)
        times["embed_seconds"] = measured_once(indexing["embed_seconds"], articles)
        times["articles_per_second"] = measured_once(articles / max(seconds, 0.001), articles)
    milliseconds = [outcome.milliseconds for outcome in outcomes]
    times["question_ms_p50"] = quantile(milliseconds, 0.5)
    times["question_ms_p95"] = quantile(milliseconds, 0.95)
    times["peak_rss_mb"] = measured_once(peak_rss_mb)
    metrics["time"] = times
    return {group: metrics.get(group, {}) for group in GROUPS}


def _peak_rss_mb() -> float:
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux units of 1,024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _question_json(outcome: Outcome) -> dict[str, object]:
    """A question for `--json`. Nothing here differs between runs with the same answers."""
    expected, answer = outcome.expected, outcome.answer
    return {
        "id": expected.id,
        "question": expected.question,
        "standalone_question": answer.standalone_question,
        "answerable": expected.answerable,
        "answered": answer.answered,
        "answerer": answer.answerer,
        "text": answer.text,
        "refusal": answer.refusal.reason if answer.refusal else None,
        "notice": answer.notice,
        "relevant": list(expected.relevant),
        "retrieved": ranking(answer.passages)[:RANKS],
        "rank": outcome.rank,
        "fate": outcome.failure_stage,
        "kind": expected.kind,
        "group": expected.group,
        "taken_for": answer.kind,
        "faults": outcome.faults,
        **{name: bool(part) for (group, name), (part, _) in outcome.ratios.items() if group == "answers"},
        "citations": [citation._asdict() for citation in outcome.citations],
    }


def _table(metrics: Metrics, outcomes: Sequence[Outcome]) -> list[str]:
    answered = sum(outcome.answer.answered for outcome in outcomes)
    lines = [f"{len(outcomes)} questions: {answered} answered, {len(outcomes) - answered} refused."]
    lines.append(f"\n{'':24}{'value':>9}{'n':>7}   95 % interval")
    for group, named in metrics.items():
        lines += [group] if named else []
        for name, metric in named.items():
            value, interval = format_value(metric["value"], name), format_interval(metric, name)
            lines.append(f"  {one_line(name):22}{value:>9}{metric['n']:7}   {interval}".rstrip())
    return lines
