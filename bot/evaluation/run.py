"""`clippings eval`: a set of questions with known answers -> figures that say how good the answers are.

    FOLDER/articles.jsonl  ->  an index of its own  \
    FOLDER/queries.jsonl   ->  questions  ->  answers of the engine  ->  measurements  ->  figures with their intervals

Without articles of their own, the questions are put to the articles that are indexed already.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bot import serialize
from bot.evaluation.attacks import attack, read_attacks
from bot.evaluation.compare import Run, compare, read_run
from bot.evaluation.metrics import (
    Cited,
    Figure,
    KnownQuestion,
    Outcome,
    decimals,
    length,
    measure,
    once,
    quantile,
    ranking,
    said_text,
    shares,
)
from bot.evaluation.report import check_writable, page, write
from bot.models import Citation
from bot.plain_text import one_line, safe
from bot.runtime import Parts, progress_bar
from index.models import Article, ClippingsError
from index.text import fold

if TYPE_CHECKING:
    from bot.models import AnswerEngine
    from bot.settings import Settings
    from index.ingest import Report

ARTICLES, QUERIES = "articles.jsonl", "queries.jsonl"
GROUPS = ("retrieval", "answers", "citations", "refusal", "time")
_NOTE = "indexing.json"  # beside the index: how long it took to make, for the runs that find it made
_RETRIEVED = 10

Figures = dict[str, dict[str, Figure]]


@dataclass(frozen=True, slots=True)
class Extras:
    """What is wanted beside the figures: a page to write, an earlier output to compare with, attacks to plant."""

    report: Path | None = None
    compare: Path | None = None
    attacks: Path | None = None


_NONE = Extras()


def run(folder: Path, settings: Settings, parts: Parts, *, as_json: bool, extras: Extras = _NONE) -> None:
    """Measure the answers to the questions of a folder and print the figures.

    Raises ClippingsError for a folder that is no set of questions, with the file and line, and for wrong extras.
    """
    known = read_questions(folder)
    instructions = read_attacks(extras.attacks) if extras.attacks else []
    earlier = read_run(extras.compare) if extras.compare else None
    if extras.report:
        check_writable(extras.report)
    indexing: dict[str, float] = {}
    if (folder / ARTICLES).exists():
        settings = settings.model_copy(update={"data": _data_folder(settings.data, folder)})
        indexing = _index(folder / ARTICLES, settings, parts)
    else:
        print(f"There is no {ARTICLES} with the questions: the articles that are indexed are asked.", file=sys.stderr)
    with closing(parts.engine(settings)) as engine:
        _warn_of_strangers(known, engine)
        with progress_bar("questions") as progress:
            outcomes = _ask_all(known, engine, progress)
        articles = _articles(engine) if instructions else []
    figures = make_figures(outcomes, indexing)
    told: dict[str, object] = {**figures, "questions": [_question(outcome) for outcome in outcomes]}
    attacks = attack(instructions, outcomes, articles, settings, parts, ask) if instructions else None
    if attacks:
        told["attacks"] = attacks.as_json()
    comparison = compare(earlier, Run.model_validate(told)) if earlier else None
    if comparison:
        told["comparison"] = comparison.as_json()
    if as_json:
        _print_json(told)
    else:
        more = (line for part in (attacks, comparison) if part for line in part.lines())
        print(safe("\n".join([*_table(figures, outcomes), *more])))
    if extras.report:
        write(extras.report, page(folder.resolve().name, outcomes, figures, comparison, attacks))


def read_questions(folder: Path) -> list[KnownQuestion]:
    """The questions of a set; ClippingsError names the file, the line and what was expected there."""
    file = folder / QUERIES
    if not file.is_file():
        raise ClippingsError(
            f"{file} is no file. A set of questions is a folder with {QUERIES}, and mostly {ARTICLES}."
        )
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise ClippingsError(f"{file} cannot be read: {reason}.") from None
    known = [_read_question(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not known:
        raise ClippingsError(f"{file} holds no questions. Write one a line: " + '{"id": "1", "question": "…"}.')
    return known


def _read_question(file: Path, number: int, line: str) -> KnownQuestion:
    try:
        return KnownQuestion.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = re.sub(r"at line 1 column (\d+)", r"at character \1", first["msg"])
        raise ClippingsError(f"{file}, line {number}: {f'{place}: ' if place else ''}{reason}.") from None


def _data_folder(data: Path, folder: Path) -> Path:
    """The index of a set is kept by where the set lies."""
    path = folder.resolve()
    slug = re.sub(r"[\W_]+", "-", fold(path.name)).strip("-")[:40] or "set"
    return data / "eval" / f"{slug}-{hashlib.sha256(str(path).encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _index(articles: Path, settings: Settings, parts: Parts) -> dict[str, float]:
    """Bring the set's index up to date: how many articles the last run that embedded any indexed, and how fast."""
    with progress_bar("articles") as progress:
        report = parts.ingest(settings, [articles], prune=True, progress=progress)
    indexed = report.added + report.changed
    if report.failed:
        first, count = report.failed[0], len(report.failed)
        print(one_line(f"{count} not indexed; the first: {first.path}: {first.reason}"), file=sys.stderr)
    if not indexed + report.unchanged:
        raise ClippingsError(f"{articles} holds no article that can be read.")
    return _noted(settings.data / _NOTE, report, indexed)


