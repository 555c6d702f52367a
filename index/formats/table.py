"""Tables: .csv and .tsv, and .parquet with pyarrow (an extra). A row is a record, by the names of its columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain

from index.formats.decode import decode, wide_encoding
from index.formats.document import MAX_ARTICLE_BYTES, Document, Item, Kind, begins, load_extra
from index.formats.news_json import is_header, item_of
from index.models import UnreadableError

_SEPARATORS = ",;\t|"
_BATCH_ROWS = 100
_MAX_HEADER_CHARACTERS = 2_000


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _is_table(head: bytes) -> bool:
    """Whether it begins with the names of columns, and a row of as many cells."""
    first_line, _, rest = decode(head).partition("\n")
    separator = _separator(first_line)
    if len(first_line) > _MAX_HEADER_CHARACTERS or separator not in first_line or separator == "|":  # Markdown
        return False
    rows = csv.reader(chain([first_line], rest.splitlines(keepends=True)), delimiter=separator)
    try:
        header, row = next(rows, []), next(rows, [])
    except csv.Error:
        return False
    return len(header) == len(row) and is_header([name.strip() for name in header])


def _read_csv(document: Document) -> Iterator[Item]:
    head = document.head()
    if not head:
        raise UnreadableError("the file is empty")
    encoding = wide_encoding(head) or "utf-8-sig"
    first_line = decode(head).partition("\n")[0]
    separator = _separator(first_line)
    csv.field_size_limit(MAX_ARTICLE_BYTES)
    try:
        head.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # a character cut at the end is none
            encoding = "cp1252"
    with TextIOWrapper(document.file, encoding, errors="replace", newline="") as lines:
        rows = csv.DictReader(lines, delimiter=separator)
        number = 0
        while True:
            number += 1
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield Item(f"row {number}", f"the table is damaged here: {error}")
                return
            if row is None:
                break
            yield item_of(document, f"row {number}", {name: value for name, value in row.items() if name and value})
    if number == 1:
        raise UnreadableError("no rows in it")


def _read_parquet(document: Document) -> Iterator[Item]:
    parquet = load_extra("pyarrow.parquet", "parquet")
    try:
        batches = parquet.ParquetFile(document.file).iter_batches(_BATCH_ROWS)
        rows = (row for batch in batches for row in batch.to_pylist())
        for number, row in enumerate(rows, start=1):
            yield item_of(document, f"row {number}", {name: value for name, value in row.items() if value is not None})
    except (OSError, ValueError) as error:  # pyarrow's own errors are of these
        raise UnreadableError("the parquet file is damaged") from error


CSV = Kind("table", (".csv", ".tsv"), _read_csv, _is_table, weak=True)
PARQUET = Kind("parquet", (".parquet",), _read_parquet, begins(b"PAR1"))
