"""Who or what is X: the sentence that introduces X, then what X did; and who holds an office.

A chairman is no chief executive: a question for the holder of an office is answered only from a sentence that names
this office, of this body.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bot.extract.decontextualize import decontextualize
from bot.kinds.decided import LEFT_OFFICE
from bot.kinds.fact import answer_fact
from bot.kinds.german import german_holder
from bot.kinds.names import Introduced, Named, distinct, look_up, text_of
from bot.kinds.scope import Found, Line, Scope, compose, day, lead
from bot.kinds.unsaid import correction
from bot.query.kind import Request
from index.models import Article, Passage, Span
from index.reading.people import DEED, NAMED, OPENERS, PERSON_NOUNS, ROLE, Introduction, is_noun, name_words, office_of
from index.text import names, sentences, stems, surrounding

_MAX_QUOTES = 3
_MAX_HOLDERS = 60  # the newest introductions by an office whose articles are read
_MAX_NEAR_CHARACTERS = 120  # around a name, in which the body of its office stands
_HOLDER = re.compile(
    r"(?:and |so )?who(?:'?s|’s|\s+(?:is|was|are|were))(?: currently| now)?\s+(?:the |an? )?(?P<office>[^,?]{3,80}?)"
    r"(?:\s+(?:of|at|for|in)\s+(?P<body>[^,?]{2,60}?))?(?: now| currently| today| again| please| pls)?$",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"\s+before (?-i:[A-ZÀ-Þ]).*", re.IGNORECASE)
_LEADS = re.compile(
    r"(?:and |so )?who(?:'?s|’s| is| was)?(?: now| currently)? (?:in charge (?:of|at|in)|runs?|running|leads?|leading"
    r"|heads?|heading|the (?:head|boss) (?:of|at)) (?:the )?(?P<body>[^,?]{2,60}?)(?: now| currently| these days)?$",
    re.IGNORECASE,
)
_LEADERS = tuple(
    "chief executive,managing director,general secretary,leader,chair,president,head,director,commissioner".split(",")
)
_SUCCEEDED = re.compile(
    r"\b(?:succeeded|replaced) by\b|\bsuccessor\b|\b(?:takes?|took|taken) over\b|\bsucceeds\b|\bacting\b"
)
_LEAVES = re.compile(
    rf"{LEFT_OFFICE.pattern}|\b(?:will|is to|to) (?:leave|resign|step down|retire)\b|\bis leaving\b", re.IGNORECASE
)
_MAX_SUCCESSION_SENTENCES = 5
_MAX_CORRECTIONS = 5  # later articles that name the holder
_OF_TIME = frozenset(stems("new current now present today"))
# Offices that one person at a time holds; a winner or an author may be named by a verb.
_OFFICES = frozenset(
    """executive officer chair president director mayor minister secretary treasurer coach manager captain governor
    chancellor ambassador commissioner spokesperson headteacher principal bishop archbishop superintendent editor
    conductor chancellor premier""".split()
)
_SPOKEN_AS = {
    "executive": ("executive", "ceo", "chief"), "chair": ("chair", "chairman", "chairwoman", "chairperson", "chairs"),
    "spokesperson": ("spokesman", "spokeswoman", "spokesperson"), "headteacher": ("head", "headteacher", "headmaster"),
}  # fmt: skip
# What somebody is to another says less than an office: "a neighbour for 30 years".
_RELATIONS = frozenset(
    "neighbour neighbor friend colleague husband wife father mother son daughter widow widower child".split()
)
_PREDECESSOR = re.compile(r"(?:succeed|replac|follow)\w* (?:[A-ZÀ-Þ][\w’'-]* ?)+")
_REACH_SENTENCES = 2  # before an introduction, in which "the club's chairman" has its club


def answer_who(request: Request, scope: Scope) -> Found | None:
    """Introduce a person or body by the best sentences, newest first."""
    named = look_up(request.subject, scope)
    introduced = [item for item in named.introductions if item[1].rank < NAMED]
    is_person = bool(re.match(r"(?:and |so )?(?:who|wer)\b", request.text, re.IGNORECASE))
    if not named.introductions:
        if office_of(request.subject) and is_person:
            return answer_holder(request, scope)
        office, _, body = request.subject.partition(" von ")
        if german := german_holder(office, set(stems(body)), scope):
            return german
        return _unknown(request, scope, is_person=is_person or bool(names(f"the {request.subject}")))
    if not introduced and not is_person:
        return None
    if not is_person and min(item[1].rank for item in introduced) > DEED:
        return None
    chosen = _chosen(named)
    return _dated(distinct(_with_context(scope.article(source), person.span) for source, person in chosen))


def answer_holder(request: Request, scope: Scope) -> Found | None:
    """Name the holder of an office, from the newest introduction; refuse if the articles name another office."""
    if leads := _LEADS.match(request.text.rstrip(" ?!.")):
        return _leader(set(stems(leads["body"])), scope)
    match = _HOLDER.match(_BEFORE.sub("", request.text.rstrip(" ?!.")))
    office = office_of(match["office"]) if match else ""
    noun = office.rpartition(" ")[2]
    if not match or noun not in PERSON_NOUNS | _OFFICES:
        return answer_fact(request, scope)
    forms = _SPOKEN_AS.get(noun, (noun,))
    words = set(stems(f"{match['office']} {match['body'] or ''}")) - set(stems(f"{office} {' '.join(forms)}"))
    words -= _OF_TIME
    rows = scope.catalogue.people(office=office, filters=scope.filters)
    asked = set(names(request.text))
    known = [row[0].published or date.min for row in rows if not asked.isdisjoint(row[1].key.split())]
    rows = [row for row in rows if asked.isdisjoint(row[1].key.split())]
    if known and _BEFORE.search(request.text):  # "who was mayor before Ann Lee?"
        rows = [row for row in rows if (row[0].published or date.min) < min(known)]
    if holders := _holders(rows, words, scope):
        if re.search(r"\b(?:was|were)\b", request.text, re.IGNORECASE):
            return _dated(distinct(line for _, line in holders)[:_MAX_QUOTES])
        return _corrected(holders[0], scope) or compose([_succession(*holders[0], scope)])  # the newest holds it
    german = german_holder(office, words, scope)
    if german or (not known and noun not in _OFFICES):
        return german or answer_fact(request, scope)
    before = _BEFORE.search(request.text.rstrip(" ?!."))
    of = (f" of {match['body']}" if match["body"] else "") + (before.group() if before else "")
    return Found(refusal=f"No article names the {match['office']}{of}.")


def _holders(rows: Sequence[Introduced], words: set[str], scope: Scope) -> list[tuple[Introduced, Line]]:
    """The introductions of those who held an office of a body, the newest of each person."""
    holders: dict[str, tuple[Introduced, Line]] = {}
    for source, person in rows[:_MAX_HOLDERS]:
        article = scope.article(source)
        if person.key.rpartition(" ")[2] not in holders and _is_of(article, person, words):
            holders[person.key.rpartition(" ")[2]] = (source, person), Line.at(article, person.span)
    return list(holders.values())


def _corrected(holder: tuple[Introduced, Line], scope: Scope) -> Found | None:
    """The correction that withdraws the line that names a holder."""
    (source, person), line = holder
    since = replace(scope.filters, since=max(source.published or date.min, scope.filters.since or date.min))
    later = scope.catalogue.mentioning(stems(person.key.rpartition(" ")[2]), since, limit=_MAX_CORRECTIONS)
    articles = map(scope.article, later)
    return correction(
        line.quote, source, [Passage("", one.source, one.body, 0, len(one.body), 0.0) for one in articles]
    )


def _leader(body: set[str], scope: Scope) -> Found | None:
    """Name who leads a body, whatever the office is called, by the newest introduction."""
    rows = [row for office in _LEADERS for row in scope.catalogue.people(office=office, filters=scope.filters)]
    rows.sort(key=lambda row: row[0].published or date.min, reverse=True)
    holders = _holders(rows, body, scope)
    return compose([_succession(*holders[0], scope)]) if holders else None


def _succession(holder: Introduced, line: Line, scope: Scope) -> Line:
    """The line that names a holder, or how the holder left for a successor, by the same article or a later one."""
    source, person = holder
    for later, mention in scope.catalogue.people(surname=person.key.rpartition(" ")[2], filters=scope.filters):
        article = scope.article(later)
        is_later = later.id == source.id or (later.published or date.min) > (source.published or date.min)
        if is_later and mention.key == person.key and _LEAVES.search(article.body, *mention.span):
            spans = [span for span in sentences(article.body) if span.start >= mention.span.start]
            ends = (span.end for span in spans[:_MAX_SUCCESSION_SENTENCES] if _SUCCEEDED.search(article.body, *span))
            return Line.at(article, Span(mention.span.start, next(ends, mention.span.end)))
    return line


def _chosen(named: Named) -> list[Introduced]:
    """The introductions to quote: offices by their newest sentences, then the sentences of other articles."""
    rows = sorted(named.introductions, key=lambda row: row[1].office.rpartition(" ")[2] in _RELATIONS)
    best = min(person.rank for _, person in rows)
    chosen: list[Introduced] = []
    for source, person in rows:
        is_new = person.office not in {other.office for _, other in chosen}
        if person.rank == best and is_new and source.id not in {other.id for other, _ in chosen}:
            chosen.append((source, person))
        if best != ROLE and chosen:
            break
    for source, person in rows:
        if source.id not in {other.id for other, _ in chosen}:
            chosen.append((source, person))
    return chosen[:_MAX_QUOTES]


def _with_context(article: Article, span: Span) -> Line:
    """A sentence with what "He" at its beginning leans on."""
    around = surrounding(article.body, *span)
    text = article.body[slice(*around)]
    start, end = decontextualize(text, Span(span.start - around.start, span.end - around.start))
    return Line.at(article, Span(around.start + start, around.start + end))


def _unknown(request: Request, scope: Scope, *, is_person: bool) -> Found | None:
    words = [word for word in stems(request.subject) if word]
    if is_person and words and not scope.catalogue.mentioning(words, scope.filters):
        return Found(refusal=f"No article mentions {request.subject}.")
    return None


def _dated(lines: Sequence[Line]) -> Found:
    """Write lines, if there are several with their days."""
    if len(lines) > 1:
        lines = [replace(line, words=f"{when}:" if (when := day(line.source)) else "") for line in lines]
    return compose(lines)


def _is_of(article: Article, person: Introduction, words: set[str]) -> bool:
    """Whether an introduction's office is of the body asked for: named beside it, or if nothing is, just before."""
    body, span = article.body, person.span
    sentence = text_of(article, span)
    name = text_of(article, person.name)
    at = sentence.find(name if name in sentence else name.split()[-1])
    before = sentence[max(0, at - _MAX_NEAR_CHARACTERS) : max(at, 0)]
    after = sentence[at : at + _MAX_NEAR_CHARACTERS]
    near = _PREDECESSOR.sub("", _clause(before, after))
    own = set(name_words(name))
    others = [word for word in names(f"x {near}") if word not in own and word not in OPENERS and not is_noun(word)]
    if words <= set(stems(near)):
        return True
    if others and not set(stems(" ".join(others))) & words:
        return False
    earlier = list(sentences(body[: span.start])[-_REACH_SENTENCES:])
    start = earlier[0].start if earlier else span.start
    reach = f"{article.source.headline} {text_of(article, lead(article))} {body[start : span.end]}"
    return words <= set(stems(reach))


def _clause(before: str, after: str) -> str:
    """The words around a name to the second comma: "the Rovers coach, Ann Lee", "Ann Lee, coach of Rovers,"."""
    parts = before.rstrip(" ,").split(",")
    following = after.split(",")
    return f"{parts[-1]} {','.join(following[:2]) if len(following) > 1 else following[0]}"
