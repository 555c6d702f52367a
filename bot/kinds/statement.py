"""Does a sentence say what a yes/no question states? By its words: precise, and blind to most paraphrases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bot.extract.decontextualize import is_anaphoric
from bot.kinds.figures import has_figures, has_figures_in_place, has_other_value
from bot.query.wording import are_opposite, is_past_form, key_in, word_key
from index.models import Span
from index.text import MONTH, STOP_WORDS, figure_spans, name_spans, word_spans

_MAX_NEGATED_GAP = 4  # words between a negation and what it denies
_MAX_APPOSITION_GAP = 3  # words between a name and its office
_MAX_SUBJECT_GAP = 4  # words between a subject and its verb
_MAX_AUXILIARY_GAP = 3  # words between "did" or "will" and the verb, or between "by" and the agent
_MAX_DENIED_GAP = 7  # words after "denied"
_MAX_NAME_WORDS = 3  # before a pronoun: a single name

_LEAD = re.compile(
    r"(?:and |but |so )?(?:is it (?:true|right|correct)(?: to say)? that|true or false:?|(?P<aux>[a-z]+)(?:n't)?)\b",
    re.IGNORECASE,
)
_BE = frozenset("is are was were isn aren wasn weren".split())
_WILL = frozenset("will would won".split())
_MODALS = frozenset("can could may might should".split())
_NEEDS_VERB = frozenset("did does has have had".split())
_NEGATIONS = frozenset("not no never neither nor cannot without".split())
_NOTHING = frozenset("nobody none nothing".split())
_PRONOUNS = frozenset("he she they it we i you".split())
_SUBJECT_PRONOUN = re.compile(r"\b[Ss]?[Hh]e\b")
_IT = re.compile(r"\b(?:\w+ed|\w+t|took|gave|saw|for|against|of) (?:it|them)\b")  # as an object: "rejected it"
_QUANTIFIERS = frozenset("all every only both most always never ever more less fewer least first last".split())
_FILLER = frozenset(
    "either true really actually yet already now still happen happened currently any anyone anybody".split()
)
_BECAME = frozenset("who is became has been was named appointed elected".split())
_NO_APPOSITION = frozenset("and with told of for by as to from said that who".split())
_VERBS = frozenset(["own"])  # which are no stop words here
_DIE, _DYING = word_key("die"), frozenset("die dies died dying".split())
_VOTE = re.compile(r"\bvot(?:e|es|ed|ing) (?P<side>for|against|in favour)\b", re.IGNORECASE)
OPENING = "It "  # before a statement, whose first word may be a name
_DENYING = re.compile(
    r"\b(?:deni(?:ed|es)|denying|fail(?:ed|s) to|refus(?:ed|es) to|declin(?:ed|es) to|ruled out"
    r"|(?:dropped|abandoned|scrapped|shelved|gave up|given up|withdrew|withdrawn|cancelled|called off)"
    r" (?:(?:its|his|her|their|the|a|an|any|all) )?(?:plans?|bid|attempts?|ideas?|proposals?|threats?|talks?)"
    r" (?:to|of|for|on))\b",
    re.IGNORECASE,
)
_NO_NEGATION = re.compile(r"\bnot (?:only|just)\b|\bno (?:fewer|less|more) than\b", re.IGNORECASE)
# What makes a statement a condition, a plan, a wish or a doubt. "May" is a month.
DOUBT = re.compile(
    r"\bmay\b|(?i:\b(?:if|unless|whether|might|could|would|should|perhaps|possibly|probably|allegedly|reportedly"
    r"|apparently|unlikely|likely|hardly|barely|rarely|seldom|almost|nearly|rather than|instead of|accus\w+"
    r"|alleg\w+|claim\w*|believ\w+|suggest\w*|argu(?:ed|es)|rumou?r\w*|suspect\w*|fear\w*|hop(?:es?|ed|ing)|want\w*"
    r"|ask(?:ed|s|ing)?|urg(?:ed|es|ing)|demand\w*|call(?:ed|s|ing)? (?:for|on)|propos\w+|consider\w*|threaten\w*"
    r"|plans to|plann(?:ed|ing)|expect\w*|aim\w*|intend\w*|due to|set to|seek\w*|vow\w*|promis\w+|pledg\w+"
    r"|recommend\w*|unclear|unknown|(?<!not )only|partly|partially|temporarily)\b)"
)
_CONDITION = re.compile(r"\b(?:if|unless|whether|allegedly|not (?:clear|known)|all but|except)\b", re.IGNORECASE)
SAYS = re.compile(
    r"\b(?:said|says|say|told|according to|announced|added|insisted|stated|confirmed|reported|tweeted|wrote)\b",
    re.IGNORECASE,
)
FUTURE = re.compile(r"\b(?:will|won't|shall|going to|'ll)\b", re.IGNORECASE)
_PRESENT = re.compile(r"\b(?:is|are|has|have|remains?|'s)\b", re.IGNORECASE)
_CLAUSE_END = re.compile(
    r"[,;:()—–]|\b(?:but|although|though|while|because|which|who|after|before|and|when|where)\b", re.IGNORECASE
)
_STRETCH_END = re.compile(rf"{_CLAUSE_END.pattern}|(?<=\w{{4}})[.!?]\s", re.IGNORECASE)  # "Mr. Voss" goes on
_ASIDE = re.compile(r",[^,;:]*,")  # "Stroud, who had led it since 2016, resigned"
_SAME_SUBJECT = re.compile(r"[;,] (?:(?:and|but) )?(?:he|she|they|it) (?=(?:is|are|remains?|was|were)\b)")
_SECOND_VERB = re.compile(r"^(?:(?!\b(?:who|which|that|but|while|as|whose)\b)[^;:“”\"])*\band\s+\Z")
_OTHER_CLAUSE = re.compile(r"[;:]|\b(?:and|but|while|as|or|that)\b")
_DATE_WORD = re.compile(
    rf"(?i:(?:{MONTH}|(?:mon|tues|wednes|thurs|fri|satur|sun)day|yesterday|today|tomorrow|week|month|year)\Z)"
)
_PLACE_BEFORE = re.compile(r"\b(?:in|at|near|from|on)\s(?:the\s)?\Z", re.IGNORECASE)

Verdict = Literal["Yes", "No", ""]


class Judgement(NamedTuple):
    """What a sentence says of a statement it bears on. ``is_account``: somebody in it says so."""

    verdict: Verdict
    is_account: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A word: how it is compared, folded, and its place among all words.

    ``is_loose``: a day, or a place after "in", which may stand anywhere.
    """

    key: str
    folded: str
    place: int
    is_name: bool
    is_loose: bool
    is_possessive: bool
    is_date: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """What a yes/no question states, with its first word ``aux`` ("" of "is it true that") and its content words.

    ``topic``: the words that a follow-up was completed with, as keys.
    """

    text: str
    aux: str
    words: tuple[Word, ...]
    topic: frozenset[str]

    @classmethod
    def of(cls, question: str) -> Statement:
        """Read a question: ``"Did the council reject the plan?" -> aux "did", words council, reject, plan``."""
        bare, _, topic = question.partition(" (")
        bare = bare.rstrip(" ?!.")
        lead = _LEAD.match(bare)
        text = (bare[lead.end() :] if lead else bare).strip()
        keys = frozenset(word.key for word in _content(topic))
        return cls(text, ((lead and lead["aux"]) or "").lower(), tuple(_content(text)), keys)

    @property
    def figures(self) -> list[str]:
        """Its numbers."""
        return [value for value, _ in figure_spans(self.text)]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with the text that its pronouns lean on (``before``) and its article's passage with the headline.

    ``previous``: the sentence before it, which "it" and "them" may stand for. ``is_sure``: the reader is sure that it
    decides the question, so that what its passage holds need not be said again.
    """

    text: str
    before: str
    around: str
    headline: str = ""
    previous: str = ""
    is_sure: bool = False

    def judge(self, statement: Statement) -> Judgement | None:
        """Judge a statement; None if this sentence does not bear on all of its content words and numbers."""
        spoken = _words(self.text)
        places = {word.key: word.place for word in reversed(spoken)}
        absent = [word for word in statement.words if word.key not in places]
        plain = [word for word in statement.words if not word.is_name and word.key in places]
        known = {word_key(word) for word, _ in word_spans(self.around)} if self.is_sure and plain else set[str]()
        missing = [word for word in absent if word.key not in known and not self._implies(word, statement, places)]
        opposite, reversed_word = _opposite(missing, places)
        if reversed_word:
            places[reversed_word.key] = places[opposite]
            missing = [word for word in missing if word is not reversed_word]
        is_resolved = bool(missing or not has_figures(self.text, statement.text)) and self._resolves(
            missing, statement, places
        )
        missing = [] if is_resolved else missing
        is_other_value = not is_resolved and has_other_value(self.text, statement.text)
        matched = [places[word.key] for word in statement.words if word.key in places]
        bears = is_resolved or self._bears(statement, missing, is_other_value)
        if not bears or not matched:
            return None
        is_vague = not (self.is_sure and plain) and len(matched) + len(statement.figures) <= 1  # "Did they apologise?"
        is_negative = any(word.folded in _NEGATIONS for word in _words(statement.text))
        if is_vague or is_negative or missing:
            return None if is_vague and statement.topic else Judgement("")
        pair = _Pair(statement, self, spoken, places, _stretch(self.text, min(matched), max(matched)))
        flips = pair.negations() + bool(opposite) + is_other_value + self._votes_otherwise(statement)
        if flips > 1 or not pair.fits():
            return Judgement("")
        is_account = SAYS.search(self.text) and not SAYS.search(statement.text)
        return Judgement("No" if flips else "Yes", bool(is_account or pair.is_denied))

    def _bears(self, statement: Statement, missing: Sequence[Word], is_other_value: bool) -> bool:  # noqa: FBT001  # one call
        """Whether this sentence is about all of a statement, but for its day or what a pronoun here may stand for."""
        if missing:
            return all(word.is_date for word in missing)
        return is_other_value or has_figures(self.text, statement.text)

    def _votes_otherwise(self, statement: Statement) -> bool:
        """Whether it is a vote for what the statement has a vote against, or the other way round."""
        asked, given = _VOTE.search(statement.text), _VOTE.search(self.text)
        return bool(asked and given and (asked["side"] == "against") != (given["side"] == "against"))

    def _implies(self, word: Word, statement: Statement, places: dict[str, int]) -> bool:
        """Whether a word that is not here is given by the headline, the text before, as a forename or as the place."""
        headline = {word_key(other) for other, _ in word_spans(self.headline)}
        if word.key in headline and word.is_possessive:
            return True
        if not word.is_name:
            return False
        before = {word_key(other) for other, _ in word_spans(self.before)}
        if word.key in before or (word.key in headline and self._has_headline_subject()):
            return True
        around = f" {' '.join(other for other, _ in word_spans(self.around))} "
        if word.is_loose:
            has_other_place = any(other.is_name and other.is_loose for other in _words(self.text))
            return not has_other_place and not word.is_date and f" {word.folded} " in around
        surname = next((other for other in statement.words if other.is_name and other.place == word.place + 1), None)
        is_here = surname is not None and (surname.key in places or surname.key in before)
        return is_here and surname is not None and f" {word.folded} {surname.folded} " in around

    def _has_headline_subject(self) -> bool:
        """Whether it is about "he" or "she", and neither it nor the sentence before names anybody else."""
        pronoun = _SUBJECT_PRONOUN.search(self.text)
        known = {word for word, _ in word_spans(self.headline)}
        named = name_spans(OPENING + self.previous) + name_spans(
            OPENING + self.text[: pronoun.start()] if pronoun else ""
        )
        return pronoun is not None and all(name in known for name, _ in named)

    def _resolves(self, missing: Sequence[Word], statement: Statement, places: dict[str, int]) -> bool:
        """Whether "it" or "them" stands for the missing words and numbers, which the sentence before has."""
        if (
            not statement.words
            or statement.words[0].key not in places
            or any(word.is_name for word in missing)
            or not _IT.search(self.text)
        ):
            return False
        held = {word_key(word) for word, _ in word_spans(self.previous)}
        values = {value for value, _ in figure_spans(f"{self.previous} {self.text}")}
        return all(word.key in held for word in missing) and values.issuperset(statement.figures)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A statement and a sentence that has its words.

    ``spoken``: the sentence's words; ``places``: where a key stands; ``stretch``: the clauses with the matched words.
    """

    statement: Statement
    sentence: Sentence
    spoken: Sequence[Word]
    places: dict[str, int]
    stretch: str

    @property
    def is_denied(self) -> bool:
        """Whether somebody denies or refuses something."""
        keys = {word.key for word in self.statement.words}
        return any(word_key(match.group().split()[0].lower()) not in keys for match in _DENYING.finditer(self.stretch))

    def negations(self) -> int:
        """Count the negations that stand close before a matched word, "nobody", and the denials."""
        plain = re.sub(r"\bno one\b", "nobody", _NO_NEGATION.sub("", self.stretch), flags=re.IGNORECASE)
        spoken, count = [word for word, _ in word_spans(plain)], 0
        wanted = {word.key for word in self.statement.words}
        for place, word in enumerate(spoken):
            near = {word_key(other) for other in spoken[place + 1 : place + 1 + _MAX_NEGATED_GAP]}
            count += word in _NOTHING or ((word in _NEGATIONS or word.endswith("n't")) and bool(near & wanted))
        return count + self._num_denials(plain, wanted)

    def _num_denials(self, text: str, wanted: set[str]) -> int:
        """Count the denials: two for one that is far from the matched verb, so that there is no verdict."""
        count, verb = 0, self._verb()
        wanted = {verb.key} if verb else wanted
        for match in _DENYING.finditer(text):
            if word_key(match.group().split()[0].lower()) not in {word.key for word in self.statement.words}:
                after = [word.key for word in _words(text[match.end() :])[:_MAX_DENIED_GAP] if not word.is_name]
                count += 1 if wanted.intersection(after) else 2
        return count

    def fits(self) -> bool:
        """Whether mood, tense and order of the sentence allow a verdict."""
        if not (
            self._is_certain()
            and self._has_tense()
            and self._has_plain_forms()
            and has_figures_in_place(self.sentence.text, self.statement.text)
        ):
            return False
        if re.match(r"there\b", self.statement.text):
            return self.negations() > 0
        aux, verb = self.statement.aux, self._verb()
        if aux in _BE and verb is None and not self.is_denied:
            return self._is_apposition() or self._is_copular()
        if aux in _NEEDS_VERB and verb is None and not self.is_denied:
            return False
        return self._is_in_order(verb)

    def _is_certain(self) -> bool:
        keys, text = {word.key for word in self.statement.words}, self.sentence.text
        doubts = [match for match in DOUBT.finditer(self.stretch) if word_key(match.group().lower()) not in keys]
        asked = {word.folded for word in _words(self.statement.text)} & _QUANTIFIERS
        dates = {word.key for word in self.spoken if word.is_date and word.is_name}
        asked_dates = {word.key for word in self.statement.words if word.is_date and word.is_name}
        if asked_dates and dates - asked_dates:
            return False  # which of the days?
        if _CONDITION.search(text) or asked - {word.folded for word in self.spoken}:
            return False
        if is_anaphoric(text, self.statement.text) and len(name_spans(self.sentence.before)) > _MAX_NAME_WORDS:
            return False  # who is "he"?
        return not doubts or self.statement.aux in _MODALS

    def _has_tense(self) -> bool:
        aux, is_future = self.statement.aux, bool(FUTURE.search(self.stretch))
        asks_future = aux in _WILL or (not aux and bool(FUTURE.search(self.statement.text)))
        if aux in _MODALS:
            return bool(re.search(rf"\b{aux}\b", self.stretch))
        is_now = (
            self.is_denied or aux not in {"is", "are"} or bool(_PRESENT.search(self.stretch)) or self._is_apposition()
        )
        if asks_future and self.is_denied:
            return True  # "ruled out a new vote"
        return is_future == asks_future and is_now

    def _has_plain_forms(self) -> bool:
        """Whether no matched word is an infinitive ("to approve the plan") or an owner ("the plan's opponents")."""
        owners = {word.key for word in self.statement.words if word.is_possessive}
        for place in self._matched(self.statement.words):
            word = self.spoken[place]
            is_infinitive = place > 0 and self.spoken[place - 1].folded == "to" and not word.is_name
            if (
                is_infinitive
                and f" to {word.folded}" not in self.statement.text
                and self.statement.aux
                and not self.is_denied
            ):
                return False
            if word.is_possessive and word.key not in owners:
                return False
        return True

    def _matched(self, chosen: Sequence[Word]) -> list[int]:
        return [self.places[word.key] for word in chosen if word.key in self.places]

    def _is_copular(self) -> bool:
        """Whether the sentence says "X is Y" in a single clause, in the question's order and tense."""
        order = self._matched([word for word in self.statement.words if not word.is_loose])
        if not order:
            return False
        forms = (
            {"is", "are", "remains", "remain"} if self.statement.aux in {"is", "are"} else {"was", "were", "is", "are"}
        )
        spans = [span for _, span in word_spans(self.sentence.text)]
        clause_end = _CLAUSE_END.search(self.sentence.text, spans[min(order)].end, spans[max(order)].start)
        goes_on = _SAME_SUBJECT.search(self.sentence.text, spans[min(order)].end, spans[max(order)].start)
        own = {word.key for word in self.statement.words}
        others = (word for word in self.spoken if word.is_name and not word.is_date and word.key not in own)
        if goes_on and not any(min(order) < word.place and spans[word.place].end <= goes_on.start() for word in others):
            rest = self.sentence.text[goes_on.end() : spans[max(order)].start]
            clause_end = _CLAUSE_END.search(rest)
        has_form = any(word.folded in forms for word in self.spoken[min(order) :])
        return order == sorted(order) and has_form and not clause_end

    def _verb(self) -> Word | None:
        """The word of the statement that is a finite verb here, in the question's tense."""
        is_future = self.statement.aux in _WILL  # "will cut jobs": the first word behind it
        for word in self.statement.words if is_future else reversed(self.statement.words):
            if word.is_name or word.key not in self.places:
                continue
            place = self.places[word.key]
            form = self.spoken[place].folded
            before = {other.folded for other in self.spoken[max(0, place - _MAX_AUXILIARY_GAP) : place]}
            is_verb = is_past_form(form) or not before.isdisjoint({"did", "didn't"})
            if self.statement.aux == "does":
                is_verb = (form != word.folded and form.endswith("s")) or not before.isdisjoint({"does", "doesn't"})
            elif self.statement.aux in _WILL:
                is_verb = not before.isdisjoint({"will", "won't"})
            if is_verb:
                return word
        return None

    def _is_in_order(self, verb: Word | None) -> bool:
        """Whether what stands before and behind the verb does so here too, or changes sides in the passive."""
        fixed = [word for word in self.statement.words if not word.is_loose and word.key in self.places]
        if verb is None:
            return self._matched(fixed) == sorted(self._matched(fixed))
        at = self.places[verb.key]
        left = self._matched([word for word in fixed if word.place < verb.place])
        right = self._matched([word for word in fixed if word.place > verb.place])
        if all(place < at for place in left) and all(place > at for place in right):
            has_subject = not left or self.is_denied or self._is_head(min(left), at) or self._is_subject(max(left), at)
            return has_subject and not any(map(_is_finite, self.spoken[at + 1 : max(right, default=at)]))
        if not (all(place > at for place in left) and all(place < at for place in right)):
            return False
        agents = [word.place for word in self.spoken if word.folded == "by"]
        if any(word.folded == "by" for word in _words(self.statement.text)):
            return not agents
        if agents:
            between = self.spoken[agents[0] + 1 : min(left, default=0)]
            return 0 <= len(between) < _MAX_AUXILIARY_GAP and not any(word.is_name for word in between) and bool(left)
        is_killed = verb.key == _DIE and (verb.folded in _DYING) != (self.spoken[at].folded in _DYING)
        is_passive = self.statement.aux in _BE or " been " in self.statement.text
        return (bool(left) and is_killed) or (is_passive and not right)  # "The fire killed nine"

    def _is_head(self, first: int, verb: int) -> bool:
        """Whether a relative clause with a single verb parts subject and verb: "The fire that killed nine began"."""
        text, spans = self.sentence.text, [span for _, span in word_spans(self.sentence.text)]
        gap = text[spans[first].end : spans[verb].start]
        is_relative = re.match(r"\s(?:that|which|who)\b[^,;:()—–]*\Z", gap)
        return bool(is_relative) and sum(map(_is_finite, self.spoken[first + 1 : verb])) == 1

    def _is_subject(self, last: int, verb: int) -> bool:
        """Whether what stands between a subject and its verb is short, without another subject, verb or clause."""
        text, spans = self.sentence.text, [span for _, span in word_spans(self.sentence.text)]
        gap = text[spans[last].end : spans[verb].start]
        opening = text[: spans[last].start].rpartition(",")[0]
        if gap.startswith(",") and name_spans(OPENING + opening):
            return False  # it stands in an aside: "Voss, a friend of Lee, resigned"
        aside = _ASIDE.match(gap)
        gap = gap[aside.end() :] if aside else gap
        start = spans[last].end + (aside.end() if aside else 0)
        between = [
            word for word, span in zip(self.spoken, spans, strict=True) if start <= span.start < spans[verb].start
        ]
        if _SECOND_VERB.search(gap) and not any(word.folded in _PRONOUNS for word in between):
            return True  # "Lindholm laid flowers and promised an inquiry"
        if all(word.is_name or word.folded == "and" for word in between) and re.match(r",| and\b|\s*\Z", gap):
            return True  # "Ann Lee, Bob Ray and Carla Diaz voted"
        if len(between) > _MAX_SUBJECT_GAP or any(word.folded in _PRONOUNS or word.is_name for word in between):
            return False
        is_relative = re.match(r", (?:who|which)\b", gap)
        is_apposed = self.sentence.text[: spans[max(0, last - 1)].start].rstrip().endswith(",")
        is_aside = bool(aside) or gap.rstrip().endswith(",")
        if any(is_past_form(word.folded) for word in between):
            return False
        is_single_clause = is_relative or is_apposed or is_aside or "," not in gap
        return bool(is_single_clause) and not _OTHER_CLAUSE.search(gap)

    def _is_apposition(self) -> bool:
        """Whether a name and its office stand side by side: "the club's chairman, Leo Brandt"."""
        plain = [word for word in self.statement.words if not word.is_name]
        names = [word for word in self.statement.words if word.is_name and not word.is_loose]
        if not plain or self.statement.aux not in _BE:
            return False
        office, named = self._matched(plain), self._matched([word for word in names if word.place < plain[0].place])
        of_what = self._matched([word for word in names if word.place > plain[0].place])
        if not office or not named or any(abs(place - max(office)) > _MAX_APPOSITION_GAP for place in of_what):
            return False
        first, second = sorted((named, office), key=min)
        between = self.spoken[max(first) + 1 : min(second)]
        is_near = max(first) < min(second) and len(between) <= _MAX_APPOSITION_GAP
        words = [word for word in between if word.folded not in _BECAME] if _who_became(between) else between
        return is_near and not any(word.is_name or word.folded in _NO_APPOSITION for word in words)


