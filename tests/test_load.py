"""What comes of files and folders, good and bad."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.formats.document import MAX_ARTICLE_BYTES
from index.formats.news_json import MAX_JSON_BYTES
from index.formats.registry import KINDS_READ
from index.load import count, load, printable
from index.models import Failure, RawRecord

STORY = "The ferry to Saltholm was late again on Monday. Nobody could say why."
NOBODY = 65534


def _split(paths: Sequence[Path]) -> tuple[list[RawRecord], list[Failure]]:
    found = list(load(paths))
    return [one for one in found if isinstance(one, RawRecord)], [one for one in found if isinstance(one, Failure)]


def _only_record(path: Path) -> RawRecord:
    records, failures = _split([path])
    assert not failures
    assert len(records) == 1
    return records[0]


def _only_reason(path: Path) -> str:
    records, failures = _split([path])
    assert not records
    assert len(failures) == 1
    assert "\n" not in failures[0].path + failures[0].reason
    return failures[0].reason


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _lines(path: Path, *values: object) -> Path:
    return _write(path, "\n".join(one if isinstance(one, str) else json.dumps(one) for one in values))


# --- Kinds -----------------------------------------------------------------------------------------------------


def test_a_text_file_is_one_article(tmp_path: Path) -> None:
    """A .txt file gives its text as it is, with its absolute path and no key."""
    path = _write(tmp_path / "a.TXT", STORY)
    assert _only_record(path) == RawRecord(str(path), "", STORY, "text", {})


def test_front_matter_becomes_fields(tmp_path: Path) -> None:
    """The front matter of a .md file is read as YAML, its names in lower case, and is no part of the text."""
    path = _write(tmp_path / "a.md", f"---\nTitle: 'Ferry: late'\ntags: [sea, ferry]\n---\n{STORY}")
    record = _only_record(path)
    assert (record.kind, record.text) == ("markdown", STORY)
    assert record.fields == {"title": "Ferry: late", "tags": ["sea", "ferry"]}


@pytest.mark.parametrize("field", ["title: Ferry: late again", "date: 2024-13-45", 'outlet: "Gazette'])
def test_front_matter_that_is_not_quite_yaml_is_read_by_its_lines(tmp_path: Path, field: str) -> None:
    """A colon in a headline, or a day that is none, does not cost the article."""
    record = _only_record(_write(tmp_path / "a.md", f"---\n{field}\n# note\nurl: /a\n---\n{STORY}"))
    name, value = field.split(": ", 1)
    assert record.fields == {name: value.strip('"'), "url": "/a"}
    assert record.text == STORY


def test_front_matter_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Front matter that is neither YAML nor plain lines is a failure, not a part of the article."""
    path = _write(tmp_path / "a.md", f"---\ntitle: [a\nwhat is this\n---\n{STORY}")
    assert _only_reason(path) == "its front matter is not valid YAML, near: what is this"


def test_a_rule_above_prose_is_no_front_matter(tmp_path: Path) -> None:
    """Dashes around prose, or dashes that never end, are left in the text."""
    for text in (f"---\n{STORY}\n---\nMore.", f"---\n{STORY}"):
        assert _only_record(_write(tmp_path / "a.md", text)).text == text


def test_front_matter_keeps_no_nests(tmp_path: Path) -> None:
    """A small YAML block that would be endless when written out loses its nests and keeps its plain values."""
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\ntitle: Ferry"
    record = _only_record(_write(tmp_path / "a.md", f"---\n{bomb}\n---\n{STORY}"))
    assert record.fields == {"a": ["x", "x"], "title": "Ferry"}


def test_html_is_passed_on_whole(tmp_path: Path) -> None:
    """A page is given as it is: what is the article in it is found out later."""
    page = f"<html><body><nav>Home</nav><p>{STORY}</p></body></html>"
    for name in ("a.html", "b.htm"):
        record = _only_record(_write(tmp_path / name, page))
        assert (record.kind, record.text) == ("html", page)


def test_json_lines_are_records(tmp_path: Path) -> None:
    """Each line of a .jsonl file is an article whose key is its id and whose other keys are its fields."""
    path = _lines(tmp_path / "a.jsonl", {"id": 7, "title": "Ferry", "text": STORY}, "", {"id": "b", "text": "B"})
    records, failures = _split([path])
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
    record = _only_record(_write(tmp_path / "a.json", json.dumps(content, indent=1)))
    assert (record.key, record.text) == ("a", STORY)


