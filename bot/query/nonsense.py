"""Messages that nobody can understand: a slip of the keyboard is no follow-up, and repeats no answer."""

from __future__ import annotations

from bot.query.followup import content_words
from index.storage.catalogue import Catalogue
from index.text import names, stems, words

_MAX_WORDS = 12  # of which the articles are asked


def why_not_understood(question: str, catalogue: Catalogue) -> str | None:
    """Say that no word of a message is in the articles; None for one with a name, a number or a word of grammar."""
    held = words(question)
    is_bare = 0 < len(held) <= _MAX_WORDS and content_words(question) == list(dict.fromkeys(held))
    if not is_bare or names(f"It {question}") or any(word.isdecimal() for word in held):
        return None
    if any(catalogue.mentioning([stem], limit=1) for stem in stems(question)):
        return None
    return f"“{question.strip()}” was not understood: no article has any of these words. Please ask in other words."
