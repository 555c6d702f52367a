"""Answers by kind: one file for each way to answer that is not a single quoted sentence.

A way is a function ``(Request, Scope) -> Found | None``; None leaves the question to the quote (bot/extract). All are
listed in `bot.kinds.ways`: to add a kind, add its pattern to bot/query/kind.py and its way there.
"""
