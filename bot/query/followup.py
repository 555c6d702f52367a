"""A follow-up and the turns before it -> a question that stands alone, by rules and without a language model.

Only what cannot be understood alone is completed: a question that brings its own names and content is returned
to the letter, since words of an old topic make a search for a new one worse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.models import Turn
from bot.query.chitchat import reply
from index.text import STOP_WORDS, names, stem, word_spans, words

_MOST_TURNS = 20  # a chain of follow-ups is followed this far back
_NEAREST = 3  # earlier questions that are kept beside the one that the chain began with
_LONGEST = 1000  # characters: what is longer brings its own content
_LONGEST_TOPIC = 300  # characters of an earlier turn: a pasted article is not a topic
_LAST = 4  # turns: the last two questions and their answers
_FEW = 2  # content words that are too few to say what is asked about
_MANY = 7  # content words, a name among them, that stand alone whatever pronouns are between
_MANY_UNNAMED = 9
_FEW_CERTAIN = 3  # the same beside "the attack": "How did the government end the strike?"
_FEW_UNNAMED = 4  # the same where none of them is a name: "Which bank lends most?"

# Words that say nothing of what is asked about: politeness, and the verbs of asking and being.
_FILLER = frozenset(
    """actually again anything btw exactly explain give going good got happen happened happening hear heard hello
    hi hmm i'd i'm interested know let's like many mean meant much need ok okay oops please react reacted really
    respond responded right said say says show sorry still sure talk talking tell thank thanks think want was well
    what's who's where's yes yeah yet""".split()
)
_OPENING = re.compile(
    r"\W*(?:(?:and|but|so|or|then|also|well|ok|okay|yes|no|thanks|thank you|sorry|oh)\b[\s,.!]*)+", re.IGNORECASE
)
# "And why did Israel leave?": an opening that ties a question to what was said, as a "Thanks!" does not.
_CONNECTED = re.compile(r"\W*(?:and|but|so|or|then|also)\b", re.IGNORECASE)
# "What is a duty?", "What are sandboxes?": any, not a certain one that was spoken of before.
_ANY_THING = re.compile(r"what(?:'s|\u2019s|\s+is)\s+an?\b|what\s+are\s+(?!the\b)", re.IGNORECASE)
_WHAT_ABOUT = re.compile(r"(?:what|how) about\b|what of\b", re.IGNORECASE)
_DEFINITION = re.compile(
    r"(?:please\s+)?(?:(?:who|what|where)(?:(?P<now>'s|\u2019s|\s+(?:is|are))|\s+(?:was|were))"
    r"|when (?:is|was)|what happened (?:at|in|on|to|with)|tell me (?:more )?about|define|describe)\b",
    re.IGNORECASE,
)
# "… respond to the attack?", "how were the rooms where …": a thing that was spoken of before, but for the few that
# there is one of. "The cup final" and "the parts of the ear" say themselves which.
_THE_THING = re.compile(
    r"\bthe\s+(?!(?:world|internet|future|past|moon|sun|sea|sky|earth|universe|day|week|weekend|month|year)\b)[a-z]+"
    r"(?:\W*$|\s+(?:is|are|was|were|has|had|have|do|does|did|will|would|can|could|where|when|who|that|which|and|or|in|on|at"
    r"|to|for|from|with|by|after|before|about)\b)"
)
# Where a new clause begins: a pronoun may point back across it, and never to a thing of its own clause.
_CLAUSE = re.compile(
    r"[,;:.!?]|\b(?:and|but|or|if|when|while|after|before|because|since|that|which|who|whom|whose|why|how|where|than|as)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:he|she|it|they|him|them|his|her|hers|its|their|theirs|himself|herself|itself|themselves"
    r"|he's|she's|it's|they're)\b",
    re.IGNORECASE,
)
_POSSESSIVE = frozenset("his her hers its their theirs himself herself itself themselves".split())
_EMPTY_IT = re.compile(
    r"\bit(?:'s)?\s+(?:is\s+|was\s+)?\w+\s+(?:that|to|for|if|when)\b|\bit(?:'s|\s+is|\s+was)?\s+(?:true|possible|rain|snow)",
    re.IGNORECASE,
)
_POINTER = re.compile(
    r"\b(?:is|was|are|were|did|does|do|of|about|for|in|on|at|to|with|from|by|after|before|since|like|than|and|over)"
    r"\s+that\b(?!\s+(?:he|she|it|they|the|there|you|we|i)\b)|^\W*that(?:'s|\u2019s)?\b|\bthat\W*$"
    r"|\bthis\b(?!\s+(?:past\s+)?(?:day|week|weekend|month|quarter|year|decade|century|morning|afternoon|evening|summer|spring"
    r"|winter|fall|autumn|season|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march"
    r"|april|may|june|july|august|september|october|november|december)\b)"
    r"|\bthose\b(?!\s+(?:who|that|with|in|of|killed|\w+ed)\b)|\bthese\b(?!\s+days\b)"
    r"|(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbeen )(?<!\bbe )\bthere\b"
    r"(?!\s+(?:is|are|was|were|be|been|has|have|will)\b|')"
    r"|\b(?:which|this|that|another|other|an?)\s+ones?\b|\bones?\W*$|\bthe\s+(?:former|latter|others?)\W*$|\belse\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:who|whom|whose|what|when|where|which|why|how)\b|^\W*(?:is|are|was|were|do|does|did|has|have|had|can|could"
    r"|will|would|should|may|tell|give|show|list|explain|describe)\b",
    re.IGNORECASE,
)
_WHO = re.compile(r"\bwho\b", re.IGNORECASE)
_PERSON = re.compile(r"\b(?:he|she|they|him|them|his|her|hers|their)\b", re.IGNORECASE)
# "Donald Trump", "Joseph R. Biden", "Ebrahim Raisi": two capitalised words or more, none of them a function word.
_FULL_NAME = re.compile(
    r"\b(?!(?:The|A|An|In|On|At|But|And|After|Before)\b)[A-Z][\w'\u2019-]+(?: (?:(?:[A-Z]\.)+|[A-Z][\w'\u2019-]+))+"
)
_EMPTY = STOP_WORDS | _FILLER


