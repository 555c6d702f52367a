"""People and organisations of an article, with the sentences that introduce them.

Patterns over runs of capitalised words, no model: an apposition ("the club's chairman, Leo Brandt,"), a role before the
name ("chairman Leo Brandt", "Mayor Ann Lee"), a relative clause ("Ann Lee, who led the inspection"), a copula ("Unity
is a union"), an appointment ("hired Ines Cordero as head coach") or an affiliation ("Ann Lee of the Wilson Center").

Right on random hits, judged by hand (2026-11-27): 46 of 50 on the 43 articles of branch desk, on which the
patterns were also tried while they were made; the four kinds of fault were then repaired, and not judged again. Some 30
of 50 on CLAP NQ, RAMDocs and SQuAD, whose menus and tables make most of the others.
Time: 1 ms for 400 words of news, 5 ms for those pages.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from index.models import Span
from index.text import STOP_WORDS, fold

Gender = Literal["m", "f", ""]

# Ranks of an introduction, best first: who a person is, what a person did, where a person belongs, a name alone.
ROLE, DEED, PLACE, NAMED = range(4)

_WINDOW_CHARACTERS = 200  # in which an introduction stands beside the name
_MAX_ROLE_WORDS = 9
_MAX_WORDS_BESIDE = 6
_UPPER = "".join(chr(code) for code in range(0x530) if chr(code).isupper())  # Latin, Greek and Cyrillic
_CAPITALISED = rf"(?:(?:[{_UPPER}]\.){{1,4}}|[{_UPPER}]\w*(?:(?:['’](?!s\b)|-)\w+)*)"
_PARTICLE = r"(?:(?:de|da|di|del|della|der|den|van|von|ten|ter|la|le|el|al|bin|ibn|dos|du|zu)[ \u00a0])"
_BODIES = (
    r"(?:Academy|Agency|Association|Bank|Board|Bureau|Centre|Center|Chamber|Church|College|Commission|Committee"
    r"|Confederation|Council|Court|Department|Federation|Foundation|House|Institute|Ministry|Museum|Office|Party|School"
    r"|Society|Union|University)"
)
_NAME = re.compile(
    rf"(?:{_CAPITALISED}[ \u00a0]){{0,3}}?{_BODIES} (?:of|for) (?:the )?"
    rf"{_CAPITALISED}(?:[ \u00a0]{_CAPITALISED}){{0,2}}"
    rf"|{_CAPITALISED}(?:[ \u00a0\n]{_PARTICLE}{{0,2}}{_CAPITALISED}){{0,6}}"
)
# Capitalised they stand in the names of places and bodies, and of no person.
NO_NAMES = frozenset(
    """academy agency airport authority bank board bridge brook center centre chamber church city club college
    commission committee company corporation council county court department district east federation
    foundation group hall hill hospital house inc institute island lake lane limited ltd mill ministry mount
    museum new north office park party plc port region river road saint school sea society south square st
    station street theatre town trust tunnel union united university valley village war west act""".split()
)
MEN = frozenset("mr sir lord king prince father brother baron duke emperor".split())
WOMEN = frozenset("mrs ms miss dame lady queen princess mother sister baroness duchess empress madame".split())
_HONORIFICS = MEN | WOMEN | frozenset("dr prof rev revd hon cllr st mx".split())
# Nouns of persons, and of bodies that can have a name of their own ("the union Unity").
PERSON_NOUNS = frozenset(
    """activist actor actress administrator admiral adviser advisor aide ambassador analyst anchor archbishop architect
    artist astronaut athlete attorney author baker banker billionaire biologist bishop blogger bodyguard boss boxer
    boy builder buyer campaigner candidate captain cardinal carer caretaker carpenter cashier ceo chair chairman
    chairperson chairwoman champion chancellor chef chemist chief child chronicler citizen cleaner clerk
    climatologist coach colleague collector colonel columnist comedian commander commentator commissioner commuter
    composer conductor congressman congresswoman constable consultant contractor controller coordinator coroner
    corporal correspondent councillor councilman councilwoman counsel critic curator customer cyclist dancer
    daughter dean defender delegate deputy designer detective developer diplomat director doctor driver ecologist
    economist editor electrician employee engineer entrepreneur envoy epidemiologist executive expert farmer father
    fighter filmmaker firefighter fisherman footballer forecaster founder friend gardener general geologist girl
    goalkeeper golfer governor grandfather grandmother guard guitarist hairdresser head headmaster headmistress
    headteacher historian host husband hydrologist imam inspector instructor inventor investigator investor
    journalist judge keeper king landlord lawmaker lawyer leader lecturer librarian lieutenant lifeguard linebacker
    lineman lobbyist lord major man manager marshal mathematician mayor mechanic member meteorologist midfielder
    midwife militant millionaire miner minister model monk mother mp musician negotiator neighbor neighbour
    neurologist novelist nurse oceanographer officer official ombudsman operator organiser organizer owner painter
    pastor patient pensioner pharmacist philanthropist philosopher photographer physician physicist pianist pilot
    player playwright plumber poet policeman policewoman politician pope porter premier presenter president priest
    prince princess principal prisoner producer professor programmer prosecutor psychiatrist psychologist publisher
    pupil quarterback queen rabbi racer ranger rapper rector referee refugee reporter representative republican
    researcher resident restorer retiree rider runner sailor schoolboy schoolgirl scientist sculptor secretary
    senator sergeant shareholder shepherd sheriff shopkeeper singer skipper sociologist soldier solicitor son
    songwriter speaker spokesman spokesperson spokeswoman sprinter star statistician strategist striker student
    superintendent surgeon surveyor swimmer tailor teacher technician teenager tenant therapist trader trainer
    translator treasurer trooper trustee tycoon undersecretary veteran vicar victim violinist volcanologist
    volunteer warden widow widower wife winner witness woman worker writer""".split()
)
BODY_NOUNS = frozenset(
    """ship ferry boat vessel trawler yacht lander rover satellite probe telescope rocket system app software
    agency airline alliance army association authority band bank board body brand broadcaster brewery bureau
    business campaign centre center chain charity church club coalition college commission committee company
    consortium contractor cooperative council court department developer federation firm foundation fund
    government group hospital institute institution lab laboratory lender maker manufacturer ministry movement
    museum network newspaper office operator organisation organization owner panel paper party platform
    producer programme program project provider publisher regulator retailer school service startup
    station studio supermarket supplier team theatre theater thinktank tribunal trust union university
    utility website""".split()
)
_ABBREVIATED_TITLES = frozenset("sen rep gov gen col capt supt insp maj det const hon rev".split())
# Capitalised they begin names of things: "Official Report", "Child Benefit".
_NO_TITLES = frozenset("official star child customer owner member player winner boy girl man woman volunteer".split())
_VOWELS = frozenset("aeiouy")
_LAST_OF_BODY = NO_NAMES | BODY_NOUNS
_PERSON_ENDINGS = ("ologist", "woman", "person", "maker", "keeper", "holder", "writer", "leader", "owner")
_SYNONYMS = {
    "ceo": "chief executive", "chairman": "chair", "chairwoman": "chair", "chairperson": "chair",
    "spokesman": "spokesperson", "spokeswoman": "spokesperson", "headmaster": "headteacher",
    "headmistress": "headteacher", "councilman": "councillor", "councilwoman": "councillor", "mp": "member parliament",
}  # fmt: skip
# Words that make another office of the same noun: the deputy mayor is not the mayor.
_DISTINGUISHING = frozenset(
    """acting assistant associate chief commercial defence defense deputy development education energy
    environment ex executive finance financial fire first foreign former general goalkeeping head health home
    honorary incoming interim interior joint justice legal lieutenant managing marketing medical operating
    outgoing planning police press prime regional scientific second sporting sports technical technology then
    trade transport vice youth""".split()
)
_DETERMINER = r"(?:the|an?|its|their|his|her|our|one of|[\w’'.-]{1,30}['’]s?)"
_PREPOSITIONS = frozenset(
    """about after against among around as at before behind beside between by for from in inside into near of off
    on outside over since than through to under until upon with within""".split()
)
_ENDS_NOUN_PHRASE = _PREPOSITIONS | frozenset("who whom whose which that where when and but or now whom".split())
FINITE = frozenset(
    """said says say told added adds is are was were has have had will would can could may might must did does do
    became becomes won lost voted came went made called wants wanted hopes hoped""".split()
)
_AFTER = re.compile(
    r"(?P<age>,? ?\(\d{1,3}\)|, (?:aged )?\d{1,3}(?=,))?,[ \u00a0\n](?P<phrase>(?:who|whose|whom)\b[^.;:“”\"()]{3,160}"
    r"|[^,.;:“”\"()]{3,140})(?P<end>[,.;:)]|$)"
)
_COPULA = re.compile(
    r" (?:is|was|are|were|became|becomes|has been|had been|will be|will become|remains)(?P<made> (?:appointed|named"
    rf"|elected|hired|made|chosen|re-elected))?(?: as)?(?: also)? "
    rf"(?P<phrase>(?:{_DETERMINER}\b )?[^,.;:“”\"()]{{3,160}})"
)
_BECAME = re.compile(
    r"who(?: (?:is|was|became|becomes|has been|will become)|[^.;]{0,80}? (?:as|to be)) (?P<phrase>[^,.;]{3,100})"
)
_TOOK_OVER = re.compile(
    r" (?:took over|takes over|serves|served|works|worked|will serve|was sworn in|returned)(?= as )"
)
_MADE = re.compile(r" (?:as|to be) (?P<phrase>[^,.;:“”\"()]{3,100})")
_DEED = re.compile(r" (?:will|to) (?:run|lead|head|chair|manage|coach|captain|direct|succeed|replace)\b")
_OWNED = re.compile(r"\w['’]s? (?:[a-z-]{1,20} ){0,3}[“\"]?$")  # "Japan's small lander SLIM"
_AFFILIATION = re.compile(rf" (?:of|from|at) (?:the )?{_CAPITALISED}")
_PHRASE_START = re.compile(rf"(?:^|(?<=[\s“\"(—]))({_DETERMINER})(?=[ \u00a0])", re.IGNORECASE)
_IN_ONE_PIECE = re.compile(r"[^,.;:“”\"()]{4,140}")
_DETERMINED = re.compile(rf"{_DETERMINER}[ \u00a0]", re.IGNORECASE)
_LOWER_HEAD = re.compile(r"[a-z][\w-]*(?: [a-z][\w-]*){0,4}(?:$| (?:of|for|at|in|to|from) )")
_AGE = re.compile(r", (?:aged )?\d{1,3}[,.]| \(\d{1,3}\)")
_SUCCEEDED = re.compile(r"\b(?:succeed|replac|follow|oust|beat)\w* $")  # "who succeeded Arthur Dunning as leader"
_FOLLOWS_NAME = re.compile(r"[,.;:)”\"]|$| (?:said|says|told|who|has|had|is|was|will)\b")
_PLACE_BEFORE = re.compile(r"\b(?:in|at|near|outside|around|through|across|between)(?: the)?[ \u00a0]$", re.IGNORECASE)
# "the highlight for Jones was a run", "the National Register of Places"
_IN_CLAUSE = (_PREPOSITIONS - {"than"}) | {"and"}
OPENERS = STOP_WORDS | frozenset(
    """yesterday today earlier later meanwhile however monday tuesday wednesday thursday friday saturday sunday
    january february march april june july august september october november december like according although
    though since despite without within across among amid around unlike besides perhaps maybe still yet soon
    former last next even also two three four five six seven eight nine ten hundreds thousands often sometimes
    usually once skip""".split()
)
_RELATIVE = re.compile(
    r"\b(?:[Hh]is|[Hh]er|[Tt]heir|\w['’]s) (?:\w{3,12} )?(?:sister|brother|wife|husband|mother|father|son|daughter"
    rf"|widow|widower|cousin|uncle|aunt|twin|niece|nephew),? {_CAPITALISED}(?! ?[{_UPPER}])"
)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class Introduction(NamedTuple):
    """A sentence that names a person or body.

    ``key``: the words of the fullest name in the article, folded, without titles. ``name``: where it stands first.
    ``span``: the sentence.
    ``office``: the noun of the role with what distinguishes it ("deputy mayor"), or "". ``rank``: ROLE to NAMED.
    """

    key: str
    name: Span
    span: Span
    office: str
    rank: int


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in the text without its titles; ``start`` is that of its titles.

    ``key``: "" if two people fit. ``is_person``: it can be one; ``is_certain``: it has a title, or stands for a longer
    name as a surname does.
    """

    start: int
    span: Span
    key: str
    sentence: int
    is_person: bool
    is_certain: bool


