"""The news trade's own XML: NITF, NewsML-G2 and NewsML 1, with lxml."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from lxml import etree

from index.formats.document import Document, Item
from index.formats.editions import embargo_until, is_withdrawn, revision_of, when
from index.formats.markup import local_name, markup_of, parse_xml, text_of
from index.models import RawRecord, UnreadableError

TRADE = ("nitf", "newsItem", "newsMessage", "packageItem", "knowledgeItem", "conceptItem", "NewsML")
"""The first elements of these forms."""
Read = Callable[[Document, Any], RawRecord]  # an element of lxml, which has no types
_LAST_VERSION = 9_999_999_999  # of a story of which only the id is said
_G2_BODIES = ("body.content", "body", "inlineData")


def trade_items(document: Document, root: str, data: bytes) -> Iterator[Item]:
    """The stories of a file, by the name of its first element."""
    read: Read = {"nitf": _from_nitf, "NewsML": _from_newsml_1}.get(root, _from_newsml)
    tree = parse_xml(data)
    items = [tree] if root == "nitf" else [item for item in tree.iter() if local_name(item).lower() == "newsitem"]
    if not items:
        raise UnreadableError("no news item in it")
    for number, item in enumerate(items, start=1):
        place = ": ".join(filter(None, [document.place, f"item {number}" if len(items) > 1 else ""]))
        try:
            yield Item(place, read(document, item))
        except UnreadableError as error:
            yield Item(place, str(error))
    for management in tree.iter("{*}docdata"):  # NITF that takes back another story
        if is_withdrawn(management.get("management-idref-status")) and (key := management.get("management-doc-idref")):
            killed = document.record("withdrawn", key=key)
            yield Item(document.place, replace(killed, withdrawn=True, revision=revision_of(_LAST_VERSION, None)))


def _from_nitf(document: Document, root: etree._Element) -> RawRecord:
    """News Industry Text Format: https://iptc.org/standards/nitf/."""
    find = root.find
    data = find(".//{*}docdata")
    data = etree.Element("docdata") if data is None else data

    def stated(name: str, attribute: str) -> str:
        element = data.find(f".//{{*}}{name}")
        return (element.get(attribute) or "") if element is not None else ""

    fields = {
        "title": text_of(find(".//{*}hedline/{*}hl1")) or text_of(find(".//{*}head/{*}title")),
        "byline": text_of(find(".//{*}byline")),
        "published": stated("date.issue", "norm") or text_of(find(".//{*}dateline/{*}story.date")),
        "outlet": next((name for data in root.iter("{*}pubdata") if (name := data.get("name"))), "")
        or text_of(find(".//{*}distributor"))
        or stated("doc.copyright", "holder"),
        "correction": stated("correction", "info") or stated("ed-msg", "info"),
    }
    body = find(".//{*}body.content")
    status = data.get("management-status") or ""
    version = stated("du-key", "version") or stated("doc-id", "version")
    key = stated("doc-id", "id-string") or stated("du-key", "key")
    withdrawn = is_withdrawn(status)
    record = document.record("withdrawn" if withdrawn else markup_of(body), "fragment", fields, key)
    revision = revision_of(version, when(fields["published"]))
    embargo = embargo_until(stated("date.release", "norm"), is_embargoed=status.lower() == "embargoed")
    return replace(record, revision=revision, withdrawn=withdrawn, embargo=embargo)


def _from_newsml(document: Document, item: etree._Element) -> RawRecord:
    """NewsML-G2: https://iptc.org/standards/newsml-g2/. The text is NITF or XHTML inside, or plain."""
    find = item.find
    meta, content = find("{*}itemMeta"), find("{*}contentMeta")
    meta = etree.Element("itemMeta") if meta is None else meta
    content = etree.Element("contentMeta") if content is None else content
    status = meta.find("{*}pubStatus")
    status_code = (status.get("qcode") or status.get("uri") or "") if status is not None else ""
    titles = map(text_of, (content.find("{*}headline"), find(".//{*}hl1"), find(".//{*}head/{*}title")))
    links = [element.get("href") or "" for element in item.iter("{*}link")]
    created = text_of(content.find("{*}contentModified")) or text_of(meta.find("{*}versionCreated"))
    fields = {
        "title": next(filter(None, titles), ""),
        "byline": text_of(content.find("{*}by")) or text_of(content.find("{*}creator/{*}name")),
        "published": text_of(content.find("{*}contentCreated")) or text_of(meta.find("{*}firstCreated")) or created,
        "outlet": _party(content.find("{*}infoSource")) or _party(meta.find("{*}provider")),
        "url": next((link for link in links if link.startswith("http")), ""),
        "correction": text_of(meta.find("{*}edNote")),
    }  # fmt: skip
    body = next((found for name in _G2_BODIES if (found := find(f".//{{*}}{name}")) is not None), None)
    withdrawn = is_withdrawn(status_code)
    text = "withdrawn" if withdrawn else markup_of(body)
    record = document.record(text, "fragment", fields, item.get("guid") or "")
    revision, embargoed = revision_of(item.get("version"), when(created)), meta.find("{*}embargoed")
    embargo = embargo_until(text_of(embargoed), is_embargoed=embargoed is not None)  # empty: until further notice
    return replace(record, revision=revision, withdrawn=withdrawn, embargo=embargo)


def _from_newsml_1(document: Document, item: etree._Element) -> RawRecord:
    """NewsML 1: https://iptc.org/standards/newsml-1/, which some agencies still send; NITF, HTML or plain inside."""

    def stated(path: str) -> str:
        element = item.find(f".//{{*}}{path}")
        return text_of(element) or ((element.get("FormalName") or "") if element is not None else "")

    fields = {
        "title": stated("HeadLine"), "byline": stated("ByLine"), "published": stated("FirstCreated"),
        "outlet": stated("Provider/{*}Party") or stated("ProviderId"), "correction": stated("Instruction"),
    }  # fmt: skip
    content = item.find(".//{*}DataContent")
    body = content.find(".//{*}body.content") if content is not None else None
    withdrawn = is_withdrawn(stated("Status"))
    text = "withdrawn" if withdrawn else markup_of(content if body is None else body)
    # Not the public identifier, which ends with the number of the revision.
    key = ":".join(filter(None, map(stated, ("ProviderId", "DateId", "NewsItemId"))))
    record = document.record(text, "fragment", fields, key)
    revision = revision_of(stated("RevisionId"), when(stated("ThisRevisionCreated")))
    is_embargoed = stated("Status").lower() == "embargoed"
    ends = stated("StatusWillChange/{*}DateAndTime") if is_embargoed else ""
    embargo = embargo_until(ends, is_embargoed=is_embargoed)
    return replace(record, revision=revision, withdrawn=withdrawn, embargo=embargo)


def _party(element: etree._Element | None) -> str:
    """The name of a provider: in words, or what its code ends with: ``"nprov:AP" -> "AP"``."""
    if element is None:
        return ""
    code = (element.get("qcode") or "").rpartition(":")[2]
    return text_of(element.find("{*}name")) or element.get("literal") or ("" if any(map(str.isdigit, code)) else code)
