"""What happened: a summary of the articles about a subject or of a period, and a timeline of dated lines.

Dates of events are resolved when a question is asked, from the few articles that it is about, so no table of them is
kept: a timeline over five articles of 400 words takes 15 ms of processor time, over thirty 90 ms (2026-11-27).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bot.extract.decontextualize import decontextualize, is_anaphoric
from bot.extract.tuning import TUNED
from bot.kinds.news import newest_source, no_news, period_in_words, story_title
from bot.kinds.scope import Found, Line, Scope, compose, lead
from bot.kinds.stories import (
    Matter,
    Story,
    first_on,
    group_stories,
    is_correction,
    is_news,
    newest_stories,
    parse_matter,
    quotable,
    stories_about,
)
from bot.query.dates import shift
from bot.query.kind import Request
from index.models import Article, Filters, Source, Span
from index.reading.event_dates import EventDate, after_dateline, dated_events, on
from index.text import figures, names, sentences, stems, words

_MAX_LINES = 7  # of a summary
_LINES_OF_ONE, _MAX_LINES_OF_FEW = 4, 6  # of one article; of two or three
_MAX_QUOTE_WORDS = 60  # of a sentence with those that it leans on
_MAX_DATED_LINES = 10
_MAX_DATED_STORIES = 30
_MAX_LINES_OF_A_DAY = 2  # of one article
_MAX_DAYS_TO_REPORT = 2
_MIN_DAYS_BEFORE = 14  # the first story, for what is called its background
_MIN_SAME_SPECIFICS, _MIN_SAME_SHARE = 2, 0.25  # of two sentences about the same event
_EARLY_BONUS, _SUBJECT_BONUS, _FIGURE_BONUS, _SPEECH_FACTOR = 1.0, 0.5, 0.3, 0.5
_WRONG = re.compile(
    r"\b(?:not|instead of|rather than)\s+([^,.;]{1,40})|\b(?:article|report|story|version|we)\b[^.]{0,30}"
    r"\b(?:said|stated|gave|reported|wrote)\b(.*)",
    re.IGNORECASE | re.DOTALL,
)
_HAPPENED = re.compile(r"what (?:has )?happen", re.IGNORECASE)  # a fact, where no article is about its subject
# Sorts of events that news tells by other words than their name, and by which.
_ACCIDENT = (
    r"accident|explo(?:ded?|sion)|blast|burst|crash|collid|collision|derail|capsiz|sank\b|spil(?:l|t)"
    r"|(?<!opened )(?<!under )fires?\b|(?:dam|bridge|building|crane|wall|roof|tree|lift|mine|tower) (?:fell|collapsed)"
    r"|(?:gas|acid|chlorine|oil|fuel|ammonia|chemicals?|tank|pipe) (?:\w+ )?leak"
    r"|leak(?:ed)? [^.,;]{0,30}\b(?:acid|oil|gas)\b"
)
_SORTS = tuple(
    (name, re.compile(rf"\b(?:{words})", re.IGNORECASE))
    for name, words in (
        ("accident|incident|mishap", _ACCIDENT),
        ("attack", r"attack|bomb|blast|shot\b|shoot|stabb|gunm[ae]n"),
        ("protest", "protest|demonstrat|march(?:ed|es)|rall(?:y|ied)|blockad"),
        ("resign", r"resign|step(?:ped|s) down|stood down|quit\b"),
        ("offer", "offer"),
    )
)
_EVENTS_ASKED = re.compile(
    r"\W*(?:and |please )*(?:(?:list|name|give me|show me|which|what)\s(?:(?:were|are|all|every|the|other|of|pay)\s)*"
    r"|list (?:everyone|everybody|all|those) who (?:has |have )?|who (?:all )?(?:has |have )?)"
    r"(?P<sort>(?:accident|incident|mishap|attack|protest|resignation|offer)s|resigned)\b(?P<rest>[^?]*)",
    re.IGNORECASE,
)
_NO_SUBJECT = re.compile(
    r"\b(?:happen(?:ed|s)?|occur(?:red|s)?|took place|have there been|has there been|been|were there|ma[dk]e|so far"
    r"|reported|there)\b",
    re.IGNORECASE,
)
_NOT_YET = re.compile(
    r"\b(?:would|could|might|may|call(?:ed|s)? (?:on|for)|demand\w*|urged?|refus\w+|den(?:y|ied|ies))\b"
)
_PERSONAL = re.compile(r"\b(?:s?he|his|hers?|they|their|(?P<object>him|them))\b", re.IGNORECASE)
_WHOLE = re.compile(r"\b(?:news|articles|everything|collection|stories|headlines|papers?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Event:
    """A quote ``article.body[start:end]`` with the days that it tells of; those of the article if it names none."""

    when: EventDate
    story: Story
    span: Span
    is_lead: bool = False
    is_dated: bool = True
    label: str = ""

    @property
    def text(self) -> str:
        """The quote."""
        return self.story.article.body[slice(*self.span)]


def summarize(request: Request, scope: Scope) -> Found | None:
    """Summarize the articles about a subject, the latest state first, or the news of a period day by day."""
    matter = parse_matter(request, scope)
    named = scope.catalogue.article(scope.filters.article) if scope.filters.article else None
    if named and not matter.words:  # "tell me about the second one"
        return _more(group_stories([named], {named.id}), request, matter, scope)
    if not matter.words:
        return _of_all(request, matter, scope)
    stories = _stories(matter, scope)
    if scope.shown:
        return _more(stories, request, matter, scope)
    if isinstance(stories, Found):
        return None if _HAPPENED.match(request.text) and not matter.period else stories
    if len(stories) == 1:
        return _of_one(stories[0], matter)
    return compose([_line(event) for event in _course(stories, matter)], "")


def _of_all(request: Request, matter: Matter, scope: Scope) -> Found | None:
    """Summarize a period, everything, or the only story that there is: "What is this about?"."""
    if matter.period or _WHOLE.search(request.text):
        return _by_days(matter, scope)
    everything = newest_stories(scope, scope.filters, 2)
    return _of_one(everything[0], matter) if len(everything) == 1 else None


def _of_one(story: Story, matter: Matter) -> Found:
    spans = _best(story, matter, _LINES_OF_ONE, [])
    lines = [Line.telling(story.article, span, also_in=story.also_in(span)) for span in spans]
    return compose(lines, f"{story_title(story)}:")


def _more(stories: list[Story] | Found, request: Request, matter: Matter, scope: Scope) -> Found:
    """The next sentences of the articles about a subject that the conversation has not shown, in the order of events.

    If none is about it: of the article that is named, or of those near it that the conversation has quoted from.
    """
    if isinstance(stories, Found):
        sources = dict.fromkeys(passage.source for passage in scope.retrieve(request.text).passages)
        named = {scope.filters.article}  # "tell me more about the second one"
        near = group_stories([scope.article(source) for source in sources], {name for name in named if name})
        stories = [story for story in near if story.is_about or _shown_texts(story, scope)]
    known = [text for story in stories for text in _shown_texts(story, scope)]
    events: list[Event] = []
    for story in stories:
        body, count = story.article.body, 0
        for span in quotable(story.article):
            text = body[slice(*_trimmed(body, span))]
            if count == _LINES_OF_ONE or len(events) == _MAX_LINES:
                break
            if any(_repeats(text, other) for other in known) or _leaves_open_who(text):
                continue
            whole = _trimmed(body, decontextualize(body, span) if is_anaphoric(text) else span)
            before = [event for event in events if event.story is story and whole.start < event.span.end]
            event = _event(story, Span(min([whole.start, *(other.span.start for other in before)]), whole.end))
            is_about = story.is_about or set(matter.words) & set(stems(event.text))
            if is_about and not is_anaphoric(event.text):
                events = [*(other for other in events if other not in before), event]
                known.append(text)
                count += 1
    if not events:
        about = "it" if "(" in request.text else matter.subject  # brackets: what completes a follow-up
        return Found(refusal=f"There is nothing more about {about} in the articles.")
    return compose([_line(event) for event in sorted(events, key=_by_time)])


def _shown_texts(story: Story, scope: Scope) -> list[str]:
    """The sentences of a story that the conversation has shown."""
    body = story.article.body
    texts = (body[slice(*_trimmed(body, span))] for span in quotable(story.article))
    return [text for text in texts if scope.shows(text)]


def _leaves_open_who(text: str) -> bool:
    """Whether "he" or "she" of a quote has nobody before it: beside other lines it would seem to be somebody else."""
    pronoun = _PERSONAL.search(text)
    return pronoun is not None and (bool(pronoun["object"]) or not names(text[: pronoun.start()]))


def timeline(request: Request, scope: Scope) -> Found | None:
    """List the dated events of the articles about a subject, oldest first, each event once."""
    matter = parse_matter(request, scope)
    if not matter.words:
        return _by_days(matter, scope) if matter.period or _WHOLE.search(request.text) else None
    stories = _stories(matter, scope)
    if isinstance(stories, Found):
        return stories
    events = [event for story in stories[:_MAX_DATED_STORIES] for event in _events(story, matter)]
    if matter.period:
        events = [event for event in events if _overlaps(event, matter)]
    chosen: list[Event] = []
    for event in sorted(events, key=lambda event: (not event.is_lead, -_relevance(event, matter))):
        if len(chosen) < _MAX_DATED_LINES and not any(_is_same(event, other) for other in chosen):
            chosen.append(event)
    begun = min(event.when.first for event in chosen if event.is_lead)
    chosen = [replace(event, label="Background, ") if _is_older(event, begun, matter) else event for event in chosen]
    return compose([_line(event) for event in sorted(chosen, key=_by_time)])


def list_events(request: Request, scope: Scope) -> Found | None:
    """List the dated events of a sort ("all accidents at the works", "who has resigned"), oldest first.

    None if the question names no sort that is known by its verbs, or the articles have but one of it.
    """
    asked = _EVENTS_ASKED.match(request.text)
    if not asked:
        return None
    happened = next(pattern for name, pattern in _SORTS if re.search(name, asked["sort"], re.IGNORECASE))
    matter = parse_matter(replace(request, subject=_NO_SUBJECT.sub(" ", asked["rest"])), scope)
    stories = stories_about(matter, scope, scope.filters) if matter.words else []
    stories = stories or ([] if matter.words else newest_stories(scope, scope.filters, _MAX_DATED_STORIES))
    dated = [event for story in stories[:_MAX_DATED_STORIES] for event in _events(story, matter)]
    chosen: list[Event] = []
    for event in sorted(dated, key=lambda event: (not event.is_lead, _by_time(event))):
        is_told = happened.search(event.text) and not _NOT_YET.search(event.text) and _overlaps(event, matter)
        if is_told and not any(_is_same(event, other) or _is_within(event, other) for other in chosen):
            chosen.append(event)
    newest = sorted(chosen, key=_by_time)[-_MAX_DATED_LINES:]
    more = f", the newest {len(newest)}" if len(newest) < len(chosen) else ""
    head = f"{_sort(asked['sort'])} that the articles date{more}:"
    return compose([_line(event) for event in newest], head) if len(newest) > 1 else None


def _sort(written: str) -> str:
    return "Resignations" if written.lower() == "resigned" else written.capitalize()


def _is_within(event: Event, other: Event) -> bool:
    """Whether the days of a quote hold those of another with half of its words: "an explosion in January"."""
    is_wide = event.when.first <= other.when.first and other.when.last <= event.when.last
    held = set(stems(event.text))
    return is_wide and 2 * len(held.intersection(stems(other.text))) >= len(held)


def _is_older(event: Event, begun: date, matter: Matter) -> bool:
    """Whether it was weeks before the first story and does not name the subject: an offer before the strike."""
    if event.is_lead or event.when.last > begun - timedelta(_MIN_DAYS_BEFORE):
        return False
    things = set(matter.words) - set(stems(" ".join(names(f"about {matter.subject}"))))
    held = set(stems(event.text))
    return not things <= held or any(held.isdisjoint(family) for family in matter.kindred)


def _stories(matter: Matter, scope: Scope) -> list[Story] | Found:
    """The stories about a subject in the period, newest first, or the reason why there are none."""
    filters = _reported(matter, scope)
    stories = stories_about(matter, scope, filters)
    if stories:
        return stories
    older = stories_about(matter, scope, scope.filters) if matter.period else []
    refusal = no_news(matter, older[0].article.source) if older else f"No article is about {matter.subject}."
    return Found(refusal=refusal)


def _reported(matter: Matter, scope: Scope) -> Filters:
    """Limit the filters to the period, and to the days after it in which its events are reported."""
    if matter.period and matter.period.names_event:
        until = min(shift(matter.period.until, _MAX_DAYS_TO_REPORT), scope.as_of)
        matter = replace(matter, period=replace(matter.period, until=until))
    return matter.within(scope.filters)


def _by_days(matter: Matter, scope: Scope) -> Found:
    """The leads of the stories of a period, or of the newest stories, oldest first."""
    stories = newest_stories(scope, _reported(matter, scope), 2 * _MAX_LINES)
    events = [_lead_event(story, matter) for story in stories]
    if matter.period and matter.period.names_event:
        events = [event for event in events if _overlaps(event, matter)]
    if not events:
        return Found(refusal=no_news(matter, newest_source(scope)))
    more = f", the newest {_MAX_LINES} stories" if matter.period and len(events) > _MAX_LINES else ""
    head = period_in_words(matter.period) if matter.period else "the newest stories"
    lines = [_line(event) for event in sorted(events[:_MAX_LINES], key=_by_time)]
    return compose(lines, f"{head[:1].upper()}{head[1:]}{more}:")


def _course(stories: Sequence[Story], matter: Matter) -> list[Event]:
    """The lead of each story and the best sentences between: the latest state first, then in the order of events.

    What a correction says was wrong is not quoted.
    """
    corrections = [story for story in stories if is_correction(story.article.source)]
    reports = [story for story in stories if story not in corrections] or list(stories)
    if len(stories) > _MAX_LINES:  # the newest, and how it began
        stories = [*stories[: _MAX_LINES - 1], reports[-1]]
    events: list[Event] = []
    each = max(1, _MAX_LINES_OF_FEW // len(stories))
    for story in stories:
        if story in corrections:
            events.append(_correction_event(story))
            continue
        wrong = _wrong_figures(story, corrections)
        for span in _best(story, matter, each, [event.text for event in events], wrong):
            event = _event(story, span)
            if not any(_is_same(event, other) for other in events):
                events.append(event)
    latest = next((event for event in events if event.story is reports[0]), events[0])
    rest = sorted((event for event in events if event is not latest), key=_by_time)
    return [replace(latest, label="Latest, "), *rest]


def _best(
    story: Story, matter: Matter, count: int, known: Sequence[str], wrong: frozenset[str] = frozenset()
) -> list[Span]:
    """The lead and the sentences that cover most of an article, in their order, without repetitions."""
    article, body = story.article, story.article.body
    first = first_on(story, matter.words)
    spans = [span for span in quotable(article) if wrong.isdisjoint(figures(body[slice(*span)]))]
    if not _leads(story, matter, first):
        spans = [span for span in spans if set(matter.words) & set(stems(body[slice(*span)]))] or spans
    asked = set(matter.words)
    asked = asked.difference(stems(body[slice(*first)])) or asked  # what the lead does not say first
    weights = Counter(stems(body)) + Counter(2 * stems(article.source.headline))

    def score(position: int, span: Span) -> float:
        held = set(stems(body[slice(*span)]))
        weight = sum(weights[word] for word in held if weights[word] > 1) / math.sqrt(max(len(held), 1))
        subject = len(held & asked) / max(len(asked), 1)
        text = body[slice(*span)]
        bonus = (
            _EARLY_BONUS * (1 - position / len(spans)) + _SUBJECT_BONUS * subject + _FIGURE_BONUS * bool(figures(text))
        )
        return weight * (1 + bonus) * (_SPEECH_FACTOR if text[0] in '“"' else 1)

    chosen, texts = [first], [*known, body[slice(*first)]]
    for _, span in sorted(enumerate(spans), key=lambda pair: -score(*pair)):
        text = body[slice(*span)]
        if len(texts) == len(known) + count:
            break
        if any(_repeats(text, other) for other in texts):
            continue
        whole = decontextualize(body, span)
        joined = [other for other in chosen if whole.start < other.end and other.start < whole.end]
        whole = Span(min(part.start for part in (whole, *joined)), max(part.end for part in (whole, *joined)))
        if _stands_alone(body[slice(*whole)]):
            chosen = [*(other for other in chosen if other not in joined), whole]
            texts.append(text)
    return sorted(_trimmed(body, span) for span in chosen)


def _events(story: Story, matter: Matter) -> list[Event]:
    """The lead, and every sentence and clause of time with a date for certain, about the subject."""
    article, body = story.article, story.article.body
    if is_correction(article.source):
        return [_correction_event(story)]
    first = first_on(story, matter.words)
    is_about = _leads(story, matter, first)
    events = [_event(story, first, is_lead=True)]
    counts = Counter[EventDate]()
    for span in quotable(article):
        text = body[slice(*span)]
        is_on = is_about or set(matter.words) & set(stems(text))
        for when, inside in dated_events(text, _certain_day(article.source)) if is_on else ():
            quoted = Span(span.start + inside.start, span.start + inside.end)
            is_lead = first.start <= span.start < first.end and inside == Span(0, len(text))
            if is_lead or counts[when] == _MAX_LINES_OF_A_DAY:
                continue
            quoted = decontextualize(body, quoted)
            if not _stands_alone(body[slice(*quoted)]):
                continue
            counts[when] += 1
            events.append(Event(when, story, _trimmed(body, quoted)))
    return events


def _stands_alone(quote: str) -> bool:
    """Whether a sentence with those that it leans on is short, of one paragraph, and begins with no pronoun."""
    return len(quote.split()) <= _MAX_QUOTE_WORDS and "\n" not in quote and not is_anaphoric(quote)


def _lead_event(story: Story, matter: Matter) -> Event:
    return _event(story, first_on(story, matter.words), is_lead=True)


def _event(story: Story, span: Span, *, is_lead: bool = False) -> Event:
    """A quote with the day before the article that it names for certain, else the article's own day."""
    source, text = story.article.source, story.article.body[slice(*span)]
    parts = [text[slice(*part)] for part in sentences(text)]
    dates = [
        when
        for part in parts
        for when, inside in dated_events(part, _certain_day(source))
        if inside == Span(0, len(part))
    ]
    past = [when for when in dates if not source.published or is_news(when, source.published)]
    when = past[0] if past else on(source.published or date.min)
    return Event(when, story, span, is_lead, bool(past))


