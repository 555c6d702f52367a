"""The JSON of news APIs and crawlers, each in its own shape, with words of our own."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest

from index.cleaning.clean import clean
from index.formats.document import Document, Item
from index.formats.news_json import record_of
from index.formats.registry import read
from index.load import load
from index.models import Article, Failure, RawRecord

BODY = "The council of Arden voted by 12 to 7 to rebuild the weir.\n\nWork begins in June, the mayor said."
HTML = "<p>The council of Arden voted by 12 to 7 to rebuild the weir.</p>\n<p>Work begins in June, the mayor said.</p>"
URL = "https://news.example/2024/weir"


def items(value: object, name: str = "a.json") -> list[Item]:
    """What comes of a file with this value."""
    data = value if isinstance(value, str) else json.dumps(value)
    found = list(read(Document(f"/news/{name}", BytesIO(data.encode()))))
    assert all(isinstance(item, Item) for item in found)
    return [item for item in found if isinstance(item, Item)]


def records(value: object, name: str = "a.json") -> list[RawRecord]:
    """The records of a file, of which none failed."""
    found = [item.content for item in items(value, name)]
    assert not [reason for reason in found if isinstance(reason, str)]
    return [record for record in found if isinstance(record, RawRecord)]


def article(value: object) -> Article:
    """The only article of a file, cleaned."""
    (record,) = records(value)
    return clean(record)


NEWSAPI = {
    "status": "ok", "totalResults": 1,
    "articles": [{
        "source": {"id": None, "name": "The Arden Post"}, "author": "Ann Lee", "title": "Weir to be rebuilt",
        "description": "The council of Arden voted by 12 to 7 to rebuild the weir.", "url": URL,
        "publishedAt": "2024-05-03T10:00:00Z",
        "urlToImage": "https://x.example/a.jpg", "content": "Work begins in June, the mayor said… [+2345 chars]",
    }],
}  # fmt: skip
GUARDIAN = {"response": {"status": "ok", "total": 1, "results": [{
    "id": "world/2024/may/03/weir", "sectionName": "World", "webPublicationDate": "2024-05-03T10:00:00Z",
    "webTitle": "Weir to be rebuilt", "webUrl": URL,
    "fields": {
        "headline": "Weir to be rebuilt", "byline": "Ann Lee", "bodyText": BODY, "publication": "The Arden Post",
    },
}]}}  # fmt: skip
NYT = {"status": "OK", "copyright": "(c)", "response": {"docs": [{
    "_id": "nyt://article/1", "web_url": URL, "pub_date": "2024-05-03T10:00:00+0000", "source": "The Arden Post",
    "abstract": "The council of Arden voted by 12 to 7 to rebuild the weir.", "byline": {"original": "By Ann Lee"},
    "lead_paragraph": "Work begins in June, the mayor said.", "snippet": "Work begins in June, the mayor said.",
    "headline": {"main": "Weir to be rebuilt", "kicker": None}, "section_name": "World",
}], "meta": {"hits": 1}}}  # fmt: skip
MEDIA_CLOUD = [{
    "stories_id": 12, "title": "Weir to be rebuilt", "publish_date": "2024-05-03 10:00:00", "url": URL,
    "language": "en", "media_name": "The Arden Post", "media_url": "https://news.example", "story_text": BODY,
}]  # fmt: skip
EVENT_REGISTRY = {"articles": {"page": 1, "results": [{
    "uri": "8100", "lang": "eng", "date": "2024-05-03", "dateTime": "2024-05-03T10:00:00Z", "url": URL, "body": BODY,
    "title": "Weir to be rebuilt", "source": {"uri": "news.example", "title": "The Arden Post"},
    "authors": [{"uri": "ann_lee@news.example", "name": "Ann Lee", "type": "author"}],
}]}}  # fmt: skip
WORDPRESS = [{
    "id": 7, "date": "2024-05-03T10:00:00", "date_gmt": "2024-05-03T09:00:00", "guid": {"rendered": f"{URL}?p=7"},
    "modified_gmt": "2024-05-04T09:00:00", "link": URL, "title": {"rendered": "Weir to be <em>rebuilt</em>"},
    "content": {"rendered": HTML, "protected": False}, "excerpt": {"rendered": "<p>The council…</p>"}, "author": 5,
    "_embedded": {"author": [{"id": 5, "name": "Ann Lee"}]},
}]  # fmt: skip
JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1", "title": "The Arden Post", "home_page_url": "https://news.example",
    "description": "All the news of Arden", "items": [{
        "id": URL, "url": URL, "title": "Weir to be rebuilt", "content_html": HTML,
        "date_published": "2024-05-03T10:00:00Z", "authors": [{"name": "Ann Lee"}],
    }],
}  # fmt: skip
NEWS_PLEASE = {
    "authors": ["Ann Lee"], "date_download": "2024-06-01 00:00:00", "date_modify": None, "language": "en",
    "date_publish": "2024-05-03 10:00:00", "description": "A weir.", "filename": "x.json", "maintext": BODY,
    "text": None, "source_domain": "news.example", "title": "Weir to be rebuilt", "url": URL,
}  # fmt: skip
FUNDUS = {
    "title": "Weir to be rebuilt", "authors": ["Ann Lee"], "publishing_date": "2024-05-03 10:00:00+00:00",
    "body": {
        "summary": ["The council of Arden voted by 12 to 7 to rebuild the weir."],
        "sections": [{"headline": [], "paragraphs": ["Work begins in June, the mayor said."]}],
    },
    "topics": ["Weirs"], "free_access": True,
}  # fmt: skip
NINJS = {
    "uri": "urn:arden:weir", "type": "text", "version": "2", "versioncreated": "2024-05-03T10:00:00Z",
    "pubstatus": "usable", "headline": "Weir to be rebuilt", "byline": "Ann Lee", "body_html": HTML,
    "copyrightholder": "The Arden Post",
    "ednote": "Corrects the vote.",
}  # fmt: skip
NINJS_2 = {
    "uri": "urn:arden:weir", "pubstatus": "usable", "versioncreated": "2024-05-03T10:00:00Z",
    "headlines": [{"role": "main", "value": "Weir to be rebuilt"}], "by": "Ann Lee",
    "bodies": [{"role": "main", "contenttype": "text/html", "value": HTML}],
}  # fmt: skip
ELASTIC = {"took": 3, "hits": {"total": 1, "hits": [{"_index": "n", "_id": "abc", "_source": {
    "headline": "Weir to be rebuilt", "content": BODY, "timestamp": 1714730400000, "source": "The Arden Post",
}}]}}  # fmt: skip
POSTS = {"posts": [{"headline": "Weir to be rebuilt", "body": BODY, "date": 1714730400, "link": URL}]}
SHAPES: dict[str, Any] = {
    "NewsAPI": NEWSAPI, "Guardian": GUARDIAN, "NYT": NYT, "Media Cloud": MEDIA_CLOUD, "Event Registry": EVENT_REGISTRY,
    "WordPress": WORDPRESS, "JSON Feed": JSON_FEED, "news-please": NEWS_PLEASE, "fundus": FUNDUS, "ninjs": NINJS,
    "ninjs 2": NINJS_2, "Elasticsearch": ELASTIC, "posts": POSTS,
}  # fmt: skip
WITHOUT_OUTLET, WITHOUT_BYLINE = {"fundus", "ninjs 2"}, {"Media Cloud", "news-please", "Elasticsearch", "posts"}


@pytest.mark.parametrize("name", SHAPES)
def test_the_shape_of_an_api_is_read(name: str) -> None:
    """Text, headline, day, outlet and byline stand where each of them puts it; HTML inside a text is HTML."""
    read_as = article(SHAPES[name])
    assert read_as.body.replace("said …", "said.") == BODY
    source = read_as.source
    assert (source.headline, str(source.published)) == ("Weir to be rebuilt", "2024-05-03")
    if name not in WITHOUT_OUTLET:
        assert source.outlet in {"The Arden Post", "news.example"}
    assert source.byline == (None if name in WITHOUT_BYLINE - {"news-please"} else "Ann Lee")


def test_the_name_of_the_outlet_is_no_part_of_a_headline() -> None:
    """If the record names that outlet; the Guardian's own headline goes before the title of its page."""
    (story,), (result,) = SHAPES["NewsAPI"]["articles"], SHAPES["Guardian"]["response"]["results"]
    for title, shown in (
        ("Weir to be rebuilt - The Arden Post", "Weir to be rebuilt"),
        ("Weir - Post", "Weir - Post"),
        ("The Arden Post", "The Arden Post"),
    ):
        assert article({"articles": [{**story, "title": title}]}).source.headline == shown
    assert article([{**result, "webTitle": "Weir to be rebuilt | Ann Lee"}]).source.headline == "Weir to be rebuilt"


