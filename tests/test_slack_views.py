"""The Home and the windows in Slack: what they show, within Slack's limits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from slack_sdk.models.views import View

from bot.plain_text import one_line, safe
from bot.slack import interactions, rich_text
from index.models import Source
from tests.fake_slack import limits
from tests.fakes.examples import BODY, QUOTE, SOURCE
from tests.fakes.hostile import LONG_TEXTS, TEXTS
from tests.slack_shown import KEY, SOURCES, STATUS, letters, nodes, of, read


def check(view: View) -> dict[str, Any]:
    """Hold a view to Slack's limits and to what we never send."""
    found = limits.view(view.to_dict(), view.type)
    assert 1 <= len(found["blocks"]) <= 100
    for node in nodes(found):
        assert node.get("type") not in ("mrkdwn", "markdown", "broadcast", "user")
        assert node.get("text") != ""
        assert node.get("emoji") is not True
    for text in of(found, "text"):
        assert len(text["text"]) <= 3000
    for button in of(found, "button"):
        assert len(button["text"]["text"]) <= 75
        assert len(button["accessibility_label"]) <= 75
    return found


def test_the_home_says_what_is_known_and_how_to_ask() -> None:
    """Articles, period, outlets and day; the ways to ask; a button for each example, which is its value."""
    found = check(interactions.home_view(STATUS, None, ["Tell me about “*One*”", "Tell me about “Two”"], admin=False))
    shown = read(found["blocks"])
    for told in ("1,234", "3 January 2024 to 3 June 2024", "The Courier", "21 November 2026", "direct message"):
        assert told in shown
    assert "reindex" not in shown
    assert [(button["action_id"], button["value"]) for button in of(found, "button")] == [
        ("ask-1", "Tell me about “*One*”"),
        ("ask-2", "Tell me about “Two”"),
    ]


def test_the_home_of_an_empty_index_says_so() -> None:
    """Without a status there is the problem, and still the ways to ask; an admin is told of reindexing."""
    found = check(interactions.home_view(None, "No articles have been indexed yet.", [], admin=True))
    shown = read(found["blocks"])
    assert "No articles have been indexed yet." in shown
    assert "reindex" in shown
    assert not of(found, "button")


def test_a_passage_is_the_quote_in_bold_inside_its_paragraph() -> None:
    """Under headline, outlet and day; the paragraph is to the letter."""
    before, _, after = BODY.partition(QUOTE)
    found = check(interactions.passage_view(SOURCE, [[(before, False), (QUOTE, True), (after, False)]]))
    title, passage = found["blocks"]
    assert read([title]) == "Bridge reopens · The Courier · 3 January 2024"
    assert [link["url"] for link in of(title, "link")] == [SOURCE.url]
    assert [(text["text"], "style" in text) for text in of(passage, "text")] == [
        (before, False),
        (QUOTE, True),
        (after, False),
    ]
    assert (found["title"]["text"], found["callback_id"]) == ("Passage", "passage")


@pytest.mark.parametrize("word", ["word ", "x"])
def test_a_long_passage_is_shortened_around_its_quote(word: str) -> None:
    """The quote stays whole, over several blocks where it is long; ellipses say that there is more."""
    quote = "All of it counts. " * 300
    found = check(interactions.passage_view(SOURCE, [[(word * 5000, False), (quote, True), (word * 5000, False)]]))
    texts = of(found["blocks"][1:], "text")
    assert "".join(text["text"] for text in texts if "style" in text) == quote
    assert texts[0]["text"].startswith(f"…{word}")
    assert texts[-1]["text"].endswith(f"{word.strip()}…")
    assert 500 < len(texts[0]["text"]) < 700


def test_several_quotes_are_shown_in_their_paragraphs() -> None:
    """Each paragraph is a block; long text between two quotes is cut in its middle."""
    runs = [("", False), ("One.", True), (" word" * 1000, False), ("Two.", True), (" Then.", False)]
    found = check(interactions.passage_view(SOURCE, [runs, [("Before ", False), ("three", True), ("", False)]]))
    first, second = found["blocks"][1:]
    texts = of(first, "text")
    assert [text["text"] for text in texts if "style" in text] == ["One.", "Two."]
    assert "word…word" in texts[1]["text"]
    assert len(texts[1]["text"]) < 3100
    assert read([second]) == "Before three"


@given(SOURCES, LONG_TEXTS, LONG_TEXTS, LONG_TEXTS)
def test_a_passage_is_harmless_and_its_quote_whole(source: Source, before: str, quote: str, after: str) -> None:
    """Whatever an article holds."""
    found = check(interactions.passage_view(source, [[(before, False), (quote, True), (after, False)]]))
    bold = "".join(text["text"] for text in of(found["blocks"][1:], "text") if "style" in text)
    assert bold == (safe(quote) or "…")
    assert all(rich_text.is_web_address(link["url"]) and link["url"] == source.url for link in of(found, "link"))


@given(TEXTS, TEXTS)
def test_a_note_is_its_sentence(title: str, text: str) -> None:
    """A title is cut to what Slack takes."""
    found = check(interactions.note_view(f"Note {title}", text))
    assert letters(read(found["blocks"])) == letters(safe(text).strip() or "…")
    assert found["title"]["text"].startswith("Note")


def test_an_article_that_is_gone_is_said_to_be() -> None:
    """The way out is to ask again."""
    assert "Ask again" in read(check(interactions.article_gone_view())["blocks"])


def test_the_reason_is_asked_for_and_may_be_left_out() -> None:
    """A text of some lines, sent with the key of the answer."""
    found = check(interactions.reason_view(KEY))
    (block,) = found["blocks"]
    assert (found["callback_id"], found["private_metadata"], found["submit"]["text"]) == ("why", KEY, "Send")
    assert (block["block_id"], block["optional"]) == ("reason", True)
    assert block["element"] == {
        "type": "plain_text_input", "action_id": "reason", "multiline": True, "max_length": 2000,
    }  # fmt: skip


@given(TEXTS)
def test_any_example_fits_its_button(question: str) -> None:
    """The button shows its beginning, the value is all of it."""
    question = f"Who? {question}"[:2000]
    (button,) = of(check(interactions.home_view(None, None, [question], admin=False)), "button")
    assert button["value"] == one_line(question)
