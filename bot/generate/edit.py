"""The edit that turns what a passage says into a statement: which words are kept, moved, put in and dropped.

The statement is aligned with the one or two sentences of the passage that share most with it. An honest rewording keeps
the order of who did what, puts in synonyms, and drops no bound, hedge or negation. `count_edits` counts what an edit
does; `bot/generate/support.json` has the weight of each count, and what it means. The relations between words are
WordNet's (lexicon.gz, written by `python -m tests.make_lexicon`); words.json has the words that turn a sentence.
"""

from __future__ import annotations

import gzip
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Literal, NamedTuple

from bot.query.numbers import unit_of
from index.models import Span
from index.text import CALENDAR_NAMES, STOP_WORDS, figure_spans, is_demonym, name_spans, stem, word_spans

MAX_TOKENS = 120  # of a statement, and of a sentence: aligning takes time by their product
Kind = Literal["number", "exact", "name", "content", "function"]  # "exact": months, days, periods, ordinals

_FOLDER = files("bot.generate")
_WORDS = {name: text.split() for name, text in json.loads(_FOLDER.joinpath("words.json").read_text("utf-8")).items()}
_STEMS = {  # not of "reportedly", whose stem is that of "report"
    name: frozenset(words) | {stem(word) for word in words if not word.endswith("ly")} for name, words in _WORDS.items()
}
_CALENDAR = {name[:3]: stem(name) for name in CALENDAR_NAMES} | {"sept": "septemb", "thurs": "thursday"}
_PRONOUNS = {"he": "he", "him": "he", "she": "she", "her": "she", "they": "they", "them": "they"}
_REACH = {"denials": 7, "doubts": 6, "all": 5, "some": 5, "be": 3}  # words that a "not", a "will", … reaches
_BREAK = re.compile(r"[,.;:!?—–()]|\b(?:but|and|while|which|who)\b")
_BOUNDS = {
    ">": r"(?<!no )(?<!not )more than|over|at least|above|no (?:fewer|less) than|upwards? of|not before|exceed\w*",
    "<": r"(?<!no )(?:less|fewer) than|under|below|up to|at most|no more than|within",
    "~": r"about|some|around|roughly|approximately|nearly|almost|an estimated|close to",
    "=": r"exactly|precisely",
}
_BOUND = re.compile(
    "|".join(rf"(?P<b{n}>\b(?:{words})\W*\Z)" for n, words in enumerate(_BOUNDS.values())), re.IGNORECASE
)
_MAX_BOUND_CHARACTERS = 20
_ROUND_BELOW, _ROUND_DIGITS, _DIGITS = 100, 4, 10  # "a third" is 33.33 percent
_BASE_UNITS = {
    "km": ("metre", 1000.0), "cm": ("metre", 0.01), "mm": ("metre", 0.001), "tonne": ("kg", 1000.0),
    "hour": ("minute", 60.0), "week": ("day", 7.0), "penny": ("pound", 0.01), "cent": ("dollar", 0.01),
}  # fmt: skip
_SMALL = "zero one two three four five six seven eight nine ten".split()
_PARTS = {"third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_SHARE = re.compile(
    rf"\bhalf\b(?:\san?\s(?P<scale>hundred|thousand|million|billion|dozen)\b)?|\b(?P<count>an?|{'|'.join(_SMALL)}|\d+)"
    rf"(?:[\s-](?P<part>{'|'.join(_PARTS)})s?"
    rf"|\s(?:\w+\s)?(?:in|out of)\s(?:every\s)?(?P<many>{'|'.join(_SMALL)}|\d+))\b",
    re.IGNORECASE,
)
_NEXT_WORD = re.compile(r"[\s-]{0,2}(?=[^\W\d])")
_NUMERIC = ("number", "exact")
_MAX_GAP_WORDS = 3  # of what a word may stand for
_MAX_TIGHT_WORDS = 6  # between the neighbours of such a gap, short words included
_MAX_ROLE_WORDS = 8  # between a verb and who or whom
_FREE_ORDER = 0.45  # share of moved words from which the order says nothing