@pytest.mark.parametrize("named", [{"infosource": [{"name": "Arden Wire"}]}, {"infoSources": [{"name": "Arden Wire"}]}])
def test_the_source_of_ninjs_is_its_outlet(named: dict[str, object]) -> None:
    """If it names no other."""
    assert article({**NINJS_2, **named}).source.outlet == "Arden Wire"
    assert article({**NINJS, **named}).source.outlet == "The Arden Post"


@pytest.mark.parametrize("content", ["ONLY AVAILABLE IN PAID PLANS", "Work begins in June... [1234 chars]"])
def test_what_an_api_keeps_for_those_who_pay_is_no_text(content: str) -> None:
    """Nor is its count of what is missing."""
    body = article({"title": "Weir", "link": URL, "description": "The weir is to be rebuilt.", "content": content}).body
    assert body.startswith("The weir is to be rebuilt.")
    assert not any(mark in body for mark in ("PAID", "chars"))


def test_a_list_of_links_is_no_list_of_articles(tmp_path: Path) -> None:
    """GDELT gives headlines and links: each is named with what to do."""
    link = {"url": URL, "title": "Weir to be rebuilt", "seendate": "20240503T100000Z", "domain": "news.example"}
    (tmp_path / "a.json").write_text(json.dumps({"articles": [link]}))
    assert list(load([tmp_path])) == [
        Failure(
            f"{tmp_path}/a.json",
            "record 1: only a headline and a link: `clippings index URL` reads the page of a link",
        )
    ]


