"""A follow-up and the turns before it -> a question that stands alone, by the language model, and checked.

What the model replies is searched for, so it must be a question about the same things; else the rules of
`bot/query/followup.py` complete it. Quoted articles are among the turns: one that talks the model into something else
gains a search at most, for words that were said already.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.generate.draft import tidy, visible
from bot.generate.llm import complete, timeout
from bot.generate.prompting import condense_prompt, fenced
from bot.models import Turn
from bot.query.followup import content_words, stands_by_itself
from index.text import figures, names, stem, words

if TYPE_CHECKING:
    from bot.generate.llm import LLM

_TURNS = 8  # what the model sees of a conversation
_SHARE, _LONGEST_WAIT = 4, 10.0  # a quarter of the model's time, and seconds: the answer is still to be written
_LONGEST = 300  # characters of a question
_LONGEST_REPLY = 4_000  # characters, a chain of thought included
_MOST_NEW = 2  # content words that were said nowhere: "leave" for "left", "happen to" for "what about"
_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.IGNORECASE | re.DOTALL)


def rewrite(llm: LLM, question: str, turns: Sequence[Turn]) -> str | None:
    """The question that stands alone; None where the model's reply is none that can be used. Raises WriteError."""
    seen = turns[-_TURNS:]
    reply = complete(llm, condense_prompt(question, seen), min(timeout(llm) / _SHARE, _LONGEST_WAIT), _LONGEST_REPLY)
    return usable(reply, question, seen)


def usable(reply: str, question: str, turns: Sequence[Turn]) -> str | None:
    """A reply as a question, None unless it is one line, short, and about what the question and the turns are about."""
    line = visible(_THOUGHT.sub("", reply)).strip()
    asked = tidy(line).strip("\"'“”")
    if "\n" in line or len(asked) > _LONGEST or not asked.endswith(("?", "？")):
        return None
    if words(asked) == words(question):
        return question if stands_by_itself(question) else None
    return asked if _is_about(asked, question, fenced(turns)) and _keeps(asked, question) else None


def _is_about(asked: str, question: str, turns: str) -> bool:
    """Whether it takes words from the turns, all names and figures were said, and nearly all other words."""
    said = f"{turns}\n{question}"
    if not (set(figures(asked)) <= set(figures(said)) and set(names(asked)) <= set(words(said))):
        return False
    added = _stems(asked) - _stems(question)
    new = added - _stems(turns)
    return len(new) <= _MOST_NEW and len(new) < len(added)


def _keeps(asked: str, question: str) -> bool:
    """Whether the names and figures of a question are still in it, and of its other words all but one or half."""
    if not (set(figures(question)) <= set(figures(asked)) and set(names(question)) <= set(words(asked))):
        return False
    before = _stems(question)
    return len(before - _stems(asked)) <= max(1, len(before) // 2)


def _stems(text: str) -> set[str]:
    return {stem(word) for word in content_words(text)}
