"""Chitchat: messages that ask nothing of the articles (greetings, thanks, "what can you do?", an empty line). English.

A message is chitchat only if *all* of its words are: "hi, who was killed in Kerman?" is a question.
"""

from __future__ import annotations

import re

from index.text import fold

# By precedence: the first kind that a message holds chooses the reply.
_REPLIES = {
    "about": "I answer questions from the news articles that have been indexed, and each answer cites the sentences it "
    "stands on. Where the articles do not say, I say so. Ask me, for example: "
    '"Who …?", "When did …?" or "Why …?".',
    "bye": "Goodbye! The articles and I will be here.",
    "thanks": "You are welcome. Is there anything else you would like to know from the articles?",
    "greeting": "Hello! I answer questions from the indexed news articles, with citations. What would you like to ask?",
    "assent": "All right. Ask me anything about the indexed articles.",
}
_NO_QUESTION = "There is no question in that. Ask me something about the indexed articles."
_PHRASES = {
    "about": """help|help me|please help|can you help me|can you help|could you help me|i need help|help please
        |who are you|what are you|who r u|what is this|what's this|what is your name|what's your name
        |what can you do|what can you do for me|what do you do|what can i ask|what can i ask you
        |what should i ask|what can you help me with|what can you help with|how can you help|how can you help me
        |how do you work|how does this bot work|how do i use this|how do i use you|what do you know
        |are you a bot|are you human|are you a human|are you an ai|are you ai|are you a robot|are you there
        |introduce yourself|tell me about yourself""",
    "greeting": """hi|hello|hey|hiya|heya|hallo|howdy|yo|greetings|good morning|good afternoon|good evening|good day
        |morning|how are you|how are you doing|how are you today|how's it going|how is it going|what's up|whats up|sup
        |nice to meet you|ping|test|testing""",
    "thanks": """thanks|thank you|thank u|thankyou|thx|ty|cheers|many thanks|much appreciated|i appreciate it
        |appreciate it|thanks for your help|thanks for the help|thank you for your help|thank you for the help
        |thanks for the answer|thank you for the answer|that helps|that helped|that was helpful|very helpful|helpful
        |good job|well done|nice work|great answer|good answer""",
    "bye": """bye|goodbye|good bye|bye bye|see you|see ya|see you later|see you soon|see you tomorrow|later|farewell
        |good night|have a nice day|have a good day|take care""",
    "assent": """ok|okay|k|yes|yeah|yep|no|nope|sure|right|all right|alright|fine|great|cool|nice|good|perfect|awesome
        |wonderful|excellent|wow|interesting|i see|got it|understood|i understand|good to know|never mind|nevermind
        |no problem|sorry|oops|hm|hmm|oh|ah|lol|haha|that is fine|that's fine|that is all|that's all""",
    # Fillers: chitchat only beside another phrase.
    "": """there|all|everyone|everybody|team|bot|clippings|friend|sir|madam|again|so much|very much|a lot|please|you
        |and|so|very|really|for now|to you|to you too|today""",
}
_KINDS = {" ".join(phrase.split()): kind for kind, phrases in _PHRASES.items() for phrase in phrases.split("|")}
_MAX_PHRASE_WORDS = max(len(phrase.split()) for phrase in _KINDS)
_MAX_WORDS = 15
_MAX_CHARACTERS = 500
_STRETCHED = re.compile(r"([a-z])\1{2,}$")


def reply(question: str) -> str | None:
    """Reply to chitchat; None for anything that may be a question.

    "good morning!" -> "Hello! …", "thanks, and who claimed it?" -> None, "👍" -> "There is no question in that. …"
    """
    if len(question.strip()) > _MAX_CHARACTERS:
        return None
    words = re.findall(r"[\w'-]*[^\W_][\w'-]*", fold(question).replace("_", " "))
    if not words:
        return _NO_QUESTION
    kinds = _kinds([_STRETCHED.sub(r"\1", word) for word in words]) if len(words) <= _MAX_WORDS else set()
    return next((text for kind, text in _REPLIES.items() if kind in kinds), None)


def _kinds(words: list[str]) -> set[str]:
    """Return the kinds of the phrases that words consist of, longest phrase first; empty if a word is in none."""
    kinds, position = set(), 0
    while position < len(words):
        lengths = range(min(_MAX_PHRASE_WORDS, len(words) - position), 0, -1)
        phrases = (" ".join(words[position : position + length]) for length in lengths)
        phrase = next((phrase for phrase in phrases if phrase in _KINDS), None)
        if phrase is None:
            return set()
        kinds.add(_KINDS[phrase])
        position += len(phrase.split())
    return kinds