def test_a_day_of_download_is_no_certain_day_of_publication() -> None:
    """It is taken if there is no other, and marked."""
    source = article({**NEWS_PLEASE, "date_publish": None}).source
    assert (str(source.published), source.published_certain) == ("2024-06-01", False)


@pytest.mark.parametrize("seconds", [1714730400, 1714730400000, "1714730400", "1714730400000", 1714730400.5])
def test_seconds_and_milliseconds_since_1970_are_days(seconds: object) -> None:
    """Not years, as dateparser takes them for."""
    assert str(article({"text": BODY, "published": seconds}).source.published) == "2024-05-03"


def test_a_day_of_a_table_with_types_is_read() -> None:
    """Parquet holds days and moments, not their texts."""
    for held in (date(2024, 5, 3), datetime(2024, 5, 3, 10, tzinfo=UTC)):
        record = record_of(Document("/news/a.parquet", BytesIO()), {"maintext": BODY, "date_publish": held})
        assert str(clean(record).source.published) == "2024-05-03"


def test_what_newsapi_says_was_removed_is_withdrawn() -> None:
    """It is no article, and takes the one of that address out of the index."""
    (stub,) = records({"url": URL, "title": "[Removed]", "content": "[Removed]", "publishedAt": "1970-01-01T00:00:00Z"})
    assert stub.withdrawn


def test_a_record_is_known_by_its_address() -> None:
    """Not by its place in the file, its tracking or its text, which may be corrected; by its id, if it has one."""
    first, second = ({"url": URL, "text": text} for text in (BODY, "Another text."))
    tracked = {"url": f"{URL}?utm_source=x#top", "text": BODY}
    keys = {record.key for value in (first, second, tracked) for record in records(value)}
    assert len(keys) == 1
    assert keys.pop().startswith("weir-")
    assert records({**first, "id": 7})[0].key == "7"


def test_posts_of_two_sites_with_a_number_in_common_are_two() -> None:
    """WordPress counts its posts."""
    other = [{**WORDPRESS[0], "link": "https://other.example/weir"}]
    assert records(WORDPRESS)[0].key != records(other)[0].key


@pytest.mark.parametrize("status", ["draft", "private", "future", "trash", "inherit"])
def test_a_post_that_is_not_published_is_a_draft(status: str) -> None:
    """What WordPress says of a post; a status of other records is none of it."""
    (record,) = records([{**WORDPRESS[0], "status": status}])
    assert (record.kind, record.withdrawn, record.text) == ("draft", True, "withdrawn")
    assert not records([{**WORDPRESS[0], "status": "publish"}])[0].withdrawn
    assert not records([{"text": BODY, "status": status}])[0].withdrawn


def test_versions_of_a_record_are_ordered() -> None:
    """By their number, then by when they were updated, in whatever time zone."""
    revisions = [
        records({"id": "a", "text": BODY, **stated})[0].revision
        for stated in (
            {}, {"updated": "2024-05-03T12:00:00+05:00"}, {"updated": "2024-05-03T08:00:00Z"}, {"version": 2},
            {"version": 10},
        )
    ]  # fmt: skip
    assert revisions == sorted(revisions)
    assert len(set(revisions)) == len(revisions)


