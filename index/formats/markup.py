"""XML of strangers: no entities, no network, no document types, no endless trees."""

from __future__ import annotations

import re

from lxml import etree

from index.models import UnreadableError

_NO_NAME = re.compile(r"^[\d.-]+|[^\w.-]+")


def parse_xml(data: bytes) -> etree._Element:
    """Parse XML, mended where it can be; an empty element for nothing. Raises UnreadableError if it is hopeless.

    Entities stay as they are written, so that no few of them become gigabytes and none reads a file.
    """
    if not data.strip():
        return etree.Element("nothing")
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=True, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError("the XML is damaged") from error
    if root is None:
        raise UnreadableError("the XML is damaged")
    return root


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace; "" for what is no element."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def text_of(element: etree._Element | None) -> str:
    """The text inside an element, on one line."""
    return " ".join("".join(map(str, element.itertext())).split()) if element is not None else ""


def markup_of(element: etree._Element | None) -> str:
    """What stands inside an element, as HTML: escaped HTML as it is, elements written out without namespaces."""
    if element is None:
        return ""
    if not len(element):
        return element.text or ""
    for inner in element.iter():
        if isinstance(inner.tag, str):
            inner.tag = _NO_NAME.sub("", local_name(inner)) or "span"  # of a file that was mended: "content10:00"
    return (element.text or "") + "".join(etree.tostring(inner, encoding="unicode", method="html") for inner in element)