def _noted(file: Path, report: Report, indexed: int) -> dict[str, float]:
    """What a run of indexing took, or the noted run where this one had nothing to do."""
    if report.chunks_embedded:
        note = {"articles": indexed, "seconds": report.seconds, "embed_seconds": report.embed_seconds}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(note), encoding="ascii")
        return note
    try:
        noted: dict[str, float] = json.loads(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return noted


def _warn_of_strangers(known: Sequence[KnownQuestion], engine: AnswerEngine) -> None:
    """Say where a set names articles that it does not hold: no answer could find them."""
    there = {source.id for source in engine.sources()}
    strangers = list(dict.fromkeys(one for each in known for one in each.relevant if one not in there))
    if strangers:
        message = f'{len(strangers)} of the "relevant" articles are not there; the first: {strangers[0]}'
        print(one_line(message), file=sys.stderr)


def _ask_all(
    known: Sequence[KnownQuestion], engine: AnswerEngine, progress: Callable[[int, int], None]
) -> list[Outcome]:
    outcomes = []
    for number, one in enumerate(known, 1):
        outcomes.append(ask(one, engine))
        progress(number, len(known))
    return outcomes


def _articles(engine: AnswerEngine) -> list[Article]:
    return [article for source in engine.sources() if (article := engine.article(source.id))]


def ask(known: KnownQuestion, engine: AnswerEngine) -> Outcome:
    """Ask one question, and measure the answer."""
    started = time.perf_counter()
    answer = engine.ask(known.question, turns=known.history, as_of=known.asked)
    milliseconds = (time.perf_counter() - started) * 1000
    cited = tuple(Cited(one.number, one.source.id, one.quote, _to_the_letter(one, engine)) for one in answer.citations)
    return Outcome(known, answer, cited, measure(known, answer, cited), milliseconds)


def _to_the_letter(citation: Citation, engine: AnswerEngine) -> bool:
    article = engine.article(citation.source.id)
    return bool(article and citation.quote and article.body[citation.start : citation.end] == citation.quote)


def make_figures(outcomes: Sequence[Outcome], indexing: Mapping[str, float]) -> Figures:
    """All figures, by group and name."""
    times = _times([outcome.milliseconds for outcome in outcomes], indexing)
    figures = shares(outcome.measured for outcome in outcomes)
    lengths = [length(said_text(outcome.answer)) for outcome in outcomes if outcome.answer.answered]
    if lengths:
        figures.setdefault("answers", {})["words"] = quantile(lengths, 0.5)
    figures["time"] = times
    return {group: figures.get(group, {}) for group in GROUPS}


def _times(milliseconds: Sequence[float], indexing: Mapping[str, float]) -> dict[str, Figure]:
    peak = _peak_rss_mb()  # before the intervals, whose resampling takes memory of its own
    times: dict[str, Figure] = {}
    if indexing:
        articles, seconds = int(indexing["articles"]), indexing["seconds"]
        times["index_seconds"] = once(seconds, articles)
        times["embed_seconds"] = once(indexing["embed_seconds"], articles)
        times["articles_per_second"] = once(articles / max(seconds, 0.001), articles)
    times["question_ms_p50"] = quantile(milliseconds, 0.5)
    times["question_ms_p95"] = quantile(milliseconds, 0.95)
    times["peak_rss_mb"] = once(peak, 1)
    return times


def _peak_rss_mb() -> float:
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux units of 1,024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _print_json(told: object) -> None:
    sys.stdout.write(serialize.dumps(told))


def _question(outcome: Outcome) -> dict[str, object]:
    """One question, for whoever wants to know why a figure is what it is. Nothing here changes from run to run."""
    known, answer = outcome.known, outcome.answer
    articles = ranking(answer.passages)
    judged = {name: bool(part) for (group, name), (part, _) in outcome.measured.items() if group == "answers"}
    return {
        "id": known.id,
        "question": known.question,
        "standalone_question": answer.standalone_question,
        "answerable": known.answerable,
        "answered": answer.answered,
        "answerer": answer.answerer,
        "text": answer.text,
        "refusal": answer.refusal.reason if answer.refusal else None,
        "notice": answer.notice,
        "relevant": list(known.relevant),
        "retrieved": articles[:_RETRIEVED],
        "rank": outcome.rank,
        "fate": outcome.fate,
        **judged,
        "citations": [citation._asdict() for citation in outcome.cited],
    }


def _table(figures: Figures, outcomes: Sequence[Outcome]) -> list[str]:
    answered = sum(outcome.answer.answered for outcome in outcomes)
    lines = [f"{len(outcomes)} questions: {answered} answered, {len(outcomes) - answered} refused."]
    lines += [f"\n{'':24}{'value':>9}{'n':>7}   95 % interval"]
    for group, named in figures.items():
        lines += [group, *(_row(name, figure) for name, figure in named.items())] if named else []
    return lines


def _row(name: str, figure: Figure) -> str:
    digits = decimals(name)
    low, high = figure["low"], figure["high"]
    between = "" if low is None or high is None else f"   {low:.{digits}f} to {high:.{digits}f}"
    return f"  {name:22}{figure['value']:9.{digits}f}{figure['n']:7}{between}"
