"""The ways to answer, by kind. A kind that is not here is answered with the best quotes (bot/extract)."""

from __future__ import annotations

from collections.abc import Mapping

from bot.kinds.collection import answer_collection
from bot.kinds.compare import answer_comparison
from bot.kinds.listing import answer_list
from bot.kinds.news import answer_news
from bot.kinds.reason import answer_reason
from bot.kinds.said import answer_said
from bot.kinds.scope import Way
from bot.kinds.storyline import summarize, timeline
from bot.kinds.total import answer_total
from bot.kinds.unsaid import answer_unsaid
from bot.kinds.verdict import answer_verdict
from bot.kinds.who import answer_holder, answer_who
from bot.models import Kind

WAYS: Mapping[Kind, Way] = {
    "collection": answer_collection,
    "news": answer_news,
    "summary": summarize,
    "timeline": timeline,
    "compare": answer_comparison,
    "list": lambda request, scope: answer_unsaid(request, scope) or answer_list(request, scope),
    "reason": answer_reason,
    "total": answer_total,
    "yes_no": answer_verdict,
    "who": answer_who,
    "said": answer_said,
    "fact": answer_holder,
}
