"""What did X say, who said it, what do critics say: quotations with their speakers, from the catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from bot.kinds.names import Spoken, day, distinct, look_up, look_up_group, text_of
from bot.kinds.scope import Found, Line, Scope, compose
from bot.query.dates import find_period
from bot.query.kind import Request
from index.models import Span
from index.quotations import GROUPS, Quotation
from index.text import fold, names, sentences, stems, words

_MAX_QUOTES = 4
_MIN_TOPIC_SHARE = 0.5  # of the topic's words, by idf, in a quotation with the sentence before it and its headline
_MIN_COSINE = 0.62  # of quotation and topic, if they share too few words
_MIN_WORDS_SHARE = 0.8  # of the words of "who said that …" in a quotation
_CALLED = re.compile(r"\b(?:call|called|describe|described|make of)\s+(.+)$", re.IGNORECASE)
_QUOTED = re.compile(r"[“\"„«‘']([^”\"»]{3,})[”\"»’']")


def answer_said(request: Request, scope: Scope) -> Found | None:
    """Quote a speaker, on a topic if one is given; or name the speaker of given words."""
    if not request.subject:
        return _who_said(request, scope)
    speaker = re.sub(r"['’]s?$", "", request.subject)
    named = look_up(speaker, scope)
    spoken = [*named.quotations, *look_up_group(speaker, scope)]
    spoken = list(dict.fromkeys(spoken))
    if not spoken:
        return _unquoted(speaker, scope, is_known=bool(named.introductions))
    if scope.shown:
        spoken = [row for row in spoken if not scope.shows(text_of(scope.article(row[0]), row[1].span))]
        if not spoken:
            return Found(refusal=f"There is nothing more from {speaker} in the articles.")
    spoken = _joined(spoken, scope)
    called = _CALLED.search(request.text)
    topic = request.topic or (called[1].rstrip(" ?") if called else "")
    if topic and not find_period(topic, scope.filters.as_of or date.max):  # "on Monday" is no topic
        on_topic = _on_topic(spoken, topic, scope)
        if not on_topic:
            return Found(refusal=f"No article quotes {speaker} about {topic}.")
        return compose(_lines(on_topic, scope)[:_MAX_QUOTES])
    lines = _lines(spoken, scope)
    head = f"{len(lines)} quotations, of which the newest {_MAX_QUOTES}:" if len(lines) > _MAX_QUOTES else ""
    return compose(lines[:_MAX_QUOTES], head)


def _unquoted(speaker: str, scope: Scope, *, is_known: bool) -> Found | None:
    if is_known:
        return Found(refusal=f"The articles name {speaker}, but no article quotes {speaker}.")
    is_group = fold(speaker).split()[-1] in GROUPS
    is_name = bool(names(f"the {speaker}"))
    content = [word for word in stems(speaker) if word]
    if is_group or (is_name and not scope.catalogue.mentioning(content, scope.filters)):
        return Found(refusal=f"No article quotes {speaker}.")
    return None


def _joined(spoken: Sequence[Spoken], scope: Scope) -> list[Spoken]:
    """Join the quotations of a speaker that stand together."""
    joined: list[Spoken] = []
    for source, quotation in spoken:
        if joined:
            before_source, before = joined[-1]
            is_same = before_source.id == source.id and before.key == quotation.key
            if is_same and not scope.article(source).body[before.span.end : quotation.span.start].strip(" "):
                joined[-1] = source, before._replace(span=Span(before.span.start, quotation.span.end))
                continue
        joined.append((source, quotation))
    return joined


def _lines(spoken: Sequence[Spoken], scope: Scope) -> list[Line]:
    return distinct(
        Line(scope.article(source), quotation.span, _speaker(source.id, quotation, scope))
        for source, quotation in spoken
    )


def _speaker(article_id: str, quotation: Quotation, scope: Scope) -> str:
    """``"Mara Quist (The Courier, 9 June 2024):"``."""
    article = scope.catalogue.article(article_id)
    if article is None:
        return ""
    origin = ", ".join(part for part in (article.source.outlet, day(article.source)) if part)
    name = text_of(article, quotation.name)
    name = name[0].upper() + name[1:]
    return f"{name} ({origin}):" if origin else f"{name}:"


def _on_topic(spoken: Sequence[Spoken], topic: str, scope: Scope) -> list[Spoken]:
    """The quotations about a topic, best first."""
    idf = scope.catalogue.idf(stems(topic))
    total = sum(idf.values())
    if not total:
        return list(spoken)
    scores: list[float] = []
    for source, quotation in spoken:
        article = scope.article(source)
        own, headline = stems(text_of(article, quotation.span)), stems(source.headline)
        before = [text_of(article, span) for span in sentences(article.body[: quotation.span.start])[-1:]]
        in_own, in_headline, around = (
            sum(weight for word, weight in idf.items() if word in group) / total
            for group in (set(own), {*own, *headline}, {*own, *headline, *stems(" ".join(before))})
        )
        # The sentence before counts if the quotation itself, or the headline, has a word of the topic too.
        is_near = around >= _MIN_TOPIC_SHARE and (in_own > 0 or in_headline >= _MIN_TOPIC_SHARE)
        scores.append(in_own + around if is_near else 0.0)
    best = max(scores)
    chosen = [(score, item) for item, score in zip(spoken, scores, strict=True) if score and score >= best / 2]
    if not chosen:
        texts = [text_of(scope.article(source), quotation.span) for source, quotation in spoken]
        cosines = scope.similarities(topic, texts)
        chosen = [(cosine, item) for item, cosine in zip(spoken, cosines, strict=True) if cosine >= _MIN_COSINE]
    return [item for _, item in sorted(chosen, key=lambda pair: -pair[0])]


def _who_said(request: Request, scope: Scope) -> Found | None:
    """Name the speaker of words in marks, to the letter, or of "that …", by most of its words."""
    quoted = _QUOTED.search(request.topic)
    asked = quoted[1] if quoted else request.topic
    content = list(dict.fromkeys(stems(asked)))
    if not content:
        return None
    needed = words(asked)
    matching: list[Spoken] = []
    sources = scope.catalogue.mentioning(content, scope.filters)
    for source in sources:
        article = scope.article(source)
        for _, quotation in scope.catalogue.quotations(article=source.id, filters=scope.filters):
            text = text_of(article, quotation.span)
            held = set(stems(text))
            is_literal = f" {' '.join(needed)} " in f" {' '.join(words(text))} "
            is_meant = not quoted and len(held.intersection(content)) >= _MIN_WORDS_SHARE * len(content)
            if is_literal or is_meant:
                matching.append((source, quotation))
    if matching:
        return compose(_lines(matching, scope)[:_MAX_QUOTES])
    if quoted and sources:
        return Found(refusal="The articles hold these words, but it is not certain who said them.")
    return Found(refusal="No article holds these words.") if quoted else None
