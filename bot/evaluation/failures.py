"""The questions that did not go right, as a table: what was expected, what was said and from which passages."""

from __future__ import annotations

from collections.abc import Sequence

from bot.evaluation.markup import Html, folded, join, listed, tag
from bot.evaluation.metrics import Cited, Outcome
from bot.models import REFUSAL
from bot.plain_text import title
from index.models import Passage

PASSAGES = 4
HEADINGS = ("No.", "Question", "Outcome", "Place")


def table_of(failures: Sequence[Outcome]) -> Html:
    """A table that report.js sorts and filters. Each failure is a body of it, so that its rows stay together."""
    if not failures:
        return tag("p", "None.")
    headings = [tag("th", tag("button", name, type="button"), scope="col") for name in HEADINGS]
    drawn = tag(
        "table",
        tag("caption", "A heading sorts. Place: of the first relevant article."),
        tag("thead", tag("tr", *headings)),
        *(_failure(number, outcome) for number, outcome in enumerate(failures, 1)),
        id="questions",
    )
    return join([_controls(failures), drawn])


def _controls(failures: Sequence[Outcome]) -> Html:
    fates = dict.fromkeys(outcome.fate for outcome in failures)
    options = [tag("option", "all of them", value=""), *(tag("option", fate, value=fate) for fate in fates)]
    return tag(
        "div",
        tag("label", "Words to look for", Html('<input id="search" type="search" autocomplete="off">')),
        tag("label", "Outcome", tag("select", *options, id="fate")),
        tag("span", id="count", role="status"),
        id="controls",
        class_="controls",
        hidden="",
    )


def _failure(number: int, outcome: Outcome) -> Html:
    place = outcome.rank
    row = tag(
        "tr",
        tag("td", str(number), class_="number"),
        tag("th", outcome.known.question, scope="row", dir="auto", class_="question"),
        tag("td", outcome.fate),
        tag("td", str(place) if place else "–", class_="number", data_order=str(place or 1_000)),
        class_="row",
    )
    detail = tag("td", listed(_facts(outcome)), _cited(outcome), _passages(outcome), colspan=str(len(HEADINGS)))
    return tag("tbody", row, tag("tr", detail, class_="detail"), data_fate=outcome.fate)


def _facts(outcome: Outcome) -> dict[str, str]:
    known, answer = outcome.known, outcome.answer
    expected = (" and " if known.every_answer else " or ").join(known.answers) or "\n".join(
        dict.fromkeys(known.support)
    )
    asked = answer.standalone_question
    return {
        "Id": known.id,
        "Asked on": known.asked.isoformat() if known.asked else "",
        "Before it": "\n".join(f"{turn.role}: {turn.text}" for turn in known.history),
        "Searched for": "" if asked == known.question else asked,
        "Expected": "a refusal" if not known.has_answer else expected,
        "Not": " or ".join(known.wrong or ()),
        "Said": said(outcome),
        "Note": answer.notice or "",
    }


def said(outcome: Outcome) -> str:
    """What a reader saw."""
    refusal = outcome.answer.refusal
    return f"{REFUSAL} {refusal.reason}" if refusal else outcome.answer.text


def _cited(outcome: Outcome) -> Html:
    titles = {citation.source.id: title(citation.source) for citation in outcome.answer.citations}
    return join(_citation(one, titles.get(one.article, one.article)) for one in outcome.cited)


def _citation(cited: Cited, source: str) -> Html:
    broken = "" if cited.valid else " (this quote is not in the article)"
    return tag("blockquote", cited.quote, tag("small", f" [{cited.number}] {source}{broken}"), dir="auto")


def _passages(outcome: Outcome) -> Html:
    found = outcome.answer.passages[:PASSAGES]
    shown = [_passage(passage, outcome.known.relevant) for passage in found]
    return folded(f"The {len(found)} nearest passages", tag("ol", *shown)) if found else Html()


def _passage(passage: Passage, relevant: Sequence[str]) -> Html:
    told = [passage.source, *passage.also_in]
    mark = tag("span", " relevant", class_="good") if any(source.id in relevant for source in told) else Html()
    also = f" (and {len(told) - 1} more that tell it)" if len(told) > 1 else ""
    return tag("li", title(passage.source), also, mark, tag("p", passage.text, dir="auto"))
