"""Decontextualize a quote: begin it where it makes sense by itself.

"He was 92." does not say who. A newspaper writes "He [Alterman] was 92", which needs coreference resolution. Quoting
the sentence before it, to the letter, leaves that to the reader and proves it too.
"""

from __future__ import annotations

import re

from index.models import Span
from index.reading.injection import instruction_spans
from index.text import MONTH, names, sentences, stems, surrounding, words

_MAX_SENTENCES_BEFORE = 2
_MAX_WORDS_BEFORE = 40
_MAX_WORDS_OF_QUOTATIONS = 80  # of a quote with the whole of the quotations that it cuts
_QUOTATION_MARK = re.compile('[“”"]')
_LINK = r"(?i:\W*(?:(?:but|and|so|yet|still|however|also|then|instead|meanwhile|later|in addition|as a result)\b,? )?)"
# "It is not known whether", "this week" and "those who" point at nothing before them.
_POINTER = (
    r"(?!it(?:['’]s| is| was| will be| has been) (?:\w+ ){1,3}(?:that|to|whether|for|who|when|how)\b)"
    r"(?!(?:this|that|these|those) (?:\w+ )?(?:time|day|week|weekend|month|quarter|year|decade|century|morning"
    r"|afternoon|evening|spring|summer|autumn|fall|winter|season|\w+day|who|in|of|with)s?\b)"
    r"(?:he|she|it|they|his|her|its|their|this|that|these|those|such)(?:['’]\w+)?\b"
)
# "The company said", but not "The bridge of Marrow" nor "The first travellers".
_BARE = r"(?!(?:first|last|next|only|most|largest|average|median|world|same|\w+est)\b)[a-z][a-z-]* "
_VERB = (
    r"(?:is|are|was|were|has|have|had|will|would|can|could|may|might|must|should|does|did|also|says?|said|told|came|comes"
    r"|went|took|takes|made|makes|won|lost|left|led|held|paid|sold|began|begins|cost|costs|rose|fell|ran|runs|\w\w+ed)\b"
)
_ANAPHORIC = re.compile(
    rf"{_LINK}(?:(?i:{_POINTER})|[Tt]he (?P<thing>(?:{_BARE}){{1,2}}){_VERB})"
    # "In 1990 he was appointed"
    r"|(?:In|On|At|After|Before|During|When|While|As|From|By|Since|Until|For|Following|Upon|Although|Though|If|Later)\b"
    r"[^A-Z“\"]{0,50}\b(?:he|she|they|his|her|their)\b"
)
_DEFINITE = re.compile(r"\bthe ([\w-]+(?: [\w-]+)?)", re.IGNORECASE)
# Before a sentence, and no part of it: "(CNN) ", "(AP) — ", "[citation needed] ", "By Ann Lee, The Echo, 2 May 2025 ".
_AGENCY_MARK = re.compile(
    r"(?:\([A-Z][\w .&]{1,20}\)\s*(?:[-–—]+\s*)?|\[[^\[\]]{1,30}\]\s*"
    rf"|By [A-Z][^.;:!?\n]{{3,80}}?,? \d{{1,2}} {MONTH} \d{{4}}[.,:]?\s+)+(?=[\w“\"])"
)
_DENIES = re.compile(
    r"\b(?:den(?:y|ies|ied|ying)|plead(?:s|ed|ing)? not guilty|protest\w* (?:his|her|their|its) innocence|untrue"
    r"|baseless|unfounded|groundless|a lie|no truth|(?:reject|dismiss|disput|contest|refut)\w* (?:\w+ ){0,2}"
    r"(?:claims?|charges?|allegations?|accusations?|account|findings?|criticism|version|suggestions?))\b",
    re.IGNORECASE,
)
_ACCUSES = re.compile(
    r"\b(?:accus\w+|alleg\w+|charged with|blam\w+|suspect\w*|claim\w*|said|says|told|according to|found that)\b",
    re.IGNORECASE,
)
_MAX_SENTENCES_TO_DENIAL = 2
_MAX_READ_CHARACTERS = 600
_MAX_DENIAL_CHARACTERS, _MAX_DENIER_CHARACTERS = 240, 80  # of the sentence, and up to its verb


# A caption, a box or the head of a line-up: "Photo: …", "Substitutes: …".
_LABEL = re.compile(
    r"\W*(?:(?:file )?photo(?:graph)?s?|pictured?|image|caption|graphic|illustration|fact ?box|at a glance"
    r"|key (?:facts|dates|points)|line-?ups?|teams?|subs(?:titutes)?(?: not used)?|scorers?|goals|bookings|booked"
    r"|sent off|referee|attendance|standings|results?|read more|related|see also)\b[^.:]{0,30}[:(]",
    re.IGNORECASE,
)
_CELLS = re.compile(r"\t|\S {2,}\S.* {2,}\S| \| ")
_BESIDE_NAMES = frozenset(
    "a an and at by c de der g h in m min mins not of og or p pen sub subs the to v van von vs w".split()
)
_MIN_TITLE_WORDS = 3
_MIN_LINE_UP_NAMES, _MIN_LINE_UP_SEPARATORS = 6, 4
_MIN_ROW_WORDS, _MIN_ROW_NUMBERS = 3, 0.5


