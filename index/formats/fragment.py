"""The HTML of an article alone, as feeds, mails and news APIs hold it -> paragraphs of text.

A whole page goes through trafilatura, which finds the article in it. Here nothing is left out but what no reader sees
and what stands beside the text: captions, menus, forms.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree, html

_PARAGRAPHS = frozenset(
    "address article aside blockquote body caption dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 "
    "h6 header hr html li main nav ol p pre section table tbody tfoot thead tr ul media hedline".split()
)
_LEFT_OUT = frozenset(
    "aside audio button figcaption footer form head iframe input math nav noscript object script select style svg "
    "template textarea title video media-caption media-producer media-reference".split()
)
_UNSEEN = frozenset("audio head iframe input math object script select style svg template textarea title video".split())
_CELLS = frozenset(("td", "th"))
_BULLET, _LINE_BREAK = "- ", "\0"
_BEFORE = {"li": _BULLET, "br": _LINE_BREAK}


def page_paragraphs(source: str) -> Iterator[str]:
    """The lines of all that a reader of a page sees, menus and captions among them."""
    root = _root(source)
    pieces = _pieces(root, _UNSEEN) if root is not None else ()
    yield from filter(None, (line for piece in pieces for line in _lines(piece).split("\n")))


def fragment_text(source: str) -> tuple[str, str]:
    r"""The text, a blank line between paragraphs, and the first heading of the highest order ("" for none).

    ``"<p>It rained.</p><ul><li>Twice</li></ul>" -> ("It rained.\n\n- Twice", "")``
    """
    root = _root(source)
    if root is None:
        return "", ""
    paragraphs = list(filter(None, map(_lines, _pieces(root))))
    heading = next((" ".join(found.text_content().split()) for found in root.iter("h1")), "")
    if heading and paragraphs and paragraphs[0] == heading:
        del paragraphs[0]
    return "\n\n".join(paragraphs), heading


def _root(source: str) -> html.HtmlElement | None:
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        return html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, ValueError):
        return None


def _lines(piece: str) -> str:
    """The lines of a paragraph, without the white space of the source; "" if nothing but a bullet is in it."""
    lines = (" ".join(line.split()) for line in piece.split(_LINE_BREAK))
    text = "\n".join(line for line in lines if line)
    return text if text.strip(_BULLET) else ""


def _pieces(root: html.HtmlElement, left_out: frozenset[str] = _LEFT_OUT) -> Iterator[str]:
    """The text of each paragraph, in order."""
    piece = list[str]()
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start" and tag in left_out:
            walk.skip_subtree()
            continue
        if tag in _PARAGRAPHS:
            yield "".join(piece)
            piece.clear()
        if event == "start":
            piece.append(_BEFORE.get(tag, "") + (element.text or ""))
        else:
            between = " | " if tag in _CELLS and element.getnext() is not None else ""
            piece.append(between + (element.tail or ""))
    yield "".join(piece)
