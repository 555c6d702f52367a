"""The kinds of files: each gives the story, whatever it is called, and what is hostile costs itself only."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.cleaning.clean import clean
from index.formats import document, pdf
from index.formats.document import Document, Item, Skipped
from index.formats.fragment import fragment_text
from index.formats.registry import KINDS, kind_of, read
from index.load import load
from index.models import Failure, RawRecord
from index.worker import Worker
from tests import documents

ALL = documents.one_of_each()
BY_CONTENT = [name for name in ALL if not name.endswith((".txt", ".md", ".txt.gz"))]


def items(data: bytes, name: str = "a") -> list[Item | Skipped]:
    """What comes of a file."""
    return list(read(Document(f"/news/{name}", BytesIO(data))))


def reasons(data: bytes, name: str = "a") -> list[str]:
    """Why nothing comes of a file, or of its parts."""
    return [item.content for item in items(data, name) if isinstance(item, Item) and isinstance(item.content, str)]


def records(data: bytes, name: str = "a") -> list[RawRecord]:
    """What comes of a file of which nothing fails."""
    assert not reasons(data, name)
    return [item.content for item in items(data, name) if isinstance(item, Item) and not isinstance(item.content, str)]


@pytest.mark.parametrize("name", ALL)
def test_each_kind_gives_the_story(name: str) -> None:
    """Headline and text, paragraph by paragraph, without what stands beside them."""
    (record,) = records(ALL[name], name)
    article = clean(record)
    assert article.source.headline == documents.TITLE
    assert " ".join(documents.STORY) in " ".join(article.body.split())
    assert documents.TITLE not in article.body
    assert record.path.startswith(f"/news/{name}")


@pytest.mark.parametrize("name", ["a.epub", "a.eml", "a.csv", "a.rss", "a.atom", "a.nitf", "c.xml", "d.xml"])
def test_what_a_kind_says_of_the_story_is_kept(name: str) -> None:
    """Day and outlet, where it has a place for them."""
    source = clean(records(ALL[name], name)[0]).source
    assert (str(source.published), source.outlet) == ("2024-05-03", "The Arden Post")


@pytest.mark.parametrize("name", BY_CONTENT)
@pytest.mark.parametrize("other", ["a.txt", "a", "a.md"])
def test_content_decides_and_not_the_name(name: str, other: str) -> None:
    """A feed, mail or PDF under another name is what it is, and no junk article."""
    assert [clean(record).source.headline for record in records(ALL[name], other)] == [documents.TITLE]


def test_an_article_that_looks_a_little_like_something_else_is_text() -> None:
    """A story may begin with "From:" and "Date:", with a brace or a bracket, or be about PDF."""
    for text in (
        "From: Arden\nDate: Friday\n\nThe weir is gone.",
        "{sic} The weir is gone.",
        "[Ed.: The weir is gone.]",
        "Title, text, date: what a weir needs\n\nThe weir is gone, Arden says, again.",
        "Content, summary\nBoth are gone.",
        "Title, text",
        "title | text\n--- | ---\nWeir | It is gone.",
    ):
        assert [record.kind for record in records(text.encode(), "a.txt")] == ["text"]


def test_a_kind_that_is_not_read_is_counted_by_its_ending() -> None:
    """In a folder as in an archive."""
    for data in (b"\x89PNG", documents.zipped(("xl/workbook.xml", "<a/>")), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 Word"):
        assert items(data, "a.xlsx") == [Skipped(".xlsx")]
    packed = documents.zipped(("a.png", "x"), ("b.txt", documents.TEXT), (".hidden.txt", "x"), ("__MACOSX/b.txt", "x"))
    assert Counter(type(item) for item in items(packed, "a.zip")) == {Skipped: 1, Item: 1}


def test_what_is_attached_to_a_mail_is_read_too() -> None:
    """Under the path of the mail and its own name."""
    paths = [record.path for record in records(documents.mail(attached=documents.story_pdf()), "a.eml")]
    assert paths == ["/news/a.eml", "/news/a.eml/weir.pdf"]


def test_a_mailbox_is_a_mail_each() -> None:
    """A line of a mail that begins with "From" begins no other mail."""
    box = b"".join(
        b"From reader@example.org Fri May  3\n" + documents.mail() + b"\nFrom here on it rained.\n" for _ in range(3)
    )
    assert [record.path for record in records(box, "a.mbox")] == [
        f"/news/a.mbox/mail {number}.eml" for number in (1, 2, 3)
    ]


def test_a_line_of_a_mail_that_begins_with_from_is_read_as_it_was_written() -> None:
    """A mailbox puts a mark before it, once; in a mail that is a file of its own the mark is somebody's quote."""
    mail = documents.mail().rstrip() + b"\n\n>From June on the river is closed.\n\n>>From here on it rained.\n\n"
    for count in (1, 2):
        box = (b"From reader@example.org Fri May  3\n" + mail) * count
        for record in records(box, "a.mbox"):
            assert "\n\nFrom June" in record.text
            assert "\n\n>From here" in record.text
    assert "\n\n>From June" in records(mail, "a.eml")[0].text


