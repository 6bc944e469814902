"""Finds the table of resources and the table of fields in a file. If a sheet that contains grades would be skipped, an
error is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ledger.connectors.kinds import Kind
from ledger.connectors.normal import normal_text
from ledger.connectors.spreadsheets.workbook import Sheet, header_of
from ledger.connectors.tables import Listed, csv_in, recognised, rows_of, sheets_in, table_in
from ledger.connectors.values import is_error
from ledger.domain.grades import GRADES
from ledger.domain.resource import PII, SECRECY
from ledger.errors import InvalidInput

REQUIRED: Final = ("code", "title", "content_digest")
OPTIONAL: Final = (
    "package",
    "rows",
    "columns",
    "fields",
    "source_kind",
    "domain",
    "format",
    "update_freq",
    "time_range",
    "spatial_range",
    "storage_location",
    "storage_mode",
    "share_attr",
    "share_basis",
    "open_attr",
    "system",
    "grade",
)
FIELD_COLUMNS: Final = ("code", "name", "type", "unit", "pii", "secrecy", "grade")
FIELD_SHEETS: Final = frozenset({"fields", "field", "字段", "字段表", "字段清单", "字段信息"})
_GRADING: Final = frozenset({*GRADES, *PII[1:], *SECRECY[1:]})

Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Sheets:
    """The contents of a file: a row for each resource, optional rows for fields, and notes on how the file was read."""

    resources: Rows
    fields: Rows = ()
    notes: tuple[str, ...] = field(default=(), compare=False)


def sheets_of(data: bytes, name: str, fields: bytes | None = None, encoding: str | None = None) -> Sheets:
    """Return the tables in a file. The fields may be in a sheet of the file, in a second file (CSV or Excel), or in one
    cell of each resource.

    The sheet of resources in a workbook is recognised by its columns, whatever its name and position. A sheet with the
    columns of fields, or with a name such as ``fields`` or ``字段``, holds the fields. Raises ``InvalidInput``
    ``FILE_…``, ``XLSX_…``, ``XLS_…``, ``CSV_…``.
    """
    kind, notes = recognised(data, name)
    beside = Listed(()) if fields is None else table_in(fields, "fields", encoding)
    listed = _named(beside.rows, "fields") or ()
    if kind is not Kind.TEXT:
        sheets = _of_workbook(sheets_in(data, name, kind), name, (*notes, *beside.notes))
        if listed and sheets.fields:
            raise InvalidInput("FIELDS_TWICE", "The fields are given both in a sheet and in a second file.", where=name)
        return replace(sheets, fields=listed or sheets.fields)
    resources = csv_in(data, name, encoding)
    return Sheets(_named(resources.rows, name), listed, (*notes, *resources.notes, *beside.notes))


def _require_no_errors(rows: Rows, name: str) -> None:
    for number, row in enumerate(rows, start=1):
        if broken := [column for column, cell in row.items() if is_error(cell)]:
            raise InvalidInput(
                "CSV_ERROR",
                "A cell holds an error such as #N/A or #REF!.",
                where=f"{name}, row {number}, column {broken[0][:64]}",
                hint="Correct the cell, or empty it.",
            )


def _of_workbook(sheets: Sequence[Sheet], name: str, notes: tuple[str, ...]) -> Sheets:
    filled = [sheet for sheet in sheets if sheet.rows]
    of_fields = [sheet for sheet in filled if _is_of_fields(sheet)]
    of_resources = [sheet for sheet in filled if sheet not in of_fields and _has(sheet, REQUIRED)]
    for sheet in (*of_resources, *of_fields):
        if sheet.hidden:
            raise InvalidInput(
                "XLSX_SHEET_HIDDEN",
                "A hidden sheet holds resources or fields.",
                where=f"{name}, {sheet.title}",
                hint="Unhide the sheet, or delete it.",
            )
    _require_one(of_resources, name)
    _require_one(of_fields, name)
    resources = of_resources[:1] or [sheet for sheet in filled if not sheet.hidden and sheet not in of_fields][:1]
    if not resources:
        raise InvalidInput("IMPORT_EMPTY", "No visible sheet has any rows.", where=name)
    taken = resources[0]
    rows = _named(rows_of(taken, f"{name}, {taken.title}"), f"{name}, {taken.title}")
    if rows and not of_resources:
        _refuse_header(taken, name)
    fields = [
        row for sheet in of_fields for row in _named(rows_of(sheet, f"{name}, {sheet.title}"), f"{name}, {sheet.title}")
    ]
    others = [sheet for sheet in filled if sheet is not taken and sheet not in of_fields]
    for sheet in others:
        _require_no_grading(sheet, {row.get("code", "") for row in rows}, name)
    if not rows:
        raise InvalidInput("IMPORT_EMPTY", "The table has no rows.", where=f"{name}, {taken.title}")
    remarks = [f"未读取工作表“{sheet.title}”。The sheet {sheet.title} was not read." for sheet in others]
    return Sheets(rows, fields, (*notes, *remarks))


def _columns(sheet: Sheet) -> set[str]:
    return {_column(name) for name in header_of(sheet)}


def _column(name: str) -> str:
    return normal_text(name).casefold()


def _named(rows: Rows, where: str) -> list[dict[str, str]]:
    """Return each row as a map from normalised column names to trimmed cells."""
    names = [_column(name) for name in rows[0]] if rows else []
    if len(set(names)) != len(names):
        raise InvalidInput("CSV_HEADER", "Two column names differ only in case or blanks.", where=f"{where}, line 1")
    _require_no_errors(rows, where)
    return [dict(zip(names, map(_unquoted, row.values()), strict=True)) for row in rows]


def _unquoted(cell: str) -> str:
    """Return the cell without surrounding blanks. ``="0123"`` becomes ``0123``: people write ``="0123"`` so that a
    spreadsheet keeps the leading zero.
    """
    cell = cell.strip()
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') and len(cell) > 3 else cell


def _has(sheet: Sheet, columns: Sequence[str]) -> bool:
    return _columns(sheet).issuperset(columns)


def _is_of_fields(sheet: Sheet) -> bool:
    by_name = normal_text(sheet.title).casefold() in FIELD_SHEETS
    return by_name or (_has(sheet, FIELD_COLUMNS[:3]) and not _has(sheet, REQUIRED))


def _require_one(sheets: Sequence[Sheet], name: str) -> None:
    if len(sheets) > 1:
        raise InvalidInput(
            "XLSX_SHEETS",
            "Two sheets both hold resources, or both hold fields.",
            where=name,
            hint=f"Keep only one of these sheets: {', '.join(sheet.title for sheet in sheets)}.",
        )


def _refuse_header(sheet: Sheet, name: str) -> None:
    missing = [column for column in REQUIRED if column not in _columns(sheet)]
    raise InvalidInput(
        "IMPORT_COLUMN_MISSING",
        f"No sheet has the columns of resources; in {sheet.title} the column {missing[0]} is missing.",
        where=f"{name}, {sheet.title}",
        hint=f"The first row names the columns: {', '.join(REQUIRED)}.",
    )


def _require_no_grading(sheet: Sheet, codes: set[str], name: str) -> None:
    """Raise if a sheet that would be skipped contains grades of this file's resources.

    A sheet with explanations may contain grades without resource codes, or resource codes without grades. A sheet with
    both is taken for a sheet that gives grades to resources.
    """
    texts = {normal_text(cell) for _, row in sheet.rows for cell in row if isinstance(cell, str)}
    if texts & codes - {""} and {text.casefold() for text in texts} & _GRADING:
        raise InvalidInput(
            "XLSX_SHEET_UNKNOWN",
            "A sheet contains resource codes and grades, but its columns are not known.",
            where=f"{name}, {sheet.title}",
            hint=f"Name its columns {', '.join(FIELD_COLUMNS)}, or delete the sheet.",
        )
