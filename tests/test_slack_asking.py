"""What a Slack message asks with what it quotes or forwards, and when the bot keeps quiet in a thread."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.events import asks_the_bot, question_of, question_of_message, question_of_shortcut
from bot.slack.threads import turns_of
from tests.fakes.hostile import LONG_TEXTS, TEXTS

ARCHIVES = "https://acme.slack.com/archives/C1/p1700000000000100"
ASKED = [
    "who won?",
    "and where was it?",
    "why?",
    "when",
    "who won the cup",
    "is it open",
    "thanks! and who claimed it?",
    "Thanks, how many were hurt?",
    "Hi, when does the bridge open?",
    "Clippings, who won?",
    "What about Kerman?",
    "is that right?",
    "can you tell me who won?",
    "what do you have on the strike?",
    "what do we know about the fire?",
    "tell me more",
    "anything else?",
    "in short?",
    "summarise the strike",
    "list the towns that were flooded",
    "I read that the mill will close. How many jobs will go?",
    "In March, how many came?",
    "Can I be fined for that?",
    "who reopened it, please?",
]
NOT_ASKED = [
    "thanks",
    "Thanks a lot!",
    "ok",
    "great, noted",
    "👍",
    "",
    "I think the second quote is stronger.",
    "We should lead with the bridge",
    "<@U2> is that so?",
    "<!here> who has the file?",
    "<!channel> when do we publish?",
    "<!subteam^S1|@desk> is it out?",
    "Tom, is it open?",
    "Thanks Ann, who has the photo?",
    "hey Tom, what's the status?",
    "Is the photo in, Tom?",
    "can you check this?",
    "did you file already?",
    "shall we publish?",
    "Should I call her?",
    "could someone look at the headline?",
    "what do you think?",
    "what do you mean?",
    "What a mess",
    "how nice",
    "When they came, we left.",
    "Will do",
    "really?",
    "Which is what I said.",
    "tell me about it",
    "&gt; How many jobs will go?",
    "lol",
]


@pytest.mark.parametrize("text", ASKED)
def test_a_plain_question_in_a_thread_is_for_the_bot(text: str) -> None:
    """With or without a question mark, and after thanks."""
    assert asks_the_bot({"text": text})


@pytest.mark.parametrize("text", NOT_ASKED)
def test_people_who_talk_to_each_other_are_left_alone(text: str) -> None:
    """Words to a person or a group, thanks, statements, and what colleagues ask each other."""
    assert not asks_the_bot({"text": text})


def quote_block(text: str, own: str) -> list[dict[str, Any]]:
    """Rich text with a quote and a sentence of one's own below it."""
    element = {"type": "text", "text": text}
    quote = {"type": "rich_text_quote", "elements": [element]}
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": own}]}
    return [{"type": "rich_text", "elements": [quote, section]}]


