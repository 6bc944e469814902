"""Converts sheets of a workbook to text. Equal cells give the same text in every kind of Excel file.

A cell without an exact text (an error, a formula, a number with more digits than a spreadsheet keeps) is a ``Flaw``.
The flaw's error is raised only if the cell is used, so a formula on a sheet that is not read raises no error.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from ledger.connectors.tabular import MAX_CELL
from ledger.connectors.values import BadValue, as_text, is_error
from ledger.errors import InvalidInput

# A spreadsheet keeps this many digits of a number, and replaces the later digits by zeros.
MAX_DIGITS: Final = 15
MAX_FILLED: Final = 500_000
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LITERAL: Final = re.compile(r'"[^"]*"|\\.|\[(?!h)[^\]]*\]', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Flaw:
    """A cell that has no reliable text, with the code, message and hint of the error that is raised if the cell is
    used.
    """

    code: str
    message: str
    hint: str

    def raised(self, where: str) -> InvalidInput:
        """Return the error to raise for the cell at this place."""
        return InvalidInput(self.code, self.message, where=where, hint=self.hint)


FORMULA: Final = Flaw("XLSX_FORMULA", "A cell holds a formula.", "Paste its value; formulas are not evaluated.")
ERROR: Final = Flaw("XLSX_ERROR", "A cell holds an error such as #N/A or #REF!.", "Correct the cell, or empty it.")
LONG_NUMBER: Final = Flaw(
    "XLSX_LONG_NUMBER",
    f"A cell holds a number of more than {MAX_DIGITS} digits; a spreadsheet loses the last ones.",
    "Format the column as text, and enter the value again.",
)
LONG_TEXT: Final = Flaw("XLSX_CELL_TOO_LONG", "A cell is too long.", "Shorten the cell.")
BAD_TEXT: Final = Flaw("XLSX_TEXT", "A cell holds half of a character.", "Enter the text again.")

Cell = str | Flaw
# A merged range of cells: first row, last row, first column, last column. Rows and columns are counted from 1; the last
# row and the last column belong to the range.
Merge = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a sheet, with their numbers. Rows without content are left out."""

    title: str
    hidden: bool
    rows: Sequence[tuple[int, Sequence[Cell]]]
    merges: Sequence[Merge] = field(default=())


def number_cell(value: float) -> Cell:
    """Return a number as text: in digits, without an exponent."""
    if isinstance(value, float) and not value.is_integer():
        try:
            return as_text(value)
        except BadValue:
            return ERROR
    return LONG_NUMBER if abs(value) >= 10**MAX_DIGITS else str(int(value))


def text_cell(text: str, *, escaped: bool = True) -> Cell:
    """Return a text cell. If ``escaped``, an OOXML escape such as ``_x000D_`` becomes the character that it encodes."""
    if escaped and "_x" in text:
        text = _ESCAPE.sub(lambda code: chr(int(code[1], 16)), text)
    try:
        # If the two halves of a character (surrogates) were escaped separately, this joins them.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return BAD_TEXT
    if is_error(text):
        return ERROR
    return LONG_TEXT if len(text) > MAX_CELL else text


def moment_cell(value: date | time | timedelta, form: str) -> Cell:
    """Return a date, time or duration as its format shows it. If the format has no hours, midnight is left out."""
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        if midnight and "h" not in _LITERAL.sub("", form).lower():
            return value.date().isoformat()
    return value.isoformat()


def table_of(sheet: Sheet, where: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header of a sheet and its numbered rows, as text.

    Raises ``InvalidInput`` ``XLSX_…``, which names sheet, row and column, if a cell cannot be used; then no row is
    returned.
    """
    head, rows = grid_of(sheet, where)
    return head, [
        (number, [_used(cell, f"{where}, row {number}, column {name}") for name, cell in zip(head, cells, strict=True)])
        for number, cells in rows
    ]


def grid_of(sheet: Sheet, where: str) -> tuple[list[str], list[tuple[int, list[Cell]]]]:
    """Return header and rows like ``table_of``, but keep a flaw as the value of its cell.

    A merged cell gives its value to each of its rows.
    """
    if not sheet.rows:
        return [], []
    first, cells = sheet.rows[0]
    place = f"{where}, row {first}"
    head = [_used(cell, place).strip() for cell in cells]
    while head and not head[-1]:
        head.pop()
    _require_unmerged(sheet, first, len(head), where)
    if not head or len(set(head)) != len(head) or not all(head):
        raise InvalidInput("XLSX_HEADER", "The first row must name every column once.", where=place)
    filled = _filled(sheet, len(head), where)
    grid = []
    for number, row in sheet.rows[1:]:
        if any(row[len(head) :]):
            place = f"{where}, row {number}"
            raise InvalidInput("XLSX_ROW_WIDTH", "A cell is outside the named columns.", where=place)
        padded = [*row[: len(head)], *[""] * (len(head) - len(row))]
        for column, cell in filled.get(number, ()):
            padded[column] = padded[column] or cell
        if any(isinstance(cell, Flaw) or (cell and not cell.isspace()) for cell in padded):
            grid.append((number, padded))
    return head, grid


def header_of(sheet: Sheet) -> list[str]:
    """Return the texts in the first row that has content. This is normally the header, which shows what the sheet
    contains.
    """
    return [cell.strip() if isinstance(cell, str) else "" for cell in sheet.rows[0][1]] if sheet.rows else []


def _used(cell: Cell, where: str) -> str:
    if isinstance(cell, Flaw):
        raise cell.raised(where)
    return cell


def _require_unmerged(sheet: Sheet, header: int, width: int, where: str) -> None:
    for top, bottom, left, right in sheet.merges:
        across = left != right and left <= max(width, 1)
        if bottom >= header and (across or top <= header <= bottom):
            raise InvalidInput(
                "XLSX_MERGED",
                f"The cells of rows {top} to {bottom} in columns {left} to {right} are merged across columns or the "
                "header.",
                where=where,
                hint="Unmerge the cells, and fill in each of them.",
            )


def _filled(sheet: Sheet, width: int, where: str) -> dict[int, list[tuple[int, Cell]]]:
    """Return the cells that merged cells fill below their first row: for each row, the columns to fill, and the merged
    cell's value.
    """
    if not sheet.merges:
        return {}
    rows = dict(sheet.rows)
    numbers = sorted(rows)
    found: dict[int, list[tuple[int, Cell]]] = {}
    left_to_fill = MAX_FILLED
    for top, bottom, column, _ in sheet.merges:
        above = rows.get(top, ())
        if column > min(width, len(above)):
            continue
        for number in numbers[bisect_left(numbers, top + 1) : bisect_right(numbers, bottom)]:
            left_to_fill -= 1
            if left_to_fill < 0:
                raise InvalidInput("XLSX_TOO_LARGE", "Merged ranges cover too many cells.", where=where)
            found.setdefault(number, []).append((column - 1, above[column - 1]))
    return found
