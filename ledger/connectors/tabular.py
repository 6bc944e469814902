"""Rows from CSV files, bounded: an error names the line, and never repeats what stands in it. And rows to CSV files."""

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
# One row with all its cells; also what is read at once where a file is one endless line.
MAX_ROW_CHARACTERS: Final = 1024 * 1024
# Of a table that is held as a whole.
MAX_TABLE_ROWS: Final = 200_000
MAX_TABLE_CELLS: Final = 2_000_000
# A spreadsheet takes a cell that begins so for a formula, and runs it; some take the full-width signs too.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_MEND: Final = "Mend the row; no row of this file was taken."
_CHUNK: Final = 64 * 1024
# What some programs write between columns; tabs are read where the header has no comma.
_SEPARATORS: Final = (";", "\t", "|", "；", "，", "、")


def read_csv(path: Path, encoding: str | None = None) -> list[dict[str, str]]:
    """The rows of a CSV file by column name; ``encoding`` is the declared one (see ``encodings``).

    Raises ``InvalidInput`` ``CSV_…`` naming the line of the first row that does not parse; nothing is taken then.
    """
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "There is no such file.", where=str(path))
    if path.stat().st_size > MAX_CSV_BYTES:
        raise InvalidInput("CSV_TOO_LARGE", f"The file is larger than {MAX_CSV_BYTES} bytes.", where=str(path))
    data = path.read_bytes()
    return _rows_alone(_held(data, codec_of(encoding, lambda: chunks_of(data), str(path)), path.name))


def parse_csv_bytes(data: bytes, name: str, encoding: str | None = None) -> list[dict[str, str]]:
    """The rows of a CSV file that was read or sent; raises ``InvalidInput`` ``CSV_…`` as ``read_csv`` does."""
    return _rows_alone(numbered_rows(data, name, encoding))


def numbered_rows(data: bytes, name: str, encoding: str | None = None) -> list[tuple[int, dict[str, str]]]:
    """As ``parse_csv_bytes``, each row with the number of its line in the file; the header is line 1."""
    if len(data) > MAX_CSV_BYTES:
        raise InvalidInput("CSV_TOO_LARGE", f"The file is larger than {MAX_CSV_BYTES} bytes.", where=name)
    return _held(data, codec_of(encoding, lambda: chunks_of(data), name), name)


def chunks_of(data: bytes) -> Iterator[bytes]:
    """The bytes piece by piece."""
    yield from (data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK))


def parse_csv(text: str, name: str) -> list[dict[str, str]]:
    """The rows of CSV text; ``name`` stands in errors."""
    return _rows_alone(_table(io.StringIO(text, newline=""), name))


def _rows_alone(table: list[tuple[int, dict[str, str]]]) -> list[dict[str, str]]:
    return [row for _, row in table]


def _held(data: bytes, codec: str, name: str) -> list[tuple[int, dict[str, str]]]:
    return _table(io.TextIOWrapper(io.BytesIO(data), codec, newline=""), name)


def _table(lines: TextIO, name: str) -> list[tuple[int, dict[str, str]]]:
    head, rows = csv_table(lines, name)
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


def csv_table(lines: TextIO, name: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header, read at once, and the rows with their line numbers as they are drawn from ``lines``.

    Both raise ``InvalidInput`` ``CSV_…``.

    Columns are separated by commas, or by tabs where the header has tabs alone. Rows without any text are left out.
    Lines keep their ends: open files with ``newline=""``.
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
    """Raise ``Misconfigured`` ``SOURCE_SEPARATOR`` if ``column`` is found in a header line by another separator."""
    if (sign := next((sign for sign in _SEPARATORS if column in cells_of(header, sign)), None)) is None:
        return
    shown = "制表符 tab" if sign == "\t" else f"“{sign}”"
    raise Misconfigured(
        "SOURCE_SEPARATOR",
        f"列之间应为逗号，此文件用的是 {shown}。The columns are separated by {shown}, not by commas.",
        where=f"{name}, line 1",
        hint="另存为以逗号分隔的 CSV。Save it as CSV separated by commas.",
    )


def cells_of(line: str, separator: str) -> list[str]:
    """The cells of one line, for telling what is wrong with a file."""
    try:
        return [cell.strip() for row in csv.reader([line], delimiter=separator) for cell in row]
    except csv.Error:
        return []


class _Lines:
    """The lines of a file, of which a row may take only so much: a row goes on where a quote is open."""

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
                hint=_MEND,
            )
        return line

    def again(self, first: str) -> _Lines:
        """The same, beginning with ``first`` anew."""
        self._first, self._count = first, 0
        self.new_row()
        return self

    def new_row(self) -> None:
        """A new row begins."""
        self._left = MAX_ROW_CHARACTERS


def _rows(reader: Any, lines: _Lines, head: list[str], name: str) -> Iterator[tuple[int, list[str]]]:
    while (cells := _next(reader, lines, name)) is not None:
        # As a spreadsheet leaves them: commas alone.
        if not any(cell and not cell.isspace() for cell in cells):
            continue
        if len(cells) != len(head):
            raise InvalidInput(
                "CSV_ROW_WIDTH",
                f"The row has {len(cells)} cells, the header {len(head)}.",
                where=f"{name}, line {reader.line_num}",
                hint=_MEND,
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
            hint=_MEND,
        ) from error
    return cells


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Each row as a line of CSV (RFC 4180); a text that a spreadsheet would run as a formula begins with ``'``."""
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line).writerow([inert(cell) for cell in row])
        yield line.getvalue()


def inert(cell: object) -> str:
    """The cell as text that no spreadsheet runs: every export of ours writes its cells by this."""
    text = "" if cell is None else str(cell)
    runs = isinstance(cell, str) and (text.startswith(_FORMULA) or text[:1].isspace())
    return f"'{text}" if runs else text
