"""What a person sees of a message: its words, buttons and links, and whom it pings."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fake_slack.workspace import Json, Message

# Slack's own markup in `text`, mrkdwn objects and Markdown ("Formatting text for app surfaces", docs.slack.dev):
# <@U…>, <#C…>, <!here>, <!subteam^S…>, <https://…|label>. An escaped "&lt;" is no markup.
# Slack links a bare address, too.
_MARKUP = re.compile(r"<([@#!][^<>|]*|[a-z]+:[^<>|]*)(?:\|([^<>]*))?>|(?<!\w)(https?://[^\s<>|]+)", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(r"(!?)\[([^\]]*)\]\(\s*<?([^)\s>]+)[^)]*\)")
_PINGING_PARTS = ("user", "usergroup", "broadcast", "channel")


@dataclass(frozen=True)
class Seen:
    """One message as a person sees it; ``raw`` is the message as the Web API gives it."""

    user: str
    name: str
    text: str
    buttons: list[str]
    ts: str
    links: list[str]
    ephemeral_to: str | None
    streaming: bool
    raw: Json


@dataclass
class _Drawn:
    text: list[str] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    pings: list[str] = field(default_factory=list)

    def parsed(self, text: str, *, markdown: bool = False) -> None:
        """Text that Slack parses: its markup becomes words, links and pings."""
        self.text.append(self._words(text, markdown=markdown))

    def _words(self, text: str, *, markdown: bool) -> str:
        if markdown:
            self.links += [url for _, _, url in _MARKDOWN_LINK.findall(text)]
            text = _MARKDOWN_LINK.sub(lambda found: found[2], text)
        return html.unescape(_MARKUP.sub(self._markup, text))

    def _markup(self, found: re.Match[str]) -> str:
        target, label, bare = found.groups()
        if bare:
            self.links.append(html.unescape(bare))
            return str(bare)
        if target[0] in "@#" or (target[0] == "!" and not target.startswith("!date")):
            self.pings.append(found[0])
        elif target[0] != "!":
            self.links.append(html.unescape(target))
        return str(label or target)

    def text_object(self, text: Json | None) -> None:
        """A plain_text or mrkdwn object."""
        if text and text["type"] == "mrkdwn":
            self.parsed(text["text"])
        elif text:
            self.text.append(text["text"])

    def rich(self, part: Json) -> str:
        """An element of rich text as words."""
        kind = part["type"]
        if kind in _PINGING_PARTS:
            target = part.get("user_id") or part.get("usergroup_id") or part.get("range") or part.get("channel_id")
            self.pings.append(f"{kind} {target}")
            return f"@{target}"
        if kind == "link":
            self.links.append(part["url"])
            return str(part.get("text") or part["url"])
        if kind == "emoji":
            return f":{part['name']}:"
        if "elements" not in part:
            return str(part.get("text", ""))
        inner = [self.rich(element) for element in part["elements"]]
        if kind == "rich_text_list":
            numbered = part.get("style") == "ordered"
            first = int(part.get("offset", 0)) + 1
            return "\n".join(f"{first + i}. {x}" if numbered else f"• {x}" for i, x in enumerate(inner))
        return ("\n" if kind == "rich_text" else "").join(inner)

    def button(self, element: Json) -> None:
        """A button, or a pair of feedback buttons, by what stands on it."""
        if element["type"] == "feedback_buttons":
            self.buttons += [element[side]["text"]["text"] for side in ("positive_button", "negative_button")]
        elif "text" in element:
            self.buttons.append(element["text"]["text"])
        if element.get("url"):
            self.links.append(element["url"])

    def block(self, block: Json) -> None:
        """Any block."""
        kind = block["type"]
        if kind == "markdown":
            self.parsed(block["text"], markdown=True)
        elif kind == "rich_text":
            self.text.append(self.rich(block))
        elif kind == "context":
            for element in block["elements"]:
                self.text_object(element if element["type"] in ("plain_text", "mrkdwn") else None)
        elif kind in ("actions", "context_actions"):
            for element in block["elements"]:
                self.button(element)
        else:
            self._other(block)

    def _other(self, block: Json) -> None:
        for text in (block.get("text"), block.get("label"), block.get("hint"), *block.get("fields", [])):
            self.text_object(text if isinstance(text, dict) else None)
        if "button" in str((block.get("accessory") or {}).get("type")):
            self.button(block["accessory"])


def draw_blocks(blocks: list[Json]) -> _Drawn:
    """What blocks show, for a message, a modal or the Home."""
    drawn = _Drawn()
    for block in blocks:
        drawn.block(block)
    return drawn


def _draw(message: Message) -> _Drawn:
    drawn = _Drawn()
    if message.streamed:
        drawn.parsed(message.streamed, markdown=True)
    elif not message.blocks:
        drawn.parsed(message.text)
    for block in message.blocks:
        drawn.block(block)
    return drawn


def seen(message: Message, name: str) -> Seen:
    """A message as a person sees it; with blocks its ``text`` is not shown."""
    drawn = _draw(message)
    text = "\n".join(part for part in drawn.text if part)
    who, raw = message.user, message.to_dict()
    return Seen(who, name, text, drawn.buttons, message.ts, drawn.links, message.ephemeral_to, message.streaming, raw)


def pings(message: Message) -> list[str]:
    """Whom a message calls. Its ``text`` counts also below blocks, for notifications are made of it."""
    fallback = _Drawn()
    fallback.parsed(message.text)
    return _draw(message).pings + (fallback.pings if message.blocks or message.streamed else [])


def interactive(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Each button with the block that it stands in."""
    for block in blocks:
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if "button" in str(element.get("type")):
                yield block, element