def condense(question: str, turns: Sequence[Turn]) -> str:
    """A question that stands alone; the question itself, to the letter, where it does or nothing was asked before.

    After "Who was killed in Kerman?": "and who claimed it?" -> "and who claimed it? (killed in Kerman)".
    What asks nothing by itself comes after the question that it varies: "and in Zahedan?" ->
    "Who was killed in Kerman? and in Zahedan?".
    """
    topics = _topics(question, turns) if needs_completion(question, turns) else []
    if not topics:
        return question
    follow_up, asked = question.strip(), _asked(question)
    if _WHAT_ABOUT.match(asked) or not _ASKS.search(asked):
        return " ".join([*(topic if topic[-1] in "?.!" else f"{topic}." for topic in topics), follow_up])
    clues = [*(clue for topic in topics if (clue := _clue(topic))), *_person(question, turns)]
    return f"{follow_up} ({'; '.join(dict.fromkeys(clues))})" if clues else question


def needs_completion(question: str, turns: Sequence[Turn] = ()) -> bool:
    """Whether a question points outside itself: "why did he leave?", "when?", "what about Trump?".

    One that is short and points nowhere does so where it goes on about what the last ``turns`` were about.
    """
    if len(question) > _LONGEST:
        return False
    asked = _asked(question)
    content, named = content_words(asked), set(names(asked))
    if len(content) >= (_MANY if named else _MANY_UNNAMED):
        return False
    if _WHAT_ABOUT.match(asked) or _points_back(asked):
        return True
    definition = _DEFINITION.match(asked)
    if named and definition and (definition["now"] or named.issuperset(content)):
        return False
    if _leaves_out(asked, content, named):
        return True
    short = len(content) <= _few(asked, content, named)
    return short and (_says_too_little(asked, content, named) or _goes_on(question, content, turns))


def stands_by_itself(question: str) -> bool:
    """Whether nothing in a question points elsewhere, so that it may be searched for where it is said to be whole."""
    return len(content_words(question)) >= _FEW and not (_points_back(question) or _THE_THING.search(question))


