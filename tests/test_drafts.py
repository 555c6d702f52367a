"""Drafts in the dresses in which models write citations: the same answer comes out of all of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.generate.marks import mark_numbers, with_marks
from bot.generate.verify import VerifiedDraft, verify
from tests.supports import supports
from tests.test_verify import PASSAGES, check

A, B, C = (
    "The ferry sank off the coast of Norland",
    "Iranian divers joined the search",
    "Rescuers pulled 12 survivors from the water",
)
BOTH = "A ferry sank near Norland"
PLAIN = f"{A} [1]. {B} [2]."
LINK = "https://news.example/ferry?id=1#top"

SINGLE_MARKS = [
    "[1]", "[[1]]", "([1])", "(1)", f"[1]({LINK})", f"[[1]]({LINK})", "[1](#1)", r"\[1\]", r"\\[1\\]", "**[1]**",
    "*[1]*", "`[1]`", "[**1**]", "[citation:1]", "[citation: 1]", "[cite: 1]", "[cite_1]", "[doc1]", "[doc 1]",
    "[doc_1]", "[Doc. 1]", "[Document 1]", "[document-1]", "[ref1]", "[ref:1]", "[Reference 1]", "[Source 1]",
    "[source: 1]", "[S1]", "[P1]", "[ID: 1]", "[#1]", "[№1]", "[n1]", "[No. 1]", "[Passage 1]", "[passage #1]",
    "[passage_1]", "[Article 1]", "[@1]", "[Source 1: Northern Post]", "[1: Northern Post]", "[1, Northern Post]",
    "[Passage 1, Northern Post]", "(Source: 1)", "(source 1)", "(Source: [1])", "(Source: Passage 1)", "(Passage 1)",
    "(passage [1])", "(see passage 1)", "(see [1])", "(from passage 1)", "(Source: Northern Post [1])", "(cf. [1])",
    "【1†source】", "【1】", "【1†L3-L5】", "［1］", "（1）", "[1†source]", "{1}", "{{1}}",
    "<sup>1</sup>", "<sup>[1]</sup>",
    '<sup class="x">1</sup>', "<cite>1</cite>", "<ref>1</ref>", "<source>1</source>", "¹", "⁽¹⁾", "①", "^1", "^1^",
    "^[1]", "^{1}", "$^{1}$", "[^1]", "[^1^]", r"\cite{1}", r"\textsuperscript{1}", "[Source: [1]]",
    "[1: “The ferry Marigold sank”]", "{citation: 1}", '<a href="#1">[1]</a>', "[Passage 1, para 2]",
    "[passage 1, sentence 2]", "[p. 1]", "*(Source: 1)*", "— [1]", "- Passage 1", "[Passage: 1]", "(Ref. 1)",
    "(Document 1)", "([Passage 1])", "(Passage [1])", "〔1〕", "(see passage [1])", "^[1]^", f"[source 1]({LINK})",
    f"[Source]({LINK}) [1]", "[[Passage 1]]", "[ 1 ]", "( 1 )", "[01]", "(per passage 1)", "[1.]", "[Quelle 1]",
    "[fuente 1]", "[src1]", "[cit. 1]", "[†1]", "[#passage-1]", "[1↩]", "<1>", "<<1>>", "[^passage1]",
    f'[1]({LINK} "Northern Post")',
]  # fmt: skip
"""Each cites passage 1; put behind a statement, and with 2 in it behind another."""

DOUBLE_MARKS = [
    "[1][2]", "[1] [2]", "[1], [2]", "[1] and [2]", "[1]-[2]", "[1, 2]", "[1,2]", "[1; 2]", "[1 and 2]", "[1 & 2]",
    "[1-2]", "[1–2]", "[1/2]", "([1], [2])", "(1, 2)", "(1)(2)", "(Sources: 1, 2)", "(Passages 1 and 2)",
    "(passage 1, passage 2)", "(Passage 1; Passage 2)", "[citation:1][citation:2]", "[citation:1, 2]", "[cite: 1, 2]",
    "[doc1][doc2]", "[doc1, doc2]", "[Passage 1][Passages 2 and 7]", "[^1][^2]", "[^1, ^2]", "<sup>1,2</sup>",
    "<sup>1</sup><sup>2</sup>", "<sup>1</sup>,<sup>2</sup>", "¹²", "¹,²", "¹ ²", "^1,2", "^1^2", "【1】【2】",
    "【1†source】【2†source】", f"[[1]]({LINK})[[2]]({LINK})", f"[1]({LINK}), [2]({LINK})", r"\[1\]\[2\]", r"\[1, 2\]",
    "[[1], [2]]", "[[1][2]]", "[[1, 2]]", "[Source 1, Source 2]", "[1] [2] [9]", r"\cite{1,2}", "[1](#1)[2](#2)",
    "[Sources: 1, 2]", "(see passages 1 and 2)", "[1]/[2]", "[1] & [2]", "[1]; [2]",
]  # fmt: skip
"""Each cites both passages."""

LAYOUTS = {
    "behind the full stop": (f"{A}. [1] {B}. [2]", PLAIN),
    "behind it, close": (f"{A}.[1] {B}.[2]", PLAIN),
    "behind it, raised": (f"{A}.¹ {B}.²", PLAIN),
    "behind it, raised by a tag": (f"{A}.<sup>1</sup> {B}.<sup>2</sup>", PLAIN),
    "behind it, in words": (f"{A}. (Source: 1) {B}. (Source: 2)", PLAIN),
    "as a sentence of its own": (f"{A}. Source: [1]. {B}. Source: [2].", PLAIN),
    "behind a quotation": (f'"{A}." [1] "{B}." [2]', f'"{A}" [1]. "{B}" [2].'),
    "in front": (f"[1] {A}. [2] {B}.", PLAIN),
    "in front, with a colon": (f"[1]: {A}.\n[2]: {B}.", f"{A} [1].\n{B} [2]."),
    "in front, by lines": (f"[1] {A}.\n[2] {B}.", f"{A} [1].\n{B} [2]."),
    "in front, in bold": (f"**[1]** {A}.\n\n**[2]** {B}.", f"{A} [1].\n\n{B} [2]."),
    "in front, in words": (f"Passage 1: {A}.\nPassage 2: {B}.", f"{A} [1].\n{B} [2]."),
    "in front, raised": (f"¹ {A}. ² {B}.", PLAIN),
    "in front, in a list": (f"- [1] {A}.\n- [2] {B}.", f"- {A} [1].\n- {B} [2]."),
    "in front of two sentences": (f"[1] {A}. {C}.\n[2] {B}.", f"{A} [1]. {C} [1].\n{B} [2]."),
    "in the sentence": (f"According to [1], {A}.", f"According to [1], {A}."),
    "in the sentence, in words": (f"According to passage 1, {A}.", f"According to [1], {A}."),
    "as the subject": (f"[1] says that {A[0].lower()}{A[1:]}.", f"[1] says that {A[0].lower()}{A[1:]}."),
    "as the subject, in words": ("Passage 1 says that a ferry sank.", "[1] says that a ferry sank."),
    "at the paragraph's end": (f"{A}. {C}. [1]", f"{A} [1]. {C} [1]."),
    "at the paragraph's end, on a line": (f"{A}. {C}.\n[1]", f"{A} [1]. {C} [1]."),
    "missing": (f"{A}. {B}.", PLAIN),
    "of no passage": (f"{A} [9]. {B} [0].", PLAIN),
    "notes": (f"{A}[^1]. {B}[^2].\n\n[^1]: Northern Post, 5 January\n[^2]: Daily Wire", PLAIN),
    "notes with links": (f'{A} [1]. {B} [2].\n\n[1]: {LINK} "Northern Post"\n[2]: {LINK}', PLAIN),
    "notes in brackets": (f"{A}[^1]. {B}[^2].\n\n[^1]: [1] Ferry lost near Norland\n[^2]: [2]", PLAIN),
    "sources": (f"{A} [1]. {B} [2].\n\nSources:\n[1] Northern Post\n[2] Daily Wire", PLAIN),
    "sources in bold": (f"{A} [1]. {B} [2].\n\n**Sources:**\n- [1] Northern Post\n- [2] Daily Wire", PLAIN),
    "sources on a line": (f"{A} [1]. {B} [2].\n\nSources: [1] Northern Post, [2] Daily Wire", PLAIN),
    "sources by numbers": (f"{A} [1]. {B} [2].\n\n**Sources:** [1], [2]", PLAIN),
    "sources under a rule": (f"{A} [1]. {B} [2].\n\n---\n\n### References\n1. Northern Post\n2. Daily Wire", PLAIN),
    "heading": (f"## Ferry lost\n\n{A} [1]. {B} [2].", PLAIN),
    "heading in bold": (f"**Ferry lost near Norland**\n\n{A} [1]. {B} [2].", PLAIN),
    "heading on the line": (f"**Answer:** {A} [1]. {B} [2].", PLAIN),
    "heading with a colon": (f"Here is what the passages say:\n\n{A} [1]. {B} [2].", PLAIN),
    "list": (f"- {A} [1].\n- {B} [2].", f"- {A} [1].\n- {B} [2]."),
    "list without full stops": (f"* {A} [1]\n* {B} [2]", f"- {A} [1]\n- {B} [2]"),
    "numbered list": (f"1. {A} [1].\n2. {B} [2].", f"- {A} [1].\n- {B} [2]."),
    "table": (f"| Fact | Source |\n|---|---|\n| {A} | [1] |\n| {B} | [2] |", f"- {A} [1]\n- {B} [2]"),
    "table with the number first": (f"| No. | Fact |\n|:--|--:|\n| 1 | {A} |\n| 2 | {B} |", f"- {A} [1]\n- {B} [2]"),
    "table with text around it": (
        f"{C} [1].\n\n| Fact | Passage |\n| --- | --- |\n| {A}. | 1 |\n\n{B} [2].",
        f"{C} [1].\n\n- {A} [1].\n\n{B} [2].",
    ),
    "JSON": (json.dumps({"answer": f"{A} [1]. {B} [2]."}), PLAIN),
    "JSON in a fence": (f"```json\n{json.dumps({'answer': f'{A} [1]. {B} [2].'}, indent=1)}\n```", PLAIN),
    "JSON with one list of citations": (json.dumps({"answer": f"{A}.", "citations": [1]}), f"{A} [1]."),
    "JSON by statements": (
        json.dumps({"statements": [{"text": f"{A}.", "citations": [1]}, {"text": f"{B}.", "citations": [2]}]}), PLAIN,
    ),
    "JSON list": (
        json.dumps([{"sentence": f"{A}.", "source": "[1]"}, {"sentence": f"{B}.", "source": "Passage 2"}]), PLAIN,
    ),
    "JSON with a thought": (json.dumps({"reasoning": C, "answer": f"{A} [1]."}), f"{A} [1]."),
    "JSON after words": (f"Here is the answer:\n{json.dumps({'answer': f'{A} [1].'})}", f"{A} [1]."),
    "JSON with titles": (
        json.dumps({"answer": f"{A} [1].", "sources": [{"id": 1, "title": "Ferry lost near Norland"}]}), f"{A} [1].",
    ),
    "JSON with another key": (json.dumps({"final_answer": f"{A} [1].", "confidence": 0.9}), f"{A} [1]."),
    "JSON in JSON": (json.dumps({"result": {"Answer": [f"{A} [1].", f"{B} [2]."]}}), PLAIN),
    "JSON that is cut off": (f"{A} [1].\n{json.dumps({'answer': f'{B} [2].'})[:-9]}", f"{A} [1]."),
    "XML": (f"<answer><text>{A}.</text><source>1</source></answer>", f"{A} [1]."),
    "numbered sources": (f"{A} [1]. {B} [2].\n\n1. Northern Post\n2. Daily Wire", PLAIN),
    "raised notes": (f"{A}¹. {B}².\n\n¹ Northern Post\n² Daily Wire", PLAIN),
    "dated sources": (f"{A} [1].\n\n[1] Northern Post, 5 January 2024", f"{A} [1]."),
    "passages used": (f"{A} [1].\n\nPassages used: 1", f"{A} [1]."),
    "cited passages": (f"{A} [1].\n\nCited passages: [1]", f"{A} [1]."),
    "announced": (f"Here's the answer: {A} [1].", f"{A} [1]."),
    "token of the end": (f"{A} [1].<|im_end|>", f"{A} [1]."),
    "quoted": (f"> {A} [1]. {B} [2].", PLAIN),
    "in quotation marks": (f'"{A} [1]."', f'"{A} [1]."'),
    "outlet and number": (f"{A} (Northern Post [1]).", f"{A} (Northern Post [1])."),
    "outlet, in words": (f"{A} (Northern Post, passage 1).", f"{A} (Northern Post, [1])."),
}  # fmt: skip

KEPT_FIGURES = {
    "year": ("The Marigold (2024) sank off the coast of Norland.", 2),
    "unit": ("The oil covered 30 km² and 9 cm³ of rock.", 10),
    "power": ("It cost 10^6 crowns and x² more.", 10),
    "age": ("The youngest was Ada Brunt (12).", 10),
    "article of a treaty": ("They invoked the treaty (Article 5) on Monday.", 10),
    "people": ("They rescued people (12 of 40) on Monday.", 10),
    "score": ("Norland won the match (3-1) on Monday.", 10),
}
DRESSES = [
    " [1]",
    "[1]",
    " [[1]]",
    " (Source: 1)",
    " 【1†source】",
    "^{1}",
    "[^1]",
    r" \[1\]",
    " [citation:1]",
    " [doc1]",
    " {1}",
]


@pytest.mark.parametrize("mark", SINGLE_MARKS)
def test_mark_of_a_passage(mark: str) -> None:
    """Two statements, each with its mark in this dress before the full stop."""
    other = mark.replace("Northern Post", "Daily Wire").translate(str.maketrans("1¹①L", "2²②L")).replace("id=2", "id=1")
    space = "" if mark[0] in "^<¹⁽\\$" and mark[:2] != "\\[" else " "
    text = f"{A}{space}{mark}. {B}{space}{other}."
    assert check(text) == VerifiedDraft(PLAIN, check(PLAIN).citations, 0, refused=False)


@pytest.mark.parametrize("mark", DOUBLE_MARKS)
def test_mark_of_two_passages(mark: str) -> None:
    """A statement with both its marks in this dress."""
    space = "" if mark[0] in "^<¹" else " "
    expected = f"{BOTH} [1][2]."
    assert check(f"{BOTH}{space}{mark}.") == VerifiedDraft(expected, check(expected).citations, 0, refused=False)


@pytest.mark.parametrize("name", KEPT_FIGURES)
def test_figure_is_no_mark(name: str) -> None:
    """What has a number and cites nothing stays in the sentence."""
    text, passages = KEPT_FIGURES[name]
    passage = replace(PASSAGES[0], text=text, start=0, end=len(text))
    assert verify(f"{text[:-1]} [1].", "What?", [passage] * passages, supports).text == f"{text[:-1]} [1]."


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4, unique=True), st.sampled_from(DRESSES), st.integers(0, 40))
def test_numbers_come_out_of_any_dress(numbers: list[int], dress: str, count: int) -> None:
    """In their order; those of no passage are left out."""
    known = "".join(f"[{number}]" for number in numbers if number <= count)
    text = "It sank" + "".join(dress.replace("1", str(number)) for number in numbers) + "."
    assert with_marks(text, count, str).replace(" ", "") in (
        f"Itsank{known}.",
        "".join(text.split()) if not known else "",
    )


@given(
    st.lists(
        st.sampled_from([*SINGLE_MARKS, *DOUBLE_MARKS, " ", "a", ". ", "12", "[", "]", "(", ")", "^", "{"])
        | st.text(max_size=5)
    ).map("".join)
)
def test_only_marks_of_passages_have_brackets(text: str) -> None:
    """Whatever the text, and reading it once more changes no mark."""
    read = with_marks(text, 2, str)
    assert re.sub(r"\[[12]\]", "", read).count("[") == 0
    assert set(mark_numbers("".join(re.findall(r"\[\d\]", read)))) <= {1, 2}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout(name: str) -> None:
    """Where marks and statements stand makes no difference."""
    text, expected = LAYOUTS[name]
    draft = check(text)
    assert (draft.text, draft.dropped, draft.refused) == (expected, 0, False)