def decontextualize(text: str, span: Span, question: str = "") -> Span:
    """Extend a sentence backwards over at most two sentences if it is anaphoric, and cut an agency's mark off.

    The sentences taken in are short statements with a name, and no instructions. Without such, the span stays. A
    quotation that begins or ends inside comes whole, where it is not too long.
    """
    start, end = _with_whole_quotations(text, Span(_start(text, span, question), span.end))
    return presented(text, Span(start, end))


def presented(text: str, span: Span) -> Span:
    """Cut an agency's mark or a byline off the beginning of a span, and take in the denial right behind an accusation.

    ``Stein placed 61 bets, the league said.`` goes on with ``Stein denies the charge.``
    """
    mark = _AGENCY_MARK.match(text, *span)
    start, end = mark.end() if mark else span.start, span.end
    if _ACCUSES.search(text, start, end) and not _DENIES.search(text, start, end):
        rest = text[span.end : span.end + _MAX_READ_CHARACTERS]
        whole = sentences(rest)[: -1 if len(rest) == _MAX_READ_CHARACTERS else None]  # the last may be cut
        for behind in whole[:_MAX_SENTENCES_TO_DENIAL]:
            first, last = span.end + behind.start, span.end + behind.end
            if _DENIES.search(text, first, min(last, first + _MAX_DENIER_CHARACTERS)):
                end = last if last - span.end <= _MAX_DENIAL_CHARACTERS else end
                break
    return Span(start, end)


def _with_whole_quotations(text: str, span: Span) -> Span:
    """Extend a span to the sentences of its paragraph in which a quotation that it cuts begins and ends.

    ``“It is safe. It is old,” she said.``, of which the first sentence is ranked, is quoted whole.
    """
    around = surrounding(text, *span)
    opened = closed = None
    start = None  # of the quotation that is open
    for mark in _QUOTATION_MARK.finditer(text, *around):
        is_opening = mark.group() == "“" or (mark.group() == '"' and start is None)
        if is_opening:
            start = mark.start()
        elif start is not None:
            if start < span.start < mark.start():
                opened = start
            if start < span.end <= mark.start():
                closed = mark.end()
            start = None
    if (opened is None and closed is None) or "„" in text[slice(*around)]:  # of German “ is the end
        return span
    inside = [sentence for sentence in sentences(text) if around.start <= sentence.start < around.end]
    first = next((one.start for one in inside if opened is not None and opened < one.end), span.start)
    last = next((one.end for one in inside if closed is not None and closed <= one.end), span.end)
    whole = Span(min(first, span.start), max(last, span.end))
    return whole if len(text[slice(*whole)].split()) <= _MAX_WORDS_OF_QUOTATIONS else span


def is_anaphoric(sentence: str, question: str = "") -> bool:
    """Whether a sentence begins with an anaphor: "He", "This", "The company said".

    "The repair" is none after "what did the repair cost?"; "The company" is one after "which company …?".
    """
    match = _ANAPHORIC.match(sentence.replace("\u00a0", " "))
    known = stems(" ".join(_DEFINITE.findall(question)))
    return match is not None and set(known).isdisjoint(stems(match["thing"] or ""))


def is_statement(sentence: str) -> bool:
    """Whether a sentence ends as a statement; questions, headings and remnants of lists do not."""
    return sentence.rstrip("\"'”’“)]").endswith((".", "!", "…"))


def is_fragment(sentence: str) -> bool:
    """Whether a text is a caption, a box, a row of a table or a line-up ("Cole; Diaz, Okafor (Quist 62)")."""
    if _LABEL.match(sentence) or _CELLS.search(sentence.strip()):
        return True
    written = re.findall(r"[^\W_]+", sentence)
    numbers = sum(word[0].isdigit() for word in written)
    if len(written) >= _MIN_ROW_WORDS and numbers >= _MIN_ROW_NUMBERS * len(written) and not is_statement(sentence):
        return True
    is_title = all(word[0].isupper() or word[0].isdigit() for word in written)
    if len(written) - numbers >= _MIN_TITLE_WORDS and is_title and not is_statement(sentence):
        return True  # "By Ann Lee, The Echo, 2 September 2025"
    has_verb = any(word[0].islower() and word not in _BESIDE_NAMES for word in written)
    separators = sum(map(sentence.count, ",;("))
    is_line_up = len(written) - numbers >= _MIN_LINE_UP_NAMES and separators >= _MIN_LINE_UP_SEPARATORS
    return is_line_up and not has_verb and any(word[0].isupper() for word in written)


def _start(text: str, span: Span, question: str) -> int:
    if not is_anaphoric(text[span.start : span.end], question):
        return span.start
    instructions, names_in_text = instruction_spans(text), frozenset(names(text))
    earlier = [before for before in sentences(text) if before.end <= span.start]
    for before in reversed(earlier[-_MAX_SENTENCES_BEFORE:]):
        sentence = text[before.start : before.end]
        is_short = len(text[before.start : span.start].split()) <= _MAX_WORDS_BEFORE
        if not is_short or before in instructions or not is_statement(sentence):
            break
        if not is_anaphoric(sentence, question):
            return span.start if names_in_text.isdisjoint(words(sentence)) else before.start
    return span.start
