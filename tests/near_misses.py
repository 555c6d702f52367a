"""Statements for training the reader, made by rule: near-misses, which a passage does not support, and honest ones.

A near-miss has one edit that changes what a sentence says (kinds after Pagnoni et al., 2021, "FRANK"); an honest one an
edit that does not. `turned_questions` does the same for questions: they read well and have no answer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import NamedTuple

MAX_WORDS = 40  # of a statement
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][\w'’-]+(?: (?:of|the|de|von|van) [A-Z][\w'’-]+| [A-Z][\w'’-]+)*")
_NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?:,\d{3})+(?![\w-])|(?<![\w.,-])\d+(?:\.\d+)?(?![\w-])")
_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTH = re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b(?= \d| of|,|\.|$)")
_DAY = re.compile(rf"\b(?:{'|'.join(_DAYS)})\b")
_AUXILIARY = re.compile(r"\b(is|are|was|were|has|have|had|will|can|could|would|should|did|does|do)\b(?! not\b)")
_NOT = re.compile(r"\b(is|are|was|were|has|have|had|will|can|could|would|should|did|does|do) not\b")
_HEDGE = re.compile(
    r"\b(?:may|might|could) (?=be\b|have\b)|\b(?:about|around|nearly|almost|roughly|approximately|at least|at most|"
    r"up to|more than|less than|over|fewer than) (?=[\d£$€])|\b(?:allegedly|reportedly|possibly|probably|apparently|"
    r"supposedly|perhaps|partly|largely|mostly|often|usually|sometimes|generally|traditionally|typically|likely) "
)
_PLANS = (
    (r"\bplans? to be\b", "has been"), (r"\bwill be\b", "was"), (r"\bis expected to\b", "will certainly"),
    (r"\bplan(?:s|ned)? to\b", "started to"), (r"\bhopes? to\b", "managed to"), (r"\bwanted to\b", "managed to"),
    (r"\bcould\b", "will"), (r"\bmay\b", "will"), (r"\bmight\b", "will"), (r"\btried to\b", "managed to"),
    (r"\bproposed\b", "adopted"), (r"\bthreatened to\b", "went on to"), (r"\basked\b", "ordered"),
    (r"\bbelieved to be\b", "known to be"), (r"\bclaimed\b", "proved"), (r"\bcan be\b", "is always"),
)  # fmt: skip
_QUANTIFIERS = (
    (r"\b[Ss]ome\b", "all"), (r"\b[Mm]ost\b", "all"), (r"\b[Mm]any\b", "all"), (r"\b[Oo]ne of the\b", "the only"),
    (r"\b[Ss]everal\b", "all"), (r"\b[Aa]ll\b", "few"), (r"\b[Bb]oth\b", "neither of the"),
    (r"\b[Ee]very\b", "hardly any"),
    (r"\b[Oo]nly\b", "not only"), (r"\b[Hh]alf of\b", "all of"), (r"\boften\b", "always"), (r"\b[Nn]o\b", "every"),
)  # fmt: skip
_OPPOSITES: dict[str, str] = {}
for _pair in (
    "first last|early late|earlier later|before after|more less|most least|increased decreased|increase decrease|"
    "rose fell|higher lower|high low|highest lowest|larger smaller|large small|largest smallest|big small|"
    "won lost|win lose|north south|northern southern|east west|eastern western|older younger|old new|"
    "oldest newest|best worst|good bad|began ended|begins ends|start end|started stopped|opened closed|"
    "joined left|accepted rejected|supported opposed|allowed banned|allow forbid|included excluded|male female|"
    "men women|man woman|mother father|son daughter|brother sister|husband wife|king queen|positive negative|"
    "strong weak|public private|above below|inside outside|upper lower|buy sell|bought sold|import export|"
    "major minor|rich poor|long short|longest shortest|hot cold|warm cool|fast slow|always never|success failure|"
    "successful unsuccessful|friend enemy|attack defend|million billion|kilometres miles|kilometers miles|"
    "metres feet|percent million|hours days|days weeks|weeks months|months years|gained lost|majority minority|"
    "improved worsened|praised criticized|approved rejected|agreed refused|modern ancient|domestic foreign|"
    "legal illegal|common rare|similar different|with without|former current"
).split("|"):
    _left, _right = _pair.split()
    _OPPOSITES |= {_left: _right, _right: _left}
_OPPOSITE = re.compile(rf"\b(?:{'|'.join(_OPPOSITES)})\b")
_SYNONYMS = {
    "said": "stated", "about": "roughly", "film": "movie", "began": "started", "large": "big", "also": "too",
    "many": "a lot of", "used": "employed", "near": "close to", "several": "a number of", "because": "since",
    "however": "though", "children": "kids", "often": "frequently", "helped": "assisted", "become": "turn into",
    "whole": "entire", "show": "display", "important": "significant", "famous": "well-known", "around": "about",
    "started": "began", "wrote": "authored", "quickly": "rapidly", "received": "got", "buy": "purchase",
    "bought": "purchased", "built": "constructed", "ended": "finished", "needed": "required", "died": "passed away",
    "area": "region", "almost": "nearly", "nearly": "almost", "main": "principal", "created": "made",
    "including": "among them", "total": "overall", "found": "discovered", "given": "handed", "allow": "let",
    "home": "house", "country": "nation", "street": "road", "chosen": "selected", "major": "big", "fight": "battle",
    "though": "although", "although": "though", "until": "till", "while": "as", "approximately": "about",
    "more than": "over", "over": "more than", "announced": "made public", "told": "informed", "killed": "left dead",
    "percent": "per cent", "per cent": "percent", "United States": "US", "United Kingdom": "UK", "%": " percent",
    "European Union": "EU", "United Nations": "UN", "doctor": "physician", "car": "automobile", "job": "post",
}  # fmt: skip
_SYNONYM = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(_SYNONYMS, key=len, reverse=True)))
_SMALL = "zero one two three four five six seven eight nine ten eleven twelve".split()
_SPOKEN = re.compile(r"^(.{3,80}?),? (?:said|says|told [^,]{3,30}|added|argued|claimed|wrote|stated) that (.{20,})$")
_ASIDE = re.compile(
    r", (?:who|which|a|an|the|known|located|including|such as|formerly|originally)\b[^,;:()\"]{3,80},|\s\([^()]{2,80}\)"
)
_OPENING = re.compile(r"^(?:In|On|At|By|After|During|As of|Since|For|From) [^,;:]{2,40}, (?=[A-Z\w])")
_TAIL = re.compile(
    r",? (?:because|although|while|whereas|as well as|according to|with|after|before|during|and) [^,;:]{8,90}\.$"
)
_CAUSE = re.compile(r"^[A-Z][^;:\"]{15,110}\.$")
_SUBJECT_QUESTION = re.compile(
    r"^(Who|What|Which [\w ]{2,25}?|What [\w ]{2,25}?|How many [\w ]{2,25}?) "
    r"((?:is|was|are|were|has|had|have|can|will|would|could|led|won|made|built|wrote|created|founded|owns|owned|plays|played|"
    r"became|caused|killed|took|gave|wanted|began|said|published|produced|used|ruled|succeeded|helped|holds|held|"
    r"[a-z]+ed)\b .{2,})\?$"
)
_AUXILIARIES = {"is", "was", "are", "were", "has", "had", "have", "can", "will", "would", "could"}
_GERUND_OR_PAST = re.compile(r"\b\w+(?:ed|ing|en|wn|lt|de|ld|nt|t|ne|un|sed)\b")


class Statement(NamedTuple):
    """A statement, whether the passage supports it, and the kind of edit."""

    text: str
    supported: bool
    kind: str


Edit = Callable[[str, list[str], random.Random], "str | None"]
"""(sentence, sentences of other passages of its article, rng) -> what it was turned into, or None."""


def names(text: str) -> list[str]:
    """Names within a sentence, without its first word and without days and months."""
    return [match[0] for match in _NAME.finditer(text) if match[0] not in {*_MONTHS, *_DAYS} and len(match[0]) > 2]


def _replaced(text: str, span: tuple[int, int], new: str) -> str:
    return text[: span[0]] + new + text[span[1] :]


def _choose(pattern: re.Pattern[str], text: str, rng: random.Random) -> re.Match[str] | None:
    matches = list(pattern.finditer(text))
    return rng.choice(matches) if matches else None


def swap_names(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Exchange two names of the sentence: who did it and to whom."""
    mine = list(dict.fromkeys(names(text)))
    if len(mine) < 2:
        return None
    left, right = rng.sample(mine, 2)
    if left in right or right in left:
        return None
    either = re.compile(f"{re.escape(left)}|{re.escape(right)}")
    # "A and B" says the same as "B and A".
    if re.search(rf"(?:{either.pattern}),? (?:and|or) ", text):
        return None
    return either.sub(lambda match: right if match[0] == left else left, text)


