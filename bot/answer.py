"""The story of answering: question + turns -> standalone question -> passages -> draft -> checked Answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from bot import write
from bot.condense import condense
from bot.dates import Period, period, years
from bot.events import around_event
from bot.evidence import judge, why_not
from bot.models import REFUSAL, Answer, Refusal, Turn
from bot.quote import compose
from bot.ranking import Found, Question, in_order, rank_sentences
from bot.reader import Reader
from bot.rewrite import rewrite
from bot.smalltalk import reply
from bot.verify import Checker
from index.catalogue import Catalogue
from index.embed import Embedder
from index.models import Article, ClippingsError, Filters, Passage, Source
from index.search import Searcher, Steer
from index.text import stems
from index.weights import locate

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from bot.settings import Settings

MOST_WORDS = 64  # of a question that are searched for
_NEAREST = 3
_WRITTEN_FROM = 10  # passages that a language model is given
_TOLD_EARLIER = timedelta(days=14)  # an article of last week still answers a question about this one
_TOLD_LATER = timedelta(days=2)  # news of a day is also told in the days after it
_NEARBY = 3  # days before or after those asked for that halve what an article gains by its date
_NEW = 0.75  # what it gains by being of today, where the question speaks of no days: less than by being of those
_SOON_OLD = 7  # days of age that halve that
_NO_FILTERS = Filters()


@dataclass(slots=True)
class Timings:
    """How long each step took."""

    milliseconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.milliseconds[name] = round((time.perf_counter() - started) * 1000, 2)


class Engine:
    """Answers questions from the index of a data folder. Safe to share between threads.

    Nothing is read before the first question. Raises ClippingsError: IndexMissing, IndexDamaged, WeightsError.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._model_lock = threading.Lock()
        self._searching = threading.BoundedSemaphore(os.cpu_count() or 1)  # more at once only take each other's time
        self._searcher: Searcher | None = None
        self._loaded: tuple[Embedder, Reader] | None = None
        self._llm: LLM | None = None

    def ask(
        self,
        question: str,
        *,
        turns: Sequence[Turn] = (),
        filters: Filters = _NO_FILTERS,
        today: date | None = None,
    ) -> Answer:
        """The answer, whole."""
        answer = None
        for piece in self.stream(question, turns=turns, filters=filters, today=today):
            if isinstance(piece, Answer):
                answer = piece
        if answer is None:  # stream() ends with an Answer
            raise AssertionError
        return answer

    def stream(
        self,
        question: str,
        *,
        turns: Sequence[Turn] = (),
        filters: Filters = _NO_FILTERS,
        today: date | None = None,
    ) -> Iterator[str | Answer]:
        """Pieces of checked text as they are made, then the Answer, which is what counts.

        ``today`` is the day of the question: "this week" is seen from it, and no later article is read.
        """
        spent, today = Timings(), today or date.today()  # noqa: DTZ011  # the day where the user is
        if said := reply(question):
            yield Answer(question, question, said, "reply")
            return
        with spent.step("condense"):
            standalone, fault = self._standalone(question, turns)
            days = period(question, today) or period(standalone, today)
        found = self.find(standalone, replace(filters, asked=today), days, spent)
        draft = Answer(question, standalone, "", "quote", passages=found.passages, timings_ms=spent.milliseconds)
        verdict, notice = judge(found), fault
        if self._settings.llm and not verdict.hopeless:
            with spent.step("write"):
                written, notice = yield from self._write(draft, turns, today)
            if written:
                yield written
                return
        near = replace(found, ranked=tuple(each for each in found.ranked if not _outside(each.passage, days)))
        if not verdict.enough:
            yield replace(_refused(draft, why_not(found)), notice=notice)
        elif not judge(near).enough:
            outside = _outside(found.ranked[0].passage, days)
            yield replace(_refused(draft, outside or why_not(found)), notice=notice)
        else:
            quoted = compose(near)
            notice = notice and f"{notice} The answer is quoted instead."
            yield replace(draft, text=quoted.text, citations=quoted.citations, notice=notice)

    def find(self, standalone: str, filters: Filters, days: Period | None, spent: Timings | None = None) -> Found:
        """The passages and sentences that come nearest to a question that stands alone."""
        with self._searching:
            return self._find(standalone, filters, days, spent or Timings())

    def _find(self, standalone: str, filters: Filters, days: Period | None, spent: Timings) -> Found:
        index = self._index()
        with spent.step("embed"):
            vector = self._models()[0].question(standalone)
        with spent.step("search"):
            rarity = index.catalogue.rarity(stems(standalone)[:MOST_WORDS])
            steer = _steer(standalone, days, filters.asked, index.catalogue)
            passages = index.search(vector, list(rarity), filters=filters, steer=steer)
        with spent.step("rank_sentences"):
            asked = Question(standalone, rarity, vector)
            ranked = rank_sentences(asked, passages, self._models()[0].passages, self._models()[1].read)
        return Found(asked, in_order(passages, ranked), ranked, index.catalogue.counts()[1])

    def article(self, article_id: str) -> Article | None:
        """An article whole, None where there is none of this id."""
        return self._index().catalogue.article(article_id)

    def sources(self, limit: int | None = None) -> list[Source]:
        """What is indexed, newest first."""
        return self._index().catalogue.sources(limit)

    def warm(self) -> None:
        """Load what the first question would wait for: seconds. What fails here is said to that question."""
        with suppress(ClippingsError):
            self.find("anything", _NO_FILTERS, None)
            if self._settings.llm:
                self._language_model()

    def close(self) -> None:
        """Let go of the index."""
        with self._lock:
            if self._searcher:
                self._searcher.close()
            self._searcher = None

    def _index(self) -> Searcher:
        with self._lock:
            if self._searcher is None:
                self._searcher = Searcher(self._settings.data)
            return self._searcher

    def _models(self) -> tuple[Embedder, Reader]:
        with self._model_lock:
            if self._loaded is None:
                folder = locate(self._settings.model_dir)
                self._loaded = Embedder(folder), Reader(folder)
            return self._loaded

    def _standalone(self, question: str, turns: Sequence[Turn]) -> tuple[str, str | None]:
        """The question that is searched for: a follow-up is completed by the language model, where it can, or by rules.

        The line says what was wrong with the model. Where it goes on to write the answer, its being down is told then.
        """
        by_rules = condense(question, turns)
        if by_rules == question or not self._settings.llm:
            return by_rules, None
        try:
            return rewrite(self._language_model(), question, turns) or by_rules, None
        except ClippingsError as error:
            return by_rules, f"{error} The follow-up was completed by rules instead."

    def _write(
        self, draft: Answer, turns: Sequence[Turn], today: date
    ) -> Generator[str, None, tuple[Answer | None, str | None]]:
        """The language model's answer, checked; None where there is nothing to show, with a line that says why."""
        question = draft.standalone_question
        passages = [told for passage in draft.passages for told in (passage, *passage.retold)][:_WRITTEN_FROM]
        checker, shown = Checker(question, passages), 0
        try:
            for delta in write.draft(self._language_model(), question, passages, today=today, turns=turns):
                if checked := checker.feed(delta):
                    shown += len(checked)
                    yield checked
        except ClippingsError as error:
            return None, str(error)
        done = checker.finish()
        if last := done.text[shown:]:
            yield last
        if done.said_nothing:
            refused = _refused(draft, "The language model read the nearest passages and found no answer in them.")
            return replace(refused, answerer="write"), None
        if not done.text:
            return None, "Nothing that the language model wrote is supported by the articles."
        left_out = f"Left out, because the cited passages do not support it: {done.dropped} of the model's statements."
        notice = left_out if done.dropped else None
        return replace(draft, text=done.text, citations=done.citations, answerer="write", notice=notice), None

    def _language_model(self) -> LLM:
        with self._lock:
            if self._llm is None:
                settings = self._settings
                self._llm = write.make_llm(
                    settings.llm,
                    api_key=settings.llm_api_key,
                    timeout=settings.llm_timeout,
                    context_window=settings.llm_context,
                )
            return self._llm


def _steer(question: str, days: Period | None, asked: date | None, catalogue: Catalogue) -> Steer | None:
    """The days that the question speaks of, or a side of an event; else what is new, unless it names another year."""
    if days:
        nearby = _NEARBY if days.about == "published" else 0
        return Steer(days.since, days.until + _TOLD_LATER, newest_first=days.kind == "latest", half_life=nearby)
    if asked is None or years(question) - {asked.year}:
        return None
    return around_event(question, asked, catalogue) or Steer(asked, asked, worth=_NEW, half_life=_SOON_OLD)


def _refused(draft: Answer, reason: str) -> Answer:
    nearest = {passage.source.id: passage.source for passage in draft.passages}
    return replace(draft, text=REFUSAL, refusal=Refusal(reason, tuple(nearest.values())[:_NEAREST]))


def _outside(passage: Passage, days: Period | None) -> str | None:
    """Why a passage is no answer to a question about the news of certain days, where it is of quite other days."""
    published = passage.source.published
    if days is None or days.kind != "relative" or days.about != "published" or published is None:
        return None
    if days.since - _TOLD_EARLIER <= published <= days.until + _TOLD_LATER:
        return None
    return f"The nearest article is of {published:%-d %B %Y}, and the question asks about “{days.matched}”."
