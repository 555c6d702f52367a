"""The JSON that `--json` prints and the Slack database stores. The keys are stable; new ones may be added.

Strings are kept to the letter. `dumps` writes ASCII only, so no control or bidi character of an article reaches a
terminal, and every locale can print it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from bot.models import REFUSAL, Answer, Citation, Refusal
from index.models import Article, Failure, Passage, Source

if TYPE_CHECKING:
    from index.explain import Explained
    from index.ingest import Report
    from index.status import Status


def dumps(value: object) -> str:
    """Format JSON: ASCII, indented, with a final line end."""
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def answer(answer: Answer) -> dict[str, object]:
    """Serialize an answer with its citations, passages and timings."""
    refusal = answer.refusal
    passages = [each for passage in answer.passages for each in (passage, *passage.near_duplicates)]
    passages.sort(key=lambda passage: -passage.score)
    return {
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "answered": answer.answered,
        "text": REFUSAL if refusal else answer.text,
        "short": answer.short,
        "answerer": answer.answerer,
        "kind": answer.kind,
        "filters": {name: str(value) for name, value in asdict(answer.filters).items() if value is not None},
        "notice": answer.notice,
        "refusal": {"reason": refusal.reason, "nearest": _sources(refusal.nearest)} if refusal else None,
        "citations": [_citation(citation) for citation in answer.citations],
        "passages": [_passage(passage) for passage in passages],
        "timings_ms": {step: float(milliseconds) for step, milliseconds in answer.timings_ms.items()},
    }


def read_answer(stored: Mapping[str, Any]) -> Answer:
    """Restore an answer from `answer`, without its passages and timings."""
    refusal = stored["refusal"]
    return Answer(
        question=stored["question"],
        standalone_question=stored["standalone_question"],
        text=stored["text"],
        answerer=stored["answerer"],
        refusal=Refusal(refusal["reason"], _read_sources(refusal["nearest"])) if refusal else None,
        citations=tuple(_read_citation(citation) for citation in stored["citations"]),
        notice=stored["notice"],
        kind=stored.get("kind", "fact"),
        short=stored.get("short"),
    )


def source(source: Source) -> dict[str, object]:
    """Serialize an article without its text."""
    return _attributes(source, "id headline outlet published published_certain url path")


def article(article: Article) -> dict[str, object]:
    """Serialize an article with its text. The offsets of citations are into ``body``."""
    return {
        **source(article.source),
        **_attributes(article.source, "byline published_from language"),
        "body": article.body,
        "furniture": [boilerplate._asdict() for boilerplate in article.boilerplate],
    }


def explained(explained: Explained) -> dict[str, object]:
    """Serialize how an article was read: its keys, the kind of its file, and every paragraph of its page."""
    paragraphs = [{"text": text, "left_out": why or None} for text, why in explained.paragraphs]
    return {**article(explained.article), **_attributes(explained, "kind place"), "paragraphs": paragraphs}


def report(report: Report) -> dict[str, object]:
    """Serialize what indexing did."""
    names = "added changed unchanged removed gone failed chunks_embedded seconds embed_seconds rebuilt unreached"
    names += " withdrawn embargoed superseded kept_out drafts other_shards"
    skipped = {"skipped": dict(report.skipped)}
    return {**_attributes(report, names), **skipped, "failed": [failure(failed) for failed in report.failed]}


def failure(failure: Failure) -> dict[str, object]:
    """Serialize what could not be read, and why."""
    return _attributes(failure, "path reason")


def status(status: Status) -> dict[str, object]:
    """Serialize what is indexed."""
    names = (
        "articles chunks outlets first_published last_published model indexed_at size_bytes healthy problem embedded"
    )
    return {**_attributes(status, names), "outlets": dict(status.outlets), "servers": dict(status.servers)}


def _attributes(value: object, names: str) -> dict[str, object]:
    attributes = {name: getattr(value, name) for name in names.split()}
    return {name: held.isoformat() if isinstance(held, date) else held for name, held in attributes.items()}


def _sources(sources: Iterable[Source]) -> list[dict[str, object]]:
    return [source(each) for each in sources]


def _citation(citation: Citation) -> dict[str, object]:
    place = _attributes(citation, "number quote start end")
    return {**place, "article": source(citation.source), "also_in": _sources(citation.also_in)}


def _passage(passage: Passage) -> dict[str, object]:
    return {
        "score": float(passage.score),
        "cosine": None if passage.cosine is None else float(passage.cosine),
        "lexical": float(passage.lexical),
        **_attributes(passage, "text start end"),
        "article": source(passage.source),
        "also_in": _sources(passage.also_in),
    }


def _read_sources(stored: Iterable[Mapping[str, Any]]) -> tuple[Source, ...]:
    return tuple(_read_source(each) for each in stored)


def _read_source(stored: Mapping[str, Any]) -> Source:
    published = stored["published"]
    return Source(**{**stored, "published": date.fromisoformat(published) if published else None})


def _read_citation(stored: Mapping[str, Any]) -> Citation:
    place = stored["number"], stored["quote"], stored["start"], stored["end"]
    return Citation(*place, _read_source(stored["article"]), _read_sources(stored["also_in"]))