def _stretch(text: str, first: int, last: int) -> str:
    """The clauses of a text from a word to another."""
    spans = [span for _, span in word_spans(text)]
    starts = [match.end() for match in _CLAUSE_END.finditer(text, 0, spans[first].start)]
    stop = _STRETCH_END.search(text, spans[last].end)
    return text[starts[-1] if starts else 0 : stop.start() if stop else len(text)]


def _who_became(between: Sequence[Word]) -> bool:
    """Whether a relative clause gives the office: "Lucia Ferrante, who became the chief engineer"."""
    folded = [word.folded for word in between]
    return folded[:1] == ["who"] and bool(_BECAME.intersection(folded[1:]))


def _content(text: str) -> Iterator[Word]:
    """Yield the content words of a statement, without its figures."""
    figures = [span for _, span in figure_spans(text)]
    for word, (_, span) in zip(_words(text), word_spans(text), strict=True):
        is_figure = any(figure.start <= span.start < figure.end for figure in figures)
        if not (
            is_figure or word.folded in STOP_WORDS - _VERBS or word.folded in _FILLER or word.folded in _QUANTIFIERS
        ):
            yield word


def _words(text: str) -> list[Word]:
    """All words of a text."""
    shift = len(OPENING)
    named = {Span(span.start - shift, span.end - shift) for _, span in name_spans(OPENING + text)}
    words = []
    for place, (word, span) in enumerate(word_spans(text)):
        is_place = span in named and bool(_PLACE_BEFORE.search(text, 0, span.start))
        is_possessive = text[span.start : span.end].replace("’", "'").endswith("'s")
        is_date = bool(_DATE_WORD.match(word)) and (span in named or word not in STOP_WORDS)
        words.append(
            Word(key_in(text, word, span), word, place, span in named, is_place or is_date, is_possessive, is_date)
        )
    return words


def _opposite(missing: Sequence[Word], places: dict[str, int]) -> tuple[str, Word | None]:
    """An antonym that is here of the first missing word that has one; ("", None) if none has."""
    pairs = ((key, word) for word in missing for key in places if are_opposite(word.key, key))
    return next(pairs, ("", None))


def _is_finite(word: Word) -> bool:
    return is_past_form(word.folded) or word.folded in {"is", "are", "was", "were", "had"}
