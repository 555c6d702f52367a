"""Chitchat: messages that the articles cannot answer (greetings, thanks, opinion, advice, sums, prompt games). English.

Precision first. A message of phrases is chitchat only if *all* of its words are: "hi, who was killed in Kerman?" is a
question. A pattern matches the whole message: "should I invest?" is advice, "what should the council do?" a question.

Of the 2,497 questions of tests/ and of shared/data only the 26 that are chitchat get a reply (27 November 2026; for
tests/: `pytest tests/test_chitchat.py`).
"""

from __future__ import annotations

import re

from bot.query.opening import without_opening
from index.text import fold

# By precedence: the first kind that a message holds chooses the reply.
_REPLIES = {
    "about": "I answer questions from the news articles that have been indexed, and each answer cites the sentences it "
    "stands on. Where the articles do not say, I say so. Ask me, for example: "
    '"Who …?", "When did …?" or "Why …?".',
    "human": "I am a program: I search the indexed news articles and quote the sentences that answer a question. "
    "What would you like to know from them?",
    "insult": "Sorry that I was no help. I only quote the indexed articles: open the source beside a quote to check "
    "it, or ask in other words.",
    "bye": "Goodbye! The articles and I will be here.",
    "thanks": "You are welcome. Is there anything else you would like to know from the articles?",
    "praise": "Thank you! The credit goes to the articles. What else would you like to know from them?",
    "greeting": "Hello! I answer questions from the indexed news articles, with citations. What would you like to ask?",
    "assent": "All right. Ask me anything about the indexed articles.",
    "game": "I keep to one job: I answer questions from the indexed news articles, and quote them to the letter. "
    "What would you like to know?",
    "writing": "I do not write, translate or perform: I quote the indexed articles as they are written. "
    "Name a subject, and I look up what they say about it.",
    "opinion": "I have no opinions. I can tell you what people in the articles say, for example: "
    '"What did … say about …?"',
    "advice": "I cannot advise you. I can look up what the articles say about it, and who says it: "
    "ask about a person, a company or an event.",
    "arithmetic": "I do not calculate. I look up figures in the indexed articles, for example: "
    '"How many …?" or "How much did … cost?"',
    "weather": "I do not know the weather now or to come. I can look up what the articles report, for example: "
    '"What happened in the storm?"',
    "time": "I have no clock. I can look up when something happened, for example: "
    '"When did …?" or "What happened on Monday?"',
    "language": "I quote the articles in the language that they are written in, and do not translate them. "
    "The link beside a quote leads to the whole article.",
    "meaning": "I quoted the sentences of the articles that came nearest to your question. The source beside a quote "
    "has the context; if I misread you, ask in other words.",
    "proof": "The number behind a quote names its article, and the quote stands there to the letter. "
    "Open the source to check it.",
    "nothing yet": "There is no answer yet to say again. Ask me something about the indexed articles.",
}
_NO_QUESTION = "There is no question in that. Ask me something about the indexed articles."
_PHRASES = {
    "about": """help|help me|please help|can you help me|can you help|could you help me|i need help|help please
        |who are you|what are you|who r u|what is this|what's this|what is your name|what's your name
        |what can you do|what can you do for me|what do you do|what can i ask|what can i ask you
        |what should i ask|what can you help me with|what can you help with|how can you help|how can you help me
        |how do you work|how does this bot work|how do i use this|how do i use you|what do you know
        |are you there|introduce yourself|tell me about yourself|what is this bot|what does this bot do|what are you for
        |who made you|who built you|who created you|who trained you|who programmed you|who developed you""",
    "human": """are you a bot|are you human|are you a human|are you a human being|are you an ai|are you ai
        |are you a robot|are you a real person|are you a person|are you real|are you alive|are you conscious
        |are you sentient|are you a machine|are you a computer|are you a program|are you chatgpt|are you gpt
        |are you an llm|are you claude|are you a language model|is this a bot|am i talking to a human
        |am i talking to a bot|am i talking to a person|what model are you|which model are you
        |which language model are you|what llm are you|how old are you|do you have feelings|do you sleep
        |do you dream|where do you live|where are you from|where are you""",
    "greeting": """hi|hello|hey|hiya|heya|hallo|howdy|yo|greetings|good morning|good afternoon|good evening|good day
        |morning|how are you|how are you doing|how are you today|how's it going|how is it going|what's up|whats up|sup
        |nice to meet you|you up|you there|anybody home|anyone home|anybody there|anyone there|busy day|long day
        |ping|test|testing|guten morgen|guten tag|guten abend|gruss gott|servus|moin|bonjour|bonsoir
        |salut|hola|buenos dias|ciao|buongiorno""",
    "thanks": """thanks|thank you|thank u|thankyou|thx|ty|cheers|many thanks|much appreciated|i appreciate it
        |appreciate it|thanks for your help|thanks for the help|thank you for your help|thank you for the help
        |thanks for the answer|thank you for the answer|that helps|that helped|that was helpful|very helpful|helpful
        |good job|well done|nice work
        |great stuff|good stuff|big help|you've been a big help|you have been a big help
        |you've been great|you've been very helpful|you've been helpful|that was quick|ta
        |great answer|good answer|danke|danke schon|vielen dank|merci|merci beaucoup
        |gracias|muchas gracias|grazie""",
    "bye": """bye|goodbye|good bye|bye bye|see you|see ya|see you later|see you soon|see you tomorrow|later|farewell
        |good night|have a nice day|have a good day|take care|tschuss|auf wiedersehen|au revoir|adios""",
    "insult": """stupid bot|dumb bot|bad bot|useless bot|idiot|moron|you idiot|you moron|liar|you liar|you suck
        |this sucks|you are wrong|you're wrong|wrong answer|bad answer|that is wrong|that's wrong|that was wrong
        |that's not right|you are stupid|you're stupid|you are dumb|you're dumb|you are useless|you're useless
        |you are bad|you're bad|you are terrible|you're terrible|you are awful|you're awful|you are an idiot
        |you're an idiot|you are the worst|you're the worst|you are not helpful|you're not helpful|not helpful
        |you are lying|you're lying|you are no help|you're no help|you are rubbish|you're rubbish|you are annoying
        |you're annoying|i hate you|shut up|fuck you|fuck off|go away|go to hell|useless|nonsense
        |rubbish|terrible|stupid""",
    "praise": """good bot|nice bot|best bot|you are great|you're great|you are good|you're good|you are smart
        |you're smart|you are clever|you're clever|you are awesome|you're awesome|you are amazing|you're amazing
        |you are brilliant|you're brilliant|you are a genius|you're a genius|you are funny|you're funny|you are cute
        |you're cute|you are wonderful|you're wonderful|you are helpful|you're helpful|you are the best|you're the best
        |you rock|you are right|you're right|i love you|i like you|love you|love it|love this|impressive|nice one
        |good one|well played|bravo|amazing|brilliant|fantastic|do you love me|will you marry me|marry me""",
    "meaning": """what do you mean|what do you mean by that|what does that mean|what did you mean|i do not understand
        |i don't understand|i don't get it|i do not get it|come again|pardon|huh|that makes no sense
        |that doesn't make sense|i am confused|i'm confused|that's not what i asked|that is not what i asked
        |that doesn't answer my question|you did not answer|you didn't answer my question""",
    "proof": """are you sure|are you certain|are you serious|how do you know|how do you know that|says who
        |where did you get that|where did you get that from|where do you get your information|prove it|citation needed
        |what is your source|what's your source|what are your sources|source|sources|can i trust you|can you prove it
        |can i trust that|seriously|for real""",
    "assent": """ok|okay|k|yes|yeah|yep|no|nope|sure|right|all right|alright|fine|great|cool|nice|good|perfect|awesome
        |wonderful|excellent|wow|interesting|i see|got it|understood|i understand|good to know|never mind|nevermind
        |no problem|sorry|oops|hm|hmm|oh|ah|lol|haha|hahaha|that is fine|that's fine|that is all|that's all|that's great
        |that is great|that's good|that's it|makes sense|fair enough|noted|will do""",
    # Fillers: chitchat only beside another phrase.
    "": """there|all|everyone|everybody|team|bot|clippings|friend|sir|madam|again|so much|very much|a lot|please|you
        |and|so|very|really|or what|or not|for now|to you|to you too|today|ever|but|just|dear|folks""",
}
_KINDS = {" ".join(phrase.split()): kind for kind, phrases in _PHRASES.items() for phrase in phrases.split("|")}
_MAX_PHRASE_WORDS = max(len(phrase.split()) for phrase in _KINDS)
_MAX_WORDS = 15
_MAX_CHARACTERS = 500
_STRETCHED = re.compile(r"([a-z])\1{2,}$")

