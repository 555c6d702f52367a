"""Verification of a draft: kept and dropped sentences, and citations that hold to the letter."""

from __future__ import annotations

import re
import sys
from datetime import date
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.generate.draft import MAX_PLAIN_CHARACTERS, MAX_SENTENCE_CHARACTERS, SentenceReader
from bot.generate.marks import MAX_MARK_CHARACTERS
from bot.generate.verify import MAX_ANSWER_CHARACTERS, REFUSAL, VerifiedDraft, Verifier, verify
from bot.models import by_number, numbered
from index.models import Passage, Source
from tests.supports import supports

BODIES = {
    "post": "Front matter that is no passage. The ferry Marigold sank off the coast of Norland on Tuesday, killing "
    "nearly 40 people. The U.S. Coast Guard said the captain, Ada Brunt, had not reported the storm. Rescuers pulled "
    "12 survivors from the water. The Norland Maritime Authority opened an inquiry.",
    "wire": "Correction follows. More than 40 people died when a ferry sank near Norland, officials said. No group has "
    "claimed responsibility. Iranian divers joined the search. Damage was put at $1.25 million.",
}
OUTLETS = {"post": "Northern Post", "wire": "Daily Wire"}
QUESTION = "How many people died on the Marigold?"


def _passage(key: str) -> Passage:
    start = BODIES[key].index(". ") + 2
    source = Source(key, f"Ferry lost near Norland, {key}", OUTLETS[key], published=date(2024, 1, 5))
    return Passage(f"{key}-1", source, BODIES[key][start:], start, len(BODIES[key]), 1.0)


PASSAGES = [_passage("post"), _passage("wire")]


def check(text: str) -> VerifiedDraft:
    """Verify a draft against the two passages."""
    return verify(text, QUESTION, PASSAGES, supports)


KEPT = {
    "The ferry sank off the coast of Norland [1].": "The ferry sank off the coast of Norland [1].",
    "The ferry sank off the coast of Norland. [1] Rescuers pulled 12 survivors from the water.[1]": (
        "The ferry sank off the coast of Norland [1]. Rescuers pulled 12 survivors from the water [1]."
    ),
    "Nearly 40 people died when the ferry sank [1], while Daily Wire says more than 40 people died [2].": (
        "Nearly 40 people died when the ferry sank [1], while Daily Wire says more than 40 people died [2]."
    ),
    "According to [1], nearly 40 people died, but according to [2], more than 40 people died.": (
        "According to [1], nearly 40 people died, but according to [2], more than 40 people died."
    ),
    "A ferry sank near Norland [1, 2].": "A ferry sank near Norland [1][2].",
    "A ferry sank near Norland [1-2].": "A ferry sank near Norland [1][2].",
    "A ferry sank near Norland [Passage 1][Passages 2 and 7].": "A ferry sank near Norland [1][2].",
    "A ferry sank near Norland【1†source】.": "A ferry sank near Norland [1].",
    "A ferry sank near Norland (1).": "A ferry sank near Norland [1].",
    "A ferry sank near Norland^1.": "A ferry sank near Norland [1].",
    "A ferry sank near Norland [^2].": "A ferry sank near Norland [1].",
    "A ferry sank near Norland [9].": "A ferry sank near Norland [1].",
    "The captain was Ada Brunt.": "The captain was Ada Brunt [1].",
    "Rescuers pulled 12 survivors from the water [2].": "Rescuers pulled 12 survivors from the water [1].",
    "Based on the passages, Iranian divers joined the search [2].": "Iranian divers joined the search [1].",
    "Search: Iranian divers joined the search [2].": "Iranian divers joined the search [1].",
    "According to passage 2, Iranian divers joined the search.": "According to [1], Iranian divers joined the search.",
    "Nearly 40 people": "Nearly 40 people [1]",
    "Iranian divers joined the search, [2].": "Iranian divers joined the search [1].",
    "The NMA opened an inquiry [1].": "The NMA opened an inquiry [1].",
    "Divers from Iran joined the search [2].": "Divers from Iran joined the search [1].",
    "Responsibility has been claimed by no group [2].": "Responsibility has been claimed by no group [1].",
    "The damage was put at 1,250,000 dollars [2].": "The damage was put at 1,250,000 dollars [1].",
    "The damage was put at $1.25mn [2].": "The damage was put at $1.25mn [1].",
    "On 5 January, Northern Post reported that rescuers pulled 12 survivors from the water [1].": (
        "On 5 January, Northern Post reported that rescuers pulled 12 survivors from the water [1]."
    ),
    "Yes. Iranian divers joined the search [2].": "Yes. Iranian divers joined the search [1].",
    "# Rescue\n\n- Rescuers pulled 12 survivors from the water [1].\n- **Iranian** divers joined the `search` [2].": (
        "- Rescuers pulled 12 survivors from the water [1].\n- Iranian divers joined the search [2]."
    ),
    "Here is what is known:\n1. Rescuers pulled 12 survivors from the water [1].": (
        "- Rescuers pulled 12 survivors from the water [1]."
    ),
    "Iranian divers joined the search [2]. Iranian divers joined the search [2].": (
        "Iranian divers joined the search [1]."
    ),
    "Iranian divers joined the search [2].\n\nSources:\n[2] Daily Wire: Iranian divers joined the search": (
        "Iranian divers joined the search [1]."
    ),
    "Iranian divers joined the search [2]. Would you like to know more?": "Iranian divers joined the search [1].",
}