class Token(NamedTuple):
    """A word or number of a text.

    ``key``: its stem, or the value of a number in base units. ``marks``: the groups of words.json in whose reach it
    stands, with "first" if no word that matters is between; "be": passive. Of a number its bound: ">", "<", "~", "=".
    """

    key: str
    kind: Kind
    span: Span
    unit: str
    word: str
    marks: frozenset[str] = frozenset()
    clause: int = 0


class _Lexicon(NamedTuple):
    bases: dict[str, str]
    synonyms: dict[str, frozenset[str]]
    antonyms: dict[str, frozenset[str]]
    hypernyms: dict[str, frozenset[str]]


@cache
def lexicon() -> _Lexicon:
    """Load the relations of words (20 ms)."""
    read = _Lexicon({}, {}, {}, {})
    for line in gzip.decompress(_FOLDER.joinpath("lexicon.gz").read_bytes()).decode().split("\n"):
        word, *related = line.split("\t")
        if len(related) == 1:
            read.bases[word] = related[0]
        else:
            for table, others in zip(read[1:], related, strict=True):
                table[word] = frozenset(others.split(","))
    return read


def tokens(text: str) -> list[Token]:
    """Read the words and numbers of a text, at most MAX_TOKENS."""
    read = list(_numbers(text))
    inside = {place for token in read for place in range(token.span.start, token.span.end)}
    units = {place for token in read for place in _unit_words(text, token)}
    named = {span.start for _, span in name_spans(text)}
    spans = word_spans(text)
    first = spans[0][1].start if spans else 0
    for word, span in spans:
        if span.start in inside or span.start in units:
            continue
        raw = text[span.start : span.end]
        is_acronym = len(raw) > 1 and raw.isupper() and word in STOP_WORDS  # WHO, IT
        is_capital = raw[0].isupper()
        key, kind = _word(
            word, is_name=is_acronym or span.start in named, is_capital=is_capital, is_first=span.start == first
        )
        if read and word in _WORDS["particles"] and (phrase := f"{read[-1].key} {word}") in lexicon().synonyms:
            verb = read.pop()
            read.append(verb._replace(key=phrase, kind="content", span=Span(verb.span.start, span.end)))
        else:
            read.append(Token(key, kind, span, "", word))
    return _marked(text, sorted(read, key=lambda token: token.span)[:MAX_TOKENS])


def _word(word: str, *, is_name: bool, is_capital: bool, is_first: bool) -> tuple[str, Kind]:
    bare, known = word.replace("'", ""), lexicon()
    if bare in _WORDS["ordinals"]:
        return f"{bare}.", "exact"
    key = known.bases.get(bare) or _CALENDAR.get(bare) or _PRONOUNS.get(word) or stem(bare)
    if key in _STEMS["periods"] or (key in _CALENDAR.values() and (is_capital or bare not in ("may", "march"))):
        return key, "exact"
    is_small = len(word) == 1 or word in _STEMS["degrees"] or key in _STEMS["titles"] | _STEMS["reporting"]
    if is_small or (word in STOP_WORDS and word not in _WORDS["turns"] and not is_name):
        return key, "function"
    is_known = any(key in table for table in (*known[1:], _STEMS["doubts"], _STEMS["causes"], _STEMS["turns"]))
    is_unknown_name = is_first and is_capital and not is_known and not bare.endswith(("ly", "ing", "ed", "s"))
    if is_name or is_unknown_name:
        return key, "name"
    if not is_known and len(bare) > len("older"):  # "softer", "widest"
        key = next((stem(bare[: -len(end)]) for end in ("est", "er") if bare.endswith(end)), key)
    return key, "content"


