"""Reads tables from files that people send.

The kind of a file is recognised by the file's content. The result contains notes on how the file was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ledger.connectors.apart.reader import Ended, read_apart
from ledger.connectors.deadline import Deadline, TimeIsUp
from ledger.connectors.encodings import SHOWN, codec_of
from ledger.connectors.headings import columns_by_heading
from ledger.connectors.kinds import Kind, kind_of, require_readable
from ledger.connectors.spreadsheets.workbook import Sheet, table_of
from ledger.connectors.spreadsheets.xls_book import MAX_XLS_BYTES, sheet_of
from ledger.connectors.spreadsheets.xlsx_book import read_sheets
from ledger.connectors.tabular import bytes_of, chunks_of, numbered_rows
from ledger.errors import InvalidInput

_XLS_SECONDS: Final = 60
_EXTENSIONS: Final = {Kind.TEXT: (".csv", ".txt"), Kind.XLSX: (".xlsx", ".xlsm"), Kind.XLS: (".xls", ".et")}

Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of a table, and notes on how the file was read. Each row maps column names to cells.

    ``lines`` are the row numbers as a spreadsheet shows them: the header is line 1.
    """

    rows: Rows
    notes: tuple[str, ...] = field(default=())
    lines: tuple[int, ...] = field(default=())


def read_listing(path: Path, columns: Sequence[str], encoding: str | None = None) -> Listed:
    """Read a table like ``read_table``, and replace each heading by the name in ``columns`` that has the same meaning.

    Also raises ``InvalidInput`` ``HEADING_TWICE`` if two headings mean the same column.
    """
    table = read_table(path, encoding)
    names = columns_by_heading(table.rows[0] if table.rows else (), columns, path.name)
    return replace(table, rows=[{names[heading]: cell for heading, cell in row.items()} for row in table.rows])


def read_table(path: Path, encoding: str | None = None) -> Listed:
    """Return the only table in a file. Raises ``InvalidInput`` ``FILE_…``, ``CSV_…``, ``XLSX_…``, ``XLS_MALFORMED``."""
    return table_in(bytes_of(path), path.name, encoding)


def table_in(data: bytes, name: str, encoding: str | None = None) -> Listed:
    """Return the only table in the bytes of a file, like ``read_table``. A workbook must have exactly one visible sheet
    with content.
    """
    kind, notes = recognised(data, name)
    if kind is Kind.TEXT:
        table = csv_in(data, name, encoding)
        return replace(table, notes=(*notes, *table.notes))
    shown = [sheet for sheet in sheets_in(data, name, kind) if sheet.rows and not sheet.hidden]
    if len(shown) != 1:
        raise InvalidInput(
            "XLSX_SHEETS",
            f"The workbook has {len(shown)} visible sheets with content; exactly one is expected.",
            where=name,
            hint=f"Keep one of: {', '.join(sheet.title for sheet in shown)}." if shown else "Fill in a sheet.",
        )
    head, cells = table_of(shown[0], f"{name}, {shown[0].title}")
    return Listed([dict(zip(head, row, strict=True)) for _, row in cells], notes, tuple(number for number, _ in cells))


def recognised(data: bytes, name: str) -> tuple[Kind, tuple[str, ...]]:
    """Return the kind of a file that contains a table. If the file's name suggests another kind, also return a note.

    Raises ``InvalidInput`` ``FILE_KIND``, ``FILE_ENCRYPTED``.
    """
    kind = kind_of(data)
    if kind is Kind.TEXT and name.lower().endswith((".xls", ".et", ".xlsx", ".xlsm")) and not _is_text(data):
        kind = Kind.XLS if name.lower().endswith((".xls", ".et")) else Kind.XLSX
    require_readable(kind, name)
    usual = name.lower().endswith(_EXTENSIONS[kind]) or "." not in name
    return kind, () if usual else (f"{name} 按内容读取。Read by its content, as {kind}.",)


def csv_in(data: bytes, name: str, encoding: str | None = None) -> Listed:
    """Return the table of a CSV file, with a note if its encoding is not UTF-8."""
    rows = numbered_rows(data, name, encoding)
    shown = SHOWN[codec_of(encoding, lambda: chunks_of(data), name)]
    notes = () if shown == "UTF-8" else (f"{name} 的编码为 {shown}。Read as {shown}.",)
    return Listed([row for _, row in rows], notes, tuple(line for line, _ in rows))


def sheets_in(data: bytes, name: str, kind: Kind) -> list[Sheet]:
    """Return the sheets of a workbook."""
    return read_sheets(data, name) if kind is Kind.XLSX else _old_sheets(data, name)


def rows_of(sheet: Sheet, where: str) -> list[dict[str, str]]:
    """Return the rows of a sheet, each as a map from column name to cell."""
    head, rows = table_of(sheet, where)
    return [dict(zip(head, cells, strict=True)) for _, cells in rows]


def _is_text(data: bytes) -> bool:
    # Spreadsheets save “Unicode text” in UTF-16, often in a file named .xls.
    return bool(data) and (b"\x00" not in data[:4096] or data.startswith((b"\xff\xfe", b"\xfe\xff")))


def _old_sheets(data: bytes, name: str) -> list[Sheet]:
    if len(data) > MAX_XLS_BYTES:
        raise InvalidInput("XLSX_TOO_LARGE", f"The file is larger than {MAX_XLS_BYTES} bytes.", where=name)
    request = {"read": "xls", "name": name}
    sheets: list[Sheet] = []
    lines: list[dict[str, Any]] = []
    try:
        for line in read_apart(request, Deadline(_XLS_SECONDS), data):
            lines.append(line)
            if line.get("last"):
                sheets.append(sheet_of(lines))
                lines = []
    except (Ended, TimeIsUp):
        raise InvalidInput(
            "XLSX_TOO_LARGE",
            "Reading this workbook in the Excel 97 format (.xls, .et) takes more memory or time than allowed.",
            where=name,
            hint="Save the workbook as .xlsx, which takes less memory to read.",
        ) from None
    return sheets
