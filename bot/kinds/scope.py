"""What a way reads and what it returns, and how the lines of an answer become text with citations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.extract.decontextualize import decontextualize, presented
from bot.extract.ranking import Candidate, Retrieval
from bot.models import Answer, Citation, in_marks, numbered
from bot.query.date_preference import outside_period
from bot.query.dates import find_period
from bot.query.kind import Request
from index.models import Article, Filters, Passage, Source, Span
from index.near_duplicates import other_sources
from index.storage.catalogue import Catalogue
from index.text import fold, sentences

_MAX_LEAD_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be read: the index, limited by ``filters`` (with the day of the question as ``as_of``).

    ``retrieve`` searches for a query and ranks sentences, within the same limits. ``similarities``: the cosines of a
    query and texts, in their order. ``supports``: the log-odds that a premise supports a statement. ``shown``: what the
    conversation has shown already and is not to be shown again, by `key`.
    """

    catalogue: Catalogue
    filters: Filters
    retrieve: Callable[[str], Retrieval]
    similarities: Callable[[str, Sequence[str]], Sequence[float]]
    supports: Callable[[str, str], float]
    shown: str = ""

    def shows(self, text: str) -> bool:
        """Whether the conversation has shown a quote or a headline already."""
        return bool(self.shown) and key(text) in self.shown

    @property
    def as_of(self) -> date:
        """The day of the question."""
        return self.filters.as_of or date.max

    def retrieve_in_period(self, query: str) -> Retrieval:
        """As ``retrieve``, without the sentences of articles outside the days that the query names."""
        retrieval = self.retrieve(query)
        period = find_period(query, self.filters.as_of) if self.filters.as_of else None
        inside = (candidate for candidate in retrieval.ranked if not outside_period(candidate.passage, period))
        return replace(retrieval, ranked=tuple(inside))

    def article(self, source: Source) -> Article:
        """The article of a source that the catalogue has just listed; empty if a writer has removed it since."""
        return self.catalogue.article(source.id) or Article(source, "")


@dataclass(frozen=True, slots=True)
class Found:
    """An answer of a way: text with marks ``[n]`` and what they cite. ``short``: its beginning, if that answers alone.

    ``refusal``: why there is no answer, instead of a text; a language model may still find one if not ``is_final``.
    ``is_exact``: computed from the catalogue, so that a language model could only make it worse.
    """

    text: str = ""
    citations: tuple[Citation, ...] = ()
    refusal: str = ""
    is_exact: bool = False
    is_final: bool = True
    short: str | None = None

    def completed(self, answer: Answer) -> Answer:
        """The answer with this text."""
        return replace(answer, text=self.text, citations=self.citations, short=self.short)


Way = Callable[[Request, Scope], Found | None]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an answer: our words, and the quote that proves them, which begins at ``start`` of its article's body.

    ``shows_quote``: print the quote behind the words. It is always cited.
    """

    source: Source
    quote: str
    start: int
    words: str = ""
    also_in: tuple[Source, ...] = ()
    shows_quote: bool = True

    @classmethod
    def at(cls, article: Article, span: Span, words: str = "", also_in: tuple[Source, ...] = ()) -> Line:
        """A line that quotes a span of an article."""
        return cls(article.source, article.body[slice(*span)], span.start, words, also_in)

    @classmethod
    def telling(cls, article: Article, span: Span, words: str = "", also_in: tuple[Source, ...] = ()) -> Line:
        """A line that quotes what an article tells: without a byline, and no accusation without its denial."""
        return cls.at(article, presented(article.body, span), words, also_in)

    @classmethod
    def about(cls, article: Article, words: str) -> Line:
        """Our words about an article, whose first sentence is cited and not printed."""
        return replace(cls.at(article, lead(article), words), shows_quote=False)

    @classmethod
    def within(cls, passage: Passage, span: Span, words: str = "", also_in: tuple[Source, ...] = ()) -> Line:
        """A line that quotes a span of a passage."""
        return cls(passage.source, passage.text[slice(*span)], passage.start + span.start, words, also_in)

    @classmethod
    def of(cls, candidate: Candidate, retrieval: Retrieval, words: str = "", *, is_alone: bool = False) -> Line:
        """A line that quotes a candidate, unless ``is_alone`` with what it depends on, and what else holds this."""
        passage = candidate.passage
        span = quoted_span(candidate, retrieval.query.text)
        if is_alone:
            span = Span(candidate.start - passage.start, candidate.end - passage.start)
        passages = dict.fromkeys(other.passage for other in retrieval.ranked)
        return cls.within(passage, span, words, other_sources(passage.text[slice(*span)], passage.source, passages))

    @property
    def citation(self) -> Citation:
        """The quote as proof, not numbered yet."""
        return Citation(0, self.quote, self.start, self.start + len(self.quote), self.source, self.also_in)


def quoted_span(candidate: Candidate, question: str) -> Span:
    """The span of its passage that is quoted for a candidate: with the sentences that it depends on."""
    own = Span(candidate.start - candidate.passage.start, candidate.end - candidate.passage.start)
    return decontextualize(candidate.passage.text, own, question)


def compose(lines: Sequence[Line], head: str = "", *, is_exact: bool = False, short: str | None = None) -> Found:
    """Write lines as a list, or a single one as it is, with a number for each article in reading order.

    ``head`` begins with ``short``, if there is one.
    """
    cited = numbered(line.citation for line in lines)
    texts: list[str] = []
    for line, citation in zip(lines, cited, strict=True):
        quote = in_marks(citation.quote) if line.shows_quote else ""
        texts.append(" ".join(part for part in (line.words, quote, f"[{citation.number}]") if part))
    body = texts[0] if len(texts) == 1 else "\n".join(f"- {text}" for text in texts)
    separator = "\n" if len(texts) > 1 else " "
    quotes = {(citation.number, citation.start, citation.end): citation for citation in reversed(cited)}
    citations = tuple(reversed(quotes.values()))
    return Found(f"{head}{separator}{body}" if head else body, citations, is_exact=is_exact, short=short)


def lead(article: Article) -> Span:
    """The first sentence of an article."""
    return next(iter(sentences(article.body[:_MAX_LEAD_CHARACTERS])), Span(0, 0))


def day(source: Source) -> str:
    """``"9 June 2024"``; "" without a date."""
    return f"{source.published:%-d %B %Y}" if source.published else ""


def title(source: Source) -> str:
    """``"Bridge closed — The Courier, 9 June 2024"``: headline, outlet and day, as far as they are known."""
    origin = ", ".join(part for part in (source.outlet, day(source)) if part)
    return " — ".join(part for part in (" ".join(source.headline.split()), origin) if part)


def key(text: str) -> str:
    """What a quote is found by in a text that shows it, whatever its marks and lines: its folded letters and digits."""
    return "".join(filter(str.isalnum, fold(text)))


def notes_beside(citations: Sequence[Citation], catalogue: Catalogue) -> list[str]:
    """What a reader must know of the cited articles: that they were corrected, or recognized in a picture (OCR)."""
    articles = map(catalogue.article, dict.fromkeys(citation.source.id for citation in citations))
    return [
        f"{' '.join(article.source.headline.split())} — {piece.kind}: {piece.text}"
        for article in articles
        if article
        for piece in article.boilerplate
        if piece.kind in {"correction", "note"}
    ]
