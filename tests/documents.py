"""Documents of all kinds, made from a story."""

from __future__ import annotations

import gzip
import tarfile
import textwrap
import zipfile
from email.message import EmailMessage
from io import BytesIO

STORY = (
    "The council of Arden voted by 12 to 7 to rebuild the weir, which the flood of January had torn away.",
    "Work begins in June, the mayor said. The river will be closed to boats until the end of September.",
)
TITLE = "Weir to be rebuilt"
PARAGRAPHS = "".join(f"<p>{paragraph}</p>" for paragraph in STORY)
TEXT = f"{TITLE}\n\n" + "\n\n".join(STORY)


def pdf(*lines: str, pages: int = 1) -> bytes:
    """A PDF whose pages hold these lines."""
    shown = "".join(f"({line}) Tj T*\n" for line in lines)
    content = f"BT /F1 11 Tf 50 780 Td 14 TL\n{shown}ET"
    kids = " ".join(["3 0 R"] * pages)
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
        "<</Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources <</Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, held in enumerate(objects, start=1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{held}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    end = f"xref\n0 6\n0000000000 65535 f \n{table}trailer << /Size 6 /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF"
    return data + end.encode()


def story_pdf() -> bytes:
    """The story as a PDF."""
    return pdf(TITLE, *(line for paragraph in STORY for line in textwrap.wrap(paragraph, 60)))


def docx() -> bytes:
    """The story as a Word document, with a table."""
    import docx

    document, data = docx.Document(), BytesIO()
    document.add_heading(TITLE, 0)
    for paragraph in STORY:
        document.add_paragraph(paragraph)
    cells = document.add_table(1, 2).rows[0].cells
    cells[0].text, cells[1].text = "In favour", "12"
    document.save(data)
    return data.getvalue()


