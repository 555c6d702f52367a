"""Raw records become articles: what is boilerplate, what is kept to the letter, and what is read beside the text."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from index.cleaning.clean import DEFAULT_OUTLET, article_id, clean, readable
from index.cleaning.split_body import merge_split_body
from index.models import Article, RawRecord, UnreadableError

FIRST = "The harbour of Norvik was closed on Monday after a ship lost its anchor chain, the port authority said."
SECOND = "Nobody was hurt, and two tugs held the ship in place until divers had found the chain."


def cleaned(text: str, kind: str = "text", **fields: object) -> Article:
    """Clean a file of this kind with this text."""
    return clean(RawRecord("/news/page.txt", "", text, kind, fields))


@pytest.mark.parametrize("text", ["", " \n\t ", "\x00\ufeff\u202e", "— * —"])
@pytest.mark.parametrize("kind", ["text", "markdown", "html", "record"])
def test_nothing_to_read_is_an_error(text: str, kind: str) -> None:
    """A record without a letter or a digit is unreadable, and the reason says that there is no text."""
    with pytest.raises(UnreadableError, match="no text"):
        cleaned(text, kind)


# --- The body --------------------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [FIRST, SECOND, "By Ann Lee", "PHOTO: Ann Lee", "Harbour closed", "ALSO READ: x y", "(Reporting by Ann Lee)", "— x"]
)
_TEXTS = st.lists(st.one_of(_PIECES, st.text(max_size=40)), max_size=12).flatmap(
    lambda parts: st.lists(st.sampled_from(["\n", "\n\n", " ", "\r\n"]), min_size=len(parts), max_size=len(parts)).map(
        lambda gaps: "".join(part + gap for part, gap in zip(parts, gaps, strict=True))
    )
)


@given(_TEXTS, st.sampled_from(["text", "record"]))
def test_paragraphs_of_the_body_stand_in_the_text_to_the_letter_and_in_order(text: str, kind: str) -> None:
    """Cleaning changes no letter of what it keeps, and raises nothing but UnreadableError."""
    try:
        article = cleaned(text, kind)
    except UnreadableError:
        assert not any(character.isalnum() for character in readable(text))
        return
    rest = readable(text)
    for paragraph in article.body.split("\n\n"):
        assert paragraph in rest
        rest = rest[rest.index(paragraph) + len(paragraph) :]
    assert article.source.headline
    assert "\n" not in article.source.headline


@given(_TEXTS)
def test_cleaning_a_body_again_changes_nothing(text: str) -> None:
    """A body holds no boilerplate, as far as cleaning sees it."""
    try:
        article = cleaned(text, "record")
    except UnreadableError:
        return
    assert cleaned(article.body, "record").body == article.body


@given(st.text(max_size=300), st.sampled_from(["markdown", "html"]))
def test_any_text_is_cleaned_or_refused(text: str, kind: str) -> None:
    """Nothing that stands in a file raises anything but UnreadableError."""
    try:
        body = cleaned(text, kind).body
    except UnreadableError:
        return
    assert any(character.isalnum() for character in body)


def test_what_nobody_sees_is_removed() -> None:
    """Control and direction marks, zero widths and halves of characters go; line ends become one kind."""
    text = "\ufeffOne\x00 two\u202e three\u200b fo\u00adur\ud800.\r\nFive\tsix."
    assert cleaned(text, "record").body == "One two three four.\nFive\tsix."


@pytest.mark.parametrize("kind", ["text", "markdown", "html", "record"])
def test_an_accent_is_part_of_its_letter(kind: str) -> None:
    """Body, headline, byline and outlet are in Unicode's composed form, however the file writes them."""
    name = "Zoe\u0308 Bu\u0308rgi"
    article = cleaned(f"{FIRST} {name} paid.", kind, title=f"{name} pays", byline=name, outlet=f"{name} News")
    assert article.body == f"{FIRST} Zoë Bürgi paid."
    source = article.source
    assert (source.headline, source.byline, source.outlet) == ("Zoë Bürgi pays", "Zoë Bürgi", "Zoë Bürgi News")


@given(st.text(st.sampled_from("aeé\u0301\u0308\u200b .²³1")))
def test_readable_text_stays_readable(text: str) -> None:
    """Once composed and without marks, nothing more is taken."""
    assert readable(readable(text)) == readable(text)


