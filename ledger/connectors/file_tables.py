"""Chooses how a file is read. A Parquet file is recognised by its name, any other file by its content.

Some formats have no limit on the memory that reading needs; such files are read in a separate process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ledger.connectors.apart.reader import Ended, read_apart
from ledger.connectors.deadline import Deadline
from ledger.connectors.files import CORRECT_FILE, HEADER_WITHIN, CsvTable, FileTable, subject_rows
from ledger.connectors.kinds import Kind
from ledger.connectors.parquet import MAX_PARQUET_BYTES, SMALLER_GROUPS
from ledger.connectors.source import EXCEL_NAMES, PARQUET_NAMES, FilePlace
from ledger.connectors.spreadsheets.workbook import Cell, Sheet, grid_of, header_of
from ledger.connectors.spreadsheets.xlsx_scan import MAX_XLSX_BYTES
from ledger.connectors.table import NO_TEXT, FoundRow, FoundRows, Wanted, require_header_first
from ledger.connectors.tables import recognised, sheets_in
from ledger.errors import InvalidInput, Misconfigured

_HEAD_BYTES: Final = 4096


def file_table(place: FilePlace, folder: Path) -> FileTable:
    """Return the table in the file that a source's definition names."""
    path = folder / place.path
    name = path.suffix.lower()
    if name in PARQUET_NAMES:
        return ParquetApart(path)
    return ExcelTable(path, place.sheet) if name in EXCEL_NAMES else _NamedCsv(path, place)


class ParquetApart(FileTable):
    """A Parquet file, read in a separate process, because the unpacked size of its pages is known only after reading
    them.
    """

    max_bytes = MAX_PARQUET_BYTES

    def _rows(self, wanted: Wanted, until: Deadline) -> FoundRows:
        request = {
            "read": "parquet",
            "path": str(self._path.absolute()),
            "key_column": wanted.key_column,
            "value": wanted.value,
            "columns": wanted.columns,
            "seconds": until.left(),
        }
        try:
            for line in read_apart(request, until):
                for place, cells in line["rows"]:
                    yield FoundRow(place, [NO_TEXT if cell is None else cell for cell in cells])
        except Ended:
            problem = Misconfigured(
                "SOURCE_FILE_TOO_LARGE",
                "读取该文件所需内存过多。Reading the file needs more memory than allowed.",
                where=str(self._path),
                hint=SMALLER_GROUPS,
            )
        else:
            return
        raise problem


class ExcelTable(FileTable):
    """A workbook. Its table is the sheet that the definition names, or the only visible sheet that has the key
    column.
    """

    max_bytes = MAX_XLSX_BYTES

    def __init__(self, path: Path, sheet: str | None) -> None:
        super().__init__(path)
        self._sheet = sheet

    def _rows(self, wanted: Wanted, until: Deadline) -> FoundRows:
        try:
            data = self._path.read_bytes()
            kind, _ = recognised(data, self._path.name)
            if kind is Kind.TEXT:
                yield from CsvTable(self._path).rows(wanted, until)
                return
            sheets = sheets_in(data, self._path.name, kind)
            until.check()
            sheet = self._chosen(sheets, wanted.key_column)
            where = f"{self._path.name}, {sheet.title}"
            head, rows = grid_of(sheet, where)
            yield from subject_rows(head, rows, wanted, until, where)
            return
        except InvalidInput as error:
            problem = Misconfigured(error.code, error.message, where=error.where, hint=error.hint or CORRECT_FILE)
        except OSError as error:
            problem = self._refused(error)
        raise problem

    def _chosen(self, sheets: list[Sheet], key_column: str) -> Sheet:
        if self._sheet is not None:
            fitting = [sheet for sheet in sheets if sheet.title == self._sheet]
        else:
            fitting = [sheet for sheet in sheets if not sheet.hidden and key_column in header_of(sheet)]
        if len(fitting) == 1 and key_column in header_of(fitting[0]):
            return fitting[0]
        for sheet in fitting or [sheet for sheet in sheets if not sheet.hidden]:
            rows = [(number, _texts(cells)) for number, cells in sheet.rows[:HEADER_WITHIN]]
            require_header_first(rows, key_column, f"{self._path.name}, {sheet.title}", "row")
        if len(fitting) == 1:
            return fitting[0]
        raise Misconfigured(
            "SOURCE_SHEET",
            f"应恰有一张可见工作表含主键列，而此文件有 {len(fitting)} 张。"
            f"{len(fitting)} visible sheets have the key column "
            f"{key_column}; exactly one is expected.",
            where=self._path.name,
            hint=f"Add sheet: NAME to the definition. The sheets are: {', '.join(item.title for item in sheets)}.",
        )


def _texts(cells: Sequence[Cell]) -> list[str]:
    return [cell if isinstance(cell, str) else "" for cell in cells]


class _NamedCsv(FileTable):
    """A file with the extension of a CSV file. Its content may nevertheless be a workbook or a Parquet file."""

    max_bytes = CsvTable.max_bytes

    def __init__(self, path: Path, place: FilePlace) -> None:
        super().__init__(path)
        self._place = place

    def _rows(self, wanted: Wanted, until: Deadline) -> FoundRows:
        try:
            with self._path.open("rb") as file:
                head = file.read(_HEAD_BYTES)
        except OSError:
            head = b""
        table: FileTable = CsvTable(self._path, self._place.encoding)
        if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            table = ExcelTable(self._path, self._place.sheet)
        elif head.startswith(b"PAR1"):
            table = ParquetApart(self._path)
        yield from table.rows(wanted, until)
