"""Articles from the web: what is fetched, how politely, and what is refused. The site is on this machine."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from bot.cli.parser import main
from index.cleaning.clean import clean
from index.explain import Explained
from index.explain import explained as explain_all
from index.load import Reader
from index.models import Failure, RawRecord, UnreadableError
from index.storage.generation import open_for_writing
from index.web import fetch
from index.web.fetch import Client, checked_address, is_public
from index.web.read import Marks, WebReader
from index.web.sources import due
from tests import documents
from tests.fakes.web_server import NewsSite, Page, news_site

HERE = frozenset({"localhost"})
STORY = "".join(
    f"<p>The council of Arden voted by 12 to 7 on point {number} of the plan to rebuild the weir at the old mill.</p>"
    for number in range(12)
)


BEGINNING = "<p>The council of Arden voted to rebuild the weir at the mill, which the flood had torn away.</p>"


@pytest.fixture
def site() -> Iterator[NewsSite]:
    """An empty site."""
    with news_site() as served:
        yield served


def story(title: str, text: str = STORY, extra: str = "") -> Page:
    """A page with an article."""
    page = f"<title>{title}</title>{extra}</head><body><nav>Home</nav><article><h1>{title}</h1>{text}</article></body>"
    return Page(f"<!doctype html><html lang='en'><head>{page}</html>")


def feed(*entries: tuple[str, str, str, str]) -> Page:
    """A feed of entries: title, link, day of May 2024 on which it was updated, and text."""
    items = "".join(
        f"<entry><title>{title}</title><link href='{link}'/><id>{link}</id><updated>2024-05-{day}T10:00:00Z</updated>"
        f"<summary type='html'><![CDATA[{text}]]></summary></entry>"
        for title, link, day, text in entries
    )
    content = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>The Arden Post</title>{items}</feed>"
    return Page(content, "application/atom+xml")


def read(
    site: NewsSite, path: str, *, is_source: bool = False, marks: dict[str, Marks] | None = None
) -> tuple[list[RawRecord], list[str]]:
    """The records at an address, and the reasons of failures."""
    client = Client(HERE, sleep=lambda _: None)
    with closing(Reader(Counter(), for_web=True)) as reader:
        web = WebReader(client, reader, lambda *_: False, {} if marks is None else marks)
        found = list(web.read(site.url + path, is_source=is_source))
    return (
        [item for item in found if isinstance(item, RawRecord)],
        [item.reason for item in found if isinstance(item, Failure)],
    )


# --- What is read ----------------------------------------------------------------------------------------------


def test_a_page_is_an_article_known_by_its_address(site: NewsSite) -> None:
    """Where redirects led, without its tracking."""
    site.pages = {"/weir": story("Weir to be rebuilt"), "/old": Page(status=301, headers={"Location": "/weir"})}
    ((one,), _), ((other,), _) = read(site, "/weir?utm_source=x"), read(site, "/old")
    assert one.key == other.key
    article = clean(one)
    assert (article.source.headline, article.source.url) == ("Weir to be rebuilt", f"{site.url}/weir")


def test_a_feed_with_whole_articles_is_read_alone(site: NewsSite) -> None:
    """No page of it is fetched."""
    site.pages = {"/feed": feed(("Weir to be rebuilt", f"{site.url}/weir", "03", STORY))}
    records, failures = read(site, "/feed")
    assert [clean(record).source.outlet for record in records] == ["The Arden Post"]
    assert (failures, site.asked) == ([], ["/robots.txt", "/feed"])


def test_the_pages_of_a_feed_of_teasers_are_fetched(site: NewsSite) -> None:
    """Text from the page; headline, day and outlet from the feed."""
    site.pages = {
        "/feed": feed(("Weir to be rebuilt", f"{site.url}/weir", "03", "Arden votes.")),
        "/weir": story("Weir | Arden Post"),
    }
    ((record,), failures) = read(site, "/feed")
    article = clean(record)
    assert not failures
    assert len(article.body) > 500
    source = article.source
    assert (source.headline, source.outlet, str(source.published)) == (
        "Weir to be rebuilt", "The Arden Post", "2024-05-03",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["atom", "json"])
def test_the_pages_of_headlines_are_fetched(site: NewsSite, kind: str) -> None:
    """Of a feed without texts, and of the answer of an API, whose address may hold a key that is not kept."""
    gdelt = {"articles": [{"url": f"{site.url}/weir", "title": "Weir to be rebuilt", "seendate": "20240503T100000Z"}]}
    entry = feed(("Weir to be rebuilt", f"{site.url}/weir", "03", ""))
    site.pages = {
        "/list": entry if kind == "atom" else Page(json.dumps(gdelt), "application/json"),
        "/weir": story("Weir | Arden Post"),
    }
    ((record,), failures) = read(site, "/list?key=secret")
    article = clean(record)
    assert (article.source.headline, str(article.source.published), failures) == (
        "Weir to be rebuilt",
        "2024-05-03",
        [],
    )
    assert len(article.body) > 500
    assert "secret" not in str(record)


def test_an_api_without_links_keeps_its_key_to_itself(site: NewsSite) -> None:
    """The address without its query is the path of its records."""
    site.pages = {
        "/list": Page(json.dumps({"articles": [{"id": "a", "text": "The weir is gone."}]}), "application/json")
    }
    ((record,), failures) = read(site, "/list?key=secret")
    assert (record.path, record.key, failures) == (f"{site.url}/list", "a", [])
    assert "secret" not in str(record)


@pytest.mark.parametrize("path", ["/", "/section"])
def test_a_page_that_names_its_feed_is_enough(site: NewsSite, path: str) -> None:
    """The home page of a site, or any page that is to be followed."""
    link = '<link rel="alternate" type="application/atom+xml" href="/feed">'
    site.pages = {
        path: story("The Arden Post", extra=link),
        "/feed": feed(("Weir to be rebuilt", f"{site.url}/weir", "03", STORY)),
    }
    records, failures = read(site, path, is_source=True)
    assert ([record.fields["title"] for record in records], failures) == (["Weir to be rebuilt"], [])


def test_a_sitemap_is_followed_newest_first(site: NewsSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the sitemaps that it names, packed ones too; what is left is said."""
    monkeypatch.setattr("index.web.read.MAX_PAGES", 2)
    entries = "".join(f"<url><loc>{site.url}/{day}</loc><lastmod>2024-05-0{day}</lastmod></url>" for day in (1, 3, 2))
    space = "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'"
    index = f"<sitemapindex {space}><sitemap><loc>{site.url}/news.xml.gz</loc></sitemap></sitemapindex>"
    site.pages = {
        "/sitemap.xml": Page(index, "application/xml"),
        "/news.xml.gz": Page(gzip.compress(f"<urlset {space}>{entries}</urlset>".encode()), "application/gzip"),
        **{f"/{day}": story(f"Story {day}") for day in (1, 2, 3)},
    }
    records, failures = read(site, "/sitemap.xml")
    assert [record.path for record in records] == [f"{site.url}/3", f"{site.url}/2"]
    assert failures == ["2 pages were read, and 1 are left for the next run: read it again"]