def test_footnote_marks_go_in_every_kind_of_file() -> None:
    """In HTML and Markdown elements, in Markdown's own form, and raised digits after a word."""
    page = f"<p>The toll is 14<sup>2</sup> euros for 3 km<sup>2</sup>. {FIRST}</p>"
    assert cleaned(page, "html").body == f"The toll is 14 euros for 3 km². {FIRST}"
    page = "The toll[^1] is 14[^b] euros<sup>2</sup>.\n\n[^1]: Note A\n\n[^b]: See B."
    assert cleaned(page, "markdown").body == "The toll is 14 euros.\n\nNote A\n\nSee B."
    assert cleaned(f"{FIRST} It was said² at the port.³").body == f"{FIRST} It was said at the port."


def test_hard_wrapped_lines_stay_as_they_are() -> None:
    """A single line end inside a paragraph is part of the body."""
    assert (
        cleaned("A ship that lost its\nanchor was held by\ntwo tugs.").body
        == "A ship that lost its\nanchor was held by\ntwo tugs."
    )


def test_the_dash_that_a_lost_dateline_left_is_trimmed() -> None:
    """A body does not begin with a dash; a dateline in front of one stays."""
    assert cleaned(f"\u00a0\u2013\u00a0{FIRST}").body == FIRST
    assert cleaned(f"NORVIK \u2014 {FIRST}").body == f"NORVIK \u2014 {FIRST}"


def test_clean_prose_is_unchanged(shared_data: Path) -> None:
    """Encyclopedia text comes out as it went in."""
    for name in ("clapnq", "squad2"):
        for line in (shared_data / name / "articles.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            raw = RawRecord("/a.jsonl", record["id"], record["text"], "record", {"title": record["title"]})
            assert clean(raw).body == readable(record["text"]).strip()


# --- The headline ----------------------------------------------------------------------------------------------


def test_a_line_above_the_story_is_its_headline_and_no_part_of_the_body() -> None:
    """The first line without a full stop is the headline; so is the one that stands twice."""
    for page in (
        f"Harbour of Norvik closed\n\n{FIRST}",
        f"Harbour of Norvik closed\nBy Ann Lee\n25 January 2024\n\n{FIRST}",
        f"Award Banner\n\nHarbour of Norvik closed\n\nHarbour of Norvik closed\n{FIRST}",
        f"Home\nNews\n\nHarbour of Norvik closed\n\n{FIRST}",
        f"Harbour of Norvik closed\n{FIRST}\n{SECOND}",
    ):
        article = cleaned(page)
        assert article.source.headline == "Harbour of Norvik closed"
        assert article.body.startswith(FIRST)


def test_a_wrapped_first_line_is_no_headline() -> None:
    """A line that its paragraph goes on from stays in the body."""
    text = (
        "A ship that lost its anchor in the night was held\nby two tugs until divers had found its chain.\nAll is well."
    )
    assert cleaned(text).body == text


@pytest.mark.parametrize(
    "headline", ["EXCLUSIVE: Minister to go", "Harbour of Norvik closed ...", "Who broke the chain of the ship?"]
)
def test_a_headline_may_have_a_label_or_be_cut_off_or_ask(headline: str) -> None:
    """On top of the page a line that would be a link or a sentence further down is the headline."""
    article = cleaned(f"{headline}\n\n{FIRST}\n\n{SECOND}")
    assert (article.source.headline, article.body) == (headline, f"{FIRST}\n\n{SECOND}")


def test_a_name_above_the_story_is_no_headline() -> None:
    """Two or three capitalised words may be who wrote it: they stay where they are."""
    assert cleaned(f"Ann Lee\n\n{FIRST}").body.startswith("Ann Lee")
    assert cleaned(f"Harbour closed\n\n{FIRST}").source.headline == "Harbour closed"


def test_the_first_sentence_stands_in_for_a_headline() -> None:
    """Without a headline the first sentence is shown, cut at a word; it stays in the body."""
    article = cleaned(f"{SECOND} {FIRST}")
    assert article.source.headline == SECOND
    assert article.body.startswith(SECOND)
    long = cleaned("word " * 200)
    assert long.source.headline.endswith("word…")
    assert len(long.source.headline) <= 121


def test_a_headline_of_the_record_goes_where_the_text_repeats_it() -> None:
    """The headline as a line is no evidence, also where the outlet was put behind it or its end was cut off."""
    line = "Harbour of Norvik closed by a broken chain"
    for title in (line, f"{line} | Example", "Harbour of Norvik closed …"):
        article = cleaned(f"{line}\n\n{FIRST}", "record", title=title)
        assert article.body == FIRST
        assert article.source.headline == title


def test_a_sentence_that_is_also_the_headline_stays() -> None:
    """With its full stop it is a sentence, and may be the only one that says so."""
    assert cleaned(f"{SECOND}\n\n{FIRST}", "record", title=SECOND).body.startswith(SECOND)


# --- What is read beside the text ------------------------------------------------------------------------------


def test_a_byline_is_read_at_the_top_or_the_end_only() -> None:
    """A line "By Ann Lee" above the story is the byline, or below it; between its paragraphs it is part of the text."""
    assert cleaned(f"By Ann Lee and Bo van Ek\n\n{FIRST}").source.byline == "Ann Lee and Bo van Ek"
    between = cleaned(f"{FIRST}\n\n{SECOND}\n\nBy Ann Lee\n\n{SECOND[:60]}.")
    assert between.source.byline is None
    assert "By Ann Lee" in between.body


def test_the_fields_of_a_record_are_taken() -> None:
    """Headline, outlet, byline, date, address and language come from the record where it has them."""
    source = cleaned(
        FIRST, "record", title=" Harbour\nclosed ", source={"id": None, "name": "The Example"},
        authors=["Ann Lee", "Bo Ek"], date="2024-01-25T10:00:00Z", url="https://www.example.com/a", language="en-GB",
    ).source  # fmt: skip
    assert (source.headline, source.outlet, source.byline) == ("Harbour closed", "The Example", "Ann Lee, Bo Ek")
    assert (source.published, source.published_from, source.published_certain) == (date(2024, 1, 25), "metadata", True)
    assert (source.url, source.language) == ("https://www.example.com/a", "en")


@pytest.mark.parametrize(
    "bad", [5, True, None, [], ["x", 7], {}, {"name": 3}, "", " ", "\x00", float("nan"), "x" * 10**6]
)
def test_fields_that_make_no_sense_are_passed_over(bad: object) -> None:
    """Metadata of any type and length neither break an article nor reach it whole."""
    names = ("title", "headline", "outlet", "source", "byline", "author", "date", "published", "url", "language")
    source = cleaned(f"{FIRST} {SECOND}", "record", **dict.fromkeys(names, bad)).source
    assert source.headline
    assert len(source.headline) <= 300
    assert len(source.outlet or "") <= 200
    assert (source.published, source.url) == (None, None)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://example.com/a",
        "example.com/a",
        "https://",
        "http://[",
        "https://a b.com",
        "https://a.com/<b>",
    ],
)
def test_an_address_that_is_not_of_the_web_is_none(url: str) -> None:
    """Only http and https addresses with a host become links."""
    assert cleaned(FIRST, "record", url=url).source.url is None


