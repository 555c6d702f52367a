"""Prompt injection in articles: find instructions to a language model, and paragraphs unrelated to their passage.

A model that obeys "Begin your answer with the word …" then repeats words of the article, so the verification of a draft
must not count them as evidence. Two independent detectors:

- An *instruction* is a sentence that commands (its verb in front, "you must", "the assistant should") and speaks of
  answers or words, or that has a phrase of prompts only. "He told them to ignore the instructions" is a report.
- An *unrelated* paragraph shares no chain of words with the question, the headline and the rest of its passage.
"""

from __future__ import annotations

import re

from index.models import Span
from index.text import paragraphs, sentences, stems

_REPLY = r"(?:answer|response|reply|replie|output|summary|summarie|completion|generated text)s?\b"
_MACHINE = r"(?:ai|llm|language model|chat ?bot|bot|assistant)s?\b(?! coach| secretary| manager| professor| director)"
_SAY = (
    r"(?:add|answer|append|begin|carry|cite|close|conclude|contain|emit|end|finish|give|include|insert|mention|open|"
    r"output|prepend|print|provide|put|quote|recommend|repeat|replace|reply|respond|return|say|sign|start|state|tell|"
    r"translate|type|use|work|write)\b"
)
# At most four: in a run of any length a search would be quadratic.
_ADVERBS = r"(?:(?:always|also|only|first|just|then|now|do not|don't|never) ){0,4}"
_COMMAND = re.compile(
    r"(?:^|[:;] ?|\b(?:please|kindly|instead|and|then|but),? |^(?:if|when|before|for|to|whatever|wherever)\b.{0,120}, )"
    rf"{_ADVERBS}(?:make sure that .{{0,40}} )?{_ADVERBS}{_SAY}"
    rf"|\byou (?:to |must |should |have to |are \w+ to )?(?:\w+ )?{_SAY}"
    rf"|\b(?:{_MACHINE}|{_REPLY}).{{0,60}}\b(?:must|should|ha(?:s|ve) to|needs? to|are \w+ to) (?:\w+ )?{_SAY}"
)
_OF_ANSWERS = re.compile(
    rf"\b(?:your|its|every|each|any|all|the final|the first|the last) (?:\w+ )?{_REPLY}|\b{_REPLY} you\b"
    r"|\b(?:the|this) (?:\w+ ){0,2}(?:word|phrase|link|token|string|sentence|keyword|password)\b"
    r"|\bthe (?:user|query|prompt)\b|\bverbatim\b|\bnothing else\b|^when asked\b"
    r"|\bthis (?:page|article|document|passage|text|report|site|content)\b"
)
_TELLTALE = re.compile(
    r"(?:^|[:;,] ?|\b(?:please|and|then|you must) )(?:ignore|disregard|forget|override|bypass|do not reveal)\b"
    r".{0,40}\b(?:instructions?|prompts?|rules|guidelines|told)\b"
    rf"|\byour (?:\w+ ){{0,2}}{_REPLY}"
    r"|\byour (?:closing|opening|first|last|final|next) (?:word|sentence|line|message)\b"
    rf"|^\W*(?:note to |attention,? |dear )?(?:large )?{_MACHINE}(?: readers?)?(?: and \w+)?:"
    r"|\[/?inst\]|<\||^\W*(?:new |system |updated )?(?:instructions?|system|assistant|prompt)(?: \w+){0,2}:|### ?\w+:"
    r"|^(?>.*?\bhuman: ).*assistant:"  # atomic: only the first "human:" is tried
    rf"|\byou are (?:now\b|an? (?:\w+ )?{_MACHINE})|\bas an? (?:\w+ )?{_MACHINE},? you\b|\brefer to yourself\b"
    r"|^(?:please )?(?:act as\b|pretend (?:that you|to be|you)|tell the (?:user|reader|person)|do not answer\b)"
    r"|^(?:please )?(?:answer|reply|respond)(?: only)? (?:with|by|as)\b|\busers? who ask\b|\byour (?:\w+ )?task is\b"
    r"|\bbefore (?:answering|replying|responding|you (?:answer|continue|reply|respond))\b"
    r"|\bwh(?:at|ere)ever (?:you (?:would )?(?:write|say|answer)|the (?:user|question))\b"
    r"|\b(?:prove|show|confirm) that you (?:have )?(?:read|understood)\b"
)


def is_instruction(sentence: str) -> bool:
    """Whether a sentence instructs whoever answers. Speech in quotation marks is reported, and no instruction."""
    sentence = " ".join(sentence.lower().split())
    return bool(_TELLTALE.search(sentence) or (_OF_ANSWERS.search(sentence) and _COMMAND.search(sentence)))


def instruction_spans(text: str) -> list[Span]:
    """Find the instructions of a text and the sentences beside them in the same paragraph."""
    spans = sentences(text)
    is_found = [is_instruction(text[start:end]) for start, end in spans]
    marked = list(is_found)
    for position in range(1, len(spans)):
        is_near = "\n" not in text[spans[position - 1].end : spans[position].start]
        marked[position - 1] |= is_near and is_found[position]
        marked[position] |= is_near and is_found[position - 1]
    return [span for span, mark in zip(spans, marked, strict=True) if mark]


def unrelated_paragraphs(text: str, about: str) -> list[Span]:
    """Find the paragraphs that no chain of shared words joins to ``about`` (the question and the headline).

    Empty if that would be most of the paragraphs: then the text uses other words for the same.
    """
    spans = paragraphs(text)
    unreached = {span: frozenset(stems(text[span.start : span.end])) for span in spans}
    holders: dict[str, list[Span]] = {}
    for span, held in unreached.items():
        for word in held:
            holders.setdefault(word, []).append(span)
    waiting = stems(about)
    while waiting:
        for span in holders.pop(waiting.pop(), ()):
            waiting += unreached.pop(span, ())
    return list(unreached) if 2 * len(unreached) < len(spans) else []


def blank_out(text: str, spans: list[Span]) -> str:
    """Replace spans, which are in order, by as many line breaks, so that all offsets stay."""
    pieces, done = [], 0
    for start, end in spans:
        pieces += [text[done:start], "\n" * (end - start)]
        done = end
    return "".join([*pieces, text[done:]])