def test_a_record_without_an_id_keeps_its_key(tmp_path: Path) -> None:
    """The key of a record without an id does not change with the lines around it."""
    before = _only_record(_lines(tmp_path / "a.jsonl", {"text": STORY})).key
    records, _ = _split([_lines(tmp_path / "a.jsonl", {"text": "Another"}, {"text": STORY, "id": None})])
    assert before
    assert records[1].key == before != records[0].key


def test_what_tools_write_for_absent_is_absent(tmp_path: Path) -> None:
    """NaN is read as null."""
    record = _only_record(_write(tmp_path / "a.jsonl", '{"id": NaN, "title": NaN, "text": "The ferry."}'))
    assert record.fields == {"title": None}
    assert record.key not in {"", "nan", "None"}


def test_files_of_other_kinds_are_counted(tmp_path: Path) -> None:
    """By their ending; hidden files, folders and what cannot be read are none of them."""
    for name in ("a.txt", "b.XLSX", "c.xlsx", "in/d.gif", "in/Makefile", "e." + "x" * 40, ".hidden.xlsx", "f\n.a\nb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        _write(tmp_path / name, STORY)
    skipped = Counter[str]()
    assert [record.path for record in load([tmp_path], skipped) if isinstance(record, RawRecord)] == [
        f"{tmp_path}/a.txt"
    ]
    assert skipped == {".xlsx": 2, ".gif": 1, "": 2, ".a\\nb": 1}


# --- Bad content -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.json", "a.jsonl"])
def test_nothing_to_read_is_said(tmp_path: Path, name: str) -> None:
    """An empty file, one of white space and one of something else than text each give one reason."""
    assert _only_reason(_write(tmp_path / name, b"")) == "the file is empty"
    assert _only_reason(_write(tmp_path / name, b" \r\n\t\n")) == "no text in it"
    assert _only_reason(_write(tmp_path / name, b"GIF89a")) == "binary, not text, whatever its name says"
    story = STORY.encode() * 50
    for binary in (bytes(range(256)) * 9, b"\x00" * 500, story[:99] + b"\0a\0" + story):
        reason = "binary, not text, whatever its name says: it holds NUL characters"
        assert _only_reason(_write(tmp_path / name, binary)) == reason
    for binary in (story[:99] + b"\1\2\7" + story, b"\x19" * 200 + story[:4000]):
        reason = "binary, not text, whatever its name says: it holds control characters"
        assert _only_reason(_write(tmp_path / name, binary)) == reason


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
    path = _lines(tmp_path / "a.jsonl", {"id": 1, "text": "One"}, line, {"id": 3, "text": "Three"})
    records, failures = _split([path])
    assert [record.text for record in records] == ["One", "Three"]
    assert failures == [Failure(str(path), f"line 2: {reason}")]


def test_a_bad_record_of_a_list_is_named(tmp_path: Path) -> None:
    """In a .json list the failure names the record, counted from one; broken JSON names its line."""
    path = _write(tmp_path / "a.json", json.dumps([{"id": 1, "text": "One"}, 2, {"id": 3, "text": "Three"}]))
    records, failures = _split([path])
    assert len(records) == 2
    assert failures[0].reason == "record 2: a number, not an object with a text"
    assert _only_reason(_write(path, '{"id": 1,\n"text" 5}')) == "invalid JSON on line 2: Expecting ':' delimiter"
    assert _only_reason(_write(path, "[]")) == "no articles in it"


def test_duplicate_ids_name_both_places(tmp_path: Path) -> None:
    """The first record of an id is kept, within a file and across files; the failure says where it was."""
    (tmp_path / "more").mkdir()
    one = _lines(tmp_path / "a.jsonl", {"id": "x", "text": "One"}, {"id": "x", "text": "Two"})
    two = _write(tmp_path / "more" / "b.json", '{"id": "x", "text": "Three"}')
    records, failures = _split([tmp_path])
    assert [record.text for record in records] == ["One"]
    assert failures == [
        Failure(str(one), "line 2: duplicate id 'x': first seen in a.jsonl line 1"),
        Failure(str(two), f"duplicate id 'x': first seen in {one} line 1"),
    ]


def test_halves_of_surrogate_pairs_are_replaced(tmp_path: Path) -> None:
    """No half of a surrogate pair comes out of JSON or YAML, in text, key or fields; whole pairs are characters."""
    line = r'{"id": "k\ud800", "text": "a \udc00 b \ud83d\ude00", "\ud801": [{"deep": "\udfff"}]}'
    record = _only_record(_write(tmp_path / "a.jsonl", line))
    assert (record.key, record.text) == ("k\ufffd", "a \ufffd b \U0001f600")
    assert record.fields == {"\ufffd": [{"deep": "\ufffd"}]}
    assert _only_record(_write(tmp_path / "a.md", f'---\ntitle: "x\\ud800"\n---\n{STORY}')).fields == {
        "title": "x\ufffd"
    }


def test_stray_control_and_direction_characters_pass(tmp_path: Path) -> None:
    """A NUL or a right-to-left override in an article is no reason not to read it, nor a raw tab in JSON."""
    text = f"{STORY}\x00\x1b[31m \u202eReversed. {STORY}"
    assert _only_record(_write(tmp_path / "a.txt", text)).text == text
    assert _only_record(_write(tmp_path / "a.jsonl", '{"text": "a\tb"}')).text == "a\tb"
    badly_converted = f"The ferry\x19s captain said it wasn\x19t late. {STORY}" * 40
    assert _only_record(_write(tmp_path / "a.txt", badly_converted)).text == badly_converted


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
    assert _only_record(_write(tmp_path / "a.txt", text.encode(encoding))).text == text
    line = json.dumps({"text": text}, ensure_ascii=False)
    assert _only_record(_write(tmp_path / "a.jsonl", f"{line}\n".encode(encoding))).text == text


def test_a_damaged_place_does_not_spoil_the_rest(tmp_path: Path) -> None:
    """UTF-8 that is cut inside a character loses that character only."""
    data = SPANISH.encode().replace("ñ".encode(), b"\xc3")
    assert _only_record(_write(tmp_path / "a.txt", data)).text == SPANISH.replace("ñ", "\ufffd")


@pytest.mark.parametrize("declared", ["windows-1250", "no-such-encoding", "base64", "idna"])
def test_a_page_is_read_as_it_declares_itself(tmp_path: Path, declared: str) -> None:
    """A page that is not UTF-8 is read by its own declaration, and one that declares nonsense is read all the same."""
    page = f'<meta charset="{declared}"><p>Łódź: library opens</p>'.encode("cp1250")
    text = _only_record(_write(tmp_path / "a.html", page)).text
    assert "library opens" in text
    assert ("Łódź" in text) == (declared == "windows-1250")


# --- Size ------------------------------------------------------------------------------------------------------


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """An article, and a .json file, has a limit, which the reason tells beside the size."""
    path = _write(tmp_path / "a.txt", b"")
    os.truncate(path, 50_000_000)
    assert _only_reason(path) == "too large: 50 MB, an article may have 5 MB"
    os.truncate(path, MAX_ARTICLE_BYTES + 1)
    assert _only_reason(path) == "too large: 5.1 MB, an article may have 5 MB"
    path = _write(tmp_path / "a.json", b"")
    os.truncate(path, MAX_JSON_BYTES + 1)
    assert _only_reason(path) == "too large: 50.1 MB, a .json file (unlike .jsonl) may have 50 MB"


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_huge_line_is_skipped_in_little_memory(tmp_path: Path, end: bytes) -> None:
    """A line of 50 MB costs its failure only, and is never in memory whole."""
    path = tmp_path / "a.jsonl"
    rest = b'{"id": "b", "text": "B"}' if end else b""
    _write(path, b'{"id": "a", "text": "A"}\n' + b"x" * 49_999_999 + end + rest)
    tracemalloc.start()
    records, failures = _split([path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [record.key for record in records] == (["a", "b"] if end else ["a"])
    assert [failure.reason for failure in failures] == ["line 2: too large: 50 MB, an article may have 5 MB"]
    assert peak < 30_000_000


def test_memory_does_not_grow_with_the_articles(tmp_path: Path) -> None:
    """Ten times as many records take about the same memory when each is dropped after use."""
    peaks = []
    for number in (50, 500):
        path = _lines(
            tmp_path / "a.jsonl", *({"id": one, "text": "word " * 2000} for one in range(number))
        )  # 10 kB each
        tracemalloc.start()
        assert sum(isinstance(one, RawRecord) for one in load([path])) == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_000_000  # the texts of 450 more would be 4.5 MB


# --- Paths -----------------------------------------------------------------------------------------------------


def test_a_folder_is_read_whole_and_in_order(tmp_path: Path) -> None:
    """Folders are read to their depths, sorted, without hidden files, and other kinds are passed over."""
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("c.txt", "a.txt", "b/d.md", ".hidden.txt", "~$c.txt", ".git/e.txt", "f.xlsx", "README"):
        _write(tmp_path / name, STORY)
    records, failures = _split([tmp_path])
    assert [Path(record.path).relative_to(tmp_path).as_posix() for record in records] == ["a.txt", "b/d.md", "c.txt"]
    assert not failures


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """Named twice, linked, or reached through a linked folder: the first way counts."""
    (tmp_path / "a").mkdir()
    path = _write(tmp_path / "a" / "one.txt", STORY)
    (tmp_path / "b.txt").symlink_to(path)
    (tmp_path / "c").symlink_to(tmp_path / "a")
    (tmp_path / "d.txt").hardlink_to(path)
    records, failures = _split([tmp_path, path, tmp_path / "a" / ".." / "b.txt"])
    assert [record.path for record in records] == [str(path)]
    assert not failures


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    """A link is followed only within the named folders; others are failures, unless their target is not read anyway."""
    far, near = tmp_path / "far", tmp_path / "near"
    far.mkdir()
    (near / "inside").mkdir(parents=True)
    payroll = _write(far / "payroll.txt", STORY)
    (near / "file.txt").symlink_to("../far/payroll.txt")
    (near / "folder").symlink_to(far)
    (near / "LICENSE").symlink_to(_write(far / "LICENSE", STORY))  # not of a kind that is read
    (near / "nearer").symlink_to(near / "inside")
    story = _write(near / "inside" / "a.txt", STORY)
    records, failures = _split([near])
    assert [record.path for record in records] == [str(story)]
    assert [(Path(failure.path).name, failure.reason) for failure in failures] == [
        (name, f"points outside the folders that are indexed, to {target}: name that too to read it")
        for name, target in (("file.txt", payroll), ("folder", far))
    ]


def test_links_into_a_named_folder_are_followed(tmp_path: Path) -> None:
    """Named themselves, the targets are read, under the path where they were found; so is a root that is a link."""
    (tmp_path / "far").mkdir()
    (tmp_path / "near").mkdir()
    _write(tmp_path / "far" / "a.txt", STORY)
    (tmp_path / "near" / "link").symlink_to(tmp_path / "far")
    found = str(tmp_path / "near" / "link" / "a.txt")
    assert [record.path for record in _split([tmp_path / "near", tmp_path / "far"])[0]] == [found]
    assert [record.path for record in _split([tmp_path / "near" / "link"])[0]] == [found]


@pytest.mark.parametrize("relative", [False, True])
def test_a_path_that_is_too_long_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, relative: bool
) -> None:
    """A folder deeper than the system can name costs that folder only, and is named with its absolute path."""
    monkeypatch.chdir(tmp_path)
    Path("news").mkdir()
    for name in ("a.txt", "z.txt"):
        _write(tmp_path / "news" / name, STORY)
    os.chdir("news")
    for _ in range(17):
        Path("d" * 250).mkdir()
        os.chdir("d" * 250)
    os.chdir(tmp_path)
    records, failures = _split([Path("news") if relative else tmp_path / "news"])
    assert [Path(record.path).name for record in records] == ["a.txt", "z.txt"]
    (failure,) = failures
    assert failure.reason == "file name too long"
    assert failure.path.startswith(str(tmp_path / "news" / ("d" * 250)))


def test_loops_of_links_end(tmp_path: Path) -> None:
    """A link to a folder above is told once; two links at each other and a link to nothing are told too."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    (tmp_path / "p.txt").symlink_to(tmp_path / "q.txt")
    (tmp_path / "q.txt").symlink_to(tmp_path / "p.txt")
    (tmp_path / "r.txt").symlink_to(tmp_path / "nowhere.txt")
    _write(tmp_path / "z.txt", STORY)
    records, failures = _split([tmp_path])
    assert [record.path for record in records] == [str(tmp_path / "z.txt")]
    assert [(Path(failure.path).name, failure.reason) for failure in failures] == [
        ("up", "a loop of links: it leads back to a folder that it lies in"),
        ("p.txt", "a loop of links"),
        ("q.txt", "a loop of links"),
        ("r.txt", "a link to something that does not exist"),
    ]


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    """A pipe, a socket and a device are refused at once, by name and in a folder."""
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "device.txt").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as bound:
        before = Path.cwd()
        os.chdir(tmp_path)  # the path of a socket may have 108 characters only
        bound.bind("socket.txt")
        os.chdir(before)
    expected = "not a file but a pipe, a socket or a device"
    assert [failure.reason for failure in _split([tmp_path])[1]] == [expected] * 3
    assert _only_reason(Path("/dev/null")) == expected


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone.txt", "does not exist"),
        ("a.xlsx", f"not a kind that is read: .xlsx; {KINDS_READ} are"),
        ("README", f"not a kind that is read: README; {KINDS_READ} are"),
        ("a\x00b.txt", "not a path"),
        ("a" * 300 + ".txt", "file name too long"),
        ("file.txt/inner.txt", "not a directory"),
    ],
)
def test_a_name_that_cannot_be_read_gives_its_reason(tmp_path: Path, name: str, reason: str) -> None:
    """A file that the user named is never passed over in silence."""
    for present in ("a.xlsx", "README", "file.txt"):
        _write(tmp_path / present, STORY)
    assert _only_reason(tmp_path / name) == reason


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Run as a user without rights, where the tests run as root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_what_may_not_be_read_is_told_and_the_rest_is_read() -> None:
    """A file and a folder without permission are one failure each, and so is a link that cannot be looked at."""
    with tempfile.TemporaryDirectory() as name:  # tmp_path lies in a folder that nobody else may enter
        folder = Path(name)
        folder.chmod(0o755)
        for file in ("a.txt", "b.txt", "c.jsonl"):
            _write(folder / file, f'{{"id": "{file}", "text": "a"}}')
        (folder / "closed").mkdir()
        # Once with all rights: it can be read, and nobody has to load an encoding from where nobody may look.
        assert len(_split([folder])[0]) == 3
        for closed in ("a.txt", "c.jsonl", "closed"):
            (folder / closed).chmod(0o000)
        (folder / "half").mkdir()
        (folder / "half" / "link.txt").symlink_to("nowhere")
        (folder / "half").chmod(0o744)  # its names can be read, and nothing behind them
        with _as_nobody():
            records, failures = _split([folder])
            assert count([folder]) == 3
        (folder / "closed").chmod(0o755)
    assert [Path(record.path).name for record in records] == ["b.txt"]
    assert [Path(failure.path).name for failure in failures] == ["a.txt", "c.jsonl", "closed", "link.txt"]
    assert {failure.reason for failure in failures} == {"permission denied: this user may not read it"}


def test_names_cannot_break_a_report(tmp_path: Path) -> None:
    """New lines, control and direction characters in names are escaped in failures; records keep their path."""
    name = "a\nOK: all \x1b[2J\u202etxt.exe.txt"
    assert _only_record(_write(tmp_path / name, STORY)).path == str(tmp_path / name)
    _write(tmp_path / name, b"")
    (failure,) = _split([tmp_path])[1]
    assert failure.path == f"{tmp_path}/a\\nOK: all \\x1b[2J\\u202etxt.exe.txt"


def test_a_name_that_is_not_utf8_can_be_stored(tmp_path: Path) -> None:
    """Such a file is read, and its path has the odd bytes written out."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    assert _only_record(_write(path, STORY)).path == f"{tmp_path}/caf\\xe9.txt"
    _write(path, b"")
    assert _split([path])[1][0].path == f"{tmp_path}/caf\\xe9.txt"


# --- Counting --------------------------------------------------------------------------------------------------


def test_the_number_of_records_is_estimated(tmp_path: Path) -> None:
    """Files count one each, .jsonl by its lines, .json by its texts."""
    _write(tmp_path / "a.txt", STORY)
    _write(tmp_path / "b.jsonl", '{"text": "a"}\n' * 3)
    _write(tmp_path / "c.json", json.dumps([{"text": "a"}, {"text": "b"}]))
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
        found = list(load([_write(Path(name) / f"a{suffix}", data)]))
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
