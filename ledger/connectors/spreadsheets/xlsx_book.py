"""Reads Excel workbooks (.xlsx, even in the strict format, and .xlsm without macros). Counts the XML elements of a
workbook first, then reads row by row.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, time, timedelta
from typing import Any, Final

from ledger.connectors.spreadsheets import xlsx_scan
from ledger.connectors.spreadsheets.workbook import (
    ERROR,
    FORMULA,
    Cell,
    Merge,
    Sheet,
    moment_cell,
    number_cell,
    text_cell,
)
from ledger.connectors.spreadsheets.xlsx_scan import Scan, malformed, scan, too_large
from ledger.errors import InvalidInput, PingzhengError

_COLUMNS: Final = 16_384
_ROWS: Final = 1_048_576
# Maps each XML namespace of a strict workbook to the namespace that the library knows.
_NAMESPACES: Final = (
    (b"http://purl.oclc.org/ooxml/spreadsheetml/main", b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
    (b"http://purl.oclc.org/ooxml/drawingml/main", b"http://schemas.openxmlformats.org/drawingml/2006/main"),
)


def read_sheets(data: bytes, name: str) -> list[Sheet]:
    """Return the sheets of a workbook. ``name`` is the file's name for error messages.

    Raises ``InvalidInput`` ``XLSX_TOO_LARGE``, ``XLSX_MALFORMED``.
    """
    found = scan(data, name)
    if found.strict:
        data = _transitional(data)
    # Few commands read Excel files, and importing the library takes time, because the library also loads numpy if numpy
    # is installed. So the library is imported only here.
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            # Ignore the library's warnings. They are about parts that are not read, such as pictures, page layout and
            # unusual dates.
            warnings.simplefilter("ignore", UserWarning)
            with closing(load_workbook(io.BytesIO(data), read_only=True, keep_links=False)) as book:
                budget = _Budget(name)
                return [_sheet(sheet, found, budget, f"{name}, {sheet.title}") for sheet in book.worksheets]
    except PingzhengError:
        raise
    except Exception as error:
        # If a file is damaged, the library may raise any exception.
        raise malformed(name) from error


class _Budget:
    """Counts the cells that are read from one file, and raises an error above a limit. Empty cells between filled cells
    are counted.
    """

    def __init__(self, name: str) -> None:
        self._left = xlsx_scan.BOUNDS["c"]
        self._name = name

    def spend(self, cells: int) -> None:
        # An empty row counts as one cell, because a sheet may have a million empty rows.
        self._left -= cells + 1
        if self._left < 0:
            raise too_large(f"The file has more than {xlsx_scan.BOUNDS['c']} cells.", self._name)


def _sheet(sheet: Any, found: Scan, budget: _Budget, where: str) -> Sheet:
    merges = [_merge(ref, where) for ref in found.merges.get(sheet._worksheet_path, ())]
    return Sheet(sheet.title, sheet.sheet_state != "visible", list(_rows(sheet, budget)), merges)


def _rows(sheet: Any, budget: _Budget) -> Iterator[tuple[int, Sequence[Cell]]]:
    # The file states the size of the sheet, but a wrong size would silently drop cells. So the stated size is ignored.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(), start=1):
        budget.spend(len(row))
        cells = [_cell(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return FORMULA
    if cell.data_type == "e":
        return ERROR
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_cell(value)
    if isinstance(value, (date, time, timedelta)):
        return moment_cell(value, str(cell.number_format))
    return text_cell(str(value))


def _merge(ref: str, where: str) -> Merge:
    from openpyxl.utils import range_boundaries

    try:
        left, top, right, bottom = (int(bound or 0) for bound in range_boundaries(ref))
    except (ValueError, TypeError):
        left = top = right = bottom = 0
    if not (1 <= left <= right <= _COLUMNS and 1 <= top <= bottom <= _ROWS):
        raise InvalidInput("XLSX_MALFORMED", "A merged range is invalid.", where=where, hint="Save the workbook again.")
    return top, bottom, left, right


def _transitional(data: bytes) -> bytes:
    """Convert a strict workbook: replace its XML namespaces by those that the library knows.

    The caller must first have checked the size of the workbook's parts.
    """
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for member in old.infolist():
            content = old.read(member)
            for strict, known in _NAMESPACES:
                content = content.replace(strict, known)
            new.writestr(member.filename, content)
    return out.getvalue()