def test_a_page_that_says_a_wrong_encoding_is_read() -> None:
    """It says UTF-8, and is in Windows' Western encoding."""
    page = documents.page().replace("<head>", '<head><meta charset="utf-8">').replace("mayor", "Bürgermeister Müller")
    assert "Bürgermeister Müller" in records(page.encode("cp1252"), "a.html")[0].text


@pytest.mark.parametrize("words", [("The post ", " appeared first on "), ("Der Beitrag ", " erschien zuerst auf ")])
def test_the_last_line_of_wordpress_feeds_goes(words: tuple[str, str]) -> None:
    """It names the post by its address, in any language; a last paragraph with other links stays."""
    for link, is_left in (("https://arden.example/weir", False), ("https://arden.example/pier", True)):
        last = f'<p>{words[0]}<a href="{link}">{documents.TITLE}</a>{words[1]}<a href="https://arden.example">Post</a>.</p>'
        body = clean(records(documents.rss(content=documents.PARAGRAPHS + last).encode())[0]).body
        assert body.startswith(documents.STORY[0])
        assert (words[1] in body) is is_left


def test_the_paper_that_a_story_stood_in_is_its_outlet() -> None:
    """Before the agency that sent it."""
    paper = documents.nitf().replace("</head>", '<pubdata name="The Arden Echo"/></head>')
    assert records(paper.encode())[0].fields["outlet"] == "The Arden Echo"


def test_a_story_that_kills_another_says_which() -> None:
    """NITF names it by its id; the message itself may be a story."""
    marks = 'management-idref-status="canceled" management-doc-idref="arden-pier"'
    story, killed = records(documents.nitf().replace("<docdata", f"<docdata {marks}").encode())
    assert (story.withdrawn, killed.key, killed.withdrawn) == (False, "arden-pier", True)


def test_an_entry_that_a_feed_takes_back_is_withdrawn() -> None:
    """By the id that it had."""
    (record,) = records(documents.atom().encode())
    space = 'xmlns:at="http://purl.org/atompub/tombstones/1.0"'
    gone = f'<at:deleted-entry {space} ref="urn:weir" when="2024-05-04T00:00:00Z"/>'
    feed = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>The Arden Post</title>{gone}</feed>"
    (withdrawn,) = records(feed.encode())
    assert (withdrawn.key, withdrawn.withdrawn) == (record.key, True)
    assert withdrawn.revision > record.revision


def test_drafts_and_pictures_of_a_wordpress_export_are_no_articles() -> None:
    """Only what was published."""
    assert [record.fields["url"] for record in records(documents.wordpress().encode())] == [
        "https://arden.example/post-publish"
    ]


def test_what_holds_no_article_says_so() -> None:
    """Nothing is passed over in silence."""
    hidden = documents.zipped((".hidden", "x"))
    drafts = documents.wordpress().replace("<wp:status>publish", "<wp:status>draft").encode()
    for data, name in ((hidden, "a.zip"), (drafts, "a.xml")):
        assert reasons(data, name) == ["no articles in it"]


def test_a_library_that_is_not_installed_is_named() -> None:
    """With the command that installs it."""
    assert reasons(b"PAR1 x", "a.parquet") == ["to read it, install a library: pip install 'clippings[parquet]'"]


def test_no_two_kinds_have_an_ending_in_common() -> None:
    """The table of kinds is one of endings, too."""
    endings = [ending for kind in KINDS for ending in kind.endings]
    assert len(endings) == len(set(endings))


