"""What comes of files and folders, good and bad."""

from __future__ import annotations

import json
import os
import tempfile
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.formats.document import MAX_ARTICLE_BYTES
from index.formats.news_json import MAX_JSON_BYTES
from index.load import count, load, printable
from index.models import Failure, RawRecord
from tests.loading import STORY, lines, only_reason, only_record, split, write

# --- Kinds -----------------------------------------------------------------------------------------------------


def test_a_text_file_is_one_article(tmp_path: Path) -> None:
    """A .txt file gives its text as it is, with its absolute path and no key."""
    path = write(tmp_path / "a.TXT", STORY)
    assert only_record(path) == RawRecord(str(path), "", STORY, "text", {})


def test_front_matter_becomes_fields(tmp_path: Path) -> None:
    """The front matter of a .md file is read as YAML, its names in lower case, and is no part of the text."""
    path = write(tmp_path / "a.md", f"---\nTitle: 'Ferry: late'\ntags: [sea, ferry]\n---\n{STORY}")
    record = only_record(path)
    assert (record.kind, record.text) == ("markdown", STORY)
    assert record.fields == {"title": "Ferry: late", "tags": ["sea", "ferry"]}


@pytest.mark.parametrize("field", ["title: Ferry: late again", "date: 2024-13-45", 'outlet: "Gazette'])
def test_front_matter_that_is_not_quite_yaml_is_read_by_its_lines(tmp_path: Path, field: str) -> None:
    """A colon in a headline, or a day that is none, does not cost the article."""
    record = only_record(write(tmp_path / "a.md", f"---\n{field}\n# note\nurl: /a\n---\n{STORY}"))
    name, value = field.split(": ", 1)
    assert record.fields == {name: value.strip('"'), "url": "/a"}
    assert record.text == STORY