def other_name(text: str, others: list[str], rng: random.Random) -> str | None:
    """Put a name of another sentence in a name's place."""
    match = _choose(_NAME, text, rng)
    pool = [name for other in others for name in names(other) if name not in text]
    if not match or match[0] in {*_MONTHS, *_DAYS} or not pool:
        return None
    like = [name for name in pool if name.count(" ") == match[0].count(" ")] or pool
    return _replaced(text, match.span(), rng.choice(like))


def other_number(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Change a number or a year."""
    match = _choose(_NUMBER, text, rng)
    if not match:
        return None
    digits = match[0].replace(",", "")
    if re.fullmatch(r"1\d{3}|20\d\d", digits):
        new = str(int(digits) + rng.choice([-20, -10, -3, -2, -1, 1, 2, 3, 10]))
    elif "." in digits:
        new = f"{float(digits) * rng.choice([0.5, 0.8, 1.3, 2, 10]):.{len(digits.partition('.')[2])}f}"
    else:
        new = f"{max(1, round(int(digits) * rng.choice([0.1, 0.5, 0.7, 0.9, 1.2, 1.5, 2, 3]))) + rng.randrange(2):,}"
        new = new if "," in match[0] else new.replace(",", "")
    return _replaced(text, match.span(), new) if new != match[0] else None


def other_day(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Change a month or a day of the week."""
    for pattern, all_of_them in ((_MONTH, _MONTHS), (_DAY, _DAYS)):
        if match := _choose(pattern, text, rng):
            return _replaced(text, match.span(), rng.choice([name for name in all_of_them if name != match[0]]))
    return None


def negate(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Add a "not", or take one away."""
    if match := _choose(_NOT, text, rng):
        return _replaced(text, match.span(), match[1])
    match = _choose(_AUXILIARY, text, rng)
    return (
        _replaced(text, match.span(), f"{match[0]} {rng.choice(['not', 'not', 'never', 'no longer'])}")
        if match
        else None
    )


def opposite(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Turn a word into its opposite, or a unit into another."""
    match = _choose(_OPPOSITE, text, rng)
    return _replaced(text, match.span(), _OPPOSITES[match[0]]) if match else None


def drop_hedge(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Drop a hedge or a bound: "might have been" becomes "was", "up to 30" "30"."""
    match = _choose(_HEDGE, text, rng)
    if not match:
        return None
    if match[0].split()[0] in {"may", "might", "could"}:
        rest = text[match.end() :]
        for bare, plain in (("have been", "was"), ("be", "is"), ("have", "has")):
            if rest.startswith(bare):
                return text[: match.start()] + plain + rest[len(bare) :]
    return _replaced(text, match.span(), "")


def plan_as_fact(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Tell what is planned, possible or tried as done."""
    fitting = [(pattern, new) for pattern, new in _PLANS if re.search(pattern, text)]
    return re.sub(*rng.choice(fitting), text, count=1) if fitting else None


def quantifier(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Generalise, or the reverse: "some" becomes "all"."""
    fitting = [(pattern, new) for pattern, new in _QUANTIFIERS if re.search(pattern, text)]
    if not fitting:
        return None
    changed = re.sub(*rng.choice(fitting), text, count=1)
    return changed[:1].upper() + changed[1:]


def other_speaker(text: str, others: list[str], rng: random.Random) -> str | None:
    """Put what somebody said into another's mouth."""
    spoken = _SPOKEN.match(text)
    pool = [name for other in others for name in names(other) if name not in text and " " in name]
    return f"{rng.choice(pool)} said that {spoken[2]}" if spoken and pool else None


def added_cause(text: str, others: list[str], rng: random.Random) -> str | None:
    """Join two sentences by a cause that nobody gave."""
    second = [
        other for other in others if _CAUSE.match(other) and not other.startswith(("It ", "This ", "These ", "They "))
    ]
    if not (second and _CAUSE.match(text)):
        return None
    because = rng.choice(second)[:-1]
    first = because.split()[0]
    because = because if first in names("x " + because) else because[0].lower() + because[1:]
    return f"{text[:-1]} because {because}."


NEAR_MISSES: dict[str, Edit] = {
    "swapped names": swap_names, "other name": other_name, "other number": other_number, "other day": other_day,
    "negation": negate, "opposite": opposite, "hedge dropped": drop_hedge, "plan as fact": plan_as_fact,
    "quantifier": quantifier, "other speaker": other_speaker, "added cause": added_cause,
}  # fmt: skip


def reword(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Put up to three synonyms or abbreviations in."""
    matches = list(_SYNONYM.finditer(text))
    for match in sorted(rng.sample(matches, min(len(matches), rng.randint(1, 3))), key=lambda match: -match.start()):
        text = _replaced(text, match.span(), _SYNONYMS[match[0]])
    return text if matches else None


def drop_aside(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Leave an apposition, a relative clause or a bracket out."""
    match = _choose(_ASIDE, text, rng)
    return _replaced(text, match.span(), "") if match else None


def drop_opening(text: str, _others: list[str], rng: random.Random) -> str | None:
    """Leave the opening adverbial out, or move it to the end."""
    match = _OPENING.match(text)
    if not match or not text.endswith("."):
        return None
    rest, opening = text[match.end() : -1], match[0][:-2]
    moved = "" if rng.random() < 0.5 else " " + opening[0].lower() + opening[1:]
    return f"{rest[0].upper()}{rest[1:]}{moved}."


def drop_tail(text: str, _others: list[str], _rng: random.Random) -> str | None:
    """Leave the last clause out."""
    match = _TAIL.search(text)
    return text[: match.start()] + "." if match and match.start() > 30 else None


def according_to(text: str, _others: list[str], _rng: random.Random) -> str | None:
    """Say "according to" for "said that"."""
    spoken = _SPOKEN.match(text)
    return f"According to {spoken[1][0] + spoken[1][1:]}, {spoken[2]}" if spoken else None


def numbers_reworded(text: str, _others: list[str], _rng: random.Random) -> str | None:
    """Write a number otherwise: 12 or twelve, 1,500,000 or 1.5 million."""

    def otherwise(match: re.Match[str]) -> str:
        value = int(match[0].replace(",", "")) if "." not in match[0] else 0
        if 0 < value < len(_SMALL):
            return _SMALL[value]
        if value >= 1_000_000 and not value % 100_000:
            return f"{value / 1_000_000:g} million"
        return match[0].replace(",", "") if "," in match[0] else match[0]

    digits = _NUMBER.sub(otherwise, text)
    if digits != text:
        return digits
    words = re.sub(rf"\b(?:{'|'.join(_SMALL[2:])})\b", lambda match: str(_SMALL.index(match[0])), text)
    return words if words != text else None


HONEST: dict[str, Edit] = {
    "reworded": reword, "aside dropped": drop_aside, "opening dropped": drop_opening, "tail dropped": drop_tail,
    "according to": according_to, "number reworded": numbers_reworded,
}  # fmt: skip


def statements(sentence: str, others: list[str], rng: random.Random) -> list[Statement]:
    """A near-miss and an honest statement of a sentence, each with up to one more edit of the honest kind."""
    made = []
    for kinds, supported in ((NEAR_MISSES, False), (HONEST, True)):
        order = sorted(kinds, key=lambda _: rng.random())
        for kind in order:
            text = kinds[kind](sentence, others, rng)
            if text and text != sentence:
                # An honest edit on top, so that an edit alone gives nothing away.
                more = HONEST[rng.choice(list(HONEST))](text, others, rng) if rng.random() < 0.6 else None
                kept = more and (supported or _still_wrong(sentence, text, more))
                made.append(Statement(more if more and kept else text, supported, kind))
                break
    return made


def _still_wrong(sentence: str, text: str, more: str) -> bool:
    new = set(text.split()) - set(sentence.split())
    return bool(new) and new <= set(more.split())


def statement_of(question: str, answer: str) -> str | None:
    """Turn a question about a subject, and its answer, into a statement: "Who built it?", "Voss": "Voss built it."."""
    match = _SUBJECT_QUESTION.match(question.strip())
    if not match:
        return None
    asks, rest = match.groups()
    if (
        rest.split()[0] in _AUXILIARIES
        and asks in {"Who", "What"}
        and not _GERUND_OR_PAST.match(" ".join(rest.split()[1:2]))
    ):
        return None  # "Who is the mayor" asks for the predicate
    subject = answer.strip().rstrip(".")
    if asks.startswith("How many") and not re.search(r"[a-z]", subject):
        subject = f"{subject} {asks.removeprefix('How many ')}"
    return f"{subject[0].upper()}{subject[1:]} {rest}."


def turned_question(question: str, others: list[str], rng: random.Random) -> str | None:
    """Turn a question so that its passage does not answer it: another name, number, opposite or a negation."""
    edits = sorted(
        (other_name, other_name, other_number, opposite, opposite, other_day, negate, swap_names),
        key=lambda _: rng.random(),
    )
    for edit in edits:
        turned = edit(question, others, rng)
        if turned and turned != question:
            return turned
    return None
