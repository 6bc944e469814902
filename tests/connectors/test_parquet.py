"""Parquet files as sources: only the needed data is read, and every column type whose values have an exact text is
supported.
"""

from __future__ import annotations

import base64
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from ledger.connectors import parquet as parquet_files
from ledger.connectors.answers import Refused, Supplied
from ledger.connectors.connector import SourceConnector
from ledger.connectors.parquet import ParquetTable
from ledger.connectors.source import FilePlace
from ledger.connectors.table import MAX_CHARACTERS
from ledger.errors import Misconfigured
from tests.connectors.places import AT, BILLS, DEFINITION, GRID, OTHER, Place, query
from tests.connectors.test_files import misconfigured

CASES = Path(__file__).parent / "cases"


@pytest.fixture
def parquet_place(tmp_path: Path) -> Place:
    return Place(tmp_path, "parquet")


def sorted_place(place: Place) -> tuple[Place, bytearray, parquet.FileMetaData]:
    """Write a Parquet file with three row groups, one per subject."""
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
    """Return a connector that reads the Parquet file in this process, where a test can measure its memory."""
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


def test_row_groups_that_cannot_contain_the_subject_are_not_read(parquet_place: Place) -> None:
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


def test_a_row_group_that_does_not_fit_into_memory_is_refused(
    parquet_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _, metadata = sorted_place(parquet_place)
    size = metadata.row_group(1).total_byte_size
    monkeypatch.setattr(parquet_files, "MAX_GROUP_BYTES", size)
    assert isinstance(here(place).ask(query("2")), Supplied)
    monkeypatch.setattr(parquet_files, "MAX_GROUP_BYTES", size - 1)
    with misconfigured("SOURCE_FILE_TOO_LARGE", str(place.path)):
        here(place).ask(query("2"))


def test_a_repeated_text_is_kept_in_memory_once(parquet_place: Place) -> None:
    """The file stores a text of half a megabyte once, and 2,000 rows of two subjects refer to this text."""
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
        ("data_unusable", "bills.parquet, row 2000, column period"),
        ("data_unusable", f"rows of more than {MAX_CHARACTERS} characters"),
    ]
    assert 0 < pool.max_memory() < 20 * len(text)


@pytest.mark.parametrize("kind", [pa.list_(pa.string()), pa.binary(4)])
def test_a_column_whose_type_cannot_be_read_as_cells_is_refused(parquet_place: Place, kind: pa.DataType) -> None:
    cell = ["1234"] if pa.types.is_list(kind) else b"1234"
    table = pa.table({"uscc": [OTHER], "period": pa.array([cell], kind), "kwh": [1]})
    parquet.write_table(table, parquet_place.path)
    data = bytearray(parquet_place.path.read_bytes())
    spoil(data, parquet.read_metadata(parquet_place.path).row_group(0).column(1))
    parquet_place.path.write_bytes(data)
    assert parquet_place.connector().ask(query(OTHER)) == Refused("data_unusable", AT, "period")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"uscc,period,kwh\n", b"PAR1" + b"\x00" * 100 + b"PAR1"])
def test_an_error_names_a_file_that_is_not_parquet(parquet_place: Place, content: bytes) -> None:
    parquet_place.path.write_bytes(content)
    with misconfigured("SOURCE_FILE_UNREADABLE", str(parquet_place.path)):
        parquet_place.connector().ask(query())


def test_an_error_names_a_parquet_column_that_occurs_twice(parquet_place: Place) -> None:
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
def test_a_key_column_that_is_not_text_is_refused(parquet_place: Place, kind: pa.DataType, fits: bool) -> None:
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
    "16-bit float that is NaN": (halves(float("nan")), None),
    "null": (pa.array([None], pa.int64()), ""),
    "not a number": (pa.array([float("nan")]), None),
    "infinite, in 32 bits": (pa.array([float("-inf")], pa.float32()), None),
    "list": (pa.array([[1]]), None),
    "bytes": (pa.array([b"1"]), None),
    "text that is not UTF-8": (pa.array([b"\xff"]).view(pa.string()), None),
    "year outside the range of Python": (pa.array([10**7], pa.int32()).view(pa.date32()), None),
}


@pytest.mark.parametrize(("values", "text"), VALUES.values(), ids=VALUES.keys())
def test_parquet_values_become_text(parquet_place: Place, values: pa.Array, text: str | None) -> None:
    parquet.write_table(pa.table({"uscc": [GRID], "period": ["1"], "kwh": values}), parquet_place.path)
    answer = parquet_place.connector().ask(query(columns=("kwh",)))
    if text is None:
        assert isinstance(answer, Refused)
        assert answer.reason == "data_unusable"
        assert answer.where in ("kwh", "bills.parquet, row 1, column kwh")
    else:
        assert answer == Supplied(({"kwh": text},), date(2026, 3, 31), AT)


def test_the_error_without_pyarrow_says_what_to_install(parquet_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet_place.holding(BILLS)
    source = here(parquet_place)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Misconfigured, match=r"pip install 'pingzheng\[connectors\]'"):
        source.ask(query())
    assert isinstance(Place(parquet_place.folder, "csv").holding(BILLS).ask(query()), Supplied)


CASES = Path(__file__).parent / "cases"
VIEWS_OWNER = "44081119900101123X"


@pytest.mark.parametrize("name", ["key", "column"])
def test_a_string_view_column_is_read_as_text(tmp_path: Path, name: str) -> None:
    place = Place(tmp_path, "parquet")
    place.path.write_bytes((CASES / "parquet-string-view" / f"{name}.parquet").read_bytes())
    definition = {"key_column": "id", "columns": {"month": "month", "kwh": "v"}}
    answer = place.connector(**definition).ask(query(VIEWS_OWNER))
    assert answer == Supplied(({"month": "202603", "kwh": "x"},), date(2026, 3, 31), AT)


@pytest.mark.parametrize("value_type", [pa.string_view(), pa.large_string(), pa.string()])
@pytest.mark.parametrize("column", ["uscc", "period"])
def test_a_dictionary_of_any_text_type_is_read(parquet_place: Place, column: str, value_type: pa.DataType) -> None:
    """The test writes the declaration of the schema itself, as other programs write it, because pyarrow cannot write a
    dictionary of string views.
    """
    table = pa.table({"uscc": [GRID, OTHER], "period": ["1", "2"], "kwh": ["3", "4"]})
    place = table.schema.get_field_index(column)
    declared = table.schema.set(place, pa.field(column, pa.dictionary(pa.int32(), value_type)))
    metadata = {"ARROW:schema": base64.b64encode(declared.serialize().to_pybytes())}
    parquet.write_table(table.replace_schema_metadata(metadata), parquet_place.path, store_schema=False)
    answer = parquet_place.connector().ask(query())
    assert answer == Supplied(({"month": "1", "kwh": "3"},), date(2026, 3, 31), AT)


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "PLAIN"])
@pytest.mark.parametrize("column", ["uscc", "period"])
def test_texts_in_a_parquet_file_are_read_in_every_encoding(parquet_place: Place, column: str, encoding: str) -> None:
    table = pa.table({name: [str(value) for value in values] for name, values in BILLS.items()})
    parquet.write_table(table, parquet_place.path, use_dictionary=False, column_encoding={column: encoding})
    answer = parquet_place.connector().ask(query(OTHER))
    rows = ({"month": "202601", "kwh": "7"}, {"month": "202602", "kwh": "8"})
    assert answer == Supplied(rows, date(2026, 3, 31), AT)
