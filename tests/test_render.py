"""What a terminal shows: golden outputs, and no control characters from an article."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import serialize
from bot.cli import render
from bot.models import Answer, Citation, Refusal, in_marks
from bot.plain_text import safe, size
from index.models import Article, Boilerplate, ClippingsError, Source
from tests.fakes.examples import ANSWER, ARTICLE, BODY, CITATION, OTHER, QUOTE, REFUSED, SOURCE, Terminal


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 60 columns with 8 colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    return Terminal()


def test_an_answer_is_its_text_and_its_numbered_sources() -> None:
    """The displayed quote has its white space collapsed; further sources of the story follow it."""
    assert render.plain(render.answer_lines(ANSWER)) == (
        "Some 40 people  walked over it\nfirst. [1]\n"
        "\n"
        "[1] Bridge reopens · The Courier · 2024-01-03\n"
        "    https://courier.example/bridge\n"
        "    “Some 40 people walked over it first.”\n"
        "    also in: Bridge opens again · 2024-01-04 (uncertain)\n"
        "      b.txt\n"
    )


def test_a_source_is_printed_once_with_its_quotes() -> None:
    """Each quote has a line; what both are also in is named once, what the second is also in behind it."""
    rain = replace(CITATION, quote="Rain fell later.", start=BODY.index("Rain"), end=len(BODY))
    last = replace(CITATION, number=2, source=OTHER, quote="It is “open”.", also_in=())
    head = "\n[1] Bridge reopens · The Courier · 2024-01-03\n    https://courier.example/bridge\n"
    quotes = "    “Some 40 people walked over it first.”\n", "    “Rain fell later.”\n"
    also = "    also in: Bridge opens again · 2024-01-04 (uncertain)\n      b.txt\n"
    tail = "[2] Bridge opens again · 2024-01-04 (uncertain)\n    b.txt\n    “It is ‘open’.”\n"
    assert render.plain(render.source_lines([CITATION, rain, last])) == head + quotes[0] + quotes[1] + also + tail
    shown = render.plain(render.source_lines([replace(CITATION, also_in=()), rain, last]))
    assert shown == head + quotes[0] + quotes[1] + also + tail
    shown = render.plain(render.source_lines([CITATION, replace(rain, also_in=()), last]))
    assert shown == head + quotes[0] + also + quotes[1] + tail
    lines = render.plain(render.source_lines([CITATION, rain, last], quotes=False)).splitlines()
    assert lines[1:] == [
        "[1] Bridge reopens · The Courier · 2024-01-03 (and 1 more)",
        "[2] Bridge opens again · 2024-01-04 (uncertain)",
    ]


def test_a_quote_that_the_answer_prints_is_not_printed_again() -> None:
    """Beside it, the source still has its headline and link, and quotes that the text does not hold."""
    rain = replace(CITATION, quote="Rain fell later.", start=BODY.index("Rain"), end=len(BODY), also_in=())
    answer = replace(ANSWER, text=f"{in_marks(QUOTE)} [1] It rained [1].", citations=(CITATION, rain))
    shown = render.plain(render.answer_lines(answer))
    assert shown.count("40 people") == 1
    assert shown.endswith("      b.txt\n    “Rain fell later.”\n")
    assert render.plain(render.source_lines(answer.citations)).count("40 people") == 1


def test_in_a_conversation_a_source_is_one_line() -> None:
    """Without quotes each source is a line that counts its further sources."""
    assert render.plain(render.source_lines(ANSWER.citations, quotes=False)) == (
        "\n[1] Bridge reopens · The Courier · 2024-01-03 (and 1 more)\n"
    )


def test_a_refusal_gives_the_reason_and_places_to_look() -> None:
    """The nearest articles are listed without numbers, for they are no evidence; a draft's text is not shown."""
    assert render.plain(render.answer_lines(REFUSED)) == (
        "The articles do not say.\n"
        "None of them names Zog.\n"
        "Nearest:\n"
        "- Bridge reopens · The Courier · 2024-01-03\n"
        "    https://courier.example/bridge\n"
        "- Bridge opens again · 2024-01-04 (uncertain)\n"
        "    b.txt\n"
    )


def test_a_notice_is_a_line_of_its_own() -> None:
    """A notice about the answer is printed below it."""
    answer = replace(ANSWER, text="Hello.", answerer="reply", citations=(), notice="The model timed out.")
    assert render.plain(render.answer_lines(answer)) == "Hello.\nNote: The model timed out.\n"


def test_an_article_is_shown_with_its_facts_and_furniture() -> None:
    """The date shows where it was read. Boilerplate is listed by kind."""
    assert render.plain(render.article_lines(ARTICLE)) == (
        "Bridge reopens\n"
        "id:       a1\n"
        "outlet:   The Courier\n"
        "byline:   Ann Lee\n"
        "date:     2024-01-03 (read from: url)\n"
        "url:      https://courier.example/bridge\n"
        "file:     -\n"
        "language: -\n"
        "\n"
        f"{BODY}\n"
        "\n"
        "Not part of the article:\n"
        "  caption: The bridge at dawn\n"
    )