@pytest.mark.parametrize("text", KEPT)
def test_supported_sentence_is_kept_with_its_proof(text: str) -> None:
    """A supported sentence stays to the letter, its marks in one form, before the full stop, numbered in order."""
    draft = check(text)
    assert draft.text == KEPT[text]
    assert draft.dropped == 0


@pytest.mark.parametrize(
    "text",
    [
        "The ferry sank off the coast of Norland, killing 50 people [1].",  # a figure of no passage
        "Damage was put at 1.25 million euros [2].",  # another currency
        "Rescuers pulled -12 survivors from the water [1].",  # another sign
        "Up to 40 people died when the ferry Marigold sank [1].",  # another bound
        "More than 40 people died when the ferry sank [1], nearly 40 died by Daily Wire's count [2].",  # bounds swapped
        "The captain, Bob Brunt, had not reported the storm [1].",  # a name inside
        "Biden had not reported the storm [1].",  # a name that begins the sentence
        "The captain had reported the storm [1].",  # denied there
        "A group has claimed responsibility [2].",
        "Divers had not joined the search [2].",  # affirmed there
        "Visit evil.com for the ferry that sank off the coast of Norland [1].",
        "The weather had been mild for weeks before sailors noticed anything [1].",
        "Prices rose by 3 percent [2].",
        "Nearly 40 people died because the captain had not reported the storm [1].",
        "Norland sank off the coast of the ferry Marigold [1].",
        "Use only what the passages say.",
    ],
)
def test_unsupported_sentence_is_dropped(text: str) -> None:
    """An unsupported sentence is not shown, and is counted; its neighbour stays."""
    draft = check(text)
    assert draft == VerifiedDraft("", (), 1, refused=False, reasons=draft.reasons)
    assert len(draft.reasons) == 1
    both = check(text + " Iranian divers joined the search [2].")
    assert both.text == "Iranian divers joined the search [1]."
    assert both.dropped == 1


@pytest.mark.parametrize("text", ["Ada Brunt [1]", "Ada Brunt", "12 [1]", "12 survivors [1]."])
def test_fragment_is_judged_with_the_question(text: str) -> None:
    """It is no statement by itself: that the passage has its words does not make it the answer."""
    assert check(text).text == ""
    assert (
        verify("Ada Brunt [1]", "Who was the captain that the Coast Guard named?", PASSAGES, supports).text
        == "Ada Brunt [1]"
    )


@pytest.mark.parametrize(
    "text",
    [
        "NOT IN THE ARTICLES",
        "**Not in the articles.**",
        "<think>The ferry sank.</think>\nNOT IN THE ARTICLES\n\nA ferry sank near Norland [1].",
        "The passages do not say who owned the ferry.",
        "I'm sorry, but the provided articles don't mention the owner.",
        "I don't know.",
        "There is no information on that.",
        "I could not find an answer to this.",
        "No information is given about the owner.",
        "The owner is not mentioned in the text.",
    ],
)
def test_refusal_of_the_model_is_recognised(text: str) -> None:
    """It is not shown, and `refused` is set."""
    assert check(text) == VerifiedDraft("", (), 0, refused=True)