@pytest.mark.process
def test_a_pdf_on_the_web_is_read(site: NewsSite) -> None:
    """As any kind of file is."""
    site.pages = {"/report": Page(documents.story_pdf(), "application/pdf")}
    ((record,), failures) = read(site, "/report")
    assert (clean(record).source.headline, failures) == (documents.TITLE, [])


@pytest.mark.parametrize(
    "link", ["http://[x", "javascript:alert(1)", "file:///etc/passwd", "//", "\x01", "http://\udcff/"]
)
def test_a_feed_of_broken_links_is_a_failure_each(site: NewsSite, link: str) -> None:
    """The others are read."""
    broken = {"id": "x", "url": link, "title": "Pier", "content_html": "<p>Short.</p>"}
    whole = {"id": "y", "url": f"{site.url}/y", "title": "Weir", "content_html": STORY}
    content = {"version": "https://jsonfeed.org/version/1.1", "title": "The Arden Post", "items": [broken, whole]}
    site.pages = {"/feed.json": Page(json.dumps(content), "application/feed+json")}
    records, _ = read(site, "/feed.json")
    assert "Weir" in [record.fields["title"] for record in records]
    assert not any("passwd" in record.path for record in records)


def test_a_json_feed_is_read(site: NewsSite) -> None:
    """Its title is the outlet."""
    entry = {"id": f"{site.url}/weir", "url": f"{site.url}/weir", "title": "Weir to be rebuilt", "content_html": STORY}
    content = {"version": "https://jsonfeed.org/version/1.1", "title": "The Arden Post", "items": [entry]}
    site.pages = {"/feed.json": Page(json.dumps(content), "application/feed+json")}
    ((record,), failures) = read(site, "/feed.json")
    assert (record.fields["outlet"], failures) == ("The Arden Post", [])


OWN = "<p>The council of Arden voted by 12 to 7 to rebuild the weir. Work begins in June, the mayor said.</p>"


