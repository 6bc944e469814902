"""Rows from CSV files, bounded: an error names the line, and never repeats what stands in it. And rows to CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ledger.errors import InvalidInput

MAX_CSV_BYTES = 64 * 1024 * 1024
MAX_CELL = 10_000
# A spreadsheet takes a cell that begins so for a formula, and runs it; some take the full-width signs too.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a UTF-8 CSV file by column name.

    Raises ``InvalidInput`` ``CSV_…`` naming the line of the first row that does not parse; nothing is taken then.
    """
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "There is no such file.", where=str(path))
    if path.stat().st_size > MAX_CSV_BYTES:
        raise InvalidInput("CSV_TOO_LARGE", f"The file is larger than {MAX_CSV_BYTES} bytes.", where=str(path))
    return parse_csv(_decoded(path.read_bytes(), str(path)), path.name)


def parse_csv_bytes(data: bytes, name: str) -> list[dict[str, str]]:
    """The rows of a CSV file that was read or sent; raises ``InvalidInput`` ``CSV_…`` as ``read_csv`` does."""
    if len(data) > MAX_CSV_BYTES:
        raise InvalidInput("CSV_TOO_LARGE", f"The file is larger than {MAX_CSV_BYTES} bytes.", where=name)
    return parse_csv(_decoded(data, name), name)


def parse_csv(text: str, name: str) -> list[dict[str, str]]:
    """The rows of CSV text; ``name`` stands in errors."""
    head, rows = csv_table(io.StringIO(text, newline=""), name)
    return [dict(zip(head, cells, strict=True)) for cells in rows]


def csv_table(lines: Iterable[str], name: str) -> tuple[list[str], Iterator[list[str]]]:
    """The header, read at once, and the rows as they are drawn from ``lines``; both raise ``InvalidInput`` ``CSV_…``.

    Lines keep their ends: open files with ``newline=""``.
    """
    reader = csv.reader(lines, strict=True)
    head = _next(reader, name)
    if not head or len(set(head)) != len(head) or not all(head):
        raise InvalidInput("CSV_HEADER", "The first line must name every column once.", where=f"{name}, line 1")
    return head, _rows(reader, head, name)


def _rows(reader: Any, head: list[str], name: str) -> Iterator[list[str]]:
    while (cells := _next(reader, name)) is not None:
        if not cells:
            continue
        if len(cells) != len(head):
            raise InvalidInput(
                "CSV_ROW_WIDTH",
                f"The row has {len(cells)} cells, the header {len(head)}.",
                where=f"{name}, line {reader.line_num}",
                hint="Mend the row; no row of this file was taken.",
            )
        if max(map(len, cells)) > MAX_CELL:
            raise InvalidInput("CSV_CELL_TOO_LONG", "A cell is too long.", where=f"{name}, line {reader.line_num}")
        yield cells


def _next(reader: Any, name: str) -> list[str] | None:
    try:
        cells: list[str] | None = next(reader, None)
    except csv.Error as error:
        raise InvalidInput(
            "CSV_MALFORMED",
            f"The row is not CSV: {error}.",
            where=f"{name}, line {reader.line_num}",
            hint="Mend the row; no row of this file was taken.",
        ) from error
    return cells


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Each row as a line of CSV (RFC 4180); a text that a spreadsheet would run as a formula begins with ``'``."""
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line).writerow([_inert(cell) for cell in row])
        yield line.getvalue()


def _inert(cell: object) -> str:
    text = "" if cell is None else str(cell)
    runs = isinstance(cell, str) and (text.startswith(_FORMULA) or text[:1].isspace())
    return f"'{text}" if runs else text


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "CSV_NOT_UTF8", f"Byte {error.start} is not UTF-8.", where=where, hint="Save the file as UTF-8."
        ) from error
