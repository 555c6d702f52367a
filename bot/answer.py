"""The story of answering: question and turns -> standalone query -> passages and sentences -> Answer.

    stream        condense -> retrieve -> synthesize
    retrieve      embed -> search -> rank sentences
    synthesize    is it answerable? -> write (with a language model) or quote (without) -> verified Answer, or a refusal

What is quoted and what is written are two answerers with one contract: the same `Answer`, every citation to the letter.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from bot.extract.answerability import Prediction, is_beside_question, is_only_topic, predict, why_unanswerable
from bot.extract.events import with_latest_figure
from bot.extract.quote import compose, without
from bot.extract.ranking import Query, Retrieval, rank_passages, rank_sentences
from bot.extract.reader import Reader
from bot.generate.llm import confirms, stream_answer
from bot.generate.rewrite import rewrite
from bot.generate.stream import UNFINISHED
from bot.generate.support import SupportReader
from bot.generate.verify import Verifier
from bot.inquiry import Inquiry
from bot.kinds.scope import Found, Scope, key, notes_beside
from bot.kinds.several import joined, turns_of_part, with_other_figure
from bot.kinds.ways import WAYS
from bot.models import REFUSAL, Answer, AnswerStream, Refusal, Turn
from bot.query.chitchat import reply, reply_without_answer
from bot.query.date_preference import date_preference, outside_period
from bot.query.dates import find_period
from bot.query.filter_reason import undated_notice, why_none_passes
from bot.query.followup import asks_for_more, condense, question_again
from bot.query.kind import Request, classify
from bot.query.limits import read_limits, shown_sources
from bot.query.nonsense import why_not_understood
from bot.query.opening import without_opening
from bot.query.pronouns import resolve_pronouns
from index.embedding.embed import Embedder
from index.models import Article, ClippingsError, Filters, Passage, Source
from index.search import Searcher
from index.text import stems

if TYPE_CHECKING:
    from bot.generate.llm import LLM

MAX_QUERY_WORDS = 64
_MAX_NEAREST = 3  # articles that a refusal names
_MAX_PROMPT_PASSAGES = 10
_MAX_TURNS, _MAX_SHOWN_CHARACTERS = 40, 20_000  # of a conversation, and of an answer, that are read for what was shown
ANOTHER = "Another answer: what was shown before is left out."
NOTHING_ELSE = "There is nothing else: no other answer was found in the articles."
MIN_STRONG_PROBABILITY = 0.85  # of an answer in the passages, from which a model's refusal is not the last word
_NO_FILTERS = Filters()


class Models(NamedTuple):
    """The small models: one embeds, one reads questions, and one, loaded when it is called, statements."""

    embedder: Embedder
    reader: Reader
    support: Callable[[], SupportReader]


class Engine:
    """Answer questions from an index. Safe to share between threads.

    ``models`` and ``llm`` are called when they are first needed, and each time after: hand in what remembers its
    result. Without ``llm`` answers are quoted. Every method may raise a ClippingsError: IndexMissing, IndexDamaged,
    WeightsError; for a question of more than MAX_QUESTION_CHARACTERS QuestionTooLong. Longer turns are cut.
    """

    def __init__(
        self,
        searcher: Searcher,
        models: Callable[[], Models],
        llm: Callable[[], LLM] | None = None,
        *,
        has_second_look: bool = False,
    ) -> None:
        """``has_second_look``: the model is asked again about its statements that the check is not sure of."""
        self._searcher, self._models, self._llm, self._has_second_look = searcher, models, llm, has_second_look
        self._retrieving = threading.BoundedSemaphore(os.cpu_count() or 1)  # more at once only slow each other down

    def ask(
        self,
        question: str,
        *,
        turns: Sequence[Turn] = (),
        filters: Filters = _NO_FILTERS,
        as_of: date | None = None,
    ) -> Answer:
        """Answer a question. Drains `stream`."""
        return self.stream(question, turns=turns, filters=filters, as_of=as_of).answer

    def stream(
        self,
        question: str,
        *,
        turns: Sequence[Turn] = (),
        filters: Filters = _NO_FILTERS,
        as_of: date | None = None,
        shown: Collection[str] = (),
    ) -> AnswerStream:
        """Answer a question: iterate for verified text, then read `answer`, which is authoritative.

        ``as_of`` (default: today) is the day the question is asked: "this week" is relative to it, and articles
        published later are not read. ``shown``: quotes shown when it was asked before. The answer is another one, or
        the same with a notice that there is nothing else.
        """
        inquiry = Inquiry.of(question, turns, filters, as_of)
        return AnswerStream(self._noted(self._converse(replace(inquiry, quoted=frozenset(shown)))))

    def retrieve(
        self,
        question: str,
        *,
        turns: Sequence[Turn] = (),
        filters: Filters = _NO_FILTERS,
        as_of: date | None = None,
    ) -> Retrieval:
        """Find the passages and sentences nearest to a question, best first, without answering it."""
        inquiry = Inquiry.of(question, turns, filters, as_of)
        return self._retrieve(inquiry, condense(without_opening(inquiry.question), inquiry.turns), inquiry.question)

    def answer_from(
        self, retrieval: Retrieval, question: str, *, turns: Sequence[Turn] = (), as_of: date | None = None
    ) -> AnswerStream:
        """Answer a question from what `retrieve` found for it: the second half of `stream`."""
        inquiry = Inquiry.of(question, turns, _NO_FILTERS, as_of)
        answer = inquiry.answer(retrieval.query.text, classify(retrieval.query.text).kind)
        return AnswerStream(self._synthesize(inquiry, retrieval, answer))

    def _noted(self, answering: Generator[str, None, Answer]) -> Generator[str, None, Answer]:
        answer = yield from answering
        notes = notes_beside(answer.citations, self._searcher.catalogue) if answer.citations else ()
        return replace(
            answer, notice=_notice(answer.notice, *(note for note in notes if note not in str(answer.notice)))
        )

    def _converse(self, inquiry: Inquiry) -> Generator[str, None, Answer]:
        """Answer a question, answer the last one again ("in short?"), or go on from it ("anything else?")."""
        again = question_again(inquiry.question, inquiry.turns)
        if asks_for_more(inquiry.question):
            inquiry = replace(inquiry, shown=shown_in(inquiry.turns))
        if again == ("", ()) and (
            not inquiry.shown or any(turn.role == "user" and turn.text for turn in inquiry.turns)
        ):
            return inquiry.reply(reply_without_answer())
        if again is None or (inquiry.shown and not _lists_next(classify(again[0]))):
            if greeting := reply(inquiry.question):
                return inquiry.reply(greeting)
            if strange := why_not_understood(inquiry.question, self._searcher.catalogue):
                return _refuse(inquiry.answer(inquiry.question, "fact"), strange)
            return (yield from self._answer(inquiry))
        earlier = replace(inquiry, question=again[0], turns=again[1])
        answer = yield from self._answer(earlier) if inquiry.shown else self._converse(earlier)
        return replace(answer, question=inquiry.question)

    def _answer(self, inquiry: Inquiry) -> Generator[str, None, Answer]:
        question, catalogue = inquiry.question, self._searcher.catalogue
        with inquiry.timings.step("condense"):
            named = resolve_pronouns(without_opening(question), inquiry.turns, catalogue)
            query, completion_notice = self._standalone(named, inquiry.turns)
        limits = read_limits(query, inquiry.turns, inquiry.filters, catalogue)
        inquiry = replace(inquiry, filters=limits.filters)
        notice = _notice(limits.note, undated_notice(limits.filters, catalogue))
        request = _classify(limits.question, named if query != named else None)
        answer = replace(inquiry.answer(query, request.kind), notice=notice)
        if request.kind == "several":
            if several := self._answer_parts(inquiry, answer, request.parts):
                return _again(several, inquiry.quoted)
            request, answer = Request(request.text, "fact"), replace(answer, kind="fact")
        if why := why_none_passes(inquiry.limits, catalogue):
            return _refuse(answer, why)
        retrieve = cache(lambda text: self._retrieve(inquiry, text, question if text == limits.question else text))
        with inquiry.timings.step("find"):
            found = self._find(inquiry, request, retrieve)
        if found and found.refusal:
            if found.is_final or not self._llm:
                return _refuse(replace(answer, passages=retrieve(limits.question).passages), found.refusal)
            found = None
        searched = retrieve.cache_info().currsize  # then its passages cost no second search
        if found and (found.is_exact or not (self._llm or searched)):
            return _again(found.completed(replace(answer, passages=self._evidence(found))), inquiry.quoted)
        retrieval = retrieve(limits.question)
        for candidates in [without(retrieval, inquiry.quoted), retrieval] if inquiry.quoted else [retrieval]:
            synthesized = yield from self._synthesize(inquiry, candidates, answer, found)
            if not synthesized.refusal:
                break
        if synthesized.refusal and inquiry.turns and not inquiry.filters.article:
            synthesized = self._from_shown(inquiry, named, synthesized) or synthesized
        notice = None if synthesized.answerer == "write" else completion_notice
        return _again(replace(synthesized, notice=_notice(notice, synthesized.notice)), inquiry.quoted)

    def _answer_parts(self, inquiry: Inquiry, whole: Answer, questions: Sequence[str]) -> Answer | None:
        """Answer each of several questions; None if no part has an answer, for one sentence may answer them all."""
        parts = [
            self.ask(
                part,
                turns=turns_of_part(questions, number, inquiry.turns),
                filters=inquiry.filters,
                as_of=inquiry.as_of,
            )
            for number, part in enumerate(questions)
        ]
        return joined(whole, parts) if any(part.answered for part in parts) else None

    def _find(self, inquiry: Inquiry, request: Request, retrieve: Callable[[str], Retrieval]) -> Found | None:
        """Answer by the way of the question's kind; None if it has none, or finds nothing of its own."""

        def similarities(query: str, texts: Sequence[str]) -> list[float]:
            embedder = self._models().embedder
            return list(map(float, embedder.passages(texts) @ embedder.question(query)))

        way = WAYS.get(request.kind)
        filters = inquiry.limits

        def supports(statement: str, premise: str) -> float:
            return self._models().support().logit(statement, premise)

        scope = Scope(self._searcher.catalogue, filters, retrieve, similarities, supports, inquiry.shown)
        return way and way(request, scope)

    def _evidence(self, found: Found) -> tuple[Passage, ...]:
        """The chunks that hold the quotes, in their order."""
        catalogue, passages = self._searcher.catalogue, dict[str, Passage]()
        for citation in found.citations:
            for row in catalogue.chunks(catalogue.chunk_ids(citation.source.id)).values():
                if row.start <= citation.start < row.end:
                    passages.setdefault(row.id, Passage(row.id, row.source, row.text, row.start, row.end, 0.0))
        return tuple(passages.values())

    def _synthesize(
        self, inquiry: Inquiry, retrieval: Retrieval, answer: Answer, found: Found | None = None
    ) -> Generator[str, None, Answer]:
        """Write or quote an answer, or refuse; ``found`` is what the way of its kind found."""
        notice, passages = None, dict[str, Passage]()
        for passage in (*(self._evidence(found) if found else ()), *retrieval.passages):
            passages.setdefault(passage.chunk_id, passage)
        answer = replace(answer, passages=tuple(passages.values()))
        if found and not self._llm:
            return found.completed(answer)
        prediction = predict(retrieval)
        if inquiry.turns and self._is_only_topic(inquiry, retrieval):
            prediction = replace(prediction, answerable=False)
        if self._llm and (found or not prediction.hopeless):
            with inquiry.timings.step("write"):
                written, notice = yield from self._write(self._llm, inquiry, answer, prediction)
            read = self._models().reader.read
            if written and not found and is_beside_question(written.citations, retrieval, read):
                written, notice = None, "What the language model wrote does not answer the question."
            if written:
                other = compose(retrieval) if written.answered and prediction.answerable and not found else None
                completed = with_other_figure(written, other) if other else written
                if completed != written:
                    yield completed.text.removeprefix(written.text)
                return completed
        quoted = replace(answer, notice=_notice(answer.notice, notice and f"{notice} The answer is quoted instead."))
        if found:
            return found.completed(quoted)
        refused = replace(answer, notice=_notice(answer.notice, notice))
        if not prediction.answerable:
            return _refuse(refused, why_unanswerable(retrieval))
        return self._quote(inquiry, retrieval, quoted, refused)

    def _quote(self, inquiry: Inquiry, retrieval: Retrieval, quoted: Answer, refused: Answer) -> Answer:
        """Answer with the best sentences of the days that the question names, or refuse."""
        within_period, outside = self._within_period(inquiry, retrieval)
        if not predict(within_period).answerable:
            return _refuse(refused, outside or why_unanswerable(retrieval))
        composed = compose(within_period)
        return replace(quoted, text=composed.text, citations=composed.citations, short=composed.short)

    def _from_shown(self, inquiry: Inquiry, follow_up: str, refused: Answer) -> Answer | None:
        """Quote the article that was shown last, if the reader thinks that it answers a follow-up by its own words.

        Without marks in the turns that is the article nearest to the last question; after a refusal none was shown.
        """
        shown = list(shown_sources(inquiry.turns, self._searcher.catalogue).values())
        said = next((turn.text for turn in reversed(inquiry.turns) if turn.role == "assistant"), "")
        if not shown and not said.startswith(REFUSAL):
            asked_before = next((turn.text for turn in reversed(inquiry.turns) if turn.role == "user"), "")
            shown = [passage.source for passage in self._retrieve(inquiry, asked_before, asked_before).passages]
        if not shown:
            return None
        narrowed = replace(inquiry, filters=replace(inquiry.filters, article=shown[0].id))
        retrieval = self._retrieve(narrowed, follow_up, follow_up)
        is_likely = max((candidate.logit for candidate in retrieval.ranked), default=-1.0) > 0
        if not is_likely or not predict(retrieval).answerable:
            return None
        quoted = replace(refused, refusal=None, passages=(*retrieval.passages, *refused.passages))
        return self._quote(narrowed, retrieval, quoted, refused)

    def _within_period(self, inquiry: Inquiry, retrieval: Retrieval) -> tuple[Retrieval, str | None]:
        """A retrieval without what is outside the days of the question, and why the best sentence is, if it is.

        Where the question names no days, with the latest figure that the articles give.
        """
        period = inquiry.period(retrieval.query.text)
        if period is None:
            return with_latest_figure(retrieval, self._searcher.catalogue, inquiry.limits), None
        outside = outside_period(retrieval.ranked[0].passage, period)
        inside = tuple(
            candidate
            for candidate in retrieval.ranked
            if not outside_period(candidate.passage, period)
            and (candidate.passage.source.published or not outside)  # an undated article is no news of those days
        )
        return replace(retrieval, ranked=inside), outside

    def _retrieve(self, inquiry: Inquiry, query: str, question: str) -> Retrieval:
        """Search for a query, and rank sentences; the days are those that ``question``, as written, names."""
        period = find_period(question, inquiry.as_of) or find_period(query, inquiry.as_of)
        step = inquiry.timings.step
        with self._retrieving:
            catalogue, models = self._searcher.catalogue, self._models()
            with step("embed"):
                vector = models.embedder.question(query)
            with step("search"):
                idf = catalogue.idf(stems(query)[:MAX_QUERY_WORDS])
                passages = self._searcher.search(
                    vector,
                    list(idf),
                    filters=inquiry.limits,
                    preference=date_preference(query, period, inquiry.as_of),
                    embed=models.embedder.passages,
                )
            with step("rank_sentences"):
                weighted = Query(query, idf, vector)
                ranked = rank_sentences(weighted, passages, models.reader.read)
        return Retrieval(weighted, rank_passages(passages, ranked), ranked, catalogue.counts()[1])

    def _is_only_topic(self, inquiry: Inquiry, retrieval: Retrieval) -> bool:
        """Whether only the topic that a follow-up was completed with is found, and nothing of its own words."""
        follow_up = resolve_pronouns(without_opening(inquiry.question), inquiry.turns, self._searcher.catalogue)
        if follow_up == retrieval.query.text or not retrieval.ranked:
            return False
        models = self._models()
        was_shown = key(retrieval.ranked[0].text) in shown_in(inquiry.turns)
        return is_only_topic(follow_up, retrieval, models.embedder, models.reader.read, was_shown=was_shown)

    def article(self, article_id: str) -> Article | None:
        """Return an article; None if there is none with this id."""
        return self._searcher.catalogue.article(article_id)

    def sources(self, limit: int | None = None) -> list[Source]:
        """List what is indexed, newest first."""
        return self._searcher.catalogue.sources(limit)

    def outlet_names(self) -> dict[str, str]:
        """The outlets by their folded names and aliases."""
        return self._searcher.catalogue.outlet_names()

    def warm(self) -> None:
        """Load what the first question would wait for (seconds). An error here is left to that question."""
        with suppress(ClippingsError):
            self.retrieve("anything")
            if self._llm:
                self._models().support()
                self._llm()

    def close(self) -> None:
        """Close the index."""
        self._searcher.close()

    def _standalone(self, question: str, turns: Sequence[Turn]) -> tuple[str, str | None]:
        """Complete a follow-up by the language model, if it can, else by rules; and a notice if the model failed."""
        by_rules = condense(question, turns)
        if by_rules == question or not self._llm:
            return by_rules, None
        try:
            return rewrite(self._llm(), question, turns) or by_rules, None
        except ClippingsError as error:
            return by_rules, f"{error} The follow-up was completed by rules instead."

    def _write(
        self, llm: Callable[[], LLM], inquiry: Inquiry, answer: Answer, prediction: Prediction
    ) -> Generator[str, None, tuple[Answer | None, str | None]]:
        """Let the language model answer, verified as it streams; None if nothing can be shown, with a notice."""
        question = answer.standalone_question
        passages = [each for passage in answer.passages for each in (passage, *passage.near_duplicates)]
        passages = passages[:_MAX_PROMPT_PASSAGES]
        confirm = (lambda statement, passage: confirms(llm(), statement, passage)) if self._has_second_look else None
        verifier = Verifier(question, passages, self._models().support().logit, confirm)
        shown, fault = "", None
        try:
            for delta in stream_answer(llm(), question, passages, as_of=inquiry.as_of, turns=inquiry.turns):
                if verified := verifier.feed(delta):
                    shown += verified
                    yield verified
        except ClippingsError as error:
            fault = str(error)
            verifier.feed(UNFINISHED)
        draft = verifier.finish()
        if draft.text.startswith(shown) and draft.text != shown:
            yield draft.text.removeprefix(shown)
        if fault and not draft.text:
            return None, fault
        is_strong = prediction.answerable and prediction.probability >= MIN_STRONG_PROBABILITY
        if draft.refused and is_strong:
            return None, "The language model found no answer in the passages."
        if draft.refused:
            refusal = _refuse(answer, "The language model read the nearest passages and found no answer in them.")
            return replace(refusal, answerer="write"), None
        if not draft.text:
            return None, "Nothing that the language model wrote is supported by the articles."
        if draft.dropped > draft.kept and is_strong:
            return None, "Most of what the language model wrote is not supported by the articles."
        left_out = (
            f"Left out, because the cited passages do not support it: {draft.dropped} of the model's statements "
            f"({'; '.join(draft.reasons)})."
        )
        unfinished = f"{fault} What it had written until then is shown." if fault else None
        notice = _notice(answer.notice, unfinished, left_out if draft.dropped else None)
        return replace(answer, text=draft.text, citations=draft.citations, answerer="write", notice=notice), None


