"""Tests of bot.evaluation.report: the page of `clippings eval --report`."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from bot.evaluation.attacks import Attacked, Attacks, Planted
from bot.evaluation.compare import Change, Comparison, Pair, Row, Sides
from bot.evaluation.metrics import CheckedCitation, Outcome
from bot.evaluation.questions import KnownQuestion
from bot.evaluation.report import check_writable, environment, page, write
from bot.evaluation.run import make_metrics
from bot.models import Answer, Citation, Refusal, Turn
from bot.plain_text import safe
from index.models import ClippingsError, Passage, Source
from tests.fakes.outcomes import KNOWN, outcome, refused, said

HOSTILE = "</script><script>alert(1)</script><img src=x onerror='a()'>\"'&lt;<!-- ]]> </title></style></svg>\u202e"


class Read(NamedTuple):
    """What a parser makes of a page: its elements with their attributes, and its text."""

    elements: list[tuple[str, tuple[tuple[str, str | None], ...]]]
    text: str
    scripts: list[str]
    styles: list[str]


class Reader(HTMLParser):
    """Notes what it meets."""

    def __init__(self) -> None:
        super().__init__()
        self.read = Read([], "", [], [])
        self.open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.read.elements.append((tag, tuple(attrs)))
        self.open = tag

    def handle_data(self, data: str) -> None:
        """Note text, apart from that of scripts and styles."""
        aside = {"script": self.read.scripts, "style": self.read.styles}.get(self.open)
        if aside is not None:
            aside.append(data)
        else:
            self.read = self.read._replace(text=self.read.text + data)

    def handle_endtag(self, tag: str) -> None:
        """Be outside again."""
        if tag == self.open:
            self.open = ""

    def handle_comment(self, data: str) -> None:
        """There is none."""
        raise AssertionError(data)


def read(markup: str) -> Read:
    """Parse a page."""
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader.read


def of(*outcomes: Outcome) -> str:
    """The page of some questions."""
    return page("ours", outcomes, make_metrics(outcomes, {}))


METRICS = make_metrics([outcome(), refused()], {})


def whole(text: str) -> str:
    """A page with all that it can hold, every string of which is one text: of articles, questions and answers."""
    source = Source(text, text, text)
    passage = Passage("c", source, text, 0, len(text), 0.5, near_duplicates=(Passage("d", source, text, 0, 1, 0.5),))
    known = KnownQuestion.model_construct(
        id=text, question=text, answerable=True, relevant=("other",), answers=(text,), wrong=(f"{text} and no more",),
        history=(Turn("user", text),), support=(text,), kind=text, group=text, speaker=text, count=3,
    )  # fmt: skip
    answer = Answer(
        text, f"{text} ", f"{text} [1]", "quote", None, (Citation(1, text, 0, 1, source),), (passage,), text
    )
    silent = replace(answer, citations=(), refusal=Refusal(text))
    answered = Outcome(known, answer, (CheckedCitation(1, text, text, valid=False),), {}, 1.0)
    row = Row.model_construct(id=text, question=text, text=text)
    changed = tuple(Pair(change, row, row) for change in Change)
    comparison = Comparison({("answers", "found"): Sides(None, 0.5, None)}, {"gained": 1}, changed, None)
    attacked = Attacked(Planted(1, text, text, answered, text), answered, {"word": True})
    attacks = Attacks((attacked,), {}, {text: {}})
    return page(text, [answered, replace(answered, answer=silent, citations=())], METRICS, comparison, attacks)


@given(st.text(min_size=1) | st.lists(st.sampled_from(re.findall(r"\w+|\W", HOSTILE)), min_size=1).map("".join))
@example(HOSTILE)
@example("\ud800 \x00 \x1b[31m \u200b")
def test_no_element_and_no_attribute_comes_from_data(text: str) -> None:
    """Whatever articles, questions, answers and attacks hold, it is shown as text, and the page stays what it is."""
    parsed, harmless = read(whole(text)), read(whole("harmless"))
    assert parsed.elements == harmless.elements
    assert parsed.scripts == harmless.scripts
    assert safe(text) in parsed.text


def test_a_template_prints_text_escaped_and_clean_wherever_it_stands() -> None:
    """In an element, in an attribute and in a macro; what it misses is an error, not nothing."""
    template = """{% macro inner(text) %}<b title="{{ text }}">{{ text ~ 1 }}</b>{% endmacro %}{{ inner(text) }}"""
    rendered = environment().from_string(template).render(text='"<i>\u202e\x1b[31m')
    assert rendered == '<b title="&#34;&lt;i&gt;">&#34;&lt;i&gt;1</b>'
    with pytest.raises(UndefinedError):
        environment().from_string("{{ text }}").render()


def test_only_our_own_style_and_script_are_markup() -> None:
    """Nothing else in the template turns escaping off."""
    template = files("bot.evaluation").joinpath("report.html").read_text("utf-8")
    code = re.sub(r"\{#.*?#\}", "", template, flags=re.DOTALL)
    assert re.findall(r"\w+ *\| *safe|autoescape|Markup|forceescape|xmlattr", code) == ["style | safe", "script | safe"]


def test_the_page_stands_alone() -> None:
    """It reaches for nothing, and its policy lets no other script or style run than its own."""
    parsed = read(whole("x"))
    assert not [name for _, attributes in parsed.elements for name, _ in attributes if name in ("src", "href", "style")]
    policy = next(
        dict(attributes)["content"]
        for _, attributes in parsed.elements
        if ("http-equiv", "Content-Security-Policy") in attributes
    )
    assert policy is not None
    for part in (*parsed.scripts, *parsed.styles):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'" in policy
    assert (len(parsed.scripts), len(parsed.styles)) == (1, 1)
    assert policy.startswith("default-src 'none'")
    assert not re.search("innerHTML|insertAdjacent|document.write|eval|fetch", parsed.scripts[0])


def test_where_answers_were_lost_is_plotted() -> None:
    """Each question counts once; the plot says so in words too, for who does not see it."""
    parsed = read(
        of(outcome(), refused(), said("Nobody came [1]."), refused(answerable=False), outcome(answerable=False))
    )
    labels = [dict(attributes).get("aria-label") for name, attributes in parsed.elements if name == "svg"]
    assert labels[0] == (
        "What became of the questions: right, 2 of 5; retrieved but not quoted, 1 of 5; refused wrongly, 1 of 5; "
        "answered wrongly, 1 of 5"
    )
    assert labels[1] == "Place: first, 3 of 3"
    assert "5 questions: 3 answered by quotes, 2 not answered. 2 of 5 went right." in parsed.text


def test_a_failure_is_shown_with_all_that_explains_it() -> None:
    """Question, what was expected, what was said with its quotes, the passages, and the reason of a refusal."""
    failed = said("Some 41 people walked [1].", KNOWN, answers=("forty", "40 people"), wrong=("41",))
    text = read(of(failed, refused(reason="None of them names Zog."), outcome())).text
    for piece in (
        "how many walked?", "forty or 40 people", "Some 41 people walked [1].", "answered wrongly", "refused wrongly",
        "Some 40 people  walked over it\nfirst.", "[1] Bridge reopens · The Courier · 2024-01-03",
        "The old bridge reopened.", "The articles do not say. None of them names Zog.",
    ):  # fmt: skip
        assert piece in text
    assert text.count("The 1 nearest passages") == 2  # what went right is no failure


def test_the_table_is_one_for_everybody() -> None:
    """Headings have a scope and a button that sorts, controls a label, and each failure is one body."""
    parsed = read(of(refused(), refused()))
    names = [name for name, _ in parsed.elements]
    assert (names.count("tbody"), names.count("button")) == (3, 4)  # one body is that of the figures
    assert all(dict(attributes).get("scope") for name, attributes in parsed.elements if name == "th")
    assert (names.count("input"), names.count("select"), names.count("label")) == (1, 1, 2)


def test_without_failures_there_is_no_table() -> None:
    """Where all went right it says so."""
    assert "questions" not in [dict(attributes).get("id") for _, attributes in read(of(outcome())).elements]


def test_what_is_not_known_is_not_judged() -> None:
    """A bare question has neither a place nor a fate that is good or bad."""
    parsed = read(of(outcome(KnownQuestion(id="7", question="how many?"))))
    assert "0 of 0 went right" in parsed.text
    assert "not judged" in parsed.text
    assert "The place of" not in parsed.text


def test_a_page_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    """A folder that is not there, or a folder in place of a file, is told before anything is asked."""
    for wrong in (tmp_path, tmp_path / "none" / "page.html"):
        with pytest.raises(ClippingsError, match="name a file in a folder that is there"):
            check_writable(wrong)
        with pytest.raises(ClippingsError, match="cannot be written"):
            write(wrong, "")
    check_writable(tmp_path / "page.html")
