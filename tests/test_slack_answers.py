"""An answer in Slack: with its sources, within the limits, harmless, and nothing of it lost."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.models import Answer, Citation, Refusal, in_marks
from bot.plain_text import one_line, safe
from bot.slack import blocks, rich_text
from index.models import Source
from tests.fakes.examples import ANSWER, CITATION, OTHER, REFUSED, SOURCE
from tests.fakes.hostile import LONG_TEXTS, TEXTS
from tests.slack_shown import ANSWERS, KEY, check, drawn, letters, of, read


def addresses(answer: Answer) -> set[str]:
    """Of the sources of an answer."""
    told = [source for citation in answer.citations for source in (citation.source, *citation.also_in)]
    return {source.url for source in (*told, *(answer.refusal.nearest if answer.refusal else ())) if source.url}


@given(answer=ANSWERS, asked_by=st.sampled_from([None, "U9"]), shareable=st.booleans(), note=st.none() | TEXTS)
def test_whatever_an_answer_holds_its_messages_are_harmless(
    *, answer: Answer, asked_by: str | None, shareable: bool, note: str | None
) -> None:
    """No markup, no ping but of the asker, no link but the sources' own web addresses, every limit kept."""
    sent = blocks.answer_messages(answer, KEY, asked_by=asked_by, shareable=shareable, note=note)
    found = [block for message in sent for block in check(message)]
    assert {link["url"] for link in of(found, "link")} <= {
        url for url in addresses(answer) if rich_text.is_web_address(url)
    }
    assert {user["user_id"] for user in of(found, "user")} == ({asked_by} if asked_by else set())
    assert "secret" not in json.dumps(found)


def expected(answer: Answer) -> str:
    """The words of an answer and of its sources, in order."""
    said = []
    if answer.refusal:
        said += ["The articles do not say.", one_line(answer.refusal.reason)]
        said += ["Nearest headlines:"] if answer.refusal.nearest else []
        said += [f"• {blocks.headline(source)}{blocks.origin(source)}" for source in answer.refusal.nearest]
    else:
        said.append(safe(answer.text).strip() or "…")
        for before, citation, after in zip(
            [None, *answer.citations], answer.citations, [*answer.citations[1:], None], strict=False
        ):
            source = citation.source
            if not before or before.number != citation.number:
                said.append(f"[{citation.number}] {blocks.headline(source)}{blocks.origin(source)}")
            said.append(in_marks(one_line(citation.quote)))
            if after and (after.number, after.also_in) == (citation.number, citation.also_in):
                continue
            outlets = [one_line(source.outlet or "") or blocks.headline(source) for source in citation.also_in]
            said += [f"Also in: {', '.join(rich_text.shortened(outlet, 200) for outlet in outlets)}"] if outlets else []
    return letters("".join([*said, one_line(answer.notice or "")]))


SHORT = st.text(st.sampled_from("ab<>&*_:.@ []1\n"), max_size=60)
TIDY = st.builds(Source, id=st.just("a"), headline=SHORT, outlet=st.none() | SHORT, published=st.none() | st.dates())
TIDY_CITATIONS = st.builds(
    Citation, st.just(0), LONG_TEXTS, st.just(0), st.just(1), TIDY, st.lists(TIDY, max_size=3).map(tuple)
)


