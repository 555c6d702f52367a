"""Statements that certain turns of the news decide: votes, offices, ends, "nobody", questions with their answers.

Each rule reads a sentence, or a few of a passage, and gives a verdict or "". They stand beside bot/kinds/statement.py,
which compares words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from bot.kinds.statement import DOUBT, FUTURE, OPENING, Sentence, Statement, Verdict, Word
from bot.query.wording import word_key
from index.models import Span
from index.text import STOP_WORDS, name_spans, sentences, word_spans, words

_MIN_QUESTION_SHARE = 0.75  # of a statement's words in a question that an article asks
_MAX_FIRST_CHARACTERS = 40  # of an answer, in which its "No" stands
_VOTING = re.compile(r"\bvot(?:ed?|es|ing) (?P<side>for|against|in favou?r)\b", re.IGNORECASE)
_VOTED_LIST = re.compile(
    r"\b(?:(?P<for>in favou?r|for it|those for)|(?P<against>against(?: it)?)) (?:were|was|therefore were"
    r"|were therefore)\b(?P<names>[^.;]*)",
    re.IGNORECASE,
)
_SIDES = {
    **dict.fromkeys(map(word_key, "support back backed approve favour".split()), True),
    **dict.fromkeys(map(word_key, "oppose reject".split()), False),
}
_VOTE = frozenset(map(word_key, "vote plan proposal".split()))
LEFT_OFFICE = re.compile(
    r"\b(?:resigned|resigns|stepped down|stood down|quit|was (?:sacked|dismissed|fired|ousted|replaced)|retired"
    r"|left office|moved from|was succeeded|is succeeded|has left)\b",
    re.IGNORECASE,
)
_STAYS = re.compile(r"\b(?:remains?|stays?|continues?)\b")
_NEW_HOLDER = re.compile(
    r"\b(?:took over as|takes over as|becomes?|became|appointed|named|elected|sworn in as|promoted to|the new)"
    r"(?: the| new| as)*\Z",
    re.IGNORECASE,
)
_MAX_OFFICE_CHARACTERS = 60
_IS_OVER = re.compile(r" (?:over|at an end|finished|ended|end|(?P<goes_on>going on|continu(?:ing|es?)|under ?way))\Z")
_ENDED = re.compile(
    r"\b(?:(?P<before>ending|called off|put an end to|brought an end to)|(?:is|are|was|were) (?:now )?over"
    r"|(?P<either>ended)|came to an end|is at an end|was called off)\b",
    re.IGNORECASE,
)
_PREPOSITIONS = frozenset("on over about of for in at after before with from".split())
_NOT = re.compile(r"\b(?:not|never|yet to)\b|n['’]t\b")
_ANYBODY = re.compile(r"\bany(?:one|body|thing)?\b(?: else)?", re.IGNORECASE)
_NOBODY = re.compile(r"\b(?:nobody|no one|nothing|none)\b(?P<clause>[^,;:]*)", re.IGNORECASE)
_EXCEPT = re.compile(r"\b(?:but|except|apart|besides|beyond|yet|so far)\b", re.IGNORECASE)
_MAX_OPENING_CHARACTERS = 15  # before "nobody" in a sentence that is about the one before it
_THERE_IS_NO = re.compile(
    r"\bthere (?P<be>will be|is|are|was|were) no (?:more |further |other )?(?P<thing>[a-z-]+)\W*\Z", re.IGNORECASE
)
_HAVE = frozenset(map(word_key, "see get receive have pay face".split()))
_QUIT = word_key("resign")
_QUIT_AS = re.compile(r"\b(?:resign(?:ed|s)|quits?|st(?:epp|oo)e?d down) as (?P<office>[^,.;]+)", re.IGNORECASE)
_WOULD = re.compile(r"\bsaid that [^.;:]*?\bwould (?P<not>not )?(?P<verb>[a-z]+)\b", re.IGNORECASE)
_KEPT = re.compile(r"\b(?:voted|decided|agreed|ruled)\b[^.;]*?\bto (?:keep|leave) [^.;]+? open\b", re.IGNORECASE)
_CLOSED = frozenset(map(word_key, "close shut".split()))
_OPEN_OR_CLOSED = _CLOSED.union(map(word_key, "open keep stay remain vote decide agree".split()))
_FIRST = re.compile(r"\bfirst time\b", re.IGNORECASE)
_FOR_THE_FIRST = re.compile(r"\bfor the first time\b(?! since)", re.IGNORECASE)
_MAX_WORDS_BETWEEN = 4  # a thing and its end
_NO = re.compile(r"(?:no|not|nobody|never|none|nothing)\b", re.IGNORECASE)
_YES = re.compile(r"yes\b", re.IGNORECASE)


def judge_vote(statement: Statement, text: str, around: str) -> Verdict:
    """Who voted how: ``"Did Ann Lee back the wall?", "Those against were Bob Ray and Ann Lee." -> "No"``."""
    asked = _asked_side(statement)
    names = _subject(statement)
    if asked is None or not names or not _others_in(statement, around, _VOTE.union(_SIDES)):
        return ""
    for listing in _VOTED_LIST.finditer(text):
        if _places(names, listing["names"]):
            return "Yes" if asked == bool(listing["for"]) else "No"
    for place in _places(names, text):
        vote = _VOTING.search(text, place.end)
        if vote and _is_only_subject(text[place.end : vote.start()]) and not DOUBT.search(text[place.end : vote.end()]):
            return "Yes" if asked == (vote["side"].lower() != "against") else "No"
    return ""


def judge_office(statement: Statement, text: str) -> Verdict:
    """Whether somebody no longer holds an office: another one has taken it over, or the holder has left it."""
    names, office = _subject(statement), [word for word in statement.words if not word.is_name]
    if statement.aux not in {"is", "are"} or not names or not office or _STAYS.search(text):
        return ""
    for place in _places(names[-1:], text):
        left = LEFT_OFFICE.search(text, place.end)
        if left and _is_aside(text[place.end : left.start()]) and not DOUBT.search(text[place.end : left.end()]):
            return "No"
    spans = [span for word, span in word_spans(text) if word_key(word) == office[0].key]
    for span in spans:
        is_new = _NEW_HOLDER.search(text[max(0, span.start - _MAX_OFFICE_CHARACTERS) : span.start].rstrip())
        has_all = {word.key for word in office} <= set(
            map(word_key, words(text[span.start :][:_MAX_OFFICE_CHARACTERS]))
        )
        if is_new and has_all and not _places(names[-1:], text) and name_spans(OPENING + text):
            return "" if DOUBT.search(text[: span.end]) else "No"
    return ""


def judge_end(statement: Statement, text: str) -> Verdict:
    """Whether a thing is over: ``"Did the strike end?", "… ending a strike of 26 days" -> "Yes"``."""
    over = _IS_OVER.search(statement.text)
    of_thing = [word for word in statement.words if not over or word.key not in map(word_key, words(over.group()))]
    if not over or not of_thing:
        return ""
    thing, held = of_thing[-1].key, {word_key(word) for word in words(text)}
    for end in _ENDED.finditer(text):
        before = words(text[: end.start()])
        behind = [word_key(word) for word in words(text[end.end() :][:_MAX_FIRST_CHARACTERS])[:_MAX_WORDS_BETWEEN]]
        ahead = [word_key(word) for word in before[-_MAX_WORDS_BETWEEN:]]
        if end["either"] and thing in ahead:  # no "talks on the strike ended"
            place = list(map(word_key, before)).index(thing)
            is_told = _PREPOSITIONS.isdisjoint(before[:place])
        else:
            is_told = thing in (behind if end["before"] or end["either"] else ahead)
        near = text[max(0, end.start() - _MAX_FIRST_CHARACTERS // 2) : end.end()]
        is_so = not (DOUBT.search(text) or FUTURE.search(near) or _NOT.search(near))
        if is_told and is_so and all(word.key in held for word in of_thing):
            return "No" if over["goes_on"] else "Yes"
    return ""


def judge_none(statement: Statement, sentence: Sentence) -> Verdict:
    """Whether nobody is what is asked of anybody: ``"Was anyone hurt in the fire?", "…; nobody was hurt" -> "No"``.

    What happened stands before it, or if the sentence says no more in the one before it or the headline.
    """
    anybody, nobody = _ANYBODY.search(statement.text), _NOBODY.search(sentence.text)
    if not anybody or not nobody or _EXCEPT.search(nobody["clause"]) or DOUBT.search(nobody["clause"]):
        return ""
    asked = [word for word in words(statement.text[anybody.end() :]) if word not in STOP_WORDS and not word.isdigit()]
    told = [word_key(word) for word in words(nobody["clause"])]
    if not asked or word_key(asked[0]) not in told:
        return ""
    around = sentence.text[: nobody.start()]
    if nobody.start() < _MAX_OPENING_CHARACTERS:
        around = f"{sentence.headline} {sentence.previous}"
    held = {*told, *map(word_key, words(around))}
    topic = statement.topic if len(asked) == 1 else frozenset[str]()
    is_about = len(asked) > 1 or bool(topic)
    wanted = {*map(word_key, asked), *topic, *statement.figures}
    return "No" if is_about and wanted <= held else ""


def judge_nothing(statement: Statement, sentence: Sentence) -> Verdict:
    """Whether there is none of a thing: ``"Will holders see a dividend?", "There will be no dividend." -> "No"``."""
    none = _THERE_IS_NO.search(sentence.text)
    plain = [word.key for word in statement.words if not word.is_name]
    if not none or not plain or plain[-1] != word_key(none["thing"].lower()):
        return ""
    named, held = {word.key for word in statement.words if word.is_name}, set(map(word_key, words(sentence.around)))
    is_tense = (none["be"].lower() == "will be") == (statement.aux in {"will", "would"})
    return "No" if is_tense and named and named <= held and _HAVE.intersection(plain[:-1]) else ""


def judge_resignation(statement: Statement, text: str) -> Verdict:
    """Whether who holds an office has left it: ``"Has the mayor resigned?", "Lee resigned as mayor" -> "Yes"``."""
    left = _QUIT_AS.search(text)
    others = {word.key for word in statement.words[:-1]}
    if not left or not others or statement.words[-1].key != _QUIT or DOUBT.search(text[: left.end()]):
        return ""
    return "Yes" if others <= set(map(word_key, words(left["office"]))) else ""


def judge_plan(statement: Statement, sentence: Sentence) -> Verdict:
    """Whether somebody says that it will be: ``"Will Lund appeal?", "Lund … said that he would appeal" -> "Yes"``."""
    would = _WOULD.search(sentence.text)
    if statement.aux != "will" or not would or not statement.words or " if " in sentence.text:
        return ""
    held, around = (set(map(word_key, words(text))) for text in (sentence.before + sentence.text, sentence.around))
    is_verb = statement.words[-1].key == word_key(would["verb"].lower()) and not statement.words[-1].is_name
    forenames = {word.key for word in _subject(statement)[:-1]} & around
    is_all = all(word.key in held | forenames for word in statement.words)
    return ("No" if would["not"] else "Yes") if is_verb and is_all else ""


def judge_kept(statement: Statement, sentence: Sentence) -> Verdict:
    """Whether it is closed: ``"Will the mill be closed?", "The council voted to keep the mill open" -> "No"``."""
    kept = _KEPT.search(sentence.text)
    asked = {word.key for word in statement.words}
    held = {word_key(word) for word in words(f"{sentence.headline} {sentence.text}")}
    if not kept or not asked - _OPEN_OR_CLOSED <= held or DOUBT.search(sentence.text):
        return ""
    return "No" if asked & _CLOSED else "Yes" if word_key("open") in asked else ""


def judge_first(statement: Statement, sentence: Sentence) -> Verdict:
    """Whether it is the first time, by a sentence that surely answers: "Lee plays at Wembley for the first time"."""
    names = {word.key for word in statement.words if word.is_name}
    is_told = _FIRST.search(statement.text) and _FOR_THE_FIRST.search(sentence.text) and sentence.is_sure
    held = {word_key(word) for word in words(f"{sentence.before} {sentence.text}")}
    return "Yes" if is_told and names and names <= held and not _NO.search(sentence.text) else ""


def answered_question(statement: Statement, passage: str) -> tuple[Span, Verdict] | None:
    """The answer that a passage gives to a question of its own that asks the same; its first sentence and verdict."""
    spans = sentences(passage)
    wanted = {word.key for word in statement.words if not word.is_name}
    for asked, answer in pairwise(spans):
        question = passage[asked.start : asked.end]
        if "?" not in question[-4:] or not wanted:
            continue
        held = {word_key(word) for word in words(question) if word not in STOP_WORDS}
        if held and len(wanted & held) >= _MIN_QUESTION_SHARE * max(len(wanted), len(held)):
            text = passage[answer.start : answer.end].lstrip("* \n")[:_MAX_FIRST_CHARACTERS]
            if verdict := "No" if _NO.match(text) else "Yes" if _YES.match(text) else "":
                return answer, verdict  # type: ignore[return-value]  # mypy widens the literal
    return None


def _asked_side(statement: Statement) -> bool | None:
    """Whether a statement has a vote for (True) or against something; None if it speaks of no vote."""
    if vote := _VOTING.search(statement.text):
        return vote["side"].lower() != "against"
    return next((_SIDES[word.key] for word in statement.words if word.key in _SIDES), None)


def _subject(statement: Statement) -> list[Word]:
    """The name that a statement begins with."""
    names: list[Word] = []
    for word in statement.words:
        if not word.is_name or (names and word.place != names[-1].place + 1):
            break
        names.append(word)
    return names


def _places(names: Sequence[Word], text: str) -> list[Span]:
    """Where a whole name stands, in its words."""
    spoken, size = word_spans(text), len(names)
    return [
        Span(spoken[at][1].start, spoken[at + size - 1][1].end)
        for at in range(len(spoken) - size + 1)
        if [word_key(word) for word, _ in spoken[at : at + size]] == [name.key for name in names]
    ]


def _others_in(statement: Statement, around: str, known: frozenset[str]) -> bool:
    """Whether the passage with its headline has all other words of a statement."""
    held = set(map(word_key, words(around)))
    return all(word.key in held or word.key in known for word in statement.words)


def _is_only_subject(gap: str) -> bool:
    """Whether between a name and its verb stand only other names, or an aside."""
    return _is_aside(gap) or all(word[:1].isupper() or word in {"and", "the"} for word in gap.replace(",", " ").split())


def _is_aside(gap: str) -> bool:
    """Whether a gap is empty or a clause between commas, without another name."""
    bare = gap.strip()
    if not bare or bare in {"has", "had", ", who"}:
        return True
    return bare.startswith(",") and not re.search(r"[.;:]", bare) and not name_spans(OPENING + bare)
