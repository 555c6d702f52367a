"""Members of a list that are read in whole articles: people by their role, speakers, counted items, rows and results.

Only articles that hold every content word of the question are read, so that no list stands beside another topic; what a
question says that members did must stand in the sentence of each.

On the 58 lists and totals of tests/newsroom.jsonl whose line is not 1 modulo 3, on which the rules were made
(2026-11-27): lists right 16 of 25 (6 before), refused 13 of 13 (11 before); totals right 9 of 12 (3 before), refused
8 of 8 (7 before).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from bot.extract.ranking import Retrieval
from bot.kinds.names import distinct, text_of
from bot.kinds.scope import Line, Scope
from bot.query.followup import content_words
from bot.query.wording import is_past_form, word_key
from index.models import Article, Source, Span
from index.reading.people import NAMED, Introduction, find_people, is_noun
from index.text import figure_spans, fold, names, sentences, words

_MAX_ARTICLES = 4  # the nearest, that are read whole
_MIN_MEMBERS = 2  # a single member is no list: the ordinary quote says it as well
_MAX_ROWS = 24  # of a table: a league
_MAX_QUALIFIERS = 3  # words between "which" and the noun: "which former transport ministers"
_HEAD = re.compile(
    r"(?:and |but |so )?(?:which|what|list|name|enumerate|give me|show me|who (?:are|were))\s"
    r"(?:(?:all|every|the|of|other|both|names?|me|two|three|four|five|six|different|main)\s)*(?P<rest>.+)",
    re.IGNORECASE,
)
_SPEAKERS = re.compile(
    r"(?:and |but |so )?(?:who|list (?:everyone|everybody|all|all people|the people)(?: who)?|which people)\s"
    r"(?:all |else )*(?:(?:is|was|are|were|has been|have been|had|has|have)\s)?"
    r"(?:quoted|interviewed|spoke|spoken|commented|speaks?|gave evidence|testified)\b",
    re.IGNORECASE,
)
_VERB_AFTER = re.compile(r"\b(?:who|that|did|do|does|have|has|will|would)\s+(?:\w+ly )?(?P<verb>[a-z]+)", re.IGNORECASE)
_PROPOSED = re.compile(
    r"^what (?:else |changes |measures |steps )?(?:does|did|do|has|have) .+? (?P<verb>recommend|recommended|propose"
    r"|proposed|demand|demanded|call(?:ed)? for)$",
    re.IGNORECASE,
)
_PROPOSALS = {"recommend": "recommendation", "propos": "proposal", "demand": "demand", "call": "recommendation"}
# Deeds that news tells in many words: how a question asks for who did it, and what a sentence of it holds.
_DEEDS = (
    (
        re.compile(
            r"(?:and )?(?:who|which (?:players|people|footballers)) (?:all |else )*(?:has |have )?scored\b"
            r"(?=$|\?| (?:goals )?(?:in|at|on|during|for)\b)",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:scor(?:ed|es|ing)|goal|headed (?:in|home)|level+ed|equali[sz]\w+|netted|hat-trick|winner|opener"
            r"|went in|tapped in|converted|slotted)\b"
        ),
    ),
    (
        re.compile(
            r"(?:and )?(?:who|which people|list (?:the|all|all the)) (?:all |else )*"
            r"(?:(?:is|are|was|were|has been|leads?) )?"
            r"(?:the )?(?:against|critics|opposed|opposes?|opponents|opposition|critici[sz]\w+)\b",
            re.IGNORECASE,
        ),
        re.compile(r"\b(?:[Aa]gainst|[Oo]ppos(?:es|ed)|[Oo]pponents?|[Cc]ritics?|[Cc]ritici[sz]ed|[Oo]bject(?:s|ed))\b"),
    ),
)  # fmt: skip
_DEED_WORDS = frozenset(map(word_key, "scored player players lead leads opposition opponents inside outside".split()))
_UNDONE = re.compile(r"\b(?:saved|missed|disallowed|not against|nothing against|no one scored)\b")
_MAX_PEOPLE = 8
_MAX_LEAD_SENTENCES, _MIN_LEAD_SHARE = 3, 0.6  # that hold the names and most words of the question
_MAX_REACH_SENTENCES = 3  # of a paragraph, from the deed to who did it
_MAX_AT_ONCE = 3  # people of a sentence: a longer one is the list of a vote, which may have been corrected since
# Nouns of several roles, and the roles.
_ROLES = {
    "lawyer": "lawyer prosecutor barrister solicitor attorney counsel defence prosecution",
    "executive": "executive officer",
    "expert": "expert professor scientist researcher analyst economist engineer", "politician": (
        "politician minister mayor councillor senator governor president premier mp member"
    ),
    "official": "official commissioner spokesperson director minister", "boss": "boss executive director manager",
}  # fmt: skip
_MIN_ROLE_SHARE = 0.6  # of the question's words, and all its names, in an article whose people of a role are listed
_NO_ROLES = frozenset("member star child man woman boy girl winner".split())
# Nouns that news seldom says of those whom it names: "players" are strikers, "leaders" presidents.
_ANYBODY = frozenset(
    "player leader victim expert official figure critic opponent body group organisation team person".split()
)
_SPOKEN_AS = {
    "chair": ("chairman", "chairwoman"),
    "mp": ("lawmaker",),
    "councillor": ("cllr", "council"),
    "doctor": ("dr",),
    "professor": ("prof",),
}
# What articles do with people, and what questions say of lists: no deed that a sentence must hold.
_BLAND = frozenset(
    map(
        word_key,
        """list name named mention mentioned quote quoted appear appeared comment commented speak spoke spoken
        testified evidence interviewed introduced identified involved everyone everybody people person article
        piece report story other else two three four five six both""".split(),
    )
)
_ROW_NOUNS = frozenset("team club side".split())
_RESULT_NOUNS = frozenset("result score match game".split())
_RESULT = re.compile(r"[^\W\d][^\n|\d]{2,40} \d{1,3}, [^\W\d][^\n|\d]{2,40} \d{1,3}")
_TO_COME = re.compile(r"\b(?:next|coming|upcoming|will|fixtures?)\b", re.IGNORECASE)
_ROW = re.compile(r"\|.*\|")
_MIN_NAME_LETTERS = 3
_MIN_ITEMS = 3


def find_members(question: str, retrieval: Retrieval, scope: Scope) -> list[Line]:
    """The lines that name the members that a question asks for; empty if fewer than two are found."""
    bare = question.rstrip(" ?!.")
    if _SPEAKERS.match(bare):
        return _speakers(bare, _articles(_wanted(bare), retrieval, scope), scope)
    if lines := _by_deed(bare, retrieval, scope):
        return lines
    if proposed := _PROPOSED.search(bare):
        verb = word_key(proposed["verb"].lower().split()[0])
        noun, wanted = _PROPOSALS[verb], _wanted(bare) - {verb, "chang", "measur", "step"}
        spans = ((article, _counted_items(article, noun)) for article in _articles(wanted, retrieval, scope))
        return [Line.at(article, span) for article, span in spans if span][:1]
    if head := _HEAD.match(bare):
        noun, qualifiers = _class_noun(head["rest"])
        return _of_class(bare, noun, qualifiers, retrieval, scope) if noun else []
    return []


def unknown_role(question: str, retrieval: Retrieval) -> str:
    """The persons or bodies that are asked for, as written, if no passage has a word for them; else ""."""
    head = _HEAD.match(question.rstrip(" ?!."))
    noun, _ = _class_noun(head["rest"]) if head else ("", ())
    if not noun or not is_noun(noun) or noun in _NO_ROLES | _ANYBODY:
        return ""
    held = {_singular(word) for passage in retrieval.passages for word in words(passage.text)}
    roles = {form for role in _ROLES.get(noun, noun).split() for form in (role, *_SPOKEN_AS.get(role, ()))}
    return "" if any(role in held or any(word.endswith(role) for word in held) for role in roles) else f"{noun}s"


def _by_deed(question: str, retrieval: Retrieval, scope: Scope) -> list[Line]:
    """The sentences of the articles about the question that name a person beside a deed which news tells in many words.

    "Critics say …" is read with the next sentence of its paragraph, which names the critic.
    """
    deed = next((deed for asked, deed in _DEEDS if asked.match(question)), None)
    if deed is None:
        return []
    dropped = {word_key(word) for word in content_words(question) if deed.search(word) or word_key(word) in _DEED_WORDS}
    wanted = {key for key in _wanted(question) - dropped if key not in _DEED_WORDS}
    proper = {word_key(name) for name in names(question)} & wanted
    lines: dict[tuple[str, ...], Line] = {}
    for article in _articles(wanted, retrieval, scope):
        spans = sentences(article.body)
        top = " ".join(article.body[slice(*span)] for span in spans[:_MAX_LEAD_SENTENCES])
        told = wanted & _keys(f"{article.source.headline} {top}")
        if not proper <= told or len(told) < _MIN_LEAD_SHARE * len(wanted):
            continue  # its goals are of another match, its critics of another plan
        people = find_people(article.body, spans)
        persons = [mention for mention in people.mentions if mention.is_person and mention.key]
        certain = {person.key for person in people.introductions if " " in person.key}
        for number, span in enumerate(spans):
            text = article.body[slice(*span)]
            if not deed.search(text) or _UNDONE.search(text):
                continue
            whole, inside = span, set[str]()
            for after in spans[number : number + _MAX_REACH_SENTENCES]:
                if inside or "\n\n" in article.body[whole.end : after.start]:
                    break
                whole = Span(span.start, after.end)
                inside = {item.key for item in persons if span.start <= item.start < after.end and item.key in certain}
            known = {key for keys in lines for key in keys}
            if inside - known and len(inside) <= _MAX_AT_ONCE:
                lines[tuple(inside)] = Line.at(article, whole)
    kept = distinct(lines.values())[:_MAX_PEOPLE]
    return kept if len(kept) >= _MIN_MEMBERS else []


def _of_class(question: str, noun: str, qualifiers: Sequence[str], retrieval: Retrieval, scope: Scope) -> list[Line]:
    wanted = _wanted(question) - {word_key(noun), word_key(f"{noun}s")}
    if is_noun(noun) and noun not in _NO_ROLES and (lines := _by_role(question, noun, qualifiers, retrieval, scope)):
        return lines
    for article in _articles(wanted, retrieval, scope):
        items = _rows(article, noun) if noun in _ROW_NOUNS else []
        if noun in _RESULT_NOUNS and not _TO_COME.search(question):
            items = _results(article)
            if len(items) == 1:
                return [Line.at(article, items[0])]
        if len(items) >= _MIN_MEMBERS:
            return [Line.at(article, span) for span in items[:_MAX_ROWS]]
        if span := _counted_items(article, noun):
            return [Line.at(article, span)]
    return []


def _class_noun(rest: str) -> tuple[str, Sequence[str]]:
    """The singular of the noun in the plural that is asked for, and the words before it; "" if there is none."""
    before: list[str] = []
    for word in words(rest)[: _MAX_QUALIFIERS + 1]:
        singular = _singular(word)
        if singular != word and len(singular) >= _MIN_NAME_LETTERS:
            return singular, before
        before.append(word)
    return "", ()


def _singular(word: str) -> str:
    if word in ("men", "women"):
        return f"{word[:-2]}an"
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    is_plural = word.endswith("s") and not word.endswith(("ss", "us", "is", "'s"))
    without = word.removesuffix("es")
    if is_plural and word.endswith(("ches", "shes", "xes", "sses")):
        return without
    return word[:-1] if is_plural else word


def _wanted(question: str) -> set[str]:
    """The keys of the words that an article must hold."""
    return {word_key(word.removesuffix("'s")) for word in content_words(question)} - _BLAND


def _articles(wanted: set[str], retrieval: Retrieval, scope: Scope, min_share: float = 1.0) -> list[Article]:
    """The articles of the nearest passages that hold every wanted word, or a share of them, nearest first."""
    if not wanted:
        return []
    sources: dict[str, Source] = {}
    for passage in retrieval.passages:
        for each in (passage, *passage.near_duplicates):
            sources.setdefault(each.source.id, each.source)
    articles = (scope.article(source) for source in list(sources.values())[:_MAX_ARTICLES])
    proper = {word_key(name) for name in names(retrieval.query.text)} & wanted
    held = [(article, _keys(f"{article.source.headline} {article.body}")) for article in articles]
    return [article for article, keys in held if proper <= keys and len(wanted & keys) >= min_share * len(wanted)]


def _keys(text: str) -> set[str]:
    return {word_key(word.removesuffix("'s")) for word in words(text)}


def _by_role(question: str, noun: str, qualifiers: Sequence[str], retrieval: Retrieval, scope: Scope) -> list[Line]:
    """The sentences that introduce people of a role in articles about the question; none beside an unknown deed."""
    roles = _ROLES.get(noun, noun).split()
    own = {word_key(word) for word in (noun, f"{noun}s", *qualifiers)}
    wanted = _wanted(question) - own
    deeds = {word_key(word) for word in content_words(question) if is_past_form(word)}
    deeds |= {word_key(match["verb"]) for match in _VERB_AFTER.finditer(question)}
    deeds &= wanted
    if "against" in words(question):
        return []
    lines: dict[str, Line] = {}
    for source, article, person in _introduced(wanted, roles, qualifiers, retrieval, scope):
        sentence = fold(text_of(article, person.span))
        held = _keys(sentence)
        is_qualified = all(word_key(word) in held or word in person.office for word in qualifiers)
        if deeds <= held and is_qualified and person.key not in lines and source.id == article.id:
            lines[person.key] = Line.at(article, person.span)
    kept = distinct(lines.values())
    return kept if len(lines) >= _MIN_MEMBERS else []


def _introduced(
    wanted: set[str], roles: Sequence[str], qualifiers: Sequence[str], retrieval: Retrieval, scope: Scope
) -> Iterator[tuple[Source, Article, Introduction]]:
    """The people of some roles: of the articles that hold the wanted words; of all if only a role is asked for."""
    if not wanted:
        for role in roles:
            office = " ".join([*qualifiers, role])
            for source, person in scope.catalogue.people(office=office, filters=scope.filters):
                yield source, scope.article(source), person
        return
    for article in _articles(wanted, retrieval, scope, _MIN_ROLE_SHARE):
        for person in find_people(article.body, sentences(article.body)).introductions:
            held = person.office.split()
            is_of_role = bool(held) and held[-1] in roles
            if (person.rank < NAMED and is_of_role) or _title_before(article.body, person.name) in roles:
                yield article.source, article, person


def _title_before(body: str, name: Span) -> str:
    """The word right before a name, without a comma: "Another analyst, Leo Marsh"."""
    before = words(body[max(0, name.start - 40) : name.start])
    return before[-1] if before else ""


def _speakers(question: str, articles: Sequence[Article], scope: Scope) -> list[Line]:
    """The first quotation of each speaker of the nearest article."""
    for article in articles[:1]:
        lines: dict[str, Line] = {}
        known = set(names(question))
        for _, quotation in scope.catalogue.quotations(article=article.id, filters=scope.filters):
            speaker = text_of(article, quotation.name)
            is_known = "else" in words(question) and not known.isdisjoint(quotation.key.split())
            is_group = is_noun(_singular(quotation.key.rpartition(" ")[2])) or not speaker[:1].isupper()
            if len(quotation.key) >= _MIN_NAME_LETTERS and not is_known and not is_group:
                lines.setdefault(quotation.key, Line.at(article, quotation.span, f"{speaker}:"))
        kept = distinct(lines.values())[:_MAX_PEOPLE]
        return kept if len(kept) >= _MIN_MEMBERS else []
    return []


def _rows(article: Article, noun: str) -> list[Span]:
    """The rows of a table with a column of this name, without its head."""
    lines = [Span(*match.span()) for match in _ROW.finditer(article.body)]
    head = next((n for n, span in enumerate(lines) if noun in words(article.body[slice(*span)])), None)
    if head is None:
        return []
    num_cells = article.body[slice(*lines[head])].count("|")
    rows = [span for span in lines[head + 1 :] if article.body[slice(*span)].count("|") == num_cells]
    return [span for span in rows if any(character.isalnum() for character in article.body[slice(*span)])]


def _results(article: Article) -> list[Span]:
    """The lines that are nothing but a score: "Fernhollow 4, Aldermoor Harriers 1"."""
    spans = [Span(*match.span()) for match in re.finditer(r"[^\n]+", article.body)]
    marked = [(span, article.body[slice(*span)]) for span in spans]
    return [
        Span(span.end - len(text.lstrip("-*• ")), span.end)
        for span, text in marked
        if _RESULT.fullmatch(text.strip("-*• "))
    ]


def _counted_items(article: Article, noun: str) -> Span | None:
    """The sentence that counts the things asked for and the one after it that lists as many.

    "It makes five recommendations. A should …; b should …; …" Both are needed: the number proves that nothing lacks.
    """
    key = word_key(f"{noun}s")
    for first, second in pairwise(sentences(article.body)):
        text = article.body[slice(*first)]
        for value, span in figure_spans(text):
            behind = [word_key(word) for word in words(text[span.end : span.end + 40])[:2]]
            listed = article.body[slice(*second)]
            is_list = float(value) >= (_MIN_MEMBERS if ";" in listed else _MIN_ITEMS)
            if key in behind and is_list and _num_items(listed) == float(value):
                return Span(first.start, second.end)
    return None


def _num_items(text: str) -> int:
    """Count the items of a list in a sentence, parted by semicolons or else by commas and "and"."""
    if ";" in text:
        return text.count(";") + 1
    return len(re.split(r",? and |, ", text))
