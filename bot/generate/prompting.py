"""Question and passages -> what a language model is told and asked, within its window. Knows no model.

Article text is untrusted: here it is made to be data and nothing else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import date

from bot.generate.draft import visible
from bot.models import Turn
from index.models import ClippingsError, Passage
from prompts import load_prompt

log = logging.getLogger(__name__)

ANSWER_TOKENS = 1_000  # of the window are kept for the answer
CHARACTERS_PER_TOKEN = 3  # of English; counts rather too many tokens, and needs no tokenizer
TURNS, TURN_LENGTH = 4, 400  # how much of a conversation the model sees
_MARK = re.compile(r" ?\[\d+\]")
_INERT = str.maketrans("<>[]", "‹›()")


class PromptTooLongError(ClippingsError):
    """Not even one passage fits into the model's window."""


def prompt(
    question: str, passages: Sequence[Passage], as_of: date, turns: Sequence[Turn], window: int
) -> tuple[str, str]:
    """What the model is told and what it is asked, within a window of so many tokens."""
    system = load_prompt("answer", today=f"{as_of:%A}, {as_of.isoformat()}")
    room = window - min(ANSWER_TOKENS, window // 4) - _tokens(system)
    shown = [_shown(number, passage) for number, passage in enumerate(passages, 1)]
    for conversation, count in [(_conversation(turns), len(shown)), *(("", n) for n in range(len(shown), 0, -1))]:
        user = load_prompt(
            "passages",
            conversation=conversation,
            passages="\n\n".join(shown[:count]),
            question=" ".join(inert(question).split()),
        )
        if _tokens(user) <= room:
            if count < len(shown):
                log.info("%d of %d passages fit into a window of %d tokens", count, len(shown), window)
            return system, user
    raise PromptTooLongError(
        f"The language model's window of {window} tokens has no room for the question and a passage: "
        "set CLIPPINGS_LLM_CONTEXT to what the model takes in, or choose another model."
    )


def condense_prompt(question: str, turns: Sequence[Turn]) -> str:
    """What the model is asked that completes a follow-up from the turns before it."""
    return load_prompt("condense", conversation=fenced(turns), question=" ".join(inert(question).split()))


def fenced(turns: Sequence[Turn]) -> str:
    """Turns as the model sees them: each of them one line behind a bar, without the numbers of its citations."""
    said = [f"| {turn.role}: {' '.join(_MARK.sub('', turn.text).split())[:TURN_LENGTH]}" for turn in turns]
    return inert("\n".join(said))


def inert(text: str) -> str:
    """Text that is data for sure: no role token, no tag, no ``[n]`` and no invisible character in it.

    ``"<|im_start|> [2]" -> "‹|im_start|› (2)"``
    """
    return visible(text).translate(_INERT)


def _shown(number: int, passage: Passage) -> str:
    """A passage as the model sees it: its number, and all else behind bars that no text can break out of."""
    source = passage.source
    day = source.published.isoformat() if source.published else None
    about = {"Headline": source.headline, "Outlet": source.outlet, "Date": day}
    lines = [f"{label}: {' '.join(value.split())}" for label, value in about.items() if value]
    lines += [line for line in inert(passage.text).splitlines() if line.strip()]
    return "\n".join([f"[{number}]", *(f"| {inert(line)}" for line in lines)])


def _conversation(turns: Sequence[Turn]) -> str:
    if not turns:
        return ""
    return f"Said before, which shows what the question refers to and proves nothing:\n{fenced(turns[-TURNS:])}\n\n"


def _tokens(text: str) -> int:
    """About how many tokens, rather too many: ``"abcdef" -> 2``, and one for each letter of other scripts."""
    plain = sum(character.isascii() for character in text)
    return -(-plain // CHARACTERS_PER_TOKEN) + len(text) - plain
