"""Question and passages -> the prompt of a language model, within its window. Knows no model.

Article text is untrusted: here it is made to be data and nothing else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import date

from bot.generate.draft import visible
from bot.generate.stream import LLMError
from bot.models import Turn
from index.models import Passage
from prompts import load_prompt

log = logging.getLogger(__name__)

MAX_REPLY_TOKENS = 4_000  # of the window, kept for the reply with its chain of thought; or a quarter of a small window
CHARACTERS_PER_TOKEN = 3  # of English; counts rather too many tokens, and needs no tokenizer
MAX_TURNS = 4  # of a conversation, shown beside the passages
MAX_TURN_CHARACTERS = 400
_CITATION_MARK = re.compile(r" ?\[\d+\]")
_INERT = str.maketrans("<>[]", "‹›()")


def answer_prompt(
    question: str, passages: Sequence[Passage], as_of: date, turns: Sequence[Turn], window: int
) -> tuple[str, str]:
    """Return the system and the user message. ``window`` is in tokens. Raises LLMError if no passage fits into it."""
    system = load_prompt("answer", as_of=f"{as_of:%A}, {as_of.isoformat()}")
    room = window - max_reply_tokens(window) - _tokens(system)
    blocks = [_block(number, passage) for number, passage in enumerate(passages, 1)]
    for conversation, count in [(_conversation(turns), len(blocks)), *(("", n) for n in range(len(blocks), 0, -1))]:
        user = load_prompt(
            "passages",
            conversation=conversation,
            passages="\n\n".join(blocks[:count]),
            question=" ".join(inert(question).split()),
        )
        if _tokens(user) <= room:
            if count < len(blocks):
                log.info("%d of %d passages fit into a window of %d tokens", count, len(blocks), window)
            return system, user
    raise LLMError(
        f"The language model's window of {window} tokens has no room for the question and a passage: "
        "set CLIPPINGS_LLM_CONTEXT to what the model takes in, or choose another model."
    )


def max_reply_tokens(window: int) -> int:
    """Return the most tokens that a reply may have: ``8_000 -> 2_000``."""
    return min(MAX_REPLY_TOKENS, window // 4)


def condense_prompt(question: str, turns: Sequence[Turn]) -> str:
    """Return the prompt that has a follow-up completed from the turns before it."""
    return load_prompt("condense", conversation=fenced(turns), question=" ".join(inert(question).split()))


def check_prompt(statement: str, passage: str) -> str:
    """Return the prompt that asks whether a passage says what a statement says."""
    lines = "\n".join(f"| {line}" for line in inert(passage).splitlines() if line.strip())
    return load_prompt("check", passage=lines, statement=" ".join(inert(statement).split()))


def fenced(turns: Sequence[Turn]) -> str:
    """Format turns as data: one line a turn, behind a bar, without the numbers of its citations."""
    texts = [" ".join(_CITATION_MARK.sub("", turn.text).split())[:MAX_TURN_CHARACTERS] for turn in turns]
    return inert("\n".join(f"| {turn.role}: {text}" for turn, text in zip(turns, texts, strict=True)))


def inert(text: str) -> str:
    """Remove what a model could take for structure: role tokens, tags, ``[n]``, invisible characters.

    ``"<|im_start|> [2]" -> "‹|im_start|› (2)"``
    """
    return visible(text).translate(_INERT)


def _block(number: int, passage: Passage) -> str:
    """Format a passage: its number, then everything else behind bars that no text can break out of."""
    source = passage.source
    day = source.published.isoformat() if source.published else None
    fields = {"Headline": source.headline, "Outlet": source.outlet, "Date": day}
    lines = [f"{label}: {' '.join(value.split())}" for label, value in fields.items() if value]
    text = inert("\n".join([*lines, passage.text]))
    return "\n".join([f"[{number}]", *(f"| {line}" for line in text.splitlines() if line.strip())])


def _conversation(turns: Sequence[Turn]) -> str:
    if not turns:
        return ""
    return f"Said before, which shows what the question refers to and proves nothing:\n{fenced(turns[-MAX_TURNS:])}\n\n"


def _tokens(text: str) -> int:
    """Estimate tokens, rather too many: ``"abcdef" -> 2``, and one for each letter of other scripts."""
    ascii_characters = sum(character.isascii() for character in text)
    return -(-ascii_characters // CHARACTERS_PER_TOKEN) + len(text) - ascii_characters
