"""Files as sources: what is wrong with a file is said once, what is not needed of it is not read."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from ledger.connectors import parquet as parquet_files
from ledger.connectors.answers import Refused, Supplied, TimedOut
from ledger.connectors.connector import SourceConnector, connector_of
from ledger.connectors.deadline import Deadline, TimeIsUp
from ledger.connectors.files import MAX_CSV_BYTES, CsvTable
from ledger.connectors.parquet import MAX_PARQUET_BYTES, ParquetTable
from ledger.connectors.source import FilePlace
from ledger.connectors.table import MAX_CHARACTERS, Unusable, Wanted
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


@pytest.fixture
def parquet_place(tmp_path: Path) -> Place:
    return Place(tmp_path, "parquet")


@contextmanager
def misconfigured(code: str, where: str) -> Iterator[None]:
    """The error with this code is raised; neither it nor what it carries along repeats a value of the table."""
    with pytest.raises(Misconfigured) as caught:
        yield
    assert (caught.value.code, caught.value.where) == (code, where)
    assert caught.value.hint
    assert GRID not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


@pytest.mark.parametrize("kind", READERS)
def test_a_file_that_is_missing_is_named(tmp_path: Path, kind: str) -> None:
    place = Place(tmp_path, kind)
    with misconfigured("SOURCE_FILE_MISSING", str(place.path)):
        place.connector().ask(query())
    place.path.mkdir()
    with misconfigured("SOURCE_FILE_MISSING", str(place.path)):
        place.connector().ask(query())


@pytest.mark.parametrize(("kind", "bound"), [("csv", MAX_CSV_BYTES), ("parquet", MAX_PARQUET_BYTES)])
def test_a_file_of_one_byte_too_many_is_not_opened(tmp_path: Path, kind: str, bound: int) -> None:
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
def test_a_csv_file_that_has_to_be_mended_is_named(csv_place: Place, content: bytes, code: str, where: str) -> None:
    csv_place.path.write_bytes(content)
    with misconfigured(code, where.format(path=csv_place.path)):
        csv_place.connector().ask(query())


def test_a_byte_order_mark_and_windows_lines_are_read(csv_place: Place) -> None:
    csv_place.path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace(b"\n", b"\r\n") + f"{GRID},1,2\r\n".encode())
    answer = csv_place.connector().ask(query())
    assert answer == Supplied(({"month": "1", "kwh": "2"},), date(2026, 3, 31), AT)


@pytest.mark.parametrize("kind", READERS)
def test_a_file_that_changes_while_it_is_read_is_not_supplied(tmp_path: Path, kind: str) -> None:
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
def test_a_large_file_is_left_at_the_deadline(tmp_path: Path, kind: str) -> None:
    place = Place(tmp_path, kind)
    place.holding({name: list(values) * 20_000 for name, values in BILLS.items()})
    if kind == "parquet":
        parquet.write_table(parquet.read_table(place.path), place.path, row_group_size=1_000)
    # Between the two subjects: no row group's statistics rule it out.
    assert place.connector(timeout_seconds=0.02).ask(query(f"{GRID}0")) == TimedOut(AT)
    assert left_behind() == []
    reader, _ = READERS[kind]
    with pytest.raises(TimeIsUp):
        list(reader(place.path).rows(WANTED, Deadline(0)))


def sorted_place(place: Place) -> tuple[Place, bytearray, parquet.FileMetaData]:
    """A Parquet file in three row groups, one per subject, and its bytes."""
    table = pa.table(
        {
            "uscc": [f"{number}" for number in (1, 2, 3) for _ in range(100)],
            "period": [f"2026{row % 12 + 1:02}" for row in range(300)],
            "kwh": list(range(300)),
            "name": [f"名称{row}" for row in range(300)],
        }
    )
    parquet.write_table(table, place.path, row_group_size=100, compression="none", use_dictionary=False)
    return place, bytearray(place.path.read_bytes()), parquet.read_metadata(place.path)


def here(place: Place) -> SourceConnector:
    """A connector that reads the Parquet file in this process, where its memory can be watched."""
    definition = replace(DEFINITION, place=FilePlace(Path(place.path.name)), folder=place.folder)
    return SourceConnector(definition, ParquetTable(place.path))


def spoil(data: bytearray, chunk: Any) -> None:
    start, size = chunk.data_page_offset, chunk.total_compressed_size
    data[start : start + size] = b"\xff" * size


def test_columns_that_are_not_needed_are_not_read(parquet_place: Place) -> None:
    place, data, metadata = sorted_place(parquet_place)
    for group in range(3):
        spoil(data, metadata.row_group(group).column(3))
    place.path.write_bytes(data)
    answer = place.connector().ask(query("2"))
    assert isinstance(answer, Supplied)
    assert sorted(int(row["kwh"]) for row in answer.rows) == list(range(100, 200))
    with misconfigured("SOURCE_FILE_UNREADABLE", str(place.path)):
        place.connector(columns={"month": "period", "kwh": "name"}).ask(query("2"))


def test_row_groups_that_cannot_hold_the_subject_are_not_read(parquet_place: Place) -> None:
    place, data, metadata = sorted_place(parquet_place)
    for group in (0, 2):
        for column in range(4):
            spoil(data, metadata.row_group(group).column(column))
    place.path.write_bytes(data)
    answer = place.connector().ask(query("2"))
    assert isinstance(answer, Supplied)
    assert len(answer.rows) == 100
    with misconfigured("SOURCE_FILE_UNREADABLE", str(place.path)):
        place.connector().ask(query("1"))


def test_a_row_group_that_would_not_fit_into_memory_is_refused(
    parquet_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _, metadata = sorted_place(parquet_place)
    size = metadata.row_group(1).total_byte_size
    monkeypatch.setattr(parquet_files, "MAX_GROUP_BYTES", size)
    assert isinstance(here(place).ask(query("2")), Supplied)
    monkeypatch.setattr(parquet_files, "MAX_GROUP_BYTES", size - 1)
    with misconfigured("SOURCE_FILE_TOO_LARGE", str(place.path)):
        here(place).ask(query("2"))


def test_a_text_said_many_times_over_is_held_once(parquet_place: Place) -> None:
    """A page of a few bytes says it for every row: 2,000 times half a megabyte, in the rows of whomever."""
    rows, text = 2_000, "x" * 500_000
    said = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))
    keys = pa.array([OTHER] * (rows - 1) + [GRID])
    table = pa.table({"uscc": keys, "period": said, "kwh": pa.array(range(rows))})
    parquet.write_table(table, parquet_place.path, store_schema=False)
    assert parquet_place.path.stat().st_size < 100_000
    before = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(before)
    pa.set_memory_pool(pool)
    try:
        answers = [here(parquet_place).ask(query(identifier)) for identifier in (GRID, OTHER)]
    finally:
        pa.set_memory_pool(before)
    assert [(answer.reason, answer.where) for answer in answers if isinstance(answer, Refused)] == [
        ("data_unusable", "period, row 1 of the subject"),
        ("data_unusable", f"rows of more than {MAX_CHARACTERS} characters"),
    ]
    assert 0 < pool.max_memory() < 20 * len(text)


@pytest.mark.parametrize("kind", [pa.list_(pa.string()), pa.binary(4)])
def test_a_column_of_what_is_no_cell_is_not_read(parquet_place: Place, kind: pa.DataType) -> None:
    cell = ["1234"] if pa.types.is_list(kind) else b"1234"
    table = pa.table({"uscc": [OTHER], "period": pa.array([cell], kind), "kwh": [1]})
    parquet.write_table(table, parquet_place.path)
    data = bytearray(parquet_place.path.read_bytes())
    spoil(data, parquet.read_metadata(parquet_place.path).row_group(0).column(1))
    parquet_place.path.write_bytes(data)
    assert parquet_place.connector().ask(query(OTHER)) == Refused("data_unusable", AT, "period")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"uscc,period,kwh\n", b"PAR1" + b"\x00" * 100 + b"PAR1"])
def test_what_is_no_parquet_file_is_named(parquet_place: Place, content: bytes) -> None:
    parquet_place.path.write_bytes(content)
    with misconfigured("SOURCE_FILE_UNREADABLE", str(parquet_place.path)):
        parquet_place.connector().ask(query())


def test_a_parquet_column_twice_is_named(parquet_place: Place) -> None:
    columns = [pa.array([GRID]), pa.array(["1"]), pa.array(["2"]), pa.array(["3"])]
    parquet.write_table(pa.Table.from_arrays(columns, ["uscc", "period", "kwh", "kwh"]), parquet_place.path)
    with misconfigured("SOURCE_COLUMN_MISSING", "bills.parquet"):
        parquet_place.connector().ask(query())


KEYS = {
    "text": (pa.string(), True),
    "large text": (pa.large_string(), True),
    "view of text": (pa.string_view(), True),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), True),
    "dictionary of large texts": (pa.dictionary(pa.int8(), pa.large_string()), True),
    "number": (pa.int64(), False),
    "dictionary of numbers": (pa.dictionary(pa.int8(), pa.int64()), False),
    "binary": (pa.binary(), False),
    "view of bytes": (pa.binary_view(), False),
}


@pytest.mark.parametrize(("kind", "fits"), KEYS.values(), ids=KEYS.keys())
def test_the_key_is_text(parquet_place: Place, kind: pa.DataType, fits: bool) -> None:
    key = (
        pa.array(["0123"]).cast(kind.value_type).dictionary_encode()
        if pa.types.is_dictionary(kind)
        else (pa.array(["0123"]).cast(kind))
    )
    parquet.write_table(pa.table({"uscc": key, "period": ["1"], "kwh": ["2"]}), parquet_place.path)
    source = parquet_place.connector()
    if fits:
        assert isinstance(source.ask(query("0123")), Supplied)
    else:
        with misconfigured("SOURCE_KEY_NOT_TEXT", str(parquet_place.path)):
            source.ask(query("0123"))


def halves(number: float) -> pa.Array:
    return pa.array([number], pa.float32()).cast(pa.float16())


def packed(values: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), values)


SHANGHAI = timezone(timedelta(hours=8))
VALUES = {
    "32-bit float": (pa.array([0.1], pa.float32()), "0.1"),
    "small 32-bit float": (pa.array([1e-7], pa.float32()), "0.0000001"),
    "64-bit float": (pa.array([0.1 + 0.2]), "0.30000000000000004"),
    "boolean": (pa.array([True]), "true"),
    "unsigned": (pa.array([2**64 - 1], pa.uint64()), "18446744073709551615"),
    "decimal": (pa.array([Decimal("12345678901234567890.10")]), "12345678901234567890.10"),
    "day": (pa.array([date(2026, 3, 31)]), "2026-03-31"),
    "instant": (
        pa.array([datetime(2026, 3, 31, 20, tzinfo=SHANGHAI)], pa.timestamp("s", "UTC")),
        "2026-03-31T20:00:00+08:00",
    ),
    "16-bit float": (halves(0.1), "0.1"),
    "small 16-bit float": (halves(1e-5), "0.00001"),
    "largest 16-bit float": (halves(65_504.0), "65504.0"),
    "dictionary of 16-bit floats": (packed(halves(2.5)), "2.5"),
    "category": (pa.array(["A"]).dictionary_encode(), "A"),
    "large text": (pa.array(["A"], pa.large_string()), "A"),
    "view of text": (pa.array(["A"], pa.string_view()), "A"),
    "dictionary of numbers": (packed(pa.array([7])), "7"),
    "dictionary of decimals": (packed(pa.array([Decimal("1.10")])), "1.10"),
    "dictionary of days": (packed(pa.array([date(2026, 3, 31)])), "2026-03-31"),
    "view of bytes": (pa.array([b"1"], pa.binary_view()), None),
    "16-bit float that is none": (halves(float("nan")), None),
    "null": (pa.array([None], pa.int64()), ""),
    "not a number": (pa.array([float("nan")]), None),
    "infinite, in 32 bits": (pa.array([float("-inf")], pa.float32()), None),
    "list": (pa.array([[1]]), None),
    "bytes": (pa.array([b"1"]), None),
    "text that is none": (pa.array([b"\xff"]).view(pa.string()), None),
    "year that Python does not know": (pa.array([10**7], pa.int32()).view(pa.date32()), None),
}


@pytest.mark.parametrize(("values", "text"), VALUES.values(), ids=VALUES.keys())
def test_values_of_parquet_become_text(parquet_place: Place, values: pa.Array, text: str | None) -> None:
    parquet.write_table(pa.table({"uscc": [GRID], "period": ["1"], "kwh": values}), parquet_place.path)
    answer = parquet_place.connector().ask(query(columns=("kwh",)))
    if text is None:
        assert isinstance(answer, Refused)
        assert (answer.reason, answer.where.split(",")[0]) == ("data_unusable", "kwh")
    else:
        assert answer == Supplied(({"kwh": text},), date(2026, 3, 31), AT)


def test_without_its_package_a_parquet_file_says_what_to_install(
    parquet_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet_place.holding(BILLS)
    source = here(parquet_place)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Misconfigured, match=r"pip install 'pingzheng\[connectors\]'"):
        source.ask(query())
    assert isinstance(Place(parquet_place.folder, "csv").holding(BILLS).ask(query()), Supplied)


CASES = Path(__file__).parent / "cases"
VIEWS_OWNER = "44081119900101123X"


@pytest.mark.parametrize("name", ["key", "column"])
def test_a_column_of_views_is_read_as_text(tmp_path: Path, name: str) -> None:
    place = Place(tmp_path, "parquet")
    place.path.write_bytes((CASES / "parquet-string-view" / f"{name}.parquet").read_bytes())
    definition = {"key_column": "id", "columns": {"month": "month", "kwh": "v"}}
    answer = place.connector(**definition).ask(query(VIEWS_OWNER))
    assert answer == Supplied(({"month": "202603", "kwh": "x"},), date(2026, 3, 31), AT)


@pytest.mark.parametrize("value_type", [pa.string_view(), pa.large_string(), pa.string()])
@pytest.mark.parametrize("column", ["uscc", "period"])
def test_a_dictionary_of_any_text_is_read(parquet_place: Place, column: str, value_type: pa.DataType) -> None:
    """As other writers declare it: ours cannot write a dictionary of views."""
    table = pa.table({"uscc": [GRID, OTHER], "period": ["1", "2"], "kwh": ["3", "4"]})
    place = table.schema.get_field_index(column)
    declared = table.schema.set(place, pa.field(column, pa.dictionary(pa.int32(), value_type)))
    told = {"ARROW:schema": base64.b64encode(declared.serialize().to_pybytes())}
    parquet.write_table(table.replace_schema_metadata(told), parquet_place.path, store_schema=False)
    answer = parquet_place.connector().ask(query())
    assert answer == Supplied(({"month": "1", "kwh": "3"},), date(2026, 3, 31), AT)


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "PLAIN"])
@pytest.mark.parametrize("column", ["uscc", "period"])
def test_texts_are_read_however_they_are_packed(parquet_place: Place, column: str, encoding: str) -> None:
    table = pa.table({name: [str(value) for value in values] for name, values in BILLS.items()})
    parquet.write_table(table, parquet_place.path, use_dictionary=False, column_encoding={column: encoding})
    answer = parquet_place.connector().ask(query(OTHER))
    rows = ({"month": "202601", "kwh": "7"}, {"month": "202602", "kwh": "8"})
    assert answer == Supplied(rows, date(2026, 3, 31), AT)


@pytest.mark.parametrize("written", ["parquet", "xlsx", "csv"])
@pytest.mark.parametrize("called", ["bills.csv", "bills.xlsx", "bills.et"])
def test_a_source_is_known_by_its_content(tmp_path: Path, written: str, called: str) -> None:
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
def test_a_csv_source_is_read_in_its_encoding(tmp_path: Path, encoding: str, declared: str | None) -> None:
    (tmp_path / "bills.csv").write_bytes(SOURCE_TEXT.encode(encoding))
    definition = replace(DEFINITION, place=FilePlace(Path("bills.csv"), declared), folder=tmp_path)
    answer = connector_of(definition, {}).ask(query())
    assert answer == Supplied(({"month": "名称编号", "kwh": "1"},), date(2026, 3, 31), AT)


def test_the_sheet_of_a_source_is_the_one_with_its_key(tmp_path: Path) -> None:
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


def test_a_flaw_in_a_workbook_matters_where_it_is_needed(tmp_path: Path) -> None:
    place = Place(tmp_path, "xlsx")
    place.holding({**BILLS, "kwh": [1, 2, 3, 440811202601011234, 5], "status": ["=1+1"] * 5})
    assert place.connector().ask(query()) == Refused("data_unusable", AT, "kwh, row 2 of the subject")
    assert isinstance(place.connector().ask(query(OTHER)), Supplied)
    assert isinstance(place.connector().ask(query(columns=("month",))), Supplied)
