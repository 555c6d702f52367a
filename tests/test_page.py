"""What a page says of itself: its headline without the site, one name of its outlet, and that it is no article."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from bot.query.filter_reason import why_none_passes
from index.cleaning.clean import clean
from index.cleaning.page import PageNames, page_names
from index.cleaning.walls import FETCHED
from index.models import Filters, RawRecord, UnreadableError
from index.reading.chunk import chunk
from index.reading.outlets import NOTE, Outlets
from index.storage.catalogue import Catalogue
from index.storage.catalogue_sqlite import SQLiteCatalogue
from tests.corpus import article


def names(head: str = "", body: str = "", title: str = "", sitename: str = "", host: str = "post.example") -> PageNames:
    """The names of a page with these parts."""
    page = html.document_fromstring(f"<html><head>{head}</head><body>{body}<p>It rained.</p></body></html>")
    return page_names(page, title, sitename, host)


SITE = '<meta property="og:site_name" content="Norvik Post">'


@pytest.mark.parametrize(
    "title",
    [
        "Harbour of Norvik closed",
        "Harbour of Norvik closed - Norvik Post",
        "Harbour of Norvik closed | Norvik Post",
        "Harbour of Norvik closed | News | Norvik Post",
        "Norvik Post | Harbour of Norvik closed",
        "Harbour of Norvik closed – post.example",
        "Harbour of Norvik closed｜Norvik Post Online",
    ],
)
def test_the_name_of_the_site_is_no_part_of_the_headline(title: str) -> None:
    """Whatever separates them, and whether the heading or the name of the site tells them apart."""
    assert names(SITE, "<h1>Harbour of Norvik closed</h1>", title).headline == "Harbour of Norvik closed"


def test_a_page_without_a_name_of_its_site_has_that_of_its_title() -> None:
    """If it can hardly be anything else; a section or another headline is none."""
    heading, title = "<h1>Harbour of Norvik closed</h1>", "Harbour of Norvik closed - {}"
    for beside, outlet in (("Norvik Post", "Norvik Post"), ("News", ""), ("Ann Lee", ""), ("Ships wait", "")):
        assert names("", heading, title.format(beside)).outlet == outlet


def test_an_outlet_among_the_authors_of_a_page_is_no_author() -> None:
    """Unless there is no other."""
    page = '<html><body><article><h1>Harbour closed</h1><p class="byline">{}</p>{}</article></body></html>'
    prose = "<p>The harbour of Norvik was closed after a ship lost its anchor chain, the port authority said.</p>" * 4
    for line, byline in (("By Ann Lee, Norvik Post, 9 June 2024", "Ann Lee"), ("By Norvik Post", "Norvik Post")):
        assert clean(RawRecord("/a.html", "", page.format(line, prose), "html")).source.byline == byline


def test_a_headline_keeps_what_looks_like_a_name() -> None:
    """A dash inside a headline, a colon, and a heading that says something else."""
    for title in ("Norvik wins - again and again", "Storm: Harbour of Norvik closed", "Storm closes the harbour"):
        assert names(SITE, "<h1>Harbour closed</h1>", title).headline == title


def test_a_title_that_is_a_menu_gives_way_to_the_heading() -> None:
    """So does one that is the name of the site; not to one of several headings."""
    for title in ("Topics", "Norvik Post"):
        assert names(SITE, "<h1>Norvik Post</h1><h1>Harbour of Norvik closed</h1>", title).headline.startswith("Harb")
        two = "<h1>Harbour of Norvik closed</h1><h1>Ship lost its anchor chain</h1>"
        assert names(SITE, two, title).headline == title


def test_the_headline_of_the_data_counts_as_a_heading() -> None:
    """JSON-LD, also inside a graph."""
    data = json.dumps({"@graph": [{"@type": "NewsArticle", "headline": "Harbour of Norvik closed"}]})
    head = f'<script type="application/ld+json">{data}</script>'
    assert names(head, title="Harbour of Norvik closed - all news of the coast").headline == "Harbour of Norvik closed"


@pytest.mark.parametrize(
    "worse", ["post.example", "https://social.example/post", "@norvikpost", "Norvik Verlag GmbH", "Posts by Ann Lee",
              "View all posts by Ann Lee", "twitter.com", "Postredaktion", "X" * 80, "Harbour of Norvik closed"]
)  # fmt: skip
def test_an_outlet_is_no_company_network_author_or_address(worse: str) -> None:
    """The next best name counts: that of the publisher in the data, then the site name of the extraction."""
    data = json.dumps({"@type": "NewsArticle", "publisher": {"@type": "Organization", "name": worse}})
    head = f'<script type="application/ld+json">{data}</script>'
    title = "Harbour of Norvik closed"
    assert names(head, title=title, sitename="Norvik Post").outlet == "Norvik Post"
    assert names(f'<meta property="og:site_name" content="{worse}">{SITE}', title=title).outlet == "Norvik Post"
    assert names(head, title=title).outlet in ("", "post.example")


@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=60))
def test_any_names_give_some(title: str, heading: str, sitename: str) -> None:
    """A headline is part of the title or a heading."""
    page = html.document_fromstring("<html><head></head><body><h1></h1></body></html>")
    page.find(".//h1").text = "".join(filter(str.isprintable, heading))
    headline = page_names(page, title, sitename, "post.example").headline
    assert headline in " ".join(title.replace("\xad", "").split()) or headline in " ".join(heading.split())


# --- Pages that are no article ---------------------------------------------------------------------------------


def shown(title: str, *lines: str, extra: str = "") -> str:
    """A page without anything that the page of an article has."""
    paragraphs = "".join(f"<p>{line}</p>" for line in lines)
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{paragraphs}{extra}</body></html>"


PASSWORD = '<form><input type="email" name="m"><input type="password" name="p"><button>Log in</button></form>'
PARTNERS = "We and our 842 partners store and access information on a device, such as cookies, for personalised ads."
CHOICE = "You can change your choice at any time. Some vendors process data on the basis of legitimate interest."
CHECKED = "The Arden Post needs to review the security of your connection before proceeding."


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (shown("We value your privacy", PARTNERS, CHOICE), "cookie wall"),
        (
            shown("Arden Post", "Wir verwenden Cookies. Mit Werbung und Tracking lesen."),
            "cookie wall",
        ),
        (shown("Just a moment...", "Verifying you are human. This may take a few seconds.", CHECKED), "a person"),
        (shown("Are you a robot?", "To continue, click the box below to show you are not a robot."), "a person"),
        (shown("Sign in", "Forgot your password? Create an account to read this article.", extra=PASSWORD), "login"),
        (shown("Arden Post | Log in", extra=PASSWORD), "login"),
    ],
)
def test_a_page_that_speaks_of_cookies_robots_or_a_login_is_no_article(page: str, reason: str) -> None:
    """Whether it was fetched or saved as a file."""
    for fields in ({}, {FETCHED: True}):
        with pytest.raises(UnreadableError, match=reason):
            clean(RawRecord("/news/a.html", "", page, "html", fields))


FINE = "The data authority of Norvik has fined the Arden Post 20,000 euros for the banner on its pages, on Monday."
BANNER = "Readers saw the words “We and our 842 partners store and access information on a device” and “Accept all”."


@pytest.mark.parametrize(
    "page",
    [
        shown("We value your privacy, and sell it", FINE, BANNER, "The paper has a month to change it."),
        shown("Cookie rules", "Accept all or reject all: the choice must be equal, the authority said.", PARTNERS),
        shown("Log in, and lose", "Half of the accounts of the town library were stolen.", extra=PASSWORD),
        shown("Log in to fraud: accounts stolen", "Half of the accounts were stolen, police said.", extra=PASSWORD),
        shown("Weir to be rebuilt", FINE.replace("fined", "praised"), "Work begins in June.", PARTNERS, extra=PASSWORD),
        shown("Are you a robot?", "The council of Arden bought five robots. They cut the grass at the weir.", FINE),
        shown("We value your privacy", PARTNERS, CHOICE, extra='<time datetime="2024-05-03">3 May</time>'),
        shown("We value your privacy", PARTNERS, CHOICE, *[FINE] * 15),
    ],
)
def test_an_article_about_walls_is_an_article(page: str) -> None:
    """It quotes them, reports, is dated, or is longer; so is one below which a banner was taken for text."""
    assert clean(RawRecord("/news/a.html", "", page, "html")).body


# --- One name an outlet ----------------------------------------------------------------------------------------


def test_the_first_good_name_of_a_site_counts_and_the_others_are_aliases() -> None:
    """A name replaces an address; later names do not; another site's outlet keeps its own."""
    outlets = Outlets({})
    outlets.note("post.example", "www.post.example")
    assert outlets.name("post.example", "post.example") == "post.example"
    outlets.note("Norvik Post", "m.post.example")
    outlets.note("NP", "www.post.example")
    outlets.note("norvik post", "post.other.example")
    for name in ("post.example", "Norvik Post", "NP", "norvik post"):
        assert outlets.name(name, "www.post.example") == "Norvik Post"
    assert outlets.name("post.example", "") == "Norvik Post"
    assert outlets.name("norvik post", "post.other.example") == "Norvik Post"
    assert outlets.name("NP", "") == outlets.name("NP", "np.example") == "NP"
    assert outlets.name("Meridian", "post.example") == "Meridian"