def zipped(*members: tuple[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file."""
    data = BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return data.getvalue()


def odt() -> bytes:
    """The story as an OpenDocument text."""
    office, text = (f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0" for name in ("office", "text"))
    paragraphs = "".join(f"<t:p>{paragraph}</t:p>" for paragraph in STORY)
    content = f'<o:c xmlns:o="{office}" xmlns:t="{text}"><t:h>{TITLE}</t:h>{paragraphs}</o:c>'
    title = f'<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{TITLE}</dc:title></m>'
    mimetype = ("mimetype", "application/vnd.oasis.opendocument.text")
    return zipped(mimetype, ("content.xml", content), ("meta.xml", title), method=zipfile.ZIP_STORED)


def epub() -> bytes:
    """A paper with a cover and the story, as an EPUB."""
    container = '<c><rootfiles><rootfile full-path="in/c.opf"/></rootfiles></c>'
    items = '<item id="a" href="cover.xhtml"/><item id="b" href="weir.xhtml"/>'
    package = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:publisher>The Arden Post</dc:publisher>'
        f"<dc:date>2024-05-03</dc:date>{items}"
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    return zipped(
        ("mimetype", "application/epub+zip"), ("META-INF/container.xml", container), ("in/c.opf", package),
        ("in/cover.xhtml", "<html><body><img/></body></html>"),
        ("in/weir.xhtml", f"<html><head><title>x</title></head><body><h1>{TITLE}</h1>{PARAGRAPHS}</body></html>"),
        method=zipfile.ZIP_STORED,
    )  # fmt: skip


def mail(*, attached: bytes = b"", html: bool = False) -> bytes:
    """A newsletter with the story, perhaps with a PDF attached."""
    message = EmailMessage()
    message["From"], message["To"] = "The Arden Post <news@arden.example>", "reader@example.org"
    message["Subject"], message["Date"] = TITLE, "Fri, 03 May 2024 10:00:00 +0000"
    message["Message-ID"], message["List-Id"] = "<1@arden.example>", "<news.arden.example>"
    message.set_content("\n\n".join(STORY))
    if html:
        message.add_alternative(f"<html><body>{PARAGRAPHS}</body></html>", subtype="html")
    if attached:
        message.add_attachment(attached, maintype="application", subtype="pdf", filename="weir.pdf")
    return message.as_bytes()


def page() -> str:
    """The story as a page."""
    head = f"<title>{TITLE}</title><meta property='og:site_name' content='The Arden Post'>"
    article = f"<article><h1>{TITLE}</h1>{PARAGRAPHS * 2}</article>"
    return f"<!doctype html><html><head>{head}</head><body>{article}</body></html>"


def saved_page() -> bytes:
    """The story as a page that a browser saved as a file."""
    head = (
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://arden.example/weir\r\nSubject: x\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="cut"\r\n\r\n'
    )
    return f"{head}--cut\r\nContent-Type: text/html\r\n\r\n{page()}\r\n--cut--\r\n".encode()


def rss(*, content: str = PARAGRAPHS, link: str = "https://arden.example/weir") -> str:
    """A feed with the story."""
    entry = (
        f"<item><title>{TITLE}</title><link>{link}</link><pubDate>Fri, 03 May 2024 10:00:00 GMT</pubDate>"
        f"<content:encoded><![CDATA[{content}]]></content:encoded></item>"
    )
    space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return (
        f'<?xml version="1.0"?><rss version="2.0" {space}><channel><title>The Arden Post</title>{entry}</channel></rss>'
    )


def atom() -> str:
    """A feed with the story, in the other form."""
    entry = (
        f"<entry><title>{TITLE}</title><link href='https://arden.example/weir'/><id>urn:weir</id>"
        f"<updated>2024-05-03T10:00:00Z</updated><content type='xhtml'><div>{PARAGRAPHS}</div></content></entry>"
    )
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>The Arden Post</title>{entry}</feed>"


def wordpress() -> str:
    """An export of WordPress: the story, a draft and a picture."""

    def item(kind: str, status: str) -> str:
        return (
            f"<item><title>{TITLE}</title><link>https://arden.example/{kind}-{status}</link>"
            f"<content:encoded><![CDATA[{PARAGRAPHS}]]></content:encoded><wp:post_type>{kind}</wp:post_type>"
            f"<wp:status>{status}</wp:status></item>"
        )

    spaces = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wp="http://wordpress.org/export/1.2/"'
    items = item("post", "publish") + item("post", "draft") + item("attachment", "inherit")
    return f"<rss version='2.0' {spaces}><channel><title>The Arden Post</title>{items}</channel></rss>"


def nitf(*, version: int = 1, status: str = "usable", release: str = "", note: str = "") -> str:
    """The story in NITF."""
    return (
        f'<?xml version="1.0"?><nitf><head><title>x</title><docdata management-status="{status}">'
        f'<doc-id id-string="arden-weir"/><du-key version="{version}"/><date.issue norm="20240503T100000Z"/>'
        f'<date.release norm="{release}"/><ed-msg info="{note}"/>'
        '<doc.copyright holder="The Arden Post"/></docdata></head>'
        f"<body><body.head><hedline><hl1>{TITLE}</hl1></hedline><byline>By Ann Lee</byline></body.head>"
        f"<body.content><block>{PARAGRAPHS}</block></body.content></body></nitf>"
    )


def newsml(
    *, version: int = 1, status: str = "usable", embargo: str = "", note: str = "", body: str = PARAGRAPHS
) -> str:
    """The story in NewsML-G2."""
    embargoed = f"<embargoed>{embargo}</embargoed>" if embargo else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" standard="NewsML-G2"'
        f' guid="urn:newsml:arden:weir" version="{version}"><itemMeta><provider><name>The Arden Post</name></provider>'
        f"<versionCreated>2024-05-0{min(version + 2, 9)}T10:00:00Z</versionCreated>{embargoed}"
        f'<pubStatus qcode="stat:{status}"/><edNote>{note}</edNote></itemMeta><contentMeta>'
        f"<contentCreated>2024-05-03T10:00:00Z</contentCreated><headline>{TITLE}</headline>"
        "<by>Ann Lee</by></contentMeta>"
        '<contentSet><inlineXML contenttype="application/xhtml+xml"><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title>x</title></head><body>{body}</body></html></inlineXML></contentSet></newsItem>"
    )


def newsml_1(*, version: int = 1, status: str = "Usable", note: str = "") -> str:
    """The story in NewsML 1."""
    return (
        "<NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>arden.example</ProviderId><DateId>20240503</DateId>"
        f"<NewsItemId>weir</NewsItemId><RevisionId>{version}</RevisionId></NewsIdentifier></Identification>"
        f'<NewsManagement><FirstCreated>20240503T100000Z</FirstCreated><Status FormalName="{status}"/>'
        f"<Instruction>{note}</Instruction></NewsManagement><NewsComponent><NewsLines><HeadLine>{TITLE}</HeadLine>"
        '</NewsLines><Provider><Party FormalName="The Arden Post"/></Provider><ContentItem><DataContent><nitf><body>'
        f"<body.content>{PARAGRAPHS}</body.content></body></nitf></DataContent></ContentItem></NewsComponent>"
        "</NewsItem></NewsML>"
    )


def warc(url: str = "https://arden.example/weir") -> bytes:
    """The story as a page in a web archive, beside a picture."""
    data = b""
    for address, kind, content in ((url, "text/html", page().encode()), (f"{url}.png", "image/png", b"\x89PNG")):
        reply = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode() + content
        head = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {address}\r\nWARC-Date: 2024-05-04T00:00:00Z\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(reply)}\r\n\r\n"
        )
        data += gzip.compress(head.encode() + reply + b"\r\n\r\n")
    return data


def tar(*members: tuple[str, bytes]) -> bytes:
    """A compressed tar file."""
    data = BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    return data.getvalue()


def rtf() -> bytes:
    """The story in RTF."""
    return (r"{\rtf1\ansi{\info{\title " + TITLE + "}}" + r"\par ".join(STORY) + "}").encode()


def one_of_each() -> dict[str, bytes]:
    """The story in every kind of file, by name."""
    row = (TITLE, f'"{STORY[0]}\n\n{STORY[1]}"', "2024-05-03", "The Arden Post")
    rows = (("headline", "content", "date", "source"), row)
    table, tabs = (("\n".join(map(separator.join, rows))).encode() for separator in (",", "\t"))
    return {
        "a.txt": TEXT.encode(), "a.md": f"# {TEXT}".encode(), "a.html": page().encode(), "a.pdf": story_pdf(),
        "a.docx": docx(), "a.odt": odt(), "a.rtf": rtf(), "a.epub": epub(), "a.eml": mail(), "b.eml": mail(html=True),
        "a.mhtml": saved_page(), "a.csv": table, "b.tsv": tabs, "a.rss": rss(link="https://arden.example/rss").encode(),
        "a.atom": atom().encode(), "b.xml": wordpress().encode(), "a.nitf": nitf().encode(),
        "c.xml": newsml().encode(), "d.xml": newsml_1().encode(),
        "a.warc.gz": warc("https://arden.example/warc"),
        "a.zip": zipped(("in/a.txt", TEXT)), "a.tgz": tar(("a.txt", TEXT.encode())),
        "a.txt.gz": gzip.compress(TEXT.encode()),
    }  # fmt: skip