def forwarded(text: str, **more: Any) -> list[dict[str, Any]]:
    """A forwarded message, as Slack attaches it."""
    return [{"is_share": True, "from_url": ARCHIVES, "text": text, **more}]


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ({"text": "&gt; 140 jobs will go\n is that right?"}, "Is it true that 140 jobs will go?"),
        ({"text": "<@UBOT>\n&gt; 140 jobs will go.\nis this true?"}, "Is it true that 140 jobs will go?"),
        ({"text": "&gt; 140 jobs\n&gt; will go\nIs it correct?"}, "Is it true that 140 jobs will go?"),
        ({"text": "is this true?", "attachments": forwarded("140 jobs will go.")}, "Is it true that 140 jobs will go?"),
        ({"text": "true?", "attachments": forwarded("It will close. So they say.")}, "Is it true that It will close?"),
        (
            {"text": "true?", "attachments": [{"from_url": ARCHIVES, "text": "140 jobs will go"}]},
            "Is it true that 140 jobs will go?",
        ),
        ({"text": "is that right?", "attachments": forwarded("Will 140 jobs go?")}, "Will 140 jobs go?"),
        ({"text": "<@UBOT>", "attachments": forwarded("How many jobs will go?")}, "How many jobs will go?"),
        ({"text": "&gt; No report reached me\nwho said this?"}, "who said this? (No report reached me)"),
        ({"text": "&gt; (a) b\nwhy did he say that?"}, "why did he say that? (a b)"),
        ({"text": "&gt; nice\nHow many jobs did Carrow's mill cut?"}, "How many jobs did Carrow's mill cut?"),
        (
            {"text": "140 jobs will go is it right?", "blocks": quote_block("140 jobs will go", "…")},
            "Is it true that 140 jobs will go?",
        ),
        (
            {"text": "&gt; 140 jobs will go\nis it right?", "blocks": quote_block("140 jobs will go", "…")},
            "Is it true that 140 jobs will go?",
        ),
        ({"text": "who won the cup?\n<@UBOT>"}, "who won the cup?"),
        ({"text": "is it true?", "attachments": [{"from_url": "https://a.example", "text": "A page"}]}, "is it true?"),
        ({"text": "is 5 &gt; 4?"}, "is 5 > 4?"),
        ({"text": "who?", "attachments": "no list", "blocks": [None, {"type": "rich_text", "elements": 3}]}, "who?"),
    ],
)  # fmt: skip
def test_what_is_quoted_or_forwarded_belongs_to_the_question(message: dict[str, Any], question: str) -> None:
    """It is what "this" means: as a statement to be judged, or as the context of a question that leans on it."""
    assert question_of(message, "UBOT") == question


def test_only_so_much_of_a_forwarded_message_is_asked() -> None:
    """It is anybody's text, and may be long."""
    asked = question_of({"text": "who said this?", "attachments": forwarded("word (x) " * 2_000)}, "UBOT")
    assert asked.startswith("who said this? (word")
    assert len(asked) < 350
    assert asked.count("(") == 1


@given(LONG_TEXTS, st.lists(TEXTS, max_size=3))
def test_any_message_is_read(text: str, forwarded_texts: list[str]) -> None:
    """Nothing raises, whatever is quoted or forwarded; a question is one line."""
    message = {
        "text": f"{text}\n&gt; {text}",
        "attachments": [{"is_share": True, "text": each} for each in forwarded_texts],
    }
    asked = question_of(message, "UBOT")
    assert asked == " ".join(asked.split())
    asks_the_bot(message)


def event(**more: Any) -> dict[str, Any]:
    """A message of U1 in a thread in C1."""
    message = {"type": "message", "user": "U1", "channel": "C1", "ts": "5.0", "thread_ts": "4.0", **more}
    return {"team_id": "T1", "event": message}


def test_events_turns_and_the_shortcut_read_a_message_alike() -> None:
    """What a message asks does not depend on how it comes."""
    message = {"text": "is this true?", "attachments": forwarded("140 jobs will go")}
    expected = "Is it true that 140 jobs will go?"
    asked = question_of_message(event(**message), "UBOT")
    assert asked is not None
    assert (asked.text, asked.addressed) == (expected, False)
    turns = [turn for _, turn in turns_of([{"user": "U1", "ts": "4.0", **message}], "UBOT")]
    assert [turn.text for turn in turns] == [expected]
    shortcut = {"team": {"id": "T1"}, "user": {"id": "U1"}, "channel": {"id": "C1"}, "message": message}
    shortcut |= {"trigger_id": "1.2", "response_url": "https://hooks.example/1"}
    assert question_of_shortcut(shortcut, "UBOT").text == expected


def test_a_mention_within_a_quote_addresses_nobody_else() -> None:
    """Whom a quoted line mentions is not who is asked; a mention of the bot is an address wherever it stands."""
    quoted = question_of_message(event(text="&gt; <@U2> says that 140 jobs will go\nis that right?"), "UBOT")
    assert quoted is not None
    assert not quoted.addressed
    mentioned = question_of_message(event(text="<@U2> ask <@UBOT> about it"), "UBOT")
    assert mentioned is not None
    assert mentioned.addressed