@pytest.mark.parametrize("status", ["canceled", "withheld"])
def test_a_story_that_must_not_be_used_is_marked(status: str) -> None:
    """Its text is dropped; it need not have any."""
    (record,) = records({"uri": "urn:arden:weir", "pubstatus": status, "version": "3"})
    assert (record.key, record.withdrawn, record.text) == ("urn:arden:weir", True, "withdrawn")


@pytest.mark.parametrize(
    "stated",
    [
        {"pubStatus": "canceled"}, {"PubStatus": "Canceled"}, {"pub_status": "stat:withheld"},
        {"pubStatus": {"qcode": "stat:canceled"}}, {"itemMeta": {"pubStatus": "canceled"}},
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body",
    [
        {"bodies": [{"value": BODY}]},
        {},
        {"headlines": [{"value": "KILL: Weir"}], "links": [URL], "url": URL},
    ],
)
def test_a_kill_is_obeyed_however_it_is_written(stated: dict[str, object], body: dict[str, object]) -> None:
    """In the capitals of ninjs 1, 2 and 3, with a text or without."""
    (record,) = records({"uri": "urn:arden:weir", "version": "3", **stated, **body})
    assert (record.key, record.withdrawn, record.kind == "headline") == ("urn:arden:weir", True, False)
    (usable,) = records({**NINJS_2, "pubStatus": "usable", "associations": {"main": {"pubStatus": "canceled"}}})
    assert not usable.withdrawn


def test_what_a_version_says_of_itself_is_known_in_other_letters() -> None:
    """Its number, a note on a correction, an embargo."""
    record = {"uri": "urn:arden:weir", "bodies": [{"value": BODY}]}
    (first,), (second,) = (records({**record, "Version": number, "edNote": "Corrects the vote."}) for number in (9, 10))
    assert first.revision < second.revision
    assert ("correction", "Corrects the vote.") in clean(second).boilerplate


@pytest.mark.parametrize(("stated", "year"), [("2030-01-01T00:00:00Z", 2030), ("until further notice", 9999), ("", 0)])
def test_an_embargo_without_an_end_goes_on(stated: str, year: int) -> None:
    """It is no reason to use the story."""
    (record,) = records({"uri": "urn:arden:weir", "text": BODY, "Embargoed": stated})
    assert (record.embargo.year if record.embargo else 0) == year


def test_a_correction_is_said() -> None:
    """The sender's note stands beside the article, and not in it."""
    read_as = article(NINJS)
    assert ("correction", "Corrects the vote.") in read_as.boilerplate
    assert "Corrects" not in read_as.body


def test_a_feed_in_a_text_file_is_a_feed() -> None:
    """Content decides, where the name leaves it open."""
    for name in ("feed.txt", "feed", "feed.md"):
        assert len(records(JSON_FEED, name)) == 1


def test_lines_of_records_are_read_from_a_file_that_is_named_json() -> None:
    """Each line is an object."""
    lines = "\n".join(json.dumps({"id": number, "text": BODY}) for number in range(3))
    assert [record.key for record in records(lines)] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "keys",
    [
        ("Title", "Published Date", "Body", "Source"),
        ("HEADLINE", "publication-date", "FULL TEXT", "Outlet"),
        ("headline", "PubDate", "Article_Body", "Media Name"),
    ],
)
def test_keys_in_other_letters_are_known(keys: tuple[str, str, str, str]) -> None:
    """Capitals, blanks and hyphens, as spreadsheets have them; also as columns of a table."""
    record = dict(zip(keys, ("Weir to be rebuilt", "2024-05-03", BODY, "The Arden Post"), strict=True))
    table = StringIO()
    csv.writer(table).writerows([record.keys(), record.values()])
    for read_article in (article(record), clean(records(table.getvalue(), "a.csv")[0])):
        assert read_article.body == BODY
        source = read_article.source
        assert (source.headline, source.outlet) == ("Weir to be rebuilt", "The Arden Post")
        assert source.published == date(2024, 5, 3)


def test_a_known_key_goes_before_one_in_other_letters() -> None:
    """Both are kept."""
    record = records({"title": "Weir to be rebuilt", "Title": "X", "text": BODY})[0]
    assert (record.fields["title"], record.fields["Title"]) == ("Weir to be rebuilt", "X")