def _correction_event(story: Story) -> Event:
    """The sentence of a correction that gives the right figure, with what it leans on."""
    body = story.article.body
    spans = [span for span in quotable(story.article) if figures(body[slice(*span)]) and " not " in body[slice(*span)]]
    span = decontextualize(body, spans[0]) if spans else _first_two(story.article)
    when = on(story.article.source.published or date.min)
    return Event(when, story, _trimmed(body, span), is_lead=True, label="Correction, ")


def _first_two(article: Article) -> Span:
    spans = quotable(article)[:2] or (lead(article),)
    return Span(spans[0].start, spans[-1].end)


def _wrong_figures(story: Story, corrections: Sequence[Story]) -> frozenset[str]:
    """The figures that later corrections of the same outlet call wrong."""
    wrong: set[str] = set()
    for correction in corrections:
        body = correction.article.body
        if correction.article.source.outlet == story.article.source.outlet and correction.day >= story.day:
            for span in quotable(correction.article):
                for match in _WRONG.finditer(body[slice(*span)]):
                    wrong.update(figures(match[1] or match[2] or ""))
    return frozenset(wrong)


def _certain_day(source: Source) -> date | None:
    return source.published if source.published_certain else None


def _leads(story: Story, matter: Matter, first: Span) -> bool:
    """Whether headline and lead are about the subject, so that all of the article is."""
    held = stems(f"{story.article.source.headline} {story.article.body[slice(*first)]}")
    return story.is_about and 2 * len(set(matter.words).intersection(held)) > len(matter.words)