@given(
    ANSWERS,
    st.lists(TIDY_CITATIONS, max_size=12),
    st.none() | st.builds(Refusal, TEXTS, st.lists(TIDY, max_size=3).map(tuple)),
)
def test_nothing_of_an_answer_is_lost_or_doubled(
    answer: Answer, citations: list[Citation], refusal: Refusal | None
) -> None:
    """The messages together say every word of the answer and its sources once, in order, both drawn and as text.

    Every second source has two quotes.
    """
    numbered = tuple(replace(citation, number=1 + 2 * at // 3) for at, citation in enumerate(citations))
    answer = replace(answer, citations=numbered, refusal=refusal)
    sent = blocks.answer_messages(answer, KEY)
    assert letters("".join(rich_text.unescaped(message.text) for message in sent)) == expected(answer)
    assert letters("".join(read(drawn(message.blocks)) for message in sent)) == expected(answer)


def test_an_answer_is_its_text_its_sources_and_its_buttons() -> None:
    """The text is all of it in words; numbers are bold, headlines are links, quotes stand under them."""
    (message,) = blocks.answer_messages(ANSWER, KEY)
    assert message.text.replace(rich_text.WORD_JOINER, "") == (
        "Some 40 people  walked over it\nfirst. [1]\n\n"
        "[1] Bridge reopens · The Courier · 3 January 2024\n“Some 40 people walked over it first.”\n\n"
        "Also in: Bridge opens again"
    )
    said, source, also, passages, feedback, again = check(message)
    assert said["block_id"] == "answer-0"
    assert said["elements"][0]["elements"][1] == {"type": "text", "text": "[1]", "style": {"bold": True}}
    title, quote = source["elements"]
    assert title["elements"][1] == {"type": "link", "text": "Bridge reopens", "url": SOURCE.url}
    assert quote["type"] == "rich_text_quote"
    assert read([also]).split() == "Also in: Bridge opens again".split()
    assert [element["action_id"] for element in passages["elements"]] == ["passage-1"]
    (element,) = feedback["elements"]
    assert element["positive_button"]["value"] == f"helpful {KEY}"
    assert element["negative_button"]["value"] == f"unhelpful {KEY}"
    assert element["negative_button"]["accessibility_label"] == "This answer was not helpful"
    assert [(button["action_id"], button["value"]) for button in again["elements"]] == [("retry", KEY)]


def test_a_passage_button_says_which_quote_it_opens() -> None:
    """Its value is the article, the quote's place in it, and a mark of the quote; a screen reader gets a sentence."""
    (message,) = blocks.answer_messages(ANSWER, KEY)
    (button,) = (node for node in of(drawn(message.blocks), "button") if node["action_id"] == "passage-1")
    assert json.loads(button["value"]) == {"id": "a1", "start": 26, "end": 63, "mark": "9d34603e"}
    assert button["accessibility_label"] == "Show passage 1 in its paragraph"


def test_the_short_answer_is_bold_in_front() -> None:
    """The words stay as they are, as text and when the thread is read back."""
    answer = replace(ANSWER, text="40 — “Some 40 people” [1]", short="40")
    (message,) = blocks.answer_messages(answer, KEY)
    said = check(message)[0]
    texts = [(text["text"], text.get("style")) for text in said["elements"][0]["elements"]]
    bold = {"bold": True}
    assert texts == [("40", bold), (" — “Some 40 people” ", None), ("[1]", bold)]
    assert blocks.own_words([said], message.text) == answer.text
    assert message.text.startswith("40 — “Some 40 people” [1]")


def test_a_source_with_several_quotes_stands_once_with_one_button() -> None:
    """The button has the place of each quote; a quote is a block of its own."""
    rain = replace(CITATION, quote="Rain fell later.", start=66, end=82)
    (message,) = blocks.answer_messages(replace(ANSWER, citations=(CITATION, rain)), KEY)
    found = check(message)
    assert read(found).count("Bridge reopens") == 1
    assert [read([{"type": "", "elements": quote["elements"]}]) for quote in of(found, "rich_text_quote")] == [
        "“Some 40 people walked over it first.”", "“Rain fell later.”",
    ]  # fmt: skip
    (button,) = (node for node in of(found, "button") if node["action_id"].startswith("passage"))
    assert json.loads(button["value"]) == {
        "id": "a1", "start": 26, "end": 63, "more": [[66, 82]],
        "mark": blocks.quote_digest(f"{CITATION.quote}Rain fell later."),
    }  # fmt: skip


def test_a_private_answer_has_its_question_and_can_be_shared() -> None:
    """What a slash command asked is not shown by Slack, so the answer begins with it."""
    (message,) = blocks.answer_messages(ANSWER, KEY, shareable=True)
    assert message.text.startswith("You asked: how many walked?\n\n")
    found = check(message)
    assert read(found[:1]).split() == "You asked: how many walked?".split()
    assert [button["action_id"] for button in found[-1]["elements"]] == ["retry", "share"]


def test_a_shared_answer_names_who_asked() -> None:
    """The asker is a mention, the question is text."""
    (message,) = blocks.answer_messages(replace(ANSWER, question="<!channel> *why*?"), KEY, asked_by="U9")
    who, rest = check(message)[0]["elements"][0]["elements"]
    assert who == {"type": "user", "user_id": "U9"}
    assert rest == {"type": "text", "text": " asked: <!channel> *why*?"}
    assert message.text.startswith("<@U9> asked: &lt;!channel&gt;")


def test_notices_are_faint_lines_before_the_buttons_of_the_answer() -> None:
    """What is said about the answer itself stands behind it, as plain text without emoji."""
    (message,) = blocks.answer_messages(replace(ANSWER, notice="The model :x: timed out."), KEY, note="Long thread.")
    found = check(message)
    lines = [element for block in found if block["type"] == "context" for element in block["elements"]]
    assert lines == [
        {"type": "plain_text", "text": text, "emoji": False} for text in ("The model :x: timed out.", "Long thread.")
    ]
    assert [block["type"] for block in found[-4:]] == ["context", "context", "context_actions", "actions"]


def test_a_refusal_gives_its_reason_and_the_nearest_headlines() -> None:
    """It has feedback and try again, and no passages: the nearest are no evidence."""
    (message,) = blocks.answer_messages(REFUSED, KEY)
    found = check(message)
    assert (
        read(found).split()
        == (
            "The articles do not say. None of them names Zog. Nearest headlines: "
            "• Bridge reopens · The Courier · 3 January 2024 • Bridge opens again · 4 January 2024 (uncertain)"
        ).split()
    )
    assert [link["url"] for link in of(found, "link")] == [SOURCE.url]
    assert [button["action_id"] for button in of(found, "button")] == ["retry"]
    assert of(found, "feedback_buttons")


def test_small_talk_is_text_and_nothing_else() -> None:
    """A greeting has no sources and no buttons."""
    (message,) = blocks.answer_messages(Answer("hi", "hi", "Hello!", "reply"), KEY)
    assert message.text == "Hello!"
    assert [block["type"] for block in check(message)] == ["rich_text"]


def test_a_long_answer_is_several_messages_with_the_buttons_in_the_last() -> None:
    """Sources stay whole, passage buttons stand under their sources, five in a row."""
    citations = tuple(replace(CITATION, number=number) for number in range(1, 61))
    sent = blocks.answer_messages(replace(ANSWER, text="One more thing happened. " * 400, citations=citations), KEY)
    found = [check(message) for message in sent]
    assert len(found) > 3
    ends = [[block["type"] for block in one].count("context_actions") for one in found]
    assert ends == [0] * (len(found) - 1) + [1]
    for one in found:
        sources = re.findall(r"\[(\d+)\] Bridge", read(one))
        buttons = [button["text"]["text"] for button in of(one, "button") if "passage" in button["action_id"]]
        assert buttons == [f"Show passage {number}" for number in sources]


def test_a_story_that_everybody_told_keeps_every_link() -> None:
    """Sixty outlets with addresses of 2,000 characters are each linked once, over several messages."""
    also = tuple(replace(OTHER, id=f"o{n}", url=f"https://o{n}.example/{'x' * 2000}") for n in range(60))
    sent = blocks.answer_messages(replace(ANSWER, citations=(replace(CITATION, also_in=also),)), KEY)
    links = [link["url"] for message in sent for link in of(check(message), "link")]
    assert links == [SOURCE.url, *(source.url for source in also)]


def test_many_short_sources_are_not_too_many_blocks() -> None:
    """However little each of them says."""
    short = Source("", "x")
    citations = tuple(Citation(number, "x", 0, 1, short, (short,)) for number in range(100))
    for answer in (replace(ANSWER, citations=citations), replace(ANSWER, refusal=Refusal("x", (short,) * 100))):
        sent = blocks.answer_messages(answer, KEY, note="x")
        assert len([check(message) for message in sent]) > 2


def test_the_longest_source_there_can_be_fits() -> None:
    """Everything as long as it may be shown, of characters that take the most to escape."""
    wide = "＊" * 9000
    source = Source("x" * 9000, wide, wide, url=f"https://a.example/{'x' * 2900}", published_certain=False)
    citation = Citation(1, wide, 0, 9000, source, (source, source))
    answer = replace(ANSWER, question=wide, text=wide, citations=(citation,), notice=wide)
    for sent in (answer, replace(answer, refusal=Refusal(wide, (source, source)))):
        found = [check(message) for message in blocks.answer_messages(sent, "k" * 200, asked_by="U9", shareable=True)]
        assert len(of(found, "link")) == (2 if sent.refusal else 3)
        assert not [button for button in of(found, "button") if "passage" in button["action_id"]]  # no room for its id


def test_outlets_that_told_the_same_story_stand_on_one_line() -> None:
    """Each is named and linked, by its headline where it has no outlet."""
    also = (replace(OTHER, outlet="Echo", url="https://echo.example/1"), replace(OTHER, url="https://x.example/2"))
    (message,) = blocks.answer_messages(replace(ANSWER, citations=(replace(CITATION, also_in=also),)), KEY)
    (line,) = [block for block in check(message) if "Also" in read([block])]
    assert [(link["text"], link["url"]) for link in of(line, "link")] == [
        ("Echo", "https://echo.example/1"),
        ("Bridge opens again", "https://x.example/2"),
    ]
    assert "\nAlso in: Echo, Bridge opens again" in message.text


def test_an_article_without_anything_is_still_a_source() -> None:
    """No headline, no outlet, no date, no url."""
    (message,) = blocks.answer_messages(replace(ANSWER, citations=(replace(CITATION, source=Source("n", "")),)), KEY)
    assert "[1] (no headline) · no date\n" in message.text
    assert not of(check(message)[1], "link")