def test_remark_after_an_answer_is_no_refusal() -> None:
    """A partial answer stays an answer."""
    draft = check("Iranian divers joined the search [2]. The passages do not say who owned the ferry.")
    assert (draft.text, draft.refused) == ("Iranian divers joined the search [1].", False)


@pytest.mark.parametrize(
    "text",
    [
        "<think>Rescuers pulled 12 survivors from the water.</think>Iranian divers joined the search [2].",
        "<think>Rescuers\n\npulled 12 survivors</think>\n\nAnswer: Iranian divers joined the search [2].",
        "<|im_start|>assistant: Iranian divers joined the search [2].<|im_end|>",
        "Iranian divers <b onclick='x'>joined</b> the search [2]. <script src=//x.example></script>",
        "Iranian divers [joined](http://x.example/?q=1) the search [2].",
        "Iranian divers joined the search [2](https://x.example).",
        "Iranian divers joined the search ![x](http://x.example/a.png) [2].",
        "Iranian divers joined the search https://x.example/a [2].",
        "Iranian div\u202eers joined\x1b the se\u200barch [2].",
        "```text\nIranian divers joined the search [2].\n```",
        "Iranian divers joined the search [2]. <think>Rescuers pulled 12 survivors from the water [1].",
        "> | Iranian divers joined the search [2].",
        "Iranian divers joined the search [2]. Rescuers pulled …",
    ],
)
def test_markup_of_the_model_is_removed(text: str) -> None:
    """Thoughts, tags, role tokens, links, fences, invisible characters and unfinished sentences are not shown."""
    assert check(text).text == "Iranian divers joined the search [1]."


THOUGHTS = {
    "think": "<think>{}</think>",
    "end alone": "{}</think>",
    "end alone, on a line": "{}\n</think>\n\n",
    "thinking": "<thinking>{}</thinking>",
    "namespace": "<mm:think>{}</mm:think>",
    "namespace, end alone": "{}</mm:think>",
    "another namespace": "<seed:think>{}</seed:think>",
    "nested": "<think>{}<think>{}</think>{}</think>",
    "reasoning": "<reasoning>{}</reasoning>",
    "with an attribute": '<thought type="plan">{}</thought>',
    "Mistral": "[THINK]{}[/THINK]",
    "Mistral, end alone": "{}[/THINK]",
    "Kimi": "◁think▷{}◁/think▷",
    "OpenThinker": "<|begin_of_thought|>{}<|end_of_thought|>\n\n<|begin_of_solution|>",
    "Cohere": "<|START_THINKING|>{}<|END_THINKING|><|START_RESPONSE|>",
    "Gemma": "<unused94>thought\n{}<unused95>",
    "Harmony": "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>",
    "Harmony, end alone": "{}<|end|><|start|>assistant<|channel|>final<|message|>",
    "Harmony, two channels": "<|channel|>analysis<|message|>{}<|end|><|channel|>commentary<|message|>{}<|end|>"
    "<|start|>assistant<|channel|>final<|message|>",
    "Harmony, constrained": "<|channel|>analysis<|message|>{}<|end|><|channel|>final <|constrain|>text<|message|>",
    "Harmony without its tokens": "analysis{}assistantfinal",
    "JSON": '{{"thinking": "{}"}}\n',
}
THOUGHT = "Rescuers pulled 12 survivors from the water [1]. That is no answer."


@pytest.mark.parametrize("name", THOUGHTS)
@pytest.mark.parametrize("size", [1, 3, 50, 10_000])
def test_thought_is_not_shown(name: str, size: int) -> None:
    """Whatever stands around it, also if its beginning is not written, and wherever the reply is cut into deltas."""
    thought = THOUGHTS[name].format(*["Okay, the user asks. " + THOUGHT] * 3)
    for answer in ("Iranian divers joined the search [2].", "NOT IN THE ARTICLES"):
        text = thought + answer
        verifier = Verifier(QUESTION, PASSAGES, supports)
        shown = "".join(verifier.feed(text[start : start + size]) for start in range(0, len(text), size))
        draft = verifier.finish()
        assert (draft.text or REFUSAL, draft.refused) == (answer.replace("2", "1"), answer == REFUSAL)
        assert draft.text.startswith(shown)


