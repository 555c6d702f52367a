"""Texts that try to be more than text in Slack."""

from __future__ import annotations

from hypothesis import strategies as st

FRAGMENTS = (
    "<!channel>", "<!here|x>", "<@U1>", "<#C1|news>", "<!subteam^S1>", "<http://evil.example|bank>", "&lt;!here&gt;",
    "@here", "#general", ":smile:", ":+1:", "http://evil.example/a_b", "www.evil.example", "evil.example",
    "a@b.example", "mailto:a@b.example", "*bold*", "_it_", "~no~", "`code`", "```\n", "> quote", ">>> all", "# head",
    "- item", "1. one", "[x](http://evil.example)", "![x](y)", "[1]", "[2]", "\\*", "\n\n", "\n", "    ", " ", "---",
    "| a | b |", "&amp;", "\x1b[31m", "\u202e", "\u2066", "\u200f", "\u2060", "\u200b", "\ud800", "\x00", "\t", "word",
    "Sentence one. Two!", "x" * 900, "日本語。", "👩\u200d🚒", "＊wide＊", "＞",
)  # fmt: skip
"""Mentions, links, emoji codes, Slack's and Markdown's markup, controls, and words."""

TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=12).map("".join)
LONG_TEXTS = st.builds(lambda text, times: text * times, TEXTS, st.integers(1, 30))
