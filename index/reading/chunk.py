"""Article -> chunks: runs of whole sentences, with offsets into the body and stable ids."""

from __future__ import annotations

import hashlib
import re

from index.models import Article, Chunk, Source, Span
from index.text import sentences

CHUNKER_VERSION = 1
_TARGET_WORDS = 200
_MIN_WORDS = 50
# A longer sentence is cut between words: the model reads 512 tokens at most.
_MAX_WORDS = 220
_MAX_CHARACTERS = 1_600
_WORD = re.compile(r"\S+")


def chunk(article: Article) -> list[Chunk]:
    """Cut a body into chunks of about 200 words that start and end with a sentence.

    Headline, outlet and date are embedded with each chunk, and are not part of its span. An id is a hash of the
    article's id and the embedded text, so it does not depend on where in the body the chunk stands.
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
    """The headline and a line like ``"Reuters, 25 January 2024"``, embedded in front of each chunk."""
    day = f"{source.published.day} {source.published:%B %Y}" if source.published else ""
    origin = ", ".join(part for part in (source.outlet, day) if part)
    return "".join(f"{line}\n" for line in (source.headline, origin) if line)


def _pieces(body: str) -> list[Span]:
    """Split a body into sentences, and cut those that are too long for the model."""
    return [piece for sentence in sentences(body) for piece in _cut(body, sentence)]


def _cut(body: str, span: Span) -> list[Span]:
    """Cut a sentence between words; between characters if there is no white space."""
    pieces, start, count = [], span.start, 0
    if span.end - span.start <= _MAX_WORDS:
        return [span]
    for word in _WORD.finditer(body, span.start, span.end):
        if count and (count >= _MAX_WORDS or word.end() - start > _MAX_CHARACTERS):
            pieces.append(Span(start, start + len(body[start : word.start()].rstrip())))
            start, count = word.start(), 0
        while word.end() - start > _MAX_CHARACTERS:
            pieces.append(Span(start, start + _MAX_CHARACTERS))
            start += _MAX_CHARACTERS
        count += 1
    return [piece for piece in [*pieces, Span(start, span.end)] if piece.start < piece.end]


def _pack(pieces: list[Span], body: str) -> list[Span]:
    """Join neighbours up to the target length; a short rest joins the chunk before it."""
    packed: list[tuple[Span, int]] = []
    for piece in pieces:
        count = len(body[piece.start : piece.end].split())
        if packed and packed[-1][1] + count <= _TARGET_WORDS and piece.end - packed[-1][0].start <= _MAX_CHARACTERS:
            packed[-1] = (Span(packed[-1][0].start, piece.end), packed[-1][1] + count)
        else:
            packed.append((piece, count))
    if len(packed) > 1 and packed[-1][1] < _MIN_WORDS:
        (last, words), (before, words_before) = packed.pop(), packed[-1]
        packed[-1] = (Span(before.start, last.end), words + words_before)
    return [span for span, _ in packed]
