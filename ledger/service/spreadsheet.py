"""Tables from Excel files (.xlsx), bounded before they are parsed; formulas are refused, never evaluated."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from typing import Any, Final

from ledger.connectors.tabular import MAX_CELL
from ledger.errors import InvalidInput, PingzhengError

MAX_XLSX_BYTES: Final = 16 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 128 * 1024 * 1024
MAX_MEMBERS: Final = 200
MAX_SHEETS: Final = 8
MAX_CELLS: Final = 2_000_000

Table = list[dict[str, str]]


def read_xlsx(data: bytes, name: str) -> dict[str, Table]:
    """The rows of each sheet by column name, as text; ``name`` stands in errors.

    Raises ``InvalidInput`` ``XLSX_…`` naming the sheet and row; nothing is taken then.
    """
    _require_bounded(data, name)
    # Not above: it loads numpy where that is installed, and few commands read Excel files.
    from openpyxl import load_workbook

    try:
        with closing(load_workbook(io.BytesIO(data), read_only=True, keep_links=False)) as book:
            sheets = book.worksheets
            if len(sheets) > MAX_SHEETS:
                raise InvalidInput("XLSX_TOO_LARGE", f"The file has more than {MAX_SHEETS} sheets.", where=name)
            budget = Budget(MAX_CELLS)
            return {sheet.title: _table(sheet, f"{name}, {sheet.title}", budget) for sheet in sheets}
    except PingzhengError:
        raise
    except Exception as error:
        # On a damaged file the library raises whatever it stumbles over.
        raise _malformed(name) from error


class Budget:
    """Cells that may still be read from one file."""

    def __init__(self, cells: int) -> None:
        self._left = cells

    def spend(self, cells: int, where: str) -> None:
        """Raise ``InvalidInput`` ``XLSX_TOO_LARGE`` once more were read than allowed."""
        # An empty row costs too: a sheet may claim a million of them.
        self._left -= cells + 1
        if self._left < 0:
            raise InvalidInput("XLSX_TOO_LARGE", f"The file has more than {MAX_CELLS} cells.", where=where)


def _require_bounded(data: bytes, name: str) -> None:
    if len(data) > MAX_XLSX_BYTES:
        raise InvalidInput("XLSX_TOO_LARGE", f"The file is larger than {MAX_XLSX_BYTES} bytes.", where=name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _malformed(name) from error
    # A member never unpacks to more than its header says, so a bomb has to say so here.
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise InvalidInput(
            "XLSX_TOO_LARGE",
            f"Unpacked, the file is larger than {MAX_UNPACKED_BYTES} bytes.",
            where=name,
            hint="Split the file, and remove pictures.",
        )


def _table(sheet: Any, where: str, budget: Budget) -> Table:
    rows = _rows(sheet, where, budget)
    head = next(rows, None)
    if head is None:
        return []
    while head and not head[-1]:
        head.pop()
    if not head or len(set(head)) != len(head) or not all(head):
        raise InvalidInput("XLSX_HEADER", "The first row must name every column once.", where=f"{where}, row 1")
    table: Table = []
    for place, cells in enumerate(rows, start=2):
        if not any(cells):
            continue
        if any(cells[len(head) :]):
            raise InvalidInput(
                "XLSX_ROW_WIDTH", "A cell stands outside the columns that are named.", where=f"{where}, row {place}"
            )
        padded = cells[: len(head)] + [""] * (len(head) - len(cells))
        table.append(dict(zip(head, padded, strict=True)))
    return table


def _rows(sheet: Any, where: str, budget: Budget) -> Iterator[list[str]]:
    # What stands outside the dimension that a file claims would be dropped without a word.
    sheet.reset_dimensions()
    for place, row in enumerate(sheet.iter_rows(), start=1):
        budget.spend(len(row), where)
        yield [_text(cell, f"{where}, row {place}") for cell in row]


def _text(cell: Any, where: str) -> str:
    value = cell.value
    if cell.data_type == "f":
        raise InvalidInput(
            "XLSX_FORMULA", "A cell holds a formula.", where=where, hint="Paste its value; formulas are not evaluated."
        )
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    text = str(value)
    if len(text) > MAX_CELL:
        raise InvalidInput("XLSX_CELL_TOO_LONG", "A cell is too long.", where=where)
    return text


def _malformed(name: str) -> InvalidInput:
    return InvalidInput(
        "XLSX_MALFORMED", "This is no Excel file that can be read.", where=name, hint="Save it as .xlsx, or as CSV."
    )