def test_copies_in_an_archive_are_no_site() -> None:
    """Pages of many papers have its host."""
    outlets = Outlets({})
    for name in ("Norvik Post", "Meridian"):
        outlets.note(name, "web.archive.org")
        assert outlets.name(name, "web.archive.org") == name


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """An article of an outlet with an alias."""
    with closing(SQLiteCatalogue(tmp_path / "catalogue.sqlite")) as made:
        made.put(stored := article("a", "It rained.", outlet="Norvik Post"), "", chunk(stored))
        made.set(NOTE, json.dumps({"post.example": "Norvik Post", "np": "Norvik Post", "norvik post": "Norvik Post"}))
        yield made


def test_a_filter_finds_an_outlet_by_each_of_its_names(catalogue: Catalogue) -> None:
    """Alias, host and name, in any case; an unknown name is said to be none."""
    for name in ("NP", "np", "Post.example", "norvik POST"):
        assert catalogue.count_passing(Filters(outlet=name)) == 1
        assert why_none_passes(Filters(outlet=name), catalogue) is None
    reason = why_none_passes(Filters(outlet="Meridian"), catalogue)
    assert reason == "No article is from an outlet named Meridian. The articles are from: Norvik Post."


def test_an_outlet_of_that_name_goes_before_an_alias(catalogue: Catalogue) -> None:
    """An alias leads nobody away from what he named."""
    other = article("b", "It snowed.", outlet="NP")
    catalogue.put(replace(other), "", chunk(other))
    assert catalogue.count_passing(Filters(outlet="np")) == 1
    assert catalogue.outlet_names()["np"] == "NP"