def test_a_quote_is_marked_inside_its_passage() -> None:
    """Without a terminal the marks are >> and <<."""
    shown = render.plain(render.passage_lines([CITATION], BODY))
    assert shown.endswith(f"\n\n>>{QUOTE}<<\n")


def test_a_terminal_gets_styles_and_whole_links(terminal: Terminal) -> None:
    """Headlines are styled, text is wrapped with its indent, a link is never broken."""
    link = "https://courier.example/" + "long-" * 20
    answer = replace(ANSWER, citations=(replace(CITATION, quote="word " * 30, source=replace(SOURCE, url=link)),))
    render.show(render.answer_lines(answer), terminal)
    shown = terminal.getvalue()
    assert "\x1b[1mBridge reopens" in shown
    assert link in shown
    bare = [re.sub(r"\x1b\[[\d;]*m", "", row) for row in shown.splitlines()]
    wrapped = [row for row in bare if "word word" in row]
    assert len(wrapped) > 1
    assert all(row.startswith("    ") and len(row) <= 60 for row in wrapped)


def test_the_short_answer_is_bold(terminal: Terminal) -> None:
    """As the beginning of the text; without a terminal it is as plain as the rest."""
    answer = replace(ANSWER, text=f"40 — {in_marks(QUOTE)} [1]", short="40")
    render.show(render.answer_lines(answer), terminal)
    assert terminal.getvalue().startswith("\x1b[1m40\x1b[0m — “Some 40")
    assert render.plain(render.answer_lines(answer)).startswith("40 — “Some 40")
    assert serialize.answer(answer)["short"] == "40"
    assert serialize.read_answer(serialize.answer(answer)).short == "40"


