"""What a page shows beside its article is taken for what it is, and no sentence is."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.cleaning.clean import DEFAULT_OUTLET, clean
from index.models import Article, RawRecord

JUNE = date(2024, 6, 9)
FIRST = "The harbour of Norvik was closed on Monday after a ship lost its anchor chain, the port authority said."
SECOND = "Nobody was hurt, and two tugs held the ship in place until divers had found the chain."


def cleaned(text: str) -> Article:
    """Clean a page that was pasted as text."""
    return clean(RawRecord("/news/page.txt", "", text, "text"))


def kinds(article: Article) -> dict[str, str]:
    """Tell what each piece of boilerplate was taken for."""
    return {piece.text: piece.kind for piece in article.boilerplate}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("PHOTO: Port of Norvik/Handout via Reuters", "photo credit"),
        ("Ann Lee/AFP/Getty Images", "photo credit"),
        ("Getty Images", "photo credit"),
        ("Photo by Ann Lee", "photo credit"),
        ("Tugs near the harbour on Tuesday. REUTERS./", "caption"),
        ("Tugs near the harbour on Tuesday. REUTERS/Ann Lee/File Photo", "caption"),
        ("Tugs near the harbour on Tuesday. Ann Lee/AP", "caption"),
        ("Tugs near the harbour. (Photo by Ann Lee/Anadolu via Getty Images)", "caption"),
        ("Tugs near the harbour [Ann Lee/Reuters]", "caption"),
        ("The tugs. Photograph: Ann Lee/The Example", "caption"),
        ("FILE - Tugs near the harbour, May 3, 2021. (AP Photo/Ann Lee, File)", "caption"),
        ("ALSO READ: Ten harbours that need repair", "related"),
        ("READ MORE: Why did the chain break?", "related"),
        ("Related: Harbour dues to rise", "related"),
        ("ANALYSIS: Was the chain too old?", "related"),
        ("Read more", "related"),
        ("Similar Articles to This Post", "related"),
        ("Similar Articles to This PostAward Banner", "related"),
        ("Award Banner", "advertisement"),
        ("ADVERTISEMENT", "advertisement"),
        ("Story continues below", "advertisement"),
        ("Sign up for our newsletter", "newsletter"),
        ("Follow us on Twitter", "newsletter"),
        ("Share this article", "notice"),
        ("This website is best viewed using the newest browsers.", "notice"),
        ("Please enable JavaScript to read this page.", "notice"),
        ("We use cookies to make this site better.", "notice"),
        ("© 2024 The Norvik Example", "copyright"),
        ("Copyright 2024 The Norvik Example. All rights reserved.", "copyright"),
        ("(Reporting by Ann Lee; Editing by Bo Ek)", "credit"),
        ("Additional reporting by Bo Ek.", "credit"),
        ("Bo Ek contributed to this report.", "credit"),
        ("Published: 25 January 2024", "date"),
        ("* * *", "separator"),
    ],
)
def test_a_line_of_boilerplate_goes_from_the_body_and_is_kept_apart(line: str, kind: str) -> None:
    """A line with a strong sign is no part of the body, and is kept with what it was taken for."""
    article = cleaned(f"{FIRST}\n\n{line}\n\n{SECOND}")
    assert article.body == f"{FIRST}\n\n{SECOND}"
    assert kinds(article) == {line: kind}


@pytest.mark.parametrize(
    "sentence",
    [
        "By Monday evening the tugs had gone.",
        "The minister told The AP.",
        "He spoke to reporters from Reuters.",
        "Photos of the ship were shown in court.",
        "More than 40 people watched from the pier.",
        "Related charges were dropped in May.",
        "Follow the money, the judge said, and you will find the owner on an island.",
        "Share prices fell by 3 percent.",
        "Watch: the word alone was enough to stop the crew.",
        "The company uses cookies to follow its readers, the court found.",
        "Editing genes is not allowed there.",
        "Copyright law is older than the press.",
        "The image: a ship without an anchor.",
        "Analysts said: the chain was old.",
        "Sign up, the posters said, and see the world.",
        "On January 25, 2024, the harbour was opened again.",
        "The chain (bought in 1990) had never been looked at.",
    ],
)
def test_a_sentence_that_begins_or_ends_like_boilerplate_stays(sentence: str) -> None:
    """A sentence is kept, whatever word it begins or ends with."""
    article = cleaned(f"{FIRST}\n\n{sentence}\n\n{SECOND}")
    assert article.body == f"{FIRST}\n\n{sentence}\n\n{SECOND}"
    assert article.boilerplate == ()


def test_the_line_above_a_photographers_credit_is_a_caption() -> None:
    """The line that stands directly above a credit goes with it, and prose above that stays."""
    page = f"{FIRST}\n\nTwo tugs hold the ship\nPHOTO: Port of Norvik\n\n{SECOND}"
    article = cleaned(page)
    assert article.body == f"{FIRST}\n\n{SECOND}"
    assert kinds(article) == {"Two tugs hold the ship": "caption", "PHOTO: Port of Norvik": "photo credit"}


def test_a_paragraph_above_a_credit_is_no_caption_without_a_further_sign() -> None:
    """Where a blank line stands between, only a day, "file photo" and the like make a caption of the line above."""
    assert cleaned(f"{FIRST}\n\n{SECOND}\n\nPHOTO: Ann Lee").body == f"{FIRST}\n\n{SECOND}"
    dated = cleaned(f"{FIRST}\n\nTwo tugs hold the ship, May 3, 2021.\n\nPHOTO: Ann Lee\n\n{SECOND}")
    assert dated.body == f"{FIRST}\n\n{SECOND}"


def test_an_agency_may_sign_the_last_of_two_sentences() -> None:
    """The second paragraph of a brief is no caption."""
    assert cleaned(f"Harbour closed\n\n{FIRST}\n\n{SECOND} Reuters").body == f"{FIRST}\n\n{SECOND} Reuters"


def test_prose_with_one_line_a_paragraph_loses_no_line_to_a_credit() -> None:
    """Where no blank lines part the paragraphs, the line above a credit may be one of them and stays."""
    assert cleaned(f"{FIRST}\n{SECOND}\nPHOTO: Ann Lee").body == f"{FIRST}\n{SECOND}"


def test_credits_go_from_the_end_of_the_last_paragraph_and_where_they_are_wrapped() -> None:
    """Credits like "(Reporting by …)" are taken at the end of a line and over two lines."""
    assert cleaned(f"{FIRST} (Reporting by Ann Lee; Editing by Bo Ek)").body == FIRST
    assert cleaned(f"{FIRST}\n\n(Reporting by Ann Lee and Cy Dee;\nEditing by Bo Ek)").body == FIRST


def test_links_under_a_heading_at_the_end_go_with_it() -> None:
    """Headlines under "Related stories" are links where no sentence follows; a sentence keeps them."""
    links = "Related stories\n\nHarbour dues to rise\n\nWhy do chains break?"
    assert cleaned(f"{FIRST}\n\n{links}").body == FIRST
    assert cleaned(f"{FIRST}\n\n{links}\n\n{SECOND}").body.endswith(SECOND)
    assert "Harbour dues to rise" in cleaned(f"{FIRST}\n\n{links}\n\n{SECOND}").body


def test_boilerplate_alone_is_kept_as_the_text() -> None:
    """A text that would be taken away whole is kept whole."""
    article = cleaned("Share this article")
    assert (article.body, article.boilerplate) == ("Share this article", ())


@pytest.mark.parametrize(
    "line", ["Evening Post, 9 June 2024", "The Courier | Jan. 9, 2024", "Ann Lee — 9 June 2024", "LONDON, 2024-06-09."]
)
def test_a_name_with_a_date_below_the_headline_is_a_date_line(line: str) -> None:
    """Of an outlet, a place or an author; also below a byline."""
    for above in ("Harbour closed after storm", "Harbour closed after storm\nBy Bo Ek"):
        article = cleaned(f"{above}\n{line}\n\n{FIRST}")
        assert article.body == FIRST
        assert article.boilerplate[-1] == ("date", line)
        assert article.source.published is not None
        assert article.source.published_certain


@pytest.mark.parametrize(
    "text",
    [
        f"Election Night, November 5, 2024\n\n{FIRST}",
        f"Harbour closed\n\n{FIRST}\n\n{SECOND}\n\nEvening Post, 9 June 2024\n\n{SECOND[:60]}.",
        f"Harbour closed\n\nThe port of Norvik was closed, 9 June 2024\n\n{FIRST}",
    ],
)
def test_a_name_with_a_date_elsewhere_is_text(text: str) -> None:
    """A headline, a line further down, and a line of other words."""
    assert "date" not in [kind for kind, _ in cleaned(text).boilerplate]


@pytest.mark.parametrize(
    ("line", "byline", "outlet", "day"),
    [
        ("By Ann Lee, Norvik Star, 9 June 2024", "Ann Lee", "Norvik Star", JUNE),
        (
            "By Ann Lee and Bo Ek | Norvik Star | Sunday, June 9, 2024 | 4:34 pm",
            "Ann Lee and Bo Ek",
            "Norvik Star",
            JUNE,
        ),
        ("by Ann Lee, Health Editor, The Phare – 9 Jun 2024, 16.34 BST", "Ann Lee", "The Phare", JUNE),
        (
            "By Ann Lee, Bo Ek and Cy Dee · norvik.example · 2024-06-09",
            "Ann Lee, Bo Ek and Cy Dee",
            "norvik.example",
            JUNE,
        ),
        ("Ann Lee, Norvik Star, 9 June 2024", "Ann Lee", "Norvik Star", JUNE),
        ("Ann Lee for the Norvik Star, 9 June 2024", "Ann Lee", "Norvik Star", JUNE),
        ("Norvik Star / 9 June 2024 / Ann Lee", "Ann Lee", "Norvik Star", JUNE),
        ("9 June 2024 | Norvik Star | By Ann Lee", "Ann Lee", "Norvik Star", JUNE),
        ("The Norvik Star (9 June 2024)", None, "The Norvik Star", JUNE),
        ("BBC News, 9 June 2024", None, "BBC News", JUNE),
        ("ANN LEE, NORVIK STAR, 9 JUNE 2024", "ANN LEE", "NORVIK STAR", JUNE),
        ("Published by Ann Lee on 9 June 2024", "Ann Lee", None, JUNE),
        ("Posted on 9 June 2024 at 9 am by Ann Lee in Politics", "Ann Lee", None, JUNE),
        ("Updated 10 June 2024, first published 9 June 2024", None, None, JUNE),
        ("Von Ann Lee, Norviker Zeitung, 9. Juni 2024", "Ann Lee", "Norviker Zeitung", JUNE),
        ("Par Ann Lee, Le Phare, le 9 juin 2024 à 16h34", "Ann Lee", "Le Phare", JUNE),
        ("Por Ann Lee | Diario de Norvik | 9 de junio de 2024", "Ann Lee", "Diario de Norvik", JUNE),
        ("By Ann Lee, Norvik Star", "Ann Lee", "Norvik Star", None),
        ("By Ann Lee, political correspondent, 25/06/2024", "Ann Lee", None, date(2024, 6, 25)),
        ("Norvik Star, 04/03/2024", None, "Norvik Star", None),
        ("Norvik Star, June 2024", None, "Norvik Star", None),
    ],
)
def test_a_line_of_author_outlet_and_day_is_read_and_is_no_part_of_the_text(
    line: str, byline: str | None, outlet: str | None, day: date | None
) -> None:
    """In any order, below a headline or a standfirst, above the headline, and, if it is no plain day, at the end."""
    pages = [f"Old pool to close\n{line}\n\n{FIRST}", f"Old pool to close\n\n{FIRST}\n\n{line}\n\n{SECOND}"]
    if byline or outlet:
        pages += [f"{line}\n\nOld pool to close\n\n{FIRST}"]
    for page in pages:
        article = cleaned(page)
        assert line not in article.body
        source = article.source
        assert (source.headline, source.byline, source.outlet) == ("Old pool to close", byline, outlet)
        assert (source.published, source.published_certain) == (day, True)


def test_lines_of_an_outlet_a_day_or_a_role_are_read_together() -> None:
    """Lines that are too weak alone count beside a byline or a day; a headline may be known from elsewhere."""
    article = cleaned(f"Old pool to close\n\nBy Ann Lee\nHealth correspondent\nNorvik Star\n9 June 2024\n\n{FIRST}")
    assert (article.body, article.source.outlet, article.source.published) == (FIRST, "Norvik Star", JUNE)
    titled = clean(
        RawRecord("/a.docx", "", f"Outlet: Norvik Star\n\nDate: 9 June 2024\n\n{FIRST}", "text", {"title": "T"})
    )
    assert (titled.body, titled.source.outlet, titled.source.published) == (FIRST, "Norvik Star", JUNE)


@pytest.mark.parametrize(
    "end", ["By Ann Lee, Norvik Star, 9 June 2024", "Ann Lee, Norvik Star, 9 June 2024", "By Ann Lee"]
)
def test_the_last_line_may_name_author_and_outlet(end: str) -> None:
    """A line at the end says the same as at the top."""
    article = cleaned(f"{FIRST}\n\n{SECOND}\n\n{end}")
    assert (article.body, article.source.byline) == (f"{FIRST}\n\n{SECOND}", "Ann Lee")
    assert article.source.outlet == ("Norvik Star" if "Star" in end else None)


@pytest.mark.parametrize(
    "line",
    [
        "By Friday, 9 June 2024, the tugs had gone",
        "By the numbers: 2024",
        "By George, he won.",
        "A reporter was shot in Norvik",
        "Prayer for the Dead",
        "In Norvik",
        "Ann Lee, 42, a pilot",
        "World Cup final, 18 December 2022",
    ],
)
def test_a_line_that_only_begins_like_a_byline_stays(line: str) -> None:
    """Prose, and headlines of parts."""
    assert line in cleaned(f"Old pool to close\n\nBy Ann Lee\n\n{line}\n\n{FIRST}\n\n{SECOND}").body


def test_an_agency_is_the_outlet_only_where_nothing_else_is_known() -> None:
    """A newspaper prints the texts of agencies."""
    line = f"Harbour closed\n\nBy Ann Lee, Associated Press, 9 June 2024\n\n{FIRST}"
    assert cleaned(line).source.outlet == "Associated Press"
    assert clean(RawRecord("/a.txt", "", line, "text", {DEFAULT_OUTLET: "Courier"})).source.outlet == "Courier"


@given(st.lists(st.sampled_from(["Ann", "of", " ", ",", "9 June 2024", "Jan. 9, 2024", "x", ".", "—"]), max_size=40))
def test_a_date_line_is_found_in_a_moment(parts: list[str]) -> None:
    """Whatever stands in a line, it is read."""
    assert cleaned(f"Harbour closed\n{''.join(parts)}\n\n{FIRST}").body.endswith(FIRST)


@pytest.mark.parametrize(
    "line",
    [
        "Share on Facebook", "Copy link", "Order Reprints", "Like this story? Share it with a friend!",
        "Thanks for signing up!",
        "Already a subscriber? Log in", "Subscribe to continue reading", "CLICK HERE TO GET THE NORVIK POST APP",
        "2024-01-25T10:34:00+01:00", "This copy is for your personal, non-commercial use only.",
    ],
)  # fmt: skip
def test_boxes_of_newsletters_paywalls_and_networks_go(line: str) -> None:
    """They are no part of the body, and are kept apart."""
    assert line not in cleaned(f"{FIRST}\n\n{line}\n\n{SECOND}").body


@pytest.mark.parametrize(
    ("end", "byline"),
    [
        ("(Reporting by Ann Lee; Editing by Bo Ek)", "Ann Lee"),
        ("(Reporting by Ann Lee in Jakarta and Jo van Dam; Additional reporting by Bo Ek)", "Ann Lee and Jo van Dam"),
        ("— Ann Lee, Jakarta", "Ann Lee"),
        ("-- Ann Lee", "Ann Lee"),
        ("(Additional reporting by Ann Lee)", None),
        ("— The Norvik Post", None),
    ],
)
def test_a_byline_at_the_end_is_read(end: str, byline: str | None) -> None:
    """Who reported it, or signed it; not who helped, nor an outlet. A byline at the top goes first."""
    assert cleaned(f"{FIRST}\n\n{SECOND}\n\n{end}").source.byline == byline
    assert cleaned(f"Harbour closed\n\nBy Jo Oe\n\n{FIRST}\n\n{SECOND}\n\n{end}").source.byline == "Jo Oe"


def test_a_name_below_a_quotation_is_its_speaker() -> None:
    """It stays in the body."""
    article = cleaned(f"{FIRST}\n\n“{SECOND}”\n\n— Ann Lee, Jakarta")
    assert (article.source.byline, article.body.endswith("— Ann Lee, Jakarta")) == (None, True)


def test_menus_around_a_pasted_page_go_and_every_sentence_stays() -> None:
    """Long runs of short lines are menus; what is next to prose, and tables of figures, stay."""
    menu = [f"Section {word}" for word in "ab cd ef gh ij kl mn op qr st uv wx yz".split()] * 2
    results = [f"Norvik {number} - {number + 1} Meridian" for number in range(15)]
    page = [
        *menu,
        "Harbour of Norvik closed again",
        "Ann Lee",
        FIRST,
        SECOND,
        *results,
        FIRST.upper(),
        "The end",
        *menu,
    ]
    article = cleaned("\n\n".join(page))
    assert article.source.headline == "Harbour of Norvik closed again"
    assert all(text in article.body for text in (FIRST, SECOND, *results, FIRST.upper()))
    assert article.body.count("Section") <= 2
    assert kinds(article)["Section mn"] == "navigation"


def test_a_list_of_an_article_alone_stays() -> None:
    """A few short lines are no menu."""
    names = [f"Candidate {word}" for word in "ab cd ef gh ij".split()]
    assert all(name in cleaned("\n\n".join([FIRST, *names, SECOND])).body for name in names)


def test_a_long_list_stays_in_the_article_and_where_nothing_speaks_of_a_site() -> None:
    """Only of a whole page, and only above and below the article, a run of short lines is a menu."""
    names = [f"Candidate {letter}{other}" for letter in "abcdef" for other in "ghijkl"]
    assert cleaned("\n\n".join([FIRST, SECOND, *names])).body.endswith(names[-1])
    story = [f"Speaker {number}: {SECOND} {FIRST}" for number in range(6)]
    page = cleaned("\n\n".join([*story[:3], *names[:20], *story[3:], "Copy link", *names]))
    assert all(name in page.body for name in names[:20])
    assert names[-1] not in page.body


@given(st.lists(st.sampled_from(["Norvik 3-1 Meridian", "What the council says", "• two tugs", FIRST[:-1] + " x."])))
def test_an_article_without_a_site_around_it_keeps_every_line(lines: list[str]) -> None:
    """Sub-headings, scores, list items: whatever their number and order, they stay; one may be the headline."""
    article = cleaned("\n\n".join(["Harbour closed", FIRST, *lines, SECOND]))
    assert article.source.headline == "Harbour closed" or article.source.headline in lines
    assert all(line in article.body for line in lines if line != article.source.headline)


def test_a_paragraph_that_stands_twice_is_taken_once() -> None:
    """Some pages hold their article a second time, for machines; short lines are repeated on purpose."""
    article = cleaned(f"{FIRST}\n\nYes, he said.\n\n{SECOND}\n\nYes, he said.\n\n{FIRST}")
    assert article.body.count(FIRST) == 1
    assert article.body.count("Yes, he said.") == 2


def test_an_agency_behind_the_last_full_stop_takes_no_paragraph_along() -> None:
    """Below sentences it signs an article; at the top the line is a caption."""
    assert f"{SECOND} Reuters" in cleaned(f"{FIRST}\n\n{FIRST[:-1]} again.\n\n{SECOND} Reuters").body
    assert "anchor" not in cleaned(f"A tug with an anchor. Reuters\n\n{SECOND}").body
