"""HTML that is escaped by construction, and the plots of the report as inline SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from bot.evaluation.metrics import Figure
from bot.plain_text import safe

_WIDTH, _ROW = 360, 34  # the width of a phone: there a plot is as large as its text
_LINE_WIDTH = 100


class Html(str):
    """Text that is markup already. All other text is escaped where it is put into an element."""

    __slots__ = ()


def tag(name: str, *inside: str, **attributes: str) -> Html:
    """An element; only what is Html stays as it is: ``tag("b", "1 < 2", class_="x") -> '<b class="x">1 &lt; 2</b>'``.

    Names of attributes are written ``aria_label`` for "aria-label", and ``class_`` for "class".
    """
    written = "".join(f' {key.strip("_").replace("_", "-")}="{_text(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{written}>{join(inside)}</{name}>")


def join(parts: Iterable[str]) -> Html:
    """Markup and text side by side, the text escaped."""
    return Html("".join(part if isinstance(part, Html) else _text(part) for part in parts))


def _text(value: str) -> str:
    """Untrusted text: without control and bidi characters, and with nothing that a parser takes for markup."""
    return escape(safe(value), quote=True)


def section(heading: str, *inside: str) -> Html:
    """A part of the page."""
    return tag("section", tag("h2", heading), *inside)


def folded(heading: str, *inside: str) -> Html:
    """What is shown when its heading is clicked."""
    return tag("details", tag("summary", heading), *inside)


def listed(facts: Mapping[str, str]) -> Html:
    """Names and what they are; those that are nothing are left out."""
    rows = [join([tag("dt", name), tag("dd", told, dir="auto")]) for name, told in facts.items() if told]
    return tag("dl", *rows)


def bars(label: str, rows: Iterable[tuple[str, str, Figure]]) -> Html:
    """A bar a row, of a share from 0 to 1, with its 95 % interval as a thin line: ``(name, what is said, figure)``."""
    drawn = [_bar(position * _ROW, *row) for position, row in enumerate(rows)]
    box = f"0 0 {_WIDTH} {len(drawn) * _ROW}"
    return tag("svg", *drawn, viewBox=box, class_="bars", role="img", aria_label=label)


def _bar(top: int, name: str, said: str, figure: Figure) -> Html:
    return join([
        tag("text", name, x="0", y=str(top + 12)),
        tag("text", said, x=str(_WIDTH), y=str(top + 12), text_anchor="end"),
        _box("track", 0, top + 17, _WIDTH),
        _box("bar", 0, top + 17, _WIDTH * figure["value"]),
        _whisker(figure, _WIDTH, top + 22),
    ])  # fmt: skip


def interval(figure: Figure) -> Html:
    """A share from 0 to 1 as a dot on a line, with its interval."""
    line, dot = _box("track", 0, 5, _LINE_WIDTH), _LINE_WIDTH * figure["value"]
    circle = tag("circle", cx=f"{dot:.1f}", cy="7", r="3")
    whisker = _whisker(figure, _LINE_WIDTH, 7)
    return tag(
        "svg", line, whisker, circle, viewBox=f"-4 0 {_LINE_WIDTH + 8} 14", class_="interval", aria_hidden="true"
    )


def _box(kind: str, left: float, top: float, width: float) -> Html:
    height = "10" if kind == "bar" or left + width == _WIDTH else "4"
    return tag("rect", x=f"{left:.1f}", y=str(top), width=f"{width:.1f}", height=height, class_=kind)


def _whisker(figure: Figure, width: int, middle: int) -> Html:
    low, high = figure["low"], figure["high"]
    if low is None or high is None:
        return Html()
    ends = {"x1": f"{width * low:.1f}", "x2": f"{width * high:.1f}"}
    return tag("line", y1=str(middle), y2=str(middle), class_="whisker", **ends)
