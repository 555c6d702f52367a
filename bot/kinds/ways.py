"""The ways to answer, by kind. A kind that is not here is answered with the best quotes (bot/extract)."""

from __future__ import annotations

from collections.abc import Mapping

from bot.kinds.collection import answer_collection
from bot.kinds.said import answer_said
from bot.kinds.scope import Way
from bot.kinds.who import answer_holder, answer_who
from bot.models import Kind

WAYS: Mapping[Kind, Way] = {
    "collection": answer_collection,
    "who": answer_who,
    "said": answer_said,
    "fact": answer_holder,
}
