"""A follow-up and the turns before it -> a standalone query, by the language model, and checked.

The reply is searched for, so it must be a question about the same things; else the rules of `bot/query/followup.py`
complete the follow-up. Quoted articles are among the turns: if one sways the model, it gains a search at most, for
words that are in the conversation already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.generate.draft import strip_markup, without_thoughts
from bot.generate.llm import complete, timeout_seconds
from bot.generate.prompting import condense_prompt, fenced
from bot.models import Turn
from bot.query.followup import content_words, stands_by_itself
from index.text import figures, names, stem, words

if TYPE_CHECKING:
    from bot.generate.llm import LLM

MAX_REWRITE_SECONDS = 10.0  # or a quarter of the model's time-out: the answer is still to be written
MAX_REWRITE_REPLY_CHARACTERS = 4_000  # a chain of thought included
MAX_TURNS = 8  # of a conversation
MAX_QUERY_CHARACTERS = 300
MAX_NEW_WORDS = 2  # content words from neither question nor turns: "leave" for "left", "happen to" for "what about"


def rewrite(llm: LLM, question: str, turns: Sequence[Turn]) -> str | None:
    """Return the standalone query; None if the model's reply is unusable. Raises LLMError."""
    turns = turns[-MAX_TURNS:]
    seconds = min(timeout_seconds(llm) / 4, MAX_REWRITE_SECONDS)
    reply = complete(llm, condense_prompt(question, turns), seconds, MAX_REWRITE_REPLY_CHARACTERS)
    return usable(reply, question, turns)


def usable(reply: str, question: str, turns: Sequence[Turn]) -> str | None:
    """Return a reply as a query if it is one short line about the topic of question and turns; else None."""
    line = without_thoughts(reply).strip()
    query = strip_markup(line).strip("\"'“”")
    if "\n" in line or len(query) > MAX_QUERY_CHARACTERS or not query.endswith(("?", "？")):
        return None
    if words(query) == words(question):
        return question if stands_by_itself(question) else None
    return query if _keeps_topic(query, question, fenced(turns)) and _keeps_question(query, question) else None


def _keeps_topic(query: str, question: str, turns: str) -> bool:
    """Whether a query takes words from the turns, and at most `MAX_NEW_WORDS` and no name or figure from elsewhere."""
    added = _stems(query) - _stems(question)
    new = added - _stems(turns)
    return _names_are_in(query, f"{turns}\n{question}") and len(new) <= MAX_NEW_WORDS and len(new) < len(added)


def _keeps_question(query: str, question: str) -> bool:
    """Whether a query drops no name or figure of the question, and of its content words at most one or half."""
    before = _stems(question)
    return _names_are_in(question, query) and len(before - _stems(query)) <= max(1, len(before) // 2)


def _names_are_in(text: str, other: str) -> bool:
    """Whether all names and figures of a text are in another text."""
    return set(figures(text)) <= set(figures(other)) and set(names(text)) <= set(words(other))


def _stems(text: str) -> set[str]:
    return {stem(word) for word in content_words(text)}