@dataclass(frozen=True, slots=True)
class People:
    """The mentions of an article in order, its introductions, and what is known of the people by key."""

    mentions: Sequence[Mention]
    introductions: Sequence[Introduction]
    names: Mapping[str, Span]
    genders: dict[str, Gender]


@dataclass(slots=True)
class _Raw:
    """A name before it is known whose it is."""

    start: int
    span: Span
    words: tuple[str, ...]
    titles: tuple[str, ...]
    sentence: int
    is_place: bool = field(default=False)


def find_people(body: str, spans: Sequence[Span]) -> People:
    """Find the people and bodies of a text with sentences ``spans``."""
    raw = _names(body, spans)
    keys = _keys(raw)
    has_relative = _RELATIVE.search(body) is not None
    mentions = [_mention(name, keys, has_relative=has_relative) for name in raw]
    fullest: dict[str, Span] = {}
    genders: dict[str, Gender] = {}
    for name, mention in zip(raw, mentions, strict=True):
        known = fullest.get(mention.key)
        if mention.key and (known is None or mention.span.end - mention.span.start > known.end - known.start):
            fullest[mention.key] = mention.span
        if mention.key and (gender := _gender(name.titles)):
            genders.setdefault(mention.key, gender)
    introductions: dict[tuple[str, str, int], Introduction] = {}
    for name, mention in zip(raw, mentions, strict=True):
        if not mention.key:
            continue
        office, rank = _introduction(
            body, name, spans[mention.sentence], is_full=len(name.words) == len(mention.key.split())
        )
        introduction = Introduction(mention.key, fullest[mention.key], spans[mention.sentence], office, rank)
        introductions.setdefault((mention.key, office, rank), introduction)
        if office and (gender := _gender(office.split())):
            genders.setdefault(mention.key, gender)
    introduced = {item.key for item in introductions.values() if item.rank < NAMED}
    kept = [item for item in introductions.values() if item.rank < NAMED or item.key not in introduced]
    return People(mentions, kept, fullest, genders)


