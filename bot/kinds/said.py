"""What did X say, who said it, what do critics say: quotations with their speakers, from the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.kinds.fact import answer_fact
from bot.kinds.names import Spoken, distinct, look_up, look_up_group, text_of
from bot.kinds.news import period_in_words
from bot.kinds.scope import Found, Line, Scope, compose, day, lead
from bot.query.date_preference import outside_days
from bot.query.dates import Period, find_period
from bot.query.followup import content_words
from bot.query.kind import Request
from index.models import Article, Source, Span
from index.reading.quotations import GROUPS, Quotation
from index.text import fold, names, sentences, stems, surrounding, words

_MAX_QUOTES = 4
_MIN_TOPIC_SHARE = 0.4  # of the topic's words, by idf, in a quotation with the sentence before it and its headline
_MIN_CONTEXT_SHARE = 0.9  # of the same, where the quotation itself has none of the words
_MIN_OCCASION_SHARE = 0.6  # of the words of "after the match" in the article
_REACH_CHARACTERS = 600  # before a quotation, in which the sentence before it stands
_REACH_SENTENCES = 2
_MAX_READ_QUOTATIONS = 60
_MAX_EMBEDDED_QUOTATIONS = 12
_MIN_COSINE_WITH_A_WORD = 0.5  # where a word of the topic is there
_MIN_COSINE = (
    0.57  # of topic and headline with quotation, if words are too few: related .58 to .62, others to .54 (13 topics)
)
_MIN_WORDS_SHARE = 0.8  # of the words of "who said that …" in a quotation
_MAX_TELLING = 3  # sentences that may tell in other words what somebody said
_TELLING = (
    r"told|tells|warns?|warned|concur(?:s|red)?|agrees?|agreed|disagree[sd]?|denies|denied|urge[sd]?|accuse[sd]?|blame[sd]?"
    r"|vows?|vowed|pledge[sd]?|condemn(?:s|ed)?|welcome[sd]?|praise[sd]?|rejects?|rejected|predict(?:s|ed)?|reveal(?:s|ed)?"
    r"|demand(?:s|ed)?|wants?|wanted|asks? for|asked for|offer(?:s|ed)?|seeks?|sought|calls? for|called for|proposed?"
)
_OCCASION = re.compile(r"\b(?:when|after|before|during) (?!asked\b)(.+)$", re.IGNORECASE)
_QUOTED = re.compile(r"[“\"„«‘']([^”\"»]{3,})[”\"»’']")

_Quoted = tuple[Article, Quotation]


def answer_said(request: Request, scope: Scope) -> Found | None:
    """Quote a speaker, on a topic if one is given; or name the speaker of given words."""
    if not request.subject:
        return _who_said(request, scope)
    speaker = re.sub(r"['’]s?$", "", request.subject)
    named = look_up(speaker, scope)
    spoken = list(dict.fromkeys([*named.quotations, *look_up_group(speaker, scope)]))
    if not spoken:
        return _unquoted(request, speaker, scope, is_known=bool(named.introductions))
    if scope.shown:
        spoken = [row for row in spoken if not scope.shows(text_of(scope.article(row[0]), row[1].span))]
    period = find_period(request.text, scope.as_of)
    spoken, when = _limited(spoken, request, period, scope)
    if not spoken:
        lacks = (
            f"No article quotes {speaker} {when}." if when else f"There is nothing more from {speaker} in the articles."
        )
        return Found(refusal=lacks)
    if topic := _topic(request, period):
        quoted = _on_topic(_joined(_touching(spoken, topic, scope), scope), topic, scope)
        if not quoted:
            return Found(refusal=f"No article quotes {speaker} about {topic}.")
        return compose(_lines(quoted)[:_MAX_QUOTES])
    lines = _lines(_joined(spoken[:_MAX_READ_QUOTATIONS], scope))
    return compose(lines[:_MAX_QUOTES], f"The newest {_MAX_QUOTES} quotations:" if len(lines) > _MAX_QUOTES else "")


def _topic(request: Request, period: Period | None) -> str:
    """What is spoken of, without occasion and days: "on Monday" is no topic."""
    topic = _OCCASION.sub("", request.topic)
    if period:
        topic = "" if topic in period.matched else topic.replace(period.matched, "").strip()
    return topic if content_words(topic) else ""


def _limited(spoken: list[Spoken], request: Request, period: Period | None, scope: Scope) -> tuple[list[Spoken], str]:
    """The quotations of the occasion and of the days that are asked about, with what limits them, or ""."""
    when = ""
    occasion = _OCCASION.search(request.text)
    if occasion and not (period and period.matched in occasion.group()):  # "after the match": in articles about it
        spoken, when = [row for row in spoken if _is_at(row[0], occasion[1], scope)], occasion.group().strip(" ?.!")
    if not period or period.kind == "latest":
        return spoken, when
    of_days = _of_days(spoken, period, scope)
    is_needed = period.kind == "relative" and not _topic(request, period)  # "the vote on Monday" is what is spoken of
    return (of_days if of_days or is_needed else spoken), period_in_words(period)


def _unquoted(request: Request, speaker: str, scope: Scope, *, is_known: bool) -> Found | None:
    """Refuse, unless one of the best sentences tells it in other words: "Miller largely concurred"."""
    is_group = fold(speaker).split()[-1] in GROUPS
    telling = re.compile(rf"\b{re.escape(fold(speaker).split()[-1])}\b[^.;]{{0,60}}?\b(?:{_TELLING})\b")
    if any(telling.search(fold(candidate.text)) for candidate in scope.retrieve(request.text).ranked[:_MAX_TELLING]):
        return answer_fact(request, scope)
    if is_known and not is_group:
        return Found(refusal=f"The articles name {speaker}, but no article quotes {speaker}.")
    is_name = bool(names(f"the {speaker}"))
    if is_group or (is_name and not scope.catalogue.mentioning(stems(speaker), scope.filters)):
        return Found(refusal=f"No article quotes {speaker}.")
    return None


def _of_days(spoken: Sequence[Spoken], period: Period, scope: Scope) -> list[Spoken]:
    """The quotations of the articles of some days; if there are none, those whose paragraph names the weekday."""
    of_days = [row for row in spoken if row[0].published and not outside_days(row[0].published, period)]
    if of_days or not period.weekday:
        return of_days
    return [row for row in spoken if period.weekday in words(_paragraph(scope.article(row[0]), row[1].span))]


def _paragraph(article: Article, span: Span) -> str:
    return article.body[slice(*surrounding(article.body, *span))]


def _is_at(source: Source, occasion: str, scope: Scope) -> bool:
    """Whether an article holds most words of an occasion."""
    held = set(stems(f"{source.headline} {scope.article(source).body}"))
    wanted = set(stems(occasion))
    return len(wanted & held) >= _MIN_OCCASION_SHARE * len(wanted)


def _touching(spoken: Sequence[Spoken], topic: str, scope: Scope) -> list[Spoken]:
    """The quotations to read for a topic: if there are many, those of articles with a word of it, the newest."""
    if len(spoken) > _MAX_READ_QUOTATIONS:
        held = {source.id for word in set(stems(topic)) for source in scope.catalogue.mentioning([word], scope.filters)}
        spoken = [(source, quotation) for source, quotation in spoken if source.id in held]
    return list(spoken[:_MAX_READ_QUOTATIONS])


def _joined(spoken: Sequence[Spoken], scope: Scope) -> list[_Quoted]:
    """Read the articles of quotations, and join those of a speaker that stand together."""
    joined: list[_Quoted] = []
    articles: dict[str, Article] = {}
    for source, quotation in spoken:
        article = articles.setdefault(source.id, articles.get(source.id) or scope.article(source))
        if joined:
            known, before = joined[-1]
            is_same = known is article and before.key == quotation.key and before.span.end <= quotation.span.start
            if is_same and not article.body[before.span.end : quotation.span.start].strip(" "):
                joined[-1] = article, before._replace(span=Span(before.span.start, quotation.span.end))
                continue
        joined.append((article, quotation))
    return joined


def _lines(quoted: Sequence[_Quoted]) -> list[Line]:
    return distinct(Line.at(article, quotation.span, _speaker(article, quotation)) for article, quotation in quoted)


def _speaker(article: Article, quotation: Quotation) -> str:
    """``"Mara Quist (The Courier, 9 June 2024):"``."""
    origin = ", ".join(part for part in (article.source.outlet, day(article.source)) if part)
    name = text_of(article, quotation.name)
    name = name[:1].upper() + name[1:]
    return f"{name} ({origin}):" if origin else f"{name}:"


def _on_topic(quoted: Sequence[_Quoted], topic: str, scope: Scope) -> list[_Quoted]:
    """The quotations about a topic, best first."""
    idf = scope.catalogue.idf(stems(topic))
    total = sum(idf.values())
    if not total or not quoted:
        return list(quoted)
    scores = [_score(article, quotation, idf, total) for article, quotation in quoted]
    best = max(scores)
    chosen = [(score, item) for item, score in zip(quoted, scores, strict=True) if score and score >= best / 2]
    if not chosen:
        texts = [f"{article.source.headline}. {text_of(article, quotation.span)}" for article, quotation in quoted]
        cosines = scope.similarities(topic, texts[:_MAX_EMBEDDED_QUOTATIONS])
        words = set(idf)
        chosen = [
            (cosine, item)
            for item, cosine, text in zip(quoted, cosines, texts, strict=False)
            if cosine >= (_MIN_COSINE if words.isdisjoint(stems(text)) else _MIN_COSINE_WITH_A_WORD)
        ]
    return [item for _, item in sorted(chosen, key=lambda pair: -pair[0])]


def _score(article: Article, quotation: Quotation, idf: Mapping[str, float], total: float) -> float:
    """The share of a topic's words, by idf, in a quotation, and again with headline, lead and the sentences before."""
    earlier = article.body[max(0, quotation.span.start - _REACH_CHARACTERS) : quotation.span.start]
    before = [earlier[slice(*span)] for span in sentences(earlier)[-_REACH_SENTENCES:]]
    before.append(text_of(article, lead(article)))
    own, headline = stems(text_of(article, quotation.span)), stems(article.source.headline)
    in_own, in_headline, around = (
        sum(weight for word, weight in idf.items() if word in group) / total
        for group in (set(own), {*own, *headline}, {*own, *headline, *stems(" ".join(before))})
    )
    # What stands around counts if the quotation has a word of the topic too, or if nothing of the topic is missing.
    is_near = in_own > 0 and around >= _MIN_TOPIC_SHARE
    is_near = is_near or in_headline >= _MIN_TOPIC_SHARE or around >= _MIN_CONTEXT_SHARE
    return in_own + around if is_near else 0.0


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
    for source in sources[:_MAX_READ_QUOTATIONS]:
        article = scope.article(source)
        for _, quotation in scope.catalogue.quotations(article=source.id, filters=scope.filters):
            text = text_of(article, quotation.span)
            held = {*stems(text), *stems(source.headline)}
            is_literal = f" {' '.join(needed)} " in f" {' '.join(words(text))} "
            is_meant = not quoted and len(held.intersection(content)) >= _MIN_WORDS_SHARE * len(content)
            if is_literal or is_meant:
                matching.append((source, quotation))
    if matching:
        return compose(_lines(_joined(matching, scope))[:_MAX_QUOTES])
    if quoted and sources:
        return Found(refusal="The articles hold these words, but it is not certain who said them.")
    return Found(refusal="No article holds these words.") if quoted else None
