"""Word processors: .docx with python-docx, .odt with lxml, .rtf with striprtf."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from zipfile import BadZipFile

from index.formats.decode import decode
from index.formats.document import FILE_AUTHOR, Document, Item, Kind, begins
from index.formats.markup import parse_xml
from index.formats.zips import open_zip, part
from index.models import UnreadableError

_ODF = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_RTF_TITLE = re.compile(r"\{\\title ([^{}\\]{1,300})\}")


def _read_docx(document: Document) -> Iterator[Item]:
    import docx
    from docx.table import Table

    open_zip(document, what="Word document").close()
    try:
        opened = docx.Document(document.file)
        blocks = list(opened.iter_inner_content())
        properties = opened.core_properties
        fields = {"title": properties.title or "", FILE_AUTHOR: properties.author or ""}
    except (BadZipFile, KeyError, ValueError, AttributeError, zlib.error) as error:
        raise UnreadableError(
            "not a Word document that can be read: what it must hold is damaged or missing"
        ) from error
    paragraphs = list[str]()
    for block in blocks:
        if isinstance(block, Table):
            paragraphs += [" | ".join(dict.fromkeys(cell.text.strip() for cell in row.cells)) for row in block.rows]
            continue
        if block.style and block.style.name == "Title" and block.text.strip():
            fields["title"] = block.text.strip()
        else:
            paragraphs.append(block.text)
    yield Item(document.place, document.record("\n\n".join(filter(str.strip, paragraphs)), fields=_true(fields)))


def _read_odt(document: Document) -> Iterator[Item]:
    with open_zip(document, what="OpenDocument text") as opened:
        content, meta = parse_xml(part(opened, "content.xml")), parse_xml(part(opened, "meta.xml"))
    stated = {
        str(element.tag).rpartition("}")[2]: (element.text or "").strip()
        for element in meta.iter("{*}title", "{*}creator")
    }
    paragraphs = list[str]()
    for element in content.iter(f"{_ODF}h", f"{_ODF}p"):
        for mark, written in ((f"{_ODF}tab", "\t"), (f"{_ODF}line-break", "\n"), (f"{_ODF}s", " ")):
            for space in element.iter(mark):
                space.text = written
        if not any(True for _ in element.iterancestors(f"{_ODF}p", f"{_ODF}note")):  # of a frame, of a footnote
            paragraphs.append("".join(element.xpath(".//text()[not(ancestor::*[local-name()='note'])]")))
    fields = {"title": stated.get("title", ""), FILE_AUTHOR: stated.get("creator", "")}
    yield Item(document.place, document.record("\n\n".join(filter(str.strip, paragraphs)), fields=_true(fields)))


def _read_rtf(document: Document) -> Iterator[Item]:
    from striprtf.striprtf import rtf_to_text

    source = decode(document.content())
    title = _RTF_TITLE.search(source)
    text: str = rtf_to_text(source, errors="replace")  # type: ignore[no-untyped-call]  # its types are not whole
    paragraphs = "\n\n".join(line.strip() for line in text.splitlines() if line.strip())
    yield Item(document.place, document.record(paragraphs, fields={"title": title[1].strip() if title else ""}))


def _true(fields: dict[str, str]) -> dict[str, str]:
    """The fields without what programs write by themselves."""
    return {name: "" if value in {"python-docx", "Word Document"} else value for name, value in fields.items()}


DOCX = Kind("Word", (".docx",), _read_docx, lambda head: head.startswith(b"PK\3\4") and b"word/" in head)
ODT = Kind(
    "OpenDocument", (".odt",), _read_odt, lambda head: b"mimetypeapplication/vnd.oasis.opendocument.text" in head[:200]
)
RTF = Kind("RTF", (".rtf",), _read_rtf, begins(b"{\\rtf"))