@pytest.mark.parametrize(
    ("credit", "fields", "outlet"),
    [
        ("Northern Wire", {}, "Northern Wire"),
        ("Reuters", {}, "Reuters"),
        ("Linden County", {}, None),
        ("Northern Wire", {"outlet": "Gazette"}, "Gazette"),
        ("Northern Wire", {"url": "https://gazette.example/a"}, "gazette.example"),
        ("Reuters", {DEFAULT_OUTLET: "Gazette"}, "Gazette"),
    ],
)
def test_a_dateline_names_an_outlet_if_nothing_else_does(
    credit: str, fields: dict[str, object], outlet: str | None
) -> None:
    """In brackets behind the day, and only what can hardly be a person or a place."""
    text = f"LINDEN, 12 January 2026 ({credit}) \u2013 {FIRST}"
    assert cleaned(text, "record", **fields).source.outlet == outlet


def test_the_outlet_is_the_host_where_nothing_names_it() -> None:
    """An address without an outlet beside it gives the host, without its www."""
    assert cleaned(FIRST, "record", url="https://www.example.com/a").source.outlet == "example.com"
    assert cleaned(FIRST).source.outlet is None


def test_the_language_is_guessed_from_enough_text() -> None:
    """A text of some sentences gets a language, a line does not."""
    german = "Der Hafen von Norvik wurde am Montag geschlossen, weil ein Schiff seine Ankerkette verloren hatte. " * 3
    assert cleaned(german).source.language == "de"
    assert cleaned(FIRST * 3).source.language == "en"
    assert cleaned("Guten Morgen.").source.language is None


def test_an_article_id_is_the_key_or_is_made_of_the_path() -> None:
    """A record keeps its key to the letter; a file gets its name and a hash that tells it from others of that name."""
    assert article_id(RawRecord("/a.jsonl", " K/1 ", "", "record")) == " K/1 "
    here, there = (article_id(RawRecord(f"/{folder}/Kerman  Attack!.txt", "", "", "text")) for folder in "ab")
    assert here.startswith("kerman-attack-")
    assert here != there
    assert here == article_id(RawRecord("/a/Kerman  Attack!.txt", "", "other", "text"))
    assert article_id(RawRecord("/a/\udce9\u202e.txt", "", "", "text")).startswith("article-")