def _numbers(text: str) -> Iterator[Token]:
    """Yield numbers, with unit and bound, in base units; shares as percent: "a fifth", "one in five"."""
    taken = set[int]()
    for match in _SHARE.finditer(text):
        span, unit, value = Span(*match.span()), "percent", 50.0
        if match["scale"]:
            value, unit = float(figure_spans(match["scale"])[0][0]) / 2, unit_of(text, span)
        elif match["count"]:
            parts = _PARTS[match["part"].lower()] if match["part"] else _small(match["many"])
            value = 100.0 * _small(match["count"]) / max(1, parts)
        taken.update(range(*span))
        yield _number(text, span, value, unit)
    for figure, span in figure_spans(text):
        if span.start not in taken:
            half = 0.5 if text.startswith(" and a half", span.end) else 0.0
            yield _number(text, span, float(figure) + half, unit_of(text, span))


def _number(text: str, span: Span, value: float, unit: str) -> Token:
    unit, factor = _BASE_UNITS.get(unit, (unit, 1.0))
    value *= factor
    bound = _BOUND.search(text[max(0, span.start - _MAX_BOUND_CHARACTERS) : span.start])
    marks = frozenset(sign for n, sign in enumerate(_BOUNDS) if bound and bound[f"b{n}"])
    span = Span(span.start - len(bound[0]), span.end) if bound else span
    return Token(f"{value:.{_ROUND_DIGITS if value < _ROUND_BELOW else _DIGITS}g}", "number", span, unit, "", marks)


def _small(word: str) -> int:
    word = word.lower()
    return 1 if word in ("a", "an") else _SMALL.index(word) if word in _SMALL else int(word[:3])


def _unit_words(text: str, number: Token) -> Iterator[int]:
    """Yield where the words begin that are the unit of a number: of "metres" in "12 metres", not of "$5 Grant"."""
    start, end = number.span
    place = _NEXT_WORD.match(text, end)
    if place and number.unit and unit_of(text[start : end + 12], Span(0, end - start)):
        yield place.end()
        if text.startswith("per cent", place.end()):
            yield place.end() + len("per ")


def _marked(text: str, read: Sequence[Token]) -> list[Token]:
    """Mark what stands in the reach of a "not", a "will", an "all"; a break of the clause ends it."""
    breaks = sorted(match.start() for match in _BREAK.finditer(text))
    marked: list[Token] = []
    since, first = dict.fromkeys(_REACH, len(text)), set[str]()
    end = clause = 0
    for token, following in pairwise([*read, Token("", "function", Span(0, 0), "", "")]):
        key, kind, span, unit, word, *_ = token
        if bisect_left(breaks, end) < bisect_left(breaks, span.start + 1):
            since, first = dict.fromkeys(_REACH, len(text)), set()
            clause += word not in ("who", "which", "whom")
        end = span.end
        marks = {mark for mark, reach in _REACH.items() if since[mark] < reach} | token.marks
        if following.word == "by":
            marks.add("be")
        if kind != "function" and key not in _STEMS["doubts"]:
            marks |= {f"{mark} first" for mark in first & marks}
            first = set()
        marked.append(token._replace(marks=frozenset(marks), clause=clause))
        since = {mark: count + 1 for mark, count in since.items()}
        begun = {
            mark for mark in _REACH if word in _WORDS[mark] or (mark in ("denials", "doubts") and key in _STEMS[mark])
        }
        if word.endswith("n't"):
            begun.add("denials")
        if word in (*_WORDS["be"], "going") and following.word == "to":
            begun.add("doubts")
        if following.kind == "number":  # "some 40"
            begun.discard("some")
        if kind == "number" and unit != "percent" and following.word == "of":
            begun.add("some")
        first |= begun
        since |= dict.fromkeys(begun, 0) | ({"doubts": 0} if word == "can" else {})  # it may stand for a "could"
    return marked


