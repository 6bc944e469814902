"""Reads CSV files within limits, and writes CSV. An error names the line, but never repeats the line's content."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from ledger.connectors.encodings import codec_of
from ledger.errors import InvalidInput, Misconfigured

MAX_CSV_BYTES = 64 * 1024 * 1024
MAX_CELL = 10_000
MAX_COLUMNS: Final = 4_096
# The maximum number of characters in one row with all its cells. A file without line ends is read in pieces of this
# size.
MAX_ROW_CHARACTERS: Final = 1024 * 1024
# The maximum number of rows, and of cells, in a table that is kept in memory as a whole.
MAX_TABLE_ROWS: Final = 200_000
MAX_TABLE_CELLS: Final = 2_000_000
# A spreadsheet treats a cell that begins with one of these signs as a formula. Some spreadsheets do so for full-width
# signs too.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_CORRECT_ROW: Final = "Correct the row; no row of this file was used."
_CHUNK: Final = 64 * 1024
# Some programs write these separators between columns instead of commas. Only tabs are accepted, and only if the header
# has no comma.
_SEPARATORS: Final = (";", "\t", "|", "；", "，", "、")


def read_csv(path: Path, encoding: str | None = None) -> list[dict[str, str]]:
    """Return the rows of a CSV file, each as a map from column name to cell. ``encoding`` is the declared encoding (see
    ``encodings``).

    Raises ``InvalidInput`` ``CSV_…`` with the line of the first row that cannot be parsed; then no row is returned.
    """
    data = bytes_of(path)
    codec = codec_of(encoding, lambda: chunks_of(data), str(path))
    return [row for _, row in _numbered(data, codec, path.name)]


def bytes_of(path: Path) -> bytes:
    """Return the bytes of a file. Raises ``InvalidInput`` ``FILE_MISSING`` or ``CSV_TOO_LARGE``."""
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "There is no such file.", where=str(path))
    if path.stat().st_size > MAX_CSV_BYTES:
        raise InvalidInput("CSV_TOO_LARGE", f"The file is larger than {MAX_CSV_BYTES} bytes.", where=str(path))
    return path.read_bytes()


def numbered_rows(data: bytes, name: str, encoding: str | None = None) -> list[tuple[int, dict[str, str]]]:
    """Return the rows in the bytes of a CSV file like ``read_csv``, each with its line number. The header is line 1."""
    if len(data) > MAX_CSV_BYTES:
        raise InvalidInput("CSV_TOO_LARGE", f"The file is larger than {MAX_CSV_BYTES} bytes.", where=name)
    return _numbered(data, codec_of(encoding, lambda: chunks_of(data), name), name)


def _numbered(data: bytes, codec: str, name: str) -> list[tuple[int, dict[str, str]]]:
    head, rows = csv_table(io.TextIOWrapper(io.BytesIO(data), codec, newline=""), name)
    table: list[tuple[int, dict[str, str]]] = []
    for line, cells in rows:
        if len(table) >= min(MAX_TABLE_ROWS, MAX_TABLE_CELLS // len(head)):
            raise InvalidInput(
                "CSV_TOO_LARGE",
                f"The table has more than {len(table)} rows of {len(head)} cells.",
                where=name,
                hint="Split the file.",
            )
        table.append((line, dict(zip(head, cells, strict=True))))
    return table


def chunks_of(data: bytes) -> Iterator[bytes]:
    """Yield the bytes in pieces of limited size."""
    yield from (data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK))


def csv_table(lines: TextIO, name: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Read and return the header, and return an iterator that reads the rows, each with its line number.

    Reading the header or a row may raise ``InvalidInput`` ``CSV_…``.

    Columns are separated by commas, or by tabs if the header has tabs and no comma. Rows without any text are left
    out. Open files with ``newline=""``, so that lines keep their line ends.
    """
    bounded = _Lines(lines, name)
    first = next(bounded, "")
    separator = "\t" if "\t" in first and "," not in first else ","
    reader = csv.reader(bounded.again(first), delimiter=separator, strict=True)
    head = _next(reader, bounded, name)
    if head is not None and len(head) > MAX_COLUMNS:
        raise InvalidInput(
            "CSV_TOO_WIDE", f"The table has more than {MAX_COLUMNS} columns.", where=f"{name}, line {reader.line_num}"
        )
    if not head or len(set(head)) != len(head) or not all(head):
        raise InvalidInput("CSV_HEADER", "The first line must name every column once.", where=f"{name}, line 1")
    return head, _rows(reader, bounded, head, name)