# --- The news trade --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [documents.nitf, documents.newsml, documents.newsml_1])
def test_a_story_of_the_trade_has_its_edition(make: Callable[..., str]) -> None:
    """The version, a note on a correction, an embargo and a kill are read."""
    (record,) = records(make(version=2, note="Corrects the vote.").encode())
    assert record.revision > records(make(version=1).encode())[0].revision
    assert record.key
    assert record.fields["correction"] == "Corrects the vote."
    assert (record.withdrawn, record.embargo) == (False, None)
    assert records(make(version=3, status="canceled").encode())[0].withdrawn
    if make is documents.newsml_1:
        return
    embargo = {"release": "20990101T000000Z"} if make is documents.nitf else {"embargo": "2099-01-01T00:00:00+00:00"}
    assert str(records(make(**embargo).encode())[0].embargo) == "2099-01-01 00:00:00+00:00"


@pytest.mark.parametrize(
    ("make", "usable", "embargoed"),
    [
        (documents.nitf, '"usable"', '"embargoed"'),
        (documents.newsml, "<pubStatus", "<embargoed/><pubStatus"),
        (documents.newsml, "<pubStatus", "<embargoed>until further notice</embargoed><pubStatus"),
        (documents.newsml_1, '"Usable"', '"Embargoed"'),
    ],
)
def test_an_embargo_whose_end_is_not_stated_has_none(make: Callable[..., str], usable: str, embargoed: str) -> None:
    """It is an embargo all the same."""
    (record,) = records(make().replace(usable, embargoed).encode())
    assert record.embargo is not None
    assert record.embargo.year == 9999


def test_an_embargo_of_nitf_ends_with_its_release() -> None:
    """Whatever its status says afterwards."""
    (record,) = records(documents.nitf(status="embargoed", release="20240503T100000Z").encode())
    assert str(record.embargo) == "2024-05-03 10:00:00+00:00"


# --- Hostile files ---------------------------------------------------------------------------------------------


def test_a_bomb_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes before it is read, and what comes after is left out, in whatever depth."""
    monkeypatch.setattr(document.Budget, "__init__", lambda budget: setattr(budget, "left", 1_000_000))
    bomb = documents.zipped(("a.txt", documents.TEXT), ("b.txt", b"0" * 2_000_000), ("c.txt", documents.TEXT))
    for packed in (bomb, documents.zipped(("bomb.zip", bomb)), gzip.compress(bomb)):
        found = items(packed, "a.zip")
        assert [item.content for item in found if isinstance(item, Item) and isinstance(item.content, str)] == [
            "unpacks to more than 2 GB: what follows was left out"
        ]
        assert len(found) == 2  # with the first story


def test_a_document_that_says_it_is_huge_is_not_unpacked() -> None:
    """A .docx is a zip, and so can be a bomb."""
    huge = documents.zipped(("word/document.xml", b" " * (document.MAX_FILE_BYTES + 1)))
    assert reasons(huge, "a.docx") == ["too large: 100.1 MB, an unpacked document may have 100 MB"]


def test_archives_in_archives_end() -> None:
    """A zip that holds itself would go on for ever."""
    packed = documents.TEXT.encode()
    for depth in range(document.MAX_DEPTH + 1):
        packed = documents.zipped((f"{depth}.zip" if depth else "a.txt", packed))
    assert reasons(packed, "a.zip") == ["archives in archives, more than 4 deep"]


def test_no_member_of_an_archive_leads_out_of_it() -> None:
    """Nothing is written by its name, and its path lies inside the archive."""
    names = ["../../etc/a.txt", "/etc/b.txt", "..\\..\\c.txt", "./d.txt"]
    packed = documents.zipped(*((name, documents.TEXT) for name in names))
    assert [record.path for record in records(packed, "a.zip")] == [
        "/news/a.zip/etc/a.txt", "/news/a.zip/etc/b.txt", "/news/a.zip/c.txt", "/news/a.zip/d.txt",
    ]  # fmt: skip


def test_two_members_of_one_name_are_not_one_article() -> None:
    """The second is a failure."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        packed = documents.zipped(("a.txt", documents.TEXT), ("a.txt", "Another."))
    assert reasons(packed, "a.zip") == ["a second member of this name: left out"]