def name_words(name: str) -> list[str]:
    """The words of a name, folded, without titles: ``"Dame Ann B. O'Neil" -> ann b o'neil``."""
    words = [fold(word.removesuffix("'s").removesuffix("’s")) for word in _WORD.findall(name)]
    while len(words) > 1 and words[0] in _HONORIFICS:
        words = words[1:]
    return words


def same_name(words: Sequence[str], key: str) -> bool:
    """Whether a name can be that of a key: its surname alone, with or without middle names, or with initials."""
    known = key.split()
    if not words or words[-1] != known[-1]:
        return False
    if len(words) == 1 or len(known) == 1:
        return len(words) == 1
    shorter, longer = sorted((words[:-1], known[:-1]), key=len)
    return _fits(shorter[0], longer[0]) and all(any(_fits(word, other) for other in longer) for word in shorter)


def office_of(phrase: str) -> str:
    """The office that a noun phrase names: ``"the club's deputy chairman of finance" -> deputy chair``; "" if none."""
    before: list[str] = []
    office = ""
    for raw in _WORD.findall(phrase)[: _MAX_ROLE_WORDS + 1]:
        word = fold(raw)
        if word in _ENDS_NOUN_PHRASE:
            break
        if word in FINITE:
            return ""
        parts = word.split("-")
        if is_noun(parts[-1]):
            noun = _SYNONYMS.get(parts[-1], parts[-1])
            words = [
                part
                for part in (*before, *parts[:-1], *noun.split())
                if part in _DISTINGUISHING or part in noun.split()
            ]
            office = " ".join(dict.fromkeys(words))
        before += parts
    return office.replace("chief executive officer", "chief executive").replace("executive chief", "chief executive")