@pytest.mark.parametrize("page", [Page(status=404), Page(status=403), Page("x", "image/png"), Page("<html></html>")])
def test_the_text_of_a_feed_stands_in_for_a_page_that_cannot_be_read(site: NewsSite, page: Page) -> None:
    """However short it is; the feed is then done, and is not sent again."""
    rss = documents.rss(content=OWN, link=f"{site.url}/weir")
    item = {"id": "1", "url": f"{site.url}/weir", "title": "Weir to be rebuilt", "content_html": OWN}
    shape = {"version": "https://jsonfeed.org/version/1.1", "title": "The Arden Post", "items": [item]}
    for feed in (Page(rss, "application/rss+xml"), Page(json.dumps(shape), "application/feed+json")):
        site.pages = {"/feed": feed, "/weir": page}
        marks = dict[str, Marks]()
        ((record,), failures) = read(site, "/feed", marks=marks)
        (explained,) = explain_all([record])
        assert isinstance(explained, Explained)
        assert (explained.article.body, failures) == (OWN[3:-4], [])
        assert read(site, "/feed", marks=marks) == ([], [])


@pytest.mark.parametrize(
    ("content", "page", "reason"),
    [
        ("<p>Arden votes.</p>", Page(status=404), "no such page"),
        (OWN.replace("</p>", " […]</p>"), Page(status=404), "no such page"),
        (f"{OWN}<a>Read more</a>", Page(status=404), "no such page"),
        (OWN, Page(status=503, headers={"Retry-After": "3600"}), "come back later"),
    ],
)
def test_a_teaser_stands_in_for_no_page(site: NewsSite, content: str, page: Page, reason: str) -> None:
    """Nor does a text for a page that can be read soon."""
    feed = documents.rss(content=content, link=f"{site.url}/weir")
    site.pages = {"/feed": Page(feed, "application/rss+xml"), "/weir": page}
    records, (failure,) = read(site, "/feed")
    assert not records
    assert reason in failure


# --- Manners ---------------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_read_again(site: NewsSite) -> None:
    """The site is asked for what is newer than the last reply."""
    site.pages = {"/feed": feed(("Weir to be rebuilt", f"{site.url}/weir", "03", STORY))}
    marks = dict[str, Marks]()
    assert len(read(site, "/feed", marks=marks)[0]) == 1
    assert read(site, "/feed", marks=marks) == ([], [])
    site.pages = {"/feed": feed(("Weir rebuilt", f"{site.url}/weir", "04", STORY))}
    assert len(read(site, "/feed", marks=marks)[0]) == 1


def test_a_feed_of_which_a_page_failed_is_read_again(site: NewsSite) -> None:
    """Though the feed has nothing new."""
    site.pages = {"/feed": feed(("Weir to be rebuilt", f"{site.url}/weir", "03", "Arden votes."))}
    marks = dict[str, Marks]()
    assert read(site, "/feed", marks=marks) == ([], ["there is no such page (404)"])
    site.pages["/weir"] = story("Weir")
    assert len(read(site, "/feed", marks=marks)[0]) == 1


@pytest.mark.parametrize(
    ("headers", "ttl", "status", "minutes"),
    [
        ({}, "", 200, 15),
        ({"Cache-Control": "public, max-age=7200"}, "", 200, 120),
        ({"Cache-Control": "max-age=60"}, "<ttl>5</ttl>", 200, 15),
        ({"Cache-Control": "max-age=60"}, "<ttl> 90 </ttl>", 200, 90),
        ({}, "<ttl>999999</ttl>", 200, 24 * 60),
        ({"Retry-After": "3600"}, "", 503, 60),
        ({}, "", 404, 15),
    ],
)
def test_a_source_is_asked_again_at_its_own_pace(
    headers: dict[str, str], ttl: str, status: int, minutes: int, site: NewsSite
) -> None:
    """What the feed, its reply or its refusal says, between 15 minutes and a day."""
    rss = documents.rss(link=f"{site.url}/weir").replace("<channel>", f"<channel>{ttl}")
    site.pages["/feed"] = Page(rss, "application/rss+xml", status, headers)
    marks = dict[str, Marks]()
    read(site, "/feed", is_source=True, marks=marks)
    wait = datetime.fromisoformat(marks[f"{site.url}/feed"].due) - datetime.now(UTC)
    assert abs(wait - timedelta(minutes=minutes)) < timedelta(seconds=30)