def require_commas(header: str, column: str, name: str) -> None:
    """Raise ``Misconfigured`` ``SOURCE_SEPARATOR`` if the header contains ``column``, but with other separators than
    commas.
    """
    if (sign := next((sign for sign in _SEPARATORS if column in cells_of(header, sign)), None)) is None:
        return
    shown = "制表符 tab" if sign == "\t" else f"“{sign}”"
    raise Misconfigured(
        "SOURCE_SEPARATOR",
        f"各列应以逗号分隔，此文件用的是 {shown}。The columns are separated by {shown}, not by commas.",
        where=f"{name}, line 1",
        hint="请另存为以逗号分隔的 CSV。Save the file as CSV separated by commas.",
    )


def cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of one line, or [] if the line is not CSV. This function is used to find out what is wrong with
    a file.
    """
    try:
        return [cell.strip() for row in csv.reader([line], delimiter=separator) for cell in row]
    except csv.Error:
        return []


class _Lines:
    """Iterates over the lines of a file and limits the length of each row.

    If a quote is still open at the end of a line, the row continues on the next line.
    """

    def __init__(self, lines: TextIO, name: str) -> None:
        self._lines = lines
        self._name = name
        self._count = 0
        self._first = ""
        self._left = MAX_ROW_CHARACTERS

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line, self._first = self._first or self._lines.readline(self._left + 1), ""
        if not line:
            raise StopIteration
        self._count += 1
        self._left -= len(line)
        if self._left < 0:
            raise InvalidInput(
                "CSV_ROW_TOO_LONG",
                f"A row is longer than {MAX_ROW_CHARACTERS} characters.",
                where=f"{self._name}, line {self._count}",
                hint=_CORRECT_ROW,
            )
        return line

    def again(self, first: str) -> _Lines:
        """Return an iterator over ``first`` and then the remaining lines, with the same limits."""
        self._first, self._count = first, 0
        self.new_row()
        return self

    def new_row(self) -> None:
        """Begin a new row: count its characters from zero."""
        self._left = MAX_ROW_CHARACTERS


def _rows(reader: Any, lines: _Lines, head: list[str], name: str) -> Iterator[tuple[int, list[str]]]:
    while (cells := _next(reader, lines, name)) is not None:
        # Spreadsheets often write rows of commas without text at the end. Such rows are skipped.
        if not any(cell and not cell.isspace() for cell in cells):
            continue
        if len(cells) != len(head):
            raise InvalidInput(
                "CSV_ROW_WIDTH",
                f"The row has {len(cells)} cells, the header {len(head)}.",
                where=f"{name}, line {reader.line_num}",
                hint=_CORRECT_ROW,
            )
        if max(map(len, cells)) > MAX_CELL:
            raise InvalidInput("CSV_CELL_TOO_LONG", "A cell is too long.", where=f"{name}, line {reader.line_num}")
        yield reader.line_num, cells


def _next(reader: Any, lines: _Lines, name: str) -> list[str] | None:
    lines.new_row()
    try:
        cells: list[str] | None = next(reader, None)
    except csv.Error as error:
        raise InvalidInput(
            "CSV_MALFORMED",
            f"The row is not CSV: {error}.",
            where=f"{name}, line {reader.line_num}",
            hint=_CORRECT_ROW,
        ) from error
    return cells


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield each row as a line of CSV (RFC 4180). If a spreadsheet would run a text as a formula, ``'`` is put before
    the text.
    """
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line).writerow([inert(cell) for cell in row])
        yield line.getvalue()


def inert(cell: object) -> str:
    """Return the cell as a text that no spreadsheet runs as a formula. Every export uses this function."""
    text = "" if cell is None else str(cell)
    runs = isinstance(cell, str) and (text.startswith(_FORMULA) or text[:1].isspace())
    return f"'{text}" if runs else text
