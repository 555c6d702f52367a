"""Article -> chunks: runs of whole sentences with exact offsets into the body and stable ids."""

from __future__ import annotations

import hashlib
import re

from index.models import Article, Chunk, Source, Span
from index.text import sentences

CHUNKER_VERSION = 1
_TARGET_WORDS = 200
_SMALLEST_WORDS = 50
# What has no sentence end for longer than this is cut between words: the model reads 512 tokens at most.
_LONGEST_WORDS = 220
_LONGEST_CHARACTERS = 1_600
_WORD = re.compile(r"\S+")


def chunk(article: Article) -> list[Chunk]:
    """Cut a body into chunks of about 200 words that start and end with a sentence.

    The headline, outlet and date go into what is embedded, not into the span. An id is made of the article's
    and of what is embedded, so it stays while these do, wherever in the body the chunk comes to stand.
    """
    heading = header(article.source)
    chunks, seen = [], dict[str, int]()
    for span in _pack(_pieces(article.body), article.body):
        embedded = heading + article.body[span.start : span.end]
        digest = hashlib.sha256(f"{article.id}\0{embedded}".encode()).hexdigest()[:24]
        seen[digest] = seen.get(digest, 0) + 1
        identity = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        chunks.append(Chunk(identity, article.id, span.start, span.end, embedded))
    return chunks


def header(source: Source) -> str:
    """What is embedded before each chunk: the headline, and a line as in ``"Reuters, 25 January 2024"``."""
    day = f"{source.published.day} {source.published:%B %Y}" if source.published else ""
    origin = ", ".join(part for part in (source.outlet, day) if part)
    return "".join(f"{line}\n" for line in (source.headline, origin) if line)


def _pieces(body: str) -> list[Span]:
    """The sentences, those that are too long for the model cut between words."""
    return [piece for sentence in sentences(body) for piece in _cut(body, sentence)]


def _cut(body: str, span: Span) -> list[Span]:
    pieces, start, count = [], span.start, 0
    if span.end - span.start <= _LONGEST_WORDS:
        return [span]
    for word in _WORD.finditer(body, span.start, span.end):
        if count and (count >= _LONGEST_WORDS or word.end() - start > _LONGEST_CHARACTERS):
            pieces.append(Span(start, start + len(body[start : word.start()].rstrip())))
            start, count = word.start(), 0
        while word.end() - start > _LONGEST_CHARACTERS:  # no white space at all: a script without it, or no prose
            pieces.append(Span(start, start + _LONGEST_CHARACTERS))
            start += _LONGEST_CHARACTERS
        count += 1
    return [piece for piece in [*pieces, Span(start, span.end)] if piece.start < piece.end]


def _pack(pieces: list[Span], body: str) -> list[Span]:
    """Join neighbours up to the target; a short rest joins the chunk before it."""
    packed: list[tuple[Span, int]] = []
    for piece in pieces:
        count = len(body[piece.start : piece.end].split())
        if packed and packed[-1][1] + count <= _TARGET_WORDS and piece.end - packed[-1][0].start <= _LONGEST_CHARACTERS:
            packed[-1] = (Span(packed[-1][0].start, piece.end), packed[-1][1] + count)
        else:
            packed.append((piece, count))
    if len(packed) > 1 and packed[-1][1] < _SMALLEST_WORDS:
        (last, count), (before, more) = packed.pop(), packed[-1]
        packed[-1] = (Span(before.start, last.end), count + more)
    return [span for span, _ in packed]
