"""Words that say the same, or the opposite: contractions, irregular verbs, some synonyms of the news, antonyms."""

from __future__ import annotations

import re

from index.models import Span
from index.text import stem

_CONTRACTION = re.compile(
    r"\b(?:(?P<word>what|who|where|when|how|that|there|here)(?:['’]?s|['’]re)|(?P<it>it)['’]s)\b", re.IGNORECASE
)
_AFTER_HAS = re.compile(r"\s+(?:just |ever |never |already )?(?:been|happened|changed|become|gone|got|had)\b")
COMPARATIVE = (
    r"(?:more|less|fewer|better|worse|bigger|larger|smaller|higher|lower|longer|shorter|older|younger|newer|earlier|later"
    r"|sooner|closer|nearer|further|farther|faster|slower|quicker|cheaper|dearer|harder|easier|heavier|lighter|richer"
    r"|poorer|stronger|weaker|taller|busier|deadlier|safer|hotter|colder|deeper|wider|greater|first|most|least)"
)
"""A pattern of the words by which a question chooses between things: "which is older, the mill or the bridge?"."""

# Words by which questions are recognized, and whose letters make no other word: "hvae"; not "form", "cloud".
_OF_QUESTIONS = {
    (word[0], "".join(sorted(word))): word
    for word in """about after articles before compare everyone happened have latest many much name said says should
    since summarise summarize tell their timeline were what when where which whose will with would""".split()
}

_IRREGULAR_VERBS = """
beat:beat,beaten begin:began,begun bite:bit,bitten blow:blew,blown break:broke,broken bring:brought build:built
burn:burnt buy:bought catch:caught choose:chose,chosen come:came cost:cost cut:cut deal:dealt draw:drew,drawn
drive:drove,driven eat:ate,eaten fall:fell,fallen fight:fought find:found flee:fled fly:flew,flown
forbid:forbade,forbidden get:got,gotten give:gave,given go:went,gone grow:grew,grown hear:heard hide:hid,hidden
hit:hit hold:held hurt:hurt keep:kept know:knew,known lay:laid lead:led leave:left lend:lent let:let lose:lost
make:made mean:meant meet:met pay:paid put:put quit:quit read:read ride:rode,ridden rise:rose,risen run:ran
say:said see:saw,seen seek:sought sell:sold send:sent set:set shake:shook,shaken shoot:shot shut:shut
sing:sang,sung sink:sank,sunk speak:spoke,spoken spend:spent split:split spread:spread stand:stood
steal:stole,stolen strike:struck sue:sued swim:swam,swum take:took,taken teach:taught tear:tore,torn tell:told
think:thought throw:threw,thrown wear:wore,worn win:won withdraw:withdrew,withdrawn write:wrote,written
"""
_IRREGULAR = {
    form: base
    for base, forms in (verb.split(":") for verb in _IRREGULAR_VERBS.split())
    for form in forms.split(",")
}  # fmt: skip
_SYNONYMS = {
    stem(word): stem(words.split()[0])
    for words in (
        "hurt injured wounded", "die killed dead", "serious seriously badly severely", "begin started", "company firm",
        "buy purchased", "end finished", "resign quit", "sack dismissed", "ban prohibited", "appoint hired",
        "support backed endorsed", "reject rebuffed", "alive survived survivor", "close shut",
    )
    for word in words.split()
}  # fmt: skip
_ANTONYMS = """
approve/reject accept/reject accept/refuse win/lose open/close open/shut reopen/close reopen/shut rise/fall grow/shrink
increase/decrease pass/fail survive/die succeed/fail convict/acquit guilty/acquit alive/die legal/illegal
support/oppose allow/ban keep/scrap raise/lower raise/cut begin/end
blame/clear convict/clear admit/deny approve/oppose guilty/innocent charge/clear
"""
_OPPOSITE = {frozenset(map(stem, pair.split("/"))) for pair in _ANTONYMS.split()}

# Verbs that have another sense with a particle.
_PHRASAL = tuple(
    (sense, re.compile(pattern, re.IGNORECASE))
    for sense, pattern in (
        ("reject", r"turn(?:ed|s|ing)? (?:\w+ ){0,3}down\b|(?:throw|thrown|threw) out\b"),
        ("oppose", r"(?:campaign|protest|demonstrat|spoke|spoken)\w* (?:out )?against\b|object(?:ed|s|ing)? to\b"),
        ("support", r"(?:campaign(?:ed|s|ing)?|came out|spoke|spoken) (?:for|in favou?r of)\b"),
        ("die", r"survived by\b|passed away\b|lost (?:his|her|their) li(?:fe|ves)\b"),
        ("clear", r"exonerated\b|acquitted\b|absolved\b"),
        ("quit", r"step(?:ped|s|ping)? down\b"),
        ("begin", r"got under ?way\b"),
    )
)  # fmt: skip
_PHRASAL_OPENINGS = frozenset(
    "turn thro thre camp prot demo spok obje came surv pass lost exon acqu abso step got".split()
)
_MAX_PHRASE_CHARACTERS = 40  # of a verb with its particle


def spelled_out(question: str) -> str:
    """Write out contractions, and put exchanged letters of common words right: "whats waht" -> "what is what"."""

    def whole(match: re.Match[str]) -> str:
        verb = "has" if _AFTER_HAS.match(question, match.end()) else "is"
        return f"{match['word'] or match['it']} {'are' if match.group()[-2:].lower() == 're' else verb}"

    question = _CONTRACTION.sub(whole, question)
    return re.sub(r"\b[a-zA-Z]{3,}\b", lambda match: _in_order(match.group()), question)


def _in_order(word: str) -> str:
    lower = word.lower()
    meant = _OF_QUESTIONS.get((lower[0], "".join(sorted(lower))), lower)
    return word if meant == lower else meant


def word_key(word: str) -> str:
    """What a folded word is compared by: ``"won" -> "win"; "injured" -> "hurt"``."""
    root = stem(_IRREGULAR.get(word, word))
    return _SYNONYMS.get(root, root)


def is_past_form(word: str) -> bool:
    """Whether a folded word may be a past tense or a past participle."""
    return word.endswith("ed") or word in _IRREGULAR


def are_opposite(first: str, second: str) -> bool:
    """Whether the keys of two words are certain antonyms: what is approved is not rejected."""
    return frozenset((first, second)) in _OPPOSITE


def key_in(text: str, word: str, span: Span) -> str:
    """What a word of a text is compared by, with the particle that gives it its sense: "turned it down" rejects."""
    if word[:4] in _PHRASAL_OPENINGS:
        window = text[span.start : span.end + _MAX_PHRASE_CHARACTERS]
        return next((word_key(sense) for sense, pattern in _PHRASAL if pattern.match(window)), word_key(word))
    return word_key(word)
