"""Yes/no questions: "Yes." or "No." first, then the sentence that proves it.

A certain verdict needs a sentence with every content word and number of the statement, in its order, in a form that
fits the question's tense, without a condition, a plan or a doubt (bot/kinds/statement.py). A negation, a certain
antonym and another number in the same place are a No. Where no sentence is certain, the support reader judges
"Question? Yes" and "Question? No" beside the sentences that the question reader thinks answer, unless the question has
a number. A sentence that only has all the words is quoted without a verdict.
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
from bot.kinds.decided import (
    answered_question,
    judge_end,
    judge_first,
    judge_kept,
    judge_none,
    judge_nothing,
    judge_office,
    judge_plan,
    judge_resignation,
    judge_vote,
)
from bot.kinds.figures import has_figures
from bot.kinds.scope import Found, Line, Scope, compose, quoted_span
from bot.kinds.stated_figure import answer_stated_figure
from bot.kinds.statement import Judgement, Sentence, Statement
from bot.kinds.stories import is_correction
from bot.query.kind import Request
from bot.query.wording import word_key
from index.models import Span
from index.text import name_spans, names, sentences, words

# The probability that it is answerable; the reader's logit. At 1 instead of 0, 9 instead of 14 of 32 unanswerable
# questions of three sets are quoted for, and 39 instead of 41 answerable ones (2026-11-27).
_SURE, _MIN_LOGIT = 0.85, 1.0
# Of the support reader for "Question? Yes" or "Question? No", and its lead over the other. 86 questions of held-out
# stories, with the sentence that decides: 41 verdicts right, 5 wrong; without the lead 45 and 7 (2026-11-27).
_MIN_VERDICT_LOGIT, _MIN_VERDICT_LEAD = 0.0, 4.0
_MAX_READ, _MIN_READ_LOGIT = 3, 0.0  # sentences that it reads; the question reader's logit of one
_MAX_LOGIT_GAP = 1.0  # between such a sentence and the surest: others bear on something else
_WORD = re.compile(r"\w+")
_THING = re.compile(r"\b(?:the|an?|this|that) (\w{3,}ing)s?\b", re.IGNORECASE)  # a painting has the stem of paint
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
    certain = _left(statement, certain, retrieval)[:1] or certain or _answered(statement, retrieval)
    certain = certain or _read(request.text, retrieval, scope)
    if chosen := _latest(_of_one_event(statement, certain)):
        return _found(chosen, retrieval)
    if proofs:
        return _found(proofs[:1], retrieval)
    lacks_thing = bool(retrieval.ranked) and _lacks_thing(request.text, retrieval.ranked[0])
    if not lacks_thing and (
        _is_sure(retrieval) or not names(request.text)
    ):  # general knowledge is quoted, as a fact is
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
    if not is_statement(candidate.text) or _lacks_thing(statement.text, candidate):
        return None
    sentence = _sentence(statement, candidate)
    judgement = sentence.judge(statement)
    if judgement and judgement.verdict:
        return _Proof(candidate, Judgement("") if _is_of_other(statement, candidate.text) else judgement)
    verdict = (
        judge_vote(statement, candidate.text, f"{sentence.headline} {sentence.previous} {candidate.text}")
        or judge_end(statement, candidate.text)
        or judge_none(statement, sentence)
        or judge_nothing(statement, sentence)
        or judge_kept(statement, sentence)
        or judge_resignation(statement, candidate.text)
        or judge_first(statement, sentence)
    )
    if verdict:
        return _Proof(candidate, Judgement(verdict))
    if plan := judge_plan(statement, sentence):
        return _Proof(candidate, Judgement(plan, is_account=True))
    return _Proof(candidate, judgement) if judgement else None


def _lacks_thing(question: str, candidate: Candidate) -> bool:
    """Whether the question names a thing of which the passage has at most the stem: a painting, and paint."""
    held = f"{candidate.passage.source.headline} {candidate.passage.text}".lower()
    return any(thing.lower() not in held for thing in _THING.findall(question))


def _is_of_other(statement: Statement, text: str) -> bool:
    """Whether a sentence begins with a whole name, and has nothing of what the statement begins with.

    "Ann Lee and Bob Ray voted for closing it" says nothing of what "the council" voted for.
    """
    begins = [word for word, span in name_spans(text) if span.start <= 1]
    held = set(map(word_key, words(text)))
    return bool(begins) and not statement.words[0].is_name and statement.words[0].key not in held


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


def _read(question: str, retrieval: Retrieval, scope: Scope) -> list[_Proof]:
    """The surest Yes or No that the support reader has for the sentences which the other reader thinks answer."""
    text = f"{question[:1].upper()}{question[1:].rstrip(' ?')}?"
    proofs = []
    surest = max((candidate.logit for candidate in retrieval.ranked), default=0.0)
    least = max(_MIN_READ_LOGIT, surest - _MAX_LOGIT_GAP)
    for candidate in retrieval.ranked[:_MAX_READ]:
        is_of_thing = is_statement(candidate.text) and not _lacks_thing(question, candidate)
        around = f"{candidate.passage.source.headline} {candidate.before} {candidate.text}"
        if is_of_thing and candidate.logit >= least and has_figures(around, question):
            premise = f"{candidate.passage.source.headline.rstrip('.')}. {candidate.before} {candidate.text}"
            yes, no = (scope.supports(f"{text} {verdict}", premise) for verdict in ("Yes", "No"))
            if max(yes, no) >= _MIN_VERDICT_LOGIT and abs(yes - no) >= _MIN_VERDICT_LEAD:
                proofs.append((max(yes, no), _Proof(candidate, Judgement("Yes" if yes > no else "No"))))
    return [max(proofs, key=lambda row: row[0])[1]] if proofs else []


def _left(statement: Statement, certain: Sequence[_Proof], retrieval: Retrieval) -> list[_Proof]:
    """The sentences in which an office has another holder, or its holder leaves, later than any that says Yes."""
    holds = [proof for proof in certain if proof.judgement.verdict == "Yes"]
    since = max((proof.day or date.min for proof in holds), default=None)
    sources = {proof.candidate.passage.source.id for proof in holds if (proof.day or date.min) == since}
    office = {word.key for word in statement.words if not word.is_name}
    proofs = []
    for candidate in retrieval.ranked:
        source = candidate.passage.source
        is_whole = office <= set(map(word_key, words(f"{source.headline} {candidate.text}")))
        proof = _Proof(candidate, Judgement(judge_office(statement, candidate.text)))
        is_later = (proof.day or date.min) > since or source.id in sources if since else is_whole
        proofs += [proof] if proof.judgement.verdict and is_later else []
    return proofs


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
    if is_correction(chosen[0].candidate.passage.source):  # what it corrects is wrong
        chosen = chosen[:1]
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
