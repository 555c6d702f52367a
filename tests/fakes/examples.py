"""An article, an answer from it and a refusal, for what shows them; and a stream that says it is a terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

from bot.models import Answer, Citation, Refusal
from index.models import Article, Boilerplate, Passage, Source

BODY = "The old bridge reopened.\n\nSome 40 people  walked over it\nfirst.\n\nRain fell later."
QUOTE = "Some 40 people  walked over it\nfirst."
SOURCE = Source(
    "a1", "Bridge reopens", "The Courier", "Ann Lee", date(2024, 1, 3), "url", True, "https://courier.example/bridge"
)
OTHER = Source("b2", "Bridge opens again", None, published=date(2024, 1, 4), published_certain=False, path="b.txt")
CITATION = Citation(1, QUOTE, BODY.index(QUOTE), BODY.index(QUOTE) + len(QUOTE), SOURCE, (OTHER,))
PASSAGE = Passage("a1-0", SOURCE, BODY, 0, len(BODY), 0.5, 0.7, 2.0)
ANSWER = Answer(
    "how many walked?", "how many walked?", f"{QUOTE} [1]", "quote", None, (CITATION,), (PASSAGE,), None, {"search": 4}
)
REFUSED = replace(ANSWER, text="Perhaps.", refusal=Refusal("None of them names Zog.", (SOURCE, OTHER)), citations=())
ARTICLE = Article(SOURCE, BODY, (Boilerplate("caption", "The bridge\nat dawn"),))


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True
