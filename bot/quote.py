"""The answerer without a language model: which sentences of the passages say it, quoted to the letter.

Each sentence of the best passages is scored by what it means (cosine to the question), which of the question's
words it and its headline hold (weighted by their rarity), the kind of thing it holds (a number where one is
asked for) and how well its passage was found. The first few are read by the reader, which tells what is said of the
thing in question from what only has its words. The best is quoted, with a second and third where they are nearly as
good and say something else. Where two articles give different figures for what was asked, both are quoted and the
answer says that they differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from bot.figures import Figure, asked_figure, counted, differ
from bot.kinds import Kind, holds, kind_asked
from bot.models import Citation
from bot.planted import gives_orders
from bot.reader import Context, Reading
from index.embed import Vectors
from index.models import Passage, Source
from index.text import figures, names, sentences, stem, stems, words

PASSAGES = 6
_EMBEDDED = 16  # sentences of which the meaning is compared: what the cheaper signs rank below is never quoted
_MEANING, _FOUND, _HOLDS_KIND = 5.0, 0.2, 0.4  # weights beside a coverage of 0 to 1, chosen on four question sets
_READ, _MOST_READ = 3, 6  # sentences that are read: the best, and those of other articles
_READING = 0.1  # for each unit of the reader's log-odds
_VERY_CERTAIN = 3.0  # log-odds from which on the reader has a say in the order of the passages, too
_CERTAINTY = 0.3  # of a standard deviation of a passage's score, for each unit beyond
_HARDLY = -3.0  # log-odds below which it makes no difference, and what a sentence has that was not read
_COUNTS = 0.4  # what it is worth to give a figure for all that the question counts
_NEARLY_AS_GOOD = 0.4
_LONGEST = 80  # words in all
_MOST = 3
_MOST_ANSWERS, _LONGEST_ANSWERS = 4, 120  # of different articles, and their words in all
_SURE, _CERTAIN = 0.0, 2.0  # log-odds of the reader: to quote another article's answer, and to say that they differ
_SAME = 0.7  # share of the shorter sentence's words that makes the other a repetition
_SAME_MATTER = 0.6  # of the coverage of the best sentence's passage
_DIFFERING = 1.0  # how far behind the best a sentence with another figure may be


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage, and how well it answers.

    ``coverage`` is the share of the question's words in it, ``around`` are the stems of its passage and headline.
    """

    passage: Passage
    start: int
    end: int
    text: str
    score: float
    coverage: float
    around: frozenset[str]
    context: Context
    cosine: float = 0.0
    reading: Reading | None = None
    holds_kind: bool = False
    stems: frozenset[str] = frozenset()
    specifics: frozenset[str] = frozenset()  # its names and figures
    story: str = ""  # the id of the article that stands for its story
    figure: Figure | None = None

    @property
    def answer(self) -> frozenset[str]:
        """The stems of the words that answer, as far as it was read."""
        return frozenset(stems(self.text[slice(*self.reading.answer)])) if self.reading else frozenset()


