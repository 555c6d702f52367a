"""What is new: the stories of a period or about a subject, one line each, the newest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from bot.kinds.scope import Found, Line, Scope, compose, day
from bot.kinds.stories import Matter, Story, first_on, group_stories, newest_stories, parse_matter, stories_about
from bot.query.dates import Period
from bot.query.kind import Request
from index.models import Filters, Source
from index.reading.event_dates import after_dateline
from index.text import MONTH, stem

_MAX_STORIES, _MAX_CONTINUED_STORIES = 8, 100  # of an answer; of which "go on" shows the next
_MAX_OUTLETS = 4
_MAX_LISTED = 500  # of which the sections are read
_MAX_HEADLINE_CHARACTERS = 140
_NEW_DAYS = 7  # older news is not passed off as new
_BARE = re.compile(rf"\d|{MONTH}\b", re.IGNORECASE)
_PREPOSITION = re.compile(r"^(?:of|for|from(?!.* to )|around|during)\s+", re.IGNORECASE)


def answer_news(request: Request, scope: Scope) -> Found:
    """List the newest stories, those of the period, or those about the subject with the latest one quoted."""
    matter = parse_matter(request, scope)
    filters = matter.within(scope.filters)
    return _of_subject(matter, scope, filters) if matter.words else _of_all(matter, scope, filters)


def story_title(story: Story) -> str:
    """``"Bridge closed — The Courier, Valley Echo, 9 June 2024"``: headline, all outlets and day."""
    source = story.article.source
    headline = " ".join(source.headline.split())
    headline = headline[after_dateline(headline) :]
    if len(headline) > _MAX_HEADLINE_CHARACTERS:
        headline = headline[:_MAX_HEADLINE_CHARACTERS].rsplit(" ", 1)[0] + " …"
    outlets = list(dict.fromkeys(each.outlet for each in story.sources if each.outlet))
    more = [f"{len(outlets) - _MAX_OUTLETS} more"] if len(outlets) > _MAX_OUTLETS else []
    origin = [*outlets[:_MAX_OUTLETS], *more, *filter(None, [day(source)])]
    return " — ".join(part for part in (headline, ", ".join(origin)) if part)


def no_news(matter: Matter, newest: Source | None) -> str:
    """Say that nothing was published in the period, and of which day the newest article is."""
    about = f" about {matter.subject}" if matter.words else ""
    when = f" {period_in_words(matter.period)}" if matter.period else ""
    if newest is None or newest.published is None:
        return f"Nothing{about} was published{when}."
    which = "article about it" if about else "article"
    return f"Nothing{about} was published{when}. The newest {which} is of {newest.published:%-d %B %Y}."


def newest_source(scope: Scope) -> Source | None:
    """The newest article that is not ahead of the day of the question."""
    stories = newest_stories(scope, scope.filters, 1)
    return stories[0].article.source if stories else None


def period_in_words(period: Period) -> str:
    """``"since Monday, 3 June 2024"``, ``"this week (3 to 5 June 2024)"``."""
    matched = _PREPOSITION.sub("", period.matched)
    if _BARE.match(matched):
        matched = f"{'on' if period.since == period.until else 'in'} {matched}"
    since, until = f"{period.since:%-d %B %Y}", f"{period.until:%-d %B %Y}"
    if matched.startswith("since") or since == until:
        return matched if since in matched else f"{matched}, {since}"
    return f"{matched} ({since} to {until})" if period.since > date.min else f"{matched} (to {until})"


def _of_all(matter: Matter, scope: Scope, filters: Filters) -> Found:
    count = _MAX_CONTINUED_STORIES if scope.shown else _MAX_STORIES + 1
    stories = [story for story in newest_stories(scope, filters, count) if not scope.shows(story_title(story))]
    if scope.shown and not stories:
        return Found(refusal="There is nothing more in the articles.")
    if not stories:
        return Found(refusal=no_news(matter, newest_source(scope)))
    if scope.shown:
        head = "The next stories:"
    elif matter.period:
        more = f", the newest {_MAX_STORIES} stories" if len(stories) > _MAX_STORIES else ""
        head = f"Published {period_in_words(matter.period)}{more}:"
    elif stories[0].day < scope.as_of - timedelta(days=_NEW_DAYS):
        head = f"Nothing was published in the {_NEW_DAYS} days before {scope.as_of:%-d %B %Y}. The newest stories:"
    else:
        head = "The newest stories:"
    return compose([_line(story) for story in stories[:_MAX_STORIES]], head)


def _of_subject(matter: Matter, scope: Scope, filters: Filters) -> Found:
    stories = stories_about(matter, scope, filters) or _of_section(matter, scope, filters)
    if not stories:
        older = stories_about(matter, scope, scope.filters) if matter.period else []
        newest = older[0].article.source if older else None
        return Found(refusal=no_news(matter, newest) if older else f"No article is about {matter.subject}.")
    first = stories[0]
    lines = [
        _line(first, matter.words, shows_quote=True),
        *(_line(story, matter.words) for story in stories[1:_MAX_STORIES]),
    ]
    when = f", {period_in_words(matter.period)}" if matter.period else ""
    return compose(lines, f"The latest on {matter.subject}{when}:")


def _of_section(matter: Matter, scope: Scope, filters: Filters) -> list[Story]:
    """The stories of a section that a subject of one word names, by their addresses: "/sport/2024/…"."""
    if len(matter.words) > 1:
        return []
    sources = scope.catalogue.mentioning([], filters, limit=_MAX_LISTED)
    inside = [source for source in sources if matter.words[0] in map(stem, (source.url or "").lower().split("/")[3:])]
    return group_stories([scope.article(source) for source in inside[:_MAX_STORIES]])


def _line(story: Story, subject: Sequence[str] = (), *, shows_quote: bool = False) -> Line:
    span, words = first_on(story, subject), story_title(story)
    line = Line.telling(story.article, span, f"{words}:" if shows_quote else words, story.also_in(span))
    return replace(line, shows_quote=shows_quote)