@pytest.mark.process
def test_only_sources_that_are_due_are_asked(tmp_path: Path, site: NewsSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--watch` leaves the others alone; a source is due if nothing is known of it."""
    monkeypatch.setenv("CLIPPINGS_WEB_HOSTS", "localhost")
    site.pages["/feed"] = Page(documents.rss(content=STORY, link=f"{site.url}/weir"), "application/rss+xml")
    data = tmp_path / "data"
    assert due(data) == []
    assert main(["sources", "add", f"{site.url}/feed", "--data", str(data)]) == 0
    assert due(data) == []
    with closing(open_for_writing(data)[0]) as generation:
        generation.catalogue.set("marks", json.dumps({f"{site.url}/feed": ["x", "y"]}))
    assert due(data) == [f"{site.url}/feed"]


def test_robots_txt_is_obeyed(site: NewsSite) -> None:
    """Once read for a run; one that cannot be read now forbids everything, one that is not there nothing."""
    site.pages = {"/robots.txt": Page("User-agent: *\nDisallow: /private", "text/plain"), "/private/a": story("A")}
    assert read(site, "/private/a") == ([], ["the site's robots.txt asks programs not to read it"])
    assert site.asked == ["/robots.txt"]
    site.pages["/robots.txt"] = Page("", status=503)
    assert read(site, "/a") == ([], ["its robots.txt cannot be read now (503); try again later"])


def test_a_host_is_not_hurried() -> None:
    """A second between two requests, or what robots.txt asks for; none for a host of one's own."""
    slept = list[float]()
    client = Client(sleep=slept.append)
    for _ in range(2):
        client._keep_pace("news.example")
    assert [round(pause) for pause in slept] == [1]


def test_a_site_that_asks_for_a_pause_gets_it(site: NewsSite) -> None:
    """Once, if it is short."""
    slept = list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        site.pages["/a"] = story("A")

    client = Client(HERE, sleep=sleep)
    site.pages = {"/a": Page(status=429, headers={"Retry-After": "7"})}
    assert client.get(f"{site.url}/a").body
    assert [round(pause) for pause in slept] == [7]
    later = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    site.pages = {"/a": Page(status=503, headers={"Retry-After": later})}
    with pytest.raises(UnreadableError, match=r"come back later \(503\); try again in 7\d\d\d seconds"):
        client.get(f"{site.url}/a")


# --- What is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.1", "100.64.0.1", "224.0.0.1",
        "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::",
    ],
)  # fmt: skip
def test_an_address_inside_the_network_is_not_public(address: str) -> None:
    """In whatever dress."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1"])
def test_other_addresses_are_public(address: str) -> None:
    """Most of them."""
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "127.1", "[::1]"])
def test_a_host_inside_the_network_is_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whatever name, unless that name is allowed: the answer of the name server counts."""
    monkeypatch.undo()  # the cut network is no matter: nothing is connected to
    with pytest.raises(UnreadableError, match=r"is inside your network \(.*to allow it, set CLIPPINGS_WEB_HOSTS="):
        Client().get(f"http://{host}:9/")
    assert checked_address("localhost", 9, HERE) in {"127.0.0.1", "::1"}


def test_a_redirect_into_the_network_is_refused(site: NewsSite) -> None:
    """A site that may be read names one that may not."""
    site.pages = {"/a": Page(status=302, headers={"Location": "http://127.0.0.1:1/secret"})}
    assert read(site, "/a")[1] == [
        "127.0.0.1 is inside your network (127.0.0.1); to allow it, set CLIPPINGS_WEB_HOSTS=127.0.0.1"
    ]


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://localhost/a", "http://[x", "http://user:pw@localhost/"]
)
def test_a_redirect_to_something_else_is_refused(site: NewsSite, location: str) -> None:
    """Only the web is read."""
    site.pages = {"/a": Page(status=302, headers={"Location": location})}
    assert "address" in read(site, "/a")[1][0]


def test_redirects_end(site: NewsSite) -> None:
    """A circle of them is a failure."""
    site.pages = {"/a": Page(status=302, headers={"Location": "/a"})}
    assert read(site, "/a") == ([], ["more than 5 redirects"])


def _trickle(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(100):
        request.wfile.write(b"x")
        time.sleep(0.05)


def test_a_site_that_trickles_is_left(site: NewsSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """However little it sends at a time."""
    monkeypatch.setattr(fetch, "MAX_SECONDS", 0.3)
    site.pages = {"/a": Page(write=_trickle)}
    started = time.monotonic()
    assert read(site, "/a")[1][0].startswith("the site took longer than")
    assert time.monotonic() - started < 3


def test_a_reply_without_end_is_left(site: NewsSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is one that unpacks to too much."""
    monkeypatch.setattr(fetch, "MAX_BYTES", 100_000)
    bomb = gzip.compress(b"0" * 1_000_000)
    site.pages = {"/a": Page("x" * 100_001), "/b": Page(bomb, headers={"Content-Encoding": "gzip"})}
    for path in ("/a", "/b"):
        assert read(site, path)[1] == ["too large: 0.2 MB, a page or a feed may have 0.1 MB"]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (story("Weir", f"{BEGINNING}<p>Subscribe to continue reading.</p>"), "paywall"),
        (story("Weir", BEGINNING, '<script>{"isAccessibleForFree": false}</script>'), "paywall"),
        (story("Cookies", "<p>We value your privacy. We use cookies to show you the news.</p>"), "cookie wall"),
        (Page("<html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"), "person"),
    ],
)  # fmt: skip
def test_a_wall_is_no_article(site: NewsSite, page: Page, reason: str) -> None:
    """What a site shows instead of an article is a failure with a name."""
    site.pages = {"/a": page}
    ((record,), _) = read(site, "/a")
    with pytest.raises(UnreadableError, match=reason):
        clean(record)


@pytest.mark.parametrize(("status", "reason"), [(401, "login"), (402, "paywall"), (403, "refuses"), (500, "error 500")])
def test_an_error_of_the_site_is_named(site: NewsSite, status: int, reason: str) -> None:
    """In words."""
    site.pages = {"/a": Page(status=status)}
    assert reason in read(site, "/a")[1][0]


# --- From the command line -------------------------------------------------------------------------------------


@pytest.mark.process
def test_what_a_page_does_not_say_may_be_said_for_it(
    site: NewsSite, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its outlet and day, in the command that reads it."""
    for name, value in {"MODEL_DIR": str(weights), "DATA": str(tmp_path / "data"), "WEB_HOSTS": "localhost"}.items():
        monkeypatch.setenv(f"CLIPPINGS_{name}", value)
    site.pages = {"/weir": story("Weir to be rebuilt")}
    assert main(["index", f"{site.url}/weir", "--outlet", "The Grove", "--published", "2024-05-03"]) == 0
    capsys.readouterr()
    assert main(["status", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["outlets"], status["first_published"]) == ({"The Grove": 1}, "2024-05-03")


def test_a_feed_is_followed(
    site: NewsSite, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through an addition, an update, nothing new, and a page that was taken down."""
    for name, value in {"MODEL_DIR": str(weights), "DATA": str(tmp_path / "data"), "WEB_HOSTS": "localhost"}.items():
        monkeypatch.setenv(f"CLIPPINGS_{name}", value)
    weir = f"{site.url}/weir"

    def run(*arguments: str) -> tuple[int, str]:
        code = main(list(arguments))
        return code, capsys.readouterr().out

    site.pages = {"/feed": feed(("Weir to be rebuilt", weir, "03", "Arden votes.")), "/weir": story("Weir")}
    assert run("sources", "add", f"{site.url}/feed")[1].startswith("1 added")
    assert "12 to 7" in run("ask", "How did the council of Arden vote on the weir?")[1]

    site.pages["/weir"] = story("Weir", STORY.replace("12 to 7", "15 to 4"))
    assert run("sources", "refresh")[1].startswith("0 added, 0 changed, 0 unchanged")
    site.pages["/feed"] = feed(
        ("Weir to be rebuilt", weir, "04", "Arden votes."), ("Pier", f"{site.url}/pier", "04", "x")
    )
    site.pages["/pier"] = story(
        "Pier", "<p>The pier of Ennis burned down on Monday night, and nobody was hurt there.</p>" * 3
    )
    assert run("sources", "refresh")[1].startswith("1 added, 1 changed")
    assert "15 to 4" in run("ask", "How did the council of Arden vote on the weir?")[1]

    site.pages["/weir"] = Page(status=410)
    site.pages["/feed"] = feed(("Weir to be rebuilt", weir, "05", "Arden votes."))
    _, out = run("sources", "refresh")
    assert out.startswith("0 added, 0 changed, 0 unchanged, 1 removed")
    _, out = run("ask", "How did the council of Arden vote on the weir?")
    assert "15 to 4" not in out, out
    assert weir.rpartition("/")[0] in run("sources", "list")[1]
    assert run("sources", "remove", f"{site.url}/feed")[1] == (
        f"Followed no longer: {site.url}/feed (its articles stay)\nNo source is followed.\n"
    )
    assert run("sources")[1] == "No source is followed.\n"