def is_noun(word: str) -> bool:
    """Whether a folded word is a noun of a person or body."""
    return word in PERSON_NOUNS or word in BODY_NOUNS or word.endswith(_PERSON_ENDINGS)


def _names(body: str, spans: Sequence[Span]) -> list[_Raw]:
    """Find the runs of capitals, without what only begins a sentence."""
    starts = [span.start for span in spans]
    lower = {word for word in body.split() if word.islower()}
    found: list[tuple[_Raw, bool]] = []
    for match in _NAME.finditer(body):
        number = bisect_right(starts, match.start()) - 1
        if number < 0 or match.start() >= spans[number].end:
            continue
        words = [(word.start(), word.group()) for word in _WORD.finditer(match.group())]
        opens = not body[spans[number].start : match.start()].strip("“\"‘'„«(— ") or body[match.start() - 1] in '“"‘„«'
        while words and fold(words[0][1]) in OPENERS and not (len(words[0][1]) > 1 and words[0][1].isupper()):
            words, opens = words[1:], False
        while words and fold(words[-1][1]) in STOP_WORDS and not words[-1][1].isupper():
            words = words[:-1]  # "the Southwest U.S. What's left of it"
        titles: list[str] = []
        position = _last_title(words)
        titles, rest = [fold(word) for _, word in words[:position]], words[position:]
        if not rest or (len(rest) == 1 and len(rest[0][1]) == 1):
            continue
        start = match.start() + rest[0][0]
        name = _Raw(
            match.start() + words[0][0],
            Span(start, match.start() + rest[-1][0] + len(rest[-1][1])),
            tuple(fold(word) for _, word in rest),
            tuple(titles),
            number,
        )
        name.is_place = _PLACE_BEFORE.search(body, max(0, start - 20), start) is not None
        found.append((name, opens and not titles and len(rest) == 1 and not rest[0][1].isupper()))
    inner = {word for name, alone in found if not alone for word in name.words}
    return [name for name, alone in found if not alone or name.words[0] in inner or name.words[0] not in lower]


