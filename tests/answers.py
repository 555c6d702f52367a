"""Questions about the project's articles, an engine with a scripted language model, and what holds of every answer."""

from __future__ import annotations

from datetime import date
from functools import partial

from bot.answer import Engine
from bot.generate.llm import make_llm
from bot.models import Answer, numbered
from bot.runtime import once

ASKED = date(2024, 6, 10)
KERMAN = "How many people were killed in the Kerman attack?"
MILL = "How many jobs will the Aldermoor paper mill cut?"
BRIDGE = "Why was Marrow Bridge closed?"
BREAD = "How do I bake sourdough bread?"
KEY = "sk-very-secret"


def with_model(engine: Engine, url: str, timeout: float = 5.0, *, has_second_look: bool = False) -> Engine:
    """An engine with a language model, which shares index and weights with another: reading them takes long."""
    llm = partial(make_llm, f"openai-like:{url}#fake", api_key=KEY, timeout=timeout, context_window=None)
    return Engine(engine._searcher, engine._models, once(llm), has_second_look=has_second_look)


def held(engine: Engine, answer: Answer) -> bool:
    """Whether there are citations, numbered by article, each of them in the text and to the letter in its article."""
    assert answer.citations == numbered(answer.citations)
    for citation in answer.citations:
        article = engine.article(citation.source.id)
        assert article is not None
        assert citation.quote == article.body[citation.start : citation.end]
        assert f"[{citation.number}]" in answer.text
    return bool(answer.citations)
