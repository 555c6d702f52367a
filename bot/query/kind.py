"""Classify a question by the kind of answer that it needs, and parse what it asks about.

A kind is a way to answer (bot/kinds), not a topic. A question that fits no other kind is a "fact".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.models import Kind
from bot.query.followup import content_words
from bot.query.wording import COMPARATIVE, spelled_out
from index.text import MONTH, fold

_ASKING = r"(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|did|does|do|has|have|will|can|could|would)"
_ARTICLES = r"(?:articles?|stor(?:y|ies)|reports?|pieces?|items?|documents?|texts?|clippings)"
_OUTLETS = (
    r"(?:outlets?|(?:news)?papers|publications|media outlets|news sites|sources)(?! (?:first|broke)\b)"
    r"(?=$| (?:have|has|had|did|do|does|are|were|is|that|which|there|in|on|about|you|report\w*|cover\w*|mention\w*"
    r"|wrote|write|written|carried|carry|ran|run|publish\w*|say|said|quote\w*)\b)"
)
_SAYING = (
    r"(?:say|said|saying|tell|told|claim|claimed|argue|argued|think|comment|commented|promise|promised|announce|announced"
    r"|respond|responded|react|reacted|reply|replied|answer|answered|warn|warned|call|called|describe|described|want"
    r"|write|wrote|written|explain|explained|demand|demanded|complain|complained|recall|recalled|predict|predicted"
    r"|deny|denied|criticise|criticised|criticize|criticized|admit|admitted|insist|insisted|suggest|suggested|put"
    r"|come out with)"
)
_ABOUT = r"(?:\s+(?:about|on|of|to|regarding|concerning|over|in response to|when asked about)\s+(?P<topic>.+))?"
_WHEN = (
    r"(?::?\s+(?:today|yesterday|tonight|lately|recently|now|overnight|(?:this|last) (?:\w+day|week|weekend|month|year)"
    r"|since (?:last )?\w+|in the (?:last|past) (?:\w+ )?(?:hour|day|week|month|year)s?))*"
)
_NEWS_OF = r"(?:\s+(?:on|about|from|in|of|with|for|regarding)\s+(?P<subject>.+))?"

# The first that matches decides. ``subject``: what is asked about; ``topic``: which of its sayings or deeds.
_KIND_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("list",
     (r"(?:.+\? )?(?:and |please |then )*(?:(?:list|name|enumerate) (?:them|these|those|the names)(?: all)?"
      r"|who (?:are|were) (?:they|these|those)|what (?:are|were) (?:they|their names)"
      r"|which (?:ones|are they|were they))"
      r"(?: please)?(?P<subject>)$")),
    ("list",
     (r"(?:and )?who (?:(?:is|are|was|were|leads?) )?(?:the )?(?:against|critics|opposed|opposes?|opponents|opposition"
      r"|scored(?=$| (?:goals )?(?:in|at|on|during|for)\b))\b(?P<subject>.*)")),
    ("timeline", r"(?:when did what happen|what happened when) (?:in|with|to|at|on|during)\s(?P<subject>[^?]+)"),
    ("timeline",
     (r"(?:the )?(?P<subject>(?!(?:and|as|give|show|make|write|draw|can|could|please|what|is|i|the|an?)\b)"
      r"[\w'’ -]{2,60}?)"
     r" (?:time\s?-?line|chronology)$")),
    ("timeline",
     (r".*\b(?:time\s?-?line|chronology|sequence of events|order of events|(?:key|important|main) (?:dates|events))\b"
     r"(?:\s*:\s*|\s+(?:of|for|on|about|in|behind|with|around|at)\s+)?(?P<subject>.*)")),
    ("timeline", r"how (?:did|has|have) (?P<subject>.+?) (?:unfold|develop|evolve|come about)(?:ed|d)?$"),
    ("collection",
     (r"(?:in )?(?:how many|what(?: is| was) the number) (?:of )?(?:(?:the|our|your|these) )?(?:news )?"
      r"(?:articles|stories|reports|documents|pieces)\b(?P<subject>.*)")),
    ("collection", rf"what is the date of the (?:oldest|newest|latest|first|last) {_ARTICLES}\b(?P<subject>.*)"),
    ("collection", rf"(?:which|what|how many) (?:(?:other|different|local|news|of the) )?{_OUTLETS}(?P<subject>.*)"),
    ("collection",
     (r"who (?:(?:among|of) [\w' ]{2,30}? )?(?:wrote|has written|reported|covered|(?:is|are) the authors? of)"
      r"(?P<subject>$| (?:about|on|this|that|it"
     r"|most|the (?:articles?|stor(?:y|ies)|pieces?|reports?|obituary|column|interview|text|news))\b.*)")),
    ("collection",
     (rf"(?:(?:which|what)(?: are the| other)? {_ARTICLES}|(?:list|show|find)(?: me)?(?: all| the|"
     rf" every)*(?: \w+)? {_ARTICLES})\b(?P<subject>.*)")),
    ("collection",
     (r"(?:what|which|anything) (?:do you|have you|did you|does the (?:archive|collection))(?: \w+)?"
     r" (?:have|got|cover|know|hold)\b(?: got)?(?P<subject>.*)")),
    ("collection",
     (r"what (?:is|are) (?:this|the|your) (?:collection|archive|corpus|index|articles)(?: all)?"
     r" about(?P<subject>)")),
    ("collection",
     (r"what (?:topics|subjects|stories|period|dates?|date range|days)\b.*(?:cover|collection|"
     r"archive|have|there)(?P<subject>)")),
    ("collection",
     (r"(?:since when|how far back|from when)\b.*(?:articles|collection|archive|go|reach|cover|"
     r"have)(?P<subject>)")),
    ("collection",
     (rf"(?:what|which) is the (?:oldest|newest|latest|most recent|first|earliest) {_ARTICLES}\b("
     r"?P<subject>.*)")),
    ("news",
     (r"(?:so,? )?what(?: is| has been| has)? (?:new|happening|going on|been happening)\b"
     rf"{_WHEN}{_NEWS_OF}")),
    ("news",
     (r"what(?: is| was| were| has been| have been)? (?:in the (?:news|papers?|headlines)|published|reported|new)\b"
     rf"{_WHEN}(?: (?:on|since|after|before|in|from|between|during|over) .+)?(?P<subject>)$")),
    ("news",
     (r"what did (?:the )?(?:papers?|outlets|media|press|articles) (?:report|say|write|carry)(?: (?:on|in|since) )?"
     rf"(?:{MONTH}\b.*|\d.*|{_WHEN})(?P<subject>)$")),
    ("news", rf"(?:what did (?:i|we) miss|(?:catch me up|brief me|update me))\b{_WHEN}(?P<subject>)$"),
    ("news", r"was gibt(?:'s|’s| es)? neues(?: (?:aus|von|vom|zu|zum|zur|über|in) (?P<subject>.+))?$"),
    ("news", rf"(?:has|did) anything (?:new )?(?:happened|happen)\b{_WHEN}{_NEWS_OF}"),
    ("news",
     (r"(?:is there |have you |do you have |got |are there )?(?:any|some)(?:thing|one)? (?:new|news|"
     rf"updates?|developments?|fresh news|headlines?)\b{_WHEN}{_NEWS_OF}")),
    ("news", rf"(?:what news (?:is|are) there|(?:is|are) there news|do you have news)\b{_WHEN}{_NEWS_OF}"),
    ("news",
     (r"(?:(?:what(?: is| are)|give me|show me|tell me|get me|list) )?(?:all )?(?:the )?"
     r"(?:latest|newest|most recent|breaking|recent|today's|yesterday's|this week's|"
     rf"top)(?: (?:(?:top|main) )?(?:news|headlines?|updates?|developments?|stories))?{_WHEN}(?:$|{_NEWS_OF}$)")),
    ("news",
     (r"(?:(?:what(?: is| are| were)|give me|show me|list) )?(?:all )?(?:the )?(?:top |main |"
     r"latest )?(?:news|headlines?|updates?|top stories)\b"
     rf"{_WHEN}{_NEWS_OF}")),
    ("news",
     (r"what (?:has )?happened (?:today|yesterday|this (?:week|month)|last (?:week|month)|since \w+|"
     r"in the (?:last|past) .+)(?P<subject>)$")),
    ("summary",
     (r"(?:summari[sz]e|sum up|recap|outline|brief me on|catch me up on|fill me in on|(?:walk|run|talk) me through|"
     r"bring me up to (?:date|speed) (?:on|with))\b(?P<subject>.*)")),
    ("summary",
     (r"(?:give me |write |i need )?(?:a |the )?(?:quick |short |brief )?(?:summary|gist|overview|"
     r"recap|rundown|run-down|lowdown|low-down|background|briefing)\b(?: (?:of|on|about|to))?(?P<subject>.*)")),
    ("compare", r"(?:compare|contrast)\b(?P<subject>.*)"),
    ("compare", rf"(?:which|who|what|where) (?=.*\b{COMPARATIVE}\b)[^,:]+[,:] (?P<subject>.+? or .+)"),
    ("compare",
     rf"\A(?P<subject>(?=[^,:?]*? or )[^,:?]++)[,:?]+ (?:which|who|what|where) (?=.*\b{COMPARATIVE}\b).+"),
    ("compare",
     (rf"\A(?:do|does|did|is|are|was|were|has|have|had|will) (?P<subject>(?:(?!\b{COMPARATIVE}\b)[^,]){{2,60}}? or"
      rf" (?!{COMPARATIVE}\b)\S+) (?=.*\b{COMPARATIVE}\b).+")),
    ("compare",
     (r".*\b(?:differences? between|(?:differ|different) from|compared? (?:to|with)|versus|vs\.?)\s("
     r"?P<subject>.*)")),
    ("compare",
     (r"how (?:has|have|did|does|do) (?P<subject>.+?) (?:changed?|differ|compare|grown?|risen|rise|"
     r"fallen|fall)\b.*")),
    ("total",
     (r"(?=.*\b(?:how (?:many|much)|what|sum|add|total|wie viele?)\b)"
      r".*\b(?:in total|altogether|in all(?=$|,)|insgesamt|total (?:goals|votes|points|seats)"
      r"|combined|all together|together|all told|taken together|sum total|"
     r"grand total)\b(?P<subject>)")),
    ("who",
     (r"(?:.{0,30}?\b(?:tell|remind|know)(?: me)? )?(?:who|what) (?P<subject>.{2,60}?) (?:is|was|are|were)"
      r"(?: pls| please)?$")),
    ("who",
     (r"what (?:is|was) (?P<subject>.+?)(?:'s|’s) (?:job|role|position|title|profession|job title|occupation)$")),
    ("who", r"what (?:does|did) (?P<subject>.+?) do(?: for a living| for work| professionally)?$"),
    ("summary",
     (r"(?:(?:any |some )?more(?: details?| information)?|(?:any|some)thing (?:else|more)|what else)"
     r" (?:about|on)\s(?P<subject>.+)")),
    ("summary",
     (r"(?:tell me|explain)(?: (?:all|everything|(?:some |a bit |a little )?more|something|a bit))?"
      r"(?: about)?\s(?P<subject>.+)")),
    ("summary", rf"what (?:has )?happen(?:ed|s){_WHEN} (?:with|to|in|at|on|during|after)\s(?P<subject>.+)"),
    ("summary",
     (r"(?:what(?: is) (?:the (?:story|situation|state of play|matter|issue|row)|going on)"
      r"|where do (?:things|matters) stand) (?:with|on|about|over|behind|in)\s(?P<subject>.+)")),
    ("summary", r"what do (?:we|you) know about\s(?P<subject>.+)"),
    ("summary", r"what(?: is)(?: all)? (?:this|the) (?:article |story |text |piece )?(?:all )?about(?P<subject>)$"),
    ("summary", r"(?:please )?(?:tell me more|more(?: details)?|go on|anything else|what else)(?P<subject>)$"),
    ("said",
     (r"(?:and )?what (?:exactly )?(?:did|does|do|has|have|had|was|is|were|"
     rf"are) (?P<subject>.+?) (?:ha(?:ve|d|s) to )?{_SAYING}\b{_ABOUT}")),
    ("said",
     (rf"(?:(?:and )?what (?:was|is|were|are) )?(?!{_ASKING}\b)(?P<subject>[^?]+?)(?:['’]s?|s['’]) "
     rf"(?:response|reaction|comments?|view|views|position|stance|statement|words|answer|reply|take|verdict|quotes?|quotation"
     rf"|line|remarks?|gag|joke|explanation|excuse|argument|complaint|warning)\b{_ABOUT}")),
    ("said",
     (r"(?:what (?:was|is) )?(?:the )?(?:response|reaction|comments?|views?|position|stance|"
     rf"statement) (?:of|from|by) (?P<subject>.+?){_ABOUT}$")),
    ("said",
     (r"how (?:did|does|do|has|have) (?P<subject>.+?) (?:react|reacted|respond|responded|reply|"
     r"replied|comment|explain(?:ed)?|describe[sd]?|justify|justified|defend(?:ed)?)\b"
     r"(?:\s+(?:(?:to|about|on|over|regarding)\s+)?(?P<topic>.+))?$")),
    ("said", r"how (?:did|does|do) (?P<subject>.+?) say (?P<topic>.+)"),
    ("said",
     (r"(?:(?:give|show) me |list |find )?(?:any |all |the )*(?:quotes?|quotations?|comments?|"
     r"statements?|reactions?) (?:from|by|of)\s(?P<subject>.+?)(?: (?:about|on)\s(?P<topic>.+))?$")),
    ("said",
     (r"who (?:said|says|claimed|warned|argued|described|told|promised|announced"
      r"|called(?! (?:out |in )?(?:the )?(?:police|fire|ambulance|emergency|help|9)))\b(?P<subject>)(?P<topic>.+)")),
    ("reason", r"(?:and |but |so )?(?:why|how come)\b(?P<subject>.*)"),
    ("reason",
     (r"what (?:(?:was|is|were|are) the (?:reasons?|causes?|grounds?)|caused|led to|prompted|"
     r"triggered|drove|made)\b(?P<subject>.*)")),
    ("reason", r".*\b(?:for what reason|on what grounds)\b(?P<subject>.*)"),
    ("yes_no", r"(?:is it (?:true|right|correct)(?: to say)? that|true or false:?|if|whether)\s(?P<subject>.+)"),
    ("yes_no",
     (r"(?:and |but |so )?(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|"
     r"may|might|isn't|aren't|wasn't|didn't|doesn't|hasn't|haven't|won't)\s(?!you\b)(?P<subject>.+)")),
    ("who",
     (r"(?:and |so )?(?:who|what|wer)(?: is| was| are| were| ist| war)\s(?P<subject>"
     r"(?!the (?-i:[^A-Z])|an? |his\b|her\b|its\b|their\b)[^,?]{2,60}?)"
     r"(?: again| exactly| anyway| now| currently| today| please| pls)?$")),
    ("list", r"(?:list|name|enumerate|give me|show me)\b(?P<subject>.*)"),
    ("list",
     (r"(?:and |but |so )?who (?:all |else )?(?:voted|opposed|backed|supported|attended|were|are|signed|objected"
      r"|(?:has |have )?resigned(?= so far|$))\b(?P<subject>.*)")),
    ("list",
     (r"(?:which|what) (?:(?:other|new|five|four|three|two|different|main) )*(?!(?:was|is|does|has|this|news|happens"
     r"|makes|causes|goes|comes|means|needs|gets|gives|takes|leads|keeps|becomes|remains|helps)\b)"
     r"(?P<subject>[a-z]+(?<![siu])s\b .*|people\b.*|men\b.*|women\b.*|"
     r"countries\b.*|parties\b.*)")),
    ("list", r"what (?:are|were) (?:all )?the\b(?P<subject>.*)"),
    ("list",
     (r"(?:and |but |so )?(?:which|what) (?:(?!(?:of|was|is|does|has|did|do|are|were|the|in)\b)[\w'’-]+ ){0,3}?"
      r"(?P<subject>(?!(?:was|is|does|has|this|news)\b)[a-z]+(?<![siu])s "
      r"(?:are|were|have|had|do|did|will|who|that|besides|in|of|at|from)\b.*)")),
    ("list", r"(?:and |but |so )?(?:who|which people) (?:all |else )+(?P<subject>.+)"),
    ("list", r"what (?:else )?(?:does|did|do|has|have) (?P<subject>.+? (?:recommend|propose)(?:ed|d)?)$"),
    ("list",
     (r"(?:and |but |so )?who (?:(?:is|was|are|were) (?:quoted|interviewed)|spoke|commented|testified)\b"
      r"(?P<subject>.*)")),
)  # fmt: skip
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KIND_PATTERNS)
_NEXT_QUESTION = re.compile(
    rf"\?\s+(?:and |but |also |so )?(?={_ASKING}\b)|[,;]?\s+and\s+(?:also )?(?={_ASKING}\b)", re.IGNORECASE
)
_VERB_ALONE = re.compile(r"(?:who|what) \w+ed", re.IGNORECASE)
_OBJECT = re.compile(r"(?:and )?(?:who|what) \w+ed (?P<object>.+?)\W*\Z", re.IGNORECASE)
_COMPLETED = re.compile(r"(?P<question>.+?) \((?P<topic>[^()]+)\)")  # by bot.query.followup.condense
_POINTERS = frozenset(["", "about it", *"he she him her it they them this that these those there more all".split()])
_NO_NAME = re.compile(
    r"\w+(?:ed|ing|ible|able|less)|to|in|on|at|by|behind|of|about|from|with|after|before|new|next|first|last|left|hurt|dead"
    r"|alive|there|here|right|wrong|taken|stolen|killed|hit|sent|made|known|seen|gone|done|paid|sold|lost|won|he|she|it|they",
    re.IGNORECASE,
)
_TITLES = frozenset("mr mrs ms dr sir dame cllr lord lady prof mayor king queen prince president minister".split())
_MAX_NAME_WORDS = 4
_MAX_PARTS = 3
_MIN_PART_WORDS = 1  # content words: "When and where was it built?" is one question


@dataclass(frozen=True, slots=True)
class Request:
    """A question with its kind.

    ``subject``: who or what is asked about, as written, or "". ``topic``: what the subject speaks of ("said").
    ``parts``: the single questions of "several".
    """

    text: str
    kind: Kind
    subject: str = ""
    topic: str = ""
    parts: tuple[str, ...] = ()


def classify(question: str) -> Request:
    """Classify a standalone question without its opening: ``"What did Ann Lee say?" -> said, subject "Ann Lee"``."""
    text = " ".join(question.split())
    if len(parts := _parts(text)) > 1:
        return Request(text, "several", parts=parts)
    completed = _COMPLETED.fullmatch(text)
    carried = completed["topic"] if completed else ""
    bare = spelled_out(completed["question"] if completed else text).rstrip(" ?!.")
    for kind, pattern in _PATTERNS:
        if (match := pattern.match(bare)) and (kind != "who" or _is_name(match["subject"], bare)):
            slots = {name: _slot(slot, carried) for name, slot in match.groupdict().items()}
            if kind == "timeline" and not completed and _is_pointer(slots["subject"]) and "? " in bare:
                slots["subject"] = classify(bare[: bare.rindex("? ")]).subject  # "What happened to X? timeline of that"
            return Request(text, kind, slots.get("subject", ""), slots.get("topic", ""))
    return Request(text, "fact")


def _is_name(subject: str, question: str) -> bool:
    """Whether "who is …" goes on with a name, not with a deed or a quality: "who is leading the inquiry?".

    In a question without capitals one to three words without an ending of a verb can be a name.
    """
    capitals = any(character.isupper() for character in question[1:])
    words = subject.split()
    if capitals:
        return words[-1][:1].isupper() and (words[0][:1].isupper() or words[0] in _TITLES)
    return len(words) <= _MAX_NAME_WORDS and not any(_NO_NAME.fullmatch(word) for word in words)


def _parts(text: str) -> tuple[str, ...]:
    """Split at question marks and at "and what", where both sides say enough to be questions."""
    starts = [0, *(match.end() for match in _NEXT_QUESTION.finditer(text))]
    parts = [text[start:end].strip(" ,;") for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    parts = [re.sub(r"[\s,;]+(?:and|also|but|so)$", "", part, flags=re.IGNORECASE) for part in parts]
    if len(parts) > 1 and _VERB_ALONE.fullmatch(parts[0]) and (other := _OBJECT.match(parts[-1])):
        parts[0] = f"{parts[0]} {other['object']}"  # "Who defended and who criticised the warning?"
    is_each_question = all(re.match(rf"(?:and |but )?{_ASKING}\b", part, re.IGNORECASE) for part in parts)
    says_enough = all(len(content_words(part)) >= _MIN_PART_WORDS for part in parts)
    return tuple(parts) if 1 < len(parts) <= _MAX_PARTS and is_each_question and says_enough else (text,)


def _is_pointer(subject: str) -> bool:
    return fold(subject).removesuffix(" please") in _POINTERS


def _slot(text: str | None, carried: str) -> str:
    """A slot as written; the topic that a follow-up was completed with, if it is empty or only points there."""
    slot = (text or "").partition("? ")[0].strip(" ,:;?")
    return carried if carried and text is not None and fold(slot) in _POINTERS else slot