def _last_title(words: Sequence[tuple[int, str]]) -> int:
    """The number of words at the beginning of a name that are titles and roles: 2 of "Prime Minister Ann Lee"."""
    if len(words) > 1 and fold(words[-1][1]) in _LAST_OF_BODY:
        return 0
    for position in range(len(words) - 2, -1, -1):
        word = fold(words[position][1]).rpartition("-")[2]
        is_short = len(word) in {2, 3, 4} and _VOWELS.isdisjoint(word) and not words[position][1].isupper()  # Cdr, Sgt
        is_role = word in PERSON_NOUNS - _NO_TITLES
        if is_short or is_role or word in _HONORIFICS or word in _ABBREVIATED_TITLES:
            return position + 1
    return 0


def _keys(raw: Sequence[_Raw]) -> Mapping[tuple[str, ...], str]:
    """Assign each name the key of the fullest name that it stands for; "" where two fit."""
    several = {name.words for name in raw if len(name.words) > 1}
    full = sorted(several, key=lambda words: (-len(words), -len("".join(words)), words))
    first_at: dict[tuple[str, ...], int] = {}
    for name in raw:
        first_at.setdefault(name.words, name.start)
    keys: dict[tuple[str, ...], str] = {}
    started: dict[str, int] = {}  # where a key stands first
    by_last: defaultdict[str, list[str]] = defaultdict(list)
    by_first: defaultdict[str, list[str]] = defaultdict(list)
    for words in full:
        known = [key for key in by_last[words[-1]] if same_name(words, key)]
        keys[words] = known[0] if len(known) == 1 else " ".join(words)
        started[keys[words]] = min(first_at[words], started.get(keys[words], first_at[words]))
        if not known:
            by_last[words[-1]].append(keys[words])
            by_first[words[0]].append(keys[words])
    titled = {name.words[0] for name in raw if len(name.words) == 1 and name.titles}
    for name in raw:
        if len(name.words) == 1 and name.words not in keys:
            word = name.words[0]
            # A first name alone comes after the whole name: King Richard is not Richard de Camville, who comes later.
            fitting = by_last[word] or [
                key
                for key in by_first[word]
                if (word in titled or started[key] < name.start) and NO_NAMES.isdisjoint(key.split())
            ]
            keys[name.words] = word if not fitting else fitting[0] if len(fitting) == 1 else ""
    return keys


def _mention(name: _Raw, keys: Mapping[tuple[str, ...], str], *, has_relative: bool) -> Mention:
    key = keys[name.words]
    if has_relative and len(name.words) == 1 and key != name.words[0] and _gender(name.titles):
        key = ""  # "Karim Aziz came. His sister Noor wept. Ms Aziz said …"
    words = key.split()
    is_person = bool(name.titles) or (len(words) > 1 and not name.is_place and NO_NAMES.isdisjoint(words))
    is_certain = is_person and (bool(name.titles) or len(words) > len(name.words))
    return Mention(name.start, name.span, key, name.sentence, is_person, is_certain)


