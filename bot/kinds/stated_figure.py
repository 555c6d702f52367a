"""Yes/no questions that state a figure: "Did 127 people die?" is answered as "How many people died?" is.

The figure of the best sentence, or of a later article on the same event, is compared with the one that is stated.
"""

from __future__ import annotations

import re
from datetime import date

from bot.extract.answerability import predict
from bot.extract.events import is_newer, with_latest_figure
from bot.extract.ranking import Candidate
from bot.kinds.scope import Found, Line, Scope, compose, day
from bot.kinds.statement import SAYS, Statement, Verdict
from bot.query.numbers import Quantity, bound_of, counted_stems, find_counts, find_quantity, is_forecast, unit_of
from index.models import Span
from index.text import STOP_WORDS, word_spans

# Of the reader, for a sentence whose figure is compared; for a No by one that lacks a word of what is counted.
_MIN_LOGIT, _MIN_LOGIT_OF_NO = 0.0, 3.0
_HEDGE = re.compile(
    r"(?:(?:about|around|some|exactly|only|just|at least|at most|up to|over|under|nearly|almost"
    r"|(?:more|less|fewer) than|as many as)\s)*"
    r"[£$€¥₹]?\Z",
    re.IGNORECASE,
)
# A number that says which thing is meant, and does not count: "House Bill 212", "the 5.2 aftershock".
_NAMING = re.compile(r"(?:\b(?:the|this|that|its|his|her|their)|['’]s|\b[A-ZÀ-Þ][\w&]*)\s[£$€¥₹]?\Z")
_UNIT = re.compile(
    r"\s?(?:%|per cent\b|percent\b|pounds?\b|dollars?\b|euros?\b|million\b|billion\b|thousand\b)*", re.IGNORECASE
)


def answer_stated_figure(statement: Statement, scope: Scope) -> Found | None:
    """Say whether the figure is the one that the articles give; None if they give none for certain."""
    stated = find_counts(statement.text)
    if len(stated) != 1 or not statement.words or _NAMING.search(statement.text, 0, stated[0][1].start):
        return None
    question = _as_count(statement, stated[0][1])
    retrieval = scope.retrieve_in_period(question)
    if not predict(retrieval).answerable or retrieval.ranked[0].logit < _MIN_LOGIT:
        return None
    read = [one for one in retrieval.ranked if one.quantity and one.logit >= _MIN_LOGIT] or retrieval.ranked[:1]
    exact = (one for one in read if _verdict(statement, question, one) == "Yes")
    best = next(exact, retrieval.ranked[0])  # of several events the one that is meant
    ranked = with_latest_figure(retrieval, scope.catalogue, scope.filters, best).ranked
    newer = [candidate for candidate in ranked if is_newer(best, candidate)]
    latest = max([best, *newer], key=lambda candidate: candidate.passage.source.published or date.min)
    verdicts = [_verdict(statement, question, candidate) for candidate in dict.fromkeys([latest, best])]
    is_counted = best.quantity is not None and best.quantity.counted == retrieval.query.counted
    if not verdicts[0] or (verdicts[0] == "No" and not is_counted and best.logit < _MIN_LOGIT_OF_NO):
        return None
    is_outdated = verdicts[1:] == ["Yes"] and verdicts[0] == "No"
    lines = [Line.of(candidate, retrieval) for candidate in ([latest, best] if is_outdated else [latest])]
    head = f"No, by the latest article ({day(latest.passage.source)}); an earlier one gives this figure:"
    if not is_outdated:
        is_account = SAYS.search(latest.text) and not SAYS.search(statement.text)
        head = f"{verdicts[0]}, by this account:" if is_account else f"{verdicts[0]}."
    return compose(lines, head, short=verdicts[0])


def _as_count(statement: Statement, span: Span) -> str:
    """The question for the figure of a statement: "did 127 people die" -> "How many people did die?"."""
    text = statement.text
    before = text[: _HEDGE.search(text, 0, span.start).start()]  # type: ignore[union-attr]  # it matches nothing too
    unit = unit_of(text, span)
    after = text[_UNIT.match(text, span.end).end() if unit else span.end :]  # type: ignore[union-attr]  # as above
    noun = next(iter(word_spans(after)), None)
    if unit or noun is None or noun[0] in STOP_WORDS:
        return " ".join(f"How much {statement.aux} {before} {after}?".split())
    counted = after[: noun[1].end].strip()
    return " ".join(f"How many {counted} {statement.aux} {before} {after[noun[1].end :]}?".split())


def _verdict(statement: Statement, question: str, candidate: Candidate) -> Verdict:
    """Compare the figure of a statement with that of a sentence; "" if they cannot be."""
    counted = counted_stems(question)
    asked = find_quantity(statement.text, counted) or _only_quantity(statement.text, Span(0, len(statement.text)))
    answer = candidate.reading.answer if candidate.reading else Span(0, len(candidate.text))
    given = _only_quantity(candidate.text, answer) or candidate.quantity
    if not asked or not given or asked.unit != given.unit or is_forecast(statement.text) != is_forecast(candidate.text):
        return ""
    value, other = float(asked.value), float(given.value)
    if asked.bound:
        is_so = other > value if asked.bound == "above" else other < value
        return "Yes" if is_so else "" if given.bound or other == value else "No"
    if value == other:
        return "Yes"
    is_open = (given.bound == "above" and value > other) or (given.bound == "below" and value < other)
    return "" if is_open else "No"


def _only_quantity(text: str, within: Span) -> Quantity | None:
    """The number in a span of a text; None if there is not exactly one."""
    numbers = [(value, span) for value, span in find_counts(text) if within.start <= span.start < within.end]
    if len(numbers) != 1:
        return None
    value, span = numbers[0]
    return Quantity(value, bound_of(text, span.start), frozenset(), unit_of(text, span))