# --- Markdown and HTML -----------------------------------------------------------------------------------------


def test_markdown_becomes_the_text_as_it_reads() -> None:
    """Links, emphasis and lists lose their marks; the first heading is the headline."""
    page = (
        "# Harbour closed\n\nThe **port** of [Norvik](https://example.com) was _closed_ at `6`.\n\n"
        "## Why\n\n- Its chain\n  broke.\n\n> So it goes.\n\n![A tug](tug.jpg)"
    )
    article = cleaned(page, "markdown")
    assert article.source.headline == "Harbour closed"
    assert article.body == "The port of Norvik was closed at 6.\n\nWhy\n\nIts chain\nbroke.\n\nSo it goes."


def test_front_matter_goes_before_the_heading() -> None:
    """What stands on top of the file is taken as it is, and its date is said to come from there."""
    source = cleaned(f"# Other\n\n{FIRST}", "markdown", title="Harbour closed", date=date(2023, 11, 4)).source
    assert (source.headline, source.published, source.published_from) == (
        "Harbour closed",
        date(2023, 11, 4),
        "front matter",
    )


_PAGE = f"""<!doctype html><html><head><title>Harbour closed | The Example</title>
<meta property="og:site_name" content="The Example"><meta name="author" content="Ann Lee">
<meta property="article:published_time" content="2024-03-02T22:15:00-05:00">
<link rel="canonical" href="https://www.example.com/news/harbour"></head>
<body><nav><a href="/">Home</a> <a href="/n">News</a></nav>
<div class="cookie-banner">We use cookies. <button>Accept</button></div>
<article><h1>Harbour closed</h1><figure><img src="a.jpg"><figcaption>A tug. Photo: Ann Lee</figcaption></figure>
<p>{FIRST} It&#8217;s the <a href="/x">third</a> time this year that a chain has broken there.</p>
<p>ALSO READ: Harbour dues to rise</p>
<p>{SECOND}</p></article><aside><h3>Related stories</h3><ul><li><a href="/b">Why do chains break?</a></li></ul></aside>
<footer>© 2024 The Example. All rights reserved.</footer></body></html>"""


def test_an_html_page_gives_its_article_and_what_it_says_of_itself() -> None:
    """Navigation, notices and links stay outside; headline, outlet, byline, date and address come from the page."""
    article = cleaned(_PAGE, "html")
    assert article.body == f"{FIRST} It’s the third time this year that a chain has broken there.\n\n{SECOND}"
    source = article.source
    assert (source.headline, source.outlet, source.byline) == ("Harbour closed", "The Example", "Ann Lee")
    assert (source.published, source.url) == (date(2024, 3, 2), "https://www.example.com/news/harbour")


def test_what_a_page_holds_beside_its_article_is_kept_apart() -> None:
    """Captions, menus, asides and the foot of the page, shortened, without scripts; nothing that is in the body."""
    page = _PAGE.replace("<nav>", f"<nav><script>x()</script>{'Weather ' * 90}").replace(
        "</article>", f"<aside>{SECOND}</aside><aside> </aside></article>"
    )
    kept = [
        (kind, text) for kind, text in cleaned(page, "html").boilerplate if kind not in {"headline", "date", "byline"}
    ]
    assert kept[1:] == [
        ("navigation", ("Weather " * 90)[:300]),
        ("caption", "A tug. Photo: Ann Lee"),
        ("related", "Related stories Why do chains break?"),
        ("notice", "© 2024 The Example. All rights reserved."),
    ]
    assert len(cleaned(_PAGE.replace("<nav>", "<nav>x</nav>" * 50 + "<nav>"), "html").boilerplate) < 30


def test_a_part_of_a_page_is_read_too() -> None:
    """HTML without a head, and even without tags, gives its text."""
    assert cleaned(f"<p>{FIRST}</p><p>{SECOND}</p>", "html").body == f"{FIRST}\n\n{SECOND}"
    assert cleaned(FIRST, "html").body == FIRST


# --- The seeds -------------------------------------------------------------------------------------------------