def _introduction(body: str, name: _Raw, sentence: Span, *, is_full: bool) -> tuple[str, int]:
    """The office that stands by a name, or "", and the rank of what stands there."""
    roles = [title for title in name.titles if title not in _HONORIFICS]
    if roles and (office := office_of(" ".join(roles))):
        return office, ROLE
    before = body[max(sentence.start, name.start - _WINDOW_CHARACTERS) : name.start]
    after = body[name.span.end : min(sentence.end, name.span.end + _WINDOW_CHARACTERS)]
    words = before[-_WINDOW_CHARACTERS // 4 :].lower().split()[-2:]
    has_article = words[-1:] == ["the"]
    is_inside = not _IN_CLAUSE.isdisjoint((words[:-1] if has_article else words)[-1:])
    if office := _before(before, after) or _after(before, after):
        return office, ROLE
    taking = _TOOK_OVER.match(after)
    made = None if _SUCCEEDED.search(before) else _MADE.match(after, taking.end() if taking else 0)
    if made and (office := office_of(made["phrase"])):
        return office, ROLE
    if match := _COPULA.match(after):
        office = office_of(match["phrase"])
        if not is_inside and (office or re.match(r"(?:an?|one of|the)\b", match["phrase"])):
            return office, ROLE if office or match["phrase"][0] in "ao" else DEED
    who = (match := _AFTER.match(after)) and match["phrase"].startswith("who")
    if is_full and (who or _AGE.match(after) or _OWNED.search(before) or _DEED.match(after)):
        return "", DEED
    is_affiliated = is_full and len(name.words) > 1 and not (is_inside or has_article) and _AFFILIATION.match(after)
    return "", PLACE if is_affiliated and NO_NAMES.isdisjoint(name.words) else NAMED


def _before(before: str, after: str) -> str:
    """The office before a name: in an apposition ("the chairman, Leo Brandt,") or beside it ("chairman Leo Brandt")."""
    before = before.removesuffix("the ")
    if before[-2:-1] == "," and _FOLLOWS_NAME.match(after):
        for match in _PHRASE_START.finditer(before):
            phrase = before[match.start() : -2]
            is_phrase = _IN_ONE_PIECE.fullmatch(phrase) and FINITE.isdisjoint(fold(phrase).split())
            if is_phrase and (office := office_of(phrase)):
                return office
    words = (
        before.rstrip('“"').split()[-_MAX_WORDS_BESIDE:] if before[-1:].isspace() or before.endswith(("“", '"')) else []
    )
    if words and (words[-1] in {"named", "called"} or words[-2:] == ["known", "as"]):
        words = words[: -1 if words[-1] != "as" else -2]
    ends = [number for number, word in enumerate(words) if not word[-1].isalnum() or word in _PREPOSITIONS]
    start = max(ends, default=-1) + 1
    if words[start:] and is_noun(fold(words[-1]).rpartition("-")[2]):
        return office_of(" ".join(words[start:])) or office_of(words[-1])
    return ""


def _after(before: str, after: str) -> str:
    """The office after a name: "Leo Brandt, the chairman of the club,"."""
    match = _AFTER.match(after)
    if not match or re.search(r"(?:^|[.,] )(?:In|At|On|For|From|Since) $", before):
        return ""
    if match["phrase"].startswith("who"):
        became = _BECAME.match(match["phrase"])
        return office_of(became["phrase"]) if became else ""
    phrase = match["phrase"]
    office = office_of(phrase)
    if not _DETERMINED.match(phrase) and not _LOWER_HEAD.match(phrase):
        return ""  # "Weslaco, Texas, a station": a place in a place
    words = fold(phrase).split()
    noun = office.rpartition(" ")[2]
    if noun in BODY_NOUNS - PERSON_NOUNS and noun in words[:-1]:
        following = words[words.index(noun) + 1]
        return office if following in _ENDS_NOUN_PHRASE else ""
    return office


def _fits(word: str, other: str) -> bool:
    return word == other or (1 in {len(word), len(other)} and word[0] == other[0])


def _gender(words: Iterable[str]) -> Gender:
    held: Collection[str] = set(words)
    if WOMEN.intersection(held) or any(word.endswith("woman") for word in held):
        return "f"
    return "m" if MEN.intersection(held) else ""
