"""Files as sources: an error names the file and what is wrong with it, and rows that are not needed are not kept in
memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook
from pyarrow import parquet

from ledger.connectors.answers import Refused, Supplied, TimedOut
from ledger.connectors.connector import connector_of
from ledger.connectors.deadline import Deadline, TimeIsUp
from ledger.connectors.files import MAX_CSV_BYTES, CsvTable
from ledger.connectors.parquet import MAX_PARQUET_BYTES, ParquetTable
from ledger.connectors.source import FilePlace
from ledger.connectors.table import Unusable, Wanted
from ledger.errors import Misconfigured
from tests.connectors.places import (
    AT,
    BILLS,
    DEFINITION,
    GRID,
    OTHER,
    Place,
    left_behind,
    query,
    write_csv,
    write_parquet,
)

WANTED = Wanted("uscc", GRID, ("period", "kwh"))
READERS = {"csv": (CsvTable, write_csv), "parquet": (ParquetTable, write_parquet)}


@pytest.fixture
def csv_place(tmp_path: Path) -> Place:
    return Place(tmp_path, "csv")


@contextmanager
def misconfigured(code: str, where: str) -> Iterator[None]:
    """Expect an error with this code in the block. Neither the error nor its causes may repeat a value of the table."""
    with pytest.raises(Misconfigured) as caught:
        yield
    assert (caught.value.code, caught.value.where) == (code, where)
    assert caught.value.hint
    assert GRID not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


@pytest.mark.parametrize("kind", READERS)
def test_an_error_names_the_missing_file(tmp_path: Path, kind: str) -> None:
    place = Place(tmp_path, kind)
    with misconfigured("SOURCE_FILE_MISSING", str(place.path)):
        place.connector().ask(query())
    place.path.mkdir()
    with misconfigured("SOURCE_FILE_MISSING", str(place.path)):
        place.connector().ask(query())


@pytest.mark.parametrize(("kind", "bound"), [("csv", MAX_CSV_BYTES), ("parquet", MAX_PARQUET_BYTES)])
def test_a_file_with_one_byte_too_many_is_not_opened(tmp_path: Path, kind: str, bound: int) -> None:
    place = Place(tmp_path, kind)
    with place.path.open("wb") as file:
        file.truncate(bound + 1)
    with misconfigured("SOURCE_FILE_TOO_LARGE", str(place.path)):
        place.connector().ask(query())


HEAD = b"uscc,period,kwh\n"
BAD_CSV = {
    "Latin-1": (HEAD + f"{GRID},Janéé,1\n".encode("latin-1"), "CSV_NOT_UTF8", "{path}"),
    "Big5": (HEAD + f"{GRID},中文繁體資料,1\n".encode("big5"), "CSV_NOT_UTF8", "{path}"),
    "UTF-32": (f"uscc,period,kwh\n{GRID},1,1\n".encode("utf-32"), "CSV_NOT_UTF8", "{path}"),
    "cut within a character": (HEAD + f"{GRID},".encode() + b"\xe7\x94", "CSV_NOT_UTF8", "{path}"),
    "empty": (b"", "CSV_HEADER", "bills.csv, line 1"),
    "header twice": (b"uscc,kwh,period,kwh\n", "CSV_HEADER", "bills.csv, line 1"),
    "row too short": (HEAD + f"{OTHER},1,1\n{GRID},1\n".encode(), "CSV_ROW_WIDTH", "bills.csv, line 3"),
    "another separator": (HEAD + f"{GRID};1;1\n".encode(), "CSV_ROW_WIDTH", "bills.csv, line 2"),
    "quote without end": (HEAD + f'{GRID},"1,1\n'.encode(), "CSV_MALFORMED", "bills.csv, line 2"),
    "endless cell": (HEAD + b"x" * 200_000, "CSV_MALFORMED", "bills.csv, line 2"),
    "column missing": (f"uscc,kwh\n{GRID},1\n".encode(), "SOURCE_COLUMN_MISSING", "bills.csv"),
    "column in capitals": (f"USCC,period,kwh\n{GRID},1,1\n".encode(), "SOURCE_COLUMN_MISSING", "bills.csv"),
}


@pytest.mark.parametrize(("content", "code", "where"), BAD_CSV.values(), ids=BAD_CSV.keys())
def test_an_error_names_the_csv_file_to_correct(csv_place: Place, content: bytes, code: str, where: str) -> None:
    csv_place.path.write_bytes(content)
    with misconfigured(code, where.format(path=csv_place.path)):
        csv_place.connector().ask(query())


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(csv_place: Place) -> None:
    csv_place.path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace(b"\n", b"\r\n") + f"{GRID},1,2\r\n".encode())
    answer = csv_place.connector().ask(query())
    assert answer == Supplied(({"month": "1", "kwh": "2"},), date(2026, 3, 31), AT)


@pytest.mark.parametrize("kind", READERS)
def test_a_file_that_changes_while_it_is_read_is_unavailable(tmp_path: Path, kind: str) -> None:
    reader, write = READERS[kind]
    path = tmp_path / "bills"
    for change in (lambda: path.open("ab").write(b"\n"), path.touch, lambda: replaced(path), path.unlink):
        write(path, BILLS)
        rows = reader(path).rows(WANTED, Deadline(20))
        next(rows)
        change()
        with pytest.raises((Unusable, Misconfigured)) as caught:
            list(rows)
        reason = getattr(caught.value, "reason", None)
        assert reason == "source_unavailable" or getattr(caught.value, "code", None) == "SOURCE_FILE_MISSING"
    write(path, BILLS)
    assert len(list(reader(path).rows(WANTED, Deadline(20)))) == 3


def replaced(path: Path) -> None:
    times = path.stat()
    other = path.with_name("new")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("kind", READERS)
def test_reading_a_large_file_stops_at_the_deadline(tmp_path: Path, kind: str) -> None:
    place = Place(tmp_path, kind)
    place.holding({name: list(values) * 20_000 for name, values in BILLS.items()})
    if kind == "parquet":
        parquet.write_table(parquet.read_table(place.path), place.path, row_group_size=1_000)
    # In sort order, this key lies between the keys of two subjects. So the statistics of row groups cannot exclude it,
    # and all row groups are read.
    assert place.connector(timeout_seconds=0.02).ask(query(f"{GRID}0")) == TimedOut(AT)
    assert left_behind() == []
    reader, _ = READERS[kind]
    with pytest.raises(TimeIsUp):
        list(reader(place.path).rows(WANTED, Deadline(0)))


@pytest.mark.parametrize("written", ["parquet", "xlsx", "csv"])
@pytest.mark.parametrize("called", ["bills.csv", "bills.xlsx", "bills.et"])
def test_the_kind_of_a_source_file_is_recognised_by_its_content(tmp_path: Path, written: str, called: str) -> None:
    if (written, called) in (("parquet", "bills.xlsx"), ("parquet", "bills.et")):
        called = "bills.txt"
    place = Place(tmp_path, written)
    expected = place.holding(BILLS).ask(query())
    place.path.rename(tmp_path / called)
    definition = replace(DEFINITION, place=FilePlace(Path(called)), folder=tmp_path)
    assert connector_of(definition, {}).ask(query()) == expected
    assert isinstance(expected, Supplied)


SOURCE_TEXT = f"uscc,period,kwh\n{GRID},名称编号,1\n"


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("gb18030", None), ("gb18030", "gbk"), ("utf-16", None), ("utf-16-le", "utf-16"), ("utf-8-sig", "utf-8")],
)
def test_a_csv_source_is_read_in_its_declared_encoding(tmp_path: Path, encoding: str, declared: str | None) -> None:
    (tmp_path / "bills.csv").write_bytes(SOURCE_TEXT.encode(encoding))
    definition = replace(DEFINITION, place=FilePlace(Path("bills.csv"), declared), folder=tmp_path)
    answer = connector_of(definition, {}).ask(query())
    assert answer == Supplied(({"month": "名称编号", "kwh": "1"},), date(2026, 3, 31), AT)


def test_the_sheet_with_the_key_column_is_chosen(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["说明"])
    for title in ("一月", "二月"):
        book.create_sheet(title).append(list(BILLS))
        for row in zip(*BILLS.values(), strict=True):
            book[title].append(row)
    book.save(tmp_path / "bills.xlsx")
    definition = replace(DEFINITION, place=FilePlace(Path("bills.xlsx")), folder=tmp_path)
    with misconfigured("SOURCE_SHEET", "bills.xlsx"):
        connector_of(definition, {}).ask(query())
    named = replace(definition, place=FilePlace(Path("bills.xlsx"), sheet="二月"))
    assert isinstance(connector_of(named, {}).ask(query()), Supplied)
    book["二月"].sheet_state = "hidden"
    book.save(tmp_path / "bills.xlsx")
    assert isinstance(connector_of(definition, {}).ask(query()), Supplied)


def test_only_the_queries_that_need_a_flawed_cell_of_a_workbook_are_refused(tmp_path: Path) -> None:
    place = Place(tmp_path, "xlsx")
    place.holding({**BILLS, "kwh": [1, 2, 3, 440811202601011234, 5], "status": ["=1+1"] * 5})
    assert place.connector().ask(query()) == Refused("data_unusable", AT, "bills.xlsx, Sheet, row 5, column kwh")
    assert isinstance(place.connector().ask(query(OTHER)), Supplied)
    assert isinstance(place.connector().ask(query(columns=("month",))), Supplied)
