"""Text in Slack: nothing that an article can hold is more than text, and nothing of it is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.plain_text import safe
from bot.slack import rich_text
from tests.fakes.hostile import LONG_TEXTS, TEXTS

# What Slack makes more of than text: mentions, links, emoji. Whole hosts' names, too, whatever stands around them.
LIVE = re.compile(r"<[@#!\w][^>]*>|[@#]\w|:[\w+'-]+:|\w://|\w\.[^\W\d]")
MARKUP = re.compile(
    rf"(?<!{rich_text.WORD_JOINER})[*_~`＊＿～｀]|[*_~`＊＿～｀](?!{rich_text.WORD_JOINER})|^(?:&gt;|＞)", re.MULTILINE
)


@given(TEXTS)
def test_a_message_text_is_read_as_it_was_and_does_nothing(text: str) -> None:
    """Escaped text holds no mention, link, emoji code or formatting, and unescaped it is the text to the letter."""
    shown = rich_text.escaped(text)
    assert not LIVE.search(shown)
    assert not MARKUP.search(shown)
    assert rich_text.unescaped(shown) == safe(text)


def test_ordinary_prose_is_not_touched() -> None:
    """A sentence without signs goes out as it came."""
    prose = "The bridge, shut since March 2023, reopened: 4,000 walked. It cost $1.25m (or so) - “less” than feared."
    assert rich_text.escaped(prose) == prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("R&D <!here>", "R&amp;D &lt;!here&gt;"),
        ("*a*", "+*+a+*+"),
        (":x:", ":+x:"),
        ("at 10:30.", "at 10:+30."),
        ("see www.x.example", "see www.+x.+example"),
        ("a@b.example", "a@+b.+example"),
        ("> a", "+&gt; a"),
    ],
)
def test_what_would_be_markup_is_taken_apart(text: str, shown: str) -> None:
    """Word joiners (here +) stand only where they are needed."""
    assert rich_text.escaped(text).replace(rich_text.WORD_JOINER, "+") == shown


def rendered(markdown: str) -> str:
    """What is shown of Markdown, where it is nothing but paragraphs of text."""
    shown = []
    for token in MarkdownIt("commonmark").parse(markdown):
        assert token.type in ("paragraph_open", "inline", "paragraph_close"), token
        for child in token.children or ():
            assert child.type in ("text", "softbreak", "hardbreak"), child
            shown.append(child.content or "\n")
        shown.append("\n\n")
    return "".join(shown)


@given(TEXTS)
def test_a_stream_shows_the_text_and_does_nothing(text: str) -> None:
    """Rendered as Markdown, streamed text is its own words in paragraphs, without a mention, link or emoji code."""
    shown = rendered(rich_text.streamed(text))
    assert not LIVE.search(shown)
    assert not LIVE.search(rich_text.streamed(text))
    assert shown.replace(rich_text.WORD_JOINER, "").split() == safe(text).split()


@given(TEXTS, st.integers(0, 200))
def test_a_stream_may_be_cut_anywhere(text: str, at: int) -> None:
    """Two pieces do together what they do apart: nothing."""
    text = safe(text)
    shown = rendered(rich_text.streamed(text[:at]) + rich_text.streamed(text[at:]))
    assert not LIVE.search(shown)
    assert shown.replace(rich_text.WORD_JOINER, "").split() == text.split()


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "https://a.example/b?c=d&e=f#g",
        "https://a.example:8080/ü",
        "https://a.example/" + "x" * 2000,
    ],
)
def test_an_articles_address_is_a_link(url: str) -> None:
    """An http(s) url with a host is linked as it is."""
    (element,) = rich_text.linked("Headline", url)
    assert element.to_dict() == {"type": "link", "text": "Headline", "url": url}


@pytest.mark.parametrize(
    "url",
    [
        None, "", "a.example", "ftp://a.example", "javascript:alert(1)", "https://", "https:///x", "http://[x",
        "https://bank.example@evil.example/", "https://u:p@evil.example", "https://a.example/ x", "https://a.example/\n",
        "https://a.example/\u202e", "https://a.example|b", "https://a.example/<b>", "slack://x", "mailto:a@b.example",
        "https://a.example/" + "x" * 4000, "http://\ud800", "https://a.example\\@b.example",
    ],
)  # fmt: skip
def test_any_other_address_is_no_link(url: str | None) -> None:
    """What is no plain web address comes out as text without a link."""
    (element,) = rich_text.linked("Headline", url)
    assert element.to_dict() == {"type": "text", "text": "Headline"}


@given(TEXTS)
def test_rich_text_holds_no_control(text: str) -> None:
    """Elements are text as it stands, without controls; of nothing there is no element."""
    assert "".join(element.to_dict()["text"] for element in rich_text.literal(text, bold=True)) == safe(text)
    assert len(rich_text.literal(text)) == bool(safe(text))


@given(LONG_TEXTS, st.integers(10, 3000))
def test_parts_are_the_text_and_fit(text: str, most: int) -> None:
    """Joined, the parts are the text to the letter; each of them fits once it is escaped."""
    text = safe(text)
    parts = rich_text.split(text, most)
    assert "".join(parts) == text
    assert all(parts)
    assert all(len(rich_text.escaped(part).encode()) <= rich_text.size(part) <= most for part in parts)


@pytest.mark.parametrize(
    ("most", "parts"),
    [
        (90, ["Aa bb. Cc dd.\n\n", "Ee ff gg."]),
        (25, ["Aa bb. Cc dd.\n\n", "Ee ff gg."]),
        (16, ["Aa bb. ", "Cc dd.\n\n", "Ee ff gg."]),
        (9, ["Aa ", "bb. ", "Cc ", "dd.\n\n", "Ee ff ", "gg."]),
    ],
)
def test_text_is_cut_where_it_hurts_least(most: int, parts: list[str]) -> None:
    """Before a paragraph where that is in reach, else before a sentence, else before a word."""
    expected = ["".join(parts)] if most == 90 else parts
    assert rich_text.split("".join(parts), most) == expected


def test_a_word_that_is_too_long_is_cut_anywhere() -> None:
    """Nothing is too long to be shown."""
    assert rich_text.split("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


@pytest.mark.parametrize(
    ("most", "shown"),
    [(30, "Old bridge, reopened at last"), (27, "Old bridge, reopened at…"), (14, "Old bridge…"), (3, "Ol…")],
)
def test_a_long_line_is_shortened_at_a_word(most: int, shown: str) -> None:
    """It says with an ellipsis that there is more."""
    assert rich_text.shortened("Old  bridge,\nreopened at last", most) == shown


@given(TEXTS, st.integers(1, 100))
def test_what_is_shortened_fits(text: str, most: int) -> None:
    """The ellipsis is counted."""
    shown = rich_text.shortened(text, most)
    assert len(shown) <= most
    assert "\n" not in shown
