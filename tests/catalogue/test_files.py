"""Files of the data list as departments send them: kinds of file, sheets, and cells. A grade in a file is never
ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl.worksheet.worksheet import Worksheet

from ledger.catalogue.sheets import sheets_of
from ledger.connectors.kinds import Kind
from ledger.connectors.spreadsheets.workbook import Flaw
from ledger.connectors.tables import sheets_in
from ledger.errors import InvalidInput
from tests.support.workbooks import book

CASES = Path(__file__).parents[1] / "connectors" / "cases"
DIGEST = f"sha-256:{'ab' * 32}"
HEAD = ["code", "title", "content_digest"]
ROW = ["A-1", "用电", DIGEST]
FIELD_HEAD = ["code", "name", "type", "grade", "pii"]


def filled(rows: list[list[Any]], change: Callable[[Worksheet], object]) -> Callable[[Worksheet], None]:
    def fill(sheet: Worksheet) -> None:
        for line in rows:
            sheet.append(line)
        change(sheet)

    return fill


def hidden(sheet: Worksheet) -> None:
    sheet.sheet_state = "hidden"


def refusal(data: bytes, name: str = "list.xlsx") -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        sheets_of(data, name)
    return caught.value


def case(path: str) -> tuple[bytes, str]:
    file = CASES / path
    return file.read_bytes(), file.name


# --- files that are read or refused


READ: dict[str, dict[str, str]] = {
    "csv-blank-rows/blank.csv": {"code": "C-1", "title": "电表"},
    "csv-wrong-kind/gb18030.csv": {"code": "C-1", "title": "电表"},
    "csv-wrong-kind/utf16.csv": {"code": "C-1", "title": "电表"},
    "csv-wrong-kind/named.csv": {"code": "T-8", "time_range": "2026-01-01"},
    "csv-wrong-kind/list.et": {"code": "T-8", "time_range": "2026-01-01"},
    "xls-whole/list.xls": {"code": "X-1", "title": "用电", "rows": "12", "time_range": "2026-01-01"},
    "xls-whole/list.et": {"code": "X-1", "title": "用电", "rows": "12", "time_range": "2026-01-01"},
    "xlsx-date-cell/date-cell.xlsx": {"code": "T-8", "time_range": "2026-01-01"},
    "xlsx-help-and-dictionary-sheets/dictionary-sheet.xlsx": {"code": "T-11", "title": "t"},
    "xlsx-help-and-dictionary-sheets/help-sheet-first.xlsx": {"code": "T-9", "title": "t"},
    "xlsx-strict/strict.xlsx": {"code": "A-1", "title": "t", "package": "p", "rows": "1"},
    "xlsx-x000d/crlf-x000d.xlsx": {"code": "T-12", "title": "标题", "share_basis": "依据"},
}


@pytest.mark.parametrize("path", READ)
def test_a_typical_file_is_read(path: str) -> None:
    (row,) = sheets_of(*case(path)).resources
    assert row.items() >= READ[path].items()


REFUSED = {
    "csv-wrong-kind/list.xls": ("XLS_MALFORMED", "list.xls"),
    "encrypted/list.xlsx": ("FILE_ENCRYPTED", "list.xlsx"),
    "xlsx-error-cells/error-cells.xlsx": ("XLSX_ERROR", "error-cells.xlsx, resources, row 2, column title"),
    "xlsx-long-number/long-number.xlsx": ("XLSX_LONG_NUMBER", "long-number.xlsx, resources, row 2, column code"),
}


@pytest.mark.parametrize("path", REFUSED)
def test_a_file_with_an_unreliable_cell_or_sheet_is_refused_and_the_error_names_the_place(path: str) -> None:
    error = refusal(*case(path))
    assert (error.code, error.where) == REFUSED[path]
    assert "not UTF-8" not in str(error)


@pytest.mark.parametrize("name", ["fields-capital.xlsx", "fields-chinese-name.xlsx"])
def test_a_sheet_of_fields_is_recognised_by_its_columns(name: str) -> None:
    sheets = sheets_of(*case(f"xlsx-fields-sheet-case/{name}"))
    (field,) = sheets.fields
    assert (field["name"], field["grade"], field["pii"]) == ("身份证号", "important", "sensitive")
    assert not sheets.notes


@pytest.mark.parametrize("name", ["list.xls", "list.et"])
def test_an_xls_workbook_gives_the_same_rows_as_an_xlsx_workbook_with_the_same_cells(name: str) -> None:
    def fields(sheet: Worksheet) -> None:
        sheet.append(FIELD_HEAD)
        for line in (["X-1", "身份证号", "string", "important", "sensitive"], [None, "姓名", "string", None], [None]):
            sheet.append(line)
        for column, value in enumerate(["月份", "string", "general_2"], start=2):
            sheet.cell(4, column, value)
        sheet.merge_cells("A2:A4")
        sheet.merge_cells("D2:D3")

    new = book(
        填写说明=[["请按模板填写"]],
        资源清单=[[*HEAD, "rows", "time_range"], ["X-1", "用电", DIGEST, 12, date(2026, 1, 1)]],
        字段=fields,
    )
    expected, old = sheets_of(new, "list.xlsx"), sheets_of(*case(f"xls-whole/{name}"))
    assert old == expected and old.notes == expected.notes
    assert [(row["code"], row["name"], row["grade"], row["pii"]) for row in old.fields] == [
        ("X-1", "身份证号", "important", "sensitive"),
        ("X-1", "姓名", "important", ""),
        ("X-1", "月份", "general_2", ""),
    ]


# --- sheets of fields and their grades


@pytest.mark.parametrize(
    "title", ["fields", "Fields", "FIELDS", "fields ", "ｆｉｅｌｄｓ", "字段", " 字段 ", "字段表", "列说明"]
)
def test_a_sheet_of_fields_is_read_whatever_its_name(title: str) -> None:
    sheets = sheets_of(book(resources=[HEAD, ROW], **{title: [FIELD_HEAD, ["A-1", "x", "text", "core", ""]]}), "a.xlsx")
    assert [row["grade"] for row in sheets.fields] == ["core"]


@pytest.mark.parametrize("title", ["fields", "Sheet2"])
def test_the_sheet_of_fields_can_stand_before_the_sheet_of_resources(title: str) -> None:
    data = book(**{title: [FIELD_HEAD, ["A-1", "x", "text", "important", ""]]}, 清单=[HEAD, ROW])
    sheets = sheets_of(data, "a.xlsx")
    assert (sheets.resources[0]["code"], sheets.fields[0]["grade"]) == ("A-1", "important")


def test_letter_case_and_blanks_in_column_names_are_ignored() -> None:
    data = book(s=[["Code", "TITLE ", "content_digest", "Grade\u00a0"], [*ROW, "important"]])
    assert sheets_of(data, "a.xlsx").resources[0]["grade"] == "important"
    text = f"Code,TITLE ,content_digest,Ｇrade\n{','.join(ROW)},important\n"
    assert sheets_of(text.encode(), "a.csv").resources[0]["grade"] == "important"


def test_a_merged_cell_gives_its_value_to_each_of_its_rows() -> None:
    rows: list[list[Any]] = [
        [*HEAD, "grade"],
        [*ROW, "important"],
        ["A-2", "t", DIGEST, None],
        ["A-3", "t", DIGEST, "general_1"],
    ]
    sheets = sheets_of(book(s=filled(rows, lambda sheet: sheet.merge_cells("D2:D3"))), "a.xlsx")
    assert [row["grade"] for row in sheets.resources] == ["important", "important", "general_1"]


def test_rows_that_have_only_merged_cells_are_ignored() -> None:
    rows: list[list[Any]] = [[*HEAD, "grade"], [*ROW, "important"]]
    sheets = sheets_of(book(s=filled(rows, lambda sheet: sheet.merge_cells("D2:D900"))), "a.xlsx")
    assert len(sheets.resources) == 1


@pytest.mark.parametrize("ranges", ["C2:D2", "C2:D3", "A1:B1", "A1:A2"])
def test_cells_merged_across_columns_or_with_the_header_are_refused(ranges: str) -> None:
    rows: list[list[Any]] = [[*HEAD, "grade"], [*ROW, "important"], ["A-2", "t", DIGEST, "core"]]
    error = refusal(book(s=filled(rows, lambda sheet: sheet.merge_cells(ranges))))
    assert error.code in ("XLSX_MERGED", "XLSX_HEADER")
    assert "list.xlsx, s" in str(error.where)


def test_merged_cells_outside_the_table_are_ignored() -> None:
    rows = [HEAD, ROW]
    data = book(s=filled(rows, lambda sheet: sheet.merge_cells("F2:G9")))
    assert len(sheets_of(data, "a.xlsx").resources) == 1


HIDDEN: dict[str, dict[str, Any]] = {
    "resources first": {"old": filled([HEAD, ["OLD", "t", DIGEST]], hidden), "new": [HEAD, ROW]},
    "resources behind": {"new": [HEAD, ROW], "old": filled([HEAD, ["OLD", "t", DIGEST]], hidden)},
    "fields": {"new": [HEAD, ROW], "fields": filled([FIELD_HEAD, ["A-1", "x", "text", "core", ""]], hidden)},
}


@pytest.mark.parametrize("sheets", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_file_with_a_hidden_table_is_refused(sheets: dict[str, Any]) -> None:
    error = refusal(book(**sheets))
    assert error.code == "XLSX_SHEET_HIDDEN"
    assert error.where in ("list.xlsx, old", "list.xlsx, fields")


def test_a_sheet_without_resources_or_fields_is_not_read_and_a_note_names_the_sheet() -> None:
    data = book(
        封面=[["2026 年数据资源"]],
        choices=filled([["general_1"], ["important"], ["core"]], hidden),
        resources=[HEAD, ROW],
        统计=[["合计", "=SUM(A1:A2)"], ["#N/A", None]],
        空=[],
    )
    sheets = sheets_of(data, "a.xlsx")
    assert sheets.resources[0]["code"] == "A-1"
    assert len(sheets.notes) == 3
    assert all(title in "".join(sheets.notes) for title in ("封面", "choices", "统计"))


def test_a_file_with_grades_in_an_unrecognised_sheet_is_refused() -> None:
    data = book(resources=[HEAD, ROW], 分级=[["资源", "字段", "级别"], ["A-1", "身份证号", "Important"]])
    error = refusal(data)
    assert (error.code, error.where) == ("XLSX_SHEET_UNKNOWN", "list.xlsx, 分级")


@pytest.mark.parametrize("title", ["resources2", "Sheet1"])
def test_a_file_with_two_tables_of_the_same_kind_is_refused(title: str) -> None:
    assert refusal(book(resources=[HEAD, ROW], **{title: [HEAD, ROW]})).code == "XLSX_SHEETS"


def test_an_error_names_the_sheet_that_was_read() -> None:
    error = refusal(book(说明=[["填写", "说明"], ["a", "b"]], 其他=[["x"], ["y"]]))
    assert (error.code, error.where) == ("IMPORT_COLUMN_MISSING", "list.xlsx, 说明")
    assert refusal(book(说明=[["请填写"]])).where == "list.xlsx, 说明"
    assert refusal(book(空=[])).code == "IMPORT_EMPTY"


@pytest.mark.parametrize("second", ["Grade", "grade ", "ＧＲＡＤＥ", "gr\u200bade"])
def test_a_table_with_two_columns_of_the_same_name_is_refused(second: str) -> None:
    rows = [[*HEAD, "grade", second], [*ROW, "important", "general_1"]]
    assert refusal(book(s=rows)).code in ("CSV_HEADER", "XLSX_HEADER")
    text = "\n".join(",".join(line) for line in rows)
    assert refusal(text.encode(), "list.csv").code == "CSV_HEADER"


def test_fields_in_a_second_file_are_read_only_if_the_first_file_has_no_fields() -> None:
    grading = [FIELD_HEAD, ["A-1", "x", "text", "core", ""]]
    text = "\n".join(",".join(line) for line in grading).encode()
    for fields in (text, text.decode().encode("utf-16"), book(字段=grading)):
        for resources, name in (
            (book(s=[HEAD, ROW]), "a.xlsx"),
            (f"{','.join(HEAD)}\n{','.join(ROW)}".encode(), "a.csv"),
        ):
            assert [row["grade"] for row in sheets_of(resources, name, fields).fields] == ["core"]
    with pytest.raises(InvalidInput, match="FIELDS_TWICE"):
        sheets_of(book(s=[HEAD, ROW], fields=grading), "a.xlsx", text)


# --- cells


CELLS: dict[str, tuple[Any, str | None, str]] = {
    "whole": (7, None, "7"),
    "a whole float": (12.0, None, "12"),
    "15 digits": (123456789012345, None, "123456789012345"),
    "fraction": (2.5, None, "2.5"),
    "tiny": (1e-7, None, "0.0000001"),
    "negative": (-3, None, "-3"),
    "boolean": (True, None, "true"),
    "day": (date(2026, 1, 2), None, "2026-01-02"),
    "day in Chinese": (date(2026, 1, 2), 'yyyy"年"m"月"d"日"', "2026-01-02"),
    "day with an h in quotes": (date(2026, 1, 2), 'yyyy-mm-dd "h"', "2026-01-02"),
    "midnight": (datetime.fromisoformat("2026-01-02T00:00"), "yyyy-mm-dd hh:mm", "2026-01-02T00:00:00"),
    "moment": (datetime.fromisoformat("2026-01-02T08:30"), None, "2026-01-02T08:30:00"),
    "time": (time(8, 30), None, "08:30:00"),
    "duration": (timedelta(hours=36, minutes=5), None, "36:05:00"),
    "escaped line end": ("a_x000D_", None, "a"),
    "escaped escape": ("_x005F_x000D_", None, "_x000D_"),
    "escape in small letters": ("a_x000d_\n", None, "a"),
    "a character of two surrogates": ("_xD83D__xDE00_", None, "😀"),
    "blanks around": ("\u3000 a\u00a0\t", None, "a"),
    "an underscore": ("max_x0", None, "max_x0"),
}


@pytest.mark.parametrize(("value", "form", "text"), CELLS.values(), ids=CELLS.keys())
def test_a_cell_is_read_as_the_text_that_a_spreadsheet_shows(value: Any, form: str | None, text: str) -> None:
    def cell(sheet: Worksheet) -> None:
        sheet.cell(2, 2).value = value
        if form:
            sheet.cell(2, 2).number_format = form

    sheets = sheets_of(book(s=filled([["code", "title", "content_digest"], ["A", "", DIGEST]], cell)), "a.xlsx")
    assert sheets.resources[0]["title"] == text


FLAWS: dict[str, tuple[Any, str]] = {
    "18 digits": (440811202601011234, "XLSX_LONG_NUMBER"),
    "16 digits": (1234567890123456, "XLSX_LONG_NUMBER"),
    "18 digits, negative": (-440811202601011234, "XLSX_LONG_NUMBER"),
    "an exponent": (4.40811e17, "XLSX_LONG_NUMBER"),
    "#N/A": ("#N/A", "XLSX_ERROR"),
    "#REF!": ("#REF!", "XLSX_ERROR"),
    "#DIV/0!": ("#DIV/0!", "XLSX_ERROR"),
    "formula": ("=1+1", "XLSX_FORMULA"),
    "a single surrogate": ("_xD83D_", "XLSX_TEXT"),
    "too long": ("x" * 10_001, "XLSX_CELL_TOO_LONG"),
}


@pytest.mark.parametrize(("value", "code"), FLAWS.values(), ids=FLAWS.keys())
def test_a_cell_without_reliable_text_is_refused_and_the_error_names_the_cell(value: Any, code: str) -> None:
    error = refusal(book(s=[[*HEAD, "package"], ROW, ["B", "t", DIGEST, value]]))
    assert (error.code, error.where) == (code, "list.xlsx, s, row 3, column package")


def test_a_cell_of_an_xls_workbook_is_read_as_the_text_that_a_spreadsheet_shows() -> None:
    data, name = case("xls-flaws/cells.xls")
    (sheet,) = sheets_in(data, name, Kind.XLS)
    cells = {row[0]: row[1] for _, row in sheet.rows[1:]}
    flaws = {str(what): cell.code for what, cell in cells.items() if isinstance(cell, Flaw)}
    assert flaws == {"formula": "XLSX_FORMULA", "long": "XLSX_LONG_NUMBER", "error": "XLSX_ERROR"}
    assert {str(what): cell for what, cell in cells.items() if isinstance(cell, str)} == {
        "time": "08:30:00",
        "duration": "36:00:00",
        "tiny": "0.0000001",
        "moment": "2026-01-01T08:30:00",
        "true": "true",
        "half": "2.5",
        "whole": "2",
    }


@pytest.mark.parametrize("error", ["#N/A", " #REF! ", "#DIV/0!", "#name?"])
@pytest.mark.parametrize("place", ["title", "package"])
def test_a_spreadsheet_error_in_a_csv_file_is_refused(error: str, place: str) -> None:
    row = {"code": "C-1", "title": "t", "content_digest": DIGEST, "package": "p"} | {place: error}
    refused = refusal(f"{','.join(row)}\n{','.join(row.values())}\n".encode(), "list.csv")
    assert (refused.code, refused.where) == ("CSV_ERROR", f"list.csv, row 1, column {place}")


def test_a_number_quoted_as_text_is_read_as_text() -> None:
    text = f'code,title,content_digest\n"=""0123""",t,{DIGEST}\n'
    assert sheets_of(text.encode(), "list.csv").resources[0]["code"] == "0123"