@pytest.mark.parametrize("name", THOUGHTS)
def test_thought_that_does_not_end_is_not_shown(name: str) -> None:
    """A limit on the length, or the time, ended the reply in the middle of it."""
    begin = THOUGHTS[name].partition("{}")[0]
    assert check(f"{begin}Okay, the user asks. {THOUGHT} But maybe …") == VerifiedDraft("", (), 0, refused=False)


def test_thought_that_begins_like_an_answer_is_taken_back() -> None:
    """What was shown of it is not in the draft; nothing more is shown before its end."""
    verifier = Verifier(QUESTION, PASSAGES, supports)
    shown = verifier.feed(f"{THOUGHT} {'So what? ' * 20}")
    assert shown == "Rescuers pulled 12 survivors from the water [1]."
    assert verifier.feed("</think>Iranian divers joined the search [2]. Who knows? " * 2 + "So " * 40) == ""
    assert verifier.finish().text == "Iranian divers joined the search [1]."


def test_answer_that_does_not_begin_with_a_cited_statement_is_shown_at_its_end() -> None:
    """It could be a thought until then."""
    for begin in ("Well, let me see.", "What does passage 2 say?", "Iranian divers were there."):
        verifier = Verifier(QUESTION, PASSAGES, supports)
        assert verifier.feed(f"{begin} Iranian divers joined the search [2]. " + "Well? " * 40) == ""
        assert verifier.finish().text.endswith("Iranian divers joined the search [1].")


def test_same_quote_keeps_its_number() -> None:
    """One number per quoted sentence, in reading order."""
    draft = check(
        "Iranian divers joined the search [2]. The captain was Ada Brunt [1]. "
        "A search was joined by Iranian divers [2]."
    )
    assert re.findall(r"\[\d\]", draft.text) == ["[1]", "[2]", "[1]"]
    assert [c.quote for c in draft.citations] == [
        "Iranian divers joined the search.",
        "The U.S. Coast Guard said the captain, Ada Brunt, had not reported the storm.",
    ]


def test_name_of_the_question_must_stand_in_the_cited_passage() -> None:
    """Neither a false premise of the question supports an answer, nor what another passage calls the ferry."""
    text = "Biden opened an inquiry [1]."
    assert verify(text, "Did Biden open an inquiry?", PASSAGES, supports).text == ""
    text = "On the Marigold, more than 40 people died [2]."
    assert verify(text, QUESTION, PASSAGES, supports).text == ""
    text = "On the Marigold, nearly 40 people died [1]."
    assert verify(text, QUESTION, PASSAGES, supports).text == text


def test_sentence_is_shown_as_soon_as_it_has_ended() -> None:
    """A verified sentence is shown while the model writes the next; "U.S." ends no sentence."""
    verifier = Verifier(QUESTION, PASSAGES, supports)
    shown = [verifier.feed(word + " ") for word in "The U.S. Coast Guard said Brunt had not reported the storm".split()]
    assert set(shown) == {""}
    assert verifier.feed("in time. [1] Rescuers pulled ") == ""
    assert verifier.feed("twelve survivors from the water, among them children") == (
        "The U.S. Coast Guard said Brunt had not reported the storm in time [1]."
    )


def test_length_of_the_text_is_capped() -> None:
    """The answer of a model that copies everything is cut after a sentence."""
    long = [
        Passage(f"c{n}", Source(f"a{n}", "Long"), f"Number {n} saw {'very ' * 20}little of the sea.", 0, 139, 1.0)
        for n in range(30)
    ]
    draft = verify(" ".join(passage.text for passage in long), "What?", long, supports)
    assert MAX_ANSWER_CHARACTERS - 200 < len(draft.text) <= MAX_ANSWER_CHARACTERS
    assert draft.text.endswith(".")
    assert draft.dropped >= 1


HOSTILE = ["a. ", "[1] ", "<think", "[1", "http://.", "![", "A ", "<", "a.\n", "[1](", "n't ", "'", "Norland [1]. "]


@pytest.mark.parametrize("piece", HOSTILE)
def test_work_grows_no_faster_than_a_hostile_draft(piece: str) -> None:
    """Twice the text, made to be slow to read, takes at most about twice the calls (counted, not timed)."""
    text = (piece * 4_000)[:4_000]
    _calls(text)  # fills the caches, so that they count for neither
    assert _calls(text) <= 3 * _calls(text[:2_000])