def strength(new: Token, old: Token) -> float:
    """How well a word of a passage stands for a word of the statement: 0 if not at all."""
    if "number" in (new.kind, old.kind):
        is_unit = not new.unit or not old.unit or new.unit == old.unit
        return 2.0 if new.kind == old.kind and new.key == old.key and is_unit else 0.0
    if new.key == old.key:
        return {"function": 0.3, "content": 1.5}.get(new.kind, 2.0)
    if "function" in (new.kind, old.kind):
        return 0.0
    if "name" in (new.kind, old.kind):
        return 1.5 if is_demonym(new.key, old.key) else 0.0
    known = lexicon()
    if new.key in known.synonyms.get(old.key, ()):
        return 1.0
    return 0.7 if new.key in known.hypernyms.get(old.key, ()) else 0.0


def align(new: Sequence[Token], old: Sequence[Token]) -> dict[int, int]:
    """Map the words of a statement to those of a passage: the heaviest common subsequence, then what was moved."""
    weights = [[strength(left, right) for right in old] for left in new]
    for above, row in pairwise(weights):
        for j in range(1, len(old)):
            row[j] += 0.1 if row[j] and above[j - 1] else 0.0  # so that a run of words stays together
    heaviest = [[0.0] * (len(old) + 1) for _ in range(len(new) + 1)]
    for i in range(len(new) - 1, -1, -1):
        for j in range(len(old) - 1, -1, -1):
            together = heaviest[i + 1][j + 1] + weights[i][j] if weights[i][j] else 0.0
            heaviest[i][j] = max(heaviest[i + 1][j], heaviest[i][j + 1], together)
    pairs: dict[int, int] = {}
    i = j = 0
    while i < len(new) and j < len(old):
        if weights[i][j] and heaviest[i][j] == heaviest[i + 1][j + 1] + weights[i][j]:
            pairs[i] = j
            i, j = i + 1, j + 1
        elif heaviest[i][j] == heaviest[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs | _moved(new, weights, pairs)


def _moved(new: Sequence[Token], weights: Sequence[Sequence[float]], pairs: dict[int, int]) -> dict[int, int]:
    """Map the words that matter, and pronouns, to those that stand for them in another order."""
    moved, taken = dict[int, int](), set(pairs.values())
    for i, row in enumerate(weights):
        if i not in pairs and (new[i].kind != "function" or new[i].key in _PRONOUNS):
            best = max(range(len(row)), key=lambda j: (row[j] > 0, j not in taken, row[j]), default=-1)
            if best >= 0 and row[best]:
                moved[i] = best
                taken.add(best)
    return moved


def count_edits(
    new: Sequence[Token],
    old: Sequence[Token],
    seam: int,
    is_near: Callable[[Token], bool],
    is_far: Callable[[Token], bool],
) -> dict[str, float]:
    """Count what turns the words of sentences into those of a statement: see support.json.

    ``seam``: where a second sentence begins, or 0. ``is_near``, ``is_far``: whether a word stands in the neighbouring
    sentences, or anywhere in the passages.
    """
    edit = _Edit(new, old)
    edit.count_strange(is_near, is_far)
    edit.count_replaced()
    edit.count_turned()
    edit.count_exchanged()
    steps = pairwise(sorted(edit.in_order.items()))
    is_seam = (
        left < seam <= right and new[i].clause == new[k].clause and k - i < _MAX_GAP_WORDS
        for (i, left), (k, right) in steps
    )
    edit.flag(seam=any(is_seam))
    return edit.counts


class _Edit:
    def __init__(self, new: Sequence[Token], old: Sequence[Token]) -> None:
        self.new, self.old = new, old
        self.counts: dict[str, float] = {}
        self.pairs = align(new, old)
        self.in_order = _in_order(self.pairs)
        self.matter = [i for i, token in enumerate(new) if token.kind != "function"]
        self.strange = [i for i in self.matter if i not in self.pairs]
        self.kept = [i for i in self.matter if i in self.pairs]

    def flag(self, **found: bool) -> None:
        """Note what was found; what was found before stays."""
        self.counts |= {name: 1.0 for name, is_found in found.items() if is_found}

    def count_strange(self, is_near: Callable[[Token], bool], is_far: Callable[[Token], bool]) -> None:
        """Words that the sentences do not have."""
        strange = [token for token in (self.new[i] for i in self.strange) if not is_near(token)]
        exact = [is_far(token) for token in strange if token.kind in _NUMERIC]
        self.flag(
            name_put_in=any(token.kind == "name" for token in strange),
            exact_far=any(exact),
            exact_put_in=not all(exact),
        )
        self.counts["put_in"] = sum(token.kind == "content" for token in strange) / max(1, len(self.matter))

    def count_replaced(self) -> None:
        """Words that stand where the passage has others, between the same neighbours."""
        new, old, pairs, in_order, antonyms = self.new, self.old, self.pairs, self.in_order, lexicon().antonyms
        values, precise = set(in_order.values()), 0
        moved = [i for i in pairs if i not in in_order and (new[i].kind in ("name", *_NUMERIC) or self._is_turn(i))]
        for places in _runs([*self.strange, *moved]):
            before = max((k for k in in_order if k < places[0]), default=-1)
            after = min((k for k in in_order if k > places[-1]), default=len(new))
            start, end = in_order.get(before, -1), in_order.get(after, len(old))
            turns = any(map(self._is_turn, places))
            gap = [j for j in range(start + 1, end) if j not in values and (turns or old[j].kind != "function")]
            kinds = {old[j].kind for j in gap}
            run = [i for i in places if turns or i not in pairs or new[i].kind in kinds]
            if not run:
                continue
            is_tight = run[0] == before + 1 and run[-1] == after - 1 and end - start <= _MAX_TIGHT_WORDS
            precise += is_tight and 0 < len(gap) <= _MAX_GAP_WORDS
            words = {other for j in gap for other in (old[j].key, *lexicon().synonyms.get(old[j].key, ()))}
            put_in = {new[i].kind for i in run}
            self.flag(
                replaced="name" in put_in and "name" in (self._beside(end, -1), self._beside(start, 1)),
                exact_replaced=not (kinds.isdisjoint(_NUMERIC) or put_in.isdisjoint(_NUMERIC)),
                opposite=any(not words.isdisjoint(antonyms.get(new[i].key, ())) for i in run),
            )
        self.counts["precise"] = min(2, precise) / 2
        dropped = [j for j in range(len(old)) if j not in pairs.values() and old[j].word in _WORDS["turns"]]
        self.flag(opposite=any({j - 1, j + 1} <= values for j in dropped))
        self.flag(opposite=any(new[i].key in antonyms.get(old[j].key, ()) for i, j in pairs.items()))

    def _is_turn(self, i: int) -> bool:
        return self.new[i].word in _WORDS["turns"]  # "against" for "for"

    def _beside(self, place: int, step: int) -> str:
        """The kind of the next word of the passage that matters, if it was not kept in its order."""
        values = set(self.in_order.values())
        place += step
        while 0 <= place < len(self.old) and self.old[place].kind == "function" and place not in values:
            place += step
        return self.old[place].kind if 0 <= place < len(self.old) and place not in values else ""

    def count_turned(self) -> None:
        """What is denied, doubted, bounded, generalised or caused in one text alone."""
        new, old, pairs = self.new, self.old, self.pairs
        for i, j in ((i, pairs[i]) for i in self.kept):
            left, right = new[i].marks, old[j].marks
            drops = any(token.kind == "content" for token in old[pairs.get(i - 1, j) + 1 : j])  # "all small boats"
            self.flag(
                denied=_only(left, right, "denials") or _only(right, left, "denials"),
                made_fact=_only(right, left, "doubts"),
                made_doubt=_only(left, right, "doubts"),
                all="all" in left and ("all" not in right or drops),
                some="some" in right and left.isdisjoint(("some", "~")),
            )
            bound, known = left & _BOUNDS.keys(), right & _BOUNDS.keys()
            is_vague = bound <= {"~"} and known <= {"~"}
            if new[i].kind == "number" and bound != known:
                self.flag(bound=not is_vague, about=is_vague and not bound)
        self.flag(
            all=_count(new, "all") > _count(old, "all"),
            made_fact=_count(old, "conditions") > 0 and not _count(new, "conditions"),
        )
        told = any(token.key in _STEMS["causes"] for token in old)
        for i in (i for i, token in enumerate(new) if token.key in _STEMS["causes"]):
            following = [k for k in self.matter if k > i][:_MAX_GAP_WORDS]
            self.flag(cause=not told or any(k in self.strange for k in following))

    def count_exchanged(self) -> None:
        """Who and whom: words on either side of a third that have changed places."""
        new, old, pairs = self.new, self.old, self.pairs
        is_free = sum(i not in self.in_order for i in self.kept) >= _FREE_ORDER * len(self.matter)
        places = sorted({*self.kept, *(i for i in pairs if new[i].key in _PRONOUNS)})
        for p in (i for i in self.kept if new[i].kind == "content"):
            q = pairs[p]
            is_turned = ("be" in new[p].marks) != ("be" in old[q].marks)
            near = [i for i in places if abs(i - p) <= _MAX_ROLE_WORDS]
            is_swapped = any(i < p and pairs[i] > q for i in near) and any(i > p and pairs[i] < q for i in near)
            verb = (new[p] if "be" in new[p].marks else old[q]).word
            if is_swapped and is_turned:
                self.flag(turned=True)
            elif is_swapped and not is_free and "of" not in (_word_at(new, p + 1), _word_at(old, q + 1)):
                self.flag(exchanged=True)
            elif is_turned and (verb.endswith(("ed", "en")) or verb in lexicon().bases):
                # "urged by Keller" is "Keller urged", and not "urged Keller"
                agents = [i for i in self.kept if _is_agent(new, i, p) or _is_agent(old, pairs[i], q)]
                is_moved = any((i > p) != (pairs[i] > q) for i in agents)
                self.flag(turned=is_moved, voice=bool(agents) and not is_moved)


def _only(marks: frozenset[str], others: frozenset[str], mark: str) -> bool:
    return f"{mark} first" in marks and mark not in others


def _count(text: Sequence[Token], group: str) -> int:
    return sum(token.word in _WORDS[group] for token in text)


def _word_at(text: Sequence[Token], place: int) -> str:
    return text[place].word if 0 <= place < len(text) else ""


def _is_agent(text: Sequence[Token], place: int, verb: int) -> bool:
    """Whether a word follows a "by" behind a verb."""
    is_word = verb < place < verb + _MAX_ROLE_WORDS and text[place].kind in ("name", "content")
    return is_word and "by" in (_word_at(text, place - 1), _word_at(text, place - 2))


def _runs(places: Iterable[int]) -> list[list[int]]:
    """Group numbers that follow each other: ``[1, 2, 5] -> [[1, 2], [5]]``."""
    runs: list[list[int]] = []
    for place in sorted(places):
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _in_order(pairs: dict[int, int]) -> dict[int, int]:
    """Return the pairs of a longest rising subsequence (patience sorting)."""
    ends: list[tuple[int, int]] = []  # place in the passage, and in the statement
    before: dict[int, int] = {}
    for i in sorted(pairs):
        at = bisect_left(ends, (pairs[i], -1))
        before[i] = ends[at - 1][1] if at else -1
        ends[at : at + 1] = [(pairs[i], i)]
    kept: dict[int, int] = {}
    i = ends[-1][1] if ends else -1
    while i >= 0:
        kept[i] = pairs[i]
        i = before[i]
    return kept
