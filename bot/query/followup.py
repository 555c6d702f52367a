"""Condense a follow-up and the turns before it into a standalone question, by rules.

Only a question that cannot be understood alone is completed. Any other is returned to the letter, since words of an old
topic make the search for a new one worse. The rules are those that gain on MTRAG-UN (docs/quality.md, "Follow-ups"),
those that leave new topics alone, and `_POINTER`, which gains next to nothing there but is how people write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.models import Turn
from bot.query.chitchat import reply
from bot.query.opening import without_opening
from bot.query.wording import is_past_form
from index.models import Span
from index.text import MONTH, STOP_WORDS, name_spans, names, word_spans, words

_MAX_TURNS = 20
_MAX_TOPICS = 3  # earlier questions that complete a follow-up
_MAX_CHARACTERS = 1000  # a longer question brings its own content
_MAX_TOPIC_CHARACTERS = 300  # a pasted article is not a topic
_FEW_WORDS = 2  # content words that are too few to say what is asked about
_FEW_WORDS_DEFINITE = 3  # the same beside "the attack": "How did the government end the strike?"

# Politeness, and the verbs of asking and being: they say nothing of the topic.
_FILLER = frozenset(
    """actually again anything btw exactly explain give going good got happen happened happening hear heard hello
    hi hmm i'd i'm interested know let's like many mean meant much need ok okay oops please react reacted really
    respond responded right said say says show sorry still sure talk talking tell thank thanks think want was well
    what's who's where's yes yeah yet""".split()
)
# "What's new?", "tell me more about the second one"
_NO_TOPIC = frozenset("new news latest headlines first second third fourth fifth last one article story piece".split())
_NO_CONTENT = STOP_WORDS | _FILLER
# "Who is Raisi?", "What happened at the Oscars?"
_DEFINITION = re.compile(
    r"\b(?:who|what|where|when)(?:['\u2019]s|\s+(?:is|are|was|were))\b|\bwhat happened (?:at|in|on|to|with)\b"
    r"|\b(?:tell me (?:more )?about|define|describe)\b",
    re.IGNORECASE,
)
# "What is a duty?", "What are sandboxes?"
_INDEFINITE = re.compile(r"\bwhat(?:(?:['\u2019]s|\s+is)\s+an?\b|\s+are\s+(?!the\b))", re.IGNORECASE)
# "… respond to the attack?": a certain thing, unless there is only one. "The cup final" says itself which.
_DEFINITE = re.compile(
    r"\bthe\s+(?!(?:world|internet|future|past|moon|sun|sea|sky|earth|universe|day|week|weekend|month|year)\b)[a-z]+"
    r"(?:\W*$|\s+(?:is|are|was|were|has|had|have|do|does|did|will|would|can|could|where|when|who|that|which|and|or|in|on|at"
    r"|to|for|from|with|by|after|before|about)\b)"
)
# A new clause: a pronoun may refer across its beginning, and never to a thing of its own clause.
_CLAUSE = re.compile(
    r"[,;:.!?]|\b(?:and|but|or|if|when|while|after|before|because|since|that|which|who|whom|whose|why|how|where|than|as)\b",
    re.IGNORECASE,
)
# Not "it" in "Is it true that …?".
_PRONOUN = re.compile(
    r"\b(?P<own>his|hers?|its|theirs?|(?:him|her|it)self|themselves)\b|\b(?:s?he|they|him|them)\b"
    r"|\bit\b(?!(?:'s)?\s+(?:is\s+|was\s+)?\w+\s+(?:that|to|for|if|when)\b)",
    re.IGNORECASE,
)
_POINTER = re.compile(
    r"\b(?:this|that|these|those|there)\W*$|\belse\b|\b(?:for|of) each\W*$"
    r"|\b(?:of|about|for|in|on|at|to|with|from|by|is|was|did|does)\s+(?:this|that|these|those)\b",
    re.IGNORECASE,
)
_QUESTION_WORD = re.compile(
    r"\b(?:who|whom|whose|when|where|which|why|(?:what|how)(?! about\b| of\b))\b"
    r"|^\W*(?:(?:and|but|so|then)\s+)?(?:any|anything|is|are|was|were|do|does|did|has|have|had|can|could|will|would"
    r"|should|may|tell|give|show|list|explain|describe)\b",
    re.IGNORECASE,
)
# "Summarise the strike", "What's new about the ferry?": the subject is in it.
_ABOUT = re.compile(
    r"\A\W*(?:(?:please|can you|give me|show me|write)\s+){0,3}(?:summari[sz]e|sum up|(?:an?\s+|the\s+)?(?:\w+\s+)?"
    r"(?:summary|overview|timeline|chronology)\s+of|what(?:'s|\u2019s|\s+is)\s+(?:new|the latest)\s+"
    r"(?:about|on|with|in))\s+(?P<subject>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
# "And in Zahedan?", "what about the union?": what it puts in the place of something in the question before.
_ELLIPSIS = re.compile(
    r"\A\W*(?:(?:and|or|but|so)\s+(?:(?:what|how) about\s+)?|(?:what|how) about\s+)(?P<rest>\w.*?)\W*\Z",
    re.IGNORECASE | re.DOTALL,
)
_MAX_ELLIPSIS_WORDS = 4  # content words
# "And when?" after "Why did the drivers strike?"; not after "Who won?", whose verb would be another.
_ONLY_WORD = re.compile(r"\A\W*(?:(?:and|but|so) )?(?P<word>when|where|why|how)\W*\Z", re.IGNORECASE)
_REPLACED_WORD = re.compile(
    r"\A\W*(?:(?:and|but|so) )?(?:(?:when|where|why|how) (?=(?:did|does|do|was|were|is|are|will|has|have|had)\b)"
    r"|(?:what|who|whom) (?=(?:did|does|do)\b))",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(  # "How long did the strike last?" is about a strike
    r"\A\W*(?:(?:and|but|so) )?how (?:long|old|far|big|tall|high|often|soon|large|deep|heavy|fast|late) "
    r"(?=(?:did|does|do|was|were|is|are|will|has|have|had)\b)",
    re.IGNORECASE,
)
_NEAR = re.compile(r"(?:today|yesterday|now|tomorrow|tonight|(?:this|last|next) \w+)\Z", re.IGNORECASE)
_PLACE = re.compile(r"(?:in|at|on|near|off|from)\b", re.IGNORECASE)
_OWNER = re.compile(r"\b(?:(?:the|an?) )?[\w-]+['’]s\b", re.IGNORECASE)
BODY = re.compile(
    r"\bthe (?P<noun>company|firm|union|club|council|party|charity|agency|museum|airline|bank)\b(?! of\b|['’])",
    re.IGNORECASE,
)
_ANOTHER_ONE = re.compile(r"(?P<which>the (?:\w+ )?\w+) one\Z", re.IGNORECASE)
_DETERMINED = re.compile(r"\b(?:the|an?|his|her|its|their)\s", re.IGNORECASE)
_NAME = re.compile(r"(?<=\s)(?:the )?[A-ZÀ-Þ][\w'’-]*(?: [A-ZÀ-Þ][\w'’-]*)*")
_THING = re.compile(
    r"\b(?:the|an?|his|her|its|their) (?!(?:in|at|on|by|for|from|with|of)\b)[\w'’-]+"
    r"(?: (?!(?:in|at|on|by|for|from|with|of|to|after|before|during|and|or|that|which|who|the|an?|his|her|its|their)\b)"
    r"[\w'’-]+)*",
    re.IGNORECASE,
)
_PREPOSITION_BEFORE = re.compile(r"\b(?:in|at|on|by|for|from|with|of|to|near) \Z", re.IGNORECASE)
_AUXILIARY_BEFORE = re.compile(r"\b(?:do|does|did|will|would|can|could|has|have|had) \Z", re.IGNORECASE)
_BE_BEFORE = re.compile(r"\b(?:is|are|was|were) \Z", re.IGNORECASE)
_PREPOSITION = re.compile(
    r"(?:in|at|on|by|for|from|with|of|after|before|during|since|against|under|over|to)\b", re.IGNORECASE
)
_PHRASE = re.compile(  # "in the Kerman attack", "in July"
    r"\b(?:in|at|on|by|for|from|with|of|after|before|during|since|against|under|over|to)\s(?:(?!\b(?:in|at|on|by|for|from"
    r"|with|after|before|during|since|against|under|over|to)\b).)+",
    re.IGNORECASE,
)
_WHEN = re.compile(
    rf"\b(?:{MONTH}\b|(?:1\d|20)\d\d\b|\w+day\b|week|month|year|spring|summer|autumn|winter)", re.IGNORECASE
)
_IT = re.compile(r"\b(?:it|them|they|him|her|that|this)\b", re.IGNORECASE)
# "And who voted for it?": the sea wall that others voted against, whose side must not be carried over.
_IT_VOTED_ON = re.compile(r"(?:(?<=\bfor )|(?<=\bagainst ))it\b", re.IGNORECASE)
_ASKS_THING = re.compile(r"\W*(?:(?:and|but|so) )?(?:what|which|where)\b", re.IGNORECASE)
_PLACE_BEFORE = re.compile(r"\b(?:in|at|near|from|on|of) \Z", re.IGNORECASE)
_COMPLETED = re.compile(  # by `condense`
    r"(?:(?:and|but|so|then)\s+)?(?P<question>[^\s(][^(]*) \((?P<topic>\S.*)\)", re.IGNORECASE | re.DOTALL
)
# "Tell me more", "go on", "anything else?": what the conversation has not shown yet.
_MORE = re.compile(
    r"\A\W*(?:(?:and|so|ok(?:ay)?|please|yes|great|thanks),? )*(?:(?:can|could) you )?(?:please )?"
    r"(?:tell me (?:some )?more|(?:some |any )?more(?: details?| information| info)?|go on|continue|carry on|keep going"
    r"|(?:is there )?(?:any|some)thing (?:else|more)|what (?:else|more)|give me more)"
    r"(?P<about> (?:about|on) (?!(?:it|this|that|them)\W*$).+|(?: (?:about|on) \w+)?(?:,? please)?\W*)",
    re.IGNORECASE,
)
# "In short?", "and in Slack terms?": the answer is quoted, so it is the same again.
_AGAIN = re.compile(
    r"\A\W*(?:(?:and|so|now|ok(?:ay)?|please|can you|could you|(?:say|put|explain) (?:it|that)),? )*"
    r"(?:in (?:short|brief|slack terms|plain (?:english|words)|simple (?:terms|words)|other words|a nutshell"
    r"|layman's terms|a few words|(?:one|a|two) (?:sentence|line|word)s?)|briefly"
    r"|(?:make it )?(?:a bit )?(?:shorter|simpler|briefer)"
    r"|shorten (?:it|that)|rephrase(?: (?:it|that))?|tl;?dr|eli5|(?:say|repeat) (?:it|that)(?: again)?|repeat|once more"
    r"|the short version|for slack|as (?:a list|bullet points|bullets))(?: again)?(?:,? please)?\W*",
    re.IGNORECASE,
)


def asks_for_more(question: str) -> bool:
    """Whether a question asks for what was not said yet: "tell me more", "anything else about the ferry?"."""
    return _MORE.fullmatch(question) is not None


def question_again(question: str, turns: Sequence[Turn]) -> tuple[str, Sequence[Turn]] | None:
    """The question that "in short?" or "go on" repeats, and the turns before it; None for any other question.

    ``("", ())`` if the conversation has none yet.
    """
    if not (_AGAIN.fullmatch(question) or _is_only_more(question)):
        return None
    for position, turn in reversed(list(enumerate(turns[-_MAX_TURNS:], max(0, len(turns) - _MAX_TURNS)))):
        text = turn.text[:_MAX_CHARACTERS]
        is_same = _AGAIN.fullmatch(text) or (_is_only_more(question) and _is_only_more(text))
        if turn.role == "user" and not (is_same or reply(text)):
            return turn.text, turns[:position]
    return "", ()


def _is_only_more(question: str) -> bool:
    """Whether a question asks for more, and not of what."""
    more = _MORE.fullmatch(question)
    return more is not None and not content_words(more["about"])


def condense(question: str, turns: Sequence[Turn]) -> str:
    """Complete a follow-up by the earlier questions; return any other question, and any first one, to the letter.

    After "Who was killed in Kerman?": "and who claimed it?" -> "and who claimed it? (killed in Kerman)".
    Without a question word of its own it takes the place of its like in the earlier question: "and in Zahedan?" ->
    "Who was killed in Zahedan?"; or if there is none it follows that question.
    """
    topics = _topics(question, turns) if needs_completion(question) else []
    if not topics:
        return question
    if _is_only_more(question):
        question = "Tell me more"
    if whole := _substituted(question, topics):
        return whole
    if _IT_VOTED_ON.search(question) and (thing := _single_thing(topics)):
        return _IT_VOTED_ON.sub(lambda _: thing, question.strip(), count=1)
    if not asks(question):
        return " ".join([*(topic if topic[-1] in "?.!" else f"{topic}." for topic in topics), question.strip()])
    return f"{question.strip()} ({'; '.join(dict.fromkeys(map(_without_question_word, topics)))})"


def _single_thing(topics: Sequence[str]) -> str:
    """What "it" stands for, if the only earlier question names a single thing and asks for none.

    "The sea wall" of "Who voted against the sea wall?"; not the museum of "What was taken from the museum?".
    """
    earlier = topics[0].rstrip(" ?.!")
    span = _last_thing(earlier) if len(topics) == 1 and not _ASKS_THING.match(earlier) else None
    if span is None or len(_THING.findall(earlier)) > 1 or _PLACE_BEFORE.search(earlier, 0, span.start):
        return ""
    return "" if name_spans(earlier[: span.start] + earlier[span.end :]) else earlier[slice(*span)]


def topic_first(query: str) -> str:
    """Write a completed follow-up as prose, which the reader was trained on: "Killed in Kerman. Who claimed it?".

    As `condense` writes it, with the topic in brackets behind, the reader takes the topic for an aside, and finds what
    anybody claimed: its AUC on 33 such questions of MTRAG-UN is .67, and .84 in this form (2026-11-27).
    """
    completed = _COMPLETED.fullmatch(query)
    if not completed:
        return query
    topic, question = completed["topic"], completed["question"]
    return f"{topic[0].upper()}{topic[1:]}. {question[0].upper()}{question[1:]}"


def needs_completion(question: str) -> bool:
    """Whether a question depends on earlier turns: "why did he leave?", "when?", "what about Trump?"."""
    if len(question) > _MAX_CHARACTERS:
        return False
    content = content_words(question)
    if points_back(question) or is_ellipsis(question):
        return True
    if (asked := _ABOUT.search(question)) and not _NO_TOPIC.issuperset(content_words(asked["subject"])):
        return False
    if _DEFINITE.search(question) and len(content) <= _FEW_WORDS_DEFINITE:
        return True
    if names(question):
        return len(content) < _FEW_WORDS and not _DEFINITION.search(question)
    return len(content) <= _FEW_WORDS and not _INDEFINITE.search(question)


def asks(question: str) -> bool:
    """Whether a message has a question word of its own, or asks for more."""
    return bool(_QUESTION_WORD.search(question)) or asks_for_more(question)


def is_ellipsis(question: str) -> bool:
    """Whether a question is only what it asks anew: "and in Zahedan?", "what about the union?"."""
    return (
        _ELLIPSIS.fullmatch(question) is not None
        and not _QUESTION_WORD.search(question)
        and 0 < len(content_words(question)) <= _MAX_ELLIPSIS_WORDS
    )


def _substituted(question: str, topics: Sequence[str]) -> str:
    """Put an ellipsis in the place of its like in the last question; "" if there is none.

    A phrase with a preposition in the place of one with the same, a name of a name, "the strike" of "the wall", "hurt"
    of "killed"; and "the second one" before the thing that the conversation began with.
    """
    ellipsis, earlier = _ELLIPSIS.fullmatch(question), topics[-1].rstrip(" ?.!")
    if (only := _ONLY_WORD.match(question)) and (replaced := _REPLACED_WORD.match(earlier)):
        return f"{only['word'].capitalize()} {earlier[replaced.end() :]}?{_carried(earlier, topics)}"
    if not ellipsis or not is_ellipsis(question):
        return ""
    rest = ellipsis["rest"]
    if other := _ANOTHER_ONE.fullmatch(rest):
        thing = _without_question_word(topics[0])
        pattern = re.compile(rf"(?:\bthe )?{re.escape(thing)}" if len(topics) == 1 else _IT.pattern, re.IGNORECASE)
        whole = pattern.sub(lambda _: f"{other['which']} {thing}", earlier, count=1)
        return f"{whole}?" if whole != earlier else ""
    preposition = _PREPOSITION.match(rest)
    if preposition or _NEAR.match(rest):
        alike = [phrase for phrase in _PHRASE.finditer(earlier) if bool(_WHEN.search(phrase.group())) == _is_time(rest)]
        same = [phrase for phrase in alike if preposition and phrase.group().startswith(preposition.group())]
        if not same and (_is_time(rest) or (_PLACE.match(rest) and name_spans(f"It {rest}"))):
            same = [phrase for phrase in alike if _is_time(rest) or _PLACE.match(phrase.group())]
        start, end = same[-1].span() if same else (len(earlier), len(earlier))
        whole = f"{earlier[:start].rstrip()} {rest} {earlier[end:]}"
    elif rest.endswith(("'s", "’s")) and (owners := list(_OWNER.finditer(earlier))):
        whole = f"{earlier[: owners[-1].start()]}{rest}{earlier[owners[-1].end() :]}"
    elif name_spans(f"It {rest}") and (span := _last_name(earlier) or _last_body(earlier)):
        owner = earlier[span.start : span.end][-2:] if earlier[: span.end].endswith(("'s", "’s")) else ""
        whole = f"{earlier[: span.start]}{rest}{owner}{earlier[span.end :]}"
    elif _DETERMINED.match(rest) and (span := _last_thing(earlier)):
        whole = f"{earlier[: span.start]}{rest}{earlier[span.end :]}"
    else:
        return ""
    return f"{' '.join(whole.split())}?{_carried(earlier, topics)}"


def _carried(earlier: str, topics: Sequence[str]) -> str:
    """The topics before the last question, in brackets, if that points to them."""
    return f" ({'; '.join(map(_without_question_word, topics[:-1]))})" if points_back(earlier) and topics[1:] else ""


def _is_time(phrase: str) -> bool:
    return bool(_WHEN.search(phrase) or _NEAR.match(phrase))


def _last_name(text: str) -> Span | None:
    """The last name of a question with its article; None if a preposition stands before it, for it may be a place."""
    named = [Span(*match.span()) for match in _NAME.finditer(text)]
    return named[-1] if named and not _PREPOSITION_BEFORE.search(text, 0, named[-1].start) else None


def _last_body(text: str) -> Span | None:
    """The last body of a question without a name: "the union" of "what does the union want?"."""
    bodies = [Span(*match.span()) for match in BODY.finditer(text)]
    return bodies[-1] if bodies and not _NAME.search(text) else None


def _last_thing(text: str) -> Span | None:
    """The last thing of a question: "the sea wall" of "what did the sea wall cost?", without the verb behind it."""
    found = list(_THING.finditer(text))
    if not found:
        return None
    thing = found[-1]
    end, last = thing.end(), thing.group().rpartition(" ")
    is_verb = _AUXILIARY_BEFORE.search(text, 0, thing.start()) or (
        is_past_form(last[2]) and _BE_BEFORE.search(text, 0, thing.start())
    )
    return Span(thing.start(), end - len(last[2]) - 1 if is_verb and " " in last[0] else end)


def stands_by_itself(question: str) -> bool:
    """Whether nothing in a question points elsewhere, so that it can be searched for as it is."""
    return len(content_words(question)) >= _FEW_WORDS and not (points_back(question) or _DEFINITE.search(question))


def content_words(text: str) -> list[str]:
    """List the distinct words that say what a text is about."""
    return [word for word in dict.fromkeys(words(text)) if word not in _NO_CONTENT]


def points_back(question: str) -> bool:
    """Whether a pronoun or a pointer of a question refers to something outside it: "and who designed it?"."""
    return bool(_POINTER.search(question)) or any(
        not _has_antecedent(question, pronoun) for pronoun in _PRONOUN.finditer(question)
    )


def _has_antecedent(question: str, pronoun: re.Match[str]) -> bool:
    """Whether something before a pronoun can be its antecedent.

    For "he" and "it" in an earlier clause ("what did Iran say after it was hit?"), for "his" and "its" also in the same
    clause ("how did Iran defend its airspace?").
    """
    end = pronoun.start()
    if not pronoun["own"]:
        end = max((clause.start() for clause in _CLAUSE.finditer(question, 0, end)), default=0)
    return bool(content_words(question[:end]))


def _topics(question: str, turns: Sequence[Turn]) -> list[str]:
    """Return the earlier questions back to the last standalone one, oldest first, at most three."""
    topics: list[str] = []
    for turn in reversed(turns[-_MAX_TURNS:]):
        text = " ".join(turn.text[:_MAX_CHARACTERS].split())
        if turn.role != "user" or text == " ".join(question.split()) or _NO_TOPIC.issuperset(content_words(text)):
            continue
        if reply(text) or _is_only_more(text) or _AGAIN.fullmatch(text):
            continue
        topics.append(without_opening(text)[:_MAX_TOPIC_CHARACTERS])
        more = _MORE.fullmatch(text)
        is_new_topic = more is not None and not points_back(more["about"])
        if len(topics) == _MAX_TOPICS or is_new_topic or not needs_completion(text):
            break
    return list(dict.fromkeys(reversed(topics)))


def _without_question_word(topic: str) -> str:
    """Cut what stands before the first content word: "Who was killed in Kerman?" -> "killed in Kerman"."""
    topic = _HOW_MUCH.sub("", topic)
    start = next((span.start for word, span in word_spans(topic) if word not in _NO_CONTENT), len(topic))
    return topic[start:].rstrip(" ?.!")