def _trimmed(body: str, span: Span) -> Span:
    return Span(span.start + after_dateline(body[slice(*span)]), span.end)


def _repeats(text: str, other: str) -> bool:
    left, right = set(stems(text)), set(stems(other))
    return len(left & right) >= TUNED.repeated_share * max(1, min(len(left), len(right)))


def _is_same(event: Event, other: Event) -> bool:
    """Whether two quotes tell of the same event: the same words, or the same days and names or numbers."""
    both = event.is_dated and other.is_dated
    apart = abs((event.when.first - other.when.first).days)
    if event.when != other.when and (both or apart > _MAX_DAYS_TO_REPORT):
        return False
    if _repeats(event.text, other.text):
        return True
    left, right = set(stems(event.text)), set(stems(other.text))
    counts = set(figures(event.text)), set(figures(other.text))
    specific = {*names(event.text), *counts[0]} & {*names(other.text), *counts[1]}
    if all(counts) and counts[0] != counts[1]:
        return False
    shared = len(left & right) / max(1, min(len(left), len(right)))
    return event.story is not other.story and len(specific) >= _MIN_SAME_SPECIFICS and shared >= _MIN_SAME_SHARE


def _relevance(event: Event, matter: Matter) -> float:
    held = set(stems(event.text))
    return len(held.intersection(matter.words)) + event.is_dated


def _overlaps(event: Event, matter: Matter) -> bool:
    """Whether an event is of the period, or of the weekday that the question names."""
    period, when = matter.period, event.when
    if period is None or (when.first <= period.until and period.since <= when.last):
        return True
    return bool(period.weekday) and period.weekday in words(event.text)


def _by_time(event: Event) -> tuple[date, date, int]:
    """By the last day that an event can be of: "in June", in an article of 16 July, may be after 13 June."""
    end = event.when.last if event.when.first > event.story.day else min(event.when.last, event.story.day)
    return end, event.story.day, event.span.start


def _line(event: Event) -> Line:
    """``"9 June 2024: “…” [1]"``."""
    when = str(event.when) if event.when.first > date.min else "Undated"
    return Line.telling(event.story.article, event.span, f"{event.label}{when}:", event.story.also_in(event.span))