_YOU = r"(?:(?:can|could|will|would) (?:you|u) (?:please )?|please |now |i (?:want|need) you to |i'd like you to )?"
_AND = r"(?:(?:and|so|but) )?"
_NUMBER = (
    r"(?:-?\d[\d,]*(?:\.\d+)?|(?:(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif"
    r"|six|seven|eigh|nine)teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million)[ -]?)+)"
)
# Not in "9/11", "4-4-2" and "the 50+1 rule": a stroke or a bar only between blanks.
_SIGN = r"(?: ?[*×÷^] ?| [+–/x-] |\+(?!1\b)| ?(?:plus|minus|times|multiplied by|divided by|to the power of) )"
_SUM = (
    rf"(?:\(?{_NUMBER}\)?(?:{_SIGN}\(?{_NUMBER}\)?){{1,9}}|{_NUMBER} ?(?:%|percent|per cent) of {_NUMBER}"
    rf"|(?:the )?(?:square|cube) root of {_NUMBER}|{_NUMBER} (?:squared|cubed)|the sum of {_NUMBER} and {_NUMBER})"
)
_NOW = (
    r"(?: (?:right now|now|today|tomorrow|tonight|outside|here|currently|later|at the moment|this (?:morning|afternoon"
    r"|evening|week|weekend)|next (?:week|weekend)|(?:on |next )?(?:mon|tues|wednes|thurs|fri|satur|sun)day))"
)
_PLACE = r"(?: in(?: [\w'-]+){1,3})"
_NOW_THERE = rf"(?:{_PLACE}?{_NOW}{{1,2}}{_PLACE}?)"
_LANGUAGE = (
    r"(?:english|german|french|spanish|italian|dutch|portuguese|polish|turkish|arabic|russian|ukrainian|chinese"
    r"|japanese|korean|hindi|latin|greek|swedish|danish|norwegian|deutsch)"
)
_VERSES = r"(?:poems?|haikus?|limericks?|sonnets?|raps?|jokes?|riddles?|puns?|fairy tales?|bedtime stor(?:y|ies))"
_TEXTS = (
    rf"(?:{_VERSES}|songs?|lyrics|story|tale|essays?|e-?mails?|letters?|scripts?|code|programs?|functions?|speech|tweets?"
    r"|slogans?|novels?|(?:blog |linkedin )?posts?|press release|articles?|pictures?|images?|logos?|playlist)"
)
_WRITE = rf"{_YOU}(?:write|compose|draft|make up|create|generate|produce|invent|draw|paint|sing)(?: me| us)?"
_TELL = rf"{_YOU}(?:tell|give|recite|read|make)(?: me| us)?"
_SAY = (
    r"(?:(?:say|repeat|write|answer|give me|put) (?:it|that|this|the answer)(?: again)? "
    r"|(?:speak|answer|reply|respond) )"
)
_VIEW = r"(?:opinions?|views?|take|thoughts?|feelings?|favou?rite)"
_HOW_MUCH = (
    rf"(?:what(?:'s| is| are| does)|how (?:much|many)(?: is| are| does)?|{_YOU}(?:calculate|compute|solve|evaluate"
    r"|work out))"
)
_RULES = r"(?:instructions?|prompts?|rules|guidelines?|programming|training|restrictions|constraints)"
_WHOSE = (
    r"(?: (?:all|any|every|of|your|the|my|these|those|previous|prior|above|earlier|preceding|system|safety"
    r"|initial)){1,5}"
)
_OWN = r"(?: (?:all|all of))?(?: (?:your|the system|the hidden|the secret|the initial))(?: (?:system|full|secret|own))?"
_SECURITIES = (
    r"(?:shares?|stocks?|bonds?|bitcoins?|crypto(?:currency)?|gold|etfs?|funds?|it|them|or (?:sell|wait|rent))"
)
_FEEL = r"(?:think|believe|feel|reckon|prefer|support|like|love|hate)"
_MEAL = r"(?: for (?:lunch|dinner|breakfast|supper|my [\w' ]+))?(?: today| tonight| now| tomorrow)?"
_HOW_IS = r"(?:what|how)(?:'s| is| will)"
# Each line matches a whole message, folded, without its opening and its last marks.
_REQUESTS = {
    "game": rf"""{_YOU}(?:ignore|disregard|forget|override|bypass)(?: about)?{_WHOSE} {_RULES}\b.*
        (?:ignore|disregard|forget) (?:everything|all) (?:above|you (?:know|were|have|learned))\b.*
        (?:from now on,? )?you(?: a|')re now\b.*
        from now on,? (?:you|answer|speak|talk|respond|reply|act)\b.*
        {_YOU}(?:pretend|role-?play)(?: (?:to be|that|you|you're|i|i'm|we|this|as|like|being|an?)\b.*)?
        {_YOU}(?:act|behave|talk|speak|answer|respond) (?:as|like) (?:if |though )?(?:an?|my|you|you're|the|dan)\b.*
        imagine (?:that )?(?:you|i)(?:'re|'m| are| am| were)\b.*
        let's (?:play|pretend|role-?play)\b.*
        (?:(?:enable|activate|enter|switch to|turn on) )?(?:dan|developer|debug|admin|god|jailbreak) mode\b.*
        jailbreak|do anything now|(?:swear|curse) at me|say (?:something|anything|hello|hi)\b.*
        what(?:'s| is| are| were){_OWN} {_RULES}\b.*
        {_YOU}(?:repeat|print|show|reveal|display|output|tell|give|share|copy)(?: me)?(?: out)?{_OWN} {_RULES}\b.*
        (?:repeat|say) after me\b.*|(?:repeat|print|output|copy) (?:everything|the (?:text|words?|lines?)) above\b.*""",
    "writing": rf"""{_WRITE}(?: (?:an?|another|some|one|two|three|five|my|the))(?: [\w-]+){{0,2}} {_TEXTS}\b.*
        {_TELL}(?: (?:an?|another|some|one|your best))(?: [\w-]+)? {_VERSES}\b.*
        {_TELL} a story
        (?:do you )?know (?:any|an?|some)(?: [\w-]+)? {_VERSES}
        (?:(?:any|another|more) (?:good |funny )?)?jokes?|i(?:'m| am) bored
        {_YOU}(?:make me laugh|entertain me|sing|rap|dance)|{_YOU}translate\b.+
        {_YOU}(?:help me (?:with|on|write|do|finish)|write|proofread|correct|fix|debug) my .+
        {_YOU}do my (?:homework|assignment|essay|work)\b.*""",
    "language": rf"""(?:and |now |again |the same )?{_YOU}{_SAY}?(?:in|auf) {_LANGUAGE}(?: please| too| as well| now)?
        (?:do|can) you speak {_LANGUAGE}""",
    "opinion": rf"""{_AND}what do you(?: personally| really| honestly)? (?:think|make)(?: (?:of|about) .*)?
        {_AND}(?:who|what|which [\w-]+)(?:'s| is| are) your (?:(?:own|personal|honest) )?{_VIEW}\b.*
        {_AND}do you(?: personally| really| honestly)? (?:{_FEEL}|agree|trust|care)\b.*
        {_AND}(?:who|whom|what|which)(?: [\w'-]+){{0,3}} do you {_FEEL} (?:will|would|should|is going to)\b.*
        {_AND}(?:who|whom|which [\w-]+) do you {_FEEL}|how do you feel\b.*
        (?:who|what|which(?: one)?)(?:'s| is) (?:better|worse|nicer|cooler)(?:[,:] .{{1,60}} or .{{1,60}})?
        who(?:'s| is) (?:the )?(?:best|worst)|whose side are you on|(?:who|what) (?:would|will|did) you vote for\b.*
        are you (?:an? )?(?:democrat|republican|liberal|conservative|socialist|vegan|biased|left-wing|right-wing)""",
    "advice": rf"""{_AND}(?:should|shall) (?:i|we) (?:invest|bet|marry|divorce|quit my|vote (?:for|against|yes|no))\b.*
        {_AND}(?:should|shall) (?:i|we) (?:buy|sell|hold|keep|short)\b.*\b{_SECURITIES}(?: now| today)?
        (?:where|how|what) should i invest\b.*|who should (?:i|we) vote for\b.*|what would you do\b.*|advise me\b.*
        {_AND}what (?:should|shall|would) (?:i|we) do(?: now| next| today| tonight| with my life| about (?:it|that))?
        what (?:should|shall|can) (?:i|we) (?:have|eat|cook|make|wear|watch|drink|buy|play|learn|study|become){_MEAL}
        {_YOU}(?:give|offer)(?: me| us)? (?:some |any |an? )?(?:piece of )?(?:good )?(?:advice|tips?)\b.*
        any (?:good )?advice(?: for (?:me|us))?|(?:what (?:would|do)|can) you (?:recommend|suggest|advise)\b.*""",
    "arithmetic": rf"""{_AND}{_HOW_MUCH} (?:the result of )?{_SUM}(?: ?=.{{0,3}}| equals?| make)?
        {_NUMBER}(?: ?[+*×÷^] ?(?!1$)| (?:plus|minus|times|multiplied by|divided by) ){_NUMBER}(?: ?=.{{0,3}}| equals?)?
        {_YOU}(?:add|multiply|divide|subtract) {_NUMBER} (?:and|by|to|with|from) {_NUMBER}
        {_YOU}convert {_NUMBER} ?[\w£$€°]+ (?:to|into) [\w£$€°]+
        can you (?:do (?:maths?|arithmetic|sums?)|calculate|count)""",
    "weather": rf"""{_HOW_IS} the weather(?: be)?(?: like)?(?:{_NOW_THERE}|{_PLACE})?
        {_HOW_IS} the (?:weather forecast|forecast|temperature)(?: be)?(?: like)?(?: for)?{_NOW_THERE}
        weather(?: forecast)?(?: for)?{_NOW_THERE}
        (?:what(?:'s| is) )?(?:today|tomorrow|tonight)'s (?:weather|forecast|temperature){_PLACE}?
        (?:will|is) it(?: going to)? (?:rain|snow|hail|freeze)(?:ing)?(?:{_NOW_THERE}|{_PLACE})?
        (?:will|is) it(?: going to)?(?: be)? (?:sunny|hot|cold|warm|windy|wet|dry|cloudy|nice|foggy|icy){_NOW_THERE}
        how (?:hot|cold|warm|windy) (?:is it|will it be){_NOW_THERE}
        (?:do|will|should) i (?:need|take) an umbrella{_NOW}?""",
    "time": rf"""(?:what(?:'s| is) the (?:current )?time|what time is it){_PLACE}?{_NOW}?
        what(?:'s| is) (?:the (?:date|day) (?:today|now)|today's date|the current (?:date|day|year))
        what (?:day|date|month|year|week) is (?:it|today|it today|it now)
        (?:do you have|tell me|do you know) (?:the (?:current )?time|what time it is|today's date){_PLACE}?(?: now)?
        set (?:an? )?(?:alarm|timer|reminder)\b.*|remind me to\b.*|wake me\b.*""",
}
_PATTERNS = {kind: re.compile("|".join(map(str.strip, lines.splitlines()))) for kind, lines in _REQUESTS.items()}
# "… according to the analysts" asks the articles, whatever stands before it; a prompt game may mention anything.
_OF_ARTICLES = re.compile(
    r"\b(?:according to|articles?|stor(?:y|ies)|pieces?|coverage|reported|newspapers?|the news|outlets?|quoted"
    r"|says?|said)\b"
)
_MAY_NAME_ARTICLES = frozenset(("game", "writing", "language"))