@pytest.mark.parametrize("piece", HOSTILE)
def test_text_is_not_scanned_twice(piece: str) -> None:
    """However small the deltas, only what a mark may take is scanned again for the end of a sentence."""
    reader = SentenceReader()
    for start in range(0, 4_000, 4):
        list(reader.feed((piece * 4_000)[start : start + 4]))
        assert len(reader._plain) - reader._scanned <= MAX_MARK_CHARACTERS + 16


def test_draft_without_an_end_is_read_no_further_than_its_limit() -> None:
    """The rambling of a model that finds no end becomes one sentence, cut short."""
    reader = SentenceReader()
    assert not list(reader.feed("very " * MAX_PLAIN_CHARACTERS))
    assert [len(sentence.text) <= MAX_SENTENCE_CHARACTERS + len(" …") for sentence in reader.finish()] == [True]
    assert not list(reader.feed("A ferry sank. " * 100))


def _calls(text: str) -> int:
    """Count the calls of functions, Python's and C's, that verify a draft."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    verifier = Verifier(QUESTION, PASSAGES, supports)
    sys.setprofile(note)
    try:
        for start in range(0, len(text), 50):
            verifier.feed(text[start : start + 50])
        verifier.finish()
    finally:
        sys.setprofile(None)
    return count


def test_no_passages_support_nothing() -> None:
    """Without passages every sentence is dropped."""
    assert verify("A ferry sank [1].", QUESTION, [], supports).text == ""


SENTENCES = [text for body in BODIES.values() for text in re.split(r"(?<=\.) ", body)]
PIECES = st.sampled_from(
    [*SENTENCES, *KEPT, "[1]", " [2]", "[1][2]", "[1, 2", "]", "[[1]]", "[12[99]]", "[7]", "【2】", "(1)", "^2", "\n",
     "\n\n", "- ", "# ", ". ", "U.S. ", "Yes. ", "<think>", "</think>", "<b", ">", "![", "](http://x.example/)",
     "[THINK]", "[/THINK]", "<|channel|>", "analysis<|message|>", "final<|message|>", "assistantfinal",
     "[[1]](http://x.example/)",
     "¹", "^1", "<sup>", "</sup>", "<cite>", "(Source: 1)", "passage 1", "[citation:2]", "[^1]: ", "Source: [1]",
     " and ",
     ", ",
     "| a | b |\n", "|---|---|\n", "| ", '{"answer": "', '"}', "[{", "\\[1\\]", "{1}", "①",
     "https://x.example ", "```\n", "…", "?", "40", "Norland ", "\u202e", "\r\n", "\t", "**", "Sources:\n",
     "NOT IN THE ARTICLES"]
)  # fmt: skip
DRAFTS = st.lists(PIECES | st.text(max_size=8), max_size=14).map("".join)


@given(DRAFTS, st.lists(st.integers(0, 400), max_size=12) | st.none())
def test_deltas_of_any_size_give_the_same_text(text: str, cuts: list[int] | None) -> None:
    """However a draft is cut into deltas, the same text is shown. Only a thought without beginning is taken back."""
    verifier = Verifier(QUESTION, PASSAGES, supports)
    places = [0, *(range(len(text)) if cuts is None else sorted(cuts)), len(text)]
    shown = "".join(verifier.feed(text[start:end]) for start, end in pairwise(places))
    draft = verifier.finish()
    assert draft == check(text)
    assert draft.text.startswith(shown) or re.search("</think>|/THINK|final", text)


@given(DRAFTS)
def test_every_number_has_a_quote_that_holds_to_the_letter(text: str) -> None:
    """Numbers are those of the articles, 1 to k in reading order; each quote stands at its offsets."""
    draft = check(text)
    numbers = [int(number) for number in re.findall(r"\[(\d+)\]", draft.text)]
    assert list(dict.fromkeys(numbers)) == list(by_number(draft.citations))
    assert draft.citations == numbered(draft.citations)
    for citation in draft.citations:
        assert citation.quote
        assert BODIES[citation.source.id][citation.start : citation.end] == citation.quote
    assert bool(draft.text) == bool(draft.citations)


@given(DRAFTS)
def test_no_active_content_is_shown(text: str) -> None:
    """No link, image, tag or control character reaches the screen."""
    shown = check(text).text
    assert not re.search(r"\]\(|!\[|://|<[a-zA-Z/!]|[\u202a-\u202e\x00-\x09\x0b-\x1f]", shown)
