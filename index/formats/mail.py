"""Mail (.eml, .msg) and pages saved as one file (.mhtml). What is attached is read like any other file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import parseaddr
from io import BytesIO

from index.formats.decode import decode
from index.formats.document import MAX_FILE_BYTES, Document, Item, Kind, begins
from index.models import UnreadableError

_HEADER = re.compile(rb"(?im)^(received|return-path|mime-version|message-id|delivered-to|date|from|subject|to):")
_MAIL_ONLY = {b"received", b"return-path", b"mime-version", b"message-id", b"delivered-to"}
_QUOTED_FROM = re.compile(rb"(?m)^>(>*From )")  # as a line of a mail is written that begins with "From"
_MIN_HEADERS = 3
_ONE_MAIL = 2  # parts of a mailbox: what stands before it, and the mail
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MESSAGE_STREAM = "__properties_version1.0".encode("utf-16-le")


def _is_mail(head: bytes) -> bool:
    """Whether it begins with headers, of which some only a mail has: an article may begin with "From:" and "Date:"."""
    top = re.split(rb"\r?\n\r?\n", head.lstrip(), maxsplit=1)[0]
    if not re.match(rb"(?:From [^\r\n]+\r?\n)?[A-Za-z][A-Za-z-]{1,60}:", top):
        return False
    names = {name.lower() for name in _HEADER.findall(top)}
    return len(names) >= _MIN_HEADERS and bool(names & _MAIL_ONLY)


def _read_mail(document: Document) -> Iterator[Item | Document]:
    data = document.content(MAX_FILE_BYTES, "a mail")
    if data.startswith(b"From "):  # a mailbox; nothing stands before its first mail
        mails = re.split(rb"(?m)^(?=From [^\r\n]+\r?\n[A-Za-z-]+:)", data)
        if len(mails) > _ONE_MAIL:
            for number, mail in enumerate(mails[1:], start=1):
                yield document.member(f"mail {number}.eml", BytesIO(mail))
            return
        data = _QUOTED_FROM.sub(rb"\1", data)
    message = BytesParser(policy=policy.default).parsebytes(data)
    try:
        body = message.get_body(("html", "plain"))
        attached = list(message.iter_attachments()) if message.is_multipart() else []
    except (KeyError, ValueError, AttributeError) as error:  # headers that the library cannot make sense of
        raise UnreadableError(f"the mail is damaged ({type(error).__name__})") from error
    saved_from = _header(message, "Snapshot-Content-Location")
    sender = parseaddr(_header(message, "From"))[0]
    is_newsletter = bool(message["List-Id"] or message["List-Unsubscribe"])
    fields = {
        "title": "" if saved_from else _header(message, "Subject"), "url": saved_from,
        "published": "" if saved_from else _header(message, "Date"),
        ("outlet" if is_newsletter else "byline"): "" if saved_from else sender,
    }  # fmt: skip
    if body is not None:
        is_html = body.get_content_type() == "text/html"
        kind = "html" if saved_from else "fragment" if is_html else "text"
        yield Item(document.place, document.record(_text(body), kind, fields))
    for number, attachment in enumerate([] if saved_from else attached, start=1):
        name = attachment.get_filename() or f"attachment {number}"
        if attachment.get_content_type() == "message/rfc822":
            yield document.member(f"{name}.eml", BytesIO(attachment.get_content().as_bytes()))
        elif isinstance(held := attachment.get_payload(decode=True), bytes) and held:
            yield document.member(name, BytesIO(held))


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message[name] or "")
    except (
        ValueError,
        IndexError,
        AttributeError,
        TypeError,
        OverflowError,
    ):  # the library's parser fails on some broken headers
        return ""


def _text(body: MIMEPart) -> str:
    payload = body.get_payload(decode=True)
    return decode(payload, body.get_content_charset()) if isinstance(payload, bytes) else ""


def _read_msg(document: Document) -> Iterator[Item | Document]:
    from oxmsg import Message

    try:
        message = Message.load(document.file)
        html, text = message.html_body, message.body
        fields = {
            "title": message.subject or "",
            "byline": parseaddr(message.sender or "")[0],
            "published": message.sent_date,
        }
        attached = [(one.file_name, one.file_bytes) for one in message.attachments]
    except Exception as error:  # the library raises anything on a broken file
        raise UnreadableError("the Outlook message is damaged, or is an old Office document: save it as PDF") from error
    known = {name: value for name, value in fields.items() if value}
    yield Item(document.place, document.record(html or text or "", "fragment" if html else "text", known))
    for name, data in attached:
        if data:
            yield document.member(name or "attachment", BytesIO(data))


EML = Kind("mail", (".eml", ".mbox", ".mhtml", ".mht"), _read_mail, _is_mail)
MSG = Kind("Outlook mail", (".msg",), _read_msg, lambda head: head.startswith(_OLE) and _MESSAGE_STREAM in head)
OLD_OFFICE = begins(_OLE)
