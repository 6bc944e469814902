"""Reads Excel 97 workbooks (.xls, and .et of WPS) in a separate process, because the library keeps whole sheets in
memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from ledger.connectors.kinds import encrypted
from ledger.connectors.spreadsheets.workbook import (
    ERROR,
    FORMULA,
    Cell,
    Flaw,
    Sheet,
    moment_cell,
    number_cell,
    text_cell,
)
from ledger.errors import InvalidInput, PingzhengError

MAX_XLS_BYTES: Final = 16 * 1024 * 1024
MAX_CELLS: Final = 500_000
MAX_SHEETS: Final = 32
_ROWS_A_LINE: Final = 500
# Record numbers of the binary format [MS-XLS]: the beginning (BOF) and the end (EOF) of a sheet or a chart, and a
# formula.
_BEGINNINGS: Final = (0x0809, 0x0409, 0x0209, 0x0009)
_END: Final = 0x000A
_FORMULA: Final = 0x0006


def sheets_of(data: bytes, name: str) -> Iterator[dict[str, Any]]:
    """Yield the sheets as JSON values, each with at most ``_ROWS_A_LINE`` rows. Runs in the separate process.

    Raises ``InvalidInput`` ``XLS_MALFORMED``, ``FILE_ENCRYPTED``, ``XLSX_TOO_LARGE``.
    """
    try:
        yield from _sheets(data, name)
    except (PingzhengError, MemoryError):
        raise
    except Exception as error:
        # If a file is damaged, the library may raise any exception.
        raise _unreadable(error, name) from None


def _sheets(data: bytes, name: str) -> Iterator[dict[str, Any]]:
    import xlrd

    # ``_formulas`` searches the bytes of the file for formulas. The library keeps these bytes only with ``on_demand``.
    book = xlrd.open_workbook(
        file_contents=data, on_demand=True, formatting_info=True, ragged_rows=True, logfile=_Mute()
    )
    if book.nsheets > MAX_SHEETS:
        raise InvalidInput("XLSX_TOO_LARGE", f"The file has more than {MAX_SHEETS} sheets.", where=name)
    left = MAX_CELLS
    for place in range(book.nsheets):
        formulas = set(_formulas(book.mem, book._sh_abs_posn[place]))
        sheet = book.sheet_by_index(place)
        left -= sum(sheet.row_len(row) for row in range(sheet.nrows))
        if left < 0:
            raise InvalidInput("XLSX_TOO_LARGE", f"The file has more than {MAX_CELLS} cells.", where=name)
        yield from _lines(book, sheet, formulas, hidden=bool(book._sheet_visibility[place]))
        book.unload_sheet(place)


def sheet_of(lines: list[dict[str, Any]]) -> Sheet:
    """Return the sheet that these lines describe; ``sheets_of`` yields such lines."""
    rows = [
        (number, [cell if isinstance(cell, str) else Flaw(*cell) for cell in cells])
        for line in lines
        for number, cells in line["rows"]
    ]
    merges = [tuple(merge) for merge in lines[0]["merges"]]
    return Sheet(str(lines[0]["title"]), bool(lines[0]["hidden"]), rows, merges)


class _Mute:
    """Discards what the library prints about a file, because the printed text may repeat the file's content."""

    def write(self, _text: str) -> None:
        """Discard the text."""

    def flush(self) -> None:
        """Do nothing, because nothing is buffered."""


def _unreadable(error: Exception, name: str) -> InvalidInput:
    if "encrypt" in str(error).lower() or "password" in str(error).lower():
        return encrypted(name)
    return InvalidInput(
        "XLS_MALFORMED",
        "The Excel 97 workbook (.xls, .et) is damaged or incomplete.",
        where=name,
        hint="Open the file in a spreadsheet, and save it as .xlsx.",
    )


def _formulas(stream: Any, start: int) -> Iterator[tuple[int, int]]:
    """Yield the row and the column (counted from 0) of each cell in a sheet that contains a formula."""
    place, depth = start, 0
    while place + 4 <= len(stream):
        record, size = struct.unpack_from("<HH", stream, place)
        if record in _BEGINNINGS:
            # A chart inside a sheet begins and ends with the same records as a sheet, so the depth is counted.
            depth += 1
        elif record == _END:
            depth -= 1
            if depth <= 0:
                return
        elif record == _FORMULA and size >= 4:
            yield struct.unpack_from("<HH", stream, place + 4)
        place += 4 + size


def _lines(book: Any, sheet: Any, formulas: set[tuple[int, int]], *, hidden: bool) -> Iterator[dict[str, Any]]:
    merges = [[top + 1, bottom, left + 1, right] for top, bottom, left, right in sheet.merged_cells]
    line: dict[str, Any] = {"title": sheet.name, "hidden": hidden, "merges": merges, "rows": []}
    for row in range(sheet.nrows):
        cells = [
            FORMULA if (row, column) in formulas else _cell(book, sheet, row, column)
            for column in range(sheet.row_len(row))
        ]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            values = [[cell.code, cell.message, cell.hint] if isinstance(cell, Flaw) else cell for cell in cells]
            line["rows"].append([row + 1, values])
        if len(line["rows"]) >= _ROWS_A_LINE:
            yield line
            line = line | {"rows": []}
    yield line | {"last": True}


def _cell(book: Any, sheet: Any, row: int, column: int) -> Cell:
    import xlrd

    kind, value = sheet.cell_type(row, column), sheet.cell_value(row, column)
    if kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return ""
    if kind == xlrd.XL_CELL_ERROR:
        return ERROR
    if kind == xlrd.XL_CELL_BOOLEAN:
        return "true" if value else "false"
    if kind == xlrd.XL_CELL_NUMBER:
        return number_cell(float(value))
    if kind == xlrd.XL_CELL_DATE:
        form = book.format_map[book.xf_list[sheet.cell_xf_index(row, column)].format_key].format_str
        return _moment(float(value), str(form), book.datemode)
    return text_cell(str(value), escaped=False)


def _moment(value: float, form: str, datemode: int) -> Cell:
    from xlrd.xldate import XLDateError, xldate_as_datetime

    if any(mark in form.lower() for mark in ("[h", "[m", "[s")):
        return moment_cell(timedelta(days=value), form)
    try:
        moment = xldate_as_datetime(value, datemode)
    except (XLDateError, ValueError, OverflowError):
        return ERROR
    # The file stores a time as a fraction of a day, and 8:30 is not an exact binary fraction. So the time is rounded to
    # what a spreadsheet shows.
    moment = _to_the_second(moment)
    return moment_cell(moment.time() if 0 < value < 1 else moment, form)


def _to_the_second(moment: datetime) -> datetime:
    near = (moment + timedelta(milliseconds=500)).replace(microsecond=0)
    return near if abs(near - moment) <= timedelta(milliseconds=1) else moment