def _few(asked: str, content: list[str], named: set[str]) -> int:
    """How many content words are too few for a question to stand on."""
    if named:
        return _FEW - (content[-1] in named)  # "Who created ARPANET?" is whole, "Why did Trump leave?" is not
    # Who types no capitals writes names without them too: then no name seen does not mean no name.
    return _FEW_UNNAMED if asked != asked.lower() and _ASKS.search(asked) else _FEW


def _leaves_out(asked: str, content: list[str], named: set[str]) -> bool:
    """Whether a question speaks of a certain thing and not of which, or only names who: "What did Joe Biden say?"."""
    if _THE_THING.search(asked) and len(content) <= _FEW_CERTAIN:
        return True
    return named.issuperset(content) and len(content) <= _FEW and bool(_ASKS.search(asked))


def _says_too_little(asked: str, content: list[str], named: set[str]) -> bool:
    """Whether a question has too few words even for a new topic: "How many were hurt?", "What did Macron say?"."""
    if named:
        return len(content) < _FEW
    return len(content) <= _FEW and not _ANY_THING.match(asked)


def _goes_on(question: str, content: list[str], turns: Sequence[Turn]) -> bool:
    """Whether a question says "and", or shares a word with the last turns, so that its topic is likely theirs."""
    said = {stem(word) for turn in turns[-_LAST:] for word in content_words(turn.text[:_LONGEST])}
    return bool(_CONNECTED.match(question)) or not said.isdisjoint(stem(word) for word in content)


def _asked(question: str) -> str:
    """A question without its opening: "And who was Hubble?" -> "who was Hubble?"."""
    opening = _OPENING.match(question)
    return question[opening.end() :] if opening else question.lstrip()


def content_words(text: str) -> list[str]:
    """The words that say what a text is about, each once."""
    return [word for word in dict.fromkeys(words(text)) if word not in _EMPTY]


def _points_back(question: str) -> bool:
    if _POINTER.search(question):
        return True
    plain = _EMPTY_IT.sub(lambda match: " " * len(match.group()), question)
    return any(not _has_antecedent(plain, match) for match in _PRONOUN.finditer(plain))


def _has_antecedent(question: str, pronoun: re.Match[str]) -> bool:
    """Whether something before a pronoun can be what it stands for.

    For "he" and "it" that is a thing of an earlier clause ("what did Iran say after it was hit?"), for "his" and
    "its" also one of the same clause ("how did Iran defend its airspace?").
    """
    end = pronoun.start()
    if pronoun.group().lower() not in _POSSESSIVE:
        end = max((match.start() for match in _CLAUSE.finditer(question, 0, end)), default=0)
    return bool(content_words(question[:end]))


def _topics(question: str, turns: Sequence[Turn]) -> list[str]:
    """What was asked before: the last question that stood alone and, after it, the nearest follow-ups to it."""
    topics: list[str] = []
    for place in range(len(turns) - 1, max(-1, len(turns) - 1 - _MOST_TURNS), -1):
        turn = turns[place]
        text = " ".join(turn.text[:_LONGEST].split())
        if turn.role != "user" or text == " ".join(question.split()) or not content_words(text) or reply(text):
            continue
        topics.append(text[:_LONGEST_TOPIC])
        if not needs_completion(text, turns[:place]):
            break
    return list(dict.fromkeys([*topics[-1:], *reversed(topics[:_NEAREST])]))


def _clue(topic: str) -> str:
    """An earlier question without its question word: "Who was killed in Kerman?" -> "killed in Kerman"."""
    start = next((span.start for word, span in word_spans(topic) if word not in _EMPTY), len(topic))
    return topic[start:].rstrip(" ?.!")


def _person(question: str, turns: Sequence[Turn]) -> list[str]:
    """Whom "he" is, where the question before asked who and was answered: the first full name in that answer."""
    asked, answered = ([None, None, *turns])[-2:]
    if not asked or not answered or (asked.role, answered.role) != ("user", "assistant"):
        return []
    if not (_PERSON.search(question) and _WHO.search(asked.text)):
        return []
    known = set(words(asked.text))
    for match in _FULL_NAME.finditer(answered.text[:_LONGEST]):
        if known.isdisjoint(words(match.group())):
            return [match.group()]
    return []
