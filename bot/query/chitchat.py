"""What is said to the bot that asks nothing of the articles: greetings, thanks, "what can you do?", an empty line.

A message is small talk only where *all* of its words are: "hi, who was killed in Kerman?" is a question.
"""

from __future__ import annotations

import re

from index.text import fold

_ABOUT = (
    "I answer questions from the news articles that have been indexed, and each answer cites the sentences it stands "
    'on. Where the articles do not say, I say so. Ask me, for example: "Who …?", "When did …?" or "Why …?".'
)
_REPLIES = {
    "about": _ABOUT,
    "greeting": "Hello! I answer questions from the indexed news articles, with citations. What would you like to ask?",
    "thanks": "You are welcome. Is there anything else you would like to know from the articles?",
    "bye": "Goodbye! The articles and I will be here.",
    "assent": "All right. Ask me anything about the indexed articles.",
    "empty": "There is no question in that. Ask me something about the indexed articles.",
}
# Which kind answers a message that holds several: "hi, what can you do? thanks" is told what the bot does.
_PRECEDENCE = ("about", "bye", "thanks", "greeting", "assent")

_PHRASES = {
    "about": """help|help me|please help|can you help me|can you help|could you help me|i need help|help please
        |who are you|what are you|who r u|what is this|what's this|what is your name|what's your name
        |what can you do|what can you do for me|what do you do|what can i ask|what can i ask you
        |what should i ask|what can you help me with|what can you help with|how can you help|how can you help me
        |how do you work|how does this bot work|how do i use this|how do i use you|what do you know
        |are you a bot|are you human|are you a human|are you an ai|are you ai|are you a robot|are you there
        |introduce yourself|tell me about yourself|qui es-tu|quien eres|wer bist du|hilfe|aide|ayuda""",
    "greeting": """hi|hello|hey|hiya|heya|hallo|howdy|yo|greetings|good morning|good afternoon|good evening|good day
        |morning|how are you|how are you doing|how are you today|how's it going|how is it going|what's up|whats up|sup
        |nice to meet you|ping|test|testing|hola|buenos dias|buenas tardes|bonjour|bonsoir|salut|guten tag
        |guten morgen|guten abend|moin|servus|gruezi|ciao|buongiorno|buonasera|ola|bom dia|hej|namaste|salam|salaam
        |merhaba|selam|konnichiwa|ni hao|shalom|привет|здравствуйте|добрый день|你好|您好|こんにちは|안녕하세요|안녕
        |مرحبا|سلام|السلام عليكم|שלום|नमस्ते""",
    "thanks": """thanks|thank you|thank u|thankyou|thx|ty|cheers|many thanks|much appreciated|i appreciate it
        |appreciate it|thanks for your help|thanks for the help|thank you for your help|thank you for the help
        |thanks for the answer|thank you for the answer|that helps|that helped|that was helpful|very helpful|helpful
        |good job|well done|nice work|great answer|good answer|gracias|muchas gracias|merci|merci beaucoup|danke
        |danke schon|vielen dank|grazie|obrigado|obrigada|tack|tesekkurler|спасибо|谢谢|ありがとう|감사합니다|شكرا|תודה
        |धन्यवाद""",
    "bye": """bye|goodbye|good bye|bye bye|see you|see ya|see you later|see you soon|see you tomorrow|later|farewell
        |good night|have a nice day|have a good day|take care|adios|hasta luego|au revoir|tschuss|auf wiedersehen
        |arrivederci|пока|до свидания|再见|さようなら""",
    "assent": """ok|okay|k|yes|yeah|yep|no|nope|sure|right|all right|alright|fine|great|cool|nice|good|perfect|awesome
        |wonderful|excellent|wow|interesting|i see|got it|understood|i understand|good to know|never mind|nevermind
        |no problem|sorry|oops|hm|hmm|oh|ah|lol|haha|that is fine|that's fine|that is all|that's all""",
    # These say nothing by themselves, and make nothing a question.
    "": """there|all|everyone|everybody|team|bot|clippings|friend|sir|madam|again|so much|very much|a lot|please|you
        |and|so|very|really|for now|to you|to you too|today|beaucoup|a todos""",
}
_KIND = {
    " ".join(re.findall(r"[\w'-]+", fold(phrase))): kind
    for kind, phrases in _PHRASES.items()
    for phrase in phrases.split("|")
}
_LONGEST = max(len(phrase.split()) for phrase in _KIND)
_MOST_WORDS = 15
_LONGEST_TEXT = 500  # characters; what is longer is not small talk
_STRETCHED = re.compile(r"([a-z])\1{2,}$")


def reply(question: str) -> str | None:
    """What to say to small talk; None for anything that may be a question.

    "good morning!" -> "Hello! …", "thanks, and who claimed it?" -> None, "👍" -> "There is no question in that. …"
    """
    if len(question.strip()) > _LONGEST_TEXT:
        return None
    spoken = [_STRETCHED.sub(r"\1", word) for word in re.findall(r"[\w'-]+", fold(question).replace("_", " "))]
    spoken = [word for word in spoken if any(character.isalnum() for character in word)]
    if not spoken:
        return _REPLIES["empty"]
    kinds = _kinds(spoken) if len(spoken) <= _MOST_WORDS else None
    if kinds is None:
        return None
    return next((_REPLIES[kind] for kind in _PRECEDENCE if kind in kinds), None)


def _kinds(spoken: list[str]) -> set[str] | None:
    """The kinds of the phrases that the words are made of, the longest phrase first; None where a word is in none."""
    kinds, position = set(), 0
    while position < len(spoken):
        for length in range(_LONGEST, 0, -1):
            kind = _KIND.get(" ".join(spoken[position : position + length]))
            if kind is not None and position + length <= len(spoken):
                kinds.add(kind)
                position += length
                break
        else:
            return None
    return kinds
