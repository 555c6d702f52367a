"""What is printed with `--json`. The keys are a promise to whoever reads them; more may be added.

Strings are kept to the letter. Nothing here depends on the terminal: `dumps` writes ASCII only, so that no control
or bidi character of an article reaches a screen, and any locale can print it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from bot.models import REFUSAL, Answer, Citation, Refusal
from index.models import Article, Failure, Passage, Source

if TYPE_CHECKING:
    from index.ingest import Report
    from index.status import Status


def dumps(value: object) -> str:
    """JSON in ASCII, indented, with its line end."""
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def answer(answer: Answer) -> dict[str, object]:
    """An answer, with its proof and how it was come by."""
    refusal = answer.refusal
    return {
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "answered": answer.answered,
        "text": REFUSAL if refusal else answer.text,
        "answerer": answer.answerer,
        "notice": answer.notice,
        "refusal": {"reason": refusal.reason, "nearest": _sources(refusal.nearest)} if refusal else None,
        "citations": [_citation(citation) for citation in answer.citations],
        "passages": [_passage(told) for passage in answer.passages for told in (passage, *passage.near_duplicates)],
        "timings_ms": {step: float(spent) for step, spent in answer.timings_ms.items()},
    }


def read_answer(found: Mapping[str, Any]) -> Answer:
    """An answer as `answer` gave it, without its passages and times, which nobody is shown."""
    refusal = found["refusal"]
    return Answer(
        question=found["question"],
        standalone_question=found["standalone_question"],
        text=found["text"],
        answerer=found["answerer"],
        refusal=Refusal(refusal["reason"], _read_sources(refusal["nearest"])) if refusal else None,
        citations=tuple(_read_citation(each) for each in found["citations"]),
        notice=found["notice"],
    )


def source(source: Source) -> dict[str, object]:
    """An article without its text."""
    return {
        "id": source.id,
        "headline": source.headline,
        "outlet": source.outlet,
        "published": source.published.isoformat() if source.published else None,
        "published_certain": source.published_certain,
        "url": source.url,
        "path": source.path,
    }


def article(article: Article) -> dict[str, object]:
    """An article with its text: the offsets of citations are into ``body``."""
    return {
        **source(article.source),
        "byline": article.source.byline,
        "published_from": article.source.published_from,
        "language": article.source.language,
        "body": article.body,
        "furniture": [{"kind": kind, "text": text} for kind, text in article.boilerplate],
    }


def report(report: Report) -> dict[str, object]:
    """What indexing did."""
    return {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "gone": report.gone,
        "failed": [failure(each) for each in report.failed],
        "chunks_embedded": report.chunks_embedded,
        "seconds": report.seconds,
        "embed_seconds": report.embed_seconds,
        "rebuilt": report.rebuilt,
    }


def failure(failure: Failure) -> dict[str, object]:
    """What could not be read, and why."""
    return {"path": failure.path, "reason": failure.reason}


def status(status: Status) -> dict[str, object]:
    """What is indexed."""
    return {
        "articles": status.articles,
        "chunks": status.chunks,
        "outlets": dict(status.outlets),
        "first_published": status.first_published.isoformat() if status.first_published else None,
        "last_published": status.last_published.isoformat() if status.last_published else None,
        "model": status.model,
        "indexed_at": status.indexed_at.isoformat() if status.indexed_at else None,
        "size_bytes": status.size_bytes,
        "healthy": status.healthy,
        "problem": status.problem,
    }


def _sources(sources: Sequence[Source]) -> list[dict[str, object]]:
    return [source(each) for each in sources]


def _citation(citation: Citation) -> dict[str, object]:
    return {
        "number": citation.number,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "article": source(citation.source),
        "also_in": _sources(citation.also_in),
    }


def _read_sources(found: Sequence[Mapping[str, Any]]) -> tuple[Source, ...]:
    return tuple(_read_source(each) for each in found)


def _read_source(found: Mapping[str, Any]) -> Source:
    published = found["published"]
    return Source(**{**found, "published": date.fromisoformat(published) if published else None})


def _read_citation(found: Mapping[str, Any]) -> Citation:
    place = found["number"], found["quote"], found["start"], found["end"]
    return Citation(*place, _read_source(found["article"]), _read_sources(found["also_in"]))


def _passage(passage: Passage) -> dict[str, object]:
    return {
        "score": float(passage.score),
        "cosine": None if passage.cosine is None else float(passage.cosine),
        "lexical": float(passage.lexical),
        "text": passage.text,
        "start": passage.start,
        "end": passage.end,
        "article": source(passage.source),
        "also_in": _sources(passage.also_in),
    }