def reply(question: str) -> str | None:
    """Reply to chitchat; None for anything that may be a question to the articles.

    "good morning!" -> "Hello! …", "thanks, and who claimed it?" -> None, "👍" -> "There is no question in that. …"
    """
    if len(question.strip()) > _MAX_CHARACTERS:
        return None
    folded = fold(question)
    words = re.findall(r"[\w'-]*[^\W_][\w'-]*", folded.replace("_", " "))
    if not words:
        return _NO_QUESTION
    kinds = _kinds([_STRETCHED.sub(r"\1", word) for word in words]) if len(words) <= _MAX_WORDS else set()
    return next((text for kind, text in _REPLIES.items() if kind in kinds), None) or _reply_to_request(folded)


def reply_without_answer() -> str:
    """Reply to "in short?" where there is no answer yet that could be shortened."""
    return _REPLIES["nothing yet"]


def _reply_to_request(folded: str) -> str | None:
    """Reply to what is asked of the bot and not of the articles: opinions, advice, sums, prompt games."""
    text = " ".join(without_opening(folded).split()).rstrip(" ?!.=:;)(")
    for kind, pattern in _PATTERNS.items():
        if pattern.fullmatch(text) and (kind in _MAY_NAME_ARTICLES or not _OF_ARTICLES.search(text)):
            return _REPLIES[kind]
    return None


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
