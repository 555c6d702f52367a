"""Which files of the folders and names that a user gives are read: links, loops, pipes, rights, odd names."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from index.formats.registry import KINDS_READ
from index.load import count
from tests.loading import STORY, only_reason, only_record, split, write

NOBODY = 65534


def test_a_folder_is_read_whole_and_in_order(tmp_path: Path) -> None:
    """Folders are read to their depths, sorted, without hidden files, and other kinds are passed over."""
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("c.txt", "a.txt", "b/d.md", ".hidden.txt", "~$c.txt", ".git/e.txt", "f.xlsx", "README"):
        write(tmp_path / name, STORY)
    records, failures = split([tmp_path])
    assert [Path(record.path).relative_to(tmp_path).as_posix() for record in records] == ["a.txt", "b/d.md", "c.txt"]
    assert not failures


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """Named twice, linked, or reached through a linked folder: the first way counts."""
    (tmp_path / "a").mkdir()
    path = write(tmp_path / "a" / "one.txt", STORY)
    (tmp_path / "b.txt").symlink_to(path)
    (tmp_path / "c").symlink_to(tmp_path / "a")
    (tmp_path / "d.txt").hardlink_to(path)
    records, failures = split([tmp_path, path, tmp_path / "a" / ".." / "b.txt"])
    assert [record.path for record in records] == [str(path)]
    assert not failures


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    """A link is followed only within the named folders; others are failures, unless their target is not read anyway."""
    far, near = tmp_path / "far", tmp_path / "near"
    far.mkdir()
    (near / "inside").mkdir(parents=True)
    payroll = write(far / "payroll.txt", STORY)
    (near / "file.txt").symlink_to("../far/payroll.txt")
    (near / "folder").symlink_to(far)
    (near / "LICENSE").symlink_to(write(far / "LICENSE", STORY))  # not of a kind that is read
    (near / "nearer").symlink_to(near / "inside")
    story = write(near / "inside" / "a.txt", STORY)
    records, failures = split([near])
    assert [record.path for record in records] == [str(story)]
    assert [(Path(failure.path).name, failure.reason) for failure in failures] == [
        (name, f"points outside the folders that are indexed, to {target}: name that too to read it")
        for name, target in (("file.txt", payroll), ("folder", far))
    ]


def test_links_into_a_named_folder_are_followed(tmp_path: Path) -> None:
    """Named themselves, the targets are read, under the path where they were found; so is a root that is a link."""
    (tmp_path / "far").mkdir()
    (tmp_path / "near").mkdir()
    write(tmp_path / "far" / "a.txt", STORY)
    (tmp_path / "near" / "link").symlink_to(tmp_path / "far")
    found = str(tmp_path / "near" / "link" / "a.txt")
    assert [record.path for record in split([tmp_path / "near", tmp_path / "far"])[0]] == [found]
    assert [record.path for record in split([tmp_path / "near" / "link"])[0]] == [found]


@pytest.mark.parametrize("relative", [False, True])
def test_a_path_that_is_too_long_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, relative: bool
) -> None:
    """A folder deeper than the system can name costs that folder only, and is named with its absolute path."""
    monkeypatch.chdir(tmp_path)
    Path("news").mkdir()
    for name in ("a.txt", "z.txt"):
        write(tmp_path / "news" / name, STORY)
    os.chdir("news")
    for _ in range(17):
        Path("d" * 250).mkdir()
        os.chdir("d" * 250)
    os.chdir(tmp_path)
    records, failures = split([Path("news") if relative else tmp_path / "news"])
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
    write(tmp_path / "z.txt", STORY)
    records, failures = split([tmp_path])
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
    assert [failure.reason for failure in split([tmp_path])[1]] == [expected] * 3
    assert only_reason(Path("/dev/null")) == expected


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
        write(tmp_path / present, STORY)
    assert only_reason(tmp_path / name) == reason


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
            write(folder / file, f'{{"id": "{file}", "text": "a"}}')
        (folder / "closed").mkdir()
        # Once with all rights: it can be read, and nobody has to load an encoding from where nobody may look.
        assert len(split([folder])[0]) == 3
        for closed in ("a.txt", "c.jsonl", "closed"):
            (folder / closed).chmod(0o000)
        (folder / "half").mkdir()
        (folder / "half" / "link.txt").symlink_to("nowhere")
        (folder / "half").chmod(0o744)  # its names can be read, and nothing behind them
        with _as_nobody():
            records, failures = split([folder])
            assert count([folder]) == 3
        (folder / "closed").chmod(0o755)
    assert [Path(record.path).name for record in records] == ["b.txt"]
    assert [Path(failure.path).name for failure in failures] == ["a.txt", "c.jsonl", "closed", "link.txt"]
    assert {failure.reason for failure in failures} == {"permission denied: this user may not read it"}


def test_names_cannot_break_a_report(tmp_path: Path) -> None:
    """New lines, control and direction characters in names are escaped in failures; records keep their path."""
    name = "a\nOK: all \x1b[2J\u202etxt.exe.txt"
    assert only_record(write(tmp_path / name, STORY)).path == str(tmp_path / name)
    write(tmp_path / name, b"")
    (failure,) = split([tmp_path])[1]
    assert failure.path == f"{tmp_path}/a\\nOK: all \\x1b[2J\\u202etxt.exe.txt"


def test_a_name_that_is_not_utf8_can_be_stored(tmp_path: Path) -> None:
    """Such a file is read, and its path has the odd bytes written out."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    assert only_record(write(path, STORY)).path == f"{tmp_path}/caf\\xe9.txt"
    write(path, b"")
    assert split([path])[1][0].path == f"{tmp_path}/caf\\xe9.txt"