def _again(answer: Answer, shown: Collection[str]) -> Answer:
    """Say whether an answer to a question that is asked again has anything but the quotes ``shown`` before."""
    if not shown or not answer.answered:
        return answer
    is_new = any(citation.quote not in shown for citation in answer.citations)
    return replace(answer, notice=_notice(ANOTHER if is_new else NOTHING_ELSE, answer.notice))


def _classify(query: str, follow_up: str | None) -> Request:
    """Classify a query; what completes a follow-up is no second question."""
    request = classify(query)
    return replace(classify(follow_up), text=query) if follow_up and request.kind == "several" else request


def shown_in(turns: Sequence[Turn]) -> str:
    """What the answers of a conversation have shown, by `bot.kinds.scope.key`."""
    return "\n".join(key(turn.text[:_MAX_SHOWN_CHARACTERS]) for turn in turns[-_MAX_TURNS:] if turn.role == "assistant")


def _lists_next(request: Request) -> bool:
    """Whether "go on" asks for the next ones: headlines, quotations; not for more about a subject."""
    return request.kind == "said" or (request.kind == "news" and not request.subject)


def _notice(*lines: str | None) -> str | None:
    return " ".join(dict.fromkeys(filter(None, lines))) or None


def _refuse(answer: Answer, reason: str) -> Answer:
    nearest = {passage.source.id: passage.source for passage in answer.passages}
    return replace(answer, text=REFUSAL, refusal=Refusal(reason, tuple(nearest.values())[:_MAX_NEAREST]))