def test_front_matter_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Front matter that is neither YAML nor plain lines is a failure, not a part of the article."""
    path = write(tmp_path / "a.md", f"---\ntitle: [a\nwhat is this\n---\n{STORY}")
    assert only_reason(path) == "its front matter is not valid YAML, near: what is this"


def test_a_rule_above_prose_is_no_front_matter(tmp_path: Path) -> None:
    """Dashes around prose, or dashes that never end, are left in the text."""
    for text in (f"---\n{STORY}\n---\nMore.", f"---\n{STORY}"):
        assert only_record(write(tmp_path / "a.md", text)).text == text


def test_front_matter_keeps_no_nests(tmp_path: Path) -> None:
    """A small YAML block that would be endless when written out loses its nests and keeps its plain values."""
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\ntitle: Ferry"
    record = only_record(write(tmp_path / "a.md", f"---\n{bomb}\n---\n{STORY}"))
    assert record.fields == {"a": ["x", "x"], "title": "Ferry"}


def test_html_is_passed_on_whole(tmp_path: Path) -> None:
    """A page is given as it is: what is the article in it is found out later."""
    page = f"<html><body><nav>Home</nav><p>{STORY}</p></body></html>"
    for name in ("a.html", "b.htm"):
        record = only_record(write(tmp_path / name, page))
        assert (record.kind, record.text) == ("html", page)


def test_json_lines_are_records(tmp_path: Path) -> None:
    """Each line of a .jsonl file is an article whose key is its id and whose other keys are its fields."""
    path = lines(tmp_path / "a.jsonl", {"id": 7, "title": "Ferry", "text": STORY}, "", {"id": "b", "text": "B"})
    records, failures = split([path])
    assert not failures
    assert records[0] == RawRecord(str(path), "7", STORY, "record", {"title": "Ferry"})
    assert [record.key for record in records] == ["7", "b"]


@pytest.mark.parametrize(
    "content",
    [
        {"id": "a", "text": STORY},
        [{"id": "a", "text": STORY}],
        {"source": "x", "articles": [{"id": "a", "text": STORY}]},
    ],
)
def test_json_is_an_article_or_a_list_of_them(tmp_path: Path, content: object) -> None:
    """A .json file is one object, a list of objects, or an object with "articles"."""
    record = only_record(write(tmp_path / "a.json", json.dumps(content, indent=1)))
    assert (record.key, record.text) == ("a", STORY)


def test_a_record_without_an_id_keeps_its_key(tmp_path: Path) -> None:
    """The key of a record without an id does not change with the lines around it."""
    before = only_record(lines(tmp_path / "a.jsonl", {"text": STORY})).key
    records, _ = split([lines(tmp_path / "a.jsonl", {"text": "Another"}, {"text": STORY, "id": None})])
    assert before
    assert records[1].key == before != records[0].key


def test_what_tools_write_for_absent_is_absent(tmp_path: Path) -> None:
    """NaN is read as null."""
    record = only_record(write(tmp_path / "a.jsonl", '{"id": NaN, "title": NaN, "text": "The ferry."}'))
    assert record.fields == {"title": None}
    assert record.key not in {"", "nan", "None"}


def test_files_of_other_kinds_are_counted(tmp_path: Path) -> None:
    """By their ending; hidden files, folders and what cannot be read are none of them."""
    for name in ("a.txt", "b.XLSX", "c.xlsx", "in/d.gif", "in/Makefile", "e." + "x" * 40, ".hidden.xlsx", "f\n.a\nb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / name, STORY)
    skipped = Counter[str]()
    assert [record.path for record in load([tmp_path], skipped) if isinstance(record, RawRecord)] == [
        f"{tmp_path}/a.txt"
    ]
    assert skipped == {".xlsx": 2, ".gif": 1, "": 2, ".a\\nb": 1}


# --- Bad content -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.json", "a.jsonl"])
def test_nothing_to_read_is_said(tmp_path: Path, name: str) -> None:
    """An empty file, one of white space and one of something else than text each give one reason."""
    assert only_reason(write(tmp_path / name, b"")) == "the file is empty"
    assert only_reason(write(tmp_path / name, b" \r\n\t\n")) == "no text in it"
    assert only_reason(write(tmp_path / name, b"GIF89a")) == "binary, not text, whatever its name says"
    story = STORY.encode() * 50
    for binary in (bytes(range(256)) * 9, b"\x00" * 500, story[:99] + b"\0a\0" + story):
        reason = "binary, not text, whatever its name says: it holds NUL characters"
        assert only_reason(write(tmp_path / name, binary)) == reason
    for binary in (story[:99] + b"\1\2\7" + story, b"\x19" * 200 + story[:4000]):
        reason = "binary, not text, whatever its name says: it holds control characters"
        assert only_reason(write(tmp_path / name, binary)) == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "x", "text": "a"', "invalid JSON at character 24: Expecting ',' delimiter"),
        ("[1, 2]", "a list, not an object with a text"),
        ("null", "null, not an object with a text"),
        ('{"id": "x", "note": "a"}', 'no "text" among its keys: id, note'),
        ('{"text": ["a"]}', 'its "text" is a list, not a string'),
        ('{"text": "a", "title": 5}', 'its "title" is a number, not a string'),
        ('{"text": "a", "published": true}', 'its "published" is true or false, not a string'),
        ('{"text": "a", "id": {}}', 'its "id" is an object, not a string or a number'),
        ('{"text": " \\n", "id": "x"}', "no text in it"),
        ('{"text": "a", "n": 1e999}', "invalid JSON: a number in it is too large"),
        (f'{{"text": "a", "n": {"9" * 5000}}}', "invalid JSON: a number in it is too large"),
        (f'{{"text": "a", "n": {"[" * 200_000}', "invalid JSON: nested too deeply"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_read(tmp_path: Path, line: str, reason: str) -> None:
    """What is wrong with one line is told with its number; the lines around it are articles."""
    path = lines(tmp_path / "a.jsonl", {"id": 1, "text": "One"}, line, {"id": 3, "text": "Three"})
    records, failures = split([path])
    assert [record.text for record in records] == ["One", "Three"]
    assert failures == [Failure(str(path), f"line 2: {reason}")]


def test_a_bad_record_of_a_list_is_named(tmp_path: Path) -> None:
    """In a .json list the failure names the record, counted from one; broken JSON names its line."""
    path = write(tmp_path / "a.json", json.dumps([{"id": 1, "text": "One"}, 2, {"id": 3, "text": "Three"}]))
    records, failures = split([path])
    assert len(records) == 2
    assert failures[0].reason == "record 2: a number, not an object with a text"
    assert only_reason(write(path, '{"id": 1,\n"text" 5}')) == "invalid JSON on line 2: Expecting ':' delimiter"
    assert only_reason(write(path, "[]")) == "no articles in it"


def test_duplicate_ids_name_both_places(tmp_path: Path) -> None:
    """The first record of an id is kept, within a file and across files; the failure says where it was."""
    (tmp_path / "more").mkdir()
    one = lines(tmp_path / "a.jsonl", {"id": "x", "text": "One"}, {"id": "x", "text": "Two"})
    two = write(tmp_path / "more" / "b.json", '{"id": "x", "text": "Three"}')
    records, failures = split([tmp_path])
    assert [record.text for record in records] == ["One"]
    assert failures == [
        Failure(str(one), "line 2: duplicate id 'x': first seen in a.jsonl line 1"),
        Failure(str(two), f"duplicate id 'x': first seen in {one} line 1"),
    ]


def test_halves_of_surrogate_pairs_are_replaced(tmp_path: Path) -> None:
    """No half of a surrogate pair comes out of JSON or YAML, in text, key or fields; whole pairs are characters."""
    line = r'{"id": "k\ud800", "text": "a \udc00 b \ud83d\ude00", "\ud801": [{"deep": "\udfff"}]}'
    record = only_record(write(tmp_path / "a.jsonl", line))
    assert (record.key, record.text) == ("k\ufffd", "a \ufffd b \U0001f600")
    assert record.fields == {"\ufffd": [{"deep": "\ufffd"}]}
    assert only_record(write(tmp_path / "a.md", f'---\ntitle: "x\\ud800"\n---\n{STORY}')).fields == {"title": "x\ufffd"}


def test_stray_control_and_direction_characters_pass(tmp_path: Path) -> None:
    """A NUL or a right-to-left override in an article is no reason not to read it, nor a raw tab in JSON."""
    text = f"{STORY}\x00\x1b[31m \u202eReversed. {STORY}"
    assert only_record(write(tmp_path / "a.txt", text)).text == text
    assert only_record(write(tmp_path / "a.jsonl", '{"text": "a\tb"}')).text == "a\tb"
    badly_converted = f"The ferry\x19s captain said it wasn\x19t late. {STORY}" * 40
    assert only_record(write(tmp_path / "a.txt", badly_converted)).text == badly_converted


# --- Encodings -------------------------------------------------------------------------------------------------

SPANISH = "El Ayuntamiento aprobó la ampliación de la biblioteca de Peñaflor. “Costará 2 millones”, dijo la alcaldesa."
RUSSIAN = "Городской совет решил расширить библиотеку. Работы продлятся год, сообщил мэр."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((SPANISH, name) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "cp1252")),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "utf-16"),
    ],
)
def test_other_encodings_are_recovered(tmp_path: Path, text: str, encoding: str) -> None:
    """Text in another encoding than UTF-8 comes out right, in a file and in a line of JSON."""
    assert only_record(write(tmp_path / "a.txt", text.encode(encoding))).text == text
    line = json.dumps({"text": text}, ensure_ascii=False)
    assert only_record(write(tmp_path / "a.jsonl", f"{line}\n".encode(encoding))).text == text


def test_a_damaged_place_does_not_spoil_the_rest(tmp_path: Path) -> None:
    """UTF-8 that is cut inside a character loses that character only."""
    data = SPANISH.encode().replace("ñ".encode(), b"\xc3")
    assert only_record(write(tmp_path / "a.txt", data)).text == SPANISH.replace("ñ", "\ufffd")


@pytest.mark.parametrize("declared", ["windows-1250", "no-such-encoding", "base64", "idna"])
def test_a_page_is_read_as_it_declares_itself(tmp_path: Path, declared: str) -> None:
    """A page that is not UTF-8 is read by its own declaration, and one that declares nonsense is read all the same."""
    page = f'<meta charset="{declared}"><p>Łódź: library opens</p>'.encode("cp1250")
    text = only_record(write(tmp_path / "a.html", page)).text
    assert "library opens" in text
    assert ("Łódź" in text) == (declared == "windows-1250")


# --- Size ------------------------------------------------------------------------------------------------------


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """An article, and a .json file, has a limit, which the reason tells beside the size."""
    path = write(tmp_path / "a.txt", b"")
    os.truncate(path, 50_000_000)
    assert only_reason(path) == "too large: 50 MB, an article may have 5 MB"
    os.truncate(path, MAX_ARTICLE_BYTES + 1)
    assert only_reason(path) == "too large: 5.1 MB, an article may have 5 MB"
    path = write(tmp_path / "a.json", b"")
    os.truncate(path, MAX_JSON_BYTES + 1)
    assert only_reason(path) == "too large: 50.1 MB, a .json file (unlike .jsonl) may have 50 MB"


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_huge_line_is_skipped_in_little_memory(tmp_path: Path, end: bytes) -> None:
    """A line of 50 MB costs its failure only, and is never in memory whole."""
    path = tmp_path / "a.jsonl"
    rest = b'{"id": "b", "text": "B"}' if end else b""
    write(path, b'{"id": "a", "text": "A"}\n' + b"x" * 49_999_999 + end + rest)
    tracemalloc.start()
    records, failures = split([path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [record.key for record in records] == (["a", "b"] if end else ["a"])
    assert [failure.reason for failure in failures] == ["line 2: too large: 50 MB, an article may have 5 MB"]
    assert peak < 30_000_000


def test_memory_does_not_grow_with_the_articles(tmp_path: Path) -> None:
    """Ten times as many records take about the same memory when each is dropped after use."""
    peaks = []
    for number in (50, 500):
        path = lines(
            tmp_path / "a.jsonl", *({"id": one, "text": "word " * 2000} for one in range(number))
        )  # 10 kB each
        tracemalloc.start()
        assert sum(isinstance(one, RawRecord) for one in load([path])) == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_000_000  # the texts of 450 more would be 4.5 MB


# --- Counting --------------------------------------------------------------------------------------------------


def test_the_number_of_records_is_estimated(tmp_path: Path) -> None:
    """Files count one each, .jsonl by its lines, .json by its texts."""
    write(tmp_path / "a.txt", STORY)
    write(tmp_path / "b.jsonl", '{"text": "a"}\n' * 3)
    write(tmp_path / "c.json", json.dumps([{"text": "a"}, {"text": "b"}]))
    assert count([tmp_path, tmp_path / "gone.txt"]) == 6


# --- Anything at all -------------------------------------------------------------------------------------------

KINDS = st.sampled_from([".txt", ".md", ".html", ".json", ".jsonl"])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "text", "title", "articles", "x"]), inner),
    max_leaves=8,
)


def _load_bytes(data: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        found = list(load([write(Path(name) / f"a{suffix}", data)]))
    for one in found:
        if isinstance(one, RawRecord):
            json.dumps([one.path, one.key, one.text, one.fields], default=str, ensure_ascii=False).encode()
            assert any(character.isalnum() for character in one.text)
        else:
            assert one.reason == printable(one.reason)
    assert found  # nothing is passed over in silence


@given(data=st.binary(), suffix=KINDS)
def test_no_bytes_raise(data: bytes, suffix: str) -> None:
    """Whatever a file holds, it gives records that can be stored, or reasons of one line."""
    _load_bytes(data, suffix)


@given(text=st.text(), encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]), suffix=KINDS)
def test_no_text_raises(text: str, encoding: str, suffix: str) -> None:
    """As for bytes, for text in the usual encodings, with front matter around it."""
    _load_bytes(f"---\n{text}\n---\n{text}".encode(encoding, "replace"), suffix)


@given(values=st.lists(ANY_JSON, min_size=1), suffix=st.sampled_from([".json", ".jsonl"]), wide=st.booleans())
def test_no_json_raises(values: list[object], suffix: str, *, wide: bool) -> None:
    """Any JSON, whatever stands where, gives records or reasons."""
    text = json.dumps(values) if suffix == ".json" else "\n".join(json.dumps(one) for one in values)
    _load_bytes(text.encode("utf-16" if wide else "utf-8"), suffix)


@given(name=st.text(st.characters(codec=None)))
def test_printable_is_printable_and_settled(name: str) -> None:
    """Nothing unprintable is left, and doing it twice changes nothing."""
    once = printable(name)
    assert once.isprintable()
    assert printable(once) == once
    once.encode()
