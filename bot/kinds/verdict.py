"""Yes/no questions: "Yes." or "No." first, then the sentence that proves it.

A verdict needs a sentence with every content word and number of the statement, in its order, in a form that fits the
question's tense, without a condition, a plan or a doubt (bot/kinds/statement.py). A negation, a certain antonym and
another number in the same place are a No. A sentence that only has all the words is quoted without a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from bot.extract.answerability import predict, why_unanswerable
from bot.extract.decontextualize import is_statement
from bot.extract.events import is_same_event
from bot.extract.ranking import Candidate, Retrieval
from bot.kinds.decided import answered_question, judge_end, judge_office, judge_vote
from bot.kinds.scope import Found, Line, Scope, compose, quoted_span
from bot.kinds.stated_figure import answer_stated_figure
from bot.kinds.statement import Judgement, Sentence, Statement
from bot.query.kind import Request
from index.models import Span
from index.text import names, sentences

# The probability that it is answerable; the reader's logit. At 1 instead of 0, 9 instead of 14 of 32 unanswerable
# questions of three sets are quoted for, and 39 instead of 41 answerable ones (2026-11-27).
_SURE, _MIN_LOGIT = 0.85, 1.0
_WORD = re.compile(r"\w+")
_MAX_PASSAGES = 6  # that are looked through for a question with its answer


class _Proof(NamedTuple):
    """A sentence that bears on the statement, and what it says."""

    candidate: Candidate
    judgement: Judgement

    @property
    def day(self) -> date | None:
        """The day of its article, if it is certain."""
        source = self.candidate.passage.source
        return source.published if source.published_certain else None


def answer_verdict(request: Request, scope: Scope) -> Found | None:
    """Answer yes or no with the proof, quote what bears on it, or refuse; None leaves it to the ordinary quote."""
    if not Statement.of(request.text).words or re.search(r"\bor\b", request.text):
        return None
    if found := answer_stated_figure(Statement.of(request.text), scope):
        return found
    retrieval = scope.retrieve_in_period(request.text)
    statement = Statement.of(_with_capitals(request.text, retrieval))
    proofs = [proof for candidate in retrieval.ranked if (proof := _proof(statement, candidate))]
    certain = [proof for proof in proofs if proof.judgement.verdict]
    certain = _superseded(statement, certain, retrieval)[:1] or certain or _answered(statement, retrieval)
    if chosen := _latest(_of_one_event(statement, certain)):
        return _found(chosen, retrieval)
    if proofs:
        return _found(proofs[:1], retrieval)
    if _is_sure(retrieval) or not names(request.text):  # general knowledge is quoted, as a fact is
        return None
    reason = why_unanswerable(retrieval)
    is_unknown = "mentions" in reason
    return Found(
        refusal=reason if is_unknown else "No article that comes near says whether that is so.", is_final=False
    )


def _with_capitals(question: str, retrieval: Retrieval) -> str:
    """A question without capitals, with those of the names that the nearest passages hold: "did ann lee resign"."""
    if question[1:] != question[1:].lower():
        return question
    text = "\n".join(passage.text for passage in retrieval.passages[:_MAX_PASSAGES])
    known = set(names(text)) - set(_WORD.findall(text))
    return _WORD.sub(lambda word: word.group().capitalize() if word.group() in known else word.group(), question)


def _proof(statement: Statement, candidate: Candidate) -> _Proof | None:
    if not is_statement(candidate.text):
        return None
    sentence = _sentence(statement, candidate)
    judgement = sentence.judge(statement)
    if judgement and judgement.verdict:
        return _Proof(candidate, judgement)
    if verdict := judge_vote(statement, candidate.text, sentence.around) or judge_end(statement, candidate.text):
        return _Proof(candidate, Judgement(verdict))
    return _Proof(candidate, judgement) if judgement else None


def _sentence(statement: Statement, candidate: Candidate) -> Sentence:
    passage = candidate.passage
    start = candidate.start - passage.start
    before = passage.text[quoted_span(candidate, statement.text).start : start]
    around = f"{passage.source.headline} {passage.text}"
    previous = next((span for span in reversed(sentences(passage.text)) if span.end <= start), Span(0, 0))
    return Sentence(
        candidate.text,
        before,
        around,
        passage.source.headline,
        passage.text[previous.start : previous.end],
        candidate.logit >= _MIN_LOGIT,
    )


def _answered(statement: Statement, retrieval: Retrieval) -> list[_Proof]:
    """The answers that articles give to the same question, asked by themselves."""
    proofs = []
    for passage in retrieval.passages[:_MAX_PASSAGES]:
        answer = answered_question(statement, passage.text)
        if answer and (likeness := next((one for one in retrieval.ranked if one.passage == passage), None)):
            span, verdict = answer
            start, end = passage.start + span.start, passage.start + span.end
            text = passage.text[span.start : span.end]
            proofs.append(_Proof(replace(likeness, start=start, end=end, text=text), Judgement(verdict)))
    return proofs


def _superseded(statement: Statement, certain: Sequence[_Proof], retrieval: Retrieval) -> list[_Proof]:
    """What is no longer so: sentences of later articles in which an office has another holder, or its holder leaves."""
    since = max((proof.day or date.min for proof in certain if proof.judgement.verdict == "Yes"), default=None)
    proofs = [
        _Proof(candidate, Judgement(verdict))
        for candidate in retrieval.ranked
        if since and (verdict := judge_office(statement, candidate.text))
    ]
    return [proof for proof in proofs if since and (proof.day or date.min) > since]


def _of_one_event(statement: Statement, certain: Sequence[_Proof]) -> list[_Proof]:
    """The proofs of the event of the best one, which for a statement with a number is one that has this number."""
    exact = (proof for proof in certain if statement.figures and proof.judgement.verdict == "Yes")
    first = next(exact, next(iter(certain), None))
    return [proof for proof in certain if first and is_same_event(first.candidate, proof.candidate, statement.text)]


def _latest(certain: Sequence[_Proof]) -> list[_Proof]:
    """Choose the best proof, one that is nobody's account if there is any; of each side the latest if they differ."""
    ranked = sorted(certain, key=lambda proof: proof.judgement.is_account)
    sides = {proof.judgement.verdict: proof for proof in reversed(ranked)}
    if len(sides) > 1:
        by_day = sorted(ranked, key=lambda proof: proof.day or date.min)
        sides = {proof.judgement.verdict: proof for proof in by_day}
    return sorted(sides.values(), key=lambda proof: proof.day or date.min, reverse=True)


def _found(chosen: Sequence[_Proof], retrieval: Retrieval) -> Found:
    lines = [Line.of(proof.candidate, retrieval) for proof in chosen]
    verdict, is_account = chosen[0].judgement
    if len(lines) == 1:
        head = verdict and (f"{verdict}, by this account:" if is_account else f"{verdict}.")
        return compose(lines, head, short=verdict or None)
    days = [proof.day for proof in chosen]
    if days[0] and days[0] != days[1]:
        head = f"{verdict}, by the latest article ({days[0]:%-d %B %Y}); an earlier one differs:"
        return compose(lines, head, short=verdict or None)
    return compose(lines, "The articles differ:")


def _is_sure(retrieval: Retrieval) -> bool:
    """Whether the prediction or the reader is sure that the passages answer, though no sentence says Yes or No."""
    prediction = predict(retrieval)
    surest = max((candidate.logit for candidate in retrieval.ranked), default=-1.0)
    return prediction.answerable and (prediction.probability >= _SURE or surest >= _MIN_LOGIT)