def test_entities_are_not_resolved() -> None:
    """Neither a bomb of entities nor a file of this machine comes out of XML."""
    bomb = "".join(f'<!ENTITY e{number} "{f"&e{number - 1};" * 10 if number else "boom"}">' for number in range(9))
    for entities, name in ((bomb, "e8"), ('<!ENTITY f SYSTEM "file:///etc/passwd">', "f")):
        hostile = documents.nitf().replace("<nitf>", f"<!DOCTYPE nitf [{entities}]><nitf>").replace("12", f"&{name};")
        feed = documents.rss().replace("<rss", f"<!DOCTYPE rss [{entities}]><rss").replace("Arden Post", f"&{name};")
        for data in (hostile, feed):
            assert reasons(data.encode(), "a.xml") == [
                "the XML defines entities of its own, which may be a bomb: it is not read"
            ]
        epub = documents.zipped(("mimetype", "application/epub+zip"), ("META-INF/container.xml", hostile))
        odt = documents.zipped(("content.xml", hostile))
        for packed, kind in ((epub, "a.epub"), (odt, "a.odt")):
            for item in items(packed, kind):
                assert "root:" not in str(item)
                assert len(str(item)) < 5_000  # the story has 400 characters


def test_deep_html_is_read_or_refused() -> None:
    """100,000 elements inside each other end no process."""
    deep = f"<!doctype html><html><body>{'<div>' * 100_000}{documents.PARAGRAPHS}</body></html>"
    assert len(records(deep.encode(), "a.html")) == 1
    assert isinstance(fragment_text(deep)[0], str)


def test_a_pdf_of_a_million_pages_is_refused() -> None:
    """A small file can have them."""
    assert reasons(documents.pdf("Weir", pages=pdf.MAX_PAGES + 1), "a.pdf") == [
        "too large: 2,001 pages, a PDF may have 2,000"
    ]


def test_the_largest_letters_are_the_headline() -> None:
    """Not the header of the page, nor the name that a program gave the file."""
    lines = [*documents.STORY, "The Arden Post 3 May 2024"]
    shown = documents.pdf(*lines).replace(
        b"/F1 11 Tf", b"/F1 11 Tf (Arden Post) Tj T* /F1 24 Tf (Weir to be rebuilt) Tj T* /F1 11 Tf"
    )
    (record,) = records(shown, "a.pdf")
    assert clean(record).source.headline == documents.TITLE


def test_a_day_in_the_header_is_an_uncertain_one() -> None:
    """It may be the day on which the page was printed."""
    (record,) = records(documents.pdf("Arden Post, 3 May 2024", "-", *documents.STORY, "-", "1", pages=2), "a.pdf")
    source = clean(record).source
    assert (str(source.published), source.published_certain) == ("2024-05-03", False)


def test_what_stands_at_the_edge_of_the_pages_is_no_part_of_the_article() -> None:
    """Headers, footers and page numbers."""
    (record,) = records(documents.pdf("Arden Post, page 7", "middle", *documents.STORY, "middle", "The end.", pages=1))
    assert "Arden Post" in record.text
    (record,) = records(documents.pdf("Arden Post", "Since 1901", *documents.STORY, "arden.example", "7", pages=3))
    assert not any(edge in record.text for edge in ("Arden Post", "1901", "arden.example", "7 The"))