@dataclass(frozen=True, slots=True)
class Quoted:
    """The answer's text with its ``[n]``, and the quotes that they stand for."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of a question before any passage is read. ``rarity`` maps its stemmed words to their weights."""

    text: str
    rarity: Mapping[str, float]
    vector: Vectors
    kind: Kind = field(init=False)
    words: frozenset[str] = field(init=False)
    counted: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Read the kind of thing that is asked for."""
        object.__setattr__(self, "kind", kind_asked(self.text))
        object.__setattr__(self, "words", frozenset(words(self.text)))
        object.__setattr__(self, "counted", counted(self.text))

    def coverage(self, held: frozenset[str]) -> float:
        """The share of the question's words, by rarity, that a set of stems holds; 0 to 1."""
        total = sum(self.rarity.values())
        return sum(weight for word, weight in self.rarity.items() if word in held) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a question: passages, best first, and the sentences of the best of them, best first.

    ``chunks`` is the number of those that were searched.
    """

    question: Question
    passages: tuple[Passage, ...]
    ranked: tuple[Sentence, ...]
    chunks: int


Embed = Callable[[Sequence[str]], Vectors]
Read = Callable[[str, Sequence[Context]], Sequence[Reading]]


def rank_sentences(question: Question, passages: Sequence[Passage], embed: Embed, read: Read) -> tuple[Sentence, ...]:
    """The sentences of the best passages, and of the same stories elsewhere, that answer best; best first."""
    best = [(told, passage) for passage in passages[:PASSAGES] for told in (passage, *passage.retold)]
    found = [sentence for told, passage in best for sentence in _sentences(question, told, passage.source.id)]
    found = sorted(found, key=lambda sentence: -sentence.score)[:_EMBEDDED]
    if not found:
        return ()
    # What tells its reader what to write is quoted only where there is nothing else.
    found = [sentence for sentence in found if not gives_orders(sentence.text)] or found
    cosines = embed([sentence.text for sentence in found]) @ question.vector
    near = [_with_meaning(sentence, float(cosine)) for sentence, cosine in zip(found, cosines, strict=True)]
    likely, rest = _to_read(sorted(near, key=lambda sentence: -sentence.score))
    readings = read(question.text, [sentence.context for sentence in likely])
    ranked = [_with_reading(sentence, reading) for sentence, reading in zip(likely, readings, strict=True)]
    ranked += [replace(sentence, score=sentence.score + _READING * _HARDLY) for sentence in rest]
    return tuple(sorted(ranked, key=lambda sentence: -sentence.score))


def _to_read(near: Sequence[Sentence]) -> tuple[list[Sentence], list[Sentence]]:
    """The sentences that are worth reading, and the others: the first few, then the best of each other story."""
    likely, rest = list(near[:_READ]), list[Sentence]()
    for sentence in near[_READ:]:
        heard = any(sentence.story == other.story for other in likely)
        (rest if heard or len(likely) == _MOST_READ else likely).append(sentence)
    return likely, rest


def in_order(passages: Sequence[Passage], ranked: Sequence[Sentence]) -> tuple[Passage, ...]:
    """Passages, best first, those further up in which the reader is sure of a sentence."""
    certain = {
        sentence.story: _CERTAINTY * (_surely(sentence) - _VERY_CERTAIN)
        for sentence in sorted(ranked, key=_surely)
        if _surely(sentence) > _VERY_CERTAIN
    }
    return tuple(sorted(passages, key=lambda passage: -passage.score - certain.get(passage.source.id, 0.0)))


def compose(found: Found) -> Quoted:
    """Quote the best of the sentences found, and what other articles answer in other words."""
    ranked, best = found.ranked, found.ranked[0]
    other = _differing(found.question, ranked)
    chosen = [best, other] if other else [best]
    chosen += _other_answers(found.question, chosen, ranked)
    if len(chosen) == 1:
        chosen = _choose(ranked)
    differ = bool(other) or any(_of_one_kind(found.question, best, sentence) for sentence in chosen[1:])
    sources = [sentence.passage.source for sentence in chosen]
    days = [source.published for source in sources if source.published and source.published_certain]
    dated = differ and len(days) == len(chosen) and len(set(days)) > 1
    if dated:
        chosen.sort(key=lambda sentence: sentence.passage.source.published or date.min, reverse=True)
    citations = tuple(_citation(number, sentence, ranked) for number, sentence in enumerate(chosen, 1))
    return Quoted(_text(citations, differ=differ, dated=dated), citations)


def _text(citations: Sequence[Citation], *, differ: bool, dated: bool) -> str:
    """The quotes with their numbers; where they differ, with the days of their articles, the latest first."""
    quotes = [f"“{citation.quote}” [{citation.number}]" for citation in citations]
    if not differ:
        return " ".join(quotes)
    if dated:
        days = [f"{citation.source.published:%-d %B %Y}" for citation in citations]
        days[0] += ", the latest"
        quotes = [f"{quote} ({day})" for quote, day in zip(quotes, days, strict=True)]
    return f"The articles differ: {quotes[0]} — but: {' '.join(quotes[1:])}"


def _sentences(question: Question, passage: Passage, story: str) -> list[Sentence]:
    headline = frozenset(stems(passage.source.headline))
    around = headline | frozenset(stems(passage.text))
    found = []
    spans = sentences(passage.text)
    texts = ["", *(passage.text[start:end] for start, end in spans), ""]
    for (start, end), before, text, after in zip(spans, texts, texts[1:], texts[2:], strict=False):
        held = frozenset(stems(text))
        if not held:
            continue
        kind = holds(question.kind, text, question.words)
        figure = asked_figure(text, question.counted) if question.kind in {"number", "money"} else None
        score = question.coverage(held | headline) + _FOUND * passage.score + _HOLDS_KIND * kind
        score += _COUNTS * len(figure.near) / len(question.counted) if figure else 0.0
        specifics = frozenset([*names(text), *figures(text)])
        found.append(
            Sentence(
                passage, passage.start + start, passage.start + end, text, score, question.coverage(held), around,
                Context(passage.source.headline, before, text, after), holds_kind=kind, stems=held, specifics=specifics,
                story=story, figure=figure,
            )
        )  # fmt: skip
    return found


def _with_meaning(sentence: Sentence, cosine: float) -> Sentence:
    return replace(sentence, score=sentence.score + _MEANING * cosine, cosine=cosine)


def _with_reading(sentence: Sentence, reading: Reading) -> Sentence:
    return replace(sentence, score=sentence.score + _READING * max(reading.score, _HARDLY), reading=reading)


def _choose(ranked: Sequence[Sentence]) -> list[Sentence]:
    chosen, length = [ranked[0]], len(ranked[0].text.split())
    for sentence in ranked[1:]:
        more = len(sentence.text.split())
        if len(chosen) == _MOST or ranked[0].score - sentence.score > _NEARLY_AS_GOOD:
            break
        if length + more <= _LONGEST and not any(_repeats(sentence, other) for other in chosen):
            chosen.append(sentence)
            length += more
    return chosen


def _repeats(one: Sentence, other: Sentence) -> bool:
    """Whether a sentence says no more than another: the same words and, in another story, no new name or figure."""
    if one.story != other.story and one.specifics - other.specifics:
        return False
    return len(one.stems & other.stems) >= _SAME * min(len(one.stems), len(other.stems))


def _differing(question: Question, ranked: Sequence[Sentence]) -> Sentence | None:
    """The first figure that another article gives for the same thing, where it is another one.

    What the article counts further down is something else: a toll of another event, told for comparison.
    """
    best = ranked[0]
    if best.figure is None:
        return None
    heard = {best.passage.source.id}
    for sentence in ranked[1:]:
        if best.score - sentence.score > _DIFFERING:
            return None
        if sentence.figure and sentence.passage.source.id not in heard:
            heard.add(sentence.passage.source.id)
            if differ(best.figure, sentence.figure):
                return sentence if _same_matter(question, best, sentence) else None
    return None


def _other_answers(question: Question, chosen: Sequence[Sentence], ranked: Sequence[Sentence]) -> list[Sentence]:
    """Of each other article that surely answers in words that none before has: the sentence that does so best."""
    answers: dict[str, Sentence] = {}
    for sentence in ranked:
        known = answers.get(sentence.story)
        if _surely(sentence) >= _SURE and (known is None or _surely(sentence) > _surely(known)):
            answers[sentence.story] = sentence
    found = list(chosen) if _surely(chosen[0]) >= _SURE else []
    for sentence in sorted(answers.values(), key=lambda sentence: -sentence.score) if found else ():
        new = not any(
            sentence.story == other.story or sentence.answer & other.answer or _repeats(sentence, other)
            for other in found
        )
        short = sum(len(each.text.split()) for each in (*found, sentence)) <= _LONGEST_ANSWERS
        if new and short and len(found) < _MOST_ANSWERS and _same_matter(question, chosen[0], sentence):
            found.append(sentence)
    return found[len(chosen) :]


def _surely(sentence: Sentence) -> float:
    """How sure the reader is that a sentence answers; one that was not read does not."""
    return sentence.reading.score if sentence.reading else -math.inf


def _of_one_kind(question: Question, one: Sentence, other: Sentence) -> bool:
    """Whether two sentences of different articles answer with different things of the kind that is asked for."""
    certain = min(_surely(one), _surely(other)) >= _CERTAIN
    if not certain or question.kind in {"any", "reason"} or one.story == other.story or one.answer & other.answer:
        return False
    texts = [sentence.text[slice(*sentence.reading.answer)] for sentence in (one, other) if sentence.reading]
    return len(texts) == 2 and all(holds(question.kind, text, question.words) for text in texts)  # noqa: PLR2004  # both


def _same_matter(question: Question, one: Sentence, other: Sentence) -> bool:
    """Whether another passage is of what is asked about too: it has the same of its names, and most of its words."""
    named = {stem(name) for name in names(question.text)} & one.around
    alike = question.coverage(other.around) >= _SAME_MATTER * question.coverage(one.around)
    return alike and named <= other.around


def _citation(number: int, sentence: Sentence, ranked: Sequence[Sentence]) -> Citation:
    """Cite a sentence, and beside it the articles that have the same story or the same sentence."""
    mine = sentence.passage.source
    also: dict[str, Source] = {}
    for other in ranked:
        told = (other.passage.source, *other.passage.also)
        same_story = any(source.id == mine.id for source in told)
        if same_story or (_repeats(sentence, other) and not _contradicts(sentence, other)):
            also |= {source.id: source for source in (told if same_story else told[:1])}
    also.pop(mine.id, None)
    return Citation(number, sentence.text, sentence.start, sentence.end, mine, tuple(also.values()))


def _contradicts(one: Sentence, other: Sentence) -> bool:
    return bool(one.figure and other.figure and differ(one.figure, other.figure))