def test_no_color_is_honoured(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR set a terminal gets no colour."""
    render.show(render.answer_lines(ANSWER), terminal)
    coloured = terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    render.show(render.answer_lines(ANSWER), plain)
    colour = re.compile(r"\x1b\[(?:\d+;)*[34]\d")
    assert colour.search(coloured)
    assert not colour.search(plain.getvalue())


def test_markup_in_an_article_is_not_interpreted(terminal: Terminal) -> None:
    """What looks like markup, an emoji name or a link of the terminal library is shown as it stands."""
    headline = "[bold red]x[/] [link=http://e.example]y[/link] :smile:"
    render.show(render.answer_lines(replace(REFUSED, refusal=Refusal("r", (Source("c", headline),)))), terminal)
    assert headline in " ".join(re.sub(r"\x1b\[[\d;]*m", "", terminal.getvalue()).split())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://e.example\x1b\\x\x1b]8;;\x1b\\", "x"),
        ("\x9b31mred", "red"),
        ("a\u202eb\u2066c\u200f", "abc"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\x00\x08\x7fb", "ab"),
        ("caf\udce9", "caf\ufffd"),
        ("می‌خواهم 👩‍🚒", "می‌خواهم 👩‍🚒"),
        ("[31m kept", "[31m kept"),
    ],
)
def test_safe_text_can_only_be_read(text: str, shown: str) -> None:
    """Terminal sequences, controls and overrides are removed. Words of any script stay."""
    assert safe(text) == shown


HOSTILE = st.text(
    st.sampled_from("\x1b\x9b\x9d\x07\r\n\t\x00\x7f[]()0;31mHJ\\\u202a\u202e\u2066\u2069\u200e\u061c\u2028\ufeff\ud800")
    | st.characters()
)
SOURCES = st.builds(
    Source,
    id=HOSTILE,
    headline=HOSTILE,
    outlet=st.none() | HOSTILE,
    byline=st.none() | HOSTILE,
    published=st.none() | st.dates(),
    published_from=st.none() | HOSTILE,
    url=st.none() | HOSTILE,
    path=st.none() | HOSTILE,
    language=st.none() | HOSTILE,
)
CITATIONS = st.builds(Citation, st.integers(1, 9), HOSTILE, st.just(0), st.just(1), SOURCES, st.tuples(SOURCES))
ANSWERS = st.builds(
    Answer,
    question=HOSTILE,
    standalone_question=HOSTILE,
    text=HOSTILE,
    answerer=st.sampled_from(["quote", "write", "reply"]),
    refusal=st.none() | st.builds(Refusal, HOSTILE, st.tuples(SOURCES)),
    citations=st.lists(CITATIONS, max_size=2).map(tuple),
    notice=st.none() | HOSTILE,
)
ARTICLES = st.builds(Article, SOURCES, HOSTILE, st.tuples(st.builds(Boilerplate, HOSTILE, HOSTILE)))


def _only_readable(shown: str) -> bool:
    return all(
        character in "\n\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2"  # number signs are seen
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        for character in shown
    )


@given(ANSWERS, ARTICLES)
def test_no_rendered_text_holds_a_control(answer: Answer, article: Article) -> None:
    """Whatever an article or an answer contains, no escape, control or bidi character is printed."""
    lines = [*render.answer_lines(answer), *render.answer_lines(answer, quotes=False), *render.article_lines(article)]
    for citation in answer.citations:
        lines += render.passage_lines([citation], article.body)
    assert _only_readable(render.plain(lines))
    out = Terminal()
    render.show(lines, out)
    assert _only_readable(re.sub(r"\x1b\[[\d;]*m", "", out.getvalue()))


@given(ANSWERS, ARTICLES)
def test_json_is_to_the_letter_and_harmless(answer: Answer, article: Article) -> None:
    """JSON is ASCII without controls, and reading it gives back each string as it was."""
    shown = serialize.dumps([serialize.answer(answer), serialize.article(article)])
    assert shown.isascii()
    assert _only_readable(shown)
    read, body = json.loads(shown)
    assert [each["quote"] for each in read["citations"]] == [each.quote for each in answer.citations]
    assert (body["body"], body["headline"]) == (article.body, article.source.headline)


def test_the_json_of_an_answer_has_the_promised_keys() -> None:
    """Acceptance and scripts read these keys."""
    article = {
        "id": "a1",
        "headline": "Bridge reopens",
        "outlet": "The Courier",
        "published": "2024-01-03",
        "published_certain": True,
        "url": "https://courier.example/bridge",
        "path": None,
    }
    also = {**dict.fromkeys(article), "id": "b2", "headline": "Bridge opens again"}
    also |= {"published": "2024-01-04", "published_certain": False, "path": "b.txt"}
    assert json.loads(serialize.dumps(serialize.answer(ANSWER))) == {
        "question": "how many walked?",
        "standalone_question": "how many walked?",
        "answered": True,
        "text": f"{QUOTE} [1]",
        "short": None,
        "answerer": "quote",
        "kind": "fact",
        "filters": {},
        "notice": None,
        "refusal": None,
        "citations": [
            {"number": 1, "quote": QUOTE, "start": 26, "end": 63, "article": article, "also_in": [also]},
        ],
        "passages": [
            {
                "score": 0.5,
                "cosine": 0.7,
                "lexical": 2.0,
                "text": BODY,
                "start": 0,
                "end": len(BODY),
                "article": article,
                "also_in": [],
            }
        ],
        "timings_ms": {"search": 4.0},
    }


def test_the_json_of_a_refusal_says_why() -> None:
    """A refusal has the fixed text, its reason and the nearest articles."""
    refused = json.loads(serialize.dumps(serialize.answer(REFUSED)))
    assert (refused["answered"], refused["text"], refused["citations"]) == (False, "The articles do not say.", [])
    assert refused["refusal"]["reason"] == "None of them names Zog."
    assert [each["id"] for each in refused["refusal"]["nearest"]] == ["a1", "b2"]


def test_an_expected_error_is_its_own_sentence() -> None:
    """The message of a ClippingsError is printed as it is, made safe."""
    assert render.error_message(ClippingsError("No \x1b[2Jindex."), debug=False) == "No index."


def test_an_unexpected_error_is_one_line_until_debug_is_asked_for() -> None:
    """Without --debug there is no traceback, and the line says how to get it."""
    try:
        raise KeyError("a\nb")  # noqa: TRY301  # a raised error has the traceback that is looked for
    except KeyError as error:
        short, long = render.error_message(error, debug=False), render.error_message(error, debug=True)
    assert short == r"Unexpected error: KeyError: 'a\nb'. Add --debug to see the traceback."
    full = render.error_message(OSError(28, "No space left on device", "/data/x"), debug=False)
    advice = "See that the disk has room, and what `ulimit -a` allows."
    assert full == f"A file /data/x cannot be used: No space left on device. {advice}"
    assert "Traceback (most recent call last)" in long
    assert long.endswith(short)


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 kB"), (1, "1 kB"), (12_000, "12 kB"), (999_001, "1.0 MB"), (2_345_678, "2.3 MB")],
)
def test_a_small_size_is_not_shown_as_none(number: int, shown: str) -> None:
    """In kB below a MB, rounded up."""
    assert size(number) == shown


def test_what_was_examined_is_aligned() -> None:
    """What is unusual is neither in order nor wrong; a mark encloses its word and no blank."""
    checks = [("a", True, "x"), ("b", None, "y"), ("c", False, "z")]
    assert render.plain(render.check_lines(checks)) == "ok    a: x\nnote  b: y\n>>WRONG<< c: z\n"
