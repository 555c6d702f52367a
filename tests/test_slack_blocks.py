"""What else the bot says in Slack: errors, what is indexed, help, examples; and how it reads back what it said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Answer
from bot.plain_text import safe
from bot.slack import blocks, rich_text
from index.models import Source
from tests.fakes.examples import ANSWER, REFUSED
from tests.fakes.hostile import LONG_TEXTS, TEXTS
from tests.slack_shown import ANSWERS, KEY, SOURCES, STATUS, check, drawn, letters, of, read


@given(TEXTS)
def test_an_error_is_a_sentence_and_a_way_to_try_again(text: str) -> None:
    """Whatever the sentence holds, it is shown as it stands."""
    found = check(blocks.error_message(text, KEY))
    assert letters(read(found)) == letters(safe(text).strip() or "…")
    assert [(button["action_id"], button["value"]) for button in of(found, "button")] == [("retry", KEY)]


@given(LONG_TEXTS)
def test_a_plain_message_keeps_its_paragraphs(text: str) -> None:
    """It is literal text; where it is too long for a message, it ends with an ellipsis."""
    message = blocks.plain_message(text)
    check(message)
    said = "".join(node["text"] for node in of(drawn(message.blocks), "text"))
    assert said == rich_text.unescaped(message.text)
    assert (safe(text).strip() or "…").startswith(said.removesuffix("…"))


def test_a_plain_message_that_is_too_long_says_that_there_is_more() -> None:
    """It is one message, whatever it holds."""
    message = blocks.plain_message("Not read: *a_b*.txt\n" * 300)
    check(message)
    assert message.text.endswith("…")


def test_the_status_says_what_is_indexed_and_how_it_is() -> None:
    """Articles, period, outlets, day, health and language model, a line each."""
    message = blocks.status_message(STATUS, "")
    check(message)
    assert rich_text.unescaped(message.text) == (
        "Articles: 1,234, 3 January 2024 to 3 June 2024\n"
        "Outlets: The Courier (1,000), no outlet named (200), Echo (34)\n"
        "Last indexed: 21 November 2026, 06:59 UTC\n"
        "Health: good\n"
        "Language model: none; answers are quoted"
    )


def test_the_status_names_ten_outlets_and_no_path() -> None:
    """The most told first; what is wrong with the files is for the one who runs the bot."""
    outlets = {f"*Outlet* {n} " + "x" * 500: n for n in range(30)}
    status = replace(STATUS, outlets=outlets, healthy=False, problem="delete /srv/vectors", indexed_at=None)
    message = blocks.status_message(status, "llama :smile:")
    shown = read(check(message))
    assert "and 20 more" in shown
    assert "*Outlet* 29" in shown
    assert "*Outlet* 19" not in shown
    assert "Last indexed: never" in shown
    assert "something is wrong" in shown
    assert "/srv" not in shown + message.text


@pytest.mark.parametrize(("admin", "told"), [(True, True), (False, False)])
def test_help_tells_every_way_to_ask(*, admin: bool, told: bool) -> None:
    """Reindexing is told to admins; the bot's mention is a real one."""
    message = blocks.help_message(bot_user="U9", admin=admin)
    found = check(message)
    assert of(found, "user") == [{"type": "user", "user_id": "U9"}]
    for way in ("direct message", "thread", "/clippings", "Ask about this message", "status", "help", "do not say"):
        assert way in message.text
        assert way in read(found)
    assert ("reindex" in message.text) == ("reindex" in read(found)) == told


@given(ANSWERS)
def test_the_bot_reads_its_own_words_back(answer: Answer) -> None:
    """From the blocks of all messages, or from the texts where Slack refused the blocks, and without the sources."""
    answer = replace(answer, text=re.sub(r"\n\s*\[\d+\] ", "\n", safe(answer.text)))
    sent = blocks.answer_messages(answer, KEY)
    said = letters("The articles do not say." if answer.refusal else safe(answer.text).strip() or "…")
    assert letters("".join(blocks.own_words(drawn(message.blocks), message.text) for message in sent)) == said


def test_words_are_read_back_where_slack_took_only_the_text() -> None:
    """The sources are left out; what is no answer says nothing."""
    answered, refused = blocks.answer_messages(ANSWER, KEY)[0], blocks.answer_messages(REFUSED, KEY)[0]
    assert blocks.own_words([], answered.text) == ANSWER.text
    assert blocks.own_words([], refused.text) == "The articles do not say."
    assert blocks.own_words([], "Indexing…") == ""


@pytest.mark.parametrize(
    "found",
    [
        [], [{}], [None], ["answer-0"], [{"block_id": 3}], [{"block_id": "answer-0"}],
        [{"block_id": "answer-0", "elements": [1, [None]]}], drawn(blocks.plain_message("Help!").blocks),
    ],
)  # fmt: skip
def test_what_is_no_answer_of_ours_says_nothing(found: list[object]) -> None:
    """Anything may stand in a thread."""
    assert blocks.own_words(found, "x") == ""


def test_examples_ask_about_the_newest_articles_of_different_outlets() -> None:
    """An outlet's second article waits until each has had its turn; days and empty headlines make no question."""
    told = [
        ("One", "A", 1), ("Two", "A", 9), ("Three", "B", 5), ("", "C", 8), ("In March 2023 it rained", "D", 7),
        ("Four", None, 2), ("Four", "A", 2),
    ]  # fmt: skip
    sources = [Source(name, name, outlet, published=date(2024, 1, day)) for name, outlet, day in told]
    assert blocks.examples([*sources, Source("x", "Five", "A")], 5) == [
        f"Tell me about “{name}”" for name in ("Two", "Three", "Four", "One", "Five")
    ]


@given(st.lists(SOURCES, max_size=8), st.integers(1, 5))
def test_examples_are_short_lines(sources: list[Source], count: int) -> None:
    """Each fits on a button, and none is asked twice."""
    asked = blocks.examples(sources, count)
    assert len(asked) == len(set(asked)) <= count
    assert all(len(question) <= 70 and "\n" not in question for question in asked)
