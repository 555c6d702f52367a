"""Quotations of an article, direct and reported, each with its speaker.

A unit is a sentence, or the sentences that one pair of marks holds together. A unit is a quotation if a verb of speech
in it, outside the marks, has a subject that is certain: a name, a group ("residents", "the company"), or a pronoun for
the only person it can stand for. A unit wholly in marks goes on with the speaker before it. Whatever is doubtful is
left out: no speaker is better than a wrong one.

Right on random hits, judged by hand (2026-11-27): 77 of 78 on articles/, on which the patterns were also tried while
they were made (the other was a sister, see _RELATIVE in index/reading/people.py); 46 of 50 on the seeds, CLAP NQ,
RAMDocs, SQuAD and MTRAG-UN.
Time: .4 ms for 400 words of news, 2 ms for those pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from index.models import Span
from index.reading.people import BODY_NOUNS, FINITE, NAMED, PERSON_NOUNS, Gender, Mention, People, is_noun, office_of
from index.text import fold, paragraphs

_MAX_UNIT_CHARACTERS = 1_500  # of a quotation held together by its marks; a longer one has lost a mark
_MAX_PARTS_OF_APPOSITION = 4
_WINDOW_CHARACTERS = 300
_MAX_RECENT_UNITS = 2  # of a paragraph, behind which "she" is still its person
_MAX_ADVERB_CHARACTERS = 60  # of what stands between a subject and its verb
_MAX_GROUP_WORDS = 12
_SPEAKS = frozenset(
    """said says told tells argued argues warned warns insisted insists explained explains announced announces
    confirmed confirms admitted admits acknowledged acknowledges denied denies promised promises predicted
    predicts replied replies responded responds stressed stresses suggested suggests stated complained
    complains conceded concedes vowed vows criticised criticises criticized criticizes praised praises
    welcomed welcomes condemned condemns blamed blames urged urges accused accuses remarked remarks joked
    jokes commented comments estimated thinks believes disclosed cautioned cautions""".split()
)
# These speak only beside marks, before "that" or at the end of a clause: a council calls a meeting, a striker adds two.
_MAY_SPEAK = frozenset(
    """added adds estimates claimed claims called calls described describes asked asks noted notes reported reports
    revealed reveals observed hoped hopes tweeted posted thought believed expects expected put found finds
    agreed agrees pointed felt feels demanded demands pledged pledges read proposed wrote writes recalled
    recalls declared declares maintained maintains rejected rejects dismissed dismisses concluded concludes
    countered""".split()
)
_ENDS_CLAUSE = frozenset("added adds estimates noted observed recalled wrote reported".split())
_PLURAL = frozenset(
    "say warn argue believe think claim insist call want fear complain describe agree hope accuse blame".split()
)  # of a group: "critics say"
_INVERTED = frozenset(
    """said says added adds argued argues warned warns insisted insists explained explains announced admitted
    admits replied replies wrote writes recalled recalls stated conceded complained joked asked asks noted
    notes declared concluded according commented reported tweeted predicted predicts claimed suggested""".split()
)
_VERBS = _SPEAKS | _MAY_SPEAK | _PLURAL | {"according", "According"}
GROUPS = frozenset(
    """police people residents critics supporters opponents campaigners experts analysts scientists researchers
    neighbours neighbors parents families drivers passengers voters protesters demonstrators officials
    ministers councillors players fans readers locals villagers commuters shopkeepers traders businesses
    unions companies economists authorities organisers organizers staff management crew prosecutors
    investigators lawyers doctors nurses teachers witnesses activists farmers fishermen islanders astronomers
    climatologists historians environmentalists employers detectives aides allies diplomats lawmakers
    republicans democrats conservatives administration ministry embassy service line spokespeople leadership
    opposition regime cabinet parliament palace statement report survey study letter notice""".split()
)
_OF_PAPER = frozenset("statement report survey study letter notice".split())  # they speak for somebody else
_ALSO_BODIES = frozenset("owner maker operator producer publisher member winner developer rival partner star".split())
_WOMEN, _MEN = ("she", "her", "hers", "herself"), ("he", "him", "his", "himself")
_OBJECT = re.compile(r"\b(?:with|of|by|to|for|from|about|against|over|like|than)\b[^.;:]{0,40}$")
_TOKEN = re.compile(r"[^\W\d_]+")
_MARKS = re.compile(
    r"“[^“”]*”|“[^“”]*$|„[^„“”]*[“”]|«[^«»]*»|(?<![\w’'])‘(?:[^‘’]|’(?=\w))*’(?!\w)"
    r"|(?:(?<=[\s(\[—–:,])|^)\"(?=\S)[^\"]*(?:\"|$)"
)
_OPENING_MARK = re.compile(r"\s*[“\"„«‘]")
_ADVERBS = re.compile(
    r"(?:,? (?:also|later|then|since|has|have|had|previously|repeatedly|recently|now|still|even|further|yesterday"
    r"|[a-z]{2,20}ly|(?:on|last) [A-Z][a-z]+day))+$"
)
_PRONOUN = re.compile(
    r"(?:^|[,;:—–“”\"’.!?]|\b(?:and|but|while|as|because|when|where|what))\s*(?P<pronoun>he|she|it|they)$",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(
    r"[,;:“”\"«»()—–]|\b(?:and|but|while|whereas|although|because|as|when|if|after|before|since|whether|unless)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(?:if|when|whether|unless|since|because)\s*$", re.IGNORECASE)
_PREPOSITION_BEFORE = re.compile(
    r"\b(?:of|in|at|for|from|to|with|by|on|near|against|between|about|under|over|outside|than|like|where|across|after"
    r"|if|whether|unless|since|because)(?: the)? $",
    re.IGNORECASE,
)
_OF_BODY = re.compile(r" (?:of|from|at)(?: the)? ")
_DETERMINER = re.compile(
    r"(?:the|an?|its|their|his|her|our|some|many|most|several|other|one|two|three|four|five|few|both|local|senior|all"
    r"|another|these|those)\b",
    re.IGNORECASE,
)
_THE = re.compile(r"\b(?:the|an?|its) ")
_APPOSITION = re.compile(
    r"(?:the|an?|its|their|his|her|who|whose|which|of|from|now|aged|formerly|then|\d{1,3}$|[\w’'.-]{1,30}['’]s?\b)(?:\s|$|\b)",
    re.IGNORECASE,
)
_ENDS_GROUP = re.compile(
    r"\s(?:of|for|at|in|from|that|who|which|with|on|to|opposed|against|near|outside|representing|behind|investigating)\s"
)
_SPOKESPERSON = r"spokes(?:man|woman|person|people)"
_SPOKE_FOR = re.compile(
    rf"\b(?:{_SPOKESPERSON}|officials?|lawyers?|statement|representatives?) (?:for|of|from|at|by) "
    r"(?:the )?(?P<body>.+)$"
    r"|^(?:(?:an?|the|its|another|one) )?(?P<owner>(?!(?:an?|the|its|another|one)\b).+?)(?:['’]s)? "
    rf"{_SPOKESPERSON}$",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"\s*(?:[.,;:!?)”\"]|$|(?:of|from|at|in|on|after|before|during|who|when|as|last|this|yesterday|today|to|by|and|but|while)\b)"
)
_PHRASE = re.compile(r"[^,.;:“”\"()—–]{2,120}")
_NAME_ENDS = re.compile(r"[,.;:)”\"]|$")
_ENDS_SUBJECT = re.compile(r"\s(?:on|in a|after|before|during|when|as|last|this|yesterday|today|to)\s")
_NO_GROUP = FINITE | {"that", "he", "she", "it", "they", "not", "to"}
_GROUP_WORD = re.compile(r"[\w’'-]+")
_SAYS_THAT = re.compile(r"[^.;]{0,60}?(?:[“\"„«‘:]|\bthat\b|\bas\b)")
_CLAUSE_STOP = re.compile(r"\s*(?:[.,;]|$)")
_NEXT_CLAUSE = re.compile(
    r"(?:[,;]|—|–) ?(?:but|while|and|whereas|although)(?: [\w’'-]+){0,8}\s?$|;\s[^;]{0,80}$"
    r"|\w\w[.!?][”\"]?\s[^.!?]{0,120}$"  # a sentence that was not split off
)

# They are quoted beside residents, and do not speak for them.
_OFFICIALS = frozenset(
    """chair coach commissioner councillor director executive governor head leader manager mayor minister officer
    president secretary spokesperson superintendent""".split()
)
_GROUP_OPENING = re.compile(
    rf"(?:But |Some |Many |Most |Not all |Several |Local )?(?i:(?P<group>{'|'.join(sorted(GROUPS - _OF_PAPER))}))\b"
)


class Quotation(NamedTuple):
    """Whole sentences that report what somebody said.

    ``key``: that of the person or body (index/reading/people.py), or the words of a group, folded. ``name``: where the
    speaker is named. ``span``: the sentences.
    """

    key: str
    name: Span
    span: Span


@dataclass(frozen=True, slots=True)
class _Speaker:
    key: str
    name: Span
    kind: str  # person, body, group


@dataclass(frozen=True, slots=True)
class _Unit:
    """Sentences ``span`` of a paragraph; ``first`` and ``last`` are their numbers. ``masked``: x in place of quotes."""

    span: Span
    first: int
    last: int
    paragraph: int
    masked: str
    marks: tuple[Span, ...]
    goes_on: bool  # begins within a quotation that the paragraph before left open

    @property
    def is_quote(self) -> bool:
        """Whether all of it stands in marks."""
        return not self.masked.replace("x", "").strip('“”"„«»‘’. \n')


def find_quotations(body: str, spans: Sequence[Span], people: People) -> list[Quotation]:
    """Find the quotations of a text with sentences ``spans`` and ``people``; in order, one for each speaker."""
    finder = _Finder(body, people)
    quotations: list[Quotation] = []
    before: _Unit | None = None
    speakers: list[_Speaker] = []
    officials = {item.key for item in people.introductions if item.office.rpartition(" ")[2] in _OFFICIALS}
    group, reach = "", -1  # "Residents were angry.", and the last sentence in which persons speak for them
    for unit in _units(body, spans):
        if unit.span.end - unit.span.start > 2 * _MAX_UNIT_CHARACTERS:  # no sentence
            continue
        own = finder.speakers(unit, before, speakers)
        goes_on = not own and unit.is_quote and bool(unit.marks) and len(speakers) == 1
        is_next = before is not None and before.marks != () and before.last + 1 == unit.first
        if goes_on and is_next and before and (unit.goes_on or unit.paragraph == before.paragraph):
            quotations[-1] = quotations[-1]._replace(span=Span(quotations[-1].span.start, unit.span.end))
        else:
            speakers = own
            quotations += [Quotation(speaker.key, speaker.name, unit.span) for speaker in own]
            persons = [speaker for speaker in own if speaker.kind == "person" and speaker.key not in officials]
            if group and unit.paragraph == reach and unit.marks and persons:
                quotations += [Quotation(group, speaker.name, unit.span) for speaker in persons]
            elif opening := _GROUP_OPENING.match(unit.masked):
                group, reach = opening["group"].lower(), unit.paragraph
        finder.note(unit, own)
        before = unit
    return quotations


def _units(body: str, spans: Sequence[Span]) -> Iterator[_Unit]:
    """Join the sentences of a paragraph that a pair of marks holds together."""
    number, is_open = 0, False
    for position, paragraph in enumerate(paragraphs(body)):
        text = body[slice(*paragraph)]
        found = [match for match in _MARKS.finditer(text) if match.end() - match.start() <= _MAX_UNIT_CHARACTERS]
        marks = [Span(paragraph.start + match.start(), paragraph.start + match.end()) for match in found]
        goes_on = is_open and bool(_OPENING_MARK.match(text))
        masked = _MARKS.sub(_mask, text)
        is_open = bool(marks) and marks[-1].end == paragraph.end and body[paragraph.end - 1] not in '”"»“'
        mark = 0
        while number < len(spans) and spans[number].start < paragraph.end:
            first, start, end = number, spans[number].start, spans[number].end
            held: list[Span] = []
            while mark < len(marks) and marks[mark].start < end:
                held.append(marks[mark])
                while number + 1 < len(spans) and spans[number + 1].start < marks[mark].end:
                    number += 1
                    end = spans[number].end
                mark += 1
            shown, is_first = masked[start - paragraph.start : end - paragraph.start], start == paragraph.start
            yield _Unit(Span(start, end), first, number, position, shown, tuple(held), goes_on and is_first)
            number += 1


def _mask(quote: re.Match[str]) -> str:
    text = quote.group()
    return text if len(text) > _MAX_UNIT_CHARACTERS else text[0] + "x" * (len(text) - 2) + text[1:][-1:]


class _Finder:
    """Finds the speakers of units, in order; remembers who can be "he" and "she"."""

    def __init__(self, body: str, people: People) -> None:
        self._body, self._people = body, people
        self._by_end = {mention.span.end: mention for mention in people.mentions}
        self._by_start = {mention.start: mention for mention in people.mentions}
        self._first = {mention.key: mention for mention in reversed(people.mentions)}
        self._by_sentence: dict[int, list[Mention]] = {}
        for mention in people.mentions:
            self._by_sentence.setdefault(mention.sentence, []).append(mention)
        self._genders: dict[str, Gender] = dict(people.genders)
        possible = {mention.key for mention in people.mentions if mention.is_person}
        introduced = {
            item.key
            for item in people.introductions
            if (item.key in possible and item.rank < NAMED and item.office.rpartition(" ")[2] not in BODY_NOUNS)
            or item.office.rpartition(" ")[2] in PERSON_NOUNS - _ALSO_BODIES
        }
        # "The" stands before no person's name.
        mentions = [item for item in people.mentions if not body.endswith(("the ", "The "), 0, item.start)]
        # Whoever can be a person makes "he" doubtful; "he" is only who is a person for certain.
        self._possible = introduced | {mention.key for mention in mentions if mention.is_person}
        self._persons = introduced | {mention.key for mention in mentions if mention.is_certain}
        self._recent: list[_Unit] = []
        held = set(_TOKEN.findall(body.lower()))
        women, men = ({word for word in group if word in held} for group in (_WOMEN, _MEN))
        self._gender_of_all: Gender = "" if women and men else "f" if women else "m" if men else ""
        self._bodies: dict[str, str] = {}  # "union" -> unity; "" if there are two
        for item in people.introductions:
            noun = item.office.rpartition(" ")[2]
            if noun in BODY_NOUNS and item.key not in self._persons:
                self._bodies[noun] = item.key if self._bodies.get(noun, item.key) == item.key else ""

    def speakers(self, unit: _Unit, before: _Unit | None, last: Sequence[_Speaker]) -> list[_Speaker]:
        """Who speaks in a unit; empty if nobody does for certain."""
        speakers: list[_Speaker] = []
        for token in _TOKEN.finditer(unit.masked):
            word = token.group()
            if word not in _VERBS:
                continue
            is_next_clause = not speakers or _NEXT_CLAUSE.search(
                unit.masked, max(0, token.start() - _WINDOW_CHARACTERS), token.start()
            )
            spoken = self._subject(unit, token, before, last) if is_next_clause else []
            speakers += [speaker for speaker in spoken if speaker.key not in {known.key for known in speakers}]
        return speakers

    def _subject(
        self, unit: _Unit, verb: re.Match[str], before: _Unit | None, last: Sequence[_Speaker]
    ) -> list[_Speaker]:
        """Who speaks by a verb, or "according to"."""
        word, end = verb.group(), unit.span.start + verb.end()
        if word.lower() == "according":
            return self._right(unit, end + 3, is_loose=True) if self._body.startswith(" to ", end) else []
        start = max(0, verb.start() - _WINDOW_CHARACTERS)
        left = unit.masked[start : verb.start()].rstrip()
        if word in _PLURAL:
            spoken = self._group(unit, unit.span.start + start + len(left))
            return [speaker for speaker in spoken if speaker.kind == "group" and _is_plural(speaker.key)]
        is_after_quote = left.endswith(tuple('”"»’“'))
        is_stop = word in _ENDS_CLAUSE and _CLAUSE_STOP.match(unit.masked, verb.end())
        if not (word in _SPEAKS or is_after_quote or is_stop or _SAYS_THAT.match(unit.masked, verb.end())):
            return []
        speakers = [] if is_after_quote else self._left(unit, unit.span.start + verb.start(), before, last)
        if not speakers and word in _INVERTED and (is_after_quote or left.endswith((",", "?", "!"))):
            return self._right(unit, end)
        return speakers

    def note(self, unit: _Unit, speakers: Sequence[_Speaker]) -> None:
        """Remember a unit of the paragraph, and that its speakers are persons if they were taken for it."""
        is_same = self._recent and self._recent[-1].paragraph == unit.paragraph
        self._recent = [*self._recent[-_MAX_RECENT_UNITS:], unit] if is_same else [unit]
        self._persons |= {speaker.key for speaker in speakers if speaker.kind == "person"}

    # --- The subject before a verb

    def _left(self, unit: _Unit, verb: int, before: _Unit | None, last: Sequence[_Speaker]) -> list[_Speaker]:
        start = max(unit.span.start, verb - _WINDOW_CHARACTERS)
        text = unit.masked[start - unit.span.start : verb - unit.span.start].rstrip()
        if match := _ADVERBS.search(text, max(0, len(text) - _MAX_ADVERB_CHARACTERS)):
            text = text[: match.start()]
        end = start + len(text)
        if not text:
            return []
        if match := _PRONOUN.search(text, max(0, len(text) - _MAX_ADVERB_CHARACTERS)):
            return self._pronoun(match["pronoun"].lower(), unit, end, before, last)
        if text.endswith((" who", " which", " that")):
            return self._named(unit, end - 5) if text.endswith(", who") else []
        if text[-1] == ",":
            return self._behind_apposition(unit, end - 1)
        return self._named(unit, end) or self._group(unit, end)

    def _named(self, unit: _Unit, end: int) -> list[_Speaker]:
        """The name that ends at ``end`` if it is a subject there, or the one before "of Unity" or "and Bob Roy"."""
        mention = self._by_end.get(end)
        if mention is None or mention.start < unit.span.start or _is_held(unit, mention.span.start):
            return []
        before = self._body[max(unit.span.start, mention.start - _WINDOW_CHARACTERS) : mention.start]
        if (match := _OF_BODY.search(before[-12:])) and match.end() == len(before[-12:]):
            owner = self._by_end.get(mention.start - len(match.group()))
            is_owner = owner and len(owner.key.split()) > 1 and self._is_subject(unit, owner)
            return self._speaker(owner) if owner and is_owner else []
        other = self._by_end.get(mention.start - len(" and ")) if before.endswith(" and ") else None
        if other and self._is_subject(unit, other):
            return [*self._speaker(other), *self._speaker(mention)]
        return self._speaker(mention) if self._is_subject(unit, mention) else []

    def _is_subject(self, unit: _Unit, mention: Mention) -> bool:
        before = self._body[max(unit.span.start, mention.start - _WINDOW_CHARACTERS) : mention.start]
        return not _PREPOSITION_BEFORE.search(before)

    def _behind_apposition(self, unit: _Unit, comma: int) -> list[_Speaker]:
        """The subject of ", said": "the chairman, Leo Brandt, said" and "Leo Brandt, the chairman, said"."""
        first, end = max(unit.span.start, comma - _WINDOW_CHARACTERS), comma
        for _ in range(_MAX_PARTS_OF_APPOSITION):
            start = max(first, self._body.rfind(",", first, end) + 1)
            part = self._body[start:end].strip()
            mention = self._by_end.get(end)
            if mention and mention.start >= unit.span.start and not _is_held(unit, mention.span.start):
                beside = self._body[start : mention.start].strip()
                is_role = office_of(beside) and not FINITE.intersection(fold(beside).split())
                is_alone = not beside or (is_role and (beside[0].islower() or _DETERMINER.match(beside)))
                if (is_alone or (start == first and end != comma)) and self._is_subject(unit, mention):
                    return self._speaker(mention)
            if end != comma and (named := self._named(unit, end)):
                return named
            if not (_APPOSITION.match(part) or office_of(part)) or start == first:
                return self._group(unit, end) if end != comma else []
            end = start - 1
        return []

    def _group(self, unit: _Unit, end: int) -> list[_Speaker]:
        """The group or unnamed speaker whose noun phrase ends at ``end``: "the company", "residents of Thornley"."""
        text = unit.masked[max(0, end - unit.span.start - _WINDOW_CHARACTERS) : end - unit.span.start]
        boundary = max((match.end() for match in _BOUNDARY.finditer(text)), default=0)
        phrase = text[boundary:].lstrip()
        if _PREPOSITION_BEFORE.match(f"{phrase.partition(' ')[0]} "):  # "In Thornley the council said"
            phrase = phrase[max((match.start() for match in _THE.finditer(phrase)), default=len(phrase)) :]
        if _CONDITION.search(text[:boundary]):
            return []
        return self._group_in(Span(end - len(phrase), end))

    def _group_in(self, span: Span) -> list[_Speaker]:
        phrase = self._body[slice(*span)]
        ending = _ENDS_GROUP.search(f"{phrase} ")
        head, rest = (phrase[: ending.start()], phrase[ending.end() :]) if ending else (phrase, "")
        words = [fold(word).removesuffix("'s") for word in _GROUP_WORD.findall(head)]
        if not words or len(phrase.split()) > _MAX_GROUP_WORDS or not _NO_GROUP.isdisjoint(words):
            return []
        is_relative = ending is not None and ending.group().strip() in {"that", "who", "which"}
        noun = words[-1]
        is_spoken_for = _SPOKE_FOR.search(phrase)
        if (noun in _OF_PAPER and not is_spoken_for) or (not is_relative and not FINITE.isdisjoint(rest.split())):
            return []
        is_many = noun in GROUPS or _is_plural(noun)
        is_phrase = len(words) == 1 or _DETERMINER.match(head) or phrase[0].isupper() or is_many
        if not is_phrase or not (is_many or is_noun(noun)):
            return []
        return [self._group_speaker(span, words, is_spoken_for)]

    def _group_speaker(self, span: Span, words: Sequence[str], spoken_for: re.Match[str] | None) -> _Speaker:
        """The speaker of a phrase: a body for its spokesman, a named body for "the union", or the phrase itself."""
        if spoken_for:
            name = "body" if spoken_for["body"] else "owner"
            mention = self._by_end.get(span.start + spoken_for.end(name))
            if mention and mention.key and mention.start <= span.start + spoken_for.start(name):
                return _Speaker(mention.key, span, "body")
            words = _GROUP_WORD.findall(fold(spoken_for[name]))
        elif (key := self._bodies.get(words[-1])) and words[:-1] in (["the"], ["its"]):
            return _Speaker(key, span, "body")
        named = [word for word in words if not _DETERMINER.fullmatch(word)]
        return _Speaker(" ".join(named or words), span, "group")

    # --- The subject behind a verb

    def _right(self, unit: _Unit, start: int, *, is_loose: bool = False) -> list[_Speaker]:
        """The subject of "…," said Leo Brandt, "…," said its secretary, Mara Quist, and of "according to"."""
        following = self._body[start : unit.span.end]
        start += len(following) - len(following.lstrip())
        if mention := self._by_start.get(start):
            follows = self._body[mention.span.end : unit.span.end]
            return self._speaker(mention) if is_loose or _CLAUSE_END.match(follows) else []
        text = unit.masked[start - unit.span.start :]
        phrase = _PHRASE.match(text)
        if not phrase:
            return []
        end = start + len(phrase.group().rstrip())
        mention = self._by_end.get(end)
        if mention and start < mention.start:
            role = self._body[start : mention.start]
            if office_of(role) and not _ENDS_GROUP.search(role) and not _PREPOSITION_BEFORE.search(role):
                return self._speaker(mention)
        behind = self._by_start.get(end + 2)
        is_office = self._body.startswith(", ", end) and office_of(phrase.group())
        if behind and is_office and _NAME_ENDS.match(self._body[behind.span.end : unit.span.end]):
            return self._speaker(behind)
        cut = _ENDS_SUBJECT.search(f"{phrase.group()} ")
        return self._group_in(Span(start, start + cut.start() if cut else end))

    # --- Who it is

    def _speaker(self, mention: Mention) -> list[_Speaker]:
        if not mention.key:
            return []
        kind = "person" if mention.key in self._possible else "body"
        return [_Speaker(mention.key, self._people.names[mention.key], kind)]

    def _pronoun(
        self, pronoun: str, unit: _Unit, position: int, before: _Unit | None, last: Sequence[_Speaker]
    ) -> list[_Speaker]:
        if pronoun in {"it", "they"}:
            kinds = {"body", "group"} if pronoun == "it" else {"group"}
            is_certain = before and before.paragraph == unit.paragraph and len(last) == 1 and last[0].kind in kinds
            return list(last) if is_certain else []
        gender: Gender = "f" if pronoun == "she" else "m"
        if here := self._candidates(unit, position):
            return self._only(here, gender)
        if before and before.last + 1 == unit.first:
            candidates = self._candidates(before, before.span.end)
            if len(last) == 1 and last[0].kind == "person":  # the speaker goes on
                others = [mention for mention in candidates if mention.key != last[0].key]
                first = self._first.get(last[0].key)
                return self._only([first, *others] if first else others, gender)
            if before.paragraph == unit.paragraph:
                for earlier in reversed(self._recent):
                    if candidates := self._candidates(earlier, earlier.span.end):
                        return self._only(candidates, gender)
        is_alone = len(self._possible) == 1 and self._gender_of_all == gender
        return self._only([self._first[key] for key in self._possible], gender) if is_alone else []

    def _candidates(self, unit: _Unit, end: int) -> list[Mention]:
        mentions = [m for n in range(unit.first, unit.last + 1) for m in self._by_sentence.get(n, [])]
        outside = [m for m in mentions if m.span.end <= end and not _is_held(unit, m.span.start)]
        return [m for m in outside if not m.key or m.key in self._possible]

    def _only(self, mentions: Sequence[Mention], gender: Gender) -> list[_Speaker]:
        """The only person of a gender; of several the subject, if the others only stand behind a preposition."""
        fitting = [mention for mention in mentions if self._genders.get(mention.key, gender) == gender]
        keys = list(dict.fromkeys(mention.key for mention in fitting))
        if len(keys) > 1:
            first, others = fitting[0], [mention for mention in fitting if mention.key != keys[0]]
            is_subject = not self._is_behind_preposition(first)
            keys = keys[:1] if is_subject and all(map(self._is_behind_preposition, others)) else []
        if not keys or not keys[0] or keys[0] not in self._persons:
            return []
        self._genders.setdefault(keys[0], gender)
        return [_Speaker(keys[0], self._people.names[keys[0]], "person")]

    def _is_behind_preposition(self, mention: Mention) -> bool:
        return _OBJECT.search(self._body, max(0, mention.start - _MAX_ADVERB_CHARACTERS), mention.start) is not None


def _is_held(unit: _Unit, position: int) -> bool:
    return any(mark.start <= position < mark.end for mark in unit.marks)


def _is_plural(words: str) -> bool:
    noun = words.rpartition(" ")[2]
    singular = f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")
    return noun in {"police", "people", "staff"} or (singular != noun and (noun in GROUPS or is_noun(singular)))