@pytest.mark.parametrize("name", [name for name in ALL if not name.endswith((".txt", ".md", ".csv", ".tsv"))])
def test_a_damaged_file_costs_itself_only(name: str) -> None:
    """Cut off in the middle or with bytes flipped, it gives a reason, or what could still be read."""
    data = ALL[name]
    for damaged in (data[: len(data) // 2], data[: len(data) // 3] + b"\0\xff\0" * 50 + data[len(data) // 3 + 150 :]):
        for item in items(damaged, name):
            assert not isinstance(item, Item) or item.content


def spoilt(name: str, old: str, new: str) -> bytes:
    """A file with a part replaced."""
    data = ALL[name]
    assert old.encode() in data
    return data.replace(old.encode(), new.encode(), 1)


def test_what_fuzzing_found_costs_no_article() -> None:
    """132,145 files (2026-11-27): each of these was a failure with the name of an exception, of the whole file."""
    files = {
        "a.rss": spoilt("a.rss", "<title>", "<title>&#x110000;&#xD800;&#99999999999;&#0;&#12abc;"),
        "a.eml": spoilt("a.eml", "Date: ", "Date: Fri, 3 May 2024 10:00:00 +99999999999999999999\nX-Date: "),
        "c.xml": spoilt("c.xml", "<p>", "<p1:0:0>x</p1:0:0><p>"),
    }
    for name, data in files.items():
        records = [item.content for item in items(data, name) if isinstance(item, Item)]
        assert any(isinstance(record, RawRecord) and documents.STORY[0] in clean(record).body for record in records), (
            name
        )
    assert not any(
        "cannot be read as" in reason for reason in reasons(spoilt("b.xml", "type>", "type a='1'>"), "b.xml")
    )


def test_a_word_document_with_a_damaged_part_is_named() -> None:
    """Whatever the library raises."""
    data = bytearray(ALL["a.docx"])
    for place in range(60, len(data) // 2, 7):
        data[place] ^= 0x55
        assert not any("cannot be read as" in reason for reason in reasons(bytes(data), "a.docx"))


@given(st.sampled_from(sorted(ALL)), st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), max_size=30))
def test_no_flipped_byte_raises(name: str, flips: list[tuple[int, int]]) -> None:
    """Whatever is wrong is a reason."""
    data = bytearray(ALL[name])
    for place, value in flips:
        data[place % len(data)] = value
    for item in items(bytes(data), name):
        assert isinstance(item, Item | Skipped)


@given(
    st.binary(max_size=300),
    st.sampled_from(["", *(mark for mark in ("%PDF-", "PK\3\4", "{\\rtf", "<rss", "\x1f\x8b"))]),
)
def test_no_file_raises(data: bytes, mark: str) -> None:
    """Nor do any bytes after the mark of a kind."""
    for item in items(mark.encode("latin-1") + data, "a"):
        assert isinstance(item, Item | Skipped)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_a_kind_is_known_from_any_bytes(head: bytes, name: str) -> None:
    """Or none is."""
    kind = kind_of(name, head)
    assert kind is None or kind in KINDS


@pytest.mark.process
def test_a_folder_with_one_of_each_is_read_and_the_rest_is_counted(tmp_path: Path) -> None:
    """A file that crashes or stops its process costs itself only."""
    for name, data in ALL.items():
        (tmp_path / f"{name.replace('.', '-', 1)}.{name.partition('.')[2]}").write_bytes(data)
    (tmp_path / "z.pdf").write_bytes(b"%PDF-1.4 nothing")
    (tmp_path / "z.xlsx").write_bytes(b"PK")
    skipped = Counter[str]()
    found = list(load([tmp_path], skipped))
    failures = [item for item in found if isinstance(item, Failure)]
    assert (
        [(Path(failure.path).name, failure.reason) for failure in failures]
        == [
            ("z.pdf", "the PDF is damaged, or is none"),
            # The same story under one address, or one id, in several files.
        ]
        or all("duplicate id" in failure.reason for failure in failures[:-1])
    )
    assert skipped == {".xlsx": 1}


@pytest.mark.process
def test_a_file_that_is_not_what_its_name_says_is_named_as_what_it_should_be(tmp_path: Path) -> None:
    """A document that cannot be read names its kind; a picture that is text is a failure, and no picture."""
    (tmp_path / "a.docx").write_bytes(ALL["a.docx"][:200])
    (tmp_path / "b.odt").write_bytes(b"none")
    (tmp_path / "c.epub").write_bytes(b"none")
    (tmp_path / "d.png").write_text("The harbour of Norvik was closed.")
    (tmp_path / "e_files").mkdir()
    (tmp_path / "e_files" / "e.png").write_text("<svg/>")
    reasons = [item.reason for item in load([tmp_path]) if isinstance(item, Failure)]
    ends = " that can be read: it is damaged, cut off, or something else"
    assert reasons == [
        *(f"not a {kind}{ends}" for kind in ("Word document", "OpenDocument text", "book (EPUB)")),
        "not a picture, but text: name it as what it holds (.txt, .html …) to have it read",
    ]


def _sleep_or_fill(task: str) -> list[str]:
    import time

    if task == "fill":
        return [str(len(bytearray(100_000_000_000)))]
    if task == "sleep":
        time.sleep(60)
    return [task]


@pytest.mark.process
def test_a_worker_is_held_to_its_limits() -> None:
    """Too much memory and too much time are reasons; the next work is done."""
    worker = Worker(_sleep_or_fill, 3)
    try:
        for task, reason in (("fill", "needs more than 4 GB of memory"), ("sleep", "took longer than 3 seconds")):
            with pytest.raises(Exception, match=reason):
                list(worker.results(task))
            assert list(worker.results("work")) == ["work"]
    finally:
        worker.close()