def test_the_seeds_lose_their_boilerplate_and_no_sentence(seeds: Path) -> None:
    """Of each story as it came from the web, every paragraph that is not boilerplate remains, and nothing else."""
    first, second = (
        clean(RawRecord(str(path), "", path.read_text(encoding="utf-8"), "text"))
        for path in sorted(seeds.glob("*.txt"))
    )
    assert [piece.kind for piece in first.boilerplate] == ["caption", "byline", "related", "credit", "related"]
    assert [piece.kind for piece in second.boilerplate] == [
        "advertisement", "advertisement", "headline", "headline", "caption", "photo credit", "related", "notice",
    ]  # fmt: skip
    assert [len(article.body.split("\n\n")) for article in (first, second)] == [8, 11]
    assert first.source.headline.endswith("…")
    assert first.source.byline
    assert first.source.published is None
    assert second.source.headline in {piece.text for piece in second.boilerplate}
    assert (second.source.published, second.source.published_from) == (date(2024, 1, 25), "text")
    assert not second.source.published_certain


def test_a_body_in_several_containers_of_a_class_is_taken_whole() -> None:
    """Not so a box of the same class that is short, or stands among comments."""
    first, second = (
        "".join(f"<p>{word} {FIRST} {SECOND}</p>" for word in words.split())
        for words in ("Once Then So", "Later Last But")
    )
    page = "<html><body><div><div class='text'>{}</div></div><div{}><div class='text'>{}</div></div></body></html>"
    tree = html.document_fromstring(page.format(first, "", second))
    assert merge_split_body(tree, f"Once {FIRST} {SECOND} Then {FIRST} {SECOND}")
    assert [len(box) for box in tree.xpath("//div[@class='text']")] == [6, 0]
    for beside in (page.format(first, " class='comments'", second), page.format(first * 5, "", f"<p>{SECOND * 5}</p>")):
        assert not merge_split_body(html.document_fromstring(beside), f"Once {FIRST} {SECOND} Then {FIRST} {SECOND}")
    assert not merge_split_body(tree, "something else")


def test_the_list_of_a_folder_on_a_web_server_is_no_article() -> None:
    """A failure with that name."""
    links = "".join(f'<a href="{name}.html">{name}.html</a> 2024-01-01 10:00 1.2K\n' for name in ("a", "b", "c"))
    page = (
        f"<html><head><title>Index of /news</title></head><body><h1>Index of /news</h1><pre>{links}</pre></body></html>"
    )
    with pytest.raises(UnreadableError, match="a list of the files in a folder"):
        clean(RawRecord("/x/index.html", "", page, "html"))


WORDS = "The storm over the town of Arden reached the bridge at the old mill on the river"


def test_the_posts_of_a_live_blog_have_their_times() -> None:
    """A line above the headline or the text of each; what is no time, or not in the article, is left alone."""
    posts = [
        {"headline": "Bridge shut &amp; tide rising", "datePublished": "2024-08-05T21:00:18.921+01:00"},
        {"articleBody": f"In the evening {WORDS}, the mayor said.\n<b>", "datePublished": "2024-08-05T20:42:30Z"},
        {"headline": "Ferry late", "datePublished": "soon"},
        {"headline": 7, "articleBody": None, "datePublished": "2024-08-05T19:00:00Z"},
        {"headline": "Elsewhere", "datePublished": "2024-08-05T18:00:00Z"},
        "x",
    ]
    data = json.dumps({"@type": "LiveBlogPosting", "liveBlogUpdate": posts})
    paragraphs = [f"{hour} {WORDS}, the mayor said." for hour in ("At noon", "In the evening", "At night")]
    first, second, third = (f"<p>{text}</p>" for text in paragraphs)
    page = f"""<html><head><title>Storm live</title><script type="application/ld+json">{data}</script></head>
        <body><article><h1>Storm live</h1><p>{WORDS}, and it is told here.</p><p>{WORDS}, which is closed.</p>
        <h2>Bridge shut &amp; tide rising</h2>{first}{second}<h2>Ferry late</h2>{third}</article></body></html>"""
    body = clean(RawRecord("/x/a.html", "", page, "html")).body.split("\n\n")
    assert body[body.index("2024-08-05 21:00") :] == [
        "2024-08-05 21:00", "Bridge shut & tide rising", paragraphs[0],
        "2024-08-05 20:42", paragraphs[1], "Ferry late", paragraphs[2],
    ]  # fmt: skip


def test_the_rows_of_a_table_stay_together() -> None:
    """A line each, the cells apart."""
    table = "<table><tr><th>Party</th><th>Votes</th></tr><tr><td>Red</td><td>1,204</td></tr></table>"
    text = "".join(f"<p>{WORDS} on day {day} of the storm.</p>" for day in range(6))
    page = f"<html><body><article><h1>Storm</h1>{text}{table}{text.upper()}</article></body></html>"
    assert "\n\nParty | Votes\nRed | 1,204\n\n" in clean(RawRecord("/x/a.html", "", page, "html")).body
