"""Rows that have content but no key, and sources without rows, raise an error. Otherwise a provider could sign a false
answer.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from ledger.connectors.answers import NoData, Supplied
from ledger.connectors.connector import SourceConnector, connector_of
from ledger.connectors.parquet import ParquetTable
from ledger.connectors.source import DatabasePlace, FilePlace
from ledger.errors import Misconfigured
from tests.connectors.places import ALL_KINDS, AT, DEFINITION, GRID, OTHER, Place, query

FILES = ("csv", "parquet", "xlsx")
# Two subjects that no row names. The identifier of ABSENT has check digits; the identifier of PLAIN has none, so a key
# must equal it exactly.
ABSENT = "91440881MA9X000384"
PLAIN = "1001"
EMPTY: dict[str, Any] = {
    "no value": None,
    "empty": "",
    "blank": " \t",
    "ideographic space": "\u3000",
    "a no-break space": "\u00a0",
    "zero-width": "\u200b",
    "a byte order mark": "\ufeff",
    "a formula with an empty text": '=""',
    "an apostrophe alone": "'",
    "a dash": "—",
    "as a database exports it": "NULL",
    "as MySQL exports it": "\\N",
    "as pandas writes it": "nan",
    "the same as above": "同上",
    "a ditto mark": "〃",
    "a ditto mark in ASCII": '"',
}


@pytest.fixture(params=FILES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path, str(request.param))


def table(keys: list[Any], kwh: list[Any], note: list[Any] | None = None) -> dict[str, list[Any]]:
    periods = [None if value is None else f"2026{month:02}" for month, value in enumerate(kwh, start=1)]
    return {"uscc": keys, "period": periods, "kwh": kwh, "note": note or ["x" if value else None for value in kwh]}


def problem(source: SourceConnector, identifier: str = GRID) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        source.ask(query(identifier))
    return caught.value


@pytest.mark.parametrize("cell", EMPTY.values(), ids=EMPTY.keys())
def test_a_row_with_content_and_no_key_is_an_error_that_names_column_and_line(place: Place, cell: Any) -> None:
    """If a sheet with merged key cells is saved as CSV, only the first of a subject's rows keeps the key. Without an
    error, the other rows would be missing from the answer.
    """
    source = place.holding(table([GRID, cell, cell, OTHER], ["1", "2", "3", "4"]))
    for asked in (GRID, OTHER, ABSENT, PLAIN):
        error = problem(source, asked)
        assert error.code == "SOURCE_KEY_DAMAGED"
        assert "uscc" in error.message and error.details["column"] == "uscc"
        where = str(error.where)
        assert where.endswith({"csv": "line 3", "xlsx": "row 3", "parquet": "row 2"}[place.kind])
        assert "合计" in str(error.hint) and "total" in str(error.hint)


def test_a_row_without_a_key_is_an_error_whichever_column_has_content(place: Place) -> None:
    source = place.holding(table([GRID, None], ["1", None], [None, "合计"]))
    assert problem(source).code == "SOURCE_KEY_DAMAGED"


@pytest.mark.parametrize("blank", [None, "", " ", "\u200b", "\u3000"])
def test_blank_rows_are_ignored(place: Place, blank: str | None) -> None:
    keys = [blank, GRID, blank, OTHER, blank]
    source = place.holding(
        {"uscc": keys, **{name: [blank, "1", blank, "2", blank] for name in ("period", "kwh", "note")}}
    )
    assert source.ask(query()) == Supplied(({"month": "1", "kwh": "1"},), date(2026, 3, 31), AT)
    assert source.ask(query(ABSENT)) == NoData(AT)


def test_a_row_of_totals_is_ignored(place: Place) -> None:
    """The key cell of a row of totals contains a word, which cannot be an identifier."""
    source = place.holding(table([GRID, OTHER, "合计"], ["1", "2", "3"]))
    assert source.ask(query()) == Supplied(({"month": "202601", "kwh": "1"},), date(2026, 3, 31), AT)
    assert source.ask(query(ABSENT)) == NoData(AT)


def test_a_merged_key_cell_counts_for_all_its_rows(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["uscc", "period", "kwh"])
    for row in ((GRID, "202601", "1"), (None, "202602", "2"), (None, "202603", "3"), (OTHER, "202601", "4")):
        sheet.append(row)
    sheet.merge_cells("A2:A4")
    book.save(tmp_path / "bills.xlsx")
    answer = Place(tmp_path, "xlsx").connector().ask(query())
    assert isinstance(answer, Supplied)
    assert [row["kwh"] for row in answer.rows] == ["1", "2", "3"]
    sheet.append((None, "202604", "5"))
    book.save(tmp_path / "bills.xlsx")
    assert problem(Place(tmp_path, "xlsx").connector()).where == "bills.xlsx, Sheet, row 6"


def grouped(path: Path, keys: list[Any], **options: Any) -> SourceConnector:
    """Write a Parquet file with two rows per row group, and return a connector that reads it in this process."""
    kwh = [str(number) for number in range(len(keys))]
    content = pa.table({"uscc": pa.array(keys, pa.string()), "period": kwh, "kwh": kwh, "on": [[1]] * len(keys)})
    parquet.write_table(content, path, row_group_size=2, **options)
    return SourceConnector(replace(DEFINITION, folder=path.parent), ParquetTable(path))


@pytest.mark.parametrize("cell", EMPTY.values(), ids=EMPTY.keys())
@pytest.mark.parametrize("options", [{}, {"write_statistics": False}, {"use_dictionary": False}])
def test_a_row_without_a_key_is_found_in_every_row_group(tmp_path: Path, cell: Any, options: dict[str, Any]) -> None:
    source = grouped(tmp_path / "bills.parquet", [GRID, GRID, OTHER, cell], **options)
    for asked in (GRID, OTHER, ABSENT, PLAIN):
        assert str(problem(source, asked).where).endswith("row 4")


def test_a_key_written_with_blanks_is_found_although_the_statistics_of_the_row_group_exclude_the_key(
    tmp_path: Path,
) -> None:
    """According to its statistics, no row group contains the key. The key is found, because all key columns are read
    for keys in other forms.
    """
    source = grouped(tmp_path / "bills.parquet", [OTHER, OTHER, f"9144 0802 MA9X 0001{GRID[16:]}", OTHER])
    answer = source.ask(query())
    assert isinstance(answer, Supplied)
    assert answer.rows == ({"month": "2", "kwh": "2"},)


@pytest.fixture(params=ALL_KINDS)
def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path, str(request.param))


def test_an_empty_table_gives_an_error_instead_of_the_answer_no_data(any_place: Place) -> None:
    """An empty table may be the result of a failed export, so it does not prove that there is no data about the
    subject.
    """
    source = any_place.holding({name: [] for name in ("uscc", "period", "kwh")})
    for asked in (GRID, PLAIN):
        error = problem(source, asked)
        assert error.code == "SOURCE_EMPTY"
        assert error.where and "导出" in str(error.hint) and "export" in str(error.hint)


def test_a_table_of_only_blank_rows_counts_as_empty(place: Place) -> None:
    source = place.holding({name: ["", " "] for name in ("uscc", "period", "kwh")})
    assert problem(source).code == "SOURCE_EMPTY"


def test_a_subject_without_rows_in_a_filled_table_gets_the_answer_no_data(any_place: Place) -> None:
    assert any_place.holding(table([OTHER], ["1"])).ask(query()) == NoData(AT)


NO_ROW = {
    "the usual form": ("SELECT * FROM bills WHERE uscc = :identifier", True),
    "with another condition": ("SELECT * FROM bills WHERE uscc=:identifier AND kwh > 0 ORDER BY period;", True),
    "in a part of it": ("WITH own AS (SELECT * FROM bills WHERE uscc = :identifier) SELECT * FROM own -- all", True),
    "twice": ("SELECT * FROM bills WHERE uscc = :identifier OR uscc = :identifier", True),
    "in a form that cannot be asked for anybody": ("SELECT * FROM bills WHERE :identifier = uscc", False),
    "within an expression": ("SELECT * FROM bills WHERE uscc = :identifier || ''", False),
}


@pytest.mark.parametrize(("sql", "known"), NO_ROW.values(), ids=NO_ROW.keys())
def test_an_empty_database_table_is_recognised_for_queries_with_an_equals_sign(
    tmp_path: Path, sql: str, known: bool
) -> None:
    place = Place(tmp_path, "sql")
    place.holding({name: [] for name in ("uscc", "period", "kwh")})
    definition = replace(DEFINITION, place=DatabasePlace("sqlite:///bills.db", None, sql), folder=tmp_path)
    source = connector_of(definition, {})
    if known:
        assert problem(source).code == "SOURCE_EMPTY"
    else:
        assert source.ask(query()) == NoData(AT)
    with sqlite3.connect(place.path) as database:
        database.execute("INSERT INTO bills VALUES (?, '202601', 1)", (OTHER,))
    assert source.ask(query()) == NoData(AT)


TITLE = "2026年用电量"


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("sheet", [None, "Sheet"])
def test_an_error_names_a_title_above_the_header_of_a_workbook(tmp_path: Path, merged: bool, sheet: str | None) -> None:
    book = Workbook()
    page = book.worksheets[0]
    for row in ((TITLE,), ("单位：千瓦时",), ("uscc", "period", "kwh"), (GRID, "202601", 1)):
        page.append(row)
    if merged:
        page.merge_cells("A1:C1")
    book.save(tmp_path / "bills.xlsx")
    definition = replace(DEFINITION, place=FilePlace(Path("bills.xlsx"), sheet=sheet), folder=tmp_path)
    error = problem(connector_of(definition, {}))
    assert (error.code, error.where) == ("SOURCE_HEADER_ROW", "bills.xlsx, Sheet")
    assert "row 3" in error.message and "Delete" in str(error.hint) and "删除" in str(error.hint)


HEADER = "uscc,period,kwh\n"
MISREAD = {
    "a title": (f"{TITLE}\n{HEADER}", "SOURCE_HEADER_ROW", "line 2"),
    "a title with commas": (f"{TITLE},,\n\n{HEADER}", "SOURCE_HEADER_ROW", "line 3"),
    "semicolons": (HEADER.replace(",", ";"), "SOURCE_SEPARATOR", "“;”"),
    "semicolons and decimal commas": ("uscc;period;kwh,h;kwh\n", "SOURCE_SEPARATOR", "“;”"),
    "tabs beside a comma": ("uscc\tperiod\tkwh\t电量,千瓦时\n", "SOURCE_SEPARATOR", "tab"),
    "full-width commas": (HEADER.replace(",", "，"), "SOURCE_SEPARATOR", "“，”"),
    "bars": (HEADER.replace(",", "|"), "SOURCE_SEPARATOR", "“|”"),
    "another name of the key": ("code,period,kwh\n", "SOURCE_COLUMN_MISSING", "uscc"),
    "another name of a column": ("uscc 2,period,usage\n", "SOURCE_COLUMN_MISSING", "uscc"),
    "no file of rows": ("", "CSV_HEADER", "first line"),
}


@pytest.mark.parametrize(("head", "code", "said"), MISREAD.values(), ids=MISREAD.keys())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_an_error_explains_why_the_first_line_of_a_csv_file_has_no_key_column(
    tmp_path: Path, head: str, code: str, said: str, encoding: str
) -> None:
    (tmp_path / "bills.csv").write_bytes(f"{head}{GRID},202601,1\n".encode(encoding) if head else b"")
    place = FilePlace(Path("bills.csv"), "gb18030" if encoding == "gb18030" else None)
    error = problem(connector_of(replace(DEFINITION, place=place, folder=tmp_path), {}))
    assert (error.code, said in error.message, bool(error.hint)) == (code, True, True)
    assert GRID not in str(error)
